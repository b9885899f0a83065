"""Kernels for a last layer whose units compare two classes each: who lost is not compared any more.

Unit u compares ``contest[u]``: a lower class and a higher one, which wins where the unit is on. Units of a class that
lost are decided against it without looking, so that in the end one class has won all its own.
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools, Bytes, Floats, Ints
from polyregions.engine.cells.cut import NO_UNIT
from polyregions.engine.cells.state import ON, Axes, Words
from polyregions.engine.cells.vertices import doubt, value
from polyregions.engine.cells.words import NONE, bit, lowest
from polyregions.engine.kernels.compiled import shared_kernel, uncounted_kernel

MOST_CLASSES = 16  # a word has bits for 64; up to 48 this was measured to be the faster way still
NO_CONTEST: Ints = np.zeros((0, 2), dtype=np.int64)


def pairs_of(n_classes: int) -> Ints:
    """The pairs (P, 2) of a lower and a higher class."""
    lower, higher = np.triu_indices(n_classes, 1)
    return np.column_stack([lower, higher]).astype(np.int64)


def winners(contest: Ints, bits: Bytes | Bools) -> Ints:
    """The class that has won all its pairs, from the bits (B, P) of these; which one is arbitrary if none has."""
    wins = np.zeros((len(bits), int(contest.max()) + 1), dtype=np.int64)
    for (lower, higher), is_on in zip(contest.tolist(), np.asarray(bits, dtype=np.bool_).T, strict=True):
        wins[:, higher] += is_on
        wins[:, lower] += ~is_on
    won: Ints = np.argmax(wins, axis=1)
    return won


@shared_kernel
def drop_losers(contest: Ints, signs: Words, layer: int, rest: Words, at: int) -> int:
    """Decide the units of classes that lost against them; the first unit that is left, or NO_UNIT."""
    lost = who_lost(contest, signs, layer, rest, at)
    for u in range(len(contest)):
        w, one = u >> 6, bit(u)
        if rest[at, w] & one == NONE:
            continue
        if lost & bit(contest[u, 0]) != NONE:
            signs[layer, ON, w] |= one
        elif lost & bit(contest[u, 1]) != NONE:
            signs[layer, ON, w] &= ~one
        else:
            continue
        rest[at, w] &= ~one
    for w in range(rest.shape[1]):
        if rest[at, w] != NONE:
            return 64 * w + lowest(rest[at, w])
    return NO_UNIT


@shared_kernel
def who_lost(contest: Ints, signs: Words, layer: int, rest: Words, at: int) -> np.uint64:
    """The classes, as bits, that lost one of the decided comparisons."""
    lost = NONE
    for u in range(len(contest)):
        w, one = u >> 6, bit(u)
        if rest[at, w] & one == NONE:
            lost |= bit(contest[u, 0] if signs[layer, ON, w] & one != NONE else contest[u, 1])
    return lost


@uncounted_kernel
def may_tie(
    axes: Axes,
    contest: Ints,
    forms: Floats,
    signs: Words,
    layer: int,
    place: Floats,
    start: int,
    end: int,
    rest: Words,
    at: int,
) -> bool:
    """Whether some class may score the same as the winner all over a leaf: floats tell them apart at no vertex."""
    lost = who_lost(contest, signs, layer, rest, at)
    for u in range(len(contest)):
        if lost & bit(contest[u, 0]) != NONE and lost & bit(contest[u, 1]) != NONE:
            continue
        is_apart = False
        for v in range(start, end):
            z = value(axes, forms, layer, u, place, v)
            is_apart = is_apart or abs(z) > doubt(axes, forms, layer, u, place, v)
        if not is_apart:
            return True
    return False
