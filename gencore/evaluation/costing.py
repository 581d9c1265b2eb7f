"""What generating costs at an operating point, measured part by part: counted, then timed in rounds."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gencore.evaluation import cost, memory
from gencore.evaluation.assemble import common
from gencore.evaluation.cost import Timing
from gencore.evaluation.task import Task
from gencore.family import Family, image_seed

MEMORY_IMAGES = 16  # generated at once to find the peak of the memory
MEMORY_CALLS = 8  # after which the memory in use does not grow: the solvers look back three steps
COUNTED, MEASURED = 0.1, 0.2  # the shares of the work that are done when calls and operations are counted, and memory


@dataclass(frozen=True)
class CostProgress:
    """Where the measuring of a cost is.

    Attributes:
        share: The share that is done, in [0, 1].
        stage: 'counting' and 'memory' as they begin; 'timing' as it begins and after each batch size.
        timing: The batch size that has just been timed, as it stands so far.
    """

    share: float
    stage: str
    timing: Timing | None = None


class Costing:
    """Measures what generating costs at a task's point: calls and operations, memory, then time.

    Attributes:
        task: The task, which the row tells of.
        share: The share of the work that is done, in [0, 1].
    """

    def __init__(self, task: Task, rounds: int = 1, wait: memory.Wait = subprocess.Popen.communicate):
        """Measure in `rounds` rounds of timing; `wait` waits for the process that measures memory."""
        self.task, self.share = task, 0.0
        self._wait, self._seconds = wait, 0.0
        self._counted: dict[str, Any] = {}
        self._sweep = cost.Sweep(task.knobs, task.timing_seconds, rounds)
        self._done = 0  # rounds

    @property
    def is_timed(self) -> bool:
        """Whether every size has been timed once at least, so that there is a row."""
        return self._done > 0

    @property
    def is_over(self) -> bool:
        """Whether all of it is measured."""
        return self._done == self._sweep.rounds

    @property
    def row(self) -> Mapping[str, Any]:
        """The row of what is measured so far."""
        batches = self._sweep.timings
        best = max(batches, key=lambda timing: timing.images_per_s).n
        told = {"batches": [asdict(one) for one in batches], "best": best}
        return common(self.task, self._seconds) | told | self._counted

    def part(self, model: Family) -> Iterator[CostProgress]:
        """Measure the next part, counts and memory or a round of timing, yielding its moments.

        Args:
            model: The task's model, set up as the task says.

        Raises:
            InputError: if a knob is bad.
        """
        started = time.monotonic()
        for moment in self._times(model) if self._counted else self._counts(model):
            self.share = moment.share
            yield moment
        self._seconds += time.monotonic() - started

    def _counts(self, model: Family) -> Iterator[CostProgress]:
        seeds = [image_seed(0, place) for place in range(MEMORY_IMAGES)]
        yield CostProgress(0.0, "counting")
        counted = {
            "calls": cost.count_calls(model, seeds[:1], self.task.knobs),
            "flops": cost.count_flops(model, seeds[:1], self.task.knobs),
            "parameters": cost.count_parameters(model.network),
            "parameters_total": cost.count_parameters(model),
        }
        yield CostProgress(COUNTED, "memory")
        peak = memory.peak_memory(model, seeds, self.task.knobs, MEMORY_CALLS, self._wait)
        self._counted = counted | {"peak_memory_mb": peak}
        yield CostProgress(MEASURED, "timing")

    def _times(self, model: Family) -> Iterator[CostProgress]:
        whole = (1 - MEASURED) / self._sweep.rounds
        begun = MEASURED + whole * self._done
        for place, timing in enumerate(self._sweep.round(model), start=1):
            yield CostProgress(begun + whole * min(place / len(cost.SIZES), 1.0), "timing", timing)
        self._done += 1
        self.share = begun + whole
