"""Run by torchrun in test_train: trains for a few steps and writes what this rank ended with."""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

import gencore.train as engine
from gencore.presets import Run

torch.set_num_threads(1)
out, average = Path(sys.argv[1]), sys.argv[2] == "1"
if not average:
    engine.ProcessGroup.average = lambda self, parameters: None
model = {"widths": (8, 8), "latent": 2, "components": 2}
run = Run(
    "vae", "digits", model, {"images": 320, "batch": 32, "dtype": "float32", "layout": "contiguous", "timelapse": 0}
)
steps = engine.train(run, out / "run")
for _ in range(10):
    next(steps)
trainer = steps.gi_frame.f_locals["trainer"]
mine = {name: value.clone() for name, value in trainer.model.named_parameters()}
mine["sigma"] = trainer.model.sigma.clone()  # a statistic of the batch: of the whole one
mine |= {f"average.{i}": value.clone() for i, value in enumerate(trainer.averaged)}
save_file(mine | {"world": torch.tensor(trainer.group.world)}, out / f"rank{trainer.group.rank}.safetensors")
steps.close()
