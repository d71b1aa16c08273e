"""In which precision the layers compute: the dtype of what each returns, and autocast as it sees it.

Read in one training step of the meter's own. Flags and weights do not tell it: autocast wraps the
forward alone, and leaves both as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, exact

DTYPES = exact("model.layer_dtypes", "precision of the layers' results")


class LayerDtypeMeter(SessionMeter):
    """Hooks every layer for one step."""

    name = "layer_dtypes"
    metrics = (DTYPES,)

    def __init__(self) -> None:
        super().__init__()
        self.dtypes: set[str] = set()
        self.autocast: set[str] = set()

    def instrument(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.instrument`."""
        return self._hooked(scene.model)

    @contextmanager
    def _hooked(self, model: Any) -> Iterator[None]:
        # Leaves alone: accelerate wraps the whole model's forward, so the root's own hooks run outside autocast.
        leaves = [module for module in model.modules() if not any(True for _ in module.children())]
        hooks = [module.register_forward_hook(self._look) for module in leaves]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _look(self, _: Any, __: Any, out: Any) -> None:
        import torch

        if isinstance(out, torch.Tensor):
            self.dtypes.add(str(out.dtype).removeprefix("torch."))
            self.autocast.add(seen(out.device.type))

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`: the dtypes of what layers return, and autocast around them."""
        # Which of them, not how many layers each: the module map tells of layers that came or went.
        return {DTYPES.name: {"dtypes": ", ".join(sorted(self.dtypes)), "autocast": ", ".join(sorted(self.autocast))}}


def seen(device: str) -> str:
    """Autocast as it is now: "off", or the dtype it casts to."""
    import torch

    if not torch.is_autocast_enabled(device):
        return "off"
    return str(torch.get_autocast_dtype(device)).removeprefix("torch.")


METER = LayerDtypeMeter
