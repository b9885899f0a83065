"""Finished regions on their way from an engine to whoever asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np

from polyregions._types import Bytes, Floats, Ints
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
    """

    bits: Bytes
    cuts: Bytes
    points: Floats
    exact: dict[int, tuple[Fraction, ...]]
    count: int
    share: float

    def first(self, n: int) -> Batch:
        """The first n of them."""
        exact = {i: point for i, point in self.exact.items() if i < n}
        share = self.share * n / self.count if self.count else self.share
        return Batch(self.bits[:n], self.cuts[:n], self.points[:n], exact, n, share)


class LayerCounter:
    """Counts the cells after each layer from patterns of which those that share a prefix come together.

    Attributes:
        after: (L,) the counts so far.
    """

    def __init__(self, ends: Ints) -> None:
        self.after = np.zeros(len(ends), dtype=np.int64)
        self._ends = ends
        self.last = np.full(max(1, int(ends[-1]) if len(ends) else 0), 2, dtype=np.uint8)

    def add(self, bits: Bytes) -> None:
        """Count one more pattern (N,)."""
        n = len(bits)
        changed = np.flatnonzero(self.last[:n] != bits)
        first = self.last[0] == 2
        self.after[(self._ends > (changed[0] if len(changed) else n)) | first] += 1
        self.last[:n] = bits
        if n == 0:
            self.last[0] = 0


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


def batches_of_cells(cells: Iterator[Cell], n_neurons: int, dim: int, size: int) -> Iterator[Batch]:
    """Leaves of the readable engine, a few at a time."""
    while True:
        batch = batch_of_cells(islice(cells, size), n_neurons, dim)
        if batch.count == 0:
            return
        yield batch
