"""H-polytopes ``{x : A x <= b}`` as users see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Bools, Floats, Ints
from polyregions.errors import DomainError
from polyregions.exact.affine import affine_of_floats
from polyregions.exact.numbers import Point, dot, nearest_float
from polyregions.polyhedra.convert import cvxpy_constraints, linprog_arguments, qhull_halfspaces
from polyregions.polyhedra.facets import facets
from polyregions.polyhedra.generators import Generators, generators
from polyregions.polyhedra.hull import AffineHull, SolidPolyhedron, solidify
from polyregions.polyhedra.minimal import CoincidingRows, SignedRows, minimal_rows
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.oracle.highs import largest_ball
from polyregions.polyhedra.oracle.proof import TINY, UNIT, values_at_points
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.polyhedra.polygon import polygon_corners, shoelace
from polyregions.polyhedra.rows import checked_rows, quotients
from polyregions.polyhedra.sampling import random_points
from polyregions.polyhedra.solid import (
    bounding_box,
    open_polyhedron,
    origin,
    recession_cone_is_trivial,
    scaled_slacks,
)
from polyregions.polyhedra.solid_domain import SolidDomain, bound_of_row, solid_bounds, solid_rows
from polyregions.polyhedra.volume import exact_volume, volume
from polyregions.read_only import ReadOnly


class HPolytope(ReadOnly):
    """A polyhedron ``{x : A x <= b}`` in R^d, some of its rows open (``A x < b``).

    Integers and ``fractions.Fraction`` are kept exactly, see `exact_rows`.

    Attributes:
        A: (m, d) float64, the nearest of what was given.
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
        self.A, self.b, self.strict, self.labels, exact = checked_rows(A, b, strict, labels)
        self._exact_rows: list[list[int]] | None = exact
        self._irredundant_among: frozenset[int] | None = None
        self.__post_init__()

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
        floats = [quotients(row, divisor) for row, divisor in zip(rows, divisors, strict=True)]
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

    def solid_domain(self) -> SolidDomain:
        """The polytope as an input set, in the coordinates of its affine hull.

        Raises:
            DomainError: the set is empty, open rows taken as open.
        """
        strict = self.strict.tolist()
        if all(sum(map(bool, row[:-1])) == 1 for row in self.exact_rows):
            bounds = [bound_of_row(*row) for row in zip(self.exact_rows, strict, strict=True)]
            return solid_bounds(bounds, self.labels, self.dim)
        return solid_rows(self.exact_rows, self.labels, strict, self.dim)

    def record(self) -> dict[str, Any]:
        """The polytope as an input set for other programs."""
        rows = {"kind": "polytope", "A": self.A.tolist(), "b": self.b.tolist()}
        if self.is_rounded:
            rows["exact_rows"] = [[str(entry) for entry in row] for row in self.exact_rows]
        return rows

    def arrays(self) -> dict[str, Any]:
        """The arrays that stand for the polytope, as an input set, in a file."""
        arrays = {"domain_kind": np.array("polytope"), "A": self.A, "b": self.b, "strict": self.strict}
        arrays["labels"] = np.array(self.labels, dtype=np.str_)
        if self.is_rounded:
            arrays["domain_kind"] = np.array("rounded polytope")
            texts = [f"{entry:x}" for row in self.exact_rows for entry in row]
            arrays["exact_rows"] = np.array(texts, dtype=np.str_).reshape(len(self.A), self.dim + 1)
        return arrays

    def _compared(self) -> Any:
        """The rows up to positive factors, and how A and b round them; labels do not count."""
        rows = [[entry // (gcd(*row) or 1) for entry in row] for row in self.exact_rows]
        return self.A, self.b, self.strict, rows

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
        solid = solidify(rows, AffineHull.whole(self.dim), origin(self.dim))
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
        """Whether each row of X (k, d) satisfies all rows, open rows strictly; exact for the given numbers.

        Raises:
            DomainError: X does not hold (k, d) finite numbers.
        """
        try:
            points, rational = arrays.points_and_exact(X, self.dim)
        except arrays.NotNumbers as error:
            raise DomainError(f"points: {error}, expected (k, {self.dim}) finite numbers") from None
        floats = np.column_stack([-self.A, self.b])
        doubt = np.abs(floats) * UNIT + TINY if self._exact_rows is not None else np.zeros_like(floats)
        value, bound = values_at_points(floats, doubt, points)
        inside: Bools = ~np.any(value < -bound, axis=1)
        unclear = ~(value > bound)
        for i in np.flatnonzero(inside & unclear.any(axis=1)):
            inside[i] = self._satisfies(np.flatnonzero(unclear[i]), Point(points[i]))
        for j, x in rational.items():
            inside[j] = self._satisfies(np.arange(len(self.A)), Point.of(x))
        return inside

    def _satisfies(self, rows: Ints, x: Point) -> bool:
        """Whether a point satisfies some of the rows, in integers."""
        integers = x.integers
        signs = [(dot(self.exact_rows[i], integers), self.strict[i]) for i in rows]
        return all(value > 0 or (value == 0 and not is_open) for value, is_open in signs)

    def facets(self) -> Ints:
        """The rows (f,) that carry a facet, one for each, proved; redundant rows are left out.

        Complexity: one linear program a row, O(m) of them, the first time.
        """
        solid = self._solid()
        return np.array([solid.kept[i] for i in self._facet_positions], dtype=np.int64)

    def facet_rows(self) -> list[Ints]:
        """For each of `facets()` all the rows that carry it, ascending: equal up to a positive factor within the hull.

        So the labels of these rows are all the neurons that vanish on the facet, and on no more than it.

        >>> twice = HPolytope([[1], [-1], [2]], [1, 0, 2], labels=["neuron 0", "x0 >= 0", "neuron 1"])
        >>> [rows.tolist() for rows in twice.facet_rows()]
        [[0, 2], [1]]
        """
        same, rows = CoincidingRows.of(self.exact_rows, self._solid()), self._facet_local_rows()
        return [np.array(same.like(row), dtype=np.int64) for row in rows]

    def minimal(self) -> HPolytope:
        """The minimal H-representation: one row for each facet, in the order of `facets()`.

        A row is open if any that carries its facet is, and has the labels of all of them. A lower-dimensional
        polytope has two opposite rows for each equation of its affine hull as well, after the facets. The closure
        is the same; points that an open row excludes where it touches in less than a facet are not excluded.

        Raises:
            DomainError: the polytope is empty.
        """
        solid = self._solid()
        facet_rows = dict(zip(self.facets().tolist(), self.facet_rows(), strict=True))
        return self._rows_of(minimal_rows(self.exact_rows, solid, facet_rows, self.strict, self.labels))

    def _rows_of(self, kept: SignedRows) -> HPolytope:
        factor = np.array(kept.signs, dtype=np.float64)
        A, b = self.A[kept.rows] * factor[:, None] + 0.0, self.b[kept.rows] * factor
        polytope = HPolytope(A, b, kept.strict, kept.labels)
        if self._exact_rows is not None:
            exact = zip(kept.rows, kept.signs, strict=True)
            polytope._exact_rows = [[s * entry for entry in self.exact_rows[i]] for i, s in exact]
        return polytope

    def is_bounded(self) -> bool:
        """Whether it is bounded (a polytope), decided exactly by its recession cone."""
        solid = self.solid
        return solid is None or recession_cone_is_trivial(solid.rows, solid.hull.dim)

    def vertices(self) -> Floats:
        """The vertices (v, d), exact and rounded once; none if it holds a line.

        Counterclockwise if bounded and two-dimensional, else sorted.

        Raises:
            DomainError: the polytope is empty.

        Complexity: as `generators`.
        """
        solid = self._solid()
        if self._generators.lines:
            return np.zeros((0, self.dim))
        return solid.hull.nearest_points(
            self._corners if self.is_bounded() else self._generators.coordinates()
        )

    def exact_vertices(self) -> tuple[tuple[Fraction, ...], ...]:
        """The vertices without rounding, in the order of `vertices`.

        Raises:
            DomainError: the polytope is empty.

        >>> max(HPolytope([[-1, 0], [0, -1], [3, 3]], [0, 0, 1]).exact_vertices())
        (Fraction(1, 3), Fraction(0, 1))
        """
        solid = self._solid()
        if self._generators.lines:
            return ()
        corners = self._corners if self.is_bounded() else self._generators.coordinates()
        return tuple(solid.hull.lift(Point.of(list(corner))).coordinates for corner in corners)

    def rays(self) -> Floats:
        """The extreme rays (r, d) of the recession cone, modulo `lines()`; each scaled to a largest entry of 1.

        Exact and rounded once; none if bounded. The closed polyhedron is the convex hull of its vertices plus all
        sums of non-negative multiples of the rays; if it holds lines, see `generators`.

        Raises:
            DomainError: the polytope is empty.

        >>> HPolytope([[-1, 0], [0, -1], [-1, -1]], [0, 0, -1]).rays().tolist()
        [[0.0, 1.0], [1.0, 0.0]]
        """
        return self._solid().hull.unit_directions([ray.direction for ray in self._generators.rays])

    def lines(self) -> Floats:
        """A basis (l, d) of the lineality space, the directions it holds whole lines in; exact and rounded once.

        Raises:
            DomainError: the polytope is empty.
        """
        return self._solid().hull.unit_directions(self._generators.lines)

    def generators(self) -> tuple[Floats, Floats, Floats]:
        """Points (p, d), rays (r, d) and lines (l, d): the closure is conv(points) + cone(rays) + span(lines).

        The points are the vertices, or, if there are lines, one point on each minimal face. Exact and rounded once.

        Raises:
            DomainError: the polytope is empty.

        Complexity: the double description method; the number of generators is exponential in d at worst.
        """
        points = self._solid().hull.nearest_points(self._generators.coordinates())
        return points, self.rays(), self.lines()

    def volume(self) -> float:
        """Volume in the dimension of the affine hull (length, area, ...); inf if unbounded, 0 if empty.

        Exact and rounded once up to two dimensions (a flat one once more, for the scale of its hull), right to
        about 1e-13 of itself from three on, slivers included.

        Complexity: a determinant for each pair of a face and a facet of it, at most.
        """
        if self.solid is None:
            return 0.0
        if not self.is_bounded():
            return float("inf")
        if self.solid.hull.dim == 2:
            return nearest_float(shoelace(self._corners)) * self.solid.hull.scale()
        return volume(self._generators) * self.solid.hull.scale()

    def exact_volume(self) -> Fraction:
        """Volume in the dimension of the affine hull, in rationals; 0 if empty.

        Raises:
            DomainError: it is unbounded, or so oblique a flat one that its volume is irrational.

        >>> HPolytope([[-1, 0], [0, -1], [3, 3]], [0, 0, 1]).exact_volume()
        Fraction(1, 18)
        """
        if self.solid is None:
            return Fraction(0)
        if not self.is_bounded():
            raise DomainError("the volume of an unbounded polyhedron is infinite")
        scale = self.solid.hull.exact_scale()
        if scale is None:
            raise DomainError("the volume of this flat polytope is irrational, see volume()")
        corners = shoelace(self._corners) if self.solid.hull.dim == 2 else exact_volume(self._generators)
        return corners * scale

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
        centre, radius = largest_ball(*scaled_slacks(solid))
        return solid.interior.approx + centre, radius

    def bounding_box(self) -> tuple[Floats, Floats]:
        """Lower and upper corner (d,) of the smallest box around it; exact programs, rounded outwards.

        Raises:
            DomainError: the polytope is empty.
        """
        solid = self._solid()
        return bounding_box(solid)

    def random_points(
        self, n: int, rng: np.random.Generator | int | None = None, radius: float | None = None
    ) -> Floats:
        """n independent random points (n, d) in the relative interior, each proved to be strictly inside.

        Every point ends a hit-and-run walk of its own from the middle, nearly uniform if bounded; if unbounded, or
        given a radius, nearly uniform in the part within `radius` of the middle (by default ten times the distance
        of `interior_point` from the origin, and ten more). In a lower-dimensional polytope the points are proved in
        the coordinates of the affine hull, and rounded to float64 once mapped to x.

        Args:
            n: how many.
            rng: a numpy generator, or a seed.
            radius: see above.

        Raises:
            DomainError: empty, no such number or radius, or so thin that float64 has no points inside.

        >>> triangle = HPolytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1], strict=[True] * 3)
        >>> triangle.contains(triangle.random_points(3, rng=0)).tolist()
        [True, True, True]
        """
        return random_points(self._solid(), self.is_bounded(), n, np.random.default_rng(rng), radius)

    def to_scipy(self) -> dict[str, Any]:
        """Keyword arguments for ``scipy.optimize.linprog(c, **polytope.to_scipy())``, of the closed polytope.

        >>> from scipy.optimize import linprog
        >>> linprog([-1, -1], **HPolytope([[1, 0], [0, 1]], [2, 3]).to_scipy()).fun
        -5.0
        """
        return linprog_arguments(self.A, self.b)

    def to_halfspaces(self) -> Floats:
        """Rows (m, d+1) of ``[A, -b]``, as ``scipy.spatial.HalfspaceIntersection`` takes them."""
        return qhull_halfspaces(self.A, self.b)

    def to_cdd(self) -> str:
        """The closed polytope as an H-representation in the format of cddlib and lrs, in integers, exactly.

        >>> print(HPolytope([[2, 1]], [0.5]).to_cdd())
        H-representation
        begin
        1 3 integer
        1 -4 -2
        end
        <BLANKLINE>
        """
        rows = [" ".join(map(str, [row[-1], *row[:-1]])) for row in self.exact_rows]
        head = ["H-representation", "begin", f"{len(rows)} {self.dim + 1} integer"]
        return "\n".join([*head, *rows, "end", ""])

    def to_cvxpy(self, x: Any) -> list[Any]:
        """The constraints ``A x <= b`` of the closed polytope on a cvxpy variable or expression x of shape (d,).

        Raises:
            DomainError: x is something else.
            MissingExtraError: cvxpy is not installed.
        """
        return cvxpy_constraints(self.A, self.b, x)

    @cached_property
    def _facet_positions(self) -> list[int]:
        """The rows of `solid` that carry a facet."""
        solid = self._solid()
        found = facets(open_polyhedron(solid), solid.interior, Referee(Bounds.unknown(solid.hull.dim)))
        return [facet.rows[0] for facet in found]

    def _facet_local_rows(self) -> list[list[int]]:
        return [self._solid().rows[i] for i in self._facet_positions]

    @cached_property
    def _corners(self) -> Sequence[Sequence[Fraction]]:
        """The vertices of a bounded polytope in the coordinates of the hull."""
        if self._solid().hull.dim == 2:
            return polygon_corners(self._facet_local_rows())
        return self._generators.coordinates()

    @cached_property
    def _generators(self) -> Generators:
        """In the coordinates of the hull."""
        return generators(self._solid().rows, self._solid().hull.dim)

    def _solid(self) -> SolidPolyhedron:
        if self.solid is None:
            raise DomainError("the polytope is empty")
        return self.solid

    def __repr__(self) -> str:
        return f"<HPolytope: {len(self.A)} rows in R^{self.dim}>"
