"""Makes runs into baselines: checks what may become one, decides what is written, writes it.

What decides is pure; `promote` alone reads and writes, through `store`. Needs neither torch nor a
GPU, so that a run made elsewhere can be promoted anywhere. Does not judge: whether a change is
welcome is what the person who gives the reason says.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

from . import __version__, store
from .admission import Entry, Key, check, unlike_inputs
from .nouns import Approval, Baseline, Metric, Record, SuiteError, UsageError
from .pooling import changes, merge, names, pool, uneven
from .promoted import Lock, Promoted, PromotionReport

ALIKE = 0.6
"""Likeness from which a name is offered in place of one that matches nothing."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What `only` limits a promotion to, as two globs."""

    case: str
    metric: str

    @property
    def whole(self) -> bool:
        """True where whole cases are promoted."""
        return self.metric == "*"

    def has(self, metric: str) -> bool:
        """True where the metric is to be replaced."""
        return fnmatchcase(metric, self.metric)


# ---------------------------------------------------------------- what is chosen


def choose(entries: Sequence[Entry], old: Mapping[Key, Baseline], only: str) -> tuple[Wanted, list[Entry]]:
    """Reads `only` ("CASE-GLOB/METRIC-GLOB", or "CASE-GLOB" for all metrics) and the records that it means.

    Raises:
        UsageError: it matches nothing; the message lists near names.
    """
    case, _, metric = only.partition("/")
    wanted = Wanted(case=case or "*", metric=metric or "*")
    chosen = [entry for entry in entries if fnmatchcase(entry.key[1], wanted.case)]
    if not chosen:
        raise UsageError(f"--only: no case matches {case!r}. {_near(case, {e.key[1] for e in entries})}")
    if wanted.whole:
        return wanted, chosen
    known = {e.key: _known(old.get(e.key), (o.record for o in chosen if o.key == e.key)) for e in chosen}
    matched = [entry for entry in chosen if any(map(wanted.has, known[entry.key]))]
    if not matched:
        raise UsageError(f"--only: no metric matches {metric!r}. {_near(metric, set().union(*known.values()))}")
    return wanted, matched


def _known(old: Baseline | None, new: Iterable[Record]) -> set[str]:
    # Names of the old trials too: a metric that is gone can be promoted away.
    return {name for record in (*(old.trials if old else ()), *new) for name in names(record)}


def _near(text: str, among: Iterable[str]) -> str:
    like = {name: _likeness(text.strip("*"), name) for name in sorted(among)}
    near = sorted((name for name in like if like[name] > ALIKE), key=lambda name: -like[name])
    return f"{'Near' if near else 'There are'}: {', '.join((near or list(like))[:10])}."


def _likeness(text: str, name: str) -> float:
    # A slug's pieces count too: people type a regime, not the whole of it.
    return max(difflib.SequenceMatcher(None, text, piece).ratio() for piece in (name, *name.split("--")))


# ---------------------------------------------------------------- what is promoted


def decide(old: Baseline | None, entries: Sequence[Entry], wanted: Wanted) -> Baseline:
    """The new baseline of one case, its history still the old one's.

    Raises:
        SuiteError: metrics are to be replaced where there is no baseline, or one that measured something else.
    """
    new = pool(entry.record for entry in entries)
    history = old.history if old else ()
    if wanted.whole:
        return replace(new, history=history)
    name = entries[0].key[1]
    if old is None:
        raise SuiteError(f"{name} has no baseline on {new.machine} yet: promote the whole case, without a metric glob")
    gap = unlike_inputs(old.trials[0], new.trials[0])
    if gap:
        raise SuiteError(f"{name}: its baseline and the new trials differ in {gap}: promote the whole case")
    return merge(old, new, wanted.has)


def lock_kept(promoted: Mapping[str, Baseline], existing: Iterable[str], only: str) -> str:
    """Why one machine's lock stays as it is; empty where it is to be rewritten. Both by slug."""
    left = sorted(set(existing) - promoted.keys())
    if left:
        return f"{len(left)} of this machine's cases not promoted in this call: {', '.join(left)}"
    if only and tuple(existing):
        return "--only limits this promotion; promote all cases of this machine without it to renew the lock"
    if len({baseline.freeze for baseline in promoted.values()}) > 1:
        return "its cases were measured with different packages; measure them all with one stack to renew the lock"
    return ""


def promote(
    runs: Sequence[Path],
    *,
    baselines: Path,
    reason: str,
    now: str,
    only: str = "",
    metrics: Mapping[str, Metric] = MappingProxyType({}),
) -> PromotionReport:
    """Pools the records of `runs` by machine and case and writes them as baselines.

    Args:
        runs: Folders of runs, or files of single records.
        baselines: The folder of all baselines.
        reason: Why, for the history.
        now: UTC, ISO 8601, for the history.
        only: "CASE-GLOB/METRIC-GLOB" or "CASE-GLOB"; empty for everything.
        metrics: Declarations that give the report its units; those absent are shown as bare numbers.

    Raises:
        SuiteError: what must not become a baseline (see `check`, `choose`, `decide`), or a file's trouble.
            Nothing is written then, unless the disk itself fails between two files.
    """
    if not reason.strip():
        raise UsageError("a promotion needs a reason: say with --reason why these figures are the new normal")
    entries = read(runs)
    check(entries)
    old = _existing(baselines, {entry.key[0] for entry in entries})
    wanted, chosen = choose(entries, old, only)
    approve = Approval(when=now, reason=reason.strip(), runs=(), suite=__version__, only=only, changes=())
    new: dict[Key, Baseline] = {}
    for key in dict.fromkeys(entry.key for entry in chosen):
        mine = [entry for entry in chosen if entry.key == key]
        decided = decide(old.get(key), mine, wanted)
        act = replace(
            approve, runs=tuple(dict.fromkeys(e.run for e in mine)), changes=_moved(old, key, decided, metrics)
        )
        new[key] = replace(decided, history=(*decided.history, act))
    return _write(baselines, old, new, only)


def _moved(old: Mapping[Key, Baseline], key: Key, new: Baseline, metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    units = {name: metric.unit for name, metric in metrics.items()}
    return changes(old[key], new, units) if key in old else ()


def read(runs: Iterable[Path]) -> list[Entry]:
    """Every record of the runs, run by run and trial by trial; a file reached twice counts once."""
    found: dict[Path, Entry] = {}
    for run in runs:
        for file, record in store.load_files(run):
            found.setdefault(file.resolve(), Entry(run=_run_name(file), file=str(file), record=record))
    return list(found.values())


def _run_name(file: Path) -> str:
    folder = file.resolve().parent
    return folder.parent.name if folder.name == "records" else file.stem


def _existing(baselines: Path, machines: Iterable[str]) -> dict[Key, Baseline]:
    return {(m, name): found for m in sorted(machines) for name, found in store.load_baselines(baselines, m).items()}


def _write(baselines: Path, old: Mapping[Key, Baseline], new: Mapping[Key, Baseline], only: str) -> PromotionReport:
    done = []
    for (machine, name), baseline in new.items():
        path = store.baseline_path(baselines, machine, name)
        store.save_baseline(path, baseline)
        done.append(_promoted(path, name, old.get((machine, name)), baseline))
    locks = [_lock(baselines, machine, old, new, only) for machine in dict.fromkeys(machine for machine, _ in new)]
    return PromotionReport(promoted=tuple(done), locks=tuple(locks))


def _promoted(path: Path, name: str, old: Baseline | None, new: Baseline) -> Promoted:
    return Promoted(
        machine=new.machine,
        case=name,
        file=str(path),
        trials=len(new.trials),
        first=old is None,
        changes=new.history[-1].changes,
        notes=uneven(new),
    )


def _lock(baselines: Path, machine: str, old: Mapping[Key, Baseline], new: Mapping[Key, Baseline], only: str) -> Lock:
    mine = {name: baseline for (m, name), baseline in new.items() if m == machine}
    why = lock_kept(mine, [name for m, name in old if m == machine], only)
    if not why:
        store.write_lock(baselines, machine, next(iter(mine.values())).freeze)
    path = str(store.lock_path(baselines, machine))
    return Lock(
        machine=machine, file=path, written=not why, why=why or "all cases of this machine were promoted together"
    )
