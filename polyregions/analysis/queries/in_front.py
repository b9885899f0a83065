"""Affine functions of outputs behind a final function, where they increase with one of the values in front of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyregions.exact.numbers import over_common_denominator
from polyregions.networks.final_function import FinalFunction
from polyregions.networks.final_rows import lead_of
from polyregions.networks.final_values import increasing
from polyregions.networks.network import Network


@dataclass(frozen=True)
class InFront:
    """``factor * f(lead . y) + offset`` with f increasing in the values y in front of a final function.

    Attributes:
        function: the final function that f belongs to.
        factor: not 0.
        offset: what is added.
        lead: (c,) coefficients, times the sign of the factor: the larger ``lead . y``, the larger the whole.
    """

    function: FinalFunction
    factor: Fraction
    offset: Fraction
    lead: list[Fraction]

    def value(self, largest: Fraction | None) -> float:
        """The function's supremum, rounded once, where ``lead . y`` has this maximum; None for unbounded."""
        sign = 1 if self.factor > 0 else -1
        reached = None if largest is None else sign * largest
        return increasing(self.function, self.factor, self.offset, reached)


def in_front(network: Network, outputs: Sequence[Fraction], inputs: Sequence[Fraction]) -> InFront | None:
    """An objective in terms of the values in front; None where the network ends in no such function.

    Raises:
        UnsupportedError: there is no such form.
    """
    if network.final_function is None:
        return None
    *b, divisor = over_common_denominator(outputs)
    found = None if any(inputs) else lead_of(network.final_function, b)
    if found is None:
        raise network.refusal_of_values("this function")
    factor, offset, lead = found
    sign = 1 if factor > 0 else -1
    return InFront(
        network.final_function,
        Fraction(factor, divisor),
        Fraction(offset, divisor),
        [Fraction(sign * e) for e in lead],
    )
