"""Fractions and integers beyond 2^53 that users hand in are meant exactly; numbers at the ends of float64.

Expected values are computed by hand.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli import main
from polyregions.io.models.npz import save_network_npz

THIRD = Fraction(1, 3)
BIG = 2**53
KINK = pr.Network.from_layers([([[-3]], [1]), ([[1]], [0])])  # relu(1 - 3x): its kink is at 1/3
ENGINES = ["highs", "walk"]


# ---------------------------------------------------------------- boxes and polytopes


@pytest.mark.parametrize("engine", ENGINES)
def test_a_box_that_begins_at_the_kink_has_one_region(engine: str) -> None:
    assert pr.count_regions(KINK, pr.Box([THIRD], [1]), engine=engine) == 1
    assert pr.count_regions(KINK, pr.Box([THIRD - Fraction(1, 10**30)], [1]), engine=engine) == 2
    assert pr.count_regions(KINK, pr.Box([0], [THIRD]), engine=engine) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_polytope_that_begins_at_the_kink_has_one_region(engine: str) -> None:
    assert pr.count_regions(KINK, pr.HPolytope([[-1], [1]], [-THIRD, 1]), engine=engine) == 1
    assert pr.count_regions(KINK, pr.HPolytope([[-3], [1]], [-1, 1]), engine=engine) == 1
    assert (
        pr.count_regions(KINK, pr.HPolytope([[-1], [1]], [-THIRD + Fraction(1, 10**30), 1]), engine=engine)
        == 2
    )


@pytest.mark.parametrize("values", [[BIG + 1], np.array([BIG + 1]), np.array([BIG + 1], dtype=np.uint64)])
def test_integers_beyond_2_to_53_are_kept(values: object) -> None:
    """x - (2^53 + 1) is nowhere positive below 2^53 + 1, and somewhere below 2^53 + 2."""
    net = pr.Network.from_layers([([[1]], [-(BIG + 1)]), ([[1]], [0])])
    assert pr.count_regions(net, pr.Box([0], values)) == 1
    assert pr.count_regions(net, pr.Box([0], [BIG + 2])) == 2
    assert pr.Box([0], values).exact == ((0,), (BIG + 1,))
    assert pr.HPolytope([[1]], values).contains([[BIG], [BIG + 1]]).tolist() == [True, True]
    assert pr.HPolytope([[1]], values).contains([[BIG + 2]]).tolist() == [False]


def test_a_box_of_one_point_that_no_float_is() -> None:
    line = pr.Network.from_layers([([[1, 1]], [0])])
    assert pr.count_regions(line, pr.Box([THIRD, 0], [THIRD, 1])) == 1
    regions = pr.enumerate_regions(line, pr.Box([THIRD, 0], [THIRD, 1]))
    assert pr.maximize(regions, [1]).exact == Fraction(4, 3)
    assert regions.locate([[THIRD, 0.5], [1 / 3, 0.5]]).tolist() == [0, -1]


def test_crossed_bounds_are_seen_exactly() -> None:
    with pytest.raises(pr.PolyregionsError, match="expected lower <= upper"):
        pr.Box([BIG + 1], [BIG])
    with pytest.raises(pr.PolyregionsError, match="beyond the range of float64"):
        pr.Box([0], [10**400])


def test_float_numbers_as_objects_are_floats() -> None:
    assert pr.Box([Fraction(1, 2)], [1]).exact is None
    assert repr(pr.Box([THIRD], [1])) == "Box([Fraction(1, 3)], [1.0])"
    assert pr.Box([THIRD, -np.inf], [1, np.inf]).exact == ((THIRD, None), (1, None))
    assert not pr.HPolytope([[Fraction(1, 2)]], [1]).is_rounded


# ---------------------------------------------------------------- points


def test_points_are_located_exactly() -> None:
    regions = pr.enumerate_regions(KINK, pr.Box([0], [1]))
    off, on = regions.locate([[0.9], [0.1]]).tolist()
    below = THIRD - Fraction(1, 10**40)
    assert regions.locate([[THIRD], [below], [THIRD + Fraction(1, 10**40)]]).tolist() == [off, on, off]
    assert regions[on].polytope.contains([[THIRD], [below]]).tolist() == [False, True]
    tree = pr.decision_tree(regions)
    at = tree.apply([[0.9], [0.1], [THIRD], [below]]).tolist()
    assert at[2] == at[0] and at[3] == at[1]


def test_distances_are_measured_from_the_point_itself() -> None:
    net = pr.Network.from_layers([([[1]], [0]), ([[1], [0]], [0, 1])])  # relu(x) against 1: they meet at 1
    cells = pr.decision_cells(pr.enumerate_regions(net, pr.Box([0], [2])))
    assert pr.robustness_radius(cells, [THIRD], "linf").exact == Fraction(2, 3)
    assert pr.robustness_radius(cells, [THIRD], "l2").exact == Fraction(4, 9)
    with pytest.raises(pr.PolyregionsError, match="not in the domain"):
        pr.robustness_radius(cells, [2 + Fraction(1, 10**30)])


# ---------------------------------------------------------------- files and certificates


@pytest.mark.parametrize(
    "domain",
    [
        pr.Box([THIRD, -BIG - 1], [1, 0]),
        pr.HPolytope([[1, 0], [-1, 0], [0, 1], [0, -1]], [1, -THIRD, 0, BIG + 1]),
        pr.Slice([0, THIRD], [[1, THIRD]], pr.Box([THIRD], [1])),
    ],
)
def test_exact_domains_are_written_exactly(domain: pr.Box, tmp_path: Path) -> None:
    net = pr.Network.from_layers([([[-3, 0], [1, 1]], [1, 0]), ([[1, 1]], [0])])
    regions = pr.enumerate_regions(net, domain)
    pr.save(regions, tmp_path / "r.npz")
    again = pr.load_regions(tmp_path / "r.npz")
    assert again.regions_after_each_layer() == regions.regions_after_each_layer()
    assert [f.exact() for f in again.problem.solid.forms] == [f.exact() for f in regions.problem.solid.forms]
    assert repr(again.domain) == repr(domain)
    pr.save(regions, tmp_path / "r.json")
    json.loads((tmp_path / "r.json").read_text())
    store = tmp_path / "store"
    assert len(pr.enumerate_regions(net, domain, store=store)) == len(regions)


def test_exact_boxes_are_certified() -> None:
    regions = pr.enumerate_regions(KINK, pr.Box([THIRD], [1]), certify=True)
    assert pr.check(regions.certificate, KINK).ok
    assert regions.certificate.input_set.rows == ((3, -1), (-1, 1))


def test_the_command_line_takes_quotients(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_network_npz(KINK, tmp_path / "kink.npz")
    for low, expected in (("1/3", 1), ("0", 2), (repr(1 / 3), 2)):
        assert main(["count", str(tmp_path / "kink.npz"), "--box", low, "1", "--json", "-q"]) == 0
        assert json.loads(capsys.readouterr().out)["regions"] == expected
    assert main(["count", str(tmp_path / "kink.npz"), "--box", "1/0", "1", "-q"]) == 2


# ---------------------------------------------------------------- the ends of float64


@pytest.mark.parametrize("engine", ["highs", "auto"])
def test_a_box_wider_than_float64(engine: str) -> None:
    net = pr.Network.from_layers([([[1], [1]], [0, -1e308]), ([[1, 1]], [0])])
    assert pr.count_regions(net, pr.Box([-1e308], [1e308]), engine=engine) == 2
    assert pr.count_regions(net, pr.Box([-1.7e308], [1.7e308]), engine=engine) == 3


def test_the_compiled_engine_says_that_it_cannot_take_it() -> None:
    with pytest.raises(pr.PolyregionsError, match="too many orders of magnitude"):
        pr.count_regions(KINK, pr.Box([-1e308], [1e308]), engine="walk")


def test_views_of_a_region_beyond_float64() -> None:
    net = pr.Network.from_layers([([[1e-200, 0], [0, 1e-200]], [-1e200, 0]), ([[1, 1]], [0])])
    regions = pr.enumerate_regions(net, pr.WholeSpace(2))
    assert len(regions) == 4 and len(pr.adjacency_arrays(regions)) == 4
    assert not any(region.polytope.is_bounded() for region in regions)


def test_pre_activations_beyond_float64() -> None:
    """The sign of 2 (x + y + z) and of its multiple by 1e310 splits the box once."""
    deep = pr.Network.from_layers(
        [(np.full((1, 3), 2.0), [0]), ([[1e10]], [0]), ([[1e300]], [0]), ([[1]], [0])]
    )
    wide = pr.Network.from_layers([(np.full((1, 3), 2.0), [0]), ([[1e10]], [0])])
    for engine in ("highs", "auto"):
        assert pr.count_regions(deep, pr.Box([-1e308] * 3, [1e308] * 3), engine=engine) == 2
        assert pr.count_regions(wide, pr.Box([-1e308] * 3, [1e308] * 3), engine=engine) == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_kink_beyond_float64(engine: str, tmp_path: Path) -> None:
    """1e-200 x - 1e200 is positive beyond x = 1e400, where there is no float64 number."""
    net = pr.Network.from_layers([([[1e-200]], [-1e200]), ([[1]], [0])])
    regions = pr.enumerate_regions(net, pr.WholeSpace(1), engine=engine, certify=True)
    assert regions.patterns.tolist() == [[False], [True]]
    assert pr.check(regions.certificate, net).ok
    assert np.isfinite(regions.points[0]).all()
    pr.save(regions, tmp_path / "far.npz")
    assert len(pr.load_regions(tmp_path / "far.npz")) == 2
    assert regions.local_point(1).coordinates[0] > 10**399


def test_lipschitz_constants_of_large_and_small_weights() -> None:
    for weight in (1e200, 1e-200, 5e-324, 1.7e308):
        net = pr.Network.from_layers([([[weight]], [0])])
        regions = pr.enumerate_regions(net, pr.Box([-1], [1]))
        for norm in ("l1", "l2", "linf"):
            assert pr.lipschitz_constant(regions, norm).value == pytest.approx(weight, rel=1e-9)


def test_cells_and_boundaries_beyond_float64() -> None:
    """Where y2 = 2^-1461 x2 beats y1 = 1 nothing is a float: the points are infinite there, and nowhere NaN."""
    first, second = ([[0, 0, 2.0**-541], [0, 0, 0]], [0, 0]), ([[0, 0], [0, 0], [2.0**-920, 0]], [0, 1, 0])
    cells = pr.decision_cells(pr.enumerate_regions(pr.Network.from_layers([first, second]), pr.WholeSpace(3)))
    assert [(int(i), int(k)) for i, k in zip(cells.region, cells.label, strict=True)] == [
        (0, 1),
        (1, 1),
        (1, 2),
    ]
    assert cells.points[2].tolist()[2] == np.inf and not np.any(np.isnan(cells.points))
    assert len(pr.decision_graph(cells).edges) == 2
    assert pr.decision_boundary(cells).exact_point(0)[2] > 0
