"""The operators beyond chains, each in several variants and opsets, against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onnx_models import FLOAT, helper, ints, model, node, onnx
from polyregions import Network
from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.onnx.read import network_of_onnx

RNG = np.random.default_rng(17)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def scalars(*values: float) -> Any:
    return np.array(values, dtype=np.float32)


def read(m: Any) -> Network:
    return network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx")


def agree(m: Any, shape: list[int]) -> Network:
    """Read a model; compare it with onnxruntime, which must be able to run it."""
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    net = read(m)
    session = runtime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"])
    for _ in range(4):
        x = (RNG.standard_normal(shape) * 3).astype(np.float32)
        found = np.concatenate([np.ravel(y) for y in session.run(None, {"x": x})])
        np.testing.assert_allclose(net(x.ravel()), found, rtol=1e-4, atol=1e-4)
    return net


def one(
    op: str, shape: list[int], inputs: dict[str, Any] | None = None, opset: int = 13, **attributes: Any
) -> Any:
    """A test case: a model of one operator on x, with its other inputs as initializers."""
    given = inputs or {}
    m = model([node(op, ["x", *given], "y", **attributes)], shape, given, opset=opset)
    return pytest.param(m, shape, id=f"{op}-{opset}-{shape}-{attributes or sorted(given)}")


IMAGE = [1, 2, 5, 5]

ACTIVATIONS = [
    one("Relu", [3], opset=7),
    one("LeakyRelu", [3], opset=7),
    one("LeakyRelu", [2, 3], alpha=0.3),
    one("LeakyRelu", [2, 3], alpha=-0.3, opset=16),
    one("PRelu", [2, 3], {"s": normal(3)}),
    one("PRelu", [2, 3], {"s": scalars(0.2)}, opset=7),
    one("PRelu", [1, 2, 3], {"s": normal(2, 1)}, opset=16),
    one("Abs", [4]),
    one("Neg", [4]),
    one("Clip", [4], opset=7, min=-0.5, max=1.0),
    one("Clip", [4], opset=7, min=0.0),
    one("Clip", [4], opset=7),
    one("Clip", [4], {"lo": np.float32(0), "hi": np.float32(6)}),
    one("Clip", [4], {"lo": np.float32(-1)}, opset=11),
    one("HardSigmoid", [4]),
    one("HardSigmoid", [4], opset=7, alpha=0.5, beta=0.25),
    one("Max", [2, 3], {"c": normal(3)}),
    one("Max", [2, 3], {"c": normal(2, 3), "d": normal(1)}, opset=8),
    one("Min", [2, 3], {"c": normal(3)}),
    one("Min", [2, 3], opset=7),
]

WINDOWS = [
    one("MaxPool", IMAGE, kernel_shape=[2, 2]),
    one("MaxPool", IMAGE, kernel_shape=[2, 2], strides=[2, 2], opset=7),
    one("MaxPool", IMAGE, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1], opset=8),
    one("MaxPool", IMAGE, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, opset=10),
    one("MaxPool", IMAGE, kernel_shape=[2, 2], dilations=[2, 3]),
    one("MaxPool", IMAGE, kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2]),
    one("MaxPool", IMAGE, kernel_shape=[3, 3], auto_pad="SAME_LOWER", strides=[2, 2]),
    one("MaxPool", [2, 1, 6], kernel_shape=[3]),
    one("MaxPool", [1, 1, 3, 3, 3], kernel_shape=[2, 2, 2]),
    one("AveragePool", IMAGE, kernel_shape=[3, 3]),
    one("AveragePool", IMAGE, kernel_shape=[2, 2], strides=[2, 2], opset=7),
    one("AveragePool", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    one("AveragePool", IMAGE, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    one("AveragePool", IMAGE, kernel_shape=[2, 2], auto_pad="SAME_UPPER"),
    one("AveragePool", [1, 1, 5], kernel_shape=[2], strides=[2], ceil_mode=1),
    one("AveragePool", IMAGE, kernel_shape=[2, 2], dilations=[2, 2], opset=19),
    one("MaxPool", [1, 1, 2, 2], kernel_shape=[3, 3], strides=[3, 3], pads=[1, 1, 1, 1], ceil_mode=1),
    one("MaxPool", [1, 1, 4], kernel_shape=[2], strides=[3], pads=[0, 1], ceil_mode=1, opset=22),
    one("MaxPool", [1, 1, 6], kernel_shape=[2], strides=[2], dilations=[2], ceil_mode=1, opset=12),
    *(
        one(
            "AveragePool",
            [1, 1, n],
            kernel_shape=[k],
            strides=[s],
            pads=p,
            ceil_mode=1,
            count_include_pad=c,
            opset=o,
        )
        for n, k, s, p in (
            (5, 2, 2, [0, 0]),
            (5, 3, 2, [1, 1]),
            (2, 3, 3, [1, 1]),
            (6, 3, 2, [1, 0]),
            (4, 2, 3, [1, 1]),
        )
        for c in (0, 1)
        for o in (13, 19, 22)
    ),
    one(
        "AveragePool",
        [1, 1, 6],
        kernel_shape=[2],
        strides=[3],
        dilations=[3],
        ceil_mode=1,
        count_include_pad=1,
        opset=19,
    ),
    one("LpPool", IMAGE, kernel_shape=[2, 3], pads=[1, 1, 0, 1], p=1),
    one("LpPool", IMAGE, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, p=1, opset=18),
    one("GlobalLpPool", IMAGE, p=1),
    one("GlobalAveragePool", IMAGE),
    one("GlobalMaxPool", [1, 2, 2, 2]),
    one("Conv", [2, 2, 4, 4], {"W": normal(3, 2, 2, 2), "B": normal(3)}),
    one("Conv", [1, 4, 6], {"W": normal(4, 2, 3)}, group=2, strides=[2], pads=[1, 2]),
    one("Conv", IMAGE, {"W": normal(2, 1, 2, 2)}, group=2, dilations=[2, 1], opset=7),
    one("Conv", [1, 1, 3, 3, 3], {"W": normal(2, 1, 2, 2, 2)}),
    one("ConvTranspose", [1, 2, 3, 3], {"W": normal(2, 1, 2, 2)}, strides=[2, 2]),
    one("ConvTranspose", [2, 2, 3, 2], {"W": normal(2, 3, 3, 2), "B": normal(3)}, pads=[1, 0, 0, 1]),
    one(
        "ConvTranspose",
        [1, 4, 4],
        {"W": normal(4, 2, 3), "B": normal(4)},
        group=2,
        strides=[3],
        output_padding=[2],
    ),
    one("ConvTranspose", [1, 2, 4], {"W": normal(2, 1, 3)}, group=2, dilations=[2], pads=[1, 2], opset=22),
    one(
        "ConvTranspose",
        [1, 1, 3],
        {"W": normal(1, 1, 4)},
        strides=[2],
        output_shape=[7],
        auto_pad="SAME_UPPER",
    ),
    one("ConvTranspose", [1, 1, 3], {"W": normal(1, 1, 4)}, strides=[2], output_shape=[7]),
    one("ConvTranspose", [1, 1, 3], {"W": normal(1, 1, 3)}, strides=[2], auto_pad="SAME_LOWER", opset=11),
    one("ConvTranspose", [1, 1, 3], {"W": normal(1, 1, 4)}, strides=[2], auto_pad="SAME_UPPER", opset=9),
    one("ConvTranspose", [1, 1, 2, 2, 2], {"W": normal(1, 1, 2, 2, 2)}, strides=[1, 2, 1]),
]

ARITHMETIC = [
    one("Mul", [2, 3], {"c": normal(3)}),
    one("Mul", [2, 3], {"c": normal(4, 1, 1)}, opset=7),
    one("Div", [2, 3], {"c": scalars(3, 0.5, -7)}),
    one("Add", [2, 3], {"c": normal(2, 1)}),
    one("Sum", [2, 3], {"c": normal(3), "d": normal(2, 1)}),
    one("Mean", [2, 3], {"c": normal(3), "d": normal(2, 1)}),
    one("ReduceSum", [2, 3, 2], {"axes": ints(1)}),
    one("ReduceSum", [2, 3, 2], opset=11, axes=[0, -1], keepdims=0),
    one("ReduceMean", [2, 3, 2], axes=[1, 2]),
    one("ReduceMean", [2, 3, 2], {"axes": ints(-1)}, opset=18, keepdims=0),
    one("ReduceMean", [2, 3]),
    one("ReduceMax", [2, 3], axes=[1], keepdims=0),
    one("ReduceMax", [2, 3], {"axes": ints(0)}, opset=18),
    one("ReduceMin", [2, 3], axes=[0]),
    one("ReduceL1", [2, 3], axes=[1], keepdims=1),
    one("ReduceL1", [2, 3], {"axes": ints(0)}, opset=18, keepdims=0),
    one("ReduceL1", [2, 3], opset=7),
    one("CumSum", [2, 3], {"a": np.array(1)}),
    one("CumSum", [2, 3], {"a": ints(0)}, exclusive=1, opset=11),
    one("CumSum", [2, 3, 2], {"a": np.array(-2)}, reverse=1),
    one("CumSum", [4], {"a": np.array(0)}, reverse=1, exclusive=1),
    one("Einsum", [2, 3], {"c": normal(3, 4)}, equation="ij,jk->ik"),
    one("Einsum", [2, 3], {"c": normal(3, 4), "d": normal(4)}, equation="ij,jk,k"),
    one("Einsum", [2, 3, 3], equation="bii->bi"),
    one("Einsum", [2, 3, 3], equation="bij->j"),
    one("Einsum", [2, 3, 4], {"c": normal(4, 5)}, equation="...j,jk->...k"),
    one("Einsum", [2, 3, 4], {"c": normal(2, 4, 5)}, equation="bij, bjk -> bik"),
    one("Einsum", [3], {"c": normal(4)}, equation="i,j->ji"),
    one("Einsum", [3, 3], equation="ii"),
    one("Shrink", [5], bias=0.5, lambd=0.5),
    one("Shrink", [5], bias=0.0, lambd=0.0),
    one("ThresholdedRelu", [5], alpha=0.0, opset=10),
    *(
        one(
            "BatchNormalization",
            shape,
            {"s": normal(2), "b": normal(2), "m": normal(2), "v": np.abs(normal(2)) + np.float32(0.1)},
            opset=opset,
            **attributes,
        )
        for shape in ([3, 2], [1, 2, 2, 2])
        for opset, attributes in ((7, {}), (9, {"epsilon": 1e-3}), (14, {}), (15, {"training_mode": 0}))
    ),
]

MOVING = [
    one("Slice", [4, 5], opset=9, starts=[1], ends=[-1], axes=[1]),
    one("Slice", [4, 5], opset=7, starts=[1, 0], ends=[9, 2]),
    one("Slice", [4, 5], {"s": ints(-1), "e": ints(-9), "a": ints(0), "t": ints(-2)}),
    one("Slice", [4, 5], {"s": ints(0, 4), "e": ints(2**62, -(2**62)), "a": ints(0, 1), "t": ints(2, -1)}),
    one("Slice", [4, 5], {"s": ints(1, 1), "e": ints(3, 4)}, opset=10),
    one("Gather", [4, 5], {"i": ints(3, 0, -1)}, axis=1),
    one("Gather", [4, 5], {"i": np.array([[0], [1]])}),
    one("Gather", [4, 5], {"i": np.array(2)}, axis=-1, opset=7),
    one("Concat", [2, 3], {"c": normal(2, 2)}, axis=1),
    one("Concat", [2, 3], {"c": normal(1, 3), "d": normal(2, 3)}, axis=-2),
    one("Pad", [2, 3], opset=7, pads=[0, 1, 2, 0], value=0.5),
    one("Pad", [2, 3], {"p": ints(0, 1, 2, 0)}),
    one("Pad", [2, 3], {"p": ints(1, 1, 1, 1), "v": np.float32(-2)}),
    one("Pad", [3, 4], {"p": ints(0, -1, 1, -2)}),
    one("Pad", [3, 4], {"p": ints(1, 2, 1, 1)}, mode="reflect"),
    one("Pad", [3, 4], {"p": ints(1, 2, 1, 1)}, mode="edge"),
    one("Pad", [3, 4], {"p": ints(1, 1), "v": np.float32(0), "a": ints(-1)}, opset=18),
    one("Expand", [2, 1], {"s": ints(3, 1, 4)}),
    one("Tile", [2, 3], {"r": ints(2, 1)}),
    one("DepthToSpace", [1, 8, 2, 3], blocksize=2),
    one("DepthToSpace", [1, 8, 2, 3], blocksize=2, mode="CRD", opset=11),
    one("SpaceToDepth", [1, 2, 4, 6], blocksize=2),
    one("Upsample", [1, 2, 2, 3], opset=7, scales=[1.0, 1.0, 2.0, 3.0]),
    one("Upsample", [1, 2, 2, 3], {"s": scalars(1, 1, 2, 2)}, opset=9),
    one("Resize", [1, 1, 2, 3], {"s": scalars(1, 1, 2, 2)}, opset=10),
    *(
        one(
            "Resize",
            [1, 1, 3, 2],
            {"r": scalars(), "s": scalars(1, 1, 2, 1.5)},
            mode=m,
            coordinate_transformation_mode=c,
        )
        for m in ("linear", "nearest")
        for c in ("half_pixel", "align_corners", "pytorch_half_pixel", "asymmetric")
    ),
    one("Upsample", [1, 1, 2, 3], {"s": scalars(1, 1, 2, 2)}, opset=9, mode="linear"),
    one("GatherElements", [2, 3], {"i": np.array([[0, 2], [-1, 1]])}, axis=1),
    one("GatherElements", [2, 3], {"i": np.array([[1, 0, 1]])}, opset=11),
    one("GatherND", [2, 3], {"i": np.array([[0, 2], [1, -1]])}),
    one("GatherND", [2, 3], {"i": np.array([[1], [0], [1]])}, opset=11),
    one("GatherND", [2, 3, 2], {"i": np.array([[[0], [2]], [[1], [1]]])}, batch_dims=1),
    one("ScatterElements", [2, 3], {"i": np.array([[0, -1]]), "u": normal(1, 2)}, axis=1),
    one(
        "ScatterElements",
        [2, 3],
        {"i": np.array([[1, 1, 1], [1, 0, 1]]), "u": normal(2, 3)},
        reduction="add",
        opset=16,
    ),
    one("Scatter", [2, 3], {"i": np.array([[1, 0, 1]]), "u": normal(1, 3)}, opset=9),
    one("ScatterND", [3, 2], {"i": np.array([[0], [2]]), "u": normal(2, 2)}),
    one(
        "ScatterND",
        [3, 2],
        {"i": np.array([[0, 1], [0, 1], [2, 0]]), "u": normal(3)},
        reduction="add",
        opset=16,
    ),
    one("Trilu", [3, 4], opset=14),
    one("Trilu", [2, 3, 3], {"k": np.array(-1)}, upper=0, opset=14),
    one("Compress", [3, 2], {"c": np.array([True, False, True])}, axis=0, opset=11),
    one("Compress", [3, 2], {"c": np.array([False, True, False, True])}, opset=9),
    one("ReverseSequence", [3, 2], {"n": ints(2, 3)}, opset=10),
    one("ReverseSequence", [2, 3, 2], {"n": ints(3, 1)}, time_axis=1, batch_axis=0, opset=10),
    one("Dropout", [3], {"ratio": np.float32(0.5), "training": np.array(False)}, opset=13),
    one("Dropout", [3], {"ratio": np.float32(0), "training": np.array(True)}, opset=22),
    one("Identity", [2]),
    one("Cast", [2], to=FLOAT),
]


@pytest.mark.parametrize(("m", "shape"), ACTIVATIONS + WINDOWS + ARITHMETIC + MOVING)
def test_one_operator(m: Any, shape: list[int]) -> None:
    agree(m, shape)


@pytest.mark.parametrize("mode", ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"])
@pytest.mark.parametrize("rounding", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize("by", ["scales", "sizes"])
def test_resizing_to_the_nearest(mode: str, rounding: str, by: str) -> None:
    given = {"s": scalars(1, 1, 2, 3)} if by == "scales" else {"n": ints(1, 1, 4, 9)}
    inputs = ["x", "", "s"] if by == "scales" else ["x", "", "", "n"]
    resize = node("Resize", inputs, "y", coordinate_transformation_mode=mode, nearest_mode=rounding)
    agree(model([resize], [1, 1, 2, 3], given), [1, 1, 2, 3])


@pytest.mark.parametrize(
    ("opset", "given", "attributes"),
    [
        (11, {}, {"split": [1, 3], "axis": 1}),
        (13, {"s": ints(1, 3)}, {"axis": 1}),
        (13, {}, {"axis": -1}),
        (18, {}, {"axis": 1, "num_outputs": 2}),
    ],
)
def test_split(opset: int, given: dict[str, Any], attributes: dict[str, Any]) -> None:
    split = helper.make_node("Split", ["x", *given], ["a", "b"], **attributes)
    nodes = [split, node("Relu", ["a"], "r"), node("Concat", ["b", "r", "b"], "y", axis=1)]
    agree(model(nodes, [2, 4], given, opset=opset), [2, 4])


def test_several_branches_and_maxima_of_them() -> None:
    nodes = [
        node("Gemm", ["x", "A"], "a"),
        node("Relu", ["a"], "r"),
        node("Gemm", ["r", "B"], "b"),
        node("Max", ["a", "b", "r"], "m"),
        node("Min", ["m", "x"], "n"),
        node("Add", ["n", "b"], "s"),
        node("Sub", ["s", "x"], "y"),
    ]
    net = agree(model(nodes, [1, 3], {"A": normal(3, 3), "B": normal(3, 3)}), [1, 3])
    assert net.max_groups is not None
    assert net.max_groups.n_arguments.tolist() == [3, 3, 3, 2, 2, 2]


def test_shapes_computed_in_the_graph() -> None:
    """As exporters write ``x.view(x.size(0), -1)``."""
    nodes = [
        node("Shape", ["x"], "s"),
        node("Gather", ["s", "zero"], "n", axis=0),
        node("Unsqueeze", ["n", "zeros"], "u"),
        node("Concat", ["u", "rest"], "shape", axis=0),
        node("Reshape", ["x", "shape"], "f"),
        node("Relu", ["f"], "y"),
    ]
    given = {"zero": np.array(0), "zeros": ints(0), "rest": ints(-1)}
    agree(model(nodes, [2, 3, 2], given), [2, 3, 2])


def test_constants_that_are_computed() -> None:
    nodes = [
        node("ConstantOfShape", ["n"], "c", value=helper.make_tensor("", FLOAT, [1], [2.0])),
        node("Mul", ["c", "w"], "d"),
        node("Div", ["d", "three"], "e"),
        node("Neg", ["e"], "f"),
        node("Sum", ["x", "f"], "y"),
    ]
    given = {"n": ints(3), "w": normal(3), "three": scalars(3)}
    agree(model(nodes, [3], given), [3])


def test_a_division_is_exact() -> None:
    net = read(model([node("Div", ["x", "c"], "y")], [2], {"c": scalars(3, 4)}))
    exact = net.layers[0].exact
    assert exact is not None
    assert (exact.numerators.tolist(), exact.denominator) == ([[4, 0, 0], [0, 3, 0]], 12)


def test_a_normalisation_is_exact_where_its_root_is_and_says_where_not() -> None:
    given = {"s": scalars(1, 1), "b": scalars(0, 1), "m": scalars(0.5, 3), "v": scalars(2.25, 9)}
    normal_node = node("BatchNormalization", ["x", *given], "y", "bn", epsilon=0.0)
    net = read(model([normal_node], [1, 2], given))
    exact = net.layers[0].exact
    assert exact is not None
    assert (exact.numerators.tolist(), exact.denominator) == ([[2, 0, -1], [0, 1, 0]], 3)
    assert net.notices == ()
    given["v"] = scalars(2, 9)
    (notice,) = read(model([normal_node], [1, 2], given)).notices
    assert "operator BatchNormalization (node 'bn'): square roots are irrational" in notice


REFUSED = [
    (node("Mul", ["x", "x"], "y"), "bilinear"),
    (node("Div", ["c", "x"], "y"), "divides by a tensor that depends"),
    (node("Div", ["x", "zero"], "y"), "divides by 0"),
    (node("MatMul", ["x", "t"], "y"), "bilinear"),
    (node("Cast", ["x"], "y", to=7), "to int64, which rounds"),
    (node("Cast", ["x"], "y", to=10), "to float16, which rounds"),
    (node("Resize", ["x", "", "two"], "y", mode="cubic"), "mode 'cubic'"),
    (node("Pad", ["x", "pads"], "y", mode="other"), "mode 'other'"),
    (node("Pad", ["x", "far"], "y"), "result of shape"),
    (node("Clip", ["x", "t1"], "y"), "depends on the network's input"),
    (node("Gather", ["x", "nine"], "y"), "indices outside an axis of size 1"),
    (node("Slice", ["x", "nine", "nine"], "y"), "holds no values"),
    (node("Tile", ["x", "many"], "y"), "result of shape"),
    (node("Expand", ["x", "many"], "y"), "shape"),
    (node("Concat", ["x", "zero"], "y", axis=0), "joins tensors of shapes"),
    (node("Split", ["x", "nine"], "y", axis=0), "parts of sizes"),
    (node("PRelu", ["x", "wide"], "y"), "slope of shape"),
    (node("ReduceMax", ["x"], "y", axes=[7]), "axes"),
    (node("MaxPool", ["x"], "y", kernel_shape=[2]), "expected images"),
    (node("Shrink", ["x"], "y", lambd=1.5), "jumps where lambd = 1.5 and bias = 0.0"),
    (node("ThresholdedRelu", ["x"], "y"), "jumps from 0 to 1.0"),
    (node("Where", ["t1", "x", "c"], "y"), "the condition .* depends on the network's input"),
    (node("Einsum", ["x", "x"], "y", equation="ij,ij->i"), "bilinear"),
    (node("ScatterND", ["x", "twice", "pair"], "y"), "writes an entry twice"),
    (
        node("ScatterElements", ["x", "zeros", "x"], "y", reduction="mul"),
        "attribute 'reduction', which opset 13",
    ),
    (node("LpPool", ["x"], "y", kernel_shape=[1]), "p = 2"),
    (node("GatherND", ["x", "nine"], "y"), "indices outside axes"),
    (node("Sqrt", ["x"], "y"), "is not supported: it is not among the piecewise linear operators"),
    (node("Floor", ["x"], "y"), "is not supported: it is not among"),
    (node("Equal", ["x", "c"], "y"), "is not supported: it is not among"),
    (node("Gelu", ["x"], "y"), "is not supported: it is not among"),
    (node("QuantizeLinear", ["x", "one"], "y"), "is not supported: it is not among"),
]


@pytest.mark.parametrize(("operator", "match"), REFUSED, ids=lambda p: getattr(p, "op_type", None))
def test_what_is_refused_by_operator_and_node(operator: Any, match: str) -> None:
    given = {
        "c": scalars(1, 2, 3, 4).reshape(1, 4),
        "zero": np.float32(0),
        "one": np.float32(1),
        "nine": ints(9, 9),
        "two": scalars(1, 2),
        "pads": ints(0, 0, 1, 1),
        "far": ints(0, 0, 0, 2**40),
        "many": ints(2**40, 1),
        "wide": normal(3, 4),
        "twice": np.array([[0, 1], [0, 1]]),
        "pair": scalars(1, 2),
        "zeros": np.zeros((1, 4), dtype=np.int64),
    }
    operator.name = "here"
    nodes = [node("Transpose", ["x"], "t"), node("ReduceMax", ["x"], "t1", axes=[0, 1], keepdims=0), operator]
    m = model(nodes, [1, 4], given)
    with pytest.raises(FormatError, match=rf"operator {operator.op_type} \(node 'here'\)(: | ).*{match}"):
        read(m)


@pytest.mark.parametrize(
    ("attributes", "match"),
    [
        ({"kernel_shape": [2, 2], "pads": [2, 2, 2, 2]}, "nothing but padding"),
        ({"kernel_shape": [6, 6]}, "does not fit"),
        ({"kernel_shape": [0, 1]}, "kernel_shape"),
        ({}, "kernel_shape"),
        ({"kernel_shape": [2, 2], "strides": [0, 1]}, "strides"),
        ({"kernel_shape": [2, 2], "pads": [2**62] * 4}, "entries"),
    ],
)
def test_poolings_that_are_not_defined(attributes: dict[str, Any], match: str) -> None:
    for op in ("MaxPool", "AveragePool"):
        with pytest.raises(FormatError, match=rf"operator {op} .*{match}"):
            read(model([node(op, ["x"], "y", **attributes)], [1, 1, 4, 4]))


def test_maxima_of_very_many_arguments_are_refused() -> None:
    pool = node("MaxPool", ["x"], "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    with pytest.raises(UnsupportedError, match="operator MaxPool .* arguments, expected at most"):
        read(model([pool], [1, 1, 400, 400]))


def test_second_outputs_are_refused() -> None:
    pool = helper.make_node("MaxPool", ["x"], ["h", "indices"], kernel_shape=[2])
    m = model([pool, node("Relu", ["h"], "y")], [1, 1, 4])
    m.graph.output.append(helper.make_tensor_value_info("indices", onnx.TensorProto.INT64, None))
    with pytest.raises(UnsupportedError, match="'indices' is a second output"):
        read(m)


@pytest.mark.parametrize("opset", [7, 9, 13, 14, 15])
def test_batch_normalisation_is_in_training_by_its_outputs(opset: int) -> None:
    """Before opset 14 more than one output asks for batch statistics; empty names are outputs left out."""
    given = {"s": scalars(1, 2), "b": scalars(0, 1), "m": scalars(0.5, 0.25), "v": scalars(1, 4)}
    for names in (["y", "a", "b1", "c", "d"], ["y", "", "", "", "d"], ["y", "a"]):
        training = helper.make_node("BatchNormalization", ["x", *given], names)
        with pytest.raises(
            UnsupportedError, match=f"has {len([n for n in names if n])} outputs.*training mode"
        ):
            read(model([training], [1, 2, 2, 2], given, opset=opset))
    inference = helper.make_node("BatchNormalization", ["x", *given], ["y", "", "", "", ""])
    net = read(model([inference], [1, 2], given, opset=opset))
    np.testing.assert_allclose(net([1.5, 0.25]), [1, 1], rtol=1e-5)


@pytest.mark.parametrize(("opset", "attributes"), [(6, {}), (6, {"is_test": 0}), (7, {"spatial": 0})])
def test_batch_normalisation_of_old_opsets_in_training_is_refused(
    opset: int, attributes: dict[str, Any]
) -> None:
    given = {"s": scalars(1, 2), "b": scalars(0, 1), "m": scalars(0.5, 0.25), "v": scalars(1, 4)}
    with pytest.raises(UnsupportedError, match="training mode|spatial"):
        read(
            model([node("BatchNormalization", ["x", *given], "y", **attributes)], [1, 2], given, opset=opset)
        )


@pytest.mark.parametrize("reduction", ["mul", "max"])
def test_scatters_that_multiply_or_compare_are_refused(reduction: str) -> None:
    given = {"i": np.array([[0, 1]]), "u": normal(1, 2)}
    scattered = node("ScatterElements", ["x", "i", "u"], "y", axis=1, reduction=reduction)
    with pytest.raises(UnsupportedError, match=f"reduction '{reduction}', expected none or add"):
        read(model([scattered], [1, 2], given, opset=18))


def test_dropout_in_training_is_refused() -> None:
    given = {"ratio": np.float32(0.5), "training": np.array(True)}
    with pytest.raises(UnsupportedError, match="operator Dropout .* training mode"):
        read(model([node("Dropout", ["x", *given], "y")], [3], given))


def test_batch_normalisation_in_training_is_refused() -> None:
    given = {"s": normal(2), "b": normal(2), "m": normal(2), "v": np.abs(normal(2))}
    training = node("BatchNormalization", ["x", *given], "y", training_mode=1)
    with pytest.raises(UnsupportedError, match="training mode"):
        read(model([training], [3, 2], given, opset=14))
