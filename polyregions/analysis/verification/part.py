"""Parts of an input set, and the two ways to split one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from polyregions._types import Ints
from polyregions.analysis.verification.relaxation import Cut, Unit
from polyregions.exact.affine import affine_of_floats
from polyregions.polyhedra.oracle.forms import Bounds, Form
from polyregions.polyhedra.solid import integer_form

Group = tuple[int, ...]


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
        fewest: the fewest undecided units that a box around it had.
        stalled: how many times the box has been halved since then.
    """

    bounds: Bounds
    walls: tuple[Form, ...]
    bits: list[Ints]
    cuts: tuple[Cut, ...]
    groups: Sequence[Group]
    share: float
    fewest: float = np.inf
    stalled: int = 0

    def halves(self, axis: int) -> list[Part]:
        """Its two halves, cut across the middle of an input."""
        lower, upper = self.bounds.lower, self.bounds.upper
        middle = lower[axis] / 2 + upper[axis] / 2
        found = []
        for side in (-1.0, 1.0):
            row = np.zeros(len(lower) + 1)
            row[axis], row[-1] = side, -side * middle
            wall = integer_form(affine_of_floats(row[None, :-1], row[-1:]).row(0))
            low, high = lower.copy(), upper.copy()
            (low if side > 0 else high)[axis] = middle
            smaller = replace(self, bounds=Bounds(low, high), walls=(*self.walls, wall))
            found.append(replace(smaller, share=self.share / 2, stalled=self.stalled + 1))
        return found

    def side(self, unit: Unit, on: bool) -> Part:
        """The part of it where a unit has a sign."""
        bits = list(self.bits)
        bits[unit.layer] = bits[unit.layer].copy()
        bits[unit.layer][unit.unit] = int(on)
        cuts = (*self.cuts, Cut(unit.layer, unit.unit, on))
        return replace(self, bits=bits, cuts=cuts, share=self.share / 2)
