"""What a hunt for violations answers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.verification.unsafe.part import Piece
from polyregions.analysis.verification.unsafe.shares import exact_sum
from polyregions.analysis.verification.verdict import Verdict
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.exact.numbers import Point, nearest_float
from polyregions.networks.network import Network
from polyregions.networks.patterns import unpack
from polyregions.places import Members
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.rows import scales
from polyregions.read_only import ReadOnly, View

if TYPE_CHECKING:
    from polyregions.analysis.verification.property import Property


@dataclass(frozen=True, eq=False)
class Violations(ReadOnly, Members["UnsafePolytope"]):
    """The inputs that violate a property, as polytopes of which no two have an interior point in common.

    Attributes:
        network: the network.
        prop: the property.
        hull: the affine hull of the input sets.
        pieces: what was found, over the coordinates of the hull.
        numbers: for each piece the number of its region, counted as they were found.
        whole: the volume of the union of the input sets, over the coordinates of the hull.
        interval: proved bounds of the violating share of the input sets: what is violated so far, and 1 without what is
            proved safe so far; less than 2**-200 apart if the search was not stopped.
        complete: whether everything was looked at.
        verdict: "violated" if there is a violating input, "holds" if there is none, "unknown" if the search was
            stopped before it met one; proved.
        listed: how many polytopes were found, whether or not they are kept here.
        touching: how many regions of the network (or parts of them) meet a violation only in points without volume,
            which are not listed; they may be on the boundary of what is.
        regions: how many regions were looked at.
        parts: how many parts of the input sets.
        seconds: how long it took.
        notices: what the user should know, such as input sets that are empty.
    """

    MEMBER = "polytope"

    network: Network
    prop: Property
    hull: AffineHull
    pieces: tuple[Piece, ...]
    numbers: tuple[int, ...]
    whole: Fraction
    interval: tuple[Fraction, Fraction]
    complete: bool
    verdict: Verdict
    listed: int
    touching: int
    regions: int
    parts: int
    seconds: float
    notices: tuple[str, ...] = ()

    def _compared(self) -> Any:
        """What was found, not how long it took."""
        return self.network, self.pieces, self.numbers, self.whole, self.interval, self.complete, self.verdict

    def __len__(self) -> int:
        return len(self.pieces)

    def _member(self, place: int) -> UnsafePolytope:
        return UnsafePolytope(self, place)

    @cached_property
    def exact_share(self) -> Fraction | None:
        """The violating share of the union of the input sets; None if the search was stopped, see `interval`.

        Complexity: its digits are about those of all volumes together, which takes seconds for some ten thousand.
        """
        return self._sum / self.whole if self.complete and self.listed == len(self) else None

    @property
    def share(self) -> float | None:
        """The same, rounded once."""
        if not self.complete:
            return None
        low, high = map(nearest_float, self.interval)
        return low if low == high or self.exact_share is None else nearest_float(self.exact_share)

    @cached_property
    def _sum(self) -> Fraction:
        """The volume of all listed polytopes, over the coordinates of the hull."""
        return exact_sum([piece.volume for piece in self.pieces])

    @property
    def volume(self) -> float:
        """The volume of all listed polytopes in the inputs, in the dimension of the input sets."""
        return nearest_float(self._sum) * self.hull.scale()

    @property
    def volumes(self) -> Floats:
        """The volume (n,) of each."""
        return np.array([nearest_float(piece.volume) for piece in self.pieces]) * self.hull.scale()

    @property
    def points(self) -> Floats:
        """A point (n, d) inside each, the nearest float64 ones."""
        return self.hull.nearest_points([piece.point for piece in self.pieces])

    def contains(self, X: np.ndarray) -> Bools:
        """Whether each row of X (k, d) is in one of the polytopes; exact, on their boundaries as `strict` says.

        Raises:
            DomainError: X does not hold (k, d) finite numbers.
        """
        inside = np.zeros(len(X), dtype=np.bool_)
        for found in self:
            left = np.flatnonzero(~inside)
            inside[left] = found.polytope.contains(X[left])
        return inside

    def __repr__(self) -> str:
        low, high = map(nearest_float, self.interval)
        share = f"share {low:.6g}" if low == high else f"share from {low:.6g} to {high:.6g}"
        return f"<Violations: {self.verdict}, {len(self)} polytope{'s' * (len(self) != 1)}, {share}>"


@dataclass(frozen=True, eq=False)
class UnsafePolytope(View):
    """One polytope of violating inputs: a light view into `Violations`.

    Attributes:
        violations: what it belongs to.
        number: its place there.
    """

    violations: Violations
    number: int

    @property
    def _piece(self) -> Piece:
        return self.violations.pieces[self.number]

    @property
    def region(self) -> int:
        """The number of its linear region among those with violations; polytopes of one region share it."""
        return self.violations.numbers[self.number]

    @property
    def pattern(self) -> Bools | None:
        """The activation pattern (N,); None where bounds prove a part violated without splitting it into regions."""
        packed = self._piece.pattern
        if packed is None:
            return None
        row = np.frombuffer(packed, dtype=np.uint8)[None]
        pattern: Bools = unpack(row, self.violations.network.n_neurons)[0]
        return pattern

    @property
    def case(self) -> int:
        """The input set of the property, the first where several hold it."""
        return self._piece.violation[0]

    @property
    def violation(self) -> int:
        """Which violation of that input set holds, the first where several do."""
        return self._piece.violation[1]

    @property
    def polytope(self) -> HPolytope:
        """The H-representation in the inputs: a row for each facet, its integers exact; then equations of the hull.

        A row is open where points on it do not count, or belong to the neighbouring polytope.
        """
        rows = self._piece.rows
        entries, equations = rows_over_inputs([row.entries for row in rows], self.violations.hull)
        return HPolytope.of_exact_rows(
            [*entries, *equations],
            scales([*entries, *equations]),
            self.violations.network.n_inputs,
            [*(row.strict for row in rows), *(False for _ in equations)],
            [*(row.label for row in rows), *("equation of the input set" for _ in equations)],
        )

    @property
    def exact_point(self) -> tuple[Fraction, ...]:
        """A point (d,) inside."""
        return self.violations.hull.lift(Point.of(self._piece.point)).coordinates

    @property
    def point(self) -> Floats:
        """The same as the nearest float64 numbers."""
        return np.array([nearest_float(x) for x in self.exact_point])

    @property
    def volume(self) -> float:
        """Its volume in the inputs, in the dimension of the input sets."""
        return nearest_float(self._piece.volume) * self.violations.hull.scale()

    @property
    def exact_share(self) -> Fraction:
        """Its part of the union of the input sets."""
        return self._piece.volume / self.violations.whole

    def __repr__(self) -> str:
        return f"<UnsafePolytope {self.number}: region {self.region}, {len(self._piece.rows)} facets>"


def rows_over_inputs(
    rows: list[tuple[int, ...]], hull: AffineHull
) -> tuple[list[list[int]], list[list[int]]]:
    """Integer rows over u as rows over x, and the equations of the hull, each as two opposite rows."""
    if hull.is_whole:
        return [list(row) for row in rows], []
    pulled = compose(IntegerAffine(integer_matrix(rows, hull.dim + 1), 1), hull.chart)
    both = [side for row in hull.equations for side in (row, [-entry for entry in row])]
    return [pulled.row(i) for i in range(len(rows))], both
