"""H-polytopes seen otherwise: minimal form, generators, random points, other libraries."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from typing import Any

import cvxpy
import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.spatial import HalfspaceIntersection

import naive
from polyregions import Box, HPolytope, Network, Slice, WholeSpace, enumerate_regions
from polyregions.errors import DomainError
from polytopes import corners, cramer, cross_polytope, cube, random_polytope, segment, simplex, slab
from randoms import generator, integer_layers, integer_rows, integers


def flat_triangle() -> HPolytope:
    """The standard triangle x + y + z = 1 in the positive orthant, its equation given three times over."""
    rows = [[1, 1, 1], [-1, -1, -1], [2, 2, 2], [-1, 0, 0], [0, -1, 0], [0, 0, -1], [0, 0, -3], [1, 1, 0]]
    return HPolytope(rows, [1, -1, 2, 0, 0, 0, 0, 1])


def grid(d: int) -> np.ndarray:
    return np.array(list(product([-2, -1, -0.5, 0, 0.25, 0.5, 1, 2], repeat=d)), dtype=float)


# ---------------------------------------------------------------- the rows of a facet


@pytest.mark.parametrize("seed", range(10))
def test_a_facet_has_all_the_rows_that_are_multiples_of_it(seed: int) -> None:
    rng = generator(seed)
    once = random_polytope(seed, 2 + seed % 2, 4)
    factors = rng.choice([0.5, 1.0, 2.0, 4.0, 1024.0], size=2 * len(once.A))
    order = rng.permutation(2 * len(once.A))
    A = (np.vstack([once.A, once.A]) * factors[:, None])[order]
    b = (np.concatenate([once.b, once.b]) * factors)[order]
    polytope = HPolytope(A, b)
    rows = [naive.make_row(a, c, strict=False) for a, c in zip(A.tolist(), b.tolist(), strict=True)]
    for first, group in zip(polytope.facets().tolist(), polytope.facet_rows(), strict=True):
        assert group.tolist() == [i for i, row in enumerate(rows) if row == rows[first]]
        assert len(group) >= 2


def test_within_a_flat_polytope_rows_coincide_that_differ_outside() -> None:
    triangle = flat_triangle()  # x + y <= 1 is z >= 0 where x + y + z = 1
    assert [rows.tolist() for rows in triangle.facet_rows()] == [[3], [4], [5, 6, 7]]


def test_every_neuron_that_vanishes_on_a_facet_is_named() -> None:
    """x, 2x, -3x in one layer, and relu(x) again in the next; y beside them."""
    first = ([[1, 0], [2, 0], [-3, 0], [0, 1]], [0, 0, 0, 0])
    net = Network.from_layers([first, ([[1, 0, -1, 0]], [0]), ([[1]], [0])])
    regions = enumerate_regions(net, Box([-1, -1], [1, 1]))
    assert len(regions) == 4
    for region in regions:
        polytope = region.polytope
        names = [{polytope.labels[i] for i in rows} for rows in polytope.facet_rows()]
        assert {"neuron 0", "neuron 1", "neuron 2", "neuron 4"} in names
        assert {"neuron 3"} in names
        assert len(names) == 4


# ---------------------------------------------------------------- minimal form


@pytest.mark.parametrize("seed", range(10))
def test_the_minimal_form_is_the_same_set_with_one_row_for_each_facet(seed: int) -> None:
    d = 2 + seed % 2
    polytope = random_polytope(seed, d, 6)
    minimal = polytope.minimal()
    assert len(minimal.A) == len(polytope.facets())
    assert minimal.facets().tolist() == list(range(len(minimal.A)))
    assert np.array_equal(minimal.contains(grid(d)), polytope.contains(grid(d)))
    for i in range(len(minimal.A)):
        others = np.arange(len(minimal.A)) != i
        assert HPolytope(minimal.A[others], minimal.b[others]).volume() > polytope.volume()


def test_the_minimal_form_keeps_open_rows_and_the_names_of_all() -> None:
    polytope = HPolytope([[1], [2], [-1], [1]], [1, 2, 0, 5], [False, True, False, True], list("abcd"))
    minimal = polytope.minimal()
    assert minimal.labels == ("a, b", "c")
    assert minimal.strict.tolist() == [True, False]
    assert minimal.contains([[0.0], [1.0]]).tolist() == [True, False]


def test_the_minimal_form_of_a_flat_polytope_has_its_equations() -> None:
    triangle = flat_triangle()
    minimal = triangle.minimal()
    assert minimal.A.tolist() == [[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1], [-1, -1, -1]]
    assert minimal.b.tolist() == [0, 0, 0, 1, -1]
    assert minimal.labels[2:] == ("row 5, row 6, row 7", "row 0 (equation <=)", "row 0 (equation >=)")
    assert np.array_equal(minimal.contains(grid(3)), triangle.contains(grid(3)))
    point = HPolytope([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]], [1, -1, 2, -2, 3]).minimal()
    assert len(point.A) == 4
    assert point.vertices().tolist() == [[1, 2]]


@pytest.mark.parametrize("seed", range(20))
def test_the_minimal_form_of_a_degenerate_polyhedron_is_the_same_set(seed: int) -> None:
    rng = generator(seed)
    d = 1 + seed % 3
    A, b = integer_rows(rng, 5, d, 1), [max(0, v) for v in integers(rng, 5, 1)]
    polytope = HPolytope(A, b)
    minimal = polytope.minimal()
    solid = polytope.solid
    assert solid is not None
    assert len(minimal.A) == len(polytope.facets()) + 2 * (d - solid.hull.dim)
    assert np.array_equal(minimal.contains(grid(d)), polytope.contains(grid(d)))


def test_an_open_row_that_excludes_everything_stays() -> None:
    nothing = HPolytope([[1, 0], [-1, 0], [0, 1]], [0, 0, 1], [True, False, False])
    assert not nothing.minimal().contains([[0, 0]]).any()
    assert nothing.minimal().vertices().tolist() == nothing.vertices().tolist() == [[0, 1]]


def test_the_minimal_form_of_rounded_rows_goes_by_the_exact_ones() -> None:
    third = HPolytope.of_exact_rows([[-3, 1], [-6, 2], [1, 0]], [3, 3, 1], 1, [False] * 3, list("abc"))
    minimal = third.minimal()
    assert minimal.exact_rows == [[-3, 1], [1, 0]]
    assert minimal.contains([[1 / 3], [np.nextafter(1 / 3, 1)]]).tolist() == [True, False]


def test_nothing_and_everything_in_minimal_form() -> None:
    assert HPolytope([[0, 0]], [1]).minimal().A.shape == (0, 2)
    with pytest.raises(DomainError, match="empty"):
        HPolytope([[1], [-1]], [0, -1]).minimal()


# ---------------------------------------------------------------- vertices, rays, lines


def extreme_directions(A: list[list[int]], d: int) -> set[tuple[Fraction, ...]]:
    """By definition, for a pointed cone A v <= 0: feasible solutions of d - 1 independent tight rows."""
    found = set()
    for chosen in combinations(A, d - 1):
        for j, sign in product(range(d), (1, -1)):
            rows = [[Fraction(v) for v in row] for row in chosen] + [
                [Fraction(int(i == j)) for i in range(d)]
            ]
            v = cramer(rows, [Fraction(0)] * (d - 1) + [Fraction(sign)])
            if v is not None and all(naive.dot(row, v) <= 0 for row in A):
                most = max(abs(c) for c in v)
                found.add(tuple(c / most for c in v))
    return found


def unbounded_polyhedron(seed: int, d: int) -> HPolytope:
    rng = generator(seed)
    return HPolytope(integer_rows(rng, d + 2, d, 2), [1 + abs(v) for v in integers(rng, d + 2, 2)])


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(12))
def test_generators_are_those_of_the_definition(seed: int, d: int) -> None:
    polytope = unbounded_polyhedron(seed, d)
    A = [[int(v) for v in row] for row in polytope.A.tolist()]
    lines = polytope.lines()
    assert len(lines) == d - naive.rank(A)
    assert not np.any(polytope.A @ lines.T)
    if len(lines):
        assert len(polytope.vertices()) == 0
    else:
        assert sorted(map(tuple, polytope.vertices().tolist())) == sorted(
            tuple(float(c) for c in corner) for corner in corners(polytope)
        )
        directions = {tuple(float(c) for c in v) for v in extreme_directions(A, d)}
        assert {tuple(v) for v in polytope.rays().tolist()} == directions
    assert polytope.is_bounded() == (len(lines) == len(polytope.rays()) == 0)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_a_polyhedron_is_the_sum_of_its_generators(seed: int, d: int) -> None:
    """A linear program over the weights decides whether a point is such a sum; lines may be there."""
    polytope = HPolytope(*map(np.array, (integer_rows(generator(seed), d, d, 1), [1] * d)))
    points, rays, lines = polytope.generators()
    columns = np.vstack([points, rays, lines, -lines])
    system = np.column_stack([columns, np.arange(len(columns)) < len(points)]).T
    for x in generator(seed).integers(-6, 7, size=(12, d)) / 2.0:
        found = linprog(np.zeros(len(columns)), A_eq=system, b_eq=[*x, 1.0], bounds=(0, None))
        assert (found.status == 0) == bool(polytope.contains(x)[0])


def test_generators_of_known_polyhedra() -> None:
    orthant = HPolytope(-np.eye(3), np.zeros(3))
    assert orthant.vertices().tolist() == [[0, 0, 0]]
    assert orthant.rays().tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    half_strip = HPolytope([[1, 0], [-1, 0], [0, -1]], [1, 0, 0])
    assert half_strip.vertices().tolist() == [[0, 0], [1, 0]]
    assert half_strip.rays().tolist() == [[0, 1]]
    chamber = HPolytope([[1, -1, 0, 0], [0, 1, -1, 0], [0, 0, 1, -1]], [0, 0, 0])  # x0 <= x1 <= x2 <= x3
    assert (len(chamber.rays()), chamber.lines().tolist()) == (3, [[1, 1, 1, 1]])
    assert len(chamber.vertices()) == 0
    plane = HPolytope(np.zeros((0, 2)), [])
    assert (len(plane.lines()), len(plane.rays()), len(plane.generators()[0])) == (2, 0, 1)
    flat = HPolytope([[0, 0, 1], [0, 0, -1], [-1, 0, 0], [0, -1, 0]], [5, -5, -1, -2])
    assert flat.vertices().tolist() == [[1, 2, 5]]
    assert flat.rays().tolist() == [[0, 1, 0], [1, 0, 0]]
    assert cube(3).rays().shape == cube(3).lines().shape == (0, 3)
    for method in ("rays", "lines", "generators"):
        with pytest.raises(DomainError, match="empty"):
            getattr(HPolytope([[1], [-1]], [0, -1]), method)()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("d", [3, 4])
def test_vertices_are_exact_and_rounded_once(seed: int, d: int) -> None:
    polytope = random_polytope(seed, d, 2)
    expected = sorted(tuple(float(c) for c in corner) for corner in corners(polytope))
    assert sorted(map(tuple, polytope.vertices().tolist())) == expected


def test_an_unbounded_region_has_vertices_and_rays() -> None:
    net = Network.from_layers([([[1, 0], [0, 1]], [0, -1]), ([[1, 1]], [0])])
    for region in enumerate_regions(net, WholeSpace(2)):
        assert region.polytope.vertices().tolist() == [[0, 1]]
        signs = np.where(region.pattern, 1.0, -1.0)
        assert sorted(region.polytope.rays().tolist()) == sorted([[signs[0], 0], [0, signs[1]]])


# ---------------------------------------------------------------- random points


def opened(polytope: HPolytope) -> HPolytope:
    return HPolytope(polytope.A, polytope.b, [True] * len(polytope.A))


BODIES = {
    "segment": cube(1),
    "cube": cube(4, -1, 3),
    "simplex": simplex(5),
    "cross-polytope": cross_polytope(3),
    "sliver": slab(3, 1e-9),
    "thin sliver": slab(2, 1e-15),
    "far sliver": HPolytope([[1, -1], [-1, 1], [1, 0], [-1, 0]], [2**-20, 0, 2**30 + 1, -(2**30)]),
    "far": cube(2, 1e8, 1e8 + 1e-3),
    "orthant": HPolytope(-np.eye(3), np.zeros(3)),
    "half-space": HPolytope([[1, 1]], [-7]),
    "plane": HPolytope(np.zeros((0, 2)), []),
    "thin wedge": HPolytope([[1, -(2**-30)], [-1, -(2**-30)]], [0, 0]),
}


@pytest.mark.parametrize("name", BODIES)
def test_random_points_are_strictly_inside(name: str) -> None:
    points = BODIES[name].random_points(200, rng=1)
    assert points.shape == (200, BODIES[name].dim)
    assert opened(BODIES[name]).contains(points).all()
    assert len(np.unique(points, axis=0)) > 1


@pytest.mark.parametrize("seed", range(4))
def test_random_points_of_regions_are_located_there(seed: int) -> None:
    net = Network.from_layers(integer_layers(generator(seed), [2, 4, 3, 1]))
    for domain in (Box.cube(-2, 2, 2), WholeSpace(2)):
        regions = enumerate_regions(net, domain)
        for region in regions:
            assert set(regions.locate(region.polytope.random_points(5, rng=seed)).tolist()) == {region.number}


@pytest.mark.parametrize("d", [1, 2, 4])
def test_random_points_of_a_box_are_uniform(d: int) -> None:
    width = np.array([1.0, 1e-6, 1e3, 1.0])[:d]
    points = HPolytope(np.vstack([np.eye(d), -np.eye(d)]), [*width, *np.zeros(d)]).random_points(4000, rng=2)
    share = points / width
    assert np.abs(share.mean(axis=0) - 1 / 2).max() < 5 * np.sqrt(1 / 12 / 4000)
    for edge in (0.1, 0.25, 0.5, 0.9):
        assert np.abs((share < edge).mean(axis=0) - edge).max() < 5 * np.sqrt(edge * (1 - edge) / 4000)


@pytest.mark.parametrize("d", [2, 3, 5])
def test_random_points_of_a_simplex_have_its_mean_and_variance(d: int) -> None:
    """Each coordinate has a Beta(1, d) distribution."""
    points = simplex(d).random_points(4000, rng=3)
    mean, variance = 1 / (d + 1), d / (d + 1) ** 2 / (d + 2)
    assert np.abs(points.mean(axis=0) - mean).max() < 5 * np.sqrt(variance / 4000)
    assert np.abs(points.var(axis=0) / variance - 1).max() < 0.2


def test_random_points_of_a_slanted_sliver_fill_its_length() -> None:
    points = slab(2, 1e-9).random_points(2000, rng=4)
    assert abs(points[:, 0].mean() - 1 / 2) < 5 * np.sqrt(1 / 12 / 2000)


def test_random_points_of_an_unbounded_set_are_uniform_in_a_ball() -> None:
    plane = HPolytope(np.zeros((0, 2)), [])
    distance = np.linalg.norm(plane.random_points(4000, rng=5, radius=3.0) - plane.interior_point(), axis=1)
    assert distance.max() <= 3.0 * (1 + 1e-9)
    assert abs((distance < 1.5).mean() - 1 / 4) < 5 * np.sqrt(3 / 16 / 4000)


def test_random_points_of_a_flat_polytope_lie_in_its_hull() -> None:
    points = segment().random_points(500, rng=6)
    assert np.array_equal(points[:, 0], points[:, 1])
    assert np.all((points > 0) & (points < 1))
    triangle = flat_triangle().random_points(500, rng=6)
    assert np.allclose(triangle.sum(axis=1), 1, rtol=0, atol=1e-15)
    assert np.all(triangle > -1e-15)
    assert HPolytope([[1], [-1]], [2, -2]).random_points(3).tolist() == [[2], [2], [2]]


def test_random_points_depend_on_the_seed_alone() -> None:
    one, two, other = (cube(3).random_points(10, rng=seed) for seed in (7, 7, 8))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert np.array_equal(cube(3).random_points(10, np.random.default_rng(7)), one)
    assert cube(3).random_points(0).shape == (0, 3)


def test_random_points_that_cannot_be_had() -> None:
    gap = HPolytope(
        [[1], [-1]], [1 + 2**-52, -1]
    )  # two neighbouring floats, and nothing of float64 between them
    with pytest.raises(DomainError, match="so thin"):
        gap.random_points(1)
    with pytest.raises(DomainError, match="empty"):
        HPolytope([[1], [-1]], [0, -1]).random_points(1)
    for arguments in ((-1, None, None), (1, None, 0.0), (1, None, float("nan"))):
        with pytest.raises(DomainError, match="expected n >= 0 and radius > 0"):
            cube(2).random_points(*arguments)


# ---------------------------------------------------------------- other libraries


@pytest.mark.parametrize("seed", range(8))
def test_programmes_of_scipy_and_cvxpy_end_at_the_best_vertex(seed: int) -> None:
    d = 2 + seed % 3
    polytope = random_polytope(seed, d, 5)
    cost = generator(seed).normal(size=d)
    best = float((polytope.vertices() @ cost).min())
    assert linprog(cost, **polytope.to_scipy()).fun == pytest.approx(best, abs=1e-7)
    x = cvxpy.Variable(d)
    programme = cvxpy.Problem(cvxpy.Minimize(cost @ x), polytope.to_cvxpy(x))
    assert programme.solve() == pytest.approx(best, abs=1e-5)


def test_the_nearest_point_of_a_region_by_cvxpy() -> None:
    net = Network.from_layers([([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box([-1, -1], [1, 1]))
    region = regions[int(regions.locate([[0.5, 0.0]])[0])]
    x = cvxpy.Variable(2)
    programme = cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares(x - [0, 1])), region.polytope.to_cvxpy(x))
    assert programme.solve() == pytest.approx(1 / 2, abs=1e-5)  # the distance of (0, 1) from the line y = x
    assert x.value == pytest.approx([0.5, 0.5], abs=1e-4)


def test_an_expression_may_stand_for_the_variable_and_no_rows_give_no_constraint() -> None:
    u = cvxpy.Variable(1)
    programme = cvxpy.Problem(cvxpy.Maximize(u[0]), cube(2).to_cvxpy(np.array([[1.0], [2.0]]) @ u))
    assert programme.solve() == pytest.approx(0.5, abs=1e-5)
    assert HPolytope(np.zeros((0, 2)), []).to_cvxpy(cvxpy.Variable(2)) == []


@pytest.mark.parametrize(
    "x", [cvxpy.Variable(3), cvxpy.Variable((2, 1)), cvxpy.Variable(), np.zeros(2), None]
)
def test_what_is_no_variable_of_the_right_shape_is_refused(x: Any) -> None:
    with pytest.raises(DomainError, match="polytope: x "):
        cube(2).to_cvxpy(x)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_qhull_takes_the_half_spaces(d: int) -> None:
    polytope = simplex(d)
    found = HalfspaceIntersection(polytope.to_halfspaces(), polytope.interior_point()).intersections
    assert np.allclose(np.unique(found.round(9), axis=0), np.unique(polytope.vertices(), axis=0))


def test_a_region_of_a_slice_has_all_the_views() -> None:
    """A lower-dimensional region: the plane x2 = x0 + x1 of R^3."""
    net = Network.from_layers([([[0, 0, 1]], [0]), ([[1]], [0])])
    regions = enumerate_regions(net, Slice([0, 0, 0], [[1, 0, 1], [0, 1, 1]], Box([-1, -1], [1, 1])))
    assert len(regions) == 2
    for region in regions:
        minimal = region.polytope.minimal()
        assert len(minimal.A) == 3 + 2
        assert np.allclose(minimal.vertices()[:, 2], minimal.vertices()[:, :2].sum(axis=1))
        points = region.polytope.random_points(20, rng=0)
        assert set(regions.locate(points).tolist()) <= {region.number, -1}
        assert np.allclose(points[:, 2], points[:, 0] + points[:, 1], rtol=0, atol=1e-15)
