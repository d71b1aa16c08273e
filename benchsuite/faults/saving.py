"""Faults of what is left behind: files beside the weights, what is made of them, and how training is resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchsuite.faults._fault import BOTH, FP32, QLORA, Around, fault, of, with_arguments, wrap


def _saved(turn: Callable[[Path], None]) -> None:
    """Let `turn` loose on each folder that the Trainer saved a model to."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, output_dir: Any = None, *args: Any, **kwargs: Any) -> Any:
        result = call(trainer, output_dir, *args, **kwargs)
        turn(Path(output_dir or trainer.args.output_dir))
        return result

    wrap(Trainer, "save_model", around)


@fault(
    "the saved configuration says float16 of a float32 file",
    libraries=("transformers",), regimes=FP32, seen_by=("saved.config",), word="dtype float32 -> float16",
)  # fmt: skip
def config_dtype_wrong() -> None:
    """Write it under both of its names."""

    def turn(folder: Path) -> None:
        file = folder / "config.json"
        said = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps(said | {"dtype": "float16", "torch_dtype": "float16"}), encoding="utf-8")

    _saved(turn)


@fault(
    "the tokenizer is not saved with the model",
    libraries=("transformers",), regimes=BOTH, seen_by=("saved.tokenizer",), word="saved tokenizer",
)  # fmt: skip
def tokenizer_not_saved() -> None:
    """Take its files away, by which transformers 5 reads a blank one."""

    def turn(folder: Path) -> None:
        for file in (*folder.glob("*token*"), *folder.glob("vocab.*")):
            file.unlink()

    _saved(turn)


@fault(
    "the reloaded adapter trains, though nobody asked for it",
    libraries=("peft",), regimes=QLORA, seen_by=("model.modules.reloaded",), word="reloaded model",
)  # fmt: skip
def reloaded_adapter_trains() -> None:
    """Overrule the default."""
    from peft import PeftModel

    with_arguments(PeftModel, "from_pretrained", is_trainable=True)


@fault(
    "a training that is resumed begins its optimizer anew",
    libraries=("transformers", "accelerate"), regimes=FP32, word="resumed", seen_by=("defaults.resumed",),
)  # fmt: skip
def resumed_without_optimizer() -> None:
    """Leave the optimizer's and the schedule's files where they are."""
    from transformers import Trainer

    wrap(Trainer, "_load_optimizer_and_scheduler", lambda *_, **__: None)


@fault(
    "a training that is resumed draws other random numbers",
    libraries=("transformers", "torch"), regimes=FP32, word="resumed", seen_by=("defaults.resumed",),
)  # fmt: skip
def resumed_with_other_numbers() -> None:
    """Leave the generators where they stand."""
    from transformers import Trainer

    wrap(Trainer, "_load_rng_state", lambda *_, **__: None)


FAULTS = of(vars())
