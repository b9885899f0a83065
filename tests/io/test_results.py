"""Saving and loading: what is written, what is read back, and what is refused."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

import naive
import polyregions as pr
from polyregions.errors import FormatError, OptionError
from polyregions.io.files import write_whole
from polyregions.io.results.regions import branchings
from randoms import random_layers

Arrays = dict[str, Any]
Change = Callable[[Arrays], None]

STAIRS = [([[1], [1]], [0, -1]), ([[1, 1]], [0])]  # relu(x) + relu(x - 1)
SLIVER = [([[1], [1]], [0 - 1, -1 - 2**-52]), ([[1, 1]], [0])]  # a region between two neighbouring floats
QUADRANTS = [(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))]


def rounded_polytope() -> pr.HPolytope:
    """The second region of a random network of two hidden layers: its exact rows are not floats."""
    regions = pr.enumerate_regions(
        pr.Network.from_layers(random_layers(1, 2, 3, 2, 1)), pr.Box.cube(-1, 1, 2)
    )
    return regions[1].polytope


TRIANGLE = pr.HPolytope(
    [[-1, 0], [0, -1], [1, 1]], [0, 0, 1], [False, True, False], ["left", "below", "above"]
)
SEGMENT = pr.HPolytope([[1, 3], [-1, -3], [1, 0], [-1, 0]], [1, -1, 2, 1])
SQUARE = pr.Box.cube(-1, 1, 2)
PLANE = [[1, 0.5, 0], [0, 1, 0.25]]
CASES: dict[str, tuple[list[tuple[Any, Any]], Any]] = {
    "box": (random_layers(0, 2, 3, 3, 2), SQUARE),
    "box with a fixed input": (random_layers(0, 3, 4, 2), pr.Box([-1, 0.3, -1], [1, 0.3, 2])),
    "box with all inputs fixed": (random_layers(0, 2, 3, 2), pr.Box([0.5, 0.25], [0.5, 0.25])),
    "unbounded box": (random_layers(0, 2, 4, 2), pr.Box([0, -np.inf], [np.inf, 1])),
    "whole space": (random_layers(0, 2, 4, 2), pr.WholeSpace(2)),
    "polytope": (random_layers(0, 2, 4, 2), TRIANGLE),
    "polytope in a line": (random_layers(0, 2, 4, 2), SEGMENT),
    "rounded polytope": (random_layers(2, 2, 4, 2), rounded_polytope()),
    "slice of a box": (random_layers(0, 3, 4, 2), pr.Slice([0, 0, 0.1], PLANE, SQUARE)),
    "slice of the plane": (random_layers(0, 3, 4, 2), pr.Slice([0, 0, 0.1], PLANE, pr.WholeSpace(2))),
    "slice of a polytope": (random_layers(0, 3, 4, 2), pr.Slice([0, 0, 0.1], PLANE, TRIANGLE)),
    "slice of a rounded polytope": (random_layers(0, 3, 4, 2), pr.Slice([0, 0, 0.1], PLANE, rounded_polytope())),
    "slice of the same dimension": (random_layers(0, 2, 4, 2), pr.Slice([0, 1], [[1, 1], [1, -1]], SQUARE)),
    "region without a float": (SLIVER, pr.Box([0], [2])),
    "region narrower than any float": (
        [
            (np.array([[1], [1]], dtype=object), np.array([-1, -1 - Fraction(1, 2**15000)], dtype=object)),
            ([[1, 1]], [0]),
        ],
        pr.Box([0], [2]),
    ),
    "rational weights": (
        [(np.array([[Fraction(1, 3)], [Fraction(-2, 7)]], dtype=object), [0, 1]), ([[1, 1]], [0])],
        pr.Box([-4], [4]),
    ),
    "no hidden layer": ([([[1, 2]], [3])], SQUARE),
    "nine neurons, two bytes": (random_layers(3, 1, 9, 1), pr.Box([-2], [2])),
}  # fmt: skip


def enumerated(name: str) -> pr.RegionSet:
    layers, domain = CASES[name]
    return pr.enumerate_regions(pr.Network.from_layers(layers, name=name), domain)


def assert_same_domain(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    names = {pr.Box: ["lower", "upper"], pr.WholeSpace: ["dim"], pr.Slice: ["origin", "directions"]}
    for name in names.get(type(a), ["A", "b", "strict", "labels", "exact_rows"]):
        assert np.array_equal(getattr(a, name), getattr(b, name))
    if isinstance(a, pr.Slice):
        assert_same_domain(a.domain, b.domain)


def assert_same_network(a: pr.Network, b: pr.Network) -> None:
    assert a.name == b.name
    for one, two in zip(a.layers, b.layers, strict=True):
        for name in ("weight", "bias", "slopes"):
            assert np.array_equal(getattr(one, name), getattr(two, name))
        assert (one.exact is None) == (two.exact is None)
        if one.exact is not None and two.exact is not None:
            assert one.exact.numerators.tolist() == two.exact.numerators.tolist()
            assert one.exact.denominator == two.exact.denominator


def assert_same(a: pr.RegionSet, b: pr.RegionSet) -> None:
    for name in ("packed", "packed_cuts", "local_points", "points"):
        assert np.array_equal(getattr(a, name), getattr(b, name))
    assert dict(a.rational_points) == dict(b.rational_points)
    assert (a.complete, a.engine, dict(a.score), a.dim) == (b.complete, b.engine, dict(b.score), b.dim)
    assert_same_network(a.network, b.network)
    assert_same_domain(a.domain, b.domain)
    for one, two in zip(a, b, strict=True):
        assert one.polytope.exact_rows == two.polytope.exact_rows
        assert one.polytope.labels == two.polytope.labels
        assert np.array_equal(one.polytope.strict, two.polytope.strict)
        assert one.polytope.facets().tolist() == two.polytope.facets().tolist()


@pytest.mark.parametrize("name", CASES)
def test_regions_come_back_as_they_were(name: str, tmp_path: Path) -> None:
    regions = enumerated(name)
    pr.save(regions, tmp_path / "r.npz")
    assert_same(pr.load_regions(tmp_path / "r.npz"), regions)


@pytest.mark.parametrize("name", CASES)
def test_the_same_regions_are_the_same_bytes(name: str, tmp_path: Path) -> None:
    pr.save(enumerated(name), tmp_path / "one.npz")
    pr.save(enumerated(name), tmp_path / "two.npz")
    pr.save(pr.load_regions(tmp_path / "one.npz"), tmp_path / "three.npz")
    one = (tmp_path / "one.npz").read_bytes()
    assert (tmp_path / "two.npz").read_bytes() == one
    assert (tmp_path / "three.npz").read_bytes() == one


def test_a_region_without_a_float_keeps_its_rational_point(tmp_path: Path) -> None:
    """Between 1 and 1 + 2**-52 there is no float, so any point strictly inside is a proper rational."""
    pr.save(enumerated("region without a float"), tmp_path / "r.npz")
    loaded = pr.load_regions(tmp_path / "r.npz")
    assert loaded.patterns.astype(int).tolist() == [[0, 0], [1, 0], [1, 1]]
    (point,) = loaded.rational_points[1]
    assert 1 < point < 1 + Fraction(1, 2**52)
    assert list(loaded.rational_points) == [1]


def test_a_rational_point_may_have_thousands_of_digits(tmp_path: Path) -> None:
    pr.save(enumerated("region narrower than any float"), tmp_path / "r.npz")
    (point,) = pr.load_regions(tmp_path / "r.npz").rational_points[1]
    assert 1 < point < 1 + Fraction(1, 2**15000)


def test_a_partial_set_stays_partial(tmp_path: Path) -> None:
    layers, domain = CASES["box"]
    whole = pr.enumerate_regions(pr.Network.from_layers(layers), domain)
    for limit in range(len(whole)):
        part = pr.enumerate_regions(pr.Network.from_layers(layers), domain, max_regions=limit)
        pr.save(part, tmp_path / "part.npz")
        loaded = pr.load_regions(tmp_path / "part.npz")
        assert (len(loaded), loaded.complete) == (limit, False)
        assert_same(loaded, part)


def test_what_is_loaded_is_what_brute_force_finds(tmp_path: Path) -> None:
    layers, _ = CASES["box"]
    pr.save(enumerated("box"), tmp_path / "r.npz")
    loaded = pr.load_regions(tmp_path / "r.npz")
    expected = naive.regions([(w.tolist(), b.tolist()) for w, b in layers], naive.box([-1, -1], [1, 1]))
    assert [tuple(row) for row in loaded.patterns.astype(int).tolist()] == expected


def test_branchings_by_hand() -> None:
    """00, 01, 10 with 11 missing: the second neuron branches in the first half only."""
    on, off = branchings(np.array([[0, 0], [0, 1], [1, 0]], dtype=bool))
    assert on.astype(int).tolist() == [[0, 0], [0, 1], [1, 0]]
    assert off.astype(int).tolist() == [[1, 1], [1, 0], [0, 0]]


# ---------------------------------------------------------------- other formats


def test_json_of_regions_by_hand(tmp_path: Path) -> None:
    """On [-2, 2] relu(x) + relu(x - 1) is 0, then x, then 2 x - 1."""
    network = pr.Network.from_layers(STAIRS, name="stairs")
    pr.save(pr.enumerate_regions(network, pr.Box([-2], [2])), tmp_path / "r.json")
    found = json.loads((tmp_path / "r.json").read_text())
    assert (found["network"], found["complete"], found["after_each_layer"]) == ("stairs", True, [3])
    assert found["domain"] == {"kind": "box", "lower": [-2], "upper": [2]}
    assert [r["pattern"] for r in found["regions"]] == ["00", "10", "11"]
    assert [(r["weight"], r["bias"]) for r in found["regions"]] == [([[0]], [0]), ([[1]], [0]), ([[2]], [-1])]
    middle = found["regions"][1]
    rows = zip(middle["rows"], middle["A"], middle["b"], middle["strict"], strict=True)
    assert {name: (a, b, strict) for name, a, b, strict in rows} == {
        "neuron 0": ([-1], 0, True),  # on: 0 < x
        "neuron 1": ([1], 1, False),  # off: x <= 1
    }
    assert found["regions"][0]["rows"] == ["neuron 0", "x0 >= -2"]
    assert 0 < middle["point"][0] < 1


def test_json_of_regions_says_what_the_domain_is(tmp_path: Path) -> None:
    """In plain JSON, without the words NaN and Infinity that are not part of it."""
    domains: dict[str, Any] = {"unbounded box": {"kind": "box", "lower": [0, None], "upper": [None, 1]}}
    domains["whole space"] = {"kind": "whole space", "dim": 2}
    domains["polytope"] = {"kind": "polytope", "A": [[-1, 0], [0, -1], [1, 1]], "b": [0, 0, 1]}
    plane = {"kind": "slice", "origin": [0, 0, 0.1], "directions": PLANE}
    domains["slice of the plane"] = {**plane, "of": domains["whole space"]}
    for name, expected in domains.items():
        pr.save(enumerated(name), tmp_path / "r.json")
        text = (tmp_path / "r.json").read_text()
        assert json.loads(text, parse_constant=pytest.fail)["domain"] == expected


def quadrants() -> pr.RegionSet:
    return pr.enumerate_regions(pr.Network.from_layers(QUADRANTS, name="quadrants"), SQUARE)


def test_graphml_by_hand(tmp_path: Path) -> None:
    pr.save(pr.adjacency_graph(quadrants()), tmp_path / "g.graphml")
    graph = nx.read_graphml(tmp_path / "g.graphml", node_type=int)
    assert graph.graph["network"] == "quadrants"
    assert graph.graph["complete"] is True
    assert dict(graph.nodes(data="pattern")) == {0: "00", 1: "01", 2: "10", 3: "11"}
    assert dict(graph.nodes(data="dead_layers")) == {0: "0", 1: "", 2: "", 3: ""}
    flipped = {(a, b): text for a, b, text in graph.edges(data="flipped")}
    assert flipped == {(0, 1): "1", (0, 2): "0", (1, 3): "0", (2, 3): "1"}
    for node, own in graph.nodes(data=True):
        x, y = own["point_0"], own["point_1"]
        assert (x > 0, y > 0) == (node in (2, 3), node in (1, 3))


@pytest.mark.parametrize("suffix", [".json", ".graphml"])
def test_a_graph_comes_back_through_networkx(suffix: str, tmp_path: Path) -> None:
    graph = pr.adjacency_graph(enumerated("box"))
    pr.save(graph, tmp_path / f"g{suffix}")
    if suffix == ".json":
        data = json.loads((tmp_path / "g.json").read_text())
        read = nx.node_link_graph(data, edges="edges")
    else:
        read = nx.read_graphml(tmp_path / "g.graphml", node_type=int)
        del read.graph["node_default"], read.graph["edge_default"]  # which the reader adds
        for record in [*(d for _, d in read.nodes(data=True)), *(d for *_, d in read.edges(data=True))]:
            record["point"] = [record.pop("point_0"), record.pop("point_1")]
            for name in {"layer_ranks", "dead_layers", "flipped"} & set(record):
                record[name] = [int(word) for word in record[name].split()]
    assert nx.utils.graphs_equal(read, graph)


def test_graphml_keeps_the_direction_of_edges(tmp_path: Path) -> None:
    pr.save(nx.DiGraph([(1, 0), (1, 2)]), tmp_path / "g.graphml")
    assert sorted(nx.read_graphml(tmp_path / "g.graphml", node_type=int).edges) == [(1, 0), (1, 2)]


def test_the_same_graph_is_the_same_bytes(tmp_path: Path) -> None:
    for suffix in (".json", ".graphml"):
        for name in "ab":
            pr.save(pr.adjacency_graph(enumerated("box")), tmp_path / f"{name}{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_files_of_cells_by_hand(tmp_path: Path) -> None:
    """The larger of relu(x), relu(y): a tie where both are off, the diagonal where both are on."""
    cells = pr.decision_cells(quadrants())
    pr.save(cells, tmp_path / "c.npz")
    pr.save(cells, tmp_path / "c.json")
    expected = [(0, 0, "00"), (1, 1, "01"), (2, 0, "10"), (3, 0, "11"), (3, 1, "11")]
    with np.load(tmp_path / "c.npz") as arrays:
        patterns = ["".join(map(str, row)) for row in arrays["patterns"].astype(int)]
        found = list(zip(arrays["region"].tolist(), arrays["label"].tolist(), patterns, strict=True))
        assert (found, str(arrays["rule"])) == (expected, "argmax")
        for (x, y), (_, label, pattern) in zip(arrays["points"].tolist(), expected, strict=True):
            assert f"{int(x > 0)}{int(y > 0)}" == pattern
            assert label == int(max(y, 0) > max(x, 0))
    data = json.loads((tmp_path / "c.json").read_text())
    assert (data["rule"], data["complete"], data["per_class"]) == ("argmax", True, {"0": 3, "1": 2})
    assert [(c["region"], c["label"], c["pattern"]) for c in data["cells"]] == expected
    assert [c["tied_with"] for c in data["cells"]] == [[1], [], [], [], []]


@pytest.mark.parametrize("suffix", ["", ".txt", ".graphml", ".npz.bak"])
def test_regions_are_saved_only_in_their_formats(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"r.*expected a name that ends in one of \.npz, \.json"):
        pr.save(quadrants(), tmp_path / f"r{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_only_results_are_saved(tmp_path: Path) -> None:
    with pytest.raises(
        OptionError,
        match="a list, expected regions, decision cells or their boundary, a graph or its arrays, a certificate",
    ):
        pr.save([1, 2], tmp_path / "r.npz")


# ---------------------------------------------------------------- files that are not what they claim


def arrays_of(name: str, tmp_path: Path) -> Arrays:
    pr.save(enumerated(name), tmp_path / "good.npz")
    with np.load(tmp_path / "good.npz") as archive:
        return dict(archive)


def assert_refused(arrays: Arrays, tmp_path: Path, text: str | None = None) -> None:
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(FormatError, match=text) as caught:
        pr.load_regions(tmp_path / "bad.npz")
    assert str(tmp_path / "bad.npz") in str(caught.value)


def put(name: str, value: Any) -> Change:
    return lambda arrays: arrays.update({name: np.asarray(value)})


def changed(name: str, index: Any, value: Any) -> Change:
    def change(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][index] = value

    return change


def taken(rows: Any, *names: str) -> Change:
    """Keep only some regions, or put them in another order."""
    return lambda arrays: arrays.update({name: arrays[name][rows] for name in names})


PER_REGION = ("packed", "packed_cuts", "local_points")
TAMPERED: dict[str, tuple[str, Change, str | None]] = {
    "untouched but for the schema": ("box", put("schema", "polyregions regions 2"), "expected 'polyregions regions 1'"),
    "schema of another type": ("box", put("schema", 1), "array schema"),
    "pattern flipped": ("whole space", changed("packed", (-1, 0), 0b11100000), "region|patterns"),
    "last pattern flipped": ("region without a float", changed("packed", (2, 0), 0b10100000), "region|beyond"),
    "point moved to another region": ("nine neurons, two bytes", changed("local_points", (0, 0), 1.9), "region 0"),
    "point moved outside the domain": ("box", changed("local_points", (0, 0), 1e6), "region 0"),
    "point that is not a number": ("box", changed("local_points", (0, 0), np.nan), "local_points"),
    "point at infinity": ("whole space", changed("local_points", (0, 0), np.inf), "local_points"),
    "order changed": ("box", taken(slice(None, None, -1), *PER_REGION), "ascending order"),
    "region twice": ("box", taken([0, 0, 1], *PER_REGION), "ascending order"),
    "region missing": ("box", taken(slice(1, None), *PER_REGION), "cuts"),
    "last region missing": ("box", taken(slice(None, -1), *PER_REGION), "cuts"),
    "no region": ("box", taken(slice(0), *PER_REGION), "no regions"),
    "cut forgotten": ("box", changed("packed_cuts", (0, 0), 0), "region 0: its cuts"),
    "cut made up": ("nine neurons, two bytes", changed("packed_cuts", (0, 1), 0x80), "region 0: its cuts"),
    "bits beyond the last neuron": ("box", changed("packed", (0, 0), 1), "beyond the 6 neurons"),
    "fewer points": ("box", taken(slice(1, None), "local_points"), "local_points: shape"),
    "wider patterns": ("box", put("packed", np.zeros((3, 2), dtype=np.uint8)), "packed"),
    "patterns of another type": ("box", put("packed", np.zeros((3, 1))), "packed: float64"),
    "patterns without axes": ("box", put("packed", np.uint8(1)), "packed: uint8 with 0 axes"),
    "rational point outside its region": ("region without a float", put("rational_points", [["2/1"]]), "region 1"),
    "rational point that is needed by none": (
        "stairs", lambda a: a.update(rational_index=np.array([0]), rational_points=np.array([["3/2"]])), "region 0",
    ),
    "rational point of no region": ("region without a float", put("rational_index", [7]), "from 0 to 2"),
    "rational point of a negative region": ("region without a float", put("rational_index", [-2]), "from 0 to 2"),
    "rational point lost": ("region without a float", put("rational_index", np.zeros(0, dtype=int)), "shape"),
    "rational point over zero": ("region without a float", put("rational_points", [["1/0"]]), "rational_points"),
    "rational point as a bomb": ("region without a float", put("rational_points", [["1e999999999"]]), "rational such"),
    "rational point as floats": ("region without a float", put("rational_points", [[1.0]]), "rational_points"),
    "weight changed": ("nine neurons, two bytes", lambda a: a.update(W1=-a["W1"]), "region"),
    "weight of another shape": ("box", put("W1", np.zeros((3, 5))), None),
    "weight that is not a number": ("box", changed("W1", (0, 0), np.nan), "layer 1"),
    "rational weight changed": ("rational weights", changed("W1", (0, 0), 0.5), "nearest"),
    "complete that is no truth value": ("box", put("complete", "yes"), "array complete"),
    "complete without being so": ("part", put("complete", True), "cuts"),
    "score that is no JSON": ("box", put("score", "{"), "array score"),
    "score that is no object": ("box", put("score", "[1]"), "array score"),
    "score nested too deeply": ("box", put("score", "[" * 100_000), "array score"),
    "domain of an unknown kind": ("box", put("domain_kind", "ball"), "'ball', expected box"),
    "domain of another dimension": ("box", lambda a: a.update(lower=-np.ones(3), upper=np.ones(3)), "3 inputs"),
    "domain with crossed bounds": ("box", lambda a: a.update(lower=a["upper"], upper=a["lower"]), "lower <= upper"),
    "domain moved away": ("box", lambda a: a.update(lower=a["lower"] + 9, upper=a["upper"] + 9), "inside the domain"),
    "domain of texts": ("box", put("lower", ["a", "b"]), "array lower"),
    "dimension of texts": ("whole space", put("dim", "two"), "array dim"),
    "polytope of another size": ("polytope", put("b", np.zeros(2)), "3 rows"),
    "polytope moved away": ("polytope", put("b", [-5.0, -5.0, 20.0]), "inside the domain"),
    "polytope that is empty": ("polytope", put("b", [-5.0, -5.0, 1.0]), "empty"),
    "exact rows changed": ("rounded polytope", changed("exact_rows", (0, 0), "7"), "row 0 is not that of A and b"),
    "exact rows of other texts": ("rounded polytope", changed("exact_rows", (0, 0), "0x"), "hexadecimal"),
    "exact rows of another size": ("rounded polytope", put("exact_rows", [["1", "2", "3"]]), "exact_rows"),
    "slice with dependent directions": (
        "slice of a box", lambda a: a.update(slice_directions=np.ones((2, 3))), "dependent",
    ),
    "slice of texts": ("slice of a box", put("slice_origin", ["a", "b", "c"]), "slice_origin"),
}  # fmt: skip
CASES["stairs"] = (STAIRS, pr.Box([-2], [2]))


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_file_is_refused(name: str, tmp_path: Path) -> None:
    source, change, text = TAMPERED[name]
    if source == "part":
        layers, domain = CASES["box"]
        pr.save(
            pr.enumerate_regions(pr.Network.from_layers(layers), domain, max_regions=3), tmp_path / "p.npz"
        )
        with np.load(tmp_path / "p.npz") as archive:
            arrays = dict(archive)
    else:
        arrays = arrays_of(source, tmp_path)
    change(arrays)
    assert_refused(arrays, tmp_path, text)


@pytest.mark.parametrize("source", ["box", "whole space", "polytope", "rounded polytope", "slice of a box"])
def test_a_missing_array_is_refused(source: str, tmp_path: Path) -> None:
    arrays = arrays_of(source, tmp_path)
    for name in arrays.keys() - {"final_activation"}:  # which need not be there
        assert_refused({k: v for k, v in arrays.items() if k != name}, tmp_path)


def damaged(kind: str, whole: bytes) -> bytes:
    objects = io.BytesIO()
    np.savez(objects, schema=np.array([{}], dtype=object))
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("readme.txt", "not an array")
    return {
        "empty": b"",
        "truncated": whole[:-30],
        "half": whole[: len(whole) // 2],
        "bit flipped": whole[:200] + bytes([whole[200] ^ 0xFF]) + whole[201:],
        "pickle": b"\x80\x04]\x94.",
        "pickled array": objects.getvalue(),
        "other members": plain.getvalue(),
        "text": b"regions: 4\n",
    }[kind]


@pytest.mark.parametrize(
    "kind", ["empty", "truncated", "half", "bit flipped", "pickle", "pickled array", "other members", "text"]
)
def test_a_damaged_file_is_refused(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.npz"
    pr.save(quadrants(), file)
    file.write_bytes(damaged(kind, file.read_bytes()))
    with pytest.raises(FormatError) as caught:
        pr.load_regions(file)
    assert str(file) in str(caught.value)


def test_a_file_of_cells_is_no_file_of_regions(tmp_path: Path) -> None:
    pr.save(pr.decision_cells(quadrants()), tmp_path / "c.npz")
    with pytest.raises(FormatError, match=r"c\.npz: array schema is missing"):
        pr.load_regions(tmp_path / "c.npz")


def test_only_npz_is_read_back(tmp_path: Path) -> None:
    pr.save(quadrants(), tmp_path / "r.json")
    with pytest.raises(OptionError, match=r"r\.json: expected a name that ends in \.npz"):
        pr.load_regions(tmp_path / "r.json")


@pytest.mark.parametrize("name", ["no.npz", "folder.npz"])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(FormatError, match=name):
        pr.load_regions(tmp_path / name)


# ---------------------------------------------------------------- a file is whole or not there


def test_writing_over_a_directory_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "r.npz").mkdir()
    with pytest.raises(FormatError, match=r"r\.npz: cannot be written"):
        pr.save(quadrants(), tmp_path / "r.npz")
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]
    assert list((tmp_path / "r.npz").iterdir()) == []


@pytest.mark.parametrize("folder", ["missing", "file"])
def test_a_folder_that_is_none_is_refused(folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(FormatError, match=r"r\.npz: cannot be written"):
        pr.save(quadrants(), tmp_path / folder / "r.npz")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("file", "kept")]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(FormatError, match=r"r\.npz: cannot be written"):
        pr.save(quadrants(), folder / "r.npz")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(OSError(28, "No space left"), FormatError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_write_that_stops_halfway_keeps_the_old_file(
    failure: BaseException, raised: type[BaseException], tmp_path: Path
) -> None:
    target = tmp_path / "r.npz"
    write_whole(target, b"old")

    def half() -> Iterator[bytes]:
        yield b"ne"
        raise failure

    with pytest.raises(raised):
        write_whole(target, half())
    assert [p.name for p in tmp_path.iterdir()] == ["r.npz"]
    assert target.read_bytes() == b"old"


def test_a_result_that_cannot_be_built_leaves_nothing_behind(tmp_path: Path) -> None:
    graph = nx.Graph()
    graph.add_node(0, value=object())
    with pytest.raises(Exception, match="object"):
        pr.save(graph, tmp_path / "g.graphml")
    assert list(tmp_path.iterdir()) == []


def test_graphs_of_either_key_are_read(tmp_path: Path) -> None:
    """networkx called the edges "links" before 3.6; today's default reads what is written."""
    graph = pr.adjacency_graph(enumerated("box"))
    pr.save(graph, tmp_path / "new.json")
    data = json.loads((tmp_path / "new.json").read_text())
    assert data == json.loads(
        json.dumps(nx.node_link_data(nx.node_link_graph(data, edges="edges"), edges="edges"))
    )
    data["links"] = data.pop("edges")
    (tmp_path / "old.json").write_text(json.dumps(data))
    old, new = (pr.load_graph(tmp_path / f"{name}.json") for name in ("old", "new"))
    assert nx.utils.graphs_equal(old, new) and len(new.edges) == len(graph.edges)
