"""Bounds on the number of linear regions from the literature, each with its conditions checked.

All of them bound R2, the patterns of sets with an interior (`count_regions`), and so R3 to R6 too. None uses the
input set: the upper ones hold on all of R^d and therefore on every convex part of it. A lower bound says what the
best weights of the architecture reach on R^d; it says nothing about the network at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import comb, factorial, prod
from typing import Literal, TypeAlias

from polyregions.analysis.counting.sparse_layers import Stack, matchable_sets, places_of, stack_of
from polyregions.errors import NetworkError, OptionError, expect
from polyregions.networks.folding import affine_of_layer
from polyregions.networks.network import Layer, Network

Kind: TypeAlias = Literal["upper", "lower", "heuristic"]
Number: TypeAlias = "int | Fraction"


@dataclass(frozen=True)
class Bound:
    """One bound, or why it does not apply.

    Attributes:
        name: a short identifier.
        title: authors and year, as a table of a paper has them.
        kind: "upper" holds for this network; "lower" holds for the best weights of its architecture, not for
            this network; "heuristic" is an order of magnitude at random initialisation and bounds nothing.
        value: the exact number, None if the conditions do not hold.
        reason: which condition fails, None if there is a value.
        statement: the bound in a sentence.
        citation: where it is proved.
    """

    name: str
    title: str
    kind: Kind
    value: Number | None
    reason: str | None
    statement: str
    citation: str


@dataclass(frozen=True)
class Shape:
    """What the bounds need to know of a network.

    Attributes:
        n_inputs: d.
        neurons: units with a kink in each activation layer.
        passing: units without a kink in each activation layer.
        layers: the activation layers.
    """

    n_inputs: int
    neurons: tuple[int, ...]
    passing: tuple[int, ...]
    layers: tuple[Layer, ...]

    @property
    def units(self) -> list[int]:
        """All units of each activation layer."""
        return [n + p for n, p in zip(self.neurons, self.passing, strict=True)]

    @cached_property
    def first_layer(self) -> int | None:
        """Regions of the first layer with generic weights where its are not zero, None if that is too much work."""
        if not self.layers:
            return 1
        places = places_of(self.layers[0], self.layers[0].splitting)
        return matchable_sets(places.sees, places.sizes)

    @cached_property
    def stack(self) -> Stack | str:
        """Its layers by places, or why they do not stand on each other."""
        return stack_of(self.layers)


@dataclass(frozen=True)
class _Rule:
    """A bound before it meets a network: its text, its conditions in order, and its formula."""

    name: str
    title: str
    kind: Kind
    statement: str
    citation: str
    conditions: tuple[Callable[[Shape], str | None], ...]
    formula: Callable[[Shape], Number]

    def applied(self, shape: Shape) -> Bound:
        reason = next((r for r in (check(shape) for check in self.conditions) if r is not None), None)
        value = self.formula(shape) if reason is None else None
        return Bound(self.name, self.title, self.kind, value, reason, self.statement, self.citation)


def bounds(network: Network) -> tuple[Bound, ...]:
    """The known bounds on the number of linear regions (R2) of a network, as exact integers.

    A heuristic value may be a ``fractions.Fraction``. With d inputs, hidden widths n_1 ... n_L and N neurons in
    all; a unit without a kink is no neuron, but counts where a bound limits the dimension of what passes a layer.

    Args:
        network: the network.

    Returns:
        Upper bounds, then lower bounds, then the heuristic; a bound whose conditions fail says which one does.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1], [1, 1]], [0, 0, 1]), ([[1, 1, 1]], [0])])
    >>> {b.name: b.value for b in bounds(net)}["zaslavsky"]
    7

    Complexity: O(L n d) products of big integers for widths n.
    """
    expect(network, Network, "network", NetworkError)
    shape = _shape(network)
    return tuple(rule.applied(shape) for rule in RULES)


def bounds_of(network: Network) -> dict[str, Bound]:
    """The same by name."""
    return {bound.name: bound for bound in bounds(network)}


def wanted_bounds(names: Iterable[str] | str) -> list[str]:
    """Names of bounds in the order in which `bounds` gives them.

    Raises:
        OptionError: there is no such bound.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in BOUND_NAMES:
            raise OptionError(f"bound {name!r}, expected some of {', '.join(BOUND_NAMES)}")
    return [name for name in BOUND_NAMES if name in wanted]


def _shape(network: Network) -> Shape:
    layers = network.activation_layers
    passing = tuple(layer.n_units - layer.n_neurons for layer in layers)
    return Shape(network.n_inputs, network.widths, passing, layers)


# ---------------------------------------------------------------- conditions


def _one_kinked_layer(shape: Shape) -> str | None:
    kinked = sum(n > 0 for n in shape.neurons)
    return None if kinked <= 1 else f"{kinked} layers have units with a kink, expected one"


def _some_hidden_layer(shape: Shape) -> str | None:
    return None if shape.layers else "there is no hidden layer"


def _some_input(shape: Shape) -> str | None:
    return None if shape.n_inputs else "there is no input"


def _each_kink_has_a_dead_side(shape: Shape) -> str | None:
    """A unit with two slopes other than 0 never loses a dimension."""
    for index, layer in enumerate(shape.layers):
        for unit, (off, on) in enumerate(layer.slopes.tolist()):
            if off != on and off != 0 and on != 0:
                return (
                    f"layer {index + 1}, unit {unit} has slopes ({off}, {on}), expected one of them to be 0"
                )
    return None


def _only_relu(shape: Shape) -> str | None:
    for index, layer in enumerate(shape.layers):
        for unit, (off, on) in enumerate(layer.slopes.tolist()):
            if off != 0 or on <= 0:
                return f"layer {index + 1}, unit {unit} has slopes ({off}, {on}), expected a ReLU (0, 1)"
    return None


def _as_wide_as(factor: int, last_too: bool) -> Callable[[Shape], str | None]:
    """The condition that every layer (or every one but the last) has at least factor * d neurons."""

    def check(shape: Shape) -> str | None:
        widths = shape.neurons if last_too else shape.neurons[:-1]
        for index, n in enumerate(widths):
            if n < factor * shape.n_inputs:
                return f"layer {index + 1} has {n} neurons, expected at least {factor * shape.n_inputs}"
        return None

    return check


def _countable_first_layer(shape: Shape) -> str | None:
    return (
        None
        if shape.first_layer is not None
        else "what the first layer's units see overlaps in too many ways"
    )


def _places_on_places(shape: Shape) -> str | None:
    return shape.stack if isinstance(shape.stack, str) else None


# ---------------------------------------------------------------- formulas


def cells_in_general_position(n: int, d: int) -> int:
    """How many cells n hyperplanes in general position cut R^d into: the sum of C(n, j) over j <= d.

    >>> cells_in_general_position(4, 2)
    11
    """
    return sum(comb(n, j) for j in range(min(n, d) + 1))


def _trivial(shape: Shape) -> int:
    return 1 << sum(shape.neurons)


def _zaslavsky(shape: Shape) -> int:
    return cells_in_general_position(sum(shape.neurons), shape.n_inputs)


def _raghu(shape: Shape) -> int:
    return prod(cells_in_general_position(n, shape.n_inputs) for n in shape.neurons)


def _montufar_2017(shape: Shape) -> int:
    total, dim = 1, shape.n_inputs
    for n, units in zip(shape.neurons, shape.units, strict=True):
        total *= cells_in_general_position(n, dim)
        dim = min(dim, units)
    return total


def _xiong_upper(shape: Shape) -> int:
    assert shape.first_layer is not None
    later = shape.neurons[1:]
    return shape.first_layer * prod(cells_in_general_position(n, shape.n_inputs) for n in later)


def _xiong_lower(shape: Shape) -> int:
    assert isinstance(shape.stack, Stack)
    return shape.stack.zigzags * shape.stack.last


def _serra_2018(shape: Shape) -> int:
    """The recursion R(l, d) = sum over j <= min(n_l, d) of C(n_l, j) R(l+1, min(d, n_l - j + passing_l))."""
    after = [1] * (shape.n_inputs + 1)
    for n, passing in reversed(list(zip(shape.neurons, shape.passing, strict=True))):
        choose = [comb(n, j) for j in range(min(n, shape.n_inputs) + 1)]
        after = [
            sum(choose[j] * after[min(d, n - j + passing)] for j in range(min(n, d) + 1))
            for d in range(shape.n_inputs + 1)
        ]
    return after[shape.n_inputs]


def _hinz(shape: Shape) -> int:
    """Push the histogram of image dimensions through the layers, from all weight on dimension d."""
    histogram = [0] * shape.n_inputs + [1]
    for n, passing in zip(shape.neurons, shape.passing, strict=True):
        image = [0] * (min(shape.n_inputs, n + passing) + 1)
        for d, count in enumerate(histogram):
            for j in range(min(n, d) + 1):
                image[min(d, n - j + passing)] += count * comb(n, j)
        histogram = image
    return sum(histogram)


def _serra_ramalingam(shape: Shape) -> int:
    """R(l, k, d) = sum over j <= min(U, d) of C(U, j) R(l+1, A - j, min(d, A - j)), see `Reach` for A and U."""
    if not shape.layers:
        return 1
    d0 = shape.n_inputs
    after: list[list[int]] = [[1] * (min(d0, k) + 1) for k in range(shape.neurons[-1] + 1)]
    for layer in reversed(shape.layers[1:]):
        reach = Reach.of(layer)
        known: dict[tuple[int, int], list[int]] = {}
        before = []
        for k in range(layer.n_inputs + 1):
            key = reach.active(k), reach.undecided(k)
            if key not in known:
                known[key] = [_regions_below(*key, d, after) for d in range(min(d0, layer.n_inputs) + 1)]
            before.append(known[key][: min(d0, k) + 1])
        after = before
    rows = affine_of_layer(shape.layers[0])
    entries = [rows.row(u) for u in range(shape.neurons[0])]
    varying = sum(any(row[:-1]) for row in entries)
    always = sum(not any(row[:-1]) and row[-1] > 0 for row in entries)
    return _regions_below(varying + always, varying, d0, after)


def _regions_below(active: int, undecided: int, d: int, after: list[list[int]]) -> int:
    return sum(
        comb(undecided, j) * after[active - j][min(d, active - j)] for j in range(min(undecided, d) + 1)
    )


@dataclass(frozen=True)
class Reach:
    """How many units of a ReLU layer can be on, and how many can be either, if k units below are on.

    What is below is >= 0, and 0 but for k units. So a unit with bias <= 0 needs a positive weight from one of them
    to be on, and one with bias >= 0 a negative weight to be off; the units that k units below can so provide for
    number at most the sum of the k largest columns.

    Attributes:
        always: units that may be on whatever is below (bias > 0).
        wakeable: units that have to be woken, at most.
        wakes: how many of them each unit below wakes, largest first.
        switchable: units that can be both on and off, at most.
        switches: how many of them each unit below switches, largest first.
    """

    always: int
    wakeable: int
    wakes: Sequence[int]
    switchable: int
    switches: Sequence[int]

    @classmethod
    def of(cls, layer: Layer) -> Reach:
        """Read it off the signs of a layer's exact weights."""
        affine = affine_of_layer(layer)
        rows = [affine.row(u) for u in range(layer.n_units)]
        waking = [[w > 0 for w in row[:-1]] for row in rows if row[-1] <= 0]
        wakeable = [row for row in waking if any(row)]
        switching = [switch for switch in map(_switch, rows) if any(switch)]
        always = sum(row[-1] > 0 for row in rows)
        return cls(always, len(wakeable), _columns(wakeable), len(switching), _columns(switching))

    def active(self, k: int) -> int:
        """A: how many units can be on, at most."""
        return self.always + min(self.wakeable, sum(self.wakes[:k]))

    def undecided(self, k: int) -> int:
        """U: how many units can be either, at most."""
        return min(self.switchable, sum(self.switches[:k]), self.active(k))


def _switch(row: list[int]) -> list[bool]:
    """Which units below a unit needs one of to be either on or off: none if its bias and weights agree in sign."""
    *weights, bias = row
    if bias == 0 and not (min(weights, default=0) < 0 < max(weights, default=0)):
        return [False] * len(weights)
    return [w < 0 if bias > 0 else w > 0 for w in weights]


def _columns(rows: list[list[bool]]) -> list[int]:
    return sorted((sum(column) for column in zip(*rows, strict=True)), reverse=True)


def _product_then_last(factor: Callable[[int, int], int]) -> Callable[[Shape], int]:
    """``factor(n_l, d)`` over all layers but the last, times the cells of the last in general position."""

    def formula(shape: Shape) -> int:
        *inner, last = shape.neurons
        d = shape.n_inputs
        return prod(factor(n, d) for n in inner) * cells_in_general_position(last, d)

    return formula


def _hanin_rolnick(shape: Shape) -> Number:
    n, d = sum(shape.neurons), shape.n_inputs
    if n < d:
        return 1 << n
    value = Fraction(n**d, factorial(d))
    return value.numerator if value.denominator == 1 else value


# ---------------------------------------------------------------- the list

XIONG = (
    "Xiong, Huang, Yu, Liu, Zhu, Shao, On the number of linear regions of convolutional neural networks, "
    "ICML 2020, "
)
_RELU_ARCHITECTURE = (_some_hidden_layer, _some_input, _only_relu)

RULES: tuple[_Rule, ...] = (
    _Rule(
        "trivial",
        "trivial",
        "upper",
        "2^N: every neuron is on or off.",
        "Montúfar, Pascanu, Cho, Bengio, On the number of linear regions of deep neural networks, NeurIPS 2014.",
        (),
        _trivial,
    ),
    _Rule(
        "zaslavsky",
        "Zaslavsky 1975",
        "upper",
        "One layer of n neurons: at most the sum of C(n, j) over j <= d, with equality iff its hyperplanes are in "
        "general position.",
        "Buck, Partition of space, Amer. Math. Monthly 50 (1943); Zaslavsky, Facing up to arrangements, Memoirs of "
        "the AMS 154 (1975).",
        (_one_kinked_layer,),
        _zaslavsky,
    ),
    _Rule(
        "raghu_2017",
        "Raghu et al. 2017",
        "upper",
        "The product over the layers of the sum of C(n_l, j) over j <= d, which is O(m^(L d)) for widths m.",
        "Raghu, Poole, Kleinberg, Ganguli, Sohl-Dickstein, On the expressive power of deep neural networks, ICML 2017.",
        (),
        _raghu,
    ),
    _Rule(
        "montufar_2017_upper",
        "Montúfar 2017",
        "upper",
        "The product over the layers of the sum of C(n_l, j) over j <= min(d, n_1, ..., n_(l-1)).",
        "Montúfar, Notes on the number of linear regions of deep neural networks, SampTA 2017.",
        (),
        _montufar_2017,
    ),
    _Rule(
        "serra_2018_upper",
        "Serra et al. 2018",
        "upper",
        "The sum of prod C(n_l, j_l) over all j with 0 <= j_l <= min(d, n_1 - j_1, ..., n_(l-1) - j_(l-1), n_l): "
        "neurons that are off lower the dimension of what passes.",
        "Serra, Tjandraatmadja, Ramalingam, Bounding and counting linear regions of deep neural networks, ICML 2018, "
        "theorem 1.",
        (_each_kink_has_a_dead_side,),
        _serra_2018,
    ),
    _Rule(
        "hinz_2019",
        "Hinz, van de Geer 2019",
        "upper",
        "The 1-norm of B_(n_L) M ... B_(n_1) M e_(d+1), which carries the histogram of the regions' image dimensions "
        "from layer to layer; here with the columns sum of C(n, j) e_min(d, n-j), for which it equals Serra's.",
        "Hinz, van de Geer, A framework for the construction of upper bounds on the number of affine linear regions of "
        "ReLU feed-forward neural networks, IEEE Trans. Inf. Theory 65 (2019).",
        (_each_kink_has_a_dead_side,),
        _hinz,
    ),
    _Rule(
        "serra_ramalingam_2020",
        "Serra, Ramalingam 2020",
        "upper",
        "Serra's sum with, in each layer, only the units that the signs of the weights allow to be on, or to be "
        "either, while k units below are on.",
        "Serra, Ramalingam, Empirical bounds on linear regions of deep rectifier networks, AAAI 2020.",
        (_only_relu,),
        _serra_ramalingam,
    ),
    _Rule(
        "xiong_2020_upper",
        "Xiong et al. 2020",
        "upper",
        "The regions of the first layer with generic weights wherever its weights are not zero, which are the sets of "
        "units that can be matched to different inputs that they see, times the product over the other layers of the "
        "sum of C(n_l, j) over j <= d; with one convolution it is attained by almost all weights.",
        XIONG + "theorems 2 and 5; for units that see any inputs, not only convolutions.",
        (_countable_first_layer,),
        _xiong_upper,
    ),
    _Rule(
        "pascanu_2013_lower",
        "Pascanu et al. 2013",
        "lower",
        "Some weights reach (prod over l < L of floor(n_l / d)) times the sum of C(n_L, j) over j <= d.",
        "Pascanu, Montúfar, Bengio, On the number of response regions of deep feed forward networks with piece-wise "
        "linear activations, ICLR 2014 (arXiv 1312.6098).",
        (*_RELU_ARCHITECTURE, _as_wide_as(1, last_too=False)),
        _product_then_last(lambda n, d: n // d),
    ),
    _Rule(
        "montufar_2014_lower",
        "Montúfar et al. 2014",
        "lower",
        "Some weights reach (prod over l < L of floor(n_l / d)^d) times the sum of C(n_L, j) over j <= d, if n_l >= d.",
        "Montúfar, Pascanu, Cho, Bengio, On the number of linear regions of deep neural networks, NeurIPS 2014.",
        (*_RELU_ARCHITECTURE, _as_wide_as(1, last_too=True)),
        _product_then_last(lambda n, d: int((n // d) ** d)),
    ),
    _Rule(
        "serra_2018_lower",
        "Serra et al. 2018",
        "lower",
        "Some weights reach (prod over l < L of (floor(n_l / d) + 1)^d) times the sum of C(n_L, j) over j <= d, if "
        "n_l >= 3 d.",
        "Serra, Tjandraatmadja, Ramalingam, Bounding and counting linear regions of deep neural networks, ICML 2018.",
        (*_RELU_ARCHITECTURE, _as_wide_as(3, last_too=True)),
        _product_then_last(lambda n, d: int((n // d + 1) ** d)),
    ),
    _Rule(
        "xiong_2020_lower",
        "Xiong et al. 2020",
        "lower",
        "Some weights where these are not zero reach (prod over l < L of floor(d_l / d_0)^(d_0 p_l)) times the regions "
        "of the last layer on the places below, with p_l places in layer l, d_l units at each and d_0 inputs at each.",
        XIONG + "theorem 5; for units that see any places, if each place has one of its own below.",
        (*_RELU_ARCHITECTURE, _places_on_places),
        _xiong_lower,
    ),
    _Rule(
        "hanin_rolnick_2019",
        "Hanin, Rolnick 2019",
        "heuristic",
        "N^d / d! if N >= d, else 2^N: the order of the expected number in a cube at random initialisation, with the "
        "constant that depends on the law of the weights left out.",
        "Hanin, Rolnick, Deep ReLU networks have surprisingly few activation patterns, NeurIPS 2019.",
        (),
        _hanin_rolnick,
    ),
)

BOUND_NAMES = tuple(rule.name for rule in RULES)
