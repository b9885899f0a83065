"""Decision cells: where in each region which class wins, and which cells touch.

The cell of class k in a region is the part where ``y_k > y_i`` for all other i. Outputs that are equal all over
a region count for the lowest of their classes, and are reported as ties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import networkx as nx
import numpy as np

from polyregions._types import Floats, Ints
from polyregions.adjacency import RegionRows, region_rows, upper_neighbours
from polyregions.errors import InternalError, OptionError
from polyregions.exact.affine import IntegerAffine
from polyregions.exact.evaluate import Germ
from polyregions.exact.numbers import Point
from polyregions.geometry.facets import Facet, coinciding_rows, facets
from polyregions.oracle.polyhedron import Form, OpenPolyhedron
from polyregions.oracle.proof import SAFE, TINY, UNIT
from polyregions.oracle.referee import Referee
from polyregions.patterns import as_text
from polyregions.regions import RegionSet

RULES = ("argmax", "argmin")


@dataclass(frozen=True, eq=False)
class DecisionCells:
    """All full-dimensional (region, class) pairs, sorted by region, then class.

    Attributes:
        regions: the regions they subdivide.
        rule: "argmax" or "argmin".
        region: (K,) the region of each cell.
        label: (K,) its class.
        local_points: (K, k) a point strictly inside, in the coordinates u of the domain's hull.
        rational_points: cell -> its exact point, where no float64 point is inside.
        ties: (cell, classes) where other classes equal the winner all over the cell.
    """

    regions: RegionSet
    rule: str
    region: Ints
    label: Ints
    local_points: Floats
    rational_points: dict[int, tuple[Fraction, ...]]
    ties: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def points(self) -> Floats:
        """A point (K, d) strictly inside each cell, in the inputs."""
        basis, origin = self.regions.problem.solid.hull.floats
        return self.local_points @ basis.T + origin

    def local_point(self, cell: int) -> Point:
        """The interior point of a cell in the coordinates u, exactly."""
        return Point(self.local_points[cell], self.rational_points.get(cell))

    def per_class(self) -> dict[int, int]:
        """How many cells each class has; classes without cells are left out."""
        labels, counts = np.unique(self.label, return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.region)

    def __repr__(self) -> str:
        return f"<DecisionCells: {len(self)} cells in {len(self.regions)} regions>"


def decision_cells(regions: RegionSet, rule: str = "argmax") -> DecisionCells:
    """The decision cells of a network that classifies by its largest (or smallest) output.

    Args:
        regions: the network's regions.
        rule: "argmax", or "argmin" for networks whose smallest output wins (ACAS Xu).

    Raises:
        OptionError: an unknown rule.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1.0], [-1.0]], [0, 0])])
    >>> decision_cells(pr.enumerate_regions(net, pr.Box([-1], [1]))).per_class()
    {0: 1, 1: 1}
    """
    if rule not in RULES:
        raise OptionError(f"rule {rule!r}, expected one of {', '.join(RULES)}")
    referee = Referee(regions.problem.solid.bounds)
    found = [
        (i, k, point, tied)
        for i in range(len(regions))
        for k, point, tied in _cells_of_region(regions, i, rule, referee)
    ]
    return DecisionCells(
        regions,
        rule,
        np.array([i for i, *_ in found], dtype=np.int64),
        np.array([k for _, k, *_ in found], dtype=np.int64),
        np.array([point.approx for *_, point, _ in found], dtype=np.float64).reshape(len(found), regions.dim),
        {c: point.rational for c, (*_, point, _) in enumerate(found) if point.rational is not None},
        tuple((c, tied) for c, (*_, tied) in enumerate(found) if tied),
    )


def decision_graph(cells: DecisionCells) -> nx.Graph:
    """The graph of decision cells that share a facet.

    Nodes are cell numbers with ``region``, ``label`` and ``point``. Edges carry ``kind``: "decision" where the
    cells lie in one region and the classes meet, "neuron" where they lie in neighbouring regions.

    Raises:
        InternalError: a facet leads to a cell that a complete set does not hold (a bug).
    """
    graph = nx.Graph(rule=cells.rule)
    for cell in range(len(cells)):
        graph.add_node(
            cell,
            region=int(cells.region[cell]),
            label=int(cells.label[cell]),
            point=cells.points[cell].tolist(),
        )
    for source, target, kind in _edges(cells):
        graph.add_edge(source, target, kind=kind)
    return graph


def cell_rows(cells: DecisionCells, cell: int) -> OpenPolyhedron:
    """A decision cell as an open polyhedron over the hull's coordinates: its region's rows, then its rivals'."""
    i, k = int(cells.region[cell]), int(cells.label[cell])
    rivals = [int(m) for m in cells.label[cells.region == i] if m != k]
    return _with_leads(
        region_rows(cells.regions, i).interior, Outputs(cells.regions, i, cells.rule), k, rivals
    )


class Outputs:
    """The outputs of the network on one region as affine forms over the hull's coordinates.

    Under "argmin" they are negated, so that the largest always wins.
    """

    def __init__(self, regions: RegionSet, i: int, rule: str) -> None:
        pattern = regions.patterns[i]
        last = regions.problem.layers.last_along(pattern)
        self._last, self._bits = last, pattern[len(pattern) - len(last.kinked) :]
        slopes = last.slopes_along(self._bits)
        self._sign = 1 if rule == "argmax" else -1
        self.rows = last.rows * slopes[:, None] * self._sign
        self.error = (last.error * np.abs(slopes)[:, None] + UNIT * np.abs(self.rows)) * SAFE
        self._exact: IntegerAffine | None = None

    @property
    def n_classes(self) -> int:
        """Number of outputs c."""
        return len(self.rows)

    def lead(self, k: int, i: int) -> Form:
        """The form ``y_k - y_i``."""
        row = self.rows[k] - self.rows[i]
        error = (self.error[k] + self.error[i] + UNIT * np.abs(row)) * SAFE
        error[(self.rows[k] == 0) & (self.rows[i] == 0) & (error <= TINY)] = 0.0
        return Form(row, error, lambda: self._exact_lead(k, i))

    def _exact_lead(self, k: int, i: int) -> list[int]:
        if self._exact is None:
            self._exact = self._last.exact_output(self._bits)
        return [self._sign * (a - b) for a, b in zip(self._exact.row(k), self._exact.row(i), strict=True)]


def _with_leads(interior: OpenPolyhedron, outputs: Outputs, k: int, rivals: Sequence[int]) -> OpenPolyhedron:
    for rival in rivals:
        interior = interior.with_form(outputs.lead(k, rival))
    return interior


def _cells_of_region(
    regions: RegionSet, i: int, rule: str, referee: Referee
) -> Iterator[tuple[int, Point, tuple[int, ...]]]:
    """(class, interior point, classes tied with it) of every decision cell of region i."""
    outputs = Outputs(regions, i, rule)
    interior = region_rows(regions, i).interior
    for k in range(outputs.n_classes):
        leads, tied = _leads(outputs, k, referee)
        if leads is None:
            continue
        point = _cell_point(interior, leads, regions.local_point(i), referee)
        if point is not None:
            yield k, point, tied


def _leads(outputs: Outputs, k: int, referee: Referee) -> tuple[list[Form] | None, tuple[int, ...]]:
    """The forms that must be positive where class k wins, and the classes equal to it; None if it never wins."""
    leads, tied = [], []
    for i in range(outputs.n_classes):
        if i == k:
            continue
        form = outputs.lead(k, i)
        constant = referee.constant_sign(form)
        if constant is None:
            if referee.never_positive(form):
                return None, ()
            leads.append(form)
        elif constant < 0 or (constant == 0 and i < k):
            return None, ()
        elif constant == 0:
            tied.append(i)
    return leads, tuple(tied)


def _cell_point(
    interior: OpenPolyhedron, leads: Sequence[Form], start: Point, referee: Referee
) -> Point | None:
    """A point inside where all leads are positive: the region's own if it will do, else the oracle's."""
    if all(referee.sign(form, start) > 0 for form in leads):
        return start
    for form in leads:
        interior = interior.with_form(form)
    return referee.interior(interior)


def _edges(cells: DecisionCells) -> Iterator[tuple[int, int, str]]:
    """(lower cell, higher cell, kind) of every pair of cells that share a facet, sorted."""
    cell_number = {
        (i, k): c for c, (i, k) in enumerate(zip(cells.region.tolist(), cells.label.tolist(), strict=True))
    }
    referee = Referee(cells.regions.problem.solid.bounds)
    frame = None
    for cell in range(len(cells)):
        i = int(cells.region[cell])
        if frame is None or frame.region != i:
            frame = _Frame.of(cells, i, referee)
        yield from sorted(_edges_of_cell(cells, cell, frame, cell_number, referee))


@dataclass(frozen=True, eq=False)
class _Frame:
    """What the cells of one region share.

    Attributes:
        region: the region.
        walls: its bounding rows.
        across: row -> the higher region on the other side, for the rows that lead to one.
        outputs: the outputs on it.
        classes: the classes that have a cell in it.
        has_ties: whether some class ties with another on it.
    """

    region: int
    walls: RegionRows
    across: dict[int, int]
    outputs: Outputs
    classes: list[int]
    has_ties: bool

    @classmethod
    def of(cls, cells: DecisionCells, i: int, referee: Referee) -> _Frame:
        """Gather them for region i."""
        walls = region_rows(cells.regions, i)
        across = {
            row: n.region for n in upper_neighbours(cells.regions, i, walls, referee) for row in n.group
        }
        here = np.flatnonzero(cells.region == i)
        has_ties = bool(set(here.tolist()) & {cell for cell, _ in cells.ties})
        return cls(
            i, walls, across, Outputs(cells.regions, i, cells.rule), cells.label[here].tolist(), has_ties
        )

    def cell(self, k: int) -> tuple[OpenPolyhedron, list[int]]:
        """The cell of class k, and the rival class of each of its rows (-1 for the region's)."""
        rivals = [m for m in self.classes if m != k]
        interior = _with_leads(self.walls.interior, self.outputs, k, rivals)
        return interior, [-1] * len(self.walls.interior.rows) + rivals


def _edges_of_cell(
    cells: DecisionCells, cell: int, frame: _Frame, cell_number: dict[tuple[int, int], int], referee: Referee
) -> Iterator[tuple[int, int, str]]:
    """The edges of one cell to cells of a higher number."""
    k = int(cells.label[cell])
    interior, rival_of = frame.cell(k)
    for group in coinciding_rows(interior):
        walls = [row for row in group if rival_of[row] < 0]
        rivals = [rival_of[row] for row in group if rival_of[row] >= 0]
        if walls and walls[0] not in frame.across or not walls and max(rivals) < k:
            continue
        for facet in facets(interior, cells.local_point(cell), referee, [group]):
            key: tuple[int, int] | None = None
            if not walls and len(rivals) == 1:
                key = (frame.region, rivals[0])
            elif not rivals and not frame.has_ties:
                key = (frame.across[walls[0]], k)
            other = cell_number.get(key) if key else None
            if other is None:
                other = _cell_beyond(cells, interior, facet, cell_number)
            if other is not None and other > cell:
                yield cell, other, "neuron" if walls else "decision"


def _cell_beyond(
    cells: DecisionCells, interior: OpenPolyhedron, facet: Facet, cell_number: dict[tuple[int, int], int]
) -> int | None:
    """The cell on the other side of a facet, exactly; None only if the set of regions is not complete."""
    regions = cells.regions
    germ = regions.problem.exact.germ(facet.point(interior), facet.direction())
    region = regions.find(germ.pattern)
    other = None if region is None else cell_number.get((region, winner(germ, cells.rule)))
    if other is None and regions.complete:
        pattern = as_text(np.array(germ.pattern))
        raise InternalError(f"no decision cell beyond a facet, in the region of pattern {pattern}")
    return other


def winner(germ: Germ, rule: str) -> int:
    """The class that wins just beside a point: the first with the largest (value, rate)."""
    sign = 1 if rule == "argmax" else -1
    scores = [(sign * value, sign * rate) for value, rate in zip(germ.value, germ.rate, strict=True)]
    return scores.index(max(scores))
