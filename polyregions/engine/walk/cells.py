"""Kernels that split cells, take them from the stack, and prove leaves."""

from __future__ import annotations

from numba import njit

from polyregions._types import Floats
from polyregions.engine.walk.simplex import load_vertex, refactor, store_vertex, value, walk_towards
from polyregions.engine.walk.state import DEPTH, SAFE, TINY, TOUCH, ULP, Chart, Leaves, Net, Work


@njit(cache=True, nogil=True, error_model="numpy")
def push_row(work: Work, slot: int, layer: int, unit: int, sign: float, bit: int) -> None:
    """Add a neuron's row to a cell, positive on the side of the given sign."""
    at = work.n_rows[slot]
    for c in range(work.rows.shape[1]):
        work.rows[at, c] = sign * work.maps[layer, unit, c]
    work.row_error[at] = work.error[layer, unit]
    work.source[at] = bit
    work.n_rows[slot] = at + 1


@njit(cache=True, nogil=True, error_model="numpy")
def copy_vertex(work: Work, source: int, i: int, target: int, j: int) -> None:
    """Copy a known vertex from one place to another."""
    work.vertices[target, j] = work.vertices[source, i]
    work.inverse[target, j] = work.inverse[source, i]
    work.basis[target, j] = work.basis[source, i]


@njit(cache=True, nogil=True, error_model="numpy")
def split(net: Net, work: Work, layer: int, unit: int) -> None:
    """Cut the current cell: its on side waits in its slot, its off side becomes the current cell above it."""
    slot = work.registers[DEPTH]
    above = slot + 1
    row = work.maps[layer, unit]
    goal = TOUCH * work.size[layer, unit] + 4.0 * work.error[layer, unit] + TINY
    work.layer[above] = layer
    work.position[slot] += 1
    work.position[above] = work.position[slot]
    work.n_rows[above] = work.n_rows[slot]
    work.share[slot] *= 0.5
    work.share[above] = work.share[slot]
    _share_points(work, slot, above, row, goal)
    _share_vertices(work, slot, above, row, goal)
    work.registers[DEPTH] = above
    bit = net.bit[layer, unit]
    work.bits[bit] = 0
    push_row(work, above, layer, unit, -1.0, bit)


@njit(cache=True, nogil=True, error_model="numpy")
def restrict(net: Net, work: Work, layer: int, unit: int, on: bool) -> None:
    """Go on with one side of the current cell only; at least one known vertex is clearly on it."""
    slot = work.registers[DEPTH]
    row = work.maps[layer, unit]
    sign = 1.0 if on else -1.0
    goal = TOUCH * work.size[layer, unit] + 4.0 * work.error[layer, unit] + TINY
    z = value(row, work.point[slot])
    if sign * z <= goal:
        mean = work.scratch[3, : work.point.shape[1]]
        _point_on_side(work, slot, mean, work.point[slot], row, min(sign * z, 0.0) * sign, sign, goal)
        work.point[slot] = mean
    kept = 0
    for v in range(work.n_vertices[slot]):
        if sign * value(row, work.vertices[slot, v]) > goal:
            copy_vertex(work, slot, v, slot, kept)
            kept += 1
    work.n_vertices[slot] = kept
    bit = net.bit[layer, unit]
    work.bits[bit] = 1 if on else 0
    work.position[slot] += 1
    push_row(work, slot, layer, unit, sign, bit)


@njit(cache=True, nogil=True, error_model="numpy")
def _share_points(work: Work, slot: int, above: int, row: Floats, goal: float) -> None:
    """Give each side an interior point: the old one to its side, to the other the mean of the crossing and its vertices."""
    k = work.point.shape[1]
    old, new = work.point[slot], work.point[above]
    new[:] = old
    z = value(row, old)
    if z >= 0.0:
        _point_on_side(work, slot, new, old, row, z, -1.0, goal)
    if z <= 0.0:
        mean = work.scratch[3, :k]
        _point_on_side(work, slot, mean, old, row, z, 1.0, goal)
        old[:] = mean


@njit(cache=True, nogil=True, error_model="numpy")
def _point_on_side(
    work: Work, slot: int, out: Floats, inside: Floats, row: Floats, z: float, sign: float, goal: float
) -> None:
    """The mean of the vertices on one side and the points where the segments to them cross the hyperplane."""
    k = len(out)
    count = 0.0
    mean = work.scratch[2, :k]
    for c in range(k):
        mean[c] = 0.0
    for v in range(work.n_vertices[slot]):
        there = value(row, work.vertices[slot, v])
        if sign * there > goal:
            t = z / (z - there)
            for c in range(k):
                crossing = inside[c] + t * (work.vertices[slot, v, c] - inside[c])
                mean[c] += 0.5 * (crossing + work.vertices[slot, v, c])
            count += 1.0
    for c in range(k):
        out[c] = mean[c] / count


@njit(cache=True, nogil=True, error_model="numpy")
def _share_vertices(work: Work, slot: int, above: int, row: Floats, goal: float) -> None:
    """Give each side the known vertices that are clearly on it."""
    kept, moved = 0, 0
    for v in range(work.n_vertices[slot]):
        z = value(row, work.vertices[slot, v])
        if z < -goal:
            copy_vertex(work, slot, v, above, moved)
            moved += 1
        elif z > goal:
            if kept != v:
                copy_vertex(work, slot, v, slot, kept)
            kept += 1
    work.n_vertices[slot] = kept
    work.n_vertices[above] = moved


@njit(cache=True, nogil=True, error_model="numpy")
def pop(net: Net, work: Work) -> bool:
    """Make the cell that waits below the current one current: the on side of its last cut. False at the end."""
    slot = work.registers[DEPTH] - 1
    work.registers[DEPTH] = slot
    if slot < 0:
        return False
    layer = work.layer[slot]
    unit = work.todo[layer, work.position[slot] - 1]
    bit = net.bit[layer, unit]
    work.bits[bit] = 1
    push_row(work, slot, layer, unit, 1.0, bit)
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def is_inside(work: Work, chart: Chart, n_rows: int, u: Floats, slack: Floats) -> bool:
    """Whether u is certainly strictly inside the first rows; slack (k,) bounds its distance to the point meant."""
    k = len(u)
    for i in range(n_rows):
        doubt = work.row_error[i]
        for c in range(k):
            doubt += abs(work.rows[i, c]) * slack[c]
        if not value(work.rows[i], u) > doubt * SAFE:
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def settle_point(chart: Chart, u: Floats, x: Floats, slack: Floats) -> None:
    """Round a chart point to float64 inputs x, and say how far u is from the exact chart point of x."""
    k = len(u)
    for c in range(k):
        if chart.plain:
            x[c] = chart.shift[c] + chart.scale[c] * u[c]
            back = x[c] - chart.shift[c]
            # the exact rounding error of that subtraction (Knuth's two-sum); the scale is a power of two
            part = back - x[c]
            remainder = (x[c] - (back - part)) + (-chart.shift[c] - part)
            u[c] = back / chart.scale[c]
            slack[c] = abs(remainder) / chart.scale[c] * SAFE
        else:
            x[c] = u[c]
            slack[c] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def prove_leaf(chart: Chart, work: Work, x: Floats) -> bool:
    """Find a point strictly inside the current cell, proved, and write it to x; False if floats cannot."""
    slot = work.registers[DEPTH]
    k = len(x)
    slack = work.scratch[1, :k]
    settle_point(chart, work.point[slot], x, slack)
    if is_inside(work, chart, work.n_rows[slot], work.point[slot], slack):
        return True
    _spread(work, slot)
    _mean_of_vertices(work, slot)
    settle_point(chart, work.point[slot], x, slack)
    return is_inside(work, chart, work.n_rows[slot], work.point[slot], slack)


@njit(cache=True, nogil=True, error_model="numpy")
def _mean_of_vertices(work: Work, slot: int) -> None:
    k = work.point.shape[1]
    n = work.n_vertices[slot]
    for c in range(k):
        total = 0.0
        for v in range(n):
            total += work.vertices[slot, v, c]
        work.point[slot, c] = total / n


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(work: Work, slot: int) -> None:
    """Look for vertices off every row that all known ones lie on, so that their mean is strictly inside."""
    room = work.vertices.shape[1]
    for i in range(work.n_rows[slot]):
        if work.n_vertices[slot] == room or work.n_vertices[slot] == 0:
            return
        row, limit = work.rows[i], 8.0 * work.row_error[i] + TINY
        best = -1.0
        for v in range(work.n_vertices[slot]):
            best = max(best, value(row, work.vertices[slot, v]))
        if best <= limit:
            load_vertex(work, slot, 0)
            if refactor(work):
                walk_towards(work, work.n_rows[slot], row, 1.0, limit * 1e6)
                store_vertex(work, slot, work.n_vertices[slot])
                work.n_vertices[slot] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def record_leaf(net: Net, work: Work, leaves: Leaves, at: int) -> None:
    """Count a leaf, and keep its pattern and cuts if they are wanted."""
    n = len(work.bits)
    slot = work.registers[DEPTH]
    first = n == 0 or leaves.last[0] == 2
    changed = 0
    while changed < n and leaves.last[changed] == work.bits[changed]:
        changed += 1
    for layer in range(len(net.ends)):
        if net.ends[layer] > changed or first:
            leaves.after[layer] += 1
    for b in range(n):
        leaves.last[b] = work.bits[b]
    leaves.done[0] += work.share[slot]
    if leaves.keep:
        leaves.bits[at] = work.bits
        leaves.cuts[at] = 0
        for i in range(work.n_rows[slot]):
            if work.source[i] >= 0:
                leaves.cuts[at, work.source[i]] = 1
