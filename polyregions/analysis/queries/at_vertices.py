"""Proved bounds on affine functions of outputs and inputs over all regions at once, from the regions' vertices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

import numpy as np

from polyregions._types import Floats
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.exact.numbers import nearest_float, over_common_denominator
from polyregions.polyhedra.oracle.proof import SAFE, TINY, gamma
from polyregions.regions.chunks import chunks
from polyregions.regions.region_set import RegionSet
from polyregions.regions.vertices import RegionVertices, region_vertices


@dataclass(frozen=True)
class Objective:
    """``outputs . y + inputs . x + constant``, with c and d coefficients."""

    outputs: Sequence[Fraction | int]
    inputs: Sequence[Fraction | int]
    constant: Fraction | int = 0


def upper_bounds(regions: RegionSet, objectives: Sequence[Objective]) -> Floats | None:
    """Proved upper bounds (s, R) on objectives over the closure of each region, infinite where floats prove none.

    None where vertices are not to be had, see `region_vertices`.

    Complexity: that of the enumeration, and of the outputs' forms along all patterns.
    """
    vertices = region_vertices(regions)
    if vertices is None:
        return None
    embedding = regions.problem.solid.hull.embedding
    rows = [_Row.of(objective, embedding) for objective in objectives]
    bounds = np.full((len(objectives), len(regions)), inf)
    for seen in vertices:
        for chunk in chunks(regions, seen.numbers):
            part = seen.of(chunk.numbers)
            values, doubt = part.values(*chunk.outputs())
            for row, own in zip(rows, bounds, strict=True):
                own[chunk.numbers] = row.bounds(part, values, doubt)
    return bounds


@dataclass(frozen=True, eq=False)
class _Row:
    """An objective in the nearest floats: coefficients (c,) of the outputs, and a form (k+1,) over u."""

    a: Floats
    form: Floats

    @classmethod
    def of(cls, objective: Objective, embedding: IntegerAffine) -> _Row:
        *b, q = over_common_denominator(list(map(Fraction, [*objective.inputs, objective.constant])))
        composed = compose(IntegerAffine(integer_matrix([b], len(b)), q), embedding)
        a = np.array([nearest_float(Fraction(entry)) for entry in objective.outputs])
        return cls(a, composed.nearest_floats()[0])

    @np.errstate(all="ignore")
    def bounds(self, vertices: RegionVertices, outputs: Floats, doubt: Floats) -> Floats:
        """An upper bound (r,) for each region, from the outputs (M, c) at vertices and the doubt (r, c) about them."""
        a, slope, constant = np.abs(self.a), np.abs(self.form[:-1]), abs(self.form[-1])
        values = outputs @ self.a + vertices.points @ self.form[:-1] + self.form[-1]
        largest = np.maximum.reduceat(np.abs(outputs), vertices.offsets[:-1], axis=0)
        size = largest @ a + vertices.size() @ slope + constant
        rounding = gamma(len(a) + len(self.form) + 4) * size
        total = doubt @ a + slope.sum() * vertices.worst() + rounding
        return vertices.highest(values, total * SAFE + TINY)
