"""The metrics beside the libraries they agree with, side by side in one run: `make bench`, or this file alone.

Each side gets the same features; they take turns, and the quickest turn of each counts.
"""

import contextlib
import io
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gencore.metrics import prdc, vendi_score  # noqa: E402
from gencore.metrics.distances import frechet_distance  # noqa: E402

N, D = 10_000, 64
WIDE_N, WIDE_D = 5000, 2048  # the shipped rows' N and Inception's width; fewer than the registry takes, 20,480
LARGE, LARGE_MB = 50_000, 1000  # rows of each set, and MB that a process may take for them in all


def features(n, d, seed):
    """Two sets that differ a little: (n, d) float32."""
    torch.manual_seed(seed)
    return torch.randn(n, d), 0.9 * torch.randn(n, d) + 0.1


def side_by_side(ours, theirs, turns):
    """The quickest of `turns` turns of each, in seconds, and what they return."""
    best, values = [float("inf")] * 2, [None] * 2
    for _ in range(turns):
        for side, call in enumerate((ours, theirs)):
            begun = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values[side] = call()
            best[side] = min(best[side], time.perf_counter() - begun)
    return *best, *values


def against_prdc():
    from prdc import compute_prdc

    real, fake = features(N, D, 0)
    x, y = real.numpy(), fake.numpy()
    return side_by_side(lambda: prdc(real, fake)["coverage"], lambda: compute_prdc(x, y, nearest_k=5)["coverage"], 2)


class Given(nn.Module):
    """Passes features through where torchmetrics has its extractor."""

    num_features = WIDE_D

    def forward(self, x):
        return x


def against_torchmetrics():
    from torchmetrics.image.fid import FrechetInceptionDistance

    real, fake = features(WIDE_N, WIDE_D, 1)

    def theirs():
        fid = FrechetInceptionDistance(feature=Given(), normalize=True)
        fid.update(real, real=True)
        fid.update(fake, real=False)
        return fid.compute().item()

    return side_by_side(lambda: frechet_distance(real, fake), theirs, 2)


def against_vendi_score(function, turns):
    from vendi_score import vendi

    real, fake = features(N, D, 2)
    centred = (fake - real.mean(0)).numpy()
    score = getattr(vendi, function)
    return side_by_side(lambda: vendi_score(fake, real.mean(0)), lambda: score(centred), turns)


def large_mb():
    """The peak memory, in MB, of a process that does precision and the rest on `LARGE` rows of each set."""
    script = f"""
import torch
from gencore.metrics import prdc
prdc(torch.randn({LARGE}, {D}), torch.randn({LARGE}, {D}))
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1000)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def main():
    """Print the table; return whether a target was missed."""
    missed = False
    rows = [  # what, what with, how many times as fast it is to be
        (f"PRDC, {N:,} x {N:,}, d = {D}", "prdc", 2, against_prdc),
        (f"FD, {WIDE_N:,} x {WIDE_N:,}, d = {WIDE_D:,}", "torchmetrics", 4, against_torchmetrics),
        (f"Vendi score, {N:,}, d = {D}", "score_X", 50, lambda: against_vendi_score("score_X", 1)),
        (f"Vendi score, {N:,}, d = {D}", "score_dual", 0, lambda: against_vendi_score("score_dual", 5)),
    ]
    prdc(*features(500, D, 3))  # starts the threads
    for what, library, target, measure in rows:
        ours, theirs, value, expected = measure()
        ratio = theirs / ours
        missed |= ratio < target
        verdict = f"target > {target} x   {'met' if ratio >= target else 'MISSED'}" if target else "no target"
        print(
            f"{what:36}{ours:9.3f} s   {library:13}{theirs:9.3f} s   {ratio:7.1f} x   {verdict}"
            f"   ({value:.6g} and {expected:.6g})",
            flush=True,
        )
    peak = large_mb()
    missed |= peak >= LARGE_MB
    verdict = "met" if peak < LARGE_MB else "MISSED"
    print(f"{f'PRDC, {LARGE:,} x {LARGE:,}, d = {D}':36}{peak:9.0f} MB   target < {LARGE_MB} MB   {verdict}")
    return missed


if __name__ == "__main__":
    print(f"{torch.get_num_threads()} threads")
    sys.exit(main())
