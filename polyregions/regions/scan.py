"""Looking at the facets of all regions of a set: edges that are proved, and rows that are left open.

For few inputs the cells are made once more, with their vertices, and what a facet is can be seen. Else the kernels of
`facets` look from a point of each region across its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.arrays import runs_of
from polyregions.engine.cells.driver import CellsRun, Faces
from polyregions.engine.cells.state import EDGES, FACES
from polyregions.engine.choose import can_scan
from polyregions.engine.kernels.codes import WALL, WHOLE_REGION
from polyregions.engine.kernels.compiled import announced
from polyregions.engine.kernels.facets import (
    Found,
    Scanner,
    flip_patterns,
    scan_domain,
    scan_edges,
    scan_neurons,
)
from polyregions.engine.kernels.state import Chart, allocate_forms, allocate_path, allocate_walker
from polyregions.engine.reduction import Reduction, reduce
from polyregions.engine.walk.charts import domain_rows, network_arrays, plain_chart
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.recognition import Recognition, have_cells, pattern_store
from polyregions.regions.region_set import RegionSet

CHUNK = 1024  # regions a call of the kernel
SOUGHT = {
    scan_edges: "neighbours",
    scan_domain: "facets of the domain",
    scan_neurons: "facets of neurons",
}


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


def scan_neighbours(regions: RegionSet, by_points: bool) -> Iterator[Scanned]:
    """Look from every region across the rows that may lead to a higher one.

    Args:
        regions: the regions.
        by_points: do not look at vertices, which takes the engine's word for what a region is.

    Complexity: that of the enumeration, or O(N d) for each region and edge beside composing the layers; no linear
    program for most.
    """
    return _seen(regions, by_points, EDGES, _edges_of_faces, scan_edges)


def scan_walls(regions: RegionSet, by_points: bool) -> Iterator[Scanned]:
    """Look from every region at the rows of the domain: `edges` are (region, -1, row), `open_rows` (region, row)."""
    return _seen(regions, by_points, FACES, _walls_of_faces, scan_domain)


def scan_rows(regions: RegionSet, by_points: bool) -> Iterator[Scanned]:
    """Look from every region at the rows of neurons, and not at what is beyond: `edges` are (region, -1, neuron)."""
    return _seen(regions, by_points, FACES, _rows_of_faces, scan_neurons)


def facets_of_cells(regions: RegionSet) -> tuple[Ints, Bools] | None:
    """All facets of the regions, as far as the cells' vertices say; None where the cells are not to be made.

    Returns:
        Pairs (F, 2) of a region and the neuron of a facet, or -1 - i for row i of the domain, and for which regions
        (R,) these are all, and no other neuron vanishes on any of them.
    """
    reduction, left = reduce(regions.problem), np.ones(len(regions), dtype=np.bool_)
    if not have_cells(regions, reduction):
        return None
    parts = [part.edges[:, [0, 2]] for part in _of_cells(regions, reduction, FACES, _all_of_faces, left)]
    pairs = np.concatenate([np.zeros((0, 2), dtype=np.int64), *parts])
    return pairs, ~left


def _seen(
    regions: RegionSet, by_points: bool, wanted: int, of_faces: OfFaces, scan: Callable[..., None]
) -> Iterator[Scanned]:
    reduction, left = reduce(regions.problem), np.ones(len(regions), dtype=np.bool_)
    if not by_points and have_cells(regions, reduction):
        yield from _of_cells(regions, reduction, wanted, of_faces, left)
    yield from _scanned(regions, reduction, scan, np.flatnonzero(left))


def _of_cells(
    regions: RegionSet, reduction: Reduction, wanted: int, of_faces: OfFaces, left: Bools
) -> Iterator[Scanned]:
    """What the cells' vertices say, some regions at a time; regions of which they say all are no longer `left` (R,)."""
    run, recognition = CellsRun(reduction.problem, wanted=wanted), Recognition(regions, reduction)
    for start in run.starts():
        part = run.part(start, Referee(reduction.problem.solid.bounds))
        for faces in part.faces():
            found = recognition.numbers(faces.bits)
            left[found[found >= 0]] = False
            region = found[faces.leaf]
            places, target, numbers = of_faces(recognition, faces, region, left)
            edges, none = np.column_stack([region[places], target, numbers]), np.zeros((0, 2), dtype=np.int64)
            yield Scanned(edges, faces.points[places], none, recognition.end)


OfFaces: TypeAlias = Callable[[Recognition, Faces, Ints, Bools], tuple[Ints, Ints, Ints]]
"""From facets, their regions and those `left`: which facets are known, what is beyond, and their rows' numbers."""


def _edges_of_faces(
    recognition: Recognition, faces: Faces, region: Ints, left: Bools
) -> tuple[Ints, Ints, Ints]:
    """The facets that lead to a higher region, and that region: the one neuron that vanishes on it is off here.

    A region beyond whose facets there is none of the set is left to those who can say why.
    """
    places = _of_neurons(faces, region, left)
    places = places[faces.bits[faces.leaf[places], faces.names[places]] == 0]
    target = np.zeros(len(places), dtype=np.int64)
    flip_patterns(recognition.store, region[places], faces.names[places], target)
    left[region[places[target < 0]]] = True
    is_known = ~left[region[places]]
    places = places[is_known]
    return places, target[is_known], recognition.reduction.kept[faces.names[places]]


def _walls_of_faces(
    recognition: Recognition, faces: Faces, region: Ints, left: Bools
) -> tuple[Ints, Ints, Ints]:
    """The facets on the rows of the domain, whatever neurons vanish there too."""
    places = np.flatnonzero((faces.names < 0) & (region >= 0))
    return places, np.full(len(places), WALL), -1 - faces.names[places]


def _rows_of_faces(
    recognition: Recognition, faces: Faces, region: Ints, left: Bools
) -> tuple[Ints, Ints, Ints]:
    """The facets on the rows of neurons."""
    places = _of_neurons(faces, region, left)
    return places, np.full(len(places), WALL), recognition.reduction.kept[faces.names[places]]


def _all_of_faces(
    recognition: Recognition, faces: Faces, region: Ints, left: Bools
) -> tuple[Ints, Ints, Ints]:
    """All facets, those of the domain under the names that they have in `facets_of_cells`."""
    places = _of_generic(faces, region, left)
    names, kept = faces.names[places], recognition.reduction.kept
    return places, np.full(len(places), WALL), np.where(names >= 0, kept[np.maximum(names, 0)], names)


def _of_neurons(faces: Faces, region: Ints, left: Bools) -> Ints:
    """The facets on the rows of neurons, of generic regions; others are left."""
    places = _of_generic(faces, region, left)
    return places[faces.names[places] >= 0]


def _of_generic(faces: Faces, region: Ints, left: Bools) -> Ints:
    """The facets of regions on whose facets no other neuron vanishes; others are left."""
    is_here, is_open = region >= 0, faces.is_open[faces.leaf]
    left[region[is_here & is_open]] = True
    return np.flatnonzero(is_here & ~is_open)


def _scanned(
    regions: RegionSet, reduction: Reduction, scan: Callable[..., None], which: Ints
) -> Iterator[Scanned]:
    """What the kernels see from some of the regions."""
    n, k = len(reduction.kept), regions.dim
    if not len(which):
        return
    bounds = _bounds(regions)
    if not (can_scan(reduction.problem) and bounds.are_finite):
        yield _all_open(regions, which)
        return
    chart = plain_chart(reduction.problem, bounds)
    _, rows, error = domain_rows(reduction.problem, chart)
    net = network_arrays(reduction.problem)
    path = allocate_path(len(rows) + n, k)
    path.rows[: len(rows)], path.error[: len(rows)] = rows, error
    bounded = reduction.problem.solid.bounds.are_finite
    scanner = Scanner(allocate_forms(net, k), path, allocate_walker(k), bounded, len(rows))
    store, found = pattern_store(regions, reduction, chart), _room(n, k, len(path.rows))
    for first, end in _chunks(which):
        found.marks[:] = 0
        with announced(f"the search for {SOUGHT[scan]}"):
            scan(net, chart, scanner, store, found, first, end)
        yield _taken(found, chart, np.arange(len(rows)) if scan is scan_domain else reduction.kept, end)


def _chunks(which: Ints) -> Iterator[tuple[int, int]]:
    """Increasing numbers as ranges of neighbours, none of them long."""
    for _, first, n in runs_of(which):
        for start in range(first, first + n, CHUNK):
            yield start, min(start + CHUNK, first + n)


def _all_open(regions: RegionSet, which: Ints) -> Scanned:
    """Everything left to exact arithmetic."""
    open_rows = np.column_stack([which, np.full(len(which), WHOLE_REGION)])
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
