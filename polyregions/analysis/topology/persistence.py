"""Persistent homology of an output: which pieces, tunnels and cavities its sublevel sets have, from where to where.

Over the field of two elements. Sources: Edelsbrunner, Letscher and Zomorodian, Topological persistence and
simplification (2002); Chen and Kerber, Persistent homology computation with a twist (2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.topology.face_complex import FaceComplex, exact_level, ragged
from polyregions.analysis.topology.filtration import Filtration, filtration
from polyregions.errors import InputError, expect
from polyregions.exact.numbers import nearest_float

NEVER = -1


@dataclass(frozen=True, eq=False)
class PersistenceDiagram:
    """Classes of homology, each with the level where it is born and the one where it dies.

    Attributes:
        dim: (n,) the dimension of each class, ascending; within one by birth, then death.
        birth: (n,) the level where it is born, in float64.
        death: (n,) where it dies; infinite if never (minus infinity for superlevel sets).
        exact_birth: the births in rationals.
        exact_death: the deaths in rationals, None for never.
        is_upward: whether of superlevel sets.
        top: the dimension k of the complex.
    """

    dim: Ints
    birth: Floats
    death: Floats
    exact_birth: tuple[Fraction, ...]
    exact_death: tuple[Fraction | None, ...]
    is_upward: bool
    top: int

    def __len__(self) -> int:
        """How many classes there are."""
        return len(self.dim)

    def __repr__(self) -> str:
        """How many classes of each dimension."""
        counts = np.bincount(self.dim, minlength=1).tolist()
        return f"PersistenceDiagram({' + '.join(map(str, counts))} classes)"

    def points(self, dim: int) -> Floats:
        """The births and deaths (n, 2) of the classes of a dimension."""
        chosen = self.dim == dim
        return np.column_stack([self.birth[chosen], self.death[chosen]])

    def betti_numbers(self, level: float | Fraction) -> tuple[int, ...]:
        """The Betti numbers ``(b_0, ..., b_k)``, over two elements, of the set at a level."""
        at, sign = exact_level(level), -1 if self.is_upward else 1
        alive = [
            sign * born <= sign * at and (dies is None or sign * at < sign * dies)
            for born, dies in zip(self.exact_birth, self.exact_death, strict=True)
        ]
        return tuple(np.bincount(self.dim[np.array(alive, dtype=np.bool_)], minlength=self.top + 1).tolist())


def persistent_homology(
    complex: FaceComplex, output: int = 0, *, superlevel: bool = False
) -> PersistenceDiagram:
    """The persistence diagram of the sublevel sets of an output on a bounded complex, over two elements; exact.

    Classes that die where they are born are left out.

    Args:
        complex: a whole complex or a part of one.
        output: which output.
        superlevel: for superlevel sets, from the highest level down.

    Raises:
        InputError: the complex is unbounded.
        OptionError: there is no such output.

    Complexity: cubic in the faces at worst, about linear for most networks; an exact value for each vertex.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1], [1]], [1, 0, -1]), ([[2, -4, 4]], [0])])  # 0, up to 2, 0, up to 4
    >>> complex = pr.face_complex(pr.enumerate_regions(net, pr.Box(-2, 2)))
    >>> pr.persistent_homology(complex).points(0).tolist()
    [[0.0, 2.0], [0.0, inf]]
    """
    expect(complex, FaceComplex, "complex")
    from polyregions.analysis.topology.columns import ALONE, pair_cells  # numba takes half a second to import

    found = filtration(complex, output, superlevel)
    order = found.order
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    dims, ranks = complex.dims[order], found.rank[order]
    owner = np.repeat(np.arange(len(order)), np.diff(complex.offsets)[order])
    facets = place[ragged(complex.facets, complex.offsets, order)]
    partner = np.empty(len(order), dtype=np.int64)
    if len(order):
        offsets = np.searchsorted(owner, np.arange(len(order) + 1))
        pair_cells(dims, offsets, facets[np.lexsort((facets, owner))], partner)
    begins = np.flatnonzero((partner == ALONE) | (partner > np.arange(len(order))))
    ends = partner[begins]
    death = np.where(ends == ALONE, NEVER, ranks[ends])
    lasts = death != ranks[begins]
    return _diagram(found, dims[begins][lasts], ranks[begins][lasts], death[lasts])


def _diagram(found: Filtration, dims: Ints, birth: Ints, death: Ints) -> PersistenceDiagram:
    """The diagram of classes that are born and die with some levels, NEVER for those that stay."""
    last = len(found.vertex)
    at = np.lexsort((np.where(death == NEVER, last, death), birth, dims))
    born = [found.level(i) for i in birth[at].tolist()]
    dies = [None if i == NEVER else found.level(i) for i in death[at].tolist()]
    never = -np.inf if found.is_upward else np.inf
    return PersistenceDiagram(
        dims[at],
        np.array([nearest_float(level) for level in born], dtype=np.float64),
        np.array([never if level is None else nearest_float(level) for level in dies], dtype=np.float64),
        tuple(born),
        tuple(dies),
        found.is_upward,
        found.complex.dim,
    )


def bottleneck_distance(one: PersistenceDiagram, other: PersistenceDiagram, dim: int) -> float:
    """The bottleneck distance of two diagrams in one dimension: how far points move at most in the best matching.

    Points may also move to the diagonal. Infinite if different numbers of classes stay.

    Raises:
        InputError: one is of sublevel sets, the other of superlevel sets.

    Complexity: a bipartite matching for each step of a binary search among all distances.
    Source: Edelsbrunner and Harer, Computational topology (2010), section VIII.2.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> complex = pr.face_complex(pr.enumerate_regions(net, pr.Box(-1, 1)))
    >>> diagram = pr.persistent_homology(complex)
    >>> pr.bottleneck_distance(diagram, diagram, 0)
    0.0
    """
    expect(one, PersistenceDiagram, "one")
    expect(other, PersistenceDiagram, "other")
    if one.is_upward != other.is_upward:
        raise InputError(
            "bottleneck distance: a diagram of sublevel sets and one of superlevel sets, expected alike"
        )
    a, b = one.points(dim), other.points(dim)
    stays_a, stays_b = ~np.isfinite(a[:, 1]), ~np.isfinite(b[:, 1])
    if stays_a.sum() != stays_b.sum():
        return float("inf")
    staying = np.abs(np.sort(a[stays_a, 0]) - np.sort(b[stays_b, 0])).max(initial=0.0)
    return float(max(staying, _matched(a[~stays_a], b[~stays_b])))


def _matched(a: Floats, b: Floats) -> float:
    """The bottleneck distance of finite points (n, 2) and (m, 2)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    n, m = len(a), len(b)
    if n + m == 0:
        return 0.0
    cost = np.zeros((n + m, n + m))  # to the diagonal costs half a life; two points of the diagonal nothing
    cost[:n, :m] = np.abs(a[:, None, :] - b[None, :, :]).max(axis=2)
    cost[:n, m:] = (np.abs(a[:, 1] - a[:, 0]) / 2)[:, None]
    cost[n:, :m] = (np.abs(b[:, 1] - b[:, 0]) / 2)[None, :]
    candidates = np.unique(cost)
    low, high = 0, len(candidates) - 1
    while low < high:
        middle = (low + high) // 2
        allowed = csr_array(cost <= candidates[middle])
        if np.all(maximum_bipartite_matching(allowed, perm_type="column") >= 0):
            high = middle
        else:
            low = middle + 1
    return float(candidates[low])
