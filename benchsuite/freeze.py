"""Package lists that mean something on any machine: freezes of baselines and the text of locks. Pure.

A freeze, and so a lock, holds a package if and only if a trial stood on it: the suite asks for it, its tests
included; or the trial imported it; or one of these asks for it, directly or not (`closure`). Linters, type
checkers, installers and whatever else an environment holds are left out: they decide no figure, and whoever
installs from the lock is free to have others. A trial notes the names (`needs`), so that promoting on another
machine decides nothing anew; where a record has no such note, all its packages are kept. Each trial's
environment still lists everything that was installed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from .nouns import JSON

NEEDS = "needs"
"""Note of a record's environment: names of the packages that the trial stood on."""

BUILD = re.compile(r"(nvidia|cuda)-(?!ml-py$).*|(pytorch-)?triton")
"""Packages that come with one build of torch, which pins them itself."""


def public_freeze(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that mean something on any machine, as sorted "name==version" without local labels.

    Leaves out editables, URLs and benchsuite itself.
    """
    matches = (re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s+@;]+)(\+\S*)?", line.strip()) for line in lines)
    pairs = {(match[1], match[2]) for match in matches if match and _plain(match[1]) != "benchsuite"}
    return tuple(f"{name}=={version}" for name, version in sorted(pairs, key=lambda pair: (_plain(pair[0]), pair)))


def kept(packages: Mapping[str, str], notes: Mapping[str, JSON]) -> tuple[str, ...]:
    """The freeze of a trial: of its packages, those that it stood on."""
    known = notes.get(NEEDS)
    wanted = {_plain(name) for name in packages} if known is None else set(known)
    return public_freeze(f"{name}=={version}" for name, version in packages.items() if _plain(name) in wanted)


def closure(roots: Iterable[str], requires: Callable[[str], Iterable[str]]) -> set[str]:
    """Normalised names of all packages that `roots` lead to, extras and markers of this interpreter heeded.

    Args:
        roots: Requirements, as "name[extra]>=1".
        requires: What a package asks for, by its normalised name, as requirements.
    """
    seen: set[tuple[str, str]] = set()
    waiting = list(_parsed(roots, ""))
    while waiting:
        asked = waiting.pop()
        new = {(_plain(asked.name), extra) for extra in ("", *asked.extras)} - seen
        seen |= new
        waiting += [more for name, extra in new for more in _parsed(requires(name), extra)]
    return {name for name, _ in seen}


def _parsed(texts: Iterable[str], extra: str) -> Iterator[Requirement]:
    """The requirements that hold here under an extra; what old metadata spells wrongly asks for nothing."""
    for text in texts:
        with suppress(InvalidRequirement, UndefinedEnvironmentName):
            found = Requirement(text)
            if found.marker is None or found.marker.evaluate({"extra": extra}):
                yield found


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_text(machine: str, freeze: Iterable[str]) -> str:
    """A constraints file for pip, uv and tox: what `machine`'s baselines were measured with, in public versions.

    The libraries of one CUDA build are left out, so that the lock fits any build of torch; what else `freeze` may
    hold says the module.
    """
    lines = [line for line in public_freeze(freeze) if not BUILD.fullmatch(_plain(line.partition("==")[0]))]
    head = (
        f"# Constraints: the packages that the baselines of {machine} were measured with, in public versions.",
        "# Written by `benchsuite promote`; CUDA libraries are left to the build of torch, which pins its own.",
    )
    return "\n".join((*head, *lines)) + "\n"
