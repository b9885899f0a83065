"""Keras layers and operations by their classes, translated into the operators of the ONNX standard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Data, Value
from polyregions.io.models.onnx.vocabulary import OperatorBuilder, finite, real

SMALLEST_DEVIATION: Final = 1e-6
"""A Normalization divides by at least Keras's epsilon (1e-7), so smaller deviations are left alone."""


@dataclass(frozen=True, eq=False)
class LayerUse:
    """One use of a layer.

    Attributes:
        place: where it is.
        layer: the layer.
        inputs: the tensors it takes, in order.
        keras: the package.
    """

    place: OperatorBuilder
    layer: Any
    inputs: list[Value]
    keras: Any

    @property
    def data(self) -> Data:
        """The first input."""
        return self.place.call.as_data(self.inputs[0])

    def weight(self, name: str) -> Any:
        """A weight as float64, None if the layer has none of that name."""
        variable = getattr(self.layer, name)
        if variable is None:
            return None
        return finite(self.keras.ops.convert_to_numpy(variable), f"{self.place.where}: {name}")

    @property
    def channels_last(self) -> bool:
        """Whether the last axis of an image is that of channels."""
        return bool(getattr(self.layer, "data_format", "channels_last") == "channels_last")

    def moved(self, value: Value, operator: Callable[[Any], Any]) -> Value:
        """What an operator gives that only moves entries."""
        return self.place.call.moved(value, operator)


def _dense(layer: LayerUse) -> Value:
    found = layer.place.apply("MatMul", layer.data, layer.weight("kernel"))
    bias = layer.weight("bias")
    return found if bias is None else layer.place.apply("Add", found, bias)


def _conv(layer: LayerUse) -> Value:
    kernel = layer.weight("kernel")  # (places ..., channels, maps)
    rank = kernel.ndim - 2
    return _convolved(layer, np.transpose(kernel, (rank + 1, rank, *range(rank))), layer.layer.groups)


def _depthwise_conv(layer: LayerUse) -> Value:
    kernel = layer.weight("kernel")  # (places ..., channels, multiples)
    rank, channels = kernel.ndim - 2, kernel.shape[-2]
    maps = np.transpose(kernel, (rank, rank + 1, *range(rank))).reshape(-1, 1, *kernel.shape[:rank])
    return _convolved(layer, maps, channels)


def _convolved(layer: LayerUse, kernels: Any, groups: int) -> Value:
    strides, dilations = _sizes(layer.layer.strides), _sizes(layer.layer.dilation_rate)
    attributes: dict[str, Any] = {"strides": strides, "dilations": dilations, "group": groups}
    if layer.layer.padding == "causal":
        attributes["pads"] = [dilations[0] * (kernels.shape[2] - 1), 0]
    else:
        attributes["auto_pad"] = _auto_pad(layer)
    bias = layer.weight("bias")
    return _over_images(layer, lambda x: layer.place.apply("Conv", x, kernels, bias, **attributes))


def _pool(op: str) -> Callable[[LayerUse], Value]:
    """Padding counts as nothing, for means too."""

    def operator(layer: LayerUse) -> Value:
        attributes = {
            "kernel_shape": _sizes(layer.layer.pool_size),
            "strides": _sizes(layer.layer.strides),
            "auto_pad": _auto_pad(layer),
        }
        return _over_images(layer, lambda x: layer.place.apply(op, x, **attributes))

    return operator


def _global_pool(op: str) -> Callable[[LayerUse], Value]:
    def operator(layer: LayerUse) -> Value:
        found = _over_images(layer, lambda x: layer.place.apply(op, x))
        if layer.layer.keepdims:
            return found
        return layer.moved(found, lambda a: a.reshape(a.shape[0], -1))

    return operator


def _auto_pad(layer: LayerUse) -> str:
    return {"same": "SAME_UPPER", "valid": "VALID"}[layer.layer.padding]


def _sizes(value: Any) -> list[int]:
    return [int(n) for n in value] if isinstance(value, (tuple, list)) else [int(value)]


def _over_images(layer: LayerUse, operator: Callable[[Value], Value]) -> Value:
    """An operator on (batch, channels, ...)."""
    if not layer.channels_last:
        return operator(layer.data)
    found = operator(layer.moved(layer.data, lambda a: np.moveaxis(a, -1, 1)))
    return layer.moved(found, lambda a: np.moveaxis(a, 1, -1))


def _batch_normalization(layer: LayerUse) -> Value:
    mean, variance = layer.weight("moving_mean"), layer.weight("moving_variance")
    gamma, beta, axis = layer.weight("gamma"), layer.weight("beta"), int(layer.layer.axis)
    found = layer.place.apply(
        "BatchNormalization",
        layer.moved(layer.data, lambda a: np.moveaxis(a, axis, 1)),
        np.ones(len(mean)) if gamma is None else gamma,
        np.zeros(len(mean)) if beta is None else beta,
        mean,
        variance,
        epsilon=float(layer.layer.epsilon),
    )
    return layer.moved(found, lambda a: np.moveaxis(a, 1, axis))


def _normalization(layer: LayerUse) -> Value:
    """``(x - mean) / sqrt(variance)``, entry by entry."""
    data, n = layer.data, prod(layer.data.shape)
    mean, variance = (np.broadcast_to(layer.weight(w), data.shape).ravel() for w in ("mean", "variance"))
    if layer.layer.invert or np.any(variance <= SMALLEST_DEVIATION**2):
        raise layer.place.call.unsupported("is inverted, or a variance is nearly 0")
    flat = layer.moved(data, lambda a: a.reshape(1, n))
    found = layer.place.apply(
        "BatchNormalization", flat, np.ones(n), np.zeros(n), mean, variance, epsilon=0.0
    )
    return layer.moved(found, lambda a: a.reshape(data.shape))


def _rescaling(layer: LayerUse) -> Value:
    scaled = layer.place.apply("Mul", layer.data, real(layer.layer.scale))
    return layer.place.apply("Add", scaled, real(layer.layer.offset))


def _relu_layer(layer: LayerUse) -> Value:
    options = layer.layer
    if options.threshold != 0:
        raise layer.place.call.unsupported(f"jumps at its threshold {options.threshold}, expected 0")
    found = layer.place.units(layer.data, options.negative_slope or 0.0)
    return found if options.max_value is None else layer.place.clip(found, None, options.max_value)


def _leaky_relu(layer: LayerUse) -> Value:
    return layer.place.units(layer.data, layer.layer.negative_slope)


def _prelu(layer: LayerUse) -> Value:
    return layer.place.units(layer.data, layer.weight("alpha"))


def _same(layer: LayerUse) -> Value:
    return layer.data


def _added(layer: LayerUse) -> Value:
    return layer.place.apply("Sum", *layer.inputs)


def _subtracted(layer: LayerUse) -> Value:
    return layer.place.apply("Sub", *layer.inputs)


def _averaged(layer: LayerUse) -> Value:
    return layer.place.apply("Mean", *layer.inputs)


def _largest(layer: LayerUse) -> Value:
    return layer.place.apply("Max", *layer.inputs)


def _smallest(layer: LayerUse) -> Value:
    return layer.place.apply("Min", *layer.inputs)


def _concatenated(layer: LayerUse) -> Value:
    return layer.place.apply("Concat", *layer.inputs, axis=int(layer.layer.axis))


def _flattened(layer: LayerUse) -> Value:
    if not layer.channels_last and len(layer.data.shape) > 2:
        raise layer.place.call.unsupported("data_format 'channels_first', expected 'channels_last'")
    return layer.moved(layer.data, lambda a: a.reshape(a.shape[0], -1))


def _reshaped(layer: LayerUse) -> Value:
    return layer.moved(layer.data, lambda a: a.reshape(a.shape[0], *layer.layer.target_shape))


def _permuted(layer: LayerUse) -> Value:
    return layer.moved(layer.data, lambda a: a.transpose(0, *layer.layer.dims))


def _repeated(layer: LayerUse) -> Value:
    return layer.moved(layer.data, lambda a: np.repeat(a[:, None], layer.layer.n, axis=1))


def _zero_padded(layer: LayerUse) -> Value:
    def padded(images: Value) -> Value:
        widths = np.array([(0, 0), (0, 0), *_pairs(layer.layer.padding)], dtype=np.int64)
        return layer.place.apply("Pad", images, widths.T.ravel())

    return _over_images(layer, padded)


def _cropped(layer: LayerUse) -> Value:
    def cut(array: Any) -> Any:
        sizes = array.shape[2:]
        pairs = _pairs(layer.layer.cropping)
        return array[(..., *(slice(a, n - b) for n, (a, b) in zip(sizes, pairs, strict=True)))]

    return _over_images(layer, lambda x: layer.moved(x, cut))


def _pairs(value: Any) -> list[tuple[int, int]]:
    """In front and behind, for each axis."""
    pairs = value if isinstance(value[0], (tuple, list)) else [value]
    return [(int(a), int(b)) for a, b in pairs]


def _upsampled(layer: LayerUse) -> Value:
    if getattr(layer.layer, "interpolation", "nearest") != "nearest":
        raise layer.place.call.unsupported(f"interpolation {layer.layer.interpolation!r}, expected 'nearest'")

    def repeated(array: Any) -> Any:
        for axis, factor in enumerate(_sizes(layer.layer.size), start=1 if layer.channels_last else 2):
            array = np.repeat(array, factor, axis=axis)
        return array

    return layer.moved(layer.data, repeated)


LAYERS: Final[dict[str, Callable[[LayerUse], Value]]] = {
    "ActivityRegularization": _same,
    "Activation": _same,  # and then what every layer's attribute `activation` says
    "Add": _added,
    "AlphaDropout": _same,
    "Average": _averaged,
    "AveragePooling1D": _pool("AveragePool"),
    "AveragePooling2D": _pool("AveragePool"),
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenated,
    "Conv1D": _conv,
    "Conv2D": _conv,
    "Cropping1D": _cropped,
    "Cropping2D": _cropped,
    "Dense": _dense,
    "DepthwiseConv1D": _depthwise_conv,
    "DepthwiseConv2D": _depthwise_conv,
    "Dropout": _same,
    "Flatten": _flattened,
    "GaussianDropout": _same,
    "GaussianNoise": _same,
    "GlobalAveragePooling1D": _global_pool("GlobalAveragePool"),
    "GlobalAveragePooling2D": _global_pool("GlobalAveragePool"),
    "GlobalMaxPooling1D": _global_pool("GlobalMaxPool"),
    "GlobalMaxPooling2D": _global_pool("GlobalMaxPool"),
    "Identity": _same,
    "LeakyReLU": _leaky_relu,
    "MaxPooling1D": _pool("MaxPool"),
    "MaxPooling2D": _pool("MaxPool"),
    "Maximum": _largest,
    "Minimum": _smallest,
    "Normalization": _normalization,
    "PReLU": _prelu,
    "Permute": _permuted,
    "ReLU": _relu_layer,
    "RepeatVector": _repeated,
    "Rescaling": _rescaling,
    "Reshape": _reshaped,
    "SpatialDropout1D": _same,
    "SpatialDropout2D": _same,
    "Subtract": _subtracted,
    "UpSampling1D": _upsampled,
    "UpSampling2D": _upsampled,
    "ZeroPadding1D": _zero_padded,
    "ZeroPadding2D": _zero_padded,
}
"""The supported layers by the names of their classes in `keras.layers`."""

OPERATIONS: Final = {
    "Absolute": "Abs",
    "Add": "Add",
    "Maximum": "Max",
    "Minimum": "Min",
    "Multiply": "Mul",
    "Negative": "Neg",
    "Relu": "Relu",
    "Subtract": "Sub",
    "TrueDivide": "Div",
}
"""Operations of `keras.ops` in the graph of a model, such as that of ``x + 1``, with the operators they are."""

ACTIVATIONS: Final[dict[str, Callable[[OperatorBuilder, Value], Value]]] = {
    "linear": lambda place, x: x,
    "relu": lambda place, x: place.units(x, 0.0),
    "leaky_relu": lambda place, x: place.units(x, 0.2),
    "relu6": lambda place, x: place.clip(x, 0.0, 6.0),
    "hard_tanh": lambda place, x: place.clip(x, -1.0, 1.0),
    "hard_sigmoid": lambda place, x: place.apply(
        "Div", place.clip(place.apply("Add", x, real(3)), 0.0, 6.0), real(6)
    ),
    "soft_shrink": lambda place, x: place.apply("Sub", x, place.clip(x, -0.5, 0.5)),
}
"""The supported functions of `keras.activations`."""

FINAL: Final = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "sigmoid": "Sigmoid"}
"""Those that are taken off at the end of a model, with their names in the ONNX standard."""
