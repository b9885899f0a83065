"""Topology: shapes whose homology is known, Euler's relation, order complexes, the twin's sign vectors, and levels."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
import pytest

import naive
import naive_faces
import polyregions as pr
import shapes
from polyregions import Box, HPolytope, Network, Slice, WholeSpace, enumerate_regions, face_complex
from polyregions.errors import InputError, OptionError
from randoms import float_layers, generator, integer_layers

# ---------------------------------------------------------------- shapes

square = shapes.box([-1, -1], [1, 1])
squares = shapes.highest(*(shapes.box([x - 1, -1], [x + 1, 1]) for x in (-6, -3, 0, 3)))
ring = shapes.lowest(shapes.box([-2, -2], [2, 2]), shapes.negated(square))
flat_ring = shapes.lowest(
    shapes.box([-2, -2, -0.5], [2, 2, 0.5]), shapes.negated(shapes.box([-1, -1, -np.inf], [1, 1, np.inf]))
)
upright_ring = shapes.lowest(
    shapes.box([-0.5, -0.5, -2], [3.5, 0.5, 2]),
    shapes.negated(shapes.box([0.5, -np.inf, -1], [2.5, np.inf, 1])),
)
hollow = shapes.lowest(shapes.box([-2] * 3, [2] * 3), shapes.negated(shapes.box([-1] * 3, [1] * 3)))
quadrants = shapes.highest(shapes.lowest(([1, 0], 0), ([0, 1], 0)), shapes.lowest(([-1, 0], 0), ([0, -1], 0)))
strip = shapes.box([-1, -np.inf], [1, np.inf])

INSIDE = {
    "four squares": (squares, Box.cube(-8, 8, 2), (4, 0, 0)),
    "a square ring": (ring, Box.cube(-3, 3, 2), (1, 1, 0)),
    "two linked rings": (shapes.highest(flat_ring, upright_ring), Box.cube(-4, 4, 3), (2, 2, 0, 0)),
    "a hollow cube": (hollow, Box.cube(-3, 3, 3), (1, 0, 1, 0)),
    "a bounded strip": (strip, Box.cube(-3, 3, 2), (1, 0, 0)),
    "an unbounded strip": (strip, WholeSpace(2), (1, 0, 0)),
    "a cone through the origin": (shapes.lowest(([1, 0], 0), ([0, 1], 0)), WholeSpace(2), (1, 0, 0)),
    "two quadrants that touch": (quadrants, WholeSpace(2), (1, 0, 0)),
    "two quadrants that touch, in a box": (quadrants, Box.cube(-1, 1, 2), (1, 0, 0)),
    "a ring in the plane": (ring, WholeSpace(2), (1, 1, 0)),
}
OUTSIDE = {
    "four squares": (1, 4, 0),
    "a square ring": (2, 1, 0),
    "two linked rings": (
        1,
        2,
        2,
        0,
    ),  # Alexander duality: the complement of a link of two has two loops and a wall each
    "a hollow cube": (2, 0, 1, 0),
    "a bounded strip": (2, 0, 0),
    "an unbounded strip": (2, 0, 0),
    "a cone through the origin": (1, 0, 0),
    "two quadrants that touch": (1, 0, 0),
    "two quadrants that touch, in a box": (1, 0, 0),
    "a ring in the plane": (2, 1, 0),
}
COMPACTIFIED = {
    "an unbounded strip": (0, 1, 0),  # an interval times a line, whose ends meet
    "a cone through the origin": (0, 0, 0),  # a disc
    "two quadrants that touch": (0, 1, 0),  # two discs that meet in two points
    "a ring in the plane": (1, 1, 0),
}
KINDS = ["plain", "doubled", "negated", "scaled"]


def complex_of(net: Network, domain: Any) -> pr.FaceComplex:
    return face_complex(enumerate_regions(net, domain))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INSIDE)
def test_shapes_have_the_homology_that_they_have(name: str, kind: str) -> None:
    tree, domain, expected = INSIDE[name]
    complex = complex_of(shapes.network(tree, kind), domain)
    inside, outside = complex.superlevel_set(0), complex.sublevel_set(0)
    for field in ("rationals", "GF(2)"):
        assert pr.betti_numbers(inside, field) == expected
        assert pr.betti_numbers(outside, field) == OUTSIDE[name]
    if name in COMPACTIFIED:
        assert pr.betti_numbers(inside, compactified=True) == COMPACTIFIED[name]
    assert pr.homology(inside).torsion == ((),) * len(expected)
    assert pr.betti_numbers(complex.where_class(1)) == expected  # the same set, by sign


def test_boundaries_of_shapes() -> None:
    """A ring's boundary is two loops, a hollow cube's two spheres, a strip's two lines."""
    assert pr.betti_numbers(complex_of(shapes.network(ring), Box.cube(-3, 3, 2)).decision_boundary()) == (
        2,
        2,
        0,
    )
    cube = complex_of(shapes.network(hollow), Box.cube(-3, 3, 3))
    assert pr.betti_numbers(cube.level_set(0)) == (2, 0, 2, 0)
    lines = complex_of(shapes.network(strip), WholeSpace(2)).level_set(0)
    assert pr.betti_numbers(lines) == (2, 0, 0)
    assert pr.betti_numbers(lines, compactified=True) == (0, 2, 0)


def test_lines_that_nothing_changes_along() -> None:
    """A strip in space that no neuron sees the third input of: faces contain lines, and nothing else is different."""
    complex = complex_of(
        shapes.network(shapes.box([-1, -np.inf, -np.inf], [1, np.inf, np.inf])), WholeSpace(3)
    )
    assert complex.counts[:2] == (0, 0)
    inside = complex.superlevel_set(0)
    assert pr.betti_numbers(inside) == (1, 0, 0, 0)
    assert pr.betti_numbers(inside, compactified=True) == (0, 0, 1, 0)
    assert pr.betti_numbers(complex, compactified=True) == (0, 0, 0, 1)


def test_classes_of_several_outputs() -> None:
    """A ring of class 0 around a square of class 1, and class 2 outside; ties belong to both."""
    radius = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], dtype=float)
    # |x| + |y| scores as: 2 - r for class 0, 3 - 2 r for class 1, r - 2 for class 2
    outputs = np.array([[-1.0] * 4, [-2.0] * 4, [1.0] * 4])
    net = Network.from_layers([(radius, np.zeros(4)), (outputs, [2, 3, -2])])
    complex = complex_of(net, Box.cube(-4, 4, 2))
    expected = [(1, 1, 0), (1, 0, 0), (1, 1, 0)]
    assert [pr.betti_numbers(complex.where_class(k)) for k in range(3)] == expected
    assert pr.betti_numbers(complex.decision_boundary()) == (2, 2, 0)
    assert pr.betti_numbers(complex.where_class(0, "argmin")) == pr.betti_numbers(
        complex_of(
            Network.from_layers([(radius, np.zeros(4)), (-outputs, [-2, -3, 2])]), Box.cube(-4, 4, 2)
        ).where_class(0)
    )


# ---------------------------------------------------------------- any network


def kinds_of_layers(rng: np.random.Generator, sizes: Sequence[int]) -> list[Any]:
    """Random layers: floats, or small integers, with or without biases, with neurons twice."""
    kind = int(rng.integers(4))
    layers: list[Any] = float_layers(rng, sizes) if kind == 0 else integer_layers(rng, sizes)
    arrays = [(np.array(w, dtype=float), np.array(b, dtype=float)) for w, b in layers]
    if kind == 2:
        arrays = [(w, 0 * b) for w, b in arrays]
    if kind == 3:
        w, b = arrays[0]
        w[-1], b[-1] = -2 * w[0], -2 * b[0]
    return arrays


def domains(rng: np.random.Generator, d: int) -> Any:
    """A box, all of R^d, a polytope with unbounded sides, or a slice."""
    kind = int(rng.integers(4))
    if kind == 0:
        return Box.cube(-2, 2, d)
    if kind == 1:
        return WholeSpace(d)
    if kind == 2:
        return HPolytope(rng.integers(-2, 3, (d, d)).astype(float) + np.eye(d), np.ones(d))
    directions = np.eye(d)[1:] + 0.5 * np.eye(d)[:1]
    return Box.cube(-1, 1, d) if d == 1 else Slice([0.25] * d, directions, Box.cube(-2, 2, d - 1))


def parts(complex: pr.FaceComplex, rng: np.random.Generator) -> list[pr.FaceComplex]:
    """A complex and parts of it."""
    found = [
        complex,
        complex.where_class(0),
        complex.decision_boundary(),
        complex.sublevel_set(Fraction(1, 3)),
    ]
    neuron = int(rng.integers(complex.problem.network.n_neurons))
    return [*found, complex.bent_hyperplane(neuron), complex.where_on(neuron).superlevel_set(0.5)]


def check_complex(seed: int) -> None:
    """Euler's relation with both kinds of homology, boundaries of boundaries, and the number of cells."""
    rng = generator(seed)
    d = int(rng.integers(1, 4))
    widths = [d, *rng.integers(1, 5, rng.integers(1, 3)).tolist(), int(rng.integers(1, 4))]
    domain = domains(rng, d)
    regions = enumerate_regions(Network.from_layers(kinds_of_layers(rng, widths)), domain)
    complex = face_complex(regions)
    assert np.array_equal(complex.signs(complex.dim) > 0, regions.patterns)
    assert complex.counts == pr.face_counts(regions)
    for part in parts(complex, rng):
        for dim in range(1, part.dim):
            product = part.boundary(dim).astype(np.int64) @ part.boundary(dim + 1).astype(np.int64)
            assert not product.toarray().any()
        plain, closed = pr.betti_numbers(part), pr.betti_numbers(part, compactified=True)
        assert alternating(closed) == part.euler_characteristic
        if part.n_lines == 0:
            assert alternating(plain) == alternating(np.bincount(part.dims[part.is_bounded], minlength=1))
        assert all(a >= b for a, b in zip(pr.betti_numbers(part, "GF(2)"), plain, strict=True))


def alternating(numbers: Any) -> int:
    return sum((-1) ** i * int(n) for i, n in enumerate(numbers))


@pytest.mark.parametrize("seed", range(40))
def test_euler(seed: int) -> None:
    check_complex(seed)


@pytest.mark.slow
def test_euler_on_a_thousand_networks() -> None:
    for seed in range(40, 1040):
        check_complex(seed)


# ---------------------------------------------------------------- independent: order complexes over two elements


def chains_of(graph: nx.DiGraph) -> list[list[tuple[int, ...]]]:
    """The simplices of the order complex of a face poset, by dimension."""
    below = {node: nx.descendants(graph, node) for node in graph}
    levels: list[list[tuple[int, ...]]] = [[(node,) for node in graph]]
    while levels[-1]:
        levels.append([(*chain, node) for chain in levels[-1] for node in below[chain[-1]]])
    return levels[:-1]


def betti_over_two(simplices: list[list[tuple[int, ...]]], top: int) -> tuple[int, ...]:
    """Betti numbers of a simplicial complex by plain elimination, rows as bits."""
    ranks = [0]
    for lower, upper in zip(simplices, simplices[1:], strict=False):
        place = {simplex: i for i, simplex in enumerate(lower)}
        pivots: dict[int, int] = {}
        for simplex in upper:
            row = 0
            for gone in range(len(simplex)):
                row ^= 1 << place[simplex[:gone] + simplex[gone + 1 :]]
            while row and row.bit_length() in pivots:
                row ^= pivots[row.bit_length()]
            if row:
                pivots[row.bit_length()] = row
        ranks.append(len(pivots))
    ranks += [0] * (top + 3 - len(ranks))
    counts = [len(level) for level in simplices] + [0] * (top + 1)
    return tuple(counts[i] - ranks[i] - ranks[i + 1] for i in range(top + 1))


@pytest.mark.parametrize("seed", range(12))
def test_homology_is_that_of_the_order_complex(seed: int) -> None:
    """A closed union of faces, unbounded ones too, is homotopy equivalent to the order complex of its face poset."""
    rng = generator(3000 + seed)
    d = int(rng.integers(1, 3))
    layers = kinds_of_layers(rng, [d, 3, 2, 1])
    complex = complex_of(Network.from_layers(layers), domains(rng, d))
    for part in parts(complex, rng):
        simplices = chains_of(part.to_networkx())
        found = pr.betti_numbers(part, "GF(2)")
        assert found == (betti_over_two(simplices, part.dim) if len(part) else (0,) * (part.dim + 1))


def test_gudhi_agrees_on_the_order_complex() -> None:
    gudhi = pytest.importorskip("gudhi")
    complex = complex_of(shapes.network(shapes.highest(flat_ring, upright_ring)), Box.cube(-4, 4, 3))
    part = complex.superlevel_set(0)
    tree = gudhi.SimplexTree()
    for level in chains_of(part.to_networkx()):
        for simplex in level:
            tree.insert(simplex)
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    found = tree.betti_numbers()
    assert tuple(found + [0] * (4 - len(found))) == pr.betti_numbers(part, "GF(2)")


# ---------------------------------------------------------------- independent: sign vectors

TWINS = {
    "bent": [([[1, 0], [0, 1]], [0, 0]), ([[1, 1], [2, -1]], [-1, 0]), ([[1, 1]], [0])],
    "vanishes on a region": [([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [1, -1]], [0, 0]), ([[1, 1]], [0])],
    "twice": [([[1, 1], [2, 2], [-1, -1]], [0, 0, 0]), ([[1, 0, 0]], [0])],
    "on the edge": [([[1, 0], [1, 1]], [-1, -2]), ([[1, 1]], [0])],
}


@pytest.mark.parametrize("name", TWINS)
def test_signs_are_those_of_the_definition(name: str) -> None:
    layers = TWINS[name]
    complex = complex_of(Network.from_layers(layers), Box.cube(-1, 1, 2))
    expected: dict[int, set[tuple[int, ...]]] = {}
    for rows, signs in naive_faces.cells(layers, -1, 1, 2):
        expected.setdefault(naive.dimension(rows, 2), set()).add(signs)
    for dim in range(3):
        walls = np.where(complex.tight_rows(dim), 0, 1)
        found = {tuple(row) for row in np.hstack([walls, complex.signs(dim)]).tolist()}
        assert found == expected[dim]


@pytest.mark.parametrize("seed", range(8))
def test_vertices_are_where_their_signs_say(seed: int) -> None:
    """Every neuron has its sign there, layer after layer in rationals; floats lie within their bounds."""
    rng = generator(500 + seed)
    layers = kinds_of_layers(rng, [2, 4, 3, 1])
    complex = complex_of(Network.from_layers(layers), [Box.cube(-2, 2, 2), WholeSpace(2)][seed % 2])
    signs = complex.signs(0)
    for v, x in enumerate(complex.exact_vertices()):
        assert signs[v].tolist() == signs_at(layers, x)
        if np.isfinite(complex.point_error[v]):
            off = max(abs(Fraction(float(p)) - c) for p, c in zip(complex.vertices[v], x, strict=True))
            assert off <= Fraction(float(complex.point_error[v]))
    assert len(set(complex.exact_vertices())) == complex.counts[0]


def signs_at(layers: Any, x: Sequence[Fraction]) -> list[int]:
    """The signs of all neurons at a point, layer after layer in rationals."""
    signs, values = [], list(x)
    for weight, bias in layers[:-1]:
        z = [
            sum((Fraction(float(w)) * v for w, v in zip(row, values, strict=True)), Fraction(float(b)))
            for row, b in zip(weight, bias, strict=True)
        ]
        signs += [(value > 0) - (value < 0) for value in z]
        values = [max(value, Fraction(0)) for value in z]
    return signs


# ---------------------------------------------------------------- as data


def test_a_complex_as_matrices_and_graph() -> None:
    complex = complex_of(Network.from_layers(TWINS["bent"]), Box.cube(-1, 1, 2))
    graph = complex.to_networkx()
    assert nx.is_directed_acyclic_graph(graph)
    assert [d["dim"] for _, d in graph.nodes(data=True)] == complex.dims.tolist()
    for dim in (1, 2):
        assert np.array_equal(complex.incidence(dim).toarray(), np.abs(complex.boundary(dim).toarray()))
        assert np.all(complex.incidence(dim).sum(axis=0) >= 2)
    assert complex.boundary(0).shape == (0, complex.counts[0])
    corners = complex.vertices_of(2).toarray()
    for region, own in enumerate(corners.T):
        polytope = enumerate_regions(complex.problem.network, Box.cube(-1, 1, 2))[region].polytope
        expected = np.array(sorted(polytope.vertices().tolist()))
        assert np.array(sorted(complex.vertices[own].tolist())) == pytest.approx(expected)


def test_parts_of_parts() -> None:
    complex = complex_of(shapes.network(ring), Box.cube(-3, 3, 2))
    right = complex.superlevel_set(0).where_on(0)
    assert "y0 >= 0" in repr(right) and "neuron 0 >= 0" in repr(right)
    again = complex.where_on(0).superlevel_set(0)
    assert right.counts == again.counts
    star = complex.restricted(complex.dims == 2)
    assert star.counts == complex.counts
    assert complex.restricted(np.zeros(len(complex), dtype=bool)).counts == (0, 0, 0)


def test_what_does_not_exist_is_said() -> None:
    net = shapes.network(square)
    complex = complex_of(net, Box.cube(-3, 3, 2))
    for ask in (
        lambda: complex.where_class(2),
        lambda: complex.level_set(0, output=1),
        lambda: complex.level_set(float("nan")),
        lambda: complex.where_on(-1),
        lambda: complex.signs(3),
        lambda: pr.betti_numbers(complex, "Z/5"),
        lambda: pr.persistent_homology(complex, 4),
        lambda: complex.where_on(0.5),  # type: ignore[arg-type]
        lambda: complex.where_on(True),
        lambda: complex.level_set("x"),  # type: ignore[arg-type]
        lambda: complex.exact_vertices([-1]),
        lambda: complex.exact_vertices([complex.counts[0]]),
        lambda: complex.vertices_of(-1),
        lambda: pr.persistent_homology(complex).betti_numbers(float("inf")),
    ):
        with pytest.raises(OptionError):
            ask()
    with pytest.raises(InputError, match="partial"):
        face_complex(enumerate_regions(net, Box.cube(-3, 3, 2), max_regions=3))
    with pytest.raises(InputError, match="unbounded"):
        pr.persistent_homology(complex_of(net, WholeSpace(2)))


@pytest.mark.parametrize("domain", [Box.cube(-1, 1, 2), WholeSpace(2)], ids=["box", "space"])
def test_a_network_without_neurons(domain: Any) -> None:
    complex = complex_of(Network.from_layers([([[1, 2]], [0])]), domain)
    assert complex.counts in ((4, 4, 1), (0, 0, 1))
    assert pr.betti_numbers(complex) == (1, 0, 0)
    half = complex.superlevel_set(0)  # a half-plane, or the part of it in a square
    assert pr.betti_numbers(half) == (1, 0, 0)


def test_weights_beyond_floats_are_done_in_rationals() -> None:
    """The regions, their faces and their homology of a network that no float can prove anything about."""
    tiny = 2.0**-600
    net = Network.from_layers([([[tiny, 0], [0, 1]], [0, 0]), ([[2.0**600, 1]], [-0.5])])
    complex = complex_of(net, Box.cube(-1, 1, 2))
    assert complex.counts == (9, 12, 4)
    assert pr.betti_numbers(complex.superlevel_set(0)) == (1, 0, 0)


def test_a_restricted_complex_stays_restricted() -> None:
    complex = complex_of(
        Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])]), Box.cube(-1, 1, 2)
    )
    one = complex.restricted(np.arange(len(complex)) == len(complex) - 1)  # the region where both are on
    assert one.counts == one.where_on(0).counts == one.sublevel_set(5).counts == (4, 4, 1)
    assert one.sublevel_set(1).counts == (3, 3, 1) and "restricted" in repr(one.sublevel_set(1))
    nothing = complex.superlevel_set(1).restricted(np.zeros(len(complex.superlevel_set(1)), dtype=bool))
    assert nothing.sublevel_set(10).counts == (0, 0, 0)
    for wrong in (np.zeros(3, dtype=bool), [0, 1], np.zeros(len(complex))):
        with pytest.raises(InputError, match="booleans"):
            complex.restricted(wrong)


@pytest.mark.parametrize(
    "domain", [Slice([0.25, 0.25], [[1, 1]], Box(-2, 2)), Box([0, -1], [0, 1])], ids=repr
)
def test_parts_travel_after_they_were_asked(domain: Any) -> None:
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    part = complex_of(net, domain).superlevel_set(0.5)
    exact = part.exact_vertices()
    for again in (pickle.loads(pickle.dumps(part)), copy.deepcopy(part)):
        assert again.counts == part.counts and again.exact_vertices() == exact


@pytest.mark.parametrize(
    "level", [Fraction(1, 10**400), 1e-310, 5e-324, 1e-290, Fraction(1, 3), np.float32(0.5), "1/7"]
)
def test_levels_of_any_size_are_exact(level: Any) -> None:
    """|x| <= t is an interval around 0 for every positive t."""
    complex = complex_of(Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])]), Box(-1, 1))
    assert complex.sublevel_set(level).counts == (3, 2)
    assert complex.superlevel_set(level).counts == (4, 2)


def test_vertices_of_unbounded_domains_are_rounded_once() -> None:
    far = 1e12
    net = Network.from_layers([([[1, 0], [0, 1], [1, 0], [1, 1]], [0, -1e-3, -far, -0.5]), ([[1] * 4], [0])])
    complex = complex_of(net, WholeSpace(2))
    exact = complex.exact_vertices()
    assert complex.vertices.tolist() == [[float(c) for c in x] for x in exact]


# ---------------------------------------------------------------- levels


def test_two_valleys() -> None:
    """0 up to -1, up to 2 at 0, down to 0 at 1, up to 4: two valleys, one of them flat, that meet at 2."""
    net = Network.from_layers([([[1], [1], [1]], [1, 0, -1]), ([[2, -4, 6]], [0])])
    complex = complex_of(net, Box(-2, 2))
    found = pr.persistent_homology(complex)
    assert found.points(0).tolist() == [[0, 2], [0, np.inf]]
    assert found.exact_death == (Fraction(2), None)
    up = pr.persistent_homology(complex, superlevel=True)
    assert sorted(up.points(0).tolist()) == [[2, 0], [4, -np.inf]]
    points = pr.critical_points(complex)
    assert points.index.sum(axis=0).tolist() == [2, 1]
    assert points.value.tolist() == [0, 0, 2]
    assert points.is_flat.tolist() == [True, False, False]


@pytest.mark.parametrize("seed", range(10))
def test_levels_have_the_homology_of_their_sets(seed: int) -> None:
    rng = generator(900 + seed)
    d = int(rng.integers(1, 4))
    complex = complex_of(Network.from_layers(kinds_of_layers(rng, [d, 4, 3, 1])), Box.cube(-2, 2, d))
    for superlevel in (False, True):
        diagram = pr.persistent_homology(complex, superlevel=superlevel)
        lowest, highest = diagram.birth.min(), diagram.birth.max()
        for level in (lowest, highest, *rng.uniform(lowest, highest + 1, 3)):
            part = complex.superlevel_set(level) if superlevel else complex.sublevel_set(level)
            found = diagram.betti_numbers(level)
            assert found == pr.betti_numbers(part, "GF(2)")
        points = pr.critical_points(complex, superlevel=superlevel)
        assert alternating(points.index.sum(axis=0)) == complex.euler_characteristic
        deaths = np.bincount(diagram.dim[np.isfinite(diagram.death)] + 1, minlength=d + 1)
        births = np.bincount(diagram.dim, minlength=d + 1)
        assert np.all(
            points.index.sum(axis=0) >= births[: d + 1] + deaths[: d + 1] - 2 * points.is_flat.sum()
        )
        if not points.is_flat.any() and len(set(points.value.tolist())) == len(points):
            assert points.index.sum(axis=0).tolist() == (births + deaths)[: d + 1].tolist()


def test_gudhi_has_the_same_diagram() -> None:
    """Of the barycentric subdivision, each simplex with the highest level among the vertices of its faces."""
    gudhi = pytest.importorskip("gudhi")
    complex = complex_of(Network.from_layers(float_layers(generator(5), [2, 5, 4, 1])), Box.cube(-2, 2, 2))
    net, vertices = complex.problem.network, complex.vertices
    at_vertices = net(vertices)[:, 0]
    value = np.concatenate(
        [[at_vertices[own].max() for own in complex.vertices_of(dim).toarray().T] for dim in range(3)]
    )
    tree = gudhi.SimplexTree()
    for level in chains_of(complex.to_networkx()):
        for simplex in level:
            tree.insert(simplex, max(value[node] for node in simplex))
    expected = [
        (dim, pair) for dim, pair in tree.persistence(homology_coeff_field=2) if pair[1] - pair[0] > 1e-9
    ]
    found = pr.persistent_homology(complex)
    pairs = list(
        zip(found.dim.tolist(), zip(found.birth.tolist(), found.death.tolist(), strict=True), strict=True)
    )
    assert len(pairs) == len(expected)
    for (dim, pair), (other, known) in zip(sorted(pairs), sorted(expected), strict=True):
        assert dim == other and pair == pytest.approx(known)


def diagram(points: Sequence[tuple[float, float]]) -> pr.PersistenceDiagram:
    birth, death = (
        np.array([p[0] for p in points], dtype=float),
        np.array([p[1] for p in points], dtype=float),
    )
    exact = [None if d == np.inf else Fraction(d) for d in death.tolist()]
    return pr.PersistenceDiagram(
        np.zeros(len(points), dtype=np.int64),
        birth,
        death,
        tuple(map(Fraction, birth.tolist())),
        tuple(exact),
        False,
        0,
    )


def brute_force(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> float:
    """The best of all matchings of two small diagrams."""
    if not a:
        return max(((d - c) / 2 for c, d in b), default=0.0)
    (c, d), rest = a[0], a[1:]
    best = max((d - c) / 2, brute_force(rest, b))
    for i, (e, f) in enumerate(b):
        best = min(best, max(abs(c - e), abs(d - f), brute_force(rest, b[:i] + b[i + 1 :])))
    return best


@pytest.mark.parametrize("seed", range(10))
def test_bottleneck_distance_is_that_of_the_best_matching(seed: int) -> None:
    rng = generator(seed)
    one, two = (
        [(c, c + float(rng.uniform(0, 2))) for c in rng.uniform(0, 3, rng.integers(0, 5)).tolist()]
        for _ in range(2)
    )
    expected = brute_force(one, two)
    assert pr.bottleneck_distance(diagram(one), diagram(two), 0) == pytest.approx(expected)


def test_bottleneck_distance_of_classes_that_stay() -> None:
    one, two = diagram([(0, np.inf), (1, 2)]), diagram([(0.25, np.inf)])
    assert pr.bottleneck_distance(one, two, 0) == 0.5
    assert pr.bottleneck_distance(one, diagram([]), 0) == np.inf
    assert pr.bottleneck_distance(one, two, 1) == 0.0


def test_pairs_of_a_grid_of_valleys() -> None:
    """Independent of everything: components of sublevel sets of one input by counting intervals of the function."""
    layers = float_layers(generator(77), [1, 9, 1])
    complex = complex_of(Network.from_layers(layers), Box(-3, 3))
    found = pr.persistent_homology(complex)
    net = complex.problem.network
    x = np.linspace(-3, 3, 20001)
    y = net(x[:, None])[:, 0]
    for level in np.quantile(y, [0.1, 0.3, 0.6, 0.9]):
        inside = y <= level
        assert found.betti_numbers(level)[0] == int(inside[0]) + np.count_nonzero(~inside[:-1] & inside[1:])
