"""How many pieces, tunnels and cavities a complex has: its homology, exactly.

A bounded complex is a cell complex, and its homology that of its cells. Of an unbounded one every face, modulo the
lines that all contain, has a vertex, so that it meets a large sphere in a cell of one dimension less: the part within
the sphere, which is what the complex retracts to, has the faces and one cell more for each unbounded face. Without
these cells one has the homology with closed supports (Borel and Moore), that of the one-point compactification
relative to the point at infinity.
"""

from __future__ import annotations

import numpy as np

from polyregions.analysis.topology.chains import Chains, Homology, homology_of
from polyregions.analysis.topology.face_complex import FaceComplex
from polyregions.errors import OptionError, expect

FIELDS = ("rationals", "GF(2)")


def homology(complex: FaceComplex, compactified: bool = False) -> Homology:
    """The homology groups of a complex with integer coefficients, in dimensions 0 to k; exact.

    Args:
        complex: a whole complex or a part of one, a closed set.
        compactified: of the one-point compactification relative to the point at infinity, instead of the set itself;
            of bounded complexes these are the same.

    Complexity: linear in the incidences for most complexes.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [-1])])
    >>> complex = pr.face_complex(pr.enumerate_regions(net, pr.Box(-2, 2)))
    >>> pr.homology(complex.where_class(1)).betti, pr.homology(complex.where_class(0)).betti
    ((2, 0), (1, 0))
    """
    expect(complex, FaceComplex, "complex")
    top = complex.dim
    if compactified:
        found = homology_of(_faces(complex), top - complex.n_lines)
        zeros = (0,) * complex.n_lines  # each line shifts all by one dimension
        return Homology((*zeros, *found.betti), (*((),) * complex.n_lines, *found.torsion))
    found = homology_of(_within_sphere(complex), top - complex.n_lines)
    return Homology((*found.betti, *(0,) * complex.n_lines), (*found.torsion, *((),) * complex.n_lines))


def betti_numbers(
    complex: FaceComplex, field: str = "rationals", compactified: bool = False
) -> tuple[int, ...]:
    """The Betti numbers ``(b_0, ..., b_k)``: pieces, tunnels, cavities …; exact.

    Args:
        complex: a whole complex or a part of one, a closed set.
        field: "rationals" or "GF(2)"; they differ where there is torsion of even order, which neither shows alone.
        compactified: see `homology`.

    Raises:
        OptionError: another field.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1, 1, 1, 1]], [-1])])
    >>> complex = pr.face_complex(pr.enumerate_regions(net, pr.Box([-2, -2], [2, 2])))  # |x| + |y| - 1
    >>> pr.betti_numbers(complex.where_class(1)), pr.betti_numbers(complex.where_class(0))
    ((1, 1, 0), (1, 0, 0))
    """
    expect(complex, FaceComplex, "complex")
    if field not in FIELDS:
        raise OptionError(f"field {field!r}, expected one of {', '.join(FIELDS)}")
    found = homology(complex, compactified)
    return found.betti if field == "rationals" else found.over_two()


def _faces(complex: FaceComplex) -> Chains:
    """The faces, by their dimension beyond the lines."""
    return Chains(complex.dims - complex.n_lines, complex.offsets, complex.facets, complex.facet_signs)


def _within_sphere(complex: FaceComplex) -> Chains:
    """The faces, and where the unbounded ones meet a large sphere: the boundary of such a face has that cell too.

    With F' for where F meets the sphere: ``d F = faces + F'`` and ``d F' = - (the unbounded ones of d F)'``.
    """
    faces = _faces(complex)
    ends = np.flatnonzero(~complex.is_bounded)
    if not len(ends):
        return faces
    n = len(complex)
    place = np.full(n, -1, dtype=np.int64)
    place[ends] = n + np.arange(len(ends))
    owner = np.repeat(np.arange(n), np.diff(complex.offsets))
    outer = (place[owner] >= 0) & (place[complex.facets] >= 0)
    cells = np.concatenate([owner, ends, place[owner[outer]]])
    below = np.concatenate([complex.facets, place[ends], place[complex.facets[outer]]])
    signs = np.concatenate([complex.facet_signs, np.ones(len(ends)), -complex.facet_signs[outer]])
    order = np.argsort(cells, kind="stable")
    offsets = np.searchsorted(cells[order], np.arange(n + len(ends) + 1))
    dim = np.concatenate([faces.dim, faces.dim[ends] - 1])
    return Chains(dim, offsets, below[order], signs[order].astype(np.int64))
