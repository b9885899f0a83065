"""Graphs as GraphML and as node-link JSON.

GraphML knows only numbers, strings and truth values: lists become JSON strings there, such as ``"[3, 7]"``.
"""

from __future__ import annotations

import io
import json
from typing import Any

import networkx as nx


def graph_graphml(graph: nx.Graph) -> bytes:
    """A graph as GraphML; lists as JSON strings."""
    flat = graph.__class__(**{k: _scalar(v) for k, v in graph.graph.items()})
    flat.add_nodes_from((node, _scalars(data)) for node, data in graph.nodes(data=True))
    flat.add_edges_from((a, b, _scalars(data)) for a, b, data in graph.edges(data=True))
    buffer = io.BytesIO()
    nx.write_graphml(flat, buffer)
    return buffer.getvalue()


def graph_json(graph: nx.Graph) -> bytes:
    """A graph as node-link JSON, which `networkx.node_link_graph(data, edges="links")` reads."""
    return json.dumps(nx.node_link_data(graph, edges="links"), indent=1).encode()


def _scalars(data: dict[str, Any]) -> dict[str, Any]:
    return {key: _scalar(value) for key, value in data.items()}


def _scalar(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, tuple, dict)) else value
