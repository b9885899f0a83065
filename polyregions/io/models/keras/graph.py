"""The graph of layers that a Keras model keeps, turned into a graph of affine maps and units."""

from __future__ import annotations

from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import UnsupportedError
from polyregions.io.models.keras.layers import ACTIVATIONS, FINAL, LAYERS, OPERATIONS, LayerUse
from polyregions.io.models.onnx.call import Data, Value
from polyregions.io.models.onnx.vocabulary import OperatorBuilder, real
from polyregions.networks.graph.build import GraphBuilder
from polyregions.networks.graph.nodes import Graph

SHAPES_ONLY: Final = ("Dropout", "Flatten", "Identity", "Reshape")


def graph_of_model(
    model: Any, shapes: list[tuple[int, ...]], where: str, keras: Any
) -> tuple[Graph, str | None]:
    """Affine maps and units of a model, and the final operator that was taken off.

    Raises:
        UnsupportedError: a layer or an activation that is not piecewise linear or not Keras's own, by name.
        FormatError: weights that are not finite.
    """
    build = GraphBuilder(sum(prod(shape) for shape in shapes), where)
    ends = np.cumsum([prod(shape) for shape in shapes]).tolist()
    inputs = [
        Data(build.select(0, np.arange(end - prod(shape), end)), shape)
        for end, shape in zip(ends, shapes, strict=True)
    ]
    walk = _Walk(build, where, keras)
    outputs = walk.through(model, inputs, where, True)
    place = OperatorBuilder(build, where)
    joined = build.join([place.call.as_data(value).node for value in outputs])
    return build.graph(joined), walk.taken_off


class _Walk:
    """A model while it is followed from its inputs to its outputs."""

    def __init__(self, build: GraphBuilder, where: str, keras: Any) -> None:
        self.build, self.where, self.keras = build, where, keras
        self.taken_off: str | None = None

    def through(self, model: Any, inputs: list[Value], where: str, is_last: bool) -> list[Value]:
        """What a model makes of its inputs."""
        if not is_graph(model, self.keras):
            raise UnsupportedError(
                f"{where}: {type(model).__name__} has a call of its own, expected a Sequential or functional model"
            )
        known: dict[int, Value] = {id(t): value for t, value in zip(model.inputs, inputs, strict=True)}
        last = _last_node(model) if is_last else None
        for node in _in_order(model, known):
            arguments = self.keras.tree.map_structure(
                lambda part: known.get(id(part), part),
                (node.arguments.args, node.arguments.kwargs),
            )
            place = f"{where}: layer {node.operation.name!r} ({type(node.operation).__name__})"
            values = self._outputs(node.operation, arguments, place, node is last)
            for tensor, value in zip(node.output_tensors, values, strict=True):
                _check_shape(tensor, value, place)
                known[id(tensor)] = value
        return [known[id(tensor)] for tensor in model.outputs]

    def _outputs(self, operation: Any, arguments: Any, where: str, is_last: bool) -> list[Value]:
        parts = self.keras.tree.flatten(arguments[0])
        if isinstance(operation, self.keras.Model):
            return self.through(operation, parts, where, is_last)
        name = type(operation).__name__
        place = OperatorBuilder(self.build, where)
        if type(operation) is getattr(self.keras.layers, name, None):
            return [self._layer(LayerUse(place, operation, parts, self.keras), name, is_last)]
        if name in OPERATIONS and type(operation).__module__.startswith("keras.src.ops."):
            operands = [part if isinstance(part, Data) else real(part) for part in parts]
            return [place.apply(OPERATIONS[name], *operands)]
        raise UnsupportedError(f"{where} is not supported: it is not among Keras's piecewise linear layers")

    def _layer(self, layer: LayerUse, name: str, is_last: bool) -> Value:
        if name == "Softmax":
            return self._final(layer.place, layer.data, "softmax", layer.layer.axis, is_last)
        if name not in LAYERS:
            raise layer.place.call.unsupported("is not among the piecewise linear layers")
        value = LAYERS[name](layer)
        activation = getattr(layer.layer, "activation", None)
        return value if activation is None else self._activated(layer.place, value, activation, is_last)

    def _activated(self, place: OperatorBuilder, value: Value, activation: Any, is_last: bool) -> Value:
        if isinstance(activation, self.keras.layers.Layer):
            where = f"{place.where}: activation {type(activation).__name__}"
            return self._outputs(activation, ([value], {}), where, is_last)[0]
        for name, apply in ACTIVATIONS.items():
            if activation is getattr(self.keras.activations, name, None):
                return apply(place, value)
        for name in FINAL:
            if activation is getattr(self.keras.activations, name, None):
                return self._final(place, value, name, -1, is_last)
        shown = getattr(activation, "__name__", type(activation).__name__)
        raise place.call.unsupported(f"activation {shown!r} is not among the piecewise linear ones")

    def _final(self, place: OperatorBuilder, value: Value, name: str, axis: Any, is_last: bool) -> Value:
        if not is_last or not isinstance(axis, int):
            raise place.call.unsupported(f"{name} is supported only as the last operator, along one axis")
        self.taken_off = FINAL[name]
        place.take_off(FINAL[name], value.shape, axis)
        return value


def is_graph(model: Any, keras: Any) -> bool:
    """Whether a model is nothing but its graph of layers."""
    is_functional = type(model).__name__ == "Functional" and type(model).__module__.startswith("keras.")
    return (type(model) is keras.Sequential or is_functional) and bool(getattr(model, "inputs", None))


def _node(tensor: Any) -> Any:
    """The use of an operation that makes a tensor."""
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def _in_order(model: Any, known: dict[int, Value]) -> list[Any]:
    """The uses of operations that the outputs need, each after those it needs: depth first, without recursion."""
    ordered: list[Any] = []
    seen: set[int] = set()
    stack = [(_node(t), False) for t in reversed(model.outputs) if id(t) not in known]
    while stack:
        node, finished = stack.pop()
        if finished:
            ordered.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((_node(t), False) for t in node.input_tensors if id(t) not in known)
    return ordered


def _last_node(model: Any) -> Any | None:
    """The use at the very end of a model with one output, behind which only shapes change."""
    if len(model.outputs) != 1:
        return None
    node = _node(model.outputs[0])
    while type(node.operation).__name__ in SHAPES_ONLY and len(node.input_tensors) == 1:
        node = _node(node.input_tensors[0])
    return node


def _check_shape(tensor: Any, value: Value, where: str) -> None:
    """Keras knows the shapes, up to sizes left open."""
    known = tuple(tensor.shape)
    fits = len(known) == len(value.shape) and all(
        n is None or n == m for n, m in zip(known, value.shape, strict=True)
    )
    if not fits:
        raise UnsupportedError(f"{where}: gives shape {known}, but {value.shape} was imported")
