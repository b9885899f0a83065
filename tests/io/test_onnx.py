"""Each ONNX operator in each variant, against hand-computed values and onnx's reference evaluator."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from onnx_models import FLOAT, helper, ints, mlp, model, node, onnx, tensor
from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.onnx import check
from polyregions.io.models.onnx.read import network_of_onnx
from polyregions.io.models.runtime.process import RuntimeFailed
from polyregions.networks.network import Network

RNG = np.random.default_rng(11)


def read(m: Any, check: bool = True) -> Network:
    return network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx", check=check)


def normal(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def agree(m: Any, *shape: int) -> Network:
    """Read a model; compare it with the reference evaluator, which must be able to run it."""
    net = read(m)
    evaluator = onnx.reference.ReferenceEvaluator(m)
    for _ in range(4):
        x = normal(*shape)
        y = np.ravel(evaluator.run(None, {"x": x})[0])
        np.testing.assert_allclose(net(x.ravel()), y, rtol=1e-4, atol=1e-4)
    return net


def test_a_small_network_by_hand() -> None:
    nodes = [
        node("MatMul", ["x", "W"], "a"),
        node("Add", ["a", "b"], "s"),
        node("Relu", ["s"], "r"),
        node("MatMul", ["r", "V"], "y"),
    ]
    m = model(nodes, [1, 2], {"W": [[1, 2], [3, 4]], "b": [0.5, -1], "V": [[1], [10]]})
    net = read(m)
    assert net.layers[0].weight.tolist() == [[1, 3], [2, 4]]
    assert net.layers[0].bias.tolist() == [0.5, -1]
    assert net.layers[1].weight.tolist() == [[1, 10]]
    assert net([1, 1]).tolist() == [4.5 + 50]


@pytest.mark.parametrize("opset", range(6, 29))
def test_every_opset_in_range(opset: int) -> None:
    assert repr(read(mlp(opset))) == "<Network m.onnx: 2-3-2, 3 neurons>"


@pytest.mark.parametrize("opset", [1, 5, 29, 2**40])
def test_other_opsets_are_refused(opset: int) -> None:
    with pytest.raises(
        UnsupportedError, match=rf"opset {opset}(, which is newer than .*)?, expected 6 to 28"
    ):
        read(mlp(opset))


# the shape of x and that of the constant, for x @ c; then that of the constant and of x, for c @ x
MATMUL_RIGHT = [
    ([1, 3], (3, 2)),
    ([3], (3, 2)),
    ([3], (3,)),
    ([1, 3], (3,)),
    ([1, 1, 1, 3], (3, 2)),
    ([4, 3], (3, 2)),
    ([2, 4, 3], (3, 2)),
    ([4, 3], (2, 3, 5)),
    ([2, 1, 3], (2, 3, 2)),
    ([3], (2, 3, 2)),
]
MATMUL_LEFT = [
    ((2, 3), [3]),
    ((2, 3), [3, 1]),
    ((3,), [3]),
    ((3,), [3, 4]),
    ((2, 3), [3, 4]),
    ((2, 3), [5, 3, 4]),
    ((5, 2, 3), [3]),
    ((5, 2, 3), [3, 1]),
]


@pytest.mark.parametrize(("shape", "constant"), MATMUL_RIGHT)
def test_matmul_with_the_constant_on_the_right(shape: list[int], constant: tuple[int, ...]) -> None:
    agree(model([node("MatMul", ["x", "c"], "y")], shape, {"c": normal(*constant)}), *shape)


@pytest.mark.parametrize(("constant", "shape"), MATMUL_LEFT)
def test_matmul_with_the_constant_on_the_left(constant: tuple[int, ...], shape: list[int]) -> None:
    agree(model([node("MatMul", ["c", "x"], "y")], shape, {"c": normal(*constant)}), *shape)


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("bias", [None, (), (1,), (2,), (1, 2)])
@pytest.mark.parametrize("factors", [{}, {"alpha": 0.5, "beta": 2.0}, {"alpha": 0.3, "beta": -0.7}])
def test_gemm(transposed: int, bias: tuple[int, ...] | None, factors: dict[str, float]) -> None:
    constants = {"W": normal(2, 3) if transposed else normal(3, 2)}
    if bias is not None:
        constants["c"] = normal(*bias)
    m = model([node("Gemm", ["x", *constants], "y", transB=transposed, **factors)], ["N", 3], constants)
    agree(m, 1, 3)


def test_gemm_factors_are_exact() -> None:
    w, c, alpha, beta = 0.1, 0.7, 0.3, 1 / 3
    m = model([node("Gemm", ["x", "W", "c"], "y", alpha=alpha, beta=beta)], [1, 1], {"W": [[w]], "c": [c]})
    layer = read(m).layers[0]
    stored = [Fraction(float(np.float32(v))) for v in (w, c, alpha, beta)]
    assert layer.exact is None
    assert Fraction(layer.weight[0, 0]) == stored[0] * stored[2]
    assert Fraction(layer.bias[0]) == stored[1] * stored[3]


def test_gemm_factors_with_float64_weights_are_exact_rationals() -> None:
    m = model([node("Gemm", ["x", "W"], "y", alpha=0.3)], [1, 1], {"W": np.array([[0.1]])}, element_type=11)
    layer = read(m).layers[0]
    assert layer.exact is not None
    found = Fraction(int(layer.exact.numerators[0, 0]), layer.exact.denominator)
    assert found == Fraction(0.1) * Fraction(float(np.float32(0.3)))


@pytest.mark.parametrize("trans_a", [0, 1])
def test_gemm_of_several_rows(trans_a: int) -> None:
    shape = [3, 4] if trans_a else [4, 3]
    m = model(
        [node("Gemm", ["x", "W", "c"], "y", transA=trans_a)], shape, {"W": normal(3, 2), "c": normal(4, 1)}
    )
    agree(m, *shape)


@pytest.mark.parametrize("op", ["Add", "Sub"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("shape", "constant"), [([1, 3], (3,)), ([3], ()), ([1, 1, 1, 3], (1, 3)), ([2, 3], (2, 1)),
                         ([1, 3], (4, 1)), ([3], (2, 3)), ([2, 1], (1, 3)), ([1, 2, 3], (1, 2, 3))])  # fmt: skip
def test_sums_and_differences(op: str, swapped: bool, shape: list[int], constant: tuple[int, ...]) -> None:
    inputs = ["c", "x"] if swapped else ["x", "c"]
    agree(model([node(op, inputs, "y")], shape, {"c": normal(*constant)}), *shape)


def test_broadcasting_before_opset_7_follows_its_axis() -> None:
    c = np.arange(3, dtype=np.float32)
    m = model([node("Sub", ["x", "c"], "y", broadcast=1, axis=1)], [1, 3, 2], {"c": c}, opset=6)
    assert read(m, check=False)(np.zeros(6)).tolist() == [0, 0, -1, -1, -2, -2]
    suffix = model([node("Add", ["x", "c"], "y", broadcast=1)], [1, 1, 2, 3], {"c": c}, opset=6)
    assert read(suffix, check=False)(np.zeros(6)).tolist() == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("attributes", [{}, {"broadcast": 1, "axis": 2}, {"broadcast": 1, "axis": -1}])
def test_broadcasting_before_opset_7_that_does_not_fit(attributes: dict[str, int]) -> None:
    m = model(
        [node("Add", ["x", "c"], "y", "sum", **attributes)], [1, 3, 2], {"c": np.ones(3, "f4")}, opset=6
    )
    with pytest.raises(FormatError, match=r"operator Add \(node 'sum'\)"):
        read(m)


def test_legacy_gemm_takes_an_image_of_one_row() -> None:
    m = model([node("Gemm", ["x", "W"], "y")], [1, 1, 1, 3], {"W": normal(3, 2)}, opset=6)
    assert read(m).n_outputs == 2
    with pytest.raises(FormatError, match="A has shape"):
        read(model([node("Gemm", ["x", "W"], "y")], [1, 1, 1, 3], {"W": normal(3, 2)}, opset=7))


REARRANGEMENTS = [
    ([2, 3, 4], node("Flatten", ["x"], "h"), None),
    ([2, 3, 4], node("Flatten", ["x"], "h", axis=0), None),
    ([2, 3, 4], node("Flatten", ["x"], "h", axis=-1), None),
    ([2, 3, 4], node("Reshape", ["x", "s"], "h"), ints(4, 6)),
    ([2, 3, 4], node("Reshape", ["x", "s"], "h"), ints(0, -1)),
    ([2, 3, 4], node("Reshape", ["x", "s"], "h"), ints(-1)),
    ([1], node("Reshape", ["x", "s"], "h"), ints()),
    ([2, 3, 4], node("Transpose", ["x"], "h"), None),
    ([2, 3, 4], node("Transpose", ["x"], "h", perm=[1, 0, 2]), None),
    ([1, 3, 1], node("Squeeze", ["x"], "h"), None),
    ([1, 3, 1], node("Squeeze", ["x", "s"], "h"), ints(-1)),
    ([2, 3], node("Unsqueeze", ["x", "s"], "h"), ints(0, -1)),
    ([2, 3], node("Identity", ["x"], "h"), None),
    ([2, 3], node("Dropout", ["x"], "h"), None),
]


@pytest.mark.parametrize(
    ("shape", "operator", "constant"), REARRANGEMENTS, ids=lambda p: getattr(p, "op_type", None)
)
def test_rearrangements(shape: list[int], operator: Any, constant: Any) -> None:
    constants = {"c": normal(1)} | ({} if constant is None else {"s": constant})
    agree(model([operator, node("Add", ["h", "c"], "y")], shape, constants), *shape)


def test_shape_may_come_from_a_constant_through_a_cast() -> None:
    value = onnx.numpy_helper.from_array(np.array([-1, 6], dtype=np.int32))
    nodes = [
        node("Constant", [], "short", value=value),
        node("Cast", ["short"], "long", to=7),
        node("Reshape", ["x", "long"], "h"),
        node("MatMul", ["h", "W"], "y"),
    ]
    agree(model(nodes, ["N", 2, 3], {"W": normal(6, 2)}), 1, 2, 3)


def test_constants_are_rearranged_and_computed_exactly() -> None:
    nodes = [
        node("Transpose", ["A"], "At"),
        node("MatMul", ["At", "B"], "C"),
        node("Add", ["c", "d"], "e"),
        node("MatMul", ["x", "C"], "h"),
        node("Sub", ["h", "e"], "y"),
    ]
    a, b, c, d = normal(2, 3), normal(2, 2), normal(2), np.float32(1e-20) * normal(2)
    layer = agree(model(nodes, [1, 3], {"A": a, "B": b, "c": c, "d": d}), 1, 3).layers[0]
    assert layer.exact is not None
    for i in range(2):
        row = [Fraction(int(n), layer.exact.denominator) for n in layer.exact.numerators[i]]
        weight = [
            sum(Fraction(float(a[k, j])) * Fraction(float(b[k, i])) for k in range(2)) for j in range(3)
        ]
        assert row == [*weight, -Fraction(float(c[i])) - Fraction(float(d[i]))]


CONVOLUTIONS = [
    ([1, 1, 4, 4], (2, 1, 4, 4), {}),
    ([1, 2, 4, 5], (3, 2, 2, 3), {}),
    ([1, 2, 5, 5], (2, 2, 3, 3), {"pads": [1, 0, 2, 1], "strides": [2, 1]}),
    ([1, 2, 7, 7], (2, 2, 3, 3), {"dilations": [2, 3]}),
    ([1, 4, 3, 3], (6, 2, 2, 2), {"group": 2}),
    ([1, 2, 5, 4], (2, 2, 3, 2), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ([1, 2, 5, 4], (2, 2, 2, 3), {"auto_pad": "SAME_LOWER"}),
    ([1, 2, 5, 4], (2, 2, 2, 3), {"auto_pad": "VALID"}),
    ([1, 2, 6], (3, 2, 3), {"pads": [1, 1]}),
    ([1, 1, 2, 2, 2], (2, 1, 2, 2, 2), {}),
]


@pytest.mark.parametrize(("shape", "kernels", "attributes"), CONVOLUTIONS)
def test_convolution(shape: list[int], kernels: tuple[int, ...], attributes: dict[str, Any]) -> None:
    constants = {"W": normal(*kernels), "b": normal(kernels[0])}
    nodes = [node("Conv", ["x", "W", "b"], "c", **attributes), node("Flatten", ["c"], "y")]
    torch = pytest.importorskip(
        "torch", reason="the extra torch is not installed, the referee of convolutions"
    )
    net = read(model(nodes, shape, constants))
    if "SAME" in attributes.get("auto_pad", ""):
        return  # the referee has no such option; compared with the reference evaluator in read()
    pads = attributes.get("pads", [0] * (2 * (len(shape) - 2)))
    half = len(pads) // 2
    padding = [p for i in reversed(range(half)) for p in (pads[i], pads[i + half])]
    x = normal(*shape)
    function = getattr(torch.nn.functional, f"conv{len(shape) - 2}d")
    y = function(
        torch.nn.functional.pad(torch.tensor(x), padding),
        torch.tensor(constants["W"]),
        torch.tensor(constants["b"]),
        stride=tuple(attributes.get("strides", [1] * half)),
        dilation=tuple(attributes.get("dilations", [1] * half)),
        groups=attributes.get("group", 1),
    )
    np.testing.assert_allclose(net(x.ravel()), y.numpy().ravel(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("pads", "size"), [([10**9] * 4, 4), ([0] * 4, 5000)])
def test_a_large_convolution_is_refused_before_it_is_written_out(pads: list[int], size: int) -> None:
    m = model(
        [node("Conv", ["x", "W"], "y", "big", pads=pads)], [1, 1, size, size - 1], {"W": normal(1, 1, 2, 2)}
    )
    with pytest.raises((UnsupportedError), match="entries|numbers"):
        read(m)


def test_relu_on_the_input_on_the_output_and_twice() -> None:
    first = read(
        model([node("Relu", ["x"], "h"), node("MatMul", ["h", "W"], "y")], [1, 2], {"W": [[1], [2]]})
    )
    assert first.widths == (2,)
    assert first([-1, 3]).tolist() == [6]
    last = read(model([node("MatMul", ["x", "W"], "h"), node("Relu", ["h"], "y")], [1, 2], {"W": [[1], [2]]}))
    assert last.widths == (1,)
    assert last([-5, 1]).tolist() == [0]
    twice = [node("Relu", ["x"], "h"), node("Relu", ["h"], "r"), node("Flatten", ["r"], "y")]
    assert len(read(model(twice, [1, 2])).layers) == 1


@pytest.mark.parametrize("shape", [[1, 3], ["N", 3], [3]])
def test_batch_size_may_be_one_open_or_missing(shape: list[Any]) -> None:
    assert read(model([node("MatMul", ["x", "W"], "y")], shape, {"W": normal(3, 2)})).n_inputs == 3


@pytest.mark.parametrize("shape", [["N"], [1, "W"], ["N", "M"], None])
def test_other_open_sizes_are_refused(shape: Any) -> None:
    with pytest.raises(UnsupportedError, match="input 'x' has"):
        read(model([node("Relu", ["x"], "y")], shape))


def test_initializers_may_be_inputs_too_and_nodes_in_any_order() -> None:
    nodes = [node("Relu", ["h"], "y"), node("MatMul", ["x", "W"], "h")]
    assert read(model(nodes, [1, 3], {"W": normal(3, 2)}, as_inputs=True)).widths == (2,)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("raw", [True, False])
def test_every_float_type_is_lifted_exactly(dtype: str, raw: bool) -> None:
    w = RNG.standard_normal((3, 2)).astype(dtype)
    kind = {"f2": 10, "f4": 1, "f8": 11}[dtype]
    t = tensor("W", w) if raw else helper.make_tensor("W", kind, w.shape, w.ravel())
    assert bool(t.raw_data) == raw
    m = model([node("MatMul", ["x", "W"], "y")], [1, 3], {"W": w}, element_type=kind)
    m.graph.initializer[0].CopyFrom(t)
    assert np.array_equal(read(m).layers[0].weight, w.T.astype(np.float64))


@pytest.mark.parametrize(("attribute", "value"), [("value_float", 1.5), ("value_floats", [1.5, 1.5])])
def test_constants_as_attributes(attribute: str, value: Any) -> None:
    nodes = [node("Constant", [], "c", **{attribute: value}), node("Add", ["x", "c"], "y")]
    assert read(model(nodes, [1, 2]))([0, 1]).tolist() == [1.5, 2.5]


def test_dropout_in_training_is_refused() -> None:
    nodes = [node("Dropout", ["x", "", "t"], "y", "drop")]
    assert read(model(nodes, [1, 2], {"t": np.array(False)})).n_outputs == 2
    with pytest.raises(UnsupportedError, match=r"Dropout \(node 'drop'\): is in training mode"):
        read(model(nodes, [1, 2], {"t": np.array(True)}))
    old = model([node("Dropout", ["x"], "y", is_test=1)], [1, 2], opset=6)
    assert read(old).n_outputs == 2
    with pytest.raises(UnsupportedError, match="is_test = 0"):
        read(model([node("Dropout", ["x"], "y")], [1, 2], opset=6))


UNSUPPORTED = [
    "Tanh",
    "Erf",
    "Softplus",
    "Loop",
    "If",
    "Exp",
    "Sin",
    "Sign",
    "HardSwish",
    "LayerNormalization",
]


@pytest.mark.parametrize("op", UNSUPPORTED)
@pytest.mark.parametrize("name", ["here", ""])
def test_other_operators_are_refused_by_name(op: str, name: str) -> None:
    nodes = [node("Relu", ["x"], "h"), node(op, ["h"], "y", name)]
    place = f"node '{name}'" if name else "node 1 -> 'y'"
    with pytest.raises(UnsupportedError, match=rf"^m.onnx: operator {op} \({place}\) is not supported"):
        read(model(nodes, [1, 2]))


def test_custom_domains_functions_and_unknown_attributes_are_refused() -> None:
    custom = node("Relu", ["x"], "y", domain="com.example")
    with pytest.raises(UnsupportedError, match="operator com.example:Relu"):
        read(model([custom], [1, 2]))
    with pytest.raises(UnsupportedError, match="attribute 'quick'"):
        read(model([node("Relu", ["x"], "y", quick=1)], [1, 2]))


BRANCHING = [
    [node("Relu", ["x"], "a"), node("Add", ["x", "a"], "y", "join")],
    [node("Add", ["x", "x"], "y", "join")],
    [node("Relu", ["x"], "a"), node("Identity", ["x"], "b"), node("Add", ["a", "b"], "y", "join")],
    [node("Relu", ["x"], "a"), node("Relu", ["a"], "b"), node("Sub", ["b", "x"], "y", "join")],
]


@pytest.mark.parametrize("nodes", BRANCHING)
def test_branches_are_joined(nodes: Any) -> None:
    agree(model(nodes, [1, 2]), 1, 2)


@pytest.mark.parametrize("op", ["Sigmoid", "Softmax", "LogSoftmax", "ArgMax"])
def test_monotone_operators_in_the_middle_are_refused(op: str) -> None:
    nodes = [node("Relu", ["x"], "h"), node(op, ["h"], "s", "mid"), node("Relu", ["s"], "y")]
    with pytest.raises(
        UnsupportedError, match=rf"operator {op} \(node 'mid'\) is not supported: only as the last"
    ):
        read(model(nodes, [1, 2]))


@pytest.mark.parametrize("op", ["Mul", "MatMul", "Gemm"])
def test_products_of_two_variable_tensors_are_refused(op: str) -> None:
    nodes = [node("Relu", ["x"], "h"), node(op, ["h", "x"], "y", "two")]
    with pytest.raises(UnsupportedError, match=rf"operator {op} \(node 'two'\): .*bilinear"):
        read(model(nodes, [2, 2]))


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("Sigmoid", {}),
        ("Softmax", {"axis": 1}),
        ("Softmax", {"axis": -1}),
        ("LogSoftmax", {"axis": 1}),
        ("ArgMax", {"axis": 1}),
        ("ArgMax", {"axis": 1, "keepdims": 0}),
    ],
)
def test_a_final_monotone_operator_is_taken_off_with_a_notice(op: str, attributes: dict[str, Any]) -> None:
    m = mlp()
    m.graph.node[-1].output[0] = "logits"
    m.graph.node.append(node(op, ["logits"], "s", "last", **attributes))
    m.graph.node.append(node("Identity", ["s"], "y"))
    net, plain = read(m), read(mlp())
    assert np.array_equal(net([1.0, 2.0]), plain([1.0, 2.0]))
    (notice,) = net.notices
    assert f"operator {op} (node 'last'): taken off" in notice
    assert plain.notices == ()


@pytest.mark.parametrize(
    ("op", "attributes", "shape"),
    [
        ("Softmax", {"axis": 1}, [2, 3]),
        ("ArgMax", {"axis": 0}, [2, 3]),
        ("ArgMax", {"axis": 1, "select_last_index": 1}, [1, 3]),
    ],
)
def test_a_final_softmax_over_a_part_of_the_outputs_is_refused(
    op: str, attributes: dict[str, Any], shape: list[int]
) -> None:
    nodes = [node("Relu", ["x"], "h"), node(op, ["h"], "y", "last", **attributes)]
    with pytest.raises(UnsupportedError, match=rf"operator {op} \(node 'last'\): "):
        read(model(nodes, shape))


def test_a_sigmoid_of_the_input_alone_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="operator Sigmoid"):
        read(model([node("Sigmoid", ["x"], "y")], [1, 2]))


def test_what_the_output_does_not_need_is_not_read() -> None:
    nodes = [node("Relu", ["x"], "y"), node("Sigmoid", ["y"], "unused")]
    assert read(model(nodes, [1, 2])).n_outputs == 2


def test_consecutive_affine_operators_are_folded_exactly() -> None:
    """Ill-scaled on purpose: folding in float64 would be wrong in most entries."""
    a, b = normal(3, 4) * np.float32(1e6), normal(4, 2)
    c, d = normal(4) * np.float32(1e-6), normal(2) * np.float32(1e12)
    nodes = [
        node("Sub", ["x", "m"], "x0"),
        node("MatMul", ["x0", "A"], "h"),
        node("Add", ["h", "c"], "h1"),
        node("Gemm", ["h1", "B", "d"], "y"),
    ]
    m = normal(3)
    layer = read(model(nodes, [1, 3], {"m": m, "A": a, "B": b, "c": c, "d": d})).layers[0]
    A, B = ([[Fraction(float(v)) for v in row] for row in w] for w in (a, b))
    weight = [[sum(A[j][k] * B[k][i] for k in range(4)) for j in range(3)] for i in range(2)]
    shift = [Fraction(float(c[k])) - sum(Fraction(float(m[j])) * A[j][k] for j in range(3)) for k in range(4)]
    bias = [Fraction(float(d[i])) + sum(shift[k] * B[k][i] for k in range(4)) for i in range(2)]
    assert layer.exact is not None
    found = [[Fraction(int(n), layer.exact.denominator) for n in row] for row in layer.exact.numerators]
    assert found == [[*w, e] for w, e in zip(weight, bias, strict=True)]


def test_a_difference_from_the_source_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    m = mlp()
    original = check.run_model
    monkeypatch.setattr(check, "run_model", lambda *a: original(*a) + 1e-3)
    with pytest.raises(FormatError, match=r"m.onnx: the imported network differs from its source"):
        read(m)
    assert read(m, check=False).n_outputs == 2


def test_a_source_that_cannot_run_is_no_error_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeFailed("has gone")

    monkeypatch.setattr(check, "run_model", fail)
    network = read(mlp())
    assert network.n_outputs == 2
    assert "not compared with its source, which cannot run (has gone" in network.notices[0]


def test_outputs_of_secondary_kind_are_refused() -> None:
    drop = helper.make_node("Dropout", ["x"], ["h", "mask"])
    with pytest.raises(UnsupportedError, match="'mask', a second output"):
        read(model([drop, node("Add", ["h", "mask"], "y")], [1, 2]))


def test_several_inputs_and_outputs_follow_each_other() -> None:
    nodes = [node("Relu", ["z"], "r"), node("Add", ["x", "r"], "y"), node("Neg", ["r"], "w")]
    m = model(nodes, [1, 2])
    m.graph.input.append(helper.make_tensor_value_info("z", FLOAT, [1, 2]))
    m.graph.output.append(helper.make_tensor_value_info("w", FLOAT, [1, 2]))
    net = read(m)
    assert (net.n_inputs, net.n_outputs) == (4, 4)
    assert net([1.0, 2.0, -3.0, 4.0]).tolist() == [1.0, 6.0, 0.0, -4.0]


def test_neurons_of_branches_are_in_the_order_of_the_file() -> None:
    """The output names the second branch first; a file that is not sorted has the order of execution."""
    first = [node("Gemm", ["x", "A"], "a"), node("Relu", ["a"], "r")]
    second = [node("Gemm", ["x", "B"], "b"), node("Relu", ["b"], "s")]
    given = {"A": [[1.0], [2.0]], "B": [[3.0], [4.0]]}
    for nodes, rows in (
        ([*first, *second, node("Sub", ["s", "r"], "y")], [[1, 2], [3, 4]]),
        ([*second, *first, node("Sub", ["s", "r"], "y")], [[3, 4], [1, 2]]),
        ([node("Sub", ["s", "r"], "y"), *first, *second], [[3, 4], [1, 2]]),
    ):
        assert read(model(nodes, [1, 2], given)).layers[0].weight.tolist() == rows


def test_an_output_that_does_not_depend_on_the_input() -> None:
    m = model([node("Constant", [], "y", value=tensor("", [[1, 2], [3, 4]]))], [1, 3])
    assert read(m)([5.0, 6.0, 7.0]).tolist() == [1.0, 2.0, 3.0, 4.0]
