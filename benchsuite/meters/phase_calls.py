"""Calls that Python makes beside the training step: to load, tokenise, prepare, evaluate, log, save, train and reload.

Of a training only what lies outside its step: the begin and the end of `Trainer.train`.
Functions of Python and of C alike, in the thread that waits for it all. Each was done before in this
process, so that what a first call imports and keeps is there. Work of the device and inside one call of C is not seen.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .. import builders, probe
from ..nouns import JSON, Split
from ..scene import Scene
from ..trial import release, saved_model
from ._aside import put_back, states
from ._calls import Calls, counting
from ._probing import ProbeMeter, count, shown
from ._watch import evaluate

PHASES = {
    "tokenizer": "calls from Python to load the tokenizer",
    "load": "calls from Python to load the model",
    "tokenise": "calls from Python to tokenise",
    "prepare": "calls from Python to prepare training",
    "evaluation": "calls from Python in an evaluation",
    "log": "calls from Python to log",
    "save": "calls from Python to save the model",
    "train": "calls from Python to begin and end training",
    "reload": "calls from Python to reload the model",
}
# Measured: the same to the last call, but for what is left out below: in 4 trials of fp32 and 3 of qlora on a CPU, and
# in 3 processes of each on an H200, one of them beside busy ones. Room for what hangs on time or place all the same:
# work that was done twice, or that copies a model, moves a phase's calls by far more.
ROOM = 0.02
COUNTS = {
    phase: count(f"count.python_calls.{phase}", title, same_stack=True, depends_on=("python",), relative=ROOM)
    for phase, title in PHASES.items()
}
BY_FUNCTION = shown("python_calls.by_phase", "calls from Python by phase and function", depends_on=("python",))
WAITING = ("threading", "concurrent", "queue", "tqdm")
"""Packages whose calls hang on how long something takes: loading reads its file in other threads."""
PLACED = ("os", "collections", "posixpath", "genericpath", "ntpath", "pathlib", "tempfile", "shutil")
"""Packages whose calls hang on how deep a folder lies, and on how many variables there are: accelerate takes all of
the environment away and puts it back, which is 8 calls for each under pytest's one more."""
SPELLED = ("yaml",)
"""Packages that go letter by letter: a saved adapter's model card names the folder of its base model."""
CALLED_FROM = ("traceback", "linecache", "logging")
"""Packages that walk the stack of those who call them, and so our own functions."""
LETTING_GO = ("weakref", "_weakrefset")
"""Packages that are called as the last hold on something ends, in whichever thread: of threads that read, in either."""
UNCOUNTED = (*WAITING, *PLACED, *SPELLED, *CALLED_FROM, *LETTING_GO)
ELEMENT = "<genexpr>"
"""Ends the name of a generator that is written in place: each element asked of it would be a call, of any data."""
ROWS = 256
"""Rows that are tokenised."""
SHARE = 0.005
"""Of a phase's calls those of one function that are named: all names would be most of the record."""
LINE = {"loss": 0.5, "grad_norm": 1.0, "learning_rate": 1e-4}
"""What the Trainer logs of a step."""


class PhaseCallMeter(ProbeMeter):
    """Counts on a model built anew, without a trace: generators are left as they were, and the model is let go of."""

    name = "phase_calls"
    metrics = (*COUNTS.values(), BY_FUNCTION)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        generators = states(cuda=scene.on_cuda)
        found: dict[str, Counter[str]] = {}
        try:
            for phase, act in acts(scene):
                found[phase] = counted(act)
        finally:
            release(scene)
            put_back(generators)
        return {
            **{metric.name: found[phase].total() for phase, metric in COUNTS.items()},
            BY_FUNCTION.name: {phase: named(calls) for phase, calls in found.items()},
        }


def acts(scene: Scene) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is counted, in the order in which it has to be done. What this trial did otherwise before is done twice."""
    train = scene.examples.train
    some = Split(texts=train.texts[:ROWS], labels=train.labels[:ROWS])
    yield "tokenizer", lambda: builders.load_tokenizer(scene.source, scene.setting)
    yield "tokenise", lambda: builders.tokenise(scene.tokenizer, some, scene.plan)
    yield "load", lambda: probe.load(scene)
    yield "prepare", lambda: prepare(scene)
    evaluate(scene)
    yield "evaluation", lambda: evaluate(scene)
    scene.trainer.log(dict(LINE))
    yield "log", lambda: scene.trainer.log(dict(LINE))
    with tempfile.TemporaryDirectory(dir=scene.work) as folder:
        yield "save", lambda: scene.trainer.save_model(folder)
    scene.trainer = builders.make_trainer(scene, [_unseen_steps()], looked_into=True, **probe.short(1))
    yield "train", scene.trainer.train
    yield "reload", lambda: saved_model(scene)


def prepare(scene: Scene) -> None:
    """Transforms, and a Trainer that is never started."""
    probe.prepare(scene)
    scene.trainer = builders.make_trainer(scene, [], looked_into=True, **probe.short(1))


def _unseen_steps() -> Any:
    from transformers import TrainerCallback

    class Unseen(TrainerCallback):  # type: ignore[misc]
        """Nothing is counted inside a step: whoever counts is set aside there."""

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.counts = sys.getprofile()
            sys.setprofile(None)

        def on_step_end(self, *_: Any, **__: Any) -> None:
            sys.setprofile(self.counts)

    return Unseen()


def counted(act: Callable[[], Any]) -> Counter[str]:
    """Calls of `act()` by function."""
    calls = Calls()
    with no_collection(), counting(calls):
        act()
    functions = calls.python(*UNCOUNTED) + calls.c(*UNCOUNTED)
    return Counter({name: times for name, times in functions.items() if not name.endswith(ELEMENT)})


@contextmanager
def no_collection() -> Iterator[None]:
    """The garbage collector rests, which would call finalisers at its own time. To run it first costs CUDA a second."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def named(calls: Counter[str]) -> dict[str, JSON]:
    """Functions with at least `SHARE` of the calls, by name."""
    least = SHARE * calls.total()
    return {name: times for name, times in sorted(calls.items()) if times >= least}


METER = PhaseCallMeter
