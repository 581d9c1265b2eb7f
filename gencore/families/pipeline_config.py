"""The configs of diffusers' unconditional pixel pipelines, as arguments of a diffusion model, or a refusal.

The names and defaults are those of `diffusers.UNet2DModel`, `DDPMScheduler`, `DDIMScheduler` and `PNDMScheduler`.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import diffusers

from gencore.errors import InputError
from gencore.families.timesteps import TRAIN_STEPS

SCHEDULES = ("linear", "squaredcos_cap_v2", "scaled_linear", "sigmoid")  # of betas
PREDICTIONS = ("epsilon", "v_prediction")
VARIANCES = ("fixed_small", "fixed_large")
SIDES = 8, 64  # pixels
SCHEDULERS = ("DDPMScheduler", "DDIMScheduler", "PNDMScheduler")
# UNet2DModel's settings that a model here has arguments of its own for
OWN = {"block_out_channels": "widths", "layers_per_block": "layers", "add_attention": "attention", "dropout": "dropout"}
FIXED = ("sample_size", "in_channels", "out_channels")  # by the images
# Of a scheduler; timestep_spacing, steps_offset and set_alpha_to_one say how few steps are placed, which samplers do.
LEGACY = ("tensor_format", "timestep_values")  # of schedulers before diffusers 0.2, which say nothing of the maths
BETAS = ("beta_start", "beta_end", "trained_betas", "clip_sample", "clip_sample_range")


def parsed(name: str, text: str) -> dict[str, Any]:
    """Return the object in an argument that holds JSON; {} of none.

    Raises:
        InputError: if it is no such text.
    """
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InputError(f"{name} must be a JSON object, not {text[:40]!r}.")
    return value


def unet_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's arguments for the config of a `UNet2DModel`.

    Raises:
        InputError: if it takes labels, if its images are no squares of 8 to 64 pixels, grey or RGB, if it gives more
            than one number a pixel and channel, or if it has settings that are not known.
    """
    known = _settings(diffusers.UNet2DModel)
    given = _given(config, known, "U-Net")
    values = known | given
    if values["num_class_embeds"] or values["class_embed_type"]:
        raise InputError("Its U-Net wants a class with every image; only unconditional models can be imported.")
    sides = values["sample_size"]
    sides = list(sides) if isinstance(sides, list | tuple) else [sides, sides]
    if sides[0] != sides[1] or not isinstance(sides[0], int) or not SIDES[0] <= sides[0] <= SIDES[1]:
        raise InputError(
            f"Its U-Net is for images of {values['sample_size']} pixels; here they are squares of {SIDES[0]} to "
            f"{SIDES[1]} a side."
        )
    channels, out = values["in_channels"], values["out_channels"]
    if channels not in (1, 3):
        raise InputError(f"Its U-Net is for images of {channels} channels; here they have 1 (grey) or 3 (RGB).")
    if out != channels:
        raise InputError(
            f"Its U-Net gives {out} channels for {channels}, as those do that predict a variance too; "
            "only a fixed variance can be imported."
        )
    rest = {key: value for key, value in values.items() if key not in (*OWN, *FIXED)}
    own = {mine: values[theirs] for theirs, mine in OWN.items()}
    own["widths"] = tuple(own["widths"])
    return {"channels": channels, "size": sides[0], **own, "unet_config": json.dumps(rest, sort_keys=True)}


def scheduler_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's arguments for the config of a scheduler: betas, prediction, variance and clipping.

    A scheduler that does not know a setting has it as it computes: PNDM clips nothing.

    Raises:
        InputError: if it is none of `SCHEDULERS`, or does something else than samplers here do.
    """
    name = config.get("_class_name")
    if name not in SCHEDULERS:
        raise InputError(f"Its scheduler is {name!r}; only {', '.join(SCHEDULERS)} say how a DDPM was trained.")
    known = _settings(getattr(diffusers, name))
    values = {"variance_type": "fixed_small", "clip_sample": False, "clip_sample_range": 1.0} | known
    values |= _given(config, {**values, **_settings(diffusers.DDPMScheduler), **dict.fromkeys(LEGACY)}, "scheduler")
    for wrong, reason in (
        (values["num_train_timesteps"] != TRAIN_STEPS,
         f"has {values['num_train_timesteps']} steps of noise; here they are {TRAIN_STEPS}"),
        (values["prediction_type"] not in PREDICTIONS,
         f"says that the network predicts {values['prediction_type']!r}; here that is {' or '.join(PREDICTIONS)}"),
        (values["trained_betas"] is None and values["beta_schedule"] not in SCHEDULES,
         f"has the betas {values['beta_schedule']!r}; here they are {', '.join(SCHEDULES)}"),
        (values.get("thresholding"), "clips each image by its own brightness (thresholding); no sampler here does"),
        (values.get("rescale_betas_zero_snr"), "ends in pure noise (zero SNR), from which few solvers find a way back"),
        (_variance(values) not in VARIANCES,
         f"has the variance {values['variance_type']!r}; here it is {' or '.join(VARIANCES)}"),
    ):  # fmt: skip
        if wrong:
            raise InputError(f"Its scheduler {reason}.")
    schedule = values["beta_schedule"] if values["beta_schedule"] in SCHEDULES else SCHEDULES[0]
    rest = {key: values[key] for key in BETAS}
    return {
        "schedule": schedule,
        "prediction": values["prediction_type"],
        "variance": _variance(values),
        "scheduler_config": json.dumps(rest, sort_keys=True),
    }


def _variance(values: Mapping[str, Any]) -> str:
    """Return the variance; 'fixed_small_log' is 'fixed_small', computed by way of its logarithm."""
    return {"fixed_small_log": "fixed_small"}.get(values["variance_type"], values["variance_type"])


def _settings(cls: type) -> dict[str, Any]:
    """Return a diffusers class's settings with their defaults."""
    parameters = inspect.signature(cls.__init__).parameters
    return {name: one.default for name, one in parameters.items() if name != "self"}


def _given(config: Mapping[str, Any], known: Mapping[str, Any], what: str) -> dict[str, Any]:
    given = {key: value for key, value in config.items() if not key.startswith("_")}
    if unknown := sorted(set(given) - set(known)):
        raise InputError(f"Its {what} has settings that are not known here: {', '.join(unknown)}.")
    return given
