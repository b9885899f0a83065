"""Kernels that settle signs in small integers, where rows and vertices are made of them.

A vertex of exact rows is ``numerators / denominator`` in integers, by fraction-free elimination (Bareiss 1968).
Products stay below 2^62 and are exact; what would not is not known in integers. Numerators and denominator are kept as
floats below 2^52, and a form's value there is exact as long as its terms add up to less than that.
"""

from __future__ import annotations

from polyregions._types import Floats, Ints
from polyregions.engine.cells.state import (
    ERROR,
    IS_FREE,
    LAYER_SHIFT,
    TWIN,
    ULP,
    UNIT_MASK,
    WHOLE_LIMIT,
    Axes,
    Words,
)
from polyregions.engine.cells.vertices import choose, gather, swap
from polyregions.engine.cells.words import NONE, bit, lowest
from polyregions.engine.kernels.compiled import shared_kernel

PRODUCT_LIMIT = 2.0**62
UNKNOWN = 2


@shared_kernel
def find_integers(
    d: int,
    words: Axes,
    units: Ints,
    forms: Floats,
    place: Floats,
    marks: Words,
    v: int,
    owner: Ints,
    system: Floats,
) -> bool:
    """Find a vertex in integers by the exact rows that it lies on; whether it is known so now."""
    if place[v, 2 * d + 1] != 0.0:
        return True
    m = gather(d, words, units, forms, marks, v, owner, system, True)
    if not choose(d, system, m) or not eliminate(d, system):
        return False
    denominator = system[0, 0]
    common = abs(denominator)
    for c in range(d):
        common = gcd(common, abs(system[c, d]))
    sign = 1.0 if denominator > 0.0 else -1.0
    denominator = abs(denominator) / common
    if denominator >= WHOLE_LIMIT:
        return False
    for c in range(d):
        system[c, d] = -sign * system[c, d] / common
        if abs(system[c, d]) >= WHOLE_LIMIT:
            return False
    error = 0.0
    for c in range(d):
        place[v, d + 1 + c] = system[c, d]
        place[v, c] = system[c, d] / denominator
        error = max(error, abs(place[v, c]))
    place[v, 2 * d + 1] = denominator
    place[v, d] = 2.0 * ULP * error
    return True


@shared_kernel
def eliminate(d: int, system: Floats) -> bool:
    """Make the first d rows diagonal, with one number on all of the diagonal; False if integers grow too large."""
    last = 1
    for j in range(d):
        pivot = j
        while pivot < d and system[pivot, j] == 0.0:
            pivot += 1
        if pivot == d:
            return False
        swap(system, j, pivot)
        head = system[j, j]
        for i in range(d):
            if i == j:
                continue
            factor = system[i, j]
            for c in range(d + 1):
                if c == j:
                    continue
                if abs(system[i, c] * head) + abs(factor * system[j, c]) >= PRODUCT_LIMIT:
                    return False
                entry = int(system[i, c]) * int(head) - int(factor) * int(system[j, c])
                quotient = entry // last
                if abs(quotient) >= WHOLE_LIMIT:
                    return False
                system[i, c] = float(quotient)
            system[i, j] = 0.0
        for i in range(j):
            system[i, i] = head  # what the step makes of the diagonal before it
        last = int(head)
    return True


@shared_kernel
def gcd(a: float, b: float) -> float:
    """The greatest common divisor of two integers below 2^53."""
    x, y = int(a), int(b)
    while y != 0:
        x, y = y, x % y
    return float(x)


@shared_kernel
def integer_sign(d: int, forms: Floats, layer: int, unit: int, place: Floats, v: int) -> int:
    """The sign of an exact form at a vertex that is known in integers, UNKNOWN if it may be too large to be exact."""
    total = forms[layer, d, unit] * place[v, 2 * d + 1]
    size = abs(total)
    for c in range(d):
        term = forms[layer, c, unit] * place[v, d + 1 + c]
        total += term
        size += abs(term)
    if size >= WHOLE_LIMIT:
        return UNKNOWN
    return 1 if total > 0.0 else (-1 if total < 0.0 else 0)


@shared_kernel
def lies_on_twin(words: Axes, units: Ints, marks: Words, v: int, owner: Ints, layer: int, unit: int) -> bool:
    """Whether a vertex lies on the row of a unit of the same layer with proportional weights."""
    for w in range(len(words)):
        slots = marks[v, w]
        while slots != NONE:
            place = lowest(slots)
            slots ^= bit(place)
            row = owner[64 * w + place]
            if (
                row >> LAYER_SHIFT == layer
                and units[TWIN, layer, row & UNIT_MASK] == units[TWIN, layer, unit]
            ):
                return True
    return False


@shared_kernel
def is_origin(d: int, place: Floats, v: int) -> bool:
    """Whether a vertex is exactly the origin of the coordinates."""
    largest = 0.0
    for c in range(d + 1):
        largest = max(largest, abs(place[v, c]))
    return largest == 0.0


@shared_kernel
def settle_zeros(
    d: int,
    words: Axes,
    units: Ints,
    layer: int,
    place: Floats,
    marks: Words,
    v: int,
    owner: Ints,
    rest: Words,
    at: int,
) -> None:
    """Settle signs at a vertex that are open, where it lies on a twin, or is an origin that the unit vanishes in."""
    n_words, s = len(words), rest.shape[1]
    for w in range(s):
        unsure = marks[v, n_words + w] & marks[v, n_words + s + w] & rest[at, w]
        while unsure != NONE:
            place_of = lowest(unsure)
            one = bit(place_of)
            unsure ^= one
            unit = 64 * w + place_of
            is_zero = lies_on_twin(words, units, marks, v, owner, layer, unit)
            if is_zero or (units[IS_FREE, layer, unit] == 1 and is_origin(d, place, v)):
                marks[v, n_words + w] &= ~one
                marks[v, n_words + s + w] &= ~one


@shared_kernel
def settle_in_integers(
    d: int,
    words: Axes,
    units: Ints,
    forms: Floats,
    layer: int,
    place: Floats,
    marks: Words,
    v: int,
    owner: Ints,
    system: Floats,
    rest: Words,
    at: int,
) -> None:
    """Settle signs at a vertex that are open, where forms and vertex are small integers."""
    n_words, s = len(words), rest.shape[1]
    if not find_integers(d, words, units, forms, place, marks, v, owner, system):
        return
    for w in range(s):
        unsure = marks[v, n_words + w] & marks[v, n_words + s + w] & rest[at, w]
        while unsure != NONE:
            place_of = lowest(unsure)
            one = bit(place_of)
            unsure ^= one
            unit = 64 * w + place_of
            if forms[layer, d + ERROR, unit] == 0.0:
                sign = integer_sign(d, forms, layer, unit, place, v)
                if sign <= 0:
                    marks[v, n_words + w] &= ~one
                if sign == 0 or sign == 1:
                    marks[v, n_words + s + w] &= ~one
