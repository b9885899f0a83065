"""The batches of a run as one `RegionSet`, in lexicographic order."""

from __future__ import annotations

from dataclasses import replace
from operator import itemgetter

from polyregions.engine.options import RunOptions
from polyregions.engine.tally import Run
from polyregions.errors import StoppedError
from polyregions.networks.patterns import bytes_of
from polyregions.networks.problem import Problem
from polyregions.regions.certify import certify as proof_of
from polyregions.regions.packed import PackedRegions
from polyregions.regions.region_set import RegionSet


def enumerate_in_memory(problem: Problem, options: RunOptions, certify: bool = False) -> RegionSet:
    """Every region, see `enumeration.enumerate_regions`.

    Raises:
        OptionError: an unknown engine, or one that cannot take the problem.
    """
    regions = _collect(Run(problem, options, keep=True))
    return replace(regions, certificate=proof_of(regions)) if certify and regions.complete else regions


def all_regions(problem: Problem) -> RegionSet:
    """Every region, by whatever engine is the fastest."""
    return enumerate_in_memory(problem, RunOptions())


def _collect(run: Run) -> RegionSet:
    """All batches as one set, in lexicographic order; an error that stops them takes along what was found."""
    found: list[tuple[tuple[int, ...], PackedRegions]] = []
    try:
        for batch in run.batches():
            if batch.count:
                found.append((batch.place, PackedRegions.of(batch)))
    except StoppedError as error:
        error.finished = _joined(run, found)
        raise
    return _joined(run, found)


def _joined(run: Run, found: list[tuple[tuple[int, ...], PackedRegions]]) -> RegionSet:
    """Batches as one set, in the order of their places in the tree."""
    problem = run.problem
    parts = [part for _, part in sorted(found, key=itemgetter(0))]
    listing = PackedRegions.joined(parts, bytes_of(problem.network.n_neurons), problem.solid.hull.dim)
    ordered = listing if run.in_order else listing.in_lexicographic_order()
    return RegionSet(problem, ordered, run.complete, run.engine, run.score)
