"""Deciding exactly what the kernels hand back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyregions.engine.kernels.codes import CLASSIFY, DEPTH, DOMAIN, MODE, OFF, ON, UNIT
from polyregions.engine.kernels.state import Net, Work
from polyregions.engine.tree import Cell
from polyregions.engine.walk.charts import INFINITY, DomainPiece, exact_point
from polyregions.exact.interior import proves_empty
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem
from polyregions.networks.pullback import PulledLayer
from polyregions.polyhedra.oracle.answer import Answer, Status
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.oracle.rational import RationalOracle
from polyregions.polyhedra.oracle.referee import Referee

RECENT = 8  # proofs kept for each side of each neuron


class Settler:
    """Rebuilds the current cell with exact rows, and decides by rational arithmetic.

    Layers pulled back for one question are kept for the next, as far as the bits before them agree.
    """

    def __init__(self, problem: Problem, net: Net, piece: DomainPiece, work: Work, referee: Referee) -> None:
        self._problem, self._net, self._piece, self._work = problem, net, piece, work
        self._referee = referee
        self._rational = RationalOracle()
        self._chain: list[tuple[bytes, PulledLayer]] = []
        self._recent: dict[tuple[int, int], list[tuple[int, ...]]] = {}

    def question(self) -> tuple[Form, Point | None, Point | None]:
        """The current neuron's form, and a point on its off and on side; None where a side is proved empty."""
        form, cell = self._form(), self.polyhedron()
        constant = self._referee.constant_sign(form)
        if constant is not None:
            inside = self._side(cell)
            return (form, None, inside) if constant > 0 else (form, inside, None)
        return form, self._known_side(cell, form.negated(), ON), self._known_side(cell, form, OFF)

    def _known_side(self, cell: OpenPolyhedron, form: Form, otherwise: int) -> Point | None:
        """A point on one side; None if it is empty, and then the rows that prove it are kept for the next cells."""
        answer = self._ask(cell.with_form(form))
        if answer.point is None:
            sources = [*range(-len(self._problem.solid.forms), 0), *self._cut_sources()]
            support = tuple(sources[i] for i in answer.support if i < len(sources))
            recent = self._recent.setdefault((self._bit(), otherwise), [])
            recent.insert(0, support)
            del recent[RECENT:]
        return answer.point

    def quick_answer(self) -> int | None:
        """ON or OFF if a few rows prove it exactly (the usual case), else None.

        Those at which the kernel's walk ended, or those that proved the same of another cell.
        """
        form = self._form()
        constant = self._referee.constant_sign(form)
        if constant is not None:
            return ON if constant > 0 else OFF
        walls = [self._exact_row(i) for i in self._work.walker.basis.tolist() if self._form_of(i) != INFINITY]
        row = form.exact()
        sides = {OFF: row, ON: [-entry for entry in row]}
        for answer, side in sides.items():
            if proves_empty([*walls, side], range(len(walls) + 1)) is not None:
                return answer
        return next((answer for answer, side in sides.items() if self._proved_before(answer, side)), None)

    def _proved_before(self, answer: int, side: Sequence[int]) -> bool:
        """Whether rows that proved a side of another cell empty do so here; integers decide."""
        present = set(self._cut_sources())
        for support in self._recent.get((self._bit(), answer), ()):
            if all(source < 0 or source in present for source in support):
                walls = [self._row_of(source) for source in support]
                if proves_empty([*walls, side], range(len(walls) + 1)) is not None:
                    return True
        return False

    def _row_of(self, source: int) -> Sequence[int]:
        """The exact row of a neuron on the path, or, counted from -1 downwards from the last, of the domain."""
        return (self._problem.solid.forms[source] if source < 0 else self._path_form(source)).exact()

    def _bit(self) -> int:
        _, layer, unit = self.place()
        return int(self._net.bit[layer, unit])

    def _cut_sources(self) -> list[int]:
        return [source for source in self._path_sources() if source != DOMAIN]

    def leaf(self) -> Point | None:
        """A point strictly inside the current leaf, None if it is proved empty."""
        return self._side(self.polyhedron())

    def cell(self, form: Form, bit: bool, point: Point) -> Cell:
        """One side of the current cell as a cell of the readable engine."""
        slot, layer, unit = self.place()
        bits = tuple(bool(b) for b in self._work.forms.bits[: self._net.bit[layer, unit]])
        kinked = self._pulled(layer).kinked.tolist()
        cuts = tuple(sorted(self._cut_sources()))
        share = float(self._work.stack.share[slot]) / 2
        whole = Cell(bits, self._pulled(layer), kinked.index(unit), cuts, self.polyhedron(), point, share)
        return whole.child(bit, form, point)

    def polyhedron(self) -> OpenPolyhedron:
        """The current cell as an open polyhedron over the hull's coordinates: domain rows, then the path's."""
        forms = [self._path_form(source) for source in self._cut_sources()]
        return OpenPolyhedron.of([*self._problem.solid.forms, *forms], self._problem.solid.hull.dim)

    def _side(self, polyhedron: OpenPolyhedron) -> Point | None:
        return self._ask(polyhedron).point

    def _ask(self, polyhedron: OpenPolyhedron) -> Answer:
        return self._rational.interior(polyhedron, self._referee.bounds, hint=self._hint())

    def _hint(self) -> Answer:
        chart, u = self._piece.chart, self._work.stack.point[int(self._work.registers[DEPTH])]
        if chart.plain:
            return Answer(Status.UNDECIDED, guess=chart.shift + chart.scale * u)
        try:
            guess = exact_point(self._piece, u, self._problem.solid.hull.dim).approx
        except ZeroDivisionError:  # the float point lies at infinity
            return Answer(Status.UNDECIDED)
        return Answer(Status.UNDECIDED, guess=guess)

    def place(self) -> tuple[int, int, int]:
        """Slot, layer and unit of the current question."""
        work = self._work
        slot = int(work.registers[DEPTH])
        layer, position = int(work.stack.layer[slot]), int(work.stack.position[slot])
        if work.registers[MODE] == CLASSIFY:
            return slot, layer, int(work.registers[UNIT])
        return slot, layer, int(work.forms.todo[layer, position])

    def _form(self) -> Form:
        _, layer, unit = self.place()
        return self._pulled(layer).form(unit)

    def _path_sources(self) -> list[int]:
        n_rows = int(self._work.stack.n_rows[self._work.registers[DEPTH]])
        sources: list[int] = self._work.path.source[:n_rows].tolist()
        return sources

    def _form_of(self, row: int) -> int:
        return self._piece.forms[row] if row < len(self._piece.forms) else DOMAIN

    def _exact_row(self, row: int) -> Sequence[int]:
        source = int(self._work.path.source[row])
        if source == DOMAIN:
            return self._problem.solid.forms[self._form_of(row)].exact()
        return self._path_form(source).exact()

    def _path_form(self, bit: int) -> Form:
        layer = int(np.searchsorted(self._net.ends, bit, side="right"))
        unit = int(np.flatnonzero(self._net.bit[layer] == bit)[0])
        form = self._pulled(layer).form(unit)
        return form if self._work.forms.bits[bit] else form.negated()

    def _pulled(self, layer: int) -> PulledLayer:
        """A layer pulled back along the current bits."""
        ends = [0, *self._net.ends.tolist()]
        for i in range(layer + 1):
            key = self._work.forms.bits[: ends[i]].tobytes()
            if i < len(self._chain) and self._chain[i][0] == key:
                continue
            bits = self._work.forms.bits[ends[i - 1] : ends[i]] if i else None
            pulled = self._problem.layers.first() if bits is None else self._chain[i - 1][1].next(bits != 0)
            self._chain[i:] = [(key, pulled)]
        return self._chain[layer][1]
