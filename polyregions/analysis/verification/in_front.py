"""A property of a network that ends in a Softmax or the like, as a property of the values in front of it.

Rows are translated one by one, see `final_rows`. One with a logarithm is widened to a rational one, as little as is
wanted. What does not happen even under the wider row is proved not to happen; whether it happens at a point is decided
by enclosing the logarithm ever more narrowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import lcm
from typing import Final, TypeAlias

from polyregions.analysis.verification.property import Case, Property, Violation
from polyregions.errors import UnsupportedError
from polyregions.networks.final_function import FinalFunction
from polyregions.networks.final_rows import Above, Condition, Linear, condition_of
from polyregions.networks.final_values import enclosure
from polyregions.networks.network import Network

PRECISIONS: Final = (64, 256, 1024)
"""Bits of the logarithms in one attempt after the other."""


Conditions: TypeAlias = tuple[Condition, ...]
Translated: TypeAlias = tuple[tuple[int, Conditions], ...]
"""The violations of a case that can happen at all, by their number."""


def translated(network: Network, prop: Property) -> list[Translated]:
    """For each case of a property its violations in terms of the values in front of the final function.

    Raises:
        UnsupportedError: a row that has no such translation, in a violation that no other row rules out.
    """
    function = network.final_function
    assert function is not None
    return [_case(function, prop, case) for case in prop.cases]


def _case(function: FinalFunction, prop: Property, case: Case) -> Translated:
    """The violations that can happen, translated."""
    found = [(i, _violation(function, prop, violation)) for i, violation in enumerate(case.violations)]
    return tuple((i, conditions) for i, conditions in found if conditions is not None)


def _violation(function: FinalFunction, prop: Property, violation: Violation) -> Conditions | None:
    """Its conditions; None if one of them never holds, even where another has no translation."""
    found, refusal = [], None
    for row, strict in zip(violation.rows, violation.strict, strict=True):
        try:
            found.append(condition_of(function, prop.n_inputs, row, strict, prop.name))
        except UnsupportedError as error:
            refusal = error
    if False in found:
        return None
    if refusal is not None:
        raise refusal
    return tuple(condition for condition in found if not isinstance(condition, bool))


def widened(prop: Property, cases: Sequence[Translated], bits: int) -> Property:
    """A property in rationals that is violated wherever the translated one is, logarithms rounded to so many bits."""
    built = [
        Case(case.domain, tuple(_widened(conditions, bits) for _, conditions in found))
        for case, found in zip(prop.cases, cases, strict=True)
    ]
    return replace(prop, cases=tuple(built))


def is_rational(cases: Sequence[Translated]) -> bool:
    """Whether no logarithm occurs, so that widening changes nothing."""
    return not any(isinstance(c, Above) for found in cases for _, conditions in found for c in conditions)


def first_violation(case: Translated, x: Sequence[Fraction], y: Sequence[Fraction]) -> int | None:
    """The number of the first violation that holds at inputs x with values y in front; decided exactly."""
    point = [*x, *y, Fraction(1)]
    return next((i for i, conditions in case if all(_holds(c, point) for c in conditions)), None)


def _holds(condition: Condition, point: Sequence[Fraction]) -> bool:
    value = sum((r * p for r, p in zip(condition.row, point, strict=True) if r), Fraction(0))
    if isinstance(condition, Linear):
        return value > 0 or (value == 0 and not condition.strict)
    bits = PRECISIONS[0]
    while True:  # ends: the number is irrational, the value is not
        low, high = enclosure(condition.number, bits)
        if not low <= value <= high:
            return (value > high) == (condition.sign > 0)
        bits *= 2


def _widened(conditions: Conditions, bits: int) -> Violation:
    rows = [_row(condition, bits) for condition in conditions]
    strict = tuple(isinstance(c, Linear) and c.strict for c in conditions)
    return Violation(tuple(map(_integers, rows)), strict)


def _row(condition: Condition, bits: int) -> list[Fraction]:
    if isinstance(condition, Linear):
        return list(condition.row)
    low, high = enclosure(condition.number, bits)
    row = [condition.sign * r for r in condition.row]
    row[-1] -= low if condition.sign > 0 else -high
    return row


def _integers(row: Sequence[Fraction]) -> tuple[int, ...]:
    divisor = lcm(1, *(r.denominator for r in row))
    return tuple(int(r * divisor) for r in row)
