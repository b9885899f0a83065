"""Running the readable tree in parts: cells as plain data, and the parts that start from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from polyregions.engine.batches import Batch, LayerCount, batch_of_cells
from polyregions.engine.local_box import box_referee, box_root
from polyregions.engine.tree import Cell, leaves_of, root
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.referee import Referee, Score

BATCH = 8


@dataclass(frozen=True, eq=False)
class CellPath:
    """Where a cell is in the tree; the rest of it can be found again, see `Cell`."""

    bits: tuple[bool, ...]
    cuts: tuple[int, ...]
    point: Point
    share: float


class ReadableRun:
    """The readable engine, prepared for a problem.

    Args:
        problem: what to enumerate.
        is_large_box: whether to ask through the oracle for boxes of many dimensions.
    """

    def __init__(self, problem: Problem, is_large_box: bool) -> None:
        self.problem = problem
        self.ends = np.cumsum(problem.network.widths, dtype=np.int64)
        self._is_large_box = is_large_box
        self._root = box_root(problem) if is_large_box else root(problem)

    def starts(self) -> list[tuple[CellPath, ...]]:
        """Where to start: the root."""
        return [(path_of(self._root),)]

    def share(self, start: tuple[CellPath, ...]) -> float:
        """The part of the tree that is below a start."""
        return sum(path.share for path in start)

    def place(self, start: tuple[CellPath, ...]) -> tuple[int, int]:
        """The layer that the last cell of a start is in, and how many neurons of it may still cut that cell."""
        n_known = len(start[-1].bits)
        layer = int(np.searchsorted(self.ends, n_known, side="right"))
        if layer == len(self.ends):
            return max(0, layer - 1), 0
        return layer, int(self.ends[layer]) - n_known

    def part(self, start: tuple[CellPath, ...], score: Score, budget: int, most_apart: int) -> ReadablePart:
        """Some cells; after `budget` regions the rest is left again, the `most_apart` largest subtrees apart."""
        referee = (
            box_referee(self.problem, score)
            if self._is_large_box
            else Referee(self.problem.solid.bounds, score=score)
        )
        return ReadablePart(self, [self.cell_at(path) for path in start], referee, budget, most_apart)

    def cell_at(self, path: CellPath) -> Cell:
        """The cell at the end of a path."""
        layer, start, bits = self._root.layer, 0, path.bits
        interior = self._root.interior
        while True:
            n = len(layer.kinked)
            for cut in path.cuts:
                if start <= cut < start + n:
                    form = layer.form(int(layer.kinked[cut - start]))
                    interior = interior.with_form(form if bits[cut] else form.negated())
            if start + n >= len(bits):
                unit = len(bits) - start
                return Cell(bits, layer, unit, path.cuts, interior, path.point, path.share)
            layer, start = layer.next(bits[start : start + n]), start + n


class ReadablePart:
    """A part of the readable tree.

    Attributes:
        rest: after the last batch, what is left to do, in the order of the tree.
        in_order: True: the regions come in lexicographic order.
        counts: how many cells of each layer there are so far.
    """

    def __init__(
        self, run: ReadableRun, stack: list[Cell], referee: Referee, budget: int, most_apart: int
    ) -> None:
        self._problem, self._stack, self._referee, self._budget = run.problem, stack, referee, budget
        self._most_apart = most_apart
        self.rest: list[tuple[CellPath, ...]] = []
        self.in_order = True
        self.counts = LayerCount.none(run.ends)

    def batches(self, room: Callable[[], int]) -> Iterator[Batch]:
        """Run to the end or until the budget is used up, a batch of at most `room()` at a time."""
        n, k = self._problem.network.n_neurons, self._problem.solid.hull.dim
        leaves = leaves_of(self._stack, n, self._referee)
        left = self._budget
        while left > 0:
            batch = batch_of_cells(islice(leaves, min(BATCH, room(), left)), n, k)
            if batch.count == 0:
                return
            for bits in batch.bits:
                self.counts.add(bits)
            left -= batch.count
            yield batch
        self.rest = _parts(self._stack, self._most_apart)


def path_of(cell: Cell) -> CellPath:
    """Where a cell is."""
    return CellPath(cell.bits, cell.cuts, cell.point, cell.share)


def _parts(stack: list[Cell], most_apart: int) -> list[tuple[CellPath, ...]]:
    """The cells of a stack, the large subtrees at its bottom apart."""
    paths = [path_of(cell) for cell in stack]
    together = paths[most_apart:]
    apart = [(path,) for path in reversed(paths[:most_apart])]
    return [tuple(together), *apart] if together else list(apart)
