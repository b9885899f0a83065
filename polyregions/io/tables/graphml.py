"""Graphs as GraphML, written and read; for the text of attributes see `attributes`.

Written element by element, for networkx holds the whole document in memory; the bytes depend on the graph alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

import networkx as nx

from polyregions.errors import FormatError
from polyregions.io.files import shortened
from polyregions.io.tables.attributes import (
    BOOLEAN,
    DOUBLE,
    LONG,
    STRING,
    check_graph,
    decoded,
    encoded,
    kinds,
    node_of,
)
from polyregions.io.tables.json_graph import add_edge, add_node
from polyregions.io.tables.xml_files import attribute, only_child, read_xml, tag

NAMESPACE: Final = "http://graphml.graphdrawing.org/xmlns"
HEAD: Final = (
    "<?xml version='1.0' encoding='utf-8'?>\n"
    f'<graphml xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xsi:schemaLocation="{NAMESPACE} {NAMESPACE}/1.0/graphml.xsd">\n'
)
TYPES: Final = {BOOLEAN: BOOLEAN, "int": LONG, LONG: LONG, "float": DOUBLE, DOUBLE: DOUBLE, STRING: STRING}

Keys = dict[tuple[str, str], tuple[str, str]]


def graph_graphml(graph: nx.Graph) -> Iterator[bytes]:
    """A graph as GraphML.

    Raises:
        OptionError: nodes or attributes that could not be read back.
    """
    check_graph(graph)
    records = {
        "graph": [graph.graph],
        "node": [data for _, data in graph.nodes(data=True)],
        "edge": [data for *_, data in graph.edges(data=True)],
    }
    typed = [(part, *item) for part in records for item in kinds(records[part], part).items()]
    names = {(part, name): f"d{i}" for i, (part, name, _) in enumerate(typed)}
    return _pieces(graph, typed, names)


def _pieces(
    graph: nx.Graph, typed: list[tuple[str, str, str]], names: dict[tuple[str, str], str]
) -> Iterator[bytes]:
    yield HEAD.encode()
    for part, name, kind in typed:
        key = names[part, name]
        text = f'  <key id="{key}" for="{part}" attr.name={quoteattr(name)} attr.type="{kind}"/>\n'
        yield text.encode()
    yield f'  <graph edgedefault="{"directed" if graph.is_directed() else "undirected"}">\n'.encode()
    yield _data("graph", graph.graph, names).encode()
    for node, data in graph.nodes(data=True):
        inner = _data("node", data, names)
        yield f"    <node id={quoteattr(str(node))}>\n{inner}    </node>\n".encode()
    for source, target, data in graph.edges(data=True):
        ends = f"source={quoteattr(str(source))} target={quoteattr(str(target))}"
        yield f"    <edge {ends}>\n{_data('edge', data, names)}    </edge>\n".encode()
    yield b"  </graph>\n</graphml>\n"


def _data(part: str, record: dict[str, Any], names: dict[tuple[str, str], str]) -> str:
    return "".join(
        f'      <data key="{names[part, name]}">{escape(encoded(value))}</data>\n'
        for name, value in record.items()
    )


def graph_of_graphml(data: bytes, where: str) -> nx.Graph:
    """The graph that `graph_graphml` wrote.

    Raises:
        FormatError: damaged, or GraphML with other things than keys, nodes, edges and their data.
    """
    root = read_xml(data, where, "graphml")
    keys = _keys(root, where)
    body = only_child(root, "graph", where)
    directed = attribute(body, "edgedefault", where)
    if directed not in ("directed", "undirected"):
        raise FormatError(
            f"{where}: edgedefault {shortened(repr(directed))}, expected directed or undirected"
        )
    graph = nx.DiGraph() if directed == "directed" else nx.Graph()
    graph.graph.update(_record(body, "graph", keys, where))
    for element in body:
        if tag(element) == "node":
            node = node_of(attribute(element, "id", where))
            add_node(graph, node, _record(element, "node", keys, where), where)
    for element in body:
        if tag(element) == "edge":
            ends = [node_of(attribute(element, end, where)) for end in ("source", "target")]
            add_edge(graph, ends, _record(element, "edge", keys, where), where)
        elif tag(element) not in ("node", "data", "desc"):
            raise FormatError(f"{where}: <{shortened(tag(element))}>, expected only nodes, edges and data")
    return graph


def _keys(root: Element, where: str) -> Keys:
    """(part, key) -> (name, kind)."""
    found: Keys = {}
    for element in (e for e in root if tag(e) == "key"):
        key, part, kind = (attribute(element, name, where) for name in ("id", "for", "attr.type"))
        if part not in ("graph", "node", "edge") or kind not in TYPES or len(element):
            raise FormatError(
                f"{where}: key {shortened(key)} of type {shortened(kind)} for {shortened(part)}, expected "
                f"one of {', '.join(TYPES)} for graph, node or edge, without a default"
            )
        if (part, key) in found:
            raise FormatError(f"{where}: two keys are named {shortened(key)}")
        found[part, key] = (attribute(element, "attr.name", where), TYPES[kind])
    return found


def _record(element: Element, part: str, keys: Keys, where: str) -> dict[str, Any]:
    """The attributes of the graph, a node or an edge."""
    record: dict[str, Any] = {}
    for child in element:
        if tag(child) == "data":
            key = attribute(child, "key", where)
            if (part, key) not in keys:
                raise FormatError(
                    f"{where}: data of key {shortened(key)}, which is not declared for a {part}"
                )
            name, kind = keys[part, key]
            if name in record:
                raise FormatError(f"{where}: a {part} has two values of {shortened(name)}")
            record[name] = decoded(child.text or "", kind, f"{where}, {part} attribute {shortened(name)}")
        elif part != "graph" and tag(child) != "desc":
            raise FormatError(f"{where}: <{shortened(tag(child))}> in a {part}, expected only data")
    return record
