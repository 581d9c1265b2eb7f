"""`python -m tests.bench.kills [N [SECONDS]]`: comparisons killed (kill -9) N times at random and gone on with."""

import os
import random
import sys
import tempfile
from pathlib import Path

from tests.gencore.comparison.conftest import save_shapes
from tests.support.kills import Forked, run_to_the_end

MINUTES, LONGEST_S = 0.05, float(sys.argv[2]) if len(sys.argv) > 2 else 8.0
MOST = 10  # kills of one comparison


def main(count):
    """Print what there was at each kill; each comparison is checked once it is done."""
    rng, kills, comparisons = random.Random(0), [], 0
    print("| kill | seconds after it took up its work | phase | families trained | images saved | rows |")
    print("|---|---|---|---|---|---|")

    def show(kill):
        kills.append(kill)
        images = ", ".join(f"{name} {number:,}" for name, number in kill.images.items()) or "none"
        cells = (len(kills), f"{kill.after_s:.2f}", kill.phase, kill.trained, images, kill.rows)
        print(f"| {' | '.join(map(str, cells))} |", flush=True)

    while len(kills) < count:
        with tempfile.TemporaryDirectory() as place:
            here, comparisons = Path(place), comparisons + 1
            os.chdir(here)
            os.environ["GENCORE_CHECKPOINTS"] = os.pathsep.join([str(here / "shipped"), str(here / "runs")])
            data, folder = save_shapes(here / "photos"), here / "runs/photos"
            command = ["compare", data, "--minutes", MINUTES]
            left = min(count - len(kills), MOST)
            run_to_the_end(command, folder, folder / "rows.jsonl", LONGEST_S, rng, left, Forked, show)
            os.chdir("/")
            print(f"Comparison {comparisons} is done: every row once, nothing lost.", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
