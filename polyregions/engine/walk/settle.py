"""Deciding exactly what the kernels hand back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyregions.engine.tree import Cell
from polyregions.engine.walk.pieces import INFINITY, Piece
from polyregions.engine.walk.state import CLASSIFY, DEPTH, DOMAIN, MODE, OFF, ON, UNIT, Net, Work
from polyregions.exact.interior import proves_empty
from polyregions.exact.numbers import Point
from polyregions.oracle.answer import Answer, Status
from polyregions.oracle.polyhedron import Form, OpenPolyhedron
from polyregions.oracle.rational import RationalOracle
from polyregions.oracle.referee import Referee
from polyregions.problem import Problem
from polyregions.pullback import PulledLayer


class Settler:
    """Rebuilds the current cell with exact rows, and decides by rational arithmetic.

    Layers pulled back for one question are kept for the next, as far as the bits before them agree.
    """

    def __init__(self, problem: Problem, net: Net, piece: Piece, work: Work, referee: Referee) -> None:
        self._problem, self._net, self._piece, self._work = problem, net, piece, work
        self._referee = referee
        self._rational = RationalOracle()
        self._chain: list[tuple[bytes, PulledLayer]] = []

    def question(self) -> tuple[Form, Point | None, Point | None]:
        """The current neuron's form, and a point on its off and on side; None where a side is proved empty."""
        form, cell = self._form(), self.polyhedron()
        constant = self._referee.constant_sign(form)
        if constant is not None:
            inside = self._side(cell)
            return (form, None, inside) if constant > 0 else (form, inside, None)
        return form, self._side(cell.with_form(form.negated())), self._side(cell.with_form(form))

    def quick_answer(self) -> int | None:
        """ON or OFF if the rows at which the kernel's walk ended prove it exactly (the usual case), else None."""
        form = self._form()
        constant = self._referee.constant_sign(form)
        if constant is not None:
            return ON if constant > 0 else OFF
        walls = [self._exact_row(i) for i in self._work.walker.basis.tolist() if self._form_of(i) != INFINITY]
        row = form.exact()
        for sign, answer in ((1, OFF), (-1, ON)):
            if proves_empty([*walls, [sign * entry for entry in row]], range(len(walls) + 1)) is not None:
                return answer
        return None

    def leaf(self) -> Point | None:
        """A point strictly inside the current leaf, None if it is proved empty."""
        return self._side(self.polyhedron())

    def cell(self, form: Form, bit: bool, point: Point) -> Cell:
        """One side of the current cell as a cell of the readable engine."""
        slot, layer, unit = self.place()
        bits = tuple(bool(b) for b in self._work.forms.bits[: self._net.bit[layer, unit]])
        kinked = self._pulled(layer).kinked.tolist()
        cuts = tuple(sorted(b for b in self._path_sources() if b != DOMAIN))
        share = float(self._work.stack.share[slot]) / 2
        whole = Cell(bits, self._pulled(layer), kinked.index(unit), cuts, self.polyhedron(), point, share)
        return whole.child(bit, form, point)

    def polyhedron(self) -> OpenPolyhedron:
        """The current cell as an open polyhedron over the hull's coordinates: domain rows, then the path's."""
        forms = [self._path_form(b) for b in self._path_sources() if b != DOMAIN]
        return OpenPolyhedron.of([*self._problem.solid.forms, *forms], self._problem.solid.hull.dim)

    def _side(self, polyhedron: OpenPolyhedron) -> Point | None:
        answer = self._rational.interior(polyhedron, self._referee.bounds, hint=self._hint())
        assert answer.status is not Status.UNDECIDED
        return answer.point

    def _hint(self) -> Answer:
        chart, slot = self._piece.chart, int(self._work.registers[DEPTH])
        if not chart.plain:
            return Answer(Status.UNDECIDED)
        return Answer(Status.UNDECIDED, guess=chart.shift + chart.scale * self._work.stack.point[slot])

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
