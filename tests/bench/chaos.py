"""`make chaos`, or `python -m tests.bench.chaos [--kills N]`: kill -9 at random moments, gone on with, and checked.

Trainings of every family with `auto` as by default, evaluations of them, and comparisons, which do both. Checked:
after each kill every file is whole; in the end weights have the bits, and rows the scores, of a run that nothing ended.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from gencore import checkpoint
from gencore.checkpoint import LOG
from gencore.evaluation import rows
from gencore.families import FAMILIES
from gencore.locks import owner
from gencore.train import LOCK
from tests.gencore.comparison.conftest import save_shapes
from tests.support.kills import PATIENCE, Forked, run_to_the_end, saved_images, struck

IMAGES = {"seconds": 4.0, "first": 4_000}  # of a training: so many that it takes about as long
MOST = 10  # kills of one comparison
LASTING = ("kind", "checkpoint", "point", "n", "generations", "scores", "settings", "hashes")


def held_by(lock):
    """Whether a lock file is a process's."""
    return lambda pid: (found := owner(lock)) is not None and found.pid == pid


def whole(*command):
    """Run a command to its end, and return the seconds that it took."""
    begun = time.monotonic()
    assert not struck(command, lambda pid: True, PATIENCE, Forked)
    return time.monotonic() - begun


def trained(family, kills, rng):
    """Kill a training, go on with it, and compare it with one that was never stopped; return where the kills fell."""
    here, words = Path("runs/chaos"), ["train", f"digits/{family}", "dtype=auto", "layout=auto", "timelapse=0"]
    seconds = whole(*words, f"images={IMAGES['first']}", "--out", here / f"{family}-first")
    images = max(64, int(IMAGES["first"] * IMAGES["seconds"] / seconds))
    words, out, fell = [*words, f"images={images}"], here / family, []
    seconds = whole(*words, "--out", here / f"{family}-whole")
    while len(fell) < kills:
        resumed = ["--resume"] if (out / checkpoint.STATE).exists() else []
        if not struck([*words, "--out", out, *resumed], held_by(out / LOCK), rng.uniform(0, seconds), Forked):
            same_training(out, here / f"{family}-whole")
            shutil.rmtree(out)
            continue
        fell.append(saved_images(here).get(family, 0))  # which reads the state and the weights
    whole(*words, "--out", out, *(["--resume"] if (out / checkpoint.STATE).exists() else []))
    same_training(out, here / f"{family}-whole")
    return fell, f"{min(fell, default=0):,} to {max(fell, default=0):,} of {images:,} images saved"


def same_training(out, other):
    """Check that two trainings ended in the same weights, and that the first one's log has every step once."""
    mine, theirs = (load_file(folder / checkpoint.WEIGHTS) for folder in (out, other))
    assert mine.keys() == theirs.keys() and all(torch.equal(mine[key], theirs[key]) for key in mine), "other bits"
    logs = [[json.loads(line)["step"] for line in (one / LOG).read_text().splitlines()] for one in (out, other)]
    assert logs[0] == sorted(set(logs[0])) and set(logs[0]) >= set(logs[1]), "a line of the log is lost or doubled"


def evaluated(kills, rng):
    """Kill an evaluation of the trained families, go on with it, and compare its rows with those of a whole one."""
    root = checkpoint.roots()[-1]
    whole("features", "digits", "--extractor", "pixels", "--out", root)
    names = [f"runs/chaos/{family}" for family in FAMILIES]
    words = ["evaluate", *names, "--rows", "quality", "--n", 60, "--generations", 4, "--batch", 20, "--out"]
    whole_rows, broken, counts = root / "whole.jsonl", root / "broken.jsonl", []
    seconds = whole(*words, whole_rows)
    whole("evaluate", "--forget")
    while len(counts) < kills:
        lock = broken.with_name(f".{broken.name}.lock")
        if not struck([*words, broken], held_by(lock), rng.uniform(0, seconds / 4), Forked):
            compared(broken, whole_rows)
            broken.unlink()
            whole("evaluate", "--forget")
            continue
        counts.append(len(rows.read(broken)[0]))
    whole(*words, broken)
    compared(broken, whole_rows)
    return counts, f"{min(counts)} to {max(counts)} of {len(rows.read(whole_rows)[0])} rows written"


def compared(broken, whole_rows):
    """Check that two files have the same rows, each once."""
    (mine, problems), (theirs, _) = rows.read(broken), rows.read(whole_rows)
    assert len(problems) == 0 and len(mine) == len(theirs), "a row is lost, doubled or torn"
    for one, other in zip(mine, theirs, strict=True):
        assert all(one.get(key) == other.get(key) for key in LASTING), "a row has other scores"


def compare(kills, rng):
    """Kill comparisons and go on with them; each is checked once it is done."""
    fell = []
    while len(fell) < kills:
        with tempfile.TemporaryDirectory() as place:
            live_in(place)
            data, folder = save_shapes(Path(place, "photos")), Path(place, "runs/photos")
            command, most = ["compare", data, "--minutes", 0.05], min(kills - len(fell), MOST)
            fell += run_to_the_end(command, folder, folder / "rows.jsonl", 6.0, rng, most, Forked)
            os.chdir("/")
    phases = [one.phase for one in fell]
    return fell, ", ".join(f"{phases.count(phase)} {phase}" for phase in dict.fromkeys(phases))


def live_in(place):
    """Work in a folder, with roots of checkpoints and a cache of its own."""
    os.chdir(place)
    roots = f"{place}/shipped", f"{place}/runs"
    os.environ |= {"GENCORE_CHECKPOINTS": os.pathsep.join(roots), "GENCORE_CACHE": f"{place}/cache"}


def parts(rng):
    """The kinds of work: their names, how they are done with so many kills, and what is so in the end."""
    for name in FAMILIES:
        yield (
            f"training, {name}",
            lambda n, name=name: trained(name, n, rng),
            "the same bits; every step in the log once",
        )
    yield "evaluation", lambda n: evaluated(n, rng), "every row once, with the same scores"
    yield "comparison", lambda n: compare(n, rng), "every row once; no training went back"


def main(kills):
    """Print a line for each kind of work; a check that fails ends all."""
    sys.modules["gencore.train"].LEAST_SECONDS = 0.2  # saved often, so that kills fall within saves too
    begun, total, work = time.monotonic(), 0, list(parts(random.Random(0)))
    print("| work | kills | where they fell | seconds | in the end |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as place:
        live_in(place)
        for at, (name, run, end) in enumerate(work):
            started = time.monotonic()
            fell, words = run(kills // len(work) + (at < kills % len(work)))
            total += len(fell)
            print(f"| {name} | {len(fell)} | {words} | {time.monotonic() - started:.0f} | {end} |", flush=True)
        os.chdir("/")
    print(f"\n{total} kills in {time.monotonic() - begun:.0f} s: every file whole, nothing lost.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    main(parser.parse_args().kills)
