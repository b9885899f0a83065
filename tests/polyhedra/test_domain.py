"""Input sets: what is refused, the affine hull a set is reduced to, and the coordinates on it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from math import inf, nextafter
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

import naive
from polyregions import (
    Box,
    HPolytope,
    Network,
    Slice,
    WholeSpace,
    count_regions,
    enumerate_regions,
    load_domain,
)
from polyregions.errors import DomainError
from polyregions.exact.numbers import Point
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.hull import AffineHull, solution_set, solve_rational
from polyregions.polyhedra.solid_domain import SolidDomain, rows_in_inputs
from randoms import fractions, generator, integer_layers, integer_rows, integers, rational_point, value

LARGEST = sys.float_info.max
ABS = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])


def is_on(rows: Sequence[Sequence[int]], x: Sequence[Fraction]) -> bool:
    return all(value(row, x) >= 0 for row in rows)


def assert_solid(solid: SolidDomain) -> None:
    """The interior point is strictly inside all forms, and inside the bounds."""
    u = solid.interior.coordinates
    assert len(u) == solid.hull.dim == len(solid.bounds.lower) == len(solid.bounds.upper)
    assert all(value(form.exact(), u) > 0 for form in solid.forms)
    assert solid.holds(solid.interior)
    assert len(solid.labels) == len(solid.forms)
    for c, low, high in zip(u, solid.bounds.lower, solid.bounds.upper, strict=True):
        assert (np.isinf(low) or Fraction(low) < c) and (np.isinf(high) or c < Fraction(high))


# ---------------------------------------------------------------- what is refused

REFUSED: dict[str, tuple[Any, str]] = {
    "text": ((["a"], [1]), "lower: .* is not a list of numbers"),
    "complex": (([0], [1j]), "upper: .* is not a list of numbers"),
    "ragged": (([[0], [0, 1]], [1]), "lower: .* is not a list of numbers"),
    "two axes": (([0], [[1]]), r"upper: shape \(1, 1\), expected one axis"),
    "nan": (([0, np.nan], [1, 1]), "lower, input 1: is not a number"),
    "none": (([0], [None]), "upper, input 0: is not a number"),
    "lengths": (([0, 0], [1]), "lower has 2 entries, upper has 1"),
    "crossed": (([0, 2], [1, 1]), "input 1: lower = 2.0, upper = 1.0, expected lower <= upper"),
    "at infinity": (([inf], [inf]), "input 0: lower = inf"),
    "at minus infinity": (([-inf], [-inf]), "input 0: lower = -inf"),
    "crossed infinities": (([inf], [-inf]), "input 0: lower = inf"),
    # Fail: numpy's OverflowError; a ComplexWarning, and the imaginary part is dropped.
    "beyond float64": (([0], [10**400]), "upper"),
    "complex array": ((np.array([0j]), [1]), "lower"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_box_is_refused(case: str) -> None:
    (lower, upper), message = REFUSED[case]
    with pytest.raises(DomainError, match=message):
        Box(lower, upper)


SLICES: dict[str, tuple[Any, str]] = {
    "shape": (([0, 0], [[1, 0, 0]], Box([0], [1])), r"directions have shape \(1, 3\), expected \(1, 2\)"),
    "too few": (([0, 0], [[1, 0]], Box([0, 0], [1, 1])), r"shape \(1, 2\), expected \(2, 2\)"),
    "dependent": (([0, 0], [[1, 2], [2, 4]], Box([0, 0], [1, 1])), "the 2 directions are linearly dependent"),
    "zero": (([0, 0], [[0, 0]], Box([0], [1])), "linearly dependent"),
    "too many": (([0], [[1], [2]], WholeSpace(2)), "linearly dependent"),
    "nan": (([0, 0], [[1, np.nan]], Box([0], [1])), "must be finite"),
    "infinite origin": (([inf, 0], [[1, 0]], Box([0], [1])), "must be finite"),
    "origin of two axes": (([[0, 0]], [[1, 0]], Box([0], [1])), "origin: shape"),
    # Fail: a plain ValueError of numpy; an AttributeError.
    "text": (([0, 0], [["a", "b"]], Box([0], [1])), "directions"),
    "ragged": (([0, 0], [[1], [1, 2]], Box([0, 0], [1, 1])), "directions"),
    "no domain": (([0, 0], [[1, 0]], 3), "domain"),
}


@pytest.mark.parametrize("case", SLICES)
def test_what_makes_no_slice_is_refused(case: str) -> None:
    arguments, message = SLICES[case]
    with pytest.raises(DomainError, match=message):
        Slice(*arguments)


def test_directions_that_are_nearly_dependent_are_independent() -> None:
    assert Slice([0, 0], [[1, 1], [1, 1 + 2**-52]], Box([0, 0], [1, 1])).solid_domain().hull.dim == 2


@pytest.mark.parametrize("dim", [-1, 2.5, "a", None])
def test_a_space_of_no_natural_dimension_is_refused(dim: Any) -> None:
    with pytest.raises(DomainError):
        WholeSpace(dim)


EMPTY = {
    "apart": HPolytope([[1], [-1]], [0, -1]),
    "apart by the least float": HPolytope([[1], [-1]], [0, -5e-324]),
    "constant row": HPolytope([[0, 0]], [-1]),
    "triangle turned inside out": HPolytope([[1, 1], [-1, 0], [0, -1]], [-1, 0, 0]),
    "flat and apart": HPolytope([[1, 1], [-1, -1], [1, 0], [-1, 0], [0, 1]], [0, 0, -1, 1, 0.5]),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_set_is_refused(name: str) -> None:
    with pytest.raises(DomainError, match="the input set is empty"):
        EMPTY[name].solid_domain()


def test_a_set_of_another_dimension_than_the_network_is_refused() -> None:
    with pytest.raises(DomainError, match="the input set has 2 inputs, network takes 1"):
        pose(ABS, Box([0, 0], [1, 1]))


# ---------------------------------------------------------------- boxes


def test_a_box_as_rows_polytope_and_volume() -> None:
    box = Box([0, -inf, 2], [1, 5, 2])
    rows, labels = box.inequalities()
    assert rows.tolist() == [[1, 0, 0, 0], [-1, 0, 0, 1], [0, -1, 0, 5], [0, 0, 1, -2], [0, 0, -1, 2]]
    assert labels == ["x0 >= 0", "x0 <= 1", "x1 <= 5", "x2 >= 2", "x2 <= 2"]
    assert box.polytope().labels == tuple(labels)
    assert box.volume() == inf
    assert Box([0, 2], [3, 2]).volume() == 3.0
    assert Box([2], [2]).volume() == 1.0
    assert (Box.cube(-1, 2, 3).lower.tolist(), Box.cube(-1, 2, 3).upper.tolist()) == ([-1.0] * 3, [2.0] * 3)
    assert repr(Box([0], [1])) == "Box([0.0], [1.0])"
    assert Box([], []).dim == 0


def test_a_full_box_keeps_its_coordinates() -> None:
    solid = Box([-1, 0], [1, 0.5]).solid_domain()
    assert_solid(solid)
    assert solid.hull.is_whole
    assert [form.exact() for form in solid.forms] == [[1, 0, 1], [-1, 0, 1], [0, 1, 0], [0, -2, 1]]


def test_fixed_inputs_are_left_out_and_the_labels_still_say_which_input_is_meant() -> None:
    solid = Box([7, 0, 0.1, -1], [7, 1, 0.1, inf]).solid_domain()
    assert_solid(solid)
    assert (solid.hull.dim, solid.hull.ambient_dim, solid.hull.free) == (2, 4, (1, 3))
    assert solid.labels == ("x1 >= 0", "x1 <= 1", "x3 >= -1")
    lifted = solid.hull.lift(Point.of([Fraction(1, 3), Fraction(9)])).coordinates
    assert list(lifted) == [7, Fraction(1, 3), Fraction(0.1), 9]


def test_labels_of_many_inputs_are_not_mixed_up() -> None:
    d = 13
    solid = Box([0.0] * d, [0.0] + [1.0] * (d - 1)).solid_domain()
    assert solid.labels == tuple(f"x{i} {side}" for i in range(1, d) for side in (">= 0", "<= 1"))


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (-inf, inf),
        (0.0, inf),
        (-inf, -3.0),
        (1.0, nextafter(1.0, 2)),
        (0.0, 5e-324),
        (-5e-324, 0.0),
        (nextafter(LARGEST, 0), LARGEST),
        (-LARGEST, LARGEST),
        (LARGEST, inf),
        (-inf, -LARGEST),
        (1e16, 1e16 + 2),
    ],
)
def test_an_interior_point_of_any_interval(lower: float, upper: float) -> None:
    solid = Box([lower], [upper]).solid_domain()
    assert_solid(solid)
    (c,) = solid.interior.coordinates
    assert solid.interior.is_float64 == (Fraction(float(c)) == c)
    between = nextafter(lower, inf) < upper
    assert solid.interior.is_float64 or not between


def test_between_neighbouring_floats_regions_have_rational_points() -> None:
    lower = 1.0
    upper = nextafter(lower, 2)
    kink = Network.from_layers([([[2**53]], [-(2**53) - 1]), ([[1]], [0])])  # at 1 + 2**-53, between the two
    regions = enumerate_regions(kink, Box([lower], [upper]))
    assert regions.patterns.tolist() == [[False], [True]]
    off, on = (regions.local_point(i).coordinates[0] for i in range(2))
    assert 1 < off < 1 + Fraction(1, 2**53) < on < 1 + Fraction(1, 2**52)


def test_a_point_is_a_domain() -> None:
    solid = Box([1, -2], [1, -2]).solid_domain()
    assert_solid(solid)
    assert (solid.hull.dim, solid.forms) == (0, ())
    regions = enumerate_regions(
        Network.from_layers([([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [0])]), Box([1, -2], [1, -2])
    )
    assert regions.points.tolist() == [[1, -2]]
    assert regions.patterns.tolist() == [[False, True]]


@pytest.mark.parametrize("domain", [Box([], []), WholeSpace(0), HPolytope(np.zeros((0, 0)), [])], ids=str)
def test_no_inputs_at_all(domain: Domain) -> None:
    assert_solid(domain.solid_domain())
    assert count_regions(Network.from_layers([(np.zeros((1, 0)), [1]), ([[1]], [0])]), domain) == 1


# ---------------------------------------------------------------- polytopes and the whole space


def test_the_whole_space_has_no_rows() -> None:
    solid = WholeSpace(3).solid_domain()
    assert_solid(solid)
    assert solid.hull.is_whole
    assert (solid.forms, solid.labels) == ((), ())
    assert not solid.bounds.are_finite
    rows, labels = WholeSpace(3).inequalities()
    assert (rows.shape, labels) == ((0, 4), [])


def test_implicit_equalities_are_found() -> None:
    polytope = HPolytope([[1, 1], [-2, -2], [1, 0], [-1, 0]], [1, -2, 1, 0], labels=list("abcd"))  # x + y = 1
    solid = polytope.solid_domain()
    assert_solid(solid)
    assert solid.hull.dim == 1
    assert solid.labels == ("c", "d")
    assert (solid.bounds.lower.tolist(), solid.bounds.upper.tolist()) == ([0], [1])


def test_equalities_that_no_single_pair_of_rows_shows() -> None:
    # Three rows around the line x = y = 0, and a fourth that then fixes z.
    solid = HPolytope(
        [[1, 0, 0], [0, 1, 0], [-1, -1, 0], [1, 0, 1], [0, 1, -1]], [0, 0, 0, 2, -2]
    ).solid_domain()
    assert_solid(solid)
    assert solid.hull.dim == 0
    assert solid.hull.lift(solid.interior).coordinates == tuple(fractions([0, 0, 2]))


def flat_polytope(rng: Generator, d: int, r: int) -> tuple[list[list[int]], list[int], HPolytope]:
    """Equations E x = E p as pairs of scaled inequalities, in a cube around p."""
    E, p = integer_rows(rng, r, d, 2), integers(rng, d)
    right = [sum(a * b for a, b in zip(row, p, strict=True)) for row in E]
    A = [[s * v for v in row] for row in E for s in (1, -3)]
    b = [s * v for v in right for s in (1, -3)]
    A += [[s * int(i == j) for j in range(d)] for i in range(d) for s in (1, -1)]
    b += [s * p[i] + 2 for i in range(d) for s in (1, -1)]
    return E, right, HPolytope(A, b)


@pytest.mark.parametrize("seed", range(20))
def test_a_flat_polytope_is_reduced_to_its_hull(seed: int) -> None:
    rng = generator(seed)
    d = 1 + seed % 4
    E, right, polytope = flat_polytope(rng, d, 1 + seed % 3)
    solid = polytope.solid_domain()
    assert_solid(solid)
    assert solid.hull.dim == d - naive.rank(E)
    lifted = solid.hull.lift(solid.interior).coordinates
    assert [naive.dot(row, lifted) for row in E] == right
    for _ in range(20):
        x = rational_point(rng, d, 4)
        on_hull = all(naive.dot(row, x) == value for row, value in zip(E, right, strict=True))
        assert solid.hull.contains(x) == on_hull
    assert_chart(solid.hull, rng)


def assert_chart(hull: AffineHull, rng: Generator) -> None:
    """chart, coordinates, equations and contains against the embedding, at random points."""
    k, d = hull.dim, hull.ambient_dim
    assert len(hull.equations) == d - k
    assert naive.rank([row[:-1] for row in hull.equations]) == d - k
    assert len(hull.anchors) == k
    for _ in range(5):
        u = rational_point(rng, k, 9, 7)
        x = hull.lift(Point.of(u)).coordinates
        assert hull.coordinates(x) == u
        assert [value(row, x) for row in hull.equations] == [0] * (d - k)
        assert hull.contains(x)
        v = rational_point(rng, k)
        beyond = [p + q for p, q in zip(x, hull.lift_direction(v), strict=True)]
        assert hull.coordinates(beyond) == [p + q for p, q in zip(u, v, strict=True)]
        for i in set(range(d)) - set(hull.anchors):
            assert not hull.contains([*x[:i], x[i] + Fraction(1, 10**30), *x[i + 1 :]])
    if hull.free is not None:
        assert hull.coordinates(x) == [x[i] for i in hull.free]


# ---------------------------------------------------------------- slices


@pytest.mark.parametrize("seed", range(12))
def test_a_slice_is_origin_plus_directions(seed: int) -> None:
    rng = generator(seed)
    k = seed % 3
    d = k + 1 + seed % 2
    directions = np.array(integer_rows(rng, k, d)).reshape(k, d) / 8 + np.eye(k, d) * 5
    origin = rng.normal(size=d)
    hull = Slice(origin, directions, WholeSpace(k)).solid_domain().hull
    assert (hull.dim, hull.ambient_dim, hull.free) == (k, d, None)
    u = rational_point(rng, k)
    steps = [naive.dot(column, u) for column in directions.T.tolist()]
    expected = [o + s for o, s in zip(fractions(origin.tolist()), steps, strict=True)]
    assert list(hull.lift(Point.of(u)).coordinates) == expected
    assert_chart(hull, rng)
    basis, bias = hull.floats
    assert (basis.tolist(), bias.tolist()) == (directions.T.tolist(), origin.tolist())


def test_a_slice_of_a_box_that_is_flat_itself() -> None:
    inner = Slice([0, 0, 1], [[1, 1, 0], [0, 0, 2]], Box([0, 3], [1, 3]))
    solid = inner.solid_domain()
    assert_solid(solid)
    assert solid.hull.dim == 1
    assert solid.labels == ("slice: x0 >= 0", "slice: x0 <= 1")
    x = solid.hull.lift(Point.of([Fraction(1, 2)])).coordinates
    assert list(x) == [Fraction(1, 2), Fraction(1, 2), 7]
    assert_chart(solid.hull, generator(0))


def test_a_slice_with_a_polytope() -> None:
    triangle = HPolytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
    solid = Slice([1, 1, 1], [[1, 0, 1], [0, 1, 1]], triangle).solid_domain()
    assert_solid(solid)
    assert solid.hull.contains(fractions([2, 1, 2])) and not solid.hull.contains(fractions([2, 1, 1]))
    assert solid.hull.scale() == pytest.approx(3**0.5)  # |(1, 0, 1) x (0, 1, 1)|


def test_the_network_on_a_slice_is_the_network_after_the_slice() -> None:
    rng = generator(0)
    layers = integer_layers(rng, [3, 4, 3, 2])
    domain = Slice([0.5, -1, 0.1], [[1, 2, 0], [0, 1, 0.3]], Box([-1, -1], [1, 1]))
    problem = pose(Network.from_layers(layers), domain)
    for _ in range(20):
        u = rational_point(rng, 2, 4)
        x = problem.solid.hull.lift(Point.of(u)).coordinates
        germ = problem.exact.germ(u)
        assert germ.value == naive.forward(layers, x)
        assert germ.pattern == tuple(map(bool, naive.pattern_at(layers, x)))


# ---------------------------------------------------------------- membership in the inputs

DOMAINS: dict[str, tuple[Domain, Any]] = {
    "box": (Box([-1, 0], [1, 1]), lambda x: -1 <= x[0] <= 1 and 0 <= x[1] <= 1),
    "fixed input": (Box([-1, 0.5], [1, 0.5]), lambda x: -1 <= x[0] <= 1 and x[1] == 0.5),
    "half-infinite": (Box([-inf, 0], [1, inf]), lambda x: x[0] <= 1 and x[1] >= 0),
    "point": (Box([1, 0], [1, 0]), lambda x: x == [1, 0]),
    "plane": (WholeSpace(2), lambda x: True),
    "flat": (HPolytope([[1, 1], [-1, -1], [-1, 0]], [1, -1, 0]), lambda x: x[0] + x[1] == 1 and x[0] >= 0),
    "slice": (Slice([1, 0], [[-2, 2]], Box([0], [1])), lambda x: x[0] + x[1] == 1 and 0 <= x[1] <= 2),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_the_rows_in_the_inputs_hold_the_set(name: str) -> None:
    domain, holds = DOMAINS[name]
    rows, labels = rows_in_inputs(domain.solid_domain())
    assert len(labels) == len(rows) == len(set(labels))
    lattice = [[Fraction(i, 4), Fraction(j, 4)] for i in range(-9, 10) for j in range(-9, 10)]
    assert [is_on(rows, x) for x in lattice] == [holds(x) for x in lattice]


# ---------------------------------------------------------------- linear algebra


@pytest.mark.parametrize("seed", range(20))
def test_the_solutions_of_equations_are_parametrised_by_the_free_inputs(seed: int) -> None:
    rng = generator(seed)
    d = 1 + seed % 4
    p, E = rational_point(rng, d), integer_rows(rng, 1 + seed % 3, d, 2)
    equations = []
    for row in E:
        right = naive.dot(row, p)
        equations.append([*(v * right.denominator for v in row), -right.numerator])
    hull = solution_set(equations, d)
    assert hull.dim == d - naive.rank(E)
    assert hull.contains(p)
    assert list(hull.lift(Point.of(hull.coordinates(p))).coordinates) == p
    for _ in range(5):
        x = hull.lift(Point.of(rational_point(rng, hull.dim))).coordinates
        assert [value(row, x) for row in equations] == [0] * len(equations)


@pytest.mark.parametrize("seed", range(20))
def test_overdetermined_systems_have_their_solution_or_none(seed: int) -> None:
    rng = generator(seed)
    k = 1 + seed % 3
    matrix, x = integer_rows(rng, k + 2, k, 2), rational_point(rng, k)
    right = [naive.dot(row, x) for row in matrix]
    if naive.rank(matrix) == k:
        assert solve_rational(matrix, right) == x
        assert solve_rational([*matrix, matrix[0]], [*right, right[0] + 1]) is None
    else:
        assert solve_rational(matrix, right) is None


def test_a_polytope_is_read_from_a_file(tmp_path: Any) -> None:
    np.savez(tmp_path / "half.npz", A=[[1.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], b=[1.0, 0.0, 0.0])
    triangle = load_domain(tmp_path / "half.npz")
    assert isinstance(triangle, HPolytope)
    assert triangle.volume() == 0.5
    np.savez(tmp_path / "bad.npz", A=[[1.0, 1.0]], b=[1.0, 0.0])
    with pytest.raises(DomainError, match=r"bad\.npz.*b has shape"):
        load_domain(tmp_path / "bad.npz")


def test_numbers_stand_for_the_same_in_all_inputs() -> None:
    assert Box(-2, 2).ends() == ([-2.0], [2.0])
    assert Box(0, [1, 2]).ends() == ([0.0, 0.0], [1.0, 2.0])
    assert Box([-1, -2], inf).ends() == ([-1.0, -2.0], [inf, inf])
    assert Box(Fraction(1, 3), 1, dim=2).ends() == ([Fraction(1, 3)] * 2, [1.0, 1.0])
    with pytest.raises(DomainError, match="upper has 3 entries, dim is 2"):
        Box(0, [1, 2, 3], dim=2)
    with pytest.raises(DomainError, match="upper"):
        Box(0, "1")
