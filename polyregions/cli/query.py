"""``polyregions query``: output ranges, a Lipschitz constant, a robustness radius."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from polyregions.analysis.decisions import decision_cells
from polyregions.analysis.queries import lipschitz_constant, output_range, robustness_radius
from polyregions.cli.answers import finish
from polyregions.cli.commands import rule_of
from polyregions.cli.problem import numbers_of, problem_of
from polyregions.cli.running import regions_of
from polyregions.regions.region_set import RegionSet


def query(arguments: Namespace) -> int:
    """Answer what was asked, the ranges of the outputs if nothing was; some of the regions answer nothing."""
    regions = regions_of(arguments, *problem_of(arguments))
    report: dict[str, Any] = {"regions": len(regions)}
    if regions.complete:
        report |= _answers(arguments, regions)
    return finish(arguments, regions.network, report, regions.complete)


def _answers(arguments: Namespace, regions: RegionSet) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    if arguments.range or not (arguments.lipschitz or arguments.radius):
        answers["range"] = [[low.value, high.value] for low, high in output_range(regions)]
    if arguments.lipschitz:
        answers["lipschitz"] = lipschitz_constant(regions, arguments.norm).value
    if arguments.radius:
        answers |= _radius(arguments, regions)
    if arguments.lipschitz or arguments.radius:
        answers["norm"] = arguments.norm
    return answers


def _radius(arguments: Namespace, regions: RegionSet) -> dict[str, Any]:
    point = numbers_of(arguments.radius, regions.network.n_inputs, "--radius")
    cells = decision_cells(regions, rule_of(arguments))
    found = robustness_radius(cells, point, arguments.norm)
    report: dict[str, Any] = {"class": found.label, "radius": found.radius}
    if found.point is not None:
        report |= {"other_class": found.other, "nearest_point": [float(c) for c in found.point]}
    return report
