"""Tolerances as users set them, metric glob -> text: pure. How a text is read is `units`' matter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from . import registry
from .nouns import Kind, Metric, UsageError
from .units import parse_tolerance


def tolerant(metric: Metric, tolerances: Mapping[str, str]) -> Metric:
    """`metric` with the tolerance of the last glob that matches its name; the other kind of it becomes 0.

    Raises:
        UsageError: the text is no tolerance, or one in another unit; names the glob.
    """
    texts = [text for glob, text in tolerances.items() if fnmatchcase(metric.name, glob)]
    if not texts:
        return metric
    relative, absolute = parse_tolerance(texts[-1], metric.unit)
    return replace(metric, relative=relative or 0.0, absolute=absolute or 0.0)


def marginal(metric: Metric, task: str) -> Metric:
    """`metric` with the task's margin where it is an accuracy that states none: what may be lost before it counts."""
    own = getattr(registry.tasks().get(task), "margin", None)
    stated = metric.relative is not None or metric.absolute is not None
    if own is None or stated or metric.kind is not Kind.QUALITY or metric.judge:
        return metric
    return replace(metric, absolute=float(own))


def check_tolerances(tolerances: Mapping[str, str]) -> None:
    """Refuse, before anything is measured, a tolerance that no metric takes.

    Raises:
        UsageError: one in another unit than its metric's, or for a name that no metric has.
    """
    known = registry.metrics()
    for glob in tolerances:
        if not any(fnmatchcase(name, glob) for name in known):
            near = registry.near(glob, known)
            raise UsageError(f"[tool.benchsuite.tolerance]: no metric matches {glob!r}.{near}")
    for metric in known.values():
        tolerant(metric, tolerances)
