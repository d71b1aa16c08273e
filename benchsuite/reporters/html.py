"""`report.html`: one file that needs nothing else. Verdicts first, then pictures, each with the figures behind it.

Works without scripts and without a network, in light and dark, on paper and on a phone. What stands
in it is made by `benchsuite/page/`; here it is put in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchsuite.nouns import RunResult
from benchsuite.page import curves, glance, memory, pareto, parts, points, steps, verdicts, where, work
from benchsuite.page import history as drawn
from benchsuite.page.blocks import Block, Section
from benchsuite.page.markup import tag

PICTURES: tuple[Callable[[RunResult], Section | None], ...] = (
    steps.section, memory.section, curves.section, pareto.section, parts.section, work.section,
)  # fmt: skip


@dataclass(frozen=True)
class Html:
    """One page a run."""

    name: str = "html"
    filename: str = "report.html"

    def render(self, run: RunResult, earlier: points.History | None = None) -> str:
        """The file's text; `earlier` are figures of other runs of these cases, which the history shows beside."""
        return page(run, points.history(run, earlier or {}))


def page(run: RunResult, held: points.History) -> str:
    """The whole page over a run and the history of its figures."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("benchsuite", "reporters"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"arrows": arrows, "coded": coded, "command": command, "kind": kind}
    given: Mapping[str, Any] = {
        "run": run, "started": started(run), "head": verdicts.summary(run), "causes": verdicts.causes_of(run),
        "packages": verdicts.moved_packages(run), "news": verdicts.news(run), "sections": tuple(sections(run, held)),
    }  # fmt: skip
    text = environment.get_template("report.html.j2").render(given)
    # A record may hold half a character, which no file can.
    return text.encode("utf-8", "replace").decode("utf-8")


def sections(run: RunResult, held: points.History) -> Iterator[Section]:
    """What stands below the verdicts, in the order in which a reader needs it."""
    first = (glance.section(run), glance.published(run), *(make(run) for make in PICTURES))
    last = (drawn.section(run, held), glance.everything(run), where.section(run))
    yield from (found for found in (*first, *last) if found)


def started(run: RunResult) -> str:
    """When the first trial began, to the minute; empty where there was none."""
    times = sorted(record.started for result in run.results for record in result.records)
    return f"{times[0][:16].replace('T', ' ')} UTC" if times else ""


def kind(block: Block) -> str:
    """How the template sets a block."""
    return type(block).__name__.lower()


def arrows(text: str) -> str:
    """Changes as they are set on a page; where text can be copied into a terminal they stay as they are there."""
    return text.replace(" -> ", " → ")


def coded(text: str) -> str:
    """Words between backticks as code, all else escaped."""
    from markupsafe import Markup, escape

    parts = text.split("`")
    whole = len(parts) % 2 == 1
    return Markup("").join(tag("code", p) if whole and i % 2 else escape(p) for i, p in enumerate(parts))


def command(text: str) -> str:
    """A next step with the command in it as code."""
    words, name, rest = text.partition("benchsuite ")
    return coded(f"{words}`{name}{rest}`") if name and "`" not in text else coded(text)


REPORTER = Html()
