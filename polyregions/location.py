"""Point location: which region holds a given point, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.activations import activate
from polyregions.exact.numbers import Point
from polyregions.network import Layer, Network
from polyregions.oracle.proof import SAFE, TINY, UNIT, gamma
from polyregions.patterns import key_of, keys, pack
from polyregions.problem import Problem


def certified_patterns(network: Network, X: Floats) -> tuple[Bools, Bools]:
    """Activation patterns (k, N) of float64 points (k, d), and which rows (k,) are certain.

    A forward pass with a running error bound; a row is certain if no pre-activation is within its bound of 0.
    In a network that is not tame (see `scaling`) no row is.
    """
    values, error = X, np.zeros_like(X)
    bits, certain = [], np.full(len(X), network.is_tame)
    with np.errstate(all="ignore"):  # what is not a number is not certain
        for layer in network.layers:
            values, error = _pre_activations(layer, values, error)
            kinked = layer.splitting
            certain &= np.all(np.abs(values[:, kinked]) > error[:, kinked], axis=1)
            bits.append(values[:, kinked] > 0)
            values = activate(values, layer.slopes)
            error = (error * np.abs(layer.slopes).max(axis=1) + UNIT * np.abs(values)) * SAFE + TINY
    return np.concatenate(bits, axis=1), certain


def _pre_activations(layer: Layer, values: Floats, error: Floats) -> tuple[Floats, Floats]:
    """One affine map of points that are known up to an error; TINY covers what underflows, for points may be tiny."""
    size = np.abs(layer.weight)
    magnitude = np.abs(values) @ size.T + np.abs(layer.bias)
    bound = (error @ size.T + gamma(layer.n_inputs + 2) * magnitude) * SAFE + TINY
    if layer.exact is not None:
        bound = (bound + UNIT * magnitude) * SAFE
    return values @ layer.weight.T + layer.bias, bound


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
