"""The input sets of a VNN-LIB file: bounds of single inputs, of which only the best count, and further rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import inf, lcm
from typing import Any, NamedTuple

from polyregions.exact.numbers import nearest_float
from polyregions.io.specs.vnnlib.formulas import Inequality
from polyregions.polyhedra.domain import Box
from polyregions.polyhedra.polytope import HPolytope


class Bound(NamedTuple):
    """A bound of one input."""

    value: Fraction
    strict: bool


class InputSet:
    """A conjunction of rows over inputs.

    Args:
        rows: rows that mention no output.
        base: a set whose rows hold too; it is looked up, not copied.

    Attributes:
        contradiction: what shows that it is empty; None if bounds alone do not.
    """

    def __init__(self, rows: Iterable[Inequality], base: InputSet | None = None) -> None:
        self._base_bounds: Mapping[tuple[int, bool], Bound] = base.bounds if base is not None else {}
        self._base_rows: Sequence[Inequality] = base.rows if base is not None else ()
        self._bounds: dict[tuple[int, bool], Bound] = {}
        self._rows: list[Inequality] = []
        self.contradiction: str | None = base.contradiction if base is not None else None
        for row in rows:
            self._add(row)

    @property
    def bounds(self) -> Mapping[tuple[int, bool], Bound]:
        """The best bound of an input, by its number and whether it is a lower one."""
        return {**self._base_bounds, **self._bounds} if self._base_bounds else self._bounds

    @property
    def rows(self) -> Sequence[Inequality]:
        """The rows over several inputs."""
        return [*self._base_rows, *self._rows]

    @property
    def key(self) -> Any:
        """What tells it from other sets over the same base."""
        rows = [(tuple(sorted(row.terms.items())), row.constant, row.strict) for row in self._rows]
        return tuple(sorted(self._bounds.items())), tuple(rows)

    @property
    def is_box(self) -> bool:
        """Whether closed bounds are all there is."""
        return not self.rows and not any(bound.strict for bound in self.bounds.values())

    def n_entries(self, dim: int) -> int:
        """How many numbers its domain takes."""
        return 2 * dim if self.is_box else (len(self.bounds) + len(self.rows)) * (dim + 1)

    def domain(self, dim: int) -> Box | HPolytope:
        """The set as an input set of a network: a box if that is what it is."""
        return _box(self.bounds, dim) if self.is_box else _polytope(self.bounds, self.rows, dim)

    def _best(self, i: int, is_lower: bool) -> Bound | None:
        return self._bounds.get((i, is_lower)) or self._base_bounds.get((i, is_lower))

    def _add(self, row: Inequality) -> None:
        if not row.terms:
            if row.constant < 0 or (row.strict and row.constant == 0):
                self.contradiction = "a comparison of constants is false"
        elif len(row.terms) == 1:
            self._tighten(row)
        else:
            self._rows.append(row)

    def _tighten(self, row: Inequality) -> None:
        """Keep the better one of two bounds of an input, the strict one of two equal ones."""
        ((i, factor),) = row.terms.items()
        is_lower, value = factor > 0, -row.constant / factor
        known, sign = self._best(i, is_lower), 1 if is_lower else -1
        if known is None or (sign * value, row.strict) > (sign * known.value, known.strict):
            self._bounds[i, is_lower] = Bound(value, row.strict)
            self._contradict(i)

    def _contradict(self, i: int) -> None:
        low, high = self._best(i, True), self._best(i, False)
        if low is None or high is None:
            return
        if low.value > high.value or (low.value == high.value and (low.strict or high.strict)):
            self.contradiction = f"{_label('X_', i, True, low)} against {_label('X_', i, False, high)}"


def integer_row(row: Inequality, places: Mapping[int, int] | None, width: int) -> tuple[tuple[int, ...], int]:
    """A row in integers over `width` entries, the constant last, and its divisor; columns at other places if given."""
    divisor = lcm(row.constant.denominator, *(value.denominator for value in row.terms.values()))
    entries = [0] * width
    for column, value in row.terms.items():
        entries[column if places is None else places[column]] = int(value * divisor)
    entries[-1] = int(row.constant * divisor)
    return tuple(entries), divisor


def _box(bounds: Mapping[tuple[int, bool], Bound], dim: int) -> Box:
    lower: list[Fraction | float] = [-inf] * dim
    upper: list[Fraction | float] = [inf] * dim
    for (i, is_lower), bound in bounds.items():
        (lower if is_lower else upper)[i] = bound.value
    return Box(lower, upper)


def _polytope(bounds: Mapping[tuple[int, bool], Bound], rows: Sequence[Inequality], dim: int) -> HPolytope:
    entries, divisors, labels = [], [], []
    for (i, is_lower), bound in sorted(bounds.items()):
        row, sign = [0] * (dim + 1), 1 if is_lower else -1
        row[i], row[-1] = sign * bound.value.denominator, -sign * bound.value.numerator
        entries.append(row)
        divisors.append(bound.value.denominator)
        labels.append(_label("x", i, is_lower, bound))
    for more in rows:
        integers, divisor = integer_row(more, None, dim + 1)
        entries.append(list(integers))
        divisors.append(divisor)
        labels.append("constraint of the file")
    strict = [bound.strict for _, bound in sorted(bounds.items())] + [row.strict for row in rows]
    return HPolytope.of_exact_rows(entries, divisors, dim, strict, labels)


def _label(prefix: str, i: int, is_lower: bool, bound: Bound) -> str:
    mark = (">" if is_lower else "<") + "=" * (not bound.strict)
    return f"{prefix}{i} {mark} {nearest_float(bound.value):g}"
