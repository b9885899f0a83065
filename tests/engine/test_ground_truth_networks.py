"""Every entry of the networks' ground truth: cells, layers, edges, facets, maps, decision cells."""

from __future__ import annotations

from functools import cache
from typing import Any

import networkx as nx
import numpy as np
import pytest

from checks import check_edges, check_interior_points, check_points_and_maps, check_volumes
from corpus import corpus
from polyregions import (
    Box,
    RegionSet,
    adjacency_arrays,
    adjacency_graph,
    decision_cells,
    decision_graph,
    enumerate_regions,
    load_network,
    tally_regions,
)
from truth import FORMULA_NETWORKS, REAL_NETWORKS, formula_network, name_of

ENTRIES = REAL_NETWORKS + FORMULA_NETWORKS


def numbered(most: int) -> Any:
    """A test of every entry; those of more cells are left to the long run."""
    return pytest.mark.parametrize(
        "number",
        [
            pytest.param(
                i,
                id=name_of(e),
                # one worker for all tests of a network: they share its regions
                marks=[pytest.mark.xdist_group(name_of(e)), *[pytest.mark.slow] * (e["cells"] > most)],
            )
            for i, e in enumerate(ENTRIES)
        ],
    )


EVERY, SMALL = numbered(10**9), numbered(200)


@cache
def regions_of(number: int) -> RegionSet:
    entry = ENTRIES[number]
    net = load_network(corpus(entry["network"])) if "network" in entry else formula_network(entry)
    return enumerate_regions(net, Box(entry["lo"], entry["hi"]))


def exact_map(regions: RegionSet, i: int) -> Any:
    weight, bias = regions[i].exact_affine_map.fractions()
    return tuple(map(tuple, weight)), tuple(bias)


@EVERY
def test_cells_and_cells_after_each_layer(number: int) -> None:
    regions = regions_of(number)
    assert len(regions) == ENTRIES[number]["cells"]
    assert regions.regions_after_each_layer() == ENTRIES[number]["cells_after_each_relu"]
    assert regions.complete


@numbered(400)
def test_edges_and_linear_pieces(number: int) -> None:
    regions = regions_of(number)
    graph = adjacency_graph(regions)
    assert graph.number_of_edges() == ENTRIES[number]["adjacency_edges"]
    maps = [exact_map(regions, i) for i in range(len(regions))]
    assert len(set(maps)) == ENTRIES[number]["distinct_affine_maps"]
    same = [(a, b) for a, b in graph.edges if maps[a] == maps[b]]
    pieces = nx.Graph(same)
    pieces.add_nodes_from(range(len(regions)))
    assert nx.number_connected_components(pieces) == ENTRIES[number]["linear_pieces_connected"]
    assert nx.is_connected(graph)


@EVERY
def test_decision_cells(number: int) -> None:
    entry, regions = ENTRIES[number], regions_of(number)
    if "argmax_cells" not in entry:
        pytest.skip("the ground truth gives no decision cells for this network")
    cells = decision_cells(regions, "argmax")
    assert len(cells) == entry["argmax_cells"]
    assert {str(k): n for k, n in cells.per_class().items()} == entry["argmax_cells_per_class"]
    for c, point in enumerate(cells.points):
        assert regions.locate(point)[0] == cells.region[c]
    assert nx.is_connected(decision_graph(cells))


@SMALL
def test_facets_on_the_boundary(number: int) -> None:
    entry, regions = ENTRIES[number], regions_of(number)
    on_boundary = [
        [label for label in np.array(p.labels)[p.facets()] if not label.startswith("neuron")]
        for p in (region.polytope for region in regions)
    ]
    assert sum(map(len, on_boundary)) == entry["boundary_facets"]


@SMALL
def test_invariants(number: int) -> None:
    regions = regions_of(number)
    check_points_and_maps(regions, np.random.default_rng(number))
    check_interior_points(regions)
    check_edges(regions, adjacency_arrays(regions))
    check_volumes(regions)


def test_counting_alone_agrees() -> None:
    for entry in FORMULA_NETWORKS:
        tally = tally_regions(formula_network(entry), Box(entry["lo"], entry["hi"]))
        assert tally.regions == entry["cells"]
        assert list(tally.after_each_layer) == entry["cells_after_each_relu"]


def test_a_cell_thinner_than_any_tolerance_is_found() -> None:
    """The single pendulum has a cell of inradius 1.9e-7 on this box; tolerances of 1e-6 lose it."""
    entry = next(e for e in REAL_NETWORKS if e["cells"] == 1266)
    regions = regions_of(ENTRIES.index(entry))
    radii = [region.polytope.chebyshev()[1] for region in regions]
    assert min(radii) == pytest.approx(entry["min_radius"], rel=1e-3)
