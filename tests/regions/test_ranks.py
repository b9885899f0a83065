"""Layer ranks against Gaussian elimination in fractions, and in the cases that residues cannot decide."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from polyregions.errors import OptionError
from polyregions.networks.activations import IDENTITY, RELU
from polyregions.networks.network import Layer, Network
from polyregions.regions import ranks
from randoms import float_layers, generator, integer_layers

Matrix = list[list[Fraction]]


def rank(matrix: Matrix) -> int:
    rows, found = [list(row) for row in matrix], 0
    for c in range(len(rows[0]) if rows else 0):
        pivot = next((i for i in range(found, len(rows)) if rows[i][c]), None)
        if pivot is None:
            continue
        rows[found], rows[pivot] = rows[pivot], rows[found]
        for i in range(found + 1, len(rows)):
            factor = rows[i][c] / rows[found][c]
            rows[i] = [a - factor * b for a, b in zip(rows[i], rows[found], strict=True)]
        found += 1
    return found


def by_definition(layers: Sequence[tuple[Any, Any]], pattern: np.ndarray) -> list[int]:
    """Ranks of W_l D_(l-1) ... D_1 W_1 for the hidden ReLU layers."""
    weights = [[[Fraction(v) for v in row] for row in np.asarray(W).tolist()] for W, _ in layers[:-1]]
    product, found, start = weights[0], [rank(weights[0])], 0
    for before, W in zip(weights, weights[1:], strict=False):
        bits = pattern[start : start + len(before)]
        start += len(before)
        active = [row if on else [Fraction(0)] * len(row) for row, on in zip(product, bits, strict=True)]
        columns = list(zip(*active, strict=True))
        product = [
            [sum((w * a for w, a in zip(row, c, strict=True)), Fraction(0)) for c in columns] for row in W
        ]
        found.append(rank(product))
    return found


def assert_by_definition(layers: Sequence[tuple[Any, Any]], domain: Any) -> None:
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), domain)
    found = pr.layer_ranks(regions)
    assert found.shape == (len(regions), len(layers) - 1)
    assert found.tolist() == [by_definition(layers, pattern) for pattern in regions.patterns]


@pytest.mark.parametrize("seed", range(12))
def test_random_float_networks(seed: int) -> None:
    sizes = [(2, 4, 3, 3, 1), (3, 4, 4, 2), (3, 2, 5, 5, 2), (1, 3, 3, 1)][seed % 4]
    assert_by_definition(float_layers(generator(seed), sizes), pr.Box.cube(-2, 2, sizes[0]))


@pytest.mark.parametrize("seed", range(12))
def test_degenerate_integer_networks(seed: int) -> None:
    sizes = [(2, 4, 4, 3, 1), (3, 5, 3, 3, 1), (2, 5, 5, 1)][seed % 3]
    assert_by_definition(integer_layers(generator(seed), sizes), pr.Box.cube(-3, 3, sizes[0]))


@pytest.mark.parametrize("seed", range(4))
def test_rank_deficient_layers_of_floats(seed: int) -> None:
    """The second weight has rank 1 exactly (one row doubled), the third none of its own deficits."""
    layers = float_layers(generator(seed), (3, 5, 3, 3, 1))
    row = layers[1][0][0]
    layers[1][0][1], layers[1][0][2] = 2 * row, -4 * row
    assert_by_definition(layers, pr.Box.cube(-1, 1, 3))


def test_a_deficit_that_only_a_pattern_makes() -> None:
    """Neurons 0 and 1 are parallel: where only they are on, one dimension is left of two."""
    layers = [
        ([[0.3, 0.7], [0.6, 1.4], [0.1, -0.9]], [0.5, 0.25, 0]),
        (np.eye(3), [1, 1, 1]),
        ([[1, 1, 1]], [0]),
    ]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.Box.cube(-2, 2, 2))
    first = {
        "".join(map(str, p[:3].astype(int))): int(r[1])
        for p, r in zip(regions.patterns, pr.layer_ranks(regions), strict=True)
    }
    assert {k: first[k] for k in ("110", "001", "111", "000")} == {"110": 1, "001": 1, "111": 2, "000": 0}


def test_entries_that_the_prime_divides_are_not_taken_for_zero() -> None:
    """Modulo the prime the weight is singular; in integers it is not."""
    p = ranks.PRIME
    layers = [([[p, 0], [0, 1]], [0, 0]), ([[1, 0], [1, p]], [0, 0]), ([[1, 1]], [0])]
    assert_by_definition(layers, pr.Box.cube(-1, 1, 2))


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_weights_at_the_ends_of_float64(size: float) -> None:
    W = np.array([[1.0, 0.5], [0.25, -1.0], [1.25, -0.5]])
    layers = [(size * W, [0, 0, 0]), (W.T, [0.5, -0.5]), ([[1, 1]], [0])]
    assert_by_definition(layers, pr.Box.cube(-1, 1, 2))


def test_rationals() -> None:
    third = Fraction(1, 3)
    W = np.array([[third, 1], [1, Fraction(3)], [Fraction(2, 7), 0]], dtype=object)
    layers = [(W, np.array([0, third, 0], dtype=object)), (W.T, [0, 0]), ([[1, 1]], [0])]
    assert_by_definition(layers, pr.Box.cube(-1, 1, 2))


def test_zero_after_a_dead_layer() -> None:
    layers = float_layers(generator(1), (2, 2, 3, 3, 1))
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.Box.cube(-9, 9, 2))
    found = pr.layer_ranks(regions)
    dead = [region.dead_layers() for region in regions]
    assert any(0 in layer for layer in dead)
    for row, layers_dead in zip(found.tolist(), dead, strict=True):
        for layer in layers_dead:
            assert not any(row[layer + 1 :])


def test_units_with_two_slopes_lose_no_rank() -> None:
    """|x| and identity units have no slope of 0."""
    W = np.array([[1.0, 2.0], [3.0, -1.0]])
    slopes = np.array([[-1.0, 1.0], [1.0, 1.0]])
    net = Network.from_units([
        Layer(W, np.zeros(2), slopes), Layer(W, np.ones(2), np.array([RELU, IDENTITY])),
        Layer(np.ones((1, 2)), np.zeros(1), np.array([IDENTITY])),
    ])  # fmt: skip
    found = pr.layer_ranks(pr.enumerate_regions(net, pr.Box.cube(-1, 1, 2)))
    assert found.shape[1] == 2
    assert np.all(found == 2)


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = integer_layers(generator(3), (2, 5, 4, 3, 1))
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.Box.cube(-3, 3, 2))
    whole = pr.layer_ranks(regions)
    monkeypatch.setattr(ranks, "ENTRIES", 25)
    assert np.array_equal(pr.layer_ranks(regions), whole)


def test_wide_layers_are_summed_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = float_layers(generator(5), (2, 5, 4, 1))
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.Box.cube(-1, 1, 2))
    whole = pr.layer_ranks(regions)
    monkeypatch.setattr(ranks, "TERMS", 2)
    assert np.array_equal(pr.layer_ranks(regions), whole)


def test_no_hidden_layer_and_a_partial_set() -> None:
    net = pr.Network.from_layers([([[1, 2]], [0])])
    assert pr.layer_ranks(pr.enumerate_regions(net, pr.Box.cube(-1, 1, 2))).shape == (1, 0)
    net = pr.Network.from_layers(float_layers(generator(0), (2, 3, 1)))
    assert pr.layer_ranks(pr.enumerate_regions(net, pr.Box.cube(-1, 1, 2), max_regions=0)).shape == (0, 1)


def test_layers_without_units() -> None:
    layers = [(np.zeros((0, 2)), np.zeros(0)), (np.zeros((2, 0)), [1, -1]), ([[1, 1]], [0])]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.Box.cube(-1, 1, 2))
    assert pr.layer_ranks(regions).tolist() == [[0, 0]]


@pytest.mark.parametrize("seed", range(6))
def test_masked_ranks_are_those_of_the_columns_left(seed: int) -> None:
    """``W_l D_(l-1)`` by the naive rank; the composed matrix has no larger one."""
    layers = integer_layers(generator(seed), (2, 4, 3, 3, 1))
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), pr.Box.cube(-1, 2, 2))
    masked = pr.layer_ranks(regions, of="masked")
    assert np.all(pr.layer_ranks(regions) <= masked)
    for i, pattern in enumerate(regions.patterns):
        start, bits = 0, [1, 1]
        for index, (weight, _) in enumerate(layers[:-1]):
            assert masked[i, index] == naive.rank(
                [[w * b for w, b in zip(row, bits, strict=True)] for row in weight]
            )
            bits = pattern[start : start + len(weight)].astype(int).tolist()
            start += len(weight)
    with pytest.raises(OptionError, match="expected one of composed, masked"):
        pr.layer_ranks(regions, of="seed")
