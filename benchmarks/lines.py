"""A network along a segment, and the same segment enumerated as an input set: processor seconds, pieces, ratio.

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/lines.py`` (some minutes); without a corpus a random network.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

import numpy as np

import polyregions as pr
from workloads import random_network

CORPUS = {  # length of the segment in every input, about
    "acasxu/ACASXU_run2a_1_1_batch_2000.onnx": 0.5,
    "marabou/conv_mp1.onnx": 0.3,
    "marabou/cnn_max_mninst2.onnx": 0.1,
}


def networks() -> Iterator[tuple[pr.Network, float]]:
    """Each with the length of its segment."""
    yield random_network(10, (200, 200, 200)), 1.0
    folder = os.environ.get("POLYREGIONS_CORPUS")
    for name, length in CORPUS.items() if folder else ():
        yield pr.load_network(Path(folder or "", name), check=False), length


def best_of(n: int, task: Callable[[], object]) -> float:
    """The fewest processor seconds of n runs."""
    found = []
    for _ in range(n):
        start = process_time()
        task()
        found.append(process_time() - start)
    return min(found)


def main() -> None:
    """Print a row of a Markdown table for each network."""
    print(
        "| network | pieces | along_segment (s) | enumerate_regions (s) | ratio |",
        "|---|---|---|---|---|",
        sep="\n",
    )
    for net, length in networks():
        rng = np.random.default_rng(0)
        a = rng.uniform(0, 1, net.n_inputs).round(4)
        b = (a + length * rng.normal(size=net.n_inputs)).round(4)
        pieces, segment = pr.along_segment(net, a, b), pr.segment(a, b)
        assert len(pieces) == len(pr.enumerate_regions(net, segment))
        line = best_of(3, lambda net=net, a=a, b=b: pr.along_segment(net, a, b))
        regions = best_of(3, lambda net=net, segment=segment: pr.enumerate_regions(net, segment))
        print(
            f"| {net.name} | {len(pieces)} | {line:.2f} | {regions:.2f} | {regions / line:.1f} |", flush=True
        )


if __name__ == "__main__":
    main()
