"""Kernels that evaluate units at vertices, and solve for a vertex anew where its coordinates are known too badly.

A vertex is the point where all the rows in its slots are exactly 0. Its stored coordinates are at most its error
(maximum norm) away from it; a value beyond what that error and rounding can do has the sign of the true one.
"""

from __future__ import annotations

from polyregions._types import Floats, Ints
from polyregions.engine.cells.state import (
    BASE,
    ERROR,
    IS_FREE,
    LAYER_SHIFT,
    NORM,
    SAFE,
    TINY,
    ULP,
    UNIT_MASK,
    Axes,
    Words,
)
from polyregions.engine.cells.words import NONE, bit, lowest
from polyregions.engine.kernels.compiled import shared_kernel, uncounted_kernel
from polyregions.engine.kernels.state import ZERO


@uncounted_kernel
def value(axes: Axes, forms: Floats, layer: int, unit: int, place: Floats, v: int) -> float:
    """The value of a unit at a vertex, rounded."""
    d = len(axes) + ZERO
    z: float = forms[layer, d, unit]
    for c in range(d):
        z += forms[layer, c, unit] * place[v, c]
    return z


@uncounted_kernel
def doubt(axes: Axes, forms: Floats, layer: int, unit: int, place: Floats, v: int) -> float:
    """What the true value of a unit at a vertex is at most away from the computed one."""
    d = len(axes) + ZERO
    bound: float = forms[layer, d + BASE, unit] + forms[layer, d + NORM, unit] * place[v, d]
    return bound * SAFE


@uncounted_kernel
def mark(
    axes: Axes,
    words: Axes,
    forms: Floats,
    layer: int,
    place: Floats,
    marks: Words,
    v: int,
    rest: Words,
    at: int,
) -> bool:
    """Mark which units of rest[at] may be positive at a vertex, and which negative; whether none may be both."""
    n_words, s = len(words), rest.shape[1]
    is_sure = True
    for w in range(s):
        asked, up, down = rest[at, w], NONE, NONE
        while asked != NONE:
            place_of = lowest(asked)
            one = bit(place_of)
            asked ^= one
            unit = 64 * w + place_of
            z = value(axes, forms, layer, unit, place, v)
            bound = doubt(axes, forms, layer, unit, place, v)
            if z > bound:
                up |= one
            elif z < -bound:
                down |= one
            else:
                up |= one
                down |= one
                is_sure = False
        marks[v, n_words + w] = up
        marks[v, n_words + s + w] = down
    return is_sure


@shared_kernel
def gather(
    d: int,
    words: Axes,
    units: Ints,
    forms: Floats,
    marks: Words,
    v: int,
    owner: Ints,
    system: Floats,
    whole_only: bool,
) -> int:
    """Put the rows that a vertex lies on into system: coefficients, error, slopes, IS_FREE; how many there are.

    Args:
        whole_only: take those only that are exact.
    """
    m = 0
    for w in range(len(words)):
        slots = marks[v, w]
        while slots != NONE:
            place = lowest(slots)
            slots ^= bit(place)
            row = owner[64 * w + place]
            layer, unit = row >> LAYER_SHIFT, row & UNIT_MASK
            error = forms[layer, d + ERROR, unit]
            if whole_only and error != 0.0:
                continue
            for c in range(d + 1):
                system[m, c] = forms[layer, c, unit]
            system[m, d + 1] = error
            system[m, d + 2] = forms[layer, d + NORM, unit]
            system[m, d + 3] = float(units[IS_FREE, layer, unit])
            m += 1
    return m


@shared_kernel
def choose(d: int, system: Floats, m: int) -> bool:
    """Bring d independent ones of m rows to the front, large pivots first; False if there are none."""
    half = system.shape[0] // 2
    if m < d:
        return False
    if m == d:
        return True
    for i in range(m):
        scale = 1.0 / max(system[i, d + 2], TINY)
        for c in range(d):
            system[half + i, c] = system[i, c] * scale
    for j in range(d):
        best, pivot, column = 0.0, j, 0
        for i in range(j, m):
            for c in range(d):
                if abs(system[half + i, c]) > best:
                    best, pivot, column = abs(system[half + i, c]), i, c
        if best < 1e-12:
            return False
        swap(system, j, pivot)
        swap(system, half + j, half + pivot)
        for i in range(j + 1, m):
            factor = system[half + i, column] / system[half + j, column]
            for c in range(d):
                system[half + i, c] -= factor * system[half + j, c]
            system[half + i, column] = 0.0
    return True


@shared_kernel
def swap(system: Floats, i: int, j: int) -> None:
    """Exchange two rows."""
    if i != j:
        for c in range(system.shape[1]):
            system[i, c], system[j, c] = system[j, c], system[i, c]


@uncounted_kernel
def invert(axes: Axes, system: Floats) -> bool:
    """The inverse of the first d rows' coefficients, into the second half of system; False if a pivot is 0.

    Gauss-Jordan in place: rows are exchanged as pivots are chosen, and the columns of the inverse back at the end.
    """
    d, half = len(axes) + ZERO, system.shape[0] // 2
    for i in range(d):
        for c in range(d):
            system[half + i, c] = system[i, c]
    for j in range(d):
        pivot, best = j, abs(system[half + j, j])
        for i in range(j + 1, d):
            size = abs(system[half + i, j])
            if size > best:
                pivot, best = i, size
        if best == 0.0:
            return False
        system[half + j, d] = pivot
        if pivot != j:
            for c in range(d):
                system[half + j, c], system[half + pivot, c] = system[half + pivot, c], system[half + j, c]
        inverse = 1.0 / system[half + j, j]
        system[half + j, j] = 1.0
        for c in range(d):
            system[half + j, c] *= inverse
        for i in range(d):
            if i != j:
                factor = system[half + i, j]
                system[half + i, j] = 0.0
                for c in range(d):
                    system[half + i, c] -= factor * system[half + j, c]
    for k in range(d):
        j = d - 1 - k
        pivot = int(system[half + j, d])
        if pivot != j:
            for i in range(d):
                system[half + i, j], system[half + i, pivot] = system[half + i, pivot], system[half + i, j]
    return True


@uncounted_kernel
def sharpen(
    axes: Axes,
    words: Axes,
    units: Ints,
    forms: Floats,
    place: Floats,
    marks: Words,
    v: int,
    owner: Ints,
    system: Floats,
) -> bool:
    """Solve for a vertex by d rows that it lies on, and keep the solution if it is known better; whether it is.

    With M close to the inverse of the rows A, and G = I - MA, the solution x of A x + b = 0 is at most
    max |M| (|A x' + b| + row errors) / (1 - |G|) away from any x'; one step from where the vertex was gives x'.
    """
    d, half = len(axes) + ZERO, system.shape[0] // 2
    m = gather(d, words, units, forms, marks, v, owner, system, False)
    if not choose(d, system, m) or not invert(axes, system):
        return False
    shrink = contraction(axes, system)
    if not shrink < 0.5:
        return False
    if is_apex(d, system):
        for c in range(d + 1):
            place[v, c] = 0.0
        return True
    solution = half + d  # a spare row
    for c in range(d):
        system[solution, c] = place[v, c]
    for i in range(d):
        residual(axes, system, i, solution)
    for c in range(d):
        step = 0.0
        for i in range(d):
            step += system[half + c, i] * system[solution + 1, i]
        system[solution, c] -= step
    for i in range(d):
        system[solution + 1, i] = residual(axes, system, i, solution)
    error = 0.0
    for c in range(d):
        total = 0.0
        for i in range(d):
            total += abs(system[half + c, i]) * system[solution + 1, i]
        error = max(error, total)
    error = (error / (1.0 - shrink)) * SAFE
    if not error < place[v, d]:
        return False
    for c in range(d):
        place[v, c] = system[solution, c]
    place[v, d] = error
    return True


@shared_kernel
def is_apex(d: int, system: Floats) -> bool:
    """Whether the first d rows have no constant, and are independent whatever their errors: they meet in the origin.

    Within a reach of at least 1 an entry's error is at most that of the row's value.
    """
    half = system.shape[0] // 2
    for i in range(d):
        if system[i, d + 3] != 1.0:
            return False
        change = 0.0
        for j in range(d):
            change += abs(system[half + i, j]) * system[j, d + 1]
        if not change < 0.25:
            return False
    return True


@uncounted_kernel
def contraction(axes: Axes, system: Floats) -> float:
    """A bound on |I - MA|, the maximum over rows of sums of absolute entries."""
    d, half = len(axes) + ZERO, system.shape[0] // 2
    worst = 0.0
    for i in range(d):
        total = 0.0
        for c in range(d):
            entry, size = (-1.0 if i == c else 0.0), 1.0
            for j in range(d):
                term = system[half + i, j] * system[j, c]
                entry += term
                size += abs(term)
            total += abs(entry) + (d + 3) * ULP * size
        worst = max(worst, total)
    return worst * SAFE


@uncounted_kernel
def residual(axes: Axes, system: Floats, i: int, solution: int) -> float:
    """The value of row i at the solution, into the row after it; returned is a bound on the true row's value there."""
    d = len(axes) + ZERO
    total, size = system[i, d], abs(system[i, d])
    for c in range(d):
        term = system[i, c] * system[solution, c]
        total += term
        size += abs(term)
    system[solution + 1, i] = total
    bound: float = (abs(total) + (d + 4) * ULP * size + system[i, d + 1]) * SAFE
    return bound
