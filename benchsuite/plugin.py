"""The pytest plugin: hooks and fixtures that translate, and nothing more.

The parent imports no torch and makes no CUDA context; trials are processes of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn, TypeVar, cast

import pytest

from . import cases, environment, preflight, progress, registry, settings, wording
from .fixtures import OPTIONS, fp32_model, qlora_model, regime_model, tokenized
from .nouns import (
    Baseline,
    Case,
    CaseResult,
    Device,
    Options,
    Record,
    RunResult,
    Status,
    SuiteError,
    UsageError,
    Verdict,
)
from .session import Session

T = TypeVar("T")
SESSION = pytest.StashKey[Session]()
FINISHED = pytest.StashKey[tuple[RunResult | None, str]]()
"""The whole run, and why its reports could not be written."""
SAVED_KEY = "benchsuite"
"""Ours, in a file of pytest-benchmark's: versions and driver."""
REPORTED = pytest.StashKey[dict[str, str]]()
"""Which item told of a case's failure, by slug: the others skip and point at it."""

__all__ = ["fp32_model", "qlora_model", "regime_model", "tokenized"]  # pytest finds fixtures in this module

IN_PROCESS = frozenset(__all__)

# ---------------------------------------------------------------- options and session


def pytest_addoption(parser: pytest.Parser) -> None:
    """One group, one prefix; every option has an ini twin."""
    group = parser.getgroup("benchsuite", "benchmarks and regression checks of fine-tuning stacks")
    for setting in settings.SETTINGS:
        twin = f"suite_{setting.name.replace('-', '_')}"
        if setting.type is bool:
            group.addoption(f"--suite-{setting.name}", action="store_true", default=None, help=setting.help)
            parser.addini(twin, setting.help, type="bool", default=False)
        else:
            group.addoption(f"--suite-{setting.name}", default=None, metavar=setting.metavar, help=setting.help)
            parser.addini(twin, setting.help, default="")


def pytest_configure(config: pytest.Config) -> None:
    """Markers; options parsed once, so that a mistyped name is a usage error before anything is collected."""
    config.addinivalue_line("markers", "gpu: needs a CUDA device")
    config.addinivalue_line(
        "markers", "suite_case(profile='tiny', regime='fp32'): the case that the suite's fixtures mean in this test"
    )
    config.stash[REPORTED] = {}
    try:
        given = {s.name: _given(config, s) for s in settings.SETTINGS}
        config.stash[OPTIONS] = options = settings.parse(given, root=config.rootpath)
        if any(value not in (None, "", False) for value in given.values()):
            cases.cases(options)
    except UsageError as error:
        raise pytest.UsageError(f"benchsuite: {error}") from error
    _name_saves(config)


def _given(config: pytest.Config, setting: settings.Setting) -> Any:
    value = config.getoption(f"--suite-{setting.name}")
    return config.getini(f"suite_{setting.name.replace('-', '_')}") if value is None else value


def session_of(config: pytest.Config) -> Session:
    """The one run of this pytest session, made when first asked for."""
    if SESSION not in config.stash:
        config.stash[SESSION] = Session(
            config.stash[OPTIONS], lambda label: _shown(config, label), parent_cuda=_parent_holds_cuda
        )
    return config.stash[SESSION]


def _parent_holds_cuda() -> bool:
    torch = sys.modules.get("torch")
    return bool(torch is not None and torch.cuda.is_initialized())


@contextmanager
def _shown(config: pytest.Config, label: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Progress on the real terminal: a trial runs inside a test, where pytest captures."""
    from rich.console import Console

    capture = config.pluginmanager.getplugin("capturemanager")
    terminal = config.pluginmanager.getplugin("terminalreporter")
    with capture.global_and_fixture_disabled() if capture else _nothing():
        if terminal is not None:
            terminal.ensure_newline()
        with progress.shown(Console(quiet=terminal is None, soft_wrap=True), label) as tell:
            yield tell


@contextmanager
def _nothing() -> Iterator[None]:
    yield


# ---------------------------------------------------------------- collection


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item a case for each test that asks for `suite_case`."""
    if "suite_case" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("suite_case")
    options = metafunc.config.stash[OPTIONS]
    try:
        found = cases.cases(_marked(options, marker) if marker is not None else options)
    except UsageError as error:
        pytest.fail(f"benchsuite: {error}", pytrace=False)
    metafunc.parametrize("suite_case", [_param(case) for case in found], indirect=True, scope="session")


def _marked(options: Options, marker: pytest.Mark) -> Options:
    known = {"profile": options.profiles, "regime": options.regimes}
    wrong = sorted(set(marker.kwargs) - set(known))
    if wrong or marker.args:
        raise UsageError(f"suite_case takes profile= and regime=, not {', '.join(wrong) or marker.args}")
    profile, regime = marker.kwargs.get("profile"), marker.kwargs.get("regime")
    return replace(
        options,
        profiles=(profile,) if profile else options.profiles,
        regimes=(regime,) if regime else options.regimes,
    )


def _param(case: Case) -> Any:
    marks = [pytest.mark.gpu] if case.device is Device.CUDA else []
    return pytest.param(case, id=f"{case.regime}-{case.profile.name}-{case.model.id}", marks=marks)


def case_of(item: pytest.Item) -> Case | None:
    """The case that an item was made for."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("suite_case") if callspec else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Cases that this machine cannot run are skipped, with what was seen and what to do."""
    # Built in-process, a model may leave a CUDA context behind, and a trial under such a parent is invalid.
    items.sort(key=lambda item: not IN_PROCESS.isdisjoint(getattr(item, "fixturenames", ())))
    if config.stash[OPTIONS].require_gpu or config.option.collectonly:
        return
    for item in items:
        case = case_of(item)
        why = _or_exit(lambda case=case: session_of(config).missing_gpu(case)) if case else ""  # type: ignore[misc]
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Everything that can be known to be wrong is said now; then how long it will take."""
    config = session.config
    if config.option.collectonly:
        return
    wanted = [case for item in session.items if (case := case_of(item)) and not _skipped(item)]
    selected = tuple({cases.slug(case): case for case in wanted}.values())
    if not selected:
        return
    # pytest calls this even where the hook above ended the run.
    suite = _or_exit(lambda: session_of(config))
    _or_exit(lambda: _require_gpu(suite, selected))
    _or_exit(lambda: preflight.tell(suite.options, selected, _say(config), context=suite.parent_cuda()))
    _or_exit(lambda: suite.preflight(selected))
    _tell_estimate(config, suite, selected)


def _skipped(item: pytest.Item) -> bool:
    return any(mark.name == "skip" for mark in item.iter_markers())


def _require_gpu(suite: Session, selected: Sequence[Case]) -> None:
    missing = [case for case in selected if suite.missing_gpu(case)]
    if missing:
        raise SuiteError(f"--suite-require-gpu: {suite.missing_gpu(missing[0])}")


def _or_exit(call: Callable[[], T]) -> T:
    try:
        return call()
    except SuiteError as error:
        pytest.exit(f"benchsuite: {error}", returncode=error.exit_code)


def _say(config: pytest.Config) -> Callable[[str], object]:
    terminal = config.pluginmanager.getplugin("terminalreporter")
    return terminal.write_line if terminal else lambda _: None


def _tell_estimate(config: pytest.Config, suite: Session, selected: Sequence[Case]) -> None:
    terminal = config.pluginmanager.getplugin("terminalreporter")
    if terminal is None or suite.options.replay:
        return
    estimate = suite.estimate(selected)
    source = "as the baselines' trials took" if estimate.source == "baseline" else "a guess, there is no baseline yet"
    noun = "trial" if estimate.trials == 1 else "trials"
    terminal.write_line(
        f"benchsuite: {len(selected)} cases, {estimate.trials} {noun}, "
        f"about {progress.duration(estimate.seconds)} ({source})"
    )


# ---------------------------------------------------------------- fixtures


@pytest.fixture(scope="session")
def suite_case(request: pytest.FixtureRequest) -> Case:
    """The case under test; tests that ask for it run once for each selected case."""
    return cast("Case", request.param)


@pytest.fixture
def suite_result(request: pytest.FixtureRequest, suite_case: Case) -> CaseResult:
    """The case's records and verdicts. Measured once a session; skips where a trial failed and was told of."""
    config, name = request.config, cases.slug(suite_case)
    told = config.stash[REPORTED]
    if name in told:
        pytest.skip(f"its trial failed: see {told[name]}")
    try:
        result = session_of(config).result(suite_case)
    except SuiteError as error:
        told[name] = request.node.nodeid
        pytest.fail(f"benchsuite: {error}", pytrace=False)
    broken = [verdict for verdict in result.verdicts if verdict.concern == "trial" and verdict.fails]
    if broken:
        told[name] = request.node.nodeid
        if not config.stash[OPTIONS].gate:
            pytest.skip(f"its trial failed: {broken[0].detail.splitlines()[0]}")
        _fail(broken)
    return result


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
        failing = [v for v in suite_result.verdicts if v.concern == concern and v.fails]
        if failing and gate:
            _fail(failing)

    return check


@pytest.fixture
def suite_sibling(request: pytest.FixtureRequest, suite_case: Case) -> Callable[[str], Record | None]:
    """A function: the first record of the same case under another regime, where this run has it."""
    suite = session_of(request.config)

    def sibling(regime: str) -> Record | None:
        same = [c for c in suite.selected if c.regime == regime and c.profile.name == suite_case.profile.name]
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
    return registry.tasks()["sst2" if options.data else "toy"]


# ---------------------------------------------------------------- reporting


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Verdicts, failing ones first; the last line is the tally."""
    run, problem = config.stash.get(FINISHED, (None, ""))
    if run is not None and run.results:
        terminalreporter.section("benchsuite")
        terminalreporter.write_line(registry.reporters()["terminal"].render(run))
        if not problem:
            terminalreporter.write_line(f"records, verdicts.json, summary.csv, report.md: {config.stash[SESSION].run}")
    if problem:
        terminalreporter.write_line(f"benchsuite: {problem}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A failing verdict fails the run even where no selected test shows it; an unfit environment ends with 2."""
    suite = session.config.stash.get(SESSION, None)
    if suite is None or suite.run is None:
        return
    session.config.stash[FINISHED] = finished = _finished(suite)
    if suite.errors or finished[1]:
        session.exitstatus = SuiteError.exit_code
    elif exitstatus == 0:
        session.exitstatus = suite.exit_code()


def _finished(suite: Session) -> tuple[RunResult | None, str]:
    run = None
    try:
        run = suite.outcome()
        suite.write(run)
    except SuiteError as error:
        return run, str(error)
    return run, ""


def pytest_report_header() -> str:
    """The versions under guard, without importing them."""
    found = environment.guarded(environment.packages())
    return "benchsuite: " + ", ".join(f"{name} {version}" for name, version in found.items())


# ---------------------------------------------------------------- pytest-benchmark


def _name_saves(config: pytest.Config) -> None:
    """Autosaved files say in their name on what they were measured."""
    if getattr(config.option, "benchmark_autosave", None):
        versions = environment.guarded(environment.packages())
        keys = "_".join(
            f"{name}{versions[name].split('+')[0]}" for name in ("torch", "transformers") if name in versions
        )
        machine = environment.machine_slug(_gpu(config))
        config.option.benchmark_autosave += f"_{machine}_{keys}"


def _gpu(config: pytest.Config) -> environment.Gpu | None:
    """The GPU that would be used, for a name: a broken driver is told of where a case needs it."""
    try:
        found = environment.gpus()
        return environment.choose(found, config.stash[OPTIONS].device) if found else None
    except SuiteError:
        return None


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Keep only stable hardware: what an upgrade moves would make every comparison warn."""
    if SESSION in config.stash:
        _stabilise(config, machine_info)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_compare_machine_info(
    config: pytest.Config, machine_info: dict[str, Any], compared_benchmark: dict[str, Any]
) -> None:
    """Compare a saved run of ours by what was saved: this is asked before any case has been seen."""
    if SAVED_KEY in compared_benchmark:
        _stabilise(config, machine_info)


def _stabilise(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    gpu = _gpu(config)
    stable = {
        "node": environment.machine_slug(gpu),
        "machine": machine_info.get("machine"),
        "system": machine_info.get("system"),
        "cpu": {"brand_raw": environment.cpu_model()},
        "gpu": gpu.name if gpu else None,
    }
    machine_info.clear()
    machine_info.update(stable)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Versions and driver, under a key of their own."""
    if SESSION in config.stash:
        gpu = _gpu(config)
        output_json[SAVED_KEY] = {
            "packages": environment.guarded(environment.packages()),
            "driver": gpu.driver if gpu else None,
        }
