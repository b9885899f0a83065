"""A network whose outputs are neurons: an enumeration of its regions says where they may be >= 0."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from polyregions._types import Floats
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks.activations import RELU, uniform_slopes
from polyregions.networks.large_layer import LargeLayer
from polyregions.networks.network import Layer, Network

LIFT = 2.0**-20  # of the largest coefficient of an output


def with_sensors(network: Network) -> Network | None:
    """The network with ReLU units for outputs, each raised a little; None where floats cannot raise one.

    Where the unit of a raised output is off, the output itself is below zero, and stays below on the closure. So
    regions where one of several outputs is off have no point at which all of them are >= 0, not even on their border.
    """
    last = network.layers[-1]
    if isinstance(last, LargeLayer):
        return None
    sizes = np.maximum(np.abs(last.weight).max(axis=1, initial=0.0), np.abs(last.bias))
    with np.errstate(all="ignore"):  # what overflows or vanishes is seen below
        lift = np.where(sizes > 0, sizes, 1.0) * LIFT
        bias = last.bias + lift
    if not np.all((bias > last.bias) & np.isfinite(bias)):
        return None
    slopes = uniform_slopes(last.n_units, RELU)
    raised = Layer(last.weight, bias, slopes, _raised(last.exact, lift))
    return replace(network, layers=(*network.layers[:-1], raised))


def _raised(exact: ExactAffine | None, lift: Floats) -> ExactAffine | None:
    """The same of an exact map."""
    if exact is None:
        return None
    rows = [[Fraction(entry, exact.denominator) for entry in row] for row in exact.numerators.tolist()]
    return ExactAffine.from_fractions(
        [[*row[:-1], row[-1] + Fraction(by)] for row, by in zip(rows, lift.tolist(), strict=True)]
    )
