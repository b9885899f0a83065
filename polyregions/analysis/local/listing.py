"""What a search found as sets of regions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyregions._types import Bools, Ints
from polyregions.analysis.local.search import Found
from polyregions.networks.patterns import pack
from polyregions.networks.problem import Problem
from polyregions.regions.packed import PackedRegions
from polyregions.regions.region_set import RegionSet

ENGINE = "local"


def sorted_by_pattern(found: Sequence[Found]) -> list[Found]:
    """In lexicographic order of the patterns, as in every set of regions."""
    return sorted(found, key=lambda region: pack(region.cell.pattern[None]).tobytes())


def region_set(problem: Problem, found: Sequence[Found], near: bool, complete: bool) -> RegionSet:
    """Sorted regions as a set.

    Args:
        problem: the network and an input set.
        found: some of its regions.
        near: whether the input set is what was looked at, so that the rows that mattered there are enough.
        complete: whether these are all the regions of the problem.
    """
    dim, n = problem.solid.hull.dim, problem.network.n_neurons
    cuts = [_bits(region.cell.neurons, n) if near else region.cell.varying for region in found]
    patterns = [region.cell.pattern for region in found]
    exact = {i: region.point.rational for i, region in enumerate(found)}
    listing = PackedRegions(
        pack(np.array(patterns, dtype=np.bool_).reshape(-1, n)),
        pack(np.array(cuts, dtype=np.bool_).reshape(-1, n)),
        np.array([region.point.approx for region in found]).reshape(-1, dim),
        {i: point for i, point in exact.items() if point is not None},
    )
    return RegionSet(problem, listing, complete, ENGINE)


def _bits(neurons: Ints, n: int) -> Bools:
    bits = np.zeros(n, dtype=np.bool_)
    bits[neurons] = True
    return bits
