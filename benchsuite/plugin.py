"""The pytest plugin: hooks and fixtures that translate, and nothing more.

The parent imports no torch and makes no CUDA context; trials are processes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from . import __version__, cases, environment, registry, settings
from .fixtures import OPTIONS, fp32_model, qlora_model, regime_model, tokenized
from .nouns import Case, Device, Options, RunResult, SuiteError, UsageError
from .plugin_benchmark import (
    name_saves,
    pytest_benchmark_compare_machine_info,
    pytest_benchmark_update_json,
    pytest_benchmark_update_machine_info,
)
from .plugin_fixtures import (
    suite_baseline,
    suite_case,
    suite_check,
    suite_record,
    suite_result,
    suite_sibling,
    suite_task,
    suite_trials,
    suite_verdicts,
)
from .plugin_parallel import REFUSAL, REFUSED, hush, is_worker, pytest_testnodedown, refuse
from .plugin_session import REPORTED, SESSION, session_of

if TYPE_CHECKING:
    from .session import Session

__all__ = [
    "fp32_model", "pytest_benchmark_compare_machine_info", "pytest_benchmark_update_json",
    "pytest_benchmark_update_machine_info", "pytest_testnodedown", "qlora_model", "regime_model", "suite_baseline",
    "suite_case", "suite_check", "suite_record", "suite_result", "suite_sibling", "suite_task", "suite_trials",
    "suite_verdicts", "tokenized",
]  # fmt: skip
# pytest finds hooks and fixtures in this module alone, wherever they are written.

IN_PROCESS = frozenset({"fp32_model", "qlora_model", "regime_model", "tokenized"})
T = TypeVar("T")
FINISHED = pytest.StashKey[tuple[RunResult | None, str]]()
"""The whole run, and why its reports could not be written."""

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
    config.addinivalue_line("markers", "suite_trial: fails where its case's trial failed; the case's others then skip")
    config.addinivalue_line(
        "markers", "suite_case(profile='tiny', regime='fp32'): the case that the suite's fixtures mean in this test"
    )
    config.stash[REPORTED] = {}
    try:
        given = {s.name: _given(config, s) for s in settings.SETTINGS}
        config.stash[OPTIONS] = options = settings.parse(given, root=config.rootpath)
        if options.entries or any(value not in (None, "", False) for value in given.values()):
            cases.cases(options)
    except UsageError as error:
        raise pytest.UsageError(f"benchsuite: {error}") from error
    if options.replay:
        _or_exit(lambda: session_of(config))
    name_saves(config)
    hush(config)


def _given(config: pytest.Config, setting: settings.Setting) -> Any:
    value = config.getoption(f"--suite-{setting.name}")
    return config.getini(f"suite_{setting.name.replace('-', '_')}") if value is None else value


# ---------------------------------------------------------------- collection


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item a case for each test that asks for `suite_case`."""
    if "suite_case" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("suite_case")
    options = metafunc.config.stash[OPTIONS]
    try:
        found = _known(metafunc.config, _marked(options, marker) if marker is not None else options)
    except UsageError as error:
        pytest.fail(f"benchsuite: {error}", pytrace=False)
    metafunc.parametrize("suite_case", [_param(case) for case in found], indirect=True, scope="session")


def _known(config: pytest.Config, options: Options) -> Sequence[Case]:
    if not options.replay:
        return cases.cases(options)
    return [case for case in session_of(config).cases if cases.asked_for(case, options)]


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
        entries=(),
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
    if is_worker(config) and _selected(items):
        refuse(config, items)
    if config.stash[OPTIONS].require_gpu or config.option.collectonly:
        return
    for item in items:
        case = case_of(item)
        why = _or_exit(lambda case=case: session_of(config).ground.missing_gpu(case)) if case else ""  # type: ignore[misc]
        if why:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Everything that can be known to be wrong is said now; then how long it will take."""
    config = session.config
    selected = () if config.option.collectonly else _selected(session.items)
    if not selected:
        return
    from . import preflight

    # pytest calls this even where the hook above ended the run.
    suite = _or_exit(lambda: session_of(config))
    _or_exit(lambda: _require_gpu(suite, selected))
    _or_exit(lambda: preflight.tell(suite.options, selected, _say(config), context=suite.parent_cuda()))
    _or_exit(lambda: suite.preflight(selected))
    _tell_estimate(config, suite, selected)


def _selected(items: Sequence[pytest.Item]) -> tuple[Case, ...]:
    """The cases that `items` will ask for, each once."""
    wanted = [case for item in items if (case := case_of(item)) and not _skipped(item)]
    return tuple({cases.slug(case): case for case in wanted}.values())


def _skipped(item: pytest.Item) -> bool:
    return any(mark.name == "skip" for mark in item.iter_markers())


def _require_gpu(suite: Session, selected: Sequence[Case]) -> None:
    missing = [case for case in selected if suite.ground.missing_gpu(case)]
    if missing:
        raise SuiteError(f"--suite-require-gpu: {suite.ground.missing_gpu(missing[0])}")


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
    from . import progress

    estimate = suite.estimate(selected)
    source = "as the baselines' trials took" if estimate.source == "baseline" else "a guess, there is no baseline yet"
    terminal.write_line(
        f"benchsuite: {len(selected)} {'case' if len(selected) == 1 else 'cases'}, {progress.trials(estimate)}, "
        f"about {progress.duration(estimate.seconds)} ({source})"
    )


# ---------------------------------------------------------------- reporting


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Generator[None, None, None]:
    """Verdicts after every other plugin's tables, failing ones first; the last line is the tally."""
    yield
    run, problem = config.stash.get(FINISHED, (None, REFUSAL if REFUSED in config.stash else ""))
    if run is not None and run.results:
        terminalreporter.section("benchsuite")
        terminalreporter.write_line(registry.reporters()["terminal"].render(run))
        if not problem:
            files = "records, verdicts.json, summary.csv, report.md, report.html"
            terminalreporter.write_line(f"{files}: {config.stash[SESSION].run}")
    if problem:
        terminalreporter.write_line(f"benchsuite: {problem}", red=True)
    for aside in config.stash[SESSION].asides if SESSION in config.stash else ():
        terminalreporter.write_line(f"benchsuite: {aside}", yellow=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A failing verdict fails the run even where no selected test shows it; an unfit environment ends with 2."""
    if REFUSED in session.config.stash:
        session.exitstatus = UsageError.exit_code
        return
    suite = session.config.stash.get(SESSION, None)
    if suite is None or suite.run is None:
        return
    suite.end()
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


def pytest_report_header(config: pytest.Config) -> list[str]:
    """The versions under guard, without importing them, and what was asked of the suite."""
    found = environment.guarded(environment.packages())
    versions = ", ".join(f"{name} {version}" for name, version in found.items())
    given = {s.name: _given(config, s) for s in settings.SETTINGS}
    asked = [f"{name}={value}" for name, value in given.items() if value not in (None, "", False)]
    return [f"benchsuite {__version__}: {versions}", *([f"suite: {', '.join(asked)}"] if asked else [])]
