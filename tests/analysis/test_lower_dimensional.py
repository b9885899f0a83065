"""The activation regions without an interior, against the naive twin and the face numbers of arrangements."""

from __future__ import annotations

import pickle
from math import comb
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from polyregions.errors import InputError, StoppedError
from random_networks import network_of
from randoms import generator, integer_layers

TRAP = [([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]], [0] * 5), ([[1, -1, 0, 0, -1], [0, 0, 1, -1, -1]], [0, 0]),
        ([[1, 1]], [0])]  # fmt: skip
CASES: list[tuple[Any, int]] = [
    (TRAP, 2),
    ([([[0, 0], [1, 1], [1, 1], [-1, -1]], [0] * 4), ([[1] * 4], [0])], 2),
]
CASES += [(integer_layers(generator(seed), sizes), sizes[0])
          for seed, sizes in enumerate([[1, 4, 3, 1], [2, 3, 2, 1], [2, 3, 3, 1], [3, 3, 2, 1]])]  # fmt: skip


@pytest.mark.parametrize("case", range(len(CASES)))
def test_they_are_the_patterns_that_brute_force_finds_beside_the_regions(case: int) -> None:
    layers, d = CASES[case]
    rows = naive.box([-2] * d, [2] * d)
    regions = pr.enumerate_regions(network_of(layers), pr.Box.cube(-2, 2, d))
    thin = pr.lower_dimensional_regions(regions)
    expected = sorted(set(naive.activation_patterns(layers, rows)) - set(naive.regions(layers, rows)))
    assert [tuple(row) for row in thin.patterns.astype(int).tolist()] == expected
    for region, pattern in zip(thin, expected, strict=True):
        point = region.exact_point
        assert naive.pattern_at(layers, point) == pattern
        assert all(-2 <= c <= 2 for c in point)
        assert region.dim == naive.dimension(naive.closed(naive.pattern_rows(layers, pattern, rows)), d) < d
        assert region.polytope.contains([point]).tolist() == [True]
        solid = region.polytope.solid
        assert solid is not None
        assert solid.hull.dim == region.dim


@pytest.mark.parametrize(("n", "faces"), [(2, {0: 1, 1: 4}), (4, {0: comb(4, 2), 1: 16})])
def test_lines_and_their_opposites_tell_all_faces_apart(n: int, faces: dict[int, int]) -> None:
    """n lines in general position have n^2 edges and n (n - 1) / 2 vertices; (h, -h) is (0, 0) just where h = 0."""
    normals = np.array([[1, k] for k in range(1, n + 1)])  # x + k y + k^2 = 0: at most two k for each point
    offsets = np.array([k**2 for k in range(1, n + 1)])
    both = (np.vstack([normals, -normals]), np.concatenate([offsets, -offsets]))
    network = pr.Network.from_layers([both, (np.ones((1, 2 * n)), [0])])
    regions = pr.enumerate_regions(network, pr.WholeSpace(2))
    assert pr.lower_dimensional_regions(regions).per_dimension() == faces
    assert len(regions) == 1 + n + comb(n, 2)


def test_an_open_row_leaves_out_what_lies_on_it() -> None:
    """x on 0 <= x <= 1 is off at 0 alone; 0 < x leaves that out."""
    network = pr.Network.from_layers([([[1]], [0]), ([[1]], [0])])
    for strict, expected in ((False, [((False,), 0, (0,))]), (True, [])):
        regions = pr.enumerate_regions(network, pr.HPolytope([[-1], [1]], [0, 1], [strict, False]))
        thin = pr.lower_dimensional_regions(regions)
        assert [(tuple(t.pattern.tolist()), t.dim, t.exact_point) for t in thin] == expected
        assert thin.patterns.shape == (len(expected), 1)


def test_on_a_slice_dimensions_are_those_of_the_sets_and_points_those_of_the_inputs() -> None:
    """On the line (u, 1 - u) relu(x - y) and its opposite are both off at u = 1/2."""
    network = pr.Network.from_layers([([[1, -1], [-1, 1]], [0, 0]), ([[1, 1]], [0])])
    line = pr.Slice([0, 1], [[1, -1]], pr.Box([0], [1]))
    (point,) = pr.lower_dimensional_regions(pr.enumerate_regions(network, line))
    assert (point.dim, [float(c) for c in point.exact_point]) == (0, [0.5, 0.5])


def test_they_are_as_many_as_R1_has_beside_R2_and_are_plain_data() -> None:
    regions = pr.enumerate_regions(network_of(TRAP), pr.WholeSpace(2))
    thin = pr.lower_dimensional_regions(regions)
    assert (len(thin), len(regions), pr.count_by_definition(regions, "R1")) == (5, 6, {"R1": 11})
    other = pickle.loads(pickle.dumps(thin))
    assert (other.patterns.tolist(), other.points) == (thin.patterns.tolist(), thin.points)
    assert not other.patterns.flags.writeable
    assert [t.number for t in thin[1:3]] == [1, 2]
    assert [t.dim for t in thin[thin.dims == 0]] == [0]
    with pytest.raises(IndexError, match="lower-dimensional region 5 of 5"):
        thin[5]


def test_a_part_of_the_regions_is_refused_and_a_run_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyregions.progress.REPORT_EVERY", 0.0)
    part = pr.enumerate_regions(network_of(TRAP), pr.WholeSpace(2), max_regions=2)
    with pytest.raises(InputError, match="expected a complete set"):
        pr.lower_dimensional_regions(part)
    regions = pr.enumerate_regions(network_of(TRAP), pr.WholeSpace(2))
    with pytest.raises(StoppedError, match="stopped while listing lower-dimensional regions, at 0 of 6"):
        pr.lower_dimensional_regions(regions, progress=lambda _: False)
