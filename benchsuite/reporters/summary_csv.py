"""`summary.csv`: the eight published columns, one row a case, then the published rows for comparison."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from benchsuite.nouns import RunResult
from benchsuite.reporters._columns import HEADERS, rows


@dataclass(frozen=True)
class SummaryCsv:
    """Medians over a case's trials; a cell that was not measured (VRAM on a CPU) is empty."""

    name: str = "summary_csv"
    filename: str = "summary.csv"

    def render(self, run: RunResult) -> str:
        """The file's text, lines ending in a bare newline."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADERS)
        writer.writerows(rows(run))
        return out.getvalue()


REPORTER = SummaryCsv()
