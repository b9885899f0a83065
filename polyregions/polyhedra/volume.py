"""Volumes of bounded polyhedra: pyramids over facets, each face measured once, every determinant exact.

A face is the union of the pyramids from one of its vertices over its facets that do not hold it (a pulling
triangulation, its simplices summed up face by face). Each face is measured by a simplex of its own vertices, so all
that is summed and multiplied are positive ratios of exact determinants: float64 loses a few units of the last place,
whatever the shape. See Bueler, Enge and Fukuda, Exact volume computation for polytopes: a practical study (2000).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import factorial, inf, prod
from typing import Any, TypeAlias

from flint import fmpq, fmpq_mat, fmpz_mat, nmod_mat

from polyregions.exact.numbers import nearest_float, quotient, root
from polyregions.polyhedra.generators import Generators, generators
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.lattice import FaceLattice, members
from polyregions.polyhedra.polygon import polygon_corners, shoelace

PRIME = 2**61 - 1

Number: TypeAlias = Any  # float or fmpq: what multiples of volumes are added up in


def volume(found: Generators) -> float:
    """Volume of the convex hull of the vertices of a bounded solid polyhedron, to about 1e-13 of itself.

    Complexity: a determinant for each pair of a face and a facet of it, at most.
    """
    share, simplex = _measured(found, _rounded)
    return float(share * _rounded(simplex))


def exact_volume(found: Generators) -> Fraction:
    """The same in rationals."""
    share, simplex = _measured(found, fmpq)
    size = share * simplex
    return Fraction(int(size.p), int(size.q))


def _rounded(number: fmpq) -> float:
    return quotient(int(number.p), int(number.q))


def _measured(found: Generators, number: Callable[[fmpq], Number]) -> tuple[Number, fmpq]:
    """How many times the volume of a simplex, and that volume."""
    points = [point.direction for point in found.points]
    k = len(points[0]) - 1
    faces = _Measures(points, FaceLattice.of([point.tight for point in found.points], len(points)), number)
    share, simplex = faces.measure(faces.lattice.whole, k)
    return share, abs(faces.determinant(simplex, range(k))) / factorial(k)


def volume_of_facets(rows: Sequence[Sequence[int]], dim: int) -> float:
    """Volume of a bounded ``{row . [u, 1] >= 0}`` in dim dimensions whose rows are all facets."""
    if dim == 2:
        return nearest_float(shoelace(polygon_corners(rows)))
    return volume(generators(rows, dim))


def facet_volumes(rows: Sequence[Sequence[int]], chosen: Sequence[int], hull: AffineHull) -> list[float]:
    """The volume in k-1 dimensions of some facets of ``{row . [u, 1] >= 0}``, measured in the inputs.

    A facet of no extent (of an interval) measures 1, an unbounded one infinity.

    Args:
        rows: rows of k+1 integers, the facets among them.
        chosen: the rows whose facets are to be measured.
        hull: what u are coordinates of.
    """
    found, k = generators(rows, hull.dim), hull.dim
    points = [point.direction for point in found.points]
    lattice = FaceLattice.of([point.tight for point in found.points], len(points))
    measures, (gram, squared) = _Measures(points, lattice, _rounded), hull.gram()
    metric = fmpq_mat(gram) / squared
    volumes = []
    for row in chosen:
        if found.lines or any(ray.tight >> row & 1 for ray in found.rays):
            volumes.append(inf)
            continue
        face = sum(1 << g for g, point in enumerate(found.points) if point.tight >> row & 1)
        share, simplex = measures.measure(face, k - 1)
        volumes.append(float(share * _size([points[i] for i in simplex], metric)))
    return volumes


def _size(simplex: Sequence[Sequence[int]], metric: fmpq_mat) -> float:
    """The volume of a simplex of homogeneous points where scalar products are those of a metric (k, k)."""
    first, *others = ([fmpq(c, p[-1]) for c in p[:-1]] for p in simplex)
    edges = fmpq_mat(len(others), len(first), [a - b for p in others for a, b in zip(p, first, strict=True)])
    determinant = (edges * metric * edges.transpose()).det() if others else fmpq(1)
    return root(Fraction(int(determinant.p), int(determinant.q))) / factorial(len(others))


class _Measures:
    """The volume of each face as a multiple of that of a simplex of its vertices.

    Args:
        points: homogeneous integers of each vertex, the positive denominator last.
        lattice: the faces.
        number: makes the numbers that multiples are added up in.
    """

    def __init__(
        self, points: list[list[int]], lattice: FaceLattice, number: Callable[[fmpq], Number]
    ) -> None:
        self.lattice, self._points = lattice, points
        self._number = number
        self._known: dict[int, tuple[Number, tuple[int, ...]]] = {}

    def measure(self, face: int, dim: int) -> tuple[Number, tuple[int, ...]]:
        """How many times the volume of a simplex, and the vertices of that simplex."""
        if face not in self._known:
            self._known[face] = self._measured(face, dim)
        return self._known[face]

    def _measured(self, face: int, dim: int) -> tuple[Number, tuple[int, ...]]:
        apex, *others = members(face)
        if len(others) <= dim:
            return self._number(fmpq(1)), (apex, *others)
        bases: list[tuple[Number, tuple[int, ...]]] = [
            self.measure(f, dim - 1) for f in self.lattice.facets(face) if not f >> apex & 1
        ]
        unit = (apex, *bases[0][1])
        axes = self._axes(unit)
        whole = self.determinant(unit, axes)
        total = bases[0][0]
        for share, base in bases[1:]:
            total = total + share * self._number(abs(self.determinant((apex, *base), axes) / whole))
        return total, unit

    def determinant(self, simplex: Sequence[int], axes: Sequence[int]) -> fmpq:
        """Determinant of the edges of a simplex along some axes, up to sign."""
        points = [self._points[i] for i in simplex]
        n = len(points)
        homogeneous = fmpz_mat(n, n, [entry for p in points for entry in (*(p[j] for j in axes), p[-1])])
        return fmpq(homogeneous.det(), prod(p[-1] for p in points))

    def _axes(self, simplex: Sequence[int]) -> Sequence[int]:
        """Axes along which the projection of the simplex keeps its dimension: as it does modulo a prime."""
        points, k = [self._points[i] for i in simplex], len(self._points[0]) - 1
        n = len(points)
        if n == k + 1:
            return range(k)
        entries = [entry for p in points for entry in (p[-1], *p[:-1])]
        reduced, rank = nmod_mat(n, k + 1, [e % PRIME for e in entries], PRIME).rref()
        if rank < n or reduced[0, 0] == 0:
            exact, _, rank = fmpz_mat(n, k + 1, entries).rref()
            return _pivots(exact, n)[1:]
        return _pivots(reduced, n)[1:]


def _pivots(reduced: fmpz_mat | nmod_mat, rank: int) -> list[int]:
    """The axes of the pivots of a reduced matrix whose first column is the denominator, -1 standing for that."""
    return [next(j for j in range(reduced.ncols()) if reduced[i, j] != 0) - 1 for i in range(rank)]
