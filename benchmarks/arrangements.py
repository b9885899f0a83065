"""One hidden layer over R^d: its characteristic polynomial beside the engine that counts regions one by one.

Run with: ``python benchmarks/arrangements.py`` (two minutes). Processor seconds, one run each, compiled before; the
engine is stopped after 40 seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product
from time import process_time
from typing import Any

import numpy as np

import polyregions as pr

LIMIT = 40.0


def arrangement(rows: Any, constants: Any = None) -> pr.Network:
    """A network whose neurons vanish on the given hyperplanes."""
    normals = np.asarray(rows, dtype=float)
    bias = np.zeros(len(normals)) if constants is None else constants
    return pr.Network.from_layers([(normals, bias), (np.ones((1, len(normals))), [0])])


def cases() -> Iterator[tuple[str, pr.Network]]:
    """Generic, of small integers, through the origin, and two of the literature."""
    rng = np.random.default_rng(0)
    for n, d in ((300, 2), (40, 3), (25, 4), (18, 5), (14, 8)):
        yield f"generic {n}, {d}", arrangement(rng.normal(size=(n, d)), rng.normal(size=n))
    for n, d in ((40, 3), (20, 4)):
        yield f"small integers {n}, {d}", arrangement(rng.integers(-2, 3, (n, d)), rng.integers(-2, 3, n))
    yield "zero bias 20, 4", arrangement(rng.normal(size=(20, 4)))
    for k in (6, 7):
        yield f"braid {k}", arrangement([np.eye(k)[i] - np.eye(k)[j] for i, j in combinations(range(k), 2)])
    for k in (4, 5, 6):
        yield f"resonance {k}", arrangement([signs for signs in product((0, 1), repeat=k) if any(signs)])


def timed(work: Callable[[], pr.Tally]) -> tuple[pr.Tally, float]:
    """What is counted, and the processor seconds it takes."""
    start = process_time()
    return work(), process_time() - start


def main() -> None:
    """Print the table."""
    pr.tally_regions(arrangement(np.eye(2)), pr.WholeSpace(2), engine="walk", workers=1)  # compiles
    print("| network | regions | polynomial, s | engine, s |\n|---|---|---|---|")
    for name, network in cases():
        space = pr.WholeSpace(network.n_inputs)
        fast, seconds = timed(lambda n=network, s=space: pr.tally_regions(n, s))
        slow, longer = timed(
            lambda n=network, s=space: pr.tally_regions(n, s, engine="walk", workers=1, time_limit=LIMIT)
        )
        assert fast.complete and (not slow.complete or slow.regions == fast.regions)
        engine = f"{longer:.3f}" if slow.complete else f"more than {LIMIT:.0f}"
        print(f"| {name} | {fast.regions:,} | {seconds:.3f} | {engine} |", flush=True)


if __name__ == "__main__":
    main()
