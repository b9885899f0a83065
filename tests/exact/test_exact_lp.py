"""Exact linear programs and interior points: every answer carries a proof, and the proof is checked here."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

import naive
from polyregions.exact.interior import find_interior, proves_empty
from polyregions.exact.lp import LPStatus, Optimum, maximise
from randoms import fractions, generator, integer_rows, integers, rational_point, value

Rows = list[list[int]]
SEEDS = range(25)


def combination(rows: Rows, multipliers: dict[int, Fraction]) -> list[Fraction]:
    n_columns = len(rows[0])
    return [sum((y * rows[i][j] for i, y in multipliers.items()), Fraction(0)) for j in range(n_columns)]


def assert_optimal(rows: Rows, objective: list[int], found: Optimum) -> None:
    """The Karush-Kuhn-Tucker conditions, which prove the optimum."""
    assert found.status is LPStatus.OPTIMAL
    assert all(value(row, found.point) >= 0 for row in rows)
    assert all(y > 0 and value(rows[i], found.point) == 0 for i, y in found.multipliers.items())
    total = combination([*rows, [0] * (len(objective) + 1)], found.multipliers)
    assert [c + t for c, t in zip(objective, total, strict=False)] == [0] * len(objective)


def assert_carver(rows: Rows, multipliers: dict[int, Fraction]) -> Fraction:
    """Carver's certificate that no x has row . [x, 1] > 0 for all rows; gives ``sum y b``."""
    assert multipliers
    assert all(y > 0 for y in multipliers.values())
    *normal, constant = combination(rows, multipliers)
    assert not any(normal)
    assert constant <= 0
    return constant


def is_inside(rows: Rows, point: Sequence[Fraction]) -> bool:
    return all(value(row, point) > 0 for row in rows)


def box_rows(k: int, most: int) -> Rows:
    units = [[int(i == j) for j in range(k)] for i in range(k)]
    return [[s * u for u in unit] + [most] for unit in units for s in (1, -1)]


def around(rng: np.random.Generator, m: int, k: int, point: Sequence[int], slack: int) -> Rows:
    """Rows that the point satisfies, many of them with equality."""
    normals = integer_rows(rng, m, k)
    gaps = [abs(v) if v > 0 else 0 for v in integers(rng, m, slack)]
    return [
        [*a, g - sum(p * q for p, q in zip(a, point, strict=True))]
        for a, g in zip(normals, gaps, strict=True)
    ]


# ---------------------------------------------------------------- maximise


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bounded_program_ends_at_a_proved_optimum_that_linprog_finds_too(seed: int) -> None:
    rng = generator(seed)
    k = int(rng.integers(1, 5))
    start = integers(rng, k)
    rows = around(rng, 8, k, start, 2) + box_rows(k, 5)
    objective = integers(rng, k, 5)
    found = maximise(rows, objective, fractions(start))
    assert_optimal(rows, objective, found)
    table = np.array(rows, dtype=float)
    twin = linprog(-np.array(objective), A_ub=-table[:, :-1], b_ub=table[:, -1], bounds=(None, None))
    best = sum(c * p for c, p in zip(objective, found.point, strict=True))
    assert float(best) == pytest.approx(-twin.fun, abs=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_optimal_value_does_not_depend_on_the_start(seed: int) -> None:
    rng = generator(seed)
    rows = around(rng, 6, 3, [0, 0, 0], 2) + box_rows(3, 2)
    objective = integers(rng, 3)
    first = maximise(rows, objective, fractions([0, 0, 0]))
    other = [p / 3 for p in first.point]  # between the start and the optimum, so feasible
    again = maximise(rows, objective, other)
    assert_optimal(rows, objective, again)
    assert value([*objective, 0], again.point) == value([*objective, 0], first.point)


CYCLING: dict[str, tuple[Rows, list[int], list[Fraction]]] = {
    # variables >= 0, rows A x <= b, all scaled to integers; the textbook rules cycle at the origin
    "Beale 1955": (
        [[-25, 6000, 4, -900, 0], [-50, 9000, 2, -300, 0], [0, 0, -1, 0, 1]],
        [75, -15000, 2, -600],
        [Fraction(1, 25), Fraction(0), Fraction(1), Fraction(0)],
    ),
    "Chvatal 1983": (
        [[-1, 11, 5, -18, 0], [-1, 3, 1, -2, 0], [-1, 0, 0, 0, 1]],
        [10, -57, -9, -24],
        [Fraction(1), Fraction(0), Fraction(1), Fraction(0)],
    ),
    "Dantzig 1963": (
        [[-1, 32, 4, -36, 0], [-1, 24, 1, -6, 0], [0, 0, -1, 0, 1]],
        [3, -80, 2, -24],
        [Fraction(1), Fraction(0), Fraction(1), Fraction(0)],
    ),
}


@pytest.mark.parametrize("name", CYCLING)
def test_programs_that_make_textbook_rules_cycle(name: str) -> None:
    cuts, objective, solution = CYCLING[name]
    rows = [[int(i == j) for j in range(5)] for i in range(4)] + cuts
    found = maximise(rows, objective, fractions([0] * 4))
    assert_optimal(rows, objective, found)
    assert found.point == solution


@pytest.mark.parametrize("seed", SEEDS)
def test_a_vertex_on_many_rows_is_left_or_proved_optimal(seed: int) -> None:
    rng = generator(seed)
    k = int(rng.integers(2, 5))
    rows = [[*normal, 0] for normal in integer_rows(rng, 12, k, 2)] + box_rows(k, 1)
    objective = integers(rng, k)
    assert_optimal(rows, objective, maximise(rows, objective, fractions([0] * k)))


@pytest.mark.parametrize("seed", SEEDS)
def test_unbounded_programs_are_told_from_bounded_ones(seed: int) -> None:
    rng = generator(seed)
    rows = around(rng, 3, 3, [0, 0, 0], 3)
    objective = integers(rng, 3)
    found = maximise(rows, objective, fractions([0, 0, 0]))
    # Bounded iff objective + sum y a = 0 for some y >= 0 (Farkas), asked of a twin in exact rationals.
    n = len(rows)
    columns = [[row[j] for row in rows] for j in range(3)]
    dual = [naive.make_row(column, -c, strict=False) for column, c in zip(columns, objective, strict=True)]
    dual += [
        naive.make_row([-v for v in column], c, strict=False)
        for column, c in zip(columns, objective, strict=True)
    ]
    dual += [naive.make_row([-int(i == j) for j in range(n)], 0, strict=False) for i in range(n)]
    if naive.find_point(dual, n) is None:
        assert found.status is LPStatus.UNBOUNDED
        assert all(value(row, found.point) >= 0 for row in rows)
    else:
        assert_optimal(rows, objective, found)


def test_a_strip_has_no_vertex_and_still_an_optimum() -> None:
    strip = [[1, 0, 0], [-1, 0, 1]]
    found = maximise(strip, [1, 0], [Fraction(1, 2), Fraction(7)])
    assert_optimal(strip, [1, 0], found)
    assert found.point == [1, 7]
    assert maximise(strip, [1, 1], fractions([0, 0])).status is LPStatus.UNBOUNDED
    assert maximise(strip, [0, -1], fractions([0, 0])).status is LPStatus.UNBOUNDED


def test_without_rows_only_nothing_is_optimal() -> None:
    assert maximise([], [0, 0], fractions([3, 4])).point == [3, 4]
    assert maximise([], [0, 0], fractions([3, 4])).status is LPStatus.OPTIMAL
    assert maximise([], [1, 0], fractions([3, 4])).status is LPStatus.UNBOUNDED


def test_no_variables() -> None:
    assert maximise([[1], [0]], [], []) == Optimum(LPStatus.OPTIMAL, [], {})


def test_the_caller_can_stop_at_a_point() -> None:
    rows = box_rows(2, 1)
    seen: list[list[Fraction]] = []

    def stop(point: list[Fraction]) -> bool:
        seen.append(point)
        return point[0] > 0

    found = maximise(rows, [1, 1], fractions([0, 0]), stop)
    assert found.status is LPStatus.STOPPED
    assert found.point == seen[-1]
    assert found.point[0] > 0
    assert all(point[0] <= 0 for point in seen[:-1])


def test_coefficients_of_any_size_are_exact() -> None:
    huge = 10**40
    rows = [[1, 0], [-huge, huge + 1]]
    found = maximise(rows, [1], [Fraction(0)])
    assert_optimal(rows, [1], found)
    assert found.point == [1 + Fraction(1, huge)]


# ---------------------------------------------------------------- find_interior


@pytest.mark.parametrize("seed", range(60))
def test_an_interior_point_or_a_certificate_and_the_twin_agrees(seed: int) -> None:
    rng = generator(seed)
    k, m = int(rng.integers(1, 4)), int(rng.integers(1, 8))
    rows = integer_rows(rng, m, k + 1, 2)
    found = find_interior(rows, rational_point(rng, k))
    if found.point is not None:
        assert is_inside(rows, found.point.coordinates)
        assert found.multipliers == {}
    else:
        total = assert_carver(rows, found.multipliers)
        assert found.slack == total / sum(found.multipliers.values())
    strict = [naive.make_row([-v for v in row[:-1]], row[-1], strict=True) for row in rows]
    assert (naive.find_point(strict, k) is None) == (found.point is None)


@pytest.mark.parametrize("seed", SEEDS)
def test_where_linprog_is_clear_it_says_the_same(seed: int) -> None:
    rng = generator(seed)
    rows = integer_rows(rng, 12, 5, 9) + box_rows(4, 3)
    table = np.array(rows, dtype=float)
    A = np.column_stack([-table[:, :-1], np.ones(len(rows))])
    margin = -linprog([0] * 4 + [-1], A_ub=A, b_ub=table[:, -1], bounds=(None, None)).fun
    assert abs(margin) > 1e-6  # clear for every one of these seeds
    assert (find_interior(rows, fractions([0] * 4)).point is not None) == (margin > 0)


@pytest.mark.parametrize("seed", SEEDS)
def test_closed_sets_that_touch_have_slack_zero(seed: int) -> None:
    rng = generator(seed)
    k = int(rng.integers(1, 4))
    p = integers(rng, k)
    normal = [integers(rng, k)[0] or 1, *integers(rng, k - 1)]
    at = sum(a * b for a, b in zip(normal, p, strict=True))
    rows = [[*normal, -at], [*(-3 * v for v in normal), 3 * at]] + around(rng, 4, k, p, 2)
    found = find_interior(rows, fractions(p))
    assert found.point is None and found.slack == 0
    assert assert_carver(rows, found.multipliers) == 0


def test_sets_apart_have_negative_slack() -> None:
    found = find_interior([[1, 0], [-1, -1]], [Fraction(0)])
    assert (found.point, found.slack) == (None, Fraction(-1, 2))


@pytest.mark.parametrize("hint", [Fraction(1), Fraction(-(10**30)), 1 + Fraction(1, 2**53), Fraction(1, 3)])
def test_a_sliver_without_floats_gives_a_rational_point(hint: Fraction) -> None:
    rows = [[1, -1], [-(2**52), 2**52 + 1]]  # 1 < x < 1 + 2**-52
    point = find_interior(rows, [hint]).point
    assert point is not None
    assert 1 < point.coordinates[0] < 1 + Fraction(1, 2**52)
    assert not point.is_float64


@pytest.mark.parametrize("hint", [1, 0, 10**30])
def test_a_sliver_with_one_float_gives_that_float(hint: int) -> None:
    rows = [[1, -1], [-(2**51), 2**51 + 1]]  # 1 < x < 1 + 2**-51
    point = find_interior(rows, [Fraction(hint)]).point
    assert point is not None
    assert is_inside(rows, point.coordinates)
    assert point.is_float64
    assert point.approx.tolist() == [1 + 2**-52]


def test_slivers_in_more_dimensions() -> None:
    thin = 10**30
    rows = [[thin, -thin, thin, -1], [-thin, thin, -thin, 2], *box_rows(3, 1)]  # 1 < thin (x - y + z) < 2
    point = find_interior(rows, fractions([0, 0, 0])).point
    assert point is not None
    assert is_inside(rows, point.coordinates)


@pytest.mark.parametrize(
    ("rows", "empty"),
    [
        ([], False),
        ([[0, 0, 1]], False),
        ([[0, 0, 0]], True),
        ([[0, 0, -1]], True),
        ([[0, 0, 1], [1, 0, 0]], False),
        ([[0, 0, 0], [1, 0, 0]], True),
        ([[1, 0, 0], [-1, 0, 1]], False),
        ([[1, 0, 0], [-1, 0, 0]], True),
        ([[1, 1, 0], [1, -1, 0], [-1, 0, 0]], True),
    ],
)
def test_constant_rows_lines_and_cones(rows: Rows, empty: bool) -> None:
    found = find_interior(rows, fractions([0, 0]))
    assert (found.point is None) == empty
    if empty:
        assert_carver(rows, found.multipliers)
    elif found.point is not None:
        assert is_inside(rows, found.point.coordinates)


@pytest.mark.parametrize(("rows", "empty"), [([], False), ([[1]], False), ([[0]], True), ([[2], [-1]], True)])
def test_the_space_of_no_dimensions(rows: Rows, empty: bool) -> None:
    assert (find_interior(rows, []).point is None) == empty


def test_a_set_that_lies_beyond_float64_has_a_rational_point() -> None:
    rows = [[1, -(10**400)]]
    point = find_interior(rows, [Fraction(0)]).point
    assert point is not None
    assert is_inside(rows, point.coordinates)


# ---------------------------------------------------------------- proves_empty


@pytest.mark.parametrize("seed", range(40))
def test_multipliers_on_a_support_prove_emptiness_or_are_not_given(seed: int) -> None:
    rng = generator(seed)
    k = int(rng.integers(1, 4))
    rows = integer_rows(rng, 6, k + 1, 2)
    support = sorted(int(i) for i in rng.choice(6, size=k + 1, replace=False))
    multipliers = proves_empty(rows, support)
    if multipliers is not None:
        assert set(multipliers) <= set(support)
        assert_carver(rows, multipliers)


@pytest.mark.parametrize("seed", range(40))
def test_the_support_of_a_certificate_is_enough_when_it_is_minimal(seed: int) -> None:
    rng = generator(seed)
    rows = integer_rows(rng, 9, 3, 2)
    found = find_interior(rows, fractions([0, 0])).multipliers
    minimal = naive.rank([rows[i][:-1] for i in found]) == len(found) - 1
    if found and minimal:
        multipliers = proves_empty(rows, sorted(found))
        assert multipliers is not None
        assert_carver(rows, multipliers)


def test_a_support_that_proves_nothing_is_turned_down() -> None:
    rows = [[1, 0, 1], [-1, 0, 0], [0, 1, 0], [0, -1, -1], [2, 0, -1], [0, 0, -1]]
    assert proves_empty(rows, []) is None
    assert proves_empty(rows, [0]) is None  # one row
    assert proves_empty(rows, [0, 2]) is None  # independent
    assert proves_empty(rows, [0, 1]) is None  # opposite, and a strip between them
    assert proves_empty(rows, [0, 4]) is None  # the same way
    assert proves_empty(rows, [0, 1, 2, 3]) is None  # more than one relation
    assert proves_empty(rows, [2, 3]) == {2: Fraction(1), 3: Fraction(1)}
    assert proves_empty(rows, [5]) == {5: Fraction(1)}
