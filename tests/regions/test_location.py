"""Which region holds a point: exactly, by the half-open convention; and the packing of patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import naive
from polyregions import Box, HPolytope, Network, RegionSet, Slice, WholeSpace, enumerate_regions
from polyregions._types import Floats
from polyregions.errors import InputError
from polyregions.networks.certain_patterns import certified_patterns
from polyregions.networks.network import Network as Layers
from polyregions.networks.patterns import as_text, key_of, keys, pack, unpack
from polyregions.polyhedra.domain import Domain
from randoms import float_layers, generator, integer_layers, scattered

ABS = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
RAMP = Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])


def patterns_of(regions: RegionSet) -> list[tuple[int, ...]]:
    return [tuple(row) for row in regions.patterns.astype(int).tolist()]


def in_closure(layers: naive.Layers, pattern: tuple[int, ...], x: Sequence[float]) -> bool:
    rows = naive.closed(naive.pattern_rows(layers, pattern, []))
    return all(naive.dot(row.a, naive.make_vector(x)) <= row.c for row in rows)


def assert_located(layers: naive.Layers, domain: Domain, X: Floats, inside: Sequence[bool]) -> int:
    """Each point is in the region of its own pattern, else in one whose closure holds it; counts the latter."""
    regions = enumerate_regions(Network.from_layers(layers), domain)
    known, thin = patterns_of(regions), 0
    for x, number, here in zip(X.tolist(), regions.locate(X).tolist(), inside, strict=True):
        pattern = naive.pattern_at(layers, x)
        if not here:
            assert number == -1
        elif pattern in known:
            assert known[number] == pattern
        else:
            thin += 1
            assert number >= 0 and in_closure(layers, known[number], x)
    return thin


# ---------------------------------------------------------------- location


def test_a_kink_belongs_to_the_side_where_its_neuron_is_off() -> None:
    regions = enumerate_regions(RAMP, Box([-1], [2]))
    assert patterns_of(regions) == [(0, 0), (1, 0), (1, 1)]
    least = 5e-324
    X = [[-1.0], [0.0], [-0.0], [least], [1.0], [np.nextafter(1.0, 2)], [2.0]]
    assert regions.locate(X).tolist() == [0, 0, 0, 1, 1, 2, 2]


def test_a_point_whose_pattern_has_no_interior_goes_to_a_neighbour() -> None:
    regions = enumerate_regions(ABS, Box([-1], [1]))
    assert naive.pattern_at([([[1], [-1]], [0, 0]), ([[1, 1]], [0])], [0]) == (0, 0)
    assert patterns_of(regions) == [(0, 1), (1, 0)]
    assert regions.locate([[0.0]])[0] in (0, 1)
    assert regions.locate([[-5e-324], [5e-324]]).tolist() == [0, 1]


def test_points_outside_are_nowhere() -> None:
    regions = enumerate_regions(RAMP, Box([-1], [2]))
    outside = [[np.nextafter(-1, -2)], [np.nextafter(2, 3)], [-1e300], [1e300]]
    assert regions.locate(outside).tolist() == [-1] * 4
    assert regions.locate([[-1.0], [2.0]]).tolist() == [0, 2]


def test_open_rows_of_the_domain_leave_their_boundary_out() -> None:
    half_open = HPolytope([[1], [-1]], [1, 1], strict=[True, False])
    assert half_open.contains([[1.0], [-1.0]]).tolist() == [False, True]
    regions = enumerate_regions(ABS, half_open)
    assert regions.locate([[1.0], [-1.0]]).tolist() == [
        -1,
        0,
    ]


def test_in_the_whole_space_every_point_is_somewhere() -> None:
    regions = enumerate_regions(RAMP, WholeSpace(1))
    assert regions.locate([[-4e307], [0.5], [4e307]]).tolist() == [0, 1, 2]


def test_a_pre_activation_that_overflows_float64_has_a_sign() -> None:
    steep = Network.from_layers([([[10.0]], [0]), ([[1]], [0])])

    assert enumerate_regions(steep, WholeSpace(1)).locate([[-1.7e308], [1.7e308]]).tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(12))
def test_lattice_points_are_located_as_the_twin_says(seed: int) -> None:
    rng = generator(seed)
    layers = integer_layers(rng, [2, 3, 2, 1])
    X = rng.integers(-5, 6, size=(60, 2)) / 4
    assert_located(layers, Box([-1, -1], [1, 1]), X, [max(map(abs, x)) <= 1 for x in X.tolist()])


def test_lattice_points_do_hit_patterns_without_interior() -> None:
    layers: naive.Layers = [([[1, 0], [-1, 0], [1, 1], [-1, -1]], [0, 0, 0, 0]), ([[1, 1, 1, 1]], [0])]
    X = np.array([[i / 4, j / 4] for i in range(-4, 5) for j in range(-4, 5)])
    assert (
        assert_located(layers, Box([-1, -1], [1, 1]), X, [True] * len(X)) == 17
    )  # the points on the two lines


@pytest.mark.parametrize("seed", range(6))
def test_random_points_of_float_networks_are_located_as_the_twin_says(seed: int) -> None:
    rng = generator(seed)
    layers = [(W.tolist(), b.tolist()) for W, b in float_layers(rng, [2, 4, 3, 1])]
    X = rng.uniform(-1, 1, size=(40, 2))
    assert assert_located(layers, WholeSpace(2), X, [True] * len(X)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_every_interior_point_is_located_in_its_region(seed: int) -> None:
    rng = generator(seed)
    regions = enumerate_regions(Network.from_layers(integer_layers(rng, [2, 4, 3, 1])), WholeSpace(2))
    assert not regions.rational_points
    assert regions.locate(regions.points).tolist() == list(range(len(regions)))


def test_on_a_fixed_input_only_points_with_that_value_are_inside() -> None:
    layers: naive.Layers = [([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [0])]
    X = np.array([[i / 4, j / 4] for i in range(-5, 6) for j in (1, 2, 3)])
    inside = [bool(abs(x) <= 1 and y == 0.5) for x, y in X.tolist()]
    assert sum(inside) == 9
    assert_located(layers, Box([-1, 0.5], [1, 0.5]), X, inside)


def test_on_a_slice_only_points_of_the_slice_are_inside() -> None:
    layers: naive.Layers = [([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [0])]
    X = np.array([[i / 4, j / 4] for i in range(-5, 6) for j in range(-5, 6)])
    inside = [bool(y == 2 * x and abs(x) <= 0.5) for x, y in X.tolist()]
    assert sum(inside) == 5
    assert_located(layers, Slice([0, 0], [[0.5, 1.0]], Box([-1], [1])), X, inside)


def test_in_a_partial_result_unknown_regions_are_nowhere() -> None:
    regions = enumerate_regions(RAMP, Box([-1], [2]), max_regions=1)
    assert not regions.complete
    assert regions.locate([[-0.5], [0.0], [0.5], [1.5]]).tolist() == [0, 0, -1, -1]


def test_without_neurons_there_is_one_region() -> None:
    regions = enumerate_regions(Network.from_layers([([[1, 2]], [3])]), Box([0, 0], [1, 1]))
    assert regions.locate([[0.5, 0.5], [2, 2]]).tolist() == [0, -1]


def test_one_point_may_be_given_without_a_second_axis() -> None:
    regions = enumerate_regions(Network.from_layers([([[1, 2]], [3])]), Box([0, 0], [1, 1]))
    assert regions.locate([0.5, 0.5]).tolist() == [0]
    assert regions.locate(np.zeros((0, 2))).tolist() == []


@pytest.mark.parametrize(
    "X", [[[1.0, 2.0]], [[np.nan]], [[np.inf]], np.zeros((1, 1, 1)), [["a"]], [[1], [1, 2]]], ids=str
)
def test_what_is_no_point_is_refused(X: Any) -> None:
    regions = enumerate_regions(ABS, Box([-1], [1]))
    with pytest.raises(InputError):
        regions.locate(X)


# ---------------------------------------------------------------- patterns certified by floats


def certified_are_right(net: Layers, layers: naive.Layers, X: Floats) -> int:
    """Asserts that no certified pattern is wrong; gives how many were certified."""
    with np.errstate(all="ignore"):
        found, certain = certified_patterns(net, X)
    for x, bits, sure in zip(X.tolist(), found.astype(int).tolist(), certain, strict=True):
        assert not sure or tuple(bits) == naive.pattern_at(layers, x)
    return int(certain.sum())


def both(parts: Sequence[tuple[Any, Any]]) -> tuple[Network, naive.Layers]:
    return Network.from_layers(parts), [(np.array(W).tolist(), np.array(b).tolist()) for W, b in parts]


@pytest.mark.parametrize("seed", range(6))
def test_generic_patterns_are_certified_and_right(seed: int) -> None:
    rng = generator(seed)
    net, layers = both(float_layers(rng, [3, 5, 5, 2]))
    assert certified_are_right(net, layers, rng.normal(size=(30, 3))) == 30


@pytest.mark.parametrize("seed", range(6))
def test_degenerate_patterns_are_right_where_certified(seed: int) -> None:
    rng = generator(seed)
    net, layers = both(integer_layers(rng, [2, 4, 4, 1]))
    certified_are_right(net, layers, rng.integers(-4, 5, size=(40, 2)) / 4)


@pytest.mark.parametrize("spread", [20, 100, 300])
@pytest.mark.parametrize("seed", range(3))
def test_patterns_are_right_where_certified_at_every_scale(seed: int, spread: int) -> None:
    rng = generator(seed)
    shapes = [(4, 3), (4, 4), (2, 4)]
    net, layers = both(
        [(scattered(rng, shape, spread), scattered(rng, shape[:1], spread)) for shape in shapes]
    )
    certified_are_right(net, layers, scattered(rng, (30, 3), spread))


@pytest.mark.parametrize("seed", range(4))
def test_patterns_next_to_a_hyperplane_are_right_where_certified(seed: int) -> None:
    rng = generator(seed)
    net, layers = both(float_layers(rng, [2, 4, 4, 1]))
    weight, bias = net.layers[0].weight, net.layers[0].bias
    near = [
        [-(w[1] * t + b) / w[0], t] for w, b in zip(weight, bias, strict=True) for t in rng.normal(size=10)
    ]
    assert certified_are_right(net, layers, np.array(near)) < len(near)


def test_a_zero_is_never_certified() -> None:
    assert certified_patterns(ABS, np.array([[0.0], [1.0]]))[1].tolist() == [False, True]
    with np.errstate(all="ignore"):
        assert certified_patterns(ABS, np.array([[np.nan], [np.inf]]))[1].tolist() == [False, False]


def test_rational_weights_are_judged_by_their_exact_values() -> None:
    thirds: list[tuple[Any, Any]] = [([[Fraction(1, 3)] * 3], [-1]), ([[1]], [0])]
    net = Network.from_layers(thirds)
    X = np.ones((4, 3)) * [[1.0], [np.nextafter(1, 0)], [np.nextafter(1, 2)], [0.5]]
    found, certain = certified_patterns(net, X)
    assert certain.tolist() == [False, False, False, True]
    assert not found[3, 0]
    regions = enumerate_regions(net, WholeSpace(3))
    assert regions.locate(X).tolist() == [0, 0, 1, 0]


def test_rational_weights_below_the_normal_floats_are_judged_by_their_exact_values() -> None:
    tiny = Fraction(7, 5 * 2**1075)  # stored as 2**-1074, more than a third too large
    layers: list[tuple[Any, Any]] = [([[tiny]], [-0.85 * 2.0**-73]), ([[1]], [0])]
    net = Network.from_layers(layers)
    x = np.array([[2.0**1001]])
    assert naive.pattern_at(layers, x[0].tolist()) == (0,)  # 0.7 * 2**-73 - 0.85 * 2**-73

    found, certain = certified_patterns(net, x)
    assert not (certain[0] and found[0, 0])


# ---------------------------------------------------------------- regions by pattern


def test_regions_are_found_by_their_pattern() -> None:
    regions = enumerate_regions(RAMP, Box([-1], [2]))
    assert [regions.find(pattern) for pattern in ([0, 0], [1, 0], [1, 1], [0, 1])] == [0, 1, 2, None]
    assert [regions.find(pattern) for pattern in regions.patterns] == [0, 1, 2]
    with pytest.raises(InputError, match=r"pattern of shape \(1,\), expected \(2,\)"):
        regions.find([1])


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 20])
def test_packing_keeps_patterns_and_their_order(n: int) -> None:
    patterns = generator(n).random((50, n)) < 0.5
    packed = pack(patterns)
    assert packed.shape == (50, (n + 7) // 8)
    assert np.array_equal(unpack(packed, n), patterns)
    assert keys(packed) == [key_of(pattern) for pattern in patterns]
    by_key = sorted(range(50), key=lambda i: keys(packed)[i])
    by_bits = sorted(range(50), key=lambda i: patterns[i].tolist())
    assert by_key == by_bits
    assert [as_text(p) for p in patterns[:1]] == ["".join(map(str, patterns[0].astype(int)))]


def test_a_region_is_found_by_what_it_prints() -> None:
    regions = enumerate_regions(RAMP, Box([-1], [2]))
    for i in range(len(regions)):
        assert regions.find(as_text(regions.patterns[i])) == i
    with pytest.raises(InputError, match="zeros and ones"):
        regions.find("0x")
    with pytest.raises(InputError, match="shape"):
        regions.find("010")
