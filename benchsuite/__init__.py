"""Benchmarks and regression checks for fine-tuning stacks, as a pytest plugin and a command."""

from .nouns import (
    Baseline,
    Better,
    Case,
    Environment,
    Finding,
    Kind,
    Measured,
    Metric,
    Model,
    Options,
    Outcome,
    Phase,
    Plan,
    Profile,
    Record,
    Role,
    Setting,
    SuiteError,
    Transform,
    Verdict,
)

__version__ = "0.1.0"

__all__ = [
    "Baseline", "Better", "Case", "Environment", "Finding", "Kind", "Measured", "Metric", "Model", "Options",
    "Outcome", "Phase", "Plan", "Profile", "Record", "Role", "Setting", "SuiteError", "Transform", "Verdict",
]  # fmt: skip
