"""Does counting take memory that grows with the number of regions? Peak memory of whole processes.

Run with: ``python benchmarks/memory.py`` (two minutes; once before, if nothing was compiled yet: compiling takes
memory of its own). Each count runs in a process of its own; printed are its peak resident memory in MiB.
"""

from __future__ import annotations

import resource
import subprocess
import sys

from workloads import random_network

from polyregions import Box, count_regions

NETWORKS = [(6, (12, 12)), (8, (12, 12)), (8, (16, 16)), (8, (20, 16))]


def main() -> None:
    """Print a line for each network, or, as a child process, the figures of one."""
    if len(sys.argv) > 1:
        print(*measure(*NETWORKS[int(sys.argv[1])]))
        return
    print(f"{'inputs, widths':>16} {'regions':>9} {'peak MiB':>9}")
    for number, (d, widths) in enumerate(NETWORKS):
        command = [sys.executable, __file__, str(number)]
        regions, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        print(f"{d}, {'-'.join(map(str, widths)):>12} {regions:>9} {float(peak):>9.0f}", flush=True)


def measure(d: int, widths: tuple[int, ...]) -> tuple[int, float]:
    """Regions of one network on [-1, 1]^d, and the peak memory of this process."""
    regions = count_regions(random_network(d, widths), Box.cube(-1, 1, d))
    return regions, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
