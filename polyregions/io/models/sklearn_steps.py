"""Steps of a scikit-learn pipeline that are affine (or clip), exactly: quotients are rationals, nothing is rounded."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.onnx.vocabulary import finite
from polyregions.networks.graph import GraphBuilder

Step: TypeAlias = Callable[[GraphBuilder, int, Any, str], int]


def add_step(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    """The node that a fitted transformer makes of another one.

    Args:
        build: the graph so far.
        node: what comes in.
        step: a transformer; None or "passthrough" for none.
        where: the step, for messages.

    Raises:
        UnsupportedError: a transformer that is not fitted or of another kind, or an option that is not affine.
        FormatError: numbers that are not finite, a division by zero.
    """
    if step is None or isinstance(step, str):  # "passthrough" is the only text that scikit-learn takes
        return node
    ours = [k.__name__ for k in type(step).__mro__ if k.__module__.split(".")[0] == "sklearn"]
    found = next((STEPS[name] for name in ours if name in STEPS), None)
    if found is None:
        raise UnsupportedError(f"{where}: {type(step).__name__}, expected one of {', '.join(sorted(STEPS))}")
    if not hasattr(step, "n_features_in_"):
        raise UnsupportedError(f"{where}: {type(step).__name__} is not fitted")
    return found(build, node, step, where)


def _standard(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    shifted = _minus(build, node, step.mean_ if step.with_mean else None, f"{where}.mean_")
    return _over(build, shifted, step.scale_ if step.with_std else None, f"{where}.scale_")


def _robust(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    shifted = _minus(build, node, step.center_ if step.with_centering else None, f"{where}.center_")
    return _over(build, shifted, step.scale_ if step.with_scaling else None, f"{where}.scale_")


def _min_max(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    scaled = build.scale(node, finite(step.scale_, f"{where}.scale_"))
    found = build.shift(scaled, finite(step.min_, f"{where}.min_"))
    return _clipped(build, found, *step.feature_range) if getattr(step, "clip", False) else found


def _max_abs(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    found = _over(build, node, step.scale_, f"{where}.scale_")
    return _clipped(build, found, -1, 1) if getattr(step, "clip", False) else found


def _principal(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    if getattr(step, "whiten", False):
        raise UnsupportedError(f"{where}: whitens, which takes roots; expected whiten=False")
    return _projected(build, _minus(build, node, step.mean_, f"{where}.mean_"), step, where)


def _projected(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    matrix = finite(step.components_, f"{where}.components_")
    return build.dense(node, matrix, np.zeros(len(matrix)))


def _selected(build: GraphBuilder, node: int, step: Any, where: str) -> int:
    return build.select(node, np.asarray(step.get_support(indices=True), dtype=np.int64))


def _minus(build: GraphBuilder, node: int, values: Any, where: str) -> int:
    return node if values is None else build.shift(node, -finite(values, where))


def _over(build: GraphBuilder, node: int, values: Any, where: str) -> int:
    """Each entry over its divisor, as a rational."""
    if values is None:
        return node
    divisors = finite(values, where)
    if np.any(divisors == 0):
        raise FormatError(f"{where}[{int(np.argmin(divisors != 0))}] is 0.0, expected a divisor")
    factors = np.array([1 / Fraction(divisor) for divisor in divisors.tolist()], dtype=object)
    return build.scale(node, factors)


def _clipped(build: GraphBuilder, node: int, low: float, high: float) -> int:
    width = build.width(node)
    return build.clip(node, np.full(width, float(low)), np.full(width, float(high)))


STEPS: Final[dict[str, Step]] = {
    "IncrementalPCA": _principal,
    "MaxAbsScaler": _max_abs,
    "MinMaxScaler": _min_max,
    "PCA": _principal,
    "RobustScaler": _robust,
    "SelectorMixin": _selected,
    "StandardScaler": _standard,
    "TruncatedSVD": _projected,
}
"""By the name of scikit-learn's class, or of one that it is derived from."""
