"""Waiting cells as plain arrays, so that another `Work`, in another thread or on another machine, goes on with them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.walk.state import ANSWER, DEPTH, EMIT, MODE, NO_ANSWER, POP, Work

SPLIT_OFF = 3  # waiting cells that become subtrees of their own when a task ends


class Subtree(NamedTuple):
    """Some neighbouring cells of a stack: exactly what the walk would have gone on with.

    piece: which piece of the domain; is_current: whether the last cell is the leaf to go on with, or waits like the
    others for its on side; first_layer: the layer of the lowest cell, which maps, error, size, todo, n_todo, lower
    and upper start with (see `Forms`, `Boxes`); bits (N,); rows, row_error, source: see `Path`; layer, position,
    n_rows, point, share (S, ...): see `Stack`; vertex, inverse, basis: known vertices of all cells, number (S,) each.
    """

    piece: int
    is_current: bool
    first_layer: int
    maps: Floats
    error: Floats
    size: Floats
    todo: Ints
    n_todo: Ints
    lower: Floats
    upper: Floats
    bits: Bytes
    rows: Floats
    row_error: Floats
    source: Ints
    layer: Ints
    position: Ints
    n_rows: Ints
    point: Floats
    share: Floats
    vertex: Floats
    inverse: Floats
    basis: Ints
    number: Ints


def subtrees(work: Work, piece: int) -> list[Subtree]:
    """All that is left to do, when the walk stands before a leaf, in its order: the leaf first, large subtrees last."""
    top = int(work.registers[DEPTH])
    n_apart = min(SPLIT_OFF, top)
    apart = [_part(work, piece, slot, slot, False) for slot in reversed(range(n_apart))]
    return [_part(work, piece, n_apart, top, True), *apart]


def _part(work: Work, piece: int, low: int, high: int, is_current: bool) -> Subtree:
    """The cells from one slot to another."""
    stack, known, forms, boxes, path = work.stack, work.known, work.forms, work.boxes, work.path
    cells = slice(low, high + 1)
    layers = slice(int(stack.layer[low]), int(stack.layer[high]) + 1)
    rows = slice(0, int(stack.n_rows[high]))
    vertices = [(slot, v) for slot in range(low, high + 1) for v in range(known.number[slot])]
    slots, places = np.array(vertices, dtype=np.int64).reshape(-1, 2).T
    return Subtree(
        piece=piece,
        is_current=is_current,
        first_layer=layers.start,
        maps=forms.maps[layers].copy(),
        error=forms.error[layers].copy(),
        size=forms.size[layers].copy(),
        todo=forms.todo[layers].copy(),
        n_todo=forms.n_todo[layers].copy(),
        lower=boxes.lower[layers].copy(),
        upper=boxes.upper[layers].copy(),
        bits=forms.bits.copy(),
        rows=path.rows[rows].copy(),
        row_error=path.error[rows].copy(),
        source=path.source[rows].copy(),
        layer=stack.layer[cells].copy(),
        position=stack.position[cells].copy(),
        n_rows=stack.n_rows[cells].copy(),
        point=stack.point[cells].copy(),
        share=stack.share[cells].copy(),
        vertex=known.vertex[slots, places],
        inverse=known.inverse[slots, places],
        basis=known.basis[slots, places],
        number=known.number[cells].copy(),
    )


def load(work: Work, subtree: Subtree) -> None:
    """Put the cells on the empty stack, ready to go on."""
    n_cells = len(subtree.layer)
    stack, known, forms, boxes, path = work.stack, work.known, work.forms, work.boxes, work.path
    layers = slice(subtree.first_layer, subtree.first_layer + len(subtree.maps))
    forms.maps[layers], forms.error[layers], forms.size[layers] = subtree.maps, subtree.error, subtree.size
    forms.todo[layers], forms.n_todo[layers] = subtree.todo, subtree.n_todo
    boxes.lower[layers], boxes.upper[layers] = subtree.lower, subtree.upper
    forms.bits[:] = subtree.bits
    n_rows = len(subtree.rows)
    path.rows[:n_rows], path.source[:n_rows] = subtree.rows, subtree.source
    path.error[:n_rows] = subtree.row_error
    stack.layer[:n_cells], stack.position[:n_cells] = subtree.layer, subtree.position
    stack.n_rows[:n_cells], stack.point[:n_cells] = subtree.n_rows, subtree.point
    stack.share[:n_cells] = subtree.share
    known.number[:n_cells] = subtree.number
    at = 0
    for slot, n in enumerate(subtree.number.tolist()):
        part = slice(at, at + n)
        known.vertex[slot, :n], known.inverse[slot, :n] = subtree.vertex[part], subtree.inverse[part]
        known.basis[slot, :n] = subtree.basis[part]
        at += n
    work.registers[DEPTH] = n_cells - 1 if subtree.is_current else n_cells
    work.registers[MODE] = EMIT if subtree.is_current else POP
    work.registers[ANSWER] = NO_ANSWER
