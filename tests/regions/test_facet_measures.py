"""How long or large the facets between regions are: by flat polytopes, by theorems, by hand."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from randoms import float_layers, generator, integer_layers

SLANTED = [[1, 0.5, 0], [0, 1, 2]]
CASES: dict[str, tuple[Any, Any]] = {
    "line": (float_layers(generator(0), (1, 6, 3, 1)), pr.WholeSpace(1)),
    "plane": (float_layers(generator(1), (2, 5, 4, 2)), pr.Box.cube(-1, 1, 2)),
    "whole plane": (float_layers(generator(2), (2, 5, 3, 2)), pr.WholeSpace(2)),
    "integers": (integer_layers(generator(3), (2, 5, 5, 2)), pr.Box.cube(-2, 2, 2)),
    "space": (float_layers(generator(4), (3, 5, 3, 1)), pr.Box.cube(-1, 1, 3)),
    "half of space": (integer_layers(generator(5), (3, 4, 2)), pr.Box([0, -np.inf, -1], [np.inf] * 3)),
    "four inputs": (float_layers(generator(6), (4, 4, 2, 1)), pr.Box.cube(-1, 1, 4)),
    "slanted slice": (float_layers(generator(7), (3, 6, 2)), pr.Slice([0, 0, 1], SLANTED, pr.Box.cube(-1, 1, 2))),
}  # fmt: skip


def enumerated(name: str) -> pr.RegionSet:
    layers, domain = CASES[name]
    return pr.enumerate_regions(pr.Network.from_layers(layers), domain)


@pytest.mark.parametrize("name", CASES)
def test_a_facet_is_the_part_of_both_closed_regions(name: str) -> None:
    """The closures of two neighbours, put together as one polytope of lower dimension, and its volume there."""
    regions = enumerated(name)
    edges = pr.adjacency_arrays(regions)
    assert len(edges) > 2
    for source, target, found in zip(
        edges.source.tolist(), edges.target.tolist(), pr.facet_measures(regions, edges).tolist(), strict=True
    ):
        other = regions[target].polytope.closed()
        shared = regions[source].polytope.closed().with_exact_rows(
            other.exact_rows, [1] * len(other.A), [False] * len(other.A), list(other.labels)
        )  # fmt: skip
        assert found == pytest.approx(shared.volume(), rel=1e-11)


@pytest.mark.parametrize("name", ["plane", "integers", "space", "four inputs"])
def test_the_normals_of_a_region_inside_add_up_to_zero(name: str) -> None:
    """Minkowski: outward unit normals, each as long as its facet is large, close up."""
    regions = enumerated(name)
    edges = pr.adjacency_arrays(regions)
    measures, inside = pr.facet_measures(regions, edges), set(range(len(regions)))
    inside -= set(pr.boundary_facets(regions).region.tolist())
    sums = np.zeros((len(regions), regions.network.n_inputs))
    for e, (a, b) in enumerate(zip(edges.source.tolist(), edges.target.tolist(), strict=True)):
        polytope = regions[a].polytope
        normal = polytope.A[polytope.labels.index(f"neuron {edges.flipped(e)[0]}")]
        sums[a] += measures[e] * normal / np.linalg.norm(normal)
        sums[b] -= measures[e] * normal / np.linalg.norm(normal)
    assert sums[sorted(inside)] == pytest.approx(0, abs=1e-12 * measures.sum())


def test_by_hand() -> None:
    """The diagonal of a square, a ray, and points on a line."""
    diagonal = pr.Network.from_layers([([[1, -1]], [0]), ([[1]], [0])])
    assert pr.facet_measures(pr.enumerate_regions(diagonal, pr.Box.cube(0, 3, 2))).tolist() == [sqrt(18)]
    assert pr.facet_measures(pr.enumerate_regions(diagonal, pr.WholeSpace(2))).tolist() == [inf]
    points = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    assert pr.facet_measures(pr.enumerate_regions(points, pr.Box([-2], [2]))).tolist() == [1, 1]
    alone = pr.enumerate_regions(points, pr.Box([5], [6]))
    assert pr.facet_measures(alone).shape == (0,)


def test_a_bounded_facet_of_unbounded_regions() -> None:
    """|x| <= 1 times a line in y is cut by relu(y) only where relu(x + 1) and relu(1 - x) ... are on: a segment."""
    layers = [([[1, 0], [-1, 0], [0, 1]], [1, 1, 0]), ([[1, 1, 1]], [0])]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.WholeSpace(2))
    graph = pr.adjacency_graph(regions, measure=True)
    names = dict(graph.nodes(data="pattern"))
    found = {frozenset((names[a], names[b])): m for a, b, m in graph.edges(data="measure")}
    assert found[frozenset(("110", "111"))] == 2
    assert sorted(found.values()) == [2, inf, inf, inf, inf, inf, inf]


def test_far_slivers_keep_their_length() -> None:
    """Lines y = 0 and y = 2^-40 (x + 1) ... meet a box; lengths are those of Pythagoras."""
    steep = 2.0**-40
    layers = [([[0, 1], [-steep, 1]], [0, 0]), ([[1, 1]], [0])]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.Box([0, -1], [2.0**50, 2.0**20]))
    found = sorted(pr.facet_measures(regions).tolist())
    assert found == pytest.approx([2.0**50, 2.0**50 * sqrt(1 + steep**2)], rel=1e-15)
