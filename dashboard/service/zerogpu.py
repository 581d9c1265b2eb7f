"""ZeroGPU, the GPUs that Hugging Face lends to Spaces for a while each: how images are made on one.

There, and nowhere else, `spaces` is imported, and sampling runs in a process that it forks from the app and gives a
GPU. What goes in and comes out is pickled, so it is names, numbers and arrays. The app's own process has no GPU: all
else runs on the processor. Nothing is compiled. docs/public.md says what was tried.
"""

from __future__ import annotations

import logging
import math
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import torch

from dashboard.service.cache import Cache
from dashboard.service.lanes import checkpoint_key
from dashboard.service.moments import FRAME_SECONDS, Moment, first_call, moments
from gencore import checkpoint
from gencore.device import describe_machine
from gencore.errors import InputError

SWITCH = "SPACES_ZERO_GPU"  # set by the Hub where it lends GPUs
START = 8.0  # seconds for the process, CUDA, the weights and a first call
SPARE = 1.5  # times what the sampling took before
MOST = 60  # seconds, what ZeroGPU lends where nothing is asked for
# By ZeroGPU's title of a refusal, of which `{said}` is the first sentence.
SENTENCES = {
    "ZeroGPU quota exceeded": "{said}. Fewer images or network calls need less of it; signed in to Hugging Face you "
    "have more.",
    "ZeroGPU pending credits exceeded": "{said}. Try again when your other runs on GPUs have ended.",
    "ZeroGPU illegal duration": "No GPU is lent for as long as this takes: ask for fewer images or network calls.",
    "ZeroGPU queue timeout": "{said}: try again in a while.",
    "ZeroGPU client error": "No GPU could be had ({said}): try again in a while.",
    "ZeroGPU worker error": "The GPU was gone before the images were there ({said}): ask for fewer, or try again.",
}
MODELS = Cache(8)  # of a process with a GPU: in the app's own nothing is loaded here, so its lock is free in every fork
log = logging.getLogger(__name__)


def lent() -> ZeroGPU | None:
    """Return ZeroGPU where the app runs on it, None elsewhere, where nothing is imported."""
    if os.environ.get(SWITCH, "").lower() not in ("1", "t", "true"):
        return None
    try:
        import spaces
    except ImportError:
        log.warning("This is ZeroGPU, but the package `spaces` is not installed: everything runs on the processor.")
        return None
    return ZeroGPU(spaces)


class ZeroGPU:
    """Sampling on GPUs that are lent for a while.

    Args:
        spaces: The package, whose decorator says what needs a GPU, and for how long.
    """

    def __init__(self, spaces: ModuleType):
        os.environ.setdefault("GENCORE_DEVICE", "cpu")  # `spaces` has torch say that there is CUDA, in this process too
        self._sample = spaces.GPU(duration=asked)(sample)

    def moments(self, name: str, seeds: Sequence[int], knobs: Mapping[str, Any], seconds: float) -> Iterator[Moment]:
        """Sample with a checkpoint on a GPU, which is given back when this is closed.

        Args:
            name: The checkpoint's name.
            seeds: The seed of each image.
            knobs: The value of each knob.
            seconds: How long it takes, so far as is known.

        Raises:
            InputError: if no GPU is lent, or it is taken away, or the checkpoint is not what it should be.
        """
        images = None
        with refusals_in_a_sentence(), closing(self._sample(name, list(seeds), dict(knobs), seconds)) as told:
            for one in told:
                if isinstance(one, str):
                    raise InputError(one)
                index, total, took, found = one
                images = images if found is None else found
                yield Moment(index, total, took, lambda images=images: images)

    def machine(self) -> dict[str, Any]:
        """Return what images are made on: `spaces` knows the GPU's name."""
        return describe_machine("cuda" if torch.cuda.is_available() else "cpu") | {"tf32": False}


def asked(name: str, seeds: Sequence[int], knobs: Mapping[str, Any], seconds: float) -> int:
    """Return for how many seconds a GPU is asked for: the fewer, the sooner it is lent, with the arguments of `sample`.

    It is not lent to visitors who have fewer left.
    """
    return min(MOST, math.ceil(START + SPARE * seconds))


def sample(
    name: str, seeds: list[int], knobs: dict[str, Any], seconds: float
) -> Iterator[tuple[int, int, float, np.ndarray | None] | str]:
    """Sample, in a process that has a GPU: yield calls done, calls in all, seconds and images; or a sentence, the last.

    Images come ten times a second at most, and with the last call. `seconds` is for `asked`.
    """
    torch.set_num_threads(1)  # a forked process waits for ever for the threads that its parent had
    try:
        model = MODELS.find(
            checkpoint_key(name), lambda: checkpoint.load(name, "cuda" if torch.cuda.is_available() else "cpu")
        )
        first_call(model, seeds, knobs)
        shown = -math.inf
        for moment in moments(model, seeds, knobs):
            show = moment.index == moment.total or time.monotonic() - shown >= FRAME_SECONDS
            yield moment.index, moment.total, moment.seconds, moment.images() if show else None
            shown = time.monotonic() if show else shown
    except InputError as error:  # of which only the name of its class would come back
        yield str(error)


@contextmanager
def refusals_in_a_sentence() -> Iterator[None]:
    """Tell in a sentence why there is no GPU; `spaces` raises Gradio's own error, with a title.

    Raises:
        InputError: that sentence.
    """
    try:
        yield
    except Exception as error:
        title = getattr(error, "title", "")
        if title not in SENTENCES:
            raise
        said = first_sentences(str(getattr(error, "message", error)))
        kind = "ZeroGPU queue timeout" if said.startswith("No GPU was available") else title
        raise InputError(SENTENCES[kind].format(said=said)) from None


def first_sentences(text: str) -> str:
    """Return a message of ZeroGPU without its advice on examples, accounts and prices, and without the last stop.

    'You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in 3:12:07. Subscribe to ...'
    """
    text = re.split(r"(?:\[?(?:Try re-running|Create a|Subscribe|Authenticate|Add credits))", text)[0]
    return text.strip().rstrip(".")
