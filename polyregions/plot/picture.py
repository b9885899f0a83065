"""Pictures of partitions, drawn with matplotlib."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, TypeAlias

from polyregions._types import Floats
from polyregions.errors import expect
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.plot.captions import caption, plane_text
from polyregions.plot.figure import FORMATS as FORMATS
from polyregions.plot.figure import SIZE, given_axes, import_matplotlib, new_axes, save_figure
from polyregions.plot.fills import checked_colouring, fill
from polyregions.plot.line import draw_line
from polyregions.plot.look import Look, Percentiles, one_colour
from polyregions.plot.plane import (
    BOUNDARY,
    INK,
    draw_boundary,
    draw_edges,
    draw_faces,
    draw_graph,
    draw_samples,
    entitle,
    explain,
    frame,
    layer_entries,
    patches,
    sample_entries,
    shade_entry,
    strokes,
)
from polyregions.plot.samples import Samples, samples_of
from polyregions.plot.scene import Scene
from polyregions.plot.sections import check_drawable
from polyregions.polyhedra.domain import Domain
from polyregions.regions.region_set import RegionSet

View: TypeAlias = "tuple[Any, Any] | None"


def plot_regions(
    regions: RegionSet,
    ax: Any = None,
    *,
    color: Any = "auto",
    colour: Any = None,
    boundary: bool | None = None,
    graph: bool = False,
    rule: str = "auto",
    view: View = None,
    data: Any = None,
    labels: Any = None,
    input_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    aspect: str = "auto",
    percentiles: Percentiles = "auto",
    size: tuple[float, float] | None = None,
    dpi: float | None = None,
) -> Any:
    """Draw the regions of a one- or two-dimensional input set with matplotlib.

    Two dimensions are drawn as a map of polygons; one dimension as the graph of the network's outputs. The caption
    says which inputs are fixed at what, where an unbounded set is cut, and what of the data lies elsewhere.

    Args:
        regions: regions of a one- or two-dimensional domain, slice, or box with the other inputs fixed.
        ax: matplotlib axes; a new figure if not given.
        color: "region" (neighbours differ), "class" (the winning output), "slope" (norm of the affine map's matrix),
            "layer" (lines in the colour of the layer that made them), R numbers (with a colour bar), or
            "auto": by class where there are several outputs, else by slope.
        colour: the same.
        boundary: whether the decision boundary is drawn on top; by default where colours show classes.
        graph: whether the adjacency graph is drawn in place (two dimensions only).
        rule: "argmax", "argmin", "sign", or "auto" for the sign of one output and the largest of several.
        view: two corners ``(lower, upper)`` to which the picture is cut; see `plane_section`.
        data: points (n, d) to draw over the regions, projected onto the plane where they are not on it, or (n, k) in
            the coordinates of the picture; on a line they are marks on the axis.
        labels: (n,) their classes, which are their colours: numbers, or names out of `class_names`.
        input_names: a name for each input, or for each axis of the picture.
        class_names: a name for each output; for the rule "sign" one for output <= 0 and one for output > 0.
        title: instead of the network's name and the number of regions; "" for none.
        aspect: "equal" for one scale on both axes, "free", or "auto": equal unless the picture would be a strip.
        percentiles: of the numbers that colours show, those at the ends of the scale, such as (0, 100) for all; "auto"
            for all, or (2, 98) where outliers would take more than half of the scale. Arrows on the colour bar say that
            there are values beyond.
        size: width and height of the new figure in inches.
        dpi: its resolution.

    Returns:
        The axes.

    Raises:
        InputError: the domain is neither one- nor two-dimensional; the message says how to slice.
        OptionError: an unknown colouring, rule or view, names or data that do not fit, a size beside axes.
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1]))
    >>> ax = plot_regions(regions, matplotlib.figure.Figure().add_subplot(), color="region", input_names=["a", "b"])
    >>> ax.get_title(), ax.get_ylabel()
    ('network: 4 regions', 'b')
    """
    expect(regions, RegionSet, "regions")
    check_drawable(regions.problem)
    colouring = checked_colouring(one_colour(color, colour), regions)
    look = Look.of(
        regions.problem,
        rule,
        input_names=input_names,
        class_names=class_names,
        title=title,
        aspect=aspect,
        percentiles=percentiles,
    )
    samples = samples_of(regions.problem, look, data, labels)
    axes = new_axes(size, dpi) if ax is None else given_axes(ax, size, dpi)
    import_matplotlib()
    if regions.dim == 1:
        draw_line(axes, regions, colouring, boundary, rule, view, look, samples)
    else:
        _draw_plane(axes, Scene.of(regions, rule, view), colouring, boundary, graph, look, samples)
    return axes


def _draw_plane(
    axes: Any,
    scene: Scene,
    colouring: str | Floats,
    boundary: bool | None,
    graph: bool,
    look: Look,
    samples: Samples | None,
) -> None:
    """A map of polygons; arguments as in `plot_regions`, checked."""
    section, regions = scene.section, scene.regions
    by_class, by_layer = (isinstance(colouring, str) and colouring == name for name in ("class", "layer"))
    filled = fill(scene, colouring, look)
    handles = [
        *patches(filled.legend),
        *shade_entry(filled.shades),
        *(layer_entries(scene) if by_layer else []),
    ]
    draw_faces(axes, filled.polygons, filled.faces)
    draw_edges(axes, scene, by_layer=by_layer)
    if by_class if boundary is None else boundary:
        draw_boundary(axes, scene)
        handles += strokes([(BOUNDARY, INK)], linewidth=1.5) if scene.boundary.seen.any() else []
    if graph:
        draw_graph(axes, scene)
    if samples is not None:
        draw_samples(axes, samples)
        handles += sample_entries(samples, look, scene.cells.label.tolist() if by_class else ())
    frame(axes, section, look)
    explain(axes, filled.scale, handles)
    outside = "" if samples is None else samples.note(section.lower, section.upper)
    entitle(axes, regions, look, caption([plane_text(regions.problem, look), section.note, outside]))


def save_picture(
    regions: RegionSet,
    path: str | os.PathLike[str],
    colour: Any = "auto",
    *,
    size: tuple[float, float] | None = None,
    dpi: float | None = None,
    **options: Any,
) -> None:
    """Draw the regions of a one- or two-dimensional domain into a .png, .svg or .pdf file.

    Args:
        regions: the regions.
        path: the file; its suffix names the format.
        colour: `color` of `plot_regions`.
        size: width and height in inches, what stands beside the axes not counted.
        dpi: resolution of a .png.
        **options: its other options.

    The same regions give the same bytes, and the file appears under its name only once it is complete.

    Raises:
        FormatError: an unknown format, or the file cannot be written.
        InputError, OptionError, MissingExtraError: as `plot_regions`.
    """
    checked_colouring(colour, regions)
    save_figure(
        path, lambda axes: plot_regions(regions, axes, color=colour, **options), size or SIZE, dpi=dpi
    )


def check_picture(network: Network, domain: Domain, dims: tuple[int, ...] = (1, 2)) -> None:
    """Find out before the regions are enumerated whether they could be drawn.

    Raises:
        InputError: the domain does not have one of the given dimensions.
        MissingExtraError: matplotlib is not installed.
    """
    import_matplotlib()
    check_drawable(pose(network, domain), dims)
