"""What a page is made of: sections of figures, tables and words; and the frame that all drawings share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .markup import tag
from .scales import Axis

WIDTH = 440.0
"""Units across a drawing; about a phone's width, so that its text is readable there too."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column's head, and how its cells are set: "text", "wide", "number", "code" or "outcome"."""

    name: str
    kind: str = "text"


@dataclass(frozen=True, kw_only=True)
class Table:
    """Cells as people read them, units included."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing, what it says in words, and the figures behind it."""

    title: str
    says: str
    svg: Markup
    table: Table


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Drawings side by side under one legend."""

    legend: tuple[tuple[str, str], ...]
    """Class of the mark, and what it stands for."""
    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class Note:
    """A paragraph."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Fold:
    """Blocks that are shown when asked for."""

    title: str
    blocks: tuple[Block, ...]


Block = Figures | Table | Note | Fold


@dataclass(frozen=True, kw_only=True)
class Section:
    """One heading and what stands under it."""

    id: str
    title: str
    lead: str
    blocks: tuple[Block, ...]


def columns(text: str) -> tuple[Column, ...]:
    """Columns from words: "Trial, Median:number, Name:code"."""
    pairs = (part.strip().partition(":") for part in text.split(","))
    return tuple(Column(name=name, kind=kind or "text") for name, _, kind in pairs)


# ---------------------------------------------------------------- drawings


def drawing(key: str, title: str, says: str, height: float, children: Iterable[Markup]) -> Markup:
    """An image of `WIDTH` x `height` units that tells its title and content to those who cannot see it."""
    return tag(
        "svg", tag("title", title, id=f"{key}-title"), tag("desc", says, id=f"{key}-desc"), *children,
        role="img", viewBox=f"0 0 {WIDTH:g} {height:g}", aria_labelledby=f"{key}-title {key}-desc",
        xmlns="http://www.w3.org/2000/svg",
    )  # fmt: skip


def text(x: float, y: float, words: str, *, anchor: str = "start", style: str = "label") -> Markup:
    """Words at a place; `anchor` is "start", "middle" or "end"."""
    return tag("text", words, x=x, y=y, text_anchor=anchor, class_=style)


def line(points: Sequence[tuple[float, float]], style: str) -> Markup:
    """A line through points."""
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in points), class_=style)


def dot(x: float, y: float, radius: float, style: str, told: str = "") -> Markup:
    """A round mark; `told` is shown where a pointer rests."""
    return tag("circle", *([tag("title", told)] if told else []), cx=x, cy=y, r=radius, class_=style)


def across(scale: Axis, top: float, bottom: float, title: str = "") -> list[Markup]:
    """A horizontal axis: faint lines from `top` to `bottom`, labels below, what it measures below these."""
    parts = [line([(scale(value), top), (scale(value), bottom)], "grid") for value, _ in scale.ticks]
    parts += [text(scale(value), bottom + 14, words, anchor="middle", style="tick") for value, words in scale.ticks]
    words = ", ".join(filter(None, [title, scale.unit]))
    return parts + ([text((scale.start + scale.end) / 2, bottom + 29, words, anchor="middle")] if words else [])


def upward(scale: Axis, left: float, right: float, title: str = "") -> list[Markup]:
    """A vertical axis: faint lines from `left` to `right`, labels beside, what it measures above."""
    parts = [line([(left, scale(value)), (right, scale(value))], "grid") for value, _ in scale.ticks]
    parts += [text(left - 6, scale(value) + 4, words, anchor="end", style="tick") for value, words in scale.ticks]
    words = ", ".join(filter(None, [title, scale.unit]))
    return parts + ([text(0, scale.end - 12, words)] if words else [])
