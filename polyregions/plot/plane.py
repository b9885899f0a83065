"""Drawing two-dimensional sections on matplotlib axes: faces, lines, decision boundary, region graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.plot.fills import Fill
from polyregions.plot.palette import LAYER_COLOURS, SEQUENTIAL, pick
from polyregions.plot.polygons import Polygons
from polyregions.plot.scene import Scene
from polyregions.plot.sections import PlaneSection
from polyregions.regions.region_set import RegionSet

INK, HALO = "#1a1a1a", "#ffffff"


def draw_faces(axes: Any, polygons: Polygons, faces: Floats) -> None:
    """Polygons in their colours (P, 3); a hair of the same colour closes the seams that viewers leave between them."""
    from matplotlib.collections import PolyCollection

    seen = polygons.sizes > 0
    corners = [polygons[i] for i in np.flatnonzero(seen).tolist()]
    axes.add_collection(PolyCollection(corners, facecolors=faces[seen], edgecolors="face", linewidths=0.2))


def draw_edges(axes: Any, scene: Scene, by_layer: bool = False, first_layers: int | None = None) -> None:
    """The facets between regions, thinner for later layers; in the colour of the layer that made them if wanted.

    Args:
        axes: matplotlib axes.
        scene: what to draw.
        by_layer: colour the lines, and say so in a legend.
        first_layers: draw only the lines that this many layers make; all of them if not given.
    """
    spans = scene.regions.network.layer_spans
    for layer in reversed(range(len(spans) if first_layers is None else first_layers)):
        chosen = scene.edges.seen & (scene.edge_layers == layer)
        width = (1.3 if by_layer else 0.55) * max(0.45, 0.75**layer)
        colour = pick(LAYER_COLOURS, layer) if by_layer else INK
        draw_segments(axes, scene.edges.ends[chosen], color=colour, linewidths=width)
    if by_layer:
        names = [(f"layer {i + 1}", pick(LAYER_COLOURS, i)) for i in range(len(spans))]
        legend(axes, names, lines=True)


def draw_boundary(axes: Any, scene: Scene) -> None:
    """The decision boundary, with a halo that lifts it from the lines between regions."""
    ends = scene.boundary.ends[scene.boundary.seen]
    draw_segments(axes, ends, color=HALO, linewidths=2.6)
    draw_segments(axes, ends, color=INK, linewidths=1.5)


def draw_graph(axes: Any, scene: Scene) -> None:
    """The adjacency graph in place: a node in each region, edges that run through the facets they stand for."""
    centres, edges = scene.section.polygons.centres, scene.edges
    ways = np.stack([centres[scene.adjacency.source], edges.middles, centres[scene.adjacency.target]], axis=1)
    draw_segments(axes, ways[edges.seen], color=HALO, linewidths=1.8)
    draw_segments(axes, ways[edges.seen], color=INK, linewidths=0.8)
    size = float(np.clip(1500 / max(1, len(centres)), 3, 22))
    axes.scatter(*centres.T, s=size, c=HALO, edgecolors=INK, linewidths=0.7, zorder=3)


def draw_segments(axes: Any, ends: Floats, **style: Any) -> None:
    """Segments (S, 2, 2), or bent lines through more points, in one style."""
    from matplotlib.collections import LineCollection

    axes.add_collection(LineCollection(list(ends), capstyle="round", **style))


def frame(axes: Any, drawn: PlaneSection, label: bool = True) -> None:
    """The limits and names of the axes."""
    axes.set_xlim(drawn.lower[0], drawn.upper[0])
    axes.set_ylim(drawn.lower[1], drawn.upper[1])
    axes.set_aspect("equal", adjustable="box")
    if label:
        axes.set_xlabel(drawn.axis_names[0])
        axes.set_ylabel(drawn.axis_names[1])


def explain(axes: Any, filled: Fill) -> None:
    """The legend or colour bar that says what the colours are."""
    if filled.scale is not None:
        colour_bar(axes, *filled.scale)
    if filled.legend:
        legend(axes, filled.legend)


def colour_bar(axes: Any, low: float, high: float, label: str) -> None:
    """A colour bar beside the axes."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(low, high if high > low else low + 1), SEQUENTIAL)
    bar = axes.figure.colorbar(scale, **_bar_place(axes))
    bar.outline.set_linewidth(0.5)
    if label:
        bar.set_label(label)


def _bar_place(axes: Any) -> dict[str, Any]:
    """Where a colour bar goes: as high as a map beside it; at a distance from a surface, whose labels stand out."""
    if axes.name == "3d":
        return {"ax": axes, "shrink": 0.6, "pad": 0.13}
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    return {"cax": make_axes_locatable(axes).append_axes("right", size="4%", pad=0.1)}


def legend(axes: Any, names: Iterable[tuple[str, str]], lines: bool = False) -> None:
    """A legend to the right of the axes."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=colour, linewidth=2, label=name)
        if lines
        else Patch(facecolor=colour, edgecolor="none", label=name)
        for name, colour in names
    ]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, frameon=False)


def entitle(axes: Any, regions: RegionSet, note: str) -> None:
    """The network's name and how many regions there are as a heading."""
    partial = "" if regions.complete else " (partial)"
    heading(axes, f"{regions.network.name}: {len(regions)} regions{partial}", note)


def heading(axes: Any, text: str, note: str = "") -> None:
    """The title, and below the axes in small letters where the picture ends; names may hold dollars."""
    axes.set_title(text, fontsize="medium", parse_math=False)
    if note:
        axes.annotate(
            note,
            (0.5, -0.14),
            xycoords="axes fraction",
            ha="center",
            va="top",
            fontsize="x-small",
            color="#555555",
        )
