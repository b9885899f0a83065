"""Balls: which hyperplanes meet one, and whether an open polyhedron does; proved in floats or decided in rationals.

An open polyhedron meets the closed ball if and only if it meets the open one, and if and only if the distance of its
closure from the centre is less than the radius: so nothing depends on whether the sphere belongs to the ball.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import highspy
import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.queries.norms import Norm, Ruler, distances_to_rows, least_step
from polyregions.exact.numbers import Point, nearest_float
from polyregions.polyhedra.facets import Decider
from polyregions.polyhedra.oracle.forms import OpenPolyhedron
from polyregions.polyhedra.oracle.highs import new_solver
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT, gamma, is_inside

MARGINS = (0.5, 0.125, 2.0**-6, 2.0**-12)
"""How much of the room between the distance and the radius a candidate is moved away from the rows, in turn."""


@dataclass(frozen=True, eq=False)
class Ball:
    """A ball in l1 or l2; in linf it is a box, and so an input set.

    Attributes:
        norm: which norm.
        centre: the middle.
        radius: positive.
    """

    norm: Norm
    centre: Point
    radius: Fraction

    @cached_property
    def reach(self) -> float:
        """A float that is no less than the radius and the rounding of the centre together."""
        x = self.centre.approx
        blur = 0.0 if self.centre.is_float64 else float(np.sum(np.abs(x)) * UNIT * 2 * SAFE + len(x) * TINY)
        return float(np.nextafter((nearest_float(self.radius) + blur) * (1 + 4 * UNIT), np.inf))

    def is_inside(self, rows: Floats, error: Floats) -> Bools:
        """Which forms (m,) are certainly positive all over the ball, rows and error (m, k+1)."""
        return distances_to_rows(-rows, error, self.centre.approx, self.norm) >= self.reach

    def holds(self, point: Point) -> bool:
        """Whether a point is strictly inside the ball; exact."""
        if point.is_float64 and Fraction(self._upper_distance(point.approx)) < self.radius:
            return True
        gaps = [abs(a - b) for a, b in zip(point.coordinates, self.centre.coordinates, strict=True)]
        if self.norm == "l2":
            return sum((gap * gap for gap in gaps), Fraction(0)) < self.radius**2
        return sum(gaps, Fraction(0)) < self.radius

    def _upper_distance(self, point: Floats) -> float:
        x = self.centre.approx
        gaps = np.abs(point - x) * (1 + 4 * UNIT) + np.abs(x) * UNIT * 2 + TINY
        size = float(np.sqrt(np.sum(gaps**2)) if self.norm == "l2" else np.sum(gaps))
        bound = size * (1 + gamma(len(x) + 4)) * SAFE
        return bound if np.isfinite(bound) else float(np.finfo(np.float64).max)


class BallReferee:
    """Decides whether open polyhedra within an input set meet a ball.

    Args:
        ball: the ball.
        walls: the rows of the input set.
        whole: decides about the input set without the ball.
    """

    def __init__(self, ball: Ball, walls: OpenPolyhedron, whole: Decider) -> None:
        self._ball, self._whole, self._all_walls = ball, whole, walls
        far = ball.is_inside(walls.rows, walls.error)
        self._walls = walls.subset(np.flatnonzero(~far).tolist())
        self._ruler = Ruler(ball.norm, new_solver())

    def interior(self, polyhedron: OpenPolyhedron) -> Point | None:
        """A point strictly inside polyhedron, input set and ball, or None if it is proved that there is none.

        Complexity: two small least-squares problems (l2) or linear programs (l1) with a row for each row and near wall.
        """
        near = polyhedron.and_rows_of(self._walls)
        centre = self._ball.centre
        if centre.is_float64 and is_inside(near.rows, near.error, centre.approx):
            return centre
        with np.errstate(all="ignore"):  # what overflows proves nothing
            bound = self._ruler.lower_bound(near, centre.approx)
            if bound >= self._ball.reach:
                return None
            found = self._guessed(near, bound)
        return self._exactly(polyhedron) if found is None else found

    def _guessed(self, near: OpenPolyhedron, bound: float) -> Point | None:
        """A float point of all that, if one is easily found."""
        x, room = self._ball.centre.approx, nearest_float(self._ball.radius) - bound
        size = _lengths(near.rows, self._ball.norm)
        if not (np.all(np.isfinite(near.rows)) and np.all(size > 0) and room > 0):
            return None
        normals = near.rows[:, :-1] / size[:, None]
        gaps = -(near.rows[:, :-1] @ x + near.rows[:, -1]) / size
        for margin in MARGINS:
            point = x + self._step(normals, gaps + margin * room)
            if is_inside(near.rows, near.error, point) and self._ball.holds(Point(point)):
                return Point(point)
        return None

    def _step(self, normals: Floats, gaps: Floats) -> Floats:
        if self._ball.norm == "l2":
            return least_step(normals, gaps)
        return _least_sum(normals, gaps)

    def _exactly(self, polyhedron: OpenPolyhedron) -> Point | None:
        """By the nearest point of the closure, in rationals."""
        inside = self._whole.interior(polyhedron)
        if inside is None:
            return None
        centre, here = self._ball.centre.coordinates, inside.coordinates
        rows = [*polyhedron.exact_rows(), *self._all_walls.exact_rows()]
        distance, nearest = self._ruler.exactly(rows, centre, here)
        radius = self._ball.radius**2 if self._ball.norm == "l2" else self._ball.radius
        if distance >= radius:
            return None
        return self._between(nearest, here)

    def _between(self, nearest: Sequence[Fraction], inside: Sequence[Fraction]) -> Point:
        """A point of the ball between a point of it in the closure and one strictly inside: so strictly inside too."""
        share = Fraction(1)
        while True:
            point = Point.of([a + share * (b - a) for a, b in zip(nearest, inside, strict=True)])
            if self._ball.holds(point):
                return point
            share /= 4


def _lengths(rows: Floats, norm: Norm) -> Floats:
    """The dual norm (m,) of each row's normal."""
    normals = np.abs(rows[:, :-1])
    lengths: Floats = np.sqrt((normals**2).sum(axis=1)) if norm == "l2" else normals.max(axis=1, initial=0.0)
    return lengths


def _least_sum(normals: Floats, gaps: Floats) -> Floats:
    """A step z (k,) with ``normals @ z >= gaps`` and the least sum of absolute values, in floats."""
    (m, k), program = normals.shape, highspy.HighsLp()
    matrix = np.concatenate([normals, -normals], axis=1)
    scale = float(np.abs(gaps).max(initial=0.0)) or 1.0
    row, column = np.nonzero(matrix)
    program.num_col_, program.num_row_ = 2 * k, m
    program.col_cost_ = np.ones(2 * k)
    program.col_lower_, program.col_upper_ = np.zeros(2 * k), np.full(2 * k, np.inf)
    program.row_lower_, program.row_upper_ = gaps / scale, np.full(m, np.inf)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.searchsorted(row, np.arange(m + 1)).astype(np.int32)
    program.a_matrix_.index_ = column.astype(np.int32)
    program.a_matrix_.value_ = matrix[row, column]
    solver = new_solver()
    solver.passModel(program)
    solver.run()
    found = np.array(solver.getSolution().col_value, dtype=np.float64)
    return (found[:k] - found[k:]) * scale if len(found) == 2 * k else np.zeros(k)
