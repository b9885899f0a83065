"""A network along a line: where it bends, and what it is in between, exactly.

Along a line every pre-activation is an affine form of one number t, so no linear program is needed: layer by layer
each piece of the line is cut at the roots of the neurons. All numbers are integers over one denominator per layer.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from math import lcm
from operator import mul
from typing import Any

import numpy as np

from polyregions._types import Bools, Floats, Integers
from polyregions.errors import DomainError, InputError, NetworkError, expect
from polyregions.exact.numbers import nearest_float, quotient
from polyregions.networks.graph.integers import IntegerLayer
from polyregions.networks.network import Network
from polyregions.polyhedra.slices import exact_point
from polyregions.read_only import ReadOnly


@dataclass(frozen=True, eq=False)
class LinePieces(ReadOnly):
    """The pieces of a segment or polyline on each of which the network is affine and the pattern constant.

    The parameter t runs from 0 to M along a polyline of M segments: the corner number i is at t = i.

    Attributes:
        network: the network.
        corners: the M+1 points that the line joins, exactly.
        breakpoints: P+1 ascending rationals, the ends of the pieces; every corner is one.
        patterns: (P, N) the activation pattern between two breakpoints; a neuron that vanishes on a whole piece is off.
        numerators: (P, c, 2) object array of integers: on piece i the outputs are ``(rate * t + value) / denominator``.
        denominator: positive, common to all pieces.
    """

    network: Network
    corners: tuple[tuple[Fraction, ...], ...]
    breakpoints: tuple[Fraction, ...]
    patterns: Bools
    numerators: Integers
    denominator: int

    @cached_property
    def times(self) -> Floats:
        """The breakpoints (P+1,), rounded to the nearest floats; close ones may coincide there."""
        return np.array([nearest_float(t) for t in self.breakpoints], dtype=np.float64)

    @cached_property
    def maps(self) -> Floats:
        """Rate and value (P, c, 2) of every output as an affine map of t, rounded to the nearest floats."""
        flat = [quotient(entry, self.denominator) for entry in self.numerators.flat]
        return np.array(flat, dtype=np.float64).reshape(self.numerators.shape)

    @cached_property
    def points(self) -> Floats:
        """The inputs (P+1, d) at the breakpoints, rounded."""
        return np.array([[nearest_float(c) for c in self.point(t)] for t in self.breakpoints])

    def exact_map(self, i: int) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
        """Rates (c,) and values (c,) of the outputs on piece i as affine maps of t, exactly."""
        rates, values = self.numerators[i].T.tolist()
        return tuple(Fraction(r, self.denominator) for r in rates), tuple(
            Fraction(v, self.denominator) for v in values
        )

    def piece_at(self, t: Any) -> int:
        """The piece that holds a parameter t: at a breakpoint the one after it, at the end the last.

        Raises:
            InputError: t is not between 0 and M.
        """
        if not 0 <= t <= self.breakpoints[-1]:
            raise InputError(f"t = {t}, expected a number from 0 to {self.breakpoints[-1]}")
        return min(bisect_right(self.breakpoints, t), len(self)) - 1

    def point(self, t: Any) -> tuple[Fraction, ...]:
        """The input (d,) at a parameter t, exactly.

        Raises:
            InputError: t is not between 0 and M.
        """
        self.piece_at(t)
        i = min(int(t), len(self.corners) - 2)
        beyond = Fraction(t) - i
        return tuple(p + beyond * (q - p) for p, q in zip(self.corners[i], self.corners[i + 1], strict=True))

    def value(self, t: Any) -> tuple[Fraction, ...]:
        """The outputs (c,) at a parameter t, exactly.

        Raises:
            InputError: t is not between 0 and M.
        """
        rates, values = self.exact_map(self.piece_at(t))
        return tuple(rate * Fraction(t) + value for rate, value in zip(rates, values, strict=True))

    def __len__(self) -> int:
        return len(self.breakpoints) - 1

    def __repr__(self) -> str:
        return f"<LinePieces: {len(self)} pieces of {self.network.name} on {len(self.corners) - 1} segments>"


def along_segment(network: Network, a: Any, b: Any) -> LinePieces:
    """Every piece of the segment from a (t = 0) to b (t = 1), exactly.

    Args:
        network: the network, d inputs.
        a: (d,) numbers; integers and fractions are kept exactly.
        b: (d,) numbers.

    Raises:
        NetworkError: not a network.
        DomainError: not points of d finite numbers, or they are equal.

    Complexity: O(e) integer operations for each piece of layer l - 1, where layer l has e entries other than zero, and
    O(n) for each further cut in it, where it has n units: independent of d but for the first layer.

    >>> net = Network.from_layers([([[3], [-2]], [-1, 1]), ([[1, 1]], [0])])
    >>> along_segment(net, [0], [1]).breakpoints
    (Fraction(0, 1), Fraction(1, 3), Fraction(1, 2), Fraction(1, 1))
    """
    return along_polyline(network, [a, b])


def along_polyline(network: Network, points: Sequence[Any]) -> LinePieces:
    """Every piece of the polyline through M+1 points, exactly; point i is at t = i.

    Args:
        network: the network, d inputs.
        points: (M+1, d) numbers, or a list of M+1 points; integers and fractions are kept exactly.

    Raises:
        NetworkError: not a network.
        DomainError: fewer than two points, not points of d finite numbers, or two successive ones are equal.

    >>> net = Network.from_layers([([[1, 0]], [0])], final_activation="relu")
    >>> pieces = along_polyline(net, [[-1, 0], [1, 0], [1, 5]])
    >>> pieces.times.tolist(), pieces.maps[:, 0].tolist()
    ([0.0, 0.5, 1.0, 2.0], [[0.0, 0.0], [2.0, -1.0], [0.0, 1.0]])
    """
    corners = _corners(network, points)
    scale = lcm(1, *(c.denominator for corner in corners for c in corner))
    sweep = _Sweep(network, scale)
    leaves = [
        leaf
        for i, (p, q) in enumerate(pairwise(corners))
        for leaf in sweep.pieces(_forms(p, q, i, scale), Fraction(i))
    ]
    numerators = np.empty((len(leaves), network.n_outputs, 2), dtype=object)
    for i, leaf in enumerate(leaves):
        numerators[i] = leaf.forms
    patterns = np.array([leaf.bits for leaf in leaves], dtype=np.bool_).reshape(len(leaves), -1)
    ends = (*(leaf.low for leaf in leaves), leaves[-1].high)
    return LinePieces(network, corners, ends, patterns, numerators, sweep.scales[-1])


def _corners(network: Any, points: Any) -> tuple[tuple[Fraction, ...], ...]:
    expect(network, Network, "network", NetworkError)
    try:
        given = list(points)
    except TypeError:
        raise DomainError(f"points: {type(points).__name__}, expected a list of points") from None
    if len(given) < 2:
        raise DomainError(f"a line through {len(given)} points, expected at least 2")
    corners = tuple(tuple(exact_point(values, f"point {i}")) for i, values in enumerate(given))
    for i, corner in enumerate(corners):
        if len(corner) != network.n_inputs:
            raise DomainError(f"point {i} has {len(corner)} entries, {network.name} takes {network.n_inputs}")
        if i > 0 and corner == corners[i - 1]:
            raise DomainError(f"point {i} is the same as point {i - 1}, expected distinct points")
    return corners


def _forms(p: Sequence[Fraction], q: Sequence[Fraction], start: int, scale: int) -> Integers:
    """The inputs on one segment as forms of t over `scale`; p is at t = start, q at start + 1."""
    rates = [int((b - a) * scale) for a, b in zip(p, q, strict=True)]
    return np.array(
        [(rate, int(a * scale) - start * rate) for rate, a in zip(rates, p, strict=True)], dtype=object
    )


@dataclass(frozen=True, eq=False)
class _Interval:
    """A part of the line on which the layers before `depth` are fixed.

    Attributes:
        depth: the layer that `forms` are the pre-activations of; at the end of the network they are the outputs.
        low: where it starts.
        high: where it ends.
        bits: the pattern so far.
        forms: (n, 2) integers: n forms ``rate * t + value`` over the layer's denominator.
    """

    depth: int
    low: Fraction
    high: Fraction
    bits: Bools
    forms: Integers


class _Sweep:
    """A network's layers as integers.

    Attributes:
        layers: the layers.
        scales: the denominator of the inputs of each layer, and last that of the outputs; the same on all pieces.
    """

    def __init__(self, network: Network, scale: int) -> None:
        self.layers = [_LayerOnLine(IntegerLayer.of(layer)) for layer in network.layers]
        factors = [
            layer.map.denominator * layer.slope_denominator for layer in (at.numbers for at in self.layers)
        ]
        self.scales = list(accumulate(factors, mul, initial=scale))

    def pieces(self, inputs: Integers, start: Fraction) -> Iterator[_Interval]:
        """All pieces from t = start to start + 1, in order; depth first, so that few are kept at a time."""
        forms = self.layers[0].numbers.map.applied(inputs, self.scales[0])
        stack = [iter([_Interval(0, start, start + 1, np.zeros(0, dtype=np.bool_), forms)])]
        while stack:
            piece = next(stack[-1], None)
            if piece is None:
                stack.pop()
            elif piece.depth == len(self.layers):
                yield piece
            else:
                stack.append(self._cut(piece))

    def _cut(self, piece: _Interval) -> Iterator[_Interval]:
        """The parts of a piece between the roots of its layer's neurons, brought to the next layer."""
        layer = self.layers[piece.depth]
        cuts = layer.roots(piece)
        ends = [piece.low, *sorted(cuts), piece.high]
        on = layer.signs(piece.forms, ends[0], ends[1])
        active = layer.activated(piece.forms, on)
        forms = self._into_next(piece.depth, active)
        yield self._part(piece, ends[0], ends[1], on, forms)
        for low, high in pairwise(ends[1:]):
            changed = cuts[low]  # z has just become what its rate is: the only units that change here
            on[changed] = piece.forms[changed, 0] > 0
            new = layer.activated(piece.forms, on, changed)
            forms = self._moved(piece.depth, forms, changed, new - active[changed])
            active[changed] = new
            yield self._part(piece, low, high, on, forms)

    def _part(self, piece: _Interval, low: Fraction, high: Fraction, on: Bools, forms: Integers) -> _Interval:
        bits = np.concatenate([piece.bits, on[self.layers[piece.depth].numbers.kinked]])
        return _Interval(piece.depth + 1, low, high, bits, forms)

    def _into_next(self, depth: int, active: Integers) -> Integers:
        if depth + 1 == len(self.layers):
            return active.copy()
        return self.layers[depth + 1].numbers.map.applied(active, self.scales[depth + 1])

    def _moved(self, depth: int, forms: Integers, changed: list[int], by: Integers) -> Integers:
        """The next layer's forms after some units of this layer have changed; linear, so the change is enough."""
        moved = forms.copy()
        for j, change in zip(changed, by, strict=True):
            if depth + 1 == len(self.layers):
                moved[j] += change
            else:
                self.layers[depth + 1].numbers.map.add_column(moved, j, change)
        return moved


@dataclass(frozen=True, eq=False)
class _LayerOnLine:
    """What a layer makes of forms along the line."""

    numbers: IntegerLayer

    def activated(self, forms: Integers, on: Bools, units: Any = slice(None)) -> Integers:
        """The forms of some units after their slopes."""
        slopes = np.where(on[units], self.numbers.slopes[units, 1], self.numbers.slopes[units, 0])
        active: Integers = slopes[:, np.newaxis] * forms[units]
        return active

    def roots(self, piece: _Interval) -> dict[Fraction, list[int]]:
        """Where kinked units change sign strictly inside a piece, and which ones do."""
        forms = piece.forms[self.numbers.kinked]
        first, last = _values(forms, piece.low), _values(forms, piece.high)
        crossing = ((first > 0) & (last < 0)) | ((first < 0) & (last > 0))
        found: dict[Fraction, list[int]] = {}
        for j in self.numbers.kinked[crossing].tolist():
            rate, value = piece.forms[j]
            found.setdefault(Fraction(-value, rate), []).append(j)
        return found

    def signs(self, forms: Integers, low: Fraction, high: Fraction) -> Bools:
        """Whether each form is positive between two ends between which none has a root."""
        return _values(forms, (low + high) / 2) > 0


def _values(forms: Integers, t: Fraction) -> Integers:
    """The forms at t, times a positive number."""
    p, q = t.as_integer_ratio()
    values: Integers = forms[:, 0] * p + forms[:, 1] * q
    return values
