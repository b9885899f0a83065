"""Which decision cells share a facet.

Inside a region the cells of two classes meet on the hyperplane where both score the same. Across a facet of regions
a cell continues as the cell of the same class if the region beyond has one (else the two would tie on the facet, and
the forms, which meet there, would leave one of them no cell); only ties make another class win there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.decisions.cells import DecisionCells, with_leads
from polyregions.analysis.decisions.outputs import Outputs, competing, winner
from polyregions.engine.kernels.codes import ELSEWHERE, NOTHING, OPEN
from polyregions.errors import InternalError
from polyregions.exact.numbers import Point
from polyregions.polyhedra.facets import Facet, coinciding_rows, facets
from polyregions.polyhedra.oracle.forms import OpenPolyhedron
from polyregions.polyhedra.oracle.proof import SAFE, UNIT
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.adjacency import Adjacency, adjacency_arrays
from polyregions.regions.chunks import Chunk, chunks
from polyregions.regions.prefixes import RegionForms

MOST_QUESTIONS = 4096  # a call of the kernel


@dataclass(frozen=True, eq=False)
class Meeting:
    """Two cells of one region that share a facet, and a point beyond it that is inside all other rows of the source."""

    source: int
    target: int
    beyond: Point


@dataclass(frozen=True, eq=False)
class Crossings:
    """Pairs of cells in neighbouring regions that share a facet, sorted.

    Attributes:
        source: (E,) the cell in the lower region.
        target: (E,) the cell in the higher region.
        edge: (E,) which edge of the regions' adjacency they lie across.
        adjacency: the adjacency of the regions.
    """

    source: Ints
    target: Ints
    edge: Ints
    adjacency: Adjacency


class ExactFacets:
    """Decides exactly what floats leave open about the facets of cells.

    Args:
        cells: the decision cells.
    """

    def __init__(self, cells: DecisionCells) -> None:
        self.cells = cells
        self._referee = Referee(cells.regions.problem.solid.bounds)
        self.forms = RegionForms(cells.regions)

    def outputs(self, i: int) -> Outputs:
        """What the classes score on region i."""
        return Outputs(self.cells.regions, i, self.cells.rule, self.forms)

    def facet_across(self, cell: int, flips: Sequence[int]) -> tuple[OpenPolyhedron, Facet] | None:
        """The facet of a cell on the hyperplane of the neurons that flip there, None if it has none; with its rows."""
        i, k = int(self.cells.region[cell]), int(self.cells.label[cell])
        walls = self.forms.rows(i)
        rivals = [m for m in self.cells.classes(i) if m != k]
        interior = with_leads(walls.interior, self.outputs(i), k, rivals)
        group = tuple(row for row, neuron in enumerate(walls.neurons) if neuron in set(flips))
        found = list(facets(interior, self.cells.local_point(cell), self._referee, [group]))
        return (interior, found[0]) if found else None

    def cell_across(self, cell: int, flips: Sequence[int], beyond: int) -> int | None:
        """The cell of region `beyond` that shares a cell's facet on flipping neurons; None if there is no facet.

        Raises:
            InternalError: region `beyond` has no cell on the other side of the facet (a bug).
        """
        across = self.facet_across(cell, flips)
        if across is None:
            return None
        interior, facet = across
        germ = self.cells.regions.problem.exact.germ(facet.point(interior), facet.direction())
        other = self.cells.find(beyond, winner(germ, self.cells.rule))
        if other is None:
            raise InternalError(f"region {beyond} has no decision cell beyond a facet of cell {cell}")
        return other

    def meetings(self, i: int) -> Iterator[Meeting]:
        """The meetings inside region i."""
        start, labels = int(self.cells.offsets[i]), self.cells.classes(i)
        walls = self.forms.interior(i)
        for place, k in enumerate(labels):
            rivals = [m for m in labels if m != k]
            interior = with_leads(walls, self.outputs(i), k, rivals)
            n = len(walls.rows)
            groups = [g for g in coinciding_rows(interior) if g[0] >= n and rivals[g[-1] - n] > k]
            inside = self.cells.local_point(start + place)
            for facet in facets(interior, inside, self._referee, groups):
                met = [rivals[row - n] for row in facet.rows]
                m = met[0] if len(met) == 1 else self._winner_beyond(interior, facet)
                if m > k:
                    yield Meeting(start + place, start + labels.index(m), facet.beyond)

    def _winner_beyond(self, interior: OpenPolyhedron, facet: Facet) -> int:
        germ = self.cells.regions.problem.exact.germ(facet.point(interior), facet.direction())
        return winner(germ, self.cells.rule)


def meetings(cells: DecisionCells) -> list[Meeting]:
    """The pairs of cells that share a facet inside a region, sorted."""
    counts = np.diff(cells.offsets)
    starts = cells.offsets[:-1]
    found = [
        Meeting(a, a + 1, cells.local_point(a + 1)) for a in starts[counts == 2].tolist()
    ]  # two cells that fill a region meet, and the other one's point is beyond
    exact = ExactFacets(cells)
    for i, proved in _scanned_meetings(cells, np.flatnonzero(counts > 2)):
        found += exact.meetings(i) if proved is None else proved
    return sorted(found, key=lambda m: (m.source, m.target))


def crossings(cells: DecisionCells) -> Crossings:
    """The pairs of cells that share a facet across neurons, sorted.

    Complexity: that of `adjacency_arrays`, and one small linear program for each cell on either side of a facet
    between two regions that both have several cells.
    """
    adjacency = adjacency_arrays(cells.regions)
    counts = np.diff(cells.offsets)
    alone = np.minimum(counts[adjacency.source], counts[adjacency.target]) == 1
    exact = ExactFacets(cells)
    found = [
        _crossing_of_one(cells, adjacency, edge, exact) for edge in np.flatnonzero(alone).tolist()
    ] + _crossings_of_several(cells, adjacency, np.flatnonzero(~alone), exact)
    table = np.array(sorted(found), dtype=np.int64).reshape(-1, 3)
    return Crossings(table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy(), adjacency)


def _crossing_of_one(
    cells: DecisionCells, adjacency: Adjacency, edge: int, exact: ExactFacets
) -> tuple[int, int, int]:
    """The one crossing of a facet that is all one cell's on one side or both."""
    a, b = int(adjacency.source[edge]), int(adjacency.target[edge])
    start_a, start_b = int(cells.offsets[a]), int(cells.offsets[b])
    if cells.offsets[a + 1] == start_a + 1:
        only_b = start_b if cells.offsets[b + 1] == start_b + 1 else None
        return start_a, _beyond(cells, adjacency, edge, start_a, b, only_b, exact), edge
    return _beyond(cells, adjacency, edge, start_b, a, None, exact), start_b, edge


def _beyond(
    cells: DecisionCells,
    adjacency: Adjacency,
    edge: int,
    cell: int,
    other: int,
    only: int | None,
    exact: ExactFacets,
) -> int:
    """The cell of region `other` across a facet that a cell has."""
    same = only if only is not None else cells.find(other, int(cells.label[cell]))
    if same is not None:
        return same
    found = exact.cell_across(cell, adjacency.flipped(edge).tolist(), other)
    if found is None:
        raise InternalError(f"cell {cell} has no facet towards region {other}")
    return found


def _crossings_of_several(
    cells: DecisionCells, adjacency: Adjacency, edges: Ints, exact: ExactFacets
) -> list[tuple[int, int, int]]:
    """The crossings of facets between regions that both have several cells."""
    found = []
    for edge, cell, status in _scanned_walls(cells, adjacency, edges):
        if status == NOTHING:
            continue
        b = int(adjacency.target[edge])
        other = cells.find(b, int(cells.label[cell])) if status == ELSEWHERE else None
        if other is None:
            other = exact.cell_across(cell, adjacency.flipped(edge).tolist(), b)
        if other is not None:
            found.append((cell, other, edge))
    return found


@dataclass(frozen=True, eq=False)
class _Question:
    """Does a cell reach beyond one of its walls? Its region's place in a chunk, and what the wall is.

    Attributes:
        place: of the region in the chunk.
        cell: the cell.
        rival: the class beyond, -1 for a wall of neurons.
        flips: the neurons of the wall.
    """

    place: int
    cell: int
    rival: int
    flips: tuple[int, ...]


def _scanned_meetings(cells: DecisionCells, numbers: Ints) -> Iterator[tuple[int, list[Meeting] | None]]:
    """The meetings in each of some regions as far as floats prove them all, else None."""
    if not cells.regions.problem.is_tame or not len(numbers):
        yield from ((i, None) for i in numbers.tolist())
        return
    for chunk in chunks(cells.regions, numbers):
        questions = [
            _Question(place, a, int(cells.label[b]), ())
            for place, i in enumerate(chunk.numbers.tolist())
            for a in range(*cells.offsets[i : i + 2].tolist())
            for b in range(a + 1, int(cells.offsets[i + 1]))
        ]
        status, points = _answers(cells, chunk, questions)
        found: list[list[Meeting]] = [[] for _ in range(len(chunk))]
        for question, point, is_met in zip(questions, points, status == ELSEWHERE, strict=True):
            if is_met:
                b = cells.find(int(chunk.numbers[question.place]), question.rival)
                assert b is not None
                found[question.place].append(Meeting(question.cell, b, Point(point)))
        unclear = {q.place for q, s in zip(questions, status.tolist(), strict=True) if s == OPEN}
        yield from (
            (i, None if place in unclear else found[place]) for place, i in enumerate(chunk.numbers.tolist())
        )


def _scanned_walls(cells: DecisionCells, adjacency: Adjacency, edges: Ints) -> Iterator[tuple[int, int, int]]:
    """(edge, cell, status) of every cell in the lower region of each edge: does it reach beyond the edge's facet?"""
    sources = adjacency.source[edges]
    if not cells.regions.problem.is_tame or not len(edges):
        for edge, i in zip(edges.tolist(), sources.tolist(), strict=True):
            yield from ((edge, cell, OPEN) for cell in range(*cells.offsets[i : i + 2].tolist()))
        return
    for chunk in chunks(cells.regions, np.unique(sources)):
        first, end = np.searchsorted(sources, [chunk.numbers[0], chunk.numbers[-1] + 1]).tolist()
        places = np.searchsorted(chunk.numbers, sources[first:end]).tolist()
        asked = [
            (edge, _Question(place, cell, -1, tuple(adjacency.flipped(edge).tolist())))
            for edge, place in zip(edges[first:end].tolist(), places, strict=True)
            for cell in range(*cells.offsets[chunk.numbers[place] : chunk.numbers[place] + 2].tolist())
        ]
        status, _ = _answers(cells, chunk, [question for _, question in asked])
        yield from ((edge, q.cell, s) for (edge, q), s in zip(asked, status.tolist(), strict=True))


def _answers(cells: DecisionCells, chunk: Chunk, questions: list[_Question]) -> tuple[Ints, Floats]:
    """Status (q,) and points (q, k) of some questions; OPEN where a cell has no float64 point to start from."""
    from polyregions.analysis.decisions.kernels import CellKernels  # numba takes half a second to import

    forms, doubt = competing(chunk, cells.rule)
    kernels = CellKernels(cells.regions, forms.shape[1] + 1)
    ends, neurons, rows, error = chunk.bounding_rows(np.arange(len(chunk)))
    starts = np.concatenate([[0], ends])
    status, points = [np.zeros(0, dtype=np.int64)], [np.zeros((0, cells.regions.dim))]
    for at in range(0, len(questions), MOST_QUESTIONS):
        part = questions[at : at + MOST_QUESTIONS]
        listed = []
        for q in part:
            here = slice(starts[q.place], starts[q.place + 1])
            listed.append(
                _rows_of_question(
                    cells, q, neurons[here], rows[here], error[here], forms[q.place], doubt[q.place]
                )
            )
        sizes = np.cumsum([len(r) for r, _ in listed]).astype(np.int64)
        answered, found = kernels.answer(
            sizes,
            np.concatenate([r for r, _ in listed]),
            np.concatenate([e for _, e in listed]),
            cells.local_points[[q.cell for q in part]],
        )
        status.append(answered.astype(np.int64))
        points.append(found)
    answers = np.concatenate(status)
    answers[[j for j, q in enumerate(questions) if q.cell in cells.rational_points]] = OPEN
    return answers, np.concatenate(points)


def _rows_of_question(
    cells: DecisionCells,
    question: _Question,
    neurons: Ints,
    rows: Floats,
    error: Floats,
    forms: Floats,
    doubt: Floats,
) -> tuple[Floats, Floats]:
    """The rows that hold inside the cell, those of the wall left out, and last the wall turned around."""
    k = int(cells.label[question.cell])
    rivals = [m for m in cells.classes(int(cells.region[question.cell])) if m not in (k, question.rival)]
    leads, lead_error = _leads(forms, doubt, k, rivals)
    if question.rival >= 0:
        wall, wall_error = _leads(forms, doubt, k, [question.rival])
    else:
        carries = np.any(neurons[:, None] == np.array(question.flips), axis=1)
        wall, wall_error = rows[carries][:1], error[carries][:1]
        rows, error = rows[~carries], error[~carries]
    return np.concatenate([rows, leads, -wall]), np.concatenate([error, lead_error, wall_error])


def _leads(forms: Floats, doubt: Floats, k: int, rivals: list[int]) -> tuple[Floats, Floats]:
    """The forms that are positive where class k beats the rivals, and their errors."""
    rows = forms[k] - forms[rivals]
    return rows, (doubt[k] + doubt[rivals] + UNIT * np.abs(rows)) * SAFE


def crossing_point(row: Sequence[int], inside: Point, beyond: Point) -> list[Fraction]:
    """Where the segment between two points crosses the hyperplane of an integer row, exactly."""
    here, there = _value(row, inside), _value(row, beyond)
    t = here / (here - there)
    return [a + t * (b - a) for a, b in zip(inside.coordinates, beyond.coordinates, strict=True)]


def _value(row: Sequence[int], point: Point) -> Fraction:
    *homogeneous, denominator = point.integers
    total = sum(r * p for r, p in zip(row, homogeneous, strict=False)) + row[-1] * denominator
    return Fraction(total, denominator)
