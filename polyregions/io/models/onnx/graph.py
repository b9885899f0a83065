"""The graph of an ONNX file: its inputs, its outputs, and the nodes between them in order of execution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import shortened
from polyregions.io.models.onnx.node import STANDARD_DOMAINS, Node
from polyregions.io.models.onnx.order import Dependencies, producers_of
from polyregions.io.models.onnx.outputs import chosen_outputs, final_operator
from polyregions.io.models.onnx.tensors import MAX_RANK, REAL_KINDS, array_of_tensor, type_name
from polyregions.io.models.onnx.two_classes import as_softmax

OPSETS: Final = range(6, 29)
"""Versions of the standard operators whose meaning is known here."""

MAX_INPUTS: Final = 2**18
MAX_NODES: Final = 2**16
"""Most nodes of a graph; those of the largest networks that are verified have some thousands."""


class InputTensor(NamedTuple):
    """An input of the graph: its name, its shape with 1 for a batch size left open, its ONNX element type."""

    name: str
    shape: tuple[int, ...]
    element_type: int


@dataclass(frozen=True, eq=False)
class Graph:
    """What of an ONNX graph its outputs depend on.

    Attributes:
        where: the file, for messages.
        opset: version of the standard operators, the last one that the file declares.
        other_opsets: other versions that it declares as well.
        inputs: the inputs in the file's order.
        outputs: names of the outputs in the file's order, in front of what was taken off.
        nodes: the nodes the outputs depend on, each after those it depends on.
        constants: the initializers by name, not decoded.
        taken_off: a final monotone operator that is left out, see `final`.
        notices: what was left out of the file.
    """

    where: str
    opset: int
    other_opsets: tuple[int, ...]
    inputs: list[InputTensor]
    outputs: list[str]
    nodes: list[Node]
    constants: dict[str, Any]
    taken_off: Node | None
    notices: tuple[str, ...]


def graph_of_model(model: Any, where: str, output: str | None = None) -> Graph:
    """Check the shape of a model's graph and put its nodes in order.

    Args:
        model: the ModelProto.
        where: the file, for messages.
        output: the tensor that is wanted; the outputs that the file declares if None, without a classifier's labels.

    Raises:
        FormatError: missing parts, duplicate names, cycles, tensors that nothing defines.
        UnsupportedError: other opsets, functions, open sizes.
        OptionError: an output that the file does not have.
    """
    if not model.HasField("graph"):
        raise FormatError(f"{where}: holds no graph, expected an ONNX model")
    graph, opsets = model.graph, _opsets(model, where)
    if len(graph.node) > MAX_NODES:
        raise UnsupportedError(f"{where}: has {len(graph.node)} nodes, expected at most {MAX_NODES}")
    if len(graph.sparse_initializer):
        raise UnsupportedError(f"{where}: has sparse initializers")
    constants = _by_name(graph.initializer, "initializers", where)
    _by_name(graph.input, "inputs", where)
    inputs = [_input_tensor(v, where) for v in graph.input if v.name not in constants]
    outputs = [v.name for v in graph.output]
    if not inputs or not outputs or len(set(outputs)) < len(outputs):
        raise FormatError(
            f"{where}: {len(inputs)} inputs and {len(outputs)} outputs, expected different ones"
        )
    if sum(prod(tensor.shape) for tensor in inputs) > MAX_INPUTS:
        raise UnsupportedError(f"{where}: the inputs are more than {MAX_INPUTS} numbers")
    given = {tensor.name for tensor in inputs} | constants.keys()
    producers = producers_of(graph.node, given, where)
    depends = Dependencies(producers, given, where)
    outputs, notices = chosen_outputs(graph.output, depends, output)
    nodes = depends.of(outputs)
    taken_off = final_operator(nodes, outputs, producers)
    if taken_off is not None:
        outputs = [taken_off.inputs[0]]
        nodes = depends.of(outputs)
    elif (softmax := as_softmax(outputs, depends, constants)) is not None:
        nodes, taken_off = softmax
        outputs = [taken_off.inputs[0]]
    _check_functions(model.functions, [*nodes, *([] if taken_off is None else [taken_off])])
    return Graph(where, opsets[-1], opsets[:-1], inputs, outputs, nodes, constants, taken_off, tuple(notices))


def constant_array(graph: Graph, name: str) -> Any:
    """The decoded initializer of a name."""
    return array_of_tensor(graph.constants[name], graph.where)


def _opsets(model: Any, where: str) -> tuple[int, ...]:
    """The different versions of the standard operators, the last one behind all others."""
    declared = [int(entry.version) for entry in model.opset_import if entry.domain in STANDARD_DOMAINS]
    if not declared:
        raise FormatError(f"{where}: declares no version of the standard operators, expected one")
    for version in declared:
        if version not in OPSETS:
            newer = ", which is newer than this reader" if version > OPSETS[-1] else ""
            raise UnsupportedError(f"{where}: opset {version}{newer}, expected {OPSETS[0]} to {OPSETS[-1]}")
    return tuple(reversed(dict.fromkeys(reversed(declared))))


def _check_functions(functions: Iterable[Any], nodes: list[Node]) -> None:
    """Refuse operators that the file defines itself; definitions that nothing uses are left alone."""
    defined = {(function.domain, function.name) for function in functions}
    for node in nodes:
        if (node.proto.domain, node.proto.op_type) in defined:
            raise UnsupportedError(f"{node.where} is a function that the file defines, expected an operator")


def _by_name(values: Iterable[Any], what: str, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for value in values:
        if not value.name or value.name in found:
            problem = "two have the name" if value.name else "one has the name"
            raise FormatError(f"{where}: among the {what}, {problem} {shortened(value.name)!r}")
        found[value.name] = value
    return found


def _input_tensor(value: Any, where: str) -> InputTensor:
    tensor, place = value.type.tensor_type, f"{where}: input {shortened(value.name)!r}"
    if tensor.elem_type not in REAL_KINDS:
        raise UnsupportedError(f"{place} is of {type_name(tensor.elem_type)}, expected float16, 32 or 64")
    if not tensor.HasField("shape") or len(tensor.shape.dim) > MAX_RANK:
        raise UnsupportedError(f"{place} has no shape, so the number of inputs is unknown")
    dims = tensor.shape.dim
    shape = tuple(_size(dim, i, len(dims), place) for i, dim in enumerate(dims))
    if prod(shape) > MAX_INPUTS:
        raise UnsupportedError(f"{place} has shape {shape}, expected at most {MAX_INPUTS} numbers")
    return InputTensor(value.name, shape, tensor.elem_type)


def _size(dim: Any, axis: int, rank: int, where: str) -> int:
    """Size of one axis; a batch size left open is 1: by a name, by nothing, or by 0 or -1 as old exporters do."""
    if dim.HasField("dim_value") and dim.dim_value > 0:
        return int(dim.dim_value)
    if axis == 0 and rank > 1 and dim.dim_value in (0, -1):
        return 1
    if dim.HasField("dim_value"):
        raise FormatError(f"{where} has size {dim.dim_value} in axis {axis}, expected at least 1")
    found = shortened(dim.dim_param)
    raise UnsupportedError(f"{where} has the open size {found!r} in axis {axis}, expected a number")
