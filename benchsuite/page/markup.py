"""HTML and SVG elements as text. Everything is escaped that is not itself an element made here."""

from __future__ import annotations

import math

from markupsafe import Markup, escape

Value = str | int | float | None


def tag(name: str, /, *children: str, **attributes: Value) -> Markup:
    """One element with its children; texts among them are escaped, elements are not.

    A trailing underscore of an attribute's name is dropped, others become hyphens (`class_`, `stroke_width`);
    an attribute that is None is left out, and numbers have at most two decimals.
    """
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _text(value))
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, given, Markup("").join(map(escape, children)))


def _text(value: Value) -> str:
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} has no place in a drawing")
    short = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short
