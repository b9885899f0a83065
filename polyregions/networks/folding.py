"""Layers as exact affine maps, and several maps as one layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polyregions.exact.affine import IntegerAffine, affine_of_floats, compose, integer_matrix
from polyregions.networks.network import Layer, exact_layer


def affine_of_layer(layer: Layer) -> IntegerAffine:
    """The exact affine map of a layer."""
    if layer.exact is None:
        return affine_of_floats(layer.weight, layer.bias)
    rows = layer.exact.numerators.tolist()
    return IntegerAffine(integer_matrix(rows, layer.n_inputs + 1), layer.exact.denominator)


def fold(affines: Sequence[Any], where: str) -> Layer:
    """One layer with identity units that equals several affine maps, the first applied first.

    Args:
        affines: `Layer` objects (their units are ignored) or `IntegerAffine` maps, in order of application.
        where: named in messages.

    Raises:
        NetworkError: an exact coefficient is beyond the range of float64.
    """
    if len(affines) == 1 and isinstance(affines[0], Layer):
        return affines[0]
    total: IntegerAffine | None = None
    for step in affines:
        exact = affine_of_layer(step) if isinstance(step, Layer) else step
        total = exact if total is None else compose(exact, total)
    assert total is not None
    return exact_layer(total.plain(), total.shape[1] - 1, where)
