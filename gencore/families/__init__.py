"""The registry of model families: one import and one entry each; everything else follows from it."""

from gencore.families.ddpm import DDPM
from gencore.families.gan import GAN
from gencore.families.vae import VAE
from gencore.family import Family

FAMILIES: dict[str, type[Family]] = {family.name: family for family in (VAE, GAN, DDPM)}
