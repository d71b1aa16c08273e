"""Writes docs/reference.md to standard output: `python -m benchsuite.reference_page > docs/reference.md`."""

from __future__ import annotations

import sys

from . import reference, registry

if __name__ == "__main__":
    sys.stdout.write(reference.page(registry.metrics(), registry.judges()))
