"""The .nnet text format (Kyle Julian, Stanford 2016).

Comment lines begin with ``//``. Then, one line each: the counts (layers, inputs, outputs, largest
layer), the layer sizes, a flag that is no longer used, minima and maxima of the inputs, means and
ranges (of the inputs, then one for all outputs); then for each layer its weight rows and its
biases, one a line.

Inputs are normalised as ``(x - mean) / range``, outputs are scaled as ``y * range + mean``. Both are
folded into the first and the last layer as rationals, so the network takes and gives the quantities
as they are; a notice says so. Minima and maxima, which may be infinite, are read but not applied: the format's own
evaluators clip inputs to them, the network here is the unclipped function. Decimals are read as the nearest float64.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from polyregions.errors import FormatError
from polyregions.io.files import network_errors_are_format_errors, parse_decimal, shortened
from polyregions.networks.network import Network

MAX_DIGITS: Final = 9
"""Longest count accepted in the header."""

INFINITE: Final = ("inf", "infinity")
"""What Python and C write where an input has no minimum or no maximum."""

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Normalisation:
    """Means and ranges (d + 1,) of the inputs and, last, of all outputs."""

    means: list[float]
    ranges: list[float]

    def is_trivial(self) -> bool:
        """Whether it changes nothing."""
        return not any(self.means) and all(r == 1 for r in self.ranges)

    def notices(self, where: str) -> tuple[str, ...]:
        """What to say of it: properties are often written for the network behind the normalisation."""
        if self.is_trivial():
            return ()
        return (
            f"{where}: the file's normalisation is folded in: inputs are those in front of (x - mean) / range, "
            "outputs those behind y * range + mean; a property written for normalised inputs, such as a VNN-LIB file "
            "that belongs to the .onnx version of the network, is about other points",
        )


class Lines:
    """The lines that are neither comments nor blank, each with its place for messages."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self.size = len(text)
        self._lines = _content_lines(text)
        self.line_number = 0

    def tokens(self, what: str) -> list[str]:
        """The comma-separated tokens of the next line; a trailing comma is allowed.

        Raises:
            FormatError: there is no next line.
        """
        try:
            self.line_number, line = next(self._lines)
        except StopIteration:
            raise FormatError(f"{self.where}: ends where {what} is expected") from None
        tokens = [token.strip() for token in line.split(",")]
        return tokens[:-1] if len(tokens) > 1 and not tokens[-1] else tokens

    def numbers(self, what: str, count: int) -> list[float]:
        """The next line as exactly `count` numbers.

        Raises:
            FormatError: more or fewer numbers, or something else.
        """
        values = [parse_decimal(t, self.place(what)) for t in self.tokens(what)]
        if len(values) != count:
            raise FormatError(f"{self.place(what)}: {len(values)} numbers, expected {count}")
        return values

    def counts(self, what: str, at_least: int) -> list[int]:
        """The next line as positive integers.

        Raises:
            FormatError: something else, or fewer than `at_least`.
        """
        tokens = self.tokens(what)
        for token in tokens:
            if not (token.isascii() and token.isdigit()) or len(token) > MAX_DIGITS or int(token) == 0:
                raise FormatError(f"{self.place(what)}: {shortened(token)!r}, expected a positive integer")
        if len(tokens) < at_least:
            raise FormatError(f"{self.place(what)}: {len(tokens)} numbers, expected {at_least}")
        return [int(token) for token in tokens]

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            FormatError: something does.
        """
        for number, line in self._lines:
            raise FormatError(f"{self.where}, line {number}: {shortened(line)!r} after the last bias")

    def place(self, what: str) -> str:
        """File, line and meaning, for messages."""
        return f"{self.where}, line {self.line_number} ({what})"


def network_of_nnet(text: str, where: str, name: str) -> Network:
    """The network written in a .nnet file, with its normalisation folded exactly.

    Files that hold a single ``0`` in place of the means and of the ranges have no normalisation. Numbers
    behind the expected ones in the line of layer sizes are ignored, and so is the largest layer size.

    Args:
        text: content of the file.
        where: the file, for messages.
        name: name of the network.

    Raises:
        FormatError: a line that is not what the format expects there, a range of 0, numbers beyond
            float64; names the line.
    """
    lines = Lines(text, where)
    sizes = _read_sizes(lines)
    normalisation = _read_normalisation(lines, sizes[0])
    layers = [_read_layer(lines, i + 1, k, n) for i, (k, n) in enumerate(zip(sizes, sizes[1:], strict=False))]
    lines.end()
    if not normalisation.is_trivial():
        layers[0] = _fold_inputs(layers[0], normalisation)
        layers[-1] = _fold_outputs(layers[-1], normalisation)
    with network_errors_are_format_errors():
        chain = Network.from_layers(layers, name=where).layers
    return Network.from_units(chain, name, None, normalisation.notices(where))


def _content_lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_LINE_END.split(text), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("//"):
            yield number, stripped


def _read_sizes(lines: Lines) -> list[int]:
    n_layers, n_inputs, n_outputs, *_ = lines.counts("number of layers, inputs, outputs", 3)
    sizes = lines.counts("layer sizes", n_layers + 1)[: n_layers + 1]
    if (sizes[0], sizes[-1]) != (n_inputs, n_outputs):
        raise FormatError(
            f"{lines.place('layer sizes')}: from {sizes[0]} to {sizes[-1]}, "
            f"but the header says {n_inputs} inputs and {n_outputs} outputs"
        )
    numbers = sum((k + 1) * n for k, n in zip(sizes, sizes[1:], strict=False))
    if 2 * numbers > lines.size + 1:  # each takes a digit and a separator
        raise FormatError(
            f"{lines.place('layer sizes')}: {numbers} weights and biases declared, "
            f"more than a file of {lines.size} characters can hold"
        )
    return sizes


def _read_normalisation(lines: Lines, n_inputs: int) -> Normalisation:
    lines.tokens("flag")
    for what in ("minima", "maxima"):
        for token in lines.tokens(what):
            if token.lower().lstrip("+-") not in INFINITE:
                parse_decimal(token, lines.place(what))
    means = _read_or_placeholder(lines, "means", n_inputs + 1)
    ranges = _read_or_placeholder(lines, "ranges", n_inputs + 1)
    if ranges is not None and 0.0 in ranges:
        raise FormatError(f"{lines.place('ranges')}: number {ranges.index(0.0) + 1} is 0, expected a range")
    if (means is None) != (ranges is None):
        raise FormatError(f"{lines.place('ranges')}: means and ranges must both be given or both be 0")
    return Normalisation(means or [0.0] * (n_inputs + 1), ranges or [1.0] * (n_inputs + 1))


def _read_or_placeholder(lines: Lines, what: str, count: int) -> list[float] | None:
    """`count` numbers; None where the line is a single 0."""
    values = [parse_decimal(t, lines.place(what)) for t in lines.tokens(what)]
    if values == [0.0]:
        return None
    if len(values) != count:
        raise FormatError(
            f"{lines.place(what)}: {len(values)} numbers, expected {count} (inputs and one for the outputs)"
        )
    return values


def _read_layer(lines: Lines, i: int, n_inputs: int, n_units: int) -> tuple[list[list[Any]], list[Any]]:
    weight = [lines.numbers(f"layer {i}, weights of unit {j + 1}", n_inputs) for j in range(n_units)]
    bias = [lines.numbers(f"layer {i}, bias of unit {j + 1}", 1)[0] for j in range(n_units)]
    return weight, bias


def _fold_inputs(layer: tuple[list[list[Any]], list[Any]], n: Normalisation) -> Any:
    """``W ((x - mean) / range) + b`` as one affine map in rationals."""
    means, ranges = _fractions(n.means[:-1]), _fractions(n.ranges[:-1])
    weight = [[w / r for w, r in zip(_fractions(row), ranges, strict=True)] for row in layer[0]]
    shifts = [sum((w * m for w, m in zip(row, means, strict=True)), Fraction(0)) for row in weight]
    return weight, [b - s for b, s in zip(_fractions(layer[1]), shifts, strict=True)]


def _fold_outputs(layer: tuple[list[list[Any]], list[Any]], n: Normalisation) -> Any:
    """``(W x + b) * range + mean`` as one affine map in rationals."""
    mean, factor = Fraction(n.means[-1]), Fraction(n.ranges[-1])
    weight = [[w * factor for w in _fractions(row)] for row in layer[0]]
    return weight, [b * factor + mean for b in _fractions(layer[1])]


def _fractions(values: list[Any]) -> list[Fraction]:
    return [Fraction(v) for v in values]
