"""Models of diffusers' pipelines: taken in, they give diffusers' own images; given out, diffusers loads them."""

import json
from collections import deque

import diffusers
import numpy as np
import pytest
import torch
from diffusers.schedulers import scheduling_ddpm

from gencore import checkpoint, pipelines
from gencore.errors import InputError
from gencore.family import Noise, image_seed
from gencore.pipelines import give_out, take_in

SEEDS = [image_seed(0, place) for place in range(3)]
LINEAR = {"beta_schedule": "linear"}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
CASES = {
    "linear betas, epsilon, 8 grey": (8, 1, LINEAR, {}),
    "cosine betas, v, 16 RGB, unclipped": (
        16, 3, COSINE | {"prediction_type": "v_prediction", "clip_sample": False}, {},
    ),
    "other betas, a wider clip, 28 grey": (28, 1, LINEAR | {"beta_end": 0.012, "clip_sample_range": 1.5}, {}),
    "betas one by one, 64 RGB": (64, 3, {"trained_betas": np.linspace(1e-4, 0.015, 1000).tolist()}, {}),
    "scaled betas, attention blocks, 32 RGB": (
        32, 3, {"beta_schedule": "scaled_linear", "beta_start": 0.001},
        {"down_block_types": ("DownBlock2D", "AttnDownBlock2D"), "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
         "attention_head_dim": 4, "resnet_time_scale_shift": "scale_shift"},
    ),
    "as google/ddpm-cifar10-32 is, 32 RGB": (
        32, 3, LINEAR | {"variance_type": "fixed_large"},
        {"downsample_padding": 0, "flip_sin_to_cos": False, "freq_shift": 1, "norm_eps": 1e-6,
         "attention_head_dim": None},
    ),
}  # fmt: skip


def saved(folder, size=8, channels=1, scheduler=LINEAR, unet=None, kind="DDPM"):
    """Save a small random pipeline as its author would, and return it."""
    torch.manual_seed(size)
    shape = {
        "sample_size": size, "in_channels": channels, "out_channels": channels, "block_out_channels": (8, 16),
        "layers_per_block": 1, "norm_num_groups": 4, "down_block_types": ("DownBlock2D",) * 2,
        "up_block_types": ("UpBlock2D",) * 2,
    }  # fmt: skip
    network = diffusers.UNet2DModel(**shape | (unet or {}))
    for weight in network.parameters():  # the last layers begin at about 0, which would hide what is wrong before them
        torch.nn.init.normal_(weight, std=0.15) if weight.ndim > 1 else None
    pipeline = diffusers.DDPMPipeline(network, getattr(diffusers, f"{kind}Scheduler")(**scheduler))
    pipeline.save_pretrained(folder)
    return pipeline.unet.eval(), pipeline.scheduler


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pipelines, "at_hand", lambda data: False)
    return tmp_path


@torch.no_grad()
def walked(network, scheduler, x, steps, **options):
    """Return the images that diffusers' own scheduler gives, in [0, 1] as its pipelines do."""
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        x = scheduler.step(network(x, t).sample, t, x, **options).prev_sample
    return (x / 2 + 0.5).clamp(0, 1)


@pytest.mark.parametrize(("size", "channels", "scheduler", "unet"), CASES.values(), ids=CASES)
def test_an_imported_model_gives_diffusers_own_images(here, size, channels, scheduler, unet):
    network, its = saved(here / "saved", size, channels, scheduler, unet)
    model = checkpoint.load(take_in("saved", "toys"), device="cpu")
    assert model.image_shape == (channels, size, size)
    ddim = diffusers.DDIMScheduler.from_config(its.config, timestep_spacing="trailing")
    clipped = its.config.clip_sample  # its option is for nothing else
    theirs = walked(network, ddim, model.latent(SEEDS), 10, use_clipped_model_output=clipped)
    ours = model.generate(SEEDS, sampler="ddim", num_inference_steps=10) / 2 + 0.5
    assert theirs.std() > 0.1, "these are no blank images"
    assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
def test_ancestral_sampling_gives_diffusers_own_images_of_the_same_noise(here, monkeypatch, variance):
    network, its = saved(here / "saved", scheduler=LINEAR | {"variance_type": variance, "clip_sample": False})
    model = checkpoint.load(take_in("saved", "toys"), device="cpu")
    noise = Noise(SEEDS)
    x = noise(*model.image_shape)
    draws = iter(range(1, 50))  # of 50 steps the last draws none, as in the paper's Algorithm 2: z = 0
    monkeypatch.setattr(
        scheduling_ddpm, "randn_tensor",
        lambda *_, **__: noise(*model.image_shape) if next(draws, 0) else torch.zeros(len(x), *model.image_shape),
    )  # fmt: skip
    ddpm = diffusers.DDPMScheduler.from_config(its.config, timestep_spacing="trailing")
    theirs = walked(network, ddpm, x, 50)
    assert torch.allclose(model.generate(SEEDS, sampler="ddpm", num_inference_steps=50) / 2 + 0.5, theirs, atol=1e-4)


@pytest.mark.parametrize("sampler", ["sde-dpm-solver++", "dpm-solver++", "unipc", "ddim", "ddpm"])
@pytest.mark.parametrize("kind", ["DDIM", "PNDM"])
def test_an_imported_model_has_every_sampler_and_a_bound(here, kind, sampler):
    saved(here / "saved", kind=kind)
    model = checkpoint.load(take_in("saved", "toys"), device="cpu")
    last = deque(model.sample(SEEDS, sampler=sampler, num_inference_steps=3), maxlen=1).pop()
    assert last.x0.isfinite().all() and last.x0.abs().max() <= 1
    clipped = kind == "DDIM"  # PNDM clips nothing
    assert model.bound_basis()["clipping"].startswith("predicted x_0 clipped" if clipped else "predicted x_0 not")
    x = torch.zeros(1, *model.image_shape)
    assert model.bound_at(x, torch.tensor([500]), torch.zeros_like(x)).isfinite().all()


def test_its_record_says_where_it_comes_from(here, monkeypatch):
    saved(here / "hub" / "0123abcd")
    (here / "hub/0123abcd/README.md").write_text("---\nlicense: apache-2.0\ntags:\n- pytorch\n---\n# A model\n")
    asked = []

    def snapshot_download(name, revision=None, allow_patterns=()):
        asked.append((name, revision, tuple(allow_patterns)))
        return str(here / "hub/0123abcd")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    folder = take_in("someone/ddpm-toys", "toys", revision="main")
    assert folder.as_posix() == "runs/toys/ddpm-toys"
    run = json.loads((folder / "run.json").read_text())
    assert run["origin"] == {
        "source": "someone/ddpm-toys", "revision": "0123abcd", "licence": "apache-2.0", "pipeline": "DDPMPipeline",
    }  # fmt: skip
    assert (run["family"], run["data"]) == ("ddpm", "toys") and "machine" not in run
    # The configs first, then the weights of the very same commit, and neither pickles nor code.
    assert [(name, revision) for name, revision, _ in asked] == [(asked[0][0], "main"), (asked[0][0], "0123abcd")]
    assert all(pattern.endswith((".json", ".md", ".safetensors")) for *_, patterns in asked for pattern in patterns)
    with pytest.raises(InputError, match="already holds a run"):
        take_in("someone/ddpm-toys", "toys")


def test_the_way_back_is_the_same_model(here):
    network, its = saved(here / "saved", scheduler=COSINE | {"clip_sample_range": 1.2})
    (here / "saved/README.md").write_text("---\nlicense: mit\n---\n")
    take_in("saved", "toys")
    give_out("runs/toys/saved", here / "back")
    back = diffusers.DDPMPipeline.from_pretrained(here / "back", use_safetensors=True)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), back.unet.parameters(), strict=True))
    assert torch.equal(back.scheduler.betas, its.betas) and back.scheduler.config.clip_sample_range == 1.2
    assert "license: mit" in (here / "back/README.md").read_text()
    take_in("back", "toys", here / "again")
    once, twice = (checkpoint.load(folder, "cpu").config for folder in ("runs/toys/saved", here / "again"))
    assert once.scheduler_config == twice.scheduler_config and once.unet_config == twice.unet_config
    with pytest.raises(InputError, match="is there already"):
        give_out("runs/toys/saved", here / "back")


def test_a_model_that_was_made_here_goes_out_and_comes_back(here):
    from gencore.families import FAMILIES

    torch.manual_seed(0)
    model = FAMILIES["ddpm"](size=8, widths=(8, 8), prediction="v_prediction").eval()
    checkpoint.save_model(here / "runs/mine", model)
    give_out("runs/mine", here / "out")
    again = checkpoint.load(take_in("out", "toys"), device="cpu")
    assert torch.equal(again.generate(SEEDS, num_inference_steps=3), model.generate(SEEDS, num_inference_steps=3))
    checkpoint.save_model(here / "runs/vae", FAMILIES["vae"](size=8, widths=(8, 8)))
    with pytest.raises(InputError, match="has no pipeline for a VAE"):
        give_out("runs/vae", here / "other")
    checkpoint.save_model(here / "runs/margin", FAMILIES["ddpm"](size=10, widths=(8, 8, 8)))
    with pytest.raises(InputError, match="cannot halve images of 10 pixels 2 times"):
        give_out("runs/margin", here / "other")


def rewritten(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def pickled(folder):
    (folder / "unet/diffusion_pytorch_model.safetensors").unlink()
    torch.save({}, folder / "unet/diffusion_pytorch_model.bin")


def lacking_a_weight(folder):
    path = folder / "unet/diffusion_pytorch_model.safetensors"
    tensors, _ = checkpoint.read_tensors(path)
    tensors.pop(min(tensors))
    checkpoint.write_tensors(path, tensors)


REFUSED = {
    "score": (lambda f: rewritten(f / "model_index.json", _class_name="ScoreSdeVePipeline"), "grows without end"),
    "latents": (lambda f: rewritten(f / "model_index.json", _class_name="LDMPipeline"), "not pixels"),
    "text": (lambda f: rewritten(f / "model_index.json", _class_name="StableDiffusionPipeline"), "only unconditional"),
    "its own code": (lambda f: rewritten(f / "model_index.json", _class_name=["mine", "Mine"]), "code of its own"),
    "a part's code": (lambda f: rewritten(f / "model_index.json", unet=["mine", "UNet2DModel"]), "never run"),
    "another net": (lambda f: rewritten(f / "model_index.json", unet=["diffusers", "UNet1DModel"]), "UNet2DModel"),
    "no index": (lambda f: (f / "model_index.json").unlink(), "no model_index.json"),
    "a torn index": (lambda f: (f / "model_index.json").write_text("{"), "cannot be read as JSON"),
    "no scheduler": (lambda f: (f / "scheduler/scheduler_config.json").unlink(), "not whole"),
    "x0": (lambda f: rewritten(f / "scheduler/scheduler_config.json", prediction_type="sample"), "predicts 'sample'"),
    "T": (lambda f: rewritten(f / "scheduler/scheduler_config.json", num_train_timesteps=4000), "4000 steps"),
    "learned": (lambda f: rewritten(f / "scheduler/scheduler_config.json", variance_type="learned"), "'learned'"),
    "thresholds": (lambda f: rewritten(f / "scheduler/scheduler_config.json", thresholding=True), "thresholding"),
    "zero SNR": (lambda f: rewritten(f / "scheduler/scheduler_config.json", rescale_betas_zero_snr=True), "zero SNR"),
    "solver": (lambda f: rewritten(f / "scheduler/scheduler_config.json", _class_name="KDPM2Scheduler"), "KDPM2"),
    "unknown": (lambda f: rewritten(f / "scheduler/scheduler_config.json", guidance=2), "guidance"),
    "labels": (lambda f: rewritten(f / "unet/config.json", num_class_embeds=10), "a class with every image"),
    "too large": (lambda f: rewritten(f / "unet/config.json", sample_size=256), "256 pixels"),
    "oblong": (lambda f: rewritten(f / "unet/config.json", sample_size=[8, 16]), "squares"),
    "four channels": (lambda f: rewritten(f / "unet/config.json", in_channels=4, out_channels=4), "4 channels"),
    "a variance": (lambda f: rewritten(f / "unet/config.json", out_channels=2), "predict a variance"),
    "no such block": (lambda f: rewritten(f / "unet/config.json", down_block_types=["a", "b"]), "does not describe"),
    "a pickle": (pickled, "never opened"),
    "a weight too few": (lacking_a_weight, "not those that its config calls for"),
    "a cut file": (lambda f: (f / "unet/diffusion_pytorch_model.safetensors").write_bytes(b"\0"), "cannot be read"),
}


@pytest.mark.parametrize(("spoil", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_imported_is_refused_with_a_reason(here, spoil, reason):
    saved(here / "saved")
    spoil(here / "saved")
    with pytest.raises(InputError, match=reason):
        take_in("saved", "toys")
    assert not (here / "runs").exists(), "and nothing is left behind"


def test_sources_that_are_none_are_refused(here):
    (here / "model.ckpt").write_bytes(b"\x80\x02")
    for source, reason in {"model.ckpt": "never opened", "nowhere": "no folder", "a/b/c": "no folder"}.items():
        with pytest.raises(InputError, match=reason):
            take_in(source, "toys")


def test_a_model_of_other_images_than_the_data_is_refused(here, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(here)
    saved(here / "saved", size=16, channels=3)
    with pytest.raises(InputError, match="makes 16x16 RGB images, and those of digits are 8x8 grey"):
        take_in("saved", "digits")


def test_the_data_are_read_in_the_view_that_is_asked_for_and_not_decoded_all(here, monkeypatch):
    from gencore.data import View, images

    monkeypatch.undo()
    monkeypatch.chdir(here)
    saved(here / "saved", size=16, channels=3)
    decoded = []
    monkeypatch.setattr(images, "decode", lambda cell, own=images.decode: decoded.append(cell) or own(cell))
    folder = take_in("saved", "digits", view=View(16, 3))
    assert len(decoded) <= 1
    assert json.loads((folder / "run.json").read_text())["view"] == {"size": 16, "channels": 3}
    assert checkpoint.find(folder).view == {"size": 16, "channels": 3}


def test_the_command_takes_the_view_of_the_data(here, monkeypatch):
    from typer.testing import CliRunner

    from gencore.cli import app

    monkeypatch.undo()
    monkeypatch.chdir(here)
    saved(here / "saved", size=16, channels=3)
    asked = ["import", "saved", "--data", "digits", "--size", "16", "--channels", "3", "--fit", "pad"]
    assert CliRunner().invoke(app, asked, catch_exceptions=False).exit_code == 0
    run = json.loads((here / "runs/digits/saved/run.json").read_text())
    assert run["view"] == {"size": 16, "channels": 3, "fit": "pad"}
