"""Plants what `--suite-inject FILE.py:FUNCTION` names: in the trial, once the libraries are imported."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

from .faults._fault import UNPLANTED
from .nouns import SuiteError


def plant(where: str) -> str:
    """Plant a fault, if one is named; why that failed, in words, if it did.

    Raises:
        SuiteError: there is no such file or function.
    """
    if not where:
        return ""
    try:
        inject(where)
    except SuiteError:
        raise
    except Exception as error:  # noqa: BLE001 - the plant is the user's code, and what it raises is told in the record
        traceback.print_exc()
        return f"{UNPLANTED}: {type(error).__name__}: {error}"
    return ""


def inject(where: str) -> None:
    """Call FILE.py:FUNCTION without arguments.

    Raises:
        SuiteError: there is no such file or function.
    """
    file, _, name = where.rpartition(":")
    spec = importlib.util.spec_from_file_location("benchsuite_injected", file)
    if spec is None or spec.loader is None or not Path(file).is_file():
        raise SuiteError(f"--suite-inject {where!r}: no such Python file. Give FILE.py:FUNCTION.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, name, None)):
        raise SuiteError(f"--suite-inject {where!r}: {file} has no function {name!r}.")
    getattr(module, name)()


def label(where: str) -> str:
    """As a record tells it: without the folder, which is nobody else's matter."""
    return Path(where).name
