"""The search and the scan of one input set, side by side: nobody knows beforehand which of them ends first.

Turns are given by what was looked at and how much of each is done, never by a clock, so the answer is the same on every
machine. Either of them proves what it answers.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb, inf
from typing import Protocol

from polyregions.analysis.verification.points import Points
from polyregions.analysis.verification.scan import Scan, must_scan
from polyregions.analysis.verification.search import Search
from polyregions.engine.choose import MOST_INPUTS
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem

HEAD_START = (64, 1500)  # fewest and most parts that are searched first: most input sets need no more
TURN = 64  # parts of the search in a turn; a turn of the scan is a batch of regions
NEURONS_PER_PART = 8000  # looking at a region costs about as much as this share of a part for each neuron
MOST_ODDS = 16.0  # how much more work the one that seems to end first gets at most
HOPE = 3.0  # a scan meets small subtrees first: what is left of it is about so much more than it seems


class Contestant(Protocol):
    """What looks for a violation in an input set."""

    @property
    def parts(self) -> int:
        """How many parts were looked at."""

    @property
    def polytopes(self) -> int:
        """How many of them were decided as polytopes."""

    @property
    def done(self) -> float:
        """The part of the work that is finished."""

    @property
    def ended(self) -> bool:
        """Whether nothing is left to look at."""

    def run(self, goes_on: Callable[[int, float], bool]) -> Point | None:
        """A violation; None if there is none, or if it was stopped, and then it can go on."""


def contestant(problem: Problem, points: Points) -> Contestant:
    """What takes a problem: regions where bounds prove nothing, bounds where regions are too many, else both."""
    if must_scan(problem):
        return Scan(problem, points)
    if problem.solid.hull.dim > MOST_INPUTS:
        return Search(problem, points)
    return Race(problem, points)


class Race:
    """Both at once, see `Contestant`.

    Args:
        problem: a bounded and tame problem; its outputs are all >= 0 (or > 0) where a violation holds.
        points: what looks at single points, and knows the violations.
    """

    def __init__(self, problem: Problem, points: Points) -> None:
        self._search, self._scan = Search(problem, points), Scan(problem, points)
        n, d = problem.inner.n_neurons, problem.solid.hull.dim
        self._price = max(1, n) / NEURONS_PER_PART
        of_one_layer = sum(comb(n, i) for i in range(d + 1))  # regions, if all neurons were in one layer
        self._head_start = min(max(HEAD_START[0], int(of_one_layer * self._price)), HEAD_START[1])

    @property
    def parts(self) -> int:
        """Boxes, cells and regions."""
        return self._search.parts + self._scan.parts

    @property
    def polytopes(self) -> int:
        """Those of them on which the network is affine."""
        return self._search.polytopes + self._scan.polytopes

    @property
    def done(self) -> float:
        """How far the one is that is ahead."""
        return max(self._search.done, self._scan.done)

    @property
    def ended(self) -> bool:
        """Whether one of them is through."""
        return self._search.ended or self._scan.ended

    def run(self, goes_on: Callable[[int, float], bool]) -> Point | None:
        """A violation; None if there is none, or if it was stopped."""
        found = self._turn_of_search(self._head_start - self._search.parts, goes_on)
        while found is None and not self.ended and goes_on(self.parts, self.done):
            found = self._scan.step() if self._scan_is_next() else self._turn_of_search(TURN, goes_on)
        return found

    def _turn_of_search(self, n: int, goes_on: Callable[[int, float], bool]) -> Point | None:
        end = self._search.parts + n
        return self._search.run(lambda parts, done: parts < end and goes_on(self.parts, self.done))

    def _scan_is_next(self) -> bool:
        """Work is shared by the squares of what each seems to have left."""
        searched, scanned = float(self._search.parts), self._scan.parts * self._price
        left = (_left(searched, self._search.done), HOPE * _left(scanned, self._scan.done))
        odds = 1.0 if left[0] == left[1] else (left[0] / left[1] if left[1] > 0 else inf) ** 2
        return scanned <= searched * min(max(odds, 1 / MOST_ODDS), MOST_ODDS)


def _left(spent: float, done: float) -> float:
    """The work that is left if the rest goes on as what is done."""
    return spent * (1.0 - done) / done if done > 0 else inf
