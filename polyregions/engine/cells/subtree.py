"""Waiting cells as plain arrays, so that another `Work`, in another thread or on another machine, goes on with them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.cells.state import (
    BEFORE,
    CUTS,
    DEPTH,
    EMIT,
    END,
    LAYER,
    LAYER_SHIFT,
    MODE,
    N_DOMAIN_ROWS,
    N_FRAME,
    N_ROWS,
    POP,
    ROW,
    SLOT,
    START,
    UNIT_MASK,
    Words,
    Work,
)

KINDS: dict[str, type] = {
    "piece": np.int64,
    "is_current": np.bool_,
    "n_domain_rows": np.int64,
    "forms": np.float64,
    "signs": np.uint64,
    **dict.fromkeys(("entries", "frames", "path", "owner"), np.int64),
    "place": np.float64,
    **dict.fromkeys(("marks", "rest"), np.uint64),
}


class Subtree(NamedTuple):
    """Some neighbouring cells of a stack: exactly what the machine would have gone on with.

    piece: which piece of the domain; is_current: whether the last cell is the leaf to go on with, or waits like the
    others for its on side; n_domain_rows: how many rows of the path no neuron cut; forms, signs, entries: as in `Work`,
    up to the last cell's layer; frames (S, N_FRAME), rest (S, ..): of the cells, whose vertices are place and marks;
    path, owner: the rows of the last cell.
    """

    piece: int
    is_current: bool
    n_domain_rows: int
    forms: Floats
    signs: Words
    entries: Ints
    frames: Ints
    path: Ints
    owner: Ints
    place: Floats
    marks: Words
    rest: Words

    @property
    def n_words(self) -> int:
        """W, the words that slots take."""
        return len(self.owner) // 64


def subtrees(work: Work, piece: int, most_apart: int) -> list[Subtree]:
    """All that is left to do, when the machine stands before a leaf, in its order: the leaf first, large subtrees last.

    Args:
        work: the machine's arrays.
        piece: which piece of the domain it is in.
        most_apart: how many of the largest subtrees to give apart from the rest.
    """
    top = int(work.registers[DEPTH])
    n_apart = min(most_apart, top)
    frames = work.frames[: top + 1].copy()
    frames[top] = work.registers[:N_FRAME]
    apart = [_part(work, piece, frames[i : i + 1], i, False) for i in reversed(range(n_apart))]
    return [_part(work, piece, frames[n_apart:], n_apart, True), *apart]


def _part(work: Work, piece: int, frames: Ints, low: int, is_current: bool) -> Subtree:
    """The cells of some frames, the lowest of which is at a place in the stack."""
    last = frames[-1]
    layers, n_rows = slice(0, int(last[LAYER]) + 1), int(last[N_ROWS])
    ranges = [np.arange(frame[START], frame[END]) for frame in frames]
    vertices = np.concatenate(ranges)
    ends = np.cumsum([len(r) for r in ranges])
    own = frames.copy()
    own[:, START], own[:, END] = np.concatenate([[0], ends[:-1]]), ends
    signs, owner = _signs_at(work, n_rows), _owner_at(work, n_rows)
    return Subtree(
        piece=piece,
        is_current=is_current,
        n_domain_rows=int(work.registers[N_DOMAIN_ROWS]),
        forms=work.forms[layers].copy(),
        signs=signs[layers],
        entries=work.entries[layers].copy(),
        frames=own,
        path=work.path[:n_rows].copy(),
        owner=owner,
        place=work.place[vertices],
        marks=work.marks[vertices],
        rest=work.rest[low : low + len(frames)].copy(),
    )


def _signs_at(work: Work, n_rows: int) -> Words:
    """The signs as they are when the path has only so many rows."""
    signs = work.signs.copy()
    for row in work.path[n_rows : int(work.registers[N_ROWS]), ROW].tolist():
        layer, unit = row >> LAYER_SHIFT, row & UNIT_MASK
        signs[layer, CUTS, unit // 64] &= ~(np.uint64(1) << np.uint64(unit % 64))
    return signs


def _owner_at(work: Work, n_rows: int) -> Ints:
    """The rows in the slots when the path has only so many rows."""
    owner = work.owner.copy()
    for i in reversed(range(n_rows, int(work.registers[N_ROWS]))):
        owner[work.path[i, SLOT]] = work.path[i, BEFORE]
    return owner


def load(work: Work, subtree: Subtree) -> None:
    """Put the cells on the empty stack, ready to go on."""
    n_layers, n_rows, n_cells = len(subtree.forms), len(subtree.path), len(subtree.frames)
    n_vertices = len(subtree.place)
    work.forms[:n_layers], work.signs[:n_layers] = subtree.forms, subtree.signs
    work.entries[:n_layers] = subtree.entries
    work.frames[:n_cells], work.path[:n_rows] = subtree.frames, subtree.path
    work.owner[:] = subtree.owner
    work.place[:n_vertices], work.marks[:n_vertices] = subtree.place, subtree.marks
    work.rest[:n_cells] = subtree.rest
    registers, last = work.registers, subtree.frames[-1]
    registers[N_DOMAIN_ROWS], registers[N_ROWS] = subtree.n_domain_rows, n_rows
    if subtree.is_current:
        registers[:N_FRAME] = last
        registers[DEPTH], registers[MODE] = n_cells - 1, EMIT
    else:
        registers[DEPTH], registers[MODE] = n_cells, POP
