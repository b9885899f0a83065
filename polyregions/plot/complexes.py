"""Complexes of two and three inputs in space: cells pulled apart or cut open, surfaces, persistence diagrams."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.topology.face_complex import FaceComplex
from polyregions.analysis.topology.persistence import PersistenceDiagram
from polyregions.errors import InputError, OptionError, expect
from polyregions.io.files import import_extra
from polyregions.plot.figure import import_matplotlib, new_figure
from polyregions.plot.palette import CLASS_COLOURS, REGION_COLOURS, pick
from polyregions.polyhedra.domain import Box

DRAWN = (2, 3)
MANY = 20_000  # polygons that matplotlib still draws in seconds


def plot_complex(
    complex: FaceComplex,
    ax: Any = None,
    *,
    explode: float = 0.0,
    keep: tuple[int, float] | None = None,
    color: Any = None,
    alpha: float = 0.9,
) -> Any:
    """Draw a bounded complex of a network with three inputs in space: its cells, or a surface such as a boundary.

    Args:
        complex: a whole complex or a part of one; of two inputs it lies in the plane z = 0.
        ax: matplotlib axes with ``projection="3d"``; a new figure if not given.
        explode: how far cells are pulled apart: their centres move away from the middle by this share.
        keep: an input and a number: cells whose centre has more than that are left out, which opens the picture.
        color: one colour for all, or one for each polygon or polyhedron that is a face of no other; by default cells
            have light colours in turn.
        alpha: how opaque faces are.

    Returns:
        The axes.

    Raises:
        InputError: the complex is unbounded or empty, has another dimension, or more than 20,000 polygons.
        OptionError: there is no such input to keep by, or another number of colours.
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0, 0], [0, 1, 1]], [0, 0]), ([[1, -1]], [0])])
    >>> complex = pr.face_complex(pr.enumerate_regions(net, pr.Box.cube(-1, 1, 3)))
    >>> axes = matplotlib.figure.Figure().add_subplot(projection="3d")
    >>> axes = plot_complex(complex, axes, explode=0.3)
    >>> axes.get_title()
    'network: 12 + 23 + 16 + 4 faces'
    """
    expect(complex, FaceComplex, "complex")
    moved, owner = polygons_in_space(complex, explode, keep)
    if len(moved) > MANY:
        raise InputError(
            f"{complex!r}: {len(moved)} polygons, expected at most {MANY}; cut it open or take a part"
        )
    import_matplotlib()
    art = import_extra("mpl_toolkits.mplot3d.art3d", "plot", "a picture")
    axes = new_figure((6, 5)).add_subplot(projection="3d") if ax is None else ax
    colours = _colours(color, max(owner) + 1, bool(complex.counts[complex.dim]) and complex.dim == DRAWN[1])
    axes.add_collection3d(
        art.Poly3DCollection(
            moved,
            facecolors=[colours[own] for own in owner],
            edgecolors="#222222",
            linewidths=0.4,
            alpha=alpha,
        )
    )
    _frame(axes, complex, np.concatenate(moved))
    axes.set_title(repr(complex).removeprefix("FaceComplex(").removesuffix(")").replace("$", r"\$"))
    return axes


def polygons_in_space(
    complex: FaceComplex, explode: float, keep: tuple[int, float] | None
) -> tuple[list[Floats], list[int]]:
    """The corners (n, 3) of all polygons, each in order, and the cell that each belongs to; see `plot_complex`."""
    cells, vertices = _cells(complex, keep), complex.vertices
    centres = np.array([vertices[_corners(complex, cell)].mean(axis=0) for cell in cells])
    shifts = explode * (centres - centres.mean(axis=0))
    polygons, owner = _polygons(complex, cells)
    moved = [_in_space(vertices[p] + shifts[own]) for p, own in zip(polygons, owner, strict=True)]
    return moved, owner


def plot_persistence(diagram: PersistenceDiagram, ax: Any = None) -> Any:
    """Draw a persistence diagram: births across, deaths up, a colour for each dimension; those that stay at the edge.

    Args:
        diagram: what `persistent_homology` gives.
        ax: matplotlib axes; a new figure if not given.

    Returns:
        The axes.

    Raises:
        MissingExtraError: matplotlib is not installed.

    >>> import matplotlib.figure
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1], [1]], [1, 0, -1]), ([[2, -4, 4]], [0])])
    >>> diagram = pr.persistent_homology(pr.face_complex(pr.enumerate_regions(net, pr.Box(-2, 2))))
    >>> axes = plot_persistence(diagram, matplotlib.figure.Figure().add_subplot())
    >>> [text.get_text() for text in axes.get_legend().get_texts()]
    ['dimension 0']
    """
    expect(diagram, PersistenceDiagram, "diagram")
    import_matplotlib()
    axes = new_figure((4.5, 4.5)).add_subplot() if ax is None else ax
    stays = ~np.isfinite(diagram.death)
    values = np.concatenate([diagram.birth, diagram.death[~stays]]) if len(diagram) else np.zeros(1)
    low, high = float(values.min()), float(values.max())
    room = 0.1 * (high - low or 1.0)
    edge = low - room if diagram.is_upward else high + room
    axes.plot([low - room, high + room], [low - room, high + room], color="#999999", linewidth=0.8)
    axes.axhline(edge, color="#999999", linewidth=0.8, linestyle=":")
    for dim in np.unique(diagram.dim).tolist():
        chosen = diagram.dim == dim
        death = np.where(stays, edge, diagram.death)[chosen]
        axes.scatter(
            diagram.birth[chosen],
            death,
            s=18,
            color=pick(CLASS_COLOURS, dim),
            label=f"dimension {dim}",
            zorder=2,
        )
    axes.set(xlabel="birth", ylabel="death (dotted: never)", aspect="equal")
    if len(diagram):
        axes.legend(frameon=False)
    return axes


def _cells(complex: FaceComplex, keep: tuple[int, float] | None) -> list[int]:
    """The polygons and polyhedra that are faces of no other."""
    d = complex.problem.network.n_inputs
    if not len(complex) or not np.all(complex.is_bounded) or d not in DRAWN:
        raise InputError(f"{complex!r}: expected a bounded complex of two or three inputs that is not empty")
    is_drawn = np.isin(complex.dims, DRAWN)
    is_drawn[complex.facets] = False
    cells: list[int] = np.flatnonzero(is_drawn).tolist()
    if keep is not None:
        axis, most = keep
        if not 0 <= axis < d:
            raise OptionError(f"keep by input {axis}, expected one of 0 to {d - 1}")
        cells = [c for c in cells if complex.vertices[_corners(complex, c)][:, axis].mean() <= most]
    if not cells:
        raise InputError(f"{complex!r}: no polygons to draw" + (f" up to {keep[1]}" if keep else ""))
    return cells


def _facets(complex: FaceComplex, face: int) -> list[int]:
    found: list[int] = complex.facets[complex.offsets[face] : complex.offsets[face + 1]].tolist()
    return found


def _corners(complex: FaceComplex, cell: int) -> list[int]:
    """The vertices of a cell."""
    faces = {cell}
    while max(faces) >= complex.starts[1]:
        faces = {facet for face in faces for facet in _facets(complex, face)}
    return sorted(faces)


def _polygons(complex: FaceComplex, cells: list[int]) -> tuple[list[list[int]], list[int]]:
    """The corners of all polygons of some cells, each in order, and the place of its cell."""
    flat = [
        (face, place)
        for place, cell in enumerate(cells)
        for face in (_facets(complex, cell) if cell >= complex.starts[DRAWN[1]] else [cell])
    ]
    return [_around(complex, face) for face, _ in flat], [place for _, place in flat]


def _around(complex: FaceComplex, polygon: int) -> list[int]:
    """The corners of a polygon in order."""
    edges = [_facets(complex, edge) for edge in _facets(complex, polygon)]
    order = edges.pop()
    while len(edges) > 1:
        i = next(i for i, edge in enumerate(edges) if order[-1] in edge)
        a, b = edges.pop(i)
        order.append(b if a == order[-1] else a)
    return order


def _in_space(points: Floats) -> Floats:
    return np.pad(points, ((0, 0), (0, 3 - points.shape[1])))


def _colours(color: Any, n: int, are_solid: bool) -> list[Any]:
    """A colour for each cell."""
    if color is None:
        return [pick(REGION_COLOURS, i) for i in range(n)] if are_solid else [CLASS_COLOURS[0]] * n
    if isinstance(color, str) or (
        len(color) in (3, 4) and np.isscalar(color[0]) and not isinstance(color[0], str)
    ):
        return [color] * n
    if len(color) != n:
        raise OptionError(f"color: {len(color)} of them, expected one or {n}")
    return list(color)


def _frame(axes: Any, complex: FaceComplex, points: Floats) -> None:
    """Limits around all points, and around the domain where that is a box."""
    low, high = points.min(axis=0), points.max(axis=0)
    domain = complex.problem.domain
    if isinstance(domain, Box):
        corners = _in_space(np.array([domain.lower, domain.upper], dtype=np.float64))
        low, high = np.minimum(low, corners[0]), np.maximum(high, corners[1])
    high = np.where(high > low, high, low + 1e-3)
    axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    axes.set_box_aspect(high - low + 1e-3 * (high - low).max())
    axes.set(xlabel="input 0", ylabel="input 1")
    if complex.problem.network.n_inputs == DRAWN[0]:
        axes.set_zticks([])
    else:
        axes.set_zlabel("input 2")
    axes.locator_params(nbins=5)
    axes.view_init(elev=24, azim=-55)
