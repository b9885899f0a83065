"""Multilayer perceptrons of scikit-learn, which is imported only when handed such an object.

The network is the function in front of the output activation: softmax or logistic of a classifier are taken off with
a notice. A classifier of two classes has one output, positive for the second class.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import network_errors_are_format_errors
from polyregions.io.models.comparison import compare_with_source, comparison_points, rounding_tolerance
from polyregions.io.models.onnx.vocabulary import OperatorBuilder, finite
from polyregions.networks.graph import GraphBuilder, lower
from polyregions.networks.network import Network

FINAL: Final = {"identity": None, "softmax": "Softmax", "logistic": "Sigmoid"}


def network_of_estimator(estimator: Any, *, check: bool = True) -> Network:
    """The network in a fitted `MLPClassifier` or `MLPRegressor`.

    Args:
        estimator: with the activation relu or identity.
        check: compare the result with what the estimator predicts at random points.

    Raises:
        UnsupportedError: another activation, or an estimator that is not fitted.
        FormatError: weights that are not finite, other predictions.
    """
    where = type(estimator).__name__
    if not hasattr(estimator, "coefs_"):
        raise UnsupportedError(f"{where}: is not fitted")
    if estimator.activation not in ("relu", "identity"):
        raise UnsupportedError(f"{where}: activation {estimator.activation!r}, expected 'relu' or 'identity'")
    if estimator.out_activation_ not in FINAL:
        raise UnsupportedError(
            f"{where}: output activation {estimator.out_activation_!r}, expected {[*FINAL]}"
        )
    build, node = GraphBuilder(len(estimator.coefs_[0]), where), 0
    n_layers = len(estimator.coefs_)
    for i, (weight, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        matrix = finite(weight, f"{where}.coefs_[{i}]")
        node = build.dense(node, matrix.T, finite(bias, f"{where}.intercepts_[{i}]"))
        if estimator.activation == "relu" and i < n_layers - 1:
            node = build.relu(node)
    final = FINAL[estimator.out_activation_]
    if final is not None:
        OperatorBuilder(build, f"{where}: output activation").take_off(final, (build.width(node),), -1)
    graph = build.graph(node)
    with network_errors_are_format_errors():
        network = lower(graph, where)
    if check:
        points = comparison_points(graph)
        tolerance = rounding_tolerance(graph, points, np.float64)
        difference = compare_with_source(
            network, points, _outputs(estimator, points, final), tolerance, final
        )
        if difference is not None:
            raise FormatError(f"{where}: {difference} (scikit-learn's own prediction)")
    return network


def _outputs(estimator: Any, points: Any, final: str | None) -> Any:
    """Predictions of a regressor, or the probabilities that a classifier computes."""
    if not hasattr(estimator, "predict_proba"):
        return estimator.predict(points)
    found = estimator.predict_proba(points)
    return found[:, 1:] if final == "Sigmoid" and estimator.n_outputs_ == 1 else found
