"""Processor seconds for all faces, Betti numbers of both classes, levels, face counts and volumes; beside relucent.

Run with: ``python benchmarks/topology.py``. Best of three, compiled before. relucent (if it is installed) finds the
regions of all of R^d by walking from one to the next in floating point, and the Betti numbers of the whole complex over
two elements; "ours" on the same line is regions, faces and Betti numbers of the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from time import process_time

import numpy as np

import polyregions as pr

REPEATS = 3
BOXED = ((2, 64, 64, 64, 1), (3, 32, 32, 1), (3, 40, 40, 1), (3, 48, 48, 1), (4, 16, 16, 1))
SPACES = ((2, 10, 5, 1), (2, 16, 16, 1), (3, 8, 8, 1))


def network(sizes: tuple[int, ...], seed: int = 0) -> pr.Network:
    """A random one: normal weights over the root of the inputs, biases of a third of a unit."""
    rng = np.random.default_rng(seed)
    return pr.Network.from_layers(
        [
            (rng.normal(size=(n, k)) / np.sqrt(k), rng.normal(size=n) * 0.3)
            for k, n in zip(sizes, sizes[1:], strict=False)
        ]
    )


def seconds(ask: Callable[[], object], repeats: int = REPEATS) -> float:
    """The best processor time."""
    found = []
    for _ in range(repeats):
        start = process_time()
        ask()
        found.append(process_time() - start)
    return min(found)


def boxed(sizes: tuple[int, ...]) -> None:
    """One line: a network on a box."""
    net, box = network(sizes), pr.Box.cube(-1, 1, sizes[0])
    regions = pr.enumerate_regions(net, box)
    complex = pr.face_complex(regions)
    classes = seconds(lambda: [pr.betti_numbers(complex.where_class(k)) for k in (0, 1)])
    betti = " ".join(str(pr.betti_numbers(complex.where_class(k))) for k in (0, 1))
    times = (
        seconds(lambda: pr.enumerate_regions(net, box)),
        seconds(lambda: pr.face_counts(regions)),
        seconds(lambda: pr.region_volumes(regions)),
        seconds(lambda: pr.face_complex(regions)),
        classes,
        seconds(lambda: pr.persistent_homology(complex)),
        seconds(lambda: pr.critical_points(complex)),
    )
    print(
        f"{name(sizes):>12} {len(regions):>8} {len(complex):>9}" + "".join(f"{t:>9.2f}" for t in times),
        betti,
        flush=True,
    )


def spaces(sizes: tuple[int, ...]) -> None:
    """One line: the same work by relucent, over all of R^d."""
    net = network(sizes)
    ours = seconds(
        lambda: pr.betti_numbers(pr.face_complex(pr.enumerate_regions(net, pr.WholeSpace(sizes[0]))), "GF(2)")
    )
    regions = pr.enumerate_regions(net, pr.WholeSpace(sizes[0]))
    found = relucent(net)
    if found is None:
        print(f"{name(sizes):>12} {len(regions):>8} {ours:>9.3f}   relucent is not installed", flush=True)
        return
    theirs, count, betti = found
    print(
        f"{name(sizes):>12} {len(regions):>8} {ours:>9.3f} {theirs:>9.2f} {theirs / ours:>7.0f}x {count:>8} {betti}",
        flush=True,
    )


def relucent(net: pr.Network) -> tuple[float, int, object] | None:
    """Processor seconds, regions and Betti numbers; None where it is not installed."""
    try:
        import torch
        from relucent import Complex
    except ImportError:
        return None
    layers: list[torch.nn.Module] = []
    for layer in net.layers:
        linear = torch.nn.Linear(layer.n_inputs, layer.n_units)
        linear.weight.data, linear.bias.data = torch.tensor(layer.weight), torch.tensor(layer.bias)
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1]).double()
    start = process_time()
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        complex = Complex(model)
        complex.bfs(nworkers=1, verbose=0)
        betti = complex.betti_numbers(verbose=0)
    return process_time() - start, len(complex), betti


def name(sizes: tuple[int, ...]) -> str:
    """A network by its widths."""
    return f"{sizes[0]}," + "-".join(map(str, sizes[1:-1]))


def main() -> None:
    """Both tables."""
    for d in (2, 3, 4):
        complex = pr.face_complex(pr.enumerate_regions(network((d, 3, 1)), pr.Box.cube(-1, 1, d)))
        pr.betti_numbers(complex), pr.critical_points(complex), pr.persistent_homology(complex)
        pr.region_volumes(pr.enumerate_regions(network((d, 3, 1)), pr.Box.cube(-1, 1, d)))
    heads = (
        "network",
        "regions",
        "faces",
        "regions",
        "f-vector",
        "volumes",
        "complex",
        "classes",
        "levels",
        "critical",
    )
    print(
        "{:>12} {:>8} {:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}".format(*heads), "Betti numbers of the classes"
    )
    for sizes in BOXED:
        boxed(sizes)
    print(
        "{:>12} {:>8} {:>9} {:>9} {:>8} {:>8}".format(
            "over R^d", "regions", "ours", "relucent", "", "regions"
        )
    )
    for sizes in SPACES:
        spaces(sizes)


if __name__ == "__main__":
    main()
