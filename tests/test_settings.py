"""Options: one table for pytest and the command, parsed once, unknown words refused."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path

import pytest

from benchsuite import cli, registry, settings
from benchsuite.nouns import Options, UsageError, Weights


def test_every_option_fills_a_field_and_every_field_has_an_option() -> None:
    """The table and the noun say the same; tolerances and cases come from pyproject alone."""
    names = [setting.field for setting in settings.SETTINGS]
    assert sorted(names) == sorted({f.name for f in fields(Options)} - {"tolerances", "entries"})


def test_the_command_takes_the_same_options() -> None:
    """`benchsuite run` has every option of the table, without the prefix."""
    known = {name.replace("_", "-") for name in inspect.signature(cli.run.run).parameters}
    assert {setting.name for setting in settings.SETTINGS} == known - {"json"}


def test_nothing_given_is_the_default() -> None:
    """None, empty text and False all mean not given."""
    given = dict(zip([s.name for s in settings.SETTINGS], [None, "", False] * 20, strict=False))
    assert settings.parse(given) == Options()


@pytest.mark.parametrize(
    ("name", "value", "field", "parsed"),
    [
        ("profile", "tiny, full ,", "profiles", ("tiny", "full")),
        ("regimes", "qlora", "regimes", ("qlora",)),
        ("regimes", "core", "regimes", ("fp32", "qlora")),
        ("regimes", "amp, core, amp", "regimes", ("amp", "fp32", "qlora")),
        ("regimes", "all", "regimes", tuple(registry.regimes())),
        ("regimes", "qlora,all", "regimes", ("qlora", *(name for name in registry.regimes() if name != "qlora"))),
        ("weights", "random", "weights", Weights.RANDOM),
        ("trials", "5", "trials", 5),
        ("steps", 12, "steps", 12),
        ("resume", True, "resume", True),
        ("no-gate", True, "gate", False),
        ("require-baseline", True, "require_baseline", True),
        ("data", "some folder", "data", "some folder"),
    ],
)
def test_a_value_becomes_a_field(name: str, value: object, field: str, parsed: object) -> None:
    """Lists are split, numbers read, words made nouns."""
    assert getattr(settings.parse({name: value}), field) == parsed


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"weights": "pretrianed"}, "--suite-weights is one of pretrained, random, not 'pretrianed'"),
        ({"trials": "many"}, "--suite-trials is a whole number from 0 on, not 'many'"),
        ({"trials": "-2"}, "--suite-trials is a whole number from 0 on, not '-2'"),
        ({"steps": "1.5"}, "--suite-steps is a whole number from 0 on, not '1.5'"),
        ({"profile": " , "}, "--suite-profile names nothing: ' , '"),
    ],
)
def test_a_value_that_makes_no_sense_is_a_usage_error(given: dict[str, str], words: str) -> None:
    """One sentence that names the option and the value."""
    with pytest.raises(UsageError) as error:
        settings.parse(given)
    assert words in str(error.value)


# ---------------------------------------------------------------- tolerances


def toml(folder: Path, text: str) -> Path:
    """A folder with this pyproject.toml."""
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_tolerances_are_read_in_their_order(tmp_path: Path) -> None:
    """Globs and texts, as `compare` takes them; they reach the options."""
    root = toml(tmp_path, '[tool.benchsuite.tolerance]\n"vram.*" = "1 %"\n"vram.peak.train" = "2 MiB"\n')
    found = settings.tolerances(root)
    assert list(found.items()) == [("vram.*", "1 %"), ("vram.peak.train", "2 MiB")]
    assert settings.parse({}, root=root).tolerances == found


@pytest.mark.parametrize("text", ["", "[tool.other]\nx = 1\n", "[tool.benchsuite]\n"])
def test_a_pyproject_without_tolerances_is_fine(tmp_path: Path, text: str) -> None:
    """So is none at all."""
    assert settings.tolerances(toml(tmp_path, text)) == {}
    assert settings.tolerances(tmp_path / "nowhere") == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[tool.benchsuite]\ntolerances = 1\n",
            "[tool.benchsuite] knows no tolerances. Did you mean 'tolerance'?",
        ),
        ("[tool.benchsuite.tolerance]\nvram = 5\n", "tolerances are texts such as"),
        ('[tool.benchsuite]\ntolerance = "5 %"\n', "tolerances are texts such as"),
        ("[tool]\nbenchsuite = 3\n", "[tool.benchsuite] is a table, not 3"),
        ('[tool.benchsuite.tolerance]\n"vram.*" = "a bit"\n', "vram.*: tolerance 'a bit' is not understood"),
        ("[tool.benchsuite\n", "cannot be read"),
    ],
)
def test_what_is_no_tolerance_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """The message names the file and what is wrong with it."""
    with pytest.raises(UsageError) as error:
        settings.tolerances(toml(tmp_path, text))
    assert str(error.value).startswith(str(tmp_path / "pyproject.toml"))
    assert words in str(error.value)


def test_a_pyproject_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes of another encoding end in a sentence, not in a traceback."""
    (tmp_path / "pyproject.toml").write_bytes(b"\xff\xfe[tool]")
    with pytest.raises(UsageError, match="cannot be read"):
        settings.tolerances(tmp_path)
