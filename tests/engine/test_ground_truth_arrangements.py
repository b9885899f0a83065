"""Arrangements as one-hidden-layer networks: counts that are theorems, in a box and on all of R^d."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from polyregions import WholeSpace, adjacency_arrays, enumerate_regions
from polyregions.regions.boundedness import bounded_regions
from truth import ARRANGEMENTS, SMALL, arrangement_network, box_around_all_vertices, name_of, slow_above

EVERY = pytest.mark.parametrize("entry", SMALL, ids=[name_of(e) for e in SMALL])


@EVERY
def test_regions_in_a_box_that_holds_all_vertices(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(arrangement_network(entry), box_around_all_vertices(entry))
    assert len(regions) == entry["regions"]


@EVERY
def test_regions_edges_and_bounded_regions_of_the_whole_space(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(arrangement_network(entry), WholeSpace(entry["ambient_dim"]))
    assert len(regions) == entry["regions"]
    if entry.get("adjacency_edges") is not None:
        assert len(adjacency_arrays(regions)) == entry["adjacency_edges"]
    if entry.get("bounded_regions") is not None:
        assert sum(region.polytope.is_bounded() for region in regions) == entry["bounded_regions"]


MEDIUM = [entry for entry in ARRANGEMENTS if 470 < entry["regions"] <= 20_000]


@pytest.mark.parametrize("entry", slow_above(MEDIUM, "regions", 2000))
def test_bounded_regions_and_edges_of_larger_ones(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(arrangement_network(entry), WholeSpace(entry["ambient_dim"]))
    assert len(regions) == entry["regions"]
    assert int(bounded_regions(regions).sum()) == entry["bounded_regions"]
    if entry.get("adjacency_edges") is not None:
        assert len(adjacency_arrays(regions)) == entry["adjacency_edges"]


COXETER = [e for e in ARRANGEMENTS if e["family"] in ("braid", "type_B", "type_D", "type_F4", "boolean")]


@pytest.mark.parametrize("entry", COXETER, ids=[name_of(e) for e in COXETER])
def test_chambers_of_reflection_arrangements_are_simplicial(entry: dict[str, Any]) -> None:
    """A chamber has as many walls as the arrangement's rank; for braid the graph is that of the permutohedron."""
    regions = enumerate_regions(arrangement_network(entry), WholeSpace(entry["ambient_dim"]))
    degrees = np.diff(adjacency_arrays(regions).neighbours()[0])
    assert set(degrees.tolist()) == {int(np.linalg.matrix_rank(np.array(entry["normals"])))}
