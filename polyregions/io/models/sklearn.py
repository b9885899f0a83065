"""Multilayer perceptrons of scikit-learn, alone or at the end of a pipeline; it is imported only when handed such one.

The network is the function in front of the output activation: softmax or logistic of a classifier are taken off with
a notice. A classifier of two classes has one output, positive for the second class.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import network_errors_are_format_errors
from polyregions.io.models.comparison import compare_with_source, comparison_points, rounding_tolerance
from polyregions.io.models.onnx.vocabulary import OperatorBuilder, finite
from polyregions.io.models.sklearn_steps import add_step
from polyregions.networks.graph import GraphBuilder, lower
from polyregions.networks.network import Network

FINAL: Final = {"identity": None, "softmax": "Softmax", "logistic": "Sigmoid"}


def network_of_estimator(estimator: Any, *, check: bool = True) -> Network:
    """The network in a fitted `MLPClassifier` or `MLPRegressor`, or in a `Pipeline` of affine steps that ends in one.

    Args:
        estimator: with the activation relu or identity.
        check: compare the result with what the estimator predicts at random points.

    Raises:
        UnsupportedError: another activation or step, or an estimator that is not fitted.
        FormatError: weights that are not finite, other predictions.
    """
    source = type(estimator).__name__
    steps, last = _steps_of(estimator, source)
    widths = [step.n_features_in_ for _, step in [*steps, last] if hasattr(step, "n_features_in_")]
    build, node = GraphBuilder(widths[0] if widths else 0, source), 0
    for where, step in steps:
        node = add_step(build, node, step, where)
    node, final = _add_perceptron(build, node, last[1], last[0])
    graph = build.graph(node)
    with network_errors_are_format_errors():
        network = lower(graph, source)
    if check:
        points = comparison_points(graph)
        tolerance = rounding_tolerance(graph, points, np.float64)
        difference = compare_with_source(
            network, points, _outputs(estimator, last[1], points, final), tolerance, final
        )
        if difference is not None:
            raise FormatError(f"{source}: {difference} (scikit-learn's own prediction)")
    return network


def _steps_of(estimator: Any, where: str) -> tuple[list[tuple[str, Any]], tuple[str, Any]]:
    """The steps in front of the estimator, and it itself, each with its place; pipelines in pipelines are opened."""
    if not hasattr(estimator, "steps"):
        return [], (where, estimator)
    found: list[tuple[str, Any]] = []
    for name, step in estimator.steps:
        before, last = _steps_of(step, f"{where}, step {name}")
        found += [*before, last]
    return found[:-1], found[-1]


def _add_perceptron(build: GraphBuilder, node: int, estimator: Any, where: str) -> tuple[int, str | None]:
    """The node of its outputs, and the operator that was taken off behind them."""
    if not hasattr(estimator, "hidden_layer_sizes"):
        raise UnsupportedError(
            f"{where}: {type(estimator).__name__}, expected an MLPClassifier or MLPRegressor at the end"
        )
    if not hasattr(estimator, "coefs_"):
        raise UnsupportedError(f"{where}: is not fitted")
    if estimator.activation not in ("relu", "identity"):
        raise UnsupportedError(f"{where}: activation {estimator.activation!r}, expected 'relu' or 'identity'")
    if estimator.out_activation_ not in FINAL:
        raise UnsupportedError(
            f"{where}: output activation {estimator.out_activation_!r}, expected {[*FINAL]}"
        )
    n_layers = len(estimator.coefs_)
    for i, (weight, bias) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        matrix = finite(weight, f"{where}.coefs_[{i}]")
        node = build.dense(node, matrix.T, finite(bias, f"{where}.intercepts_[{i}]"))
        if estimator.activation == "relu" and i < n_layers - 1:
            node = build.relu(node)
    final = FINAL[estimator.out_activation_]
    if final is not None:
        OperatorBuilder(build, f"{where}: output activation").take_off(final, (build.width(node),), -1)
    return node, final


def _outputs(estimator: Any, perceptron: Any, points: Any, final: str | None) -> Any:
    """Predictions of a regressor, or the probabilities that a classifier computes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that points have no names of columns
        if not hasattr(estimator, "predict_proba"):
            return estimator.predict(points)
        found = estimator.predict_proba(points)
    return found[:, 1:] if final == "Sigmoid" and perceptron.n_outputs_ == 1 else found
