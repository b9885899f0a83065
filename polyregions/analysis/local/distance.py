"""The distance in l1 and l2 from a point to the part of a box where some rows hold: multipliers and what they prove.

Each wall of a box bounds one coordinate, so the walls need no multipliers: given those y >= 0 of the rows, the least
of ``size(z) - y . (A z + v)`` over the box is a sum of minima of one variable, and a lower bound on the size of every
step z from the point to where ``A z + v >= 0`` (weak duality; Boyd and Vandenberghe, Convex optimization, ch. 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.queries.norms import Norm, least_multipliers
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import new_solver
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT, gamma, values_with_error

ROUNDS = 12  # of guessing which walls stop a step in l2; it takes two or three
SHRUNK = 1 - 2.0**-40  # multipliers that are nearly too large for a proof


@dataclass(frozen=True, eq=False)
class Steps:
    """The steps z (k,) that stay in a box: from `low` <= 0 to `high` >= 0 in each coordinate, rounded outwards."""

    low: Floats
    high: Floats

    @classmethod
    def within(cls, bounds: Bounds, x: Floats) -> Steps:
        """Those from x (k,) that stay in the bounds."""
        with np.errstate(over="ignore"):
            return cls(np.nextafter(bounds.lower - x, -np.inf), np.nextafter(bounds.upper - x, np.inf))

    def inside(self, margin: float) -> Steps:
        """Those that stay away from the walls by a margin."""
        return Steps(self.low + margin, self.high - margin)


@np.errstate(all="ignore")
def lower_bound(polyhedron: OpenPolyhedron, x: Floats, steps: Steps, y: Floats, norm: Norm) -> float:
    """A lower bound on the length of a step from x (k,) into an open polyhedron, proved by multipliers y (m,) >= 0."""
    value, doubt = values_with_error(polyhedron.rows, polyhedron.error, x)
    gain = float(-(y @ value) - (y @ doubt + gamma(len(y) + 1) * (y @ np.abs(value))) * SAFE - TINY)
    normals, error = polyhedron.rows[:, :-1], polyhedron.error[:, :-1]
    slope = y @ normals
    blur = (y @ error + gamma(len(y) + 1) * (y @ np.abs(normals))) * SAFE + TINY
    bound = _least_l2(slope, blur, steps, gain) if norm == "l2" else _least_l1(slope, blur, steps, gain)
    return bound if bound > 0 else 0.0


def _least_l1(slope: Floats, blur: Floats, steps: Steps, gain: float) -> float:
    """The least of ``gain + sum |z| - slope . z`` over the box."""
    up = np.maximum(slope + blur - 1, 0.0) * (1 + 4 * UNIT)
    down = np.maximum(blur - slope - 1, 0.0) * (1 + 4 * UNIT)
    lost = np.where(up > 0, up * np.maximum(steps.high, 0), 0.0)
    lost += np.where(down > 0, down * np.maximum(-steps.low, 0), 0.0)
    return gain - float(lost.sum()) * SAFE - abs(gain) * 4 * UNIT


def _least_l2(slope: Floats, blur: Floats, steps: Steps, gain: float) -> float:
    """The root of twice the least of ``gain + z . z / 2 - slope . z`` over the box."""
    steep = np.where(slope >= 0, slope + blur, slope - blur) * (1 + 4 * UNIT)
    z = np.clip(steep, steps.low, steps.high)
    terms = z * z / 2 - steep * z - blur * blur
    size = float((z * z / 2 + np.abs(steep * z) + blur * blur).sum())
    least = gain + float(terms.sum()) - gamma(len(z) + 8) * size * SAFE - abs(gain) * 4 * UNIT
    return float(np.sqrt(2 * least)) * (1 - 8 * UNIT) if least > 0 else 0.0


def shortest_step(normals: Floats, gaps: Floats, steps: Steps, norm: Norm) -> tuple[Floats, Floats]:
    """About the shortest step z (k,) in a box with ``normals @ z >= gaps``, and multipliers (m,); nothing is proved."""
    if not np.any(gaps > 0) and np.all(steps.low <= 0) and np.all(steps.high >= 0):
        return np.zeros(normals.shape[1]), np.zeros(len(gaps))
    if norm == "l1":
        return _shortest_l1(normals, gaps, steps)
    return _shortest_l2(normals, gaps, steps) or _with_walls(normals, gaps, steps)


def _shortest_l2(normals: Floats, gaps: Floats, steps: Steps) -> tuple[Floats, Floats] | None:
    """By guessing which coordinates the walls stop: the others solve a least-squares problem, which says which do."""
    z = np.clip(np.zeros(normals.shape[1]), steps.low, steps.high)
    stopped: Bools = z != 0
    for _ in range(ROUNDS):
        left = gaps - normals[:, stopped] @ z[stopped]
        y = least_multipliers(normals[:, ~stopped], left)
        if y is None:
            return None
        slope = y @ normals
        z = np.clip(slope, steps.low, steps.high)
        now: Bools = z != slope
        if np.array_equal(now, stopped):
            return z, y
        stopped = now
    return None


def _with_walls(normals: Floats, gaps: Floats, steps: Steps) -> tuple[Floats, Floats]:
    """The same with the walls that a step meets as rows, more of them each time."""
    k, m = normals.shape[1], len(gaps)
    used = np.zeros(2 * k, dtype=np.bool_)
    y, z = np.zeros(m), np.zeros(k)
    for _ in range(4 * ROUNDS):
        walls, which = np.flatnonzero(used), np.flatnonzero(used) % k
        units = np.zeros((len(walls), k))
        units[np.arange(len(walls)), which] = np.where(walls < k, 1.0, -1.0)
        ends = np.concatenate([steps.low, -steps.high])
        found = least_multipliers(np.concatenate([normals, units]), np.concatenate([gaps, ends[walls]]))
        if found is None:
            return z, y
        y, z = found[:m], found[:m] @ normals + found[m:] @ units
        beyond = np.concatenate([z < steps.low, z > steps.high]) & ~used
        if not beyond.any():
            break
        used |= beyond
    return np.clip(z, steps.low, steps.high), y


def _shortest_l1(normals: Floats, gaps: Floats, steps: Steps) -> tuple[Floats, Floats]:
    """By a linear program over the positive and negative parts of the step."""
    (m, k), program = normals.shape, highspy.HighsLp()
    scale = float(np.abs(gaps).max(initial=0.0)) or 1.0
    matrix = np.concatenate([normals, -normals], axis=1)
    row, column = np.nonzero(matrix)
    program.num_col_, program.num_row_ = 2 * k, m
    program.col_cost_ = np.ones(2 * k)
    program.col_lower_ = np.maximum(np.concatenate([steps.low, -steps.high]), 0) / scale
    program.col_upper_ = np.maximum(np.concatenate([steps.high, -steps.low]), 0) / scale
    program.row_lower_, program.row_upper_ = gaps / scale, np.full(m, np.inf)
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.searchsorted(row, np.arange(m + 1)).astype(np.int32)
    program.a_matrix_.index_ = column.astype(np.int32)
    program.a_matrix_.value_ = matrix[row, column]
    solver = new_solver()
    solver.passModel(program)
    solver.run()
    solution = solver.getSolution()
    found = np.array(solution.col_value, dtype=np.float64)
    dual = np.abs(np.array(solution.row_dual, dtype=np.float64))
    if len(found) != 2 * k or len(dual) != m:
        return np.zeros(k), np.zeros(m)
    return (found[:k] - found[k:]) * scale, dual * SHRUNK
