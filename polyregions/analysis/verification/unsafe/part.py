"""A part of the input sets, and what was found in it: plain data that travels between processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from polyregions.analysis.verification.unsafe.shape import Row
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.rows import scales


@dataclass(frozen=True)
class Part:
    """A part of one cell of the input sets, over u.

    Attributes:
        cell: which one.
        rows: its rows.
        most: regions after which it is rather halved.
        depth: how many halvings it comes from.
        fewest: the fewest undecided units that a part around it had.
        stalled: how many halvings ago that was.
    """

    cell: int
    rows: tuple[Row, ...]
    most: int
    depth: int = 0
    fewest: float = float("inf")
    stalled: int = 0

    def polytope(self, dim: int) -> HPolytope:
        """The part as an input set; labels are numbers of rows."""
        entries = [row.entries for row in self.rows]
        strict, labels = [row.strict for row in self.rows], list(map(str, range(len(self.rows))))
        return HPolytope.of_exact_rows(entries, scales(entries), dim, strict, labels)

    def halves(self, axis: int, middle: Fraction, dim: int) -> list[Part]:
        """The two parts below and above a value of a coordinate, which the first one has."""
        normal = [int(i == axis) * middle.denominator for i in range(dim)]
        above = Row((*normal, -middle.numerator), True, f"cut at coordinate {axis}", is_cut=True)
        return [self._within(above.negated()._replace(label=above.label)), self._within(above)]

    def _within(self, wall: Row) -> Part:
        """Where one more row holds, which takes the place of looser ones."""
        kept = [row for row in self.rows if not _are_parallel(row, wall)]
        return replace(self, rows=(*kept, wall), depth=self.depth + 1, stalled=self.stalled + 1)


def _are_parallel(row: Row, wall: Row) -> bool:
    """Whether a row bounds the one coordinate that a wall bounds, from the same side."""
    return all(
        (a > 0) == (b > 0) and (a < 0) == (b < 0)
        for a, b in zip(row.entries[:-1], wall.entries[:-1], strict=True)
    )


@dataclass(frozen=True)
class Piece:
    """A polytope of violating inputs, over u.

    Attributes:
        rows: one for each facet.
        pattern: the activation pattern (N,) packed to bytes; None where bounds prove a whole part violated.
        violation: which one: the input set, and the number of the violation there.
        point: a point inside.
        volume: over u.
    """

    rows: tuple[Row, ...]
    pattern: bytes | None
    violation: tuple[int, int]
    point: tuple[Fraction, ...]
    volume: Fraction


@dataclass(frozen=True)
class Outcome:
    """What came of a part.

    Attributes:
        pieces: the violating polytopes in it, region by region.
        halves: parts to look at instead; then there are no pieces.
        volume: of the part, if it is finished.
        regions: how many regions were looked at.
        touching: how many regions only touch a violation, in points without volume.
    """

    pieces: tuple[tuple[Piece, ...], ...] = ()
    halves: tuple[Part, ...] = ()
    volume: Fraction = Fraction(0)
    regions: int = 0
    touching: int = 0
