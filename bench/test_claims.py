"""The published claims: asserted on the published figures always, on a fresh run where their premise holds."""

from pathlib import Path

import pytest

from benchsuite.cases import PUBLISHED
from benchsuite.nouns import Weights
from benchsuite.published import claims
from benchsuite.runfiles import load_published

FILE = load_published(Path(__file__).parent.parent / "baselines")
CLAIMS = claims(FILE)
SPEED = ("training-time", "latency")
"""Claims that hold on the published class of GPU only."""


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_published_figures_bear_the_claim(claim):
    """Each claim follows from the published figures themselves."""
    holds, figures = claim.check(FILE["rows"]["fp32"], FILE["rows"]["qlora"])
    assert holds, f"{claim.statement}: {figures}"


def unmet(case, record, claim):
    """What of a claim's premise a run does not have, or nothing."""
    if case.model.id != PUBLISHED or case.weights is not Weights.PRETRAINED:
        return f"the model is {case.model.id} ({case.weights}), not pretrained {PUBLISHED}"
    if record.provenance.data != "real" or case.profile.name not in ("full", "notebook"):
        return f"data is {record.provenance.data} under the profile {case.profile.name}"
    gpu = record.environment.hardware.get("gpu")
    if claim.name in SPEED and gpu != FILE["device"]:
        return f"the device is {gpu}, the claim is about a {FILE['device']}"
    return ""


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_a_fresh_run_bears_the_claim(claim, suite_case, suite_record, suite_sibling):
    """FP32 and QLoRA of this run bear the claim, where it is the claim's kind of run."""
    if suite_case.regime != "qlora":
        pytest.skip("claims compare QLoRA with FP32: asked once, of QLoRA")
    if why := unmet(suite_case, suite_record, claim):
        pytest.skip(f"premise not met: {why}")
    fp32 = suite_sibling("fp32")
    if fp32 is None:
        pytest.skip("this run has no fp32 beside qlora (--suite-regimes)")
    rows = [{name: m.value for name, m in record.metrics.items()} for record in (fp32, suite_record)]
    holds, figures = claim.check(*rows)
    assert holds, f"{claim.statement}: {figures}"
