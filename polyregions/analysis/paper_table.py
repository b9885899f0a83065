"""Tables that go into papers: the same columns as LaTeX, Markdown and a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, log10
from typing import Any, Final, Literal, TypeAlias

from polyregions.analysis.typeset import PACKAGES, Latex, bars, booktabs, latex, markdown, one_line
from polyregions.errors import MissingExtraError

LONG: Final = 10**9
"""Numbers from here on are shown with three digits where they may be rounded."""

NOTHING: Final = "–"
BETWEEN: Final = " to "

Rounding: TypeAlias = Literal["up", "down", "nearest"]
ROUNDED: Final[dict[Rounding, Callable[[Fraction], int]]] = {"up": ceil, "down": floor, "nearest": round}


@dataclass(frozen=True)
class PaperColumn:
    """One column.

    Attributes:
        name: as programs call it.
        values: texts, numbers, pairs of numbers for an interval, or None for what there is not.
        head: as people read it.
        over: what stands over it and its neighbours, "" for nothing.
        rounding: which way numbers of more than nine digits are rounded where people read them; None for not at all.
        is_interval: whether it may hold pairs, for which programs get two columns, ``_low`` and ``_high``.
    """

    name: str
    values: Sequence[Any]
    head: str
    over: str = ""
    rounding: Rounding | None = None
    is_interval: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it holds texts, which stand at the left."""
        return any(isinstance(value, str) for value in self.values) or not self.values


class PaperTable:
    """A table of named columns for a paper. A class of its kind gives `paper_columns`, and `notes` if it has any."""

    def paper_columns(self) -> list[PaperColumn]:
        """The columns in order."""
        raise NotImplementedError

    def notes(self) -> list[str]:
        """Sentences that stand below the table."""
        return []

    def columns(self) -> dict[str, list[Any]]:
        """The table: name of each column -> plain values."""
        return {column.name: list(column.values) for column in self.paper_columns()}

    def flat_columns(self) -> dict[str, list[Any]]:
        """The same with two columns, ``_low`` and ``_high``, for each that may hold intervals: for programs."""
        flat: dict[str, list[Any]] = {}
        for column in self.paper_columns():
            if column.is_interval:
                pairs = [value if isinstance(value, tuple) else (value, value) for value in column.values]
                flat[f"{column.name}_low"], flat[f"{column.name}_high"] = (
                    [p[i] for p in pairs] for i in (0, 1)
                )
            else:
                flat[column.name] = list(column.values)
        return flat

    def to_latex(self, *, exact: bool = False) -> str:
        """A tabular of the LaTeX package booktabs, and below it the notes.

        Args:
            exact: whether bounds of more than nine digits are printed in full instead of with three digits.
        """
        columns = self.paper_columns()
        heads = [[c.over for c in columns], [c.head for c in columns]]
        rows = _rows(columns, exact, _latex_power)
        body = booktabs(
            heads[0 if any(heads[0]) else 1 :], rows, "".join("l" if c.is_text else "r" for c in columns)
        )
        notes = [f"\n\\noindent{{\\small {latex(note)}}}" for note in self._notes(exact)]
        return "\n".join([PACKAGES, body, *notes]) + "\n"

    def to_markdown(self, *, exact: bool = False) -> str:
        """A table in Markdown, and below it the notes; arguments as in `to_latex`."""
        columns = self.paper_columns()
        heads = [f"{c.over}: {c.head}" if c.rounding else c.head for c in columns]
        lines = [bars(map(markdown, heads)), bars("---" if c.is_text else "---:" for c in columns)]
        lines += [bars(map(markdown, row)) for row in _rows(columns, exact, _plain_power)]
        return "\n".join([*lines, *(f"\n{markdown(note)}" for note in self._notes(exact))]) + "\n"

    def to_pandas(self) -> Any:
        """The table as a `pandas.DataFrame`, with the columns of `flat_columns` and None for what there is not.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtraError("pandas", "pandas", "a table as a DataFrame") from None
        flat = self.flat_columns()
        kinds = {
            name: object if None in values or any(map(_is_wide, values)) else None
            for name, values in flat.items()
        }
        return pd.DataFrame({name: pd.Series(values, dtype=kinds[name]) for name, values in flat.items()})

    def _notes(self, exact: bool) -> list[str]:
        """The notes, and what was rounded which way."""
        ways = {c.rounding for c in self.paper_columns() if not exact and any(map(_is_long, c.values))}
        words = {"up": "upper bounds up", "down": "lower bounds down", "nearest": "others to the nearest"}
        rounded = [text for way, text in words.items() if way in ways]
        return [*self.notes(), *([f"Rounded to three digits: {', '.join(rounded)}."] if rounded else [])]


def exact_text(value: int | Fraction) -> str:
    """All digits of a number, however many there are.

    Python itself refuses to print integers of more than 4300 digits.
    """
    if isinstance(value, Fraction) and value.denominator != 1:
        return f"{exact_text(value.numerator)}/{exact_text(value.denominator)}"
    return f"{Decimal(int(value)):f}"


def three_digits(value: int | Fraction, rounding: Rounding) -> tuple[int, int]:
    """The digits and the exponent e of ``digits * 10^(e - 2)``, a positive number rounded in integers.

    >>> three_digits(1_234_567, "up"), three_digits(9_999_999, "up"), three_digits(9_999_999, "down")
    ((124, 6), (100, 7), (999, 6))
    """
    exponent = int(log10(value.numerator) - log10(value.denominator))
    exponent += (value >= Fraction(10) ** (exponent + 1)) - (value < Fraction(10) ** exponent)
    scaled = Fraction(value) / Fraction(10) ** (exponent - 2)
    digits = ROUNDED[rounding](scaled)
    return (100, exponent + 1) if digits == 1000 else (digits, exponent)


def _rows(columns: Sequence[PaperColumn], exact: bool, power: Callable[[int, int], str]) -> list[list[str]]:
    """The cells of each row as texts; `power` writes three digits and an exponent."""

    def show(value: Any, rounding: Rounding | None) -> str:
        if value is None:
            return NOTHING
        if isinstance(value, tuple):
            return BETWEEN.join(show(end, rounding) for end in value)
        if not exact and rounding is not None and _is_long(value):
            return power(*three_digits(value, rounding))
        if isinstance(value, int | Fraction) and not isinstance(value, bool):
            return exact_text(value)
        return f"{value:.6g}" if isinstance(value, float) else one_line(str(value))

    shown = [[show(value, column.rounding) for value in column.values] for column in columns]
    return [list(row) for row in zip(*shown, strict=True)]


def _latex_power(digits: int, exponent: int) -> str:
    return Latex(rf"${_decimal(digits)} \times 10^{{{exponent}}}$")


def _plain_power(digits: int, exponent: int) -> str:
    return f"{_decimal(digits)}e{exponent:+03d}"


def _decimal(digits: int) -> str:
    return f"{digits // 100}.{digits % 100:02d}"


def _is_long(value: Any) -> bool:
    """Whether three digits are shown of it where it may be rounded: of many digits, or with a fraction."""
    if isinstance(value, Fraction) and value.denominator != 1:
        return True
    return isinstance(value, int | Fraction) and value >= LONG


def _is_wide(value: Any) -> bool:
    """Whether numpy has no type that holds it exactly."""
    return isinstance(value, Fraction) or (isinstance(value, int) and abs(value) >= 2**63)
