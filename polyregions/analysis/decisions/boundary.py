"""The decision boundary: the (d-1)-dimensional pieces where two classes meet, as flat arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.decisions.cells import DecisionCell, DecisionCells
from polyregions.analysis.decisions.contacts import ExactFacets, crossing_point, crossings, meetings
from polyregions.analysis.decisions.outputs import Outputs
from polyregions.errors import InternalError, expect
from polyregions.exact.numbers import Point
from polyregions.places import Members
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.shape import Shape
from polyregions.read_only import ReadOnly, View
from polyregions.regions.prefixes import RegionForms

KINDS = ("decision", "neuron")


@dataclass(frozen=True, eq=False)
class DecisionBoundary(ReadOnly, Members["BoundaryPiece"]):
    """Every piece where the closures of two cells of different classes share a (d-1)-dimensional set.

    Attributes:
        cells: the decision cells.
        source: (B,) the lower of the two cells of each piece; the pieces are sorted by source, then target.
        target: (B,) the higher one.
        neuron: (B,) -1 for a piece inside a region; else a neuron whose facet it lies along, which happens only where
            classes tie there, on one side (a tie all over a cell) or by the facet alone.
        local_points: (B, k) a point in the relative interior of each piece, rounded, in the hull's coordinates.
        beyond: B points that are inside the source cell but for the wall of the piece, across which they lie.
    """

    MEMBER = "boundary piece"

    cells: DecisionCells
    source: Ints
    target: Ints
    neuron: Ints
    local_points: Floats
    beyond: tuple[Point, ...]

    @property
    def classes(self) -> Ints:
        """The two classes (B, 2) that meet."""
        return np.column_stack([self.cells.label[self.source], self.cells.label[self.target]])

    @property
    def regions(self) -> Ints:
        """The regions (B, 2) of the two cells; twice the same inside a region."""
        return np.column_stack([self.cells.region[self.source], self.cells.region[self.target]])

    @property
    def kinds(self) -> tuple[str, ...]:
        """B times "decision" (inside a region) or "neuron" (along a facet of regions)."""
        return tuple(KINDS[int(n >= 0)] for n in self.neuron)

    @cached_property
    def points(self) -> Floats:
        """A point (B, d) in the relative interior of each piece, in the inputs, rounded to float64."""
        return self.cells.regions.problem.solid.hull.lift_floats(self.local_points)

    def exact_point(self, piece: int) -> tuple[Fraction, ...]:
        """The same point without rounding: the scores of the two classes are equal there, and the largest."""
        hull = self.cells.regions.problem.solid.hull
        inside = self.cells.local_point(int(self.source[piece]))
        return hull.lift(Point.of(crossing_point(self._wall(piece), inside, self.beyond[piece]))).coordinates

    def polytope(self, piece: int) -> HPolytope:
        """A piece as a (d-1)-dimensional polytope: the closed source cell, and the wall's hyperplane as an equation."""
        cell = DecisionCell(self.cells, int(self.source[piece])).polytope
        neuron, (k, i) = int(self.neuron[piece]), self.classes[piece].tolist()
        name = f"decision {k}-{i}" if neuron < 0 else f"neuron {neuron}"
        wall = cell.labels.index(name)
        turned = [-entry for entry in cell.exact_rows[wall]]
        size = max(map(abs, turned[:-1]))
        return cell.closed().with_exact_rows([turned], [size], [False], [f"{name} = 0"])

    def _wall(self, piece: int) -> list[int]:
        """The integer row of a piece's hyperplane over the hull's coordinates."""
        i, neuron = int(self.regions[piece, 0]), int(self.neuron[piece])
        if neuron < 0:
            k, m = self.classes[piece].tolist()
            return Outputs(self.cells.regions, i, self.cells.rule).lead(k, m).exact()
        walls = RegionForms(self.cells.regions).rows(i)
        return walls.interior.exact[walls.neurons.index(neuron)]()

    def __len__(self) -> int:
        return len(self.source)

    def _member(self, place: int) -> BoundaryPiece:
        return BoundaryPiece(self, place)

    def __repr__(self) -> str:
        return f"<DecisionBoundary: {len(self)} pieces between {len(self.cells)} cells>"


@dataclass(frozen=True, eq=False)
class BoundaryPiece(View, Shape):
    """One piece of the decision boundary: a light view into `DecisionBoundary`.

    Attributes:
        boundary: the boundary it belongs to.
        number: its place in it.
    """

    boundary: DecisionBoundary
    number: int

    @property
    def cells(self) -> tuple[DecisionCell, DecisionCell]:
        """The two cells that meet."""
        cells = self.boundary.cells
        return cells[self.boundary.source[self.number]], cells[self.boundary.target[self.number]]

    @property
    def classes(self) -> tuple[int, int]:
        """Their classes."""
        one, two = self.cells
        return one.label, two.label

    @property
    def kind(self) -> str:
        """Either "decision", inside a region, or "neuron", along a facet of regions."""
        return KINDS[int(self.boundary.neuron[self.number] >= 0)]

    @property
    def point(self) -> Floats:
        """A point (d,) in its relative interior, rounded."""
        point: Floats = self.boundary.points[self.number]
        return point

    @property
    def exact_point(self) -> tuple[Fraction, ...]:
        """The same point without rounding."""
        return self.boundary.exact_point(self.number)

    @property
    def polytope(self) -> HPolytope:
        """The piece as a (d-1)-dimensional polytope."""
        return self.boundary.polytope(self.number)

    def __repr__(self) -> str:
        one, two = self.classes
        return f"<BoundaryPiece {self.number}: between classes {one} and {two}>"


def decision_boundary(cells: DecisionCells) -> DecisionBoundary:
    """The decision boundary of a network, complete if its regions are.

    Inside a region the pieces lie on the hyperplanes where the two best classes score the same; along a facet between
    regions classes change only where they tie.

    Raises:
        InternalError: a facet leads to a cell that a complete set does not hold (a bug).

    Complexity: as for `islands`, and one small linear program for each pair of classes in regions of three or more.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1.0], [-1.0]], [0, 0]), ([[1.0, 1.0], [0, 0]], [-1, 0])])
    >>> cells = pr.decision_cells(pr.enumerate_regions(net, pr.Box([-2], [2])))
    >>> sorted(decision_boundary(cells).points.tolist())  # |x| - 1 against 0
    [[-1.0], [1.0]]
    """
    expect(cells, DecisionCells, "cells")
    found = sorted([*_inside(cells), *_along_neurons(cells)], key=lambda piece: piece[:2])
    ends = np.array([piece[:3] for piece in found], dtype=np.int64).reshape(-1, 3)
    points = np.array([piece[3] for piece in found], dtype=np.float64).reshape(-1, cells.regions.dim)
    beyond = tuple(piece[4] for piece in found)
    return DecisionBoundary(cells, ends[:, 0].copy(), ends[:, 1].copy(), ends[:, 2].copy(), points, beyond)


_Piece = tuple[int, int, int, Floats, Point]


def _inside(cells: DecisionCells) -> Iterator[_Piece]:
    """The pieces inside regions: source, target, -1, point, beyond."""
    exact = ExactFacets(cells)
    for meeting in meetings(cells):
        a, b = meeting.source, meeting.target
        wall = exact.outputs(int(cells.region[a])).lead(int(cells.label[a]), int(cells.label[b]))
        point = _rounded_crossing(wall.row, cells.local_points[a], meeting.beyond.approx)
        if not np.all(np.isfinite(point)):
            point = Point.of(crossing_point(wall.exact(), cells.local_point(a), meeting.beyond)).approx
        yield a, b, -1, point, meeting.beyond


def _along_neurons(cells: DecisionCells) -> Iterator[_Piece]:
    """The pieces along facets between regions: source, target, neuron, point, beyond."""
    exact, across = ExactFacets(cells), crossings(cells)
    for place in np.flatnonzero(cells.label[across.source] != cells.label[across.target]).tolist():
        a, b = int(across.source[place]), int(across.target[place])
        flips = across.adjacency.flipped(int(across.edge[place])).tolist()
        found = exact.facet_across(a, flips)
        if found is None:
            raise InternalError(f"cell {a} has no facet towards cell {b}")
        interior, facet = found
        walls = exact.forms.rows(int(cells.region[a]))
        yield a, b, walls.neurons[facet.rows[0]], facet.approximate_point(interior), facet.beyond


def _rounded_crossing(row: Floats, inside: Floats, beyond: Floats) -> Floats:
    """About where the segment between two points crosses a hyperplane; not finite where that overflows."""
    with np.errstate(all="ignore"):
        here, there = row[:-1] @ inside + row[-1], row[:-1] @ beyond + row[-1]
        # a point hardly beside the hyperplane may round to the other side of it
        t = min(max(here / (here - there), 0.0), 1.0) if here > there else 0.5
        return inside + t * (beyond - inside)
