"""Counting without going to the last layer's regions: the same numbers, or given up where a proof is missing."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import naive
from polyregions import Box, Network, Tally, WholeSpace, count_regions, enumerate_regions, tally_regions
from polyregions.engine import tally as engine
from polyregions.engine.kernels import machine
from polyregions.engine.kernels.codes import GIVEN_UP, GO_ON
from polyregions.engine.kernels.last_layer import count_cell
from polyregions.engine.walk.driver import WalkRun
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.oracle.referee import Referee
from random_networks import network_of, networks
from truth import SMALL, arrangement_network, box_around_all_vertices, name_of

Lines = list[tuple[float, float, float]]


def counted_at_once(W: Any, b: Any, domain: Domain, most: int = 10**6) -> int:
    """What the kernel alone says of one layer on the whole of a bounded domain."""
    n = len(b)
    problem = pose(Network.from_layers([(W, b), (np.ones((1, n)), [0])]), domain)
    run = WalkRun(problem, keep=False)
    part: Any = run.part(0, Referee(problem.solid.bounds))
    part._begin()
    chart, work = part._piece.chart, part._work
    if machine.classify(run.net, chart, work) != GO_ON:  # a question for exact arithmetic
        return GIVEN_UP
    return count_cell(work, chart.lower, chart.upper, most)


def regions_of_lines(lines: Lines, half: Fraction) -> int:
    """Lines in an open square, by Euler: 1, the different lines that meet it, and each point as often as lines pass
    through it less one; in rationals."""
    rows = {as_unit(line) for line in lines if line[:2] != (0.0, 0.0)}
    inside = [row for row in rows if half * (abs(row[0]) + abs(row[1])) > abs(row[2])]
    through: dict[tuple[Fraction, Fraction], set[Any]] = {}
    for (a, b, c), (p, q, r) in combinations(inside, 2):
        det = a * q - b * p
        if det:
            x, y = (b * r - c * q) / det, (c * p - a * r) / det
            if max(abs(x), abs(y)) < half:
                through.setdefault((x, y), set()).update({(a, b, c), (p, q, r)})
    return 1 + len(inside) + sum(len(those) - 1 for those in through.values())


def as_unit(line: tuple[float, float, float]) -> tuple[Fraction, ...]:
    """The same for all multiples of a line."""
    row = [Fraction(v) for v in line]
    lead = row[0] or row[1]
    return tuple(v / lead for v in row)


def generic(d: int, n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=n) / 2


@pytest.mark.parametrize(
    ("d", "n"), [(1, 1), (1, 9), (2, 1), (2, 40), (3, 18), (4, 12), (5, 10), (8, 9), (12, 8), (20, 4)]
)
def test_general_position_is_counted_at_once(d: int, n: int) -> None:
    W, b = generic(d, n)
    box = Box.cube(-1, 1, d)
    net = Network.from_layers([(W, b), (np.ones((1, n)), [0])])
    assert counted_at_once(W, b, box) == len(enumerate_regions(net, box))


def test_more_than_are_wanted_are_given_up() -> None:
    W, b = generic(3, 12)
    box = Box.cube(-1, 1, 3)
    n = counted_at_once(W, b, box)
    assert counted_at_once(W, b, box, n) == n
    assert counted_at_once(W, b, box, n - 1) == GIVEN_UP


def test_parallel_lines_are_counted_at_once() -> None:
    """By hand: a grid of 3 by 3 lines that are no lines through the corners."""
    lines = [(1, 0, -0.5), (1, 0, 0), (2, 0, 1), (0, 1, -0.25), (0, 1, 0.125), (0, -3, 1.5)]
    W, b = np.array(lines)[:, :2], np.array(lines)[:, 2]
    assert counted_at_once(W, b, Box.cube(-1, 1, 2)) == 16


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(1, 0, 0), (0, 1, 0), (1, 1, 0)], "three lines through a point"),
        ([(1, 2, 0.5), (2, 4, 1)], "a line twice"),
        ([(1, 0, 0, 0), (0, 1, 0, 0), (1, 1, 0, 0)], "three planes through a line"),
        ([(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (1, 1, 1, 0)], "four planes through a point"),
        ([(1, 0), (3, 0)], "a point twice"),
    ],
)
def test_what_is_not_in_general_position_is_given_up(rows: Any, why: str) -> None:
    """Each of them has fewer regions than the formula for general position would give."""
    W, b = np.array(rows, dtype=float)[:, :-1], np.array(rows, dtype=float)[:, -1]
    assert counted_at_once(W, b, Box.cube(-1, 1, W.shape[1])) == GIVEN_UP
    net = Network.from_layers([(W, b), (np.ones((1, len(b))), [0])])
    layers, d = [(W.tolist(), b.tolist()), ([[1.0] * len(b)], [0.0])], W.shape[1]
    assert count_regions(net, Box.cube(-1, 1, d)) == len(naive.regions(layers, naive.box([-1] * d, [1] * d)))


SMALL_INTEGERS = st.integers(-3, 3).map(float)
LINES = st.lists(st.tuples(SMALL_INTEGERS, SMALL_INTEGERS, SMALL_INTEGERS), min_size=1, max_size=7)


@given(LINES)
@settings(max_examples=150, deadline=None)
@example([(1.0, 1.0, -2.0), (1.0, -1.0, 0.0)])  # one touches a corner, one passes through two
@example([(1.0, 1.0, 0.0), (1.0, -1.0, 0.0), (1.0, 0.0, -1.0)])  # the last one is a side
def test_integer_lines_are_counted_rightly_or_given_up(lines: Lines) -> None:
    check_lines(lines, Fraction(1))


@given(
    st.lists(st.tuples(*[st.floats(-2, 2, allow_subnormal=False)] * 2), min_size=3, max_size=5),
    st.tuples(*[st.floats(-0.9, 0.9, allow_subnormal=False)] * 2),
    st.integers(-60, 0),
)
@settings(max_examples=150, deadline=None)
def test_lines_that_nearly_meet_are_counted_rightly_or_given_up(
    normals: list[tuple[float, float]], at: tuple[float, float], exponent: int
) -> None:
    """Lines through a point, all but for rounding, and the last one moved by anything from 1 to much less than that."""
    lines = [(p, q, -(p * at[0] + q * at[1])) for p, q in normals]
    p, q, r = lines[-1]
    lines[-1] = (p, q, r + 2.0**exponent)
    check_lines(lines, Fraction(1))


def check_lines(lines: Lines, half: Fraction) -> None:
    rows = np.array(lines)
    box = Box.cube(-float(half), float(half), 2)
    expected = regions_of_lines(lines, half)
    net = Network.from_layers([(rows[:, :2], rows[:, 2]), (np.ones((1, len(rows))), [0])])
    assert tally_regions(net, box).regions == expected
    if rows[:, :2].any():
        assert counted_at_once(rows[:, :2], rows[:, 2], box) in (expected, GIVEN_UP)


@pytest.mark.parametrize("entry", SMALL, ids=[name_of(e) for e in SMALL])
def test_arrangements_of_the_ground_truth_are_counted(entry: dict[str, Any]) -> None:
    net = arrangement_network(entry)
    assert count_regions(net, box_around_all_vertices(entry)) == entry["regions"]
    assert count_regions(net, WholeSpace(entry["ambient_dim"]), engine="walk") == entry["regions"]


@given(networks(), st.booleans())
@settings(max_examples=80, deadline=None)
def test_tallies_are_those_of_the_enumeration(layers: Any, bounded: bool) -> None:
    net = network_of(layers)
    domain = Box.cube(-1.5, 2, net.n_inputs) if bounded else WholeSpace(net.n_inputs)
    regions = enumerate_regions(net, domain)
    tally = tally_regions(net, domain)
    assert tally.regions == len(regions)
    assert list(tally.after_each_layer) == regions.regions_after_each_layer()
    assert tally_regions(net, domain, engine=regions.engine).after_each_layer == tally.after_each_layer


def wide(d: int, widths: tuple[int, ...], seed: int = 1) -> Network:
    rng = np.random.default_rng(seed)
    sizes = [d, *widths, 1]
    return Network.from_layers(
        [
            (rng.normal(size=(n, k)) * np.sqrt(2 / k), rng.normal(size=n) / 2)
            for k, n in zip(sizes, sizes[1:], strict=False)
        ]
    )


NETWORKS = {
    "2, 24-24": wide(2, (24, 24)),
    "3, 14-14": wide(3, (14, 14)),
    "5, 9-7-8": wide(5, (9, 7, 8)),
    "7, 12": wide(7, (12,)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_tallies_are_the_same_for_any_number_of_workers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks are cut off in the middle of the last layer too."""
    monkeypatch.setattr(engine, "COMPILED_BUDGET", (16, 64))
    net = NETWORKS[name]
    box = Box.cube(-1, 1, net.n_inputs)
    expected = enumerate_regions(net, box).regions_after_each_layer()
    for workers in (1, 2, 4):
        tally = tally_regions(net, box, workers=workers)
        assert list(tally.after_each_layer) == expected
        assert tally.complete


@pytest.mark.parametrize("limit", [0, 1, 2, 7, 50, 311, 10**6])
def test_a_limit_is_kept_to_the_region(limit: int) -> None:
    net, box = NETWORKS["5, 9-7-8"], Box.cube(-1, 1, 5)
    first = enumerate_regions(net, box, max_regions=limit)
    tally = tally_regions(net, box, max_regions=limit)
    assert (tally.regions, tally.complete) == (len(first), first.complete)
    assert_close_below(tally, first.regions_after_each_layer())


def assert_close_below(tally: Tally, expected: list[int]) -> None:
    """A limited count looks at one region more, which may be the first of a cell."""
    for found, least in zip(tally.after_each_layer, expected, strict=True):
        assert least <= found <= max(least + 1, min(1, tally.regions))


def test_shares_of_the_tree_add_up() -> None:
    """Progress ends at 1 although whole cells are counted at once."""
    fractions: list[float] = []
    net = NETWORKS["2, 24-24"]
    tally = tally_regions(net, Box.cube(-1, 1, 2), progress=lambda p: fractions.append(p.fraction))
    run = WalkRun(pose(net, Box.cube(-1, 1, 2)), keep=False)
    batches = list(run.batches(Referee(pose(net, Box.cube(-1, 1, 2)).solid.bounds)))
    assert sum(batch.count for batch in batches) == tally.regions
    assert sum(batch.share for batch in batches) == pytest.approx(1.0)
    assert fractions[-1] == 1.0
