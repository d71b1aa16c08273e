"""The optimizer as it stood when training began: class, and what each of its groups holds and obeys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import compat
from ..nouns import JSON, Kind, Measured, Metric, Phase
from ..scene import Meter, Scene

GROUPS = Metric(name="optimizer.groups", unit="", kind=Kind.EXACT, concern="fingerprint", title="optimizer and groups")
SETTINGS = ("lr", "initial_lr", "betas", "eps", "weight_decay", "amsgrad", "foreach", "fused", "maximize", "capturable")


class OptimizerMeter(Meter):
    """Looks once, at the first step's begin, when the schedule has set the first rate."""

    name = "optimizer"
    metrics = (GROUPS,)

    def __init__(self) -> None:
        self.seen: dict[str, JSON] = {}

    def callbacks(self, scene: Scene) -> list[Any]:
        """See `Meter.callbacks`."""
        from transformers import TrainerCallback

        seen = self.seen

        class Look(TrainerCallback):  # type: ignore[misc]
            def on_train_begin(self, *_: Any, optimizer: Any = None, **__: Any) -> None:
                seen.update(describe(compat.bare_optimizer(optimizer)))

        return [Look()]

    def stop(self, phase: Phase, scene: Scene) -> Mapping[str, Measured]:
        """See `Meter.stop`."""
        return {GROUPS.name: Measured(value=dict(self.seen))} if phase is Phase.TRAIN else {}


def describe(optimizer: Any) -> dict[str, JSON]:
    """Class, and for each group its number of tensors and elements and its settings."""
    return {"class": type(optimizer).__name__, "groups": [_group(group) for group in optimizer.param_groups]}


def _group(group: Mapping[str, Any]) -> dict[str, JSON]:
    settings = {k: list(v) if isinstance(v, tuple) else v for k, v in group.items() if k in SETTINGS}
    return {"tensors": len(group["params"]), "elements": sum(p.numel() for p in group["params"]), **settings}


METER = OptimizerMeter
