"""The variables that a VNN-LIB file declares: X_i and Y_j one by one (version 1), or the tensors of a network (2.0).

A variable is known by its column: input i by i, output j by ``~j``. Elements of tensors are numbered in row-major
order, tensors in the order of their declarations, which is that of the network's own inputs and outputs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import Final

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import shortened
from polyregions.io.specs.vnnlib.s_expressions import Expression, written

MAX_VARIABLES: Final = 1_000_000
"""Most elements of all tensors, which a file may declare without naming one of them."""

ELEMENT_TYPES: Final = frozenset({"real", "float16", "bfloat16", "float32", "float64", "float", "double"})

_SCALAR = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
_INDICES = re.compile(r"\[\s*([0-9]{1,9}(\s*,\s*[0-9]{1,9})*)?\s*\]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VERSION = re.compile(r"<2\.[0-9]{1,9}>")


@dataclass(frozen=True)
class Tensor:
    """A declared tensor: its name, shape, and the number of its first element among all inputs or all outputs."""

    name: str
    shape: tuple[int, ...]
    start: int
    is_output: bool


class Variables:
    """What has been declared so far.

    Args:
        where: the file, for messages.

    Attributes:
        notices: what the user should know of how declarations were read.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.notices: list[str] = []
        self._scalars: dict[str, int] = {}
        self._tensors: dict[str, Tensor] = {}
        self._sizes = {False: 0, True: 0}
        self._version: str | None = None
        self._network: str | None = None

    def declare(self, command: Expression) -> bool:
        """Take a command if it is a declaration; whether it was."""
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                self._declare_scalar(name)
            case ["vnnlib-version", *parts]:
                self._declare_version(parts, command)
            case ["declare-network", str(name), *definitions]:
                self._declare_network(name, definitions)
            case _:
                return False
        return True

    def column(self, token: str) -> int | None:
        """The column of a variable; None for a token that names none.

        Raises:
            FormatError: an element that a tensor does not have.
        """
        found = self._scalars.get(token)
        if found is not None:
            return found
        name, bracket, _ = token.partition("[")
        tensor = self._tensors.get(name.rstrip())
        if tensor is not None:
            return self._element(tensor, token, token[len(name) :] if bracket else "[]")
        if _SCALAR.fullmatch(token) or (bracket and _NAME.fullmatch(name)):
            raise FormatError(f"{self.where}: uses {shortened(token)}, which is not declared")
        return None

    def counts(self) -> tuple[int, int]:
        """How many inputs and outputs there are.

        Raises:
            FormatError: X_i or Y_j with gaps.
        """
        if self._network is not None:
            return self._sizes[False], self._sizes[True]
        return self._count("X"), self._count("Y")

    def _count(self, letter: str) -> int:
        n = sum(name.startswith(letter) for name in self._scalars)
        for i in range(n):
            if f"{letter}_{i}" not in self._scalars:
                found = f"declares {n} variables {letter}_i, but {letter}_{i} is not one of them"
                raise FormatError(f"{self.where}: {found}")
        return n

    def _declare_scalar(self, name: str) -> None:
        match = _SCALAR.fullmatch(name)
        if self._version is not None or self._network is not None:
            raise FormatError(
                f"{self.where}: declares {shortened(name)} alone, expected declare-network only"
            )
        if match is None:
            raise FormatError(f"{self.where}: declares {shortened(name)!r}, expected X_0, Y_0 and so on")
        if name in self._scalars:
            raise FormatError(f"{self.where}: {name} is declared twice")
        index = int(match[2])
        self._scalars[name] = index if match[1] == "X" else ~index

    def _declare_version(self, parts: list[Expression], command: Expression) -> None:
        if self._version is not None or self._network is not None or self._scalars:
            raise FormatError(f"{self.where}: {written(command)} is not the first command")
        match parts:
            case [str(version)] if _VERSION.fullmatch(version):
                self._version = version
            case _:
                found = f"{self.where}: {written(command)}"
                raise UnsupportedError(f"{found}, expected version 1, which is not declared, or <2.0>")

    def _declare_network(self, name: str, definitions: list[Expression]) -> None:
        if self._network is not None:
            found = f"{self.where}: declares the networks {shortened(self._network)} and {shortened(name)}"
            raise UnsupportedError(f"{found}, expected one: a property of several networks is not read")
        if self._scalars:
            raise FormatError(
                f"{self.where}: has both declare-const and declare-network, expected one of them"
            )
        self._network = name
        named: dict[bool, list[bool]] = {False: [], True: []}
        for definition in definitions:
            match definition:
                case [
                    "declare-input" | "declare-output" as word,
                    str(tensor),
                    str(kind),
                    str(shape),
                    *more,
                ] if len(more) <= 1 and all(isinstance(part, str) and part.startswith('"') for part in more):
                    is_output = word == "declare-output"
                    self._declare_tensor(tensor, kind, shape, is_output)
                    named[is_output].append(bool(more))
                case _:
                    self._refuse(definition)
        for side, with_names in named.items():
            self._check_tensors(side, with_names)

    def _refuse(self, definition: Expression) -> None:
        place = f"{self.where}: {written(definition)}"
        match definition:
            case ["declare-hidden", *_]:
                raise UnsupportedError(f"{place} is about a hidden node, expected inputs and outputs only")
            case [("equal-to" | "isomorphic-to"), *_]:
                raise UnsupportedError(f"{place} relates two networks, expected a property of one")
        raise FormatError(f"{place}, expected (declare-input X real [1,2]) or (declare-output Y real [1,2])")

    def _declare_tensor(self, name: str, kind: str, shape: str, is_output: bool) -> None:
        if not _NAME.fullmatch(name):
            raise FormatError(
                f"{self.where}: declares {shortened(name)!r}, expected a name of letters and digits"
            )
        if name in self._tensors:
            raise FormatError(f"{self.where}: {shortened(name)} is declared twice")
        if kind.lower() not in ELEMENT_TYPES:
            found = f"{self.where}: {shortened(name)} has elements of type {shortened(kind)}"
            raise UnsupportedError(f"{found}, expected real or a floating point type of 16 bits or more")
        if kind.lower() != "real":
            self.notices.append(f"{shortened(name)} is declared as {kind}: read as real numbers")
        sizes = self._indices(shape, f"shape of {shortened(name)}")
        n = prod(sizes)
        if n == 0 or len(sizes) > 64 or self._sizes[False] + self._sizes[True] + n > MAX_VARIABLES:
            found = f"{self.where}: {shortened(name)} has shape {shortened(shape)}"
            raise UnsupportedError(f"{found}, expected 1 to {MAX_VARIABLES} elements")
        self._tensors[name] = Tensor(name, sizes, self._sizes[is_output], is_output)
        self._sizes[is_output] += n

    def _check_tensors(self, is_output: bool, named: list[bool]) -> None:
        what = "output" if is_output else "input"
        if not named:
            raise FormatError(f"{self.where}: the network has no declare-{what}, expected at least one")
        if len(named) > 1 and any(named):
            found = f"{self.where}: several declare-{what} are matched by the names of an ONNX file"
            raise UnsupportedError(
                f"{found}, expected them without names, in the order of the network's {what}s"
            )

    def _element(self, tensor: Tensor, token: str, indices: str) -> int:
        found, shape = self._indices(indices, shortened(token)), tensor.shape
        if len(found) != len(shape) or not all(i < n for i, n in zip(found, shape, strict=True)):
            raise FormatError(f"{self.where}: {shortened(token)} is no element of shape {list(shape)}")
        number = tensor.start
        stride = prod(shape)
        for i, n in zip(found, shape, strict=True):
            stride //= n
            number += i * stride
        return ~number if tensor.is_output else number

    def _indices(self, text: str, what: str) -> tuple[int, ...]:
        match = _INDICES.fullmatch(text)
        if match is None:
            raise FormatError(f"{self.where}, {what}: {shortened(text)}, expected numbers such as [0,1]")
        return tuple(int(part) for part in match[1].split(",")) if match[1] else ()
