"""Kernels of the simplex walk: from a known vertex of a cell towards one side of a hyperplane.

A vertex comes with its basis, k tight rows, and the inverse: column j is the direction that leaves basis
row j at unit rate and stays on the others. A pivot costs O(m k + k^2). Floats decide nothing here: what the
walk finds is either a vertex on the other side (a candidate for a cut) or multipliers that are proved safe.
"""

from __future__ import annotations

from polyregions._types import Floats, Ints
from polyregions.engine.kernels.codes import BLOCKED, REACHED, STUCK
from polyregions.engine.kernels.compiled import entry, kernel
from polyregions.engine.kernels.state import SAFE, TINY, ULP, Known, Path, Walker

PIVOT_TOLERANCE = 1e-11
RATE_TOLERANCE = 1e-13


@entry
def value(row: Floats, u: Floats) -> float:
    """A form (k+1,) at a point (k,)."""
    k = len(u)
    total: float = row[k]
    for c in range(k):
        total += row[c] * u[c]
    return total


@kernel
def load_vertex(walker: Walker, known: Known, slot: int, index: int) -> None:
    """Start a walk from a known vertex."""
    k = len(walker.vertex)
    for i in range(k):
        walker.vertex[i] = known.vertex[slot, index, i]
        walker.basis[i] = known.basis[slot, index, i]
        for j in range(k):
            walker.inverse[i, j] = known.inverse[slot, index, i, j]


@kernel
def store_vertex(walker: Walker, known: Known, slot: int, index: int) -> None:
    """Remember the walk's vertex in a place of a cell."""
    k = len(walker.vertex)
    for i in range(k):
        known.vertex[slot, index, i] = walker.vertex[i]
        known.basis[slot, index, i] = walker.basis[i]
        for j in range(k):
            known.inverse[slot, index, i, j] = walker.inverse[i, j]


@kernel
def compute_gains(walker: Walker, row: Floats, sign: float) -> None:
    """Rate of ``sign * row``, row (k+1,), along each column of the inverse."""
    k = len(walker.vertex)
    for j in range(k):
        walker.gain[j] = 0.0
    for c in range(k):
        weight = sign * row[c]
        for j in range(k):
            walker.gain[j] += weight * walker.inverse[c, j]


@kernel
def leaving_column(walker: Walker, tolerance: float, bland: bool) -> int:
    """The column to follow: the steepest, or by Bland's rule the one of the lowest row; -1 at an optimum."""
    k = len(walker.vertex)
    best = -1
    best_rate = 0.0
    for j in range(k):
        if walker.gain[j] > 0.0:
            norm = 0.0
            for c in range(k):
                norm += walker.inverse[c, j] * walker.inverse[c, j]
            rate = walker.gain[j] / norm**0.5
            if rate > tolerance:
                if bland:
                    if best < 0 or walker.basis[j] < walker.basis[best]:
                        best = j
                elif rate > best_rate:
                    best, best_rate = j, rate
    return best


@kernel
def in_basis(basis: Ints, row: int) -> bool:
    """Whether a row is one of the tight ones (k,)."""
    for j in range(len(basis)):  # noqa: SIM110  # kernels hold no generators
        if basis[j] == row:
            return True
    return False


@kernel
def blocking_row(
    walker: Walker, rows: Floats, n_rows: int, column: int, bland: bool
) -> tuple[int, float, float]:
    """The first row that becomes tight along a column, its rate and the step; row -1 if there is none.

    Of rows that become tight together the steepest is taken, which keeps the inverse accurate.

    rows (m, k+1), of which the first n_rows count.
    """
    k = len(walker.vertex)
    best, best_rate, best_step = -1, 0.0, 0.0
    for i in range(n_rows):
        rate, norm = 0.0, 0.0
        for c in range(k):
            term = rows[i, c] * walker.inverse[c, column]
            rate += term
            norm += abs(term)
        if rate < -PIVOT_TOLERANCE * norm and not in_basis(walker.basis, i):
            step = max(value(rows[i], walker.vertex), 0.0) / -rate
            nearer = best < 0 or step < best_step * (1.0 - 1e-12)
            tied = not nearer and not bland and step <= best_step * (1.0 + 1e-12)
            if nearer or (tied and rate < best_rate):
                best, best_rate, best_step = i, rate, step
    return best, best_rate, best_step


@kernel
def exchange(walker: Walker, normal: Floats, row: int, column: int, rate: float, step: float) -> None:
    """Move along a column and let a row, normal (k+1,), take its place in the basis."""
    k = len(walker.vertex)
    inverse = walker.inverse
    for c in range(k):
        walker.vertex[c] += step * inverse[c, column]
        inverse[c, column] /= rate
    for j in range(k):
        if j != column:
            share = 0.0
            for c in range(k):
                share += normal[c] * inverse[c, j]
            if share != 0.0:
                for c in range(k):
                    inverse[c, j] -= share * inverse[c, column]
    walker.basis[column] = row


@kernel
def turn(walker: Walker, column: int) -> None:
    """Reverse a column."""
    for c in range(len(walker.vertex)):
        walker.inverse[c, column] = -walker.inverse[c, column]


@kernel
def most_pivots(walker: Walker, n_rows: int) -> int:
    """When a walk gives up: far more pivots than walks take, so only one that goes round in circles meets it."""
    return 50 * (len(walker.vertex) + 2) + 4 * n_rows


@kernel
def has_stalled(walker: Walker, still: int) -> bool:
    """Whether so many pivots in a row did not move the walk that it needs Bland's rule, which cannot cycle."""
    return still > 2 * len(walker.vertex)


@kernel
def pivot(walker: Walker, rows: Floats, n_rows: int, column: int, still: int) -> int:
    """Follow a column to the row that blocks it; how many pivots in a row, of which `still` before, did not move.

    -1, and the walk stays where it is, if no row blocks the column.
    """
    entering, rate, step = blocking_row(walker, rows, n_rows, column, has_stalled(walker, still))
    if entering < 0:
        return -1
    exchange(walker, rows[entering], entering, column, rate, step)
    return 0 if step > 0.0 else still + 1


@kernel
def largest_rate(row: Floats) -> float:
    """The largest rate of a form along an axis: what its rates along columns are measured by."""
    largest = 0.0
    for c in range(len(row) - 1):
        largest = max(largest, abs(row[c]))
    return largest


@kernel
def walk_towards(walker: Walker, rows: Floats, n_rows: int, row: Floats, sign: float, goal: float) -> int:
    """Walk until ``sign * row`` exceeds the goal (REACHED), cannot grow (BLOCKED), or the walk gives up (STUCK).

    rows (m, k+1), of which the first n_rows are the cell's; row (k+1,).
    """
    tolerance = RATE_TOLERANCE * largest_rate(row)
    still = 0
    for _ in range(most_pivots(walker, n_rows)):
        if sign * value(row, walker.vertex) > goal:
            return REACHED
        compute_gains(walker, row, sign)
        bland = has_stalled(walker, still)
        column = leaving_column(walker, tolerance, bland)
        if column < 0:
            return BLOCKED
        # `pivot` written out: called here, where counting spends its time, it costs about 3 %
        entering, rate, step = blocking_row(walker, rows, n_rows, column, bland)
        if entering < 0:
            return STUCK
        still = 0 if step > 0.0 else still + 1
        exchange(walker, rows[entering], entering, column, rate, step)
    return STUCK


@kernel
def refactor(walker: Walker, rows: Floats) -> bool:
    """Recompute the walk's inverse and vertex from its basis rows (Gauss-Jordan); False if they are dependent.

    rows (m, k+1).
    """
    k = len(walker.vertex)
    a, block = walker.inverse, walker.block
    for j in range(k):
        for c in range(k):
            block[j, c] = rows[walker.basis[j], c]
            a[j, c] = 1.0 if j == c else 0.0
    for j in range(k):
        if not eliminate(a, block, j):
            return False
    for c in range(k):
        walker.vertex[c] = 0.0
        for j in range(k):
            walker.vertex[c] -= a[c, j] * rows[walker.basis[j], k]
    return True


@kernel
def eliminate(a: Floats, block: Floats, j: int) -> bool:
    """One Gauss-Jordan step on a, block (k, k) with the largest pivot of column j; False if there is none."""
    k = len(block)
    pivot = j
    for i in range(j + 1, k):
        if abs(block[i, j]) > abs(block[pivot, j]):
            pivot = i
    if not abs(block[pivot, j]) > 0.0:
        return False
    for c in range(k):
        block[j, c], block[pivot, c] = block[pivot, c], block[j, c]
        a[j, c], a[pivot, c] = a[pivot, c], a[j, c]
    inverse = 1.0 / block[j, j]
    for c in range(k):
        block[j, c] *= inverse
        a[j, c] *= inverse
    for i in range(k):
        factor = block[i, j]
        if i != j and factor != 0.0:
            for c in range(k):
                block[i, c] -= factor * block[j, c]
                a[i, c] -= factor * a[j, c]
    return True


@kernel
def safe_maximum(
    walker: Walker, path: Path, lower: Floats, upper: Floats, row: Floats, error: float, sign: float
) -> float:
    """A proved upper bound of ``sign * row`` on the cell, from the basis at hand; sharp at an optimum.

    With multipliers y >= 0 of the tight rows, ``sign * row <= sign * row + sum y_i row_i`` inside the cell, and the
    sum is bounded over the bounds with every rounding error counted (Neumaier and Shcherbina 2004).

    row (k+1,); lower, upper (k,): bounds of the cell.
    """
    k = len(walker.vertex)
    compute_gains(walker, row, sign)
    for c in range(k + 1):
        walker.total[c] = sign * row[c]
    doubt = error
    for j in range(k):
        y = max(-walker.gain[j], 0.0)
        if y > 0.0:
            i = walker.basis[j]
            for c in range(k + 1):
                walker.total[c] += y * path.rows[i, c]
            doubt += y * path.error[i]
    bound = walker.total[k]
    size = abs(bound)
    for c in range(k):
        term = max(walker.total[c] * lower[c], walker.total[c] * upper[c])
        bound += term
        size += abs(term)
    highest: float = bound + (2.0 * doubt + (k + 4) * ULP * size) * SAFE + TINY
    return highest
