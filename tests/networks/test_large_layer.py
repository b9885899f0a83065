"""A layer kept by its entries against the same layer as a matrix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from polyregions import Box, Network, enumerate_regions
from polyregions.errors import NetworkError
from polyregions.networks.activations import RELU, uniform_slopes
from polyregions.networks.float_range import is_tame
from polyregions.networks.graph.sparse import from_dense
from polyregions.networks.large_layer import LargeLayer
from polyregions.networks.network import Layer, affine_layer


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


def test_the_matrix_is_written_out_when_it_is_asked_for() -> None:
    dense, large = both(0)
    assert np.array_equal(large.weight, dense.weight)


def test_a_matrix_too_large_is_refused_and_the_size_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _, large = both(0)
    monkeypatch.setattr("polyregions.networks.large_layer.MAX_ENTRIES", 300 * 7 - 1)
    for asked in (lambda: large.weight, large.check_written_out):
        with pytest.raises(NetworkError, match="300 x 7 entries is too large"):
            asked()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("reach", [0.1, 0.5, pytest.param(3.0, marks=pytest.mark.slow)])
def test_what_a_domain_leaves_of_it_is_enumerated(seed: int, reach: float) -> None:
    """With units of several kinds in front and behind, dead ones too: the same regions as with the matrix."""
    rng = np.random.default_rng(seed)
    dense, large = both(seed, n=30, k=6)
    kinds = np.array([(0.0, 1.0), (0.25, 1.0), (-1.0, 1.0), (1.0, 1.0), (1.0, 0.0)])
    head = affine_layer((rng.normal(size=(6, 2)), rng.normal(size=6) * 2), "head")
    head = replace(head, slopes=kinds[rng.integers(0, 5, 6)])
    tail = affine_layer((rng.normal(size=(3, 30)), rng.normal(size=3)), "tail").with_units(RELU)
    box = Box.cube(-reach, reach, 2)
    found = enumerate_regions(Network.from_units([head, large, tail]), box)
    expected = enumerate_regions(Network.from_units([head, dense, tail]), box, engine="highs")
    assert np.array_equal(found.patterns, expected.patterns)
