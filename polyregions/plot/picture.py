"""Pictures of partitions, drawn with matplotlib."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeAlias

from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.plot.figure import FORMATS as FORMATS
from polyregions.plot.figure import import_matplotlib, new_figure, save_figure
from polyregions.plot.fills import checked_colouring, fill
from polyregions.plot.line import draw_line
from polyregions.plot.plane import draw_boundary, draw_edges, draw_faces, draw_graph, entitle, explain, frame
from polyregions.plot.scene import Scene
from polyregions.plot.sections import check_drawable
from polyregions.polyhedra.domain import Domain
from polyregions.regions.region_set import RegionSet

View: TypeAlias = "tuple[Any, Any] | None"
Draw: TypeAlias = Callable[[Any], None]


def plot_regions(
    regions: RegionSet,
    ax: Any = None,
    *,
    color: Any = "auto",
    boundary: bool | None = None,
    graph: bool = False,
    rule: str = "auto",
    view: View = None,
) -> Any:
    """Draw the regions of a one- or two-dimensional input set with matplotlib.

    Two dimensions are drawn as a map of polygons; one dimension as the graph of the network's outputs.

    Args:
        regions: regions of a one- or two-dimensional domain, slice, or box with the other inputs fixed.
        ax: matplotlib axes; a new figure if not given.
        color: "region" (neighbours differ), "class" (the winning output), "slope" (norm of the affine map's matrix),
            "layer" (lines in the colour of the layer that made them), R numbers (with a colour bar), or
            "auto": by class where there are several outputs, else by slope.
        boundary: whether the decision boundary is drawn on top; by default where colours show classes.
        graph: whether the adjacency graph is drawn in place (two dimensions only).
        rule: "argmax", "argmin", "sign", or "auto" for the sign of one output and the largest of several.
        view: two corners ``(lower, upper)`` to which the picture is cut; see `plane_section`.

    Returns:
        The axes.

    Raises:
        InputError: the domain is neither one- nor two-dimensional; the message says how to slice.
        OptionError: an unknown colouring, rule or view.
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))
    >>> ax = plot_regions(regions, matplotlib.figure.Figure().add_subplot(), color="region")
    >>> ax.get_title()
    'network: 4 regions'
    """
    check_drawable(regions.problem)
    colouring = checked_colouring(color, regions)
    axes = new_figure((6, 5)).add_subplot() if ax is None else ax
    import_matplotlib()
    if regions.dim == 1:
        draw_line(axes, regions, colouring, boundary, rule, view)
        return axes
    scene = Scene.of(regions, rule, view)
    by_class = isinstance(colouring, str) and colouring == "class"
    filled = fill(scene, colouring)
    draw_faces(axes, filled.polygons, filled.faces)
    draw_edges(axes, scene, by_layer=isinstance(colouring, str) and colouring == "layer")
    if by_class if boundary is None else boundary:
        draw_boundary(axes, scene)
    if graph:
        draw_graph(axes, scene)
    frame(axes, scene.section)
    explain(axes, filled)
    entitle(axes, regions, scene.section.note)
    return axes


def save_picture(
    regions: RegionSet, path: str | os.PathLike[str], colour: Any = "auto", **options: Any
) -> None:
    """Draw the regions of a one- or two-dimensional domain into a .png, .svg or .pdf file.

    Args:
        regions: the regions.
        path: the file; its suffix names the format.
        colour: `color` of `plot_regions`.
        **options: its other options.

    The same regions give the same bytes, and the file appears under its name only once it is complete.

    Raises:
        FormatError: an unknown format, or the file cannot be written.
        InputError, OptionError, MissingExtraError: as `plot_regions`.
    """
    checked_colouring(colour, regions)
    save_figure(path, lambda axes: plot_regions(regions, axes, color=colour, **options), (6, 5))


def check_picture(network: Network, domain: Domain, dims: tuple[int, ...] = (1, 2)) -> None:
    """Find out before the regions are enumerated whether they could be drawn.

    Raises:
        InputError: the domain does not have one of the given dimensions.
        MissingExtraError: matplotlib is not installed.
    """
    import_matplotlib()
    check_drawable(pose(network, domain), dims)
