"""Which node makes which tensor of an ONNX graph, and the nodes in an order of execution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from polyregions.errors import FormatError
from polyregions.io.files import shortened
from polyregions.io.models.onnx.node import STANDARD_DOMAINS, Node


@dataclass(frozen=True, eq=False)
class Dependencies:
    """Which tensors depend on which.

    Attributes:
        producers: the node that makes each tensor.
        given: the inputs and initializers.
        where: the file, for messages.
    """

    producers: dict[str, Node]
    given: set[str]
    where: str

    def of(self, outputs: list[str]) -> list[Node]:
        """The nodes that some tensors need, each after those it needs itself.

        Raises:
            FormatError: a cycle, or a tensor that nothing defines.
        """
        return in_order(self.producers, outputs, self.given, self.where)


def producers_of(protos: Iterable[Any], taken: set[str], where: str) -> dict[str, Node]:
    """The node that makes each tensor.

    Raises:
        FormatError: a node without an output, or two tensors of one name.
    """
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


def in_order(producers: dict[str, Node], outputs: list[str], given: set[str], where: str) -> list[Node]:
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
