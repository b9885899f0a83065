"""Invariants that every enumeration must satisfy, whatever the network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import naive
from polyregions import Adjacency, Box, RegionSet


def check_points_and_maps(regions: RegionSet, rng: np.random.Generator, n_points: int = 200) -> None:
    """Random points lie in exactly one region, and the network there is that region's affine map."""
    box = regions.domain
    assert isinstance(box, Box)
    X = rng.uniform(box.lower, box.upper, (n_points, box.dim))
    located = regions.locate(X)
    assert np.all(located >= 0)
    for i in np.unique(located):
        weight, bias = regions[int(i)].affine_map
        here = X[located == i]
        expected = regions.network(here)
        scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
        assert np.abs(here @ weight.T + bias - expected).max() < 1e-9 * scale
    check_membership(regions, X[:20], located[:20])


def check_membership(regions: RegionSet, X: np.ndarray, located: np.ndarray) -> None:
    """By their H-representations: each point is in the region it was located in, and in no other."""
    owners = np.array([region.polytope.contains(X) for region in regions])
    assert np.array_equal(owners.sum(axis=0), np.ones(len(X)))
    assert np.array_equal(owners.argmax(axis=0), located)


def check_interior_points(regions: RegionSet) -> None:
    """Each region's own point lies in it, strictly inside all its rows."""
    assert np.array_equal(regions.locate(regions.points), np.arange(len(regions)))
    for region in regions:
        if region.number not in regions.rational_points:
            polytope = region.polytope
            assert np.all(polytope.A @ region.point < polytope.b)


def check_volumes(regions: RegionSet) -> None:
    """The regions' volumes add up to the domain's."""
    box = regions.domain
    assert isinstance(box, Box)
    total = sum(region.polytope.volume() for region in regions)
    assert total == pytest.approx(box.volume(), rel=1e-9)


def check_edges(regions: RegionSet, adjacency: Adjacency) -> None:
    """Neighbours differ exactly in the neurons on the edge, and both closures hold the facet's point."""
    box = regions.domain
    assert isinstance(box, Box)
    reach = np.maximum(np.abs(box.lower), np.abs(box.upper))
    for edge in range(len(adjacency)):
        a, b = int(adjacency.source[edge]), int(adjacency.target[edge])
        differing = np.flatnonzero(regions.patterns[a] != regions.patterns[b])
        assert np.array_equal(adjacency.flipped(edge), differing)
        assert len(differing) > 0
        for region in (regions[a], regions[b]):
            polytope = region.polytope
            scale = np.abs(polytope.A) @ reach + np.abs(polytope.b)
            assert np.all(polytope.A @ adjacency.points[edge] <= polytope.b + 1e-9 * scale)


def is_ever_negative(layers: Any, layer: int, unit: int, rows: Any) -> bool:
    """Whether the naive twin finds a point where a pre-activation is below 0."""
    weight, bias = layers[layer]
    negated = ([[-e for e in weight[unit]]], [-bias[unit]])
    patterns = naive.activation_patterns([*layers[:layer], negated, ([[1]], [0])], rows)
    return any(pattern[-1] for pattern in patterns)
