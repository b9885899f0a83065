"""The race of bounds against regions: sensors, turns, and that neither the order nor a pause changes an answer."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

import polyregions as pr
from polyregions.analysis.verification.points import Points
from polyregions.analysis.verification.property import Property
from polyregions.analysis.verification.race import Contestant, Race
from polyregions.analysis.verification.scan import Scan
from polyregions.analysis.verification.search import Search
from polyregions.analysis.verification.sensors import with_sensors
from polyregions.analysis.verification.watched import watched
from polyregions.engine.reduction import reduce
from polyregions.networks.problem import Problem, pose

BOX = pr.Box([-1, -1], [1, 1])


def network(seed: int, widths: tuple[int, ...] = (2, 8, 6, 2)) -> pr.Network:
    rng = np.random.default_rng(seed)
    pairs = [
        (rng.normal(size=(n, k)), rng.normal(size=n) / 2) for k, n in zip(widths, widths[1:], strict=False)
    ]
    return pr.Network.from_layers(pairs)


def posed(net: pr.Network, threshold: float) -> tuple[Problem, Points]:
    """The first output is to stay below a threshold."""
    prop = Property.avoid(BOX, pr.HPolytope([[-1, 0]], [-threshold]))
    watching = watched(net, prop.cases[0].violations)
    problem = reduce(pose(watching.network, BOX)).problem
    return problem, Points(problem, watching.groups, watching.strict)


def maximum(net: pr.Network) -> float:
    """The largest first output over the corners of all regions, by their vertices."""
    regions = pr.enumerate_regions(net, BOX)
    corners = np.concatenate([regions[i].polytope.vertices() for i in range(len(regions))])
    return float(net(corners)[:, 0].max())


KINDS: list[Callable[[Problem, Points], Contestant]] = [Scan, Search, Race]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(i, marks=pytest.mark.slow) for i in range(3, 6))])
def test_each_contestant_agrees_with_the_vertices(
    kind: Callable[[Problem, Points], Contestant], seed: int
) -> None:
    net = network(seed)
    top = maximum(net)
    for threshold, expected in (
        (top + 1e-6, False),
        (top - 1e-6, True),
        (top + 1e-9, False),
        (top - 1e-9, True),
    ):
        found = kind(*posed(net, threshold)).run(lambda parts, done: True)
        assert (found is not None) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_contestant_goes_on(kind: Callable[[Problem, Points], Contestant]) -> None:
    net = network(1)
    contestant, looks = kind(*posed(net, maximum(net) + 1e-6)), 0
    while not contestant.ended:
        assert contestant.run(lambda parts, done, end=contestant.parts + 5: parts < end) is None
        looks += 1
        assert looks < 10_000
    assert contestant.done == pytest.approx(1.0)


def test_a_touched_violation_is_found_in_the_scan() -> None:
    net = pr.Network.from_layers([([[1, 0], [-1, 0]], [0, 0]), ([[-1, -1], [0, 0]], [0, 0])])  # -|x|
    found = Scan(*posed(net, 0.0)).run(lambda parts, done: True)
    assert found is not None
    assert found.coordinates[0] == 0
    assert Scan(*posed(net, 1e-12)).run(lambda parts, done: True) is None


def test_sensors_are_on_wherever_an_output_is_not_below_zero() -> None:
    net = network(3)
    sensors = with_sensors(net)
    assert sensors is not None
    assert sensors.n_neurons == net.n_neurons + 2
    X = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    assert np.all(sensors(X)[net(X) >= 0] > 0)
    assert np.all(sensors(X) <= np.maximum(net(X), 0) + 1e-4)


def test_sensors_of_rational_outputs() -> None:
    net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[Fraction(1, 3), 1]], [Fraction(-1, 7)])])
    sensors = with_sensors(net)
    assert sensors is not None
    assert sensors.layers[-1].exact is not None
    raised = sensors.layers[-1].exact
    last = net.layers[-1].exact
    assert last is not None
    assert Fraction(int(raised.numerators[0, -1]), raised.denominator) > Fraction(
        int(last.numerators[0, -1]), last.denominator
    )
    assert Fraction(int(raised.numerators[0, 0]), raised.denominator) == Fraction(1, 3)


@pytest.mark.parametrize("bias", [1.7976931348623157e308, -1.7976931348623157e308, 5e-324, 0.0])
def test_sensors_at_the_ends_of_float64(bias: float) -> None:
    """Where floats cannot raise an output all regions are decided one by one."""
    net = pr.Network.from_layers([([[1.0]], [0.0]), ([[0.0]], [bias])])
    sensors = with_sensors(net)
    if sensors is None:
        assert abs(bias) > 1 or bias == 5e-324
    else:
        assert sensors.layers[-1].bias[0] > bias
    domain = pr.Box([-1], [1])
    prop = Property.avoid(domain, pr.HPolytope([[-1]], [0]))  # y >= 0?
    assert pr.verify(net, prop).verdict == ("violated" if bias >= 0 else "holds")


def test_the_answer_is_the_same_every_time() -> None:
    net = network(5, (3, 14, 14, 2))
    box = pr.Box([-1] * 3, [1] * 3)
    X = np.random.default_rng(1).uniform(-1, 1, (5000, 3))
    unsafe = pr.HPolytope([[-1, 0]], [-float(net(X)[:, 0].max()) - 0.5])
    found = [pr.verify(net, Property.avoid(box, unsafe)) for _ in range(2)]
    assert len({(f.verdict, f.parts, f.polytopes) for f in found}) == 1
