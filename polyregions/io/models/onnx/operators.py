"""The supported ONNX operators, and the walk that turns an ONNX graph into a graph of affine maps and units."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import shortened
from polyregions.io.models.onnx import (
    arithmetic,
    constants,
    functions,
    linear,
    ml,
    pool,
    rearrange,
    resize,
    scatter,
    units,
)
from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.io.models.onnx.conv import conv, conv_transpose
from polyregions.io.models.onnx.einsum import einsum
from polyregions.io.models.onnx.final import take_off
from polyregions.io.models.onnx.fold import DATA_OPERANDS, folded
from polyregions.io.models.onnx.graph import Graph, constant_array
from polyregions.io.models.onnx.node import ML_DOMAIN, Node, attributes_of
from polyregions.io.models.onnx.outputs import MONOTONE
from polyregions.io.models.onnx.rounding import ConstantType, type_of_initializer, type_of_result
from polyregions.io.models.onnx.tensors import check_finite
from polyregions.networks.graph.build import GraphBuilder
from polyregions.networks.graph.nodes import Graph as NetworkGraph

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
    "Cast": (constants.cast, {"to", "saturate", "round_mode"}),
    "Clip": (units.clip, {"min", "max"}),
    "Compress": (_moving(scatter.compress), {"axis"}),
    "Concat": (rearrange.concat, {"axis"}),
    "Constant": (constants.constant, {"value", "value_float", "value_floats", "value_int", "value_ints"}),
    "ConstantOfShape": (constants.constant_of_shape, {"value"}),
    "Conv": (conv, WINDOW | {"group"}),
    "ConvTranspose": (conv_transpose, WINDOW | {"group", "output_padding", "output_shape"}),
    "CumSum": (linear.cum_sum, {"exclusive", "reverse"}),
    "DepthToSpace": (_moving(rearrange.depth_to_space), {"blocksize", "mode"}),
    "Div": (arithmetic.div, {"axis", "broadcast"}),
    "Dropout": (_moving(rearrange.dropout), {"is_test", "ratio", "seed"}),
    "Einsum": (einsum, {"equation"}),
    "Expand": (_moving(rearrange.expand), set()),
    "Flatten": (_moving(rearrange.flatten), {"axis"}),
    "Gather": (_moving(rearrange.gather), {"axis"}),
    "GatherElements": (_moving(scatter.gather_elements), {"axis"}),
    "GatherND": (_moving(scatter.gather_nd), {"batch_dims"}),
    "Gemm": (linear.gemm, {"alpha", "beta", "broadcast", "transA", "transB"}),
    "GlobalAveragePool": (pool.global_average_pool, set()),
    "GlobalLpPool": (pool.global_lp_pool, {"p"}),
    "GlobalMaxPool": (pool.global_max_pool, set()),
    "HardSigmoid": (units.hard_sigmoid, {"alpha", "beta"}),
    "Identity": (_moving(rearrange.identity), set()),
    "LeakyRelu": (units.leaky_relu, {"alpha"}),
    "LpPool": (pool.lp_pool, WINDOW | {"ceil_mode", "p"}),
    "MatMul": (linear.matmul, set()),
    "Max": (pool.max_, set()),
    "MaxPool": (pool.max_pool, WINDOW | {"ceil_mode", "storage_order"}),
    "Mean": (arithmetic.mean, set()),
    "Min": (pool.min_, set()),
    "Mul": (arithmetic.mul, {"axis", "broadcast"}),
    "Neg": (arithmetic.neg, set()),
    "PRelu": (units.prelu, set()),
    "Pad": (rearrange.pad, {"mode", "pads", "value"}),
    "ReduceL1": (pool.reduce_l1, REDUCTION),
    "ReduceMax": (pool.reduce_max, REDUCTION),
    "ReduceMean": (linear.reduce_mean, REDUCTION),
    "ReduceMin": (pool.reduce_min, REDUCTION),
    "ReduceSum": (linear.reduce_sum, REDUCTION),
    "Relu": (units.relu, set()),
    "Reshape": (_moving(rearrange.reshape), {"allowzero"}),
    "Resize": (
        resize.resize,
        {
            "antialias",
            "axes",
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "exclude_outside",
            "keep_aspect_ratio_policy",
            "mode",
            "nearest_mode",
            "extrapolation_value",
        },
    ),
    "ReverseSequence": (_moving(scatter.reverse_sequence), {"batch_axis", "time_axis"}),
    "Scatter": (scatter.scatter_elements, {"axis"}),
    "ScatterElements": (scatter.scatter_elements, {"axis", "reduction"}),
    "ScatterND": (scatter.scatter_nd, {"reduction"}),
    "Shape": (constants.shape, {"start", "end"}),
    "Shrink": (units.shrink, {"bias", "lambd"}),
    "Size": (constants.size, set()),
    "Slice": (_moving(rearrange.slice_), {"axes", "ends", "starts"}),
    "SpaceToDepth": (_moving(rearrange.space_to_depth), {"blocksize", "mode"}),
    "Split": (rearrange.split, {"axis", "num_outputs", "split"}),
    "Squeeze": (_moving(rearrange.squeeze), {"axes"}),
    "Sub": (arithmetic.sub, {"axis", "broadcast"}),
    "Sum": (arithmetic.sum_, set()),
    "Tile": (_moving(rearrange.tile), set()),
    "Transpose": (_moving(rearrange.transpose), {"perm"}),
    "Unsqueeze": (_moving(rearrange.unsqueeze), {"axes"}),
    "ThresholdedRelu": (units.thresholded_relu, {"alpha"}),
    "Trilu": (scatter.trilu, {"upper"}),
    "Upsample": (resize.upsample, {"mode", "scales"}),
    "Where": (scatter.where, set()),
    f"{ML_DOMAIN}:Imputer": (ml.imputer, {"imputed_value_floats", "replaced_value_float"}),
    f"{ML_DOMAIN}:LinearRegressor": (
        ml.linear_regressor,
        {"coefficients", "intercepts", "post_transform", "targets"},
    ),
    f"{ML_DOMAIN}:Scaler": (ml.scaler, {"offset", "scale"}),
}
"""The supported operators, with the attributes that are understood; any other attribute is refused."""

OF_CONSTANTS: Final[dict[str, tuple[Operator, set[str]]]] = {
    **{name: (functions.function, set[str]()) for name in functions.FUNCTIONS},
    **{name: (functions.jumping(rule), set[str]()) for name, rule in functions.ROUNDINGS.items()},
    **{
        name: (functions.compared(rule), {"axis", "broadcast"})
        for name, rule in functions.COMPARISONS.items()
    },
    **{name: (functions.logical(rule), {"axis", "broadcast"}) for name, rule in functions.LOGICAL.items()},
    **{name: (functions.reduced(rule), REDUCTION) for name, rule in functions.REDUCTIONS.items()},
    "DequantizeLinear": (functions.dequantize, {"axis", "block_size", "output_dtype"}),
    "EyeLike": (scatter.eye_like, {"dtype", "k"}),
    "Mod": (functions.mod, {"fmod"}),
    "NonZero": (scatter.non_zero, set()),
    "Not": (functions.not_, set()),
    "OneHot": (scatter.one_hot, {"axis"}),
    "Pow": (functions.power, {"axis", "broadcast"}),
    "Range": (functions.range_, {"stash_type"}),
    "Reciprocal": (functions.reciprocal, set()),
}
"""Operators of constants only."""

OF_SHAPES: Final = frozenset({"EyeLike", "Shape", "Size"})
"""Operators whose results are constants whatever they take."""

_MAY_BE_INFINITE = (
    "Cast Clip Concat Constant Expand Gather Identity Max Min Reshape Slice Squeeze Tile Transpose Unsqueeze"
)
MAY_BE_INFINITE: Final = frozenset(_MAY_BE_INFINITE.split())
"""Operators that take infinite constants: bounds that are none, and what makes or moves these."""

FINAL_ATTRIBUTES: Final = {"axis", "keepdims", "select_last_index"}


def applied(call: Call) -> Any:
    """What an operator gives: a value, or a list of several."""
    op = call.node.op
    operator, _ = OPERATORS.get(op) or OF_CONSTANTS[op]
    is_constant = bool(call.operands) and not any(isinstance(value, Data) for value in call.operands)
    return folded(operator, call) if is_constant and op in DATA_OPERANDS else operator(call)


def graph_of_onnx(graph: Graph) -> NetworkGraph:
    """The affine maps, units and maxima that an ONNX graph consists of.

    Inputs are joined to one vector in the file's order, each flattened in C order, and so are outputs.

    Raises:
        UnsupportedError: an operator or a use of it that is not piecewise linear, named with its node.
        FormatError: operands that do not fit, named with the node.
    """
    _check_operators(graph)  # before anything is computed
    if graph.taken_off is not None:
        _check_attributes(graph.taken_off, FINAL_ATTRIBUTES, graph.opset)
    build = GraphBuilder(sum(prod(tensor.shape) for tensor in graph.inputs), graph.where)
    build.notices.extend(graph.notices)
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
        self._types: dict[str, ConstantType] = {}
        start = 0
        for name, shape, _ in graph.inputs:
            n = prod(shape)
            self._known[name] = Data(build.select(0, np.arange(start, start + n)), shape)
            start += n

    def of(self, name: str) -> Value:
        """The tensor of a name."""
        if name not in self._known:
            self._known[name] = constant_array(self._graph, name)
            self._types[name] = type_of_initializer(self._graph.constants[name])
        return self._known[name]

    def run(self, node: Node) -> None:
        """Add one node's results."""
        operands = [self._operand(node, name) for name in node.inputs]
        types = tuple(self._types.get(name) for name in node.inputs)
        call = Call(node, self._graph.opset, operands, node.attributes(), self._build, types)
        found = applied(call)
        results = found if isinstance(found, list) else [found]
        for name, value in zip(node.proto.output, results, strict=False):
            self._known[name] = value
            if not isinstance(value, Data):
                self._types[name] = type_of_result(node, types, value)
                _check_range(node, value, np.dtype(self._types[name].dtype))

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
        value = self.of(name)
        self._check_finite(name, value, False)
        return value

    def _operand(self, node: Node, name: str) -> Value | None:
        if not name:
            return None
        if name not in self._known and name not in self._graph.constants:
            raise UnsupportedError(f"{node.where} takes {shortened(name)!r}, a second output")
        value = self.of(name)
        self._check_finite(name, value, node.op in MAY_BE_INFINITE)
        return value

    def _check_finite(self, name: str, value: Value, may_be_infinite: bool) -> None:
        if not isinstance(value, Data):
            check_finite(value, f"{self._graph.where}: tensor {shortened(name)!r}", may_be_infinite)


def _check_range(node: Node, value: Any, dtype: Any) -> None:
    """Refuse integers that a runtime would let overflow."""
    if value.dtype.kind == "i" and dtype.kind in "iu" and value.size:
        limits = np.iinfo(dtype)
        if value.min() < limits.min or value.max() > limits.max:
            raise UnsupportedError(f"{node.where}: an integer beyond the range of {dtype.name}")


def _check_operators(graph: Graph) -> None:
    """Refuse operators that are not known; what acts on constants only may be of other kinds."""
    constants = set(graph.constants) | {""}
    for node in graph.nodes:
        is_constant = node.op in OF_SHAPES or all(name in constants for name in node.inputs)
        if is_constant:
            constants.update(node.outputs)
        known = OPERATORS.get(node.op) or (OF_CONSTANTS.get(node.op) if is_constant else None)
        if known is None:
            raise UnsupportedError(f"{node.where} is not supported: {_why_not(node)}")
        _check_attributes(node, known[1], graph.opset)


def _why_not(node: Node) -> str:
    if node.op in MONOTONE:
        return "only as the last operator, behind others"
    of_constants = " (of constants it would be)" if node.op in OF_CONSTANTS else ""
    return f"it is not among the piecewise linear operators{of_constants}"


def _check_attributes(node: Node, understood: set[str], opset: int) -> None:
    """Refuse attributes that are not understood, or that mean nothing in the file's version of the operator."""
    given = {attribute.name for attribute in node.proto.attribute}
    if given - understood:
        name = shortened(min(given - understood))
        raise UnsupportedError(f"{node.where} has the attribute {name!r}, which is not supported")
    outside = given - attributes_of(node, opset) if given else given
    if outside:
        raise FormatError(
            f"{node.where} has the attribute {min(outside)!r}, which opset {opset} does not have"
        )
