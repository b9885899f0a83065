"""Enumerating for a command: who does it, what is shown meanwhile, when it stops."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any, TypeVar

from polyregions.cli.cluster import executor_of
from polyregions.cli.progress import watched
from polyregions.engine.estimate import Estimate, estimate_regions
from polyregions.enumeration import enumerate_regions
from polyregions.errors import StoppedError
from polyregions.networks.network import Network
from polyregions.polyhedra.domain import Domain
from polyregions.regions.region_set import RegionSet

Result = TypeVar("Result")


def expected_of(arguments: Namespace, network: Network, domain: Domain) -> Estimate | None:
    """An estimate of the run, if one is wanted; what it says is shown beside the progress."""
    if not arguments.estimate or arguments.quiet:
        return None
    return estimate_regions(network, domain, engine=arguments.engine)


def or_what_is_finished(run: Callable[[], Result]) -> Result:
    """The result of a run, or what it had when it was stopped, which is marked as partial, and why on stderr.

    Raises:
        StoppedError: it had nothing that could be used.
    """
    try:
        return run()
    except StoppedError as error:
        if error.finished is None:
            raise
        print(f"polyregions: {error}", file=sys.stderr)
        finished: Result = error.finished
        return finished


def run_options(arguments: Namespace) -> dict[str, Any]:
    """What every verb about regions has, as keywords of `enumerate_regions` and `tally_regions`."""
    names = ("engine", "workers", "stall_limit", "max_regions", "time_limit")
    return {name: getattr(arguments, name) for name in names}


def regions_of(
    arguments: Namespace, network: Network, domain: Domain, certify: bool = False, store: str | None = None
) -> RegionSet:
    """The regions that a command is about, with progress on stderr and what its options say."""
    expected = expected_of(arguments, network, domain)
    with executor_of(arguments.dask) as executor, watched(arguments.quiet, expected) as progress:
        regions = or_what_is_finished(
            lambda: enumerate_regions(
                network,
                domain,
                executor=executor,
                certify=certify,
                progress=progress,
                store=store,
                **run_options(arguments),
            )
        )
    hull = regions.problem.solid.hull
    if not hull.is_whole and not arguments.quiet:
        print(
            f"note: the input set is {hull.dim}-dimensional in R^{hull.ambient_dim}; "
            "regions are those of the network restricted to it",
            file=sys.stderr,
        )
    return regions
