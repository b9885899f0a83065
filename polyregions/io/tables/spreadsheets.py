"""CSV whose texts no spreadsheet takes for formulas, nor for the end of a line.

A name from a file may begin with what begins a formula. An apostrophe in front makes it a text, by the convention of
spreadsheets; numbers are left alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
ENDS: Final = "\r\n"


def neutral(value: Any) -> Any:
    """A cell as it is written: a text that begins like a formula gets an apostrophe in front.

    >>> neutral("=1+1"), neutral("net"), neutral(-1)
    ("'=1+1", 'net', -1)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def neutral_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as CSV in UTF-8, their texts neutral."""
    return "".join(_line(row) for row in rows).encode("utf-8", errors="backslashreplace")


def _line(row: Sequence[Any]) -> str:
    """One row; fields with any kind of line end are quoted only if the writer's own end has both characters."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ENDS).writerow([neutral(value) for value in row])
    return text.getvalue().removesuffix(ENDS) + "\n"
