"""The door to the engine: checking, running, stopping, one at a time; with toy families, in milliseconds."""

import inspect
import json
import os
import re
import threading

import gradio as gr
import numpy as np
import pytest
import torch
from torch import nn

from dashboard.app import build
from dashboard.results.projection import flatten, pixel_plane
from dashboard.service import MAX_IMAGES, Frame, InputError, Service, runs
from dashboard.service.device import MOST
from dashboard.service.lanes import Lane, read_preview
from dashboard.service.parsing import parse_whole
from dashboard.ui import model_card
from dashboard.ui.events import RUNS, THREADS, Updates
from gencore import FAMILIES, checkpoint
from gencore.evaluation import rows
from gencore.family import image_seed
from gencore.pictures import grid, write_png
from tests.support import invented
from tests.support.leases import taken
from tests.support.toys import Failing, Toy


@pytest.fixture
def service(toy_service):
    return toy_service


def order(service, n=2, seed=7, **knobs):
    return service.order("dots", n, seed, {"toy": {"knobs": knobs}})


def run(service, wanted, stop=None):
    return list(service.run(wanted, stop or threading.Event()))


# ---- checking


@pytest.mark.parametrize("n", [0, -1, 2.5, "many", "", None, True, MAX_IMAGES + 1, 1e30, float("nan")])
def test_a_bad_number_of_images_gives_a_sentence(service, n):
    with pytest.raises(InputError, match=f"whole number from 1 to {MAX_IMAGES}, not"):
        order(service, n=n)


@pytest.mark.parametrize("seed", [-1, 1.5, "x", "", None, 2**63, True, "1e99"])
def test_a_bad_seed_gives_a_sentence(service, seed):
    with pytest.raises(InputError, match="A seed must be a whole number"):
        order(service, seed=seed)


@pytest.mark.parametrize("good", [1, "12", " 7 ", 24.0, MAX_IMAGES])
def test_good_counts_pass(good):
    assert parse_whole(good, 1, MAX_IMAGES, "The number of images") == int(good)


@pytest.mark.parametrize(
    ("dataset", "settings", "words"),
    [
        ("dotz", {"toy": {}}, "There is no data set 'dotz'.*'dots'"),
        ("../dots", {"toy": {}}, "'../dots'"),
        ("dots", {"toi": {}}, "There is no family 'toi'.*'toy'"),
        ("dots", {}, "Nothing to run"),
        ("dots", {"toy": {"checkpoint": "dots/tox"}}, "no toy checkpoint 'dots/tox'.*'dots/toy'"),
        ("dots", {"toy": {"checkpoint": "/etc/passwd"}}, "There is no toy checkpoint"),
        ("dots", {"toy": {"knobs": {"stepz": 3}}}, "no knob 'stepz'.*'steps'"),
        ("dots", {"toy": {"knobs": {"steps": 0}}}, "steps must be a whole number from 1 to 50"),
        ("dots", {"toy": {"knobs": {"mode": "egger"}}}, "mode is 'egger'.*'eager'"),
        ("dots", {"toy": {"colour": 1}}, "A lane has no setting 'colour'"),
        ("dots", ["toy"], "settings must be an object"),
        ("dots", {"toy": 3}, "toy must be an object with names and values, not 3"),
        ("dots", {"toy": {"knobs": [3]}}, "toy's knobs must be an object"),
        ("dots", {"toy": {"checkpoint": ["dots/toy"]}}, "There is no toy checkpoint"),
        (["dots"], {"toy": {}}, "There is no data set"),
    ],
)
def test_bad_settings_give_a_sentence(service, dataset, settings, words):
    with pytest.raises(InputError, match=words):
        service.order(dataset, 2, 7, settings)


# ---- running


def test_a_run_counts_its_steps_and_ends_with_the_images_of_its_seeds(service):
    frames = run(service, order(service))
    assert [frame.state for frame in frames][-1] == "done"
    last = frames[-1]
    assert (last.index, last.total) == (3, 3) and last.images.dtype == np.uint8
    alone = Toy().generate([image_seed(7, 1)])
    assert np.array_equal(last.images[1:], checkpoint_pixels(alone))
    assert last.seconds > 0


def checkpoint_pixels(x):
    return ((x.numpy() + 1) * 127.5).round().clip(0, 255).astype(np.uint8)


def test_the_same_order_gives_the_same_images_and_another_seed_others(service):
    first, again, other = (run(service, order(service, seed=s))[-1].images for s in (7, 7, 8))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_what_was_made_is_given_again_with_its_time_while_weights_knobs_and_seed_are_the_same(service, tmp_path):
    stop, first = threading.Event(), run(service, order(service))[-1]
    (again,) = service.run(order(service), stop, fresh=False)
    assert (again.state, again.seconds, first.kept) == ("done", first.seconds, "") and again.kept
    assert np.array_equal(again.images, first.images)
    for other in (order(service), order(service, seed=8), order(service, n=3), order(service, steps=2)):
        fresh = other == order(service)  # as it is asked for anew
        assert not list(service.run(other, stop, fresh=fresh))[-1].kept
    checkpoint.save_model(tmp_path / "dots" / "toy", Toy(size=8))
    (*_, last) = service.run(order(service), stop, fresh=False)
    assert not last.kept and last.images.shape[-1] == 8


def test_a_stop_ends_within_one_step(service):
    stop = threading.Event()
    seen = []
    for frame in service.run(order(service, steps=50), stop):
        seen.append(frame)
        if frame.state == "running":
            stop.set()
    running = next(frame for frame in seen if frame.state == "running")
    assert seen[-1].state == "stopped"
    assert seen[-1].index == running.index + 1


def test_a_part_that_breaks_says_so_and_the_others_go_on(service, tmp_path):
    checkpoint.save_model(tmp_path / "dots" / "failing", Failing())
    FAMILIES["toy"] = FAMILIES.pop("toy")  # the one that breaks comes first
    frames = run(service, service.order("dots", 2, 7, {"toy": {}, "failing": {}}))
    ends = {frame.family: frame for frame in frames if frame.state in ("done", "failed")}
    assert ends["failing"].problem == "It failed with RuntimeError: out of luck"
    assert ends["toy"].state == "done"
    assert not service.device.busy


def test_a_broken_checkpoint_is_told_without_paths(service, tmp_path):
    (tmp_path / "dots" / "toy" / checkpoint.WEIGHTS).write_bytes(b"nothing")
    lane = service.lane("dots", "toy")
    assert lane.problem.startswith("dots/toy/") and str(tmp_path) not in lane.problem
    assert model_card.at_rest(lane)["note"] == lane.problem
    frames = run(service, order(service))
    assert frames[-1].state == "failed" and str(tmp_path) not in frames[-1].problem


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize(
    "name",
    ["config.json", "model.safetensors", "run.json", "cost.json", "preview.png", "log.jsonl", "timelapse/64.png"],
)
def test_a_pipe_in_a_checkpoint_keeps_no_page_waiting(service, tmp_path, name):
    path = tmp_path / "dots" / "toy" / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert service.datasets() and service.lanes("dots") and service.usable("dots") is not None
    lane = service.lane("dots", "toy")
    assert bool(lane.problem) == (name in ("config.json", "model.safetensors")) or not lane.checkpoint
    for run in runs.runs(service, "dots"):
        with pytest.raises(InputError, match="has no t"):
            (runs.log_of if run.has_log else runs.timelapse_of)(service, run.name)
    list(service.measurements("dots").points)


def test_weights_that_changed_are_loaded_again(service, tmp_path):
    before = service.model("dots/toy")
    assert service.model("dots/toy") is before
    changed = Toy()
    nn.init.constant_(changed.layer.weight, 3.0)
    checkpoint.save_model(tmp_path / "dots" / "toy", changed)
    assert service.model("dots/toy").layer.weight.item() == 3.0


def test_a_generator_dropped_half_way_gives_the_device_back(service):
    frames = service.run(order(service, steps=50), threading.Event())
    next(frames)
    assert service.device.busy
    frames.close()
    assert not service.device.busy


def test_a_stop_while_waiting_skips_every_part(service):
    with taken(service.device):
        stop = threading.Event()
        stop.set()
        assert [frame.state for frame in run(service, order(service), stop)] == ["skipped"]


# ---- what is known before a run


def test_no_checkpoint_at_all_says_how_to_train_one(service, tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path / "none"))
    assert service.datasets() == []
    assert "python -m gencore train" in service.lane("", "toy").problem
    assert "python -m gencore train" in json.dumps(build(service).get_config_file(), default=str)


@pytest.mark.parametrize("name", [["dots"], {"dots": 1}, None, 7, [[]]])
def test_what_is_no_name_of_a_data_set_has_no_checkpoints_and_no_images(service, name):
    assert service.entries_of("dots") and service.entries_of(name) == []
    assert service.view(name) == {} and service.split(name, "train") is None and service.usable(name) == {}


def test_the_data_set_with_most_families_comes_first_and_then_the_one_with_previews(service, tmp_path):
    for name in ("adots", "edots"):
        checkpoint.save_model(tmp_path / name / "toy", Toy())
    assert service.datasets() == ["adots", "dots", "edots"]
    (tmp_path / "dots" / "toy" / "preview.png").write_bytes(b"")
    assert service.datasets()[0] == "dots"
    checkpoint.save_model(tmp_path / "edots" / "failing", Failing())
    assert service.datasets()[0] == "edots"


def test_events_of_one_queue_agree_on_how_many_run_at_once(service):
    """Gradio takes the lowest number of those that share a name, from the first call of that one on."""
    limits = {}
    for function in build(service).fns.values():
        limits.setdefault(function.concurrency_id, set()).add(function.concurrency_limit)
    assert limits["runs"] == {RUNS["concurrency_limit"]} and 2 * MOST < RUNS["concurrency_limit"] < THREADS
    assert all(len(found) == 1 for found in limits.values())


def test_every_update_of_a_generator_is_sent_whole_and_none_twice(service):
    """Whoever applies the difference to the update before spoils it, and it may not be painted yet."""
    demo = build(service)
    assert isinstance(demo, Updates)
    painting = [one for one in demo.fns.values() if inspect.isgeneratorfunction(one.fn)]
    assert len(painting) > 10 and all(one.api_visibility == "private" for one in painting)
    function = next(one for one in painting if len(one.outputs) == 2)

    def send(*data, final=False, run="run"):
        return demo.handle_streaming_diffs(function, list(data), "visitor", run, final)

    shown, hidden = gr.update(visible=True, value="a"), {"rows": [1], "text": "a"}
    assert send(shown, hidden) == [shown, hidden], "the first has nothing before it"
    assert send(gr.skip(), {"rows": [1, 2], "text": "ab"}) == [
        [("replace", [], gr.skip())],
        [("replace", [], {"rows": [1, 2], "text": "ab"})],
    ]
    assert send(None, None, final=True) == [gr.skip(), gr.skip()]
    assert "visitor" not in demo.pending_diff_streams, "nothing of a run is kept when it is over"
    assert send("all", "of it", run=None) == ["all", "of it"], "a call without a stream"


def test_the_preview_comes_back_image_by_image(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (24, 1, 4, 4), dtype=np.uint8)
    write_png(tmp_path / "preview.png", grid(images))
    assert np.array_equal(read_preview(tmp_path / "preview.png", 4), images)
    assert read_preview(tmp_path / "preview.png", 7) is None
    assert read_preview(tmp_path / "nothing.png", 4) is None


def test_a_lane_at_rest_shows_the_measured_time_and_its_machine(service, tmp_path):
    cost = {"n": 16, "ms": 32.0, "ms_per_image": 2.0, "calls": 3, "dtype": "float32",
            "machine": {"device": "cpu", "cores": 2}}  # fmt: skip
    (tmp_path / "dots" / "toy" / "cost.json").write_text(json.dumps(cost))
    value = model_card.at_rest(service.lane("dots", "toy"))
    assert value["ms"] == 32.0
    assert value["figures"][:2] == [["per image", "2.00 ms"], ["network calls", "3"]]
    assert "16 images on CPU, 2 cores, float32." in value["note"], "rows may have other settings, and so other times"


def test_the_reference_is_found_only_for_a_data_set_that_is_there(service, tmp_path):
    tensors = {"mean": torch.zeros(16), "basis": torch.eye(16)[:2], "points": torch.zeros(5, 2),
               "bins": torch.arange(4.0), "density": torch.ones(3) / 3}  # fmt: skip
    checkpoint.write_tensors(tmp_path / "dots" / "features" / "reference.safetensors", tensors)
    images = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4)
    plane = pixel_plane(service.reference("dots"))
    np.testing.assert_allclose(plane.project(flatten(images)), images.reshape(2, 16)[:, :2] / 255)
    assert plane.project(flatten(images[:, :, :2])) is None
    assert service.reference("dots/../dots") is None


def test_rows_of_another_data_set_are_passed_over_and_named(service, tmp_path):
    file = tmp_path / "dots" / "rows.jsonl"
    for dataset in ("cifar10", "dots"):
        rows.append(file, invented.real(2000, invented.scores(3, kid=0.01, coverage=0.9, precision=0.9), dataset))
    found = service.measurements("dots")
    assert list(found.baselines) == [2000] and found.baselines[2000].quality["dataset"] == "dots"
    assert any("'cifar10'" in sentence for sentence in found.problems)


def test_rows_of_a_data_set_by_folder_are_found_and_no_others(service, tmp_path, monkeypatch):
    scores = invented.scores(3, kid=0.01, coverage=0.9, precision=0.9)
    for n, dataset in ((1000, "/elsewhere/imgs"), (2000, "/own/imgs")):
        rows.append(rows.rows_path(dataset, tmp_path), invented.real(n, scores, dataset))
    entries = service.entries()["dots"]  # as if they had been trained on these
    monkeypatch.setattr(service, "entries", lambda: {"/own/imgs": entries, "/elsewhere/imgs": entries})
    assert list(service.measurements("/own/imgs").baselines) == [2000]
    assert list(service.measurements("/elsewhere/imgs").baselines) == [1000]


def test_the_usual_features_are_those_that_the_ladder_chose(service, tmp_path):
    found = invented.scores(3, kid=0.01, coverage=0.9, precision=0.9)
    rows.append(tmp_path / "dots" / "rows.jsonl", invented.real(2000, found, "dots"))
    folder = tmp_path / "dots" / "features"
    folder.mkdir()
    for name in ("classifier", "pixels"):
        (folder / f"{name}.safetensors").touch()
    assert service.measurements("dots").usual_extractor == "classifier"
    (folder / "ladder.json").write_text('{"default": "pixels"}')
    measured = service.measurements("dots")
    assert measured.usual_extractor == "pixels" and measured.extractors == ("pixels", "classifier")
    assert measured.sees["classifier"].startswith("see "), "what each sees follows 'these features'"


# ---- what a lane says, and downloads


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (Frame("toy", "running", 3, 20, 0.3), "Step 3 of 20. Shown: the images it would give now."),
        (Frame("toy", "running", 10, 1000, 1.0), "Step 10 of 1,000, about 1 min 39 s left."),
        (Frame("toy", "stopped", 7, 20), "Stopped at step 7 of 20."),
        (Frame("toy", "done", 20, 20), "1 image, seed 42, timed here after a warm-up."),
        (Frame("toy", "failed", problem="Why."), "Why."),
    ],
)
def test_what_a_lane_says(frame, words):
    assert model_card.sentence(frame, 1, 42).startswith(words)


def test_an_imported_checkpoint_says_where_it_comes_from():
    lane = Lane("toy", "Toy", "A toy.", origin={"source": "a/<b>", "revision": "0123456789abcdef", "licence": "mit"})
    assert "Imported from a/&lt;b&gt;, revision 01234567, licence mit." in model_card.about(lane)
    assert "licence not stated" in model_card.about(Lane("toy", "Toy", "", origin={"source": "mine"}))
    assert "Imported" not in model_card.about(Lane("toy", "Toy", "A toy."))


def test_where_an_imported_checkpoint_comes_from_is_told_at_every_page_s_foot_and_in_the_table(tmp_path, monkeypatch):
    from dashboard.figures import table

    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(tmp_path))
    origin = {"source": "a/<b>", "revision": "0123456789", "licence": "apache-2.0"}
    words = "Imported from a/<b>, revision 01234567, licence apache-2.0"
    for name, told in (("theirs", {"origin": origin}), ("ours", {})):
        checkpoint.save_model(tmp_path / "dots" / name, FAMILIES["gan"](size=8, widths=(8,), probe_widths=(8,)))
        checkpoint.write_json(tmp_path / "dots" / name / "run.json", {"data": "dots", **told})
        scores = invented.scores(3, kid=0.01, coverage=0.9, precision=0.9, sharpness=1.0)
        row = invented.quality(f"dots/{name}", "gan", "plain", "headline", {}, 2000, scores, dataset="dots")
        rows.append(rows.rows_path("dots", tmp_path), row)
    service = Service()
    assert service.imported() == {"dots/theirs": words}
    measured = service.measurements("dots")
    assert [point.origin for point in measured.points] == ["", words]
    assert [table.cells(point, {}, [])[""].get("source") for point in measured.points] == [None, [words, words]]
    foot = model_card.imported(service.imported())
    assert "1 checkpoint from elsewhere" in foot and "<b>dots/theirs</b>: Imported from a/&lt;b&gt;" in foot
    assert foot in [getattr(block, "value", "") for block in build(service).blocks.values()]
    assert model_card.imported({}) == ""


def test_images_that_have_changed_are_not_shown_and_their_models_not_judged(tmp_path, monkeypatch):
    from dashboard.service.images import examples
    from dashboard.service.scoring import Judges
    from gencore.data import identity, load_splits
    from gencore.extractors import Options
    from gencore.extractors.reference import write_features
    from tests.support.image_files import save

    def make(value):
        for i in range(200):
            save(tmp_path / f"imgs/{i:03}.png", (i + value) % 250)

    make(0)
    data, root = str(tmp_path / "imgs"), tmp_path / "root"
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))
    list(write_features(data, root, "pixels", Options(device="cpu"), lambda share, words: None))
    checkpoint.save_model(root / "imgs/gan", FAMILIES["gan"](channels=1, size=6, widths=(8,), probe_widths=(8,)))
    told = {"data": data, "identity": identity(load_splits(data))}
    checkpoint.write_json(root / "imgs/gan/run.json", told)
    service = Service()
    assert service.split(data, "test") is not None and service.changed(data, "test") == ""
    Judges(service).of_these(data, ["imgs/gan"], "pixels")
    make(50)
    service = Service()
    assert service.split(data, "test") is None
    why = service.changed(data, "test")
    assert re.match(rf"The test images of {re.escape(data)} are not those that imgs/gan was trained on \(test: ", why)
    assert examples(service, data, 4, 0)[1:] == ([], f"{why} Draw one.")
    list(write_features(data, root, "pixels", Options(device="cpu"), lambda share, words: None))
    with pytest.raises(InputError, match="imgs/gan was trained on other images than those that the features"):
        Judges(service).of_these(data, ["imgs/gan"], "pixels")
