"""HiGHS proposes, `proof` disposes: one Chebyshev-centre linear program a question.

The program maximises the radius r of a ball inside the closed polyhedron. Its optimum is the most
robust witness there is; its dual values are the multipliers that prove emptiness. Neither is
believed: both are checked in `proof`, and what fails the check is undecided.
"""

from __future__ import annotations

from functools import cached_property

import highspy
import numpy as np

from polyregions._types import Floats
from polyregions.exact.numbers import Point
from polyregions.polyhedra.oracle import proof
from polyregions.polyhedra.oracle.answer import UNDECIDED, Answer, Status
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron, balanced

NEAR = 1e6  # in radii: farther rows are moved to this distance, which HiGHS can still resolve

OPTIONS = {
    "output_flag": False,
    "presolve": "off",
    "solver": "simplex",
    "threads": 1,
}
LEAST_TOLERANCE = 1e-10  # the smallest HiGHS takes


class HighsOracle:
    """Asks HiGHS, believes only what floats can prove."""

    @cached_property
    def _solver(self) -> highspy.Highs:
        return new_solver()  # takes half a millisecond, and most compiled runs never ask

    def interior(self, polyhedron: OpenPolyhedron, bounds: Bounds) -> Answer:
        """A proved answer where floats allow one, else UNDECIDED with hints."""
        with np.errstate(all="ignore"):  # what overflows is not a number, and so proves nothing
            return self._interior(polyhedron, bounds)

    def _interior(self, polyhedron: OpenPolyhedron, bounds: Bounds) -> Answer:
        rows = polyhedron.rows
        solved = self._largest_ball(rows, bounds) if np.all(np.isfinite(rows)) else None
        if solved is None:
            return UNDECIDED
        centre, multipliers = solved
        return proved_answer(polyhedron, centre, multipliers, bounds)

    def _largest_ball(self, rows: Floats, bounds: Bounds) -> tuple[Floats, Floats] | None:
        """Centre (k,) of the largest ball and multipliers (m,) of the original rows."""
        centre, width = _local_frame(bounds)
        rows, scale = balanced(rows)
        normals = rows[:, :-1] * width
        norms = np.linalg.norm(normals, axis=1)
        if not np.all(norms > 0) or not np.all(np.isfinite(norms)):
            return None
        offsets = (rows[:, -1] + rows[:, :-1] @ centre) / norms
        if not np.all(np.isfinite(offsets)):
            return None
        self._solver.passModel(_ball_program(normals / norms[:, None], offsets))
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._solver.getSolution()
        local = np.array(solution.col_value[:-1], dtype=np.float64)
        multipliers = np.abs(np.array(solution.row_dual, dtype=np.float64)) / (norms * scale)
        return centre + width * local, multipliers


def largest_ball(normals: Floats, distances: Floats) -> tuple[Floats, float]:
    """Centre (k,) and radius of the largest ball in ``{normals @ x + distances >= 0}``; inf if there is none.

    Args:
        normals: (m, k) unit vectors.
        distances: (m,) positive: the origin is inside.
    """
    centre = np.zeros(normals.shape[1])
    if _grow(normals, np.zeros(len(normals)), 1.0)[1] > 1e-9:  # a direction that leaves every row behind
        return centre, float("inf")
    radius, distances = float(distances.min()), distances.copy()
    for _ in range(
        200
    ):  # each round sees as far as NEAR radii: what matters is about 1 in size, slivers included
        step, grown = _grow(normals, np.minimum(distances / radius, NEAR), np.inf)
        centre, distances = centre + radius * step, distances + radius * (normals @ step)
        radius, before = radius * grown, radius
        if radius <= before * (1 + 1e-9):
            break
    return centre, radius


def _grow(normals: Floats, distances: Floats, most: float) -> tuple[Floats, float]:
    """Centre and radius (up to `most`) of the largest ball, the rows being at the given distances."""
    program = _ball_program(normals, distances)
    program.col_upper_ = np.append(np.full(normals.shape[1], np.inf), most)
    solver = new_solver()
    solver.passModel(program)
    solver.run()
    *centre, radius = solver.getSolution().col_value
    return np.array(centre), float(radius)


class _Silent(highspy.Highs):  # type: ignore[misc]  # highspy is untyped here
    """HiGHS that says nothing: version 1.16 prints a banner while it is made, before options can be set."""

    def enableCallbacks(self) -> None:
        """The first thing that is called on a new solver."""
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()


def new_solver(tolerance: float = LEAST_TOLERANCE) -> highspy.Highs:
    """A silent simplex solver; only candidates depend on the tolerance."""
    solver = _Silent()
    for name, value in OPTIONS.items():
        solver.setOptionValue(name, value)
    for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        solver.setOptionValue(name, tolerance)
    return solver


def _local_frame(bounds: Bounds) -> tuple[Floats, Floats]:
    """A centre and a width for each coordinate, so that small or far boxes look like [-1, 1]."""
    with np.errstate(invalid="ignore", over="ignore"):
        centre = (bounds.lower + bounds.upper) / 2
        width = (bounds.upper - bounds.lower) / 2
    known = np.isfinite(centre) & np.isfinite(width) & (width > 0)
    return np.where(known, centre, 0.0), np.where(known, width, 1.0)


def _ball_program(normals: Floats, offsets: Floats) -> highspy.HighsLp:
    """Maximise r <= 1 with ``normals @ u + offsets >= r``, unit normals (m, k)."""
    m, k = normals.shape
    matrix = np.column_stack([normals, -np.ones(m)])
    return last_variable_program(matrix, -offsets, -np.full(k, np.inf), np.full(k, np.inf))


def proved_answer(
    polyhedron: OpenPolyhedron, point: Floats, multipliers: Floats, bounds: Bounds, is_within: bool = True
) -> Answer:
    """What a point (k,), if it is within the bounds, or multipliers (m,) of the rows prove of a polyhedron."""
    rows, error = polyhedron.rows, polyhedron.error
    if is_within and proof.is_inside(rows, error, point):
        return Answer(Status.NONEMPTY, point=Point(point))
    support = tuple(np.flatnonzero(multipliers > 1e-9 * multipliers.max(initial=0.0)).tolist())
    if proof.is_empty(rows, error, multipliers, bounds):
        return Answer(Status.EMPTY, support=support)
    return Answer(Status.UNDECIDED, guess=point, support=support)


def last_variable_program(matrix: Floats, least: Floats, lower: Floats, upper: Floats) -> highspy.HighsLp:
    """Maximise the last of k+1 variables, which is at most 1, subject to ``matrix @ x >= least`` (m,).

    lower, upper (k,): bounds of the other variables.
    """
    (m, n), (row, column) = matrix.shape, np.nonzero(matrix)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = n, m
    program.col_cost_ = np.append(np.zeros(n - 1), -1.0)
    program.col_lower_, program.col_upper_ = np.append(lower, -np.inf), np.append(upper, 1.0)
    program.row_lower_, program.row_upper_ = least, np.full(m, np.inf)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.searchsorted(row, np.arange(m + 1)).astype(np.int32)
    program.a_matrix_.index_ = column.astype(np.int32)
    program.a_matrix_.value_ = matrix[row, column]
    return program
