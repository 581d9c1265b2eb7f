"""GroupNorm and SiLU of 16-bit maps, there and back, by torch and by ours: `python benchmarks/normalisation.py`.

python benchmarks/normalisation.py [threads]: in turns, 64 images of the small U-Net's shapes; the results are compared.
The convolution that each stands before, in both layouts, says what the layout itself gives; attention, what its two
products do.
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.turns import told, turns
from gencore.device import LAYOUTS, describe_machine
from gencore.families import group_norm
from gencore.families.unet import Live

SHAPES, GROUPS = ((64, 32, 32, 32), (64, 64, 16, 16), (64, 96, 8, 8)), 8
QUERIES = (64, 3, 64, 32)  # images, heads, tokens, d


def there_and_back(function, *given):
    """What is timed: a function of some tensors, and the gradients of all of them; returns the last round's."""

    def work():
        leaves = [one.detach().requires_grad_() for one in given]
        out = function(*leaves)
        out.backward(out.detach())
        return [out.detach(), *(leaf.grad for leaf in leaves)]

    return work


def apart(one, other):
    """The greatest root mean square difference of two results, as a share."""
    return max(((a - b).float().norm() / b.float().norm()).item() for a, b in zip(one, other, strict=True))


def main() -> None:
    """Time, and print a line each."""
    threads = int(next(iter(sys.argv[1:]), torch.get_num_threads()))
    torch.set_num_threads(threads)
    machine = describe_machine()
    print(f"{machine['name']}, {threads} threads, torch {machine['torch']}, bfloat16")
    for shape in SHAPES:
        maps = torch.randn(shape).bfloat16()
        layer, weight = nn.GroupNorm(GROUPS, shape[1]), torch.randn(shape[1], shape[1], 3, 3).bfloat16()
        laid = {name: maps.contiguous(memory_format=form) for name, form in LAYOUTS.items()}

        def torchs(x, layer=layer):
            return F.silu(layer(x))

        def ours(x, layer=layer):
            return group_norm.activate(layer, x)

        ways = {f"torch, {name}": there_and_back(torchs, x) for name, x in laid.items()}
        ways["ours, channels_last"] = there_and_back(ours, laid["channels_last"])
        off = apart(ways["ours, channels_last"](), ways["torch, contiguous"]())
        assert off < 0.02, "the results differ"
        print(told(f"GroupNorm and SiLU of {shape}", turns(ways, 9), f"; {off:.1e} apart"), flush=True)
        ways = {
            name: there_and_back(
                lambda x, w: F.conv2d(x, w, padding=1), x, weight.contiguous(memory_format=LAYOUTS[name])
            )
            for name, x in laid.items()
        }
        print(told(f"convolution of {shape}", turns(ways, 9)), flush=True)
    queries = torch.randn(3, *QUERIES).bfloat16().unbind()
    ways = {
        "torch": there_and_back(F.scaled_dot_product_attention, *queries),
        "ours": there_and_back(Live().look, *queries),
    }
    off = apart(ways["ours"](), ways["torch"]())
    assert off < 0.02, "the results differ"
    print(told(f"attention of {QUERIES}", turns(ways, 9), f"; {off:.1e} apart"), flush=True)


if __name__ == "__main__":
    main()
