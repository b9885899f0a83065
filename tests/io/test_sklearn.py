"""Perceptrons of scikit-learn: their values, their counts, and what is refused."""

from __future__ import annotations

import subprocess
import sys
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.errors import FormatError, UnsupportedError

neural_network = pytest.importorskip("sklearn.neural_network", reason="the extra sklearn is not installed")


def fitted(kind: str, y: Any, **options: Any) -> Any:
    """An estimator after a few steps, which is all that its weights need."""
    X = np.random.default_rng(5).standard_normal((40, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator = getattr(neural_network, kind)(
            hidden_layer_sizes=(6, 4), max_iter=20, random_state=1, **options
        )
        return estimator.fit(X, y)


def labels(n: int) -> Any:
    return np.arange(40) % n


def pairs_of(estimator: Any) -> list[Any]:
    return [(w.T, b) for w, b in zip(estimator.coefs_, estimator.intercepts_, strict=True)]


POINTS = np.random.default_rng(6).standard_normal((30, 3)) * 2


def test_a_regressor_predicts_what_its_network_gives() -> None:
    for y in (POINTS[:, 0].repeat(2)[:40], np.random.default_rng(0).standard_normal((40, 2))):
        estimator = fitted("MLPRegressor", y)
        net = pr.load_network(estimator)
        assert net.widths == (6, 4)
        assert net.notices == ()
        np.testing.assert_allclose(
            net(POINTS).reshape(estimator.predict(POINTS).shape), estimator.predict(POINTS)
        )


def test_a_classifier_of_several_classes_chooses_the_largest_output() -> None:
    estimator = fitted("MLPClassifier", labels(3))
    net = pr.load_network(estimator)
    assert net.n_outputs == 3
    assert "taken off" in net.notices[0]
    assert np.array_equal(net(POINTS).argmax(axis=1), estimator.predict(POINTS))


def test_a_classifier_of_two_classes_has_one_output() -> None:
    estimator = fitted("MLPClassifier", labels(2))
    net = pr.load_network(estimator)
    assert net.n_outputs == 1
    assert np.array_equal(net(POINTS)[:, 0] > 0, estimator.predict(POINTS) == 1)


def test_a_classifier_of_labels_has_an_output_for_each() -> None:
    estimator = fitted("MLPClassifier", np.column_stack([labels(2), labels(3) == 1]).astype(int))
    net = pr.load_network(estimator)
    assert np.array_equal(net(POINTS) > 0, estimator.predict(POINTS) == 1)


def test_counts_are_those_of_the_same_arrays() -> None:
    estimator = fitted("MLPClassifier", labels(3))
    box = pr.Box.cube(-1, 1, 3)
    expected = pr.count_regions(pr.load_network(pairs_of(estimator)), box)
    assert pr.count_regions(pr.load_network(estimator), box) == expected > 10


def test_an_affine_one_has_one_region() -> None:
    net = pr.load_network(fitted("MLPRegressor", POINTS[:, 0].repeat(2)[:40], activation="identity"))
    assert net.n_neurons == 0


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_other_activations_are_refused(activation: str) -> None:
    with pytest.raises(UnsupportedError, match=f"MLPClassifier: activation '{activation}', expected 'relu'"):
        pr.load_network(fitted("MLPClassifier", labels(2), activation=activation))


def test_what_is_not_fitted_or_not_finite_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="MLPRegressor: is not fitted"):
        pr.load_network(neural_network.MLPRegressor())
    estimator = fitted("MLPClassifier", labels(3))
    estimator.coefs_[1][2, 3] = np.nan
    with pytest.raises(FormatError, match=r"MLPClassifier.coefs_\[1\]\[2, 3\] is nan"):
        pr.load_network(estimator)


def test_other_predictions_are_found() -> None:
    class Turned(neural_network.MLPClassifier):  # type: ignore[misc]
        def predict_proba(self, X: Any) -> Any:
            return super().predict_proba(-np.asarray(X))

    estimator = fitted("MLPClassifier", labels(3))
    estimator.__class__ = Turned
    with pytest.raises(FormatError, match="Turned: the imported network differs from its source"):
        pr.load_network(estimator)
    assert pr.load_network(estimator, check=False).n_outputs == 3


def test_scikit_learn_is_not_imported_without_need() -> None:
    code = "import sys, polyregions as p; p.load_network([([[1]], [0])]); assert 'sklearn' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------- pipelines


def piped(*steps: Any, kind: str = "MLPRegressor") -> Any:
    """A fitted pipeline that ends in a perceptron, of columns of very different sizes."""
    pipeline = pytest.importorskip("sklearn.pipeline")
    X = np.random.default_rng(5).standard_normal((40, 3)) * [1.0, 30.0, 0.01] + [0.0, 100.0, 0.5]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last = getattr(neural_network, kind)(hidden_layer_sizes=(4,), max_iter=10, random_state=1)
        y = X[:, 0] if kind == "MLPRegressor" else labels(3)
        return pipeline.make_pipeline(*steps, last).fit(X, y)


def transformers() -> dict[str, tuple[Any, int]]:
    """Steps, each with the neurons that it brings."""
    from sklearn import decomposition, feature_selection, preprocessing

    scale = preprocessing.StandardScaler
    return {
        "standard": ([scale()], 0),
        "standard, no mean": ([scale(with_mean=False)], 0),
        "standard, no deviation": ([scale(with_std=False)], 0),
        "min-max": ([preprocessing.MinMaxScaler((-1, 2))], 0),
        "min-max, clipped": ([preprocessing.MinMaxScaler(clip=True)], 6),
        "max-abs": ([preprocessing.MaxAbsScaler()], 0),
        "robust": ([preprocessing.RobustScaler()], 0),
        "PCA": ([decomposition.PCA(2)], 0),
        "SVD": ([decomposition.TruncatedSVD(2)], 0),
        "selection": ([feature_selection.VarianceThreshold(0.1)], 0),
        "several": (["passthrough", scale(), decomposition.PCA(2), preprocessing.MaxAbsScaler()], 0),
    }


@pytest.mark.parametrize("name", transformers())
def test_a_pipeline_of_affine_steps_is_one_network(name: str) -> None:
    steps, n_neurons = transformers()[name]
    pipeline = piped(*steps)
    net = pr.load_network(pipeline)
    X = POINTS * [1.0, 30.0, 0.01] + [0.0, 100.0, 0.5]
    assert (net.n_inputs, net.n_neurons) == (3, 4 + n_neurons)
    np.testing.assert_allclose(net(X)[:, 0], pipeline.predict(X), rtol=1e-9)


def test_quotients_of_a_pipeline_are_exact() -> None:
    from sklearn.preprocessing import StandardScaler

    pipeline = piped(StandardScaler())
    scaler, perceptron = pipeline[0], pipeline[1]
    factors = [1 / Fraction(s) for s in scaler.scale_.tolist()]
    shifts = [Fraction(m) * f for m, f in zip(scaler.mean_.tolist(), factors, strict=True)]
    first = [
        [Fraction(w) * f for w, f in zip(row, factors, strict=True)]
        for row in perceptron.coefs_[0].T.tolist()
    ]
    bias = [
        Fraction(b) - sum(Fraction(w) * s for w, s in zip(row, shifts, strict=True))
        for row, b in zip(perceptron.coefs_[0].T.tolist(), perceptron.intercepts_[0].tolist(), strict=True)
    ]
    expected = pr.Network.from_layers([(first, bias), pairs_of(perceptron)[1]])
    assert pr.load_network(pipeline).fingerprint() == expected.fingerprint()


def test_a_pipeline_in_a_pipeline_that_classifies() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, StandardScaler

    pipeline = piped(make_pipeline(StandardScaler(), MaxAbsScaler()), kind="MLPClassifier")
    net = pr.load_network(pipeline)
    X = POINTS * [1.0, 30.0, 0.01] + [0.0, 100.0, 0.5]
    assert "taken off" in net.notices[0]
    assert np.array_equal(net(X).argmax(axis=1), pipeline.predict(X))


def test_steps_that_are_not_affine_are_refused_by_name() -> None:
    from sklearn import decomposition, pipeline, preprocessing

    with pytest.raises(
        UnsupportedError, match="Pipeline, step normalizer: Normalizer, expected one of .*PCA"
    ):
        pr.load_network(piped(preprocessing.Normalizer()))
    with pytest.raises(UnsupportedError, match="Pipeline, step pca: whitens, which takes roots"):
        pr.load_network(piped(decomposition.PCA(whiten=True)))
    scaler = preprocessing.StandardScaler()
    with pytest.raises(UnsupportedError, match="Pipeline, step standardscaler: StandardScaler is not fitted"):
        pr.load_network(pipeline.make_pipeline(scaler, fitted("MLPRegressor", POINTS[:, 0].repeat(2)[:40])))
    with pytest.raises(UnsupportedError, match="Pipeline, step pca: PCA, expected an MLPClassifier"):
        pr.load_network(pipeline.make_pipeline(scaler, decomposition.PCA()).fit(POINTS))


def test_a_transformer_that_does_something_else_is_found() -> None:
    from sklearn.preprocessing import StandardScaler

    class Doubled(StandardScaler):  # type: ignore[misc]
        def transform(self, X: Any, copy: Any = None) -> Any:
            return 2 * super().transform(X, copy)

    with pytest.raises(FormatError, match="Pipeline: the imported network differs from its source"):
        pr.load_network(piped(Doubled()))


def test_a_pipeline_that_has_seen_names_of_columns_warns_of_nothing() -> None:
    pandas = pytest.importorskip("pandas")
    from sklearn.preprocessing import StandardScaler

    pipeline = piped(StandardScaler())
    frame = pandas.DataFrame(POINTS, columns=["a", "b", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline.fit(frame, POINTS[:, 0])
    assert pr.load_network(pipeline).n_inputs == 3
