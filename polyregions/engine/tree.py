"""The split tree: depth first, neuron by neuron, layer by layer. The readable reference.

A node is a cell, the part of the domain where the first few neurons have known bits. The next neuron's
hyperplane either misses the cell, and its bit is known, or cuts it into two children. Leaves are the
regions; together with the sides proved empty they cover the domain, so nothing can be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem
from polyregions.networks.pullback import PulledLayer
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.oracle.referee import Referee


@dataclass(frozen=True, eq=False)
class Cell:
    """A node of the tree.

    Attributes:
        bits: the known bits of the pattern.
        layer: the layer of the next neuron, pulled back to this cell.
        unit: how many kinked units of that layer are known already.
        cuts: the neurons that split the ancestors.
        interior: the cell as an open polyhedron, one row for each row of the domain and each cut.
        point: a point strictly inside.
        share: the part of the tree below this cell if every split halved it; shares of leaves sum to 1.
    """

    bits: tuple[bool, ...]
    layer: PulledLayer
    unit: int
    cuts: tuple[int, ...]
    interior: OpenPolyhedron
    point: Point
    share: float

    def with_bit(self, bit: bool) -> Cell:
        """The same cell once the next neuron is known not to cut it."""
        return replace(self, bits=(*self.bits, bit), unit=self.unit + 1)

    def child(self, bit: bool, form: Form, point: Point) -> Cell:
        """The side of the next neuron's hyperplane on which it has the given bit."""
        side = self.interior.with_form(form if bit else form.negated())
        cuts = (*self.cuts, len(self.bits))
        return replace(self.with_bit(bit), cuts=cuts, interior=side, point=point, share=self.share / 2)

    def at_next_neuron(self) -> Cell:
        """The same cell with `layer` and `unit` at the next neuron, past the end of finished layers."""
        cell = self
        while cell.unit == len(cell.layer.kinked):
            cell = replace(cell, layer=cell.layer.next(cell.bits[len(cell.bits) - cell.unit :]), unit=0)
        return cell


def leaves(problem: Problem, referee: Referee) -> Iterator[Cell]:
    """Every region of the problem, in lexicographic order of the patterns (off before on).

    Complexity: one oracle question for each node and neuron that bounds and interior points leave open.
    """
    return leaves_below(root(problem), problem.network.n_neurons, referee)


def leaves_below(start: Cell, n_neurons: int, referee: Referee) -> Iterator[Cell]:
    """Every region inside a cell."""
    return leaves_of([start], n_neurons, referee)


def leaves_of(stack: list[Cell], n_neurons: int, referee: Referee) -> Iterator[Cell]:
    """Every region inside the cells of a stack, the last cell first; between two regions it holds what is left."""
    while stack:
        cell = stack.pop()
        while len(cell.bits) < n_neurons:
            cell = cell.at_next_neuron()
            unit = int(cell.layer.kinked[cell.unit])
            form = cell.layer.form(unit)
            off, on = sides(cell, unit, form, referee)
            if off is not None and on is not None:
                stack.append(cell.child(True, form, on))
                cell = cell.child(False, form, off)
            else:
                cell = cell.with_bit(on is not None)
        yield cell


def root(problem: Problem, interior: OpenPolyhedron | None = None) -> Cell:
    """The whole domain, with `interior` for its rows if an oracle wants other ones."""
    interior = problem.root if interior is None else interior
    return Cell((), problem.layers.first(), 0, (), interior, problem.solid.interior, 1.0)


def sides(cell: Cell, unit: int, form: Form, referee: Referee) -> tuple[Point | None, Point | None]:
    """A point strictly inside the cell's off side and one inside its on side; None where a side is proved empty."""
    bounded = cell.layer.signs_within(referee.bounds)[unit]
    if bounded:
        referee.score.by_bounds += 1
        return (None, cell.point) if bounded > 0 else (cell.point, None)
    constant = referee.constant_sign(form)
    if constant is not None:
        return (None, cell.point) if constant > 0 else (cell.point, None)
    sign = referee.sign(form, cell.point)
    off = cell.point if sign < 0 else referee.interior(cell.interior.with_form(form.negated()))
    on = cell.point if sign > 0 else referee.interior(cell.interior.with_form(form))
    return off, on
