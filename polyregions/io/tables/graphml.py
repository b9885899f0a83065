"""Graphs as GraphML, written and read; for the text of attributes see `attributes`.

Written element by element, for networkx holds the whole document in memory; the bytes depend on the graph alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
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
    Field,
    Plan,
    assembled,
    check_graph,
    is_mark,
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

Keys = dict[tuple[str, str], Field]


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
    plans = {part: Plan.of(records[part], part) for part in records}
    starts = dict(
        zip(plans, accumulate((len(plan.fields) for plan in plans.values()), initial=0), strict=False)
    )
    return _pieces(graph, plans, starts)


def _pieces(graph: nx.Graph, plans: dict[str, Plan], starts: dict[str, int]) -> Iterator[bytes]:
    yield HEAD.encode()
    for part, plan in plans.items():
        for i, field in enumerate(plan.fields, starts[part]):
            yield _key(f"d{i}", part, field).encode()

    def data(part: str, record: dict[str, Any]) -> str:
        return "".join(
            f'      <data key="d{starts[part] + i}">{escape(text)}</data>\n'
            for i, text in plans[part].texts(record)
        )

    yield f'  <graph edgedefault="{"directed" if graph.is_directed() else "undirected"}">\n'.encode()
    yield data("graph", graph.graph).encode()
    for node, record in graph.nodes(data=True):
        yield f"    <node id={quoteattr(str(node))}>\n{data('node', record)}    </node>\n".encode()
    for source, target, record in graph.edges(data=True):
        ends = f"source={quoteattr(str(source))} target={quoteattr(str(target))}"
        yield f"    <edge {ends}>\n{data('edge', record)}    </edge>\n".encode()
    yield b"  </graph>\n</graphml>\n"


def _key(key: str, part: str, field: Field) -> str:
    declared = f'  <key id="{key}" for="{part}" attr.name={quoteattr(field.name)} attr.type="{field.kind}"'
    return f"{declared}><desc>{escape(field.mark)}</desc></key>\n" if field.mark else f"{declared}/>\n"


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
    """(part, key) -> what it declares."""
    found: Keys = {}
    for element in (e for e in root if tag(e) == "key"):
        key, part, kind = (attribute(element, name, where) for name in ("id", "for", "attr.type"))
        marks = [child.text or "" for child in element if tag(child) == "desc"]
        if part not in ("graph", "node", "edge") or kind not in TYPES or len(element) != len(marks):
            raise FormatError(
                f"{where}: key {shortened(key)} of type {shortened(kind)} for {shortened(part)}, expected "
                f"one of {', '.join(TYPES)} for graph, node or edge, without a default"
            )
        if (part, key) in found:
            raise FormatError(f"{where}: two keys are named {shortened(key)}")
        mark = next(filter(is_mark, marks), "")
        found[part, key] = Field(attribute(element, "attr.name", where), TYPES[kind], mark)
    return found


def _record(element: Element, part: str, keys: Keys, where: str) -> dict[str, Any]:
    """The attributes of the graph, a node or an edge."""
    return assembled(_values(element, part, keys, where), part, where)


def _values(element: Element, part: str, keys: Keys, where: str) -> Iterator[tuple[Field, str]]:
    for child in element:
        if tag(child) == "data":
            key = attribute(child, "key", where)
            if (part, key) not in keys:
                raise FormatError(
                    f"{where}: data of key {shortened(key)}, which is not declared for a {part}"
                )
            yield keys[part, key], child.text or ""
        elif part != "graph" and tag(child) != "desc":
            raise FormatError(f"{where}: <{shortened(tag(child))}> in a {part}, expected only data")
