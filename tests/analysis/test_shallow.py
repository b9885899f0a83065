"""The shallow form against evaluations in fractions by the naive twin, which knows no regions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from corpus import corpus
from polyregions import Box, errors

Layers = list[tuple[Any, Any]]

V = [([[1], [-1], [1], [-2]], [0, 0, 0, 0]), ([[1, 1, -1, 1]], [0])]  # duplicate and opposite neurons
FLAT = [([[1, 2], [0, 0]], [0, -1]), ([[1, 1], [-1, 0]], [0, 0]), ([[1, 1]], [0])]  # dead and central ones
SMALL = {"duplicates": V, "dead": FLAT}


def random_layers(seed: int, widths: Sequence[int], integer: bool) -> Layers:
    rng = np.random.default_rng(seed)
    make = (lambda size: rng.integers(-2, 3, size)) if integer else (lambda size: rng.normal(size=size))
    return [(make((n, k)), make(n)) for k, n in zip(widths, widths[1:], strict=False)]


def random_fractions(
    seed: int, n: int, low: Sequence[float], high: Sequence[float]
) -> list[tuple[Fraction, ...]]:
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, 10**6 + 4, size=(n, len(low)))
    ends = [(Fraction(a), Fraction(b)) for a, b in zip(low, high, strict=True)]
    return [
        tuple(a + (b - a) * Fraction(int(part), 10**6 + 3) for (a, b), part in zip(ends, row, strict=True))
        for row in parts
    ]


def agrees(layers: Layers, regions: pr.RegionSet, points: Sequence[Sequence[Fraction]]) -> None:
    ends_in_units = bool(np.all(regions.network.layers[-1].splitting))
    flat = pr.shallow(regions)
    assert flat.agrees_with(regions)
    lists = [(np.asarray(weight).tolist(), np.asarray(bias).tolist()) for weight, bias in layers]
    for point, values in zip(points, flat.exact(points), strict=True):
        assert values == list(naive.forward(lists, point, ends_in_units))


def corners(regions: pr.RegionSet, most: int) -> list[tuple[Fraction, ...]]:
    """Vertices of regions, where up to all of them meet, and midpoints of their edges."""
    found = [vertex for region in regions[:most] for vertex in region.exact_vertices]
    return found + [
        tuple((a + b) / 2 for a, b in zip(u, v, strict=True)) for u, v in zip(found, found[1:], strict=False)
    ]


@pytest.mark.parametrize("integer", [False, True])
@pytest.mark.parametrize("widths", [[1, 5, 4, 1], [2, 6, 5, 2], [2, 4, 4, 4, 1], [3, 5, 4, 2]])
@pytest.mark.parametrize("seed", range(3))
def test_random_networks_in_a_box_facets_and_corners_included(
    seed: int, widths: list[int], integer: bool
) -> None:
    layers, d = random_layers(seed, widths, integer), widths[0]
    regions = pr.enumerate_regions(pr.Network.from_layers(layers), Box(-1, 1, dim=d))
    points = random_fractions(seed, 60, [-1] * d, [1] * d) + corners(regions, 25)
    agrees(layers, regions, points)


@pytest.mark.parametrize("name", SMALL)
def test_degenerate_networks_and_the_whole_space(name: str) -> None:
    layers = SMALL[name]
    d = len(layers[0][0][0])
    net = pr.Network.from_layers(layers)
    points = random_fractions(0, 200, [-3] * d, [3] * d) + [(Fraction(0),) * d]
    agrees(layers, pr.enumerate_regions(net, pr.WholeSpace(d)), points)
    inside = [point for point in points if all(abs(x) <= 1 for x in point)]
    agrees(layers, pr.enumerate_regions(net, Box(-1, 1, dim=d)), inside)


def test_a_slice_and_a_polytope() -> None:
    layers = random_layers(7, [3, 6, 5, 1], True)
    net = pr.Network.from_layers(layers)
    line = pr.Slice([0.25, 0.5, -0.5], [[1.0, 0.5, 0.25]], Box(-1, 1))
    on_it = [
        (Fraction(1, 4) + t, Fraction(1, 2) + t / 2, Fraction(-1, 2) + t / 4)
        for (t,) in random_fractions(1, 50, [-1], [1])
    ]
    agrees(layers, pr.enumerate_regions(net, line), on_it)
    simplex = pr.HPolytope([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1]], [0, 0, 0, 1])
    inside = [tuple(x / 3 for x in point) for point in random_fractions(2, 80, [0] * 3, [1] * 3)]
    agrees(layers, pr.enumerate_regions(net, simplex), inside)


CORPUS = {
    "archcomp/controller_5_20.onnx": 0.1,
    "archcomp/controller_double_pendulum_less_robust.onnx": 0.05,
    "archcomp/controller_single_pendulum.onnx": 0.5,
    "rl_benchmarks/cartpole.onnx": 0.1,
    "rl_benchmarks/lunarlander.onnx": 0.004,
    "vnncomp_test/test_nano.onnx": 1.0,
    "vnncomp_test/test_tiny.onnx": 1.0,
    "vnncomp_test/test_small.onnx": 4.0,
    "acasxu/ACASXU_run2a_1_1_batch_2000.onnx": 0.004,
    "acasxu/ACASXU_run2a_3_3_batch_2000.onnx": 0.004,
}


@pytest.mark.parametrize("path", CORPUS)
@pytest.mark.parametrize("n", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_networks_of_the_corpus_at_rational_points(path: str, n: int) -> None:
    net, width = pr.load_network(corpus(path)).without_final_function(), CORPUS[path]
    regions = pr.enumerate_regions(net, Box(-width, width, dim=net.n_inputs))
    assert all(np.all(layer.slopes == [0, 1]) and layer.exact is None for layer in net.layers[:-1])
    layers = [(layer.weight, layer.bias) for layer in net.layers]
    points = random_fractions(3, n, [-width] * net.n_inputs, [width] * net.n_inputs)
    agrees(layers, regions, points)


def test_sizes_and_files(tmp_path: Path) -> None:
    """relu(|x| - 1) has four regions with facets at -1, 0 and 1, each from both sides."""
    net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    flat = pr.shallow(pr.enumerate_regions(net, Box(-3, 3)))
    assert flat.widths == (1, 6 + 2, 2 * 4, 1)
    pr.save(flat, tmp_path / "flat.npz")
    data = np.load(tmp_path / "flat.npz")
    assert sorted(np.diff(data["offsets"]).tolist()) == [1, 1, 2, 2]
    assert len(data["weight"]) == 4


def test_what_is_refused() -> None:
    net = pr.Network.from_layers(random_layers(0, [2, 6, 5, 1], False))
    with pytest.raises(errors.InputError, match="a partial set"):
        pr.shallow(pr.enumerate_regions(net, Box(-1, 1, dim=2), max_regions=2, workers=1))
    flat = pr.shallow(pr.enumerate_regions(net, Box(-1, 1, dim=2)))
    with pytest.raises(errors.InputError, match=r"expected \(k, 2\)"):
        flat([[1.0, 2.0, 3.0]])
    assert not flat.agrees_with(pr.enumerate_regions(net, Box(-1, 0.5, dim=2)))
