"""Finished regions on their way from an engine to whoever asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np

from polyregions._types import Bools, Bytes, Floats, Ints
from polyregions.engine.tree import Cell


@dataclass(frozen=True, eq=False)
class Batch:
    """Some finished regions.

    Attributes:
        bits: (B, N) uint8 patterns.
        cuts: (B, N) uint8 neurons that split an ancestor.
        points: (B, k) interior points over the hull's coordinates.
        exact: place in the batch -> rational interior point, where no float64 one is known.
        count: B, also when patterns were not kept.
        share: the part of the tree that these regions are.
        place: where they come in the order of the tree; compared as a tuple.
    """

    bits: Bytes
    cuts: Bytes
    points: Floats
    exact: dict[int, tuple[Fraction, ...]]
    count: int
    share: float
    place: tuple[int, ...] = ()

    @classmethod
    def nothing(cls) -> Batch:
        """No regions."""
        none = np.zeros((0, 0), dtype=np.uint8)
        return cls(none, none, np.zeros((0, 0)), {}, 0, 0.0)

    @classmethod
    def joined(cls, batches: Sequence[Batch]) -> Batch:
        """Several batches, one after the other, as one."""
        if not batches:
            return cls.nothing()
        starts = accumulate((len(batch.bits) for batch in batches), initial=0)
        return cls(
            np.concatenate([batch.bits for batch in batches]),
            np.concatenate([batch.cuts for batch in batches]),
            np.concatenate([batch.points for batch in batches]),
            {at + i: point for at, b in zip(starts, batches, strict=False) for i, point in b.exact.items()},
            sum(batch.count for batch in batches),
            sum(batch.share for batch in batches),
            batches[0].place,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Bits travel packed, eight to a byte."""
        packed = (np.packbits(self.bits, axis=1), np.packbits(self.cuts, axis=1), self.bits.shape[1])
        return _unpacked, (*packed, self.points, self.exact, self.count, self.share, self.place)

    def first(self, n: int) -> Batch:
        """The first n of them."""
        exact = {i: point for i, point in self.exact.items() if i < n}
        share = self.share * n / self.count if self.count else self.share
        return Batch(self.bits[:n], self.cuts[:n], self.points[:n], exact, n, share, self.place)


def _unpacked(bits: Bytes, cuts: Bytes, n: int, *others: Any) -> Batch:
    return Batch(np.unpackbits(bits, axis=1, count=n), np.unpackbits(cuts, axis=1, count=n), *others)


@dataclass(frozen=True, eq=False)
class LayerCount:
    """The cells after each layer, counted from patterns of which those that share a prefix come together.

    Attributes:
        first, last: (N,) uint8, the first and the last pattern so far, 2 where there is none yet.
        after: (L,) the counts so far.
        ends: (L,) where each layer's bits end in the pattern.
    """

    first: Bytes
    last: Bytes
    after: Ints
    ends: Ints

    @classmethod
    def none(cls, ends: Ints) -> LayerCount:
        """Nothing counted yet, of layers whose bits end at ends (L,)."""
        first = np.full(max(1, int(ends[-1]) if len(ends) else 0), 2, dtype=np.uint8)
        return cls(first, first.copy(), np.zeros(len(ends), dtype=np.int64), ends)

    @property
    def is_empty(self) -> bool:
        """Whether there was no pattern yet."""
        return bool(self.first[0] == 2)

    def add(self, bits: Bytes) -> None:
        """Count one more pattern (N,)."""
        n = len(bits)
        self.after[self._opened(bits)] += 1
        self.last[:n] = bits
        if self.is_empty:
            self.first[:n] = bits
        if n == 0:
            self.last[0] = self.first[0] = 0

    def append(self, other: LayerCount) -> None:
        """Count the patterns of another count too, which come after these; a cell that both opened counts once."""
        if other.is_empty:
            return
        self.after[:] += other.after - ~self._opened(other.first)
        self.last[:] = other.last
        if self.is_empty:
            self.first[:] = other.first

    def _opened(self, bits: Bytes) -> Bools:
        """The layers (L,) of which a pattern opens a new cell if it comes next."""
        n = len(bits)
        changed = np.flatnonzero(self.last[:n] != bits)
        opened: Bools = (self.ends > (changed[0] if len(changed) else n)) | self.is_empty
        return opened


def batch_of_cells(cells: Iterable[Cell], n_neurons: int, dim: int) -> Batch:
    """Leaves of the readable engine as one batch."""
    listed = list(cells)
    bits = np.array([cell.bits for cell in listed], dtype=np.uint8).reshape(len(listed), n_neurons)
    cuts = np.zeros_like(bits)
    for i, cell in enumerate(listed):
        cuts[i, list(cell.cuts)] = 1
    points = np.array([cell.point.approx for cell in listed], dtype=np.float64).reshape(len(listed), dim)
    exact = {i: cell.point.rational for i, cell in enumerate(listed) if cell.point.rational is not None}
    return Batch(bits, cuts, points, exact, len(listed), sum(cell.share for cell in listed))
