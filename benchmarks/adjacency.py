"""What do the edges, the walls and the decision cells cost beside the enumeration? And networkx on top of it?

Run with: ``python benchmarks/adjacency.py`` (one core; about five minutes). Processor seconds, the best of three, one
after the other: enumeration, edges as flat arrays, facets on the domain's boundary, decision cells (three
random outputs, argmax; ACAS Xu's own five, argmin), and, below half a million edges, the networkx graph
with the making of the edges taken off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import numpy as np

from polyregions import (
    Box,
    Network,
    adjacency_arrays,
    adjacency_graph,
    boundary_facets,
    decision_cells,
    enumerate_regions,
)
from workloads import Workload, random_network, workloads

LARGEST_GRAPH = 500_000  # edges; a networkx edge with its attributes takes about a kilobyte
SLOW = 3.0  # seconds after which once is enough


def main() -> None:
    """Print one line a network."""
    heads = ("network", "regions", "edges", "enumerate", "edges", "walls", "decision cells", "networkx")
    print("{:>22} {:>8} {:>9} {:>9} {:>7} {:>7} {:>15} {:>9}".format(*heads))
    for load in [*loads(), Workload("8, 14-14", classifier(random_network(8, (14, 14))), Box.cube(-1, 1, 8))]:
        report(load)


def loads() -> Iterator[Workload]:
    """The usual networks, those of one output with three random ones instead."""
    for load in workloads():
        is_real = load.network.n_outputs > 1
        yield load if is_real else Workload(load.name, classifier(load.network), load.domain)


def classifier(network: Network) -> Network:
    """The same hidden layers with three outputs."""
    n = network.layers[-1].n_inputs
    rng = np.random.default_rng(1)
    hidden = [(layer.weight, layer.bias) for layer in network.layers[:-1]]
    return Network.from_layers([*hidden, (rng.normal(size=(3, n)), rng.normal(size=3) / 2)])


def report(load: Workload) -> None:
    """Measure one network."""
    rule = "argmin" if load.name.startswith("ACAS") else "argmax"
    small = enumerate_regions(load.network, load.domain, max_regions=50)
    for warm in (adjacency_arrays, boundary_facets, decision_cells):
        warm(small)
    enumeration, regions = best(lambda: enumerate_regions(load.network, load.domain))
    connecting, edges = best(lambda: adjacency_arrays(regions))
    walling, _ = best(lambda: boundary_facets(regions))
    deciding, cells = best(lambda: decision_cells(regions, rule))
    graph = "-"
    if len(edges) <= LARGEST_GRAPH:
        graph = f"{(best(lambda: adjacency_graph(regions))[0] - connecting) / enumeration:.1f}"
    print(
        f"{load.name:>22} {len(regions):>8} {len(edges):>9} {enumeration:>8.3f}s {connecting / enumeration:>7.2f} "
        f"{walling / enumeration:>7.2f} {deciding / enumeration:>7.2f} {len(cells):>7} {graph:>9}",
        flush=True,
    )


def best(ask: Callable[[], Any]) -> tuple[float, Any]:
    """The least processor time of up to three runs, and what came out."""
    times: list[float] = []
    while len(times) < 3 and sum(times) < SLOW:
        start = process_time()
        found = ask()
        times.append(process_time() - start)
    return min(times), found


if __name__ == "__main__":
    main()
