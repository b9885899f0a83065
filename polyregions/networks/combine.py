"""Networks made of networks: one after another, side by side, sums, maxima and closed loops; all of it exact.

A network is a chain of layers. One behind another is a longer chain, in which the affine map at the end of the first
and that at the beginning of the second are one. Two side by side have block-diagonal layers, the shorter one being
carried on by identity units, which do not split. What else there is consists of these two and of affine maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Floats, Ints
from polyregions.errors import NetworkError, OptionError
from polyregions.exact.affine import IntegerAffine, scale_rows
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks.activations import IDENTITY, RELU, uniform_slopes
from polyregions.networks.folding import affine_of_layer, fold
from polyregions.networks.maxima import MaxGroups
from polyregions.networks.network import Layer, Network, exact_layer


def compose(g: Network, f: Network) -> Network:
    """The network ``x -> g(f(x))``, exactly; its patterns are those of f, then those of g.

    Args:
        g: the network that comes second; a final Softmax or the like stays one of the result.
        f: the network that comes first.

    Raises:
        NetworkError: g does not take as many inputs as f has outputs, or a coefficient is beyond float64.
        UnsupportedError: f ends in a Softmax or the like.

    >>> tent = Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])])  # 2 x, from x = 1/2 on 2 - 2 x
    >>> compose(tent, tent)([[0.125], [0.25], [0.375]]).tolist()
    [[0.5], [1.0], [0.5]]
    """
    _check_networks("compose", g, f)
    f.check_values_are_outputs("a composition")
    if g.n_inputs != f.n_outputs:
        raise NetworkError(
            f"compose: {g.name} takes {g.n_inputs} inputs, expected {f.n_outputs}, the outputs of {f.name}"
        )
    name = f"{g.name} after {f.name}"
    layers = [*f.layers, *g.layers]
    if not f.layers[-1].n_neurons:
        joint = fold([_after_units(f.layers[-1]), affine_of_layer(g.layers[0])], name)
        layers = [*f.layers[:-1], _with_slopes(joint, g.layers[0].slopes), *g.layers[1:]]
    places = [np.arange(f.n_neurons), f.n_neurons + np.arange(g.n_neurons)]
    groups = _joined_groups([f, g], places)
    return Network.from_units(layers, name, groups, _joined_notices(f, g), g.final_function)


def iterate(f: Network, k: int) -> Network:
    """The network that applies f to its own outputs, k times in all.

    Its patterns are those of f at x, f(x), …: N bits for each step.

    Raises:
        OptionError: k is no whole number of at least 1.
        NetworkError: f has not as many outputs as inputs.

    >>> tent = Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])], name="tent")
    >>> iterate(tent, 3)
    <Network tent, 3 times: 1-2-2-2-1, 6 neurons>
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise OptionError(f"iterate: {k!r} times, expected a whole number of at least 1")
    _check_networks("iterate", f)
    check_maps_to_itself("iterate", f)
    total = f
    for _ in range(k - 1):
        total = compose(f, total)
    return f if k == 1 else _named(total, f"{f.name}, {k} times", f.notices)


def side_by_side(f: Network, g: Network) -> Network:
    """The network ``x -> (f(x), g(x))``: both on the same inputs, the outputs of f first; exactly.

    Leading layers that both have in common are there once.

    Raises:
        NetworkError: they take different numbers of inputs, or have layers too large to be written out.
        UnsupportedError: one of them ends in a Softmax or the like.

    >>> shift = Network.from_layers([([[1]], [1])], name="shift")
    >>> relu = Network.from_layers([([[1]], [0])], "relu", name="relu")
    >>> side_by_side(shift, relu)([[1.0], [3.0]]).tolist()
    [[2.0, 1.0], [4.0, 3.0]]
    """
    _check_networks("side by side", f, g)
    for network in (f, g):
        network.check_values_are_outputs("a combination")
    if f.n_inputs != g.n_inputs:
        raise NetworkError(
            f"side by side: {f.name} takes {f.n_inputs} inputs and {g.name} {g.n_inputs}, expected as many"
        )
    name = f"{f.name} beside {g.name}"
    depth = max(len(f.layers), len(g.layers))
    one, two = _padded(f, depth), _padded(g, depth)
    common = min(_common_layers(one, two), depth - 1)
    layers = [*one[:common], *_blocks(one[common:], two[common:], name)]
    groups = _joined_groups([f, g], _places(one, two, common))
    return Network.from_units(layers, name, groups, _joined_notices(f, g))


def add(f: Network, g: Network) -> Network:
    """The network ``x -> f(x) + g(x)``.

    Raises:
        NetworkError: different numbers of inputs or outputs; else as in `side_by_side`.

    >>> f = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> add(f, Network.from_layers([([[1]], [1])]))([[-3.0], [3.0]]).tolist()
    [[1.0], [7.0]]
    """
    return _combined(f, g, [[1, 1]], "plus")


def subtract(f: Network, g: Network) -> Network:
    """The network ``x -> f(x) - g(x)``; Raises as in `add`.

    >>> f = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> subtract(f, Network.from_layers([([[1]], [2])]))([[-3.0], [3.0]]).tolist()
    [[4.0], [-2.0]]
    """
    return _combined(f, g, [[1, -1]], "minus")


def maximum(f: Network, g: Network) -> Network:
    """The network ``x -> max(f(x), g(x))``, output by output, with a neuron more for each; Raises as in `add`.

    >>> f = Network.from_layers([([[1]], [0])])
    >>> maximum(f, Network.from_layers([([[-1]], [0])]))([[-3.0], [2.0]]).tolist()
    [[3.0], [2.0]]
    """
    pairs, c = _combined(f, g, [[1, -1], [0, 1]], "and"), f.n_outputs
    last = pairs.layers[-1]  # without neurons, for it is the last one composed
    slopes = np.concatenate([uniform_slopes(c, RELU), uniform_slopes(c, IDENTITY)])
    both = Layer(np.hstack([np.eye(c), np.eye(c)]), np.zeros(c), uniform_slopes(c, IDENTITY))
    layers = [*pairs.layers[:-1], _with_slopes(last, slopes), both]
    return Network.from_units(layers, f"maximum of {f.name} and {g.name}", pairs.max_groups, pairs.notices)


def closed_loop(A: Any, B: Any, controller: Network, c: Any = None) -> Network:
    """A linear plant with a network as its controller, ``x' = A x + B u(x) + c``, as one network.

    Args:
        A: (d, d) floats, integers or fractions, which are kept exactly.
        B: (d, m).
        controller: u, from d inputs to m outputs. One that sees ``C x`` instead is
            ``compose(u, Network.from_layers([(C, [0] * p)]))``.
        c: (d,), zeros if not given.

    Raises:
        NetworkError: shapes that do not fit, or no finite numbers.

    >>> brake = Network.from_layers([([[0, 1], [0, -1]], [0, 0]), ([[-1, 1]], [0])])  # minus the velocity
    >>> loop = closed_loop([[1, Fraction(1, 10)], [0, 1]], [[0], [Fraction(1, 10)]], brake)
    >>> loop([[0.0, 1.0]]).tolist()
    [[0.1, 0.9]]
    """
    _check_networks("closed loop", controller)
    d, m = controller.n_inputs, controller.n_outputs
    of_state, of_control = _matrix(A, (d, d), "A"), _matrix(B, (d, m), "B")
    offset = [Fraction(0)] * d if c is None else [row[0] for row in _matrix(_column(c), (d, 1), "c")]
    plant = Network.from_layers(
        [([[*a, *b] for a, b in zip(of_state, of_control, strict=True)], offset)], name="plant"
    )
    loop = compose(plant, side_by_side(identity(d), controller))
    return _named(loop, f"closed loop with {controller.name}", controller.notices)


def identity(dim: int) -> Network:
    """The network that gives its inputs back."""
    return Network((_identity_layer(dim),), "identity")


def check_maps_to_itself(what: str, f: Network) -> None:
    """Refuse a network that cannot be applied to its own outputs.

    Raises:
        NetworkError: it has not as many outputs as inputs; names what asks.
        UnsupportedError: it ends in a Softmax or the like.
    """
    if f.n_inputs != f.n_outputs:
        raise NetworkError(
            f"{what}: {f.name} has {f.n_outputs} outputs, expected {f.n_inputs}, as many as inputs"
        )
    f.check_values_are_outputs(what)


# ---------------------------------------------------------------- layers


def _identity_layer(dim: int) -> Layer:
    return Layer(np.eye(dim), np.zeros(dim), uniform_slopes(dim, IDENTITY))


def _after_units(layer: Layer) -> IntegerAffine:
    """The affine map of a layer without neurons, its units' common slopes included."""
    affine = affine_of_layer(layer)
    return affine if np.all(layer.slopes[:, 1] == 1) else scale_rows(affine, layer.slopes[:, 1].tolist())


def _with_slopes(layer: Layer, slopes: Floats) -> Layer:
    return Layer(layer.weight, layer.bias, slopes, layer.exact)


def _padded(f: Network, depth: int) -> list[Layer]:
    """The layers of a network, and behind them some that change nothing."""
    return [*f.layers, *[_identity_layer(f.n_outputs)] * (depth - len(f.layers))]


def _common_layers(one: Sequence[Layer], two: Sequence[Layer]) -> int:
    """How many leading layers are the same."""
    return sum(1 for _ in takewhile(lambda pair: _are_equal(*pair), zip(one, two, strict=True)))


def _are_equal(one: Layer, two: Layer) -> bool:
    """Whether two layers are stored alike."""
    if one is two:
        return True
    pairs = list(zip(one.numbers(), two.numbers(), strict=False))
    if type(one) is not type(two) or not all(np.array_equal(a, b) for a, b in pairs):
        return False
    p, q = one.exact, two.exact
    if p is None or q is None:
        return p is q
    return p.denominator == q.denominator and np.array_equal(p.numerators, q.numerators)


def _blocks(one: Sequence[Layer], two: Sequence[Layer], name: str) -> list[Layer]:
    """Layers side by side, the first on common inputs, the others each on the outputs of its own."""
    first = _stacked(_Block(one[0], 0), _Block(two[0], 0), one[0].n_inputs, name)
    pairs = zip(one[1:], two[1:], strict=True)
    return [
        first,
        *(_stacked(_Block(a, 0), _Block(b, a.n_inputs), a.n_inputs + b.n_inputs, name) for a, b in pairs),
    ]


@dataclass(frozen=True)
class _Block:
    """A layer, and the first of the columns that it reads."""

    layer: Layer
    column: int

    def weight(self, width: int) -> Floats:
        """Its weight (n, width)."""
        wide = np.zeros((self.layer.n_units, width))
        wide[:, self.column : self.column + self.layer.n_inputs] = self.layer.weight
        return wide

    def rows(self, width: int) -> list[list[Fraction]]:
        """Its weight and bias (n, width + 1) in rationals."""
        weight, bias = affine_of_layer(self.layer).fractions()
        before, after = [Fraction(0)] * self.column, width - self.column - self.layer.n_inputs
        return [[*before, *row, *[Fraction(0)] * after, b] for row, b in zip(weight, bias, strict=True)]


def _stacked(one: _Block, two: _Block, width: int, name: str) -> Layer:
    """Two layers as one of `width` inputs."""
    slopes = np.concatenate([one.layer.slopes, two.layer.slopes])
    if one.layer.exact is None and two.layer.exact is None:
        weight = np.concatenate([one.weight(width), two.weight(width)])
        return Layer(weight, np.concatenate([one.layer.bias, two.layer.bias]), slopes)
    affine = ExactAffine.from_fractions([*one.rows(width), *two.rows(width)])
    return _with_slopes(exact_layer(affine, width, name), slopes)


def _combined(f: Network, g: Network, signs: Sequence[Sequence[int]], word: str) -> Network:
    """Combinations of the outputs of two networks, a block of outputs for each pair of coefficients."""
    _check_networks(word, f, g)
    if f.n_outputs != g.n_outputs:
        raise NetworkError(
            f"{f.name} {word} {g.name}: {f.n_outputs} and {g.n_outputs} outputs, expected as many"
        )
    c = f.n_outputs
    weight = np.block([[s * np.eye(c) for s in row] for row in signs])
    last = Network.from_layers([(weight, np.zeros(len(weight)))])
    both = side_by_side(f, g)
    return _named(compose(last, both), f"{f.name} {word} {g.name}", both.notices)


# ---------------------------------------------------------------- neurons, notices, names


def _places(one: Sequence[Layer], two: Sequence[Layer], common: int) -> list[Ints]:
    """The place of each neuron of two networks in the pattern of both side by side."""
    places: list[list[Ints]] = [[], []]
    at = 0
    for i, pair in enumerate(zip(one, two, strict=True)):
        for own, layer in zip(places, pair, strict=True):
            own.append(at + np.arange(layer.n_neurons))
            at += 0 if i < common else layer.n_neurons
        at += pair[0].n_neurons if i < common else 0
    return [np.concatenate(own) for own in places]


def _joined_groups(networks: Sequence[Network], places: Sequence[Ints]) -> MaxGroups | None:
    """The maxima of several networks, each once, by their places in the joint pattern."""
    found: dict[bytes, Ints] = {}
    for network, place in zip(networks, places, strict=True):
        groups = network.max_groups
        for i in range(0 if groups is None else len(groups)):
            assert groups is not None
            neurons = place[groups.of(i)]
            found[neurons.tobytes()] = neurons
    if not found:
        return None
    offsets = np.cumsum([0, *map(len, found.values())]).astype(np.int64)
    return MaxGroups(np.concatenate(list(found.values())), offsets)


def _joined_notices(*networks: Network) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notice for network in networks for notice in network.notices))


def _named(network: Network, name: str, notices: tuple[str, ...]) -> Network:
    return Network(network.layers, name, network.max_groups, notices, network.final_function)


# ---------------------------------------------------------------- what is handed in


def _check_networks(what: str, *networks: Any) -> None:
    for network in networks:
        if not isinstance(network, Network):
            raise NetworkError(f"{what}: {type(network).__name__}, expected a Network")


def _column(c: Any) -> Any:
    try:
        return [[entry] for entry in c]
    except TypeError:
        raise NetworkError(f"closed loop: c is {type(c).__name__}, expected a list of numbers") from None


def _matrix(values: Any, shape: tuple[int, int], name: str) -> list[list[Fraction]]:
    """A matrix in rationals."""
    try:
        found = arrays.numbers(values)
    except arrays.NotNumbers as error:
        raise NetworkError(f"closed loop: {name} has {error}, expected {shape} finite numbers") from None
    if found.shape != shape:
        raise NetworkError(f"closed loop: {name} has shape {found.shape}, expected {shape}")
    try:
        return [[Fraction(entry) for entry in row] for row in found.tolist()]
    except (ValueError, OverflowError):
        raise NetworkError(f"closed loop: {name} is not finite, expected finite numbers") from None
