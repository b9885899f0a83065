"""Folding of affine steps: equal to composition in rationals, for every pair and sequence of steps."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyregions.activations import IDENTITY, RELU
from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.chain import Chain, Dense, Gather, Offset, Step, dense
from polyregions.network import Layer, affine_layer

Affine = list[list[Fraction]]  # rows with the constant last

NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.1, 1e20, 1e-20, -3.7, 2.0**-40, 2.0**60]) | st.floats(-100, 100)


@st.composite
def steps(draw: st.DrawFn) -> tuple[int, list[Step]]:
    width = first = draw(st.integers(1, 4))
    chosen: list[Step] = []
    for _ in range(draw(st.integers(0, 5))):
        chosen.append(draw(one_step(width)))
        width = outputs(chosen[-1])
    return first, chosen


def one_step(width: int) -> st.SearchStrategy[Step]:
    return st.one_of(
        st.integers(1, 4).flatmap(lambda n: st.builds(make_dense, matrices(n, width), vectors(n))),
        st.integers(1, 4).flatmap(lambda n: st.builds(make_rational, matrices(n, width), vectors(n))),
        st.lists(st.integers(0, width - 1), min_size=1, max_size=5).map(lambda i: Gather(np.array(i), width)),
        st.permutations(range(width)).map(lambda i: Gather(np.array(i), width)),
        st.builds(lambda s, c: Offset(s, np.array(c)), st.sampled_from([1.0, -1.0]), vectors(width)),
    )


def vectors(n: int) -> st.SearchStrategy[list[float]]:
    return st.lists(NUMBERS, min_size=n, max_size=n)


def matrices(n: int, k: int) -> st.SearchStrategy[list[list[float]]]:
    return st.lists(vectors(k), min_size=n, max_size=n)


def make_dense(weight: Any, bias: Any) -> Step:
    return dense(np.array(weight), np.array(bias))


def make_rational(weight: Any, bias: Any) -> Step:
    thirds = [[Fraction(entry) / 3 for entry in row] for row in weight]
    return Dense(affine_layer((thirds, bias), "test"))


def outputs(step: Step) -> int:
    return len(rows_of(step))


def rows_of(step: Step) -> Affine:
    """The step as its definition says."""
    if isinstance(step, Gather):
        return [[Fraction(int(j == i)) for j in range(step.n_inputs)] + [Fraction(0)] for i in step.index]
    if isinstance(step, Offset):
        n = len(step.offset)
        signs = [[Fraction(step.sign) * (i == j) for j in range(n)] for i in range(n)]
        return [[*row, Fraction(c)] for row, c in zip(signs, step.offset.tolist(), strict=True)]
    return rows_of_layer(step.layer)


def rows_of_layer(layer: Layer) -> Affine:
    if layer.exact is None:
        return [
            [*map(Fraction, w), Fraction(b)]
            for w, b in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        ]
    return [[Fraction(int(n), layer.exact.denominator) for n in row] for row in layer.exact.numerators]


def after(outer: Affine, inner: Affine) -> Affine:
    """The composition, by definition."""
    return [
        [
            sum((row[i] * inner[i][j] for i in range(len(inner))), row[-1] * (j == len(inner[0]) - 1))
            for j in range(len(inner[0]))
        ]
        for row in outer
    ]


@settings(max_examples=400, deadline=None)
@given(steps())
def test_a_fold_is_the_composition(case: tuple[int, list[Step]]) -> None:
    width, sequence = case
    chain = Chain("test", width)
    expected: Affine = rows_of(Offset(1.0, np.zeros(width)))
    for step in sequence:
        chain.apply(step)
        expected = after(rows_of(step), expected)
    (layer,) = chain.network("net").layers
    assert rows_of_layer(layer) == expected
    assert np.array_equal(layer.slopes, np.tile(IDENTITY, (len(expected), 1)))


def test_activations_separate_the_folds() -> None:
    chain = Chain("test", 1)
    chain.apply(Offset(1.0, np.array([1.0])))
    chain.relu()
    chain.relu()
    chain.apply(dense(np.array([[2.0]]), np.array([0.0])))
    chain.relu()
    net = chain.network("net")
    assert [layer.weight.tolist() for layer in net.layers] == [[[1.0]], [[2.0]]]
    assert all(np.array_equal(layer.slopes, [RELU]) for layer in net.layers)


def test_what_rounds_in_float64_is_kept_in_rationals() -> None:
    chain = Chain("test", 1)
    chain.apply(Offset(1.0, np.array([1e20])))
    chain.apply(Offset(1.0, np.array([1.0])))
    (layer,) = chain.network("net").layers
    assert rows_of_layer(layer) == [[Fraction(1), Fraction(10**20 + 1)]]
    assert layer.exact is not None


def test_no_negative_zero_is_stored() -> None:
    chain = Chain("test", 2)
    chain.apply(Offset(-1.0, np.zeros(2)))
    chain.apply(dense(np.eye(2), np.zeros(2)))
    (layer,) = chain.network("net").layers
    assert not np.signbit(layer.weight[layer.weight == 0]).any()
    assert not np.signbit(layer.bias).any()


def test_steps_that_do_not_fit_and_are_too_large() -> None:
    chain = Chain("test", 2)
    with pytest.raises(FormatError, match="test, layer 1: takes 3 numbers, but 2 come in"):
        chain.apply(Offset(1.0, np.zeros(3)))
    wide = Chain("test", 10_000)
    with pytest.raises(UnsupportedError, match="10000 x 10000 entries"):
        wide.relu()
    huge = Chain("test", 1)
    huge.apply(dense(np.array([[1e300]]), np.array([0.0])))
    with pytest.raises(FormatError, match="beyond the range of float64"):
        huge.apply(dense(np.array([[1e300]]), np.array([0.0])))
