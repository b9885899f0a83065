"""The question: does a neuron's hyperplane pass through the interior of a cell?

Both signs at known vertices mean a cut, and no program is solved. Otherwise the walk looks for the missing
sign and either finds it or leaves multipliers that prove there is none. Whatever is nearly zero is left to
exact arithmetic: a cut taken too lightly would only cost time (its empty leaves are found out later),
a side given up too lightly would lose regions, so that is never done without proof.
"""

from __future__ import annotations

from polyregions._types import Floats
from polyregions.engine.kernels.codes import BLOCKED, CUT, OFF, ON, PROVED, REACHED, UNDECIDED
from polyregions.engine.kernels.compiled import entry, kernel
from polyregions.engine.kernels.simplex import (
    load_vertex,
    refactor,
    safe_maximum,
    store_vertex,
    value,
    walk_towards,
)
from polyregions.engine.kernels.state import SAFE, TINY, TOUCH, ULP, Known, Path, Walker


@kernel
def sign_within_bounds(lower: Floats, upper: Floats, row: Floats, error: float) -> int:
    """ON or OFF if the form (k+1,) has one sign all over the bounds (k,), else UNDECIDED."""
    k = len(lower)
    low = high = row[k]
    size = abs(row[k])
    for c in range(k):
        a, b = row[c] * lower[c], row[c] * upper[c]
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


@entry
def goal_of(error: float, size: float) -> float:
    """How far from zero a value has to be to count as a sign."""
    return TOUCH * size + 4.0 * error + TINY


@kernel
def extremes(known: Known, slot: int, row: Floats) -> tuple[int, float, int, float]:
    """The known vertices of a cell where a form (k+1,) is lowest and highest, with its values there."""
    lowest, highest = 0, 0
    low = high = value(row, known.vertex[slot, 0])
    for v in range(1, known.number[slot]):
        z = value(row, known.vertex[slot, v])
        if z < low:
            low, lowest = z, v
        if z > high:
            high, highest = z, v
    return lowest, low, highest, high


@kernel
def ask(
    lower: Floats,
    upper: Floats,
    walker: Walker,
    path: Path,
    known: Known,
    slot: int,
    n_rows: int,
    row: Floats,
    error: float,
    goal: float,
) -> int:
    """OFF, ON (each proved), CUT (seen at vertices), or UNDECIDED.

    lower, upper (k,): bounds of the cell; row (k+1,): the neuron's form.
    """
    sure = sign_within_bounds(lower, upper, row, error)
    if sure != UNDECIDED:
        return sure
    lowest, low, highest, high = extremes(known, slot, row)
    if low < -goal and high > goal:
        return CUT
    if high <= goal:  # no vertex is known to be on
        load_vertex(walker, known, slot, highest)
        found = look(lower, upper, walker, path, n_rows, row, error, 1.0, goal)
        if found != REACHED:
            return OFF if found == PROVED else UNDECIDED
        highest = remember(walker, known, slot, lowest)
    if low >= -goal:  # no vertex is known to be off
        load_vertex(walker, known, slot, lowest)
        found = look(lower, upper, walker, path, n_rows, row, error, -1.0, goal)
        if found != REACHED:
            return ON if found == PROVED else UNDECIDED
        remember(walker, known, slot, highest)
    return CUT


@kernel
def look(
    lower: Floats,
    upper: Floats,
    walker: Walker,
    path: Path,
    n_rows: int,
    row: Floats,
    error: float,
    sign: float,
    goal: float,
) -> int:
    """REACHED if the walk finds the side of the given sign, PROVED if that side is proved empty, else UNDECIDED.

    lower, upper (k,): bounds of the cell; row (k+1,): the neuron's form.
    """
    result = walk_towards(walker, path.rows, n_rows, row, sign, goal)
    if result == REACHED:
        return REACHED
    if result == BLOCKED:
        if safe_maximum(walker, path, lower, upper, row, error, sign) < 0.0:
            return PROVED
        if refactor(walker, path.rows) and safe_maximum(walker, path, lower, upper, row, error, sign) < 0.0:
            return PROVED
    return UNDECIDED


@kernel
def remember(walker: Walker, known: Known, slot: int, needed: int) -> int:
    """Keep the walk's vertex and say where; in a full cell it takes the last place but that of the needed one."""
    place: int = known.number[slot]
    if place < known.vertex.shape[1]:
        known.number[slot] = place + 1
    else:
        place = place - 1 if needed != place - 1 else place - 2
    store_vertex(walker, known, slot, place)
    return place
