"""The one reader of VNN-LIB files, version 1 and 2.0: what they declare and assert, as a union of cases.

Numbers are rationals, as decimals are: nothing is rounded. What a file means for inputs alone (`load_domain`) and as a
property (`load_property`) are two views of the same cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, product
from typing import Final

from polyregions.errors import UnsupportedError
from polyregions.io.specs.vnnlib.formulas import Conjunction, Formulas, Inequality, multiplied_out
from polyregions.io.specs.vnnlib.s_expressions import Expression, expressions, written
from polyregions.io.specs.vnnlib.sets import InputSet
from polyregions.io.specs.vnnlib.variables import Variables

IGNORED: Final = frozenset({"set-logic", "set-info", "set-option", "check-sat", "get-model", "exit"})


@dataclass(frozen=True, eq=False)
class Union:
    """The conjunctions with the same constraints on inputs.

    Attributes:
        inputs: these constraints.
        conjunctions: the other rows of each, which mention outputs; those that all cases share are in `Cases.common`.
    """

    inputs: InputSet
    conjunctions: list[Conjunction]


@dataclass(frozen=True, eq=False)
class Cases:
    """What a file asserts.

    Attributes:
        n_inputs, n_outputs: how many variables are declared.
        unions: the cases that bounds do not show to be empty.
        common: rows that mention outputs, of all conjunctions.
        n_conjunctions: how many there are, empty ones counted.
        empty: why each empty one is empty.
        notices: what the user should know of how the file was read.
        where: the file.
    """

    n_inputs: int
    n_outputs: int
    unions: list[Union]
    common: Conjunction
    n_conjunctions: int
    empty: list[str]
    notices: tuple[str, ...]
    where: str


def read_vnnlib(text: str, where: str) -> Cases:
    """Read the content of a file; `where` names it in messages.

    Raises:
        FormatError: not VNN-LIB, undeclared variables.
        UnsupportedError: products of variables, several networks, or too many disjuncts.
    """
    reader = _Reader(where)
    for command in expressions(text, where):
        reader.execute(command)
    return reader.cases()


class _Reader:
    """What is declared and asserted so far: rows of all disjuncts, and disjunctions to be multiplied out."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.variables = Variables(where)
        self.formulas = Formulas(self.variables, where)
        self.common: Conjunction = []
        self.disjunctions: list[list[Conjunction]] = []

    def execute(self, command: Expression) -> None:
        """Take one top-level command."""
        if self.variables.declare(command):
            return
        match command:
            case ["assert", body]:
                for part in _conjuncts(body):
                    self._assert(part)
            case [str(head), *_] if head in IGNORED:
                pass
            case _:
                raise UnsupportedError(
                    f"{self.where}: {written(command)}, expected declare-const of type Real, or assert"
                )

    def _assert(self, body: Expression) -> None:
        normal = self.formulas.normal_form(body)
        if len(normal) == 1:
            self.common += normal[0]
        else:
            self.disjunctions.append(normal)
            self.formulas.check_count(map(len, self.disjunctions))

    def cases(self) -> Cases:
        """All disjuncts, those with the same constraints on inputs together; rows of all disjuncts are read once."""
        self.formulas.check_rows(multiplied_out(0, self.disjunctions))
        base, common = InputSet(_of_inputs(self.common)), _of_outputs(self.common)
        unions: dict[object, Union] = {}
        empty, n = [], 0
        for choice in product(*self.disjunctions):
            n += 1
            conjunction = list(chain(*choice))
            inputs = InputSet(_of_inputs(conjunction), base)
            if inputs.contradiction is not None:
                empty.append(inputs.contradiction)
            else:
                union = unions.setdefault(inputs.key, Union(inputs, []))
                union.conjunctions.append(_of_outputs(conjunction))
        notices = tuple(self.variables.notices)
        return Cases(*self.variables.counts(), list(unions.values()), common, n, empty, notices, self.where)


def _conjuncts(body: Expression) -> Iterator[Expression]:
    """The parts of a conjunction, or what is asserted itself."""
    match body:
        case ["and", *parts] if parts:
            for part in parts:
                yield from _conjuncts(part)
        case _:
            yield body


def _of_inputs(rows: Conjunction) -> list[Inequality]:
    return [row for row in rows if row.is_of_inputs]


def _of_outputs(rows: Conjunction) -> list[Inequality]:
    return [row for row in rows if not row.is_of_inputs]
