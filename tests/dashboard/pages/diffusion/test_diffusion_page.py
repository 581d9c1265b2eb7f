"""What the Diffusion page shows: images under noise, films, sheets of samples, and its figures; on a tiny model."""

import io
import itertools
import threading
from unittest import mock

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from dashboard.format import plural
from dashboard.pages.diffusion import algorithm_lines, diffusion_view, engine, noise_schedule, page, simple_loss
from dashboard.pages.diffusion.engine import MOST_SNAPSHOTS, Trajectories, evenly, noise_level
from dashboard.results.operating_points import Measurements, join, knobs_key
from dashboard.service import InputError, Service
from dashboard.service.device import finish
from gencore import FAMILIES, bundle, checkpoint
from gencore.data import load_images, to_float, to_uint8
from gencore.family import Diffuses, Noise, image_seed, resolve_knobs
from tests.support import invented
from tests.support.leases import taken

NAME = "digits/walker"
KIND = next(kind for kind in FAMILIES.values() if issubclass(kind, Diffuses))
STEPS = next(knob for knob in KIND.knobs if knob.integer)
CHOICE = next(knob for knob in KIND.knobs if knob.choices)
IMAGE = load_images("digits", "test").x[0].numpy()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("root")
    torch.manual_seed(0)
    checkpoint.save_model(folder / NAME, KIND(size=8, widths=(8, 8)))
    return folder


@pytest.fixture
def trajectories(root, monkeypatch):
    monkeypatch.setenv("GENCORE_CHECKPOINTS", str(root))
    return Trajectories(Service())


@pytest.fixture
def source(trajectories):
    (found,) = trajectories.sources("digits")
    return found


def part(trajectories, **knobs):
    return trajectories.service.part("digits", KIND.name, {"checkpoint": NAME, "knobs": knobs})


def sample(trajectories, parts, stop=None):
    """The moments of each film, and the last state of each."""
    snapshots, states = [[] for _ in parts], [""] * len(parts)
    for segments in trajectories.sample(parts, 7, stop or threading.Event()):
        for segment in segments:
            snapshots[segment.side] += segment.snapshots
            states[segment.side] = segment.state
    return snapshots, states


# ---- what there is


def test_checkpoints_that_diffuse_are_found_by_what_they_can_do(trajectories, source):
    assert (source.checkpoint, source.family) == (NAME, KIND.name) and trajectories.datasets() == ["digits"]
    assert trajectories.find("digits", NAME) == source
    for dataset, name in (("digits", "digits/gan"), ("nowhere", NAME), (None, None), ("../digits", NAME)):
        with pytest.raises(InputError, match="no checkpoint"):
            trajectories.find(dataset, name)


def test_without_such_a_family_there_is_a_sentence(trajectories, monkeypatch):
    monkeypatch.setattr(type(trajectories.service), "able", lambda *_: {})
    assert trajectories.datasets() == [] and trajectories.problem("digits").endswith("turns images into noise.")


# ---- forward


@pytest.mark.parametrize("t", [0, 1, 250, 999])
def test_the_image_under_noise_is_that_of_the_formula(trajectories, source, t):
    abar = trajectories.abar(source)
    *_, found = trajectories.noised(source, IMAGE, t, 42)
    noise = Noise([image_seed(42, 0)])(*IMAGE.shape)[0].double()
    x0 = to_float(torch.from_numpy(IMAGE[None]))[0].double()
    x_t = np.sqrt(abar[t]) * x0 + np.sqrt(1 - abar[t]) * noise
    assert np.abs(found.x_t.astype(int) - to_uint8(x_t).numpy().astype(int)).max() <= 1
    assert found.level.signal**2 + found.level.noise**2 == pytest.approx(1)
    assert found.level.decibels == pytest.approx(10 * np.log10(abar[t] / (1 - abar[t])))
    assert found.x0.shape == IMAGE.shape


def test_the_strip_is_the_same_noise_at_eight_t_and_is_kept(trajectories, source):
    strip = trajectories.strip(source, IMAGE, 42)
    assert [one.level.t for one in strip] == [0, 143, 285, 428, 571, 714, 856, 999]
    *_, alone = trajectories.noised(source, IMAGE, 428, 42)
    assert np.abs(strip[3].x_t.astype(int) - alone.x_t.astype(int)).max() <= 1
    assert np.abs(strip[3].x0.astype(int) - alone.x0.astype(int)).max() <= 1
    assert trajectories.strip(source, IMAGE, "42") is strip


@pytest.mark.parametrize("t", [-1, 1000, 3.5, "abc", "", None, True, float("nan"), [], "1e400"])
def test_a_bad_t_gets_a_sentence(trajectories, source, t):
    with pytest.raises(InputError, match=r"t must be a whole number from 0 to 999, not .*\."):
        next(trajectories.noised(source, IMAGE, t, 42))
    assert next(trajectories.noised(source, IMAGE, " 12 ", 42)).level.t == 12


def test_a_bad_image_or_seed_gets_a_sentence(trajectories, source):
    with pytest.raises(InputError, match="3 channels, but the model is made for 8 × 8 pixels with 1 channel"):
        next(trajectories.noised(source, np.zeros((3, 8, 8), np.uint8), 5, 42))
    with pytest.raises(InputError, match="seed must be"):
        trajectories.strip(source, IMAGE, "x")


def test_a_device_that_is_taken_leaves_the_prediction_out(trajectories, source, monkeypatch):
    monkeypatch.setattr(engine, "WAIT", 0.05)
    trajectories.abar(source)
    with taken(trajectories.service.device):
        found = list(trajectories.noised(source, IMAGE, 400, 42))
        assert all(one.x0 is None and one.x_t.any() for one in found), "what needs no network is there"
        strip = trajectories.strip(source, IMAGE, 42)
        assert all(one.x0 is None for one in strip)
    assert trajectories.strip(source, IMAGE, 42)[0].x0 is not None, "what was left out is not kept"


# ---- reverse


@pytest.mark.parametrize("choice", CHOICE.choices)
def test_a_trajectory_ends_in_the_image_that_the_service_makes(trajectories, choice):
    knobs = {CHOICE.name: choice, STEPS.name: 7}
    (snapshots, other), states = sample(trajectories, [part(trajectories, **knobs), part(trajectories)])
    order = trajectories.service.order("digits", 1, 7, {KIND.name: {"knobs": knobs}})
    *_, frame = trajectories.service.run(order, threading.Event())
    assert states == ["done", "done"] and frame.state == "done"
    assert np.abs(snapshots[-1].x0.astype(int) - frame.images[0].astype(int)).max() <= 1
    assert [snapshot.calls for snapshot in snapshots] == list(range(8))
    assert snapshots[-1].t is None and all(late.t < early.t for early, late in itertools.pairwise(snapshots[:-1]))
    assert (snapshots[0].x == other[0].x).all(), "both start from the same noise"
    noise = Noise([image_seed(7, 0)])(*IMAGE.shape)
    assert (snapshots[0].x == to_uint8(noise)[0].numpy()).all()


@pytest.mark.parametrize("total", [1, 2, 20, 59, 60, 61, 777, 1000])
def test_snapshots_begin_with_the_first_and_end_with_the_last(total):
    kept = evenly(total, MOST_SNAPSHOTS)
    assert kept[0] == 0 and kept[-1] == total and len(kept) == min(total + 1, MOST_SNAPSHOTS)
    gaps = np.diff(kept)
    assert gaps.min() >= 1 and gaps.max() - gaps.min() <= 1


def test_a_stop_takes_effect_within_one_call(trajectories):
    parts, stop, calls = [part(trajectories, **{STEPS.name: 50})] * 2, threading.Event(), []
    hook = trajectories.service.model(NAME).network.register_forward_hook(lambda *_: calls.append(1))
    running = trajectories.sample(parts, 7, stop)
    next(running)
    stop.set()
    made = len(calls)
    rest = list(running)
    hook.remove()
    assert len(calls) <= made + 1 < 100
    assert [segment.state for segment in rest[-1]] == ["stopped", "stopped"] and not trajectories.service.device.busy


def test_a_model_that_fails_is_told_in_a_sentence_and_frees_the_device(trajectories, monkeypatch):
    monkeypatch.setattr(KIND, "sample", lambda *_, **__: 1 / 0)
    with pytest.raises(InputError, match="It failed with ZeroDivisionError"):
        sample(trajectories, [part(trajectories), part(trajectories)])
    assert not trajectories.service.device.busy
    assert trajectories.rate(NAME, 3).words == "after the shipped timings", "an estimate can do without"


def test_trajectories_advance_together(trajectories):
    shares = []
    parts = [part(trajectories, **{STEPS.name: n}) for n in (4, 40)]
    for segments in trajectories.sample(parts, 7, threading.Event()):
        shares += [segment.calls / segment.total for segment in segments if segment.state == "done"]
    assert shares == [1, 1]
    both = [engine.Trajectory(trajectories.service.model(NAME), one.knobs, 7) for one in parts]
    for _ in range(22):
        min(both, key=lambda trajectory: trajectory.share).advance()
    assert abs(both[0].share - both[1].share) <= 0.25


def test_the_time_said_beforehand_is_proportional_to_the_steps(trajectories):
    few, many = (trajectories.calls(part(trajectories, **{STEPS.name: n})) for n in (10, 200))
    assert (few, many) == (10, 200)
    rate = trajectories.rate(NAME, 1)
    assert rate.seconds > 0 and trajectories.rate(NAME, 1) is rate, "timed once"
    assert diffusion_view.estimate(1000, 8.04, "as before") == "1,000 network calls: about 8.04 s, as before."
    assert "not known" in diffusion_view.estimate(1000, 0, "")


def test_trajectories_are_saved_as_gif_and_png(trajectories):
    (few, many), _ = sample(trajectories, [part(trajectories, **{STEPS.name: n}) for n in (3, 70)])
    gif = Image.open(io.BytesIO(engine.as_gif([few, many])))
    assert gif.n_frames == 60 and gif.size == ((8 + engine.GAP + 8) * engine.SCALE, 16 * engine.SCALE)
    strip = np.asarray(Image.open(io.BytesIO(engine.as_strip([few, many]))))
    strip = strip[:: engine.SCALE, :: engine.SCALE]
    assert strip.shape == (32, 4 * 8)
    assert (strip[8:16, -8:] == few[-1].x0[0]).all() and (strip[24:, :8] == many[0].x0[0]).all()


def test_the_films_zip_is_a_bundle_that_is_made_again_to_the_bit(trajectories, tmp_path):
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        mine = page.Diffusion(trajectories.service)
    parts = [part(trajectories, **{STEPS.name: n}) for n in (3, 5)]
    films, _ = sample(trajectories, parts)
    assert len(mine.reverse._files(tmp_path, films, parts, 7)) == 3
    found = list(bundle.replay(bundle.read_bundle(tmp_path / "reverse-seed-7.zip")))
    assert [(one.lane, one.checkpoint, one.n) for one in found] == [("left", NAME, 1), ("right", NAME, 1)]
    assert all(one.same for one in found)
    stopped = [film[:2] for film in films]
    assert len(mine.reverse._files(tmp_path / "..", stopped, parts, 7)) == 2, "films that were stopped are no bundle"


# ---- samples by the number of steps


def test_samples_are_kept_and_the_next_estimate_is_theirs(trajectories):
    order = trajectories.service.order("digits", 3, 5, {KIND.name: {"knobs": {STEPS.name: 2}}})
    assert trajectories.sheet(order) is None
    states = [frame.state for frame in trajectories.draw(order, threading.Event())]
    assert states[-1] == "done" and trajectories.sheet(order).images.shape == (3, 1, 8, 8)
    assert trajectories.rate(NAME, 3).seconds == pytest.approx(trajectories.sheet(order).seconds / 2)
    stop = threading.Event()
    stop.set()
    other = trajectories.service.order("digits", 3, 6, {KIND.name: {"knobs": {STEPS.name: 2}}})
    assert list(trajectories.draw(other, stop))[-1].state in ("stopped", "skipped")
    assert trajectories.sheet(other) is None


# ---- figures


ABAR = np.cos(np.linspace(0.01, np.pi / 2 - 0.01, 1000)) ** 2


def test_the_schedule_says_both_factors_and_the_ratio():
    level = noise_level(ABAR, 500)
    card = noise_schedule.schedule(ABAR, 500)
    assert f"xₜ = {level.signal:.3f} x₀ + {level.noise:.3f} ε" in card and card.count("marker") == 2
    assert "more noise than signal" in noise_schedule.signal_to_noise(ABAR, 700)
    assert f"{noise_level(ABAR, 100).decibels:.1f} dB: more signal" in noise_schedule.signal_to_noise(ABAR, 100)


def bound(checkpoint, family, n, elbo, curve=None, **terms):
    """A row of a bound in bits of 64 numbers, the parts as they are named."""
    scale = 64 * np.log(2)

    def term(bits):
        ends = {"mean": bits, "low": bits - 0.01, "high": bits + 0.01}
        return {"nats": {key: value * scale for key, value in ends.items()}, "bits_per_dim": ends}

    row = {
        "kind": "bound", "checkpoint": checkpoint, "family": family, "n": n, "split": "test", "dimensions": 64,
        "terms": {name: term(bits) for name, bits in terms.items()} | {"elbo": term(-elbo)}, "stale": "",
        "basis": {"prior": "N(0, <I>)"}, "uncertainty": "one training run", "command": f"bound {checkpoint}",
    }  # fmt: skip
    return row | ({"curve": curve} if curve else {})


def test_the_bound_says_where_along_t_it_is_lost():
    curve = [{"t_low": 1 + 10 * i, "t_high": 10 + 10 * i, "mean": m, "low": m - 0.1, "high": m + 0.1}
             for i, m in enumerate([6.0, 2.0, 1.0, 1.0])]  # fmt: skip
    mine = bound("d/a", "walk", 1000, 1.5, curve, L_0=0.6, L_between=0.9, L_T=2e-9)
    rows = [
        mine, bound("d/a", "walk", 50, 1.6, curve), bound("d/b", "code", 1000, 2.7), bound("d/b", "code", 9000, 2.8),
        bound("d/c", "code", 10, 2.7) | {"split": "train"}, bound("d/d", "code", 10, 2.7) | {"stale": "It changed."},
    ]  # fmt: skip
    assert noise_schedule.of_checkpoint(rows, "d/a") is mine and noise_schedule.of_checkpoint(rows, "d/b") is None
    others = noise_schedule.comparable(mine, rows)
    assert others == [rows[2]], "as many images, the same split, not stale"
    along = noise_schedule.along_t(mine, "Walk")
    assert "t up to 10, nine tenths at t up to 30 of 40" in along and "at t = 0, costs 26.6 nats" in along
    card = noise_schedule.split(mine, others, {"walk": "Walk", "code": "Code"})
    assert "at most 1.500 bits per dimension, 95% interval 1.490 to 1.510" in card
    assert "L_T (what is left at T) 2.0 × 10⁻⁹" in card and "2.700 ± 0.010" in card
    assert "Walk and Code can be compared" in card and "N(0, &lt;I&gt;)" in card and "<code>bound d/a</code>" in card


def test_measured_points_are_those_of_the_other_settings_alone():
    rows = invented.distinct({"d/a": KIND})
    titles = {KIND.name: KIND.title}
    order = [knobs_key(resolve_knobs(KIND.knobs, point.knobs)) for point in KIND.points]
    measured = join("d", rows, titles, {KIND.name: order}, {})
    for choice in CHOICE.choices:
        knobs = resolve_knobs(KIND.knobs, {CHOICE.name: choice, STEPS.name: 1000})
        points = noise_schedule.walked(measured, "d/a", STEPS.name, knobs)
        assert points and all(point.knobs[CHOICE.name] == choice for _, point in points)
        assert len({point.n for _, point in points}) == 1
        steps = [count for count, _ in points]
        assert steps == sorted(set(steps))
        card = noise_schedule.quality(points, steps[0], measured, choice, (1, 1000))
        assert f"At {plural(steps[0], 'step')}: " in card and "real images against real images" in card
        assert "per image" in noise_schedule.times(points, 1000, choice, (1, 1000))
        none = [(0, points[0][1]), *points]  # where a step is none, there is nothing to divide by
        assert noise_schedule.times(none, 9, "", (0, 99)) == noise_schedule.times(points, 9, "", (1, 99))
        assert noise_schedule.quality(none, 0, measured, "", (0, 99))
    assert "not measured" in noise_schedule.quality(points, 3, measured, "x", (1, 1000))
    assert "Nothing has been measured for x yet" in noise_schedule.quality([], 3, Measurements("d"), "x", (1, 1000))
    assert "No time has been measured" in noise_schedule.times([], 3, "x", (1, 1000))


# ---- words


def test_two_films_are_compared_in_words():
    def ends(level):
        picture = np.full((1, 8, 8), level, np.uint8)
        return [engine.Snapshot(4, None, picture, picture)]

    done = [engine.Segment(side, "done", 4, 4) for side in (0, 1)]
    assert "level for level" in diffusion_view.ending([ends(9), ends(9)], done)["words"]
    assert "differs by 41.0 of 255" in diffusion_view.ending([ends(9), ends(50)], done)["words"]
    stopped = [done[0], engine.Segment(1, "stopped", 2, 4)]
    assert diffusion_view.ending([ends(9), ends(9)], stopped)["words"].startswith("Stopped after 6 of 8 network calls.")


def test_templates_hold_nothing_that_the_browser_would_evaluate():
    for template in (diffusion_view.FORWARD, diffusion_view.FILM, diffusion_view.STEPS):
        assert "{" not in template and "$" not in template


# ---- the algorithms


def test_a_step_of_training_shows_what_was_computed(trajectories, source):
    image = to_uint8(torch.rand(1, 8, 8) * 2 - 1).numpy()
    first = finish(trajectories.training(source, image, 1))
    again, other = (finish(trajectories.training(source, image, number)) for number in (1, 2))
    assert (first.t, first.loss) == (again.t, again.loss) != (other.t, other.loss)
    assert 1 <= first.t <= 1000 and first.gradient_norm > 0 and (first.x0 == image).all()
    x_t = (
        first.level.signal * to_float(torch.from_numpy(image))
        + first.level.noise * torch.from_numpy(first.noise / 127.5 - 1.0) * engine.SHADE
    )
    seen = first.x_t / 127.5 - 1.0
    inside = (np.abs(x_t.numpy()) < 0.98) & (first.noise > 0) & (first.noise < 255)  # what is not cut off
    assert inside.any() and np.abs(x_t.numpy() - seen)[inside].max() < 0.02
    value = algorithm_lines.training_value(first, 1)
    told = " ".join(beat["words"] + beat["figures"] for beat in value["beats"])
    assert f"t = {first.t:,}" in told and f"{first.loss:.1f}" in told and f"{first.gradient_norm:,.0f}" in told
    assert [beat["line"] for beat in value["beats"]] == [1, 2, 3, 4, 5, 5, 5, 6]
    with pytest.raises(InputError, match="seed"):
        finish(trajectories.training(source, image, -1))


def test_sampling_line_by_line_ends_where_the_sampler_does(trajectories, source):
    descent = trajectories.begin(source, 7)
    assert descent.t == 1000 and set(algorithm_lines.start_value(descent)["pictures"]) == {"x"}
    one, first = finish(trajectories.descend(descent, 1))
    assert (one.t, first.t) == (999, 1000) and (first.x == descent.picture).all() and (first.after == one.picture).all()
    assert not algorithm_lines.pass_value(one, first)["over"]
    end, last = finish(trajectories.descend(one, 5000))
    assert (end.t, last.t) == (0, 1) and (last.z == 128).all() and np.abs(last.x0 - last.after.astype(int)).max() <= 1
    *_, ancestral = KIND.sample(
        trajectories.service.model(NAME), engine.image_seeds(7, 1), sampler="ddpm", num_inference_steps=1000
    )
    assert np.abs(to_uint8(ancestral.x)[0].numpy().astype(int) - last.after).max() <= 1
    value = algorithm_lines.pass_value(end, last)
    assert value["over"] and [beat["line"] for beat in value["beats"]] == [2, 3, 4, 4, 5, 6]


def test_a_place_of_the_address_is_walked_to_at_once(trajectories, source):
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        found = page.Diffusion(trajectories.service).algorithms
    visitor, image = gr.Request(session_hash="one"), np.zeros((1, 8, 8), np.uint8)

    def asked(at):
        return gr.EventData(None, {"what": "at", "at": at})

    *_, last = found.train(visitor, asked(5), "digits", NAME, image, 0)
    assert last[found.number] == last[found.training]["at"] == 5
    *_, last = found.sample(visitor, asked(985), "digits", NAME, None)
    value, walked = last[found.sampling], finish(trajectories.descend(trajectories.begin(source, 42), 16))[0]
    assert value["at"] == 985 and not value["more"] and (last[found.descent].x == walked.x).all()
    for wrong in (1001, 0, "x", None):
        *_, last = found.sample(visitor, asked(wrong), "digits", NAME, None)
        assert last[found.sampling]["problem"].startswith("t must be a whole number from 1 to 1,000")
    assert page.place("a")("3-2") == "3-2" and page.place("a")("7") == "7"
    for wrong in ("x", "0-1", "3-99", "3-x", "-2"):
        with pytest.raises(InputError, match=r"^a(.s moment)? must be a whole number"):
            page.place("a")(wrong)


def test_every_moment_lights_a_line_and_fills_cells_that_there_are():
    for lines, cells, markup in (
        (algorithm_lines.TRAINING, algorithm_lines.TRAINING_CELLS, algorithm_lines.ALGORITHM_1),
        (algorithm_lines.SAMPLING, algorithm_lines.SAMPLING_CELLS, algorithm_lines.ALGORITHM_2),
    ):
        assert markup.count("<li>") == len(lines) == 6 and all(f'data-cell="{name}"' in markup for name, _ in cells)


# ---- the page


@pytest.mark.parametrize(("given", "t"), [("147", 147), ("5000", 999), ("-3", 0), ("much", 400), (None, 400)])
def test_the_page_opens_at_the_t_of_its_address(trajectories, given, t):
    with gr.Blocks(), gr.Tabs(), gr.Tab("x"):
        mine = page.Diffusion(trajectories.service)
    request = mock.Mock(query_params={} if given is None else {"t": given})
    updates = mine.open(request, "", None)
    assert updates[mine.forward.t] == t and updates[mine.forward.picture]["t"] == t


# ---- the simplified loss along t


def test_the_error_of_the_noise_is_the_mean_over_draws_at_each_t(trajectories, source):
    image = to_uint8(torch.rand(1, 8, 8) * 2 - 1).numpy()
    t, errors = finish(trajectories.errors(source, image))
    assert t[0] == 1 and t[-1] == 999 and len(t) == len(errors) == engine.LEVELS
    model = trajectories.service.model(NAME)
    x0 = to_float(torch.from_numpy(image))
    with torch.no_grad():
        wanted = []
        for noise in Noise([image_seed(0, i) for i in range(engine.DRAWN)])(1, 8, 8):
            abar = model.alphas_cumprod()[t[3]]
            x_t = (abar.sqrt() * x0 + (1 - abar).sqrt() * noise)[None]
            wanted.append((model.noise_in(x_t, torch.tensor([int(t[3])])) - noise).square().mean().item())
    assert errors[3] == pytest.approx(np.mean(wanted), rel=1e-4)
    for weights in simple_loss.WEIGHTS:
        card = simple_loss.card("ddpm", trajectories.abar(source), t, errors, weights)
        assert card.count("<svg") == 2 and "nan" not in card


def test_the_bounds_weights_turn_squared_errors_into_its_terms(trajectories):
    """L_{t-1} of a model with sigma^2 = beta-tilde is the weight times the squared error of the noise."""
    model = KIND(size=8, widths=(8, 8)).eval()
    assert model.config.variance == "fixed_small"
    weights = simple_loss.bound_weight(model.alphas_cumprod().double().numpy())
    x, noise = torch.rand(1, 1, 8, 8) * 2 - 1, torch.randn(1, 1, 8, 8)
    for place in (2, 100, 400):
        t = torch.tensor([place])
        with torch.no_grad():
            x_t = model.diffuse(x, t, noise)
            abar = model.alphas_cumprod()[place]
            used = (x_t - abar.sqrt() * model.predict(x_t, t)) / (1 - abar).sqrt()  # beside the clipped x_0
            term = model.bound_at(x, t, noise).item()
        squares = (noise - used).double().square().sum().item()
        assert term == pytest.approx(weights[place - 1] * squares, rel=2e-3)
