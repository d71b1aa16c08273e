"""Writes docs/doctor.md to standard output: `python -m benchsuite.doctor_page > docs/doctor.md`."""

from __future__ import annotations

import sys

from . import doctor, registry

if __name__ == "__main__":
    sys.stdout.write(doctor.page(registry.checks()))
