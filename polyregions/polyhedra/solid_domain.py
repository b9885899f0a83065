"""An input set in the coordinates of its affine hull, in which it is solid; found exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np
from flint import fmpz_mat

from polyregions._types import Floats
from polyregions.errors import DomainError
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.exact.numbers import Point, dot, nearest_float
from polyregions.polyhedra.hull import AffineHull, SolidPolyhedron, solidify
from polyregions.polyhedra.oracle.forms import Bounds, Form
from polyregions.polyhedra.oracle.input_bounds import InputBound, forms_of_bounds, hold_at
from polyregions.polyhedra.solid import bounding_box, integer_form, rounded_towards


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


def solid_rows(rows: list[list[int]], labels: Sequence[str], strict: Sequence[bool], dim: int) -> SolidDomain:
    """The set of integer rows ``row . [x, 1] >= 0`` (> 0 where strict) over d inputs, in its hull's coordinates.

    Raises:
        DomainError: the set is empty, open rows taken as open.
    """
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


def bound_of_row(row: Sequence[int], is_open: bool) -> InputBound:
    """A row that bounds a single input."""
    i = next(j for j, entry in enumerate(row) if entry)
    return InputBound(i, row[i] > 0, Fraction(-row[-1], row[i]), is_open)


def solid_bounds(given: Sequence[InputBound], labels: Sequence[str], dim: int) -> SolidDomain:
    """As `solid_rows`, for bounds of single inputs: no linear programs and no rows, which matters for hundreds.

    Raises:
        DomainError: the set is empty, open bounds taken as open.
    """
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


def in_slice(inner: SolidDomain, outer: AffineHull) -> SolidDomain:
    """A set of coordinates u as a set of the inputs x of an affine subspace u -> x."""
    hull = AffineHull(compose(outer.embedding, inner.hull.embedding), None)
    return replace(inner, hull=hull, labels=tuple(f"slice: {label}" for label in inner.labels))
