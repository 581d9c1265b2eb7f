"""The contract: what every family in the registry does. A fourth family is tested by being registered, as one is here.

What only the shipped families are held to stands at the end.
"""

import inspect
import itertools

import numpy as np
import pytest
import torch
from torch import nn

from gencore import checkpoint
from gencore.data import load_images, to_float, to_uint8
from gencore.errors import InputError
from gencore.families import FAMILIES
from gencore.family import (
    Bounds,
    BoundsInParts,
    Decodes,
    Diffuses,
    Encodes,
    Family,
    Inverts,
    Judges,
    PostTrainingFit,
    ValidationHook,
    derived_seed,
    image_seed,
    resolve_knobs,
    sum_parts,
)
from gencore.presets import PRESETS
from gencore.train import train
from tests.support import flow

SIZE = 8
NAMES = [*FAMILIES, flow.Flow.name]
VARIANTS = {  # beside the preset's, by family: arguments that choose another way to make or to judge images
    "ddpm": [{"prediction": "v_prediction"}],
    "gan": [{"objective": "minimax"}],
}
LECTURED = ("vae", "gan", "ddpm")  # the families that the lecture is about
MODELS = [(name, config) for name in NAMES for config in ({}, *VARIANTS.get(name, ()))]


@pytest.fixture(scope="module", autouse=True)
def fourth():
    with flow.registered():
        yield


@pytest.fixture(params=NAMES, scope="module")
def family(request, fourth):
    return FAMILIES[request.param]


@pytest.fixture(scope="module")
def digits():
    return to_float(load_images("digits").x)


@pytest.fixture(params=MODELS, ids=lambda one: "-".join([one[0], *one[1].values()]), scope="module")
def model(request, fourth):
    name, config = request.param
    torch.manual_seed(0)
    return make(FAMILIES[name], **config).eval()


def make(family, **config) -> Family:
    return family(channels=1, size=SIZE, **PRESETS[f"digits/{family.name}"].model | config)


def quick(knobs):
    """Fewer network calls where a number of calls can be chosen."""
    return {knob.name: 4 for knob in knobs if knob.integer and not knob.choices and knob.high >= 4}


def test_registered_under_its_name(family):
    assert FAMILIES[family.name] is family and family.title


def test_networks_and_network_are_parts_of_the_model(model):
    parts = set(model.modules())
    assert model.networks and all(network in parts for network in model.networks.values())
    assert model.network in parts
    trained = {id(p) for network in model.networks.values() for p in network.parameters()}
    assert trained == {id(p) for p in model.parameters()}


def test_no_layer_mixes_the_batch(model):
    mixing = (nn.modules.batchnorm._BatchNorm, nn.SyncBatchNorm)
    assert not [m for m in model.modules() if isinstance(m, mixing)]


def test_steps_count_network_calls_and_images_are_in_range(model):
    calls = []
    hook = model.network.register_forward_hook(lambda *_: calls.append(1))
    steps = list(model.sample([1, 2, 3], **quick(model.knobs)))
    hook.remove()
    assert [s.index for s in steps] == list(range(1, len(steps) + 1))
    assert {s.total for s in steps} == {len(steps)} == {len(calls)}
    for step in steps:
        assert step.x0.shape == (3, *model.image_shape) and step.x0.dtype == torch.float32
        assert step.x0.min() >= -1 and step.x0.max() <= 1 and torch.isfinite(step.x).all()
        assert not step.x0.requires_grad


def test_generate_is_the_last_step(model):
    *_, last = model.sample([5, 6], **quick(model.knobs))
    assert torch.equal(model.generate([5, 6], **quick(model.knobs)), last.x0)


def test_an_image_depends_on_its_seed_alone(model):
    options = quick(model.knobs)
    together = model.generate([11, 12, 13], **options)
    assert torch.equal(together, model.generate([11, 12, 13], **options))
    alone = torch.cat([model.generate([seed], **options) for seed in (11, 12, 13)])
    apart = (to_uint8(alone).int() - to_uint8(together).int()).abs().max()
    assert apart <= 1
    torch.manual_seed(99)  # the global generator plays no part
    assert torch.equal(together, model.generate([11, 12, 13], **options))
    assert not torch.equal(together[0], together[1])


def test_runs_with_neighbouring_seeds_share_no_image():
    seeds = [{image_seed(run, i) for i in range(1000)} for run in range(4)]
    assert len(set.union(*seeds)) == 4000
    assert image_seed(0, 0) == int.from_bytes(__import__("hashlib").sha256(b"0/0").digest()[:8], "big") >> 1


def test_no_use_of_a_seed_shares_its_random_numbers_with_another():
    images = {image_seed(0, i) for i in range(-1, 1000)}
    steps = {derived_seed(0, "step", step, rank) for step in range(500) for rank in range(2)}
    assert len(images | steps | {derived_seed(0, "weights")}) == len(images) + len(steps) + 1


@pytest.mark.parametrize("seeds", [[-1], [1.5], ["x"], [None], [2**63], [True], []])
def test_bad_seeds_get_a_sentence(model, seeds):
    with pytest.raises(InputError, match=r"must be"):
        model.generate(seeds)


def test_numpy_and_large_seeds_are_fine(model):
    options = quick(model.knobs)
    same = model.generate(np.array([3, 4]), **options)
    assert torch.equal(same, model.generate([3, 4.0], **options))
    assert model.generate([2**63 - 1], **options).shape[0] == 1


def test_bad_knobs_get_a_sentence(model):
    with pytest.raises(InputError, match="no knob"):
        model.generate([1], no_such_knob=1)
    for knob in model.knobs:
        assert knob.parse(knob.default) == knob.default
        bad = ["nonsense", None, float("nan"), True, knob.low - 1, knob.high + 1, [], 10**400]
        bad += [knob.low + 0.5] if knob.integer else []
        for value in bad:
            with pytest.raises(InputError, match=knob.name):
                resolve_knobs(model.knobs, {knob.name: value})
        if not knob.choices:
            assert knob.parse(knob.low) == knob.low and knob.parse(knob.high) == knob.high


def test_a_knob_without_effect_is_refused(family):
    for knob in family.knobs:
        for other, allowed in knob.when.items():
            chooser = next(k for k in family.knobs if k.name == other)
            elsewhere = next(c for c in chooser.choices if c not in allowed)
            changed = knob.high if knob.default != knob.high else knob.low
            with pytest.raises(InputError, match="has an effect only with"):
                resolve_knobs(family.knobs, {other: elsewhere, knob.name: changed})
            resolve_knobs(family.knobs, {other: allowed[0], knob.name: changed})


def test_every_choice_samples(model):
    for knob in model.knobs:
        for choice in knob.choices:
            images = model.generate([1, 2], **quick(model.knobs) | {knob.name: choice})
            assert torch.isfinite(images).all()


def test_losses_are_scalars_of_known_networks(model, digits):
    seen, stepped = [], set()
    for loss in model.losses(digits[:16]):
        assert loss.network in model.networks and loss.value.ndim == 0 and torch.isfinite(loss.value)
        assert loss.value.requires_grad and not any(v.requires_grad for v in loss.logs.values())
        seen += loss.logs
        stepped.add(loss.network)
    assert len(seen) == len(set(seen)), "one log name, one figure"
    assert stepped == set(model.networks)


def test_twenty_steps_train_every_network(family, tmp_path):
    """One network: its loss falls. Several (a GAN): all move, and every figure, the win rate too, stays finite."""
    run = PRESETS[f"digits/{family.name}"]
    settings = {"images": 20 * 64, "batch": 64, "warmup": 0, "dtype": "float32", "layout": "contiguous", "timelapse": 0}
    steps = train(type(run)(run.family, run.data, run.model, run.train | settings), tmp_path / "run")
    torch.manual_seed(derived_seed(0, "weights"))
    start = make(family).state_dict()
    logs = [step.logs for step in steps]
    assert len(logs) == 20
    assert all(np.isfinite(list(log.values())).all() for log in logs)
    assert set(logs[0]) >= {"loss"} | {f"{name}_loss" for name in [*make(family).networks][1:]}
    end = checkpoint.load(tmp_path / "run")
    for name, network in end.networks.items():
        prefix = next((f"{key}." for key, module in end.named_children() if module is network), "")
        moved = [not torch.equal(value, start[prefix + key]) for key, value in network.named_parameters()]
        assert sum(moved) > len(moved) / 2, f"{name} did not move"
    if len(end.networks) == 1:
        losses = [log["loss"] for log in logs]
        assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_saved_and_loaded_it_gives_the_same_images(model, tmp_path):
    checkpoint.save_model(tmp_path / "m", model)
    loaded = checkpoint.load(tmp_path / "m")
    options = quick(model.knobs)
    assert torch.equal(loaded.generate([1, 2], **options), model.generate([1, 2], **options))
    assert not loaded.training


def test_colour_and_other_sizes(family):
    extra = {k: v for k, v in PRESETS[f"digits/{family.name}"].model.items()}
    model = family(channels=3, size=12, **extra).eval()
    assert model.generate([1], **quick(family.knobs)).shape == (1, 3, 12, 12)
    for loss in model.losses(torch.rand(4, 3, 12, 12) * 2 - 1):
        assert torch.isfinite(loss.value)


def test_a_size_that_cannot_be_halved_gets_a_sentence(family):
    try:
        model = family(channels=1, size=2)
    except InputError as error:
        assert "cannot be halved" in str(error)
    else:
        assert model.eval().generate([1], **quick(model.knobs)).shape == (1, 1, 2, 2), "it halves nothing"


def test_every_even_size_is_trained_and_sampled(family):
    """With every other argument at its default, those that list feature maps included, but narrow."""
    arguments = inspect.signature(family.__init__).parameters
    narrow = {"widths": (8, 8, 8)} if "widths" in arguments else {}
    for size in range(8, 65, 2):
        model = family(channels=1, size=size, **narrow)
        for loss in model.losses(torch.rand(2, 1, size, size) * 2 - 1):
            assert torch.isfinite(loss.value), size
        assert model.eval().generate([1], **quick(model.knobs)).shape == (1, 1, size, size)


def test_bfloat16_is_close(model):
    options = quick(model.knobs)
    exact = model.generate([1, 2, 3, 4], **options)
    model.compute_dtype = torch.bfloat16
    try:
        rough = model.generate([1, 2, 3, 4], **options)
    finally:
        del model.compute_dtype
    assert rough.dtype == torch.float32 and (rough - exact).abs().mean() < 0.1


def test_decodes(model):
    if not isinstance(model, Decodes):
        pytest.skip("does not decode")
    latent = model.latent([1, 2])
    images = model.decode(latent)
    assert images.shape == (2, *model.image_shape) and images.abs().max() <= 1
    assert torch.equal(images, model.decode(latent)), "an image is a function of its latent"


def test_encodes(model, digits):
    if not isinstance(model, Encodes):
        pytest.skip("does not encode")
    mean, std = model.encode(digits[:5])
    assert mean.shape == std.shape and len(mean) == 5 and (std > 0).all()


def test_inverts(model, digits):
    if not isinstance(model, Inverts):
        pytest.skip("finds no latents of images")
    latent = model.invert(digits[:3])
    assert latent.shape == model.latent([1, 2, 3]).shape, "what `decode` takes"
    assert model.decode(latent).shape == digits[:3].shape


def test_bounds(model, digits):
    if not isinstance(model, Bounds):
        pytest.skip("has no bound")
    terms = model.bound(digits[:5])
    assert all(value.shape == (5,) and torch.isfinite(value).all() for value in terms.values())
    assert (terms["elbo"] <= 0).all(), "log P of one of 256 levels a pixel cannot be positive"
    assert model.bound_basis()["prior"] and all(model.bound_basis().values())
    before = torch.get_rng_state()
    one, other, new = (model.bound(digits[:5], torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], other[name]) for name in terms), "the generator decides"
    assert not torch.equal(one["elbo"], new["elbo"]) and torch.equal(torch.get_rng_state(), before)
    if isinstance(model, BoundsInParts):
        *_, last = parts = list(model.bound_parts(digits[:5], torch.Generator().manual_seed(1)))
        assert [part.index for part in parts] == list(range(1, last.total + 1))
        assert all(torch.equal(value, one[name]) for name, value in sum_parts(parts).items())


def test_diffuses(model, digits):
    if not isinstance(model, Diffuses):
        pytest.skip("does not diffuse")
    x, noise, last = digits[:4], torch.randn(4, *model.image_shape), len(model.alphas_cumprod()) - 1
    t = torch.tensor([0, last // 100 + 1, last // 2 + 1, last])
    x_t = model.diffuse(x, t, noise)
    nearer = (x_t - x).flatten(1).norm(dim=1)
    assert (nearer.diff() > 0).all() and (x_t[3] - noise[3]).norm() < 0.1 * noise[3].norm()
    assert model.predict(x_t, t).abs().max() <= 1


def test_the_alphas_and_timesteps_of_diffusion(model, digits):
    if not isinstance(model, Diffuses):
        pytest.skip("does not diffuse")
    abar, noise = model.alphas_cumprod(), torch.randn(1, *model.image_shape)
    assert abar.ndim == 1 and (abar.diff() < 0).all() and abar.min() >= 0 and abar.max() < 1
    for t in (0, len(abar) // 2, len(abar) - 1):
        x_t = model.diffuse(digits[:1], torch.tensor([t]), noise)
        assert torch.allclose(x_t, abar[t].sqrt() * digits[:1] + (1 - abar[t]).sqrt() * noise, atol=1e-5)
    options = quick(model.knobs)
    steps, times = list(model.sample([1, 2], **options)), model.timesteps(**options)
    assert len(times) == steps[-1].total and times[0] == len(abar) - 1
    assert all(late < early for early, late in itertools.pairwise(times)), "the way leads down"
    t = torch.full((2,), times[0])
    assert torch.allclose(model.predict(model.latent([1, 2]), t), steps[0].x0, atol=1e-5), "where sampling starts"


def test_judges(model, digits):
    if not isinstance(model, Judges):
        pytest.skip("does not judge")
    probability = model.judge(digits[:5])
    assert probability.shape == (5,) and ((probability > 0) & (probability < 1)).all()


def test_post_training_fit_and_validation_hook(family, digits):
    model = make(family).eval()
    if isinstance(model, ValidationHook):
        with torch.no_grad():
            assert all(torch.isfinite(v).all() for v in model.validation_figures(digits[:50]).values())
    if isinstance(model, PostTrainingFit):
        model.fit_after_training(digits[:400].split(100))
        assert torch.isfinite(model.generate([1, 2, 3])).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_the_shipped_families_explain_their_knobs_and_the_lectures_have_a_point_of_it(name):
    family = FAMILIES[name]
    assert family.points[0].kind == "headline" and not family.points[0].knobs, "first comes the default"
    if name in LECTURED:
        assert any(point.kind == "lecture" for point in family.points)
    assert all(knob.help for knob in family.knobs)
    with pytest.raises(InputError, match="cannot be halved"):
        family(channels=1, size=2)
