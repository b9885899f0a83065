"""Results as plain data: indexing, pickles and copies; arrays that nobody writes to."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import flint
import numpy as np
import pytest

import naive
import polyregions as pr
from polyregions.exact.affine import IntegerAffine
from polyregions.networks.large_layer import LargeLayer
from polyregions.read_only import ReadOnly

RNG = np.random.default_rng(6)
LAYERS: list[tuple[Any, Any]] = [
    (RNG.normal(size=(n, k)), RNG.normal(size=n) / 2) for k, n in ((2, 4), (4, 3), (3, 2))
]
SQUARE = pr.Box.cube(-1, 1, 2)
TRIANGLE = pr.HPolytope([[-1, 0], [0, -1], [1, 1]], [1, 1, 1], [False, True, False])
THIRD = Fraction(1, 3)
DOMAINS: dict[str, Any] = {
    "box": SQUARE,
    "fractions": pr.Box([-THIRD, -1], [THIRD, 1]),
    "fixed input": pr.Box([-1, 0.25], [1, 0.25]),
    "polytope": TRIANGLE,
    "rounded polytope": TRIANGLE.with_exact_rows([[-1, -3, 1]], [3], [False], ["x + 3 y <= 1"]),
    "whole space": pr.WholeSpace(2),
    "slice": pr.Slice([0, 0.5], [[1, 1]], pr.Box([-1], [1])),
    "slice of fractions": pr.Slice([0, THIRD], [[1, THIRD]], pr.WholeSpace(1)),
}  # fmt: skip
WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@cache
def enumerated(domain: str = "box") -> pr.RegionSet:
    return pr.enumerate_regions(pr.Network.from_layers(LAYERS), DOMAINS[domain])


@cache
def results(domain: str) -> dict[str, Any]:
    """Every kind of result that is made of a set of regions."""
    regions = enumerated(domain)
    cells = pr.decision_cells(regions)
    found = {"regions": regions, "cells": cells, "boundary": pr.decision_boundary(cells)}
    found |= {
        "islands": pr.islands(cells),
        "region": regions[1],
        "cell": cells[1],
        "facets": cells[1].facets(),
    }
    found |= {"edges": pr.adjacency_arrays(regions), "facet arrays": pr.facet_arrays(regions)}
    found |= {
        "tree": pr.decision_tree(regions),
        "status": pr.neuron_status(regions),
        "image": pr.image(regions),
    }
    found |= {"local models": pr.local_models(regions), "merged": pr.winner_regions(regions)}
    found |= {"thin": pr.lower_dimensional_regions(regions), "piece": pr.decision_boundary(cells)[0]}
    found |= {"map": regions[1].exact_affine_map, "polytope": regions[1].polytope, "simplified": pr.simplify(
        regions.network, regions)}  # fmt: skip
    return found


def assert_same(a: Any, b: Any) -> None:
    """Both are made of the same values, down to the last bit, and what was read-only is."""
    assert type(a) is type(b)
    if isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, repr(a.tolist())) == (b.dtype, b.shape, repr(b.tolist()))  # nan is nan
        assert not a.flags.writeable or b.flags.writeable
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for one, two in zip(a, b, strict=True):
            assert_same(one, two)
    elif isinstance(a, dict):
        assert_same(list(a.items()), list(b.items()))
    elif isinstance(a, (pr.Region, pr.DecisionCell, pr.BoundaryPiece)):
        assert_same(seen(a), seen(b))
    elif isinstance(a, flint.fmpz_mat):
        assert a == b
    elif isinstance(a, ReadOnly) and not is_dataclass(a):
        assert_same(a.__getstate__(), b.__getstate__())
    elif is_dataclass(a) and not callable(getattr(a, "exact", None)):
        for field in fields(a):
            assert_same(getattr(a, field.name, None), getattr(b, field.name, None))
    elif not isinstance(a, (pr.PolyregionsError,)) and not is_dataclass(a):
        assert type(a).__eq__ is object.__eq__ or a == b


def seen(view: Any) -> list[Any]:
    """All that a region or a cell shows."""
    names = ["number", "point", "polytope"]
    if isinstance(view, pr.BoundaryPiece):
        return [getattr(view, name) for name in [*names, "classes", "kind", "exact_point", "cells"]]
    names += ["pattern", "affine_map"] if isinstance(view, pr.Region) else ["label", "tied_with", "region"]
    return [getattr(view, name) for name in names]


# ---------------------------------------------------------------- pickle and copy


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("domain", DOMAINS)
def test_regions_and_cells_come_back_as_they_were(domain: str, way: str) -> None:
    regions = enumerated(domain)
    regions.locate(regions.points[:1])  # so that everything derived is there
    cells = pr.decision_cells(regions)
    for value in (regions, regions[1], cells, cells[1], DOMAINS[domain]):
        assert_same(WAYS[way](value), value)
    other = WAYS[way](regions)
    assert other.locate(regions.points).tolist() == regions.locate(regions.points).tolist()
    assert [r.polytope.exact_rows for r in other] == [r.polytope.exact_rows for r in regions]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("domain", ["box", "slice of fractions"])
def test_every_result_comes_back_as_it_was(domain: str, way: str) -> None:
    for value in results(domain).values():
        assert_same(WAYS[way](value), value)


@pytest.mark.parametrize("way", WAYS)
def test_counts_and_graphs_come_back_as_they_were(way: str) -> None:
    regions = enumerated()
    counts = pr.count_by_definition(regions, ["R1", "R2"])
    assert WAYS[way](counts) == counts
    graph = pr.adjacency_graph(regions)
    assert dict(WAYS[way](graph).nodes(data=True)) == dict(graph.nodes(data=True))
    assert_same(
        WAYS[way](pr.tally_regions(regions.network, SQUARE)), pr.tally_regions(regions.network, SQUARE)
    )


def test_a_region_without_a_float_travels_with_its_rational_point() -> None:
    """Between 1 and 1 + 2**-52 there is no float."""
    network = pr.Network.from_layers([([[1], [1]], [-1, -1 - 2**-52]), ([[1, 1]], [0])])
    regions = pr.enumerate_regions(network, pr.Box([0], [2]))
    alone = pickle.loads(pickle.dumps(regions[1]))
    (point,) = alone.regions.local_point(alone.place).coordinates
    assert 1 < point < 1 + Fraction(1, 2**52)
    assert alone.number == 1


def test_a_region_travels_without_its_set() -> None:
    """One of 300 regions is not a 300th of the pickle of all, for the network comes along; but nearly."""
    network = pr.Network.from_layers([(np.ones((299, 1)), -np.arange(299) - 0.5), (np.ones((1, 299)), [0])])
    regions = pr.enumerate_regions(network, pr.Box([0], [299]))
    assert len(regions) == 300
    rest = len(pickle.dumps((network, regions.domain)))
    assert len(pickle.dumps(regions[200])) - rest < (len(pickle.dumps(regions)) - rest) / 10
    alone = pickle.loads(pickle.dumps(regions[200]))
    assert (len(alone.regions), alone.regions.complete, alone.number) == (1, False, 200)
    assert copy.deepcopy(regions[200]).regions is regions
    assert copy.copy(regions[200]).number == 200


def test_what_was_derived_does_not_travel() -> None:
    regions = pr.enumerate_regions(pr.Network.from_layers(LAYERS), SQUARE)
    before = len(pickle.dumps(regions))
    regions.locate(regions.points)
    assert len(pickle.dumps(regions)) == before


def test_regions_of_a_store_travel_without_its_folder(tmp_path: Path) -> None:
    network = pr.Network.from_layers(LAYERS)
    stored = pr.enumerate_regions(network, SQUARE, store=tmp_path / "s")
    for way in WAYS.values():
        found = way(pr.load_regions(tmp_path / "s"))
        assert type(found) is pr.RegionSet
        assert found.patterns.tolist() == stored.patterns.tolist()
        assert found.complete


def test_a_layer_kept_by_its_entries_comes_back_as_it_was() -> None:
    numbers = (np.array([0, 1, 2]), np.array([0, 1]), np.array([1.0, -1.0]))
    layer = LargeLayer(*numbers, 2, np.zeros(2), np.array([[0.0, 1.0]] * 2))
    for way in WAYS.values():
        other = way(layer)
        assert type(other) is LargeLayer
        assert [a.tolist() for a in other.numbers()] == [a.tolist() for a in layer.numbers()]
        assert not any(a.flags.writeable for a in other.numbers())
        assert other.n_inputs == 2


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
def test_empty_maps_come_back(shape: tuple[int, int]) -> None:
    empty = IntegerAffine(flint.fmpz_mat(*shape), 7)
    assert WAYS["pickle"](empty).shape == shape


# ---------------------------------------------------------------- nobody writes to them


def arrays_of(value: Any) -> Iterator[np.ndarray[Any, Any]]:
    """The arrays that a public object is made of, and those it makes."""
    for part in vars(value).values():
        if isinstance(part, np.ndarray):
            yield part


@pytest.mark.parametrize("way", ["as it is", "pickle", "deepcopy"])
def test_the_arrays_of_results_are_read_only(way: str) -> None:
    through = WAYS.get(way, lambda value: value)
    regions = through(enumerated("fractions"))
    exact = pr.Network.from_layers([([[THIRD]], [2**60 + 1]), ([[1]], [0])])
    layers = [layer for network in (regions.network, exact) for layer in through(network).layers]
    objects = [*layers, *(layer.exact for layer in layers if layer.exact), regions]
    objects += [through(domain) for domain in DOMAINS.values()]
    objects += [v for v in map(through, results("fractions").values()) if isinstance(v, ReadOnly)]
    found = [array for value in objects for array in arrays_of(value)]
    found += [regions.patterns, regions.cuts, regions.points, regions[0].pattern, regions[0].point]
    assert len(found) > 60
    assert not any(array.flags.writeable for array in found)
    with pytest.raises(ValueError, match="read-only"):
        through(regions.network).layers[0].weight[0, 0] = 7


def test_what_is_handed_in_stays_writable() -> None:
    lower, weight = np.zeros(2), np.ones((1, 2))
    box, network = pr.Box(lower, [1, 1]), pr.Network.from_layers([(weight, [0.0])])
    lower[0], weight[0, 0] = 5, 5
    assert (box.lower[0], network.layers[0].weight[0, 0]) == (0, 1)


def test_derived_values_are_never_part_of_the_state() -> None:
    for cls in (pr.RegionSet, pr.DecisionCells, pr.HPolytope):
        assert any(isinstance(value, cached_property) for value in vars(cls).values())
    polytope = enumerated()[0].polytope
    polytope.vertices()
    assert set(polytope.__getstate__()) == {"A", "b", "strict", "labels", "_exact_rows", "_irredundant_among"}


# ---------------------------------------------------------------- numbers, slices, masks

ORIGIN = pr.enumerate_regions(
    pr.Network.from_layers([([[1, 0], [-1, 0], [0, 1], [0, -1]], [0] * 4), ([[1] * 4], [0])]), SQUARE
)
MEMBERS: dict[str, Callable[[], Any]] = {
    "region": enumerated,
    "decision cell": lambda: pr.decision_cells(enumerated()),
    "boundary piece": lambda: pr.decision_boundary(pr.decision_cells(enumerated())),
    "lower-dimensional region": lambda: pr.lower_dimensional_regions(ORIGIN),
    "merged region": lambda: pr.winner_regions(enumerated()),
}


@pytest.mark.parametrize("what", MEMBERS)
@pytest.mark.parametrize(
    "index",
    [slice(1, 3), slice(None), slice(-3, None), slice(None, None, -2), slice(5, 2), slice(0, 10**9)]
    + [[], [2, 0, 2], [-1], range(1, 4), np.array([3, -2]), np.zeros(0, dtype=np.int64), np.uint8([1, 2])],
)  # fmt: skip
def test_several_members_are_a_list_of_views(what: str, index: Any) -> None:
    """As a list of all members would have it, entry by entry."""
    members = MEMBERS[what]()
    numbers = list(range(len(members)))
    expected = numbers[index] if isinstance(index, slice) else [numbers[i] for i in index]
    found = members[index]
    assert isinstance(found, list)
    assert [view.number for view in found] == expected


@pytest.mark.parametrize("what", MEMBERS)
def test_masks_pick_members(what: str) -> None:
    members = MEMBERS[what]()
    mask = np.arange(len(members)) % 3 == 1
    expected = list(range(1, len(members), 3))
    assert [view.number for view in members[mask]] == expected
    assert [view.number for view in members[mask.tolist()]] == expected


@pytest.mark.parametrize("what", MEMBERS)
def test_single_members(what: str) -> None:
    members = MEMBERS[what]()
    n = len(members)
    for index in (-1, np.int64(n - 1), np.array(n - 1), -n, np.uint8(0)):
        assert members[index].number == int(index) % n


@pytest.mark.parametrize("what", MEMBERS)
@pytest.mark.parametrize(
    "index", [10**6, -(10**6), 2**200, [0, 10**6], np.array([-(10**6)]), [True], [False] * 10**5]
)
def test_members_that_are_not_there(what: str, index: Any) -> None:
    members = MEMBERS[what]()
    with pytest.raises(IndexError, match=f"^{what}.*{len(members)}") as caught:
        members[index]
    assert isinstance(caught.value, pr.PolyregionsError)


@pytest.mark.parametrize("what", MEMBERS)
@pytest.mark.parametrize(
    "index",
    [1.0, "1", None, True, np.True_, (0, 1), [1.0], [0, "1"], [True, 1], [[0], [1]], [[0], [1, 2]], np.zeros(3), {1}]
    + [Fraction(1), np.array(1.0), np.array(True), ..., slice(0.0, 1), slice(None, None, 0)],
)  # fmt: skip
def test_what_is_no_index_is_named(what: str, index: Any) -> None:
    with pytest.raises(TypeError, match=f"^{what}") as caught:
        MEMBERS[what]()[index]
    assert isinstance(caught.value, pr.PolyregionsError)


def test_an_empty_set_says_so() -> None:
    none = pr.enumerate_regions(pr.Network.from_layers(LAYERS), SQUARE, max_regions=0)
    assert none[:] == []
    with pytest.raises(IndexError, match="region 0 of 0: expected none, for it is empty"):
        none[0]


def test_a_slice_has_the_regions_that_brute_force_numbers_so() -> None:
    expected = naive.regions([(w.tolist(), b.tolist()) for w, b in LAYERS], naive.box([-1, -1], [1, 1]))
    assert [tuple(r.pattern.astype(int).tolist()) for r in enumerated()[2:5]] == expected[2:5]


# ---------------------------------------------------------------- equal by what they are made of


@pytest.mark.parametrize("domain", ["box", "fractions", "rounded polytope", "slice of fractions"])
def test_copies_are_equal_and_what_is_made_again_is(domain: str) -> None:
    again = pr.enumerate_regions(pr.Network.from_layers(LAYERS, name="other"), DOMAINS[domain])
    assert (again, hash(again)) == (enumerated(domain), hash(again))
    for value in everything(domain):
        found = pickle.loads(pickle.dumps(value))
        assert found is not value
        assert found == value
        assert isinstance(value, list) or hash(found) == hash(value)


def everything(domain: str) -> list[Any]:
    found = [value for name, value in results(domain).items() if name != "facets"]
    return [
        *found,
        pr.output_range(enumerated(domain)),
        DOMAINS[domain],
    ]


def test_files_and_stores_are_equal_to_what_was_written(tmp_path: Path) -> None:
    regions = enumerated("fractions")
    pr.save(regions, tmp_path / "r.npz")
    stored = pr.enumerate_regions(regions.network, regions.domain, store=tmp_path / "s")
    assert pr.load_regions(tmp_path / "r.npz") == regions == stored == pr.load_regions(tmp_path / "s")


def test_what_differs_is_not_equal() -> None:
    regions, network = enumerated(), pr.Network.from_layers(LAYERS)
    scaled = pr.Network.from_layers([*LAYERS[:-1], (LAYERS[-1][0] * 2, LAYERS[-1][1])])  # the same patterns
    other = pr.enumerate_regions(scaled, SQUARE)
    assert np.array_equal(other.patterns, regions.patterns)
    part = pr.enumerate_regions(network, SQUARE, max_regions=3)
    assert len({regions, other, part, enumerated("fixed input"), enumerated("polytope")}) == 5
    assert regions[1] != regions[2]
    assert regions[1] != other[1]
    assert regions[1] != pr.decision_cells(regions)[1]
    cells = pr.decision_cells(regions), pr.decision_cells(regions, "argmin")
    assert cells[0] != cells[1]
    assert regions != "regions"


def test_regions_and_cells_are_members_of_sets() -> None:
    regions = enumerated()
    assert len({*regions, *pickle.loads(pickle.dumps(regions))}) == len(regions)
    assert pickle.loads(pickle.dumps(regions[2])) in set(regions)
    assert list(regions).index(copy.deepcopy(regions[3])) == 3


def test_polytopes_with_the_same_rows_are_equal_whatever_their_labels() -> None:
    a = pr.HPolytope([[1, 0], [0, 1]], [1, 2], labels=["a", "b"])
    assert (
        a == pr.HPolytope([[1.0, 0], [0, 1]], [1, 2]) != pr.HPolytope([[1, 0], [0, 1]], [1, 2], [True, False])
    )
    assert pr.HPolytope([[THIRD]], [1]) != pr.HPolytope([[1 / 3]], [1])
