"""Deciding exactly what the kernels of cells leave open: signs at vertices, and points in thin cells."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import TypeAlias

import numpy as np
from flint import fmpz_mat

from polyregions._types import Bools, Floats
from polyregions.engine.cells.start import Start
from polyregions.engine.cells.state import (
    BASE,
    END,
    ERROR,
    LAYER,
    LAYER_SHIFT,
    MOST_UPDATES,
    NORM,
    ON,
    REACH,
    SAFE,
    SIZE,
    START,
    TINY,
    ULP,
    UNIT,
    UNIT_MASK,
    UPDATES,
    Work,
)
from polyregions.exact.affine import integer_matrix
from polyregions.exact.numbers import Point, dot, quotient
from polyregions.networks.problem import Problem
from polyregions.networks.pullback import PulledLayer

Homogeneous: TypeAlias = list[int]
"""Coordinates (d+1,) in integers: numerators, and what they are over, which is positive."""

KEPT = 4096  # vertices remembered
COARSE = 2.0**-40  # forms whose error is more of their size are put right when a sign is asked of them


class Settler:
    """Solves for vertices of the current cell in rationals, by the rows of its path in integers.

    Layers pulled back for one question are kept for the next, as far as the bits before them agree.
    """

    def __init__(self, problem: Problem, start: Start, work: Work) -> None:
        self._problem, self._start, self.work = problem, start, work
        self._kinked = [np.flatnonzero(layer.splitting) for layer in problem.inner.layers]
        self._chain: list[tuple[bytes, PulledLayer, fmpz_mat]] = []
        self._vertices: dict[tuple[bytes, tuple[int, ...]], Homogeneous] = {}

    def settle_question(self) -> None:
        """Settle the signs of the current unit at all vertices of the current cell where they are open."""
        work = self.work
        layer, unit = int(work.registers[LAYER]), int(work.registers[UNIT])
        row = self._row(layer, unit)
        if layer > 1:
            self._put_right(layer)
        s, n_words = work.rest.shape[1], len(work.owner) // 64
        up, down, one = n_words + unit // 64, n_words + s + unit // 64, np.uint64(1) << np.uint64(unit % 64)
        for v in range(int(work.registers[START]), int(work.registers[END])):
            if work.marks[v, up] & work.marks[v, down] & one:
                value = self._value(row, v)
                if value <= 0:
                    work.marks[v, up] &= ~one
                if value >= 0:
                    work.marks[v, down] &= ~one

    def _put_right(self, layer: int) -> None:
        """The nearest floats of a layer's forms, where errors have grown from layer to layer.

        Depth is what makes them grow, as in a network that is applied again and again; layers above begin from these.
        """
        d, scales, forms = self._start.dim, self._start.scales, self.work.forms[layer]
        exact, matrix = self._chain[layer - 1][1].exact, self._chain[layer - 1][2]
        n = matrix.nrows()
        if scales is None or not np.any(forms[d + ERROR, :n] > COARSE * forms[d + SIZE, :n]):
            return
        times, over = (scales[layer - 1] / exact.denominator).as_integer_ratio()
        rows = [[quotient(times * int(matrix[i, j]), over) for j in range(d + 1)] for i in range(n)]
        floats = np.array(rows).T
        if not np.all(np.isfinite(floats)):
            return
        forms[: d + 1, :n] = floats
        norm = np.abs(floats[:d]).sum(axis=0) * SAFE
        size = (np.abs(floats[:d]).T @ self._start.net.space[REACH, :d] + np.abs(floats[d])) * SAFE
        error = ULP * size * SAFE + TINY
        forms[d + NORM, :n], forms[d + SIZE, :n], forms[d + ERROR, :n] = norm, size, error
        forms[d + BASE, :n] = ((d + 4) * ULP * size + error) * SAFE
        self.work.entries[layer + 1 :, UPDATES] = MOST_UPDATES + 1  # they are composed anew from these

    def _value(self, row: list[int], v: int) -> int:
        """Of the sign of a row at a vertex."""
        if not any(row[:-1]):
            return row[-1]
        u = self.vertex(v)
        self._improve(v, u)
        return dot(row, u)

    def _improve(self, v: int, u: Homogeneous) -> None:
        """The nearest floats are the best that can be known of a vertex."""
        d = len(u) - 1
        place: Floats = self.work.place[v]
        place[:d] = [quotient(c, u[-1]) for c in u[:-1]]
        place[d] = 2 * ULP * np.abs(place[:d]).max() * SAFE

    def vertex(self, v: int) -> Homogeneous:
        """A vertex of the current cell, as integers (d+1,)."""
        rows = self._rows_at(v)
        layers = max(row >> LAYER_SHIFT for row in rows)
        key = (self._prefix(layers), tuple(rows))
        found = self._vertices.get(key)
        if found is None:
            if len(self._vertices) >= KEPT:
                self._vertices.clear()
            found = self._vertices[key] = _solution(
                [self._row(row >> LAYER_SHIFT, row & UNIT_MASK) for row in rows]
            )
        return found

    def _rows_at(self, v: int) -> list[int]:
        work = self.work
        slots = np.unpackbits(work.marks[v, : len(work.owner) // 64].view(np.uint8), bitorder="little")
        rows: list[int] = np.unique(work.owner[np.flatnonzero(slots)]).tolist()
        return rows

    def leaf(self) -> list[Fraction]:
        """A point (d,) inside the current cell, the mean of its vertices."""
        start, end = int(self.work.registers[START]), int(self.work.registers[END])
        vertices = [[Fraction(c, u[-1]) for c in u[:-1]] for u in map(self.vertex, range(start, end))]
        return [sum(column, Fraction(0)) / len(vertices) for column in zip(*vertices, strict=True)]

    def point_of(self, u: list[Fraction], bits: list[bool], cuts: list[bool]) -> Point:
        """The point over the hull's coordinates; rounded if it is still inside its region, by exact arithmetic."""
        homogeneous = [*u, Fraction(1)]
        embedding = self._start.embedding
        image = [
            sum((int(embedding[i, j]) * h for j, h in enumerate(homogeneous)), Fraction(0))
            for i in range(embedding.nrows())
        ]
        point = Point.of([entry / image[-1] for entry in image[:-1]])
        rounded = Point(point.approx)
        forms = self._problem.bounding_forms(np.array(bits), np.array(cuts))
        whole = [*rounded.integers] if np.all(np.isfinite(rounded.approx)) else None
        if whole is not None and all(
            sum(a * x for a, x in zip(f.exact(), whole, strict=True)) > 0 for f in forms
        ):
            return rounded
        return point

    def _row(self, layer: int, unit: int) -> list[int]:
        """The exact row (d+1,) of a unit, or of the domain, up to a positive factor."""
        if layer == 0:
            return self._domain_row(unit)
        matrix = self._pulled(layer - 1)
        return [int(matrix[unit, j]) for j in range(matrix.ncols())]

    def _domain_row(self, unit: int) -> list[int]:
        rows, d = self._start.exact_rows, self._start.dim
        if unit < len(rows):
            return rows[unit]
        c, side = divmod(unit - len(rows), 2)
        reach = int(self.work.forms[0, d, unit])
        return [(-1 if side else 1) * int(i == c) for i in range(d)] + [reach]

    def _prefix(self, n_layers: int) -> bytes:
        """The bits of the first layers but the last of them."""
        return self.work.signs[1 : max(1, n_layers), ON].tobytes()

    def _pulled(self, index: int) -> fmpz_mat:
        """A layer over the piece's coordinates, along the current bits."""
        for i in range(index + 1):
            key = self._prefix(i + 1)
            if i < len(self._chain) and self._chain[i][0] == key:
                continue
            pulled = self._problem.layers.first() if i == 0 else self._chain[i - 1][1].next(self._bits(i))
            self._chain[i:] = [(key, pulled, pulled.exact.matrix * self._start.embedding)]
        return self._chain[index][2]

    def _bits(self, layer: int) -> Bools:
        """The bits of a layer's neurons, layers counted from 1."""
        units = np.unpackbits(self.work.signs[layer, ON].view(np.uint8), bitorder="little")
        bits: Bools = units[self._kinked[layer - 1]] != 0
        return bits


def _solution(rows: list[list[int]]) -> Homogeneous:
    """The one point where all rows are 0."""
    d = len(rows[0]) - 1
    reduced, denominator, rank = integer_matrix(rows, d + 1).rref()
    assert rank == d, "a vertex of a cell is where d independent rows meet"
    found = [-int(reduced[i, d]) for i in range(d)] + [int(denominator)]
    common = gcd(*found) if found[-1] > 0 else -gcd(*found)
    return [c // common for c in found]
