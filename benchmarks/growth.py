"""How time and memory grow: with the batch, with n, with processes: `python benchmarks/growth.py`.

python benchmarks/growth.py [batch] [n] [processes]: all three when none is named; `tests/bench/bench_calls.py` has time
against network calls. Each process measures one thing, so that its memory is that thing's. The last column is the
exponent of growth since the line before: 0 is a constant, 1 proportional, 2 quadratic.
"""

import contextlib
import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.turns import turns  # noqa: E402
from gencore import FAMILIES, load  # noqa: E402
from gencore.device import describe_machine  # noqa: E402
from gencore.family import image_seed  # noqa: E402
from gencore.metrics import prdc, vendi_score  # noqa: E402
from gencore.metrics.distances import frechet_distance, kernel_inception_distance  # noqa: E402

BATCHES, SIZES, D = (1, 4, 16, 64, 256), (1250, 2500, 5000, 10_000, 20_000), 64
METRICS = {
    "KID": kernel_inception_distance,
    "Fréchet distance": frechet_distance,
    "PRDC": prdc,
    "Vendi score": lambda real, fake: vendi_score(fake, real.mean(0)),
}
SHARED = ((1, 1), (1, 2), (2, 1))  # processes and threads of each
IMAGES, OF_EACH = 96, "mnist/ddpm"


def exponent(sizes, values):
    """The exponents of growth between neighbours, '' for the first."""
    steps = zip(sizes, values, sizes[1:], values[1:], strict=False)
    return ["", *(f"{math.log(b / a) / math.log(m / n):.2f}" if a > 0 < b else "" for n, a, m, b in steps)]


def batches() -> None:
    """Milliseconds of a batch, and of an image in it, of each family's first operating point."""
    print("family, batch: ms, ms per image, exponent")
    for family, kind in FAMILIES.items():
        model, knobs = load(f"mnist/{family}", "cpu"), kind.points[0].knobs
        ways = {
            count: lambda count=count, model=model, knobs=knobs: model.generate(
                [image_seed(0, i) for i in range(count)], **knobs
            )
            for count in BATCHES
        }
        taken = [1000 * sorted(seconds)[1] for seconds in turns(ways, 3).values()]
        for count, ms, power in zip(BATCHES, taken, exponent(BATCHES, taken), strict=True):
            print(f"{kind.title} ({model.compute_dtype}), {count:3}: {ms:9.1f}, {ms / count:8.3f}, {power}", flush=True)


def highest() -> float:
    """The megabytes that this process has held at most; NaN where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), math.nan)


def scored(name: str, n: int) -> dict[str, float]:
    """Seconds of a metric of n rows and n others, and the megabytes that they add to this process, at most."""
    torch.manual_seed(0)
    real, fake = torch.randn(n, D), 0.9 * torch.randn(n, D) + 0.1
    METRICS[name](real[:300], fake[:300])  # to warm up
    before = highest()
    begun = time.perf_counter()
    METRICS[name](real, fake)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "mb": highest() - before}


def sizes() -> None:
    """Seconds and memory of each metric against n."""
    print(f"metric, n rows of {D} of each set: seconds, exponent, MB at most")
    for name in METRICS:
        found = [_alone("scored", name, n) for n in SIZES]
        powers = exponent(SIZES, [one["seconds"] for one in found])
        for n, one, power in zip(SIZES, found, powers, strict=True):
            print(f"{name}, {n:6}: {one['seconds']:7.3f}, {power:4}, {one['mb']:5.0f}", flush=True)


def sampled(count: int, threads: int) -> dict[str, float]:
    """When sampling some images began and ended, by the machine's clock, its model loaded and warm."""
    torch.set_num_threads(threads)
    model = load(OF_EACH, "cpu", "bfloat16")
    model.generate([0, 1], num_inference_steps=2)
    begun = time.time()
    model.generate([image_seed(0, i) for i in range(count)], num_inference_steps=20)
    return {"begun": begun, "ended": time.time()}


def processes() -> None:
    """Images per second of evaluation's sampling against processes and threads."""
    print(f"{OF_EACH}, 20 calls, bfloat16, {IMAGES} images shared out: processes x threads: images per second")
    for number, threads in SHARED:
        started = [_started("sampled", IMAGES // number, threads) for _ in range(number)]
        found = [_ended(one) for one in started]
        seconds = max(one["ended"] for one in found) - min(one["begun"] for one in found)
        print(f"{number} x {threads}: {IMAGES / seconds:.1f}", flush=True)


def _started(*asked: object) -> subprocess.Popen:
    command = [sys.executable, str(Path(__file__)), "--one", json.dumps(asked)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})


def _ended(process: subprocess.Popen) -> dict[str, float]:
    out, _ = process.communicate()
    if process.returncode:
        sys.exit(process.returncode)
    return json.loads(out.splitlines()[-1])


def _alone(*asked: object) -> dict[str, float]:
    return _ended(_started(*asked))


PARTS = {"batch": batches, "n": sizes, "processes": processes}


def main() -> None:
    """Measure what is asked for; or, as a child, one thing."""
    if sys.argv[1:2] == ["--one"]:
        function, *given = json.loads(sys.argv[2])
        with contextlib.redirect_stdout(sys.stderr):
            found = {"scored": scored, "sampled": sampled}[function](*given)
        print(json.dumps(found))
        return
    if unknown := set(sys.argv[1:]) - set(PARTS):
        sys.exit(f"{', '.join(sorted(unknown))} is none of {', '.join(PARTS)}.")
    machine = describe_machine()
    print(f"{machine['name']}, {machine['threads']} threads, torch {machine['torch']}")
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main()
