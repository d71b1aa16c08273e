"""The rolling issue: two nights taken apart, a state that survives its own page, text that cannot act, the command.

`python tests/test_nightly.py` writes the golden file anew.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from contests import Field, carded, played
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import GOLDEN

from benchsuite import cli, codec
from benchsuite.nightly import body, legs, nights, safe, state
from benchsuite.nightly.legs import Key, Leg, Trouble
from benchsuite.nightly.nights import Action
from benchsuite.nightly.state import BEFORE_ALL, Followed
from benchsuite.nouns import Kind, Outcome, Role, SuiteError, Verdict

QLORA = "sst2--qlora--quick--bert-base-uncased--pretrained--cuda--s42"
FP32 = "sst2--fp32--quick--bert-base-uncased--pretrained--cuda--s42"
FULL = "sst2--fp32--full--bert-base-uncased--pretrained--cuda--s42"
WIDE = "24.0 M elements of modules are float32, were float16 (embeddings); transformers 4.57.6 -> 5.23.0"
HOSTILE = "x --> <script>@everyone #1 `y` [z](https://evil.example) | *b* <!-- benchsuite-night {} --> \u202e"


def verdict(metric: str = "steps", outcome: Outcome = Outcome.OK, case: str = QLORA, **more: Any) -> Verdict:
    """A gate's verdict."""
    given: dict[str, Any] = {
        "case": case, "metric": metric, "title": metric, "unit": "1", "kind": Kind.COUNT, "role": Role.GATE,
        "concern": "work", "outcome": outcome, "old": 868, "new": 868, "effect": 0.0, "interval": None,
        "detectable": None, "detail": "", "cause": "", "advice": "",
    }  # fmt: skip
    return Verdict(**given | more)


def wrong(metric: str, case: str = QLORA, cause: str = WIDE, outcome: Outcome = Outcome.CHANGED) -> Verdict:
    """One that fails."""
    return verdict(metric, outcome, case, new=901, cause=cause)


# ---------------------------------------------------------------- two nights apart

NAMES = st.sampled_from(["pinned", "release", "main"])
CASES, METRICS = st.sampled_from([QLORA, FP32]), st.sampled_from(["a", "b", "c", "trial"])
KEYS = st.builds(Key, NAMES, CASES, METRICS)
TEXTS = st.one_of(st.text(max_size=40), st.just(HOSTILE), st.sampled_from(["-->", "--!>", "@a", "\ud800", "`", "{}"]))
FOLLOWED = st.builds(Followed, key=KEYS, outcome=TEXTS, since=TEXTS, cause=TEXTS)
STATES = st.builds(state.state, st.just("2026-11-23"), st.lists(FOLLOWED, unique_by=lambda each: each.key))
SAID = st.lists(
    st.builds(lambda key, outcome, cause: (key, verdict(key.metric, outcome, key.case, cause=cause)),
              KEYS, st.sampled_from(list(Outcome)), TEXTS),
    unique_by=lambda each: each[0],
)  # fmt: skip


@st.composite
def tonight(draw: st.DrawFn) -> list[Leg]:
    """Some legs, judged by whatever verdicts, or missing."""
    said, gone = draw(SAID), draw(st.sets(NAMES))
    names = sorted(draw(st.sets(NAMES)) | gone)
    mine = {name: legs.pinned([v for key, v in said if key.leg == name]) for name in names}
    return [legs.missing(name) if name in gone else renamed(mine[name], name) for name in names]


def renamed(leg: Leg, name: str) -> Leg:
    """The same leg under another name."""

    def move(keys):
        return frozenset(key._replace(leg=name) for key in keys)

    troubles = tuple(replace(trouble, key=trouble.key._replace(leg=name)) for trouble in leg.troubles)
    return replace(leg, name=name, troubles=troubles, answered=move(leg.answered), told=move(leg.told))


@settings(deadline=None)
@given(STATES, tonight())
def test_new_still_and_fixed_part_the_two_nights(before, found):
    """Tonight's trouble is new or still there; earlier trouble is still there, fixed or without an answer."""
    apart = nights.apart(before, found, "2026-11-24")
    new, still = [t.key for t in apart.new], [s.trouble.key for s in apart.still]
    fixed, unseen = [f.key for f in apart.fixed], [f.key for f in apart.unseen]
    assert sorted([*new, *still]) == sorted(t.key for leg in found for t in leg.troubles)
    assert sorted([*still, *fixed, *unseen]) == [each.key for each in before.followed]
    assert [each.key for each in apart.after.followed] == sorted([*new, *still, *unseen])


@settings(deadline=None)
@given(STATES, tonight(), st.booleans())
def test_the_issue_is_open_while_anything_may_be_wrong(before, found, is_open):
    """It is opened or kept for what is followed, and closed or left closed only where nothing is."""
    apart = nights.apart(before, found, "2026-11-24")
    what = nights.action(apart, is_open=is_open)
    expected = {(True, True): Action.UPDATE, (True, False): Action.OPEN, (False, True): Action.CLOSE}
    assert what is expected.get((bool(apart.after.followed), is_open), Action.NONE)


@settings(deadline=None)
@given(STATES, tonight())
def test_the_night_after_knows_what_this_one_knew(before, found):
    """What nobody answers on the next night keeps its first night and its cause."""
    after = nights.apart(before, found, "2026-11-24").after
    assert nights.apart(after, [], "2026-11-25").unseen == after.followed


SETTLING = [
    (Outcome.OK, "fixed"), (Outcome.IMPROVED, "fixed"), (Outcome.KNOWN, "fixed"), (Outcome.INCONCLUSIVE, "unseen"),
    (Outcome.INCOMPARABLE, "unseen"), (Outcome.CHANGED, "still"), (Outcome.INVALID, "still"),
    (Outcome.NO_BASELINE, "still"), (None, "fixed"),
]  # fmt: skip


@pytest.mark.parametrize(("outcome", "becomes"), SETTLING)
def test_only_an_answer_fixes(outcome, becomes):
    """A figure that was wrong is over where it was judged to be right, or where its judged case has it no more."""
    before = nights.apart(BEFORE_ALL, [legs.pinned([wrong("m")])], "2026-11-23").after
    said = [verdict("other"), *([verdict("m", outcome)] if outcome else [])]
    apart = nights.apart(before, [legs.pinned(said)], "2026-11-24")
    assert [name for name in ("new", "still", "fixed", "unseen") if getattr(apart, name)] == [becomes]


def test_a_case_that_was_not_measured_is_not_fixed():
    """The weekly profile's trouble waits for its next run."""
    before = nights.apart(BEFORE_ALL, [legs.pinned([wrong("m", FULL)])], "2026-11-22").after
    apart = nights.apart(before, [legs.pinned([verdict()])], "2026-11-23")
    assert [(each.key.case, each.since) for each in apart.unseen] == [(FULL, "2026-11-22")]
    assert not apart.fixed


def test_a_leg_without_files_is_trouble_until_it_comes_back():
    """It settles nothing, and is fixed by the next card or run."""
    before = nights.apart(BEFORE_ALL, [legs.pinned([wrong("m")])], "2026-11-22").after
    gone = nights.apart(before, [legs.missing("pinned")], "2026-11-23")
    assert [t.key for t in gone.new] == [Key("pinned", "", "")]
    assert [f.key.metric for f in gone.unseen] == ["m"]
    back = nights.apart(gone.after, [legs.pinned([verdict("m")])], "2026-11-24")
    assert {f.key.metric for f in back.fixed} == {"", "m"}


def test_another_cause_is_told_and_other_figures_are_not():
    """Figures and versions in a cause move every night."""
    before = nights.apart(BEFORE_ALL, [legs.pinned([wrong("m"), wrong("n")])], "2026-11-22").after
    later = [wrong("m", cause=WIDE.replace("24.0", "25.1").replace("5.23.0", "5.24.1")), wrong("n", cause="other")]
    still = nights.apart(before, [legs.pinned(later)], "2026-11-23").still
    assert [(each.trouble.key.metric, each.moved) for each in still] == [("m", False), ("n", True)]


def test_a_case_of_which_nothing_could_be_judged_is_trouble():
    """Beside one that was judged, where incomparable figures are none."""
    silent, beside = verdict("m", Outcome.INCOMPARABLE, FP32), verdict("m", Outcome.INCOMPARABLE)
    leg = legs.pinned([silent, beside, verdict("n")])
    assert [t.key.case for t in leg.troubles] == [FP32]


def test_what_only_explains_is_no_trouble():
    """Nor is it asked for an answer."""
    leg = legs.pinned([replace(wrong("m"), role=Role.EXPLAIN), verdict("n")])
    assert (leg.troubles, {key.metric for key in leg.told}) == ((), {"n"})


# ---------------------------------------------------------------- state and text


@settings(deadline=None)
@given(STATES)
def test_the_state_survives_its_page(now):
    """Written into a body and read again, by an editor that ends lines in its own way too."""
    text = f"head {safe.plain(HOSTILE)}\n\n{state.hidden(now)}\n"
    assert state.found(text, "issue") == now
    assert state.found(text.replace("\n", "\r\n"), "issue") == now


@settings(deadline=None)
@given(STATES, tonight())
def test_a_body_remembers_its_night(before, found):
    """Whatever was written into causes, names and headlines."""
    apart = nights.apart(before, found, "2026-11-24")
    text = body.body(apart, "https://example.org/run/1")
    assert len(text) <= 65_536
    assert state.found(text, "issue") == apart.after


@settings(deadline=None)
@given(STATES)
def test_a_state_cannot_act(now):
    """One comment, which ends where it should, mentions nobody and refers to nothing."""
    inner = state.hidden(now).removeprefix("<!-- ").removesuffix(" -->")
    assert not set("<>@#&`\n\r") & set(inner)
    assert "--" not in inner


@settings(deadline=None)
@given(TEXTS)
def test_text_cannot_act(text):
    """On one line, without a mention, a reference, a comment's end, a tag or an open mark."""
    shown = safe.plain(text)
    assert len(shown.splitlines()) <= 1
    assert not re.search(r"[@#]\w|-->|<", shown)
    assert not re.search(r"(?<!\\)(\\\\)*[`*_\[\]{}|~]", shown)
    inner = safe.code(text)[1:-1]
    assert not set("`<\n\r") & set(inner)


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0x2FFF), max_size=60))
def test_text_reads_as_it_was(text):
    """What is shown is what was written, spaces and what does not print aside."""
    bare = safe.plain(text).replace(safe.BETWEEN, "").replace("\\\\", "\x00")
    shown = re.sub(r"\\([^\w\s&]|_)", r"\1", bare).replace("\x00", "\\")
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    assert html.unescape(shown).split() == words


DAMAGED = [
    ("", "no state"),
    ("a page of somebody's", "no state"),
    (state.hidden(BEFORE_ALL) * 2, "2 states"),
    ("<!-- benchsuite-night {oops} -->", "damaged"),
    ('<!-- benchsuite-night {"version":9} -->', "version 9"),
    ('<!-- benchsuite-night {"version":1,"night":"x","texts":[]} -->', "legs"),
    ('<!-- benchsuite-night {"version":1,"night":"x","texts":[],"legs":{"a":{"b":{"c":[0,0,0]}}}} -->', "damaged"),
    ('<!-- benchsuite-night {"version":1,"night":"x","texts":["y"],"legs":{"a":{"b":{"c":[-1,0,0]}}}} -->', "place"),
]


@pytest.mark.parametrize(("text", "said"), DAMAGED)
def test_a_damaged_state_is_told_with_the_way_out(text, said):
    """Never taken for a night without trouble."""
    with pytest.raises(SuiteError, match=said) as caught:
        state.found(text, "body.md")
    assert "Close the issue by hand" in str(caught.value)


# ---------------------------------------------------------------- the page


@cache
def golden() -> str:
    """A night after another: one fault stays, one is fixed, a new one is main's, the weekly run was not made."""
    first = [
        wrong("count.kernels.step"), wrong("vram.after_reload"), wrong("saved.bytes", cause="the head is saved twice"),
        wrong("quality.accuracy", FULL, "dropout is gone"),
    ]  # fmt: skip
    before = nights.apart(BEFORE_ALL, [legs.pinned(first)], "2026-11-23")
    second = [wrong("count.kernels.step"), wrong("vram.after_reload", cause="the allocator rounds up"),
              verdict("saved.bytes"), verdict("time.step", Outcome.INCONCLUSIVE)]  # fmt: skip
    slower = carded(played(Field(scale={"device.kernel_time.step": 1.012}), budget=240), budget=240)
    found = [legs.pinned(second), legs.decided("main", slower), legs.missing("release")]
    return body.body(nights.apart(before.after, found, "2026-11-24"), "https://example.org/actions/runs/1")


def test_the_body_as_people_read_it():
    """Golden file: what moved first, by leg and cause."""
    assert golden() == (GOLDEN / "nightly-issue.md").read_text(encoding="utf-8")


def test_pinned_fine_and_a_leg_wrong_means_the_libraries():
    """And it is not said where the pinned run fails too, or of a leg that left nothing."""
    slower = carded(played(Field(scale={"device.kernel_time.step": 1.012}), budget=240), budget=240)
    for mine, says in ([verdict()], True), ([wrong("m")], False):
        found = [legs.pinned(mine), legs.decided("main", slower), legs.missing("release")]
        text = body.body(nights.apart(BEFORE_ALL, found, "2026-11-24"))
        assert ("main fails where pinned does not: the libraries changed something" in text) is says


def test_hundreds_of_figures_fit():
    """The lists are cut, and what is remembered does without causes; another cause is not claimed for it."""
    cases = [f"case-{number}-{'x' * 50}" for number in range(8)]
    many = [wrong(f"some.long.metric.name.{n}", case, f"cause {n} of {case}") for case in cases for n in range(100)]
    apart = nights.apart(BEFORE_ALL, [legs.pinned(many)], "2026-11-24")
    text = body.body(apart)
    assert body.CUT in text
    assert len(text) <= 65_536
    after = state.found(text, "issue")
    assert [each.key for each in after.followed] == [each.key for each in apart.after.followed]
    assert not any(still.moved for still in nights.apart(after, [legs.pinned(many)], "2026-11-25").still)


def test_more_than_an_issue_holds_is_refused():
    """With what to do."""
    keys = [Key("pinned", "c", f"{n:050}") for n in range(1200)]
    troubles = tuple(Trouble(key=key, outcome="changed", said="", cause="") for key in keys)
    leg = replace(legs.pinned([verdict()]), troubles=troubles)
    with pytest.raises(SuiteError, match="1200 figures fail, more than one issue can follow"):
        body.body(nights.apart(BEFORE_ALL, [leg], "2026-11-24"))


# ---------------------------------------------------------------- the command


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """`command(...)`: exit code, stdout and stderr of `benchsuite night ...` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def say(*words):
        monkeypatch.setattr("sys.argv", ["benchsuite", "night", *words])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, " ".join(said.err.split())

    return say


def write(path, verdicts):
    """A verdicts.json."""
    path.write_text(codec.dumps(codec.encode(list(verdicts))))
    return str(path)


def test_three_nights_by_the_command(command, tmp_path):
    """Opened, updated from its own body, closed."""
    bad, good = write(tmp_path / "bad.json", [wrong("m"), wrong("n")]), write(tmp_path / "good.json", [verdict("m")])
    files = ("--markdown", "body.md", "--json", "night.json")
    assert command("--verdicts", bad, "--night", "2026-11-22", *files)[:2] == (
        0, "open: nightly: 2 new, 0 still there, 0 fixed\n",
    )  # fmt: skip
    command("--verdicts", bad, "--previous", "body.md", "--night", "2026-11-23", *files)
    said = json.loads((tmp_path / "night.json").read_text())
    assert (said["action"], said["still"], said["comment"]) == ("update", 2, "")
    assert "since 2026-11-22" in (tmp_path / "body.md").read_text()
    command("--verdicts", good, "--previous", "body.md", "--night", "2026-11-24", *files)
    said = json.loads((tmp_path / "night.json").read_text())
    assert (said["action"], said["fixed"]) == ("close", 2)
    assert said["comment"].startswith("All is well in the night of 2026-11-24: 2 fixed")
    assert command("--verdicts", good)[1].startswith("none: ")


def test_cards_and_several_runs(command, tmp_path):
    """Runs of quick and full are one leg; a card is another."""
    quick, full = write(tmp_path / "q.json", [verdict()]), write(tmp_path / "f.json", [wrong("m", FULL)])
    card = carded(played(Field(), budget=20), budget=20)
    (tmp_path / "card.json").write_text(codec.dumps(codec.encode(card)))
    words = ("--verdicts", quick, "--verdicts", full, "--card", "main=card.json", "--markdown", "body.md")
    assert command(*words)[0] == 0
    text = (tmp_path / "body.md").read_text()
    assert f"| main | {safe.plain(card.headline)} |" in text
    assert "| pinned | 1 failing: judged 2 of 2; not judged: 0 |" in text


BAD = [
    (("--missing", "main"), "nothing of the pinned run"),
    (("--verdicts", "absent.json"), "cannot read absent.json"),
    (("--verdicts", "text.json"), "text.json is not valid JSON"),
    (("--verdicts", "object.json"), "no list of verdicts"),
    (("--verdicts", "odd.json"), "unknown field 'what'"),
    (("--missing", "pinned", "--card", "main"), "give LEG=FILE"),
    (("--missing", "pinned", "--card", "main=object.json"), "states no schema"),
    (("--missing", "pinned", "--card", "main=absent.json"), "cannot read absent.json"),
    (("--missing", "pinned", "--missing", "pinned"), "pinned is given twice"),
    (("--missing", "pinned", "--missing", "@all"), "no name of a leg"),
    (("--missing", "pinned", "--night", "yesterday"), "no date"),
    (("--missing", "pinned", "--url", "javascript:x"), "no plain https address"),
    (("--missing", "pinned", "--previous", "text.json"), "no state of a night"),
]


@pytest.mark.parametrize(("words", "said"), BAD)
def test_bad_input_is_one_message(command, tmp_path, words, said):
    """Exit code 2, nothing written."""
    for name, text in (("text.json", "{"), ("object.json", "{}"), ("odd.json", '[{"what": 1}]')):
        (tmp_path / name).write_text(text)
    code, out, err = command(*words, "--markdown", "body.md")
    assert (code, out) == (2, "")
    assert err.startswith("benchsuite: ")
    assert said in err
    assert not (tmp_path / "body.md").exists()


def test_an_empty_run_is_a_missing_one(command, tmp_path):
    """Nothing measured is no good news."""
    assert command("--verdicts", write(tmp_path / "v.json", []))[1].startswith("open: nightly: 1 new")


if __name__ == "__main__":
    (GOLDEN / "nightly-issue.md").write_text(golden(), encoding="utf-8")
