"""H-polytopes ``{x : A x <= b}`` as users see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Bools, Floats, Ints
from polyregions.errors import DomainError
from polyregions.exact.affine import affine_of_floats, integer_matrix
from polyregions.exact.lp import LPStatus, maximise
from polyregions.exact.numbers import Point, dot, nearest_float, quotient
from polyregions.geometry.facets import facets
from polyregions.geometry.hull import AffineHull, SolidPolyhedron, solidify
from polyregions.geometry.vertices import vertices_and_volume
from polyregions.oracle.highs import largest_ball
from polyregions.oracle.polyhedron import Bounds, Form, OpenPolyhedron
from polyregions.oracle.proof import TINY, UNIT, values_with_error
from polyregions.oracle.referee import Referee


class HPolytope:
    """A polyhedron ``{x : A x <= b}`` in R^d, some of its rows open (``A x < b``).

    Attributes:
        A: (m, d) float64.
        b: (m,) float64.
        strict: (m,) whether a row is open.
        labels: m short names of where each row comes from.

    >>> triangle = HPolytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
    >>> triangle.volume(), triangle.is_bounded()
    (0.5, True)
    """

    def __init__(self, A: Any, b: Any, strict: Any = None, labels: Sequence[str] | None = None) -> None:
        """Check and store the rows.

        Raises:
            DomainError: shapes that do not fit, or entries that are not finite.
        """
        self.A: Floats = _numbers(A, "A")
        self.b: Floats = _numbers(b, "b")
        if self.A.ndim != 2:
            raise DomainError(f"polytope: A has shape {self.A.shape}, expected two axes (m, d)")
        m = len(self.A)
        self.strict: Bools = (
            np.zeros(m, dtype=np.bool_) if strict is None else np.array(strict, dtype=np.bool_)
        )
        self.labels = tuple(labels) if labels is not None else tuple(f"row {i}" for i in range(m))
        for name, shape in (
            ("b", self.b.shape),
            ("strict", self.strict.shape),
            ("labels", (len(self.labels),)),
        ):
            if shape != (m,):
                raise DomainError(f"polytope: A has {m} rows, {name} has shape {shape}, expected ({m},)")
        bad = np.flatnonzero(~np.isfinite(self.A).all(axis=1) | ~np.isfinite(self.b))
        if len(bad):
            raise DomainError(
                f"polytope, row {bad[0]}: A = {self.A[bad[0]]}, b = {self.b[bad[0]]}, expected finite"
            )
        self._exact_rows: list[list[int]] | None = None
        self._irredundant_among: frozenset[int] | None = None

    @classmethod
    def of_exact_rows(
        cls,
        rows: Sequence[Sequence[int]],
        divisors: Sequence[int],
        dim: int,
        strict: Any,
        labels: Sequence[str],
        irredundant_among: Iterable[int] | None = None,
    ) -> HPolytope:
        """The polytope ``{x : row . [x, 1] >= 0}`` of exact rows; A and b are the nearest floats of row / divisor.

        Args:
            rows: m rows of d+1 integers.
            divisors: m positive integers that set the scale of each row of A and b.
            dim: d.
            strict: (m,) whether a row is open.
            labels: m names.
            irredundant_among: rows that together imply all others (known from the split tree); None if unknown.
        """
        floats = [_quotients(row, divisor) for row, divisor in zip(rows, divisors, strict=True)]
        slack = np.array(floats, dtype=np.float64).reshape(len(floats), dim + 1)
        polytope = cls(-slack[:, :-1] + 0.0, slack[:, -1], strict, labels)
        polytope._exact_rows = [list(row) for row in rows]
        if irredundant_among is not None:
            polytope._irredundant_among = frozenset(irredundant_among)
        return polytope

    def with_exact_rows(
        self, rows: Sequence[Sequence[int]], divisors: Sequence[int], strict: Any, labels: Sequence[str]
    ) -> HPolytope:
        """The part where further exact rows hold, see `of_exact_rows`."""
        more = HPolytope.of_exact_rows(rows, divisors, self.dim, strict, labels)
        joined = HPolytope(
            np.concatenate([self.A, more.A]),
            np.concatenate([self.b, more.b]),
            np.concatenate([self.strict, more.strict]),
            [*self.labels, *more.labels],
        )
        joined._exact_rows = [*self.exact_rows, *more.exact_rows]
        if self._irredundant_among is not None:
            joined._irredundant_among = self._irredundant_among | set(range(len(self.A), len(joined.A)))
        return joined

    def closed(self) -> HPolytope:
        """The same rows, none of them open."""
        same = HPolytope(self.A, self.b, None, self.labels)
        same._exact_rows, same._irredundant_among = self._exact_rows, self._irredundant_among
        return same

    @property
    def is_rounded(self) -> bool:
        """Whether A and b are only the nearest floats of `exact_rows`."""
        return self._exact_rows is not None

    @property
    def dim(self) -> int:
        """Dimension d of the space."""
        return int(self.A.shape[1])

    @cached_property
    def exact_rows(self) -> list[list[int]]:
        """The rows ``b - A x >= 0`` as integers, up to a positive factor, the constant last."""
        if self._exact_rows is not None:
            return self._exact_rows
        slack = affine_of_floats(-self.A, self.b)
        return [slack.row(i) for i in range(len(self.A))]

    @cached_property
    def solid(self) -> SolidPolyhedron | None:
        """The closed polyhedron in its own affine hull, with an interior point; None if it is empty."""
        kept = range(len(self.A)) if self._irredundant_among is None else sorted(self._irredundant_among)
        rows = [self.exact_rows[i] for i in kept]
        solid = solidify(rows, AffineHull.whole(self.dim), _origin(self.dim))
        return solid and replace(solid, kept=[kept[i] for i in solid.kept])

    def is_empty(self) -> bool:
        """Whether the closed polyhedron has no point; exact."""
        return self.solid is None

    def is_full_dimensional(self) -> bool:
        """Whether it has an interior; exact."""
        return self.solid is not None and self.solid.hull.dim == self.dim

    def interior_point(self) -> Floats:
        """A point (d,) in the relative interior, rounded to float64 only if it has to be.

        Raises:
            DomainError: the polytope is empty.
        """
        solid = self._solid()
        return solid.hull.lift(solid.interior).approx

    def contains(self, X: Any) -> Bools:
        """Whether each row of X (k, d) satisfies all rows, open rows strictly; exact for the given floats."""
        try:
            points = arrays.points(X, self.dim)
        except arrays.NotNumbers as error:
            raise DomainError(f"points: {error}, expected (k, {self.dim}) finite numbers") from None
        return np.array([self._contains(x) for x in points], dtype=np.bool_)

    def _contains(self, x: Floats) -> bool:
        floats = np.column_stack([-self.A, self.b])
        doubt = np.abs(floats) * UNIT + TINY if self._exact_rows is not None else np.zeros_like(floats)
        value, bound = values_with_error(floats, doubt, x)
        if np.any(value < -bound):
            return False
        integers = Point(x).integers
        for i in np.flatnonzero(~(value > bound)):
            exact = dot(self.exact_rows[i], integers)
            if exact < 0 or (exact == 0 and self.strict[i]):
                return False
        return True

    def facets(self) -> Ints:
        """The rows (f,) that carry a facet, one for each, proved; redundant rows are left out.

        Complexity: one linear program a row, O(m) of them.
        """
        solid = self._solid()
        polyhedron = open_polyhedron(solid)
        found = facets(polyhedron, solid.interior, Referee(Bounds.unknown(solid.hull.dim)))
        return np.array([solid.kept[facet.rows[0]] for facet in found], dtype=np.int64)

    def is_bounded(self) -> bool:
        """Whether it is bounded (a polytope), decided exactly by its recession cone."""
        solid = self.solid
        return solid is None or recession_cone_is_trivial(solid.rows, solid.hull.dim)

    def vertices(self) -> Floats:
        """The vertices (v, d), from the proved facets; counterclockwise in two dimensions.

        Exact and rounded once up to two dimensions, Qhull's from three on (about 1e-9 of the diameter).

        Raises:
            DomainError: empty or unbounded.
        """
        solid = self._bounded_solid("vertices")
        local, _ = vertices_and_volume(self._facet_rows(solid), solid.interior)
        basis, origin = solid.hull.floats
        return local @ basis.T + origin

    def volume(self) -> float:
        """Volume in the dimension of the affine hull (length, area, ...); inf if unbounded, 0 if empty.

        Exact and rounded once up to two dimensions, by Qhull from three on.
        """
        if self.solid is None:
            return 0.0
        if not self.is_bounded():
            return float("inf")
        _, volume = vertices_and_volume(self._facet_rows(self.solid), self.solid.interior)
        return volume * self.solid.hull.scale()

    def chebyshev(self) -> tuple[Floats, float]:
        """Centre (d,) and radius of the largest ball inside, by HiGHS in float64; radius inf if there is no largest.

        Raises:
            DomainError: the polytope is empty or has no interior.
        """
        if not self.is_full_dimensional():
            raise DomainError(
                "Chebyshev centre: the polytope is empty or lies in a lower-dimensional subspace"
            )
        solid = self._solid()
        centre, radius = largest_ball(*_scaled_slacks(solid))
        return solid.interior.approx + centre, radius

    def bounding_box(self) -> tuple[Floats, Floats]:
        """Lower and upper corner (d,) of the smallest box around it; exact programs, rounded outwards.

        Raises:
            DomainError: the polytope is empty.
        """
        solid = self._solid()
        return bounding_box(solid)

    def _facet_rows(self, solid: SolidPolyhedron) -> list[list[int]]:
        position = {row: i for i, row in enumerate(solid.kept)}
        return [solid.rows[position[int(row)]] for row in self.facets()]

    def _solid(self) -> SolidPolyhedron:
        if self.solid is None:
            raise DomainError("the polytope is empty")
        return self.solid

    def _bounded_solid(self, wanted: str) -> SolidPolyhedron:
        solid = self._solid()
        if not self.is_bounded():
            raise DomainError(f"{wanted}: the polytope is unbounded")
        return solid

    def __repr__(self) -> str:
        return f"<HPolytope: {len(self.A)} rows in R^{self.dim}>"


def open_polyhedron(solid: SolidPolyhedron) -> OpenPolyhedron:
    """The interior of a solid polyhedron, in the form oracles are asked about."""
    return OpenPolyhedron.of([integer_form(row) for row in solid.rows], solid.hull.dim)


def integer_form(row: Sequence[int]) -> Form:
    """A form given by integers; its floats are scaled to about 1 and rounded, which the error says."""
    entries = list(row)
    scale = 1 << max(0, max((abs(e) for e in entries), default=1).bit_length() - 1)
    floats = np.array([e / scale for e in entries], dtype=np.float64)
    exact = [Fraction(f) * scale == e for f, e in zip(floats.tolist(), entries, strict=True)]
    error = [0.0 if known else abs(f) * UNIT + TINY for f, known in zip(floats.tolist(), exact, strict=True)]
    return Form(floats, np.array(error, dtype=np.float64), lambda: entries)


def recession_cone_is_trivial(rows: Sequence[Sequence[int]], dim: int) -> bool:
    """Whether ``{v : row . v >= 0}`` holds only 0, for a non-empty polyhedron with these rows; exact."""
    if dim == 0:
        return True
    normals = [list(row[:dim]) for row in rows]
    total = [sum(column) for column in zip(*normals, strict=True)] or [0] * dim
    if _rank(normals, dim) < dim:
        return False
    cone = [[*normal, 0] for normal in normals] + [[*(-t for t in total), 1]]
    best = maximise(cone, total, _origin(dim))
    return not any(best.point)


def bounding_box(solid: SolidPolyhedron) -> tuple[Floats, Floats]:
    """Corners (d,) of the smallest box around a solid polyhedron in x, rounded outwards; infinite where unbounded."""
    start = solid.interior.coordinates
    lower: list[float] = []
    upper: list[float] = []
    for i in range(solid.hull.ambient_dim):
        row = solid.hull.embedding.row(i)
        for side, corner in ((1, upper), (-1, lower)):
            best = maximise(solid.rows, [side * w for w in row[:-1]], start)
            value = side * np.inf
            if best.status is LPStatus.OPTIMAL:
                value = _rounded(dot_fraction(row, best.point) / solid.hull.embedding.denominator, side)
            corner.append(value)
    return np.array(lower), np.array(upper)


def _scaled_slacks(solid: SolidPolyhedron) -> tuple[Floats, Floats]:
    """Unit normals (m, k) and the distances (m,) of the interior point from the rows, rounded once."""
    normals = np.array([integer_form(row).row[:-1] for row in solid.rows]).reshape(
        len(solid.rows), solid.hull.dim
    )
    norms = np.linalg.norm(normals, axis=1)
    distances = []
    for row, norm in zip(solid.rows, norms, strict=True):
        scale = 1 << max(0, max(map(abs, row)).bit_length() - 1)
        slack = Fraction(dot(row, solid.interior.integers), solid.interior.integers[-1])
        distances.append(nearest_float(slack / scale) / norm)
    return normals / norms[:, None], np.array(distances)


def _quotients(row: Sequence[int], divisor: int) -> list[float]:
    """A row divided by its divisor, or by more if float64 could not hold that."""
    floats = [quotient(entry, divisor) for entry in row]
    if np.all(np.isfinite(floats)):
        return floats
    return [quotient(entry, max(map(abs, row))) for entry in row]


def _rounded(exact: Fraction, side: int) -> float:
    """The nearest float that is not on the wrong side of an exact number."""
    nearest = nearest_float(exact)
    if np.isinf(nearest):
        return nearest if nearest * side > 0 else float(np.nextafter(nearest, side * np.inf))
    wrong = Fraction(nearest) < exact if side > 0 else Fraction(nearest) > exact
    return float(np.nextafter(nearest, side * np.inf)) if wrong else nearest


def dot_fraction(row: Sequence[int], point: Sequence[Fraction]) -> Fraction:
    """Value of an integer affine form at a rational point."""
    return sum((r * p for r, p in zip(row, point, strict=False)), Fraction(row[-1]))


def _rank(rows: list[list[int]], n_columns: int) -> int:
    return int(integer_matrix(rows, n_columns).rank())


def _origin(dim: int) -> list[Fraction]:
    return [Fraction(0)] * dim


def _numbers(values: Any, name: str) -> Floats:
    try:
        return arrays.floats(values)
    except arrays.NotNumbers as error:
        raise DomainError(f"polytope: {name} is not a rectangular array of numbers: {error}") from None
