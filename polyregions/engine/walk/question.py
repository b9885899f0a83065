"""The question: does a neuron's hyperplane pass through the interior of a cell?

Both signs at known vertices mean a cut, and no program is solved. Otherwise the walk looks for the missing
sign and either finds it or leaves multipliers that prove there is none. Whatever is nearly zero is left to
exact arithmetic: a cut taken too lightly would only cost time (its empty leaves are found out later),
a side given up too lightly would lose regions, so that is never done without proof.
"""

from __future__ import annotations

from numba import njit

from polyregions._types import Floats
from polyregions.engine.walk.simplex import (
    BLOCKED,
    REACHED,
    load_vertex,
    proves_no_reach,
    refactor,
    store_vertex,
    value,
    walk_towards,
)
from polyregions.engine.walk.state import (
    CUT,
    N_QUESTIONS,
    N_WALKS,
    OFF,
    ON,
    SAFE,
    TINY,
    TOUCH,
    ULP,
    UNDECIDED,
    Chart,
    Work,
)


@njit(cache=True, nogil=True, error_model="numpy")
def sign_within_bounds(chart: Chart, row: Floats, error: float) -> int:
    """ON or OFF if the form has one sign all over the bounds, else UNDECIDED."""
    k = len(row) - 1
    low = high = row[k]
    size = abs(row[k])
    for c in range(k):
        a, b = row[c] * chart.lower[c], row[c] * chart.upper[c]
        low += min(a, b)
        high += max(a, b)
        size += max(abs(a), abs(b))
    doubt = (error + (k + 4) * ULP * size) * SAFE
    if low > doubt:
        return ON
    if high < -doubt:
        return OFF
    if size == 0.0 and error == 0.0:  # identically zero counts as off
        return OFF
    return UNDECIDED


@njit(cache=True, nogil=True, error_model="numpy")
def ask(chart: Chart, work: Work, slot: int, row: Floats, error: float, size: float) -> int:
    """OFF, ON (each proved), CUT (seen at vertices), or UNDECIDED."""
    work.registers[N_QUESTIONS] += 1
    known = sign_within_bounds(chart, row, error)
    if known != UNDECIDED:
        return known
    goal = TOUCH * size + 4.0 * error + TINY
    lowest, highest = 0, 0
    low = high = value(row, work.vertices[slot, 0])
    for v in range(1, work.n_vertices[slot]):
        z = value(row, work.vertices[slot, v])
        if z < low:
            low, lowest = z, v
        if z > high:
            high, highest = z, v
    if low < -goal and high > goal:
        return CUT
    if high > goal:
        return _look(chart, work, slot, row, error, goal, -1.0, lowest, ON)
    if low < -goal:
        return _look(chart, work, slot, row, error, goal, 1.0, highest, OFF)
    return _look_both_ways(chart, work, slot, row, error, goal, lowest, highest)


@njit(cache=True, nogil=True, error_model="numpy")
def _look(
    chart: Chart, work: Work, slot: int, row: Floats, error: float, goal: float, sign: float, start: int, else_: int
) -> int:
    """CUT if the walk finds the side of the given sign, `else_` if that side is proved empty."""
    work.registers[N_WALKS] += 1
    load_vertex(work, slot, start)
    result = walk_towards(work, work.n_rows[slot], row, sign, goal)
    if result == REACHED:
        _remember(work, slot)
        return CUT
    if result == BLOCKED:
        if proves_no_reach(work, chart, row, error, sign):
            return else_
        if refactor(work) and proves_no_reach(work, chart, row, error, sign):
            return else_
    return UNDECIDED


@njit(cache=True, nogil=True, error_model="numpy")
def _look_both_ways(
    chart: Chart, work: Work, slot: int, row: Floats, error: float, goal: float, lowest: int, highest: int
) -> int:
    """The same where no known vertex is clearly on either side."""
    up = _look(chart, work, slot, row, error, goal, 1.0, highest, OFF)
    if up != CUT:
        return UNDECIDED
    return _look(chart, work, slot, row, error, goal, -1.0, lowest, ON)


@njit(cache=True, nogil=True, error_model="numpy")
def _remember(work: Work, slot: int) -> None:
    """Keep the walk's vertex; in a full cell it takes the place of the last one kept."""
    n = work.n_vertices[slot]
    if n < work.vertices.shape[1]:
        work.n_vertices[slot] = n + 1
        store_vertex(work, slot, n)
    else:
        store_vertex(work, slot, n - 1)
