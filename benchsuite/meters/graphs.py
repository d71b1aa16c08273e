"""How a training ran whose steps are replayed as CUDA graphs: steps of each shape, and which shapes were recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from ..graphs import Key
from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact

GRAPHS = exact("train.graphs", "steps by shape of batch, and shapes replayed as CUDA graphs")


class GraphMeter(Meter):
    """Asks the Trainer; one that replays nothing has nothing to say."""

    name = "graphs"
    metrics = (GRAPHS,)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        replays = getattr(scene.trainer, "replays", None)
        if phase is not Phase.TRAIN or replays is None:
            return {}
        return {GRAPHS.name: Measured(value=told(replays.steps, replays.recorded))}


def told(steps: Mapping[Key, int], recorded: Iterable[Key]) -> dict[str, JSON]:
    """Steps by the shape of their token ids, and the shapes that have a graph."""
    sums: Counter[str] = Counter()
    for key, count in steps.items():
        sums[_shape(key)] += count
    return {"steps": dict(sorted(sums.items())), "recorded": sorted(map(_shape, recorded))}


def _shape(key: Key) -> str:
    shapes = {name: shape for name, shape, _ in key}
    return "x".join(map(str, shapes.get("input_ids", ())))


METER = GraphMeter
