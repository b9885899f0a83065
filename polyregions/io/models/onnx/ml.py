"""Operators of scikit-learn's pipelines in ONNX files, as far as they are affine."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyregions.io.models.onnx.arithmetic import scaled, sum_of
from polyregions.io.models.onnx.call import Call, Value
from polyregions.io.models.onnx.linear import product


def scaler(call: Call) -> Value:
    """``(x - offset) * scale`` for each feature."""
    call.only(1)
    value = call.data(0)
    n = value.shape[-1] if value.shape else 1
    offset, scale = _features(call, "offset", n, 0.0), _features(call, "scale", n, 1.0)
    return scaled(call, sum_of(call, value, offset, -1.0), scale)


def imputer(call: Call) -> Value:
    """Replaces values that are missing (NaN), of which an input has none.

    Raises:
        UnsupportedError: another value than NaN is replaced.
    """
    call.only(1)
    replaced = call.attributes.get("replaced_value_float", 0.0)
    if not (isinstance(replaced, float) and np.isnan(replaced)):
        raise call.unsupported(f"replaces the value {replaced}, so it jumps there; expected NaN")
    return call.data(0)


def linear_regressor(call: Call) -> Value:
    """``x A' + b`` for each target.

    Raises:
        FormatError: the coefficients do not fit data and targets.
        UnsupportedError: a post_transform.
    """
    call.only(1)
    value, n_targets = call.data(0), call.attribute("targets", 1)
    how = call.attribute("post_transform", "NONE")
    if how != "NONE":
        raise call.unsupported(f"post_transform {how!r}, expected NONE")
    weights = _reals(call, "coefficients")
    if len(value.shape) != 2 or n_targets < 1 or len(weights) != n_targets * value.shape[1]:
        raise call.wrong(
            f"{len(weights)} coefficients for data of shape {value.shape} and {n_targets} targets"
        )
    found = product(call, value, weights.reshape(n_targets, -1).T)
    return sum_of(call, found, _features(call, "intercepts", n_targets, 0.0), 1.0)


def _features(call: Call, name: str, n: int, default: float) -> Any:
    """A number for each of n features, one for all, or the default."""
    given = _reals(call, name)
    if not len(given):
        return np.full(n, default)
    if len(given) not in (1, n):
        raise call.wrong(f"{len(given)} numbers in {name} for {n} features")
    return np.broadcast_to(given, (n,))


def _reals(call: Call, name: str) -> Any:
    given = call.attributes.get(name, [])
    if not isinstance(given, list) or not all(isinstance(x, float) for x in given):
        raise call.wrong(f"{name} is {type(given).__name__}, expected real numbers")
    return np.array(given, dtype=np.float64)
