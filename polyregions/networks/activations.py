"""Units with two slopes: what stands between one affine map and the next.

A unit maps z to ``slope_on * z`` where ``z > 0`` and to ``slope_off * z`` where ``z <= 0``.
ReLU is (0, 1), LeakyReLU (a, 1), the absolute value (-1, 1); identity units (1, 1) never split
and have no bit in the activation pattern.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from polyregions._types import Bools, Floats

RELU: Final = (0.0, 1.0)
IDENTITY: Final = (1.0, 1.0)
ABS: Final = (-1.0, 1.0)


def uniform_slopes(n_units: int, slopes: tuple[float, float]) -> Floats:
    """Slopes (n, 2) of a layer in which every unit is of the same kind."""
    return np.tile(np.asarray(slopes, dtype=np.float64), (n_units, 1))


def splitting(slopes: Floats) -> Bools:
    """Which units (n,) have a kink, and so a bit in the activation pattern."""
    kinked: Bools = slopes[:, 0] != slopes[:, 1]
    return kinked


def activate(z: Floats, slopes: Floats) -> Floats:
    """Apply the units to pre-activations z (..., n)."""
    out: Floats = np.where(z > 0, slopes[:, 1], slopes[:, 0]) * z
    return out
