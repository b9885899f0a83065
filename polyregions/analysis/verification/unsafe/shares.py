"""Shares of a volume, added up: exact sums get longer with each term, proved bounds of fixed length do not."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from flint import fmpq

BITS: Final = 256
"""Bits behind the point of the bounds."""


class Share:
    """A growing share of a whole, between two bounds that are rounded outwards.

    Attributes:
        low, high: the bounds, in units of 2 to the power of -BITS.
    """

    def __init__(self, whole: Fraction) -> None:
        self._whole = whole
        self.low = self.high = 0

    def add(self, volume: Fraction) -> None:
        """Add a part of the whole."""
        divisor = volume.denominator * self._whole.numerator
        quotient, rest = divmod((volume.numerator * self._whole.denominator) << BITS, divisor)
        self.low, self.high = self.low + quotient, self.high + quotient + bool(rest)

    @property
    def about(self) -> float:
        """The share in floats."""
        return self.low / (1 << BITS)


def from_units(n: int) -> Fraction:
    """A number of units as a share."""
    return Fraction(n, 1 << BITS)


def exact_sum(volumes: Sequence[Fraction]) -> Fraction:
    """The sum, in pairs of neighbours, pairs of pairs and so on: the long numbers come last."""
    terms = [fmpq(volume.numerator, volume.denominator) for volume in volumes]
    while len(terms) > 1:
        paired = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = paired + terms[2 * len(paired) :]
    return Fraction(int(terms[0].p), int(terms[0].q)) if terms else Fraction(0)
