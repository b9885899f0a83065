"""What a graph computes from constants alone: exact where it is rational, the nearest float64 where it is not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from onnx_models import FLOAT, helper, ints, model, node, onnx, tensor
from polyregions import Network
from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.onnx.read import network_of_onnx

RNG = np.random.default_rng(23)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def scalars(*values: float) -> Any:
    return np.array(values, dtype=np.float32)


def read(m: Any) -> Network:
    return network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx")


def added(nodes: list[Any], given: dict[str, Any], shape: list[int], **options: Any) -> Any:
    """A model that adds the constant ``c``, which the nodes compute, to x."""
    return model([*nodes, node("Add", ["x", "c"], "y")], shape, given, **options)


def bias_of(nodes: list[Any], given: dict[str, Any], n: int, **options: Any) -> list[Fraction]:
    """The entries of ``c``, as the network holds them."""
    net = read(added(nodes, given, [n], **options))
    (layer,) = net.layers
    if layer.exact is None:
        return [Fraction(b) for b in layer.bias.tolist()]
    return [Fraction(int(row[-1]), layer.exact.denominator) for row in layer.exact.numerators]


def one(op: str, given: dict[str, Any], opset: int = 13, **attributes: Any) -> Any:
    """A test case: one operator of constants, whose result is cast to float32 and added to x."""
    return pytest.param(op, given, opset, attributes, id=f"{op}-{opset}-{attributes or sorted(given)}")


P = np.abs(normal(2, 3)) + np.float32(0.5)
INTEGERS = np.array([[5, -3, 0], [7, 2, -8]])

FOLDED = [
    *(
        one(op, {"a": np.tanh(normal(2, 3))})
        for op in ("Acos", "Asin", "Atan", "Cos", "Cosh", "Erf", "Exp", "Sin", "Sinh", "Tan", "Tanh")
    ),
    *(one(op, {"a": P}) for op in ("Sqrt", "Log", "Asinh", "Reciprocal", "Sigmoid", "Softplus")),
    *(
        one(op, {"a": normal(2, 3) * np.float32(3)})
        for op in ("Abs", "Ceil", "Floor", "Round", "Sign", "Relu", "LeakyRelu", "HardSigmoid")
    ),
    one("Round", {"a": scalars(0.5, 1.5, 2.5, -0.5)}),
    one("Clip", {"a": normal(5), "lo": np.float32(-0.5), "hi": np.float32(0.25)}),
    one("PRelu", {"a": normal(2, 3), "s": normal(3)}),
    one("Pow", {"a": P, "b": scalars(2, 0.5, -1)}),
    one("Pow", {"a": normal(2, 3), "b": np.float32(3)}),
    one("Mod", {"a": INTEGERS, "b": ints(3, -4, 5)}),
    one("Mod", {"a": normal(3), "b": scalars(0.5, -0.25, 1)}, fmod=1),
    *(
        one(op, {"a": INTEGERS, "b": ints(5, 2, -8)})
        for op in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual")
    ),
    one("Equal", {"a": scalars(1, 2, 3), "b": scalars(1, 2.5, 3)}),
    *(one(op, {"a": INTEGERS > 0, "b": INTEGERS > 4}) for op in ("And", "Or", "Xor")),
    one("Not", {"a": INTEGERS > 0}),
    one("Where", {"a": INTEGERS > 0, "b": normal(2, 3), "d": normal(3)}),
    one("Where", {"a": INTEGERS > 0, "b": INTEGERS, "d": ints(1, 2, 3)}),
    one("Max", {"a": normal(2, 3), "b": normal(3)}),
    one("Min", {"a": INTEGERS, "b": ints(1)}),
    one("Mean", {"a": normal(3), "b": normal(3), "d": normal(3)}),
    one("Range", {"a": np.int64(2), "b": np.int64(11), "d": np.int64(3)}),
    one("Range", {"a": np.float32(0), "b": np.float32(2), "d": np.float32(0.5)}),
    *(
        one(op, {"a": P}, axes=[1])
        for op in (
            "ReduceL1",
            "ReduceL2",
            "ReduceLogSum",
            "ReduceMax",
            "ReduceMean",
            "ReduceMin",
            "ReduceProd",
            "ReduceSumSquare",
        )
    ),
    one("ReduceSum", {"a": P, "axes": ints(0)}, keepdims=0),
    one("ReduceSum", {"a": INTEGERS, "axes": ints(0)}),
    one("ReduceL2", {"a": P, "axes": ints(-1)}, opset=18),
    one("CumSum", {"a": INTEGERS, "axis": np.array(1)}),
    one("Trilu", {"a": INTEGERS}, opset=14),
    one("NonZero", {"a": INTEGERS}),
    one("OneHot", {"a": ints(1, 0, -1), "n": np.array(3), "v": scalars(-1, 2)}),
    one("OneHot", {"a": INTEGERS % 3, "n": np.array(3), "v": ints(0, 1)}, axis=0),
    one("EyeLike", {"a": normal(2, 3)}, k=1),
    one("Compress", {"a": normal(4), "c": np.array([True, False, True, True])}),
    one("GatherND", {"a": INTEGERS, "i": np.array([[0, 1], [1, 2]])}),
    one("ScatterND", {"a": normal(3), "i": np.array([[2]]), "u": normal(1)}),
    one("ScatterElements", {"a": INTEGERS, "i": np.array([[1, 1, 0]]), "u": np.array([[7, 8, 9]])}),
    one("Einsum", {"a": normal(2, 3), "b": normal(3, 2)}, equation="ij,ji->i"),
    one("Conv", {"a": normal(1, 1, 4), "w": normal(1, 1, 2)}),
    one("MaxPool", {"a": normal(1, 1, 4)}, kernel_shape=[2]),
    one("MatMul", {"a": normal(2, 3), "b": normal(3, 2)}),
    one("Cast", {"a": scalars(2.75, -2.75, 0.1)}, to=7),
    one("Cast", {"a": np.array([0.1, 1.5])}, to=FLOAT),
    one("Cast", {"a": scalars(0, 2)}, to=9),
    one("DequantizeLinear", {"a": np.array([[3, -5], [100, 7]], dtype=np.int8), "s": np.float32(0.0333)}),
    one(
        "DequantizeLinear",
        {
            "a": np.array([[3, 250]], dtype=np.uint8),
            "s": scalars(0.1, 0.2),
            "z": np.array([7, 128], dtype=np.uint8),
        },
    ),
    one("DequantizeLinear", {"a": np.array([[3, 25]], dtype=np.int32), "s": scalars(0.1)}, axis=0),
    one(
        "DequantizeLinear",
        {"a": np.array([[3], [25], [4]], dtype=np.int8), "s": scalars(0.1, 0.3, 2)},
        axis=-2,
    ),
]


@pytest.mark.parametrize(("op", "given", "opset", "attributes"), FOLDED)
def test_an_operator_of_constants(
    op: str, given: dict[str, Any], opset: int, attributes: dict[str, Any]
) -> None:
    """The constant is what onnxruntime computes, to its precision."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    nodes = [node(op, list(given), "r", **attributes), node("Cast", ["r"], "real", to=FLOAT)]
    m = model(
        [*nodes, node("ReduceSum", ["x"], "total", keepdims=0), node("Add", ["total", "real"], "y")],
        [2],
        given,
        opset=opset,
    )
    session = runtime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {"x": np.zeros(2, dtype=np.float32)})
    np.testing.assert_allclose(read(m)([0, 0]), expected.ravel(), rtol=3e-7, atol=1e-7)


def test_quantised_weights_are_exact_products() -> None:
    scale = np.float32(0.0333)
    dequantised = node("DequantizeLinear", ["q", "s"], "c")
    found = bias_of([dequantised], {"q": np.array([3, -7, 127], dtype=np.int8), "s": scale}, 3)
    assert found == [Fraction(float(scale)) * n for n in (3, -7, 127)]


def test_blocks_of_quantised_weights() -> None:
    blocks = node("DequantizeLinear", ["q", "s"], "c", axis=0, block_size=2)
    given = {"q": np.array([1, 2, 3, 4, 5], dtype=np.int8), "s": scalars(1, 0.5, 2)}
    assert bias_of([blocks], given, 5, opset=21) == [1, 2, Fraction(3, 2), 2, 10]


def test_rational_functions_are_exact_and_irrational_ones_are_nearest() -> None:
    root = node("Sqrt", ["v"], "c")
    assert bias_of([root], {"v": scalars(2.25, 4)}, 2) == [Fraction(3, 2), 2]
    assert read(added([root], {"v": scalars(2.25, 4)}, [2])).notices == ()
    net = read(added([root], {"v": scalars(2, 3)}, [2]))
    assert net.layers[0].bias.tolist() == [np.sqrt(2.0), np.sqrt(3.0)]
    assert "operator Sqrt (node 0 -> 'c'): values are irrational" in net.notices[0]


def test_a_third_of_constants_is_a_third() -> None:
    divided = node("Div", ["one", "three"], "c")
    assert bias_of([divided], {"one": scalars(1), "three": scalars(3)}, 1) == [Fraction(1, 3)]


def test_weight_normalisation() -> None:
    """``g v / |v|`` with the norm of (3, 4), which is 5, and that of (1, 1), which is irrational."""
    nodes = [
        node("ReduceL2", ["v"], "norm", axes=[1], keepdims=1),
        node("Div", ["v", "norm"], "u"),
        node("Mul", ["u", "g"], "w"),
        node("Transpose", ["w"], "t"),
        node("MatMul", ["x", "t"], "y"),
    ]
    given = {"v": scalars(3, 4, 1, 1).reshape(2, 2), "g": scalars(10, 2).reshape(2, 1)}
    net = read(model(nodes, [1, 2], given))
    np.testing.assert_allclose(net.layers[0].weight, [[6, 8], [np.sqrt(2), np.sqrt(2)]], rtol=1e-15)
    assert net.layers[0].weight[0].tolist() == [6, 8]


def test_shapes_computed_by_comparisons() -> None:
    """As exporters write ``expand(-1, 3, -1)``."""
    nodes = [
        node("ConstantOfShape", ["n"], "ones", value=helper.make_tensor("", 7, [1], [1])),
        node("Mul", ["ones", "minus"], "no"),
        node("Equal", ["given", "no"], "same"),
        node("Where", ["same", "ones", "given"], "shape"),
        node("Expand", ["x", "shape"], "y"),
    ]
    net = read(model(nodes, [2, 1, 2], {"n": ints(3), "minus": np.array(-1), "given": ints(-1, 3, -1)}))
    assert net([1, 2, 3, 4]).tolist() == [1, 2] * 3 + [3, 4] * 3


def test_padding_made_of_nothing() -> None:
    """As exporters write ``F.pad`` with a width for every axis: an empty list is appended."""
    nodes = [
        node("ConstantOfShape", ["none"], "more", value=helper.make_tensor("", 7, [1], [0])),
        node("Concat", ["pads", "more"], "all", axis=0),
        node("Pad", ["x", "all"], "y"),
    ]
    net = read(model(nodes, [2], {"none": ints(0), "pads": ints(1, 0)}))
    assert net([5, 6]).tolist() == [0, 5, 6]


def test_a_choice_of_entries_of_the_data() -> None:
    given = {"m": np.array([[True, False, True]]), "c": np.float32(0.5)}
    net = read(model([node("Where", ["m", "x", "c"], "y")], [1, 3], given))
    assert net([7, 8, 9]).tolist() == [7, 0.5, 9]


JUMPS = [
    ([node("Div", ["one", "three"], "q"), node("Floor", ["q"], "c")], "operator Floor"),
    (
        [node("Sqrt", ["three"], "q"), node("Cast", ["q"], "i", to=7), node("Cast", ["i"], "c", to=1)],
        "operator Cast",
    ),
    (
        [
            node("Mul", ["tenth", "three"], "q"),
            node("Less", ["q", "one"], "b"),
            node("Cast", ["b"], "c", to=1),
        ],
        "operator Less",
    ),
    ([node("ReduceSum", ["tenth"], "q"), node("Sign", ["q"], "c")], "operator Sign"),
]


@pytest.mark.parametrize(("nodes", "match"), JUMPS, ids=[match for _, match in JUMPS])
def test_jumps_at_constants_that_runtimes_round_are_refused(nodes: list[Any], match: str) -> None:
    given = {"one": scalars(1), "three": scalars(3), "tenth": scalars(0.1)}
    with pytest.raises(UnsupportedError, match=f"{match} .*a runtime rounds"):
        read(added(nodes, given, [1]))


def test_jumps_at_constants_that_no_runtime_rounds_are_taken() -> None:
    nodes = [node("Mul", ["half", "three"], "q"), node("Floor", ["q"], "c")]
    assert bias_of(nodes, {"half": scalars(0.5), "three": scalars(3)}, 1) == [1]


def test_a_cast_rounds_what_is_stored_and_refuses_what_is_computed() -> None:
    stored = node("Cast", ["d"], "c", to=FLOAT)
    assert bias_of([stored], {"d": np.array([0.1])}, 1) == [Fraction(float(np.float32(0.1)))]
    nodes = [node("Div", ["d", "three"], "q"), stored]
    stored.input[0] = "q"
    with pytest.raises(UnsupportedError, match="operator Cast .* rounds a constant that is computed"):
        read(added(nodes, {"d": np.array([0.1]), "three": np.array([3.0])}, [1]))


@pytest.mark.parametrize(
    ("nodes", "match"),
    [
        ([node("Sqrt", ["minus"], "c")], "operator Sqrt .* no finite number"),
        ([node("Log", ["zero"], "c")], "operator Log .* no finite number"),
        ([node("Exp", ["huge"], "c")], "operator Exp .* beyond the range of float64"),
        ([node("Reciprocal", ["zero"], "c")], "operator Reciprocal .* divides by 0"),
        ([node("Pow", ["minus", "half"], "c")], "operator (Pow|Sqrt)"),
        ([node("Range", ["zero", "huge", "one"], "c")], "operator Range .* result of shape"),
        ([node("Range", ["zero", "one", "zero"], "c")], "operator Range .* a step of 0"),
        ([node("OneHot", ["i", "huge", "two"], "c")], "operator OneHot .* depth"),
        ([node("Equal", ["x", "x"], "c")], "operator Equal .* not supported"),
    ],
)
def test_constants_that_are_none(nodes: list[Any], match: str) -> None:
    given = {
        "minus": np.float32(-2),
        "zero": np.float32(0),
        "one": np.float32(1),
        "half": np.float32(0.5),
        "huge": np.float32(1e30),
        "i": ints(0),
        "two": scalars(0, 1),
    }
    with pytest.raises(FormatError, match=match):
        read(added(nodes, given, [1]))


def test_integers_that_would_overflow_are_refused() -> None:
    nodes = [node("Mul", ["a", "a"], "p"), node("Cast", ["p"], "c", to=1)]
    with pytest.raises(FormatError, match="beyond 64 bits"):
        read(added(nodes, {"a": ints(2**40)}, [1]))
    with pytest.raises(UnsupportedError, match="operator Mul .* beyond the range of uint8"):
        read(added(nodes, {"a": np.array([20], dtype=np.uint8)}, [1]))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("raw", [True, False])
def test_integers_of_every_width(dtype: str, raw: bool) -> None:
    limits = np.iinfo(dtype)
    values = np.array([max(limits.min, -(2**23)), 0, min(limits.max, 2**23)], dtype=dtype)
    stored = tensor("a", values)
    if not raw:
        kind = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
        stored = helper.make_tensor("a", kind, [3], values.tolist())
    m = added([node("Cast", ["a"], "c", to=1)], {}, [3])
    m.graph.initializer.append(stored)
    assert read(m)([0, 0, 0]).tolist() == values.tolist()


def test_integers_outside_their_type_are_refused() -> None:
    m = added([node("Cast", ["a"], "c", to=1)], {}, [1])
    m.graph.initializer.append(onnx.TensorProto(name="a", dims=[1], data_type=3, int32_data=[200]))
    with pytest.raises(FormatError, match="tensor 'a': an entry of int32_data is outside the range of int8"):
        read(m)
