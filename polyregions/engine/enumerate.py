"""Enumerating and counting: what users call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from time import monotonic
from typing import TypeAlias

import numpy as np

from polyregions._types import Bools, Bytes, Floats
from polyregions.domain import Domain
from polyregions.engine.tree import Cell, leaves
from polyregions.errors import OptionError, StoppedError
from polyregions.network import Network
from polyregions.oracle.referee import Referee
from polyregions.patterns import pack
from polyregions.problem import Problem, pose
from polyregions.regions import RegionSet

ENGINES = ("auto", "highs")
REPORT_EVERY = 0.1  # seconds between two calls of a progress function


@dataclass(frozen=True)
class Progress:
    """How far an enumeration has come.

    Attributes:
        regions: regions found so far.
        fraction: the part of the split tree that is done, if every split halved what lies below it.
        seconds: time since the start.
    """

    regions: int
    fraction: float
    seconds: float

    @property
    def rate(self) -> float:
        """Regions a second."""
        return self.regions / self.seconds if self.seconds > 0 else 0.0


ProgressFunction: TypeAlias = Callable[[Progress], bool | None]


def enumerate_regions(
    network: Network,
    domain: Domain,
    *,
    engine: str = "auto",
    progress: ProgressFunction | None = None,
    max_regions: int | None = None,
) -> RegionSet:
    """Every full-dimensional linear region of a network on a domain, proved complete.

    Args:
        network: the network, d inputs.
        domain: the input set in R^d.
        engine: ``"highs"``, the reference engine, or ``"auto"`` for the best one there is.
        progress: called now and then with a `Progress`; returning False stops the run.
        max_regions: stop after this many regions.

    Returns:
        The regions in lexicographic order of their patterns; `complete` is False if the run was stopped.

    Raises:
        DomainError: the domain is empty or of another dimension.
        OptionError: an unknown engine or a negative limit.

    >>> from polyregions import Box, Network, enumerate_regions
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> enumerate_regions(net, Box([-1], [1])).patterns.astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    run = _Run(pose(network, domain), engine, progress, max_regions)
    return _collect(run, network.n_neurons)


@dataclass(frozen=True)
class Tally:
    """What counting alone gives.

    Attributes:
        regions: the number R of regions.
        after_each_layer: how many there are after each activation layer (the last entry is R).
        complete: whether these are all; False if the run was stopped.
        score: how many questions were settled by bounds, floats and rationals.
    """

    regions: int
    after_each_layer: tuple[int, ...]
    complete: bool
    score: dict[str, int]


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
    run = _Run(pose(network, domain), engine, progress, max_regions)
    ends = [end for _, end in network.layer_spans]
    counts = [0] * len(ends)
    regions, before = 0, None
    for cell in run.leaves():
        regions += 1
        for i, end in enumerate(ends):
            counts[i] += before is None or cell.bits[:end] != before[:end]
        before = cell.bits
    return Tally(regions, tuple(counts), run.complete, asdict(run.referee.score))


class _Run:
    """One pass over the leaves, with its limit, its progress and its score."""

    def __init__(
        self, problem: Problem, engine: str, progress: ProgressFunction | None, max_regions: int | None
    ) -> None:
        if engine not in ENGINES:
            raise OptionError(f"engine {engine!r}, expected one of {', '.join(ENGINES)}")
        if max_regions is not None and max_regions < 0:
            raise OptionError(f"max_regions is {max_regions}, expected at least 0")
        self.problem = problem
        self.referee = Referee(problem.solid.bounds)
        self.complete = False
        self._progress = progress
        self._max_regions = max_regions

    def leaves(self) -> Iterator[Cell]:
        """The regions until the end, the limit, or the user's stop."""
        start = reported = monotonic()
        fraction, found = 0.0, 0
        for cell in leaves(self.problem, self.referee):
            if self._max_regions is not None and found >= self._max_regions:
                return
            yield cell
            fraction, found = fraction + cell.share, found + 1
            now = monotonic()
            if self._progress is not None and now - reported >= REPORT_EVERY:
                reported = now
                if self._progress(Progress(found, fraction, now - start)) is False:
                    return
        self.complete = True
        if self._progress is not None:
            self._progress(Progress(found, 1.0, monotonic() - start))


def _collect(run: _Run, n_neurons: int) -> RegionSet:
    bits: list[Bytes] = []
    cuts: list[Bytes] = []
    points: list[Floats] = []
    rational: dict[int, tuple[Fraction, ...]] = {}
    for i, cell in enumerate(run.leaves()):
        bits.append(pack(np.array([cell.bits], dtype=np.bool_).reshape(1, n_neurons)))
        cuts.append(pack(_mask(cell.cuts, n_neurons)[None]))
        points.append(cell.point.approx)
        if cell.point.rational is not None:
            rational[i] = cell.point.rational
    width = (n_neurons + 7) // 8
    return RegionSet(
        run.problem,
        np.concatenate([np.zeros((0, width), dtype=np.uint8), *bits]),
        np.concatenate([np.zeros((0, width), dtype=np.uint8), *cuts]),
        np.array(points, dtype=np.float64).reshape(len(points), run.problem.solid.hull.dim),
        rational,
        run.complete,
        "highs",
        asdict(run.referee.score),
    )


def _mask(indices: tuple[int, ...], n: int) -> Bools:
    mask = np.zeros(n, dtype=np.bool_)
    mask[list(indices)] = True
    return mask
