"""What does the adjacency graph cost beside the enumeration? And what does networkx cost on top of it?

Run with: ``python benchmarks/adjacency.py`` (one core; about five minutes). Every line is one run: enumeration, edges
as flat arrays, facets on the domain's boundary, and (below half a million edges) the networkx graph with the making
of the edges taken off, each timed once after a warm-up.
"""

from __future__ import annotations

from time import perf_counter

from polyregions import Box, adjacency_arrays, adjacency_graph, boundary_facets, enumerate_regions
from workloads import Workload, random_network, workloads

LARGEST_GRAPH = 500_000  # edges; a networkx edge with its attributes takes about a kilobyte


def main() -> None:
    """Print one line a network."""
    heads = (
        "network",
        "regions",
        "edges",
        "enumerate",
        "edges/enum",
        "(e+a)/e",
        "walls/enum",
        "networkx/enum",
    )
    print("{:>22} {:>8} {:>9} {:>9} {:>10} {:>8} {:>10} {:>13}".format(*heads))
    small = random_network(2, (8, 8))
    boundary_facets(enumerate_regions(small, Box.cube(-1, 1, 2)))
    adjacency_arrays(enumerate_regions(small, Box.cube(-1, 1, 2)))
    large = random_network(8, (14, 14))
    for load in [*workloads(), Workload("8, 14-14", large, Box.cube(-1, 1, 8))]:
        report(load)


def report(load: Workload) -> None:
    """Measure one network."""
    start = perf_counter()
    regions = enumerate_regions(load.network, load.domain)
    enumerated = perf_counter()
    edges = adjacency_arrays(regions)
    connected = perf_counter()
    boundary_facets(regions)
    walled = perf_counter()
    once = enumerated - start
    graph = "-"
    if len(edges) <= LARGEST_GRAPH:
        adjacency_graph(regions)
        graph = f"{(perf_counter() - walled - (connected - enumerated)) / once:.1f}"
    print(
        f"{load.name:>22} {len(regions):>8} {len(edges):>9} {once:>8.2f}s {(connected - enumerated) / once:>10.2f} "
        f"{(connected - start) / once:>8.2f} {(walled - connected) / once:>10.2f} {graph:>13}",
        flush=True,
    )


if __name__ == "__main__":
    main()
