"""Deterministic DDIM in 20 calls, the same weights and noise, here and in diffusers' DDIMPipeline: `make race`.

python benchmarks/sampling.py [threads]: in turns, at several batches, float32 and bfloat16; the images are compared.
"""

import sys
from pathlib import Path

import diffusers
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.turns import told, turns
from gencore import load
from gencore.device import Settings, describe_machine

CHECKPOINT, CALLS, BATCHES = "mnist/ddpm", 20, (1, 16, 64)
OURS = (
    ("float32", "contiguous"), ("float32", "channels_last"), ("bfloat16", "contiguous"), ("bfloat16", "channels_last")
)  # fmt: skip


def noise(model, count):
    """The noise that the pipeline draws, too."""
    return torch.randn(count, *model.image_shape, generator=torch.Generator().manual_seed(0))


def theirs(pipeline, count):
    """The pipeline's images, (N, H, W, C) in [0, 1]."""
    return pipeline(
        count, torch.Generator().manual_seed(0), eta=0.0, num_inference_steps=CALLS, use_clipped_model_output=True,
        output_type="np",
    ).images  # fmt: skip


def ours(model, settings, count):
    """The same images, (N, C, H, W) in [-1, 1]."""
    return model.decode(settings.arrange(noise(model, count)), num_inference_steps=CALLS)


def main() -> None:
    """Race, and print a line each."""
    threads = int(next(iter(sys.argv[1:]), torch.get_num_threads()))
    torch.set_num_threads(threads)
    known = load(CHECKPOINT, "cpu", "float32")
    scheduler = diffusers.DDIMScheduler.from_config(known.scheduler.config)
    pipeline = diffusers.DDIMPipeline(known.pipeline().unet, scheduler)
    pipeline.set_progress_bar_config(disable=True)
    machine = describe_machine()
    print(f"{CHECKPOINT}, {CALLS} calls of DDIM, {machine['name']}, {threads} threads, torch {machine['torch']}, "
          f"diffusers {diffusers.__version__}")  # fmt: skip
    for count in BATCHES:
        ways, apart = {"diffusers float32": lambda count=count: theirs(pipeline, count)}, []
        for dtype, layout in OURS:
            model, settings = load(CHECKPOINT, "cpu", "float32"), Settings(dtype, layout, threads)
            settings.apply(model)
            ways[f"{dtype} {layout}"] = lambda model=model, settings=settings, count=count: ours(model, settings, count)
            same = torch.from_numpy(theirs(pipeline, count)).permute(0, 3, 1, 2)
            apart.append((0.5 * ours(model, settings, count) + 0.5 - same).abs().max().item())
            assert dtype != "float32" or apart[-1] < 1e-4, "the images differ"
        with torch.no_grad():
            taken = turns(ways)
        print(told(f"batch {count:2}", taken, f"; largest difference {', '.join(f'{each:.1e}' for each in apart)}"),
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
