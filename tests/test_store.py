"""The store: files appear whole or not at all, and each kind of damage is told in one clear message."""

from __future__ import annotations

import errno
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from factories import MACHINE, make_baseline, make_case, make_metrics, make_record

from benchsuite import latest, seals, store
from benchsuite.cases import slug
from benchsuite.freeze import public_freeze
from benchsuite.nouns import JSON, Measured, SuiteError, UsageError

NOW = datetime(2025, 11, 3, 12, 30, 5, tzinfo=UTC)
NAME = slug(make_case())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A new run in tmp_path/results."""
    return store.new_run(tmp_path / "results", now=NOW)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A baseline on disk."""
    path = store.baseline_path(tmp_path / "baselines", MACHINE, NAME)
    store.save_baseline(path, make_baseline())
    return path


def edit(path: Path, change: Callable[[dict[str, JSON]], object]) -> None:
    """Changes a JSON file as a hand would."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


# ---------------------------------------------------------------- runs and text


def test_new_runs_never_share(tmp_path: Path) -> None:
    """Runs of one second get folders of their own, named by UTC, with room for records and logs."""
    local = NOW.astimezone(timezone(timedelta(hours=9)))
    runs = [store.new_run(tmp_path / "deep" / "results", now=local) for _ in range(5)]
    assert len(set(runs)) == len(runs)
    assert all(run.name.startswith("20251103-123005-") for run in runs)
    assert all((run / "records").is_dir() and (run / "logs").is_dir() for run in runs)


def test_new_run_draws_again_when_the_name_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that another run took in the same instant is not shared."""
    draws = iter(["aaaaaa", "aaaaaa", "bbbbbb"])
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(draws))
    first, second = (store.new_run(tmp_path, now=NOW) for _ in range(2))
    assert (first.name[-6:], second.name[-6:]) == ("aaaaaa", "bbbbbb")


def test_results_that_cannot_be_written(tmp_path: Path) -> None:
    """A results folder that cannot be made says what the system said and which option helps."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SuiteError, match=r"cannot write to results folder .*file.*: .*choose another with --suite-res"):
        store.new_run(tmp_path / "file" / "results", now=NOW)


@pytest.mark.parametrize(
    ("call", "code"),
    [("fsync", errno.ENOSPC), ("replace", errno.EROFS), ("fsync", errno.EIO), ("replace", errno.EACCES)],
)
def test_failed_writes_leave_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    """A full or read-only disk gives one message; the old text stands and no temporary file is left."""
    path = tmp_path / "a.json"
    store.write_text(path, "old")

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(SuiteError) as caught:
        store.write_text(path, "new" * 1000)
    assert str(path) in str(caught.value)
    assert os.strerror(code) in str(caught.value)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_written_files_are_shared_and_plain(tmp_path: Path) -> None:
    """Folders are made, files get the usual permissions, and text that UTF-8 lacks is still written."""
    path = tmp_path / "new" / "report.md"
    store.write_text(path, "é\n\ud800")
    (tmp_path / "usual").write_text("")
    assert path.read_bytes() == "é\n\\ud800".encode()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode


# ---------------------------------------------------------------- records


def test_records_round_trip(run: Path) -> None:
    """A record is found again as it was, under a name that says case and trial."""
    record = make_record(trial=3, metrics=make_metrics() | {"hostile/~": Measured(value={"/": [float("inf")]})})
    path = store.save_record(run, record)
    assert path == run / "records" / f"{NAME}--t03.json"
    assert store.load_record(path) == record


def test_pairs_never_overwrite_each_other(run: Path) -> None:
    """Both arms of a pair may carry one trial number; each keeps its own file."""
    records = [make_record(trial=1, pair=pair, order=order) for pair in (0, 1) for order in (0, 1)]
    names = [store.save_record(run, record).name for record in records]
    assert names[0] == f"{NAME}--t01--p00-0.json"
    assert store.load_run(run) == tuple(records)


def test_runs_come_sorted(run: Path) -> None:
    """Records come by case and trial, however they were written; strangers beside them are not read."""
    wanted = [make_record(case=make_case(regime=r), trial=t) for r in ("fp32", "qlora") for t in (0, 1, 2)]
    for record in reversed(wanted):
        store.save_record(run, record)
    (run / "records" / ".x.json.1234.tmp").write_text("{")
    assert store.load_run(run) == tuple(wanted)
    assert store.load_run(run / "records" / f"{NAME}--t01.json") == (wanted[1],)


def test_runs_without_records(tmp_path: Path, run: Path) -> None:
    """A run that measured nothing yet is empty; one that is not there is an error."""
    assert store.load_run(run) == ()
    with pytest.raises(SuiteError, match="no such run"):
        store.load_run(tmp_path / "gone")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.5, 0.8, 0.999])
def test_truncated_records(run: Path, share: float) -> None:
    """A record that a crash cut short is told with its size and how to go on."""
    path = store.save_record(run, make_record())
    text = path.read_text()[: int(share * path.stat().st_size)]
    path.write_text(text)
    with pytest.raises(SuiteError) as caught:
        store.load_record(path)
    for words in (
        str(path),
        f"position {min(len(text), len(text))}"[:8],
        f"of {len(text)}",
        "measure that trial again",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{,}", "is not valid JSON"),
        (b'{"a": NaN}', "is not valid JSON"),
        (b"\xff\xfe{}", "is not text (byte 0 of 4)"),
        (b"[]", "states no schema"),
        (b"null", "states no schema"),
        (b'{"schema": "1"}', "states no schema"),
        (b'{"schema": true}', "states no schema"),
        (b'{"schema": 2, "new": 1}', "newer benchsuite (schema 2, this one reads 1): upgrade benchsuite"),
        (b'{"schema": 1}', "field 'suite' is missing"),
        (b'{"schema": 1, "colour": 1}', "unknown field 'colour'"),
        (b'{"schema": 1, "nonfinite": {"/a": "nan"}}', "where no null stands"),
    ],
)
def test_damaged_records(tmp_path: Path, content: bytes, words: str) -> None:
    """Each kind of damage gets its own message, and each names the file."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(SuiteError) as caught:
        store.load_record(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_missing_record(tmp_path: Path) -> None:
    """A file that is not there is told as the system tells it."""
    with pytest.raises(SuiteError, match=r"cannot read .*gone.json: No such file"):
        store.load_record(tmp_path / "gone.json")


# ---------------------------------------------------------------- finding runs


def test_latest_follows(tmp_path: Path) -> None:
    """results/latest stands for the run marked last, and moves with the results folder."""
    results = tmp_path / "results"
    runs = [store.new_run(results, now=NOW) for _ in range(2)]
    for run in runs:
        assert store.mark_latest(results, run)
        assert store.resolve_run("latest", results) == run
    moved = results.rename(tmp_path / "moved")
    assert store.resolve_run("latest", moved) == moved / runs[1].name
    assert sorted(p.name for p in moved.iterdir()) == sorted([runs[0].name, runs[1].name, "latest"])


def test_latest_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no links, latest is a copy of the small files that still leads to the whole run."""
    monkeypatch.setattr(Path, "symlink_to", _no_links)
    results = tmp_path / "results"
    runs = [store.new_run(results, now=NOW) for _ in range(2)]
    for run in runs:
        store.save_record(run, make_record())
        (run / "report.md").write_text(run.name)
        (run / "large.json").write_bytes(b" " * (latest.SMALL + 1))
        assert store.mark_latest(results, run)
        assert (results / "latest" / "report.md").read_text() == run.name
        assert store.resolve_run("latest", results) == run
    assert not (results / "latest" / "large.json").exists()
    assert not list(results.glob(".*"))


def test_latest_never_takes_a_folder_of_the_users(tmp_path: Path) -> None:
    """A folder called latest that we did not make is left alone, and the run goes on."""
    results = tmp_path / "results"
    run = store.new_run(results, now=NOW)
    (results / "latest").mkdir()
    (results / "latest" / "mine.txt").write_text("keep")
    assert not store.mark_latest(results, run)
    assert (results / "latest" / "mine.txt").read_text() == "keep"


def _no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_resolve_run_takes_what_people_type(run: Path) -> None:
    """A folder, a name and a record's file are all understood."""
    results = run.parent
    record = store.save_record(run, make_record())
    assert store.resolve_run(str(run), results) == run
    assert store.resolve_run(run.name, results) == run
    assert store.resolve_run(str(record), results) == record


@pytest.mark.parametrize("text", ["", "latest", "x" * 5000, "nul\0", "20251103-123005"])
def test_resolve_run_helps(run: Path, text: str) -> None:
    """What is no run is answered with the runs there are."""
    with pytest.raises(UsageError) as caught:
        store.resolve_run(text, run.parent)
    assert run.name in str(caught.value)


def test_resolve_run_without_any(tmp_path: Path) -> None:
    """Before the first run the message says to measure first; a file that is no record is told apart."""
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UsageError, match="measure first"):
        store.resolve_run("latest", tmp_path)
    with pytest.raises(UsageError, match="measure first"):
        store.resolve_run(str(tmp_path), tmp_path)
    with pytest.raises(UsageError, match="is no record"):
        store.resolve_run(str(tmp_path / "notes.txt"), tmp_path)


# ---------------------------------------------------------------- baselines


def test_baselines_round_trip(saved: Path) -> None:
    """A baseline comes back as it was, found by its machine and slug."""
    assert store.load_baseline(saved) == make_baseline()
    assert store.load_baselines(saved.parent.parent, MACHINE) == {NAME: make_baseline()}
    assert store.load_baselines(saved.parent.parent, "another") == {}


def test_baselines_hold_nan(tmp_path: Path) -> None:
    """A baseline with NaN among what trials share is sealed, read and equal under its text."""
    parts = {"optimizer.lr": [float("nan")] * 20, "odd": {"$same": 0}}
    baseline = make_baseline(trials=tuple(make_record(trial=k, fingerprint=parts) for k in range(3)))
    path = tmp_path / "b.json"
    store.save_baseline(path, baseline)
    assert str(store.load_baseline(path)) == str(baseline)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["trials"][0]["metrics"]["time.train"].update(value=99.0),
        lambda data: data.pop("seal"),
        lambda data: data.update(seal="0" * 64),
        lambda data: data["trials"].pop(),
        lambda data: data.update(extra=1),
        lambda data: data["history"][0].update(reason="another"),
        lambda data: data["trials"][0].update(trial=0.0),
    ],
)
def test_hand_edited_baselines(saved: Path, change: Callable[[dict[str, JSON]], object]) -> None:
    """Any change by hand, however small, is refused with both ways out."""
    edit(saved, change)
    with pytest.raises(SuiteError) as caught:
        store.load_baseline(saved)
    for words in (str(saved), "was edited by hand", "seal does not fit", "estore it from git", "benchsuite promote"):
        assert words in str(caught.value)


def test_reformatting_keeps_the_seal(saved: Path) -> None:
    """Another layout of the same content, as a formatter makes it, is still accepted."""
    edit(saved, dict)
    assert store.load_baseline(saved) == make_baseline()


def test_truncated_and_newer_baselines(saved: Path) -> None:
    """Cut short and newer are told apart from edited."""
    text = saved.read_text()
    saved.write_text(text[:-40])
    with pytest.raises(SuiteError, match=r"(?s)is cut short|not valid JSON"):
        store.load_baseline(saved)
    saved.write_text(text.replace('"schema": 1', '"schema": 7', 1))
    with pytest.raises(SuiteError, match=r"newer benchsuite \(schema 7, this one reads 1\)"):
        store.load_baseline(saved)


def test_sealed_nonsense(tmp_path: Path) -> None:
    """A sealed file that is no baseline is an error with the file's name, not a crash."""
    path = tmp_path / "b.json"
    for data in ({"schema": 1}, {"schema": 1, "trials": 3}, {"schema": 1, "trials": [{"case": 4}]}):
        path.write_text(json.dumps(data | {"seal": seals._seal(data)}))
        with pytest.raises(SuiteError, match=r"b\.json is not a baseline"):
            store.load_baseline(path)


def test_renamed_baselines(saved: Path) -> None:
    """A baseline under another case's name would judge the wrong case, and is refused."""
    saved.rename(saved.with_name("other.json"))
    with pytest.raises(SuiteError, match=f"holds the case {NAME}"):
        store.load_baselines(saved.parent.parent, MACHINE)


@pytest.mark.parametrize("machine", ["", "..", "a/b", "../x", ".hidden", "a\\b", "published", "x" * 200, "a\n"])
def test_machines_cannot_choose_paths(tmp_path: Path, machine: str) -> None:
    """A record's machine is other people's text: it cannot lead out of the folder or into published figures."""
    with pytest.raises(SuiteError, match="cannot name a machine's baselines"):
        store.baseline_path(tmp_path, machine, NAME)


# ---------------------------------------------------------------- locks


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("torch==2.13.0+cpu", "torch==2.13.0"),
        ("  peft==0.21.2\n", "peft==0.21.2"),
        ("a.b-c_d==1!2.0rc1.post2.dev3", "a.b-c_d==1!2.0rc1.post2.dev3"),
        ("benchsuite==0.1.0", None),
        ("BenchSuite==0.1.0", None),
        ("-e git+https://example.org/x.git#egg=x", None),
        ("x @ file:///somewhere/x.whl", None),
        ("x==1.0 @ https://example.org", None),
        ("# comment", None),
        ("", None),
        ("x>=1", None),
    ],
)
def test_public_freeze(line: str, kept: str | None) -> None:
    """Only public versions remain: no labels, editables, URLs, nor the suite itself."""
    assert public_freeze([line]) == ((kept,) if kept else ())


def test_lock_file(tmp_path: Path) -> None:
    """The lock is sorted without regard to case, says what it is, and fits any build of torch."""
    lines = ["torch==2.8.0+cu126", "nvidia-cublas-cu12==12.6.4.1", "triton==3.4.0", "nvidia-ml-py==13.0", "Jinja2==3.1"]
    path = store.write_lock(tmp_path, MACHINE, [*lines, "accelerate==1.14.0", "cuda-bindings==13.0.1"])
    head, *rest = path.read_text().splitlines()
    assert path == tmp_path / MACHINE / "constraints.txt"
    assert head.startswith("# Constraints")
    assert MACHINE in head
    assert [line for line in rest if not line.startswith("#")] == [
        "accelerate==1.14.0",
        "Jinja2==3.1",
        "nvidia-ml-py==13.0",
        "torch==2.8.0",
    ]


def test_reading_needs_no_torch() -> None:
    """Records and baselines are read and promoted without torch or pytest."""
    code = "import sys, benchsuite.promote; print(sorted({'torch', 'pytest', 'transformers'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_history_is_kept_whole(saved: Path) -> None:
    """Saving over a baseline replaces it whole and seals it anew."""
    old = store.load_baseline(saved)
    store.save_baseline(saved, replace(old, history=(*old.history, old.history[0])))
    assert store.load_baseline(saved).history == (old.history[0], old.history[0])
