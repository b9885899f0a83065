"""Enumerating and counting: what users call."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.certify import certify as proof_of
from polyregions.domain import Domain
from polyregions.engine.batches import Batch
from polyregions.engine.choose import ENGINES as ENGINES
from polyregions.engine.choose import choose_engine
from polyregions.engine.job import READABLE_BUDGET, WALK_BUDGET, Job
from polyregions.engine.parallel import Ledger, Plan, batches_of
from polyregions.engine.reduction import reduce, unreduced
from polyregions.errors import OptionError, StoppedError
from polyregions.network import Network
from polyregions.problem import Problem, pose
from polyregions.progress import Progress as Progress
from polyregions.progress import ProgressFunction, Watch
from polyregions.regions import RegionSet


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


def enumerate_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
    certify: bool = False,
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
) -> RegionSet:
    """Every full-dimensional linear region of a network on a domain, proved complete.

    Args:
        network: the network, d inputs.
        domain: the input set in R^d.
        engine: ``"walk"``, the compiled engine, ``"highs"``, the readable reference, or ``"auto"``: the first where
            it can take the problem (up to 32 inputs that are not fixed). They give the same regions.
        workers: how many subtrees to enumerate at a time; 1 for one after the other. None: as many as there are
            processors, once a run has taken half a second. Threads, for ``"highs"`` new processes (which import the
            main script; unasked they are started only where that does nothing).
        executor: any `concurrent.futures.Executor` to do it instead, such as a Dask client's, see ``docs/cluster.md``.
        certify: whether to write the proof down too, see `certify`; it is found after the regions, and no run that
            was stopped has one.
        progress: called now and then with a `Progress`; returning False stops the run.
        max_regions: stop after this many regions, which one worker finds.

    Returns:
        The regions in lexicographic order of their patterns, the same to the last bit for any number of workers;
        `complete` is False if the run was stopped.

    Raises:
        DomainError: the domain is empty or of another dimension.
        OptionError: an unknown engine, one that cannot take the problem, a negative limit, no worker.

    >>> from polyregions import Box, Network, enumerate_regions
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> enumerate_regions(net, Box([-1], [1])).patterns.astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    plan = Plan(executor, workers, max_regions is not None)
    run = _Run(pose(network, domain), engine, plan, progress, max_regions, keep=True)
    regions = _collect(run)
    return replace(regions, certificate=proof_of(regions)) if certify and regions.complete else regions


def count_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
    progress: ProgressFunction | None = None,
) -> int:
    """The number of full-dimensional linear regions, in memory that does not grow with it.

    Args:
        network: the network, d inputs.
        domain: the input set in R^d.
        engine, workers, executor: as in `enumerate_regions`.
        progress: called now and then with a `Progress`; returning False stops the run.

    Raises:
        StoppedError: `progress` stopped the run (`tally_regions` gives the partial count instead).
        DomainError, OptionError: as in `enumerate_regions`.

    >>> from polyregions import Box, Network, count_regions
    >>> count_regions(Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])]), Box([-2], [2]))
    3
    """
    tally = tally_regions(
        network, domain, engine=engine, workers=workers, executor=executor, progress=progress
    )
    if not tally.complete:
        raise StoppedError(f"stopped after {tally.regions} regions; there are more")
    return tally.regions


def tally_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    workers: int | None = None,
    executor: Executor | None = None,
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
) -> Tally:
    """Count the regions, in all and after each layer, in constant memory; a stopped run says so.

    Args and Raises as in `enumerate_regions`.
    """
    plan = Plan(executor, workers, max_regions is not None)
    run = _Run(pose(network, domain), engine, plan, progress, max_regions, keep=False)
    regions = sum(batch.count for batch in run.batches())
    return Tally(regions, run.after_each_layer(regions), run.complete, run.engine, run.score)


class _Run:
    """One pass over the regions, with its engine, its limit, its progress and its score."""

    def __init__(
        self,
        problem: Problem,
        engine: str,
        plan: Plan,
        progress: ProgressFunction | None,
        max_regions: int | None,
        keep: bool,
    ) -> None:
        if max_regions is not None and max_regions < 0:
            raise OptionError(f"max_regions is {max_regions}, expected at least 0")
        self.problem = problem
        self.engine = choose_engine(problem, engine)
        is_reference = engine == "highs"
        reduction = unreduced(problem) if is_reference else reduce(problem)
        # without a neuron left there is nothing for the kernels to do
        walks = self.engine == "walk" and reduction.problem.network.n_neurons > 0
        budget = WALK_BUDGET if walks else READABLE_BUDGET
        self._job = Job(reduction, problem, walks, is_reference, keep, budget)
        self._ledger = Ledger(self._job)
        self._plan, self._progress, self._max_regions = plan, progress, max_regions
        self._found = 0
        self.complete = False

    def after_each_layer(self, regions: int) -> tuple[int, ...]:
        """How many regions there are after each layer; a layer that splits nothing has as many as the one before."""
        after = np.zeros(len(self.problem.network.widths), dtype=np.int64)
        known = self._ledger.counts.after[: len(after)]
        after[: len(known)] = known
        after = np.maximum(np.maximum.accumulate(after), min(1, regions))
        return tuple(np.minimum(after, regions).tolist())  # a limited run looks at one region more

    @property
    def score(self) -> dict[str, int]:
        """How questions were settled."""
        return asdict(self._ledger.score)

    @property
    def in_order(self) -> bool:
        """Whether batches, put in their places, are in lexicographic order."""
        return self._ledger.in_order

    def batches(self) -> Generator[Batch, None, None]:
        """The regions until the end, the limit, or the user's stop."""
        watch = Watch(self._progress)
        fraction = 0.0
        with closing(self._limited()) as batches:
            for batch in batches:
                yield batch
                fraction, self._found = fraction + batch.share, self._found + batch.count
                if not watch.goes_on(self._found, fraction):
                    self.complete = False
                    return
        watch.ends(self._found, 1.0 if self.complete else fraction)

    def _limited(self) -> Generator[Batch, None, None]:
        """Batches up to the limit; what comes after it only shows that the set is not complete."""
        limit = self._max_regions
        with closing(batches_of(self._job, self._plan, self._ledger, self._room)) as batches:
            for batch in batches:
                if limit is not None and self._found + batch.count > limit:
                    yield batch.first(limit - self._found)
                    return
                yield batch
        self.complete = True

    def _room(self) -> int:
        """How many regions the next batch may hold: after the limit they come one at a time."""
        room = self._job.room
        return room if self._max_regions is None else min(room, max(1, self._max_regions - self._found))


def _collect(run: _Run) -> RegionSet:
    """All batches as one set, in lexicographic order."""
    n, k = run.problem.network.n_neurons, run.problem.solid.hull.dim
    width = (n + 7) // 8
    empty = np.zeros((0, width), dtype=np.uint8)
    found = [_Packed((), empty, empty, np.zeros((0, k)), {})]
    found += [_Packed.of(batch) for batch in run.batches() if batch.count]
    found.sort(key=lambda packed: packed.place)
    starts = np.cumsum([0, *(len(packed.bits) for packed in found)]).tolist()
    arrays = (
        np.concatenate([packed.bits for packed in found]),
        np.concatenate([packed.cuts for packed in found]),
        np.concatenate([packed.points for packed in found]),
    )
    exact = {
        start + i: point
        for start, packed in zip(starts, found, strict=False)
        for i, point in sorted(packed.exact.items())
    }
    if not run.in_order:
        arrays, exact = _sorted(*arrays, exact)
    return RegionSet(run.problem, *arrays, exact, run.complete, run.engine, run.score)


class _Packed(NamedTuple):
    """A batch as a `RegionSet` holds regions."""

    place: tuple[int, ...]
    bits: Bytes
    cuts: Bytes
    points: Floats
    exact: dict[int, tuple[Fraction, ...]]

    @classmethod
    def of(cls, batch: Batch) -> _Packed:
        """Eight bits to a byte."""
        bits, cuts = np.packbits(batch.bits, axis=1), np.packbits(batch.cuts, axis=1)
        return cls(batch.place, bits, cuts, batch.points, batch.exact)


def _sorted(
    packed: Bytes, cuts: Bytes, points: Floats, exact: dict[int, tuple[Fraction, ...]]
) -> tuple[tuple[Bytes, Bytes, Floats], dict[int, tuple[Fraction, ...]]]:
    order = np.lexsort(packed.T[::-1])
    place = {int(old): new for new, old in enumerate(order)} if exact else {}
    moved = {place[old]: point for old, point in exact.items()}
    return (packed[order], cuts[order], points[order]), dict(sorted(moved.items()))
