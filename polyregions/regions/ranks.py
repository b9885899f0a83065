"""The dynamic rank of each layer on each region: the dimension of the image that arrives there.

On one region a network is affine, so its l-th layer sees the input through the matrix
``W_l D_(l-1) W_(l-1) ... D_1 W_1``, where D holds the slopes of the units. Its rank says how many dimensions are left.

Ranks of floats prove nothing, so integer multiples of these matrices are reduced modulo a prime. The rank there is a
lower bound: a minor that is not zero modulo the prime is not zero. It is the rank if it reaches an upper bound
(the rank of W_l, the rank one layer earlier, the number of units with a slope), or if all larger minors
are too small to be nonzero multiples of the prime. What is left is ranked in integers of any size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Floats, Integers, Ints
from polyregions.errors import OptionError, expect
from polyregions.exact.affine import integer_rank
from polyregions.networks.graph.integers import IntegerLayer
from polyregions.networks.pullback import ComposedLayers
from polyregions.regions.prefixes import Prefixes
from polyregions.regions.region_set import RegionSet

MATRICES = ("composed", "masked")
PRIME = 4194301  # below 2**22, so that float64 holds sums of 512 products of residues exactly
TERMS = 512
ENTRIES = 2**20  # of the matrices that are worked on at a time
ROUNDING = 1 + 2.0**-20  # more than the relative rounding error of a sum of a million positive terms


def layer_ranks(regions: RegionSet, of: str = "composed") -> Ints:
    """The dynamic rank (R, L) of every activation layer on every region, exactly.

    Entry (i, l) is the rank of ``W_l D_(l-1) ... D_1 W_1`` on region i, over the inputs of the network as it was
    given (also where the input set is lower-dimensional). It is 0 after a dead layer.

    Args:
        regions: the regions.
        of: "composed" for that matrix, which sees the input through all layers before; "masked" for the layer's own
            matrix ``W_l D_(l-1)``, of which only the units before it with a slope are left. The latter is never less.

    Raises:
        OptionError: another matrix.

    Complexity: regions with the same pattern up to a layer share the work; about 10 microseconds for each such
    prefix of small layers, some hundred where residues leave the rank open.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))
    >>> for region, ranks in zip(regions, layer_ranks(regions)):
    ...     print(region.pattern.astype(int), ranks)
    [0 0 0 0] [2 0]
    [0 1 1 0] [2 1]
    [1 0 1 1] [2 1]
    [1 1 1 0] [2 2]
    [1 1 1 1] [2 2]
    """
    expect(regions, RegionSet, "regions")
    if of not in MATRICES:
        raise OptionError(f"ranks of {of!r}, expected one of {', '.join(MATRICES)}")
    if of == "masked":
        return _masked_ranks(regions)
    layers = regions.problem.input_layers
    spans = regions.network.layer_spans
    residues = [_Residues.of(layers, index) for index in range(len(spans))]
    widest = max((len(r.weight) for r in residues), default=0) * max(1, regions.network.n_inputs)
    step = max(1, ENTRIES // max(1, widest))
    prefixes = Prefixes(layers)
    out = np.zeros((len(regions), len(spans)), dtype=np.int64)
    for start in range(0, len(regions), step):
        out[start : start + step] = _ranks(regions.patterns[start : start + step], spans, residues, prefixes)
    return out


def _masked_ranks(regions: RegionSet) -> Ints:
    """The rank (R, L) of ``W_l D_(l-1)``: that of the columns of W_l whose units have a slope."""
    layers, spans = regions.problem.input_layers, regions.network.layer_spans
    out = np.zeros((len(regions), len(spans)), dtype=np.int64)
    out[:, :1] = layers.affine(0).linear_rank() if spans else 0
    for index in range(1, len(spans)):
        start, end = spans[index - 1]
        patterns, group = np.unique(regions.patterns[:, start:end], axis=0, return_inverse=True)
        ranks = [_rank_along(layers, index, bits) for bits in patterns]
        out[:, index] = np.array(ranks, dtype=np.int64)[group.reshape(-1)]
    return out


def _rank_along(layers: ComposedLayers, index: int, bits: Bools) -> int:
    """The rank of a layer's weight over the units before it that have a slope, these having the given bits."""
    before, affine = layers.layers[index - 1], layers.affine(index)
    chosen = np.ones(len(before.slopes), dtype=np.int64)
    chosen[layers.kinked[index - 1]] = bits
    alive = np.flatnonzero(before.slopes[np.arange(len(chosen)), chosen] != 0).tolist()
    rows = [[row[j] for j in alive] for row in map(affine.row, range(affine.shape[0]))]
    return integer_rank(rows, len(alive))


@dataclass(frozen=True, eq=False)
class _Residues:
    """Integer multiples of a layer's weight and slopes, modulo the prime, and bounds on their size.

    Attributes:
        weight: (n, k) residues.
        size: (n, k) bounds on the absolute values of the integers; infinite for those of many digits.
        rank: of the weight.
        slopes: (n, 2) residues of the slopes (off, on).
        slope_size: (n, 2) bounds on their absolute values, 0 only for a slope of 0.
        kinked: the units with a bit in the pattern.
    """

    weight: Floats
    size: Floats
    rank: int
    slopes: Floats
    slope_size: Floats
    kinked: np.ndarray[tuple[int], np.dtype[np.intp]]

    @classmethod
    def of(cls, layers: ComposedLayers, index: int) -> _Residues:
        """Those of one layer of a network."""
        layer, rank = IntegerLayer.of(layers.layers[index]), layers.affine(index).linear_rank()
        return cls(*_reduced(layer.map.dense[:, :-1]), rank, *_reduced(layer.slopes), layer.kinked)

    def along(self, bits: Bools) -> tuple[Floats, Floats]:
        """Residues and sizes (P, n) of the slopes when the kinked units have the given bits (P, n_kinked)."""
        chosen = np.ones((len(bits), len(self.weight)), dtype=np.int64)
        chosen[:, self.kinked] = bits
        units = np.arange(len(self.weight))
        return self.slopes[units, chosen], self.slope_size[units, chosen]


def _reduced(integers: Integers) -> tuple[Floats, Floats]:
    """Residues modulo the prime, and absolute values, as floats."""
    sizes = np.abs(integers)
    return (integers % PRIME).astype(np.float64), np.where(sizes < 2**53, sizes, np.inf).astype(np.float64)


def _ranks(
    patterns: Bools, spans: list[tuple[int, int]], layers: list[_Residues], prefixes: Prefixes
) -> Ints:
    """The ranks (P, L) of consecutive patterns (P, N)."""
    out = np.zeros((len(patterns), len(spans)), dtype=np.int64)
    ranks = np.zeros(0, dtype=np.int64)
    members = np.zeros(len(patterns), dtype=np.int64)  # the prefix that each pattern begins with
    changed = np.zeros(
        len(patterns), dtype=np.bool_
    )  # whether it begins with another one than its predecessor
    for index, layer in enumerate(layers):
        if index == 0:
            matrices, norms = layer.weight[None], layer.size.sum(axis=1)[None]
            upper, first = np.array([layer.rank]), np.zeros(1, dtype=np.int64)
        else:
            start, end = spans[index - 1]
            changed[1:] |= np.any(patterns[1:, start:end] != patterns[:-1, start:end], axis=1)
            first = np.flatnonzero(changed | (np.arange(len(patterns)) == 0))
            parents, members = members[first], np.cumsum(changed)
            slopes, sizes = layers[index - 1].along(patterns[first, start:end])
            matrices = _product(layer.weight, slopes[:, :, None] * matrices[parents] % PRIME)
            norms = _bounds(layer.size, sizes, norms[parents])
            upper = np.minimum(np.minimum(layer.rank, ranks[parents]), np.count_nonzero(sizes, axis=1))
        ranks = _rank_modulo(matrices)
        unsure = np.flatnonzero(ranks < upper)
        for i in unsure[~_minors_vanish(norms[unsure], ranks[unsure])].tolist():
            ranks[i] = prefixes.layer(patterns[first[i]], index).exact.linear_rank()
        out[:, index] = ranks[members]
    return out


def _product(weight: Floats, matrices: Floats) -> Floats:
    """``weight (n, k) @ matrices (P, k, d)`` modulo the prime; every sum is exact in float64."""
    total = np.zeros((len(matrices), len(weight), matrices.shape[2]))
    for k in range(0, weight.shape[1], TERMS):
        total = (total + weight[:, k : k + TERMS] @ matrices[:, k : k + TERMS] % PRIME) % PRIME
    return total


def _bounds(size: Floats, slopes: Floats, norms: Floats) -> Floats:
    """Bounds (P, n) on the sum of the absolute values in each row of the integer matrices."""
    with np.errstate(all="ignore"):
        bounds = np.where(slopes > 0, slopes * norms, 0.0) @ size.T * ROUNDING
    return np.where(np.isnan(bounds), np.inf, bounds)  # 0 times infinity


def _minors_vanish(norms: Floats, ranks: Ints) -> Bools:
    """Whether every minor of one size more than the rank modulo the prime is smaller than the prime, so zero.

    Hadamard: a minor is at most the product of the norms of its rows.
    """
    with np.errstate(all="ignore"):
        largest = np.cumprod(-np.sort(-norms, axis=1), axis=1) * ROUNDING
    small: Bools = largest[np.arange(len(ranks)), ranks] < PRIME
    return small


def _rank_modulo(matrices: Floats) -> Ints:
    """The ranks (P,) of matrices (P, n, d) of residues, by elimination without division."""
    work = matrices.astype(np.int64)
    if work.shape[2] > work.shape[1]:
        work = work.transpose(0, 2, 1).copy()
    ranks, each = np.zeros(len(work), dtype=np.int64), np.arange(len(work))
    if not work.shape[1]:
        return ranks
    free = np.ones(work.shape[:2], dtype=np.bool_)
    for c in range(work.shape[2]):
        column = np.where(free, work[:, :, c], 0)
        pivot = np.argmax(column != 0, axis=1)
        value, row = column[each, pivot], work[each, pivot, c + 1 :]
        found = value != 0
        ranks += found
        free[each, pivot] &= ~found
        scale = np.where(found, value, 1)[:, None, None]
        work[:, :, c + 1 :] = (scale * work[:, :, c + 1 :] - column[:, :, None] * row[:, None, :]) % PRIME
    return ranks
