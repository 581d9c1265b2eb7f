"""Where networks run: number formats, TF32, a device without float64, and what several processes share."""

import re
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

import pytest
import torch

from gencore.device import (
    Settings,
    check_training_dtype,
    describe_machine,
    fastest_settings,
    pick_device,
    reduced_dtype,
)
from gencore.errors import InputError
from gencore.evaluation.bound import finite
from gencore.families import FAMILIES, processes
from gencore.family import Bounds, BoundsInParts, Decodes, Diffuses, Encodes, Family, FitsPrior, Inverts, Judges
from tests.support.no_float64 import There, moved, pretended

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "vae": {"widths": (8, 8), "latent": 2, "components": 2},
    "gan": {"widths": (8, 8), "latent": 4},
    "ddpm": {"widths": (8, 16), "attention": False},
    "consistency": {"widths": (8, 16), "attention": False},
}


@pytest.fixture
def cuda(monkeypatch):
    """A machine that says it has a GPU, with TF32 on as PyTorch has it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")
    switches = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [switch.allow_tf32 for switch in switches]
    for switch in switches:
        switch.allow_tf32 = True
    yield
    for switch, value in zip(switches, before, strict=True):
        switch.allow_tf32 = value


def test_float32_is_float32_on_cuda_and_the_machine_says_so(cuda):
    assert describe_machine("cuda")["tf32"] is True
    pick_device("cpu")
    assert torch.backends.cudnn.allow_tf32, "nothing to turn off there"
    pick_device("cuda")
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    assert describe_machine("cuda")["tf32"] is False and "tf32" not in describe_machine("cpu")


@pytest.mark.parametrize(("there", "dtype"), [(True, "bfloat16"), (False, "float16")])
def test_a_gpu_without_bfloat16_gets_float16(monkeypatch, there, dtype):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: there)
    assert reduced_dtype(torch.device("cuda")) == dtype and reduced_dtype(torch.device("cpu")) == "bfloat16"


def test_auto_tries_what_the_device_is_made_for(monkeypatch):
    tried = []
    model = FAMILIES["gan"](size=8, **TINY["gan"])
    monkeypatch.setattr("gencore.device.reduced_dtype", lambda device: "float16")
    fastest_settings(model, lambda trial, settings: tried.append(settings.dtype), layout="contiguous")
    fastest_settings(model, lambda trial, settings: tried.append("training"), "auto", "contiguous", ("float32",))
    assert set(tried) == {"float32", "float16"}, "one format to train in is not tried at all"


@pytest.mark.parametrize(
    ("settings", "words"),
    [(("float32", "contiguous", 100_000), "threads must be a whole number from 1 to 1024, not 100000"),
     (("float32", "contiguous", 0), "threads must"), (("float32", "contiguous", True), "threads must"),
     (("float32", "contiguous", "2"), "threads must"), (("float8", "contiguous", 1), "dtype is 'float8'"),
     ((["float32"], "contiguous", 1), "dtype is"), (("float32", "planar", 1), "layout is 'planar'")],
)  # fmt: skip
def test_a_record_of_settings_that_nothing_runs_in_is_refused(settings, words):
    """100,000 threads end the process by a segmentation fault."""
    with pytest.raises(InputError, match=words):
        Settings(*settings)


def test_float16_is_for_sampling():
    for good in ("auto", "float32", "bfloat16"):
        check_training_dtype(good)
    for bad, words in (("float16", "for sampling alone"), ("float8", "dtype is 'float8'")):
        with pytest.raises(InputError, match=words):
            check_training_dtype(bad)


@pytest.mark.parametrize("family", FAMILIES)
def test_float16_is_close(family):
    torch.manual_seed(0)
    model = FAMILIES[family](size=8, **TINY[family]).eval()
    few = {knob.name: 3 for knob in model.knobs if knob.integer}
    exact = model.generate([1, 2], **few)
    model.compute_dtype = torch.float16
    assert (model.generate([1, 2], **few) - exact).abs().mean() < 0.05


# ---- a device without float64


@pytest.mark.parametrize(
    ("family", "config"), [*((name, {}) for name in FAMILIES), ("ddpm", {"prediction": "v_prediction"})]
)
def test_nothing_needs_float64_on_the_device(family, config, monkeypatch):
    torch.manual_seed(0)
    model = FAMILIES[family](size=8, **TINY[family] | config).eval()
    few = {knob.name: 3 for knob in model.knobs if knob.integer}
    expected = model.generate([1, 2], **few)
    monkeypatch.setattr(Family, "autocast", lambda self: nullcontext())  # which knows real devices only
    with torch.no_grad(), pretended():
        moved(model)
        x = torch.rand(2, 1, 8, 8).to("lazy")
        images = model.generate([1, 2], **few)
        assert isinstance(images, There) and torch.allclose(images.here, expected, atol=1e-5)
        for knob in model.knobs:
            for choice in knob.choices:
                assert isinstance(model.generate([1], **few | {knob.name: choice}), There)
        assert all(isinstance(value, There) for value in everything(model, x))
        if isinstance(model, Bounds) and not isinstance(model, BoundsInParts):
            assert len(finite(model.bound(x)["elbo"], "elbo", 0)) == 2


def everything(model, x):
    """Yield what a model's capabilities give for images x."""
    t = torch.tensor([3, 900]).to(x.device)
    if isinstance(model, Diffuses):
        yield model.predict(model.diffuse(x, t, torch.randn(2, 1, 8, 8).to(x.device)), t)
    if isinstance(model, Decodes):
        yield model.decode(model.latent([1, 2]))
    if isinstance(model, Encodes):
        yield from model.encode(x)
    if isinstance(model, Inverts):
        yield model.decode(model.invert(x))
    if isinstance(model, BoundsInParts):
        yield from (part.value for part in islice(model.bound_parts(x), 3))
        yield model.bound_at(x, t, torch.zeros_like(x))
    if isinstance(model, Judges):
        yield model.judge(x)
    if isinstance(model, FitsPrior):
        yield model.prior_density(torch.linspace(-1, 1, 5).to(x.device))


def test_the_pretended_device_is_as_strict_as_one():
    with pretended():
        there = torch.ones(2).to("lazy")
        with pytest.raises(TypeError, match="float64"):
            there.double()
        with pytest.raises(TypeError, match="float64"):
            torch.zeros(2, dtype=torch.float64).to("lazy")
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(2)
        assert (there + 1).device.type == "lazy" and (there + 1).cpu().double().tolist() == [2, 2]


def test_nothing_is_made_float64_before_it_is_on_the_cpu():
    """Pages' engines too, which no test runs on such a device."""
    files = [*(ROOT / "gencore").rglob("*.py"), *(ROOT / "dashboard").rglob("*.py")]
    wrong = [str(file) for file in files if re.search(r"(double\(\)|float64\))\.cpu\(\)", file.read_text())]
    assert files and not wrong


# ---- several processes


def test_alone_a_process_is_the_whole():
    value = torch.tensor(3.0)
    assert processes.place() == (0, 1) and processes.mean(value) is value


def test_the_strata_of_t_are_those_of_the_whole_batch(monkeypatch):
    """Two ranks with 8 images each: together one t in each of 16 strata."""
    model = FAMILIES["ddpm"](size=8, **TINY["ddpm"])
    seen = []
    monkeypatch.setattr(model, "diffuse", lambda x, t, noise: seen.append(t) or x)
    for rank in (0, 1):
        monkeypatch.setattr(processes, "place", lambda rank=rank: (rank, 2))
        next(model.losses(torch.zeros(8, 1, 8, 8)))
    strata = torch.cat(seen).sort().values * 16 // 1000
    assert strata.tolist() == list(range(16))
