"""What regions, cells and pieces say of their shape, through the polytope that they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any

from polyregions._types import Floats
from polyregions.polyhedra.polytope import HPolytope
from polyregions.presentation import drawn


class Shape(ABC):
    """Vertices, volume and picture of what has a `polytope`; each access computes them anew."""

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

    def plot(self, ax: Any = None, *, view: tuple[Any, Any] | None = None, **style: Any) -> Any:
        """Draw it with matplotlib, over the same coordinates as `plot_regions`, on whose axes it may be laid.

        In two dimensions a polygon, or a segment where it is flat; in one an interval, or a line where it is a point.

        Args:
            ax: matplotlib axes; a new figure if not given.
            view: two corners ``(lower, upper)`` to which an unbounded shape is cut; by default the limits of the axes,
                or the neighbourhood of its vertices.
            **style: passed to matplotlib's ``Polygon``, ``plot``, ``axvspan`` or ``axvline``: ``facecolor="gold"``.

        Returns:
            The axes.

        Raises:
            InputError: the domain is neither one- nor two-dimensional; the message says how to slice.
            OptionError: the view is none.
            MissingExtraError: matplotlib is not installed.
        """
        return drawn(self, ax, view, style)
