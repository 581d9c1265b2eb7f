"""The training loop: budgets, resuming, determinism, several processes, what is written and when."""

import json
import os
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

from gencore import checkpoint
from gencore.checkpoint import LOG, TIMELAPSE
from gencore.device import Settings, pick_device
from gencore.errors import InputError
from gencore.evaluation.assemble import training as training_facts
from gencore.families import FAMILIES
from gencore.family import Loss
from gencore.presets import PRESETS, Run, TrainingConfig, resolve_run
from gencore.train import ASK_EVERY, LOG_LINES, Diverged, ProcessGroup, _budgeted, train
from tests.support.processes import HOLD, PIPES

ROOT = Path(__file__).parents[2]
training = sys.modules["gencore.train"]  # gencore.train is the function
TINY = Run("vae", "digits", {"widths": (8, 8), "latent": 2, "components": 2}, {
    "images": 640, "batch": 32, "dtype": "float32", "layout": "contiguous", "timelapse": 6,
})  # fmt: skip

TAUGHT = Run("ddpm", "digits", {"widths": (8, 16), "prediction": "v_prediction"}, TINY.train | {"images": 64})
PUPIL = Run("consistency", "digits", {"widths": (8, 16)}, TINY.train | {"images": 96})


def drain(run, out, **options):
    return list(train(run, out, **options))


def weights(out):
    return load_file(out / checkpoint.WEIGHTS)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_two_runs_are_bit_identical_and_another_seed_is_not(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        drain(replace(TINY, train=TINY.train | {"seed": seed}), tmp_path / name)
    assert same(weights(tmp_path / "a"), weights(tmp_path / "b"))
    assert not same(weights(tmp_path / "a"), weights(tmp_path / "c"))


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_and_resumed_ends_in_the_same_bits(family, tmp_path, start):
    """A run killed by SIGKILL at a moment of its own choosing, resumed, and one never stopped."""
    command = [sys.executable, "-c", KILLED, family]
    assert start([*command, tmp_path / "whole", "0"]).wait() == 0
    assert start([*command, tmp_path / "broken", "7"]).wait() == -signal.SIGKILL
    assert checkpoint.load(tmp_path / "broken"), "what was saved before the kill is a usable checkpoint"
    assert start([*command, tmp_path / "broken", "0"]).wait() == 0
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))
    logs = [[json.loads(line) for line in (tmp_path / n / LOG).read_text().splitlines()] for n in ("whole", "broken")]
    assert [line["step"] for line in logs[0]] == sorted({line["step"] for line in logs[1]})
    assert len(logs[1]) == len({line["step"] for line in logs[1]}), "no step is logged twice"


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
import gencore.train as t
from gencore.presets import PRESETS
PINNED = {"dtype": "bfloat16", "layout": "channels_last"}
family, out, at = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
run = PRESETS[f"digits/{family}"]
run = type(run)(run.family, run.data, run.model, run.train | {"images": 320, "batch": 32, "timelapse": 0, **PINNED})
t.SAVE_SECONDS = 0  # save after every step
for progress in t.train(run, out, resume=(out / "state.safetensors").exists()):
    if at and progress.step == at:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_at_any_moment_it_stays_listed_and_resumes(tmp_path, monkeypatch, start):
    """Kill it at random moments, in mid-write too: what is on the disk is always whole."""
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    out = tmp_path / "run"
    slow = KILLED.replace('"images": 320', '"images": 32000')
    for delay in (0.1, 0.17, 0.31):
        process = start([sys.executable, "-c", slow, "vae", out, "0"])
        while not (out / checkpoint.WEIGHTS).exists():
            time.sleep(0.05)
            assert process.poll() is None
        before = (out / checkpoint.STATE).stat().st_mtime_ns if (out / checkpoint.STATE).exists() else 0
        while not (out / checkpoint.STATE).exists() or (out / checkpoint.STATE).stat().st_mtime_ns == before:
            time.sleep(0.05)
            assert process.poll() is None
        time.sleep(delay)
        process.kill()
        process.wait()
        assert [entry.problem for entry in checkpoint.entries()] == [""]
        assert checkpoint.load(out)


def test_closing_leaves_a_usable_finished_checkpoint(tmp_path):
    steps = train(TINY, tmp_path / "run")
    for _ in range(5):
        next(steps)
    steps.close()
    record = json.loads((tmp_path / "run" / checkpoint.RUN).read_text())
    assert record["step"] == 5 and record["images"] == 160 and record["finished"]
    model = checkpoint.load(tmp_path / "run")
    assert model.mixture_means.abs().sum() > 0, "the prior was fitted on Stop"
    *_, last = drain(TINY, tmp_path / "run", resume=True)
    assert last.images == 640
    drain(TINY, tmp_path / "whole")
    assert same(weights(tmp_path / "run"), weights(tmp_path / "whole")), "fitting the prior changed nothing in training"


def test_what_a_run_writes(tmp_path):
    out = tmp_path / "run"
    *_, last = drain(TINY, out, preset="tiny")
    record = json.loads((out / checkpoint.RUN).read_text())
    assert record["preset"] == "tiny" and record["images"] == last.images == 640 and record["seconds"] > 0
    assert record["machine"]["device"] == "cpu" and record["settings"]["dtype"] == "float32"
    assert record["versions"]["torch"] == torch.__version__ and str(tmp_path) not in json.dumps(record)
    lines = [json.loads(line) for line in (out / LOG).read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, 21))
    assert lines[0]["validation_elbo"] and len(lines[0]["kl_per_dimension"]) == 2
    pictures = sorted(path.name for path in (out / TIMELAPSE).iterdir())
    assert pictures[0] == "000000000.png" and pictures[-1] == "000000640-finished.png"
    assert pictures[1:4] == ["000000032.png", "000000064.png", "000000096.png"], "log-spaced steps 1, 2, 3, 4, 6, ..."
    assert Image.open(out / TIMELAPSE / pictures[-1]).size == (6 * 8, 8)
    assert sorted(p.name for p in out.iterdir()) == sorted(
        [checkpoint.CONFIG, checkpoint.WEIGHTS, checkpoint.RUN, checkpoint.STATE, LOG, TIMELAPSE]
    )


def test_a_long_run_keeps_its_log_short(tmp_path, monkeypatch):
    assert LOG_LINES == 1000
    monkeypatch.setattr(sys.modules["gencore.train"], "LOG_LINES", 100)
    run = replace(TINY, train=TINY.train | {"images": 800, "batch": 4, "timelapse": 0, "validation_images": 0})
    drain(run, tmp_path / "run")
    assert 90 <= len((tmp_path / "run" / LOG).read_text().splitlines()) <= 200, "of 200 steps"


def test_minutes_end_the_run_and_anneal_to_the_end(tmp_path):
    run = replace(TINY, train=TINY.train | {"images": 10**9, "timelapse": 0})
    *_, last = drain(run, tmp_path / "run", minutes=0.02)
    assert last.seconds >= 1.2 and last.eta_s == 0
    assert json.loads((tmp_path / "run" / LOG).read_text().splitlines()[-1])["lr"] < 1e-4


def test_images_override_the_configs(tmp_path):
    *_, last = drain(TINY, tmp_path / "run", images=96)
    assert last.images == 96 and last.step == 3


def test_init_starts_from_another_checkpoint(tmp_path):
    drain(TINY, tmp_path / "first")
    frozen = replace(TINY, train=TINY.train | {"lr": 1e-30})
    drain(frozen, tmp_path / "second", init=str(tmp_path / "first"), images=32)
    first, second = weights(tmp_path / "first"), weights(tmp_path / "second")
    assert torch.allclose(first["decoder.head.weight"], second["decoder.head.weight"])
    entry = checkpoint.find(tmp_path / "second")
    before = json.loads((tmp_path / "first" / "run.json").read_text())
    assert entry.run["init"] == {"checkpoint": "first", "images": before["images"], "seconds": before["seconds"]}
    assert entry.trained["images"] == before["images"] + 32, "what went into the weights before counts too"
    other = replace(TINY, model=TINY.model | {"latent": 3})
    with pytest.raises(InputError, match="cannot be started from"):
        drain(other, tmp_path / "third", init=str(tmp_path / "first"))


def test_a_teacher_is_recorded_and_needed_again_and_resumed_with_it_the_bits_are_the_same(tmp_path):
    drain(TAUGHT, tmp_path / "teacher")
    teacher = str(tmp_path / "teacher")
    drain(PUPIL, tmp_path / "whole", teacher=teacher)
    record = json.loads((tmp_path / "whole" / "run.json").read_text())
    told = json.loads((tmp_path / "teacher" / "run.json").read_text())
    assert record["teacher"] == {"checkpoint": "teacher", "images": told["images"], "seconds": told["seconds"]}
    entry = checkpoint.find(tmp_path / "whole")
    assert entry.trained["images"] == record["images"], "a teacher's images are its own"
    assert training_facts(entry, 7)["teacher"] == "teacher" and "init" not in training_facts(entry, 7)
    drain(PUPIL, tmp_path / "alone")
    assert not same(weights(tmp_path / "whole"), weights(tmp_path / "alone"))

    steps = train(PUPIL, tmp_path / "parts", teacher=teacher)
    next(steps)
    steps.close()
    with pytest.raises(InputError, match="with teacher as its teacher, not none: resume with the same"):
        drain(PUPIL, tmp_path / "parts", resume=True)
    drain(PUPIL, tmp_path / "parts", resume=True, teacher=teacher)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "parts"))
    with pytest.raises(InputError, match="with no checkpoint as its teacher, not teacher"):
        drain(PUPIL, tmp_path / "alone", resume=True, teacher=teacher)


def test_a_family_that_learns_from_images_alone_takes_no_teacher(tmp_path):
    drain(TAUGHT, tmp_path / "teacher")
    with pytest.raises(InputError, match="A VAE learns from images alone, so it takes no teacher"):
        drain(TINY, tmp_path / "run", teacher=str(tmp_path / "teacher"))
    assert not (tmp_path / "run").exists()


def test_a_finished_run_is_not_overwritten_and_resumes_only_as_itself(tmp_path):
    drain(TINY, tmp_path / "run")
    with pytest.raises(InputError, match="--resume"):
        drain(TINY, tmp_path / "run")
    with pytest.raises(InputError, match="trained with lr"):
        drain(replace(TINY, train=TINY.train | {"lr": 0.5}), tmp_path / "run", resume=True)
    with pytest.raises(InputError, match="nothing to resume"):
        drain(TINY, tmp_path / "elsewhere", resume=True)
    *_, last = drain(TINY, tmp_path / "run", resume=True, images=960)
    assert last.images == 960
    (tmp_path / "run" / checkpoint.STATE).write_bytes(b"cut")
    with pytest.raises(InputError, match="damaged"):
        drain(TINY, tmp_path / "run", resume=True)


def test_a_run_recorded_before_settings_were_renamed_goes_on(tmp_path):
    """`validation_images` was `watch`, in run.json and in the header of state.safetensors."""
    run = replace(TINY, train=TINY.train | {"validation_images": 50})
    drain(run, tmp_path / "whole", images=128)
    steps = train(run, tmp_path / "old", images=128)
    next(steps), next(steps)
    steps.close()
    state = tmp_path / "old" / checkpoint.STATE
    tensors, metadata = checkpoint.read_tensors(state)
    records = {name: json.loads(text) for name, text in metadata.items() if name == "run"}
    records["file"] = json.loads((tmp_path / "old" / checkpoint.RUN).read_text())
    for record in records.values():
        record["train"]["watch"] = record["train"].pop("validation_images")
    save_file(tensors, state, metadata | {"run": json.dumps(records["run"])})
    checkpoint.write_json(tmp_path / "old" / checkpoint.RUN, records["file"])
    assert Run.from_record(records["file"]).config.validation_images == 50
    *_, last = drain(run, tmp_path / "old", images=128, resume=True)
    assert last.images == 128 and same(weights(tmp_path / "old"), weights(tmp_path / "whole"))
    assert json.loads((tmp_path / "old" / checkpoint.RUN).read_text())["train"]["validation_images"] == 50
    with pytest.raises(InputError, match="trained with validation_images = 50, not 60"):
        drain(replace(run, train=run.train | {"validation_images": 60}), tmp_path / "old", resume=True)


def test_shipped_records_are_read():
    names = [entry.name for entry in checkpoint.entries() if entry.run and not entry.name.startswith("runs/")]
    assert names
    for name in names:
        entry = checkpoint.find(name)
        run = Run.from_record(entry.run)
        assert run.config.images and FAMILIES[run.family](**entry.config), name
        assert {"loss", "step", "images", "seconds", "lr"} <= {*json.loads((entry.path / LOG).open().readline())}


def test_divergence_is_told_and_the_last_good_checkpoint_stays(tmp_path):
    drain(TINY, tmp_path / "run", images=96)
    steps = train(TINY, tmp_path / "run", resume=True)
    next(steps)
    before = weights(tmp_path / "run")  # the first step is saved
    trainer = steps.gi_frame.f_locals["trainer"]
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(float("nan"))
    with pytest.raises(
        Diverged, match=r"diverged; what .*run holds has seen \d+ images, not each once, and is of no use"
    ):
        list(steps)
    assert same(before, weights(tmp_path / "run"))
    trainer.data = trainer.data[:50]
    assert re.search(
        r"the checkpoint of .*run, of \d+ images, is the last good one\. Begin anew", str(trainer.diverged("x"))
    )


def test_a_state_with_weights_that_are_not_finite_is_not_saved(tmp_path):
    """The last step's loss was finite still: nothing is logged of what came after."""
    steps = train(TINY, tmp_path / "run")
    next(steps)
    trainer = steps.gi_frame.f_locals["trainer"]
    state = (tmp_path / "run" / checkpoint.STATE).read_bytes()
    trainer.logged = {}
    with torch.no_grad():
        next(iter(trainer.model.parameters())).fill_(float("inf"))
    with pytest.raises(Diverged, match="A weight is no longer a finite number"):
        trainer.save()
    assert (tmp_path / "run" / checkpoint.STATE).read_bytes() == state


def test_divergence_before_anything_was_saved_names_no_checkpoint(tmp_path, monkeypatch):
    steps = train(TINY, tmp_path / "run", images=96)
    monkeypatch.setattr("gencore.train._plain", lambda value: float("nan"))
    with pytest.raises(InputError, match="at step 1: the training diverged; nothing had been saved yet"):
        list(steps)
    assert not (tmp_path / "run" / checkpoint.WEIGHTS).exists()


def test_a_training_that_diverges_at_its_first_step_can_begin_anew_in_its_folder(tmp_path, monkeypatch):
    """Its loss was finite, its weights are not: nothing is kept, nothing is named, and nothing is in the way."""
    advance = training.Trainer.advance

    def leap(trainer):
        advance(trainer)
        with torch.no_grad():
            next(trainer.model.parameters()).fill_(float("inf"))

    with monkeypatch.context() as steep:
        steep.setattr(training.Trainer, "advance", leap)
        with pytest.raises(
            Diverged, match=r"at step 1: the training diverged; nothing had been saved yet\. Begin anew"
        ):
            drain(TINY, tmp_path / "run")
    assert not {checkpoint.STATE, checkpoint.WEIGHTS, checkpoint.RUN} & set(os.listdir(tmp_path / "run"))
    drain(TINY, tmp_path / "run", images=32)


class Killed(BaseException):
    """What a training catches no more than SIGKILL."""


def killed(run, out, steps, **options):
    """Train, and end it without another word after some steps."""
    running = train(run, out, **options)
    for _ in range(steps):
        next(running)
    with pytest.raises(Killed):
        running.throw(Killed())


@pytest.mark.parametrize("resume", [True, False])
def test_what_a_timing_chose_is_kept_before_the_first_step(tmp_path, monkeypatch, resume):
    """Killed before its first save, it goes on in the format that it began in, whatever a timing would say now."""
    answers = {"whole": Settings("bfloat16", "channels_last", 1), "broken": Settings("bfloat16", "channels_last", 1)}
    monkeypatch.setattr(
        training, "choose_settings", lambda *_: answers.pop("whole" if "whole" in answers else "broken")
    )
    auto = replace(TINY, train=TINY.train | {"dtype": "auto", "layout": "auto", "images": 320})
    drain(auto, tmp_path / "whole")
    with monkeypatch.context() as never_saved:
        never_saved.setattr(training.Rhythm, "keep", lambda *_: None)
        killed(auto, tmp_path / "broken", 3)
    assert not (tmp_path / "broken" / checkpoint.WEIGHTS).exists()
    if not resume:  # what had not got anywhere may be begun anew, then with a timing
        answers["broken"] = Settings("float32", "contiguous", 1)
    drain(auto, tmp_path / "broken", resume=resume)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken")) == resume
    settings = json.loads((tmp_path / "broken" / checkpoint.RUN).read_text())["settings"]
    assert settings["dtype"] == ("bfloat16" if resume else "float32")


@pytest.mark.parametrize("last", ["the log", "the state", "the weights"])
def test_killed_between_two_files_of_a_save_the_log_has_every_step_once(tmp_path, monkeypatch, last):
    drain(TINY, tmp_path / "whole")
    monkeypatch.setattr(training.Rhythm, "keep", lambda _, trainer: trainer.save() if trainer.step in (2, 7) else None)
    writer = {"the log": "_write_state", "the state": "publish", "the weights": "_record"}[last]
    with monkeypatch.context() as at_that_point:
        steps = train(TINY, tmp_path / "broken")
        for _ in range(6):
            next(steps)
        trainer = steps.gi_frame.f_locals["trainer"]
        record, before = trainer._record(), iter([True])

        def end(*_, **__):
            if writer == "_record" and next(before, False):
                return record | {"step": trainer.step, "images": trainer.images}  # that of the state
            raise Killed

        at_that_point.setattr(trainer, writer, end)
        with pytest.raises(Killed):
            next(steps)
    monkeypatch.undo()
    drain(TINY, tmp_path / "broken", resume=True)
    logs = [[json.loads(line) for line in (tmp_path / n / LOG).read_text().splitlines()] for n in ("whole", "broken")]
    assert [line["step"] for line in logs[1]] == [line["step"] for line in logs[0]] == list(range(1, 21))
    for line in logs[0] + logs[1]:
        del line["seconds"]
    assert logs[0] == logs[1], "the same figures, too"
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))


def test_one_trainer_a_folder(tmp_path, start):
    """A second one is refused and told of the first; of one that was killed nothing is in the way."""
    (tmp_path / "run").mkdir()
    other = start([sys.executable, "-c", HOLD, tmp_path / "run" / training.LOCK], **PIPES)
    assert other.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=rf"run is being trained by process {other.pid} since .*; wait for it or stop"):
        drain(TINY, tmp_path / "run")
    assert os.listdir(tmp_path / "run") == [training.LOCK]
    other.kill()
    other.wait()
    drain(TINY, tmp_path / "run", images=32)
    assert training.LOCK not in os.listdir(tmp_path / "run")


@pytest.mark.parametrize(
    "settings", [{"threads": 100_000}, {"dtype": "float8"}, {"layout": 3}, {"colour": 1}, None, "float32"]
)
def test_a_state_that_says_a_foreign_way_to_compute_is_refused(tmp_path, settings):
    drain(TINY, tmp_path / "run", images=32)
    state = tmp_path / "run" / checkpoint.STATE
    tensors, metadata = checkpoint.read_tensors(state)
    record = json.loads(metadata["run"]) | {"settings": settings}
    save_file(tensors, state, metadata | {"run": json.dumps(record)})
    with pytest.raises(InputError, match=r"does not say how it computed"):
        drain(TINY, tmp_path / "run", resume=True)
    for damaged in ("[]", "{}", json.dumps(record | {"train": {"threads": 10**6}}), json.dumps(record | {"train": 3})):
        save_file(tensors, state, metadata | {"run": damaged})
        with pytest.raises(InputError, match="damaged or not a training state"):
            drain(TINY, tmp_path / "run", resume=True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"images": 0}, "images must be"),
        ({"batch": -1}, "batch must be"),
        ({"lr": float("nan")}, "lr must be"),
        ({"beta2": 1.0}, "beta2 must be"),
        ({"dtype": "float8"}, "dtype is"),
        ({"layout": "planar"}, "layout is"),
    ],
)
def test_bad_settings(settings, words, tmp_path):
    with pytest.raises(InputError, match=words):
        drain(replace(TINY, train=TINY.train | settings), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bad_budgets(tmp_path):
    for options in ({"minutes": 0}, {"minutes": -1}, {"minutes": 1, "images": 5}, {"images": 0}):
        with pytest.raises(InputError):
            drain(TINY, tmp_path / "run", **options)


def test_overrides_are_parsed_by_the_default_they_replace():
    run = resolve_run("digits/vae", ["lr=3e-4", "widths=8,16", "data=mnist", "flip=true", "images=2e5", "latent=4"])
    assert run.train["lr"] == 3e-4 and run.model["widths"] == (8, 16) and run.data == "mnist"
    assert run.train["flip"] is True and run.train["images"] == 200_000 and run.model["latent"] == 4
    with pytest.raises(InputError, match="watch is now called validation_images; write validation_images=100"):
        resolve_run("digits/vae", ["watch=100"])
    for bad in ("lr=fast", "widths=a", "nonsense=1", "lr", "lr=", "batch=1.5", "widths=0,8", "flip=2"):
        with pytest.raises(InputError):
            resolve_run("digits/vae", [bad])
    with pytest.raises(InputError, match="digits/vae"):
        resolve_run("digits/vea")


def test_every_preset_builds():
    shapes = {"digits": (1, 8), "mnist": (1, 28), "cifar10": (3, 32), "shapes": (3, 32)}
    for name, run in PRESETS.items():
        channels, size = shapes[run.data]
        model = FAMILIES[run.family](channels=channels, size=size, **run.model)
        exported = sum(x.numel() * (2 if x.is_floating_point() else 8) for x in model.state_dict().values())
        assert exported < 9_900_000, f"{name} would not be a file of less than 10 MB"
        assert isinstance(run.config, TrainingConfig)


def test_a_compiled_network_trains_saves_and_resumes(tmp_path, monkeypatch):
    """Compiled by the backend that needs no C++ compiler: the weights keep their names, and a resumed run its bits."""
    compiled, plainly = [], nn.Module.compile

    def compile_module(module):
        compiled.append(module)
        plainly(module, backend="aot_eager")

    monkeypatch.setattr(nn.Module, "compile", compile_module)
    run = replace(TINY, train=TINY.train | {"compile": True})
    drain(run, tmp_path / "whole", images=128)
    steps = train(run, tmp_path / "broken", images=128)
    next(steps), next(steps)
    steps.close()
    drain(run, tmp_path / "broken", images=128, resume=True)
    assert len(compiled) == 3 and compiled[0]._compiled_call_impl is not None
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "broken"))
    assert checkpoint.load(tmp_path / "whole")


def trainer(tmp_path, **settings):
    steps = train(replace(TINY, train=TINY.train | {"timelapse": 0} | settings), tmp_path / "run")
    next(steps)
    return steps, steps.gi_frame.f_locals["trainer"]


def test_the_average_has_the_half_life_it_claims(tmp_path):
    steps, t = trainer(tmp_path, ema_halflife=64, ema_rampup=10.0, lr=1e-30)
    with torch.no_grad():
        for averaged, followed in zip(t.averaged, t.followed, strict=True):
            averaged.zero_()
            followed.fill_(1.0)
    next(steps), next(steps)  # 64 images: one half-life
    assert torch.allclose(t.averaged[0], torch.tensor(0.5), atol=1e-5)


def test_the_average_keeps_no_graph_and_its_weights_under_every_name_that_they_have(tmp_path):
    steps, t = trainer(tmp_path)
    t.model.again, t.ema.again = t.model.encoder, t.ema.encoder  # a second name for the same parameters
    t.__post_init__()
    t.ema.again = t.ema.encoder
    next(steps), next(steps)
    assert not any(value.requires_grad for value in t.averaged), "a graph that grows with every step"
    before = [value.clone() for value in t.averaged]
    kept = t.averaged_model()
    assert all(torch.equal(old, new) for old, new in zip(before, t.averaged, strict=True))
    assert not torch.equal(kept.encoder.head.weight, t.model.encoder.head.weight)
    assert torch.equal(kept.sigma, t.model.sigma), "buffers are as they are now"


def test_the_log_has_each_loss_and_means_over_what_was_logged(tmp_path):
    """A network that is stepped twice in a step, and a figure that only one of those losses gives."""
    _, t = trainer(tmp_path, images=6400)
    t.log()
    weight = t.model.decoder.head.bias

    def losses(x, progress):
        yield Loss("vae", weight.sum() * 0 + 1)
        yield Loss("vae", weight.sum() * 0 + 2, {"seen": torch.tensor(5.0)})
        yield Loss("vae", weight.sum() * 0 + 3, {"loss": torch.tensor(6.0)})

    t.model.losses = losses
    t.advance(), t.advance()
    t.log()
    assert (t.logs["loss"], t.logs["seen"]) == (3.0, 5.0), "(1 + 2 + 6) / 3: its own figure instead of the third"


def test_batches_show_every_image_once_an_epoch(tmp_path):
    _, t = trainer(tmp_path, batch=50)
    t.data, t.orders = torch.arange(125, dtype=torch.uint8).view(-1, 1, 1, 1), {}
    seen = []
    for t.step in range(10):
        seen += ((t.batch().flatten() + 1) * 127.5).round().int().tolist()
    epochs = np.array(seen).reshape(4, 125)
    assert (np.sort(epochs) == np.arange(125)).all() and not (epochs[0] == epochs[1]).all()
    whole = np.array(seen[:50])
    t.step, t.group = 0, ProcessGroup(rank=0, world=2)
    left = ((t.batch().flatten() + 1) * 127.5).round().int().tolist()
    t.group = ProcessGroup(rank=1, world=2)
    right = ((t.batch().flatten() + 1) * 127.5).round().int().tolist()
    assert sorted(left + right) == sorted(whole), "two ranks share the batch"


def test_the_learning_rate_warms_up_and_anneals(tmp_path):
    _, t = trainer(tmp_path, images=1000, warmup=100, batch=10, lr=2.0, lr_final=0.1)
    t.images = 40
    assert t._lr() == pytest.approx(2 * 0.5 * (0.1 + 0.9 * 0.5 * (1 + np.cos(np.pi * 0.04))))
    t.images = 1000
    assert t._lr() == pytest.approx(0.2)


@pytest.mark.parametrize("average", [True, False])
def test_two_processes(average, tmp_path, torchrun):
    """Two ranks really run, end with equal parameters, and without the exchange they would not."""
    process = torchrun(2, ROOT / "tests" / "support" / "two_processes.py", tmp_path, int(average))
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-3000:]
    ranks = [load_file(tmp_path / f"rank{rank}.safetensors") for rank in (0, 1)]
    assert [int(rank.pop("world")) for rank in ranks] == [2, 2]
    assert same(*ranks) == average


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_one_processs_sigterm_stops_all_at_one_step(tmp_path, torchrun):
    """As where Slurm takes one node away: the other process was not told, and ends at the same step."""
    settings = "digits/vae", "images=100000000", "batch=32", "widths=8,8", "timelapse=1", "dtype=float32", "threads=1"
    process = torchrun(2, "-m", "gencore", "train", *settings, "--out", tmp_path / "run")
    while len(list(tmp_path.glob("run/timelapse/*.png"))) < 2:
        time.sleep(0.05)
        assert process.poll() is None
    second = next(one for one in psutil.Process(process.pid).children(True) if one.environ().get("RANK") == "1")
    second.terminate()
    out, err = process.communicate(timeout=120)
    assert "usable checkpoint" in err and err.count("Stopped after") == 1 and not out, err
    record = json.loads((tmp_path / "run" / checkpoint.RUN).read_text())
    assert record["finished"] and record["processes"] == 2 and record["step"] % ASK_EVERY == 0
    assert checkpoint.load(tmp_path / "run")


def test_what_several_processes_cannot_do():
    with pytest.raises(InputError, match="cannot be shared"):
        _budgeted(replace(TINY, train=TINY.train | {"batch": 33}), None, None, ProcessGroup(0, 2))
    with pytest.raises(InputError, match="--images"):
        _budgeted(TINY, 1.0, None, ProcessGroup(0, 2))


@pytest.mark.parametrize("name", ["tpu", "cuda:x"])
def test_unknown_devices(name, tmp_path):
    with pytest.raises(InputError, match="device"):
        drain(TINY, tmp_path / "run", device=name)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("family", FAMILIES)
def test_cuda_trains_and_samples_like_the_cpu(family, tmp_path):
    run = PRESETS[f"digits/{family}"]
    run = replace(run, train=run.train | {"images": 640, "timelapse": 6})
    *_, last = drain(run, tmp_path / "run", device="cuda")
    assert all(np.isfinite(list(last.logs.values())))
    images = [checkpoint.load(tmp_path / "run", device=d).generate([1, 2, 3]).cpu() for d in ("cuda", "cpu")]
    assert (images[0] - images[1]).abs().max() < 0.05
    assert pick_device("cuda").type == "cuda"


def test_the_operations_of_a_step_are_torchs_own_count_and_those_of_a_second_backward_pass():
    from torch.utils.flop_counter import FlopCounterMode

    from tests.bench import bench_train

    x, w = torch.randn(8, 16), torch.randn(16, 4, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        (x @ w).square().sum().backward()
    with bench_train.Operations() as mine:
        (x @ w).square().sum().backward()
    assert mine.total == counter.get_total_flops() == 2 * (2 * 8 * 16 * 4)
    x.requires_grad_(True)
    with bench_train.Operations() as mine:
        (gradient,) = torch.autograd.grad((x @ w).square().sum(), x, create_graph=True)
        gradient.square().sum().backward()
    product = 2 * 8 * 16 * 4
    assert mine.total == 6 * product, "x w, its two factors' gradients, and those of the gradient itself"


def test_a_tracker_is_shown_every_line_of_the_log(tmp_path):
    """TensorBoard's own reader finds what the log has."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    drain(TINY, tmp_path / "run", tracker="tensorboard")
    lines = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    read = EventAccumulator(str(tmp_path / "run" / "gencore"))
    read.Reload()
    assert [one.step for one in read.Scalars("loss")] == [line["step"] for line in lines]
    for name in ("loss", "lr", "images"):
        assert [one.value for one in read.Scalars(name)] == pytest.approx([line[name] for line in lines])


def test_trackers_that_cannot_be_had(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="'tensorboard'"):
        drain(TINY, tmp_path / "run", tracker="tensorbord")
    monkeypatch.setattr("accelerate.tracking._available_trackers", [])
    with pytest.raises(InputError, match=r"pip install trackio$"):
        drain(TINY, tmp_path / "run", tracker="trackio")
    assert not (tmp_path / "run").exists()
