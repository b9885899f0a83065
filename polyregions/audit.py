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
from polyregions.complex import Facets, facet_arrays, facet_neurons
from polyregions.domain import WholeSpace
from polyregions.faces import face_counts
from polyregions.geometry.volume import volume_of_facets
from polyregions.oracle.polyhedron import Form
from polyregions.progress import ProgressFunction
from polyregions.regions import RegionSet
from polyregions.volumes import region_volumes

FEW_DIMENSIONS = 3  # in which all faces are counted without being asked for
PRECISION = 1e-9  # of the domain's volume: what the sum of the regions' may differ by, in floats


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
        the average degree is at most 2 d and the least at least min(n_1, d), where no neurons coincide on a facet; the
        faces of a bounded domain satisfy Euler's relation, those of dimension d-1 being the edges and boundary facets.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> bool(pr.audit(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))))
    True
    """
    facets = facet_arrays(regions, progress=progress)
    neurons = facet_neurons(regions, progress=progress)
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
    total = float(region_volumes(regions, facets.boundary, neurons).sum())
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
    """On R^d, in general position: at most 2 d neighbours on the average, and nowhere fewer than min(n_1, d)."""
    name = "degrees"
    if not isinstance(regions.domain, WholeSpace) or not regions.complete:
        return Finding(name, None, "the theorems are about all regions of the whole space")
    if np.any(np.diff(facets.adjacency.flip_offsets) != 1):
        return Finding(name, None, "neurons coincide, the theorems are about general position")
    degrees = np.diff(facets.adjacency.neighbours()[0])
    least = min(regions.network.layers[0].n_neurons, regions.dim)
    ok = bool(degrees.mean() <= 2 * regions.dim and degrees.min() >= least)
    detail = (
        f"mean {degrees.mean():.4g} (at most {2 * regions.dim}), least {degrees.min()} (at least {least})"
    )
    return Finding(name, ok, detail)
