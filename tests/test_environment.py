"""What the suite sees of a machine: GPUs by NVML, the one to use, and a torch that cannot use it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes import NvmlError, NvmlNotSupportedError, nvml

from benchsuite import environment
from benchsuite.environment import Gpu
from benchsuite.nouns import SuiteError

GIB = 2**30


def gpu(index: int = 0, **fields: Any) -> Gpu:
    """A GPU with any field replaced."""
    known: dict[str, Any] = {
        "index": index, "uuid": f"GPU-{index}", "name": "NVIDIA H200", "memory": 140 * GIB, "free": 140 * GIB,
        "processes": 0, "capability": (9, 0), "driver": "580.95.05",
    }  # fmt: skip
    return Gpu(**known | fields)


def shown(monkeypatch: pytest.MonkeyPatch, gpus: list[dict[str, Any]], **calls: Any) -> tuple[Gpu, ...]:
    """What `environment.gpus` makes of a driver that shows these."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml(gpus, **calls))
    return environment.gpus()


def raising(value: int, text: str) -> Any:
    """A driver's function that fails."""

    def fail(*_: Any) -> None:
        raise (NvmlNotSupportedError if value == 3 else NvmlError)(value, text)

    return fail


# ---------------------------------------------------------------- NVML


def test_gpus_are_read_as_nvml_shows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts may come as bytes, as older bindings give them."""
    found = shown(
        monkeypatch,
        [
            {
                "uuid": b"GPU-a",
                "name": b"Tesla T4",
                "memory": 15 * GIB,
                "free": GIB,
                "processes": 2,
                "capability": (7, 5),
            },
            {"uuid": "GPU-b", "name": "NVIDIA H200", "memory": 140 * GIB},
        ],
    )
    assert [(g.index, g.uuid, g.name, g.processes, g.capability) for g in found] == [
        (0, "GPU-a", "Tesla T4", 2, (7, 5)), (1, "GPU-b", "NVIDIA H200", 0, (9, 0)),
    ]  # fmt: skip
    assert found[0].free == GIB
    assert found[0].driver == "580.95.05"


def test_a_driver_that_hides_processes_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Virtual GPUs do not tell: free memory decides then."""
    found = shown(
        monkeypatch,
        [{"uuid": "GPU-a", "name": "GRID", "memory": GIB}],
        DeviceGetComputeRunningProcesses=raising(3, "Not Supported"),
    )
    assert found[0].processes == 0


@pytest.mark.parametrize("value", [12, 9], ids=["no library", "no driver"])
def test_a_machine_without_a_driver_has_no_gpu(monkeypatch: pytest.MonkeyPatch, value: int) -> None:
    """That is no error."""
    assert shown(monkeypatch, [], Init=raising(value, "Not Found")) == ()


def test_a_broken_driver_is_no_missing_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says what NVML said and what to do."""
    with pytest.raises(
        SuiteError, match=r"driver does not answer: Driver/library version mismatch.*nvidia-smi.*reboot"
    ):
        shown(monkeypatch, [], Init=raising(18, "Driver/library version mismatch"))


def test_a_driver_that_dies_while_asked_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that fell off the bus ends in a sentence too."""
    with pytest.raises(SuiteError, match=r"stopped answering: GPU is lost"):
        shown(monkeypatch, [{}], DeviceGetHandleByIndex=raising(15, "GPU is lost"))


# ---------------------------------------------------------------- choosing

BUSY = gpu(0, processes=1, free=139 * GIB)
HALF = gpu(1, free=60 * GIB)
FREE = gpu(2, free=139 * GIB)


@pytest.mark.parametrize(
    ("found", "index"),
    [
        ((BUSY, HALF, FREE), 2),
        ((FREE, HALF), 2),
        ((BUSY, HALF), 1),
        ((gpu(0), gpu(1)), 0),
        ((gpu(0, processes=2), gpu(1, processes=1, free=GIB)), 1),
    ],
)
def test_the_emptiest_gpu_is_chosen(found: tuple[Gpu, ...], index: int) -> None:
    """Fewest processes, then most free memory, then the first."""
    assert environment.choose(found, "").index == index


@pytest.mark.parametrize("wanted", ["0", "GPU-0", "cuda:0"])
def test_a_gpu_is_chosen_by_index_or_uuid_though_busy(wanted: str) -> None:
    """Who names one gets it."""
    assert environment.choose((FREE, BUSY), wanted) is BUSY


@pytest.mark.parametrize("wanted", ["7", "GPU-9", "cpu"])
def test_an_unknown_gpu_is_refused_with_those_there_are(wanted: str) -> None:
    """Index, name and UUID of each."""
    with pytest.raises(SuiteError) as error:
        environment.choose((BUSY, FREE), wanted)
    assert str(error.value) == (
        f"no GPU {wanted!r} here (--suite-device). "
        "NVML sees: 0 (NVIDIA H200, GPU-0), 2 (NVIDIA H200, GPU-2)."
    )  # fmt: skip


def test_no_gpu_at_all_is_said() -> None:
    """An empty list is none."""
    with pytest.raises(SuiteError, match=r"NVML sees: none\."):
        environment.choose((), "0")


@pytest.mark.parametrize(
    ("name", "memory", "slug"),
    [
        ("Tesla T4", 15_843_721_216, "tesla-t4-15gb"),
        ("NVIDIA H200", 150_754_820_096, "nvidia-h200-140gb"),
        ("NVIDIA H100 80GB HBM3", 85_520_809_984, "nvidia-h100-80gb-hbm3-80gb"),
        ("../../etc", GIB, "etc-1gb"),
    ],
)
def test_a_machine_is_named_by_gpu_and_memory(name: str, memory: int, slug: str) -> None:
    """A folder name, whatever the driver calls the GPU."""
    assert environment.machine_slug(gpu(name=name, memory=memory)) == slug


@pytest.mark.parametrize(("arch", "slug"), [("x86_64", "cpu-x86_64"), ("AMD64", "cpu-amd64"), ("", "cpu-unknown")])
def test_a_machine_without_a_gpu_is_named_by_its_cpu(monkeypatch: pytest.MonkeyPatch, arch: str, slug: str) -> None:
    """Architecture alone: models of a CPU share a folder."""
    monkeypatch.setattr("platform.machine", lambda: arch)
    assert environment.machine_slug(None) == slug


# ---------------------------------------------------------------- torch

FAKE_TORCH = """
__version__ = "{version}"
class version: cuda = {cuda}
def zeros(*_, device):
    {body}
"""


@pytest.fixture
def fake_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`fake_torch(source)`: what an interpreter finds as torch."""

    def put(source: str) -> None:
        (tmp_path / "torch.py").write_text(source)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return put


def test_a_torch_that_the_driver_cannot_serve_is_told_in_one_sentence(fake_torch: Any) -> None:
    """GPU, driver, version, build, what torch said, and the command to check with."""
    body = "raise RuntimeError('The NVIDIA driver on your system is too old\\nmore lines')"
    fake_torch(FAKE_TORCH.format(version="2.13.0+cu130", cuda="'13.0'", body=body))
    with pytest.raises(SuiteError) as error:
        environment.check_torch(gpu(name="Tesla T4", driver="470.82"))
    said = str(error.value)
    assert said.startswith(
        "the driver shows Tesla T4 (driver 470.82), but torch 2.13.0+cu130 (built for CUDA 13.0) cannot use it: "
        "The NVIDIA driver on your system is too old."
    )
    assert "more lines" not in said
    assert said.endswith('check with: python -c "import torch; torch.zeros(1, device=0)"')


def test_a_cpu_build_is_called_so(fake_torch: Any) -> None:
    """No CUDA version to name."""
    fake_torch(FAKE_TORCH.format(version="2.13.0+cpu", cuda=None, body="raise AssertionError('no CUDA')"))
    with pytest.raises(SuiteError, match=r"torch 2\.13\.0\+cpu \(a CPU build\) cannot use it: no CUDA"):
        environment.check_torch(gpu())


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("raise ImportError('libcudart.so.13: no such file')", "torch does not import: ImportError: libcudart"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "torch does not import: its process was killed by signal 11",
        ),
        ("print('hello'); import sys; sys.exit(0)", "torch does not import: its process said nothing"),
        (
            FAKE_TORCH.format(version="2.13.0+cu130", cuda="'13.0'", body="raise RuntimeError('')"),
            "cannot use it: RuntimeError",
        ),
    ],
    ids=["import error", "killed", "leaves early", "error without a message"],
)
def test_a_torch_that_does_not_import_is_told_of(fake_torch: Any, source: str, seen: str) -> None:
    """However it dies, the message is one sentence."""
    fake_torch(source)
    with pytest.raises(SuiteError) as error:
        environment.check_torch(gpu())
    assert seen in str(error.value)


def test_a_torch_that_works_passes_and_sees_one_gpu_only(fake_torch: Any, tmp_path: Path) -> None:
    """The probe runs with the chosen GPU alone visible."""
    seen = tmp_path / "seen"
    body = f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(os.environ['CUDA_VISIBLE_DEVICES'])"
    fake_torch("print('a greeting')\n" + FAKE_TORCH.format(version="2.13.0+cu130", cuda="'13.0'", body=body))
    environment.check_torch(gpu(3))
    assert seen.read_text() == "GPU-3"


# ---------------------------------------------------------------- versions


def test_packages_are_named_alike_whatever_their_metadata_says() -> None:
    """Lower case and dashes, sorted; the guarded ones among them."""
    found = environment.packages()
    assert list(found) == sorted(found)
    assert all(name == name.lower() and "_" not in name for name in found)
    assert environment.guarded(found).keys() == set(environment.GUARDED)


def test_the_bare_environment_claims_no_hardware() -> None:
    """A trial that died before it could look around knows its machine's name and the packages."""
    found = environment.bare("somewhere")
    assert (found.machine, dict(found.hardware)) == ("somewhere", {})
    assert "torch" in found.packages


def test_the_cpu_has_a_name() -> None:
    """Never empty: metrics depend on it."""
    assert environment.cpu_model()
    assert os.cpu_count()
