"""Keras models: their values, their counts, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.errors import FormatError, UnsupportedError

pytest.importorskip("torch", reason="Keras runs on torch here")
os.environ.setdefault("KERAS_BACKEND", "torch")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    keras = pytest.importorskip("keras", reason="the extra keras is not installed")
layers = keras.layers


def random_weights(model: Any) -> Any:
    """All weights random, also those that start as zeros or ones."""
    rng = np.random.default_rng(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for variable in model.weights:
            values = rng.standard_normal(tuple(variable.shape)) * 0.7
            variable.assign(np.abs(values) + 0.1 if "variance" in variable.name else values)
    return model


def of_layers(shape: tuple[int, ...], *parts: Any) -> Any:
    return random_weights(keras.Sequential([keras.Input(shape), *parts]))


def values_agree(model: Any) -> pr.Network:
    """The network, after a comparison with the model at points that the import does not use."""
    net = pr.load_network(model)
    assert not any("not compared" in notice for notice in net.notices)
    rng = np.random.default_rng(7)
    shapes = [tuple(t.shape[1:]) for t in model.inputs]
    for _ in range(10):
        inputs = [rng.standard_normal((1, *shape)).astype("f4") for shape in shapes]
        outputs = keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0], training=False))
        found = np.concatenate([np.ravel(keras.ops.convert_to_numpy(y)) for y in outputs])
        x = np.concatenate([np.ravel(part) for part in inputs])
        np.testing.assert_allclose(net(x[None])[0], found, rtol=1e-4, atol=1e-4)
    return net


IMAGE, LINE, FLAT = (6, 5, 2), (8, 3), (5,)
SEQUENTIAL: dict[str, tuple[tuple[int, ...], Callable[[], list[Any]]]] = {
    "Dense": (FLAT, lambda: [layers.Dense(4, activation="relu"), layers.Dense(3, use_bias=False)]),
    "Dense on the last axis": (LINE, lambda: [layers.Dense(2, activation="leaky_relu")]),
    "Conv2D": (IMAGE, lambda: [layers.Conv2D(3, (2, 3), strides=2, padding="same", activation="relu")]),
    "Conv2D dilated": (IMAGE, lambda: [layers.Conv2D(4, 2, dilation_rate=2, groups=2), layers.Flatten()]),
    "Conv1D": (LINE, lambda: [layers.Conv1D(2, 3)]),
    "Conv1D causal": (LINE, lambda: [layers.Conv1D(2, 3, padding="causal", dilation_rate=2)]),
    "DepthwiseConv2D": (IMAGE, lambda: [layers.DepthwiseConv2D(2, depth_multiplier=3, activation="relu6")]),
    "BatchNormalization": (IMAGE, lambda: [layers.BatchNormalization(), layers.BatchNormalization(axis=1)]),
    "MaxPooling2D": (IMAGE, lambda: [layers.MaxPooling2D(2)]),
    "MaxPooling2D same": (IMAGE, lambda: [layers.MaxPooling2D(2, padding="same")]),
    "MaxPooling1D": (LINE, lambda: [layers.MaxPooling1D(3, strides=1)]),
    "AveragePooling2D": (IMAGE, lambda: [layers.AveragePooling2D(3, strides=1)]),
    "AveragePooling1D same": (LINE, lambda: [layers.AveragePooling1D(3, strides=1, padding="same")]),
    "Global pooling": (IMAGE, lambda: [layers.GlobalAveragePooling2D(), layers.Dense(2)]),
    "Global pooling, kept": (LINE, lambda: [layers.GlobalMaxPooling1D(keepdims=True)]),
    "ReLU": (FLAT, lambda: [layers.ReLU(), layers.ReLU(max_value=1.5, negative_slope=0.25)]),
    "LeakyReLU": (FLAT, lambda: [layers.LeakyReLU(0.125)]),
    "PReLU": (IMAGE, lambda: [layers.PReLU(shared_axes=[1, 2])]),
    "PReLU of entries": (FLAT, lambda: [layers.PReLU()]),
    "Activation": (FLAT, lambda: [layers.Activation("hard_sigmoid"), layers.Activation("hard_tanh")]),
    "layer as activation": (FLAT, lambda: [layers.Dense(3, activation=layers.LeakyReLU(0.5))]),
    "shapes": (IMAGE, lambda: [layers.Permute((3, 1, 2)), layers.Reshape((-1, 5)), layers.Flatten(), layers.RepeatVector(2)]),  # noqa: E501
    "padding, cropping": (IMAGE, lambda: [layers.ZeroPadding2D(((1, 0), (2, 1))), layers.Cropping2D(((0, 1), (1, 0)))]),
    "padding in 1-D": (LINE, lambda: [layers.ZeroPadding1D(2), layers.Cropping1D((1, 0)), layers.UpSampling1D(2)]),
    "UpSampling2D": (IMAGE, lambda: [layers.UpSampling2D((2, 3))]),
    "Rescaling": (FLAT, lambda: [layers.Rescaling(0.1, offset=-1.0)]),
    "inference": (FLAT, lambda: [layers.Dropout(0.5), layers.GaussianNoise(1.0), layers.Identity(), layers.Dense(2)]),
    "nested": (FLAT, lambda: [keras.Sequential([layers.Dense(3, activation="relu")]), layers.Dense(2)]),
}  # fmt: skip


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_values_are_those_of_a_sequential(name: str) -> None:
    shape, parts = SEQUENTIAL[name]
    values_agree(of_layers(shape, *parts()))


def test_values_are_those_of_a_functional_model() -> None:
    x, z = keras.Input((4,)), keras.Input((2, 2))
    shared = layers.Dense(4, activation="relu")
    a, b = shared(x), shared(shared(x))
    merged = [
        layers.Add()([a, b, x]),
        layers.Subtract()([a, x]),
        layers.Maximum()([a, x, layers.Flatten()(z)]),
        layers.Minimum()([b, x]),
        layers.Average()([a, b, x]),
    ]
    y = layers.Concatenate()(merged)
    y = keras.ops.relu(y * 2.0 + 1.0 - keras.ops.abs(y)) / 3.0
    model = random_weights(keras.Model([x, z], [layers.Dense(2)(y), layers.Concatenate(axis=-1)([a, x])]))
    assert values_agree(model).n_outputs == 10


def test_a_normalization_that_was_adapted() -> None:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(1).standard_normal((50, 5)).astype("f4") * 3 + 1)
    net = values_agree(keras.Sequential([keras.Input(FLAT), layer]))
    assert "irrational" in net.notices[0]


def test_counts_are_those_of_the_same_arrays() -> None:
    model = of_layers(
        (2,), layers.Dense(5, activation="relu"), layers.Dense(4, activation="relu"), layers.Dense(2)
    )
    arrays = [(layer.kernel, layer.bias) for layer in model.layers]
    pairs = [tuple(keras.ops.convert_to_numpy(a).astype(float).T for a in pair) for pair in arrays]
    box = pr.Box([-3, -3], [3, 3])
    expected = pr.count_regions(pr.load_network(pairs), box)
    assert pr.count_regions(pr.load_network(model), box) == expected > 8


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sigmoid"])
def test_a_final_monotone_activation_is_taken_off_with_a_notice(name: str) -> None:
    model = of_layers(
        FLAT, layers.Dense(4, activation="relu"), layers.Dense(3, activation=name), layers.Dropout(0.1)
    )
    net = pr.load_network(model)
    assert "taken off" in net.notices[0]
    x = np.random.default_rng(3).standard_normal((20, 5)).astype("f4")
    assert np.array_equal(net(x).argmax(axis=1), keras.ops.convert_to_numpy(model(x)).argmax(axis=1))


def test_a_softmax_in_a_nested_model_at_the_end_is_taken_off() -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Softmax()])
    net = pr.load_network(of_layers(FLAT, layers.Dense(4), inner))
    assert "taken off" in net.notices[0]


class Squared(layers.Layer):  # type: ignore[misc]
    def call(self, x: Any) -> Any:
        return x * x


class Renamed(layers.Dense):  # type: ignore[misc]
    """A subclass may compute anything."""


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: of_layers(FLAT, layers.Dense(3, activation="tanh", name="top")), r"layer 'top' \(Dense\): activation 'tanh'"),  # noqa: E501
    (lambda: of_layers(FLAT, layers.Dense(3, activation="sigmoid"), layers.Dense(2)), "sigmoid is supported only as"),
    (lambda: of_layers(FLAT, layers.Softmax(), layers.Dense(2)), "softmax is supported only as the last"),
    (lambda: of_layers(FLAT, layers.ELU(name="bent")), r"layer 'bent' \(ELU\): is not among"),
    (lambda: of_layers(FLAT, Squared(name="own")), r"layer 'own' \(Squared\) is not supported"),
    (lambda: of_layers(FLAT, Renamed(2)), r"\(Renamed\) is not supported"),
    (lambda: of_layers(FLAT, layers.ReLU(threshold=1.0)), "jumps at its threshold"),
    (lambda: of_layers(IMAGE, layers.UpSampling2D(2, interpolation="bilinear")), "interpolation 'bilinear'"),
    (lambda: of_layers(IMAGE, layers.Dense(3, activation="softmax")), "only a part of the outputs"),
    (lambda: keras.Sequential([layers.Dense(2)]), "a Sequential with an input shape"),
    (lambda: of_layers((None, 3), layers.Conv1D(2, 2)), r"has shape \(None, None, 3\); pass input_shape"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "match"), REFUSED, ids=[match for _, match in REFUSED])
def test_what_is_not_piecewise_linear_is_refused_by_layer(make: Callable[[], Any], match: str) -> None:
    with pytest.raises(UnsupportedError, match=match):
        pr.load_network(make())


def test_products_of_data_are_refused() -> None:
    x = keras.Input(FLAT)
    for y in (x * x, layers.Multiply()([x, x]), keras.ops.exp(x)):
        with pytest.raises(
            UnsupportedError, match=r"bilinear|\(Multiply\): is not among|\(Exp\) is not supported"
        ):
            pr.load_network(keras.Model(x, y))


def test_sizes_left_open_can_be_given() -> None:
    model = of_layers((None, 3), layers.Conv1D(2, 2, activation="relu"), layers.GlobalMaxPooling1D())
    assert pr.load_network(model, input_shape=(4, 3)).n_inputs == 12


def test_a_model_with_a_call_of_its_own_is_refused() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(UnsupportedError, match="is a Own, expected a functional model"):
        pr.load_network(Own())


def test_weights_that_are_not_finite_are_refused() -> None:
    model = of_layers(FLAT, layers.Dense(2, name="top"))
    model.layers[0].bias.assign(np.array([1.0, np.inf]))
    with pytest.raises(FormatError, match=r"layer 'top' \(Dense\): bias\[1\] is inf"):
        pr.load_network(model)


def test_what_depends_on_the_backend_is_found() -> None:
    """Where padding is uneven, a mean of Keras on torch repeats the last entry; on other backends that is left out."""
    if keras.backend.backend() != "torch":
        pytest.skip("another backend")
    with pytest.raises(FormatError, match="differs from its source"):
        pr.load_network(of_layers(LINE, layers.AveragePooling1D(3, padding="same")))


def test_other_outputs_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    model = of_layers(FLAT, layers.Dense(2))
    call = layers.Dense.call
    monkeypatch.setattr(layers.Dense, "call", lambda *a, **k: call(*a, **k) + 1)
    with pytest.raises(FormatError, match="differs from its source"):
        pr.load_network(model)
    assert pr.load_network(model, check=False).n_outputs == 2


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_of_keras_are_not_opened(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"model{suffix}"
    file.write_bytes(b"anything")
    with pytest.raises(UnsupportedError, match="never opened; call keras.models.load_model"):
        pr.load_network(file)


def test_keras_is_not_imported_without_need() -> None:
    code = "import sys, polyregions as p; p.load_network([([[1]], [0])]); assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
