"""Kernels that cancel cells in pairs: one with one facet left and that facet, one with one cell above it and that."""

from __future__ import annotations

import numpy as np

from polyregions._types import Ints
from polyregions.engine.kernels.compiled import entry, kernel

LEFT = 0
GONE = 1
FREE = 2  # a vertex taken out for a class of its own
NOBODY = -1


@entry
def cancel_pairs(dim: Ints, offsets: Ints, facets: Ints, above: Ints, owner: Ints, state: Ints) -> None:
    """Cancel pairs until there is none, taking vertices out where that helps on; state (F,) says what became of each.

    Args:
        dim: (F,) of the cells.
        offsets, facets: (F+1,), (M,) their facets.
        above, owner: (F+1,), (M,) the cells that each is a facet of.
    """
    n = len(dim)
    n_below, n_above = np.diff(offsets), np.diff(above)
    queue, ends = np.zeros(n, dtype=np.int64), np.zeros(2, dtype=np.int64)
    for cell in range(n):
        if n_below[cell] == 1:
            push(cell, queue, ends)
    coreduce(offsets, facets, above, owner, n_below, n_above, state, queue, ends)
    for cell in range(n):
        if dim[cell] == 0 and state[cell] == LEFT and n_below[cell] == 0:
            take_out(cell, FREE, offsets, facets, above, owner, n_below, n_above, state, queue, ends)
            coreduce(offsets, facets, above, owner, n_below, n_above, state, queue, ends)
    reduce_free(offsets, facets, above, owner, n_below, n_above, state)


@kernel
def push(cell: int, queue: Ints, ends: Ints) -> None:
    """Put a cell at the end of the queue; each comes there once at most."""
    queue[ends[1]] = cell
    ends[1] += 1


@kernel
def coreduce(
    offsets: Ints,
    facets: Ints,
    above: Ints,
    owner: Ints,
    n_below: Ints,
    n_above: Ints,
    state: Ints,
    queue: Ints,
    ends: Ints,
) -> None:
    """Cancel cells that have one facet left with it, until there are none."""
    while ends[0] < ends[1]:
        cell = queue[ends[0]]
        ends[0] += 1
        if state[cell] == LEFT and n_below[cell] == 1:
            facet = first_left(facets, offsets[cell], offsets[cell + 1], state)
            take_out(cell, GONE, offsets, facets, above, owner, n_below, n_above, state, queue, ends)
            take_out(facet, GONE, offsets, facets, above, owner, n_below, n_above, state, queue, ends)


@kernel
def first_left(cells: Ints, start: int, end: int, state: Ints) -> int:
    """The first of some cells that is left."""
    for i in range(start, end):
        if state[cells[i]] == LEFT:
            return int(cells[i])
    return NOBODY


@kernel
def take_out(
    cell: int,
    how: int,
    offsets: Ints,
    facets: Ints,
    above: Ints,
    owner: Ints,
    n_below: Ints,
    n_above: Ints,
    state: Ints,
    queue: Ints,
    ends: Ints,
) -> None:
    """Take a cell out; cells above it that have one facet left then come into the queue."""
    state[cell] = how
    for i in range(offsets[cell], offsets[cell + 1]):
        n_above[facets[i]] -= 1
    for i in range(above[cell], above[cell + 1]):
        other = owner[i]
        n_below[other] -= 1
        if n_below[other] == 1 and state[other] == LEFT:
            push(other, queue, ends)


@kernel
def reduce_free(
    offsets: Ints, facets: Ints, above: Ints, owner: Ints, n_below: Ints, n_above: Ints, state: Ints
) -> None:
    """Cancel facets that one cell is left above with it, until there are none."""
    stack, size = np.zeros(2 * len(state) + len(facets), dtype=np.int64), 0
    for cell in range(len(state)):
        if state[cell] == LEFT and n_above[cell] == 1:
            stack[size] = cell
            size += 1
    while size > 0:
        size -= 1
        facet = stack[size]
        if state[facet] != LEFT or n_above[facet] != 1:
            continue
        cell = first_left(owner, above[facet], above[facet + 1], state)
        state[facet] = state[cell] = GONE
        for gone in (cell, facet):
            for i in range(offsets[gone], offsets[gone + 1]):
                n_above[facets[i]] -= 1
                if n_above[facets[i]] == 1 and state[facets[i]] == LEFT:
                    stack[size] = facets[i]
                    size += 1
