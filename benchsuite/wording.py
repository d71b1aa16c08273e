"""Says verdicts in words, for a person who has not slept: what was, what is, by how much, what to do.

Pure; used by reporters and by the pytest plugin alike, so that a failing test and the report of a
run use the same words. Does not judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from .nouns import JUDGED, Outcome, Role, Verdict
from .units import is_number, show, show_change

PROMOTE = "benchsuite promote results/latest"
REASON = '--reason "WHY"'

ADVICE: Mapping[Outcome, str] = {
    Outcome.OK: "",
    Outcome.IMPROVED: f"keep the gain, a stale baseline hides the next loss: {PROMOTE} --only '{{target}}' {REASON}",
    Outcome.REGRESSED: f"if intended: {PROMOTE} --only '{{target}}' {REASON}",
    Outcome.CHANGED: f"if intended: {PROMOTE} --only '{{target}}' {REASON}",
    Outcome.KNOWN: "",
    Outcome.INCONCLUSIVE: "add trials: --suite-trials 5 (command: --trials 5), and promote a baseline of as many",
    Outcome.NO_BASELINE: f'look at the figures, then: {PROMOTE} --reason "first baseline"',
    Outcome.INCOMPARABLE: f"measure where the baseline was measured, or approve anew: {PROMOTE} {REASON}",
    Outcome.INVALID: "mend the cause and run again; an invalid figure cannot be promoted",
}


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
    cause = (f"cause: {verdict.cause}",) if verdict.cause else ()
    following = (f"next: {verdict.advice}",) if verdict.advice else ()
    return (*verdict.detail.splitlines(), *cause, *following)


def paragraph(verdict: Verdict) -> str:
    """A verdict in full: the message of a failing test."""
    return "\n".join((f"{verdict.case}: {one_line(verdict)}", *(f"  {line}" for line in explain_lines(verdict))))


def tally(verdicts: Sequence[Verdict]) -> str:
    """How much was judged: "judged 41 of 46; not judged: 5 (3 inconclusive, 2 no-baseline)"."""
    rest = Counter(v.outcome for v in verdicts if v.outcome not in JUDGED)
    judged = f"judged {len(verdicts) - rest.total()} of {len(verdicts)}; not judged: {rest.total()}"
    reasons = ", ".join(f"{rest[outcome]} {outcome.value}" for outcome in Outcome if rest[outcome])
    return f"{judged} ({reasons})" if reasons else judged
