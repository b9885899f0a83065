"""Regions of a slice over the slice's own coordinates: truth is the network that has the slice written into it."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import naive
import polyregions as pr
from polyregions.errors import DomainError, InputError, OptionError

RNG = np.random.default_rng(8)
ORIGIN, DIRECTIONS = [0.1, -0.2, 0.3], [[1 / 3, 0.7, -0.1], [0.2, -0.6, 0.9]]
LAYERS: list[tuple[Any, Any]] = [
    (RNG.normal(size=(n, k)), RNG.normal(size=n) / 2) for k, n in ((3, 5), (5, 3), (3, 1))
]
SQUARE = pr.Box.cube(-1, 1, 2)


def exact(matrix: Any) -> list[list[Fraction]]:
    return [[Fraction(entry) for entry in row] for row in matrix]


def written_in(origin: Any, directions: Any) -> list[tuple[Any, Any]]:
    """The layers over u, by hand in fractions: ``W (o + D' u) + b = (W D') u + (W o + b)``."""
    (W, b), *rest = LAYERS
    (o,), D, rows = exact([origin]), exact(directions), exact(W.tolist())
    first = [[sum(w * x for w, x in zip(row, v, strict=True)) for v in D] for row in rows]
    shift = [
        sum(w * x for w, x in zip(row, o, strict=True)) + Fraction(c) for row, c in zip(rows, b, strict=True)
    ]
    return [(first, shift), *((V.tolist(), c.tolist()) for V, c in rest)]


def enumerated(domain: Any = SQUARE) -> pr.RegionSet:
    return pr.enumerate_regions(pr.Network.from_layers(LAYERS), pr.Slice(ORIGIN, DIRECTIONS, domain))


def bits(layers: Any, u: Any) -> tuple[int, ...]:
    """The pattern at a point, in fractions."""
    values, pattern = [Fraction(entry) for entry in u], []
    for i, (W, b) in enumerate(layers):
        pairs = zip(exact(W), b, strict=True)
        values = [sum((w * x for w, x in zip(row, values, strict=True)), Fraction(c)) for row, c in pairs]
        if i < len(layers) - 1:
            pattern += [int(z > 0) for z in values]
            values = [max(z, Fraction(0)) for z in values]
    return tuple(pattern)


def test_points_of_a_slice_are_located_by_its_own_coordinates() -> None:
    layers, regions = written_in(ORIGIN, DIRECTIONS), enumerated()
    patterns = [tuple(row) for row in regions.patterns.astype(int).tolist()]
    assert patterns == naive.regions(layers, naive.box([-1, -1], [1, 1]))
    points = np.random.default_rng(1).uniform(-1, 1, size=(60, 2))
    found = regions.locate(points, coordinates="slice").tolist()
    assert [patterns[i] for i in found] == [bits(layers, u) for u in points.tolist()]
    assert regions.locate([[1.5, 0], [0, -1 - 1e-15]], coordinates="slice").tolist() == [-1, -1]


def test_every_region_holds_its_own_point() -> None:
    """Rounded to the inputs most points lie off the slice; by its own coordinates none does."""
    regions = enumerated()
    inner = regions.in_slice_coordinates()
    assert regions.locate(inner.points, coordinates="slice").tolist() == list(range(len(regions)))
    assert (regions.locate(regions.points) == -1).any()
    lifted = [regions.domain.point(u) for u in inner.points]  # type: ignore[union-attr]
    assert regions.locate(lifted).tolist() == list(range(len(regions)))


def test_fractions_decide_on_which_side_of_a_boundary_a_point_is() -> None:
    """On x = u/3 the neuron 1 - 9 x is on for u < 1/3, which no float is."""
    network = pr.Network.from_layers([([[-9]], [1]), ([[1]], [0])])
    line = pr.Slice([0], [[Fraction(1, 3)]], pr.Box([0], [1]))
    regions = pr.enumerate_regions(network, line)
    third, little = Fraction(1, 3), Fraction(1, 10**40)
    found = regions.locate([[third - little], [third], [third + little]], coordinates="slice").tolist()
    assert regions.patterns[found].ravel().tolist() == [True, False, False]
    assert line.point([third - little]) == ((third - little) / 3,)


def test_regions_over_the_coordinates_have_their_polytopes_and_maps() -> None:
    layers = written_in(ORIGIN, DIRECTIONS)
    inner = enumerated().in_slice_coordinates()
    network = pr.Network.from_layers(
        [(np.array(W, dtype=object), np.array(b, dtype=object)) for W, b in layers]
    )
    expected = pr.enumerate_regions(network, SQUARE)
    assert (inner.complete, inner.network.n_inputs, inner.domain) == (True, 2, SQUARE)
    for one, two in zip(inner, expected, strict=True):
        assert one.polytope.exact_rows == two.polytope.exact_rows
        assert one.exact_affine_map.fractions() == two.exact_affine_map.fractions()
    assert sum(region.polytope.volume() for region in inner) == pytest.approx(4)


def test_a_slice_of_lower_dimension_than_its_coordinates() -> None:
    """With the second coordinate fixed both of them are still given."""
    regions = enumerated(pr.Box([-1, 0.25], [1, 0.25]))
    layers = written_in(ORIGIN, DIRECTIONS)
    points = [[u, 0.25] for u in np.linspace(-0.9, 0.9, 7).tolist()]
    found = regions.locate(points, coordinates="slice")
    assert [tuple(row) for row in regions.patterns[found].astype(int).tolist()] == [
        bits(layers, u) for u in points
    ]
    assert regions.locate([[0, 0.3]], coordinates="slice").tolist() == [-1]
    assert pickle.loads(pickle.dumps(regions.in_slice_coordinates())).dim == 1


def test_the_final_function_and_maxima_stay_known() -> None:
    from dataclasses import replace

    network = replace(pr.Network.from_layers(LAYERS), final_function="Sigmoid", notices=("one",))
    regions = pr.enumerate_regions(network, pr.Slice(ORIGIN, DIRECTIONS, SQUARE))
    inner = regions.in_slice_coordinates().network
    assert (inner.final_function, inner.notices) == ("Sigmoid", ("one",))


def test_what_has_no_slice_coordinates_says_so() -> None:
    boxed = pr.enumerate_regions(pr.Network.from_layers(LAYERS), pr.Box.cube(0, 0.1, 3))
    with pytest.raises(DomainError, match="input set is a Box, expected a Slice"):
        boxed.locate([[0, 0]], coordinates="slice")
    with pytest.raises(OptionError, match="coordinates 'u', expected 'inputs' or 'slice'"):
        enumerated().locate([[0, 0]], coordinates="u")
    with pytest.raises(InputError, match="expected \\(k, 2\\) finite numbers"):
        enumerated().locate([[0, 0, 0]], coordinates="slice")
    line = pr.Slice([0, 0], [[1, 1]], pr.Box([0], [1]))
    for wrong in ([0, 0], [[0], [1]], [np.nan], "u"):
        with pytest.raises(DomainError, match="slice: "):
            line.point(wrong)
