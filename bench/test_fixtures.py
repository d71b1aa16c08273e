"""Holds the two ways of building a model together."""

import pytest

from benchsuite.meters import model_map


def test_a_fixture_builds_what_the_worker_built(pytestconfig, suite_case, suite_record, regime_model):
    """The fixtures' model has the record's module map, trainable parameters and stored elements."""
    if pytestconfig.getoption("--suite-replay"):
        pytest.skip("an earlier run is judged again: nothing is built here")
    built = model_map.describe(regime_model(suite_case))
    assert built["params.trainable"] == suite_record.metrics["params.trainable"].value
    assert built["params.stored"] == suite_record.metrics["params.stored"].value
    assert built["model.modules"] == suite_record.fingerprint["model.modules"]
