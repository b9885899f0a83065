"""One-dimensional input sets: the graph of the outputs, which bends where one region ends and the next begins."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.decisions import decision_boundary, decision_cells
from polyregions.analysis.decisions.outputs import chosen_rule
from polyregions.exact.numbers import nearest_float
from polyregions.plot.captions import caption, plane_text
from polyregions.plot.fills import SLOPE_LABEL, class_legend, measured_colours
from polyregions.plot.look import Look, Scale, scale_of
from polyregions.plot.palette import CLASS_COLOURS, LAYER_COLOURS, REGION_COLOURS, pick, shades
from polyregions.plot.plane import (
    BOUNDARY,
    INK,
    draw_segments,
    entitle,
    explain,
    name_axes,
    patches,
    sample_colours,
    sample_entries,
    strokes,
)
from polyregions.plot.samples import Samples
from polyregions.plot.scene import local_maps, slope_norms
from polyregions.plot.sections import bounding_sides, checked_view
from polyregions.plot.segments import edge_layers, local_coordinates
from polyregions.regions.adjacency import adjacency_arrays
from polyregions.regions.region_set import RegionSet

DASHES = (0, (4, 2))
MARK = 0.035  # height of the mark of a data point, of the axes


@dataclass(frozen=True, eq=False)
class Intervals:
    """The regions of a one-dimensional input set.

    Attributes:
        ends: (R, 2) lower and upper end of each region, infinite where it has none, each rounded once.
        lower: where the picture begins.
        upper: where it ends.
        is_cut: whether regions go on beyond.
    """

    ends: Floats
    lower: float
    upper: float
    is_cut: bool

    @property
    def shown(self) -> Floats:
        """The part (R, 2) of each region in the picture; of one outside it both ends are the same."""
        return np.clip(self.ends, self.lower, self.upper)

    @property
    def note(self) -> str:
        """Where the picture ends, if the regions do not; else nothing."""
        return f"view [{self.lower:.4g}, {self.upper:.4g}], the domain goes on" if self.is_cut else ""


def intervals(regions: RegionSet, view: tuple[Any, Any] | None = None) -> Intervals:
    """The ends of the regions of a one-dimensional input set, exact and rounded once.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    >>> intervals(pr.enumerate_regions(net, pr.Box([-2], [2]))).ends.tolist()
    [[-2.0, 0.0], [0.0, 1.0], [1.0, 2.0]]
    """
    ends = np.array([_ends([s.row for s in sides]) for sides in bounding_sides(regions)]).reshape(-1, 2)
    bounds = regions.problem.solid.bounds
    if view is not None:
        (lower,), (upper,) = checked_view(view, 1)
    elif bounds.are_finite:
        lower, upper = bounds.lower[0], bounds.upper[0]
    else:
        bends = ends[np.isfinite(ends)]
        bends = bends if len(bends) else np.zeros(1)
        margin = max(float(np.ptp(bends)), 0.5) * 0.35
        lower, upper = bends.min() - margin, bends.max() + margin
    is_cut = bool(bounds.lower[0] < lower or bounds.upper[0] > upper)
    return Intervals(ends, float(lower), float(upper), is_cut)


def draw_line(
    axes: Any,
    regions: RegionSet,
    color: str | Floats,
    boundary: bool | None,
    rule: str,
    view: tuple[Any, Any] | None,
    look: Look,
    samples: Samples | None = None,
) -> None:
    """The outputs as functions of the one input, on matplotlib axes; arguments as in `plot_regions`, a color (R,)."""
    found, maps = intervals(regions, view), local_maps(regions)
    order = np.argsort(found.ends[:, 0])
    spans = found.shown[order]
    values = maps[order, :, :1] * spans[:, None] + maps[order, :, 1:]
    by_class, by_layer = (isinstance(color, str) and color == name for name in ("class", "layer"))
    rule = chosen_rule(regions.network, rule)
    colours, scale = _strokes(regions, color, order, look)
    _draw_outputs(axes, spans, values, colours)
    handles = _output_entries(regions, look) if colours is None else []
    if by_class:
        handles += _draw_classes(axes, regions, rule, found, look)
    if by_layer:
        handles += _draw_layers(axes, regions)
    if by_class if boundary is None else boundary:
        handles += _draw_crossings(axes, regions, rule)
    if samples is not None:
        _draw_samples(axes, samples)
        handles += sample_entries(samples, look)
    axes.set_xlim(found.lower, found.upper)
    axes.margins(y=0.08)
    axes.autoscale_view(scalex=False)
    name_axes(axes, (look.axes[0], "output" if regions.network.n_outputs == 1 else "outputs"))
    explain(axes, scale, handles)
    outside = "" if samples is None else samples.note(np.array([found.lower]), np.array([found.upper]))
    entitle(axes, regions, look, caption([plane_text(regions.problem, look), found.note, outside]))


def _ends(rows: list[Any]) -> tuple[float, float]:
    """The interval where all ``a u + c >= 0``."""
    lower = max((Fraction(-c, a) for a, c in rows if a > 0), default=None)
    upper = min((Fraction(-c, a) for a, c in rows if a < 0), default=None)
    return (
        -np.inf if lower is None else nearest_float(lower),
        np.inf if upper is None else nearest_float(upper),
    )


def _draw_outputs(axes: Any, spans: Floats, values: Floats, colours: list[Any] | None) -> None:
    """Each output a bent line: in one colour, or piece by piece in those given."""
    for j in range(values.shape[1]):
        pieces = np.stack([spans, values[:, j]], axis=2)
        colour = pick(CLASS_COLOURS, j) if colours is None else colours
        draw_segments(axes, pieces, colors=colour, linewidths=1.8)
        bends = pieces[1:, 0]
        axes.plot(*bends.T, linestyle="none", marker="o", markersize=2.4, color=INK, zorder=3)


def _output_entries(regions: RegionSet, look: Look) -> list[Any]:
    """The legend entries of outputs, each in a colour of its own, where there are several."""
    n = regions.network.n_outputs
    return (
        strokes((look.output_name(regions.network, j), pick(CLASS_COLOURS, j)) for j in range(n))
        if n > 1
        else []
    )


def _strokes(
    regions: RegionSet, color: str | Floats, order: Ints, look: Look
) -> tuple[list[Any] | None, Scale | None]:
    """The colour of each region's piece, in order, and the scale that explains it; None for one colour an output."""
    if isinstance(color, str) and color == "region":
        return [pick(REGION_COLOURS[:4], i) for i in range(len(order))], None
    if isinstance(color, str) and color != "slope":
        return None, None
    values, label = (slope_norms(regions), SLOPE_LABEL) if isinstance(color, str) else (color, "")
    scale = scale_of(values, look.percentiles, label)
    return list(measured_colours(values[order], scale)), scale


def _draw_classes(axes: Any, regions: RegionSet, rule: str, found: Intervals, look: Look) -> list[Any]:
    """A strip behind the outputs in the colour of the class that wins; the legend entries of classes."""
    cells = decision_cells(regions, rule)
    colours = shades(cells.label, np.ones(len(cells), dtype=np.int64))
    for cell, colour in zip(cells, colours, strict=True):
        low, high = np.clip(cell_ends(regions, cell), found.lower, found.upper)
        axes.axvspan(low, high, facecolor=colour, alpha=0.55, linewidth=0, zorder=0)
    return patches(class_legend(look, cells.label)) if regions.network.n_outputs == 1 else []


def cell_ends(regions: RegionSet, cell: Any) -> Floats:
    """The two ends of a decision cell in the coordinate u."""
    polytope = cell.polytope
    corners = local_coordinates(regions, polytope.vertices())[:, 0]
    if len(corners) == 2:
        return np.sort(corners)
    inner = float(local_coordinates(regions, cell.point[None])[0, 0])
    if not len(corners):
        return np.array([-np.inf, np.inf])
    return np.array([-np.inf, corners[0]] if inner < corners[0] else [corners[0], np.inf])


def _draw_layers(axes: Any, regions: RegionSet) -> list[Any]:
    """A line at each bend in the colour of the layer that made it; the legend entries of layers."""
    adjacency = adjacency_arrays(regions)
    layers = edge_layers(regions, adjacency)
    for u, layer in zip(
        local_coordinates(regions, adjacency.points)[:, 0].tolist(), layers.tolist(), strict=True
    ):
        axes.axvline(u, color=pick(LAYER_COLOURS, layer), linewidth=0.9, zorder=0)
    n_layers = len(regions.network.layer_spans)
    return strokes((f"layer {i + 1}", pick(LAYER_COLOURS, i)) for i in range(n_layers))


def _draw_crossings(axes: Any, regions: RegionSet, rule: str) -> list[Any]:
    """A dashed line where the class changes, and its legend entry."""
    crossings = decision_boundary(decision_cells(regions, rule)).local_points[:, 0].tolist()
    for u in crossings:
        axes.axvline(u, color=INK, linewidth=1.0, linestyle=DASHES, zorder=1)
    return strokes([(BOUNDARY, INK)], linewidth=1.0, linestyle=DASHES) if crossings else []


def _draw_samples(axes: Any, samples: Samples) -> None:
    """Data points as marks on the axis, in the colours of their labels."""
    axes.vlines(
        samples.points[:, 0],
        0,
        MARK,
        transform=axes.get_xaxis_transform(),
        colors=sample_colours(samples) if samples.labels is not None else INK,
        linewidths=0.9,
        zorder=4,
    )
