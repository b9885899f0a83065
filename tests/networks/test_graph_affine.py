"""Affine maps of a graph: lowered to the composition in rationals, for every sequence of steps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyregions.errors import FormatError, NetworkError
from polyregions.networks.activations import IDENTITY, RELU
from polyregions.networks.graph import GraphBuilder, lower, sparse
from polyregions.networks.graph.rounding import floats_if_exact
from polyregions.networks.network import Layer, Network

Affine = list[list[Fraction]]  # rows with the constant last

NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.1, 1e20, 1e-20, -3.7, 2.0**-40, 2.0**60]) | st.floats(-100, 100)
SMALL = st.sampled_from([0.0, 1.0, -1.0, 0.5, 3.0, -2.0])  # what floats compose exactly


@dataclass(frozen=True)
class Step:
    """One step: a dense map, a selection, a shift, a scale, or a sum with itself reversed."""

    kind: str
    rows: Affine

    def on(self, build: GraphBuilder, node: int) -> int:
        weight = np.array([row[:-1] for row in self.rows], dtype=object).reshape(len(self.rows), -1)
        bias = np.array([row[-1] for row in self.rows], dtype=object)
        floats = [floats_if_exact(array) for array in (weight, bias)]
        if self.kind == "dense":
            return build.dense(node, *floats)
        if self.kind == "select":
            return build.select(node, np.array([row[:-1].index(1) for row in self.rows]))
        if self.kind == "shift":
            return build.shift(node, floats[1])
        if self.kind == "scale":
            return build.scale(node, floats_if_exact(np.diag(weight)))
        return build.add(node, build.select(node, np.arange(len(self.rows))[::-1]), -1.0)


@st.composite
def steps(draw: st.DrawFn) -> tuple[int, list[Step]]:
    numbers = draw(st.sampled_from([NUMBERS, SMALL]))
    width = first = draw(st.integers(1, 4))
    chosen: list[Step] = []
    for _ in range(draw(st.integers(0, 5))):
        chosen.append(draw(one_step(width, numbers)))
        width = len(chosen[-1].rows)
    return first, chosen


def one_step(width: int, numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Step]:
    def vectors(n: int) -> st.SearchStrategy[list[float]]:
        return st.lists(numbers, min_size=n, max_size=n)

    def matrices(n: int) -> st.SearchStrategy[list[list[float]]]:
        return st.lists(vectors(width + 1), min_size=n, max_size=n)

    third = st.sampled_from([Fraction(1), Fraction(1, 3)])
    unit = [[Fraction(int(i == j)) for j in range(width)] for i in range(width)]
    return st.one_of(
        st.integers(1, 4).flatmap(
            lambda n: st.builds(
                lambda m, t: Step("dense", [[t * Fraction(e) for e in row] for row in m]), matrices(n), third
            )
        ),
        st.lists(st.integers(0, width - 1), min_size=1, max_size=5).map(
            lambda index: Step("select", [[*unit[i], Fraction(0)] for i in index])
        ),
        st.builds(
            lambda v, t: Step("shift", [[*row, t * Fraction(c)] for row, c in zip(unit, v, strict=True)]),
            vectors(width),
            third,
        ),
        st.builds(
            lambda v, t: Step(
                "scale",
                [[*(t * Fraction(c) * e for e in row), Fraction(0)] for row, c in zip(unit, v, strict=True)],
            ),
            vectors(width),
            third,
        ),
        st.just(
            Step(
                "minus reversed",
                [
                    [*(a - b for a, b in zip(row, flipped, strict=True)), Fraction(0)]
                    for row, flipped in zip(unit, unit[::-1], strict=True)
                ],
            )
        ),
    )


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


def lowered(width: int, sequence: list[Step]) -> Network:
    build, node = GraphBuilder(width, "test"), 0
    for step in sequence:
        node = step.on(build, node)
    return lower(build.graph(node), "net")


def expected(width: int, sequence: list[Step]) -> Affine:
    rows: Affine = [[Fraction(int(i == j)) for j in range(width + 1)] for i in range(width)]
    for step in sequence:
        rows = after(step.rows, rows)
    return rows


@settings(max_examples=500, deadline=None)
@given(steps())
def test_a_fold_is_the_composition(case: tuple[int, list[Step]]) -> None:
    (layer,) = lowered(*case).layers
    assert rows_of_layer(layer) == expected(*case)
    assert np.array_equal(layer.slopes, np.tile(IDENTITY, (layer.n_units, 1)))


@settings(max_examples=200, deadline=None)
@given(steps())
def test_what_is_not_folded_is_a_layer_of_its_own(case: tuple[int, list[Step]]) -> None:
    """With no rational work allowed, vectors in between become identity units, and the function stays the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "MAX_INTEGER_TERMS", 0)
        patch.setattr(sparse, "MAX_FOLD_WORK", 0)
        net = lowered(*case)
    total = rows_of_layer(net.layers[0])
    for layer in net.layers[1:]:
        total = after(rows_of_layer(layer), total)
    assert total == expected(*case)
    assert net.n_neurons == 0


@settings(max_examples=200, deadline=None)
@given(steps())
def test_folding_through_matrices_gives_the_same(case: tuple[int, list[Step]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "MAX_INTEGER_TERMS", 0)
        (layer,) = lowered(*case).layers
    assert rows_of_layer(layer) == expected(*case)


def test_activations_separate_the_folds() -> None:
    build = GraphBuilder(1, "test")
    shifted = build.relu(build.relu(build.shift(0, np.array([1.0]))))
    net = lower(build.graph(build.relu(build.dense(shifted, np.array([[2.0]]), np.zeros(1)))), "net")
    assert [layer.weight.tolist() for layer in net.layers] == [[[1.0]], [[2.0]]]
    assert all(np.array_equal(layer.slopes, [RELU]) for layer in net.layers)


def test_no_negative_zero_is_stored() -> None:
    build = GraphBuilder(2, "test")
    minus = build.scale(0, np.full(2, -1.0))
    (layer,) = lower(build.graph(build.dense(minus, np.eye(2), np.array([-0.0, 0.0]))), "net").layers
    assert not np.signbit(layer.weight[layer.weight == 0]).any()
    assert not np.signbit(layer.bias).any()


def test_steps_that_do_not_fit_and_are_too_large() -> None:
    build = GraphBuilder(2, "test")
    with pytest.raises(FormatError, match="test: 2 and 3 constants for 2 numbers"):
        build.shift(0, np.zeros(3))
    with pytest.raises(FormatError, match="test: takes 3 numbers, but 2 come in"):
        build.dense(0, np.zeros((1, 3)), np.zeros(1))
    with pytest.raises(FormatError, match=r"test: a sum of 2 and 1 numbers"):
        build.add(0, build.constant(np.zeros(1)))
    with pytest.raises(FormatError, match="a maximum of no numbers"):
        build.maxima(0, np.arange(2), np.array([0, 2, 2]))
    huge: Any = np.array([[1e300]])
    build = GraphBuilder(1, "test")
    node = build.dense(build.dense(0, huge, np.zeros(1)), huge, np.zeros(1))
    with pytest.raises(NetworkError, match="beyond the range of float64"):
        lower(build.graph(node), "net")
