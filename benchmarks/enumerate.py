"""How many proved regions a second? The engine of "auto" beside the reference, a linprog recursion, and relucent.

Run with: ``python benchmarks/enumerate.py`` (one core; about five minutes). Rates are of one run, in processor seconds;
ratios are of engines on the same work in that run. The slow engines enumerate the first regions only (the same part of
the tree), and the compiled engine is timed on that part too for the ratio. relucent (if it is installed; it walks from
region to region over the whole space and finds their facets on the way, in floating point) and the compiled engine both
find the first regions of the whole space.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from time import process_time

import numpy as np
from scipy.optimize import linprog

from polyregions import Network, WholeSpace, enumerate_regions
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from workloads import Workload, workloads

SAMPLE = 2000  # regions that the reference enumerates, and the compiled engine for the ratio
PLAIN_SAMPLE = 100  # the same for linprog
REPEATS = 3


def main() -> None:
    """Print one line a network."""
    heads = ("network", "regions", "proved/s", "/ highs", "/ linprog", "/ relucent", "exact")
    print("{:>22} {:>8} {:>8} {:>8} {:>9} {:>10} {:>6}".format(*heads))
    for load in workloads():
        report(load)


def report(load: Workload) -> None:
    """Measure one network with every engine."""
    warm_up(load)
    seconds, regions, exact = compiled(load)
    reference = ratio(load, min(SAMPLE, regions), reference_regions)
    plain = ratio(load, min(PLAIN_SAMPLE, regions), linprog_regions)
    print(
        f"{load.name:>22} {regions:>8} {regions / seconds:>8.0f} "
        f"{reference:>8.0f} {plain:>9.0f} {relucent_ratio(load):>10} {exact:>6}",
        flush=True,
    )


def warm_up(load: Workload) -> None:
    """Compile, or load compiled code, before anything is timed."""
    enumerate_regions(load.network, load.domain, max_regions=1)


def compiled(load: Workload) -> tuple[float, int, int]:
    """Best time of a whole enumeration, its number of regions, and of questions left to exact arithmetic."""
    results = []
    for _ in range(REPEATS):
        start = processor_seconds()
        regions = enumerate_regions(load.network, load.domain, workers=1)
        results.append((processor_seconds() - start, len(regions), regions.score["by_rationals"]))
    return min(results)


def ratio(load: Workload, sample: int, slow: Callable[[Network, Domain, int], int]) -> float:
    """How many times as long a slow engine takes for the first regions of a workload."""

    def fast() -> None:
        enumerate_regions(load.network, load.domain, max_regions=sample)

    seconds = min(timed(fast) for _ in range(REPEATS))
    return timed(lambda: slow(load.network, load.domain, sample)) / seconds


def relucent_ratio(load: Workload) -> str:
    """The same for relucent, over the whole space; a dash where it cannot be asked."""
    try:
        from relucent import Complex
        from relucent.model.model import LinearLayer, ReLULayer, ReLUNetwork
    except ImportError:
        return "-"
    parts: list[object] = []
    for layer in load.network.layers:
        parts += [LinearLayer(layer.weight.copy(), layer.bias[None].copy()), ReLULayer()]
    theirs = Complex(ReLUNetwork(parts[:-1]))
    space = WholeSpace(load.network.n_inputs)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            slow = timed(lambda: theirs.bfs(max_polys=PLAIN_SAMPLE, nworkers=1, verify=False))
    except Exception as error:  # of any kind: it is not our code
        return type(error).__name__
    found = len(theirs)
    fast = min(
        timed(lambda: enumerate_regions(load.network, space, max_regions=found)) for _ in range(REPEATS)
    )
    return f"{slow / fast:.0f}"


def processor_seconds() -> float:
    """Of this process, and of the children it has waited for: relucent works in one."""
    times = os.times()
    return process_time() + times.children_user + times.children_system


def timed(run: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = processor_seconds()
    run()
    return processor_seconds() - start


def reference_regions(network: Network, domain: Domain, limit: int) -> int:
    """The readable engine."""
    return len(enumerate_regions(network, domain, engine="highs", max_regions=limit))


def linprog_regions(network: Network, domain: Domain, limit: int) -> int:
    """What a few lines of scipy do: two linear programs a neuron and cell, a tolerance instead of a proof."""
    box = pose(network, domain).solid.bounds
    bounds = list(zip(box.lower, box.upper, strict=True))
    identity = np.column_stack([np.eye(network.n_inputs), np.zeros(network.n_inputs)])
    stack = [(0, 0, np.zeros((0, network.n_inputs + 1)), identity, ())]
    found = 0
    while stack and found < limit:
        index, unit, rows, inner, bits = stack.pop()
        layer = network.layers[index]
        if index == len(network.layers) - 1:
            found += 1
            continue
        if unit == layer.n_units:
            on = np.array(bits, dtype=float)[:, None]
            forms = layer.weight @ inner
            forms[:, -1] += layer.bias
            stack.append((index + 1, 0, rows, on * forms, ()))
            continue
        form = layer.weight[unit] @ inner
        form[-1] += layer.bias[unit]
        for bit in (1, 0):
            side = np.vstack([rows, form if bit else -form])
            objective = -side[-1, :-1]
            best_side = linprog(objective, A_ub=-side[:, :-1], b_ub=side[:, -1], bounds=bounds)
            if best_side.status == 0 and -best_side.fun + side[-1, -1] > 1e-9:
                stack.append((index, unit + 1, side, inner, (*bits, bit)))
    return found


if __name__ == "__main__":
    main()
