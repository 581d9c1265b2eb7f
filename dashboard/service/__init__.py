"""The one way from the pages to `gencore`, which they do not import: here is what they all need of both."""

from dashboard.service.lanes import PREVIEW, Lane
from dashboard.service.orders import Frame, Order, Part, Result
from dashboard.service.service import MAX_IMAGES, Service
from gencore import __version__
from gencore.errors import InputError
from gencore.evaluation.failures import Broken
from gencore.family import Knob, Point, resolve_knobs
from gencore.metrics import METRICS, metrics_of
from gencore.pictures import columns_for, grid, png

__all__ = [
    "MAX_IMAGES", "METRICS", "PREVIEW", "Broken", "Frame", "InputError", "Knob", "Lane", "Order", "Part", "Point",
    "Result", "Service", "__version__", "columns_for", "grid", "metrics_of", "png", "resolve_knobs",
]  # fmt: skip
