"""`shapes`: pictures drawn from parameters, so that what a model should make of them is known and not estimated.

`docs/data.md` says what is drawn, and how often.
"""

from gencore.data.shapes.drawing import draw
from gencore.data.shapes.factors import COLOURS, SHAPES, parameters
from gencore.data.shapes.reading import is_shape, read
from gencore.data.shapes.source import SIDES, row_order, shapes

__all__ = ["COLOURS", "SHAPES", "SIDES", "draw", "is_shape", "parameters", "read", "row_order", "shapes"]
