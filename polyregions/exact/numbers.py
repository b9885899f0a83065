"""Rational points, and the integers that stand for them in exact evaluations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, isqrt, lcm
from typing import Any, Final

import numpy as np

from polyregions._types import Floats
from polyregions.read_only import ByValue, PlainState

_RATIONAL: Final = re.compile(r"(-?[0-9a-f]+)/([1-9a-f][0-9a-f]*)")


def quotient(numerator: int, denominator: int) -> float:
    """The float64 nearest to numerator / denominator, an infinity beyond the range; the denominator is positive."""
    try:
        return numerator / denominator  # int / int rounds correctly
    except OverflowError:
        return inf if numerator > 0 else -inf


def nearest_float(value: Fraction) -> float:
    """The float64 nearest to a rational, an infinity beyond the range."""
    return quotient(value.numerator, value.denominator)


def root(value: Fraction) -> float:
    """The square root of a rational >= 0, right to a unit in the last place; an infinity beyond the range.

    >>> root(Fraction(9, 4)), root(Fraction(10) ** 700)
    (1.5, inf)
    """
    shift = max(0, 128 - value.numerator.bit_length() + value.denominator.bit_length())
    shift += shift % 2
    digits = isqrt((value.numerator << shift) // value.denominator)
    return quotient(digits, 1 << shift // 2)


def rational_text(point: Sequence[Fraction]) -> str:
    """Coordinates as one text of hexadecimal integers: decimal ones take quadratic time to read, and have a limit.

    >>> rational_text([Fraction(-3, 31), Fraction(2)])
    '-3/1f 2/1'
    """
    return " ".join(f"{c.numerator:x}/{c.denominator:x}" for c in point)


def rational_of_text(text: str, dim: int) -> tuple[Fraction, ...]:
    """What `rational_text` wrote.

    Raises:
        ValueError: something else, or not `dim` rationals.

    >>> rational_of_text("-3/1f", 1)
    (Fraction(-3, 31),)
    """
    found = [_RATIONAL.fullmatch(part) for part in text.split(" ")] if text else []
    if len(found) != dim or None in found:
        raise ValueError(f"{text[:40]!r}, expected {dim} rationals such as -3/1f")
    return tuple(Fraction(int(m[1], 16), int(m[2], 16)) for m in found if m)


def over_common_denominator(values: Sequence[Fraction]) -> list[int]:
    """The homogeneous integers ``[x_1 q, ..., x_k q, q]`` of a rational point."""
    denominator = lcm(1, *(v.denominator for v in values))
    return [v.numerator * (denominator // v.denominator) for v in values] + [denominator]


@dataclass(frozen=True, eq=False)
class Point(PlainState, ByValue):
    """A point known exactly: a float64 point, or a rational one where no float64 would do.

    Attributes:
        approx: (k,) float64; the point itself if `rational` is None, else its nearest floats (infinite beyond float64).
        rational: the exact coordinates, or None.
    """

    approx: Floats
    rational: tuple[Fraction, ...] | None = None

    @classmethod
    def of(cls, coordinates: Sequence[Fraction]) -> Point:
        """The point with the given exact coordinates."""
        approx = np.array([nearest_float(c) for c in coordinates], dtype=np.float64)
        exact = tuple(coordinates)
        if all(a == c for a, c in zip(approx.tolist(), exact, strict=True)):
            return cls(approx)
        return cls(approx, exact)

    def _compared(self) -> Any:
        return self.approx, self.rational

    @property
    def is_float64(self) -> bool:
        """Whether `approx` is the point itself."""
        return self.rational is None

    @cached_property
    def coordinates(self) -> tuple[Fraction, ...]:
        """The exact coordinates."""
        return self.rational or tuple(Fraction(v) for v in self.approx.tolist())

    @cached_property
    def integers(self) -> list[int]:
        """Homogeneous integers, the positive denominator last."""
        return over_common_denominator(self.coordinates)


def dot(row: Sequence[int], point: Sequence[int]) -> int:
    """Scalar product in integers; its sign is the sign of the affine form at the point."""
    return sum(r * p for r, p in zip(row, point, strict=True) if r)
