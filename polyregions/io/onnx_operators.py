"""The supported ONNX operators, and the walk that turns a graph into a chain."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import UnsupportedError
from polyregions.io.chain import Chain
from polyregions.io.files import shortened
from polyregions.io.onnx_call import FLOW, Call, Flow, floats_if_exact, rationals
from polyregions.io.onnx_conv import conv
from polyregions.io.onnx_graph import STANDARD_DOMAINS, Graph, Node, constant_array
from polyregions.io.onnx_linear import (
    add,
    broadcast_shape,
    gemm,
    matmul,
    product_shape,
    sub,
)
from polyregions.io.onnx_rearrange import dropout, flatten, identity, reshape, squeeze, transpose, unsqueeze
from polyregions.io.onnx_tensors import KINDS, REAL_KINDS, type_name

MAX_CONSTANT_WORK: Final = 2**20
"""Most exact multiplications in a product of two constants."""


def relu(call: Call, flow: Flow) -> None:
    """Relu of the data."""
    call.only(1)
    flow.chain.relu()


REARRANGING: Final[dict[str, Callable[[Call, Any], Any]]] = {
    "Dropout": dropout,
    "Flatten": flatten,
    "Identity": identity,
    "Reshape": reshape,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}

COMPUTING: Final[dict[str, Callable[[Call, Flow], None]]] = {
    "Add": add,
    "Conv": conv,
    "Gemm": gemm,
    "MatMul": matmul,
    "Relu": relu,
    "Sub": sub,
}

ATTRIBUTES: Final = {
    "Add": {"axis", "broadcast"},
    "Cast": {"to", "saturate"},
    "Constant": {"value", "value_float", "value_floats", "value_int", "value_ints"},
    "Conv": {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"},
    "Dropout": {"is_test", "ratio", "seed"},
    "Flatten": {"axis"},
    "Gemm": {"alpha", "beta", "broadcast", "transA", "transB"},
    "Identity": set[str](),
    "MatMul": set[str](),
    "Relu": set[str](),
    "Reshape": {"allowzero"},
    "Squeeze": {"axes"},
    "Sub": {"axis", "broadcast"},
    "Transpose": {"perm"},
    "Unsqueeze": {"axes"},
}
"""The supported operators with the attributes that are understood; any other attribute is refused."""


def chain_of_graph(graph: Graph) -> Chain:
    """The chain of affine maps and ReLUs that a graph computes.

    Raises:
        UnsupportedError: an operator or a use of it outside chains, named with its node.
        FormatError: operands that do not fit, named with the node.
    """
    for node in graph.nodes:  # before anything is computed
        _check_operator(node)
    flow, constants = Flow(graph.where, graph.input, graph.shape), _Constants(graph)
    passed: set[str] = set()
    for node in graph.nodes:
        call = _call(node, graph, flow, constants, passed)
        if call.flow_position() is None:
            constants.values[node.output] = _constant_result(call)
        else:
            passed.add(flow.name)
            _advance(call, flow)
    if flow.name != graph.output:
        raise UnsupportedError(f"{graph.where}: output {graph.output!r} does not depend on the input")
    return flow.chain


class _Constants:
    """Tensors that do not depend on the input, decoded when first asked for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self.values:
            self.values[name] = constant_array(self._graph, name)
        return self.values[name]

    def __contains__(self, name: str) -> bool:
        return name in self.values or name in self._graph.constants


def _check_operator(node: Node) -> None:
    if node.op not in ATTRIBUTES or node.proto.domain not in STANDARD_DOMAINS:
        listed = ", ".join(sorted(ATTRIBUTES))
        raise UnsupportedError(f"{node.where} is not supported, expected a chain of {listed}")
    unknown = {attribute.name for attribute in node.proto.attribute} - ATTRIBUTES[node.op]
    if unknown:
        name = shortened(min(unknown))
        raise UnsupportedError(f"{node.where} has the attribute {name!r}, which is not supported")


def _call(node: Node, graph: Graph, flow: Flow, constants: _Constants, passed: set[str]) -> Call:
    operands: list[Any] = []
    for name in node.inputs:
        if name in passed:
            raise UnsupportedError(
                f"{node.where} takes tensor {shortened(name)!r}, which another operator has taken too: "
                "the graph branches, expected a chain"
            )
        if name and name != flow.name and name not in constants:
            raise UnsupportedError(f"{node.where} takes {shortened(name)!r}, a second output")
        operands.append(None if not name else FLOW if name == flow.name else constants[name])
    return Call(node, graph.opset, operands, node.attributes())


def _advance(call: Call, flow: Flow) -> None:
    """Let an operator act on the data."""
    op = call.node.op
    if op in COMPUTING:
        COMPUTING[op](call, flow)
    elif op in REARRANGING and call.operand(0) is FLOW:
        flow.rearrange(lambda array: REARRANGING[op](call, array))
    else:
        raise call.unsupported("acts on the data, expected a constant")
    flow.name = call.node.output


def _constant_result(call: Call) -> Any:
    """The result of an operator on constants alone, exactly."""
    op = call.node.op
    if op in REARRANGING and isinstance(call.operand(0), np.ndarray):
        return REARRANGING[op](call, call.operand(0))
    match op:
        case "Constant":
            return _constant(call)
        case "Cast":
            return _cast(call)
        case "Add" | "Sub" | "MatMul":
            return _exact_result(call)
    raise call.unsupported("acts on constants only, expected the data")


def _constant(call: Call) -> Any:
    if len(call.attributes) != 1 or call.operands:
        raise call.wrong(f"{len(call.attributes)} values and {len(call.operands)} inputs, expected one value")
    ((name, value),) = call.attributes.items()
    kind = np.float64 if name.startswith("value_float") else np.int64
    return value if name == "value" else np.array(value, dtype=kind)


def _cast(call: Call) -> Any:
    call.only(1)
    array, target = call.operand(0), call.attribute("to", 0)
    if target not in KINDS or not isinstance(array, np.ndarray) or array.dtype == object:
        raise call.unsupported(f"to {type_name(target)}")
    with np.errstate(over="ignore", invalid="ignore"):
        cast = array.astype(KINDS[target].dtype)
    if not np.array_equal(cast, array):
        raise call.unsupported(f"to {type_name(target)} changes the values of a constant")
    if target in REAL_KINDS:
        return cast.astype(np.float64)
    return cast if cast.dtype.kind == "b" else cast.astype(np.int64)


def _exact_result(call: Call) -> Any:
    """Sum, difference or product of two constants in rationals: no float32 rounding enters."""
    call.only(2)
    a, b = call.reals(0, "A"), call.reals(1, "B")
    if call.node.op == "MatMul":
        if a.ndim != 2 or b.ndim != 2:
            raise call.unsupported(f"of constants of shapes {a.shape} and {b.shape}, expected two matrices")
        shape = product_shape(call, a.shape, b.shape)
        if prod(shape) * a.shape[1] > MAX_CONSTANT_WORK:
            raise call.unsupported(f"of constants of shapes {a.shape} and {b.shape} is too large")
        return floats_if_exact(np.matmul(rationals(a), rationals(b)))
    if call.opset < 7 and a.shape != b.shape:  # the flags of old broadcasting are not read for constants
        raise call.unsupported(f"of constants of shapes {a.shape} and {b.shape}")
    shape = broadcast_shape(call, a.shape, b.shape)
    if prod(shape) > MAX_CONSTANT_WORK:
        raise call.unsupported(f"of constants of shapes {a.shape} and {b.shape} is too large")
    exact_a, exact_b = rationals(a), rationals(b)
    return floats_if_exact(exact_a + exact_b if call.node.op == "Add" else exact_a - exact_b)
