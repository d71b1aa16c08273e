"""What a trial's meters add to its timed step: one training whose meters take turns, and the statistics over turns.

Run as a program it reads a job from stdin and trains its case once. For one step all the meters of a trial look on,
for another none does and a bare pair of marks times the step instead, in pairs whose order is drawn. Either way a step
is timed as trials time it: by device events on CUDA, by the clock on a CPU. Neighbouring steps lie a fraction of a
second apart, so what the machine does besides moves both alike; whole blocks of training, and processes, did not: on a
busy host they scatter by several percent.
"""

from __future__ import annotations

import itertools
import random
import statistics
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import expm1, log
from pathlib import Path
from typing import Any

from benchsuite import codec, compat, jobs, trial, worker
from benchsuite.meters import nvml, steps
from benchsuite.nouns import Job, Phase
from benchsuite.plans import uncounted_steps
from benchsuite.scene import Scene

METERS, BARE = "A", "B"
"""Letters of a turn."""
PAIRS = ("AB", "BA")


def order(seed: int = 0) -> Iterator[str]:
    """Arms of one step after another: pairs of both, each in an order that is drawn.

    In a fixed order whatever returns every so many steps can fall on one arm more often, and does so all training long.

    A turn is one step: a host's steps scatter alike from one to the next, QLoRA's on an H200 by 10 % between neighbours
    and by as much between medians of turns of three or five, so that single steps give the most pairs for the same
    time. What a turn leaves under way on the device is done before the next one's first mark, which waits in the same
    stream.
    """
    drawn = random.Random(seed)
    while True:
        yield from drawn.choice(PAIRS)


QUANTITIES = ("step", "period")
"""A step as trials time it, and from its first callback to the next step's: with fetching, callbacks, progress."""

Marks = tuple[str, Any, Any, Any]
"""Of a step: its arm, its first callback, its begin and its end as trials mark them."""

# ---------------------------------------------------------------- in the process


def main() -> None:
    """Train in turns; the last line of stdout tells of every turn that was counted."""
    tell = worker.progress_pipe()
    job = codec.decode(Job, codec.loads(sys.stdin.read()))
    worker.import_libraries(tell)
    with tempfile.TemporaryDirectory(prefix="benchsuite-") as work:
        scene = jobs.scene_of(job, job.cases[0], Path(work), tell)
        marks = trained(scene)
        trial.release(scene)
    tell({"turns": turns(marks)})


def trained(scene: Scene) -> list[Marks]:
    """Train the scene's case; what was marked of each step."""
    trial.run_phases(scene, (Phase.LOAD, Phase.PREPARE))
    seats = scene.trainer.callback_handler
    metered = [callback for callback in seats.callbacks if type(callback).__module__.startswith("benchsuite.")]
    assert metered, "the meters' callback was not found among the Trainer's"
    (meter,) = (meter for meter in scene.meters if isinstance(meter, steps.StepMeter))
    switch = _switch(metered, meter, mark=steps._event_mark if scene.on_cuda else scene.clock.now)
    seats.callbacks = [callback for callback in seats.callbacks if callback not in metered]
    seats.add_callback(switch)
    _rest_with(switch)
    trial.run_phases(scene, (Phase.TRAIN,))
    scene.clock.sync()
    return list(switch.marks)


def _switch(metered: Sequence[Any], meter: steps.StepMeter, mark: Callable[[], Any]) -> Any:
    """One callback that hands every event on to the meters, but a step's events in their own turns alone."""
    from transformers import TrainerCallback

    class Switch(TrainerCallback):
        marks: list[Marks] = []  # noqa: RUF012
        hooks: list[tuple[Any, str, Any]] = []  # noqa: RUF012

        arms = order()
        arm = BARE

        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            self.arm = next(self.arms)
            hang(self.hooks, rest=self.arm == BARE)
            self.entered = mark()
            if self.arm == BARE:
                self.began = mark()
            else:
                for callback in metered:
                    callback.on_step_begin(*args, **kwargs)

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            if self.arm == BARE:
                self.marks.append((BARE, self.entered, self.began, mark()))
            else:
                for callback in metered:
                    callback.on_step_end(*args, **kwargs)
                self.marks.append((METERS, self.entered, *meter.marks[-1]))

        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            for callback in metered:
                callback.on_train_begin(*args, **kwargs)
            self.hooks = hooks(kwargs["model"], compat.bare_optimizer(kwargs["optimizer"]))

    return Switch()


def hooks(model: Any, optimizer: Any) -> list[tuple[Any, str, Any]]:
    """Where meters hang hooks: on the model's own call and on the update, which rest in bare turns too."""
    places = [(model, "_forward_pre_hooks")]
    places += [(optimizer, name) for name in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks")]
    return [(owner, name, getattr(owner, name)) for owner, name in places]


def hang(places: Sequence[tuple[Any, str, Any]], *, rest: bool) -> None:
    """Take the hooks away for a turn, or put them back."""
    for owner, name, own in places:
        setattr(owner, name, OrderedDict() if rest else own)


def _rest_with(switch: Any) -> None:
    """The thread that samples the device rests in bare turns too."""
    sample = nvml.Watch._sample

    def in_turn(watch: nvml.Watch) -> None:
        if switch.arm == METERS:
            sample(watch)

    nvml.Watch._sample = in_turn  # type: ignore[method-assign]


def turns(marks: Sequence[Marks]) -> list[dict[str, Any]]:
    """Arm and seconds of every step after the warm-up, from the first of a pair on; of the last, no period is known."""
    first = -(-uncounted_steps(len(marks)) // 2) * 2
    return [_turn(*each) for each in itertools.pairwise(marks[first:])]


def _turn(marks: Marks, following: Marks) -> dict[str, Any]:
    arm, entered, began, ended = marks
    return {"arm": arm, "step": steps._seconds(began, ended), "period": steps._seconds(entered, following[1])}


# ---------------------------------------------------------------- over turns


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """What the meters add, relative to a bare step: 0.01 is 1 %."""

    effect: float
    interval: tuple[float, float]
    """At 95 %, over pairs of neighbouring turns."""
    pairs: int

    def __str__(self) -> str:
        """For people, in percent."""
        low, high = self.interval
        return f"{self.effect:+.2%} (95 % interval {low:+.2%} to {high:+.2%}, {self.pairs} pairs of turns)"


def paired(found: Sequence[Mapping[str, Any]], quantity: str) -> Iterator[float]:
    """Log-ratio of meters to none, for each two neighbouring turns of different arms; no turn is in two pairs."""
    rest = iter(found)
    for one in rest:
        other = next(rest, None)
        if other is not None and other["arm"] != one["arm"]:
            a, b = (one, other) if one["arm"] == METERS else (other, one)
            yield log(a[quantity] / b[quantity])


def overhead(logs: Sequence[float]) -> Overhead:
    """Hodges and Lehmann's estimate with Wilcoxon's interval (large-sample): a stall of the host moves neither far.

    Args:
        logs: Log-ratios, one a pair; at least ten.
    """
    count = len(logs)
    assert count >= 10, f"{count} pairs of turns are too few: take more steps"
    walsh = sorted((logs[i] + logs[j]) / 2 for i in range(count) for j in range(i, count))
    half = statistics.NormalDist().inv_cdf(0.975) * (count * (count + 1) * (2 * count + 1) / 24) ** 0.5
    skip = max(0, int(len(walsh) / 2 - half))
    return Overhead(
        effect=expm1(statistics.median(walsh)), interval=(expm1(walsh[skip]), expm1(walsh[-1 - skip])), pairs=count
    )


if __name__ == "__main__":
    main()
