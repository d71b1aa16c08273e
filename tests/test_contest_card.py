"""The verdict card: one line to act on, four questions a case, effects with interval and cause. Golden files.

`python tests/test_contest_card.py` writes the golden files anew.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from contests import CASE, Field, carded, numbers, played
from judging import GOLDEN, gpu_case

from benchsuite import codec
from benchsuite.contest import card_markdown, card_text
from benchsuite.contest.card import SECTIONS, section_of
from benchsuite.nouns import Outcome, Role

PACKAGES = {"transformers": "4.57.6", "huggingface-hub": "0.36.2"}
MAPS = {
    arm: {"bert.embeddings.word_embeddings": {"class": "Embedding", "dtype": dtype, "trains": False},
          "classifier": {"class": "Linear", "dtype": dtype, "trains": True}}
    for arm, dtype in (("A", "float16"), ("B", "float32"))
}  # fmt: skip
MIB = 2**20


def upgraded(record, arm, attempt):
    """B loads what stays unquantised in float32, and its second trial was disturbed."""
    packages = dict(record.environment.packages) | {"huggingface-hub": "2.4.0"} | (PACKAGES if arm == "A" else {})
    environment = replace(record.environment, packages=packages, notes={"python": "3.12.3"})
    dtypes = {"float16" if arm == "A" else "float32": 23_959_961, "uint8": 42_467_328}
    more = 2 * 23_959_961 * (arm == "B")
    record = numbers(record, vram__after_reload=94_581_555 + more, nvml__throttle_reasons=4 + 0x20 * (attempt == 1))
    return replace(record, environment=environment, fingerprint={"model.modules": MAPS[arm], "model.dtypes": dtypes})


@cache
def worse():
    """QLoRA after an upgrade that loads too wide, beside FP32 that is what it was; QLoRA's kernels are slower."""
    field = Field(spoil=upgraded, scale={"device.kernel_time.step": 1.012})
    return carded(played(field, (gpu_case("qlora"),), budget=240), budget=240)


@cache
def same():
    """Two cases, nothing changed but kernels that are 2 % faster."""
    field = Field(scale={"device.kernel_time.step": 0.98})
    return carded(played(field, (CASE, gpu_case("qlora")), budget=240), budget=240)


@cache
def undecided():
    """Too little time."""
    return carded(played(Field(), budget=20), budget=20)


CARDS = {"ab-worse": worse, "ab-better": same, "ab-undecided": undecided}
FORMS = {"txt": card_text.render, "md": card_markdown.render}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", CARDS)
def test_the_card_as_people_read_it(name, form):
    """Word for word."""
    assert FORMS[form](CARDS[name]()) == (GOLDEN / f"{name}.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "code", "line"), [
    ("ab-worse", 1, "DO NOT UPGRADE YET: "),
    ("ab-better", 0, "NOTHING REGRESSED: "),
    ("ab-undecided", 3, "NOT DECIDED: "),
])  # fmt: skip
def test_the_line_on_top_and_the_exit_code_agree(name, code, line):
    """One word says what to do."""
    card = CARDS[name]()
    assert card.exit_code == code
    assert card.headline.startswith(line)


def test_the_line_on_top_names_the_likeliest_cause():
    """The one that explains most."""
    assert worse().headline.endswith("transformers 4.57.6 -> 5.23.0")
    assert "24.0 M elements of modules are float32, were float16" in worse().headline


def test_every_figure_stands_under_one_question():
    """Device, host and wall time under speed; bytes under memory; nothing is lost."""
    case = worse().cases[0]
    assert tuple(section.name for section in case.sections) == SECTIONS
    where = {v.metric: section.name for section in case.sections for v in section.verdicts}
    assert where["device.kernel_time.step"] == where["time.host.step"] == where["time.step"] == "speed"
    assert (where["vram.after_reload"], where["model.modules"]) == ("memory", "semantics")
    assert all(section_of(v) == s.name for s in case.sections for v in s.verdicts)


def test_timed_figures_carry_effect_interval_and_what_could_be_seen():
    """Of every one that the pairs decide, whatever the outcome."""
    timed = [v for v in worse().cases[0].sections[0].verdicts if v.interval]
    assert {v.metric for v in timed} == {
        "device.kernel_time.step", "time.host.step", "time.step", "time.train", "latency.batch"
    }  # fmt: skip
    assert all(v.interval[0] <= v.effect <= v.interval[1] and v.detectable > 0 for v in timed)
    slower = next(v for v in timed if v.metric.startswith("device"))
    assert slower.outcome is Outcome.REGRESSED
    assert slower.effect == pytest.approx(0.012, abs=0.002)


def test_no_verdict_of_times_that_pairs_did_not_decide():
    """One trial of each arm says nothing of a load time."""
    names = {v.metric for section in worse().cases[0].sections for v in section.verdicts}
    assert "time.load" not in names
    assert not any(name.startswith("nvml.") for name in names)


def test_the_card_as_json():
    """Everything, for programs."""
    data = json.loads(codec.dumps(codec.encode(worse())))
    assert data["schema"] == 1
    assert data["exit_code"] == 1
    assert data["arms"]["B"] == {"text": "transformers==6.0.0", "python": "3.12.3"}
    assert data["packages"] == {
        "transformers": ["4.57.6", "5.23.0"], "huggingface-hub": ["0.36.2", "2.4.0"],
    }  # fmt: skip
    (case,) = data["cases"]
    assert case["dropped"] == ["attempt 2: the GPU was slowed down by heat"]
    verdict = next(v for s in case["sections"] for v in s["verdicts"] if v["metric"] == "vram.after_reload")
    assert verdict["cause"].startswith("24.0 M elements")
    assert {v["role"] for s in case["sections"] for v in s["verdicts"]} <= {Role.GATE.value, Role.EXPLAIN.value}


if __name__ == "__main__":
    for name, make in CARDS.items():
        for form, render in FORMS.items():
            Path(GOLDEN / f"{name}.{form}").write_text(render(make()), encoding="utf-8")
