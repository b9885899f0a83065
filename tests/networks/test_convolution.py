"""A small convolutional network from an ONNX file: exact regions in a plane through its inputs, and in a box of all."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

import naive
import naive_graph
from checks import check_edges, check_interior_points
from corpus import corpus
from onnx_models import ints, model, node
from polyregions import (
    Box,
    Network,
    Slice,
    adjacency_arrays,
    check,
    enumerate_regions,
    load_network,
    winner_regions,
)
from polyregions.io.models.onnx.read import network_of_onnx
from polyregions.networks.activations import activate

SIDE, MAPS, CLASSES = 4, 2, 3
RNG = np.random.default_rng(23)
KERNELS, SHIFTS = RNG.normal(size=(MAPS, 1, 2, 2)).astype("f4"), RNG.normal(size=MAPS).astype("f4")
TOP, BIAS = RNG.normal(size=(CLASSES, MAPS * 4)).astype("f4"), RNG.normal(size=CLASSES).astype("f4")


def convnet() -> Network:
    """Conv 2x2 (3x3 places), ReLU, MaxPool 2x2 (2x2 places), a linear layer."""
    nodes = [
        node("Conv", ["x", "K", "k"], "c"),
        node("Relu", ["c"], "r"),
        node("MaxPool", ["r"], "p", kernel_shape=[2, 2]),
        node("Reshape", ["p", "flat"], "f"),
        node("Gemm", ["f", "W", "b"], "y", transB=1),
    ]
    given = {"K": KERNELS, "k": SHIFTS, "W": TOP, "b": BIAS, "flat": ints(1, -1)}
    m = model(nodes, ["N", 1, SIDE, SIDE], given)
    return network_of_onnx(m.SerializeToString(), "conv.onnx", "conv.onnx")


def twin(origin: Any, directions: Any) -> list[Any]:
    """The same network on a plane, by the definition of a convolution and of a pooling window."""
    places = list(product(range(SIDE - 1), repeat=2))
    rows, shifts = [], []
    for c, (i, j) in product(range(MAPS), places):
        row = [0.0] * (SIDE * SIDE)
        for p, q in product(range(2), repeat=2):
            row[(i + p) * SIDE + j + q] = float(KERNELS[c, 0, p, q])
        rows.append(row)
        shifts.append(float(SHIFTS[c]))
    windows = [
        [c * len(places) + (i + p) * (SIDE - 1) + j + q for p, q in product(range(2), repeat=2)]
        for c, i, j in product(range(MAPS), range(SIDE - 2), range(SIDE - 2))
    ]
    return [
        2,
        ("affine", 0, np.array(directions).T.tolist(), np.array(origin).tolist()),
        ("affine", 1, rows, shifts),
        ("pieces", 2, naive_graph.breakpoints("relu")),
        ("max", 3, windows),
        ("affine", 4, TOP.astype(float).tolist(), BIAS.astype(float).tolist()),
    ]


def test_regions_in_a_plane_are_those_of_the_definition() -> None:
    origin = RNG.normal(size=SIDE * SIDE).round(2)
    directions = RNG.normal(size=(2, SIDE * SIDE)).round(2)
    net = convnet()
    assert net.max_groups is not None
    assert net.max_groups.n_arguments.tolist() == [4] * 8
    regions = enumerate_regions(net, Slice(origin, directions, Box.cube(-0.3, 0.3, 2)), certify=True)
    assert regions.certificate is not None
    assert check(regions.certificate, net)
    merged = winner_regions(regions)
    cells = naive_graph.cells(twin(origin, directions), naive.box([-0.3, -0.3], [0.3, 0.3]))
    assert len(merged) == len(cells) > 20
    found = [on_plane(regions[int(i)].exact_affine_map.fractions(), origin, directions) for i in merged.first]
    assert sorted(found) == sorted(forms for _, _, forms in cells)


def on_plane(affine: Any, origin: Any, directions: Any) -> list[naive.Form]:
    """An exact map over the inputs, as forms over the plane's coordinates."""
    weight, bias = affine
    return [
        (
            tuple(naive.dot(direction, row) for direction in directions.tolist()),
            naive.dot(origin.tolist(), row) + b,
        )
        for row, b in zip(weight, bias, strict=True)
    ]


@pytest.mark.parametrize("reach", [0.05, 0.1])
def test_regions_in_a_box_of_all_inputs(reach: float) -> None:
    """Sixteen inputs: proved complete by the checker, the same by both engines, and as sampled."""
    net = convnet()
    centre = RNG.normal(size=SIDE * SIDE).round(2)
    box = Box(centre - reach, centre + reach)
    regions = enumerate_regions(net, box, certify=True)
    assert regions.certificate is not None
    assert check(regions.certificate, net)
    assert np.array_equal(enumerate_regions(net, box, engine="highs").patterns, regions.patterns)
    check_interior_points(regions)
    check_edges(regions, adjacency_arrays(regions))
    merged = winner_regions(regions)
    assert 1 < len(merged) <= len(regions)
    X = RNG.uniform(box.lower, box.upper, (300, SIDE * SIDE))
    located = regions.locate(X)
    assert np.all(located >= 0)
    for i in np.unique(located):
        weight, bias = regions[int(i)].affine_map
        np.testing.assert_allclose(
            X[located == i] @ weight.T + bias, net(X[located == i]), rtol=0, atol=1e-10
        )
    inside = np.array([cell.polytope.contains(X) for cell in merged])
    assert np.array_equal(inside.argmax(axis=0), merged.label[located])
    assert np.array_equal(inside.sum(axis=0), np.ones(len(X)))


@pytest.mark.slow
def test_a_real_convnet_in_a_plane_and_in_a_box() -> None:
    """192 inputs, 928 neurons, maxima of four: two engines agree in the plane; the box is proved by the checker."""
    net = load_network(corpus("marabou/conv_mp1.onnx"))
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, 192).round(4)
    plane = Slice(x, rng.normal(size=(2, 192)).round(3), Box.cube(-0.01, 0.01, 2))
    found = enumerate_regions(net, plane)
    assert np.array_equal(enumerate_regions(net, plane, engine="highs").patterns, found.patterns)
    assert 10 < len(winner_regions(found)) <= len(found)
    around = enumerate_regions(net, Box(x - 5e-4, x + 5e-4), certify=True)
    assert around.dim == 192
    assert len(around) > 1
    assert around.certificate is not None
    assert check(around.certificate, net)


@pytest.mark.slow
def test_a_large_convnet_with_maxima_in_a_plane() -> None:
    """40,608 neurons, of which a small plane leaves some dozens: every sampled pattern is among the regions."""
    net = load_network(corpus("verivital/Convnet_maxpool.onnx"), check=False)
    rng = np.random.default_rng(0)
    x, directions = rng.uniform(0, 1, 784).round(4), rng.normal(size=(2, 784)).round(3)
    reach = 0.0005
    regions = enumerate_regions(net, Slice(x, directions, Box.cube(-reach, reach, 2)))
    found = {pattern.tobytes() for pattern in regions.packed}
    X = x + rng.uniform(-reach, reach, (300, 2)) @ directions
    sampled = {np.packbits(pattern).tobytes() for pattern in float_patterns(net, X)}
    assert len(sampled) > 50
    assert sampled <= found
    assert len(winner_regions(regions)) < len(regions)


def float_patterns(net: Network, X: np.ndarray) -> np.ndarray:
    """Activation patterns as float64 sees them."""
    values, bits = X, []
    for layer in net.layers:
        z = layer.forward(values)
        bits.append(z[:, layer.splitting] > 0)
        values = activate(z, layer.slopes)
    return np.concatenate(bits, axis=1)
