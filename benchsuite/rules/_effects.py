"""What kinds of causes move, as metric globs and directions. Data shared by rules; not a rule itself.

Directions are those of a cause that costs more: times and bytes grow, throughput falls.
"""

from __future__ import annotations

from benchsuite.evidence import Effects

TIME: Effects = {
    "time.step": 1, "time.host.*": 1, "time.train": 1, "latency.*": 1, "throughput.*": -1, "device.kernel_time.*": 1,
    "energy.*": 1,
}  # fmt: skip
TRAIN_TIME: Effects = {
    "time.step": 1, "time.host.*": 1, "time.train": 1, "throughput.train": -1, "device.kernel_time.*": 1,
    "energy.train": 1,
}  # fmt: skip
RESIDENT: Effects = {
    "vram.after_load": 1, "vram.after_reload": 1, "vram.peak.*": 1, "vram.reserved.*": 1, "memory.peak.*": 1,
    "ram.*": 1,
}  # fmt: skip
ACTIVATIONS: Effects = {
    "vram.peak.train": 1, "vram.reserved.train": 1, "memory.saved_for_backward": 1, "memory.peak.*": 1, "ram.peak": 1,
}  # fmt: skip
WORK: Effects = {
    "count.*": 1, "operators.*": 0, "kernels.*": 0, "cuda_calls.*": 0, "python_calls.*": 0, "c_calls.*": 0,
    "model.computes": 0, "model.products": 0,
    "model.attention.dispatched": 0, "model.dropout.drawn": 0,
    "vram.cublas_workspace": 0,
}  # fmt: skip
"""Other kernels may come with a workspace of another size, too."""
CURVE: Effects = {
    "quality.*": 0, "function.logits_trained": 0, "function.trained_bits": 0, "function.reload_drift": 0,
    "function.padding_drift": 0, "function.maskless_drift": 0, "function.merge_drift": 0, "seeds.rng": 0,
    "seeds.steps": 0, "trainer.log.bits": 0,
}  # fmt: skip
"""What training on something else leaves behind: the curve, and what the trained model says."""
FUNCTION: Effects = {**CURVE, "function.*": 0, "optimizer.backward.*": 0}
"""All that, and what the model says before training, and which gradients it has."""


def either(effects: Effects) -> Effects:
    """The same metrics, moved either way."""
    return dict.fromkeys(effects, 0)
