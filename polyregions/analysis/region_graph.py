"""The adjacency graph of the regions as a networkx graph."""

from __future__ import annotations

from typing import Any

import networkx as nx

from polyregions.analysis.tables import Table, edge_table, region_table
from polyregions.errors import expect
from polyregions.progress import ProgressFunction
from polyregions.regions.adjacency import Adjacency, adjacency_arrays
from polyregions.regions.drawn_graphs import drawing, graph_attributes
from polyregions.regions.region_set import RegionSet
from polyregions.regions.volumes import facet_measures


def adjacency_graph(
    regions: RegionSet,
    *,
    classes: str | None = None,
    volume: bool = False,
    measure: bool = False,
    progress: ProgressFunction | None = None,
) -> nx.Graph:
    """The adjacency graph of the regions as a networkx graph.

    Nodes are region numbers with ``pattern`` (a string of 0 and 1), ``layer_ranks`` (see `layer_ranks`),
    ``dead_layers``, ``bounded``, ``point``, a point strictly inside, and ``x`` and ``y``, where it is drawn; on request
    also ``classes``, the classes that win somewhere in the region, ``class``, the only one of them or -1, and
    ``volume``. Edges carry ``flipped``, the neurons that differ, ``hamming``, how many these are, ``point``, a
    point on the shared facet, and on request ``measure``, its length or area. The graph carries the names and SHA-256
    of network and domain. `adjacency_arrays` takes less time and memory for millions of regions.

    Args:
        regions: the regions.
        classes: a rule as in `decision_cells` for the attributes ``classes`` and ``class``.
        volume: whether to compute volumes; inf for an unbounded region.
        measure: whether to measure the facets, see `facet_measures`.
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
    expect(regions, RegionSet, "regions")
    nodes = node_table(regions, classes=classes, volume=volume)
    edges = edges_of(regions, adjacency_arrays(regions, progress=progress), measure)
    return graph_of_tables(nodes, edges, graph_attributes(regions))


def node_table(regions: RegionSet, *, classes: str | None = None, volume: bool = False) -> Table:
    """The table of nodes: ``node``, the columns of `region_table`, ``x`` and ``y``."""
    table = region_table(regions, classes=classes, volume=volume).numbered("node")
    return Table({**table.columns, **drawing(regions.points)})


def edges_of(regions: RegionSet, adjacency: Adjacency, measure: bool = False) -> Table:
    """The table of edges, with the extents of facets if wanted."""
    return edge_table(adjacency, facet_measures(regions, adjacency) if measure else None)


def graph_of_tables(nodes: Table, edges: Table, attributes: dict[str, Any]) -> nx.Graph:
    """A graph from a table with a column ``node``, one with ``source`` and ``target``, and its own attributes."""
    graph = nx.Graph(**attributes)
    for row in nodes.rows():
        graph.add_node(row.pop("node"), **row)
    for row in edges.rows():
        graph.add_edge(row.pop("source"), row.pop("target"), **row)
    return graph
