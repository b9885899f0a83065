"""Values of exponentials and logarithms of rationals as proved enclosures, by flint's ball arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf
from typing import Final

from flint import arb, ctx, fmpq

from polyregions.exact.numbers import nearest_float
from polyregions.networks.final_function import FinalFunction

FIRST_BITS: Final = 64
TINY: Final = Fraction(1, 2**5000)
"""Far below the least float64: what is smaller is taken for zero, and ends of intervals are moved by twice as much."""


def nearest_values(function: FinalFunction, logits: Sequence[Fraction]) -> tuple[float, ...]:
    """What a final function makes of rational values (c,), each rounded once to float64; of ArgMax the first index."""
    if function == "ArgMax":
        return (float(max(range(len(logits)), key=lambda i: (logits[i], -i))),)
    return tuple(_rounded(_value(function, logits, i)) for i in range(len(logits)))


def logit(threshold: Fraction, function: FinalFunction) -> Callable[[], arb]:
    """Where a value in front of a Sigmoid, or a lead before a Softmax or LogSoftmax of two, gives a threshold.

    It is irrational, except that 1/2 is at 0 (Lindemann and Weierstrass: logarithms of other rationals are
    transcendental, and so is ``s - log(1 - exp(s))`` for rational s < 0).

    Args:
        threshold: strictly between 0 and 1; of a LogSoftmax strictly below 0.
        function: which.
    """
    if function == "LogSoftmax":
        return lambda: _arb(threshold) - (1 - _arb(threshold).exp()).log()
    return lambda: _arb(threshold / (1 - threshold)).log()


def increasing(function: FinalFunction, factor: Fraction, offset: Fraction, at: Fraction | None) -> float:
    """``factor * f(at) + offset`` rounded once; f is the logistic function, or its logarithm for a LogSoftmax.

    Args:
        function: the final function.
        factor: not 0.
        offset: what is added.
        at: where; None for the limit at the end where ``factor * f`` is larger.
    """
    if at is None:
        limit = (
            Fraction(1 if factor > 0 else 0)
            if function != "LogSoftmax"
            else None
            if factor < 0
            else Fraction(0)
        )
        return inf if limit is None else nearest_float(factor * limit + offset)
    pair = [at, Fraction(0)]  # the first of two outputs with this lead

    def value() -> arb:
        return _arb(factor) * _value(
            "LogSoftmax" if function == "LogSoftmax" else "Softmax", pair, 0
        )() + _arb(offset)

    if at == 0 and function != "LogSoftmax":
        return nearest_float(factor / 2 + offset)
    return _rounded(value)


def enclosure(number: Callable[[], arb], bits: int) -> tuple[Fraction, Fraction]:
    """Rational ends of an interval that holds a number, computed with at least so many bits."""
    before = ctx.prec
    try:
        ctx.prec = bits
        while not (ball := number()).is_finite():
            ctx.prec *= 2
    finally:
        ctx.prec = before
    middle, radius = _dyadic(ball.mid()), _dyadic(ball.rad()) + 2 * TINY
    return middle - radius, middle + radius


def _value(function: FinalFunction, logits: Sequence[Fraction], i: int) -> Callable[[], arb]:
    """Output i as an enclosure in flint's current precision."""
    largest = max(logits)

    def value() -> arb:
        if function == "Sigmoid":
            small = (-abs(_arb(logits[i]))).exp()  # of the sign that does not overflow
            return (1 if logits[i] > 0 else small) / (1 + small)
        total = sum((_arb(z - largest).exp() for z in logits), arb(0))
        lead = _arb(logits[i] - largest)
        return lead.exp() / total if function == "Softmax" else lead - total.log()

    return value


def _rounded(number: Callable[[], arb]) -> float:
    """The nearest float64 of a number that is no midpoint of two."""
    bits = FIRST_BITS
    while True:
        low, high = (nearest_float(end) for end in enclosure(number, bits))
        if low == high:
            return high
        bits *= 2


def _dyadic(number: arb) -> Fraction:
    """An exact, finite flint number, to within `TINY`: its exponent may have more digits than fit into memory."""
    if abs(number) < _arb(TINY):
        return Fraction(0)
    mantissa, exponent = (int(part) for part in number.man_exp())
    return Fraction(mantissa) * Fraction(2) ** exponent


def _arb(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))
