"""Linear programs in rationals: a primal active-set simplex that always decides.

It starts from any feasible point (not a vertex), works on polyhedra with or without vertices,
and cannot cycle (Bland's rule). Slow and certain: the engines come here only with what floating
point could not prove. See Chvatal, Linear Programming (1983), ch. 3 for Bland's rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from flint import fmpq, fmpq_mat, fmpz_mat

from polyregions.exact.affine import integer_matrix


class LPStatus(Enum):
    """How a linear program ended."""

    OPTIMAL = "optimal"
    UNBOUNDED = "unbounded"
    STOPPED = "stopped by the caller's test"


@dataclass(frozen=True)
class Optimum:
    """The end of an exact linear program.

    Attributes:
        status: why it ended.
        point: (n,) the last point, feasible.
        multipliers: row -> y > 0 with ``objective + sum(y_i * row_i) = 0`` (optimal only).
    """

    status: LPStatus
    point: list[Fraction]
    multipliers: dict[int, Fraction]


def maximise(
    rows: Sequence[Sequence[int]],
    objective: Sequence[int],
    start: Sequence[Fraction],
    stop: Callable[[list[Fraction]], bool] | None = None,
) -> Optimum:
    """Maximise ``objective . u`` subject to ``row . [u, 1] >= 0`` for every row, exactly.

    Args:
        rows: m rows of n+1 integers.
        objective: n integers.
        start: a feasible point, n rationals.
        stop: called with each new point; True ends the search there.

    Complexity: O(m n + n^2) rational operations a pivot.
    """
    state = _ActiveSet(rows, objective, start)
    while True:
        column = state.improving_column()
        if column is None:
            return Optimum(LPStatus.OPTIMAL, state.point(), state.multipliers())
        if not state.move(column):
            return Optimum(LPStatus.UNBOUNDED, state.point(), {})
        if stop is not None and stop(state.point()):
            return Optimum(LPStatus.STOPPED, state.point(), {})


def vertex_basis(
    rows: Sequence[Sequence[int]], objective: Sequence[int], start: Sequence[Fraction]
) -> list[int]:
    """The n tight, independent rows of a vertex of a bounded polytope that maximises an objective, exactly.

    Args as in `maximise`; the polytope must be bounded.
    """
    state = _ActiveSet(rows, objective, start)
    while (column := state.improving_column()) is not None:
        state.move(column)
    while None in state.owner:
        free = state.owner.index(None)
        state.move(free)
    return [row for row in state.owner if row is not None]


class _ActiveSet:
    """The state of the simplex: a point, and a basis of directions dual to the tight rows.

    Column j of `directions` raises tight row `owner[j]` at unit rate and leaves the other tight
    rows alone; a column without owner (None) leaves all tight rows alone.
    """

    def __init__(
        self, rows: Sequence[Sequence[int]], objective: Sequence[int], start: Sequence[Fraction]
    ) -> None:
        n = len(objective)
        self.n = n
        self.normals = integer_matrix([row[:n] for row in rows], n)
        self.objective = fmpz_mat(1, n, list(objective))
        self.u = fmpq_mat(n, 1, [as_fmpq(v) for v in start])
        offsets = fmpq_mat(len(rows), 1, [row[n] for row in rows])
        self.slack = fmpq_mat(self.normals) * self.u + offsets
        self.directions = [fmpq_mat(n, 1, [int(i == j) for i in range(n)]) for j in range(n)]
        self.owner: list[int | None] = [None] * n

    def point(self) -> list[Fraction]:
        """The current point."""
        return [as_fraction(self.u[i, 0]) for i in range(self.n)]

    def gains(self) -> list[fmpq]:
        """Rate of the objective along each column."""
        objective = fmpq_mat(self.objective)
        return [(objective * column)[0, 0] for column in self.directions]

    def multipliers(self) -> dict[int, Fraction]:
        """The multipliers of the tight rows at an optimum."""
        pairs = zip(self.owner, self.gains(), strict=True)
        return {row: -as_fraction(gain) for row, gain in pairs if row is not None and gain != 0}

    def improving_column(self) -> int | None:
        """A free column that changes the objective, else by Bland's rule; None at an optimum."""
        gains = self.gains()
        for j, row in enumerate(self.owner):
            if row is None and gains[j] != 0:
                if gains[j] < 0:
                    self.directions[j] = -self.directions[j]
                return j
        leaving = [(row, j) for j, row in enumerate(self.owner) if row is not None and gains[j] > 0]
        return min(leaving)[1] if leaving else None

    def move(self, column: int) -> bool:
        """Follow a column to the first row that becomes tight; False if there is none."""
        direction = self.directions[column]
        rates = fmpq_mat(self.normals) * direction
        blocking = self._first_blocking(rates, self.owner[column])
        if blocking is None:
            return False
        step = -self.slack[blocking, 0] / rates[blocking, 0]
        if step != 0:
            self.u = self.u + direction * step
            self.slack = self.slack + rates * step
        self._exchange(column, blocking, rates[blocking, 0])
        return True

    def _first_blocking(self, rates: fmpq_mat, leaving: int | None) -> int | None:
        best, row = None, None
        for i in range(rates.nrows()):
            if rates[i, 0] < 0 and i != leaving:
                step = -self.slack[i, 0] / rates[i, 0]
                if best is None or step < best:
                    best, row = step, i
        return row

    def _exchange(self, column: int, row: int, rate: fmpq) -> None:
        pivot = self.directions[column] * (1 / rate)
        normal = fmpq_mat(fmpz_mat(1, self.n, [self.normals[row, j] for j in range(self.n)]))
        for j, other in enumerate(self.directions):
            if j != column:
                share = (normal * other)[0, 0]
                if share != 0:
                    self.directions[j] = other - pivot * share
        self.directions[column] = pivot
        self.owner[column] = row


def as_fmpq(value: Fraction | int) -> fmpq:
    """A Python rational as a flint one."""
    return fmpq(value.numerator, value.denominator)


def as_fraction(value: fmpq) -> Fraction:
    """A flint rational as a Python one."""
    return Fraction(int(value.p), int(value.q))
