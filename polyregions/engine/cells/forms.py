"""Kernels that pull layers back to the current cell: from nothing, or by what changed since the last cell.

A form's error bounds the distance of its computed value to the true one anywhere in reach. It is 0 where all terms are
integers and their sizes add up to less than 2^52: nothing was rounded then.
"""

from __future__ import annotations

from polyregions._types import Floats, Ints
from polyregions.engine.cells.state import (
    ALONG,
    BASE,
    COMPOSED,
    ERROR,
    IS_WHOLE,
    MORE,
    MOST_UPDATES,
    NORM,
    ON,
    REACH,
    SAFE,
    SIZE,
    TAU,
    TERMS,
    TINY,
    ULP,
    UPDATES,
    VERSION,
    WHOLE_LIMIT,
    Words,
)
from polyregions.engine.cells.words import NONE, bit, lowest
from polyregions.engine.kernels.compiled import shared_kernel


@shared_kernel
def compose_layer(
    d: int,
    weight: Floats,
    slopes: Floats,
    widths: Ints,
    space: Floats,
    forms: Floats,
    signs: Words,
    entries: Ints,
    layer: int,
) -> None:
    """The forms of a layer along the bits of the one below it."""
    below = layer - 1
    is_same = entries[layer, ALONG] == entries[below, VERSION] and entries[layer, VERSION] > 0
    if is_same and entries[layer, UPDATES] <= MOST_UPDATES:
        n_changed = update(d, weight, slopes, widths, forms, signs, entries, layer)
        if n_changed == 0:
            return
        entries[layer, UPDATES] += n_changed
    else:
        compose(d, weight, slopes, widths, space, forms, signs, entries, layer)
        entries[layer, UPDATES] = 0
    for w in range(signs.shape[2]):
        signs[below, COMPOSED, w] = signs[below, ON, w]
    entries[layer, ALONG] = entries[below, VERSION]
    entries[layer, VERSION] += 1
    measure(d, space, forms, layer, widths[layer])


@shared_kernel
def compose(
    d: int,
    weight: Floats,
    slopes: Floats,
    widths: Ints,
    space: Floats,
    forms: Floats,
    signs: Words,
    entries: Ints,
    layer: int,
) -> None:
    """The forms of a layer as sums of all terms."""
    n, below = widths[layer], layer - 1
    n_below, last = widths[below], weight.shape[1] - 1
    for i in range(n):
        bias = weight[layer, last, i]
        for c in range(d + 1):
            forms[layer, c, i] = bias * space[TAU, c]
        forms[layer, d + ERROR, i] = abs(bias) * space[MORE, 0]
        forms[layer, d + SIZE, i] = abs(bias) * space[MORE, 1]
        forms[layer, d + TERMS, i] = 1.0 if bias != 0.0 else 0.0
    n_terms = 0
    for j in range(n_below):
        is_on = signs[below, ON, j >> 6] & bit(j) != NONE
        slope = slopes[below, j, 1] if is_on else slopes[below, j, 0]
        if slope != 0.0 and forms[below, d + TERMS, j] != 0.0:
            add_term(d, weight, forms, layer, j, slope, 1.0, n)
            n_terms += 1
    rounding = (n_terms + d + 10) * ULP * SAFE
    is_whole = entries[layer, IS_WHOLE] == 1
    for i in range(n):
        error, size = forms[layer, d + ERROR, i], forms[layer, d + SIZE, i]
        is_exact = is_whole and error == 0.0 and size < WHOLE_LIMIT
        forms[layer, d + ERROR, i] = 0.0 if is_exact else (error + rounding * size) * SAFE + TINY


@shared_kernel
def add_term(
    d: int, weight: Floats, forms: Floats, layer: int, j: int, slope: float, n_terms: float, n: int
) -> None:
    """Add a unit of the layer below, times its slope, to all forms of a layer; error and size add up."""
    for c in range(d + 1):
        term = forms[layer - 1, c, j] * slope
        for i in range(n):
            forms[layer, c, i] += weight[layer, j, i] * term
    error = forms[layer - 1, d + ERROR, j] * abs(slope)
    size = forms[layer - 1, d + SIZE, j] * abs(slope)
    for i in range(n):
        a = abs(weight[layer, j, i])
        forms[layer, d + ERROR, i] += a * error
        forms[layer, d + SIZE, i] += a * size
        forms[layer, d + TERMS, i] += n_terms if a != 0.0 else 0.0


@shared_kernel
def update(
    d: int,
    weight: Floats,
    slopes: Floats,
    widths: Ints,
    forms: Floats,
    signs: Words,
    entries: Ints,
    layer: int,
) -> int:
    """Add to the forms of a layer what changed with the bits of the layer below; how many bits that were."""
    below, n, n_changed = layer - 1, widths[layer], 0
    is_whole = entries[layer, IS_WHOLE] == 1
    for w in range(signs.shape[2]):
        changed = signs[below, ON, w] ^ signs[below, COMPOSED, w]
        while changed != NONE:
            place = lowest(changed)
            changed &= ~bit(place)
            j = 64 * w + place
            if forms[below, d + TERMS, j] == 0.0:
                continue
            is_on = signs[below, ON, w] & bit(place) != NONE
            new, old = (
                (slopes[below, j, 1], slopes[below, j, 0])
                if is_on
                else (slopes[below, j, 0], slopes[below, j, 1])
            )
            n_terms = (1.0 if new != 0.0 else 0.0) - (1.0 if old != 0.0 else 0.0)
            add_term(d, weight, forms, layer, j, new - old, n_terms, n)
            round_update(d, forms, layer, n, is_whole)
            n_changed += 1
    return n_changed


@shared_kernel
def round_update(d: int, forms: Floats, layer: int, n: int, is_whole: bool) -> None:
    """What rounding one update can do, by the sizes after it: they are those before it and that of the term."""
    for i in range(n):
        error, size = forms[layer, d + ERROR, i], forms[layer, d + SIZE, i]
        is_exact = is_whole and error == 0.0 and size < WHOLE_LIMIT
        forms[layer, d + ERROR, i] = 0.0 if is_exact else (error + 8.0 * ULP * size) * SAFE + TINY


@shared_kernel
def measure(d: int, space: Floats, forms: Floats, layer: int, n: int) -> None:
    """Sizes and slopes of a layer's forms as they are, and what bounds the error of their values."""
    for i in range(n):
        forms[layer, d + SIZE, i] = abs(forms[layer, d, i])
        forms[layer, d + NORM, i] = 0.0
    for c in range(d):
        reach = space[REACH, c]
        for i in range(n):
            a = abs(forms[layer, c, i])
            forms[layer, d + NORM, i] += a
            forms[layer, d + SIZE, i] += a * reach
    for i in range(n):
        size = forms[layer, d + SIZE, i] * SAFE
        forms[layer, d + SIZE, i] = size
        forms[layer, d + NORM, i] *= SAFE
        forms[layer, d + BASE, i] = ((d + 4) * ULP * size + forms[layer, d + ERROR, i]) * SAFE
