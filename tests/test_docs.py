"""Holds README and docs to what exists: every command, option, module, path and example in them.

Commands that a CPU can finish in seconds are really run; of the others the program, its commands and options, and
the paths are checked. What the examples print is not compared: figures are of one machine and one day.
"""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import pytest
import typer.main
from factories import make_baseline, make_case, make_record

from benchsuite import cases, cli, compare, injection, known_entries, registry
from benchsuite.cases import PROFILES, digest, slug
from benchsuite.entries import KEYS
from benchsuite.nouns import CaseResult, Measured, Options, Outcome, Phase, RunResult
from benchsuite.settings import added, tolerances
from benchsuite.units import parse_tolerance

ROOT = Path(__file__).parent.parent
HOWTO = sorted((ROOT / "docs" / "howto").glob("*.md"))
README = "\n".join(path.read_text() for path in (ROOT / "README.md", *HOWTO))
"""The README and what it sends its reader to, as one text."""
OTHERS = "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")) if path.name != "doctor.md")
"""All other documents but one that is made from the code, and whose commands are those of many systems."""
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
SHELL_TOOLS = {"git", "hf"}
"""Programs whose commands are theirs to explain."""
TIMEOUT = 600


def blocks(language):
    """The code blocks of a language."""
    return [text for kind, text in BLOCKS if kind == language]


def commands(text):
    """Every command line of a text without its prompt and comment, split at `&&`, as words."""
    found = re.findall(r"^ *```(?:console|text)\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    lines = "\n".join(map(dedent, found)).replace("\\\n", " ").splitlines()
    typed = [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]
    return [words for line in typed for words in _split(line)]


def _split(words):
    ends = [i for i, word in enumerate(words) if word == "&&"]
    return [words[a:b] for a, b in zip([0, *(end + 1 for end in ends)], [*ends, len(words)], strict=True)]


def files():
    """The Python examples by the file name in their first line."""
    return {re.match(r"# (\w+\.py)\n", text)[1]: text for text in blocks("python")}


COMMANDS = commands(README)


def of(program):
    """The commands of one program in all documents, without its name, each once."""
    found = {shlex.join(words): words for words in (*COMMANDS, *commands(OTHERS)) if words[0] == program}
    return [pytest.param(words[1:], id=line) for line, words in found.items()]


# ---------------------------------------------------------------- commands


def test_the_readme_uses_programs_that_are_checked_here():
    """No command escapes the checks below."""
    checked = {"pip", "tox", "pytest", "benchsuite", "pytest-benchmark", *SHELL_TOOLS}
    assert {words[0] for words in COMMANDS} == checked


@pytest.mark.parametrize("words", of("benchsuite"))
def test_a_benchsuite_command_parses(words):
    """Its command and every option exist, and what it requires is there."""
    group = typer.main.get_command(cli.app)
    if words == ["--help"]:
        return
    command = group.commands[words[0]]
    with command.make_context(words[0], list(words[1:])) as context:
        assert context.params


@pytest.fixture(scope="module")
def pytest_help():
    """What `pytest --help` prints here, with the suite's options."""
    return run("-m", "pytest", "--help")


def run(*arguments, cwd=ROOT):
    """The output of this Python under `arguments`, which must end well."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("words", of("pytest"))
def test_a_pytest_command_uses_options_that_exist(words, pytest_help):
    """Every option is in pytest's help; profiles are ours, regimes ours or the examples'."""
    for option in (word for word in words if word.startswith("--")):
        assert re.search(rf"^\s+{option}\b", pytest_help, flags=re.MULTILINE), option
    assert set(value_of(words, "--suite-profile")) <= set(PROFILES)
    assert set(value_of(words, "--suite-regimes")) <= {"all", "core", *registry.regimes(), *examples_regimes()}
    if words[0] == "bench":
        assert (ROOT / words[0]).is_dir()


@pytest.mark.parametrize("words", of("pytest-benchmark"))
def test_a_pytest_benchmark_command_works_in_the_clone(words):
    """It loads every conftest without this project's own options of pytest."""
    assert "Outliers" in run("-m", "pytest_benchmark", *words)


def value_of(words, option):
    """The comma-separated value behind an option, or nothing."""
    return words[words.index(option) + 1].split(",") if option in words else []


def examples_regimes():
    """The regimes that the README's example adds."""
    return re.findall(r'^    "([\w-]+)": \(', files()["my_regimes.py"], flags=re.MULTILINE)


def tox_ini():
    """tox.ini, parsed."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    return parser


@pytest.mark.parametrize("words", of("tox"))
def test_a_tox_command_names_an_environment_that_exists(words):
    """`-e NAME` is in tox.ini, and no `-e` means lint, types and tests."""
    ini = tox_ini()
    if "-e" in words:
        assert f"testenv:{words[words.index('-e') + 1]}" in ini
    else:
        assert ini["tox"]["env_list"] == "lint, types, tests"


def test_tox_holds_versions_by_the_default_lock():
    """The lock that tox takes unless told otherwise is the one that the README names, and it pins torch plainly."""
    name = re.fullmatch(r"\{env:BENCHSUITE_LOCK:(.+)\}", tox_ini()["testenv"]["constraints"])[1]
    assert f"`{name}`" in README
    assert re.search(r"^torch==[\d.]+$", (ROOT / name).read_text(), flags=re.MULTILINE)


def test_the_gate_is_the_readmes_command():
    """`.ci/run` installs tox and calls it, as the README says; bash accepts the script."""
    script = (ROOT / ".ci" / "run").read_text()
    assert "pip install" in script
    assert re.search(r'bin/tox" "\$@"$', script.strip())
    subprocess.run(["bash", "-n", ".ci/run"], cwd=ROOT, check=True)


def test_the_install_command_installs_what_is_here():
    """Its constraints file and its extra exist."""
    found = [words for words in (*COMMANDS, *commands(OTHERS)) if words[0] == "pip" and "tox" not in words]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert len(found) >= 3
    for words in found:
        assert (ROOT / words[words.index("-c") + 1]).is_file()
        assert re.fullmatch(r"\.\[(\w+)\]", words[-1])[1] in extras


def test_the_readmes_options_and_fixtures_exist(pytest_help):
    """Every `--suite-...` anywhere in the text is an option; every fixture of its table is one of the plugin's."""
    for option in set(re.findall(r"--suite-[a-z-]+", README)):
        assert re.search(rf"^\s+{option}\b", pytest_help, flags=re.MULTILINE), option
    table = README.split("| fixture | gives |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in table.splitlines()[2:])))
    listed = run("-m", "pytest", "--fixtures", "-q", "bench")
    assert named
    assert {name for name in named if not re.search(rf"^{name}\b", listed, flags=re.MULTILINE)} == set()


def test_the_readmes_verdicts_profiles_and_regimes_exist():
    """The tables name outcomes, profiles and regimes as the code does."""
    verdicts = re.findall(r"^\| `([\w-]+)` \|", README.split("| verdict |")[1].split("\n\n")[0], flags=re.MULTILINE)
    assert set(verdicts) <= {outcome.value for outcome in Outcome}
    profiles = re.findall(r"^\| `(\w+)` \|", README.split("| profile |")[1].split("\n\n")[0], flags=re.MULTILINE)
    assert set(profiles) == set(PROFILES)
    regimes = re.findall(
        r"`([\w-]+)`", README.split("Regimes (`--suite-regimes")[1].split("`):")[1].split("`--suite")[0]
    )
    twins = {f"{name}-dyn" for name in regimes}
    assert {*regimes, *twins} >= set(registry.regimes()) - set(examples_regimes())


# ---------------------------------------------------------------- map and links


def test_the_map_names_every_module_that_exists_and_no_other():
    """One line a module, in the folder where it lies."""
    (block,) = re.findall(
        r"^```text\n(.*?)^```$", (ROOT / "docs" / "map.md").read_text(), flags=re.MULTILINE | re.DOTALL
    )
    folder, named = "", []
    for line in filter(None, block.splitlines()):
        if not line.startswith(" "):
            folder = line.split()[0]
            continue
        name, _, says = line.strip().partition(" ")
        assert says.strip(), line
        named.append(folder + name)
    real = [p.relative_to(ROOT).as_posix() for p in (ROOT / "benchsuite").rglob("*.py") if p.name != "__init__.py"]
    assert sorted(named) == sorted(real)


DOCUMENTS = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document):
    """Relative links are files; links within a document are headings of it."""
    text = (ROOT / document).read_text()
    headings = {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-")
        for h in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        assert not path or ((ROOT / document).parent / path).exists(), target
        assert not anchor or path or anchor in headings, target


# ---------------------------------------------------------------- examples


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The README's plug-in files, installed as a package is: modules beside a dist-info with entry points."""
    folder = tmp_path_factory.mktemp("installed")
    for name, text in files().items():
        (folder / name).write_text(text)
    (table,) = [tomllib.loads(text) for text in blocks("toml") if "entry-points" in text]
    points = table["project"]["entry-points"]
    info = folder / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in names.items()) for group, names in points.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture
def installed(package, monkeypatch):
    """The example package on this process's path, and the registry asked anew; all undone afterwards."""
    cached = [registry.tasks, registry.regimes, registry.meters, registry.judges, registry.reporters, registry.metrics]
    monkeypatch.syspath_prepend(str(package))
    for ask in cached:
        ask.cache_clear()
    yield package
    for ask in cached:
        ask.cache_clear()
    for name in files():
        sys.modules.pop(name.removesuffix(".py"), None)


def test_the_example_plugins_are_found(installed):
    """All five arrive by their entry points."""
    assert {"qlora-r4", "lora-smooth"} <= set(registry.regimes())
    assert "shouting" in registry.tasks()
    assert "threads" in registry.meters()
    assert "ceiling" in registry.judges()
    assert "failures" in registry.reporters()


def test_the_example_task_gives_rows(installed):
    """As many training rows as asked for, with labels that it names."""
    task = registry.tasks()["shouting"]
    examples = task.load("", 50)
    assert len(examples.train.texts) == 50
    assert set(examples.train.labels) | set(examples.validation.labels) == set(range(len(task.labels)))


def test_the_example_metric_judge_and_reporter_work_together(installed):
    """The meter's figure is judged by the judge it names; the reporter tells of it when it is worse."""
    meter = registry.meters()["threads"]()
    found = meter.stop(Phase.TRAIN, None)
    assert meter.stop(Phase.LOAD, None) == {}
    old = make_record(metrics=found)
    new = make_record(metrics={name: Measured(value=m.value + 1) for name, m in found.items()})
    case, baseline = make_case(), make_baseline(trials=(old,))
    verdicts = compare.judge_case(
        slug=slug(case), case=case, digest=digest(case), baseline=baseline, trials=(new,),
        metrics=registry.metrics(), judges=registry.judges(), tolerances={},
    )  # fmt: skip
    result = CaseResult(slug=slug(case), case=case, records=(new,), baseline=baseline, verdicts=verdicts)
    text = registry.reporters()["failures"].render(RunResult(run="r", machine="m", results=(result,), published={}))
    assert text == f"{slug(case)}/python.threads: regressed\n"


def test_the_example_regimes_make_cases(package, monkeypatch):
    """pytest, with the package installed, collects an item for each of the example's regimes."""
    monkeypatch.setenv("PYTHONPATH", str(package))
    listed = run("-m", "pytest", "bench", "--collect-only", "-q", "--suite-regimes", ",".join(examples_regimes()))
    for regime in examples_regimes():
        assert f"test_training_time[{regime}-tiny-toy-bert]" in listed


def test_the_example_fault_can_be_planted(package, monkeypatch):
    """The file and function of the command exist, and what it does is done."""
    torch = pytest.importorskip("torch")
    (where,) = {value for param in of("pytest") for value in value_of(param.values[0], "--suite-inject")}
    monkeypatch.setattr(torch.nn.Dropout, "forward", torch.nn.Dropout.forward)
    monkeypatch.setitem(sys.modules, "benchsuite_injected", None)
    injection.inject(str(package / where))
    assert torch.equal(torch.nn.Dropout(0.9)(torch.ones(99)), torch.ones(99))


@pytest.mark.slow
def test_the_example_tests_pass(package, tmp_path):
    """The tests that the README shows to users pass where they are copied, on a trial of two steps."""
    (tmp_path / "test_mine.py").write_text(files()["test_mine.py"])
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    plugin = [] if _is_installed() else ["-p", "benchsuite.plugin"]
    out = run("-m", "pytest", "-q", "test_mine.py", "--suite-steps", "2", *plugin, cwd=tmp_path)
    assert "3 passed" in out


def _is_installed():
    from importlib.metadata import entry_points

    return any(point.name == "benchsuite" for point in entry_points(group="pytest11"))


def test_the_example_tolerances_are_understood(tmp_path):
    """Each is read, and in the unit of every metric that it is for."""
    (text,) = [text for text in blocks("toml") if "tool.benchsuite.tolerance" in text]
    (tmp_path / "pyproject.toml").write_text(text)
    for glob, tolerance in tolerances(tmp_path).items():
        metrics = [
            m
            for name, m in registry.metrics().items()
            if re.fullmatch(glob.replace(".", r"\.").replace("*", ".*"), name)
        ]
        assert metrics, glob
        assert all(any(parse_tolerance(tolerance, metric.unit)) for metric in metrics)


def test_the_example_deviation_is_understood():
    """Every key is shown, and its metric takes its bound."""
    (text,) = [text for text in blocks("toml") if "[[known]]" in text]
    data = tomllib.loads(text)
    (found,) = known_entries.entries(data, "known.toml")
    known_entries.check([found], registry.metrics(), "known.toml")
    assert data["known"][0].keys() == known_entries.KEYS.keys()


def test_the_example_cases_are_understood_and_every_key_is_told(tmp_path):
    """The table's keys are those that are read; the example's cases can be made."""
    (text,) = [text for text in blocks("toml") if "tool.benchsuite.case" in text]
    (tmp_path / "pyproject.toml").write_text(text)
    options = Options(profiles=("tiny", "quick", "full"), regimes=("fp32",), entries=added(tmp_path))
    assert [case.model.id for case in cases.cases(options)[3:]] == [
        "models/tiny-llama", *4 * ["answerdotai/ModernBERT-base"],
    ]  # fmt: skip
    table = README.split("| key | means; without it |")[1].split("\n\n")[0]
    told = [key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(told) == sorted(KEYS)
