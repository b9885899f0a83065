"""The adjacency graph of the regions as a networkx graph."""

from __future__ import annotations

from typing import Any

import networkx as nx

from polyregions.analysis.tables import Table, edge_table, region_table
from polyregions.progress import ProgressFunction
from polyregions.regions.adjacency import adjacency_arrays
from polyregions.regions.region_set import RegionSet


def adjacency_graph(
    regions: RegionSet,
    *,
    classes: str | None = None,
    volume: bool = False,
    progress: ProgressFunction | None = None,
) -> nx.Graph:
    """The adjacency graph of the regions as a networkx graph.

    Nodes are region numbers with ``pattern`` (a string of 0 and 1), ``layer_ranks`` (see `layer_ranks`),
    ``dead_layers``, ``bounded`` and ``point``, a point strictly inside; on request also ``classes``, the classes that
    win somewhere in the region, and ``volume``. Edges carry ``flipped``, the neurons that differ, and
    ``point``, a point on the shared facet. `adjacency_arrays` takes less time and memory for millions of regions.

    Args:
        regions: the regions.
        classes: a rule as in `decision_cells` for the attribute ``classes``.
        volume: whether to compute volumes; inf for an unbounded region.
        progress: called now and then with a `Progress` of the regions looked at; returning False stops.

    Raises:
        OptionError: an unknown rule for classes.
        StoppedError: `progress` returned False.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    >>> G = adjacency_graph(pr.enumerate_regions(net, pr.Box([-2], [2])), volume=True)
    >>> sorted(G.edges(data="flipped"))
    [(0, 1, [0]), (1, 2, [1])]
    >>> G.nodes[0]["pattern"], G.nodes[0]["layer_ranks"], G.nodes[0]["bounded"], G.nodes[0]["volume"]
    ('00', [1], True, 2.0)
    """
    nodes = region_table(regions, classes=classes, volume=volume)
    edges = edge_table(adjacency_arrays(regions, progress=progress))
    return graph_of_tables(nodes.numbered("node"), edges, graph_attributes(regions))


def graph_attributes(regions: RegionSet) -> dict[str, Any]:
    """What the graph as a whole carries: the network's name, and whether all regions are there."""
    return {"network": regions.network.name, "complete": regions.complete}


def graph_of_tables(nodes: Table, edges: Table, attributes: dict[str, Any]) -> nx.Graph:
    """A graph from a table with a column ``node``, one with ``source`` and ``target``, and its own attributes."""
    graph = nx.Graph(**attributes)
    for row in nodes.rows():
        graph.add_node(row.pop("node"), **row)
    for row in edges.rows():
        graph.add_edge(row.pop("source"), row.pop("target"), **row)
    return graph
