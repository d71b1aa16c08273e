"""Where packages come from on this machine, as pip was told, in uv's words.

uv reads its own variables but not pip's configuration, so an index or a folder of wheels that only pip
knows would be missed. What a `UV_*` variable says is left to uv.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache

FLAGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "index-url": ("--index-url", ("UV_DEFAULT_INDEX", "UV_INDEX_URL")),
    "extra-index-url": ("--extra-index-url", ("UV_INDEX", "UV_EXTRA_INDEX_URL")),
    "find-links": ("--find-links", ("UV_FIND_LINKS",)),
    "constraint": ("--constraint", ("UV_CONSTRAINT",)),
    "trusted-host": ("--allow-insecure-host", ("UV_INSECURE_HOST",)),
}
"""pip's setting -> uv's flag, and the variables by which uv was told itself."""
SWITCHES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "no-index": ("--no-index", ("UV_NO_INDEX",)),
    "pre": ("--prerelease=allow", ("UV_PRERELEASE",)),
}
OFF = {"", "0", "false", "no", "off"}


def read() -> dict[str, str]:
    """Pip's settings by option: of its files, then of `PIP_*` variables, which win."""
    return settings(_listing(), os.environ)


@cache
def _listing() -> str:
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def settings(listing: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Settings of a `pip config list` and of variables, by option; the more special of two wins."""
    found: dict[str, str] = {}
    for section in ("global", "install"):
        found |= {name: value for where, name, value in _lines(listing) if where == section}
    variables = {k[4:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("PIP_")}
    return found | {name: value for name, value in variables.items() if name in {**FLAGS, **SWITCHES}}


def _lines(listing: str) -> Iterator[tuple[str, str, str]]:
    for line in listing.splitlines():
        key, found, value = line.partition("=")
        section, _, name = key.partition(".")
        if found:
            yield section, name, _unquoted(value)


def _unquoted(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return value


def flags(known: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """Uv's flags for pip's settings."""
    told = [
        part
        for name, (flag, variables) in FLAGS.items()
        if not any(environ.get(variable) for variable in variables)
        for value in known.get(name, "").split()
        for part in (flag, value)
    ]
    for name, (flag, variables) in SWITCHES.items():
        if known.get(name, "").lower() not in OFF and not any(environ.get(variable) for variable in variables):
            told.append(flag)
    # pip takes the best version of all indexes, uv the first index that has the package at all.
    several = "--extra-index-url" in told and not environ.get("UV_INDEX_STRATEGY")
    return (*told, *(("--index-strategy", "unsafe-best-match") if several else ()))
