"""Counting the regions of a cell that the last layer's hyperplanes make, without going to them.

Where m hyperplanes meet in general position inside an open convex cell, it falls into as many regions as there are sets
of hyperplanes that have a point of the cell in common, the empty set included (Zaslavsky 1975). Such a common part is
a flat. Flats are found by going down: the cell, then in each hyperplane, then in the hyperplanes of that, always with
later ones. On a flat the coordinates that its hyperplanes determine are eliminated, so every step is in a smaller
dimension, and on lines a region costs a comparison.

Nothing is counted without proof: a flat has a point inside the cell where all rows exceed their error bounds, or there
are multipliers that show it has none, or the whole cell is given up and the tree goes on as if nothing had been tried.
"""

from __future__ import annotations

from typing import Final

from polyregions._types import Floats
from polyregions.engine.walk.compiled import kernel
from polyregions.engine.walk.simplex import (
    blocking_row,
    compute_gains,
    exchange,
    leaving_column,
    safe_maximum,
    value,
)
from polyregions.engine.walk.state import (
    DEPTH,
    SAFE,
    TINY,
    ULP,
    Flats,
    Known,
    Leaves,
    Net,
    Path,
    Walker,
    Work,
)

GIVEN_UP: Final = -1  # not proved, not in general position, or too many
MISSES: Final = 0
CROSSES: Final = 1


@kernel
def count_cell(work: Work, lower: Floats, upper: Floats, most: int) -> int:
    """How many regions the rest of the last layer makes of the current cell; GIVEN_UP where that is not proved.

    Also GIVEN_UP if there are more than `most`.
    """
    slot, forms, flats = work.registers[DEPTH], work.forms, work.flats
    layer, position = work.stack.layer[slot], work.stack.position[slot]
    n_rows, n_cuts = work.stack.n_rows[slot], forms.n_todo[layer] - position
    if n_cuts >= most:
        return GIVEN_UP
    k = len(lower)
    table = rows_on(flats, 0, n_rows + n_cuts, k)
    for i in range(n_rows):
        put_row(table, flats.error[0], i, work.path.rows[i], work.path.error[i], lower, upper)
    for j in range(n_cuts):
        unit = forms.todo[layer, position + j]
        row, error = forms.maps[layer, unit], forms.error[layer, unit]
        put_row(table, flats.error[0], n_rows + j, row, error, lower, upper)
    for c in range(k):
        flats.lower[0, c], flats.upper[0, c] = lower[c], upper[c]
        flats.point[0, c] = work.stack.point[slot, c]
    start_at(work.known, slot, flats)
    if not holds_point(flats, 0, n_rows):
        return GIVEN_UP
    found: int = count_flats(flats, n_rows, n_cuts, most)
    return found


@kernel
def put_row(
    table: Floats, errors: Floats, at: int, row: Floats, error: float, lower: Floats, upper: Floats
) -> None:
    """Copy a row; its error then covers evaluating it a little outside the bounds too."""
    k = len(lower)
    size = abs(row[k])
    for c in range(k + 1):
        table[at, c] = row[c]
    for c in range(k):
        size += 2.0 * abs(row[c]) * max(abs(lower[c]), abs(upper[c]))
    errors[at] = (error + (k + 8) * ULP * size) * SAFE + TINY


@kernel
def rows_on(flats: Flats, depth: int, n: int, dim: int) -> Floats:
    """The rows of a flat's level: those of the cell, then those of the hyperplanes that may cross it."""
    return flats.table[depth, : n * (dim + 1)].reshape(n, dim + 1)


@kernel
def start_at(known: Known, slot: int, flats: Flats) -> None:
    """Start walks on the cell itself at its first known vertex."""
    k = known.vertex.shape[2]
    for c in range(k):
        flats.vertex[0, c] = known.vertex[slot, 0, c]
        flats.basis[0, c] = known.basis[slot, 0, c]
        for j in range(k):
            flats.inverse[0, c * k + j] = known.inverse[slot, 0, c, j]


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
def count_flats(flats: Flats, n_rows: int, n_cuts: int, most: int) -> int:
    """The flats of level 0 and below, each hyperplane taken with those after it."""
    last = flats.point.shape[1] - 1
    depth, count = enter(flats, 0, n_cuts), 1
    while depth >= 0:
        if depth == last:
            points = count_on_line(flats, depth, n_rows)
            if points == GIVEN_UP:
                return GIVEN_UP
            count, depth = count + points, depth - 1
        elif flats.next[depth] < 0:
            depth -= 1
        else:
            j, later = flats.next[depth], flats.n_later[depth]
            flats.next[depth] = j - 1
            answer = cross(flats, depth, n_rows, j)
            if answer == GIVEN_UP:
                return GIVEN_UP
            if answer == CROSSES:
                count += 1
                flats.later[depth, later] = j
                flats.n_later[depth] = later + 1
                if later:
                    if not descend(flats, depth, n_rows, j, later):
                        return GIVEN_UP
                    depth = enter(flats, depth + 1, later)
        if count > most:
            return GIVEN_UP
    return count


@kernel
def enter(flats: Flats, depth: int, n_cuts: int) -> int:
    """Stand at the beginning of a level, whose hyperplanes are taken from the last to the first."""
    flats.n_cuts[depth], flats.next[depth], flats.n_later[depth] = n_cuts, n_cuts - 1, 0
    return depth


@kernel
def cross(flats: Flats, depth: int, n_rows: int, j: int) -> int:
    """Whether a hyperplane crosses the flat inside the cell: a walk to its other side, or proof that there is none.

    It leaves a vertex of the crossing in the walker, and in `column` the column that met the hyperplane.
    """
    dim = flats.point.shape[1] - depth
    table, walker = rows_on(flats, depth, n_rows + flats.n_cuts[depth], dim), walker_on(flats, depth)
    row, error = table[n_rows + j], flats.error[depth, n_rows + j]
    goal = 8.0 * error
    start = value(row, walker.vertex)
    if not abs(start) > goal:
        return GIVEN_UP
    sign = -1.0 if start > 0.0 else 1.0
    scale = 0.0
    for c in range(dim):
        scale = max(scale, abs(row[c]))
    still = 0
    for _ in range(50 * (dim + 2) + 4 * n_rows):
        compute_gains(walker, row, sign)
        bland = still > 2 * dim
        column = leaving_column(walker, 1e-13 * scale, bland)
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
    """Where the hyperplane meets the segment from the flat's point to a vertex beyond it, put into `crossing`.

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
    """Whether `crossing` proves that the hyperplane crosses inside the cell; if not, a more central point is tried."""
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
    """The coordinate to which a hyperplane's value owes most."""
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
    """Write a row without the pivot coordinate, by means of a hyperplane's; a bound on its error on the crossing."""
    dim = len(lower)
    share = row[pivot] / wall[pivot]
    size = abs(row[dim]) + abs(share * wall[dim])
    at = pivot - pivot
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


@kernel
def count_on_line(flats: Flats, depth: int, n_rows: int) -> int:
    """The points where hyperplanes cross a line inside the cell, if these are certainly different points.

    What lies between the sure ends is certainly inside, what lies beyond the far ends certainly is not.
    Twice each error bound covers the divisions.
    """
    n_cuts = flats.n_cuts[depth]
    table, errors = rows_on(flats, depth, n_rows + n_cuts, 1), flats.error[depth]
    sure_low = far_low = flats.lower[depth, 0]
    sure_high = far_high = flats.upper[depth, 0]
    for i in range(n_rows):
        rate, here, error = table[i, 0], table[i, 1], 2.0 * errors[i]
        if rate > 0.0:
            sure_low, far_low = max(sure_low, (error - here) / rate), max(far_low, (-error - here) / rate)
        elif rate < 0.0:
            sure_high, far_high = min(sure_high, (error - here) / rate), min(far_high, (-error - here) / rate)
        elif not here > error:
            return GIVEN_UP
    if not sure_low < sure_high:
        return GIVEN_UP
    count = depth - depth
    for j in range(n_rows, n_rows + n_cuts):
        rate, here, error = table[j, 0], table[j, 1], 2.0 * errors[j]
        low, high = rate * sure_low + here, rate * sure_high + here
        if (low > error and high < -error) or (low < -error and high > error):
            centre, radius = -here / rate, 2.0 * error / abs(rate)
            for i in range(count):
                if not abs(centre - flats.centre[i]) > radius + flats.radius[i]:
                    return GIVEN_UP
            flats.centre[count], flats.radius[count] = centre, radius
            count += 1
        else:
            low, high = rate * far_low + here, rate * far_high + here
            if not ((low > error and high > error) or (low < -error and high < -error)):
                return GIVEN_UP
    return count


@kernel
def record_cell(net: Net, work: Work, leaves: Leaves, count: int) -> None:
    """Count the regions of the current cell, of which all but the last layer's bits are known.

    A cell differs from the one before in a bit that is known of both, so what is left over in the others does no harm.
    """
    slot, bits = work.registers[DEPTH], work.forms.bits
    n, last = len(bits), len(net.ends) - 1
    first = leaves.last[0] == 2
    changed = 0
    while changed < n and leaves.last[changed] == bits[changed]:
        changed += 1
    for layer in range(last):
        if net.ends[layer] > changed or first:
            leaves.after[layer] += 1
    leaves.after[last] += count
    for b in range(n):
        leaves.last[b] = bits[b]
        if first:
            leaves.first[b] = bits[b]
    leaves.done[0] += work.stack.share[slot]
