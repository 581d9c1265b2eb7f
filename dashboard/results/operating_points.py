"""Rows of an evaluation, joined for the pages: each operating point with its quality and its cost. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

EXTRACTOR = "classifier"  # the headline's; 'pixels' is the second opinion
BATCH = 16  # images at once in the milliseconds per image that the pages compare
REAL = "real"
GIVEN = "Samples"  # the title of samples that were made elsewhere
NO_MODEL = "No model"  # the title of a failure that no model was broken for


@dataclass(frozen=True)
class Score:
    """A metric's mean over independent generations, with its 95% t-interval.

    Attributes:
        mean: The mean of `values`.
        low: The interval's lower end.
        high: The interval's upper end.
        values: One value per generation.
        reference: The real test images that it compares with; 0 where that is not said: as many as were generated.
        reference_sd: The standard deviation that it has over other sets of so many, which the interval leaves out; None
            where that is not known.
    """

    mean: float
    low: float
    high: float
    values: tuple[float, ...] = ()
    reference: int = 0
    reference_sd: float | None = None

    @property
    def half(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Measured:
    """One operating point of one checkpoint: the row of its quality, and of its cost where that was measured.

    Attributes:
        family: The family's name, or 'real' for the baseline; letters, digits, - and _ alone, see `slug`.
        title: The family's name for people.
        checkpoint: The checkpoint measured, '' for the baseline; or the name that samples from elsewhere were given.
        label: The operating point's name.
        kind: 'headline', 'sweep', 'lecture', 'baseline' or 'failure'.
        knobs: Every knob's value.
        n: Images per generation, real and generated alike.
        generations: Independent generations.
        quality: The row of kind 'quality', 'samples', 'real' or 'failure'.
        cost: The row of kind 'cost' for the same checkpoint, knobs and settings, or None; see `cost_of`.
        stale: One sentence when the checkpoint or the extractor has changed since, else ''.
        origin: Where an imported checkpoint comes from, and its licence; '' for one that was trained here.
    """

    family: str
    title: str
    checkpoint: str
    label: str
    kind: str
    knobs: Mapping[str, Any]
    n: int
    generations: int
    quality: Mapping[str, Any]
    cost: Mapping[str, Any] | None = None
    stale: str = ""
    origin: str = ""

    @property
    def key(self) -> str:
        """A name of this row that survives a reload: checkpoint, knobs and n."""
        return f"{self.checkpoint or REAL}|{knobs_key(self.knobs)}|{self.n}|{self.label if self.failure else ''}"

    @property
    def failure(self) -> str:
        """The broken model's key in the failure lab, '' for a healthy one."""
        return str(self.quality.get("failure", ""))

    @property
    def given(self) -> bool:
        """Whether it is of samples that were made elsewhere, of which there is no model here."""
        return self.quality.get("kind") == "samples"

    @property
    def stated(self) -> Mapping[str, Any]:
        """What was said, not measured, of how samples were made: 'ms_per_image', 'calls', 'machine'; {} if nothing."""
        return self.quality.get("stated", {})

    def command(self, *options: Any) -> str:
        """Return the command that measures it, with more options."""
        mine = [self.checkpoint, "--points", self.kind]
        if self.given:
            told = {f"--{name.replace('_', '-')}": value for name, value in self.stated.items()}
            pairs = {"--data": self.quality["dataset"], "--name": self.checkpoint, **told}.items()
            mine = ["--samples", "FILE", *(word for pair in pairs for word in pair)]
        return shlex.join(["python", "-m", "gencore", "evaluate", *map(str, [*mine, *options])])

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The knobs that are words with their values, by name: what points on one curve share."""
        return tuple(sorted((knob, value) for knob, value in self.knobs.items() if isinstance(value, str)))

    @property
    def numbers(self) -> list[float]:
        """The values of the other knobs, by name."""
        return [value for _, value in sorted(self.knobs.items()) if not isinstance(value, str)]

    def score(self, metric: str, extractor: str = EXTRACTOR) -> Score | None:
        """Return a metric's score in an extractor's features; None when it was left out."""
        found = self.quality["scores"].get(extractor, {}).get(metric)
        if not found:
            return None
        ends, of_reference = (found["mean"], found["low"], found["high"]), (found.get("reference", 0),)
        return Score(*ends, tuple(found["values"]), *of_reference, found.get("reference_sd"))

    def why_not(self, metric: str, extractor: str = EXTRACTOR) -> str:
        """Return the sentence that says why a metric was left out, '' when it was not."""
        if not self.quality.get("scores", {}).get(extractor) and not self.quality.get("left_out", {}).get(extractor):
            return f"Its row has no scores in {extractor} features."
        return str(self.quality.get("left_out", {}).get(extractor, {}).get(metric, ""))

    def hash_of(self, what: str = "checkpoint") -> str:
        """Return the first digits of the hash of the checkpoint, or of an extractor by its name; '' when unknown."""
        return str(self.quality.get("hashes", {}).get(what, ""))[:8]

    def timing(self, n: int = BATCH) -> Mapping[str, Any] | None:
        """Return the timing of `n` images at once, None when it was not measured."""
        batches = self.cost["batches"] if self.cost else []
        return next((batch for batch in batches if batch["n"] == n), None)

    @property
    def ms_per_image(self) -> float | None:
        """Milliseconds per image, 16 images at once (the largest batch measured up to that); or as stated."""
        batches = [batch for batch in self.cost["batches"] if batch["n"] <= BATCH] if self.cost else []
        return (
            max(batches, key=lambda batch: batch["n"])["ms_per_image"] if batches else self.stated.get("ms_per_image")
        )

    @property
    def calls(self) -> int | None:
        """Network calls per image; or as stated."""
        return self.cost["calls"] if self.cost else self.stated.get("calls")


@dataclass(frozen=True)
class Measurements:
    """All that is known by measurement of a data set's checkpoints.

    Attributes:
        dataset: The data set.
        points: The operating points, families in the order of the registry, each in the order it declares.
        failures: The broken models of the failure lab.
        baselines: Real images scored against real images, by n.
        costs: Every cost row: each machine's; with 'local' (it is none of the first root's, which are shipped) and
            'stale' (one sentence when the checkpoint has changed since, else '') added.
        bounds: The rows of likelihood bounds, in the order of the registry's families, with 'stale' added.
        problems: One sentence for each line of a row file that could not be read.
        extractor: The features that scores are compared in unless others are asked for.
        sees: By extractor, what it sees and what it forgives, in words that follow 'these features'.
    """

    dataset: str
    points: tuple[Measured, ...] = ()
    failures: tuple[Measured, ...] = ()
    baselines: Mapping[int, Measured] = field(default_factory=dict)
    costs: tuple[Mapping[str, Any], ...] = ()
    bounds: tuple[Mapping[str, Any], ...] = ()
    problems: tuple[str, ...] = ()
    extractor: str = EXTRACTOR
    sees: Mapping[str, str] = field(default_factory=dict)

    @property
    def extractors(self) -> tuple[str, ...]:
        """The extractors that the rows have scores in, the usual one first."""
        usual = self.usual_extractor
        return tuple(sorted(scored_in(self.scored), key=lambda name: name != usual))

    @property
    def compared(self) -> tuple[str, ...]:
        """Those of the extractors that some operating point has scores in: points can be compared in these alone."""
        mine = scored_in(self.points)
        return tuple(name for name in self.extractors if name in mine)

    @property
    def usual_extractor(self) -> str:
        """The data set's own features; where most points have no scores in them, those that most points have."""
        fresh = [point for point in self.points if not point.stale] or self.scored
        counts = scored_in(fresh)
        known = [name for name in counts if 2 * counts[name] >= len(fresh)] or list(counts)
        return self.extractor if self.extractor in known else max(known, key=counts.__getitem__, default=self.extractor)

    def baseline(self, n: int) -> Measured | None:
        """Return the baseline at `n` images."""
        return self.baselines.get(n)

    def real(self, metric: str, n: int, extractor: str = EXTRACTOR) -> Score | None:
        """Return real images' own score at `n` images; None when it was not measured."""
        baseline = self.baseline(n)
        return baseline.score(metric, extractor) if baseline else None

    def find(self, key: str) -> Measured | None:
        """Return the point, failure or baseline whose `key` this is."""
        return next((row for row in self.scored if row.key == key), None)

    def features(self, extractor: str = EXTRACTOR) -> str:
        """Return the features of the scores, for a chart's reading line: 'classifier features (5f0c8a12)'."""
        rows = [*self.points, *self.failures, *self.baselines.values()]
        known = dict.fromkeys(one for row in rows if not row.stale and (one := row.hash_of(extractor)))
        return f"{extractor} features ({', '.join(known)})" if known else f"{extractor} features"

    @property
    def scored(self) -> tuple[Measured, ...]:
        """Every row with scores: the baselines, the operating points, the failures."""
        return (*self.baselines.values(), *self.points, *self.failures)

    @property
    def machines(self) -> tuple[str, ...]:
        """The machines that costs which are not stale were measured on, shipped ones first."""
        return tuple(dict.fromkeys(machine_key(row) for row in self.costs if not row.get("stale")))


def scored_in(rows: Iterable[Measured]) -> Counter[str]:
    """Return how many rows have scores in the features of each extractor, in the order in which they come."""
    return Counter(name for row in rows for name, scores in row.quality["scores"].items() if scores)


def at_usual_n(points: Sequence[Measured]) -> list[Measured]:
    """Return those of some points that were measured at the n that most of them were, of several the largest."""
    sizes = [point.n for point in points]
    n = max(sizes, key=lambda size: (sizes.count(size), size), default=0)
    return [point for point in points if point.n == n]


def knobs_key(knobs: Mapping[str, Any]) -> str:
    """Return knobs as text that equal knobs share, whatever their order and kind of number."""
    plain = {name: float(value) if isinstance(value, int | float) else value for name, value in knobs.items()}
    return json.dumps(plain, sort_keys=True)


def slug(family: str) -> str:
    """Return a family's name as markup may hold it, in a class or a CSS variable: a row's may be anything."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", family)


def cost_of(costs: Iterable[Mapping[str, Any]], point: Measured, machine: str = "") -> Mapping[str, Any] | None:
    """Return the first cost row of a point, of one machine if it is named; None when there is none.

    What was timed in another number format or memory layout is not what was scored, and is no cost of this point. Which
    device it was timed on decides the time alone, so that stands beside it. A stale cost stands beside a point that is
    stale itself, and so marked, and beside no other.
    """
    mine = (point.checkpoint, knobs_key(point.knobs))
    found = [
        cost
        for cost in costs
        if (cost["checkpoint"], knobs_key(cost["knobs"])) == mine
        and how_computed(cost) == how_computed(point.quality)
        and (not machine or machine_key(cost) == machine)
    ]
    fresh = [cost for cost in found if not cost.get("stale")]
    return next(iter(fresh or (found if point.stale else [])), None)


def how_computed(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the number format and the memory layout that a row was measured in."""
    return row["settings"]["dtype"], row["settings"].get("layout", "contiguous")


def machine_key(row: Mapping[str, Any]) -> str:
    """Return the machine of a row, for people: 'cpu, Intel Xeon, 2 threads'."""
    machine = row["machine"]
    threads = f", {machine['threads']} threads" if machine.get("device") == "cpu" and "threads" in machine else ""
    return f"{machine.get('device', '?')}, {machine.get('name', '?')}{threads}"


def join(
    dataset: str,
    rows: Iterable[Mapping[str, Any]],
    titles: Mapping[str, str],
    orders: Mapping[str, Sequence[str]],
    stale: Mapping[int, str],
    problems: Sequence[str] = (),
) -> Measurements:
    """Return rows joined into operating points.

    Of several rows of one kind (see `latest`) the last one counts; of the costs of several machines the first machine's
    (the shipped one's) stands beside a point's quality.

    Args:
        dataset: The data set.
        rows: The rows of its files, each checked, in the order of the files.
        titles: Each family's name for people.
        orders: By family, the knobs of its operating points as `knobs_key`, in order.
        stale: By the row's place in `rows`, a sentence for those whose checkpoint or extractor has changed.
        problems: Sentences on lines that could not be read.
    """
    last = latest(rows)
    costs, bounds = (
        [{**row, "stale": stale.get(at, "")} for at, row in last if row["kind"] == kind] for kind in ("cost", "bound")
    )

    def measured(place: int, row: Mapping[str, Any]) -> Measured:
        point = Measured(
            family=slug(row["family"]),
            title=title_of(row, titles),
            checkpoint=row["checkpoint"],
            label=row["point"]["label"],
            kind=row["point"]["kind"],
            knobs=row["knobs"],
            n=row["n"],
            generations=row["generations"],
            quality=row,
            stale=stale.get(place, ""),
        )
        return replace(point, cost=cost_of(costs, point)) if row["kind"] == "quality" else point

    qualities, reals, failures = (
        [measured(at, row) for at, row in last if row["kind"] in kinds]
        for kinds in (("quality", "samples"), ("real",), ("failure",))
    )
    families = list(titles)

    def rank(point: Measured) -> tuple:
        order = orders.get(point.family, ())
        return index(families, point.family), point.checkpoint, index(order, knobs_key(point.knobs))

    return Measurements(
        dataset=dataset,
        points=tuple(sorted(qualities, key=rank)),
        failures=tuple(failures),
        baselines={row.n: row for row in sorted(reals, key=lambda row: -row.n)},
        costs=tuple(costs),
        bounds=tuple(sorted(bounds, key=lambda row: (index(families, row["family"]), row["checkpoint"]))),
        problems=tuple(problems),
    )


def title_of(row: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return the name for people of what a row is of, given that of each registered family."""
    if row["kind"] == "samples":
        return GIVEN
    nothing = row["kind"] == "failure" and not row["checkpoint"]
    return titles.get(row["family"], NO_MODEL if nothing else row["family"])


def index(known: Sequence[str], name: str) -> int:
    """Return a name's place among the known ones; what is not known comes after them."""
    return known.index(name) if name in known else len(known)


def latest(rows: Iterable[Mapping[str, Any]]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the rows that count with their places: the last of each kind, checkpoint, knobs, n, split and machine.

    Costs in several number formats and layouts all count: each belongs to the quality measured in the same.
    """
    found: dict[tuple, tuple[int, Mapping[str, Any]]] = {}
    for place, row in enumerate(rows):
        machine = (machine_key(row), *how_computed(row)) if row["kind"] == "cost" else ""
        where = row.get("failure", "") or (row["kind"] == "cost" and row.get("local", False))
        what = row["kind"], row["checkpoint"], knobs_key(row["knobs"]), row.get("n"), row.get("split", "")
        found[*what, machine, where] = place, row
    return list(found.values())
