"""Turns options into cases: pure, and the only place that knows which model a profile uses by default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace

from .identity import difference, digest, short_id, slug
from .nouns import JSON, Case, Device, Entry, Model, Options, Profile, Record, Transform, UsageError
from .registry import pick, regimes, tasks

__all__ = [
    "EMBEDDED", "PROFILES", "PUBLISHED", "SEED", "alike", "asked_for", "cases", "describe", "difference", "digest",
    "held", "model_of", "origin", "short_id", "slug", "spelt_out", "task_of",
]  # fmt: skip

EMBEDDED = "toy-bert"
"""The model that ships inside the package; used with the task `toy`."""
PUBLISHED = "bert-base-uncased"
SEED = 42
CORE = Options().regimes
"""The regimes that are measured unless told otherwise."""
NAMED_BERT = re.compile(r"(?<![a-z])bert(?![a-z])|minilm")
"""Names of BERTs proper: "distilbert" and "modernbert" name their layers otherwise."""
BERT: Mapping[str, tuple[str, ...]] = {"lora_targets": ("query", "value"), "unquantised": ("classifier",)}
"""What a BERT needs said; other architectures are resolved by the worker."""

PROFILES: Mapping[str, Profile] = {
    p.name: p
    for p in (
        # The embedded BERT is 64 wide: with BERT-base's learning rates it would not move in one minute.
        Profile(
            name="tiny", device=Device.CPU, task="toy", trials=1, epochs=2, max_steps=-1, train_rows=1600,
            train_batch=16, eval_batch=32, max_length=32, logging_steps=10, lr_scale=25.0, latency_warmup=3,
            shared=False, timeout=600.0, guess=15.0,
        ),
        Profile(
            name="quick", device=Device.CUDA, task="sst2", trials=5, epochs=1, max_steps=60, train_rows=20_000,
            train_batch=16, eval_batch=32, max_length=128, logging_steps=10, lr_scale=1.0, latency_warmup=3,
            shared=False, timeout=900.0, guess=40.0,
        ),
        Profile(
            name="full", device=Device.CUDA, task="sst2", trials=1, epochs=2, max_steps=-1, train_rows=20_000,
            train_batch=16, eval_batch=32, max_length=128, logging_steps=100, lr_scale=1.0, latency_warmup=3,
            shared=False, timeout=7200.0, guess=900.0,
        ),
        Profile(
            name="lean", device=Device.CUDA, task="sst2", trials=1, epochs=1, max_steps=-1, train_rows=20_000,
            train_batch=16, eval_batch=32, max_length=128, logging_steps=100, lr_scale=1.0, latency_warmup=3,
            shared=False, timeout=3600.0, guess=300.0, lean=True,
        ),
        Profile(
            name="notebook", device=Device.CUDA, task="sst2", trials=1, epochs=2, max_steps=-1, train_rows=20_000,
            train_batch=16, eval_batch=32, max_length=128, logging_steps=100, lr_scale=1.0, latency_warmup=0,
            shared=True, timeout=14_400.0, guess=900.0,
        ),
    )
}  # fmt: skip


def describe(transform: Transform) -> dict[str, JSON]:
    """A transform as data: its name and its parameters."""
    fields = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(transform).items()}
    return {"name": type(transform).__name__, **fields}


def model_of(wish: Entry, profile: Profile) -> Model:
    """The model a case uses: the user's, else the embedded one for `toy` and the published one for the rest."""
    default = EMBEDDED if profile.task == "toy" else PUBLISHED
    name = short_id(wish.model) if wish.model else default
    pinned = BERT if NAMED_BERT.search(name.lower()) else {}
    return Model(
        id=name,
        revision=wish.revision,
        lora_targets=wish.lora_targets or pinned.get("lora_targets", ()),
        unquantised=wish.unquantised or pinned.get("unquantised", ()),
        pad_token=wish.pad_token,
    )


# ---------------------------------------------------------------- what is asked for


def cases(options: Options) -> tuple[Case, ...]:
    """Every case that the options ask for: profile by profile and regime by regime, then those that pyproject adds.

    Raises:
        UsageError: an unknown profile, regime or task, a count that makes no sense, or two cases of one name.
    """
    return tuple(case for case, _ in _planned(options).values())


def held(records: Iterable[Record], options: Options) -> tuple[Case, ...]:
    """The cases of a replayed run as they were measured, each with as many trials as are there, or as are asked for.

    Of the profiles and regimes that the options name; of all where they name none.

    Raises:
        UsageError: the run holds none of these.
    """
    there = tuple(records)
    last = {slug(record.case): record for record in there}
    chosen = [record for record in last.values() if asked_for(record.case, options)]
    if not chosen:
        raise UsageError(
            f"--suite-replay {options.replay!r} holds no case of {', '.join((*options.profiles, *options.regimes))}; "
            f"it holds: {', '.join(last) or 'nothing'}."
        )
    return tuple(_with_trials(record, there, options.trials) for record in chosen)


def asked_for(case: Case, options: Options) -> bool:
    """True where the options name a case's profile and regime, or leave them open."""
    profile, regime = not options.profiles or case.profile.name in options.profiles, not options.regimes
    return profile and (regime or case.regime in options.regimes)


def spelt_out(names: Iterable[str]) -> tuple[str, ...]:
    """Regimes by name, each once: "core" is the default's, "all" every one that is known; others as they are."""
    found: list[str] = []
    for name in names:
        found += CORE if name == "core" else regimes() if name == "all" else (name,)
    return tuple(dict.fromkeys(found))


def _with_trials(record: Record, there: tuple[Record, ...], wanted: int) -> Case:
    same = sum(slug(other.case) == slug(record.case) and other.digest == record.digest for other in there)
    return replace(record.case, profile=replace(record.case.profile, trials=wanted or same))


def origin(options: Options, case: Case) -> Entry:
    """The wish that a case came from: where its model and its data lie, which the case itself does not say."""
    alone = replace(options, profiles=(case.profile.name,), regimes=(case.regime,))
    _, wish = _planned(alone).get(slug(case), (case, _own(options)))
    return wish


def alike(one: Case, other: Case) -> bool:
    """True where two cases differ in nothing but their regime."""
    return replace(one, regime=other.regime, transforms=other.transforms) == other


def without_spare_rows(case: Case) -> Case:
    """The case with only as many training rows as its steps take: tokenising more can take longer than the steps.

    For what is held against its like alone: rows, their order and what comes of them are not a baseline's.
    """
    profile = case.profile
    if profile.max_steps < 1:
        return case
    rows = min(profile.train_rows, profile.max_steps * profile.train_batch)
    return replace(case, profile=replace(profile, train_rows=rows))


def _planned(options: Options) -> dict[str, tuple[Case, Entry]]:
    if options.trials < 0 or options.steps < 0:
        raise UsageError("trials and steps cannot be negative; 0 means the profile's own")
    found: dict[str, tuple[Case, Entry]] = {}
    own = _own(options)
    for wish in (own, *_filled(options.entries, own)):
        for case in _cases_of(options, wish):
            if slug(case) in found:
                _check_same(*found[slug(case)], case, wish, said=found[slug(case)][1] is not own)
            # The last one says most: an entry spells out the model that an option names.
            found[slug(case)] = (case, wish)
    return found


def _check_same(known: Case, first: Entry, case: Case, wish: Entry, *, said: bool) -> None:
    """Refuse two wishes for one name that mean different places or, where both are spelt out, different cases."""
    moved = [difference(known, case)] if said and known != case else []
    places = [(first.model or known.model.id, wish.model or case.model.id), (first.data, wish.data)]
    moved += [f"{old or 'none'} -> {new or 'none'}" for old, new in places if old != new]
    if moved:
        raise UsageError(
            f"two cases of this run are both named {slug(case)}, and differ: {'; '.join(moved)}. Give one of the "
            "models' folders another name, or take one entry out of [[tool.benchsuite.case]]."
        )


def _own(options: Options) -> Entry:
    """What the options themselves ask for."""
    return Entry(
        profiles=options.profiles, regimes=options.regimes, task=options.task, data=options.data, model=options.model,
        weights=options.weights, seeds=(SEED,),
    )  # fmt: skip


def _filled(entries: Iterable[Entry], own: Entry) -> Iterator[Entry]:
    for entry in entries:
        # Data is of one task: the run's goes with an entry of the same one.
        data = entry.data or (own.data if entry.task in ("", own.task or "sst2") else "")
        yield replace(
            entry, data=data, regimes=entry.regimes or own.regimes, task=entry.task or own.task,
            profiles=_common(own.profiles, entry.profiles), model=entry.model or own.model,
            weights=entry.weights or own.weights, seeds=entry.seeds or own.seeds,
        )  # fmt: skip


def _common(run: Iterable[str], entry: tuple[str, ...]) -> tuple[str, ...]:
    for name in entry:
        pick("profile", name, PROFILES)
    return tuple(name for name in run if not entry or name in entry)


def _cases_of(options: Options, wish: Entry) -> Iterator[Case]:
    chosen = [PROFILES[pick("profile", name, PROFILES)] for name in dict.fromkeys(wish.profiles)]
    names = [pick("regime", name, {*regimes(), "core", "all"}) for name in spelt_out(wish.regimes)]
    for profile in chosen:
        for name in names:
            for seed in dict.fromkeys(wish.seeds):
                yield _case(options, wish, profile, name, seed)


def _case(options: Options, wish: Entry, profile: Profile, regime: str, seed: int) -> Case:
    model = model_of(wish, profile)
    sized = replace(
        profile,
        trials=options.trials or profile.trials,
        max_steps=options.steps or profile.max_steps,
        lr_scale=profile.lr_scale if model.id == EMBEDDED else 1.0,
    )
    task = tasks()[pick("task", task_of(wish, profile), tasks())]
    return Case(
        task=task.name,
        task_revision=task.revision,
        regime=regime,
        transforms=tuple(describe(t) for t in regimes()[regime]),
        profile=sized,
        model=model,
        weights=wish.weights or options.weights,
        device=profile.device,
        seed=seed,
    )


def task_of(wish: Entry, profile: Profile) -> str:
    """The task's name: the one asked for, SST-2 for data and a model of the user's, else the profile's own.

    The embedded model knows no words but the toy's; data without a model is refused by the task that takes none.
    """
    return wish.task or ("sst2" if wish.data and wish.model else profile.task)
