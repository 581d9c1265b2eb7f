"""A step of training here, and in a plain loop with a DataLoader over the same networks: `make race`.

python benchmarks/training.py [threads]: in turns, MNIST, each recipe's batch, float32 on both sides, and ours in the
number format and layout that it chooses here. The plain loop is what a tutorial has: images turned into floats one by
one, torch's Adam and average, diffusers' own U-Net.
"""

import itertools
import sys
from pathlib import Path

import diffusers
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.turns import told, turns  # noqa: E402
from gencore import train  # noqa: E402
from gencore.data import load_splits  # noqa: E402
from gencore.device import describe_machine  # noqa: E402
from gencore.families import FAMILIES  # noqa: E402
from gencore.presets import resolve_run  # noqa: E402


class Pictures(Dataset):
    """Images as a tutorial reads them."""

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, place):
        return self.x[place].float() / 127.5 - 1


def vae_loss(model, x):
    """Minus the ELBO, by the model's own formulas."""
    return next(iter(model.losses(x))).value


def ddpm_loss(model, x):
    """The error of the noise as diffusers' tutorial trains it, by diffusers' own network."""
    noise, t = torch.randn_like(x), torch.randint(0, 1000, (len(x),))
    return F.mse_loss(
        diffusers.UNet2DModel.forward(model.unet, model.scheduler.add_noise(x, noise, t), t).sample, noise
    )


PLAIN = {"mnist/vae": vae_loss, "mnist/ddpm": ddpm_loss}


def plain_step(preset, trainer):
    """One step of the plain loop."""
    torch.manual_seed(0)
    model = FAMILIES[trainer.run.family](
        channels=trainer.model.config.channels, size=trainer.model.config.size, **trainer.run.model
    )
    optimizer = torch.optim.Adam(model.parameters(), trainer.config.lr)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.999))
    loader = DataLoader(Pictures(trainer.data), trainer.config.batch, shuffle=True)
    batches = itertools.chain.from_iterable(iter(loader) for _ in itertools.count())

    def step():
        optimizer.zero_grad()
        PLAIN[preset](model, next(batches)).backward()
        optimizer.step()
        average.update_parameters(model)

    return step


def main() -> None:
    """Race, and print a line each."""
    threads = int(next(iter(sys.argv[1:]), torch.get_num_threads()))
    machine = describe_machine()
    print(f"{machine['name']}, {threads} threads, torch {machine['torch']}")
    for preset in PLAIN:
        run = resolve_run(preset, ["dtype=float32", "layout=contiguous", f"threads={threads}"])
        splits = load_splits(run.data, splits=("train",))
        alike, usual = (train.rehearsal(one, splits) for one in (run, resolve_run(preset, [f"threads={threads}"])))
        settings = f"{usual.settings.dtype} {usual.settings.layout}"
        ways = {"plain loop": plain_step(preset, alike), "gencore": alike.advance, f"in {settings}": usual.advance}
        taken = turns(ways, 7)
        print(told(f"{preset}, batch {alike.config.batch}", taken), flush=True)


if __name__ == "__main__":
    main()
