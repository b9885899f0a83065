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
from polyregions.io.specs.data_points import load_data_points
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.plot.explorer.page import SUFFIXES, explore
from polyregions.plot.figure import FORMATS, SIZE, check_measures, save_figure, save_whole_figure
from polyregions.plot.layers import panels_size, plot_layers
from polyregions.plot.look import Look
from polyregions.plot.picture import check_picture, save_picture
from polyregions.plot.samples import samples_of
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
    check_measures(arguments.size or SIZE, arguments.dpi)
    network, domain = problem_of(arguments)
    flat_only = arguments.layers or arguments.surface is not None or arguments.graph
    check_picture(network, domain, (2,) if flat_only else (1, 2))
    if arguments.surface is not None:
        check_surface(network, arguments.surface)
    view, look = _checked_view(arguments, network, domain), _checked_look(arguments, network, domain)
    regions = regions_of(arguments, network, domain)
    with stage(f"drawing {arguments.output}"):
        _draw(arguments, regions, view, look)
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
    view, look = _checked_view(arguments, network, domain), _checked_look(arguments, network, domain)
    regions = regions_of(arguments, network, domain)
    with stage(f"writing {arguments.output}"):
        explore(regions, arguments.output, rule=rule_of(arguments), view=view, **look)
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
    if other and arguments.data is not None:
        raise OptionError(f"--data: not together with {other}")
    if arguments.layers and (arguments.class_names or arguments.percentiles):
        raise OptionError(
            "--class-names and --percentiles: not together with --layers, which colours regions"
        )
    if arguments.surface is not None and arguments.aspect != "auto":
        raise OptionError("--aspect: not together with --surface")


def _draw(arguments: Namespace, regions: RegionSet, view: Any, look: dict[str, Any]) -> None:
    rule, size, dpi, path = rule_of(arguments), arguments.size, arguments.dpi, arguments.output
    if arguments.layers:
        names = {name: look[name] for name in ("input_names", "title")}
        save_whole_figure(
            path,
            lambda figure: plot_layers(regions, figure, view=view, aspect=arguments.aspect, **names),
            size or panels_size(regions),
            dpi,
        )
    elif arguments.surface is not None:
        names = {name: value for name, value in look.items() if name not in ("data", "labels")}
        options = {"rule": rule, "view": view, "output": arguments.surface, "color": arguments.colour}
        save_figure(
            path, lambda axes: plot_surface(regions, axes, **options, **names), size or SIZE, "3d", dpi
        )
    else:
        options = {"boundary": arguments.boundary, "graph": arguments.graph, "aspect": arguments.aspect}
        save_picture(
            regions, path, arguments.colour, size=size, dpi=dpi, rule=rule, view=view, **options, **look
        )


def _checked_look(arguments: Namespace, network: Network, domain: Domain) -> dict[str, Any]:
    """Names, title, data and colour scale as keywords, once it is clear that they fit."""
    problem = pose(network, domain)
    names = {
        "input_names": arguments.input_names,
        "class_names": arguments.class_names,
        "title": arguments.title,
        "percentiles": arguments.percentiles or "auto",
    }
    look, data, labels = Look.of(problem, rule_of(arguments), **names), None, None
    if arguments.data is not None:
        data, labels = load_data_points(arguments.data, (network.n_inputs, problem.solid.hull.dim))
        samples_of(problem, look, data, labels)
    return names | {"data": data, "labels": labels}


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
