"""Work in another thread: what is finished comes, what is stopped ends, and nobody waits for what looks at no clock."""

from __future__ import annotations

from collections.abc import Generator
from threading import Event
from typing import Any

import pytest

import polyregions as pr
from polyregions.engine import tally
from polyregions.engine.apart import Apart
from polyregions.errors import OptionError, StoppedError
from polyregions.progress import Watch, stage

NETWORK, BOX = pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2])


def items(make: Any) -> tuple[Apart[int], list[int | None]]:
    apart = Apart(make, Watch(None))
    return apart, list(apart.items())


def test_all_items_come_in_order() -> None:
    apart, found = items(lambda stop: (i for i in range(100)))
    assert [i for i in found if i is not None] == list(range(100))
    assert not apart.is_abandoned


def test_an_error_comes_after_what_was_made_before_it() -> None:
    def make(stop: Event) -> Generator[int, None, None]:
        yield 1
        raise OptionError("no")

    found = []
    with pytest.raises(OptionError, match="no"):
        for item in Apart(make, Watch(None)).items():
            found.append(item)
    assert [i for i in found if i is not None] == [1]


def test_what_is_finished_when_it_is_stopped_still_comes() -> None:
    """The item on which the other thread is then, too, if it looks at the event."""
    begun, go_on, closed = Event(), Event(), []

    def make(stop: Event) -> Generator[int, None, None]:
        try:
            yield 1
            begun.set()
            go_on.wait()
            yield 2
            yield 3
        finally:
            closed.append(stop.is_set())

    apart, found = Apart(make, Watch(None)), []
    for item in apart.items():
        found.append(item)
        if item is None and begun.is_set():
            apart.stop()
            go_on.set()
    assert [i for i in found if i is not None] == [1, 2]
    assert closed == [True]
    assert not apart.is_abandoned


def test_what_looks_at_nothing_is_left_to_itself() -> None:
    release = Event()

    def make(stop: Event) -> Generator[int, None, None]:
        release.wait()
        yield 1

    apart = Apart(make, Watch(None))
    for item in apart.items():
        assert item is None
        apart.stop()
    assert apart.is_abandoned
    release.set()


def test_it_is_told_what_the_other_thread_does() -> None:
    watch, release = Watch(None), Event()

    def make(stop: Event) -> Generator[int, None, None]:
        with stage("baking"):
            release.wait()
        yield 1

    seen = []
    for _ in Apart(make, watch).items():
        seen.append(watch.stage.name)
        if seen[-1] == "baking":
            release.set()
    assert "baking" in seen
    assert watch.stage.name == ""


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Generator[None, None, None]:
    """Getting ready takes until the test is over, in a step that looks at no clock, such as compiling."""
    release, ready = Event(), tally.job_for

    def job_for(*arguments: Any) -> Any:
        release.wait()
        return ready(*arguments)

    monkeypatch.setattr(tally, "job_for", job_for)
    yield
    release.set()


def test_a_limit_holds_while_a_run_gets_ready(stuck: None) -> None:
    regions = pr.enumerate_regions(NETWORK, BOX, time_limit=0.1)
    assert (len(regions), regions.complete, regions.engine) == (0, False, "cells")
    counted = pr.tally_regions(NETWORK, BOX, time_limit=0.1)
    assert (counted.regions, counted.complete, counted.after_each_layer) == (0, False, (0, 0))
    with pytest.raises(StoppedError, match="stopped after 0 regions"):
        pr.count_regions(NETWORK, BOX, time_limit=0.1)


def test_whoever_is_told_of_a_run_can_stop_it_while_it_gets_ready(stuck: None) -> None:
    seen: list[str] = []

    def progress(now: pr.Progress) -> bool:
        seen.append(now.stage)
        return False

    assert not pr.enumerate_regions(NETWORK, BOX, progress=progress).complete
    assert seen[0] == "looking for neurons that never change sign"


def test_an_estimate_has_a_limit_too(stuck: None) -> None:
    with pytest.raises(StoppedError, match="stopped after 0 samples") as caught:
        pr.estimate_regions(NETWORK, BOX, time_limit=0.1)
    assert caught.value.finished.regions == 0
    with pytest.raises(OptionError, match="time_limit is -1"):
        pr.estimate_regions(NETWORK, BOX, time_limit=-1)


@pytest.mark.parametrize("engine", ["highs", "cells", "walk"])
def test_a_watched_run_gives_the_same_regions(engine: str) -> None:
    alone = pr.enumerate_regions(NETWORK, BOX, engine=engine, workers=1)
    watched = pr.enumerate_regions(NETWORK, BOX, engine=engine, workers=1, time_limit=600.0)
    assert watched.complete
    assert (watched.patterns == alone.patterns).all()
    assert (watched.points == alone.points).all()


@pytest.mark.parametrize("limit", [0, 1, 100, 441, 442])
def test_a_watched_run_stops_at_a_number_of_regions(limit: int) -> None:
    regions = pr.enumerate_regions(NETWORK, BOX, max_regions=limit, time_limit=600.0)
    assert (len(regions), regions.complete) == (limit, limit == 442)
