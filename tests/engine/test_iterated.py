"""Networks applied again and again: errors of floats grow with each step, regions must not change."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from polyregions import Box, Network, enumerate_regions, iterate
from polyregions.engine.cells.settle import Settler
from randoms import generator


def folding(seed: int) -> Network:
    """A tent of slope 3/2, which doubles errors faster than it makes regions, and what it drives beside it."""
    w = generator(seed).normal(size=2)
    first = ([[1, 0], [1, 0], [0, 1], [0, -1], [1, w[0]]], [0, -0.5, 0, 0, -0.5 + w[1] / 8])
    return Network.from_layers([first, ([[1.5, -3, 0, 0, 0], [0, 0, 0.5, -0.5, 0.25]], [0, 0])])


def pattern_at(once: Network, steps: int, x: Sequence[Fraction]) -> list[bool]:
    """The activation pattern in rationals, step by step."""
    (W, b), (V, _) = ((layer.weight.tolist(), layer.bias.tolist()) for layer in once.layers)
    bits: list[bool] = []
    for _ in range(steps):
        z = [dot(row, x) + Fraction(e) for row, e in zip(W, b, strict=True)]
        assert 0 not in z
        bits += [c > 0 for c in z]
        x = [dot(row, [max(c, Fraction(0)) for c in z]) for row in V]
    return bits


def dot(row: list[float], x: Sequence[Fraction]) -> Fraction:
    return sum((Fraction(w) * c for w, c in zip(row, x, strict=True)), Fraction(0))


@pytest.mark.parametrize(
    "seed, exponent, steps, is_put_right",
    [(0, 4, 12, False), (1, 8, 20, False), (2, 19, 36, True), (3, 25, 50, True)],
)
def test_regions_fill_the_box_and_their_points_have_their_patterns(
    seed: int, exponent: int, steps: int, is_put_right: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers: list[int] = []
    put_right = Settler._put_right

    def noted(self: Settler, layer: int) -> None:
        layers.append(layer)
        put_right(self, layer)

    monkeypatch.setattr(Settler, "_put_right", noted)
    once = folding(seed)
    again, side = iterate(once, steps), 2.0**-exponent
    regions = enumerate_regions(again, Box([0.25, 0.25], [0.25 + side, 0.25 + side]), engine="cells")
    assert bool(layers) == is_put_right and len(regions) > 10
    assert sum((region.exact_volume for region in regions), Fraction(0)) == Fraction(side) ** 2
    for region in regions:
        assert (
            pattern_at(once, steps, regions.local_point(region.place).coordinates) == region.pattern.tolist()
        )


@pytest.mark.parametrize("seed, exponent, steps", [(0, 4, 12), (1, 8, 20), (4, 25, 44)])
def test_cells_are_those_of_the_walk_in_the_same_bytes_for_any_number_of_workers(
    seed: int, exponent: int, steps: int
) -> None:
    again, side = iterate(folding(seed), steps), 2.0**-exponent
    box = Box([0.25, 0.25], [0.25 + side, 0.25 + side])
    cells, walk = (enumerate_regions(again, box, engine=engine) for engine in ("cells", "walk"))
    two = enumerate_regions(again, box, engine="cells", workers=2)
    assert len(cells) > 10
    assert np.array_equal(cells.patterns, walk.patterns)
    assert np.array_equal(cells.patterns, two.patterns) and np.array_equal(cells.points, two.points)
