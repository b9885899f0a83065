"""How near is an estimate to the truth? 20 seeds on each network, as ratios to the count.

Run with: ``python benchmarks/estimate.py`` (a quarter of an hour on one core). "within 3" is the number of seeds whose
estimate is at least a third and at most three times the count, "in range" that of those whose printed range holds it.
"""

from __future__ import annotations

from time import process_time

import numpy as np

from polyregions import count_regions, estimate_regions
from workloads import Workload, acas_middle, workloads

SEEDS = 20
LARGE = 10_000  # smaller counts are made in less time than estimates


def main() -> None:
    """Print a line for each network with many regions."""
    print(
        "| network | regions | lowest | median | highest | within 3 | in range | s each |\n"
        + "|---" * 8
        + "|"
    )
    problems = list(workloads())
    if problems[-1].name.startswith("ACAS"):
        problems.append(Workload("ACAS Xu 1_1, middle 30 %", *acas_middle()))
    for load in problems:
        truth = count_regions(load.network, load.domain)
        if truth >= LARGE:
            print(line(load, truth), flush=True)


def line(load: Workload, truth: int) -> str:
    """The estimates of one network."""
    start = process_time()
    found = [estimate_regions(load.network, load.domain, trial=0.0, seed=seed) for seed in range(SEEDS)]
    seconds = (process_time() - start) / SEEDS
    ratios = np.array([estimate.regions / truth for estimate in found])
    near = int(np.count_nonzero((ratios >= 1 / 3) & (ratios <= 3)))
    covered = sum(estimate.low <= truth <= estimate.high for estimate in found)
    low, middle, high = ratios.min(), np.median(ratios), ratios.max()
    return (
        f"| {load.name} | {truth:,} | {low:.2f} | {middle:.2f} | {high:.2f} | {near} of {SEEDS} | "
        f"{covered} of {SEEDS} | {seconds:.1f} |"
    )


if __name__ == "__main__":
    main()
