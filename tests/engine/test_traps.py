"""What other tools get wrong: degenerate, thin, far, badly scaled. True counts are by hand or by theorem."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest

from checks import check_interior_points, check_points_and_maps, check_volumes
from polyregions import (
    Box,
    HPolytope,
    Network,
    RegionSet,
    Slice,
    WholeSpace,
    adjacency_graph,
    count_regions,
    decision_cells,
    enumerate_regions,
)
from polyregions.analysis.decisions import decision_graph


def one_layer(weight: Any, bias: Any) -> Network:
    return Network.from_layers([(weight, bias), (np.ones((1, len(bias))), [0.0])])


@pytest.mark.parametrize(
    ("weight", "bias", "expected"),
    [
        ([[1], [-1]], [0, 0], 2),  # |x|
        ([[1], [1]], [0, 0], 2),  # duplicates
        ([[1, 0], [2, 0], [0, 1]], [0, 0, 0], 4),  # parallel up to scale
        ([[1], [1]], [0, -1e-9], 3),  # a cell of width 1e-9
        ([[1], [1]], [0, -5e-324], 3),  # the narrowest cell float64 weights can make around 0
        ([[1, 0], [1, 1], [0, 1]], [0, 0, 0], 6),  # three lines through a point
        ([[1, 0], [1, 0]], [0, -1], 3),  # a strip
        ([[0.0], [1]], [0, 0], 2),  # a zero neuron with zero bias
        ([[0.0], [1]], [1, 0], 2),  # a zero neuron that is always on
        ([[1e-300], [1e300]], [0, -1e300], 3),  # scales
        (np.zeros((0, 2)), [], 1),  # no neuron at all
    ],
)
@pytest.mark.parametrize("whole_space", [True, False])
def test_one_layer(weight: Any, bias: Any, expected: int, whole_space: bool) -> None:
    net = one_layer(weight, bias)
    domain = WholeSpace(net.n_inputs) if whole_space else Box.cube(-2, 2, net.n_inputs)
    assert count_regions(net, domain) == expected


def test_a_cell_without_a_float64_point_is_found_and_has_a_rational_one() -> None:
    regions = enumerate_regions(one_layer([[1], [1]], [-1, -(1 + 2**-52)]), Box([0], [2]))
    assert len(regions) == 3
    (index,) = regions.rational_points
    (point,) = regions.rational_points[index]
    assert 1 < point < 1 + point.__class__(1, 2**52)
    assert regions.patterns[index].tolist() == [True, False]


def test_one_flipped_bit_is_not_adjacency() -> None:
    """|x| - 1 on [-2, 2] in the second layer: the outer regions differ in the first bit only, and do not touch."""
    net = Network.from_layers([([[1], [1]], [0, 3]), ([[2, -1]], [2]), ([[1]], [0])])
    regions = enumerate_regions(net, Box([-2], [2]))
    graph = adjacency_graph(regions)
    assert nx.is_isomorphic(graph, nx.path_graph(4))
    order = np.argsort(regions.points[:, 0])
    first, last = int(order[0]), int(order[-1])
    assert np.count_nonzero(regions.patterns[first] != regions.patterns[last]) == 1
    assert not graph.has_edge(first, last)


def test_coinciding_neurons_flip_together_across_layers() -> None:
    """With zero biases a second-layer neuron vanishes on a first-layer facet: both flip across it."""
    net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, -1]], [0]), ([[1]], [0])])
    regions = enumerate_regions(net, WholeSpace(1))
    assert regions.patterns.astype(int).tolist() == [[0, 1, 0], [1, 0, 1]]
    assert list(adjacency_graph(regions).edges(data="flipped")) == [(0, 1, [0, 1, 2])]


def test_a_preactivation_that_vanishes_on_a_region_counts_as_off() -> None:
    net = Network.from_layers([([[1], [1]], [0, 0]), ([[1, -1]], [0]), ([[1]], [0])])
    assert enumerate_regions(net, Box([-1], [1])).patterns.astype(int).tolist() == [[0, 0, 0], [1, 1, 0]]


def test_hyperplanes_that_touch_the_domain_only_in_a_face_do_not_cut() -> None:
    net = one_layer([[1, 0], [1, 1], [-1, -1]], [0, 0, 2])
    assert count_regions(net, Box([0, 0], [1, 1])) == 1


@pytest.mark.parametrize("power", [-40, -12, 12, 40])
def test_positive_rescaling_of_neurons_changes_nothing(power: int) -> None:
    rng = np.random.default_rng(5)
    W1, b1, W2, b2 = rng.normal(size=(5, 2)), rng.normal(size=5), rng.normal(size=(4, 5)), rng.normal(size=4)
    W3 = rng.normal(size=(2, 4))
    scale = 2.0 ** (power * rng.integers(0, 2, 5))
    plain = Network.from_layers([(W1, b1), (W2, b2), (W3, [0, 0])])
    rescaled = Network.from_layers([(W1 * scale[:, None], b1 * scale), (W2 / scale, b2), (W3, [0, 0])])
    box = Box.cube(-3, 3, 2)
    a, b = enumerate_regions(plain, box), enumerate_regions(rescaled, box)
    assert np.array_equal(a.patterns, b.patterns)
    assert nx.utils.edges_equal(adjacency_graph(a).edges, adjacency_graph(b).edges)


def test_permuting_neurons_permutes_patterns() -> None:
    rng = np.random.default_rng(6)
    W1, b1, W2 = rng.integers(-2, 3, (6, 2)), rng.integers(-1, 2, 6), rng.normal(size=(1, 6))
    order = rng.permutation(6)
    plain = enumerate_regions(Network.from_layers([(W1, b1), (W2, [0])]), Box.cube(-2, 2, 2))
    shuffled = enumerate_regions(
        Network.from_layers([(W1[order], b1[order]), (W2[:, order], [0])]), Box.cube(-2, 2, 2)
    )
    expected = sorted(map(tuple, plain.patterns[:, order].tolist()))
    assert list(map(tuple, shuffled.patterns.tolist())) == expected


def test_splitting_the_domain_and_gluing_gives_the_same_patterns() -> None:
    rng = np.random.default_rng(7)
    net = Network.from_layers(
        [
            (rng.normal(size=(6, 2)), rng.normal(size=6)),
            (rng.normal(size=(4, 6)), rng.normal(size=4)),
            (np.ones((1, 4)), [0]),
        ]
    )
    whole = {tuple(p) for p in enumerate_regions(net, Box([-2, -2], [2, 2])).patterns.tolist()}
    halves = [enumerate_regions(net, box) for box in (Box([-2, -2], [0.3, 2]), Box([0.3, -2], [2, 2]))]
    assert whole == {tuple(p) for half in halves for p in half.patterns.tolist()}


def test_a_box_far_from_the_origin() -> None:
    """Regions around 1e9 at the distance where float64 resolves 1e-7."""
    net = one_layer([[1, 0], [0, 1], [1, 1]], [-1e9, -1e9, -2e9 - 1e-6])
    regions = enumerate_regions(net, Box([1e9 - 1, 1e9 - 1], [1e9 + 1, 1e9 + 1]))
    assert len(regions) == 7
    check_interior_points(regions)


def test_a_first_layer_narrower_than_the_input() -> None:
    """Cells without vertices: two planes in R^3 make four, all of them unbounded."""
    net = Network.from_layers([([[1, 0, 0], [0, 1, 0]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    regions = enumerate_regions(net, WholeSpace(3))
    # the second layer x+ + y+ = 1 cuts all but the quadrant where both are off
    assert len(regions) == 7
    assert not any(region.polytope.is_bounded() for region in regions)


def test_rank_deficient_layers() -> None:
    net = Network.from_layers(
        [(np.ones((4, 3)), [0, -1, -2, -3]), (np.ones((3, 4)), [-1, -2, -3]), (np.ones((1, 3)), [0])]
    )
    # along s = x+y+z the hidden sums are 0 for s<0 and increase: thresholds 0,1,2,3 and h(s) = 1, 2, 3 at s = 1, 1.5, 2
    assert count_regions(net, Box.cube(-5, 5, 3)) == 6


def test_no_hidden_layer_is_one_region() -> None:
    regions = enumerate_regions(Network.from_layers([([[1, 2]], [3])]), WholeSpace(2))
    assert len(regions) == 1
    weight, bias = regions[0].affine_map
    assert weight.tolist() == [[1, 2]]
    assert bias.tolist() == [3]


def test_width_zero_layers_make_the_rest_constant() -> None:
    net = Network.from_layers([(np.zeros((0, 2)), []), (np.zeros((2, 0)), [1, -1]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box.cube(-1, 1, 2))
    assert regions.patterns.astype(int).tolist() == [[1, 0]]
    assert regions.regions_after_each_layer() == [1, 1]


def test_dead_regions_are_not_split_again() -> None:
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1], [1, -1]], [-1, 0]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box.cube(-2, 2, 2))
    dead = [region for region in regions if 0 in region.dead_layers()]
    assert len(dead) == 1
    assert dead[0].pattern.tolist() == [False] * 4
    weight, _ = dead[0].affine_map
    assert not weight.any()


def test_fixed_inputs_and_a_point_domain() -> None:
    net = one_layer([[1, 1], [1, -1]], [0, 0])
    line = enumerate_regions(net, Box([-1, 0.5], [1, 0.5]))
    assert len(line) == 3  # the line y = 1/2 meets x = -y and x = y
    assert line.dim == 1
    assert np.all(line.points[:, 1] == 0.5)
    check_volumes(line)
    check_points_and_maps(line, np.random.default_rng(0))
    point = enumerate_regions(net, Box([0.5, 0.25], [0.5, 0.25]))
    assert point.patterns.astype(int).tolist() == [[1, 1]]
    assert point.points.tolist() == [[0.5, 0.25]]
    assert adjacency_graph(point).number_of_edges() == 0


def test_slices_and_lower_dimensional_polytopes_agree() -> None:
    """The diagonal of the square, once as a slice and once as a polytope with an implicit equation."""
    net = one_layer([[1, 0], [0, 2], [1, 1]], [-0.25, -1, -1.5])
    diagonal = Slice([0, 0], [[1, 1]], Box([0], [1]))
    polytope = HPolytope([[1, -1], [-1, 1], [1, 0], [-1, 0]], [0, 0, 1, 0])
    a, b = enumerate_regions(net, diagonal), enumerate_regions(net, polytope)
    assert len(a) == 4  # breakpoints at 1/4, 1/2, 3/4
    assert np.array_equal(a.patterns, b.patterns)


def test_half_infinite_boxes() -> None:
    net = one_layer([[1, 0], [0, 1], [1, 1]], [-1, -1, -1])
    assert count_regions(net, Box([0, 0], [np.inf, np.inf])) == 5


def test_bounded_means_bounded() -> None:
    """A strip has a small inscribed ball and is unbounded."""
    strip = HPolytope([[1, 0], [-1, 0]], [1, 0])
    assert not strip.is_bounded()
    assert strip.chebyshev()[1] == pytest.approx(0.5)


def test_breakpoints_a_million_away() -> None:
    assert count_regions(one_layer([[1], [1], [1]], [1e6, -1e6, -1e12]), WholeSpace(1)) == 4


@pytest.mark.parametrize("rule", ["argmax", "argmin"])
def test_ties_go_to_the_lowest_class_and_are_reported(rule: str) -> None:
    net = Network.from_layers([([[1.0], [1.0], [-1.0]], [0, 0, 0])])
    cells = decision_cells(enumerate_regions(net, Box([-1], [1])), rule)
    assert cells.per_class() == {0: 1, 2: 1}
    assert [classes for _, classes in cells.ties] == [(1,)]


def test_a_class_that_never_wins_has_no_cell() -> None:
    net = Network.from_layers([([[1.0], [0.0], [-1.0]], [0, -0.5, 0])])
    assert decision_cells(enumerate_regions(net, Box([-1], [1]))).per_class() == {0: 1, 2: 1}


def test_decisions_cut_only_where_the_two_best_meet() -> None:
    """y0 = y1 crosses the region of class 2 without cutting it."""
    net = Network.from_layers([([[1.0, 0], [-1.0, 0], [0, 0]], [0, 0, 0.5])])
    cells = decision_cells(enumerate_regions(net, Box([-1, -1], [1, 1])))
    assert cells.per_class() == {0: 1, 1: 1, 2: 1}
    assert sorted(decision_graph(cells).edges) == [(0, 2), (1, 2)]


def test_stopping_gives_a_partial_set_that_says_so() -> None:
    net = one_layer(np.eye(3), [0, 0, 0])
    partial = enumerate_regions(net, Box.cube(-1, 1, 3), max_regions=5)
    full = enumerate_regions(net, Box.cube(-1, 1, 3))
    assert not partial.complete
    assert full.complete
    assert np.array_equal(partial.patterns, full.patterns[:5])
    exact: RegionSet = enumerate_regions(net, Box.cube(-1, 1, 3), max_regions=8)
    assert exact.complete
    expected = nx.subgraph(adjacency_graph(full), range(5))
    assert nx.utils.edges_equal(adjacency_graph(partial).edges, expected.edges)


EXTREME = {
    "a bias that vanishes in projective coordinates": (
        [([[6.06e-269], [0]], [1, 0]), ([[0, 0], [0, 0]], [0, 2.78e-265]), ([[0, 0]], [0])],
        [[0, 0, 0, 1], [1, 0, 0, 1]],
    ),
    "a region beyond the range of float64": (
        [([[0], [8.43e-86]], [0, 0]), ([[0, 0], [0, 2.78e-265]], [0, -1]), ([[0, 0]], [0])],
        [[0, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1]],
    ),
}


@pytest.mark.parametrize("name", EXTREME)
def test_weights_of_extreme_sizes_over_the_whole_space(name: str) -> None:
    """Patterns by hand: constant neurons have the sign of their bias, however small."""
    layers, patterns = EXTREME[name]
    for engine in ("auto", "highs"):
        regions = enumerate_regions(Network.from_layers(layers), WholeSpace(1), engine=engine)
        assert regions.patterns.astype(int).tolist() == patterns
        graph = adjacency_graph(regions)
        assert sorted(graph.edges) == [(i, i + 1) for i in range(len(patterns) - 1)]
