"""Peak memory of generating images: that of the weights, plus the growth while the images are made.

On CUDA the allocator knows. On a CPU only the resident memory of a whole process can be read, and a process that has
worked before holds freed memory which it would use again unseen. So a fresh process is started, this module run as
`python -m gencore.evaluation.memory`: it loads the model, makes one image (which pages in the libraries' code), and
reads by how much its resident memory then grows at the most. The figure is low by up to one image's activations.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from gencore.checkpoint import CONFIG, WEIGHTS, save_model
from gencore.device import DTYPES, Settings
from gencore.family import Family

STATUS = Path("/proc/self/status")
RESET = Path("/proc/self/clear_refs")  # writing 5 sets the peak to the present resident memory: proc(5)


Wait = Callable[[subprocess.Popen, str], tuple[str, str]]  # given a process and its input: its output and errors


def run(command: Sequence[str], words: str, wait: Wait = subprocess.Popen.communicate) -> str:
    """Return what a process that can import what this one can answers to `words`.

    Raises:
        RuntimeError: if it fails.
    """
    env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, env=env, **pipes) as child:
        try:
            out, err = wait(child, words)
        except BaseException:  # Ctrl-C reaches it too, but what stops only this process would leave it working
            child.kill()
            raise
    if child.returncode:
        raise RuntimeError(f"The process that measures memory ended with {child.returncode}: {err.strip()}")
    return out


def peak_memory(
    model: Family,
    seeds: Sequence[int],
    knobs: Mapping[str, Any],
    calls: int | None = None,
    wait: Wait = subprocess.Popen.communicate,
) -> float | None:
    """Return the peak memory of generating the images of `seeds`, in MB of 10^6 bytes; of the first `calls` if given.

    On a CPU a process of its own measures it; `wait` waits for that, and may end it by raising.

    None where there is no way to tell: on MPS, on a CPU outside Linux or where the system lets no process reset its
    peak, and on a CPU for a family whose class cannot be imported by name (one defined in a notebook).
    """
    if model.device.type == "cuda":
        grown = _grown_cuda(model, seeds, knobs, calls)
    elif model.device.type == "cpu" and STATUS.exists() and _importable(type(model)):
        grown = _grown_fresh(model, seeds, knobs, calls, wait)
    else:
        grown = None
    if grown is None:
        return None
    tensors = [*model.parameters(), *model.buffers()]
    return (sum(tensor.numel() * tensor.element_size() for tensor in tensors) + grown) / 1e6


def _importable(kind: type) -> bool:
    return kind.__module__ != "__main__" and "<locals>" not in kind.__qualname__


def _grown_cuda(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any], calls: int | None) -> int:
    """Return the bytes by which the allocated memory grows at the most; other models on the device do not count."""
    torch.cuda.synchronize(model.device)
    torch.cuda.reset_peak_memory_stats(model.device)
    before = torch.cuda.memory_allocated(model.device)
    _generate(model, seeds, knobs, calls)
    torch.cuda.synchronize(model.device)
    return torch.cuda.max_memory_allocated(model.device) - before


def _grown_fresh(
    model: Family, seeds: Sequence[int], knobs: Mapping[str, Any], calls: int | None, wait: Wait
) -> int | None:
    """Return the bytes by which a fresh process grows at the most; None where it cannot tell."""
    kind = type(model)
    with tempfile.TemporaryDirectory() as folder:
        save_model(folder, model)
        job = {
            "folder": folder,
            "module": kind.__module__,
            "class": kind.__qualname__,
            "dtype": next(name for name, dtype in DTYPES.items() if dtype == model.compute_dtype),
            "layout": layout_of(model),
            "threads": torch.get_num_threads(),
            "seeds": list(seeds),
            "knobs": dict(knobs),
            "calls": calls,
        }
        return json.loads(run([sys.executable, "-m", "gencore.evaluation.memory"], json.dumps(job), wait))


def layout_of(model: Family) -> str:
    """Return the memory layout of a model's weights, a key of `device.LAYOUTS`."""
    weights = [weight for weight in model.parameters() if weight.ndim == 4]
    return "contiguous" if all(weight.is_contiguous() for weight in weights) else "channels_last"


@torch.no_grad()
def _generate(model: Family, seeds: Sequence[int], knobs: Mapping[str, Any], calls: int | None) -> None:
    """Make the first `calls` network calls of sampling, all of them if None."""
    for _ in islice(model.sample(seeds, **knobs), calls):
        pass


def _resident(field: str) -> int:
    """Return a line of this process's status in bytes: 'VmRSS' (now) or 'VmHWM' (its peak)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def _work(job: Mapping[str, Any]) -> int | None:
    """Return the bytes by which this process grows at the most while it does `job`; None if the system won't tell."""
    from safetensors.torch import load_file

    folder = Path(job["folder"])
    kind = reduce(getattr, job["class"].split("."), importlib.import_module(job["module"]))
    model = kind.from_config(json.loads((folder / CONFIG).read_text())).eval()
    model.load_state_dict(load_file(folder / WEIGHTS))
    Settings(job["dtype"], job.get("layout", "contiguous"), job["threads"]).apply(model)
    _generate(model, job["seeds"][:1], job["knobs"], job["calls"])
    try:
        RESET.write_text("5")
    except OSError:  # some containers close it
        return None
    before = _resident("VmRSS")
    _generate(model, job["seeds"], job["knobs"], job["calls"])
    return _resident("VmHWM") - before


if __name__ == "__main__":
    print(json.dumps(_work(json.load(sys.stdin))))
