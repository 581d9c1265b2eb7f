"""gencore: train, run and measure a VAE, a GAN, a DDPM and a consistency model on the same images.

`load` and `FAMILIES` are imported at first use, so that `import gencore` costs nothing.
"""

from importlib import import_module
from typing import Any

from gencore.importing import lean_diffusers

__version__ = "0.1.0"
__all__ = ["FAMILIES", "__version__", "load"]

lean_diffusers()  # before anything imports it

_HOMES = {"load": "gencore.checkpoint", "FAMILIES": "gencore.families"}


def __getattr__(name: str) -> Any:
    """Import `load` and `FAMILIES` when they are first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gencore' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
