"""The polygons of all regions of a bounded set at once, in float64 as far as its error bounds go.

Which rows are facets is known, proved by `facet_neurons` and `boundary_facets`; so a polygon is these rows in the order
of their directions. That order is certain where each row turns left from the one before it by more than rounding can
make up, and a corner is good where its error bound is small. What is left is cut in integers.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.plot.clip import DOMAIN, NEURON
from polyregions.plot.polygons import Polygons
from polyregions.polyhedra.oracle.proof import SAFE, UNIT
from polyregions.regions.chunks import chunks
from polyregions.regions.facets import boundary_facets, facet_neurons
from polyregions.regions.region_set import RegionSet

CLOSE: Final = 1e-10
"""Largest error of a corner, relative to the size of the picture."""

KEEPS_SHAPE: Final = 1e-3
"""Largest error of a corner, relative to how thick its polygon is."""


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
    corners, corner_error = _crossings((rows[before], error[before]), (rows, error))
    bounds = regions.problem.solid.bounds
    worst = np.zeros(len(regions))
    np.maximum.at(worst, owner, corner_error)
    right = (np.diff(offsets) >= 3) & (worst <= CLOSE * float(np.max(bounds.upper - bounds.lower)))
    right &= worst <= KEEPS_SHAPE * _thickness(owner, corners, corners[before], len(regions))
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
def _crossings(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Where pairs of rows (V, 3) cross (V, 2), and a bound (V,) on the error of both coordinates: infinite where it is
    not sure that the second row turns left from the first."""
    (p, dp), (q, dq) = one, other
    turn, turn_error = _minor(p[:, 0], dp[:, 0], q[:, 1], dq[:, 1], p[:, 1], dp[:, 1], q[:, 0], dq[:, 0])
    x, x_error = _minor(p[:, 1], dp[:, 1], q[:, 2], dq[:, 2], p[:, 2], dp[:, 2], q[:, 1], dq[:, 1])
    y, y_error = _minor(p[:, 2], dp[:, 2], q[:, 0], dq[:, 0], p[:, 0], dp[:, 0], q[:, 2], dq[:, 2])
    corners = np.column_stack([x / turn, y / turn]) + 0.0  # no negative zeros
    size = np.abs(corners).max(axis=1, initial=0.0)
    error = (np.maximum(x_error, y_error) + size * turn_error) / (turn - turn_error) + 2 * UNIT * size
    return corners, np.where((turn > turn_error) & np.isfinite(error), error, np.inf)


@np.errstate(all="ignore")
def _thickness(owner: Ints, corners: Floats, before: Floats, n: int) -> Floats:
    """About how thick each polygon (n,) is: twice its area over its longest side."""
    sides = corners - before
    longest, area = np.zeros(n), np.zeros(n)
    np.maximum.at(longest, owner, np.hypot(*sides.T))
    arms = before - corners[np.searchsorted(owner, owner)]  # from the first corner of each polygon
    np.add.at(area, owner, arms[:, 0] * sides[:, 1] - arms[:, 1] * sides[:, 0])
    return area / longest


def _minor(
    a: Floats, da: Floats, b: Floats, db: Floats, c: Floats, dc: Floats, d: Floats, dd: Floats
) -> tuple[Floats, Floats]:
    """``a b - c d`` of numbers that are known up to errors, and a bound on its error."""
    value = a * b - c * d
    size = np.abs(a * b) + np.abs(c * d)
    carried = np.abs(a) * db + np.abs(b) * da + da * db + np.abs(c) * dd + np.abs(d) * dc + dc * dd
    return value, (carried + 3 * UNIT * size) * SAFE + 1e-290
