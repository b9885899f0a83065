"""Facets read off vertices are those found by looking across rows from points, in degenerate networks too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polyregions import (
    Box,
    Network,
    RegionSet,
    WholeSpace,
    adjacency_arrays,
    boundary_facets,
    enumerate_regions,
)
from polyregions.regions import scan
from polyregions.regions.facets import facet_neurons
from random_networks import random_domain, random_network

N_QUICK, N_SLOW = 12, 1500


def seen(regions: RegionSet) -> list[Any]:
    """Edges, walls and facets of regions."""
    edges, walls = adjacency_arrays(regions), boundary_facets(regions)
    found = [edges.source, edges.target, edges.flip_offsets, edges.flips, walls.region, walls.row]
    return [*found, facet_neurons(regions)]


def compare(first: int, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the cells' vertices say and what the kernels that walk find out are the same."""
    for seed in range(first, last):
        rng = np.random.default_rng(seed)
        net = random_network(rng)
        regions = enumerate_regions(net, random_domain(rng, net.n_inputs), max_regions=300)
        if regions.complete:
            by_vertices = seen(regions)
            with monkeypatch.context() as patch:
                patch.setattr(scan, "have_cells", lambda *_: False)
                assert all(map(np.array_equal, by_vertices, seen(regions)))


def test_vertices_say_what_points_say(monkeypatch: pytest.MonkeyPatch) -> None:
    compare(0, N_QUICK, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_vertices_say_what_points_say_of_many(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(*(N_QUICK + i * (N_SLOW - N_QUICK) // 10 for i in (part, part + 1)), monkeypatch)


def test_an_edge_where_two_neurons_flip() -> None:
    """The second neuron is three times the first, so both vanish on the one facet: beyond it both are on."""
    net = Network.from_layers([([[1, 2], [3, 6], [1, -1]], [0, 0, 0]), ([[1, 1, 1]], [0])])
    edges = adjacency_arrays(enumerate_regions(net, Box.cube(-1, 1, 2)))
    assert sorted(edges.flipped(i).tolist() for i in range(len(edges))) == [[0, 1], [0, 1], [2], [2]]


def test_a_neuron_that_is_zero_on_all_of_a_region() -> None:
    """The second layer is 0 where the first is off: beyond the facet both neurons are on."""
    net = Network.from_layers([([[1]], [0]), ([[2]], [0]), ([[1]], [0])])
    edges = adjacency_arrays(enumerate_regions(net, Box([-1], [1])))
    assert [edges.flipped(i).tolist() for i in range(len(edges))] == [[0, 1]]


def test_rays_and_lines_have_no_facet_at_infinity() -> None:
    """Three parallel strips of the plane: two edges, no wall."""
    net = Network.from_layers([([[1, 1], [1, 1]], [0, -1]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, WholeSpace(2))
    assert len(regions) == 3
    assert len(adjacency_arrays(regions)) == 2
    assert len(boundary_facets(regions).row) == 0
