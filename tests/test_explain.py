"""Causes of verdicts: the likeliest first, those of one cause together, nothing lost and nothing judged anew."""

from __future__ import annotations

from dataclasses import replace

import pytest
from explaining import CASE, OLD_PACKAGES, judged, side, told
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import gpu_case, gpu_record, result, upgraded

from benchsuite.evidence import Clue, Rule
from benchsuite.explain import UNKNOWN, beside, explain, headline, together
from benchsuite.nouns import Outcome, Role
from benchsuite.registry import rules
from benchsuite.versions import listed, moved, same_guarded
from benchsuite.wording import advise, below_cause, causes, explain_lines

MIB = 2**20


def rule(name, rank, effects, words="it", **clue):
    """A rule that always speaks."""
    said = Clue(words=words, **clue)
    return Rule(name=name, rank=rank, find=lambda _: said, effects=effects)


def explained(old, new, *given, packages=OLD_PACKAGES):
    """Verdicts by metric under the given rules alone."""
    a, b = side(old, packages), side(new)
    found = explain(judged(a, b), case=CASE, old=a, new=b, rules={r.name: r for r in given})
    return {v.metric: v for v in found}


GREW = {"vram.after_load": 90 * MIB}, {"vram.after_load": 136 * MIB}


def test_the_wanted_form():
    """What moved, by how much, what is behind it and which versions: in the words of the issue."""
    found = upgraded()
    told_ = explain(found.verdicts, case=found.case, old=found.baseline.trials, new=found.records, rules=rules())
    assert {v.metric: v.cause for v in told_}["vram.after_reload"] == (
        "24.0 M elements of unquantised modules are float32, were float16 (embeddings, LayerNorm, classifier); "
        "transformers 5.23.0 -> 6.0.0"
    )


def test_the_lower_rank_is_the_likelier_cause():
    """Of two causes the nearer to the root comes first, the other is told beside it."""
    near, far = rule("near", 10, {"vram.*": 1}, "root"), rule("far", 50, {"vram.*": 1}, "symptom")
    assert explained(*GREW, far, near)["vram.after_load"].cause.splitlines() == [
        "root; transformers 4.57.6 -> 5.23.0",
        "also: symptom",
    ]


def test_a_cause_that_foretells_the_bytes_is_likelier():
    """A predicted size that fits speaks louder than rank."""
    fits, near = rule("fits", 20, {"vram.*": 1}, "fits", size=46.0 * MIB), rule("near", 10, {"vram.*": 1}, "near")
    assert explained(*GREW, fits, near)["vram.after_load"].cause.startswith("fits;")
    wrong = rule("wrong", 20, {"vram.*": 1}, "wrong", size=4.0 * MIB)
    assert explained(*GREW, wrong, near)["vram.after_load"].cause.startswith("near;")


@pytest.mark.parametrize(("way", "direction", "fits"), [(1, 1, True), (-1, -1, True), (0, -1, True), (1, -1, False)])
def test_a_cause_explains_only_moves_in_its_direction(way, direction, fits):
    """What makes memory fall is no reason for it to grow."""
    found = explained(*GREW, rule("r", 10, {"vram.*": way}, "it", direction=direction))["vram.after_load"]
    assert found.cause.startswith("it;" if fits else UNKNOWN)


def test_a_part_with_two_causes_has_both():
    """A fingerprint part in which two things moved is told under each."""
    one, two = (rule(name, 20, {}, name, parts=("model.modules",)) for name in ("one", "two"))
    verdict = explained({"model.modules": {"a": {"class": "A"}}}, {"model.modules": {}}, one, two)["model.modules"]
    assert [cause.split(";")[0] for cause in causes(verdict)] == ["one", "two"]


def test_the_unexplained_says_so_with_the_packages_that_differ():
    """No rule: the verdict names what else differs, the guarded libraries first and all of them."""
    packages = OLD_PACKAGES | {"torch": "2.8.0", "aaa": "1", "bbb": "1", "ccc": "1", "ddd": "1"}
    assert explained(*GREW, packages=packages)["vram.after_load"].cause == (
        "no known cause: torch 2.8.0 -> 2.13.0+cpu, transformers 4.57.6 -> 5.23.0, aaa 1 -> absent, bbb 1 -> absent, "
        "ccc 1 -> absent and 1 more"
    )


def test_an_unchanged_stack_says_that_no_package_differs():
    """Where nothing was upgraded, the reader need not look there."""
    same = side({})[0].environment.packages
    assert explained(*GREW, packages=same)["vram.after_load"].cause == "no known cause: no package differs"


def test_what_is_installed_besides_is_told_after_versions_and_never_as_one():
    """A developer's tools beside the locked packages are no upgrade."""
    more = {**side({})[0].environment.packages, "aaa": "1"}
    cause = explained(*GREW, packages=more)["vram.after_load"].cause
    assert cause == "no known cause: no version differs; came or went: aaa 1 -> absent"
    assert moved({"pip": "23.2.1"}, {"pip": "26.3"}) == {}, "it only put them there"
    assert listed({"a": "a absent -> 1", "b": "b 1 -> 2", "c": "c 1 -> absent"}, 1) == "b 1 -> 2 and 2 more"


def test_a_rule_names_its_own_packages_before_others():
    """The libraries that decide a cause are named; where none of them moved, all guarded ones that did."""
    peft = replace(rule("r", 1, {"vram.*": 1}), packages=("peft",))
    packages = OLD_PACKAGES | {"peft": "0.18.0"}
    assert explained(*GREW, peft, packages=packages)["vram.after_load"].cause == "it; peft 0.18.0 -> 0.21.2"
    assert explained(*GREW, peft)["vram.after_load"].cause == "it; transformers 4.57.6 -> 5.23.0"
    assert explained(*GREW, peft, packages=dict(OLD_PACKAGES, transformers="5.23.0", aaa="1"))[
        "vram.after_load"
    ].cause == ("it; no version differs; came or went: aaa 1 -> absent")


def test_what_only_explains_has_a_cause_or_none():
    """A name that moved for no known reason is no riddle to be told."""
    found = told({"stack.packages": {"x": "1"}}, {"stack.packages": {"x": "2"}})
    assert found["stack.packages"].outcome is Outcome.CHANGED
    assert found["stack.packages"].role is Role.EXPLAIN
    assert found["stack.packages"].cause == ""


def test_what_is_missing_did_not_move():
    """A metric that is gone is explained by no cause that would move it."""
    found = explained(GREW[0], {}, rule("r", 1, {"vram.*": 0}))["vram.after_load"]
    assert (found.outcome, found.cause[: len(UNKNOWN)]) == (Outcome.INVALID, UNKNOWN)


def test_without_a_baseline_only_failures_are_explained():
    """A first run has nothing to explain; a trial that died has."""
    record = gpu_record(gpu_case())
    bare = result(record.case, (record,), None).verdicts
    assert explain(bare, case=record.case, old=(), new=(record,), rules=rules()) == bare


def test_verdicts_of_one_cause_stand_together():
    """What explains most comes first, what nothing explains last; a verdict of two causes stands under both."""
    base = upgraded().verdicts[0]
    told_causes = ("a", f"{UNKNOWN}: x", "b\na", "b\nalso: c", "b")
    given = [replace(base, metric=str(i), cause=cause) for i, cause in enumerate(told_causes)]
    groups = together(given)
    assert [(g.cause, [v.metric for v in g.verdicts]) for g in groups] == [
        ("b", ["2", "3", "4"]),
        ("a", ["0", "2"]),
        (f"{UNKNOWN}: x", ["1"]),
    ]
    assert headline(given, groups) == "5, of 2 causes, 1 without a known cause"
    assert [v.metric for v in beside(groups[1], given)] == []
    assert [v.metric for v in beside(replace(groups[1], verdicts=()), given)] == ["0", "2"]


def test_causes_are_told_by_weight_and_likelihood():
    """What fails first; then by how near to the root its own part lies; then by how much it explains."""
    base = upgraded().verdicts[0]
    given = [
        ("time.step", "slow", Role.GATE), ("count.kernels.step", "work", Role.GATE), ("vram.left", "work", Role.GATE),
        ("defaults.modules", "unpinned", Role.GATE), ("quality.loss", "curve", Role.GATE),
        ("model.modules", "model", Role.GATE), ("quality.loss", "model", Role.GATE), ("model.dtypes", "one", Role.GATE),
        ("input.order", "order", Role.GATE), ("input.order", "only explains", Role.EXPLAIN),
    ]  # fmt: skip
    verdicts = [replace(base, metric=m, cause=cause, role=role, outcome=Outcome.CHANGED) for m, cause, role in given]
    told_ = [group.cause for group in together(verdicts)]
    assert told_ == ["order", "model", "one", "curve", "work", "slow", "unpinned", "only explains"]


def test_words_under_a_cause():
    """Told alone, a verdict says its cause; told under it, only what is its own."""
    base = replace(upgraded().verdicts[0], detail="d", cause="a\nalso: b", advice="x --only 'c/m' y")
    assert explain_lines(base) == ("d", "cause: a", "also: b", "next: x --only 'c/m' y")
    assert below_cause(base) == ("d", "also: b")
    assert advise([base]) == ("x --only 'c/m' y",)
    assert advise([base, replace(base, advice="x --only 'c/n' y")]) == ("x y",)


def test_versions_that_moved_are_listed_guarded_ones_first():
    """Order and count of a list of packages; the guarded are never among the "more"."""
    lines = moved({"a": "1", "peft": "1", "b": "1"}, {"a": "2", "torch": "2", "b": "1"})
    assert list(lines.values()) == ["torch absent -> 2", "peft 1 -> absent", "a 1 -> 2"]
    assert listed(lines, 0) == "torch absent -> 2, peft 1 -> absent and 1 more"
    assert not same_guarded([{"torch": "1"}, {"torch": "2"}])
    assert same_guarded([{"torch": "1", "a": "1"}, {"torch": "1", "a": "2"}])


numbers = st.one_of(st.integers(0, 10**9), st.floats(0, 1e9))
shapes = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=9)),
    lambda sub: st.one_of(st.lists(sub, max_size=3), st.dictionaries(st.text(max_size=5), sub, max_size=3)),
    max_leaves=8,
)
NUMBERS = ["vram.after_load", "vram.peak.train", "count.kernels.step", "vram.left"]
parts = st.dictionaries(st.sampled_from(NUMBERS), numbers)
structures = st.dictionaries(
    st.sampled_from(["model.modules", "model.dtypes", "optimizer.groups", "defaults.modules", "kernels.by_name"]),
    shapes,
)


@settings(max_examples=60, deadline=None)
@given(old=st.tuples(parts, structures), new=st.tuples(parts, structures))
def test_explaining_changes_nothing_but_causes(old, new):
    """Whatever was measured: the same verdicts, in the same order, of the same outcomes; each group's are theirs."""
    a, b = side({**old[0], **old[1]}, OLD_PACKAGES), side({**new[0], **new[1]})
    before = judged(a, b)
    after = explain(before, case=CASE, old=a, new=b, rules=rules())
    assert [replace(v, cause="") for v in after] == list(before)
    assert {v.metric for g in together(after) for v in g.verdicts} == {v.metric for v in before}
    for verdict in after:
        news = verdict.outcome in {Outcome.REGRESSED, Outcome.CHANGED, Outcome.IMPROVED} and verdict.role is Role.GATE
        assert bool(verdict.cause) or not news
