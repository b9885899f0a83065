"""Graphs as node-link JSON, and what reading a graph has in common whatever the format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import inf
from typing import Any, NoReturn

import networkx as nx

from polyregions.errors import FormatError, OptionError
from polyregions.io.files import shortened


def graph_json(graph: nx.Graph) -> bytes:
    """A graph as node-link JSON, which `networkx.node_link_graph(data)` reads: the edges are under the key "edges".

    (networkx before 3.6 reads it with ``edges="edges"``, or ``link="edges"`` before 3.4.)
    JSON has no infinity: an infinite number is null.

    Raises:
        OptionError: attributes that JSON cannot hold.
    """
    data = _finite(_node_link(graph))
    try:
        return json.dumps(data, indent=1, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise OptionError(f"this graph cannot be JSON: {error}") from None


def _node_link(graph: nx.Graph) -> dict[str, Any]:
    """What `networkx.node_link_data` gives since 3.6, whichever version is installed."""
    return {
        "directed": graph.is_directed(),
        "multigraph": graph.is_multigraph(),
        "graph": graph.graph,
        "nodes": [{**record, "id": node} for node, record in graph.nodes(data=True)],
        "edges": [{**record, "source": a, "target": b} for a, b, record in graph.edges(data=True)],
    }


def graph_of_json(data: bytes, where: str) -> nx.Graph:
    """The graph that `graph_json` wrote; the edges may be under the key "links" too, as networkx had them before 3.6.

    Raises:
        FormatError: not JSON, or not a node-link graph.
    """
    try:
        content = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where}: damaged JSON ({shortened(str(error), 80)})") from None
    parts = _parts(content, where)
    graph = nx.DiGraph() if content.get("directed") else nx.Graph()
    graph.graph.update(content.get("graph", {}))
    for record in parts["nodes"]:
        node = _taken(record, "id", where)
        add_node(graph, node, _measured(record), where)
    for record in parts["edges"]:
        ends = [_taken(record, end, where) for end in ("source", "target")]
        add_edge(graph, ends, _measured(record), where)
    return graph


def add_node(graph: nx.Graph, node: Any, record: dict[str, Any], where: str) -> None:
    """A node that was read.

    Raises:
        FormatError: it is there already.
    """
    if node in graph:
        raise FormatError(f"{where}: node {shortened(repr(node))} is there twice")
    graph.add_nodes_from([(node, record)])  # an attribute may have any name here


def add_edge(graph: nx.Graph, ends: Sequence[int | str], record: dict[str, Any], where: str) -> None:
    """An edge that was read.

    Raises:
        FormatError: it is there already, or one of its ends is not.
    """
    source, target = ends
    for node in ends:
        if node not in graph:
            raise FormatError(f"{where}: an edge ends at {shortened(repr(node))}, which is not a node")
    if graph.has_edge(source, target):
        raise FormatError(f"{where}: edge ({source!r}, {target!r}) is there twice")
    graph.add_edges_from([(source, target, record)])


def _parts(content: Any, where: str) -> dict[str, list[dict[str, Any]]]:
    """The records of nodes and links, checked for their shape."""
    if not isinstance(content, dict) or not isinstance(content.get("graph", {}), dict):
        raise FormatError(f"{where}: expected a JSON object with nodes and edges")
    if content.get("multigraph"):
        raise FormatError(f"{where}: a graph with parallel edges, expected one without")
    if "edges" in content and "links" in content:
        raise FormatError(f"{where}: edges and links, expected one of them")
    key = "links" if "links" in content else "edges"
    for name in ("nodes", key):
        listed = content.get(name)
        if not isinstance(listed, list) or not all(isinstance(record, dict) for record in listed):
            raise FormatError(f"{where}: {name} is not a list of objects")
    return {"nodes": content["nodes"], "edges": content[key]}


def _taken(record: dict[str, Any], name: str, where: str) -> int | str:
    node = record.pop(name, None)
    if isinstance(node, (int, str)) and not isinstance(node, bool):
        return node
    raise FormatError(f"{where}: {name} is {shortened(repr(node))}, expected the number of a node")


def _measured(record: dict[str, Any]) -> dict[str, Any]:
    """The attributes, infinite where they are volumes or extents that are null."""
    return {k: inf if k in ("volume", "measure") and v is None else v for k, v in record.items()}


def _finite(value: Any) -> Any:
    """A copy with null instead of infinity."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and value == inf else value


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
