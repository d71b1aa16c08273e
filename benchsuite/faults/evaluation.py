"""Faults of evaluation, and of modes: the Trainer says something else of the model than the model says itself."""

from __future__ import annotations

from typing import Any

from benchsuite.faults._fault import BOTH, QLORA, Around, fault, of, wrap


def _around_prediction(around: Around) -> None:
    from transformers import Trainer

    wrap(Trainer, "prediction_step", around)


@fault(
    "evaluation runs under bfloat16 autocast, training does not",
    libraries=("accelerate", "transformers"), regimes=BOTH, seen_by=("model.modes",), word="autocast",
)  # fmt: skip
def evaluation_autocast() -> None:
    """Compute each prediction inside autocast."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast(device, torch.bfloat16):
            return call(*args, **kwargs)

    _around_prediction(around)


@fault(
    "the Trainer evaluates in training mode; a bare eval() works",
    libraries=("transformers",), regimes=BOTH, seen_by=("model.modes",), word="mode",
)  # fmt: skip
def predictions_in_training_mode() -> None:
    """Switch it on before each prediction."""
    _around_prediction(lambda call, trainer, model, *args, **kwargs: call(trainer, model.train(), *args, **kwargs))


@fault(
    "each prediction is held against its neighbour's label",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("function.evaluation",), word="labels",
)  # fmt: skip
def evaluation_labels_shifted() -> None:
    """Roll the labels that a prediction returns."""

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        loss, logits, labels = call(*args, **kwargs)
        return loss, logits, labels.roll(1)

    _around_prediction(around)


@fault(
    "evaluation sees the rows in another order",
    libraries=("transformers", "datasets"), regimes=BOTH, seen_by=("input.evaluation",), word="evaluation sees",
)  # fmt: skip
def evaluation_rows_shuffled() -> None:
    """Shuffle the data set at the door of the evaluation loader."""
    from transformers import Trainer

    def around(call: Around, trainer: Any, eval_dataset: Any = None) -> Any:
        whole = trainer.eval_dataset if eval_dataset is None else eval_dataset
        return call(trainer, whole.shuffle(seed=1))

    wrap(Trainer, "get_eval_dataloader", around)


@fault(
    "the adapter is rounded to bfloat16 on its way into the file, which says float32",
    libraries=("peft",), regimes=QLORA, seen_by=("saved.values",), word="the file does not hold",
)  # fmt: skip
def adapter_rounded() -> None:
    """There and back again."""
    import peft.peft_model

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return {name: value.bfloat16().float() for name, value in call(*args, **kwargs).items()}

    wrap(peft.peft_model, "get_peft_model_state_dict", around)


@fault(
    "the adapter is rounded to bfloat16 when it is read",
    libraries=("peft",), regimes=QLORA, seen_by=("saved.values",), word="reload does not restore",
)  # fmt: skip
def adapter_read_rounded() -> None:
    """There and back again."""
    import peft.peft_model

    def around(call: Around, *args: Any, **kwargs: Any) -> Any:
        return {name: value.bfloat16().float() for name, value in call(*args, **kwargs).items()}

    wrap(peft.peft_model, "load_peft_weights", around)


@fault(
    "evaluation keeps every batch until it is over",
    libraries=("transformers", "accelerate"), regimes=BOTH, seen_by=("memory.kept_by_batch",),
    word="keeps",
)  # fmt: skip
def evaluation_keeps_batches() -> None:
    """On the device, beside what was answered."""
    from transformers import Trainer

    kept: list[Any] = []

    def look(call: Around, trainer: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        kept.append(inputs)
        return call(trainer, model, inputs, *args, **kwargs)

    def loop(call: Around, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        finally:
            kept.clear()

    _around_prediction(look)
    wrap(Trainer, "evaluation_loop", loop)


FAULTS = of(vars())
