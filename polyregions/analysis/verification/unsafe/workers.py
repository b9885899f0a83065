"""Who looks at parts: this thread, or processes, whose outcomes are handed on in the order of the parts."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import Final, Protocol

from polyregions.analysis.verification.unsafe.look import Looker, Task
from polyregions.analysis.verification.unsafe.part import Outcome, Part
from polyregions.errors import StoppedError

AHEAD: Final = 4
"""Parts a worker that are handed out before the first of them is wanted."""
LOOK_EVERY: Final = 0.1
"""Seconds between two questions whether to go on."""


class Workers(Protocol):
    """Whoever looks."""

    def look(self, parts: Sequence[Part], goes_on: Callable[[], bool]) -> Iterator[Outcome]:
        """An outcome for each part, in order; StoppedError where `goes_on` says no."""


class Alone:
    """This thread."""

    def __init__(self, task: Task) -> None:
        self._looker = Looker(task)

    def look(self, parts: Sequence[Part], goes_on: Callable[[], bool]) -> Iterator[Outcome]:
        """See `Workers`."""
        return (self._looker.look(part, goes_on) for part in parts)


_lookers: dict[str, Looker] = {}  # in a worker process: the one that it was started for


def _start(packed: bytes) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent decides
    _lookers["own"] = Looker(pickle.loads(packed))


def _look(part: Part) -> Outcome:
    return _lookers["own"].look(part)


class Processes:
    """Processes of this machine: what is exact runs in Python, where threads wait for each other."""

    def __init__(self, pool: ProcessPoolExecutor, n: int) -> None:
        self._pool, self._n = pool, n

    def look(self, parts: Sequence[Part], goes_on: Callable[[], bool]) -> Iterator[Outcome]:
        """See `Workers`."""
        left, out = iter(parts), deque[Future[Outcome]]()
        while True:
            for part in islice(left, AHEAD * self._n - len(out)):
                out.append(self._pool.submit(_look, part))
            if not out:
                return
            yield _result(out.popleft(), goes_on)


def _result(future: Future[Outcome], goes_on: Callable[[], bool]) -> Outcome:
    while not wait([future], timeout=LOOK_EVERY).done:
        if not goes_on():
            raise StoppedError("stopped while parts of the input sets were looked at")
    try:
        return future.result()
    except BrokenExecutor as error:
        raise StoppedError(f"a worker process was lost: {error}") from None


@contextmanager
def workers_for(task: Task, n: int) -> Iterator[Workers]:
    """So many workers; none of them goes on after the with block."""
    if n == 1:
        yield Alone(task)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(n, context, _start, (pickle.dumps(task),))
    try:
        yield Processes(pool, n)
    finally:
        for process in list((pool._processes or {}).values()):  # `kill_workers` is of Python 3.14
            process.kill()
        pool.shutdown(cancel_futures=True)
