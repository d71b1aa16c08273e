"""Error rates of the gate on recorded trials, beside those of other tools' rules on the same ones. Pure.

A call takes its two arms from processes that ran next to each other, and shares none with another call: given the
sittings, calls are independent, and their rates have exact intervals. What all of a sitting share, its host, its day
and the size of its delays, only more sittings tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from ..ab.blocks import Recorded, calls
from ..ab.estimate import Array
from ..ab.noise import Noise, fit
from ..ab.others import compared
from ..ab.pairs import looks
from ..ab.power import Outcomes, Row, Stream, row, run_calls, simulate
from ..ab.spending import DEVICE_WEIGHT, LEAD_WEIGHT, OTHER_WEIGHT, Question, Rule, rules
from ..nouns import Better
from .script import AGAIN, CLEAN, EFFECTS, HOST, KERNEL, STEP, Place
from .sittings import Sitting

PAIRS, LONG = 5, 12
"""Pairs of a call: ten processes, and what 300 s hold."""
CALLS = 10_000
SEED = 4
PAIR = 24.0
"""Seconds of a pair: two processes of 12 s."""
FASTEST = frozenset({STEP, HOST})
"""Of whose steps a process shows the fastest, as a trial of a call does; kernel times are the median's."""
SMALLEST = {KERNEL: 0.0025, STEP: 0.02, HOST: 0.02}
WEIGHTS = {KERNEL: DEVICE_WEIGHT, STEP: LEAD_WEIGHT, HOST: OTHER_WEIGHT}
UNRECORDED = 2
"""Timed figures of a real call that no recorded process has: training as a whole, and evaluation."""
MOVES: Mapping[Place, tuple[str, ...]] = {
    Place.NOWHERE: (), Place.DEVICE: (KERNEL, STEP, HOST), Place.HOST: (STEP, HOST),
}  # fmt: skip
"""What a delay may move, by its place; anything else that is said to have moved is a false alarm.

A host that waits for a slower device may do so without pause, which is processor time.
"""


def rows(sittings: Iterable[Sitting], *, pairs: int = PAIRS, pair: float = PAIR) -> tuple[Row, ...]:
    """A row for each case, arm and metric that the arm may move, this gate first; of equal arms one a call.

    Sittings of one machine, case, stack and list of arms stand in one row. A row's effect is what the arm really made
    of that metric: the median over processes of the shift inside each, 0 where that is none.

    Args:
        sittings: All that were recorded.
        pairs: Of a call; a sitting's last processes that fill none are not used.
        pair: Seconds that a pair takes in a real call.

    Raises:
        SuiteError: no sitting is as long as one call.
    """
    ordered = sorted(sittings, key=lambda each: (_alike(each), each.started))
    groups = [list(group) for _, group in groupby(ordered, key=_alike)]
    long = [group for group in groups if any(len(each.seconds) >= 2 * pairs for each in group)]
    if groups and not long:
        # Says how many processes a call takes, and how many there are.
        calls(_recorded(groups[0], next(iter(groups[0][0].values))), CLEAN, AGAIN, pairs=pairs)
    return tuple(found for group in long for found in _case(group, pairs, pair))


def _alike(sitting: Sitting) -> tuple[Any, ...]:
    return sitting.machine, sitting.case, sorted(sitting.packages.items()), sitting.arms, _counts(sitting)


def _counts(sitting: Sitting) -> list[tuple[str, int]]:
    """How many steps of an arm a process counts, by metric: the fastest of more is faster."""
    return sorted((name, len(each[0][0])) for name, each in sitting.values.items())


def _case(sittings: Sequence[Sitting], pairs: int, pair: float) -> Iterable[Row]:
    first = sittings[0]
    recorded = {name: _recorded(sittings, name) for name in WEIGHTS if name in first.values}
    shared = _rules(first.case, tuple(recorded), pairs)
    for arm in first.arms:
        if arm != CLEAN:
            values = {name: calls(each, CLEAN, arm, pairs=pairs) for name, each in recorded.items()}
            made = {name: _made(name, each, arm) for name, each in recorded.items()}
            yield from _arm(_scene(first), arm, Place(first.places[arm]), (shared, values, made), pair)


def _made(name: str, recorded: Recorded, arm: str) -> float:
    """What an arm makes of a metric, relative to clean steps of the same processes; 0 where it is less than nothing."""
    clean, slowed = (recorded.arms.index(name) for name in (CLEAN, arm))
    logs = [np.log(_shown(name, each)) for each in recorded.sittings]
    shift = float(np.median(np.concatenate([each[:, slowed] - each[:, clean] for each in logs])))
    return max(0.0, float(f"{np.expm1(shift):.2g}"))


def _scene(sitting: Sitting) -> str:
    """Regime, profile and machine: the rest of a case's name says nothing of its times."""
    return " ".join([*sitting.case.split("--")[1:3], sitting.machine])


def _recorded(sittings: Sequence[Sitting], name: str) -> Recorded:
    return Recorded(arms=sittings[0].arms, sittings=tuple(np.asarray(each.values[name]) for each in sittings))


def _rules(case: str, names: Sequence[str], pairs: int) -> Mapping[str, Rule]:
    """Each metric's rule as in a real call, which asks `UNRECORDED` more."""
    asked = {name: _question(case, name) for name in (*names, *(f"unrecorded {i}" for i in range(UNRECORDED)))}
    return {rule.question.metric: rule for rule in rules(tuple(asked.values()), looks(pairs))[: len(names)]}


def _question(case: str, name: str) -> Question:
    weight, smallest = WEIGHTS.get(name, OTHER_WEIGHT), SMALLEST.get(name, SMALLEST[STEP])
    return Question(case=case, metric=name, better=Better.LOWER, smallest=smallest, weight=weight)


def _arm(
    scene: str, arm: str, place: Place,
    call: tuple[Mapping[str, Rule], Mapping[str, Any], Mapping[str, float]], pair: float,
) -> Iterable[Row]:  # fmt: skip
    (shared, values, made), names = call, tuple(call[0])
    said = run_calls(tuple(shared.values()), [_shown(name, values[name]) for name in names])
    moved = [name for name in names if name in MOVES[place]]
    if not moved:
        yield row("this gate, whole call", f"{scene}: {arm}", said, [False] * len(names), effect=0.0, pair=pair)
    for name in moved:
        rest = [i for i, each in enumerate(names) if each not in moved]
        own = Outcomes(said=said.said[[names.index(name), *rest]], pairs=said.pairs)
        hit = [True, *[False] * len(rest)]
        yield row("this gate", _of(scene, name, place), own, hit, effect=made[name], pair=pair)
    # What other tools compare is a step's wall time.
    effect = made[STEP] if moved else 0.0
    yield from compared(_of(scene, STEP, place), values[STEP], effect=effect, pair=pair)


def _of(scene: str, name: str, place: Place) -> str:
    return f"{scene}: {name}" if place is Place.NOWHERE else f"{scene}: {name}, delay on the {place}"


# ---------------------------------------------------------------- simulated from what was recorded


def simulated(
    sittings: Iterable[Sitting], *, count: int = CALLS, pair: float = 24.0, seed: int = SEED
) -> tuple[Row, ...]:
    """Rows of simulated calls of one case, whose noise is fitted to its recorded clean processes.

    Args:
        sittings: All that were recorded; each case's longest is fitted.
        count: Calls of a row.
        pair: Seconds that a pair takes.
        seed: Of the generator; the same seed gives the same rows.
    """
    longest: dict[tuple[str, str], Sitting] = {}
    for each in sorted(sittings, key=lambda each: len(each.seconds)):
        longest[each.machine, each.case] = each
    return tuple(found for _, each in sorted(longest.items()) for found in _fitted(each, count, pair, seed))


def _fitted(sitting: Sitting, count: int, pair: float, seed: int) -> Iterable[Row]:
    noises = {name: _noise(sitting, name) for name in WEIGHTS if name in sitting.values}
    for name, pairs in ((KERNEL, PAIRS), (STEP, LONG)):
        if name in noises:
            asked = [
                Stream(question=_question(sitting.case, each), noise=noises.get(each, noises[STEP]), hit=each == name)
                for each in (*noises, *(f"unrecorded {i}" for i in range(UNRECORDED)))
            ]
            scene = f"{_scene(sitting)}, fitted to {len(sitting.seconds)} processes: {name}"
            for effect in (0.0, *EFFECTS):
                yield simulate(scene, asked, looks(pairs), effect=effect, calls=count, seed=seed, pair=pair)


def _noise(sitting: Sitting, name: str) -> Noise:
    clean = [sitting.arms.index(arm) for arm in (CLEAN, AGAIN)]
    processes = [[step for arm in clean for step in process[arm]] for process in sitting.values[name]]
    return fit([[min(steps)] for steps in processes] if name in FASTEST else processes)


def _shown(name: str, steps: Array) -> Array:
    """What a process shows of its steps, which are the last axis."""
    return np.min(steps, axis=-1) if name in FASTEST else np.median(steps, axis=-1)
