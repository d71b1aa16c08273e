"""The workflow files: actions held by commit, environments that exist, and all of them checked in lint.

Of the nightly one: what may reach the runner with the GPU, what blocks, who may write, and that its scripts work.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from contests import Field, carded, played
from packaging.requirements import Requirement

from benchsuite import cli, codec
from benchsuite.arms import spec
from benchsuite.settings import SETTINGS

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def tox_ini() -> configparser.ConfigParser:
    """tox.ini, parsed."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    return parser


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    """Each by a whole commit hash, its version told beside it; one action has one hash in all files."""
    uses = re.findall(r"uses: (.*)", path.read_text())
    assert uses
    for action in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action), action
    everywhere = {line for other in WORKFLOWS for line in re.findall(r"uses: (.*)", other.read_text())}
    assert len(everywhere) == len({line.partition("@")[0] for line in everywhere})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_environments_exist(path: Path) -> None:
    """What a workflow asks of the gate is in tox.ini."""
    named = {name for names in re.findall(r"\.ci/run -e (\S+)", path.read_text()) for name in names.split(",")}
    assert named
    assert {f"testenv:{name}" for name in named} <= set(tox_ini().sections())


def test_lint_checks_every_workflow() -> None:
    """A new file must be named there."""
    commands = tox_ini()["testenv:lint"]["commands"]
    assert {path.name for path in WORKFLOWS} == set(re.findall(r"\.github/workflows/(\S+)", commands))


# ---------------------------------------------------------------- every job


def parsed(path: Path) -> dict[Any, Any]:
    """A workflow as its file says; the key "on" is true in YAML."""
    return yaml.safe_load(path.read_text())


NIGHTLY = parsed(ROOT / ".github" / "workflows" / "nightly.yml")
JOBS = [
    pytest.param(parsed(path), job, id=f"{path.stem}-{name}")
    for path in WORKFLOWS
    for name, job in parsed(path)["jobs"].items()
]
HOSTED = "ubuntu-latest"
GPU_JOBS = {name: job for name, job in NIGHTLY["jobs"].items() if job["runs-on"] != HOSTED}


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_a_job_ends_and_may_little(workflow, job):
    """It has a limit, reads alone unless it is the issue's, and its checkout keeps no credentials and takes no ref."""
    assert job["timeout-minutes"] <= 180
    assert workflow["permissions"] == {"contents": "read"}
    if "permissions" in job:
        assert job == NIGHTLY["jobs"]["issue"]
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": False}


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_no_fork_reaches_a_runner_of_ours(workflow, job):
    """A job on one is started by the clock or by a maintainer, and on main; pull_request_target is used nowhere."""
    assert "pull_request_target" not in workflow[True]
    if job["runs-on"] != HOSTED:
        assert workflow[True].keys() == {"schedule", "workflow_dispatch"}
        assert "github.ref == 'refs/heads/main'" in job["if"]
        assert "||" not in job["if"].split("&& (")[0]


@pytest.mark.parametrize(("workflow", "job"), JOBS)
def test_no_script_holds_an_expression(workflow, job):
    """What an expression says would be run as code: scripts get it by the environment."""
    assert [step["run"] for step in job["steps"] if "${{" in step.get("run", "")] == []


# ---------------------------------------------------------------- the nightly's


def test_one_night_at_a_time_and_to_its_end():
    """A night that is measured is not cancelled by the next."""
    assert NIGHTLY["concurrency"] == {"group": "nightly", "cancel-in-progress": False}
    assert NIGHTLY["jobs"]["legs"]["strategy"]["max-parallel"] == 1


def test_the_jobs_of_the_runner():
    """Pinned first, and alone to block; then the legs, which do not."""
    assert {name: (job["runs-on"], job.get("continue-on-error", False)) for name, job in GPU_JOBS.items()} == {
        "pinned": (["self-hosted", "gpu", "t4"], False), "legs": (["self-hosted", "gpu", "t4"], True),
    }  # fmt: skip
    assert GPU_JOBS["legs"]["needs"] == "pinned"
    assert GPU_JOBS["legs"]["strategy"]["matrix"] == {"leg": ["release", "main"]}
    assert GPU_JOBS["legs"]["strategy"]["fail-fast"] is False


def test_the_stated_budget_is_the_sum_of_the_limits():
    """In the workflow's head and in its document, which also say when the runner is free."""
    legs = GPU_JOBS["legs"]
    each = [legs["timeout-minutes"]] * len(legs["strategy"]["matrix"]["leg"])
    limits = [GPU_JOBS["pinned"]["timeout-minutes"], *each]
    minute, hour = map(int, NIGHTLY[True]["schedule"][0]["cron"].split()[:2])
    end = hour * 60 + minute + sum(limits)
    for text in ((ROOT / ".github/workflows/nightly.yml").read_text(), (ROOT / "docs/nightly.md").read_text()):
        assert f"{sum(limits)} min" in text
        assert f"{end // 60:02}:{end % 60:02}" in text
        assert f"{hour:02}:{minute:02} UTC" in text


def test_the_weekly_run_is_on_the_clock():
    """The condition names a schedule as it is written; one night of the week has it."""
    full = next(step for step in GPU_JOBS["pinned"]["steps"] if step.get("name", "").startswith("full"))
    (weekly,) = re.findall(r"github\.event\.schedule == '([^']+)'", full["if"])
    assert weekly in [each["cron"] for each in NIGHTLY[True]["schedule"]]
    assert "steps.quick.outputs.code == '1'" in full["if"]


@pytest.mark.parametrize("name", GPU_JOBS)
def test_the_order_of_a_gpu_job(name):
    """The machine is looked at first, then everything is fetched, then no hub, then measuring; all is kept."""
    steps = GPU_JOBS[name]["steps"]
    script = "\n".join(step.get("run", step.get("uses", "")) for step in steps)
    order = ["benchsuite doctor", "load_dataset(", "HF_HUB_OFFLINE=1", "--profile quick|--suite-profile quick"]
    places = [re.search(mark if "|" in mark else re.escape(mark), script).start() for mark in order]
    assert places == sorted(places)
    (upload,) = [step for step in steps if "upload-artifact@" in step.get("uses", "")]
    assert upload["if"] == "always()"
    assert {"freeze.txt", "results/"} <= set(upload["with"]["path"].split())


def commands() -> list[Any]:
    """Every call of the suite in the nightly workflow, as words."""
    lines = [
        line.partition("||")[0]
        for job in NIGHTLY["jobs"].values()
        for step in job["steps"]
        for line in step.get("run", "").replace("\\\n", " ").splitlines()
    ]
    found = [shlex.split(line) for line in lines if line.startswith(("pytest ", "benchsuite "))]
    return [pytest.param(words, id=" ".join(words[:6])) for words in found]


def test_the_suite_is_called():
    """The reader of commands sees the four."""
    assert [" ".join(words.values[0][:2]) for words in commands()] == [
        "benchsuite doctor", "pytest bench", "pytest bench", "benchsuite doctor", "benchsuite ab",
    ]  # fmt: skip


@pytest.mark.parametrize("words", commands())
def test_a_command_has_options_that_exist(words):
    """A typing error would cost a night."""
    options = {word for word in words if word.startswith("--")}
    if words[0] == "pytest":
        assert options <= {f"--suite-{setting.name}" for setting in SETTINGS}
        assert {"--suite-require-gpu", "--suite-require-baseline"} <= options
        return
    command = typer.main.get_command(cli.app).commands[words[1]]
    with command.make_context(words[1], words[2:]) as context:
        assert context.params


def test_the_branches_are_an_arm():
    """They read as requirements, a git address each."""
    step = next(step for step in GPU_JOBS["legs"]["steps"] if "BRANCHES" in step.get("env", {}))
    found = spec.parse(step["env"]["BRANCHES"], exists=False)
    address = re.compile(r"(\w+) @ git\+https://github\.com/huggingface/\1")
    names = [address.fullmatch(each)[1] for each in found.requirements]
    assert names == ["accelerate", "peft", "transformers"]


def test_the_newest_releases_are_an_arm():
    """What moves over what is installed, named as indexes name it; nothing that moves is the pinned stack itself."""
    make = runpy.run_path(str(ROOT / "scripts" / "newest.py"))["spec"]
    report = {"install": [{"metadata": {"name": "Huggingface_Hub", "version": "2.4.0"}},
                          {"metadata": {"name": "transformers", "version": "6.0.0"}}]}  # fmt: skip
    said = make({"transformers": "5.23.0", "peft": "0.21.2"}, report)
    assert said == "huggingface-hub==2.4.0 peft==0.21.2 transformers==6.0.0"
    assert spec.parse(said, exists=False).requirements == tuple(said.split())
    assert make({"peft": "0.21.2"}, {"install": []}) == "peft==0.21.2"


# ---------------------------------------------------------------- the job that writes

ISSUE = NIGHTLY["jobs"]["issue"]


def test_only_the_issue_may_be_written_and_only_by_its_job():
    """It waits for all, also where they failed."""
    assert ISSUE["permissions"] == {"contents": "read", "actions": "read", "issues": "write"}
    assert ISSUE["needs"] == ["pinned", "legs"]
    assert ISSUE["if"].startswith("!cancelled()")
    tokens = [name for name, job in NIGHTLY["jobs"].items() if "github.token" in json.dumps(job)]
    assert tokens == ["issue"]


def brought(name: str) -> set[str]:
    """A distribution and what it needs, as indexes compare names."""
    found, todo = set[str](), [name]
    while todo:
        plain = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if plain not in found:
            found.add(plain)
            wanted = [Requirement(line) for line in metadata.requires(plain) or ()]
            todo += [each.name for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    return found


def test_the_issues_job_installs_what_the_command_imports():
    """It runs where nothing else that is installed here can be imported, the libraries under test least of all."""
    (line,) = [step["run"] for step in ISSUE["steps"] if "pip install" in step.get("run", "")]
    there = set().union(*map(brought, line.split("constraints.txt ")[1].split()))
    hidden = [
        module
        for module, owners in metadata.packages_distributions().items()
        if not {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners} & {*there, "benchsuite"}
    ]
    assert {"torch", "transformers", "peft", "bitsandbytes", "scipy"} <= set(hidden)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({hidden!r}))\n"
        "from benchsuite.cli import main\n"
        "sys.argv = ['benchsuite', 'night', '--missing', 'pinned']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("open: ")


GH = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> calls
case "$1 $2" in
  "run download") [ -d "left/$5" ] && mkdir -p "$7" && cp -r "left/$5/." "$7" ;;
  "issue list") cat number 2> /dev/null || true ;;
  "issue view") cat open.md ;;
  "issue create" | "issue edit") cp body.md open.md ;;
esac
"""


@pytest.fixture
def night(tmp_path, monkeypatch):
    """`night(verdicts)`: what the issue's job asks of `gh`, given the pinned run's verdicts, or None for none."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "python").write_text(f'#!/usr/bin/env bash\nexec {shlex.quote(sys.executable)} "$@"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    here = {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "GITHUB_RUN_ID": "7",
            "PAGE": "https://example.org/o/r/actions/runs/7", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_ENV": str(tmp_path / "env")}  # fmt: skip
    scripts = [step["run"] for step in ISSUE["steps"] if "run" in step and "pip install" not in step["run"]]

    def play(verdicts):
        for made in ("left", "night", "calls", "env", "issue.json"):
            if (tmp_path / made).is_dir():
                shutil.rmtree(tmp_path / made)
            else:
                (tmp_path / made).unlink(missing_ok=True)
        if verdicts is not None:
            for run in ("20261124-021700-abcdef", "latest"):
                folder = tmp_path / "left" / "pinned" / "results" / "quick" / run
                folder.mkdir(parents=True)
                (folder / "verdicts.json").write_text(json.dumps(verdicts))
        for card in tmp_path.glob("*.json"):
            folder = tmp_path / "left" / card.stem
            folder.mkdir(parents=True)
            (folder / "card.json").write_text(card.read_text())
        told: dict[str, str] = {}
        for script in scripts:
            told |= dict(line.split("=", 1) for line in _lines(tmp_path / "env"))
            done = subprocess.run(
                ["bash", "-e", "-c", script], cwd=tmp_path, env=here | told, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        return [line for line in _lines(tmp_path / "calls") if not line.startswith("run download")]

    return play


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


VERDICT = {
    "case": "c", "metric": "m", "title": "m", "unit": "1", "kind": "count", "role": "gate", "concern": "work",
    "outcome": "changed", "old": 1, "new": 2, "effect": 1.0, "interval": None, "detectable": None, "detail": "",
    "cause": "", "advice": "",
}  # fmt: skip


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq, as GitHub's own runners have it")
def test_the_issues_scripts_open_update_and_close(night, tmp_path):
    """With `gh` played, over three nights: the run is gone, wrong, and well again while no leg left a card."""
    opened = night(None)
    assert [line.split(" --")[0] for line in opened] == ["issue list", "label create nightly", "issue create"]
    assert "3 new, 0 still there, 0 fixed" in opened[-1]
    (tmp_path / "number").write_text("41\n")
    updated = night([VERDICT])
    assert [line.split(" --")[0] for line in updated] == [
        "issue list", "issue view 41", "issue edit 41", "issue comment 41",
    ]  # fmt: skip
    assert "1 new, 2 still there, 1 fixed" in updated[2]
    assert "| pinned | 1 failing: judged 1 of 1" in (tmp_path / "open.md").read_text()
    for leg in ("release", "main"):
        (tmp_path / f"{leg}.json").write_text(codec.dumps(codec.encode(carded(played(Field(), budget=240)))))
    closed = night([VERDICT | {"outcome": "ok"}])
    assert [line.split(" --")[0] for line in closed] == [*(line.split(" --")[0] for line in updated), "issue close 41"]
    assert "all is well" in closed[2]


def test_each_pattern_of_a_download_has_an_option_of_its_own():
    """`hf download NAME --include A B` takes B for a file to fetch, and A for nothing."""
    lines = [
        line
        for line in (ROOT / ".github" / "workflows" / "nightly.yml").read_text().splitlines()
        if "hf download" in line
    ]
    assert lines
    for words in map(shlex.split, lines):
        plain = [word for i, word in enumerate(words) if not word.startswith("-") and not words[i - 1].startswith("--")]
        assert len(plain) == 3, words
