"""What a trial's meters add to its timed step: one process of it, and the statistics over processes.

Run as a program it reads a job from stdin and trains its case in blocks, each with all the meters of a trial or with
none of them and a bare pair of marks a step instead. Either way the step is timed as trials time it: by device events
on CUDA, by the clock on a CPU.
"""

from __future__ import annotations

import math
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite import codec, trial, worker
from benchsuite.meters import steps
from benchsuite.nouns import Job, Phase
from benchsuite.plans import uncounted_steps
from benchsuite.scene import Scene
from benchsuite.stats import t_quantile

METERS, BARE, WARM = "A", "B", "w"
"""Letters of a block; a block that only warms the process up is bare too."""
QUANTITIES = ("step", "period")
"""A step as trials time it, and from one step's begin to the next's: with fetching, callbacks, progress."""

# ---------------------------------------------------------------- in the process


def main() -> None:
    """Train in the blocks that the first argument spells; the last line of stdout tells of them."""
    tell = worker._progress()
    job = codec.decode(Job, codec.loads(sys.stdin.read()))
    worker.import_libraries(tell)
    tell({"blocks": [measured(job, block, tell) for block in sys.argv[1]]})


def measured(job: Job, block: str, tell: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """One block: model and Trainer built anew, trained, let go of."""
    with tempfile.TemporaryDirectory(prefix="benchsuite-") as work:
        scene = worker._scene(job, job.cases[0], Path(work), tell)
        marks = with_meters(scene) if block == METERS else without(scene)
        scene.clock.sync()
        trial.release(scene)
    first = uncounted_steps(len(marks))
    begins = [began for began, _ in marks]
    return {
        "block": block,
        "steps": len(marks),
        "step": statistics.median(steps._seconds(*pair) for pair in marks[first:]),
        "period": statistics.median(map(steps._seconds, begins[first:-1], begins[first + 1 :])),
    }


def with_meters(scene: Scene) -> list[tuple[Any, Any]]:
    """The trial's own way up to the end of training; the marks of its step meter."""
    trial.run_phases(scene, (Phase.LOAD, Phase.PREPARE, Phase.TRAIN))
    (meter,) = (meter for meter in scene.meters if isinstance(meter, steps.StepMeter))
    return meter.marks


def without(scene: Scene) -> list[tuple[Any, Any]]:
    """The same without a meter: a Trainer that marks the begin and end of its steps."""
    from transformers import TrainerCallback

    scene.meters, marks = (), []
    mark = steps._event_mark if scene.on_cuda else scene.clock.now

    class Marks(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.began = mark()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            marks.append((self.began, mark()))

    trial.run_phases(scene, (Phase.LOAD, Phase.PREPARE))
    scene.trainer.add_callback(Marks())
    trial.run_phases(scene, (Phase.TRAIN,))
    return marks


# ---------------------------------------------------------------- over processes


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """What the meters add, relative to a bare step: 0.01 is 1 %."""

    effect: float
    interval: tuple[float, float]
    """At 95 %, over processes or pairs of them."""
    ratios: tuple[float, ...]
    """One a pair."""

    def __str__(self) -> str:
        """For people, in percent."""
        low, high = self.interval
        return f"{self.effect:+.2%}, 95 % interval {low:+.2%} to {high:+.2%}, over {len(self.ratios)}"


def overhead(pairs: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Overhead:
    """Student's interval over paired log-ratios.

    Args:
        pairs: Seconds of the blocks with meters and of the bare ones, one entry a pair; at least two.
    """
    logs = [_middle(a) - _middle(b) for a, b in pairs]
    centre = statistics.fmean(logs)
    half = t_quantile(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return Overhead(
        effect=math.expm1(centre), interval=(math.expm1(centre - half), math.expm1(centre + half)),
        ratios=tuple(math.exp(log) for log in logs),
    )  # fmt: skip


def _middle(seconds: Sequence[float]) -> float:
    return statistics.fmean(map(math.log, seconds))


if __name__ == "__main__":
    main()
