"""The published file and the claims that are made of it."""

import pytest
from judging import published

from benchsuite.published import claims

CLAIMS = {claim.name: claim for claim in claims(published())}
ROWS = published()["rows"]


@pytest.mark.parametrize("name", CLAIMS)
def test_each_claim_holds_on_the_published_file(name):
    """What was published supports what was claimed."""
    holds, figures = CLAIMS[name].check(ROWS["fp32"], ROWS["qlora"])
    assert holds, figures


def test_the_claims_are_the_seven_published_ones():
    """No claim is lost, and each names the metrics it reads and what it presumes."""
    assert sorted(CLAIMS) == [
        "accuracy", "latency", "trainable-share", "training-time", "vram-eval", "vram-load", "vram-train",
    ]  # fmt: skip
    for claim in CLAIMS.values():
        assert set(claim.metrics) <= ROWS["fp32"].keys()
        assert "bert-base-uncased" in claim.premise
    assert "Tesla T4" in CLAIMS["latency"].premise


@pytest.mark.parametrize(
    ("name", "metric", "value"),
    [
        ("accuracy", "quality.accuracy.reloaded", 0.9163 - 0.0151),
        ("latency", "latency.sample", 0.0075969),
        ("trainable-share", "params.trainable", 1_094_838),
        ("trainable-share", "params.total", 0),
        ("training-time", "time.train", 876.0),
        ("vram-eval", "vram.peak.evaluate", 1.6e9),
        ("vram-load", "vram.after_reload", 4.5e8),
        ("vram-train", "vram.peak.train", 2.7e9),
    ],
)
def test_each_claim_can_fail(name, metric, value):
    """A QLoRA that is no better breaks the claim and shows the figures."""
    holds, figures = CLAIMS[name].check(ROWS["fp32"], ROWS["qlora"] | {metric: value})
    assert not holds
    assert figures


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_without_its_figures_does_not_hold(name):
    """What was not measured is said to be missing, on its side."""
    assert CLAIMS[name].check(ROWS["fp32"], {}) == (
        False,
        "not measured: " + ", ".join(f"QLoRA has no {metric}" for metric in CLAIMS[name].metrics),
    )


def test_figures_are_told_with_units():
    """A claim's answer shows both sides in people's units."""
    assert CLAIMS["vram-train"].check(ROWS["fp32"], ROWS["qlora"])[1] == "FP32 -> QLoRA: 2526.1 -> 1638.9 MB (-35 %)"
    assert CLAIMS["training-time"].check(ROWS["fp32"], ROWS["qlora"])[1] == "FP32 -> QLoRA: 14.59 -> 7.55 min (-48 %)"


def test_the_file_has_every_published_figure():
    """Epoch accuracies and losses, stored elements and the shared-process note are in the file."""
    file = published()
    assert file["epochs"]["fp32"][1] == {
        "epoch": 2, "accuracy": 0.916284, "training_loss": 0.1387, "validation_loss": 0.358879,
    }  # fmt: skip
    assert file["epochs"]["qlora"][0]["accuracy"] == 0.893349
    assert file["stored"]["qlora"]["elements"] == 67_312_900
    assert any("`notebook` profile" in note for note in file["notes"])
    assert len(file["confounds"]) == 4
