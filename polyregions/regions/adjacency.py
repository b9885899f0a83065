"""The adjacency graph: which regions share a facet, and which neurons flip across it.

Two regions are neighbours iff their closures share a (d-1)-dimensional set. Every facet of a region has
exactly one region on its other side: neurons that do not vanish on the facet keep their sign across it,
and the sign of those that do vanish is found exactly, infinitesimally beyond a point of the facet.
"Flipping one bit gives another region" is only used to rule facets out, never as proof of one.

The kernels prove almost all of it at float speed; what they leave open is decided here in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from polyregions._types import Floats, Ints
from polyregions.engine.kernels.codes import WHOLE_REGION
from polyregions.errors import InternalError, StoppedError, expect
from polyregions.networks.patterns import as_text, key_of
from polyregions.polyhedra.facets import Facet, coinciding_rows, facets
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.presentation import Tabular, arrow_table, data_frame
from polyregions.progress import ProgressFunction, Watch
from polyregions.read_only import ReadOnly
from polyregions.regions.prefixes import DOMAIN_ROW, RegionForms, RegionRows
from polyregions.regions.region_set import RegionSet

if TYPE_CHECKING:
    from polyregions.regions.scan import Scanned


@dataclass(frozen=True, eq=False)
class Adjacency(ReadOnly, Tabular):
    """The edges of the adjacency graph as flat arrays, sorted by (source, target).

    Attributes:
        n_regions: R.
        source: (E,) the lower region of each edge.
        target: (E,) the higher region of each edge.
        flip_offsets: (E+1,) where each edge's neurons start in `flips`.
        flips: (F,) the neurons that differ across each edge.
        points: (E, d) a point in the relative interior of each shared facet, in float64.
    """

    n_regions: int
    source: Ints
    target: Ints
    flip_offsets: Ints
    flips: Ints
    points: Floats

    def __len__(self) -> int:
        return len(self.source)

    def flipped(self, edge: int) -> Ints:
        """The neurons that differ across one edge."""
        return self.flips[self.flip_offsets[edge] : self.flip_offsets[edge + 1]]

    def neighbours(self) -> tuple[Ints, Ints]:
        """The symmetric graph in CSR form: offsets (R+1,) and neighbours (2E,) of each region, ascending."""
        ends = np.concatenate([self.source, self.target])
        others = np.concatenate([self.target, self.source])
        order = np.lexsort((others, ends))
        offsets = np.searchsorted(ends[order], np.arange(self.n_regions + 1))
        return offsets.astype(np.int64), others[order]

    def to_arrow(self) -> Any:
        """The edges as a ``pyarrow.Table``, one row each: what `save` writes as ``.parquet``.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        return arrow_table(self)

    def to_pandas(self) -> Any:
        """The edges as a ``pandas.DataFrame``, points and lists as in `RegionSet.to_pandas`.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        return data_frame(self)

    def __repr__(self) -> str:
        return f"<Adjacency: {len(self)} edges between {self.n_regions} regions>"

    def to_scipy_sparse(self) -> csr_array:
        """The symmetric adjacency matrix (R, R) as a ``scipy.sparse.csr_array`` of int64, 1 for each edge.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
        >>> pr.adjacency_arrays(pr.enumerate_regions(net, pr.Box([-2], [2]))).to_scipy_sparse().sum(axis=0)
        array([1, 2, 1])
        """
        offsets, neighbours = self.neighbours()
        entries = np.ones(len(neighbours), dtype=np.int64)
        return csr_array((entries, neighbours, offsets), shape=(self.n_regions, self.n_regions))


@dataclass(frozen=True, eq=False)
class Neighbour:
    """A region's neighbour across one facet: its number, the facet, and the facet's group of rows."""

    region: int
    facet: Facet
    group: tuple[int, ...]


def adjacency_arrays(regions: RegionSet, *, progress: ProgressFunction | None = None) -> Adjacency:
    """The adjacency graph as flat arrays.

    Args:
        regions: the regions; of a partial set the edges between those that are in it.
        progress: called now and then with a `Progress` of the regions looked at; returning False stops.

    Raises:
        StoppedError: `progress` returned False.
        InternalError: a facet leads to a pattern that a complete set does not hold (a bug).

    Complexity: some microseconds a region; one linear program for each row that floats leave open.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> edges = pr.adjacency_arrays(regions)
    >>> list(zip(edges.source.tolist(), edges.target.tolist()))
    [(0, 1), (0, 2), (1, 3), (2, 3)]
    """
    expect(regions, RegionSet, "regions")
    return edges_between(regions, progress)


def edges_between(
    regions: RegionSet, progress: ProgressFunction | None, by_points: bool = False
) -> Adjacency:
    """As `adjacency_arrays`; by points: without making the cells again, so that a set is checked for what it is."""
    parts = watched(_scan_neighbours(regions, by_points), len(regions), progress)
    found = [_settled(regions, part) for part in parts]
    ends = np.concatenate([np.zeros((0, 2), dtype=np.int64), *(part.ends for part in found)])
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    sizes = np.concatenate([np.zeros(0, dtype=np.int64), *(part.sizes for part in found)])
    flips = np.concatenate([np.zeros(0, dtype=np.int64), *(part.flips for part in found)])
    points = np.concatenate([np.zeros((0, regions.dim)), *(part.points for part in found)])
    offsets = np.concatenate([[0], np.cumsum(sizes[order])]).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])[:-1][order]
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], sizes[order])
    return Adjacency(
        len(regions),
        ends[order, 0],
        ends[order, 1],
        offsets,
        flips[np.repeat(starts, sizes[order]) + within],
        lifted(regions, points[order]),
    )


@dataclass(frozen=True, eq=False)
class _Edges:
    """Edges in the order found: ends (E, 2), how many neurons flip (E,), which (F,), a point on each facet (E, k)."""

    ends: Ints
    sizes: Ints
    flips: Ints
    points: Floats


def _scan_neighbours(regions: RegionSet, by_points: bool) -> Iterator[Scanned]:
    from polyregions.regions.scan import scan_neighbours  # numba takes half a second to import

    return scan_neighbours(regions, by_points)


def watched(parts: Iterator[Scanned], n_regions: int, progress: ProgressFunction | None) -> Iterator[Scanned]:
    """The parts of a scan, with a report of the progress after each.

    Raises:
        StoppedError: `progress` returned False.
    """
    watch, end = Watch(progress), 0
    for part in parts:
        yield part
        end = part.end
        if not watch.goes_on(end, end / n_regions):
            raise StoppedError(f"stopped after looking at {end} of {n_regions} regions")
    watch.ends(end, 1.0)


def _settled(regions: RegionSet, part: Scanned) -> _Edges:
    """What the kernels proved together with what they left open, decided exactly."""
    referee, forms = Referee(regions.problem.solid.bounds), RegionForms(regions)
    ends, flips, points = [part.edges[:, :2]], [part.edges[:, 2]], [part.points]
    sizes = [np.ones(len(part.edges), dtype=np.int64)]
    for i, neurons in open_regions(part.open_rows):
        rows = forms.rows(i)
        for neighbour in upper_neighbours(regions, i, rows, referee, neurons):
            flipped = np.flatnonzero(regions.patterns[i] != regions.patterns[neighbour.region])
            ends.append(np.array([[i, neighbour.region]], dtype=np.int64))
            flips.append(flipped)
            sizes.append(np.array([len(flipped)], dtype=np.int64))
            points.append(neighbour.facet.approximate_point(rows.interior)[None])
    return _Edges(np.concatenate(ends), np.concatenate(sizes), np.concatenate(flips), np.concatenate(points))


def open_regions(open_rows: Ints) -> Iterator[tuple[int, set[int] | None]]:
    """The regions with open rows (Q, 2) of region and row, each with these rows; None for all of them."""
    for i in np.unique(open_rows[:, 0]).tolist():
        rows = set(open_rows[open_rows[:, 0] == i, 1].tolist())
        yield i, None if WHOLE_REGION in rows else rows


def upper_neighbours(
    regions: RegionSet, i: int, rows: RegionRows, referee: Referee, among: set[int] | None = None
) -> Iterator[Neighbour]:
    """The neighbours of region i with a higher number, each with the facet that leads to it.

    Args:
        regions: the regions.
        i: one of them.
        rows: its bounding rows.
        referee: decides.
        among: look only across rows of these neurons; across all of them if not given.
    """
    for group in coinciding_rows(rows.interior):
        if any(rows.neurons[row] == DOMAIN_ROW for row in group):
            continue
        if among is not None and among.isdisjoint(rows.neurons[row] for row in group):
            continue
        flips = np.flatnonzero(rows.may_vanish_with(group))
        single = len(flips) == 1
        expected = _with_bit_flipped(regions, i, int(flips[0])) if single else None
        if single and (expected is None or expected < i):
            continue
        for facet in facets(rows.interior, regions.local_point(i), referee, [group]):
            found = expected if expected is not None else beyond(regions, rows, facet)
            if found is not None and found > i:
                yield Neighbour(found, facet, group)


def beyond(regions: RegionSet, rows: RegionRows, facet: Facet) -> int | None:
    """The region on the other side of a facet, found exactly; None only if the set is not complete.

    Raises:
        InternalError: the set is complete, but does not hold the pattern beyond the facet (a bug).
    """
    germ = regions.problem.exact.germ(facet.point(rows.interior), facet.direction())
    found = regions.find(germ.pattern)
    if found is None and regions.complete:
        pattern = as_text(np.array(germ.pattern))
        raise InternalError(f"the pattern {pattern} beyond a facet is not among the regions")
    return found


def _with_bit_flipped(regions: RegionSet, i: int, neuron: int) -> int | None:
    pattern = regions.patterns[i].copy()
    pattern[neuron] = not pattern[neuron]
    return regions.index.get(key_of(pattern))


def lifted(regions: RegionSet, local: Floats) -> Floats:
    """Points (E, k) over the hull's coordinates as inputs (E, d)."""
    return regions.problem.solid.hull.lift_floats(local)
