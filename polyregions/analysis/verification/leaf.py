"""The last resort of a verdict: a polytope on which the network is affine, decided with proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from polyregions.exact.half_open import find_point
from polyregions.exact.interior import proves_empty
from polyregions.exact.numbers import Point
from polyregions.networks.pullback import PulledLayer
from polyregions.polyhedra.oracle.answer import Oracle, Status
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron
from polyregions.polyhedra.oracle.rational import starting_point


class LeafReferee:
    """Finds a point of a polyhedron given by closed and open rows, or proves that there is none.

    Args:
        proposer: asked first; what it proves of the open polyhedron is used.
    """

    def __init__(self, proposer: Oracle) -> None:
        self._proposer = proposer
        self.by_rationals = 0

    def point(self, forms: Sequence[Form], strict: Sequence[bool], bounds: Bounds) -> Point | None:
        """A point where all forms are >= 0, the strict ones > 0; None if it is proved that there is none.

        A proof of emptiness in floats shows a sum of the forms that is negative all over the bounds, so it holds
        for the closed polyhedron too.
        """
        polyhedron = OpenPolyhedron.of(forms, len(bounds.lower))
        answer = self._proposer.interior(polyhedron, bounds)
        if answer.status is not Status.UNDECIDED:
            return answer.point
        self.by_rationals += 1
        rows = polyhedron.exact_rows()
        proof = proves_empty(rows, answer.support)
        if proof is not None and _excludes(proof, rows, strict):
            return None
        return find_point(rows, strict, starting_point(answer.guess, polyhedron.dim))

    def violation(
        self,
        forms: Sequence[Form],
        strict: Sequence[bool],
        bounds: Bounds,
        outputs: PulledLayer,
        groups: Sequence[tuple[int, ...]],
        strict_outputs: Sequence[bool],
    ) -> Point | None:
        """A point of a polyhedron where the outputs of a group are >= 0 (strict ones > 0), None if there is none."""
        for group in groups:
            all_forms = [*forms, *(outputs.form(j) for j in group)]
            point = self.point(all_forms, [*strict, *(strict_outputs[j] for j in group)], bounds)
            if point is not None:
                return point
        return None


def _excludes(
    multipliers: Mapping[int, Fraction], rows: Sequence[Sequence[int]], strict: Sequence[bool]
) -> bool:
    """Whether a non-negative combination of rows that is a constant contradicts closed rows, not only open ones."""
    constant = sum(y * rows[i][-1] for i, y in multipliers.items())
    return constant < 0 or any(strict[i] for i in multipliers)
