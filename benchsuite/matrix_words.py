"""A self-test in words: for the terminal, and as a page. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .matrix import NOT_RUN, Report, Result, Row
from .wording import some

EXPECTED, BESIDES, NOTHING = "●", "○", "·"
ORDER = tuple(Result)
ONE_STACK = "seen on one stack alone"
"""Of a fault: where other versions of the libraries run, nothing fails, since their insides may differ."""
ONE_PROCESSOR = "seen on one kind of processor alone"
"""Of a fault: against a baseline of another, nothing fails, since what differs in bits may differ for that."""
MEANING: Mapping[Result, str] = {
    Result.MISSED: "the fault acted, and nothing failed",
    Result.ELSEWHERE: "something failed, and nothing that names the part at fault",
    Result.CRASHED: "the trial died of it, before anything that names the part could be measured",
    Result.UNPLANTED: "the plant itself failed in these versions: nothing was tested",
    Result.SILENT: "nothing but times differs from the clean trial: the plant did not act, or no metric shows it",
    Result.ALARM: "nothing was planted, and something failed",
    Result.CAUGHT: "a metric failed that names the part at fault",
    Result.CLEAN: "nothing was planted, and nothing failed",
    Result.NEEDS_CUDA: "not run: it acts on a GPU only",
    Result.NEEDS_QUIET: "not run: times alone tell it, and they are judged with one trial at a time only",
    Result.OTHER_REGIME: "not run: it acts in regimes that were not asked for",
}
AS_IF = (
    "On an upgrade: the same trials judged as if the versions of the guarded libraries differed, where what a library "
    "does inside explains and fails nothing. On another processor: judged as if the baseline came from one of another "
    "model and instruction set, against which bits say nothing."
)
TOGETHER = (
    "{} trials ran at once, so times (kinds wall and device) were not judged; every other figure repeats whatever runs "
    "beside it."
)


def ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    """What went wrong first, faults that reached users before our own; else as they came."""
    return tuple(sorted(rows, key=lambda row: (ORDER.index(row.result), not row.listed)))


def tally(rows: Sequence[Row]) -> str:
    """How many rows came out how: "58 caught, 2 missed, 3 needs cuda; 1 of those caught is not explained"."""
    counts = Counter(row.result for row in rows)
    said = ", ".join(f"{counts[result]} {result.value}" for result in Result if counts[result])
    caught = [row for row in rows if row.result is Result.CAUGHT]
    short = {
        "not explained": [r for r in caught if not r.explained],
        ONE_STACK: [r for r in caught if not r.upgrade],
        ONE_PROCESSOR: [r for r in caught if not r.processor],
    }
    more = ", ".join(f"{len(of)} {'is' if len(of) == 1 else 'are'} {words}" for words, of in short.items() if of)
    return said + (f"; of those caught {more}" if more else "")


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


def text(report: Report) -> str:
    """The matrix for a terminal, what went wrong first, and then each row in words."""
    rows = report.rows
    sorted_rows, columns = ordered(rows), signals(rows)
    width = max((len(row.fault) for row in rows), default=0)
    head = " ".join(("".ljust(width + 27), *columns))
    lines = [head.rstrip(), *(_text_row(row, columns, width) for row in sorted_rows)]
    legend = f"{EXPECTED} failed as it ought to   {BESIDES} failed besides"
    together = [TOGETHER.format(report.jobs)] if report.jobs > 1 else []
    return "\n".join((*lines, legend, "", *(_told(row) for row in sorted_rows), "", *together, tally(rows)))


def _text_row(row: Row, columns: Sequence[str], width: int) -> str:
    marks = (mark(row, column).ljust(len(column)) for column in columns)
    return " ".join((row.result.value.ljust(13), row.fault.ljust(width), row.regime.ljust(12), *marks)).rstrip()


def _told(row: Row) -> str:
    return f"{row.result.value} {row.fault}: {_seen(row)}"


def _seen(row: Row) -> str:
    """By what a row was seen, or by what it ought to have been; then the explanation."""
    besides = f" (besides: {', '.join(row.besides)})" if row.besides else ""
    if row.result is Result.CAUGHT:
        found = {"not explained": row.explained, ONE_STACK: row.upgrade, ONE_PROCESSOR: row.processor}
        notes = [note for note, otherwise in found.items() if not otherwise]
        return f"by {', '.join(row.by)}{besides}: {row.explanation}" + (f" [{', '.join(notes)}]" if notes else "")
    if row.result in NOT_RUN or not row.expected:
        return (row.problem or row.about) + besides
    why = _first(row.problem) or MEANING[row.result]
    return f"{row.about}; to be seen by {', '.join(row.expected)}{besides}: {why}"


def _first(problem: str) -> str:
    # The rest is a log's tail.
    return (problem.splitlines() or [""])[0]


def markdown(report: Report) -> str:
    """The matrix as a page: what ran on what, a table of signals, then one of words."""
    rows = report.rows
    columns, told = signals(rows), [row for row in ordered(rows) if row.result is not Result.CLEAN]
    matrix = _table(
        ("fault", "regime", "result", *columns),
        ((f"`{r.fault}`", r.regime, r.result.value, *(mark(r, c).replace(NOTHING, "") for c in columns))
         for r in told),
    )  # fmt: skip
    words = _table(WORDS_HEAD, map(_in_words, told))
    legend = f"{EXPECTED} a metric failed that ought to; {BESIDES} another one failed besides. {AS_IF}"
    found = Counter(row.result for row in rows)
    meaning = "\n".join(f"- {result.value}: {MEANING[result]}" for result in Result if found[result])
    return "\n\n".join((_heading(report), tally(rows) + ".", meaning, matrix, legend, words)) + "\n"


def _in_words(row: Row) -> tuple[str, ...]:
    return (
        f"`{row.fault}`", row.about, ", ".join(row.threads or row.libraries), ", ".join(f"`{name}`" for name in row.by),
        _there(row, row.upgrade, ONE_STACK), _there(row, row.processor, ONE_PROCESSOR),
        row.explanation or _first(row.problem) or MEANING[row.result],
    )  # fmt: skip


def _there(row: Row, metrics: Sequence[str], otherwise: str) -> str:
    """By what a fault is seen where other versions run, or on another processor; of many the first few."""
    if row.result is not Result.CAUGHT:
        return ""
    return some([f"`{name}`" for name in metrics]) if metrics else otherwise


WORDS_HEAD = (
    "fault", "what a user gets", "met in", "seen by", "on an upgrade", "on another processor", "explanation",
)  # fmt: skip
WHAT = (
    "Each fault was planted in a trial of its own and held against a clean trial. Written by `benchsuite selftest "
    "--markdown FILE`; not to be edited."
)


def _heading(report: Report) -> str:
    """What this is, and on what it was measured."""
    hardware = ", ".join(f"{name} {value}" for name, value in report.hardware.items())
    packages = ", ".join(f"{name} {version}" for name, version in report.packages.items())
    together = ["", TOGETHER.format(report.jobs)] if report.jobs > 1 else []
    return "\n".join(
        [
            f"# Self-test, profile {report.profile}", "",
            WHAT, "",
            f"- {report.when}, benchsuite {report.suite}",
            f"- {report.machine}" + (f": {hardware}" if hardware else ""),
            f"- {packages}", *together,
        ]
    )  # fmt: skip


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", "<br>")
