"""The costs of toy families whose arithmetic, calls and memory are known in closed form."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from diffusers.configuration_utils import register_to_config
from torch import nn
from torch.nn import functional as F

from gencore.checkpoint import save_model
from gencore.device import DTYPES, LAYOUTS, Settings
from gencore.errors import InputError
from gencore.evaluation import cost, memory
from gencore.family import Family, Knob, Noise, Step


class Toy(Family):
    """Calls one network `steps` times on noise of `noise` numbers per image, and shows the first pixel's worth."""

    name = "toy"
    title = "Toy"
    knobs = (Knob("steps", 3, 1, 50, integer=True),)
    points = ()

    @register_to_config
    def __init__(self, channels=1, size=1, noise=7):
        super().__init__()
        self.net = self.make()
        self.unused = nn.Linear(5, 5)  # a part that only training would need

    @property
    def network(self):
        return self.net

    def sample(self, seeds, **knobs):
        steps = self.resolve_knobs(knobs)["steps"]
        x = Noise(seeds, self.device)(*self.shape())
        for index in range(steps):
            out = self.network(x)
            yield Step(index + 1, steps, x, out.flatten(1)[:, :1, None, None].tanh())

    def make(self):
        return nn.Linear(self.config.noise, 11)

    def shape(self):
        return (self.config.noise,)


class ToyConvolution(Toy):
    def make(self):
        return nn.Conv2d(3, 8, kernel_size=5, padding=2)

    def shape(self):
        return (3, 12, 12)


class ToyAttention(Toy):
    def make(self):
        return Attention()

    def shape(self):
        return (2, 9, 16)  # heads, tokens, dimensions


class ToyHungry(Toy):
    """Holds 4 MB per image while it samples."""

    def make(self):
        return Hungry()


class Attention(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x)


class Hungry(nn.Module):
    def forward(self, x):
        return torch.ones(len(x), 10**6, device=x.device) + x[:, :1] * 0


def flops(model, **knobs):
    return cost.count_flops(model, [0], knobs)


def test_flops_of_a_linear_layer():
    assert flops(Toy(), steps=1) == 2 * 7 * 11


def test_flops_of_a_convolution():
    # every output pixel of every output map: 5 x 5 x 3 multiplications, and as many additions
    assert flops(ToyConvolution(), steps=1) == 2 * (12 * 12 * 8) * (5 * 5 * 3)


def test_flops_of_attention_are_counted_on_a_cpu():
    # Q K^T and its product with V, in both heads
    assert flops(ToyAttention(), steps=1) == 2 * (2 * 9 * 9 * 16) * 2


def test_flops_grow_with_the_steps():
    assert flops(Toy(), steps=5) == 5 * flops(Toy(), steps=1)


@pytest.mark.parametrize("steps", [1, 4])
def test_calls_are_the_steps(steps):
    model = Toy()
    assert cost.count_calls(model, [0, 1, 2], {"steps": steps}) == steps
    assert not model.network._forward_hooks, "the hook is left behind"


def test_measure_reports_all_of_it():
    measured = cost.measure(Toy(), n=3, repeats=4, steps=2)
    assert (measured.n, measured.repeats, measured.calls) == (3, 4, 2)
    assert measured.flops == 2 * (2 * 7 * 11), "for one image, not for three"
    assert measured.parameters == 7 * 11 + 11
    assert measured.parameters_total == 7 * 11 + 11 + 5 * 5 + 5
    assert measured.knobs == {"steps": 2}
    assert measured.dtype == "float32"
    assert measured.machine["device"] == "cpu"
    assert measured.machine["threads"] == 1
    assert json.loads(json.dumps(asdict(measured))) == asdict(measured)


def test_times_agree_with_one_another(monkeypatch):
    """A clock that gives repeats of 10, 20, 30 and 100 ms: the median lies between the middle two."""
    ticks = iter([0.0, 0.010, 1.0, 1.020, 2.0, 2.030, 3.0, 3.100])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(cost, "peak_memory", lambda *_: None)
    measured = cost.measure(Toy(), n=5, repeats=4)
    assert measured.ms == pytest.approx(25)
    assert measured.ms_p95 == pytest.approx(30 + 0.85 * 70)  # position 0.95 * 3 = 2.85 of the sorted repeats
    assert measured.ms_per_image == pytest.approx(5)
    assert measured.images_per_s == pytest.approx(200)


def test_peak_memory_of_a_known_need():
    """16 images of 4 MB each; the first, made to warm up, may lie in memory already."""
    peak = cost.peak_memory(ToyHungry(), range(16), {"steps": 1})
    if peak is None:
        pytest.skip("this system does not tell a process's peak memory")
    assert 56 <= peak <= 140  # the ones and their sum: 4 to 8 MB per image, and a little of Python's own


def test_peak_memory_of_the_first_calls():
    """Calls 1 and 2 hold 4 MB per image each; were all 40 made, the test would take long, but no more memory."""
    peak = cost.peak_memory(ToyHungry(), range(16), {"steps": 40}, 2)
    if peak is None:
        pytest.skip("this system does not tell a process's peak memory")
    assert 56 <= peak <= 220


def test_peak_memory_of_weights():
    peak = cost.peak_memory(ToyConvolution(), [0], {"steps": 1})
    if peak is None:
        pytest.skip("this system does not tell a process's peak memory")
    weights = (3 * 8 * 5 * 5 + 8 + 5 * 5 + 5) * 4 / 1e6
    assert weights <= peak <= weights + 5


def test_peak_memory_is_that_of_the_model_s_own_layout(monkeypatch):
    jobs = []

    def answer(command, words, wait):
        jobs.append(json.loads(words))
        return "1000000\n"

    monkeypatch.setattr(memory, "run", answer)
    monkeypatch.setattr(memory, "STATUS", Path(__file__))
    for layout in LAYOUTS:
        model = ToyConvolution()
        Settings("float32", layout, 1).apply(model)
        weights = sum(tensor.numel() for tensor in model.parameters()) * 4 / 1e6
        assert cost.peak_memory(model, [0], {"steps": 1}) == pytest.approx(1 + weights)
    assert [job["layout"] for job in jobs] == list(LAYOUTS)


def test_the_process_arranges_the_weights_so(tmp_path, monkeypatch):
    found, model = [], ToyConvolution()
    save_model(tmp_path, model)
    job = {"folder": str(tmp_path), "module": __name__, "class": "ToyConvolution", "dtype": "float32", "threads": 1,
           "seeds": [0], "knobs": {"steps": 1}, "calls": None}  # fmt: skip
    monkeypatch.setattr(memory, "_generate", lambda model, *_: found.append(memory.layout_of(model)))
    monkeypatch.setattr(memory, "RESET", tmp_path / "reset")
    monkeypatch.setattr(memory, "_resident", lambda field: {"VmRSS": 1000, "VmHWM": 5000}[field])
    for layout in LAYOUTS:
        assert memory._work(job | {"layout": layout}) == 4000
    assert found == [layout for layout in LAYOUTS for _ in range(2)]
    monkeypatch.setattr(memory, "RESET", tmp_path)  # which nobody can write to
    assert memory._work(job) is None, "and no traceback"


def test_where_the_peak_cannot_be_reset_it_is_unknown(monkeypatch):
    monkeypatch.setattr(memory, "run", lambda *_: "null\n")
    assert cost.peak_memory(Toy(), [0], {}) is None


def test_no_peak_memory_for_a_class_that_no_process_can_import():
    class Local(Toy):
        pass

    assert cost.peak_memory(Local(), [0], {}) is None


def test_estimate_is_the_share_that_was_tried(monkeypatch):
    """A clock on which the second try of 3 calls takes 0.6 s: 10 calls take 2 s."""
    ticks = iter([0.0, 50.0, 60.0, 60.6])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(ticks))
    assert cost.estimate(Toy(), 4, {"steps": 10}) == (10, pytest.approx(2.0))


def test_estimate_of_fewer_calls_than_are_tried(monkeypatch):
    ticks = iter([0.0, 50.0, 60.0, 60.6])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(ticks))
    assert cost.estimate(Toy(), 4, {"steps": 1}) == (1, pytest.approx(0.6))


def timed(monkeypatch, an_image, **knobs):
    """The sizes and repeats of a sweep in which every image takes `an_image` seconds."""
    monkeypatch.setattr(cost, "estimate", lambda model, n, knobs: (knobs["steps"], n * an_image))
    monkeypatch.setattr(
        cost, "_milliseconds", lambda model, seeds, repeats, knobs: [1000 * an_image * len(seeds)] * repeats
    )
    return list(cost.Sweep(knobs, 50.0).round(Toy()))


def test_a_sweep_of_fast_points_repeats_as_often_as_it_may(monkeypatch):
    timings = timed(monkeypatch, 0.001, steps=1)
    assert [(timing.n, timing.repeats) for timing in timings] == [(n, cost.MOST_REPEATS) for n in cost.SIZES]
    for timing in timings:
        assert timing.ms == timing.ms_p95 == pytest.approx(timing.n)
        assert (timing.ms_per_image, timing.images_per_s) == (pytest.approx(1), pytest.approx(1000))


def test_a_sweep_keeps_to_its_time(monkeypatch):
    """10 s a size: 20, 20 and 6 repeats of 0.1 s per image; 64 images take 6.4 s, and 256 more than a share."""
    timings = timed(monkeypatch, 0.1, steps=20)
    assert [(timing.n, timing.repeats) for timing in timings] == [(1, 20), (4, 20), (16, 6), (64, 1)]
    assert [timing.ms_p95 is None for timing in timings] == [False, False, False, True]


def test_a_sweep_of_many_calls_has_two_sizes_however_slow(monkeypatch):
    timings = timed(monkeypatch, 5.0, steps=50)
    assert [(timing.n, timing.repeats) for timing in timings] == [(1, 2), (4, 1), (16, 1)], "25 s a size would be less"
    monkeypatch.setattr(cost, "MANY_CALLS", 49)
    timings = timed(monkeypatch, 5.0, steps=50)
    assert [(timing.n, timing.repeats) for timing in timings] == [(1, 5), (16, 1)]


def test_rounds_share_the_repeats_and_time_no_more_of_them(monkeypatch):
    """7 repeats in 3 rounds are 3, 3 and 1; what fits once is timed in the first round alone."""
    asked = []

    def times(model, seeds, repeats, knobs):
        asked.append((len(seeds), repeats))
        return [float(len(asked))] * repeats

    monkeypatch.setattr(cost, "estimate", lambda model, n, knobs: (knobs["steps"], n * 0.1))
    monkeypatch.setattr(cost, "_milliseconds", times)
    sweep = cost.Sweep({"steps": 20}, 60.0, rounds=3)
    assert sweep.timings == ()
    first = list(sweep.round(Toy()))
    assert [(timing.n, timing.repeats) for timing in first] == [(1, 7), (4, 7), (16, 3), (64, 1)]
    assert asked == [(1, 7), (4, 7), (16, 3), (64, 1)], "20, 20, 7 and 1 repeats, and 256 images do not fit"
    assert [(one.n, one.repeats) for one in sweep.round(Toy())] == [(1, 14), (4, 14), (16, 6)]
    assert [(one.n, one.repeats) for one in sweep.round(Toy())] == [(1, 20), (4, 20), (16, 7)]
    assert [(one.n, one.repeats) for one in sweep.timings] == [(1, 20), (4, 20), (16, 7), (64, 1)]
    assert sweep.timings[2].ms == 7 and sweep.timings[2].ms_p95 == pytest.approx(9.1), "of 3, 3, 3, 7, 7, 7 and 10"
    assert list(sweep.round(Toy())) == []


@pytest.mark.parametrize("number", [0, -1, 1.5, True, "3", 10**9])
@pytest.mark.parametrize("name", ["n", "repeats"])
def test_bad_counts_are_refused(name, number):
    with pytest.raises(InputError, match="must be a whole number from 1 to"):
        cost.measure(Toy(), **{name: number})


def test_unknown_knob_is_refused():
    with pytest.raises(InputError, match="'steps'"):
        cost.measure(Toy(), step=3)


def test_the_number_format_is_reported(monkeypatch):
    monkeypatch.setattr(cost, "peak_memory", lambda *_: None)
    model = Toy()
    model.compute_dtype = DTYPES["bfloat16"]
    assert cost.measure(model, n=1, repeats=1).dtype == "bfloat16"


@pytest.mark.gpu
def test_peak_memory_on_cuda():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    peak = cost.peak_memory(ToyHungry().to("cuda"), range(16), {"steps": 1})
    assert 64 <= peak <= 150
