"""Vertices and volumes in rationals: of shapes whose are known, and of regions that fill their domain."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import factorial

import numpy as np
import pytest

import polyregions as pr
from polyregions import Box, HPolytope, Network
from polyregions.errors import DomainError
from randoms import random_layers


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5])
def test_a_simplex_with_thirds(d: int) -> None:
    """Corners 0 and e_i / 3: volume 1 / (3^d d!)."""
    simplex = HPolytope(np.vstack([-np.eye(d), np.full((1, d), 3)]), [0] * d + [1])
    assert simplex.exact_volume() == Fraction(1, 3**d * factorial(d))
    assert set(simplex.exact_vertices()) == {
        tuple(Fraction(int(i == j), 3) for i in range(d)) for j in range(-1, d)
    }
    assert simplex.vertices().tolist() == [list(map(float, v)) for v in simplex.exact_vertices()]


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_a_cross_polytope(d: int) -> None:
    """|x|_1 <= 1: volume 2^d / d!, simple only below three dimensions."""
    signs = list(product([-1, 1], repeat=d))
    assert HPolytope(signs, [1] * len(signs)).exact_volume() == Fraction(2**d, factorial(d))


def test_flat_unbounded_and_empty_ones() -> None:
    flat = HPolytope([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, 1, 0.5, -0.5])
    assert flat.exact_volume() == 2
    oblique = HPolytope([[1, -1], [-1, 1], [1, 0], [-1, 0]], [0, 0, 1, 1])  # from (-1, -1) to (1, 1)
    assert oblique.volume() == pytest.approx(8**0.5)
    with pytest.raises(DomainError, match="irrational"):
        oblique.exact_volume()
    with pytest.raises(DomainError, match="infinite"):
        HPolytope([[1, 0]], [0]).exact_volume()
    assert HPolytope([[1], [-1]], [0, -1]).exact_volume() == 0
    assert HPolytope([[1, 0]], [0]).exact_vertices() == ()


@pytest.mark.parametrize(
    ("seed", "widths"), [(0, (1, 5, 4, 1)), (1, (2, 6, 5, 1)), (2, (3, 5, 4, 2)), (3, (4, 5, 1))]
)
def test_regions_and_cells_fill_the_domain_exactly(seed: int, widths: tuple[int, ...]) -> None:
    d = widths[0]
    regions = pr.enumerate_regions(Network.from_layers(random_layers(seed, *widths)), Box.cube(-1, 1, d))
    assert sum(region.exact_volume for region in regions) == 2**d
    cells = pr.decision_cells(regions, "argmax")
    assert sum(cell.exact_volume for cell in cells) == 2**d
    region = regions[0]
    assert region.volume == pytest.approx(float(region.exact_volume), rel=1e-12)
    assert np.array_equal(region.vertices, np.array(region.exact_vertices, dtype=np.float64))
