"""Bounded polytopes by their vertices, exactly: interiors, facets, volumes, and what is left without others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from math import prod
from operator import and_
from typing import NamedTuple

import numpy as np

from polyregions.exact.numbers import Point, dot, quotient
from polyregions.polyhedra.generators import Generators, generators
from polyregions.polyhedra.volume import exact_volume


class Row(NamedTuple):
    """One row ``entries . [u, 1] >= 0``, or ``> 0`` where it is strict.

    Attributes:
        entries: k+1 integers.
        strict: whether it is open.
        label: where it comes from.
        is_cut: whether points on it belong to the input set in any case, so that it is open only to tell
            neighbours apart: the row of a neuron, or one that halves a set.
    """

    entries: tuple[int, ...]
    strict: bool
    label: str
    is_cut: bool = False

    def negated(self) -> Row:
        """The row that holds where this one does not."""
        entries = tuple(-entry for entry in self.entries)
        return self._replace(entries=entries, strict=not self.strict, label=f"not {self.label}")


@dataclass(frozen=True, eq=False)
class Shape:
    """A bounded polytope that is not empty, its open rows taken as closed.

    Attributes:
        rows: its rows, constant ones left out.
        generators: its vertices, with the rows they lie on.
    """

    rows: tuple[Row, ...]
    generators: Generators

    @cached_property
    def _always_tight(self) -> int:
        """The rows that vanish on all of it, as bits."""
        return reduce(and_, (point.tight for point in self.generators.points))

    @property
    def is_solid(self) -> bool:
        """Whether it has an interior: no row vanishes all over it."""
        return self._always_tight == 0

    @property
    def is_met(self) -> bool:
        """Whether it has a point, open rows taken as open but for cuts."""
        return not any(
            row.strict and not row.is_cut and self._always_tight >> i & 1 for i, row in enumerate(self.rows)
        )

    @property
    def point(self) -> tuple[Fraction, ...]:
        """A point strictly inside a solid one: the mean of the vertices in floats, else one near some vertices."""
        vertices = [point.direction for point in self.generators.points]
        floats = np.array([[quotient(e, v[-1]) for e in v[:-1]] for v in vertices], dtype=np.float64)
        middle = Point(floats.mean(axis=0))
        if np.all(np.isfinite(middle.approx)) and self._is_inside(middle.integers):
            return middle.coordinates
        total = [sum(column) for column in zip(*vertices, strict=True)]  # a mean with positive weights
        return tuple(Fraction(entry, total[-1]) for entry in total[:-1])

    def _is_inside(self, point: Sequence[int]) -> bool:
        return all(dot(row.entries, point) > 0 for row in self.rows)

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
    return Shape(tuple(kept), found)


def solid_shape(rows: Sequence[Row], dim: int) -> Shape | None:
    """The same; None if it has no interior either."""
    shape = shape_of(rows, dim)
    return shape if shape is not None and shape.is_solid else None


def volume_of_box(rows: Sequence[Row], dim: int) -> Fraction | None:
    """The volume of a box that is not empty; None if some row bounds several coordinates."""
    sides: dict[tuple[int, bool], Fraction] = {}
    for entries, *_ in rows:
        axes = [j for j, entry in enumerate(entries[:-1]) if entry]
        if len(axes) != 1:
            return None
        place, bound = (axes[0], entries[axes[0]] > 0), Fraction(-entries[-1], entries[axes[0]])
        known = sides.get(place, bound)
        sides[place] = max(known, bound) if place[1] else min(known, bound)
    return prod((sides[j, False] - sides[j, True] for j in range(dim)), start=Fraction(1))


def without(shape: Shape, taken: Sequence[Row], dim: int) -> Iterator[Shape]:
    """What a polytope has outside another one, as polytopes with interior that have no point in common.

    The first is beyond the first row of `taken`, the second within it and beyond the second row, and so on.
    """
    inner = shape.facets()
    for row in taken:
        beyond = solid_shape((*inner, row.negated()), dim)
        if beyond is not None:
            yield beyond
        inner = (*inner, row)


def outside_of_all(shape: Shape, taken: Iterable[Sequence[Row]], dim: int) -> list[Shape]:
    """What a solid polytope has outside several others."""
    left = [shape]
    for other in taken:
        left = [piece for one in left for piece in without(one, other, dim)]
    return left
