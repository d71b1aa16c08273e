"""Whether attention makes up for what its dropout drops: in the mean it answers as it does without.

Asks the attention function that the model's own attention module would call, transformers' or torch's, with the
module's own share. Queries and keys are given: the first half of the keys is looked at e times as much as the rest.
Half of the value's channels is ones, which come out as one however attention looks; the other half is one for the
first half of the keys, which tells how it looks. Covers sdpa and eager, in the first such module of a model; elsewhere
and where nothing is dropped it says one and one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from .. import trial
from ..nouns import JSON
from ..scene import Scene
from ._probing import SessionMeter, apart
from ._training import apart_from_chance, training

Attend = Callable[[Any, Any, Any, float], Any]
"""Of queries, keys, values (rows x heads x tokens x channels) and a share: rows x tokens x heads x channels."""

# Measured on a CPU, on transformers 4.55.3, 4.57.6 and 5.23: 0.0007 at most with a share of 0.1, 0.0019 with one of
# 0.5, where a head's mean over `DRAWS` x `ROWS` x `TOKENS` draws scatters by 2.3e-4 and 7e-4; by 6e-4 where attention
# is causal. Flash kernels count shares in 256ths, up to 0.002 off. A scale that is left out is off by the share
# itself, queries that are 1.25 times as large by 0.06.
SCALE = apart("model.dropout.attention", "attention with dropout: means as multiples of those due", absolute=0.01)
SEED, DRAWS, ROWS, TOKENS = 1, 8, 4, 256
SHARES = ("attention_dropout", "attn_dropout", "dropout", "dropout_prob")
NONE = {"ones": 1.0, "half": 1.0}


class AttentionDropoutMeter(SessionMeter):
    """Asks the attention of the prepared model."""

    name = "attention_dropout"
    metrics = (SCALE,)

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, float] = {}

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        import torch

        with apart_from_chance(scene), torch.no_grad(), trial.autocast(scene):
            torch.manual_seed(SEED)
            self.found = scales(scene.model, scene.device)

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return {SCALE.name: dict(self.found)}


def scales(model: Any, device: str) -> dict[str, float]:
    """Of the head that is furthest, the mean of ones, and of what is one for half of the keys; see `NONE`."""
    module = next((found for found in model.modules() if "Attention" in type(found).__name__ and share(found)), None)
    attend = None if module is None else attention(module, model.config)
    if module is None or attend is None:
        return dict(NONE)
    try:
        return _asked(module, attend, _given(module, model.config, device))
    except (AttributeError, TypeError, RuntimeError):
        # A function of other arguments than most. One that crashes ends the training, which tells it better.
        return dict(NONE)


def _asked(module: Any, attend: Attend, given: tuple[Any, Any, Any]) -> dict[str, float]:
    with training(module):
        due = means(attend, given, 0.0, draws=1)[:, 1]
        got = means(attend, given, share(module), DRAWS)
    return {"ones": _worst(got[:, 0]), "half": _worst(got[:, 1] / due)}


def share(module: Any) -> float:
    """What an attention module drops of its weights, by whichever name; 0 where it says nothing of it."""
    said = (getattr(value, "p", value) for name in SHARES if (value := getattr(module, name, None)) is not None)
    return next((float(p) for p in said if isinstance(p, float) and 0 < p < 1), 0.0)


def attention(module: Any, config: Any) -> Attend | None:
    """The function that `module` calls; None where it has none of its own or one that is not known here."""
    backend = str(getattr(config, "_attn_implementation", None))
    home = vars(sys.modules[type(module).__module__])
    known = home.get("ALL_ATTENTION_FUNCTIONS")
    if backend == "sdpa" and known is None:
        return _sdpa
    interface = {"sdpa": (known or {}).get("sdpa"), "eager": home.get("eager_attention_forward")}.get(backend)
    if interface is None:
        return None

    def attend(query: Any, key: Any, value: Any, dropped: float) -> Any:
        return interface(module, query, key, value, None, dropout=dropped, scaling=query.shape[-1] ** -0.5)[0]

    return attend


def _sdpa(query: Any, key: Any, value: Any, dropped: float) -> Any:
    """As modules call it that know no other."""
    import torch

    return torch.nn.functional.scaled_dot_product_attention(query, key, value, dropout_p=dropped).transpose(1, 2)


def means(attend: Attend, given: tuple[Any, Any, Any], dropped: float, draws: int) -> Any:
    """Heads x 2: the mean answer in the channels of ones, and in those of half of the keys."""
    import torch

    found = [attend(*given, dropped).double().mean((0, 1)) for _ in range(draws)]
    mean = torch.stack(found).mean(0)
    return torch.stack([mean[:, 0::2].mean(-1), mean[:, 1::2].mean(-1)], -1)


def _given(module: Any, config: Any, device: str) -> tuple[Any, Any, Any]:
    """Queries, keys and values of as many heads and channels as the module has."""
    import torch

    heads, size = _heads(module, config)
    own = heads // int(getattr(module, "num_key_value_groups", 1))
    query, key, value = (torch.zeros(ROWS, n, TOKENS, size, device=device) for n in (heads, own, own))
    query[..., 0] = 1
    key[..., : TOKENS // 2, 0] = size**0.5
    value[..., 0::2] = 1
    value[..., : TOKENS // 2, 1::2] = 1
    return query, key, value


def _heads(module: Any, config: Any) -> tuple[int, int]:
    heads = int(config.num_attention_heads)
    size = getattr(module, "head_dim", None) or getattr(module, "attention_head_size", None)
    return heads, int(size or config.hidden_size // heads)


def _worst(values: Any) -> float:
    return round(1 + max((float(value) - 1 for value in values), key=abs), 4)


METER = AttentionDropoutMeter
