"""Many convex polygons as a few arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.plot.clip import Side, corner_floats
from polyregions.polyhedra.rows import quotients


@dataclass(frozen=True, eq=False)
class Polygons:
    """Convex polygons; the corners and sides of polygon i are at ``offsets[i]`` to ``offsets[i + 1]``.

    Attributes:
        offsets: (P+1,); a polygon that is not in the view has no corners.
        corners: (V, 2) the start of each side, counterclockwise.
        rows: (V, 3) the half-plane ``a x + b y + c >= 0`` of each side; the larger of a and b is 1 in size.
        kinds: (V,) what carries each side: NEURON, DOMAIN, DECISION or FRAME.
        carriers: (V,) which neuron, row of the domain, or rival class.
        doubts: (V,) how far a value of each row may be off within the picture, beside each coefficient's last rounding.
    """

    offsets: Ints
    corners: Floats
    rows: Floats
    kinds: Ints
    carriers: Ints
    doubts: Floats

    @property
    def sizes(self) -> Ints:
        """Number of corners (P,) of each polygon."""
        return np.diff(self.offsets)

    @cached_property
    def ends(self) -> Floats:
        """(V, 2) the end of each side, where the next one starts."""
        following = np.arange(1, len(self.corners) + 1)
        inhabited = self.sizes > 0
        following[self.offsets[1:][inhabited] - 1] = self.offsets[:-1][inhabited]
        return self.corners[following]

    @cached_property
    def owners(self) -> Ints:
        """The polygon (V,) that each side belongs to."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @cached_property
    def centres(self) -> Floats:
        """A point (P, 2) inside each polygon, the mean of its corners; nan for one without corners."""
        with np.errstate(invalid="ignore"):
            sums = [np.bincount(self.owners, self.corners[:, c], len(self)) / self.sizes for c in (0, 1)]
        return np.column_stack(sums)

    def taken(self, numbers: Ints) -> Polygons:
        """Some of the polygons, by their numbers (q,) in any order."""
        sizes = self.sizes[numbers]
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        sides = np.arange(offsets[-1]) + np.repeat(self.offsets[numbers] - offsets[:-1], sizes)
        return Polygons(
            offsets,
            self.corners[sides],
            self.rows[sides],
            self.kinds[sides],
            self.carriers[sides],
            self.doubts[sides],
        )

    def and_also(self, other: Polygons) -> Polygons:
        """These polygons, then others."""
        return Polygons(
            np.concatenate([self.offsets, self.offsets[-1] + other.offsets[1:]]),
            np.concatenate([self.corners, other.corners]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.kinds, other.kinds]),
            np.concatenate([self.carriers, other.carriers]),
            np.concatenate([self.doubts, other.doubts]),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> Floats:
        """The corners (v, 2) of one polygon."""
        return self.corners[self.offsets[i] : self.offsets[i + 1]]

    def __iter__(self) -> Iterator[Floats]:
        return (self[i] for i in range(len(self)))


def packed(polygons: Iterator[list[Side]]) -> Polygons:
    """Polygons given by their sides, each number rounded once."""
    sizes, corners, rows, kinds, carriers = [], [], [], [], []
    for polygon in polygons:
        sizes.append(len(polygon))
        corners += corner_floats(polygon)
        rows += [quotients(side.row, max(abs(side.row[0]), abs(side.row[1]))) for side in polygon]
        kinds += [side.kind for side in polygon]
        carriers += [side.carrier for side in polygon]
    return Polygons(
        np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
        np.array(corners, dtype=np.float64).reshape(-1, 2),
        np.array(rows, dtype=np.float64).reshape(-1, 3),
        np.array(kinds, dtype=np.int64),
        np.array(carriers, dtype=np.int64),
        np.zeros(len(corners)),
    )
