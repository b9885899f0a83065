"""Running the kernels of `facets` over all regions of a set: edges that are proved, and rows that are left open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.choose import can_scan
from polyregions.engine.kernels.codes import WHOLE_REGION
from polyregions.engine.kernels.compiled import announced
from polyregions.engine.kernels.facets import (
    Found,
    Scanner,
    Store,
    fill_table,
    hash_patterns,
    scan_domain,
    scan_edges,
    scan_neurons,
)
from polyregions.engine.kernels.state import Chart, allocate_forms, allocate_path, allocate_walker
from polyregions.engine.reduction import Reduction, reduce
from polyregions.engine.walk.charts import domain_rows, network_arrays, plain_chart
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.regions.region_set import RegionSet

CHUNK = 1024  # regions a call of the kernel


@dataclass(frozen=True, eq=False)
class Scanned:
    """What was seen from some of the regions.

    Attributes:
        edges: (E, 3) source, target and the one neuron that flips, for each proved edge.
        points: (E, k) a point on each shared facet, over the hull's coordinates.
        open_rows: (Q, 2) region and neuron (-1 for all of its rows) where exact arithmetic has to decide.
        end: the first region not looked at yet.
    """

    edges: Ints
    points: Floats
    open_rows: Ints
    end: int


def scan_neighbours(regions: RegionSet) -> Iterator[Scanned]:
    """Look from every region, in order, across the rows that may lead to a higher one.

    Complexity: about O(N d) for each region and edge beside composing the layers; no linear program for most.
    """
    return _scanned(regions, scan_edges)


def scan_walls(regions: RegionSet) -> Iterator[Scanned]:
    """Look from every region at the rows of the domain: `edges` are (region, -1, row), `open_rows` (region, row)."""
    return _scanned(regions, scan_domain)


def scan_rows(regions: RegionSet) -> Iterator[Scanned]:
    """Look from every region at the rows of neurons, and not at what is beyond: `edges` are (region, -1, neuron)."""
    return _scanned(regions, scan_neurons)


def _scanned(regions: RegionSet, scan: Callable[..., None]) -> Iterator[Scanned]:
    reduction = reduce(regions.problem)
    n, k = len(reduction.kept), regions.dim
    if not len(regions):
        return
    bounds = _bounds(regions)
    if not (can_scan(reduction.problem) and bounds.are_finite):
        yield _all_open(regions)
        return
    chart = plain_chart(reduction.problem, bounds)
    _, rows, error = domain_rows(reduction.problem, chart)
    net = network_arrays(reduction.problem)
    path = allocate_path(len(rows) + n, k)
    path.rows[: len(rows)], path.error[: len(rows)] = rows, error
    bounded = reduction.problem.solid.bounds.are_finite
    scanner = Scanner(allocate_forms(net, k), path, allocate_walker(k), bounded, len(rows))
    store, found = _store(regions, reduction, chart), _room(n, k, len(path.rows))
    for first in range(0, len(regions), CHUNK):
        end = min(first + CHUNK, len(regions))
        found.marks[:] = 0
        with announced("the search for facets (about 15 seconds)", scan):
            scan(net, chart, scanner, store, found, first, end)
        yield _taken(found, chart, np.arange(len(rows)) if scan is scan_domain else reduction.kept, end)


def _all_open(regions: RegionSet) -> Scanned:
    """Everything left to exact arithmetic."""
    open_rows = np.column_stack([np.arange(len(regions)), np.full(len(regions), WHOLE_REGION)])
    return Scanned(np.zeros((0, 3), dtype=np.int64), np.zeros((0, regions.dim)), open_rows, len(regions))


def _taken(found: Found, chart: Chart, names: Ints, end: int) -> Scanned:
    """What a call found, with the neurons' own numbers and points over the hull's coordinates."""
    n_edges, n_open = found.marks.tolist()
    edges, open_rows = found.edges[:n_edges].copy(), found.open_rows[:n_open].copy()
    edges[:, 2] = names[edges[:, 2]]
    known = open_rows[:, 1] != WHOLE_REGION
    open_rows[known, 1] = names[open_rows[known, 1]]
    return Scanned(edges, chart.shift + chart.scale * found.points[:n_edges], open_rows, end)


def _bounds(regions: RegionSet) -> Bounds:
    """Bounds with room around the domain, or around the points of the regions where it has none."""
    known = regions.problem.solid.bounds
    lower, upper = known.lower, known.upper
    if not known.are_finite:  # points beyond float64 leave none
        lower, upper = regions.local_points.min(axis=0), regions.local_points.max(axis=0)
    with np.errstate(invalid="ignore", over="ignore"):
        room = np.maximum((upper - lower) / 2, np.spacing(np.abs(lower) + np.abs(upper)) + 1e-300)
        return Bounds(lower - room, upper + room)


def _store(regions: RegionSet, reduction: Reduction, chart: Chart) -> Store:
    bits, cuts = (_kept(packed, regions, reduction) for packed in (regions.packed, regions.packed_cuts))
    rng = np.random.default_rng(0)  # which numbers does not matter, only that they are spread
    keys = rng.integers(np.iinfo(np.int64).min, np.iinfo(np.int64).max, max(1, bits.shape[1]))
    size = 1 << int(2 * len(bits) + 1).bit_length()
    store = Store(
        bits,
        cuts,
        (regions.local_points - chart.shift) / chart.scale,
        np.zeros(len(bits), dtype=np.int64),
        np.full(size, -1, dtype=np.int64),
        keys,
        rng.uniform(chart.lower, chart.upper, (2, regions.dim)) / 2,
    )
    hash_patterns(store.bits, store.keys, store.hashes)
    fill_table(store.hashes, store.table)
    return store


def _kept(packed: Bytes, regions: RegionSet, reduction: Reduction) -> Bytes:
    """The bits of the neurons that are looked at (R, n)."""
    n = regions.network.n_neurons
    parts = [
        np.unpackbits(packed[i : i + CHUNK], axis=1, count=n)[:, reduction.kept]
        for i in range(0, len(packed), CHUNK)
    ]
    return np.concatenate([np.zeros((0, len(reduction.kept)), dtype=np.uint8), *parts])


def _room(n: int, k: int, n_rows: int) -> Found:
    """Room for all that a call can find."""
    most = CHUNK * (n_rows + 1)
    return Found(
        edges=np.zeros((most, 3), dtype=np.int64),
        points=np.zeros((most, k)),
        open_rows=np.zeros((most, 2), dtype=np.int64),
        marks=np.zeros(2, dtype=np.int64),
        ratio=np.zeros(n),
        doubt=np.zeros(n),
        direction=np.zeros(k),
        probe=np.zeros(k),
        values=np.zeros(n_rows),
    )
