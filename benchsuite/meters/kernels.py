"""The kernel census: which CUDA kernels a training step launches, how often, and for how long; and what the host asked.

Taken over profiled steps of a model built anew with reseeded generators, in the probe phase, so
that the profiler touches no timed step. The sum of kernel times repeats within 0.1 % between
processes where wall time moves by 40 %, and the counts repeat exactly. The same profile holds the
host's calls of the CUDA API: its work to keep the device busy, where its time is too noisy to tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import builders
from ..nouns import Better, Kind, Measured, Metric, Phase, Role
from ..scene import Meter, Scene
from ..trial import release

WARMUP = 3
PROFILED = 5
COPIES = ("Memcpy", "Memset")

# Within one sitting the kind's own 0.25 % holds: five processes lie within 0.13 %. Another H200 of the same name read
# +0.27 % (FP32) and +0.73 % (QLoRA) with equal kernels, so that a stored baseline cannot be held to less than this.
TIME = Metric(
    name="device.kernel_time.step", unit="s", kind=Kind.DEVICE, concern="work", title="kernel time of a step",
    better=Better.LOWER, relative=0.02, depends_on=("gpu", "gpu_memory"),
)  # fmt: skip
COUNT = Metric(
    name="count.kernels.step", unit="1", kind=Kind.COUNT, concern="work", title="kernels a step",
    better=Better.LOWER, depends_on=("gpu",),
)  # fmt: skip
# On a CPU, which has no device to copy to and no profiler of it, `operators` yields it: copies as dispatched.
COPY = Metric(
    name="count.copies.step", unit="1", kind=Kind.COUNT, concern="work", title="copies a step",
    better=Better.LOWER, depends_on=("gpu",), same_stack=True,
)  # fmt: skip
BY_NAME = Metric(
    name="kernels.by_name", unit="", kind=Kind.EXACT, concern="work", title="kernels by name", role=Role.EXPLAIN,
    depends_on=("gpu",),
)  # fmt: skip
TIMES = Metric(
    name="kernels.times", unit="", kind=Kind.DEVICE, judge="shown", concern="work", title="kernel times by name",
    role=Role.EXPLAIN, depends_on=("gpu",),
)  # fmt: skip

# Half of the 1 % that must be found: a call or two that the driver makes at its own time is not the stack's.
CALLS = Metric(
    name="count.cuda_calls.step", unit="1", kind=Kind.COUNT, concern="work", title="CUDA API calls a step",
    better=Better.LOWER, depends_on=("gpu",), same_stack=True, relative=0.005,
)  # fmt: skip
CALLS_BY_NAME = Metric(
    name="cuda_calls.by_name", unit="", kind=Kind.EXACT, concern="work", title="CUDA API calls by name",
    role=Role.EXPLAIN, depends_on=("gpu",),
)  # fmt: skip
API = re.compile(r"cu(da)?[A-Z]")
"""Beginning of a call of the runtime (`cudaLaunchKernel`) or the driver (`cuLaunchKernelEx`)."""
POLLING = "Query"
"""Part of the names of calls that ask whether the device is done: how often they do is a matter of time."""


@dataclass(frozen=True)
class Event:
    """One event of a profile."""

    name: str
    seconds: float
    on_device: bool


class KernelMeter(Meter):
    """Profiles `PROFILED` steps after `WARMUP` others. On the CPU `operators` counts copies; the rest needs CUDA."""

    name = "kernels"
    metrics = (TIME, COUNT, COPY, BY_NAME, TIMES, CALLS, CALLS_BY_NAME)
    early = True

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.PROBE or not scene.on_cuda or scene.case.profile.shared:
            return {}
        events = _profile(scene)
        return {name: Measured(value=value) for name, value in (summary(events) | calls(events)).items()}


def _profile(scene: Scene) -> list[Event]:
    """Every event of the profiled steps, on the host and on the device."""
    import torch
    from torch.profiler import ProfilerActivity, profile
    from transformers import TrainerCallback

    profiler = profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU])

    class Profiled(TrainerCallback):  # type: ignore[misc]
        def on_step_begin(self, args: Any, state: Any, control: Any, **__: Any) -> None:
            if state.global_step == WARMUP:
                torch.cuda.synchronize()
                profiler.start()

        def on_step_end(self, args: Any, state: Any, control: Any, **__: Any) -> None:
            if state.global_step == WARMUP + PROFILED:
                torch.cuda.synchronize()
                profiler.stop()

    rebuild(scene)
    steps: dict[str, Any] = {"max_steps": WARMUP + PROFILED, "eval_strategy": "no", "logging_strategy": "no"}
    scene.trainer = builders.make_trainer(scene, [Profiled()], looked_into=True, **steps)
    scene.trainer.train()
    release(scene)
    device = torch.autograd.DeviceType.CUDA
    return [
        Event(event.name(), event.duration_ns() / 1e9, event.device_type() == device)
        for event in profiler.profiler.kineto_results.events()
        if not event.is_user_annotation()
    ]


def rebuild(scene: Scene) -> None:
    """The model as it stood before training, seeds and all."""
    scene.model = builders.load_model(
        scene.source, plan=scene.plan, setting=scene.setting, transforms=scene.transforms, labels=scene.labels,
        device=scene.device,
    )  # fmt: skip
    scene.model = builders.prepare_model(scene.model, setting=scene.setting, transforms=scene.transforms)


def summary(events: Iterable[Event]) -> dict[str, Any]:
    """Counts and times a step on the device, by metric name; copies and fills are not kernels."""
    counts: dict[str, float] = {}
    times: dict[str, float] = {}
    for event in events:
        if event.on_device:
            counts[event.name] = counts.get(event.name, 0) + 1 / PROFILED
            times[event.name] = times.get(event.name, 0.0) + event.seconds / PROFILED
    kernels = {name for name in counts if not name.startswith(COPIES)}
    table = {name: [round(counts[name], 3), times[name]] for name in sorted(counts)}
    return {
        TIME.name: sum(times[name] for name in kernels),
        COUNT.name: round(sum(counts[name] for name in kernels), 3),
        COPY.name: round(sum(counts.values()) - sum(counts[name] for name in kernels), 3),
        BY_NAME.name: {name: count for name, (count, _) in table.items()},
        TIMES.name: {name: seconds for name, (_, seconds) in table.items()},
    }


def calls(events: Iterable[Event]) -> dict[str, Any]:
    """Calls of the CUDA API a step, by metric name, without those that poll."""
    asked = Counter(event.name for event in events if not event.on_device and API.match(event.name))
    counted = {name: round(times / PROFILED, 3) for name, times in sorted(asked.items()) if POLLING not in name}
    return {CALLS.name: round(sum(counted.values()), 3), CALLS_BY_NAME.name: counted}


METER = KernelMeter
