"""Keras models, through the graph of layers that they keep; Keras is imported only when handed such an object.

Each layer is known by its class, so custom layers are refused. The function read is the one in real arithmetic: weights
are lifted to float64 unchanged. Inputs and outputs are flattened in C order as Keras lays them out.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import import_extra, network_errors_are_format_errors
from polyregions.io.models.comparison import compare_with_source, comparison_points, rounding_tolerance
from polyregions.io.models.keras.graph import graph_of_model, is_graph
from polyregions.io.models.onnx.vocabulary import input_shapes
from polyregions.networks.graph import Graph, lower
from polyregions.networks.network import Network


def network_of_keras(model: Any, *, input_shape: Any = None, check: bool = True) -> Network:
    """The network that a Keras model computes in inference.

    Args:
        model: a Sequential or a functional model, which may hold other such models.
        input_shape: only for a model with sizes left open: the shape of one point without the batch axis, or a
            list of such shapes.
        check: compare the result with what the model computes at random points.

    Raises:
        UnsupportedError: layers or activations that are not piecewise linear or not Keras's own, by name; a model
            with a `call` of its own; sizes left open.
        FormatError: weights that are not finite, other outputs than those of the model.
        OptionError: an input shape that is none.
        MissingExtraError: Keras is not installed.
    """
    keras = import_extra("keras", "keras", "reading a Keras model")
    where = str(model.name)
    if not is_graph(model, keras):
        raise UnsupportedError(
            f"{where}: is a {type(model).__name__}, expected a functional model, or a Sequential with an input shape"
        )
    shapes = _shapes(model, input_shape, where)
    graph, final = graph_of_model(model, shapes, where, keras)
    with network_errors_are_format_errors():
        network = lower(graph, where)
    return _compared(network, graph, final, model, shapes, keras) if check else network


def _shapes(model: Any, given: Any, where: str) -> list[tuple[int, ...]]:
    """The shapes of the inputs with a batch size of 1."""
    if given is not None:
        shapes = [(1, *shape) for shape in input_shapes(given)]
    else:
        shapes = [(1 if t.shape[0] is None else t.shape[0], *t.shape[1:]) for t in model.inputs]
    for tensor, shape in zip(model.inputs, shapes, strict=False):
        if None in shape:
            raise UnsupportedError(
                f"{where}: input {tensor.name!r} has shape {tuple(tensor.shape)}; pass input_shape=..., the shape of "
                "one point without the batch axis"
            )
    if len(shapes) != len(model.inputs):
        raise UnsupportedError(f"{where}: {len(shapes)} input shapes, expected {len(model.inputs)}")
    return shapes


def _compared(
    network: Network, graph: Graph, final: str | None, model: Any, shapes: list[tuple[int, ...]], keras: Any
) -> Network:
    """The network, after a comparison with the model; if that cannot run, with a notice."""
    points = comparison_points(graph)
    dtype = model.inputs[0].dtype if model.compute_dtype is None else model.compute_dtype
    try:
        tolerance = rounding_tolerance(graph, points, dtype)
        outputs = _outputs(model, points.astype(dtype), shapes, keras)
    except Exception:  # the backend lacks a type or a layout, and may raise anything
        notice = f"{network.name}: the model cannot run: not compared"
        return replace(network, notices=(*network.notices, notice))
    difference = compare_with_source(network, points, outputs, tolerance, final, dtype)
    if difference is not None:
        raise FormatError(f"{network.name}: {difference} (Keras's own outputs)")
    return network


def _outputs(model: Any, points: Any, shapes: list[tuple[int, ...]], keras: Any) -> Any:
    """Outputs (k, c), one point at a time."""
    ends = np.cumsum([prod(shape) for shape in shapes])[:-1]
    found = []
    for point in points:
        parts = zip(np.split(point, ends), shapes, strict=True)
        inputs = [part.reshape(shape) for part, shape in parts]
        outputs = keras.tree.flatten(model(inputs[0] if len(inputs) == 1 else inputs, training=False))
        found.append(np.concatenate([np.ravel(keras.ops.convert_to_numpy(y)) for y in outputs]))
    return np.array(found)
