"""The least memory of a Dask worker: what it takes at its highest, and which limits are enough.

Run as ``python benchmarks/worker_memory.py``; the first process compiles into an empty cache of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from distributed import Client, LocalCluster

import polyregions as pr
from polyregions.errors import PolyregionsError
from workloads import random_network

LIMITS = ("200MB", "250MB", "300MB", "350MB", "400MB", "500MB")


def problem() -> tuple[pr.Network, pr.Box]:
    """4 inputs, 14 and 12 neurons: some thousand regions."""
    return random_network(4, (14, 12)), pr.Box.cube(-2, 2, 4)


def highest() -> int:
    """The most resident memory that this process has had, in MB."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 // 10**6


def cluster(limit: str | int = 0) -> LocalCluster:
    """One worker process of one thread; no limit where it is 0."""
    return LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=limit
    )


def compiling() -> None:
    """Print the memory of a process that compiles first."""
    with tempfile.TemporaryDirectory() as cache:
        words = [sys.executable, __file__, "--alone"]
        subprocess.run(words, check=True, env={**os.environ, "NUMBA_CACHE_DIR": cache})


def main() -> None:
    """Print the memory of a worker, then which limits are enough."""
    compiling()
    with cluster() as running, Client(running) as client:
        print("idle", *client.run(highest).values(), "MB")
        found = pr.enumerate_regions(*problem(), executor=client.get_executor())
        print(len(found), "regions", *client.run(highest).values(), "MB")
    for limit in LIMITS:
        with cluster(limit) as running, Client(running) as client:
            try:
                count = pr.count_regions(*problem(), executor=client.get_executor(), stall_limit=20)
                print(limit, count, flush=True)
            except PolyregionsError as error:
                print(limit, type(error).__name__, error, flush=True)


if __name__ == "__main__":
    if "--alone" in sys.argv:
        print("compiling", pr.count_regions(*problem(), workers=1), highest(), "MB")
    else:
        main()
