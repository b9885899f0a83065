"""The decision tree is the network, at every point of the domain, hyperplanes included."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import naive
from polyregions import Box, Network, Slice, WholeSpace, decision_tree, enumerate_regions, save
from polyregions.errors import InputError
from polyregions.networks.germs import ExactNetwork
from randoms import float_layers, generator, integer_layers

SHAPES = [(1, 3, 1), (2, 4, 2), (2, 3, 3, 1), (3, 3, 2), (1, 2, 2, 2), (2, 5, 3, 2)]


def lattice(rng: np.random.Generator, d: int, count: int = 40) -> list[list[Fraction]]:
    """Quarter-integers in [-1, 2]: many lie on hyperplanes of networks with small integers."""
    return [[Fraction(int(v), 4) for v in row] for row in rng.integers(-4, 9, size=(count, d))]


@pytest.mark.parametrize("seed", range(30))
def test_its_values_are_those_of_the_network(seed: int) -> None:
    rng = generator(seed)
    sizes = SHAPES[seed % len(SHAPES)]
    layers = integer_layers(rng, sizes)
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 2, sizes[0]))
    tree = decision_tree(regions)
    points = lattice(rng, sizes[0])
    assert all(tree.exact_value(x) == list(naive.forward(layers, x)) for x in points)
    X = np.array(points, dtype=np.float64)
    assert tree.apply(X).tolist() == [tree.leaf_of(x) for x in points]
    expected = [[float(v) for v in naive.forward(layers, x)] for x in points]
    assert tree(X) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("seed", range(30))
def test_a_leaf_is_the_region_of_every_point_that_has_a_pattern_of_one(seed: int) -> None:
    """Whatever lies on a hyperplane: off is z <= 0."""
    rng = generator(seed)
    sizes = SHAPES[seed % len(SHAPES)]
    layers = integer_layers(rng, sizes)
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 2, sizes[0]))
    tree = decision_tree(regions)
    for x in lattice(rng, sizes[0]):
        found = regions.find(np.array(naive.pattern_at(layers, x), dtype=bool))
        assert found is None or tree.region[tree.leaf_of(x)] == found


def test_float_networks_and_points_on_their_own_hyperplanes() -> None:
    """Each node's hyperplane has rational points; the tree takes them to the off side, and is the network there."""
    net = Network.from_layers(float_layers(generator(1), (2, 6, 4, 2)))
    tree = decision_tree(enumerate_regions(net, WholeSpace(2)))
    exact = ExactNetwork(net)
    for node in np.flatnonzero(tree.neuron >= 0).tolist():
        a, b, c = (int(e) for e in tree.hyperplane[node])
        for t in (Fraction(-1, 3), Fraction(2)):
            x = [Fraction(-c - b * t, 1) / a, t] if a else [t, Fraction(-c, b)]
            assert tree.exact_value(x) == list(exact.germ(x).value)


def test_a_plane_in_space() -> None:
    layers = integer_layers(generator(3), (3, 4, 3, 1))
    plane = Slice([1, 0, 1], [[1, 0, 1], [0, 1, 1]], Box.cube(-1, 1, 2))
    tree = decision_tree(enumerate_regions(Network.from_layers(layers), plane))
    for s, t in lattice(generator(4), 2):
        x = [1 + s, t, 1 + s + t]
        assert abs(s) > 1 or abs(t) > 1 or tree.exact_value(x) == list(naive.forward(layers, x))


@pytest.mark.parametrize("seed", range(5))
def test_shape_of_the_arrays(seed: int) -> None:
    regions = enumerate_regions(
        Network.from_layers(integer_layers(generator(seed), (2, 5, 3, 1))), Box.cube(-1, 2, 2)
    )
    tree = decision_tree(regions)
    leaves = tree.neuron < 0
    assert (len(tree), leaves.sum()) == (2 * len(regions) - 1, len(regions))
    assert tree.region[leaves].tolist() == list(range(len(regions)))  # left to right
    inner = np.flatnonzero(~leaves)
    assert np.all(tree.children_left[inner] > inner) and np.all(tree.children_right[inner] > inner)
    children = np.concatenate([tree.children_left[inner], tree.children_right[inner]])
    assert sorted(children.tolist()) == list(range(1, len(tree)))
    assert np.all(tree.children_left[leaves] == -1) and np.all(tree.value[inner] == -1)
    ways = regions.cuts.sum(axis=1)  # the neurons that split a region's ancestors are those above its leaf
    assert tree.levels[leaves].tolist() == ways.tolist()
    assert tree.depth == ways.max()
    assert tree.apply(regions.points).tolist() == np.flatnonzero(leaves).tolist()


def test_exports() -> None:
    net = Network.from_layers([([[1, 2], [0, -1]], [-1, 0.5]), ([[1, 1]], [0])])
    tree = decision_tree(enumerate_regions(net, Box.cube(-1, 1, 2)))
    assert tree.to_text().splitlines() == [
        "neuron 0: 0.5 x0 + x1 <= 0.5 ?",
        "  yes: neuron 1: -x1 <= -0.5 ?",
        "    yes: region 0: y0 = 0",
        "    no: region 1: y0 = -x1 + 0.5",
        "  no: neuron 1: -x1 <= -0.5 ?",
        "    yes: region 2: y0 = x0 + 2 x1 - 1",
        "    no: region 3: y0 = x0 + x1 - 0.5",
    ]
    plain = tree.to_arrays()
    assert plain["weight"].shape == (7, 2) and plain["coefficients"].shape == (4, 1, 2)
    read = json.loads(tree.to_json())
    assert read["children_left"] == plain["children_left"].tolist()
    assert [int(e, 16) for e in read["hyperplane"][0]] == [1, 2, -1]
    assert [[int(e, 16) for e in row] for row in read["maps"][2]["numerators"]] == [[1, 2, -1]]


def test_numbers_beyond_float64_are_decided_exactly_and_null_in_json() -> None:
    huge, tiny = 2.0**1000, 2.0**-1000
    net = Network.from_layers([([[tiny], [huge]], [-huge, -tiny]), ([[1, 1]], [0])])
    tree = decision_tree(enumerate_regions(net, WholeSpace(1)))
    edges = [Fraction(2) ** 2000, Fraction(2) ** -2000]
    for x in [e + s * e / 2**80 for e in edges for s in (-1, 0, 1)]:
        assert tree.exact_value([x]) == list(ExactNetwork(net).germ([x]).value)
    assert tree.apply([[0.0], [1.0], [-1.0], [5e-324], [1e308]]).tolist() == [
        tree.leaf_of([Fraction(x)]) for x in (0.0, 1.0, -1.0, 5e-324, 1e308)
    ]
    assert None in json.loads(tree.to_json())["threshold"]


def test_equal_maps_are_listed_once() -> None:
    net = Network.from_layers([([[1], [1]], [0, -1]), ([[1, 0]], [0])])
    tree = decision_tree(enumerate_regions(net, Box([-2], [2])))
    assert len(tree.maps) == 2
    assert tree.value[tree.neuron < 0].tolist() == [0, 1, 1]


def test_one_region_is_one_leaf() -> None:
    tree = decision_tree(enumerate_regions(Network.from_layers([([[2]], [1])]), Box([-1], [1])))
    assert (len(tree), tree.to_text(), tree.depth) == (1, "region 0: y0 = 2 x0 + 1", 0)
    assert tree([[0.5]]).tolist() == [[2.0]]


def test_bad_input_is_refused() -> None:
    net = Network.from_layers([([[1], [1]], [0, 1]), ([[1, 1]], [0])])
    with pytest.raises(InputError, match="expected a complete set"):
        decision_tree(enumerate_regions(net, Box([-2], [2]), max_regions=1))
    with pytest.raises(InputError, match=r"expected \(k, 1\) finite numbers"):
        decision_tree(enumerate_regions(net, Box([-2], [2]))).apply([[1, 2]])


def test_trees_are_saved(tmp_path: Path) -> None:
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    tree = decision_tree(enumerate_regions(net, Box.cube(-1, 1, 2)))
    for suffix in ("txt", "json", "npz"):
        save(tree, tmp_path / f"tree.{suffix}")
    assert (tmp_path / "tree.txt").read_text(encoding="utf-8") == tree.to_text()
    assert json.loads((tmp_path / "tree.json").read_text(encoding="utf-8")) == json.loads(tree.to_json())
    with np.load(tmp_path / "tree.npz", allow_pickle=False) as arrays:
        assert set(arrays) == set(tree.to_arrays())
        assert np.array_equal(arrays["children_left"], tree.to_arrays()["children_left"])
