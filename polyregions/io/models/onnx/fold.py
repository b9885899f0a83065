"""Constants that an operator on the data is applied to: it acts in a graph of its own, which is evaluated exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.networks.graph.build import GraphBuilder
from polyregions.networks.graph.nodes import Affine, Input, Join, Maxima, Node, Units
from polyregions.networks.graph.rounding import exact_product, floats_if_exact, rationals
from polyregions.networks.graph.sparse import SparseAffine, composed, from_entries

_ON_THE_FIRST = (
    "Abs AveragePool Clip Conv ConvTranspose CumSum Einsum GlobalAveragePool GlobalLpPool GlobalMaxPool HardSigmoid "
    "LeakyRelu LpPool MaxPool PRelu ReduceL1 ReduceMax ReduceMean ReduceMin ReduceSum Relu Shrink "
    "ThresholdedRelu"
)

DATA_OPERANDS: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(_ON_THE_FIRST.split(), (0,)),
    **dict.fromkeys(("Max", "Mean", "Min"), tuple(range(1000))),
    **dict.fromkeys(("Scatter", "ScatterElements", "ScatterND"), (0, 2)),
}
"""Operators that are written for the data, and which operands they compute with."""


def folded(operator: Callable[[Call], Any], call: Call) -> Any:
    """What an operator of `DATA_OPERANDS` gives if all its operands are constants.

    Raises:
        UnsupportedError: exact arithmetic with very large constants.
    """
    places = DATA_OPERANDS[call.node.op]
    scratch = replace(call, build=GraphBuilder(1, call.build.where))
    operands = [
        scratch.as_data(_real(value)) if i in places and value is not None else value
        for i, value in enumerate(call.operands)
    ]
    found = operator(replace(scratch, operands=operands))
    call.build.notices.extend(scratch.build.notices)
    kind = call.value(places[0]).dtype.kind
    return (
        [_constant(scratch, v, kind) for v in found]
        if isinstance(found, list)
        else _constant(scratch, found, kind)
    )


def _real(array: Any) -> Any:
    """Integers and truth values as real numbers."""
    return array if array.dtype.kind in "fO" else floats_if_exact(rationals(array))


def _constant(scratch: Call, value: Value, kind: str) -> Any:
    if not isinstance(value, Data):
        return value
    flat = _values(scratch, value.node).reshape(value.shape)
    return scratch.whole(flat) if kind == "i" else flat != 0 if kind == "b" else flat


def _values(scratch: Call, number: int) -> Any:
    """The vector of a node of a graph that does not depend on its input."""
    vectors: list[Any] = []
    for node in scratch.build.nodes[: number + 1]:
        vectors.append(_value(scratch, node, vectors))
    return vectors[number]


def _value(scratch: Call, node: Node, vectors: list[Any]) -> Any:
    match node:
        case Input():
            return np.zeros(1)
        case Affine():
            return _image(scratch, node.map, vectors[node.source])
        case Join():
            return np.concatenate([vectors[source] for source in node.sources])
        case Units():
            z = vectors[node.source]
            return exact_product(z, np.where(z > 0, node.slopes[:, 1], node.slopes[:, 0]))
        case Maxima():
            return np.maximum.reduceat(vectors[node.source][node.arguments], node.offsets[:-1])


def _image(scratch: Call, affine: SparseAffine, vector: Any) -> Any:
    none = np.zeros(0, dtype=np.int64)
    found = composed(affine, from_entries(none, none, np.zeros(0), vector, 0))
    if found is None:
        raise scratch.unsupported("of constants is too large for exact arithmetic")
    return found.bias
