"""ONNX files made to break a reader: each is refused by one kind of error, before anything is allocated."""

from __future__ import annotations

import itertools
import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from onnx_models import helper, ints, mlp, model, node, onnx
from polyregions import Box, count_regions
from polyregions.errors import FormatError, NetworkError, UnsupportedError
from polyregions.io.models.onnx.read import network_of_onnx

HUGE = 10**12


def refuse(m: Any, match: str, kind: type[FormatError] = FormatError) -> None:
    """Check that a model is refused with the file's name, and without allocating much."""
    data = m if isinstance(m, bytes) else m.SerializeToString()
    tracemalloc.start()
    try:
        with pytest.raises(kind, match=match) as caught:
            network_of_onnx(data, "bad.onnx", "bad.onnx")
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith("bad.onnx")


def matmul_with(initializer: Any) -> Any:
    """A model whose only weight is the given TensorProto, named W."""
    m = model([node("MatMul", ["x", "W"], "y")], [1, 2])
    m.graph.initializer.append(initializer)
    return m


def raw_tensor(dims: list[int], n_bytes: int, data_type: int = 1, name: str = "W") -> Any:
    return onnx.TensorProto(name=name, dims=dims, data_type=data_type, raw_data=b"\0" * n_bytes)


def test_truncated_anywhere() -> None:
    data = mlp().SerializeToString()
    for length in range(len(data)):
        with pytest.raises(FormatError):
            network_of_onnx(data[:length], "bad.onnx", "bad.onnx")


@pytest.mark.parametrize(
    "data", [b"", b"hello, this is no protobuf", b"\x80" * 100, b"PK\x03\x04", b"\0" * 50]
)
def test_other_bytes(data: bytes) -> None:
    refuse(data, "not an ONNX model|holds no graph")


@pytest.mark.parametrize("dims", [[2, 3], [HUGE, HUGE], [2**62, 2**62], [2], [0], [0, HUGE], [1, 2, 0]])
def test_declared_shape_and_bytes_differ(dims: list[int]) -> None:
    refuse(matmul_with(raw_tensor(dims, 4)), "tensor 'W'.* bytes, but 4 are there|holds no values")


@pytest.mark.parametrize("dims", [[-1, 2], [2, -(2**60)], [1] * 100])
def test_impossible_shapes(dims: list[int]) -> None:
    refuse(matmul_with(raw_tensor(dims, 8)), r"has shape .* expected at most 32 sizes >= 0")


def test_declared_shape_and_typed_values_differ() -> None:
    refuse(
        matmul_with(onnx.TensorProto(name="W", dims=[HUGE], data_type=1, float_data=[1.0])), "1 in float_data"
    )
    refuse(matmul_with(onnx.TensorProto(name="W", dims=[2, 1], data_type=1)), "there are: none")
    refuse(
        matmul_with(onnx.TensorProto(name="W", dims=[2], data_type=1, double_data=[1, 2])), "in double_data"
    )
    both = onnx.TensorProto(name="W", dims=[2], data_type=1, float_data=[1, 2], raw_data=b"\0" * 8)
    refuse(matmul_with(both), "takes 8 bytes")
    half = onnx.TensorProto(name="W", dims=[1], data_type=10, int32_data=[70_000])
    refuse(matmul_with(half), "outside the range of float16")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(value: float) -> None:
    m = model([node("MatMul", ["x", "W"], "y")], [1, 2], {"W": [[1.0], [value]]})
    refuse(m, rf"tensor 'W'\[1, 0\] is {value}, expected a finite number")
    refuse(
        model([node("Gemm", ["x", "W"], "y", alpha=value)], [1, 2], {"W": [[1], [1]]}), "attribute 'alpha'"
    )


@pytest.mark.parametrize(
    ("data_type", "name"), [(16, "bfloat16"), (8, "string"), (22, "int4"), (0, "undefined")]
)
def test_other_element_types(data_type: int, name: str) -> None:
    refuse(matmul_with(raw_tensor([2], 4, data_type)), f"is of {name}, expected one of", UnsupportedError)
    refuse(
        model([node("Relu", ["x"], "y")], [1, 2], element_type=data_type), f"is of {name}", UnsupportedError
    )


def test_segments_and_sparse_weights() -> None:
    part = raw_tensor([2], 8)
    part.segment.begin = 0
    refuse(matmul_with(part), "segments", UnsupportedError)
    m = mlp()
    m.graph.sparse_initializer.append(onnx.SparseTensorProto())
    refuse(m, "sparse", UnsupportedError)


@pytest.mark.parametrize("shape", [[0], [-1], [-2, 2], [1, 0], [1, -1]])
def test_input_sizes_below_one(shape: list[int]) -> None:
    refuse(model([node("Relu", ["x"], "y")], shape), "expected at least 1")


@pytest.mark.parametrize("shape", [[HUGE], [2**31, 2**31], [1] * 100])
def test_large_inputs(shape: list[int]) -> None:
    refuse(model([node("Relu", ["x"], "y")], shape), "input 'x' has", UnsupportedError)


def test_relu_of_a_large_input() -> None:
    refuse(model([node("Relu", ["x"], "y")], [1, 10**6]), "expected at most 262144 numbers", UnsupportedError)


def test_a_layer_too_large_for_a_matrix_is_kept_by_its_entries() -> None:
    """Nothing of the size of its matrix (80 gigabytes) is allocated; what needs the matrix is refused."""
    data = model([node("Relu", ["x"], "y")], [1, 10**5]).SerializeToString()
    tracemalloc.start()
    try:
        net = network_of_onnx(data, "m.onnx", "m.onnx", check=False)
        assert net.is_tame and net.n_neurons == 10**5
        assert np.array_equal(net(np.tile([-1.0, 2.0], 50_000)), np.tile([0.0, 2.0], 50_000))
        with pytest.raises(NetworkError, match="100000 x 100000 entries is too large"):
            count_regions(net, Box(np.zeros(10**5), np.ones(10**5)))
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()


EXPANDING = [
    ([node("Add", ["x", "c"], "y")], [10**4, 1], {"c": np.zeros((1, 10**4), dtype=np.float32)}),
    ([node("MatMul", ["x", "c"], "y")], [10**4, 1], {"c": np.zeros((1, 10**4), dtype=np.float32)}),
    ([node("Gemm", ["x", "c", "d"], "y")], [10**4, 1], {"c": np.zeros((1, 10**4), "f4"), "d": [0.0]}),
    ([node("Conv", ["x", "c"], "y", pads=[2**62] * 4)], [1, 1, 2, 2], {"c": np.zeros((1, 1, 1, 1), "f4")}),
]


BOMBS = [
    [node("ConstantOfShape", ["huge"], "c"), node("Add", ["x", "c"], "y")],
    [node("Expand", ["x", "huge"], "y")],
    [node("Tile", ["x", "huge"], "y")],
    [node("Pad", ["x", "pads"], "y")],
    [node("Upsample", ["x", "scales"], "y")],
    [node("Gather", ["x", "zeros"], "h"), node("Tile", ["h", "many"], "y")],
]


@pytest.mark.parametrize("nodes", BOMBS, ids=lambda nodes: nodes[-1].op_type)
def test_operators_that_ask_for_much(nodes: Any) -> None:
    given = {
        "huge": ints(2**40, 2**20),
        "many": ints(2**13, 2**13),
        "pads": ints(0, 0, 2**40, 0),
        "scales": np.array([1e12, 1.0], dtype=np.float32),
        "zeros": ints(*([0] * 1000)),
    }
    opset = 9 if nodes[-1].op_type == "Upsample" else 13
    refuse(model(nodes, [1, 2], given, opset=opset), f"operator ({nodes[0].op_type}|{nodes[-1].op_type}) ")


def test_doubling_again_and_again() -> None:
    names = ["x", *(f"t{i}" for i in range(60)), "y"]
    nodes = [node("Concat", [a, a], b, axis=1) for a, b in zip(names, names[1:], strict=False)]
    with pytest.raises(UnsupportedError, match="operator Concat .* result of shape"):
        network_of_onnx(model(nodes, [1, 2]).SerializeToString(), "bad.onnx", "bad.onnx")


def test_many_large_steps_have_a_limit_together() -> None:
    names = ["x", *(f"t{i}" for i in range(200)), "y"]
    turned = [node("Transpose", [a], b) for a, b in zip(names[1:], names[2:], strict=False)]
    nodes = [node("Tile", ["x", "n"], "t0"), *turned]
    with pytest.raises(UnsupportedError, match="has more than 67108864 numbers"):
        network_of_onnx(
            model(nodes, [2, 2], {"n": ints(500, 500)}).SerializeToString(), "bad.onnx", "bad.onnx"
        )


def test_a_graph_that_needs_exponentially_many_paths() -> None:
    """x + x again and again: each step is one node, however many paths lead to it."""
    names = ["x", *(f"t{i}" for i in range(300)), "y"]
    nodes = [node("Add", [a, a], b) for a, b in zip(names, names[1:], strict=False)]
    net = network_of_onnx(model(nodes, [1]).SerializeToString(), "m.onnx", "m.onnx", check=False)
    assert net([1.0]).tolist() == [2.0**301]


@pytest.mark.parametrize(("nodes", "shape", "constants"), EXPANDING)
def test_small_files_with_large_results(nodes: Any, shape: list[int], constants: dict[str, Any]) -> None:
    refuse(model(nodes, shape, constants), "entries", UnsupportedError)


def test_what_is_not_needed_is_not_run_by_the_comparison() -> None:
    bomb = [
        node("ConstantOfShape", ["s"], "b", value=helper.make_tensor("v", 1, [1], [0.0])),
        node("Relu", ["x"], "y"),
    ]
    m = model(bomb, [1, 2], {"s": ints(10**6, 10**6)})
    assert network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx").n_outputs == 2


def test_duplicate_names() -> None:
    twice = mlp()
    twice.graph.initializer.append(twice.graph.initializer[0])
    refuse(twice, "initializers, two have the name 'W1'")
    inputs = mlp()
    inputs.graph.input.append(inputs.graph.input[0])
    refuse(inputs, "inputs, two have the name 'x'")
    for name in ("h", "x", "W"):
        nodes = [node("Relu", ["x"], "h"), node("Relu", ["h"], name, "again"), node("Relu", ["h"], "y")]
        refuse(
            model(nodes, [1, 2], {"W": [1.0]}), rf"Relu \(node 'again'\) makes tensor '{name}', which exists"
        )
    nameless = mlp()
    nameless.graph.initializer[0].name = ""
    refuse(nameless, "one has the name ''")


@pytest.mark.parametrize("word", [b"W1", b"first", b"Relu", b"transB", b"kink", b"test"])
def test_text_that_is_not_utf8(word: bytes) -> None:
    data = mlp().SerializeToString()
    assert word in data
    refuse(data.replace(word, b"\xff" * len(word)), "expected UTF-8 text")


def test_cycles_and_undefined_tensors() -> None:
    loop = [node("Add", ["x", "b"], "a", "one"), node("Relu", ["a"], "b", "two"), node("Relu", ["b"], "y")]
    refuse(model(loop, [1, 2]), "cycle")
    refuse(model([node("Relu", ["y"], "y")], [1, 2]), "cycle")
    refuse(model([node("Relu", ["nowhere"], "y")], [1, 2]), "'nowhere' is used, but nothing defines it")
    refuse(model([node("Relu", ["x"], "z")], [1, 2]), "'y' is used, but nothing defines it")


def test_a_long_chain_needs_no_recursion() -> None:
    names = ["x", *(f"t{i}" for i in range(5000)), "y"]
    nodes = [node("Identity", [a], b) for a, b in zip(names, names[1:], strict=False)]
    m = model([*reversed(nodes)], [1, 2])
    assert network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx", check=False).n_outputs == 2


def test_subgraphs_nested_deeply() -> None:
    graph = helper.make_graph([node("Identity", ["x"], "z")], "inner", [], [])
    for _ in range(20):
        branch = node("If", ["x"], "z", then_branch=graph)
        graph = helper.make_graph([branch], "outer", [], [])
    refuse(model([node("If", ["x"], "y", then_branch=graph)], [1, 2]), "operator If", UnsupportedError)


def test_nodes_without_outputs_or_inputs() -> None:
    m = mlp()
    m.graph.node.append(onnx.NodeProto(op_type="Relu"))
    refuse(m, "has no output")
    refuse(model([node("Gemm", ["x"], "y", "g")], [1, 2]), r"Gemm \(node 'g'\): B \(input 1\) is missing")
    refuse(model([node("Relu", ["x", "x"], "y")], [1, 2]), "joins branches|2 inputs")
    refuse(model([node("MatMul", ["x", "W"], "y")], [1, 2], {"W": ints(1, 2)}), "expected real numbers")


WRONG_SHAPES = [
    (node("MatMul", ["x", "c"], "y"), (3, 2)),
    (node("Gemm", ["x", "c"], "y"), (2, 3)),
    (node("Add", ["x", "c"], "y"), (3,)),
    (node("Flatten", ["x"], "y", axis=5), ()),
    (node("Transpose", ["x"], "y", perm=[0, 0]), ()),
    (node("Transpose", ["x"], "y", perm=[0, 2**40]), ()),
    (node("Conv", ["x", "c"], "y"), (1, 1, 2, 2)),
    (node("Gemm", ["x", "c", "d"], "y"), (4, 3)),
]


@pytest.mark.parametrize(("operator", "shape"), WRONG_SHAPES, ids=lambda p: getattr(p, "op_type", None))
def test_shapes_that_do_not_fit(operator: Any, shape: tuple[int, ...]) -> None:
    constants = {"c": np.ones(shape, dtype=np.float32), "d": np.ones(7, dtype=np.float32)}
    refuse(model([operator], [1, 4], constants), rf"operator {operator.op_type} \(node 0 -> 'y'\)")


@pytest.mark.parametrize("sizes", [(3, -1), (-1, -1), (0, 0, 0), (2**40, 2**40), (-2, -2), (5,), (-7,)])
def test_reshapes_that_do_not_fit(sizes: tuple[int, ...]) -> None:
    refuse(model([node("Reshape", ["x", "s"], "y")], [1, 4], {"s": ints(*sizes)}), "operator Reshape")


CONVOLUTIONS = [
    {"strides": [0, 1]},
    {"strides": [1]},
    {"dilations": [-1, 1]},
    {"pads": [0, 0, 0]},
    {"pads": [-1, 0, 0, 0]},
    {"kernel_shape": [3, 3]},
    {"group": 0},
    {"group": 3},
    {"auto_pad": "ELSE"},
    {"auto_pad": "SAME_UPPER", "pads": [1, 1, 1, 1]},
    {"dilations": [9, 9]},
    {"group": 1.5},
    {"strides": [2.0, 1.0]},
]


@pytest.mark.parametrize("attributes", CONVOLUTIONS)
def test_convolutions_with_impossible_attributes(attributes: dict[str, Any]) -> None:
    m = model([node("Conv", ["x", "W"], "y", **attributes)], [1, 2, 4, 4], {"W": np.ones((2, 2, 2, 2), "f4")})
    refuse(m, "operator Conv")


def test_an_attribute_given_twice() -> None:
    m = model([node("Flatten", ["x"], "y", axis=1)], [1, 2])
    m.graph.node[0].attribute.append(m.graph.node[0].attribute[0])
    refuse(m, "attribute 'axis' is given twice")


def test_exact_folding_of_large_matrices_is_bounded() -> None:
    wide = np.ones((2048, 2048), dtype=np.float32)
    wide[0, 0] += np.float32(2**-23)  # so that products are rounded
    m = model([node("MatMul", ["x", "A"], "h"), node("MatMul", ["h", "A"], "y")], [1, 2048], {"A": wide})
    net = network_of_onnx(m.SerializeToString(), "wide.onnx", "wide.onnx", check=False)
    assert [layer.weight.shape for layer in net.layers] == [(2048, 2048)] * 2
    assert net.n_neurons == 0 and np.array_equal(net.layers[0].weight, wide.T)


def test_rationals_of_a_long_chain_stay_short_and_the_function_is_exact() -> None:
    """1,500 factors of 24 bits: one map would have coefficients of 36,000 bits."""
    factors = np.array([1.1, 0.9], dtype=np.float32)
    names = ["x", *(f"t{i}" for i in range(1499)), "y"]
    nodes = [node("Mul", [a, "c"], b) for a, b in itertools.pairwise(names)]
    m = model(nodes, [1, 2], {"c": factors})
    network = network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx")
    assert network.n_neurons == 0
    assert 2 <= len(network.layers) <= 8
    diagonal = [Fraction(1), Fraction(1)]
    for layer in network.layers:
        exact = layer.exact
        assert exact is not None
        assert exact.numerators[0, 1] == exact.numerators[1, 0] == 0
        assert max(int(n).bit_length() for n in exact.numerators.flat) < 20_000
        diagonal = [
            d * Fraction(int(exact.numerators[i, i]), exact.denominator) for i, d in enumerate(diagonal)
        ]
    assert diagonal == [Fraction(float(f)) ** 1500 for f in factors]


def test_more_nodes_than_any_network_has() -> None:
    m = model([node("Identity", ["x"], "y")], [1, 2])
    m.graph.node.extend([m.graph.node[0]] * 2**16)
    refuse(m, "has 65537 nodes, expected at most 65536", UnsupportedError)


def test_a_large_convolution_is_compared_at_few_points() -> None:
    """What its 2.6 million products at eight points would take is more memory than the network itself."""
    kernel = np.ones((1, 1, 3, 3), dtype=np.float32)
    m = model([node("Conv", ["x", "w"], "y", pads=[1, 1, 1, 1])], [1, 1, 512, 512], {"w": kernel})
    tracemalloc.start()
    try:
        network_of_onnx(m.SerializeToString(), "m.onnx", "m.onnx")
        assert tracemalloc.get_traced_memory()[1] < 5e8
    finally:
        tracemalloc.stop()
