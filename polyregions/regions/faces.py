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

from functools import reduce
from operator import and_
from typing import TypeAlias

from flint import fmpz_mat

from polyregions.errors import InputError
from polyregions.exact.affine import integer_matrix
from polyregions.polyhedra.generators import generators
from polyregions.polyhedra.lattice import FaceLattice, members
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

Cell: TypeAlias = tuple[int, int]
"""The signs of a cell as bits: which forms vanish, and which of the others are positive."""


def face_counts(regions: RegionSet) -> tuple[int, ...]:
    """The f-vector ``(f_0, ..., f_k)``: how many cells of each dimension the canonical complex has; exact.

    The complex divides the closure of the domain, of dimension k, unbounded ones too: f_k is the number of regions.
    The regions meet face to face, so f_(k-1) is the number of adjacency edges plus that of facets on the boundary.

    Raises:
        InputError: the set is partial.

    Complexity: about the number of faces of each region times its number of facets, exponential in k: meant for
    small dimensions.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> face_counts(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
    (9, 12, 4)
    """
    if not regions.complete:
        raise InputError(f"face counts of a partial set of {len(regions)} regions, expected a complete one")
    forms, levels = RegionForms(regions), [set[Cell]() for _ in range(regions.dim + 1)]
    for i in range(len(regions)):
        for level, cells in zip(levels, _cells_of_region(forms, i), strict=True):
            level.update(cells)
    return tuple(len(level) for level in levels)


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
    return sum((-1) ** i * count for i, count in enumerate(face_counts(regions)))


def _cells_of_region(forms: RegionForms, i: int) -> list[set[Cell]]:
    """The cells of each dimension 0..k in the closure of region i, by their signs."""
    k = forms.regions.dim
    rows = [form.exact() for form in forms.bounding(i)]
    found = generators(rows, k)
    points = [point.direction for point in found.points]
    directions = [[*ray.direction, 0] for ray in found.rays]
    on, all_forms = _all_forms(forms, i)
    zeros = _zeros(all_forms, points + directions, k)
    tight = [ray.tight for ray in [*found.points, *found.rays]]
    levels: list[set[Cell]] = [set() for _ in range(k + 1)]
    for dim, faces in zip(range(k, -1, -1), FaceLattice.of(tight, len(points)).levels(), strict=False):
        for face in faces:
            vanishing = reduce(and_, (zeros[g] for g in members(face)))
            levels[dim].add((vanishing, on & ~vanishing))
    return levels


def _all_forms(region_forms: RegionForms, i: int) -> tuple[int, list[list[int]]]:
    """The forms of all neurons and all rows of the domain over the hull, and the bits of those positive inside."""
    regions = region_forms.regions
    forms = [layer.exact.row(unit) for layer in region_forms.along(i) for unit in layer.kinked.tolist()]
    on = sum(1 << n for n, bit in enumerate(regions.patterns[i].tolist()) if bit)
    for form in regions.problem.solid.forms:
        on |= 1 << len(forms)
        forms.append(form.exact())
    return on, forms


def _zeros(forms: list[list[int]], homogeneous: list[list[int]], k: int) -> list[int]:
    """For each homogeneous point or direction the forms that vanish there, as bits."""
    points = integer_matrix(homogeneous, k + 1)
    values: fmpz_mat = integer_matrix(forms, k + 1) * points.transpose()
    table = values.tolist()
    return [sum(1 << f for f, row in enumerate(table) if row[g] == 0) for g in range(len(homogeneous))]
