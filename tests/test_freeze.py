"""What a lock holds: what a trial stood on, and no tool of whoever works here."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite import environment, freeze, needs

ASKED = {
    "suite": ["Torch >=2", "plot[svg]; extra == 'plots'", "lint; extra == 'dev'"],
    "torch": ["sympy", "tools; python_version < '3'", "win; sys_platform == 'nowhere'"],
    "sympy": ["mp_math"],
    "plot": ["ink; extra == 'svg'", "paper"],
    "ink": ["plot"],
    "odd": ["not a requirement at all !", "fine"],
}


def asked(name: str) -> list[str]:
    """What a package of this file's little world asks for."""
    return ASKED.get(name, [])


@pytest.mark.parametrize(
    ("roots", "found"),
    [
        ((), ""),
        (("suite",), "suite torch sympy mp-math"),
        (("suite[plots]>=1",), "suite torch sympy mp-math plot paper ink"),
        (("torch; python_version < '3'", "paper"), "paper"),
        (("odd",), "odd fine"),
        (("ink", "plot[svg]"), "ink plot paper"),
    ],
)
def test_a_closure_follows_extras_and_markers(roots: tuple[str, ...], found: str) -> None:
    """Through circles, under normalised names; what cannot be read asks for nothing."""
    assert freeze.closure(roots, asked) == set(found.split())


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"))), st.sampled_from("abcdef"))
def test_a_closure_is_closed(world: dict[str, list[str]], root: str) -> None:
    """It holds its root, and whatever one of its own asks for."""
    found = freeze.closure([root], lambda name: world.get(name, []))
    assert root in found
    assert all(set(world.get(name, [])) <= found for name in found)


def test_a_freeze_keeps_what_the_trial_noted() -> None:
    """Under any spelling; a record without the note keeps all."""
    packages = {"torch": "2.13.0+cpu", "Typing_Extensions": "4.16.0", "mypy": "2.4.1"}
    assert freeze.kept(packages, {"needs": ["typing-extensions", "torch", "gone"]}) == (
        "torch==2.13.0", "Typing_Extensions==4.16.0",
    )  # fmt: skip
    assert "mypy==2.4.1" in freeze.kept(packages, {})


def test_this_process_stands_on_what_the_suite_asks_for_and_on_what_it_imported() -> None:
    """Runtime, tests, what they bring, and what is in `sys.modules`; of the tools of this place nothing."""
    found = set(needs.needs())
    assert {"torch", "transformers", "sympy", "pytest", "hypothesis", "execnet", "pygal", "packaging"} <= found
    assert not {"pip", "tox", "ruff", "mypy", "virtualenv", "uv", "benchsuite", "pandas-stubs"} & found
    assert found & environment.packages().keys()


def test_an_imported_module_names_its_package() -> None:
    """Whatever the package is called; the standard library's belong to none."""
    assert needs.imported(["yaml.nodes", "json", "_pytest.config"]) == {"PyYAML", "pytest"}
    assert needs.imported(sys.stdlib_module_names) == set()


def test_what_the_suite_asks_for_is_read_from_its_clone_or_its_metadata(tmp_path: Path) -> None:
    """A clone that was never installed has no metadata; a pyproject.toml of another project says nothing."""
    assert any(text.startswith("torch") for text in needs.own(needs.ROOT))
    assert any(text.startswith("hypothesis") for text in needs.own(needs.ROOT))
    for text in (None, "[project]\nname = 'other'\n", "not toml ["):
        if text is not None:
            (tmp_path / "pyproject.toml").write_text(text)
        assert needs.own(tmp_path) == ("benchsuite[test]",)


def test_a_package_that_is_not_installed_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extras may name one."""

    def absent(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(needs, "requires", absent)
    assert needs.asked_by("triton") == ()
