"""Samples by the hundred, made through the service: in pieces, one run at a time."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dashboard.results.operating_points import knobs_key
from dashboard.service.budget import check_request
from dashboard.service.cache import Cache
from dashboard.service.device import Waiting
from dashboard.service.lanes import checkpoint_key
from dashboard.service.orders import Order, Part
from dashboard.service.parsing import parse_whole
from dashboard.service.problems import without_paths
from dashboard.service.service import Service
from gencore.errors import InputError

LEAST, MOST = 200, 1000  # samples a family
BATCH = 100  # images at once, as an evaluation has it


@dataclass(frozen=True)
class Sampled:
    """Samples of one family.

    Attributes:
        family: The family's name.
        title: Its name for people.
        images: uint8 (n, C, H, W).
        key: Stands for the checkpoint, its weights, the knobs, the seed and n.
        part: The checkpoint and knobs.
        seed: The run's seed.
        shipped: Whether they are the checkpoint's own few pictures, not made here.
    """

    family: str
    title: str
    images: np.ndarray
    key: tuple[Hashable, ...]
    part: Part | None = None
    seed: int = 0
    shipped: bool = False


@dataclass(frozen=True)
class Progress:
    """One moment of making samples.

    Attributes:
        family: The family.
        state: 'waiting', 'loading', 'running', 'done', 'stopped', 'skipped' or 'failed'.
        made: Samples that are there, those under way counted by the steps that are done.
        n: Samples ordered.
        seconds: The model's time so far, for those made in this run.
        fresh: How many of `made` this run has made; the others were kept from before.
        problem: One sentence when it failed.
        sampled: The samples, when all are there.
    """

    family: str
    state: str
    made: float = 0.0
    n: int = 0
    seconds: float = 0.0
    fresh: float = 0.0
    problem: str = ""
    sampled: Sampled | None = None


class Samples:
    """Makes samples. One instance serves all visitors."""

    def __init__(self, service: Service):
        self.service = service
        self._images = Cache(16, 200e6)  # by checkpoint, knobs and seed; bytes: 1,000 MNIST images take 0.8 MB

    def order(self, dataset: Any, n: Any, seed: Any, settings: Mapping[str, Mapping[str, Any]]) -> Order:
        """Return a checked order of `LEAST` to `MOST` samples; see `Service.order`.

        Raises:
            InputError: in one sentence, on anything bad.
        """
        whole = parse_whole(n, LEAST, MOST, "The number of samples")
        order = replace(self.service.order(dataset, 1, seed, settings), n=whole)
        check_request(whole, order.calls, LEAST)
        return order

    def make(self, order: Order, stop: threading.Event) -> Iterator[Waiting | Progress]:
        """Make the samples of an order, in pieces, and yield the progress of each family.

        What was made before is kept, and so is what a stopped run had made: an image depends on its seed alone. Every
        family ends in 'done', 'stopped', 'skipped' or 'failed'.
        """
        for part in order.parts:
            try:
                yield from self._make_part(part, order, stop)
            except InputError as error:
                yield Progress(part.family, "failed", n=order.n, problem=without_paths(str(error)))

    def _make_part(self, part: Part, order: Order, stop: threading.Event) -> Iterator[Waiting | Progress]:
        key, n, seconds = (checkpoint_key(part.checkpoint), knobs_key(part.knobs), order.seed), order.n, 0.0
        images = self._images.get(key)
        kept = 0 if images is None else n if len(images) >= n else len(images) // BATCH * BATCH
        made = kept
        while made < n:
            piece = replace(order, n=min(BATCH, n - made), first=made, parts=(part,))
            for frame in self.service.run(piece, stop):
                if isinstance(frame, Waiting):
                    yield frame
                    continue
                share = piece.n * frame.index / frame.total if frame.total else 0.0
                if frame.state == "done":
                    break
                yield Progress(part.family, frame.state, made + share, n, seconds + frame.seconds,
                               made - kept + share, frame.problem)  # fmt: skip
            if frame.state != "done":
                return
            images = frame.images if not made else np.concatenate([images[:made], frame.images])
            made, seconds = made + piece.n, seconds + frame.seconds
            self._images.put(key, images)
            if made < n:
                yield Progress(part.family, "running", made, n, seconds, made - kept)
        title = self.service.families[part.family].title
        sampled = Sampled(part.family, title, images[:n], (*key, n), part, order.seed)
        yield Progress(part.family, "done", n, n, seconds, n - kept, sampled=sampled)
