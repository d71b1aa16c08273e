"""What a planted fault is, and the few ways to plant one. Not a family itself.

A plant changes a library inside one trial's process, as an upgrade would have, after the libraries
are imported and before anything is loaded. Plants hold for transformers 4.55.3 to 5.x and peft 0.17
to 0.21. What they do not cover: faults in compiled code, which no few lines of Python can change.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.nouns import Device

Plant = Callable[[], None]
Around = Callable[..., Any]
"""Called with the original function, then with what that was to be called with."""
BOTH = ("fp32", "qlora")
FP32 = ("fp32",)
QLORA = ("qlora",)
UNPLANTED = "the fault could not be planted"
"""How a trial's problem begins where the plant itself failed: nothing was tested then."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A plant, and what the suite must say of it. Callable, so that a trial can be told to call it."""

    plant: Plant
    about: str
    """What a user would have got, in a few words."""
    listed: str
    """Its name in the list of faults that reached users; empty for one of our own."""
    threads: tuple[str, ...]
    """Where users met it, e.g. "peft#310"."""
    libraries: tuple[str, ...]
    needs: Device
    """CUDA where nothing would move on a CPU."""
    regimes: tuple[str, ...]
    """Where it acts, the most telling first."""
    seen_by: tuple[str, ...]
    """Globs of metrics; one that matches must fail."""
    word: str
    """What the verdicts' explanation must contain, whatever the case of its letters."""
    reduced: bool
    """Whether it belongs to the reduced set."""

    def __call__(self) -> None:
        """Plant it in this process."""
        self.plant()

    @property
    def name(self) -> str:
        """The plant's own name."""
        return self.plant.__name__

    @property
    def where(self) -> str:
        """FILE.py:FUNCTION, as a job names it."""
        return f"{Path(inspect.getfile(self.plant)).resolve()}:{self.name}"


def fault(
    about: str,
    *,
    libraries: tuple[str, ...],
    regimes: tuple[str, ...],
    seen_by: tuple[str, ...],
    word: str,
    listed: str = "",
    threads: tuple[str, ...] = (),
    needs: Device = Device.CPU,
    reduced: bool = False,
) -> Callable[[Plant], Fault]:
    """Decorate a plant with what is known of it."""

    def made(plant: Plant) -> Fault:
        return Fault(
            plant=plant, about=about, listed=listed, threads=threads, libraries=libraries, needs=needs,
            regimes=regimes, seen_by=seen_by, word=word, reduced=reduced,
        )  # fmt: skip

    return made


def of(module: Mapping[str, Any]) -> tuple[Fault, ...]:
    """All faults among a module's globals, in their order."""
    return tuple(value for value in module.values() if isinstance(value, Fault))


# ---------------------------------------------------------------- ways to plant


def wrap(owner: Any, name: str, around: Around) -> None:
    """Put `around(original, *args, **kwargs)` in the place of a function or method of a class or module."""
    raw = inspect.getattr_static(owner, name)
    method = type(raw) if isinstance(raw, classmethod | staticmethod) else None
    original = raw.__func__ if method else raw

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return around(original, *args, **kwargs)

    setattr(owner, name, method(wrapped) if method else wrapped)


def in_short_batches(change: Callable[[Any], Any], rows: int) -> None:
    """Have evaluation gather `change(tensor)` of a batch that is not full; one of up to `rows` rows is left alone."""
    from accelerate import Accelerator

    most = 0

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        nonlocal most
        found = call(*args, **kwargs)
        own = (*getattr(found, "shape", ()), 0)[0]
        most = max(most, own)
        return change(found) if rows < own < most else found

    wrap(Accelerator, "gather_for_metrics", around)


def replace_everywhere(name: str, new: Any, package: str = "transformers") -> None:
    """Rebind `name` in every module of `package` that holds it: modules import functions by value."""
    for label, module in list(sys.modules.items()):
        if label.split(".")[0] == package and name in vars(module):
            setattr(module, name, new)


def with_arguments(owner: Any, name: str, **fixed: Any) -> None:
    """Call `owner.name` with these keyword arguments, whatever the caller says."""
    wrap(owner, name, lambda call, *args, **kwargs: call(*args, **{**kwargs, **fixed}))


def with_default(function: Any, name: str, value: Any) -> None:
    """Change the default of one parameter of a Python function, so that its signature says so too."""
    parameters = inspect.signature(function).parameters.values()
    if name in (function.__kwdefaults__ or {}):
        function.__kwdefaults__[name] = value
        return
    named = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is not p.empty]
    defaults = list(function.__defaults__)
    defaults[named.index(name)] = value
    function.__defaults__ = tuple(defaults)


def after(owner: Any, name: str, act: Callable[[Any], None], *, on_result: bool) -> None:
    """Let `act` loose after each call of `owner.name`: on what it returned, or else on `self`."""

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        act(result if on_result else args[0])
        return result

    wrap(owner, name, around)


def every(n: int) -> Callable[[], bool]:
    """A function that says True at its every n-th call."""
    calls = itertools.count(1)
    return lambda: next(calls) % n == 0
