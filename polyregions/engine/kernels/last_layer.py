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

from polyregions._types import Floats
from polyregions.engine.kernels.codes import CROSSES, DEPTH, GIVEN_UP
from polyregions.engine.kernels.compiled import entry, kernel
from polyregions.engine.kernels.flats import cross, descend, holds_point, rows_on
from polyregions.engine.kernels.state import SAFE, TINY, ULP, Flats, Known, Work


@entry
def count_cell(work: Work, lower: Floats, upper: Floats, most: int) -> int:
    """How many regions the rest of the last layer makes of the current cell; GIVEN_UP where that is not proved.

    Also GIVEN_UP if there are more than `most`.

    lower, upper (k,): bounds of the cell.
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
    """Copy a row; its error then covers evaluating it a little outside the bounds too.

    table (n_rows+n_cuts, k+1), errors (m+n,): of level 0; row (k+1,); lower, upper (k,).
    """
    k = len(lower)
    size = abs(row[k])
    for c in range(k + 1):
        table[at, c] = row[c]
    for c in range(k):
        size += 2.0 * abs(row[c]) * max(abs(lower[c]), abs(upper[c]))
    errors[at] = (error + (k + 8) * ULP * size) * SAFE + TINY


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
    count = 0
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
