"""A layer kept by its entries against the same layer as a matrix."""

from __future__ import annotations

import numpy as np
import pytest

from polyregions import Box, Network, enumerate_regions
from polyregions.activations import RELU, uniform_slopes
from polyregions.errors import NetworkError
from polyregions.graph.sparse import from_dense
from polyregions.large_layer import LargeLayer
from polyregions.network import Layer, affine_layer
from polyregions.scaling import is_tame


def both(seed: int, n: int = 300, k: int = 7) -> tuple[Layer, LargeLayer]:
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(n, k)) * (rng.random((n, k)) < 0.2)
    bias, slopes = rng.normal(size=n), uniform_slopes(n, RELU)
    entries = from_dense(weight, bias)
    large = LargeLayer(entries.offsets, entries.columns, entries.values, k, bias, slopes)
    return Layer(weight, bias, slopes), large


@pytest.mark.parametrize("seed", range(3))
def test_products_parts_and_pieces(seed: int) -> None:
    dense, large = both(seed)
    rng = np.random.default_rng(seed)
    assert (large.n_units, large.n_inputs, large.n_neurons) == (300, 7, 300)
    for matrix in (rng.normal(size=7), rng.normal(size=(7, 4))):
        np.testing.assert_allclose(large.linear(matrix), dense.linear(matrix), rtol=0, atol=1e-14)
        np.testing.assert_allclose(large.linear_sizes(matrix), dense.linear_sizes(matrix), rtol=0, atol=1e-14)
        np.testing.assert_allclose(large.forward(matrix.T), dense.forward(matrix.T), rtol=0, atol=1e-14)
    rows, columns = np.array([5, 2, 299]), np.array([6, 0])
    assert np.array_equal(large.weight_part(rows, columns), dense.weight_part(rows, columns))
    whole = np.zeros((300, 7))
    for where, filled, block in large.row_blocks():
        whole[where, filled] = block
    assert np.array_equal(whole, dense.weight)


def test_the_range_of_its_paths_is_that_of_the_matrix() -> None:
    for scale in (1.0, 1e-290, 1e290):
        dense, large = both(1)
        head = affine_layer((np.eye(7) * scale, np.zeros(7)), "head")
        assert is_tame([head, large]) == is_tame([head, dense])


def test_the_matrix_is_refused_and_the_size_named() -> None:
    _, large = both(0)
    with pytest.raises(NetworkError, match="300 x 7 entries is too large"):
        _ = large.weight


def test_a_small_domain_leaves_a_small_part_that_is_enumerated() -> None:
    dense, large = both(2, n=40, k=3)
    head = affine_layer((np.random.default_rng(0).normal(size=(3, 2)), np.zeros(3)), "head")
    tail = affine_layer((np.ones((1, 40)), [0.0]), "tail")
    box = Box.cube(-0.5, 0.5, 2)
    found = enumerate_regions(Network.from_units([head, large, tail]), box)
    assert np.array_equal(
        found.patterns, enumerate_regions(Network.from_units([head, dense, tail]), box).patterns
    )
