"""Running an ONNX graph with onnx's own reference evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyregions.io.chain import Chain
from polyregions.io.comparison import N_POINTS, compare_with_source, rounding_tolerance, sample_points
from polyregions.io.files import import_extra
from polyregions.io.onnx_graph import Graph
from polyregions.io.onnx_tensors import KINDS
from polyregions.network import Network


def difference_from_reference(network: Network, chain: Chain, graph: Graph, model: Any) -> str | None:
    """What differs between a network and the model run as it is; None if nothing, or if it cannot run."""
    points = sample_points(N_POINTS, network.n_inputs)
    try:
        outputs = _run(graph, model, points)
    except Exception:  # it lacks operators and versions, and then raises nearly anything
        return None
    if outputs.dtype.kind != "f":
        return None
    tolerance = rounding_tolerance(chain, points, KINDS[graph.element_type].dtype)
    return compare_with_source(network, points, outputs, tolerance)


def _run(graph: Graph, model: Any, points: Any) -> Any:
    """Outputs (k, c), one point at a time."""
    reference = import_extra("onnx.reference", "onnx", "checking an ONNX file")
    evaluator = reference.ReferenceEvaluator(_pruned(graph, model))
    inputs = points.astype(KINDS[graph.element_type].dtype).reshape(len(points), *graph.shape)
    with np.errstate(all="ignore"):
        return np.array([np.ravel(evaluator.run(None, {graph.input: x})[0]) for x in inputs])


def _pruned(graph: Graph, model: Any) -> Any:
    """The model with only what was read: what the output does not need was not checked, and is not run."""
    pruned = type(model)()
    pruned.ir_version = model.ir_version
    pruned.opset_import.extend(model.opset_import)
    needed = {name for node in graph.nodes for name in node.inputs}
    pruned.graph.name = "pruned"
    pruned.graph.node.extend(node.proto for node in graph.nodes)
    pruned.graph.initializer.extend(t for name, t in graph.constants.items() if name in needed)
    pruned.graph.input.extend(v for v in model.graph.input if v.name == graph.input)
    pruned.graph.output.extend(model.graph.output)
    return pruned
