"""Around a point of classifiers with 784 inputs: regions, processor seconds, regions a second.

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/local.py [seconds a row]`` (some minutes). Two classifiers are
trained here, on ten noisy templates; the third is MNIST-FC's of the corpus, if there is one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

import polyregions as pr

PIXELS = pr.Box(0, 1, dim=784)
QUESTIONS: list[dict[str, Any]] = [
    {"radius": 0.01, "norm": "linf"},
    {"radius": 0.02, "norm": "linf"},
    {"radius": 0.2, "norm": "l2"},
    {"radius": 0.4, "norm": "l2"},
    {"radius": 2, "norm": "l1"},
    {"hops": 1},
    {"hops": 2},
]


def templates(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Ten smooth pictures (10, 784) in [0, 1]."""
    rows, columns = np.mgrid[0:28, 0:28] / 27
    waves = [
        np.sin(rng.uniform(2, 9) * rows + rng.uniform(2, 9) * columns + rng.uniform(0, 6)) for _ in range(10)
    ]
    return np.array([np.clip(wave, 0, 1).ravel() for wave in waves])


def trained(widths: tuple[int, ...], steps: int = 400) -> tuple[pr.Network, np.ndarray[Any, Any], float]:
    """A classifier trained by plain gradient descent, a picture, and the share of new pictures that it gets right."""
    rng = np.random.default_rng(0)
    pictures = templates(rng)
    sizes = [784, *widths, 10]
    W = [rng.normal(size=(n, k)) * (2 / k) ** 0.5 for k, n in zip(sizes, sizes[1:], strict=False)]
    b = [np.zeros(n) for n in sizes[1:]]
    for _ in range(steps):
        label = rng.integers(10, size=128)
        values = [noisy(pictures[label], rng)]
        for i, (w, c) in enumerate(zip(W, b, strict=True)):
            z = values[-1] @ w.T + c
            values.append(np.maximum(z, 0) if i < len(W) - 1 else z)
        p = np.exp(values[-1] - values[-1].max(axis=1, keepdims=True))
        slope = p / p.sum(axis=1, keepdims=True) - np.eye(10)[label]
        for i in reversed(range(len(W))):
            back = (slope @ W[i]) * (values[i] > 0)
            W[i] -= 0.05 / 128 * slope.T @ values[i]
            b[i] -= 0.05 / 128 * slope.sum(axis=0)
            slope = back
    net = pr.Network.from_layers(list(zip(W, b, strict=True)))
    label = rng.integers(10, size=1000)
    right = float(np.mean(np.argmax(net(noisy(pictures[label], rng)), axis=1) == label))
    return net, noisy(pictures[:1], rng)[0], right


def noisy(pictures: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Pictures with noise, in [0, 1]: many pixels are exactly 0 or 1."""
    return np.clip(pictures + 0.3 * rng.normal(size=pictures.shape), 0, 1).round(4)


def networks() -> Iterator[tuple[str, pr.Network, np.ndarray[Any, Any]]]:
    """Each with a picture."""
    for widths in ((32, 16), (64, 64)):
        net, x, right = trained(widths)
        yield f"trained 784-{'-'.join(map(str, widths))}-10 ({right:.1%} right)", net, x
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder:
        mnist = pr.load_network(Path(folder, "mnistfc/mnist-net_256x2.onnx"), check=False)
        box = pr.load_domain(Path(folder, "mnistfc/prop_0_0.03.vnnlib"))
        assert isinstance(box, pr.Box)
        yield "mnist-net_256x2", mnist, np.clip((box.lower + box.upper) / 2, 0, 1).round(4)


def main() -> None:
    """Print a row of a Markdown table for each question."""
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    print("| network | around the picture | regions | complete | seconds | regions a second |", flush=True)
    print("|---|---|---|---|---|---|", flush=True)
    for name, net, x in networks():
        pr.neighbourhood(net, x, hops=0, domain=PIXELS)
        for question in QUESTIONS:
            start = process_time()
            found = pr.neighbourhood(net, x, domain=PIXELS, time_limit=limit, **question)
            seconds = process_time() - start
            what = ", ".join(f"{key} {value}" for key, value in question.items())
            row = f"{len(found)} | {'yes' if found.complete else 'no'} | {seconds:.1f} | {len(found) / seconds:.1f}"
            print(f"| {name} | {what} | {row} |", flush=True)


if __name__ == "__main__":
    main()
