"""The registry of model families: one import and one line each; everything else follows from it."""

from collections.abc import Mapping
from typing import Any

from gencore.families.consistency import Consistency
from gencore.families.ddpm import DDPM
from gencore.families.gan import GAN
from gencore.families.registration import register
from gencore.families.vae import VAE
from gencore.family import Change, Family

FAMILIES: dict[str, type[Family]] = register(
    VAE,
    GAN,
    DDPM,
    Consistency,
)


def changes_of(family: str, knobs: Mapping[str, Any]) -> list[Change]:
    """Return the changes of a family's sampling that concern these knobs; none if the family is not registered."""
    return FAMILIES[family].changes_of(knobs) if family in FAMILIES else []
