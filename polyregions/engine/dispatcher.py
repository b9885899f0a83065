"""Tasks that are handed out, and what comes back: believed only if it is what was asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from time import monotonic, sleep
from typing import Any

import numpy as np

from polyregions.engine.batches import Batch, LayerCount
from polyregions.engine.job import Job, Outcome, Task
from polyregions.engine.pools import Pool
from polyregions.errors import KEPT, PolyregionsError, StoppedError
from polyregions.polyhedra.oracle.referee import Score
from polyregions.progress import REPORT_EVERY

AHEAD = 2  # tasks handed out for each worker, so that none waits for the next
FEW = 4  # waiting tasks a worker: with fewer the largest is done next, else the first in the tree
SAY_AFTER = 60.0  # seconds without any outcome after which it is said that an executor is waited for
ATTEMPTS = 4  # times that a task is handed out if its workers die


class Dispatcher:
    """Hands tasks to a pool, and takes their outcomes.

    Args:
        pool: whoever does them.
        job: what they are tasks of.
        waiting: tasks to be done, the last one first in the tree; taken from it as they are handed out.
        stall_limit: seconds without any outcome, while tasks are out, after which nobody waits any longer.
    """

    def __init__(self, pool: Pool, job: Job, waiting: list[Task], stall_limit: float) -> None:
        self._pool, self._job, self._waiting, self._limit = pool, job, waiting, stall_limit
        self._out: dict[Future[Outcome], tuple[Task, int]] = {}
        self._again: list[tuple[Task, int]] = []
        self._idle, self._has_said = 0.0, False

    @property
    def is_busy(self) -> bool:
        """Whether anything is still to be done."""
        return bool(self._waiting or self._out or self._again)

    def unfinished(self) -> list[tuple[int, ...]]:
        """The keys of all tasks that are not finished."""
        handed = (task for task, _ in (*self._out.values(), *self._again))
        return [task.key for task in (*self._waiting, *handed)]

    def hand_out(self) -> None:
        """As many tasks as the pool should have.

        Raises:
            StoppedError: an executor takes none.
        """
        while self._again and len(self._out) < AHEAD * self._pool.size:
            self._submit(*self._again.pop())
        while self._waiting and len(self._out) < AHEAD * self._pool.size:
            self._submit(_next(self._waiting, FEW * self._pool.size), 1)

    def _submit(self, task: Task, attempt: int) -> None:
        try:
            future: Any = self._pool.submit(task)
        except PolyregionsError:
            raise
        except Exception as error:
            if not self._pool.is_foreign:
                raise
            raise StoppedError(f"the executor took no task ({_named(error)}); {KEPT}") from error
        if not isinstance(future, Future):
            found = f"gave a {type(future).__name__}, expected a concurrent.futures.Future"
            raise StoppedError(f"the executor's submit {found}; {KEPT}")
        if future in self._out:
            raise StoppedError(f"the executor gave one future for two tasks; {KEPT}")
        self._out[future] = (task, attempt)

    def take_in(self) -> Iterator[Outcome]:
        """The outcomes of a moment, possibly none.

        Raises:
            StoppedError: nothing comes back any more, a task was lost too often, or what came is not its outcome.
        """
        start = monotonic()
        if self._out:
            wait(self._out, timeout=REPORT_EVERY, return_when=FIRST_COMPLETED)
        else:
            sleep(REPORT_EVERY)  # nobody is there to do tasks
        done = [
            future for future in self._out if future.done()
        ]  # also cancelled ones that nobody was told of
        if not done:
            self._has_waited(monotonic() - start)
        for future in done:
            task, attempt = self._out.pop(future)
            outcome = self._outcome(future, task, attempt)
            if outcome is not None:
                self._idle, self._has_said = 0.0, False
                yield outcome

    def _has_waited(self, seconds: float) -> None:
        """Time in which nothing came back; what others do between two looks does not count."""
        self._idle += seconds
        if not self._pool.is_foreign:
            return
        if self._idle > self._limit:
            raise StoppedError(f"{self._stalled(self._limit)} (stall_limit); {KEPT}")
        if self._idle > SAY_AFTER and not self._has_said:
            self._has_said = True
            logging.getLogger("polyregions").warning(
                "%s; waits for %g seconds at most (stall_limit)", self._stalled(SAY_AFTER), self._limit
            )

    def _stalled(self, seconds: float) -> str:
        trouble = self._pool.trouble()
        known = f"{trouble}; " if trouble else ""
        return f"no task came back for {seconds:g} seconds: {known}{len(self._out)} tasks are out"

    def _outcome(self, future: Future[Outcome], task: Task, attempt: int) -> Outcome | None:
        """What came of a task; None if it was lost with its worker and has to be done again."""
        error = None if future.cancelled() else future.exception()
        if not future.cancelled() and error is None:
            outcome = future.result()
            if self._pool.is_foreign:
                check_outcome(outcome, task, self._job, self._pool.run)
            return outcome
        if error is None or isinstance(error, self._pool.losses):
            if attempt < ATTEMPTS:
                self._again.append((task, attempt + 1))
                return None
            why = f" ({_named(error)}); too little memory? see docs/cluster.md" if error else ""
            raise StoppedError(f"a task lost its worker {attempt} times{why}; {KEPT}")
        if (
            not self._pool.is_foreign
            or isinstance(error, PolyregionsError)
            or not isinstance(error, Exception)
        ):
            raise error
        raise StoppedError(f"task {_named_key(task)} failed with {_named(error)}; {KEPT}") from error


def check_outcome(outcome: object, task: Task, job: Job, run: str) -> None:
    """Refuse what is not the outcome of a task, or cannot be.

    Raises:
        StoppedError: says what the executor gave.
    """
    if not isinstance(outcome, Outcome):
        found = f"a {type(outcome).__name__}"
    elif type(outcome.key) is not tuple or outcome.key != task.key:
        found = "the outcome of another task"
    elif type(outcome.run) is not str or outcome.run != run:
        found = "the outcome of another run"
    elif not _is_whole(outcome, job):
        found = "a damaged outcome"
    else:
        return
    raise StoppedError(f"the executor gave {found}, expected the outcome of task {_named_key(task)}; {KEPT}")


def _is_whole(outcome: Outcome, job: Job) -> bool:
    """Whether the parts of an outcome are there, and fit each other."""
    batch, counts, rest = outcome.batch, outcome.counts, outcome.rest
    kinds = isinstance(batch, Batch) and isinstance(counts, LayerCount) and isinstance(rest, list)
    if not kinds or not isinstance(outcome.score, Score) or not all(isinstance(task, Task) for task in rest):
        return False
    assert batch is not None
    none = job.no_counts()
    try:
        lengths = {len(batch.bits), len(batch.cuts), len(batch.points)}
        same_layers = counts.after.shape == none.after.shape and np.array_equal(counts.ends, none.ends)
        return (
            [task.key for task in rest] == [(*outcome.key, i) for i in range(len(rest))]
            and (lengths == {batch.count} or not (job.keeps or batch.count < 0))
            and same_layers
            and (not len(counts.after) or int(counts.after[-1]) == batch.count)
        )
    except (TypeError, ValueError, AttributeError):
        return False


def _next(waiting: list[Task], few: int) -> Task:
    """Where few wait the one with most below it, to have more soon; else the first in the tree, to keep them few."""
    if len(waiting) < few:
        return waiting.pop(max(range(len(waiting)), key=lambda i: waiting[i].share))
    return waiting.pop()


def _named(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def _named_key(task: Task) -> str:
    return ".".join(map(str, task.key))
