"""What regions, cells and pieces say of their shape, through the polytope that they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction

from polyregions._types import Floats
from polyregions.polyhedra.polytope import HPolytope


class Shape(ABC):
    """Vertices and volume of what has a `polytope`; each access computes them anew."""

    @property
    @abstractmethod
    def polytope(self) -> HPolytope:
        """The polytope in the inputs."""

    @property
    def vertices(self) -> Floats:
        """The vertices (v, d), exact and rounded once, see `HPolytope.vertices`."""
        return self.polytope.vertices()

    @property
    def exact_vertices(self) -> tuple[tuple[Fraction, ...], ...]:
        """The vertices in rationals, see `HPolytope.exact_vertices`."""
        return self.polytope.exact_vertices()

    @property
    def volume(self) -> float:
        """The volume in its own dimension, infinite if unbounded, see `HPolytope.volume`."""
        return self.polytope.volume()

    @property
    def exact_volume(self) -> Fraction:
        """The volume in rationals, see `HPolytope.exact_volume`."""
        return self.polytope.exact_volume()
