"""Kernels that prove a point inside a leaf, and write it down."""

from __future__ import annotations

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.cells.state import (
    CUTS,
    ERROR,
    KINKED,
    LAYER_SHIFT,
    MORE,
    N_FACES,
    N_LEAVES,
    ON,
    SAFE,
    SCALE,
    SHIFT,
    SIZE,
    TERMS,
    ULP,
    UNIT_MASK,
    Axes,
    Leaves,
    Words,
)
from polyregions.engine.cells.words import NONE, bit, count, lowest
from polyregions.engine.kernels.compiled import shared_kernel


@shared_kernel
def prove_leaf(
    d: int,
    words: Axes,
    forms: Floats,
    signs: Words,
    space: Floats,
    place: Floats,
    marks: Words,
    start: int,
    end: int,
    owner: Ints,
    box: Floats,
    points: Floats,
    at: int,
) -> bool:
    """Write the mean of a cell's vertices to points[at], if floats prove that it is inside; whether they do.

    Rows that no vertex lies on are redundant, so those that one does are enough.
    """
    share = 1.0 / (end - start)
    for c in range(d):
        total = 0.0
        for v in range(start, end):
            total += place[v, c]
        box[0, c] = total * share
    settle_point(d, space, box, points, at)
    for w in range(len(words)):
        slots = NONE
        for v in range(start, end):
            slots |= marks[v, w]
        while slots != NONE:
            one = lowest(slots)
            slots ^= bit(one)
            if not is_inside(d, forms, signs, owner[64 * w + one], box):
                return False
    return True


@shared_kernel
def settle_point(d: int, space: Floats, box: Floats, points: Floats, at: int) -> None:
    """Round a point box[0] to float64 inputs, and put into box[1] how far it is from that of the rounded inputs."""
    is_plain = space[MORE, 2] == 1.0
    for c in range(d):
        if is_plain:
            shift, scale = space[SHIFT, c], space[SCALE, c]
            x = shift + scale * box[0, c]
            back = x - shift
            # the exact rounding error of that subtraction (Knuth's two-sum); the scale is a power of two
            part = back - x
            remainder = (x - (back - part)) + (-shift - part)
            box[0, c] = back / scale
            box[1, c] = abs(remainder) / scale * SAFE
            points[at, c] = x
        else:
            box[1, c] = 0.0
            points[at, c] = box[0, c]


@shared_kernel
def is_inside(d: int, forms: Floats, signs: Words, row: int, box: Floats) -> bool:
    """Whether box[0] is certainly on the inner side of a row."""
    layer, unit = row >> LAYER_SHIFT, row & UNIT_MASK
    z = forms[layer, d, unit]
    error = forms[layer, d + ERROR, unit] + (d + 4) * ULP * forms[layer, d + SIZE, unit]
    for c in range(d):
        z += forms[layer, c, unit] * box[0, c]
        error += abs(forms[layer, c, unit]) * box[1, c]
    is_on = layer == 0 or signs[layer, ON, unit >> 6] & bit(unit) != NONE
    return bool(z > error * SAFE if is_on else z < -error * SAFE)


@shared_kernel
def record_leaf(signs: Words, bits: Words, cuts: Words, at: int) -> None:
    """Write a leaf's bits, and which units cut its ancestors."""
    for layer in range(1, signs.shape[0]):
        for w in range(signs.shape[2]):
            bits[at, layer, w] = signs[layer, ON, w]
            cuts[at, layer, w] = signs[layer, CUTS, w]


@shared_kernel
def count_leaf(after: Ints, since: int) -> None:
    """Count a leaf for its own layer and those below it in which its cell is a new one."""
    for layer in range(max(1, since), len(after)):
        after[layer] += 1


@shared_kernel
def record_faces(
    d: int,
    words: Axes,
    place: Floats,
    marks: Words,
    start: int,
    end: int,
    owner: Ints,
    signs: Words,
    off_only: bool,
    registers: Ints,
    leaves: Leaves,
) -> None:
    """Write down the facets of a leaf: rows that vertices lie on which do not all lie on another row as well.

    Where d rows meet at every vertex, each of them is a facet.

    Args:
        off_only: without those on rows of neurons that are on.
    """
    leaf, is_simple = registers[N_LEAVES], are_simple(d, words, marks, start, end)
    for w in range(len(words)):
        slots = NONE
        for v in range(start, end):
            slots |= marks[v, w]
        while slots != NONE:
            place_of = lowest(slots)
            slots ^= bit(place_of)
            slot = 64 * w + place_of
            if off_only and is_on(signs, owner[slot]):
                continue
            n_more = 0 if is_simple else n_rows_above(words, marks, start, end, slot)
            if n_more < 0:
                leaves.is_open[leaf] = 1
            if n_more <= 0:
                at = registers[N_FACES]
                registers[N_FACES] = at + 1
                leaves.face_leaf[at], leaves.face_row[at] = leaf, owner[slot]
                face_mean(d, place, marks, start, end, slot, leaves.face_points, at)


@shared_kernel
def is_on(signs: Words, row: int) -> bool:
    """Whether a row is that of a neuron that is on; rows of the domain may stand for neurons, and are none."""
    layer, unit = row >> LAYER_SHIFT, row & UNIT_MASK
    return bool(layer > 0 and signs[layer, ON, unit >> 6] & bit(unit) != NONE)


@shared_kernel
def are_simple(d: int, words: Axes, marks: Words, start: int, end: int) -> bool:
    """Whether d rows meet at every vertex of a cell."""
    most = 0
    for v in range(start, end):
        total = 0
        for w in range(len(words)):
            total += count(marks[v, w])
        most = max(most, total)
    return most == d


@shared_kernel
def n_rows_above(words: Axes, marks: Words, start: int, end: int, slot: int) -> int:
    """How many rows hold all vertices of a row and others too; -1 if there are none, but one with the same vertices."""
    n_above = n_same = 0
    for w in range(len(words)):
        common = ~NONE
        for v in range(start, end):
            if marks[v, slot >> 6] & bit(slot) != NONE:
                common &= marks[v, w]
        if w == slot >> 6:
            common &= ~bit(slot)
        while common != NONE:
            other = lowest(common)
            common ^= bit(other)
            n_more = 0
            for v in range(start, end):
                n_more += marks[v, w] & bit(other) != NONE and marks[v, slot >> 6] & bit(slot) == NONE
            n_above += n_more > 0
            n_same += n_more == 0
    return n_above if n_above > 0 else (-1 if n_same > 0 else 0)


@shared_kernel
def face_mean(
    d: int, place: Floats, marks: Words, start: int, end: int, slot: int, points: Floats, at: int
) -> None:
    """The mean of the vertices that lie on a row, into points[at]."""
    n = 0
    for c in range(d):
        points[at, c] = 0.0
    for v in range(start, end):
        if marks[v, slot >> 6] & bit(slot) != NONE:
            n += 1
            for c in range(d):
                points[at, c] += place[v, c]
    for c in range(d):
        points[at, c] /= n


@shared_kernel
def record_vertices(d: int, place: Floats, start: int, end: int, registers: Ints, leaves: Leaves) -> None:
    """Write down the vertices of a leaf."""
    at = registers[N_FACES]
    for v in range(start, end):
        leaves.face_leaf[at] = registers[N_LEAVES]
        for c in range(d + 1):
            leaves.face_points[at, c] = place[v, c]
        at += 1
    registers[N_FACES] = at


@shared_kernel
def record_zeros(
    d: int,
    words: Axes,
    forms: Floats,
    signs: Words,
    marks: Words,
    start: int,
    end: int,
    owner: Ints,
    at: int,
    zeros: Words,
) -> None:
    """Write down the rows of the domain and the units that vanish at each vertex of a leaf, from zeros[at] on."""
    n_words, n_layers, s = len(words), zeros.shape[1], zeros.shape[2]
    for v in range(start, end):
        for layer in range(n_layers):
            for w in range(s):
                zeros[at, layer, w] = marks[v, n_words + (2 + layer) * s + w] | constant_zeros(
                    d, forms, signs, layer, w
                )
        for x in range(n_words):
            slots = marks[v, x]
            while slots != NONE:
                slot = lowest(slots)
                slots ^= bit(slot)
                row = owner[64 * x + slot]
                unit = row & UNIT_MASK
                zeros[at, row >> LAYER_SHIFT, unit >> 6] |= bit(unit)
        at += 1


@shared_kernel
def constant_zeros(d: int, forms: Floats, signs: Words, layer: int, w: int) -> np.uint64:
    """The neurons of a layer, in one word, that are 0 all over the leaf: they have no terms, and nobody asked."""
    found = NONE
    kinked = signs[layer, KINKED, w] if layer > 0 else NONE
    while kinked != NONE:
        place = lowest(kinked)
        kinked ^= bit(place)
        if forms[layer, d + TERMS, 64 * w + place] == 0.0:
            found |= bit(place)
    return found
