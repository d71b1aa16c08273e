"""Writes the JSON Schemas of records and verdicts: `python scripts/schemas.py` (needs pydantic, of the extra `test`).

They are made from the frozen values that the suite itself reads and writes; what a field means is its own docstring.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from benchsuite import nouns
from benchsuite.nouns import SCHEMA, Record, Verdict

FOLDER = Path(__file__).parents[1] / "docs" / "schema"
FILES: dict[str, tuple[Any, str]] = {
    "record.json": (Record, "One trial of one case: results/RUN/records/CASE--tNN.json"),
    "verdicts.json": (tuple[Verdict, ...], "All verdicts of a run: results/RUN/verdicts.json"),
}


def schema(kind: Any, title: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a noun, with its fields' docstrings."""
    made = TypeAdapter(kind).json_schema()
    for name, each in [*made.get("$defs", {}).items(), (made.get("title", ""), made)]:
        for field, told in documented(name):
            each["properties"][field]["description"] = told
        if name == "Record":
            each["properties"]["schema"]["maximum"] = SCHEMA
        for part in each.get("properties", {}).values():
            # The library's guess at a name, which says no more than the name.
            part.pop("title", None)
    _nullable(made)
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, **made, "title": title, "$comment": f"schema {SCHEMA}"}


def _nullable(part: Any) -> None:
    """Let null stand wherever a number may: NaN and the infinities are written so."""
    if isinstance(part, dict):
        if part.get("type") == "number":
            part["type"] = ["number", "null"]
        for inner in part.values():
            _nullable(inner)
    elif isinstance(part, list):
        for inner in part:
            _nullable(inner)


def documented(name: str) -> Iterator[tuple[str, str]]:
    """Fields of a noun, and the docstrings that stand below them in its source."""
    noun = getattr(nouns, name, None)
    if not inspect.isclass(noun) or not hasattr(noun, "__dataclass_fields__"):
        return
    (body,) = ast.parse(inspect.getsource(noun)).body
    lines = body.body if isinstance(body, ast.ClassDef) else []
    for field, told in itertools.pairwise(lines):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(told, ast.Expr):
            yield field.target.id, " ".join(str(ast.literal_eval(told.value)).split())


def text(name: str) -> str:
    """The file's text."""
    return json.dumps(schema(*FILES[name]), indent=2) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (FOLDER / name).write_text(text(name), encoding="utf-8")
