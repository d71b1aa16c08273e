"""Every argument of the trial's Trainer as it stood, pinned by the plan or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..nouns import JSON, Measured, Phase
from ..scene import Meter, Scene
from ._probing import exact

ARGUMENTS = exact("trainer.arguments", "arguments of the Trainer", judge="values", same_stack=True)
PLACES = frozenset({
    "output_dir", "logging_dir", "run_name", "hub_token", "hub_model_id", "push_to_hub_token", "local_rank",
    "trackio_bucket_id", "trackio_space_id", "trackio_static_space_id",
})  # fmt: skip
"""Arguments that say where, not what."""


class ArgumentMeter(Meter):
    """Looks when the Trainer has been made."""

    name = "arguments"
    metrics = (ARGUMENTS,)

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        if phase is not Phase.TRAIN:
            return {}
        return {ARGUMENTS.name: Measured(value=table(scene.trainer.args))}


def table(arguments: Any) -> dict[str, JSON]:
    """`TrainingArguments` as data, without `PLACES`."""
    return {name: plain(value) for name, value in sorted(arguments.to_dict().items()) if name not in PLACES}


def plain(value: Any) -> JSON:
    """A value as JSON holds it; what JSON does not know becomes its text."""
    if isinstance(value, Mapping):
        return {str(name): plain(sub) for name, sub in value.items()}
    if isinstance(value, list | tuple):
        return [plain(sub) for sub in value]
    if isinstance(value, set | frozenset):
        return sorted(str(sub) for sub in value)
    return value if isinstance(value, bool | int | float | str | None) else str(value)


METER = ArgumentMeter
