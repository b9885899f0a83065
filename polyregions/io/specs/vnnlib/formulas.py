"""Assertions of VNN-LIB, brought to unions of conjunctions of linear inequalities, in rational arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, product
from math import prod
from typing import Final, TypeAlias

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import parse_rational, shortened
from polyregions.io.specs.vnnlib.s_expressions import Expression, written
from polyregions.io.specs.vnnlib.variables import Variables

MAX_CONJUNCTIONS: Final = 10_000
MAX_ROWS: Final = 2_000_000
"""Most inequalities of one assertion once its disjunctions are multiplied out."""
MAX_BITS: Final = 20_000
"""Longest numerator or denominator of a coefficient."""

NUMBER_STARTS: Final = frozenset("+-.0123456789")
COMPARISONS: Final = {"<=": "<=", ">=": ">=", "<": "<", ">": ">", "=": "=", "==": "=", "!=": "!="}
NEGATED: Final = {"<=": ">", ">=": "<", "<": ">=", ">": "<=", "=": "!=", "!=": "="}

Linear: TypeAlias = tuple[dict[int, Fraction], Fraction]
"""Coefficients by column, none of them 0, and the constant."""


@dataclass(frozen=True, eq=False)
class Inequality:
    """A linear inequality ``sum of terms + constant >= 0``, or ``> 0`` if strict; terms by column."""

    terms: dict[int, Fraction]
    constant: Fraction
    strict: bool

    @property
    def is_of_inputs(self) -> bool:
        """Whether it mentions no output."""
        return all(column >= 0 for column in self.terms)


Conjunction: TypeAlias = list[Inequality]


class Formulas:
    """Brings assertions over declared variables to disjunctions.

    Args:
        variables: what is declared.
        where: the file, for messages.
    """

    def __init__(self, variables: Variables, where: str) -> None:
        self._variables, self.where = variables, where

    def normal_form(self, expression: Expression, is_true: bool = True) -> list[Conjunction]:
        """The disjuncts of an expression, or of its negation.

        Raises:
            FormatError: undeclared variables, malformed numbers.
            UnsupportedError: anything but and, or, not and linear comparisons, or too many disjuncts.
        """
        match expression:
            case ["not", part]:
                return self.normal_form(part, not is_true)
            case ["and" | "or" as word, *parts] if parts:
                normal = [self.normal_form(part, is_true) for part in parts]
                return self._all_of(normal) if (word == "and") == is_true else self._any_of(normal)
            case [str(operator), *parts] if operator in COMPARISONS:
                operands = _with_indices(parts)
                if len(operands) == 2:
                    meant = COMPARISONS[operator]
                    return self._comparison(meant if is_true else NEGATED[meant], *operands)
        place = f"{self.where}: {written(expression)}"
        raise UnsupportedError(f"{place}, expected and, or, not, or a comparison of two sums")

    def check_count(self, counts: Iterable[int]) -> None:
        """Refuse what multiplies out to too many disjuncts.

        Raises:
            UnsupportedError: more than `MAX_CONJUNCTIONS`.
        """
        total = prod(counts)
        if total > MAX_CONJUNCTIONS:
            raise UnsupportedError(f"{self.where}: {total} disjuncts, expected at most {MAX_CONJUNCTIONS}")

    def check_rows(self, n_rows: int) -> None:
        """Refuse what multiplies out to too many inequalities.

        Raises:
            UnsupportedError: more than `MAX_ROWS`.
        """
        if n_rows > MAX_ROWS:
            raise UnsupportedError(f"{self.where}: {n_rows} constraints, expected at most {MAX_ROWS}")

    def _all_of(self, parts: list[list[Conjunction]]) -> list[Conjunction]:
        common = [row for part in parts if len(part) == 1 for row in part[0]]
        others = [part for part in parts if len(part) > 1]
        if not others:
            return [common]
        self.check_count(map(len, others))
        self.check_rows(multiplied_out(len(common), others))
        return [[*common, *chain(*choice)] for choice in product(*others)]

    def _any_of(self, parts: list[list[Conjunction]]) -> list[Conjunction]:
        found = [conjunction for part in parts for conjunction in part]
        self.check_count([len(found)])
        return found

    def _comparison(self, operator: str, left: Expression, right: Expression) -> list[Conjunction]:
        terms, constant = self._sum([self._linear(left), self._scaled(self._linear(right), Fraction(-1))])

        def row(sign: int, strict: bool) -> Inequality:
            return Inequality(
                {column: sign * value for column, value in terms.items()}, sign * constant, strict
            )

        match operator:
            case "<=" | "<":
                return [[row(-1, operator == "<")]]
            case ">=" | ">":
                return [[row(1, operator == ">")]]
            case "=":
                return [[row(1, False), row(-1, False)]]
        return [[row(1, True)], [row(-1, True)]]

    def _linear(self, expression: Expression) -> Linear:
        if isinstance(expression, str):
            return self._token(expression)
        match [*expression[:1], *_with_indices(expression[1:])]:
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
        place = f"{self.where}: {written(expression)}"
        raise UnsupportedError(f"{place}, expected a sum of multiples of variables")

    def _token(self, token: str) -> Linear:
        if token[0] in NUMBER_STARTS:
            return {}, parse_rational(token, self.where)
        column = self._variables.column(token)
        if column is not None:
            return {column: Fraction(1)}, Fraction(0)
        raise FormatError(f"{self.where}: {shortened(token)!r}, expected a number or a declared variable")

    def _sum(self, parts: Sequence[Linear]) -> Linear:
        terms: dict[int, Fraction] = {}
        constant = Fraction(0)
        for more, offset in parts:
            for column, value in more.items():
                terms[column] = self._short(terms[column] + value) if column in terms else value
            constant = self._short(constant + offset)
        return {column: value for column, value in terms.items() if value}, constant

    def _scaled(self, linear: Linear, factor: Fraction) -> Linear:
        terms, constant = linear
        scaled = {column: self._short(value * factor) for column, value in terms.items() if factor}
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


def multiplied_out(n_common: int, disjunctions: Sequence[Sequence[Conjunction]]) -> int:
    """How many inequalities a product of disjunctions has, those of all its conjunctions counted for each."""
    total = prod(map(len, disjunctions))
    rows = sum(total // len(parts) * sum(map(len, parts)) for parts in disjunctions)
    return total * n_common + rows


def _with_indices(parts: Sequence[Expression]) -> list[Expression]:
    """Operands, each tensor together with the indices that stand behind it."""
    found: list[Expression] = []
    for part in parts:
        if isinstance(part, str) and part.startswith("[") and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return found
