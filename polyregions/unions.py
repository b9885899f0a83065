"""Enumerating on several input sets, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace

from polyregions.engine.options import STALL_LIMIT, RunOptions
from polyregions.errors import DomainError, InputError, StoppedError, expect
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem, pose
from polyregions.polyhedra.domain import Domain
from polyregions.progress import Progress, ProgressFunction, Watch
from polyregions.regions.collect import enumerate_in_memory
from polyregions.regions.region_set import RegionSet
from polyregions.regions.union import UnionRegions


def enumerate_union(
    network: Network,
    domains: Sequence[Domain],
    *,
    engine: str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
    stall_limit: float = STALL_LIMIT,
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
) -> UnionRegions:
    """Every full-dimensional linear region on each of several input sets, such as the boxes of a property.

    Args:
        network: the network, d inputs.
        domains: the input sets in R^d, which may overlap.
        engine, workers, executor, stall_limit: as in `enumerate_regions`.
        progress: called now and then with a `Progress` of the whole; returning False stops the run.
        max_regions: stop after this many regions in all.
        time_limit: stop after this many seconds in all.

    Returns:
        The regions of each set, in the order of the sets; those of a set that the run did not come to are missing.

    Raises:
        InputError: no input set.
        DomainError: an input set is empty or of another dimension; it is named by its number.
        OptionError, StoppedError: as in `enumerate_regions`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1]], [0]), ([[1]], [0])])
    >>> regions = pr.enumerate_union(net, [pr.Box(-2, 1), pr.Box(2, 3)])
    >>> len(regions), regions.box.tolist(), regions.count_patterns()
    (3, [0, 0, 1], 2)
    """
    problems = _posed(network, domains)
    watch, parts = Watch(None, time_limit), list[RegionSet]()
    for i, problem in enumerate(problems):
        found = sum(map(len, parts))
        options = RunOptions(
            engine,
            workers,
            executor,
            _of_part(progress, i, len(problems), found),
            None if max_regions is None else max_regions - found,
            watch.seconds_left,
            stall_limit,
        )
        parts.append(_regions(problem, options, parts))
        if not parts[-1].complete:
            break
    return UnionRegions(tuple(parts))


def _regions(problem: Problem, options: RunOptions, before: list[RegionSet]) -> RegionSet:
    """The regions on one set; an error that stops the run takes along what was found on the sets before too."""
    try:
        return enumerate_in_memory(problem, options)
    except StoppedError as error:
        if error.finished is not None:
            error.finished = UnionRegions((*before, error.finished))
        raise


def _posed(network: Network, domains: Sequence[Domain]) -> list[Problem]:
    """The problem on each set, refused before any is enumerated."""
    expect(network, Network, "network")
    if not isinstance(domains, Sequence):
        raise InputError(
            f"domains: {type(domains).__name__}, expected a list of input sets such as Box(-1, 1)"
        )
    problems = []
    for i, domain in enumerate(domains):
        try:
            problems.append(pose(network, domain))
        except DomainError as error:
            raise DomainError(f"input set {i}: {error}") from None
    if not problems:
        raise InputError("domains: none, expected at least one input set")
    return problems


def _of_part(progress: ProgressFunction | None, i: int, n: int, found: int) -> ProgressFunction | None:
    """What tells `progress` of the whole while set i of n is enumerated."""
    if progress is None:
        return None

    def of_whole(state: Progress) -> bool | None:
        return progress(replace(state, regions=found + state.regions, fraction=(i + state.fraction) / n))

    return of_whole
