"""How many regions will there be? Sampling the split tree before anyone commits hours.

The tree is walked as the enumeration walks it, but of the cells that wait only some are gone on with, each standing for
several: a cell kept with probability p counts 1/p times from then on. So the expected value is the exact number,
whatever the probabilities; the spread is small if they are proportional to what is below a cell. Pilot samples, whose
results are not used, learn to guess that from the cell's layer and the neurons of it that may still cut.
Repeating it shows the spread.

Sources: Knuth, Estimating the efficiency of backtrack programs (1975); Chen, Heterogeneous sampling (1992);
Rubinstein's stochastic enumeration, where many descents go side by side.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from math import ceil, sqrt
from threading import Event
from typing import NamedTuple

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.apart import Apart
from polyregions.engine.job import Job, Task
from polyregions.engine.options import RunOptions
from polyregions.engine.perform import perform
from polyregions.engine.tally import Tally, job_for, tally_in_memory
from polyregions.errors import OptionError, StoppedError
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem, pose
from polyregions.polyhedra.domain import Domain
from polyregions.progress import Progress, ProgressFunction, Watch, check_limits, stage

STEP = 4  # regions that are looked at below a cell before its waiting cells are sampled
POPULATION, READABLE_POPULATION = 100, 16
PILOTS = 2  # samples that are only learned from
RIDGE = 1e-3
MOST_LOG = 300.0
EVERY_ONE = 2**30  # of the waiting cells is apart


@dataclass(frozen=True)
class Estimate:
    """What to expect of an enumeration.

    Attributes:
        regions: the estimated number of regions; the number itself if `is_exact`.
        spread: the standard error of it, from the spread of the repeats.
        samples: (n,) the estimate of each repeat; their mean is `regions`.
        is_exact: whether the short trial run came to its end and so counted all of them.
        rate: regions a second of one worker in the trial run.
        bytes_per_region: in memory, and about as much in a store.
        visited: how many regions were looked at.
        complete: whether all repeats were made; False if a limit or the user stopped them.
    """

    regions: float
    spread: float
    samples: tuple[float, ...]
    is_exact: bool
    rate: float
    bytes_per_region: int
    visited: int
    complete: bool = True

    @property
    def low(self) -> float:
        """Two standard errors below."""
        return max(1.0, self.regions - 2 * self.spread)

    @property
    def high(self) -> float:
        """Four standard errors above: samples are skewed, for what they seldom meet is large."""
        return self.regions + 4 * self.spread

    def seconds(self, workers: int = 1) -> float:
        """How long the enumeration takes with some workers, if they are of this machine's kind and share well."""
        return self.regions / (self.rate * workers) if self.rate > 0 else float("inf")


def estimate_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    repeats: int = 8,
    population: int | None = None,
    trial: float = 1.0,
    seed: int = 0,
    time_limit: float | None = None,
    progress: ProgressFunction | None = None,
) -> Estimate:
    """Predict the number of regions and the time to enumerate them, from random parts of the split tree.

    Args:
        network: the network, d inputs.
        domain: the input set in R^d.
        engine: as in `enumerate_regions`.
        repeats: how often to sample, at least 2.
        population: how many cells are gone on with at a time; four times as many halve the spread. None: 100, or 16
            for the readable engine, which takes some hundred times as long for each.
        trial: seconds of a trial run, which measures the rate; if it comes to its end nothing is sampled.
        seed: of the random choices; the same seed gives the same estimate (but not the same rate).
        time_limit: stop after this many seconds; the repeats that are finished make the estimate, see `complete`.
        progress: called now and then with a `Progress`, of which `fraction` is that of the repeats; returning False
            stops them.

    Raises:
        DomainError, OptionError: as in `enumerate_regions`; fewer than two repeats, no population, a negative limit.
        StoppedError: stopped before two samples were finished; its `finished` is the `Tally` of the trial run, which
            says how many regions there are at least.

    Complexity: about ``repeats * population * N`` steps, whatever the number of regions.

    >>> from polyregions import Box, estimate_regions, load_network
    >>> found = estimate_regions(load_network("example:two-moons"), Box([-2, -1.5], [3, 2]), trial=60)
    >>> found.regions, found.is_exact
    (442.0, True)
    """
    if repeats < 2 or (population is not None and population < 1):
        raise OptionError(f"repeats is {repeats}, population {population}; expected at least 2 and 1")
    check_limits(None, time_limit)
    watch = Watch(progress, time_limit)
    problem = pose(network, domain)
    counted, rate = _trial(problem, engine, trial, watch)
    size = 2 * ceil(network.n_neurons / 8) + 8 * problem.solid.hull.dim
    if counted.complete:
        n = counted.regions
        return Estimate(float(n), 0.0, (float(n),), True, rate, size, n)
    sampling = _Sampling(problem, engine, population, PILOTS + repeats, seed)
    found = [] if watch.is_late else sampling.run(watch)
    visited, complete = sum(sample.visited for sample in found), len(found) == PILOTS + repeats
    if len(found) < 2:
        raise _too_early(len(found), counted)
    # pilots are as good as others, only more scattered
    samples = tuple(sample.regions for sample in found[PILOTS if len(found) >= PILOTS + 2 else 0 :])
    spread = float(np.std(samples, ddof=1)) / sqrt(len(samples))
    return Estimate(float(np.mean(samples)), spread, samples, False, rate, size, visited, complete)


def _too_early(n: int, counted: Tally) -> StoppedError:
    error = StoppedError(
        f"stopped after {n} samples, expected two at least for an estimate; there are {counted.regions} regions or more"
    )
    error.finished = counted
    return error


class _Sampling:
    """Several samples, each of which guesses sizes from those before it."""

    def __init__(self, problem: Problem, engine: str, population: int | None, n: int, seed: int) -> None:
        self._problem, self._engine, self._population = problem, engine, population
        self._n, self._seed = n, seed

    def run(self, watch: Watch) -> list[Sample]:
        """As many as there is time for."""
        apart, found = Apart(self._samples, watch), list[Sample]()
        with closing(apart.items()) as samples:
            for sample in samples:
                if sample is not None:
                    found.append(sample)
                if not watch.goes_on(sum(s.visited for s in found), len(found) / self._n):
                    apart.stop()
        return found

    def _samples(self, stop: Event) -> Generator[Sample, None, None]:
        with stage("sampling the tree"):
            job = _sampling_job(self._problem, self._engine)
            population = self._population or (POPULATION if job.is_compiled else READABLE_POPULATION)
            sizes = Sizes(len(job.no_counts().ends))
            for i in range(self._n):
                sample = sample_regions(job, population, sizes, np.random.default_rng([self._seed, i]), stop)
                if sample is None:
                    return
                sizes.learn(sample.places, sample.sizes)
                yield sample


class Sizes:
    """How many regions are expected below a cell: exp(a_layer + b log(1 + left)), fitted to cells that were seen.

    Args:
        n_layers: how many layers there are.
    """

    def __init__(self, n_layers: int) -> None:
        self._gram = RIDGE * np.eye(n_layers + 1)
        self._moment = np.zeros(n_layers + 1)
        self._n_seen = 0

    def learn(self, places: Ints, sizes: Floats) -> None:
        """Take cells into account: places (n, 2), layer and neurons left, and what is below them (n,)."""
        rows = self._rows(places)
        self._gram += rows.T @ rows
        self._moment += rows.T @ np.log(sizes)
        self._n_seen += len(sizes)

    def expected(self, places: Ints, shares: Floats) -> Floats:
        """What to expect below cells (n,); before anything was learned, the square roots of their shares."""
        if not self._n_seen:
            return np.sqrt(shares)
        logarithms = self._rows(places) @ np.linalg.solve(self._gram, self._moment)
        sizes: Floats = np.exp(np.clip(logarithms, -MOST_LOG, MOST_LOG))
        return sizes

    def _rows(self, places: Ints) -> Floats:
        rows = np.zeros((len(places), len(self._moment)))
        rows[np.arange(len(places)), places[:, 0]] = 1.0
        rows[:, -1] = np.log1p(places[:, 1])
        return rows


class Sample(NamedTuple):
    """One unbiased estimate of the number of regions, how many were looked at, and the sizes found on the way."""

    regions: float
    visited: int
    places: Ints
    sizes: Floats


class Chosen(NamedTuple):
    """A cell that is gone on with: its weight, the chance that it had, and the visited cell that it comes from."""

    task: Task
    weight: float
    chance: float
    parent: int


class Visit(NamedTuple):
    """A cell that was looked into: its chance, the visited cell that it comes from, and the regions found there."""

    chance: float
    parent: int
    n: int


def sample_regions(
    job: Job, population: int, sizes: Sizes, rng: np.random.Generator, stop: Event | None = None
) -> Sample | None:
    """Go down the tree once, with at most `population` cells side by side; None if the event stops it."""
    visits: list[Visit] = []
    places: list[Ints] = []
    regions = 0.0
    pool = [Chosen(task, 1.0, 1.0, -1) for task in job.tasks()]
    while pool:
        pool = _sampled(pool, population, job, sizes, rng)
        places.append(_places(job, pool))
        waiting: list[Chosen] = []
        for cell in pool:
            if stop is not None and stop.is_set():
                return None
            outcome = perform(job, cell.task)
            n = 0 if outcome.batch is None else outcome.batch.count
            regions += cell.weight * n
            waiting += [Chosen(left, cell.weight, 1.0, len(visits)) for left in outcome.rest]
            visits.append(Visit(cell.chance, cell.parent, n))
        pool = waiting
    return Sample(regions, sum(v.n for v in visits), np.concatenate(places), _sizes_below(visits))


def _sizes_below(visits: list[Visit]) -> Floats:
    """An estimate of the regions below each visited cell; at least 1, which an empty cell has not."""
    sizes: Floats = np.array([float(visit.n) for visit in visits])
    for i, visit in reversed(list(enumerate(visits))):
        if visit.parent >= 0:
            sizes[visit.parent] += sizes[i] / visit.chance
    np.maximum(sizes, 1.0, out=sizes)
    return sizes


def _sampled(pool: list[Chosen], most: int, job: Job, sizes: Sizes, rng: np.random.Generator) -> list[Chosen]:
    """At most about `most` of some cells, with weights that stand for all.

    Systematic sampling in the order of the tree: neighbours, which are alike, are seldom chosen together.
    """
    if len(pool) <= most:
        return pool
    pool = sorted(pool, key=lambda cell: cell.task.key)
    shares = np.array([cell.task.share for cell in pool])
    expected = sizes.expected(_places(job, pool), shares)
    size = expected * np.array([cell.weight for cell in pool])
    if not (np.all(np.isfinite(size)) and np.all(size > 0.0)):
        raise StoppedError("the number of regions is beyond the range of float64, so there is no estimate")
    chance = _chances(size / size.max(), most)
    ends = np.floor(np.cumsum(chance) + rng.random())
    chosen = np.flatnonzero(np.diff(ends, prepend=0.0) > 0).tolist()
    chances = chance.tolist()
    return [pool[i]._replace(weight=pool[i].weight / chances[i], chance=chances[i]) for i in chosen]


def _places(job: Job, pool: list[Chosen]) -> Ints:
    return np.array([job.place(cell.task.start) for cell in pool], dtype=np.int64).reshape(len(pool), 2)


def _chances(size: Floats, most: int) -> Floats:
    """Probabilities proportional to sizes and at most 1, that add up to `most`."""
    chance: Floats = np.zeros(len(size))
    while True:
        rest = chance < 1.0
        chance[rest] = size[rest] * ((most - np.count_nonzero(~rest)) / size[rest].sum())
        if np.all(chance <= 1.0):
            return chance
        np.minimum(chance, 1.0, out=chance)


def _sampling_job(problem: Problem, engine: str) -> Job:
    """The job that enumerates the problem, in steps that leave every waiting cell apart."""
    _, like = job_for(problem, engine, False)
    return Job(like.reduction, problem, like.kernels, engine == "highs", False, (STEP, STEP), EVERY_ONE)


def _trial(problem: Problem, engine: str, seconds: float, watch: Watch) -> tuple[Tally, float]:
    """The regions that could be counted in some seconds, and regions a second."""
    rates: list[float] = []

    def note(progress: Progress) -> bool:
        rates.append(progress.rate)
        return watch.goes_on(progress.regions, 0.0)

    alone = RunOptions(engine, workers=1, progress=note)
    with stage("a trial run"):
        first = tally_in_memory(problem, replace(alone, max_regions=1, time_limit=watch.seconds_left))
        limit = seconds if watch.seconds_left is None else min(seconds, watch.seconds_left)
        if limit <= 0:  # the first has compiled, or loaded compiled code
            return first, 0.0
        rates.clear()
        return tally_in_memory(problem, replace(alone, time_limit=limit)), rates[-1] if rates else 0.0
