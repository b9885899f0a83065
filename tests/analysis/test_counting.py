"""The six definitions: the separating networks, the naive twin, theorems and invariants."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import naive
from corpus import corpus
from polyregions import (
    DEFINITIONS,
    Box,
    HPolytope,
    Network,
    Progress,
    Slice,
    WholeSpace,
    count_by_definition,
    enumerate_regions,
    load_network,
)
from polyregions.errors import InputError, OptionError, StoppedError
from polyregions.networks.network import Layer
from random_networks import network_of, networks
from randoms import generator, integer_layers
from truth import FORMULA_NETWORKS, REAL_NETWORKS, formula_network, name_of, slow_above

NAMES = ["R1", "R2", "R3", "R4", "R5", "R6"]
OPPOSITE = ([[1], [-1]], [0, 0])
# By hand: the network and (R1, R2, R3, R4, R5, R6) on all of R^d. Each pair of neighbouring numbers differs in one.
SEPARATING: dict[str, tuple[list[Any], tuple[Any, ...]]] = {
    "absolute value": ([OPPOSITE, ([[1, 1]], [0])], (3, 2, 2, 2, 2, 2)),
    "identity": ([OPPOSITE, ([[1, -1]], [0])], (3, 2, 1, 1, 1, 1)),
    "tent": ([([[1], [1], [1]], [0, -1, -2]), ([[1, -2, 1]], [0])], (4, 4, 4, 4, 4, 3)),
    "max(0, min(x, y))": (
        [([[-1, 1], [0, 1], [0, -1]], [0] * 3), ([[-1, 1, -1]], [0]), ([[1]], [0])],
        (7, 5, 4, 3, 3, 3),
    ),
    "two quadrants that touch": (
        [
            ([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]], [0] * 5),
            ([[1, -1, 0, 0, -1], [0, 0, 1, -1, -1]], [0, 0]),
            ([[1, 1]], [0]),
        ],
        (11, 6, 6, 6, 5, 5),
    ),
}


def counts(layers: Any, domain: Any = None) -> dict[str, Any]:
    network = network_of(layers)
    return count_by_definition(enumerate_regions(network, domain or WholeSpace(network.n_inputs)))


@pytest.mark.parametrize("name", SEPARATING)
@pytest.mark.parametrize("whole", [True, False])
def test_the_separating_networks_have_their_vectors(name: str, whole: bool) -> None:
    """All of them are homogeneous or have their kinks within the box, so that it changes nothing."""
    layers, expected = SEPARATING[name]
    domain = None if whole else Box.cube(-3, 3, len(layers[0][0][0]))
    assert counts(layers, domain) == dict(zip(NAMES, expected, strict=True))


def interval(count: Any) -> tuple[int, int]:
    """R3 as an interval, also where it is known."""
    return count if isinstance(count, tuple) else (count, count)


def test_a_nonconvex_piece_needs_two_convex_regions() -> None:
    """R3 of max(0, min(x, y)) is 4, by hand: the piece where it is 0 is two of three regions joined, and one."""
    layers, _ = SEPARATING["max(0, min(x, y))"]
    assert counts(layers)["R3"] == 4


def test_a_convex_piece_that_meets_two_others_along_one_side_does_not_close_the_interval() -> None:
    """f = y clamped to [-relu(x), relu(x)] is 0 on a half-plane, whose side borders two other pieces: the four
    convex pieces are no polyhedral complex, so R3 > R4."""
    layers = [
        ([[1, 0], [0, 1], [0, -1]], [0] * 3),
        ([[1, 1, -1], [-1, 1, -1], [1, 0, 0]], [0] * 3),
        ([[1, -1, -1]], [0]),
    ]
    assert naive.all_pieces_are_convex(layers, [])
    found = counts(layers)
    assert found["R4"] == found["R6"] == 4
    low, high = interval(found["R3"])
    assert 4 < low <= high <= found["R2"]


def test_convex_pieces_of_several_regions_close_the_interval() -> None:
    """max(x, y) = relu(x - y) + relu(y) - relu(-y) has two half-planes in four regions."""
    layers = [([[1, -1], [0, 1], [0, -1]], [0] * 3), ([[1, 1, -1]], [0])]
    found = counts(layers)
    assert (found["R2"], found["R3"], found["R4"]) == (4, 2, 2)


def test_pieces_joined_by_a_segment_on_which_other_regions_agree() -> None:
    """relu(|y| - h) and relu(y - h) - relu(-y - h) with h = relu(|x| - 1) are 0 where |y| <= h: in two cones with
    their tips in (-1, 0) and (1, 0), and on the segment between these."""
    first = ([[1, 0], [-1, 0], [0, 1], [0, -1]], [-1, -1, 0, 0])
    for second, out in (
        ([[-1, -1, 1, 1]], [[1]]),
        ([[-1, -1, 1, -1], [-1, -1, -1, 1]], [[1, -1]]),
    ):
        layers = [first, (second, [0] * len(second)), (out, [0])]
        zero = [
            p for p in naive.connected_pieces(layers, []) if not any(naive.affine_map(layers, p[0])[0][0])
        ]
        assert len(zero) == 2
        found = counts(layers)
        assert found["R5"] == found["R4"] - 1 == len(naive.closed_pieces(layers, []))


def test_one_input_is_always_exact() -> None:
    rng = generator(5)
    for _ in range(20):
        layers = integer_layers(rng, [1, 4, 3, 1])
        found = counts(layers, Box([-3], [3]))
        assert found["R3"] == found["R4"]


# ---------------------------------------------------------------- the naive twin


SIZES = [
    (1, 4, 1),
    (1, 3, 2, 1),
    (2, 3, 1),
    (2, 4, 1),
    (2, 2, 2, 1),
    (2, 3, 2, 2),
    (2, 2, 1, 2, 1),
    (3, 3, 1),
]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("whole", [True, False], ids=["space", "box"])
def test_all_definitions_agree_with_the_naive_twin(sizes: tuple[int, ...], whole: bool) -> None:
    """Small integers: zero, repeated and opposite neurons, hyperplanes that touch the box in a face."""
    rng = generator(len(sizes) + 10 * whole)
    d = sizes[0]
    for most in (1, 1, 1, 1, 2, 2):
        layers = integer_layers(rng, sizes, most)
        if whole:
            check_against_the_twin(layers, WholeSpace(d), [])
        else:
            check_against_the_twin(layers, Box.cube(-1, 1, d), naive.box([-1] * d, [1] * d))


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(layers=networks())
def test_all_definitions_agree_with_the_naive_twin_on_networks_of_all_kinds(layers: Any) -> None:
    d = len(layers[0][0][0])
    check_against_the_twin(layers, Box.cube(-1, 2, d), naive.box([-1] * d, [2] * d))


def check_against_the_twin(layers: Any, domain: Any, rows: Any) -> None:
    found = counts(layers, domain)
    expected = {
        "R1": len(naive.activation_patterns(layers, rows)),
        "R2": len(naive.regions(layers, rows)),
        "R4": len(naive.connected_pieces(layers, rows)),
        "R5": len(naive.closed_pieces(layers, rows)),
        "R6": len(naive.distinct_maps(layers, rows)),
    }
    assert {name: found[name] for name in expected} == expected
    low, high = interval(found["R3"])
    assert expected["R4"] <= low <= high <= expected["R2"]


def test_as_few_convex_regions_as_open_ones_means_convex_pieces() -> None:
    """Against the twin, which looks for a segment between two regions of a piece that leaves it."""
    rng = generator(3)
    seen = set()
    for _ in range(40):
        layers = integer_layers(rng, [2, 3, 2, 1], most=1)
        found = counts(layers)
        if found["R4"] < found["R2"] <= 8:
            convex = naive.all_pieces_are_convex(layers, [])
            low, high = interval(found["R3"])
            assert convex or low > found["R4"]
            seen.add((convex, found["R3"] == found["R4"]))
    assert {(True, True), (False, False)} <= seen


# ---------------------------------------------------------------- theorems and invariants


def points_of_faces(rows: list[list[int]]) -> set[tuple[Fraction, Fraction]]:
    """The vertices of a polygon, and a point inside each of its sides; it may be unbounded."""
    points = set()
    for row in rows:
        a, b, c = row
        origin = [Fraction(-a * c, a * a + b * b), Fraction(-b * c, a * a + b * b)]
        low: list[Fraction] = []
        high: list[Fraction] = []
        for p, q, r in rows:
            rate = q * a - p * b
            if rate:
                (low if rate > 0 else high).append(-(p * origin[0] + q * origin[1] + r) / rate)
        ends = [max(low, default=None), min(high, default=None)]
        first, last = ends
        if first is not None and last is not None:
            inside = (first + last) / 2
        else:
            inside = first + 1 if first is not None else last - 1 if last is not None else Fraction(0)
        points |= {(origin[0] - t * b, origin[1] + t * a) for t in [*ends, inside] if t is not None}
    return points


@pytest.mark.parametrize("sizes", [(2, 6, 5, 1), (2, 8, 1), (2, 5, 4, 3, 1)], ids=str)
def test_in_the_plane_patterns_are_those_of_all_faces_of_all_regions(sizes: tuple[int, ...]) -> None:
    """Signs are constant in the relative interior of a face of a closed region."""
    rng = generator(sum(sizes))
    for domain in (Box.cube(-1, 1, 2), WholeSpace(2)) * 2:
        layers = integer_layers(rng, sizes, most=1)
        regions = enumerate_regions(network_of(layers), domain)
        patterns = {tuple(pattern.astype(int).tolist()) for pattern in regions.patterns}
        for region in regions:
            polytope = region.polytope
            points = points_of_faces([polytope.exact_rows[row] for row in polytope.facets()])
            patterns |= {naive.pattern_at(layers, point) for point in points}
        assert count_by_definition(regions, "R1")["R1"] == len(patterns)


def test_the_chain_on_random_degenerate_networks() -> None:
    rng = generator(11)
    for sizes in [(2, 6, 5, 1), (3, 5, 4, 2), (2, 4, 4, 4, 1), (1, 6, 6, 1)] * 4:
        layers = integer_layers(rng, sizes, most=1)
        regions = enumerate_regions(network_of(layers), Box.cube(-2, 2, sizes[0]))
        found: dict[str, Any] = count_by_definition(regions)
        low, high = found["R3"] if isinstance(found["R3"], tuple) else (found["R3"],) * 2
        assert found["R2"] == len(regions)
        assert found["R6"] <= found["R5"] <= found["R4"] <= low <= high <= found["R2"] <= found["R1"]


def test_moving_a_neurons_scale_and_place_changes_nothing() -> None:
    rng = generator(2)
    for _ in range(5):
        (W1, b1), (W2, b2), last = integer_layers(rng, [2, 5, 4, 1], most=1)
        order, scale = rng.permutation(5), 2.0 ** rng.integers(-40, 41, size=5)
        first = np.array(W1)[order] * scale[:, None], np.array(b1)[order] * scale
        second = np.array(W2)[:, order] / scale, np.array(b2)
        assert counts([(W1, b1), (W2, b2), last]) == counts([first, second, last])


@pytest.mark.parametrize("entry", FORMULA_NETWORKS, ids=name_of)
def test_pieces_and_maps_of_the_formula_networks(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(formula_network(entry), Box(entry["lo"], entry["hi"]))
    found = count_by_definition(regions, ("R2", "R4", "R6"))
    expected = entry["cells"], entry["linear_pieces_connected"], entry["distinct_affine_maps"]
    assert tuple(found.values()) == expected


@pytest.mark.slow
def test_a_lattice_network_of_433_regions_has_five_pieces() -> None:
    network = load_network(corpus("tllverifybench/tllBench_n=2_N=M=8_m=1_instance_0_0.onnx"))
    found = count_by_definition(enumerate_regions(network, Box.cube(-2, 2, 2)), ["R4", "R5", "R6", "R2"])
    assert found == {"R2": 433, "R4": 5, "R5": 5, "R6": 5}


def test_maps_that_differ_in_the_last_bit_are_different() -> None:
    """1 + 2^-52 and 1 on the two sides of 0; equal floats are one map."""
    for slope, maps in ((1 + 2.0**-52, 2), (1.0, 1)):
        layers = [([[1.0], [-1.0]], [0.0, 0.0]), ([[slope, -1.0]], [0.0])]
        assert counts(layers)["R6"] == maps


def test_maps_with_coefficients_of_every_size_are_compared_exactly() -> None:
    """The two sides differ by 2^-900 beside coefficients of 2^900."""
    big, small = 2.0**900, 2.0**-900
    layers = [([[1.0], [-1.0]], [0.0, 0.0]), ([[big, -big]], [0.0]), ([[1.0]], [0.0])]
    assert counts(layers, Box([-1], [1]))["R6"] == 2
    off = [([[1.0], [-1.0], [1.0]], [0.0, 0.0, 1.0]), ([[big, -big, 0], [small, 0, 0]], [0, 0])]
    same = [([[1.0], [-1.0], [1.0]], [0.0, 0.0, 1.0]), ([[big, -big, 0], [small, -small, 0]], [0, 0])]
    assert counts(off, Box([-0.5], [1]))["R6"] == 2
    assert counts(same, Box([-0.5], [1]))["R6"] == 1


def test_units_with_other_slopes() -> None:
    """|x| + |x| by two absolute values, one at 0 and one at 0: the kink at 0 has no pattern of its own."""
    absolute = Layer(np.array([[1.0], [2.0]]), np.zeros(2), np.array([[-1.0, 1.0], [-1.0, 1.0]]))
    out = Layer(np.array([[1.0, -0.5]]), np.zeros(1), np.array([[1.0, 1.0]]))
    regions = enumerate_regions(Network.from_units([absolute, out]), WholeSpace(1))
    found = count_by_definition(regions)
    assert found == {"R1": 2, "R2": 2, "R3": 1, "R4": 1, "R5": 1, "R6": 1}


def test_a_repeated_neuron_adds_no_pattern_where_it_touches() -> None:
    """The signs of x and y, each known from two or three neurons: 9 patterns."""
    layers = [([[1, 0], [-1, 0], [0, -1], [0, 1], [0, 1]], [0] * 5), ([[0] * 5], [0])]
    assert counts(layers)["R1"] == len(naive.activation_patterns(layers, [])) == 9


def test_the_domain_counts_in_its_own_hull() -> None:
    """On the line y = 0 the network |y| + relu(x) is relu(x)."""
    layers = [([[1, 0], [0, 1], [0, -1]], [0, 0, 0]), ([[1, 1, 1]], [0])]
    for domain in (Box([-1, 0], [1, 0]), Slice([0, 0], [[1, 0]], WholeSpace(1))):
        assert counts(layers, domain) == dict.fromkeys(NAMES, 2)


def test_a_pattern_on_the_closed_domains_boundary_counts_and_on_an_open_one_does_not() -> None:
    layers = [([[1]], [0]), ([[1]], [0])]
    closed, half_open = HPolytope([[-1], [1]], [0, 1]), HPolytope([[-1], [1]], [0, 1], strict=[True, False])
    assert counts(layers, closed)["R1"] == 2
    assert counts(layers, half_open)["R1"] == 1


def test_a_touching_point_that_an_open_domain_leaves_out_joins_nothing() -> None:
    """The two quadrants touch in 0 only, which is on the boundary of the half-plane x >= y."""
    layers, _ = SEPARATING["two quadrants that touch"]
    for strict, pieces in ((False, 3), (True, 4)):
        found = counts(layers, HPolytope([[-1, 1]], [0], strict=[strict]))
        assert (found["R4"], found["R5"], found["R6"]) == (4, pieces, 3)


# ---------------------------------------------------------------- options


def test_only_what_is_asked_for_in_the_order_of_the_chain() -> None:
    layers, _ = SEPARATING["tent"]
    regions = enumerate_regions(network_of(layers), WholeSpace(1))
    assert list(count_by_definition(regions, which=("R6", "R2")).items()) == [("R2", 4), ("R6", 3)]
    assert count_by_definition(regions, "R4") == {"R4": 4}


def test_an_unknown_definition_is_refused() -> None:
    regions = enumerate_regions(network_of(SEPARATING["tent"][0]), WholeSpace(1))
    with pytest.raises(OptionError, match="definition 'R7', expected one of R1, R2"):
        count_by_definition(regions, ["R7"])


def test_a_partial_set_is_refused() -> None:
    regions = enumerate_regions(network_of(SEPARATING["tent"][0]), WholeSpace(1), max_regions=2)
    with pytest.raises(InputError, match="2 regions of a run that was stopped"):
        count_by_definition(regions)


def test_progress_can_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyregions.progress.REPORT_EVERY", 0.0)
    regions = enumerate_regions(network_of(SEPARATING["tent"][0]), WholeSpace(1))
    calls: list[Progress] = []
    count_by_definition(regions, "R1", progress=calls.append)
    assert [call.regions for call in calls] == [0, 1, 2, 3]
    with pytest.raises(StoppedError, match="stopped while counting R1, at 0 of 4 steps"):
        count_by_definition(regions, "R1", progress=lambda _: False)


def test_each_definition_has_a_sentence_and_a_source() -> None:
    assert list(DEFINITIONS) == NAMES
    for name, definition in DEFINITIONS.items():
        assert definition.name == name
        assert definition.sentence.endswith(".")
        assert "2505.16716" in definition.citation


@pytest.mark.parametrize("entry", slow_above(REAL_NETWORKS, "cells", 400))
def test_pieces_and_maps_of_real_networks(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(load_network(corpus(entry["network"])), Box(entry["lo"], entry["hi"]))
    found = count_by_definition(regions, which=("R2", "R4", "R6"))
    assert found["R2"] == entry["cells"]
    assert found["R4"] == entry["linear_pieces_connected"]
    assert found["R6"] == entry["distinct_affine_maps"]


# ---------------------------------------------------------------- hidden points


def around_polygon(k: int) -> Network:
    """relu(1 - sum of relu(n_i . x)) with the normals of a k-gon: 0 outside a bounded convex polygon."""
    angles = np.arange(k) * 2 * np.pi / k
    normals = np.round(64 * np.column_stack([np.cos(angles), np.sin(angles)]))
    return Network.from_layers([(normals, np.zeros(k)), (-np.ones((1, k)), [64]), ([[1]], [0])])


@pytest.mark.parametrize("domain", [WholeSpace(2), Box([-4, -4], [4, 4])])
def test_the_plane_around_a_diamond_needs_four_polyhedra(domain: Any) -> None:
    """Each of its four sides has a point outside, and what connects two of these cuts the diamond."""
    counts = count_by_definition(enumerate_regions(around_polygon(4), domain), ["R3", "R4"])
    assert counts == {"R3": 8, "R4": 5}


@pytest.mark.parametrize("k", [3, 5, 6])
def test_the_plane_around_a_polygon_needs_as_many_polyhedra_as_it_has_sides(k: int) -> None:
    """With k normals the sum has 2k pieces (k where opposite ones coincide), and the polygon a side in each."""
    regions = enumerate_regions(around_polygon(k), WholeSpace(2))
    found = count_by_definition(regions, ["R3", "R4"])
    inside = sum(bool(region.pattern[-1]) for region in regions)
    assert found["R4"] == inside + 1
    low = found["R3"] if isinstance(found["R3"], int) else found["R3"][0]
    assert low == 2 * inside
