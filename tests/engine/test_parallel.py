"""Many workers: the same files to the last bit, whoever does the tasks, and whoever dies."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli import main
from polyregions.engine import parallel
from polyregions.engine import tally as engine
from polyregions.engine.batches import LayerCount
from polyregions.engine.job import Job
from polyregions.errors import OptionError, StoppedError
from problems import EVERY, PROBLEMS, Reversed, file_of, names, wait_until
from random_networks import random_domain, random_network
from randoms import float_layers, generator
from truth import ARRANGEMENTS, FORMULA_NETWORKS, arrangement_network, formula_network, name_of


@pytest.fixture
def tiny_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of tasks in small networks."""
    monkeypatch.setattr(engine, "COMPILED_BUDGET", (1, 8))
    monkeypatch.setattr(engine, "READABLE_BUDGET", (1, 4))


# ---------------------------------------------------------------- the same bytes


@EVERY
def test_files_are_the_same_for_any_number_of_threads(name: str, tiny_tasks: None, tmp_path: Path) -> None:
    files = {file_of(pr.enumerate_regions(*PROBLEMS[name], workers=n), tmp_path) for n in (1, 2, 4)}
    assert len(files) == 1


@EVERY
def test_files_are_the_same_in_any_order_of_tasks_that_travel(
    name: str, tiny_tasks: None, tmp_path: Path
) -> None:
    executor = Reversed()
    one = pr.enumerate_regions(*PROBLEMS[name], workers=1)
    many = pr.enumerate_regions(*PROBLEMS[name], executor=executor)
    assert file_of(one, tmp_path) == file_of(many, tmp_path)
    assert executor.submitted > min(10, len(one) // 8)


@pytest.mark.parametrize("name", ["generic", "degenerate 0", "flat"])
def test_files_of_the_readable_engine_are_the_same_too(name: str, tiny_tasks: None, tmp_path: Path) -> None:
    one = pr.enumerate_regions(*PROBLEMS[name], engine="highs", workers=1)
    many = pr.enumerate_regions(*PROBLEMS[name], engine="highs", executor=Reversed())
    assert file_of(one, tmp_path) == file_of(many, tmp_path)


def test_files_are_the_same_for_large_tasks_and_real_processes(tmp_path: Path) -> None:
    network, box = pr.Network.from_layers(float_layers(generator(2), (4, 14, 12, 1))), pr.Box.cube(-2, 2, 4)
    one = file_of(pr.enumerate_regions(network, box, workers=1), tmp_path)
    assert one == file_of(pr.enumerate_regions(network, box, workers=3), tmp_path)
    with ProcessPoolExecutor(2) as executor:
        assert one == file_of(pr.enumerate_regions(network, box, executor=executor), tmp_path)


def test_the_readable_engine_uses_processes_of_its_own(tmp_path: Path) -> None:
    network = pr.Network.from_layers(float_layers(generator(3), (2, 6, 5, 1)))
    box = pr.Box.cube(-2, 2, 2)
    one, two = (pr.enumerate_regions(network, box, engine="highs", workers=n) for n in (1, 2))
    assert file_of(one, tmp_path) == file_of(two, tmp_path)


def test_large_boxes_are_shared_out(tiny_tasks: None, tmp_path: Path) -> None:
    rng = generator(5)
    network = pr.Network.from_layers(float_layers(rng, (40, 5, 4, 1)))
    box = pr.Box.cube(-0.1, 0.1, 40)
    one, many = (
        pr.enumerate_regions(network, box, workers=1),
        pr.enumerate_regions(network, box, executor=Reversed()),
    )
    assert file_of(one, tmp_path) == file_of(many, tmp_path)
    assert np.array_equal(
        one.patterns, pr.enumerate_regions(network, box, engine="highs", workers=1).patterns
    )


# ---------------------------------------------------------------- the same regions as others found


@pytest.mark.parametrize("entry", FORMULA_NETWORKS, ids=name_of)
def test_the_ground_truth_of_networks_in_hundreds_of_tasks(entry: dict[str, Any], tiny_tasks: None) -> None:
    box = pr.Box(entry["lo"], entry["hi"])
    tally = pr.tally_regions(formula_network(entry), box, executor=ThreadPoolExecutor(3))
    assert (tally.regions, tally.complete) == (entry["cells"], True)


@pytest.mark.parametrize("entry", [e for e in ARRANGEMENTS if e["ambient_dim"] <= 4][::3], ids=name_of)
def test_the_ground_truth_of_arrangements_in_many_tasks(entry: dict[str, Any], tiny_tasks: None) -> None:
    space = pr.WholeSpace(entry["ambient_dim"])
    expected = pr.tally_regions(arrangement_network(entry), space, workers=1).regions
    assert pr.tally_regions(arrangement_network(entry), space, workers=3).regions == expected


@pytest.mark.parametrize("name", names("generic, whole space"))  # HiGHS is slow
@pytest.mark.parametrize("compact_at", [0, 10**6])
def test_layers_are_counted_once(
    name: str, compact_at: int, tiny_tasks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell of an early layer that several tasks look into is one cell."""
    monkeypatch.setattr(parallel, "COMPACT_AT", compact_at)
    regions = pr.enumerate_regions(*PROBLEMS[name], engine="highs", workers=1)
    expected = [len(np.unique(regions.patterns[:, :end], axis=0)) for _, end in regions.network.layer_spans]
    for crew in ({"workers": 1}, {"workers": 3}, {"executor": Reversed()}):
        tally = pr.tally_regions(*PROBLEMS[name], **crew)
        assert list(tally.after_each_layer) == expected


def test_counts_of_parts_add_up_to_the_count_of_the_whole() -> None:
    rng = generator(7)
    ends = np.array([0, 2, 2, 5])
    patterns = np.unique(rng.integers(0, 2, (20, 5)).astype(np.uint8), axis=0)
    expected = [len(np.unique(patterns[:, :end], axis=0)) for end in ends]
    for cuts in ([0, 20], [0, 1, 5, 5, 20], list(range(21))):
        total = LayerCount.none(ends)
        for low, high in zip(cuts, cuts[1:], strict=False):
            part = LayerCount.none(ends)
            for bits in patterns[low:high]:
                part.add(bits)
            total.append(part)
        assert total.after.tolist() == expected


@pytest.mark.parametrize("seed", range(2, 12))
def test_random_problems_in_tiny_tasks_and_in_one(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all kinds; in many of them thin cells are delegated to the readable engine in the middle of a task."""
    rng = np.random.default_rng(seed)
    network = random_network(rng)
    domain = random_domain(rng, network.n_inputs)
    one = pr.enumerate_regions(network, domain, workers=1)
    monkeypatch.setattr(engine, "COMPILED_BUDGET", (1, 2))
    monkeypatch.setattr(engine, "READABLE_BUDGET", (1, 2))
    tiny = pr.enumerate_regions(network, domain, workers=1)
    assert np.array_equal(one.packed, tiny.packed)
    assert np.array_equal(one.packed_cuts, tiny.packed_cuts)
    many = pr.enumerate_regions(network, domain, executor=Reversed())
    assert file_of(tiny, tmp_path) == file_of(many, tmp_path)
    tallies = [
        pr.tally_regions(network, domain, **crew) for crew in ({"workers": 1}, {"executor": Reversed()})
    ]
    assert tallies[0] == tallies[1]
    assert list(tallies[0].after_each_layer) == one.regions_after_each_layer()


# ---------------------------------------------------------------- stopping


def test_a_limit_gives_the_first_regions_whatever_the_workers(tiny_tasks: None) -> None:
    everything = pr.enumerate_regions(*PROBLEMS["generic"], workers=1)
    for n in (0, 1, 7, 100):
        some = pr.enumerate_regions(*PROBLEMS["generic"], workers=4, max_regions=n)
        assert not some.complete
        assert np.array_equal(some.packed, everything.packed[:n])
        assert np.array_equal(some.local_points, everything.local_points[:n])


def test_a_stopped_run_keeps_what_is_finished(tiny_tasks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polyregions.progress.REPORT_EVERY", 0.0)
    everything = pr.enumerate_regions(*PROBLEMS["generic"], workers=1)
    seen: list[pr.Progress] = []

    def stop_at_50(progress: pr.Progress) -> bool:
        seen.append(progress)
        return progress.regions < 50

    some = pr.enumerate_regions(*PROBLEMS["generic"], workers=3, progress=stop_at_50)
    assert not some.complete
    assert 50 <= len(some) < len(everything)
    assert set(map(bytes, some.packed)) <= set(map(bytes, everything.packed))
    assert sorted(map(bytes, some.packed)) == list(map(bytes, some.packed))
    tally = pr.tally_regions(*PROBLEMS["generic"], workers=3, progress=lambda progress: progress.regions < 50)
    assert not tally.complete
    assert 50 <= tally.regions == tally.after_each_layer[-1] < len(everything)
    assert all(a.fraction <= b.fraction for a, b in zip(seen, seen[1:], strict=False))


def test_no_thread_is_left(tiny_tasks: None) -> None:
    before = threading.active_count()
    pr.enumerate_regions(*PROBLEMS["generic"], workers=4)
    wait_until(lambda: threading.active_count() <= before)  # timers that are told to end take a moment


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2"])
def test_workers_are_a_number(workers: Any) -> None:
    with pytest.raises(OptionError, match="expected a whole number of at least 1"):
        pr.enumerate_regions(*PROBLEMS["generic"], workers=workers)


def test_an_executor_is_one() -> None:
    with pytest.raises(OptionError, match="executor is a int, expected a concurrent.futures.Executor"):
        pr.count_regions(*PROBLEMS["generic"], executor=3)  # type: ignore[arg-type]


# ---------------------------------------------------------------- workers that die


class Mortal(Executor):
    """Loses every third task with its worker."""

    def __init__(self, error: Exception | None) -> None:
        self.lost, self._count, self._error = 0, 0, error

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._count += 1
        if self._count % 3:
            future.set_result(function(*arguments))
            return future
        self.lost += 1
        if self._error is None:
            future.cancel()
            future.set_running_or_notify_cancel()
        else:
            future.set_exception(self._error)
        return future


@pytest.mark.parametrize("error", [None, BrokenProcessPool("a worker died")])
def test_lost_tasks_are_done_again(error: Exception | None, tiny_tasks: None, tmp_path: Path) -> None:
    executor = Mortal(error)
    many = pr.enumerate_regions(*PROBLEMS["generic"], executor=executor)
    assert executor.lost > 3
    assert file_of(many, tmp_path) == file_of(pr.enumerate_regions(*PROBLEMS["generic"], workers=1), tmp_path)


def test_what_fails_in_a_task_is_told(tiny_tasks: None) -> None:
    class Failing(Mortal):
        def __init__(self) -> None:
            super().__init__(ZeroDivisionError("a bug"))

    with pytest.raises(StoppedError, match="task .* failed with ZeroDivisionError: a bug") as caught:
        pr.enumerate_regions(*PROBLEMS["generic"], executor=Failing())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_killed_process_is_replaced(tmp_path: Path) -> None:
    network = pr.Network.from_layers(float_layers(generator(3), (2, 8, 6, 1)))
    box = pr.Box.cube(-2, 2, 2)
    killed: list[int] = []

    def kill(progress: pr.Progress) -> None:
        import multiprocessing

        children = [child.pid for child in multiprocessing.active_children() if child.pid]
        if children and not killed:
            killed.append(children[0])
            os.kill(children[0], signal.SIGKILL)

    many = pr.enumerate_regions(network, box, engine="highs", workers=2, progress=kill)
    one = pr.enumerate_regions(network, box, engine="highs", workers=1)
    assert killed
    assert file_of(many, tmp_path) == file_of(one, tmp_path)


# ---------------------------------------------------------------- a cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Three worker processes and a scheduler on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
    ) as running:
        yield running


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of a cluster that loses a worker
@pytest.mark.xdist_group("dask")
def test_a_cluster_loses_a_worker_in_the_middle(cluster: Any, tiny_tasks: None, tmp_path: Path) -> None:
    from distributed import Client

    network, box = pr.Network.from_layers(float_layers(generator(2), (4, 11, 9, 1))), pr.Box.cube(-2, 2, 4)
    killed: list[int] = []
    with Client(cluster) as client:
        pids = client.run(os.getpid)

        def kill(progress: pr.Progress) -> None:
            if progress.regions > 300 and not killed:
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)

        many = pr.enumerate_regions(network, box, executor=client.get_executor(), progress=kill)
        wait_until(lambda: not client.futures)
    assert killed
    one = pr.enumerate_regions(network, box, workers=1)
    assert many.complete
    assert file_of(many, tmp_path) == file_of(one, tmp_path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.xdist_group("dask")
def test_the_network_leaves_for_a_cluster_once(
    cluster: Any, tiny_tasks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import Client

    packed: list[int] = []
    reduce = Job.__reduce__

    def noted(self: Job) -> Any:
        packed.append(1)
        return reduce(self)

    monkeypatch.setattr(Job, "__reduce__", noted)
    with Client(cluster) as client:
        pr.count_regions(*PROBLEMS["generic"], executor=client.get_executor())
    assert len(packed) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.xdist_group("dask")
def test_the_command_line_uses_a_cluster(
    cluster: Any, tiny_tasks: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = ["--box", "-2,-1.5", "3,2", "--json"]
    files = []
    for crew in (["--workers", "1"], ["--dask", cluster.scheduler_address]):
        path = tmp_path / "regions.npz"
        assert main(["enumerate", "example:two-moons", *box, *crew, "-o", str(path)]) == 0
        files.append(path.read_bytes())
    assert files[0] == files[1]
    capsys.readouterr()


@pytest.mark.parametrize("address", ["nonsense://there", "a b"])
def test_an_address_without_a_scheduler_is_an_option_error(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    assert main(["count", "example:two-moons", "--box", "-1", "1", "--dask", address]) == 2
    assert f"--dask {address}" in capsys.readouterr().err


def test_nothing_is_left_of_a_client_that_has_found_no_scheduler() -> None:
    """Dask's deadlocks where the garbage collector meets it while another is made."""
    distributed = pytest.importorskip("distributed")
    gc.collect()
    before = sum(issubclass(type(one), distributed.Client) for one in gc.get_objects())
    gc.disable()
    try:
        assert main(["count", "example:two-moons", "--box", "-1", "1", "--dask", "nonsense://there"]) == 2
        assert sum(issubclass(type(one), distributed.Client) for one in gc.get_objects()) == before
    finally:
        gc.enable()


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1.5"])
def test_workers_on_the_command_line_are_a_number(workers: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", "example:two-moons", "--box", "-1", "1", "--workers", workers]) == 2
    assert "expected a whole number of at least 1" in capsys.readouterr().err
