"""H-polytopes: facets, vertices, volume, balls and boxes, held against formulas and exact recomputation."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from itertools import product
from math import factorial, sqrt
from typing import Any

import numpy as np
import pytest
from scipy.spatial import ConvexHull

import naive
from polyregions import HPolytope
from polyregions._types import Floats
from polyregions.errors import DomainError
from polyregions.polyhedra.facets import Facet, coinciding_rows, facets
from polyregions.polyhedra.generators import generators
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.polyhedra.polygon import polygon_corners
from polyregions.polyhedra.solid import open_polyhedron
from polytopes import corners, cross_polytope, cube, random_polytope, segment, simplex, slab
from randoms import generator, integer_rows, integers, rational_point, value

DIMENSIONS = range(1, 6)


def is_facet(polytope: HPolytope, group: list[int]) -> bool:
    """By definition: the polytope meets the row's hyperplane in a set of dimension d - 1."""
    rows = [
        naive.make_row(a, b, strict=False)
        for a, b in zip(polytope.A.tolist(), polytope.b.tolist(), strict=True)
    ]
    a, b = polytope.A[group[0]].tolist(), float(polytope.b[group[0]])
    on = [*rows, naive.make_row([-v for v in a], -b, strict=False)]
    return naive.dimension(on, polytope.dim) == polytope.dim - 1


def sorted_rows(points: Floats) -> list[list[float]]:
    return sorted((points + 0.0).tolist())


# ---------------------------------------------------------------- facets


@pytest.mark.parametrize("d", DIMENSIONS)
def test_every_row_of_a_cube_simplex_and_cross_polytope_is_a_facet(d: int) -> None:
    assert cube(d).facets().tolist() == list(range(2 * d))
    assert simplex(d).facets().tolist() == list(range(d + 1))
    assert cross_polytope(d).facets().tolist() == list(range(2**d))


@pytest.mark.parametrize("seed", range(12))
def test_facets_are_the_rows_that_touch_in_a_set_of_one_dimension_less(seed: int) -> None:
    polytope = random_polytope(seed, 2 + seed % 2, 5)
    groups: dict[naive.Row, list[int]] = {}
    for i, (a, b) in enumerate(zip(polytope.A.tolist(), polytope.b.tolist(), strict=True)):
        if any(a):
            groups.setdefault(naive.make_row(a, b, strict=False), []).append(i)
    expected = [group[0] for group in groups.values() if is_facet(polytope, group)]
    assert polytope.facets().tolist() == sorted(expected)


def test_of_rows_that_coincide_the_first_stands_for_all() -> None:
    polytope = HPolytope([[1], [2], [1e-12], [3], [-1], [0.3]], [1, 2, 1e-12, 4, 0, 0.3])
    assert polytope.facets().tolist() == [0, 4]
    groups = coinciding_rows(open_polyhedron(solid_of(polytope)))
    assert groups == [(0, 1, 2, 5), (3,), (4,)]


def test_rows_that_differ_in_the_last_bit_do_not_coincide() -> None:
    polytope = HPolytope([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 2**-52]], [1, 0, 1, 0, 1])
    assert polytope.facets().tolist() == [1, 2, 3, 4]
    assert HPolytope([[3], [1], [-1]], [1, 1 / 3, 0]).facets().tolist() == [1, 2]  # 1/3 rounds down


def test_redundant_constant_and_touching_rows_are_no_facets() -> None:
    rows = [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [1, 1], [5, 1]]
    assert HPolytope(rows, [1, 1, 0, 1, 0, 2, 3, 100]).facets().tolist() == [1, 2, 3, 4]


def test_facets_of_a_lower_dimensional_polytope_are_its_own() -> None:
    assert segment().facets().tolist() == [2, 3]
    assert HPolytope([[1], [-1]], [2, -2]).facets().tolist() == []


def solid_of(polytope: HPolytope) -> Any:
    assert polytope.solid is not None
    return polytope.solid


def facets_of(polytope: HPolytope) -> list[Facet]:
    solid = solid_of(polytope)
    return list(facets(open_polyhedron(solid), solid.interior, Referee(Bounds.unknown(polytope.dim))))


@pytest.mark.parametrize("seed", range(8))
def test_each_facet_has_a_point_that_is_on_it_and_on_no_other_row(seed: int) -> None:
    polytope = random_polytope(seed, 3, 4)
    solid = solid_of(polytope)
    polyhedron = open_polyhedron(solid)
    for facet in facets_of(polytope):
        on = facet.point(polyhedron)
        values = [value(row, on) for row in solid.rows]
        assert [i for i, v in enumerate(values) if v <= 0] == list(facet.rows)
        assert all(values[i] == 0 for i in facet.rows)
        assert facet.approximate_point(polyhedron) == pytest.approx([float(c) for c in on], abs=1e-9)
        outwards = naive.dot(solid.rows[facet.rows[0]][:-1], facet.direction())
        assert outwards < 0


# ---------------------------------------------------------------- vertices


@pytest.mark.parametrize("d", DIMENSIONS)
def test_vertices_of_a_cube_simplex_and_cross_polytope(d: int) -> None:
    unit = np.eye(d)
    expected = [
        (cube(d), np.array(list(product([0.0, 1.0], repeat=d)))),
        (simplex(d), np.vstack([np.zeros(d), unit])),
        (cross_polytope(d), np.vstack([unit, -unit])),
    ]
    for polytope, vertices in expected:
        assert np.allclose(sorted_rows(polytope.vertices().round(9)), sorted_rows(vertices), atol=1e-9)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("d", [1, 2, 3])
def test_vertices_are_the_feasible_crossings_of_d_rows(seed: int, d: int) -> None:
    polytope = random_polytope(seed, d, 3)
    expected = sorted_rows(np.array([[float(c) for c in corner] for corner in corners(polytope)]))
    found = polytope.vertices()
    assert len(found) == len(expected)
    assert np.allclose(
        sorted_rows(found.round(9)), sorted_rows(np.array(expected).round(9)), rtol=0, atol=2e-9
    )
    if d < 3:
        assert sorted_rows(found) == expected  # exact and rounded once


@pytest.mark.parametrize("seed", range(10))
def test_polygons_run_counterclockwise(seed: int) -> None:
    v = random_polytope(seed, 2, 4).vertices()
    edges = np.roll(v, -1, axis=0) - v
    after = np.roll(edges, -1, axis=0)
    assert np.all(edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0] > 0)


def test_corners_of_a_polygon_are_exact() -> None:
    rows = [[-3, 0, 1], [0, -7, 1], [1, 1, 0]]  # x <= 1/3, y <= 1/7, x + y >= 0
    third, seventh = Fraction(1, 3), Fraction(1, 7)
    found = {tuple(corner) for corner in polygon_corners(rows)}
    assert found == {(third, seventh), (third, -third), (-seventh, seventh)}


@pytest.mark.parametrize("seed", range(6))
def test_the_exact_way_to_vertices_and_qhulls_agree(seed: int) -> None:
    polytope = random_polytope(seed, 3, 4)
    assert generators(solid_of(polytope).rows, 3).coordinates() == sorted(map(tuple, corners(polytope)))


def test_vertices_of_lower_dimensional_polytopes_lie_where_they_do() -> None:
    assert sorted_rows(segment().vertices()) == [[0, 0], [1, 1]]
    assert HPolytope([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, -1, 2, -2]).vertices().tolist() == [[1, 2]]


# ---------------------------------------------------------------- volume


@pytest.mark.parametrize("d", DIMENSIONS)
def test_volumes_by_formula(d: int) -> None:
    assert simplex(d).volume() == pytest.approx(1 / factorial(d), rel=1e-12)
    assert cube(d, -1, 2).volume() == pytest.approx(3**d, rel=1e-12)
    assert cross_polytope(d).volume() == pytest.approx(2**d / factorial(d), rel=1e-12)


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("width", [1e-7, 1e-13, 1e-30])
def test_an_upright_sliver_has_its_volume(d: int, width: float) -> None:
    sliver = HPolytope(np.vstack([-np.eye(d), np.eye(d)]), [0] * d + [1] * (d - 1) + [width])
    assert sliver.volume() / width == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("d", [2, 3, 4])
@pytest.mark.parametrize("width", [1e-7, 1e-13, 1e-17])
def test_a_slanted_sliver_has_its_volume(d: int, width: float) -> None:
    assert slab(d, width).volume() / width == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("exponent", [20, 30, 40])
def test_the_volume_does_not_depend_on_how_far_away_it_is(d: int, exponent: int) -> None:
    far = 2.0**exponent
    polytope = HPolytope(np.vstack([-np.eye(d), np.full((1, d), 3.0)]), [-far] * d + [3 * d * far + 1])
    # A simplex of side 1/3.
    assert polytope.volume() == pytest.approx(1 / 3**d / factorial(d), rel=1e-8)


@pytest.mark.parametrize("d", [3, 4, 5])
@pytest.mark.parametrize("seed", range(4))
def test_volumes_are_qhulls_where_that_is_well_conditioned(seed: int, d: int) -> None:
    normals = generator(seed).normal(size=(3 * d, d))
    polytope = HPolytope(np.vstack([normals, np.eye(d), -np.eye(d)]), [1.0] * (3 * d) + [2.0] * (2 * d))
    assert polytope.volume() == pytest.approx(ConvexHull(polytope.vertices()).volume, rel=1e-9)


def test_volumes_of_many_dimensions() -> None:
    assert cube(7).volume() == 1.0
    assert simplex(12).volume() == pytest.approx(1 / factorial(12), rel=1e-15)
    product = HPolytope(np.kron(np.eye(3), simplex(2).A), np.tile(simplex(2).b, 3))
    assert product.volume() == pytest.approx(1 / 8, rel=1e-15)


@pytest.mark.parametrize("seed", range(8))
def test_a_cut_divides_the_volume(seed: int) -> None:
    rng = generator(seed)
    d = 2 + seed % 3
    whole = random_polytope(seed, d, 3)
    row = [integers(rng, 1)[0] or 1, *integers(rng, d - 1)]
    halves = [HPolytope([*whole.A.tolist(), [s * v for v in row]], [*whole.b, s * 0.25]) for s in (1, -1)]
    assert sum(half.volume() for half in halves) == pytest.approx(whole.volume(), rel=1e-9)


def test_the_volume_of_a_lower_dimensional_polytope_is_that_of_its_own_dimension() -> None:
    assert segment().volume() == pytest.approx(sqrt(2))
    diagonal = HPolytope(
        [[1, -1, 0], [-1, 1, 0], [0, 1, -1], [0, -1, 1], [1, 0, 0], [-1, 0, 0]], [0, 0, 0, 0, 1, 0]
    )
    assert diagonal.volume() == pytest.approx(sqrt(3))
    triangle = HPolytope([[1, 1, 1], [-1, -1, -1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]], [1, -1, 0, 0, 0])
    assert triangle.volume() == pytest.approx(sqrt(3) / 2)
    assert HPolytope([[1], [-1]], [2, -2]).volume() == 1.0


def test_the_volume_of_nothing_and_of_everything() -> None:
    assert HPolytope([[1], [-1]], [0, -1]).volume() == 0.0
    assert HPolytope([[1, 0], [-1, 0]], [1, 0]).volume() == float("inf")
    assert HPolytope(np.zeros((0, 0)), []).volume() == 1.0


# ---------------------------------------------------------------- boundedness, emptiness, dimension


def test_a_strip_is_not_bounded_although_its_largest_ball_is() -> None:
    strip = HPolytope([[1, 0], [-1, 0]], [1, 0])
    assert not strip.is_bounded()
    assert strip.is_full_dimensional()
    centre, radius = strip.chebyshev()
    assert (centre[0], radius) == pytest.approx((0.5, 0.5))


UNBOUNDED = {
    "half-space": ([[1, 0]], [0]),
    "quadrant": ([[-1, 0], [0, -1]], [0, 0]),
    "wedge": ([[1, -1], [-1, -1]], [0, 0]),
    "thin wedge": ([[1, -(2**-50)], [-1, -(2**-50)]], [0, 0]),
    "line": ([[1, -1], [-1, 1]], [0, 0]),
    "ray": ([[1, -1], [-1, 1], [-1, 0]], [0, 0, 5]),
    "half strip": ([[1, 0], [-1, 0], [0, -1]], [1, 0, 0]),
    "plane": (np.zeros((0, 2)), []),
}


@pytest.mark.parametrize("name", UNBOUNDED)
def test_unbounded_sets_are_known(name: str) -> None:
    polytope = HPolytope(*UNBOUNDED[name])
    assert not polytope.is_bounded()
    assert polytope.volume() == float("inf")
    lower, upper = polytope.bounding_box()
    assert not np.isfinite(np.append(lower, upper)).all()


def test_bounded_sets_are_known() -> None:
    assert HPolytope([[1, -(2**-50)], [-1, -(2**-50)], [0, 1]], [0, 0, 1]).is_bounded()
    assert segment().is_bounded()
    assert cross_polytope(4).is_bounded()
    assert HPolytope([[1], [-1]], [0, -1]).is_bounded()  # empty


@pytest.mark.parametrize("seed", range(30))
def test_emptiness_and_dimension_agree_with_the_twin(seed: int) -> None:
    rng = generator(seed)
    d = 1 + seed % 3
    A, b = integer_rows(rng, 5, d, 1), integers(rng, 5, 1)
    rows = [naive.make_row(a, c, strict=False) for a, c in zip(A, b, strict=True)]
    dimension = naive.dimension(rows, d)
    polytope = HPolytope(A, b)
    assert polytope.is_empty() == (dimension == -1)
    assert polytope.is_full_dimensional() == (dimension == d)
    if dimension >= 0:
        solid = solid_of(polytope)
        assert solid.hull.dim == dimension
        inside = solid.hull.lift(solid.interior).coordinates
        assert all(naive.dot(row.a, inside) <= row.c for row in rows)


@pytest.mark.parametrize("method", ["vertices", "facets", "bounding_box", "interior_point", "chebyshev"])
def test_an_empty_polytope_says_so(method: str) -> None:
    empty = HPolytope([[1], [-1]], [0, -1])
    assert empty.is_empty()
    assert not empty.is_full_dimensional()
    with pytest.raises(DomainError, match="empty"):
        getattr(empty, method)()


def test_a_constant_row_may_make_it_empty() -> None:
    assert HPolytope([[0, 0], [1, 0]], [-1, 0]).is_empty()
    assert not HPolytope([[0, 0], [1, 0]], [0, 0]).is_empty()


# ---------------------------------------------------------------- balls and boxes


@pytest.mark.parametrize("d", DIMENSIONS)
def test_the_largest_ball_by_formula(d: int) -> None:
    centre, radius = cube(d, -1, 2).chebyshev()
    assert [*centre, radius] == pytest.approx([0.5] * d + [1.5])
    centre, radius = simplex(d).chebyshev()
    expected = 1 / (d + sqrt(d))
    assert [*centre, radius] == pytest.approx([expected] * (d + 1))
    assert cross_polytope(d).chebyshev()[1] == pytest.approx(1 / sqrt(d))


def test_there_may_be_no_largest_ball() -> None:
    assert HPolytope([[-1, 0], [0, -1]], [0, 0]).chebyshev()[1] == float("inf")
    assert HPolytope(np.zeros((0, 2)), []).chebyshev()[1] == float("inf")


def test_a_flat_polytope_has_no_ball() -> None:
    with pytest.raises(DomainError, match="lower-dimensional"):
        segment().chebyshev()


@pytest.mark.parametrize("width", [1e-7, 1e-13, 1e-17])
def test_the_largest_ball_of_a_sliver_fits(width: float) -> None:

    assert slab(2, width).chebyshev()[1] / width == pytest.approx(1 / 2 / sqrt(2), rel=1e-2)


@pytest.mark.parametrize("exponent", [20, 30, 40])
def test_the_largest_ball_does_not_depend_on_how_far_away_it_is(exponent: int) -> None:
    far = 2.0**exponent
    polytope = HPolytope([[-1, 0], [0, -1], [3, 3]], [-far, -far, 6 * far + 1])

    assert polytope.chebyshev()[1] == pytest.approx(1 / 3 / (2 + sqrt(2)), rel=1e-5)


@pytest.mark.parametrize("seed", range(12))
def test_the_bounding_box_is_the_smallest_rounded_outwards(seed: int) -> None:
    polytope = random_polytope(seed, 1 + seed % 3, 4)
    found = corners(polytope)
    lower, upper = polytope.bounding_box()
    for i in range(polytope.dim):
        low, high = min(c[i] for c in found), max(c[i] for c in found)
        assert Fraction(lower[i]) <= low < Fraction(np.nextafter(lower[i], np.inf))
        assert Fraction(upper[i]) >= high > Fraction(np.nextafter(upper[i], -np.inf))


def test_the_bounding_box_is_rounded_outwards() -> None:
    lower, upper = HPolytope([[3], [-3]], [1, 1]).bounding_box()  # -1/3 .. 1/3
    third = 1 / 3
    assert Fraction(third) < Fraction(1, 3)
    assert upper.tolist() == [np.nextafter(third, 1)]
    assert lower.tolist() == [-np.nextafter(third, 1)]


def test_the_bounding_box_of_unbounded_and_flat_sets() -> None:
    lower, upper = HPolytope([[1, 0], [-1, 0]], [1, 0]).bounding_box()
    assert (lower.tolist(), upper.tolist()) == ([0, -np.inf], [1, np.inf])
    lower, upper = segment().bounding_box()
    assert (lower.tolist(), upper.tolist()) == ([0, 0], [1, 1])
    lower, upper = HPolytope([[1], [-1]], [2, -2]).bounding_box()
    assert (lower.tolist(), upper.tolist()) == ([2], [2])


@pytest.mark.parametrize("method", ["bounding_box", "vertices", "volume", "facets", "interior_point"])
def test_a_polytope_that_reaches_beyond_float64_is_no_crash(method: str) -> None:
    far = HPolytope([[1e-300], [-1e-300]], [1e300, -1e299])  # 1e599 <= x <= 1e600
    with suppress(DomainError):
        getattr(far, method)()


# ---------------------------------------------------------------- membership


@pytest.mark.parametrize("seed", range(10))
def test_points_are_contained_by_definition_open_rows_strictly(seed: int) -> None:
    rng = generator(seed)
    closed = random_polytope(seed, 2, 4)
    strict = rng.random(len(closed.A)) < 0.5
    polytope = HPolytope(closed.A, closed.b, strict)
    rows = [
        naive.make_row(*row)
        for row in zip(closed.A.tolist(), closed.b.tolist(), strict.tolist(), strict=True)
    ]
    X = [rational_point(rng, 2) for _ in range(60)]
    values = [[naive.dot(row.a, x) - row.c for row in rows] for x in X]
    expected = [
        all(v < 0 or (v == 0 and not r.strict) for v, r in zip(vs, rows, strict=True)) for vs in values
    ]
    assert any(0 in vs for vs in values)
    assert polytope.contains([[float(c) for c in x] for x in X]).tolist() == expected


def test_the_last_bit_decides() -> None:
    A, b = [[0.1, 0.2]], [0.3]
    x = np.array([1.0, 1.0])  # 0.1 + 0.2 is 2**-54 beyond 0.3 for the stored numbers
    total = Fraction(0.1) + Fraction(0.2)
    assert total > Fraction(0.3)
    assert HPolytope(A, b).contains([x, x * (1 - 2**-51)]).tolist() == [False, True]
    assert HPolytope([[1]], [0], strict=[True]).contains([[0.0], [-0.0], [-5e-324], [5e-324]]).tolist() == [
        False,
        False,
        True,
        False,
    ]


def test_rounded_rows_are_judged_by_the_exact_ones() -> None:
    third = HPolytope.of_exact_rows([[-3, 1]], [3], 1, [False], ["a third"])  # x <= 1/3
    above = np.nextafter(1 / 3, 1)
    assert third.is_rounded
    assert third.b.tolist() == [1 / 3]
    assert third.contains([[1 / 3], [above]]).tolist() == [True, False]
    assert third.exact_rows == [[-3, 1]]


def test_one_point_or_none_may_be_asked_about() -> None:
    assert cube(2).contains([0.5, 0.5]).tolist() == [True]
    assert cube(2).contains(np.zeros((0, 2))).tolist() == []
    assert HPolytope(np.zeros((0, 2)), []).contains([[1e300, -1e300]]).tolist() == [True]


@pytest.mark.parametrize(
    "X", [[[np.nan, 0]], [[np.inf, 0]], [[0, 0, 0]], ["a", "b"]], ids=["nan", "inf", "shape", "text"]
)
def test_what_is_no_point_is_refused(X: Any) -> None:
    with pytest.raises(DomainError):
        cube(2).contains(X)


def test_an_interior_point_is_in_the_relative_interior() -> None:
    x = segment().interior_point()
    assert x[0] == x[1]
    assert 0 < x[0] < 1
    assert np.all(cross_polytope(3).b - cross_polytope(3).A @ cross_polytope(3).interior_point() > 0)


def test_rows_known_to_imply_the_others_give_the_same_polytope() -> None:
    rows = [[-1, 0, 1], [1, 0, 0], [0, -1, 1], [0, 1, 0], [1, 1, 5]]
    known, unknown = (
        HPolytope.of_exact_rows(rows, [1] * 5, 2, [False] * 5, list("abcde"), irredundant_among=among)
        for among in (range(4), None)
    )
    assert known.facets().tolist() == unknown.facets().tolist() == [0, 1, 2, 3]
    assert known.volume() == unknown.volume() == 1.0


# ---------------------------------------------------------------- scale and errors


@pytest.mark.parametrize("factor", [1e-12, 1e12, 1e-200, 1e200])
def test_rows_of_any_scale_are_the_same_polytope(factor: float) -> None:
    factors = np.array([factor, 1.0, 1 / factor, 1.0])
    polytope = HPolytope(cube(2).A * factors[:, None], cube(2).b * factors)
    assert polytope.facets().tolist() == [0, 1, 2, 3]
    assert polytope.volume() == pytest.approx(1.0)
    assert polytope.is_bounded()

    assert polytope.chebyshev()[1] == pytest.approx(0.5)


BAD: dict[str, tuple[tuple[Any, ...], str]] = {
    "one axis": (([1], [1]), r"A has shape \(1,\), expected two axes"),
    "text": (([["a"]], [1]), "not a rectangular array of numbers"),
    "ragged": (([[1], [1, 2]], [1, 1]), "not a rectangular array of numbers"),
    "complex": (([[1j]], [1]), "not a rectangular array of numbers"),
    "short b": (([[1], [1]], [1]), r"A has 2 rows, b has shape \(1,\)"),
    "two axes b": (([[1]], [[1]]), r"b has shape \(1, 1\)"),
    "short strict": (([[1]], [1], [True, False]), "1 rows"),
    "short labels": (([[1]], [1], None, ["a", "b"]), "1 rows"),
    "nan": (([[1], [np.nan]], [1, 1]), "row 1: .*expected finite"),
    "inf": (([[1]], [np.inf]), "row 0: .*expected finite"),
    # Fail: a plain ValueError of numpy; a ComplexWarning and the imaginary part is dropped.
    "text b": (([[1]], ["a"]), "b"),
    "ragged b": (([[1]], [[1], [1, 2]]), "b"),
    "complex array": ((np.array([[1j]]), [1]), "numbers"),
    "complex b": (([[1]], np.array([1j])), "b"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_makes_no_polytope_is_refused(case: str) -> None:
    arguments, message = BAD[case]
    with pytest.raises(DomainError, match=message):
        HPolytope(*arguments)
