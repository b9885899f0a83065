"""Two networks compared: against dense sampling, region by region, and pairs whose difference is known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from corpus import corpus
from polyregions import Box, HPolytope, Network
from polyregions.errors import DomainError, NetworkError, OptionError, StoppedError, UnsupportedError
from polyregions.networks.germs import ExactNetwork
from polyregions.networks.network import Layer
from randoms import float_layers, generator, integer_layers

MOONS = Box([-2, -1.5], [3, 2])


def made(seed: int, widths: list[int]) -> Network:
    make = integer_layers if seed % 2 else float_layers
    return Network.from_layers(make(generator(seed), widths), name=f"random {seed}")


def moved(net: Network, layer: int, unit: int, by: float) -> Network:
    """A copy with one bias changed."""
    old = net.layers[layer]
    bias = old.bias.copy()
    bias[unit] += by
    return replace(
        net, layers=(*net.layers[:layer], Layer(old.weight, bias, old.slopes), *net.layers[layer + 1 :])
    )


@pytest.mark.parametrize("seed", range(6))
def test_samples_never_exceed_the_largest_difference_and_the_point_attains_it(seed: int) -> None:
    f, g = made(seed, [2, 5, 4, 2]), made(seed + 100, [2, 4, 2])
    found = pr.difference(f, g, Box(-1, 1, dim=2))
    X = generator(seed).uniform(-1, 1, (4000, 2))
    apart = np.abs(f(X) - g(X)).max(axis=0)
    exact = ExactNetwork(f), ExactNetwork(g)
    for j, distance in enumerate(found.outputs):
        assert distance.exact is not None
        assert apart[j] <= distance.value * (1 + 1e-9)
        assert apart[j] >= 0.8 * distance.value  # nearly attained
        one, two = (net.germ(distance.point).value[j] for net in exact)
        assert abs(one - two) == distance.exact
        assert found.both.domain.polytope().contains([distance.point]).all()
    assert found.exact == max(d.exact for d in found.outputs if d.exact is not None)


@pytest.mark.parametrize("seed", range(4))
def test_the_largest_difference_is_that_at_a_vertex_of_a_region(seed: int) -> None:
    f, g = made(seed, [2, 4, 1]), made(seed + 50, [2, 3, 3, 1])
    found = pr.difference(f, g, Box(-1, 1, dim=2))
    one, two = ExactNetwork(f), ExactNetwork(g)
    corners = {corner for region in found.both for corner in region.exact_vertices}
    assert found.exact == max(abs(one.germ(x).value[0] - two.germ(x).value[0]) for x in corners)


@pytest.mark.parametrize("seed", range(4))
def test_a_network_equals_its_simplified_copy(seed: int) -> None:
    f = made(seed, [2, 6, 5, 2])
    box = Box(-1, 1, dim=2)
    smaller, _ = pr.simplify(f, pr.enumerate_regions(f, box))
    found = pr.difference(f, smaller, box)
    assert found.equal
    assert (found.value, found.exact, found.disagreements) == (0.0, 0, ())


def test_units_in_another_order_and_scaled_are_the_same_function() -> None:
    f = made(2, [2, 5, 2])
    order, scale = [3, 1, 4, 0, 2], np.array([2.0, 0.5, 4.0, 1.0, 8.0])
    first, last = f.layers
    g = Network.from_layers(
        [
            (first.weight[order] * scale[:, None], first.bias[order] * scale),
            (last.weight[:, order] / scale, last.bias),
        ]
    )
    assert pr.difference(f, g, pr.WholeSpace(2)).equal


def test_a_bias_of_the_last_layer_is_the_difference() -> None:
    f = made(2, [2, 5, 2])
    found = pr.difference(f, moved(f, 1, 1, 0.125), Box(-1, 1, dim=2))
    assert [d.exact for d in found.outputs][0] == 0
    assert found.outputs[1].exact == abs(
        Fraction(float(f.layers[1].bias[1])) - Fraction(float(f.layers[1].bias[1] + 0.125))
    )
    assert not found.equal
    assert len(found.both) == len(pr.enumerate_regions(f, Box(-1, 1, dim=2)))  # what is common is split once


def test_a_spot_that_only_one_neuron_sees() -> None:
    """relu(x - 3/4) with another weight: equal up to 3/4, and farthest at the end."""
    f = Network.from_layers([([[1], [1]], [0, -0.75]), ([[1, 1]], [0])])
    g = Network.from_layers([([[1], [1]], [0, -0.75]), ([[1, 1.5]], [0])])
    assert pr.difference(f, g, Box([0], [0.75])).equal
    found = pr.difference(f, g, Box([0], [1]))
    assert (found.exact, found.point) == (Fraction(1, 8), (1,))


@pytest.mark.parametrize("rule", ["argmax", "argmin"])
@pytest.mark.parametrize("seed", range(3))
def test_disagreements_are_where_the_decisions_differ(seed: int, rule: str) -> None:
    f, g = made(2 * seed, [2, 5, 3]), made(2 * seed + 10, [2, 4, 3])
    found = pr.difference(f, g, Box(-1, 1, dim=2), rule=rule)
    X = generator(seed).uniform(-1, 1, (1500, 2))
    best = np.argmax if rule == "argmax" else np.argmin
    one, two = best(f(X), axis=1), best(g(X), axis=1)
    inside = np.array([part.polytope.contains(X) for part in found.disagreements]).reshape(-1, len(X))
    assert np.array_equal(inside.any(axis=0), one != two)
    assert inside.sum(axis=0).max(initial=0) <= 1
    for part, own in zip(found.disagreements, inside, strict=True):
        assert {(a, b) for a, b in zip(one[own], two[own], strict=True)} <= {part.classes}
    share = found.disagreement_share
    assert float(share) == pytest.approx(found.disagreement_volume / 4)
    assert float(share) == pytest.approx(np.mean(one != two), abs=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_agreements_and_disagreements_fill_the_input_set(seed: int) -> None:
    """f against g, and f against g with its two classes exchanged: each point disagrees with just one of them."""
    f, g = made(2 * seed, [2, 4, 2]), made(2 * seed + 10, [2, 4, 2])
    last = g.layers[-1]
    other = replace(
        g, layers=(*g.layers[:-1], Layer(last.weight[::-1].copy(), last.bias[::-1].copy(), last.slopes))
    )
    one, two = (pr.difference(f, h, Box(-1, 1, dim=2)).disagreement_share for h in (g, other))
    assert one + two == 1


def test_signs() -> None:
    f = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [-1])])
    g = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [Fraction(-2, 3)])])
    found = pr.difference(f, g, Box([-2], [2]))
    assert found.rule == "sign"
    assert sorted(part.polytope.exact_vertices() for part in found.disagreements) == [
        ((-1,), (Fraction(-2, 3),)),
        ((Fraction(2, 3),), (1,)),
    ]
    assert found.disagreement_share == Fraction(2, 3) / 4


def test_activations_at_the_end() -> None:
    f = Network.from_layers([([[1]], [0])], "relu")
    g = Network.from_layers([([[1]], [0])])
    found = pr.difference(f, g, Box([-2], [1]))
    assert (found.exact, found.point, len(found.both)) == (2, (-2,), 2)


def test_unbounded() -> None:
    f, g = Network.from_layers([([[1]], [0])]), Network.from_layers([([[2]], [0])])
    found = pr.difference(f, g, pr.WholeSpace(1))
    assert (found.value, found.exact, found.equal) == (np.inf, None, False)
    with pytest.raises(DomainError):
        _ = found.disagreement_share


def test_a_flat_input_set() -> None:
    f = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    g = Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 2]], [-1])])
    diagonal = HPolytope([[1, -1], [-1, 1], [1, 1], [-1, -1]], [0, 0, 2, 2])
    found = pr.difference(f, g, diagonal)  # y - 1 for y > 0, else -1
    assert found.exact == 1
    assert found.disagreement_share == Fraction(1, 6)  # g > 0 from x = y = 1/3 on, f from 0 on


def test_the_regions_answer_further_questions() -> None:
    f = pr.load_network("example:two-moons")
    found = pr.difference(f, moved(f, 0, 3, 2.0**-8), MOONS)
    low, high = pr.output_range(found.regions)[0]
    assert max(abs(low.exact or 0), abs(high.exact or 0)) == found.outputs[0].exact


def test_a_float32_copy_of_a_float64_network(tmp_path: Path) -> None:
    f = pr.load_network("example:two-moons")
    layers = [(layer.weight.astype(np.float32), layer.bias.astype(np.float32)) for layer in f.layers]
    eighths = [(np.round(w * 8) / 8, np.round(b * 8) / 8) for w, b in layers]
    assert pr.difference(f, Network.from_layers(eighths), MOONS).value > 0
    pr.save(f, tmp_path / "copy.npz")
    assert pr.difference(f, pr.load_network(tmp_path / "copy.npz"), MOONS).equal


def test_refusals() -> None:
    f = made(0, [2, 3, 2])
    box = Box(-1, 1, dim=2)
    with pytest.raises(NetworkError, match="2 outputs and random 1 3"):
        pr.difference(f, made(1, [2, 3, 3]), box)
    with pytest.raises(NetworkError, match="takes 2 inputs"):
        pr.difference(f, made(1, [3, 3, 2]), box)
    with pytest.raises(NetworkError, match="str, expected a Network"):
        pr.difference(f, "g", box)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="rule"):
        pr.difference(f, f, box, rule="best")
    with pytest.raises(UnsupportedError, match="without_final_function"):
        pr.difference(f, replace(f, final_function="Softmax"), box)
    with pytest.raises(StoppedError, match="stopped after"):
        pr.difference(made(2, [6, 40, 40, 2]), made(4, [6, 40, 2]), Box(-1, 1, dim=6), time_limit=0)


def test_two_files_of_one_controller() -> None:
    """The corpus has it as .nnet and as .onnx: other numbers at the ends of the last place, if at all."""
    one = pr.load_network(corpus("archcomp/controller_single_pendulum.onnx"))
    two = pr.load_network(corpus("archcomp/controller_single_pendulum.nnet"))
    found = pr.difference(one, two, Box([1.0, 0.0], [1.2, 0.2]))
    assert found.value < 1e-4
