"""How many proved regions a second? The compiled engine beside the reference and a plain linprog recursion.

Run with: ``python benchmarks/enumerate.py`` (one core; about five minutes). Rates are of one run; ratios are of engines
on the same work in that run. The slow engines enumerate the first regions only (the same part of the tree), and the
compiled engine is timed on that part too for the ratio. "unproved" is the compiled engine with its proofs switched off.
"""

from __future__ import annotations

from time import perf_counter

import numpy as np
from scipy.optimize import linprog
from workloads import Workload, workloads

from polyregions import Box, Network, enumerate_regions
from polyregions.engine.walk.driver import WalkRun
from polyregions.oracle.referee import Referee
from polyregions.problem import pose

SAMPLE = 150  # regions that the slow engines enumerate
REPEATS = 3


def main() -> None:
    """Print one line a network."""
    heads = ("network", "regions", "walk/s", "proof cost", "/ highs", "/ linprog", "exact")
    print("{:>22} {:>8} {:>8} {:>10} {:>8} {:>9} {:>6}".format(*heads))
    for load in workloads():
        report(load)


def report(load: Workload) -> None:
    """Measure one network with every engine."""
    warm_up(load)
    seconds, regions, exact = walk(load, prove=True)
    unproved, _, _ = walk(load, prove=False)
    sample = min(SAMPLE, regions)
    fast = best(lambda: enumerate_regions(load.network, load.domain, engine="walk", max_regions=sample))
    slow = timed(lambda: enumerate_regions(load.network, load.domain, engine="highs", max_regions=sample))
    plain = timed(lambda: linprog_regions(load.network, load.domain, sample))
    print(
        f"{load.name:>22} {regions:>8} {regions / seconds:>8.0f} {seconds / unproved:>10.2f} "
        f"{slow / fast:>8.0f} {plain / fast:>9.0f}  {exact}",
        flush=True,
    )


def warm_up(load: Workload) -> None:
    """Compile, or load compiled code, before anything is timed."""
    enumerate_regions(load.network, load.domain, engine="walk", max_regions=1)


def walk(load: Workload, prove: bool) -> tuple[float, int, int]:
    """Best time of a whole enumeration, its number of regions, and of questions left to exact arithmetic."""
    problem = pose(load.network, load.domain)
    results = []
    for _ in range(REPEATS):
        referee = Referee(problem.solid.bounds)
        start = perf_counter()
        regions = sum(batch.count for batch in WalkRun(problem, referee, prove=prove).batches())
        results.append((perf_counter() - start, regions, referee.score.by_rationals))
    return min(results)


def timed(run: object) -> float:
    """Seconds of one call."""
    start = perf_counter()
    run()  # type: ignore[operator]
    return perf_counter() - start


def best(run: object) -> float:
    """Seconds of the fastest of a few calls."""
    return min(timed(run) for _ in range(REPEATS))


def linprog_regions(network: Network, domain: object, limit: int) -> int:
    """What a few lines of scipy do: two linear programs a neuron and cell, a tolerance instead of a proof."""
    assert isinstance(domain, Box)
    bounds = list(zip(domain.lower, domain.upper, strict=True))
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
