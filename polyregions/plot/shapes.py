"""One region, decision cell or piece of the decision boundary on matplotlib axes: what their method `plot` does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.decisions import BoundaryPiece, DecisionCell
from polyregions.analysis.decisions.colours import class_colour
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.networks.problem import Problem
from polyregions.plot.figure import import_matplotlib, new_figure
from polyregions.plot.palette import REGION_COLOUR
from polyregions.plot.plane import INK, heading
from polyregions.plot.sections import axis_names, check_drawable, checked_view
from polyregions.polyhedra.domain import Box
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.rows import scales
from polyregions.polyhedra.shape import Shape
from polyregions.presentation import drawn
from polyregions.regions.region_set import Region

MARGIN = 0.35  # of the extent of a shape's vertices, around them


@drawn.register
def _(region: Region, ax: Any, view: Any, style: dict[str, Any]) -> Any:
    return _draw(region, region.regions.problem, REGION_COLOUR, ax, view, style)


@drawn.register
def _(cell: DecisionCell, ax: Any, view: Any, style: dict[str, Any]) -> Any:
    return _draw(cell, cell.cells.regions.problem, class_colour(cell.label), ax, view, style)


@drawn.register
def _(piece: BoundaryPiece, ax: Any, view: Any, style: dict[str, Any]) -> Any:
    return _draw(piece, piece.boundary.cells.regions.problem, INK, ax, view, style)


def _draw(shape: Shape, problem: Problem, colour: str, ax: Any, view: Any, style: dict[str, Any]) -> Any:
    check_drawable(problem)
    import_matplotlib()
    axes = new_figure((5, 4)).add_subplot() if ax is None else ax
    limits = None if ax is None or not axes.has_data() else _limits(axes, problem.solid.hull.dim)
    corners = outline(shape.polytope, problem.solid.hull, limits if view is None else view)
    if problem.solid.hull.dim == 1:
        _draw_interval(axes, corners[:, 0], colour, style)
    else:
        _draw_polygon(axes, corners, colour, style)
    if ax is None:
        _entitle(axes, shape, problem)
    return axes


def outline(polytope: HPolytope, hull: AffineHull, view: Any = None) -> Floats:
    """The corners (v, k) of a closed shape over a hull's coordinates, in two dimensions counterclockwise.

    Args:
        polytope: the shape, in the inputs.
        hull: the affine hull of the domain that it lies in, of one or two dimensions.
        view: two corners to which it is cut if it is unbounded; by default around its vertices.

    Raises:
        OptionError: the view is none.
    """
    affine = IntegerAffine(integer_matrix(polytope.exact_rows, hull.ambient_dim + 1), 1)
    over = compose(affine, hull.embedding)
    rows = [row for row in map(over.row, range(len(polytope.A))) if any(row[:-1])]
    local = HPolytope.of_exact_rows(
        rows, scales(rows), hull.dim, [False] * len(rows), [f"row {i}" for i in range(len(rows))]
    )
    if not local.is_bounded():
        lower, upper = _around(local) if view is None else checked_view(view, hull.dim)
        edges = Box(lower, upper).polytope()
        n = len(edges.A)
        local = local.with_exact_rows(edges.exact_rows, [1] * n, [False] * n, list(edges.labels))
    return _in_order(local.exact_vertices())


def _in_order(vertices: tuple[tuple[Fraction, ...], ...]) -> Floats:
    """Vertices of a convex shape, by their direction from the middle, which is inside."""
    points = np.array(vertices, dtype=np.float64)
    if len(points) < 3:
        return points
    middle = [sum(column, Fraction(0)) / len(vertices) for column in zip(*vertices, strict=True)]
    from_middle = np.array([[float(c - m) for c, m in zip(p, middle, strict=True)] for p in vertices])
    return points[np.argsort(np.arctan2(from_middle[:, 1], from_middle[:, 0]))]


def _around(local: HPolytope) -> tuple[Floats, Floats]:
    """A view of an unbounded shape: its vertices, or failing those some point of it, with a margin."""
    solid = local.solid
    assert solid is not None
    found = local.vertices()
    points = found if len(found) else solid.hull.lift_floats(solid.interior.approx[None])
    lower, upper = points.min(axis=0), points.max(axis=0)
    margin = max(float(np.max(upper - lower)), 0.5) * MARGIN
    return lower - margin, upper + margin


def _limits(axes: Any, dim: int) -> tuple[Any, Any]:
    """What axes with something on them show."""
    ends = [axes.get_xlim(), axes.get_ylim()][:dim]
    return [min(pair) for pair in ends], [max(pair) for pair in ends]


def _draw_interval(axes: Any, ends: Floats, colour: str, style: dict[str, Any]) -> None:
    if len(ends) == 1:
        axes.axvline(ends[0], **{"color": colour, "linewidth": 1.5, **style})
    elif len(ends):
        axes.axvspan(
            ends.min(), ends.max(), **{"facecolor": colour, "edgecolor": "none", "alpha": 0.6, **style}
        )


def _draw_polygon(axes: Any, corners: Floats, colour: str, style: dict[str, Any]) -> None:
    from matplotlib.patches import Polygon

    if len(corners) > 2:
        look = {"facecolor": colour, "edgecolor": INK, "linewidth": 1.0, **style}
        axes.add_patch(Polygon(corners, closed=True, **look))
        axes.autoscale_view()
    elif len(corners):
        axes.plot(
            *corners.T, **{"color": colour, "linewidth": 2.0, "marker": "o" * (len(corners) == 1), **style}
        )


def _entitle(axes: Any, shape: Shape, problem: Problem) -> None:
    """What new axes say: which shape it is, and names of the coordinates."""
    names = axis_names(problem)
    axes.set_xlabel(names[0])
    if len(names) > 1:
        axes.set_ylabel(names[1])
        axes.set_aspect("equal", adjustable="datalim")
    text = repr(shape).strip("<>").partition(":")[0]
    heading(axes, f"{problem.network.name}: {text}")
