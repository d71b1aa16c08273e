"""What a run's cases need beside a machine: a fault's file, data, a model, tolerances that make sense."""

from __future__ import annotations

import os
from collections.abc import Sequence

from . import cases, checkpoints, registry
from .nouns import Case, Options, UsageError
from .tolerances import check_tolerances


def check_words(options: Options) -> None:
    """Refuse words of a user's that could only fail later.

    Raises:
        UsageError: a tolerance that makes no sense, or a fault whose file is not there.
    """
    check_tolerances(options.tolerances)
    file, _, function = options.inject.rpartition(":")
    if options.inject and not (function and os.path.isfile(file)):
        raise UsageError(f"--suite-inject {options.inject!r}: no such Python file. Give FILE.py:FUNCTION.")


def folders(options: Options, wanted: Sequence[Case]) -> dict[str, str]:
    """Each case's checkpoint folder by slug, its data and model checked.

    Raises:
        SuiteError: they cannot be had.
    """
    found = {}
    for case in wanted:
        task = registry.tasks()[case.task]
        task.check(cases.origin(options, case).data)
        found[cases.slug(case)] = checkpoints.resolve(options, case, len(task.labels))
    return found
