"""Bounds for units that see only some values: matchings one by one, exact counts, formulas of the dense case."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, prod
from typing import Any

import networkx as nx
import numpy as np
import pytest

import polyregions as pr
from polyregions import Network, WholeSpace
from polyregions.analysis.counting.sparse_layers import matchable_sets
from randoms import generator


def matchable_one_by_one(rows: Sequence[Sequence[bool]]) -> int:
    """Sets of units (n, d) that can be matched to different values, by trying all of them."""
    found = 0
    for size in range(len(rows) + 1):
        for chosen in combinations(range(len(rows)), size):
            graph = nx.Graph()
            graph.add_nodes_from(chosen)
            graph.add_edges_from((u, -1 - j) for u in chosen for j, sees in enumerate(rows[u]) if sees)
            found += len(nx.bipartite.hopcroft_karp_matching(graph, top_nodes=chosen)) == 2 * size
    return found


def value(network: Network, name: str) -> Any:
    return {bound.name: bound.value for bound in pr.bounds(network)}[name]


def reason(network: Network, name: str) -> Any:
    return {bound.name: bound.reason for bound in pr.bounds(network)}[name]


def convolution(
    shape: Sequence[int], width: Sequence[int], filters: int, step: int = 1, channels: int = 1, pad: int = 0
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """What each unit (P f, prod(shape) c) sees of a line or an image, place by place."""
    starts = [range(-pad, n + pad - w + 1, step) for n, w in zip(shape, width, strict=True)]
    rows = []
    for corner in np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, len(shape)):
        seen = np.zeros(shape, dtype=bool)
        seen[tuple(slice(max(a, 0), a + w) for a, w in zip(corner, width, strict=True))] = True
        rows += [np.repeat(seen.ravel(), channels)] * filters
    return np.array(rows)


def random_network(seed: int, *layers: np.ndarray[Any, np.dtype[np.bool_]]) -> Network:
    draw = generator(seed)
    pairs = [(draw.normal(size=sees.shape) * sees, draw.normal(size=len(sees))) for sees in layers]
    return Network.from_layers([*pairs, (draw.normal(size=(1, len(layers[-1]))), [0])])


@pytest.mark.parametrize("seed", range(30))
def test_matchings_of_random_places(seed: int) -> None:
    draw = generator(seed)
    sees = draw.random((int(draw.integers(1, 5)), int(draw.integers(1, 6)))) < draw.choice([0.3, 0.6])
    sizes = draw.integers(1, 4, size=len(sees))
    rows = np.repeat(sees, sizes, axis=0)
    assert matchable_sets(sees, sizes) == matchable_one_by_one(rows.tolist())


@pytest.mark.parametrize("seed", range(6))
def test_capacities_are_values_that_are_seen_together(seed: int) -> None:
    draw = generator(seed)
    sees, sizes = draw.random((3, 4)) < 0.6, draw.integers(1, 3, size=3)
    capacity = draw.integers(1, 4, size=4)
    assert matchable_sets(sees, sizes, capacity) == matchable_sets(np.repeat(sees, capacity, axis=1), sizes)


@pytest.mark.parametrize(("d", "n"), [(1, 4), (3, 7), (4, 4), (6, 3)])
def test_units_that_see_everything_are_zaslavskys(d: int, n: int) -> None:
    network = random_network(0, np.ones((n, d), dtype=bool))
    assert value(network, "xiong_2020_upper") == value(network, "zaslavsky")
    assert value(network, "xiong_2020_lower") == value(network, "zaslavsky")


def test_places_that_share_nothing_multiply() -> None:
    network = random_network(0, convolution([6], [2], 3, step=2))
    assert value(network, "xiong_2020_upper") == 7**3  # three lines in each of three planes


@pytest.mark.parametrize(
    "sees",
    [
        convolution([4], [2], 2),
        convolution([5], [3], 2),
        convolution([4], [3], 1, pad=1),
        convolution([3, 2], [2, 2], 2),
        convolution([3], [2], 3, channels=1),
        convolution([3], [2], 2, channels=2),
    ],
)
@pytest.mark.parametrize("is_shared", [False, True])
def test_one_layer_with_generic_weights_attains_the_bound(
    sees: np.ndarray[Any, np.dtype[np.bool_]], is_shared: bool
) -> None:
    """Theorem 2 of Xiong and others for weights of filters, counted by the engine."""
    draw = generator(7)
    weight, bias = draw.normal(size=sees.shape), draw.normal(size=len(sees))
    if is_shared:
        weight, bias = shared(sees, draw)
    network = Network.from_layers([(weight * sees, bias), (np.ones((1, len(sees))), [0])])
    assert pr.count_regions(network, WholeSpace(sees.shape[1])) == value(network, "xiong_2020_upper")


def shared(sees: np.ndarray[Any, np.dtype[np.bool_]], draw: np.random.Generator) -> tuple[Any, Any]:
    """The same filters at each place: the k-th value seen from the left, or at the edge from the right."""
    same = [np.array_equal(a, b) for a, b in zip(sees, sees[1:], strict=False)]
    filters = same.index(False) + 1 if False in same else len(sees)
    kernels, biases = draw.normal(size=(filters, int(sees.sum(axis=1).max()))), draw.normal(size=filters)
    weight = np.zeros(sees.shape)
    for unit, row in enumerate(sees):
        columns = np.flatnonzero(row)
        kernel = kernels[unit % filters]
        weight[unit, columns] = (
            kernel[: len(columns)] if columns[-1] == len(row) - 1 else kernel[-len(columns) :]
        )
    return weight, np.tile(biases, len(sees) // filters)


def test_upper_bounds_hold_for_several_layers() -> None:
    for seed in range(12):
        first = convolution([4], [2], 2)
        second = np.repeat(convolution([3], [2], 2), 2, axis=1)
        network = random_network(seed, first, second)
        count = pr.count_regions(network, WholeSpace(4))
        upper = value(network, "xiong_2020_upper")
        assert count <= upper == matchable_one_by_one(first.tolist()) * sum(comb(4, j) for j in range(5))


def test_a_unit_that_sees_nothing_makes_no_region() -> None:
    network = Network.from_layers([([[1, 0], [0, 0], [0, 0]], [0, 1, -1]), ([[1, 1, 1]], [0])])
    assert value(network, "xiong_2020_upper") == 2 == pr.count_regions(network, WholeSpace(2))


def test_lower_bounds_of_convolutions_by_hand() -> None:
    """Two layers on a line of 3 values: 2 places, then 1; d_0 = 1, d_1 = 3, d_2 = 2."""
    network = random_network(0, convolution([3], [2], 3), np.repeat(convolution([2], [2], 2), 3, axis=1))
    assert value(network, "xiong_2020_lower") == 3**2 * (1 + 2 + 1)
    dense = random_network(0, np.ones((5, 2), dtype=bool), np.ones((4, 5), dtype=bool))
    assert value(dense, "xiong_2020_lower") == value(dense, "montufar_2014_lower") == 2**2 * 11
    two = random_network(
        0, convolution([3], [2], 4, channels=2), np.repeat(convolution([2], [1], 3), 4, axis=1)
    )
    assert value(two, "xiong_2020_lower") == prod([2**2] * 2) * (1 + 3 + 3) ** 2


def test_the_lower_bound_is_reached() -> None:
    """x_1 and x_2 folded in three by filters at each place, then cut across: the count is at least the bound."""
    fold = np.zeros((6, 3))
    for place in range(2):
        fold[3 * place : 3 * place + 3, place] = [3, 6, 6]
    across = np.array([[1, -1, 1, 1, -1, 1], [1, -1, 1, -1, 1, -1]])  # of the two zigzags from 0 to 1
    network = Network.from_layers(
        [(fold + 1e-9 * convolution([3], [2], 3), [0, -2, -4] * 2), (across, [-1, 0.1]), ([[1, 1]], [0])]
    )
    bound = value(network, "xiong_2020_lower")
    assert bound == 36
    assert pr.count_regions(network, pr.Box([0, 0, 0], [1, 1, 1])) >= bound


def test_reasons() -> None:
    wide = random_network(0, convolution([9, 9], [5, 5], 2))
    assert "overlaps" in reason(wide, "xiong_2020_upper")
    narrow = random_network(0, convolution([3], [2], 1, channels=2), np.ones((2, 2), dtype=bool))
    assert reason(narrow, "xiong_2020_lower") == "layer 1 has a place with 1 units, expected at least 2"
    crowded = random_network(0, np.array([[1, 0], [1, 1], [0, 1]], dtype=bool), np.ones((2, 3), dtype=bool))
    assert reason(crowded, "xiong_2020_lower") == "layer 1 has more places than places below that they see"
