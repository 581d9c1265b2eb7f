"""What the endpoints answer, against the models themselves, the command line's own functions and the shipped rows."""

import io
import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from PIL import Image

from dashboard.api import inventory, making, measured, measuring
from dashboard.api.endpoint import Call
from dashboard.service import InputError, Service, benchmarks, bounds, budget, public
from gencore import FAMILIES, checkpoint
from gencore.bundle import read_bundle, replay
from gencore.data import load_images, to_float
from gencore.evaluation import bound, cost
from gencore.extractors import Options
from gencore.extractors.reference import write_features
from gencore.family import image_seed

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Untrained models of the digits, which are always at hand."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("root")
    small = {"channels": 1, "size": 8, "widths": (8, 16)}
    for name, options in {"vae": {}, "gan": {"probe_widths": (8, 8)}, "ddpm": {}}.items():
        checkpoint.save_model(root / "digits" / name, FAMILIES[name](**small, **options))
    list(write_features("digits", root, "pixels", Options(device="cpu"), lambda share, words: None))
    return root


@pytest.fixture
def call(root, tmp_path, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", f"{root}:{tmp_path / 'runs'}")
    monkeypatch.delenv(public.SPACE, raising=False)
    return Call(Service(), Event())


@pytest.fixture
def shipped(monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(ROOT / "checkpoints"))
    return Call(Service(), Event())


def pictures(archive):
    with zipfile.ZipFile(archive) as bundle:
        names = [name for name in bundle.namelist() if name.endswith(".png")]
        return {name: np.asarray(Image.open(io.BytesIO(bundle.read(name)))) for name in names}


def pixels(x):
    return ((x[0, 0].clamp(-1, 1) + 1) * 127.5).round().byte().numpy()


def test_models_lists_what_each_family_can_do_and_its_knobs(call):
    told = json.loads(json.dumps(inventory.models(call)))
    assert set(told["families"]) == set(FAMILIES) and set(told["datasets"]["digits"]["checkpoints"]) == {
        "digits/vae", "digits/gan", "digits/ddpm",
    }  # fmt: skip
    assert "judge" in told["families"]["gan"]["can"] and "encode" not in told["families"]["gan"]["can"]
    steps = next(knob for knob in FAMILIES["ddpm"].knobs if knob.name == "num_inference_steps")
    mine = told["families"]["ddpm"]["knobs"]["num_inference_steps"]
    assert (mine["default"], mine["low"], mine["high"], mine["whole"]) == (steps.default, steps.low, steps.high, True)
    assert told["datasets"]["digits"]["image_shape"] == [1, 8, 8] and told["datasets"]["digits"]["real_images_at_hand"]


def test_generate_gives_the_very_images_of_the_seed(call):
    record, picture, archive = making.generate(call, "digits", 3, 7, {"vae": {}, "gan": {"knobs": {"truncation": 0.5}}})
    model = checkpoint.load("digits/gan")
    expected = model.generate([image_seed(7, i) for i in range(3)], truncation=0.5)
    made = pictures(archive)
    assert set(made) == {f"{family}/{i:03d}.png" for family in ("vae", "gan") for i in range(3)}
    assert (made["gan/002.png"] == pixels(expected[2:])).all()
    assert record["lanes"]["gan"]["knobs"]["truncation"] == 0.5 and not record["problems"]
    assert picture.dtype == np.uint8 and picture.shape[2] == 3


def test_an_image_is_encoded_by_its_place_or_by_its_numbers(call):
    real = load_images("digits", "test", size=8, channels=1).x[5]
    answer, picture = making.encode(call, "digits/vae", 5)
    model = checkpoint.load("digits/vae")
    with torch.no_grad():
        mean, std = model.encode(to_float(real[None]))
        decoded = model.decode(mean)
    assert answer["mean"] == pytest.approx(mean[0].tolist(), abs=1e-5)
    assert answer["std"] == pytest.approx(std[0].tolist(), abs=1e-5)
    assert (np.array(answer["reconstruction"]) == pixels(decoded)).all()
    difference = pixels(decoded) / 255 - real[0].numpy() / 255
    assert answer["squared_error"] == pytest.approx((difference**2).sum(), rel=0.02)
    assert (picture[::4, ::4, 0][:, :8] == real[0].numpy()).all(), "the image stands first in the picture"
    assert making.encode(call, "digits/vae", real[0].tolist())[0]["mean"] == answer["mean"]


def test_a_path_begins_and_ends_at_its_ends(call):
    answer, _, archive = making.interpolate(call, "digits/gan", 3, 4, 5)
    made, model = pictures(archive), checkpoint.load("digits/gan")
    with torch.no_grad():
        ends = [pixels(model.decode(model.latent([image_seed(seed, 0)]))) for seed in (3, 4)]
    assert len(made) == answer["frames"] == 5
    assert (made["path/000.png"] == ends[0]).all() and (made["path/004.png"] == ends[1]).all()
    assert answer["great_circle"] == (FAMILIES["gan"].interpolation == "slerp")
    (again,) = replay(read_bundle(archive))
    assert again.same and again.n == 5, again.problem


def test_a_bound_is_the_command_lines_and_leaves_no_row(call, tmp_path):
    told = measuring.bound(call, "digits/vae", 6, seed=3)
    *_, last = bound.measure("digits/vae", 6, seed=3, batch=6, out=tmp_path / "rows.jsonl")
    assert told["terms"] == last.row["terms"] and told["basis"] == last.row["basis"]
    assert (
        not list(tmp_path.glob("runs/**/rows.jsonl")) and len((tmp_path / "rows.jsonl").read_text().splitlines()) == 1
    )


def test_a_benchmark_is_the_command_lines(call, monkeypatch):
    monkeypatch.setattr(cost, "peak_memory", lambda *_: 1.5)
    told = measuring.benchmark(call, "digits/ddpm", 2, 1, {"num_inference_steps": 3})
    expected = asdict(cost.measure(checkpoint.load("digits/ddpm"), 2, 1, num_inference_steps=3))
    same = ("calls", "flops", "parameters", "parameters_total", "peak_memory_mb", "knobs", "n", "repeats")
    assert {key: told[key] for key in same} == {key: expected[key] for key in same} and told["calls"] == 3


def test_a_discriminator_judges_samples_and_real_images(call):
    told = measuring.judge(call, "digits/gan", 1)
    model = checkpoint.load("digits/gan")
    with torch.no_grad():
        fake = model.generate([image_seed(1, i) for i in range(2)])
        expected = model.judge(to_float(((fake.clamp(-1, 1) + 1) * 127.5).round().byte()))
    assert len(told["generated"]) == len(told["real"]) == 200 and 0 < min(told["real"]) <= max(told["real"]) < 1
    assert told["generated"][:2] == pytest.approx(expected.tolist(), abs=1e-4)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda call: measuring.judge(call, "digits/vae"), r"VAE, which judges no image; .* these do: digits/gan"),
        (lambda call: making.encode(call, "digits/gan", 1), r"encodes no image; on digits these do: digits/vae"),
        (lambda call: measuring.bound(call, "digits/gan"), r"bounds no likelihood; .*digits/ddpm, digits/vae"),
        (lambda call: making.interpolate(call, "digits/gan", 1, 2, 3, "images"), r"no way back.*seeds"),
        (lambda call: making.interpolate(call, "digits/gan", 1, 2, 99), r"number of pictures.*2 to 33, not 99"),
        (lambda call: making.interpolate(call, "digits/gan", ends="sides"), r"no kind of ends 'sides'"),
        (lambda call: making.encode(call, "digits/vae", "five"), r"place of a test image, from 0 to \d+, or rows"),
        (lambda call: making.encode(call, "digits/vae", 10**6), r"place of a test image must be .* not 1000000"),
        (lambda call: making.encode(call, "digits/vae", [[1, 2]]), r"8 x 8 whole numbers"),
        (lambda call: making.generate(call, ["digits"]), r"no data set \['digits'\]"),
        (lambda call: making.generate(call, "digits", 101), r"1 to 100, not 101"),
        (lambda call: making.generate(call, "digits", settings={"vae": {"x": 1}}), r"no setting 'x'"),
        (lambda call: measuring.benchmark(call, ["x"]), r"no checkpoint \['x'\]"),
        (lambda call: measuring.benchmark(call, "digits/vae", knobs=3), r"knobs must be an object"),
        (lambda call: measuring.bound(call, "digits/vae", split="tests"), r"no split 'tests'; did you mean 'test'"),
        (lambda call: measuring.score(call, "digits", None, "Theirs"), r"Choose the samples' file"),
        (lambda call: measured.rows(call, "digits", "point"), r"no kind of rows 'point'; did you mean 'points'"),
        (lambda call: measured.recommend(call, "digits"), r"Nothing was measured on digits"),
        (lambda call: measured.recommend(call, "digits", quality_measure="kd"), r"no measure of quality 'kd'"),
        (lambda call: inventory.training_log(call, "digits/vae"), r"no training log"),
    ],
)  # fmt: skip
def test_bad_input_is_told_in_a_sentence(call, ask, words):
    with pytest.raises(InputError, match=words) as error:
        ask(call)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("module", [bounds, benchmarks])
def test_what_would_take_long_is_refused_with_the_command_for_it(call, module, monkeypatch):
    monkeypatch.setattr(bounds, "limits", lambda: replace(budget.PRIVATE, measuring=0.0))
    ask = measuring.bound if module is bounds else measuring.benchmark
    with pytest.raises(InputError, match=rf"python -m gencore {ask.__name__} digits/vae"):
        ask(call, "digits/vae", 4)


def test_a_stopped_call_ends_at_the_next_network_call(call, monkeypatch):
    seen = []
    model = call.service.model("digits/ddpm")
    handle = model.network.register_forward_pre_hook(lambda *_: seen.append(1) or call.stop.set())
    with pytest.raises(InputError, match="Stopped"):
        measuring.benchmark(call, "digits/ddpm", 1, 1, {"num_inference_steps": 50})
    handle.remove()
    assert len(seen) <= 2 and not call.service.device.busy
    for ask in (measuring.bound, making.interpolate):
        with pytest.raises(InputError, match="Stopped"):
            ask(call, "digits/vae")


def test_samples_are_scored_as_their_row_says(call, tmp_path, monkeypatch):
    for name in (public.PUBLIC, public.OPEN):
        monkeypatch.delenv(name, raising=False)
    np.save(tmp_path / "theirs.npy", load_images("digits", "validation", size=8, channels=1).x[:100, 0].numpy())
    told = measuring.score(call, "digits", str(tmp_path / "theirs.npy"), "Theirs", "12.5")
    lines = [json.loads(line) for line in (tmp_path / "runs/digits/rows.jsonl").read_text().splitlines()]
    row = next(line for line in lines if line["kind"] == "samples")
    assert told["scores"]["kid"]["mean"] == row["scores"]["pixels"]["kid"]["mean"]
    assert (told["ms_per_image"], told["n"], told["generations"]) == (12.5, 20, 5)
    assert measured.rows(call, "digits", checkpoint="Theirs")["rows"] == [told]


def test_the_public_app_scores_no_uploads(call, monkeypatch):
    monkeypatch.setenv(public.PUBLIC, "1")
    with pytest.raises(InputError, match="This app is public"):
        measuring.score(call, "digits", "x.npy", "Theirs")
    assert not inventory.models(call)["takes_uploads"]


# ---- by the shipped rows


def test_recommendations_follow_the_shipped_rows(shipped):
    told = measured.rows(shipped, "mnist")
    points = [row for row in told["rows"] if row["ms_per_image"] and not row["stale"]]
    assert points and {"kid", "recall"} <= set(told["scores"])
    fast = measured.recommend(shipped, "mnist", quality=0, diversity=0, speed=1)["recommended"]
    assert fast["ms_per_image"] <= 1.05 * min(row["ms_per_image"] for row in points)
    most = max(row["n"] for row in points)  # where the intervals are narrow enough to rank by
    budget = 1.01 * min(row["ms_per_image"] for row in points if row["n"] == most)
    within = measured.recommend(shipped, "mnist", most_ms=budget)
    assert within["recommended"]["ms_per_image"] <= budget and "per image" in within["why"]
    nobody = measured.recommend(shipped, "mnist", most_ms=1e-9)
    assert nobody["recommended"] is None and "fastest" in nobody["why"]
    sure = measured.recommend(shipped, "mnist", quality=1, diversity=0, speed=0, n=fast["n"])["recommended"]
    best = min(row["scores"]["kid"]["mean"] for row in points if row["n"] == fast["n"])
    assert sure["scores"]["kid"]["low"] <= best * 1.1


def test_the_rows_of_one_checkpoint_are_its_alone(shipped):
    assert {row["checkpoint"] for row in measured.rows(shipped, "mnist", "costs", "mnist/vae")["rows"]} == {"mnist/vae"}
    assert {row["kind"] for row in measured.rows(shipped, "mnist", "bounds")["rows"]} == {"bound"}
    with pytest.raises(InputError, match="checkpoint 'mnist/x'"):
        measured.rows(shipped, "mnist", checkpoint="mnist/x")


def test_a_log_is_thinned_evenly_and_keeps_both_ends(shipped):
    lines = [json.loads(line) for line in (ROOT / "checkpoints/mnist/vae/log.jsonl").read_text().splitlines()]
    told = inventory.training_log(shipped, "mnist/vae", 5)
    assert len(told["images"]) == 5
    assert [told["images"][0], told["images"][-1]] == [lines[0]["images"], lines[-1]["images"]]
    assert len(inventory.training_log(shipped, "mnist/vae", 10_000)["images"]) == len(
        {line["images"] for line in lines}
    )
