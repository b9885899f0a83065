"""Bounds: vectors worked out by hand, brute-force sums, and counts that none of them may contradict."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import comb, prod
from typing import Any

import numpy as np
import pytest

from polyregions import Bound, Box, Network, WholeSpace, bounds, count_regions
from polyregions.networks.network import Layer
from random_networks import network_of
from randoms import float_layers, generator, integer_layers
from truth import ARRANGEMENTS, FORMULA_NETWORKS, arrangement_network, formula_network, name_of

Widths = tuple[int, ...]


def architecture(d: int, widths: Widths, seed: int = 0) -> Network:
    return Network.from_layers(float_layers(generator(seed), [d, *widths, 1]))


def by_name(network: Network) -> dict[str, Bound]:
    return {bound.name: bound for bound in bounds(network)}


def value(d: int, widths: Widths, name: str) -> Any:
    return by_name(architecture(d, widths))[name].value


UPPER = [
    (2, (16, 16), 18769, 18769),
    (2, (20, 20), 44521, 44521),
    (3, (16, 16), 485809, 485809),
    (4, (12, 1), 1588, 1588),
    (4, (10, 10, 10, 1), 115024912, 115024912),
    (2, (3, 2, 3), 196, 100),
    (2, (3, 3, 3), 343, 208),
    (10, (4, 3, 5), 3328, 1054),
]


@pytest.mark.parametrize(("d", "widths", "montufar", "serra"), UPPER)
def test_upper_bounds_of_known_architectures(d: int, widths: Widths, montufar: int, serra: int) -> None:
    assert value(d, widths, "montufar_2017_upper") == montufar
    assert value(d, widths, "serra_2018_upper") == serra


@pytest.mark.parametrize(
    ("widths", "pascanu", "montufar", "serra"),
    [((16, 16), 1096, 8768, 11097), ((20, 20), 2110, 21100, 25531)],
)
def test_lower_bounds_of_known_architectures(widths: Widths, pascanu: int, montufar: int, serra: int) -> None:
    assert value(2, widths, "pascanu_2013_lower") == pascanu
    assert value(2, widths, "montufar_2014_lower") == montufar
    assert value(2, widths, "serra_2018_lower") == serra


def index_sets(d: int, widths: Widths) -> Iterator[tuple[int, ...]]:
    """All (j_1, ..., j_L) with 0 <= j_l <= min(d, n_1 - j_1, ..., n_(l-1) - j_(l-1), n_l)."""
    if not widths:
        yield ()
        return
    for j in range(min(d, widths[0]) + 1):
        for rest in index_sets(min(d, widths[0] - j), widths[1:]):
            yield (j, *rest)


@pytest.mark.parametrize("d", [1, 2, 3, 10])
@pytest.mark.parametrize("widths", [(4,), (3, 2, 3), (2, 5, 1), (4, 0, 3), (1, 1, 1, 1), (5, 4, 3)])
def test_serra_and_hinz_are_the_sum_over_all_index_sets(d: int, widths: Widths) -> None:
    total = sum(prod(comb(n, j) for n, j in zip(widths, js, strict=True)) for js in index_sets(d, widths))
    assert value(d, widths, "serra_2018_upper") == total
    assert value(d, widths, "hinz_2019") == total


def check_upper(network: Network, count: int) -> None:
    found = [bound for bound in bounds(network) if bound.kind == "upper" and bound.value is not None]
    assert found
    for bound in found:
        assert bound.value is not None and count <= bound.value, bound.name


@pytest.mark.parametrize("entry", FORMULA_NETWORKS, ids=name_of)
def test_upper_bounds_hold_for_the_formula_networks(entry: dict[str, Any]) -> None:
    check_upper(formula_network(entry), entry["cells"])


@pytest.mark.parametrize("entry", ARRANGEMENTS, ids=name_of)
def test_upper_bounds_hold_for_arrangements(entry: dict[str, Any]) -> None:
    check_upper(arrangement_network(entry), entry["regions"])


def test_upper_bounds_hold_for_random_networks() -> None:
    rng = generator(1)
    for sizes in [(2, 4, 3, 3, 1), (3, 3, 4, 2), (1, 5, 5, 1), (2, 1, 4, 4, 1), (4, 3, 3, 3, 1)] * 8:
        for layers in (integer_layers(rng, sizes), float_layers(rng, sizes)):
            network = network_of(layers)
            check_upper(network, count_regions(network, WholeSpace(sizes[0])))


def test_upper_bounds_hold_for_units_of_all_kinds() -> None:
    rng = generator(4)
    kinds = np.array([[0.0, 1.0], [0.25, 1.0], [-1.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    for _ in range(30):
        pairs = float_layers(rng, [2, 3, 3, 3, 1])
        layers = [Layer(W, b, kinds[rng.integers(0, 5, len(b))]) for W, b in pairs]
        network = Network.from_units(layers)
        check_upper(network, count_regions(network, WholeSpace(2)))


def test_units_that_stay_off_tighten_the_bound_that_reads_the_weights() -> None:
    """The second layer has weights and biases below 0, so it is off: at most the first layer's 7 regions."""
    network = network_of(
        [([[1, 0], [0, 1], [1, 1]], [0, 0, 1]), (-np.ones((4, 3)), -np.ones(4)), ([[1] * 4], [0])]
    )
    found = by_name(network)
    assert found["serra_ramalingam_2020"].value == 7 == count_regions(network, WholeSpace(2))
    assert found["serra_2018_upper"].value != 7


def test_one_layer_in_general_position_attains_zaslavskys_bound() -> None:
    network = architecture(3, (7,))
    count = count_regions(network, WholeSpace(3))
    found = by_name(network)
    names = ["zaslavsky", "montufar_2017_upper", "serra_2018_upper", "hinz_2019", "serra_ramalingam_2020"]
    assert [found[name].value for name in names] == [count] * 5
    assert found["pascanu_2013_lower"].value == count  # with one layer it is exact


def test_conditions_that_fail_are_named() -> None:
    found = by_name(architecture(3, (4, 2)))
    assert found["zaslavsky"].value is None
    assert found["zaslavsky"].reason == "2 layers have units with a kink, expected one"
    assert found["pascanu_2013_lower"].value == (4 // 3) * 4
    assert found["montufar_2014_lower"].reason == "layer 2 has 2 neurons, expected at least 3"
    assert found["serra_2018_lower"].reason == "layer 1 has 4 neurons, expected at least 9"
    leaky = Layer(np.ones((2, 2)), np.zeros(2), np.array([[0.5, 1.0], [0.0, 1.0]]))
    out = Layer(np.ones((1, 2)), np.zeros(1), np.ones((1, 2)))
    found = by_name(Network.from_units([leaky, out]))
    assert found["serra_2018_upper"].reason is not None
    assert found["serra_2018_upper"].reason.startswith("layer 1, unit 0 has slopes (0.5, 1.0)")
    assert found["zaslavsky"].value == 4
    assert all((bound.value is None) == (bound.reason is not None) for bound in found.values())


def test_a_network_without_hidden_layers_has_one_region() -> None:
    network = Network.from_layers([([[1, 2]], [0])])
    uppers = [bound.value for bound in bounds(network) if bound.kind == "upper"]
    assert uppers == [1] * len(uppers)
    assert all(bound.value is None for bound in bounds(network) if bound.kind == "lower")


def test_the_heuristic_is_exact_and_says_what_it_is() -> None:
    assert value(3, (16, 16), "hanin_rolnick_2019") == Fraction(32**3, 6)
    assert value(2, (16, 16), "hanin_rolnick_2019") == 512
    assert value(5, (2, 1), "hanin_rolnick_2019") == 8
    assert by_name(architecture(2, (4,)))["hanin_rolnick_2019"].kind == "heuristic"


def test_bounds_do_not_overflow() -> None:
    found = by_name(architecture(50, (200, 200)))
    assert found["trivial"].value == 2**400
    assert found["montufar_2017_upper"].value == sum(comb(200, j) for j in range(51)) ** 2


def test_every_bound_is_stated_and_cited() -> None:
    for bound in bounds(architecture(2, (3,))):
        assert bound.kind in ("upper", "lower", "heuristic")
        assert bound.statement.endswith(".") and bound.citation.endswith(".")


def test_bounds_of_a_box_count_too() -> None:
    network = architecture(2, (6, 6), seed=3)
    check_upper(network, count_regions(network, Box.cube(-1, 1, 2)))
