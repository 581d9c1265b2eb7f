"""`shapes`: pictures drawn from parameters, so that what a model should make of them is known and not estimated.

`docs/data.md` says what is drawn, how often, and how surely it is read again.
"""

from gencore.shapes.drawing import draw
from gencore.shapes.factors import COLOURS, SHAPES, parameters
from gencore.shapes.reading import is_shape, read

__all__ = ["COLOURS", "SHAPES", "draw", "is_shape", "parameters", "read"]
