"""The checks of the census: other settings, a box and its halves, certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polyregions import Box, Network, certify, enumerate_regions, tally_regions
from polyregions import check as check_certificate
from polyregions.errors import InternalError
from polyregions.polyhedra.domain import Domain
from polyregions.regions.region_set import RegionSet

if TYPE_CHECKING:
    from census import Work
    from census_rows import Row


def check(network: Network, domain: Domain, work: Work) -> Row:
    """The counts once more; the setting is other than that of the first row."""
    tally = tally_regions(network, domain, workers=work.workers)
    found = {"regions": tally.regions, "after": list(tally.after_each_layer), "engine": tally.engine}
    first = work.first
    if first is None or any(found[name] != first[name] for name in ("regions", "after")):
        raise InternalError(f"{work.key}: found {found}, expected {first}")
    return {**found, "equal": True}


def halves(network: Network, domain: Domain, work: Work) -> Row:
    """A box and its halves in the widest input, as sets of patterns.

    A region is convex and has one pattern. The cut meets its interior if and only if both halves have a region of that
    pattern, so the regions of the box are those of the halves, with what both have counted once. The regions on the cut
    itself, a box of one dimension less, are as many as the cut meets, unless a neuron is zero all along it.
    """
    assert isinstance(domain, Box)
    axis, at = widest(domain)
    sides = [(domain.lower[axis], at), (at, domain.upper[axis])]
    whole = patterns(enumerate_regions(network, domain, workers=work.workers))
    left, right = (
        patterns(enumerate_regions(network, between(domain, axis, *side), workers=work.workers))
        for side in sides
    )
    on_cut = tally_regions(network, between(domain, axis, at, at), workers=work.workers).regions
    both = np.intersect1d(left, right)
    return {
        "regions": len(whole),
        "left": len(left),
        "right": len(right),
        "cut": len(both),
        "on_cut": on_cut,
        "axis": axis,
        "at": at,
        "equal": bool(np.array_equal(np.union1d(left, right), np.sort(whole))) and on_cut == len(both),
    }


def widest(box: Box) -> tuple[int, float]:
    """The input with the longest side, and its middle."""
    axis = int(np.argmax(np.asarray(box.upper) - np.asarray(box.lower)))
    return axis, float((box.lower[axis] + box.upper[axis]) / 2)


def between(box: Box, axis: int, low: float, high: float) -> Box:
    """The part of a box between two values of one input."""
    lower, upper = np.array(box.lower, dtype=float), np.array(box.upper, dtype=float)
    lower[axis], upper[axis] = low, high
    return Box(lower, upper)


def patterns(regions: RegionSet) -> Any:
    """The patterns as one string of bytes each, which numpy sorts."""
    packed = np.ascontiguousarray(regions.packed)
    return packed.view(f"V{packed.shape[1]}").ravel()


def certificate(network: Network, domain: Domain, work: Work) -> Row:
    """The proof that the regions are all, and whether the checker, which needs neither engine nor solver, accepts."""
    regions = enumerate_regions(network, domain, workers=work.workers)
    verdict = check_certificate(certify(regions), network, domain)
    return {
        "regions": len(regions),
        "proved": verdict.regions,
        "equal": bool(verdict) and verdict.regions == len(regions),
    }
