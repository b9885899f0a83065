"""Running an ONNX graph by onnx's own reference evaluator and by onnxruntime, and comparing what they give.

Both run in a child process: onnxruntime in the file's own type, and where it cannot run or differs, the reference
evaluator in float64, where rounding hides nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from polyregions._types import Floats
from polyregions.errors import FormatError
from polyregions.io.models.comparison import (
    compare_outputs,
    compare_with_source,
    comparison_points,
    rounding_tolerance,
)
from polyregions.io.models.onnx.graph import Graph
from polyregions.io.models.onnx.node import ML_DOMAIN
from polyregions.io.models.onnx.tensors import KINDS, REAL_KINDS
from polyregions.io.models.runtime.process import Feed, RuntimeFailed, run_model
from polyregions.networks.graph.nodes import Graph as NetworkGraph
from polyregions.networks.network import Network

FLOAT64: Final = 11
REFERENCE: Final = "onnx.reference"
RUNTIME: Final = "onnxruntime"


def compared_with_source(network: Network, built: NetworkGraph, graph: Graph, model: Any) -> Network:
    """The network, after a comparison with the model run as it is; with a notice where no runtime can run it.

    Raises:
        FormatError: the model gives something else.
    """
    found = _Comparison(network, built, graph, model)
    difference = found.difference()
    if difference is not None:
        raise FormatError(f"{graph.where}: {difference}")
    if found.failures and not found.n_runs:
        notice = (
            f"{graph.where}: not compared with its source, which cannot run ({'; '.join(found.failures)})"
        )
        return replace(network, notices=(*network.notices, notice))
    return network


class _Comparison:
    """The comparison of one network, runtime by runtime."""

    def __init__(self, network: Network, built: NetworkGraph, graph: Graph, model: Any) -> None:
        self.network, self.built, self.graph = network, built, graph
        self.model = pruned_model(graph, model)
        self.points = comparison_points(built)
        self.dtype = KINDS[graph.inputs[0].element_type].dtype
        self.failures: list[str] = []
        self.n_runs = 0

    def difference(self) -> str | None:
        """What differs for certain; None if nothing does, or if nothing can run.

        What rounding cannot explain in onnxruntime's outputs is looked at in float64 before it is believed, and in
        onnxruntime's again where the two runtimes contradict each other.
        """
        expected = rounding_tolerance(self.built, self.points, self.dtype, expected=True)
        own = self._run(RUNTIME)
        if own is not None and self._differs(own, expected, RUNTIME) is None:
            return None
        precise = self._run(REFERENCE)
        sharp = rounding_tolerance(self.built, self.points, np.float64) + expected  # constants may be rounded
        differs = self._differs(precise, sharp, REFERENCE)
        if precise is not None and differs is None:
            return None
        wide = rounding_tolerance(self.built, self.points, self.dtype)
        found = self._differs(own, wide, RUNTIME)
        if found is not None or own is None or precise is None:
            return found or differs
        return None if _contradict(own, precise, wide) else differs

    def _run(self, runtime: str) -> Floats | None:
        """Outputs (k, c) at the first k points, None where the runtime gives none; the reference runs in float64."""
        precise = runtime == REFERENCE
        if precise and self._is_wrong_in_reference():
            return None
        model = in_float64(self.model) if precise else self.model
        feeds = feeds_of(self.graph, np.float64 if precise else None)
        try:
            found = run_model(runtime, model.SerializeToString(), feeds, self.points)
        except RuntimeFailed as error:
            self.failures.append(str(error))
            return None
        self.n_runs += 1
        return found

    def _is_wrong_in_reference(self) -> bool:
        """Whether there is an operator that the reference evaluator runs otherwise than the standard says.

        Before opset 14 it normalises with a momentum, as for training; of transposed convolutions it mixes up
        dilations and groups, of sums over windows those that reach over the end.
        """
        old = {"BatchNormalization"} if self.graph.opset < 14 else set()
        return any(node.op in {"ConvTranspose", "LpPool"} | old for node in self.graph.nodes)

    def _differs(self, outputs: Floats | None, tolerance: Floats, runtime: str) -> str | None:
        if outputs is None:
            return None
        k = len(outputs)
        found = compare_with_source(self.network, self.points[:k], outputs, tolerance[:k])
        return None if found is None else f"{found} ({runtime})"


def _contradict(own: Floats, precise: Floats, tolerance: Floats) -> bool:
    """Whether two runtimes give what rounding cannot explain, so that one of them is wrong about the file."""
    return own.shape[1] != precise.shape[1] or compare_outputs(precise, own, tolerance) is not None


def in_float64(model: Any) -> Any:
    """A copy of a model that computes in float64 with the same constants."""
    from onnx import numpy_helper

    copied = type(model)()
    copied.CopyFrom(model)
    graph = copied.graph
    for value in (*graph.input, *graph.output):
        if value.type.tensor_type.elem_type in REAL_KINDS:
            value.type.tensor_type.elem_type = FLOAT64
    attributes = [attribute for node in graph.node for attribute in node.attribute]
    for tensor in (*graph.initializer, *(a.t for a in attributes if a.HasField("t"))):
        if tensor.data_type in REAL_KINDS - {FLOAT64}:
            wide = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(wide, tensor.name))
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i in REAL_KINDS:
                attribute.i = FLOAT64
    return copied


def feeds_of(graph: Graph, dtype: Any = None) -> list[Feed]:
    """The inputs of a graph, each in its own type or all in one."""
    return [
        Feed(t.name, KINDS[t.element_type].dtype if dtype is None else np.dtype(dtype).str, t.shape)
        for t in graph.inputs
    ]


def pruned_model(graph: Graph, model: Any, whole: bool = False) -> Any:
    """The model with only what was read: what the outputs do not need was not checked, and is not run.

    Args:
        graph: what was read of it.
        model: the model.
        whole: whether what was taken off its end is put back.
    """
    final = [graph.taken_off] if whole and graph.taken_off is not None else []
    pruned = type(model)()
    pruned.ir_version = model.ir_version
    pruned.opset_import.extend(o for o in model.opset_import if o.domain == ML_DOMAIN)
    pruned.opset_import.add(domain="", version=graph.opset)
    needed = {name for node in graph.nodes for name in node.inputs} | set(graph.outputs)
    pruned.graph.name = "pruned"
    pruned.graph.node.extend(node.proto for node in [*graph.nodes, *final])
    for node in pruned.graph.node:
        while not node.output[-1]:  # outputs left out, which onnxruntime 1.32 crashes on
            del node.output[-1]
    pruned.graph.initializer.extend(t for name, t in graph.constants.items() if name in needed)
    names = {tensor.name for tensor in graph.inputs}
    pruned.graph.input.extend(v for v in model.graph.input if v.name in names)
    for dim in (d for v in pruned.graph.input for d in v.type.tensor_type.shape.dim):
        if dim.dim_value < 1:  # a batch size left open by 0 or -1
            dim.ClearField("dim_value")
    for name in [node.output for node in final] or graph.outputs:
        output = pruned.graph.output.add()
        output.name = name
        output.type.tensor_type.elem_type = graph.inputs[0].element_type
    return pruned
