"""Does streaming to a folder take memory that grows, and what does it cost? Whole processes, one after the other.

Run with: ``python benchmarks/store.py`` (about ten minutes on two cores; once before, if nothing was compiled yet).
Printed are the regions, the wall time, the rate, the peak resident memory in MiB, and the bytes of the shards for each
region. "count" counts, "stream" writes Parquet shards, "memory" keeps the regions in memory. The last lines count
ACAS Xu 1_1 on the middle 30 % of each input's range (if POLYREGIONS_CORPUS names the corpus) with one worker and two.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from polyregions import Box, Network, count_regions, enumerate_regions
from workloads import acas_middle, random_network

RUNS = [
    ("count", (8, (16, 16)), None),
    ("count", (8, (24, 20)), None),
    ("memory", (8, (16, 16)), None),
    ("stream", (8, (12, 12)), None),
    ("stream", (8, (16, 16)), None),
    ("stream", (8, (20, 16)), None),
    ("count", "ACAS Xu 1_1, middle 30 %", 1),
    ("count", "ACAS Xu 1_1, middle 30 %", 2),
    ("stream", "ACAS Xu 1_1, middle 30 %", 2),
]


def main() -> None:
    """Print a line for each run, or, as a child process, the figures of one."""
    if len(sys.argv) > 1:
        print(*measure(*RUNS[int(sys.argv[1])]))
        return
    print(
        f"{'what':>7} {'network':>26} {'workers':>7} {'regions':>10} {'s':>7} {'regions/s':>9} {'MiB':>5} {'B':>4}"
    )
    for number, (what, network, workers) in enumerate(RUNS):
        if isinstance(network, str) and "POLYREGIONS_CORPUS" not in os.environ:
            continue
        command = [sys.executable, __file__, str(number)]
        found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        regions, seconds, peak, size = int(found[0]), *map(float, found[1:])
        name = network if isinstance(network, str) else f"{network[0]}, {'-'.join(map(str, network[1]))}"
        print(
            f"{what:>7} {name:>26} {workers or 'all':>7} {regions:>10} {seconds:>7.1f} {regions / seconds:>9.0f} "
            f"{peak:>5.0f} {size / regions:>4.0f}",
            flush=True,
        )


def measure(
    what: str, network: str | tuple[int, tuple[int, ...]], workers: int | None
) -> tuple[int, float, float, int]:
    """Regions, seconds, peak memory of this process in MiB, and bytes of the shards."""
    net, box = problem(network)
    enumerate_regions(net, box, max_regions=1)
    start, size = perf_counter(), 0
    if what == "count":
        regions = count_regions(net, box, workers=workers)
    elif what == "memory":
        regions = len(enumerate_regions(net, box, workers=workers))
    else:
        with TemporaryDirectory() as folder:
            regions = len(enumerate_regions(net, box, workers=workers, store=folder))
            size = sum(file.stat().st_size for file in Path(folder).glob("*.parquet"))
    return regions, perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, size


def problem(network: str | tuple[int, tuple[int, ...]]) -> tuple[Network, Box]:
    """The network and its box."""
    if isinstance(network, str):
        return acas_middle()
    return random_network(*network), Box.cube(-1, 1, network[0])


if __name__ == "__main__":
    main()
