"""What a complex is cut by beside the neurons, and which of its faces a part of it consists of.

A part is a closed set that affine forms of the outputs, or a neuron, decide by their signs. The forms become units
of one more layer, so their hyperplanes are among those that make the complex, and the part is a union of its faces.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import TypeAlias

import numpy as np

from polyregions._types import Bools, Integers
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks.activations import RELU, uniform_slopes
from polyregions.networks.network import Layer, Network, exact_layer
from polyregions.networks.problem import Problem

SMALL = 2**31

Row: TypeAlias = tuple[Fraction, ...]
"""An affine form of the outputs: c coefficients and a constant."""


@dataclass(frozen=True)
class Part(ABC):
    """A closed set.

    Attributes:
        name: what it is.
        rows: the forms whose signs decide.
    """

    name: str
    rows: tuple[Row, ...]

    @abstractmethod
    def holds(self, sides: Integers, neurons: Integers) -> Bools:
        """Which faces (F,) lie in it, from the signs (F, n) of its rows and those (F, N) of all neurons."""


class NotNegative(Part):
    """Where no form is negative."""

    def holds(self, sides: Integers, neurons: Integers) -> Bools:
        """See `Part`."""
        found: Bools = np.all(sides >= 0, axis=1)
        return found


class Vanishing(Part):
    """Where all forms are 0."""

    def holds(self, sides: Integers, neurons: Integers) -> Bools:
        """See `Part`."""
        found: Bools = np.all(sides == 0, axis=1)
        return found


@dataclass(frozen=True)
class Tied(Part):
    """Where two classes or more score best; rows compare pairs of a lower and a higher class, which leads if positive.

    Attributes:
        n_classes: how many there are, the pairs in lexicographic order.
    """

    n_classes: int

    def holds(self, sides: Integers, neurons: Integers) -> Bools:
        """See `Part`."""
        is_beaten = np.zeros((len(sides), self.n_classes), dtype=np.bool_)
        for row, (lower, higher) in enumerate(zip(*np.triu_indices(self.n_classes, 1), strict=True)):
            is_beaten[:, lower] |= sides[:, row] > 0
            is_beaten[:, higher] |= sides[:, row] < 0
        found: Bools = np.count_nonzero(~is_beaten, axis=1) >= 2
        return found


@dataclass(frozen=True)
class NeuronSide(Part):
    """Where the pre-activation of a neuron is not negative, or where it is 0.

    Attributes:
        neuron: which one.
        is_zero: whether it has to be 0.
    """

    neuron: int
    is_zero: bool

    def holds(self, sides: Integers, neurons: Integers) -> Bools:
        """See `Part`."""
        signs = neurons[:, self.neuron]
        found: Bools = signs == 0 if self.is_zero else signs >= 0
        return found


def unit_row(n_outputs: int, coefficients: dict[int, int], constant: Fraction = Fraction(0)) -> Row:
    """A form with a few coefficients."""
    return (*(Fraction(coefficients.get(i, 0)) for i in range(n_outputs)), constant)


def class_rows(rule: str, n_outputs: int, pairs: Sequence[tuple[int, int]]) -> tuple[Row, ...]:
    """The forms that are positive where the second class of a pair scores more than the first."""
    if rule == "sign":
        return tuple(unit_row(1, {0: higher - lower}) for lower, higher in pairs)
    sign = -1 if rule == "argmin" else 1
    return tuple(unit_row(n_outputs, {higher: sign, lower: -sign}) for lower, higher in pairs)


def cut_by(problem: Problem, rows: Sequence[Row]) -> Problem:
    """The problem whose network has one more layer, a neuron for each form of the outputs."""
    if not rows:
        return problem
    inner = problem.inner
    extended = Network.from_units([*inner.layers, _layer(rows, inner.name)], inner.name)
    return replace(problem, network=extended, inner=extended)


def _layer(rows: Sequence[Row], name: str) -> Layer:
    """The forms, each times a positive integer that makes it whole if that is small."""
    scaled = [[entry * _factor(row) for entry in row] for row in rows]
    denominator = lcm(*(entry.denominator for row in scaled for entry in row))
    numerators = np.empty((len(rows), len(rows[0])), dtype=object)
    for i, row in enumerate(scaled):
        numerators[i] = [int(entry * denominator) for entry in row]
    layer = exact_layer(ExactAffine(numerators, denominator), len(rows[0]) - 1, name)
    return replace(layer, slopes=uniform_slopes(len(rows), RELU))


def _factor(row: Row) -> int:
    """What makes a form whole, 1 if that is large."""
    factor = lcm(*(entry.denominator for entry in row))
    return factor if factor < SMALL else 1
