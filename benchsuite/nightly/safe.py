"""Text that others wrote, such as a library's message, made harmless on a page of Markdown. Pure.

It stays on its line, is no markup, no link and no comment, and mentions nobody.
"""

from __future__ import annotations

import re

MARKS = re.compile(r"[\\`*_\[\]{}|~$^]|:(?=//)|(?<=www)\.", re.IGNORECASE)
CALLS = re.compile(r"([@#]|\bGH-)(?=\w)", re.IGNORECASE)
"""Begins a mention or a reference, unless something stands between; a backslash would not do."""
BETWEEN = "\u200b"
"""A space without width."""
LINK = re.compile(r"https://[\w./:%~-]+")


def plain(text: str) -> str:
    """Text as it reads, on one line."""
    html = _line(text).replace("&", "&amp;").replace("<", "&lt;").replace("-->", "--&gt;")
    marked = MARKS.sub(lambda match: f"\\{match[0]}", html)
    return CALLS.sub(lambda match: f"{match[0]}{BETWEEN}", marked)


def code(text: str) -> str:
    """A name as code, in which nothing is read as anything else."""
    return f"`{re.sub('[`<]', chr(39), _line(text)) or ' '}`"


def _line(text: str) -> str:
    # What does not print could turn the direction of a line, or hide a mark from the expressions above.
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
