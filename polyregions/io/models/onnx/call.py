"""One use of an operator: its operands, its attributes, and the graph it adds to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final, TypeAlias

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.onnx.node import Node
from polyregions.io.models.onnx.rounding import ConstantType
from polyregions.io.models.onnx.tensors import check_finite
from polyregions.networks.graph.build import GraphBuilder
from polyregions.networks.graph.rounding import fractions_of

MAX_SIZE: Final = 2**20
"""Most entries of a tensor."""

MAX_PRODUCTS: Final = 2**24
"""Most entries of an affine map that is written out."""


@dataclass(frozen=True)
class Data:
    """A tensor that depends on the network's input: a node of the graph, which sees it flattened in C order."""

    node: int
    shape: tuple[int, ...]


Value: TypeAlias = Any
"""A `Data`, or a constant array: float64 (object for exact rationals), int64 or bool."""


@dataclass(frozen=True, eq=False)
class Call:
    """A node with what it is given.

    Attributes:
        node: the node.
        opset: version of the standard operators.
        operands: for each input a value, None where it is left out.
        attributes: by name.
        build: the graph so far.
        types: for each operand in what type a runtime holds it, None for the data.
    """

    node: Node
    opset: int
    operands: list[Value | None]
    attributes: dict[str, Any]
    build: GraphBuilder
    types: tuple[ConstantType | None, ...] = ()

    def operand(self, i: int) -> Value | None:
        """Operand i, None where it is left out."""
        return self.operands[i] if i < len(self.operands) else None

    def value(self, i: int, what: str = "the data") -> Value:
        """Operand i, which must be there.

        Raises:
            FormatError: it is left out.
        """
        value = self.operand(i)
        if value is None:
            raise self.wrong(f"{what} (input {i}) is missing")
        return value

    def data(self, i: int = 0) -> Data:
        """Operand i as a tensor that depends on the input, a constant one if need be."""
        return self.as_data(self.value(i))

    def as_data(self, value: Value) -> Data:
        """A value as a node of the graph."""
        if isinstance(value, Data):
            return value
        numbers = self.real(value, "a constant")
        check_finite(numbers, f"{self.node.where}: a constant")
        return Data(self.build.constant(numbers.ravel()), value.shape)

    def reals(self, i: int, what: str) -> Any:
        """Operand i as a constant of real numbers: float64, or object for exact rationals."""
        return self.real(self.constant(i, what), what)

    def real(self, array: Any, what: str) -> Any:
        """A constant that must be of real numbers: float64, or object for exact rationals.

        Raises:
            FormatError: it is of something else.
        """
        if array.dtype.kind not in "fO":
            raise self.wrong(f"{what} holds {array.dtype}, expected real numbers")
        return array

    def integers(self, i: int, what: str) -> list[int]:
        """Operand i as a constant list of integers.

        Raises:
            FormatError: it is no list of integers.
        """
        array = self.constant(i, what)
        if array.dtype != np.int64 or array.ndim > 1:
            raise FormatError(f"{self.node.where}: {what} has {array.dtype} {array.shape}, expected a list")
        return [int(n) for n in array.ravel()]

    def integer_array(self, i: int, what: str) -> Any:
        """Operand i as a constant array of integers.

        Raises:
            FormatError: it holds something else.
        """
        array = self.constant(i, what)
        if array.dtype != np.int64:
            raise FormatError(f"{self.node.where}: {what} holds {array.dtype}, expected integers")
        return array

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute, of the same type as the default; lists are of integers.

        Raises:
            FormatError: it is of another type, or a list of something else.
        """
        value = self.attributes.get(name, default)
        if type(value) is not type(default):
            raise self.wrong(f"attribute {name} is {type(value).__name__}, expected {type(default).__name__}")
        if isinstance(value, list) and not all(isinstance(entry, int) for entry in value):
            raise self.wrong(f"attribute {name} is {value[:5]}, expected integers")
        return value

    def only(self, count: int) -> None:
        """Check that the number of operands is at most `count`, and that the first is there.

        Raises:
            FormatError: there are more, or the first is left out.
        """
        if len(self.operands) > count or self.operand(0) is None:
            raise FormatError(f"{self.node.where} has {len(self.operands)} inputs, expected 1 to {count}")

    def moved(self, value: Value, operator: Callable[[Any], Any]) -> Value:
        """What an operator gives that only moves or repeats entries: written once, for arrays and for indices.

        Raises:
            FormatError: the result holds no values.
        """
        if not isinstance(value, Data):
            return operator(value)
        index = operator(np.arange(prod(value.shape)).reshape(value.shape))
        if index.size == 0:
            raise self.wrong(f"gives a tensor of shape {index.shape}, which holds no values")
        self.check_size(index.shape)
        return Data(self.build.select(value.node, np.ascontiguousarray(index.ravel())), index.shape)

    def broadcast(self, value: Value, shape: tuple[int, ...]) -> Value:
        """A value repeated along axes by numpy's rules."""
        return value if value.shape == shape else self.moved(value, lambda a: np.broadcast_to(a, shape))

    def common_shape(self, values: Sequence[Value]) -> tuple[int, ...]:
        """The shape that several values have after broadcasting.

        Raises:
            FormatError: the shapes do not fit each other.
        """
        shapes = [value.shape for value in values]
        try:
            shape = tuple(np.broadcast_shapes(*shapes))
        except ValueError:
            raise self.wrong(f"shapes {' and '.join(map(str, shapes))} do not fit each other") from None
        self.check_size(shape)
        return shape

    def wrong(self, message: str) -> FormatError:
        """The error to raise when the operator cannot act on what it is given."""
        return FormatError(f"{self.node.where}: {message}")

    def unsupported(self, message: str) -> UnsupportedError:
        """The error to raise for something well-formed that cannot be represented."""
        return UnsupportedError(f"{self.node.where}: {message}")

    def check_size(self, shape: tuple[int, ...]) -> None:
        """Refuse results that are too large to be written out.

        Raises:
            UnsupportedError: more than `MAX_SIZE` entries.
        """
        if prod(shape) > MAX_SIZE:
            raise self.unsupported(f"result of shape {shape}, expected at most {MAX_SIZE} entries")

    def check_products(self, n_entries: int) -> None:
        """Refuse affine maps that are too large to be written out.

        Raises:
            UnsupportedError: more than `MAX_PRODUCTS` entries.
        """
        if n_entries > MAX_PRODUCTS:
            raise self.unsupported(f"an affine map of {n_entries} entries, expected at most {MAX_PRODUCTS}")

    def numbers(self, i: int, what: str = "the operand") -> Any:
        """Operand i as a constant of integers or real numbers.

        Raises:
            FormatError: it holds something else.
        """
        array = self.constant(i, what)
        if array.dtype.kind not in "ifO":
            raise self.wrong(f"{what} holds {array.dtype}, expected numbers")
        return array

    def certain(self, i: int) -> None:
        """Check that a runtime has operand i, a constant, without rounding, for an operator that jumps.

        Raises:
            UnsupportedError: it may have rounded it.
        """
        found = self.types[i] if i < len(self.types) else None
        if found is not None and found.rounds:
            raise self.unsupported("jumps, at a constant that a runtime rounds while it computes it")

    def whole(self, array: Any) -> Any:
        """Numbers as integers, which they must be.

        Raises:
            UnsupportedError: one of them is no integer of 64 bits.
        """
        fractions = fractions_of(array.ravel())
        if any(x.denominator != 1 or not -(2**63) <= x < 2**63 for x in fractions):
            raise self.unsupported("gives numbers that are no integers of 64 bits")
        return np.array([x.numerator for x in fractions], dtype=np.int64).reshape(array.shape)

    def picked(self, values: Sequence[Value], index: Any) -> Value:
        """Entries of several tensors, flat and one after the other, by an array of places."""
        self.check_size(index.shape)
        if not any(isinstance(value, Data) for value in values):
            return np.concatenate([np.ravel(value) for value in values])[index]
        joined = self.build.join([self.as_data(value).node for value in values])
        return Data(self.build.select(joined, np.ascontiguousarray(index).ravel()), index.shape)

    def constant(self, i: int, what: str) -> Any:
        """Operand i, which must not depend on the network's input.

        Raises:
            UnsupportedError: it depends on the input.
        """
        value = self.value(i, what)
        if isinstance(value, Data):
            raise self.unsupported(f"{what} (input {i}) depends on the network's input, expected a constant")
        return value
