"""Waiting cells as plain arrays, so that another `Work`, in another thread or on another machine, goes on with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.kernels.codes import ANSWER, DEPTH, DOMAIN, EMIT, MODE, NO_ANSWER, POP
from polyregions.engine.kernels.state import Net, Work

KINDS: dict[str, type] = {
    "piece": np.int64,
    "is_current": np.bool_,
    "first_layer": np.int64,
    **dict.fromkeys(("maps", "error", "size", "lower", "upper", "rows", "row_error", "point"), np.float64),
    **dict.fromkeys(("todo", "n_todo", "source", "layer", "position", "n_rows", "basis", "number"), np.int64),
    **dict.fromkeys(("share", "vertex", "inverse"), np.float64),
    "bits": np.uint8,
}


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


def subtrees(work: Work, piece: int, most_apart: int) -> list[Subtree]:
    """All that is left to do, when the walk stands before a leaf, in its order: the leaf first, large subtrees last.

    Args:
        work: the walk.
        piece: which piece of the domain it is in.
        most_apart: how many of the largest subtrees to give apart from the rest.
    """
    top = int(work.registers[DEPTH])
    n_apart = min(most_apart, top)
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


def checked_subtree(arrays: Mapping[str, Any], net: Net, n_domain_rows: int, n_vertices: int) -> Subtree:
    """Cells from elsewhere, every index within the arrays that `load` puts them into.

    Raises:
        ValueError: fields of other shapes or kinds, indices out of range, numbers that are not finite.
    """
    subtree = _fields(arrays)
    _check_shapes(subtree, net)
    _check_ranges(subtree, net, n_domain_rows, n_vertices)
    return subtree


def _check_shapes(subtree: Subtree, net: Net) -> None:
    width, n_layers = net.bias.shape[1], len(subtree.maps)
    k, n_cells, n_rows, n = subtree.lower.shape[1], len(subtree.layer), len(subtree.rows), len(subtree.vertex)
    shapes = {
        "maps": (n_layers, width, k + 1),
        **dict.fromkeys(("error", "size", "todo"), (n_layers, width)),
        "n_todo": (n_layers,),
        **dict.fromkeys(("lower", "upper"), (n_layers, k)),
        "bits": (int(net.ends[-1]),),
        "rows": (n_rows, k + 1),
        **dict.fromkeys(("row_error", "source"), (n_rows,)),
        **dict.fromkeys(("layer", "position", "n_rows", "share", "number"), (n_cells,)),
        "point": (n_cells, k),
        "vertex": (n, k),
        "inverse": (n, k, k),
        "basis": (n, k),
    }
    for name, shape in shapes.items():
        if getattr(subtree, name).shape != shape:
            raise ValueError(f"{name} has shape {getattr(subtree, name).shape}, expected {shape}")
    if n_cells < 1 or n_layers < 1 or subtree.number.sum() != n:
        raise ValueError(f"{n} vertices of {n_cells} cells in {n_layers} layers")


def _check_ranges(subtree: Subtree, net: Net, n_domain_rows: int, n_vertices: int) -> None:
    (n_layers, width), n_neurons = net.bias.shape, int(net.ends[-1])
    first, n_rows = subtree.first_layer, len(subtree.rows)
    _within("first_layer", np.array([first, first + len(subtree.maps)]), 0, n_layers)
    _within("todo", subtree.todo, 0, width - 1)
    _within("n_todo", subtree.n_todo, 0, width)
    _within("bits", subtree.bits, 0, 1)
    _within("layer", subtree.layer, first, first + len(subtree.maps) - 1)
    _within("position", subtree.position, 0, subtree.n_todo[subtree.layer - first])
    _within("cells", np.array([len(subtree.layer)]), 1, n_neurons + 1)
    _within("rows", np.array([n_rows]), 1, n_domain_rows + n_neurons)
    _within("source", subtree.source, DOMAIN, n_neurons - 1)
    _within("n_rows", subtree.n_rows, 1, n_rows)
    _within("number", subtree.number, 1, n_vertices)
    layer_todo = subtree.n_todo[subtree.layer - first]
    decided = net.ends[subtree.layer] - (layer_todo - subtree.position)  # a split decides a neuron at least
    _within("n_rows", subtree.n_rows, 1, n_domain_rows + decided)
    _within("cells", np.arange(len(decided)), 0, decided)
    is_waiting = np.arange(len(decided)) < len(decided) - int(subtree.is_current)
    _within("position", subtree.position, is_waiting.astype(np.int64), layer_todo)
    _within("basis", subtree.basis, 0, np.repeat(subtree.n_rows, subtree.number)[:, None] - 1)


def _fields(arrays: Mapping[str, Any]) -> Subtree:
    """The arrays as a subtree's fields, of the right kinds."""
    found: dict[str, Any] = {}
    scalars = {"piece": int, "is_current": bool, "first_layer": int}
    for name, kind in KINDS.items():
        array = arrays[name]
        if array.dtype != np.dtype(kind):
            raise ValueError(f"{name} is of {array.dtype}, expected {np.dtype(kind)}")
        if name in scalars and array.ndim:
            raise ValueError(f"{name} has shape {array.shape}, expected ()")
        if array.dtype == np.float64 and not np.all(np.isfinite(array)):
            raise ValueError(f"{name} is not finite")
        found[name] = scalars[name](array) if name in scalars else array
    return Subtree(**found)


def _within(name: str, values: Any, low: Any, high: Any) -> None:
    if np.any(values < low) or np.any(values > high):
        raise ValueError(f"{name} is out of range")
