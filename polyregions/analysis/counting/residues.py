"""Which regions have exactly the same affine map, found and proved with residues modulo primes.

Over the product Q of all denominators every coefficient of every region's map is an integer of known size. Two maps
are different as soon as they differ modulo one prime. They are equal if they agree modulo primes whose product
exceeds twice that size (Chinese remainders): no rational is ever written down. The primes are so small that float64
matrix products are exact, so whole batches of regions are composed at BLAS speed, common prefixes once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

import numpy as np
from flint import fmpz

from polyregions._types import Bools, Floats, Ints
from polyregions.errors import InternalError
from polyregions.networks.graph.integers import IntegerLayer
from polyregions.networks.network import Network
from polyregions.regions.region_set import RegionSet

BATCH_ENTRIES = 1 << 20  # coefficients of one layer that are held at once
EXACT_BITS = 53  # integers below 2^53 are exact in float64


def map_classes(regions: RegionSet) -> Ints:
    """A class (R,) for each region, the same for two regions iff their maps on the domain are the same.

    Classes are numbered in order of appearance.

    Raises:
        InternalError: too few primes for the size of the coefficients.

    Complexity: one pass over the regions, with one prime, if all maps differ; regions whose map another one has
    are composed again modulo each further prime, about (bits of Q and of the coefficients) / 22 times.
    """
    layers = [IntegerLayer.of(layer) for layer in regions.problem.inner.layers]
    needed, product = 2 * _largest_numerator(layers), 1
    classes = np.zeros(len(regions), dtype=np.int64)
    for prime in _primes(regions.problem.inner, layers):
        repeated = np.flatnonzero(np.bincount(classes)[classes] > 1)
        if not len(repeated) or product > needed:
            return _in_order_of_appearance(classes)
        classes[repeated] = _refined(regions.patterns, classes, repeated, layers, prime)
        product *= prime
    raise InternalError("residues: too few primes for the size of the network's coefficients")


@dataclass(frozen=True, eq=False)
class _ResidueLayer:
    """A layer modulo a prime: entries (n, k+1) and slopes (n, 2), integers in float64."""

    entries: Floats
    slopes: Floats
    kinked: Ints

    @classmethod
    def of(cls, layer: IntegerLayer, prime: int) -> _ResidueLayer:
        inverse, slope_inverse = (
            pow(layer.map.denominator, -1, prime),
            pow(layer.slope_denominator, -1, prime),
        )
        return cls(
            (layer.map.dense % prime * inverse % prime).astype(np.float64),
            (layer.slopes % prime * slope_inverse % prime).astype(np.float64),
            layer.kinked,
        )

    def slopes_along(self, bits: Bools) -> Floats:
        """Slopes (n, G) of the units for G rows of bits (G, kinked)."""
        chosen = np.repeat(self.slopes[:, 1:], len(bits), axis=1)
        off = self.slopes[self.kinked, :1]
        chosen[self.kinked] = np.where(bits.T, chosen[self.kinked], off)
        return chosen


def _largest_numerator(layers: list[IntegerLayer]) -> int:
    """A bound on all coefficients of all maps, times the product Q of all denominators."""
    size, scale = 0, 1
    for i, layer in enumerate(layers):
        entries = np.abs(layer.map.dense)
        constant = int(entries[:, -1].max(initial=0))
        if i == 0:
            size = int(entries.max(initial=0))
        else:
            size = int(entries[:, :-1].sum(axis=1).max(initial=0)) * size + constant * scale
        size *= int(np.abs(layer.slopes).max(initial=0))
        scale *= layer.map.denominator * layer.slope_denominator
    return size


def _primes(network: Network, layers: list[IntegerLayer]) -> Iterator[int]:
    """Primes, the largest first, for which sums of products are exact and every denominator has an inverse."""
    terms = max(layer.n_inputs for layer in network.layers) + 2
    denominators = [d for layer in layers for d in (layer.map.denominator, layer.slope_denominator)]
    for candidate in range(isqrt((1 << EXACT_BITS) // terms) - 1, 2, -1):
        if fmpz(candidate).is_prime() and all(d % candidate for d in denominators):
            yield candidate


def _refined(
    patterns: Bools, classes: Ints, repeated: Ints, layers: list[IntegerLayer], prime: int
) -> list[int]:
    """New classes of the repeated regions: by their class so far and their map modulo the prime."""
    residues = [_ResidueLayer.of(layer, prime) for layer in layers]
    size = max(len(layer.slopes) for layer in layers) * (layers[0].map.n_columns + 1)
    step = max(1, BATCH_ENTRIES // max(1, size))
    known: dict[tuple[int, bytes], int] = {}
    start, refined = int(classes.max(initial=0)) + 1, []
    for first in range(0, len(repeated), step):
        batch = repeated[first : first + step]
        for old, row in zip(
            classes[batch].tolist(), _output_maps(residues, patterns[batch], prime), strict=True
        ):
            refined.append(known.setdefault((old, row.tobytes()), start + len(known)))
    return refined


def _output_maps(layers: list[_ResidueLayer], patterns: Bools, prime: int) -> Ints:
    """The network's maps (B, c (k+1)) along B patterns, modulo the prime."""
    n_regions, k = len(patterns), layers[0].entries.shape[1]
    group = np.zeros(n_regions, dtype=np.int64)
    maps, start = layers[0].entries[:, None, :], 0
    for before, layer in zip(layers, layers[1:], strict=False):
        end = start + len(before.kinked)
        firsts, group, parents = _prefixes(patterns[:, :end], group)
        active = before.slopes_along(patterns[firsts, start:end])[:, :, None] * maps[:, parents] % prime
        maps = (layer.entries[:, :-1] @ active.reshape(len(active), -1)).reshape(-1, len(firsts), k)
        maps[:, :, -1] += layer.entries[:, -1:]
        maps %= prime
        start = end
    last = layers[-1].slopes_along(patterns[:, start:])[:, :, None] * maps[:, group] % prime
    return last.transpose(1, 0, 2).reshape(n_regions, -1).astype(np.int64)


def _prefixes(bits: Bools, group: Ints) -> tuple[Ints, Ints, Ints]:
    """Runs of equal rows: the first row of each, the run of each row, and the group of each run's first row."""
    changed = np.ones(len(bits), dtype=np.bool_)
    changed[1:] = np.any(bits[1:] != bits[:-1], axis=1)
    firsts = np.flatnonzero(changed)
    return firsts, np.cumsum(changed) - 1, group[firsts]


def _in_order_of_appearance(classes: Ints) -> Ints:
    _, first, inverse = np.unique(classes, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]
