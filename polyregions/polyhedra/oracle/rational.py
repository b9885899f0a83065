"""The court of last resort: rational arithmetic, which always decides."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from polyregions._types import Floats
from polyregions.exact.interior import find_interior, proves_empty
from polyregions.polyhedra.oracle.answer import UNDECIDED, Answer, Status
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron


class RationalOracle:
    """Decides every question, starting from whatever an undecided answer left behind."""

    def interior(self, polyhedron: OpenPolyhedron, bounds: Bounds, hint: Answer = UNDECIDED) -> Answer:
        """NONEMPTY or EMPTY, never UNDECIDED."""
        rows = polyhedron.exact_rows()
        if proves_empty(rows, hint.support) is not None:
            return Answer(Status.EMPTY, support=hint.support)
        found = find_interior(rows, starting_point(hint.guess, polyhedron.dim))
        if found.point is None:
            return Answer(Status.EMPTY, support=tuple(sorted(found.multipliers)))
        return Answer(Status.NONEMPTY, point=found.point)


def starting_point(guess: Floats | None, dim: int) -> Sequence[Fraction]:
    """The guess (k,) as rationals, the origin if there is none."""
    if guess is None or not np.all(np.isfinite(guess)):
        return [Fraction(0)] * dim
    return [Fraction(v) for v in guess.tolist()]
