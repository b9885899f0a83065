"""Enumerating and counting: what users call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.certify import certify as proof_of
from polyregions.domain import Domain
from polyregions.engine.batches import Batch, LayerCounter, batches_of_cells
from polyregions.engine.choose import ENGINES as ENGINES
from polyregions.engine.choose import choose_engine, is_large_box
from polyregions.engine.local import leaves_in_box
from polyregions.engine.reduction import reduce, unreduced
from polyregions.engine.tree import Cell, leaves
from polyregions.errors import OptionError, StoppedError
from polyregions.network import Network
from polyregions.oracle.referee import Referee
from polyregions.problem import Problem, pose
from polyregions.progress import Progress as Progress
from polyregions.progress import ProgressFunction, Watch
from polyregions.regions import RegionSet

HIGHS_BATCH = 8


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
        certify: whether to write the proof down too, see `certify`; it is found after the regions, and no run that
            was stopped has one.
        progress: called now and then with a `Progress`; returning False stops the run.
        max_regions: stop after this many regions.

    Returns:
        The regions in lexicographic order of their patterns; `complete` is False if the run was stopped.

    Raises:
        DomainError: the domain is empty or of another dimension.
        OptionError: an unknown engine, one that cannot take the problem, or a negative limit.

    >>> from polyregions import Box, Network, enumerate_regions
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> enumerate_regions(net, Box([-1], [1])).patterns.astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    run = _Run(pose(network, domain), engine, progress, max_regions, keep=True)
    regions = _collect(run)
    return replace(regions, certificate=proof_of(regions)) if certify and regions.complete else regions


def count_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    progress: ProgressFunction | None = None,
) -> int:
    """The number of full-dimensional linear regions, in memory that does not grow with it.

    Args:
        network: the network, d inputs.
        domain: the input set in R^d.
        engine: as in `enumerate_regions`.
        progress: called now and then with a `Progress`; returning False stops the run.

    Raises:
        StoppedError: `progress` stopped the run (`tally_regions` gives the partial count instead).
        DomainError, OptionError: as in `enumerate_regions`.

    >>> from polyregions import Box, Network, count_regions
    >>> count_regions(Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])]), Box([-2], [2]))
    3
    """
    tally = tally_regions(network, domain, engine=engine, progress=progress)
    if not tally.complete:
        raise StoppedError(f"stopped after {tally.regions} regions; there are more")
    return tally.regions


def tally_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
) -> Tally:
    """Count the regions, in all and after each layer, in constant memory; a stopped run says so.

    Args and Raises as in `enumerate_regions`.
    """
    run = _Run(pose(network, domain), engine, progress, max_regions, keep=False)
    regions = sum(batch.count for batch in run.batches())
    return Tally(regions, run.after_each_layer(regions), run.complete, run.engine, asdict(run.referee.score))


class _Run:
    """One pass over the regions, with its engine, its limit, its progress and its score."""

    def __init__(
        self,
        problem: Problem,
        engine: str,
        progress: ProgressFunction | None,
        max_regions: int | None,
        keep: bool,
    ) -> None:
        if max_regions is not None and max_regions < 0:
            raise OptionError(f"max_regions is {max_regions}, expected at least 0")
        self.problem = problem
        self.engine = choose_engine(problem, engine)
        self._is_reference = engine == "highs"
        self._reduction = unreduced(problem) if self._is_reference else reduce(problem)
        self.referee = Referee(problem.solid.bounds)
        self.complete = False
        self.in_order = True
        self._after = np.zeros(0, dtype=np.int64)
        self._progress, self._max_regions, self._keep = progress, max_regions, keep

    def after_each_layer(self, regions: int) -> tuple[int, ...]:
        """How many regions there are after each layer; a layer that splits nothing has as many as the one before."""
        after = np.zeros(len(self.problem.network.widths), dtype=np.int64)
        known = self._after[: len(after)]
        after[: len(known)] = known
        return tuple(np.maximum(np.maximum.accumulate(after), min(1, regions)).tolist())

    def batches(self) -> Iterator[Batch]:
        """The regions until the end, the limit, or the user's stop."""
        watch = Watch(self._progress)
        fraction, found = 0.0, 0
        for batch in self._limited():
            yield batch
            fraction, found = fraction + batch.share, found + batch.count
            if not watch.goes_on(found, fraction):
                self.complete = False
                return
        watch.ends(found, 1.0 if self.complete else fraction)

    def _limited(self) -> Iterator[Batch]:
        """Batches up to the limit; what comes after it only shows that the set is not complete."""
        found, limit = 0, self._max_regions
        for batch in map(self._reduction.whole, self._found()):
            if limit is not None and found + batch.count > limit:
                yield batch.first(limit - found)
                return
            found += batch.count
            yield batch
        self.complete = True

    def _found(self) -> Iterator[Batch]:
        """The regions of the reduced problem; without a neuron left there is nothing for the kernels to do."""
        walks = self.engine == "walk" and self._reduction.problem.network.n_neurons > 0
        return self._walk() if walks else self._readable()

    def _readable(self) -> Iterator[Batch]:
        problem = self._reduction.problem
        n, k = problem.network.n_neurons, problem.solid.hull.dim
        counter = LayerCounter(np.cumsum(problem.network.widths, dtype=np.int64))
        self._after = counter.after
        size = 1 if self._max_regions is not None else HIGHS_BATCH
        for batch in batches_of_cells(self._cells(problem), n, k, size):
            for bits in batch.bits:
                counter.add(bits)
            yield batch

    def _cells(self, problem: Problem) -> Iterator[Cell]:
        """The leaves of the readable tree; the plain reference if that was asked for by name."""
        if self._is_reference or not is_large_box(problem):
            return leaves(problem, self.referee)
        return leaves_in_box(problem, self.referee.score)

    def _walk(self) -> Iterator[Batch]:
        from polyregions.engine.walk.driver import WalkRun  # numba takes half a second to import

        run = WalkRun(self._reduction.problem, self.referee, self._keep, self._max_regions)
        self._after = run.after
        for batch in run.batches():
            self.in_order = run.in_order
            yield batch


def _collect(run: _Run) -> RegionSet:
    """All batches as one set, in lexicographic order."""
    n, k = run.problem.network.n_neurons, run.problem.solid.hull.dim
    width = (n + 7) // 8
    packed = [np.zeros((0, width), dtype=np.uint8)]
    cuts, points = [packed[0]], [np.zeros((0, k))]
    exact: dict[int, tuple[Fraction, ...]] = {}
    found = 0
    for batch in run.batches():
        packed.append(np.packbits(batch.bits, axis=1))
        cuts.append(np.packbits(batch.cuts, axis=1))
        points.append(batch.points)
        exact |= {found + i: point for i, point in batch.exact.items()}
        found += batch.count
    arrays = (np.concatenate(packed), np.concatenate(cuts), np.concatenate(points))
    if not run.in_order:
        arrays, exact = _sorted(*arrays, exact)
    score = asdict(run.referee.score)
    return RegionSet(run.problem, *arrays, exact, run.complete, run.engine, score)


def _sorted(
    packed: Bytes, cuts: Bytes, points: Floats, exact: dict[int, tuple[Fraction, ...]]
) -> tuple[tuple[Bytes, Bytes, Floats], dict[int, tuple[Fraction, ...]]]:
    order = np.lexsort(packed.T[::-1])
    place = {int(old): new for new, old in enumerate(order)} if exact else {}
    moved = {place[old]: point for old, point in exact.items()}
    return (packed[order], cuts[order], points[order]), dict(sorted(moved.items()))
