"""Reads a machine into a `Probe`: the edge of the doctor. Nothing is changed, and no torch is imported here."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from . import cards, cases, checkpoints, environment, inputs, libraries, places, registry
from .checks.disk import tight
from .condition import CPU, GPU, Demand, Distribution, Library, Lock, Probe, Product, Torch
from .nouns import Options, SuiteError, Transform

VARIABLES = ("BENCHSUITE_LOCK", "BNB_CUDA_VERSION", "CUDA_VISIBLE_DEVICES", "PYTHONPATH")
TIMEOUT = 300.0
"""Seconds for all libraries; on two busy cores they took 15."""


def look(options: Options, *, own_model: bool = False, deep: bool = True, context: bool = False) -> Probe:
    """Everything that the checks want to know; without `deep` only what takes neither a process nor a network.

    `own_model` says that a case is of a model whose needs are not known, whatever the options say.

    Raises:
        SuiteError: `options.device` names no GPU that is there.
    """
    found, seen = _gpus()
    shown, serves = cards.look(found)
    wanted = environment.choose(found, options.device) if found else None
    chosen = next((card for card in shown if wanted and card.uuid == wanted.uuid), None)
    machine = options.machine or environment.machine_slug(wanted)
    room = places.places(options, gpu=wanted is not None)
    return Probe(
        **_python(), machine=machine, variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
        **seen, driver_cuda=serves, orphan=_orphan(), cards=shown, device=options.device,
        chosen=chosen, regimes=options.regimes, demands=_demands(), own_model=own_model or bool(options.model),
        distributions=tuple(_distributions()), lock=_lock(options, machine), places=room,
        roomy=places.roomy(room) if any(map(tight, room)) else "",
        context=context, **(_deep(options, wanted) if deep else {}),
    )  # fmt: skip


def _deep(options: Options, gpu: environment.Gpu | None) -> dict[str, Any]:
    wanted = inputs.wanted(options, gpu=gpu is not None)
    return {"inputs": wanted, **_libraries(gpu.uuid if gpu else "")}


def _gpus() -> tuple[tuple[environment.Gpu, ...], dict[str, Any]]:
    """The GPUs, or by the name of its field in a `Probe` why they cannot be seen."""
    try:
        found = environment.gpus()
        return found, {} if found else {"hidden": len(environment.installed())}
    except SuiteError as error:
        return (), {"driver_problem": str(error.__cause__ or error)}
    except ImportError as error:
        return (), {"binding": libraries.said(error)}


# ---------------------------------------------------------------- this Python, this system


def _python() -> dict[str, Any]:
    found = shutil.which("python")
    same = found is not None and Path(found).parent == Path(sys.executable).parent
    return {
        "python": platform.python_version(),
        "call": "python" if same else sys.executable,
        "system": platform.system(),
        "distribution": _os_release().get("ID", ""),
        "container": any(Path(sign).exists() for sign in ("/.dockerenv", "/run/.containerenv")),
        "pip": importlib.util.find_spec("pip") is not None,
        "uv": shutil.which("uv") is not None,
    }


def _os_release() -> Mapping[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def _orphan() -> bool:
    """An NVIDIA display or compute device on the PCI bus, as Linux lists it."""
    for device in Path("/sys/bus/pci/devices").glob("*"):
        try:
            vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
        except OSError:
            continue
        if vendor == "0x10de" and kind.startswith("0x03"):
            return True
    return False


# ---------------------------------------------------------------- regimes and packages


def _demands() -> tuple[Demand, ...]:
    return tuple(Demand(regime=name, needs=needs(transforms)) for name, transforms in registry.regimes().items())


def needs(transforms: Sequence[Transform]) -> frozenset[str]:
    """What of "nf4", "int8" and "bf16" a regime's transforms state, in their names or their fields."""
    words = {"nf4": "nf4", "int8": "int8", "bfloat16": "bf16", "bf16": "bf16"}
    stated = [str(value).lower() for transform in transforms for value in cases.describe(transform).values()]
    return frozenset(need for word, need in words.items() if any(word in text for text in stated))


def _distributions() -> Iterator[Distribution]:
    seen = set()
    for found in distributions():
        path = Path(str(getattr(found, "_path", "")))
        if path.resolve() in seen or path.name.startswith("~"):
            continue
        seen.add(path.resolve())
        name = found.metadata["Name"]
        yield Distribution(
            name=re.sub(r"[-_.]+", "-", name).lower() if name else "", version=found.version if name else "",
            folder=str(path.parent), metadata=str(path),
        )  # fmt: skip
    for half in sorted({half for entry in sys.path if "-packages" in entry for half in Path(entry).glob("~*")}):
        yield Distribution(name="", version="", folder=str(half.parent), metadata=str(half))


def _lock(options: Options, machine: str) -> Lock | None:
    asked = os.environ.get("BENCHSUITE_LOCK", "")
    path = Path(asked) if asked else Path(options.baselines) / machine / "constraints.txt"
    if not asked and not path.is_file():
        return None
    try:
        lines, problem = path.read_text(encoding="utf-8").splitlines(), ""
    except (OSError, ValueError) as error:
        lines, problem = [], getattr(error, "strerror", None) or str(error)
    matches = (re.match(r"([A-Za-z0-9][\w.-]*)==([^\s;+]+)", line.strip()) for line in lines)
    pins = {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2] for match in matches if match}
    return Lock(path=str(path), asked=bool(asked), problem=problem, pins=pins)


# ---------------------------------------------------------------- libraries, in a process of their own


def _libraries(uuid: str) -> dict[str, Any]:
    gpu = ["gpu", "product-cuda"] if uuid else []
    steps = [f"import:{name}" for name in environment.GUARDED]
    answers = ask([*steps, "torch-build", *gpu[:1], "native", "product-cpu", *gpu[1:]], uuid)
    installed = environment.packages()
    torch, native = answers["torch-build"], answers["native"]
    return {
        "libraries": tuple(
            Library(name=name, installed=installed.get(name, ""), imported=said.get("answer"),
                    problem=said.get("problem", ""))
            for name in environment.GUARDED if (said := answers[f"import:{name}"]) is not None
        ),
        "torch": _torch(torch["answer"], answers.get("gpu", {})) if "answer" in torch else None,
        # What does not import is told of once.
        "native": native.get("answer", native.get("problem")) if "answer" in answers["import:bitsandbytes"] else None,
        "products": tuple(_product(device, answers[f"product-{device}"]) for device in ("cpu", "cuda")
                          if f"product-{device}" in answers),
    }  # fmt: skip


def _torch(build: Mapping[str, Any], gpu: Mapping[str, Any]) -> Torch:
    return Torch(
        version=build["version"], cuda=build["cuda"], arches=tuple(build["arches"]),
        problem=gpu.get("problem", "") if gpu else None,
    )  # fmt: skip


def _product(device: str, said: Mapping[str, Any]) -> Product:
    name = {"cpu": CPU, "cuda": GPU}[device]
    return Product(device=name, off=said.get("answer"), problem=said.get("problem", ""))


def ask(steps: Sequence[str], uuid: str = "", executable: str = sys.executable) -> dict[str, dict[str, Any]]:
    """What `benchsuite.libraries` answers to each step: {"answer": ...} or {"problem": ...}.

    A step that kills the process is told of as such, and the ones after it are taken by a new process. Only the GPU
    of `uuid` is visible to it, or none.
    """
    answers: dict[str, dict[str, Any]] = {}
    while left := [step for step in steps if step not in answers]:
        begun, answered, how = _process(left, uuid, executable)
        answers |= answered
        if missing := [step for step in left if step not in answered]:
            died = begun if begun in missing else missing[0]
            answers[died] = {"problem": how}
            if how.startswith("no answer"):
                answers |= {step: {"problem": how} for step in missing}
    return answers


def _process(steps: Sequence[str], uuid: str, executable: str) -> tuple[str, dict[str, dict[str, Any]], str]:
    """The step begun last, the answers, and how the process ended."""
    env = {**checkpoints.child_environment(), "CUDA_VISIBLE_DEVICES": uuid}
    command = [executable, "-m", libraries.__name__, *steps]
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        out, how = done.stdout, environment.ended(done)
    except subprocess.TimeoutExpired as error:
        out = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout or ""
        how = f"no answer in {TIMEOUT:.0f} s"
    lines = [json.loads(line.partition(libraries.MARK)[2]) for line in out.splitlines() if libraries.MARK in line]
    answers = {line.pop("end"): line for line in lines if "end" in line}
    return next((line["begin"] for line in reversed(lines) if "begin" in line), ""), answers, how
