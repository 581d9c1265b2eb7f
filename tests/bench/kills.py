"""`python -m tests.bench.kills [N]`: comparisons killed (kill -9) at N random moments and gone on with: a table."""

import os
import random
import sys
import tempfile
from pathlib import Path

from tests.gencore.comparison.conftest import save_shapes
from tests.support.kills import run_to_the_end

MINUTES, LONGEST_S = 0.05, 8.0


def main(count):
    """Print what there was at each kill; each comparison is checked once it is done."""
    rng, kills, comparisons = random.Random(0), 0, 0
    print("| kill | seconds after it took up its work | phase | families trained | images saved | rows |")
    print("|---|---|---|---|---|---|")
    while kills < count:
        with tempfile.TemporaryDirectory() as place:
            here, comparisons = Path(place), comparisons + 1
            os.chdir(here)
            os.environ["GENCORE_CHECKPOINTS"] = os.pathsep.join([str(here / "shipped"), str(here / "runs")])
            data, folder = save_shapes(here / "photos"), here / "runs/photos"
            command = ["compare", data, "--minutes", MINUTES]
            for kill in run_to_the_end(command, folder, folder / "rows.jsonl", LONGEST_S, rng, count - kills):
                kills += 1
                images = ", ".join(f"{name} {number:,}" for name, number in kill.images.items()) or "none"
                cells = (kills, f"{kill.after_s:.2f}", kill.phase, kill.trained, images, kill.rows)
                print(f"| {' | '.join(map(str, cells))} |", flush=True)
            os.chdir("/")
    print(f"\n{kills} kills in {comparisons} comparisons, each done in the end with every row once and nothing lost.")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
