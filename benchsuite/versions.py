"""Versions of packages, and how two sets of them differ: pure, so that judging and explaining may ask.

Which packages are installed is found out by `environment`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GUARDED = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "tokenizers")
"""The libraries whose upgrades are judged."""
ABSENT = "absent"
INSTALLER = "pip"
"""Puts packages there, and is in no trial: another version of it is no news."""
OWN = "benchsuite"
"""Absent where the suite runs from a folder; its version stands in the record."""


def guarded(versions: Mapping[str, str]) -> dict[str, str]:
    """Only the versions of the libraries under guard."""
    return {name: versions[name] for name in GUARDED if name in versions}


def moved(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Each package that differs as "NAME OLD -> NEW", by name: guarded ones first, then by name."""
    names = [*GUARDED, *sorted({*old, *new} - {*GUARDED, INSTALLER})]
    pairs = {name: (old.get(name, ABSENT), new.get(name, ABSENT)) for name in names}
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if ABSENT in differing.get(OWN, ()):
        del differing[OWN]
    return {name: f"{name} {a} -> {b}" for name, (a, b) in differing.items()}


def listed(lines: Mapping[str, str], most: int) -> str:
    """The lines of `moved` in one, at most `most` of those that are not guarded, and how many more there are.

    Guarded ones are never left out: they are what is being judged. Another version comes before what came or went.
    """
    first = [line for name, line in lines.items() if name in GUARDED]
    others = sorted((line for name, line in lines.items() if name not in GUARDED), key=lambda line: not replaced(line))
    more = len(others) - most
    return ", ".join([*first, *others[:most]]) + (f" and {more} more" if more > 0 else "")


def replaced(line: str) -> bool:
    """Whether a line of `moved` tells of another version, and not of a package that came or went."""
    return ABSENT not in line.split()[1:]


def same_guarded(sides: Sequence[Mapping[str, str]]) -> bool:
    """True where all of these installations have the guarded libraries in the same versions."""
    return all(guarded(side) == guarded(sides[0]) for side in sides[1:])
