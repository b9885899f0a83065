"""Minimal H-representations of whole sets are those of each region's polytope, which linear programs find."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions import Box, HPolytope, HRepresentations, Network, RegionSet, WholeSpace
from polyregions.errors import StoppedError
from random_networks import random_domain, random_network

N_QUICK, N_SLOW = 14, 600


def rows_of(found: HRepresentations, i: int) -> list[tuple[Any, ...]]:
    """The rows of region i: A, b, openness, neurons."""
    part = range(found.offsets[i], found.offsets[i + 1])
    return sorted(
        (
            *found.A[m].tolist(),
            float(found.b[m]),
            bool(found.strict[m]),
            found.neurons[found.neuron_offsets[m] : found.neuron_offsets[m + 1]].tolist(),
        )
        for m in part
    )


def rows_by_programs(regions: RegionSet, i: int) -> list[tuple[Any, ...]]:
    """The same from `HPolytope.minimal`."""
    minimal = regions[i].polytope.minimal()
    found = []
    for a, b, strict, label in zip(minimal.A, minimal.b, minimal.strict, minimal.labels, strict=True):
        neurons = [int(name.split()[1]) for name in label.split(", ") if name.startswith("neuron ")]
        found.append((*a.tolist(), float(b), bool(strict), neurons))
    return sorted(found)


def check(first: int, last: int) -> None:
    for seed in range(first, last):
        rng = np.random.default_rng(seed)
        net = random_network(rng)
        regions = pr.enumerate_regions(net, random_domain(rng, net.n_inputs), max_regions=60)
        found = pr.hrep_arrays(regions)
        assert len(found) == len(regions)
        if regions.problem.solid.hull.is_whole:  # else equations are others of the same hull
            for i in range(len(regions)):
                assert rows_of(found, i) == rows_by_programs(regions, i), (seed, i)


def test_rows_are_those_of_each_polytope() -> None:
    check(0, N_QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(6))
def test_rows_are_those_of_each_polytope_for_many(part: int) -> None:
    check(*(N_QUICK + i * (N_SLOW - N_QUICK) // 6 for i in (part, part + 1)))


def test_walls_and_neurons_of_a_square() -> None:
    """The square [0, 1]^2 cut by x = 1/2 and, on its wall, by x = 0 (a neuron that is on inside)."""
    net = Network.from_layers([([[2, 0], [1, 0]], [-1, 0]), ([[1, 1]], [0])])
    regions = pr.enumerate_regions(net, Box([0, 0], [1, 1]))
    found = pr.hrep_arrays(regions)
    labels = regions.problem.solid.labels
    left, right = regions.find([False, True]), regions.find([True, True])
    assert left is not None and right is not None
    assert rows_of(found, right) == [
        (-2.0, 0.0, -1.0, True, [0]),
        (0.0, -1.0, 0.0, False, []),
        (0.0, 1.0, 1.0, False, []),
        (1.0, 0.0, 1.0, False, []),
    ]
    (coinciding,) = [row for row in rows_of(found, left) if row[0] < 0]
    assert coinciding == (-1.0, 0.0, 0.0, True, [1])
    walls = found.wall[found.offsets[right] : found.offsets[right + 1]].tolist()
    assert sorted(labels[wall] for wall in walls if wall >= 0) == ["x0 <= 1", "x1 <= 1", "x1 >= 0"]


def test_a_flat_domain_adds_its_equations() -> None:
    net = Network.from_layers([([[1, 1]], [0]), ([[1]], [0])])
    regions = pr.enumerate_regions(net, Box([-1, 0.5], [1, 0.5]))
    found = pr.hrep_arrays(regions)
    for i, region in enumerate(regions):
        part = slice(found.offsets[i], found.offsets[i + 1])
        again = HPolytope(found.A[part], found.b[part], found.strict[part])
        assert again.vertices().tolist() == region.polytope.vertices().tolist()
        assert len(again.A) == 4  # two facets, one equation


def test_all_of_a_space_has_no_rows() -> None:
    net = Network.from_layers([([[0, 0]], [1]), ([[1]], [0])])
    found = pr.hrep_arrays(pr.enumerate_regions(net, WholeSpace(2)))
    assert found.offsets.tolist() == [0, 0]
    assert found.A.shape == (0, 2)


def test_no_regions_and_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = pr.enumerate_regions(Network.from_layers([([[1]], [0]), ([[1]], [0])]), Box([-1], [1]))
    none = pr.enumerate_regions(regions.network, regions.domain, max_regions=0)
    assert len(pr.hrep_arrays(none)) == 0
    monkeypatch.setattr("polyregions.progress.REPORT_EVERY", -1.0)
    with pytest.raises(StoppedError, match="rows of 2 of 2"):
        pr.hrep_arrays(regions, progress=lambda _: False)
