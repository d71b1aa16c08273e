"""Fixtures on a measured case: its record, baseline and verdicts. A case is measured when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest

from . import cases, registry, wording
from .fixtures import OPTIONS, teller
from .nouns import Baseline, Case, CaseResult, Record, Status, SuiteError, Verdict
from .plugin_properties import note_case, note_verdicts
from .plugin_session import REPORTED, session_of

if TYPE_CHECKING:
    from .session import Session


@pytest.fixture(scope="session")
def suite_case(request: pytest.FixtureRequest) -> Case:
    """The case under test; tests that ask for it run once for each selected case."""
    return cast("Case", request.param)


@pytest.fixture
def suite_result(request: pytest.FixtureRequest, suite_case: Case) -> CaseResult:
    """The case's records and verdicts. Measured once a session; skips where a trial failed and was told of."""
    config, name = request.config, cases.slug(suite_case)
    note_case(request.node, name)
    told = config.stash[REPORTED]
    if told.get(name, request.node.nodeid) != request.node.nodeid:
        pytest.skip(f"its trial failed: see {told[name]}")
    try:
        result = session_of(config).result(suite_case)
    except SuiteError as error:
        _leave_to_teller(request, name)
        pytest.fail(f"benchsuite: {error}", pytrace=False)
    broken = [verdict for verdict in result.verdicts if verdict.concern == "trial" and verdict.fails]
    if broken:
        note_verdicts(request.node, broken)
        _leave_to_teller(request, name)
        if not config.stash[OPTIONS].gate:
            pytest.skip(f"its trial failed: {broken[0].detail.splitlines()[0]}")
        _fail(broken)
    return result


def _leave_to_teller(request: pytest.FixtureRequest, name: str) -> None:
    told = request.config.stash[REPORTED]
    told[name] = teller(request.node)
    if told[name] != request.node.nodeid:
        pytest.skip(f"its trial failed: see {told[name]}")


def _fail(verdicts: Sequence[Verdict]) -> NoReturn:
    pytest.fail("\n\n".join(wording.paragraph(verdict) for verdict in verdicts), pytrace=False)


@pytest.fixture
def suite_trials(suite_result: CaseResult) -> tuple[Record, ...]:
    """The case's records, one a trial."""
    return suite_result.records


@pytest.fixture
def suite_record(suite_result: CaseResult) -> Record:
    """The record of the case's first trial."""
    return suite_result.records[0]


@pytest.fixture
def suite_baseline(suite_result: CaseResult) -> Baseline | None:
    """The approved baseline of the case on this machine, or None."""
    return suite_result.baseline


@pytest.fixture
def suite_verdicts(suite_result: CaseResult) -> tuple[Verdict, ...]:
    """What is said of each metric of the case."""
    return suite_result.verdicts


@pytest.fixture
def suite_check(request: pytest.FixtureRequest, suite_result: CaseResult) -> Callable[[str], None]:
    """A function that fails the test where a gate metric of a concern regressed or changed."""
    gate = request.config.stash[OPTIONS].gate

    def check(concern: str) -> None:
        mine = [v for v in suite_result.verdicts if v.concern == concern]
        note_verdicts(request.node, mine)
        failing = [v for v in mine if v.fails]
        if failing and gate:
            _fail(failing)

    return check


@pytest.fixture
def suite_sibling(request: pytest.FixtureRequest, suite_case: Case) -> Callable[[str], Record | None]:
    """A function: the first record of the same case under another regime, where this run has it."""
    suite = session_of(request.config)

    def sibling(regime: str) -> Record | None:
        same = [c for c in suite.selected if c.regime == regime and cases.alike(c, suite_case)]
        return _sound(suite, same[0]) if same else None

    return sibling


def _sound(suite: Session, case: Case) -> Record:
    try:
        record = suite.records(case)[0]
    except SuiteError as error:
        pytest.skip(f"{cases.slug(case)} could not be measured: {error}")
    if record.status is not Status.OK:
        pytest.skip(f"the trial of {cases.slug(case)} is {record.status}: {record.problem.splitlines()[0]}")
    return record


@pytest.fixture(scope="session")
def suite_task(request: pytest.FixtureRequest) -> Any:
    """The task named by the options' data, as a plug-in: `load(data, rows)`, `labels`, `margin`."""
    options = request.config.stash[OPTIONS]
    return registry.tasks()[options.task or ("sst2" if options.data else "toy")]
