"""The search for a violation: depth first over parts of the input set, each decided, or split in two.

A part is decided when its bounds or a linear program prove that no violation is possible in it, when a point of one is
found, or when no unit is left whose sign is open: then the network is affine there, and the question is one polytope.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.zonotope import UNKNOWN
from polyregions.exact.affine import affine_of_floats
from polyregions.exact.numbers import Point
from polyregions.geometry.solid import integer_form
from polyregions.oracle.highs import HighsOracle
from polyregions.oracle.polyhedron import Bounds, Form
from polyregions.problem import Problem
from polyregions.verify.leaf import LeafReferee
from polyregions.verify.points import Points
from polyregions.verify.program import Candidate, Prover
from polyregions.verify.relaxation import Cut, Enclosure, Relaxation, enclose, possible, relax

Group = tuple[int, ...]
MOST_INPUTS = 8  # boxes of more are not halved: there are too many sides
MOST_UNKNOWN = 30  # boxes with at most so many undecided units are not halved: linear programs see more


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the input set.

    Attributes:
        bounds: a box around it.
        walls: the forms that are >= 0 on it, beside those of the input set and of `cuts`.
        bits: for each layer the bits known on it, UNKNOWN for the others.
        cuts: the units whose sign was assumed.
        groups: the violations not yet excluded.
        share: the part of the whole search that it is, if every split halved it.
    """

    bounds: Bounds
    walls: tuple[Form, ...]
    bits: list[Ints]
    cuts: tuple[Cut, ...]
    groups: Sequence[Group]
    share: float


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
        self._leaf = LeafReferee(HighsOracle())

    @cached_property
    def _domain(self) -> list[Form]:
        """The rows of the input set that its bounds do not imply."""
        forms = self.problem.solid.forms
        return [form for form in forms if np.count_nonzero(form.row[:-1]) > 1]

    @property
    def ended(self) -> bool:
        """Whether nothing is left to look at."""
        return not self.stack

    def run(self, goes_on: Callable[[int, float], bool]) -> Point | None:
        """A point of a violation; None if there is none, or if it was stopped."""
        while self.stack and goes_on(self.parts, self.done):
            part = self.stack.pop()
            self.parts += 1
            found = self._step(part)
            if found is not None:
                return found
        return None

    def _step(self, part: Part) -> Point | None:
        enclosure = enclose(self.network, part.bounds, part.bits)
        groups = possible(enclosure, part.groups) if enclosure is not None else []
        if enclosure is None or not groups:
            self._finish(part)
            return None
        part = replace(part, bits=enclosure.bits, groups=groups)
        if enclosure.n_unknown == 0:
            return self._decide(part)
        if len(part.bounds.lower) <= MOST_INPUTS and enclosure.n_unknown > MOST_UNKNOWN:
            found = self.points.first_violated((part.bounds.lower + part.bounds.upper)[None] / 2)
            self._halve(part, enclosure)
            return found
        return self._relax(part, enclosure)

    def _finish(self, part: Part) -> None:
        self.done += part.share

    def _decide(self, part: Part) -> Point | None:
        """The network is affine on the part."""
        self.polytopes += 1
        self._finish(part)
        solid = self.problem.solid
        bits = zip(self.network.layers, part.bits, strict=True)
        pattern = np.concatenate([b[layer.splitting] for layer, b in bits]) == 1
        layers = list(self.problem.layers.along(pattern))
        cuts = [(layers[cut.layer].form(cut.unit), cut.on) for cut in part.cuts]
        rows = [*part.walls, *(form if on else form.negated() for form, on in cuts)]
        forms, strict = [*solid.forms, *rows], [*solid.strict, *(False for _ in rows)]
        return self._leaf.violation(forms, strict, part.bounds, layers[-1], part.groups, self.points.strict)

    def _relax(self, part: Part, enclosure: Enclosure) -> Point | None:
        relaxation = relax(self.network, part.bounds, self._domain, enclosure, part.cuts)
        answers = [(group, self._prover.ask(relaxation, group)) for group in part.groups]
        open_ = [(group, a) for group, a in answers if isinstance(a, Candidate)]
        if not open_:
            self._finish(part)
            return None
        seen = [a.point[: relaxation.n_inputs] for _, a in open_ if a.point is not None]
        found = self.points.first_violated(np.array(seen)) if seen else None
        if found is None:
            self._branch(replace(part, groups=[g for g, _ in open_]), relaxation, open_[0][1])
        return found

    def _branch(self, part: Part, relaxation: Relaxation, candidate: Candidate) -> None:
        """Split at the unit whose chord holds the bound down most; the side of the candidate comes first."""
        scores = [candidate.pull[u.chord] * u.height for u in relaxation.units]
        best = relaxation.units[int(np.argmax(scores))]
        if max(scores) <= 0:
            best = max(relaxation.units, key=lambda u: u.height)
        first = True
        if candidate.point is not None:
            first = self._is_on(candidate.point[: relaxation.n_inputs], best.layer, best.unit)
        for on in (not first, first):
            bits = list(part.bits)
            bits[best.layer] = bits[best.layer].copy()
            bits[best.layer][best.unit] = int(on)
            cut = Cut(best.layer, best.unit, on)
            self.stack.append(replace(part, bits=bits, cuts=(*part.cuts, cut), share=part.share / 2))

    def _is_on(self, u: Floats, layer: int, unit: int) -> bool:
        values = u
        for i, found in enumerate(self.network.layers):
            z = found.weight @ values + found.bias
            if i == layer:
                return bool(z[unit] > 0)
            values = np.where(z > 0, found.slopes[:, 1], found.slopes[:, 0]) * z
        raise AssertionError

    def _halve(self, part: Part, enclosure: Enclosure) -> None:
        """Split the box across the input that moves the outputs in question most."""
        axis = int(np.argmax(enclosure.sway))
        lower, upper = part.bounds.lower, part.bounds.upper
        middle = lower[axis] / 2 + upper[axis] / 2
        for side in (-1.0, 1.0):
            row = np.zeros(len(lower) + 1)
            row[axis], row[-1] = side, -side * middle
            low, high = lower.copy(), upper.copy()
            (low if side > 0 else high)[axis] = middle
            walls = (*part.walls, integer_form(affine_of_floats(row[None, :-1], row[-1:]).row(0)))
            self.stack.append(replace(part, bounds=Bounds(low, high), walls=walls, share=part.share / 2))
