"""Point location: which region holds a given point, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.exact.numbers import Point
from polyregions.networks.certain_patterns import certified_patterns
from polyregions.networks.patterns import key_of, keys, pack
from polyregions.networks.problem import Problem


def locate(
    problem: Problem,
    index: Mapping[bytes, int],
    points: Iterable[Point],
    inside: Bools,
    X: Floats,
    rational: Mapping[int, tuple[Fraction, ...]],
) -> list[int]:
    """The region (k,) of each row of X (k, d); -1 outside the domain, or where no known region is.

    Args:
        problem: network and domain.
        index: packed pattern -> region.
        points: an interior point of each region, over the hull's coordinates.
        inside: (k,) which rows lie in the domain.
        X: (k, d) float64 points.
        rational: row -> its exact coordinates, for those that X holds only rounded.
    """
    patterns, certain = certified_patterns(problem.network, X)
    out = []
    certain[list(rational)] = False
    for i, (x, key, sure, here) in enumerate(zip(X, keys(pack(patterns)), certain, inside, strict=True)):
        if not here:
            out.append(-1)
        elif sure and key in index:
            out.append(index[key])
        else:
            exact = rational.get(i) or tuple(Fraction(c) for c in x.tolist())
            out.append(_locate_exactly(problem, index, points, exact))
    return out


def _locate_exactly(
    problem: Problem, index: Mapping[bytes, int], points: Iterable[Point], x: Sequence[Fraction]
) -> int:
    """By the half-open convention; else, on a pattern without interior, a region whose closure holds x.

    If x is in the closure of region k, every point between x and its interior point is inside region k:
    so looking from x towards each interior point in turn finds one.
    """
    u = problem.solid.hull.coordinates(x)
    found = index.get(_key(problem.exact.germ(u).pattern))
    if found is not None:
        return found
    for point in points:
        towards = [p - c for p, c in zip(point.coordinates, u, strict=True)]
        found = index.get(_key(problem.exact.germ(u, towards).pattern))
        if found is not None:
            return found
    return -1


def _key(bits: Sequence[bool]) -> bytes:
    return key_of(np.array(bits, dtype=np.bool_))
