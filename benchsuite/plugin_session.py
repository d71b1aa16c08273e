"""What the plugin's modules share: the one run of a pytest session, and what has been told of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from .fixtures import OPTIONS

if TYPE_CHECKING:
    from .session import Session

SESSION = pytest.StashKey["Session"]()
REPORTED = pytest.StashKey[dict[str, str]]()
"""Which item told of a case's failure, by slug: the others skip and point at it."""


def session_of(config: pytest.Config) -> Session:
    """The one run of this pytest session, made when first asked for."""
    # A session of pytest that measures nothing does without: collecting, or a user's own tests.
    from .session import Session

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

    from . import progress

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
