"""Colours that people with any colour vision can tell apart (Paul Tol's schemes), and who gets which."""

from __future__ import annotations

import networkx as nx
import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.analysis.decisions.colours import CLASS_COLOURS as CLASS_COLOURS
from polyregions.regions.adjacency import Adjacency

REGION_COLOURS = ("#77aadd", "#eedd88", "#ffaabb", "#44bb99", "#99ddff", "#ee8866", "#bbcc33", "#dddddd")
"""Tol's light scheme: neighbouring regions."""

LAYER_COLOURS = ("#33228a", "#cc6677", "#117733", "#b8860b", "#4499bb", "#882255", "#777777")
"""Lines made by each layer; after Tol's muted scheme, dark enough for thin lines on white."""

N_REGION_COLOURS = 7
"""How many of them are dealt out; the grey is left for what has no colour of its own."""

REGION_COLOUR = REGION_COLOURS[5]
"""Of a region that is drawn by itself, perhaps on top of the others."""

SEQUENTIAL = "viridis"
"""matplotlib's name of the colour map for numbers."""

LIGHTEST, DARKEST = 0.62, 0.18
"""How much white is mixed into the shades of one class."""


def pick(colours: tuple[str, ...], i: int) -> str:
    """Colour i of a scheme, which starts again at its end."""
    return colours[i % len(colours)]


def few_colours(n: int, source: Ints, target: Ints) -> Ints:
    """A small natural number (n,) for each node of a graph, different for neighbours, as few as a simple rule finds.

    Regions cut by one layer take two. For shades of one colour, where a few are easier to tell apart.

    Args:
        n: number of nodes.
        source: (E,) one end of each edge.
        target: (E,) the other end.

    Source: the smallest-last order of Matula and Beck (1983), which needs no more than six colours for a planar graph.
    """
    found = nx.greedy_color(_graph(n, source, target), strategy="smallest_last")
    return np.array([found[i] for i in range(n)], dtype=np.int64)


def many_colours(n: int, source: Ints, target: Ints) -> Ints:
    """The same for a planar graph with `N_REGION_COLOURS` used evenly: what meets in a corner mostly differs too.

    Args:
        n: number of nodes.
        source: (E,) one end of each edge.
        target: (E,) the other end.
    """
    graph = _graph(n, source, target)
    found: dict[int, int] = {}
    uses = [0] * N_REGION_COLOURS
    for node in nx.algorithms.coloring.strategy_smallest_last(graph, found):
        taken = {found[other] for other in graph[node] if other in found}
        free = [
            c for c in range(N_REGION_COLOURS) if c not in taken
        ]  # at most five are taken in a planar graph
        found[node] = min(free, key=uses.__getitem__)
        uses[found[node]] += 1
    return np.array([found[i] for i in range(n)], dtype=np.int64)


def _graph(n: int, source: Ints, target: Ints) -> nx.Graph:
    graph = nx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(zip(source.tolist(), target.tolist(), strict=True))
    return graph


def prefix_groups(patterns: Bools, end: int) -> Ints:
    """The group (R,) of each region when only the first `end` neurons are looked at: regions after some layers."""
    changed = np.any(patterns[1:, :end] != patterns[:-1, :end], axis=1)
    return np.concatenate([np.zeros(min(1, len(patterns))), np.cumsum(changed)]).astype(np.int64)


def prefix_colours(groups: Ints, adjacency: Adjacency) -> Ints:
    """A small natural number (R,) for each region, different for neighbours of two groups, the same within one."""
    source, target = groups[adjacency.source], groups[adjacency.target]
    between = source != target
    of_group = many_colours(int(groups.max(initial=-1)) + 1, source[between], target[between])
    return of_group[groups]


def rgb(colour: str) -> Floats:
    """The red, green and blue part (3,) of a ``#rrggbb`` colour, from 0 to 1."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def shades(labels: Ints, variants: Ints) -> Floats:
    """The colour (n, 3) of each class, mixed with more or less white so that variants can be told apart."""
    base = np.array([rgb(pick(CLASS_COLOURS, k)) for k in labels.tolist()]).reshape(-1, 3)
    steps = max(1, int(variants.max(initial=0)))
    white = DARKEST + (LIGHTEST - DARKEST) * variants[:, None] / steps
    mixed: Floats = base + (1 - base) * white
    return mixed
