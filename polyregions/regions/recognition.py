"""Which regions of a set the engine of cells comes upon when it makes their cells once more.

It usually comes upon all of them, in their order; a set that was put together otherwise is looked up.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from polyregions._types import Bytes, Ints
from polyregions.engine.choose import choose_engine
from polyregions.engine.kernels.facets import Store, fill_table, find_patterns, hash_patterns
from polyregions.engine.kernels.state import Chart
from polyregions.engine.reduction import Reduction
from polyregions.networks.patterns import pack
from polyregions.regions.region_set import RegionSet

CHUNK = 1024  # regions unpacked at a time


def have_cells(regions: RegionSet, reduction: Reduction) -> bool:
    """Whether to make the cells once more: all of them are wanted, and the engine of cells is the faster one."""
    is_small = reduction.problem.network.n_neurons > 0 and len(regions) > 0
    return is_small and regions.complete and choose_engine(reduction.problem, "auto") == "cells"


class Recognition:
    """Finds the regions of a set by their patterns, the next ones soonest.

    Args:
        regions: the set.
        reduction: the problem that the engine takes.

    Attributes:
        end: the region after the last that was found.
    """

    def __init__(self, regions: RegionSet, reduction: Reduction) -> None:
        self.regions, self.reduction = regions, reduction
        self.end = 0

    @cached_property
    def store(self) -> Store:
        """All patterns, to be found in any order."""
        return pattern_store(self.regions, self.reduction)

    def numbers(self, bits: Bytes) -> Ints:
        """The regions with given patterns (B, n) of the neurons kept; -1 for what the set does not hold."""
        found = self._next(bits)
        if found is None:
            found = find_regions(self.store, bits)
        if len(found) and found[-1] >= 0:
            self.end = int(found[-1]) + 1
        return found

    def _next(self, bits: Bytes) -> Ints | None:
        """The same if they are the regions from the end on, or from the last one, of which there was more."""
        packed = pack(self.reduction.widened(bits, self.reduction.fixed))
        for first in (self.end, max(0, self.end - 1)):
            if np.array_equal(self.regions.packed[first : first + len(bits)], packed):
                return np.arange(first, first + len(bits))
        return None


def find_regions(store: Store, bits: Bytes) -> Ints:
    """The regions with given patterns (B, n); -1 for what the set does not hold."""
    found, hashes = np.zeros(len(bits), dtype=np.int64), np.zeros(len(bits), dtype=np.int64)
    hash_patterns(bits, store.keys, hashes)
    find_patterns(store, bits, hashes, found)
    return found


def pattern_store(regions: RegionSet, reduction: Reduction, chart: Chart | None = None) -> Store:
    """The patterns of a set, to be found by their hashes; with a chart also what is needed to look across facets."""
    bits = _kept(regions.packed, regions, reduction)
    cuts = bits[:0] if chart is None else _kept(regions.packed_cuts, regions, reduction)
    rng = np.random.default_rng(0)  # which numbers does not matter, only that they are spread
    keys = rng.integers(np.iinfo(np.int64).min, np.iinfo(np.int64).max, max(1, bits.shape[1]))
    size = 1 << int(2 * len(bits) + 1).bit_length()
    store = Store(
        bits,
        cuts,
        np.zeros((0, regions.dim)) if chart is None else (regions.local_points - chart.shift) / chart.scale,
        np.zeros(len(bits), dtype=np.int64),
        np.full(size, -1, dtype=np.int64),
        keys,
        np.zeros((2, regions.dim))
        if chart is None
        else rng.uniform(chart.lower, chart.upper, (2, regions.dim)) / 2,
    )
    hash_patterns(store.bits, store.keys, store.hashes)
    fill_table(store.hashes, store.table)
    return store


def _kept(packed: Bytes, regions: RegionSet, reduction: Reduction) -> Bytes:
    """The bits of the neurons that are looked at (R, n)."""
    bits = np.empty((len(packed), len(reduction.kept)), dtype=np.uint8)
    for i in range(0, len(packed), CHUNK):
        part = np.unpackbits(packed[i : i + CHUNK], axis=1, count=regions.network.n_neurons)
        bits[i : i + CHUNK] = reduction.narrowed(part)
    return bits
