"""The faces of all regions: f-vector and Euler characteristic of the canonical polyhedral complex.

The cells of the complex are the non-empty sets on which every neuron, and every row of the domain, has one sign of
-, 0, +. They are the relative interiors of the faces of the regions' closures, each once. On a closure no neuron
changes sign (its form there is >= 0 for *on*, <= 0 for *off*), so those that vanish do so on a face of it, and two
points have the same signs iff they lie in the relative interior of the same face. And where the signs of a point of a
closure are taken elsewhere, every neuron has the same form as along that region's pattern, since what follows a zero
does not matter; so that point lies in the closure too. Hence closures always meet face to face, in deep and degenerate
networks as well: two of them meet in a convex union of faces of each, which is one face.
Source: Grigsby and Lindsey, On transversality of bent hyperplane arrangements and the topological expressiveness of
ReLU neural networks (2022), for the complex; no genericity is assumed here.
"""

from __future__ import annotations

import numpy as np

from polyregions.errors import InputError, expect
from polyregions.regions.complex.all_faces import all_faces
from polyregions.regions.region_set import RegionSet


def face_counts(regions: RegionSet) -> tuple[int, ...]:
    """The f-vector ``(f_0, ..., f_k)``: how many cells of each dimension the canonical complex has; exact.

    The complex divides the closure of the domain, of dimension k, unbounded ones too: f_k is the number of regions.
    The regions meet face to face, so f_(k-1) is the number of adjacency edges plus that of facets on the boundary.

    Raises:
        InputError: the set is partial.

    Complexity: that of the enumeration and of all faces of all regions, exponential in k: meant for small dimensions.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> face_counts(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
    (9, 12, 4)
    """
    expect(regions, RegionSet, "regions")
    if not regions.complete:
        raise InputError(f"face counts of a partial set of {len(regions)} regions, expected a complete one")
    faces = all_faces(regions.problem, regions)
    counts = np.bincount(faces.dim[faces.is_finite] + faces.n_lines, minlength=regions.dim + 1)
    return tuple(counts.tolist())


def euler_characteristic(regions: RegionSet) -> int:
    """The alternating sum ``f_0 - f_1 + f_2 - ...`` over the f-vector; exact.

    It is 1 for every bounded domain, (-1)^d for all of R^d, and 0 or (-1)^j for other unbounded ones (that of the
    domain's closure, with compact support): a self-check of the whole enumeration, which nothing here presumes.

    Raises:
        InputError: the set is partial.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [0])])
    >>> euler_characteristic(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
    1
    """
    expect(regions, RegionSet, "regions")
    return sum((-1) ** i * count for i, count in enumerate(face_counts(regions)))
