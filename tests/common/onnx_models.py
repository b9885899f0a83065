"""Small ONNX models for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnx.reference")
helper, numpy_helper, FLOAT = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT


def node(op: str, inputs: Sequence[str], output: str, name: str = "", **attributes: Any) -> Any:
    """One node with one output."""
    return helper.make_node(op, inputs, [output], name=name, **attributes)


def model(
    nodes: Sequence[Any],
    shape: Sequence[Any] | None,
    constants: dict[str, Any] | None = None,
    *,
    opset: int = 13,
    as_inputs: bool = False,
    element_type: int = FLOAT,
) -> Any:
    """A model from tensor ``x`` of a shape to tensor ``y``; constants are float32 unless they have a type."""
    tensors = [tensor(name, value) for name, value in (constants or {}).items()]
    inputs = [helper.make_tensor_value_info("x", element_type, shape)]
    if as_inputs:
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in tensors]
    output = helper.make_tensor_value_info("y", element_type, None)
    graph = helper.make_graph(list(nodes), "test", inputs, [output], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=4)


def tensor(name: str, value: Any) -> Any:
    """A tensor of an array, or of a list of float32."""
    array = value if isinstance(value, np.ndarray) else np.array(value, dtype=np.float32)
    return numpy_helper.from_array(array, name)


def ints(*values: int) -> Any:
    """An int64 array of one axis."""
    return np.array(values, dtype=np.int64)


def mlp(opset: int = 13) -> Any:
    """The model 2-3-2 with one ReLU, of Gemm operators."""
    rng = np.random.default_rng(3)
    constants = {name: rng.standard_normal(s).astype(np.float32) for name, s in MLP_SHAPES.items()}
    nodes = [
        node("Gemm", ["x", "W1", "b1"], "h", "first", transB=1),
        node("Relu", ["h"], "r", "kink"),
        node("Gemm", ["r", "W2", "b2"], "y", "second", transB=1),
    ]
    return model(nodes, ["N", 2], constants, opset=opset)


MLP_SHAPES = {"W1": (3, 2), "b1": (3,), "W2": (2, 3), "b2": (2,)}
