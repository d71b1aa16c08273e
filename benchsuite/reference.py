"""Metrics, judges and options as one page: docs/reference.md. Pure; what is declared is all that it knows."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .judges._common import Judge
from .nouns import Better, Kind, Metric, Role
from .settings import SETTINGS, Setting
from .units import percent, show

HEAD = """# Reference

Made from the code: `python -m benchsuite.reference_page > docs/reference.md`. How the words hang together:
[design.md](design.md).
"""
BETTER = {Better.LOWER: "lower", Better.HIGHER: "higher", Better.NEITHER: ""}


def page(metrics: Mapping[str, Metric], judges: Mapping[str, Judge], settings: Sequence[Setting] = SETTINGS) -> str:
    """The page's text."""
    blocks = [HEAD, *_metrics(metrics, judges), *_judges(judges), *_options(settings), SCHEMAS]
    return "\n".join(block.rstrip("\n") + "\n" for block in blocks)


# ---------------------------------------------------------------- metrics


def _metrics(metrics: Mapping[str, Metric], judges: Mapping[str, Judge]) -> Iterator[str]:
    gates = sum(metric.role is Role.GATE for metric in metrics.values())
    yield (
        f"## Metrics\n\n{len(metrics)} are declared, of which {gates} are gates: they can fail a run. The others "
        "explain. The smallest effect that counts is the metric's own where one stands there, else its judge's; "
        "`[tool.benchsuite.tolerance]` and a calibrated machine replace it. On a CPU times only explain."
    )
    for concern in sorted({metric.concern for metric in metrics.values()}):
        own = sorted((m for m in metrics.values() if m.concern == concern), key=lambda m: m.name)
        yield f"### {concern}"
        head = (
            "metric",
            "what",
            "unit",
            "kind",
            "judge",
            "better",
            "counts from",
            "role",
            "only comparable with equal",
        )
        yield _table(head, (_metric(metric, judges) for metric in own))


def _metric(metric: Metric, judges: Mapping[str, Judge]) -> tuple[str, ...]:
    return (
        f"`{metric.name}`", metric.title, metric.unit or "structure", metric.kind.value,
        metric.judge or _judge_of(metric.kind, judges), BETTER[metric.better], _counts(metric), metric.role.value,
        ", ".join([*metric.depends_on, *(["versions"] if metric.same_stack else [])]),
    )  # fmt: skip


def _judge_of(kind: Kind, judges: Mapping[str, Judge]) -> str:
    return next(name for name, judge in judges.items() if judge.kind is kind)


def _counts(metric: Metric) -> str:
    if metric.relative == 0 and not metric.absolute:
        return "any"
    parts = [percent(metric.relative)[1:]] if metric.relative else []
    return " or ".join(parts + ([show(metric.absolute, metric.unit)] if metric.absolute else []))


# ---------------------------------------------------------------- judges and options


def _judges(judges: Mapping[str, Judge]) -> Iterator[str]:
    yield "## Judges"
    rows = (
        (f"`{name}`", judge.kind.value if judge.kind else "named by metrics", _about(judge))
        for name, judge in judges.items()
    )
    yield _table(("judge", "kind", "what it does"), rows)


def _about(judge: Judge) -> str:
    """The first paragraph of its module."""
    told = sys.modules[type(judge).__module__].__doc__ or ""
    return " ".join(told.split("\n\n")[0].split())


def _options(settings: Iterable[Setting]) -> Iterator[str]:
    yield (
        "## Options\n\nEach is `--suite-NAME` for pytest, `suite_NAME` in its ini file, and `--NAME` for "
        "`benchsuite run`. The other commands that measure take those that make sense there: "
        "`benchsuite COMMAND --help`."
    )
    yield _table(("option", "value", "means"), (_option(setting) for setting in settings))


def _option(setting: Setting) -> tuple[str, ...]:
    value = setting.metavar or ("" if setting.type is bool else "N" if setting.type is int else "TEXT")
    return f"`{setting.name}`", "one of " + ", ".join(setting.choices) if setting.choices else value, setting.help


SCHEMAS = """## Files

JSON Schemas (draft 2020-12) of what a run leaves, made by `python scripts/schemas.py` and held to real files by tests:

- [schema/record.json](schema/record.json): one trial of one case, `results/RUN/records/*.json`
- [schema/verdicts.json](schema/verdicts.json): all verdicts of a run, `results/RUN/verdicts.json`

Numbers that JSON does not have stand as null, with a note `nonfinite` in the outermost object that says where and
which. A record of a newer schema than this benchsuite reads is refused.
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
