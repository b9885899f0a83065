"""What floats claim is true: signs, emptiness, bounds, pulled-back layers, and the oracles built on them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from numpy.random import Generator

import naive
from polyregions import Box, Network, count_regions
from polyregions._types import Floats
from polyregions.exact.interior import find_interior
from polyregions.exact.numbers import Point
from polyregions.networks.network import Layer, affine_layer
from polyregions.networks.pullback import ComposedLayers, PulledLayer
from polyregions.polyhedra.oracle import proof
from polyregions.polyhedra.oracle.answer import UNDECIDED, Answer, Oracle, Status
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import HighsOracle
from polyregions.polyhedra.oracle.rational import RationalOracle
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.polyhedra.solid import integer_form
from randoms import (
    Matrix,
    float_layers,
    fractions,
    generator,
    integer_layers,
    integer_rows,
    integers,
    rational_point,
    scattered,
    value,
)

SPREADS = [0, 3, 40, 130, 300]
BAD = [np.nan, np.inf, -np.inf]


def cancelling(rng: Generator, m: int, k: int, spread: int) -> tuple[Floats, Floats]:
    """Rows and a point at which each row is zero but for rounding."""
    rows, x = scattered(rng, (m, k + 1), spread), scattered(rng, (k,), spread)
    rows[:, -1] = -(rows[:, :-1] @ x)
    return rows, x


def cases(seed: int, spread: int) -> list[tuple[Floats, Floats, Floats]]:
    """(rows, error, x): plain, cancelling, and cancelling with doubt in every entry."""
    rng = generator(seed)
    with np.errstate(all="ignore"):
        plain = scattered(rng, (6, 4), spread), np.zeros((6, 4)), scattered(rng, (3,), spread)
        rows, x = cancelling(rng, 6, 3, spread)
        doubt = np.abs(rows) * np.ldexp(rng.random((6, 4)), -int(rng.integers(20, 60)))
        found = [plain, (rows, np.zeros((6, 4)), x), (rows, doubt, x)]
        return [case for case in found if np.isfinite(case[0] @ np.append(case[2], 1.0)).all()]


def reach(error: Floats, x: Floats) -> Fraction:
    """How far the true value can be from the value of the row as stored, at x."""
    return value(error.tolist(), [abs(c) for c in fractions(x)])


# ---------------------------------------------------------------- signs at a point


@pytest.mark.parametrize("spread", SPREADS)
def test_the_true_value_is_within_the_error_bound(spread: int) -> None:
    for seed in range(20):
        for rows, error, x in cases(seed, spread):
            found, bounds = proof.values_with_error(rows, error, x)
            for row, doubt, v, bound in zip(rows, error, found, bounds, strict=True):
                if np.isfinite(bound):
                    assert abs(value(row, fractions(x)) - Fraction(v)) + reach(doubt, x) <= Fraction(bound)


@pytest.mark.parametrize("spread", SPREADS)
def test_a_sign_is_never_wrong(spread: int) -> None:
    claims = 0
    for seed in range(20):
        for rows, error, x in cases(seed, spread):
            for row, doubt in zip(rows, error, strict=True):
                sign = proof.sign_at(row, doubt, x)
                claims += sign != 0
                assert sign == 0 or sign * value(row, fractions(x)) > reach(doubt, x)
    assert claims > 0


@pytest.mark.parametrize("spread", SPREADS)
def test_a_point_said_to_be_inside_is_inside(spread: int) -> None:
    for seed in range(20):
        for rows, error, x in cases(seed, spread):
            signs = np.array([proof.sign_at(row, doubt, x) for row, doubt in zip(rows, error, strict=True)])
            turned, certain = rows * np.where(signs == 0, 1, signs)[:, None], signs != 0
            assert proof.is_inside(turned[certain], error[certain], x)
            if proof.is_inside(turned, error, x):
                pairs = zip(turned, error, strict=True)
                assert all(value(row, fractions(x)) > reach(doubt, x) for row, doubt in pairs)


def test_what_is_clear_is_claimed() -> None:
    row, none = np.array([1.0, -0.5]), np.zeros(2)
    assert [proof.sign_at(row, none, np.array([v])) for v in (1.0, 0.5, 0.0)] == [1, 0, -1]
    assert proof.sign_at(row, none, np.nextafter([0.5], 1.0)) == 0  # true, but within the bound
    assert proof.is_inside(row[None], none[None], np.array([0.75]))
    assert proof.is_inside(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(2))


def test_a_sum_that_cancels_to_the_wrong_sign_is_not_claimed() -> None:
    row, x = np.array([1e16, 1.0, -1e16, 0.0]), np.array([1.0, 1.0, 1.0])
    assert proof.sign_at(row, np.zeros(4), x) == 0
    assert proof.sign_at(np.array([0.1, 0.2, -0.3, 0.0]), np.zeros(4), x) == 0


@pytest.mark.parametrize("bad", BAD)
def test_what_is_not_finite_proves_nothing_at_a_point(bad: float) -> None:
    row, none, x = np.array([1.0, 1.0]), np.zeros(2), np.array([1.0])
    with np.errstate(all="ignore"):
        assert proof.sign_at(row, none, np.array([bad])) == 0
        assert proof.sign_at(np.array([bad, 1.0]), none, x) == 0
        assert proof.sign_at(row, np.array([abs(bad), 0.0]), x) == 0
        assert proof.sign_at(row, np.array([abs(bad), 0.0]), np.zeros(1)) == 0
        assert not proof.is_inside(np.array([[1.0, 1.0], [bad, 1.0]]), np.zeros((2, 2)), x)


def test_overflow_proves_nothing() -> None:
    row = np.array([1e308, 1e308, -1e308, 0.0])
    with np.errstate(all="ignore"):
        assert proof.sign_at(row, np.zeros(4), np.array([2.0, 2.0, 4.0])) == 0


def test_underflow_proves_nothing() -> None:
    row = np.array([1e-200, -1e-320])
    assert proof.sign_at(row, np.zeros(2), np.array([1e-200])) == 0


# ---------------------------------------------------------------- bounds over a box


def random_bounds(rng: Generator, k: int, spread: int) -> Bounds:
    ends = np.sort(scattered(rng, (2, k), spread), axis=0)
    ends[0, rng.random(k) < 0.15], ends[1, rng.random(k) < 0.15] = -np.inf, np.inf
    return Bounds(ends[0], ends[1])


def supremum(row: Floats, error: Floats, bounds: Bounds) -> Fraction | None:
    """The largest value over the bounds of any form within the error of the row; None if there is none."""
    total = Fraction(row[-1]) + Fraction(error[-1])
    for w, e, low, high in zip(row[:-1], error[:-1], bounds.lower, bounds.upper, strict=True):
        slopes = {Fraction(w) + Fraction(e), Fraction(w) - Fraction(e)}
        if any((s > 0 and np.isinf(high)) or (s < 0 and np.isinf(low)) for s in slopes):
            return None
        total += max(s * Fraction(high if s > 0 else low) if s else Fraction(0) for s in slopes)
    return total


@pytest.mark.parametrize("spread", [0, 3, 40, 130])
def test_an_upper_bound_is_one(spread: int) -> None:
    finite = 0
    for seed in range(40):
        rng = generator(seed)
        rows, bounds = scattered(rng, (5, 4), spread), random_bounds(rng, 3, spread)
        error = np.abs(scattered(rng, (5, 4), spread)) * (seed % 2) * 1e-3
        for row, doubt, found in zip(rows, error, proof.upper_bound(rows, error, bounds), strict=True):
            best = supremum(row, doubt, bounds)
            assert found == np.inf if best is None else found == np.inf or Fraction(found) >= best
            finite += np.isfinite(found)
    assert finite > 50


def test_an_upper_bound_is_close() -> None:
    bounds = Bounds(np.array([-1.0, 2.0]), np.array([3.0, np.inf]))
    rows = np.array([[2.0, -1.0, 0.5], [-2.0, 0.0, 0.5], [0.0, 1.0, 0.0]])
    assert proof.upper_bound(rows, np.zeros((3, 3)), bounds) == pytest.approx([4.5, 2.5, np.inf])


@pytest.mark.parametrize("bad", BAD)
def test_what_is_not_finite_bounds_nothing(bad: float) -> None:
    unit = Bounds(np.zeros(1), np.ones(1))
    with np.errstate(all="ignore"):
        for row, error in (
            ([bad, -1.0], [0.0, 0.0]),
            ([1.0, -5.0], [abs(bad), 0.0]),
            ([1.0, -5.0], [0.0, abs(bad)]),
        ):
            assert proof.upper_bound(np.array([row]), np.array([error]), unit).tolist() == [np.inf]


def test_a_doubtful_zero_does_not_bound_an_unbounded_form() -> None:
    row, error = np.array([[0.0, -1.0]]), np.array([[1e-300, 0.0]])
    assert proof.upper_bound(row, error, Bounds.unknown(1)).tolist() == [np.inf]
    assert proof.upper_bound(row, np.zeros((1, 2)), Bounds.unknown(1))[0] < 0


# ---------------------------------------------------------------- emptiness


def box_forms(bounds: Bounds) -> list[naive.Row]:
    sides = naive.box(bounds.lower.tolist(), bounds.upper.tolist())
    return [naive.make_row(a, c, strict=False) for a, c in sides]


def is_truly_empty(rows: Sequence[Sequence[float]], bounds: Bounds) -> bool:
    strict = [naive.make_row([-v for v in row[:-1]], row[-1], strict=True) for row in rows]
    return naive.find_point(strict + box_forms(bounds), len(bounds.lower)) is None


@pytest.mark.parametrize("scale", [1.0, 1e-12, 1e12])
def test_emptiness_is_never_claimed_of_a_set_with_a_point(scale: float) -> None:
    claims = 0
    for seed in range(60):
        rng = generator(seed)
        rows = np.array(integer_rows(rng, 5, 3, 2), dtype=float)
        bounds = Bounds(np.full(2, -3.0), np.full(2, 3.0))
        multipliers = find_interior(rows.astype(int).tolist(), fractions([0, 0])).multipliers
        y = np.array([float(multipliers.get(i, 0)) for i in range(5)])
        rows[0] *= scale
        y[0] /= scale
        for trial in (y, y * (1 + rng.normal(size=5) * 1e-3), np.abs(rng.normal(size=5)), rng.normal(size=5)):
            if proof.is_empty(rows, np.zeros_like(rows), trial, bounds):
                claims += 1
                assert is_truly_empty(rows.tolist(), bounds)
    assert claims > 20


def test_emptiness_by_a_margin_is_proved() -> None:
    rows, none = np.array([[1.0, -1.0], [-1.0, 0.0]]), np.zeros((2, 2))  # x > 1 and x < 0
    assert (
        proof.is_empty(rows, none, np.array([1.0, 1.0]), Bounds.unknown(1)) is False
    )  # the sum's doubt is unbounded
    assert proof.is_empty(rows, none, np.array([1.0, 1.0]), Bounds(np.array([-9.0]), np.array([9.0])))
    assert proof.is_empty(rows, none, np.array([1.0, 0.0]), Bounds(np.array([-9.0]), np.array([0.5])))


def test_sets_that_touch_or_overlap_by_little_are_not_claimed_empty() -> None:
    bounds, y, none = Bounds(np.array([0.0]), np.array([2.0])), np.array([1.0, 1.0]), np.zeros((2, 2))
    for gap in (0.0, 2.0**-52, 1e-30):
        assert not proof.is_empty(np.array([[1.0, -1.0], [-1.0, 1.0 + gap]]), none, y, bounds)
    doubt = np.array([[0.0, 0.0], [0.0, 0.2]])
    assert not proof.is_empty(np.array([[1.0, -1.0], [-1.0, 0.9]]), doubt, y, bounds)


@pytest.mark.parametrize("bad", BAD)
def test_multipliers_that_are_no_numbers_prove_nothing(bad: float) -> None:
    rows, bounds = np.array([[1.0, 0.0], [-1.0, 1.0]]), Bounds(np.array([-9.0]), np.array([9.0]))
    with np.errstate(all="ignore"):
        for y in ([bad, bad], [bad, 1.0], [1.0, bad], [0.0, 0.0], [-1.0, -1.0]):
            assert not proof.is_empty(rows, np.zeros((2, 2)), np.array(y), bounds)


# ---------------------------------------------------------------- layers pulled back to the input


def exact_layers(net: Network) -> list[tuple[Matrix, list[Fraction]]]:
    """The layers that a network stands for, in fractions."""
    out = []
    for layer in net.layers:
        table = np.column_stack([layer.weight, layer.bias]).tolist()
        rows = [fractions(row) for row in table]
        if layer.exact is not None:
            rows = [
                [Fraction(n, layer.exact.denominator) for n in row] for row in layer.exact.numerators.tolist()
            ]
        out.append(([row[:-1] for row in rows], [row[-1] for row in rows]))
    return out


def true_rows(net: Network, pattern: Sequence[bool]) -> list[Matrix]:
    """The pre-activations (weight, bias) of every layer along a pattern, by definition."""
    forms: list[naive.Form] = [
        (tuple(Fraction(int(i == j)) for j in range(net.n_inputs)), Fraction(0)) for i in range(net.n_inputs)
    ]
    found, bits = [], iter(pattern)
    for layer, exact in zip(net.layers, exact_layers(net), strict=True):
        forms = naive.compose(exact, forms, net.n_inputs)
        found.append([[*w, b] for w, b in forms])
        slopes = [Fraction(on if on == off or next(bits, True) else off) for off, on in layer.slopes.tolist()]
        forms = [(tuple(s * v for v in w), s * b) for s, (w, b) in zip(slopes, forms, strict=True)]
    return found


def assert_contains(pulled: PulledLayer, truth: Matrix) -> None:
    weight, bias = pulled.exact.fractions()
    assert [[*w, b] for w, b in zip(weight, bias, strict=True)] == truth
    for row, error, exact in zip(pulled.rows.tolist(), pulled.error.tolist(), truth, strict=True):
        for entry, bound, number in zip(row, error, exact, strict=True):
            assert not np.isfinite([entry, bound]).all() or abs(Fraction(entry) - number) <= Fraction(bound)


def assert_pulled_back(net: Network, rng: Generator, patterns: int = 3) -> None:
    layers = ComposedLayers(net)
    for _ in range(patterns):
        pattern = rng.random(net.n_neurons) < 0.7
        for pulled, truth in zip(layers.along(pattern), true_rows(net, pattern.tolist()), strict=True):
            assert_contains(pulled, truth)


def with_slopes(layers: Sequence[Layer], slopes: tuple[float, float]) -> Network:
    return Network.from_units([*(layer.with_units(slopes) for layer in layers[:-1]), layers[-1]])


@pytest.mark.parametrize("seed", range(10))
def test_the_error_bounds_hold_the_exact_map_of_float_networks(seed: int) -> None:
    rng = generator(seed)
    assert_pulled_back(Network.from_layers(float_layers(rng, [3, 5, 4, 4, 2])), rng)


def test_the_true_rows_of_this_file_are_the_twins() -> None:
    rng = generator(0)
    layers = integer_layers(rng, [2, 3, 3, 2])
    net = Network.from_layers(layers)
    for _ in range(10):
        pattern = tuple(int(b) for b in rng.random(net.n_neurons) < 0.5)
        flat = [row for rows in true_rows(net, [bool(b) for b in pattern]) for row in rows]
        assert flat == [[*w, b] for w, b in naive.unroll(layers, pattern)[0]]


@pytest.mark.parametrize("spread", [10, 40, 200])
@pytest.mark.parametrize("seed", range(4))
def test_the_error_bounds_hold_at_every_scale(spread: int, seed: int) -> None:
    rng = generator(seed)
    sizes = [3, 4, 4, 3]
    layers = [
        (scattered(rng, (n, k), spread), scattered(rng, (n,), spread))
        for k, n in zip(sizes, sizes[1:], strict=False)
    ]
    assert_pulled_back(Network.from_layers(layers), rng)


@pytest.mark.parametrize("seed", range(4))
def test_the_error_bounds_hold_where_layers_cancel(seed: int) -> None:
    rng = generator(seed)
    W, b = rng.normal(size=(4, 3)), rng.normal(size=4)
    twins = np.vstack([W, W * (1 + 2**-50)]), np.append(b, b)
    difference = np.hstack([np.eye(4), -np.eye(4)]), np.zeros(4)
    assert_pulled_back(Network.from_layers([twins, difference, (np.full((1, 4), 1e15), [1.0])]), rng, 6)


@pytest.mark.parametrize("seed", range(6))
def test_the_error_bounds_hold_for_rational_layers(seed: int) -> None:
    rng = generator(seed)
    sevenths = [
        ([[Fraction(v, 7) for v in row] for row in W], b) for W, b in integer_layers(rng, [2, 4, 3, 2], 9)
    ]
    net = Network.from_layers(sevenths)
    assert any(layer.exact is not None for layer in net.layers)
    assert_pulled_back(net, rng)


@pytest.mark.parametrize("slopes", [(0.1, 1.0), (-1.0, 1.0), (-0.3, 1.7), (1 / 3, 1e-5)])
def test_the_error_bounds_hold_for_other_units(slopes: tuple[float, float]) -> None:
    rng = generator(0)
    layers = [affine_layer(pair, "here") for pair in float_layers(rng, [3, 4, 4, 2])]
    assert_pulled_back(with_slopes(layers, slopes), rng)


def test_the_error_bounds_hold_where_products_underflow() -> None:
    rng = generator(0)
    layers = [(rng.normal(size=(2, 2)) * 1e-170, rng.normal(size=2)) for _ in range(3)]

    assert_pulled_back(Network.from_layers(layers), rng)


@pytest.mark.parametrize("size", [1e-100, 1e-170])
def test_scaling_layers_down_and_up_again_changes_no_region(size: float) -> None:
    factors = [size] * 3 + [1 / size] * 3
    net = Network.from_layers([*(([[f]], [0]) for f in factors), ([[1]], [-0.5]), ([[1]], [0])])

    assert count_regions(net, Box([0], [1])) == 2


def test_the_error_bounds_hold_where_a_slope_underflows() -> None:
    tiny = affine_layer(([[1e-200]], [1e-200]), "here")
    huge = affine_layer(([[1e300]], [0.0]), "here")

    assert_pulled_back(with_slopes([tiny, huge], (1e-200, 1.0)), generator(1), 6)


def test_the_error_bounds_hold_for_rational_weights_below_the_normal_floats() -> None:
    tiny = Fraction(7, 5 * 2**1075)  # stored as 2**-1074, more than a third too large
    net = Network.from_layers([([[2.0**1000]], [0]), ([[tiny]], [0])])

    assert_pulled_back(net, generator(0))


@pytest.mark.parametrize("seed", range(5))
def test_what_follows_a_dead_layer_is_exactly_constant(seed: int) -> None:
    rng = generator(seed)
    net = Network.from_layers(float_layers(rng, [3, 4, 3, 3, 2]))
    pattern = rng.random(net.n_neurons) < 0.5
    pattern[4:7] = False
    _, _, after, last = ComposedLayers(net).along(pattern)
    assert not after.rows[:, :-1].any() and not after.error[:, :-1].any()
    assert not last.rows[:, :-1].any() and not last.error[:, :-1].any()
    assert after.rows[:, -1].tolist() == net.layers[2].bias.tolist()
    referee = Referee(Bounds.unknown(3))
    signs = [referee.constant_sign(after.form(i)) for i in range(3)]
    assert signs == [int(np.sign(b)) for b in net.layers[2].bias]


def test_inputs_that_reach_nothing_stay_exactly_zero() -> None:
    net = Network.from_layers([([[0.1, 0.0], [0.3, 0.0]], [0.7, 0.1]), ([[0.2, 0.9]], [0.3])])
    last = ComposedLayers(net).last_along(np.array([True, True]))
    assert (last.rows[0, 1], last.error[0, 1]) == (0.0, 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_output_along_a_pattern(seed: int) -> None:
    rng = generator(seed)
    layers = integer_layers(rng, [2, 3, 2])
    net = Network.from_layers(layers, final_activation="relu")
    pattern = rng.random(5) < 0.5
    last = ComposedLayers(net).last_along(pattern)
    matrix, vector = naive.affine_map(layers, tuple(int(b) for b in pattern))
    assert last.exact_output(pattern[3:]).fractions() == ([list(row) for row in matrix], list(vector))
    weight, bias = last.output(pattern[3:])
    assert weight.tolist() == [[float(v) for v in row] for row in matrix]
    assert bias.tolist() == [float(v) for v in vector]


def test_layers_of_width_zero_and_no_hidden_layer_pull_back() -> None:
    cut = Network.from_layers([(np.zeros((0, 2)), []), (np.zeros((1, 0)), [0.1])])
    assert_pulled_back(cut, generator(0), 1)
    assert_pulled_back(Network.from_layers([([[0.1, 0.2]], [0.3])]), generator(0), 1)


# ---------------------------------------------------------------- forms and oracles


def form_of(row: Sequence[int]) -> Form:
    return Form(np.array(row, dtype=float), np.zeros(len(row)), lambda: list(row))


def polyhedron_of(rows: Sequence[Sequence[int]], k: int) -> OpenPolyhedron:
    return OpenPolyhedron.of([form_of(row) for row in rows], k)


def cube_rows(k: int, most: int) -> list[list[int]]:
    return [[s * int(i == j) for j in range(k)] + [most] for i in range(k) for s in (1, -1)]


def degenerate(seed: int) -> tuple[list[list[int]], int]:
    """Rows in a cube, small integers, some rows multiplied by a large number."""
    rng = generator(seed)
    k = int(rng.integers(1, 4))
    rows = integer_rows(rng, int(rng.integers(1, 6)), k + 1, 2)
    factors = [int(10 ** int(e)) for e in rng.choice([0, 0, 0, 6, 12], size=len(rows))]
    return [[f * v for v in row] for f, row in zip(factors, rows, strict=True)] + cube_rows(k, 3), k


def is_empty_for_the_twin(rows: Sequence[Sequence[int]], k: int) -> bool:
    return (
        naive.find_point([naive.make_row([-v for v in r[:-1]], r[-1], strict=True) for r in rows], k) is None
    )


def assert_true(answer: Answer, rows: Sequence[Sequence[int]], k: int) -> None:
    if answer.status is Status.NONEMPTY:
        assert answer.point is not None
        assert all(value(row, answer.point.coordinates) > 0 for row in rows)
    elif answer.status is Status.EMPTY:
        assert is_empty_for_the_twin(rows, k)
    assert (answer.point is not None) == (answer.status is Status.NONEMPTY)


def test_highs_never_claims_what_is_false() -> None:
    oracle, decided = HighsOracle(), 0
    for seed in range(150):
        rows, k = degenerate(seed)
        answer = oracle.interior(polyhedron_of(rows, k), Bounds(np.full(k, -3.0), np.full(k, 3.0)))
        assert_true(answer, rows, k)
        decided += answer.status is not Status.UNDECIDED
    assert decided > 75


def test_highs_without_bounds_never_claims_what_is_false() -> None:
    oracle = HighsOracle()
    for seed in range(60):
        rng = generator(seed)
        rows = integer_rows(rng, 5, 3, 2)
        assert_true(oracle.interior(polyhedron_of(rows, 2), Bounds.unknown(2)), rows, 2)


@pytest.mark.parametrize("width", [-(2.0**-52), 0.0, 2.0**-52, 1e-10, -1e-10, 1e-7, -1e-7])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_highs_is_not_fooled_by_thin_sets(width: float, scale: float) -> None:
    A = np.array([[1.0, -1.0], [-1.0, 1.0 + width], [1.0, 0.0], [-1.0, 2.0]]) * np.array(
        [[scale], [1], [1], [1]]
    )
    forms = [Form(row, np.zeros(2), lambda: pytest.fail("highs needs no exact row")) for row in A]
    answer = HighsOracle().interior(OpenPolyhedron.of(forms, 1), Bounds(np.zeros(1), np.full(1, 2.0)))
    thin = naive.find_point([naive.make_row([-a], b, strict=True) for a, b in A.tolist()], 1) is None
    assert answer.status is not (Status.NONEMPTY if thin else Status.EMPTY)


@pytest.mark.parametrize("bad", BAD)
def test_rows_that_are_not_finite_are_left_undecided(bad: float) -> None:
    polyhedron = OpenPolyhedron.of([Form(np.array([bad, 1.0]), np.zeros(2), lambda: [1, 1])], 1)
    assert HighsOracle().interior(polyhedron, Bounds.unknown(1)).status is Status.UNDECIDED


def test_rationals_always_decide_and_are_right() -> None:
    oracle, rng = RationalOracle(), generator(0)
    for seed in range(100):
        rows, k = degenerate(seed)
        support = tuple(int(i) for i in rng.choice(len(rows), size=2, replace=False))
        hints = (UNDECIDED, Answer(Status.UNDECIDED, guess=rng.normal(size=k) * 4, support=support))
        for hint in hints:
            answer = oracle.interior(polyhedron_of(rows, k), Bounds.unknown(k), hint)
            assert answer.status is (Status.EMPTY if is_empty_for_the_twin(rows, k) else Status.NONEMPTY)
            assert_true(answer, rows, k)


@pytest.mark.parametrize("bad", BAD)
def test_a_guess_that_is_no_point_does_no_harm(bad: float) -> None:
    hint = Answer(Status.UNDECIDED, guess=np.array([bad]))
    assert (
        RationalOracle().interior(polyhedron_of([[1, 0]], 1), Bounds.unknown(1), hint).status
        is Status.NONEMPTY
    )


def test_no_rows_and_no_dimensions_are_decided() -> None:
    for oracle in (HighsOracle(), RationalOracle()):
        assert oracle.interior(polyhedron_of([], 2), Bounds.unknown(2)).status is not Status.EMPTY
    assert RationalOracle().interior(polyhedron_of([], 0), Bounds.unknown(0)).status is Status.NONEMPTY
    assert RationalOracle().interior(polyhedron_of([[-1]], 0), Bounds.unknown(0)).status is Status.EMPTY


class Silent:
    """An oracle that decides nothing and hints at nonsense."""

    def interior(self, polyhedron: OpenPolyhedron, bounds: Bounds) -> Answer:
        return Answer(Status.UNDECIDED, guess=np.full(polyhedron.dim, 1e9), support=(0,))


@pytest.mark.parametrize("proposer", [HighsOracle(), Silent()], ids=["highs", "silent"])
def test_the_referee_decides_everything_rightly(proposer: Oracle) -> None:
    for seed in range(60):
        rows, k = degenerate(seed)
        referee = Referee(Bounds(np.full(k, -3.0), np.full(k, 3.0)), proposer)
        point = referee.interior(polyhedron_of(rows, k))
        assert (point is None) == is_empty_for_the_twin(rows, k)
        assert point is None or all(value(row, point.coordinates) > 0 for row in rows)
        assert referee.score.by_floats + referee.score.by_rationals == 1


def test_the_sign_at_a_point_is_exact_zero_included() -> None:
    rng, referee = generator(0), Referee(Bounds.unknown(3))
    zeros = 0
    for _ in range(300):
        row, x = integers(rng, 4), rational_point(rng, 3, 3, int(rng.choice([2, 3])))
        expected = value(row, x)
        assert referee.sign(form_of(row), Point.of(x)) == (expected > 0) - (expected < 0)
        zeros += expected == 0
    assert zeros > 10
    assert referee.score.exact_signs > 0


def test_the_sign_of_cancelling_floats_is_exact() -> None:
    referee = Referee(Bounds.unknown(3))
    for seed in range(40):
        rows, x = cancelling(generator(seed), 4, 3, 20)
        for row in rows:
            expected = value(row, fractions(x))
            denominator = max(v.denominator for v in fractions(row))
            exact = [int(v * denominator) for v in fractions(row)]
            form = Form(row, np.zeros(4), lambda exact=exact: exact)  # type: ignore[misc]  # lambda default
            assert referee.sign(form, Point(x)) == (expected > 0) - (expected < 0)


def test_the_sign_of_constants_and_only_of_constants() -> None:
    referee = Referee(Bounds.unknown(2))
    for row, sign in (([0, 0, 3], 1), ([0, 0, 0], 0), ([0, 0, -1], -1), ([0, 1, 0], None), ([1, 0, 5], None)):
        assert referee.constant_sign(form_of(row)) == sign
        doubtful = Form(np.array([1e-20, 1e-20, 1.0]), np.ones(3), lambda row=row: row)  # type: ignore[misc]
        assert referee.constant_sign(doubtful) == sign
        unknown = Form(np.full(3, np.nan), np.full(3, np.nan), lambda row=row: row)  # type: ignore[misc]
        assert referee.constant_sign(unknown) == sign


def test_never_positive_only_where_it_is_true() -> None:
    claims = 0
    for seed in range(100):
        rng = generator(seed)
        row, bounds = integers(rng, 3), random_bounds(rng, 2, 1)
        referee = Referee(bounds)
        if referee.never_positive(form_of(row)):
            claims += 1
            best = supremum(np.array(row, dtype=float), np.zeros(3), bounds)
            assert best is not None and best <= 0
            assert referee.score.by_bounds == 1
        assert (
            referee.score.by_bounds == int(claims > 0 and referee.never_positive(form_of(row))) or claims >= 0
        )
    assert claims > 10


@pytest.mark.parametrize(
    "row", [[3, -7, 0], [2**80 + 1, -(2**80), 1], [1, 0, 2**70 + 1], [0, 0, 0], [1, 2**2000, 0]]
)
def test_the_floats_of_an_integer_form_are_within_their_error(row: list[int]) -> None:
    form = integer_form(row)  # [1, 2**2000] fails: 2**-2000 becomes 0 with error 0.
    assert form.exact() == row
    biggest = max(map(abs, row)) or 1
    scale = Fraction(1 << (biggest.bit_length() - 1))
    for entry, error, number in zip(form.row, form.error, row, strict=True):
        assert abs(Fraction(entry) - number / scale) <= Fraction(error)


def test_polyhedra_keep_their_forms_in_order() -> None:
    first, second = form_of([1, 2, 3]), form_of([-4, 5, 6])
    polyhedron = OpenPolyhedron.of([first], 2).with_form(second.negated())
    assert polyhedron.exact_rows() == [[1, 2, 3], [4, -5, -6]]
    assert polyhedron.rows.tolist() == [[1, 2, 3], [4, -5, -6]]
    assert polyhedron.subset([1]).exact_rows() == [[4, -5, -6]]
    assert polyhedron.form(1).exact() == [4, -5, -6]
    assert polyhedron.dim == OpenPolyhedron.of([], 2).dim == 2
    assert Bounds(np.zeros(1), np.ones(1)).are_finite
    assert not Bounds.unknown(1).are_finite
