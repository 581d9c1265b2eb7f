"""The service that the pages ask: models kept loaded, one run at a time, stopping, limits.

Pages ask for a `Lane` (what is known of a family on a data set before anything runs), turn the user's settings
into an `Order` with `Service.order`, which raises `InputError` on anything bad, and then read `Frame`s.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from dashboard import format
from dashboard.results.operating_points import Measurements, join, knobs_key
from dashboard.service import lanes, zerogpu
from dashboard.service.budget import Budget, check_request
from dashboard.service.cache import Cache, CacheKey, cache_key
from dashboard.service.device import Device, Lease, Waiting
from dashboard.service.lanes import PREVIEW, Lane, checkpoint_key
from dashboard.service.moments import FRAME_SECONDS, Moment, first_call, moments
from dashboard.service.orders import Frame, Order, Part, calls_knob, image_seeds
from dashboard.service.pace import Pace
from dashboard.service.parsing import expect_mapping, parse_seed, parse_whole
from dashboard.service.pixels import to_pixels
from dashboard.service.problems import in_a_sentence, without_paths
from dashboard.service.public import is_public
from dashboard.service.strangers import for_strangers
from dashboard.service.visits import visit_of
from gencore import FAMILIES, checkpoint, data
from gencore.device import describe_machine, pick_device
from gencore.errors import InputError, near
from gencore.evaluation import rows
from gencore.evaluation.failures import FAILURES, Broken, failures_for
from gencore.extractors import EXTRACTORS, FOLDER, LADDER, default_extractor
from gencore.extractors.reference import SPECTRA, load_real
from gencore.family import Family, resolve_knobs
from gencore.locks import DEVICE
from gencore.paths import refuse_irregular

MAX_IMAGES = 100
KEPT_MODELS = 8
REAL_BYTES = 600e6  # of real images: MNIST's splits take 55 MB at 28 pixels, CIFAR-10's 184 MB
MADE_BYTES = 100e6  # of generated images: 100 of MNIST take 78 kB

DRAWN = {"mean", "basis", "points", "bins", "density"}  # what charts need of a data set's reference
T = TypeVar("T")
log = logging.getLogger(__name__)


class Service:
    """Everything a page may ask for. One instance serves all visitors.

    Args:
        data_root: The folder below which visitors may open folders as data; None for none.
    """

    def __init__(self, data_root: Path | None = None) -> None:
        self.data_root = data_root
        self.zerogpu = zerogpu.lent()
        self.ready = False  # whether the first models are loaded, or were tried
        self.device = Device(shared=lambda: checkpoint.roots()[-1] / DEVICE)
        self.budget, self.pace = Budget(), Pace(self._shipped_rate)
        self._models = Cache(KEPT_MODELS)
        self._made = Cache(256, MADE_BYTES)  # the last frames of runs, by weights, knobs, seed and number of images
        self._warm: WeakKeyDictionary[Family, set[int]] = WeakKeyDictionary()  # the sizes of batches they have made
        self._sources: dict[str, str] = {}  # by a data set's name as `entries` last gave it: the engine's
        self._shared: dict[Callable, Any] = {}
        self._sharing = threading.Lock()
        self._real = Cache(16, REAL_BYTES)
        self._refused = Cache(16)
        self._measured = Cache(16)
        self._broken = Cache(8)
        self._broken_images = Cache(64)

    def shared(self, kind: Callable[[Service], T]) -> T:
        """Return the one instance of a class made of this service, shared by all visitors."""
        with self._sharing:
            if kind not in self._shared:
                self._shared[kind] = kind(self)
            return self._shared[kind]

    # ---- what there is

    @property
    def families(self) -> dict[str, type[Family]]:
        """The registered families, in order."""
        return FAMILIES

    def able(self, *capabilities: type) -> dict[str, type[Family]]:
        """Return the families that have all of some capabilities, in order."""
        return {
            name: kind for name, kind in self.families.items() if all(issubclass(kind, one) for one in capabilities)
        }

    @cached_property
    def machine(self) -> dict[str, Any]:
        """What images are made on, as `gencore` describes it."""
        return self.zerogpu.machine() if self.zerogpu else describe_machine(pick_device())

    def entries(self) -> dict[str, list[checkpoint.Entry]]:
        """Return the checkpoints of every data set, usable or not; shipped data sets first.

        In a public app, folders of this machine go by their last part, there and in all that is said of them.
        """
        found: dict[str, list[checkpoint.Entry]] = {}
        sources: dict[str, str] = {}
        for entry in checkpoint.entries():
            one = for_strangers(entry) if is_public() else entry
            found.setdefault(one.dataset, []).append(one)
            sources.setdefault(one.dataset, entry.dataset)
        self._sources = sources
        return found

    def entries_of(self, dataset: Any) -> list[checkpoint.Entry]:
        """Return the checkpoints of a data set, usable or not; none of what is no name, as callers may send."""
        return self.entries().get(dataset, []) if isinstance(dataset, str) else []

    def source(self, dataset: str) -> str:
        """Return the name by which the engine finds a data set's images; a public app shows a folder's last part."""
        if is_public() and dataset not in self._sources:
            self.entries()
        return self._sources.get(dataset, dataset) if is_public() else dataset

    def datasets(self) -> list[str]:
        """Return the data sets that have a checkpoint: most families first, then most previews, then largest images."""
        found = self.entries()

        def rank(name: str) -> tuple[int, int, int]:
            usable = [entry for entry in found[name] if not entry.problem]
            previews = sum((entry.path / "preview.png").is_file() for entry in usable)
            sizes = [lanes.size_of(entry) for entry in usable]
            return -len({entry.family for entry in usable}), -previews, -max(sizes, default=0)

        return sorted(found, key=rank)

    def lane(self, dataset: str, family: str, chosen: str = "") -> Lane:
        """Return what is known of `family` on `dataset`; `chosen` names one of its checkpoints."""
        kind = self.families[family]
        mine = [entry for entry in self.entries_of(dataset) if entry.family == family]
        mine.sort(key=lambda entry: (bool(entry.problem), entry.name.rpartition("/")[2] != family, entry.name))
        if not mine:
            return Lane(family, kind.title, kind.about, problem=lanes.missing(dataset, kind))
        entry = next((entry for entry in mine if entry.name == chosen), mine[0])
        size = lanes.size_of(entry)
        return Lane(
            family=family,
            title=kind.title,
            about=kind.about,
            checkpoint=entry.name,
            checkpoints=tuple(entry.name for entry in mine),
            problem=without_paths(entry.problem),
            size=size,
            parameters=lanes.count_parameters(entry),
            run=entry.run,
            origin=entry.origin,
            trained=entry.trained,
            cost=lanes.read_json(entry.path / "cost.json"),
            preview=lanes.read_preview(entry.path / "preview.png", size),
        )

    def lanes(self, dataset: str) -> list[Lane]:
        """Return the lane of every family on `dataset`."""
        return [self.lane(dataset, family) for family in self.families]

    def checkpoints(self, dataset: str, *capabilities: type) -> list[Lane]:
        """Return a lane for each checkpoint on `dataset` of the families that have some capabilities, usable or not."""
        firsts = [self.lane(dataset, family) for family in self.able(*capabilities)]
        return [self.lane(dataset, first.family, name) for first in firsts for name in first.checkpoints]

    def usable(self, dataset: Any) -> dict[str, dict]:
        """Return empty settings for every family with a checkpoint on a data set, which a caller may make anything."""
        known = self.entries_of(dataset)
        there = {entry.family for entry in known}
        return {family: {} for family in self.families if family in there}

    # ---- checking

    def order(self, dataset: Any, n: Any, seed: Any, settings: Mapping[str, Mapping[str, Any]]) -> Order:
        """Return a checked order.

        It is of 1 to `MAX_IMAGES` images. `settings` has {'checkpoint': a name or '', 'knobs': {name: value}} for each
        family that runs.

        Raises:
            InputError: in one sentence, on anything bad, or if it is more work than one request may take.
        """
        self.check_dataset(dataset)
        n, seed = parse_whole(n, 1, MAX_IMAGES, "The number of images"), parse_seed(seed)
        for family in expect_mapping(settings, "settings"):
            if family not in self.families:
                raise InputError(f"There is no family {family!r}{near(str(family), list(self.families))}")
        parts = [self.part(dataset, family, settings[family]) for family in self.families if family in settings]
        if not parts:
            raise InputError("Nothing to run: name at least one family.")
        order = Order(dataset, n, seed, tuple(parts))
        check_request(n, order.calls)
        return order

    def check_dataset(self, dataset: Any) -> None:
        """Check the name of a data set.

        Raises:
            InputError: if there is none of this name with checkpoints.
        """
        known = self.datasets()
        if dataset not in known:
            raise InputError(f"There is no data set {dataset!r} with checkpoints{near(str(dataset), known)}")

    def part(self, dataset: str, family: str, setting: Mapping[str, Any]) -> Part:
        """Return one checked part of an order; see `order`."""
        extra = [key for key in expect_mapping(setting, family) if key not in ("checkpoint", "knobs")]
        if extra:
            raise InputError(f"A lane has no setting {extra[0]!r}; known: checkpoint, knobs.")
        names = [entry.name for entry in self.entries_of(dataset) if entry.family == family]
        chosen = setting.get("checkpoint") or ""
        if chosen and chosen not in names:
            raise InputError(f"There is no {family} checkpoint {chosen!r} on {dataset}{near(str(chosen), names)}")
        given = expect_mapping(setting.get("knobs") or {}, f"{family}'s knobs")
        known = self.families[family].knobs
        knobs, steps = resolve_knobs(known, given), calls_knob(known)
        calls = int(knobs[steps.name]) if steps else 1
        return Part(family, chosen or self.lane(dataset, family).checkpoint, knobs, calls)

    # ---- running

    def run(self, order: Order, stop: threading.Event, fresh: bool = True) -> Iterator[Waiting | Frame]:
        """Run the parts of an order one after another, alone on the device, and yield frames as they form.

        A part that fails says so and the next goes on. Every part ends in 'done', 'stopped', 'skipped' or 'failed'. A
        long run lets others go ahead between two network calls; its `seconds` are without that.

        Args:
            order: What to generate.
            stop: Ends it within one network call when it is set; a `Visit` says for whom it is.
            fresh: Whether everything is made anew. Else what was made before of the same weights, knobs and seed is
                given again, as 'done', with the time it was made (`Frame.kept`): its seconds are of then.
        """
        kept = {} if fresh else {part.family: frame for part in order.parts if (frame := self._kept(order, part))}
        yield from kept.values()
        left = replace(order, parts=tuple(part for part in order.parts if part.family not in kept))
        if left.parts:
            yield from self._run(left, stop)

    def _kept(self, order: Order, part: Part) -> Frame | None:
        with suppress(InputError):  # the checkpoint has gone, which running it tells
            return self._made.get(made_key(order, part))
        return None

    def _run(self, order: Order, stop: threading.Event) -> Iterator[Waiting | Frame]:
        visit = visit_of(stop)
        try:
            self.budget.check(visit.visitor, order.n * order.calls, visit.address)
            with self.device.lease(stop, seconds=self.pace.seconds(order), shares=True) as lease:
                yield from lease.line()
                for part in order.parts:
                    if stop.is_set() or not lease.keep():
                        yield Frame(part.family, "failed" if visit.why else "skipped", problem=visit.why)
                        continue
                    yield from self._run_part(part, order, stop, lease)
        except InputError as error:  # of the line, or of the budget; a part's own are told by it
            yield from (Frame(part.family, "failed", problem=str(error)) for part in order.parts)

    def _run_part(self, part: Part, order: Order, stop: threading.Event, lease: Lease) -> Iterator[Waiting | Frame]:
        yield Frame(part.family, "loading")
        frame = None
        try:
            with in_a_sentence(part.checkpoint):
                lane = self.lane(order.dataset, part.family, part.checkpoint)
                if lane.problem:
                    raise InputError(lane.problem)
                key, making = made_key(order, part), self._moments(part, order.seeds)
                yield from lease.share()
                try:
                    with closing(making):
                        for frame in _frames(making, part, stop, lease):
                            yield frame
                finally:
                    if isinstance(frame, Frame):
                        self._account(key, part, order.n, frame, lease)
        except InputError as error:
            yield Frame(part.family, "failed", problem=str(error))

    def _account(self, key: Hashable, part: Part, n: int, last: Frame, lease: Lease) -> None:
        """Take note of what a part of a run has made, and what that took."""
        self.budget.charge(lease.visit.visitor, n * last.index, lease.visit.address)
        self.pace.learn(part, n * last.index, last.seconds)
        if last.state == "done":
            self._made.put(key, replace(last, kept=datetime.now(UTC).isoformat(timespec="seconds")))

    def _moments(self, part: Part, seeds: list[int]) -> Iterator[Moment]:
        """Return the images of a part in the making: here, or on a GPU that is lent for them."""
        if self.zerogpu:
            return self.zerogpu.moments(part.checkpoint, seeds, part.knobs, self.pace.seconds_of(part, len(seeds)))
        model = self.model(part.checkpoint)
        self.warm_up(model, seeds, part.knobs)
        return moments(model, seeds, part.knobs)

    def _shipped_rate(self, part: Part) -> float | None:
        """Return the seconds per image and network call that a checkpoint brings with it; None where it brings none."""
        cost = lanes.read_json(checkpoint.resolve(part.checkpoint) / "cost.json")
        try:
            return cost["ms_per_image"] / 1000 / cost["calls"]
        except (KeyError, TypeError, ZeroDivisionError):
            return None

    def with_model(
        self,
        name: str,
        work: Callable[[Family], T],
        stop: threading.Event | None = None,
        patience: float | None = None,
        keep: tuple[Cache, Hashable] | None = None,
    ) -> Generator[Waiting, None, T]:
        """Wait for the device, telling how many are ahead, then return what some short work makes with a model.

        The work is done without gradients. `keep` is the cache and the key to keep what it makes under: what is there
        already is returned at once. For `stop` and `patience` see `Device.lease`.

        Raises:
            InputError: as `Device.alone` does.
        """
        cache, key = keep or (Cache(1), None)
        if (known := cache.get(key)) is not None:
            return known

        def make() -> T:
            with torch.no_grad():
                return work(self.model(name))

        return (yield from self.device.alone(name, lambda: cache.find(key, make), stop, patience))

    def model(self, name: str) -> Family:
        """Return a loaded model, from memory when its files have not changed since."""
        return self._models.find(checkpoint_key(name), lambda: checkpoint.load(name))

    def warm_up(self, model: Family, seeds: list[int], knobs: Mapping[str, Any]) -> None:
        """Do one network call before the clock starts: the first of a new model and batch is slower than the rest."""
        warm = self._warm.setdefault(model, set())
        if len(seeds) in warm:
            return
        first_call(model, seeds, knobs)
        warm.add(len(seeds))

    def preload(self) -> None:
        """Load the first data set's models and real images; for a thread that starts after the server answers."""
        try:
            for dataset in self.datasets()[:1]:
                for lane in self.lanes(dataset):
                    self._preload(lane)
                self.real(dataset, PREVIEW["n"], PREVIEW["seed"])
        finally:
            self.ready = True

    def _preload(self, lane: Lane) -> None:
        try:
            if not lane.problem:
                self.model(lane.checkpoint)
        except (InputError, OSError) as error:
            log.warning("%s", error)

    # ---- what was measured

    def measurements(self, dataset: str) -> Measurements:
        """Return what the row files of every root say of a data set; read again only when a file changes."""
        key = self.measurements_key(dataset)
        if not key.files:
            return Measurements(dataset)
        return self._measured.find(key, lambda: self._read_measurements(dataset))

    def measurements_key(self, dataset: str) -> CacheKey:
        """Return the cache key of what is worked out from `measurements`."""
        entries = self.entries()
        if dataset not in entries:  # the name becomes a path
            return CacheKey(dataset, ())
        # What a row was measured on may change too, which makes the row stale.
        paths = [entry.path / name for entry in entries[dataset] for name in (checkpoint.WEIGHTS, checkpoint.CONFIG)]
        for root in checkpoint.roots():
            path = rows.rows_path(dataset, root)
            features = path.parent / FOLDER
            paths += [path, features / LADDER, *features.glob("*.safetensors")]
        return cache_key(dataset, paths)

    def _read_measurements(self, dataset: str) -> Measurements:
        found, problems, shipped = [], [], checkpoint.roots()[0]
        for path in [path for root in checkpoint.roots() if (path := rows.rows_path(dataset, root)).is_file()]:
            good, bad = rows.read(path, dataset)
            found += [{**row, "local": True} for row in good] if not path.is_relative_to(shipped) else good
            problems += [without_paths(sentence) for sentence in bad]
        titles = {name: kind.title for name, kind in self.families.items()}
        orders = {
            name: [knobs_key(resolve_knobs(kind.knobs, point.knobs)) for point in kind.points]
            for name, kind in self.families.items()
        }
        stale = {place: without_paths(words) for place, row in enumerate(found) if (words := rows.is_stale(row))}
        sees = {name: kind.sees for name, kind in EXTRACTORS.items()}
        joined = join(dataset, found, titles, orders, stale, problems)
        imported = {entry.name: format.imported(entry.origin) for entry in self.entries_of(dataset)}
        points = tuple(replace(point, origin=imported.get(point.checkpoint, "")) for point in joined.points)
        return replace(joined, points=points, extractor=default_extractor(dataset), sees=sees)

    def imported(self) -> dict[str, str]:
        """Return where each imported checkpoint comes from, by its name."""
        entries = [entry for mine in self.entries().values() for entry in mine]
        return {entry.name: format.imported(entry.origin) for entry in entries if entry.origin}

    # ---- the failure lab

    @property
    def failures_known(self) -> tuple[str, ...]:
        """The keys of the failures, in order."""
        return tuple(FAILURES)

    def failures(self, dataset: str) -> list[Broken]:
        """Return a data set's broken models."""
        found = self._broken.find(
            self._failures_key(dataset), lambda: failures_for(self.source(dataset), load=self.model)
        )
        return [replace(one) for one in found]  # copies, as one that has generated images holds the model it broke

    def _failures_key(self, dataset: str) -> tuple[CacheKey, bool]:
        entries = self.entries_of(dataset)
        paths = [entry.path / name for entry in entries for name in (checkpoint.WEIGHTS, checkpoint.CONFIG)]
        return cache_key(dataset, paths), self.at_hand(dataset)

    def broken_images(self, dataset: str, key: str) -> np.ndarray | None:
        """Return samples of a broken model, uint8 (24, C, H, W); None unless `make_broken_images` has made them."""
        return self._broken_images.get((*self._failures_key(dataset), key))

    def make_broken_images(self, dataset: str, key: str, stop: threading.Event) -> Generator[Waiting, None, None]:
        """Make samples of a broken model, once the device is had.

        Raises:
            InputError: if it cannot be made, or `stop` was set before.
        """
        place = (*self._failures_key(dataset), key)
        one = next(one for one in self.failures(dataset) if one.key == key)

        def generate() -> np.ndarray:
            return to_pixels(one.generate(image_seeds(**PREVIEW)))

        yield from self.device.alone(one.label, lambda: self._broken_images.find(place, generate), stop)

    # ---- real images

    def at_hand(self, dataset: str) -> bool:
        """Return whether real images of a data set can be had without the network."""
        return data.at_hand(self.source(dataset))

    def view(self, dataset: str) -> dict[str, Any]:
        """Return in what form a data set's images were trained on, as arguments of `data.load_images`.

        All of it is one checkpoint's, a usable one's where there is one; {} where none says the size.
        """
        mine = sorted(self.entries_of(dataset), key=lambda entry: bool(entry.problem))
        entry = next((entry for entry in mine if lanes.size_of(entry)), None)
        return entry.view | {"size": lanes.size_of(entry)} if entry else {}

    def real(self, dataset: str, n: int, seed: int) -> np.ndarray | None:
        """Return `n` real test images, uint8 (n, C, H, W), picked by the seed; None when they are not at hand."""
        images = self.split(dataset, "test")
        return None if images is None else images[[one % len(images) for one in image_seeds(seed, n)]]

    def split(self, dataset: str, split: str) -> np.ndarray | None:
        """Return all real images of a split, uint8 (N, C, H, W), in its order; None when they are not at hand."""
        view = self.view(dataset)
        key = dataset, split, tuple(view.items())
        return self._loaded(key, lambda: self._unchanged(dataset, split, view)) if view else None

    def _unchanged(self, dataset: str, split: str, view: Mapping[str, Any]) -> np.ndarray:
        """Return all real images of a split, those that models were trained on and features are of.

        Raises:
            InputError: if they are others, as in a folder that has changed since.
        """
        images = data.load_images(self.source(dataset), split, **view)
        known = [(f"{one.name} was trained on", one.identity) for one in self.entries_of(dataset)]
        for whose, told in [*known, ("the features are of", self._features_identity(dataset))]:
            before, now = told.get(split, {}), images.x.shape
            in_this_form = (before.get("channels"), before.get("size")) == (now[1], now[3])
            if in_this_form and (changed := data.difference({split: before}, {split: data.fingerprint(images)})):
                raise InputError(f"The {split} images of {dataset} are not those that {whose} ({changed}).")
        return images.x.numpy()

    def _features_identity(self, dataset: str) -> dict[str, Any]:
        """Return the fingerprints of the images that a data set's features are of; {} where they are unknown."""
        try:
            return load_real(dataset, default_extractor(dataset)).identity
        except InputError:
            return {}

    def changed(self, dataset: str, split: str) -> str:
        """Return why a split's images, which were asked for and are at hand, are not used, in one sentence; else ''."""
        key = dataset, split, tuple(self.view(dataset).items())
        return without_paths(self._refused.get((key, data.files_stamp(self.source(dataset)))) or "")

    def labels(self, dataset: str, split: str) -> np.ndarray | None:
        """Return the classes (N,) of a split's images, in its order; None when they are unknown or not at hand."""
        label = self.view(dataset).get("label")
        source = self.source(dataset)
        found = self._loaded((dataset, split, ("labels", label)), lambda: data.load_labels(source, split, label))
        known = found is not None and int(found.min()) >= 0  # some sources mark images without a class by -1
        return found.numpy() if known else None

    def _loaded(self, key: tuple[str, str, Hashable], load: Callable[[], T]) -> T | None:
        """Return something of a split, loaded once; None when the data set, which its key begins with, is not here.

        What was refused is not tried again before a file of the data set's folder changes.
        """

        def make() -> T:
            files = data.files_stamp(self.source(key[0]))
            if sentence := self._refused.get((key, files)):
                raise InputError(sentence)
            try:
                return load()
            except InputError as error:
                if files:
                    self._refused.put((key, files), str(error))
                raise

        try:
            return self._real.find(key, make) if self.at_hand(key[0]) else None
        except InputError as error:
            log.warning("%s", error)
            return None

    def reference(self, dataset: str) -> dict[str, np.ndarray] | None:
        """Return the tensors that describe a data set's real images (see `gencore features`), or None."""
        if dataset not in self.entries():  # the name becomes a path
            return None
        for root in checkpoint.roots():
            path = root / data.dataset_key(dataset) / FOLDER / "reference.safetensors"
            try:
                refuse_irregular(path)
                tensors = load_file(path)
            except (OSError, SafetensorError):
                continue
            if set(tensors) >= DRAWN:
                return {name: value.astype(np.float64) for name, value in tensors.items() if name != SPECTRA}
        return None


def _frames(making: Iterator[Moment], part: Part, stop: threading.Event, lease: Lease) -> Iterator[Waiting | Frame]:
    """Yield the frames of images in the making; between two network calls others may go ahead on the device."""
    shown = 0.0
    for moment in making:
        last = moment.index == moment.total
        if not last:
            yield from lease.share()
        halted = stop.is_set() or not lease.keep()
        if not last and (halted or time.monotonic() - shown >= FRAME_SECONDS):
            state = ("failed" if lease.visit.why else "stopped") if halted else "running"
            yield _frame(moment, part, state, lease.visit.why)
            shown = time.monotonic()
            if halted:
                return
    yield _frame(moment, part, "done")


def _frame(moment: Moment, part: Part, state: str, why: str = "") -> Frame:
    return Frame(part.family, state, moment.index, moment.total, moment.seconds, moment.images(), why)


def made_key(order: Order, part: Part) -> Hashable:
    """Return the key of what a part of an order makes: weights, knobs, seed and number of images."""
    return checkpoint_key(part.checkpoint), knobs_key(part.knobs), order.seed, order.first, order.n
