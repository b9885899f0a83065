"""The smaller network is the same function on the domain, and has the same regions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import naive
from corpus import corpus
from polyregions import (
    Box,
    Network,
    RegionSet,
    Simplified,
    Slice,
    WholeSpace,
    enumerate_regions,
    load_domain,
    load_network,
    simplify,
)
from polyregions.analysis.rewriting.simplify import Fate
from polyregions.errors import InputError
from polyregions.networks.germs import ExactNetwork
from polyregions.networks.network import Layer
from randoms import float_layers, generator, integer_layers, integers

SHAPES = [
    (1, 3, 1),
    (2, 4, 2),
    (2, 3, 3, 1),
    (2, 5, 2, 3, 2),
    (3, 4, 4, 1),
    (2, 2, 6, 2, 1),
    (1, 0, 2),
    (2, 1, 3, 2),
]
SLOPES = [(0.0, 1.0), (0.5, 1.0), (-1.0, 1.0), (1.0, 1.0), (0.0, 0.0), (2.0, 0.0)]


def points_in(rng: np.random.Generator, low: int, high: int, d: int, count: int = 25) -> list[list[Fraction]]:
    """Lattice points, so that many lie on hyperplanes, and points between them."""
    lattice = rng.integers(4 * low, 4 * high + 1, size=(count, d))
    return [[Fraction(int(v), 4) for v in row] for row in lattice]


def check(net: Network, regions: RegionSet, points: list[list[Fraction]]) -> tuple[Network, Simplified]:
    smaller, report = simplify(net, regions)
    old, new = ExactNetwork(net), ExactNetwork(smaller)
    assert all(old.germ(x).value == new.germ(x).value for x in points)
    again = enumerate_regions(smaller, regions.domain)
    assert np.array_equal(again.patterns, regions.patterns[:, report.kept])
    assert report.regions_checked == len(regions)
    assert sum(report.widths_after) <= sum(report.widths_before)
    assert sum(report.count(fate) for fate in Fate) == net.n_neurons
    assert report.count(Fate.KEPT) == len(report.kept) == smaller.n_neurons
    return smaller, report


@pytest.mark.parametrize("seed", range(40))
def test_degenerate_networks_stay_the_same_function(seed: int) -> None:
    rng = generator(seed)
    sizes = SHAPES[seed % len(SHAPES)]
    layers = integer_layers(rng, sizes)
    for W, b in layers:  # repeated and opposite rows
        if len(W) > 2:
            factor = int(rng.choice([-2, -1, 1, 3]))
            W[1], b[1] = [factor * w for w in W[0]], factor * b[0]
    net = Network.from_layers(
        [(np.reshape(W, (n, k)), b) for (W, b), k, n in zip(layers, sizes, sizes[1:], strict=False)]
    )
    points = points_in(rng, -2, 2, sizes[0])
    regions = enumerate_regions(net, Box.cube(-2, 2, sizes[0]))
    smaller, _ = check(net, regions, points)
    if 0 not in sizes:
        assert all(ExactNetwork(smaller).germ(x).value == naive.forward(layers, x) for x in points)


@pytest.mark.parametrize("seed", range(20))
def test_units_of_any_two_slopes(seed: int) -> None:
    rng = generator(100 + seed)
    sizes = [(2, 4, 3, 2), (1, 3, 3, 1)][seed % 2]
    layers = [
        Layer(
            np.array(W, dtype=float),
            np.array(b, dtype=float),
            np.array([SLOPES[i] for i in rng.integers(0, len(SLOPES), len(b))]),
        )
        for W, b in integer_layers(rng, sizes, most=1)
    ]
    net = Network.from_units(layers)  # the outputs have kinks too
    check(net, enumerate_regions(net, Box.cube(-1, 2, sizes[0])), points_in(rng, -1, 2, sizes[0]))


@pytest.mark.parametrize("seed", range(6))
def test_float_networks_on_boxes_far_from_their_kinks(seed: int) -> None:
    rng = generator(200 + seed)
    net = Network.from_layers(float_layers(rng, (2, 8, 8, 2)))
    regions = enumerate_regions(net, Box.cube(3, 4, 2))
    smaller, report = check(net, regions, points_in(rng, 3, 4, 2))
    assert len(report.kept) < net.n_neurons
    assert smaller.n_neurons == len(report.kept)


@pytest.mark.parametrize("seed", range(4))
def test_the_whole_space_and_a_plane(seed: int) -> None:
    rng = generator(300 + seed)
    net = Network.from_layers(integer_layers(rng, (3, 4, 3, 2), most=1))
    check(net, enumerate_regions(net, WholeSpace(3)), points_in(rng, -9, 9, 3))
    plane = Slice(integers(rng, 3), [[1, 0, 1], [0, 1, 1]], Box.cube(-1, 1, 2))
    on_plane = [
        [
            Fraction(o) + s * a + t * b
            for o, a, b in zip(plane.origin.tolist(), [1, 0, 1], [0, 1, 1], strict=True)
        ]
        for s, t in points_in(rng, -1, 1, 2)
    ]
    check(net, enumerate_regions(net, plane), on_plane)


def test_a_linear_network_has_no_hidden_layer_left() -> None:
    net = Network.from_layers(
        [([[1, 2], [0, 1]], [50, 50]), ([[1, 1], [1, -1], [0, 1]], [500, 500, 500]), ([[1, 2, 3]], [1])]
    )
    smaller, report = check(
        net, enumerate_regions(net, Box.cube(-1, 1, 2)), [[Fraction(1, 3), Fraction(-1, 7)]]
    )
    assert report.widths_after == (1,)
    # x + 2y + 50 + y + 50 + 500 + 2 (x + y + 500) + 3 (y + 50 + 500) + 1, by hand
    assert smaller.layers[0].weight.tolist() == [[3.0, 8.0]]
    assert smaller.layers[0].bias.tolist() == [3251.0]


def test_a_dead_network_is_constant() -> None:
    net = Network.from_layers([([[1], [-1]], [-5, -5]), ([[1, 1]], [7])])
    smaller, report = check(net, enumerate_regions(net, Box([-1], [1])), [[Fraction(1, 2)]])
    assert (report.widths_after, smaller.layers[0].weight.tolist()) == ((1,), [[0.0]])
    assert report.count(Fate.NEVER_ON) == 2


def test_opposite_neurons_become_one_and_a_carrier() -> None:
    """relu(-x) = relu(x) - x, so |x| = relu(x) + relu(-x) needs one kink."""
    net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    smaller, report = check(net, enumerate_regions(net, Box([-1], [1])), [[Fraction(-1, 3)], [Fraction(0)]])
    assert (smaller.n_neurons, report.into.tolist()) == (1, [-1, 0])


def test_a_factor_that_no_float_holds_is_kept_exactly() -> None:
    net = Network.from_layers([([[3], [1]], [0, 0]), ([[1, 1]], [0])])
    smaller, _ = check(net, enumerate_regions(net, Box([-1], [1])), [[Fraction(1, 7)]])
    assert smaller.layers[-1].exact is not None
    assert smaller.n_neurons == 1


def test_without_the_check_the_network_is_the_same() -> None:
    net = Network.from_layers([([[3], [1]], [0, 0]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box([-1], [1]))
    (checked, _), (unchecked, report) = simplify(net, regions), simplify(net, regions, check=False)
    assert checked.fingerprint() == unchecked.fingerprint()
    assert report.regions_checked == 0 and str(report).endswith("not compared by region")


def test_partial_sets_and_other_networks_are_refused() -> None:
    net = Network.from_layers([([[1], [1]], [0, -0.5]), ([[1, 1]], [0])])
    other = Network.from_layers([([[1], [1]], [0, -0.25]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box([-1], [1]))
    with pytest.raises(InputError, match="expected the network of"):
        simplify(other, regions)
    with pytest.raises(InputError, match="expected a complete set"):
        simplify(net, enumerate_regions(net, Box([-1], [1]), max_regions=1))


@pytest.mark.parametrize(
    ("network", "domain"),
    [
        ("archcomp/controller_single_pendulum.onnx", Box([1.0, 0.0], [1.2, 0.2])),
        ("vnncomp_test/test_small.onnx", "vnncomp_test/test_small.vnnlib"),
        ("archcomp/controller_double_pendulum_less_robust.onnx", Box.cube(1.0, 1.05, 4)),
    ],
)
def test_real_networks(network: str, domain: Box | str) -> None:
    net = load_network(corpus(network))
    where = load_domain(corpus(domain)) if isinstance(domain, str) else domain
    regions = enumerate_regions(net, where)
    smaller, report = simplify(net, regions)
    print(f"\n{network}: {report}")
    assert np.array_equal(enumerate_regions(smaller, where).patterns, regions.patterns[:, report.kept])
