"""What one training step asks of torch's allocator: how many requests, and the most held at once.

Bytes are counted above what was held when the step began. On the CPU torch's own memory events
are read, on CUDA the caching allocator's counters; host memory beside torch's is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..nouns import JSON, Better, Kind, Metric
from ..scene import Scene
from ._probing import CPU, SessionMeter, count

# The same under AVX512, AVX2 and default, with 1 and 2 threads, in fp32 and qlora; but in bfloat16 the capability
# chooses kernels with other workspaces, and in float16 the model of the CPU does: 632 on an AMD EPYC and 672 on an
# Intel Xeon with AMX, both of which torch calls AVX512.
REQUESTS = count(
    "count.allocations.step", "allocator requests a step", same_stack=True, depends_on=(*CPU, "cpu_model"), relative=0.0
)  # fmt: skip
PEAK = Metric(
    name="memory.peak.step", unit="B", kind=Kind.BYTES, concern="memory", title="most allocated within a step",
    better=Better.LOWER, relative=0.005, absolute=4096.0, depends_on=CPU,
)  # fmt: skip


class AllocationMeter(SessionMeter):
    """Watches one step."""

    name = "allocations"
    metrics = (REQUESTS, PEAK)

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0
        self.peak = 0

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return self._on_cuda() if scene.on_cuda else self._on_cpu()

    @contextmanager
    def _on_cpu(self) -> Iterator[None]:
        start_events()
        try:
            yield
        finally:
            self.requests, self.peak = summary(stop_events())

    @contextmanager
    def _on_cuda(self) -> Iterator[None]:
        import torch

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        held, before = torch.cuda.memory_allocated(), _requests()
        yield
        torch.cuda.synchronize()
        self.requests = _requests() - before
        self.peak = torch.cuda.max_memory_allocated() - held

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {REQUESTS.name: self.requests, PEAK.name: self.peak}


def _requests() -> int:
    import torch

    return int(torch.cuda.memory_stats().get("allocation.all.allocated", 0))


def start_events() -> None:
    """Have torch note every request to the CPU's allocator.

    By the profiler that came before Kineto: its start takes 3 ms, Kineto's first one 1.5 s, and both
    report the same events.
    """
    import torch

    memory_alone = (False, True, False, False, False)
    state, more = torch.autograd.ProfilerState.CPU, torch._C._profiler._ExperimentalConfig()
    torch.autograd._enable_profiler_legacy(torch.autograd.ProfilerConfig(state, *memory_alone, more))


def stop_events() -> list[int]:
    """Bytes of each request since `start_events`, in their order; negative where they were given back."""
    import torch

    threads = torch.autograd._disable_profiler_legacy()
    return [e.cpu_memory_usage() for thread in threads for e in thread if e.kind() == "memory_alloc"]


def summary(sizes: Iterable[int]) -> tuple[int, int]:
    """Number of requests, and the most bytes held at once above the start."""
    requests = held = peak = 0
    for size in sizes:
        requests += size > 0
        held += size
        peak = max(peak, held)
    return requests, peak


METER = AllocationMeter
