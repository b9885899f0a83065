"""How much faster are more workers? Wall and processor time of the same enumeration with 1, 2, 4, ... of them.

Run with: ``python benchmarks/parallel.py`` (four minutes on two cores, which should be idle: "busy" is the processor
time of the run over the wall time, and falls short of the number of workers where others use the machine). "work" is
the processor time over that of one worker: what sharing out costs. Files are compared byte for byte. "tasks" is how
many subtrees were handed out and "bytes" what a region takes on the way back from another process.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from time import perf_counter, process_time

from polyregions import Box, RegionSet, enumerate_regions
from polyregions.engine.job import COMPILED_BUDGET, Job
from polyregions.engine.perform import perform
from polyregions.engine.reduction import reduce
from polyregions.networks.problem import pose
from workloads import random_network

NETWORK = (8, (20, 20))


def main() -> None:
    """Print a line for each number of workers, and what it takes to plan a run on a cluster."""
    d, widths = NETWORK
    network, box = random_network(d, widths), Box.cube(-1, 1, d)
    enumerate_regions(network, box, max_regions=1)  # compiles, or loads compiled code
    most = int(sys.argv[1]) if len(sys.argv) > 1 else os.cpu_count() or 1
    counts = [2**i for i in range(most.bit_length())]
    print(f"{'workers':>7} {'regions':>9} {'seconds':>8} {'speed-up':>8} {'busy':>5} {'work':>5}  file")
    first: tuple[float, float] | None = None
    for workers in counts:
        wall, work = perf_counter(), process_time()
        regions = enumerate_regions(network, box, workers=workers)
        wall, work = perf_counter() - wall, process_time() - work
        first = first or (wall, work)
        print(
            f"{workers:>7} {len(regions):>9} {wall:>8.1f} {first[0] / wall:>8.2f} {work / wall:>5.2f} "
            f"{work / first[1]:>5.2f}  {digest(regions)}",
            flush=True,
        )
    costs(network, box)


def costs(network: object, box: Box) -> None:
    """What travels: the job once, a task, and its regions."""
    whole = pose(network, box)  # type: ignore[arg-type]
    job = Job(reduce(whole), whole, True, False, True, COMPILED_BUDGET)
    outcome = perform(job, job.tasks()[0])
    assert outcome.batch is not None
    tasks = [len(pickle.dumps(task)) for task in outcome.rest]
    per_region = len(pickle.dumps(outcome.batch)) / outcome.batch.count
    print(f"bytes: job {len(pickle.dumps(job))}, tasks up to {max(tasks)}, a region {per_region:.0f}")


def digest(regions: RegionSet) -> str:
    """Of all that a file would hold of the regions."""
    arrays = (regions.packed, regions.packed_cuts, regions.local_points)
    both = (
        b"".join(array.tobytes() for array in arrays)
        + repr((dict(regions.rational_points), dict(regions.score))).encode()
    )
    return hashlib.sha256(both).hexdigest()[:16]


if __name__ == "__main__":
    main()
