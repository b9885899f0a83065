"""HiGHS inside a box of many dimensions: the box is bounds on columns, only the other rows are rows.

A local box around an image has hundreds of inputs and few neurons that cut it. The program then has a few rows,
and its multipliers alone prove emptiness, for the bounds are what the proof is made over.
"""

from __future__ import annotations

import highspy
import numpy as np

from polyregions._types import Floats
from polyregions.polyhedra.oracle.answer import UNDECIDED, Answer
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import new_solver, proved_answer

INWARDS = 0.25  # how much of the slack of the rows is spent on moving away from the walls of the box


class BoxOracle:
    """Asks whether an open polyhedron has a point strictly inside the bounds, which here are part of the question.

    The solver keeps the rows of the last question: a depth-first search asks about nearly the same ones again.
    """

    def __init__(self) -> None:
        self._solver: highspy.Highs | None = None
        self._bounds: Bounds | None = None
        self._rows: list[Floats] = []

    def interior(self, polyhedron: OpenPolyhedron, bounds: Bounds) -> Answer:
        """A proved answer where floats allow one, else UNDECIDED with hints."""
        with np.errstate(all="ignore"):  # what overflows is not a number, and so proves nothing
            return self._interior(polyhedron, bounds)

    def _interior(self, polyhedron: OpenPolyhedron, bounds: Bounds) -> Answer:
        rows = polyhedron.rows
        if not np.all(np.isfinite(rows)):
            return UNDECIDED
        solved = self._deepest(rows, bounds)
        if solved is None:
            return UNDECIDED
        found, multipliers = solved
        point = inwards(rows, found, bounds)
        return proved_answer(polyhedron, point, multipliers, bounds, _is_within(point, bounds))

    def _deepest(self, rows: Floats, bounds: Bounds) -> tuple[Floats, Floats] | None:
        """The point (k,) of the closed box that is farthest inside all rows, and multipliers (m,) of the rows."""
        solver = self._ready(bounds)
        width, centre = _frame(bounds)
        scale = np.abs(rows[:, :-1]) @ width
        if not np.all(scale > 0) or not np.all(np.isfinite(scale)):
            return None
        normals = rows[:, :-1] * width / scale[:, None]
        offsets = (rows[:, -1] + rows[:, :-1] @ centre) / scale
        self._load(solver, np.column_stack([normals, offsets]))
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            self._solver = None
            return None
        solution = solver.getSolution()
        local = np.array(solution.col_value[:-1], dtype=np.float64)
        multipliers = np.abs(np.array(solution.row_dual, dtype=np.float64)) / scale
        return centre + width * local, multipliers

    def _ready(self, bounds: Bounds) -> highspy.Highs:
        """The solver with columns u in [-1, 1]^k and the depth r <= 1 that is to be largest."""
        if self._solver is None or self._bounds is not bounds:
            self._solver, self._bounds, self._rows = new_solver(), bounds, []
            k = len(bounds.lower)
            self._solver.addVars(k, np.full(k, -1.0), np.full(k, 1.0))
            self._solver.addVar(-np.inf, 1.0)
            self._solver.changeColCost(k, -1.0)
        return self._solver

    def _load(self, solver: highspy.Highs, rows: Floats) -> None:
        """Make ``normal . u + offset >= r`` the solver's rows, keeping those at the front that are there already."""
        kept = 0
        while kept < min(len(rows), len(self._rows)) and np.array_equal(rows[kept], self._rows[kept]):
            kept += 1
        if kept < len(self._rows):
            gone = np.arange(kept, len(self._rows), dtype=np.int32)
            solver.deleteRows(len(gone), gone)
        for row in rows[kept:]:
            used = np.flatnonzero(row[:-1])
            index = np.append(used, len(row) - 1).astype(np.int32)
            solver.addRow(-row[-1], np.inf, len(index), index, np.append(row[used], -1.0))
        self._rows = [*self._rows[:kept], *rows[kept:]]


def inwards(rows: Floats, point: Floats, bounds: Bounds) -> Floats:
    """A point (k,) of the closed box moved towards its centre, as far as the rows (m, k+1) easily allow."""
    _, centre = _frame(bounds)
    here, there = (rows[:, :-1] @ x + rows[:, -1] for x in (point, centre))
    falling = there < here
    room = np.where(falling, here / np.where(falling, here - there, 1.0), 1.0)
    return point + INWARDS * min(1.0, max(0.0, float(room.min(initial=1.0)))) * (centre - point)


def _is_within(point: Floats, bounds: Bounds) -> bool:
    return bool(np.all(point > bounds.lower) and np.all(point < bounds.upper))


def _frame(bounds: Bounds) -> tuple[Floats, Floats]:
    """Half widths and centre (k,) of the box."""
    return bounds.upper / 2 - bounds.lower / 2, bounds.upper / 2 + bounds.lower / 2
