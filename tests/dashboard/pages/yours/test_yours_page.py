"""The page Your data: what it says of images before anything runs, and of comparisons while they do."""

import base64
import io
import json
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from dashboard.pages.yours import board, engine, page, preview
from dashboard.service import Service, comparisons, processes, public
from dashboard.service.comparisons import Comparison, Job
from gencore import FAMILIES, checkpoint
from gencore.cli import app
from gencore.comparison import state
from gencore.comparison.state import Member, State, write_state
from gencore.data import load_images
from gencore.data.report import report
from gencore.errors import InputError
from tests.support.comparing import stand_in


@pytest.fixture(autouse=True)
def root(open_root):
    return open_root


def folder_of(path, sizes, mode="RGB", name="{:03d}.png"):
    """A folder of pictures of these sizes, no two alike."""
    random = np.random.default_rng(0)
    path.mkdir(parents=True)
    for index, (width, height) in enumerate(sizes):
        pixels = random.integers(0, 255, (height, width, len(mode)), dtype=np.uint8)
        Image.fromarray(pixels.squeeze(), mode).save(path / name.format(index))
    return str(path)


# ---- before anything runs


def test_what_there_is_in_the_digits():
    found = engine.look("digits")
    assert found.count == 1797 and found.splits["test"] == 297 and len(found.classes) == 10
    assert (found.sizes, found.channels, found.side, found.squares) == (((8, 8, 1797),), 1, 8, True)
    words = preview.facts(found)
    assert "1,797" in words and "8×8 pixels" in words and "297 to measure with" in words and "grey" in words


def test_what_there_is_in_pictures_of_many_sizes(tmp_path):
    name = folder_of(tmp_path / "mixed", [(40, 30)] * 20 + [(50, 60), (31, 80)], "RGBA")
    (tmp_path / "mixed" / "notes.txt").write_text("x")
    found = engine.look(name)
    assert (found.count, found.channels, found.alike, found.squares) == (22, 3, False, False)
    words = preview.facts(found)
    assert "3 sizes, sides of 30 to 80 pixels; most often 40×30" in words
    assert "1 file left out: 1 no image (.txt)." in words and "no labels" in words


@pytest.mark.parametrize(
    ("size", "side"), [((8, 8), 8), ((64, 64), 64), ((33, 33), 32), ((96, 96), 32), ((20, 21), 20), ((5, 9), 8)]
)
def test_the_resolution_to_begin_with(tmp_path, size, side):
    assert engine.look(folder_of(tmp_path / "x", [size] * 20)).side == side


def test_the_sheet_is_what_models_are_trained_on(tmp_path):
    name = folder_of(tmp_path / "mixed", [(40, 30), (30, 30), (21, 50)] * 12)
    view = {"size": 16, "channels": 1, "fit": "pad"}
    wanted = load_images(name, "train", **view).x.numpy()[: engine.SHOWN]
    assert np.array_equal(engine.sheet(name, view), wanted)


def test_only_what_differs_from_the_images_is_asked_for(tmp_path):
    found = engine.look("digits")
    assert engine.view_of(found, 8, None, "crop") == {}
    assert engine.view_of(found, 16, 3, "pad") == {"size": 16, "channels": 3, "fit": "pad"}
    for size in (7, 9, 66, None, "8"):
        with pytest.raises(InputError, match="even number"):
            engine.view_of(found, size, None, "crop")


def test_a_folder_that_changes_is_read_again(tmp_path):
    name = folder_of(tmp_path / "x", [(8, 8)] * 20)
    before = engine.look(name).count
    Image.new("RGB", (8, 8)).save(Path(name) / "more.png")
    assert engine.look(name).count == before + 1


def test_a_set_of_the_hub_is_read_once_however_often_it_is_looked_at(monkeypatch):
    read = []
    monkeypatch.setattr(engine, "report", lambda name: read.append(name) or report("digits"))
    for _ in range(3):
        assert engine.look("somebody/digits").count == 1797
        assert engine.sheet("somebody/digits", {}).shape == (engine.SHOWN, 1, 8, 8)
    assert read == ["somebody/digits"]


def test_bad_images_are_a_sentence_without_the_servers_paths(root):
    name = folder_of(root / "uploads" / "x", [(8, 8)] * 20)
    (Path(name) / "003.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"x/003\.png") as caught:
        engine.look(name)
    assert str(root) not in str(caught.value)


def test_markup_in_names_stays_text(tmp_path):
    for label in ("<b>", "two"):
        folder_of(tmp_path / "<i>" / "train" / label, [(8, 8)] * 12)
    words = preview.facts(engine.look(str(tmp_path / "<i>")))
    assert "<i>" not in words and "<b>" not in words and "&lt;b&gt; (12)" in words


def test_what_is_told_of_leaks_and_of_many_classes():
    many = {f"class {index}": 10 for index in range(9)}
    found = preview.Preview(
        "x", "x", {"train": 90}, many, ((8, 8, 90),), 1, {}, ("A note.",), (("train", "test", 1),), 8
    )
    words = preview.facts(found)
    assert "and 3 more" in words and "1 image of the test split is in the train split" in words and "A note." in words


# ---- how comparisons stand


TITLES = {"gan": "GAN"}


def comparison(status="running", **state):
    members = (Member("vae", "vae", budget_s=60, seconds=60, images=9000, state="trained", words="Fine."),
               Member("gan", "gan", budget_s=60, seconds=15, images=1234, images_per_s=82.3, state="training"),
               Member("ddpm", "ddpm", budget_s=60))  # fmt: skip
    told = State("digits", {}, 1.0, members, "now", **{"phase": "training", **state})
    return Comparison("mine", Path("mine"), Job("digits", 1.0, title="Mine"), told, status)


def test_an_item_of_the_list():
    value = board.item(comparison(eta_s=104.0, sentences=("Said.",)), 0, True, TITLES)
    assert (value["title"], value["status"], value["left"]) == ("Mine", "running", "about 1 min 44 s left")
    assert value["share"] == pytest.approx(75 / 180) and value["can"] == ["stop", "rename"]
    assert board.item(comparison(), 0, False, TITLES)["can"] == []


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [("queued", {}, "In line, 2 ahead"), ("interrupted", {}, "Resume goes on"), ("stopped", {}, "can be used"),
     ("failed", {"words": "The disk is full."}, "The disk is full."), ("done", {"verdict": "Use it."}, "Use it."),
     ("running", {"words": "training gan"}, "Training the GAN."),
     ("running", {"phase": "evaluating", "words": "gan, second of five"}, "Measuring: gan, second of five."),
     ("running", {"phase": "features"}, "Looking at the real images.")],
)  # fmt: skip
def test_how_it_stands_in_words(status, state, words):
    assert words in board.words(comparison(status, **state), 2, TITLES)


def test_what_came_as_a_zip_is_not_resumed():
    for status in ("stopped", "interrupted", "failed"):
        one = replace(comparison(status), job=Job("shapes", 1.0, brought=True))
        value = board.item(one, 0, True, TITLES)
        assert value["can"] == ["save", "delete", "rename"] and "Resume" not in value["words"]
        assert "no state to go on from" in value["words"] or status == "failed"
    assert "resume" in board.item(comparison("stopped"), 0, True, TITLES)["can"]


def log():
    return board.Told("gan", "gan", "GAN", {
        "step": np.arange(3.0), "images": np.arange(3.0), "seconds": np.arange(3.0) + 1, "lr": np.ones(3),
        "loss": np.array([3.0, 2.0, 1.5]), "odd": np.array([1.0, np.nan, 7.0]), "vector": np.ones((3, 2)),
        "validation_d_real": np.array([0.5, np.nan, 0.75]), "validation_d_fake": np.array([0.5, np.nan, 0.25]),
    })  # fmt: skip


def test_a_family_shows_what_it_logs():
    value = board.lane(comparison().state.member("gan"), "GAN", log(), True)
    assert (value["state"], value["stage"], value["share"], value["clock"]) == (
        "running",
        "training",
        0.25,
        "45 s left",
    )
    figures = dict(value["figures"])
    assert figures == {"images seen": "1,234", "images/s": "82", "loss": "1.5", "D(x) (held out)": "0.75",
                       "D(G(z)) (held out)": "0.25", "odd": "7"}  # fmt: skip
    assert board.lane(comparison().state.member("ddpm"), "DDPM", None, True)["figures"] == []
    assert board.lane(comparison().state.member("gan"), "GAN", None, False)["stage"] == "not finished"


def test_the_charts_show_the_loss_and_the_discriminator():
    drawn = board.charts([log()])
    assert drawn.count("<h3>") == 2 and "GAN: loss" in drawn and "GAN: D(x) and D(G(z))" in drawn
    assert "At the end: D(x) 0.75 and D(G(z)) 0.25." in drawn
    assert board.charts([]) == ""


@pytest.mark.parametrize(
    ("bound", "told"),
    [
        ([-200, -190, -220, -260, -297], "At the end: ELBO −297. It was highest, −190, after 20 s: since then"),
        ([-300, -250, -220, -205, -200], "At the end: ELBO −200.<"),
        ([-300, -200, -190, -192, -195], "At the end: ELBO −195.<"),
        ([-300, np.nan, -280, np.nan, np.nan], "At the end: ELBO −280.<"),
    ],
)
def test_a_bound_that_has_long_fallen_again_is_said_to_have(bound, told):
    columns = {"images": np.arange(5.0), "seconds": 10 * np.arange(1.0, 6), "validation_elbo": np.array(bound, float)}
    assert told in board.charts([board.Told("vae", "vae", "VAE", columns)])


# ---- the page's handlers


@pytest.fixture(scope="module")
def yours():
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        built = page.Yours(Service())
        built.connect()
    return built


VISITOR = SimpleNamespace(session_hash="somebody")


def last(updates):
    *_, found = updates
    return found


def test_digits_are_shown(yours):
    shown = last(yours.use_digits())
    assert shown[yours.found].count == 1797 and shown[yours.size] == 8 and shown[yours.minutes] == 1.0
    assert shown[yours.sheet].count("<img") == 24


def test_what_comes_beside_pictures_is_counted(yours, tmp_path):
    folder_of(tmp_path / "own", [(8, 8)] * 20)
    for name in ("a.txt", "b.TXT", "list.parquet", "README"):
        (tmp_path / "own" / name).write_text("x")
    files = [str(path) for path in sorted((tmp_path / "own").iterdir())]
    facts = last(yours.bring(files))[yours.facts]
    assert "<dd>20</dd>" in facts
    assert "4 files left out: 2 no image (.txt); 1 no image (no suffix); 1 no image (.parquet)." in facts


def test_a_problem_is_a_sentence(yours):
    for shown in (last(yours.use_hub("../x")), last(yours.use_place("/etc")), last(yours.bring(["x.txt"]))):
        assert "problem" in shown[yours.status]
    assert "Choose images first" in yours.begin(VISITOR, None, 8, "grey", "", 1, [])[yours.status]


@pytest.mark.parametrize(("minutes", "families"), [(0, ["vae"]), (None, ["vae"]), ("x", ["vae"]), (1, []), (1, ["x"])])
def test_what_cannot_be_trained_is_a_sentence(yours, root, minutes, families):
    found = engine.look("digits")
    assert "problem" in yours.begin(VISITOR, found, 8, "as they are", "stretched", minutes, families)[yours.status]
    assert not root.exists()


def test_begin_asks_for_what_the_controls_say(yours, tmp_path, monkeypatch):
    stand_in(tmp_path, monkeypatch)
    found = engine.look("digits")
    shown = yours.begin(VISITOR, found, 16, "colour", "stretched", 0.06, ["gan"])
    assert '"open":"compare-digits"' in shown[yours.board]
    job = comparisons.find("compare-digits").job
    assert (job.families, job.view) == (("gan",), {"size": 16, "channels": 3, "fit": "stretch"})
    assert yours.look({"open": "compare-digits"})["items"][0]["status"] in ("starting", "running")
    processes.interrupt(job.pid, 9)


def plans(tmp_path, monkeypatch, program):
    """Have the engine's place be taken by a program that plans."""
    script = tmp_path / "plans.py"
    script.write_text(program)
    monkeypatch.setattr(processes, "PROGRAM", (sys.executable, str(script)))


def test_how_long_it_takes_is_said_before_it_starts(yours, tmp_path, monkeypatch):
    plan = {"estimates": {"training": 180, "features": 20.0, "evaluating": 0.2}, "sentences": ["Not <measured>."]}
    plans(
        tmp_path,
        monkeypatch,
        "import json, pathlib, sys\n"
        "pathlib.Path(__file__).with_name('told.json').write_text(json.dumps(sys.argv[1:]))\n"
        f"print({json.dumps(plan)!r})",
    )
    shown = last(yours.probe(VISITOR, engine.look("digits"), 8, "as they are", "stretched", 1, ["gan"]))[yours.plan]
    assert "About 3 minutes on this machine: training 3 minutes, looking at the real images 20 seconds." in shown
    assert "Not &lt;measured&gt;." in shown and "measuring" not in shown
    command, *told = json.loads((tmp_path / "told.json").read_text())
    read = get_command(app).commands[command].make_context(command, told).params
    assert read["dry"] and read["as_json"] and (read["data"], read["families"]) == ("digits", ["gan"]), (
        "it is understood"
    )


@pytest.mark.parametrize(
    ("program", "words"),
    [("import sys; sys.exit('Error: Too few images.')", "Too few images."), ("print('no plan')", "could not be found"),
     ("print([1])", "could not be found")],
)  # fmt: skip
def test_a_plan_that_there_is_none_of_is_a_sentence(yours, tmp_path, monkeypatch, program, words):
    plans(tmp_path, monkeypatch, program)
    found = engine.look("digits")
    assert words in last(yours.probe(VISITOR, found, 8, "as they are", "stretched", 1, ["gan"]))[yours.plan]


def test_what_is_begun_ends_the_probe(yours, tmp_path, monkeypatch):
    plans(tmp_path, monkeypatch, "import time; time.sleep(600)")
    probing = yours.probe(VISITOR, engine.look("digits"), 8, "as they are", "stretched", 1, ["gan"])
    next(probing)
    threading.Timer(0.5, lambda: yours.probes.leave(VISITOR)).start()
    assert list(probing) == [gr.skip()]


def test_what_the_browser_has_is_not_sent_again(yours, root):
    (root / "mine" / "vae" / "timelapse").mkdir(parents=True)
    write_state(root / "mine", State("digits", {}, 1.0, (Member("vae", "vae"),), "now", phase="stopped"))
    for name in ("000000009.png", "000000064.png", "000000064-finished.png", "odd.png"):
        buffer = io.BytesIO()
        Image.new("L", (2, 2)).save(buffer, "PNG")
        (root / "mine" / "vae" / "timelapse" / name).write_bytes(buffer.getvalue())
    (root / "mine" / "vae" / "log.jsonl").write_text('{"step": 1, "images": 32, "seconds": 0.1, "loss": 2.0}\n{"st')
    value = yours.look({"open": "mine"})
    lane = value["lanes"][0]
    assert lane["stamp"] == "000000064-finished.png" and base64.b64decode(lane["image"].partition(",")[2])
    assert "VAE: loss" in value["charts"]["markup"]
    again = yours.look({"open": "mine", "have": {"vae": lane["stamp"], "charts": value["charts"]["stamp"]}})
    assert "image" not in again["lanes"][0] and "markup" not in again["charts"]
    assert "lanes" not in yours.look({"open": "other"}) and len(yours.look({})["items"]) == 1


def reads(monkeypatch):
    """What is read of checkpoints and comparisons from now on."""
    seen = []
    for module, name in ((checkpoint, "read_json"), (checkpoint, "safe_open"), (state, "read_json")):
        own = getattr(module, name)
        monkeypatch.setattr(
            module, name, lambda path, *more, own=own, **kw: seen.append(path) or own(path, *more, **kw)
        )
    return seen


def test_a_look_reads_only_what_has_changed(yours, root, monkeypatch):
    checkpoint.save_model(root / "mine" / "vae", FAMILIES["vae"](size=8, widths=(8, 16)))
    checkpoint.write_json(root / "mine" / "vae" / "run.json", {"data": "digits", "origin": {"source": "a/b"}})
    for name in ("mine", "other"):
        write_state(root / name, State("digits", {}, 1.0, (Member("vae", "vae"),), "now", phase="done"))
    before, foot = yours.look({"open": "mine"}), yours.service.imported()
    assert before["data"] == "digits" and list(foot) == ["runs/mine/vae"]
    seen = reads(monkeypatch)
    assert yours.look({"open": "mine"}) == before and yours.service.imported() == foot
    assert not seen, "nothing has changed"
    checkpoint.write_json(root / "mine" / "vae" / "run.json", {"data": "shapes"})
    write_state(
        root / "other", State("digits", {}, 1.0, (Member("vae", "vae"),), "now", phase="done", verdict="Use it.")
    )
    after = yours.look({"open": "mine"})
    assert after["data"] == "shapes" and not yours.service.imported()
    assert sorted(item["verdict"] for item in after["items"]) == ["", "Use it."]
    read = ["comparison.json", "config.json", "job.json", "model.safetensors", "run.json"]
    assert sorted(Path(path).name for path in seen) == read, "what has changed, once"


def test_acts_from_outside_are_checked(yours):
    for asked in ({}, {"act": "explode", "name": "x"}, {"act": "stop"}, {"act": "stop", "name": "../.."}):
        assert "problem" in yours.act(asked)


def test_a_public_app_says_so_and_does_nothing(yours, monkeypatch, tmp_path):
    found = engine.look("digits")
    monkeypatch.setenv(public.PUBLIC, "1")
    assert yours.open()[yours.closed]["visible"]
    paths = [str(tmp_path / "a.zip")]
    asked = [last(yours.bring(paths)), last(yours.use_digits()), last(yours.use_hub("a/b")), last(yours.use_place("."))]
    asked.append(yours.begin(VISITOR, found, 8, "as they are", "stretched", 1, ["vae"]))
    assert all("public" in shown[yours.status] for shown in asked)
    assert "public" in yours.act({"act": "delete", "name": "x"})["problem"]
