"""The graph that `torch.export` makes of a module, turned into a graph of affine maps and units."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import UnsupportedError
from polyregions.io.files import shortened
from polyregions.io.models.onnx.call import Data, Value
from polyregions.io.models.onnx.vocabulary import OperatorBuilder, finite
from polyregions.io.models.torch.constants import (
    EXACT_IN_FLOATS,
    is_of_code,
    may_run,
    run_as_it_is,
    run_in_float64,
)
from polyregions.io.models.torch.operators import EXACT, OPERATORS
from polyregions.io.models.torch.use import Use
from polyregions.networks.graph.build import GraphBuilder
from polyregions.networks.graph.nodes import Graph

FINAL: Final = {
    "softmax": "Softmax",
    "_softmax": "Softmax",
    "log_softmax": "LogSoftmax",
    "_log_softmax": "LogSoftmax",
    "sigmoid": "Sigmoid",
    "argmax": "ArgMax",
}
"""Monotone operators, with their names in the ONNX standard."""

_SHAPES_ONLY = (
    "_unsafe_view alias clone contiguous detach dropout flatten reshape squeeze to _to_copy unsqueeze view"
)
SHAPES_ONLY: Final = frozenset(_SHAPES_ONLY.split())

TRAINING_HINT: Final = " (it is in training mode; .eval() may help)"

HARMLESS: Final = frozenset({"detach_"})
"""Operators that change nothing although their schema says so."""


def exported(module: Any, inputs: tuple[Any, ...], where: str, torch: Any) -> Any:
    """The program of a module for inputs of one shape, with nothing changed in place.

    Raises:
        UnsupportedError: torch cannot trace it, or something is in training mode.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.export.export(module, inputs)
            _check_training(program, where)
            if any(_changes_in_place(node) for node in program.graph.nodes):
                program = program.run_decompositions({})
    except UnsupportedError:
        raise
    except Exception as error:  # the module's own code runs, and may raise anything
        shapes = [tuple(tensor.shape) for tensor in inputs]
        reason = shortened(str(error).strip().split("\n")[0], 200)
        hint = TRAINING_HINT if module.training else ""
        raise UnsupportedError(
            f"{where}: torch.export cannot trace it with inputs of shape {shapes}: {reason}{hint}"
        ) from None
    if program.graph_signature.buffers_to_mutate:
        names = sorted(program.graph_signature.buffers_to_mutate.values())
        hint = TRAINING_HINT if module.training else ""
        raise UnsupportedError(f"{where}: changes its buffer {names[0]!r} when called{hint}")
    return program


def graph_of_program(program: Any, where: str, torch: Any) -> tuple[Graph, str | None]:
    """Affine maps and units of an exported program, and the final operator that was taken off.

    Raises:
        UnsupportedError: an operator that is not piecewise linear, named with its node and module.
        FormatError: parameters that are not finite.
    """
    return _Program(program, where, torch).graph()


class _Program:
    """An exported program while it is followed."""

    def __init__(self, program: Any, where: str, torch: Any) -> None:
        self.program, self.where, self.torch = program, where, torch
        inputs = [node for node in program.graph.nodes if node.name in program.graph_signature.user_inputs]
        self.build = GraphBuilder(sum(prod(node.meta["val"].shape) for node in inputs), where)
        self.values: dict[Any, Any] = {}
        start = 0
        for node in inputs:
            shape = tuple(node.meta["val"].shape)
            self.values[node] = Data(self.build.select(0, np.arange(start, start + prod(shape))), shape)
            start += prod(shape)

    def graph(self) -> tuple[Graph, str | None]:
        """Follow what the outputs need."""
        names = self.program.graph_signature.user_outputs
        by_name = {node.name: node for node in self.program.graph.nodes}
        missing = [name for name in names if name not in by_name]
        if missing or not names:
            raise UnsupportedError(f"{self.where}: gives {missing or 'nothing'}, expected tensors")
        outputs = [by_name[name] for name in names]
        final = _final_operator(outputs)
        ends = outputs if final is None else [final.all_input_nodes[0]]
        for node in _needed(self.program.graph, ends):
            if node not in self.values:
                self.values[node] = self._value(node)
        if final is not None:
            self._take_off(final, ends[0])
        place = OperatorBuilder(self.build, self.where)
        joined = self.build.join([place.call.as_data(self._tensor(node)).node for node in ends])
        return self.build.graph(joined), None if final is None else FINAL[_name(final)]

    def _value(self, node: Any) -> Any:
        if node.op == "placeholder":
            return self._lifted(node)
        if node.op == "call_function" and node.target is operator.getitem:
            return self._item(node)
        operands = [self.values[before] for before in node.all_input_nodes]
        if all(is_of_code(value, self.torch) for value in operands) and may_run(node, self.torch):
            return run_as_it_is(node, self.values, self.torch)
        where = self._place(node)
        name = _name(node)
        if name not in EXACT and not any(map(_is_data, operands)) and may_run(node, self.torch):
            return self._in_float64(node)
        if name not in OPERATORS:
            why = (
                "only as the last operator"
                if name in FINAL
                else "it is not among the piecewise linear operators"
            )
            raise UnsupportedError(f"{where} is not supported: {why}")
        shape = _shape(node)
        use = Use(OperatorBuilder(self.build, where), node.target, self._arguments(node), shape, self.torch)
        with self.torch.no_grad():
            value = OPERATORS[name](use)
        if shape is not None and value.shape != shape:
            raise UnsupportedError(f"{where}: gives shape {shape}, but {value.shape} was imported")
        return value

    def _in_float64(self, node: Any) -> Any:
        """What an operator makes of parameters, where no exact arithmetic is known."""
        name, where = _name(node), self._place(node)
        if name not in EXACT_IN_FLOATS:
            self.build.notices.append(f"{where}: acts on parameters, and is computed in float64")
        found = run_in_float64(node, self.values, self.torch)
        parts = found if isinstance(found, list) else [found]
        lifted_parts = [lifted(part, where, self.torch) for part in parts]
        return lifted_parts if isinstance(found, list) else lifted_parts[0]

    def _item(self, node: Any) -> Any:
        source, i = node.args
        value = self.values[source][i]
        if value is None:
            raise UnsupportedError(f"{self._place(source)}: its output {i} is used, expected only the first")
        return value

    def _arguments(self, node: Any) -> dict[str, Any]:
        """By the names in the operator's schema."""
        schema = node.target._schema.arguments
        given = dict(zip((a.name for a in schema), node.args, strict=False)) | node.kwargs
        found = {a.name: given.get(a.name, a.default_value) for a in schema}
        if isinstance(found.get("self"), self.torch.fx.Node) and _name(node) in ("to", "_to_copy", "type_as"):
            found = {
                "self": found["self"],
                "dtype": node.meta["val"].dtype,
                "dtype of self": found["self"].meta["val"].dtype,
            }
        return {name: self._resolved(value) for name, value in found.items()}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, self.torch.fx.Node):
            return self._tensor(value)
        return [self._resolved(part) for part in value] if isinstance(value, (list, tuple)) else value

    def _tensor(self, node: Any) -> Value:
        value = self.values[node]
        if self.torch.is_tensor(value):
            return lifted(value, self._place(node), self.torch)
        if isinstance(value, (list, tuple)):
            raise UnsupportedError(f"{self._place(node)}: a list is used as a tensor")
        return value

    def _lifted(self, node: Any) -> Any:
        """A parameter, a buffer or a constant, lifted exactly."""
        signature, program = self.program.graph_signature, self.program
        target = (
            signature.inputs_to_parameters.get(node.name)
            or signature.inputs_to_buffers.get(node.name)
            or signature.inputs_to_lifted_tensor_constants.get(node.name)
        )
        found = program.state_dict.get(target, program.constants.get(target))
        if found is None:
            raise UnsupportedError(f"{self.where}: {node.name} is neither an input nor a tensor")
        if node.name in signature.inputs_to_lifted_tensor_constants:
            return found  # made by the code, in a type of its own
        return lifted(found, f"{self.where}.{target}", self.torch)

    def _take_off(self, node: Any, before: Any) -> None:
        shape = self._tensor(before).shape
        dim = self._arguments(node).get("dim")
        axis = 0 if dim is None else dim
        if dim is None and _name(node) == "argmax":
            shape = (prod(shape),)
        OperatorBuilder(self.build, self._place(node)).take_off(FINAL[_name(node)], shape, axis)

    def _place(self, node: Any) -> str:
        stack = list((node.meta.get("nn_module_stack") or {}).values())
        path, kind = stack[-1] if stack else ("", "")
        kind = str(getattr(kind, "__name__", kind)).split(".")[-1]
        module = f", module {path} ({kind})" if path else ""
        return f"{self.where}: operator {node.target} (node {node.name!r}{module})"


def _is_data(value: Any) -> bool:
    return isinstance(value, Data) or (isinstance(value, list) and any(map(_is_data, value)))


def lifted(tensor: Any, where: str, torch: Any) -> Any:
    """A tensor as float64, or int64 or bool.

    Raises:
        UnsupportedError: it has no values, or is of another type.
        FormatError: a value is not finite.
    """
    if tensor.is_meta:
        raise UnsupportedError(f"{where} has no values (meta), expected float16, float32 or float64 values")
    plain = tensor.detach().to(device="cpu")
    if plain.dtype in (torch.int64, torch.int32, torch.bool):
        return plain.to(torch.bool if plain.dtype == torch.bool else torch.int64).numpy().copy()
    if plain.dtype not in (torch.float16, torch.float32, torch.float64):
        raise UnsupportedError(f"{where} is of {plain.dtype}, expected float16, float32 or float64 values")
    return finite(plain.numpy(), where)


def fixes_types(program: Any) -> bool:
    """Whether the program casts to types that it names, so that it cannot be run in another one."""
    return any(
        _name(node) in ("to", "_to_copy") or node.kwargs.get("dtype") is not None
        for node in program.graph.nodes
    )


def _check_training(program: Any, where: str) -> None:
    for node in program.graph.nodes:
        if _name(node) not in OPERATORS:
            continue
        schema = node.target._schema.arguments
        given = dict(zip((a.name for a in schema), node.args, strict=False)) | node.kwargs
        if (given.get("train") is True and given.get("p") != 0) or given.get("training") is True:
            path = list((node.meta.get("nn_module_stack") or {"": ("", "")}).values())[-1][0]
            place = f"module {where}.{path}" if path else f"{where}: operator {node.target}"
            raise UnsupportedError(f"{place} is in training mode (node {node.name!r}); call .eval() first")


def _changes_in_place(node: Any) -> bool:
    name = _name(node)
    return bool(name) and name not in HARMLESS and node.target._schema.is_mutable


def _name(node: Any) -> str:
    """The operator's name in its schema; empty for what is not an ATen operator."""
    schema = getattr(node.target, "_schema", None) if node.op == "call_function" else None
    return "" if schema is None else str(schema.name).removeprefix("aten::")


def _shape(node: Any) -> tuple[int, ...] | None:
    shape = getattr(node.meta.get("val"), "shape", None)
    return None if shape is None else tuple(shape)


def _needed(graph: Any, outputs: Sequence[Any]) -> Iterator[Any]:
    """The nodes that outputs depend on, in order."""
    wanted, stack = set(outputs), list(outputs)
    while stack:
        for node in stack.pop().all_input_nodes:
            if node not in wanted:
                wanted.add(node)
                stack.append(node)
    return (node for node in graph.nodes if node in wanted)


def _final_operator(outputs: list[Any]) -> Any | None:
    """A monotone operator at the very end, behind nothing but changes of shape, with a network before it."""
    if len(outputs) != 1:
        return None
    node = outputs[0]
    while len(node.users) == 1:
        if _name(node) in FINAL:
            before = node.all_input_nodes[0]
            return node if before.op == "call_function" and len(before.users) == 1 else None
        if _name(node) not in SHAPES_ONLY:
            return None
        node = node.all_input_nodes[0]
    return None
