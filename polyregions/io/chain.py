"""Building a network from a sequence of small affine steps, folded exactly.

A source (ONNX, torch) speaks of many operators between two activations: a subtraction, a
permutation, a product, a sum. Here they are collected and folded into one layer. A fold that
float64 can hold without rounding is done in floats; any other in rationals. Float32 sums and
products are never taken, so the layer is the exact composition of the stored constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.activations import IDENTITY, RELU, uniform_slopes
from polyregions.errors import FormatError, UnsupportedError
from polyregions.exact.affine import (
    IntegerAffine,
    affine_of_layer,
    fold,
    integer_matrix,
    integers_of_floats,
    reduced,
)
from polyregions.io.files import network_errors_are_format_errors
from polyregions.network import ExactAffine, Layer, Network, exact_layer

MAX_ENTRIES: Final = 2**24
"""Largest matrix (in entries) written out for an operator that is stored in fewer numbers."""

MAX_FOLD_WORK: Final = 2**31
"""Most exact multiplications spent on folding two matrices."""


@dataclass(frozen=True, eq=False)
class Dense:
    """``y = W x + b``; the units of the layer are ignored."""

    layer: Layer


@dataclass(frozen=True, eq=False)
class Gather:
    """``y = x[index]``: a permutation, or a broadcast that repeats entries."""

    index: Ints
    n_inputs: int

    def is_injective(self) -> bool:
        """Whether no input is used twice."""
        return len(np.unique(self.index)) == len(self.index)


@dataclass(frozen=True, eq=False)
class Offset:
    """``y = sign * x + offset``, sign 1 or -1."""

    sign: float
    offset: Floats


Step: TypeAlias = Dense | Gather | Offset


class Chain:
    """A network under construction: finished layers, and the affine steps since the last activation.

    Attributes:
        where: the source, for messages.
        width: length of the current vector.
        history: every step as it was given, None for a ReLU.
    """

    def __init__(self, where: str, width: int) -> None:
        self.where = where
        self.width = width
        self.history: list[Step | None] = []
        self._layers: list[Layer] = []
        self._steps: list[Step] = []

    def apply(self, step: Step) -> None:
        """Let an affine step act on the current vector.

        Raises:
            FormatError: the step takes a vector of another length.
            UnsupportedError: folding it exactly would take unreasonably long.
        """
        n_inputs, n_outputs = _step_shape(step)
        if n_inputs != self.width:
            raise FormatError(f"{self._place()}: takes {n_inputs} numbers, but {self.width} come in")
        self.history.append(step)
        while self._steps and (merged := _merge(self._steps[-1], step, self._place())) is not None:
            self._steps.pop()
            step = merged
        self._steps.append(step)
        self.width = n_outputs

    def relu(self) -> None:
        """Let a ReLU act on the current vector."""
        self.history.append(None)
        if self._layers and not self._steps:
            return  # the last thing was a ReLU, and ReLU(ReLU(x)) = ReLU(x)
        self._layers.append(self._fold().with_units(RELU))

    def network(self, name: str) -> Network:
        """The finished network, its last layer with ReLU units if a ReLU came last."""
        layers = list(self._layers)
        if self._steps or not layers:
            layers.append(self._fold().with_units(IDENTITY))
        return Network.from_units(layers, name)

    def _fold(self) -> Layer:
        steps, self._steps = self._steps, []
        layers = [_written_out(step, self._place()) for step in steps]
        if not layers:
            layers = [_written_out(Offset(1.0, np.zeros(self.width)), self._place())]
        with network_errors_are_format_errors():
            return fold(layers, self._place())

    def _place(self) -> str:
        return f"{self.where}, layer {len(self._layers) + 1}"


def check_entries(n_rows: int, n_columns: int, where: str) -> None:
    """Refuse to write out a matrix that is too large.

    Raises:
        UnsupportedError: more than `MAX_ENTRIES` entries.
    """
    if n_rows * n_columns > MAX_ENTRIES:
        raise UnsupportedError(
            f"{where}: written out as a matrix it has {n_rows} x {n_columns} entries, "
            f"expected at most {MAX_ENTRIES}"
        )


def dense(weight: Floats, bias: Floats) -> Dense:
    """A step from finite float64 arrays (n, k) and (n,)."""
    return Dense(Layer(weight + 0.0, bias + 0.0, uniform_slopes(len(bias), IDENTITY)))  # + 0.0: no -0.0


def _step_shape(step: Step) -> tuple[int, int]:
    if isinstance(step, Dense):
        return step.layer.n_inputs, step.layer.n_units
    if isinstance(step, Gather):
        return step.n_inputs, len(step.index)
    return len(step.offset), len(step.offset)


def _merge(first: Step, second: Step, where: str) -> Step | None:
    """One step equal to two, exactly; None where they are better kept apart."""
    match first, second:
        case Dense(), Dense():
            return _merge_dense(first, second, where)
        case Dense(), Gather():
            return Dense(_selected_rows(first.layer, second.index, where))
        case Dense(), Offset():
            return Dense(_offset_output(first.layer, second, where))
        case Gather(), Gather():
            return Gather(first.index[second.index], first.n_inputs)
        case Gather(), Dense() if first.is_injective() and second.layer.exact is None:
            return Dense(_scattered_columns(first, second.layer))
        case Offset(), Dense():
            return Dense(_offset_input(first, second.layer, where))
        case Offset(), Offset():
            return _merge_offsets(first, second)
    return None


def _merge_dense(first: Dense, second: Dense, where: str) -> Dense:
    inner, outer = first.layer, second.layer
    if outer.n_units * outer.n_inputs * (inner.n_inputs + 1) > MAX_FOLD_WORK:
        raise UnsupportedError(
            f"{where}: two affine maps without an activation between them, {inner.weight.shape} "
            f"then {outer.weight.shape}, are too large to fold exactly"
        )
    with network_errors_are_format_errors():
        return Dense(fold([inner, outer], where))


def _selected_rows(layer: Layer, index: Ints, where: str) -> Layer:
    check_entries(len(index), layer.n_inputs, where)
    if layer.exact is not None:
        chosen = ExactAffine(layer.exact.numerators[index], layer.exact.denominator)
        return exact_layer(chosen, layer.n_inputs, where)
    return dense(layer.weight[index], layer.bias[index]).layer


def _scattered_columns(gather: Gather, layer: Layer) -> Layer:
    weight = np.zeros((layer.n_units, gather.n_inputs))
    weight[:, gather.index] = layer.weight
    return dense(weight, layer.bias).layer


def _offset_output(layer: Layer, step: Offset, where: str) -> Layer:
    """``sign * (W x + b) + c``."""
    if layer.exact is None:
        bias = _exact_sum(step.sign * layer.bias, step.offset)
        if bias is not None:
            return dense(step.sign * layer.weight, bias).layer
    affine, (c, denominator) = affine_of_layer(layer), _integers(step.offset)
    factor = int(step.sign) * denominator
    rows = [affine.row(i) for i in range(layer.n_units)]
    scaled = [
        [*(factor * w for w in row[:-1]), factor * row[-1] + c[i] * affine.denominator]
        for i, row in enumerate(rows)
    ]
    return _layer_of_rows(scaled, affine.denominator * denominator, layer.n_inputs, where)


def _offset_input(step: Offset, layer: Layer, where: str) -> Layer:
    """``W (sign * x + c) + b``: only the bias needs exact arithmetic, not a product of matrices."""
    if layer.exact is None and not step.offset.any():
        return dense(step.sign * layer.weight, layer.bias).layer
    affine, (c, denominator) = affine_of_layer(layer), _integers(step.offset)
    factor = int(step.sign) * denominator
    scaled = []
    for i in range(layer.n_units):
        *weights, bias = affine.row(i)
        shift = sum(w * entry for w, entry in zip(weights, c, strict=True))
        scaled.append([*(factor * w for w in weights), bias * denominator + shift])
    return _layer_of_rows(scaled, affine.denominator * denominator, layer.n_inputs, where)


def _merge_offsets(first: Offset, second: Offset) -> Offset | None:
    total = _exact_sum(second.sign * first.offset, second.offset)
    return None if total is None else Offset(first.sign * second.sign, total)


def _exact_sum(a: Floats, b: Floats) -> Floats | None:
    """a + b where no entry is rounded, else None (the rounding error is Knuth's TwoSum)."""
    with np.errstate(over="ignore", invalid="ignore"):
        total: Floats = a + b
        part = total - a
        error = (a - (total - part)) + (b - part)
    return total if not np.any(error) else None  # an overflow leaves NaN, which counts as an error


def _integers(offset: Floats) -> tuple[list[int], int]:
    rows, denominator = integers_of_floats(offset[np.newaxis])
    return rows[0], denominator


def _layer_of_rows(rows: list[list[int]], denominator: int, n_inputs: int, where: str) -> Layer:
    affine: IntegerAffine = reduced(integer_matrix(rows, n_inputs + 1), denominator)
    with network_errors_are_format_errors():
        return exact_layer(affine.plain(), n_inputs, where)


def _written_out(step: Step, where: str) -> Layer:
    """Any step as a layer."""
    if isinstance(step, Dense):
        return step.layer
    n_inputs, n_outputs = _step_shape(step)
    check_entries(n_outputs, n_inputs, where)
    if isinstance(step, Gather):
        weight = np.zeros((n_outputs, n_inputs))
        weight[np.arange(n_outputs), step.index] = 1.0
        return dense(weight, np.zeros(n_outputs)).layer
    return dense(step.sign * np.eye(n_inputs), step.offset).layer
