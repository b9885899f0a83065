"""Tables for papers as LaTeX, Markdown, CSV and JSON. Files for programs hold every number in full."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any, Final

from polyregions.analysis.paper_table import PaperTable, exact_text
from polyregions.io.tables.spreadsheets import neutral_csv

SCHEMA: Final = "polyregions count table 1"
LONGEST: Final = 10**4000
"""Longer integers are texts in JSON: Python reads none of more than 4300 digits."""


def table_latex(table: PaperTable, exact: bool = False) -> bytes:
    """A booktabs table and its notes; `exact` as in `PaperTable.to_latex`."""
    return table.to_latex(exact=exact).encode()


def table_markdown(table: PaperTable, exact: bool = False) -> bytes:
    """A Markdown table and its notes; `exact` as in `PaperTable.to_latex`."""
    return table.to_markdown(exact=exact).encode()


def table_csv(table: PaperTable) -> bytes:
    """One line for each row under a line of column names; nothing where there is no value."""
    columns = table.flat_columns()
    rows = zip(*columns.values(), strict=True)
    return neutral_csv([list(columns), *([_field(value) for value in row] for row in rows)])


def table_json(table: PaperTable) -> bytes:
    """One object of the columns by name, and the notes."""
    page = {"schema": SCHEMA, "columns": plain_columns(table), "notes": table.notes()}
    return (json.dumps(page, indent=1) + "\n").encode()


def plain_columns(table: PaperTable) -> dict[str, list[Any]]:
    """The columns with fractions, and integers longer than most readers take, as texts."""
    return {name: [_plain(value) for value in values] for name, values in table.flat_columns().items()}


def _plain(value: Any) -> Any:
    is_exact = isinstance(value, Fraction) or (isinstance(value, int) and abs(value) >= LONGEST)
    return exact_text(value) if is_exact else value


def _field(value: Any) -> Any:
    return "" if value is None else _plain(value)
