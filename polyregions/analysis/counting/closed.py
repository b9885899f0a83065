"""Does a closed polyhedron have a point, thin ones included? Floats may say no; yes is said in rationals."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from polyregions.exact.interior import proves_empty
from polyregions.polyhedra.hull import AffineHull, SolidPolyhedron, solidify
from polyregions.polyhedra.oracle.answer import Status
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import HighsOracle


class ClosedOracle:
    """Finds closed polyhedra empty, or solid in their affine hull; one solver for all questions."""

    def __init__(self) -> None:
        self.highs = HighsOracle()

    def solid(self, forms: Sequence[Form], bounds: Bounds) -> SolidPolyhedron | None:
        """``{u : every form >= 0}`` in the coordinates of its affine hull; None if it is proved empty.

        Args:
            forms: the forms over u.
            bounds: coordinate bounds (k,) that u is known to lie in.
        """
        dim = len(bounds.lower)
        polyhedron = OpenPolyhedron.of(forms, dim)
        answer = self.highs.interior(polyhedron, bounds)
        if answer.status is Status.EMPTY:  # proved with a margin, so the closed set is empty too
            return None
        rows = polyhedron.exact_rows()
        multipliers = proves_empty(rows, answer.support)
        if multipliers is not None and sum(y * rows[i][-1] for i, y in multipliers.items()) < 0:
            return None
        return solidify(rows, AffineHull.whole(dim), [Fraction(0)] * dim)
