"""A limit, or Ctrl-C, ends a command wherever it is; what is finished is said, and that it is partial."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Lock
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli import main
from polyregions.cli.progress import display_for
from polyregions.cli.session import Session, TimeIsUp
from polyregions.progress import Progress

MOONS = ["example:two-moons", "--box", "-2,-1.5", "3,2"]
LIMIT = ["--time-limit", "0.2"]


@pytest.fixture
def hang() -> Iterator[Callable[..., Any]]:
    """A step that looks at no clock, and ends with the test."""
    release = Event()

    def hangs(*_: object, **__: object) -> None:
        release.wait()

    yield hangs
    release.set()


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """What a command that is stopped prints."""
    assert main([*words, "--json", "-q"]) == 3
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    assert found["complete"] is False
    return found


@pytest.mark.parametrize(
    ("verb", "step", "known"),
    [
        ("count", "commands.tally_regions", {"regions": 0, "network": "example:two-moons"}),
        ("enumerate", "running.enumerate_regions", {"regions": 0, "network": "example:two-moons"}),
        ("graph", "commands.adjacency_arrays", {"regions": 442}),
        ("cells", "commands.decision_cells", {"regions": 442}),
        ("report", "commands.report", {"regions": 442}),
        ("query", "query.output_range", {"regions": 442}),
        ("estimate", "estimate.estimate_regions", {}),
        ("count", "problem.load_network", {}),
    ],
)
def test_a_limit_ends_every_verb_in_every_step(
    verb: str,
    step: str,
    known: dict[str, Any],
    hang: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pr.count_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2]))  # compiles
    monkeypatch.setattr(f"polyregions.cli.{step}", hang)
    found = answer(capsys, verb, *MOONS, "--time-limit", "3")
    assert found["stopped"].startswith("time limit of 3 s, while ")
    assert {name: found[name] for name in known} == known


def test_check_has_a_limit(
    hang: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("polyregions.cli.commands.audit", hang)
    found = answer(capsys, "check", "--geometry", *MOONS, "--time-limit", "3")
    assert found["stopped"] == "time limit of 3 s, while checking the geometry"


def test_a_limit_in_the_midst_of_writing_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def endless(*_: object) -> Iterator[bytes]:
        while True:
            yield b" "

    monkeypatch.setitem(pr.io.save.WRITERS[pr.RegionSet], ".json", endless)
    found = answer(capsys, "enumerate", *MOONS, "-o", str(tmp_path / "x.json"), "--time-limit", "2")
    assert found["regions"] == 442
    assert found["stopped"].endswith("x.json")
    assert list(tmp_path.iterdir()) == []


def test_regions_that_were_found_are_written_whatever_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The time is over when they are found: writing them as they are begins nevertheless, and ends."""
    network, regions = pr.load_network("example:two-moons"), []

    def late(*_: object, **__: object) -> pr.RegionSet:
        regions.append(pr.enumerate_regions(network, pr.Box([-2, -1.5], [3, 2]), max_regions=7))
        return regions[0]

    monkeypatch.setattr("polyregions.cli.running.enumerate_regions", late)
    monkeypatch.setattr(Session, "left", lambda _: 0.0)
    file = tmp_path / "part.npz"
    found = answer(capsys, "enumerate", *MOONS, "-o", str(file), "--time-limit", "0")
    if "file" in found:  # a slow machine may not come as far as that
        assert (len(pr.load_regions(file)), found["regions"]) == (7, 7)


def test_a_page_has_the_sections_that_are_finished(
    hang: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from polyregions.analysis.report import make

    monkeypatch.setattr(make, "decision_section", hang)
    sections = (*make.SECTIONS[:3], hang)
    regions = pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2]))
    page = pr.report(regions, sections=sections, time_limit=1.0)
    assert not page.complete
    assert [section.title for section in page.sections][2:] == ["regions", "not finished", "reproduce"]
    unfinished = page.section("not finished")
    assert unfinished is not None and [row[0] for row in unfinished.rows] == ["hangs"]
    assert pr.report(regions, sections=sections[:3], time_limit=600.0).complete


@pytest.mark.parametrize("verb", ["count", "estimate", "enumerate"])
def test_a_tree_without_end(verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng, file = np.random.default_rng(0), tmp_path / "endless.npz"
    shapes = {"W1": (40, 10), "b1": (40,), "W2": (40, 40), "b2": (40,), "W3": (1, 40), "b3": (1,)}
    np.savez(file, **{name: rng.standard_normal(shape) for name, shape in shapes.items()})  # type: ignore[arg-type]
    found = answer(capsys, verb, str(file), "--box", "-1", "1", "--engine", "highs", *LIMIT)
    assert found["stopped"].startswith("time limit of 0.2 s")


# ---------------------------------------------------------------- the session


class Shown:
    """A display that remembers."""

    def __init__(self) -> None:
        self.is_closed = False

    def __call__(self, *_: object) -> None:
        assert not self.is_closed

    def close(self) -> None:
        self.is_closed = True


def test_only_one_of_two_threads_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("polyregions.cli.session.monotonic", lambda: clock[0])
    late, early = (Session(5.0, Shown(), lambda _: 3) for _ in range(2))
    early.answering()
    clock[0] = 6.0
    for session in (late, early):
        session.look()
        assert not session.gives_up()  # it has a moment to stop by itself
    clock[0] = 7.0
    assert late.gives_up() and not early.gives_up()
    with pytest.raises(TimeIsUp):
        late.answering()
    early.answering()
    early.show()  # shows nothing: what is on the screen is the answer


def test_the_answer_says_what_was_being_done() -> None:
    session = Session(None, Shown(), lambda _: 3)
    session.stage.name = "compiling cells of 2 dimensions"
    session.stop("interrupted")
    session.stop("something else, later")
    assert session.reason == "interrupted, while compiling cells of 2 dimensions"
    assert not session.progress(Progress(0, 0.0, 0.0))


def test_what_was_found_by_then_is_known() -> None:
    session = Session(None, Shown(), lambda _: 3)
    assert session.progress(Progress(7, 0.1, 1.0))
    assert session.known == {}  # no verb about regions
    session.note(regions=0)
    session.progress(Progress(7, 0.1, 1.0))
    session.progress(Progress(3, 0.1, 1.0, stage="building the graph"))
    assert session.known == {"regions": 7}


def test_lines_name_the_stage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("polyregions.cli.progress.LINE_EVERY", 0.0)
    show = display_for(False)
    show("", Progress(0, 0.0, 0.0), 1.0, 1.0, None)  # nothing is known yet
    show("compiling cells of 2 dimensions", Progress(0, 0.0, 0.0), 12.0, 11.0, None)
    show("", Progress(0, 0.0, 1.5), 13.0, 1.5, None)
    show("", Progress(5000, 0.75, 2.0), 14.0, 2.0, None)
    show("building the graph", Progress(5000, 0.75, 2.0), 16.0, 2.0, None)  # of the stage before
    show("building the graph", Progress(5000, 0.5, 2.0, stage="building the graph"), 16.0, 2.0, None)
    assert capsys.readouterr().err.splitlines() == [
        "compiling cells of 2 dimensions, 11 s",
        "enumerating, no region yet, 1.5 s",
        "5000 regions, 2500/s, 75.0% of the tree, 2.0 s",
        "building the graph, 2.0 s",
        "building the graph, 50.0%, 2.0 s",
    ]


def test_quiet_says_nothing_of_what_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    levels, logger = [], logging.getLogger("polyregions")
    before, lock = logger.level, Lock()

    def tells(*_: object, **__: object) -> None:
        with lock:
            levels.append(logger.isEnabledFor(logging.WARNING))

    monkeypatch.setattr("polyregions.cli.commands.problems_of", tells)
    for quiet in ([], ["-q"]):
        with pytest.raises(TypeError):
            main(["count", *MOONS, *quiet])
    assert levels == [True, False]
    assert logger.level == before
