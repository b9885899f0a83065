"""The supported ONNX operators, and the walk that turns an ONNX graph into a graph of affine maps and units."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import UnsupportedError
from polyregions.graph.build import GraphBuilder
from polyregions.graph.nodes import Graph as NetworkGraph
from polyregions.io import onnx_arithmetic as arithmetic
from polyregions.io import onnx_constants as constants
from polyregions.io import onnx_linear as linear
from polyregions.io import onnx_pool as pool
from polyregions.io import onnx_rearrange as rearrange
from polyregions.io import onnx_resize as resize
from polyregions.io import onnx_units as units
from polyregions.io.files import shortened
from polyregions.io.onnx_call import Call, Data, Value
from polyregions.io.onnx_conv import conv
from polyregions.io.onnx_final import take_off
from polyregions.io.onnx_graph import MONOTONE, STANDARD_DOMAINS, Graph, Node, constant_array

Operator = Callable[[Call], Any]


def _moving(operator: Callable[[Call, Any], Any]) -> Operator:
    """An operator that only moves entries, on constants or on the data."""
    return lambda call: call.moved(call.value(0), lambda array: operator(call, array))


WINDOW: Final = {"auto_pad", "dilations", "kernel_shape", "pads", "strides"}
REDUCTION: Final = {"axes", "keepdims", "noop_with_empty_axes"}

OPERATORS: Final[dict[str, tuple[Operator, set[str]]]] = {
    "Abs": (units.absolute, set()),
    "Add": (arithmetic.add, {"axis", "broadcast"}),
    "AveragePool": (pool.average_pool, WINDOW | {"ceil_mode", "count_include_pad"}),
    "BatchNormalization": (
        linear.batch_normalization,
        {"epsilon", "is_test", "momentum", "spatial", "training_mode"},
    ),
    "Cast": (constants.cast, {"to", "saturate"}),
    "Clip": (units.clip, {"min", "max"}),
    "Concat": (rearrange.concat, {"axis"}),
    "Constant": (constants.constant, {"value", "value_float", "value_floats", "value_int", "value_ints"}),
    "ConstantOfShape": (constants.constant_of_shape, {"value"}),
    "Conv": (conv, WINDOW | {"group"}),
    "DepthToSpace": (_moving(rearrange.depth_to_space), {"blocksize", "mode"}),
    "Div": (arithmetic.div, {"axis", "broadcast"}),
    "Dropout": (_moving(rearrange.dropout), {"is_test", "ratio", "seed"}),
    "Expand": (_moving(rearrange.expand), set()),
    "Flatten": (_moving(rearrange.flatten), {"axis"}),
    "Gather": (_moving(rearrange.gather), {"axis"}),
    "Gemm": (linear.gemm, {"alpha", "beta", "broadcast", "transA", "transB"}),
    "GlobalAveragePool": (pool.global_average_pool, set()),
    "GlobalMaxPool": (pool.global_max_pool, set()),
    "HardSigmoid": (units.hard_sigmoid, {"alpha", "beta"}),
    "Identity": (_moving(rearrange.identity), set()),
    "LeakyRelu": (units.leaky_relu, {"alpha"}),
    "MatMul": (linear.matmul, set()),
    "Max": (pool.max_, set()),
    "MaxPool": (pool.max_pool, WINDOW | {"ceil_mode", "storage_order"}),
    "Mean": (arithmetic.mean, set()),
    "Min": (pool.min_, set()),
    "Mul": (arithmetic.mul, {"axis", "broadcast"}),
    "Neg": (arithmetic.neg, set()),
    "PRelu": (units.prelu, set()),
    "Pad": (rearrange.pad, {"mode", "pads", "value"}),
    "ReduceMax": (pool.reduce_max, REDUCTION),
    "ReduceMean": (linear.reduce_mean, REDUCTION),
    "ReduceMin": (pool.reduce_min, REDUCTION),
    "ReduceSum": (linear.reduce_sum, REDUCTION),
    "Relu": (units.relu, set()),
    "Reshape": (_moving(rearrange.reshape), {"allowzero"}),
    "Resize": (
        _moving(resize.resize),
        {
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "keep_aspect_ratio_policy",
            "mode",
            "nearest_mode",
            "extrapolation_value",
        },
    ),
    "Shape": (constants.shape, {"start", "end"}),
    "Size": (constants.size, set()),
    "Slice": (_moving(rearrange.slice_), {"axes", "ends", "starts"}),
    "SpaceToDepth": (_moving(rearrange.space_to_depth), {"blocksize"}),
    "Split": (rearrange.split, {"axis", "num_outputs", "split"}),
    "Squeeze": (_moving(rearrange.squeeze), {"axes"}),
    "Sub": (arithmetic.sub, {"axis", "broadcast"}),
    "Sum": (arithmetic.sum_, set()),
    "Tile": (_moving(rearrange.tile), set()),
    "Transpose": (_moving(rearrange.transpose), {"perm"}),
    "Unsqueeze": (_moving(rearrange.unsqueeze), {"axes"}),
    "Upsample": (_moving(resize.upsample), {"mode", "scales"}),
}
"""The supported operators, with the attributes that are understood; any other attribute is refused."""

FINAL_ATTRIBUTES: Final = {"axis", "keepdims", "select_last_index"}


def graph_of_onnx(graph: Graph) -> NetworkGraph:
    """The affine maps, units and maxima that an ONNX graph consists of.

    Inputs are joined to one vector in the file's order, each flattened in C order, and so are outputs.

    Raises:
        UnsupportedError: an operator or a use of it that is not piecewise linear, named with its node.
        FormatError: operands that do not fit, named with the node.
    """
    for node in graph.nodes:  # before anything is computed
        _check_operator(node)
    if graph.taken_off is not None:
        _check_attributes(graph.taken_off, FINAL_ATTRIBUTES)
    build = GraphBuilder(sum(prod(tensor.shape) for tensor in graph.inputs), graph.where)
    values = _Values(graph, build)
    for node in graph.nodes:
        build.where = node.where
        values.run(node)
    build.where = graph.where
    if graph.taken_off is not None:
        call = Call(graph.taken_off, graph.opset, [], graph.taken_off.attributes(), build)
        take_off(call, values.output(graph.outputs[0]).shape)
    return build.graph(values.joined(graph.outputs))


class _Values:
    """The tensors by name: inputs, constants that are decoded when first asked for, results."""

    def __init__(self, graph: Graph, build: GraphBuilder) -> None:
        self._graph, self._build = graph, build
        self._known: dict[str, Value] = {}
        start = 0
        for name, shape, _ in graph.inputs:
            n = prod(shape)
            self._known[name] = Data(build.select(0, np.arange(start, start + n)), shape)
            start += n

    def of(self, name: str) -> Value:
        """The tensor of a name."""
        if name not in self._known:
            self._known[name] = constant_array(self._graph, name)
        return self._known[name]

    def run(self, node: Node) -> None:
        """Add one node's results."""
        operands = [self._operand(node, name) for name in node.inputs]
        call = Call(node, self._graph.opset, operands, node.attributes(), self._build)
        operator, _ = OPERATORS[node.op]
        found = operator(call)
        results = found if isinstance(found, list) else [found]
        self._known |= {name: v for name, v in zip(node.proto.output, results, strict=False) if name}

    def joined(self, names: list[str]) -> int:
        """The node that joins several tensors to one vector."""
        call = Call(Node(None, self._graph.where), self._graph.opset, [], {}, self._build)
        return self._build.join([call.as_data(self.output(name)).node for name in names])

    def output(self, name: str) -> Value:
        """The tensor of an output's name."""
        if name not in self._known and name not in self._graph.constants:
            raise UnsupportedError(
                f"{self._graph.where}: output {shortened(name)!r} is a second output of its node"
            )
        return self.of(name)

    def _operand(self, node: Node, name: str) -> Value | None:
        if not name:
            return None
        if name not in self._known and name not in self._graph.constants:
            raise UnsupportedError(f"{node.where} takes {shortened(name)!r}, a second output")
        return self.of(name)


def _check_operator(node: Node) -> None:
    if node.op not in OPERATORS or node.proto.domain not in STANDARD_DOMAINS:
        why = (
            "only as the last operator, behind others"
            if node.op in MONOTONE
            else "it is not among the piecewise linear operators"
        )
        raise UnsupportedError(f"{node.where} is not supported: {why}")
    _check_attributes(node, OPERATORS[node.op][1])


def _check_attributes(node: Node, understood: set[str]) -> None:
    unknown = {attribute.name for attribute in node.proto.attribute} - understood
    if unknown:
        name = shortened(min(unknown))
        raise UnsupportedError(f"{node.where} has the attribute {name!r}, which is not supported")
