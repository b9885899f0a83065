"""Comparing an imported network with its source on random points."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from polyregions._types import Floats
from polyregions.io.models.final_functions import behind
from polyregions.networks.activations import activate
from polyregions.networks.graph.nodes import Affine, Graph, Input, Join, Maxima, Node, Units
from polyregions.networks.network import Network

N_POINTS: Final = 8
MAX_VALUES: Final = 2**24
"""Most values of all nodes, and products of their maps, at all points together: large networks get fewer."""

SEED: Final = 20250101

SAFETY: Final = 16.0
"""Factor above the expected rounding error from which a difference is called a mismatch."""

MARGIN: Final = 4.0
"""Factor above the largest rounding error of the usual sums, for kernels that sum in a transformed space."""

EXTRA_TERMS: Final = 8
"""Roundings of a step beside those of its sum: of weights that the source itself computes, say."""


def sample_points(n_points: int, dim: int) -> Floats:
    """Points (n_points, dim), the same in every run, of several magnitudes, exact in float16."""
    rng = np.random.default_rng(SEED)
    scales = 2.0 ** (np.arange(n_points) % 4 - 2)
    points = rng.standard_normal((n_points, dim)) * scales[:, np.newaxis]
    return points.astype(np.float16).astype(np.float64)


def comparison_points(graph: Graph) -> Floats:
    """The points (k, d) at which a network is compared with its source."""
    size = sum(
        node.width + (len(node.map.columns) if isinstance(node, Affine) else 0) for node in graph.nodes
    )
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
    return compare_outputs(expected, found, tolerance)


def compare_outputs(expected: Floats, found: Floats, tolerance: Floats) -> str | None:
    """Where outputs (k, c) and (k', c), at the same points in front, differ by more than a tolerance (k'', c)."""
    k = min(len(expected), len(found), len(tolerance))
    expected, found, tolerance = expected[:k], found[:k], tolerance[:k]
    with np.errstate(invalid="ignore", over="ignore"):
        wrong = np.abs(found - expected) > tolerance
    wrong &= np.isfinite(found) & np.isfinite(expected)  # an overflow proves nothing
    if not wrong.any():
        return None
    i, j = (int(n) for n in np.argwhere(wrong)[0])
    return (
        f"the imported network differs from its source: output {j} is {expected[i, j]:.9g} "
        f"instead of {found[i, j]:.9g} at random point {i}"
    )


def rounding_tolerance(graph: Graph, points: Floats, dtype: Any, *, expected: bool = False) -> Floats:
    """How far (k, c) the source may be off when it takes its steps one by one in `dtype`.

    The nodes of the graph are followed rather than the folded layers, because what cancels in a fold does not
    cancel in the source's rounding errors.

    Args:
        graph: the graph.
        points: (k, d) inputs.
        dtype: in which the source computes.
        expected: the size that independent errors have, whose variances are added up, in place of the largest size
            that they can have: sums of many equal terms are rounded all in one direction.
    """
    limits = np.finfo(dtype)
    unit = _Unit(float(limits.eps), float(limits.smallest_subnormal), 2 if expected else 1)
    tracks: list[_Track] = []
    with np.errstate(over="ignore", invalid="ignore"):
        given = _Track(points, np.abs(points.astype(dtype).astype(np.float64) - points) ** unit.power)
        for node in graph.nodes:
            tracks.append(_tracked(node, tracks, given, unit))
    return unit.size(tracks[graph.output].error)


class _Unit(NamedTuple):
    """One unit of rounding, and how errors add up: as variances (power 2) or as they are (power 1)."""

    epsilon: float
    smallest: float
    power: int

    def size(self, error: Floats) -> Floats:
        """The error beyond which a difference is none of rounding."""
        found: Floats = SAFETY * np.sqrt(error) if self.power == 2 else MARGIN * error
        return found

    def added(self, n_terms: Any, size: Floats) -> Floats:
        """What rounding adds to a sum of terms, whose sizes to the power are given as a sum."""
        found: Floats = n_terms * (self.epsilon**self.power * size + self.smallest**self.power)
        return found


class _Track(NamedTuple):
    """Values (k, n) of a node, and their rounding errors to the power in which these add up."""

    values: Floats
    error: Floats


def _tracked(node: Node, tracks: list[_Track], given: _Track, unit: _Unit) -> _Track:
    match node:
        case Input():
            return given
        case Join():
            parts = [tracks[source] for source in node.sources]
            return _Track(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True)))
        case Affine():
            return _affine(node, tracks[node.source], unit)
        case Units():
            return _units(node.slopes, tracks[node.source], unit)
        case Maxima():
            values, error = tracks[node.source]
            starts = node.offsets[:-1]
            return _Track(
                np.maximum.reduceat(values[:, node.arguments], starts, axis=1),
                np.maximum.reduceat(error[:, node.arguments], starts, axis=1),
            )


def _affine(node: Affine, inner: _Track, unit: _Unit) -> _Track:
    affine = node.map
    if affine.is_selection() and not np.any(node.bias_size):
        return _Track(inner.values[:, affine.columns], inner.error[:, affine.columns])
    sizes = affine.sizes(unit.power)
    size = sizes.times(np.abs(inner.values) ** unit.power + inner.error) + node.bias_size**unit.power
    n_terms = np.diff(affine.offsets) + EXTRA_TERMS
    return _Track(affine.times(inner.values), sizes.times(inner.error) + unit.added(n_terms, size))


def _units(slopes: Floats, inner: _Track, unit: _Unit) -> _Track:
    values, error = inner
    doubt = unit.size(error)
    steepest = np.abs(slopes).max(axis=1)
    factor = np.where(values + doubt < 0, slopes[:, 0], np.where(values - doubt > 0, slopes[:, 1], steepest))
    found = activate(values, slopes)
    rounded = ~np.isin(slopes, (-1.0, 0.0, 1.0)).all(axis=1)  # the others multiply without rounding
    added = np.where(rounded, unit.added(1, np.abs(found) ** unit.power), 0.0)
    return _Track(found, error * np.abs(factor) ** unit.power + added)
