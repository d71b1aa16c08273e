"""How often a model is built while one is loaded: once each class, or somebody reads the checkpoint again.

Seen at the door of transformers' models as the probe loads its own; what builds nothing and only reads is not.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest.mock import patch

from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, exact

# Two BERT classes, once each, on transformers 4.57.6 and 5.23.
BUILT = exact("model.built", "models built in one loading, by class")


class BuiltMeter(SessionMeter):
    """Counts constructors."""

    name = "built"
    metrics = (BUILT,)

    def __init__(self) -> None:
        super().__init__()
        self.built: Counter[str] = Counter()

    def loading(self, scene: Scene) -> AbstractContextManager[Any]:
        """See `SessionMeter.loading`."""
        from transformers import PreTrainedModel

        return counting(PreTrainedModel, self.built)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {BUILT.name: dict(sorted(self.built.items()))}


@contextmanager
def counting(base: type, built: Counter[str]) -> Iterator[None]:
    """Add every construction inside of a subclass of `base` to `built`, by the class's name."""
    own: Any = base.__init__  # type: ignore[misc]

    @functools.wraps(own)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        built[type(self).__name__] += 1
        own(self, *args, **kwargs)

    with patch.object(base, "__init__", init):
        yield


METER = BuiltMeter
