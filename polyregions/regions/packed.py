"""Regions as a few arrays, eight neurons to a byte: what a set, a run and a store hold alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import accumulate
from typing import Protocol

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.engine.batches import Batch
from polyregions.networks.patterns import pack
from polyregions.read_only import ReadOnly


class Listing(Protocol):
    """Where a set has its regions: in memory, or in a store that is read when somebody asks; see `PackedRegions`."""

    @property
    def packed(self) -> Bytes:
        """The patterns."""

    @property
    def cuts(self) -> Bytes:
        """The neurons that split ancestors."""

    @property
    def points(self) -> Floats:
        """Interior points."""

    @property
    def exact(self) -> Mapping[int, tuple[Fraction, ...]]:
        """Interior points that are no float64 points."""

    @property
    def after_each_layer(self) -> tuple[int, ...] | None:
        """How many regions there are after each layer, where that is known without looking."""

    def __len__(self) -> int: ...


@dataclass(frozen=True, eq=False)
class PackedRegions(ReadOnly):
    """Some regions, in memory.

    Attributes:
        packed: (n, ceil(N / 8)) uint8, the patterns, see `networks.patterns`.
        cuts: (n, ceil(N / 8)) uint8, the neurons that split their ancestors.
        points: (n, k) float64 interior points.
        exact: row -> rational interior point, where no float64 one is known.
    """

    packed: Bytes
    cuts: Bytes
    points: Floats
    exact: Mapping[int, tuple[Fraction, ...]]
    after_each_layer: None = field(default=None, init=False, repr=False)

    @classmethod
    def of(cls, batch: Batch) -> PackedRegions:
        """Those of a batch."""
        return cls(pack(batch.bits), pack(batch.cuts), batch.points, batch.exact)

    @classmethod
    def joined(cls, parts: Sequence[PackedRegions], width: int, dim: int) -> PackedRegions:
        """Several, one after the other: of any number, patterns of `width` bytes and points of `dim` coordinates."""
        bits = np.zeros((0, width), dtype=np.uint8)
        parts = [cls(bits, bits, np.zeros((0, dim)), {}), *parts]
        starts = accumulate((len(part) for part in parts), initial=0)
        return cls(
            np.concatenate([part.packed for part in parts]),
            np.concatenate([part.cuts for part in parts]),
            np.concatenate([part.points for part in parts]),
            {
                at + i: point
                for at, part in zip(starts, parts, strict=False)
                for i, point in sorted(part.exact.items())
            },
        )

    def __len__(self) -> int:
        return len(self.packed)

    def part(self, start: int, stop: int) -> PackedRegions:
        """Rows start <= i < stop."""
        exact = {i - start: point for i, point in self.exact.items() if start <= i < stop}
        return PackedRegions(self.packed[start:stop], self.cuts[start:stop], self.points[start:stop], exact)

    def in_lexicographic_order(self) -> PackedRegions:
        """The same regions, sorted by their patterns."""
        order = np.lexsort(self.packed.T[::-1])
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        exact = {int(place[i]): point for i, point in self.exact.items()}
        return PackedRegions(
            self.packed[order], self.cuts[order], self.points[order], dict(sorted(exact.items()))
        )
