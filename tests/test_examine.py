"""How a machine is read: each edge on what it really meets, faked where this machine lacks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psutil
import pytest
from fakes import NVML, NvmlError, nvml

from benchsuite import cards, environment, examine, inputs, libraries, places, registry
from benchsuite.checks import bitsandbytes as product_check
from benchsuite.condition import Place
from benchsuite.diagnosis import Level, diagnose
from benchsuite.nouns import Entry, Options, SuiteError, Weights

ROOT = Path(__file__).parent.parent
GB = 10**9
TESLA = {"uuid": "GPU-a", "name": "Tesla T4", "memory": 16 * GB, "free": 9 * GB, "capability": (7, 5)}


# ---------------------------------------------------------------- GPUs


def process(pid: int, memory: int | None = GB) -> SimpleNamespace:
    """A process as NVML lists it."""
    return SimpleNamespace(pid=pid, usedGpuMemory=memory)


def test_a_card_is_read_as_nvml_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modes, masks, limits; who is there, without ourselves, and whether it started us."""
    parent, nobody = os.getppid(), 2**22 + 7
    monkeypatch.setitem(sys.modules, "pynvml", nvml(
        [TESLA],
        SystemGetCudaDriverVersion_v2=lambda: 12040,
        DeviceGetPersistenceMode=lambda _: 0,
        DeviceGetCurrentClocksThrottleReasons=lambda _: 0x40,
        DeviceGetApplicationsClock=lambda *_: 300,
        DeviceGetDefaultApplicationsClock=lambda *_: 585,
        DeviceGetEnforcedPowerLimit=lambda _: 60_000,
        DeviceGetPowerManagementDefaultLimit=lambda _: 70_000,
        DeviceGetComputeRunningProcesses=lambda _: [process(os.getpid()), process(parent), process(nobody, None)],
    ))  # fmt: skip
    (card,), serves = cards.look(environment.gpus())
    assert serves == (12, 4)
    assert (card.persistence, card.throttle, card.clocks, card.power) == (False, 0x40, (300, 585), (60_000, 70_000))
    assert [(t.pid, t.name == psutil.Process(parent).name(), t.memory, t.ours, t.ancestor) for t in card.tenants] == [
        (parent, True, GB, True, True), (nobody, False, None, False, False),
    ]  # fmt: skip


def test_what_nvml_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual GPUs refuse, older bindings lack the function: neither is an error."""

    def refuse(*_: Any) -> None:
        raise NvmlError(3, "Not Supported")

    monkeypatch.setitem(sys.modules, "pynvml", nvml([TESLA], DeviceGetPersistenceMode=refuse))
    (card,), serves = cards.look(environment.gpus())
    assert serves is None
    assert (card.persistence, card.throttle, card.clocks, card.power) == (None, 0, None, None)


def test_a_card_is_looked_at_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA_VISIBLE_DEVICES counts otherwise than the driver: who is on the first GPU is not on the second."""
    gpus = [TESLA | {"on": [process(2**22 + 7)]}, TESLA | {"uuid": "GPU-b", "on": []}]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.setitem(sys.modules, "pynvml", nvml(gpus, DeviceGetComputeRunningProcesses=lambda gpu: gpu["on"]))
    probe = examine.look(Options(), deep=False)
    assert [(card.index, card.uuid, card.tenants) for card in probe.cards] == [(0, "GPU-b", ())]
    assert {d.level for d in diagnose(probe, registry.checks()) if d.check in ("visible", "neighbours")} == {Level.OK}


def test_gpus_that_the_variable_hides_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is there and answers: only the variable is told of."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setitem(sys.modules, "pynvml", nvml([TESLA]))
    probe = examine.look(Options(), deep=False)
    assert (probe.cards, probe.hidden) == ((), 1)
    found = {d.check: d.level for d in diagnose(probe, registry.checks())}
    assert (found["driver"], found["visible"]) == (Level.OK, Level.WARNING)


def test_no_gpu_is_no_card() -> None:
    """NVML is not even asked."""
    assert cards.look(()) == ((), None)


def test_a_broken_driver_is_kept_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """The advice beside it is the check's business."""

    def broken() -> None:
        raise NvmlError(18, "Driver/library version mismatch")

    monkeypatch.setitem(sys.modules, "pynvml", nvml([], Init=broken))
    probe = examine.look(Options(), deep=False)
    assert (probe.driver_problem, probe.cards, probe.chosen) == ("Driver/library version mismatch", (), None)


def test_without_nvml_s_binding_the_doctor_still_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one to say that it is missing."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    probe = examine.look(Options(), deep=False)
    assert probe.cards == ()
    assert probe.binding.startswith("ModuleNotFoundError")


def test_the_emptiest_gpu_is_examined_or_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a run would choose; a name that is not there is refused."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml([TESLA, TESLA | {"uuid": "GPU-b", "free": 15 * GB}]))
    chosen = [examine.look(Options(device=device), deep=False).chosen for device in ("", "0")]
    assert [card.uuid if card else "" for card in chosen] == ["GPU-b", "GPU-a"]
    with pytest.raises(SuiteError, match="no GPU '7' here"):
        examine.look(Options(device="7"), deep=False)


# ---------------------------------------------------------------- this Python, regimes, packages


@pytest.mark.parametrize(("regime", "needs"), [("fp32", set()), ("lora", set()), ("amp", set()), ("qlora", {"nf4"})])
def test_what_a_regime_needs_is_read_from_its_transforms(regime: str, needs: set[str]) -> None:
    """`amp` chooses its own half precision, and needs nothing."""
    assert examine.needs(registry.regimes()[regime]) == needs


def site(folder: Path, *names: str) -> str:
    """A folder like site-packages that holds these dist-infos."""
    for name in names:
        info = folder / f"{name}.dist-info"
        info.mkdir(parents=True)
        title, _, version = name.rpartition("-")
        if version != "0":
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {title}\nVersion: {version}\n")
    return str(folder)


def test_leftovers_of_installations_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of one name, with their folders; halves without a name; one folder under two names counts once."""
    one = site(tmp_path / "a" / "site-packages", "Pe_ft-0.17.0", "Pe_ft-0.21.2", "gone-0")
    two = site(tmp_path / "b", "Pe_ft-0.17.0")
    (tmp_path / "a" / "site-packages" / "~eft").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "b")
    monkeypatch.setitem(sys.modules, "pynvml", nvml([]))
    monkeypatch.setattr(sys, "path", [one, two, str(tmp_path / "link")])
    found = examine.look(Options(), deep=False).distributions
    assert sorted((d.name, d.version, Path(d.folder).name, Path(d.metadata).name) for d in found) == [
        ("", "", "site-packages", "gone-0.dist-info"),
        ("", "", "site-packages", "~eft"),
        ("pe-ft", "0.17.0", "b", "Pe_ft-0.17.0.dist-info"),
        ("pe-ft", "0.17.0", "site-packages", "Pe_ft-0.17.0.dist-info"),
        ("pe-ft", "0.21.2", "site-packages", "Pe_ft-0.21.2.dist-info"),
    ]


def test_the_lock_is_the_machines_own_or_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either there is none; a name that leads nowhere is told of."""
    monkeypatch.delenv("BENCHSUITE_LOCK", raising=False)
    options = Options(baselines=str(tmp_path), machine="m")
    assert examine.look(options, deep=False).lock is None
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "constraints.txt").write_text("# a lock\nHuggingface_Hub==2.4.0\ntorch==2.13.0 ; x\nfree\n")
    own = examine.look(options, deep=False).lock
    assert own is not None
    assert (own.asked, own.problem, dict(own.pins)) == (False, "", {"huggingface-hub": "2.4.0", "torch": "2.13.0"})
    monkeypatch.setenv("BENCHSUITE_LOCK", str(tmp_path / "none.txt"))
    named = examine.look(options, deep=False).lock
    assert named is not None
    assert (named.asked, named.problem) == (True, "No such file or directory")


@pytest.mark.parametrize(("first", "call"), [(True, "python"), (False, sys.executable)])
def test_this_python_is_called_as_the_user_calls_it(
    first: bool, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its short name only where that means this very one."""
    folder = Path(sys.executable).parent if first else tmp_path
    monkeypatch.setattr(examine.shutil, "which", lambda name: str(folder / name))
    assert examine.look(Options(), deep=False).call == call


# ---------------------------------------------------------------- libraries


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`fake(peft="source")`: what a fresh interpreter finds under these names."""

    def put(**sources: str) -> None:
        for name, source in sources.items():
            (tmp_path / f"{name}.py").write_text(source)
        # The suite's own folder comes first for its child processes anyway.
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put


def test_each_library_is_imported_whatever_the_others_do(fake: Any) -> None:
    """One that raises, one that exits, one that kills the process, one that greets, one that states no version."""
    fake(
        torch="raise OSError('libcudart.so.13: cannot open\\nmore')",
        peft="import sys; sys.exit('no')",
        bitsandbytes="import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        transformers="print('hello'); __version__ = '5.0'",
        datasets="",
    )
    names = ["torch", "peft", "bitsandbytes", "transformers", "datasets", "nowhere"]
    answers = examine.ask([f"import:{name}" for name in names])
    assert [answers[f"import:{name}"] for name in names] == [
        {"problem": "OSError: libcudart.so.13: cannot open"},
        {"problem": "SystemExit: no"},
        {"problem": "its process was killed by signal 11"},
        {"answer": "5.0"},
        {"answer": None},
        {"problem": "ModuleNotFoundError: No module named 'nowhere'"},
    ]


def test_a_library_that_hangs_is_given_up(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what stood behind it is not begun."""
    fake(torch="import time; time.sleep(60)", peft="")
    monkeypatch.setattr(examine, "TIMEOUT", 2.0)
    answers = examine.ask(["import:torch", "import:peft"])
    assert {problem["problem"] for problem in answers.values()} == {"no answer in 2 s"}


def test_an_interpreter_that_does_not_start_is_told_of(tmp_path: Path) -> None:
    """Each step gets its answer all the same."""
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'cannot start' >&2\nexit 3\n")
    script.chmod(0o755)
    assert examine.ask(["import:peft", "native"], executable=str(script)) == {
        "import:peft": {"problem": "cannot start"}, "native": {"problem": "cannot start"},
    }  # fmt: skip


@pytest.fixture
def bits(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bitsandbytes whose quantisation loses nothing, and whose product may be replaced."""
    module: Any = ModuleType("bitsandbytes")
    module.functional = SimpleNamespace(quantize_4bit=lambda weights, **_: (weights, None))
    module.matmul_4bit = lambda inputs, weights, **_: inputs @ weights
    module.cextension = SimpleNamespace(lib=None)
    for name in ("bitsandbytes", "bitsandbytes.functional", "bitsandbytes.cextension"):
        child = name.partition(".")[2]
        monkeypatch.setitem(sys.modules, name, getattr(module, child) if child else module)
    return module


def test_a_right_product_is_within_the_tolerance(bits: Any) -> None:
    """So is one in half precision."""
    assert libraries.product("cpu") == 0.0
    exact = bits.matmul_4bit
    bits.matmul_4bit = lambda inputs, weights, **_: exact(inputs.half(), weights.half())
    assert 0.0 < libraries.product("cpu") < product_check.TOLERANCE / 3


@pytest.mark.parametrize(
    "wrong",
    [
        lambda inputs, weights, **_: inputs @ weights.t(),
        lambda inputs, weights, **_: 0 * (inputs @ weights),
        lambda inputs, weights, **_: (inputs @ weights).roll(1, 0),
        lambda inputs, weights, **_: 1.05 * (inputs @ weights),
        lambda inputs, weights, **_: (inputs @ weights) / 0.0,
    ],
    ids=["transposed", "zeros", "rows moved", "5 % too large", "infinite"],
)
def test_a_wrong_product_is_seen(bits: Any, wrong: Any) -> None:
    """Whatever way it is wrong."""
    bits.matmul_4bit = wrong
    assert not libraries.product("cpu") <= product_check.TOLERANCE


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (None, "bitsandbytes holds none"),
        (SimpleNamespace(error_msg="\nno libbitsandbytes_cuda130.so\nlong advice"), "no libbitsandbytes_cuda130.so"),
        (SimpleNamespace(compiled_with_cuda=False), ""),
    ],
)
def test_a_native_library_that_did_not_load_is_found_out(bits: Any, found: Any, problem: str) -> None:
    """It imports all the same, and fails at the first use; on a CPU the library for CPUs is right."""
    bits.cextension.lib = found
    assert libraries.native() == problem


# ---------------------------------------------------------------- places


def test_results_need_not_exist_to_be_writable(tmp_path: Path) -> None:
    """The nearest folder above is tried, and nothing is left behind."""
    results, files = places.places(Options(results=str(tmp_path / "a" / "results")), gpu=False)
    assert (results.role, results.path, results.problem) == ("results", str(tmp_path / "a" / "results"), "")
    assert results.free > 0
    assert files.role == "temporary files"
    assert list(tmp_path.iterdir()) == []


def test_results_that_are_a_file_cannot_be_written(tmp_path: Path) -> None:
    """They are told of by their path."""
    (tmp_path / "results").write_text("")
    results, *_ = places.places(Options(results=str(tmp_path / "results")), gpu=False)
    assert (results.path, results.problem) == (str(tmp_path / "results"), "it is a file")


def test_a_folder_that_refuses_a_file_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tried, since permissions alone do not tell of a read-only disk."""

    def refuse(**_: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(places.tempfile, "TemporaryFile", refuse)
    results, *_ = places.places(Options(results=str(tmp_path)), gpu=True)
    assert results.problem == "Read-only file system"


def test_a_gpu_run_needs_more_room_and_our_cache_only_for_drawn_weights() -> None:
    """A home that cannot be written is no matter where nothing is kept in it."""
    cpu, gpu = (places.places(Options(), gpu=gpu) for gpu in (False, True))
    assert [place.role for place in gpu] == ["results", "temporary files"]
    assert gpu[1].need > cpu[1].need
    drawn = (Options(weights=Weights.RANDOM), Options(entries=(Entry(weights=Weights.RANDOM),)))
    for options in drawn:
        assert [place.role for place in places.places(options, gpu=True)] == ["results", "temporary files", "the cache"]


def test_another_disk_is_offered_only_if_it_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The roomiest that this user may write to."""
    free = {"/a": 4 * GB, "/b": 9 * GB}
    monkeypatch.setattr(places, "_candidates", lambda: iter(free))
    monkeypatch.setattr(places, "_free", free.__getitem__)
    small = Place(role="results", path="r", free=0, need=GB, problem="", cure="{0}")
    large = Place(role="results", path="r", free=0, need=4 * GB, problem="", cure="{0}")
    assert places.roomy([small]) == "/b/benchsuite"
    assert places.roomy([small, large]) == ""


# ---------------------------------------------------------------- inputs


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty cache in `tmp_path`, and a hub that gives what `hub.answer` says; what was asked is in `hub.asked`."""
    state = SimpleNamespace(asked=[], answer=None, cache=tmp_path / "hub")

    def urlopen(request: urllib.request.Request, timeout: float) -> Any:
        state.asked.append(request.full_url.split("/", 3)[3])
        if state.answer:
            raise state.answer
        return open(os.devnull, "rb")

    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_CACHE", "HF_DATASETS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return state


def test_a_machine_without_a_gpu_needs_no_input(hub: Any) -> None:
    """The hub is not asked."""
    assert inputs.wanted(Options(), gpu=False) == ()
    assert hub.asked == []


def test_a_gpu_run_asks_the_hub_for_what_the_cache_lacks(hub: Any) -> None:
    """One small file of each; why it cannot be had is kept."""
    assert [wanted.problem for wanted in inputs.wanted(Options(), gpu=True)] == ["", ""]
    assert hub.asked == ["datasets/nyu-mll/glue/resolve/main/README.md", "bert-base-uncased/resolve/main/config.json"]
    hub.answer = urllib.error.URLError(OSError(-3, "Temporary failure in name resolution"))
    found = inputs.wanted(Options(), gpu=True)
    assert {wanted.problem for wanted in found} == {"[Errno -3] Temporary failure in name resolution"}


def test_what_the_cache_holds_is_not_asked_for(hub: Any) -> None:
    """Offline or not."""
    data = hub.cache / "datasets--nyu-mll--glue" / "snapshots" / "x" / "sst2" / "train.parquet"
    model = hub.cache / "models--bert-base-uncased" / "snapshots" / "x" / "config.json"
    for file in (data, model):
        file.parent.mkdir(parents=True)
        file.write_text("")
    found = inputs.wanted(Options(), gpu=True)
    assert [(wanted.kept, wanted.problem) for wanted in found] == [(True, ""), (True, "")]
    assert hub.asked == []


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("HF_HUB_OFFLINE", [True, True]),
        ("TRANSFORMERS_OFFLINE", [False, True]),
        ("HF_DATASETS_OFFLINE", [True, False]),
    ],
)
def test_offline_variables_are_honoured(
    hub: Any, monkeypatch: pytest.MonkeyPatch, variable: str, told: list[bool]
) -> None:
    """Each forbids what is its own: data, model or both."""
    monkeypatch.setenv(variable, "1")
    found = inputs.wanted(Options(), gpu=True)
    assert [wanted.offline == variable for wanted in found] == told
    assert [bool(wanted.problem) for wanted in found] == told


def test_folders_of_the_users_are_opened(hub: Any, tmp_path: Path) -> None:
    """By the very checks that a run makes, with or without a GPU."""
    data, model = inputs.wanted(Options(data=str(tmp_path / "none"), model=str(tmp_path)), gpu=False)
    assert data.given
    assert "does not exist" in data.problem
    assert model.given
    assert "config.json cannot be read" in model.problem
    assert hub.asked == []


def test_a_shape_alone_needs_no_weights(hub: Any, tmp_path: Path) -> None:
    """Its folder is fit for random weights, and for no others."""
    for name in ("config.json", "vocab.txt", "tokenizer_config.json"):
        (tmp_path / name).write_text("{}")
    for weights, problem in ((Weights.RANDOM, False), (Weights.PRETRAINED, True)):
        (model,) = inputs.wanted(Options(model=str(tmp_path), weights=weights), gpu=False)
        assert bool(model.problem) is problem, weights


# ---------------------------------------------------------------- this very machine

REAL = """
import sys
sys.argv = ["benchsuite", "doctor", "--json", "-"]
from benchsuite.cli import main
try:
    main()
finally:
    assert "torch" not in sys.modules
"""


@pytest.mark.slow
def test_this_machine_is_fit(tmp_path: Path) -> None:
    """The real thing ends with 0, with an answer of every kind; the parent stays free of torch, nothing is written."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", REAL], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert {"bitsandbytes", "disk", "driver", "inputs", "leftovers", "libraries", "lock", "python", "torch"} <= set(
        found
    )
    assert "an nf4 product is right on the CPU" in found["bitsandbytes"]["seen"]
    assert list(tmp_path.iterdir()) == []


def test_the_faked_driver_of_a_process_is_enough(tmp_path: Path) -> None:
    """The bare module that other tests put on a path lacks most functions: no traceback comes of it."""
    (tmp_path / "pynvml.py").write_text(NVML)
    code = "from benchsuite import examine; from benchsuite.nouns import Options; "
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-c", code + "print(examine.look(Options(), deep=False).chosen.name)"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "Tesla T4\n"
