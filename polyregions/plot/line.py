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
from polyregions.plot.fills import SLOPE_LABEL, class_legend, measured_colours
from polyregions.plot.palette import CLASS_COLOURS, LAYER_COLOURS, REGION_COLOURS, pick, shades
from polyregions.plot.plane import INK, colour_bar, draw_segments, entitle, legend
from polyregions.plot.scene import local_maps, slope_norms
from polyregions.plot.sections import axis_names, bounding_sides, checked_view
from polyregions.plot.segments import edge_layers, local_coordinates
from polyregions.regions.adjacency import adjacency_arrays
from polyregions.regions.region_set import RegionSet


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
) -> None:
    """The outputs as functions of the one input, on matplotlib axes; arguments as in `plot_regions`, a color (R,)."""
    found, maps = intervals(regions, view), local_maps(regions)
    order = np.argsort(found.ends[:, 0])
    spans = found.shown[order]
    values = maps[order, :, :1] * spans[:, None] + maps[order, :, 1:]
    _draw_outputs(axes, spans, values, _strokes(axes, regions, color, order))
    by_class = isinstance(color, str) and color == "class"
    rule = chosen_rule(regions.network, rule)
    if by_class:
        _draw_classes(axes, regions, rule, found)
    if isinstance(color, str) and color == "layer":
        _draw_layers(axes, regions)
    if by_class if boundary is None else boundary:
        _draw_crossings(axes, regions, rule)
    axes.set_xlim(found.lower, found.upper)
    axes.margins(y=0.08)
    axes.autoscale_view(scalex=False)
    axes.set_xlabel(axis_names(regions.problem)[0])
    axes.set_ylabel("output" if regions.network.n_outputs == 1 else "outputs")
    entitle(axes, regions, found.note)


def _ends(rows: list[Any]) -> tuple[float, float]:
    """The interval where all ``a u + c >= 0``."""
    lower = max((Fraction(-c, a) for a, c in rows if a > 0), default=None)
    upper = min((Fraction(-c, a) for a, c in rows if a < 0), default=None)
    return (
        -np.inf if lower is None else nearest_float(lower),
        np.inf if upper is None else nearest_float(upper),
    )


def _draw_outputs(axes: Any, spans: Floats, values: Floats, strokes: list[Any] | None) -> None:
    """Each output a bent line: in one colour, or piece by piece in those given."""
    for j in range(values.shape[1]):
        pieces = np.stack([spans, values[:, j]], axis=2)
        colour = pick(CLASS_COLOURS, j) if strokes is None else strokes
        draw_segments(axes, pieces, colors=colour, linewidths=1.8)
        bends = pieces[1:, 0]
        axes.plot(*bends.T, linestyle="none", marker="o", markersize=2.4, color=INK, zorder=3)
    if strokes is None and values.shape[1] > 1:
        legend(axes, [(f"output {j}", pick(CLASS_COLOURS, j)) for j in range(values.shape[1])], lines=True)


def _strokes(axes: Any, regions: RegionSet, color: str | Floats, order: Ints) -> list[Any] | None:
    """The colour of each region's piece, in order; None for one colour an output."""
    if isinstance(color, str) and color == "region":
        return [pick(REGION_COLOURS[:4], i) for i in range(len(order))]
    if isinstance(color, str) and color != "slope":
        return None
    values, label = (slope_norms(regions), SLOPE_LABEL) if isinstance(color, str) else (color, "")
    colours, low, high = measured_colours(values[order])
    colour_bar(axes, low, high, label)
    return list(colours)


def _draw_classes(axes: Any, regions: RegionSet, rule: str, found: Intervals) -> None:
    """A strip behind the outputs in the colour of the class that wins."""
    cells = decision_cells(regions, rule)
    colours = shades(cells.label, np.ones(len(cells), dtype=np.int64))
    for cell, colour in zip(cells, colours, strict=True):
        low, high = np.clip(cell_ends(regions, cell), found.lower, found.upper)
        axes.axvspan(low, high, facecolor=colour, alpha=0.55, linewidth=0, zorder=0)
    if regions.network.n_outputs == 1:
        legend(axes, class_legend(rule, cells.label))


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


def _draw_layers(axes: Any, regions: RegionSet) -> None:
    """A line at each bend in the colour of the layer that made it."""
    adjacency = adjacency_arrays(regions)
    layers = edge_layers(regions, adjacency)
    for u, layer in zip(
        local_coordinates(regions, adjacency.points)[:, 0].tolist(), layers.tolist(), strict=True
    ):
        axes.axvline(u, color=pick(LAYER_COLOURS, layer), linewidth=0.9, zorder=0)
    n_layers = len(regions.network.layer_spans)
    legend(axes, [(f"layer {i + 1}", pick(LAYER_COLOURS, i)) for i in range(n_layers)], lines=True)


def _draw_crossings(axes: Any, regions: RegionSet, rule: str) -> None:
    """A dashed line where the class changes."""
    for u in decision_boundary(decision_cells(regions, rule)).local_points[:, 0].tolist():
        axes.axvline(u, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
