"""Whether something in the process set how many threads torch computes with.

The count itself is the machine's and the user's, and no library's; a trial's record names it as hardware. What
sets it anew, at import or later, takes cores that were not given, or leaves those unused that were.
"""

from __future__ import annotations

from collections.abc import Mapping

from .. import environment
from ..nouns import Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact

THREADS = exact("model.threads", "threads of torch, if set anew")
AS_STARTED = "as torch started"


class ThreadCountMeter(Meter):
    """Looks once, after training."""

    name = "thread_count"
    metrics = (THREADS,)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        import torch

        if phase is not Phase.TRAIN:
            return {}
        before, now = environment.threads(), torch.get_num_threads()
        return {THREADS.name: Measured(value=AS_STARTED if now == before else f"{before} -> {now}")}


METER = ThreadCountMeter
