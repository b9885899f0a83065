"""The forward pass in integers, at a point or infinitesimally beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpz_mat

from polyregions._types import Floats
from polyregions.exact.affine import IntegerAffine, integers_of_floats
from polyregions.exact.numbers import over_common_denominator
from polyregions.networks.folding import affine_of_layer
from polyregions.networks.network import Network


@dataclass(frozen=True)
class Germ:
    """What the network does at ``x + e v`` for every small enough e > 0.

    Attributes:
        pattern: N bits.
        value: c outputs at x.
        rate: c derivatives along v, from that side.
    """

    pattern: tuple[bool, ...]
    value: tuple[Fraction, ...]
    rate: tuple[Fraction, ...]


class ExactNetwork:
    """A network's layers as integer matrices, made once and asked many times."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.affines: list[IntegerAffine] = [affine_of_layer(layer) for layer in network.layers]
        self._slopes = [integers_of_floats(layer.slopes) for layer in network.layers]
        self._splitting = [layer.splitting.tolist() for layer in network.layers]

    def germ(self, x: Sequence[Fraction], v: Sequence[Fraction] | None = None) -> Germ:
        """Pattern and outputs at x, or just beside it in direction v, exactly."""
        k = len(x)
        homogeneous = over_common_denominator([*x, *(v or [Fraction(0)] * k)])
        scale = homogeneous[-1]
        columns = [[homogeneous[i], homogeneous[k + i]] for i in range(k)]
        bits: list[bool] = []
        for affine, (slopes, slope_scale), kinked in zip(
            self.affines, self._slopes, self._splitting, strict=True
        ):
            z = affine.matrix * _with_bias_column(columns, scale)
            on = [z[i, 0] > 0 or (z[i, 0] == 0 and z[i, 1] > 0) for i in range(z.nrows())]
            columns = [[int(z[i, c]) * slopes[i][on[i]] for c in (0, 1)] for i in range(z.nrows())]
            bits += [bit for bit, split in zip(on, kinked, strict=True) if split]
            scale *= affine.denominator * slope_scale
        value = tuple(Fraction(column[0], scale) for column in columns)
        return Germ(tuple(bits), value, tuple(Fraction(column[1], scale) for column in columns))

    def pattern(self, x: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """The activation pattern (N,) at a float64 point."""
        return np.array(self.germ([Fraction(c) for c in x.tolist()]).pattern, dtype=np.bool_)


def _with_bias_column(columns: list[list[int]], scale: int) -> fmpz_mat:
    return fmpz_mat(len(columns) + 1, 2, [entry for pair in columns for entry in pair] + [scale, 0])
