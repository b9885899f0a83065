"""The network as data: what goes in, what it computes, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from polyregions import Network, PolyregionsError
from polyregions.errors import NetworkError
from polyregions.networks.activations import IDENTITY, RELU, activate, splitting, uniform_slopes
from polyregions.networks.network import Layer, affine_layer
from randoms import generator, integer_layers

ABSOLUTE = (-1.0, 1.0)
LEAKY = (0.25, 1.0)


def stored(layer: Layer) -> list[list[Fraction]]:
    """The coefficients (n, k+1) that a layer stands for."""
    if layer.exact is None:
        return [[Fraction(v) for v in row] for row in np.column_stack([layer.weight, layer.bias]).tolist()]
    return [[Fraction(n, layer.exact.denominator) for n in row] for row in layer.exact.numerators.tolist()]


def only_layer(weight: Any, bias: Any) -> Layer:
    return Network.from_layers([(weight, bias)]).layers[0]


def units(weight: Any, bias: Any, slopes: list[tuple[float, float]]) -> Layer:
    return Layer(np.array(weight, dtype=float), np.array(bias, dtype=float), np.array(slopes, dtype=float))


# ---------------------------------------------------------------- what goes in


def test_lists_become_float64_arrays() -> None:
    layer = only_layer([[1, 2.5], [0, -3]], [1, 0])
    assert layer.weight.dtype == layer.bias.dtype == np.float64
    assert layer.weight.tolist() == [[1.0, 2.5], [0.0, -3.0]]
    assert layer.bias.tolist() == [1.0, 0.0]
    assert layer.exact is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_of_every_width_are_lifted_without_change(dtype: type[np.floating[Any]]) -> None:
    weight = np.array([[0.1, -1e-5], [3.3, 65504.0]], dtype=dtype)
    layer = only_layer(weight, weight[0])
    assert stored(layer) == [
        [Fraction(float(v)) for v in (*row, b)] for row, b in zip(weight, weight[0], strict=True)
    ]
    assert layer.exact is None


def test_float32_is_not_mistaken_for_the_decimal_it_came_from() -> None:
    assert stored(only_layer(np.array([[0.1]], dtype=np.float32), [0]))[0][0] == Fraction(13421773, 2**27)


@pytest.mark.parametrize(
    "weight",
    [[[2**53 + 1]], [[10**30 + 1]], np.array([[2**62 + 1]]), np.array([[2**64 - 1]], dtype=np.uint64)],
    ids=["int", "long int", "int64", "uint64"],
)
def test_integers_beyond_float64_are_kept_exactly(weight: Any) -> None:
    layer = only_layer(weight, [0])
    assert stored(layer) == [[int(np.asarray(weight, dtype=object)[0, 0]), 0]]
    assert layer.weight[0, 0] == float(int(np.asarray(weight, dtype=object)[0, 0]))


@pytest.mark.parametrize(
    "weight",
    [
        [[2**53 + 1, 0.5]],
        [[2**63 + 1, -1]],
        [[np.float32(0.5), Fraction(1, 3)]],
        [[np.int64(3), Fraction(1, 3**50)]],
        [[np.int64(2**62), Fraction(1, 3)]],
    ],
    ids=["int and float", "uint64 and int64", "float32 and Fraction", "int64 and Fraction", "overflow"],
)
def test_mixed_rows_are_kept_exactly(weight: list[list[Any]]) -> None:

    expected = [Fraction(v.item()) if isinstance(v, np.generic) else Fraction(v) for v in weight[0]]
    assert stored(only_layer(weight, [0])) == [[*expected, 0]]


def test_small_integers_and_dyadic_fractions_need_no_rationals() -> None:
    assert only_layer(np.array([[2**53]]), [0]).exact is None
    assert only_layer([[Fraction(-3, 8)]], [Fraction(1, 2)]).exact is None


def test_other_fractions_are_kept_and_their_nearest_floats_too() -> None:
    layer = only_layer([[Fraction(1, 3), 0.1]], [Fraction(-2, 7)])
    assert stored(layer) == [[Fraction(1, 3), Fraction(0.1), Fraction(-2, 7)]]
    assert layer.weight.tolist() == [[1 / 3, 0.1]]
    assert layer.bias.tolist() == [-2 / 7]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.lists(st.fractions(max_denominator=999), min_size=3, max_size=3), min_size=1, max_size=3))
def test_fractions_go_through_unchanged(rows: list[list[Fraction]]) -> None:
    layer = only_layer([row[:-1] for row in rows], [row[-1] for row in rows])
    assert stored(layer) == rows
    assert layer.weight.tolist() == [[float(v) for v in row[:-1]] for row in rows]


def test_a_fraction_in_the_bias_alone_makes_the_layer_exact() -> None:
    assert stored(only_layer(np.array([[0.5]]), [Fraction(1, 3)])) == [[Fraction(1, 2), Fraction(1, 3)]]


def test_changing_the_array_afterwards_does_not_change_the_network() -> None:
    weight = np.ones((1, 1))
    net = Network.from_layers([(weight, [0])])
    weight[0, 0] = 5.0
    assert net([1.0]).tolist() == [1.0]


def test_layers_may_come_from_a_generator() -> None:
    assert Network.from_layers(pair for pair in [([[1]], [0]), ([[2]], [1])]).widths == (1,)


# ---------------------------------------------------------------- what it computes


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("final", [None, "relu"])
def test_forward_is_the_definition(seed: int, final: str | None) -> None:
    rng = generator(seed)
    layers = integer_layers(rng, [3, 4, 3, 2])
    net = Network.from_layers(layers, final_activation=final)
    X = rng.integers(-5, 6, size=(7, 3)) / 4
    expected = [[float(v) for v in naive.forward(layers, x, final == "relu")] for x in X.tolist()]
    assert net(X).tolist() == expected
    assert net(X[0]).tolist() == expected[0]
    assert net(X.tolist()).tolist() == expected


def test_an_empty_batch_has_no_outputs() -> None:
    assert Network.from_layers([(np.ones((3, 2)), np.zeros(3))])(np.zeros((0, 2))).shape == (0, 3)


def test_without_hidden_layer_it_is_affine() -> None:
    net = Network.from_layers([([[2, 0], [0, -1]], [1, 1])])
    assert net([3, 4]).tolist() == [7.0, -3.0]
    assert (net.n_inputs, net.n_outputs, net.n_neurons) == (2, 2, 0)
    assert (net.widths, net.layer_spans, net.activation_layers) == ((), [], ())


def test_a_layer_of_width_zero_cuts_the_input_off() -> None:
    net = Network.from_layers([(np.zeros((0, 2)), np.zeros(0)), (np.zeros((1, 0)), [5.0])])
    assert net([[1, 2], [3, 4]]).tolist() == [[5.0], [5.0]]
    assert (net.widths, net.n_neurons, net.layer_spans) == ((0,), 0, [(0, 0)])


def test_a_network_may_have_no_inputs_and_no_outputs() -> None:
    assert (
        Network.from_layers([(np.zeros((2, 0)), [1.0, 2.0])])(np.zeros((3, 0))).tolist() == [[1.0, 2.0]] * 3
    )
    assert Network.from_layers([(np.zeros((0, 2)), np.zeros(0))])([1, 2]).shape == (0,)


def test_the_shape_of_the_pattern() -> None:
    layers = integer_layers(generator(0), [2, 3, 4, 5])
    net = Network.from_layers(layers)
    assert (net.n_inputs, net.n_outputs) == (2, 5)
    assert (net.widths, net.n_neurons, net.layer_spans) == ((3, 4), 7, [(0, 3), (3, 7)])
    assert [layer.n_units for layer in net.activation_layers] == [3, 4]
    assert net.neuron_layers() == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 3)]


def test_a_final_relu_adds_its_neurons_to_the_pattern() -> None:
    net = Network.from_layers(integer_layers(generator(0), [2, 3, 4, 5]), final_activation="relu")
    assert (net.widths, net.n_neurons, net.layer_spans) == ((3, 4, 5), 12, [(0, 3), (3, 7), (7, 12)])
    assert len(net.activation_layers) == 3
    assert net.neuron_layers()[-1] == (2, 4)


def test_units_without_kink_have_no_bit() -> None:
    hidden = units(np.eye(3), [0, 0, 0], [RELU, IDENTITY, ABSOLUTE])
    net = Network.from_units([hidden, units([[1, 1, 1]], [0], [IDENTITY])])
    assert (net.widths, net.layer_spans, net.neuron_layers()) == ((2,), [(0, 2)], [(0, 0), (0, 2)])
    assert hidden.splitting.tolist() == [True, False, True]
    assert net([[-1, -2, -3], [1, 2, 3]]).tolist() == [[1.0], [6.0]]


def test_two_slopes_at_either_side_of_zero() -> None:
    slopes = np.array([RELU, LEAKY, ABSOLUTE, IDENTITY])
    assert activate(np.full((1, 4), -4.0), slopes).tolist() == [[0.0, -1.0, 4.0, -4.0]]
    assert activate(np.full(4, 4.0), slopes).tolist() == [4.0] * 4
    assert activate(np.zeros(4), slopes).tolist() == [0.0] * 4
    assert splitting(slopes).tolist() == [True, True, True, False]
    assert uniform_slopes(2, LEAKY).tolist() == [[0.25, 1.0]] * 2
    assert uniform_slopes(0, RELU).shape == (0, 2)


def test_with_units_keeps_the_exact_map() -> None:
    layer = affine_layer(([[Fraction(1, 3)]], [0]), "here").with_units(RELU)
    assert stored(layer) == [[Fraction(1, 3), 0]]
    assert (layer.n_neurons, layer.n_units, layer.n_inputs) == (1, 1, 1)


# ---------------------------------------------------------------- fingerprints


def fingerprint(weight: Any, final: str | None = None) -> str:
    return Network.from_layers([(weight, [0])], final_activation=final).fingerprint()


def test_the_fingerprint_goes_by_the_function_not_by_its_storage() -> None:
    assert fingerprint(np.array([[0.1]], dtype=np.float32)) == fingerprint([[float(np.float32(0.1))]])
    assert (
        fingerprint([[Fraction(1, 2)]]) == fingerprint([[0.5]]) == fingerprint(np.array([[0.5]], order="F"))
    )
    assert fingerprint([[Fraction(2, 6)]]) == fingerprint([[Fraction(1, 3)]])


def test_the_fingerprint_tells_all_else_apart() -> None:
    above = float(np.nextafter(0.5, 1))
    weights: list[Any] = [
        [[0.5]],
        [[above]],
        [[1 / 3]],
        [[Fraction(1, 3)]],
        [[0.5, 0.0]],
        [[2**53]],
        [[2**53 + 1]],
    ]
    found = [fingerprint(w) for w in weights] + [fingerprint([[0.5]], "relu")]
    assert len(set(found)) == len(found)


# ---------------------------------------------------------------- what is refused

ONE = ([[1.0]], [0.0])
REFUSED: dict[str, tuple[Any, list[str]]] = {
    "nan": ([ONE, ([[np.nan]], [0])], ["layer 2, weight[0, 0]", "nan", "finite"]),
    "inf": ([ONE, ([[1]], [-np.inf])], ["layer 2, bias[0]", "-inf", "finite"]),
    "float32 inf": (
        [(np.array([[np.inf]], dtype=np.float32), [0])],
        ["layer 1, weight[0, 0]", "inf", "finite"],
    ),
    "nan among fractions": (
        [([[Fraction(1, 3), float("nan")]], [0])],
        ["layer 1, weight[0, 1]", "nan", "finite"],
    ),
    "inf among fractions": ([([[Fraction(1, 3)]], [float("inf")])], ["layer 1, bias[0]", "inf", "finite"]),
    "complex": ([([[1j]], [0])], ["layer 1, weight", "complex128", "real"]),
    "complex entry": ([([[Fraction(1), 1j]], [0])], ["layer 1, weight[0, 1]", "1j", "real"]),
    "string": ([([["1"]], [0])], ["layer 1, weight", "<U1", "real"]),
    "string bias": ([([[1]], "ab")], ["layer 1, bias", "<U2", "real"]),
    "bytes": ([([[b"1"]], [0])], ["layer 1, weight", "S1", "real"]),
    "none": ([([[None]], [0])], ["layer 1, weight[0, 0]", "None", "real"]),
    "dates": ([(np.array([["2020-01-01"]], dtype="M8[D]"), [0])], ["layer 1, weight", "datetime64", "real"]),
    "ragged": ([ONE, ([[1], [1, 2]], [0, 0])], ["layer 2, weight", "different lengths", "rectangular"]),
    "weight of one axis": ([([1, 2], [0])], ["layer 1", "(2,)", "(n, k)"]),
    "weight of three axes": ([(np.ones((1, 1, 1)), [0])], ["layer 1", "(1, 1, 1)", "(n, k)"]),
    "scalar weight": ([(1.0, [0])], ["layer 1", "weight has shape ()", "(n, k)"]),
    "short bias": ([([[1], [2]], [0])], ["layer 1", "bias has shape (1,)", "(2,)"]),
    "bias of two axes": ([([[1]], [[0]])], ["layer 1", "bias has shape (1, 1)", "(1,)"]),
    "scalar bias": ([([[1]], 0)], ["layer 1", "bias has shape ()", "(1,)"]),
    "widths": ([([[1], [1]], [0, 0]), ([[1, 1, 1]], [0])], ["layer 2", "3 columns", "expected 2", "layer 1"]),
    "width zero": ([(np.zeros((0, 1)), []), ([[1]], [0])], ["layer 2", "1 columns", "expected 0"]),
    "empty": ([], ["no layers", "at least one"]),
    "not a pair": ([([[1]], [0], [0])], ["layer 1", "tuple", "(weight, bias)"]),
    "a number": ([ONE, 7], ["layer 2", "int", "(weight, bias)"]),
    "beyond float64": ([([[10**400]], [0])], ["layer 1", "beyond the range of float64"]),
    "fraction beyond float64": (
        [ONE, ([[1]], [Fraction(10**400, 3)])],
        ["layer 2", "beyond the range of float64"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_network_is_refused_by_name(case: str) -> None:
    layers, fragments = REFUSED[case]
    with pytest.raises(NetworkError) as caught:
        Network.from_layers(layers, name="mine")
    message = str(caught.value)
    assert message.startswith("mine")
    assert [fragment for fragment in fragments if fragment not in message] == []


@pytest.mark.parametrize("final", ["tanh", "ReLU", "", 1, ["relu"]])
def test_an_unknown_final_activation_is_refused(final: Any) -> None:
    with pytest.raises(NetworkError, match=r"final_activation is .*, expected None or 'relu'"):
        Network.from_layers([ONE], final_activation=final)


@pytest.mark.parametrize("layers", [5, None])
def test_what_is_no_list_of_layers_is_refused(layers: Any) -> None:
    with pytest.raises(NetworkError):
        Network.from_layers(layers)


def test_a_network_error_is_a_value_error_and_one_of_ours() -> None:
    assert issubclass(NetworkError, ValueError)
    assert issubclass(NetworkError, PolyregionsError)


def test_from_units_checks_the_chain_too() -> None:
    wide = units(np.ones((2, 1)), [0, 0], [RELU, RELU])
    with pytest.raises(NetworkError, match="layer 2: weight has 1 columns, expected 2"):
        Network.from_units([wide, units([[1]], [0], [IDENTITY])])


def test_from_units_refuses_an_empty_chain() -> None:
    with pytest.raises(NetworkError):
        Network.from_units([])


@pytest.mark.parametrize("shape", [(), (1,), (3,), (4, 3), (1, 1, 2)])
def test_inputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    net = Network.from_layers([([[1, 1]], [0])], name="mine")
    with pytest.raises(NetworkError, match=r"mine: input of shape .*, expected \(k, 2\) or \(2,\)"):
        net(np.zeros(shape))


@pytest.mark.parametrize(
    "X", ["a", [[1], [1, 2]], [[1j, 0]], [[10**400, 0]]], ids=["text", "ragged", "complex", "huge"]
)
def test_inputs_that_are_no_numbers_are_refused(X: Any) -> None:
    net = Network.from_layers([([[1, 1]], [0])])
    with pytest.raises(NetworkError):
        net(X)
