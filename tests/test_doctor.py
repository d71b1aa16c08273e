"""`benchsuite doctor`: for each broken machine the right finding and the right command, and what people read of it."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broken_machines import GB, HEALTHY, MACHINES, MINE, Broken, card, installed, torch

from benchsuite import cli, doctor, examine, registry
from benchsuite.checks import _mend, python, torch_build
from benchsuite.condition import Probe
from benchsuite.diagnosis import Diagnosis, Level, diagnose, worst
from benchsuite.nouns import Weights

ROOT = Path(__file__).parent.parent
AILMENTS = {ailment.code: ailment for check in registry.checks().values() for ailment in check.ailments}


def findings(probe: Probe, *, quick: bool = False) -> tuple[Diagnosis, ...]:
    """What all checks say of a machine."""
    return diagnose(probe, registry.checks(), quick=quick)


def bad(probe: Probe, *, quick: bool = False) -> list[Diagnosis]:
    """What is not ok."""
    return [found for found in findings(probe, quick=quick) if found.level is not Level.OK]


# ---------------------------------------------------------------- findings


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.what)
def test_a_broken_machine_gets_its_finding_and_its_command(machine: Broken) -> None:
    """That one and no other, to the letter."""
    assert [(found.code, found.seen, found.command) for found in bad(machine.probe)] == [machine[2:]]


def test_every_ailment_has_its_broken_machine() -> None:
    """Nothing can be found that no test has seen found."""
    assert {machine.code for machine in MACHINES} == set(AILMENTS)


@pytest.mark.parametrize("name", sorted(registry.checks()))
def test_a_check_names_its_ailments_after_itself(name: str) -> None:
    """The code's first part leads to the check; an ok is no ailment."""
    check = registry.checks()[name]
    assert {ailment.code.partition(".")[0] for ailment in check.ailments} == {name}
    assert all(ailment.level in (Level.ERROR, Level.WARNING) for ailment in check.ailments)


def test_a_healthy_machine_is_all_ok() -> None:
    """Each check that has something to look at says so in one line without a command."""
    found = findings(HEALTHY)
    assert {(d.level, d.code, d.command) for d in found} == {(Level.OK, "", "")}
    assert {d.check for d in found} == set(registry.checks()) - {"visible"}


def test_a_t4s_missing_bf16_is_said_though_nothing_asks_for_it() -> None:
    """Ruled out is ruled out; as long as no regime wants it, it is no warning."""
    (found,) = [d for d in findings(HEALTHY) if d.check == "capability"]
    assert found.level is Level.OK
    assert "Tesla T4 has capability 7.5: nf4, int8" in found.seen
    assert "bf16 (torch accepts bf16 there and emulates it, slowly)" in found.seen


def test_a_machine_without_a_gpu_is_not_asked_about_one() -> None:
    """Checks of a GPU say nothing there."""
    probe = replace(HEALTHY, cards=(), chosen=None, driver_cuda=None, **torch("2.13.0+cpu", problem=None))
    assert not bad(probe)
    assert {d.check for d in findings(probe)}.isdisjoint({"vram", "clocks", "capability", "neighbours", "visible"})


def test_a_neighbour_that_takes_the_memory_is_told_of_twice() -> None:
    """As the reason why nothing fits, and as the one who moves the times."""
    found = bad(replace(HEALTHY, **card(tenants=(MINE,), free=2 * GB)))
    assert [(d.code, d.command) for d in found] == [("vram.taken", "kill 4711"), ("neighbours.busy", "kill 4711")]
    assert "held by python (pid 4711, ann, 13.0 GB)" in found[0].seen


@pytest.mark.parametrize(
    ("free", "fields", "code"),
    [
        (3 * GB, {}, "vram.taken"),
        (3 * GB, {"regimes": ("qlora",)}, None),
        (1 * GB, {"regimes": ("qlora",)}, "vram.taken"),
        (1 * GB, {"own_model": True}, None),
        (1 * GB, {"regimes": ("mine",)}, None),
    ],
)
def test_memory_is_held_against_what_is_wanted(free: int, fields: dict[str, Any], code: str | None) -> None:
    """Of a model or a regime whose size nobody measured nothing is claimed."""
    found = bad(replace(HEALTHY, **card(free=free), **fields))
    assert [d.code for d in found] == ([code] if code else [])


@pytest.mark.parametrize(("above", "codes"), [("0.22.0", {"leftovers.shadowed", "lock.differs"}), ("0.21.2", set())])
def test_an_environment_may_hide_what_lies_below_it_unless_the_lock_wants_that(above: str, codes: set[str]) -> None:
    """The lock has 0.21.2: hidden it is a finding, hiding an older one it is not."""
    below = {"0.22.0": "0.21.2", "0.21.2": "0.17.0"}[above]
    rest = [d for d in HEALTHY.distributions if d.name != "peft"]
    found = bad(replace(HEALTHY, distributions=(*rest, installed("peft", above, "/top"), installed("peft", below))))
    assert {d.code for d in found} == codes
    assert {d.command for d in found if d.check == "leftovers"} <= {"python -m pip uninstall -y peft"}


@pytest.mark.parametrize(
    ("serves", "capability", "build"),
    [
        ((13, 1), (9, 0), "cu130"), ((13, 0), (7, 5), "cu130"), ((13, 0), (7, 0), "cu126"), ((12, 0), (7, 5), "cu126"),
        ((12, 8), (12, 0), "cu128"), ((11, 8), (7, 5), "cu118"), ((11, 4), (7, 5), ""), ((10, 2), (7, 5), ""),
    ],
)  # fmt: skip
def test_the_build_of_torch_fits_driver_and_gpu(
    serves: tuple[int, int], capability: tuple[int, int], build: str
) -> None:
    """By the major version of CUDA, and by the GPUs that a build has kernels for."""
    assert torch_build.backend(serves, capability) == build


@pytest.mark.parametrize(
    ("arches", "capability", "runs"),
    [
        (("sm_75", "sm_80"), (7, 5), True), (("sm_80",), (8, 6), True), (("sm_86",), (8, 0), False),
        (("sm_75",), (8, 0), False), (("compute_75",), (9, 0), True), (("sm_100", "compute_120"), (9, 0), False),
        (("sm_90a",), (9, 0), True), ((), (7, 5), True),
    ],
)  # fmt: skip
def test_kernels_run_on_their_own_major_version(
    arches: tuple[str, ...], capability: tuple[int, int], runs: bool
) -> None:
    """PTX runs on anything newer; a build that does not tell is not accused."""
    assert torch_build.runs(arches, capability) is runs


def test_minor_versions_of_cuda_are_no_obstacle() -> None:
    """A build for CUDA 12.8 runs on a driver for 12.4."""
    assert not bad(replace(HEALTHY, driver_cuda=(12, 4), **torch("2.13.0+cu128")))


def test_a_driver_that_does_not_say_what_it_serves_is_left_to_uv() -> None:
    """No guess at a build."""
    (found,) = bad(replace(HEALTHY, driver_cuda=None, **torch("2.13.0+cpu", "no CUDA")))
    assert "--torch-backend=auto" in found.command
    assert "serves builds for CUDA up to an unknown version" in found.seen


def test_the_versions_of_python_are_pyprojects() -> None:
    """What the check takes for tested is what the package says it supports."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    said = re.findall(r"Python :: (\d+\.\d+)", " ".join(project["classifiers"]))
    assert [".".join(map(str, version)) for version in python.TESTED] == said
    assert project["requires-python"] == f">={said[0]}"


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("/a/b-1.txt", "/a/b-1.txt"), ("a b", '"a b"'), ("torch>=2.6", '"torch>=2.6"'), ("", '""'), ("x;rm", '"x;rm"')],
)
def test_words_with_a_meaning_to_the_shell_are_quoted(word: str, quoted: str) -> None:
    """A command is to be pasted as it is."""
    assert _mend.quote(word) == quoted


# ---------------------------------------------------------------- what people and programs read

WORN = replace(
    HEALTHY, **card(tenants=(MINE,), persistence=False), **torch("2.13.0+cpu", "Torch not compiled with CUDA enabled")
)
TEXT = """\
benchsuite doctor: tesla-t4-15gb, Python 3.12.3, Linux

ERROR torch: torch 2.13.0+cpu is a CPU build, beside a Tesla T4; driver 580.95.05 serves builds
  for CUDA up to 13.0
  $ uv pip install --python python --torch-backend=cu130 --reinstall-package torch "torch>=2.6"

WARNING clocks: persistence mode is off on Tesla T4: the driver unloads between trials, and each
  pays seconds to load it
  $ sudo nvidia-smi -i GPU-aaaa -pm 1

WARNING neighbours: others are on Tesla T4, and times will not repeat: python (pid 4711, ann, 13.0
  GB)
  $ kill 4711

ok bitsandbytes  native library loaded; an nf4 product is right on the CPU
ok capability    Tesla T4 has capability 7.5: nf4, int8; no wanted regime uses what it lacks: bf16 (torch accepts bf16 \
there and emulates it, slowly)
ok context       neither this process nor one that started it holds a CUDA context
ok disk          writable, and free: 90.0 GB for results, 90.0 GB for temporary files
ok driver        Tesla T4; driver 580.95.05 answers and serves CUDA up to 13.0
ok inputs        data nyu-mll/glue (in the hub's cache), model bert-base-uncased (in the hub's cache)
ok leftovers     4 distributions, none of them twice
ok libraries     torch 2.13.0, transformers 5.23.0, peft 0.21.2, bitsandbytes 0.50.2
ok lock          what is installed is as in baselines/tesla-t4-15gb/constraints.txt
ok python        Python 3.12.3
ok vram          15.0 GB of 16.0 GB are free on Tesla T4

1 error, 2 warnings, 11 ok
"""


def test_the_text_tells_what_is_wrong_first() -> None:
    """Errors, warnings, one line for each that is well, the tally; commands stand on lines of their own."""
    assert "\n".join(line.text for line in doctor.render(WORN, findings(WORN))) + "\n" == TEXT


def test_a_command_is_never_wrapped() -> None:
    """Whatever its length: it is to be copied."""
    for machine in MACHINES:
        lines = [line.text for line in doctor.render(machine.probe, findings(machine.probe))]
        assert f"  $ {machine.command}" in lines


def test_a_finding_of_several_lines_keeps_them() -> None:
    """The data's layouts are a list."""
    found = Diagnosis(
        check="inputs", level=Level.ERROR, code="x", seen="no data. Looked for:\n  - a\n  - b", command="c"
    )
    assert doctor.paragraph(found) == "inputs: no data. Looked for:\n  - a\n  - b\n  $ c"


def test_programs_get_every_finding() -> None:
    """Level of all, and check, level, code, seen and command of each."""
    answer = doctor.as_json(WORN, findings(WORN))
    assert (answer["machine"], answer["level"]) == ("tesla-t4-15gb", "error")
    assert answer["findings"][0] == {
        "check": "torch", "level": "error", "code": "torch.cpu-build", "seen": bad(WORN)[0].seen,
        "command": bad(WORN)[0].command,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("probe", "level"),
    [(HEALTHY, Level.OK), (replace(HEALTHY, **card(persistence=False)), Level.WARNING), (WORN, Level.ERROR)],
)
def test_the_worst_level_counts(probe: Probe, level: Level) -> None:
    """One error among warnings is an error."""
    assert worst(findings(probe)) is level


# ---------------------------------------------------------------- the command


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    """`command(probe, ...)`: exit code and stdout of `benchsuite doctor ...` on such a machine."""
    monkeypatch.chdir(tmp_path)

    def call(probe: Probe, *words: str) -> tuple[int, str]:
        monkeypatch.setattr(examine, "look", lambda _: probe)
        monkeypatch.setattr("sys.argv", ["benchsuite", "doctor", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return end.value.code or 0, capsys.readouterr().out

    return call


def test_an_error_ends_with_2(command: Any) -> None:
    """And the text is plain where it goes into a pipe."""
    assert command(WORN) == (2, TEXT)


@pytest.mark.parametrize("probe", [HEALTHY, replace(HEALTHY, **card(persistence=False))], ids=["ok", "warning"])
def test_a_warning_ends_with_0(command: Any, probe: Probe) -> None:
    """It says what to mend; nothing hinders."""
    assert command(probe)[0] == 0


def test_it_looks_at_what_a_run_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data, model and whether its weights are random, as the options of a run name them."""
    seen = []
    monkeypatch.setattr(examine, "look", lambda options: seen.append(options) or HEALTHY)
    monkeypatch.setattr("sys.argv", ["benchsuite", "doctor", "--model", "m", "--weights", "random", "--data", "d"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    assert [(o.model, o.weights, o.data) for o in seen] == [("m", Weights.RANDOM, "d")]


def test_json_goes_to_a_file_beside_the_text_or_alone_to_stdout(command: Any) -> None:
    """Both hold the same."""
    code, out = command(WORN, "--json", "found.json")
    assert (code, out) == (2, TEXT)
    code, out = command(WORN, "--json", "-")
    assert code == 2
    assert json.loads(out) == json.loads(Path("found.json").read_text()) == doctor.as_json(WORN, findings(WORN))


def test_colours_are_for_a_terminal(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words there, in colour."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    _, out = command(WORN)
    assert "\x1b[1;31mERROR" in out
    assert re.sub(r"\x1b\[[0-9;]*m", "", out) == TEXT


# ---------------------------------------------------------------- documentation


def test_the_readmes_example_is_what_is_printed() -> None:
    """It breaks off after the error."""
    (block,) = re.findall(
        r"^```text\n(benchsuite doctor: .*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    assert TEXT.startswith(block)


def test_the_page_lists_every_finding_with_its_command() -> None:
    """docs/doctor.md is what the code says: `python -m benchsuite.doctor_page > docs/doctor.md` writes it."""
    text = (ROOT / "docs" / "doctor.md").read_text()
    assert text == doctor.page(registry.checks())
    assert re.findall(r"^\| `([\w-]+\.[\w-]+)` \|", text, flags=re.MULTILINE) == [
        ailment.code for name in sorted(registry.checks()) for ailment in registry.checks()[name].ailments
    ]


@pytest.mark.parametrize(
    "machine", [m for m in MACHINES if m.probe.system == "Linux"], ids=lambda machine: machine.what
)
def test_the_commands_of_the_page_are_those_that_come(machine: Broken) -> None:
    """With words for its capitals, one of the page's commands is the command of each broken machine."""
    commands = doctor.typed(AILMENTS[machine.code])
    patterns = [re.sub(r"\b[A-Z]{2,}\b", ".+", re.escape(command)) for command in commands]
    assert any(re.fullmatch(pattern, machine.command) for pattern in patterns), commands
    assert not any(re.fullmatch("[A-Z]+", command) for command in commands)


@pytest.mark.parametrize(
    ("template", "text"), [("{install} -c {path}", "INSTALL -c PATH"), ("{now:.0f} W", "NOW W"), ("plain", "plain")]
)
def test_fields_stand_in_capitals_on_the_page(template: str, text: str) -> None:
    """Format and all."""
    assert doctor.shown(template) == text
