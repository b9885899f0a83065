"""Certificates: what holds is believed, what was tampered with is not, and the checker stands alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from hashlib import sha256
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator

import naive
import polyregions
import polyregions as pr
from corpus import corpus
from polyregions import Box, HPolytope, Network, RegionSet, Slice, WholeSpace, enumerate_regions, load_network
from polyregions.certificates.certificate import Certificate
from polyregions.certificates.checker import Cell, Row, Tree, Verdict, check, proves_empty, walk
from polyregions.certificates.input_sets import input_set, same_set
from polyregions.errors import DomainError, FormatError, InputError
from polyregions.io.npz import arrays_of_npz, npz_bytes
from polyregions.io.results.certificate import certificate_npz, certificate_of_npz
from polyregions.networks.network import affine_layer
from polyregions.regions.certify import certify
from randoms import generator, integer_layers, random_layers
from truth import (
    ARRANGEMENTS,
    FORMULA_NETWORKS,
    REAL_NETWORKS,
    arrangement_network,
    box_around_all_vertices,
    formula_network,
    name_of,
)

SMALL_FORMULAS = [entry for entry in FORMULA_NETWORKS if entry["cells"] <= 70]
SMALL_REAL = [entry for entry in REAL_NETWORKS if entry["cells"] <= 71]
SMALL_ARRANGEMENTS = [entry for entry in ARRANGEMENTS if entry["regions"] <= 70]


def stored(certificate: Certificate) -> Certificate:
    """The certificate after saving and loading, which loses nothing."""
    data = certificate_npz(certificate)
    loaded = certificate_of_npz(data, "here")
    assert certificate_npz(loaded) == data
    return loaded


def proved(regions: RegionSet) -> Verdict:
    verdict = check(stored(certify(regions)), regions.network)
    assert verdict, verdict.reason
    assert verdict.regions == len(regions)
    return verdict


# ---------------------------------------------------------------- what holds


@pytest.mark.parametrize("engine", ["auto", "highs"])
def test_certify_while_enumerating(engine: str) -> None:
    net = Network.from_layers(integer_layers(generator(5), [2, 4, 3, 1]))
    regions = enumerate_regions(net, Box.cube(-2, 2, 2), engine=engine, certify=True)
    assert regions.certificate is not None
    verdict = check(stored(regions.certificate), net)
    assert verdict and verdict.regions == len(regions)


def test_no_certificate_unless_asked_for_nor_of_a_stopped_run() -> None:
    net = Network.from_layers([([[1], [2]], [0, -1]), ([[1, 1]], [0])])
    assert enumerate_regions(net, Box([-1], [1])).certificate is None
    assert enumerate_regions(net, Box([-1], [1]), certify=True, max_regions=1).certificate is None


@pytest.mark.parametrize("entry", SMALL_FORMULAS, ids=name_of)
def test_formula_networks(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(formula_network(entry), Box(entry["lo"], entry["hi"]))
    assert proved(regions).regions == entry["cells"]


@pytest.mark.parametrize("entry", SMALL_REAL, ids=name_of)
def test_real_networks(entry: dict[str, Any]) -> None:
    regions = enumerate_regions(load_network(corpus(entry["network"])), Box(entry["lo"], entry["hi"]))
    assert proved(regions).regions == entry["cells"]


@pytest.mark.parametrize("entry", SMALL_ARRANGEMENTS, ids=name_of)
def test_arrangements_in_a_box_and_in_the_whole_space(entry: dict[str, Any]) -> None:
    net = arrangement_network(entry)
    for domain in (box_around_all_vertices(entry), WholeSpace(entry["ambient_dim"])):
        assert proved(enumerate_regions(net, domain)).regions == entry["regions"]


@pytest.mark.parametrize("seed", range(25))
def test_random_degenerate_networks_have_the_patterns_of_the_naive_twin(seed: int) -> None:
    rng = generator(seed)
    d = int(rng.integers(1, 4))
    layers = integer_layers(rng, [d, *rng.integers(1, 4, size=int(rng.integers(1, 4))).tolist(), 1])
    whole = bool(rng.integers(2))
    domain, rows = (WholeSpace(d), []) if whole else (Box.cube(-1, 2, d), naive.box([-1] * d, [2] * d))
    regions = enumerate_regions(Network.from_layers(layers), domain)
    proved(regions)
    assert [tuple(map(int, p)) for p in regions.patterns] == naive.regions(layers, rows)


STAIRS = [([[1], [1]], [0, -1]), ([[1, 1]], [0])]
SLIVER = [([[1], [1]], [0 - 1, -1 - 2**-52]), ([[1, 1]], [0])]  # a region between two neighbouring floats
THIRDS = [([[Fraction(1, 3), 1], [1, Fraction(-2, 7)]], [0, Fraction(1, 9)]), ([[1, 1]], [0])]
PLANE = [[1, 0.5, 0], [0, 1, 0.25]]
TRIANGLE = HPolytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 1])
PINCHED = HPolytope([[-1, 0], [0, -1], [1, 1]], [0, 0, 0])  # x >= 0, y >= 0, x + y <= 0: the origin
# x + y = 0 by its first two rows; then -x >= 0 and y <= 0 leave the origin: equations found one after the other
TWO_ROUNDS = HPolytope([[1, 1], [-2, -2], [1, 0], [0, 1], [1, -3]], [0, 0, 0, 0, 5])
LINE = HPolytope([[1, 3, 0], [-1, -3, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 1], [0, -1, -1]], [1, -1, 2, 1, 0, 0])
CASES: dict[str, tuple[list[tuple[Any, Any]], Any]] = {
    "box": (random_layers(0, 2, 3, 3, 2), Box.cube(-1, 1, 2)),
    "box with a fixed input": (random_layers(0, 3, 4, 2), Box([-1, 0.3, -1], [1, 0.3, 2])),
    "box with all inputs fixed": (random_layers(0, 2, 3, 2), Box([0.5, 0.25], [0.5, 0.25])),
    "unbounded box": (random_layers(0, 2, 4, 2), Box([0, -np.inf], [np.inf, 1])),
    "whole space": (random_layers(0, 2, 4, 3, 2), WholeSpace(2)),
    "polytope": (random_layers(0, 2, 4, 2), TRIANGLE),
    "polytope with rows of zeros": (
        random_layers(0, 2, 4, 2),
        HPolytope([[0, 0], [1, 1], [0, 0]], [1, 1, 0]),
    ),
    "polytope in a line": (random_layers(0, 3, 4, 2), LINE),
    "polytope that is a point": (random_layers(0, 2, 4, 2), PINCHED),
    "polytope whose equations follow from equations": (random_layers(0, 2, 4, 2), TWO_ROUNDS),
    "slice": (random_layers(0, 3, 4, 3, 2), Slice([0, 0.25, 1], PLANE, Box.cube(-1, 1, 2))),
    "slice of the whole space": (random_layers(0, 3, 4, 2), Slice([0, 0.25, 1], PLANE, WholeSpace(2))),
    "slice with a fixed input": (
        random_layers(0, 3, 4, 2),
        Slice([0, 0, 1], PLANE, Box([0.5, -1], [0.5, 1])),
    ),
    "slice with a polytope": (random_layers(0, 3, 4, 2), Slice([0, 0, 1], PLANE, TRIANGLE)),
    "slice with a point": (random_layers(0, 3, 4, 2), Slice([0, 0, 1], PLANE, PINCHED)),
    "sliver": (SLIVER, Box([0], [4])),
    "rational weights": (THIRDS, Box.cube(-1, 1, 2)),
    "no neurons": (random_layers(0, 2, 2), Box.cube(-1, 1, 2)),
    "weights of all sizes": (
        [([[2.0**40, 1], [1, 2.0**-40]], [0, 2.0**-60]), ([[1, 1]], [0])],
        Box.cube(-1, 1, 2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_input_set_and_of_weights(name: str) -> None:
    layers, domain = CASES[name]
    regions = enumerate_regions(Network.from_layers(layers), domain)
    proved(regions)
    assert certify(regions).input_set.same_as(input_set(domain))


def test_many_inputs() -> None:
    """Most proofs rest on the bounds of sixty inputs at once."""
    net = Network.from_layers(random_layers(1, 60, 8, 6, 2))
    centre = generator(2).normal(size=60)
    regions = enumerate_regions(net, Box(centre - 0.05, centre + 0.05))
    assert len(regions) == 3
    certificate = certify(regions)
    assert np.diff(certificate.offsets).max() >= 60
    proved(regions)


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        ([[1, 0], [-1, 0]], True),  # x > 0 and x < 0: they touch
        ([[1, 0], [-1, 1]], False),  # 0 < x < 1
        ([[1, -1], [-2, 0]], True),
        ([[1, 0], [1, -1]], False),  # both on one side
        ([[1, 0], [-1, 0], [-1, -1]], False),  # one row too many
        ([[1, 0, 0], [0, 1, 0], [-1, -1, 0]], True),  # a pinched triangle
        ([[1, 0, 0], [0, 1, 0], [-1, -1, 1]], False),  # a triangle
        ([[1, 0, 0], [0, 1, 0], [-1, 1, 0]], False),  # a bound with the wrong sign
        ([[1, 0, 0], [-1, -1, 0]], False),  # nothing makes up for y
        ([[1, 2, 0], [-3, -6, 0]], True),
        ([[1, 2, 0], [-3, -5, 0]], False),
        ([[1, 2, 3, 0], [1, -1, 0, 0], [-2, -1, -3, -1]], True),
        ([[1, 2, 3, 0], [1, -1, 0, 0], [-2, -1, -3, 1]], False),
        ([[0, 0]], True),  # 0 > 0 has no solution
        ([[2, 3, -1, 0], [0, 0, 3, -5], [-2, -3, 0, 1]], True),  # constants -5 / 3 + 1
        ([[2, 3, -1, 0], [0, 0, 3, -5], [-2, -3, 0, 2]], False),  # and -5 / 3 + 2
    ],
)
def test_what_proves_an_open_polyhedron_empty(rows: list[list[int]], holds: bool) -> None:
    assert proves_empty(rows) is holds


def test_units_of_other_kinds() -> None:
    """Leaky, absolute and identity units in one network, and a kink in the last layer."""
    slopes = np.array([[0.25, 1.0], [-1.0, 1.0], [1.0, 1.0], [0.1, 1.0]])
    built = [affine_layer(pair, "test") for pair in random_layers(3, 2, 4, 4)]
    net = Network.from_units([type(layer)(layer.weight, layer.bias, slopes) for layer in built])
    regions = enumerate_regions(net, Box.cube(-1, 1, 2))
    assert net.n_neurons == 6 and len(regions) > 6
    proved(regions)


def test_a_region_without_a_float_point_has_a_rational_one() -> None:
    certificate = certify(enumerate_regions(Network.from_layers(SLIVER), Box([0], [4])))
    assert len(certificate.rational_points) == 1


def test_an_incomplete_set_is_not_certified() -> None:
    net = Network.from_layers(random_layers(0, 2, 5, 2))
    partial = enumerate_regions(net, Box.cube(-1, 1, 2), max_regions=3)
    with pytest.raises(InputError, match="only a complete set of regions can be certified"):
        certify(partial)
    with pytest.raises(InputError, match=r"cannot be certified: .*neuron \d+: its other side holds a region"):
        certify(replace(partial, complete=True))


def test_a_refusal_may_wait_for_smaller_cells() -> None:
    """Supports found by trying all short ones, each neuron at its turn: longer, and as good."""
    net = Network.from_layers(random_layers(0, 2, 4, 4, 2))
    whole = certify(enumerate_regions(net, Box.cube(-1, 1, 2)))
    tree = Tree.of(whole, net)
    supports: list[list[int]] = []

    def settles(cell: Cell, neuron: int, side: Row) -> bool:
        bits = tree.patterns[cell.first : cell.end, cell.at : neuron]
        waits = bool(np.any(bits.any(axis=0) & ~bits.all(axis=0)))
        supports.append([] if waits else first_support(tree, cell, side))
        return not waits

    for _ in walk(tree, settles):
        pass
    assert [] in supports and len(supports) > len(whole.offsets) - 1
    waiting = with_supports(whole, supports)
    assert check(stored(waiting), net)
    never = with_supports(whole, [[] for _ in supports])
    verdict = check(never, net)
    assert not verdict and "the leaves agree, but its other side is not refused" in verdict.reason


def first_support(tree: Tree, cell: Cell, side: Row) -> list[int]:
    m = len(tree.rows)
    rows = {**dict(enumerate(tree.rows)), **{m + n: row for n, row in cell.cuts.items()}}
    short = chain.from_iterable(combinations(sorted(rows), size) for size in range(1, len(side)))
    return next(list(s) for s in short if proves_empty([*(rows[i] for i in s), side]))


# ---------------------------------------------------------------- tampering

LAYERS = random_layers(7, 2, 5, 4, 2)


@cache
def original() -> tuple[Network, Certificate]:
    """Two hidden layers on a box with a fixed input, so that there is a hull to tamper with."""
    net = Network.from_layers(
        [(np.column_stack([W, 0.5 * W[:, :1]]), b) if i == 0 else (W, b) for i, (W, b) in enumerate(LAYERS)]
    )
    regions = enumerate_regions(net, Box([-1, -1, 0.25], [1, 1, 0.25]))
    return net, certify(regions)


def supports_of(certificate: Certificate) -> list[list[int]]:
    bounds = zip(certificate.offsets[:-1], certificate.offsets[1:], strict=True)
    return [certificate.supports[a:b].tolist() for a, b in bounds]


def with_supports(certificate: Certificate, supports: list[list[int]]) -> Certificate:
    flat = np.array([row for support in supports for row in support], dtype=np.int64)
    offsets = np.cumsum([0, *map(len, supports)], dtype=np.int64)
    return replace(certificate, supports=flat, offsets=offsets)


def with_support(certificate: Certificate, i: int, support: list[int]) -> Certificate:
    supports = supports_of(certificate)
    supports[i] = support
    return with_supports(certificate, supports)


def with_leaves(certificate: Certificate, index: Any) -> Certificate:
    return replace(certificate, packed=certificate.packed[index], points=certificate.points[index])


def with_bit_flipped(certificate: Certificate, region: int, neuron: int) -> Certificate:
    packed = certificate.packed.copy()
    packed[region, neuron // 8] ^= 128 >> neuron % 8
    return replace(certificate, packed=packed)


def with_point(certificate: Certificate, region: int, point: Any) -> Certificate:
    points = certificate.points.copy()
    points[region] = point
    return replace(certificate, points=points)


def with_extra_leaf(certificate: Certificate) -> Certificate:
    """The last pattern with its last bit flipped, at the same point."""
    last = with_bit_flipped(certificate, -1, 8)
    order = sorted([*map(bytes, certificate.packed), bytes(last.packed[-1])])
    packed = np.array([list(key) for key in order], dtype=np.uint8)
    points = np.concatenate([certificate.points, certificate.points[-1:]])
    return replace(certificate, packed=packed, points=points)


def with_hull(certificate: Certificate, **changes: Any) -> Certificate:
    return replace(certificate, hull=replace(certificate.hull, **changes))


def with_set(certificate: Certificate, **changes: Any) -> Certificate:
    return replace(certificate, input_set=replace(certificate.input_set, **changes))


def moved(values: Any, i: int, value: float) -> Any:
    out = values.copy()
    out[i] = value
    return out


def longest(certificate: Certificate) -> int:
    """A refusal of two rows."""
    return next(i for i, support in enumerate(supports_of(certificate)) if len(support) == 2)


def on_a_hyperplane(certificate: Certificate) -> Certificate:
    """The point of an off region moved onto the hyperplane of the first neuron, which splits the input set."""
    W, b = np.array(LAYERS[0][0]), np.array(LAYERS[0][1])
    w, c = [Fraction(v) for v in W[0].tolist()], Fraction(float(b[0])) + Fraction(float(0.5 * W[0, 0])) / 4
    points = {}
    for i, point in enumerate(certificate.points):
        u = [Fraction(v) for v in point.tolist()]
        excess = sum(a * v for a, v in zip(w, u, strict=True)) + c
        points[i] = (u[0] - excess / w[0], u[1])
    return replace(certificate, rational_points=points)


ROW, LEAF = r"refusal \d+, .*layer \d, neuron \d, o(n|ff) side: ", r"region \d+: "
WRONG: dict[str, tuple[Callable[[Certificate], Certificate], str]] = {
    "another version": (lambda c: replace(c, version=2), "version 2, expected 1"),
    "another network": (lambda c: replace(c, network="0" * 64), "network: its fingerprint is"),
    "a smaller box": (
        lambda c: with_set(c, upper=np.array([-0.5, 1, 0.25])),
        LEAF + ".*not strictly inside row 1",
    ),
    "a larger box elsewhere": (
        lambda c: with_set(c, lower=np.array([3.0, -1, 0.25]), upper=np.array([9.0, 1, 0.25])),
        LEAF + ".*row 0 of the input set",
    ),
    "a box the wrong way round": (
        lambda c: with_set(c, lower=c.input_set.upper + 1),
        "expected lower <= upper",
    ),
    "a bound that is no number": (
        lambda c: with_set(c, lower=moved(c.input_set.lower, 0, np.nan)),
        "lower <= upper",
    ),
    "another fixed input": (
        lambda c: with_set(c, lower=np.array([-1, -1, 0.5]), upper=np.array([1, 1, 0.5])),
        "hull: row 4 of the input set does not vanish",
    ),
    "a fixed input set free": (
        lambda c: with_set(c, lower=np.array([-1.0, -1, -1])),
        "hull: the multipliers do not",
    ),
    "a row too many": (lambda c: with_set(c, rows=((0, 0, 0, -1),)), "input set: empty, row 6 is negative"),
    "a short row": (lambda c: with_set(c, rows=((1, 1),)), "input set: expected rows of 4 entries"),
    "directions without an origin": (lambda c: with_set(c, directions=np.eye(3)), "no directions"),
    "dependent directions": (
        lambda c: with_set(c, origin=np.zeros(3), directions=np.ones((3, 3))),
        "are dependent",
    ),
    "another embedding": (
        lambda c: with_hull(c, embedding=((1, 0, 0), (0, 1, 0), (1, 0, 1))),
        "does not vanish on it",
    ),
    "a flat embedding": (
        lambda c: with_hull(c, embedding=((4, 0, 0), (4, 0, 0), (0, 0, 1)), denominator=4),
        "rank 2",
    ),
    "an embedding of fractions": (lambda c: with_hull(c, denominator=Fraction(4)), "hull: expected 3 rows"),
    "a negative denominator": (lambda c: with_hull(c, denominator=-4), "over a positive denominator"),
    "no equations": (lambda c: with_hull(c, equations={}), "hull: the equations do not have rank 1"),
    "a negative multiplier": (
        lambda c: with_hull(c, equations={4: 1, 5: -1}),
        "hull: a multiplier is not positive",
    ),
    "another multiplier": (
        lambda c: with_hull(c, equations={4: 1, 5: 2}),
        "hull: the multipliers do not prove",
    ),
    "an equation too many": (
        lambda c: with_hull(c, equations={0: 1, 1: 1, 4: 1, 5: 1}),
        "hull: the multipliers do not",
    ),
    "an equation out of range": (
        lambda c: with_hull(c, equations={4: 1, 6: 1}),
        "an equation beyond the 6 rows",
    ),
    "no regions": (lambda c: with_leaves(c, slice(0)), "no regions: expected at least one"),
    "a missing leaf": (
        lambda c: with_leaves(c, [i for i in range(len(c.packed)) if i != 5]),
        r"refusal \d+, cell",
    ),
    "the first leaf missing": (lambda c: with_leaves(c, slice(1, None)), ROW),
    "half of the leaves": (lambda c: with_leaves(c, slice(len(c.packed) // 2)), ROW),
    "an extra leaf": (with_extra_leaf, LEAF + "neuron 8 is o(n|ff) at its point, but not in its pattern"),
    "a repeated leaf": (
        lambda c: with_leaves(c, [0, 1, 2, 2, *range(3, len(c.packed))]),
        "region 3: its pattern is the same as that of region 2",
    ),
    "two leaves swapped": (
        lambda c: with_leaves(c, [0, 2, 1, *range(3, len(c.packed))]),
        "region 2: its pattern is before that of region 1",
    ),
    "a flipped bit": (lambda c: with_bit_flipped(c, -1, 8), r"region \d+: (its pattern|neuron 8)"),
    "a bit beyond the neurons": (lambda c: with_bit_flipped(c, -1, 12), "bits are set beyond the 9 neurons"),
    "patterns too wide": (
        lambda c: replace(c, packed=np.pad(c.packed, ((0, 0), (0, 1)))),
        "array packed: uint8",
    ),
    "two points swapped": (
        lambda c: replace(c, points=c.points[[1, 0, *range(2, len(c.points))]]),
        "region 0: neuron . is o(n|ff) at its point, but not in its pattern",
    ),
    "a point in another region": (lambda c: with_point(c, 3, c.points[7]), "region 3: neuron . is"),
    "a point outside": (
        lambda c: with_point(c, 3, [5, 5]),
        "region 3: its point is not strictly inside row 1",
    ),
    "a point on the boundary": (
        lambda c: with_point(c, 0, [-1, c.points[0, 1]]),
        "region 0: .*strictly inside row 0",
    ),
    "a point on a hyperplane": (on_a_hyperplane, r"region \d+: (its point is not|neuron 0 is off)"),
    "a point that is no number": (
        lambda c: with_point(c, 3, [np.nan, 0]),
        "region 3: its point is not finite",
    ),
    "a point at infinity": (lambda c: with_point(c, 4, [0, np.inf]), "region 4: its point is not finite"),
    "a point too few": (lambda c: replace(c, points=c.points[1:]), "array points: float64"),
    "points in another space": (
        lambda c: replace(c, points=np.pad(c.points, ((0, 0), (0, 1)))),
        "array points: float64",
    ),
    "points in float32": (lambda c: replace(c, points=c.points.astype(np.float32)), "array points: float32"),
    "a rational point elsewhere": (
        lambda c: replace(c, rational_points={2: (Fraction(7), Fraction(0))}),
        "region 2: its point is not strictly inside",
    ),
    "a rational point of no region": (
        lambda c: replace(c, rational_points={10**6: (Fraction(0), Fraction(0))}),
        "region 1000000: a rational point of 2 coordinates",
    ),
    "a rational point too short": (
        lambda c: replace(c, rational_points={0: (Fraction(0),)}),
        "of 1 coordinates",
    ),
    "a support without a row": (
        lambda c: with_support(c, longest(c), supports_of(c)[longest(c)][:1]),
        ROW + r"rows \[\d+\] do not prove it empty",
    ),
    "a support with a wrong row": (
        lambda c: with_support(c, 0, [0, 1]),
        r"refusal 0, .* rows \[0, 1\] do not prove",
    ),
    "a support with a repeated row": (
        lambda c: with_support(c, 0, [1, 1]),
        r"rows \[1, 1\], expected ascending ones",
    ),
    "a support the wrong way round": (
        lambda c: with_support(c, longest(c), supports_of(c)[longest(c)][::-1]),
        ROW + "rows .* expected ascending ones",
    ),
    "a support with one row more": (
        lambda c: with_support(c, longest(c), [*supports_of(c)[longest(c)], 999]),
        ROW + "row 999 is not a row of the cell",
    ),
    "a support with a negative row": (
        lambda c: with_support(c, longest(c), [-1, 0]),
        "row -1 is not a row of the cell",
    ),
    "a support with the neuron of a later layer": (
        lambda c: with_support(c, 0, [0, 4 + 8]),
        "row 12 is not a row",
    ),
    "an empty support": (lambda c: with_support(c, len(c.offsets) - 2, []), "its other side is not refused"),
    "a refusal too few": (lambda c: with_supports(c, supports_of(c)[:-1]), "there are no more refusals"),
    "no refusals": (lambda c: with_supports(c, []), "refusal 0, .*there are no more refusals"),
    "a refusal too many": (
        lambda c: with_supports(c, [*supports_of(c), [0, 1]]),
        "1 left over after the last leaf",
    ),
    "refusals moved by one": (
        lambda c: with_supports(c, [[0, 1], *supports_of(c)]),
        "refusal 0, .*do not prove",
    ),
    "offsets that do not end": (
        lambda c: replace(c, offsets=c.offsets[:-1]),
        "offsets: expected to rise from 0",
    ),
    "offsets that fall": (
        lambda c: replace(c, offsets=moved(c.offsets, 1, 10**6)),
        "offsets: expected to rise",
    ),
    "no offsets": (lambda c: replace(c, offsets=c.offsets[:0]), "offsets: expected to rise from 0"),
    "supports that are floats": (
        lambda c: replace(c, supports=c.supports.astype(float)),
        "array supports: float64",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_tampering_is_caught_and_named(name: str) -> None:
    net, certificate = original()
    change, reason = WRONG[name]
    verdict = check(change(certificate), net)
    assert not verdict and verdict.regions == 0
    pytest.raises(ValueError, raise_reason, verdict.reason).match(reason)


def raise_reason(reason: str) -> None:
    raise ValueError(reason)


def test_the_certificate_that_is_tampered_with_holds() -> None:
    net, certificate = original()
    assert check(certificate, net).regions == len(certificate.packed) > 10
    assert len(WRONG) >= 20


def test_a_point_on_a_hyperplane_that_splits_is_not_inside() -> None:
    """At 0 the first neuron is off, as the pattern says; but 0 is on the boundary of that region."""
    net = Network.from_layers(STAIRS)
    certificate = certify(enumerate_regions(net, Box([-2], [2])))
    verdict = check(with_point(certificate, 0, [0.0]), net)
    assert verdict.reason == "region 0: its point is not strictly inside, neuron 0 is zero there"


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_another_weight_is_another_network(layer: int) -> None:
    net, certificate = original()
    pairs = [(stage.weight.copy(), stage.bias) for stage in net.layers]
    pairs[layer][0][0, 0] = np.nextafter(pairs[layer][0][0, 0], 9)
    other = Network.from_layers(pairs)
    assert "network: its fingerprint" in check(certificate, other).reason
    forged = replace(certificate, network=other.fingerprint())
    if layer == 2:  # the output layer has no part in the regions
        assert check(forged, other)


def test_a_forged_fingerprint_does_not_help() -> None:
    net, certificate = original()
    other = Network.from_layers([(stage.weight * [-1.0], stage.bias) for stage in net.layers])
    verdict = check(replace(certificate, network=other.fingerprint()), other)
    assert not verdict and "region 0: neuron" in verdict.reason


def mutations(rng: Generator, certificate: Certificate) -> Iterator[Certificate]:
    """Certificates with one entry of one array changed at random."""
    n_regions, n_refusals = len(certificate.packed), len(certificate.offsets) - 1
    for _ in range(150):
        i, kind = int(rng.integers(n_refusals)), int(rng.integers(6))
        support = supports_of(certificate)[i]
        if kind == 0:
            yield with_bit_flipped(certificate, int(rng.integers(n_regions)), int(rng.integers(9)))
        elif kind == 1:
            yield with_leaves(certificate, np.delete(np.arange(n_regions), rng.integers(n_regions)))
        elif kind == 2:
            yield with_support(certificate, i, sorted({*support[1:], int(rng.integers(13))}))
        elif kind == 3:
            yield with_support(certificate, i, sorted(rng.permutation(13)[: rng.integers(4)].tolist()))
        elif kind == 4:
            yield with_point(certificate, int(rng.integers(n_regions)), rng.normal(size=2))
        else:
            yield with_supports(certificate, supports_of(certificate)[:i] + supports_of(certificate)[i + 1 :])


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_believed_has_the_true_patterns(seed: int) -> None:
    """A changed support may prove the same, a moved point may stay inside; the list of regions never changes."""
    net, certificate = original()
    verdicts = [(check(changed, net), changed) for changed in mutations(generator(seed), certificate)]
    for verdict, changed in verdicts:
        assert not verdict or np.array_equal(changed.packed, certificate.packed)
        assert verdict or verdict.reason
    assert any(not verdict for verdict, _ in verdicts)


def test_certificates_of_sub_networks_do_not_pass_for_each_other() -> None:
    """The same hyperplanes with one neuron less: its cells are unions of regions, and its list is too short."""
    one, two = (
        Network.from_layers([(W, b), ([[1] * len(b)], [0])])
        for W, b in (([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1], [1, 0]], [0, 0, -0.5]))
    )
    regions = certify(enumerate_regions(one, Box.cube(-1, 1, 2)))
    wide = replace(regions, network=two.fingerprint())
    verdict = check(wide, two)
    assert not verdict
    assert verdict.reason.startswith(("region ", "refusal"))


# ---------------------------------------------------------------- files

Arrays = dict[str, Any]
BROKEN: dict[str, tuple[Callable[[Arrays], Any], str]] = {
    "another schema": (
        lambda a: a | {"schema": np.array("polyregions regions 1")},
        "expected 'polyregions certificate' 1",
    ),
    "another version": (lambda a: a | {"version": np.array(2)}, "2, expected"),
    "no points": (lambda a: {k: v for k, v in a.items() if k != "points"}, "array points is missing"),
    "points in float32": (lambda a: a | {"points": a["points"].astype("f4")}, "array points: float32"),
    "flat patterns": (lambda a: a | {"packed": a["packed"].ravel()}, "array packed: uint8 with 1 axes"),
    "decimal integers": (
        lambda a: a | {"denominator": np.array("4.0")},
        "array denominator: '4.0', expected a hexa",
    ),
    "repeated equations": (
        lambda a: a | {"equations": np.array([4, 4])},
        "array equations: expected 2 ascending",
    ),
    "multipliers missing": (
        lambda a: a | {"multipliers": a["multipliers"][:1]},
        r"array multipliers: shape \(1,\)",
    ),
    "a rational point without coordinates": (
        lambda a: a | {"rational_index": np.array([0])},
        "expected 0 ascending",
    ),
    "half a slice": (lambda a: a | {"origin": np.zeros(3)}, "array directions is missing"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(name: str) -> None:
    change, reason = BROKEN[name]
    arrays = arrays_of_npz(certificate_npz(original()[1]), "here")
    with pytest.raises(FormatError, match=rf"^cert\.npz.*{reason}"):
        certificate_of_npz(npz_bytes(change(arrays)), "cert.npz")


def test_rational_points_need_positive_denominators() -> None:
    certificate = certify(enumerate_regions(Network.from_layers(SLIVER), Box([0], [4])))
    arrays = arrays_of_npz(certificate_npz(certificate), "here")
    zero = arrays | {"rational_denominators": np.array([["0"]])}
    with pytest.raises(FormatError, match="without positive denominators"):
        certificate_of_npz(npz_bytes(zero), "cert.npz")


def test_files_cut_short_are_refused() -> None:
    data = certificate_npz(original()[1])
    for length in range(0, len(data), max(1, len(data) // 50)):
        with pytest.raises(FormatError):
            certificate_of_npz(data[:length], "cert.npz")
    with pytest.raises(FormatError, match="max_bytes"):
        certificate_of_npz(data, "cert.npz", max_bytes=1000)


# ---------------------------------------------------------------- the input set that is meant

UP = np.nextafter(1.0, 2.0)
UNIT_SQUARE = Box([0, 0], [1, 1])
SAME_SETS: dict[str, tuple[Any, Any]] = {
    "a box by scaled rows in another order": (
        UNIT_SQUARE,
        HPolytope([[0, -3], [1, 0], [0, 0.5], [-1, 0]], [0, 1, 0.5, 0]),
    ),
    "rows that say nothing new": (
        UNIT_SQUARE,
        HPolytope([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [1, 1], [0, 0]], [1, 1, 0, 0, 2, 5, 1]),
    ),
    "an open row": (UNIT_SQUARE, HPolytope([[1, 0], [0, 1], [-1, 0], [0, -1]], [1, 1, 0, 0], [True] * 4)),
    "a fixed input by opposite rows": (
        Box([0, 0.25], [1, 0.25]),
        HPolytope([[1, 0], [0, 4], [-1, 0], [0, -4]], [1, 1, 0, -1]),
    ),
    "the whole space by infinite bounds": (WholeSpace(2), Box([-np.inf] * 2, [np.inf] * 2)),
    "a half-space": (Box([0, -np.inf], [np.inf, np.inf]), HPolytope([[-2, 0]], [0])),
    "a plane by other directions": (
        Slice([0, 0, 1], [[1, 0, 0], [0, 1, 0]], WholeSpace(2)),
        Slice([5, -2, 1], [[1, 1, 0], [3, -1, 0]], WholeSpace(2)),
    ),
    "a slice by its hull": (
        Slice([0, 0, 1], [[2, 0, 0], [0, 1, 0]], Box([0, 0], [0.5, 1])),
        Box([0, 0, 1], [1, 1, 1]),
    ),
    "a point": (PINCHED, Box([0, 0], [0, 0])),
    "a third": (
        HPolytope([[3, 0], [0, 1], [-1, 0], [0, -1]], [1, 1, 0, 0]),
        Box([0, 0], [Fraction(1, 3), 1]),
    ),
}
OTHER_SETS: dict[str, tuple[Any, Any]] = {
    "the last digit": (UNIT_SQUARE, Box([0, 0], [1, UP])),
    "the least number": (UNIT_SQUARE, Box([0, -5e-324], [1, 1])),
    "a part of it": (UNIT_SQUARE, HPolytope([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1]], [1, 1, 0, 0, 1.5])),
    "elsewhere": (UNIT_SQUARE, Box([3, 3], [4, 4])),
    "a fixed input elsewhere": (Box([0, 0.25], [1, 0.25]), Box([0, 0.5], [1, 0.5])),
    "a fixed input": (UNIT_SQUARE, Box([0, 1], [1, 1])),
    "no upper bound": (UNIT_SQUARE, Box([0, 0], [1, np.inf])),
    "a half-space of the whole space": (WholeSpace(2), HPolytope([[-1, 0]], [0])),
    "a third, and the float next to it": (
        HPolytope([[3, 0], [0, 1], [-1, 0], [0, -1]], [1, 1, 0, 0]),
        Box([0, 0], [1 / 3, 1]),
    ),
}


@pytest.mark.parametrize("pair", SAME_SETS.values(), ids=list(SAME_SETS))
def test_the_input_set_that_is_meant_may_be_written_in_other_ways(pair: tuple[Any, Any]) -> None:
    net = Network.from_layers(random_layers(1, pair[0].dim, 3, 2))
    for stored_one, meant in (pair, pair[::-1]):
        certificate = stored(certify(enumerate_regions(net, stored_one)))
        assert pr.check(certificate, net, stored_one)
        verdict = pr.check(certificate, net, meant)
        assert verdict, verdict.reason
        assert verdict.input_set == str(input_set(stored_one))


@pytest.mark.parametrize("pair", OTHER_SETS.values(), ids=list(OTHER_SETS))
def test_a_certificate_of_another_input_set_is_a_no(pair: tuple[Any, Any]) -> None:
    net = Network.from_layers(random_layers(1, pair[0].dim, 3, 2))
    for stored_one, meant in (pair, pair[::-1]):
        verdict = pr.check(stored(certify(enumerate_regions(net, stored_one))), net, meant)
        assert not verdict
        assert verdict.regions == 0
        assert verdict.input_set == ""
        for named in (stored_one, meant):
            assert str(input_set(named)) in verdict.reason


def test_rows_with_redundant_sums_are_the_same_set_and_one_moved_row_is_not() -> None:
    """Sums of rows with positive weights follow from them; a facet moved by one digit changes the set."""
    rng = generator(3)
    for _ in range(10):
        A = np.vstack([rng.integers(-3, 4, size=(4, 3)), np.eye(3), -np.eye(3)]).astype(float)
        b = np.concatenate([rng.integers(1, 5, size=4), np.full(6, 8)]).astype(float)
        weights = rng.integers(0, 3, size=(3, len(A)))
        order = rng.permutation(len(A) + 3)
        more = np.vstack([A, weights @ A])[order], np.concatenate([b, weights @ b])[order]
        assert same_set(HPolytope(A, b), HPolytope(*more))
        facet = int(HPolytope(A, b).facets()[0])
        moved_row = b.copy()
        moved_row[facet] = np.nextafter(b[facet], 0)
        assert not same_set(HPolytope(A, b), HPolytope(A, moved_row))


def test_the_input_set_is_named_in_full() -> None:
    """Each float gives itself back; sets of many inputs are not cut; rows are told apart by their digest."""
    lower = np.array([0.1 + 0.2, -1 / 3, -5e-324, *[-1.0] * 37])
    text = str(input_set(Box(lower, np.full(40, 1e300))))
    for i, bound in enumerate(lower.tolist()):
        assert f"{bound!r} <= x{i} <= 1e+300" in text
    assert str(input_set(Box([0, -np.inf, 2], [np.inf, 1, 2]))) == (
        "in R^3 where 0.0 <= x0, x1 <= 1.0, x2 = 2.0"
    )
    assert str(input_set(WholeSpace(2))) == "in all of R^2"
    plane = Slice([0, 0.25], [[1, 0.1]], WholeSpace(1))
    assert str(input_set(plane)) == "in all of the slice x = [0.0, 0.25] + v @ [[1.0, 0.1]] of R^2"
    digest = sha256(b"1,0,0\n0,1,0\n-1,-1,1\n").hexdigest()
    assert str(input_set(TRIANGLE)) == f"in R^2 where 3 rows with sha256 {digest}"


def test_what_is_no_input_set_is_refused() -> None:
    net, certificate = original()
    with pytest.raises(DomainError, match="expected a Box"):
        pr.check(certificate, net, [[0, 1]])  # type: ignore[arg-type]
    with pytest.raises(DomainError, match="is empty"):
        pr.check(certificate, net, HPolytope([[1, 0, 0], [-1, 0, 0]], [0, -1]))
    assert not pr.check(certificate, net, WholeSpace(2))


# ---------------------------------------------------------------- independence

ALONE = """
import sys, types
package = types.ModuleType("polyregions")
package.__path__ = [sys.argv[1]]  # the package without what its __init__ imports
sys.modules["polyregions"] = package
import polyregions.certificates.checker
print(*sorted(name for name in sys.modules if name.split(".")[0] in
    ("polyregions", "numba", "highspy", "scipy", "networkx", "cvxpy")))
"""


def test_the_checker_imports_only_plain_data() -> None:
    folder = str(Path(polyregions.__file__).parent)
    command = [sys.executable, "-c", ALONE, folder]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert loaded == [
        "polyregions",
        "polyregions._types",
        "polyregions.arrays",
        "polyregions.certificates",
        *(f"polyregions.certificates.{n}" for n in ("certificate", "checker")),
        "polyregions.errors",
        "polyregions.exact",
        "polyregions.exact.rational_rows",
        "polyregions.networks",
        *(
            f"polyregions.networks.{n}"
            for n in ("activations", "final_function", "float_range", "maxima", "network")
        ),
        "polyregions.read_only",
    ]


@pytest.mark.slow
def test_ten_thousand_regions_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    rng, sizes = np.random.default_rng(0), [4, 19, 19, 2]
    layers = [
        (rng.normal(size=(n, k)) * np.sqrt(2 / k), rng.normal(size=n) * 0.5)
        for k, n in zip(sizes, sizes[1:], strict=False)
    ]
    net = Network.from_layers(layers)
    regions = enumerate_regions(net, Box.cube(-1, 1, sizes[0]))
    started = time.perf_counter()
    certificate = certify(regions)
    made = time.perf_counter()
    verdict = check(stored(certificate), net)
    ended = time.perf_counter()
    with capsys.disabled():
        times = f"certified in {made - started:.1f} s, checked in {ended - made:.1f} s"
        print(f"\n{len(regions)} regions: {times}, {len(certificate_npz(certificate))} bytes")
    assert verdict and verdict.regions == len(regions) >= 10_000
