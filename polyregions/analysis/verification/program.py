"""Linear programs over relaxations: HiGHS proposes a point or multipliers; multipliers are checked, then believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import highspy
import numpy as np

from polyregions._types import Floats
from polyregions.analysis.verification.relaxation import Relaxation
from polyregions.polyhedra.oracle import proof
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.oracle.highs import last_variable_program, new_solver


@dataclass(frozen=True, eq=False)
class Excluded:
    """It is proved that the outputs are not all >= 0 anywhere in the relaxation."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """Nothing is proved.

    Attributes:
        point: (p,) where the least output is largest, None if nothing was found.
        pull: (r,) the multipliers of the rows, which say what holds that output back.
    """

    point: Floats | None
    pull: Floats


class Prover:
    """Asks whether outputs can all be >= 0 in a relaxation."""

    @cached_property
    def _solver(self) -> highspy.Highs:
        return new_solver(tolerance=1e-7)

    def ask(self, relaxation: Relaxation, group: Sequence[int]) -> Excluded | Candidate:
        """A proof that they cannot, or the most promising point."""
        with np.errstate(all="ignore"):  # what overflows is not a number, and so proves nothing
            return self._ask(relaxation, list(group))

    def _ask(self, relaxation: Relaxation, group: list[int]) -> Excluded | Candidate:
        rows = np.vstack([relaxation.rows, relaxation.outputs[group]])
        error = np.vstack([relaxation.error, relaxation.outputs_error[group]])
        n = len(relaxation.rows)
        solved = self._solve(rows, n, relaxation.bounds)
        if solved is None:
            return Candidate(None, np.zeros(n))
        point, multipliers = solved
        if proof.is_empty(rows, error, multipliers, relaxation.bounds):
            return Excluded()
        return Candidate(point, multipliers[:n])

    def _solve(self, rows: Floats, n: int, bounds: Bounds) -> tuple[Floats | None, Floats] | None:
        """Where the least of the forms after the first n, scaled, is largest, and multipliers of all of them."""
        centre, width = bounds.upper / 2 + bounds.lower / 2, bounds.upper / 2 - bounds.lower / 2
        scale = np.abs(rows[:, :-1]) @ width
        scale = np.where(scale > 0, scale, 1.0)
        normals = rows[:, :-1] * width / scale[:, None]
        offsets = (rows[:, -1] + rows[:, :-1] @ centre) / scale
        if not (np.all(np.isfinite(normals)) and np.all(np.isfinite(offsets))):
            return None
        solver = self._solver
        solver.clearSolver()
        solver.passModel(_program(normals, offsets, n))
        solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kOptimal:
            solution = solver.getSolution()
            local = np.array(solution.col_value[:-1], dtype=np.float64)
            return centre + width * local, np.abs(np.array(solution.row_dual)) / scale
        if status == highspy.HighsModelStatus.kInfeasible:
            _, is_there, ray = solver.getDualRay()
            return (None, np.maximum(np.array(ray), 0.0) / scale) if is_there else None
        return None


def _program(normals: Floats, offsets: Floats, n: int) -> highspy.HighsLp:
    """Maximise t <= 1 with ``normals @ s + offsets >= 0`` in the first n rows, ``>= t`` in the others, s in [-1, 1]."""
    m, p = normals.shape
    matrix = np.column_stack([normals, np.concatenate([np.zeros(n), -np.ones(m - n)])])
    return last_variable_program(matrix, -offsets, -np.ones(p), np.ones(p))
