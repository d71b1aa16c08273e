"""Data and model: a folder of the user's, the hub's cache, or the hub."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.checks._mend import once
from benchsuite.condition import Input, Probe
from benchsuite.diagnosis import Ailment, Check, Diagnosis, Level, fine

DOWNLOAD = {
    "data": "hf download nyu-mll/glue --repo-type dataset --include 'sst2/*' --local-dir glue",
    "model": "hf download {name}",
}

DATA = Ailment(
    code="inputs.data", level=Level.ERROR,
    seen="the data cannot be used: {problem}",
    command="{download} && benchsuite doctor --data glue",
    typed=(DOWNLOAD["data"] + " && benchsuite doctor --data glue",),
)  # fmt: skip
MODEL = Ailment(
    code="inputs.model", level=Level.ERROR,
    seen="the model cannot be used: {problem}",
    command="hf download bert-base-uncased --local-dir bert-base-uncased && benchsuite doctor --model "
    "./bert-base-uncased",
)  # fmt: skip
OFFLINE = Ailment(
    code="inputs.offline", level=Level.ERROR,
    seen="{variable} forbids the hub, and its cache lacks the {what} {name}",
    command="{online}{download}",
    typed=("VARIABLE=0 " + DOWNLOAD["data"], "VARIABLE=0 hf download NAME"),
)  # fmt: skip
UNREACHABLE = Ailment(
    code="inputs.unreachable", level=Level.ERROR,
    seen="the {what} {name} is not in the cache, and the hub cannot be reached: {problem}",
    command="pytest bench -m gpu --suite-data FOLDER --suite-model FOLDER",
)  # fmt: skip


def _finding(probe: Probe, wanted: Input) -> Diagnosis | None:
    if not wanted.problem:
        return None
    download = DOWNLOAD[wanted.what].format(name=wanted.name)
    fields = {"problem": wanted.problem, "what": wanted.what, "name": wanted.name, "variable": wanted.offline,
              "download": download, "online": once(probe, wanted.offline, "0")}  # fmt: skip
    if wanted.given:
        return (DATA if wanted.what == "data" else MODEL).found(**fields)
    return (OFFLINE if wanted.offline else UNREACHABLE).found(**fields)


def _where(wanted: Input) -> str:
    return "a folder" if wanted.given else "in the hub's cache" if wanted.kept else "the hub answers"


def examine(probe: Probe) -> Iterator[Diagnosis]:
    """Each input that a GPU run needs, or that the user named."""
    found = [diagnosis for wanted in probe.inputs if (diagnosis := _finding(probe, wanted))]
    yield from found
    if found:
        return
    said = ", ".join(f"{wanted.what} {wanted.name} ({_where(wanted)})" for wanted in probe.inputs)
    yield fine("inputs", said or "no data or model is needed: the embedded ones serve the CPU's cases")


CHECK = Check(
    name="inputs",
    title="Data and model can be had: the folders of `--data` and `--model`, or what a GPU run takes from "
    "the hub, through its cache.", quick=False,
    ailments=(DATA, MODEL, OFFLINE, UNREACHABLE), examine=examine,
)  # fmt: skip
