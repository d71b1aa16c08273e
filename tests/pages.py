"""Runs for tests of `report.html`, and a reader of the page. Nothing measured."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from factories import make_approval, make_environment, make_record
from judging import GPU, MIB, gpu_baseline, gpu_case, gpu_record, result, run

from benchsuite.nouns import CaseResult, Measured, Predictions, Record, RunResult, Status

KERNEL = "void at::native::vectorized<4, at::native::Add<float>>(int, at::native::Add<float>, std::array<char*, 3>)"
OLD_PACKAGES = dict(make_environment().packages) | {"transformers": "4.57.6"}


def drawn(record: Record, *, slower: float = 1.0) -> Record:
    """A GPU trial with all that the pictures are made of; `slower` stretches its steps and one kernel."""
    steps = tuple(0.0335 * slower * (1 + 0.002 * ((7 * i) % 11)) for i in range(60))
    peaks = {"load": 92, "prepare": 178, "train": 432, "save": 207, "reload": 160, "evaluate": 223}
    metrics: dict[str, Any] = {
        **{f"vram.peak.{phase}": Measured(value=size * MIB) for phase, size in peaks.items()},
        "vram.after_load": Measured(value=88 * MIB),
        "vram.after_reload": Measured(value=90 * MIB),
        "vram.cublas_workspace": Measured(value=66 * MIB),
        "memory.peak.step": Measured(value=224 * MIB),
        "memory.saved_for_backward": Measured(value=80 * MIB),
        "time.step": Measured(value=steps[30], samples=steps),
        "optimizer.updates": Measured(value=60),
    }
    parts = {
        "kernels.by_name": {KERNEL: 96, "gemm": 300} | ({"cast": 24} if slower > 1 else {}),
        "kernels.times": {KERNEL: 0.002 * slower, "gemm": 0.0075} | ({"cast": 0.0001} if slower > 1 else {}),
        "operators.by_name": {"aten.add.Tensor": 40, "aten.mm.default": 120 if slower > 1 else 124},
        "quality.loss": [0.86, 0.72, 0.697, 0.701, 0.681, 0.673],
        "quality.validation_loss": [0.715],
    }
    metrics = {**record.metrics, **metrics}
    labels = tuple(i % 2 for i in range(872))
    return replace(
        record, metrics=metrics, fingerprint={**record.fingerprint, **parts},
        predictions=Predictions(labels=labels, logits=tuple((1.0, -1.0) for _ in labels)),
    )  # fmt: skip


def case_result(regime: str = "qlora", *, slower: float = 1.0, baseline: bool = True, trials: int = 3) -> CaseResult:
    """A case whose trials are drawn, against a baseline of an older stack."""
    case = gpu_case(regime)
    records = tuple(
        replace(drawn(gpu_record(case, i), slower=slower), started=f"2025-11-04T07:{i:02d}:00+00:00")
        for i in range(trials)
    )
    base = gpu_baseline(case, trials)
    older = make_environment(machine=GPU, hardware=records[0].environment.hardware, packages=OLD_PACKAGES)
    approved = replace(
        base, trials=tuple(drawn(replace(record, environment=older)) for record in base.trials),
        history=(make_approval(),),
    )  # fmt: skip
    return result(case, records, approved if baseline else None)


def whole() -> RunResult:
    """Two regimes on a GPU, the second slower than its baseline, each with a baseline."""
    return run(case_result("fp32"), case_result("qlora", slower=1.3))


def failed() -> RunResult:
    """A case whose every trial died, with a baseline."""
    case = gpu_case()
    dead = make_record(case=case, status=Status.FAILED, problem="killed by signal 9\nout of memory", metrics={},
                       fingerprint={}, predictions=Predictions(labels=(), logits=()),
                       environment=make_environment(machine=GPU))  # fmt: skip
    return run(result(case, (dead,), gpu_baseline(case)))


# ---------------------------------------------------------------- reading a page

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What a browser finds: elements with their parents, and texts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See `HTMLParser`."""
        self.found.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """See `HTMLParser`; an element closed out of its order is refused."""
        assert self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        """See `HTMLParser`."""
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attributes for name, attributes, _ in self.found if name == tag]

    def said(self, tag: str) -> list[str]:
        """The texts that stand directly in elements of a name."""
        return [text for name, text in self.texts if name == tag]
