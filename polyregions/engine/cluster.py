"""A Dask cluster that does tasks: workers come and go, and all of it may be lost."""

from __future__ import annotations

import asyncio
import pickle
from collections import Counter
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from time import monotonic
from typing import Any, Final

from polyregions.engine.job import Job, Outcome, Task
from polyregions.engine.perform import perform_unpacked, run_of
from polyregions.errors import KEPT, StoppedError

ASK_AGAIN = 5.0  # seconds after which a cluster is asked for its size again
ANSWERS_WITHIN: Final = 5.0  # seconds
CANCELLED: Final = (CancelledError, asyncio.CancelledError)  # the first is that of Dask's futures
LOST: Final = ("cancelled", "lost", "error")


class Cluster:
    """A Dask cluster: the job travels once to each worker, results come here as soon as there are any.

    The packed job is the result of a task of its own: the scheduler sees to it that workers have it, and makes it anew
    if all of them are lost.

    Args:
        executor: what ``dask.distributed.Client.get_executor()`` gives.
        workers: how many tasks at a time; None for as many as the cluster has threads, whenever there are more.

    Raises:
        StoppedError: the cluster takes nothing.
    """

    is_foreign = True

    def __init__(self, job: Job, executor: Any, workers: int | None) -> None:
        self._packed, self._executor, self._workers = pickle.dumps(job), executor, workers
        self.run = run_of(self._packed)
        self.losses = _losses()
        self._client = executor._client
        self._asked, self._size = -ASK_AGAIN, 1
        self._sent: Any = None

    @property
    def size(self) -> int:
        """How many threads the cluster has now; none while the scheduler does not answer.

        Raises:
            StoppedError: the scheduler is lost for good.
        """
        status = self._client.status
        if status != "running":
            if status in ("closed", "closing"):
                raise StoppedError(f"the scheduler of the cluster is lost, or its client closed; {KEPT}")
            return 0
        if self._workers is not None:
            return self._workers
        if monotonic() - self._asked > ASK_AGAIN:
            self._asked = monotonic()
            self._size = sum(worker.get("nthreads", 0) for worker in self._known_workers().values())
        return self._size

    def _known_workers(self) -> dict[str, Any]:
        """What the scheduler says of its workers; nothing if it does not answer."""
        try:
            client = self._client
            found = client.sync(client.scheduler.identity, n_workers=-1, callback_timeout=ANSWERS_WITHIN)
            workers: dict[str, Any] = found["workers"]
        except (Exception, asyncio.CancelledError):  # of many kinds, and the same to us
            return {}
        return workers

    def submit(self, task: Task) -> Future[Outcome]:
        """Hand out a task; if the job was lost, it is sent again."""
        if self._sent is None or self._sent.status in LOST:
            self._sent = self._client.submit(bytes, self._packed, pure=False)
        options = {**self._executor._kwargs, "pure": False}  # what get_executor was given, such as priority
        asked = self._client.submit(perform_unpacked, self._sent, task, **options)
        future: Future[Outcome] = Future()
        self._client.loop.add_callback(hand_over, asked, future)
        return future

    def trouble(self) -> str:
        """What there is of workers."""
        if self._client.status != "running":
            return "the scheduler does not answer"
        workers = self._known_workers()
        if not workers:
            return "the cluster has no worker"
        states = Counter(str(worker.get("status")) for worker in workers.values())
        listed = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
        hint = " (paused: their memory limit is too low, see docs/cluster.md)" if states["paused"] else ""
        return f"the cluster's workers: {listed}{hint}"

    def close(self) -> None:
        """Let go of the job."""
        self._sent = None


async def hand_over(asked: Any, future: Future[Outcome]) -> None:
    """Wait for a future of Dask, on its event loop, and hand its outcome to one of ours.

    Dask's own executor looks at the status once it has the result. If the worker has left meanwhile the status is
    "lost", and a good result becomes a TypeError.
    """
    try:
        outcome = await asked.result()
    except CANCELLED:
        future.cancel()
        future.set_running_or_notify_cancel()  # wakes those who wait
    except Exception as error:
        future.set_exception(error)
    else:
        future.set_result(outcome)


def is_cluster(executor: Executor) -> bool:
    """Whether an executor is that of a Dask client."""
    return hasattr(getattr(executor, "_client", None), "scatter")


def _losses() -> tuple[type[BaseException], ...]:
    from distributed.scheduler import KilledWorker  # there, for its client is

    return (
        BrokenExecutor,
        OSError,
        KilledWorker,
    )  # of a connection: TimeoutError, CommClosedError are OSErrors
