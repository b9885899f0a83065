"""The network as plain data: affine maps with two-slope units between them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from math import isfinite
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Bools, Floats, Ints
from polyregions.errors import NetworkError, OptionError, UnsupportedError, visible
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks import float_range
from polyregions.networks.activations import IDENTITY, RELU, activate, splitting, uniform_slopes
from polyregions.networks.final_function import FinalFunction
from polyregions.networks.maxima import MaxGroups
from polyregions.read_only import ReadOnly


@dataclass(frozen=True, eq=False)
class Layer(ReadOnly):
    """One affine map and the units that follow it.

    Attributes:
        weight: (n, k) float64.
        bias: (n,) float64.
        slopes: (n, 2) float64, the slopes (off, on) of each unit.
        exact: the affine map in rationals where float64 cannot hold it (then weight and bias are
            its nearest floats); None where the floats are the map.
    """

    weight: Floats
    bias: Floats
    slopes: Floats
    exact: ExactAffine | None = None

    @property
    def n_units(self) -> int:
        """Number of units n."""
        return len(self.weight)

    @property
    def n_inputs(self) -> int:
        """Number of inputs k."""
        return int(self.weight.shape[1])

    @property
    def splitting(self) -> Bools:
        """Which units (n,) have a kink."""
        return splitting(self.slopes)

    @property
    def n_neurons(self) -> int:
        """Number of units with a bit in the activation pattern."""
        return int(np.count_nonzero(self.splitting))

    def linear(self, matrix: Floats) -> Floats:
        """``weight @ matrix`` in float64, for a vector (k,) or a matrix (k, m)."""
        product: Floats = self.weight @ matrix
        return product

    def linear_sizes(self, matrix: Floats) -> Floats:
        """``|weight| @ matrix`` in float64, for a vector (k,) or a matrix (k, m)."""
        product: Floats = np.abs(self.weight) @ matrix
        return product

    def forward(self, values: Floats) -> Floats:
        """Pre-activations (m, n) or (n,) in float64 of values (m, k) or (k,)."""
        found: Floats = values @ self.weight.T + self.bias
        return found

    def row_blocks(self) -> Iterator[tuple[slice, Ints, Floats]]:
        """The weight in pieces, here one: some rows, the columns that are not empty in them, the entries there."""
        yield slice(0, self.n_units), np.arange(self.n_inputs), self.weight

    def numbers(self) -> tuple[Any, ...]:
        """The arrays that the layer consists of, in a fixed order."""
        return self.weight, self.bias, self.slopes

    def weight_part(self, rows: Ints, columns: Ints) -> Floats:
        """The weight (p, q) of some units (p,) on some inputs (q,)."""
        return self.weight[np.ix_(rows, columns)]

    @property
    def can_die(self) -> bool:
        """Whether it gives zero where all its neurons are off: no unit passes values on, none has a slope off."""
        return 0 < self.n_neurons == self.n_units and not bool(np.any(self.slopes[:, 0]))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.n_units} units of {self.n_inputs} inputs>"

    def with_units(self, slopes: tuple[float, float]) -> Layer:
        """A copy whose units are all of one kind."""
        return Layer(self.weight, self.bias, uniform_slopes(self.n_units, slopes), self.exact)


@dataclass(frozen=True, eq=False)
class Network(ReadOnly):
    """A feed-forward network of layers, each an affine map followed by two-slope units.

    The last layer usually has identity units (an affine output); with a final activation its units
    split like any others. Build one with `Network.from_layers` or `load_network`.

    Attributes:
        layers: the layers, input to output.
        name: where it came from, for messages.
        max_groups: which neurons are comparators of maxima; None where there are no maxima.
        notices: what a user should know of how the source was read.
        final_function: what the source does to the outputs in the end, and this network does not: "Softmax",
            "LogSoftmax", "Sigmoid" or "ArgMax"; outputs here are the values in front of it. None for nothing.
    """

    layers: tuple[Layer, ...]
    name: str = "network"
    max_groups: MaxGroups | None = None
    notices: tuple[str, ...] = ()
    final_function: FinalFunction | None = None

    @classmethod
    def from_layers(
        cls,
        layers: Iterable[tuple[Any, Any]],
        final_activation: str | None = None,
        name: str = "network",
    ) -> Network:
        """Build a ReLU network from ``(weight, bias)`` pairs: ReLU between them, affine at the end.

        Args:
            layers: pairs of a weight (n, k) and a bias (n,); numpy arrays or nested lists of numbers and
                ``fractions.Fraction``. What float64 cannot hold (integers, fractions) is kept exactly.
            final_activation: None, or ``"relu"`` if a ReLU follows the last affine map too.
            name: used in messages.

        Raises:
            NetworkError: not a real number of at most 64 bits, not finite, or shapes that do not fit; names the layer.

        >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
        >>> net([[-3.0], [2.0]]).tolist()
        [[3.0], [2.0]]
        """
        if final_activation is not None and not (
            isinstance(final_activation, str) and final_activation == "relu"
        ):
            raise NetworkError(f"{name}: final_activation is {final_activation!r}, expected None or 'relu'")
        pairs = _listed(layers, name, "(weight, bias) pair")
        last = IDENTITY if final_activation is None else RELU
        units = [RELU] * (len(pairs) - 1) + [last]
        built = [affine_layer(pair, f"{name}, layer {i + 1}") for i, pair in enumerate(pairs)]
        return cls.from_units([b.with_units(u) for b, u in zip(built, units, strict=True)], name)

    @classmethod
    def from_units(
        cls,
        layers: Iterable[Layer],
        name: str = "network",
        max_groups: MaxGroups | None = None,
        notices: tuple[str, ...] = (),
        final_function: FinalFunction | None = None,
    ) -> Network:
        """Build a network from complete layers, checking that each takes what the one before gives.

        Raises:
            NetworkError: no layers, or widths that do not follow each other.
        """
        chain = tuple(_listed(layers, name, "Layer"))
        for i, layer in enumerate(chain):
            if not isinstance(layer, Layer):
                raise NetworkError(f"{name}, layer {i + 1}: {type(layer).__name__}, expected a Layer")
        for i, (before, after) in enumerate(zip(chain, chain[1:], strict=False)):
            if before.n_units != after.n_inputs:
                raise NetworkError(
                    f"{name}, layer {i + 2}: weight has {after.n_inputs} columns, "
                    f"expected {before.n_units} (the width of layer {i + 1})"
                )
        return cls(chain, name, max_groups, notices, final_function)

    @property
    def n_inputs(self) -> int:
        """Number of inputs d."""
        return self.layers[0].n_inputs

    @property
    def n_outputs(self) -> int:
        """Number of outputs c."""
        return self.layers[-1].n_units

    @property
    def activation_layers(self) -> tuple[Layer, ...]:
        """The layers that have units with a kink or stand before the last one, in order."""
        return self.layers if self.layers[-1].n_neurons else self.layers[:-1]

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons (bits of the activation pattern) in each activation layer."""
        return tuple(layer.n_neurons for layer in self.activation_layers)

    @property
    def n_neurons(self) -> int:
        """Length N of the activation pattern."""
        return sum(self.widths)

    @property
    def layer_spans(self) -> list[tuple[int, int]]:
        """Where each activation layer's bits start and end in the pattern."""
        ends = list(accumulate(self.widths))
        return list(zip([0, *ends], ends, strict=False))

    def up_to_layer(self, layer: int) -> Network:
        """The network that ends behind the units of an activation layer (counted from 1), whose values it gives.

        Raises:
            OptionError: there is no such layer.

        >>> net = Network.from_layers([([[1], [-1]], [1, 1]), ([[1, 1]], [0])])
        >>> net.up_to_layer(1)([0.5]).tolist()
        [1.5, 0.5]
        """
        last = len(self.activation_layers)
        if isinstance(layer, bool) or not isinstance(layer, (int, np.integer)) or not 1 <= layer <= last:
            expected = f"a number from 1 to {last}" if last else "none, for it has no activation layers"
            raise OptionError(f"{self.name}: activation layer {layer!r}, expected {expected}")
        groups = self.max_groups and self.max_groups.within(sum(self.widths[:layer]))
        name = f"{self.name} up to layer {layer}"
        return Network(self.layers[:layer], name, groups, self.notices)

    @cached_property
    def is_tame(self) -> bool:
        """Whether floats can prove anything about this network, see `float_range`; if not, rationals do all."""
        return float_range.is_tame(self.layers)

    def neuron_layers(self) -> list[tuple[int, int]]:
        """For each neuron of the pattern its (layer, unit), both counted from 0."""
        return [
            (index, int(unit))
            for index, layer in enumerate(self.activation_layers)
            for unit in np.flatnonzero(layer.splitting)
        ]

    def __call__(self, X: Any) -> Floats:
        """Evaluate in float64: inputs (k, d) or (d,) to outputs (k, c) or (c,); infinite or NaN where that overflows.

        Raises:
            NetworkError: not numbers, or the last axis of X is not d long.
        """
        try:
            values = arrays.floats(X)
        except arrays.NotNumbers as error:
            raise NetworkError(f"{self.name}: input: {error}, expected real numbers in float64") from None
        if values.ndim not in (1, 2) or values.shape[-1] != self.n_inputs:
            raise NetworkError(
                f"{self.name}: input of shape {values.shape}, expected (k, {self.n_inputs}) or ({self.n_inputs},)"
            )
        with np.errstate(all="ignore"):
            for layer in self.layers:
                values = activate(layer.forward(values), layer.slopes)
        return values

    def without_final_function(self) -> Network:
        """The same network as one that nothing was taken off: its outputs are what it is about, not probabilities.

        >>> from dataclasses import replace
        >>> net = Network.from_layers([([[1], [-1]], [0, 0])])
        >>> replace(net, final_function="Softmax").without_final_function().final_function is None
        True
        """
        return replace(self, final_function=None)

    def check_values_are_outputs(self, what: str) -> None:
        """Refuse a question about values of outputs where a final function was taken off.

        Args:
            what: what asks, for the message.

        Raises:
            UnsupportedError: names the function, and how to ask about the values in front of it.
        """
        if self.final_function is not None:
            raise self.refusal_of_values(what)

    def refusal_of_values(self, what: str) -> UnsupportedError:
        """What `check_values_are_outputs` raises."""
        return UnsupportedError(
            f"{self.name}: ends in {self.final_function}, which is not piecewise linear, so {what} of its outputs is "
            "not answered; of the values in front of it, it is: use network.without_final_function(), on the "
            "command line --logits"
        )

    def fingerprint(self) -> str:
        """SHA-256 of the exact function's data, the same on every machine."""
        digest = hashlib.sha256()
        for layer in self.layers:
            digest.update(repr((layer.n_units, layer.n_inputs)).encode())
            for array in layer.numbers():
                digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
            if layer.exact is not None:
                integers = [*layer.exact.numerators.flat, layer.exact.denominator]
                digest.update(
                    ",".join(f"{n:x}" for n in integers).encode()
                )  # decimals have a limit of digits
        return digest.hexdigest()

    def _compared(self) -> Any:
        """The function; not what it is called, and how its source was read."""
        return self.layers, self.max_groups, self.final_function

    def __repr__(self) -> str:
        shape = "-".join(str(n) for n in (self.n_inputs, *(layer.n_units for layer in self.layers)))
        return f"<Network {visible(self.name)}: {shape}, {self.n_neurons} neurons>"


def affine_layer(pair: tuple[Any, Any], where: str) -> Layer:
    """A layer with identity units from one (weight, bias) pair, checked and lifted exactly.

    Raises:
        NetworkError: anything but finite real numbers in shapes (n, k) and (n,).
    """
    try:
        weight, bias = pair
    except (TypeError, ValueError):
        raise NetworkError(f"{where}: {type(pair).__name__}, expected a (weight, bias) pair") from None
    W, b = _real_array(weight, f"{where}, weight"), _real_array(bias, f"{where}, bias")
    if W.ndim != 2:
        raise NetworkError(f"{where}: weight has shape {W.shape}, expected two axes (n, k)")
    if b.shape != (W.shape[0],):
        raise NetworkError(
            f"{where}: bias has shape {b.shape}, expected ({W.shape[0]},), one per row of the weight"
        )
    if W.dtype == object or b.dtype == object:
        return exact_layer(
            ExactAffine.from_fractions([[*w, c] for w, c in zip(W, b, strict=True)]), W.shape[1], where
        )
    return Layer(W, b, uniform_slopes(len(b), IDENTITY))


def exact_layer(affine: ExactAffine, n_inputs: int, where: str) -> Layer:
    """A layer with identity units that stands for an exact affine map; plain floats if they can hold it.

    Raises:
        NetworkError: an entry is beyond the range of float64.
    """
    try:
        floats = affine.nearest_floats().reshape(-1, n_inputs + 1)
        exact = None if affine.is_float64() else affine
    except OverflowError:
        raise NetworkError(f"{where}: an exact coefficient is beyond the range of float64") from None
    weight, bias = np.ascontiguousarray(floats[:, :-1]), np.ascontiguousarray(floats[:, -1])
    return Layer(weight, bias, uniform_slopes(len(bias), IDENTITY), exact)


def _listed(layers: Any, name: str, wanted: str) -> list[Any]:
    """What can be iterated, as a list that is not empty."""
    try:
        found = iter(layers)
    except TypeError:
        raise NetworkError(
            f"{name}: {type(layers).__name__}, expected a list with a {wanted} for each layer"
        ) from None
    listed = list(found)
    if not listed:
        raise NetworkError(f"{name}: no layers, expected at least one {wanted}")
    return listed


def _real_array(values: Any, where: str) -> Any:
    """Float64 (or object, for exact rationals and large ints) array of finite numbers."""
    try:
        array = arrays.numbers(values)
    except arrays.NotNumbers as error:
        place = f"{where}{list(error.index)}" if error.index else where
        wanted = "a real number" if error.index else "a rectangular array of real numbers of at most 64 bits"
        raise NetworkError(f"{place}: {error.found}, expected {wanted}") from None
    if array.dtype == object:
        return _finite_rationals(array, where)
    if array.dtype.kind in "iu" and np.any(array.astype(np.float64).astype(object) != array.astype(object)):
        return array.astype(object)
    return _finite(array.astype(np.float64), where)


def _finite_rationals(array: Any, where: str) -> Any:
    for index, entry in np.ndenumerate(array):
        if isinstance(entry, float) and not isfinite(entry):
            raise NetworkError(f"{where}{list(index)} is {entry}, expected a finite number")
    return array


def _finite(array: Floats, where: str) -> Floats:
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        raise NetworkError(
            f"{where}{list(index)} is {array[index]}, expected a finite number ({len(bad)} such)"
        )
    array = array.copy()
    array.setflags(write=False)
    return array
