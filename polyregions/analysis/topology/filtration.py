"""The filtration of a complex by the sublevel sets of an output: the order of faces, decided exactly.

On a face an output is affine, so a sublevel set retracts to the faces that lie in it with all their vertices (the lower
star filtration), and changes only at levels of vertices. Intervals around the values at vertices order most of these;
where they overlap, the values are computed in rationals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.topology.face_complex import FaceComplex, VertexRows, checked_index
from polyregions.errors import InputError
from polyregions.networks.network import Layer
from polyregions.polyhedra.oracle.proof import SAFE, TINY, gamma


@dataclass(frozen=True, eq=False)
class Filtration:
    """When each face comes.

    Attributes:
        complex: a bounded complex.
        output: the output whose levels are meant.
        is_upward: whether superlevel sets are meant, from the highest level down.
        vertex: (L,) a vertex at each level, in the order in which levels are reached.
        rank: (F,) which level each face comes with.
    """

    complex: FaceComplex
    output: int
    is_upward: bool
    vertex: Ints
    rank: Ints
    _known: dict[int, Fraction] = field(default_factory=dict)

    @property
    def order(self) -> Ints:
        """The faces (F,) in their order: by level, then dimension, then number."""
        order: Ints = np.argsort(self.rank, kind="stable")  # numbers ascend with dimensions
        return order

    @cached_property
    def _rows(self) -> VertexRows:
        return VertexRows(self.complex)

    def level(self, rank: int) -> Fraction:
        """The value of a level, in rationals."""
        if rank not in self._known:
            self._known[rank] = self._rows.output(int(self.vertex[rank]), self.output)
        return self._known[rank]


def filtration(complex: FaceComplex, output: int, superlevel: bool) -> Filtration:
    """The filtration of a complex by an output; exact.

    Raises:
        InputError: the complex is unbounded.
        OptionError: there is no such output.
    """
    complex.problem.network.check_values_are_outputs("a level")
    checked_index(output, complex.problem.network.n_outputs, "output")
    if not np.all(complex.is_bounded):
        raise InputError(f"levels of {complex!r}: it is unbounded, expected a bounded complex")
    vertex, own = _levels(complex, output)
    if superlevel:
        vertex, own = vertex[::-1], len(vertex) - 1 - own
    rank = np.zeros(len(complex), dtype=np.int64)
    rank[: len(own)] = own
    for dim in range(1, complex.dim + 1):
        span = slice(int(complex.starts[dim]), int(complex.starts[dim + 1]))
        if span.stop > span.start:
            start = complex.offsets[span.start]
            facets = complex.facets[start : complex.offsets[span.stop]]
            rank[span] = np.maximum.reduceat(rank[facets], complex.offsets[span] - start)
    return Filtration(complex, output, superlevel, vertex, rank)


def _levels(complex: FaceComplex, output: int) -> tuple[Ints, Ints]:
    """A vertex at each level, ascending, and the level (V,) of each vertex."""
    middle, radius = enclosures(complex, output)
    order = np.argsort(middle - radius, kind="stable")
    reach = np.maximum.accumulate((middle + radius)[order]) if len(order) else middle
    begins = np.ones(len(order), dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        begins[1:] = (middle - radius)[order][1:] > reach[:-1]
    chains = np.split(order, np.flatnonzero(begins)[1:]) if len(order) else []
    exact = _exact_values(complex, output, (v for chain in chains if len(chain) > 1 for v in chain.tolist()))
    vertex: list[int] = []
    rank = np.zeros(len(order), dtype=np.int64)
    for chain in chains:
        if len(chain) == 1:
            rank[chain] = len(vertex)
            vertex.append(int(chain[0]))
            continue
        values = sorted({exact[v] for v in chain.tolist()})
        place = {value: len(vertex) + i for i, value in enumerate(values)}
        rank[chain] = [place[exact[v]] for v in chain.tolist()]
        first = {exact[v]: v for v in reversed(chain.tolist())}
        vertex += [first[value] for value in values]
    return np.array(vertex, dtype=np.int64), rank


def _exact_values(complex: FaceComplex, output: int, vertices: Iterable[int]) -> dict[int, Fraction]:
    """The values at some vertices, those with like patterns one after the other."""
    rows = VertexRows(complex)
    return {v: rows.output(v, output) for v in sorted(vertices, key=lambda v: complex.on[v].tobytes())}


@np.errstate(all="ignore")
def enclosures(complex: FaceComplex, output: int) -> tuple[Floats, Floats]:
    """Intervals that hold the values of an output at all vertices: middles (V,) and radii (V,), infinite if unknown."""
    middle = complex.points.T
    radius = np.broadcast_to(complex.point_error, middle.shape)
    for layer in complex.problem.inner.layers:
        middle, radius = _through(layer, middle, radius)
    is_known = np.isfinite(middle[output] + radius[output]) & complex.problem.is_tame
    return np.where(is_known, middle[output], 0.0), np.where(is_known, radius[output], np.inf)


def _through(layer: Layer, middle: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Intervals (n, V) behind a layer, from those (k, V) in front of it."""
    weight = np.abs(layer.weight)
    z = layer.weight @ middle + layer.bias[:, None]
    size = weight @ np.abs(middle) + np.abs(layer.bias)[:, None]
    around = (
        weight @ radius * (1 + gamma(layer.n_inputs + 2)) + gamma(layer.n_inputs + 4) * size
    ) * SAFE + TINY
    low, high = z - around, z + around
    off, on = layer.slopes[:, :1], layer.slopes[:, 1:]
    ends = np.stack([np.where(end > 0, on, off) * end for end in (low, high)])
    kinks = np.where((low < 0) & (high > 0), 0.0, ends[0])
    least, most = np.minimum(ends.min(axis=0), kinks), np.maximum(ends.max(axis=0), kinks)
    centre = least / 2 + most / 2
    return centre, np.maximum(most - centre, centre - least) * SAFE + TINY
