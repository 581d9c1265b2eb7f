"""`python -m gencore compare`, from images to a verdict, at tiny sizes."""

import json
import math
import signal
import time
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from gencore import checkpoint
from gencore.cli import app
from gencore.comparison import run as running
from gencore.comparison.plan import Asked, extractors_time, hurried, plan, run_of
from gencore.comparison.run import opened
from gencore.comparison.state import FILE, Member, State, read_state
from gencore.data import View, load_splits
from gencore.errors import InputError
from gencore.evaluation import rows
from gencore.families import FAMILIES
from gencore.train import Trainer
from tests.gencore.comparison.conftest import save_shapes, shapes
from tests.support.kills import started

MINUTES = 0.01


def command(*arguments):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def scored(path):
    """(kind, checkpoint) of each row of a file."""
    return [(row["kind"], row["checkpoint"]) for row in rows.read(path)[0]]


def labelled(folder):
    for label, first in (("ant", 0), ("bee", 100)):
        save_shapes(folder / label, n=100, seed=first)
    return folder


def mixed(folder):
    """Coloured, of several sizes, with a transparent part."""
    folder.mkdir()
    for i, values in enumerate(shapes(100, 16, 4)):
        picture = Image.fromarray(values, "RGBA")
        picture.resize((16 + i % 5, 16 + i % 3)).save(folder / f"{i:03}.png")
    return folder


@pytest.mark.parametrize(
    ("make", "options", "families"),
    [(labelled, [], len(FAMILIES)), (mixed, ["--size", "8", "--families", "vae,gan"], 2)],
)
def test_images_become_families_with_rows_and_a_verdict(here, short, make, options, families):
    data = make(here / "photos")
    done = command(data, "--minutes", MINUTES, *options)
    assert done.exit_code == 0, done.output
    state = read_state(here / "runs/photos")
    assert state.phase == "done" and not state.running and state.verdict in done.output
    assert [one.state for one in state.members] == ["measured"] * families
    assert all(word in state.verdict for word in ("closest to the real images", "most varied", "fastest"))
    found = rows.read(here / "runs/photos/rows.jsonl")[0]
    for one in state.members:
        entry = checkpoint.find(f"runs/photos/{one.checkpoint}")
        assert entry.run["images"] == one.images > 0 and entry.run["finished"]
        for kind in ("quality", "cost"):
            assert (kind, entry.name) in scored(here / "runs/photos/rows.jsonl")
        card = (entry.path / "README.md").read_text()
        assert card.startswith(f"# {FAMILIES[one.family].title} on photos\n") and f"{one.images:,} images" in card
        assert f"| {next(row['point']['label'] for row in found if row['checkpoint'] == entry.name)} | " in card
        assert state.verdict in card and str(here) not in card and one.reasons[0] in card
    assert state.n == len(load_splits(str(data), View(**state.view), ("test",))["test"].x)
    before = scored(here / "runs/photos/rows.jsonl")
    assert command(data, "--minutes", MINUTES, *options).exit_code == 0
    assert scored(here / "runs/photos/rows.jsonl") == before, "nothing is done twice"


def test_what_it_would_do_is_said_before_and_for_programs_too(here, short):
    data = save_shapes(here / "photos")
    done = command(data, "--minutes", "1", "--families", "vae,ddpm", "--dry", "--json")
    told = json.loads(done.stdout)
    assert [one["family"] for one in told["members"]] == ["vae", "ddpm"]
    assert told["estimates"]["training"] == 120 and told["eta_s"] == pytest.approx(sum(told["estimates"].values()))
    assert any("Only" in sentence and "held-out images" in sentence for sentence in told["sentences"])
    assert any("Fréchet distance" in sentence for sentence in told["sentences"]), "what cannot be measured"
    assert not (here / "runs").exists(), "nothing is written"
    people = command(data, "--minutes", "1", "--dry")
    assert "In all about" in people.stdout and "images/s" in people.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--minutes", "0"], "minutes must be"), (["--minutes", "1", "--families", "vea"], "did you mean 'vae'"),
     (["--minutes", "1", "--size", "9"], "takes even sizes"), (["--minutes", "1", "--json"], "goes with --dry"),
     (["--minutes", "1", "--size", "128"], "even sizes from 8 to 64"),
     (["--minutes", "1", "--families", ","], "Name one")],
)  # fmt: skip
def test_bad_input_has_its_sentence(here, short, arguments, told):
    done = command(save_shapes(here / "photos", 40), *arguments)
    assert done.exit_code == 2 and told in done.stderr
    assert not (here / "runs/photos").exists()


def test_another_comparison_in_the_folder_is_refused(here, short):
    data = save_shapes(here / "photos", 60)
    assert command(data, "--minutes", MINUTES, "--families", "vae").exit_code == 0
    done = command(data, "--minutes", 2 * MINUTES, "--families", "vae")
    assert done.exit_code == 2 and "with minutes 0.01, not 0.02" in done.stderr and "--out" in done.stderr


def test_a_second_one_in_the_folder_is_refused_and_the_first_named(here, short):
    data = save_shapes(here / "photos", 60)
    first = started("compare", data, "--minutes", 5, "--families", "vae")
    try:
        wait_for(here / "runs/photos", lambda state: state.members[0].images > 0)
        done = command(data, "--minutes", 5, "--families", "vae")
        assert done.exit_code == 2 and f"by process {first.pid} since 2" in done.stderr
        train = CliRunner().invoke(app, ["train", "digits/vae", f"data={data}", "--out", "runs/photos/vae", "--resume"])
        assert train.exit_code == 2 and f"is being trained by process {first.pid}" in train.stderr
        first.send_signal(signal.SIGINT)
        first.wait(60)
    finally:
        first.kill()
    state = read_state(here / "runs/photos")
    assert state.phase == "stopped" and "goes on" in state.words
    assert checkpoint.load(here / "runs/photos/vae").generate([1]).shape == (1, 1, 8, 8), "a usable checkpoint"


def wait_for(folder, ready):
    for _ in range(1200):
        if (folder / FILE).exists() and ready(read_state(folder)):
            return
        time.sleep(0.05)
    raise AssertionError("it did not get there")


def begun(here, **changes):
    data = save_shapes(here / "photos", 60)
    return Asked(str(data), View(), MINUTES, ("vae",)), here / "runs/photos"


def test_data_that_go_away_while_training_are_told_and_nothing_is_lost(here, short, monkeypatch):
    asked, folder = begun(here)
    with opened(folder, asked, lambda: plan(asked, lambda *_: None), lambda: False) as comparison:
        moments = comparison.run()
        next(moments)
        (here / "photos").rename(here / "elsewhere")
        with pytest.raises(InputError, match="photos"):
            list(moments)
    state = read_state(folder)
    assert state.phase == "failed" and "photos" in state.words and state.members[0].state == "trained"
    (here / "elsewhere").rename(here / "photos")
    assert command(asked.data, "--minutes", MINUTES, "--families", "vae").exit_code == 0
    assert read_state(folder).phase == "done"


@pytest.mark.parametrize(
    ("error", "told"),
    [(InputError("loss is no longer a finite number at step 7: the training diverged."), "diverged"),
     (RuntimeError("CUDA out of memory. Tried"), "not enough memory"),
     (OSError(28, "No space left on device"), "No space")],
)  # fmt: skip
def test_a_family_that_fails_leaves_the_others_their_turn(here, short, monkeypatch, error, told):
    own = running.train

    def failing(run, *arguments, **options):
        if run.family == "gan":
            raise error
        return own(run, *arguments, **options)

    monkeypatch.setattr(running, "train", failing)
    data = save_shapes(here / "photos", 60)
    done = command(data, "--minutes", MINUTES, "--families", "gan,vae")
    assert done.exit_code == 0, done.output
    state = read_state(here / "runs/photos")
    assert [one.state for one in state.members] == ["failed", "measured"]
    assert told in state.member("gan").words and told in done.stderr
    monkeypatch.setattr(running, "train", own)
    assert command(data, "--minutes", MINUTES, "--families", "gan,vae").exit_code == 0
    assert [one.state for one in read_state(here / "runs/photos").members] == ["measured"] * 2, "it is tried again"


def test_a_family_that_diverged_begins_anew_with_half_the_rate(here, short, monkeypatch):
    """Its state is not gone on with: every step depends on the seed and the step, so it would diverge again."""
    seen, own = [], Trainer.log

    def diverging(trainer):
        seen.append((trainer.config.lr, trainer.step))
        if trainer.config.lr == first and trainer.step > 3:
            raise trainer.diverged("loss")
        own(trainer)

    asked, folder = begun(here)
    first = run_of(plan(asked, lambda *_: None), Member("vae", "vae")).config.lr
    monkeypatch.setattr(Trainer, "log", diverging)
    assert command(asked.data, "--minutes", MINUTES, "--families", "vae").exit_code == 2
    words = read_state(folder).member("vae").words
    assert "diverged" in words and f"The same command does so, with an lr of {first / 2:g}." in words
    assert (folder / "vae" / checkpoint.STATE).exists(), "the first step was saved"
    seen.clear()
    assert command(asked.data, "--minutes", MINUTES, "--families", "vae").exit_code == 0
    assert {lr for lr, _ in seen} == {first / 2} and seen[0][1] == 1, "from the first step on"
    assert read_state(folder).member("vae").state == "measured"


def test_where_all_fail_the_comparison_does(here, short, monkeypatch):
    def failing(*arguments, **options):
        raise InputError("The disk is full.")

    monkeypatch.setattr(running, "train", failing)
    done = command(save_shapes(here / "photos", 60), "--minutes", MINUTES, "--families", "vae")
    assert done.exit_code == 2 and "vae: The disk is full." in done.stderr
    assert read_state(here / "runs/photos").phase == "failed"


def test_extractors_may_take_a_share_of_the_time_of_the_trainings_and_the_plan_says_so(here, monkeypatch):
    """A pass of either takes 2 s: 150 and 80 of them 460 s."""
    tried = []

    def two_seconds(cls, *_):
        tried.append(cls.name)
        return 2.0

    monkeypatch.setattr("gencore.comparison.plan.pass_seconds", two_seconds)
    splits = load_splits("digits")

    def asked(minutes):
        return Asked("digits", View(), minutes, ("vae", "gan", "ddpm"))

    effort, seconds = extractors_time(asked(6), splits)
    assert effort == pytest.approx(0.2 * 18 * 60 / 460) and tried == ["classifier", "self-supervised"]
    assert seconds == 2 * (math.ceil(150 * effort) + math.ceil(80 * effort)) + 4 * 2, "learning, then all real images"
    assert extractors_time(asked(60), splits)[0] == 1.0
    hasty, seconds = extractors_time(asked(0.1), splits)
    assert seconds == 2 * (30 + 16) + 4 * 2, "never fewer than they need"
    state = State("digits", {}, 0.1, (), "", effort=hasty)
    assert "classifier in 30 passes, usually 150, self-supervised in 16 passes, usually 80" in "".join(
        hurried(state, splits)
    )
    assert not list(hurried(replace(state, effort=1.0), splits))


def test_extractors_are_learnt_with_the_effort_of_the_plan(here, short, monkeypatch):
    seen = []
    monkeypatch.setattr(running, "write_features", lambda *given, **_: seen.append(given[3].effort) or [])
    asked, folder = begun(here)
    state = replace(plan(asked, lambda *_: None), effort=0.25)
    with opened(folder, asked, lambda: state, lambda: False) as comparison:
        list(comparison.features())
    assert seen == [0.25] and read_state(folder).effort == 0.25, "one that is gone on with does the same"


def test_the_plan_is_deterministic_in_all_but_speed(here, short):
    asked, _ = begun(here)
    one, other = (asdict(plan(asked, lambda *_: None)) for _ in range(2))
    for told in (one, other):
        del told["estimates"], told["eta_s"], told["members"], told["created"]
    assert one == other
    assert torch.equal(*(load_splits(asked.data)["test"].x for _ in range(2)))
    assert np.isfinite(one["minutes"])
