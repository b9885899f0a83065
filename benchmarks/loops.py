"""Controllers of the corpus with linear plants, and a learned system, many steps exactly: how much, how long?

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/loops.py``. The plants are those of ARCH-COMP's descriptions,
linearised at rest and discretised by Euler's rule with the step given: they are linear systems of our own with those
controllers, not the competition's nonlinear ones. Van der Pol's system is a network as it stands.

Printed are, for a number of steps, the regions on which all of them are affine, the exact extent of one quantity
over all steps, and processor seconds; run it twice if nothing has been compiled yet.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from time import process_time

import numpy as np

from polyregions import (
    Box,
    HPolytope,
    Network,
    Trajectories,
    closed_loop,
    compose,
    image,
    load_network,
    maximize,
    output_range,
    preimage,
    trajectories,
)


@dataclass(frozen=True)
class Case:
    """A system and what is asked of it.

    Attributes:
        network: one step.
        starts: where it begins.
        steps: how many.
        quantity: coefficients of the states, whose extent is wanted.
    """

    name: str
    network: Network
    starts: Box
    steps: int
    quantity: list[Fraction]


def main() -> None:
    """Go through the cases, print."""
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder is None:
        sys.exit("set POLYREGIONS_CORPUS to the folder of the corpus")
    for case in cases(Path(folder)):
        started = process_time()
        found = trajectories(case.network, case.starts, case.steps)
        listed = process_time() - started
        low, high = extent(found, case.quantity)
        print(
            f"{case.name}: {case.steps} steps, {len(found.regions)} regions in {listed:.1f} s, "
            f"quantity within [{low:.6g}, {high:.6g}] in {process_time() - started - listed:.1f} s",
            flush=True,
        )
    forward_and_back(Path(folder))


def cases(folder: Path) -> Iterator[Case]:
    """The controllers of ARCH-COMP."""
    yield single_pendulum(folder)
    yield double_pendulum(folder)
    yield cruise_control(folder)


def single_pendulum(folder: Path) -> Case:
    """x'' = 2 x + 8 u, steps of 1/20; the angle."""
    h = Fraction(1, 20)
    controller = load_network(folder / "archcomp/controller_single_pendulum.onnx")
    step = closed_loop([[1, h], [2 * h, 1]], [[0], [8 * h]], controller)
    return Case("single pendulum", step, Box([1, 0], [1.2, 0.2]), 20, [Fraction(1), Fraction(0)])


def double_pendulum(folder: Path) -> Case:
    """x1'' = 4 x1 - 2 x2 + 8 u1 - 8 u2, x2'' = 4 x2 - 4 x1 + 16 u2 - 8 u1, steps of 1/20; the first angle."""
    h = Fraction(1, 20)
    controller = load_network(folder / "archcomp/controller_double_pendulum_less_robust.onnx")
    A = [[1, 0, h, 0], [0, 1, 0, h], [4 * h, -2 * h, 1, 0], [-4 * h, 4 * h, 0, 1]]
    B = [[0, 0], [0, 0], [8 * h, -8 * h], [-8 * h, 16 * h]]
    return Case(
        "double pendulum",
        closed_loop(A, B, controller),
        Box([1] * 4, [1.3] * 4),
        10,
        [Fraction(c) for c in (1, 0, 0, 0)],
    )


def cruise_control(folder: Path) -> Case:
    """Two cars with lags, place, speed and acceleration each, without friction, steps of 1/10.

    The quantity is the distance beyond the safe one, x_1 - x_2 - 1.4 v_2 (it should stay above 10).
    """
    h, gap = Fraction(1, 10), Fraction(7, 5)
    A = np.array([[Fraction(int(i == j)) for j in range(6)] for i in range(6)])
    for row in (0, 1, 3, 4):
        A[row, row + 1] = h
    A[2, 2] = A[5, 5] = 1 - 2 * h
    seen = [[0] * 6, [0] * 6, [0, 0, 0, 0, 1, 0], [1, 0, 0, -1, 0, 0], [0, 1, 0, 0, -1, 0]]
    controller = compose(
        load_network(folder / "archcomp/controller_5_20.onnx"),
        Network.from_layers([(seen, [30, gap, 0, 0, 0])]),
    )
    step = closed_loop(A.tolist(), [[0]] * 5 + [[2 * h]], controller, [0, 0, -4 * h, 0, 0, 0])
    starts = Box([90, 32, 0, 10, 30, 0], [110, 32.2, 0, 11, 30.2, 0])
    return Case(
        "cruise control", step, starts, 20, [Fraction(c) for c in (1, 0, 0, -1)] + [-gap, Fraction(0)]
    )


def extent(found: Trajectories, quantity: list[Fraction]) -> tuple[float, float]:
    """Least and largest value of the quantity over all steps."""
    opposite = [-c for c in quantity]
    after = [found.after(step) for step in range(1, found.steps + 1)]
    high = max(maximize(regions, outputs=quantity).value for regions in after)
    return min(-maximize(regions, outputs=opposite).value for regions in after), high


def forward_and_back(folder: Path, steps: int = 20) -> None:
    """Van der Pol's system: where the starts are at the end, and which of them are right of the middle then."""
    started = process_time()
    found = trajectories(van_der_pol(folder), Box(0.9, 1.1, dim=2), steps)
    listed = process_time() - started
    (low, high), _ = output_range(found.regions)
    sets = image(found.regions)
    middle = (low.exact + high.exact) / 2
    right = preimage(found.regions, HPolytope([[-1, 0]], [-middle]))
    area = sum((piece.polytope.exact_volume() for piece in right if piece.dim == 2), Fraction(0))
    asked = process_time() - started - listed
    print(
        f"van der pol: {steps} steps, {len(found.regions)} regions in {listed:.1f} s; {len(sets)} images, "
        f"{float(25 * area):.4f} of the starts end right of {float(middle):.4g}, in {asked:.1f} s"
    )


def van_der_pol(folder: Path) -> Network:
    """The network with its normalisation of inputs and outputs, exactly."""
    with np.load(folder / "rpm/vanderpol_weights.npz") as file:
        arrays = [file[f"arr_{i}"] for i in range(len(file.files))]
    with np.load(folder / "rpm/vanderpol_norm_params.npz") as file:
        scales = {key: [Fraction(float(v)) for v in file[key].ravel()] for key in file.files}
    net = Network.from_layers(list(zip(arrays[::2], arrays[1::2], strict=True)))
    normal = [-m / s for m, s in zip(scales["X_mean"], scales["X_std"], strict=True)]
    into = diagonal([1 / s for s in scales["X_std"]], normal)
    return compose(diagonal(scales["Y_std"], scales["Y_mean"]), compose(net, into))


def diagonal(factors: list[Fraction], offsets: list[Fraction]) -> Network:
    """Each value times its factor, plus its offset."""
    rows = [[f if i == j else Fraction(0) for j in range(len(factors))] for i, f in enumerate(factors)]
    return Network.from_layers([(rows, offsets)])


if __name__ == "__main__":
    main()
