"""Critical points of an output on a complex: where its sublevel sets change their homology, and how.

What comes at a level falls into parts that do not touch: the vertices where it is reached, those connected by faces on
which the output is constant together, each with the faces that have it as their highest. The homology of such a part
relative to what was there before says what it does. It is 0 for a regular vertex; one class of dimension i makes it a
critical point of index i: 0 a minimum, k a maximum, saddles between.
Source: Banchoff, Critical points and curvature for embedded polyhedra (1967); no genericity is assumed here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.analysis.topology.chains import Chains, Core, cancel
from polyregions.analysis.topology.face_complex import FaceComplex
from polyregions.analysis.topology.filtration import Filtration, filtration
from polyregions.errors import expect
from polyregions.exact.numbers import nearest_float


@dataclass(frozen=True, eq=False)
class CriticalPoints:
    """Critical points, by their values.

    Attributes:
        vertex: (n,) a vertex of the complex, of flat parts the first one.
        points: (n, d) where it is, in the inputs.
        value: (n,) the output there.
        index: (n, k+1) how many classes of each dimension it adds, or takes away one dimension below.
        is_flat: (n,) whether the output is constant on faces there: then it is no single point.
    """

    vertex: Ints
    points: Floats
    value: Floats
    index: Ints
    is_flat: Bools

    def __len__(self) -> int:
        """How many there are."""
        return len(self.vertex)

    def __repr__(self) -> str:
        """How many of each index there are."""
        return f"CriticalPoints({' + '.join(map(str, self.index.sum(axis=0).tolist()))} by index)"


def critical_points(complex: FaceComplex, output: int = 0, *, superlevel: bool = False) -> CriticalPoints:
    """Where the sublevel sets of an output on a bounded complex change their homology over the rationals; exact.

    On the boundary of the domain too, where the output is one on a closed set. The alternating sum of all indices is
    the complex's Euler characteristic.

    Args:
        complex: a whole complex or a part of one.
        output: which output.
        superlevel: for superlevel sets, from the highest level down.

    Raises:
        InputError: the complex is unbounded.
        OptionError: there is no such output.

    Complexity: about linear in the incidences.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1], [1]], [1, 0, -1]), ([[2, -4, 4]], [0])])  # 0, up to 2, 0, up to 4
    >>> found = pr.critical_points(pr.face_complex(pr.enumerate_regions(net, pr.Box(-2, 2))))
    >>> found.points.ravel().tolist(), found.index.tolist(), found.is_flat.tolist()
    ([-2.0, 1.0, 0.0], [[1, 0], [1, 0], [0, 1]], [True, False, False])
    """
    expect(complex, FaceComplex, "complex")
    found = filtration(complex, output, superlevel)
    chains = _arriving(found)
    left, free = cancel(chains)
    part = _parts(chains)
    index = np.zeros((len(complex), complex.dim + 1), dtype=np.int64)
    np.add.at(index[:, 0], part[free], 1)
    for cells in np.split(left[np.argsort(part[left], kind="stable")], _ends(np.sort(part[left]))):
        if len(cells):
            index[part[cells[0]]] += _betti(chains, cells, complex.dim)
    return _listed(found, part, index)


def _arriving(found: Filtration) -> Chains:
    """The faces, each bounded by those facets only that come with it."""
    complex, rank = found.complex, found.rank
    owner = np.repeat(np.arange(len(complex)), np.diff(complex.offsets))
    same = rank[owner] == rank[complex.facets]
    offsets = np.searchsorted(owner[same], np.arange(len(complex) + 1))
    return Chains(complex.dims, offsets, complex.facets[same], complex.facet_signs[same])


def _parts(chains: Chains) -> Ints:
    """Which part (F,) each face belongs to."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(chains.dim)
    graph = csr_array((np.ones(len(chains.facets)), chains.facets, chains.offsets), shape=(n, n))
    part: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return part


def _ends(labels: Ints) -> Ints:
    """Where runs of equal labels end, but the last."""
    ends: Ints = np.flatnonzero(np.diff(labels)) + 1
    return ends


def _betti(chains: Chains, cells: Ints, top: int) -> Ints:
    """The Betti numbers (top+1,) of a few cells over the rationals."""
    core = Core(chains, np.sort(cells))
    core.eliminate()
    ranks = [0, *(len(core.invariant_factors(dim)) for dim in range(1, top + 2))]
    return np.array([core.count(dim) - ranks[dim] - ranks[dim + 1] for dim in range(top + 1)], dtype=np.int64)


def _listed(found: Filtration, part: Ints, index: Ints) -> CriticalPoints:
    """The parts that add or take away a class, by their level."""
    complex = found.complex
    n_vertices = complex.counts[0]
    size = np.bincount(part[:n_vertices], minlength=len(index))
    first = np.full(len(index), n_vertices)
    np.minimum.at(first, part[:n_vertices], np.arange(n_vertices))
    critical = np.flatnonzero(index.any(axis=1))
    critical = critical[np.lexsort((first[critical], found.rank[first[critical]]))]
    vertex = first[critical]
    values = [nearest_float(found.level(rank)) for rank in found.rank[vertex].tolist()]
    return CriticalPoints(
        vertex,
        complex.vertices[vertex],
        np.array(values, dtype=np.float64),
        index[critical],
        size[critical] > 1,
    )
