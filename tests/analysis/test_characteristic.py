"""Counting arrangements by their characteristic polynomial: theorems, and the enumeration."""

from __future__ import annotations

from itertools import product as product_of
from math import comb
from typing import Any

import numpy as np
import pytest

from polyregions import (
    Box,
    Network,
    Slice,
    WholeSpace,
    count_by_characteristic_polynomial,
    count_regions,
    enumerate_regions,
    tally_regions,
)
from polyregions.analysis.counting.one_layer import count_arrangement, tally_of_arrangement
from polyregions.errors import NetworkError, StoppedError
from polyregions.networks.activations import IDENTITY, RELU, uniform_slopes
from polyregions.networks.network import Layer
from polyregions.networks.problem import pose
from polyregions.progress import Watch
from randoms import float_layers, generator, integer_layers
from truth import ARRANGEMENTS, arrangement_network, name_of


@pytest.mark.parametrize("entry", ARRANGEMENTS, ids=name_of)
def test_ground_truth(entry: dict[str, Any]) -> None:
    count = count_by_characteristic_polynomial(arrangement_network(entry))
    assert count.regions == entry["regions"]
    if entry.get("bounded_regions") is not None:
        assert count.bounded == entry["bounded_regions"]
    if entry.get("relatively_bounded_regions") is not None:
        assert count.relatively_bounded == entry["relatively_bounded_regions"]


def product(*roots: int) -> tuple[int, ...]:
    """The coefficients of (t - r_1) (t - r_2) ..."""
    return tuple(int(c) for c in np.round(np.poly(roots))) if roots else (1,)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_the_braid_arrangement_has_the_roots_0_to_n_minus_1(n: int) -> None:
    rows = [[int(k == i) - int(k == j) for k in range(n)] + [0] for i in range(n) for j in range(i)]
    assert count_arrangement(rows, n).polynomial == product(*range(n))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_type_b_has_odd_roots(n: int) -> None:
    units = np.eye(n, dtype=int)
    pairs = [units[i] + s * units[j] for i in range(n) for j in range(i) for s in (1, -1)]
    rows = [[*row.tolist(), 0] for row in [*units, *pairs]]
    assert count_arrangement(rows, n).polynomial == product(*range(1, 2 * n, 2))


@pytest.mark.parametrize(("n", "d"), [(0, 3), (1, 1), (5, 1), (6, 2), (7, 3), (8, 4), (3, 5)])
def test_general_position_has_the_coefficients_of_whitney(n: int, d: int) -> None:
    """chi(t) = sum over j <= d of (-1)^j C(n, j) t^(d-j)."""
    rows = [[int(v) for v in row] for row in generator(n).integers(-1000, 1000, size=(n, d + 1))]
    count = count_arrangement(rows, d)
    assert count.polynomial == tuple((-1) ** j * comb(n, j) for j in range(d + 1))
    assert count.bounded == (comb(n - 1, d) if n else 0)
    assert count.rank == min(n, d)


def test_random_layers_agree_with_the_enumeration() -> None:
    rng = generator(9)
    for d, n in [(1, 6), (2, 7), (3, 6), (4, 5)] * 4:
        for layers in (integer_layers(rng, [d, n, 1], most=1), float_layers(rng, [d, n, 1])):
            network = Network.from_layers([(np.reshape(W, (len(b), -1)), np.array(b)) for W, b in layers])
            regions = enumerate_regions(network, WholeSpace(d))
            count = count_by_characteristic_polynomial(network)
            assert count.regions == len(regions)
            assert count.bounded == sum(region.polytope.is_bounded() for region in regions)


def test_repeated_opposite_and_constant_neurons() -> None:
    W, b = [[1, 2], [-2, -4], [0.5, 1], [0, 0], [0, 0], [1, 2]], [1, -2, 0.5, 0, 3, 0]
    count = count_by_characteristic_polynomial(Network.from_layers([(W, b), ([[1] * 6], [0])]))
    assert (count.polynomial, count.regions, count.bounded, count.relatively_bounded) == ((1, -2, 0), 3, 0, 1)


def test_rationals_and_floats_that_differ_in_the_last_bit_are_told_apart() -> None:
    """Three lines through one point, or almost."""
    for last, regions in ((0.0, 6), (2.0**-1070, 7)):
        network = Network.from_layers([([[1, 0], [0, 1], [1, 1]], [0, 0, last]), ([[1, 1, 1]], [0])])
        assert count_by_characteristic_polynomial(network).regions == regions


def test_units_of_other_kinds_and_affine_layers_before() -> None:
    identity, absolute = np.ones((2, 2)), np.array([[-1.0, 1.0], [1.0, 1.0]])
    first = Layer(np.array([[1.0, 1.0], [1.0, -1.0]]), np.zeros(2), identity)
    second = Layer(np.eye(2), np.zeros(2), absolute)
    count = count_by_characteristic_polynomial(Network.from_units([first, second]))
    assert count.regions == 2
    assert count_by_characteristic_polynomial(Network.from_units([first])).polynomial == (1, 0, 0)


def test_a_deep_network_is_refused() -> None:
    network = Network.from_layers([([[1]], [0]), ([[1]], [0]), ([[1]], [0])], name="deep")
    with pytest.raises(NetworkError, match="deep: 2 layers have units with a kink, expected one"):
        count_by_characteristic_polynomial(network)


# ---------------------------------------------------------------- counts that take the polynomial by themselves


@pytest.mark.parametrize("entry", ARRANGEMENTS, ids=name_of)
def test_counts_over_the_whole_space_are_those_of_the_ground_truth(entry: dict[str, Any]) -> None:
    net, space = arrangement_network(entry), WholeSpace(entry["ambient_dim"])
    tally = tally_regions(net, space)
    assert (tally.regions, tally.after_each_layer) == (entry["regions"], (entry["regions"],))
    assert tally.complete
    assert tally.engine == "characteristic polynomial"
    assert count_regions(net, space) == entry["regions"]


def resonance(d: int) -> Network:
    rows = [signs for signs in product_of((0, 1), repeat=d) if any(signs)]
    return Network.from_layers([(rows, [0] * len(rows)), ([[1] * len(rows)], [0])])


def test_the_resonance_arrangement_of_six_dimensions() -> None:
    """OEIS A034997: 1066044 generalised retarded functions."""
    assert count_regions(resonance(6), WholeSpace(6)) == 1066044


@pytest.mark.parametrize("seed", range(12))
def test_the_count_is_that_of_the_list(seed: int) -> None:
    """Identity layers before and behind, kinks at the outputs, slices of all directions, nothing to split."""
    rng = generator(seed)
    make = integer_layers if seed % 2 else float_layers
    d, n = int(rng.integers(1, 5)), int(rng.integers(0, 7))
    (W, b), (V, c) = make(rng, [d, max(n, 1), 2])
    layers = [Layer(np.array(W, dtype=float)[:n], np.array(b, dtype=float)[:n], uniform_slopes(n, RELU))]
    layers.append(
        Layer(np.array(V, dtype=float)[:, :n], np.array(c, dtype=float), uniform_slopes(2, IDENTITY))
    )
    head = Layer(np.eye(d) * 2, np.ones(d), uniform_slopes(d, IDENTITY))
    net = Network.from_units([head, *layers] if seed % 3 else layers)
    domains: list[Any] = [WholeSpace(d)]
    if d > 1:
        domains.append(Slice(rng.integers(-1, 2, d), np.eye(d)[:-1] + np.eye(d)[1:], WholeSpace(d - 1)))
    for domain in domains:
        regions, tally = enumerate_regions(net, domain), tally_regions(net, domain)
        assert tally.regions == len(regions)
        assert list(tally.after_each_layer) == regions.regions_after_each_layer()


def test_deep_networks_boxes_and_named_engines_are_enumerated() -> None:
    deep = Network.from_layers(integer_layers(generator(0), [2, 3, 3, 1]))
    flat = resonance(2)
    assert tally_regions(deep, WholeSpace(2)).engine == "cells"
    assert tally_regions(flat, Box.cube(-1, 1, 2)).engine == "cells"
    for engine in ("cells", "walk", "highs"):
        tally = tally_regions(flat, WholeSpace(2), engine=engine)
        assert (tally.engine, tally.regions) == (engine, 6)


def test_too_many_flats_are_left_to_the_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyregions.analysis.counting.one_layer.MOST_FLATS", 3)
    tally = tally_regions(resonance(4), WholeSpace(4))
    assert (tally.engine, tally.regions) == ("cells", 370)


class Patience(Watch):
    """Says stop when it was asked so many times."""

    def __init__(self, asked: int) -> None:
        super().__init__(None)
        self.left = asked

    def goes_on(self, regions: int, fraction: float) -> bool:
        self.left -= 1
        return self.left >= 0


def test_many_lines_in_the_plane_are_stopped_between_two_of_them() -> None:
    lines = np.random.default_rng(0).normal(size=(40, 3))
    net = Network.from_layers([(lines[:, :2], lines[:, 2]), (np.ones((1, 40)), [0])])
    problem = pose(net, WholeSpace(2))
    stopped, whole = (tally_of_arrangement(problem, Patience(n)) for n in (20, 10**6))
    assert stopped is not None and whole is not None
    assert (stopped.regions, stopped.complete) == (0, False)
    assert (whole.regions, whole.complete) == (1 + 40 + comb(40, 2), True)


def test_a_count_that_is_stopped_says_so() -> None:
    tally = tally_regions(resonance(4), WholeSpace(4), time_limit=0)
    assert (tally.regions, tally.complete) == (0, False)
    with pytest.raises(StoppedError):
        count_regions(resonance(4), WholeSpace(4), time_limit=0)
