"""Answers that carry their proof, or say that there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from polyregions._types import Floats
from polyregions.exact.numbers import Point
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron


class Status(Enum):
    """What is known of an open polyhedron."""

    NONEMPTY = "proved: a point strictly inside is known"
    EMPTY = "proved: multipliers show that there is no point inside"
    UNDECIDED = "not proved either way; exact arithmetic has to settle it"


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to "does it have a point?".

    Attributes:
        status: proved one way, proved the other, or undecided.
        point: a point strictly inside (NONEMPTY only).
        guess: (k,) the best point found by an undecided search, to start the next one from.
        support: rows on which a proof of emptiness rests, or after an undecided search may rest.
    """

    status: Status
    point: Point | None = None
    guess: Floats | None = None
    support: tuple[int, ...] = field(default=())


UNDECIDED = Answer(Status.UNDECIDED)


class Oracle(Protocol):
    """Anything that can be asked whether an open polyhedron has a point."""

    def interior(self, polyhedron: OpenPolyhedron, bounds: Bounds) -> Answer:
        """Ask about the polyhedron, which is known to lie within the bounds."""
        ...
