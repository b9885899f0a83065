"""Whole VNN-LIB properties (version 1): linear constraints over inputs X_i and outputs Y_j, and, or, not.

A file asserts what must *not* happen. It is brought to a union of conjunctions; those with the same input constraints
make one case. Numbers are rationals, as decimals are: nothing is rounded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, product
from math import lcm, prod
from typing import Final, NamedTuple, TypeAlias

from polyregions.errors import DomainError, FormatError, UnsupportedError
from polyregions.exact.numbers import nearest_float
from polyregions.geometry.polytope import HPolytope
from polyregions.io.files import MAX_BYTES, parse_rational, read_text, shortened
from polyregions.io.s_expressions import Expression, expressions, written
from polyregions.io.vnnlib import FLIPPED, IGNORED, NUMBER_LIKE, VARIABLE
from polyregions.properties import Case, Property, Violation

MAX_CONJUNCTIONS: Final = 10_000
MAX_ROWS: Final = 2_000_000
"""Most constraints once disjunctions are multiplied out, those that disjuncts share counted for each."""
MAX_ENTRIES: Final = 20_000_000
"""Most coefficients, zeros included, those that disjuncts share counted once."""
MAX_BITS: Final = 20_000
"""Longest numerator or denominator of a coefficient."""


@dataclass(frozen=True, eq=False)
class Row:
    """A linear inequality ``sum of terms + constant >= 0``, or ``> 0`` if strict; variables by name."""

    terms: dict[str, Fraction]
    constant: Fraction
    strict: bool


class InputRow(NamedTuple):
    """A row over [x, 1] that is >= 0, or > 0 if strict, and the divisor that gives its scale."""

    row: tuple[int, ...]
    divisor: int
    strict: bool
    label: str


Conjunction: TypeAlias = list[Row]
Linear: TypeAlias = tuple[dict[str, Fraction], Fraction]


def load_property(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Property:
    """A VNN-LIB property: what the network must not do, exactly as the decimals of the file say.

    Args:
        path: a ``.vnnlib`` file, or ``.vnnlib.gz``.
        max_bytes: limit of its size, before and after decompression.

    Raises:
        FormatError: not VNN-LIB, undeclared variables.
        UnsupportedError: products of variables, or too many disjuncts.
        DomainError: no input satisfies the input constraints.
    """
    return property_of_vnnlib(read_text(path, max_bytes), str(path))


def property_of_vnnlib(text: str, where: str) -> Property:
    """The same from the content of a file; `where` names it in messages."""
    reader = _Reader(where)
    for command in expressions(text, where):
        reader.execute(command)
    return reader.property()


class _Reader:
    """What is declared and asserted so far: rows common to all disjuncts, and disjunctions to be multiplied out."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.declared: set[str] = set()
        self.common: Conjunction = []
        self.disjunctions: list[list[Conjunction]] = []

    def execute(self, command: Expression) -> None:
        """Take one top-level command."""
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                self._declare(name)
            case ["assert", body]:
                normal = self._normal_form(body, True)
                if len(normal) == 1:
                    self.common += normal[0]
                else:
                    self.disjunctions.append(normal)
                    self._check_count(map(len, self.disjunctions))
            case [str(head), *_] if head in IGNORED:
                pass
            case _:
                raise UnsupportedError(
                    f"{self.where}: {written(command)}, expected declare-const of type Real, or assert"
                )

    def property(self) -> Property:
        """All disjuncts, those with the same input constraints together."""
        d, c = self._count("X"), self._count("Y")
        conjunctions = [list(chain(*choice)) for choice in product([self.common], *self.disjunctions)]
        n_rows = sum(map(len, conjunctions))
        n_entries = (d + c + 1) * (n_rows - (len(conjunctions) - 1) * len(self.common))
        if n_rows > MAX_ROWS or n_entries > MAX_ENTRIES:
            raise UnsupportedError(f"{self.where}: {n_rows} constraints on {d + c} variables are too many")
        cases: dict[tuple[InputRow, ...], list[Violation]] = {}
        for conjunction in conjunctions:
            inputs = _input_rows(conjunction, d)
            if inputs is not None:
                cases.setdefault(inputs, []).append(_violation(conjunction, d, c))
        if not cases:
            raise DomainError(f"{self.where}: no input satisfies the constraints on X")
        built = [Case(_polytope(inputs, d), tuple(found)) for inputs, found in cases.items()]
        return Property(tuple(built), d, c, self.where)

    def _declare(self, name: str) -> None:
        if not VARIABLE.fullmatch(name):
            raise FormatError(f"{self.where}: declares {shortened(name)!r}, expected X_0, Y_0 and so on")
        if name in self.declared:
            raise FormatError(f"{self.where}: {name} is declared twice")
        self.declared.add(name)

    def _count(self, letter: str) -> int:
        n = sum(name.startswith(letter) for name in self.declared)
        for i in range(n):
            if f"{letter}_{i}" not in self.declared:
                raise FormatError(
                    f"{self.where}: declares {n} variables {letter}_i, but {letter}_{i} is not one of them"
                )
        if n == 0:
            raise FormatError(f"{self.where}: declares no {letter}_0, expected inputs X_i and outputs Y_j")
        return n

    def _normal_form(self, expression: Expression, is_true: bool) -> list[Conjunction]:
        """The disjuncts of an expression, or of its negation."""
        match expression:
            case ["not", part]:
                return self._normal_form(part, not is_true)
            case [("and" | "or") as word, *parts] if parts:
                normal = [self._normal_form(part, is_true) for part in parts]
                return self._all_of(normal) if (word == "and") == is_true else self._any_of(normal)
            case [str(operator), left, right] if operator in FLIPPED:
                return self._comparison(operator, self._difference(left, right), is_true)
        raise UnsupportedError(
            f"{self.where}: {written(expression)}, expected and, or, not, or a comparison of two sums"
        )

    def _all_of(self, parts: list[list[Conjunction]]) -> list[Conjunction]:
        common = [row for part in parts if len(part) == 1 for row in part[0]]
        others = [part for part in parts if len(part) > 1]
        if not others:
            return [common]
        self._check_count(map(len, others))
        return [[*common, *chain(*choice)] for choice in product(*others)]

    def _any_of(self, parts: list[list[Conjunction]]) -> list[Conjunction]:
        found = [conjunction for part in parts for conjunction in part]
        self._check_count([len(found)])
        return found

    def _check_count(self, counts: Iterable[int]) -> None:
        total = prod(counts)
        if total > MAX_CONJUNCTIONS:
            raise UnsupportedError(f"{self.where}: {total} disjuncts, expected at most {MAX_CONJUNCTIONS}")

    def _comparison(self, operator: str, difference: Linear, is_true: bool) -> list[Conjunction]:
        """Of left - right with zero."""
        up, down = _row(difference, 1, False), _row(difference, -1, False)
        above, below = _row(difference, 1, True), _row(difference, -1, True)
        match operator:
            case ">=":
                return [[up if is_true else below]]
            case "<=":
                return [[down if is_true else above]]
            case ">":
                return [[above if is_true else down]]
            case "<":
                return [[below if is_true else up]]
        return [[up, down]] if is_true else [[above], [below]]

    def _difference(self, left: Expression, right: Expression) -> Linear:
        return self._sum([self._linear(left), self._scaled(self._linear(right), Fraction(-1))])

    def _linear(self, expression: Expression) -> Linear:
        match expression:
            case str(token):
                return self._token(token)
            case ["+", *parts] if parts:
                return self._sum([self._linear(part) for part in parts])
            case ["-", part]:
                return self._scaled(self._linear(part), Fraction(-1))
            case ["-", first, *rest] if rest:
                others = [self._scaled(self._linear(part), Fraction(-1)) for part in rest]
                return self._sum([self._linear(first), *others])
            case ["*", *parts] if parts:
                return self._product([self._linear(part) for part in parts], expression)
            case ["/", numerator, denominator]:
                terms, constant = self._linear(denominator)
                if terms or not constant:
                    raise UnsupportedError(f"{self.where}: {written(expression)} divides by no constant")
                return self._scaled(self._linear(numerator), 1 / constant)
        raise UnsupportedError(
            f"{self.where}: {written(expression)}, expected a sum of multiples of variables"
        )

    def _token(self, token: str) -> Linear:
        if VARIABLE.fullmatch(token):
            if token not in self.declared:
                raise FormatError(f"{self.where}: uses {token}, which is not declared")
            return {token: Fraction(1)}, Fraction(0)
        if NUMBER_LIKE.fullmatch(token):
            return {}, parse_rational(token, self.where)
        raise FormatError(f"{self.where}: {shortened(token)!r}, expected a number or a declared variable")

    def _sum(self, parts: Sequence[Linear]) -> Linear:
        terms: dict[str, Fraction] = {}
        constant = Fraction(0)
        for more, offset in parts:
            for name, coefficient in more.items():
                terms[name] = self._short(terms.get(name, Fraction(0)) + coefficient)
            constant = self._short(constant + offset)
        return {name: value for name, value in terms.items() if value}, constant

    def _scaled(self, linear: Linear, factor: Fraction) -> Linear:
        terms, constant = linear
        scaled = {name: self._short(value * factor) for name, value in terms.items() if factor}
        return scaled, self._short(constant * factor)

    def _product(self, factors: list[Linear], expression: Expression) -> Linear:
        varying = [factor for factor in factors if factor[0]]
        if len(varying) > 1:
            raise UnsupportedError(f"{self.where}: {written(expression)} multiplies variables")
        total = varying[0] if varying else ({}, Fraction(1))
        for terms, constant in factors:
            if not terms:
                total = self._scaled(total, constant)
        return total

    def _short(self, value: Fraction) -> Fraction:
        """A coefficient, refused once it has grown beyond all reason."""
        if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
            raise UnsupportedError(f"{self.where}: a coefficient has more than {MAX_BITS} bits")
        return value


def _row(linear: Linear, sign: int, strict: bool) -> Row:
    terms, constant = linear
    return Row({name: sign * value for name, value in terms.items()}, sign * constant, strict)


def _is_of_inputs(row: Row) -> bool:
    return not any(name.startswith("Y") for name in row.terms)


def _input_rows(conjunction: Conjunction, d: int) -> tuple[InputRow, ...] | None:
    """The rows of the inputs, of the bounds of one input only the best; None if these contradict each other."""
    bounds: dict[tuple[int, bool], tuple[Fraction, bool]] = {}
    rows = []
    for row in filter(_is_of_inputs, conjunction):
        if not row.terms:
            if row.constant < 0 or (row.strict and row.constant == 0):
                return None
        elif len(row.terms) == 1:
            _tighten(bounds, row)
        else:
            entries, divisor = _integers(row, d, 0)
            rows.append(InputRow(entries, divisor, row.strict, "constraint of the file"))
    for (i, is_lower), (value, strict) in bounds.items():
        other = bounds.get((i, False))
        if (
            is_lower
            and other is not None
            and (value > other[0] or (value == other[0] and (strict or other[1])))
        ):
            return None
    return tuple([_bound(d, i, is_lower, *bounds[i, is_lower]) for i, is_lower in sorted(bounds)] + rows)


def _tighten(bounds: dict[tuple[int, bool], tuple[Fraction, bool]], row: Row) -> None:
    """Keep the better one of two bounds of an input, the strict one of two equal ones."""
    ((name, factor),) = row.terms.items()
    key, value = (_index(name), factor > 0), -row.constant / factor
    known = bounds.get(key)
    sign = 1 if factor > 0 else -1
    if known is None or (sign * value, row.strict) > (sign * known[0], known[1]):
        bounds[key] = (value, row.strict)


def _bound(d: int, i: int, is_lower: bool, value: Fraction, strict: bool) -> InputRow:
    sign = 1 if is_lower else -1
    entries = [0] * (d + 1)
    entries[i], entries[d] = sign * value.denominator, -sign * value.numerator
    mark = (">" if is_lower else "<") + "=" * (not strict)
    return InputRow(tuple(entries), value.denominator, strict, f"x{i} {mark} {nearest_float(value):g}")


def _violation(conjunction: Conjunction, d: int, c: int) -> Violation:
    rows = [row for row in conjunction if not _is_of_inputs(row)]
    return Violation(tuple(_integers(row, d, c)[0] for row in rows), tuple(row.strict for row in rows))


def _integers(row: Row, d: int, c: int) -> tuple[tuple[int, ...], int]:
    """A row over [x, y, 1] in integers, and its divisor."""
    divisor = lcm(row.constant.denominator, *(value.denominator for value in row.terms.values()))
    entries = [0] * (d + c + 1)
    for name, value in row.terms.items():
        entries[_index(name) + (d if name.startswith("Y") else 0)] = int(value * divisor)
    entries[-1] = int(row.constant * divisor)
    return tuple(entries), divisor


def _index(name: str) -> int:
    return int(name[2:])


def _polytope(inputs: Sequence[InputRow], d: int) -> HPolytope:
    return HPolytope.of_exact_rows(
        [entry.row for entry in inputs],
        [entry.divisor for entry in inputs],
        d,
        [entry.strict for entry in inputs],
        [entry.label for entry in inputs],
    )
