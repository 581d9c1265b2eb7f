"""Each point's first images as a strip: the checkpoint's shipped ones where they are of the point, else made here."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator

from dashboard.results.operating_points import Measured, knobs_key
from dashboard.service import PREVIEW, InputError, Lane, Service
from dashboard.service.cache import Cache
from dashboard.service.device import without_waiting
from dashboard.service.given import first_images
from dashboard.service.lanes import checkpoint_key
from dashboard.ui.model_card import data_uri

IMAGES, COLUMNS = 16, 8
PATIENCE = 500  # ms: a strip that takes longer is made when somebody asks for the point's samples


def lane_of(service: Service, dataset: str, point: Measured) -> Lane | None:
    """Return what is known of the point's own checkpoint; None where there is none such here."""
    if point.family not in service.families:
        return None
    lane = service.lane(dataset, point.family, point.checkpoint)
    return lane if lane.problem or lane.checkpoint == point.checkpoint else None


def is_shipped(service: Service, lane: Lane, point: Measured) -> bool:
    """Return whether the images shipped with the checkpoint are the point's: they are of the default setting."""
    usual = {knob.name: knob.default for knob in service.families[point.family].knobs}
    return lane.preview is not None and all(usual.get(name) == value for name, value in point.knobs.items())


class Strips:
    """The strips of all points. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._made = Cache(200)  # by checkpoint and knobs: a strip of MNIST takes 4 kB

    def shipped(self, dataset: str, points: Collection[Measured]) -> dict[str, str]:
        """Return, by the points' keys, the strips that are there without a model."""
        lanes = [(point, lane_of(self.service, dataset, point)) for point in points]
        found = {
            point.key: data_uri(lane.preview[:IMAGES], COLUMNS)
            for point, lane in lanes
            if lane and not lane.problem and is_shipped(self.service, lane, point)
        }
        given = {point.key: first_images(self.service, dataset, point) for point in points if point.given}
        return found | {key: image for key, image in given.items() if image}

    def make(self, dataset: str, points: Iterable[Measured]) -> Iterator[dict[str, str]]:
        """Make the strips of points that are quick, and yield those there are, by the points' keys, after each.

        '' stands for one that is not quick, or cannot be made.
        """
        found: dict[str, str] = {}
        stop = threading.Event()
        try:
            for point in points:
                found[point.key] = self._strip(dataset, point, stop)
                yield dict(found)
        finally:
            stop.set()

    def _strip(self, dataset: str, point: Measured, stop: threading.Event) -> str:
        lane = lane_of(self.service, dataset, point)
        if lane is None or lane.problem or not point.ms_per_image or IMAGES * point.ms_per_image > PATIENCE:
            return ""
        key = checkpoint_key(point.checkpoint), knobs_key(point.knobs)
        if (known := self._made.get(key)) is not None:
            return known
        try:
            setting = {"checkpoint": point.checkpoint, "knobs": dict(point.knobs)}
            order = self.service.order(dataset, IMAGES, PREVIEW["seed"], {point.family: setting})
        except InputError:
            return ""
        for frame in without_waiting(self.service.run(order, stop, fresh=False)):
            if frame.state == "done" and frame.images is not None:
                return self._made.put(key, data_uri(frame.images, COLUMNS))
        return ""
