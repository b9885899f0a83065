"""The partition as it grows layer by layer: small multiples of one section."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyregions.plot.figure import new_figure
from polyregions.plot.fills import tints
from polyregions.plot.plane import draw_edges, draw_faces, frame, heading
from polyregions.plot.scene import Scene
from polyregions.regions.region_set import RegionSet

PANEL = 2.7  # inches


def plot_layers(regions: RegionSet, figure: Any = None, *, view: tuple[Any, Any] | None = None) -> Any:
    """Draw what each layer adds: one panel a layer, with the regions that the layers up to it make.

    Args:
        regions: regions of a two-dimensional domain.
        figure: a matplotlib figure without axes; a new one if not given.
        view: two corners to which the picture is cut; see `plane_section`.

    Returns:
        The figure.

    Raises:
        InputError: the domain is not two-dimensional.
        OptionError: the view is none.
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0]], [0]), ([[1]], [-1]), ([[1]], [0])])
    >>> regions = pr.enumerate_regions(net, pr.Box([-2, -2], [2, 2]))
    >>> [ax.get_title() for ax in plot_layers(regions, matplotlib.figure.Figure()).axes]
    ['layer 1: 2 regions', 'layers 1 to 2: 3 regions']
    """
    scene = Scene.of(regions, "auto", view)
    counts = regions.regions_after_each_layer()
    figure = new_figure(panels_size(regions)) if figure is None else figure
    axes = np.atleast_1d(figure.subplots(1, max(1, len(counts)), sharey=True))
    for i, panel in enumerate(axes[: len(counts)]):
        draw_faces(panel, scene.section.polygons, tints(scene.layer_colours[i + 1]))
        draw_edges(panel, scene, first_layers=i + 1)
        frame(panel, scene.section, label=False)
        panel.set_xlabel(scene.section.axis_names[0])
        name = "layer 1" if i == 0 else f"layers 1 to {i + 1}"
        heading(panel, f"{name}: {counts[i]} regions", scene.section.note if i == 0 else "")
    axes[0].set_ylabel(scene.section.axis_names[1])
    return figure


def panels_size(regions: RegionSet) -> tuple[float, float]:
    """Width and height of the figure in inches."""
    return PANEL * max(1, len(regions.network.layer_spans)) + 0.4, PANEL + 0.3
