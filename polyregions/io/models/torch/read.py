"""Torch modules, through `torch.export`; torch is imported only when handed such an object.

The function read is that of the module in real arithmetic: parameters and buffers are lifted to float64 unchanged, and
a number in the module's code, such as a negative slope, is the float64 that it is in Python. Which operators act on
which tensors is what torch records when it runs the module's own code: nothing depends on names or kinds of submodules.

Files of torch are not read: they are pickles, and opening one may execute what it holds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import import_extra, network_errors_are_format_errors
from polyregions.io.models.comparison import compare_with_source, comparison_points, rounding_tolerance
from polyregions.io.models.onnx.vocabulary import Shapes, input_shapes
from polyregions.io.models.torch.graph import exported, fixes_types, graph_of_program, lifted
from polyregions.networks.graph import Graph, lower
from polyregions.networks.network import Network


def network_of_module(module: Any, *, input_shape: Any = None, check: bool = True) -> Network:
    """The network that a torch module computes.

    Args:
        module: any module that `torch.export` can trace, in eval mode.
        input_shape: the shape of one input point without the batch axis, or a list of such shapes; not needed for
            a Sequential that begins with a Linear.
        check: compare the result with the module's own forward pass on random points.

    Raises:
        UnsupportedError: operators that are not piecewise linear, named with their node and module; something in
            training mode; a module that cannot be traced.
        FormatError: parameters that are not finite, another forward pass.
        OptionError: an input shape that is none.
        MissingExtraError: torch is not installed.
    """
    torch = import_extra("torch", "torch", "reading a torch module")
    where = type(module).__name__
    shapes = input_shapes(input_shape) if input_shape is not None else ((_n_inputs(module, where, torch),),)
    _check_parameters(module, where, torch)
    like = next((t for t in _tensors(module) if t.is_floating_point()), torch.zeros(1))
    points = tuple(torch.zeros((1, *shape), dtype=like.dtype, device=like.device) for shape in shapes)
    program = exported(module, points, where, torch)
    graph, final = graph_of_program(program, where, torch)
    with network_errors_are_format_errors():
        network = lower(graph, where)
    if not check:
        return network
    return _compared(network, graph, final, module, shapes, like, fixes_types(program), torch)


def _n_inputs(module: Any, where: str, torch: Any) -> int:
    """Inputs of a Linear, or of a Sequential in which nothing that changes sizes stands before the first Linear."""
    nn = torch.nn
    before = (nn.Flatten, nn.Identity, nn.Dropout, nn.ReLU, nn.LeakyReLU, nn.Hardtanh, nn.ReLU6)
    for part in _flattened(module, torch):
        if type(part) is nn.Linear:
            return int(part.in_features)
        if type(part) not in before:
            raise UnsupportedError(
                f"{where}: the number of inputs cannot be seen from a {type(part).__name__}; "
                "pass input_shape=..., the shape of one point without the batch axis"
            )
    raise UnsupportedError(
        f"{where}: has no Linear layer, so its number of inputs is unknown; pass input_shape=..."
    )


def _flattened(module: Any, torch: Any) -> Iterator[Any]:
    """The modules in the order in which they act."""
    if type(module) is not torch.nn.Sequential:  # a subclass may have another forward
        yield module
        return
    for child in module:
        yield from _flattened(child, torch)


def _tensors(module: Any) -> list[Any]:
    return [*module.parameters(), *module.buffers()]


def _check_parameters(module: Any, where: str, torch: Any) -> None:
    """Before anything is traced, so that messages name the parameter."""
    for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
        if isinstance(tensor, torch.nn.parameter.UninitializedTensorMixin):
            raise UnsupportedError(
                f"{where}.{name} has no values yet (lazy), expected initialised parameters"
            )
        lifted(tensor, f"{where}.{name}", torch)


def _compared(
    network: Network,
    graph: Graph,
    final: str | None,
    module: Any,
    shapes: Shapes,
    like: Any,
    types_are_fixed: bool,
    torch: Any,
) -> Network:
    """The network, after a comparison with the module's own forward pass.

    In float64 where the module can run in it, else in the type of its parameters. If neither runs, a notice says so.
    """
    points = comparison_points(graph)
    for dtype in (like.dtype,) if types_are_fixed else (torch.float64, like.dtype):
        try:
            outputs = _forward(module, points, shapes, dtype, like, torch)
        except Exception:  # torch lacks some types on some devices, and the module's code may raise anything
            continue
        name = str(dtype).removeprefix("torch.")
        tolerance = rounding_tolerance(graph, points, name)
        difference = compare_with_source(network, points, outputs, tolerance, final, name)
        if difference is not None:
            raise FormatError(f"{network.name}: {difference} (torch's own forward pass)")
        return network
    return replace(
        network, notices=(*network.notices, f"{network.name}: its forward pass cannot run: not compared")
    )


def _forward(module: Any, points: Any, shapes: Shapes, dtype: Any, like: Any, torch: Any) -> Any:
    """Outputs (k, c), one point at a time."""
    runner = copy.deepcopy(module).to(dtype) if dtype != like.dtype else module
    ends = np.cumsum([prod(shape) for shape in shapes])[:-1]
    found = []
    with torch.no_grad():
        for point in points:
            parts = zip(np.split(point, ends), shapes, strict=True)
            inputs = [
                torch.from_numpy(part.reshape(1, *shape).copy()).to(device=like.device, dtype=dtype)
                for part, shape in parts
            ]
            found.append(np.concatenate([_numbers(part, torch) for part in _leaves(runner(*inputs), torch)]))
    return np.array(found)


def _leaves(output: Any, torch: Any) -> Sequence[Any]:
    leaves: Sequence[Any] = torch.utils._pytree.tree_leaves(output)
    return leaves


def _numbers(tensor: Any, torch: Any) -> Any:
    return tensor.detach().to(device="cpu", dtype=torch.float64).numpy().ravel()
