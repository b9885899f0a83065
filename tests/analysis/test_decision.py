"""Decision cells by every rule: against the naive twin, by hand, and by invariants that hold for every network."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from corpus import corpus
from polyregions import (
    Box,
    DecisionBoundary,
    DecisionCells,
    HPolytope,
    Network,
    Slice,
    WholeSpace,
    decision_boundary,
    decision_cells,
    decision_graph,
    enumerate_regions,
    islands,
    load_domain,
    load_network,
    save,
)
from polyregions.cli import main
from polyregions.errors import OptionError
from random_networks import network_of, networks
from randoms import float_layers, generator, integer_layers

RULES = {"argmax": lambda layers: layers, "argmin": naive.by_argmin, "sign": naive.by_sign}

HALF_LINE = [([[1.0]], [0.0])]
SQUARE = Box.cube(-1, 1, 2)


def cells_of(layers: Any, domain: Any, rule: str = "argmax") -> DecisionCells:
    return decision_cells(enumerate_regions(Network.from_layers(layers), domain), rule)


def exact_scores(cells: DecisionCells, x: Any) -> list[Fraction]:
    """What the classes score at a point, in exact arithmetic and by the definition of the rule."""
    layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in cells.regions.network.layers]
    return list(naive.forward(RULES[cells.rule](layers), x))


def check_pieces(boundary: DecisionBoundary) -> None:
    """The point of each piece lies in both closed cells, and their classes score the same there, and the most."""
    cells = boundary.cells
    for piece, (k, i) in enumerate(boundary.classes.tolist()):
        x = boundary.exact_point(piece)
        scores = exact_scores(cells, x)
        assert scores[k] == scores[i] == max(scores)
        for cell in (boundary.source[piece], boundary.target[piece]):
            assert all(slack >= 0 for slack in slacks(cells[int(cell)].polytope, x))
        wall = boundary.polytope(piece)
        assert wall.solid is not None
        assert wall.solid.hull.dim == cells.regions.dim - 1
        assert all(slack >= 0 for slack in slacks(wall, x))
        assert np.allclose(boundary.points[piece], np.array(x, dtype=float), rtol=1e-9, atol=1e-9)


def slacks(polytope: HPolytope, x: Any) -> list[Fraction]:
    return [naive.dot(row[:-1], x) + row[-1] for row in polytope.exact_rows]


def check_facets(cells: DecisionCells) -> None:
    """Every facet that is not the domain's leads to exactly one cell, so there are as many as edges at the cell."""
    graph = decision_graph(cells)
    for cell in cells:
        inner = [facet for facet in cell.facets() if "domain" not in facet.kinds]
        kinds = Counter(kind for _, _, kind in graph.edges(cell.number, data="kind"))
        assert len(inner) == graph.degree(cell.number)
        assert sum("neuron" in facet.kinds for facet in inner) == kinds["neuron"]
        assert sum(facet.kinds == ("decision",) for facet in inner) == kinds["decision"]


def check_points(cells: DecisionCells) -> None:
    """Each cell's point is in its region and scores most in its class, alone but for ties."""
    for cell in cells:
        x = cells.regions.problem.solid.hull.lift(cells.local_point(cell.number)).coordinates
        scores = exact_scores(cells, x)
        best = {k for k, score in enumerate(scores) if score == max(scores)}
        assert best == {cell.label, *cell.tied_with}
        assert min(best) == cell.label
        assert all(slack > 0 for slack in slacks(cell.polytope, x))


# ---------------------------------------------------------------- the naive twin


@settings(max_examples=50, deadline=None, derandomize=True)
@given(layers=networks(), rule=st.sampled_from(sorted(RULES)), whole_space=st.booleans())
def test_cells_islands_and_boundary_agree(layers: Any, rule: str, whole_space: bool) -> None:
    d = len(layers[0][0][0])
    if rule == "sign":
        layers = [*layers[:-1], (layers[-1][0][:1], layers[-1][1][:1])]
    rows = [] if whole_space else naive.box([-1] * d, [2] * d)
    competing = RULES[rule](layers)
    domain = WholeSpace(d) if whole_space else Box.cube(-1, 2, d)
    cells = decision_cells(enumerate_regions(network_of(layers), domain), rule)
    patterns = [tuple(int(bit) for bit in pattern) for pattern in cells.regions.patterns]
    pairs = [(patterns[i], int(k)) for i, k in zip(cells.region, cells.label, strict=True)]
    assert pairs == naive.decision_cells(competing, rows)
    boundary = decision_boundary(cells)
    pieces = [frozenset((pairs[a], pairs[b])) for a, b in zip(boundary.source, boundary.target, strict=True)]
    assert len(pieces) == len(set(pieces))
    assert set(pieces) == naive.boundary_pieces(competing, rows)
    found = islands(cells)
    assert sorted(sorted(pairs[c] for c in found.members(i)) for i in range(len(found))) == naive.islands(
        competing, rows
    )
    check_pieces(boundary)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(layers=networks(), rule=st.sampled_from(["argmax", "argmin"]))
def test_views_agree_with_the_graph(layers: Any, rule: str) -> None:
    d = len(layers[0][0][0])
    cells = decision_cells(enumerate_regions(network_of(layers), Box.cube(-1, 2, d)), rule)
    check_points(cells)
    check_facets(cells)


# ---------------------------------------------------------------- by hand


def test_the_sign_of_one_output() -> None:
    """|x| - 1: positive outside [-1, 1]."""
    cells = cells_of([([[1], [-1]], [0, 0]), ([[1, 1]], [-1])], Box([-2], [3]), "sign")
    assert cells.label.tolist() == [0, 1, 0, 1]
    assert cells.ties == ()
    found = islands(cells)
    assert {k: len(members) for k, members in found.per_class().items()} == {0: 1, 1: 2}
    assert found.label[found.island].tolist() == cells.label.tolist()
    boundary = decision_boundary(cells)
    assert sorted(boundary.points.ravel().tolist()) == [-1, 1]
    assert set(boundary.kinds) == {"decision"}


def test_an_output_that_is_zero_all_over_a_region_is_class_0_and_a_tie() -> None:
    """relu(x): the classes meet at the neuron's facet, and only there."""
    cells = cells_of([([[1]], [0]), ([[1]], [0])], Box([-1], [1]), "sign")
    assert cells.label.tolist() == [0, 1]
    assert cells.ties == ((0, (1,)),)
    assert cells[0].tied_with == (1,)
    boundary = decision_boundary(cells)
    assert (boundary.kinds, boundary.neuron.tolist(), boundary.points.tolist()) == (("neuron",), [0], [[0]])
    assert boundary.exact_point(0) == (0,)
    assert boundary.polytope(0).vertices().tolist() == [[0]]


def test_a_neuron_and_a_decision_on_one_hyperplane_make_a_facet_of_both_kinds() -> None:
    cells = cells_of([([[1, 0]], [0]), ([[2], [1]], [0, 0])], SQUARE)
    assert cells.per_class() == {0: 2}  # a tie on the left goes to class 0
    (left, right) = cells
    assert [facet.kinds for facet in left.facets()].count(("neuron",)) == 1
    assert [facet.kinds for facet in right.facets()].count(("decision", "neuron")) == 1
    assert Counter(kind for facet in right.facets() for kind in facet.kinds)["domain"] == 3
    assert len(decision_boundary(cells)) == 0


def test_the_rows_of_a_cell_say_where_they_come_from() -> None:
    cells = cells_of([([[1, 0]], [0]), ([[1], [0]], [0, 0.5])], SQUARE)
    first = cells[2]
    assert (first.label, cells.region.tolist()) == (1, [0, 1, 1])
    assert first.polytope.labels == (
        "neuron 0", "x0 >= -1", "x0 <= 1", "x1 >= -1", "x1 <= 1", "decision 1-0"
    )  # fmt: skip
    assert first.polytope.strict.tolist() == [True, False, False, False, False, True]
    assert first.polytope.volume() == cells[1].polytope.volume() == 1.0
    assert not cells[1].polytope.strict[-1]  # class 0 keeps a tie with class 1
    assert np.array_equal(first.point, cells.points[2])
    assert first.region.number == 1
    with pytest.raises(IndexError, match="decision cell 3 of 3"):
        cells[3]


def test_three_classes_that_meet_in_a_point_have_three_pieces() -> None:
    """y = (x0, x1, 0): rays from the origin."""
    cells = cells_of([([[1, 0], [0, 1], [0, 0]], [0, 0, 0])], SQUARE)
    boundary = decision_boundary(cells)
    assert boundary.classes.tolist() == [[0, 1], [0, 2], [1, 2]]
    lengths = [boundary.polytope(piece).volume() for piece in range(3)]
    assert lengths == pytest.approx([2**0.5, 1, 1])
    check_pieces(boundary)


def test_classes_that_swap_places_beyond_a_common_hyperplane() -> None:
    """Both rivals of class 1 meet it on one line, and the best of them has the other side."""
    cells = cells_of([([[1, 0], [0, 0], [2, 0]], [0, 0, 0])], SQUARE)
    assert cells.label.tolist() == [1, 2]
    assert decision_boundary(cells).classes.tolist() == [[1, 2]]
    assert cells[0].facets()[-1].kinds == ("decision",)
    assert len(cells[0].facets()[-1].rows) == 2


def test_the_rule_fits_the_network_unless_it_is_named() -> None:
    one = enumerate_regions(Network.from_layers([([[1.0]], [0])]), Box([-1], [1]))
    assert (decision_cells(one).rule, decision_cells(one).per_class()) == ("sign", {0: 1, 1: 1})
    assert decision_cells(one, "argmax").per_class() == {0: 1}
    two = enumerate_regions(Network.from_layers([([[1.0], [2.0]], [0, 0])]), Box([-1], [1]))
    assert decision_cells(two).rule == "argmax"


def test_unknown_rules_and_rules_that_do_not_fit_are_refused() -> None:
    regions = enumerate_regions(Network.from_layers([([[1.0], [2.0]], [0, 0])]), Box([-1], [1]))
    with pytest.raises(OptionError, match="rule 'median', expected one of auto, argmax, argmin, sign"):
        decision_cells(regions, "median")
    with pytest.raises(OptionError, match="rule 'sign': network has 2 outputs, expected 1"):
        decision_cells(regions, "sign")


# ---------------------------------------------------------------- degenerate networks


def test_identical_outputs_are_one_class() -> None:
    layers = float_layers(generator(0), [2, 5, 3])
    weight, bias = layers[-1]
    doubled = [*layers[:-1], (np.concatenate([weight, weight]), np.concatenate([bias, bias]))]
    single, double = cells_of(layers, SQUARE), cells_of(doubled, SQUARE)
    assert np.array_equal(single.region, double.region)
    assert np.array_equal(single.label, double.label)
    assert [(c, (k + 3,)) for c, k in enumerate(single.label.tolist())] == list(double.ties)


def test_a_dead_last_layer_ties_everywhere() -> None:
    layers = [([[1, 0], [0, 1]], [0, 0]), ([[-1, -1]], [-1]), ([[1], [2], [3]], [5, 5, 4])]
    cells = cells_of(layers, SQUARE)
    assert cells.per_class() == {0: 4}
    assert cells.ties == tuple((c, (1,)) for c in range(4))
    assert len(decision_boundary(cells)) == 0
    assert len(islands(cells)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_cells_of_networks_without_biases_are_cones(seed: int) -> None:
    """So in a box around the origin there are as many as in the whole space, with the same contacts."""
    layers = [(w, 0 * b) for w, b in float_layers(generator(seed), [2, 6, 4, 3])]
    inside, everywhere = cells_of(layers, Box.cube(-1, 1, 2)), cells_of(layers, WholeSpace(2))
    assert np.array_equal(inside.region, everywhere.region)
    assert np.array_equal(inside.label, everywhere.label)
    assert nx.utils.edges_equal(decision_graph(inside).edges, decision_graph(everywhere).edges)
    check_pieces(decision_boundary(everywhere))


def test_a_domain_that_is_a_slice() -> None:
    layers = float_layers(generator(3), [4, 6, 3])
    directions = generator(4).normal(size=(2, 4))
    cells = cells_of(layers, Slice([0.5, 0, 0, 0], directions, SQUARE))
    assert len(cells.per_class()) > 1
    check_facets(cells)
    boundary = decision_boundary(cells)
    assert boundary.points.shape == (len(boundary), 4)
    check_pieces(boundary)


def test_a_network_that_floats_cannot_follow_is_left_to_rationals() -> None:
    layers = [([[1e-300], [-1e-300]], [0, 0]), ([[1e-300, 0], [0, 1e-300], [0, 0]], [0, 0, 0])]
    assert not Network.from_layers(layers).is_tame
    cells = cells_of(layers, Box([-1], [1]))
    assert cells.label.tolist() == [1, 0]
    assert cells.ties == ()
    assert decision_boundary(cells).exact_point(0) == (0,)


# ---------------------------------------------------------------- invariants


@pytest.mark.parametrize(("seed", "sizes"), [(0, [2, 8, 6, 4]), (1, [3, 7, 5, 5]), (2, [4, 6, 3, 6])])
def test_larger_random_networks(seed: int, sizes: list[int]) -> None:
    rng = generator(seed)
    layers = float_layers(rng, sizes)
    cells = cells_of(layers, Box.cube(-1, 1, sizes[0]))
    check_points(cells)
    check_samples(cells, rng)
    boundary = decision_boundary(cells)
    check_pieces(boundary)
    graph = decision_graph(cells)
    unlike = [(a, b) for a, b in sorted(graph.edges) if cells.label[a] != cells.label[b]]
    ends = zip(boundary.source.tolist(), boundary.target.tolist(), strict=True)
    assert [(min(e), max(e)) for e in unlike] == list(ends)
    assert nx.is_connected(graph)


def check_samples(cells: DecisionCells, rng: np.random.Generator) -> None:
    """Wherever a random point falls, its region has a cell of its class."""
    box = cells.regions.domain
    assert isinstance(box, Box)
    X = rng.uniform(box.lower, box.upper, (2000, box.dim))
    pairs = set(zip(cells.region.tolist(), cells.label.tolist(), strict=True))
    values = cells.regions.network(X)
    labels = values.argmin(axis=1) if cells.rule == "argmin" else values.argmax(axis=1)
    assert set(zip(cells.regions.locate(X).tolist(), labels.tolist(), strict=True)) <= pairs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", [float_layers, integer_layers])
def test_the_smallest_output_is_the_largest_of_the_negated_network(make: Any, seed: int) -> None:
    layers = make(generator(seed), [2, 6, 4])
    weight, bias = (np.array(part, dtype=float) for part in layers[-1])
    low = cells_of(layers, SQUARE, "argmin")
    high = cells_of([*layers[:-1], (-weight, -bias)], SQUARE)
    assert np.array_equal(low.region, high.region)
    assert np.array_equal(low.label, high.label)
    assert np.array_equal(low.points, high.points)
    assert low.ties == high.ties


@pytest.mark.parametrize("seed", range(4))
def test_a_constant_added_to_all_outputs_changes_nothing(seed: int) -> None:
    layers = integer_layers(generator(seed), [2, 5, 4])  # integers: the sum is not rounded
    weight, bias = layers[-1]
    plain = cells_of(layers, SQUARE)
    raised = cells_of([*layers[:-1], (weight, [b + 7 for b in bias])], SQUARE)
    assert np.array_equal(plain.region, raised.region)
    assert np.array_equal(plain.label, raised.label)
    assert plain.ties == raised.ties
    assert nx.utils.edges_equal(decision_graph(plain).edges, decision_graph(raised).edges)


def test_cells_of_a_region_fill_it() -> None:
    cells = cells_of(float_layers(generator(5), [2, 6, 4]), SQUARE)
    parts: Counter[int] = Counter()
    for cell in cells:
        parts[cell.region.number] += cell.polytope.volume()
    for i, total in parts.items():
        assert total == pytest.approx(cells.regions[i].polytope.volume(), rel=1e-9)


def test_real_cells_by_argmin() -> None:
    """ACAS Xu 3_3 on the box of property 4, cut short: what samples say, and pieces that tie exactly."""
    network = load_network(corpus("acasxu/ACASXU_run2a_3_3_batch_2000.onnx"))
    domain = load_domain(corpus("acasxu/prop_3.vnnlib"))
    regions = enumerate_regions(network, domain, max_regions=1500)
    cells = decision_cells(regions, "argmin")
    assert len(cells) >= len(regions)
    boundary = decision_boundary(cells)
    for piece in range(0, len(boundary), max(1, len(boundary) // 20)):
        u = regions.problem.solid.hull.coordinates(list(boundary.exact_point(piece)))
        values = regions.problem.exact.germ(u).value
        k, i = boundary.classes[piece]
        assert values[k] == values[i] == min(values)


# ---------------------------------------------------------------- files and the command line


def test_files_of_boundaries(tmp_path: Path) -> None:
    layers = [([[1]], [0]), ([[1]], [0])]
    boundary = decision_boundary(cells_of(layers, Box([-1], [1]), "sign"))
    save(boundary, tmp_path / "b.npz")
    save(boundary, tmp_path / "b.json")
    with np.load(tmp_path / "b.npz") as file:
        assert file["cells"].tolist() == file["classes"].tolist() == file["regions"].tolist() == [[0, 1]]
        assert (file["kind"].tolist(), file["neuron"].tolist()) == (["neuron"], [0])
        assert file["points"].tolist() == [[0]]
    data = json.loads((tmp_path / "b.json").read_text())
    assert data["pieces"] == [
        {"cells": [0, 1], "classes": [0, 1], "regions": [0, 1], "kind": "neuron", "neuron": 0, "point": [0]}
    ]
    assert (data["rule"], data["complete"]) == ("sign", True)


def test_sign_and_islands_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "net.npz")
    np.savez(file, W1=[[1.0], [-1.0]], b1=[0.0, 0], W2=[[1.0, 1.0]], b2=[-1.0])
    assert main(["cells", file, "--box", "-2", "2", "--json", "--sign", "--islands"]) == 0
    done = capsys.readouterr()
    found = json.loads(done.out.splitlines()[-1])
    assert (found["rule"], found["per_class"]) == ("sign", {"0": 2, "1": 2})
    assert found["islands"] == {"0": 1, "1": 2}
    assert main(["cells", file, "--box", "-2", "2", "--json", "--islands"]) == 0  # one output: by sign
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == found
    assert main(["cells", file, "--box", "-2", "2", "--json", "--argmin"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["per_class"] == {"0": 2}
    assert main(["cells", file, "--box", "-2", "2", "--sign", "--argmin"]) == 2
