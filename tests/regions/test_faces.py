"""f-vectors and Euler characteristics: theorems, and all sign vectors of the naive twin."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb, factorial
from typing import Any

import numpy as np
import pytest

import naive
import naive_faces
from polyregions import (
    Box,
    HPolytope,
    Network,
    RegionSet,
    Slice,
    WholeSpace,
    adjacency_arrays,
    enumerate_regions,
    euler_characteristic,
    face_counts,
)
from polyregions.errors import InputError
from polyregions.polyhedra.generators import generators
from randoms import float_layers, generator, integer_layers
from truth import ARRANGEMENTS, FORMULA_NETWORKS, arrangement_network, formula_network, name_of


def hyperplanes(normals: Any, offsets: Any) -> Network:
    """One hidden layer of the neurons ``normal . x - offset``."""
    normals = np.array(normals, dtype=float)
    return Network.from_layers(
        [(normals, -np.array(offsets, dtype=float)), (np.ones((1, len(normals))), [0])]
    )


def constant(d: int) -> Network:
    return Network.from_layers([(np.zeros((1, d)), [0])])


# ---------------------------------------------------------------- theorems


@pytest.mark.parametrize("d", range(6))
def test_a_domain_that_nothing_cuts_is_a_cube_or_a_space(d: int) -> None:
    inside = enumerate_regions(constant(d), Box.cube(-1, 1, d))
    assert face_counts(inside) == tuple(comb(d, i) * 2 ** (d - i) for i in range(d + 1))
    space = enumerate_regions(constant(d), WholeSpace(d))
    assert face_counts(space) == (0,) * d + (1,)


def grid_counts(lines: list[int], is_box: bool) -> tuple[int, ...]:
    """The product of paths: n lines give n points (and the two ends) and n + 1 intervals along one axis."""
    total = np.array([1])
    for n in lines:
        total = np.convolve(total, [n + 2 * is_box, n + 1])
    return tuple(total.tolist())


@pytest.mark.parametrize("lines", [[3], [2, 4], [0, 3], [2, 1, 3], [1, 0, 2], [1, 2, 1, 1]])
def test_grids(lines: list[int]) -> None:
    d = len(lines)
    normals = [np.eye(d)[i] for i, n in enumerate(lines) for _ in range(n)]
    offsets = [0.1 * (j + 1) for n in lines for j in range(n)]
    net = hyperplanes(normals, offsets)
    assert face_counts(enumerate_regions(net, Box.cube(0, 1, d))) == grid_counts(lines, True)
    assert face_counts(enumerate_regions(net, WholeSpace(d))) == grid_counts(lines, False)


def stirling(n: int, k: int) -> int:
    """Partitions of n things into k parts."""
    return sum((-1) ** (k - j) * comb(k, j) * j**n for j in range(k + 1)) // factorial(k)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_faces_of_the_braid_arrangement_are_ordered_partitions(n: int) -> None:
    normals = [np.eye(n)[i] - np.eye(n)[j] for i, j in combinations(range(n), 2)]
    regions = enumerate_regions(hyperplanes(normals, [0] * len(normals)), WholeSpace(n))
    assert face_counts(regions) == (0, *(factorial(k) * stirling(n, k) for k in range(1, n + 1)))


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_faces_of_the_type_b_arrangement_are_signed_ordered_partitions(n: int) -> None:
    """Of those of the n numbers that are not 0, ordered by size, each with a sign."""
    axes = np.eye(n)
    normals = [*axes, *(axes[i] + s * axes[j] for i, j in combinations(range(n), 2) for s in (1, -1))]
    regions = enumerate_regions(hyperplanes(normals, [0] * len(normals)), WholeSpace(n))
    expected = [
        sum(comb(n, j) * 2**j * factorial(k) * stirling(j, k) for j in range(k, n + 1)) if k else 1
        for k in range(n + 1)
    ]
    assert face_counts(regions) == tuple(expected)


def central_faces(normals: list[tuple[int, ...]], d: int) -> tuple[int, ...]:
    """f-vector of a central arrangement by Zaslavsky (1975): for each flat the sum of |mu| over those within it."""
    rank = {frozenset[int](): 0}
    for i in range(len(normals)):
        for flat in list(rank):
            rows = [normals[j] for j in flat] + [normals[i]]
            r = naive.rank(rows)
            closure = frozenset(j for j, a in enumerate(normals) if naive.rank([*rows, a]) == r)
            rank[closure] = r
    counts = [0] * (d + 1)
    order = sorted(rank, key=rank.__getitem__)
    for flat in order:
        above = [other for other in order if other >= flat]
        mobius: dict[frozenset[int], int] = {}
        for other in above:
            mobius[other] = int(other == flat) - sum(m for x, m in mobius.items() if x < other)
        counts[d - rank[flat]] += sum(map(abs, mobius.values()))
    return tuple(counts)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_faces_of_the_resonance_arrangement(n: int) -> None:
    normals = [x for x in product((0, 1), repeat=n) if any(x)]
    regions = enumerate_regions(hyperplanes(normals, [0] * len(normals)), WholeSpace(n))
    assert face_counts(regions) == central_faces(normals, n)


def buck(m: int, d: int) -> tuple[int, ...]:
    """Faces of m hyperplanes in general position (Buck 1943): each flat of dimension k is cut by m - d + k others."""
    return tuple(comb(m, d - k) * sum(comb(m - d + k, i) for i in range(k + 1)) for k in range(d + 1))


@pytest.mark.parametrize(("m", "d"), [(4, 1), (6, 2), (9, 2), (3, 3), (6, 3), (6, 4)])
def test_hyperplanes_in_general_position(m: int, d: int) -> None:
    t = np.arange(1.0, m + 1)
    net = hyperplanes([[s**j for j in range(d)] for s in t], t**d)  # the moment curve
    assert face_counts(enumerate_regions(net, WholeSpace(d))) == buck(m, d)


@pytest.mark.parametrize("m", [1, 3, 5])
def test_lines_in_general_position_in_a_disc_like_polygon(m: int) -> None:
    """Each of the m lines meets all the others inside, and the boundary twice, away from its corners."""
    t = np.arange(1.0, m + 1)
    net = hyperplanes([[s, -1] for s in t], t**2)
    reach = 10.0 * (m + 1) ** 2
    inside = comb(m, 2)
    f0, f2 = inside + 2 * m + 4, 1 + m + inside
    assert face_counts(enumerate_regions(net, Box.cube(-reach, reach, 2))) == (f0, f0 + f2 - 1, f2)


SMALL = [e for e in ARRANGEMENTS if e["regions"] <= 60 and e["ambient_dim"] <= 4]


@pytest.mark.parametrize("entry", SMALL, ids=[name_of(e) for e in SMALL])
def test_arrangements_of_the_whole_space(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(arrangement_network(entry), WholeSpace(entry["ambient_dim"]))
    counts = face_counts(regions)
    assert counts[-1] == entry["regions"]
    if entry.get("adjacency_edges") is not None:
        assert counts[-2] == entry["adjacency_edges"]
    assert euler_characteristic(regions) == (-1) ** entry["ambient_dim"]


FORMULAS = [e for e in FORMULA_NETWORKS if e["cells"] <= 100 and e.get("boundary_facets") is not None]


@pytest.mark.parametrize("entry", FORMULAS, ids=[name_of(e) for e in FORMULAS])
def test_networks_with_known_edges_and_boundary(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(formula_network(entry), Box(entry["lo"], entry["hi"]))
    counts = face_counts(regions)
    assert counts[-1] == entry["cells"]
    assert counts[-2] == entry["adjacency_edges"] + entry["boundary_facets"]
    assert euler_characteristic(regions) == 1


def test_the_euler_characteristic_of_unbounded_domains() -> None:
    """With compact support: that of a closed half-space is 0, of a strip that of its line."""
    net = hyperplanes([[1, 1], [1, -1], [2, 1]], [0, 0.5, 1])
    strip = HPolytope([[1, 0], [-1, 0]], [1, 0])
    domains = [(HPolytope([[1, 0]], [1]), 0), (strip, -1), (Box([0, 0], [np.inf, np.inf]), 0)]
    for domain, expected in domains:
        assert euler_characteristic(enumerate_regions(net, domain)) == expected


# ---------------------------------------------------------------- the twin: all sign vectors


def cells_by_definition(layers: Any, lower: int, upper: int, d: int) -> tuple[int, ...]:
    """The f-vector from every sign vector in {-, 0, +} of the box's rows and all neurons, tried one after another."""
    counts = [0] * (d + 1)
    for rows, _ in naive_faces.cells(layers, lower, upper, d):
        counts[naive.dimension(rows, d)] += 1
    return tuple(counts)


DEGENERATE = {
    "a neuron twice, and opposite": [([[1, 1], [2, 2], [-1, -1]], [0, 0, 0]), ([[1, 0, 0]], [0])],
    "zero and constant neurons": [([[0, 0], [0, 0], [1, 0]], [0, 1, 0]), ([[1, 1, 1]], [0])],
    "on the edge of the box": [([[1, 0], [1, 1]], [-1, -2]), ([[1, 1]], [0])],
    "a neuron that vanishes on a region": [
        ([[1, 0], [0, 1]], [0, 0]),
        ([[1, 0], [1, -1]], [0, 0]),
        ([[1, 1]], [0]),
    ],
    "a bent line": [([[1, 0], [0, 1]], [0, 0]), ([[1, 1], [2, -1]], [-1, 0]), ([[1, 1]], [0])],
    "dead": [([[1, 0], [0, 1]], [-5, -5]), ([[1, 1], [1, -1]], [0, 0]), ([[1, 1]], [0])],
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_networks_have_the_cells_of_the_definition(name: str) -> None:
    layers = DEGENERATE[name]
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 1, 2))
    assert face_counts(regions) == cells_by_definition(layers, -1, 1, 2)


@pytest.mark.parametrize("sizes", [(1, 3, 2, 1), (2, 3, 1), (2, 2, 2, 1), (2, 3, 2, 1), (2, 2, 2, 2, 1)])
@pytest.mark.parametrize("seed", range(5))
def test_random_networks_have_the_cells_of_the_definition(seed: int, sizes: tuple[int, ...]) -> None:
    layers = integer_layers(generator(seed), sizes)
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 1, sizes[0]))
    assert face_counts(regions) == cells_by_definition(layers, -1, 1, sizes[0])


def test_a_solid_network_has_the_cells_of_the_definition() -> None:
    layers = integer_layers(generator(3), (3, 2, 1, 1))
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 1, 3))
    assert face_counts(regions) == cells_by_definition(layers, -1, 1, 3)


# ---------------------------------------------------------------- invariants


def boundary_facets(regions: RegionSet) -> int:
    """Facets of regions that lie on the boundary of the domain."""
    domain = {label for label in regions[0].polytope.labels if label.startswith("x")}
    return sum(
        any(polytope.labels[i] in domain for i in rows)
        for polytope in (region.polytope for region in regions)
        for rows in polytope.facet_rows()
    )


@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_facets_are_the_edges_and_the_boundary_and_euler_is_one(seed: int, d: int) -> None:
    rng = generator(seed)
    sizes = [d, 4, 3, 1] if d < 4 else [d, 3, 2, 1]
    layers: Any = integer_layers(rng, sizes, 1) if seed % 2 else float_layers(rng, sizes)
    regions = enumerate_regions(Network.from_layers(layers), Box.cube(-1, 1, d))
    counts = face_counts(regions)
    assert counts[-1] == len(regions)
    assert counts[-2] == len(adjacency_arrays(regions)) + boundary_facets(regions)
    assert euler_characteristic(regions) == 1


@pytest.mark.parametrize("seed", range(8))
def test_closures_of_deep_networks_meet_face_to_face(seed: int) -> None:
    """By definition: where two closures meet is, for each, its part on the rows that vanish on the meet."""
    net = Network.from_layers(integer_layers(generator(seed), [2, 3, 3, 1]))
    cells = [region.polytope.exact_rows for region in enumerate_regions(net, Box.cube(-2, 2, 2))]
    for one, two in combinations(cells, 2):
        meet = set(generators([*one, *two], 2).coordinates())
        for own in (one, two):
            tight = [row for row in own if all(at(row, v) == 0 for v in meet)]
            if meet:
                opposite = [[-entry for entry in row] for row in tight]
                assert set(generators([*own, *opposite], 2).coordinates()) == meet


def at(row: list[int], v: tuple[Fraction, ...]) -> Fraction:
    return naive.dot(row[:-1], v) + row[-1]


def test_the_counts_do_not_depend_on_scale_order_or_coordinates() -> None:
    layers = float_layers(generator(1), [2, 4, 3, 1])
    (W, b), (V, c), out = layers
    order, factor = [2, 0, 3, 1], np.array([2.0, 0.25, 8.0, 1.0])
    other = [((W * factor[:, None])[order], (b * factor)[order]), ((V / factor)[:, order], c), out]
    box = Box.cube(-1, 1, 2)
    counts = face_counts(enumerate_regions(Network.from_layers(layers), box))
    assert face_counts(enumerate_regions(Network.from_layers(other), box)) == counts
    plane = Slice([0, 0, 0], [[1, 0, 1], [0, 1, 1]], box)
    lifted = [(np.column_stack([W, np.zeros(4)]), b), (V, c), out]
    assert face_counts(enumerate_regions(Network.from_layers(lifted), plane)) == counts


def test_lower_dimensional_domains_are_counted_in_their_own_dimension() -> None:
    net = hyperplanes([[1, 1], [1, -1]], [0, 0])
    assert face_counts(enumerate_regions(net, Box([-1, 0.5], [1, 0.5]))) == (4, 3)
    assert face_counts(enumerate_regions(net, Box([0, 0], [0, 0]))) == (1,)


def test_a_partial_set_is_refused() -> None:
    net = hyperplanes([[1, 1], [1, -1]], [0, 0])
    part = enumerate_regions(net, Box.cube(-1, 1, 2), max_regions=2)
    for count in (face_counts, euler_characteristic):
        with pytest.raises(InputError, match="partial set of 2 regions"):
            count(part)


def test_open_rows_of_the_domain_do_not_matter() -> None:
    net = hyperplanes([[1, 1]], [0])
    square = list(product([-1, 1], repeat=2))
    diamonds = [HPolytope(square, [1] * 4, strict=[flag] * 4) for flag in (False, True)]
    assert [face_counts(enumerate_regions(net, domain)) for domain in diamonds] == [(6, 7, 2)] * 2
