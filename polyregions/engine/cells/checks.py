"""Waiting cells that come from elsewhere: every index is checked before a kernel uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from polyregions._types import Ints
from polyregions.engine.cells.start import Start
from polyregions.engine.cells.state import (
    BEFORE,
    END,
    IS_WHOLE,
    LAYER,
    LAYER_SHIFT,
    N_ENTRY,
    N_FORM_ROWS,
    N_FRAME,
    N_PATH,
    N_ROWS,
    N_SIGNS,
    ROW,
    SLOT,
    START,
    UNIT,
    UNIT_MASK,
    Words,
    words_for,
)
from polyregions.engine.cells.subtree import KINDS, Subtree

MOST_WORDS = 2**10


def checked_subtree(arrays: Mapping[str, Any], start: Start) -> Subtree:
    """Cells from elsewhere, every index within the arrays that `load` puts them into.

    Raises:
        ValueError: fields of other shapes or kinds, indices out of range, numbers that are not finite.
    """
    subtree = _fields(arrays)
    _check_shapes(subtree, start)
    _check_ranges(subtree, start)
    return subtree


def _fields(arrays: Mapping[str, Any]) -> Subtree:
    """The arrays as a subtree's fields, of the right kinds."""
    found: dict[str, Any] = {}
    scalars = {"piece": int, "is_current": bool, "n_domain_rows": int}
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


def _check_shapes(subtree: Subtree, start: Start) -> None:
    d, widths = start.dim, start.net.widths
    n, s = int(widths.max()), words_for(int(widths.max()))
    n_layers, n_cells, n_rows, n_vertices = (
        len(subtree.forms),
        len(subtree.frames),
        len(subtree.path),
        len(subtree.place),
    )
    shapes = {
        "forms": (n_layers, d + 1 + N_FORM_ROWS, n),
        "signs": (n_layers, N_SIGNS, s),
        "entries": (n_layers, N_ENTRY),
        "frames": (n_cells, N_FRAME),
        "rest": (n_cells, s),
        "path": (n_rows, N_PATH),
        "owner": (64 * subtree.n_words,),
        "place": (n_vertices, (d + 1) * (2 if start.has_integers else 1)),
        "marks": (n_vertices, subtree.n_words + 2 * s),
    }
    for name, shape in shapes.items():
        if getattr(subtree, name).shape != shape:
            raise ValueError(f"{name} has shape {getattr(subtree, name).shape}, expected {shape}")
    if not (
        2 <= n_layers <= len(widths) and 1 <= n_cells <= int(widths.sum()) and n_rows <= int(widths.sum())
    ):
        raise ValueError(f"{n_cells} cells in {n_layers} layers with {n_rows} rows")
    if not words_for(2 * d) <= subtree.n_words <= MOST_WORDS:
        raise ValueError(f"{len(subtree.owner)} slots")


def _check_ranges(subtree: Subtree, start: Start) -> None:
    widths, frames, n_rows = start.net.widths, subtree.frames, len(subtree.path)
    n_layers = len(subtree.forms)
    _within("layer", frames[:, LAYER], 1, n_layers - 1)
    _within("frames", frames[:, START], 0, len(subtree.place) - 1)
    _within("frames", frames[:, END], frames[:, START] + 1, len(subtree.place))
    _within("frames", frames[1:, START], frames[:-1, END], len(subtree.place))
    _within("n_rows", frames[:, N_ROWS], 0, n_rows)
    _within("n_rows", frames[1:, N_ROWS], frames[:-1, N_ROWS], n_rows)
    _within("n_rows", frames[-1:, N_ROWS], n_rows, n_rows)
    _within("n_domain_rows", np.array([subtree.n_domain_rows]), 0, n_rows)
    waiting = frames if not subtree.is_current else frames[:-1]
    _within("unit", waiting[:, UNIT], 0, widths[waiting[:, LAYER]] - 1)
    _within("slot", subtree.path[:, SLOT], 0, len(subtree.owner) - 1)
    for name, rows in (
        ("row", subtree.path[:, ROW]),
        ("row", subtree.path[:, BEFORE]),
        ("owner", subtree.owner),
    ):
        _within(name, rows, 0, (n_layers << LAYER_SHIFT) - 1)
        _within(name, rows & UNIT_MASK, 0, widths[rows >> LAYER_SHIFT] - 1)
    _within("rest", _highest(subtree.rest), -1, widths[frames[:, LAYER]] - 1)
    _within("signs", _highest(subtree.signs).max(axis=1), -1, widths[:n_layers] - 1)
    _within("entries", subtree.entries, 0, np.iinfo(np.int64).max // 2)
    _within("entries", subtree.entries[:, IS_WHOLE], 0, 1)
    _check_room(subtree, start)


def _check_room(subtree: Subtree, start: Start) -> None:
    """Below every cell there is room for as many cells and rows as units may still cut."""
    widths, frames = start.net.widths, subtree.frames
    later = np.cumsum(widths[::-1])[::-1] - widths
    open_units = np.unpackbits(subtree.rest.view(np.uint8), axis=1).sum(axis=1) + later[frames[:, LAYER]]
    _within("cells", np.arange(len(frames)) + open_units, 0, int(widths.sum()))
    _within("rows", frames[:, N_ROWS] + open_units, 0, int(widths.sum()))


def _highest(words: Words) -> Ints:
    """The highest bit that is set in each last axis of words, -1 if there is none."""
    bits = np.unpackbits(words.view(np.uint8), axis=-1, bitorder="little")
    highest: Ints = np.where(bits.any(axis=-1), bits.shape[-1] - 1 - np.argmax(bits[..., ::-1], axis=-1), -1)
    return highest


def _within(name: str, values: Any, low: Any, high: Any) -> None:
    if np.any(values < low) or np.any(values > high):
        raise ValueError(f"{name} is out of range")
