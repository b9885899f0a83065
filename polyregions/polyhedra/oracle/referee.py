"""The referee: asks floating point first, exact arithmetic where that proves nothing, and keeps the score."""

from __future__ import annotations

from dataclasses import dataclass

from polyregions.exact.numbers import Point, dot
from polyregions.polyhedra.oracle import proof
from polyregions.polyhedra.oracle.answer import Oracle, Status
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import HighsOracle
from polyregions.polyhedra.oracle.rational import RationalOracle


@dataclass
class Score:
    """How many questions were settled by whom."""

    by_bounds: int = 0
    by_floats: int = 0
    by_rationals: int = 0
    exact_signs: int = 0


class Referee:
    """Decides every question, with proof, as cheaply as it can.

    Args:
        bounds: coordinate bounds of everything that will be asked about.
        proposer: the floating-point oracle; HiGHS if not given.
        within: rows that belong to every question and that the proposer takes from the bounds.
        score: where to count; a new one if not given.
    """

    def __init__(
        self,
        bounds: Bounds,
        proposer: Oracle | None = None,
        within: OpenPolyhedron | None = None,
        score: Score | None = None,
    ) -> None:
        self.bounds = bounds
        self._within = within
        self.score = Score() if score is None else score
        self._proposer = proposer or HighsOracle()
        self._rational = RationalOracle()

    def interior(self, polyhedron: OpenPolyhedron) -> Point | None:
        """A point strictly inside, or None if it is proved that there is none."""
        answer = self._proposer.interior(polyhedron, self.bounds)
        if answer.status is Status.UNDECIDED:
            self.score.by_rationals += 1
            whole = polyhedron if self._within is None else polyhedron.and_rows_of(self._within)
            answer = self._rational.interior(whole, self.bounds, hint=answer)
        else:
            self.score.by_floats += 1
        return answer.point

    def sign(self, form: Form, point: Point) -> int:
        """The exact sign (-1, 0, 1) of a form at a point."""
        if point.is_float64:
            sign = proof.sign_at(form.row, form.error, point.approx)
            if sign:
                return sign
        self.score.exact_signs += 1
        value = dot(form.exact(), point.integers)
        return (value > 0) - (value < 0)

    def never_positive(self, form: Form) -> bool:
        """Whether the coordinate bounds alone prove that the form is nowhere positive."""
        proved = bool(proof.upper_bound(form.row[None], form.error[None], self.bounds)[0] <= 0)
        self.score.by_bounds += proved
        return proved

    def constant_sign(self, form: Form) -> int | None:
        """The sign of a form that is constant, None if it varies."""
        if form.is_surely_nonconstant():
            return None
        row = form.exact()
        if any(row[:-1]):
            return None
        return (row[-1] > 0) - (row[-1] < 0)
