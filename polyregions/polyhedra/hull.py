"""Affine hulls: lower-dimensional polyhedra brought to the coordinates in which they are solid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isqrt
from typing import Any

import numpy as np
from flint import fmpz_mat

from polyregions._types import Floats
from polyregions.exact.affine import IntegerAffine, compose, identity_affine, integer_matrix
from polyregions.exact.interior import find_interior
from polyregions.exact.numbers import Point, nearest_float


@dataclass(frozen=True, eq=False)
class AffineHull:
    """A k-dimensional affine subspace of R^d with coordinates u of its own.

    Attributes:
        given: the exact map u -> x; None for the identity, which is written out only when somebody asks.
        free: (k,) the inputs that serve as coordinates u, or None if u are other coordinates.
    """

    given: IntegerAffine | None
    free: tuple[int, ...] | None

    @classmethod
    def whole(cls, dim: int) -> AffineHull:
        """R^d itself."""
        return cls(None, tuple(range(dim)))

    @cached_property
    def embedding(self) -> IntegerAffine:
        """The exact map u -> x."""
        return self.given or identity_affine(len(self.free or ()))

    @property
    def dim(self) -> int:
        """Dimension k of the hull."""
        return self.given.shape[1] - 1 if self.given is not None else len(self.free or ())

    @property
    def ambient_dim(self) -> int:
        """Dimension d of the space it lies in."""
        return self.given.shape[0] if self.given is not None else len(self.free or ())

    @property
    def is_whole(self) -> bool:
        """Whether the hull is all of R^d with its own coordinates."""
        return self.free is not None and len(self.free) == self.ambient_dim

    @cached_property
    def floats(self) -> tuple[Floats, Floats]:
        """Basis (d, k) and origin (d,) in float64."""
        nearest = self.embedding.plain().nearest_floats().reshape(self.ambient_dim, self.dim + 1)
        return nearest[:, :-1], nearest[:, -1]

    def lift(self, point: Point) -> Point:
        """A point of the hull in the coordinates x."""
        if self.is_whole:
            return point
        return Point.of(self._image([*point.coordinates, Fraction(1)]))

    def lift_floats(self, local: Floats) -> Floats:
        """Points (n, k) of the hull in the coordinates x (n, d), in float64; infinite beyond its range."""
        if self.is_whole:
            return local
        basis, origin = self.floats
        lifted: Floats = (
            local @ basis.T + origin if np.all(np.isfinite(local)) else _lift_far(local, basis, origin)
        )
        return lifted

    def lift_direction(self, direction: Sequence[Fraction]) -> list[Fraction]:
        """A direction of the hull in the coordinates x."""
        return self._image([*direction, Fraction(0)])

    def nearest_points(self, points: Sequence[Sequence[Fraction]]) -> Floats:
        """Points of the hull in the coordinates x (n, d), each rounded once."""
        lifted = points if self.is_whole else [self._image([*point, Fraction(1)]) for point in points]
        return np.array([[nearest_float(c) for c in x] for x in lifted]).reshape(-1, self.ambient_dim)

    def unit_directions(self, directions: Sequence[Sequence[int]]) -> Floats:
        """Directions of the hull in the coordinates x (n, d), sorted, to a largest entry of 1, each rounded once."""
        lifted = sorted(self.lift_direction([Fraction(c) for c in v]) for v in directions)
        unit = [[nearest_float(c / max(map(abs, v))) for c in v] for v in lifted]
        return np.array(unit).reshape(-1, self.ambient_dim)

    def _image(self, homogeneous: Sequence[Fraction]) -> list[Fraction]:
        weight, bias = self.embedding.fractions()
        return [
            sum((w * u for w, u in zip([*row, b], homogeneous, strict=True)), Fraction(0))
            for row, b in zip(weight, bias, strict=True)
        ]

    @cached_property
    def anchors(self) -> tuple[int, ...]:
        """(k,) inputs whose values determine u: the free ones, or the first independent ones."""
        if self.free is not None:
            return self.free
        normals = [self.embedding.row(i)[:-1] for i in range(self.ambient_dim)]
        columns = integer_matrix(list(zip(*normals, strict=True)), self.ambient_dim)
        reduced, _, rank = columns.rref()
        return tuple(next(j for j in range(self.ambient_dim) if reduced[i, j] != 0) for i in range(rank))

    @cached_property
    def chart(self) -> IntegerAffine:
        """The exact map x -> u, (k, d+1), right for every x of the hull."""
        k, d = self.dim, self.ambient_dim
        anchored = [self.embedding.row(i) for i in self.anchors]
        square = fmpz_mat(k, k, [row[j] for row in anchored for j in range(k)])
        selector = [[0] * (d + 1) for _ in range(k)]
        for row, i, anchor in zip(selector, self.anchors, anchored, strict=True):
            row[i], row[d] = self.embedding.denominator, -anchor[k]
        solved, denominator = square.solve(integer_matrix(selector, d + 1)).numer_denom() if k else (None, 1)
        return IntegerAffine(solved if k else integer_matrix([], d + 1), int(denominator))

    @cached_property
    def equations(self) -> list[list[int]]:
        """d - k integer rows of d+1 entries that vanish exactly on the hull."""
        image = compose(self.embedding, self.chart)
        out = []
        for i in sorted(set(range(self.ambient_dim)) - set(self.anchors)):
            row = [-entry for entry in image.row(i)]
            row[i] += image.denominator
            out.append(row)
        return out

    def contains(self, x: Sequence[Fraction]) -> bool:
        """Whether a point x lies on the hull; exact."""
        homogeneous = [*x, Fraction(1)]
        return all(sum(e * h for e, h in zip(row, homogeneous, strict=True)) == 0 for row in self.equations)

    def coordinates(self, x: Sequence[Fraction]) -> list[Fraction]:
        """The coordinates u (k,) of a point x of the hull, exactly."""
        weight, bias = self.chart.fractions()
        return [
            sum((w * xi for w, xi in zip(row, x, strict=True)), b)
            for row, b in zip(weight, bias, strict=True)
        ]

    def gram(self) -> tuple[fmpz_mat, int]:
        """The scalar products in x of the unit vectors of u: integers (k, k) over one denominator."""
        matrix = self.embedding.matrix
        d, k = self.ambient_dim, self.dim
        basis = fmpz_mat(d, k, [int(matrix[i, j]) for i in range(d) for j in range(k)])
        return basis.transpose() * basis, self.embedding.denominator**2

    def scale(self) -> float:
        """How much k-dimensional volume in x one unit of volume in u is."""
        basis = self.floats[0]
        return float(np.sqrt(np.linalg.det(basis.T @ basis))) if self.dim else 1.0

    def exact_scale(self) -> Fraction | None:
        """The same in rationals; None if it is irrational."""
        squared = int(self.gram()[0].det()) if self.dim else 1
        root = isqrt(squared)
        return Fraction(root, self.embedding.denominator**self.dim) if root * root == squared else None


@dataclass(frozen=True, eq=False)
class SolidPolyhedron:
    """A polyhedron in the coordinates of its affine hull, where it has an interior.

    Attributes:
        hull: where it lies.
        rows: integer rows of k+1 entries, ``row . [u, 1] >= 0``; constant rows left out.
        kept: which of the original rows these are.
        interior: a point strictly inside all rows.
    """

    hull: AffineHull
    rows: list[list[int]]
    kept: list[int]
    interior: Point


def solidify(
    rows: Sequence[Sequence[int]], hull: AffineHull, hint: Sequence[Fraction]
) -> SolidPolyhedron | None:
    """Find the affine hull of ``{u in hull : row . [u, 1] >= 0}``; None if the set is empty.

    Each round either finds an interior point or learns that some rows hold with equality everywhere
    (those with a positive multiplier), and goes on inside their solution set.

    Args:
        rows: m rows of k+1 integers in the coordinates of `hull`.
        hull: where the set is known to lie.
        hint: k rationals, a point to start from.
    """
    kept = list(range(len(rows)))
    current = [list(row) for row in rows]
    while True:
        if any(row[-1] < 0 and not any(row[:-1]) for row in current):
            return None
        solid = [i for i, row in enumerate(current) if any(row[:-1])]
        current, kept = [current[i] for i in solid], [kept[i] for i in solid]
        found = find_interior(current, hint)
        if found.point is not None:
            return SolidPolyhedron(hull, current, kept, found.point)
        if found.slack < 0:
            return None
        inner = solution_set([current[i] for i in sorted(found.multipliers)], len(hint))
        hull = _restricted(hull, inner)
        current = pulled_back(current, inner.embedding)
        hint = [hint[i] for i in inner.free or ()]


def solution_set(equations: Sequence[Sequence[int]], dim: int) -> AffineHull:
    """The solutions of ``row . [x, 1] = 0`` (a non-empty set), parametrised by the free coordinates."""
    matrix = integer_matrix(equations, dim + 1)
    reduced, denominator, rank = matrix.rref()
    pivots = [next(j for j in range(dim) if reduced[i, j] != 0) for i in range(rank)]
    free = [j for j in range(dim) if j not in pivots]
    scale = abs(int(denominator))
    sign = 1 if denominator > 0 else -1
    rows = [[0] * (len(free) + 1) for _ in range(dim)]
    for column, j in enumerate(free):
        rows[j][column] = scale
    for i, j in enumerate(pivots):
        rows[j] = [-sign * int(reduced[i, f]) for f in free] + [-sign * int(reduced[i, dim])]
    return AffineHull(IntegerAffine(integer_matrix(rows, len(free) + 1), scale), tuple(free))


def _restricted(hull: AffineHull, inner: AffineHull) -> AffineHull:
    free = None if hull.free is None else tuple(hull.free[i] for i in inner.free or ())
    return AffineHull(compose(hull.embedding, inner.embedding), free)


def pulled_back(rows: Sequence[Sequence[int]], embedding: IntegerAffine) -> list[list[int]]:
    """Integer rows over x as integer rows over u, up to one positive factor, for the map u -> x."""
    k = embedding.shape[0]
    forms = IntegerAffine(integer_matrix(rows, k + 1), 1)
    pulled = compose(forms, embedding)
    return [pulled.row(i) for i in range(len(rows))]


def solve_rational(matrix: Sequence[Sequence[Any]], right: Sequence[Fraction]) -> list[Fraction] | None:
    """The solution of an overdetermined rational system of full column rank, None if there is none."""
    k = len(matrix[0]) if matrix else 0
    rows = []
    for row, value in zip(matrix, right, strict=True):
        entries = [*row, value]
        scale = int(np.lcm.reduce(np.array([1] + [Fraction(e).denominator for e in entries], dtype=object)))
        rows.append([int(Fraction(e) * scale) for e in entries])
    reduced, denominator, rank = fmpz_mat(len(rows), k + 1, [e for row in rows for e in row]).rref()
    if rank != k or any(reduced[i, i] == 0 for i in range(k)):
        return None
    return [Fraction(int(reduced[i, k]), int(denominator)) for i in range(k)]


def _lift_far(local: Floats, basis: Floats, origin: Floats) -> Floats:
    """The same for infinite coordinates, which 0 in the basis does not see: 0 times infinity would be NaN."""
    far = np.where(basis == 0, 0.0, local[:, None, :])
    with np.errstate(invalid="ignore"):  # infinities that cancel are unknown to floats, and stay NaN
        lifted: Floats = np.sum(far * basis, axis=-1) + origin
    return lifted
