"""Sums and products of arrays without rounding: float64 where that is proved to be exact, else fractions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints

MANTISSA_BITS: Final = 53
SAFE_EXPONENT: Final = 900
"""Products with exponents within this are neither subnormal nor infinite."""


def exact_sum(a: Any, b: Any) -> Any:
    """``a + b``: floats where no entry is rounded (the rounding error is Knuth's TwoSum), else rationals."""
    if a.dtype != object and b.dtype != object:
        with np.errstate(over="ignore", invalid="ignore"):
            total = a + b
            part = total - a
            error = (a - (total - part)) + (b - part)
        if not np.any(error):  # an overflow leaves NaN, which counts as an error
            return total
    return floats_if_exact(rationals(a) + rationals(b))


def exact_product(a: Any, b: Any) -> Any:
    """``a * b`` entry by entry: floats where no entry is rounded, else rationals."""
    if a.dtype != object and b.dtype != object:
        product = exact_products(*np.broadcast_arrays(a, b))
        if product is not None:
            return product
    return floats_if_exact(rationals(a) * rationals(b))


def rationals(array: Any) -> Any:
    """The same numbers as an object array of fractions."""
    return object_array(fractions_of(array.ravel())).reshape(array.shape)


def fractions_of(array: Any) -> list[Fraction]:
    """The numbers (n,) as fractions of Python integers: those of numpy would overflow."""
    return [entry if type(entry) is Fraction else Fraction(entry) for entry in array.tolist()]


def floats_if_exact(array: Any) -> Any:
    """Rationals as float64 where that loses nothing, else as they are."""
    array = np.asarray(array, dtype=object)
    try:
        floats = array.astype(np.float64)
    except OverflowError:
        return array
    same = all(Fraction(f) == exact for f, exact in zip(floats.flat, array.flat, strict=True))
    return floats if same else array


def object_array(entries: Sequence[Any]) -> Any:
    """Entries (n,) of any kind as an object array."""
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array


def exact_products(a: Floats, b: Floats) -> Floats | None:
    """Products (n,) of factors (n,), or of any other shape, that are all exact; None where one may not be."""
    (bits_a, low_a), (bits_b, low_b) = _bits(a), _bits(b)
    zero = (a == 0) | (b == 0)
    fits = (bits_a + bits_b <= MANTISSA_BITS) & (np.abs(low_a + low_b) < SAFE_EXPONENT)
    return a * b if np.all(fits | zero) else None


def exact_sums(terms: Floats, places: Ints) -> tuple[Ints, Floats] | None:
    """The places that occur and the sum of the terms at each (sorted by place), None where one may be rounded.

    Args:
        terms: (m,) the terms.
        places: (m,) where each belongs, ascending.
    """
    if not len(terms):
        return places, terms
    starts = np.flatnonzero(np.append(True, places[1:] != places[:-1]))
    sums = np.add.reduceat(terms, starts)
    if len(starts) < len(terms):
        _, low = _bits(terms)
        low = np.where(terms == 0, SAFE_EXPONENT, low)
        lowest, size = np.minimum.reduceat(low, starts), np.add.reduceat(np.abs(terms), starts)
        alone = np.diff(np.append(starts, len(terms))) == 1
        # all terms are multiples of 2^lowest, and so are all partial sums, which stay below 2^53 of these
        fits = (size < np.ldexp(1.0, np.clip(lowest + MANTISSA_BITS, -1000, 1000))) & (
            lowest > -SAFE_EXPONENT
        )
        if not np.all(fits | alone | (size == 0)):
            return None
    return places[starts], sums


def _bits(x: Floats) -> tuple[Ints, Ints]:
    """Bits of the odd part of each mantissa, and the exponent of its last bit."""
    mantissa, exponent = np.frexp(x)
    whole = np.ldexp(mantissa, MANTISSA_BITS).astype(np.int64)
    _, last = np.frexp((whole & -whole).astype(np.float64))
    zeros = np.maximum(last - 1, 0).astype(np.int64)
    return MANTISSA_BITS - zeros, exponent.astype(np.int64) - MANTISSA_BITS + zeros
