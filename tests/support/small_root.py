"""A root of checkpoints with features of the digits, and families that were trained on them for a few steps."""

from dataclasses import replace

from gencore.extractors import Options
from gencore.extractors.reference import write_features
from gencore.presets import PRESETS
from gencore.train import train

SETTINGS = {"batch": 64, "warmup": 0, "dtype": "float32", "layout": "contiguous", "timelapse": 0}


def small_root(root, families=(), images=128, epochs=1):
    """Make it in a folder, and return that."""
    options = Options(epochs=epochs, widths=(8, 8), dtype="float32", device="cpu")
    list(write_features("digits", root, "all", options, lambda share, words: None))
    for name in families:
        run = PRESETS[f"digits/{name}"]
        settings = run.train | SETTINGS | {"images": images}
        list(train(replace(run, train=settings), root / "digits" / name, device="cpu"))
    return root
