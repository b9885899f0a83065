"""Dask clusters that lose workers, all workers, the scheduler, or have no memory: the same bytes, or a clear end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import polyregions as pr
from polyregions.engine import enumerate as engine
from polyregions.errors import StoppedError
from polyregions.io.store import shards
from randoms import float_layers, generator
from test_store import content

pytest.importorskip("pyarrow")
distributed: Any = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of a cluster that loses a worker
    pytest.mark.xdist_group("dask"),
]
NETWORK, BOX = pr.Network.from_layers(float_layers(generator(2), (4, 12, 10, 1))), pr.Box.cube(-2, 2, 4)
BEGUN = 200  # regions after which something happens


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of tasks, and many shards."""
    monkeypatch.setattr(engine, "WALK_BUDGET", (1, 16))
    monkeypatch.setattr(shards, "SHARD_ROWS", 200)
    monkeypatch.setattr(shards, "FEWEST_ROWS", 200)


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    pr.enumerate_regions(NETWORK, BOX, workers=1, store=tmp_path / "whole")
    return content(tmp_path / "whole")


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


@pytest.mark.slow
def test_a_cluster_that_is_scaled_to_nothing_and_back(whole: dict[str, bytes], tmp_path: Path) -> None:
    with local_cluster() as cluster, distributed.Client(cluster) as client:

        def scale() -> None:
            cluster.scale(0)
            threading.Timer(4, cluster.scale, (2,)).start()

        look, seen = once(scale)
        found = pr.enumerate_regions(
            NETWORK, BOX, executor=client.get_executor(), store=tmp_path / "a", progress=look, stall_limit=120
        )
        assert seen and found.complete
        assert content(tmp_path / "a") == whole

        look, seen = once(lambda: cluster.scale(0))  # and not back
        with pytest.raises(StoppedError, match="the cluster has no worker|the cluster's workers"):
            pr.enumerate_regions(
                NETWORK,
                BOX,
                executor=client.get_executor(),
                store=tmp_path / "b",
                progress=look,
                stall_limit=6,
            )
        assert seen
    assert len(pr.load_regions(tmp_path / "b")) > BEGUN
    resumes(tmp_path / "b", whole)


SCHEDULER = """
import sys
from distributed import Nanny, Scheduler
from distributed.cli.dask_scheduler import main
main(["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", sys.argv[1]])
"""


def test_a_scheduler_that_is_killed(whole: dict[str, bytes], tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(pr.__file__).parents[1])])
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
    monkeypatch.setattr(engine, "WALK_BUDGET", (1, 2))
    pr.enumerate_regions(NETWORK, BOX, workers=1, store=tmp_path / "whole")
    assert run_while_killing(tmp_path / "a", 10**6, content(tmp_path / "whole")) > 3
