"""What final operators that are taken off make of outputs, so that an import is compared with the whole source."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from polyregions._types import Floats

ROUNDING: Final = 64.0
"""Factor above one unit of rounding within which a source computes exp, log and a sum."""


class Compared(NamedTuple):
    """What should be equal within a tolerance, each (k, c)."""

    expected: Floats
    found: Floats
    tolerance: Floats


def behind(op: str, values: Floats, found: Floats, tolerance: Floats, epsilon: float) -> Compared:
    """Compare a source's outputs behind a final operator.

    Args:
        op: Softmax, LogSoftmax, Sigmoid or ArgMax.
        values: (k, c) outputs of the network in front of it.
        found: (k, c) what the source gives, or (k, 1) indices.
        tolerance: (k, c) of the values in front of it.
        epsilon: unit of rounding of the source.
    """
    largest = tolerance.max(axis=1, keepdims=True)
    if op == "ArgMax":  # what the source takes for the largest is as large as any, within tolerance
        gap = values.max(axis=1, keepdims=True) - np.take_along_axis(values, found.astype(np.int64), axis=1)
        return Compared(np.zeros_like(gap), gap, 2 * largest)
    if op == "Sigmoid":
        return Compared(0.5 * (1 + np.tanh(values / 2)), found, tolerance + ROUNDING * epsilon)
    shifted = values - values.max(axis=1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    if op == "Softmax":
        return Compared(np.exp(logarithms), found, largest + ROUNDING * epsilon)
    return Compared(logarithms, found, 2 * largest + ROUNDING * epsilon * (1 + np.abs(logarithms)))
