"""The verbs that make something to look at: plot and explore."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any

from polyregions.analysis.decisions.outputs import chosen_rule
from polyregions.cli.answers import check_output, finish
from polyregions.cli.commands import rule_of
from polyregions.cli.problem import numbers_of, problem_of
from polyregions.cli.running import regions_of
from polyregions.errors import OptionError
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.plot.explorer.page import SUFFIXES, explore
from polyregions.plot.figure import FORMATS, save_figure, save_whole_figure
from polyregions.plot.layers import panels_size, plot_layers
from polyregions.plot.picture import check_picture, save_picture
from polyregions.plot.sections import check_drawable, checked_view, domain_goes_on
from polyregions.plot.surface import check_output as check_surface
from polyregions.plot.surface import plot_surface
from polyregions.polyhedra.domain import Domain
from polyregions.progress import stage
from polyregions.regions.region_set import RegionSet


def plot(arguments: Namespace) -> int:
    """``polyregions plot``: a picture of a one- or two-dimensional domain.

    Raises:
        OptionError: no file to write.
    """
    if arguments.output is None:
        raise OptionError("plot: -o FILE is missing; its suffix (.png, .svg, .pdf) names the format")
    check_output(arguments, FORMATS)
    _check_combination(arguments)
    network, domain = problem_of(arguments)
    flat_only = arguments.layers or arguments.surface is not None or arguments.graph
    check_picture(network, domain, (2,) if flat_only else (1, 2))
    if arguments.surface is not None:
        check_surface(network, arguments.surface)
    view = _checked_view(arguments, network, domain)
    regions = regions_of(arguments, network, domain)
    with stage(f"drawing {arguments.output}"):
        _draw(arguments, regions, view)
    report = {"regions": len(regions), "file": arguments.output}
    return finish(arguments, regions.network, report, regions.complete)


def explore_(arguments: Namespace) -> int:
    """``polyregions explore``: a web page in which a two-dimensional domain can be looked at.

    Raises:
        OptionError: no file to write.
    """
    if arguments.output is None:
        raise OptionError("explore: -o FILE is missing, a name that ends in .html")
    check_output(arguments, SUFFIXES)
    network, domain = problem_of(arguments)
    check_drawable(pose(network, domain), (2,))
    view = _checked_view(arguments, network, domain)
    regions = regions_of(arguments, network, domain)
    with stage(f"writing {arguments.output}"):
        explore(regions, arguments.output, rule=rule_of(arguments), view=view)
    report = {"regions": len(regions), "file": arguments.output}
    return finish(arguments, regions.network, report, regions.complete)


def _check_combination(arguments: Namespace) -> None:
    """Refuse options that a picture has no place for."""
    other = "--layers" if arguments.layers else "--surface" if arguments.surface is not None else None
    if other and (arguments.graph or arguments.boundary is not None):
        raise OptionError(f"--graph and --boundary: not together with {other}")
    if arguments.layers and (arguments.colour != "auto" or rule_of(arguments) != "auto"):
        raise OptionError("--colour, --argmin and --sign: not together with --layers, which colours regions")
    if arguments.surface is not None and arguments.colour == "layer":
        raise OptionError("--colour layer: not together with --surface, which has no lines")


def _draw(arguments: Namespace, regions: RegionSet, view: Any) -> None:
    options = {"rule": rule_of(arguments), "view": view}
    if arguments.layers:
        size = panels_size(regions)
        save_whole_figure(arguments.output, lambda figure: plot_layers(regions, figure, view=view), size)
    elif arguments.surface is not None:
        options |= {"output": arguments.surface, "color": arguments.colour}
        save_figure(arguments.output, lambda axes: plot_surface(regions, axes, **options), (6, 5), "3d")
    else:
        options |= {"boundary": arguments.boundary, "graph": arguments.graph}
        save_picture(regions, arguments.output, arguments.colour, **options)


def _checked_view(arguments: Namespace, network: Network, domain: Domain) -> Any:
    """The corners of --view, once it is clear that view and rule fit; a note if the picture will not show all."""
    problem = pose(network, domain)
    dim = problem.solid.hull.dim
    chosen_rule(network, rule_of(arguments))
    if arguments.view is not None:
        bounds = zip(arguments.view, ("--view LO", "--view HI"), strict=True)
        lower, upper = (numbers_of(text, dim, name) for text, name in bounds)
        return checked_view((lower, upper), dim)
    if domain_goes_on(problem) and not arguments.quiet:
        text = "note: the input set is unbounded; the picture shows a part of it (--view LO HI)"
        print(text, file=sys.stderr)
    return None
