"""Running the kernels over all pieces of a problem, and settling what they hand back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.engine.batches import Batch, LayerCounter, batch_of_cells
from polyregions.engine.tree import Cell, leaves_below
from polyregions.engine.walk import machine
from polyregions.engine.walk.compiled import announced
from polyregions.engine.walk.pieces import Piece, exact_point, network_arrays, pieces
from polyregions.engine.walk.question import goal_of
from polyregions.engine.walk.settle import Settler
from polyregions.engine.walk.state import (
    ANSWER,
    CUT,
    DEPTH,
    DONE,
    KEEP_OFF,
    KEEP_ON,
    LEAF,
    MODE,
    N_LEAVES,
    OFF,
    ON,
    POP,
    QUESTION,
    SPLIT,
    allocate_leaves,
    allocate_work,
)
from polyregions.exact.numbers import Point
from polyregions.location import certified_patterns
from polyregions.oracle.polyhedron import Form
from polyregions.oracle.proof import is_inside
from polyregions.oracle.referee import Referee
from polyregions.problem import Problem

BATCH = 4096


class WalkRun:
    """One pass of the compiled engine over a problem.

    Args:
        problem: what to enumerate; it must have at least one neuron and one dimension.
        referee: keeps the score of what had to be settled exactly.
        keep: whether patterns are wanted, or only counts.
        limit: after this many regions they come one at a time.
        prove: False skips the proofs, to measure what they cost; nothing but a benchmark should.

    Attributes:
        after: how many regions there are after each activation layer, so far.
        in_order: whether the regions so far came in lexicographic order.
    """

    def __init__(
        self,
        problem: Problem,
        referee: Referee,
        keep: bool = True,
        limit: int | None = None,
        prove: bool = True,
    ) -> None:
        self.problem, self.referee, self.keep, self.limit, self.prove = problem, referee, keep, limit, prove
        self.net = network_arrays(problem)
        self.after = np.zeros(len(problem.network.widths), dtype=np.int64)
        self.in_order = problem.solid.bounds.are_finite
        self.found = 0

    def batches(self) -> Iterator[Batch]:
        """The regions, piece by piece."""
        for piece, share in pieces(self.problem):
            for part in _PieceRun(self, piece).batches():
                self.found += part.count
                yield replace(part, share=part.share * share)

    def room(self) -> int:
        """How many regions the next batch may hold."""
        if self.limit is None:
            return BATCH
        return min(BATCH, max(1, self.limit - self.found))


class _PieceRun:
    """The kernels at work on one piece, and all that they need from Python."""

    def __init__(self, run: WalkRun, piece: Piece) -> None:
        self._run = run
        self._piece = replace(piece, chart=piece.chart._replace(prove=run.prove))
        k = len(piece.chart.lower)
        n_vertices = max(2 * k + 4, len(piece.bases) + 2)
        self._work = allocate_work(run.net, k, len(piece.rows), n_vertices)
        self._leaves = allocate_leaves(run.net, k, BATCH, run.keep)._replace(after=run.after)
        self._settler = Settler(run.problem, run.net, piece, self._work, run.referee)
        self._exact: dict[int, Point] = {}
        self._delegated: list[Cell] = []
        self._load()

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

    def batches(self) -> Iterator[Batch]:
        """Run to the end, a batch at a time."""
        net, chart, work, leaves = self._run.net, self._piece.chart, self._work, self._leaves
        with announced():
            machine.begin(net, chart, work)
            status = machine.run(
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
            if self._delegated:
                yield self._flush()
                yield self._delegate()
            status = machine.run(net, chart, work, leaves, self._run.room() - self._pending())

    def _pending(self) -> int:
        return int(self._work.registers[N_LEAVES])

    def _settle_question(self) -> None:
        registers = self._work.registers
        self._run.referee.score.by_rationals += 1
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
        self._run.referee.score.by_rationals += 1
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
        return done

    def _settle_point(self, bits: Bytes, cuts: Bytes, rounded: Floats, u: Floats) -> Point:
        """The rounded point if it is strictly inside its region by exact arithmetic, else the exact one."""
        problem, candidate = self._run.problem, Point(rounded)
        forms = problem.bounding_forms(bits != 0, cuts != 0)
        if all(self._run.referee.sign(form, candidate) > 0 for form in forms):
            return candidate
        return exact_point(self._piece, u, problem.solid.hull.dim)

    def _points(self, bits: Bytes, cuts: Bytes, u: Floats) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
        """Interior points over the hull's coordinates, and the rational ones among them."""
        exact: dict[int, tuple[Fraction, ...]] = {}
        if self._piece.chart.plain:
            points = u.copy()
        else:
            points, doubtful = _unchart(self._run.problem, self._piece, bits, u)
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
        self._run.in_order = False
        n, cells = len(self._work.forms.bits), self._delegated
        self._delegated = []
        found = [leaf for cell in cells for leaf in leaves_below(cell, n, self._run.referee)]
        counter = LayerCounter(self._run.net.ends)
        counter.after, counter.last = self._leaves.after, self._leaves.last
        for leaf in found:
            counter.add(np.array(leaf.bits, dtype=np.uint8))
        return batch_of_cells(found, n, self._run.problem.solid.hull.dim)


def _unchart(problem: Problem, piece: Piece, bits: Bytes, u: Floats) -> tuple[Floats, list[int]]:
    """Chart points as float64 inputs, and the places where these could not be proved to be in their region."""
    k = problem.solid.hull.dim
    scale = max(1, *(abs(int(e)) for e in piece.embedding.entries()))
    matrix = np.array(
        [[int(piece.embedding[i, j]) / scale for j in range(piece.embedding.ncols())] for i in range(k + 1)]
    )
    image = u @ matrix[:, :-1].T + matrix[:, -1]
    with np.errstate(all="ignore"):
        points = image[:, :k] / image[:, k:]
    usable = np.all(np.isfinite(points), axis=1)
    points[~usable] = 0.0
    patterns, certain = certified_patterns(problem.inner, points)
    fine = usable & certain & np.all(patterns == bits.astype(np.bool_), axis=1)
    root = problem.root
    doubtful = [i for i in range(len(u)) if not fine[i] or not is_inside(root.rows, root.error, points[i])]
    return points, doubtful
