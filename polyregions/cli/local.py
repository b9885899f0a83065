"""``polyregions local``: the region at a point, and the regions around it."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from polyregions.analysis.decisions import DecisionCells
from polyregions.analysis.local.around import Neighbourhood, neighbourhood
from polyregions.analysis.local.at import LocalRegion, region_at
from polyregions.cli.answers import check_output, finish, saved
from polyregions.cli.choices import REGIONS
from polyregions.cli.commands import rule_of
from polyregions.cli.problem import numbers_of, problem_of
from polyregions.errors import OptionError
from polyregions.networks.network import Network
from polyregions.networks.patterns import as_text
from polyregions.polyhedra.domain import Domain
from polyregions.progress import stage


def local(arguments: Namespace) -> int:
    """Say which region a point is in, or how many there are around it."""
    check_output(arguments, REGIONS)
    network, domain = _problem(arguments)
    point = numbers_of(arguments.at, network.n_inputs, "--at")
    if arguments.hops is None and arguments.radius is None:
        return _region(arguments, network, point, domain)
    session = arguments.session
    session.note(network=network.name, regions=0)
    found = neighbourhood(
        network,
        point,
        hops=arguments.hops,
        radius=arguments.radius,
        norm=arguments.norm,
        domain=domain,
        max_regions=arguments.max_regions,
        time_limit=session.left(),
        progress=session.progress,
    )
    session.note(regions=len(found))
    return _neighbourhood(arguments, found)


def _problem(arguments: Namespace) -> tuple[Network, Domain]:
    """The network and the input set, all of the space if none is given."""
    is_free = arguments.box is None and arguments.domain is None
    return problem_of(Namespace(**vars(arguments) | {"whole_space": arguments.whole_space or is_free}))


def _region(arguments: Namespace, network: Network, point: Any, domain: Domain) -> int:
    if arguments.classes or arguments.max_regions is not None:
        raise OptionError("--classes and --max-regions: only with --hops or --radius")
    with stage("looking at the facets"):
        here = region_at(network, point, domain)
    report = _about(here, rule_of(arguments)) | saved(arguments, here.region.regions)
    return finish(arguments, network, report, complete=True)


def _about(here: LocalRegion, rule: str) -> dict[str, Any]:
    return {
        "pattern": as_text(here.pattern),
        "class": here.label(rule),
        "outputs": [float(value) for value in here.value],
        "neighbours": len(here.facets),
        "facets": [list(facet.neurons) for facet in here.facets],
    }


def _neighbourhood(arguments: Namespace, found: Neighbourhood) -> int:
    report: dict[str, Any] = {"regions": len(found), "per_hop": found.per_hop()}
    if arguments.radius is not None:
        report |= {"radius": float(arguments.radius), "norm": arguments.norm}
    if arguments.classes:
        with stage("looking for the classes"):
            report |= _classes(found.decision_cells(rule_of(arguments)))
    return finish(arguments, found.network, report | saved(arguments, found.regions), found.complete)


def _classes(cells: DecisionCells) -> dict[str, Any]:
    return {
        "decision_cells": len(cells),
        "cells_per_class": {str(k): n for k, n in cells.per_class().items()},
    }
