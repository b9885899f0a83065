"""Drawing two-dimensional sections on matplotlib axes: faces, lines, decision boundary, region graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.plot.look import Look, Scale
from polyregions.plot.palette import CLASS_COLOURS, LAYER_COLOURS, SEQUENTIAL, pick
from polyregions.plot.polygons import Polygons
from polyregions.plot.samples import Samples
from polyregions.plot.scene import Scene
from polyregions.plot.sections import PlaneSection
from polyregions.regions.region_set import RegionSet

INK, HALO = "#1a1a1a", "#ffffff"
SHADES, BOUNDARY, DATA = "shades tell regions apart", "decision boundary", "data"
NOTE_BELOW = 32  # points between the axes and the caption, where ticks and the axis' name are


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
        by_layer: colour the lines.
        first_layers: draw only the lines that this many layers make; all of them if not given.
    """
    spans = scene.regions.network.layer_spans
    for layer in reversed(range(len(spans) if first_layers is None else first_layers)):
        chosen = scene.edges.seen & (scene.edge_layers == layer)
        width = (1.3 if by_layer else 0.55) * max(0.45, 0.75**layer)
        colour = pick(LAYER_COLOURS, layer) if by_layer else INK
        draw_segments(axes, scene.edges.ends[chosen], color=colour, linewidths=width)


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


def draw_samples(axes: Any, samples: Samples) -> None:
    """Data points, in the colours of their labels if they have any; smaller where they are many."""
    size = float(np.clip(4000 / max(1, len(samples.points)), 5, 22))
    axes.scatter(
        *samples.points.T, s=size, c=sample_colours(samples), edgecolors=INK, linewidths=0.6, zorder=4
    )


def sample_colours(samples: Samples) -> list[str]:
    """The colour of each data point: that of its label, or none."""
    if samples.labels is None:
        return [HALO] * len(samples.points)
    return [pick(CLASS_COLOURS, k) for k in samples.labels.tolist()]


def frame(axes: Any, drawn: PlaneSection, look: Look, label: bool = True) -> None:
    """The limits, proportions and names of the axes."""
    axes.set_xlim(drawn.lower[0], drawn.upper[0])
    axes.set_ylim(drawn.lower[1], drawn.upper[1])
    axes.set_aspect("equal" if look.is_equal(drawn.lower, drawn.upper) else "auto", adjustable="box")
    if label:
        name_axes(axes, look.axes)


def name_axes(axes: Any, names: Sequence[str]) -> None:
    """The names of the axes, as they are: names may hold dollars."""
    for setter, name in zip((axes.set_xlabel, axes.set_ylabel), names, strict=False):
        setter(name, parse_math=False)


def explain(axes: Any, scale: Scale | None, handles: Sequence[Any]) -> None:
    """The colour bar and the legend that say what colours, lines and points are."""
    if scale is not None:
        colour_bar(axes, scale)
    if handles:
        legend(axes, handles, 0.0 if scale is None else BESIDE_BAR + BESIDE_LABEL * bool(scale.label))


def colour_bar(axes: Any, scale: Scale) -> None:
    """A colour bar beside the axes, with arrows where values lie beyond its ends."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = ScalarMappable(
        Normalize(scale.low, scale.high if scale.high > scale.low else scale.low + 1), SEQUENTIAL
    )
    bar = axes.figure.colorbar(colours, extend=scale.extend, **_bar_place(axes))
    bar.outline.set_linewidth(0.5)
    if scale.label:
        bar.set_label(scale.label, parse_math=False)


def _bar_place(axes: Any) -> dict[str, Any]:
    """Where a colour bar goes: as high as a map beside it; at a distance from a surface, whose labels stand out."""
    if axes.name == "3d":
        return {"ax": axes, "shrink": 0.6, "pad": 0.13}
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    return {"cax": make_axes_locatable(axes).append_axes("right", size=BAR, pad=0.1)}


BAR, BESIDE_BAR, BESIDE_LABEL = 0.16, 0.72, 0.2
"""Inches: how wide a colour bar is, where the legend beside it begins, and how much farther if the bar has a label."""


def legend(axes: Any, handles: Sequence[Any], beside: float = 0.0) -> None:
    """A legend to the right of the axes, so many inches beside them."""
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.transforms import ScaledTranslation

    place = axes.transAxes + ScaledTranslation(beside, 0, axes.figure.dpi_scale_trans)
    found = axes.legend(
        handles=list(handles),
        labels=[
            handle[0].get_label() if isinstance(handle, tuple) else handle.get_label() for handle in handles
        ],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.0)},
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        bbox_transform=place,
        borderaxespad=0,
        frameon=False,
    )
    for text in found.get_texts():
        text.set_parse_math(False)


def patches(names: Iterable[tuple[str, str]]) -> list[Any]:
    """Legend entries of areas: name and colour."""
    from matplotlib.patches import Patch

    return [Patch(facecolor=colour, edgecolor="none", label=name) for name, colour in names]


def strokes(names: Iterable[tuple[str, str]], **style: Any) -> list[Any]:
    """Legend entries of lines: name and colour."""
    from matplotlib.lines import Line2D

    style = {"linewidth": 2} | style
    return [Line2D([], [], color=colour, label=name, **style) for name, colour in names]


def shade_entry(shades: Floats | None) -> list[Any]:
    """The legend entry that says what the shades of one class are for."""
    from matplotlib.patches import Patch

    if shades is None:
        return []
    return [tuple(Patch(facecolor=shade, edgecolor="none", label=SHADES) for shade in shades)]


def layer_entries(scene: Scene) -> list[Any]:
    """The legend entries of lines in the colours of layers."""
    n = len(scene.regions.network.layer_spans)
    return strokes((f"layer {i + 1}", pick(LAYER_COLOURS, i)) for i in range(n))


def sample_entries(samples: Samples | None, look: Look, named: Iterable[int] = ()) -> list[Any]:
    """The legend entries of data points: one in all for labels whose colours are `named` already, else one for each."""
    from matplotlib.lines import Line2D

    if samples is None or not len(samples.points):
        return []
    style: dict[str, Any] = {
        "linestyle": "none",
        "marker": "o",
        "markersize": 4.5,
        "markeredgecolor": INK,
        "markeredgewidth": 0.6,
    }
    others = [] if samples.labels is None else sorted(set(samples.labels.tolist()) - set(named))
    unlabelled = samples.labels is None or set(samples.labels.tolist()) & set(named)
    whole = [Line2D([], [], markerfacecolor=HALO, label=DATA, **style)] if unlabelled else []
    return whole + [
        Line2D([], [], markerfacecolor=pick(CLASS_COLOURS, k), label=f"{DATA}, {look.class_name(k)}", **style)
        for k in others
    ]


def entitle(axes: Any, regions: RegionSet, look: Look, note: str) -> None:
    """The title, by default the network's name and how many regions there are, and the caption."""
    partial = "" if regions.complete else " (partial)"
    usual = f"{regions.network.name}: {len(regions)} regions{partial}"
    heading(axes, usual if look.title is None else look.title, note)


def heading(axes: Any, text: str, note: str = "") -> None:
    """The title, and below the axes in small letters what the picture does not show; names may hold dollars."""
    axes.set_title(text, fontsize="medium", parse_math=False)
    if note:
        axes.annotate(
            note,
            (0.5, 0),
            (0, -NOTE_BELOW),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize="x-small",
            color="#555555",
            parse_math=False,
        )
