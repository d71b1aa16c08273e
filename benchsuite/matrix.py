"""Planted faults x signals: what a self-test saw, as rows, as text, as Markdown and as an exit code. Pure.

Does not run or judge: verdicts come in, rows go out. A fault is caught only where one of the metrics
that ought to see it fails; an alarm in another part alone is a wrong answer, and told as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from .compare import measured
from .faults._fault import Fault
from .nouns import Kind, Metric, Record, Role, Verdict
from .wording import causes

STILL = frozenset({Kind.EXACT, Kind.COUNT, Kind.QUALITY})
"""Kinds that repeat to the last bit on one CPU: where no gate of them moved, a plant did nothing."""
EXPECTED, BESIDES, NOTHING = "●", "○", "·"
CLEAN_NAME = "(clean)"


class Result(StrEnum):
    """How one trial of the self-test came out; what is bad comes first."""

    MISSED = "missed"
    ELSEWHERE = "wrong part"
    SILENT = "did not act"
    ALARM = "false alarm"
    CAUGHT = "caught"
    CLEAN = "clean"
    NEEDS_CUDA = "needs cuda"
    OTHER_REGIME = "other regime"


NO_TRACE = "nothing but times differs from the clean trial: the plant did not act, or leaves no trace"
BAD = frozenset({Result.MISSED, Result.ELSEWHERE, Result.SILENT, Result.ALARM})
NOT_RUN = frozenset({Result.NEEDS_CUDA, Result.OTHER_REGIME})
ORDER = tuple(Result)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault, or one clean repeat, and what became of it."""

    fault: str
    about: str
    listed: bool
    """Whether it is one that reached users."""
    threads: tuple[str, ...]
    libraries: tuple[str, ...]
    regime: str
    result: Result
    expected: tuple[str, ...]
    """Globs of the metrics that ought to fail."""
    by: tuple[str, ...]
    """Those that did."""
    besides: tuple[str, ...]
    """Other metrics that failed."""
    explanation: str
    explained: bool
    """Whether the explanation contains the fault's word."""
    problem: str
    """What went wrong, in words."""


# ---------------------------------------------------------------- rows


def not_run(fault: Fault, result: Result, problem: str) -> Row:
    """The row of a fault that was left out, or whose trial could not be made."""
    return _row(fault, regime="", result=result, problem=problem)


def sift(fault: Fault, regime: str, verdicts: Sequence[Verdict], *, acted: bool, problem: str) -> Row:
    """The row of a fault whose trial was judged.

    Args:
        fault: What was planted.
        regime: Where.
        verdicts: What was said of it, causes told.
        acted: Whether anything that repeats to the last bit differs from the clean trial.
        problem: Why the trial failed; empty where it went well. A crash that says why is seen.
    """
    failing = [v for v in verdicts if v.fails]
    wanted = [v for v in failing if _matches(v.metric, (*fault.seen_by, "trial"))]
    explanation, explained = _explanation(wanted, fault.word)
    if wanted:
        result = Result.CAUGHT
    elif failing:
        result = Result.ELSEWHERE
    else:
        result = Result.MISSED if acted else Result.SILENT
    return _row(
        fault, regime=regime, result=result, by=tuple(v.metric for v in wanted), explanation=explanation,
        besides=tuple(v.metric for v in failing if v not in wanted), explained=explained,
        problem=NO_TRACE if result is Result.SILENT else problem,
    )  # fmt: skip


def clean_row(regime: str, verdicts: Sequence[Verdict], problem: str) -> Row:
    """The row of a repeat with nothing planted: whatever fails is a false alarm."""
    failing = tuple(v.metric for v in verdicts if v.fails)
    return Row(
        fault=CLEAN_NAME, about="nothing is planted", listed=False, threads=(), libraries=(), regime=regime,
        result=Result.ALARM if failing else Result.CLEAN, expected=(), by=(), besides=failing, explanation="",
        explained=True, problem=problem,
    )  # fmt: skip


def _row(
    fault: Fault,
    *,
    regime: str,
    result: Result,
    problem: str,
    by: tuple[str, ...] = (),
    besides: tuple[str, ...] = (),
    explanation: str = "",
    explained: bool = False,
) -> Row:
    return Row(
        fault=fault.name, about=fault.about, listed=bool(fault.listed), threads=fault.threads,
        libraries=fault.libraries, regime=regime, result=result, expected=fault.seen_by, by=by, besides=besides,
        explanation=explanation, explained=explained, problem=problem,
    )  # fmt: skip


def _matches(metric: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(metric, glob) for glob in globs)


def _explanation(verdicts: Iterable[Verdict], word: str) -> tuple[str, bool]:
    """The line that holds the word, else the first there is; and whether the word was found."""
    lines = [line for v in verdicts for line in (causes(v) or v.detail.splitlines())]
    telling = [line for line in lines if word.lower() in line.lower()]
    return (telling or lines or [""])[0], bool(telling)


def acted(clean: Sequence[Record], planted: Sequence[Record], metrics: Mapping[str, Metric]) -> bool:
    """Whether two sides differ in anything that repeats to the last bit on one CPU."""
    return bool(clean and planted) and _bits(clean[0], metrics) != _bits(planted[0], metrics)


def _bits(record: Record, metrics: Mapping[str, Metric]) -> dict[str, object]:
    return {
        name: value.value
        for name, value in measured(record).items()
        if name in metrics and metrics[name].kind in STILL and metrics[name].role is Role.GATE
    }


# ---------------------------------------------------------------- words


def exit_code(rows: Iterable[Row]) -> int:
    """1 where a fault went unseen or did nothing, or where a clean repeat alarmed; else 0."""
    return int(any(row.result in BAD for row in rows))


def ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    """What went wrong first, faults that reached users before our own; else as they came."""
    return tuple(sorted(rows, key=lambda row: (ORDER.index(row.result), not row.listed)))


def tally(rows: Sequence[Row]) -> str:
    """How many rows came out how: "58 caught, 2 missed, 3 needs cuda; 1 of those caught is not explained"."""
    counts = Counter(row.result for row in rows)
    said = ", ".join(f"{counts[result]} {result.value}" for result in Result if counts[result])
    vague = sum(row.result is Result.CAUGHT and not row.explained for row in rows)
    return said + (f"; {vague} of those caught {'is' if vague == 1 else 'are'} not explained" if vague else "")


def signals(rows: Iterable[Row]) -> tuple[str, ...]:
    """Groups of metrics that failed anywhere: the first part of their names, in the alphabet's order."""
    return tuple(sorted({_group(name) for row in rows for name in (*row.by, *row.besides)}))


def _group(metric: str) -> str:
    return metric.split(".", maxsplit=1)[0]


def mark(row: Row, signal: str) -> str:
    """What a row has under one signal: expected and seen, seen besides, or nothing."""
    if signal in map(_group, row.by):
        return EXPECTED
    return BESIDES if signal in map(_group, row.besides) else NOTHING


def text(rows: Sequence[Row]) -> str:
    """The matrix for a terminal, what went wrong first, and then each row in words."""
    sorted_rows, columns = ordered(rows), signals(rows)
    width = max((len(row.fault) for row in rows), default=0)
    head = " ".join(("".ljust(width + 27), *columns))
    lines = [head.rstrip(), *(_text_row(row, columns, width) for row in sorted_rows)]
    legend = f"{EXPECTED} failed as it ought to   {BESIDES} failed besides"
    return "\n".join((*lines, legend, "", *(_told(row) for row in sorted_rows), "", tally(rows)))


def _text_row(row: Row, columns: Sequence[str], width: int) -> str:
    marks = (mark(row, column).ljust(len(column)) for column in columns)
    return " ".join((row.result.value.ljust(13), row.fault.ljust(width), row.regime.ljust(12), *marks)).rstrip()


def _told(row: Row) -> str:
    return f"{row.result.value} {row.fault}: {_seen(row)}"


def _seen(row: Row) -> str:
    """By what a row was seen, or by what it ought to have been; then the explanation."""
    besides = f" (besides: {', '.join(row.besides)})" if row.besides else ""
    if row.result is Result.CAUGHT:
        vague = "" if row.explained else " [not explained]"
        return f"by {', '.join(row.by)}{besides}: {row.explanation}{vague}"
    if row.result in NOT_RUN or not row.expected:
        return (row.problem or row.about) + besides
    first = (row.problem.splitlines() or [""])[0]
    return f"{row.about}; to be seen by {', '.join(row.expected)}{besides}" + (f": {first}" if first else "")


def markdown(rows: Sequence[Row], heading: str) -> str:
    """The matrix as a page: a table of signals, then one of words."""
    sorted_rows, columns = ordered(rows), signals(rows)
    matrix = _table(
        ("fault", "regime", "result", *columns),
        ((f"`{r.fault}`", r.regime, r.result.value, *(mark(r, c).replace(NOTHING, "") for c in columns))
         for r in sorted_rows),
    )  # fmt: skip
    words = _table(
        ("fault", "what a user gets", "met in", "seen by", "explanation"),
        ((f"`{r.fault}`", r.about, ", ".join(r.threads or r.libraries), ", ".join(f"`{name}`" for name in r.by),
          r.explanation or r.problem) for r in sorted_rows),
    )  # fmt: skip
    legend = f"{EXPECTED} a metric failed that ought to; {BESIDES} another one failed besides."
    return "\n\n".join((f"# {heading}", tally(rows) + ".", matrix, legend, words)) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", "<br>")
