"""Networks made of networks against the same done to their outputs, in rationals."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions import Box, Network
from polyregions.errors import NetworkError, OptionError, UnsupportedError
from polyregions.networks.activations import RELU, uniform_slopes
from polyregions.networks.network import Layer
from randoms import generator

Vector = list[Fraction]
THIRDS = [[Fraction(1, 3), Fraction(-2, 7)], [Fraction(5, 3), 1]]


def applied(network: Network, x: Vector) -> Vector:
    """The forward pass in fractions, straight from the definition."""
    for layer in network.layers:
        if layer.exact is None:
            rows = [
                [Fraction(float(w)) for w in [*row, b]]
                for row, b in zip(layer.weight, layer.bias, strict=True)
            ]
        else:
            q = layer.exact.denominator
            rows = [[Fraction(int(n), q) for n in row] for row in layer.exact.numerators]
        z = [sum((w * v for w, v in zip(row, [*x, Fraction(1)], strict=True)), Fraction(0)) for row in rows]
        x = [Fraction(float(s[int(v > 0)])) * v for v, s in zip(z, layer.slopes, strict=True)]
    return x


def points(seed: int, dim: int, n: int = 12) -> list[Vector]:
    rng = generator(seed)
    return [
        [
            Fraction(int(a), int(b))
            for a, b in zip(rng.integers(-30, 31, dim), rng.integers(1, 14, dim), strict=True)
        ]
        for _ in range(n)
    ]


def made(seed: int, widths: list[int], final: str | None = None, exact: bool = False) -> Network:
    """A random network, of floats or of thirds."""
    rng = generator(seed)
    layers: list[tuple[Any, Any]] = []
    for k, n in zip(widths, widths[1:], strict=False):
        W, b = rng.normal(size=(n, k)), rng.normal(size=n)
        if exact:
            W = np.array([[Fraction(round(9 * w), 3) for w in row] for row in W], dtype=object)
            b = np.array([Fraction(round(9 * c), 7) for c in b], dtype=object)
        layers.append((W, b))
    return Network.from_layers(layers, final, name=f"random {seed}")


def leaky(seed: int, widths: list[int]) -> Network:
    net = made(seed, widths)
    return Network.from_units([*(layer.with_units((0.25, 1.0)) for layer in net.layers[:-1]), net.layers[-1]])


PAIRS = [
    (made(1, [2, 3, 2]), made(2, [2, 4, 3, 2])),
    (made(3, [2, 2]), made(4, [2, 3, 2, 2], exact=True)),
    (made(5, [2, 3, 2], "relu"), made(6, [2, 2])),
    (made(7, [2, 3, 2], "relu", exact=True), made(8, [2, 2, 2], "relu")),
    (leaky(9, [2, 3, 2]), made(10, [2, 3, 3, 2])),
    (made(11, [2, 2]), made(12, [2, 2])),
]

ARITHMETIC: list[tuple[Callable[[Network, Network], Network], Callable[[Fraction, Fraction], Fraction]]] = [
    (pr.add, lambda a, b: a + b),
    (pr.subtract, lambda a, b: a - b),
    (pr.maximum, max),
]


@pytest.mark.parametrize("f, g", PAIRS)
def test_one_after_the_other_is_the_composition(f: Network, g: Network) -> None:
    both = pr.compose(g, f)
    assert both.widths[: len(f.widths)] == f.widths or not f.n_neurons
    for x in points(0, 2):
        assert applied(both, x) == applied(g, applied(f, x))


@pytest.mark.parametrize("f, g", PAIRS)
def test_side_by_side_gives_both(f: Network, g: Network) -> None:
    both = pr.side_by_side(f, g)
    assert both.n_neurons == f.n_neurons + g.n_neurons
    for x in points(1, 2):
        assert applied(both, x) == [*applied(f, x), *applied(g, x)]


@pytest.mark.parametrize("made_of, of_numbers", ARITHMETIC, ids=["add", "subtract", "maximum"])
@pytest.mark.parametrize("f, g", PAIRS)
def test_arithmetic(
    f: Network, g: Network, made_of: Callable[..., Network], of_numbers: Callable[..., Fraction]
) -> None:
    both = made_of(f, g)
    for x in points(2, 2):
        assert applied(both, x) == list(map(of_numbers, applied(f, x), applied(g, x)))


@pytest.mark.parametrize("f, _", PAIRS)
def test_steps(f: Network, _: Network) -> None:
    thrice = pr.iterate(f, 3)
    assert thrice.n_neurons == 3 * f.n_neurons
    for x in points(3, 2, 5):
        assert applied(thrice, x) == applied(f, applied(f, applied(f, x)))


def test_once_is_the_network_itself() -> None:
    f = PAIRS[0][0]
    assert pr.iterate(f, 1) is f


@pytest.mark.parametrize("seed", range(4))
def test_the_patterns_of_steps_are_those_of_the_points_on_the_way(seed: int) -> None:
    f = made(20 + seed, [2, 4, 2])
    regions = pr.enumerate_regions(pr.iterate(f, 2), Box(-1, 1, dim=2))
    for region in regions:
        there = f.layers[0].forward(region.point) > 0
        assert region.pattern[:4].tolist() == there.tolist()
        assert region.pattern[4:].tolist() == (f.layers[0].forward(f(region.point)) > 0).tolist()


@pytest.mark.parametrize("exact", [False, True])
def test_common_leading_layers_are_there_once(exact: bool) -> None:
    f = made(30, [2, 4, 3, 2], exact=exact)
    g = Network.from_units([*f.layers[:1], *made(31, [4, 5, 2]).layers], name="other")
    both = pr.side_by_side(f, g)
    assert both.widths == (4, 8)
    assert pr.side_by_side(f, f).widths == f.widths
    for x in points(4, 2):
        assert applied(both, x) == [*applied(f, x), *applied(g, x)]


@pytest.mark.parametrize("exact", [False, True])
def test_a_loop_of_a_plant_and_a_controller(exact: bool) -> None:
    controller = made(40, [2, 5, 1], exact=exact)
    A, B, c = THIRDS, [[Fraction(1, 9)], [0.1]], [Fraction(1, 11), 2]
    loop = pr.closed_loop(A, B, controller, c)
    assert (loop.n_inputs, loop.n_outputs, loop.n_neurons) == (2, 2, 5)
    for x in points(5, 2):
        (u,) = applied(controller, x)
        moved = [sum(map(lambda a, v: Fraction(a) * v, row, x), Fraction(0)) for row in A]
        pushed = [m + Fraction(b) * u + Fraction(k) for m, (b,), k in zip(moved, B, c, strict=True)]
        assert applied(loop, x) == pushed


def test_maxima_are_known_by_their_new_places() -> None:
    f = pr.load_network(_max_pool())
    assert f.max_groups is not None
    both = pr.side_by_side(made(50, [4, 3, 1]), f)
    assert both.max_groups is not None
    assert len(both.max_groups) == len(f.max_groups)
    for x in points(6, 4):
        bits = np.array([_pattern(both, x)])
        assert (
            both.max_groups.winners(bits).tolist()
            == f.max_groups.winners(np.array([_pattern(f, x)])).tolist()
        )
    assert len(pr.side_by_side(f, f).max_groups or ()) == len(f.max_groups)


def _pattern(network: Network, x: Vector) -> list[bool]:
    bits: list[bool] = []
    values = np.array([float(v) for v in x])
    for layer in network.layers:
        z = layer.forward(values)
        bits += (z > 0)[layer.splitting].tolist()
        values = np.where(z > 0, layer.slopes[:, 1], layer.slopes[:, 0]) * z
    return bits


def _max_pool() -> Any:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 8),
        torch.nn.Unflatten(1, (1, 8)),
        torch.nn.MaxPool1d(4),
        torch.nn.Flatten(),
        torch.nn.Linear(2, 1),
    ).double()


def test_what_is_made_travels_and_is_saved(tmp_path: Any) -> None:
    net = pr.maximum(made(60, [2, 3, 2], exact=True), made(61, [2, 2]))
    assert pickle.loads(pickle.dumps(net)).fingerprint() == net.fingerprint()
    pr.save(net, tmp_path / "net.npz")
    assert pr.load_network(tmp_path / "net.npz").fingerprint() == net.fingerprint()


# ---------------------------------------------------------------- refusals


def softmax(net: Network) -> Network:
    return Network(net.layers, net.name, final_function="Softmax")


@pytest.mark.parametrize(
    "wrong, error, message",
    [
        (lambda: pr.compose(made(0, [3, 2]), made(0, [2, 2])), NetworkError, "takes 3 inputs, expected 2"),
        (lambda: pr.compose(made(0, [2, 2]), softmax(made(0, [2, 2]))), UnsupportedError, "Softmax"),
        (lambda: pr.compose("net", made(0, [2, 2])), NetworkError, "str, expected a Network"),
        (lambda: pr.iterate(made(0, [3, 2]), 2), NetworkError, "2 outputs, expected 3"),
        (lambda: pr.iterate(made(0, [2, 2]), 0), OptionError, "0 times"),
        (lambda: pr.iterate(made(0, [2, 2]), True), OptionError, "True times"),
        (lambda: pr.add(made(0, [2, 2]), made(0, [2, 3])), NetworkError, "2 and 3 outputs"),
        (lambda: pr.side_by_side(made(0, [2, 2]), made(0, [3, 2])), NetworkError, "takes 2 inputs"),
        (lambda: pr.side_by_side(made(0, [2, 2]), softmax(made(0, [2, 2]))), UnsupportedError, "Softmax"),
        (lambda: pr.closed_loop([[1]], [[1]], made(0, [2, 1])), NetworkError, "A has shape (1, 1)"),
        (lambda: pr.closed_loop([[1, "x"], [0, 1]], [[1], [1]], made(0, [2, 1])), NetworkError, "A has"),
        (
            lambda: pr.closed_loop(np.eye(2), [[1], [np.inf]], made(0, [2, 1])),
            NetworkError,
            "B is not finite",
        ),
        (lambda: pr.closed_loop(np.eye(2), [[1], [1]], made(0, [2, 1]), 3), NetworkError, "c is int"),
    ],
)
def test_refusals(wrong: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as found:
        wrong()
    assert message in str(found.value)


def test_a_final_function_stays_at_the_end() -> None:
    assert pr.compose(softmax(made(0, [2, 3])), made(0, [2, 2])).final_function == "Softmax"


def test_units_that_only_scale_are_folded() -> None:
    """A last layer of units (2, 2) has no neurons, yet doubles."""
    base = made(70, [2, 2])
    double = Network.from_units(
        [Layer(base.layers[0].weight, base.layers[0].bias, uniform_slopes(2, (2.0, 2.0)))]
    )
    behind = Network.from_units([made(71, [2, 2]).layers[0].with_units(RELU)])
    for x in points(7, 2):
        assert applied(pr.compose(behind, double), x) == applied(behind, applied(double, x))
