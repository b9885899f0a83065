"""One use of an operator: its operands, its attributes, and the flow of data through it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.chain import MAX_ENTRIES, Chain, Gather, Offset, Step
from polyregions.io.onnx_graph import Node


class Flow:
    """The tensor that depends on the network's input, on its way through the operators.

    Attributes:
        chain: the network built so far, which sees the tensor flattened in C order.
        shape: shape of the tensor.
        name: its name in the graph.
    """

    def __init__(self, where: str, name: str, shape: tuple[int, ...]) -> None:
        self.chain = Chain(where, prod(shape))
        self.shape = shape
        self.name = name

    def apply(self, step: Step, shape: tuple[int, ...]) -> None:
        """Let an affine step act, whose result has the given shape."""
        self.chain.apply(step)
        self.shape = shape

    def rearrange(self, operator: Callable[[Any], Any]) -> None:
        """Let an operator act that only moves or repeats entries, which an array of indices shows."""
        index = operator(np.arange(prod(self.shape)).reshape(self.shape))
        if not np.array_equal(index.ravel(), np.arange(self.chain.width)):
            self.chain.apply(Gather(np.ascontiguousarray(index.ravel()), self.chain.width))
        self.shape = index.shape

    def add(self, constant: Any) -> None:
        """Add a float64 constant (size,) to the flattened tensor."""
        if np.any(constant):
            self.chain.apply(Offset(1.0, constant))


FLOW: Final = object()
"""Stands among the operands of a call for the tensor that depends on the network's input."""


def rationals(array: Any) -> Any:
    """The same numbers as an object array of fractions."""
    return np.array([Fraction(entry) for entry in array.flat], dtype=object).reshape(array.shape)


def floats_if_exact(array: Any) -> Any:
    """Rationals as float64 where that loses nothing, else as they are."""
    try:
        floats = array.astype(np.float64)
    except OverflowError:
        return array
    same = all(Fraction(f) == exact for f, exact in zip(floats.flat, array.flat, strict=True))
    return floats if same else array


@dataclass(frozen=True, eq=False)
class Call:
    """A node with what it is given.

    Attributes:
        node: the node.
        opset: version of the standard operators.
        operands: for each input an array, `FLOW`, or None where it is left out.
        attributes: by name.
    """

    node: Node
    opset: int
    operands: list[Any]
    attributes: dict[str, Any]

    def operand(self, i: int) -> Any:
        """Operand i, None where it is left out."""
        return self.operands[i] if i < len(self.operands) else None

    def flow_position(self) -> int | None:
        """Which operand depends on the network's input."""
        positions = [i for i, operand in enumerate(self.operands) if operand is FLOW]
        if len(positions) > 1:
            raise UnsupportedError(f"{self.node.where} joins branches of the graph, expected a chain")
        return positions[0] if positions else None

    def reals(self, i: int, what: str) -> Any:
        """Operand i as a constant of real numbers: float64, or object for exact rationals."""
        array = self._constant(i, what)
        if array.dtype.kind not in "fO":
            raise FormatError(f"{self.node.where}: {what} holds {array.dtype}, expected real numbers")
        return array

    def integers(self, i: int, what: str) -> list[int]:
        """Operand i as a constant list of integers."""
        array = self._constant(i, what)
        if array.dtype != np.int64 or array.ndim > 1:
            raise FormatError(f"{self.node.where}: {what} has {array.dtype} {array.shape}, expected a list")
        return [int(n) for n in array.ravel()]

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute, of the same type as the default; lists are of integers."""
        value = self.attributes.get(name, default)
        if type(value) is not type(default):
            raise self.wrong(f"attribute {name} is {type(value).__name__}, expected {type(default).__name__}")
        if isinstance(value, list) and not all(isinstance(entry, int) for entry in value):
            raise self.wrong(f"attribute {name} is {value[:5]}, expected integers")
        return value

    def only(self, count: int) -> None:
        """Check that the number of operands is at most `count`, and that the first is there."""
        if len(self.operands) > count or self.operand(0) is None:
            raise FormatError(f"{self.node.where} has {len(self.operands)} inputs, expected 1 to {count}")

    def wrong(self, message: str) -> FormatError:
        """The error to raise when the operator cannot act on what it is given."""
        return FormatError(f"{self.node.where}: {message}")

    def unsupported(self, message: str) -> UnsupportedError:
        """The error to raise for something well-formed that cannot be represented."""
        return UnsupportedError(f"{self.node.where}: {message}")

    def check_size(self, shape: tuple[int, ...]) -> None:
        """Refuse results that are too large to be written out."""
        if prod(shape) > MAX_ENTRIES:
            raise self.unsupported(f"result of shape {shape}, expected at most {MAX_ENTRIES} entries")

    def _constant(self, i: int, what: str) -> Any:
        operand = self.operand(i)
        if operand is None:
            raise self.wrong(f"{what} (input {i}) is missing")
        if operand is FLOW:
            raise self.unsupported(f"{what} (input {i}) depends on the network's input, expected a constant")
        return operand
