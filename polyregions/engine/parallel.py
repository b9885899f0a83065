"""Doing the tasks of a job: one after the other, or many at a time by any `concurrent.futures.Executor`.

A task ends after a number of regions and leaves the rest of its subtree as new tasks, the largest part first to be
given away. So nobody has to guess how large subtrees are, and whoever is idle finds work until the end.
"""

from __future__ import annotations

import os
import sys
from bisect import insort
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from dataclasses import asdict
from math import inf
from time import monotonic

from polyregions.engine.batches import Batch, LayerCount
from polyregions.engine.dispatcher import Dispatcher
from polyregions.engine.job import Job, Outcome, Task
from polyregions.engine.pools import cores, pool_for
from polyregions.polyhedra.oracle.referee import Score

PATIENCE = 0.5  # seconds that a run takes before workers are started for it unasked
COMPACT_AT = 512  # counts of tasks kept before neighbours are added up


class Totals:
    """What the finished tasks of a job add up to.

    Attributes:
        score: how questions were settled.
        in_order: whether each task's regions came in lexicographic order.
    """

    def __init__(self, job: Job) -> None:
        self.score = Score()
        self.in_order = True
        self._none = job.no_counts
        self._counts: list[tuple[tuple[int, ...], LayerCount]] = []
        self._most = COMPACT_AT

    def note(self, outcome: Outcome, unfinished: Callable[[], list[tuple[int, ...]]]) -> None:
        """Add a finished task; `unfinished` gives the keys of all that are not, those it left included."""
        for name, value in asdict(outcome.score).items():
            setattr(self.score, name, getattr(self.score, name) + value)
        self.in_order = self.in_order and outcome.in_order
        insort(self._counts, (outcome.key, outcome.counts), key=lambda entry: entry[0])
        if len(self._counts) > self._most:
            self._compact(sorted(unfinished()))
            self._most = COMPACT_AT + 2 * len(self._counts)

    def _compact(self, unfinished: list[tuple[int, ...]]) -> None:
        """Add up neighbours that no unfinished task comes between; what an unfinished one leaves comes after it."""
        kept: list[tuple[tuple[int, ...], LayerCount]] = []
        barriers = iter([*unfinished, None])
        barrier = next(barriers)
        joins = False
        for key, counts in self._counts:
            while barrier is not None and barrier < key:
                barrier, joins = next(barriers), False
            if joins:
                kept[-1][1].append(counts)
            else:
                kept.append((key, counts))
            joins = True
        self._counts = kept

    @property
    def counts(self) -> LayerCount:
        """How many cells there are after each layer."""
        total = self._none()
        for _, counts in self._counts:
            total.append(counts)
        return total


class Plan:
    """When a run goes from one worker to many.

    Args:
        executor: whose workers to use; None for threads or processes of this machine.
        workers: how many; None for all there are, and only once a run has taken a moment.
        limited: whether only the first regions are wanted, which are found one after the other.
        stall_limit: seconds without any outcome after which an executor is not waited for any longer.
    """

    def __init__(
        self, executor: Executor | None, workers: int | None, limited: bool, stall_limit: float = inf
    ) -> None:
        self.executor, self.workers, self._limited = executor, workers, limited
        self.stall_limit = stall_limit
        self._start = monotonic()

    def is_time(self, job: Job) -> bool:
        """Whether to go on with many workers."""
        if self._limited or (self.executor is None and self.workers == 1):
            return False
        if self.executor is not None or self.workers is not None:
            return True
        if cores() == 1 or monotonic() - self._start < PATIENCE:
            return False
        return job.is_compiled or _may_start_processes()


def _may_start_processes() -> bool:
    """Whether a new process may import the main script: ours does nothing then, and a prompt has none."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    package = getattr(getattr(main, "__spec__", None), "name", "") or ""
    return file is None or package == "polyregions.__main__" or os.path.basename(file) == "polyregions"


def batches_of(job: Job, plan: Plan, totals: Totals, room: Callable[[], int]) -> Generator[Batch, None, None]:
    """All regions of a job: in the order of the tree while there is one worker, then as they come."""
    waiting = job.tasks()[::-1]
    done = 0
    while waiting:
        if done and plan.is_time(job):
            for outcome in outcomes_of(job, plan, waiting, totals):
                yield Batch.nothing() if outcome is None else outcome.batch or Batch.nothing()
            return
        run = job.open(waiting.pop())
        try:
            yield from run.batches(room)
        finally:  # also if nobody wants more: what there was counts
            outcome = run.outcome(None)
            waiting.extend(reversed(outcome.rest))
            totals.note(outcome, lambda: [task.key for task in waiting])
        done += 1


def outcomes_of(
    job: Job, plan: Plan, waiting: list[Task], totals: Totals
) -> Generator[Outcome | None, None, None]:
    """What comes of waiting tasks, last one first in the tree, and of all that they leave; now and then None.

    Tasks that are being done when nobody wants more are given up.
    """
    pool = pool_for(job, plan.executor, plan.workers, _may_start_processes())
    dispatcher = Dispatcher(pool, job, waiting, plan.stall_limit)
    try:
        while dispatcher.is_busy:
            dispatcher.hand_out()
            came = False
            for outcome in dispatcher.take_in():
                came = True
                for left in outcome.rest:
                    insort(waiting, left, key=_backwards)
                totals.note(outcome, dispatcher.unfinished)
                yield outcome
            if not came:
                yield None
    finally:
        pool.close()


def _backwards(task: Task) -> tuple[int, ...]:
    """Sorts tasks of which none is part of another against the order of the tree."""
    return tuple(-i for i in task.key)
