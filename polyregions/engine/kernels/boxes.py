"""Kernels for the bounding boxes of cells: a box decides most neurons of a wide layer without a walk."""

from __future__ import annotations

from polyregions._types import Floats
from polyregions.engine.kernels.codes import BLOCKED
from polyregions.engine.kernels.compiled import kernel
from polyregions.engine.kernels.simplex import load_vertex, safe_maximum, walk_towards
from polyregions.engine.kernels.state import Boxes, Known, Net, Path, Walker

WORTH = 3  # a box costs 2 k walks; it pays for layers of at least this many times as many units


@kernel
def enclose(
    net: Net, boxes: Boxes, walker: Walker, path: Path, known: Known, slot: int, n_rows: int, layer: int
) -> None:
    """Proved bounds of the cell that a layer is entered with; those of the layer before if new ones would not pay."""
    k = len(walker.vertex)
    for c in range(k):
        boxes.lower[layer, c] = boxes.lower[layer - 1, c]
        boxes.upper[layer, c] = boxes.upper[layer - 1, c]
    if net.widths[layer] < WORTH * 2 * k:
        return
    lower, upper = boxes.lower[layer], boxes.upper[layer]
    for c in range(k):
        for b in range(k + 1):
            walker.axis[b] = 1.0 if b == c else 0.0
        highest, lowest = extreme_vertices(known, slot, c)
        load_vertex(walker, known, slot, highest)
        upper[c] = min(upper[c], reach(walker, path, n_rows, lower, upper, 1.0))
        load_vertex(walker, known, slot, lowest)
        lower[c] = max(lower[c], -reach(walker, path, n_rows, lower, upper, -1.0))


@kernel
def extreme_vertices(known: Known, slot: int, c: int) -> tuple[int, int]:
    """The known vertices of a cell with the highest and the lowest coordinate c."""
    highest = lowest = 0
    for v in range(known.number[slot]):
        if known.vertex[slot, v, c] > known.vertex[slot, highest, c]:
            highest = v
        if known.vertex[slot, v, c] < known.vertex[slot, lowest, c]:
            lowest = v
    return highest, lowest


@kernel
def reach(walker: Walker, path: Path, n_rows: int, lower: Floats, upper: Floats, sign: float) -> float:
    """A proved bound on how far the cell reaches along ``sign * axis``; infinite if the walk gives up.

    lower, upper (k,): bounds of it.
    """
    infinite: float = 1e300
    if walk_towards(walker, path.rows, n_rows, walker.axis, sign, infinite) != BLOCKED:
        return infinite
    return safe_maximum(walker, path, lower, upper, walker.axis, 0.0, sign)
