"""Imports point down: read from the source, and held in fresh interpreters where it is about torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import benchsuite

PACKAGE = Path(benchsuite.__file__).parent
ROOT = PACKAGE.parent
HEAVY = {"torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "huggingface_hub", "safetensors"}
IMPURE = {"os", "subprocess", "pytest", "pynvml", "psutil", "tempfile", "shutil", "socket", *HEAVY}
PURE_FOLDERS = ("nouns", "judges", "reporters", "rules", "checks", "page")
PURE = {
    "units", "stats", "codec", "jsontext", "cases", "plans", "wording", "comparable", "compare", "pace", "tolerances",
    "freeze",
    "pooling", "admission", "sharing", "published", "registry", "versions", "evidence", "explain", "versus", "judging",
    "estimates", "promoted", "visible", "identity", "condition", "diagnosis", "doctor",
    "adding", "calibrate_words", "calibration", "sittings",
    "bucketing", "lattice", "side_by_side", "effects", "effects_words",
    "ab.pairs", "ab.spending", "ab.estimate", "ab.decide", "ab.prediction", "ab.quality", "ab.noise",
    "ab.power", "ab.blocks", "ab.others", "ab.standard", "ab.tables",
    "known", "known_entries", "marks",
    "history.__init__", "history.entries", "history.series", "history.table", "history.plot", "history.svg",
    "arms.spec", "contest.__init__", "contest._words", "contest.card", "contest.card_markdown", "contest.card_text",
    "power.__init__", "power.script",
    "nightly.__init__", "nightly.body", "nightly.legs", "nightly.nights", "nightly.safe", "nightly.state",
    "contest.conditions", "contest.order", "contest.rounds", "contest.timing", "contest.verdicts",
    *(f"{part}.{path.stem}" for part in PURE_FOLDERS for path in (PACKAGE / part).glob("*.py")),
}  # fmt: skip
"""Pure functions; `registry` only looks plug-ins up."""
TRANSLATION = {
    "plugin", "plugin_session", "plugin_fixtures", "plugin_benchmark", "plugin_parallel", "fixtures", "cli", "__main__",
    "plugin_properties",
    *(f"commands.{path.stem}" for path in (PACKAGE / "commands").glob("*.py")),
}  # fmt: skip


def name_of(path: Path) -> str:
    """A file's module name below the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def nodes(name: str, *, top: bool = False) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements of a module: all, or those that importing it runs."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    inner = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = {id(sub) for node in inner for sub in ast.walk(node)} if top else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in hidden:
            yield node


def imported(name: str, *, top: bool = False) -> set[str]:
    """Absolute names of what a module imports, ours as "benchsuite.x"."""
    package = ["benchsuite", *name.split(".")[:-1]]
    found: set[str] = set()
    for node in nodes(name, top=top):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        whole = ".".join([*base, *filter(None, [node.module])])
        found |= {f"{whole}.{alias.name}" for alias in node.names}
    return found


def ours(name: str) -> set[str]:
    """Modules of the package that a module imports, at any depth of its code."""
    wanted = {full.removeprefix("benchsuite.") for full in imported(name) if full.startswith("benchsuite.")}
    return {known for known in MODULES for each in wanted if _is_of(each, known)}


def _is_of(wanted: str, known: str) -> bool:
    module = known.removesuffix(".__init__")
    return module in (wanted, wanted.rpartition(".")[0])


def outside(name: str, *, top: bool = False) -> set[str]:
    """Top-level names of what a module imports from elsewhere."""
    return {full.partition(".")[0] for full in imported(name, top=top)} - {"benchsuite"}


def test_the_reader_of_imports_sees_relative_and_nested_ones() -> None:
    """The helper of this file finds what is known to be there."""
    assert {"store", "jobs"} <= ours("worker")
    assert "nouns.__init__" in ours("codec")
    assert "store" in ours("plugin") or "session" in ours("plugin")
    assert "torch" in outside("trial")
    assert "torch" not in outside("trial", top=True)
    assert "regimes.nf4" in ours("regimes.core")


def test_the_list_of_pure_modules_is_no_wish() -> None:
    """Every module that is called pure exists."""
    assert PURE - MODULES.keys() == set()


def test_nouns_import_nothing_of_ours() -> None:
    """The words stand alone."""
    words = {name for name in MODULES if name.startswith("nouns.")}
    assert len(words) > 1
    assert {other for name in words for other in ours(name)} <= words


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_module_touches_no_edge(name: str) -> None:
    """Neither the system nor torch nor pytest is imported, not even inside a function."""
    assert outside(name) & IMPURE == set()


@pytest.mark.parametrize("name", sorted(PURE))
def test_a_pure_module_stands_on_pure_ones(name: str) -> None:
    """Nothing pure imports an edge of ours."""
    assert ours(name) - PURE - {"__init__"} == set()


@pytest.mark.parametrize("name", sorted(set(MODULES) - TRANSLATION))
def test_nothing_below_imports_plugin_command_or_pytest(name: str) -> None:
    """Translation stands on top."""
    assert ours(name) & TRANSLATION == set()
    assert "pytest" not in outside(name)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_no_module_imports_torch_when_it_is_imported(name: str) -> None:
    """Torch and its friends are imported inside functions only."""
    assert outside(name, top=True) & HEAVY == set()


@pytest.mark.parametrize(
    ("function", "owners"),
    [
        ("save_baseline", {"store", "promote"}),
        ("write_lock", {"store", "promote"}),
        ("save_record", {"store", "runners.local", "runners.replay", "runners.arm"}),
    ],
)
def test_only_their_owners_write(function: str, owners: set[str]) -> None:
    """Judging never writes a baseline, and only runners hand records to the store."""
    users = {name for name, path in MODULES.items() if function in path.read_text(encoding="utf-8")}
    assert users <= owners


# ---------------------------------------------------------------- in a fresh interpreter


CHECK = """
import sys
bad = sorted({"torch", "transformers", "scipy"} & set(sys.modules))
sys.exit(f"imported {bad}" if bad else 0)
"""


def run_apart(code: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run python code in a process of its own."""
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)


COMMAND = (
    "import sys; sys.argv = ['benchsuite', '--help']\n"
    "from benchsuite.cli import main\n"
    "try: main()\n"
    "except SystemExit as end: assert not end.code, end.code\n"
)
COLLECT = (
    "import pytest\n"
    "assert pytest.main(['bench', '--collect-only', '-q', '-p', 'no:cacheprovider']) == 0\n"
)  # fmt: skip


@pytest.mark.parametrize(
    "code",
    ["import benchsuite\n", "import benchsuite.plugin, benchsuite.session\n", COMMAND, COLLECT],
    ids=["import", "plugin", "help", "collect-only"],
)
def test_torch_is_not_imported(code: str) -> None:
    """`import benchsuite`, the plugin, `benchsuite --help` and `--collect-only` import neither torch nor scipy."""
    done = run_apart(code + CHECK)
    assert done.returncode == 0, done.stderr


def test_the_check_for_torch_can_fail() -> None:
    """A process that does import scipy is found out."""
    done = run_apart("import scipy\n" + CHECK)
    assert "imported ['scipy']" in done.stderr
