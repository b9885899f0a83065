"""Kernels of the simplex walk: from a known vertex of a cell towards one side of a hyperplane.

A vertex comes with its basis, k tight rows, and the inverse: column j is the direction that leaves basis
row j at unit rate and stays on the others. A pivot costs O(m k + k^2). Floats decide nothing here: what the
walk finds is either a vertex on the other side (a candidate for a cut) or multipliers that are proved safe.
"""

from __future__ import annotations

from numba import njit

from polyregions._types import Floats, Ints
from polyregions.engine.walk.state import N_PIVOTS, SAFE, TINY, ULP, Chart, Work

REACHED = 1
BLOCKED = 2
STUCK = 3
PIVOT_TOLERANCE = 1e-11


@njit(cache=True, nogil=True, error_model="numpy")
def value(row: Floats, u: Floats) -> float:
    """A form at a point."""
    k = len(u)
    total = row[k]
    for c in range(k):
        total += row[c] * u[c]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def load_vertex(work: Work, slot: int, index: int) -> None:
    """Start a walk from a known vertex."""
    work.walk_vertex[:] = work.vertices[slot, index]
    work.walk_inverse[:, :] = work.inverse[slot, index]
    work.walk_basis[:] = work.basis[slot, index]


@njit(cache=True, nogil=True, error_model="numpy")
def store_vertex(work: Work, slot: int, index: int) -> None:
    """Remember the walk's vertex in a place of a cell."""
    work.vertices[slot, index] = work.walk_vertex
    work.inverse[slot, index] = work.walk_inverse
    work.basis[slot, index] = work.walk_basis


@njit(cache=True, nogil=True, error_model="numpy")
def gains(row: Floats, sign: float, inverse: Floats, out: Floats) -> None:
    """Rate of ``sign * row`` along each column of the inverse."""
    k = inverse.shape[0]
    for j in range(k):
        out[j] = 0.0
    for c in range(k):
        weight = sign * row[c]
        if weight != 0.0:
            for j in range(k):
                out[j] += weight * inverse[c, j]


@njit(cache=True, nogil=True, error_model="numpy")
def leaving_column(work: Work, gain: Floats, tolerance: float, bland: bool) -> int:
    """The column to follow: the steepest, or by Bland's rule the one of the lowest row; -1 at an optimum."""
    k = len(work.walk_vertex)
    best = -1
    best_gain = 0.0
    for j in range(k):
        if gain[j] > 0.0:
            norm = 0.0
            for c in range(k):
                norm += work.walk_inverse[c, j] * work.walk_inverse[c, j]
            rate = gain[j] / norm**0.5
            if rate > tolerance:
                if bland:
                    if best < 0 or work.walk_basis[j] < work.walk_basis[best]:
                        best = j
                elif rate > best_gain:
                    best, best_gain = j, rate
    return best


@njit(cache=True, nogil=True, error_model="numpy")
def blocking_row(work: Work, n_rows: int, column: int, bland: bool) -> tuple[int, float, float]:
    """The first row that becomes tight along a column, its rate and the step; row -1 if there is none."""
    k = len(work.walk_vertex)
    best, best_rate, best_step = -1, 0.0, 0.0
    leaving = work.walk_basis[column]
    for i in range(n_rows):
        rate = 0.0
        norm = 0.0
        for c in range(k):
            term = work.rows[i, c] * work.walk_inverse[c, column]
            rate += term
            norm += abs(term)
        if rate < -PIVOT_TOLERANCE * norm and i != leaving and not _in_basis(work.walk_basis, i):
            step = max(value(work.rows[i], work.walk_vertex), 0.0) / -rate
            nearer = best < 0 or step < best_step * (1.0 - 1e-12) - 1e-300
            tied = best >= 0 and not nearer and step <= best_step * (1.0 + 1e-12) + 1e-300
            if nearer or (tied and not bland and rate < best_rate):
                best, best_rate, best_step = i, rate, step
    return best, best_rate, best_step


@njit(cache=True, nogil=True, error_model="numpy")
def _in_basis(basis: Ints, row: int) -> bool:
    for j in range(len(basis)):
        if basis[j] == row:
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def exchange(work: Work, column: int, row: int, rate: float, step: float) -> None:
    """Move along a column and let `row` take its place in the basis."""
    k = len(work.walk_vertex)
    inverse = work.walk_inverse
    for c in range(k):
        work.walk_vertex[c] += step * inverse[c, column]
        inverse[c, column] /= rate
    for j in range(k):
        if j != column:
            share = 0.0
            for c in range(k):
                share += work.rows[row, c] * inverse[c, j]
            if share != 0.0:
                for c in range(k):
                    inverse[c, j] -= share * inverse[c, column]
    work.walk_basis[column] = row


@njit(cache=True, nogil=True, error_model="numpy")
def walk_towards(work: Work, n_rows: int, row: Floats, sign: float, goal: float) -> int:
    """Walk until ``sign * row`` exceeds the goal (REACHED), cannot grow (BLOCKED), or the walk gives up (STUCK)."""
    k = len(work.walk_vertex)
    gain = work.scratch[0, :k]
    scale = 0.0
    for c in range(k):
        scale = max(scale, abs(row[c]))
    still = 0
    for _ in range(50 * (k + 2) + 4 * n_rows):
        if sign * value(row, work.walk_vertex) > goal:
            return REACHED
        gains(row, sign, work.walk_inverse, gain)
        bland = still > 2 * k
        column = leaving_column(work, gain, 1e-13 * scale, bland)
        if column < 0:
            return BLOCKED
        entering, rate, step = blocking_row(work, n_rows, column, bland)
        if entering < 0:
            return STUCK
        work.registers[N_PIVOTS] += 1
        still = 0 if step > 0.0 else still + 1
        exchange(work, column, entering, rate, step)
    return STUCK


@njit(cache=True, nogil=True, error_model="numpy")
def refactor(work: Work) -> bool:
    """Recompute the walk's inverse and vertex from its basis rows (Gauss-Jordan); False if they are dependent."""
    k = len(work.walk_vertex)
    a = work.walk_inverse
    m = work.scratch[1:3]
    block = a.copy()
    for j in range(k):
        for c in range(k):
            block[j, c] = work.rows[work.walk_basis[j], c]
            a[j, c] = 1.0 if j == c else 0.0
    for j in range(k):
        pivot = j
        for i in range(j + 1, k):
            if abs(block[i, j]) > abs(block[pivot, j]):
                pivot = i
        if not abs(block[pivot, j]) > 0.0:
            return False
        for c in range(k):
            m[0, 0] = block[j, c]
            block[j, c] = block[pivot, c]
            block[pivot, c] = m[0, 0]
            m[0, 0] = a[j, c]
            a[j, c] = a[pivot, c]
            a[pivot, c] = m[0, 0]
        inverse = 1.0 / block[j, j]
        for c in range(k):
            block[j, c] *= inverse
            a[j, c] *= inverse
        for i in range(k):
            if i != j and block[i, j] != 0.0:
                factor = block[i, j]
                for c in range(k):
                    block[i, c] -= factor * block[j, c]
                    a[i, c] -= factor * a[j, c]
    for c in range(k):
        total = 0.0
        for j in range(k):
            total -= a[c, j] * work.rows[work.walk_basis[j], k]
        work.walk_vertex[c] = total
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def proves_no_reach(work: Work, chart: Chart, row: Floats, error: float, sign: float) -> bool:
    """Whether the basis at hand proves that ``sign * row`` is negative all over the cell.

    With multipliers y >= 0 of the tight rows, ``sign * row <= sign * row + sum y_i row_i`` inside the cell, and the sum is bounded over
    the bounds with every rounding error counted (Neumaier and Shcherbina 2004).
    """
    k = len(work.walk_vertex)
    gain, total = work.scratch[0, :k], work.scratch[1, : k + 1]
    gains(row, sign, work.walk_inverse, gain)
    for c in range(k + 1):
        total[c] = sign * row[c]
    doubt = error
    for j in range(k):
        y = max(-gain[j], 0.0)
        if y > 0.0:
            i = work.walk_basis[j]
            for c in range(k + 1):
                total[c] += y * work.rows[i, c]
            doubt += y * work.row_error[i]
    bound = total[k]
    size = abs(total[k])
    for c in range(k):
        term = max(total[c] * chart.lower[c], total[c] * chart.upper[c])
        bound += term
        size += abs(term)
    return bound + (2.0 * doubt + (k + 4) * ULP * size) * SAFE + TINY < 0.0
