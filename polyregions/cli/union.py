"""Counting and listing the regions of all input sets of a file."""

from __future__ import annotations

from argparse import Namespace
from concurrent.futures import Executor
from functools import partial
from typing import Any

from polyregions.cli.answers import finish, saved
from polyregions.cli.cluster import executor_of
from polyregions.cli.running import or_what_is_finished, run_options
from polyregions.engine.tally import Tally
from polyregions.enumeration import tally_regions
from polyregions.errors import OptionError
from polyregions.io.files import suffix_of
from polyregions.io.save import suffixes_of
from polyregions.networks.network import Network
from polyregions.polyhedra.domain import Domain
from polyregions.regions.union import UnionRegions
from polyregions.unions import enumerate_union

OF_ONE = ("store", "certificate", "after_layer", "lower_dimensional", "estimate")


def count_union(arguments: Namespace, network: Network, domains: list[Domain]) -> int:
    """``polyregions count`` on several input sets: regions of each, and their sum."""
    _refuse_options_of_one(arguments)
    arguments.session.note(network=network.name, regions=0)
    counts, complete = list[int](), True
    with executor_of(arguments.dask) as executor:
        for domain in domains:
            tally = or_what_is_finished(partial(_tally, arguments, network, domain, executor, sum(counts)))
            counts.append(tally.regions)
            arguments.session.note(regions=sum(counts))
            complete = tally.complete
            if not complete:
                break
    return finish(arguments, network, {"regions": sum(counts), "regions_of_sets": counts}, complete)


def _tally(
    arguments: Namespace, network: Network, domain: Domain, executor: Executor | None, before: int
) -> Tally:
    """The count on one set, after `before` regions of others."""
    options = run_options(arguments)
    if options["max_regions"] is not None:
        options["max_regions"] -= before
    return tally_regions(network, domain, executor=executor, **options)


def list_union(arguments: Namespace, network: Network, domains: list[Domain], options: dict[str, Any]) -> int:
    """``polyregions enumerate`` on several input sets: the regions of each, into one table."""
    _refuse_options_of_one(arguments)
    if arguments.output is not None and suffix_of(arguments.output) not in suffixes_of(UnionRegions):
        raise OptionError(
            f"{arguments.output}: {arguments.domain} has {len(domains)} input sets, expected a name that ends in "
            f"{' or '.join(suffixes_of(UnionRegions))}, or one set by --domain-set"
        )
    arguments.session.note(network=network.name, regions=0)
    with executor_of(arguments.dask) as executor:
        regions = or_what_is_finished(
            lambda: enumerate_union(network, domains, executor=executor, **run_options(arguments))
        )
    arguments.session.note(regions=len(regions))
    report = {
        "regions": len(regions),
        "regions_of_sets": [len(part) for part in regions.parts],
        "patterns": regions.count_patterns(),
    }
    return finish(arguments, network, report | saved(arguments, regions, **options), regions.complete)


def _refuse_options_of_one(arguments: Namespace) -> None:
    """What is for one input set only.

    Raises:
        OptionError: such an option was given.
    """
    for name in OF_ONE:
        if getattr(arguments, name, None):
            option = name.replace("_", "-")
            raise OptionError(f"--{option}: for one input set, choose one with --domain-set")
