"""The graph of an ONNX file: its inputs, its outputs, and the nodes between them in order of execution."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import shortened
from polyregions.io.onnx_tensors import MAX_RANK, REAL_KINDS, array_of_tensor, type_name

OPSETS: Final = range(6, 22)
STANDARD_DOMAINS: Final = ("", "ai.onnx")
MAX_INPUTS: Final = 2**18
MAX_NODES: Final = 2**16
"""Most nodes of a graph; those of the largest networks that are verified have some thousands."""

MONOTONE: Final = ("Softmax", "LogSoftmax", "Sigmoid", "ArgMax")
"""Operators that keep which output is the largest, or say which it is."""

SHAPES_ONLY: Final = ("Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")


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
        opset: version of the standard operators.
        inputs: the inputs in the file's order.
        outputs: names of the outputs in the file's order, in front of what was taken off.
        nodes: the nodes the outputs depend on, each after those it depends on.
        constants: the initializers by name, not decoded.
        taken_off: a final monotone operator that is left out, see `onnx_final`.
    """

    where: str
    opset: int
    inputs: list[InputTensor]
    outputs: list[str]
    nodes: list[Node]
    constants: dict[str, Any]
    taken_off: Node | None


@dataclass(frozen=True, eq=False)
class Node:
    """A node with its place for messages.

    Attributes:
        proto: the NodeProto.
        where: file, operator and name, or index and first output where it has no name.
    """

    proto: Any
    where: str

    @property
    def op(self) -> str:
        """Name of the operator."""
        return str(self.proto.op_type)

    @property
    def inputs(self) -> list[str]:
        """Names of the tensors it takes, "" for one left out."""
        return list(self.proto.input)

    @property
    def output(self) -> str:
        """Name of its first output."""
        return str(self.proto.output[0])

    def attributes(self) -> dict[str, Any]:
        """Its attributes as Python values, tensors as arrays.

        Raises:
            FormatError: two attributes of one name.
            UnsupportedError: attributes of other types, such as subgraphs.
        """
        found: dict[str, Any] = {}
        for attribute in self.proto.attribute:
            if attribute.name in found:
                raise FormatError(f"{self.where}: attribute {shortened(attribute.name)!r} is given twice")
            found[attribute.name] = _attribute_value(attribute, self.where)
        return found


def graph_of_model(model: Any, where: str) -> Graph:
    """Check the shape of a model's graph and put its nodes in order.

    Raises:
        FormatError: missing parts, duplicate names, cycles, tensors that nothing defines.
        UnsupportedError: other opsets, functions, open sizes.
    """
    if not model.HasField("graph"):
        raise FormatError(f"{where}: holds no graph, expected an ONNX model")
    graph, opset = model.graph, _opset(model, where)
    if len(graph.node) > MAX_NODES:
        raise UnsupportedError(f"{where}: has {len(graph.node)} nodes, expected at most {MAX_NODES}")
    if len(graph.sparse_initializer) or len(model.functions):
        raise UnsupportedError(f"{where}: has sparse initializers or functions of its own")
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
    producers = _producers(graph.node, given, where)
    nodes = _in_order(producers, outputs, given, where)
    taken_off = final_operator(nodes, outputs, producers)
    if taken_off is not None:
        outputs = [taken_off.inputs[0]]
        nodes = _in_order(producers, outputs, given, where)
    return Graph(where, opset, inputs, outputs, nodes, constants, taken_off)


def constant_array(graph: Graph, name: str) -> Any:
    """The decoded initializer of a name."""
    return array_of_tensor(graph.constants[name], graph.where)


def final_operator(nodes: list[Node], outputs: list[str], producers: dict[str, Node]) -> Node | None:
    """A monotone operator at the very end of a graph with one output, behind nothing but changes of shape.

    None if what it takes is used elsewhere too, or if nothing of the graph is before it.
    """
    if len(outputs) != 1:
        return None
    uses = Counter(name for node in nodes for name in node.inputs)
    name = outputs[0]
    while name in producers and uses[name] == (0 if name == outputs[0] else 1):
        node = producers[name]
        if node.proto.domain not in STANDARD_DOMAINS or not node.inputs or name != node.output:
            return None
        if node.op in MONOTONE:
            before = producers.get(node.inputs[0])
            return node if before is not None and uses[node.inputs[0]] == 1 else None
        if node.op not in SHAPES_ONLY:
            return None
        name = node.inputs[0]
    return None


def _opset(model: Any, where: str) -> int:
    versions = {imported.version for imported in model.opset_import if imported.domain in STANDARD_DOMAINS}
    if len(versions) != 1:
        raise FormatError(f"{where}: {len(versions)} versions of the standard operators, expected one")
    version = int(versions.pop())
    if version not in OPSETS:
        raise UnsupportedError(f"{where}: opset {version}, expected {OPSETS[0]} to {OPSETS[-1]}")
    return version


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
    """Size of one axis; a batch size left open is 1."""
    if dim.HasField("dim_value"):
        if dim.dim_value < 1:
            raise FormatError(f"{where} has size {dim.dim_value} in axis {axis}, expected at least 1")
        return int(dim.dim_value)
    if axis == 0 and rank > 1:
        return 1
    found = shortened(dim.dim_param)
    raise UnsupportedError(f"{where} has the open size {found!r} in axis {axis}, expected a number")


def _producers(protos: Iterable[Any], taken: set[str], where: str) -> dict[str, Node]:
    """The node that makes each tensor."""
    producers: dict[str, Node] = {}
    for index, proto in enumerate(protos):
        node = Node(proto, _place(proto, index, where))
        names = [name for name in proto.output if name]
        if not names or not proto.output[0]:
            raise FormatError(f"{node.where} has no output")
        for name in names:
            if name in producers or name in taken:
                raise FormatError(f"{node.where} makes tensor {shortened(name)!r}, which exists already")
            producers[name] = node
    return producers


def _place(proto: Any, index: int, where: str) -> str:
    output = proto.output[0] if len(proto.output) else ""
    unnamed = f"node {index} -> {shortened(output, 80)!r}"
    node = f"node {shortened(proto.name, 80)!r}" if proto.name else unnamed
    domain = "" if proto.domain in STANDARD_DOMAINS else f"{shortened(proto.domain)}:"
    return f"{where}: operator {domain}{shortened(proto.op_type)} ({node})"


def _in_order(producers: dict[str, Node], outputs: list[str], given: set[str], where: str) -> list[Node]:
    """The nodes that the outputs need, each after those it needs: in the file's order, if that is such an order."""
    needed = set(_depth_first(producers, outputs, given, where))
    in_file = [node for node in dict.fromkeys(producers.values()) if node in needed]
    known = set(given)
    for node in in_file:
        if any(name and name not in known for name in node.inputs):
            return _depth_first(producers, outputs, given, where)
        known.update(node.proto.output)
    return in_file


def _depth_first(producers: dict[str, Node], outputs: list[str], given: set[str], where: str) -> list[Node]:
    """The nodes that the outputs need, each after those it needs; without recursion."""
    ordered: list[Node] = []
    state: dict[str, str] = {}
    stack: list[tuple[str, bool]] = [(output, False) for output in reversed(outputs)]
    while stack:
        name, finished = stack.pop()
        if name in given:
            continue
        if name not in producers:
            raise FormatError(f"{where}: tensor {shortened(name)!r} is used, but nothing defines it")
        node = producers[name]
        if finished:
            state[node.output] = "done"
            ordered.append(node)
        elif node.output not in state:
            state[node.output] = "open"
            stack.append((name, True))
            stack.extend((needed, False) for needed in reversed(node.inputs) if needed)
        elif state[node.output] == "open":
            raise FormatError(f"{node.where} depends on itself (a cycle)")
    return ordered


def _attribute_value(attribute: Any, where: str) -> Any:
    name = shortened(attribute.name)
    if attribute.ref_attr_name:
        raise UnsupportedError(f"{where}: attribute {name!r} refers to a function's attribute")
    match attribute.type:  # AttributeProto's FLOAT, INT, STRING, TENSOR, FLOATS, INTS
        case 1:
            return _finite(attribute.f, name, where)
        case 2:
            return int(attribute.i)
        case 3:
            return attribute.s.decode("utf-8", errors="replace")
        case 4:
            return array_of_tensor(attribute.t, where)
        case 6:
            return [_finite(f, name, where) for f in attribute.floats]
        case 7:
            return [int(i) for i in attribute.ints]
    raise UnsupportedError(f"{where}: attribute {name!r} is a subgraph or of an unknown type")


def _finite(value: float, name: str, where: str) -> float:
    if not np.isfinite(value):
        raise FormatError(f"{where}: attribute {name!r} is {value}, expected a finite number")
    return float(value)
