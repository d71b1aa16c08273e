"""Whether the loaded weights are the checkpoint file's, tensor by tensor, and what was drawn beside them.

A tensor kept whole must equal the file's, cast to the dtype it has; a 4-bit one must dequantise to
within what its format can miss. Covers safetensors and 4-bit formats of bitsandbytes; other
quantised formats are listed as differing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..nouns import JSON, Kind, Metric
from ..scene import Scene
from ._probing import SessionMeter, exact

LOADED = exact("weights.loaded", "loaded weights against the checkpoint's file")
# The same bytes under AVX512, AVX2 and default, with 1 and 2 threads, and in either version.
QUANTISED = exact("weights.quantised", "quantised weights and their constants")
# Seeded draws differ in their last bits: by 1e-7 between CPU capabilities (AVX512, default), by 1.7e-5 between
# transformers 4.55.3 with peft 0.17 and 5.23 with 0.21. Another draw differs by 0.01 and more.
INITIALISED = Metric(
    name="weights.initialised", unit="", kind=Kind.QUALITY, judge="distance", concern="fingerprint",
    title="weights drawn under the seed", relative=1e-3, absolute=1e-4, same_stack=True,
)  # fmt: skip
# A head of 128 elements draws its spread with a standard error of 6 %: 30 % is five of them.
SPREAD = Metric(
    name="weights.spread", unit="", kind=Kind.QUALITY, judge="distance", concern="fingerprint",
    title="spread of drawn weights", relative=0.3, absolute=1e-4,
)  # fmt: skip
OLD_NAMES = (("gamma", "weight"), ("beta", "bias"))
"""How LayerNorm's tensors are called in checkpoints of the first BERTs."""


class WeightMeter(SessionMeter):
    """Compares what was loaded with the file; digests what was drawn, once the model is prepared."""

    name = "weights"
    metrics = (LOADED, QUANTISED, INITIALISED, SPREAD)

    def __init__(self) -> None:
        super().__init__()
        self.from_file: list[Any] = []
        self.found: dict[str, JSON] = {}

    def loaded(self, scene: Scene) -> None:
        """See `SessionMeter.loaded`."""
        held = dict(scene.model.named_parameters())
        matched = match(tuple(names(scene.source)), held, scene.model.base_model_prefix)
        differing = [
            matched[name]
            for name, tensor in tensors(scene.source)
            if name in matched and differs(tensor, held[matched[name]])
        ]
        self.from_file = [held[name] for name in matched.values()]
        known = set(matched.values())
        self.found[LOADED.name] = {
            "tensors": len(matched),
            "differing": sorted(differing),
            "missing": sorted(name for name in names(scene.source) if name not in matched),
            "not_in_file": sorted(held.keys() - known),
        }
        packed = {name: p for name, p in sorted(held.items()) if getattr(p, "quant_state", None) is not None}
        self.found[QUANTISED.name] = {name: _packed(p) for name, p in packed.items()}

    def prepared(self, scene: Scene) -> None:
        """See `SessionMeter.prepared`."""
        known = {id(parameter) for parameter in self.from_file}
        drawn = {name: p for name, p in sorted(scene.model.named_parameters()) if id(p) not in known}
        self.from_file = []
        self.found[INITIALISED.name] = {name: sketch(p) for name, p in drawn.items()}
        self.found[SPREAD.name] = {name: spread(p) for name, p in drawn.items()}

    def probe(self, scene: Scene) -> Mapping[str, JSON]:
        """See `ProbeMeter.probe`."""
        return self.found


def tensors(folder: str) -> Iterator[tuple[str, Any]]:
    """Every tensor of a checkpoint's safetensors files by name, one at a time."""
    from safetensors import safe_open

    for file in sorted(Path(folder).glob("*.safetensors")):
        with safe_open(str(file), framework="pt") as opened:
            for name in sorted(opened.keys()):
                yield name, opened.get_tensor(name)


def names(folder: str) -> Iterator[str]:
    """Names of all tensors of a checkpoint's safetensors files; none is read."""
    from safetensors import safe_open

    for file in sorted(Path(folder).glob("*.safetensors")):
        with safe_open(str(file), framework="pt") as opened:
            yield from sorted(opened.keys())


def match(file: tuple[str, ...], held: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """The model's name of each of the file's tensors; those that the model lacks are left out."""
    found = {}
    for name in file:
        stem, _, last = name.rpartition(".")
        modern = f"{stem}.{dict(OLD_NAMES).get(last, last)}"
        wanted = (name, modern, f"{prefix}.{name}", f"{prefix}.{modern}", modern.removeprefix(f"{prefix}."))
        hit = next((candidate for candidate in wanted if candidate in held), None)
        if hit is not None:
            found[name] = hit
    return found


def differs(tensor: Any, parameter: Any) -> bool:
    """Whether a parameter's values are not those that the file's tensor gives it."""
    import torch

    state = getattr(parameter, "quant_state", None)
    if state is not None:
        return beyond(tensor, parameter, state)
    value = parameter.detach().cpu()
    return value.shape != tensor.shape or not torch.equal(value, tensor.to(value.dtype))


def beyond(tensor: Any, parameter: Any, state: Any) -> bool:
    """Whether a 4-bit weight lies further from the file's tensor than its format can put it.

    A value is off by half the widest gap of the code (0.152 of its block's largest for nf4, 0.167
    for fp4), and by as much as the block's constant is. Constants quantised themselves were seen to
    be off by up to 0.012 of the largest one; 0.03 is allowed. Half a percent is for half precision.
    """
    from bitsandbytes.functional import dequantize_4bit

    value = dequantize_4bit(parameter.data, state).detach().float().cpu()
    if value.shape != tensor.shape:
        return True
    true = tensor.float().flatten()
    largest = _blocks(true.abs(), state.blocksize).amax(1, keepdim=True)
    allowed = 0.175 * largest + 0.03 * largest.max() + 1e-6
    off = _blocks((value.flatten() - true).abs(), state.blocksize)
    return bool((off > allowed).any())


def _blocks(flat: Any, size: int) -> Any:
    import torch

    return torch.nn.functional.pad(flat, (0, -flat.numel() % size)).view(-1, size)


def _packed(parameter: Any) -> str:
    state = parameter.quant_state
    nested = getattr(state, "state2", None)
    parts = [parameter.data, state.absmax, *([nested.absmax, state.offset] if nested is not None else [])]
    return hashlib.sha256("".join(digest(part) for part in parts).encode()).hexdigest()[:16]


def spread(tensor: Any) -> float:
    """Root of the mean square."""
    return round(float(tensor.detach().float().square().mean().sqrt()), 6)


def sketch(tensor: Any) -> list[float]:
    """First and last element, and the whole along a fixed direction: what a digest says, but for the last bits."""
    import torch

    flat = tensor.detach().double().cpu().flatten()
    along = flat @ torch.arange(flat.numel(), dtype=torch.float64).cos() / flat.numel() ** 0.5
    return [round(float(x), 7) for x in (flat[0], flat[-1], along)]


def digest(tensor: Any) -> str:
    """Digest of a tensor's dtype, shape and bytes."""
    import torch

    value = tensor.detach().cpu().contiguous()
    what = f"{value.dtype} {tuple(value.shape)} ".encode()
    return hashlib.sha256(what + value.reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()[:16]


METER = WeightMeter
