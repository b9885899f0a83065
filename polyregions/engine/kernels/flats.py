"""Kernels for flats, the parts of a cell that some of a layer's hyperplanes have in common.

A hyperplane crosses a flat where a point proves it (`crosses_at`), misses it where multipliers do, and else nothing is
said. On the crossing, the next flat, one coordinate is eliminated. A flat's rows are those of the cell in the
coordinates that are left; they differ from the true ones on the flat by their errors at most.
"""

from __future__ import annotations

from polyregions._types import Floats
from polyregions.engine.kernels.codes import CROSSES, GIVEN_UP, MISSES
from polyregions.engine.kernels.compiled import kernel
from polyregions.engine.kernels.simplex import (
    RATE_TOLERANCE,
    blocking_row,
    compute_gains,
    exchange,
    has_stalled,
    largest_rate,
    leaving_column,
    most_pivots,
    safe_maximum,
    value,
)
from polyregions.engine.kernels.state import SAFE, TINY, ULP, Flats, Path, Walker


@kernel
def rows_on(flats: Flats, depth: int, n: int, dim: int) -> Floats:
    """The rows of a flat's level: those of the cell, then those of the hyperplanes that may cross it."""
    return flats.table[depth, : n * (dim + 1)].reshape(n, dim + 1)


@kernel
def holds_point(flats: Flats, depth: int, n_rows: int) -> bool:
    """Whether the level's point is certainly inside the cell: the true point of the flat with these coordinates is."""
    dim = flats.point.shape[1] - depth
    table, point = rows_on(flats, depth, n_rows, dim), flats.point[depth, :dim]
    for c in range(dim):
        if depth == 0 and not flats.lower[0, c] <= point[c] <= flats.upper[0, c]:
            return False
    for i in range(n_rows):  # noqa: SIM110  # kernels hold no generators
        if not value(table[i], point) > flats.error[depth, i]:
            return False
    return True


@kernel
def cross(flats: Flats, depth: int, n_rows: int, j: int) -> int:
    """Whether a hyperplane crosses the flat inside the cell: a walk to its other side, or proof that there is none.

    It leaves a vertex of the crossing in the walker, and in `column` the column that met the hyperplane. That is why
    it does not use `pivot`: it has to see where a column ends before it goes there, or stops at the hyperplane.
    """
    dim = flats.point.shape[1] - depth
    table, walker = rows_on(flats, depth, n_rows + flats.n_cuts[depth], dim), walker_on(flats, depth)
    row, error = table[n_rows + j], flats.error[depth, n_rows + j]
    goal = 8.0 * error
    start = value(row, walker.vertex)
    if not abs(start) > goal:
        return GIVEN_UP
    sign = -1.0 if start > 0.0 else 1.0
    tolerance = RATE_TOLERANCE * largest_rate(row)
    still = 0
    for _ in range(most_pivots(walker, n_rows)):
        compute_gains(walker, row, sign)
        bland = has_stalled(walker, still)
        column = leaving_column(walker, tolerance, bland)
        if column < 0:
            path = Path(table, flats.error[depth], flats.basis[depth])
            lower, upper = flats.lower[depth, :dim], flats.upper[depth, :dim]
            return MISSES if safe_maximum(walker, path, lower, upper, row, error, sign) < 0.0 else GIVEN_UP
        entering, rate, step = blocking_row(walker, table, n_rows, column, bland)
        if entering < 0:
            return GIVEN_UP
        here, gain = sign * value(row, walker.vertex), walker.gain[column]
        if here + gain * step > goal:
            aim(flats, depth, walker, row, sign, column, step)
            exchange(walker, row, n_rows + j, column, sign * gain, max(-here, 0.0) / gain)
            flats.column[0] = column
            return CROSSES if is_proved(flats, depth, n_rows, walker, row, error) else GIVEN_UP
        still = 0 if step > 0.0 else still + 1
        exchange(walker, table[entering], entering, column, rate, step)
    return GIVEN_UP


@kernel
def walker_on(flats: Flats, depth: int) -> Walker:
    """A walk on the flat, at its start."""
    k = flats.point.shape[1]
    dim = k - depth
    walker = Walker(
        flats.walk_vertex[:dim],
        flats.walk_inverse[: dim * dim].reshape(dim, dim),
        flats.walk_basis[:dim],
        flats.gain[:dim],
        flats.total[: dim + 1],
        flats.total[: dim + 1],
        flats.walk_inverse[: dim * dim].reshape(dim, dim),
    )
    for c in range(dim):
        walker.vertex[c] = flats.vertex[depth, c]
        walker.basis[c] = flats.basis[depth, c]
        for j in range(dim):
            walker.inverse[c, j] = flats.inverse[depth, c * dim + j]
    return walker


@kernel
def aim(flats: Flats, depth: int, walker: Walker, row: Floats, sign: float, column: int, step: float) -> None:
    """Where the hyperplane (dim+1,) meets the segment from the flat's point to a vertex beyond it, put into `crossing`.

    That vertex is the end of the edge that crosses, or the start of the walk.
    """
    dim = len(walker.vertex)
    point, end = flats.point[depth, :dim], flats.crossing[:dim]
    here = value(row, point)
    for c in range(dim):
        end[c] = flats.vertex[depth, c]
        if sign * here < 0.0:
            end[c] = walker.vertex[c] + step * walker.inverse[c, column]
    there = value(row, end)
    share = here / (here - there)
    for c in range(dim):
        end[c] = point[c] + share * (end[c] - point[c])


@kernel
def is_proved(flats: Flats, depth: int, n_rows: int, walker: Walker, row: Floats, error: float) -> bool:
    """Whether `crossing` proves that the hyperplane crosses inside the cell; if not, a more central point is tried.

    row (dim+1,): the hyperplane's.
    """
    dim = len(walker.vertex)
    table, errors, q = rows_on(flats, depth, n_rows, dim), flats.error[depth], flats.crossing[:dim]
    lower, upper = flats.lower[depth, :dim], flats.upper[depth, :dim]
    pivot = pivot_of(row, lower, upper)
    if crosses_at(table, errors, n_rows, lower, upper, row, error, pivot, q):
        return True
    for c in range(dim):
        q[c] = walker.vertex[c]
    for j in range(dim):
        if j != flats.column[0]:
            _, _, step = blocking_row(walker, table, n_rows, j, False)
            for c in range(dim):
                q[c] += step * walker.inverse[c, j] / dim
    return crosses_at(table, errors, n_rows, lower, upper, row, error, pivot, q)


@kernel
def crosses_at(
    table: Floats,
    errors: Floats,
    n_rows: int,
    lower: Floats,
    upper: Floats,
    row: Floats,
    error: float,
    pivot: int,
    q: Floats,
) -> bool:
    """Whether the hyperplane, moved by its error either way, meets the line through q along the pivot inside the cell.

    Its true form has both signs there, so it has a zero between, and it is not constant along the pivot.

    table (n_rows, dim+1) and errors (m+n,) of the flat; row (dim+1,); lower, upper, q (dim,).
    """
    for c in range(len(q)):
        if not abs(q[c]) <= 1.25 * max(abs(lower[c]), abs(upper[c])):
            return False
    reach = (abs(value(row, q)) + 2.0 * error) / abs(row[pivot]) * SAFE
    if not reach <= 0.5 * max(abs(lower[pivot]), abs(upper[pivot])):
        return False
    for i in range(n_rows):  # noqa: SIM110  # kernels hold no generators
        if not value(table[i], q) > (errors[i] + abs(table[i, pivot]) * reach) * SAFE:
            return False
    return True


@kernel
def pivot_of(row: Floats, lower: Floats, upper: Floats) -> int:
    """The coordinate to which a hyperplane's (dim+1,) value owes most within bounds (dim,)."""
    best, most = 0, 0.0
    for c in range(len(lower)):
        part = abs(row[c]) * max(abs(lower[c]), abs(upper[c]))
        if part > most:
            best, most = c, part
    return best


@kernel
def descend(flats: Flats, depth: int, n_rows: int, j: int, later: int) -> bool:
    """Make the crossing with hyperplane j the next level, to which the `later` hyperplanes go; its point has to hold.

    A row loses its coordinate p to ``row - row_p / h_p * h`` with the hyperplane h, the same on the crossing up to the
    errors of both and rounding.
    """
    dim = flats.point.shape[1] - depth
    table = rows_on(flats, depth, n_rows + flats.n_cuts[depth], dim)
    below = rows_on(flats, depth + 1, n_rows + later, dim - 1)
    lower, upper, errors = flats.lower[depth, :dim], flats.upper[depth, :dim], flats.error[depth]
    row, error = table[n_rows + j], errors[n_rows + j]
    pivot = pivot_of(row, lower, upper)
    for i in range(n_rows + later):
        at = i if i < n_rows else n_rows + flats.later[depth, i - n_rows]
        flats.error[depth + 1, i] = eliminate_from(
            table[at], errors[at], row, error, pivot, lower, upper, below[i]
        )
    drop_coordinate(flats, depth, pivot)
    return holds_point(flats, depth + 1, n_rows)


@kernel
def eliminate_from(
    row: Floats,
    error: float,
    wall: Floats,
    wall_error: float,
    pivot: int,
    lower: Floats,
    upper: Floats,
    out: Floats,
) -> float:
    """Write a row without the pivot coordinate, by means of a hyperplane's; a bound on its error on the crossing.

    row, wall (dim+1,); lower, upper, out (dim,).
    """
    dim = len(lower)
    share = row[pivot] / wall[pivot]
    size = abs(row[dim]) + abs(share * wall[dim])
    at = 0
    for c in range(dim):
        term = share * wall[c]
        size += 2.0 * (abs(row[c]) + abs(term)) * max(abs(lower[c]), abs(upper[c]))
        if c != pivot:
            out[at] = row[c] - term
            at += 1
    out[at] = row[dim] - share * wall[dim]
    bound: float = (error + abs(share) * wall_error + (dim + 12) * ULP * size) * SAFE + TINY
    return bound


@kernel
def drop_coordinate(flats: Flats, depth: int, pivot: int) -> None:
    """Take bounds, the crossing's point and its vertex down a level: without the pivot and the hyperplane's column."""
    dim = flats.point.shape[1] - depth
    at = 0
    for c in range(dim):
        if c != pivot:
            flats.lower[depth + 1, at], flats.upper[depth + 1, at] = (
                flats.lower[depth, c],
                flats.upper[depth, c],
            )
            flats.point[depth + 1, at] = flats.crossing[c]
            flats.vertex[depth + 1, at] = flats.walk_vertex[c]
            to = 0
            for j in range(dim):
                if j != flats.column[0]:
                    flats.inverse[depth + 1, at * (dim - 1) + to] = flats.walk_inverse[c * dim + j]
                    to += 1
            at += 1
    to = 0
    for j in range(dim):
        if j != flats.column[0]:
            flats.basis[depth + 1, to] = flats.walk_basis[j]
            to += 1
