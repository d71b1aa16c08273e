"""The quick part of the doctor before a GPU run: what would waste the hour is said before it begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from . import cases, doctor, examine, registry
from .diagnosis import Level, diagnose
from .nouns import Case, Device, Options, SuiteError


def tell(options: Options, selected: Sequence[Case], say: Callable[[str], object], *, context: bool) -> None:
    """Say each warning; nothing where no case needs a GPU, or none is measured.

    Raises:
        SuiteError: an error was found; the message holds each with its command.
    """
    measured = [case for case in selected if case.device is Device.CUDA]
    if options.replay or not measured:
        return
    asked = replace(options, regimes=tuple(dict.fromkeys(case.regime for case in measured)))
    own = any(cases.origin(options, case).model for case in measured)
    found = diagnose(examine.look(asked, own_model=own, deep=False, context=context), registry.checks(), quick=True)
    errors, warnings = ([d for d in found if d.level is level] for level in (Level.ERROR, Level.WARNING))
    for diagnosis in warnings:
        say(f"benchsuite: {diagnosis.check}: {diagnosis.seen}\n  {doctor.PROMPT}{diagnosis.command}")
    if errors:
        raise SuiteError("this machine is not fit for a GPU run.\n" + "\n".join(map(doctor.paragraph, errors)))
