"""The polygons of all regions of a bounded set at once, in float64 as far as its error bounds go.

Which rows are facets is known, proved by `facet_neurons` and `boundary_facets`; so a polygon is these rows in the order
of their directions. That order is certain where each row turns left from the one before it by more than rounding can
make up, and a corner is good where its error bound is small. What is left is cut in integers.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.complex import boundary_facets, facet_neurons
from polyregions.decision.composed import chunks
from polyregions.oracle.proof import SAFE, UNIT
from polyregions.plot.clip import DOMAIN, NEURON
from polyregions.plot.polygons import Polygons
from polyregions.regions import RegionSet

CLOSE: Final = 1e-12
"""Largest error of a corner, relative to the size of the picture."""


def float_outlines(regions: RegionSet) -> tuple[Polygons, Bools]:
    """The polygons of the regions of a bounded two-dimensional set of a tame network.

    Returns:
        The polygons, and which of them (R,) are right; the others are to be made otherwise.
    """
    owner, kinds, carriers, rows, error = _facet_rows(regions)
    order = np.lexsort((np.arctan2(rows[:, 1], rows[:, 0]), owner))
    owner, kinds, carriers, rows, error = (
        owner[order],
        kinds[order],
        carriers[order],
        rows[order],
        error[order],
    )
    offsets = np.searchsorted(owner, np.arange(len(regions) + 1)).astype(np.int64)
    before = np.arange(len(owner)) - 1
    inhabited = offsets[1:] > offsets[:-1]
    before[offsets[:-1][inhabited]] = offsets[1:][inhabited] - 1
    corners, sure = _crossings(regions, (rows[before], error[before]), (rows, error))
    right = np.bincount(owner, ~sure, len(regions)) == 0
    right &= np.diff(offsets) >= 3
    bounds = regions.problem.solid.bounds
    size = np.append(np.maximum(np.abs(bounds.lower), np.abs(bounds.upper)), 1.0)
    scale = np.abs(rows[:, :2]).max(axis=1, initial=0.0)
    doubts = (error @ size) / scale * SAFE
    return Polygons(offsets, corners, rows / scale[:, None], kinds, carriers, doubts), right


def _facet_rows(regions: RegionSet) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """All facets: their region, kind and carrier (V,), rows (V, 3) that are positive inside, and the rows' errors."""
    walls, neurons = boundary_facets(regions), facet_neurons(regions)
    forms = regions.problem.solid.forms
    owner, kinds = [walls.region, neurons[:, 0]], [np.full(len(walls), DOMAIN), np.full(len(neurons), NEURON)]
    wall_rows = np.array([form.row for form in forms]).reshape(-1, 3)[walls.row]
    wall_error = np.array([form.error for form in forms]).reshape(-1, 3)[walls.row]
    rows, error = _neuron_rows(regions, neurons)
    return (
        np.concatenate(owner),
        np.concatenate(kinds).astype(np.int64),
        np.concatenate([walls.row, neurons[:, 1]]),
        np.concatenate([wall_rows, rows]),
        np.concatenate([wall_error, error]),
    )


def _neuron_rows(regions: RegionSet, pairs: Ints) -> tuple[Floats, Floats]:
    """The rows (P, 3) of pairs of a region and a neuron that cuts it, sorted, and their errors."""
    n = max(1, regions.network.n_neurons)
    wanted = pairs[:, 0] * n + pairs[:, 1]
    rows, error = [np.zeros((0, 3))], [np.zeros((0, 3))]
    for chunk in chunks(regions, np.arange(len(regions))):
        ends, neurons, found, doubt = chunk.bounding_rows(np.arange(len(chunk)))
        place = np.repeat(chunk.numbers, np.diff(ends, prepend=0))
        chosen = np.isin(place * n + neurons, wanted)
        rows.append(found[chosen])
        error.append(doubt[chosen])
    return np.concatenate(rows), np.concatenate(error)


@np.errstate(all="ignore")
def _crossings(
    regions: RegionSet, one: tuple[Floats, Floats], other: tuple[Floats, Floats]
) -> tuple[Floats, Bools]:
    """Where pairs of rows (V, 3) cross (V, 2), and whether it is sure that the second turns left from the first, and
    that the point is right."""
    (p, dp), (q, dq) = one, other
    turn, turn_error = _minor(p[:, 0], dp[:, 0], q[:, 1], dq[:, 1], p[:, 1], dp[:, 1], q[:, 0], dq[:, 0])
    x, x_error = _minor(p[:, 1], dp[:, 1], q[:, 2], dq[:, 2], p[:, 2], dp[:, 2], q[:, 1], dq[:, 1])
    y, y_error = _minor(p[:, 2], dp[:, 2], q[:, 0], dq[:, 0], p[:, 0], dp[:, 0], q[:, 2], dq[:, 2])
    corners = np.column_stack([x / turn, y / turn]) + 0.0  # no negative zeros
    error = (np.column_stack([x_error, y_error]) + np.abs(corners) * turn_error[:, None]) / (
        np.abs(turn) - turn_error
    )[:, None] + 2 * UNIT * np.abs(corners)
    bounds = regions.problem.solid.bounds
    reach = CLOSE * float(np.max(bounds.upper - bounds.lower))
    sure: Bools = (turn > turn_error) & np.all(error <= reach, axis=1)
    return corners, sure


def _minor(
    a: Floats, da: Floats, b: Floats, db: Floats, c: Floats, dc: Floats, d: Floats, dd: Floats
) -> tuple[Floats, Floats]:
    """``a b - c d`` of numbers that are known up to errors, and a bound on its error."""
    value = a * b - c * d
    size = np.abs(a * b) + np.abs(c * d)
    carried = np.abs(a) * db + np.abs(b) * da + da * db + np.abs(c) * dd + np.abs(d) * dc + dc * dd
    return value, (carried + 3 * UNIT * size) * SAFE + 1e-290
