"""Kernels that look at a cell's vertices: which units cut it, and what the two sides are.

A cell is the vertices from one place in the pool to another. Signs of vertices come from their marks, and are certain
when a cell is cut; the values only say where on an edge a new vertex is.
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.cells.integers import settle_in_integers, settle_zeros
from polyregions.engine.cells.state import (
    BEFORE,
    FINE,
    N_OPEN,
    N_OPEN_SHARP,
    N_OPEN_WHOLE,
    N_SIGNS_ASKED,
    ON,
    REACH,
    ROW,
    SAFE,
    SLOT,
    TINY,
    TOUCHED,
    ULP,
    Axes,
    Words,
)
from polyregions.engine.cells.vertices import doubt, mark, sharpen, value
from polyregions.engine.cells.words import NONE, bit, count, lowest
from polyregions.engine.kernels.compiled import shared_kernel, uncounted_kernel
from polyregions.engine.kernels.state import ZERO

NO_ROOM = -1
NO_SLOT = -1
NO_UNIT = -1


@shared_kernel
def next_unit(
    words: Axes,
    marks: Words,
    start: int,
    end: int,
    rest: Words,
    at: int,
    signs: Words,
    layer: int,
    registers: Ints,
) -> int:
    """The first unit that cuts the current cell or may do so; those that do not are decided, all at once."""
    n_words, s, first = len(words), rest.shape[1], NO_UNIT
    for w in range(s):
        asked = rest[at, w]
        if asked == NONE:
            continue
        positive, negative, unsure, zero = NONE, NONE, NONE, NONE
        for v in range(start, end):
            up, down = marks[v, n_words + w], marks[v, n_words + s + w]
            positive |= up & ~down
            negative |= down & ~up
            unsure |= up & down
            zero |= ~(up | down)
        left = asked & ((positive & negative) | unsure)
        done = asked & ~left
        signs[layer, ON, w] = (signs[layer, ON, w] & ~done) | (positive & done)
        rest[at, w] = left
        note_zeros(words, marks, start, end, s, layer, w, done)
        touching = zero & done
        while touching != NONE and registers[TOUCHED] == 0:
            unit = lowest(touching)
            touching ^= bit(unit)
            registers[TOUCHED] = int(vanishes_on_facet(words, marks, start, end, s, 64 * w + unit))
        if first == NO_UNIT and left != NONE:
            first = 64 * w + lowest(left)
    return first


@shared_kernel
def note_zeros(
    words: Axes, marks: Words, start: int, end: int, n_sign_words: int, layer: int, w: int, done: np.uint64
) -> None:
    """Where zeros are wanted, note at a cell's vertices which of a layer's units vanish that were decided just now."""
    n_words, s = len(words), n_sign_words
    if done == NONE or marks.shape[1] == n_words + 2 * s:
        return
    for v in range(start, end):
        at = n_words + (2 + layer) * s + w
        marks[v, at] |= done & ~(marks[v, n_words + w] | marks[v, n_words + s + w])


@shared_kernel
def vanishes_on_facet(words: Axes, marks: Words, start: int, end: int, n_sign_words: int, unit: int) -> bool:
    """Whether a unit that does not cut a cell may be 0 on one of its facets: on all vertices of some row, or on all."""
    n_words, w, one = len(words), unit >> 6, bit(unit)
    n_zero = 0
    for v in range(start, end):
        n_zero += (marks[v, n_words + w] | marks[v, n_words + n_sign_words + w]) & one == NONE
    if n_zero == end - start:
        return True
    for x in range(n_words):
        common = ~NONE
        for v in range(start, end):
            if (marks[v, n_words + w] | marks[v, n_words + n_sign_words + w]) & one == NONE:
                common &= marks[v, x]
        while common != NONE:
            slot = lowest(common)
            common ^= bit(slot)
            n_tight = 0
            for v in range(start, end):
                n_tight += marks[v, x] & bit(slot) != NONE
            if n_tight == n_zero:
                return True
    return False


@shared_kernel
def is_unsure(words: Axes, marks: Words, start: int, end: int, n_sign_words: int, unit: int) -> bool:
    """Whether a unit's sign at a vertex of a cell is not known yet."""
    n_words, w, one = len(words), unit >> 6, bit(unit)
    unsure = NONE
    for v in range(start, end):
        unsure |= marks[v, n_words + w] & marks[v, n_words + n_sign_words + w] & one
    return bool(unsure != NONE)


@shared_kernel
def free_slot(words: Axes, marks: Words, start: int, end: int) -> int:
    """The first slot whose row no vertex of a cell lies on: that row is redundant."""
    for w in range(len(words)):
        used = NONE
        for v in range(start, end):
            used |= marks[v, w]
        if ~used != NONE:
            return 64 * w + lowest(~used)
    return NO_SLOT


@shared_kernel
def push_row(path: Ints, at: int, row: int, slot: int, owner: Ints) -> None:
    """Put a row at the end of the path, into a slot."""
    path[at, ROW] = row
    path[at, SLOT] = slot
    path[at, BEFORE] = owner[slot]
    owner[slot] = row


@uncounted_kernel
def weigh(
    axes: Axes,
    words: Axes,
    forms: Floats,
    layer: int,
    unit: int,
    place: Floats,
    marks: Words,
    start: int,
    end: int,
    n_sign_words: int,
    cell: Floats,
) -> None:
    """The values of a unit at a cell's vertices and their error bounds; the values have the true ones' signs.

    A sign that was settled otherwise may not be that of the computed value; then the true one is as near to 0.
    """
    n_words, w, one = len(words), unit >> 6, bit(unit)
    for v in range(start, end):
        up, down = marks[v, n_words + w] & one, marks[v, n_words + n_sign_words + w] & one
        z, bound = 0.0, 0.0
        if up != down:
            z = value(axes, forms, layer, unit, place, v)
            bound = doubt(axes, forms, layer, unit, place, v) + TINY
            if up != NONE and not z > 0.0:
                z = 0.5 * bound
            elif down != NONE and not z < 0.0:
                z = -0.5 * bound
        cell[0, v - start], cell[1, v - start] = z, bound


@shared_kernel
def n_rows_at(words: Axes, marks: Words, v: int) -> int:
    """How many rows a vertex lies on."""
    total = 0
    for w in range(len(words)):
        total += count(marks[v, w])
    return total


@shared_kernel
def is_alone(words: Axes, marks: Words, start: int, end: int, a: int, b: int) -> bool:
    """Whether no third vertex of a cell lies on all the rows that two have in common: then these span an edge."""
    for v in range(start, end):
        if v != a and v != b:
            has_all = True
            for w in range(len(words)):
                shared = marks[a, w] & marks[b, w]
                has_all = has_all and shared & marks[v, w] == shared
            if has_all:
                return False
    return True


@shared_kernel
def gather_off(
    words: Axes, marks: Words, start: int, end: int, cell: Floats, crossed: Ints, tight: Words
) -> int:
    """Put the vertices of the off side, and the rows that they lie on, one after the other; how many there are."""
    n = 0
    for v in range(start, end):
        if cell[0, v - start] < 0.0:
            crossed[n] = v
            for w in range(len(words)):
                tight[n, w] = marks[v, w]
            n += 1
    return n


@uncounted_kernel
def make_vertices(
    axes: Axes,
    words: Axes,
    place: Floats,
    marks: Words,
    start: int,
    end: int,
    cell: Floats,
    crossed: Ints,
    tight: Words,
    space: Floats,
    slot: int,
) -> int:
    """A vertex, after the cell's own, on every edge between the sides; how many, or NO_ROOM.

    Where d rows meet, each d - 1 of them are an edge; where more do, an edge is what has no third vertex.
    """
    at, least = end, len(axes) + ZERO - 1
    n_off = gather_off(words, marks, start, end, cell, crossed, tight)
    for a in range(start, end):
        if not cell[0, a - start] > 0.0:
            continue
        is_simple = n_rows_at(words, marks, a) == least + 1
        for i in range(n_off):
            common = 0
            for w in range(len(words)):
                common += count(marks[a, w] & tight[i, w])
            if common >= least:
                b = crossed[i]
                is_edge = common == least and (is_simple or n_rows_at(words, marks, b) == least + 1)
                if is_edge or is_alone(words, marks, start, end, a, b):
                    if at == len(place):
                        return NO_ROOM
                    interpolate(axes, place, a, b, at, cell, start, space)
                    for w in range(
                        marks.shape[1]
                    ):  # an edge vanishes where both ends do; signs are marked anew
                        marks[at, w] = marks[a, w] & marks[b, w]
                    marks[at, slot >> 6] |= bit(slot)
                    at += 1
    return at - end


@uncounted_kernel
def interpolate(
    axes: Axes, place: Floats, a: int, b: int, at: int, cell: Floats, start: int, space: Floats
) -> None:
    """The point of an edge where a unit is 0, with the bound on its error that is inherited from the edge's ends.

    With true values A at a and B at b, and those computed off by e and f, the part of the way is off by
    (|A| f + |B| e) / ((A - B) times the computed difference), that is by a mean of e and f over that difference.
    """
    d = len(axes) + ZERO
    drop = cell[0, a - start] - cell[0, b - start]
    t = cell[0, a - start] / drop
    length, reach = 0.0, 0.0
    for c in range(d):
        step = place[b, c] - place[a, c]
        place[at, c] = place[a, c] + t * step
        length = max(length, abs(step))
        reach = max(reach, space[REACH, c])
    unclear = max(cell[1, a - start], cell[1, b - start]) / drop * length
    place[at, d] = (max(place[a, d], place[b, d]) + unclear + 8.0 * ULP * (reach + length)) * SAFE
    if place.shape[1] > d + 1:
        place[at, 2 * d + 1] = 0.0


@shared_kernel
def n_open(words: Axes, marks: Words, v: int, rest: Words, at: int) -> int:
    """How many signs at a vertex may be both."""
    n_words, s, total = len(words), rest.shape[1], 0
    for w in range(s):
        total += count(marks[v, n_words + w] & marks[v, n_words + s + w] & rest[at, w])
    return total


@uncounted_kernel
def finish_vertices(
    axes: Axes,
    words: Axes,
    units: Ints,
    forms: Floats,
    layer: int,
    place: Floats,
    marks: Words,
    first: int,
    last: int,
    rest: Words,
    at: int,
    owner: Ints,
    system: Floats,
    registers: Ints,
    poor: float,
) -> None:
    """Mark on which side of the units that are left vertices are; those known worse than `poor` are sharpened first."""
    d = len(axes) + ZERO
    for w in range(rest.shape[1]):
        registers[N_SIGNS_ASKED] += (last - first) * count(rest[at, w])
    for v in range(first, last):
        is_poor = place[v, d] > poor
        if is_poor:
            sharpen(axes, words, units, forms, place, marks, v, owner, system)
        if mark(axes, words, forms, layer, place, marks, v, rest, at):
            continue
        registers[N_OPEN] += n_open(words, marks, v, rest, at)
        if not is_poor and sharpen(axes, words, units, forms, place, marks, v, owner, system):
            mark(axes, words, forms, layer, place, marks, v, rest, at)
        registers[N_OPEN_SHARP] += n_open(words, marks, v, rest, at)
        settle_zeros(d, words, units, layer, place, marks, v, owner, rest, at)
        if place.shape[1] > d + 1:
            settle_in_integers(d, words, units, forms, layer, place, marks, v, owner, system, rest, at)
        registers[N_OPEN_WHOLE] += n_open(words, marks, v, rest, at)


@uncounted_kernel
def refine(
    axes: Axes,
    words: Axes,
    units: Ints,
    forms: Floats,
    place: Floats,
    marks: Words,
    start: int,
    end: int,
    owner: Ints,
    system: Floats,
) -> None:
    """Solve anew for the vertices of a leaf that are not known well."""
    d = len(axes) + ZERO
    for v in range(start, end):
        if place[v, d] > FINE:
            sharpen(axes, words, units, forms, place, marks, v, owner, system)


@uncounted_kernel
def copy_vertex(axes: Axes, place: Floats, marks: Words, source: int, target: int) -> None:
    """Copy a vertex from one place in the pool to another."""
    for c in range(len(axes) + 1):
        place[target, c] = place[source, c]
    for c in range(len(axes) + 1, place.shape[1]):
        place[target, c] = place[source, c]
    for w in range(marks.shape[1]):
        marks[target, w] = marks[source, w]


@uncounted_kernel
def split_off(
    axes: Axes, place: Floats, marks: Words, start: int, end: int, n_new: int, cell: Floats, slot: int
) -> int:
    """Copy the vertices of the off side behind the new ones; where they end."""
    at = end + n_new
    for v in range(start, end):
        if cell[0, v - start] == 0.0:
            marks[v, slot >> 6] |= bit(slot)
        if cell[0, v - start] <= 0.0:
            copy_vertex(axes, place, marks, v, at)
            at += 1
    for v in range(end, end + n_new):
        copy_vertex(axes, place, marks, v, at)
        at += 1
    return at


@uncounted_kernel
def keep_on(axes: Axes, place: Floats, marks: Words, start: int, end: int, n_new: int, cell: Floats) -> int:
    """Move the vertices of the on side to where the cell starts; where they end."""
    at = start
    for v in range(start, end):
        if cell[0, v - start] >= 0.0:
            if at != v:
                copy_vertex(axes, place, marks, v, at)
            at += 1
    for v in range(end, end + n_new):
        copy_vertex(axes, place, marks, v, at)
        at += 1
    return at
