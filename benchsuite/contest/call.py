"""One call of `benchsuite ab`, from what a user asked for to the card and its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from .. import cases, codec, readiness, registry, store
from ..ab.pairs import FEWEST
from ..ab.spending import Question
from ..arms import spec
from ..cases import slug
from ..nouns import Case, Device, Metric, Options, SuiteError, UsageError
from ..progress import duration
from ..units import parse_tolerance
from ..versus import Bench
from . import card_markdown, card_text, field, timing
from .card import Card, card
from .field import Show
from .order import ARMS
from .rounds import Measure, Played, play
from .verdicts import result

FILES: Mapping[str, Callable[[Card], str]] = {
    "ab.json": lambda said: codec.dumps(codec.encode(said)),
    "ab.md": card_markdown.render,
    "ab.txt": card_text.render,
}
"""What a call leaves in its run's folder, beside the records."""


IMPORT = "time.import"
"""Whoever asks for this wants to see processes that start alone."""
BUDGET = {Device.CPU: 60.0, Device.CUDA: 300.0}
"""Seconds for each case where nothing else is said: on a CPU times decide nothing, they only explain."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a user asked for beyond the options of any run."""

    a: str
    b: str
    budget: float | None
    """Seconds for each case; None for the device's own."""
    timeout: float
    """Seconds a trial may take; 0 for the profile's."""
    timed: tuple[str, ...]
    """The timed figures; empty for the usual ones."""
    smallest: tuple[str, ...]
    """"FIGURE=SHARE" each."""
    fingerprint: bool = True
    """Whether each arm's first good trial takes the whole record."""


@dataclass(frozen=True, kw_only=True)
class Deal:
    """A call that may begin: everything has been checked."""

    cases: tuple[Case, ...]
    measure: Measure
    clock: Callable[[], float]
    run: Path
    """The run's folder, or the replayed one's."""
    ahead: Callable[[], float] = lambda: 0.0
    """Of the last pair's seconds those that served later ones."""
    end: Callable[[], None] = lambda: None
    """Leaves nothing running."""


def run(asked: Asked, options: Options, *, show: Show, say: Callable[[str], None]) -> Card:
    """Measure two arms, or judge an earlier call again (`options.replay`), and write what came out.

    Args:
        asked: The arms, and how to decide between them.
        options: Cases, device and folders, as for any run.
        show: Shows a trial's progress.
        say: Told what is about to happen, in a line.

    Raises:
        UsageError: an option makes no sense.
        SuiteError: an environment, the GPU, data or model is not as it must be, or an arm keeps failing.
    """
    readiness.check_words(options)
    known = registry.metrics()
    names = timing.declared(asked.timed, known)
    smallest = smallest_effects(options.tolerances, asked.smallest, names, known)
    deal = _replayed(options) if options.replay else _live(asked, options, names, show, say)
    budget = _budget(asked, deal.cases)
    questions = timing.questions(deal.cases, names, known, smallest)
    least = FEWEST if questions else 1
    if not options.replay:
        say(_estimate(deal.cases, least, budget))
    try:
        played = play(
            deal.cases, measure=deal.measure, answered=partial(timing.answered, questions), clock=deal.clock,
            budget=budget, least=least, ahead=deal.ahead,
        )  # fmt: skip
    except SuiteError as error:
        raise SuiteError(f"{error}\nRecords: {deal.run}") from error
    finally:
        deal.end()
    said = _card(asked, options, played, questions=questions, run=deal.run, budget=budget)
    for name, render in FILES.items() if not options.replay else ():
        store.write_text(deal.run / name, render(said))
    return said


def _replayed(options: Options) -> Deal:
    source = store.resolve_run(options.replay, Path(options.results))
    found, recorded = field.recorded(source)
    return Deal(cases=found, measure=recorded, clock=recorded.clock, run=source)


def _live(asked: Asked, options: Options, names: Sequence[str], show: Show, say: Callable[[str], None]) -> Deal:
    if not asked.a or not asked.b:
        raise UsageError(f"both arms are needed: --a SPEC --b SPEC. {spec.GIVE}")
    wanted = tuple(cases.without_spare_rows(case) for case in cases.cases(options))
    texts = dict(zip(ARMS, (asked.a, asked.b), strict=True))
    # Not marked as the latest: neither `run --resume` nor `promote latest` may take one arm's trials for a run's.
    start = partial(store.new_run, Path(options.results), now=datetime.now(UTC))
    measure = field.live(
        wanted, options, texts, show=show, timeout=asked.timeout, fingerprint=asked.fingerprint,
        timed=tuple(names), early=IMPORT not in names, say=say, start=start,
    )  # fmt: skip
    return Deal(
        cases=wanted, measure=measure, clock=field.clock, run=measure.run, ahead=lambda: measure.imports.ahead,
        end=measure.end,
    )  # fmt: skip


def _budget(asked: Asked, wanted: Sequence[Case]) -> float:
    own = sum(BUDGET[case.device] for case in wanted) / len(wanted)
    return own if asked.budget is None else asked.budget


def _estimate(wanted: Sequence[Case], least: int, budget: float) -> str:
    trials = len(ARMS) * least * len(wanted)
    shortest = sum(len(ARMS) * least * case.profile.guess for case in wanted)
    count = f"{len(wanted)} case{'' if len(wanted) == 1 else 's'}"
    more = f"; more within {duration(budget * len(wanted))}" if least > 1 else ""
    return f"{count}, at least {trials} trials: {duration(shortest)} (guess){more}"


def _card(
    asked: Asked, options: Options, played: Played, *, questions: Sequence[Question], run: Path, budget: float
) -> Card:
    bench = Bench(
        metrics=registry.metrics(), judges=registry.judges(), rules=registry.rules(), tolerances=options.tolerances
    )
    standing = {slug(at.case): at for at in played.standings}
    said = timing.timings(questions, standing, played.looks, ended=True)
    texts = dict(zip(ARMS, (asked.a or "as recorded", asked.b or "as recorded"), strict=True))
    return card(
        run=run.name, texts=texts, standings=played.standings, seconds=played.seconds, budget=budget,
        results=[result(at, said.get(name, {}), bench) for name, at in standing.items()],
    )  # fmt: skip


# ---------------------------------------------------------------- the words of the call


def seconds(text: str) -> float:
    """Read "300", "300s", "5min" or "1h" as seconds.

    Raises:
        UsageError: it is no duration.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(s|min|h)?\s*", text)
    if match is None:
        raise UsageError(f"{text!r} is no duration; write for example 300s, 5min or 1h")
    return float(match[1]) * {"s": 1, "min": 60, "h": 3600}[match[2] or "s"]


def smallest_effects(
    tolerances: Mapping[str, str], asked: Sequence[str], names: Sequence[str], known: Mapping[str, Metric]
) -> dict[str, float]:
    """The smallest relative effect of each timed figure that somebody set; what was asked for beats the file.

    Args:
        tolerances: Glob -> tolerance text, from pyproject; what is no share is left alone.
        asked: "FIGURE=SHARE" each, where the figure may be a glob.
        names: The timed figures.
        known: All declarations.

    Raises:
        UsageError: a text that names no timed figure or no share.
    """
    found: dict[str, float] = {}
    example = next(iter(names), timing.TIMED[0])
    for name in names:
        texts = [text for glob, text in tolerances.items() if fnmatchcase(name, glob)]
        share = parse_tolerance(texts[-1], known[name].unit)[0] if texts else None
        found |= {name: share} if share else {}
    for text in asked:
        glob, parted, tolerance = text.rpartition("=")
        meant = [name for name in names if fnmatchcase(name, glob)]
        share = parse_tolerance(tolerance)[0] if parted else None
        if not meant or not share:
            raise UsageError(f'--smallest {text!r}: write a timed figure and a share, such as "{example}=1 %"')
        found |= dict.fromkeys(meant, share)
    return found
