"""Bounded polytopes by their vertices, exactly: interiors, facets, volumes, and what is left without others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod
from typing import NamedTuple

from polyregions.exact.numbers import dot
from polyregions.polyhedra.generators import Generators, generators
from polyregions.polyhedra.volume import exact_volume


class Row(NamedTuple):
    """One row ``entries . [u, 1] >= 0``, or ``> 0`` where it is strict.

    Attributes:
        entries: k+1 integers.
        strict: whether it is open.
        label: where it comes from.
    """

    entries: tuple[int, ...]
    strict: bool
    label: str

    def negated(self) -> Row:
        """The row that holds where this one does not."""
        return Row(tuple(-entry for entry in self.entries), not self.strict, f"not {self.label}")


@dataclass(frozen=True, eq=False)
class Shape:
    """A bounded polytope that is not empty, its open rows taken as closed.

    Attributes:
        rows: its rows, constant ones left out.
        generators: its vertices, with the rows they lie on.
        inside: homogeneous integers of the mean of the vertices, which is inside all rows that it can be inside of.
    """

    rows: tuple[Row, ...]
    generators: Generators
    inside: tuple[int, ...]

    @property
    def is_solid(self) -> bool:
        """Whether it has an interior."""
        return all(dot(row.entries, self.inside) > 0 for row in self.rows)

    @property
    def is_met(self) -> bool:
        """Whether it has a point, open rows taken as open."""
        return all(dot(row.entries, self.inside) > 0 for row in self.rows if row.strict)

    @property
    def point(self) -> tuple[Fraction, ...]:
        """The mean of the vertices."""
        return tuple(Fraction(entry, self.inside[-1]) for entry in self.inside[:-1])

    def volume(self) -> Fraction:
        """Its volume over u, if it is solid."""
        return exact_volume(self.generators)

    def facets(self) -> tuple[Row, ...]:
        """One row for each facet of a solid polytope, open if a row is that carries the facet."""
        on = [
            sum(1 << g for g, point in enumerate(self.generators.points) if point.tight >> i & 1)
            for i in range(len(self.rows))
        ]
        largest = {t for t in on if t and not any(t & ~other == 0 and t != other for other in on)}
        found: dict[int, Row] = {}
        for tight, row in zip(on, self.rows, strict=True):
            if tight in largest:
                known = found.get(tight, row)
                found[tight] = known._replace(strict=known.strict or row.strict)
        return tuple(found.values())


def shape_of(rows: Sequence[Row], dim: int) -> Shape | None:
    """The closed polytope of some rows in k dimensions, which is bounded; None if it is empty.

    Complexity: the double description method, exponential in the dimension at worst.
    """
    kept = []
    for row in rows:
        if any(row.entries[:-1]):
            kept.append(row)
        elif row.entries[-1] < 0 or (row.entries[-1] == 0 and row.strict):
            return None
    found = generators([row.entries for row in kept], dim)
    if not found.points:
        return None
    return Shape(tuple(kept), found, _mean([point.direction for point in found.points]))


def _mean(points: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The mean of homogeneous points, homogeneous."""
    scale = lcm(*(point[-1] for point in points))
    sums = [
        sum(column) for column in zip(*([e * (scale // p[-1]) for e in p[:-1]] for p in points), strict=True)
    ]
    return (*sums, scale * len(points))


def solid_shape(rows: Sequence[Row], dim: int) -> Shape | None:
    """The same; None if it has no interior either."""
    shape = shape_of(rows, dim)
    return shape if shape is not None and shape.is_solid else None


def volume_of_box(rows: Sequence[Row], dim: int) -> Fraction | None:
    """The volume of a box that is not empty; None if some row bounds several coordinates."""
    sides: dict[tuple[int, bool], Fraction] = {}
    for entries, _, _ in rows:
        axes = [j for j, entry in enumerate(entries[:-1]) if entry]
        if len(axes) != 1:
            return None
        place, bound = (axes[0], entries[axes[0]] > 0), Fraction(-entries[-1], entries[axes[0]])
        known = sides.get(place, bound)
        sides[place] = max(known, bound) if place[1] else min(known, bound)
    return prod((sides[j, False] - sides[j, True] for j in range(dim)), start=Fraction(1))


def without(rows: Sequence[Row], taken: Sequence[Row], dim: int) -> Iterator[tuple[Row, ...]]:
    """What a polytope has outside another one, as polytopes with interior that have no point in common.

    The first is beyond the first row of `taken`, the second within it and beyond the second row, and so on.
    """
    inner = tuple(rows)
    for row in taken:
        shape = solid_shape((*inner, row.negated()), dim)
        if shape is not None:
            yield shape.facets()
        inner = (*inner, row)


def outside_of_all(rows: Sequence[Row], taken: Sequence[Sequence[Row]], dim: int) -> list[tuple[Row, ...]]:
    """What a polytope has outside several others."""
    left = [tuple(rows)]
    for other in taken:
        left = [piece for rows_left in left for piece in without(rows_left, other, dim)]
    return left
