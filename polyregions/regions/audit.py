"""The geometry of a set of regions, checked against what must hold for any of them.

Nothing here goes into the making of regions or edges. What is counted is compared exactly; volumes, which are
floats, within a stated precision.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from polyregions._types import Ints
from polyregions.errors import expect
from polyregions.exact.affine import integer_rank
from polyregions.polyhedra.domain import WholeSpace
from polyregions.polyhedra.oracle.forms import Form
from polyregions.polyhedra.volume import volume_of_facets
from polyregions.progress import ProgressFunction
from polyregions.regions.faces import face_counts
from polyregions.regions.facets import Facets, facet_neurons, facets_of
from polyregions.regions.region_set import RegionSet
from polyregions.regions.volumes import region_volumes

FEW_DIMENSIONS = 3  # in which all faces are counted without being asked for
PRECISION = 1e-9  # of the domain's volume: what the sum of the regions' may differ by, in floats
SMALLEST = float(np.finfo(np.float64).tiny) / PRECISION  # below it floats no longer have that precision


@dataclass(frozen=True)
class Finding:
    """One thing that was checked.

    Attributes:
        name: what.
        ok: whether it holds; None if it does not apply to this set.
        detail: the numbers.
    """

    name: str
    ok: bool | None
    detail: str


@dataclass(frozen=True)
class Audit:
    """What an audit found; true if nothing is wrong.

    Attributes:
        findings: one for each thing checked.
    """

    findings: tuple[Finding, ...]

    def __bool__(self) -> bool:
        return all(finding.ok is not False for finding in self.findings)


def audit(
    regions: RegionSet,
    *,
    volumes: bool = True,
    faces: bool | None = None,
    progress: ProgressFunction | None = None,
) -> Audit:
    """Check that regions fill the domain without gaps or overlaps, as far as counting and measuring can tell.

    Args:
        regions: the regions, of any engine or file.
        volumes: whether to add up volumes too, which takes some milliseconds a region.
        faces: whether to count all faces too, for Euler's relation; only in up to 3 dimensions if not said.
        progress: as in `adjacency_arrays`.

    Returns:
        An `Audit`: volumes add up to the domain's; every facet of every region has a neighbour on its other side
        or lies on the domain's boundary, and every edge crosses such a facet; the adjacency graph is connected; on R^d
        the least degree is at least the rank of the first layer's weights and the average degree at most 2 d, the
        latter where it is a theorem: one layer of neurons, one input, or two and no neurons that coincide on a facet;
        the faces of a bounded domain satisfy Euler's relation, those of dimension d-1 being the edges and boundary
        facets. A check whose premises do not hold, or whose numbers float64 cannot hold, has ``ok`` None.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> bool(pr.audit(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))))
    True
    """
    expect(regions, RegionSet, "regions")
    facets = facets_of(regions, progress, by_points=True)
    neurons = facet_neurons(regions, progress=progress, by_points=True)
    return Audit(
        (
            _volumes(regions, facets, neurons) if volumes else Finding("volumes", None, "not asked for"),
            _paired(regions, facets, neurons),
            _on_facets(regions, facets, neurons),
            _connected(regions, facets),
            _degrees(regions, facets),
            _euler(regions, facets, regions.dim <= FEW_DIMENSIONS if faces is None else faces),
        )
    )


def _volumes(regions: RegionSet, facets: Facets, neurons: Ints) -> Finding:
    name = "volumes add up"
    if not regions.problem.solid.bounds.are_finite:
        return Finding(name, None, "the domain is unbounded")
    if not regions.complete:
        return Finding(name, None, "the set is partial")
    solid = regions.problem.solid
    whole = volume_of_facets([f.exact() for f in _domain_facets(regions, facets)], regions.dim)
    whole *= solid.hull.scale()
    with np.errstate(over="ignore", invalid="ignore"):  # what floats cannot hold is said below
        total = float(region_volumes(regions, facets.boundary, neurons, precision=0).sum())
    if not (np.isfinite(total) and SMALLEST <= whole < np.inf):
        return Finding(name, None, f"float64 cannot hold them: regions {total!r}, domain {whole!r}")
    return Finding(name, abs(total - whole) <= PRECISION * whole, f"regions {total!r}, domain {whole!r}")


def _domain_facets(regions: RegionSet, facets: Facets) -> list[Form]:
    """The rows of the domain that are its facets: those that carry a facet of some region."""
    return [regions.problem.solid.forms[row] for row in np.unique(facets.boundary.row).tolist()]


def _paired(regions: RegionSet, facets: Facets, neurons: Ints) -> Finding:
    """Every facet of a region's polytope is crossed by an edge along which its neuron flips."""
    name = "every facet has a neighbour"
    if not regions.complete:
        return Finding(name, None, "the set is partial")
    lonely = np.count_nonzero(~np.isin(_codes(regions, neurons), _flips_at_regions(regions, facets)))
    total = len(neurons) + len(facets.boundary)
    return Finding(
        name, not lonely, f"{total} facets, {len(facets.boundary)} on the boundary, {lonely} unpaired"
    )


def _on_facets(regions: RegionSet, facets: Facets, neurons: Ints) -> Finding:
    """Every edge leads through a facet of both of its regions: one of the neurons that flip carries it."""
    edges = facets.adjacency
    number = np.repeat(np.arange(len(edges)), np.diff(edges.flip_offsets))
    known = _codes(regions, neurons)
    bad = 0
    for end in (edges.source, edges.target):
        carried = np.isin(_codes(regions, np.column_stack([end[number], edges.flips])), known)
        bad += len(edges) - len(np.unique(number[carried]))
    return Finding("every edge crosses a facet", not bad, f"{len(edges)} edges, {bad} ends without a facet")


def _flips_at_regions(regions: RegionSet, facets: Facets) -> Ints:
    edges = facets.adjacency
    sizes = np.diff(edges.flip_offsets)
    pairs = [np.column_stack([np.repeat(end, sizes), edges.flips]) for end in (edges.source, edges.target)]
    return _codes(regions, np.concatenate(pairs))


def _codes(regions: RegionSet, pairs: Ints) -> Ints:
    """One number for each (region, neuron)."""
    codes: Ints = pairs[:, 0] * max(1, regions.network.n_neurons) + pairs[:, 1]
    return codes


def _connected(regions: RegionSet, facets: Facets) -> Finding:
    name = "the adjacency graph is connected"
    if not regions.complete:
        return Finding(name, None, "the set is partial")
    edges, n = facets.adjacency, len(regions)
    graph = coo_array((np.ones(len(edges), dtype=np.int8), (edges.source, edges.target)), shape=(n, n))
    count = connected_components(graph, directed=False, return_labels=False)
    return Finding(name, bool(count == 1), f"{count} components")


def _euler(regions: RegionSet, facets: Facets, wanted: bool) -> Finding:
    """Euler's relation of the complex, and its walls counted in another way than through the graph."""
    name = "Euler's relation"
    if not wanted or not regions.complete or not regions.problem.solid.bounds.are_finite:
        return Finding(name, None, "asked of complete sets on bounded domains of few dimensions")
    counts = face_counts(regions)
    total = sum((-1) ** i * count for i, count in enumerate(counts))
    walls = len(facets.adjacency) + len(facets.boundary)
    ok = total == 1 and counts[-1] == len(regions) and (len(counts) == 1 or counts[-2] == walls)
    return Finding(name, ok, f"faces {counts}, alternating sum {total}")


def _degrees(regions: RegionSet, facets: Facets) -> Finding:
    """On R^d: at least rank(W_1) neighbours everywhere, and at most 2 d on the average where that is a theorem.

    A region holds no line on which the first layer is not constant, so the normals of its facets have the rank of
    that layer, and behind each facet is another neighbour: convex sets share one at most.
    """
    name = "degrees"
    if not isinstance(regions.domain, WholeSpace) or not regions.complete:
        return Finding(name, None, "the theorems are about all regions of the whole space")
    degrees = np.diff(facets.adjacency.neighbours()[0])
    mean, least = float(degrees.mean()), _first_rank(regions)
    bounded = _mean_is_bounded(regions, facets)
    ok = bool(degrees.min() >= least and (not bounded or mean <= 2 * regions.dim))
    most = f"at most {2 * regions.dim}" if bounded else "no bound is a theorem here"
    return Finding(name, ok, f"mean {mean:.4g} ({most}), least {degrees.min()} (at least {least})")


def _first_rank(regions: RegionSet) -> int:
    """The rank of the first layer that has neurons, over those; before it the network is affine."""
    layers = regions.problem.layers
    pulled = layers.first()
    while not len(pulled.kinked) and not pulled.is_last:
        pulled = pulled.next(np.zeros(0, dtype=np.bool_))
    rows = [pulled.exact.row(int(unit))[:-1] for unit in pulled.kinked]
    return integer_rank(rows, regions.dim)


def _mean_is_bounded(regions: RegionSet, facets: Facets) -> bool:
    """Whether the average degree is known to be at most 2 d.

    It is for every arrangement of hyperplanes, one layer that is: by induction, for a new hyperplane brings a wall
    for each new region, and cuts at most d-1 times as many old ones. In the plane, bent lines meet in vertices of
    degree four at least if no two share a segment, and Euler's formula does the rest. In more dimensions bent
    hyperplanes may close up to surfaces with handles, on which that count fails.
    """
    n_bent = sum(start < end for start, end in regions.network.layer_spans)
    if n_bent <= 1 or regions.dim <= 1:
        return True
    return regions.dim == 2 and bool(np.all(np.diff(facets.adjacency.flip_offsets) == 1))
