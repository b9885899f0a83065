"""Every activation against the brute-force twin: cells, maps, neighbours, winners, on small random networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import naive
import naive_graph
from checks import check_edges, check_interior_points, check_points_and_maps, check_volumes
from graphs import for_twin, network_of, pieces
from polyregions import (
    Box,
    Network,
    RegionSet,
    WholeSpace,
    adjacency_arrays,
    along_segment,
    audit,
    bounds,
    check,
    count_by_definition,
    dead_regions,
    decision_cells,
    decision_tree,
    enumerate_regions,
    euler_characteristic,
    layer_ranks,
    load_regions,
    neuron_status,
    report,
    save,
    segment,
    simplify,
    winner_regions,
)
from polyregions.networks.graph import GraphBuilder, lower

ACTIVATIONS = {
    "relu": pieces("relu"),
    "leaky": pieces("leaky", 0.1),
    "leaky with a negative slope": pieces("leaky", -2.0),
    "leaky beyond 1": pieces("leaky", 1.5),
    "abs": pieces("abs"),
    "relu6": pieces("clip", 0.0, 6.0),
    "hard tanh": pieces("clip", -1.0, 1.0),
    "clip": pieces("clip", -0.25, 0.5),
    "at least": pieces("at least", 0.5),
    "at most": pieces("at most", -0.5),
    "hard sigmoid": pieces("hard sigmoid", 0.25, 0.5),
}
MAXIMA = {
    "max of 2": ("max", [[0, 1], [2, 3]]),
    "max of 3": ("max", [[0, 1, 2], [1, 2, 3]]),
    "max of 4": ("max", [[0, 1, 2, 3]]),
    "max of 5": ("max", [[0, 1, 2, 3, 0]]),
    "min of 2": ("min", [[0, 1], [2, 3]]),
    "min of 3": ("min", [[0, 1, 2], [1, 2, 3]]),
}


def layer(rng: np.random.Generator, n: int, k: int, integers: bool) -> tuple[Any, Any]:
    """Weights (n, k) and biases: small integers, which are degenerate, or halves of anything."""
    if integers:
        return rng.integers(-2, 3, (n, k)).tolist(), rng.integers(-1, 2, n).tolist()
    return (rng.normal(size=(n, k)) * 2).round(3).tolist(), rng.normal(size=n).round(3).tolist()


def shallow_and_deep(rng: np.random.Generator, d: int, integers: bool, unit: Any) -> list[Any]:
    """Four entries, the activation, two entries, the activation, one entry and a skip from the input."""
    kind, what = ("pieces", unit) if unit[0] not in ("max", "min") else unit
    first: Any = (kind, 1, what)
    n = 4 if kind == "pieces" else len(what)
    nodes: list[Any] = [d, ("affine", 0, *layer(rng, 4, d, integers)), first]
    nodes.append(("affine", 2, *layer(rng, 4 if kind != "pieces" else 2, n, integers)))
    nodes.append((kind, 3, what))
    nodes.append(("join", (4, 0)))
    width = (2 if kind == "pieces" else len(what)) + d
    nodes.append(("affine", 5, *layer(rng, 2, width, integers)))
    return nodes


def exact_maps(regions: RegionSet, index: np.ndarray) -> list[Any]:
    found = [regions[int(i)].exact_affine_map.fractions() for i in index]
    return [(tuple(map(tuple, weight)), tuple(bias)) for weight, bias in found]


def check_against_twin(nodes: list[Any], net: Network, domain: Any, rows: Any) -> RegionSet:
    """The cells, the map on each, and who is next to whom."""
    regions = enumerate_regions(net, domain, certify=True)
    assert regions.certificate is not None
    assert check(regions.certificate, net)
    readable = enumerate_regions(net, domain, engine="highs")
    assert np.array_equal(readable.patterns, regions.patterns)
    merged = winner_regions(regions)
    cells = naive_graph.cells(for_twin(nodes), rows)
    assert len(merged) == len(cells)
    points = [naive.find_point(naive.opened(held), nodes[0]) for _, held, _ in cells]
    located = regions.locate([[float(c) for c in p or ()] for p in points])
    owner = dict(zip(merged.label[located].tolist(), cells, strict=True))
    assert len(owner) == len(cells)
    for (weight, bias), (_, _, forms) in zip(exact_maps(regions, located), cells, strict=True):
        assert weight == tuple(w for w, _ in forms)
        assert bias == tuple(b for _, b in forms)
    edges = {frozenset((owner[a][0], owner[b][0])) for a, b in merged.edges().tolist()}
    assert edges == naive.facet_pairs({label: naive.closed(held) for label, held, _ in cells}, nodes[0])
    return regions


@pytest.mark.parametrize("integers", [False, True], ids=["generic", "degenerate"])
@pytest.mark.parametrize("name", [*ACTIVATIONS, *MAXIMA])
def test_cells_maps_and_neighbours_are_those_of_the_definition(name: str, integers: bool) -> None:
    unit = ACTIVATIONS.get(name) or MAXIMA[name]
    for seed in range(3):
        rng = np.random.default_rng(seed)
        d = 1 + seed % 2
        nodes = shallow_and_deep(rng, d, integers, unit)
        net = network_of(nodes)
        check_against_twin(nodes, net, Box.cube(-1, 2, d), naive.box([-1] * d, [2] * d))


@pytest.mark.parametrize("name", [*ACTIVATIONS, *MAXIMA])
def test_the_whole_space(name: str) -> None:
    unit = ACTIVATIONS.get(name) or MAXIMA[name]
    nodes = shallow_and_deep(np.random.default_rng(7), 2, False, unit)[:-2]  # without the skip
    check_against_twin(nodes, network_of(nodes), WholeSpace(2), [])


def knocked_out(nodes: list[Any]) -> list[Any]:
    """The same network with the outcome of each match as the case."""
    return [
        ("knockout", *node[1:]) if not isinstance(node, int) and node[0] == "max" else node for node in nodes
    ]


@pytest.mark.parametrize("name", ["max of 2", "max of 3", "max of 4", "max of 5"])
def test_regions_are_the_outcomes_of_the_matches(name: str) -> None:
    """Unmerged, a bit is a match: as many regions as outcomes, of which there may be more than winners."""
    more = 0
    for seed in range(4):
        nodes = shallow_and_deep(np.random.default_rng(seed), 2, seed % 2 == 1, MAXIMA[name])
        regions = enumerate_regions(network_of(nodes), Box.cube(-1, 2, 2))
        outcomes = naive_graph.cells(for_twin(knocked_out(nodes)), naive.box([-1, -1], [2, 2]))
        assert len(regions) == len(outcomes)
        more += len(regions) - len(winner_regions(regions))
    assert (more > 0) == (name != "max of 2")


@pytest.mark.parametrize("seed", range(5))
def test_a_maximum_of_two_is_the_relu_network_that_computes_it(seed: int) -> None:
    """max(a, b) = b + relu(a - b), with b carried by relu(b + c) for a c that keeps it positive: the same complex."""
    rng = np.random.default_rng(seed)
    W, b = rng.normal(size=(2, 3)), rng.normal(size=2)
    V, v = rng.normal(size=(4, 2)), rng.normal(size=4)
    nodes = [
        3,
        ("affine", 0, W.tolist(), b.tolist()),
        ("affine", 1, V.tolist(), v.tolist()),
        ("max", 2, [[0, 1], [2, 3]]),
    ]
    build = GraphBuilder(3, "relu")
    a = build.dense(build.dense(0, W, b), V, v)
    first, second = build.select(a, np.array([0, 2])), build.select(a, np.array([1, 3]))
    written = lower(build.graph(build.add(second, build.relu(build.add(first, second, -1.0)))), "relu")
    box = Box.cube(-1, 1, 3)
    maxima, relus = enumerate_regions(network_of(nodes), box), enumerate_regions(written, box)
    assert np.array_equal(maxima.patterns, relus.patterns)
    assert [exact_maps(maxima, np.arange(len(maxima)))] == [exact_maps(relus, np.arange(len(relus)))]
    assert adjacency_arrays(maxima).source.tolist() == adjacency_arrays(relus).source.tolist()


@pytest.mark.parametrize("name", [*ACTIVATIONS, "max of 2", "min of 2"])
def test_counts_by_definition(name: str) -> None:
    """R1 (thin cells too), R2 and R6 by the twin, where bits and cases are the same thing."""
    unit = ACTIVATIONS.get(name) or MAXIMA[name]
    for seed in range(2):
        nodes = shallow_and_deep(np.random.default_rng(seed), 1 + seed, True, unit)
        d = nodes[0]
        rows = naive.box([-1] * d, [2] * d)
        counts = count_by_definition(enumerate_regions(network_of(nodes), Box.cube(-1, 2, d)))
        cells = naive_graph.cells(for_twin(nodes), rows)
        assert counts["R1"] == len(naive_graph.cells(for_twin(nodes), rows, thin=True))
        assert counts["R2"] == len(cells)
        assert counts["R6"] == len({tuple(forms) for _, _, forms in cells})


@pytest.mark.parametrize("name", [*ACTIVATIONS, *MAXIMA])
def test_decision_cells(name: str) -> None:
    unit = ACTIVATIONS.get(name) or MAXIMA[name]
    nodes = shallow_and_deep(np.random.default_rng(3), 2, False, unit)
    regions = enumerate_regions(network_of(nodes), Box.cube(-1, 2, 2))
    found = decision_cells(regions)
    merged = winner_regions(regions)
    pairs = {(int(merged.label[r]), int(k)) for r, k in zip(found.region, found.label, strict=True)}
    expected = 0
    for _, held, forms in naive_graph.cells(for_twin(nodes), naive.box([-1, -1], [2, 2])):
        for k, others in enumerate((forms[1:], forms[:1])):
            rows = [naive_graph.above(naive_graph.minus(forms[k], other), True) for other in others]
            expected += naive.find_point(naive.opened([*held, *rows]), 2) is not None
    assert len(pairs) == expected


def inputs_of_neurons(net: Network, X: Any) -> Any:
    """The values (n, N) at points (n, d) whose signs are the bits of the patterns, by numpy."""
    columns = []
    for part in net.activation_layers:
        z = X @ part.weight.T + part.bias
        below, above = np.transpose(part.slopes)
        columns.append(z[:, below != above])
        X = np.where(z > 0, above, below) * z
    return np.hstack(columns)


@pytest.mark.parametrize("name", [*ACTIVATIONS, *MAXIMA])
def test_other_views_hold_for_every_unit(name: str, tmp_path: Path) -> None:
    """Ranks by numpy, statuses by the patterns, an equal smaller network, a file and back."""
    unit = ACTIVATIONS.get(name) or MAXIMA[name]
    rng = np.random.default_rng(5)
    net = network_of(shallow_and_deep(rng, 2, False, unit))
    regions = enumerate_regions(net, Box.cube(-1, 2, 2))
    check_points_and_maps(regions, rng)
    check_interior_points(regions)
    check_volumes(regions)
    check_edges(regions, adjacency_arrays(regions))
    assert audit(regions)
    ranks = layer_ranks(regions)
    for i in range(min(len(regions), 20)):
        matrix = np.eye(2)
        bits = iter(regions.patterns[i])
        for j, part in enumerate(net.activation_layers):
            matrix = part.weight @ matrix
            assert ranks[i, j] == np.linalg.matrix_rank(matrix)
            slopes = [s[int(next(bits))] if s[0] != s[1] else s[1] for s in part.slopes]
            matrix = np.array(slopes)[:, None] * matrix
    for bound in bounds(net):
        if bound.kind == "upper" and bound.value is not None:
            assert len(regions) <= bound.value
    for i, region in enumerate(regions):
        dead = region.dead_layers()
        assert dead_regions(regions)[i] == (dead[0] if dead else -1)
        assert not any(np.any(ranks[i, j + 1 :]) for j in dead)
    status = neuron_status(regions).status
    on = regions.patterns.mean(axis=0)
    assert np.array_equal(status == 0, on == 0)
    assert np.all(status[on == 1] == 1)
    X = rng.uniform(-1, 2, (400, 2))
    assert np.all(inputs_of_neurons(net, X)[:, status == 1] >= -1e-9)  # nowhere negative
    X = rng.uniform(-1, 2, (50, 2))
    smaller, _ = simplify(net, regions)
    np.testing.assert_allclose(smaller(X), net(X), rtol=0, atol=1e-9)
    assert len(enumerate_regions(smaller, Box.cube(-1, 2, 2))) <= len(regions)
    save(regions, tmp_path / "regions.npz")
    back = load_regions(tmp_path / "regions.npz")
    assert np.array_equal(back.patterns, regions.patterns)
    assert len(winner_regions(back)) == len(winner_regions(regions))


@pytest.mark.parametrize("name", [*ACTIVATIONS, *MAXIMA])
def test_segments_trees_and_faces(name: str) -> None:
    """Pieces along a segment are the regions of its slice, the tree is the network, the characteristic is 1."""
    unit = ACTIVATIONS.get(name) or MAXIMA[name]
    rng = np.random.default_rng(11)
    net = network_of(shallow_and_deep(rng, 2, False, unit))
    a, b = rng.uniform(-2, 2, (2, 2)).round(2)
    along = enumerate_regions(net, segment(a, b))
    assert len(along_segment(net, a, b)) == len(along)
    regions = enumerate_regions(net, Box.cube(-1, 2, 2))
    X = rng.uniform(-1, 2, (50, 2))
    np.testing.assert_allclose(decision_tree(regions)(X), net(X), rtol=0, atol=1e-9)
    assert euler_characteristic(regions) == 1


def test_merged_regions_are_polytopes_that_fill_the_domain() -> None:
    nodes = shallow_and_deep(np.random.default_rng(1), 2, False, MAXIMA["max of 5"])
    regions = enumerate_regions(network_of(nodes), Box.cube(-1, 2, 2))
    merged = winner_regions(regions)
    assert len(merged) < len(regions)
    section = report(regions).section("regions")
    assert section is not None
    assert ("regions by winners of maxima", len(merged)) in section.rows
    assert sum(cell.polytope.volume() for cell in merged) == pytest.approx(9.0, rel=1e-9)
    X = np.random.default_rng(0).uniform(-1, 2, (300, 2))
    inside = np.array([cell.polytope.contains(X) for cell in merged])
    assert np.array_equal(inside.argmax(axis=0), merged.label[regions.locate(X)])
    assert np.array_equal(inside.sum(axis=0), np.ones(300))
    graph = merged.graph()
    assert sum(graph.nodes[i]["regions"] for i in graph) == len(regions)
    for cell in merged:
        assert np.array_equal(np.sort(cell.members), np.flatnonzero(merged.label == cell.number))


def test_without_large_maxima_every_region_is_by_itself() -> None:
    nodes = shallow_and_deep(np.random.default_rng(1), 2, False, MAXIMA["max of 2"])
    regions = enumerate_regions(network_of(nodes), Box.cube(-1, 2, 2))
    assert winner_regions(regions).label.tolist() == list(range(len(regions)))
