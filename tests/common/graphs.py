"""The graphs of `naive_graph` built with the package's own builder."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

import naive_graph
from polyregions import Network
from polyregions.networks.graph import GraphBuilder, lower


def pieces(kind: str, *parameters: Any) -> tuple[str, tuple[Any, ...]]:
    """An activation by name, for both sides."""
    return kind, parameters


def for_twin(nodes: list[Any]) -> list[Any]:
    """The same nodes with activations written out as breakpoints."""
    result: list[Any] = []
    for node in nodes:
        if not isinstance(node, int) and node[0] == "pieces":
            chosen = node[2] if isinstance(node[2], list) else [node[2]]
            written = [naive_graph.breakpoints(kind, *parameters) for kind, parameters in chosen]
            node = ("pieces", node[1], written if isinstance(node[2], list) else written[0])
        result.append(node)
    return result


def network_of(nodes: list[Any], name: str = "graph") -> Network:
    """The nodes through `GraphBuilder` and `lower`."""
    build = GraphBuilder(nodes[0], name)
    numbers = [0]
    for node in nodes[1:]:
        numbers.append(_add(build, numbers, node))
    return lower(build.graph(numbers[-1]), name)


def _add(build: GraphBuilder, numbers: list[int], node: Any) -> int:
    kind = node[0]
    if kind == "join":
        return build.join([numbers[i] for i in node[1]])
    source = numbers[node[1]]
    if kind == "affine":
        width = build.width(source)
        return build.dense(
            source, np.array(node[2], dtype=float).reshape(-1, width), np.array(node[3], dtype=float)
        )
    if kind == "pieces":
        if isinstance(node[2], list):  # a leaky unit for each entry
            off = [float(parameters[0]) for _, parameters in node[2]]
            return build.units(source, np.column_stack([off, np.ones(len(off))]))
        return _activation(build, source, *node[2])
    offsets = np.cumsum([0, *(len(group) for group in node[2])])
    arguments = np.array([i for group in node[2] for i in group])
    if kind in ("max", "knockout"):
        return build.maxima(source, arguments, offsets)
    minus = build.scale(source, np.full(build.width(source), -1.0))
    return build.scale(build.maxima(minus, arguments, offsets), np.full(len(node[2]), -1.0))


def _activation(build: GraphBuilder, source: int, kind: str, parameters: tuple[Any, ...]) -> int:
    n = build.width(source)
    values = [np.full(n, float(Fraction(p))) for p in parameters]
    match kind:
        case "relu":
            return build.relu(source)
        case "leaky":
            return build.units(source, (float(parameters[0]), 1.0))
        case "abs":
            return build.units(source, (-1.0, 1.0))
        case "clip":
            return build.clip(source, *values)
        case "at least":
            return build.clip(source, values[0], None)
        case "at most":
            return build.clip(source, None, values[0])
        case "hard sigmoid":
            return build.clip(build.shift(build.scale(source, values[0]), values[1]), np.zeros(n), np.ones(n))
    raise ValueError(kind)
