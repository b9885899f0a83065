"""Processor seconds of what is asked after an enumeration: 4 inputs, 11 and 10 neurons, 3 outputs.

Run as ``python benchmarks/queries.py [FRACTION]``; a fraction below 1 shrinks the domain's box.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import process_time

import numpy as np

import polyregions as pr


def network(sizes: tuple[int, ...] = (4, 11, 10, 3), seed: int = 0) -> pr.Network:
    """A random one: normal weights over the root of half the inputs, biases of half a unit."""
    rng = np.random.default_rng(seed)
    return pr.Network.from_layers(
        [
            (rng.normal(size=(n, k)) * np.sqrt(2 / k), rng.normal(size=n) * 0.5)
            for k, n in zip(sizes, sizes[1:], strict=False)
        ]
    )


def timed(name: str, ask: Callable[[], object]) -> None:
    """Print how long a question takes."""
    start = process_time()
    ask()
    print(f"{name:16} {process_time() - start:8.2f} s", flush=True)


def main(size: float) -> None:
    """Ask every question once."""
    net, box = network(), pr.Box.cube(-size, size, 4)
    pr.enumerate_regions(net, pr.Box.cube(-0.01, 0.01, 4))  # compiled before the clock starts
    timed("enumerate", lambda: pr.enumerate_regions(net, box))
    regions = pr.enumerate_regions(net, box)
    print(len(regions), "regions")
    above = pr.HPolytope(-np.eye(3), [-1e3] * 3)
    timed("preimage", lambda: pr.preimage(regions, above))
    timed("level_set", lambda: pr.level_set(regions, 1e3))
    timed("output_range", lambda: pr.output_range(regions))
    timed("image", lambda: pr.image(regions))
    timed("region_volumes", lambda: pr.region_volumes(regions))
    timed("face_counts", lambda: pr.face_counts(regions))


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
