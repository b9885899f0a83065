"""Minimal H-representations of all regions as flat arrays: one row a facet, the nearest floats of the exact rows.

Which rows are facets is read off the engine's cells for few inputs, else found by kernels that look from points; a
region on whose facets several neurons may vanish is looked at exactly, by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.engine.choose import can_scan
from polyregions.errors import StoppedError, expect
from polyregions.networks.pullback import PulledLayer
from polyregions.polyhedra.rows import quotients, scales
from polyregions.polyhedra.solid_domain import rows_in_inputs
from polyregions.progress import ProgressFunction, Watch
from polyregions.read_only import ReadOnly
from polyregions.regions.facets import boundary_facets, facet_neurons
from polyregions.regions.prefixes import DOMAIN_ROW, Prefixes, RegionForms
from polyregions.regions.region_set import RegionSet

BLOCK = 4096  # regions at a time
ROOM = 16_000_000  # numbers that the rows of a block may be
NO_WALL = -1


@dataclass(frozen=True, eq=False)
class HRepresentations(ReadOnly):
    """Minimal H-representations ``A x <= b`` of r regions that follow each other.

    Attributes:
        first: the first region.
        offsets: (r+1,) where the rows of each region start.
        A: (M, d) the nearest floats of the exact rows.
        b: (M,).
        strict: (M,) whether a row is open, ``A x < b``.
        wall: (M,) the row of the domain that a row is, as in `Boundary.row`; -1 for the rows of neurons.
        neuron_offsets: (M+1,) where the neurons of each row start.
        neurons: (K,) the neurons that vanish on each row's facet, ascending: one, but in degenerate networks.
    """

    first: int
    offsets: Ints
    A: Floats
    b: Floats
    strict: Bools
    wall: Ints
    neuron_offsets: Ints
    neurons: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"<HRepresentations: {len(self.A)} rows of {len(self)} regions>"


def hrep_arrays(regions: RegionSet, *, progress: ProgressFunction | None = None) -> HRepresentations:
    """The minimal H-representations of all regions.

    Rows are ordered within a region: those of neurons, then those of the domain; a domain of lower dimension adds two
    opposite rows for each equation of its affine hull. The scale of a row is that of the neuron's pre-activation.

    Args:
        regions: the regions.
        progress: called now and then with a `Progress` of the regions looked at; returning False stops.

    Raises:
        StoppedError: `progress` returned False.

    Complexity: that of the enumeration, and some microseconds for each row; milliseconds for a region that several
        neurons touch alike.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [2]], [0, -1]), ([[1, 1]], [0])])
    >>> rows = pr.hrep_arrays(pr.enumerate_regions(net, pr.Box([-1], [1])))
    >>> rows.offsets.tolist(), rows.A.ravel().tolist(), rows.b.tolist()
    ([0, 2, 4, 6], [1.0, -1.0, -1.0, 2.0, -2.0, 1.0], [0.0, 1.0, 0.0, 1.0, -1.0, 1.0])
    """
    expect(regions, RegionSet, "regions")
    blocks = [rows for rows, _ in hrep_blocks(regions, progress=progress)]
    return joined(blocks, regions.network.n_inputs)


def hrep_blocks(
    regions: RegionSet, *, maps: bool = False, progress: ProgressFunction | None = None
) -> Iterator[tuple[HRepresentations, Floats]]:
    """The same some thousand regions at a time, and the nearest floats of their affine maps (r, c, d+1) if wanted.

    Memory for one block, and a pair of numbers for each facet.
    """
    watch, maker, end = Watch(progress), _Maker(regions, maps), 0
    for facets in _facets(regions):
        yield maker.block(facets)
        end = facets.first + len(facets.names)
        if not watch.goes_on(end, end / len(regions)):
            raise StoppedError(f"stopped after the rows of {end} of {len(regions)} regions")
    watch.ends(end, 1.0)


def joined(blocks: Sequence[HRepresentations], dim: int) -> HRepresentations:
    """Blocks that follow each other as one."""
    none = np.zeros(0, dtype=np.int64)
    return HRepresentations(
        blocks[0].first if blocks else 0,
        _offsets(np.concatenate([none, *(np.diff(block.offsets) for block in blocks)])),
        np.concatenate([np.zeros((0, dim)), *(block.A for block in blocks)]),
        np.concatenate([np.zeros(0), *(block.b for block in blocks)]),
        np.concatenate([np.zeros(0, dtype=np.bool_), *(block.strict for block in blocks)]),
        np.concatenate([none, *(block.wall for block in blocks)]),
        _offsets(np.concatenate([none, *(np.diff(block.neuron_offsets) for block in blocks)])),
        np.concatenate([none, *(block.neurons for block in blocks)]),
    )


def _offsets(sizes: Ints) -> Ints:
    offsets: Ints = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return offsets


@dataclass(frozen=True, eq=False)
class _Facets:
    """What is known of the facets of consecutive regions.

    Attributes:
        first: the first region.
        names: of each region the neuron of each facet, ascending, then -1 - i for row i of the domain, likewise.
        is_sure: of each region whether these are all, and no other neuron vanishes on any of them.
    """

    first: int
    names: list[list[int]]
    is_sure: list[bool]


def _facets(regions: RegionSet) -> Iterator[_Facets]:
    """The facets of all regions, some regions at a time."""
    pairs, is_sure = _known(regions)
    domain_last = np.where(pairs[:, 1] >= 0, pairs[:, 1], regions.network.n_neurons - pairs[:, 1])
    pairs, forms = pairs[np.lexsort((domain_last, pairs[:, 0]))], RegionForms(regions)
    size = _block_size(regions)
    for first in range(0, len(regions), size):
        last = min(first + size, len(regions))
        offsets = np.searchsorted(pairs[:, 0], np.arange(first, last + 1))
        names = [pairs[a:b, 1].tolist() for a, b in zip(offsets, offsets[1:], strict=False)]
        if is_sure is None:
            sure = [_is_sure(forms, first + i, own) for i, own in enumerate(names)]
        else:
            sure = is_sure[first:last].tolist()
        yield _Facets(first, names, sure)


def _block_size(regions: RegionSet) -> int:
    """How many regions are looked at at a time: fewer where the rows of one may take much room."""
    n_rows = regions.network.n_neurons + len(regions.problem.solid.forms)
    return max(1, min(BLOCK, ROOM // (n_rows * (regions.network.n_inputs + 1) + 1)))


def _known(regions: RegionSet) -> tuple[Ints, Bools | None]:
    """Pairs (F, 2) of a region and the name of a facet, and for which regions (R,) that is all there is to know.

    None for the latter where it has to be asked of each region, see `_is_sure`.
    """
    if not (len(regions) and can_scan(regions.problem)):
        return np.zeros((0, 2), dtype=np.int64), np.zeros(len(regions), dtype=np.bool_)
    from polyregions.regions.scan import facets_of_cells  # numba takes half a second to import

    found = facets_of_cells(regions)
    if found is not None:
        return found
    boundary = boundary_facets(regions)
    walls = np.column_stack([boundary.region, -1 - boundary.row])
    return np.concatenate([facet_neurons(regions), walls]), None


def _is_sure(forms: RegionForms, i: int, names: list[int]) -> bool:
    """Whether certainly no neuron but its own vanishes on any of a region's facets."""
    rows = forms.rows(i)
    place = {neuron: row for row, neuron in enumerate(rows.neurons) if neuron != DOMAIN_ROW}
    for name in names:
        possible = rows.may_vanish_with((place[name] if name >= 0 else -1 - name,))
        if set(np.flatnonzero(possible).tolist()) - {name}:
            return False
    return True


@dataclass(frozen=True)
class _Row:
    """A row: the floats of ``slack . [x, 1] >= 0``, whether it is open, its wall, and its neurons."""

    slack: Sequence[float]
    strict: bool
    wall: int
    neurons: Sequence[int]


class _Maker:
    """Makes the rows of regions one after another; what their patterns begin with alike is composed once."""

    def __init__(self, regions: RegionSet, maps: bool) -> None:
        solid, self._maps = regions.problem.solid, maps
        self._regions, self._prefixes = regions, Prefixes(regions.problem.input_layers)
        self._layer_of = regions.network.neuron_layers()
        rows, _ = rows_in_inputs(solid)
        floats = list(map(quotients, rows, scales(rows)))
        n = len(solid.forms)
        self._walls = [_Row(f, bool(solid.strict[i]), i, ()) for i, f in enumerate(floats[:n])]
        self._equations = [_Row(f, False, NO_WALL, ()) for f in floats[n:]]

    def block(self, facets: _Facets) -> tuple[HRepresentations, Floats]:
        """The rows of some regions, and their maps."""
        rows, sizes, maps = list[_Row](), [], []
        for i, (names, is_sure) in enumerate(zip(facets.names, facets.is_sure, strict=True), facets.first):
            if self._maps:  # first, for this composes all layers
                maps.append(self._prefixes.output(self._regions.patterns[i]).nearest_floats())
            own = [self._row(i, name) for name in names] if is_sure else self._exactly(i)
            rows += own + self._equations
            sizes.append(len(own) + len(self._equations))
        c, d = self._regions.network.n_outputs, self._regions.network.n_inputs
        affine = np.array(maps, dtype=np.float64).reshape(-1, c, d + 1)
        return self._arrays(facets.first, rows, sizes), affine

    def _arrays(self, first: int, rows: list[_Row], sizes: list[int]) -> HRepresentations:
        slack = np.array([row.slack for row in rows], dtype=np.float64)
        slack = slack.reshape(len(rows), self._regions.network.n_inputs + 1)
        return HRepresentations(
            first,
            _offsets(np.array(sizes, dtype=np.int64)),
            -slack[:, :-1] + 0.0,
            slack[:, -1].copy(),
            np.array([row.strict for row in rows], dtype=np.bool_),
            np.array([row.wall for row in rows], dtype=np.int64),
            _offsets(np.array([len(row.neurons) for row in rows], dtype=np.int64)),
            np.array([n for row in rows for n in row.neurons], dtype=np.int64),
        )

    def _row(self, i: int, name: int) -> _Row:
        """The row of a neuron, or of the domain."""
        if name < 0:
            return self._walls[-1 - name]
        index, unit = self._layer_of[name]
        pattern = self._regions.patterns[i]
        layer: PulledLayer = self._prefixes.layer(pattern, index)
        row, is_on = layer.exact.row(unit), bool(pattern[name])
        slack = quotients(row if is_on else [-entry for entry in row], layer.exact.denominator)
        return _Row(slack, is_on, NO_WALL, (name,))

    def _exactly(self, i: int) -> list[_Row]:
        """The rows of a region by linear programs, each with all that vanishes on its facet."""
        polytope = self._regions[i].polytope
        n_neurons = len(polytope.labels) - len(self._walls) - len(self._equations)
        numbers = [int(label.removeprefix("neuron ")) for label in polytope.labels[:n_neurons]]
        found = []
        groups = zip(polytope.facets().tolist(), polytope.facet_rows(), strict=True)
        for row, group in sorted(groups, key=lambda pair: int(pair[1][0])):
            walls = group[group >= n_neurons] - n_neurons
            slack = [*(-polytope.A[row]).tolist(), float(polytope.b[row])]
            neurons = tuple(numbers[other] for other in group[group < n_neurons].tolist())
            wall = int(walls[0]) if len(walls) else NO_WALL
            found.append(_Row(slack, bool(polytope.strict[group].any()), wall, neurons))
        return found
