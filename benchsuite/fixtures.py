"""Models and rows for anyone's own tests, built in-process by the very builders that the worker calls.

Importing this module imports no torch; using a fixture does. On the CPU unless a
device is asked for: a CUDA context in the parent makes every later trial invalid.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from . import builders, cases, checkpoints, plans, registry
from .nouns import Case, Options, Plan, Setting, SuiteError

Factory = Callable[..., Any]
OPTIONS = pytest.StashKey[Options]()
"""Where the plugin keeps the session's options."""


def teller(item: pytest.Item) -> str:
    """Id of the item that tells of a failed trial: the one of the case that is marked `suite_trial`, else `item`'s."""
    # Under xdist the marked one may run in another process, where nobody knows of this failure.
    if hasattr(item.config, "workerinput"):
        return item.nodeid
    marked = (
        other.nodeid
        for other in item.session.items
        if other.get_closest_marker("suite_trial") and _measured(other) == _measured(item)
    )
    return next(marked, item.nodeid)


def _measured(item: pytest.Item) -> Case | None:
    """The case that an item was made for."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("suite_case") if callspec else None


def parts(case: Case) -> tuple[Plan, Setting, tuple[Any, ...]]:
    """Plan, setting and transforms of a case, as the worker has them on the CPU."""
    transforms = registry.regimes()[case.regime]
    setting = Setting(model=case.model, profile=case.profile, device=case.device, capability=None, seed=case.seed)
    return plans.plan_for(transforms, setting), setting, transforms


def build(case: Case, options: Options, *, device: str = "cpu", prepared: bool = True) -> Any:
    """The case's model on `device`, prepared for training unless told otherwise."""
    plan, setting, transforms = parts(case)
    labels = registry.tasks()[case.task].labels
    folder = checkpoints.resolve(options, case, len(labels)) or str(checkpoints.EMBEDDED_FOLDER)
    adapted = any(transform.adapter for transform in transforms)
    setting = builders.resolve(setting, folder, quantised=bool(plan.quantisation), adapted=adapted)
    plan = plans.plan_for(transforms, setting)
    # peft and transformers deprecate each other's names: no matter of the test that asks for a model.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return _built(folder, plan, setting, transforms, labels, device=device, prepared=prepared)


def _built(
    folder: str, plan: Plan, setting: Setting, transforms: Any, labels: Any, *, device: str, prepared: bool
) -> Any:
    model = builders.load_model(folder, plan=plan, setting=setting, transforms=transforms, labels=labels, device=device)
    return builders.prepare_model(model, setting=setting, transforms=transforms) if prepared else model


@contextmanager
def _told() -> Iterator[None]:
    """A user's mistake fails the test with one message, and no traceback."""
    try:
        yield
    except SuiteError as error:
        pytest.fail(f"benchsuite: {error}", pytrace=False)


def _own(options: Options, profile: str, regime: str) -> Case:
    """The case of the run's own model, whatever pyproject adds."""
    (case,) = cases.cases(replace(options, profiles=(profile,), regimes=(regime,), entries=()))
    return case


@pytest.fixture
def regime_model(pytestconfig: pytest.Config) -> Factory:
    """`regime_model("qlora", profile="tiny", device="cpu")`: a regime's model, built as a trial builds it.

    A case, such as `suite_case`, may stand in the regime's place.
    """
    options = pytestconfig.stash[OPTIONS]

    def make(regime: str | Case, *, profile: str = "tiny", device: str = "cpu", prepared: bool = True) -> Any:
        with _told():
            case = regime if isinstance(regime, Case) else _own(options, profile, regime)
            return build(case, options, device=device, prepared=prepared)

    return make


@pytest.fixture
def fp32_model(regime_model: Factory) -> Any:
    """The FP32 regime's model of the profile `tiny`, on the CPU."""
    return regime_model("fp32")


@pytest.fixture
def qlora_model(regime_model: Factory) -> Any:
    """The QLoRA regime's model of the profile `tiny`, on the CPU: 4-bit base, adapters, checkpointing."""
    return regime_model("qlora")


@pytest.fixture
def tokenized(pytestconfig: pytest.Config) -> dict[str, Any]:
    """Tokenised "train" and "validation" rows of the profile `tiny`, as a trial trains on them."""
    options = pytestconfig.stash[OPTIONS]
    with _told():
        case = _own(options, "tiny", "fp32")
        plan, setting, _ = parts(case)
        task = registry.tasks()[case.task]
        folder = checkpoints.resolve(options, case, len(task.labels)) or str(checkpoints.EMBEDDED_FOLDER)
        examples = task.load(cases.origin(options, case).data, case.profile.train_rows)
    tokenizer = builders.load_tokenizer(folder, setting)
    return {
        "train": builders.tokenise(tokenizer, examples.train, plan),
        "validation": builders.tokenise(tokenizer, examples.validation, plan),
    }
