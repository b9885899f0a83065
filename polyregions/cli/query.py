"""``polyregions query``: output ranges, a Lipschitz constant, a robustness radius."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from polyregions.analysis.decisions import decision_cells
from polyregions.analysis.queries import lipschitz_constant, output_range, robustness_radius
from polyregions.cli.answers import finish
from polyregions.cli.commands import rule_of
from polyregions.cli.problem import numbers_of, problem_of
from polyregions.cli.running import regions_of
from polyregions.progress import stage
from polyregions.regions.region_set import RegionSet


def query(arguments: Namespace) -> int:
    """Answer what was asked, the ranges of the outputs if nothing was; some of the regions answer nothing."""
    regions = regions_of(arguments, *problem_of(arguments))
    report: dict[str, Any] = {"regions": len(regions)}
    if regions.complete:
        for what, answer in _asked(arguments, regions):
            with stage(what):
                found = answer()
            report |= found
            arguments.session.note(**found)
        if arguments.lipschitz or arguments.radius:
            report["norm"] = arguments.norm
    return finish(arguments, regions.network, report, regions.complete)


Answer: TypeAlias = Callable[[], dict[str, Any]]


def _asked(arguments: Namespace, regions: RegionSet) -> Iterator[tuple[str, Answer]]:
    """What is asked for, each with what it is called while it is looked for."""
    if arguments.range or not (arguments.lipschitz or arguments.radius):
        yield (
            "looking for the range",
            lambda: {"range": [[low.value, high.value] for low, high in output_range(regions)]},
        )
    if arguments.lipschitz:
        yield (
            "looking for the Lipschitz constant",
            lambda: {"lipschitz": lipschitz_constant(regions, arguments.norm).value},
        )
    if arguments.radius:
        yield "looking for the radius", lambda: _radius(arguments, regions)


def _radius(arguments: Namespace, regions: RegionSet) -> dict[str, Any]:
    point = numbers_of(arguments.radius, regions.network.n_inputs, "--radius")
    cells = decision_cells(regions, rule_of(arguments))
    found = robustness_radius(cells, point, arguments.norm)
    report: dict[str, Any] = {"class": found.label, "radius": found.radius}
    if found.point is not None:
        report |= {"other_class": found.other, "nearest_point": [float(c) for c in found.point]}
    return report
