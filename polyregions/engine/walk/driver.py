"""Running the kernels over all pieces of a problem, and settling what they hand back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.engine.tree import Cell, leaves_below
from polyregions.engine.walk import machine
from polyregions.engine.walk.pieces import Piece, network_arrays, pieces
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
    N_FOUND,
    N_LEAVES,
    OFF,
    ON,
    POP,
    QUESTION,
    SPLIT,
    Leaves,
    Net,
    Work,
    allocate_leaves,
    allocate_work,
)
from polyregions.exact.numbers import Point
from polyregions.location import certified_patterns
from polyregions.oracle.proof import is_inside
from polyregions.oracle.referee import Referee
from polyregions.problem import Problem

BATCH = 4096


@dataclass(frozen=True, eq=False)
class Batch:
    """Some finished regions.

    Attributes:
        bits: (B, N) uint8 patterns.
        cuts: (B, N) uint8 neurons that split an ancestor.
        points: B interior points over the hull's coordinates.
        exact: place in the batch -> rational interior point, where no float64 one is known.
        count: B, also when patterns were not kept.
        fraction: the part of the tree that is done.
    """

    bits: Bytes
    cuts: Bytes
    points: Floats
    exact: dict[int, tuple[Fraction, ...]]
    count: int
    fraction: float


class WalkRun:
    """One pass of the compiled engine over a problem.

    Args:
        problem: what to enumerate; it must have at least one neuron and one dimension.
        referee: keeps the score of what had to be settled exactly.
        keep: whether patterns are wanted, or only counts.

    Attributes:
        after: how many regions there are after each activation layer, so far.
        in_order: whether the regions so far came in lexicographic order.
    """

    def __init__(self, problem: Problem, referee: Referee, keep: bool = True) -> None:
        self._problem, self._referee, self._keep = problem, referee, keep
        self._net = network_arrays(problem)
        self.after = np.zeros(len(self._net.ends), dtype=np.int64)
        self.in_order = True

    def batches(self, batch: int = BATCH) -> Iterator[Batch]:
        """The regions, piece by piece."""
        found = pieces(self._problem)
        if not self._problem.solid.bounds.are_finite:
            found = iter(list(found))
            self.in_order = False
        listed = list(found)
        for number, piece in enumerate(listed):
            for part in _PieceRun(self, piece, batch).batches():
                fraction = (number + part.fraction) / len(listed)
                yield Batch(part.bits, part.cuts, part.points, part.exact, part.count, fraction)


class _PieceRun:
    def __init__(self, run: WalkRun, piece: Piece, batch: int) -> None:
        self._run, self._piece, self._batch = run, piece, batch
        k = len(piece.chart.lower)
        n_vertices = max(2 * k + 4, len(piece.bases) + 2)
        self._work = allocate_work(run._net, k, len(piece.rows), n_vertices)
        self._leaves = allocate_leaves(run._net, k, batch, run._keep)
        self._leaves = self._leaves._replace(after=run.after)
        self._settler = Settler(run._problem, run._net, piece, self._work, run._referee)
        self._exact: dict[int, Point] = {}
        self._delegated: list[Cell] = []
        self._load()

    def _load(self) -> None:
        """Put the piece's rows and first vertices into the work arrays."""
        work, piece = self._work, self._piece
        m = len(piece.rows)
        work.rows[:m], work.row_error[:m], work.source[:m] = piece.rows, piece.row_error, piece.source
        work.n_rows[0], work.share[0] = m, 1.0
        for v, basis in enumerate(piece.bases):
            normals = piece.rows[basis, :-1]
            work.inverse[0, v] = np.linalg.inv(normals)
            work.vertices[0, v] = -work.inverse[0, v] @ piece.rows[basis, -1]
            work.basis[0, v] = basis
        work.n_vertices[0] = len(piece.bases)
        work.point[0] = work.vertices[0, : len(piece.bases)].mean(axis=0)
        for b in [b for b in piece.source if b >= 0]:
            unit = np.flatnonzero(self._run._net.bit[0] == b)[0]
            work.bits[b] = piece.chart.fixed[unit]

    def batches(self) -> Iterator[Batch]:
        """Run to the end, a batch at a time."""
        net, chart, work, leaves = self._run._net, self._piece.chart, self._work, self._leaves
        machine.begin(net, chart, work)
        while True:
            status = machine.run(net, chart, work, leaves, self._batch)
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

    def _settle_question(self) -> None:
        registers = self._work.registers
        self._run._referee.score.by_rationals += 1
        quick = self._settler.quick_answer()
        if quick is not None:
            registers[ANSWER] = quick
            return
        form, off, on = self._settler.question()
        if off is None or on is None:
            registers[ANSWER] = ON if off is None else OFF
        elif registers[MODE] != SPLIT:
            registers[ANSWER] = CUT
        else:
            self._split_exactly(form, off, on)

    def _split_exactly(self, form: object, off: Point, on: Point) -> None:
        """A cut too thin for the kernels: they go on with the side they know vertices of, the rest is delegated."""
        work, settler = self._work, self._settler
        slot, layer, unit = settler._place()
        row = work.maps[layer, unit]
        vertices = work.vertices[slot, : work.n_vertices[slot]]
        z = vertices @ row[:-1] + row[-1]
        goal = 1e-11 * work.size[layer, unit] + 4 * work.error[layer, unit]
        keep = ON if np.any(z > 2 * goal) else OFF if np.any(z < -2 * goal) else None
        for bit, point in ((False, off), (True, on)):
            if keep is None or bit != (keep == ON):
                self._delegated.append(settler.cell(form, bit, point))  # type: ignore[arg-type]
        if keep is None:
            work.registers[MODE] = POP
        else:
            work.registers[ANSWER] = KEEP_ON if keep == ON else KEEP_OFF

    def _settle_leaf(self) -> None:
        """A leaf without a float proof: keep it with an exact point, or drop it as empty."""
        from polyregions.engine.walk.cells import record_leaf

        work, leaves = self._work, self._leaves
        self._run._referee.score.by_rationals += 1
        point = self._settler.leaf()
        if point is not None:
            at = int(work.registers[N_LEAVES])
            place = at if leaves.keep else 0
            record_leaf(self._run._net, work, leaves, place)
            self._exact[at] = point
            work.registers[N_LEAVES] += 1
            work.registers[N_FOUND] += 1
        else:
            leaves.done[0] += work.share[work.registers[DEPTH]]
        work.registers[MODE] = POP

    def _flush(self) -> Batch:
        """Hand over what the buffer holds."""
        n = int(self._work.registers[N_LEAVES])
        self._work.registers[N_LEAVES] = 0
        kept = n if self._leaves.keep else 0
        bits, cuts = self._leaves.bits[:kept].copy(), self._leaves.cuts[:kept].copy()
        points, exact = self._points(bits, self._leaves.points[:kept])
        self._exact = {}
        return Batch(bits, cuts, points, exact, n, float(self._leaves.done[0]))

    def _points(self, bits: Bytes, u: Floats) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
        """Interior points over the hull's coordinates, and the rational ones among them."""
        exact: dict[int, tuple[Fraction, ...]] = {}
        if self._piece.chart.plain:
            points = u.copy()
        else:
            points, doubtful = _unchart(self._run._problem, self._piece, bits, u)
            for i in doubtful:
                if i not in self._exact:
                    self._exact[i] = exact_point(self._piece, u[i], self._run._problem.solid.hull.dim)
        for i, point in self._exact.items():
            if i < len(points):
                points[i] = point.approx
                if point.rational is not None:
                    exact[i] = point.rational
        return points, exact

    def _delegate(self) -> Batch:
        """Let the readable engine enumerate the cells that the kernels left out."""
        self._run.in_order = False
        n = len(self._leaves.last)
        bits, cuts, points = [], [], []
        exact: dict[int, tuple[Fraction, ...]] = {}
        cells, self._delegated = self._delegated, []
        for cell in cells:
            for leaf in leaves_below(cell, n, self._run._referee):
                self._count(np.array(leaf.bits, dtype=np.uint8))
                mask = np.zeros(n, dtype=np.uint8)
                mask[list(leaf.cuts)] = 1
                if leaf.point.rational is not None:
                    exact[len(bits)] = leaf.point.rational
                bits.append(np.array(leaf.bits, dtype=np.uint8))
                cuts.append(mask)
                points.append(leaf.point.approx)
        k = self._run._problem.solid.hull.dim
        self._leaves.done[0] += sum(cell.share for cell in cells)
        return Batch(
            np.array(bits, dtype=np.uint8).reshape(-1, n),
            np.array(cuts, dtype=np.uint8).reshape(-1, n),
            np.array(points).reshape(-1, k),
            exact,
            len(bits),
            float(self._leaves.done[0]),
        )

    def _count(self, bits: Bytes) -> None:
        last = self._leaves.last
        changed = np.flatnonzero(last != bits)
        first = int(changed[0]) if len(changed) else len(bits)
        self._run.after[self._run._net.ends > first] += 1
        last[:] = bits


def exact_point(piece: Piece, u: Floats, k: int) -> Point:
    """The exact point x of a chart point u."""
    homogeneous = [*(Fraction(c) for c in u.tolist()), Fraction(1)]
    image = [
        sum((int(piece.embedding[i, j]) * h for j, h in enumerate(homogeneous)), Fraction(0)) for i in range(k + 1)
    ]
    return Point.of([entry / image[k] for entry in image[:k]])


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
