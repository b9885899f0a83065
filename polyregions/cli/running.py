"""Enumerating for a command: who does it, what is shown meanwhile, when it stops."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from polyregions.cli.cluster import executor_of
from polyregions.engine.estimate import estimate_regions
from polyregions.enumeration import enumerate_regions
from polyregions.errors import StoppedError
from polyregions.networks.network import Network
from polyregions.polyhedra.domain import Domain
from polyregions.regions.region_set import RegionSet

Result = TypeVar("Result")


def expect(arguments: Namespace, network: Network, domain: Domain) -> None:
    """Estimate the run, if that is wanted; what it says is shown beside the progress."""
    if not arguments.estimate or arguments.quiet:
        return
    session = arguments.session
    with suppress(StoppedError):  # no time for that
        session.expected = estimate_regions(
            network, domain, engine=arguments.engine, time_limit=session.left(), progress=session.progress
        )


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
    names = ("engine", "workers", "stall_limit", "max_regions")
    session = arguments.session
    options = {name: getattr(arguments, name) for name in names}
    return options | {"time_limit": session.left(), "progress": session.progress}


def regions_of(
    arguments: Namespace, network: Network, domain: Domain, certify: bool = False, store: str | None = None
) -> RegionSet:
    """The regions that a command is about, with progress on stderr and what its options say."""
    arguments.session.note(network=network.name, regions=0)
    expect(arguments, network, domain)
    with executor_of(arguments.dask) as executor:
        regions = or_what_is_finished(
            lambda: enumerate_regions(
                network,
                domain,
                executor=executor,
                certify=certify,
                store=store,
                **run_options(arguments),
            )
        )
    arguments.session.note(regions=len(regions))
    hull = regions.problem.solid.hull
    if not hull.is_whole and not arguments.quiet:
        print(
            f"note: the input set is {hull.dim}-dimensional in R^{hull.ambient_dim}; "
            "regions are those of the network restricted to it",
            file=sys.stderr,
        )
    return regions
