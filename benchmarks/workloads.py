"""Networks that the benchmarks run on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polyregions import Box, Network, load_domain, load_network
from polyregions.polyhedra.domain import Domain

RANDOM = [
    (2, (32, 32)),
    (3, (32, 32)),
    (4, (24, 24)),
    (5, (30,)),
    (6, (12, 12)),
    (8, (12, 12)),
    (8, (20,)),
    (12, (16,)),
    (16, (16,)),
    (2, (16,) * 6),
    (3, (12,) * 5),
    (4, (10,) * 6),
]


@dataclass(frozen=True)
class Workload:
    """A named network and input set."""

    name: str
    network: Network
    domain: Domain


def random_network(d: int, widths: tuple[int, ...], seed: int = 0) -> Network:
    """Weights normal with variance 2 / fan-in, biases normal with deviation 1/2."""
    rng = np.random.default_rng(seed)
    layers, k = [], d
    for n in (*widths, 1):
        layers.append((rng.normal(size=(n, k)) * np.sqrt(2 / k), rng.normal(size=n) * 0.5))
        k = n
    return Network.from_layers(layers, name=f"{d}, {'-'.join(map(str, widths))}")


def workloads() -> Iterator[Workload]:
    """Random networks on [-1, 1]^d, and ACAS Xu 1_1 where the corpus is there."""
    for d, widths in RANDOM:
        network = random_network(d, widths)
        yield Workload(network.name, network, Box.cube(-1, 1, d))
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder:
        acas = Path(folder) / "acasxu"
        network = load_network(acas / "ACASXU_run2a_1_1_batch_2000.onnx")
        yield Workload("ACAS Xu 1_1, prop 3", network, load_domain(acas / "prop_3.vnnlib"))


def acas_middle() -> tuple[Network, Box]:
    """ACAS Xu 1_1 on the middle 30 % of each input's range.

    The ranges in the network's own units: distance (0 to 60,760 ft, mean 19,791.091, range 60,261), the other four
    from -1/2 to 1/2.
    """
    low, high = (0 - 19791.091) / 60261, (60760 - 19791.091) / 60261
    middle, half = (low + high) / 2, 0.15 * (high - low)
    network = load_network(Path(os.environ["POLYREGIONS_CORPUS"]) / "acasxu/ACASXU_run2a_1_1_batch_2000.onnx")
    return network, Box([middle - half, *[-0.15] * 4], [middle + half, *[0.15] * 4])
