"""The package against the brute-force twin (all sign patterns, Fourier-Motzkin, fractions) on random networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from polyregions import (
    Box,
    Network,
    WholeSpace,
    adjacency_graph,
    decision_cells,
    decision_graph,
    enumerate_regions,
)

# Entries from degenerate (small integers, many zeros) to generic (floats of every exponent).
INTEGERS = st.integers(-2, 2).map(float)
HALVES = st.integers(-6, 6).map(lambda n: n / 2)
FLOATS = st.floats(-4, 4, allow_subnormal=False)
ZERO = st.just(0.0)
ENTRIES = st.sampled_from(
    [(INTEGERS, INTEGERS), (INTEGERS, ZERO), (HALVES, HALVES), (FLOATS, FLOATS), (FLOATS, ZERO)]
)
HIDDEN = {
    1: [(), (1,), (2,), (5,), (2, 2), (3, 3), (2, 2, 2), (1, 0, 2)],
    2: [(), (1,), (3,), (5,), (2, 2), (3, 2), (2, 3), (2, 2, 1), (1, 1, 2)],
    3: [(2,), (4,), (2, 2), (3, 1)],
}


@st.composite
def networks(draw: st.DrawFn) -> list[tuple[list[list[float]], list[float]]]:
    """Layers of a random network with at most 6 neurons, sometimes with a neuron repeated or negated."""
    d = draw(st.sampled_from([1, 2, 2, 2, 3]))
    widths = [d, *draw(st.sampled_from(HIDDEN[d])), draw(st.integers(1, 3))]
    weight, bias = draw(ENTRIES)
    layers = [
        (
            draw(st.lists(st.lists(weight, min_size=k, max_size=k), min_size=n, max_size=n)),
            draw(st.lists(bias, min_size=n, max_size=n)),
        )
        for k, n in zip(widths, widths[1:], strict=False)
    ]
    if len(layers) > 1 and widths[1] > 1 and draw(st.booleans()):
        factor = draw(st.sampled_from([1.0, -1.0, 2.0, -0.5]))
        W, b = layers[0]
        W[1], b[1] = [factor * w for w in W[0]], factor * b[0]
    return layers


def network_of(layers: Any) -> Network:
    """The same layers as a `Network`; a layer without neurons needs its shape said."""
    inputs = [len(layers[0][0][0]), *(len(b) for _, b in layers)]
    return Network.from_layers(
        [(np.reshape(W, (len(b), k)), np.array(b)) for (W, b), k in zip(layers, inputs, strict=False)]
    )


def check_regions_edges_and_decisions(layers: Any, whole_space: bool) -> None:
    d = len(layers[0][0][0])
    net = network_of(layers)
    rows = [] if whole_space else naive.box([-1] * d, [2] * d)
    regions = enumerate_regions(net, WholeSpace(d) if whole_space else Box.cube(-1, 2, d))
    patterns = [tuple(int(bit) for bit in pattern) for pattern in regions.patterns]
    assert patterns == naive.regions(layers, rows)
    edges = {frozenset((patterns[a], patterns[b])) for a, b in adjacency_graph(regions).edges}
    assert edges == naive.edges(layers, rows)
    cells = decision_cells(regions)
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
