"""The face lattice of a polyhedron from its generators and the rows they lie on: faces are bits of generators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce


@dataclass(frozen=True)
class FaceLattice:
    """The faces of a polyhedron, each as the generators it holds, the bits of an integer.

    Attributes:
        whole: all generators.
        points: those that are points; faces without any lie at infinity and are left out.
        walls: the generators on each row.
    """

    whole: int
    points: int
    walls: frozenset[int]

    @classmethod
    def of(cls, tight: Sequence[int], n_points: int) -> FaceLattice:
        """The lattice of a polyhedron, from the rows that each of its generators lies on, the points first."""
        rows = members(reduce(lambda a, b: a | b, tight, 0))
        walls = frozenset(sum(1 << g for g, t in enumerate(tight) if t >> row & 1) for row in rows)
        return cls((1 << len(tight)) - 1, (1 << n_points) - 1, walls)

    def facets(self, face: int) -> list[int]:
        """The facets of a face: its largest proper intersections with the walls; in a fixed order."""
        parts = sorted({face & wall for wall in self.walls} - {face}, reverse=True)
        proper = [part for part in parts if part & self.points]
        return [p for p in proper if not any(p & ~q == 0 and p != q for q in proper)]

    def levels(self) -> list[set[int]]:
        """All faces, from the polyhedron itself down by one dimension a level."""
        levels = [{self.whole}]
        while levels[-1]:
            levels.append({facet for face in levels[-1] for facet in self.facets(face)})
        return levels[:-1]


def members(bits: int) -> list[int]:
    """The positions of the bits that are set."""
    return [i for i in range(bits.bit_length()) if bits >> i & 1]
