"""Networks along lines: against the engine on a slice, the brute-force twin, and cases by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from polyregions.errors import DomainError, InputError, NetworkError
from polyregions.networks.activations import RELU
from polyregions.networks.graph.sparse import of_layer
from polyregions.networks.large_layer import LargeLayer
from polyregions.networks.network import Layer
from randoms import float_layers, generator, integer_layers
from truth import FORMULA_NETWORKS, formula_network, name_of

F = Fraction
SHAPES = [(1, 4, 2), (2, 5, 3, 2), (3, 4, 4, 3, 1), (5, 6, 2)]


def middle(pieces: pr.LinePieces, i: int) -> Fraction:
    return (pieces.breakpoints[i] + pieces.breakpoints[i + 1]) / 2


def check_against_the_twin(layers: Any, pieces: pr.LinePieces) -> None:
    """Pattern and outputs of each piece at its middle and near its ends, in rationals by the twin's own evaluation."""
    for i, (low, high) in enumerate(pairwise(pieces.breakpoints)):
        for share in (F(1, 2), F(1, 10**9), 1 - F(1, 10**9)):
            t = low + share * (high - low)
            x = pieces.point(t)
            assert naive.pattern_at(layers, x) == tuple(pieces.patterns[i])
            assert naive.forward(layers, x) == pieces.value(t)


# ---------------------------------------------------------------- by hand


def test_a_segment_by_hand() -> None:
    """relu(3x - 1) + relu(1 - 2x) on [0, 1]."""
    net = pr.Network.from_layers([([[3], [-2]], [-1, 1]), ([[1, 1]], [0])])
    pieces = pr.along_segment(net, [0], [1])
    assert pieces.breakpoints == (0, F(1, 3), F(1, 2), 1)
    assert pieces.patterns.astype(int).tolist() == [[0, 1], [1, 1], [1, 0]]
    assert [pieces.exact_map(i) for i in range(3)] == [((-2,), (1,)), ((1,), (0,)), ((3,), (-1,))]
    assert pieces.times.tolist() == [0, 1 / 3, 0.5, 1]
    assert pieces.points.tolist() == [[0], [1 / 3], [0.5], [1]]
    assert pieces.value(F(2, 3)) == (1,)
    assert repr(pieces) == "<LinePieces: 3 pieces of network on 1 segments>"


def test_a_line_inside_a_hyperplane_of_a_neuron_has_it_off() -> None:
    """The line y = 0 in the hyperplanes of relu(y) and relu(-y); on either side of it one of them is on."""
    net = pr.Network.from_layers([([[0, 1], [0, -1], [1, 0]], [0, 0, 0]), ([[1, 1, 1]], [0])])
    pieces = pr.along_segment(net, [-1, 0], [1, 0])
    assert pieces.breakpoints == (0, F(1, 2), 1)
    assert pieces.patterns.astype(int).tolist() == [[0, 0, 0], [0, 0, 1]]


def test_a_neuron_that_vanishes_on_one_piece_only() -> None:
    """relu(relu(x)) - with x <= 0 the second neuron's z is identically 0, so it is off there and on after."""
    net = pr.Network.from_layers([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
    pieces = pr.along_segment(net, [-2], [2])
    assert pieces.breakpoints == (0, F(1, 2), 1)
    assert pieces.patterns.astype(int).tolist() == [[0, 0], [1, 1]]


def test_neurons_with_a_common_root_give_one_breakpoint() -> None:
    net = pr.Network.from_layers([([[1], [-1], [2], [0]], [0, 0, 0, 0]), ([[1, 1, 1, 1]], [0])])
    pieces = pr.along_segment(net, [-1], [3])
    assert pieces.breakpoints == (0, F(1, 4), 1)
    assert pieces.patterns.astype(int).tolist() == [[0, 1, 0, 0], [1, 0, 1, 0]]


def test_a_root_at_an_end_is_no_breakpoint() -> None:
    net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    pieces = pr.along_segment(net, [0], [1])
    assert pieces.breakpoints == (0, 1)
    assert pieces.patterns.tolist() == [[True, False]]


def test_breakpoints_closer_than_floats_are_told_apart() -> None:
    """Roots 2^-1074 / 3 apart: rounded they are equal."""
    tiny = F(1, 3 * 2**1074)
    net = pr.Network.from_layers([([[1], [1]], [0, -tiny]), ([[1, 1]], [0])], name="tiny")
    pieces = pr.along_segment(net, [-1], [1])
    assert pieces.breakpoints == (0, F(1, 2), F(1, 2) + tiny / 2, 1)
    assert pieces.times.tolist() == [0, 0.5, 0.5, 1]


def test_a_point_on_the_line_is_exact_where_floats_are_not() -> None:
    net = pr.Network.from_layers([([[1, 0]], [F(-1, 10)])], final_activation="relu")
    pieces = pr.along_segment(net, [0, F(1, 3)], [F(1, 5), 1])
    assert pieces.breakpoints == (0, F(1, 2), 1)
    assert pieces.point(F(1, 2)) == (F(1, 10), F(2, 3))


def test_no_hidden_layer_and_no_neurons() -> None:
    pieces = pr.along_segment(pr.Network.from_layers([([[2, 1]], [3])]), [0, 0], [1, 1])
    assert (len(pieces), pieces.patterns.shape, pieces.exact_map(0)) == (1, (1, 0), ((3,), (3,)))


def test_other_slopes_than_those_of_relu() -> None:
    """Absolute value and leaky units: slopes (-1, 1), (1/4, 1)."""
    bent = Layer(
        np.array([[1.0], [1.0], [1.0]]), np.zeros(3), np.array([[-1.0, 1.0], [0.25, 1.0], [1.0, 1.0]])
    )
    net = pr.Network.from_units([bent])
    pieces = pr.along_segment(net, [-1], [1])
    assert pieces.breakpoints == (0, F(1, 2), 1)
    assert pieces.value(0) == (1, F(-1, 4), -1)
    assert pieces.value(1) == (1, 1, 1)
    assert pieces.patterns.tolist() == [[False, False], [True, True]]


def test_a_final_activation_has_bits() -> None:
    layer = Layer(np.array([[1.0]]), np.array([0.0]), np.array([RELU]))
    pieces = pr.along_segment(pr.Network.from_units([layer]), [-1], [1])
    assert pieces.patterns.tolist() == [[False], [True]]
    assert pieces.value(1) == (1,)
    assert pieces.value(0) == (0,)


# ---------------------------------------------------------------- against others


@pytest.mark.parametrize("entry", [e for e in FORMULA_NETWORKS if e["dim"] == 1], ids=name_of)
def test_networks_of_one_input_have_the_known_number_of_pieces(entry: dict[str, Any]) -> None:
    pieces = pr.along_segment(formula_network(entry), entry["lo"], entry["hi"])
    assert len(pieces) == entry["cells"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_random_networks_against_the_twin(shape: tuple[int, ...], seed: int) -> None:
    rng = generator(seed)
    layers = [(W.tolist(), b.tolist()) for W, b in float_layers(rng, shape)]
    a, b = rng.normal(size=shape[0]) * 3, rng.normal(size=shape[0]) * 3
    check_against_the_twin(layers, pr.along_segment(pr.Network.from_layers(layers), a, b))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(8))
def test_degenerate_networks_against_the_twin(shape: tuple[int, ...], seed: int) -> None:
    """Small integers: lines run inside hyperplanes, roots coincide, neurons vanish."""
    rng = generator(seed)
    layers = integer_layers(rng, shape)
    a = [int(v) for v in rng.integers(-2, 3, size=shape[0])]
    b = [v + 1 if i == 0 else v for i, v in enumerate(a)]
    net = pr.Network.from_layers(layers)
    check_against_the_twin(layers, pr.along_polyline(net, [a, b, [-3 * v - 1 for v in a]]))


@pytest.mark.parametrize("kind", ["floats", "fractions", "by entries"])
@pytest.mark.parametrize("seed", range(3))
def test_sparse_layers_of_each_kind_against_the_twin(kind: str, seed: int) -> None:
    """Most entries are zero, as in a convolution; some rows and columns are empty."""
    rng = generator(seed)
    layers = [
        (weight * (rng.random(weight.shape) < 0.18), bias)
        for weight, bias in float_layers(rng, (6, 12, 12, 3))
    ]
    if kind == "fractions":
        thirds = np.vectorize(lambda number: F(number) / 3, otypes=[object])
        layers = [(thirds(weight), thirds(bias)) for weight, bias in layers]
    net = pr.Network.from_layers(layers)
    if kind == "by entries":
        net = pr.Network([by_entries(layer) for layer in net.layers])
    a, b = rng.uniform(-3, 3, (2, 6))
    pieces = pr.along_segment(net, a, b)
    assert len(pieces) > 1
    check_against_the_twin(layers, pieces)


def by_entries(layer: Layer) -> LargeLayer:
    affine = of_layer(layer)
    return LargeLayer(affine.offsets, affine.columns, affine.values, layer.n_inputs, layer.bias, layer.slopes)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_the_engine_finds_the_same_regions_on_the_segment_as_a_domain(
    shape: tuple[int, ...], seed: int
) -> None:
    rng = generator(seed)
    layers = integer_layers(rng, shape) if seed % 2 else float_layers(rng, shape)
    net, a, b = pr.Network.from_layers(layers), rng.normal(size=shape[0]), rng.normal(size=shape[0]) * 2
    pieces = pr.along_segment(net, a, b)
    regions = pr.enumerate_regions(net, pr.segment(a, b))
    assert sorted(map(tuple, pieces.patterns.tolist())) == sorted(map(tuple, regions.patterns.tolist()))
    for i in range(len(pieces)):
        assert regions.find(pieces.patterns[i]) is not None
        inside = regions.local_points[regions.find(pieces.patterns[i])][0]
        assert pieces.piece_at(F(inside)) == i


def test_neighbours_differ_and_maps_agree_at_breakpoints() -> None:
    layers = float_layers(generator(7), (6, 20, 20, 3))
    pieces = pr.along_segment(pr.Network.from_layers(layers), np.full(6, -2.0), np.full(6, 3.0))
    assert len(pieces) > 10
    for i in range(len(pieces) - 1):
        assert (pieces.patterns[i] != pieces.patterns[i + 1]).any()
        t = pieces.breakpoints[i + 1]
        left, right = ([r * t + v for r, v in zip(*pieces.exact_map(k), strict=True)] for k in (i, i + 1))
        assert left == right


def test_backwards_is_the_same_line() -> None:
    layers, rng = float_layers(generator(3), (4, 12, 8, 2)), generator(4)
    net, a, b = pr.Network.from_layers(layers), rng.normal(size=4) * 4, rng.normal(size=4) * 4
    there, back = pr.along_segment(net, a, b), pr.along_segment(net, b, a)
    assert [1 - t for t in reversed(back.breakpoints)] == list(there.breakpoints)
    assert back.patterns[::-1].tolist() == there.patterns.tolist()


def test_a_polyline_is_its_segments_one_after_the_other() -> None:
    net = pr.Network.from_layers(float_layers(generator(5), (3, 10, 6, 2)))
    corners = generator(6).normal(size=(4, 3)) * 3
    whole = pr.along_polyline(net, corners)
    parts = [pr.along_segment(net, p, q) for p, q in pairwise(corners)]
    joined = [t + i for i, part in enumerate(parts) for t in part.breakpoints[:-1]] + [3]
    assert list(whole.breakpoints) == joined
    assert whole.patterns.tolist() == [bits for part in parts for bits in part.patterns.tolist()]
    assert whole.point(2) == tuple(map(F, corners[2]))
    assert whole.value(F(5, 2)) == parts[2].value(F(1, 2))


def test_a_network_of_784_inputs() -> None:
    """The floats follow the network, and every breakpoint is a root of exactly one neuron."""
    rng = generator(0)
    net = pr.Network.from_layers(
        [(W / np.sqrt(W.shape[1]), b / 4) for W, b in float_layers(rng, (784, 48, 32, 10))]
    )
    a, b = rng.uniform(size=784), rng.uniform(size=784) * 3
    pieces = pr.along_segment(net, a, b)
    assert len(pieces) > 5
    t = (pieces.times[1:] + pieces.times[:-1]) / 2
    values = pieces.maps[:, :, 0] * t[:, None] + pieces.maps[:, :, 1]
    assert values == pytest.approx(net(a + t[:, None] * (b - a)), abs=1e-9)
    assert (pieces.patterns[1:] != pieces.patterns[:-1]).sum(axis=1).min() >= 1


# ---------------------------------------------------------------- errors


NET = pr.Network.from_layers([([[1, 0]], [0])])
BAD: dict[str, tuple[Any, str]] = {
    "one point": ([[0, 0]], "a line through 1 points, expected at least 2"),
    "no list": (3, "points: int, expected a list of points"),
    "length": ([[0, 0], [1]], "point 1 has 1 entries, network takes 2"),
    "equal": ([[0, 0], [1, 1], [1.0, 1.0]], "point 2 is the same as point 1"),
    "text": ([[0, 0], ["a", 1]], "point 1: .*expected"),
    "nan": ([[0, np.nan], [0, 1]], "point 0, input 1: is nan, expected a finite number"),
    "axes": ([[[0, 0]], [0, 1]], r"point 0: shape \(1, 2\)"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_line_is_refused(case: str) -> None:
    points, message = BAD[case]
    with pytest.raises(DomainError, match=message):
        pr.along_polyline(NET, points)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(NetworkError, match="int, expected a Network"):
        pr.along_segment(3, [0], [1])  # type: ignore[arg-type]


@pytest.mark.parametrize("t", [-1, F(11, 10), float("nan")])
def test_a_parameter_outside_is_refused(t: Any) -> None:
    with pytest.raises(InputError, match="expected a number from 0 to 1"):
        pr.along_segment(NET, [0, 0], [1, 1]).value(t)
