"""What a runtime's rounding may do to constants that a graph computes.

Constants are computed exactly here, while a runtime rounds each step to the type of the tensors. As long as no step
rounds, both are the same number. Where one may, an operator that jumps (a comparison, a rounding, a cast to integers)
could see a jump at different places, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from polyregions.io.models.onnx.node import Node
from polyregions.io.models.onnx.tensors import KINDS

COMPARISONS: Final = frozenset(
    {"And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or", "Xor"}
)
COUNTS: Final = frozenset({"NonZero", "Shape", "Size"})
TYPE_OF_OPERAND: Final = {"DequantizeLinear": 1, "OneHot": 2, "Where": 1}

_MANY_STEPS = (
    "AveragePool BatchNormalization Conv ConvTranspose CumSum Einsum Gemm GlobalAveragePool GlobalLpPool HardSigmoid "
    "LpPool MatMul Mean Range ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMean ReduceProd ReduceSum "
    "ReduceSumSquare Resize ScatterElements ScatterND Sum ai.onnx.ml:Scaler ai.onnx.ml:LinearRegressor"
)
MANY_STEPS: Final = frozenset(_MANY_STEPS.split())
"""Operators that may round in between even where their result is a number of the type."""


class ConstantType(NamedTuple):
    """The numpy type in which a runtime holds a constant, and whether it may have rounded it."""

    dtype: str
    rounds: bool


def type_of_initializer(tensor: Any) -> ConstantType:
    """Of a stored tensor: it is what it is."""
    return ConstantType(KINDS[tensor.data_type].dtype, False)


def type_of_result(node: Node, operands: Sequence[ConstantType | None], value: Any) -> ConstantType:
    """Of a constant that a node computes."""
    dtype = np.dtype(_dtype(node, operands))
    if dtype.kind != "f":
        return ConstantType(dtype.str, False)  # what jumps to integers has been asked for certain operands
    exact = not any(t is not None and t.rounds for t in operands) and node.op not in MANY_STEPS
    return ConstantType(dtype.str, not (exact and _holds(dtype, value)))


def _holds(dtype: Any, value: Any) -> bool:
    """Whether a type holds every entry."""
    if value.dtype == object:
        return False  # float64 does not hold one of them
    with np.errstate(over="ignore"):
        return bool(np.array_equal(value.astype(dtype).astype(np.float64), value))


def _dtype(node: Node, operands: Sequence[ConstantType | None]) -> str:
    if node.op in COMPARISONS:
        return "|b1"
    if node.op in COUNTS:
        return "<i8"
    attributes = {a.name: a for a in node.proto.attribute}
    if node.op == "Cast":
        return KINDS[attributes["to"].i].dtype
    for name, dtype in (("value_int", "<i8"), ("value_ints", "<i8")):
        if name in attributes:
            return dtype
    if "value" in attributes and attributes["value"].t.data_type in KINDS:
        return KINDS[attributes["value"].t.data_type].dtype
    first = TYPE_OF_OPERAND.get(node.op)
    known = [t for t in (operands if first is None else operands[first:]) if t is not None]
    return known[0].dtype if known else "<f4"
