"""Exact affine maps: floats as integers, composition, folding, points, and the forward pass in integers."""

from __future__ import annotations

import sys
from fractions import Fraction
from itertools import product
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import naive
from polyregions import Network
from polyregions._types import Floats
from polyregions.errors import NetworkError
from polyregions.exact.affine import (
    IntegerAffine,
    affine_of_floats,
    compose,
    identity_affine,
    integer_matrix,
    integers_of_floats,
    reduced,
    scale_rows,
)
from polyregions.exact.numbers import Point, dot, over_common_denominator
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks.folding import affine_of_layer, fold
from polyregions.networks.germs import ExactNetwork
from polyregions.networks.network import Layer, affine_layer, exact_layer
from randoms import Matrix, fractions, generator, integer_layers, integers, rational_point, scattered, value

SPECIAL = [
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    2.0**-1022,
    sys.float_info.max,
    -sys.float_info.max,
    0.1,
    -1 / 3,
    2.0**53 - 1,
]
TINIEST = Fraction(1, 2**1074)
exhaustive = settings(derandomize=True, deadline=None, max_examples=150)
finite = st.floats(allow_nan=False, allow_infinity=False)
shapes = st.tuples(st.integers(0, 3), st.integers(0, 4))
rationals = st.fractions(max_denominator=50, min_value=-50, max_value=50)


def matrices(n: int, k: int) -> st.SearchStrategy[Matrix]:
    return st.lists(st.lists(rationals, min_size=k, max_size=k), min_size=n, max_size=n)


def affine(rows: Matrix, n_columns: int) -> IntegerAffine:
    """Rows (weight, bias) of rationals as an integer map, over a denominator that is not the least."""
    denominator = 6 * np.lcm.reduce([1, *(v.denominator for row in rows for v in row)], dtype=object)
    return IntegerAffine(
        integer_matrix([[int(v * denominator) for v in row] for row in rows], n_columns), denominator
    )


def entries(affine: IntegerAffine) -> Matrix:
    weight, bias = affine.fractions()
    return [[*w, b] for w, b in zip(weight, bias, strict=True)]


def composed(outer: Matrix, inner: Matrix, d: int) -> Matrix:
    """The definition of ``outer`` after ``inner``."""
    lifted = [*inner, [Fraction(0)] * d + [Fraction(1)]]
    columns = list(zip(*lifted, strict=True))
    return [
        [sum((p * q for p, q in zip(row, column, strict=True)), Fraction(0)) for column in columns]
        for row in outer
    ]


# ---------------------------------------------------------------- floats as integers


@exhaustive
@given(hnp.arrays(np.float64, shapes, elements=finite))
def test_every_float_is_an_integer_over_a_power_of_two(array: Floats) -> None:
    rows, denominator = integers_of_floats(array)
    assert denominator.bit_count() == 1
    assert [[Fraction(v, denominator) for v in row] for row in rows] == [
        fractions(row) for row in array.tolist()
    ]


def test_extreme_floats_stand_side_by_side() -> None:
    for pair in product(SPECIAL, SPECIAL):
        (row,), denominator = integers_of_floats(np.array([pair]))
        assert fractions(pair) == [Fraction(v, denominator) for v in row]


def test_the_power_of_two_is_the_least() -> None:
    assert integers_of_floats(np.array([[0.5, 3.0, -0.25]])) == ([[2, 12, -1]], 4)
    assert integers_of_floats(np.array([[4.0, -6.0]])) == ([[4, -6]], 1)
    assert integers_of_floats(np.array([[0.0, -0.0]])) == ([[0, 0]], 1)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_no_rows_or_no_columns(shape: tuple[int, int]) -> None:
    assert integers_of_floats(np.zeros(shape)) == ([[]] * shape[0], 1)


@exhaustive
@given(hnp.arrays(np.float64, (2, 3), elements=finite))
def test_an_affine_map_of_floats_is_exact(array: Floats) -> None:
    assert entries(affine_of_floats(array[:, :-1], array[:, -1])) == [
        fractions(row) for row in array.tolist()
    ]


# ---------------------------------------------------------------- composition


@exhaustive
@given(
    st.tuples(*[st.integers(0, 3)] * 3).flatmap(
        lambda s: st.tuples(st.just(s), matrices(s[2], s[1] + 1), matrices(s[1], s[0] + 1))
    )
)
def test_composition_is_the_definition(case: tuple[tuple[int, int, int], Matrix, Matrix]) -> None:
    (d, k, n), outer, inner = case
    found = compose(affine(outer, k + 1), affine(inner, d + 1))
    assert found.shape == (n, d + 1)
    assert entries(found) == composed(outer, inner, d)


@exhaustive
@given(matrices(2, 4))
def test_the_identity_is_neutral(rows: Matrix) -> None:
    map_ = affine(rows, 4)
    assert entries(compose(map_, identity_affine(3))) == rows
    assert entries(compose(identity_affine(2), map_)) == rows


@exhaustive
@given(matrices(3, 3), st.lists(finite, min_size=3, max_size=3))
def test_scaling_rows_is_exact(rows: Matrix, slopes: list[float]) -> None:
    expected = [[Fraction(s) * v for v in row] for s, row in zip(slopes, rows, strict=True)]
    assert entries(scale_rows(affine(rows, 3), slopes)) == expected


@exhaustive
@given(
    st.lists(st.lists(st.integers(-60, 60), min_size=3, max_size=3), min_size=1, max_size=3),
    st.integers(1, 360),
)
def test_reducing_keeps_the_map_and_leaves_no_common_factor(rows: list[list[int]], denominator: int) -> None:
    found = reduced(integer_matrix(rows, 3), denominator)
    assert entries(found) == [[Fraction(v, denominator) for v in row] for row in rows]
    assert gcd(found.denominator, *(v for i in range(len(rows)) for v in found.row(i))) == 1


# ---------------------------------------------------------------- folding


@pytest.mark.parametrize("seed", range(10))
def test_folding_float_layers_is_exact(seed: int) -> None:
    rng = generator(seed)
    parts = [scattered(rng, (n, k + 1), 30) for k, n in [(2, 3), (3, 2), (2, 2)]]
    layers = [affine_layer((part[:, :-1], part[:, -1]), "here") for part in parts]
    first, second, third = ([fractions(row) for row in part.tolist()] for part in parts)
    expected = composed(third, composed(second, first, 2), 2)
    found = fold(layers, "here")
    assert entries(affine_of_layer(found)) == expected
    assert np.column_stack([found.weight, found.bias]).tolist() == [
        [float(v) for v in row] for row in expected
    ]


def test_folding_one_layer_gives_it_back() -> None:
    layer = affine_layer(([[0.1]], [0.2]), "here")
    assert fold([layer], "here") is layer


def test_folding_a_normalisation_by_a_third_keeps_the_third() -> None:
    normalise = affine([[Fraction(1, 3), Fraction(-1, 3)]], 2)
    assert entries(affine_of_layer(fold([normalise, affine_layer(([[3.0]], [1.0]), "here")], "here"))) == [
        [1, 0]
    ]
    assert entries(affine_of_layer(fold([normalise], "here"))) == [[Fraction(1, 3), Fraction(-1, 3)]]


def test_what_folds_beyond_float64_is_refused_by_name() -> None:
    huge = affine_layer(([[1e200]], [0.0]), "here")
    with pytest.raises(NetworkError, match="some place: .*beyond the range of float64"):
        fold([huge, huge], "some place")


# ---------------------------------------------------------------- ExactAffine and layers


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (Fraction(0), True),
        (Fraction(-3, 8), True),
        (Fraction(1, 3), False),
        (Fraction(2**53 + 1), False),
        (Fraction(2**53 + 2), True),
        (TINIEST, True),
        (TINIEST / 2, False),
        (3 * TINIEST / 2, False),
        (Fraction(sys.float_info.max), True),
        (Fraction(sys.float_info.max) - 1, False),
    ],
)
def test_whether_float64_holds_a_number(number: Fraction, fits: bool) -> None:
    assert ExactAffine.from_fractions([[number, Fraction(1)]]).is_float64() == fits
    assert (exact_layer(ExactAffine.from_fractions([[number, Fraction(1)]]), 1, "here").exact is None) == fits


@exhaustive
@given(matrices(2, 3))
def test_rationals_over_one_denominator_and_their_nearest_floats(rows: Matrix) -> None:
    exact = ExactAffine.from_fractions(rows)
    assert [[Fraction(n, exact.denominator) for n in row] for row in exact.numerators.tolist()] == rows
    assert exact.nearest_floats().tolist() == [[float(v) for v in row] for row in rows]
    assert all(type(n) is int for n in exact.numerators.flat)


def test_floats_beyond_the_range_are_an_overflow() -> None:
    with pytest.raises(OverflowError):
        ExactAffine.from_fractions([[Fraction(2**1024)]]).nearest_floats()
    with pytest.raises(NetworkError, match="here: an exact coefficient is beyond the range"):
        exact_layer(ExactAffine.from_fractions([[Fraction(2**1024), Fraction(0)]]), 1, "here")


def test_an_exact_layer_without_units_has_its_number_of_inputs() -> None:
    layer = exact_layer(ExactAffine.from_fractions([]), 3, "here")
    assert (layer.n_units, layer.n_inputs) == (0, 3)
    assert affine_of_layer(layer).shape == (0, 4)


@exhaustive
@given(matrices(2, 3))
def test_a_layer_of_rationals_and_back(rows: Matrix) -> None:
    layer = exact_layer(ExactAffine.from_fractions(rows), 2, "here")
    assert isinstance(layer, Layer)
    assert entries(affine_of_layer(layer)) == rows


@exhaustive
@given(matrices(2, 3))
def test_plain_data_of_an_integer_map(rows: Matrix) -> None:
    map_ = affine(rows, 3)
    plain = map_.plain()
    assert [[Fraction(n, plain.denominator) for n in row] for row in plain.numerators.tolist()] == rows
    assert [[Fraction(v, map_.denominator) for v in map_.row(i)] for i in range(2)] == rows


# ---------------------------------------------------------------- points


@exhaustive
@given(st.lists(st.one_of(rationals, finite.map(Fraction)), max_size=4))
def test_a_point_is_exactly_its_coordinates(coordinates: list[Fraction]) -> None:
    point = Point.of(coordinates)
    assert list(point.coordinates) == coordinates
    assert point.is_float64 == all(Fraction(float(c)) == c for c in coordinates)
    assert point.approx.tolist() == [float(c) for c in coordinates]
    assert [Fraction(v, point.integers[-1]) for v in point.integers[:-1]] == coordinates
    assert point.integers[-1] > 0


def test_a_point_beyond_float64_is_a_point_too() -> None:
    coordinates = (Fraction(10**400),)
    assert Point.of(coordinates).coordinates == coordinates


def test_the_common_denominator_is_the_least() -> None:
    assert over_common_denominator([Fraction(1, 4), Fraction(-5, 6)]) == [3, -10, 12]
    assert over_common_denominator([]) == [1]


@exhaustive
@given(st.lists(st.integers(-9, 9), min_size=4, max_size=4), st.lists(rationals, min_size=3, max_size=3))
def test_the_sign_of_a_form_at_a_point(row: list[int], coordinates: list[Fraction]) -> None:
    expected = value(row, coordinates)
    found = dot(row, Point.of(coordinates).integers)
    assert (found > 0, found < 0) == (expected > 0, expected < 0)


# ---------------------------------------------------------------- the forward pass


def moved(x: list[Fraction], v: list[Fraction], step: Fraction) -> list[Fraction]:
    return [a + step * b for a, b in zip(x, v, strict=True)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("final", [None, "relu"])
def test_pattern_and_value_at_a_point(seed: int, final: str | None) -> None:
    rng = generator(seed)
    layers = integer_layers(rng, [2, 3, 3, 2])
    exact = ExactNetwork(Network.from_layers(layers, final_activation=final))
    for _ in range(5):
        x = rational_point(rng, 2, denominator=3)
        germ = exact.germ(x)
        assert germ.pattern == tuple(map(bool, naive.pattern_at(layers, x, final == "relu")))
        assert germ.value == naive.forward(layers, x, final == "relu")


@pytest.mark.parametrize("seed", range(20))
def test_pattern_and_rate_just_beside_a_point(seed: int) -> None:
    rng = generator(seed)
    layers = integer_layers(rng, [2, 3, 3, 2])
    exact = ExactNetwork(Network.from_layers(layers))
    step = Fraction(
        1, 10**9
    )  # no kink is nearer: the coefficients are integers below 10**4, the points quarters
    for _ in range(5):
        x, v = rational_point(rng, 2), fractions(integers(rng, 2))
        germ = exact.germ(x, v)
        beside = moved(x, v, step)
        assert germ.pattern == tuple(map(bool, naive.pattern_at(layers, beside)))
        assert germ.value == naive.forward(layers, x)
        assert moved(list(germ.value), list(germ.rate), step) == list(naive.forward(layers, beside))


def test_a_germ_of_rational_weights() -> None:
    net = Network.from_layers([([[Fraction(1, 3)]], [Fraction(-1, 9)]), ([[1]], [0])])
    assert ExactNetwork(net).germ([Fraction(1, 3)]).pattern == (False,)
    germ = ExactNetwork(net).germ([Fraction(1, 3)], [Fraction(1)])
    assert (germ.pattern, germ.value, germ.rate) == ((True,), (Fraction(0),), (Fraction(1, 3),))


def test_the_pattern_at_a_float_point_sees_the_last_bit() -> None:
    net = Network.from_layers([([[1.0, 1.0]], [-0.3]), ([[1]], [0])])
    # 0.1 + 0.2 rounds to more than 0.3; the exact sum of the stored numbers is more than 0.3 too, by 2**-55.
    assert Fraction(0.1) + Fraction(0.2) > Fraction(0.3)
    assert ExactNetwork(net).pattern(np.array([0.1, 0.2])).tolist() == [True]
    assert ExactNetwork(net).pattern(np.array([0.1, float(np.nextafter(0.2, 0))])).tolist() == [False]
