"""The input boxes of a VNN-LIB property (version 1: SMT-LIB expressions over X_i and Y_j).

Only the input set is read. Constraints on outputs are checked for well-formedness and left out, so
a disjunct such as ``(and (>= X_0 -1) (<= X_0 1) (>= Y_0 100))`` gives the box [-1, 1]. Decimals are read as
the nearest float64.
"""

from __future__ import annotations

import os
import re
from math import inf
from typing import Final, TypeAlias

from polyregions.domain import Box
from polyregions.errors import DomainError, FormatError, UnsupportedError
from polyregions.io.files import MAX_BYTES, parse_decimal, read_text, shortened
from polyregions.io.s_expressions import Expression, expressions, leaves, written

MAX_BOXES: Final = 10_000

Bounds: TypeAlias = dict[int, tuple[float, float]]
"""Lower and upper bound of some inputs, by index: one conjunction of constraints."""

COMPARISONS: Final = frozenset({"<=", ">=", "<", ">", "="})
IGNORED: Final = frozenset({"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"})
FLIPPED: Final = {"<=": ">=", ">=": "<=", "=": "=", "<": ">", ">": "<"}

VARIABLE = re.compile(r"([XY])_(0|[1-9][0-9]{0,8})")
NUMBER_LIKE = re.compile(r"[+-]?[0-9.].*")


def load_vnnlib_boxes(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> list[Box]:
    """All different input boxes of a VNN-LIB property, in the order of the file.

    Args:
        path: a ``.vnnlib`` file, or ``.vnnlib.gz``.
        max_bytes: limit of its size, before and after decompression.

    Returns:
        One box of shape (d,) per distinct disjunct of the input constraints.

    Raises:
        FormatError: not VNN-LIB, undeclared variables.
        UnsupportedError: input constraints that are not bounds of single inputs.
        DomainError: an input without a lower or upper bound, or with lower > upper; names the input.
    """
    return boxes_of_vnnlib(read_text(path, max_bytes), str(path))


def boxes_of_vnnlib(text: str, where: str) -> list[Box]:
    """The same from the content of a file; `where` names it in messages."""
    reader = _Property(where)
    for command in expressions(text, where):
        reader.execute(command)
    return reader.boxes()


class _Property:
    """What has been declared and asserted so far; `disjuncts` is the input set as a union of boxes."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.declared: set[str] = set()
        self.disjuncts: list[Bounds] = [{}]

    def execute(self, command: Expression) -> None:
        """Take one top-level command."""
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                self._declare(name)
            case ["assert", body]:
                self.disjuncts = _conjunction(self.disjuncts, self._input_set(body), self.where)
            case [str(head), *_] if head in IGNORED:
                pass
            case _:
                raise UnsupportedError(
                    f"{self.where}: {written(command)}, expected declare-const of type Real, or assert"
                )

    def boxes(self) -> list[Box]:
        """The distinct boxes; each input must be bounded in each."""
        n_inputs = self._count_inputs()
        complete = [self._complete(bounds, n_inputs) for bounds in self.disjuncts]
        distinct = dict.fromkeys(complete)
        return [Box([low for low, _ in box], [high for _, high in box]) for box in distinct]

    def _declare(self, name: str) -> None:
        if not VARIABLE.fullmatch(name):
            raise FormatError(f"{self.where}: declares {shortened(name)!r}, expected X_0, Y_0 and so on")
        if name in self.declared:
            raise FormatError(f"{self.where}: {name} is declared twice")
        self.declared.add(name)

    def _count_inputs(self) -> int:
        n_inputs = sum(name.startswith("X_") for name in self.declared)
        if n_inputs == 0:
            raise FormatError(f"{self.where}: declares no input variable, expected X_0, X_1, ...")
        for i in range(n_inputs):
            if f"X_{i}" not in self.declared:
                raise FormatError(f"{self.where}: declares {n_inputs} inputs, but X_{i} is not one of them")
        return n_inputs

    def _complete(self, bounds: Bounds, n_inputs: int) -> tuple[tuple[float, float], ...]:
        for i in range(n_inputs):
            low, high = bounds.get(i, (-inf, inf))
            if low == -inf or high == inf:
                missing = "lower" if low == -inf else "upper"
                raise DomainError(f"{self.where}: X_{i} has no {missing} bound")
            if low > high:
                raise DomainError(f"{self.where}: X_{i} has lower bound {low} > upper bound {high}")
        return tuple(bounds[i] for i in range(n_inputs))

    def _input_set(self, expression: Expression) -> list[Bounds]:
        """The union of boxes that an asserted expression allows to the inputs."""
        match expression:
            case ["and", *parts] if parts:
                total: list[Bounds] = [{}]
                for part in parts:
                    total = _conjunction(total, self._input_set(part), self.where)
                return total
            case ["or", *parts] if parts:
                return _disjunction([self._input_set(part) for part in parts], self.where)
        variables = self._variables(expression)
        if any(name.startswith("Y_") for name in variables):
            return self._output_constraint(expression, variables)
        return [self._bound(expression, variables)]

    def _variables(self, expression: Expression) -> list[str]:
        """Variables of an expression that holds neither `and` nor `or` at its top."""
        names = [t for t in leaves(expression) if VARIABLE.fullmatch(t)]
        for name in names:
            if name not in self.declared:
                raise FormatError(f"{self.where}: {written(expression)} uses {name}, which is not declared")
        return sorted(set(names), key=names.index)

    def _output_constraint(self, expression: Expression, variables: list[str]) -> list[Bounds]:
        match expression:
            case [str(operator), _, _] if operator in COMPARISONS:
                return [{}]
        if all(name.startswith("Y_") for name in variables):
            return [{}]
        raise UnsupportedError(f"{self.where}: {written(expression)} mixes inputs and outputs")

    def _bound(self, expression: Expression, variables: list[str]) -> Bounds:
        if len(variables) != 1:
            found = "no variable" if not variables else f"several inputs ({', '.join(variables[:5])})"
            place = f"{self.where}: {written(expression)}"
            raise UnsupportedError(f"{place} has {found}, expected a bound of one input")
        name = variables[0]
        match expression:
            case [str(operator), left, right] if operator in COMPARISONS and left == name:
                return _one_bound(operator, name, self._number(right, name), self.where)
            case [str(operator), left, right] if operator in COMPARISONS and right == name:
                return _one_bound(FLIPPED[operator], name, self._number(left, name), self.where)
        found = f"{self.where}: {written(expression)}"
        raise UnsupportedError(f"{found}, expected a bound such as (<= {name} 1.5)")

    def _number(self, expression: Expression, name: str) -> float:
        match expression:
            case str(token) if NUMBER_LIKE.fullmatch(token):
                return parse_decimal(token, f"{self.where}, bound of {name}")
            case ["-", str(token)] if NUMBER_LIKE.fullmatch(token):
                return -parse_decimal(token, f"{self.where}, bound of {name}")
        raise FormatError(f"{self.where}, bound of {name}: {written(expression)}, expected a decimal number")


def _one_bound(operator: str, name: str, value: float, where: str) -> Bounds:
    index = int(name[2:])
    match operator:
        case "<=":
            return {index: (-inf, value)}
        case ">=":
            return {index: (value, inf)}
        case "=":
            return {index: (value, value)}
    raise UnsupportedError(f"{where}: strict bound ({operator} {name} {value}), a box needs <= or >=")


def _conjunction(left: list[Bounds], right: list[Bounds], where: str) -> list[Bounds]:
    """Intersections of each box with each; `left` is used up."""
    if len(left) * len(right) > MAX_BOXES:
        raise UnsupportedError(f"{where}: {len(left) * len(right)} input boxes, expected at most {MAX_BOXES}")
    if len(right) == 1:  # the usual case, thousands of times: no copies
        return [_tighten(bounds, right[0]) for bounds in left]
    return [_tighten(dict(bounds), more) for bounds in left for more in right]


def _disjunction(parts: list[list[Bounds]], where: str) -> list[Bounds]:
    """Union of boxes; equal ones, such as those of pure output constraints, once."""
    distinct: dict[tuple[tuple[int, tuple[float, float]], ...], Bounds] = {}
    for bounds in (b for part in parts for b in part):
        distinct.setdefault(tuple(sorted(bounds.items())), bounds)
    if len(distinct) > MAX_BOXES:
        raise UnsupportedError(f"{where}: {len(distinct)} input boxes, expected at most {MAX_BOXES}")
    return list(distinct.values())


def _tighten(bounds: Bounds, more: Bounds) -> Bounds:
    for index, (low, high) in more.items():
        old_low, old_high = bounds.get(index, (-inf, inf))
        bounds[index] = (max(old_low, low), min(old_high, high))
    return bounds
