"""Looking at every linear region: where bounds prove nothing, or take longer than the regions do."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from polyregions.analysis.verification.leaf import LeafReferee
from polyregions.analysis.verification.points import Points
from polyregions.analysis.verification.sensors import with_sensors
from polyregions.engine.batches import Batch
from polyregions.engine.options import RunOptions
from polyregions.engine.tally import Run
from polyregions.errors import DomainError
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem, pose
from polyregions.polyhedra.oracle.forms import Form
from polyregions.polyhedra.oracle.highs import HighsOracle
from polyregions.polyhedra.polytope import HPolytope


def must_scan(problem: Problem) -> bool:
    """Whether an input set is unbounded, or weights too wild for error bounds in float64."""
    return not (problem.solid.bounds.are_finite and problem.is_tame)


class Scan:
    """The violations looked for in one region after the other.

    The outputs are neurons of the enumeration (`with_sensors`), so the compiled engine proves of nearly every region
    that it holds no violation; the others are decided one by one.

    Args:
        problem: a problem; its outputs are all >= 0 (or > 0) where a violation holds.
        points: what looks at single points, and knows the violations.
        most: regions after which to give up; None for no limit.

    Attributes:
        parts: how many regions were looked at.
        polytopes: the same.
        done: the part of the search that is finished.
        ended: whether that is all of it.
    """

    def __init__(self, problem: Problem, points: Points) -> None:
        self.problem, self.points = problem, points
        self.parts = self.polytopes = 0
        self.done = 0.0
        self.ended = False
        self._leaf = LeafReferee(HighsOracle())
        self._steps = self._within(())

    def run(self, goes_on: Callable[[int, float], bool]) -> Point | None:
        """A point of a violation; None if there is none, or if it was stopped, and then it can go on."""
        found = None
        while found is None and not self.ended and goes_on(self.parts, self.done):
            found = self.step()
        return found

    def step(self) -> Point | None:
        """Look at some more regions: a point of a violation, None if there is none in them."""
        return next(self._steps, None)

    def within(self, walls: Sequence[Form], goes_on: Callable[[], bool]) -> Point | None:
        """A violation in the part of the input set where further forms are >= 0; counted from the beginning."""
        self.ended, self.done = False, 0.0
        self._steps = self._within(walls)
        return self.run(lambda parts, done: goes_on())

    def _within(self, walls: Sequence[Form]) -> Generator[Point | None, None, None]:
        """What is found in each batch of regions."""
        try:
            part = pose(self.problem.inner, self._domain(walls))
        except DomainError:  # the part is beyond the input set
            self.ended = True
            return
        sensors = with_sensors(part.inner)
        seen = part if sensors is None else replace(part, network=sensors, inner=sensors)
        run = Run(seen, RunOptions(workers=1), keep=True)
        with closing(run.batches()) as batches:
            for batch in batches:
                for found in self._look(part, seen, batch):
                    yield found and part.solid.hull.lift(found)
                self.parts, self.polytopes = self.parts + batch.count, self.polytopes + batch.count
                self.done += batch.share
                yield None
        self.ended, self.done = True, 1.0

    def _look(self, part: Problem, seen: Problem, batch: Batch) -> Iterator[Point | None]:
        """Decide the regions of a batch that may hold a violation, one by one."""
        n = part.network.n_neurons
        bits, cuts = batch.bits.astype(np.bool_), batch.cuts.astype(np.bool_)
        sensors, strict, bounds = bits[:, n:], part.solid.strict, part.solid.bounds
        for group in self.points.groups:
            may = sensors[:, list(group)].all(axis=1) if seen is not part else np.full(len(bits), True)
            for i in np.flatnonzero(may):
                forms = seen.bounding_forms(bits[i], cuts[i])
                is_open = [*strict, *(False for _ in forms[len(strict) :])]
                last = part.layers.last_along(bits[i, :n])
                yield self._leaf.violation(forms, is_open, bounds, last, [group], self.points.strict)

    def _domain(self, walls: Sequence[Form]) -> HPolytope:
        """Over the coordinates u."""
        solid = self.problem.solid
        rows = [form.exact() for form in (*solid.forms, *walls)]
        strict = [*solid.strict, *(False for _ in walls)]
        scales = [max(map(abs, row[:-1])) for row in rows]
        return HPolytope.of_exact_rows(rows, scales, solid.hull.dim, strict, [""] * len(rows))
