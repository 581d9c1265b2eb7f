"""A comparison that is killed (kill -9) goes on where it was. `make chaos` does so by the dozen, and more."""

import random

from tests.gencore.comparison.conftest import save_shapes
from tests.support.kills import run_to_the_end


def test_killed_at_random_moments_it_goes_on_and_loses_nothing(here):
    data, folder = save_shapes(here / "photos"), here / "runs/photos"
    command = ["compare", data, "--minutes", 0.02, "--families", "vae,gan"]
    kills = run_to_the_end(command, folder, folder / "rows.jsonl", 3.0, random.Random(1), 5)
    assert kills, "it was killed at least once"
