"""Running the kernels of cells over all pieces of a problem, and settling what they hand back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from polyregions._types import Bools, Bytes, Floats, Ints
from polyregions.engine.batches import Batch, LayerCount
from polyregions.engine.cells import machine
from polyregions.engine.cells.contest import NO_CONTEST, winners
from polyregions.engine.cells.settle import Settler
from polyregions.engine.cells.start import Start, load_start, start_of
from polyregions.engine.cells.state import (
    COUNT,
    DEPTH,
    DONE,
    END,
    FACES,
    FULL,
    LAYER_SHIFT,
    LEAF,
    LIST,
    N_DOMAIN_ROWS,
    N_FACES,
    N_FOUND,
    N_LEAVES,
    N_ROWS,
    QUESTION,
    ROOM,
    SAFE,
    SLOTS,
    START,
    ULP,
    UNIT_MASK,
    ZEROS,
    Columns,
    Leaves,
    Words,
    allocate_work,
    words_for,
)
from polyregions.engine.cells.subtree import Subtree, load, subtrees
from polyregions.engine.kernels.compiled import announced
from polyregions.engine.walk.charts import (
    INFINITY,
    DomainPiece,
    DomainPieces,
    approximate_points,
    unchart,
)
from polyregions.engine.walk.driver import NoPart
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.referee import Referee

BATCH = 4096
NO_BUDGET = 2**62
NO_FACE = np.iinfo(np.int64).min
FACES_PER_LEAF = 16
KEPT_PIECES = 8  # each has weights of its own
FIRST_ROOM = 256  # vertices that there is room for to begin with


@dataclass(frozen=True, eq=False)
class Faces:
    """The facets of some regions.

    Attributes:
        bits: (B, N) uint8 patterns of the regions.
        is_open: (B,) whether exact arithmetic has to look which neurons vanish on a region's facets.
        leaf: (M,) the region of each facet, of those of the batch.
        names: (M,) its neuron, or -1 - i for row i of the domain.
        points: (M, k) a point inside it, over the hull's coordinates, in float64.
    """

    bits: Bytes
    is_open: Bools
    leaf: Ints
    names: Ints
    points: Floats


@dataclass(frozen=True, eq=False)
class Vertices:
    """The vertices of some regions.

    Attributes:
        bits: (B, N) uint8 patterns of the regions.
        offsets: (B+1,) where those of each region start.
        points: (M, k) over the hull's coordinates, in float64.
        error: (M,) bounds on their distance (maximum norm) to the true vertices.
    """

    bits: Bytes
    offsets: Ints
    points: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class Zeros:
    """The vertices of some regions, those at infinity too, and what vanishes at each.

    Attributes:
        bits: (B, N) uint8 patterns of the regions.
        offsets: (B+1,) where the vertices of each region start.
        zero: (M, N+m+1) uint8: which neurons are 0, which rows of the domain, and whether it is at infinity.
        points: (M, k) over the hull's coordinates, in float64; whatever it is at infinity.
        error: (M,) bounds on their distance (maximum norm) to the true vertices, infinite of an unbounded domain.
    """

    bits: Bytes
    offsets: Ints
    zero: Bytes
    points: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class Contested:
    """Parts of regions in which one class wins each.

    Attributes:
        bits: (B, N) uint8 patterns of the regions, whose parts follow each other.
        label: (B,) the class.
        may_tie: (B,) whether exact arithmetic has to look which classes score the same as the winner.
        points: (B, k) a point inside each, over the hull's coordinates.
        exact: part -> rational point, where no float64 one is known.
    """

    bits: Bytes
    label: Ints
    may_tie: Bools
    points: Floats
    exact: dict[int, tuple[Fraction, ...]]


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece of the domain, and how the kernels begin with it."""

    domain: DomainPiece
    start: Start


class CellsRun:
    """The engine of cells, prepared for a problem; threads may share it.

    Args:
        problem: what to enumerate; it must have at least one neuron and one dimension.
        keep: whether patterns are wanted, or only counts.
        wanted: FACES, EDGES, VERTICES or ZEROS, where these are wanted of the regions and not points in them.
        contest: (P, 2) the classes that the units of the last layer compare, see `contest`; none for neurons.
    """

    def __init__(
        self, problem: Problem, keep: bool = True, wanted: int | None = None, contest: Ints = NO_CONTEST
    ) -> None:
        self.problem, self.keep, self.contest = problem, keep, contest
        self.wanted = wanted if wanted is not None else LIST if keep else COUNT
        self.pieces = DomainPieces(problem)
        self.piece = lru_cache(maxsize=KEPT_PIECES)(self._piece)
        widths = [layer.n_neurons for layer in problem.inner.layers]
        last = max(i for i, n in enumerate(widths) if n)
        self.columns = Columns(
            [np.flatnonzero(layer.splitting) for layer in problem.inner.layers[: last + 1]]
        )
        self._numbers = _numbers(problem, last + 1)
        self.ends: Ints = np.cumsum(widths[: last + 1]).astype(np.int64)

    def _piece(self, number: int) -> Piece | None:
        piece = self.pieces.piece(number)
        return None if piece is None else Piece(piece, start_of(self.problem, piece, self.contest))

    def names_of(self, piece: Piece, rows: Ints) -> Ints:
        """What rows of a path stand for: a neuron, -1 - i for row i of the domain, NO_FACE for infinity."""
        layers, units = rows >> LAYER_SHIFT, rows & UNIT_MASK
        names: Ints = self._numbers[layers - 1, np.minimum(units, self._numbers.shape[1] - 1)]
        sources, forms = np.array(piece.domain.source), np.array(piece.domain.forms)
        of_domain = np.where(sources >= 0, sources, np.where(forms == INFINITY, NO_FACE, -1 - forms))
        is_domain = layers == 0
        names[is_domain] = of_domain[units[is_domain]]
        return names

    def unpacked_zeros(self, piece: Piece, words: Words) -> Bytes:
        """What vanishes (M, N+m+1) at vertices, see `Zeros`, from the words (M, L+1, S) of the kernels."""
        n, m = self.columns.n_neurons, len(self.problem.solid.forms)
        zero = np.zeros((len(words), n + m + 1), dtype=np.uint8)
        zero[:, :n] = self.columns.unpacked(words)
        n_rows = len(piece.domain.source)
        of_rows = np.unpackbits(words[:, 0].view(np.uint8), axis=1, count=n_rows, bitorder="little")
        for row, (neuron, form) in enumerate(zip(piece.domain.source, piece.domain.forms, strict=True)):
            zero[:, neuron if neuron >= 0 else n + m if form == INFINITY else n + form] |= of_rows[:, row]
        return zero

    def agree(self, patterns: Bools, bits: Bytes) -> Bools:
        """Which points (B,), of certain patterns (B, N), are in the regions with given bits, and for the same class."""
        n = bits.shape[1] - len(self.contest)
        same: Bools = np.all(patterns[:, :n] == (bits[:, :n] != 0), axis=1)
        if len(self.contest):
            same &= winners(self.contest, patterns[:, n:]) == winners(self.contest, bits[:, n:])
        return same

    def starts(self) -> list[int]:
        """Where to start: the pieces of the domain."""
        return list(range(len(self.pieces)))

    def part(
        self, start: int | Subtree, referee: Referee, budget: int = NO_BUDGET, most_apart: int = 0
    ) -> CellsPart | NoPart:
        """A whole piece, or what a part before left of it; after about `budget` regions the rest is left again.

        What a part finds depends on nothing but its start and budget.
        """
        piece = self.piece(start if isinstance(start, int) else start.piece)
        if piece is None:
            return NoPart(self.ends)
        return CellsPart(self, piece, start, referee, budget, most_apart)

    def share(self, start: int | Subtree) -> float:
        """The part of the tree that is below a start."""
        if isinstance(start, int):
            return 1.0 / len(self.pieces)
        n_cuts = start.frames[:, N_ROWS] - start.n_domain_rows
        return float(np.exp2(-n_cuts.astype(np.float64)).sum()) / len(self.pieces)

    def place(self, start: int | Subtree) -> tuple[int, int]:
        """The layer that the last cell of a start is in, and how many neurons of it may still cut that cell."""
        if isinstance(start, int):
            return 0, int(self.ends[0])
        open_units = int(np.unpackbits(start.rest[-1].view(np.uint8)).sum())
        return int(start.frames[-1, 0]) - 1, open_units

    def checked_start(self, arrays: Mapping[str, Any]) -> int | Subtree:
        """A start from elsewhere, within bounds.

        Raises:
            ValueError, KeyError, TypeError: something else than a start of this run.
        """
        from polyregions.engine.cells.checks import checked_subtree

        number = int(arrays["piece"])
        if not 0 <= number < len(self.pieces):
            raise ValueError(f"piece {number} of {len(self.pieces)}")
        if len(arrays) == 1:
            return number
        piece = self.piece(number)
        if piece is None:
            raise ValueError(f"piece {number} is another one")
        return checked_subtree(arrays, piece.start)


class CellsPart:
    """The kernels at work on a part of one piece, and all that they need from Python.

    Attributes:
        rest: after the last batch, what is left to do, in the order of the tree.
        in_order: whether the regions so far came in lexicographic order.
    """

    def __init__(
        self,
        run: CellsRun,
        piece: Piece,
        start: int | Subtree,
        referee: Referee,
        budget: int,
        most_apart: int,
    ) -> None:
        self._run, self._piece, self._start = run, piece, start
        self._referee, self._budget, self._most_apart = referee, budget, most_apart
        net, d = piece.start.net, piece.start.dim
        n_words = words_for(2 * d) if isinstance(start, int) else start.n_words
        n_vertices = FIRST_ROOM + 2**d if isinstance(start, int) else FIRST_ROOM + 2 * len(start.place)
        self._axes, self._words = (0,) * d, (0,) * n_words
        self._work = allocate_work(
            net.widths, d, n_words, n_vertices, piece.start.has_integers, run.wanted == ZEROS
        )
        self._leaves = _allocate_leaves(net.widths, d, min(BATCH, budget) if run.keep else 2, run.wanted)
        self._settler = Settler(run.problem, piece.start, self._work)
        self._exact: dict[int, list[Fraction]] = {}
        self._ends: tuple[Bytes, Bytes] | None = None
        self._share = 0.0
        self.rest: list[Subtree] = []
        self.in_order = len(run.pieces) == 1

    @property
    def registers(self) -> Ints:
        """The machine's registers, see `state`; among them how many signs were settled by what."""
        return self._work.registers

    @property
    def _kind(self) -> tuple[int, int]:
        """What kernels are compiled for."""
        return len(self._axes), len(self._words)

    @property
    def counts(self) -> LayerCount:
        """How many cells of each layer there are so far."""
        found = LayerCount.none(self._run.ends)
        found.after[:] = self._leaves.after[1:]
        if self._ends is not None:
            found.first[:], found.last[:] = self._ends
        return found

    def _begin(self) -> None:
        load_start(self._piece.start, self._work)
        machine.begin(len(self._axes), self._piece.start.net, self._work)
        if not isinstance(self._start, int):
            load(self._work, self._start)
        self._share = self._run.share(self._start)

    def batches(self, room: Callable[[], int] = lambda: BATCH) -> Iterator[Batch]:
        """Run to the end or until the budget is used up, a batch of at most `room()` at a time."""
        for remaining in self._steps(room):
            yield self._flush(remaining)

    def faces(self) -> Iterator[Faces]:
        """The facets of all regions, those of some regions at a time."""
        for _ in self._steps(lambda: BATCH):
            yield self._flush_faces()

    def vertices(self) -> Iterator[Vertices]:
        """The vertices of all regions of a bounded domain, those of some regions at a time."""
        for _ in self._steps(lambda: BATCH):
            yield self._flush_vertices()

    def zeros(self) -> Iterator[Zeros]:
        """The vertices of all regions with all that vanishes there, those of some regions at a time."""
        for _ in self._steps(lambda: BATCH):
            yield self._flush_zeros()

    def contested(self) -> Iterator[Contested]:
        """What the contest makes of all regions, some parts at a time."""
        n_pairs = len(self._run.contest)
        for remaining in self._steps(lambda: BATCH):
            may_tie = self._leaves.is_open[: int(self._work.registers[N_LEAVES])] != 0
            batch = self._flush(remaining)
            label = winners(self._run.contest, batch.bits[:, -n_pairs:])
            yield Contested(batch.bits[:, :-n_pairs], label, may_tie, batch.points, batch.exact)

    def _steps(self, room: Callable[[], int]) -> Iterator[float]:
        """The share of the tree that is still to be done, each time when leaves are to be taken out of the buffer."""
        kind = f"cells of {len(self._axes)} dimension{'s' if len(self._axes) > 1 else ''}"
        with announced(kind, self._kind):
            self._begin()
            status = self._go_on(0)  # stops at the first leaf: compiles, or loads the cache
        while True:
            is_over = status == FULL and self._left() <= 0
            if is_over:
                self.rest = subtrees(self._work, self._number(), self._most_apart)
            if is_over or status == DONE:
                yield self._remaining(status == DONE)
                return
            if not self._settle(status):
                if self._work.registers[N_LEAVES]:
                    yield self._remaining(False)
                self._make_room_for_faces()
            status = self._go_on(min(room() - int(self._work.registers[N_LEAVES]), self._left()))

    def _go_on(self, most: int) -> int:
        net, wanted = self._piece.start.net, self._run.wanted
        return machine.walk(self._axes, self._words, net, self._work, self._leaves, wanted, most)

    def _settle(self, status: int) -> bool:
        """Do what the kernels came back for; False if that was only to hand over leaves."""
        if status == QUESTION:
            self._referee.score.by_rationals += 1
            self._settler.settle_question()
        elif status == LEAF:
            self._settle_leaf()
        elif status == ROOM:
            self._resize(2 * len(self._work.place), len(self._words))
        elif status == SLOTS:
            self._resize(len(self._work.place), 2 * len(self._words))
        else:
            return False
        return True

    def _make_room_for_faces(self) -> None:
        """A leaf with more vertices, or rows, than the empty buffer holds gets a larger one."""
        registers = self._work.registers
        n, width = self._leaves.face_points.shape
        needed = max(len(self._work.owner), int(registers[END] - registers[START]))
        if self._run.wanted >= FACES and n < needed:
            room = np.zeros(2 * needed, dtype=np.int64)
            points = np.zeros((2 * needed, width))
            zeros = np.zeros((2 * needed, *self._leaves.face_zeros.shape[1:]), dtype=np.uint64)
            self._leaves = self._leaves._replace(
                face_leaf=room, face_row=room.copy(), face_points=points, face_zeros=zeros
            )

    def _resize(self, n_vertices: int, n_words: int) -> None:
        """The same state with more room for vertices, or more words for slots."""
        old, start = self._work, self._piece.start
        has_zeros = self._run.wanted == ZEROS
        work = allocate_work(start.net.widths, start.dim, n_words, n_vertices, start.has_integers, has_zeros)
        n, w = len(old.place), len(self._words)
        work.place[:n] = old.place
        work.marks[:n, :w], work.marks[:n, n_words:] = old.marks[:, :w], old.marks[:, w:]
        work.owner[: 64 * w] = old.owner
        same = {
            name: getattr(old, name)
            for name in ("forms", "signs", "entries", "rest", "frames", "path", "registers")
        }
        self._work, self._words = work._replace(**same), (0,) * n_words
        self._settler.work = self._work

    def _left(self) -> int:
        """What is left of the budget."""
        return self._budget - int(self._work.registers[N_FOUND])

    def _number(self) -> int:
        return self._start if isinstance(self._start, int) else self._start.piece

    def _settle_leaf(self) -> None:
        """A leaf whose point floats did not prove: it gets one by exact arithmetic."""
        work, leaves = self._work, self._leaves
        self._referee.score.by_rationals += 1
        at = int(work.registers[N_LEAVES])
        self._exact[at] = self._settler.leaf()
        machine.keep_leaf(work, leaves)

    def _remaining(self, is_done: bool) -> float:
        """The share of the tree that is still to be done."""
        if is_done:
            return 0.0
        work = self._work
        waiting = work.frames[: int(work.registers[DEPTH]), N_ROWS]
        n_cuts = np.append(waiting, work.registers[N_ROWS]) - work.registers[N_DOMAIN_ROWS]
        return float(np.exp2(-n_cuts.astype(np.float64)).sum()) / len(self._run.pieces)

    def _flush(self, remaining: float) -> Batch:
        """Hand over what the buffer holds."""
        n = int(self._work.registers[N_LEAVES])
        self._work.registers[N_LEAVES] = 0
        share, self._share = self._share - remaining, remaining
        self._note_ends(n)
        if not self._run.keep:
            none = np.zeros((0, int(self._run.ends[-1])), dtype=np.uint8)
            return Batch(none, none, np.zeros((0, self._run.problem.solid.hull.dim)), {}, n, share)
        bits = self._run.columns.unpacked(self._leaves.bits[:n])
        cuts = self._run.columns.unpacked(self._leaves.cuts[:n])
        points, exact = self._points(bits, cuts, self._leaves.points[:n])
        return Batch(bits, cuts, points, exact, n, share)

    def _flush_faces(self) -> Faces:
        """Hand over the facets that the buffer holds; the line at infinity is none."""
        registers, leaves, piece = self._work.registers, self._leaves, self._piece
        n, m = int(registers[N_LEAVES]), int(registers[N_FACES])
        registers[[N_LEAVES, N_FACES]] = 0
        names = self._run.names_of(piece, leaves.face_row[:m])
        at = np.flatnonzero(names != NO_FACE)
        points = approximate_points(self._run.problem, piece.domain, leaves.face_points[at, :-1])
        bits = self._run.columns.unpacked(leaves.bits[:n])
        return Faces(bits, leaves.is_open[:n] != 0, leaves.face_leaf[at], names[at], points)

    def _flush_vertices(self) -> Vertices:
        """Hand over the vertices that the buffer holds."""
        registers, leaves = self._work.registers, self._leaves
        n, m = int(registers[N_LEAVES]), int(registers[N_FACES])
        registers[[N_LEAVES, N_FACES]] = 0
        points, error = self._vertices(m)
        offsets = np.searchsorted(leaves.face_leaf[:m], np.arange(n + 1))
        return Vertices(self._run.columns.unpacked(leaves.bits[:n]), offsets, points, error)

    def _vertices(self, m: int) -> tuple[Floats, Floats]:
        """The vertices (m, k) that the buffer holds over the hull's coordinates, and bounds (m,) on their errors."""
        place, chart = self._leaves.face_points[:m], self._piece.domain.chart
        if not chart.plain:
            points = approximate_points(self._run.problem, self._piece.domain, place[:, :-1])
            return points, np.full(m, np.inf)
        points = chart.shift + chart.scale * place[:, :-1]
        rounding = 4 * ULP * np.max(np.abs(chart.shift) + 2 * chart.scale)
        return points, (chart.scale.max() * place[:, -1] + rounding) * SAFE

    def _flush_zeros(self) -> Zeros:
        """Hand over the vertices that the buffer holds, and what vanishes at them."""
        registers, leaves = self._work.registers, self._leaves
        n, m = int(registers[N_LEAVES]), int(registers[N_FACES])
        registers[[N_LEAVES, N_FACES]] = 0
        offsets = np.searchsorted(leaves.face_leaf[:m], np.arange(n + 1))
        zero = self._run.unpacked_zeros(self._piece, leaves.face_zeros[:m])
        points, error = self._vertices(m)
        return Zeros(self._run.columns.unpacked(leaves.bits[:n]), offsets, zero, points, error)

    def _note_ends(self, n: int) -> None:
        """Remember the first and the last pattern."""
        if n == 0:
            return
        last = n - 1 if self._run.keep else int(self._work.registers[N_FOUND] > 1)
        first_bits, last_bits = self._run.columns.unpacked(self._leaves.bits[[0, last]])
        self._ends = (first_bits if self._ends is None else self._ends[0], last_bits)

    def _points(self, bits: Bytes, cuts: Bytes, u: Floats) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
        """Interior points over the hull's coordinates, and the rational ones among them."""
        problem, piece = self._run.problem, self._piece.domain
        exact: dict[int, tuple[Fraction, ...]] = {}
        if piece.chart.plain:
            points = u.copy()
        else:
            points, doubtful = unchart(problem, piece, bits, u, self._run.agree)
            for i in doubtful:
                self._exact.setdefault(i, [Fraction(c) for c in u[i].tolist()])
        for i, coordinates in self._exact.items():
            point = self._settler.point_of(coordinates, (bits[i] != 0).tolist(), (cuts[i] != 0).tolist())
            points[i] = point.approx
            if point.rational is not None:
                exact[i] = point.rational
        self._exact = {}
        return points, exact


def _allocate_leaves(widths: Ints, d: int, capacity: int, wanted: int) -> Leaves:
    shape = (capacity, len(widths), words_for(int(widths.max())))
    n_faces = FACES_PER_LEAF * capacity if wanted >= FACES else 0
    return Leaves(
        bits=np.zeros(shape, dtype=np.uint64),
        cuts=np.zeros(shape, dtype=np.uint64),
        points=np.zeros((capacity, d)),
        after=np.zeros(len(widths), dtype=np.int64),
        is_open=np.zeros(capacity, dtype=np.int64),
        face_leaf=np.zeros(n_faces, dtype=np.int64),
        face_row=np.zeros(n_faces, dtype=np.int64),
        face_points=np.zeros((n_faces, d + 1)),
        face_zeros=np.zeros((n_faces if wanted == ZEROS else 0, *shape[1:]), dtype=np.uint64),
    )


def _numbers(problem: Problem, n_layers: int) -> Ints:
    """The neuron (L, n) of each unit, NO_FACE for units without a kink."""
    layers = problem.inner.layers[:n_layers]
    numbers = np.full((n_layers, max(layer.n_units for layer in layers)), NO_FACE, dtype=np.int64)
    at = 0
    for i, layer in enumerate(layers):
        kinked = np.flatnonzero(layer.splitting)
        numbers[i, kinked] = np.arange(at, at + len(kinked))
        at += len(kinked)
    return numbers
