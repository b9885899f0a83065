"""What all tasks of one run share, and one task: a subtree, up to a number of regions.

What a task finds depends on the job and its start only, not on who does it or what was done before. So the
result of a run is the same for any number of workers, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from polyregions._types import Bytes, Ints
from polyregions.engine.batches import Batch, LayerCount
from polyregions.engine.choose import is_large_box
from polyregions.engine.readable import ReadableRun
from polyregions.engine.reduction import Reduction
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem, pose
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.oracle.referee import Referee, Score

if TYPE_CHECKING:
    from polyregions.engine.cells.driver import CellsRun
    from polyregions.engine.walk.driver import WalkRun

COMPILED_BUDGET = (
    2048,
    32768,
)  # regions of the first task and the most of one; each generation does twice as many
READABLE_BUDGET = (8, 32)
SPLIT_OFF = 3  # waiting cells that become tasks of their own when a task ends: the largest subtrees
KEPT_ROOM = 4096  # regions at most between two looks at whether the run was stopped
COUNTED_ROOM = 32768  # the same for regions that are not kept: most take next to no time
FIRST_ROOM = 256  # before it is known how long they take
BATCH_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class Task:
    """A part of the tree.

    Attributes:
        key: its place in the tree: keys of a task's rest start with its own; sorted as tuples, tasks are in order.
        start: where to begin, as the engine put it.
        share: the part of the whole tree that it is at most.
    """

    key: tuple[int, ...]
    start: Any
    share: float


class Part(Protocol):
    """A task at work."""

    rest: list[Any]
    in_order: bool

    @property
    def counts(self) -> LayerCount:
        """How many cells of each layer there are so far."""

    def batches(self, room: Callable[[], int]) -> Iterator[Batch]:
        """The regions, at most `room()` at a time."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a task.

    Attributes:
        key: which task it was.
        batch: the regions, unless they were handed over one batch after the other.
        rest: the tasks that it left, in the order of the tree.
        counts: cells after each layer.
        score: how questions were settled.
        in_order: whether the regions came in lexicographic order.
        run: which run it is of, where others do the tasks of several.
    """

    key: tuple[int, ...]
    batch: Batch | None
    rest: list[Task]
    counts: LayerCount
    score: Score
    in_order: bool
    run: str = ""


class Job:
    """One problem with one engine.

    Args:
        reduction: the problem without the neurons that never change sign, and the way back.
        whole: the problem as posed.
        kernels: the compiled engine that does it, "cells" or "walk"; None if no compiled one does.
        is_reference: whether the plain readable engine was asked for by name.
        keep: whether regions are wanted, or only counts.
        budget: the regions of the first task and the most of one.
        most_apart: how many of a task's waiting cells become tasks of their own when it ends.

    Attributes:
        room: how many regions a batch holds unless fewer are wanted.
        keeps: whether regions are wanted, or only counts.
    """

    def __init__(
        self,
        reduction: Reduction,
        whole: Problem,
        kernels: str | None,
        is_reference: bool,
        keep: bool,
        budget: tuple[int, int],
        most_apart: int = SPLIT_OFF,
    ) -> None:
        self.reduction, self.whole = reduction, whole
        self.budget, self._most_apart = budget, most_apart
        self._options = (kernels, is_reference, keep, budget, most_apart)
        self.keeps = keep
        self.room = KEPT_ROOM if keep else COUNTED_ROOM
        problem = reduction.problem
        self.kernels = kernels
        self._compiled = None if kernels is None else _compiled_run(kernels, problem, keep)
        large = not is_reference and is_large_box(problem)
        self._readable = ReadableRun(problem, large) if kernels is None else None

    @property
    def is_compiled(self) -> bool:
        """Whether a compiled engine does it."""
        return self._compiled is not None

    def __reduce__(self) -> tuple[Any, ...]:
        """What travels is the plain data: the rest is made anew, once for each process."""
        reduction, whole = self.reduction, self.whole
        smaller = None if reduction.problem is whole else replace(reduction.problem.network)
        return _job, (
            replace(whole.network),
            whole.domain,
            smaller,
            reduction.kept,
            reduction.fixed,
            self._options,
        )

    def tasks(self) -> list[Task]:
        """The tasks to begin with, in the order of the tree."""
        starts: list[Any] = list(self._engine.starts())
        return [Task((i,), start, 1.0 / len(starts)) for i, start in enumerate(starts)]

    def checked_start(self, arrays: Mapping[str, Any]) -> Any:
        """A compiled engine's start of a task, from arrays that may be anything.

        Raises:
            ValueError, KeyError, TypeError: it is none of this job's.
        """
        if self._compiled is None:
            raise ValueError("the start of a task of another engine")
        return self._compiled.checked_start(arrays)

    @property
    def _engine(self) -> Any:
        return self._compiled or self._readable

    def no_counts(self) -> LayerCount:
        """Nothing counted yet."""
        return LayerCount.none(self._engine.ends)

    def open(self, task: Task) -> TaskRun:
        """Get ready to do a task."""
        first, most = self.budget
        generation = len(task.key) - 1
        budget = min(first << generation, most)
        score = Score()
        if self._compiled is not None:
            referee = Referee(self.reduction.problem.solid.bounds, score=score)
            return TaskRun(
                self, task, self._compiled.part(task.start, referee, budget, self._most_apart), score
            )
        return TaskRun(self, task, self._engine.part(task.start, score, budget, self._most_apart), score)

    def share(self, start: Any) -> float:
        """The part of the whole tree that is below a start."""
        share: float = self._engine.share(start)
        return share

    def place(self, start: Any) -> tuple[int, int]:
        """The layer that the last cell of a start is in, and how many neurons of it may still cut that cell."""
        place: tuple[int, int] = self._engine.place(start)
        return place


class TaskRun:
    """A task at work."""

    def __init__(self, job: Job, task: Task, part: Part, score: Score) -> None:
        self._job, self._task, self._part, self._score = job, task, part, score

    def batches(self, room: Callable[[], int]) -> Iterator[Batch]:
        """Its regions, with the bits of all neurons, at most `room()` at a time."""
        key, pace = self._task.key, Pace(FIRST_ROOM if self._job.is_compiled else 1)
        for i, batch in enumerate(self._part.batches(lambda: min(room(), pace.room))):
            pace.ends()
            yield replace(self._job.reduction.whole(batch), place=(*key, -1, i))
            pace.begins()

    def outcome(self, batch: Batch | None) -> Outcome:
        """What came of it, once there are no more batches or nobody wants them."""
        part, key = self._part, self._task.key
        rest = [Task((*key, i), start, self._job.share(start)) for i, start in enumerate(part.rest)]
        return Outcome(key, batch, rest, part.counts, self._score, part.in_order)


class Pace:
    """How many regions a batch may hold, so that each takes about a tenth of a second: between them a run is stopped.

    Attributes:
        room: how many.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.begins()

    def begins(self) -> None:
        """A batch is begun."""
        self._start = monotonic()

    def ends(self) -> None:
        """It is done: the next may be larger if it took little time, and is smaller if it took much."""
        seconds = monotonic() - self._start
        if seconds < BATCH_SECONDS / 2:
            self.room *= 2
        elif seconds > 2 * BATCH_SECONDS:
            self.room = max(1, self.room // 2)


def _compiled_run(kernels: str, problem: Problem, keep: bool) -> WalkRun | CellsRun:
    if kernels == "cells":
        from polyregions.engine.cells.driver import CellsRun  # numba takes half a second to import

        return CellsRun(problem, keep)
    from polyregions.engine.walk.driver import WalkRun

    return WalkRun(problem, keep)


def _job(
    network: Network,
    domain: Domain,
    smaller: Network | None,
    kept: Ints,
    fixed: Bytes,
    options: tuple[str | None, bool, bool, tuple[int, int], int],
) -> Job:
    """A job from what travelled."""
    whole = pose(network, domain)
    problem = whole if smaller is None else replace(whole, network=smaller, inner=smaller)
    return Job(Reduction(problem, kept, fixed), whole, *options)
