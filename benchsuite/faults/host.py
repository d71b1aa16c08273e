"""Faults of work and memory: what is done besides, and what is kept alive."""

from __future__ import annotations

from typing import Any

from benchsuite.faults._fault import BOTH, FP32, QLORA, Around, after, fault, of, wrap
from benchsuite.nouns import Device


@fault(
    "float32 products run as TF32",
    listed="TF32 default flips", threads=("transformers#16588", "pytorch#161022"), libraries=("torch", "transformers"),
    regimes=FP32, seen_by=("model.precision_flags", "device.kernel_time.step"), word="precision",
)  # fmt: skip
def tf32_on() -> None:
    """Allow it."""
    import torch

    torch.set_float32_matmul_precision("high")


@fault(
    "a library sets how many threads torch computes with",
    libraries=("torch", "transformers", "accelerate", "datasets"), regimes=FP32, seen_by=("model.threads",),
    word="threads",
)  # fmt: skip
def threads_set() -> None:
    """One more than were given."""
    import torch

    torch.set_num_threads(torch.get_num_threads() + 1)


@fault(
    "4-bit weights are dequantised twice",
    listed="4-bit path slower", threads=("bitsandbytes#667", "bitsandbytes#830"), libraries=("bitsandbytes",),
    regimes=QLORA, seen_by=("count.*", "device.kernel_time.step"), word="4-bit path",
)  # fmt: skip
def fourbit_slower() -> None:
    """Do it once for nothing."""
    import bitsandbytes

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        call(*args, **kwargs)
        return call(*args, **kwargs)

    wrap(bitsandbytes.functional, "dequantize_4bit", around)


@fault(
    "4-bit layers keep their input for a gradient that nobody wants",
    listed="activations kept for frozen weights", threads=("bitsandbytes#1270",), libraries=("bitsandbytes",),
    regimes=QLORA, seen_by=("vram.peak.train", "memory.*"), word="memory",
)  # fmt: skip
def activations_kept() -> None:
    """Hang it on the context, past the hooks for saved tensors, as the library did."""
    from bitsandbytes.autograd._functions import MatMul4Bit

    def around(call: Around, ctx: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        ctx.kept = inputs
        return call(ctx, inputs, *args, **kwargs)

    wrap(MatMul4Bit, "forward", around)


@fault(
    "the allocator's cache is emptied at every step",
    listed="cache emptied every step", threads=("transformers#31372",), libraries=("transformers", "torch"),
    regimes=BOTH, needs=Device.CUDA, seen_by=("count.*", "time.*"), word="cache",
)  # fmt: skip
def cache_emptied() -> None:
    """Set the option that does it."""
    from transformers import TrainingArguments

    def turn(arguments: Any) -> None:
        arguments.torch_empty_cache_steps = 1

    after(TrainingArguments, "__init__", turn, on_result=False)


@fault(
    "every Trainer stays alive, and its model with it",
    listed="objects retained per Trainer", threads=("accelerate#3391",), libraries=("accelerate", "transformers"),
    regimes=BOTH, seen_by=("memory.live_*", "vram.left"), word="alive", reduced=True,
)  # fmt: skip
def trainers_retained() -> None:
    """Keep a list of them."""
    from transformers import Trainer

    kept: list[Any] = []
    after(Trainer, "__init__", kept.append, on_result=False)


@fault(
    "every training step runs one more forward pass",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("count.*", "device.*"), word="times as often",
    reduced=True,
)  # fmt: skip
def extra_forward() -> None:
    """Run it without gradients and with its random numbers given back."""
    import torch
    from transformers import Trainer

    def around(call: Around, trainer: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        with torch.random.fork_rng(), torch.no_grad():
            model(**trainer._prepare_inputs(inputs))
        return call(trainer, model, inputs, *args, **kwargs)

    wrap(Trainer, "training_step", around)


@fault(
    "a Python hook hangs on every module",
    libraries=("accelerate", "torch"), regimes=BOTH, seen_by=("count.python_calls.step",), word="python",
)  # fmt: skip
def hooks_everywhere() -> None:
    """Hang one on that does nothing."""
    from transformers import Trainer

    def hang(trainer: Any) -> None:
        for module in trainer.model.modules():
            module.register_forward_hook(lambda *_: None)

    after(Trainer, "__init__", hang, on_result=False)


@fault(
    "each batch's rows are read and decoded twice",
    libraries=("datasets",), regimes=BOTH, seen_by=("count.python_calls.step",), word="python",
)  # fmt: skip
def rows_read_twice() -> None:
    """Read them once for nothing."""
    from datasets import Dataset

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        call(*args, **kwargs)
        return call(*args, **kwargs)

    wrap(Dataset, "__getitems__", around)


@fault(
    "every step waits for its loss",
    libraries=("transformers",), regimes=BOTH, seen_by=("count.syncs.step",), word="waits for the device",
)  # fmt: skip
def sync_each_step() -> None:
    """Fetch the number."""
    from transformers import Trainer

    after(Trainer, "training_step", lambda loss: loss.item(), on_result=True)


@fault(
    "batches travel to the device, back, and there again",
    libraries=("accelerate", "transformers"), regimes=BOTH, needs=Device.CUDA, seen_by=("count.copies.step",),
    word="device copies",
)  # fmt: skip
def inputs_copied_twice() -> None:
    """Send them once more."""
    from transformers import Trainer

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return {name: value.cpu().to(value.device) for name, value in call(*args, **kwargs).items()}

    wrap(Trainer, "_prepare_inputs", around)


@fault(
    "the Trainer keeps every batch until it is let go of",
    libraries=("transformers",), regimes=BOTH, seen_by=("memory.left_by_step",), word="leaves 4 tensors",
)  # fmt: skip
def batches_kept() -> None:
    """In a list: gone at tear-down."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        vars(trainer).setdefault("kept", []).append({name: value.clone() for name, value in inputs.items()})
        return call(trainer, model, inputs, *args, **kwargs)

    wrap(Trainer, "training_step", around)


@fault(
    "the garbage collector runs at every step",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("count.system_calls.step",), word="gc.collect",
)  # fmt: skip
def collected_each_step() -> None:
    """As `release_memory` does."""
    import gc

    from transformers import Trainer

    def collect(_: Any) -> None:
        gc.collect()

    after(Trainer, "training_step", collect, on_result=True)


FAULTS = of(vars())
