"""Which compiled engine is the faster one, for listing and for counting, and who settles the signs of the cells?

Run with: ``python benchmarks/cells.py`` (one thread; some minutes; ``POLYREGIONS_CORPUS`` for ACAS Xu). Processor
seconds, the best of several, the engines one after the other. regioncam (two inputs, float32, nothing proved) is timed
where it is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import combinations, product
from time import process_time
from typing import Any

import numpy as np

from polyregions import Box, Network, WholeSpace, enumerate_regions, tally_regions
from polyregions.engine.cells.driver import CellsRun
from polyregions.engine.cells.state import N_OPEN, N_OPEN_SHARP, N_OPEN_WHOLE, N_SIGNS_ASKED
from polyregions.engine.reduction import reduce
from polyregions.networks.problem import pose
from polyregions.polyhedra.oracle.referee import Referee
from workloads import Workload, acas_middle, random_network, workloads

GENERIC = [
    (1, (50, 50)),
    (2, (16, 16)),
    (2, (32, 32)),
    (2, (200,)),
    (2, (64, 64, 64)),
    (2, (16,) * 6),
    (3, (32, 32)),
    (3, (100,)),
    (3, (12,) * 5),
    (4, (24, 24)),
    (4, (40,)),
    (4, (10,) * 6),
    (5, (30,)),
    (5, (16, 16)),
    (5, (8,) * 5),
    (6, (12, 12)),
    (6, (22,)),
]
SLOW = 2.0  # seconds after which one run is enough
LONG = 1.0  # seconds of the cells after which the walk is not asked
ENDLESS = 60.0  # seconds of a first run, which may compile, after which there is no other


def main() -> None:
    """Print one line a network."""
    heads = ("network", "regions", "cells/s", "/ walk", "count/s", "/ walk", "/ regioncam")
    print("{:>26} {:>8} {:>8} {:>7} {:>8} {:>7} {:>11}  signs left after each step".format(*heads))
    for load in [*generic(), *degenerate(), *real()]:
        report(load)


def report(load: Workload) -> None:
    """Measure one network with both engines."""
    n, cells = listed(load, "cells")
    walk = listed(load, "walk")[1] if cells < LONG else np.nan
    counted = best(lambda: tally_regions(load.network, load.domain, engine="cells", workers=1))[1]
    walked = np.nan
    if cells < LONG:
        walked = best(lambda: tally_regions(load.network, load.domain, engine="walk", workers=1))[1]
    print(
        f"{load.name:>26} {n:>8} {n / cells:>8.0f} {walk / cells:>7.1f} {n / counted:>8.0f} {walked / counted:>7.1f} "
        f"{regioncam(load, cells):>11}  {signs(load)}",
        flush=True,
    )


def listed(load: Workload, engine: str) -> tuple[int, float]:
    """How many regions there are, and the seconds to list them."""
    found, seconds = best(lambda: enumerate_regions(load.network, load.domain, engine=engine, workers=1))
    return len(found), seconds


def best(work: Callable[[], Any], repeats: int = 5) -> tuple[Any, float]:
    """The result and the least processor time of some runs, the first not counted: it may compile."""
    times: list[float] = []
    while len(times) < 2 or (len(times) <= repeats and times[1] < SLOW):
        start = process_time()
        result = work()
        times.append(process_time() - start)
        if len(times) == 1 and times[0] > ENDLESS:
            break
    return result, min(times[1:] or times)


def signs(load: Workload) -> str:
    """How many signs were asked, and how many stayed open when computed, sharpened, in integers; zeros of rationals."""
    problem = reduce(pose(load.network, load.domain)).problem
    run, totals, questions = CellsRun(problem), np.zeros(4, dtype=np.int64), 0
    for start in run.starts():
        referee = Referee(problem.solid.bounds)
        part = run.part(start, referee)
        for _ in part.batches():
            pass
        questions += referee.score.by_rationals
        if hasattr(part, "registers"):
            totals += part.registers[[N_SIGNS_ASKED, N_OPEN, N_OPEN_SHARP, N_OPEN_WHOLE]]
    return f"{' > '.join(map(str, totals.tolist()))}; {questions} questions to rationals"


def generic() -> Iterator[Workload]:
    """Random networks on [-1, 1]^d."""
    for d, widths in GENERIC:
        network = random_network(d, widths)
        yield Workload(network.name, network, Box.cube(-1, 1, d))


def degenerate() -> Iterator[Workload]:
    """Arrangements over all of R^d, and networks with small integers, quantised weights, and without biases."""
    for make, n in (
        *((braid, 6), (braid, 7), (catalan, 5), (catalan, 6), (linial, 6), (linial, 7)),
        *((type_d, 5), (type_d, 6), (resonance, 5), (resonance, 6)),
    ):
        rows = make(n)
        yield Workload(f"{make.__name__}({n})", arrangement(rows), WholeSpace(rows.shape[1] - 1))
    rng = np.random.default_rng(0)
    for name, d, step, bias in (("quantised 3, 24-24", 3, 1 / 16, 1.0), ("no bias 3, 24-24", 3, 0.0, 0.0)):
        layers, k = [], d
        for n in (24, 24, 1):
            weight = rng.normal(size=(n, k))
            layers.append(
                (
                    np.round(weight / step) * step if step else weight,
                    bias * np.round(rng.normal(size=n) * 8) / 16,
                )
            )
            k = n
        yield Workload(name, Network.from_layers(layers, name=name), Box.cube(-1, 1, d))


def real() -> Iterator[Workload]:
    """ACAS Xu 1_1 on the box of property 3 and on the middle 30 % of the ranges, where the corpus is."""
    yield from (load for load in workloads() if load.name.startswith("ACAS"))
    if os.environ.get("POLYREGIONS_CORPUS"):
        yield Workload("ACAS Xu 1_1, middle", *acas_middle())


def braid(n: int) -> Any:
    """Rows x_i = x_j in n - 1 dimensions: x_n is 0."""
    eye = np.vstack([np.eye(n - 1), np.zeros(n - 1)])
    return np.array([[*(eye[i] - eye[j]), 0.0] for i, j in combinations(range(n), 2)])


def catalan(n: int) -> Any:
    """Rows x_i - x_j = -1, 0, 1 in n - 1 dimensions."""
    return np.array([[*row[:-1], c] for row in braid(n) for c in (-1.0, 0.0, 1.0)])


def linial(n: int) -> Any:
    """Rows x_i - x_j = 1 in n - 1 dimensions."""
    return np.array([[*row[:-1], -1.0] for row in braid(n)])


def type_d(n: int) -> Any:
    """Rows x_i = x_j and x_i = -x_j."""
    eye = np.eye(n)
    return np.array([[*(eye[i] + s * eye[j]), 0.0] for i, j in combinations(range(n), 2) for s in (-1, 1)])


def resonance(n: int) -> Any:
    """All sums of coordinates."""
    return np.array([[*row, 0.0] for row in product((0.0, 1.0), repeat=n) if any(row)])


def arrangement(rows: Any) -> Network:
    """One layer whose neurons are the rows."""
    return Network.from_layers([(rows[:, :-1], rows[:, -1]), (np.ones((1, len(rows))), np.zeros(1))])


def regioncam(load: Workload, cells: float) -> str:
    """How many times regioncam takes as long, where it is installed and can take the network."""
    try:
        import regioncam as peer
    except ImportError:
        return "-"
    if load.network.n_inputs != 2 or not isinstance(load.domain, Box):
        return "-"

    def run() -> Any:
        regions = peer.Regioncam(size=1.0)
        *hidden, last = load.network.layers
        for layer in hidden:
            regions.linear(layer.weight.T.astype(np.float32), layer.bias.astype(np.float32))
            regions.relu()
        return regions

    return f"{best(run)[1] / cells:.2f}"


if __name__ == "__main__":
    main()
