"""Training beside the probe's session, on its model, without a trace: other meters find all as they left it."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..scene import Scene

WRAPPED = ("forward", "_original_forward")
"""What accelerate hangs on a model that it prepares."""


@contextmanager
def aside(scene: Scene) -> Iterator[None]:
    """Afterwards `scene.model` has its weights, mode, forward and no gradients, and generators stand as before.

    Inside, the garbage collector sees only what is new: what there was takes it most of its time.
    """
    model, generators = scene.model, states(cuda=scene.on_cuda)
    modes = [(module, module.training) for module in model.modules()]
    own = {name: vars(model)[name] for name in WRAPPED if name in vars(model)}
    values = [(p, p.detach().clone()) for p in model.parameters() if p.requires_grad]
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        for module, training in modes:
            module.training = training
        for name in WRAPPED:
            vars(model).pop(name, None)
        vars(model).update(own)
        for parameter, value in values:
            parameter.data.copy_(value)
        model.zero_grad(set_to_none=True)
        put_back(generators)


def states(*, cuda: bool) -> tuple[Any, ...]:
    """The states of Python's, numpy's and torch's generators."""
    import numpy as np
    import torch

    devices = torch.cuda.get_rng_state_all() if cuda else None
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), devices


def put_back(generators: tuple[Any, ...]) -> None:
    """Set them to what `states` said."""
    import numpy as np
    import torch

    python, numpy, cpu, devices = generators
    random.setstate(python)
    np.random.set_state(numpy)
    torch.set_rng_state(cpu)
    if devices is not None:
        torch.cuda.set_rng_state_all(devices)
