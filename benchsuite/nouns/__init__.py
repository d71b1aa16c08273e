"""The words of the suite, as frozen values.

Every other module speaks in these. Nothing here computes beyond its own fields, touches a file or
imports anything of ours; results (`Record`, `Verdict`) have no defaults, so that whoever makes one
must say everything it claims.
"""

from .inputs import Case, Examples, Job, Model, Plan, Profile, Setting, Split, Transform
from .kinds import JSON, SCHEMA, Better, Device, Kind, Outcome, Phase, Role, Status, Weights
from .noise import CaseNoise, MachineNoise, Noise, Sitting, Spread, Stack
from .options import Entry, Estimate, Options, SuiteError, UsageError
from .records import Approval, Baseline, Environment, Measured, Metric, Predictions, Provenance, Record
from .verdicts import FAILING, JUDGED, CaseResult, Finding, RunResult, Verdict

__all__ = [
    "FAILING", "JSON", "JUDGED", "SCHEMA", "Approval", "Baseline", "Better", "Case", "CaseNoise", "CaseResult",
    "Device", "Entry", "Environment", "Estimate", "Examples", "Finding", "Job", "Kind", "MachineNoise", "Measured",
    "Metric", "Model", "Noise", "Options", "Outcome", "Phase", "Plan", "Predictions", "Profile", "Provenance", "Record",
    "Role", "RunResult", "Setting", "Sitting", "Split", "Spread", "Stack", "Status", "SuiteError", "Transform",
    "UsageError", "Verdict", "Weights",
]  # fmt: skip
