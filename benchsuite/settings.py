"""Options as every front end offers them: one table, from which pytest's options and the command's are made.

Parsing yields one frozen `Options`; unknown names are refused there with a suggestion.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cases import spelt_out
from .entries import entries, located
from .nouns import Entry, Options, UsageError, Weights
from .registry import near
from .units import parse_tolerance


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One option: `--suite-NAME` for pytest with the ini twin `suite_NAME`, `--NAME` for the command."""

    name: str
    help: str
    type: type = str
    choices: tuple[str, ...] = ()
    metavar: str | None = None

    @property
    def field(self) -> str:
        """Its field of `Options`."""
        return FIELDS.get(self.name, self.name.replace("-", "_"))


FIELDS = {"profile": "profiles", "no-gate": "gate"}

TABLES = ("tolerance", "case")
TABLES_TOLD = "[tool.benchsuite.tolerance] and [[tool.benchsuite.case]]"

SETTINGS = (
    Setting(name="profile", metavar="LIST",
            help="profiles to run, comma-separated: tiny, quick, full, lean, notebook (default: tiny,full)"),
    Setting(name="regimes", help="regimes to run, comma-separated, or all, or core: fp32,qlora (default: core)",
            metavar="LIST"),
    Setting(name="task", help="the task to train on: sst2, toy or a plug-in's (default: the profile's own)",
            metavar="NAME"),
    Setting(name="model", help="a checkpoint's folder or hub name (default: the profile's own)"),
    Setting(name="weights", help="pretrained, or random of the model's shape", choices=("pretrained", "random")),
    Setting(name="data", help="SST-2 as a parquet folder, GLUE's tsv files or a save_to_disk folder", metavar="PATH"),
    Setting(name="device", help="the GPU to use, by UUID, MIG name or index; CUDA_VISIBLE_DEVICES is honoured, and "
            "indices count what it leaves (default: the emptiest)"),
    Setting(name="machine", help="name of the machine whose baselines to use (default: this one's)"),
    Setting(name="trials", help="trials of every case (default: the profile's)", type=int, metavar="N"),
    Setting(name="trials-max", help="where a gate is inconclusive, add trials up to N a case (default: add none)",
            type=int, metavar="N"),
    Setting(name="steps", help="train only N steps; such a case has baselines of its own", type=int, metavar="N"),
    Setting(name="resume", help="go on with the newest run: keep its finished trials", type=bool),
    Setting(name="baselines", help="folder of the baselines (default: baselines)", metavar="DIR"),
    Setting(name="results", help="folder for what is measured (default: results)", metavar="DIR"),
    Setting(name="require-gpu", help="a missing GPU is an error, not a skip", type=bool),
    Setting(name="require-baseline", help="a case without a baseline fails", type=bool),
    Setting(name="inject", help="plant a fault: call FUNCTION in each trial before anything is loaded",
            metavar="FILE.py:FUNCTION"),
    Setting(name="no-gate", help="judge and print, but exit 0", type=bool),
    Setting(name="replay", help="judge the records of an earlier run again; nothing is measured", metavar="RUN"),
)  # fmt: skip


def parse(given: Mapping[str, Any], *, root: Path | None = None) -> Options:
    """`Options` from values by option name; None and "" mean not given.

    Raises:
        UsageError: a value that makes no sense.
    """
    fields: dict[str, Any] = {}
    for setting in SETTINGS:
        value = given.get(setting.name)
        if value in (None, "", False):
            continue
        fields[setting.field] = _value(setting, value)
    if "replay" in fields:
        # A replay judges what its run holds, not what would be measured by default.
        fields = {"profiles": (), "regimes": (), **fields}
    if root is not None:
        fields["tolerances"], fields["entries"] = tolerances(root), added(root)
    return Options(**fields)


def _value(setting: Setting, value: Any) -> Any:
    if setting.choices and value not in setting.choices:
        raise UsageError(f"--suite-{setting.name} is one of {', '.join(setting.choices)}, not {value!r}")
    if setting.name == "no-gate":
        return False
    if setting.name == "weights":
        return Weights(value)
    if setting.name == "model":
        return located(value, Path())
    if setting.name in ("profile", "regimes"):
        names = _names(setting, value)
        return names if setting.name == "profile" else spelt_out(names)
    if setting.type is int:
        return _whole(setting, value)
    return setting.type(value)


def _whole(setting: Setting, value: Any) -> int:
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number < 0:
        raise UsageError(
            f"--suite-{setting.name} is a whole number from 0 on, not {value!r}; 0 means the profile's own"
        )
    return number


def _names(setting: Setting, value: str | Sequence[str]) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    names = tuple(part.strip() for part in parts if part.strip())
    if not names:
        raise UsageError(f"--suite-{setting.name} names nothing: {value!r}")
    return names


def tolerances(root: Path) -> dict[str, str]:
    """`[tool.benchsuite.tolerance]` of a pyproject.toml: metric glob -> "1 %" or "2 MiB".

    Raises:
        UsageError: the file does not parse, or the table holds something else or what is no tolerance.
    """
    file = root / "pyproject.toml"
    found = _table(file).get("tolerance", {})
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise UsageError(f'{file}: tolerances are texts such as "1 %" or "2 MiB", quoted names on the left')
    for glob, text in found.items():
        try:
            parse_tolerance(text)
        except UsageError as error:
            raise UsageError(f"{file}, {glob}: {error}") from error
    return dict(found)


def added(root: Path) -> tuple[Entry, ...]:
    """`[[tool.benchsuite.case]]` of a pyproject.toml: the cases that it adds.

    Raises:
        UsageError: the file does not parse, or a table holds what no case has.
    """
    file = root / "pyproject.toml"
    return entries(_table(file).get("case", []), root, str(file))


def _table(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        tool = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    table = tool.get("benchsuite", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise UsageError(f"{file}: [tool.benchsuite] is a table, not {table!r}")
    if unknown := sorted(set(table) - set(TABLES)):
        close = near(unknown[0], TABLES)
        raise UsageError(f"{file}: [tool.benchsuite] knows no {', '.join(unknown)}.{close} It knows: {TABLES_TOLD}.")
    return table
