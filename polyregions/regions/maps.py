"""The affine maps of all regions of a set: exact, composed once for what neighbouring patterns share.

In a sorted set a pattern has most layers in common with the one before it, and those are not composed again.
Maps are compared over the coordinates u of the domain's hull: two maps that differ only off the hull are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np

from polyregions._types import Bools, Ints
from polyregions.errors import expect
from polyregions.exact.affine import IntegerAffine, reduced
from polyregions.regions.prefixes import Prefixes
from polyregions.regions.region_set import RegionSet

MapKey: TypeAlias = tuple[int, ...]


def output_maps(regions: RegionSet, over_hull: bool = False) -> Iterator[IntegerAffine]:
    """The exact affine map of each region in turn, over the inputs or the coordinates u of the domain's hull."""
    layers = regions.problem.layers if over_hull else regions.problem.input_layers
    prefixes = Prefixes(layers)
    yield from map(prefixes.output, regions.patterns)


def map_key(affine: IntegerAffine) -> MapKey:
    """Integers that are the same for equal maps of one shape, and for those only."""
    short = reduced(affine.matrix, affine.denominator)
    return (int(short.denominator), *(int(entry) for entry in short.matrix.entries()))


def image_dimensions(regions: RegionSet) -> Ints:
    """Dimension (R,) of the image of each region under the network: the exact rank of its affine map's linear part.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])
    >>> pr.image_dimensions(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))).tolist()
    [0, 1, 1, 2]
    """
    expect(regions, RegionSet, "regions")
    return np.array([m.linear_rank() for m in output_maps(regions, over_hull=True)], dtype=np.int64)


def dead_regions(regions: RegionSet) -> Ints:
    """The activation layer (R,), counted from 0, that dies first in each region; -1 where none does.

    A layer is dead where it gives zero: all its units are off and have no slope there. Everything after it is
    constant. A layer with identity or leaky units never dies; one without units carries nothing and is left out.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [-1]), ([[1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-1], [2]))
    >>> regions.patterns.astype(int).tolist()
    [[0, 0, 0], [1, 0, 0], [1, 1, 1]]
    >>> pr.dead_regions(regions).tolist()
    [0, 1, -1]
    """
    expect(regions, RegionSet, "regions")
    dead = dead_layers(regions)
    if not dead.shape[1]:
        return np.full(len(dead), -1, dtype=np.int64)
    return np.where(dead.any(axis=1), dead.argmax(axis=1), -1)


def dead_layers(regions: RegionSet) -> Bools:
    """Whether each activation layer gives zero, (R, L): every unit is off and has no slope there."""
    patterns, network = regions.patterns, regions.network
    pairs = list(zip(network.activation_layers, network.layer_spans, strict=True))
    dead = [~patterns[:, start:end].any(axis=1) & layer.can_die for layer, (start, end) in pairs]
    return np.array(dead, dtype=np.bool_).reshape(len(pairs), len(patterns)).T
