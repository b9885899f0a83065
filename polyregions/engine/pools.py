"""Whoever does tasks: threads, processes, somebody else's executor, a cluster."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from multiprocessing.queues import SimpleQueue
from threading import Event, Thread
from typing import Final, Protocol
from uuid import uuid4

from polyregions.engine.cluster import Cluster, is_cluster
from polyregions.engine.job import Job, Outcome, Task
from polyregions.engine.perform import perform, perform_unpacked, run_of
from polyregions.errors import OptionError

CLOSES_WITHIN: Final = 0.2
"""Seconds that threads are waited for once nobody wants what they do."""


class Pool(Protocol):
    """Whoever does tasks.

    Attributes:
        run: what the outcomes of this run carry.
        is_foreign: whether somebody else's code is between us and our tasks.
        losses: errors that say that a task's worker was lost, not that the task failed.
    """

    run: str
    is_foreign: bool
    losses: tuple[type[BaseException], ...]

    @property
    def size(self) -> int:
        """How many tasks can be done at a time; 0 for none at the moment."""

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""

    def trouble(self) -> str:
        """Why nothing comes back, as far as that can be known."""

    def close(self) -> None:
        """Stop: what is not finished is not wanted."""


class ThreadPool:
    """Threads of this process: kernels hold no interpreter lock."""

    losses: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, job: Job, executor: Executor | None, workers: int) -> None:
        self._job, self.size, self._stop = job, workers, Event()
        self.run, self.is_foreign = uuid4().hex, executor is not None
        self._own = ThreadPoolExecutor(workers, "polyregions") if executor is None else None
        self._executor = executor or self._own
        self._out: list[Future[Outcome]] = []

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""
        assert self._executor is not None
        future = self._executor.submit(perform, self._job, task, self.run, self._stop)
        if self._own is not None:
            self._out = [*(one for one in self._out if not one.done()), future]
        return future

    def trouble(self) -> str:
        """Nothing is known."""
        return ""

    def close(self) -> None:
        """Stop within a batch; a thread that compiles meanwhile is not waited for."""
        self._stop.set()
        if self._own is not None:
            self._own.shutdown(wait=False, cancel_futures=True)
            wait(self._out, timeout=CLOSES_WITHIN)


_jobs: dict[str, Job] = {}  # in a worker process: the one job that it was started for


def _start_process(packed: SimpleQueue[bytes]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent decides
    _jobs["job"] = pickle.loads(packed.get())


def _feed(packed: SimpleQueue[bytes], data: bytes, n: int) -> None:
    """Put the same data into a queue n times, which may be closed meanwhile."""
    with suppress(OSError, TypeError):
        for _ in range(n):
            packed.put(data)


def perform_own(task: Task) -> Outcome:
    """Do one task of the job that this process was started for."""
    return perform(_jobs["job"], task)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Processes that are started inside hear no Ctrl-C, not even while they start."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ProcessPool:
    """Processes of this machine, started anew if one of them dies."""

    run, is_foreign = "", False
    losses: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, job: Job, workers: int) -> None:
        self._data, self.size = pickle.dumps(job), workers
        self._pool = self._start()

    def _start(self) -> ProcessPoolExecutor:
        """New processes. Starting one would wait until it has read its arguments, so the job comes after it."""
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self._packed = context.SimpleQueue()
        feed = (self._packed, self._data, self.size)
        Thread(target=_feed, args=feed, name="polyregions job", daemon=True).start()
        return ProcessPoolExecutor(self.size, context, _start_process, (self._packed,))

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""
        with _without_interrupts():
            try:
                return self._pool.submit(perform_own, task)
            except BrokenExecutor:
                self.close()
                self._pool = self._start()
                return self._pool.submit(perform_own, task)

    def trouble(self) -> str:
        """Nothing is known."""
        return ""

    def close(self) -> None:
        """End the processes, in the midst of their tasks."""
        for process in list((self._pool._processes or {}).values()):  # `kill_workers` is of Python 3.14
            process.kill()
        self._pool.shutdown(cancel_futures=True)
        self._packed.close()


class ForeignExecutor:
    """An executor from elsewhere, such as `mpi4py.futures`; the job travels with each task, packed."""

    is_foreign = True
    losses: tuple[type[BaseException], ...] = (BrokenExecutor,)

    def __init__(self, job: Job, executor: Executor, workers: int) -> None:
        self._packed, self._executor, self.size = pickle.dumps(job), executor, workers
        self.run = run_of(self._packed)
        self._out: list[Future[Outcome]] = []

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task."""
        self._out = [future for future in self._out if not future.done()]
        future = self._executor.submit(perform_unpacked, self._packed, task)
        if isinstance(future, Future):
            self._out.append(future)
        return future

    def trouble(self) -> str:
        """How many tasks have begun."""
        running = sum(future.running() for future in self._out)
        return f"the executor says that {running} of {len(self._out)} tasks are being done"

    def close(self) -> None:
        """Take back what nobody has begun; the executor is not ours."""
        for future in self._out:
            future.cancel()


def pool_for(job: Job, executor: Executor | None, workers: int | None, may_start_processes: bool) -> Pool:
    """Whoever does the tasks of a job: an executor's workers, or new threads or processes.

    Raises:
        StoppedError: a cluster takes nothing.
    """
    if executor is None:
        n = workers or (cores() if job.is_compiled or may_start_processes else 1)
        return ThreadPool(job, None, n) if job.is_compiled or n == 1 else ProcessPool(job, n)
    if is_cluster(executor):
        return Cluster(job, executor, workers)
    n = workers or getattr(executor, "_max_workers", None) or cores()
    if isinstance(executor, ThreadPoolExecutor):
        return ThreadPool(job, executor, n)
    return ForeignExecutor(job, executor, n)


def cores() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_workers(executor: object, workers: object, stall_limit: object) -> None:
    """Refuse what cannot do tasks.

    Raises:
        OptionError: no executor, no number of workers, or no time to wait.
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise OptionError(f"executor is a {type(executor).__name__}, expected a concurrent.futures.Executor")
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise OptionError(f"workers is {workers!r}, expected a whole number of at least 1")
    if not (isinstance(stall_limit, int | float) and stall_limit > 0):
        raise OptionError(f"stall_limit is {stall_limit!r}, expected a number of seconds above 0")
