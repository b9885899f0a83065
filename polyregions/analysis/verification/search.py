"""The search for a violation: depth first over parts of the input set, each decided, or split in two.

A part is decided when its bounds or a linear program prove that no violation is possible in it, when a point of one is
found, or when no unit is left whose sign is open: then the network is affine there, and the question is one polytope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.verification.leaf import LeafReferee
from polyregions.analysis.verification.part import Part
from polyregions.analysis.verification.points import Points
from polyregions.analysis.verification.program import Candidate, Prover
from polyregions.analysis.verification.relaxation import Cut, Enclosure, Relaxation, enclose, possible, relax
from polyregions.analysis.verification.scan import Scan
from polyregions.engine.local_box import box_referee
from polyregions.exact.numbers import Point
from polyregions.networks.problem import Problem
from polyregions.networks.pullback import PulledLayer
from polyregions.networks.zonotope import UNKNOWN
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import HighsOracle
from polyregions.polyhedra.oracle.referee import Referee, Score

MOST_INPUTS = 8  # boxes of more are not halved: there are too many sides
STALLED = 3  # for each input: so many halvings that decide nothing are enough
MOST_PARTS = 100  # of a box of few inputs; then its regions are enumerated, which comes to an end
MOST_FREE_CUTS = 8  # the next ones go layer by layer, so that it can be told which sides have an interior
MOST_UNKNOWN = 30  # boxes with at most so many undecided units are not halved: linear programs see more


class Search:
    """One search.

    Args:
        problem: a bounded and tame problem; its outputs are all >= 0 (or > 0) where a violation holds.
        points: what looks at single points, and knows the violations.

    Attributes:
        parts: how many parts were looked at.
        polytopes: how many of them were decided as polytopes on which the network is affine.
        done: the part of the search that is finished.
    """

    def __init__(self, problem: Problem, points: Points) -> None:
        self.problem, self.points = problem, points
        self.network = problem.inner
        bits = [np.where(layer.splitting, UNKNOWN, 1).astype(np.int64) for layer in self.network.layers]
        self.stack = [Part(problem.solid.bounds, (), bits, (), points.groups, 1.0)]
        self.parts = self.polytopes = 0
        self.done = 0.0
        self._prover = Prover()
        self._proposer = HighsOracle()
        self._leaf = LeafReferee(self._proposer)

    @cached_property
    def _domain(self) -> list[Form]:
        """The rows of the input set that its bounds do not imply."""
        solid = self.problem.solid
        if solid.input_bounds is not None:
            return []
        return [form for form in solid.forms if np.count_nonzero(form.row[:-1]) > 1]

    @property
    def ended(self) -> bool:
        """Whether nothing is left to look at."""
        return not self.stack

    def run(self, goes_on: Callable[[int, float], bool]) -> Point | None:
        """A point of a violation; None if there is none, or if it was stopped."""

        def is_wanted() -> bool:
            return goes_on(self.parts, self.done)

        while self.stack and is_wanted():
            found = self._box(self.stack.pop(), is_wanted)
            if found is not None:
                return found
        return None

    def _box(self, part: Part, is_wanted: Callable[[], bool]) -> Point | None:
        """Halve a box, or settle it by splitting units; one that `MOST_PARTS` do not settle is enumerated."""
        done, pending = self.done, [part]
        for _ in range(MOST_PARTS):
            if not is_wanted():
                break
            found = self._step(pending.pop(), pending)
            if found is not None or not pending:
                return found
            if len(pending[-1].walls) > len(part.walls):  # each half is a box of its own
                break
        else:
            if not part.cuts and len(part.bounds.lower) <= MOST_INPUTS:
                return self._scan(part, done, is_wanted)
        self.stack += pending
        return None

    def _scan(self, part: Part, done: float, is_wanted: Callable[[], bool]) -> Point | None:
        """Look at all regions of a box."""
        scan = Scan(self.problem, self.points)
        found = scan.within(part.walls, is_wanted)
        self.parts, self.polytopes = self.parts + scan.parts, self.polytopes + scan.polytopes
        self.done = done + part.share * scan.done
        if found is None and not scan.ended:
            self.stack.append(part)
        return found

    def _step(self, part: Part, stack: list[Part]) -> Point | None:
        """Decide a part, or split it and put what comes of it on the stack."""
        self.parts += 1
        enclosure = enclose(self.network, part.bounds, part.bits)
        groups = possible(enclosure, part.groups) if enclosure is not None else []
        if enclosure is None or not groups:
            self._finish(part)
            return None
        part = replace(part, bits=enclosure.bits, groups=groups)
        if enclosure.n_unknown == 0:
            return self._decide(part)
        if enclosure.n_unknown < part.fewest:
            part = replace(part, fewest=enclosure.n_unknown, stalled=0)
        if self._should_halve(part, enclosure):
            stack += part.halves(int(np.argmax(enclosure.sway)))
            return self.points.first_violated((part.bounds.lower + part.bounds.upper)[None] / 2)
        return self._relax(part, enclosure, stack)

    def _should_halve(self, part: Part, enclosure: Enclosure) -> bool:
        """Boxes of few inputs as long as that decides units."""
        k = len(part.bounds.lower)
        is_stuck = part.stalled > STALLED * k
        return k <= MOST_INPUTS and enclosure.n_unknown > MOST_UNKNOWN and not (is_stuck or part.cuts)

    def _finish(self, part: Part) -> None:
        self.done += part.share

    def _decide(self, part: Part) -> Point | None:
        """The network is affine on the part."""
        self.polytopes += 1
        self._finish(part)
        solid = self.problem.solid
        layers = self._layers(part.bits, len(self.network.layers) - 1)
        rows = [*part.walls, *(_cut_form(layers, cut) for cut in part.cuts)]
        forms, strict = [*solid.forms, *rows], [*solid.strict, *(False for _ in rows)]
        return self._leaf.violation(forms, strict, part.bounds, layers[-1], part.groups, self.points.strict)

    def _relax(self, part: Part, enclosure: Enclosure, stack: list[Part]) -> Point | None:
        relaxation = relax(self.network, part.bounds, self._domain, enclosure, part.cuts)
        answers = [(group, self._prover.ask(relaxation, group)) for group in part.groups]
        open_ = [(group, a) for group, a in answers if isinstance(a, Candidate)]
        if not open_:
            self._finish(part)
            return None
        seen = [a.point[: relaxation.n_inputs] for _, a in open_ if a.point is not None]
        found = self.points.first_violated(np.array(seen)) if seen else None
        if found is None:
            stack += self._sides(replace(part, groups=[g for g, _ in open_]), relaxation, open_[0][1])
        return found

    def _sides(self, part: Part, relaxation: Relaxation, candidate: Candidate) -> list[Part]:
        """Split at the unit whose chord holds the bound down most; the side of the candidate comes last."""
        units = relaxation.units
        in_order = len(part.cuts) >= MOST_FREE_CUTS
        if in_order:
            units = [u for u in units if u.layer == units[0].layer]
        best = max(units, key=lambda u: (candidate.pull[u.chord] * u.height, u.height))
        last = True
        if candidate.point is not None:
            last = self._is_on(candidate.point[: relaxation.n_inputs], best.layer, best.unit)
        sides = [part.side(best, not last), part.side(best, last)]
        if not in_order:
            return sides
        solid = [side for side in sides if self._has_interior(side, best.layer)]
        self.done += part.share - sum(side.share for side in solid)
        return solid

    def _has_interior(self, part: Part, layer: int) -> bool:
        """Whether a part has one, all units before a layer being known; parts with interior cover the input set.

        Cuts of later layers are left out.
        """
        layers = self._layers(part.bits, layer)
        cuts = [cut for cut in part.cuts if cut.layer <= layer]
        forms = [*part.walls, *(_cut_form(layers, cut) for cut in cuts)]
        if not self._domain:  # a box: its bounds, rounded outwards, are no rows of the program
            referee = self._box_referee
        else:
            forms, referee = [*self.problem.solid.forms, *forms], Referee(part.bounds, self._proposer)
        return referee.interior(OpenPolyhedron.of(forms, len(part.bounds.lower))) is not None

    @cached_property
    def _box_referee(self) -> Referee:
        return box_referee(self.problem, Score())

    def _layers(self, bits: Sequence[Ints], last: int) -> list[PulledLayer]:
        """The layers up to `last`, pulled back along known bits."""
        layers = [self.problem.layers.first()]
        for layer, known in zip(self.network.layers[:last], bits, strict=False):
            layers.append(layers[-1].next(known[layer.splitting] == 1))
        return layers

    def _is_on(self, u: Floats, layer: int, unit: int) -> bool:
        values = u
        for i, found in enumerate(self.network.layers):
            z = found.weight @ values + found.bias
            if i == layer:
                return bool(z[unit] > 0)
            values = np.where(z > 0, found.slopes[:, 1], found.slopes[:, 0]) * z
        raise AssertionError


def _cut_form(layers: Sequence[PulledLayer], cut: Cut) -> Form:
    """The form that is >= 0 where a cut's sign is as assumed."""
    form = layers[cut.layer].form(cut.unit)
    return form if cut.on else form.negated()
