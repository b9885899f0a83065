"""ONNX files that declare several versions of the standard operators: whether it matters which one is meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.models.onnx.graph import Graph as OnnxGraph
from polyregions.io.models.onnx.operators import graph_of_onnx
from polyregions.networks.graph.nodes import Affine, Graph, Join, Maxima, Node, Units


def check_other_versions(graph: OnnxGraph, built: Graph) -> None:
    """Refuse a file that means different networks by the versions that it declares.

    The last one is read, as onnx's checker and onnxruntime do; under another one the file must mean the same, or
    nothing at all.

    Raises:
        UnsupportedError: it means something else.
    """
    for version in graph.other_opsets:
        try:
            other = graph_of_onnx(replace(graph, opset=version))
        except FormatError:  # no operators of that version
            continue
        if not _same(built, other):
            raise UnsupportedError(
                f"{graph.where}: declares the versions {version} and {graph.opset} of the standard operators, "
                "which mean different networks"
            )


def _same(first: Graph, second: Graph) -> bool:
    return (
        first.output == second.output
        and len(first.nodes) == len(second.nodes)
        and all(map(_same_node, first.nodes, second.nodes))
    )


def _same_node(first: Node, second: Node) -> bool:
    return type(first) is type(second) and all(
        np.array_equal(a, b) for a, b in zip(_parts(first), _parts(second), strict=True)
    )


def _parts(node: Node) -> tuple[Any, ...]:
    """The numbers that a node is made of."""
    match node:
        case Affine():
            m = node.map
            return (node.source, m.offsets, m.columns, m.values, m.bias, m.n_columns)
        case Join():
            return (node.sources,)
        case Units():
            return (node.source, node.slopes)
        case Maxima():
            return (node.source, node.arguments, node.offsets)
    return (node.width,)
