"""The graph of an ONNX file: one input, one output, and the nodes between them in order of execution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import shortened
from polyregions.io.onnx_tensors import MAX_RANK, REAL_KINDS, array_of_tensor, type_name

OPSETS: Final = range(6, 22)
STANDARD_DOMAINS: Final = ("", "ai.onnx")
MAX_INPUTS: Final = 2**24


@dataclass(frozen=True, eq=False)
class Graph:
    """What of an ONNX graph its output depends on.

    Attributes:
        where: the file, for messages.
        opset: version of the standard operators.
        input: name of the input.
        shape: its shape, with 1 for a batch size left open.
        element_type: its ONNX element type.
        output: name of the output.
        nodes: the nodes the output depends on, each after those it depends on.
        constants: the initializers by name, not decoded.
    """

    where: str
    opset: int
    input: str
    shape: tuple[int, ...]
    element_type: int
    output: str
    nodes: list[Node]
    constants: dict[str, Any]


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
        UnsupportedError: several inputs or outputs, other opsets, functions, open sizes.
    """
    if not model.HasField("graph"):
        raise FormatError(f"{where}: holds no graph, expected an ONNX model")
    graph, opset = model.graph, _opset(model, where)
    if len(graph.sparse_initializer) or len(model.functions):
        raise UnsupportedError(f"{where}: has sparse initializers or functions of its own")
    constants = _by_name(graph.initializer, "initializers", where)
    _by_name(graph.input, "inputs", where)
    source = _only([v for v in graph.input if v.name not in constants], "input", where)
    sink = _only(graph.output, "output", where)
    element_type, shape = _input_type(source, where)
    producers = _producers(graph.node, {source.name, *constants}, where)
    nodes = _in_order(producers, sink.name, {source.name, *constants}, where)
    return Graph(where, opset, source.name, shape, element_type, sink.name, nodes, constants)


def constant_array(graph: Graph, name: str) -> Any:
    """The decoded initializer of a name."""
    return array_of_tensor(graph.constants[name], graph.where)


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


def _only(values: Any, what: str, where: str) -> Any:
    if len(values) != 1:
        names = shortened(", ".join(v.name for v in values) or "none", 100)
        raise UnsupportedError(f"{where}: {len(values)} {what}s ({names}), expected one")
    return values[0]


def _input_type(value: Any, where: str) -> tuple[int, tuple[int, ...]]:
    tensor, place = value.type.tensor_type, f"{where}: input {shortened(value.name)!r}"
    if tensor.elem_type not in REAL_KINDS:
        raise UnsupportedError(f"{place} is of {type_name(tensor.elem_type)}, expected float16, 32 or 64")
    if not tensor.HasField("shape") or len(tensor.shape.dim) > MAX_RANK:
        raise UnsupportedError(f"{place} has no shape, so the number of inputs is unknown")
    dims = tensor.shape.dim
    shape = tuple(_size(dim, i, len(dims), place) for i, dim in enumerate(dims))
    if prod(shape) > MAX_INPUTS:
        raise UnsupportedError(f"{place} has shape {shape}, expected at most {MAX_INPUTS} numbers")
    return tensor.elem_type, shape


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


def _in_order(producers: dict[str, Node], output: str, given: set[str], where: str) -> list[Node]:
    """The nodes that the output needs, each after those it needs: depth first, without recursion."""
    ordered: list[Node] = []
    state: dict[str, str] = {}
    stack: list[tuple[str, bool]] = [(output, False)]
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
