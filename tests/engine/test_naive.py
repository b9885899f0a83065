"""The twin itself, held against facts from elsewhere: theorems, hand counts and published examples."""

from __future__ import annotations

import ast
import random
import sys
from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import naive
from naive import Domain, Layers, Number, Pattern, Row

PLANE: Domain = []  # the whole space, of whatever dimension
Matrix = list[list[Number]]


def hidden(weights: Matrix, biases: list[Number] | None = None) -> Layers:
    """One hidden layer and the sum of its neurons."""
    return [(weights, biases or [0] * len(weights)), ([[1] * len(weights)], [0])]


def vector(*values: Number) -> naive.Vector:
    return naive.make_vector(values)


def degrees(pairs: set[frozenset[Pattern]]) -> list[int]:
    ends = [pattern for pair in pairs for pattern in pair]
    return sorted(ends.count(pattern) for pattern in set(ends))


def is_path(patterns: list[Pattern], pairs: set[frozenset[Pattern]]) -> bool:
    connected = len(naive.components(patterns, pairs)) == 1
    return connected and len(pairs) == len(patterns) - 1 and max(degrees(pairs), default=0) <= 2


# ---------------------------------------------------------------- the module itself


def test_it_uses_the_standard_library_only() -> None:
    tree = ast.parse(Path(naive.__file__).read_text())
    froms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.split(".")[0] for name in froms | names} <= sys.stdlib_module_names


def test_floats_are_lifted_without_rounding() -> None:
    assert naive.exact(0.1) == Fraction(3602879701896397, 2**55)
    assert naive.exact(-0.0) == 0
    with pytest.raises(OverflowError):
        naive.exact(float("inf"))


# ---------------------------------------------------------------- linear systems


def plain_elimination(rows: list[Row], d: int) -> bool:
    """Textbook Fourier-Motzkin: all pairs, nothing left out but repeated rows. Is the set non-empty?"""
    system = set(rows)
    for j in range(d):
        low, high = ([row for row in system if sign * row.a[j] > 0] for sign in (-1, 1))
        new = {naive.combine(p, q, j) for p in low for q in high}
        system = {row for row in system if row.a[j] == 0} | new
    return not any(row.is_contradiction() for row in system)


def satisfies(point: naive.Vector, row: Row) -> bool:
    value = naive.dot(row.a, point)
    return value < row.c or (value == row.c and not row.strict)


def systems(d: int, most: int) -> st.SearchStrategy[list[Row]]:
    small = st.integers(-2, 2)
    row = st.builds(naive.make_row, st.lists(small, min_size=d, max_size=d), small, st.booleans())
    return st.lists(row, max_size=most)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.one_of(systems(1, 6), systems(2, 8), systems(3, 8), systems(4, 7)), st.integers(1, 3))
def test_elimination_agrees_with_the_textbook_and_brings_a_witness(rows: list[Row], d: int) -> None:
    d = len(rows[0].a) if rows else d
    point = naive.find_point(rows, d)
    assert (point is not None) == plain_elimination(rows, d)
    assert point is None or all(satisfies(point, row) for row in rows)


def test_strict_and_closed_rows_differ_at_a_single_point() -> None:
    def interval(strict: bool) -> list[Row]:
        return [naive.make_row([1], 0, strict), naive.make_row([-1], 0, False)]

    assert naive.find_point(interval(False), 1) == vector(0)
    assert naive.find_point(interval(True), 1) is None


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 coefficients"):
        naive.find_point([naive.make_row([1, 0, 0], 0, False)], 2)


@pytest.mark.parametrize(
    ("domain", "d", "expected"),
    [
        ([], 3, 3),
        (naive.box([0, 0], [1, 1]), 2, 2),
        (naive.box([0, 0], [1, 0]), 2, 1),
        (naive.box([0, 0], [0, 0]), 2, 0),
        (naive.box([0, 0], [1, -1]), 2, -1),
        ([([-1, 0, 0], 0), ([0, -1, 0], 0), ([1, 1, 0], 0)], 3, 1),  # x, y >= 0 and x + y <= 0: no plain pair
        ([([0, 0], 0)], 2, 2),
        ([([0, 0], -1)], 2, -1),
    ],
)
def test_dimension_counts_independent_implicit_equalities(domain: Domain, d: int, expected: int) -> None:
    assert naive.dimension([naive.make_row(a, c, False) for a, c in domain], d) == expected


def test_rank() -> None:
    assert naive.rank([]) == naive.rank([[0, 0]]) == 0
    assert naive.rank([[1, 2, 3], [4, 5, 6], [7, 8, 9]]) == 2
    assert naive.rank([[0, 1], [0.5, 0]]) == 2
    assert naive.rank([[0.1, 0.7], [1, 7]]) == 2  # equal ratios in decimals, not in the stored numbers


# ---------------------------------------------------------------- six ways to count: nets between each two

SEPARATING: dict[str, tuple[Layers, tuple[int, int, int, int]]] = {
    "A": ([([[1], [-1]], [0, 0]), ([[1, 1]], [0])], (3, 2, 2, 2)),
    "B": ([([[1], [-1]], [0, 0]), ([[1, -1]], [0])], (3, 2, 1, 1)),
    "T": ([([[1], [1], [1]], [0, -1, -2]), ([[1, -2, 1]], [0])], (4, 4, 4, 3)),
    "C": (
        [([[-1, 1], [0, 1], [0, -1]], [0, 0, 0]), ([[-1, 1, -1]], [0]), ([[1]], [0])],
        (7, 5, 3, 3),
    ),
    "D": (
        [
            ([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]], [0, 0, 0, 0, 0]),
            ([[1, -1, 0, 0, -1], [0, 0, 1, -1, -1]], [0, 0]),
            ([[1, 1]], [0]),
        ],
        (11, 6, 6, 5),
    ),
}


@pytest.mark.parametrize("name", SEPARATING)
def test_the_five_separating_networks(name: str) -> None:
    layers, (r1, r2, r4, r6) = SEPARATING[name]
    assert len(naive.activation_patterns(layers, PLANE)) == r1
    assert len(naive.regions(layers, PLANE)) == r2
    assert len(naive.connected_pieces(layers, PLANE)) == r4
    assert len(naive.distinct_maps(layers, PLANE)) == r6


def test_network_c_computes_what_is_said() -> None:
    layers, _ = SEPARATING["C"]
    for x, y in product(range(-2, 3), repeat=2):
        assert naive.forward(layers, (x, y)) == vector(max(0, min(x, y)))


def test_network_d_computes_what_is_said() -> None:
    layers, _ = SEPARATING["D"]
    for x, y in product(range(-2, 3), repeat=2):
        assert naive.forward(layers, (x, y)) == vector(max(0, min(x, -y)) + max(0, min(-x, y)))


# ---------------------------------------------------------------- traps

TRAPS: list[tuple[Layers, int]] = [
    (hidden([[1], [-1]]), 2),
    (hidden([[1], [1]]), 2),
    (hidden([[1, 0], [2, 0], [0, 1]]), 4),
    (hidden([[1], [1]], [0, -1e-9]), 3),
    (hidden([[1, 0], [0, 1], [1, 1]]), 6),
    (hidden([[1, 0], [1, 0]], [0, -1]), 3),
    (hidden([[1, 0], [0, 0]], [0, -1]), 2),
    (hidden([[1, 0], [0, 0]], [0, 0]), 2),
    (hidden([[1, 0], [0, 0]], [0, 1]), 2),
]


@pytest.mark.parametrize(("layers", "count"), TRAPS)
def test_the_traps(layers: Layers, count: int) -> None:
    assert len(naive.regions(layers, PLANE)) == count


@pytest.mark.parametrize(("bias", "bit"), [(-1, 0), (0, 0), (1, 1)])
def test_a_constant_neuron_is_on_iff_its_constant_is_positive(bias: int, bit: int) -> None:
    layers = hidden([[0, 0]], [bias])
    assert naive.regions(layers, PLANE) == naive.activation_patterns(layers, PLANE) == [(bit,)]


def test_a_deep_neuron_that_is_zero_on_a_region_is_off_there() -> None:
    layers: Layers = [([[1]], [0]), ([[1]], [0]), ([[1]], [0])]
    assert naive.regions(layers, PLANE) == [(0, 0), (1, 1)]
    assert len(naive.edges(layers, PLANE)) == 1  # crossing x = 0 flips neurons of two layers


BENT: Layers = [([[1], [1]], [0, 3]), ([[2, -1]], [2]), ([[1]], [0])]


def test_outer_regions_one_bit_apart_are_not_neighbours() -> None:
    """The hidden neuron of layer 2 is |x| - 1 on [-2, 2], so the regions lie on a path of four."""
    domain = naive.box([-2], [2])
    path: list[Pattern] = [(0, 1, 1), (0, 1, 0), (1, 1, 0), (1, 1, 1)]
    assert naive.regions(BENT, domain) == sorted(path)
    assert naive.edges(BENT, domain) == {frozenset(path[i : i + 2]) for i in range(3)}


def test_the_same_on_the_whole_line() -> None:
    """Left of -3 layer 2 sees the constant 2."""
    path: list[Pattern] = [(0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 1, 0), (1, 1, 1)]
    assert naive.regions(BENT, PLANE) == sorted(path)
    assert naive.edges(BENT, PLANE) == {frozenset(path[i : i + 2]) for i in range(4)}


def test_regions_that_meet_in_a_corner_only_are_not_neighbours() -> None:
    layers = hidden([[1, 0], [0, 1]])
    assert frozenset({(0, 0), (1, 1)}) not in naive.edges(layers, PLANE)


def test_a_domain_without_interior_has_no_region_but_has_patterns() -> None:
    layers = hidden([[1, 0], [0, 1]])
    flat = naive.box([0, -1], [0, 1])
    assert naive.regions(layers, flat) == []
    assert naive.activation_patterns(layers, flat) == [(0, 0), (0, 1)]


def test_a_domain_that_touches_a_hyperplane_does_not_cross_it() -> None:
    layers = hidden([[1]])
    assert naive.regions(layers, naive.box([-1], [0])) == [(0,)]
    assert naive.regions(layers, naive.box([0], [1])) == [(1,)]
    assert naive.activation_patterns(layers, naive.box([0], [1])) == [(0,), (1,)]


def test_a_final_relu_cuts_too() -> None:
    layers: Layers = [([[1]], [0]), ([[1]], [-1])]
    assert naive.regions(layers, PLANE) == [(0,), (1,)]
    assert naive.regions(layers, PLANE, final_relu=True) == [(0, 0), (1, 0), (1, 1)]
    assert len(naive.edges(layers, PLANE, final_relu=True)) == 2
    assert naive.affine_map(layers, (1, 1)) == ((vector(1),), vector(-1))
    assert naive.affine_map(layers, (1, 0)) == ((vector(0),), vector(0))
    assert naive.forward(layers, [0.5], final_relu=True) == vector(0)
    assert naive.pattern_at(layers, [0.5], final_relu=True) == (1, 0)
    assert len(naive.connected_pieces(layers, PLANE, final_relu=True)) == 2


def test_a_pattern_of_the_wrong_length_has_no_map() -> None:
    with pytest.raises(ValueError, match="one bit for each ReLU"):
        naive.affine_map(BENT, (1, 1))


# ---------------------------------------------------------------- arrangements with known counts


def generic_lines(seed: int, n: int) -> tuple[Matrix, list[Number]]:
    """Random lines, checked: no two are parallel and no three meet."""
    draw = random.Random(seed)
    rows = [[draw.randint(-9999, 9999) for _ in range(3)] for _ in range(n)]
    assert all(naive.rank([p[:2], q[:2]]) == 2 for p, q in combinations(rows, 2))
    assert all(naive.rank(three) == 3 for three in combinations(rows, 3))
    return [list(row[:2]) for row in rows], [row[2] for row in rows]


@pytest.mark.parametrize("n", range(1, 9))
def test_buck_for_lines_in_general_position(n: int) -> None:
    """Each line is cut into n pieces by the others: n^2 edges. Each two lines meet: one corner a pair."""
    layers = hidden(*generic_lines(n, n))
    assert len(naive.regions(layers, PLANE)) == 1 + n + comb(n, 2)
    assert len(naive.edges(layers, PLANE)) == n * n
    assert len(naive.activation_patterns(layers, PLANE)) == 1 + n + comb(n, 2)


@pytest.mark.parametrize(("d", "n"), [(1, 6), (3, 3), (3, 5), (4, 5)])
def test_buck_for_planes_on_the_moment_curve(d: int, n: int) -> None:
    """Any d of these normals are independent and any d + 1 planes miss a common point (Vandermonde).

    Restricted to one of the planes the others are generic again, so it is cut into Buck's number of facets.
    """
    weights: Matrix = [[t**k for k in range(d)] for t in range(1, n + 1)]
    layers = hidden(weights, [t**d for t in range(1, n + 1)])
    assert len(naive.regions(layers, PLANE)) == sum(comb(n, j) for j in range(d + 1))
    assert len(naive.edges(layers, PLANE)) == n * sum(comb(n - 1, j) for j in range(d))


def braid(n: int) -> Layers:
    return hidden([[int(k == i) - int(k == j) for k in range(n)] for i, j in combinations(range(n), 2)])


@pytest.mark.parametrize(("n", "regions", "edges"), [(2, 2, 1), (3, 6, 6), (4, 24, 36)])
def test_braid_regions_are_permutations_and_edges_the_permutohedron(n: int, regions: int, edges: int) -> None:
    assert len(naive.regions(braid(n), PLANE)) == regions
    assert len(naive.edges(braid(n), PLANE)) == edges
    orders = {naive.pattern_at(braid(n), order) for order in permutations(range(n))}
    assert set(naive.regions(braid(n), PLANE)) == orders


def test_braid_faces_are_the_ordered_set_partitions() -> None:
    """Every weak order of three coordinates has a point in the grid; some look alike, as ties go off."""
    seen = {naive.pattern_at(braid(3), order) for order in product(range(3), repeat=3)}
    assert set(naive.activation_patterns(braid(3), PLANE)) == seen


@pytest.mark.parametrize("d", range(1, 6))
def test_boolean_arrangement(d: int) -> None:
    layers = hidden([[int(i == j) for j in range(d)] for i in range(d)])
    for domain in (PLANE, naive.box([-1] * d, [1] * d)):
        assert len(naive.regions(layers, domain)) == 2**d
    assert len(naive.edges(layers, PLANE)) == d * 2 ** (d - 1)


# ---------------------------------------------------------------- networks with a formula, inside a box


def tent(times: int) -> Layers:
    """Telgarsky's tent map t(x) = 2 relu(x) - 4 relu(x - 1/2), so many times over."""
    middle = [([[2, -4], [2, -4]], [0, -0.5])] * (times - 1)
    return [([[1], [1]], [0, -0.5]), *middle, ([[2, -4]], [0])]


def fold(n: int) -> Layers:
    """Montufar's fold of every coordinate of [0, 1]^n in two."""
    rows: Matrix = [[int(k == i) for k in range(n)] for i in range(n) for _ in range(2)]
    outputs: Matrix = [[{2 * i: 2, 2 * i + 1: -4}.get(k, 0) for k in range(2 * n)] for i in range(n)]
    return [(rows, [0, -0.5] * n), (outputs, [0] * n)]


UNIT3: Matrix = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
MINUS3: Matrix = [[-1, 0, 0], [0, -1, 0], [0, 0, -1]]

# name: layers, lower, upper, (regions, edges, R4, R6)
FORMULA: dict[str, tuple[Layers, list[Number], list[Number], tuple[int, int, int, int]]] = {
    "sawtooth_1": (tent(1), [0], [1], (2, 1, 2, 2)),
    "sawtooth_2": (tent(2), [0], [1], (4, 3, 4, 4)),
    "sawtooth_3": (tent(3), [0], [1], (8, 7, 8, 8)),
    "montufar_fold_n1_p2_L4": (tent(4), [0], [1], (16, 15, 16, 16)),
    "sawtooth_5": (tent(5), [0], [1], (32, 31, 32, 32)),
    "montufar_fold_n2_p2_L1": (fold(2), [0, 0], [1, 1], (4, 4, 4, 4)),
    "xor": ([([[1, 1], [1, 1]], [0, -1]), ([[1, -2]], [0])], [-1, -1], [2, 2], (3, 2, 3, 3)),
    "abs_sum_3": (hidden(UNIT3 + MINUS3), [-1, -1, -1], [1, 1, 1], (8, 12, 8, 8)),
    "max2": (
        [([[1, -1], [0, 1], [0, -1]], [0, 0, 0]), ([[1, 1, -1]], [0])],
        [-1, -1],
        [1, 1],
        (4, 4, 2, 2),
    ),
    "all_identical": (hidden([[1, 1]] * 16), [-1, -1], [1, 1], (2, 1, 2, 2)),
    "dead_network": ([([[1]], [0]), ([[-1]], [-1]), ([[5]], [3])], [-1], [1], (2, 1, 1, 1)),
    "linear_no_hidden": ([(UNIT3, [0, 0, 0])], [-1, -1, -1], [1, 1, 1], (1, 0, 1, 1)),
    "argmax_all_tied": ([([[1, 2], [1, 2]], [0.5, 0.5])], [-1, -1], [1, 1], (1, 0, 1, 1)),
}


@pytest.mark.parametrize("name", FORMULA)
def test_networks_with_a_formula(name: str) -> None:
    layers, lo, hi, (r2, edges, r4, r6) = FORMULA[name]
    domain = naive.box(lo, hi)
    assert len(naive.regions(layers, domain)) == r2
    assert len(naive.edges(layers, domain)) == edges
    assert len(naive.connected_pieces(layers, domain)) == r4
    assert len(naive.distinct_maps(layers, domain)) == r6


def test_a_fold_of_two_folds_has_sixteen_cells_in_a_grid() -> None:
    first, _ = fold(2)
    again: Matrix = [[2, -4, 0, 0], [2, -4, 0, 0], [0, 0, 2, -4], [0, 0, 2, -4]]
    layers: Layers = [first, (again, [0, -0.5, 0, -0.5]), fold(2)[1]]
    domain = naive.box([0, 0], [1, 1])
    assert len(naive.regions(layers, domain)) == 16
    assert len(naive.edges(layers, domain)) == 24


# ---------------------------------------------------------------- decisions


def test_three_outputs_without_a_hidden_layer_share_a_cube() -> None:
    layers, lo, hi, _ = FORMULA["linear_no_hidden"]
    domain = naive.box(lo, hi)
    assert naive.decision_cells(layers, domain) == [((), 0), ((), 1), ((), 2)]
    assert len(naive.decision_edges(layers, domain)) == 3


def test_outputs_tied_everywhere_go_to_the_lowest_index() -> None:
    layers, lo, hi, _ = FORMULA["argmax_all_tied"]
    assert naive.decision_cells(layers, naive.box(lo, hi)) == [((), 0)]
    assert naive.decision_edges(layers, naive.box(lo, hi)) == set()


def test_outputs_tied_on_one_region_only() -> None:
    """Left of 0 all three outputs are 0; right of 0 they are x, 2x, 0."""
    layers: Layers = [([[1]], [0]), ([[1], [2], [0]], [0, 0, 0])]
    assert naive.decision_cells(layers, PLANE) == [((0,), 0), ((1,), 1)]
    assert naive.decision_edges(layers, PLANE) == {frozenset({((0,), 0), ((1,), 1)})}


def test_an_absolute_value_against_one() -> None:
    """|x| against 1: the cells from left to right are 0, 1 | 1, 0, and they form a path."""
    layers: Layers = [([[1], [-1]], [0, 0]), ([[1, 1], [0, 0]], [0, 1])]
    path = [((0, 1), 0), ((0, 1), 1), ((1, 0), 1), ((1, 0), 0)]
    assert naive.decision_cells(layers, PLANE) == sorted(path)
    assert naive.decision_edges(layers, PLANE) == {frozenset(path[i : i + 2]) for i in range(3)}


def test_a_class_that_is_only_ever_second_has_no_cell() -> None:
    """x, 0 and -x: 0 is never strictly the largest, and its lines with the others bound no cell."""
    layers: Layers = [([[1], [0], [-1]], [0, 0, 0])]
    assert naive.decision_cells(layers, PLANE) == [((), 0), ((), 2)]
    assert naive.decision_edges(layers, PLANE) == {frozenset({((), 0), ((), 2)})}


def test_one_output_is_one_class() -> None:
    assert naive.decision_cells(BENT, PLANE) == [(pattern, 0) for pattern in naive.regions(BENT, PLANE)]
    cut = {frozenset(p for p, _ in pair) for pair in naive.decision_edges(BENT, PLANE)}
    assert cut == naive.edges(BENT, PLANE)


# ---------------------------------------------------------------- properties on small random networks


@st.composite
def networks(draw: st.DrawFn) -> Layers:
    """Small whole weights, so that ties, repeated rows and coincidences between layers are common."""
    sizes = [draw(st.integers(1, 2)), *draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)), 2]
    value = st.integers(-2, 2)
    layers = []
    for width_in, width in zip(sizes, sizes[1:], strict=False):
        row = st.lists(value, min_size=width_in, max_size=width_in)
        weights = draw(st.lists(row, min_size=width, max_size=width))
        layers.append((weights, draw(st.lists(value, min_size=width, max_size=width))))
    return layers


@st.composite
def problems(draw: st.DrawFn) -> tuple[Layers, Domain]:
    layers = draw(networks())
    d = naive.input_dimension(layers)
    return layers, draw(st.sampled_from([PLANE, naive.box([-2] * d, [2] * d), [([-1] * d, 0)]]))


quick = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def inside(domain: Domain, x: tuple[Number, ...]) -> bool:
    return all(naive.dot(a, naive.make_vector(x)) <= naive.exact(c) for a, c in domain)


@quick
@given(problems())
def test_all_patterns_tried_one_by_one(problem: tuple[Layers, Domain]) -> None:
    """Leaving out prefixes must not change the answer."""
    layers, domain = problem
    every = list(product((0, 1), repeat=sum(naive.relu_sizes(layers, False))))
    full = [pattern for pattern in every if naive.interior_point(layers, pattern, domain) is not None]
    thin = [pattern for pattern in every if naive.activation_point(layers, pattern, domain) is not None]
    assert naive.regions(layers, domain) == full
    assert naive.activation_patterns(layers, domain) == thin
    assert set(full) <= set(thin)


@quick
@given(problems())
def test_witnesses_have_their_pattern_and_the_map_of_the_forward_pass(problem: tuple[Layers, Domain]) -> None:
    layers, domain = problem
    for pattern in naive.activation_patterns(layers, domain):
        x = naive.activation_point(layers, pattern, domain)
        assert x is not None and inside(domain, x) and naive.pattern_at(layers, x) == pattern
        matrix, vector = naive.affine_map(layers, pattern)
        values = tuple(naive.dot(row, x) + b for row, b in zip(matrix, vector, strict=True))
        assert values == naive.forward(layers, x)


@quick
@given(problems())
def test_every_point_of_a_grid_has_a_listed_pattern(problem: tuple[Layers, Domain]) -> None:
    layers, domain = problem
    listed = set(naive.activation_patterns(layers, domain))
    halves = [Fraction(k, 2) for k in range(-5, 6)]
    grid = product(halves, repeat=naive.input_dimension(layers))
    assert {naive.pattern_at(layers, x) for x in grid if inside(domain, x)} <= listed


@quick
@given(problems())
def test_region_graphs_are_connected_and_paths_on_the_line(problem: tuple[Layers, Domain]) -> None:
    """Convex domains are connected through facets: what lies on thinner faces separates nothing."""
    layers, domain = problem
    found, pairs = naive.regions(layers, domain), naive.edges(layers, domain)
    assert len(naive.components(found, pairs)) == 1
    assert naive.input_dimension(layers) > 1 or is_path(found, pairs)


@quick
@given(problems())
def test_the_counts_are_ordered(problem: tuple[Layers, Domain]) -> None:
    layers, domain = problem
    r1, r2 = len(naive.activation_patterns(layers, domain)), len(naive.regions(layers, domain))
    r4, r6 = len(naive.connected_pieces(layers, domain)), len(naive.distinct_maps(layers, domain))
    assert 1 <= r6 <= r4 <= r2 <= r1


@quick
@given(problems())
def test_neighbours_agree_on_their_facet(problem: tuple[Layers, Domain]) -> None:
    """The network is continuous: the maps of two neighbours differ by a rank of at most one."""
    layers, domain = problem
    for one, two in map(tuple, naive.edges(layers, domain)):
        (p, _), (q, _) = naive.affine_map(layers, one), naive.affine_map(layers, two)
        assert naive.rank([naive.subtract(u, Fraction(1), v) for u, v in zip(p, q, strict=True)]) <= 1


@quick
@given(problems())
def test_the_shortcut_for_neighbours_changes_nothing(problem: tuple[Layers, Domain]) -> None:
    layers, domain = problem
    d = naive.input_dimension(layers)
    found = naive.regions(layers, domain)
    cells = {pattern: naive.closed(naive.pattern_rows(layers, pattern, domain)) for pattern in found}
    pairs = [(p, q) for p, q in combinations(found, 2) if naive.dimension(cells[p] + cells[q], d) == d - 1]
    assert set(map(frozenset, pairs)) == naive.edges(layers, domain)


@quick
@given(problems(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_scaling_and_reordering_neurons(
    problem: tuple[Layers, Domain], scale: int, draw: random.Random
) -> None:
    """ReLU is positively homogeneous: a scaled neuron keeps its bit; reordered neurons reorder the bits."""
    layers, domain = problem
    (weights, biases), *rest = layers
    order = draw.sample(range(len(biases)), len(biases))
    moved = ([[scale * w for w in weights[i]] for i in order], [scale * biases[i] for i in order])
    follow = ([[naive.exact(row[i]) / scale for i in order] for row in rest[0][0]], rest[0][1])

    def reorder(pattern: Pattern) -> Pattern:
        return tuple(pattern[i] for i in order) + pattern[len(order) :]

    changed: Layers = [moved, follow, *rest[1:]]
    assert naive.regions(changed, domain) == sorted(map(reorder, naive.regions(layers, domain)))
    assert naive.distinct_maps(changed, domain) == naive.distinct_maps(layers, domain)


@quick
@given(problems())
def test_decisions_agree_with_the_outputs(problem: tuple[Layers, Domain]) -> None:
    """Every region has a class, and inside a cell the class is the first of the largest outputs."""
    layers, domain = problem
    d, cells = naive.input_dimension(layers), naive.decision_cells(layers, domain)
    assert {pattern for pattern, _ in cells} == set(naive.regions(layers, domain))
    for pattern, k in cells:
        x = naive.find_point(naive.opened(naive.decision_rows(layers, (pattern, k), domain)), d)
        assert x is not None
        values = naive.forward(layers, x)
        assert values.index(max(values)) == k
