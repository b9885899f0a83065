"""Which neurons keep one sign all over a bounded domain: a zonotope carried through the network.

A zonotope ``{c + G s + t : s in [-1, 1]^g, |t| <= e}`` encloses the values of a layer. An affine map takes it to
another one; a unit that may change sign is enclosed between two parallel lines, which adds a generator
(Singh et al., Fast and effective robustness certification, 2018). Every rounding error is counted, in e.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.networks.network import Layer, Network
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT, gamma

UNKNOWN: Final = -1


@dataclass(frozen=True, eq=False)
class Zonotope:
    """The set ``{c + G s + t : s in [-1, 1]^g, |t| <= e}`` in R^n.

    Attributes:
        centre: c (n,).
        generators: G (n, g).
        slack: e (n,).
    """

    centre: Floats
    generators: Floats
    slack: Floats

    @classmethod
    def around(cls, bounds: Bounds) -> Zonotope:
        """One that holds a box."""
        centre = bounds.lower / 2 + bounds.upper / 2
        radius = np.maximum(bounds.upper - centre, centre - bounds.lower) * SAFE + TINY
        return cls(centre, np.diag(radius), np.zeros(len(centre)))

    def reach(self) -> Floats:
        """How far (n,) it reaches from its centre on either side, rounded up."""
        n_terms = self.generators.shape[1] + 2
        reach: Floats = (np.abs(self.generators).sum(axis=1) + self.slack) * (
            1 + gamma(n_terms)
        ) * SAFE + TINY
        return reach

    def through_affine(self, layer: Layer) -> Zonotope:
        """Its image under the affine map of a layer."""
        magnitude = layer.linear_sizes(np.abs(self.centre) + self.reach()) + np.abs(layer.bias)
        n_roundings = layer.n_inputs + 4 + (layer.exact is not None)
        known = layer.linear_sizes(self.slack)
        slack = (known + gamma(n_roundings) * magnitude) * SAFE * (1 + gamma(n_roundings)) + TINY
        return Zonotope(layer.linear(self.centre) + layer.bias, layer.linear(self.generators), slack)

    def through_units(self, slopes: Floats, bits: Ints) -> Zonotope:
        """Its image under two-slope units (n, 2), those of known bits (n,) being linear."""
        lower, upper = self.range()
        off, on = slopes.T
        chord = (on * upper - off * lower) / np.where(upper > lower, upper - lower, 1.0)
        slope = np.where(bits == UNKNOWN, chord, np.where(bits == 0, off, on))
        # the unit less the line ``slope z`` is piecewise linear: extreme at an end or at the kink
        ends = np.array([(off - slope) * lower, (on - slope) * upper, np.zeros_like(slope)])
        ends = np.where(bits == UNKNOWN, ends, 0.0)
        middle = ends.min(axis=0) / 2 + ends.max(axis=0) / 2
        apart = (np.abs(ends - middle)).max(axis=0) + 8 * UNIT * (
            np.abs(slopes).max(axis=1) + np.abs(slope)
        ) * (np.abs(lower) + np.abs(upper))
        size = np.abs(slope) * (np.abs(self.centre) + self.reach()) + np.abs(middle)
        slack = (np.abs(slope) * self.slack + gamma(4) * size) * SAFE + TINY
        kinked = np.flatnonzero(bits == UNKNOWN)
        fresh = np.zeros((len(slope), len(kinked)))
        fresh[kinked, np.arange(len(kinked))] = apart[kinked] * SAFE + TINY
        generators = np.column_stack([slope[:, None] * self.generators, fresh])
        return Zonotope(slope * self.centre + middle, generators, slack)

    def range(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds (n,) of its coordinates."""
        reach = self.reach()
        doubt = (np.abs(self.centre) + reach) * UNIT * 2
        return self.centre - reach - doubt, self.centre + reach + doubt


def known_bits(network: Network, bounds: Bounds) -> list[Ints]:
    """For each layer the bit (n,) of every unit that has the same one all over the bounds, UNKNOWN for the others.

    A unit without a kink counts as on. Nothing is known where bounds are infinite or the network is not tame.
    """
    unknown = [np.where(layer.splitting, UNKNOWN, 1) for layer in network.layers]
    if not (bounds.are_finite and network.is_tame):
        return unknown
    found = []
    with np.errstate(all="ignore"):  # what is not a number decides nothing
        enclosure = Zonotope.around(bounds)
        alive = np.ones(network.n_inputs)
        for layer in network.layers:
            enclosure = enclosure.through_affine(layer)
            reads = layer.linear_sizes(alive) > 0  # the others are their bias, exactly: what they read is 0
            bits = np.where(reads | ~layer.splitting, _signs(enclosure, layer), layer.bias > 0)
            found.append(bits)
            alive = _is_not_zero(layer, bits, reads).astype(np.float64)
            enclosure = enclosure.through_units(layer.slopes, bits)
    return found


def _is_not_zero(layer: Layer, bits: Ints, reads: Bools) -> Bools:
    """Which units (n,) may give something else than 0: the others have no slope, or nothing comes in."""
    slope = np.where(bits == 0, layer.slopes[:, 0], layer.slopes[:, 1])
    may: Bools = ((bits == UNKNOWN) | (slope != 0)) & (reads | (layer.bias != 0))
    return may


def _signs(enclosure: Zonotope, layer: Layer) -> Ints:
    lower, upper = enclosure.range()
    bits = np.where(lower > 0, 1, np.where(upper < 0, 0, UNKNOWN))
    return np.where(layer.splitting, bits, 1).astype(np.int64)
