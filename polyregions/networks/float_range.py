"""Whether float64 can follow a network at all: decided once, from its coefficients alone.

Error bounds that are relative to what was rounded hold as long as nothing underflows. A sum may cancel, but the
bound on its error is a sum of absolute values and does not: it is at least a unit roundoff times the product of
the coefficients along one path from an input or a bias. So if all these products are far above the least floats,
what underflow hides is far below the error bounds; and if all are far below the largest, nothing overflows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

import numpy as np

from polyregions._types import Floats, Ints


class LayerNumbers(Protocol):
    """What is looked at of a layer (`network.Layer`, which lies above this module)."""

    @property
    def weight(self) -> Floats:
        """(n, k)."""
        ...

    @property
    def bias(self) -> Floats:
        """(n,)."""
        ...

    @property
    def n_inputs(self) -> int:
        """Number of inputs k."""
        ...

    def row_blocks(self) -> Iterator[tuple[slice, Ints, Floats]]:
        """The weight in pieces: some rows, the columns that are not empty in them, the entries there."""
        ...

    @property
    def slopes(self) -> Floats:
        """(n, 2)."""
        ...

    @property
    def exact(self) -> Any:
        """The exact map with its `numerators` (n, k+1), or None."""
        ...


LOWEST: Final = -930.0  # binary exponents: about 1e-280 and 1e280
HIGHEST: Final = 930.0
LEAST_NORMAL: Final = 2.0**-1022


def is_tame(layers: Iterable[LayerNumbers], least: Floats | None = None, most: Floats | None = None) -> bool:
    """Whether floats can prove anything about a network: no path of its coefficients comes near the ends of float64.

    Multiplying a neuron by a power of two and dividing what reads it by the same changes no path.

    Args:
        layers: the layers.
        least, most: (k,) binary logarithms of the least width and of the largest value of each input; 0 if None.
    """
    for layer in layers:
        if least is None or most is None:  # from here on of the paths that end in each unit
            least = most = np.zeros(layer.n_inputs)
        least, most = _through_weights(layer, least, most)
        if not (_in_range(least, most) and _is_rounded_by_a_factor(layer)):
            return False
        low, high = _log2(layer.slopes)
        least, most = least + low.min(axis=1), most + high.max(axis=1)
        if not _in_range(least, most):
            return False
    return True


def is_tame_within(layers: Iterable[LayerNumbers], lower: Floats, upper: Floats) -> bool:
    """The same for inputs within finite bounds (k,), which may be at the ends of float64 themselves."""
    width, size = upper / 2 - lower / 2, np.maximum(np.abs(lower), np.abs(upper))
    if not (np.all(width > 0) and np.all(np.isfinite(size))):
        return False
    least, most = np.log2(width), np.log2(size)
    return _in_range(least, most) and is_tame(layers, least, most)


def _through_weights(layer: LayerNumbers, least: Floats, most: Floats) -> tuple[Floats, Floats]:
    """The least product and the largest sum of products that reach each unit, its bias being a path as well."""
    lowest, highest = _log2(layer.bias)
    for rows, columns, weight in layer.row_blocks():
        low, high = _log2(weight)
        lowest[rows] = np.minimum(np.min(low + least[columns], axis=1, initial=np.inf), lowest[rows])
        highest[rows] = np.maximum(np.max(high + most[columns], axis=1, initial=-np.inf), highest[rows])
    return lowest, highest + np.log2(layer.n_inputs + 1)


def _log2(coefficients: Floats) -> tuple[Floats, Floats]:
    """Logarithms of the sizes for a minimum and for a maximum, zeros being no path in either."""
    zero = coefficients == 0
    size = np.log2(np.where(zero, 1.0, np.abs(coefficients)))
    return np.where(zero, np.inf, size), np.where(zero, -np.inf, size)


def _in_range(least: Floats, most: Floats) -> bool:
    return bool(np.all(least >= LOWEST) and np.all(most <= HIGHEST))


def _is_rounded_by_a_factor(layer: LayerNumbers) -> bool:
    """Whether every float is within a unit roundoff of its rational: none became zero or subnormal."""
    if layer.exact is None:
        return True
    size = np.abs(np.column_stack([layer.weight, layer.bias]))
    vanished = (size == 0) & (layer.exact.numerators != 0)
    return not np.any(vanished | ((size > 0) & (size < LEAST_NORMAL)))
