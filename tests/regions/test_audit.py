"""The audit of the geometry: silent on what is right, loud on what is not; and volumes of regions."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from polyregions import Box, HPolytope, Network, RegionSet, Slice, WholeSpace, enumerate_regions
from polyregions.cli import main
from polyregions.errors import InputError
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.packed import PackedRegions
from random_networks import KINDS, random_layer


def network_of(kind: str, sizes: list[int], seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    return Network.from_layers(
        [random_layer(rng, kind, n, k) for k, n in zip(sizes, sizes[1:], strict=False)]
    )


def failed(found: pr.Audit) -> set[str]:
    return {finding.name for finding in found.findings if finding.ok is False}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [[1, 5, 4, 1], [2, 5, 4, 1], [3, 4, 4, 1], [4, 5, 1]])
def test_whatever_was_enumerated_passes(kind: str, sizes: list[int]) -> None:
    regions = enumerate_regions(network_of(kind, sizes), Box.cube(-1, 1.5, sizes[0]))
    found = pr.audit(regions)
    assert failed(found) == set() and found
    assert all(finding.ok for finding in found.findings[:4])
    assert found.findings[5].ok is (True if sizes[0] < 4 else None)


def test_domains_of_every_kind() -> None:
    net = network_of("generic", [3, 5, 4, 1])
    simplex = HPolytope([[-1, 0, 0], [0, -1, 0], [0, 0, -1], [1, 1, 1]], [0, 0, 0, 1])
    plane = Slice([0.1, 0, 0.2], [[1, 0, 1], [0, 1, 1]], Box.cube(-1, 1, 2))
    flat = Box([-1, 0.5, -1], [1, 0.5, 1])
    for domain in (simplex, plane, flat, WholeSpace(3), Box([0, 0, 0], [np.inf] * 3)):
        assert pr.audit(enumerate_regions(net, domain))


def without(regions: RegionSet, i: int) -> RegionSet:
    """The set with one region left out, still called complete."""
    keep = np.delete(np.arange(len(regions)), i)
    rest = PackedRegions(regions.packed[keep], regions.packed_cuts[keep], regions.local_points[keep], {})
    return replace(regions, listing=rest)


@pytest.mark.parametrize("i", [0, 3, 7])
def test_a_missing_region_is_noticed(i: int) -> None:
    regions = enumerate_regions(network_of("generic", [2, 5, 4, 1]), Box.cube(-1, 1, 2))
    assert failed(pr.audit(without(regions, i))) == {
        "volumes add up",
        "every facet has a neighbour",
        "Euler's relation",
    }


def test_a_missing_middle_is_noticed_four_times() -> None:
    net = Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    found = pr.audit(without(enumerate_regions(net, Box([-1], [2])), 1))
    assert len(failed(found)) == 4
    assert not found


def test_an_edge_too_many_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Region 0 has no facet on the hyperplane of neuron 1."""
    net = Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    regions = enumerate_regions(net, Box([-1], [2]))
    points = pr.adjacency_arrays(regions).points
    ends, flips = np.array([[0, 1], [0, 2], [1, 2]]), np.array([0, 1, 1])
    wrong = Adjacency(3, ends[:, 0], ends[:, 1], np.arange(4), flips, np.vstack([points, points[:1]]))
    monkeypatch.setattr("polyregions.regions.facets.edges_between", lambda *_, **__: wrong)
    assert failed(pr.audit(regions)) == {"every edge crosses a facet", "Euler's relation"}


def test_a_partial_set_is_checked_as_far_as_that_goes() -> None:
    regions = enumerate_regions(network_of("generic", [2, 5, 4, 1]), Box.cube(-1, 1, 2), max_regions=4)
    found = pr.audit(regions)
    assert found and [finding.ok for finding in found.findings] == [None, None, True, None, None, None]


# ---------------------------------------------------------------- volumes


def test_volumes_of_boxes() -> None:
    net = Network.from_layers([(np.eye(4), [0.0, 0, 0, 0]), (np.ones((1, 4)), [0.0])])
    volumes = pr.region_volumes(enumerate_regions(net, Box([-1] * 4, [1, 2, 3, 4])))
    sides = [(1, upper) for upper in (1, 2, 3, 4)]
    expected = [np.prod(chosen) for chosen in product(*sides)]
    assert volumes == pytest.approx(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_volumes_are_those_of_the_polytopes(kind: str) -> None:
    regions = enumerate_regions(network_of(kind, [3, 4, 3, 1], 1), Box.cube(-1, 1, 3))
    assert pr.region_volumes(regions) == pytest.approx([r.polytope.volume() for r in regions], rel=1e-7)


def test_areas_in_a_plane_of_space() -> None:
    net = Network.from_layers([([[1.0, 0, 0]], [0.0]), ([[1.0]], [0.0])])
    plane = Slice([0, 0, 0], [[3, 0, 0], [0, 0, 2]], Box.cube(-1, 1, 2))
    assert pr.region_volumes(enumerate_regions(net, plane)) == pytest.approx([12, 12])


def test_no_volumes_without_bounds() -> None:
    net = network_of("generic", [2, 3, 1])
    with pytest.raises(InputError, match="is unbounded"):
        pr.region_volumes(enumerate_regions(net, WholeSpace(2)))


# ---------------------------------------------------------------- command line


def test_check_geometry(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = str(tmp_path / "r.npz")
    assert main(["enumerate", "example:two-moons", "--box", "-1", "1", "-o", file, "-q"]) == 0
    capsys.readouterr()
    assert main(["check", "--geometry", "example:two-moons", file, "--json"]) == 0
    from_file = json.loads(capsys.readouterr().out)
    assert main(["check", "--geometry", "example:two-moons", "--box", "-1", "1", "--json", "-q"]) == 0
    assert json.loads(capsys.readouterr().out) == from_file
    assert from_file["ok"] and len(from_file["findings"]) == 6


def test_check_geometry_says_what_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    net = Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
    file = tmp_path / "net.npz"
    layers = {"W1": [[1.0], [1.0]], "b1": [0.0, -1.0], "W2": [[1.0, 1.0]], "b2": [0.0]}
    np.savez(file, **{name: np.array(value) for name, value in layers.items()})
    broken = without(enumerate_regions(net, Box([-1], [2])), 1)
    monkeypatch.setattr("polyregions.cli.running.enumerate_regions", lambda *_, **__: broken)
    assert main(["check", "--geometry", str(file), "--box", "-1", "2", "-q"]) == 1
    printed = capsys.readouterr().out
    assert "every facet has a neighbour: FAILS" in printed
    assert main(["check", "--geometry", str(file), "--box", "-1", "2", "-q", "--no-volumes"]) == 1
    assert "volumes: does not apply (not asked for)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["check", "example:two-moons"],
        ["check", "--geometry", "example:two-moons"],
        ["check", "example:two-moons", "--box", "-1", "1"],
    ],
)
def test_check_wants_one_thing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "expected" in capsys.readouterr().err


def test_regions_of_another_network_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    net = network_of("generic", [2, 3, 1])
    file = str(tmp_path / "r.npz")
    pr.save(enumerate_regions(net, Box.cube(-1, 1, 2)), file)
    assert main(["check", "--geometry", "example:two-moons", file]) == 2
    assert "regions of another network" in capsys.readouterr().err


# ---------------------------------------------------------------- premises


@pytest.mark.parametrize(
    "layers",
    [
        [([[1, 0], [1, 0], [1, 0]], [0, -1, -2]), ([[1, 1, 1]], [0])],  # strips between parallel lines
        [([[1, 0], [0, 0]], [0, 3]), ([[1, 1]], [0])],  # a constant neuron
        [([[0, 0]], [1]), ([[1]], [0])],  # nothing but one
        [([[1, 2], [2, 4], [0, 1]], [0, 0, 0]), ([[1, 1, 1]], [0])],  # two neurons on one line
        [([[1, 0], [0, 1]], [0, 0]), ([[1, 1], [1, 1]], [-1, -1]), ([[1, 1]], [0])],  # the same, bent
        [([[1, 0]], [0])],  # no neurons
    ],
)
def test_degrees_on_the_plane_need_no_general_position(layers: list[tuple[object, object]]) -> None:
    found = pr.audit(enumerate_regions(Network.from_layers(layers), WholeSpace(2)))
    assert found and found.findings[4].ok


def test_what_is_no_theorem_is_not_asserted() -> None:
    """The mean degree of bent hyperplanes in space: surfaces with handles may have more than four edges a cell."""
    regions = enumerate_regions(network_of("generic", [3, 4, 3, 1]), WholeSpace(3))
    finding = pr.audit(regions).findings[4]
    assert finding.ok and "no bound is a theorem here" in finding.detail


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_volumes_beyond_floats_are_no_failure(size: float) -> None:
    net = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    found = pr.audit(enumerate_regions(net, Box([-size, -size], [size, size])))
    assert found and found.findings[0].ok is None
    assert "float64 cannot hold" in found.findings[0].detail
