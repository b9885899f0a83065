"""Kernels that give the boundary of each face its signs, by what every polytope's faces satisfy.

Two facets of a face meet in a ridge, or not; a ridge lies on exactly two of them. So if one facet of a face has a sign,
its neighbours across ridges have theirs, since along a ridge the two contributions to the boundary of the boundary
cancel; and the facets of a polytope are connected through ridges. No coordinate is looked at.
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Ints
from polyregions.engine.kernels.compiled import entry, kernel

NOBODY = -1


@entry
def orient(dim: Ints, offsets: Ints, facets: Ints, signs: Ints) -> None:
    """Fill in signs (M,) of the facets (M,) of all faces, from the dimension (F,) of each, facets before faces."""
    first = np.full(len(dim), NOBODY, dtype=np.int64)
    most = 0
    for f in range(len(dim)):
        most = max(most, n_ridges(f, offsets, facets))
    pairs = np.zeros((most + 1, 3), dtype=np.int64)
    for f in range(len(dim)):
        if dim[f] == 1:
            signs[offsets[f]], signs[offsets[f] + 1] = -1, 1
        elif dim[f] > 1:
            n = pair_up(f, offsets, facets, signs, first, pairs)
            spread_signs(offsets[f], offsets[f + 1], signs, pairs, n)


@kernel
def n_ridges(f: int, offsets: Ints, facets: Ints) -> int:
    """How many ridges the facets of a face have, each counted as often as they have it."""
    n = 0
    for i in range(offsets[f], offsets[f + 1]):
        n += offsets[facets[i] + 1] - offsets[facets[i]]
    return n


@kernel
def pair_up(f: int, offsets: Ints, facets: Ints, signs: Ints, first: Ints, pairs: Ints) -> int:
    """The facets of a face that share a ridge, two places among facets and how their signs are related; how many."""
    n = 0
    for i in range(offsets[f], offsets[f + 1]):
        for j in range(offsets[facets[i]], offsets[facets[i] + 1]):
            other = first[facets[j]]
            if other == NOBODY:
                first[facets[j]] = (i << 1) + (signs[j] > 0)
                continue
            first[facets[j]] = NOBODY
            pairs[n, 0], pairs[n, 1] = other >> 1, i
            pairs[n, 2] = -1 if (other & 1 == 1) == (signs[j] > 0) else 1
            n += 1
    return n


@kernel
def spread_signs(start: int, end: int, signs: Ints, pairs: Ints, n: int) -> None:
    """Give the first facet of a face the sign 1, and the others what follows."""
    for i in range(start, end):
        signs[i] = 0
    signs[start] = 1
    left = end - start - 1
    while left > 0:
        before = left
        for p in range(n):
            i, j, same = pairs[p, 0], pairs[p, 1], pairs[p, 2]
            if signs[i] != 0 and signs[j] == 0:
                signs[j] = same * signs[i]
                left -= 1
            elif signs[j] != 0 and signs[i] == 0:
                signs[i] = same * signs[j]
                left -= 1
        if left == before:
            return
