"""Affine slices of the input space through given points."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite
from typing import Any

from polyregions import arrays
from polyregions.errors import DomainError
from polyregions.polyhedra.domain import Box, Slice, WholeSpace
from polyregions.polyhedra.polytope import HPolytope


def segment(a: Any, b: Any, domain: Box | HPolytope | WholeSpace | None = None) -> Slice:
    """The line through two points as an input set: u = 0 is a, u = 1 is b, exactly.

    Args:
        a: (d,) numbers; integers and fractions are kept exactly.
        b: (d,) numbers.
        domain: where u lies, of dimension 1; the segment [0, 1] unless another is given.

    Raises:
        DomainError: not numbers, not finite, lengths that differ, or the points are equal.

    >>> from polyregions import Network, count_regions
    >>> net = Network.from_layers([([[1, 0], [0, 1]], [0, 0])], final_activation="relu")
    >>> count_regions(net, segment([-1, -2], [1, 1]))
    3
    """
    return _through([a, b], Box([0], [1]) if domain is None else domain)


def plane_through(p0: Any, p1: Any, p2: Any, domain: Box | HPolytope | WholeSpace | None = None) -> Slice:
    """The plane through three points as an input set: u = (0, 0) is p0, (1, 0) is p1, (0, 1) is p2, exactly.

    The differences of two float64 points are in general no float64 numbers; the slice keeps them as rationals.

    Args:
        p0: (d,) numbers; integers and fractions are kept exactly.
        p1: (d,) numbers.
        p2: (d,) numbers.
        domain: where u lies, of dimension 2; the square [0, 1]^2, which is the parallelogram that the points span,
            unless another is given.

    Raises:
        DomainError: not numbers, not finite, lengths that differ, or the points are on one line.

    >>> from polyregions import Box, Network, count_regions
    >>> net = Network.from_layers([([[1, 0, 0], [0, 1, 1]], [0, 0])], final_activation="relu")
    >>> count_regions(net, plane_through([0, 0, 0.1], [1, 0, 0.1], [0, 0.3, 0.1], Box.cube(-1, 1, 2)))
    4
    """
    return _through([p0, p1, p2], Box.cube(0, 1, 2) if domain is None else domain)


def exact_point(values: Any, where: str) -> list[Fraction]:
    """The exact coordinates (d,) of a point that was handed in.

    Raises:
        DomainError: not one axis of finite numbers.
    """
    try:
        array = arrays.numbers(values)
    except arrays.NotNumbers as error:
        raise DomainError(f"{where}: {error}, expected (d,) finite numbers") from None
    if array.ndim != 1:
        raise DomainError(f"{where}: shape {array.shape}, expected one axis (d,)")
    for i, entry in enumerate(array.tolist()):
        if isinstance(entry, float) and not isfinite(entry):
            raise DomainError(f"{where}, input {i}: is {entry}, expected a finite number")
    return [Fraction(entry) for entry in array.tolist()]


def _through(given: list[Any], domain: Box | HPolytope | WholeSpace) -> Slice:
    """The slice through the first point with the differences to the others as directions."""
    points = [exact_point(values, f"point {i}") for i, values in enumerate(given)]
    for i, point in enumerate(points):
        if len(point) != len(points[0]):
            raise DomainError(
                f"point {i} has {len(point)} entries, expected {len(points[0])}, those of point 0"
            )
        if i > 0 and point == points[0]:
            raise DomainError(f"point {i} is the same as point 0, expected distinct points")
    origin, *others = points
    directions = [[p - o for p, o in zip(point, origin, strict=True)] for point in others]
    return Slice(origin, directions, domain)
