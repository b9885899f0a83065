"""The regions after each layer: truth is the network that ends there, enumerated by itself."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.errors import OptionError
from polyregions.networks.graph import GraphBuilder, lower

RNG = np.random.default_rng(2)
LAYERS: list[tuple[Any, Any]] = [
    (RNG.normal(size=(n, k)), RNG.normal(size=n) / 2) for k, n in ((2, 4), (4, 3), (3, 3), (3, 1))
]
THIN = [([[1], [1]], [-1, -1 - 2**-52]), ([[1, 1]], [0]), ([[1]], [0])]  # no float between the two kinks
FRACTIONS = [(np.array([[Fraction(1, 3)], [-1]], dtype=object), [0, 1]), ([[1, -2]], [0]), ([[1]], [0])]
CASES: dict[str, tuple[list[tuple[Any, Any]], Any]] = {
    "box": (LAYERS, pr.Box.cube(-1, 1, 2)),
    "whole space": (LAYERS, pr.WholeSpace(2)),
    "slice": (LAYERS, pr.Slice([0.1, 0.2], [[1, 0.3]], pr.Box([-2], [2]))),
    "polytope": (LAYERS, pr.HPolytope([[-1, 0], [0, -1], [1, 1]], [1, 1, 1], [True, False, True])),
    "no float inside": (THIN, pr.Box([0], [2])),
    "fractions": (FRACTIONS, pr.Box([-4], [4])),
}  # fmt: skip


def same_lists(found: pr.RegionSet, expected: pr.RegionSet) -> None:
    """The same regions with the same polytopes and maps, and points inside."""
    assert found.patterns.tolist() == expected.patterns.tolist()
    for one, two in zip(found, expected, strict=True):
        assert one.polytope.exact_rows == two.polytope.exact_rows
        assert one.polytope.labels == two.polytope.labels
        assert one.polytope.facets().tolist() == two.polytope.facets().tolist()
        assert one.exact_affine_map.fractions() == two.exact_affine_map.fractions()
        point = found.local_point(one.number)
        assert found.problem.exact.germ(point.coordinates).pattern == tuple(one.pattern.tolist())


@pytest.mark.parametrize("name", CASES)
def test_they_are_the_regions_of_the_network_that_ends_there(name: str) -> None:
    layers, domain = CASES[name]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), domain)
    for layer in range(1, len(layers)):
        ending = pr.Network.from_layers(layers[:layer], final_activation="relu")
        found = regions.after_layer(layer)
        same_lists(found, pr.enumerate_regions(ending, domain))
        assert found.complete
        assert len(found) == regions.regions_after_each_layer()[layer - 1]
        assert pickle.loads(pickle.dumps(found)).patterns.tolist() == found.patterns.tolist()


def test_later_layers_only_cut_them() -> None:
    layers, domain = CASES["box"]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), domain)
    before = regions.after_layer(2)
    for region in regions:
        (whole,) = before.locate(region.point)
        assert before.patterns[whole].tolist() == region.pattern[:7].tolist()
    assert sum(r.polytope.volume() for r in before) == pytest.approx(4)
    assert len(pr.adjacency_arrays(before)) > 0


def test_part_of_the_regions_gives_part_of_them() -> None:
    layers, domain = CASES["box"]
    network = pr.Network.from_layers(layers)
    assert not pr.enumerate_regions(network, domain, max_regions=3).after_layer(1).complete
    assert len(pr.enumerate_regions(network, domain, max_regions=0).after_layer(1)) == 0


def test_maxima_that_are_decided_by_then_are_still_known() -> None:
    """max(x, y) first, then max(that, x + y, 1): a group of one comparator, and one of two."""
    build = GraphBuilder(2, "two maxima")
    one = build.maxima(0, np.arange(2), np.array([0, 2]))
    total = build.dense(0, np.array([[1.0, 1.0]]), np.zeros(1))
    joined = build.join([one, total, build.constant(np.array([1.0]))])
    network = lower(build.graph(build.maxima(joined, np.arange(3), np.array([0, 3]))), "two maxima")
    assert network.max_groups is not None
    regions = pr.enumerate_regions(network, pr.Box.cube(-2, 2, 2))
    counts = []
    for layer in range(1, len(network.activation_layers) + 1):
        groups = regions.after_layer(layer).network.max_groups
        assert groups is not None
        counts.append(len(groups))
    assert (counts[0], counts[-1]) == (1, 2)
    assert len(pr.winner_regions(regions.after_layer(1))) == 2


@pytest.mark.parametrize("layer", [0, -1, 4, 1.0, True, None, "1"])
def test_other_layers_are_refused(layer: Any) -> None:
    layers, domain = CASES["box"]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), domain)
    with pytest.raises(OptionError, match="expected a number from 1 to 3"):
        regions.after_layer(layer)


def test_a_network_without_activation_layers_has_none() -> None:
    regions = pr.enumerate_regions(pr.Network.from_layers([([[1, 2]], [0])]), pr.Box.cube(-1, 1, 2))
    with pytest.raises(OptionError, match="expected none, for it has no activation layers"):
        regions.after_layer(1)
