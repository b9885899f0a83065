"""Networks held as `torch.nn.Sequential`; torch is imported only when handed such an object.

Files of torch are not read: they are pickles, and opening one may execute what it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.graph import Graph, GraphBuilder, lower
from polyregions.io.comparison import N_POINTS, compare_with_source, rounding_tolerance, sample_points
from polyregions.io.files import import_extra, network_errors_are_format_errors
from polyregions.network import Network


def network_of_module(module: Any, *, check: bool = True) -> Network:
    """The network that a `torch.nn.Sequential` computes, its parameters lifted to float64 unchanged.

    Args:
        module: Sequential, nested or not, of Linear, ReLU, Flatten, Identity and Dropout (in eval mode).
        check: compare the result with the module's own forward pass on random points.

    Raises:
        UnsupportedError: any other module, named.
        FormatError: parameters that are not finite, shapes that do not fit, another forward pass.
        MissingExtraError: torch is not installed.
    """
    torch = import_extra("torch", "torch", "reading a torch module")
    where = type(module).__name__
    parts = list(_flattened(module, where, torch))
    build, node = GraphBuilder(_n_inputs(parts, where, torch), where), 0
    for path, part in parts:
        node = _apply(build, node, path, part, torch)
    graph = build.graph(node)
    with network_errors_are_format_errors():
        network = lower(graph, where)
    if check:
        _compare(network, graph, module, parts, torch)
    return network


def _flattened(module: Any, path: str, torch: Any) -> Iterator[tuple[str, Any]]:
    """The modules in the order in which they act, with their paths such as ``Sequential.0.2``."""
    if type(module) is not torch.nn.Sequential:  # a subclass may have another forward
        yield path, module
        return
    for name, child in module._modules.items():  # named_children() would skip a module used twice
        yield from _flattened(child, f"{path}.{name}", torch)


def _n_inputs(parts: list[tuple[str, Any]], where: str, torch: Any) -> int:
    for path, part in parts:
        if type(part) is torch.nn.Linear:
            return int(part.in_features)
        _check_kind(path, part, torch)
    raise UnsupportedError(f"{where}: has no Linear layer, so its number of inputs is unknown")


def _apply(build: GraphBuilder, node: int, path: str, part: Any, torch: Any) -> int:
    """The node that a module makes of another."""
    build.where = path
    _check_kind(path, part, torch)
    if type(part) is torch.nn.Linear:
        weight = _lifted(part.weight, f"{path}.weight", torch)
        bias = np.zeros(len(weight)) if part.bias is None else _lifted(part.bias, f"{path}.bias", torch)
        if weight.ndim != 2 or bias.shape != weight.shape[:1]:
            raise FormatError(f"{path}: weight and bias have shapes {weight.shape} and {bias.shape}")
        return build.dense(node, weight, bias)
    return build.relu(node) if type(part) is torch.nn.ReLU else node


def _check_kind(path: str, part: Any, torch: Any) -> None:
    nn = torch.nn
    if type(part) not in (nn.Linear, nn.ReLU, nn.Flatten, nn.Identity, nn.Dropout):
        raise UnsupportedError(
            f"module {path} is a {type(part).__name__}; expected Sequential, Linear, ReLU, Flatten, "
            "Identity or Dropout"
        )
    if type(part) is nn.Dropout and part.training and part.p > 0:
        raise UnsupportedError(f"module {path} is a Dropout in training mode; call .eval() first")
    if type(part) is nn.Flatten and (part.start_dim, part.end_dim) != (1, -1):
        raise UnsupportedError(
            f"module {path} is a Flatten of axes {part.start_dim} to {part.end_dim}, expected 1 to -1"
        )


def _lifted(parameter: Any, where: str, torch: Any) -> Any:
    if parameter.dtype not in (torch.float16, torch.float32, torch.float64) or parameter.is_meta:
        kind = "has no values (meta)" if parameter.is_meta else f"is of {parameter.dtype}"
        raise UnsupportedError(f"{where} {kind}, expected float16, float32 or float64 values")
    array = parameter.detach().to(device="cpu", dtype=torch.float64).numpy().copy()
    if not np.all(np.isfinite(array)):
        index = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise FormatError(f"{where}{index} is {array[tuple(index)]}, expected a finite number")
    return array


def _compare(network: Network, graph: Graph, module: Any, parts: list[tuple[str, Any]], torch: Any) -> None:
    """Compare with the module's forward pass; one that cannot run proves nothing."""
    parameter = next(part for _, part in parts if type(part) is torch.nn.Linear).weight
    points = sample_points(N_POINTS, network.n_inputs)
    try:
        with torch.no_grad():
            inputs = torch.from_numpy(points).to(device=parameter.device, dtype=parameter.dtype)
            outputs = module(inputs).to(device="cpu", dtype=torch.float64).numpy()
    except Exception:  # torch lacks some types on some devices, and hooks may raise anything
        return
    tolerance = rounding_tolerance(graph, points, str(parameter.dtype).removeprefix("torch."))
    difference = compare_with_source(network, points, outputs, tolerance)
    if difference is not None:
        raise FormatError(f"{network.name}: {difference} (torch's own forward pass)")
