"""The compiled engines and the readable reference: the same regions in the same order, every point proved inside."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from corpus import corpus
from polyregions import (
    Box,
    Network,
    RegionSet,
    Slice,
    WholeSpace,
    adjacency_arrays,
    enumerate_regions,
    load_domain,
    load_network,
    tally_regions,
)
from polyregions.engine.choose import MANY_VERTICES, choose_engine
from polyregions.errors import OptionError
from polyregions.networks.problem import pose
from random_networks import KINDS, random_domain, random_layer, random_network
from truth import (
    ARRANGEMENTS,
    FORMULA_NETWORKS,
    REAL_NETWORKS,
    arrangement_network,
    formula_network,
    slow_above,
)

N_QUICK, N_SLOW = 30, 4000


def check_points(regions: RegionSet, every: int = 1) -> None:
    """The interior points have their regions' patterns, in exact arithmetic."""
    for i in range(0, len(regions), every):
        germ = regions.problem.exact.germ(regions.local_point(i).coordinates)
        assert germ.pattern == tuple(regions.patterns[i].tolist())
        assert regions.problem.solid.holds(regions.local_point(i))


def check_same(net: Network, domain: Any) -> None:
    highs = enumerate_regions(net, domain, engine="highs")
    assert highs.complete
    for engine in engines_for(net, domain):
        found, tally = (
            enumerate_regions(net, domain, engine=engine),
            tally_regions(net, domain, engine=engine),
        )
        assert np.array_equal(found.patterns, highs.patterns)
        assert found.complete
        check_points(found, every=1 + len(found) // 20)
        assert tally.regions == len(highs)
        assert list(tally.after_each_layer) == highs.regions_after_each_layer()


def engines_for(net: Network, domain: Any) -> list[str]:
    """The compiled engines that take a problem; all others are left to the reference, as "auto"."""
    found = []
    for engine in ("cells", "walk"):
        try:
            found.append(choose_engine(pose(net, domain), engine))
        except OptionError:
            continue
    return found or ["auto"]


def compare_random_networks(first: int, last: int) -> None:
    for seed in range(first, last):
        rng = np.random.default_rng(seed)
        net = random_network(rng)
        domain = random_domain(rng, net.n_inputs)
        if enumerate_regions(net, domain, max_regions=300).complete:
            check_same(net, domain)


@pytest.mark.parametrize("part", range(5))
def test_random_networks_and_domains(part: int) -> None:
    compare_random_networks(part * N_QUICK // 5, (part + 1) * N_QUICK // 5)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(20))
def test_some_thousand_random_networks_and_domains(part: int) -> None:
    first, last = (N_QUICK + i * (N_SLOW - N_QUICK) // 20 for i in (part, part + 1))
    compare_random_networks(first, last)


@pytest.mark.parametrize("entry", slow_above(FORMULA_NETWORKS, "cells", 600))
def test_formula_networks(entry: dict[str, Any]) -> None:
    check_same(formula_network(entry), Box(entry["lo"], entry["hi"]))


@pytest.mark.parametrize("entry", slow_above(REAL_NETWORKS, "cells", 400))
def test_real_networks(entry: dict[str, Any]) -> None:
    check_same(load_network(corpus(entry["network"])), Box(entry["lo"], entry["hi"]))


SMALL = [entry for entry in ARRANGEMENTS if entry["regions"] <= 130]


@pytest.mark.parametrize("entry", slow_above(SMALL, "regions", 80))
def test_arrangements(entry: dict[str, Any]) -> None:
    check_same(arrangement_network(entry), WholeSpace(entry["ambient_dim"]))


UP_TO_20000 = [entry for entry in ARRANGEMENTS if entry["regions"] <= 20_000]


@pytest.mark.parametrize("entry", slow_above(UP_TO_20000, "regions", 10_000))
def test_arrangements_counted_over_the_whole_space(entry: dict[str, Any]) -> None:
    """Central ones such as resonance are nothing but degeneracy."""
    for engine in ("walk", "cells") if entry["ambient_dim"] <= MANY_VERTICES else ("walk",):
        tally = tally_regions(arrangement_network(entry), WholeSpace(entry["ambient_dim"]), engine=engine)
        assert tally.regions == entry["regions"]
        assert tally.complete


def test_slices() -> None:
    rng = np.random.default_rng(3)
    net = Network.from_layers([random_layer(rng, "generic", n, k) for k, n in ((6, 8), (8, 5), (5, 1))])
    check_same(net, Slice(rng.normal(size=6), rng.normal(size=(2, 6)), Box.cube(-2, 2, 2)))
    check_same(net, Slice(rng.normal(size=6), rng.normal(size=(2, 6)), WholeSpace(2)))


@pytest.mark.parametrize("engine", ["cells", "walk"])
def test_a_cell_between_neighbouring_floats(engine: str) -> None:
    net = Network.from_layers([([[1], [1]], [-1, -(1 + 2**-52)]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box([0], [2]), engine=engine)
    assert len(regions) == 3
    ((_, (point,)),) = regions.rational_points.items()
    assert 1 < point < 1 + Fraction(1, 2**52)


@pytest.mark.parametrize("engine", ["cells", "walk"])
def test_acasxu_on_the_whole_prop_3_box(engine: str) -> None:
    """71,930 regions, a count that an independent throw-away enumeration had found too."""
    net = load_network(corpus("acasxu/ACASXU_run2a_1_1_batch_2000.onnx"))
    regions = enumerate_regions(net, load_domain(corpus("acasxu/prop_3.vnnlib")), engine=engine)
    assert len(regions) == 71_930
    check_points(regions, every=1500)


def test_adjacency_does_not_depend_on_the_engine() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        net = Network.from_layers(
            [random_layer(rng, KINDS[seed % 6], n, k) for k, n in ((2, 5), (5, 3), (3, 1))]
        )
        sets = [
            enumerate_regions(net, Box.cube(-1, 1, 2), engine=engine) for engine in ("cells", "walk", "highs")
        ]
        *others, b = (adjacency_arrays(regions) for regions in sets)
        for a in others:
            assert np.array_equal(a.source, b.source)
            assert np.array_equal(a.target, b.target)
            assert np.array_equal(a.flips, b.flips)
