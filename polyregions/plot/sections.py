"""What a picture shows: the regions of a one- or two-dimensional input set as intervals or polygons. No drawing here.

All is in the coordinates u of the input set: the inputs that are not fixed, or those of a slice.
An unbounded input set is cut to a view: the picture ends there, the regions do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.decisions import DecisionCells
from polyregions.analysis.decisions.outputs import exact_scores
from polyregions.errors import InputError, OptionError, expect
from polyregions.networks.problem import Problem
from polyregions.plot.clip import DECISION, DOMAIN, FRAME, NEURON, Side, corner_floats, cut, square
from polyregions.plot.outlines import float_outlines
from polyregions.plot.polygons import Polygons, packed
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

HOW_TO_SLICE = (
    "fix all other inputs in the box (lower = upper), or cut it with polyregions.plane_through or Slice"
)


@dataclass(frozen=True, eq=False)
class PlaneSection:
    """The regions of a two-dimensional input set as polygons, one for each region.

    Attributes:
        regions: the regions.
        polygons: their closures, cut to the view.
        lower: (2,) the lower corner of the view.
        upper: (2,) the upper corner.
        is_cut: whether regions go on beyond the view.
    """

    regions: RegionSet
    polygons: Polygons
    lower: Floats
    upper: Floats
    is_cut: bool

    @property
    def axis_names(self) -> tuple[str, str]:
        """Names of the two coordinates."""
        first, second = axis_names(self.regions.problem)
        return first, second

    def __repr__(self) -> str:
        (a, b), (c, d) = self.lower.tolist(), self.upper.tolist()
        return f"<PlaneSection: {len(self.polygons)} regions on [{a:.4g}, {c:.4g}] x [{b:.4g}, {d:.4g}]>"

    @property
    def note(self) -> str:
        """Where the picture ends, if the regions do not; else nothing."""
        if not self.is_cut:
            return ""
        unseen = int(np.count_nonzero(self.polygons.sizes == 0))
        (a, b), (c, d) = self.lower.tolist(), self.upper.tolist()
        outside = f"; {unseen} regions lie outside" if unseen else ""
        return f"view [{a:.4g}, {c:.4g}] x [{b:.4g}, {d:.4g}], the domain goes on{outside}"


def plane_section(regions: RegionSet, view: tuple[Any, Any] | None = None) -> PlaneSection:
    """The polygons of the regions of a two-dimensional input set.

    Corners are right to 1e-10 of the size of the set, and to a thousandth of the thickness of their region.

    Args:
        regions: regions of a two-dimensional domain, a slice, or a box with all other inputs fixed.
        view: two corners ``(lower, upper)`` to which the picture is cut; by default the whole of a bounded domain,
            and of an unbounded one the part with (nearly) all vertices.

    Raises:
        InputError: the domain is not two-dimensional.
        OptionError: the view is none.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> quadrants = plane_section(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
    >>> quadrants.polygons[3].tolist()
    [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0]]
    >>> plane_section(pr.enumerate_regions(net, pr.WholeSpace(2)), view=([-2, -2], [2, 2])).note
    'view [-2, 2] x [-2, 2], the domain goes on'
    """
    expect(regions, RegionSet, "regions")
    check_drawable(regions.problem, (2,))
    bounds = regions.problem.solid.bounds
    if view is None and bounds.are_finite:
        return PlaneSection(regions, _outlines(regions), bounds.lower, bounds.upper, False)
    if view is None:
        lower, upper = _view_of_vertices(regions)
    else:
        lower, upper = checked_view(view, 2)
    is_cut = bool(np.any(bounds.lower < lower) or np.any(bounds.upper > upper))
    polygons = packed(_region_sides(regions, _view_sides(lower, upper)))
    return PlaneSection(regions, polygons, lower, upper, is_cut)


def cell_polygons(drawn: PlaneSection, cells: DecisionCells) -> Polygons:
    """The decision cells of a section's regions as polygons, one for each cell, cut to the same view.

    Args:
        drawn: the section.
        cells: decision cells of the same regions.
    """
    edges = _view_sides(drawn.lower, drawn.upper) if drawn.is_cut else []
    shared = np.diff(cells.offsets)[cells.region] > 1
    parts = packed(_cell_sides(cells, np.unique(cells.region[shared]), edges))
    return drawn.polygons.and_also(parts).taken(
        np.where(shared, len(drawn.polygons) + np.cumsum(shared) - 1, cells.region)
    )


def check_drawable(problem: Problem, dims: Sequence[int] = (1, 2)) -> None:
    """Refuse an input set of a dimension that the picture is not made for.

    Raises:
        InputError: it has another one; the message says how to slice.
    """
    dim = problem.solid.hull.dim
    if dim not in dims:
        expected = " or ".join(str(d) for d in dims)
        hint = f"; {HOW_TO_SLICE}" if dim > max(dims) else ""
        raise InputError(f"the input set has dimension {dim}, expected {expected} for a picture{hint}")


def domain_goes_on(problem: Problem) -> bool:
    """Whether a picture needs a view, because the input set is unbounded."""
    return not problem.solid.bounds.are_finite


def checked_view(view: tuple[Any, Any], dim: int) -> tuple[Floats, Floats]:
    """The two corners of a view.

    Raises:
        OptionError: not two points of finite numbers, or the lower one is not below the upper one.
    """
    try:
        lower, upper = (np.array(corner, dtype=np.float64).reshape(-1) for corner in view)
    except (TypeError, ValueError):
        raise OptionError(f"view {view!r}, expected two corners (lower, upper) of {dim} numbers") from None
    if lower.shape != (dim,) or upper.shape != (dim,) or not np.all(np.isfinite([lower, upper])):
        raise OptionError(f"view {view!r}, expected two corners (lower, upper) of {dim} finite numbers")
    if not np.all(lower < upper):
        raise OptionError(f"view {view!r}, expected lower < upper in each coordinate")
    return lower, upper


def axis_names(problem: Problem) -> tuple[str, ...]:
    """Names of the coordinates u: those of the inputs that are not fixed, or u and v on a slice."""
    hull = problem.solid.hull
    if hull.free is not None:
        return tuple(f"x{i}" for i in hull.free)
    return ("u", "v")[: hull.dim] if hull.dim <= 2 else tuple(f"u{i}" for i in range(hull.dim))


def _outlines(regions: RegionSet) -> Polygons:
    """The polygons of a bounded set: in floats where these are sure, else in integers."""
    if not regions.problem.is_tame:
        return packed(_region_sides(regions, []))
    polygons, right = float_outlines(regions)
    left, region_forms = np.flatnonzero(~right), RegionForms(regions)
    exact = packed(_polygon(regions, _sides(regions, region_forms, i), []) for i in left.tolist())
    return polygons.and_also(exact).taken(
        np.where(right, np.arange(len(regions)), len(regions) + np.cumsum(~right) - 1)
    )


def bounding_sides(regions: RegionSet) -> Iterator[list[Side]]:
    """For each region the rows that bound it, redundant ones among them: the domain's, then those of neurons."""
    region_forms = RegionForms(regions)
    return (_sides(regions, region_forms, i) for i in range(len(regions)))


def _sides(regions: RegionSet, region_forms: RegionForms, i: int) -> list[Side]:
    rows = region_forms.interior(i).exact_rows()
    neurons = np.flatnonzero(regions.cuts[i]).tolist()
    n_walls = len(rows) - len(neurons)
    walls = [Side(row, DOMAIN, w) for w, row in enumerate(rows[:n_walls])]
    return walls + [Side(row, NEURON, n) for n, row in zip(neurons, rows[n_walls:], strict=True)]


def _polygon(regions: RegionSet, sides: list[Side], edges: list[Side]) -> list[Side]:
    """The polygon of a region with the given rows, cut by the edges of a view."""
    return _cut_by(square(_beyond(regions, sides)), [*sides, *edges])


def _region_sides(regions: RegionSet, edges: list[Side]) -> Iterator[list[Side]]:
    """The polygon of each region."""
    return (_polygon(regions, sides, edges) for sides in bounding_sides(regions))


def _cell_sides(cells: DecisionCells, numbers: Ints, edges: list[Side]) -> Iterator[list[Side]]:
    """The polygons of all decision cells of some regions."""
    regions, region_forms = cells.regions, RegionForms(cells.regions)
    n_last = regions.problem.layers.layers[-1].n_neurons
    for i in numbers.tolist():
        polygon = _polygon(regions, _sides(regions, region_forms, i), edges)
        bits = regions.patterns[i][regions.patterns.shape[1] - n_last :]
        scores = exact_scores(cells.rule, region_forms.along(i)[-1].exact_output(bits))
        for k in cells.classes(i):
            leads = [[a - b for a, b in zip(scores[k], score, strict=True)] for score in scores]
            yield _cut_by(polygon, [Side(row, DECISION, m) for m, row in enumerate(leads) if any(row[:-1])])


def _cut_by(polygon: list[Side], sides: list[Side]) -> list[Side]:
    for side in sides:
        if not polygon:
            break
        polygon = cut(polygon, side)
    return polygon


def _beyond(regions: RegionSet, sides: list[Side]) -> int:
    """A number larger than any coordinate of a vertex: by the domain's bounds, else by Cramer's rule in integers."""
    bounds = regions.problem.solid.bounds
    if bounds.are_finite:
        return 1 + ceil(float(np.abs([bounds.lower, bounds.upper]).max()))
    largest = max((abs(int(entry)) for side in sides for entry in side.row), default=0)
    return 1 + 2 * largest * largest


def _view_sides(lower: Floats, upper: Floats) -> list[Side]:
    (a, b), (c, d) = (list(map(Fraction, corner.tolist())) for corner in (lower, upper))
    forms = [(0, 1, -b), (-1, 0, c), (0, -1, d), (1, 0, -a)]
    return [
        Side([int(v * Fraction(form[2]).denominator) for v in form], FRAME, i) for i, form in enumerate(forms)
    ]


def _view_of_vertices(regions: RegionSet) -> tuple[Floats, Floats]:
    """A view with most vertices of the regions of an unbounded set in its middle, or failing those some points."""
    found = [
        point
        for polygon in _region_sides(regions, [])
        for k, point in enumerate(corner_floats(polygon))
        if FRAME not in (polygon[k - 1].kind, polygon[k].kind)
    ]
    points = np.array(found or regions.local_points.tolist() or [[0.0, 0.0]]).reshape(-1, 2)
    points = points[np.all(np.isfinite(points), axis=1)]
    lower, upper = np.quantile(points, 0.02, axis=0), np.quantile(points, 0.98, axis=0)
    margin = max(float(np.max(upper - lower)), 0.5) * 0.35
    return lower - margin, upper + margin
