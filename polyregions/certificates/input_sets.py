"""Are two input sets the same set of inputs? Decided in rationals, however they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import gcd
from typing import TypeAlias

import numpy as np

from polyregions.certificates.certificate import InputSet
from polyregions.certificates.checker import input_rows
from polyregions.errors import InputError
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.exact.lp import maximise
from polyregions.polyhedra.domain import (
    Box,
    Domain,
    Slice,
    WholeSpace,
)
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.solid import dot_fraction
from polyregions.polyhedra.solid_domain import SolidDomain, rows_in_inputs

Normal: TypeAlias = tuple[int, ...]


def domain_of(given: InputSet) -> Domain:
    """The input set of a certificate as a domain.

    Raises:
        DomainError: it has no point, or shapes that do not fit.
    """
    inside = _in_own_coordinates(given)
    return inside if given.origin is None else Slice(given.origin, given.directions, inside)


def _in_own_coordinates(given: InputSet) -> Box | HPolytope:
    if not given.rows:
        return Box(given.lower, given.upper)
    rows = [[int(entry) for entry in row] for row in input_rows(given)]
    sizes = [max(1, *map(abs, row)) for row in rows]
    labels = [f"row {i}" for i in range(len(rows))]
    return HPolytope.of_exact_rows(rows, sizes, len(given.lower), [False] * len(rows), labels)


def same_set(first: Domain, second: Domain) -> bool:
    """Whether two input sets have the same closure: a box may be given by rows, and rows in any order.

    Raises:
        DomainError: one of them is empty.

    Complexity: one linear program in rationals for each row that is no row of the other set.

    >>> from polyregions import Box, HPolytope
    >>> same_set(Box([-1], [2]), HPolytope([[2], [-1], [1]], [4, 1, 5]))
    True
    """
    if first.dim != second.dim:
        return False
    solids = first.solid_domain(), second.solid_domain()
    return _within(*solids) and _within(*reversed(solids))


def _within(inner: SolidDomain, outer: SolidDomain) -> bool:
    """Whether each row of one set is nowhere negative on another."""
    rows = _rows_over(inner, outer)
    forms = [form.exact() for form in inner.forms]
    known: dict[Normal, Fraction] = {}
    for normal, constant in map(_scaled, forms):
        known[normal] = min(constant, known.get(normal, constant))
    return all(_holds(row, forms, known, inner) for row in rows)


def _rows_over(inner: SolidDomain, outer: SolidDomain) -> list[list[int]]:
    """The rows of the outer set in the coordinates of the inner one; composing with the identity takes seconds."""
    is_whole = outer.hull.is_whole
    rows = [form.exact() for form in outer.forms] if is_whole else rows_in_inputs(outer)[0]
    if inner.hull.is_whole:
        return rows
    affine = IntegerAffine(integer_matrix(rows, inner.hull.ambient_dim + 1), 1)
    over_u = compose(affine, inner.hull.embedding)
    return [over_u.row(i) for i in range(len(rows))]


def _holds(
    row: Sequence[int], forms: list[list[int]], known: dict[Normal, Fraction], inner: SolidDomain
) -> bool:
    """Whether a row is nowhere negative where the forms are >= 0, of which one may have the same normal."""
    normal, constant = _scaled(row)
    if not any(normal):
        return constant >= 0
    if normal in known and constant >= known[normal]:
        return True
    optimum = maximise(
        forms,
        [-entry for entry in row[:-1]],
        inner.interior.coordinates,
        stop=lambda point: dot_fraction(row, point) < 0,
    )
    return bool(optimum.multipliers) and dot_fraction(row, optimum.point) >= 0


def _scaled(row: Sequence[int]) -> tuple[Normal, Fraction]:
    """The normal divided by its content, and the constant by the same."""
    content = gcd(*row[:-1]) or 1
    return tuple(entry // content for entry in row[:-1]), Fraction(row[-1], content)


def input_set(domain: Domain) -> InputSet:
    """An input set as a certificate stores it.

    Raises:
        InputError: a slice whose coefficients float64 cannot hold.
    """
    if isinstance(domain, Slice):
        if domain.exact is not None:
            raise InputError(
                f"{domain!r}: has coefficients that are no float64 numbers, which a certificate cannot hold"
            )
        return replace(input_set(domain.domain), origin=domain.origin, directions=domain.directions)
    if isinstance(domain, Box) and domain.exact is None:
        return InputSet(domain.lower, domain.upper)
    if isinstance(domain, Box):
        return input_set(domain.polytope())
    nowhere = np.full(domain.dim, np.inf)
    rows = () if isinstance(domain, WholeSpace) else tuple(tuple(row) for row in domain.exact_rows)
    return InputSet(-nowhere, nowhere, rows)
