"""Two-class probabilities ``[1 - s(z), s(z)]`` of a logistic s, which are the softmax of ``[0, z]``.

This is how scikit-learn's converters write the probabilities of a classifier of two classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from polyregions.io.models.onnx.node import Node
from polyregions.io.models.onnx.order import Dependencies
from polyregions.io.models.onnx.outputs import SHAPES_ONLY
from polyregions.io.models.onnx.tensors import array_of_tensor


def as_softmax(
    outputs: list[str], depends: Dependencies, constants: dict[str, Any]
) -> tuple[list[Node], Node] | None:
    """The nodes in front of a softmax that gives the same as the one output, and the softmax.

    None if the output is no concatenation of 1 - s and s.
    """
    if len(outputs) != 1:
        return None
    joined = _behind_shapes(outputs[0], depends)
    if joined is None or joined.op != "Concat" or len(joined.inputs) != 2:
        return None
    minus, plus = (_behind_shapes(name, depends) for name in joined.inputs)
    if minus is None or plus is None or minus.op != "Sub" or plus.op != "Sigmoid" or len(minus.inputs) != 2:
        return None
    if _behind_shapes(minus.inputs[1], depends) is not plus or not _is_one(
        minus.inputs[0], depends, constants
    ):
        return None
    return _rewritten(joined, plus, depends)


def _behind_shapes(name: str, depends: Dependencies) -> Node | None:
    """The node that makes a tensor, but for changes of shape."""
    node = depends.producers.get(name)
    while node is not None and node.op in SHAPES_ONLY and node.inputs and name == node.output:
        name = node.inputs[0]
        node = depends.producers.get(name)
    return node


def _is_one(name: str, depends: Dependencies, constants: dict[str, Any]) -> bool:
    if name in constants:
        return bool(np.all(array_of_tensor(constants[name], depends.where) == 1))
    node = depends.producers.get(name)
    return (
        node is not None and node.op == "Constant" and all(np.all(v == 1) for v in node.attributes().values())
    )


def _rewritten(joined: Node, logistic: Node, depends: Dependencies) -> tuple[list[Node], Node]:
    """``softmax([0, z])``, one row for each entry of z: several rows are refused as the softmax of a part."""
    names = [f"{joined.output}, {part}" for part in ("row", "column", "zero", "logits", "probabilities")]
    row, column, zero, logits, probabilities = names
    steps = [
        ("Flatten", [logistic.inputs[0]], row, {"axis": 0}),
        ("Transpose", [row], column, {}),
        ("Sub", [column, column], zero, {}),
        ("Concat", [zero, column], logits, {"axis": 1}),
        ("Softmax", [logits], probabilities, {"axis": 1}),
    ]
    nodes = [Node(_proto(joined.proto, *step), joined.where) for step in steps]
    return [*depends.of([logistic.inputs[0]]), *nodes[:-1]], nodes[-1]


def _proto(like: Any, op: str, inputs: list[str], output: str, attributes: dict[str, int]) -> Any:
    proto = type(like)(op_type=op, name=like.name, input=inputs, output=[output])
    for name, value in attributes.items():
        proto.attribute.add(name=name, type=2, i=value)
    return proto
