"""What a user means by SPEC: a path to a Python environment, or requirements over the running one. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..freeze import BUILD
from ..nouns import UsageError

GIVE = (
    'Give a path to a virtual environment or its python, or requirements such as "transformers==4.57.6 peft==0.18.0".'
)
OPERATOR = re.compile(r"\s*(===|==|~=|!=|<=|>=|<|>|@)\s*")
REQUIREMENT = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(\[[A-Za-z0-9,._-]*\])?((?:===?|~=|!=|<=?|>=?|@).+)?"
)
BETWEEN = re.compile(r"\s+|,(?![=~!<>])(?![^\[]*\])")
"""Parts two requirements: a space, or a comma that no bound and no list of extras goes on after."""
OURS = "benchsuite"
"""Never part of an arm: in either arm the caller's own copy of the suite runs."""


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One arm as the user wrote it."""

    text: str
    path: str
    """Folder or python of an environment; empty where the text names requirements."""
    requirements: tuple[str, ...]
    """As pip and uv read them; empty where the text is a path."""


def parse(text: str, *, exists: bool) -> Spec:
    """Read a SPEC.

    Args:
        text: What the user wrote.
        exists: Whether there is a file or folder of that name.

    Raises:
        UsageError: it is neither a path nor requirements.
    """
    words = text.strip()
    if not words:
        raise UsageError(f"an arm is empty. {GIVE}")
    if exists or words.startswith((".", "/", "~")) or "\\" in words:
        return Spec(text=words, path=words, requirements=())
    return Spec(text=words, path="", requirements=_requirements(words))


def _requirements(words: str) -> tuple[str, ...]:
    close = re.sub(r"\s*,\s*(?=[=~!<>])", ",", OPERATOR.sub(r"\1", words))
    found = tuple(_checked(word, words) for word in BETWEEN.split(close) if word)
    if not any(set(word) & set("=~!<>@") for word in found):
        raise UsageError(f"there is no environment {words!r}, and as requirements it names no version. {GIVE}")
    return found


def _checked(word: str, words: str) -> str:
    match = REQUIREMENT.fullmatch(word)
    if match is None:
        raise UsageError(f"{word!r} in {words!r} is neither a path that exists nor a requirement. {GIVE}")
    name, extras, rest = match.groups(default="")
    return f"{name}{extras} @ {rest[1:]}" if rest.startswith("@") else word


def plain(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# ---------------------------------------------------------------- what a resolver is told


def preferences(installed: Mapping[str, str]) -> str:
    """The running versions, local labels included, as lines that a resolver keeps where it can."""
    return "".join(f"{name}=={version}\n" for name, version in sorted(installed.items()) if name != OURS)


def wanted(requirements: Iterable[str], installed: Mapping[str, str]) -> str:
    """What an arm must hold: everything that is installed now, by name alone, and what the user asked for.

    The libraries of one CUDA build are left to the build of torch, which pins its own.
    """
    names = [name for name in sorted(installed) if name != OURS and not BUILD.fullmatch(name)]
    return "".join(f"{line}\n" for line in (*names, *requirements))


def pins(resolved: str) -> tuple[str, ...]:
    """The lines of a resolved set, sorted, without comments."""
    lines = (line.partition(" #")[0].strip() for line in resolved.splitlines())
    return tuple(sorted(line for line in lines if line and not line.startswith(("#", "-"))))


def digest(value: object) -> str:
    """Names a folder of a cache."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
