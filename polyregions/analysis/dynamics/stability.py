"""Whether the eigenvalues of a rational matrix lie within, on or outside the unit circle; decided, never guessed.

flint encloses the roots of the characteristic polynomial's irreducible factors in discs that hold one root each. A
disc that does not meet the unit circle decides. A root on the circle is that of a factor with reversed coefficients,
of which ``1 / conj(z)`` is a root as well as z: where the disc of z is the only one that this can lie in, it is z.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

import numpy as np
from flint import acb, ctx, fmpq_mat, fmpz_poly

from polyregions._types import Floats
from polyregions.errors import InternalError
from polyregions.exact.lp import as_fmpq
from polyregions.read_only import ReadOnly

StabilityVerdict: TypeAlias = Literal["stable", "unstable", "neither", "undecided"]

START: Final = 64  # bits
MOST: Final = 1 << 20


@dataclass(frozen=True, eq=False)
class Stability(ReadOnly):
    """The eigenvalues of one affine map ``x -> W x + b``.

    Attributes:
        inside: how many of modulus less than 1, each as often as it is one; exact.
        on: how many of modulus 1; exact.
        outside: how many of modulus more than 1; exact.
        moduli: (d,) all moduli, descending, rounded to float64.
    """

    inside: int
    on: int
    outside: int
    moduli: Floats

    @property
    def verdict(self) -> StabilityVerdict:
        """What the map does near a fixed point of it.

        "stable": all moduli are less than 1, so it draws near; "unstable": one is more than 1, so almost everything
        beside it goes away; "neither": the largest is 1, of which eigenvalues alone do not tell.
        """
        if self.outside:
            return "unstable"
        return "neither" if self.on else "stable"


def stability_of(weight: Sequence[Sequence[Fraction]]) -> Stability:
    """The eigenvalues of a rational matrix (d, d), against the unit circle.

    >>> rotation = [[Fraction(3, 5), Fraction(-4, 5)], [Fraction(4, 5), Fraction(3, 5)]]
    >>> stability_of(rotation).verdict
    'neither'
    """
    found = [pair for factor, times in _factors(weight) for pair in _roots(factor) for _ in range(times)]
    sides = [side for side, _ in found]
    moduli = np.array(sorted((modulus for _, modulus in found), reverse=True), dtype=np.float64)
    return Stability(sides.count(-1), sides.count(0), sides.count(1), moduli)


def _factors(weight: Sequence[Sequence[Fraction]]) -> list[tuple[fmpz_poly, int]]:
    """The irreducible factors of the characteristic polynomial, and how often each."""
    d = len(weight)
    polynomial = fmpq_mat(d, d, [as_fmpq(entry) for row in weight for entry in row]).charpoly()
    factors: list[tuple[fmpz_poly, int]] = polynomial.numer().factor()[1]
    return factors


def _roots(factor: fmpz_poly) -> Iterator[tuple[int, float]]:
    """For each root of an irreducible polynomial: -1 within, 0 on, 1 outside the circle; and its modulus."""
    coefficients = [int(c) for c in factor.coeffs()]
    reverse = coefficients[::-1]
    can_be_on = coefficients in (reverse, [-c for c in reverse])
    bits = START
    while bits <= MOST:
        with ctx.workprec(bits):
            discs = [root for root, _ in factor.complex_roots()]
            sides = [_side(disc, discs, can_be_on) for disc in discs]
            if None not in sides:
                yield from zip((s for s in sides if s is not None), (_modulus(d) for d in discs), strict=True)
                return
        bits *= 2
    raise InternalError(
        "stability: the roots of an irreducible polynomial were not separated from the unit circle"
    )


def _side(disc: acb, discs: Sequence[acb], can_be_on: bool) -> int | None:
    """On which side of the circle the root in a disc lies; None if that cannot be seen yet."""
    modulus = abs(disc)
    if modulus < 1 or modulus > 1:
        return -1 if modulus < 1 else 1
    if not can_be_on:
        return None
    mirrored = 1 / disc.conjugate()
    return 0 if sum(bool(mirrored.overlaps(other)) for other in discs) == 1 else None


def _modulus(disc: acb) -> float:
    return float(abs(disc).mid())
