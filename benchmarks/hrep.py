"""What does it take to save regions with their minimal H-representations and affine maps?

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/hrep.py`` (three minutes). Processor seconds of saving, megabytes
of the file, and the peak memory of the whole process, one for each format: ACAS Xu 1_1 on the box of property 3.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

from polyregions import enumerate_regions, save
from workloads import workloads

FORMATS = (".npz", ".parquet", ".json", ".mat")


def main() -> None:
    """A process for each format, so that each has a peak of its own."""
    for suffix in FORMATS:
        subprocess.run([sys.executable, __file__, suffix], check=True)


def measure(suffix: str) -> None:
    """Save the regions once."""
    load = next(load for load in workloads() if load.name.startswith("ACAS"))
    regions = enumerate_regions(load.network, load.domain, workers=1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"regions{suffix}"
        start = process_time()
        save(regions, file, hrep=suffix in (".npz", ".parquet"))
        seconds, size = process_time() - start, file.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{suffix:>9} {seconds:>6.1f} s {size:>6.1f} MB {peak:>6.0f} MiB at most", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        main()
