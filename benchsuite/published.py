"""The published claims about FP32 and QLoRA, as checks over two rows of figures.

Pure over the loaded `baselines/published/tesla-t4.json`: reading that file belongs to `store`, and
whether a fresh record meets a claim's premise to whoever asks. A row maps metric names to base
units, as the file's own `rows` do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .nouns import JSON
from .units import show, show_change

Row = Mapping[str, float]
Check = Callable[[Row, Row], tuple[bool, str]]

POINTS = 0.015
"""How far QLoRA's accuracy may lie below FP32's."""
SHARE = 0.01
"""What QLoRA's trainable share stays under."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One published claim."""

    name: str
    statement: str
    premise: str
    """What must be true of a fresh run for the claim to be asked of it, in words."""
    metrics: tuple[str, ...]
    """The metrics that `check` reads, in both rows."""
    check: Check
    """(FP32's row, QLoRA's row) -> whether the claim holds, and the figures. A missing metric does not hold."""


def claims(published: Mapping[str, JSON]) -> tuple[Claim, ...]:
    """The claims of the published run, with its device in their premises."""
    device = published.get("device", "the published device")
    inputs = "pretrained bert-base-uncased on real SST-2, under profile `full` or `notebook`"
    speed = f"{inputs}, on a {device}: on faster devices QLoRA is bound by kernel launches"
    memory = f"{inputs}, on any one CUDA device"
    return (
        _claim(
            "accuracy", f"QLoRA's accuracy is within {POINTS * 100:g} points of FP32's", inputs, ACCURACY, _accurate
        ),
        _less("vram-train", "QLoRA needs less VRAM in training", memory, "vram.peak.train", "B"),
        _less("vram-load", "QLoRA needs less VRAM after load", memory, "vram.after_reload", "B"),
        _less("vram-eval", "QLoRA needs less VRAM in evaluation", memory, "vram.peak.evaluate", "B"),
        _less("training-time", "QLoRA trains faster", speed, "time.train", "s"),
        _less("latency", "QLoRA's latency per sample is lower", speed, "latency.sample", "s"),
        _claim(
            "trainable-share",
            f"QLoRA trains under {SHARE * 100:g} % of the parameters",
            "bert-base-uncased, on any device",
            "params.trainable params.total",
            _small_share,
        ),
    )


ACCURACY = "quality.accuracy.reloaded"


def _claim(name: str, statement: str, premise: str, metrics: str, check: Check) -> Claim:
    names = tuple(metrics.split())
    return Claim(name=name, statement=statement, premise=premise, metrics=names, check=_guarded(names, check))


def _guarded(names: tuple[str, ...], check: Check) -> Check:
    def guarded(fp32: Row, qlora: Row) -> tuple[bool, str]:
        sides = (("FP32", fp32), ("QLoRA", qlora))
        absent = [f"{side} has no {name}" for side, row in sides for name in names if name not in row]
        return (False, "not measured: " + ", ".join(absent)) if absent else check(fp32, qlora)

    return guarded


def _less(name: str, statement: str, premise: str, metric: str, unit: str) -> Claim:
    def check(fp32: Row, qlora: Row) -> tuple[bool, str]:
        return qlora[metric] < fp32[metric], f"FP32 -> QLoRA: {show_change(fp32[metric], qlora[metric], unit)}"

    return _claim(name, statement, premise, metric, check)


def _accurate(fp32: Row, qlora: Row) -> tuple[bool, str]:
    a, b = fp32[ACCURACY], qlora[ACCURACY]
    return a - b <= POINTS, f"FP32 -> QLoRA: {show_change(a, b, '1')}"


def _small_share(fp32: Row, qlora: Row) -> tuple[bool, str]:  # noqa: ARG001 - one signature for all claims
    trainable, total = qlora["params.trainable"], qlora["params.total"]
    if total <= 0:
        return False, f"QLoRA has {show(total, '1')} parameters"
    return trainable / total < SHARE, f"{trainable:,.0f} of {total:,.0f} parameters ({trainable / total * 100:.2f} %)"
