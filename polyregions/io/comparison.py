"""Comparing an imported network with its source on random points."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polyregions._types import Floats
from polyregions.io.chain import Chain, Gather, Offset, Step
from polyregions.network import Network

N_POINTS: Final = 8
SEED: Final = 20250101

SAFETY: Final = 16.0
"""Factor above the expected rounding error from which a difference is called a mismatch."""


def sample_points(n_points: int, dim: int) -> Floats:
    """Points (n_points, dim), the same in every run, of several magnitudes, exact in float16."""
    rng = np.random.default_rng(SEED)
    scales = 2.0 ** (np.arange(n_points) % 4 - 2)
    points = rng.standard_normal((n_points, dim)) * scales[:, np.newaxis]
    return points.astype(np.float16).astype(np.float64)


def compare_with_source(network: Network, points: Floats, outputs: Any, tolerance: Floats) -> str | None:
    """What is different between the network and outputs that its source computed; None if nothing is.

    Args:
        network: the imported network.
        points: (k, d) inputs.
        outputs: (k, ...) what the source gives.
        tolerance: (k, c) differences that rounding in the source explains.
    """
    found = np.asarray(outputs, dtype=np.float64).reshape(len(points), -1)
    if found.shape[1] != network.n_outputs:
        return f"{network.n_outputs} outputs were imported, but the source gives {found.shape[1]}"
    with np.errstate(invalid="ignore", over="ignore"):
        expected = network(points)
        wrong = np.abs(found - expected) > tolerance
    wrong &= np.isfinite(found) & np.isfinite(expected)  # an overflow proves nothing
    if not wrong.any():
        return None
    i, j = (int(n) for n in np.argwhere(wrong)[0])
    return (
        f"the imported network differs from its source: output {j} is {expected[i, j]:.9g} "
        f"instead of {found[i, j]:.9g} at random point {i}"
    )


def rounding_tolerance(chain: Chain, points: Floats, dtype: Any) -> Floats:
    """How far (k, c) the source may be off when it takes its steps one by one in `dtype`.

    The unfolded steps are followed, because what cancels in a fold does not cancel in the source's
    rounding errors. These are taken as independent: variances are added up.
    """
    limits = np.finfo(dtype)
    unit = (float(limits.eps), float(limits.smallest_subnormal))
    values, variance = points, np.zeros_like(points)
    with np.errstate(over="ignore", invalid="ignore"):
        for step in chain.history:
            values, variance = _one_step(step, values, variance, unit)
    return SAFETY * np.sqrt(variance)


def _one_step(
    step: Step | None, values: Floats, variance: Floats, unit: tuple[float, float]
) -> tuple[Floats, Floats]:
    epsilon, smallest = unit
    if step is None:
        surely_off = values + SAFETY * np.sqrt(variance) < 0  # 0 in the source too: no error goes on
        return np.maximum(values, 0.0), np.where(surely_off, 0.0, variance)
    if isinstance(step, Gather):
        return values[:, step.index], variance[:, step.index]
    if isinstance(step, Offset):
        size = values**2 + step.offset**2
        return step.sign * values + step.offset, variance + epsilon**2 * size + smallest**2
    layer, width = step.layer, step.layer.n_inputs + 2
    squares = (layer.weight**2).T
    size = values**2 @ squares + layer.bias**2
    added = width * (epsilon**2 * size + smallest**2)
    return values @ layer.weight.T + layer.bias, variance @ squares + added
