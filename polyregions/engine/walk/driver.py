"""Running the kernels over all pieces of a problem, and settling what they hand back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.batches import Batch, LayerCount, batch_of_cells
from polyregions.engine.kernels import machine
from polyregions.engine.kernels.codes import (
    ANSWER,
    CUT,
    DEPTH,
    DONE,
    KEEP_OFF,
    KEEP_ON,
    LEAF,
    MODE,
    N_FOUND,
    N_LEAVES,
    OFF,
    ON,
    POP,
    QUESTION,
    SPLIT,
)
from polyregions.engine.kernels.compiled import announced
from polyregions.engine.kernels.does_it_cut import goal_of
from polyregions.engine.kernels.state import allocate_leaves, allocate_work
from polyregions.engine.tree import Cell, leaves_below
from polyregions.engine.walk.charts import DomainPiece, DomainPieces, exact_point, network_arrays, unchart
from polyregions.engine.walk.settle import Settler
from polyregions.engine.walk.subtree import Subtree, checked_subtree, load, subtrees
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.forms import Form
from polyregions.polyhedra.oracle.referee import Referee

BATCH = 4096
NO_BUDGET = 2**62


class WalkRun:
    """The compiled engine, prepared for a problem; threads may share it.

    Args:
        problem: what to enumerate; it must have at least one neuron and one dimension.
        keep: whether patterns are wanted, or only counts.
    """

    def __init__(self, problem: Problem, keep: bool = True) -> None:
        self.problem, self.keep = problem, keep
        self.net = network_arrays(problem)
        self.ends = self.net.ends
        self.pieces = DomainPieces(problem)

    def starts(self) -> list[int]:
        """Where to start: the pieces of the domain."""
        return list(range(len(self.pieces)))

    def part(
        self, start: int | Subtree, referee: Referee, budget: int = NO_BUDGET, most_apart: int = 0
    ) -> WalkPart | NoPart:
        """A whole piece, or what a part before left of it; after about `budget` regions the rest is left again.

        What a part finds depends on nothing but its start and budget.
        """
        piece = self.pieces.piece(start if isinstance(start, int) else start.piece)
        return (
            NoPart(self.net.ends)
            if piece is None
            else WalkPart(self, piece, start, referee, budget, most_apart)
        )

    def share(self, start: int | Subtree) -> float:
        """The part of the tree that is below a start."""
        inside = 1.0 if isinstance(start, int) else float(start.share.sum())
        return inside / len(self.pieces)

    def place(self, start: int | Subtree) -> tuple[int, int]:
        """The layer that the last cell of a start is in, and how many neurons of it may still cut that cell."""
        if isinstance(start, int):
            return 0, int(self.net.ends[0])
        layer = int(start.layer[-1])
        return layer, int(start.n_todo[layer - start.first_layer] - start.position[-1])

    def checked_start(self, arrays: Mapping[str, Any]) -> int | Subtree:
        """A start from elsewhere, within bounds.

        Raises:
            ValueError, KeyError, TypeError: something else than a start of this run.
        """
        number = int(arrays["piece"])
        if not 0 <= number < len(self.pieces):
            raise ValueError(f"piece {number} of {len(self.pieces)}")
        if len(arrays) == 1:
            return number
        piece = self.pieces.piece(number)
        if piece is None or np.shape(arrays["lower"])[1:] != piece.chart.lower.shape:
            raise ValueError(f"piece {number} is another one")
        return checked_subtree(arrays, self.net, len(piece.rows), _most_vertices(piece))

    def batches(self, referee: Referee) -> Iterator[Batch]:
        """All regions, one piece after the other."""
        for start in self.starts():
            yield from self.part(start, referee).batches()


class WalkPart:
    """The kernels at work on a part of one piece, and all that they need from Python.

    Attributes:
        rest: after the last batch, what is left to do, in the order of the tree.
        in_order: whether the regions so far came in lexicographic order.
    """

    def __init__(
        self,
        run: WalkRun,
        piece: DomainPiece,
        start: int | Subtree,
        referee: Referee,
        budget: int,
        most_apart: int,
    ) -> None:
        self._run, self._start, self._referee, self._budget = run, start, referee, budget
        self._piece, self._most_apart = piece, most_apart
        k = len(piece.chart.lower)
        self._work = allocate_work(run.net, k, len(piece.rows), _most_vertices(piece))
        self._leaves = allocate_leaves(run.net, k, min(BATCH, budget), run.keep)
        self._settler = Settler(run.problem, run.net, piece, self._work, referee)
        self._exact: dict[int, Point] = {}
        self._delegated: list[Cell] = []
        self._n_delegated = 0
        self.rest: list[Subtree] = []
        self.in_order = len(run.pieces) == 1

    @property
    def counts(self) -> LayerCount:
        """How many cells of each layer there are so far."""
        leaves = self._leaves
        return LayerCount(leaves.first, leaves.last, leaves.after, self._run.net.ends)

    def _load(self) -> None:
        """Put the piece's rows and first vertices into the work arrays."""
        work, piece = self._work, self._piece
        m = len(piece.rows)
        path, known, stack = work.path, work.known, work.stack
        path.rows[:m], path.error[:m], path.source[:m] = piece.rows, piece.row_error, piece.source
        stack.n_rows[0], stack.share[0] = m, 1.0
        for v, basis in enumerate(piece.bases):
            known.inverse[0, v] = np.linalg.inv(piece.rows[basis, :-1])
            known.vertex[0, v] = -known.inverse[0, v] @ piece.rows[basis, -1]
            known.basis[0, v] = basis
        known.number[0] = len(piece.bases)
        stack.point[0] = known.vertex[0, : len(piece.bases)].mean(axis=0)
        for b in [b for b in piece.source if b >= 0]:
            unit = np.flatnonzero(self._run.net.bit[0] == b)[0]
            work.forms.bits[b] = piece.chart.fixed[unit]

    def _begin(self) -> None:
        if isinstance(self._start, int):
            self._load()
            machine.begin(self._run.net, self._piece.chart, self._work)
        else:
            load(self._work, self._start)

    def batches(self, room: Callable[[], int] = lambda: BATCH) -> Iterator[Batch]:
        """Run to the end or until the budget is used up, a batch of at most `room()` at a time."""
        net, chart, work, leaves = self._run.net, self._piece.chart, self._work, self._leaves
        go_on = machine.list_leaves if leaves.keep else machine.count_cells
        with announced("the walk engine" if leaves.keep else "the walk engine, counting"):
            self._begin()
            status = go_on(
                net, chart, work, leaves, 0
            )  # stops at the first leaf: compiles, or loads the cache
        while True:
            if status == QUESTION:
                self._settle_question()
            elif status == LEAF:
                self._settle_leaf()
            else:
                yield self._flush()
                if status == DONE:
                    return
                if self._left() <= 0:
                    self.rest = subtrees(work, self._piece_number(), self._most_apart)
                    return
            if self._delegated:
                yield self._flush()
                yield self._delegate()
            most = min(room() - int(work.registers[N_LEAVES]), self._left())
            status = go_on(net, chart, work, leaves, most)

    def _left(self) -> int:
        """What is left of the budget."""
        return self._budget - int(self._work.registers[N_FOUND]) - self._n_delegated

    def _piece_number(self) -> int:
        return self._start if isinstance(self._start, int) else self._start.piece

    def _settle_question(self) -> None:
        registers = self._work.registers
        self._referee.score.by_rationals += 1
        quick = self._settler.quick_answer()
        if quick is not None:
            registers[ANSWER] = quick
            return
        if (
            registers[MODE] != SPLIT
        ):  # it only puts the neuron among those asked about below, which loses nothing
            registers[ANSWER] = CUT
            return
        form, off, on = self._settler.question()
        if off is None or on is None:
            registers[ANSWER] = ON if off is None else OFF
        else:
            self._split_exactly(form, off, on)

    def _split_exactly(self, form: Form, off: Point, on: Point) -> None:
        """A cut too thin for the kernels: they go on with the side they know vertices of, the rest is delegated."""
        work, settler = self._work, self._settler
        slot, layer, unit = settler.place()
        row = work.forms.maps[layer, unit]
        vertices = work.known.vertex[slot, : work.known.number[slot]]
        z = vertices @ row[:-1] + row[-1]
        goal = goal_of(work.forms.error[layer, unit], work.forms.size[layer, unit])
        keep = ON if np.any(z > 2 * goal) else OFF if np.any(z < -2 * goal) else None
        for bit, point in ((False, off), (True, on)):
            if keep is None or bit != (keep == ON):
                self._delegated.append(settler.cell(form, bit, point))
        if keep is None:
            work.registers[MODE] = POP
        else:
            work.registers[ANSWER] = KEEP_ON if keep == ON else KEEP_OFF

    def _settle_leaf(self) -> None:
        """A leaf without a float proof: keep it with an exact point, or drop it as empty."""
        work, leaves = self._work, self._leaves
        self._referee.score.by_rationals += 1
        point = self._settler.leaf()
        if point is not None:
            at = int(work.registers[N_LEAVES])
            place = at if leaves.keep else 0
            machine.keep_leaf(self._run.net, work, leaves, place)
            self._exact[at] = point
        else:
            leaves.done[0] += work.stack.share[work.registers[DEPTH]]
            work.registers[MODE] = POP

    def _flush(self) -> Batch:
        """Hand over what the buffer holds."""
        n = int(self._work.registers[N_LEAVES])
        self._work.registers[N_LEAVES] = 0
        kept = n if self._leaves.keep else 0
        bits, cuts = self._leaves.bits[:kept].copy(), self._leaves.cuts[:kept].copy()
        points, exact = self._points(bits, cuts, self._leaves.points[:kept])
        self._exact = {}
        return Batch(bits, cuts, points, exact, n, self._new_share())

    def _new_share(self) -> float:
        """The part of the tree done since the last time."""
        done = float(self._leaves.done[0])
        self._leaves.done[0] = 0.0
        return done / len(self._run.pieces)

    def _settle_point(self, bits: Bytes, cuts: Bytes, rounded: Floats, u: Floats) -> Point:
        """The rounded point if it is strictly inside its region by exact arithmetic, else the exact one."""
        problem, candidate = self._run.problem, Point(rounded)
        forms = problem.bounding_forms(bits != 0, cuts != 0)
        if all(self._referee.sign(form, candidate) > 0 for form in forms):
            return candidate
        return exact_point(self._piece, u, problem.solid.hull.dim)

    def _points(self, bits: Bytes, cuts: Bytes, u: Floats) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
        """Interior points over the hull's coordinates, and the rational ones among them."""
        exact: dict[int, tuple[Fraction, ...]] = {}
        if self._piece.chart.plain:
            points = u.copy()
        else:
            points, doubtful = unchart(self._run.problem, self._piece, bits, u)
            for i in doubtful:
                if i not in self._exact:
                    self._exact[i] = self._settle_point(bits[i], cuts[i], points[i], u[i])
        for i, point in self._exact.items():
            if i < len(points):
                points[i] = point.approx
                if point.rational is not None:
                    exact[i] = point.rational
        return points, exact

    def _delegate(self) -> Batch:
        """Let the readable engine enumerate the cells that the kernels left out."""
        self.in_order = False
        n, cells = len(self._work.forms.bits), self._delegated
        self._delegated = []
        found = [leaf for cell in cells for leaf in leaves_below(cell, n, self._referee)]
        for leaf in found:
            self.counts.add(np.array(leaf.bits, dtype=np.uint8))
        self._n_delegated += len(found)
        batch = batch_of_cells(found, n, self._run.problem.solid.hull.dim)
        return replace(batch, share=batch.share / len(self._run.pieces))


class NoPart:
    """A piece without interior."""

    def __init__(self, ends: Ints) -> None:
        self.rest: list[Subtree] = []
        self.in_order = True
        self.counts = LayerCount.none(ends)

    def batches(self, room: Callable[[], int] = lambda: BATCH) -> Iterator[Batch]:
        """Nothing."""
        return iter(())

    def faces(self) -> Iterator[Any]:
        """Nothing."""
        return iter(())

    def vertices(self) -> Iterator[Any]:
        """Nothing."""
        return iter(())

    def zeros(self) -> Iterator[Any]:
        """Nothing."""
        return iter(())

    def contested(self) -> Iterator[Any]:
        """Nothing."""
        return iter(())


def _most_vertices(piece: DomainPiece) -> int:
    """How many vertices are remembered for a cell."""
    return max(2 * len(piece.chart.lower) + 4, len(piece.bases) + 2)
