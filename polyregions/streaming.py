"""Enumerating into a store: tasks that are finished go to disk at once, and a later run goes on from there.

The order of the tree is known from the tasks' keys, so the shards hold the same bytes whoever did the tasks, in
whatever order, in however many runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any, Final

from polyregions.engine.batches import Batch, LayerCount
from polyregions.engine.job import Outcome, Task
from polyregions.engine.options import RunOptions
from polyregions.engine.parallel import Plan, Totals, outcomes_of
from polyregions.engine.starts import start_arrays, start_of_arrays
from polyregions.engine.tally import Tally, job_for, layer_counts
from polyregions.errors import FormatError
from polyregions.io.npz import arrays_of_npz, npz_bytes
from polyregions.io.store.cut import write_ready
from polyregions.io.store.manifest import (
    TASKS,
    Result,
    begin_store,
    check_problem,
    check_same,
    digest_of,
    finish_store,
    forget_tasks,
    identity,
    read_manifest,
    result_of,
)
from polyregions.io.store.regions import regions_of_checked
from polyregions.io.store.shards import StoreSize, check_pyarrow, check_shards
from polyregions.io.store.tasks import Finished, TaskBook, Waiting
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.referee import Score
from polyregions.progress import Watch
from polyregions.regions.packed import PackedRegions
from polyregions.regions.region_set import RegionSet

GRACE: Final = 30.0  # seconds after a time limit in which an executor may still finish a first task


def enumerate_to_store(problem: Problem, folder: str | os.PathLike[str], options: RunOptions) -> RegionSet:
    """Enumerate into a folder, or go on with what is there; see `enumeration.enumerate_regions`.

    Raises:
        OptionError: the folder holds something else, or another run.
        FormatError: the folder cannot be written, or is damaged.
        StoppedError: there is no room left on the disk; what is finished is kept.
    """
    check_pyarrow()
    _Stream(problem, Path(folder), options, True).run()
    return regions_of_checked(Path(folder))


def tally_to_store(problem: Problem, folder: str | os.PathLike[str], options: RunOptions) -> Tally:
    """Count with a folder that remembers which subtrees are finished; see `enumeration.tally_regions`.

    Raises:
        OptionError, FormatError, StoppedError: as `enumerate_to_store`.
    """
    stream = _Stream(problem, Path(folder), options, False)
    stream.run()
    return stream.tally()


class _Stream:
    """One run into a store."""

    def __init__(self, problem: Problem, folder: Path, options: RunOptions, keep: bool) -> None:
        self._problem, self._folder, self._options, self._keep = problem, folder, options, keep
        self._engine, self._job = job_for(problem, options.engine, keep)
        about = identity(problem, self._engine, keep, self._job.budget)
        self._about = {**about, "reference": options.engine == "highs"}
        self._size = StoreSize.of(problem)
        self._regions = 0

    def run(self) -> None:
        """Begin or go on, until the end or a limit."""
        manifest = read_manifest(self._folder)
        if manifest is None:
            begin_store(self._folder, self._problem, self._about)
        elif self._is_finished(manifest):
            forget_tasks(self._folder)  # killed after the result, a run has left them
            return
        with self._book() as book:
            check_shards(self._folder, book.shards())
            if book.is_new:
                book.begin([_packed(task) for task in self._job.tasks()])
            waiting = [self._unpacked(task) for task in book.waiting()]
            self._regions, left = book.totals()
            watch = Watch(self._options.progress, self._options.time_limit, self._regions, 1.0 - left)
            totals = self._totals(book, [task.key for task in waiting])
            self._do(book, waiting[::-1], totals, watch)
            is_done = book.is_done
            if is_done:
                self._finish(book, totals)
                watch.ends(self._regions, 1.0)
        if is_done:
            forget_tasks(self._folder)

    def tally(self) -> Tally:
        """What is counted."""
        manifest = read_manifest(self._folder) or {}
        result = result_of(manifest, self._folder)
        if result is not None:
            return Tally(result.regions, result.after_each_layer, True, self._engine, dict(result.score))
        with self._book() as book:
            totals, regions = self._totals(book, [task.key for task in book.waiting()]), book.totals()[0]
        return Tally(regions, self._after(totals), False, self._engine, asdict(totals.score))

    def _is_finished(self, manifest: Mapping[str, Any]) -> bool:
        """Whether the store is whole; it must be this run's, and nothing in it may have changed."""
        check_same(self._folder, manifest, self._about)
        check_problem(self._folder, manifest)
        result = result_of(manifest, self._folder)
        if result is None:
            return False
        check_shards(self._folder, result.shards)
        return True

    @contextmanager
    def _book(self) -> Iterator[TaskBook]:
        book = TaskBook(self._folder / TASKS, self._size, digest_of(self._about))
        try:
            yield book
        finally:
            book.close()

    def _unpacked(self, task: Waiting) -> Task:
        where = f"{self._folder / TASKS}, task {'.'.join(map(str, task.key))}"
        return Task(task.key, start_of_arrays(arrays_of_npz(task.start, where), self._job, where), task.share)

    def _totals(self, book: TaskBook, waiting: list[tuple[int, ...]]) -> Totals:
        """What the tasks that are finished add up to."""
        totals, none = Totals(self._job), self._job.no_counts()
        for done in book.finished():
            counts = LayerCount(done.first, done.last, done.after, none.ends)
            sizes = [(len(c.after), len(c.first), len(c.last)) for c in (counts, none)]
            if sizes[0] != sizes[1] or done.score.keys() != asdict(Score()).keys():
                raise FormatError(f"{self._folder / TASKS}: counts of another network or version")
            outcome = Outcome(done.key, None, [], counts, Score(**done.score), done.in_order)
            totals.note(outcome, lambda: waiting)
        return totals

    def _do(self, book: TaskBook, waiting: list[Task], totals: Totals, watch: Watch) -> None:
        """Tasks until none waits or a limit is reached; one at least, so that limited runs come to an end too.

        Somebody else's executor may never finish one: it gets a while longer, and not more.
        """
        options = self._options
        plan = Plan(options.executor, options.workers, False, options.stall_limit)
        limit = inf if options.max_regions is None else options.max_regions
        fraction, n_done = 1.0 - sum(task.share for task in waiting), 0
        if self._regions >= limit:
            return
        with closing(outcomes_of(self._job, plan, waiting, totals)) as outcomes:
            for outcome in outcomes:
                if outcome is not None:
                    n_done, fraction = n_done + 1, fraction + self._note(book, outcome)
                is_wanted = watch.is_wanted(self._regions, fraction)
                has_had_time = n_done or (options.executor is not None and watch.seconds_late > GRACE)
                if not is_wanted or (watch.is_late and has_had_time) or self._regions >= limit:
                    return

    def _note(self, book: TaskBook, outcome: Outcome) -> float:
        """Store what came of a task; gives the part of the tree that it is."""
        batch, counts = outcome.batch or Batch.nothing(), outcome.counts
        done = Finished(
            outcome.key,
            batch.count,
            counts.first,
            counts.last,
            counts.after,
            asdict(outcome.score),
            outcome.in_order,
        )
        rows = PackedRegions.of(batch) if self._keep else None
        book.finish(done, rows, [_packed(task) for task in outcome.rest])
        self._regions += batch.count
        if self._keep:
            write_ready(self._folder, book, self._size, False)
        return batch.share

    def _finish(self, book: TaskBook, totals: Totals) -> None:
        """Write what is left, and the result."""
        if self._keep:
            write_ready(self._folder, book, self._size, True)
        shards, cursor = tuple(book.shards()), book.cursor()
        if self._keep and cursor.rows != self._regions:
            raise FormatError(f"{self._folder}: {cursor.rows} regions in shards, expected {self._regions}")
        check_shards(self._folder, shards)
        is_sorted = totals.in_order and len(self._job.tasks()) == 1
        result = Result(self._regions, self._after(totals), is_sorted, asdict(totals.score), shards)
        manifest = read_manifest(self._folder) or {}
        check_same(self._folder, manifest, self._about)
        finish_store(self._folder, manifest, result)

    def _after(self, totals: Totals) -> tuple[int, ...]:
        """How many regions there are after each layer.

        Raises:
            FormatError: the last layer has not as many as there are regions.
        """
        counts = totals.counts
        if len(counts.after) and int(counts.after[-1]) != self._regions:
            found = f"{counts.after[-1]} regions after the last layer"
            raise FormatError(f"{self._folder / TASKS}: {found}, expected {self._regions}")
        return layer_counts(self._problem.network, counts, self._regions)


def _packed(task: Task) -> Waiting:
    return Waiting(task.key, task.share, npz_bytes(start_arrays(task.start)))
