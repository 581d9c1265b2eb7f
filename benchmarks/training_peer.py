"""A step of DDPM training here, and in denoising-diffusion-pytorch, at about equal parameters: `make race`.

python benchmarks/environment.py benchmarks/training_peer.py [threads [key=value ...]]: in turns, colour pictures of
32x32, 64 a step, ours in the number format and layout that training chooses unless settings say otherwise. Theirs is
what its `Trainer` does: the loss of its `GaussianDiffusion`, gradients clipped at 1, Adam, its average.
"""

import contextlib
import sys
import types
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.turns import told, turns  # noqa: E402
from gencore import train  # noqa: E402
from gencore.data import load_splits  # noqa: E402
from gencore.device import describe_machine  # noqa: E402
from gencore.presets import resolve_run  # noqa: E402

PRESET, BATCH, ROUNDS = "cifar10/ddpm-small", 64, 5


def their_step(parameters: int, pictures: torch.Tensor, dtype: torch.dtype):
    """One step of theirs, of a network with about so many parameters, and how many it has."""
    # Their trainer reads pictures with torchvision, and scores with it: a race does neither.
    for name in ("torchvision", "torchvision.transforms", "torchvision.utils", "pytorch_fid",
                 "pytorch_fid.inception", "pytorch_fid.fid_score"):  # fmt: skip
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]
    sys.modules["torchvision"].utils = sys.modules["torchvision.utils"]
    sys.modules["pytorch_fid.inception"].InceptionV3 = None
    sys.modules["pytorch_fid.fid_score"].calculate_frechet_distance = None
    from denoising_diffusion_pytorch import GaussianDiffusion, Unet
    from ema_pytorch import EMA

    nets = (Unet(dim=dim, dim_mults=(1, 2, 3)) for dim in range(8, 129, 8))
    net = min(nets, key=lambda net: abs(_count(net) - parameters))
    diffusion = GaussianDiffusion(net, image_size=pictures.shape[-1], timesteps=1000, objective="pred_v")
    optimizer = torch.optim.Adam(diffusion.parameters(), lr=1e-4, betas=(0.9, 0.99))
    average = EMA(diffusion, beta=0.995, update_every=10)
    cast = contextlib.nullcontext() if dtype == torch.float32 else torch.autocast("cpu", dtype)

    def step():
        with cast:
            loss = diffusion(pictures[torch.randint(len(pictures), (BATCH,))].float() / 255)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(diffusion.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        average.update()

    return step, _count(net)


def _count(net: torch.nn.Module) -> int:
    return sum(one.numel() for one in net.parameters())


def main() -> None:
    """Race, and print a line each."""
    threads, told_to = int(next(iter(sys.argv[1:]), torch.get_num_threads())), sys.argv[2:]
    torch.set_num_threads(threads)
    machine = describe_machine()
    print(f"{machine['name']}, {threads} threads, torch {machine['torch']}")
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        run = resolve_run(PRESET, ["data=shapes", f"batch={BATCH}", "flip=false", f"threads={threads}", *told_to])
        trainer = train.rehearsal(run, load_splits(run.data, splits=("train",)))
        mine = _count(trainer.model)
        step, count = their_step(mine, trainer.data, dtype)
        taken = turns({f"denoising-diffusion-pytorch, {name}": step, "gencore": trainer.advance}, ROUNDS)
        how = f"{trainer.settings.dtype}, {trainer.settings.layout}"
        print(told(f"batch {BATCH}, {count:,} and {mine:,} parameters, here {how}", taken), flush=True)


if __name__ == "__main__":
    main()
