"""Kernels that split cells, take them from the stack, and prove leaves."""

from __future__ import annotations

from polyregions._types import Floats
from polyregions.engine.kernels.codes import DEPTH
from polyregions.engine.kernels.compiled import kernel
from polyregions.engine.kernels.does_it_cut import goal_of
from polyregions.engine.kernels.simplex import load_vertex, refactor, store_vertex, value, walk_towards
from polyregions.engine.kernels.state import (
    SAFE,
    TINY,
    ZERO,
    Chart,
    Forms,
    Known,
    Leaves,
    Net,
    Path,
    Stack,
    Walker,
    Work,
)


@kernel
def push_row(path: Path, at: int, row: Floats, error: float, sign: float, bit: int) -> None:
    """Put a neuron's row (k+1,) after the first rows of a cell, positive on the side of the given sign."""
    for c in range(len(row)):
        path.rows[at, c] = sign * row[c]
    path.error[at] = error
    path.source[at] = bit


@kernel
def copy_vertex(known: Known, source: int, i: int, target: int, j: int) -> None:
    """Copy a known vertex from one place to another."""
    k = known.vertex.shape[2]
    for c in range(k):
        known.vertex[target, j, c] = known.vertex[source, i, c]
        known.basis[target, j, c] = known.basis[source, i, c]
        for b in range(k):
            known.inverse[target, j, c, b] = known.inverse[source, i, c, b]


@kernel
def split(net: Net, work: Work, layer: int, unit: int) -> None:
    """Cut the current cell: its on side waits in its slot, its off side becomes the current cell above it."""
    stack, forms = work.stack, work.forms
    slot = work.registers[DEPTH]
    above = slot + 1
    row, error = forms.maps[layer, unit], forms.error[layer, unit]
    goal = goal_of(error, forms.size[layer, unit])
    stack.layer[above] = layer
    stack.position[slot] += 1
    stack.position[above] = stack.position[slot]
    stack.share[slot] *= 0.5
    stack.share[above] = stack.share[slot]
    share_points(work.known, stack, work.walker, slot, row, goal)
    share_vertices(work.known, slot, row, goal)
    bit = net.bit[layer, unit]
    forms.bits[bit] = 0
    push_row(work.path, stack.n_rows[slot], row, error, -1.0, bit)
    stack.n_rows[above] = stack.n_rows[slot] + 1
    work.registers[DEPTH] = above


@kernel
def restrict(net: Net, work: Work, layer: int, unit: int, on: bool) -> None:
    """Go on with one side of the current cell only; at least one known vertex is clearly on it."""
    stack, forms, known = work.stack, work.forms, work.known
    slot = work.registers[DEPTH]
    row, error = forms.maps[layer, unit], forms.error[layer, unit]
    sign = 1.0 if on else -1.0
    goal = goal_of(error, forms.size[layer, unit])
    if sign * value(row, stack.point[slot]) <= goal:
        point_on_side(known, slot, stack.point[slot], row, sign, goal, work.walker.total)
        for c in range(stack.point.shape[1]):
            stack.point[slot, c] = work.walker.total[c]
    kept = ZERO
    for v in range(known.number[slot]):
        if sign * value(row, known.vertex[slot, v]) > goal:
            copy_vertex(known, slot, v, slot, kept)
            kept += 1
    known.number[slot] = kept
    bit = net.bit[layer, unit]
    forms.bits[bit] = 1 if on else 0
    stack.position[slot] += 1
    push_row(work.path, stack.n_rows[slot], row, error, sign, bit)
    stack.n_rows[slot] += 1


@kernel
def share_points(known: Known, stack: Stack, walker: Walker, slot: int, row: Floats, goal: float) -> None:
    """Give each side an interior point: the old one to the side it is on, a new one to the other.

    row (k+1,): the cut's.
    """
    k = stack.point.shape[1]
    old, new = stack.point[slot], stack.point[slot + 1]
    z = value(row, old)
    for c in range(k):
        new[c] = old[c]
    if z >= 0.0:
        point_on_side(known, slot, old, row, -1.0, goal, walker.total)
        for c in range(k):
            new[c] = walker.total[c]
    if z <= 0.0:
        point_on_side(known, slot, old, row, 1.0, goal, walker.total)
        for c in range(k):
            old[c] = walker.total[c]


@kernel
def point_on_side(
    known: Known, slot: int, inside: Floats, row: Floats, sign: float, goal: float, out: Floats
) -> None:
    """The mean of the known vertices on one side and of where the segments to them cross the hyperplane.

    A point inside and a vertex have only inner points of the cell between them.

    inside (k,), row (k+1,); the mean is written to the first k entries of out.
    """
    k = len(inside)
    z = value(row, inside)
    count = 0.0
    for c in range(k):
        out[c] = 0.0
    for v in range(known.number[slot]):
        there = value(row, known.vertex[slot, v])
        if sign * there > goal:
            t = z / (z - there) if sign * z < 0.0 else 0.0
            for c in range(k):
                crossing = inside[c] + t * (known.vertex[slot, v, c] - inside[c])
                out[c] += 0.5 * (crossing + known.vertex[slot, v, c])
            count += 1.0
    for c in range(k):
        out[c] /= count


@kernel
def share_vertices(known: Known, slot: int, row: Floats, goal: float) -> None:
    """Give each side the known vertices that are clearly on it.

    row (k+1,): the cut's.
    """
    kept = moved = ZERO
    for v in range(known.number[slot]):
        z = value(row, known.vertex[slot, v])
        if z < -goal:
            copy_vertex(known, slot, v, slot + 1, moved)
            moved += 1
        elif z > goal:
            if kept != v:
                copy_vertex(known, slot, v, slot, kept)
            kept += 1
    known.number[slot] = kept
    known.number[slot + 1] = moved


@kernel
def pop(net: Net, work: Work) -> bool:
    """Make the cell that waits below the current one current: the on side of its last cut. False at the end."""
    stack, forms = work.stack, work.forms
    slot = work.registers[DEPTH] - 1
    work.registers[DEPTH] = slot
    if slot < 0:
        return False
    layer = stack.layer[slot]
    unit = forms.todo[layer, stack.position[slot] - 1]
    bit = net.bit[layer, unit]
    forms.bits[bit] = 1
    push_row(work.path, stack.n_rows[slot], forms.maps[layer, unit], forms.error[layer, unit], 1.0, bit)
    stack.n_rows[slot] += 1
    return True


@kernel
def is_inside(path: Path, n_rows: int, u: Floats, slack: Floats) -> bool:
    """Whether u is certainly strictly inside the first rows; slack (k,) bounds its distance to the point meant."""
    k = len(u)
    for i in range(n_rows):
        doubt = path.error[i]
        for c in range(k):
            doubt += abs(path.rows[i, c]) * slack[c]
        if not value(path.rows[i], u) > doubt * SAFE:
            return False
    return True


@kernel
def settle_point(chart: Chart, u: Floats, x: Floats, slack: Floats) -> None:
    """Round a chart point to float64 inputs x, and say how far u is from the exact chart point of x.

    u, x (k,); slack takes k numbers.
    """
    for c in range(len(u)):
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


@kernel
def prove_leaf(
    chart: Chart, walker: Walker, path: Path, known: Known, slot: int, n_rows: int, u: Floats, x: Floats
) -> bool:
    """Find a point strictly inside the current cell, proved, and write it to x; False if floats cannot.

    u (k,): the point that is tried first; x (k,).
    """
    settle_point(chart, u, x, walker.total)
    if is_inside(path, n_rows, u, walker.total):
        return True
    spread(walker, path, known, slot, n_rows)
    mean_of_vertices(known, slot, u)
    settle_point(chart, u, x, walker.total)
    return is_inside(path, n_rows, u, walker.total)


@kernel
def mean_of_vertices(known: Known, slot: int, out: Floats) -> None:
    """The mean (k,) of the known vertices of a cell."""
    n = known.number[slot]
    for c in range(len(out)):
        total = 0.0
        for v in range(n):
            total += known.vertex[slot, v, c]
        out[c] = total / n


@kernel
def spread(walker: Walker, path: Path, known: Known, slot: int, n_rows: int) -> None:
    """Look for vertices off every row that all known ones lie on, so that their mean is strictly inside."""
    for i in range(n_rows):
        n = known.number[slot]
        if n == known.vertex.shape[1]:
            return
        limit = 8.0 * path.error[i] + TINY
        highest = 0.0
        for v in range(n):
            highest = max(highest, value(path.rows[i], known.vertex[slot, v]))
        if highest <= limit:
            load_vertex(walker, known, slot, ZERO)
            if refactor(walker, path.rows):
                walk_towards(walker, path.rows, n_rows, path.rows[i], 1.0, limit * 1e6)
                store_vertex(walker, known, slot, n)
                known.number[slot] = n + 1


@kernel
def count_leaves(net: Net, forms: Forms, share: float, leaves: Leaves, count: int) -> None:
    """Count leaves that differ in the last layer only, by the bits of one of them.

    Cells differ from those before in a bit that is known of both, so bits that are left over do no harm.
    """
    n, last = len(forms.bits), len(net.ends) - 1
    first = leaves.last[0] == 2
    changed = 0
    while changed < n and leaves.last[changed] == forms.bits[changed]:
        changed += 1
    for layer in range(last):
        if net.ends[layer] > changed or first:
            leaves.after[layer] += 1
    leaves.after[last] += count
    for b in range(n):
        leaves.last[b] = forms.bits[b]
        if first:
            leaves.first[b] = forms.bits[b]
    leaves.done[0] += share


@kernel
def record_leaf(
    net: Net, forms: Forms, path: Path, n_rows: int, share: float, leaves: Leaves, at: int
) -> None:
    """Count a leaf, and keep its pattern and cuts if they are wanted."""
    count_leaves(net, forms, share, leaves, 1)
    if leaves.keep:
        for b in range(len(forms.bits)):
            leaves.bits[at, b] = forms.bits[b]
            leaves.cuts[at, b] = 0
        for i in range(n_rows):
            if path.source[i] >= 0:
                leaves.cuts[at, path.source[i]] = 1
