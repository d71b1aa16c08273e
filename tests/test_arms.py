"""What a user asks for as an arm: read, resolved and built by a stand-in for uv, looked at before it is used."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.arms import build, pipconfig, python, spec, suite, uv
from benchsuite.arms.python import Arm
from benchsuite.nouns import SuiteError, UsageError

INSTALLED = {"benchsuite": "0.1.0", "nvidia-cublas-cu12": "12.4", "peft": "0.21.2", "torch": "2.13.0+cpu",
             "transformers": "5.23.0"}  # fmt: skip

# ---------------------------------------------------------------- the words


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("transformers==4.57.6 peft==0.18.0", ("transformers==4.57.6", "peft==0.18.0")),
        (" transformers == 4.57.6,  peft", ("transformers==4.57.6", "peft")),
        ("peft[a,b]==1,torch", ("peft[a,b]==1", "torch")),
        ("transformers >=4.57, <5  torch", ("transformers>=4.57,<5", "torch")),
        ("peft[test]~=0.18", ("peft[test]~=0.18",)),
        ("transformers @ git+https://example.org/t.git", ("transformers @ git+https://example.org/t.git",)),
    ],
)
def test_requirements_are_read(text, requirements):
    """As one would write them for pip, spaces or not."""
    assert spec.parse(text, exists=False) == spec.Spec(text=text.strip(), path="", requirements=requirements)


@pytest.mark.parametrize("text", ["./venv", "/opt/venv", "~/venv", "..", "C:\\venv"])
def test_what_looks_like_a_path_is_one(text):
    """Whether or not it is there: the message is then about a path."""
    assert spec.parse(text, exists=False).path == text


def test_what_exists_is_a_path():
    """A folder of that name beats a package."""
    assert spec.parse("peft", exists=True).path == "peft"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  ", "an arm is empty"),
        ("venv-new", "there is no environment 'venv-new', and as requirements it names no version"),
        ("transformers=4.57", "'transformers=4.57' in 'transformers=4.57' is neither a path"),
        ("peft==1 --index x", "'--index' in"),
    ],
)
def test_what_is_neither_is_refused(text, words):
    """With what to write instead."""
    with pytest.raises(UsageError) as caught:
        spec.parse(text, exists=False)
    assert words in str(caught.value)
    assert "Give a path to a virtual environment" in str(caught.value)


names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}", fullmatch=True)


@given(
    st.lists(st.tuples(names, st.sampled_from(["==", ">=", "~=", "!="]), versions), min_size=1, max_size=4), st.data()
)
def test_spaces_decide_nothing(wanted, data):
    """Whatever spaces stand around the operators, the requirements are the same."""
    gaps = st.sampled_from(["", " ", "  "])
    text = " ".join(f"{n}{data.draw(gaps)}{o}{data.draw(gaps)}{v}" for n, o, v in wanted)
    assert spec.parse(text, exists=False).requirements == tuple(f"{n}{o}{v}" for n, o, v in wanted)


def test_the_resolver_is_told_of_everything_that_runs_here():
    """By name alone, so that it may move; with its version as what is preferred. The suite is in no arm."""
    assert spec.wanted(("peft==0.18.0",), INSTALLED) == "peft\ntorch\ntransformers\npeft==0.18.0\n"
    assert spec.preferences(INSTALLED) == (
        "nvidia-cublas-cu12==12.4\npeft==0.21.2\ntorch==2.13.0+cpu\ntransformers==5.23.0\n"
    )
    assert spec.pins("# head\nb==1\n    # via a\na==2 # x\n") == ("a==2", "b==1")


# ---------------------------------------------------------------- where packages come from

LISTING = """
:env:.find-links='/other'
global.extra-index-url='file:///one https://two/simple'
global.find-links='/wheels'
install.no-index='true'
global.timeout='60'
"""


def test_what_pip_was_told_uv_is_told():
    """Files first, then variables, which win; several indexes are treated as pip treats them."""
    known = pipconfig.settings(LISTING, {"PIP_INDEX_URL": "https://main/simple", "PIP_CERT": "x"})
    assert pipconfig.flags(known, {}) == (
        "--index-url", "https://main/simple", "--extra-index-url", "file:///one", "--extra-index-url",
        "https://two/simple", "--find-links", "/wheels", "--no-index", "--index-strategy", "unsafe-best-match",
    )  # fmt: skip


def test_what_uv_was_told_itself_wins():
    """A `UV_*` variable is left to uv."""
    known = pipconfig.settings(LISTING, {"PIP_FIND_LINKS": "/mine"})
    assert known["find-links"] == "/mine"
    told = pipconfig.flags(known, {"UV_FIND_LINKS": "/theirs", "UV_INDEX": "https://x", "UV_NO_INDEX": "0"})
    assert told == ()


def test_nothing_told_is_nothing_said():
    """Without any configuration uv is left alone."""
    assert pipconfig.flags(pipconfig.settings("", {}), {}) == ()


# ---------------------------------------------------------------- building

FAKE_UV = """#!{python}
import json, os, sys
from pathlib import Path
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(words) + "\\n")
mode = Path({mode!r}).read_text()
if words[:2] == ["pip", "compile"]:
    if mode == "conflict":
        print("error: No solution found\\n  cause: Because there is no peft==99.\\nhint: x", file=sys.stderr)
        sys.exit(1)
    if mode == "offline":
        print("error: Request failed\\n  cause: Failed to fetch: https://x/peft/", file=sys.stderr)
        sys.exit(2)
    out = Path(words[words.index("--output-file") + 1])
    wanted = Path(words[2]).read_text().split()
    moved = dict(line.split("==") for line in wanted if "==" in line)
    kept = dict(line.split("==") for line in out.read_text().split())
    out.write_text("".join(f"{{n}}=={{v}}\\n" for n, v in (kept | moved).items()))
elif words[0] == "venv":
    place = Path(words[-1], "bin")
    place.mkdir(parents=True)
    (place / "python").symlink_to(sys.executable)
elif mode == "unbuildable":
    print("  \\u00d7 Failed to build `peft==0.18.0`\\n  \\u2570\\u2500\\u25b6 no compiler", file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A stand-in for uv: `fake(mode)` says how it behaves; `fake.calls()` what it was told."""
    log, mode, home = tmp_path / "log", tmp_path / "mode", tmp_path / "bin"
    home.mkdir()
    (home / "uv").write_text(FAKE_UV.format(python=sys.executable, log=str(log), mode=str(mode)))
    (home / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setattr(build, "indexed", lambda: INSTALLED)
    mode.write_text("")

    def behave(how):
        mode.write_text(how)

    behave.calls = lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return behave


def asked(text="peft==0.18.0"):
    """An arm by requirements."""
    return spec.parse(text, exists=False)


def test_an_environment_is_built_once(fake):
    """Resolved over the running versions, installed as resolved, and taken from the cache the next time."""
    said = []
    first = build.build(asked(), said.append)
    assert first.is_file()
    assert [call[:2] for call in fake.calls()] == [["pip", "compile"], ["venv", "--python"], ["pip", "install"]]
    assert all("/wheels" in call for call in fake.calls() if call[0] == "pip")
    assert json.loads((first.parents[1] / build.MARK).read_text())["pins"] == [
        "nvidia-cublas-cu12==12.4", "peft==0.18.0", "torch==2.13.0+cpu", "transformers==5.23.0",
    ]  # fmt: skip
    assert build.build(asked(), said.append) == first
    assert len(fake.calls()) == 4
    assert len(said) == 1


def test_a_build_that_was_cut_off_is_made_again(fake):
    """A folder without its mark is not trusted."""
    first = build.build(asked(), lambda _: None)
    (first.parents[1] / build.MARK).unlink()
    build.build(asked(), lambda _: None)
    assert [call[1] for call in fake.calls()].count("install") == 2


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("conflict", "does not resolve over the running versions: No solution found Because there is no peft==99."),
        ("offline", "Failed to fetch: https://x/peft/ Without a network: give paths of environments that are there."),
        ("unbuildable", "environment of 'peft==0.18.0' cannot be built: Failed to build `peft==0.18.0` no compiler"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_told_in_uvs_own_words(fake, how, words):
    """And no half-built folder is left."""
    fake(how)
    with pytest.raises(SuiteError) as caught:
        build.build(asked(), lambda _: None)
    assert words in str(caught.value)
    assert not list((Path(os.environ["XDG_CACHE_HOME"])).rglob("bin"))


def test_without_a_network_what_was_built_before_serves(fake):
    """The same words over the same versions mean the same set."""
    first = build.build(asked(), lambda _: None)
    fake("offline")
    assert build.build(asked(), lambda _: None) == first


def test_without_uv_paths_remain(monkeypatch):
    """One message, with both ways out."""
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SuiteError, match=r"`pip install uv`, or give paths"):
        uv.command()


# ---------------------------------------------------------------- looking at a Python


def test_an_environment_is_found_by_folder_and_by_python(tmp_path):
    """Not through its link: only under its own name does it know where it belongs."""
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    link = tmp_path / "venv" / "bin" / "python"
    link.symlink_to(sys.executable)
    assert python.find(str(tmp_path / "venv")) == python.find(str(link)) == link


@pytest.mark.parametrize(
    ("name", "words"),
    [("none", "it is not there"), ("folder", "it is a folder without bin/python"), ("text", "it is no program")],
)
def test_an_environment_that_is_none(tmp_path, name, words):
    """Says what is there instead."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("x")
    with pytest.raises(SuiteError, match=words):
        python.find(str(tmp_path / name))


def arm(tmp_path, source):
    """An arm whose python is a script."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\nimport json, sys, time\n{source}")
    script.chmod(0o755)
    return Arm(name="B", text="./venv", python=str(script))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("print(json.dumps({'version': [3, 9, 1], 'failed': []}))", "is Python 3.9.1; trials need 3.11 or later"),
        ("print(json.dumps({'version': [3, 12, 1], 'failed': [['pynvml', 'ImportError: no']]}))",
         "B (./venv) is broken: pynvml does not import (ImportError: no). Install nvidia-ml-py there again"),
        ("sys.exit('Fatal Python error')", "is broken: its python ended with 1. Fatal Python error"),
        ("time.sleep(9)", "hangs: its libraries did not import within"),
    ],
    ids=["old", "broken package", "broken python", "hangs"],
)  # fmt: skip
def test_an_environment_that_cannot_run_trials(tmp_path, monkeypatch, source, words):
    """Which library, and what to do about it."""
    monkeypatch.setattr(python, "SECONDS", 1 if "sleep" in source else 60)
    with pytest.raises(SuiteError) as caught:
        python.check(arm(tmp_path, source), {})
    assert words in str(caught.value)


def test_the_probe_names_the_library_that_does_not_import(tmp_path, monkeypatch):
    """Really run: one of the needed modules is broken, an earlier one is fine."""
    (tmp_path / "broken_one.py").write_text("raise RuntimeError('half\\ninstalled')")
    monkeypatch.setattr(python, "NEEDED", ("json", "broken_one"))
    here = Arm(name="A", text="here", python=sys.executable)
    with pytest.raises(SuiteError, match=r"broken_one does not import \(RuntimeError: installed\)"):
        python.check(here, {**os.environ, "PYTHONPATH": str(tmp_path)})
    monkeypatch.setattr(python, "NEEDED", ("json",))
    python.check(here, dict(os.environ))


# ---------------------------------------------------------------- the suite that both arms run


def test_the_suite_lies_alone_in_its_folder(tmp_path, monkeypatch):
    """So that none of the caller's packages comes before an arm's; made once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = suite.copy()
    assert [path.name for path in folder.iterdir()] == ["benchsuite"]
    assert (folder / "benchsuite" / "tasks" / "toy_bert" / "config.json").is_file()
    assert not list(folder.rglob("*.pyc"))
    (folder / "benchsuite" / "note").write_text("still the same folder")
    assert suite.copy() == folder
    assert (folder / "benchsuite" / "note").is_file()


def test_a_childs_path_begins_with_the_suite(tmp_path, monkeypatch):
    """Then what the user put there, without the folder that the caller's own packages lie in."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(suite.PACKAGE.parent), "/extra"]))
    monkeypatch.setenv("PYTHONHOME", "/other")
    environ = suite.environment(tmp_path)
    assert environ["PYTHONPATH"].split(os.pathsep) == [str(tmp_path), "/extra"]
    assert "PYTHONHOME" not in environ
