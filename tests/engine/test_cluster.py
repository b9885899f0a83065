"""Dask clusters that lose workers, all workers, the scheduler, or have no memory: the same bytes, or a clear end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError as FuturesCancelled
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import polyregions as pr
from polyregions.engine import tally as engine
from polyregions.engine.cluster import hand_over
from polyregions.errors import StoppedError
from polyregions.io.store import shards
from problems import content
from randoms import float_layers, generator

pytest.importorskip("pyarrow")
distributed: Any = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of a cluster that loses a worker
    pytest.mark.xdist_group("dask"),
]
NETWORK, BOX = pr.Network.from_layers(float_layers(generator(2), (4, 12, 10, 1))), pr.Box.cube(-2, 2, 4)
TRIFLE = pr.Network.from_layers(float_layers(generator(3), (4, 3, 1))), BOX
BEGUN = 200  # regions after which something happens


@pytest.fixture(autouse=True, scope="module")
def tiny() -> Iterator[None]:
    """Hundreds of tasks, and many shards."""
    with (
        patch.multiple(engine, COMPILED_BUDGET=(1, 16)),
        patch.multiple(shards, SHARD_ROWS=200, FEWEST_ROWS=200),
    ):
        yield


@pytest.fixture(scope="module")
def whole(tiny: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("cluster") / "whole"
    pr.enumerate_regions(NETWORK, BOX, workers=1, store=folder)
    return content(folder)


def local_cluster(**options: Any) -> Any:
    return distributed.LocalCluster(
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        silence_logs=logging.CRITICAL,
        **{"n_workers": 2, **options},
    )


def once(happens: Callable[[], Any]) -> tuple[Callable[[pr.Progress], None], list[int]]:
    """A progress function that lets something happen once, when the run has begun to give regions."""
    seen: list[int] = []

    def look(progress: pr.Progress) -> None:
        if progress.regions > BEGUN and not seen:
            seen.append(progress.regions)
            happens()

    return look, seen


def resumes(folder: Path, whole: dict[str, bytes]) -> None:
    """What was finished is there, and the same call without the cluster goes on to the same bytes."""
    pr.enumerate_regions(NETWORK, BOX, workers=1, store=folder)
    assert content(folder) == whole


def has_no_workers(cluster: Any) -> bool:
    """Whether the last worker is gone: leaving takes as long as the machine's load makes it take."""
    return not cluster.scheduler.workers


def until(holds: Callable[[], bool]) -> None:
    """Wait, however long it takes."""
    while not holds():
        time.sleep(0.05)


def warm(client: Any, n_workers: int) -> None:
    """Workers that have loaded what tasks need: from then on a task takes a fraction of a second."""
    client.wait_for_workers(n_workers)
    client.run(partial(pr.count_regions, *TRIFLE, workers=1))


@pytest.mark.slow
def test_a_cluster_that_is_scaled_to_nothing_and_back(whole: dict[str, bytes], tmp_path: Path) -> None:
    """Back only when the last worker is gone; nothing here depends on how long anything takes."""
    with local_cluster() as cluster, distributed.Client(cluster) as client:

        def back() -> None:
            until(lambda: has_no_workers(cluster))
            cluster.scale(2)

        def scale() -> None:
            cluster.scale(0)
            threading.Thread(target=back).start()

        look, seen = once(scale)
        found = pr.enumerate_regions(
            NETWORK, BOX, executor=client.get_executor(), store=tmp_path / "a", progress=look
        )
    assert seen and found.complete
    assert content(tmp_path / "a") == whole


@pytest.mark.slow
def test_a_cluster_that_is_scaled_to_nothing(whole: dict[str, bytes], tmp_path: Path) -> None:
    """And not back: a clear end after the limit, which begins once there is no worker."""
    with local_cluster() as cluster, distributed.Client(cluster) as client:
        warm(client, 2)

        def scale() -> None:
            cluster.scale(0)
            until(lambda: has_no_workers(cluster))

        look, seen = once(scale)
        with pytest.raises(StoppedError, match="the cluster has no worker"):
            pr.enumerate_regions(
                NETWORK,
                BOX,
                executor=client.get_executor(),
                store=tmp_path / "a",
                progress=look,
                stall_limit=10,
            )
    assert seen
    assert len(pr.load_regions(tmp_path / "a")) > BEGUN
    resumes(tmp_path / "a", whole)


SCHEDULER = """
import sys
from distributed import Nanny, Scheduler
from distributed.cli.dask_scheduler import main
main(["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", sys.argv[1]])
"""


def test_a_scheduler_that_is_killed(whole: dict[str, bytes], tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    path = os.pathsep.join([str(Path(__file__).parents[1] / "common"), str(Path(pr.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "5s"}
    words = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(file), "--no-nanny"]
    quiet: dict[str, Any] = {"env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([sys.executable, "-c", SCHEDULER, str(file)], **quiet)
    worker = subprocess.Popen([*words, "--nthreads", "1", "--death-timeout", "60", "--no-dashboard"], **quiet)
    try:
        with distributed.Client(scheduler_file=str(file), timeout="60s") as client:
            client.wait_for_workers(1, timeout=120)
            client._timeout = 3.0  # for connecting again
            look, seen = once(scheduler.kill)
            start = time.monotonic()
            with pytest.raises(StoppedError, match="the scheduler of the cluster is lost"):
                pr.enumerate_regions(
                    NETWORK, BOX, executor=client.get_executor(), store=tmp_path / "a", progress=look
                )
            assert seen and time.monotonic() - start < 300  # far below the stall limit: the loss is noticed
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert len(pr.load_regions(tmp_path / "a")) > BEGUN
    resumes(tmp_path / "a", whole)


def test_a_cluster_that_is_closed(whole: dict[str, bytes], tmp_path: Path) -> None:
    cluster = local_cluster()
    try:
        with distributed.Client(cluster) as client:
            look, seen = once(lambda: threading.Thread(target=cluster.close).start())
            with pytest.raises(StoppedError, match="the scheduler of the cluster is lost|took no task"):
                pr.enumerate_regions(
                    NETWORK, BOX, executor=client.get_executor(), store=tmp_path / "a", progress=look
                )
            assert seen
    finally:
        cluster.close()
    resumes(tmp_path / "a", whole)


@pytest.mark.slow
def test_workers_without_enough_memory(whole: dict[str, bytes], tmp_path: Path) -> None:
    """They are paused or killed by their nannies before they have done anything."""
    with (
        local_cluster(memory_limit="150MB") as cluster,
        distributed.Client(cluster) as client,
        pytest.raises(StoppedError, match="memory|the cluster"),
    ):
        pr.enumerate_regions(
            NETWORK, BOX, executor=client.get_executor(), store=tmp_path / "a", stall_limit=10
        )
    resumes(tmp_path / "a", whole)


class LeftBehind:
    """A future of Dask whose worker leaves just when its result is here."""

    status = "lost"

    def __init__(self, outcome: object) -> None:
        self.outcome = outcome

    async def result(self) -> object:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(
    "outcome", ["a result", ValueError("x"), FuturesCancelled(), asyncio.CancelledError()]
)
def test_a_result_that_has_come_is_a_result_wherever_its_worker_is(outcome: object) -> None:
    """Dask's own executor makes a TypeError of the first: the run ended, though nothing was wrong."""
    future: Future[Any] = Future()
    asyncio.run(hand_over(LeftBehind(outcome), future))
    if isinstance(outcome, str):
        assert future.result(0) == outcome
    elif isinstance(outcome, ValueError):
        assert future.exception(0) is outcome
    else:
        assert future.cancelled()


def killing(cluster: Any, every: float, most: int, stop: threading.Event) -> list[int]:
    """Kill a worker of a cluster every few seconds, the oldest first, `most` times at most."""
    killed: list[int] = []
    while len(killed) < most and not stop.wait(every):
        pids = [nanny.pid for nanny in list(cluster.workers.values()) if getattr(nanny, "pid", None)]
        if pids:
            killed.append(pids[len(killed) % len(pids)])
            try:
                os.kill(killed[-1], signal.SIGKILL)
            except ProcessLookupError:
                killed.pop()
    return killed


def run_while_killing(folder: Path, most: int, whole: dict[str, bytes]) -> int:
    """The run ends with the same bytes, or clearly and goes on to them; how many workers were killed."""
    stop, killed = threading.Event(), list[int]()
    with local_cluster(n_workers=3) as cluster, distributed.Client(cluster) as client:
        killer = threading.Thread(target=lambda: killed.extend(killing(cluster, 1.0, most, stop)))
        look, _ = once(killer.start)
        try:
            pr.enumerate_regions(
                NETWORK,
                BOX,
                executor=client.get_executor(),
                store=folder,
                progress=look,
                stall_limit=30,
            )
        except StoppedError as error:
            assert "what is finished is kept" in str(error)
        finally:
            stop.set()
            if killer.is_alive():
                killer.join()
    resumes(folder, whole)
    return len(killed)


@pytest.mark.slow
def test_a_worker_is_killed_each_second(whole: dict[str, bytes], tmp_path: Path) -> None:
    run_while_killing(tmp_path / "a", 3, whole)


@pytest.mark.slow
def test_a_worker_is_killed_each_second_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until there is an end: tasks are so small that the run takes minutes."""
    monkeypatch.setattr(engine, "COMPILED_BUDGET", (1, 2))
    pr.enumerate_regions(NETWORK, BOX, workers=1, store=tmp_path / "whole")
    assert run_while_killing(tmp_path / "a", 10**6, content(tmp_path / "whole")) > 3
