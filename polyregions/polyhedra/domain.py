"""Input sets: boxes, H-polytopes, the whole space, and affine slices of the input space."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from numbers import Number
from typing import Any, TypeAlias

import numpy as np

from polyregions import arrays
from polyregions._types import Floats
from polyregions.errors import DomainError
from polyregions.exact.affine import IntegerAffine, affine_of_floats, integer_matrix
from polyregions.exact.numbers import Point
from polyregions.exact.rational_rows import ExactAffine
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.oracle.input_bounds import InputBound
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.solid_domain import SolidDomain, in_slice, solid_bounds, solid_rows
from polyregions.read_only import ReadOnly

SLICE_OF = "slice of "  # in front of the kind of a slice's own set
SHOWN = 16  # inputs; longer boxes are only summed up when printed


class Box(ReadOnly):
    """All x with ``lower <= x <= upper``; bounds may be infinite, and equal in some inputs.

    Integers and ``fractions.Fraction`` are kept exactly, as in a network.

    Attributes:
        lower: (d,) float64, the nearest of what was given.
        upper: (d,) float64.
        exact: the bounds (lower, upper) as fractions where float64 cannot hold them, None among them for infinite
            ones; None where the floats are the bounds.

    >>> Box([0, -1], [1, 1]).dim, Box(-2, 2).dim, Box(0, [1, 2, 3]).dim, Box(-1, 1, dim=4).dim
    (2, 1, 3, 4)
    """

    def __init__(self, lower: Any, upper: Any, dim: int | None = None) -> None:
        """Check and store the corners.

        Args:
            lower: (d,) bounds, or one number for all inputs.
            upper: (d,) bounds, or one number for all inputs.
            dim: d, where both are numbers and there is more than one input.

        Raises:
            DomainError: not numbers, lengths that differ, NaN, ``lower > upper``, or an empty infinite side.
        """
        lower, upper = _spread(lower, upper, dim)
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

    def solid_domain(self) -> SolidDomain:
        """The box in the coordinates of its affine hull, the inputs that are not fixed."""
        rows = [
            (
                InputBound(i, is_lower, Fraction(value), False),
                f"x{i} {'>=' if is_lower else '<='} {float(value):g}",
            )
            for i, ends in enumerate(zip(*self.ends(), strict=True))
            for is_lower, value in zip((True, False), ends, strict=True)
            if abs(value) != np.inf
        ]
        return solid_bounds([bound for bound, _ in rows], [label for _, label in rows], self.dim)

    def record(self) -> dict[str, Any]:
        """The box for other programs; an infinite bound is null, which JSON has instead."""
        bounds = {"lower": self.lower.tolist(), "upper": self.upper.tolist()}
        finite = {name: [b if isfinite(b) else None for b in values] for name, values in bounds.items()}
        texts = ([None if end is None else str(end) for end in ends] for ends in self.exact or ())
        exact = dict(zip(("exact_lower", "exact_upper"), texts, strict=False))
        return {"kind": "box", **finite, **exact}

    def arrays(self) -> dict[str, Any]:
        """The arrays that stand for the box in a file."""
        arrays = {"domain_kind": np.array("box"), "lower": self.lower, "upper": self.upper}
        for name, ends in zip(("exact_lower", "exact_upper"), self.exact or (), strict=False):
            texts = ["" if end is None else f"{end.numerator:x}/{end.denominator:x}" for end in ends]
            arrays[name] = np.array(texts, dtype=np.str_)
        return arrays

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

    def solid_domain(self) -> SolidDomain:
        """R^d in its own coordinates."""
        return solid_rows([], [], [], self.dim)

    def record(self) -> dict[str, Any]:
        """R^d for other programs."""
        return {"kind": "whole space", "dim": self.dim}

    def arrays(self) -> dict[str, Any]:
        """The arrays that stand for R^d in a file."""
        return {"domain_kind": np.array("whole space"), "dim": np.array(self.dim, dtype=np.int64)}


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
        if self.hull.embedding.linear_rank() < domain.dim:
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

    def solid_domain(self) -> SolidDomain:
        """The slice in the coordinates of its affine hull.

        Raises:
            DomainError: the set is empty, open rows taken as open.
        """
        return in_slice(self.domain.solid_domain(), self.hull)

    def record(self) -> dict[str, Any]:
        """The slice for other programs."""
        plane = {"origin": self.origin.tolist(), "directions": self.directions.tolist()}
        return {"kind": "slice", **plane, "of": self.domain.record()}

    def arrays(self) -> dict[str, Any]:
        """The arrays that stand for the slice in a file; coefficients that float64 cannot hold as rationals."""
        inner = self.domain.arrays()
        kind = {"domain_kind": np.array(f"{SLICE_OF}{inner['domain_kind']!s}")}
        plane = {"slice_origin": self.origin, "slice_directions": self.directions}
        if self.exact is None:
            return {**inner, **kind, **plane}
        denominator, n = self.exact.denominator, self.exact.shape[0]
        texts = [[f"{entry:x}/{denominator:x}" for entry in self.exact.row(i)] for i in range(n)]
        return {**inner, **kind, **plane, "slice_exact": np.array(texts, dtype=np.str_)}

    def __repr__(self) -> str:
        return f"<Slice: {self.domain.dim}-dimensional, of R^{self.dim}, over {self.domain!r}>"


Domain: TypeAlias = Box | HPolytope | WholeSpace | Slice


def fingerprint(domain: Domain) -> str:
    """SHA-256 of what a file stores of a domain, names of rows left out; the same on every machine.

    >>> fingerprint(Box(-1, 1)) == fingerprint(Box([-1], [1.0])) != fingerprint(Box(-1, 2))
    True
    """
    parts = {name: array.tolist() for name, array in domain.arrays().items() if not name.endswith("labels")}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


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


def _spread(lower: Any, upper: Any, dim: int | None) -> tuple[Any, Any]:
    """Corners of which a number stands for the same in all inputs."""
    sizes = {"lower": _size(lower), "upper": _size(upper)}
    d = next((n for n in sizes.values() if n is not None), 1) if dim is None else _dimension(dim, "box")
    for name, n in sizes.items():
        if dim is not None and n not in (None, d):
            raise DomainError(f"box: {name} has {n} entries, dim is {d}")
    one, two = ([corner] * d if _is_number(corner) else corner for corner in (lower, upper))
    return one, two


def _size(corner: Any) -> int | None:
    """How many entries a corner has; None for a number, and for what is no corner."""
    return None if _is_number(corner) or not hasattr(corner, "__len__") else len(corner)


def _is_number(corner: Any) -> bool:
    return isinstance(corner, Number) or (isinstance(corner, np.ndarray) and corner.ndim == 0)


def _vector(values: Any, what: str) -> Floats:
    vector = _numbers(values, what)
    if vector.ndim != 1:
        raise DomainError(f"{what}: shape {vector.shape}, expected one axis (d,)")
    if np.any(np.isnan(vector)):
        raise DomainError(f"{what}, input {int(np.flatnonzero(np.isnan(vector))[0])}: is not a number")
    return vector
