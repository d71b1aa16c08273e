"""The stack with nothing pinned, on the embedded two-layer BERT: see the package `defaults`.

The same for every regime and model. On CUDA the models are
built there; on the CPU bitsandbytes' repacking path is off, as in the regimes.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from ..checkpoints import EMBEDDED_FOLDER
from ..nouns import JSON
from ..scene import Scene
from ._probing import ProbeMeter, caught, crash, exact, shown

SIGNATURES = exact("defaults.signatures", "default values", judge="values")
WRITTEN = shown("defaults.written", "default values as they are written", judge="values")
NAMES = shown("defaults.names", "names of parameters that have a default")
MODULES = exact("defaults.modules", "models with nothing pinned")
LOADED = exact("defaults.loaded", "elements by dtype and bytes with nothing pinned, as loaded")
MODES = exact("defaults.modes", "modes of models with nothing pinned")
ACCUMULATION = exact("defaults.accumulation", "gradient accumulation with nothing pinned")
# 1.0 with transformers 4.57.6, 2.0 with 5.23.0; 0.5 where a group that is not full is divided by what would fill it.
TAIL = exact("defaults.accumulation.tail", "gradient accumulation in a group that is not full, nothing pinned")
OPTIMIZER = exact("defaults.optimizer", "optimizer with nothing pinned")
CHECKPOINTING = exact("defaults.checkpointing", "gradient checkpointing with nothing pinned")

# 0.0 in all, with transformers 4.57.6 and 5.23.0.
RESUMED = exact("defaults.resumed", "training resumed from a checkpoint with nothing pinned")


class DefaultsMeter(ProbeMeter):
    """Builds and looks; what crashes is recorded as crashing."""

    name = "defaults"
    metrics = (
        SIGNATURES, WRITTEN, NAMES, MODULES, LOADED, MODES, ACCUMULATION, TAIL, OPTIMIZER, CHECKPOINTING, RESUMED,
    )  # fmt: skip

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        from ..defaults import scenarios, signatures, training

        place = Path(scene.work) / "defaults"
        work, device = str(place / "trainer"), scene.device
        with warnings.catch_warnings():
            # What libraries say of their own defaults is no matter of this trial.
            warnings.simplefilter("ignore")
            tables, written = signatures.table(work), signatures.written()
            folders = dict(scenarios.checkpoints(EMBEDDED_FOLDER, place))
            built = scenarios.run(folders, device)
            first = next(iter(folders.values()))
            return {
                SIGNATURES.name: tables,
                WRITTEN.name: written,
                NAMES.name: signatures.names(tables, written),
                MODULES.name: scenarios.maps(built),
                LOADED.name: scenarios.loaded(built),
                MODES.name: scenarios.modes(built),
                ACCUMULATION.name: _tried(lambda: training.accumulation(first, work, device)),
                TAIL.name: _tried(lambda: training.tail(first, work, device)),
                OPTIMIZER.name: _tried(lambda: training.optimizer(first, work, device)),
                CHECKPOINTING.name: _tried(lambda: training.checkpointing(first, work, device)),
                RESUMED.name: _tried(lambda: training.resumed(first, work, device)),
            }


def _tried(measure: Callable[[], JSON]) -> JSON:
    try:
        return measure()
    except Exception as error:  # noqa: BLE001 - a crash is what this stack does by default
        return crash(caught(error))


METER = DefaultsMeter
