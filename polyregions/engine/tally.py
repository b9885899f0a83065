"""Enumerating and counting in memory."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from threading import Event

import numpy as np

from polyregions.engine.apart import Apart
from polyregions.engine.batches import Batch, LayerCount
from polyregions.engine.choose import ENGINES as ENGINES
from polyregions.engine.choose import choose_engine
from polyregions.engine.job import COMPILED_BUDGET, READABLE_BUDGET, Job
from polyregions.engine.options import RunOptions
from polyregions.engine.parallel import Plan, Totals, batches_of
from polyregions.engine.reduction import reduce, unreduced
from polyregions.errors import StoppedError
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem
from polyregions.polyhedra.oracle.referee import Score
from polyregions.progress import Progress as Progress
from polyregions.progress import Watch, stage


@dataclass(frozen=True)
class Tally:
    """What counting alone gives.

    Attributes:
        regions: the number R of regions.
        after_each_layer: how many there are after each activation layer (the last entry is R).
        complete: whether these are all; False if the run was stopped.
        engine: which engine counted.
        score: how many questions the compiled engine could not prove, and how the reference settled its own.
    """

    regions: int
    after_each_layer: tuple[int, ...]
    complete: bool
    engine: str
    score: dict[str, int]


def tally_in_memory(problem: Problem, options: RunOptions) -> Tally:
    """How many regions there are, see `enumeration.tally_regions`.

    Raises:
        OptionError: an unknown engine, or one that cannot take the problem.
    """
    run = Run(problem, options, keep=False)
    regions = 0
    try:
        for batch in run.batches():
            regions += batch.count
    except StoppedError as error:
        error.finished = _tally(run, regions)
        raise
    return _tally(run, regions)


def _tally(run: Run, regions: int) -> Tally:
    return Tally(regions, run.after_each_layer(regions), run.complete, run.engine, run.score)


def job_for(problem: Problem, engine: str, keep: bool) -> tuple[str, Job]:
    """The engine that is chosen, and the job that enumerates a problem with it.

    Args:
        problem: network and domain.
        engine: "auto", "cells", "walk" or "highs"; asked for by name, "highs" is the plain reference.
        keep: whether regions are wanted, or only counts.

    Raises:
        OptionError: an unknown engine, or one that cannot take the problem.
    """
    chosen, is_reference = choose_engine(problem, engine, keep), engine == "highs"
    reduction = unreduced(problem) if is_reference else reduce(problem)
    # without a neuron left there is nothing for the kernels to do
    kernels = chosen if chosen != "highs" and reduction.problem.network.n_neurons > 0 else None
    budget = READABLE_BUDGET if kernels is None else COMPILED_BUDGET
    return chosen, Job(reduction, problem, kernels, is_reference, keep, budget)


def layer_counts(network: Network, counts: LayerCount, regions: int) -> tuple[int, ...]:
    """How many of some regions there are after each layer, counted in the smaller network that the engine had."""
    after = np.zeros(len(network.widths), dtype=np.int64)
    known = counts.after[: len(after)]
    after[: len(known)] = known
    after = np.maximum(np.maximum.accumulate(after), min(1, regions))
    return tuple(np.minimum(after, regions).tolist())  # a limited run looks at one region more


class Run:
    """One pass over the regions, with its engine, its limit, its progress and its score.

    Args:
        problem: what is enumerated.
        options: how.
        keep: whether patterns and points are wanted, or only counts.

    Attributes:
        complete: whether `batches` has come to the end of the tree.
    """

    def __init__(self, problem: Problem, options: RunOptions, keep: bool) -> None:
        self.problem, self._options, self._keep = problem, options, keep
        self.engine = choose_engine(problem, options.engine, keep)
        self._watch = Watch(options.progress, options.time_limit)
        self._job: Job | None = None
        self._totals: Totals | None = None
        self._found = self._made = 0
        self._is_abandoned = False
        self.complete = False

    def after_each_layer(self, regions: int) -> tuple[int, ...]:
        """How many regions there are after each layer; a layer that splits nothing has as many as the one before."""
        if self._totals is None:
            return (0,) * len(self.problem.network.widths)
        after = layer_counts(self.problem.network, self._totals.counts, regions)
        # counts come with a part's end: without it they are too few
        return (*after[:-1], regions) if after and self._is_abandoned else after

    @property
    def score(self) -> dict[str, int]:
        """How questions were settled."""
        return asdict(Score() if self._totals is None else self._totals.score)

    @property
    def in_order(self) -> bool:
        """Whether batches, put in their places, are in lexicographic order."""
        return self._totals is None or self._totals.in_order

    def batches(self) -> Generator[Batch, None, None]:
        """The regions until the end, the limit, or the user's stop.

        Where somebody may stop it the run is in another thread.
        """
        if self._watch.is_idle:
            yield from self._limited(Event())
            return
        apart, fraction, is_stopped = Apart(self._limited, self._watch), 0.0, False
        with closing(apart.items()) as batches:
            for batch in batches:
                if batch is not None:
                    yield batch
                    fraction, self._found = fraction + batch.share, self._found + batch.count
                if not is_stopped and not self._watch.goes_on(self._found, fraction):
                    is_stopped = True
                    apart.stop()
        self._is_abandoned = apart.is_abandoned
        self._watch.ends(self._found, 1.0 if self.complete else fraction)

    def _limited(self, stop: Event) -> Generator[Batch, None, None]:
        """Batches up to the limit; what comes after it only shows that the set is not complete."""
        limit = self._options.max_regions
        with closing(self._all()) as batches:
            for batch in batches:
                if limit is not None and self._made + batch.count > limit:
                    yield batch.first(limit - self._made)
                    return
                self._made += batch.count
                yield batch
                if stop.is_set():
                    return
        self.complete = True

    def _all(self) -> Generator[Batch, None, None]:
        """Prepare, and all batches."""
        options = self._options
        plan = Plan(options.executor, options.workers, options.max_regions is not None, options.stall_limit)
        with stage("looking for neurons that never change sign"):
            _, self._job = job_for(self.problem, options.engine, self._keep)
        self._totals = Totals(self._job)
        yield from batches_of(self._job, plan, self._totals, self._room)

    def _room(self) -> int:
        """How many regions the next batch may hold: after the limit they come one at a time."""
        assert self._job is not None
        limit, room = self._options.max_regions, self._job.room
        return room if limit is None else min(room, max(1, limit - self._made))
