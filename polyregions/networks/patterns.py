"""Activation patterns packed into bytes: eight neurons a byte, the first neuron in the highest bit.

Packed this way the byte order of two patterns is their lexicographic order (off before on).
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools, Bytes


def bytes_of(n_neurons: int) -> int:
    """How many bytes a packed pattern takes."""
    return (n_neurons + 7) // 8


def pack(patterns: Bools | Bytes) -> Bytes:
    """Pack patterns (R, N), of booleans or of zeros and ones, into bytes (R, ceil(N / 8)).

    >>> pack(np.array([[True, False, True]])).tolist()
    [[160]]
    """
    return np.packbits(patterns, axis=1)


def unpack(packed: Bytes, n_neurons: int) -> Bools:
    """The patterns (R, N) of packed bytes (R, ceil(N / 8))."""
    return np.unpackbits(packed, axis=1, count=n_neurons).astype(np.bool_)


def keys(packed: Bytes) -> list[bytes]:
    """One hashable key for each packed pattern (R, ceil(N / 8))."""
    return [row.tobytes() for row in packed]


def key_of(pattern: Bools) -> bytes:
    """The hashable key of one pattern (N,)."""
    return np.packbits(pattern).tobytes()


def as_text(pattern: Bools) -> str:
    """A pattern (N,) as a string of 0 and 1."""
    return "".join("1" if bit else "0" for bit in pattern)


def sometimes_on(packed: Bytes, n_neurons: int) -> Bools:
    """Which neurons (N,) are on in some pattern of packed bytes (R, ceil(N / 8)).

    Of a complete set of regions, the others are off on the whole input set: where a neuron is positive, it is so on
    an open set, and that meets the interior of a region.
    """
    bits: Bools = unpack(np.bitwise_or.reduce(packed, axis=0)[None], n_neurons)[0]
    return bits


def always_on(packed: Bytes, n_neurons: int) -> Bools:
    """Which neurons (N,) are on in every pattern of packed bytes (R, ceil(N / 8)); all if there is none.

    Of a complete set of regions, these are nowhere negative on the input set, so they act as the identity there.
    """
    bits: Bools = unpack(np.bitwise_and.reduce(packed, axis=0)[None], n_neurons)[0]
    return bits
