"""The loop: enter a layer with a cell, split by the units that cut it, go on below; return when Python has to act."""

from __future__ import annotations

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.cells.contest import drop_losers, may_tie
from polyregions.engine.cells.cut import (
    NO_ROOM,
    NO_SLOT,
    NO_UNIT,
    finish_vertices,
    free_slot,
    is_unsure,
    keep_on,
    make_vertices,
    next_unit,
    push_row,
    refine,
    split_off,
    weigh,
)
from polyregions.engine.cells.forms import compose_layer, measure
from polyregions.engine.cells.leaves import (
    count_leaf,
    prove_leaf,
    record_faces,
    record_leaf,
    record_vertices,
    record_zeros,
)
from polyregions.engine.cells.state import (
    BASE,
    BEFORE,
    COUNT,
    CUTS,
    DECIDE,
    DEPTH,
    DONE,
    EDGES,
    EMIT,
    END,
    ENTER,
    FACES,
    FULL,
    GIVEN,
    KINKED,
    LAYER,
    LAYER_SHIFT,
    LEAF,
    LIST,
    MODE,
    N_DOMAIN_ROWS,
    N_FACES,
    N_FOUND,
    N_LEAVES,
    N_ROWS,
    ON,
    POOR,
    POP,
    QUESTION,
    ROOM,
    ROW,
    SAFE,
    SINCE,
    SLOT,
    SLOTS,
    START,
    TERMS,
    TINY,
    TOUCHED,
    UNIT,
    UNIT_MASK,
    VERSION,
    VERTICES,
    ZEROS,
    Axes,
    Leaves,
    Net,
    Words,
    Work,
)
from polyregions.engine.cells.words import NONE, bit
from polyregions.engine.kernels.compiled import shared_kernel, uncounted_entry, uncounted_kernel
from polyregions.engine.kernels.state import ZERO


@uncounted_entry
def begin(d: int, net: Net, work: Work) -> None:
    """Make ready to cut the first cell, whose vertices are in the pool, by the rows of the domain."""
    for layer in range(min(2, len(net.widths))):
        measure(d, net.space, work.forms, layer, net.widths[layer])
        work.entries[layer, VERSION] = 1
    work.registers[MODE] = ENTER


@uncounted_entry
def walk(axes: Axes, words: Axes, net: Net, work: Work, leaves: Leaves, wanted: int, most: int) -> int:
    """Go on until one of DONE, FULL, QUESTION, LEAF, ROOM, SLOTS; FULL also after `most` leaves.

    axes, words: d and W zeros; wanted: of the leaves COUNT, LIST, FACES, VERTICES, EDGES or ZEROS.
    """
    forms, signs, place, marks, rest = work.forms, work.signs, work.place, work.marks, work.rest
    registers, frames, path, owner = work.registers, work.frames, work.path, work.owner
    cell, crossed, tight, box, system = work.cell, work.crossed, work.tight, work.box, work.system
    units, widths, space, entries = net.units, net.widths, net.space, work.entries
    contest, is_contest = net.contest, len(net.contest) > 0
    d, last, begun = len(axes) + ZERO, len(widths) - 1, registers[N_FOUND]
    while True:
        mode = registers[MODE]
        layer, at, start, end = registers[LAYER], registers[DEPTH], registers[START], registers[END]
        if mode == ENTER:
            if layer > 1:
                compose_layer(d, net.weight, net.slopes, widths, space, forms, signs, entries, layer)
            if enter(d, widths[layer], forms, signs, place, rest, registers, box, contest, last):
                finish_vertices(
                    axes,
                    words,
                    units,
                    forms,
                    layer,
                    place,
                    marks,
                    start,
                    end,
                    rest,
                    at,
                    owner,
                    system,
                    registers,
                    np.inf,
                )
            registers[MODE] = DECIDE
        elif mode == DECIDE:
            unit = next_unit(words, marks, start, end, rest, at, signs, layer, registers)
            if unit != NO_UNIT and is_contest and layer == last:
                unit = drop_losers(contest, signs, layer, rest, at)
            if unit == NO_UNIT:
                finish_layer(registers, last)
                continue
            registers[UNIT] = unit
            if is_unsure(words, marks, start, end, rest.shape[1], unit):
                return QUESTION
            slot = free_slot(words, marks, start, end)
            if slot == NO_SLOT:
                return SLOTS
            n_new = cross(
                axes, words, space, forms, place, marks, registers, rest, cell, crossed, tight, slot
            )
            if n_new == NO_ROOM:
                return ROOM
            push_row(path, registers[N_ROWS], (layer << LAYER_SHIFT) + unit, slot, owner)
            finish_vertices(
                axes,
                words,
                units,
                forms,
                layer,
                place,
                marks,
                end,
                end + n_new,
                rest,
                at,
                owner,
                system,
                registers,
                POOR,
            )
            split(axes, place, marks, signs, rest, registers, frames, cell, slot, n_new)
        elif mode == EMIT:
            if registers[N_FOUND] - begun >= most:
                return FULL
            i = registers[N_LEAVES]
            if wanted != COUNT and i == len(leaves.points):
                return FULL
            if wanted == LIST and is_contest:
                leaves.is_open[i] = may_tie(axes, contest, forms, signs, layer, place, start, end, rest, at)
            if wanted == LIST and not prove_leaf(
                d, words, forms, signs, space, place, marks, start, end, owner, box, leaves.points, i
            ):
                return LEAF
            if wanted in (VERTICES, ZEROS):
                refine(axes, words, units, forms, place, marks, start, end, owner, system)
            if wanted >= FACES and not record_more(
                d, words, forms, place, marks, start, end, owner, signs, registers, leaves, wanted
            ):
                return FULL
            write_leaf(signs, registers, leaves.bits, leaves.cuts, leaves.after, wanted != COUNT)
        elif not pop(signs, registers, frames, path, owner):
            return DONE


@shared_kernel
def finish_layer(registers: Ints, last: int) -> None:
    """All units of the layer are decided on the current cell: go on to the next layer, or to the leaf."""
    layer = registers[LAYER]
    registers[SINCE] = min(registers[SINCE], layer)
    if layer == 0:  # rows of the domain that touch it are no neurons
        registers[N_DOMAIN_ROWS] = registers[N_ROWS]
        registers[TOUCHED] = 0
    if layer == last:
        registers[MODE] = EMIT
    else:
        registers[LAYER] = layer + 1
        registers[MODE] = ENTER


@shared_kernel
def enter(
    d: int,
    n: int,
    forms: Floats,
    signs: Words,
    place: Floats,
    rest: Words,
    registers: Ints,
    box: Floats,
    contest: Ints,
    last: int,
) -> bool:
    """Decide the units of a layer that a box around the cell decides; whether there are others."""
    layer, at = registers[LAYER], registers[DEPTH]
    if pass_by(signs, layer, rest, at):
        return False
    enclose(d, place, registers[START], registers[END], box)
    spread(d, forms, layer, n, box)
    choose_candidates(d, forms, signs, layer, n, box, rest, at, registers)
    if layer == last and len(contest) > 0:
        return bool(drop_losers(contest, signs, layer, rest, at) != NO_UNIT)
    left = NONE
    for w in range(rest.shape[1]):
        left |= rest[at, w]
    return bool(left != NONE)


@shared_kernel
def pass_by(signs: Words, layer: int, rest: Words, at: int) -> bool:
    """Decide a layer in which no unit can cut a cell; whether it is one."""
    for w in range(rest.shape[1]):
        if signs[layer, KINKED, w] != NONE:
            return False
    for w in range(rest.shape[1]):
        signs[layer, ON, w] = signs[layer, GIVEN, w]
        rest[at, w] = NONE
    return True


@shared_kernel
def enclose(d: int, place: Floats, start: int, end: int, box: Floats) -> None:
    """The middle box[0] and half the widths box[1] of a box around a cell."""
    for c in range(d):
        low, high = place[start, c] - place[start, d], place[start, c] + place[start, d]
        for v in range(start + 1, end):
            low = min(low, place[v, c] - place[v, d])
            high = max(high, place[v, c] + place[v, d])
        middle = 0.5 * (low + high)
        box[0, c] = middle
        box[1, c] = max(high - middle, middle - low) * SAFE + TINY


@shared_kernel
def spread(d: int, forms: Floats, layer: int, n: int, box: Floats) -> None:
    """The values box[2] of a layer's units in the middle of the box, and how far box[3] they are from others in it."""
    for i in range(n):
        box[2, i] = forms[layer, d, i]
        box[3, i] = 2.0 * forms[layer, d + BASE, i]
    for c in range(d):
        middle, half = box[0, c], box[1, c]
        for i in range(n):
            a = forms[layer, c, i]
            box[2, i] += a * middle
            box[3, i] += abs(a) * half


@shared_kernel
def choose_candidates(
    d: int,
    forms: Floats,
    signs: Words,
    layer: int,
    n: int,
    box: Floats,
    rest: Words,
    at: int,
    registers: Ints,
) -> None:
    """Put the units that the box leaves open into rest[at], and set the bits of the others."""
    for w in range(rest.shape[1]):
        open_, on, zero = NONE, NONE, NONE
        for i in range(64 * w, min(64 * w + 64, n)):
            if box[2, i] > box[3, i] * SAFE:
                on |= bit(i)
            elif forms[layer, d + TERMS, i] == 0.0:
                zero |= bit(i)
            elif not box[2, i] < -box[3, i] * SAFE:
                open_ |= bit(i)
        kinked = signs[layer, KINKED, w]
        signs[layer, ON, w] = (on & kinked) | signs[layer, GIVEN, w]
        rest[at, w] = open_ & kinked
        if zero & kinked != NONE:
            registers[TOUCHED] = 1


@uncounted_kernel
def cross(
    axes: Axes,
    words: Axes,
    space: Floats,
    forms: Floats,
    place: Floats,
    marks: Words,
    registers: Ints,
    rest: Words,
    cell: Floats,
    crossed: Ints,
    tight: Words,
    slot: int,
) -> int:
    """Make the vertices where the current unit cuts the current cell; how many, or NO_ROOM for all that follows."""
    start, end, unit = registers[START], registers[END], registers[UNIT]
    weigh(axes, words, forms, registers[LAYER], unit, place, marks, start, end, rest.shape[1], cell)
    n_new = make_vertices(axes, words, place, marks, start, end, cell, crossed, tight, space, slot)
    if n_new == NO_ROOM or end + 2 * n_new + end - start > len(place):
        return NO_ROOM
    rest[registers[DEPTH], unit >> 6] &= ~bit(unit)
    return n_new


@uncounted_kernel
def split(
    axes: Axes,
    place: Floats,
    marks: Words,
    signs: Words,
    rest: Words,
    registers: Ints,
    frames: Ints,
    cell: Floats,
    slot: int,
    n_new: int,
) -> None:
    """Cut the current cell: its on side waits, its off side is next; of a row of the domain only the on side."""
    layer, unit, at = registers[LAYER], registers[UNIT], registers[DEPTH]
    start, end = registers[START], registers[END]
    registers[N_ROWS] += 1
    top = split_off(axes, place, marks, start, end, n_new, cell, slot)
    on_end = keep_on(axes, place, marks, start, end, n_new, cell)
    if layer == 0:
        registers[END] = on_end
        return
    frames[at, LAYER] = layer
    frames[at, START] = start
    frames[at, END] = on_end
    frames[at, N_ROWS] = registers[N_ROWS]
    frames[at, UNIT] = unit
    frames[at, TOUCHED] = registers[TOUCHED]
    for w in range(rest.shape[1]):
        rest[at + 1, w] = rest[at, w]
    signs[layer, CUTS, unit >> 6] |= bit(unit)
    signs[layer, ON, unit >> 6] &= ~bit(unit)
    registers[START] = end + n_new
    registers[END] = top
    registers[DEPTH] = at + 1


@shared_kernel
def record_more(
    d: int,
    words: Axes,
    forms: Floats,
    place: Floats,
    marks: Words,
    start: int,
    end: int,
    owner: Ints,
    signs: Words,
    registers: Ints,
    leaves: Leaves,
    wanted: int,
) -> bool:
    """Write down the facets or the vertices of the leaf; False if there is no room for them."""
    if len(leaves.face_leaf) - registers[N_FACES] < max(len(owner), end - start):
        return False
    leaves.is_open[registers[N_LEAVES]] = registers[TOUCHED]
    if wanted == ZEROS:
        record_zeros(d, words, forms, signs, marks, start, end, owner, registers[N_FACES], leaves.face_zeros)
    if wanted in (VERTICES, ZEROS):
        record_vertices(d, place, start, end, registers, leaves)
    else:
        record_faces(d, words, place, marks, start, end, owner, signs, wanted == EDGES, registers, leaves)
    return True


@shared_kernel
def write_leaf(signs: Words, registers: Ints, bits: Words, cuts: Words, after: Ints, keep: bool) -> None:
    """Record the leaf, of leaves that are only counted the first and the last."""
    i = registers[N_LEAVES]
    record_leaf(signs, bits, cuts, i if keep else min(1, registers[N_FOUND]))
    count_leaf(after, registers[SINCE])
    registers[SINCE] = len(after)
    registers[N_LEAVES] = i + 1
    registers[N_FOUND] += 1
    registers[MODE] = POP


@shared_kernel
def pop(signs: Words, registers: Ints, frames: Ints, path: Ints, owner: Ints) -> bool:
    """Make the on side of the last cut that waits current; False if none does."""
    at = registers[DEPTH] - 1
    if at < 0:
        return False
    while registers[N_ROWS] > frames[at, N_ROWS]:
        last = registers[N_ROWS] - 1
        row = path[last, ROW]
        owner[path[last, SLOT]] = path[last, BEFORE]
        unit = row & UNIT_MASK
        signs[row >> LAYER_SHIFT, CUTS, unit >> 6] &= ~bit(unit)
        registers[N_ROWS] = last
    layer, unit = frames[at, LAYER], frames[at, UNIT]
    signs[layer, ON, unit >> 6] |= bit(unit)
    registers[LAYER] = layer
    registers[START] = frames[at, START]
    registers[END] = frames[at, END]
    registers[TOUCHED] = frames[at, TOUCHED]
    registers[DEPTH] = at
    registers[SINCE] = min(registers[SINCE], layer)
    registers[MODE] = DECIDE
    return True


@uncounted_entry
def keep_leaf(work: Work, leaves: Leaves) -> None:
    """Record the current leaf, whose point was found elsewhere, and go on to the next cell."""
    write_leaf(work.signs, work.registers, leaves.bits, leaves.cuts, leaves.after, True)
