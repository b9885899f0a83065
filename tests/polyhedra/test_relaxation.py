"""Relaxations and what they rest on: every true point is inside, in rationals; half-open polyhedra by elimination."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from polyregions import HPolytope, Network
from polyregions.analysis.verification.program import Excluded, Prover
from polyregions.analysis.verification.relaxation import Cut, enclose, relax
from polyregions.errors import DomainError
from polyregions.exact.half_open import find_point
from polyregions.networks.network import Layer
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.solid_domain import SolidDomain, bound_of_row, solid_bounds, solid_rows
from randoms import fractions, generator, value

SLOPES = [(0.0, 1.0), (0.25, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, 1.0), (2.0, -0.5)]


def two_slope_network(seed: int) -> Network:
    """Random weights, every kind of unit, some thirds that floats do not hold."""
    rng = generator(seed)
    sizes, layers = [2, 6, 5, 3], []
    for k, n in zip(sizes, sizes[1:], strict=False):
        slopes = np.array([SLOPES[i] for i in rng.integers(0, len(SLOPES), n)])
        layers.append(Layer(rng.normal(size=(n, k)), rng.normal(size=n), slopes))
    third = Network.from_layers([([[Fraction(1, 3), 1, 0], [0, Fraction(2, 7), -1]], [Fraction(1, 10), 0])])
    return Network.from_units([*layers, *third.layers])


def pre_activations(network: Network, u: list[Fraction]) -> list[list[Fraction]]:
    """By the definition, in rationals."""
    values, found = u, []
    for layer in network.layers:
        if layer.exact is None:
            rows = [
                fractions([*w, b]) for w, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
            ]
        else:
            rows = [
                [Fraction(e, layer.exact.denominator) for e in row] for row in layer.exact.numerators.tolist()
            ]
        z = [value(row, values) for row in rows]
        found.append(z)
        values = [
            Fraction(on if x > 0 else off) * x for x, (off, on) in zip(z, layer.slopes.tolist(), strict=True)
        ]
    return found


@pytest.mark.parametrize("seed", range(20))
def test_every_true_point_is_in_the_relaxation(seed: int) -> None:
    network, rng = two_slope_network(seed), generator(seed + 1000)
    centre, width = rng.normal(size=2), rng.uniform(0.05, 1.0)
    bounds = Bounds(centre - width, centre + width)
    known = [np.where(layer.splitting, -1, 1) for layer in network.layers]
    cuts = []
    middle = pre_activations(network, fractions(centre.tolist()))
    for index, unit in ((0, 1), (1, 2)):
        if known[index][unit] < 0:
            on = middle[index][unit] > 0
            known[index][unit] = int(on)
            cuts.append(Cut(index, unit, on))
    enclosure = enclose(network, bounds, known)
    assert enclosure is not None
    relaxation = relax(network, bounds, [], enclosure, cuts)
    for x in [centre, *rng.uniform(bounds.lower, bounds.upper, (30, 2))]:
        z = pre_activations(network, fractions(x.tolist()))
        if any((z[c.layer][c.unit] > 0) != c.on for c in cuts):
            continue  # the point is not in the part
        for lower, upper, exact in zip(enclosure.lower, enclosure.upper, z, strict=True):
            assert all(
                Fraction(a) <= e <= Fraction(b)
                for a, e, b in zip(lower.tolist(), exact, upper.tolist(), strict=True)
            )
        v = fractions(x.tolist())
        for unit in relaxation.units:
            off, on_slope = network.layers[unit.layer].slopes[unit.unit].tolist()
            here = z[unit.layer][unit.unit]
            v.append(Fraction(on_slope if here > 0 else off) * here)
        for low, high, entry in zip(
            relaxation.bounds.lower.tolist(), relaxation.bounds.upper.tolist(), v, strict=True
        ):
            assert Fraction(low) <= entry <= Fraction(high)
        size = [*map(abs, v), Fraction(1)]
        for row, error in zip(relaxation.rows.tolist(), relaxation.error.tolist(), strict=True):
            doubt = sum((Fraction(e) * s for e, s in zip(error, size, strict=True)), Fraction(0))
            assert value(row, v) >= -doubt
        for row, error, exact_output in zip(
            relaxation.outputs.tolist(), relaxation.outputs_error.tolist(), z[-1], strict=True
        ):
            doubt = sum((Fraction(e) * s for e, s in zip(error, size, strict=True)), Fraction(0))
            assert abs(value(row, v) - exact_output) <= doubt


@pytest.mark.parametrize("seed", range(10))
def test_what_a_program_excludes_no_point_reaches(seed: int) -> None:
    """Raise the threshold until it is excluded: no random point reaches it, and it is not far above them."""
    network, rng = two_slope_network(seed), generator(seed)
    bounds = Bounds(np.full(2, -0.2), np.full(2, 0.2))
    known = [np.where(layer.splitting, -1, 1) for layer in network.layers]
    values = network(rng.uniform(-0.2, 0.2, (2000, 2)))[:, 0]
    excluded = []
    for beyond in (-0.5, -0.01, 0.0, 0.5, 100.0):
        top = float(values.max() + beyond * (1 + np.ptp(values)))
        last = network.layers[-1]
        shifted = Layer(last.weight, last.bias, last.slopes, last.exact)
        threshold = Layer(np.array([[1.0, 0.0]]), np.array([-top]), np.array([[1.0, 1.0]]))
        watched = Network.from_units([*network.layers[:-1], shifted, threshold])
        enclosure = enclose(watched, bounds, [*known, np.array([1])])
        assert enclosure is not None
        answer = Prover().ask(relax(watched, bounds, [], enclosure, []), (0,))
        excluded.append(isinstance(answer, Excluded))
    assert excluded[:3] == [False] * 3
    assert excluded[-1]


ENTRIES = st.integers(-3, 3)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_half_open_polyhedra_by_elimination(data: st.DataObject) -> None:
    k = data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.lists(ENTRIES, min_size=k + 1, max_size=k + 1), min_size=1, max_size=7))
    strict = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    as_naive = [naive.make_row([-e for e in r[:k]], r[k], s) for r, s in zip(rows, strict, strict=True)]
    found = find_point(rows, strict, [Fraction(0)] * k)
    expected = naive.find_point(as_naive, k)
    assert (found is None) == (expected is None)
    if found is not None:
        values = [value(row, list(found.coordinates)) for row in rows]
        assert all(v > 0 or (v == 0 and not s) for v, s in zip(values, strict, strict=True))


def short_way(rows: list[list[int]], labels: list[str], strict: list[bool], dim: int) -> SolidDomain:
    return solid_bounds([bound_of_row(r, s) for r, s in zip(rows, strict, strict=True)], labels, dim)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_bounds_of_single_inputs_need_no_programs(data: st.DataObject) -> None:
    """The short way to a solid domain and the long one find the same set."""
    dim = data.draw(st.integers(1, 3))
    drawn: Any = data.draw(
        st.lists(
            st.tuples(st.integers(0, dim - 1), st.sampled_from([-3, -1, 1, 7]), ENTRIES, st.booleans()),
            max_size=6,
        )
    )
    rows = []
    for j, factor, constant, _ in drawn:
        row = [0] * (dim + 1)
        row[j], row[-1] = factor, constant
        rows.append(row)
    strict = [s for *_, s in drawn]
    labels = [str(i) for i in range(len(rows))]
    try:
        long = solid_rows(rows, labels, strict, dim)
    except DomainError:
        with pytest.raises(DomainError, match="the input set is empty"):
            short_way(rows, labels, strict, dim)
        return
    short = short_way(rows, labels, strict, dim)
    assert (
        short.hull.embedding.plain().nearest_floats().tolist()
        == long.hull.embedding.plain().nearest_floats().tolist()
    )
    assert (short.hull.free, short.labels, short.strict) == (long.hull.free, long.labels, long.strict)
    assert short.bounds.lower.tolist() == long.bounds.lower.tolist()
    assert short.bounds.upper.tolist() == long.bounds.upper.tolist()
    assert short.holds(short.interior)
    assert long.holds(short.interior)


def test_hundreds_of_decimal_bounds() -> None:
    """0.1 and 0.3 in 800 inputs: bounds are rounded outwards, the middle is inside."""
    rows, dim = [], 800
    for j in range(dim):
        for sign, numerator in ((1, -1), (-1, 3)):
            row = [0] * (dim + 1)
            row[j], row[-1] = sign * 10, numerator
            rows.append(row)
    solid = short_way(rows, [""] * len(rows), [False] * len(rows), dim)
    assert Fraction(solid.bounds.lower[0]) < Fraction(1, 10)
    assert Fraction(solid.bounds.upper[0]) > Fraction(3, 10)
    assert solid.holds(solid.interior)
    assert HPolytope.of_exact_rows(rows[:2], [10, 10], dim, None, ["", ""]).contains(np.full((1, dim), 0.2))[
        0
    ]
