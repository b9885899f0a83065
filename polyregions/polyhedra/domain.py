"""Input sets: boxes, H-polytopes, the whole space, and affine slices of the input space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import Any, TypeAlias

import numpy as np
from flint import fmpz_mat

from polyregions import arrays
from polyregions._types import Floats
from polyregions.errors import DomainError
from polyregions.exact.affine import IntegerAffine, affine_of_floats, compose, integer_matrix
from polyregions.exact.numbers import Point, dot, nearest_float
from polyregions.exact.rational_rows import ExactAffine
from polyregions.polyhedra.hull import AffineHull, SolidPolyhedron, solidify
from polyregions.polyhedra.oracle.forms import Bounds, Form
from polyregions.polyhedra.oracle.input_bounds import InputBound, forms_of_bounds, hold_at
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.solid import bounding_box, integer_form, rounded_towards
from polyregions.read_only import ReadOnly

SHOWN = 16  # inputs; longer boxes are only summed up when printed


@dataclass(frozen=True, eq=False)
class SolidDomain:
    """An input set in the coordinates u of its affine hull, where it has an interior: what an engine splits.

    Attributes:
        hull: the affine hull, with the exact map u -> x.
        forms: the affine forms of u that are >= 0 on the set.
        labels: where each form comes from.
        strict: whether each form is > 0 on the set, which leaves out that part of its boundary.
        bounds: coordinate bounds of the set in u.
        interior: a point strictly inside.
        input_bounds: what the forms say, if each of them bounds one coordinate; None otherwise.
    """

    hull: AffineHull
    forms: Sequence[Form]
    labels: tuple[str, ...]
    strict: tuple[bool, ...]
    bounds: Bounds
    interior: Point
    input_bounds: tuple[InputBound, ...] | None = None

    def contains(self, point: Point) -> bool:
        """Whether a point u is in the set, open rows taken as open; exact."""
        if self.input_bounds is not None:
            return hold_at(self.input_bounds, point)
        values = [dot(form.exact(), point.integers) for form in self.forms]
        return all(v > 0 or (v == 0 and not s) for v, s in zip(values, self.strict, strict=True))

    def holds(self, point: Point) -> bool:
        """Whether a point u is strictly inside; exact."""
        return all(dot(form.exact(), point.integers) > 0 for form in self.forms)


class Box(ReadOnly):
    """All x with ``lower <= x <= upper``; bounds may be infinite, and equal in some inputs.

    Integers and ``fractions.Fraction`` are kept exactly, as in a network.

    Attributes:
        lower: (d,) float64, the nearest of what was given.
        upper: (d,) float64.
        exact: the bounds (lower, upper) as fractions where float64 cannot hold them, None among them for infinite
            ones; None where the floats are the bounds.

    >>> Box([0, -1], [1, 1]).dim
    2
    """

    def __init__(self, lower: Any, upper: Any) -> None:
        """Check and store the corners.

        Raises:
            DomainError: not numbers, lengths that differ, NaN, ``lower > upper``, or an empty infinite side.
        """
        self.lower, self.upper = _vector(lower, "lower"), _vector(upper, "upper")
        if self.lower.shape != self.upper.shape:
            raise DomainError(f"box: lower has {len(self.lower)} entries, upper has {len(self.upper)}")
        self.exact = _exact_bounds(lower, upper)
        self.__post_init__()
        for i, (low, high) in enumerate(zip(*self.ends(), strict=True)):
            if not low <= high or low == np.inf or high == -np.inf:
                raise DomainError(f"box, input {i}: lower = {low}, upper = {high}, expected lower <= upper")

    def ends(self) -> tuple[list[Any], list[Any]]:
        """Lower and upper bounds as Python numbers: floats, and fractions where float64 cannot hold one of them."""
        lower, upper = self.lower.tolist(), self.upper.tolist()
        if self.exact is None:
            return lower, upper
        low, high = self.exact
        return (
            [a if e is None or e == a else e for a, e in zip(lower, low, strict=True)],
            [b if e is None or e == b else e for b, e in zip(upper, high, strict=True)],
        )

    @classmethod
    def cube(cls, lower: float, upper: float, dim: int) -> Box:
        """The box with the same two bounds in each of d inputs.

        Raises:
            DomainError: as for the box itself, or a dimension that is no natural number.
        """
        d = _dimension(dim, "box")
        return cls([lower] * d, [upper] * d)

    @property
    def dim(self) -> int:
        """Number of inputs d."""
        return len(self.lower)

    def inequalities(self) -> tuple[Floats, list[str]]:
        """The finite bounds, rounded to float64, as rows (m, d+1), ``row @ [x, 1] >= 0``, and their labels."""
        rows, labels = [], []
        for i in range(self.dim):
            for sign, bound, mark in ((1.0, self.lower[i], ">="), (-1.0, self.upper[i], "<=")):
                if np.isfinite(bound):
                    row = np.zeros(self.dim + 1)
                    row[i], row[-1] = sign, -sign * bound
                    rows.append(row)
                    labels.append(f"x{i} {mark} {bound:g}")
        return np.array(rows).reshape(-1, self.dim + 1), labels

    def polytope(self) -> HPolytope:
        """The box as ``A x <= b``."""
        rows, labels = self.inequalities()
        if self.exact is None:
            return HPolytope(-rows[:, :-1], rows[:, -1], labels=labels)
        exact, divisors = self._exact_rows()
        return HPolytope.of_exact_rows(exact, divisors, self.dim, [False] * len(exact), labels)

    def _exact_rows(self) -> tuple[list[list[int]], list[int]]:
        """The rows of `inequalities` in integers, each times a divisor."""
        rows, divisors = [], []
        for i, pair in enumerate(zip(*self.exact or (), strict=True)):
            for sign, bound in zip((1, -1), pair, strict=True):
                if bound is not None:
                    row = [0] * (self.dim + 1)
                    row[i], row[-1] = sign * bound.denominator, -sign * bound.numerator
                    rows.append(row)
                    divisors.append(bound.denominator)
        return rows, divisors

    def volume(self) -> float:
        """Volume in the inputs that are not fixed (1 if all are fixed)."""
        with np.errstate(over="ignore"):
            width = self.upper - self.lower
            return float(np.prod(width[width > 0]))

    def __repr__(self) -> str:
        if self.dim > SHOWN:
            widths = self.upper - self.lower
            return f"<Box: {self.dim} inputs, widths {widths.min()} to {widths.max()}>"
        lower, upper = self.ends()
        return f"Box({lower}, {upper})"


@dataclass(frozen=True)
class WholeSpace:
    """All of R^d.

    >>> WholeSpace(3).dim
    3
    """

    dim: int

    def __post_init__(self) -> None:
        """Check the dimension.

        Raises:
            DomainError: it is no natural number.
        """
        object.__setattr__(self, "dim", _dimension(self.dim, "whole space"))

    def inequalities(self) -> tuple[Floats, list[str]]:
        """No rows (0, d+1)."""
        return np.zeros((0, self.dim + 1)), []


class Slice(ReadOnly):
    """An affine slice ``x = origin + directions.T @ u`` of the input space, with u in a box or polytope.

    Integers and ``fractions.Fraction`` are kept exactly, as in a network.

    Attributes:
        origin: (d,) float64.
        directions: (k, d) float64, linearly independent.
        domain: where u lies: a Box, HPolytope or WholeSpace of dimension k.
        exact: the map u -> x in rationals where float64 cannot hold it (then origin and directions are its nearest
            floats); None where the floats are the map.

    >>> Slice([0, 0, 1], [[1, 0, 0], [0, 1, 0]], Box([-1, -1], [1, 1])).dim
    3
    """

    def __init__(self, origin: Any, directions: Any, domain: Box | HPolytope | WholeSpace) -> None:
        """Check and store the slice.

        Raises:
            DomainError: not numbers, shapes that do not fit, directions that are not independent, or no domain.
        """
        check_domain(domain, "slice: domain")
        self.origin = _vector(origin, "origin")
        self.directions = _numbers(directions, "slice: directions")
        self.domain = domain
        if self.directions.shape != (domain.dim, len(self.origin)):
            raise DomainError(
                f"slice: directions have shape {self.directions.shape}, expected ({domain.dim}, {len(self.origin)})"
            )
        if not np.all(np.isfinite(self.directions)) or not np.all(np.isfinite(self.origin)):
            raise DomainError("slice: origin and directions must be finite")
        self.exact = _beyond_floats(origin, directions)
        self.__post_init__()
        if _rank(self.hull.embedding) < domain.dim:
            raise DomainError(f"slice: the {domain.dim} directions are linearly dependent")

    @property
    def dim(self) -> int:
        """Number of inputs d."""
        return len(self.origin)

    @property
    def hull(self) -> AffineHull:
        """The affine subspace of the slice, with coordinates u."""
        return AffineHull(self.exact or affine_of_floats(self.directions.T, self.origin), None)

    def point(self, u: Any) -> tuple[Fraction, ...]:
        """The input x (d,) at the slice's coordinates u (k,), exactly; it may be outside the domain of u.

        Raises:
            DomainError: u is not k finite numbers.

        >>> Slice([0, 1], [[1, 0.5]], Box([-1], [1])).point([1])
        (Fraction(1, 1), Fraction(3, 2))
        """
        try:
            points, rational = arrays.points_and_exact(u, self.domain.dim)
        except arrays.NotNumbers as error:
            raise DomainError(f"slice: {error}, expected {self.domain.dim} finite numbers") from None
        if len(points) != 1:
            raise DomainError(f"slice: {len(points)} points, expected one")
        return self.hull.lift(Point(points[0], rational.get(0))).coordinates

    def __repr__(self) -> str:
        return f"<Slice: {self.domain.dim}-dimensional, of R^{self.dim}, over {self.domain!r}>"


Domain: TypeAlias = Box | HPolytope | WholeSpace | Slice


def solid_domain(domain: Domain) -> SolidDomain:
    """Bring an input set to the coordinates of its affine hull, exactly.

    Raises:
        DomainError: the set is empty, open rows taken as open.
    """
    if isinstance(domain, Box):
        return _solid_box(domain)
    if isinstance(domain, Slice):
        return _in_slice(solid_domain(domain.domain), domain.hull)
    if isinstance(domain, WholeSpace):
        return _solid_rows([], [], [], domain.dim)
    if all(sum(map(bool, row[:-1])) == 1 for row in domain.exact_rows):
        rows = zip(domain.exact_rows, domain.strict.tolist(), strict=True)
        return _solid_bounds([_bound_of(*row) for row in rows], domain.labels, domain.dim)
    return _solid_rows(domain.exact_rows, domain.labels, domain.strict.tolist(), domain.dim)


def rows_in_inputs(solid: SolidDomain) -> tuple[list[list[int]], list[str]]:
    """The set as integer rows ``row . [x, 1] >= 0`` in the inputs x, and their labels.

    First those of `solid.forms`, in order; then, for a lower-dimensional set, each equation of its affine hull
    as two opposite rows.
    """
    d, hull = solid.hull.ambient_dim, solid.hull
    if hull.is_whole:
        return [form.exact() for form in solid.forms], list(solid.labels)
    forms = integer_matrix([form.exact() for form in solid.forms], hull.dim + 1)
    pulled = compose(IntegerAffine(forms, 1), hull.chart)
    rows, labels = [pulled.row(i) for i in range(len(solid.forms))], list(solid.labels)
    for i, equation in enumerate(hull.equations):
        rows += [equation, [-entry for entry in equation]]
        labels += [f"equation {i} of the hull of R^{d} >=", f"equation {i} of the hull of R^{d} <="]
    return rows, labels


def _solid_box(box: Box) -> SolidDomain:
    rows = [
        (
            InputBound(i, is_lower, Fraction(value), False),
            f"x{i} {'>=' if is_lower else '<='} {float(value):g}",
        )
        for i, ends in enumerate(zip(*box.ends(), strict=True))
        for is_lower, value in zip((True, False), ends, strict=True)
        if abs(value) != np.inf
    ]
    return _solid_bounds([bound for bound, _ in rows], [label for _, label in rows], box.dim)


def _solid_rows(
    rows: list[list[int]], labels: Sequence[str], strict: Sequence[bool], dim: int
) -> SolidDomain:
    solid = solidify(rows, AffineHull.whole(dim), [Fraction(0)] * dim)
    if solid is None:
        raise DomainError(f"the input set is empty: its {len(rows)} rows contradict each other")
    _refuse_open_equations(rows, labels, strict, solid)
    local = AffineHull.whole(solid.hull.dim)
    lower, upper = bounding_box(replace(solid, hull=local))
    return SolidDomain(
        solid.hull,
        tuple(integer_form(row) for row in solid.rows),
        tuple(labels[i] for i in solid.kept),
        tuple(strict[i] for i in solid.kept),
        Bounds(lower, upper),
        solid.interior,
    )


def _bound_of(row: Sequence[int], is_open: bool) -> InputBound:
    """A row that bounds a single input."""
    i = next(j for j, entry in enumerate(row) if entry)
    return InputBound(i, row[i] > 0, Fraction(-row[-1], row[i]), is_open)


def _solid_bounds(given: Sequence[InputBound], labels: Sequence[str], dim: int) -> SolidDomain:
    """As `_solid_rows`, for bounds of single inputs: no linear programs and no rows, which matters for hundreds."""
    sides: dict[bool, list[Fraction | None]] = {True: [None] * dim, False: [None] * dim}
    for bound in given:
        best = sides[bound.is_lower][bound.coordinate]
        if best is None or (bound.value > best) == bound.is_lower:
            sides[bound.is_lower][bound.coordinate] = bound.value
    lower, upper = sides[True], sides[False]
    open_bounds = {(bound.coordinate, bound.value) for bound in given if bound.strict}
    for j, (low, high) in enumerate(zip(lower, upper, strict=True)):
        if low is not None and high is not None and (low > high or (low == high and (j, low) in open_bounds)):
            raise DomainError(f"the input set is empty: its bounds of x{j} contradict each other")
    free = [j for j in range(dim) if lower[j] is None or lower[j] != upper[j]]
    place = {j: u for u, j in enumerate(free)}
    kept = [i for i, bound in enumerate(given) if bound.coordinate in place]
    bounds = tuple(given[i]._replace(coordinate=place[given[i].coordinate]) for i in kept)
    return SolidDomain(
        _hull_of_bounds(lower, free),
        forms_of_bounds(bounds, len(free)),
        tuple(labels[i] for i in kept),
        tuple(bound.strict for bound in bounds),
        Bounds(_outwards(lower, free, -np.inf), _outwards(upper, free, np.inf)),
        Point.of([_middle(lower[j], upper[j]) for j in free]),
        bounds,
    )


def _hull_of_bounds(lower: Sequence[Fraction | None], free: list[int]) -> AffineHull:
    dim = len(lower)
    if len(free) == dim:
        return AffineHull.whole(dim)
    chosen = set(free)
    fixed = {j: low for j, low in enumerate(lower) if j not in chosen and low is not None}
    scale = lcm(1, *(value.denominator for value in fixed.values()))
    embedding = fmpz_mat(dim, len(free) + 1)
    for u, j in enumerate(free):
        embedding[j, u] = scale
    for j, value in fixed.items():
        embedding[j, len(free)] = int(value * scale)
    return AffineHull(IntegerAffine(embedding, scale), tuple(free))


def _outwards(values: Sequence[Fraction | None], free: list[int], side: float) -> Floats:
    """Bounds in float64, rounded away from the set; None is infinite."""
    chosen = [values[j] for j in free]
    return np.array([side if v is None else rounded_towards(v, side) for v in chosen], dtype=np.float64)


def _middle(low: Fraction | None, high: Fraction | None) -> Fraction:
    """A number strictly between two bounds, a float64 one where there is one."""
    if low is None:
        return Fraction(0) if high is None else high - 1
    if high is None:
        return low + 1
    middle = (low + high) / 2
    rounded = nearest_float(middle)
    return Fraction(rounded) if low < rounded < high else middle


def _refuse_open_equations(
    rows: list[list[int]], labels: Sequence[str], strict: Sequence[bool], solid: SolidPolyhedron
) -> None:
    """A row that is zero in the interior is zero on the whole closed set: if it is open, nothing is left."""
    inside = solid.hull.lift(solid.interior).integers
    for row, label, is_open in zip(rows, labels, strict, strict=True):
        if is_open and dot(row, inside) == 0:
            raise DomainError(
                f"the input set is empty: {label} is open, and the others leave only its boundary"
            )


def _in_slice(inner: SolidDomain, outer: AffineHull) -> SolidDomain:
    hull = AffineHull(compose(outer.embedding, inner.hull.embedding), None)
    return replace(inner, hull=hull, labels=tuple(f"slice: {label}" for label in inner.labels))


def _exact_bounds(lower: Any, upper: Any) -> tuple[tuple[Fraction | None, ...], ...] | None:
    """Bounds in fractions where float64 cannot hold them; shapes and numbers have been checked."""
    ends = [arrays.floats_and_exact(values) for values in (lower, upper)]
    if all(exact is None for _, exact in ends):
        return None
    both = [nearest.tolist() if exact is None else exact.tolist() for nearest, exact in ends]
    return tuple(tuple(None if abs(e) == np.inf else Fraction(e) for e in values) for values in both)


def is_float_box(domain: Domain) -> bool:
    """Whether a domain is a box whose rows are bounds in float64."""
    return isinstance(domain, Box) and domain.exact is None


def _beyond_floats(origin: Any, directions: Any) -> IntegerAffine | None:
    """The map of a slice where float64 cannot hold it; shapes and numbers have been checked."""
    offset, rows = arrays.numbers(origin), arrays.numbers(directions)
    if offset.dtype.kind == rows.dtype.kind == "f":
        return None
    exact = ExactAffine.from_fractions(
        [[*row, o] for row, o in zip(rows.T.tolist(), offset.tolist(), strict=True)]
    )
    if exact.is_float64():
        return None
    return IntegerAffine(integer_matrix(exact.numerators.tolist(), len(rows) + 1), exact.denominator)


def _rank(affine: IntegerAffine) -> int:
    """The rank of the linear part."""
    n, k = affine.shape
    return int(integer_matrix([affine.row(i)[:-1] for i in range(n)], k - 1).rank())


def check_domain(domain: Any, what: str) -> None:
    """Refuse what is no input set.

    Raises:
        DomainError: it is not.
    """
    if not isinstance(domain, (Box, HPolytope, WholeSpace, Slice)):
        raise DomainError(f"{what}: {type(domain).__name__}, expected a Box, HPolytope, WholeSpace or Slice")


def _dimension(dim: Any, what: str) -> int:
    """A natural number; True is none."""
    natural = isinstance(dim, (int, np.integer)) and not isinstance(dim, bool)
    if not natural or dim < 0:
        raise DomainError(f"{what}: dimension {dim!r}, expected an integer, at least 0")
    return int(dim)


def _numbers(values: Any, what: str) -> Floats:
    try:
        return arrays.floats(values)
    except arrays.NotNumbers as error:
        if len(error.index) == 1:
            raise DomainError(
                f"{what}, input {error.index[0]}: is not a number in float64: {error.found}"
            ) from None
        raise DomainError(f"{what}: what was given is not a list of numbers: {error}") from None


def _vector(values: Any, what: str) -> Floats:
    vector = _numbers(values, what)
    if vector.ndim != 1:
        raise DomainError(f"{what}: shape {vector.shape}, expected one axis (d,)")
    if np.any(np.isnan(vector)):
        raise DomainError(f"{what}, input {int(np.flatnonzero(np.isnan(vector))[0])}: is not a number")
    return vector
