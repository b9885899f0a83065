"""Running an ONNX graph with onnx's own reference evaluator, or with onnxruntime where that cannot or differs."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from polyregions.graph.nodes import Graph as NetworkGraph
from polyregions.io.comparison import compare_with_source, comparison_points, rounding_tolerance
from polyregions.io.files import import_extra
from polyregions.io.onnx_graph import Graph
from polyregions.io.onnx_node import ML_DOMAIN
from polyregions.io.onnx_tensors import KINDS
from polyregions.network import Network


def difference_from_source(network: Network, built: NetworkGraph, graph: Graph, model: Any) -> str | None:
    """What differs between a network and the model run as it is; None if nothing, or if it cannot run."""
    points = comparison_points(built)
    dtype = KINDS[graph.inputs[0].element_type].dtype
    tolerance = rounding_tolerance(built, points, dtype)
    pruned, found = _pruned(graph, model), None
    for name, runtime in RUNTIMES.items():
        if (
            runtime is _reference
            and graph.opset < 14
            and any(n.op == "BatchNormalization" for n in graph.nodes)
        ):
            continue  # it takes a momentum for training
        try:
            outputs = _run(runtime(pruned), graph, points)
        except Exception:  # it lacks operators and versions, and then raises nearly anything
            continue
        if outputs.dtype.kind != "f":
            continue
        difference = compare_with_source(network, points, outputs, tolerance)
        if difference is None:
            return None
        found = f"{difference} ({name})"
    return found


def _reference(model: Any) -> Any:
    return import_extra("onnx.reference", "onnx", "checking an ONNX file").ReferenceEvaluator(model)


def _onnxruntime(model: Any) -> Any:
    runtime = import_extra("onnxruntime", "onnx", "checking an ONNX file")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    return runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


RUNTIMES: Final = {"onnx's reference evaluator": _reference, "onnxruntime": _onnxruntime}
"""In the order in which they are asked; the second only where the first cannot run, or differs."""


def _run(evaluator: Any, graph: Graph, points: Any) -> Any:
    """Outputs (k, c), one point at a time."""
    ends = np.cumsum([prod(tensor.shape) for tensor in graph.inputs])
    found = []
    for point in points:
        parts = np.split(point, ends[:-1])
        feed = {
            tensor.name: part.astype(KINDS[tensor.element_type].dtype).reshape(tensor.shape)
            for tensor, part in zip(graph.inputs, parts, strict=True)
        }
        with np.errstate(all="ignore"):
            found.append(np.concatenate([np.ravel(y) for y in evaluator.run(None, feed)]))
    return np.array(found)


def _pruned(graph: Graph, model: Any) -> Any:
    """The model with only what was read: what the outputs do not need was not checked, and is not run."""
    pruned = type(model)()
    pruned.ir_version = model.ir_version
    pruned.opset_import.extend(o for o in model.opset_import if o.domain == ML_DOMAIN)
    pruned.opset_import.add(domain="", version=graph.opset)
    needed = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)
    pruned.graph.name = "pruned"
    pruned.graph.node.extend(node.proto for node in graph.nodes)
    for node in pruned.graph.node:
        while not node.output[-1]:  # outputs left out, which onnxruntime 1.32 crashes on
            del node.output[-1]
    pruned.graph.initializer.extend(t for name, t in graph.constants.items() if name in needed)
    names = {tensor.name for tensor in graph.inputs}
    pruned.graph.input.extend(v for v in model.graph.input if v.name in names)
    for dim in (d for v in pruned.graph.input for d in v.type.tensor_type.shape.dim):
        if dim.dim_value < 1:  # a batch size left open by 0 or -1
            dim.ClearField("dim_value")
    for name in graph.outputs:
        output = pruned.graph.output.add()
        output.name = name
        output.type.tensor_type.elem_type = graph.inputs[0].element_type
    return pruned
