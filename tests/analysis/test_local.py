"""The region at a point, and the regions around it: against the brute-force twin and the full enumeration."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import naive
import naive_local
import polyregions as pr
from polyregions.analysis.local.ball import BallReferee
from polyregions.analysis.local.distance import Steps, lower_bound, shortest_step
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron
from problems import PROBLEMS
from randoms import generator, integer_layers, random_layers, rational_point

HALF = Fraction(1, 2)
NORMS = ["l1", "l2", "linf"]
LAYERS: dict[str, Any] = {
    "quadrants": [([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])],
    "equal and opposite": [([[1, 0], [2, 0], [-1, 0], [0, 1]], [0, 0, 0, 1]), ([[1, 1, -1, 1]], [0])],
    "dead": [([[1, 1], [0, 0], [0, 0]], [0, -1, 0]), ([[1, 1, 1], [0, 1, 1]], [0, 0]), ([[1, 1]], [0])],
    "silent behind": [([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [1, -1]], [0, 0]), ([[1, 1]], [0])],
    "zero biases": [
        ([[1, 2], [2, -1], [1, 1]], [0, 0, 0]),
        ([[1, -1, 1], [1, 1, -1]], [0, 0]),
        ([[1, 1]], [0]),
    ],
    **{f"integers {seed}": integer_layers(generator(seed), (2, 3, 2, 2)) for seed in range(6)},
    **{f"space {seed}": integer_layers(generator(20 + seed), (3, 3, 1)) for seed in range(3)},
    "floats": random_layers(5, 2, 4, 2, 2),
}


def patterns_of(regions: Any) -> list[tuple[int, ...]]:
    return [tuple(int(bit) for bit in region.pattern) for region in regions]


def twin(name: str) -> tuple[Any, Any, pr.Network, pr.Box]:
    layers, d = LAYERS[name], len(LAYERS[name][0][0][0])
    return layers, naive.box([-2] * d, [2] * d), pr.Network.from_layers(layers), pr.Box(-2, 2, dim=d)


def points(name: str, count: int) -> list[list[Fraction]]:
    """Some on hyperplanes and vertices, as the lattice is coarse."""
    d, rng = len(LAYERS[name][0][0][0]), generator(len(name))
    return [[Fraction(0)] * d, *(rational_point(rng, d, 4, 2) for _ in range(count))]


@pytest.mark.parametrize("name", LAYERS)
def test_hops_are_those_of_the_twins_graph(name: str) -> None:
    layers, domain, net, box = twin(name)
    edges, everything = naive.edges(layers, domain), naive.regions(layers, domain)
    for x in points(name, 2):
        for hops in (0, 1, 2, 30):
            found = pr.neighbourhood(net, x, hops=hops, domain=box)
            here = patterns_of(found)
            assert found.complete and here == sorted(here)
            start = here[found.centre]
            rows = naive.pattern_rows(layers, start, domain)
            assert all(naive.dot(row.a, x) <= row.c for row in rows)  # its closure holds x
            assert dict(zip(here, found.hops.tolist(), strict=True)) == naive_local.within_hops(
                edges, start, hops
            )
        assert here == everything


LONG_RUN = {"space 1", "space 2", "integers 2", "integers 3"}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in LONG_RUN else []) for name in LAYERS]
)
def test_a_ball_meets_the_regions_that_it_meets_for_the_twin(name: str, norm: Any) -> None:
    layers, domain, net, box = twin(name)
    rows = {p: naive.closed(naive.pattern_rows(layers, p, domain)) for p in naive.regions(layers, domain)}
    for x in points(name, 3):
        for radius in (Fraction(1, 4), HALF, Fraction(1), Fraction(3, 2)):
            found = pr.neighbourhood(net, x, radius=radius, norm=norm, domain=box)
            assert found.complete
            assert set(patterns_of(found)) == naive_local.in_ball(rows, x, radius, norm)
            for region, point in zip(found, found.regions.points.tolist(), strict=True):
                gaps = [abs(Fraction(p) - c) for p, c in zip(point, x, strict=True)]
                size = {"l1": sum(gaps), "linf": max(gaps), "l2": sum(g * g for g in gaps)}[norm]
                if region.place not in found.regions.rational_points:
                    assert size < (radius**2 if norm == "l2" else radius)
                    assert naive.pattern_at(layers, point) == tuple(int(b) for b in region.pattern)


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("name", ["equal and opposite", "integers 0", "integers 5", "space 0"])
def test_rationals_alone_say_the_same(name: str, norm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, net, box = twin(name)
    x = points(name, 1)[1]
    with_floats = pr.neighbourhood(net, x, radius=1, norm=norm, domain=box)
    monkeypatch.setattr(BallReferee, "_by_floats", lambda *_: (False, None))
    assert patterns_of(pr.neighbourhood(net, x, radius=1, norm=norm, domain=box)) == patterns_of(with_floats)


@pytest.mark.parametrize("norm", ["l1", "l2"])
@pytest.mark.parametrize("seed", range(6))
def test_a_bound_is_never_above_the_distance_and_the_best_is_close(seed: int, norm: Any) -> None:
    """In a box with walls beside the point, for multipliers good and bad; the twin's distances are the truth."""
    rng = generator(seed)
    inside = [Fraction(int(v), 4) for v in rng.integers([1, -3], [12, 16])]
    normals = [[int(v) for v in rng.integers(1, 5, 2) * rng.choice([-1, 1], 2)] for _ in range(3)]
    rows = [naive.make_row(a, naive.dot(a, inside) + Fraction(1, 4), False) for a in normals]
    low, high = np.array([0.0, -1.0]), np.array([3.0, 4.0])
    closed = [*rows, *(naive.make_row(a, c, False) for a, c in naive.box([0, -1], [3, 4]))]
    forms = [Form(np.array([*(-v for v in r.a), r.c], dtype=float), np.zeros(3), lambda: []) for r in rows]
    polyhedron, x = OpenPolyhedron.of(forms, 2), np.zeros(2)
    steps = Steps.within(Bounds(low, high), x)
    exact = naive_local.distance(closed, [Fraction(0)] * 2, norm)
    z, best = shortest_step(polyhedron.rows[:, :-1], -polyhedron.rows[:, -1], steps, norm)
    for y in (best, *(rng.uniform(size=len(rows)) for _ in range(5))):
        assert lower_bound(polyhedron, x, steps, y, norm) <= exact * (1 + 1e-15)
    assert lower_bound(polyhedron, x, steps, best, norm) == pytest.approx(exact, rel=1e-5)
    assert np.linalg.norm(z, 1 if norm == "l1" else 2) == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_a_region_that_only_touches_the_ball_does_not_count(norm: Any) -> None:
    net = pr.Network.from_layers([([[1, 0], [1, 1]], [0, 0]), ([[1, 1]], [0])])
    tiny = Fraction(1, 10**40)
    for radius, patterns in ((1, ["11"]), (1 + tiny, ["01", "11"])):
        found = pr.neighbourhood(net, [1, 5], radius=radius, norm=norm)
        assert [f"{r.pattern[0]:d}{r.pattern[1]:d}" for r in found] == patterns


@pytest.mark.parametrize("name", PROBLEMS)
def test_all_hops_give_the_full_enumeration(name: str) -> None:
    net, domain = PROBLEMS[name]
    regions = pr.enumerate_regions(net, domain, workers=1)
    x = [HALF, 1, -HALF]
    found = pr.neighbourhood(net, x, hops=1000, domain=domain)
    assert np.array_equal(found.regions.patterns, regions.patterns)
    offsets, beside = pr.adjacency_arrays(regions).neighbours()
    here = pr.region_at(net, x, domain)
    i = regions.find(here.pattern)
    assert i is not None and regions.locate([x])[0] == i
    expected = [regions.patterns[j].tolist() for j in beside[offsets[i] : offsets[i + 1]]]
    assert sorted(facet.pattern.tolist() for facet in here.facets) == sorted(expected)
    near = pr.neighbourhood(net, x, hops=1, domain=domain)
    assert sorted(regions.find(r.pattern) or 0 for r in near) == sorted(
        [i, *beside[offsets[i] : offsets[i + 1]]]
    )


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_box_around_the_point_has_the_regions_that_enumerating_it_gives(name: str) -> None:
    net, domain = PROBLEMS[name]
    x, r = np.array([0.5, 1, -0.5]), 0.75
    box = pr.Box(x - r, x + r)
    if isinstance(domain, pr.Box):
        box = pr.Box(np.maximum(x - r, domain.lower), np.minimum(x + r, domain.upper))
    regions = pr.enumerate_regions(net, box, workers=1)
    found = pr.neighbourhood(net, x, radius=r, norm="linf", domain=domain)
    assert found.nearby.complete
    assert np.array_equal(found.nearby.patterns, regions.patterns)
    assert np.isclose(pr.region_volumes(found.nearby).sum(), pr.region_volumes(regions).sum(), rtol=1e-12)


def test_what_region_at_says_is_what_the_network_does() -> None:
    layers = random_layers(3, 3, 8, 6, 2)
    net = pr.Network.from_layers(layers)
    x = [0.25, -0.5, 1.0]
    here = pr.region_at(net, x)
    assert here.value == naive.forward(layers, x)
    assert tuple(int(b) for b in here.pattern) == naive.pattern_at(layers, x)
    assert here.label() == int(np.argmax(net([x])[0]))
    weight, bias = here.exact_affine_map.fractions()
    assert (
        tuple(naive.dot(row, [Fraction(c) for c in x]) + b for row, b in zip(weight, bias, strict=True))
        == here.value
    )
    rows = naive.pattern_rows(layers, tuple(int(b) for b in here.pattern), [])
    truth = [n for n, row in enumerate(rows) if _is_facet(rows, row)]
    assert sorted(n for facet in here.facets for n in facet.neurons) == truth
    assert len(here.neighbours) == len(truth) + 1
    assert here.polytope.facets().tolist() == truth  # no neuron is constant here, so rows are neurons


def _is_facet(rows: list[naive.Row], row: naive.Row) -> bool:
    others = [naive.Row(r.a, r.c, True) for r in rows if r != row]
    beyond = naive.Row(tuple(-v for v in row.a), -row.c, True)
    return naive.find_point([*others, beyond], len(row.a)) is not None


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("name", ["quadrants", "equal and opposite", "integers 1", "integers 4", "floats"])
def test_the_decision_cells_in_a_ball_are_those_that_meet_it(name: str, norm: Any) -> None:
    layers, domain, net, box = twin(name)
    rule = "argmax"
    rows = {
        cell: naive.closed(naive.decision_rows(layers, cell, domain))
        for cell in naive.decision_cells(layers, domain)
    }
    for x in points(name, 2):
        found = pr.neighbourhood(net, x, radius=1, norm=norm, domain=box)
        cells = found.decision_cells(rule)
        here = patterns_of(found)
        met = {(here[i], k) for i, k in zip(cells.region.tolist(), cells.label.tolist(), strict=True)}
        assert met == naive_local.in_ball(rows, x, Fraction(1), norm)  # type: ignore[arg-type]  # cells, not patterns


def test_limits_make_it_partial() -> None:
    net = pr.Network.from_layers(random_layers(3, 4, 12, 12, 2))
    whole = pr.neighbourhood(net, [0] * 4, hops=2)
    some = pr.neighbourhood(net, [0] * 4, hops=2, max_regions=5)
    assert whole.complete and whole.per_hop()[0] == 1 and sum(whole.per_hop()) == len(whole)
    assert len(some) == 5 and not some.complete and "partial" in repr(some)
    assert set(patterns_of(some)) <= set(patterns_of(whole))
    assert len(pr.neighbourhood(net, [0] * 4, hops=2, time_limit=0)) == 0
    told: list[pr.Progress] = []
    pr.neighbourhood(net, [0] * 4, hops=1, progress=told.append)
    assert told[-1].fraction == 1 and told[-1].regions == len(pr.region_at(net, [0] * 4).facets) + 1
    everywhere = pr.neighbourhood(net, [0] * 4, hops=0)
    assert everywhere.complete and len(everywhere) == 1


def test_it_behaves_like_other_results() -> None:
    net = pr.Network.from_layers(LAYERS["quadrants"])
    found = pr.neighbourhood(net, [1, 2], radius=2.125, norm=2)
    assert repr(found) == "<Neighbourhood: 3 regions of network in the l2 ball of radius 2.125>"
    assert found[0] == next(iter(found)) and len(found[1:]) == 2
    frame = pytest.importorskip("pandas") and found.to_pandas()
    assert frame["hops"].tolist() == [1, 1, 0]
    assert found.to_arrow().column("hops").to_pylist() == [1, 1, 0]
    assert found == pr.neighbourhood(net, [1, 2], radius=Fraction(17, 8), norm="l2")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of hops and radius"),
        ({"hops": 1, "radius": 1}, "one of hops and radius"),
        ({"hops": -1}, "hops -1, expected a whole number"),
        ({"hops": 1.5}, "hops 1.5, expected a whole number"),
        ({"radius": 0}, "radius 0, expected a positive number"),
        ({"radius": float("nan")}, "expected a positive number"),
        ({"radius": 1, "norm": "l3"}, "norm 'l3'"),
        ({"hops": 1, "max_regions": -1}, "max_regions"),
        ({"hops": 1, "domain": pr.Box(3, 4, dim=2)}, r"\(1, 1\) is not in the domain"),
        ({"radius": 1, "domain": pr.plane_through([0, 0], [1, 0], [0, 1])}, "slice"),
    ],
)
def test_what_cannot_be_asked_is_said(options: Any, words: str) -> None:
    net = pr.Network.from_layers(LAYERS["quadrants"])
    with pytest.raises(pr.errors.InputError, match=words):
        pr.neighbourhood(net, [1, 1] if "slice" not in words else [0.25, 0.25], **options)


def test_hops_work_in_a_slice_and_a_polytope() -> None:
    net = pr.Network.from_layers(random_layers(3, 3, 6, 4, 2))
    plane = pr.plane_through([0, 0, 0], [1, 0, 1], [0, 1, 1], pr.Box(-3, 3, dim=2))
    triangle = pr.HPolytope([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1]], [2, 2, 2, 3])
    for domain in (plane, triangle):
        regions = pr.enumerate_regions(net, domain, workers=1)
        found = pr.neighbourhood(net, [0.5, 0.5, 1], hops=100, domain=domain)
        assert np.array_equal(found.regions.patterns, regions.patterns)


def test_hundreds_of_inputs() -> None:
    rng = generator(0)
    shapes = [(24, 784), (16, 24), (10, 16)]
    net = pr.Network.from_layers(
        [(rng.normal(size=s) / s[1] ** 0.5, rng.normal(size=s[0]) / 4) for s in shapes]
    )
    x, pixels = rng.uniform(size=784).round(3), pr.Box(0, 1, dim=784)
    for norm, radius in (("linf", 0.01), ("l2", 0.3), ("l1", 3.0)):
        found = pr.neighbourhood(net, x, radius=radius, norm=norm, domain=pixels, max_regions=12)  # type: ignore[arg-type]
        assert len(found) > 5
        assert np.array_equal(_patterns(shapes, net, found.regions.points), found.regions.patterns)
        order = {"linf": np.inf, "l2": 2, "l1": 1}[norm]
        assert np.linalg.norm(found.regions.points - x, order, axis=1).max() < radius * (1 + 1e-9)
    here = pr.region_at(net, x, pixels)
    assert 0 < len(here.facets) <= 40


def _patterns(shapes: Any, net: pr.Network, X: Any) -> Any:
    bits = []
    for layer in net.layers[:-1]:
        z = X @ layer.weight.T + layer.bias
        bits.append(z > 0)
        X = np.maximum(z, 0)
    return np.concatenate(bits, axis=1)
