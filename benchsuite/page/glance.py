"""The few figures that people ask for first, a row a case; and every figure that was judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from benchsuite.nouns import JUDGED, CaseResult, Outcome, Role, RunResult, Status, Verdict
from benchsuite.reporters._columns import HEADERS, good
from benchsuite.reporters._columns import rows as published_rows
from benchsuite.units import percent, show, show_effect
from benchsuite.wording import label

from .blocks import Block, Column, Fold, Note, Section, Table, columns
from .sides import common, compared, names

KEY: Mapping[str, str] = {
    "time.train": "training",
    "time.step": "one step",
    "device.kernel_time.step": "kernels of a step",
    "vram.peak.train": "peak VRAM, training",
    "latency.sample": "latency a sample",
    "quality.accuracy.reloaded": "accuracy",
}
QUIET = frozenset({Outcome.OK, Outcome.INCONCLUSIVE, Outcome.NO_BASELINE, Outcome.INCOMPARABLE})
"""Outcomes that a cell does not name: the change beside it says what there is to say."""
ALL = columns("Outcome:outcome, Metric:code, What, Baseline:number, This run:number, Change:number, Interval:number")


def units(run: RunResult, slug: str) -> Mapping[str, str]:
    """Base units of a case's metrics."""
    return {v.metric: v.unit for result in run.results if result.slug == slug for v in result.verdicts}


def titles(run: RunResult, slug: str) -> Mapping[str, str]:
    """What people call a case's metrics."""
    return {v.metric: v.title for result in run.results if result.slug == slug for v in result.verdicts}


def section(run: RunResult) -> Section | None:
    """None where the run has no case."""
    called = names(run)
    keys = [key for key in KEY if any(v.metric == key for result in run.results for v in result.verdicts)]
    head = (Column(name="Case"), Column(name="Verdict"), *(Column(name=KEY[key], kind="number") for key in keys))
    rows = tuple(_row(called[result.slug], result, keys) for result in run.results)
    against = ", and how far they lie from the baseline's" if compared(run) else ""
    lead = f"{common(run)}. Medians over trials{against}."
    table = Table(caption="The cases at a glance", columns=head, rows=rows)
    return Section(id="cases", title="The cases at a glance", lead=lead, blocks=(table,)) if rows else None


def _row(name: str, result: CaseResult, keys: list[str]) -> tuple[str, ...]:
    found = {v.metric: v for v in result.verdicts}
    return name, standing(result), *(_cell(found[key]) if key in found else "" for key in keys)


def standing(result: CaseResult) -> str:
    """A case in a few words: what failed, or how much was judged."""
    failing = sum(v.fails for v in result.verdicts)
    trials, fine = len(result.records), len(good(result.records))
    lost = Counter(r.status for r in result.records if r.status is not Status.OK)
    said = [f"{count} of {trials} trials {status.value}" for status, count in lost.items()]
    said += [f"{failing} figure{'s' * (failing != 1)} failed"] if failing else []
    judged = sum(v.outcome in JUDGED for v in result.verdicts)
    base = f"baseline of {len(result.baseline.trials)}" if result.baseline else "no baseline"
    said += [f"{judged} of {len(result.verdicts)} judged"]
    return f"{', '.join(said)}\n{fine} trial{'s' * (fine != 1)}, {base}"


def _cell(v: Verdict) -> str:
    effect = show_effect(v.old, v.new, v.unit)
    loud = "" if v.outcome in QUIET else v.outcome.value
    return f"{show(v.new, v.unit)}\n{' '.join(filter(None, [effect, loud]))}"


# ---------------------------------------------------------------- the published table


def published(run: RunResult) -> Section | None:
    """This run's rows over the published ones, and how to read the latter."""
    head = (Column(name=HEADERS[0]), *(Column(name=name, kind="number") for name in HEADERS[1:]))
    rows = tuple(published_rows(run))
    blocks: list[Block] = [Table(caption="The published columns", columns=head, rows=rows)]
    source = " ".join(run.published.get("source", "").split())
    notes = [f"{note['title']} ({'; '.join(note['columns'])}). {note['text']}" for note in _confounds(run)]
    notes += run.published.get("notes", ())
    if notes:
        blocks.append(Fold(title="Read the published figures with care", blocks=tuple(Note(text=n) for n in notes)))
    return (
        Section(id="published", title="Beside the published table", lead=source, blocks=tuple(blocks)) if rows else None
    )


def _confounds(run: RunResult) -> Iterator[Mapping[str, str]]:
    yield from run.published.get("confounds", ())


# ---------------------------------------------------------------- everything


def everything(run: RunResult) -> Section | None:
    """Every figure that was judged, a table a case."""
    called = names(run)
    folds = tuple(_fold(called[result.slug], result) for result in run.results if result.verdicts)
    lead = "What gates can fail a run; what only explains is marked so."
    return Section(id="figures", title="Every figure", lead=lead, blocks=folds) if folds else None


def _fold(name: str, result: CaseResult) -> Fold:
    table = Table(caption=f"Every figure, {name}", columns=ALL, rows=tuple(map(_line, result.verdicts)))
    return Fold(title=f"{name}: {len(result.verdicts)} figures", blocks=(table,))


def _line(v: Verdict) -> tuple[str, ...]:
    said = label(v).lower() if v.role is Role.GATE else f"{v.outcome.value} (explains)"
    interval = " to ".join(map(percent, v.interval)) if v.interval and v.unit != "1" else ""
    return (
        said,
        v.metric,
        v.title,
        show(v.old, v.unit),
        show(v.new, v.unit),
        show_effect(v.old, v.new, v.unit),
        interval,
    )
