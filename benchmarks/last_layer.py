"""How much faster is counting than enumerating? The compiled engine with and without going to the last layer's regions.

Run with: ``python benchmarks/last_layer.py`` (one core, less than a minute). Seconds are processor time; the ratio is
of the same work in the same run. "Before the last layer" are the cells that the last layer is counted on.
"""

from __future__ import annotations

from time import process_time

from polyregions.engine.job import COUNTED_ROOM
from polyregions.engine.reduction import reduce
from polyregions.engine.walk.driver import WalkRun
from polyregions.networks.problem import pose
from polyregions.polyhedra.oracle.referee import Referee
from workloads import Workload, workloads

REPEATS = 3


def main() -> None:
    """Print one line a network."""
    heads = ("network", "regions", "before the last layer", "enumerate s", "count s", "ratio")
    print("{:>22} {:>8} {:>21} {:>11} {:>8} {:>6}".format(*heads))
    for load in workloads():
        measure(load, True), measure(load, False)  # compiles, or loads compiled code
        slow, regions, _ = min(measure(load, True) for _ in range(REPEATS))
        fast, counted, after = min(measure(load, False) for _ in range(REPEATS))
        assert regions == counted
        before = after[-2] if len(after) > 1 else 1
        print(f"{load.name:>22} {regions:>8} {before:>21} {slow:>11.3f} {fast:>8.3f} {slow / fast:>6.2f}")


def measure(load: Workload, keep: bool) -> tuple[float, int, list[int]]:
    """Seconds of one pass over the regions, how many there are, and how many after each layer."""
    problem = reduce(pose(load.network, load.domain)).problem
    part = WalkRun(problem, keep).part(0, Referee(problem.solid.bounds))
    start = process_time()
    regions = sum(batch.count for batch in part.batches(lambda: COUNTED_ROOM))
    return process_time() - start, regions, part.counts.after.tolist()


if __name__ == "__main__":
    main()
