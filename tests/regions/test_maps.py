"""Pieces, distinct maps, image dimensions and dead regions, against the naive twin."""

from __future__ import annotations

import numpy as np
import pytest

import naive
from polyregions import (
    Box,
    Network,
    Slice,
    dead_regions,
    enumerate_regions,
    image_dimensions,
    merged_regions,
)
from polyregions.analysis.counting.residues import map_classes
from polyregions.errors import InputError
from polyregions.regions.maps import map_key, output_maps
from randoms import generator, integer_layers

SHAPES = [(1, 3, 1), (2, 4, 2), (2, 3, 3, 1), (2, 2, 2, 2), (1, 2, 2, 2)]


@pytest.mark.parametrize("seed", range(25))
def test_pieces_maps_and_ranks_are_those_of_the_naive_twin(seed: int) -> None:
    sizes = SHAPES[seed % len(SHAPES)]
    layers = integer_layers(generator(seed), sizes)
    rows = naive.box([-1] * sizes[0], [2] * sizes[0])
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 2, sizes[0]))
    patterns = [tuple(int(b) for b in p) for p in regions.patterns]
    labels = merged_regions(regions)
    pieces = {frozenset(patterns[i] for i in np.flatnonzero(labels == k)) for k in range(labels.max() + 1)}
    assert pieces == {frozenset(piece) for piece in naive.connected_pieces(layers, rows)}
    assert len(set(map_classes(regions).tolist())) == len(naive.distinct_maps(layers, rows))
    assert image_dimensions(regions).tolist() == [
        naive.rank(naive.affine_map(layers, p)[0]) for p in patterns
    ]


@pytest.mark.parametrize("seed", range(10))
def test_shared_layers_give_the_same_maps_as_one_region_at_a_time(seed: int) -> None:
    regions = enumerate_regions(
        Network.from_layers(integer_layers(generator(seed), (2, 4, 3, 3, 2))), Box.cube(-2, 2, 2)
    )
    for region, found in zip(regions, output_maps(regions), strict=True):
        assert map_key(found) == map_key(region.exact_affine_map)


@pytest.mark.parametrize("seed", range(10))
def test_dead_regions_are_those_with_a_layer_all_off(seed: int) -> None:
    regions = enumerate_regions(
        Network.from_layers(integer_layers(generator(seed), (2, 2, 2, 2, 1))), Box.cube(-2, 2, 2)
    )
    expected = [min(region.dead_layers(), default=-1) for region in regions]
    assert dead_regions(regions).tolist() == expected


def test_a_layer_that_carries_its_input_past_a_relu_never_dies() -> None:
    net = Network.from_layers([([[1], [1]], [0, 0]), ([[1, 1]], [0])])
    layer = net.layers[0]
    leaky = Network.from_units([layer.with_units((0.5, 1.0)), net.layers[1]])
    assert dead_regions(enumerate_regions(net, Box([-1], [1]))).tolist() == [0, -1]
    assert dead_regions(enumerate_regions(leaky, Box([-1], [1]))).tolist() == [-1, -1]


def test_maps_are_compared_on_the_domain_only() -> None:
    """relu(x) - relu(-y) is x for x = y > 0 and y for x = y < 0: one map on the line, though not in the plane."""
    net = Network.from_layers([([[1, 0], [0, -1]], [0, 0]), ([[1, -1]], [0])])
    line = Slice([0, 0], [[1, 1]], Box([-1], [1]))
    assert merged_regions(enumerate_regions(net, line)).tolist() == [0, 0]


def test_partial_sets_have_no_pieces() -> None:
    net = Network.from_layers([([[1], [1]], [0, 1]), ([[1, 1]], [0])])
    with pytest.raises(InputError, match="expected a complete set"):
        merged_regions(enumerate_regions(net, Box([-2], [2]), max_regions=1))
