"""Activation patterns packed into bytes: eight neurons a byte, the first neuron in the highest bit.

Packed this way the byte order of two patterns is their lexicographic order (off before on).
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Bools, Bytes


def pack(patterns: Bools) -> Bytes:
    """Pack patterns (R, N) into bytes (R, ceil(N / 8)).

    >>> pack(np.array([[True, False, True]])).tolist()
    [[160]]
    """
    return np.packbits(patterns, axis=1)


def unpack(packed: Bytes, n_neurons: int) -> Bools:
    """The patterns (R, N) of packed bytes (R, ceil(N / 8))."""
    return np.unpackbits(packed, axis=1, count=n_neurons).astype(np.bool_)


def keys(packed: Bytes) -> list[bytes]:
    """One hashable key for each packed pattern."""
    return [row.tobytes() for row in packed]


def key_of(pattern: Bools) -> bytes:
    """The hashable key of one pattern (N,)."""
    return np.packbits(pattern).tobytes()


def as_text(pattern: Bools) -> str:
    """A pattern (N,) as a string of 0 and 1."""
    return "".join("1" if bit else "0" for bit in pattern)
