"""Queries against brute force over all regions, theorems, second solvers and exact ties."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
import polyregions as pr
from polyregions import Box, HPolytope, Network
from polyregions.errors import DomainError, InputError, OptionError
from polyregions.exact.projection import nearest_point
from random_networks import network_of, networks
from randoms import float_layers, generator, integer_layers

MOONS = Box([-2, -1.5], [3, 2])
ABS = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])], name="abs")
NORMS = ("l1", "l2", "linf")


@pytest.fixture(scope="module")
def moons() -> pr.RegionSet:
    return pr.enumerate_regions(pr.load_network("example:two-moons"), MOONS)


@pytest.fixture(scope="module")
def cells(moons: pr.RegionSet) -> pr.DecisionCells:
    return pr.decision_cells(moons)


def random_network(seed: int) -> Network:
    rng = generator(seed)
    make = integer_layers if seed % 2 else float_layers
    return Network.from_layers(make(rng, [2, 5, 4, 2]))


# ---------------------------------------------------------------- extremes


@pytest.mark.parametrize("seed", range(6))
def test_bounds_from_vertices_and_from_linear_programs_give_the_same(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which regions are solved exactly depends on the bounds, what is found does not."""
    regions = pr.enumerate_regions(random_network(seed), Box([-1, -2], [2, 1]))
    by_vertices = [*pr.output_range(regions), pr.maximize(regions, [1, -2], [Fraction(1, 3), 1])]
    monkeypatch.setattr("polyregions.analysis.queries.at_vertices.region_vertices", lambda _: None)
    by_programs = [*pr.output_range(regions), pr.maximize(regions, [1, -2], [Fraction(1, 3), 1])]
    assert [(e.exact, e.value) for e in flat(by_vertices)] == [(e.exact, e.value) for e in flat(by_programs)]


@pytest.mark.parametrize("seed", range(6))
def test_parts_from_vertices_and_from_linear_programs_are_the_same(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which regions are looked at exactly depends on the bounds, what is found does not; also where sets only touch."""
    net = random_network(seed)
    regions = pr.enumerate_regions(net, Box([-1, -2], [2, 1]))
    (low, high), *_ = pr.output_range(regions)
    levels = [low.exact, high.exact, (low.exact + high.exact) / 2]
    wanted = HPolytope([[1, *[0] * (net.n_outputs - 1)]], [low.exact])

    def found() -> list[Any]:
        parts = [part for level in levels for part in pr.level_set(regions, level)]
        return [(p.region, p.dim, p.polytope.exact_rows) for p in [*parts, *pr.preimage(regions, wanted)]]

    by_vertices = found()
    monkeypatch.setattr("polyregions.analysis.queries.at_vertices.region_vertices", lambda _: None)
    assert by_vertices == found()
    assert {level for level in levels if pr.level_set(regions, level)} == set(levels)


def test_a_set_that_is_said_to_be_complete_and_is_not() -> None:
    """What the engine of cells finds is not that of the set: the optimum is still that of the regions in it."""
    net = Network.from_layers([([[1]], [0]), ([[1]], [0])])  # max(0, x)
    whole = pr.enumerate_regions(net, Box([-1], [1]))
    listing = replace(
        whole.listing, packed=whole.packed[:1], cuts=whole.packed_cuts[:1], points=whole.local_points[:1]
    )
    off = replace(whole, listing=listing)
    assert off.complete
    assert len(off) == 1
    assert pr.maximize(off, [1]).exact == 0
    assert pr.decision_cells(off, "sign").per_class() == {0: 1}


def flat(found: list[Any]) -> list[pr.Extreme]:
    """Extremes and pairs of them as one list."""
    return [e for item in found for e in (item if isinstance(item, tuple) else (item,))]


def vertex_values(regions: pr.RegionSet, a: Any, b: Any) -> Iterator[Fraction]:
    """``a . y + b . x`` at every vertex of every region, in rationals."""
    for region in regions:
        weight, bias = region.exact_affine_map.fractions()
        for x in region.polytope._generators.coordinates():
            y = [naive.dot(row, x) + c for row, c in zip(weight, bias, strict=True)]
            yield naive.dot(a, y) + naive.dot(b, x)


@pytest.mark.parametrize("seed", range(10))
def test_extremes_are_those_of_all_vertices(seed: int) -> None:
    regions = pr.enumerate_regions(random_network(seed), Box.cube(-1, 2, 2))
    a, b = [1, Fraction(-1, 3)], [Fraction(seed, 7), 0.5]
    values = list(vertex_values(regions, a, b))
    top, bottom = pr.maximize(regions, a, b), pr.minimize(regions, a, b)
    assert (top.exact, bottom.exact) == (max(values), min(values))
    for best in (top, bottom):
        layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in regions.network.layers]
        y = naive.forward(layers, best.point)
        assert naive.dot(a, y) + naive.dot(b, best.point) == best.exact
        assert best.value == float(best.exact)


def test_output_ranges_of_the_packaged_classifier(moons: pr.RegionSet) -> None:
    """No random point is beyond; the vertices are where the extremes are."""
    values = moons.network(generator(0).uniform(MOONS.lower, MOONS.upper, (20_000, 2)))
    for i, (low, high) in enumerate(pr.output_range(moons)):
        assert low.value < values[:, i].min() < values[:, i].max() < high.value
        assert high.exact == max(vertex_values(moons, np.eye(2, dtype=int)[i].tolist(), [0, 0]))


def test_extremes_over_one_class(cells: pr.DecisionCells) -> None:
    """Where class 0 wins, y_0 - y_1 is least on the decision boundary, where it is 0."""
    lead = pr.minimize(cells, [1, -1], label=0)
    assert lead.exact == 0
    assert cells.label[lead.piece] == 0
    assert pr.maximize(cells, [1, -1], label=1).exact == 0
    assert pr.maximize(cells, [1, -1], label=0).exact == pr.maximize(cells, [1, -1]).exact


def test_extremes_of_unbounded_domains() -> None:
    regions = pr.enumerate_regions(ABS, pr.WholeSpace(1))
    assert pr.minimize(regions, [1]).exact == 0
    top = pr.maximize(regions, [1])
    assert (top.value, top.exact) == (np.inf, None)
    assert pr.minimize(regions, [-1]).value == -np.inf
    assert pr.maximize(regions, [-1], [1]).exact == 0  # x - |x|


def test_extremes_on_a_lower_dimensional_domain() -> None:
    """|x| + |y| with y fixed at one third."""
    net = Network.from_layers([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1, 1, 1, 1]], [0])])
    line = pr.Slice([0, Fraction(1, 3)], [[1, 0]], Box([-1], [2]))
    ((low, high),) = pr.output_range(pr.enumerate_regions(net, line))
    assert (low.exact, high.exact) == (Fraction(1, 3), Fraction(7, 3))
    assert low.point == (0, Fraction(1, 3))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(layers=networks())
def test_ranges_are_met_and_never_passed(layers: Any) -> None:
    """By the naive search of all regions for a point beyond."""
    d = len(layers[0][0][0])
    regions = pr.enumerate_regions(network_of(layers), Box.cube(-1, 2, d))
    rows = naive.box([-1] * d, [2] * d)
    c = len(layers[-1][1])
    for i, (low, high) in enumerate(pr.output_range(regions)):
        assert low.exact is not None and high.exact is not None
        for sign, value in ((1, low.exact), (-1, -high.exact)):
            unit = [0] * d + [sign * int(i == j) for j in range(c)]
            assert naive.violation(layers, rows, [naive.make_row(unit, value, True)]) is None
            assert naive.violation(layers, rows, [naive.make_row(unit, value, False)]) is not None


# ---------------------------------------------------------------- convex programmes


def test_affine_objectives_agree_with_the_exact_ones() -> None:
    regions = pr.enumerate_regions(random_network(0), Box.cube(-1, 2, 2))
    cells = pr.decision_cells(regions)
    exact = pr.minimize(cells, [1, 0], [0, 2], label=1)
    found = pr.minimize_convex(cells, lambda x, y: y[0] + 2 * x[1], label=1)
    assert found.value == pytest.approx(exact.value, rel=1e-6)
    top = pr.maximize_concave(regions, lambda x, y: y[1] - x[0])
    assert top.value == pytest.approx(pr.maximize(regions, [0, 1], [-1, 0]).value, rel=1e-6)


def test_the_nearest_point_of_a_class_by_a_convex_programme(cells: pr.DecisionCells) -> None:
    x0 = np.array([0.3, 1.4])
    radius = pr.robustness_radius(cells, x0)
    found = pr.minimize_convex(cells, lambda x, y: cp.norm(x - x0, 2), label=radius.other)
    assert found.value == pytest.approx(radius.radius, abs=1e-6)
    assert found.solver


def test_objectives_that_are_not_convex_are_refused() -> None:
    regions = pr.enumerate_regions(ABS, Box([-1], [1]))
    with pytest.raises(OptionError, match="not convex"):
        pr.minimize_convex(regions, lambda x, y: -cp.sum_squares(x))
    with pytest.raises(OptionError, match="not concave"):
        pr.maximize_concave(regions, lambda x, y: cp.sum_squares(y))
    with pytest.raises(OptionError, match="could not solve"):
        pr.minimize_convex(regions, lambda x, y: cp.sum(x), solver="NONE")


def test_unbounded_programmes() -> None:
    regions = pr.enumerate_regions(ABS, pr.WholeSpace(1))
    assert pr.maximize_concave(regions, lambda x, y: y[0]).value == np.inf


def test_the_constraints_of_a_region_for_ones_own_programmes(moons: pr.RegionSet) -> None:
    region = moons[7]
    x = cp.Variable(2)
    cp.Problem(cp.Minimize(cp.sum_squares(x - region.point)), region.polytope.to_cvxpy(x)).solve()
    assert x.value == pytest.approx(region.point, abs=1e-4)


# ---------------------------------------------------------------- robustness


def clipped(polygon: np.ndarray, w: np.ndarray, b: float) -> np.ndarray:
    """The part of a convex polygon (n, 2) where ``w . x + b >= 0``, corner by corner."""
    kept = []
    values = polygon @ w + b
    for i in range(len(polygon)):
        p, q, f, g = polygon[i - 1], polygon[i], values[i - 1], values[i]
        if (f < 0) != (g < 0):
            kept.append(p + (q - p) * (f / (f - g)))
        if g >= 0:
            kept.append(q)
    return np.array(kept).reshape(-1, 2)


def segment_distances(x: np.ndarray, p: np.ndarray, q: np.ndarray, norm: str) -> np.ndarray:
    """Distances of a point from segments: piecewise smooth in the parameter t, least at an end, a kink or a zero."""
    v, u = q - p, p - x
    with np.errstate(all="ignore"):
        foot = -(u * v).sum(axis=1) / (v * v).sum(axis=1)
        kinks = [-u[:, 0] / v[:, 0], -u[:, 1] / v[:, 1]]
        kinks += [-(u[:, 0] - s * u[:, 1]) / (v[:, 0] - s * v[:, 1]) for s in (1, -1)]
    tries = [np.zeros(len(p)), np.ones(len(p)), foot, *kinks]
    order = {"l1": 1, "l2": 2, "linf": np.inf}[norm]
    t = np.clip(np.nan_to_num(np.array(tries)), 0, 1)
    return np.linalg.norm(u + t[:, :, None] * v, ord=order, axis=2).min(axis=0)


@pytest.fixture(scope="module")
def edges_of_the_other_class(moons: pr.RegionSet) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """For each class the edges of the parts of all regions where the other one scores at least as much."""
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    polygons = [(region.polytope.vertices(), *region.affine_map) for region in moons]
    for label in (0, 1):
        starts, ends = [], []
        for corners, weight, bias in polygons:
            other = 1 - label
            part = clipped(corners, weight[other] - weight[label], bias[other] - bias[label])
            starts.append(part)
            ends.append(np.roll(part, -1, axis=0))
        found[label] = np.concatenate(starts), np.concatenate(ends)
    return found


@pytest.mark.parametrize(
    "norm", ["l2", *(pytest.param(n, marks=pytest.mark.slow) for n in NORMS if n != "l2")]
)
def test_radii_of_50_points_agree_with_all_regions(
    norm: Any,
    moons: pr.RegionSet,
    cells: pr.DecisionCells,
    edges_of_the_other_class: dict[int, tuple[np.ndarray, np.ndarray]],
) -> None:
    X = generator(7).uniform(MOONS.lower, MOONS.upper, (50, 2))
    found = pr.robustness_radii(cells, X, norm)
    labels = moons.network(X).argmax(axis=1)
    assert [r.label for r in found] == labels.tolist()
    for x, radius in zip(X, found, strict=True):
        starts, ends = edges_of_the_other_class[radius.label]
        assert abs(radius.radius - segment_distances(x, starts, ends, norm).min()) < 1e-9


def test_l2_radii_of_50_points_agree_with_a_second_solver(cells: pr.DecisionCells) -> None:
    """Clarabel measures the same distance from the nearest cell; that none is nearer the test above shows."""
    X = generator(7).uniform(MOONS.lower, MOONS.upper, (50, 2))
    for x0, radius in zip(X, pr.robustness_radii(cells, X), strict=True):
        assert radius.cell is not None
        x = cp.Variable(2)
        programme = cp.Problem(cp.Minimize(cp.norm(x - x0, 2)), cells[radius.cell].polytope.to_cvxpy(x))
        value = programme.solve(solver=cp.CLARABEL)
        assert abs(value - radius.radius) < 1e-6


@pytest.mark.parametrize("norm", NORMS)
def test_the_nearest_point_is_on_the_boundary_at_that_distance(norm: Any, cells: pr.DecisionCells) -> None:
    """In rationals: the scores tie there, and the distance is the radius."""
    network = cells.regions.network
    layers = [(layer.weight.tolist(), layer.bias.tolist()) for layer in network.layers]
    for x in generator(3).uniform(MOONS.lower, MOONS.upper, (5, 2)):
        found = pr.robustness_radius(cells, x, norm)
        assert found.point is not None and found.exact is not None
        scores = naive.forward(layers, found.point)
        assert scores[0] == scores[1]
        gaps = [abs(p - Fraction(c)) for p, c in zip(found.point, x.tolist(), strict=True)]
        expected = {"l1": sum(gaps), "l2": sum(g * g for g in gaps), "linf": max(gaps)}[norm]
        assert found.exact == expected


@pytest.mark.parametrize(("norm", "radius"), [("l1", 1.0), ("l2", 1 / np.sqrt(2)), ("linf", 0.5)])
def test_a_radius_by_hand(norm: Any, radius: float) -> None:
    """relu(x) against relu(y) at (1, 0): the diagonal."""
    net = Network.from_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))])
    cells = pr.decision_cells(pr.enumerate_regions(net, Box.cube(-2, 2, 2)))
    found = pr.robustness_radius(cells, [1.0, 0.0], norm)
    assert found.radius == pytest.approx(radius, rel=1e-15)
    assert found.exact == {"l1": 1, "l2": Fraction(1, 2), "linf": Fraction(1, 2)}[norm]
    order = {"l1": 1, "l2": 2, "linf": np.inf}[norm]
    for other in (order, float(order), np.float32(order), str(order), norm.upper()):
        assert pr.robustness_radius(cells, [1.0, 0.0], other).exact == found.exact
    regions = cells.regions
    assert pr.lipschitz_constant(regions, order).value == pr.lipschitz_constant(regions, norm).value


def test_a_point_on_the_boundary_has_radius_zero() -> None:
    net = Network.from_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))])
    cells = pr.decision_cells(pr.enumerate_regions(net, Box.cube(-2, 2, 2)))
    assert pr.robustness_radius(cells, [1.0, 1.0]).radius == 0


def test_radii_in_three_dimensions_and_three_classes() -> None:
    """Against Clarabel on every decision cell of another class."""
    net = Network.from_layers(float_layers(generator(5), [3, 6, 3]))
    cells = pr.decision_cells(pr.enumerate_regions(net, Box.cube(-1, 1, 3)))
    for x0 in generator(6).uniform(-1, 1, (4, 3)):
        for norm, order in (("l1", 1), ("l2", 2), ("linf", "inf")):
            found = pr.robustness_radius(cells, x0, norm)  # type: ignore[arg-type]
            values = []
            for cell in cells:
                if cell.label != found.label:
                    x = cp.Variable(3)
                    goal = cp.Minimize(cp.norm(x - x0, order))
                    values.append(cp.Problem(goal, cell.polytope.to_cvxpy(x)).solve(solver=cp.CLARABEL))
            assert found.radius == pytest.approx(min(values), abs=1e-6)


def test_one_class_everywhere_has_no_radius() -> None:
    net = Network.from_layers([([[1], [-1]], [0, 0]), ([[0, 0], [1, 1]], [0, 1])])
    cells = pr.decision_cells(pr.enumerate_regions(net, Box([-1], [1])))
    found = pr.robustness_radius(cells, [0.5])
    assert (found.radius, found.exact, found.point, found.other) == (np.inf, None, None, None)


def test_a_fixed_input_does_not_move() -> None:
    net = Network.from_layers([(np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))])
    cells = pr.decision_cells(pr.enumerate_regions(net, Box([-2, 0.25], [2, 0.25])))
    found = pr.robustness_radius(cells, [1.0, 0.25])
    assert (found.exact, found.point) == (Fraction(9, 16), (Fraction(1, 4), Fraction(1, 4)))


def test_robustness_refuses(cells: pr.DecisionCells) -> None:
    with pytest.raises(DomainError, match="is not in the domain"):
        pr.robustness_radius(cells, [9.0, 0.0])
    for norm in (True, 3, 0, -np.inf, np.nan, None, "0", [2]):
        with pytest.raises(OptionError, match="norm .*, expected one of l1, l2, linf, or 1, 2 or inf"):
            pr.lipschitz_constant(cells, norm)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="norm 'l3'"):
        pr.robustness_radius(cells, [0.0, 0.0], "l3")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected 2 numbers"):
        pr.robustness_radius(cells, [0.0])
    with pytest.raises(InputError, match="expected DecisionCells"):
        pr.robustness_radius(cells.regions, [0.0, 0.0])  # type: ignore[arg-type]
    net = cells.regions.network
    diagonal = pr.Slice([0, 0], [[1, 1]], Box([-1], [1]))
    sliced = pr.decision_cells(pr.enumerate_regions(net, diagonal))
    with pytest.raises(DomainError, match="slice"):
        pr.robustness_radius(sliced, [0.5, 0.5])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_projections_satisfy_the_optimality_conditions(data: st.DataObject) -> None:
    """x is nearest iff no feasible point is in the open half-space beyond it, seen from the start."""
    k = data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.lists(st.integers(-3, 3), min_size=k + 1, max_size=k + 1), max_size=6))
    start = [Fraction(v, 2) for v in data.draw(st.lists(st.integers(-8, 8), min_size=k, max_size=k))]
    as_naive = [naive.make_row([-e for e in row[:k]], row[k], False) for row in rows]
    found = nearest_point(rows, start)
    if found is None:
        assert naive.find_point(as_naive, k) is None
        return
    assert all(naive.dot(row[:k], found) + row[k] >= 0 for row in rows)
    if found != start:
        away = [a - b for a, b in zip(found, start, strict=True)]
        nearer = naive.make_row(away, naive.dot(away, found), True)
        assert naive.find_point([*as_naive, nearer], k) is None


# ---------------------------------------------------------------- Lipschitz constants


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("norm", "order"), [("l1", 1), ("l2", 2), ("linf", np.inf)])
def test_lipschitz_constants_are_the_largest_norms(seed: int, norm: Any, order: float) -> None:
    regions = pr.enumerate_regions(random_network(seed), Box.cube(-1, 2, 2))
    found = pr.lipschitz_constant(regions, norm)
    norms = [float(np.linalg.norm(region.affine_map[0], ord=order)) for region in regions]
    assert found.value == pytest.approx(max(norms), rel=1e-9)
    assert found.value == pytest.approx(norms[found.piece], rel=1e-9)
    assert found.lower <= found.upper <= found.lower * (1 + Fraction(1, 2**36))
    assert (found.lower == found.upper) or norm == "l2"


def test_no_pair_of_points_is_stretched_more(moons: pr.RegionSet) -> None:
    rng = generator(0)
    X = rng.uniform(MOONS.lower, MOONS.upper, (5000, 2))
    Y = X + rng.normal(size=X.shape) * 1e-3
    for norm, order in (("l1", 1), ("l2", 2), ("linf", np.inf)):
        stretch = np.linalg.norm(moons.network(X) - moons.network(Y), ord=order, axis=1)
        stretch /= np.linalg.norm(X - Y, ord=order, axis=1)
        top = pr.lipschitz_constant(moons, norm).value  # type: ignore[arg-type]
        assert 0.9 * top < stretch.max() <= top * (1 + 1e-9)


def test_lipschitz_refuses() -> None:
    regions = pr.enumerate_regions(ABS, Box([-1], [1]))
    with pytest.raises(OptionError, match="norm 'max'"):
        pr.lipschitz_constant(regions, "max")  # type: ignore[arg-type]
    flat = pr.enumerate_regions(random_network(0), Box([0, 0], [0, 1]))
    with pytest.raises(InputError, match="lower-dimensional"):
        pr.lipschitz_constant(flat)


# ---------------------------------------------------------------- level sets, preimages, images


@pytest.mark.parametrize("seed", range(6))
def test_level_sets_are_where_segments_cross_the_level(seed: int) -> None:
    """Along random segments the output passes the level exactly where the pieces of the level set are."""
    net = random_network(seed)
    regions = pr.enumerate_regions(net, Box.cube(-1, 2, 2))
    level = float(np.median(net(regions.points)[:, 0])) + 1 / 64
    found = pr.level_set(regions, level)
    for piece in found:
        corners = piece.polytope.vertices()
        assert net(corners)[:, 0] == pytest.approx(level, abs=1e-9)
        assert piece.dim == 1
    ends = generator(seed).uniform(-1, 2, (40, 2, 2))
    for a, b in ends:
        crossings = _crossings(net, level, a, b)
        met = [p for piece in found for p in _meetings(piece.polytope.vertices(), a, b)]
        assert len({round(t, 7) for t in met}) == len(crossings)
        assert sorted({round(t, 7) for t in met}) == pytest.approx(crossings, abs=1e-5)


def _crossings(net: Network, level: float, a: np.ndarray, b: np.ndarray) -> list[float]:
    """Where the output along a segment passes the level, by the package's exact pieces along lines."""
    pieces = pr.along_segment(net, a, b)
    knots = np.array([float(t) for t in pieces.breakpoints])
    values = net(a + knots[:, None] * (b - a))[:, 0] - level
    found = []
    for s, t, f, g in zip(knots, knots[1:], values, values[1:], strict=False):
        if (f < 0) != (g < 0):
            found.append(s + (t - s) * f / (f - g))
    return found


def _meetings(corners: np.ndarray, a: np.ndarray, b: np.ndarray) -> list[float]:
    """The parameter on the segment a b where it meets the segment between two corners."""
    if len(corners) < 2:
        return []
    p, q = corners[0], corners[-1]
    matrix = np.column_stack([b - a, p - q])
    if abs(np.linalg.det(matrix)) < 1e-14:
        return []
    t, s = np.linalg.solve(matrix, p - a)
    return [float(t)] if 0 <= t <= 1 and -1e-12 <= s <= 1 + 1e-12 else []


def test_a_region_of_constant_output_belongs_to_the_level_set() -> None:
    net = Network.from_layers([([[1]], [0]), ([[1]], [0])])  # relu
    found = pr.level_set(pr.enumerate_regions(net, Box([-1], [1])), 0)
    assert [(piece.region, piece.dim) for piece in found] == [(0, 1), (1, 0)]


def test_a_level_that_is_touched_in_less_than_a_facet_has_one_thin_piece() -> None:
    net = Network.from_layers([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1, 1, 1, 1]], [0])])
    regions = pr.enumerate_regions(net, Box.cube(-1, 1, 2))
    assert [(piece.dim, piece.polytope.vertices().tolist()) for piece in pr.level_set(regions, 0)] == [
        (0, [[0, 0]])
    ]
    assert len(pr.level_set(regions, Fraction(1, 3))) == 4


@pytest.mark.parametrize("seed", range(6))
def test_preimages_hold_the_points_that_are_mapped_into_the_polytope(seed: int) -> None:
    net = random_network(seed)
    regions = pr.enumerate_regions(net, Box.cube(-1, 2, 2))
    target = HPolytope([[1, 0], [0, 1], [-1, -1]], [2, 1, 3])
    found = pr.preimage(regions, target)
    X = generator(seed).uniform(-1, 2, (400, 2))
    Y = net(X)
    clear = np.abs(Y @ target.A.T - target.b).min(axis=1) > 1e-9
    inside = np.zeros(len(X), dtype=bool)
    for piece in found:
        inside |= piece.polytope.contains(X)
    assert np.array_equal(inside[clear], target.contains(Y)[clear])


def test_preimages_of_everything_and_nothing() -> None:
    regions = pr.enumerate_regions(random_network(2), Box.cube(-1, 2, 2))
    everything = pr.preimage(regions, HPolytope([[1, 0]], [1e6]))
    assert [piece.region for piece in everything] == list(range(len(regions)))
    assert sum(piece.polytope.volume() for piece in everything) == pytest.approx(9, rel=1e-9)
    assert pr.preimage(regions, HPolytope([[1, 0]], [-1e6])) == ()


@pytest.mark.parametrize("seed", range(6))
def test_images_are_hulls_of_what_vertices_become(seed: int) -> None:
    """Random points of a region are mapped into the hull of its piece, and its points come from vertices."""
    net = random_network(seed)
    regions = pr.enumerate_regions(net, Box.cube(-1, 2, 2))
    for region, piece in zip(regions, pr.image(regions), strict=True):
        corners = {tuple(np.round(y, 9)) for y in net(region.polytope.vertices()) + 0.0}
        assert {tuple(np.round(y, 9)) for y in piece.points + 0.0} == corners
        for y in net(region.polytope.random_points(3, rng=0)):
            shares = cp.Variable(len(piece.points), nonneg=True)
            gap = cp.norm(piece.points.T @ shares - y, 1)
            assert cp.Problem(cp.Minimize(gap), [cp.sum(shares) == 1]).solve(solver=cp.CLARABEL) < 1e-6


def test_images_of_unbounded_regions_have_rays() -> None:
    left, right = pr.image(pr.enumerate_regions(ABS, pr.WholeSpace(1)))
    for piece in (left, right):
        assert piece.points.tolist() == [[0.0]]
        assert np.sign(piece.rays).tolist() == [[1.0]]
    (whole,) = pr.image(pr.enumerate_regions(Network.from_layers([([[2]], [1])]), pr.WholeSpace(1)))
    assert (len(whole.lines), len(whole.rays)) == (1, 0)


# ---------------------------------------------------------------- bad input


def test_partial_sets_are_refused(moons: pr.RegionSet) -> None:
    some = pr.enumerate_regions(moons.network, MOONS, max_regions=5)
    for ask in (pr.output_range, pr.lipschitz_constant, pr.image, lambda r: pr.level_set(r, 0)):
        with pytest.raises(InputError, match="expected a complete set"):
            ask(some)


def test_what_is_no_question_is_refused(moons: pr.RegionSet) -> None:
    with pytest.raises(InputError, match="3 coefficients of outputs, expected 2"):
        pr.maximize(moons, [1, 2, 3])
    with pytest.raises(InputError, match="are not 2 finite numbers"):
        pr.maximize(moons, [1, float("nan")])
    with pytest.raises(InputError, match="expected a RegionSet or DecisionCells"):
        pr.maximize(3, [1])  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="no decision cells"):
        pr.maximize(moons, [1, 2], label=0)
    with pytest.raises(InputError, match="no region or cell"):
        pr.maximize(pr.decision_cells(moons), [1, 2], label=9)
    with pytest.raises(InputError, match="expected one of 0 to 1"):
        pr.level_set(moons, 0, output=2)
    with pytest.raises(InputError, match="not a finite number"):
        pr.level_set(moons, "x")
    with pytest.raises(InputError, match="expected an HPolytope in R"):
        pr.preimage(moons, HPolytope([[1]], [1]))


# ---------------------------------------------------------------- one class, or none but one


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("domain", [pr.WholeSpace(2), Box.cube(-1, 1, 2), Box([0, 0], [0, 0])])
@pytest.mark.parametrize(
    "layer",
    [([[1, 0]], [0]), ([[0, 0], [0, 0]], [1, 0]), ([[1, 0], [1, 0]], [0, 0])],  # one output, constant, equal
)
def test_no_other_class_is_infinitely_far(layer: Any, domain: Any, norm: Any) -> None:
    cells = pr.decision_cells(pr.enumerate_regions(Network.from_layers([layer]), domain), "argmax")
    found = pr.robustness_radius(cells, [0, 0], norm)
    assert (found.radius, found.exact, found.point, found.other) == (np.inf, None, None, None)


@pytest.mark.parametrize("norm", NORMS)
def test_a_point_on_the_boundary_is_at_distance_zero(norm: Any) -> None:
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0])])
    for cells in (
        pr.decision_cells(pr.enumerate_regions(net, d)) for d in (pr.WholeSpace(2), Box.cube(-1, 1, 2))
    ):
        assert pr.robustness_radius(cells, [0.5, 0.5], norm).exact == 0
        assert pr.robustness_radius(cells, [0.5, 0.25], norm).exact == {
            "l1": Fraction(1, 4),
            "l2": Fraction(1, 32),
        }.get(norm, Fraction(1, 8))


# ---------------------------------------------------------------- thin level sets

SUM = Network.from_layers([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1, 1, 1, 1]], [0])])  # |x| + |y|


@pytest.mark.parametrize(
    "domain", [Box.cube(-1, 1, 2), pr.WholeSpace(2), Box([0, 0], [1, 1]), Box([-1, 0], [1, 1])]
)
def test_a_level_met_in_one_point_is_that_point(domain: Any) -> None:
    """The least value of |x| + |y|, inside the domain, on an edge or at a corner of it."""
    regions = pr.enumerate_regions(SUM, domain)
    (piece,) = pr.level_set(regions, 0)
    assert (piece.dim, piece.polytope.vertices().tolist()) == (0, [[0, 0]])
    (corner, *_) = pr.preimage(regions, HPolytope([[1], [-1]], [0, 0]))
    assert corner.polytope.vertices().tolist() == [[0, 0]]


def test_a_level_met_in_a_line_of_space_is_there_once() -> None:
    """|x| + |y| in R^3 is 0 on the axis."""
    net = Network.from_layers([([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], [0] * 4), ([[1] * 4], [0])])
    (piece,) = pr.level_set(pr.enumerate_regions(net, Box.cube(-1, 1, 3)), 0)
    assert piece.dim == 1
    assert sorted(piece.polytope.vertices().tolist()) == [[0, 0, -1], [0, 0, 1]]


def test_the_end_of_a_curve_is_no_part_of_its_own() -> None:
    """relu(x) + |y| is 0 on half an axis, whose end the regions beyond touch: that is no part of its own."""
    net = Network.from_layers([([[1, 0], [0, 1], [0, -1]], [0] * 3), ([[1, 1, 1]], [0])])  # relu(x) + |y|
    found = pr.level_set(pr.enumerate_regions(net, Box.cube(-1, 1, 2)), 0)
    assert [piece.dim for piece in found] == [
        1,
        1,
    ]  # once for each side of the axis, the origin being an end of it
    assert all(sorted(p.polytope.vertices().tolist()) == [[-1, 0], [0, 0]] for p in found)


def test_cvxpy_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box(0, 0.1, dim=2))
    monkeypatch.setitem(sys.modules, "cvxpy", None)  # as if it were not installed
    with pytest.raises(pr.errors.MissingExtraError, match=r'pip install "polyregions\[convex\]"'):
        pr.minimize_convex(regions, lambda x, y: x)
    with pytest.raises(pr.errors.MissingExtraError, match="a convex programme needs cvxpy"):
        regions[0].polytope.to_cvxpy(None)
