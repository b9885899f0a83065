"""Graphs as two tables, one of nodes and one of edges, for the formats that hold tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import networkx as nx
import numpy as np

from polyregions._types import Floats
from polyregions.analysis.tables import Column, Ragged, Table
from polyregions.errors import OptionError
from polyregions.io.files import shortened
from polyregions.io.tables.attributes import check_graph, kinds, plain

SCALARS = {bool: np.bool_, int: np.int64, float: np.float64}


def graph_node_table(graph: nx.Graph) -> Table:
    """The nodes: a column ``node`` and one for each attribute.

    Raises:
        OptionError: nodes with different attributes, or values that make no column.
    """
    check_graph(graph)
    records = [{"node": node} | _checked(data, {"node"}) for node, data in graph.nodes(data=True)]
    return _table(records, ["node"], "node")


def graph_edge_table(graph: nx.Graph) -> Table:
    """The edges: columns ``source`` and ``target`` and one for each attribute.

    Raises:
        OptionError: edges with different attributes, or values that make no column.
    """
    check_graph(graph)
    ends = {"source", "target"}
    records = [{"source": a, "target": b} | _checked(data, ends) for a, b, data in graph.edges(data=True)]
    return _table(records, ["source", "target"], "edge")


def _checked(record: dict[Any, Any], taken: set[str]) -> dict[Any, Any]:
    if clash := taken & record.keys():
        raise OptionError(f"an attribute is named {clash.pop()}, as a column of every table of graphs")
    return record


def _table(records: list[dict[Any, Any]], ends: list[str], what: str) -> Table:
    names = list(records[0]) if records else ends
    kinds(records[:1], what)  # of plain names and values
    for record in records:
        if record.keys() != records[0].keys():
            different = sorted(map(str, record.keys() ^ records[0].keys()))[0]
            raise OptionError(
                f"only some {what}s have the attribute {shortened(different)}, expected all or none"
            )
    return Table({name: _column([r[name] for r in records], f"{what} attribute {name}") for name in names})


def _column(values: list[Any], what: str) -> Column:
    """A column of values that all have one type."""
    values = [plain(value) for value in values]
    types = {type(value) for value in values}
    if not types:
        return np.zeros(0, dtype=np.int64)
    if types == {str}:
        return values
    try:
        if len(types) == 1 and (dtype := SCALARS.get(next(iter(types)))):
            return np.array(values, dtype=dtype)
        if types <= {list, tuple}:
            return _lists(values, what)
    except OverflowError:
        raise OptionError(f"{what}: an integer of more than 64 bits") from None
    raise OptionError(f"{what}: {_listed(types)}, expected one type of numbers, texts or lists of numbers")


def _lists(values: list[Any], what: str) -> Column:
    flat = [plain(entry) for value in values for entry in value]
    types = {type(entry) for entry in flat}
    if not types <= {int} and types != {float}:
        raise OptionError(f"{what}: lists of {_listed(types)}, expected all of integers or all of floats")
    lengths = [len(value) for value in values]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if types != {float}:
        return Ragged(offsets, np.array(flat, dtype=np.int64))
    floats: Floats = np.array(flat, dtype=np.float64)
    return Ragged(offsets, floats) if len(set(lengths)) > 1 else floats.reshape(len(values), lengths[0])


def _listed(types: Iterable[type]) -> str:
    return " and ".join(sorted(kind.__name__ for kind in types)) or "nothing"
