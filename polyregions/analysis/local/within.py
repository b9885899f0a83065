"""The part of the input space that is looked at: an input set, or what of it lies in a ball."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.local.ball import Ball, BallReferee
from polyregions.analysis.local.cell import LocalCell
from polyregions.analysis.queries.norms import Norm
from polyregions.analysis.queries.robustness import keeps_distances
from polyregions.engine.local_box import box_referee, is_box
from polyregions.errors import DomainError
from polyregions.exact.numbers import Point
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem, pose
from polyregions.polyhedra.domain import Box, Domain, Slice, WholeSpace
from polyregions.polyhedra.facets import Decider
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron
from polyregions.polyhedra.oracle.proof import (
    SAFE,
    TINY,
    UNIT,
    gamma,
    is_inside,
    values_at_points,
    values_with_error,
)
from polyregions.polyhedra.oracle.referee import Referee, Score

STEPS = np.concatenate([[1.0], 0.5 ** np.arange(1, 40, 3)])
"""How far a candidate lies beyond a facet, in parts of the way to the point that proved it."""


class Within:
    """Decides about open polyhedra within an input set, and a ball if there is one.

    Args:
        problem: the network on the input set that is looked at.
        ball: a ball in l1 or l2; the input set lies in the box around it.
        whole: the network on the input set without that box.
    """

    def __init__(self, problem: Problem, ball: Ball | None = None, whole: Problem | None = None) -> None:
        self.problem, self._ball = problem, ball
        self._whole = _Inputs(problem)
        self._decider: Decider = self._whole
        if ball is not None:
            given = whole or problem
            self._decider = BallReferee(ball, _Inputs(given))

    def signs(self, rows: Floats, error: Floats) -> Ints:
        """The signs (n,) of forms (n, k+1) that are certain on all that is looked at, 0 where they are not."""
        if self._ball is not None:
            on, off = self._ball.is_inside(rows, error), self._ball.is_inside(-rows, error)
            return on.astype(np.int64) - off
        return _signs_in_box(rows, error, self.problem.solid.bounds)

    def interior(self, polyhedron: OpenPolyhedron) -> Point | None:
        """A point strictly inside all of these, or None if it is proved that there is none."""
        return self._decider.interior(polyhedron)

    def beside(self, cell: LocalCell, facet: Floats, beyond: Floats) -> Point | None:
        """A float point of a cell between a facet of it and a point (k,) beyond, proved to be strictly inside."""
        with np.errstate(all="ignore"):
            points = facet + STEPS[:, None] * (beyond - facet)
        value, bound = values_at_points(cell.rows.rows, cell.rows.error, points)
        for point in points[np.all(value > bound, axis=1)]:
            if self._whole.holds(point) and (self._ball is None or self._ball.holds(Point(point))):
                return Point(point)
        return None


class _Inputs:
    """Decides about open polyhedra within the input set of a problem."""

    def __init__(self, problem: Problem) -> None:
        self._solid, self._is_box = problem.solid, is_box(problem)
        self.root, self.bounds = problem.root, problem.solid.bounds
        self.rows = self.root if problem.solid.input_bounds is None else self.root.subset([])
        self._referee = box_referee(problem, Score()) if self._is_box else Referee(self.bounds)

    def interior(self, polyhedron: OpenPolyhedron) -> Point | None:
        """A point strictly inside both, or None if it is proved that there is none."""
        if not len(polyhedron.rows):
            return self._solid.interior
        return self._referee.interior(polyhedron if self._is_box else polyhedron.and_rows_of(self.root))

    def holds(self, point: Floats) -> bool:
        """Whether floats prove that a point (k,) is strictly inside."""
        inside = bool(np.all(point > self.bounds.lower) and np.all(point < self.bounds.upper))
        return inside and is_inside(self.rows.rows, self.rows.error, point)


@np.errstate(all="ignore")
def _signs_in_box(rows: Floats, error: Floats, bounds: Bounds) -> Ints:
    """From the value in the middle and the most that it may change; 0 without bounds."""
    middle, half = bounds.lower / 2 + bounds.upper / 2, bounds.upper / 2 - bounds.lower / 2
    half = half * (1 + 8 * UNIT) + (np.abs(bounds.lower) + np.abs(bounds.upper)) * 8 * UNIT + TINY
    value, doubt = values_with_error(rows, error, middle)
    change = (np.abs(rows[:, :-1]) + error[:, :-1]) @ half
    sure = np.abs(value) > doubt + change * (1 + gamma(rows.shape[1] + 4)) * SAFE
    signs: Ints = np.where(sure, np.sign(value), 0.0).astype(np.int64)
    return signs


def within_ball(problem: Problem, x: list[Fraction], norm: Norm, radius: Fraction) -> Within:
    """What of a problem's input set lies in a ball around an input x.

    Raises:
        DomainError: the input set is a slice, or a lower-dimensional polytope, whose own coordinates distort distances.
    """
    if isinstance(problem.domain, Slice) or not keeps_distances(problem.solid.hull):
        raise DomainError("ball: the input set is a slice, whose own coordinates distort distances; use hops")
    boxed = pose(problem.network, boxed_domain(problem.domain, x, radius))
    if norm == "linf":
        return Within(boxed)
    ball = Ball(norm, Point.of(coordinates(problem.solid.hull, x)), radius)
    return Within(boxed, ball, problem)


def boxed_domain(domain: Domain, x: list[Fraction], radius: Fraction) -> Domain:
    """What of an input set lies within a distance of x in every input."""
    lower, upper = [c - radius for c in x], [c + radius for c in x]
    if isinstance(domain, WholeSpace):
        return Box(lower, upper)
    if isinstance(domain, Box):
        low, high = domain.ends()
        return Box(
            [max(a, b) for a, b in zip(lower, low, strict=True)],
            [min(a, b) for a, b in zip(upper, high, strict=True)],
        )
    assert not isinstance(domain, Slice)
    walls = list(_walls(lower, 1)) + list(_walls(upper, -1))
    rows, divisors = [row for row, _ in walls], [divisor for _, divisor in walls]
    return domain.with_exact_rows(rows, divisors, [False] * len(rows), ["ball"] * len(rows))


def _walls(bounds: list[Fraction], sign: int) -> Iterator[tuple[list[int], int]]:
    for i, bound in enumerate(bounds):
        row = [0] * (len(bounds) + 1)
        row[i], row[-1] = sign * bound.denominator, -sign * bound.numerator
        yield row, bound.denominator


def coordinates(hull: AffineHull, x: list[Fraction]) -> list[Fraction]:
    """The coordinates u (k,) of a point of a hull; where they are some of the inputs, nothing is multiplied."""
    return hull.coordinates(x) if hull.free is None else [x[i] for i in hull.free]


def posed(network: Network, domain: Domain | None) -> Problem:
    """The network on an input set, all of R^d if none is given.

    Raises:
        NetworkError, DomainError: see `pose`.
    """
    return pose(network, WholeSpace(network.n_inputs) if domain is None else domain)
