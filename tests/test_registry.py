"""Plug-ins are found by name; a second one of a name, one that does not import and a mistyped one are told of."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from benchsuite import registry
from benchsuite.nouns import Kind, SuiteError, Transform, UsageError


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """`entry("benchsuite.regimes", "module", source)`: installs a plug-in package with one entry point."""
    points: list[EntryPoint] = []
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in points if p.group == group])

    def add(group: str, module: str, source: str) -> None:
        (tmp_path / f"{module}.py").write_text(source)
        points.append(EntryPoint(name=module, value=module, group=group))

    yield add
    for point in points:
        sys.modules.pop(point.value, None)


def test_what_ships_is_found() -> None:
    """Tasks, regimes, judges, reporters and meters of the package are there by name."""
    assert {"sst2", "toy"} <= registry.tasks().keys()
    assert {"fp32", "qlora", "lora", "amp"} <= registry.regimes().keys()
    assert {"terminal", "markdown", "summary_csv"} <= registry.reporters().keys()
    assert {"allocator", "predictions"} <= registry.meters().keys()


def test_every_kind_of_number_has_its_judge() -> None:
    """No kind is without one, and none has two."""
    kinds = [judge.kind for judge in registry.judges().values() if judge.kind is not None]
    assert sorted(kinds) == sorted(Kind)


def test_every_metric_names_a_judge_that_there_is() -> None:
    """A metric with a judge of its own names one of the registry."""
    assert {m.judge for m in registry.metrics().values()} - {""} <= registry.judges().keys()


def test_every_regime_is_a_tuple_of_transforms() -> None:
    """Whatever a regime holds is a transform."""
    for name, transforms in registry.regimes().items():
        assert isinstance(transforms, tuple), name
        assert all(isinstance(t, Transform) for t in transforms), name


def test_another_package_adds_a_regime(entry: Callable[..., None]) -> None:
    """An entry point is enough, and nothing of ours is edited."""
    entry(
        "benchsuite.regimes",
        "a_third",
        "from benchsuite.regimes.core import REGIMES as R\nREGIMES = {'third': R['fp32']}\n",
    )
    found = registry.collect("benchsuite.regimes", "REGIMES", registry.mapping)
    assert found["third"] == found["fp32"]


def test_two_plug_ins_of_one_name_are_refused(entry: Callable[..., None]) -> None:
    """The message names both owners."""
    entry("benchsuite.regimes", "a_twin", "REGIMES = {'fp32': ()}\n")
    with pytest.raises(SuiteError, match=r"'fp32' is defined twice: in benchsuite\.regimes\.core and in a_twin"):
        registry.collect("benchsuite.regimes", "REGIMES", registry.mapping)


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("import nothing_of_this_name\n", "No module named 'nothing_of_this_name'"),
        ("raise RuntimeError('built for another torch')\n", "built for another torch"),
        ("def broken(:\n", "invalid syntax"),
    ],
)
def test_a_plug_in_that_does_not_import_is_a_loud_error(entry: Callable[..., None], source: str, seen: str) -> None:
    """Whatever it dies of: a gate that quietly lost a judge is worse than none."""
    entry("benchsuite.judges", "a_broken_judge", source)
    with pytest.raises(SuiteError, match=r"'a_broken_judge' .* does not import: .*" + seen):
        registry.collect("benchsuite.judges", "JUDGE")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("qlroa", "Did you mean 'qlora'?"),
        ("FP32", "Did you mean 'fp32'?"),
        ("qlora-nogcc", "Did you mean 'qlora-nogc'?"),
    ],
)
def test_a_mistyped_name_gets_a_suggestion(name: str, hint: str) -> None:
    """The nearest name, and the list of all."""
    with pytest.raises(UsageError) as error:
        registry.pick("regime", name, registry.regimes())
    assert str(error.value).startswith(f"unknown regime {name!r}. {hint} Known: ")
    assert "amp-fast, fp32, fp32-dyn" in str(error.value)


def test_a_name_like_nothing_gets_the_list_alone() -> None:
    """No far-fetched suggestion."""
    with pytest.raises(UsageError, match=r"^unknown profile 'zzz'\. Known: full, tiny\.$"):
        registry.pick("profile", "zzz", ["tiny", "full"])


def test_a_known_name_is_returned() -> None:
    """Nothing happens to it."""
    assert registry.pick("regime", "fp32", registry.regimes()) == "fp32"
