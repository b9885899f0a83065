"""Small pictures of regions and decision cells as SVG text, without matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.decisions import DecisionCells
from polyregions.analysis.decisions.colours import class_colour
from polyregions.plot.line import cell_ends, intervals
from polyregions.plot.palette import N_REGION_COLOURS, REGION_COLOURS
from polyregions.plot.plane import INK
from polyregions.plot.scene import local_maps
from polyregions.plot.sections import cell_polygons, domain_goes_on, plane_section
from polyregions.regions.region_set import RegionSet

MOST: Final = 3000
"""Regions or cells of a picture: more make a notebook heavy, and cannot be told apart in it."""

MOST_EXACTLY: Final = 500
"""The same where ends are found exactly, which takes milliseconds: on a line, and where the domain goes on."""

WIDTH: Final = 240.0
HEIGHTS: Final = (60.0, 240.0)
"""Pixels."""


def thumbnail(result: RegionSet | DecisionCells) -> str:
    """A picture of regions of one or two dimensions as an ``<svg>`` element; empty text where there is none.

    Two dimensions: polygons, those of decision cells in the colours of their classes, those of regions so that most
    neighbours differ. One dimension: the graph of the outputs, over the intervals of the classes.
    """
    regions = result if isinstance(result, RegionSet) else result.regions
    most = MOST if regions.dim == 2 and not domain_goes_on(regions.problem) else MOST_EXACTLY
    if regions.dim not in (1, 2) or not 0 < len(result) <= most:
        return ""
    return _line(result, regions) if regions.dim == 1 else _plane(result, regions)


def _plane(result: RegionSet | DecisionCells, regions: RegionSet) -> str:
    section = plane_section(regions)
    frame = _Frame(section.lower, section.upper)
    if isinstance(result, RegionSet):
        polygons, colours = section.polygons, map(_region_colour, regions.patterns.sum(axis=1).tolist())
    else:
        polygons, colours = cell_polygons(section, result), map(class_colour, result.label.tolist())
    return frame.svg(_polygon(frame.places(p), c) for p, c in zip(polygons, colours, strict=True) if len(p))


def _line(result: RegionSet | DecisionCells, regions: RegionSet) -> str:
    found, maps = intervals(regions), local_maps(regions)
    spans = found.shown
    values = maps[:, :, :1] * spans[:, None] + maps[:, :, 1:]
    low, high = (float(end) for end in (values.min(initial=np.inf), values.max(initial=-np.inf)))
    margin = 0.05 * (high - low) or 0.5
    frame = _Frame(np.array([found.lower, low - margin]), np.array([found.upper, high + margin]), 120.0)
    order = np.argsort(spans[:, 0])
    return frame.svg([*_bands(result, frame), *_graphs(frame, spans[order], values[order])])


def _bands(result: RegionSet | DecisionCells, frame: _Frame) -> Iterator[str]:
    """The intervals of decision cells in the colours of their classes."""
    if isinstance(result, DecisionCells):
        (a, b), (c, d) = frame.lower.tolist(), frame.upper.tolist()
        for cell in result:
            start, end = np.clip(cell_ends(result.regions, cell), a, c).tolist()
            corners = np.array([[start, b], [end, b], [end, d], [start, d]])
            yield _polygon(frame.places(corners), class_colour(cell.label), 0.35)


def _graphs(frame: _Frame, spans: Floats, values: Floats) -> Iterator[str]:
    """The outputs as bent lines."""
    for j in range(values.shape[1]):
        points = frame.places(np.column_stack([spans.ravel(), values[:, j].ravel()]))
        yield f'<polyline points="{_text(points)}" fill="none" stroke="{class_colour(j)}" stroke-width="1.5"/>'


def _region_colour(n_on: int) -> str:
    """By how many neurons are on: across most facets one flips, so the two sides differ."""
    return REGION_COLOURS[n_on % N_REGION_COLOURS]


class _Frame:
    """Where coordinates are in a picture, whose y points down.

    Args:
        lower: (2,) the lower corner of what is seen.
        upper: (2,) the upper corner.
        height: of the picture; by default so that both directions have one scale, within reason.
    """

    def __init__(self, lower: Floats, upper: Floats, height: float | None = None) -> None:
        self.lower, self.upper = lower, upper
        extent = np.where(upper > lower, upper - lower, 1.0)
        self.height = float(np.clip(WIDTH * extent[1] / extent[0], *HEIGHTS)) if height is None else height
        self._scale = np.array([WIDTH, self.height]) / extent

    def places(self, points: Floats) -> Floats:
        """Points (n, 2) in pixels."""
        found: Floats = (points - self.lower) * self._scale
        found[:, 1] = self.height - found[:, 1]
        return found

    def svg(self, parts: Iterable[str]) -> str:
        """The whole picture."""
        size = f'width="{WIDTH:.0f}" height="{self.height:.0f}" viewBox="0 0 {WIDTH:.0f} {self.height:.0f}"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>{"".join(parts)}</svg>'


def _polygon(corners: Floats, colour: str, opacity: float = 1.0) -> str:
    look = f'fill="{colour}" stroke="{INK}" stroke-width="0.3"'
    if opacity < 1:
        look = f'fill="{colour}" fill-opacity="{opacity}"'
    return f'<polygon points="{_text(corners)}" {look}/>'


def _text(points: Floats) -> str:
    rows: Sequence[Sequence[float]] = points.tolist()
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in rows)
