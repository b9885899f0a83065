"""Which rows of an H-representation are facets: decided exactly, coinciding rows taken together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import Protocol

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.exact.numbers import Point, dot, nearest_float
from polyregions.polyhedra.oracle.forms import OpenPolyhedron

NEARLY = 1e-7  # rows nearer than this are compared exactly; farther ones differ for certain
TELLING = 16  # entries that are compared first: of hundreds of inputs they tell nearly all rows apart


class Decider(Protocol):
    """Who decides whether open polyhedra have points: a `Referee`, or one who means only those in a ball."""

    def interior(self, polyhedron: OpenPolyhedron) -> Point | None:
        """A point strictly inside, or None if it is proved that there is none."""


@dataclass(frozen=True, eq=False)
class Facet:
    """One facet of a polyhedron.

    Attributes:
        rows: the rows whose hyperplane carries it, lowest first.
        inside: a point strictly inside the polyhedron.
        beyond: a point on the other side of this facet, strictly inside all the other rows.
    """

    rows: tuple[int, ...]
    inside: Point
    beyond: Point

    def point(self, polyhedron: OpenPolyhedron) -> list[Fraction]:
        """A point in the relative interior of the facet, exactly: where the segment inside-beyond crosses it."""
        row = polyhedron.exact[self.rows[0]]()
        p, q = self.inside.coordinates, self.beyond.coordinates
        here = Fraction(dot(row, self.inside.integers), self.inside.integers[-1])
        there = Fraction(dot(row, self.beyond.integers), self.beyond.integers[-1])
        t = here / (here - there)
        return [a + t * (b - a) for a, b in zip(p, q, strict=True)]

    def approximate_point(self, polyhedron: OpenPolyhedron) -> Floats:
        """The same point in float64 arithmetic; where that overflows, the exact one rounded."""
        row = polyhedron.rows[self.rows[0]]
        p, q = self.inside.approx, self.beyond.approx
        with np.errstate(all="ignore"):
            here, there = row[:-1] @ p + row[-1], row[:-1] @ q + row[-1]
            t = here / (here - there) if here > 0 > there else 0.5
            point: Floats = p + t * (q - p)
        if np.all(np.isfinite(point)):
            return point
        return np.array([nearest_float(c) for c in self.point(polyhedron)])

    def direction(self) -> list[Fraction]:
        """A direction that leaves the polyhedron through the facet."""
        return [b - a for a, b in zip(self.inside.coordinates, self.beyond.coordinates, strict=True)]


def facets(
    polyhedron: OpenPolyhedron,
    inside: Point,
    referee: Decider,
    groups: Iterable[tuple[int, ...]] | None = None,
) -> Iterator[Facet]:
    """The facets of a full-dimensional polyhedron, in order of their first row.

    A group of coinciding rows is a facet iff, with all of them left out, the polyhedron reaches
    strictly beyond their hyperplane.

    Args:
        polyhedron: the polyhedron.
        inside: a point strictly inside it.
        referee: decides; one oracle question a group.
        groups: the groups of coinciding rows to look at; all of them if not given.
    """
    for group in coinciding_rows(polyhedron) if groups is None else groups:
        beyond = _reach_beyond(polyhedron, group, referee)
        if beyond is not None:
            yield Facet(group, inside, beyond)


def _reach_beyond(polyhedron: OpenPolyhedron, group: tuple[int, ...], referee: Decider) -> Point | None:
    others = [i for i in range(len(polyhedron.rows)) if i not in group]
    relaxed = polyhedron.subset(others).with_form(polyhedron.form(group[0]).negated())
    return referee.interior(relaxed)


def coinciding_rows(polyhedron: OpenPolyhedron) -> list[tuple[int, ...]]:
    """Rows grouped by hyperplane; rows that are equal up to a positive factor stand together."""
    m = len(polyhedron.rows)
    leader = list(range(m))
    for i, j in _nearly_equal_pairs(polyhedron):
        if leader[j] == j and leader[i] == i and _same_ray(polyhedron.exact[i](), polyhedron.exact[j]()):
            leader[j] = i
    groups: dict[int, list[int]] = {}
    for i in range(m):
        groups.setdefault(leader[i], []).append(i)
    return [tuple(group) for group in groups.values()]


def _nearly_equal_pairs(polyhedron: OpenPolyhedron) -> list[tuple[int, int]]:
    """Pairs i < j of rows that might coincide; the floats exclude all others."""
    with np.errstate(all="ignore"):
        size = np.abs(polyhedron.rows).max(axis=1, keepdims=True)
        unit = polyhedron.rows / size
        doubt = np.max(polyhedron.error / size, axis=1, initial=0.0) * 4 + NEARLY
        few = unit[:, np.argsort(-np.abs(unit).sum(axis=0), kind="stable")[:TELLING]]
        first, second = np.nonzero(
            np.triu(~_are_apart(few[:, None], few[None], doubt[:, None] + doubt[None]), 1)
        )
        apart = _are_apart(unit[first], unit[second], doubt[first] + doubt[second])
    return list(zip(first[~apart].tolist(), second[~apart].tolist(), strict=True))


def _are_apart(one: Floats, two: Floats, doubt: Floats) -> Bools:
    """Whether rows differ in an entry by more than the doubt about them."""
    apart: Bools = np.max(np.abs(one - two), axis=-1, initial=0.0) > doubt
    return apart


def _same_ray(a: list[int], b: list[int]) -> bool:
    """Whether two integer rows are equal up to a positive factor."""
    return primitive(a) == primitive(b)


def primitive(row: list[int]) -> list[int]:
    """The row divided by the greatest common divisor of its entries."""
    common = gcd(*row)
    return [entry // common for entry in row] if common else row
