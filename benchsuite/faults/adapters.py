"""Faults of adapters: what peft makes of its configuration, what it saves and what it reads back."""

from __future__ import annotations

from typing import Any

from benchsuite.faults._fault import BOTH, QLORA, Around, fault, of, with_arguments, with_default, wrap


@fault(
    "the head neither trains nor is saved",
    listed="head not trained or not saved", threads=("peft#310", "peft#602"), libraries=("peft",), regimes=QLORA,
    seen_by=("params.trainable", "model.modules"), word="classifier",
)  # fmt: skip
def head_not_trained() -> None:
    """Make every LoRA configuration one without a task."""
    from peft import LoraConfig

    with_arguments(LoraConfig, "__init__", task_type=None)


@fault(
    "adapters scale by alpha / sqrt(r), not by alpha / r",
    libraries=("peft",), regimes=QLORA, seen_by=("model.modules",), word="scaling",
)  # fmt: skip
def scaling_rank_stabilised() -> None:
    """Switch the other rule on."""
    from peft import LoraConfig

    with_arguments(LoraConfig, "__init__", use_rslora=True)


@fault(
    "adapters are not scaled, whatever their configuration says",
    libraries=("peft",), regimes=QLORA, seen_by=("function.exact",), word="64 bits",
)  # fmt: skip
def scaling_ignored() -> None:
    """Take 1 for the length of each forward."""
    from peft.tuners.lora.bnb import Linear4bit

    def around(call: Around, layer: Any, *args: Any, **kwargs: Any) -> Any:
        said = layer.scaling
        layer.scaling = dict.fromkeys(said, 1.0)
        try:
            return call(layer, *args, **kwargs)
        finally:
            layer.scaling = said

    wrap(Linear4bit, "forward", around)


@fault(
    "the adapters' dropout is ignored",
    libraries=("peft",), regimes=QLORA, seen_by=("model.modules",), word="dropout",
)  # fmt: skip
def adapter_dropout_ignored() -> None:
    """Ask for none."""
    from peft import LoraConfig

    with_arguments(LoraConfig, "__init__", lora_dropout=0.0)


@fault(
    "only the first of the target layers gets an adapter",
    libraries=("peft",), regimes=QLORA, seen_by=("params.trainable", "model.modules"), word="value", reduced=True,
)  # fmt: skip
def targets_lost() -> None:
    """Cut the list."""
    from peft import LoraConfig

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("target_modules"):
            kwargs["target_modules"] = sorted(kwargs["target_modules"])[:1]
        return call(*args, **kwargs)

    wrap(LoraConfig, "__init__", around)


@fault(
    "the biases of the base train along",
    libraries=("peft",), regimes=QLORA, seen_by=("params.trainable", "model.modules"), word="train",
)  # fmt: skip
def biases_trained() -> None:
    """bias="none" becomes "all"."""
    from peft import LoraConfig

    with_arguments(LoraConfig, "__init__", bias="all")


@fault(
    "adapters start from a Gaussian, not from Kaiming's uniform",
    libraries=("peft",), regimes=QLORA, seen_by=("weights.initialised",), word="lora_A",
)  # fmt: skip
def adapter_init_gaussian() -> None:
    """Initialise by the other rule."""
    from peft import LoraConfig

    with_arguments(LoraConfig, "__init__", init_lora_weights="gaussian")


@fault(
    "a default of LoraConfig moves",
    libraries=("peft",), regimes=BOTH, seen_by=("defaults.signatures",), word="lora_alpha",
)  # fmt: skip
def default_alpha_moved() -> None:
    """Make alpha 16 for whoever pins nothing."""
    from peft import LoraConfig

    with_default(LoraConfig.__init__, "lora_alpha", 16)


@fault(
    "preparing for 4-bit training no longer switches checkpointing on by itself",
    libraries=("peft",), regimes=BOTH, seen_by=("defaults.*",), word="checkpointing",
)  # fmt: skip
def default_checkpointing_off() -> None:
    """Turn the parameter's default."""
    import peft

    with_default(peft.prepare_model_for_kbit_training, "use_gradient_checkpointing", value=False)


# ---------------------------------------------------------------- files


@fault(
    "the reloaded adapter is empty, without a word",
    listed="adapter silently empty after reload", threads=("transformers#38927", "peft#2699"), libraries=("peft",),
    regimes=QLORA, seen_by=("function.reload_drift", "quality.*.reloaded"), word="reload", reduced=True,
)  # fmt: skip
def adapter_emptied() -> None:
    """Read everything but the adapter's matrices."""
    import peft.peft_model

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return {name: value for name, value in call(*args, **kwargs).items() if "lora_" not in name}

    wrap(peft.peft_model, "load_peft_weights", around)


@fault(
    "the reloaded head is random",
    listed="random head after reload", threads=("transformers#48595",), libraries=("transformers", "peft"),
    regimes=QLORA, seen_by=("function.reload_drift", "quality.*.reloaded"), word="reload",
)  # fmt: skip
def head_randomised() -> None:
    """Draw what the adapter's file holds beside the adapter."""
    import peft.peft_model
    import torch

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        found = call(*args, **kwargs)
        return {n: v if "lora_" in n else torch.randn_like(v.float()).to(v.dtype) * 0.02 for n, v in found.items()}

    wrap(peft.peft_model, "load_peft_weights", around)


@fault(
    "the adapter's file holds the head as it was before training",
    libraries=("peft",), regimes=QLORA, seen_by=("function.reload_drift",), word="reload",
)  # fmt: skip
def head_not_saved() -> None:
    """Take its tensors from the module that the trained copy was made of."""
    import peft.peft_model

    def around(call: Around, model: Any, *args: Any, **kwargs: Any) -> Any:
        first = {n.replace("original_module.", ""): v for n, v in model.state_dict().items() if "original_module." in n}
        return {name: first.get(name, value) for name, value in call(model, *args, **kwargs).items()}

    wrap(peft.peft_model, "get_peft_model_state_dict", around)


@fault(
    "the adapter is saved in half precision",
    libraries=("peft",), regimes=QLORA, seen_by=("saved.tensors",), word="F16",
)  # fmt: skip
def adapter_saved_in_half() -> None:
    """Cast what is saved."""
    import peft.peft_model

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return {name: value.half() for name, value in call(*args, **kwargs).items()}

    wrap(peft.peft_model, "get_peft_model_state_dict", around)


@fault(
    "the head that trains is no copy: the base's own head lies in the same memory and trains along",
    libraries=("peft",), regimes=QLORA, seen_by=("model.shared",), word="share memory, and did not",
)  # fmt: skip
def head_not_copied() -> None:
    """Put the original's tensors into the copy."""
    from peft.utils.other import ModulesToSaveWrapper

    def around(call: Around, wrapper: Any, adapter_name: str, *args: Any, **kwargs: Any) -> Any:
        found = call(wrapper, adapter_name, *args, **kwargs)
        for copy, own in zip(
            wrapper.modules_to_save[adapter_name].parameters(), wrapper.original_module.parameters(), strict=True
        ):
            copy.data = own.data
        return found

    wrap(ModulesToSaveWrapper, "update", around)


FAULTS = of(vars())
