"""Executors that do not keep their word: one clear error, what is finished is kept, and no region is lost unsaid."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import polyregions as pr
from polyregions.cli import main
from polyregions.engine import tally as engine
from polyregions.errors import OptionError, StoppedError
from polyregions.io.store import shards
from problems import PROBLEMS, content, file_of, same_regions

pytest.importorskip("pyarrow")
NETWORK, BOX = PROBLEMS["flat"]
HONEST = 12  # tasks that are done before something goes wrong


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tasks, and many shards."""
    monkeypatch.setattr(engine, "COMPILED_BUDGET", (1, 8))
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)
    monkeypatch.setattr(shards, "FEWEST_ROWS", 10)


def done(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


def failed(error: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


def cancelled(told: bool) -> Future[Any]:
    future: Future[Any] = Future()
    future.cancel()
    if told:
        future.set_running_or_notify_cancel()
    return future


class Faulty(Executor):
    """Does its first tasks; what it gives then is made from the task's own outcome and the futures before."""

    def __init__(self, then: Callable[[Any, list[Future[Any]]], Any]) -> None:
        self._then, self.given, self.asked = then, [], 0  # type: ignore[var-annotated]

    def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        self.asked += 1
        outcome = function(*arguments, **options)
        future = done(outcome) if self.asked <= HONEST else self._then(outcome, self.given)
        self.given.append(future)
        return future  # type: ignore[no-any-return]


def of_another_run(outcome: Any, _: Any) -> Future[Any]:
    """What the same task gives in another network of the same size."""
    return done(replace(outcome, run="0" * 64))


def in_wrong_order(outcome: Any, given: list[Future[Any]]) -> Future[Any]:
    """Outcomes change places in pairs."""
    if len(given) % 2:
        given[-1].set_result(outcome)
        return done(given[-1].outcome)  # type: ignore[attr-defined]
    future: Any = Future()
    future.outcome = outcome
    return future  # type: ignore[no-any-return]


def never(*_: Any) -> Future[Any]:
    return Future()


def begun_and_never(*_: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future


def refuses(*_: Any) -> Future[Any]:
    raise RuntimeError("cannot schedule new futures after shutdown")


def few_of(outcome: Any, _: Any) -> Future[Any]:
    """A region less."""
    return done(replace(outcome, batch=outcome.batch.first(max(0, outcome.batch.count - 1))))


FAULTS: dict[str, tuple[Callable[..., Any], str]] = {
    "None": (lambda *_: done(None), "gave a NoneType, expected the outcome of task"),
    "a number": (lambda *_: done(3), "gave a int, expected the outcome of task"),
    "its key only": (lambda outcome, _: done(outcome.key), "gave a tuple, expected the outcome of task"),
    "another task": (lambda _, given: done(given[0].result()), "gave the outcome of another task"),
    "another key": (lambda outcome, _: done(replace(outcome, key=None)), "gave the outcome of another task"),
    "another run": (of_another_run, "gave the outcome of another run"),
    "wrong order": (in_wrong_order, "gave the outcome of another task"),
    "the same future": (lambda _, given: given[-1], "one future for two tasks|the outcome of another task"),
    "no batch": (lambda outcome, _: done(replace(outcome, batch=None)), "gave a damaged outcome"),
    "no counts": (lambda outcome, _: done(replace(outcome, counts=None)), "gave a damaged outcome"),
    "rest of none": (lambda outcome, _: done(replace(outcome, rest=[None])), "gave a damaged outcome"),
    "a region less": (few_of, "gave a damaged outcome"),
    "exception": (lambda *_: failed(KeyError("k")), "failed with KeyError: 'k'"),
    "memory": (lambda *_: failed(MemoryError()), "failed with MemoryError"),
    "cancelled": (lambda *_: cancelled(True), "lost its worker 4 times"),
    "cancelled, nobody told": (lambda *_: cancelled(False), "lost its worker 4 times"),
    "no future": (lambda *_: None, "gave a NoneType, expected a concurrent.futures.Future"),
    "submit raises": (refuses, "took no task .RuntimeError: cannot schedule new futures"),
    "never": (never, r"no task came back for 0.3 seconds: .* 0 of .* tasks are being done;.*\(stall_limit\)"),
    "begun and never": (begun_and_never, r"no task came back for 0.3 seconds.*\(stall_limit\)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_executor_stops_a_run_that_keeps_what_is_finished(fault: str, tmp_path: Path) -> None:
    then, message = FAULTS[fault]
    whole = pr.enumerate_regions(NETWORK, BOX, workers=1)
    with pytest.raises(StoppedError, match=message) as caught:
        pr.enumerate_regions(NETWORK, BOX, executor=Faulty(then), stall_limit=0.3)
    some = caught.value.finished
    assert not some.complete and 0 < len(some) < len(whole)
    assert set(map(bytes, some.packed)) < set(map(bytes, whole.packed))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_goes_on_after_a_faulty_executor(fault: str, tmp_path: Path) -> None:
    then, message = FAULTS[fault]
    pr.enumerate_regions(NETWORK, BOX, workers=1, store=tmp_path / "whole")
    with pytest.raises(StoppedError, match=message):
        pr.enumerate_regions(NETWORK, BOX, executor=Faulty(then), stall_limit=0.3, store=tmp_path / "a")
    some = pr.load_regions(tmp_path / "a")
    assert not some.complete and len(some) > 0
    again = pr.enumerate_regions(NETWORK, BOX, workers=1, store=tmp_path / "a")
    assert content(tmp_path / "a") == content(tmp_path / "whole")
    assert same_regions(again, pr.enumerate_regions(NETWORK, BOX, workers=1))


@pytest.mark.parametrize("fault", FAULTS)
def test_counts_too(fault: str, tmp_path: Path) -> None:
    then, message = FAULTS[fault]
    expected = pr.tally_regions(NETWORK, BOX, workers=1)
    with pytest.raises(StoppedError, match=message) as caught:
        pr.tally_regions(NETWORK, BOX, executor=Faulty(then), stall_limit=0.3)
    some = caught.value.finished
    assert not some.complete and 0 < some.regions == some.after_each_layer[-1] < expected.regions
    with pytest.raises(StoppedError, match=message):
        pr.tally_regions(NETWORK, BOX, executor=Faulty(then), stall_limit=0.3, store=tmp_path / "a")
    assert pr.tally_regions(NETWORK, BOX, workers=1, store=tmp_path / "a") == expected


def test_an_executor_may_answer_in_any_order_and_late(tmp_path: Path) -> None:
    """Slow is no fault: a task that takes longer than the limit is waited for while others come back."""
    import time

    class Slow(ThreadPoolExecutor):
        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            def later() -> Any:
                time.sleep(0.1)
                return function(*arguments, **options)

            return super().submit(later)

    with Slow(3) as executor:
        found = pr.enumerate_regions(*PROBLEMS["flat"], executor=executor, stall_limit=1.0)
    assert file_of(found, tmp_path) == file_of(pr.enumerate_regions(*PROBLEMS["flat"], workers=1), tmp_path)


@pytest.mark.parametrize("cancel", [False, True])
def test_an_executor_that_was_shut_down(cancel: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    executor = ThreadPoolExecutor(2)

    def stop(progress: pr.Progress) -> None:
        if progress.regions > 20:
            executor.shutdown(wait=False, cancel_futures=cancel)

    monkeypatch.setattr("polyregions.progress.REPORT_EVERY", 0.0)
    with pytest.raises(StoppedError, match="took no task .RuntimeError"):
        pr.enumerate_regions(NETWORK, BOX, executor=executor, progress=stop)


def test_a_time_limit_holds_for_executors_that_never_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("polyregions.streaming.GRACE", 0.2)
    for store in (None, tmp_path / "a"):
        executor = Faulty(never)
        executor.asked = HONEST
        some = pr.enumerate_regions(NETWORK, BOX, executor=executor, time_limit=0.1, store=store)
        assert len(some) <= 1 and not some.complete  # in memory the first task is done here


@pytest.mark.parametrize("limit", [0, -1, "soon", float("nan"), None])
def test_a_stall_limit_is_a_number_of_seconds(limit: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionError, match="stall_limit is .*, expected a number of seconds above 0"):
        pr.count_regions(NETWORK, BOX, stall_limit=limit)
    words = ["count", "example:two-moons", "--box", "-1", "1", "--stall-limit", str(limit)]
    assert main(words) == 2
    assert "number of seconds" in capsys.readouterr().err


def test_the_command_line_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A partial result, marked as such, and why on stderr."""
    from contextlib import nullcontext

    faulty = lambda _: nullcontext(Faulty(lambda *_: done(None)))  # noqa: E731
    box = ["--box", "-2,-1.5", "3,2", "-q"]
    for module, verb in (("running", "enumerate"), ("commands", "count")):
        monkeypatch.setattr(f"polyregions.cli.{module}.executor_of", faulty)
        assert main([verb, "example:two-moons", *box, "--json"]) == 3
        out, err = capsys.readouterr()
        assert '"complete": false' in out
        assert "gave a NoneType, expected the outcome of task" in err and "Traceback" not in err


def test_it_is_said_that_an_executor_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("polyregions.engine.dispatcher.SAY_AFTER", 0.1)
    with pytest.raises(StoppedError, match="no task came back"):
        pr.count_regions(NETWORK, BOX, executor=Faulty(never), stall_limit=0.5)
    assert [record.name for record in caplog.records] == ["polyregions"]
    assert "waits for 0.5 seconds at most (stall_limit)" in caplog.text
