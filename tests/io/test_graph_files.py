"""Graphs and tables in files: read back equal, opened by other libraries, refused when broken."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.sparse.csgraph import connected_components

import naive
import polyregions as pr
from polyregions.cli import main
from polyregions.errors import FormatError, InputError, MissingExtraError, OptionError
from polyregions.io import files
from randoms import float_layers, generator, integer_layers

SQUARE = pr.Box.cube(-1, 1, 2)
QUADRANTS = [(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))]
WHOLE = (".graphml", ".gexf", ".json", ".parquet")
PLANE = [[1, 0.5, 0], [0, 1, 0.25]]
CASES: dict[str, tuple[Any, Any]] = {
    "box": (float_layers(generator(0), (2, 4, 3, 2)), SQUARE),
    "degenerate": (integer_layers(generator(1), (2, 4, 4, 2)), pr.Box.cube(-2, 2, 2)),
    "whole space": (float_layers(generator(2), (2, 4, 2)), pr.WholeSpace(2)),
    "slice": (float_layers(generator(3), (3, 4, 2)), pr.Slice([0, 0, 0.1], PLANE, SQUARE)),
    "fixed inputs": (float_layers(generator(4), (2, 3, 2)), pr.Box([0.5, 0.25], [0.5, 0.25])),
    "no hidden layer": ([([[1, 2], [0, 1]], [3, 0])], SQUARE),
    "sliver": ([([[1], [1]], [-1, -1 - 2**-52]), ([[1, 1]], [0])], pr.Box([0], [2])),
    "rationals": (
        [(np.array([[Fraction(1, 3)], [Fraction(-2, 7)]], dtype=object), [0, 1]), ([[1, 1]], [0])], pr.Box([-4], [4]),
    ),
}  # fmt: skip


def enumerated(name: str) -> pr.RegionSet:
    layers, domain = CASES[name]
    return pr.enumerate_regions(pr.Network.from_layers(layers, name=name), domain)


def graph_of(name: str) -> nx.Graph:
    return pr.adjacency_graph(enumerated(name), classes="argmax", volume=True, measure=True)


def assert_same(a: nx.Graph, b: nx.Graph) -> None:
    """Equal, and every value of the same type: 1, 1.0 and True are equal in Python."""
    assert nx.utils.graphs_equal(a, b)
    assert type(a) is type(b)
    assert repr(a.graph) == repr(b.graph)
    assert [*map(repr, a.nodes(data=True))] == [*map(repr, b.nodes(data=True))]
    assert sorted(map(repr, a.edges(data=True))) == sorted(map(repr, b.edges(data=True)))


# ---------------------------------------------------------------- attributes


def test_attributes_by_hand() -> None:
    """On the plane the quadrants of two ReLUs are unbounded; on the square each has area 1."""
    net = pr.Network.from_layers(QUADRANTS)
    graph = pr.adjacency_graph(pr.enumerate_regions(net, SQUARE), classes="argmax", volume=True)
    assert dict(graph.nodes(data="pattern")) == {0: "00", 1: "01", 2: "10", 3: "11"}
    assert dict(graph.nodes(data="layer_ranks")) == dict.fromkeys(range(4), [2])
    assert dict(graph.nodes(data="dead_layers")) == {0: [0], 1: [], 2: [], 3: []}
    assert dict(graph.nodes(data="classes")) == {0: [0], 1: [1], 2: [0], 3: [0, 1]}
    assert dict(graph.nodes(data="class")) == {0: 0, 1: 1, 2: 0, 3: -1}
    assert dict(graph.nodes(data="volume")) == dict.fromkeys(range(4), 1.0)
    assert dict(graph.nodes(data="bounded")) == dict.fromkeys(range(4), True)
    plane = pr.adjacency_graph(pr.enumerate_regions(net, pr.WholeSpace(2)), volume=True)
    assert dict(plane.nodes(data="volume")) == dict.fromkeys(range(4), inf)
    assert dict(plane.nodes(data="bounded")) == dict.fromkeys(range(4), False)


def test_only_what_is_asked_for_is_computed() -> None:
    graph = pr.adjacency_graph(enumerated("box"))
    assert set(graph.nodes[0]) == {"pattern", "layer_ranks", "dead_layers", "bounded", "point", "x", "y"}
    assert set(graph.edges[next(iter(graph.edges))]) == {"flipped", "hamming", "point"}


def test_the_graph_says_what_it_is_of() -> None:
    layers, domain = CASES["box"]
    graph = pr.adjacency_graph(enumerated("box"))
    hashes = graph.graph["network_sha256"], graph.graph["domain_sha256"]
    assert graph.graph == {
        **{"network": "box", "network_sha256": pr.Network.from_layers(layers).fingerprint()},
        **{"domain": repr(domain), "domain_sha256": hashes[1], "complete": True},
    }
    for other in (
        pr.Box.cube(-1, 2, 2),
        domain.polytope(),
        pr.Slice([0, 0], np.eye(2), domain),
        pr.WholeSpace(2),
    ):
        found = pr.adjacency_graph(pr.enumerate_regions(pr.Network.from_layers(layers), other)).graph
        assert found["network_sha256"] == hashes[0]
        assert found["domain_sha256"] != hashes[1]
    cells = pr.decision_graph(pr.decision_cells(enumerated("box")))
    assert cells.graph == {"rule": "argmax", **graph.graph}


@pytest.mark.parametrize("name", CASES)
def test_nodes_say_where_they_are_drawn_and_edges_how_many_neurons_flip(name: str) -> None:
    regions = enumerated(name)
    graph = graph_of(name)
    for _, data in graph.nodes(data=True):
        assert [data["x"], data["y"]] == [*data["point"], 0.0][:2]
        assert data["class"] == (data["classes"][0] if len(data["classes"]) == 1 else -1)
    for a, b, data in graph.edges(data=True):
        differ = np.count_nonzero(regions.patterns[a] != regions.patterns[b])
        assert data["hamming"] == len(data["flipped"]) == differ


def test_volumes_of_cells_add_up_to_those_of_regions() -> None:
    for name in ("box", "degenerate", "slice"):
        regions = enumerated(name)
        graph = pr.decision_graph(pr.decision_cells(regions), volume=True)
        sums = np.zeros(len(regions))
        for _, data in graph.nodes(data=True):
            sums[data["region"]] += data["volume"]
        assert sums == pytest.approx(pr.region_volumes(regions), rel=1e-12)
    plane = pr.decision_cells(pr.enumerate_regions(pr.Network.from_layers(QUADRANTS), pr.WholeSpace(2)))
    assert {v for _, v in pr.decision_graph(plane, volume=True).nodes(data="volume")} == {inf}


@pytest.mark.parametrize("name", CASES)
def test_attributes_are_those_of_the_regions(name: str) -> None:
    regions = enumerated(name)
    for region, data in zip(regions, dict(graph_of(name).nodes(data=True)).values(), strict=True):
        polytope = region.polytope
        assert data["pattern"] == "".join(str(int(bit)) for bit in region.pattern)
        assert data["dead_layers"] == region.dead_layers()
        assert data["bounded"] is polytope.is_bounded()
        assert data["volume"] == pytest.approx(polytope.volume(), rel=1e-14)
        assert data["point"] == region.point.tolist()


@pytest.mark.parametrize("seed", range(6))
def test_bounded_regions_of_the_plane(seed: int) -> None:
    """In the plane: bounded iff it lies within the hull of the lines' crossings, so |x| <= their largest coordinate."""
    rng = np.random.default_rng(seed)
    W, b = rng.integers(-3, 4, size=(5, 2)), rng.integers(-3, 4, size=5)
    net = pr.Network.from_layers([(W, b), (np.ones((1, 5)), [0])])
    regions = pr.enumerate_regions(net, pr.WholeSpace(2))
    far = pr.enumerate_regions(net, pr.Box.cube(-1000, 1000, 2))
    assert np.array_equal(regions.patterns, far.patterns)  # crossings have coordinates of at most 3 * 6
    for i, bounded in pr.adjacency_graph(regions).nodes(data="bounded"):
        lower, upper = far[i].polytope.bounding_box()
        assert bounded == bool(np.all(lower > -1000) and np.all(upper < 1000))


@pytest.mark.parametrize("rule", ["argmax", "argmin"])
def test_classes_are_those_of_brute_force(rule: str) -> None:
    layers, _ = CASES["degenerate"]
    signed = (
        layers
        if rule == "argmax"
        else [*layers[:-1], tuple((-np.array(part)).tolist() for part in layers[-1])]
    )
    cells = naive.decision_cells(signed, naive.box([-2, -2], [2, 2]))
    expected: dict[str, list[int]] = {}
    for pattern, label in sorted(cells):
        expected.setdefault("".join(map(str, pattern)), []).append(label)
    graph = pr.adjacency_graph(enumerated("degenerate"), classes=rule)
    assert {data["pattern"]: data["classes"] for _, data in graph.nodes(data=True)} == expected


def test_a_partial_set_has_the_attributes_of_its_regions() -> None:
    layers, domain = CASES["box"]
    part = pr.enumerate_regions(pr.Network.from_layers(layers), domain, max_regions=3)
    graph = pr.adjacency_graph(part, volume=True, classes="argmax")
    assert graph.graph["complete"] is False
    expected = [region.polytope.volume() for region in part]
    assert [volume for _, volume in graph.nodes(data="volume")] == pytest.approx(expected, rel=1e-14)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(OptionError, match="rule 'largest'"):
        pr.adjacency_graph(enumerated("box"), classes="largest")


# ---------------------------------------------------------------- round trips


@pytest.mark.parametrize("suffix", WHOLE)
@pytest.mark.parametrize("name", CASES)
def test_a_graph_comes_back_as_it_was(name: str, suffix: str, tmp_path: Path) -> None:
    graph = graph_of(name)
    pr.save(graph, tmp_path / f"g{suffix}")
    assert_same(pr.load_graph(tmp_path / f"g{suffix}"), graph)


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_decision_graph_comes_back_as_it_was(suffix: str, tmp_path: Path) -> None:
    graph = pr.decision_graph(pr.decision_cells(enumerated("box")))
    pr.save(graph, tmp_path / f"g{suffix}")
    assert_same(pr.load_graph(tmp_path / f"g{suffix}"), graph)


@pytest.mark.parametrize("name", CASES)
def test_the_edges_come_back_from_csv(name: str, tmp_path: Path) -> None:
    graph = graph_of(name)
    pr.save(graph, tmp_path / "g.csv")
    read = pr.load_graph(tmp_path / "g.csv")
    assert {frozenset((a, b)): data for a, b, data in read.edges(data=True)} == {
        frozenset((a, b)): data for a, b, data in graph.edges(data=True)
    }


@pytest.mark.parametrize("suffix", [*WHOLE, ".csv"])
def test_the_same_graph_is_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        pr.save(graph_of("box"), tmp_path / name / f"g{suffix}")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


NASTY = [
    "",
    " ",
    "[1]",
    "{}",
    '"',
    "null",
    "1",
    "true",
    "a&b<c>\"d'",
    "tab\tline\nfeed\r",
    "\x00\x01",
    "\ud800",
    "ü\u2028😀",
    "]]>",
]


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".json"])
def test_texts_that_look_like_something_else(suffix: str, tmp_path: Path) -> None:
    graph = nx.Graph(network=NASTY[4], texts=NASTY)
    graph.add_nodes_from(
        (i, {"text": text, "both": [text], "deep": {"a": [1, None, text]}}) for i, text in enumerate(NASTY)
    )
    graph.add_nodes_from(["01", "a name", "-x"], text="", both=[], deep={})
    graph.add_edge("01", 0, text='"', weight=0.1)
    pr.save(graph, tmp_path / f"g{suffix}")
    assert_same(pr.load_graph(tmp_path / f"g{suffix}"), graph)


@pytest.mark.parametrize("suffix", WHOLE)
def test_numbers_and_directions_are_kept(suffix: str, tmp_path: Path) -> None:
    graph = nx.DiGraph()
    numbers = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, 2.0, 1e22]
    graph.add_nodes_from(
        (-i, {"x": x, "n": i * 2**40, "b": i > 2, "xs": [x, -x]}) for i, x in enumerate(numbers)
    )
    graph.add_edges_from([(0, -1, {"s": "a"}), (-1, 0, {"s": "b"}), (-3, -3, {"s": ""})])
    pr.save(graph, tmp_path / f"g{suffix}")
    assert_same(pr.load_graph(tmp_path / f"g{suffix}"), graph)


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".parquet"])
def test_numpy_scalars_come_back_as_numbers(suffix: str, tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node(0, n=np.int64(3), x=np.float64(0.1), b=np.bool_(True))
    pr.save(graph, tmp_path / f"g{suffix}")
    assert pr.load_graph(tmp_path / f"g{suffix}").nodes[0] == {"n": 3, "x": 0.1, "b": True}


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_graph_without_anything(suffix: str, tmp_path: Path) -> None:
    pr.save(nx.Graph(), tmp_path / f"g{suffix}")
    assert_same(pr.load_graph(tmp_path / f"g{suffix}"), nx.Graph())


# ---------------------------------------------------------------- opened by others


def test_networkx_reads_gexf(tmp_path: Path) -> None:
    graph = graph_of("box")
    pr.save(graph, tmp_path / "g.gexf")
    read = nx.read_gexf(tmp_path / "g.gexf", node_type=int)
    assert {frozenset(edge) for edge in read.edges} == {frozenset(edge) for edge in graph.edges}
    for node, data in graph.nodes(data=True):
        found = {k: v for k, v in read.nodes[node].items() if k not in ("label", "viz")}
        point = [found.pop("point_0"), found.pop("point_1")]
        listed = ("layer_ranks", "dead_layers", "classes")
        numbers = {k: [int(n) for n in v.split()] if k in listed else v for k, v in found.items()}
        assert numbers | {"point": point} == data


@pytest.mark.parametrize(("suffix", "read"), [(".gexf", nx.read_gexf), (".graphml", nx.read_graphml)])
def test_attributes_are_numbers_and_strings_without_brackets(suffix: str, read: Any, tmp_path: Path) -> None:
    pr.save(graph_of("degenerate"), tmp_path / f"g{suffix}")
    found = read(tmp_path / f"g{suffix}", node_type=int)
    records = [data for _, data in found.nodes(data=True)] + [data for *_, data in found.edges(data=True)]
    kinds = {
        name: type(value) for data in records for name, value in data.items() if name not in ("viz", "id")
    }
    floats = {"point_0", "point_1", "x", "y", "volume", "measure"}
    assert {name for name, kind in kinds.items() if kind is float} == floats
    assert {"class", "hamming"} <= {name for name, kind in kinds.items() if kind is int}
    texts = [value for data in records for value in data.values() if isinstance(value, str)]
    assert not any(set(text) & set('[]{}"') for text in texts)


def test_nodes_of_gexf_have_the_colour_of_their_class(tmp_path: Path) -> None:
    cells = pr.decision_cells(enumerated("box"))
    for graph, name in ((graph_of("box"), "class"), (pr.decision_graph(cells), "label")):
        pr.save(graph, tmp_path / "g.gexf")
        read = nx.read_gexf(tmp_path / "g.gexf", node_type=int)
        colours = {
            (int(data[name]), *(data["viz"]["color"][c] for c in "rgb")) for _, data in read.nodes(data=True)
        }
        labels = {data[name] for _, data in graph.nodes(data=True)}
        assert len(colours) == len({colour[1:] for colour in colours}) == len(labels) >= 2
        assert {colour[0] for colour in colours} == labels
    text = (tmp_path / "g.gexf").read_text()
    pr.save(graph_of("box"), tmp_path / "g.gexf")
    assert 'source="0" target="3" label="3"' in (tmp_path / "g.gexf").read_text()  # what flips
    assert "label=" not in text.partition("<edges>")[2]


def test_lists_that_are_no_columns_come_back_too(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node(0, a=[1.5, 2.5], a_0="taken", b=[0.1], c=[], d=[1, 2.0], e=[True], f=(3, 4), g=[inf, -0.0])
    graph.add_node(1, a=[3.5, 4.5], a_0="too", b=[0.2, inf], c=[], d=[], e=[], f=[], g=[1e-320, 0.0])
    graph.add_edge(0, 1, **{"a point": [0.5, 1 / 3], "list": [-(10**30)]})
    for suffix in (".graphml", ".gexf"):
        pr.save(graph, tmp_path / f"g{suffix}")
        found = pr.load_graph(tmp_path / f"g{suffix}")
        graph.nodes[0]["f"] = [3, 4]
        assert_same(found, graph)


OLD = {
    ".graphml": """<?xml version='1.0' encoding='utf-8'?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="d0" for="graph" attr.name="network" attr.type="string"/>
<key id="d1" for="node" attr.name="point" attr.type="string"/>
<graph edgedefault="undirected"><data key="d0">old</data><node id="0"><data key="d1">[0.5, 1]</data></node></graph>
</graphml>""",
    ".gexf": """<?xml version="1.0" encoding="UTF-8"?><gexf xmlns="http://www.gexf.net/1.2draft" version="1.2">
<meta><description>{"network": "old"}</description></meta><graph mode="static" defaultedgetype="undirected">
<attributes class="node"><attribute id="0" title="point" type="string"/></attributes><nodes><node id="0" label="0">
<attvalues><attvalue for="0" value="[0.5, 1]"/></attvalues></node></nodes><edges></edges></graph></gexf>""",
}


@pytest.mark.parametrize("suffix", OLD)
def test_files_from_before_lists_were_marked_are_read(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"g{suffix}").write_text(OLD[suffix])
    graph = pr.load_graph(tmp_path / f"g{suffix}")
    assert graph.graph == {"network": "old"}
    assert dict(graph.nodes(data="point")) == {0: [0.5, 1]}


def test_networkx_reads_json(tmp_path: Path) -> None:
    """As its own `node_link_graph` does by default since 3.6, without saying where the edges are."""
    graph = graph_of("box")
    pr.save(graph, tmp_path / "g.json")
    data = json.loads((tmp_path / "g.json").read_text())
    version = tuple(map(int, nx.__version__.split(".")[:2]))
    assert_same(nx.node_link_graph(data, **({} if version >= (3, 6) else {"edges": "edges"})), graph)


def test_a_graph_as_csv_has_a_table_of_nodes_with_their_classes(tmp_path: Path) -> None:
    graph = graph_of("degenerate")
    pr.save(graph, tmp_path / "g.csv")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["g.csv", "g.nodes.csv"]
    frame = pd.read_csv(tmp_path / "g.nodes.csv", dtype={"pattern": str, "classes": str})
    assert frame["id"].tolist() == list(graph)
    assert frame["class"].tolist() == [k for _, k in graph.nodes(data="class")]
    assert frame["classes"].tolist() == [" ".join(map(str, ks)) for _, ks in graph.nodes(data="classes")]
    assert frame["pattern"].tolist() == [text for _, text in graph.nodes(data="pattern")]
    with pytest.raises(OptionError, match="named id"):
        pr.save(with_nodes({"id": 1}), tmp_path / "h.csv")


def test_nodes_of_gexf_are_placed_where_their_points_are(tmp_path: Path) -> None:
    """Moved and stretched alike in both directions, to about a thousand units; a plot has the same picture."""
    graph = graph_of("box")
    pr.save(graph, tmp_path / "g.gexf")
    read = nx.read_gexf(tmp_path / "g.gexf", node_type=int)
    points = np.array([point[:2] for _, point in graph.nodes(data="point")])
    placed = np.array([[viz["position"][c] for c in "xy"] for _, viz in read.nodes(data="viz")])
    sizes, drawn = np.ptp(points, axis=0), np.ptp(placed, axis=0)
    assert drawn.max() == pytest.approx(1000, rel=1e-4)
    stretched = (points - points.min(axis=0)) * (1000 / sizes.max())
    assert np.allclose(placed - placed.min(axis=0), stretched, atol=1e-2)
    for other in (nx.Graph([(0, 1)]), nx.Graph()):
        pr.save(other, tmp_path / "g.gexf")
        assert b"viz:position" not in (tmp_path / "g.gexf").read_bytes()


def test_networkx_reads_infinity(tmp_path: Path) -> None:
    graph = graph_of("whole space")
    for suffix, read in ((".graphml", nx.read_graphml), (".gexf", nx.read_gexf)):
        pr.save(graph, tmp_path / f"g{suffix}")
        found = read(tmp_path / f"g{suffix}", node_type=int)
        assert dict(found.nodes(data="volume")) == dict(graph.nodes(data="volume"))
        assert inf in dict(found.nodes(data="volume")).values()


def test_json_is_plain_json(tmp_path: Path) -> None:
    pr.save(graph_of("whole space"), tmp_path / "g.json")
    data = json.loads((tmp_path / "g.json").read_text(), parse_constant=pytest.fail)
    assert None in [node["volume"] for node in data["nodes"]]


def test_igraph_reads_graphml(tmp_path: Path) -> None:
    igraph = pytest.importorskip("igraph")
    graph = graph_of("box")
    pr.save(graph, tmp_path / "g.graphml")
    read = igraph.Graph.Read_GraphML(str(tmp_path / "g.graphml"))
    assert read.vs["pattern"] == [text for _, text in graph.nodes(data="pattern")]
    assert sorted(map(sorted, read.get_edgelist())) == sorted(map(sorted, graph.edges))


def test_pandas_reads_the_tables(tmp_path: Path) -> None:
    regions = enumerated("box")
    pr.save(regions, tmp_path / "r.csv", classes="argmax", volume=True)
    pr.save(regions, tmp_path / "r.parquet", classes="argmax", volume=True)
    readers: dict[str, Any] = dict.fromkeys(
        ("point_0", "point_1", "volume"), float
    )  # pandas' own may lose a digit
    for name in ("layer_ranks", "dead_layers", "classes"):
        readers[name] = lambda text: [int(n) for n in text.split()]
    frame = pd.read_csv(tmp_path / "r.csv", dtype={"pattern": str}, converters=readers)
    columns = ["region", "pattern", "layer_ranks", "dead_layers", "bounded", "classes", "class", "volume"]
    assert list(frame.columns) == [*columns, "point_0", "point_1"]
    assert frame["bounded"].dtype == np.bool_
    assert np.array_equal(frame[["point_0", "point_1"]].to_numpy(), regions.points)
    other = pq.read_table(tmp_path / "r.parquet").to_pydict()
    assert list(other) == [*columns, "point"]
    for name in columns:
        assert frame[name].tolist() == other[name]
    assert other["point"] == regions.points.tolist()
    assert other["layer_ranks"] == pr.layer_ranks(regions).tolist()
    assert other["volume"] == pytest.approx([region.polytope.volume() for region in regions], rel=1e-14)


def test_parquet_says_where_it_comes_from(tmp_path: Path) -> None:
    regions = enumerated("box")
    pr.save(regions, tmp_path / "r.parquet")
    about = json.loads(pq.read_schema(tmp_path / "r.parquet").metadata[b"polyregions"])
    assert (about["schema"], about["network"], about["complete"]) == (
        "polyregions region table 1",
        "box",
        True,
    )
    assert about["domain"] == {"kind": "box", "lower": [-1, -1], "upper": [1, 1]}
    assert about["network_sha256"] == regions.network.fingerprint()


def test_parquet_types(tmp_path: Path) -> None:
    pr.save(graph_of("box"), tmp_path / "g.parquet")
    integers, floats = pa.list_(pa.int64()), pa.list_(pa.float64())
    nodes, edges = pq.read_schema(tmp_path / "g.nodes.parquet"), pq.read_schema(tmp_path / "g.edges.parquet")
    found = {f.name: str(f.type).replace("element", "item") for f in [*nodes, *edges]}
    assert found["point"] == str(floats)
    assert {n for n, kind in found.items() if kind == str(integers)} == {
        "layer_ranks",
        "dead_layers",
        "classes",
        "flipped",
    }
    scalars = {
        "node": "int64",
        "source": "int64",
        "target": "int64",
        "pattern": "string",
        "bounded": "bool",
        "volume": "double",
    }
    assert {n: found[n] for n in scalars} == scalars


@pytest.mark.parametrize("name", ["box", "degenerate", "no hidden layer"])
def test_flat_arrays_make_the_table_of_edges(name: str, tmp_path: Path) -> None:
    regions = enumerated(name)
    adjacency = pr.adjacency_arrays(regions)
    pr.save(adjacency, tmp_path / "e.csv")
    pr.save(adjacency, tmp_path / "e.parquet")
    table = pq.read_table(tmp_path / "e.parquet").to_pydict()
    assert table["source"] == adjacency.source.tolist()
    assert table["target"] == adjacency.target.tolist()
    assert table["flipped"] == [adjacency.flipped(e).tolist() for e in range(len(adjacency))]
    assert table["point"] == adjacency.points.tolist()
    with (tmp_path / "e.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [(int(r["source"]), int(r["target"])) for r in rows] == list(
        zip(table["source"], table["target"], strict=True)
    )
    assert [[float(r[f"point_{k}"]) for k in range(2)] for r in rows] == table["point"]
    assert set(map(frozenset, pr.load_graph(tmp_path / "e.csv").edges)) == {
        frozenset(e) for e in pr.adjacency_graph(regions).edges
    }


def test_blocks_of_rows_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    regions = enumerated("box")
    pr.save(regions, tmp_path / "a.csv")
    monkeypatch.setattr("polyregions.analysis.tables.BLOCK", 3)
    pr.save(regions, tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_cells_as_tables(tmp_path: Path) -> None:
    cells = pr.decision_cells(pr.enumerate_regions(pr.Network.from_layers(QUADRANTS), SQUARE))
    pr.save(cells, tmp_path / "c.csv")
    pr.save(cells, tmp_path / "c.parquet")
    table = pq.read_table(tmp_path / "c.parquet").to_pydict()
    assert list(zip(table["region"], table["label"], table["pattern"], strict=True)) == [
        (0, 0, "00"), (1, 1, "01"), (2, 0, "10"), (3, 0, "11"), (3, 1, "11"),
    ]  # fmt: skip
    assert table["tied_with"] == [[1], [], [], [], []]
    lines = (tmp_path / "c.csv").read_text().splitlines()
    assert lines[0] == "cell,region,label,pattern,tied_with,point_0,point_1"
    assert lines[1].startswith("0,0,0,00,1,")


def test_the_sparse_matrix_is_the_graph() -> None:
    regions = enumerated("degenerate")
    matrix = pr.adjacency_arrays(regions).to_scipy_sparse()
    graph = pr.adjacency_graph(regions)
    assert matrix.shape == (len(regions), len(regions))
    assert np.array_equal(matrix.toarray(), nx.to_numpy_array(graph, dtype=np.int64))
    assert connected_components(matrix)[0] == nx.number_connected_components(graph) == 1


def test_the_sparse_matrix_of_one_region() -> None:
    matrix = pr.adjacency_arrays(enumerated("no hidden layer")).to_scipy_sparse()
    assert (matrix.shape, matrix.nnz) == ((1, 1), 0)


# ---------------------------------------------------------------- what cannot be written


def multi() -> nx.Graph:
    return nx.MultiGraph([(0, 1), (0, 1)])


def with_nodes(*records: dict[Any, Any]) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(enumerate(records))
    return graph


UNWRITABLE: dict[str, tuple[nx.Graph, str]] = {
    "parallel edges": (multi(), "MultiGraph"),
    "a node that is a tuple": (nx.Graph([((1, 2), 3)]), r"\(1, 2\)"),
    "a node that looks like a number": (nx.Graph([("1", "a")]), "'1'"),
    "a truth value as a node": (nx.Graph([(True, 2)]), "True"),
    "several types": (with_nodes({"x": 1}, {"x": 0.5}), "x"),
    "no type of a file": (with_nodes({"x": None}), "NoneType"),
    "a name that is no string": (with_nodes({3: 1}), "3"),
    "a list of anything": (with_nodes({"x": [object()]}), "x|object"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".parquet"])
@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_could_not_be_read_back_is_not_written(name: str, suffix: str, tmp_path: Path) -> None:
    graph, text = UNWRITABLE[name]
    with pytest.raises(OptionError, match=text):
        pr.save(graph, tmp_path / f"g{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("graph", "text"),
    [
        (with_nodes({"x": 1}, {}), "only some nodes have the attribute x"),
        (with_nodes({"node": 1}), "named node"),
        (with_nodes({"x": 2**70}), "64 bits"),
        (with_nodes({"x": [1, 0.5]}), "float and int"),
    ],
)
def test_what_makes_no_columns_is_not_written(graph: nx.Graph, text: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=text):
        pr.save(graph, tmp_path / "g.parquet")
    assert list(tmp_path.iterdir()) == []


def test_options_of_tables_go_with_tables_only(tmp_path: Path) -> None:
    regions = enumerated("box")
    for result, name in (
        (regions, "r.npz"),
        (pr.adjacency_graph(regions), "g.graphml"),
        (pr.adjacency_arrays(regions), "a.csv"),
    ):
        with pytest.raises(OptionError, match="options of region tables"):
            pr.save(result, tmp_path / name, volume=True)
    assert list(tmp_path.iterdir()) == []


def test_regions_are_not_read_from_tables(tmp_path: Path) -> None:
    pr.save(enumerated("box"), tmp_path / "r.csv")
    with pytest.raises(OptionError, match=r"ends in \.npz"):
        pr.load_regions(tmp_path / "r.csv")


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for result in (graph_of("box"), enumerated("box"), pr.adjacency_arrays(enumerated("box"))):
        with pytest.raises(MissingExtraError, match=r'pip install "polyregions\[parquet\]"'):
            pr.save(result, tmp_path / "g.parquet")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [OSError(28, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("second", [False, True])
def test_two_files_appear_together_or_not_at_all(
    failure: BaseException, second: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pr.save(nx.Graph([(0, 1)]), tmp_path / "g.parquet")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    whole = files.open_new

    class Half:
        """A file that takes half of what it is given."""

        def __init__(self, path: Path) -> None:
            self.handle, self.is_last = whole(path), not (second and "nodes" in path.name)

        def __enter__(self) -> Half:
            return self

        def __exit__(self, *_: object) -> None:
            self.handle.close()

        def writelines(self, pieces: Any) -> None:
            data = b"".join(pieces)
            self.handle.write(data[: len(data) // 2] if self.is_last else data)
            if self.is_last:
                raise failure

    monkeypatch.setattr(files, "open_new", Half)
    with pytest.raises(FormatError if isinstance(failure, OSError) else KeyboardInterrupt):
        pr.save(graph_of("box"), tmp_path / "g.parquet")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_table_that_stops_halfway_leaves_nothing_behind(tmp_path: Path) -> None:
    def pieces() -> Any:
        yield b"first"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.write_whole(tmp_path / "t.csv", pieces())
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- files that are not what they claim


def refused(path: Path, text: str = ".") -> None:
    with pytest.raises(FormatError, match=text) as caught:
        pr.load_graph(path)
    assert path.stem.split(".")[0] in str(caught.value)
    assert "\n" not in str(caught.value)


CHANGES: dict[str, list[tuple[str, str, str]]] = {
    ".graphml": [
        ("</graphml>", "", "damaged XML"),
        ("<graphml", '<!DOCTYPE x [<!ENTITY a "b">]><graphml', "document type"),
        ('edgedefault="undirected"', 'edgedefault="up"', "edgedefault"),
        ('edgedefault="undirected"', "", "edgedefault"),
        ('attr.type="boolean"', 'attr.type="colour"', "colour"),
        ('<node id="1">', '<node id="0">', "twice"),
        ('<node id="1">', "<node>", "without id"),
        ('target="3"', 'target="1000"', "not a node"),
        ('<data key="d8">', '<data key="d99">', "not declared"),
        ('<data key="d8">true', '<data key="d8">yes', "expected a boolean"),
        ('<data key="d8">true', '<data key="d5">true', "two values"),
        ('<data key="d5">0', '<data key="d5">[0', "expected JSON"),
        ('<data key="d6">2', '<data key="d6">2,', "expected a long"),
        ('<data key="d12">', '<data key="d13">', "out of order"),
        ('of 2 of point', 'of 3 of point', "not all its 3 entries"),
        ('<key id="d1"', '<key id="d0"', "two keys"),
        ('<edge source="0"', '<hyperedge/><edge source="0"', "hyperedge"),
        ('<node id="1">', '<node id="1"><graph/>', "graph"),
        ("<graph edgedefault", "<graph/><graph edgedefault", "2 <graph>"),
    ],
    ".gexf": [
        ("</gexf>", "", "damaged XML"),
        ("<gexf", '<!DOCTYPE x [<!ENTITY a "b">]><gexf', "document type"),
        ('mode="static" default', 'mode="dynamic" default', "static"),
        ('type="boolean"', 'type="colour"', "colour"),
        ('<node id="1"', '<node id="0"', "twice"),
        ('target="3"', 'target="1000"', "not a node"),
        ('for="3" value="true"', 'for="99" value="true"', "not declared"),
        ('for="3" value="true"', 'for="3" value="yes"', "expected a boolean"),
        ('for="3" value="true"', 'for="0" value="true"', "twice"),
        ("<description>{", "<description>[{", "expected JSON"),
        ("<meta>", "<other>", "damaged XML"),
        ("<nodes>", "<nodes/><nodes>", "2 <nodes>"),
        ('class="edge"', 'class="cat"', "class cat"),
        ('for="7"', 'for="8"', "out of order"),
        ('for="1" value="2', 'for="1" value="2,', "expected a long"),
        ("of 2 of point", "of 3 of point", "not all its 3 entries"),
        ('"lists": {"node": {', '"lists": {"node": [], "knot": {', "lists of nodes and edges"),
        ('<attribute id="1"', '<attribute id="0"', "different ids"),
    ],
    ".json": [
        ("{", "[{", "damaged JSON"),
        ('"nodes": [', '"nodes": [1, ', "not a list of objects"),
        ('"edges"', '"lines"', "edges is not a list"),
        ('"edges": [', '"links": [], "edges": [', "expected one of them"),
        ('"multigraph": false', '"multigraph": true', "parallel"),
        ('"id": 1\n', '"id": 0\n', "twice"),
        ('"id": 1\n', '"id": [1]\n', "number of a node"),
        ('"target": 3\n', '"target": 1000\n', "not a node"),
        ("true", "NaN", "no JSON"),
        ("true", "9" * 5000, "damaged JSON"),
        ("true", "[" * 100_000, "damaged JSON"),
    ],
    ".csv": [
        ("source,", "origin,", "source and target"),
        ("source,target", "source,source", "different names"),
        ("\n0,3,", "\n0,3,1,", "8 fields, expected 7"),
        ("\n0,3,3,1,", "\n0,3,3,1,x", "expected a decimal number"),
        ("\n0,3,3,", "\n0,3,x,", "flipped is 'x'"),
        ("\n0,", '\n"0,', "damaged CSV"),
        ("point_0,point_1", "point_1,point_0", "coordinates in order"),
    ],
}  # fmt: skip
CHANGED = [(suffix, i) for suffix, changes in CHANGES.items() for i in range(len(changes))]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("saved")
    for suffix in (*WHOLE, ".csv"):
        pr.save(graph_of("box"), folder / f"g{suffix}")
    return {file.name.removeprefix("g"): file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(("suffix", "number"), CHANGED)
def test_a_changed_file_is_refused(suffix: str, number: int, saved: dict[str, bytes], tmp_path: Path) -> None:
    old, new, text = CHANGES[suffix][number]
    content = saved[suffix].decode()
    assert old in content
    (tmp_path / f"bad{suffix}").write_text(content.replace(old, new, 1))
    refused(tmp_path / f"bad{suffix}", text)


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".json", ".csv"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 100,
        b"PK\x03\x04",
        b"<x/>",
        b"[]",
        b"\xff\xfe<\x00",
        b'<?xml version="1.0" encoding="zz"?><a/>',
    ],
)
def test_another_file_is_refused(suffix: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / f"bad{suffix}").write_bytes(content)
    refused(tmp_path / f"bad{suffix}")


@pytest.mark.parametrize("suffix", [".graphml", ".gexf"])
def test_xml_nested_a_million_deep_is_refused(suffix: str, tmp_path: Path) -> None:
    root = suffix[1:]
    (tmp_path / f"bad{suffix}").write_text(f"<{root}>{'<graph>' * 10**6}{'</graph>' * 10**6}</{root}>")
    refused(tmp_path / f"bad{suffix}")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for suffix in (*WHOLE, ".csv"):
        refused(tmp_path / f"none{suffix}", "no such file")


@pytest.mark.parametrize("suffix", ["", ".txt", ".npz"])
def test_other_names_are_refused(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="ends in one of"):
        pr.load_graph(tmp_path / f"g{suffix}")


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".json", ".csv", ".nodes.parquet", ".edges.parquet"])
def test_damaged_bytes_are_refused_or_read(suffix: str, saved: dict[str, bytes], tmp_path: Path) -> None:
    """Whatever the damage, it is either one error of input or a graph."""
    rng = np.random.default_rng(7)
    for name in (".nodes.parquet", ".edges.parquet"):
        (tmp_path / f"bad{name}").write_bytes(saved[name])
    name = ".parquet" if suffix.endswith(".parquet") else suffix
    for trial in range(60):
        content = bytearray(saved[suffix])
        if trial % 3 == 0:
            content = content[: int(rng.integers(len(content)))]
        else:
            for place in rng.integers(len(content), size=trial % 5 + 1):
                content[place] = rng.integers(256)
        (tmp_path / f"bad{suffix}").write_bytes(bytes(content))
        try:
            assert isinstance(pr.load_graph(tmp_path / f"bad{name}"), nx.Graph)
        except InputError as error:
            assert "bad" in str(error)


def write_parquet(path: Path, columns: dict[str, Any], about: Any) -> None:
    metadata = None if about is None else {"polyregions": json.dumps(about)}
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)


NODES = {"schema": "polyregions graph nodes 1", "directed": False, "graph": {}, "edges_sha256": ""}
ZEROS = pa.array(np.zeros(2**24, dtype=np.int64))  # run lengths: 1.2 GB declared by a small file
PARQUET: dict[str, tuple[dict[str, Any], Any, str]] = {
    "no metadata": ({"node": [0]}, None, "graph nodes 1"),
    "other metadata": ({"node": [0]}, [1], "graph nodes 1"),
    "a table of regions": ({"region": [0]}, {"schema": "polyregions region table 1"}, "region table"),
    "a column of dates": ({"node": [0], "t": pa.array([0], pa.timestamp("s"))}, NODES, "column t is of timestamp"),
    "a list of texts": ({"node": [0], "t": [["a"]]}, NODES, "column t is of list"),
    "missing values": ({"node": [0, 1], "x": [1, None]}, NODES, "column x has missing values"),
    "too many rows": ({"node": ZEROS, **{f"c{i}": ZEROS for i in range(8)}}, NODES, "declares"),
    "edges of another graph": ({"node": [0]}, NODES, "not the edges that belong to"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARQUET)
def test_a_parquet_file_of_something_else_is_refused(
    name: str, saved: dict[str, bytes], tmp_path: Path
) -> None:
    columns, about, text = PARQUET[name]
    write_parquet(tmp_path / "bad.nodes.parquet", columns, about)
    (tmp_path / "bad.edges.parquet").write_bytes(saved[".edges.parquet"])
    refused(tmp_path / "bad.parquet", text)


def test_nodes_and_edges_of_different_graphs_are_refused(saved: dict[str, bytes], tmp_path: Path) -> None:
    pr.save(graph_of("degenerate"), tmp_path / "bad.parquet")
    (tmp_path / "bad.edges.parquet").write_bytes(saved[".edges.parquet"])
    refused(tmp_path / "bad.parquet", "not the edges that belong to")


# ---------------------------------------------------------------- command line

MOONS = ["example:two-moons", "--box", "-2,-1.5", "3,2", "--json", "-q"]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(words) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.fixture(scope="module")
def moons() -> pr.RegionSet:
    return pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2]))


@pytest.mark.parametrize("suffix", [".graphml", ".gexf", ".json", ".parquet"])
def test_the_command_writes_the_same_graph(
    suffix: str, moons: pr.RegionSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(capsys, "graph", *MOONS, "--volume", "--classes", "-o", str(tmp_path / f"g{suffix}"))
    assert (report["regions"], report["edges"]) == (442, 854)
    graph = pr.adjacency_graph(moons, volume=True, classes="argmax")
    assert_same(pr.load_graph(tmp_path / f"g{suffix}"), graph)
    written = report["files"] if suffix == ".parquet" else [report["file"]]
    assert sorted(written) == sorted(str(file) for file in tmp_path.iterdir())


def test_the_command_writes_a_list_of_edges(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run(capsys, "graph", *MOONS, "-o", str(tmp_path / "g.csv"))
    assert pr.load_graph(tmp_path / "g.csv").number_of_edges() == report["edges"] == 854


def test_the_commands_write_tables(
    moons: pr.RegionSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for suffix in (".csv", ".parquet"):
        run(
            capsys,
            "enumerate",
            *MOONS,
            "--volume",
            "--classes",
            "--argmin",
            "-o",
            str(tmp_path / f"r{suffix}"),
        )
        pr.save(moons, tmp_path / f"s{suffix}", volume=True, classes="argmin")
        assert (tmp_path / f"r{suffix}").read_bytes() == (tmp_path / f"s{suffix}").read_bytes()
        run(capsys, "cells", *MOONS, "-o", str(tmp_path / f"c{suffix}"))
    assert (
        len(pq.read_table(tmp_path / "c.parquet"))
        == len((tmp_path / "c.csv").read_text().splitlines()) - 1
        == 481
    )


def test_cells_as_a_graph_in_gexf(
    moons: pr.RegionSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "cells", *MOONS, "-o", str(tmp_path / "c.gexf"))
    assert_same(pr.load_graph(tmp_path / "c.gexf"), pr.decision_graph(pr.decision_cells(moons)))


@pytest.mark.parametrize(
    "words",
    [
        ["graph", "--volume"],
        ["graph", "--measure"],
        ["cells", "--volume"],
        ["cells", "-o", "c.json", "--volume"],
        ["graph", "-o", "g.npz"],
        ["graph", "-o", "g.graphml", "--argmin"],
        ["enumerate", "-o", "r.npz", "--volume"],
        ["enumerate", "-o", "r.gexf"],
    ],
)
def test_options_that_make_no_sense_are_refused(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([words[0], *MOONS, *words[1:]]) == 2
    assert capsys.readouterr().err.startswith("polyregions: ")
    assert list(tmp_path.iterdir()) == []


def test_the_command_without_pyarrow_says_so_before_it_starts(tmp_path: Path) -> None:
    code = "import sys; sys.modules['pyarrow'] = None; from polyregions.cli import main; sys.exit(main(sys.argv[1:]))"
    words = ["graph", *MOONS, "-o", str(tmp_path / "g.parquet")]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert 'pip install "polyregions[parquet]"' in done.stderr
    assert list(tmp_path.iterdir()) == []
