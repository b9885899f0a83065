"""Doing the tasks of a job: one after the other, or many at a time by any `concurrent.futures.Executor`.

A task ends after a number of regions and leaves the rest of its subtree as new tasks, the largest part first to be
given away. So nobody has to guess how large subtrees are, and whoever is idle finds work until the end.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from bisect import insort
from collections.abc import Callable, Generator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import asdict
from functools import lru_cache
from threading import Event
from time import monotonic
from typing import Any, Protocol

from polyregions.engine.batches import Batch, LayerCount
from polyregions.engine.job import Job, Outcome, Task
from polyregions.errors import OptionError
from polyregions.oracle.referee import Score
from polyregions.progress import REPORT_EVERY

PATIENCE = 0.5  # seconds that a run takes before workers are started for it unasked
AHEAD = 2  # tasks handed out for each worker, so that none waits for the next
FEW = 4  # waiting tasks a worker: with fewer the largest is done next, else the first in the tree
ATTEMPTS = 4  # times that a task is handed out if its workers die
COMPACT_AT = 512  # counts of tasks kept before neighbours are added up
ASK_AGAIN = 5.0  # seconds after which a cluster is asked for its size again


class Ledger:
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


class Crew(Protocol):
    """Whoever does tasks."""

    @property
    def size(self) -> int:
        """How many tasks can be done at a time."""

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""

    def close(self) -> None:
        """Stop: what is not finished is not wanted."""


def perform(job: Job, task: Task, stop: Event | None = None) -> Outcome:
    """Do one task, here and now, with all its regions."""
    run, batches = job.open(task), []
    for batch in run.batches(lambda: job.room):
        batches.append(batch)
        if stop is not None and stop.is_set():
            break
    return run.outcome(Batch.joined(batches))


def perform_unpacked(packed: bytes, task: Task) -> Outcome:
    """Do one task of a job that travels with it, and is unpacked once in a process."""
    return perform(_unpacked(packed), task)


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> Job:
    job: Job = pickle.loads(packed)
    return job


class Threads:
    """Threads of this process: kernels hold no interpreter lock."""

    def __init__(self, job: Job, executor: Executor | None, workers: int) -> None:
        self._job, self.size, self._stop = job, workers, Event()
        self._own = ThreadPoolExecutor(workers, "polyregions") if executor is None else None
        self._executor = executor or self._own

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""
        assert self._executor is not None
        return self._executor.submit(perform, self._job, task, self._stop)

    def close(self) -> None:
        """Stop within a batch."""
        self._stop.set()
        if self._own is not None:
            self._own.shutdown(cancel_futures=True)


_jobs: dict[str, Job] = {}  # in a worker process: the one job that it was started for


def _start_process(job: Job) -> None:
    _jobs["job"] = job


def perform_own(task: Task) -> Outcome:
    """Do one task of the job that this process was started for."""
    return perform(_jobs["job"], task)


class Processes:
    """Processes of this machine, started anew if one of them dies."""

    def __init__(self, job: Job, workers: int) -> None:
        self._job, self.size = job, workers
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        return ProcessPoolExecutor(self.size, context, _start_process, (self._job,))

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""
        try:
            return self._pool.submit(perform_own, task)
        except BrokenExecutor:
            self._pool.shutdown(cancel_futures=True)
            self._pool = self._start()
            return self._pool.submit(perform_own, task)

    def close(self) -> None:
        """Stop after the tasks that are being done."""
        self._pool.shutdown(cancel_futures=True)


class Others:
    """An executor from elsewhere, such as `mpi4py.futures`; the job travels with each task, packed."""

    def __init__(self, job: Job, executor: Executor, workers: int) -> None:
        self._packed, self._executor, self.size = pickle.dumps(job), executor, workers

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""
        return self._executor.submit(perform_unpacked, self._packed, task)

    def close(self) -> None:
        """Nothing: the executor is not ours."""


class Cluster:
    """A Dask cluster: the job travels once to each worker, results come here as soon as there are any.

    Args:
        executor: what ``dask.distributed.Client.get_executor()`` gives.
        workers: how many tasks at a time; None for as many as the cluster has threads, whenever there are more.
    """

    def __init__(self, job: Job, executor: Any, workers: int | None) -> None:
        self._job, self._executor, self._workers = job, executor, workers
        self._client = executor._client
        self._asked, self._size = -ASK_AGAIN, 1
        self._sent: Any = None
        self._send()

    def _send(self) -> None:
        self._sent = self._client.scatter(self._job, broadcast=True, hash=False)

    @property
    def size(self) -> int:
        """How many threads the cluster has now."""
        if self._workers is not None:
            return self._workers
        if monotonic() - self._asked > ASK_AGAIN:
            self._asked = monotonic()
            self._size = max(1, sum(self._client.ncores().values()))
        return self._size

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task; if the last copy of the job was lost, it is sent again."""
        if self._sent.status in ("cancelled", "lost", "error"):
            self._send()
        future: Future[Outcome] = self._executor.submit(perform, self._sent, task, pure=False)
        return future

    def close(self) -> None:
        """Let go of the job."""
        self._sent = None


def crew_for(job: Job, executor: Executor | None, workers: int | None) -> Crew:
    """Whoever does the tasks of a job: an executor's workers, or new threads or processes."""
    if executor is None:
        n = workers or cores()
        return Threads(job, None, n) if job.walks or n == 1 else Processes(job, n)
    if hasattr(getattr(executor, "_client", None), "scatter"):
        return Cluster(job, executor, workers)
    n = workers or getattr(executor, "_max_workers", None) or cores()
    if isinstance(executor, ThreadPoolExecutor):
        return Threads(job, executor, n)
    return Others(job, executor, n)


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_workers(executor: object, workers: object) -> None:
    """Refuse what cannot do tasks.

    Raises:
        OptionError: no executor, or no number of workers.
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise OptionError(f"executor is a {type(executor).__name__}, expected a concurrent.futures.Executor")
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise OptionError(f"workers is {workers!r}, expected a whole number of at least 1")


class Plan:
    """When a run goes from one worker to many.

    Args:
        executor: whose workers to use; None for threads or processes of this machine.
        workers: how many; None for all there are, and only once a run has taken a moment.
        limited: whether only the first regions are wanted, which are found one after the other.
    """

    def __init__(self, executor: Executor | None, workers: int | None, limited: bool) -> None:
        self.executor, self.workers, self._limited = executor, workers, limited
        self._start = monotonic()

    def is_time(self, job: Job) -> bool:
        """Whether to go on with many workers."""
        if self._limited or (self.executor is None and self.workers == 1):
            return False
        if self.executor is not None or self.workers is not None:
            return True
        if cores() == 1 or monotonic() - self._start < PATIENCE:
            return False
        return job.walks or _may_start_processes()


def _may_start_processes() -> bool:
    """Whether a new process may import the main script: ours does nothing then, and a prompt has none."""
    main = sys.modules.get("__main__")
    file = getattr(main, "__file__", None)
    package = getattr(getattr(main, "__spec__", None), "name", "") or ""
    return file is None or package == "polyregions.__main__" or os.path.basename(file) == "polyregions"


def batches_of(job: Job, plan: Plan, ledger: Ledger, room: Callable[[], int]) -> Generator[Batch, None, None]:
    """All regions of a job: in the order of the tree while there is one worker, then as they come."""
    waiting = job.tasks()[::-1]
    done = 0
    while waiting:
        if done and plan.is_time(job):
            for outcome in outcomes_of(job, plan, waiting, ledger):
                yield Batch.nothing() if outcome is None else outcome.batch or Batch.nothing()
            return
        run = job.open(waiting.pop())
        try:
            yield from run.batches(room)
        finally:  # also if nobody wants more: what there was counts
            outcome = run.outcome(None)
            waiting.extend(reversed(outcome.rest))
            ledger.note(outcome, lambda: [task.key for task in waiting])
        done += 1


def outcomes_of(
    job: Job, plan: Plan, waiting: list[Task], ledger: Ledger
) -> Generator[Outcome | None, None, None]:
    """What comes of waiting tasks, last one first in the tree, and of all that they leave; now and then None.

    Tasks that are being done when nobody wants more are given up.
    """
    crew = crew_for(job, plan.executor, plan.workers)
    out: dict[Future[Outcome], tuple[Task, int]] = {}
    again: list[tuple[Task, int]] = []

    def unfinished() -> list[tuple[int, ...]]:
        return [task.key for task in (*waiting, *(task for task, _ in (*out.values(), *again)))]

    try:
        while waiting or out or again:
            while again and len(out) < AHEAD * crew.size:
                task, attempt = again.pop()
                out[crew.submit(task)] = (task, attempt)
            while waiting and len(out) < AHEAD * crew.size:
                task = _next(waiting, FEW * crew.size)
                out[crew.submit(task)] = (task, 1)
            finished, _ = wait(out, timeout=REPORT_EVERY, return_when=FIRST_COMPLETED)
            if not finished:
                yield None
            for future in finished:
                task, attempt = out.pop(future)
                outcome = _result(future, attempt)
                if outcome is None:
                    again.append((task, attempt + 1))
                    continue
                for left in outcome.rest:
                    insort(waiting, left, key=_backwards)
                ledger.note(outcome, unfinished)
                yield outcome
    finally:
        crew.close()


def _next(waiting: list[Task], few: int) -> Task:
    """Where few wait the one with most below it, to have more soon; else the first in the tree, to keep them few."""
    if len(waiting) < few:
        return waiting.pop(max(range(len(waiting)), key=lambda i: waiting[i].share))
    return waiting.pop()


def _backwards(task: Task) -> tuple[int, ...]:
    """Sorts tasks of which none is part of another against the order of the tree."""
    return tuple(-i for i in task.key)


def _result(future: Future[Outcome], attempt: int) -> Outcome | None:
    """What came of a task; None if it was lost with its worker and has to be done again."""
    lost = future.cancelled() or isinstance(future.exception(), BrokenExecutor)
    if lost and attempt < ATTEMPTS:
        return None
    return future.result()
