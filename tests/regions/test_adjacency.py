"""Adjacency at scale: what the kernels prove against what exact arithmetic finds without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polyregions import (
    Box,
    HPolytope,
    Network,
    PolyregionsError,
    Progress,
    RegionSet,
    WholeSpace,
    adjacency_arrays,
    boundary_facets,
    enumerate_regions,
    facet_arrays,
)
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.adjacency import upper_neighbours
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.scan import scan_neighbours, scan_walls
from random_networks import random_domain, random_layer, random_network
from truth import FORMULA_NETWORKS, REAL_NETWORKS, formula_network, slow_above


def exact_edges(regions: RegionSet) -> list[tuple[int, int]]:
    """Every row of every region looked at in exact arithmetic, no kernel involved."""
    referee = Referee(regions.problem.solid.bounds)
    return sorted(
        (i, neighbour.region)
        for i in range(len(regions))
        for neighbour in upper_neighbours(regions, i, RegionForms(regions).rows(i), referee)
    )


def edges_of(regions: RegionSet) -> list[tuple[int, int]]:
    found = adjacency_arrays(regions)
    return list(zip(found.source.tolist(), found.target.tolist(), strict=True))


@pytest.mark.parametrize(
    "seed", [*range(30), *(pytest.param(i, marks=pytest.mark.slow) for i in range(30, 200))]
)
def test_random_networks_and_domains(seed: int) -> None:
    """Generic, integer, duplicated, without bias, rescaled; bounded and not; one to eight inputs."""
    rng = np.random.default_rng(seed)
    net = random_network(rng)
    regions = enumerate_regions(net, random_domain(rng, net.n_inputs), max_regions=120)
    assert edges_of(regions) == exact_edges(regions)


def test_kernels_alone_prove_nearly_everything_on_generic_networks() -> None:
    rng = np.random.default_rng(0)
    layers = [random_layer(rng, "generic", n, k) for k, n in ((4, 12), (12, 10), (10, 1))]
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 1, 4))
    for by_points in (False, True):
        for scanned in (scan_neighbours(regions, by_points), scan_walls(regions, by_points)):
            assert sum(len(part.open_rows) for part in scanned) < len(regions) / 100


def test_two_neighbours_differ_as_the_edge_says_and_share_its_point() -> None:
    rng = np.random.default_rng(1)
    layers = [random_layer(rng, "duplicated", n, k) for k, n in ((3, 6), (6, 4), (4, 1))]
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 1, 3))
    found = adjacency_arrays(regions)
    assert len(found) > 20
    for edge in range(len(found)):
        a, b = int(found.source[edge]), int(found.target[edge])
        flipped = np.flatnonzero(regions.patterns[a] != regions.patterns[b])
        assert found.flipped(edge).tolist() == flipped.tolist()
        for i in (a, b):
            polytope = regions[i].polytope
            slack = polytope.b - polytope.A @ found.points[edge]
            assert np.all(slack > -1e-9 * (1 + np.abs(polytope.b)))


def test_edges_are_sorted_whoever_found_them() -> None:
    rng = np.random.default_rng(5)
    layers = [random_layer(rng, "duplicated", n, k) for k, n in ((2, 9), (9, 5), (5, 1))]
    found = edges_of(enumerate_regions(Network.from_layers(layers), Box.cube(-2, 2, 2)))
    assert found == sorted(set(found))


def test_regions_from_either_engine_have_the_same_edges() -> None:
    rng = np.random.default_rng(8)
    net = Network.from_layers([random_layer(rng, "generic", n, k) for k, n in ((3, 8), (8, 6), (6, 1))])
    walk, highs = (enumerate_regions(net, Box.cube(-1, 1, 3), engine=e) for e in ("walk", "highs"))
    assert edges_of(walk) == edges_of(highs)


# ---------------------------------------------------------------- the boundary of the domain


@pytest.mark.parametrize("entry", slow_above(FORMULA_NETWORKS, "cells", 600))
def test_boundary_facets_of_formula_networks(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(formula_network(entry), Box(entry["lo"], entry["hi"]))
    facets = facet_arrays(regions)
    assert len(facets.boundary) == entry["boundary_facets"]
    assert len(facets.adjacency) == entry["adjacency_edges"]
    assert len(facets) == 2 * entry["adjacency_edges"] + entry["boundary_facets"]


@pytest.mark.parametrize("seed", range(40))
def test_boundary_facets_are_those_of_the_polytopes(seed: int) -> None:
    """Where a region's polytope has a facet that a row of the domain carries, and nowhere else."""
    rng = np.random.default_rng(seed)
    net = random_network(rng)
    regions = enumerate_regions(net, random_domain(rng, net.n_inputs), max_regions=25)
    boundary = boundary_facets(regions)
    n_rows = len(regions.problem.solid.forms)
    for i in range(len(regions)):
        polytope = regions[i].polytope
        names = [polytope.labels[row] for row in polytope.facets()]
        expected = sorted(name for name in names if name in boundary.labels)
        found = [boundary.labels[row] for row in boundary.row[boundary.region == i]]
        assert sorted(found) == expected
    assert n_rows == len(boundary.labels)


def test_rows_of_the_domain_that_coincide_count_once() -> None:
    domain = HPolytope([[1, 0], [2, 0], [-1, 0], [0, 1], [0, -1]], [1, 2, 1, 1, 1])
    net = Network.from_layers([([[1, 0]], [0]), ([[1]], [0])])
    boundary = boundary_facets(enumerate_regions(net, domain))
    assert sorted(zip(boundary.region.tolist(), boundary.row.tolist(), strict=True)) == [
        (0, 2), (0, 3), (0, 4), (1, 0), (1, 3), (1, 4),
    ]  # fmt: skip


def test_the_facets_of_a_region() -> None:
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    facets = facet_arrays(enumerate_regions(net, Box.cube(-1, 1, 2)))
    neighbour, edge, wall = facets.of_region(3)
    assert neighbour.tolist() == [-1, -1, 1, 2]
    assert [facets.boundary.labels[facets.boundary.row[w]] for w in wall[:2]] == ["x0 <= 1", "x1 <= 1"]
    assert facets.adjacency.flipped(edge[2]).tolist() == [0]


# ---------------------------------------------------------------- theorems


def grid(d: int, lines: int) -> Network:
    """Hyperplanes x_c = 1, ..., lines for every input."""
    W = np.repeat(np.eye(d), lines, axis=0)
    return Network.from_layers([(W, -np.tile(np.arange(1.0, lines + 1), d)), (np.ones((1, d * lines)), [0])])


@pytest.mark.parametrize(("d", "lines"), [(1, 7), (2, 5), (3, 3), (4, 2)])
def test_the_grid(d: int, lines: int) -> None:
    """(l+1)^d cells; d l (l+1)^(d-1) inner facets; 2 d (l+1)^(d-1) on the walls."""
    facets = facet_arrays(enumerate_regions(grid(d, lines), Box.cube(0, lines + 1, d)))
    side = (lines + 1) ** (d - 1)
    assert len(facets.adjacency) == d * lines * side
    assert len(facets.boundary) == 2 * d * side


@pytest.mark.parametrize("d", [2, 3, 4])
def test_average_degree_and_least_degree_over_the_whole_space(d: int) -> None:
    """Generic networks: on the average at most 2 d neighbours, and none has fewer than min(n_1, d)."""
    rng = np.random.default_rng(d)
    net = Network.from_layers([random_layer(rng, "generic", n, k) for k, n in ((d, 6), (6, 5), (5, 1))])
    regions = enumerate_regions(net, WholeSpace(d))
    offsets, _ = adjacency_arrays(regions).neighbours()
    degrees = np.diff(offsets)
    assert degrees.mean() <= 2 * d
    assert degrees.min() >= d


# ---------------------------------------------------------------- use


def test_progress_is_told_and_may_stop() -> None:
    rng = np.random.default_rng(2)
    net = Network.from_layers([random_layer(rng, "generic", n, k) for k, n in ((3, 14), (14, 12), (12, 1))])
    regions = enumerate_regions(net, Box.cube(-1, 1, 3))
    told: list[Progress] = []
    adjacency_arrays(regions, progress=told.append)  # type: ignore[arg-type]  # returns None
    assert told[-1].regions == len(regions) and told[-1].fraction == 1.0


def test_a_stopped_run_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyregions.progress.REPORT_EVERY", -1.0)
    net = Network.from_layers([([[1.0]], [0.0]), ([[1.0]], [0.0])])
    regions = enumerate_regions(net, Box([-1], [1]))
    with pytest.raises(PolyregionsError, match="stopped after looking at 2 of 2 regions"):
        adjacency_arrays(regions, progress=lambda _: False)


def test_no_neurons_and_no_dimensions() -> None:
    straight = Network.from_layers([([[1.0, 1.0]], [0.0])])
    assert len(facet_arrays(enumerate_regions(straight, Box.cube(0, 1, 2)))) == 4
    point = enumerate_regions(straight, Box([0, 0], [0, 0]))
    assert len(facet_arrays(point)) == 0


@pytest.mark.parametrize("entry", slow_above(REAL_NETWORKS, "cells", 400))
def test_real_networks(entry: dict[str, Any]) -> None:
    from corpus import corpus
    from polyregions import load_network

    facets = facet_arrays(
        enumerate_regions(load_network(corpus(entry["network"])), Box(entry["lo"], entry["hi"]))
    )
    assert len(facets.adjacency) == entry["adjacency_edges"]
    assert len(facets.boundary) == entry["boundary_facets"]
