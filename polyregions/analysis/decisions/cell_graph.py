"""The graph of decision cells that touch, and its islands: the connected components of each class."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from polyregions._types import Floats, Ints
from polyregions.analysis.decisions.cells import DecisionCells, cell_volumes
from polyregions.analysis.decisions.contacts import crossings, meetings
from polyregions.errors import expect
from polyregions.read_only import ReadOnly
from polyregions.regions.drawn_graphs import drawing, graph_attributes


@dataclass(frozen=True, eq=False)
class Islands(ReadOnly):
    """The connected components of each class, numbered by their first cell.

    Attributes:
        cells: the decision cells.
        island: (K,) the island of each cell.
        label: (I,) the class of each island.
    """

    cells: DecisionCells
    island: Ints
    label: Ints

    def members(self, island: int) -> Ints:
        """The cells of one island."""
        return np.flatnonzero(self.island == island)

    def per_class(self) -> dict[int, list[int]]:
        """The islands of each class; classes without cells are left out."""
        return {k: np.flatnonzero(self.label == k).tolist() for k in np.unique(self.label).tolist()}

    def __len__(self) -> int:
        return len(self.label)

    def __repr__(self) -> str:
        return f"<Islands: {len(self)} of {len(self.cells)} cells>"


def decision_graph(cells: DecisionCells, *, volume: bool = False) -> nx.Graph:
    """The graph of decision cells that share a facet.

    Nodes are cell numbers with ``region``, ``label``, the class, ``point``, and ``x`` and ``y``, where it is drawn; on
    request also ``volume``. Edges carry ``kind``: "decision" where the cells lie in one region and the classes meet,
    "neuron" where they lie in neighbouring regions. The graph carries ``rule``, and network and domain as
    `adjacency_graph` has them.

    Args:
        cells: the cells.
        volume: whether to compute volumes; inf for an unbounded cell.

    Raises:
        InternalError: a facet leads to a cell that a complete set does not hold (a bug).

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> graph = pr.decision_graph(pr.decision_cells(regions))
    >>> list(graph.edges(data="kind"))
    [(0, 1, 'neuron'), (0, 2, 'neuron'), (1, 4, 'neuron'), (2, 3, 'neuron'), (3, 4, 'decision')]
    """
    expect(cells, DecisionCells, "cells")
    graph = nx.Graph(rule=cells.rule, **graph_attributes(cells.regions))
    columns: dict[str, Ints | Floats] = {"region": cells.region, "label": cells.label}
    columns |= {"volume": cell_volumes(cells)} if volume else {}
    columns |= {"point": cells.points, **drawing(cells.points)}
    for cell, values in enumerate(zip(*(column.tolist() for column in columns.values()), strict=True)):
        graph.add_node(cell, **dict(zip(columns, values, strict=True)))
    across = crossings(cells)
    inside = [(meeting.source, meeting.target, "decision") for meeting in meetings(cells)]
    beyond = [(a, b, "neuron") for a, b in zip(across.source.tolist(), across.target.tolist(), strict=True)]
    for source, target, kind in sorted(inside + beyond):
        graph.add_edge(source, target, kind=kind)
    return graph


def islands(cells: DecisionCells) -> Islands:
    """The islands of each class: cells of one class belong together if a chain of shared facets joins them.

    Of a partial set of regions these are the islands of what was found.

    Raises:
        InternalError: a facet leads to a cell that a complete set does not hold (a bug).

    Complexity: that of the crossings between regions; cells of one region and class are never two.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1.0], [-1.0]], [0, 0]), ([[1.0, 1.0], [0, 0]], [-1, 0])])
    >>> cells = pr.decision_cells(pr.enumerate_regions(net, pr.Box([-2], [2])))
    >>> islands(cells).per_class()  # |x| - 1 against 0
    {0: [0, 2], 1: [1]}
    """
    expect(cells, DecisionCells, "cells")
    across = crossings(cells)
    alike = cells.label[across.source] == cells.label[across.target]
    ends = across.source[alike], across.target[alike]
    touching = coo_array((np.ones(len(ends[0])), ends), shape=(len(cells), len(cells)))
    _, found = connected_components(touching, directed=False)
    _, first, island = np.unique(found, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Islands(cells, rank[island].astype(np.int64), cells.label[first[order]])
