"""Comparing an imported network with its source on random points."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from polyregions._types import Floats
from polyregions.activations import activate
from polyregions.graph.nodes import Affine, Graph, Input, Join, Maxima, Node, Units
from polyregions.graph.sparse import SparseAffine
from polyregions.io.final_functions import behind
from polyregions.network import Network

N_POINTS: Final = 8
MAX_VALUES: Final = 2**24
"""Most values of all nodes at all points together; a large network is compared at fewer points, at least at one."""

SEED: Final = 20250101

SAFETY: Final = 16.0
"""Factor above the expected rounding error from which a difference is called a mismatch."""


def sample_points(n_points: int, dim: int) -> Floats:
    """Points (n_points, dim), the same in every run, of several magnitudes, exact in float16."""
    rng = np.random.default_rng(SEED)
    scales = 2.0 ** (np.arange(n_points) % 4 - 2)
    points = rng.standard_normal((n_points, dim)) * scales[:, np.newaxis]
    return points.astype(np.float16).astype(np.float64)


def comparison_points(graph: Graph) -> Floats:
    """The points (k, d) at which a network is compared with its source."""
    size = sum(node.width for node in graph.nodes)
    return sample_points(max(1, min(N_POINTS, MAX_VALUES // max(size, 1))), graph.nodes[0].width)


def compare_with_source(
    network: Network,
    points: Floats,
    outputs: Any,
    tolerance: Floats,
    final: str | None = None,
    dtype: Any = np.float64,
) -> str | None:
    """What is different between the network and outputs that its source computed; None if nothing is.

    Args:
        network: the imported network.
        points: (k, d) inputs.
        outputs: (k, ...) what the source gives.
        tolerance: (k, c) differences that rounding in the source explains.
        final: an operator that was taken off, and that the source has applied.
        dtype: in which the source computes.
    """
    found = np.asarray(outputs, dtype=np.float64).reshape(len(points), -1)
    n_outputs = 1 if final == "ArgMax" else network.n_outputs
    if found.shape[1] != n_outputs:
        return f"{n_outputs} outputs were imported, but the source gives {found.shape[1]}"
    with np.errstate(invalid="ignore", over="ignore"):
        expected = network(points)
        if final is not None:
            epsilon = float(np.finfo(dtype).eps)
            expected, found, tolerance = behind(final, expected, found, tolerance, epsilon)
        wrong = np.abs(found - expected) > tolerance
    wrong &= np.isfinite(found) & np.isfinite(expected)  # an overflow proves nothing
    if not wrong.any():
        return None
    i, j = (int(n) for n in np.argwhere(wrong)[0])
    return (
        f"the imported network differs from its source: output {j} is {expected[i, j]:.9g} "
        f"instead of {found[i, j]:.9g} at random point {i}"
    )


def rounding_tolerance(graph: Graph, points: Floats, dtype: Any) -> Floats:
    """How far (k, c) the source may be off when it takes its steps one by one in `dtype`.

    The nodes of the graph are followed rather than the folded layers, because what cancels in a fold does not
    cancel in the source's rounding errors. These are taken as independent: variances are added up.
    """
    limits = np.finfo(dtype)
    unit = (float(limits.eps), float(limits.smallest_subnormal))
    tracks: list[_Track] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for node in graph.nodes:
            tracks.append(_tracked(node, tracks, points, unit))
    return SAFETY * np.sqrt(tracks[graph.output].variance)


class _Track(NamedTuple):
    """Values (k, n) of a node and the variance of their rounding errors."""

    values: Floats
    variance: Floats


def _tracked(node: Node, tracks: list[_Track], points: Floats, unit: tuple[float, float]) -> _Track:
    match node:
        case Input():
            return _Track(points, np.zeros_like(points))
        case Join():
            parts = [tracks[source] for source in node.sources]
            return _Track(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True)))
        case Affine():
            return _affine(node.map, tracks[node.source], unit)
        case Units():
            return _units(node.slopes, tracks[node.source], unit)
        case Maxima():
            values, variance = tracks[node.source]
            starts = node.offsets[:-1]
            return _Track(
                np.maximum.reduceat(values[:, node.arguments], starts, axis=1),
                np.maximum.reduceat(variance[:, node.arguments], starts, axis=1),
            )


def _affine(affine: SparseAffine, inner: _Track, unit: tuple[float, float]) -> _Track:
    if affine.is_selection():
        return _Track(inner.values[:, affine.columns], inner.variance[:, affine.columns])
    epsilon, smallest = unit
    squares = affine.squared()
    size = squares.times(inner.values**2)
    width = np.diff(affine.offsets) + 2
    added = width * (epsilon**2 * size + smallest**2)
    linear = replace(squares, bias=np.zeros(affine.n_rows))
    return _Track(affine.times(inner.values), linear.times(inner.variance) + added)


def _units(slopes: Floats, inner: _Track, unit: tuple[float, float]) -> _Track:
    values, variance = inner
    doubt = SAFETY * np.sqrt(variance)
    steepest = np.abs(slopes).max(axis=1)
    factor = np.where(values + doubt < 0, slopes[:, 0], np.where(values - doubt > 0, slopes[:, 1], steepest))
    found = activate(values, slopes)
    rounded = ~np.isin(slopes, (-1.0, 0.0, 1.0)).all(axis=1)  # the others multiply without rounding
    added = np.where(rounded, unit[0] ** 2 * found**2 + unit[1] ** 2, 0.0)
    return _Track(found, variance * factor**2 + added)
