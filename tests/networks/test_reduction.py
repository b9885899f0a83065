"""Neurons that never change sign, found before the enumeration; and boxes of many dimensions."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from corpus import corpus
from polyregions import Box, Network, enumerate_regions, load_network, tally_regions
from polyregions.engine.reduction import reduce
from polyregions.networks.germs import ExactNetwork
from polyregions.networks.network import Layer
from polyregions.networks.problem import pose
from polyregions.networks.zonotope import UNKNOWN, known_bits
from polyregions.polyhedra.oracle.forms import Bounds


def random_network(rng: np.random.Generator, widths: list[int], shift: float = 1.0) -> Network:
    layers = [
        (rng.normal(size=(n, k)) / np.sqrt(k), rng.normal(size=n) * shift)
        for k, n in zip(widths, widths[1:], strict=False)
    ]
    return Network.from_layers(layers)


def leaky(net: Network, slope: float) -> Network:
    layers = [
        Layer(layer.weight, layer.bias, np.where(layer.splitting[:, None], [slope, 1.0], 1.0), layer.exact)
        for layer in net.layers
    ]
    return Network.from_units(layers)


def sample_patterns(net: Network, box: Box, rng: np.random.Generator) -> list[tuple[bool, ...]]:
    """Exact patterns of random points and corners of a box."""
    inside = rng.uniform(box.lower, box.upper, (40, box.dim))
    corners = np.where(rng.random((40, box.dim)) < 0.5, box.lower, box.upper)
    exact = ExactNetwork(net)
    return [exact.germ([Fraction(c) for c in x]).pattern for x in [*inside.tolist(), *corners.tolist()]]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("slope", [0.0, 0.25, -1.0])
def test_known_bits_are_those_of_every_point(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    net = leaky(random_network(rng, [4, 9, 8, 6, 2]), slope)
    box = Box.cube(-0.3, 0.3, 4)
    bits = [
        b[layer.splitting]
        for b, layer in zip(known_bits(net, Bounds(box.lower, box.upper)), net.layers, strict=True)
    ]
    known = np.concatenate(bits)
    assert np.count_nonzero(known != UNKNOWN) > 3
    for pattern in sample_patterns(net, box, rng):
        assert np.all((known == UNKNOWN) | (known == np.array(pattern)))


def test_a_neuron_that_touches_zero_at_a_corner_is_left_open_or_known_rightly() -> None:
    """x + y - 2 is 0 at one corner of the box and negative elsewhere; rounding must not make it positive."""
    net = Network.from_layers([([[1, 1], [-1, -1]], [-2, -2]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box.cube(-1, 1, 2))
    assert regions.patterns.tolist() == [[False, False]]


def test_nothing_is_known_on_an_unbounded_domain() -> None:
    net = random_network(np.random.default_rng(0), [2, 4, 1])
    bits = known_bits(net, Bounds.unknown(2))
    assert np.all(bits[0] == UNKNOWN)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_the_smaller_network_is_the_same_function_on_the_domain(seed: int, slope: float) -> None:
    rng = np.random.default_rng(seed)
    net = leaky(random_network(rng, [3, 10, 10, 2]), slope)
    box = Box.cube(-0.2, 0.2, 3)
    smaller = reduce(pose(net, box)).problem.network
    assert smaller.n_neurons < net.n_neurons
    for x in rng.uniform(-0.2, 0.2, (10, 3)).tolist():
        point = [Fraction(c) for c in x]
        assert ExactNetwork(net).germ(point).value == ExactNetwork(smaller).germ(point).value


@pytest.mark.parametrize("seed", range(10))
def test_regions_are_those_of_the_plain_reference(seed: int) -> None:
    """Which knows nothing beforehand."""
    rng = np.random.default_rng(seed)
    net, box = random_network(rng, [3, 8, 8, 6, 1]), Box.cube(-0.5, 0.5, 3)
    reduced, plain = enumerate_regions(net, box), enumerate_regions(net, box, engine="highs")
    assert np.array_equal(reduced.patterns, plain.patterns)
    assert np.array_equal(reduced.cuts, plain.cuts)
    assert list(tally_regions(net, box).after_each_layer) == plain.regions_after_each_layer()


def test_rational_weights_survive_the_reduction() -> None:
    third = Fraction(1, 3)
    net = Network.from_layers([([[third], [third], [1]], [5, -third, -1]), ([[1, third, 1]], [third])])
    smaller = reduce(pose(net, Box([0], [2]))).problem.network
    assert (
        ExactNetwork(smaller).germ([Fraction(1, 7)]).value == ExactNetwork(net).germ([Fraction(1, 7)]).value
    )
    assert len(enumerate_regions(net, Box([0], [2]))) == 2  # both kinks are at 1


def test_every_neuron_known() -> None:
    net = Network.from_layers([([[1], [-1]], [5, -5]), ([[1, 1]], [0])], final_activation="relu")
    for engine in ("auto", "walk", "highs"):
        tally = tally_regions(net, Box([0], [1]), engine=engine)
        assert (tally.regions, tally.after_each_layer) == (1, (1, 1))
        assert enumerate_regions(net, Box([0], [1]), engine=engine).patterns.tolist() == [[True, False, True]]


# ---------------------------------------------------------------- many inputs


def check_exactly(net: Network, box: Box) -> Any:
    regions = enumerate_regions(net, box)
    for region, i in zip(regions, range(len(regions)), strict=True):
        point = regions.local_point(i)
        assert regions.problem.exact.germ(point.coordinates).pattern == tuple(region.pattern.tolist())
        assert regions.problem.solid.holds(point)
    return regions


@pytest.mark.parametrize("d", [33, 200])
def test_independent_hyperplanes_through_the_middle_of_a_large_box(d: int) -> None:
    """n <= d hyperplanes in general position through one inner point: 2^n regions."""
    rng = np.random.default_rng(d)
    net = Network.from_layers([(rng.normal(size=(6, d)), np.zeros(6)), (rng.normal(size=(1, 6)), [0.0])])
    regions = check_exactly(net, Box.cube(-1, 1, d))
    assert [tuple(p) for p in regions.patterns.tolist()] == list(product([False, True], repeat=6))


@pytest.mark.slow
def test_a_large_box_gives_the_regions_of_the_plain_reference() -> None:
    rng = np.random.default_rng(1)
    net, box = random_network(rng, [34, 6, 4, 1], 0.2), Box.cube(-0.2, 0.2, 34)
    regions = check_exactly(net, box)
    plain = enumerate_regions(net, box, engine="highs")
    assert len(plain) > 20
    assert np.array_equal(regions.patterns, plain.patterns)


def test_degenerate_neurons_in_a_large_box() -> None:
    """A duplicate, an opposite, a zero neuron, and one that touches the box in a corner: two regions."""
    d = 36
    row, ones = np.zeros(d), np.ones(d)
    row[:3] = 0.1, 0.2, -0.7
    W = [row, 2 * row, -row, 0 * row, ones, row + 3 * np.eye(d)[5]]
    net = Network.from_layers([(W, [0, 0, 0, 0, -d, 100]), (np.ones((1, 6)), [0])])
    regions = check_exactly(net, Box.cube(-1, 1, d))
    assert regions.patterns.astype(int).tolist() == [[0, 0, 1, 0, 0, 1], [1, 1, 0, 0, 0, 1]]


def test_a_local_box_around_an_mnist_image() -> None:
    """512 neurons over 784 inputs, few of which can change sign near one image."""
    net = load_network(corpus("mnistfc/mnist-net_256x2.onnx"))
    image = np.random.default_rng(0).random(784)
    box = Box(image - 0.0005, image + 0.0005)
    regions = check_exactly(net, box)
    assert regions.complete
    seen = {regions.problem.exact.germ([Fraction(c) for c in x]).pattern for x in
            np.random.default_rng(1).uniform(box.lower, box.upper, (5, 784)).tolist()}  # fmt: skip
    assert seen <= {tuple(p) for p in regions.patterns.tolist()}
