"""`python -m gencore`, with all that takes long made short: `python -m tests.support.tiny_compare compare ...`."""

from gencore.cli import main
from gencore.comparison import plan, recipes
from gencore.evaluation import memory
from gencore.extractors import EXTRACTORS
from gencore.presets import PRESETS, Run

LEARNT = ("classifier", "self-supervised")


def shorten(patch):
    """Make probes, timings and networks small, and leave out the extractors that learn in many steps.

    Args:
        patch: Sets an attribute of an object: `setattr`, or pytest's `monkeypatch.setattr`.
    """
    patch(recipes, "PROBE_SECONDS", 0.05)
    patch(plan, "TIMING_SECONDS", (0.02, 0.02))
    patch(memory, "peak_memory", lambda *_, **__: None)
    for name in LEARNT:
        EXTRACTORS.pop(name, None)
    narrow = {"vae": {"latent": 2, "components": 2}, "gan": {"latent": 4, "probe_widths": (8, 8)}, "ddpm": {}}
    for family, model in narrow.items():
        train = {"images": 100, "batch": 16, "timelapse": 6, "dtype": "float32", "layout": "contiguous"}
        PRESETS[f"digits/{family}"] = Run(family, "digits", {"widths": (8, 8)} | model, train)


if __name__ == "__main__":
    shorten(setattr)
    main()
