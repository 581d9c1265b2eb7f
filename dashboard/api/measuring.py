"""What is measured while the caller waits: samples made elsewhere, a bound, a cost, a discriminator's belief."""

from __future__ import annotations

from typing import Annotated, Any

from dashboard.api.endpoint import Call, Checkpoint, Dataset, File, Knobs, Seed
from dashboard.api.measured import scored_row
from dashboard.service import MAX_IMAGES, PREVIEW, InputError
from dashboard.service.abilities import able
from dashboard.service.benchmarks import MOST_REPEATS, measure_cost
from dashboard.service.bounds import SPLITS, measure_bound
from dashboard.service.device import STOPPED, finish, without_waiting
from dashboard.service.given import score_samples, scored
from dashboard.service.judging import Judging


def score(
    call: Call, dataset: Dataset, file: File, name: str, ms_per_image: str = "", network_calls: str = "",
    machine: str = "", extractor: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Score image samples of any model at all against the real images of a data set; the row is kept here.

    Args:
        call: Who calls.
        dataset: Name of a data set that models lists.
        file: An uploaded .npy, .npz or .zip of images of the real images' size; it is divided into five generations.
        name: What the samples are called on the pages.
        ms_per_image: Milliseconds that an image took to make, where known.
        network_calls: Network calls that an image took, where known.
        machine: Machine of that time.
        extractor: Features in which scores are told; the data set's own when left out.

    Returns:
        The scores of quality and diversity, each with its 95% interval.
    """
    stated = tuple(str(one if one is not None else "") for one in (ms_per_image, network_calls, machine))
    if not isinstance(name, str):
        raise InputError(f"A name is a text, not {name!r}.")
    steps = list(without_waiting(score_samples(call.service, dataset, [file] if file else [], name, stated, call.stop)))
    if not steps or not steps[-1].done:
        raise InputError(STOPPED)
    measured = call.service.measurements(dataset)
    row = scored(call.service, dataset, name.strip())
    return scored_row(row, extractor if extractor in measured.extractors else measured.usual_extractor)


def bound(
    call: Call,
    checkpoint: Checkpoint,
    n: Annotated[int, {"minimum": 2, "maximum": MAX_IMAGES}] = 16,
    split: Annotated[str, {"examples": list(SPLITS)}] = SPLITS[0],
    seed: Seed = 0,
) -> dict[str, Any]:
    """Measure the lower bound of the likelihood (ELBO) of real images, term by term in nats and bits per dimension.

    Args:
        call: Who calls.
        checkpoint: Name of a checkpoint that has a bound, as models lists them.
        n: Images, the first ones of the split, 2 to 100.
        split: Images it is measured on, 'test', 'validation' or 'train'.
        seed: Seed of the bound's random draws.

    Returns:
        The row that the command line would write: terms with 95% intervals over images, and what they rest on.
    """
    return measure_bound(call.service, checkpoint, n, split, seed, call.stop)


def benchmark(
    call: Call,
    checkpoint: Checkpoint,
    n: Annotated[int, {"minimum": 1, "maximum": MAX_IMAGES}] = 16,
    repeats: Annotated[int, {"minimum": 1, "maximum": MOST_REPEATS}] = 5,
    knobs: Knobs = None,
) -> dict[str, Any]:
    """Measure what generating images costs on this machine: time, network calls, operations, parameters, memory.

    Args:
        call: Who calls.
        checkpoint: Name of a checkpoint that models lists.
        n: Images generated at once, 1 to 100.
        repeats: Timed repeats, 1 to 20.
        knobs: Values of knobs, as models lists them for the family; the defaults for those left out.

    Returns:
        The cost, and the machine and settings that it is of.
    """
    return measure_cost(call.service, checkpoint, n, repeats, knobs, call.stop)


def judge(call: Call, checkpoint: Checkpoint, seed: Seed = PREVIEW["seed"]) -> dict[str, Any]:
    """Tell what a GAN's discriminator believes of 200 fresh samples and of 200 real test images.

    Args:
        call: Who calls.
        checkpoint: Name of a checkpoint that can judge, as models lists them.
        seed: Seed of the samples.

    Returns:
        Whose probabilities of 'real' they are, and both lists of them; `real` is empty without real images at hand.
    """
    service = call.service
    entry, judging = able(service, checkpoint, "judge"), service.shared(Judging)
    judged = finish(judging.judge(judging.contestant(entry), entry.dataset, seed, call.stop))
    lists = {"real": judged.real_scores.tolist(), "generated": judged.fake_scores.tolist()}
    return {"checkpoint": entry.name, "who": judged.who, "seed": judged.seed, **lists}
