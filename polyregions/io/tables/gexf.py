"""Graphs as GEXF 1.2, written and read; for the text of attributes see `attributes`.

Nodes with a ``point`` are placed there, by its first two coordinates, and those of a ``class`` (or a ``label``, which
is that of a decision cell) have its colour, so that programs such as Gephi draw them at once.

Written here because networkx puts the date of the day into the file, and holds all of it in memory.

GEXF has no place for attributes of the graph as a whole, nor for what lists are made of: a JSON object in the
description of the file has both.
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

from polyregions.analysis.decisions.colours import class_colour
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
    encoded,
    is_mark,
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

Declared = dict[str, Field]
Marks = dict[str, dict[str, str]]


def graph_gexf(graph: nx.Graph) -> Iterator[bytes]:
    """A graph as GEXF.

    Raises:
        OptionError: nodes or attributes that could not be read back.
    """
    check_graph(graph)
    kinds([graph.graph], "graph")
    nodes = Plan.of([data for _, data in graph.nodes(data=True)], "node")
    edges = Plan.of([data for *_, data in graph.edges(data=True)], "edge")
    return _pieces(graph, nodes, edges)


def _pieces(graph: nx.Graph, nodes: Plan, edges: Plan) -> Iterator[bytes]:
    yield HEAD.encode()
    lists = {"node": _marks(nodes), "edge": _marks(edges)}
    about = escape(encoded({"graph": dict(graph.graph), "lists": lists}))
    yield f"  <meta>\n    <creator>polyregions</creator>\n    <description>{about}</description>\n  </meta>\n".encode()
    directed = "directed" if graph.is_directed() else "undirected"
    yield f'  <graph mode="static" defaultedgetype="{directed}">\n'.encode()
    yield (_declarations("node", nodes) + _declarations("edge", edges)).encode()
    yield b"    <nodes>\n"
    drawing = _Drawing.of(graph)
    for node, data in graph.nodes(data=True):
        name = quoteattr(str(node))
        content = _values(data, nodes) + _colour(data) + drawing.position(data)
        label = quoteattr(encoded(data["label"])) if "label" in data else name  # written beside it
        yield f"      <node id={name} label={label}>{content}</node>\n".encode()
    yield b"    </nodes>\n    <edges>\n"
    for i, (source, target, data) in enumerate(graph.edges(data=True)):
        ends = f"source={quoteattr(str(source))} target={quoteattr(str(target))}{_edge_label(data)}"
        yield f'      <edge id="{i}" {ends}>{_values(data, edges)}</edge>\n'.encode()
    yield b"    </edges>\n  </graph>\n</gexf>\n"


def _marks(plan: Plan) -> dict[str, str]:
    return {field.name: field.mark for field in plan.fields if field.mark}


def _edge_label(data: dict[str, Any]) -> str:
    """The neurons that flip across an edge, for programs that write labels on edges."""
    flipped = data.get("flipped")
    is_list = isinstance(flipped, (list, tuple)) and all(type(plain(n)) is int for n in flipped)
    return f' label="{" ".join(map(str, flipped))}"' if flipped and is_list else ""


def _colour(data: dict[str, Any]) -> str:
    """The colour of the class of a region or a decision cell; nothing for other nodes."""
    k = plain(data.get("class", data.get("label")))
    if type(k) is not int:
        return ""
    red, green, blue = bytes.fromhex(class_colour(k)[1:])
    return f'<viz:color r="{red}" g="{green}" b="{blue}"/>'


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


def _declarations(part: str, plan: Plan) -> str:
    if not plan.fields:
        return ""
    lines = "".join(
        f'      <attribute id="{i}" title={quoteattr(field.name)} type="{field.kind}"/>\n'
        for i, field in enumerate(plan.fields)
    )
    return f'    <attributes class="{part}" mode="static">\n{lines}    </attributes>\n'


def _values(record: dict[str, Any], plan: Plan) -> str:
    if not record:
        return ""
    values = "".join(f'<attvalue for="{i}" value={quoteattr(text)}/>' for i, text in plan.texts(record))
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
    attributes, marks = _about(root, where)
    graph.graph.update(attributes)
    declared = _declared(body, marks, where)
    for element in only_child(body, "nodes", where):
        node = node_of(attribute(element, "id", where))
        add_node(graph, node, _record(element, "node", declared["node"], where), where)
    for element in only_child(body, "edges", where):
        ends = [node_of(attribute(element, end, where)) for end in ("source", "target")]
        add_edge(graph, ends, _record(element, "edge", declared["edge"], where), where)
    return graph


def _about(root: Element, where: str) -> tuple[dict[str, Any], Marks]:
    """The attributes of the graph, and the marks of lists; files from before there were marks hold the attributes."""
    about = only_child(only_child(root, "meta", where), "description", where)
    record = json_value(about.text or "", f"{where}, description")
    if not isinstance(record, dict):
        raise FormatError(f"{where}, description: expected a JSON object")
    lists = record.get("lists")
    if record.keys() != {"graph", "lists"} or not isinstance(lists, dict):
        return record, {"node": {}, "edge": {}}
    marks = {part: lists.get(part) for part in ("node", "edge")}
    if not isinstance(record["graph"], dict) or not all(isinstance(own, dict) for own in marks.values()):
        raise FormatError(
            f"{where}, description: expected attributes of the graph, and lists of nodes and edges"
        )
    return record["graph"], {
        part: {name: mark for name, mark in (own or {}).items() if isinstance(mark, str) and is_mark(mark)}
        for part, own in marks.items()
    }


def _declared(body: Element, marks: Marks, where: str) -> dict[str, Declared]:
    """part -> id -> what it declares."""
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
            found[part][key] = Field(name, TYPES[kind], marks[part].get(name, ""))
    return found


def _record(element: Element, part: str, declared: Declared, where: str) -> dict[str, Any]:
    if tag(element) != part:
        raise FormatError(f"{where}: <{shortened(tag(element))}>, expected a {part}")
    return assembled(_texts(element, part, declared, where), part, where)


def _texts(element: Element, part: str, declared: Declared, where: str) -> Iterator[tuple[Field, str]]:
    seen = set[str]()
    for group in element:
        if tag(group) in ("position", "color") and part == "node":
            continue  # how programs draw it; the point itself and the class are attributes
        if tag(group) != "attvalues":
            raise FormatError(f"{where}: <{shortened(tag(group))}> in a {part}, expected only attvalues")
        for value in group:
            key = attribute(value, "for", where)
            if key not in declared or key in seen:
                raise FormatError(
                    f"{where}: attribute {shortened(key)} of a {part} is not declared, or twice"
                )
            seen.add(key)
            yield declared[key], attribute(value, "value", where)
