"""A report as text, Markdown, LaTeX, JSON and CSV. Floats are rounded to six digits where people read them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from polyregions.analysis.report.page import Report, Section, TableCell
from polyregions.analysis.typeset import PACKAGES, bars, booktabs, latex, markdown, one_line
from polyregions.io.tables.spreadsheets import neutral_csv

SCHEMA: Final = "polyregions report 1"


def report_text(report: Report) -> bytes:
    """Columns for a terminal."""
    title = _text(report.title)
    parts = [title, "=" * len(title)]
    for section in report.sections:
        parts += ["", section.title, "-" * len(section.title), *_aligned(section)]
        parts += [section.note] if section.note else []
    return _lines(parts)


def report_markdown(report: Report) -> bytes:
    """A heading and a table for each section."""
    parts = [f"# {markdown(_text(report.title))}"]
    for section in report.sections:
        header, rows = section.header or ("", ""), _texts(section)
        parts += ["", f"## {section.title[:1].upper()}{section.title[1:]}", ""]
        parts += [bars(header), bars(["---"] * len(header))]
        parts += [bars([markdown(text) for text in row]) for row in rows]
        parts += ["", section.note] if section.note else []
    return _lines(parts)


def report_latex(report: Report) -> bytes:
    """One booktabs table for each section, to be put into a document with ``\\input``."""
    parts = [
        PACKAGES,
        f"\\subsection*{{{latex(_text(report.title))}}}",
    ]
    for section in report.sections:
        parts += ["", _tabular(section)]
        parts += ["", f"\\noindent{{\\small {latex(section.note)}}}"] if section.note else []
    return _lines(parts)


def report_json(report: Report) -> bytes:
    """One object with the title, the sections as in `json_sections`, and the notes by section."""
    notes = {_key(section.title): section.note for section in report.sections if section.note}
    page = {"schema": SCHEMA, "title": report.title, "sections": json_sections(report), "notes": notes}
    return (json.dumps(page, indent=1, allow_nan=False) + "\n").encode()


def json_sections(report: Report) -> dict[str, Any]:
    """Each section an object of its values, or a list of objects if it has named columns.

    Names are in lower case, with underscores for spaces.
    """
    return {_key(section.title): _json(section) for section in report.sections}


def report_csv(report: Report) -> bytes:
    """One line for each value: section, row, column, value; lists of numbers are joined by spaces."""
    rows: list[tuple[str | int | float, ...]] = [("section", "row", "column", "value")]
    for section in report.sections:
        names = section.header[1:] or ("value",)
        for row in section.rows:
            cells = zip(names, row[1:], strict=True)
            rows += [(section.title, _exact(row[0]), name, _exact(value)) for name, value in cells]
    return neutral_csv(rows)


FORMATS: Final[dict[str, Callable[[Report], bytes]]] = {
    "text": report_text,
    "markdown": report_markdown,
    "latex": report_latex,
    "json": report_json,
    "csv": report_csv,
}

SUFFIXES: Final = {".txt": "text", ".md": "markdown", ".tex": "latex", ".json": "json", ".csv": "csv"}


def _lines(parts: list[str]) -> bytes:
    return ("\n".join(parts) + "\n").encode()


def _texts(section: Section) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row in section.rows]


def _text(cell: TableCell) -> str:
    """A value for people, on one line."""
    if cell is None:
        return "not known"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.6g}"
    if isinstance(cell, tuple):
        return " ".join(str(entry) for entry in cell) or "none"
    return one_line(str(cell))


def _exact(cell: TableCell) -> str | int | float:
    """A value for programs: nothing for what is not known, floats in full."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return " ".join(str(entry) for entry in cell) if isinstance(cell, tuple) else cell


def _aligned(section: Section) -> list[str]:
    rows = [list(section.header)] * bool(section.header) + _texts(section)
    if not rows:
        return []
    widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
    return ["  ".join(text.ljust(w) for text, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def _tabular(section: Section) -> str:
    columns = f"l{'r' * (len(section.header) - 1)}" if section.header else "lp{0.7\\linewidth}"
    header = section.header or (section.title, "")
    return f"\\noindent{booktabs([header], _texts(section), columns)}"


def _json(section: Section) -> Any:
    if section.header:
        keys = [_key(name) for name in section.header]
        return [dict(zip(keys, row, strict=True)) for row in section.rows]
    return {_key(str(row[0])): row[1] for row in section.rows}


def _key(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower())
