"""Package lists that mean something on any machine: freezes of baselines and the text of locks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

BUILD = re.compile(r"(nvidia|cuda)-(?!ml-py$).*|(pytorch-)?triton")
"""Packages that come with one build of torch, which pins them itself."""


def public_freeze(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that mean something on any machine, as sorted "name==version" without local labels.

    Leaves out editables, URLs and benchsuite itself.
    """
    matches = (re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s+@;]+)(\+\S*)?", line.strip()) for line in lines)
    pairs = {(match[1], match[2]) for match in matches if match and _plain(match[1]) != "benchsuite"}
    return tuple(f"{name}=={version}" for name, version in sorted(pairs, key=lambda pair: (_plain(pair[0]), pair)))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_text(machine: str, freeze: Iterable[str]) -> str:
    """A constraints file for pip, uv and tox: what `machine`'s baselines were measured with, in public versions.

    The libraries of one CUDA build are left out, so that the lock fits any build of torch.
    """
    lines = [line for line in public_freeze(freeze) if not BUILD.fullmatch(_plain(line.partition("==")[0]))]
    head = (
        f"# Constraints: the packages that the baselines of {machine} were measured with, in public versions.",
        "# Written by `benchsuite promote`; CUDA libraries are left to the build of torch, which pins its own.",
    )
    return "\n".join((*head, *lines)) + "\n"
