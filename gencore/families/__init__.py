"""The registry of model families: one import and one line each; everything else follows from it."""

from gencore.families.ddpm import DDPM
from gencore.families.gan import GAN
from gencore.families.registration import register
from gencore.families.vae import VAE
from gencore.family import Family

FAMILIES: dict[str, type[Family]] = register(
    VAE,
    GAN,
    DDPM,
)
