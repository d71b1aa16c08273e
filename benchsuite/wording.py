"""Says verdicts in words, for a person who has not slept: what was, what is, by how much, what to do.

Pure; used by reporters and by the pytest plugin alike, so that a failing test and the report of a
run use the same words. Does not judge.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from .nouns import JUDGED, Outcome, Role, Verdict
from .units import is_number, show, show_change, show_effect

PROMOTE = "benchsuite promote results/latest"
REASON = '--reason "WHY"'

ADVICE: Mapping[Outcome, str] = {
    Outcome.OK: "",
    Outcome.IMPROVED: f"keep the gain, a stale baseline hides the next loss: {PROMOTE} --only '{{target}}' {REASON}",
    Outcome.REGRESSED: f"if intended: {PROMOTE} --only '{{target}}' {REASON}",
    Outcome.CHANGED: f"if intended: {PROMOTE} --only '{{target}}' {REASON}",
    Outcome.KNOWN: "",
    Outcome.INCONCLUSIVE: (
        "add trials: --suite-trials 5 (command: --trials 5), or --suite-trials-max 10 to have them added where they "
        "are needed; and promote a baseline of 5"
    ),
    Outcome.NO_BASELINE: f'look at the figures, then: {PROMOTE} --reason "first baseline"',
    Outcome.INCOMPARABLE: f"measure where the baseline was measured, or approve anew: {PROMOTE} {REASON}",
    Outcome.INVALID: "mend the cause and run again; an invalid figure cannot be promoted",
}


ONLY = re.compile(r"--only '[^']*' ")
ALSO = "also: "
"""Begins a line of a cause that is not the likeliest, and that nothing is told under."""
REACH = re.compile(r"; a move under \S+ % would be out of reach")
EFFECT = re.compile(r"^[-+]\S+ %, but ")
NAMES = 6
"""Metrics that are named where many share one reason."""
TOGETHER = "hold both stacks against each other on one machine, in one sitting: benchsuite ab"
GONE = f"find out why it is gone; if it is gone for good: {PROMOTE} {REASON}"


def advice(outcome: Outcome, slug: str, metric: str) -> str:
    """What to do about an outcome, empty where nothing is to be done."""
    return ADVICE[outcome].replace("{target}", f"{slug}/{metric}")


def change(verdict: Verdict) -> str:
    """Old and new value with their difference, or what there is of them."""
    if verdict.old is None and verdict.new is None:
        return ""
    if verdict.old is None:
        return show(verdict.new, verdict.unit)
    if verdict.new is None:
        return f"{show(verdict.old, verdict.unit)} -> not measured"
    if not is_number(verdict.old) and verdict.old == verdict.new:
        return str(verdict.new) if verdict.outcome in {Outcome.OK, Outcome.KNOWN} else ""
    return show_change(verdict.old, verdict.new, verdict.unit)


def one_line(verdict: Verdict) -> str:
    """A verdict in one line: "REGRESSED vram.peak.train (peak VRAM, training): 90.2 -> 135.9 MB (+51 %)"."""
    name = verdict.metric if verdict.title == verdict.metric else f"{verdict.metric} ({verdict.title})"
    said = change(verdict)
    return f"{label(verdict)} {name}" + (f": {said}" if said else "")


def label(verdict: Verdict) -> str:
    """The outcome as a headline; lower case, with a remark, where the metric only explains."""
    if verdict.role is Role.EXPLAIN and verdict.outcome in {Outcome.REGRESSED, Outcome.CHANGED, Outcome.INVALID}:
        return f"{verdict.outcome.value} (explains, fails nothing)"
    return verdict.outcome.value.upper()


def explain_lines(verdict: Verdict) -> tuple[str, ...]:
    """What stands under the one line: detail, cause, and what to do next; empty parts are left out."""
    cause = (line if line.startswith(ALSO) else f"cause: {line}" for line in verdict.cause.splitlines())
    following = (f"next: {verdict.advice}",) if verdict.advice else ()
    return (*verdict.detail.splitlines(), *cause, *following)


def causes(verdict: Verdict) -> tuple[str, ...]:
    """The lines of a verdict's cause that it is told under."""
    return tuple(line for line in verdict.cause.splitlines() if not line.startswith(ALSO))


def below_cause(verdict: Verdict) -> tuple[str, ...]:
    """What stands under the one line where cause and advice are told elsewhere."""
    return (*verdict.detail.splitlines(), *(line for line in verdict.cause.splitlines() if line.startswith(ALSO)))


def advise(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """What to do about verdicts that are told together: each advice once, for one metric only where there is one."""
    each = tuple(dict.fromkeys(v.advice for v in verdicts if v.advice))
    return each if len(each) == 1 else tuple(dict.fromkeys(ONLY.sub("", text) for text in each))


def reason(verdict: Verdict) -> str:
    """Why there is no answer, in one line, without what is each metric's own, so that metrics can share it."""
    # The effect stands beside each name. What could have been seen is each metric's own: report.md has it.
    return REACH.sub("", EFFECT.sub("", " ".join(verdict.detail.splitlines()))) or "no reason given"


def in_short(verdict: Verdict) -> str:
    """A metric with by how much it moved: "time.step +38 %", or its name alone."""
    effect = show_effect(verdict.old, verdict.new, verdict.unit)
    return f"{verdict.metric} {effect}".strip()


def some(names: Sequence[str]) -> str:
    """The first few of many names, and how many more there are."""
    more = len(names) - NAMES
    return ", ".join(names[:NAMES]) + (f" and {more} more" if more > 0 else "")


def paragraph(verdict: Verdict) -> str:
    """A verdict in full: the message of a failing test."""
    return "\n".join((f"{verdict.case}: {one_line(verdict)}", *(f"  {line}" for line in explain_lines(verdict))))


def tally(verdicts: Sequence[Verdict]) -> str:
    """How much was judged: "judged 41 of 46; not judged: 5 (3 inconclusive, 2 no-baseline)"."""
    rest = Counter(v.outcome for v in verdicts if v.outcome not in JUDGED)
    judged = f"judged {len(verdicts) - rest.total()} of {len(verdicts)}; not judged: {rest.total()}"
    reasons = ", ".join(f"{rest[outcome]} {outcome.value}" for outcome in Outcome if rest[outcome])
    return f"{judged} ({reasons})" if reasons else judged
