"""Graphs as GEXF 1.2, written and read; for the text of attributes see `attributes`.

Nodes with a ``point`` are placed there, by its first two coordinates, so that programs such as Gephi draw them at once.

Written here because networkx puts the date of the day into the file, and holds all of it in memory.

GEXF has no place for attributes of the graph as a whole: they are a JSON object in the description of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

import networkx as nx
import numpy as np

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
    json_value,
    kinds,
    node_of,
    plain,
)
from polyregions.io.tables.json_graph import add_edge, add_node
from polyregions.io.tables.xml_files import attribute, only_child, read_xml, tag

HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gexf xmlns="http://www.gexf.net/1.2draft" '
    'xmlns:viz="http://www.gexf.net/1.2draft/viz" version="1.2">\n'
)
WIDTH: Final = 1000.0  # of a drawing, in the units of Gephi
TYPES: Final = {
    BOOLEAN: BOOLEAN,
    "integer": LONG,
    LONG: LONG,
    "float": DOUBLE,
    DOUBLE: DOUBLE,
    STRING: STRING,
}

Declared = dict[str, tuple[str, str]]


def graph_gexf(graph: nx.Graph) -> Iterator[bytes]:
    """A graph as GEXF.

    Raises:
        OptionError: nodes or attributes that could not be read back.
    """
    check_graph(graph)
    kinds([graph.graph], "graph")
    nodes = kinds((data for _, data in graph.nodes(data=True)), "node")
    edges = kinds((data for *_, data in graph.edges(data=True)), "edge")
    return _pieces(graph, nodes, edges)


def _pieces(graph: nx.Graph, nodes: dict[str, str], edges: dict[str, str]) -> Iterator[bytes]:
    yield HEAD.encode()
    about = escape(encoded(dict(graph.graph)))
    yield f"  <meta>\n    <creator>polyregions</creator>\n    <description>{about}</description>\n  </meta>\n".encode()
    directed = "directed" if graph.is_directed() else "undirected"
    yield f'  <graph mode="static" defaultedgetype="{directed}">\n'.encode()
    yield (_declarations("node", nodes) + _declarations("edge", edges)).encode()
    yield b"    <nodes>\n"
    places, drawing = {name: i for i, name in enumerate(nodes)}, _Drawing.of(graph)
    for node, data in graph.nodes(data=True):
        name = quoteattr(str(node))
        content = _values(data, places) + drawing.position(data)
        yield f"      <node id={name} label={name}>{content}</node>\n".encode()
    yield b"    </nodes>\n    <edges>\n"
    places = {name: i for i, name in enumerate(edges)}
    for i, (source, target, data) in enumerate(graph.edges(data=True)):
        ends = f"source={quoteattr(str(source))} target={quoteattr(str(target))}"
        yield f'      <edge id="{i}" {ends}>{_values(data, places)}</edge>\n'.encode()
    yield b"    </edges>\n  </graph>\n</gexf>\n"


@dataclass(frozen=True)
class _Drawing:
    """Where nodes are drawn: the middle of their points, and how much larger the drawing is."""

    middle: tuple[float, float]
    scale: float

    @classmethod
    def of(cls, graph: nx.Graph) -> _Drawing:
        spots = np.array([spot for _, data in graph.nodes(data=True) if (spot := _spot(data)) is not None])
        if not len(spots):
            return cls((0.0, 0.0), 1.0)
        low, high = spots.min(axis=0) / 2, spots.max(axis=0) / 2
        half = float(np.max(high - low))
        x, y = (low + high).tolist()
        return cls((x, y), WIDTH / 2 / half if half > 0 else 1.0)

    def position(self, data: dict[str, Any]) -> str:
        """The place of a node with a point, upwards as in a plot."""
        spot = _spot(data)
        if spot is None:
            return ""
        x, y = ((c - m) * self.scale for c, m in zip(spot, self.middle, strict=True))
        return f'<viz:position x="{x:.6g}" y="{y:.6g}" z="0"/>' if isfinite(x) and isfinite(y) else ""


def _spot(data: dict[str, Any]) -> tuple[float, float] | None:
    """The first two coordinates of a node's point; None if it has none."""
    point = data.get("point")
    is_point = isinstance(point, (list, tuple)) and all(type(plain(c)) in (int, float) for c in point)
    if not is_point or not point or not all(map(isfinite, point[:2])):
        return None
    return float(point[0]), float(point[1]) if len(point) > 1 else 0.0


def _declarations(part: str, typed: dict[str, str]) -> str:
    if not typed:
        return ""
    lines = "".join(
        f'      <attribute id="{i}" title={quoteattr(name)} type="{kind}"/>\n'
        for i, (name, kind) in enumerate(typed.items())
    )
    return f'    <attributes class="{part}" mode="static">\n{lines}    </attributes>\n'


def _values(record: dict[str, Any], places: dict[str, int]) -> str:
    if not record:
        return ""
    values = "".join(
        f'<attvalue for="{places[name]}" value={quoteattr(encoded(value))}/>'
        for name, value in record.items()
    )
    return f"<attvalues>{values}</attvalues>"


def graph_of_gexf(data: bytes, where: str) -> nx.Graph:
    """The graph that `graph_gexf` wrote.

    Raises:
        FormatError: damaged, or GEXF with other things than static nodes, edges and attributes.
    """
    root = read_xml(data, where, "gexf")
    body = only_child(root, "graph", where)
    directed = body.get("defaultedgetype", "undirected")
    if directed not in ("directed", "undirected") or body.get("mode", "static") != "static":
        raise FormatError(f"{where}: expected a static graph, either directed or undirected")
    graph = nx.DiGraph() if directed == "directed" else nx.Graph()
    graph.graph.update(_graph_record(root, where))
    declared = _declared(body, where)
    for element in only_child(body, "nodes", where):
        node = node_of(attribute(element, "id", where))
        add_node(graph, node, _record(element, "node", declared["node"], where), where)
    for element in only_child(body, "edges", where):
        ends = [node_of(attribute(element, end, where)) for end in ("source", "target")]
        add_edge(graph, ends, _record(element, "edge", declared["edge"], where), where)
    return graph


def _graph_record(root: Element, where: str) -> dict[str, Any]:
    about = only_child(only_child(root, "meta", where), "description", where)
    record = json_value(about.text or "", f"{where}, description")
    if not isinstance(record, dict):
        raise FormatError(f"{where}, description: expected a JSON object")
    return record


def _declared(body: Element, where: str) -> dict[str, Declared]:
    """part -> id -> (name, kind)."""
    found: dict[str, Declared] = {"node": {}, "edge": {}}
    for group in (e for e in body if tag(e) == "attributes"):
        part = attribute(group, "class", where)
        if part not in found:
            raise FormatError(f"{where}: attributes of class {shortened(part)}, expected node or edge")
        for element in group:
            key, name, kind = (attribute(element, a, where) for a in ("id", "title", "type"))
            if kind not in TYPES or key in found[part] or len(element):
                raise FormatError(
                    f"{where}: attribute {shortened(name)} of type {shortened(kind)}, expected different ids and "
                    f"one of {', '.join(TYPES)}, without a default"
                )
            found[part][key] = (name, TYPES[kind])
    return found


def _record(element: Element, part: str, declared: Declared, where: str) -> dict[str, Any]:
    if tag(element) != part:
        raise FormatError(f"{where}: <{shortened(tag(element))}>, expected a {part}")
    record: dict[str, Any] = {}
    for group in element:
        if tag(group) == "position" and part == "node":
            continue  # where programs draw it; the point itself is an attribute
        if tag(group) != "attvalues":
            raise FormatError(f"{where}: <{shortened(tag(group))}> in a {part}, expected only attvalues")
        for value in group:
            key = attribute(value, "for", where)
            name, kind = declared.get(key, ("", ""))
            if not kind or name in record:
                raise FormatError(
                    f"{where}: attribute {shortened(key)} of a {part} is not declared, or twice"
                )
            text = attribute(value, "value", where)
            record[name] = decoded(text, kind, f"{where}, {part} attribute {shortened(name)}")
    return record
