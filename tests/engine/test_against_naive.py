"""The package against the brute-force twin (all sign patterns, Fourier-Motzkin, fractions) on random networks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from polyregions import (
    Box,
    WholeSpace,
    adjacency_graph,
    decision_cells,
    decision_graph,
    enumerate_regions,
)
from random_networks import network_of, networks


def check_regions_edges_and_decisions(layers: Any, whole_space: bool) -> None:
    d = len(layers[0][0][0])
    net = network_of(layers)
    rows = [] if whole_space else naive.box([-1] * d, [2] * d)
    regions = enumerate_regions(net, WholeSpace(d) if whole_space else Box.cube(-1, 2, d))
    patterns = [tuple(int(bit) for bit in pattern) for pattern in regions.patterns]
    assert patterns == naive.regions(layers, rows)
    edges = {frozenset((patterns[a], patterns[b])) for a, b in adjacency_graph(regions).edges}
    assert edges == naive.edges(layers, rows)
    cells = decision_cells(regions, "argmax")
    pairs = [(patterns[i], int(k)) for i, k in zip(cells.region, cells.label, strict=True)]
    assert pairs == naive.decision_cells(layers, rows)
    touching = {frozenset((pairs[a], pairs[b])) for a, b in decision_graph(cells).edges}
    assert touching == naive.decision_edges(layers, rows)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(layers=networks(), whole_space=st.booleans())
def test_regions_edges_and_decisions_agree(layers: Any, whole_space: bool) -> None:
    check_regions_edges_and_decisions(layers, whole_space)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, derandomize=True)
@given(layers=networks(), whole_space=st.booleans())
def test_regions_edges_and_decisions_agree_on_many(layers: Any, whole_space: bool) -> None:
    check_regions_edges_and_decisions(layers, whole_space)
