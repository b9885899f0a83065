"""The partition as it grows layer by layer: small multiples of one section."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polyregions.errors import expect
from polyregions.plot.captions import caption, plane_text
from polyregions.plot.figure import given_axes, new_figure
from polyregions.plot.fills import tints
from polyregions.plot.look import Look
from polyregions.plot.plane import draw_edges, draw_faces, frame, heading, name_axes
from polyregions.plot.scene import Scene
from polyregions.plot.sections import check_drawable
from polyregions.regions.region_set import RegionSet

PANEL = 2.7  # inches


def plot_layers(
    regions: RegionSet,
    figure: Any = None,
    *,
    view: tuple[Any, Any] | None = None,
    input_names: Sequence[str] | None = None,
    title: str | None = None,
    aspect: str = "auto",
    size: tuple[float, float] | None = None,
    dpi: float | None = None,
) -> Any:
    """Draw what each layer adds: one panel a layer, with the regions that the layers up to it make.

    Args:
        regions: regions of a two-dimensional domain.
        figure: a matplotlib figure without axes; a new one if not given.
        view: two corners to which the picture is cut; see `plane_section`.
        input_names: as in `plot_regions`.
        title: a title above all panels.
        aspect: as in `plot_regions`.
        size: width and height of the new figure in inches.
        dpi: its resolution.

    Returns:
        The figure.

    Raises:
        InputError: the domain is not two-dimensional.
        OptionError: the view is none, names that do not fit, a size beside a figure.
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0]], [0]), ([[1]], [-1]), ([[1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-2, -2], [2, 2]))
    >>> [ax.get_title() for ax in plot_layers(regions, matplotlib.figure.Figure()).axes]
    ['layer 1: 2 regions', 'layers 1 to 2: 3 regions']
    """
    expect(regions, RegionSet, "regions")
    check_drawable(regions.problem, (2,))
    look = Look.of(regions.problem, input_names=input_names, aspect=aspect)
    scene, counts = Scene.of(regions, "auto", view), regions.regions_after_each_layer()
    if figure is None:
        figure = new_figure(panels_size(regions) if size is None else size, dpi)
    else:
        given_axes(figure, size, dpi)
    axes = np.atleast_1d(figure.subplots(1, max(1, len(counts)), sharey=True))
    for i, panel in enumerate(axes[: len(counts)]):
        draw_faces(panel, scene.section.polygons, tints(scene.layer_colours[i + 1]))
        draw_edges(panel, scene, first_layers=i + 1)
        frame(panel, scene.section, look, label=False)
        name_axes(panel, look.axes[:1])
        name = "layer 1" if i == 0 else f"layers 1 to {i + 1}"
        note = caption([plane_text(regions.problem, look), scene.section.note]) if i == 0 else ""
        heading(panel, f"{name}: {counts[i]} regions", note)
    name_axes(axes[0], look.axes)
    if title:
        figure.suptitle(title, fontsize="medium", parse_math=False)
    return figure


def panels_size(regions: RegionSet) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    return PANEL * max(1, len(regions.network.layer_spans)) + 0.4, PANEL + 0.3
