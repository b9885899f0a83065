"""Layers pulled back along many patterns at once, with error bounds: what consecutive patterns share is made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.networks.network import Layer
from polyregions.networks.pullback import ComposedLayers
from polyregions.polyhedra.oracle.proof import SAFE, UNIT, gamma
from polyregions.regions.region_set import RegionSet

ROOM = 4_000_000  # numbers that the forms of one chunk may take
MOST = 4096


@dataclass(frozen=True, eq=False)
class Bundle:
    """The pre-activations of one layer along P prefixes of patterns.

    Attributes:
        rows: (n, P, k+1) float64 forms.
        error: (n, P, k+1) bounds on the error of each entry.
        prefix: (r,) which of them each pattern has.
    """

    rows: Floats
    error: Floats
    prefix: Ints


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some regions with the forms of all layers along their patterns.

    Attributes:
        regions: the set they are from.
        numbers: (r,) which of them, ascending.
        patterns: (r, N).
        bundles: one for each layer.
    """

    regions: RegionSet
    numbers: Ints
    patterns: Bools
    bundles: list[Bundle]

    def __len__(self) -> int:
        return len(self.patterns)

    def bounding_rows(self, local: Ints) -> tuple[Ints, Ints, Floats, Floats]:
        """The rows of the neurons that bound some of the regions, positive inside.

        Args:
            local: (q,) places in the chunk, in any order, repeated at will.

        Returns:
            Where each region's rows end (q,), their neurons (M,), the rows (M, k+1), and their errors.
        """
        cuts = self.regions.cuts[self.numbers[local]]
        place, neurons = np.nonzero(cuts)
        layers, units = np.array(self.regions.network.neuron_layers(), dtype=np.int64).reshape(-1, 2).T
        rows = np.zeros((len(neurons), self.regions.dim + 1))
        error = np.zeros_like(rows)
        signs = np.where(self.patterns[local[place], neurons], 1.0, -1.0)
        for index, bundle in enumerate(self.bundles):
            here = np.flatnonzero(layers[neurons] == index)
            unit, prefix = units[neurons[here]], bundle.prefix[local[place[here]]]
            rows[here], error[here] = bundle.rows[unit, prefix], bundle.error[unit, prefix]
        ends = np.cumsum(np.count_nonzero(cuts, axis=1)).astype(np.int64)
        return ends, neurons, rows * signs[:, None], error

    def outputs(self) -> tuple[Floats, Floats]:
        """The network's outputs on each region: forms (r, c, k+1) and the error of each entry."""
        bundle, last = self.bundles[-1], self.regions.problem.layers.layers[-1]
        n = last.n_neurons
        bits = self.patterns[:, self.patterns.shape[1] - n :]
        slopes = _slopes(last, bits)[:, :, None]
        rows = bundle.rows[:, bundle.prefix] * slopes
        error = (bundle.error[:, bundle.prefix] * np.abs(slopes) + UNIT * np.abs(rows)) * SAFE
        return np.ascontiguousarray(rows.transpose(1, 0, 2)), np.ascontiguousarray(error.transpose(1, 0, 2))


def chunks(regions: RegionSet, numbers: Ints) -> Iterator[Chunk]:
    """Some regions (ascending numbers (r,)) of a tame network, as many at a time as fit into some megabytes.

    Complexity: one matrix product a layer and chunk.
    """
    layers = regions.problem.layers
    weight = 2 * sum(layer.n_units for layer in layers.layers) * (regions.dim + 1)
    size = max(1, min(MOST, ROOM // max(1, weight)))
    for first in range(0, len(numbers), size):
        part = numbers[first : first + size]
        patterns = regions.patterns[part]
        yield Chunk(regions, part, patterns, composed_along(layers, patterns))


def composed_along(layers: ComposedLayers, patterns: Bools) -> list[Bundle]:
    """Every layer along every pattern (r, N); neighbours with the same bits so far share their forms."""
    first = layers.first()
    bundles = [Bundle(first.rows[:, None], first.error[:, None], np.zeros(len(patterns), dtype=np.int64))]
    end = 0
    for before, layer in zip(layers.layers, layers.layers[1:], strict=False):
        start, end = end, end + before.n_neurons
        bits, inner = patterns[:, start:end], bundles[-1]
        fresh = (inner.prefix[1:] != inner.prefix[:-1]) | np.any(bits[1:] != bits[:-1], axis=1)
        prefix = np.concatenate([[0], np.cumsum(fresh)]).astype(np.int64)
        leaders = np.flatnonzero(np.concatenate([[True], fresh]))
        bundles.append(_next(before, layer, inner, leaders, bits[leaders], prefix))
    return bundles


def _next(before: Layer, layer: Layer, inner: Bundle, leaders: Ints, bits: Bools, prefix: Ints) -> Bundle:
    """``W (slopes * inner) + [0 | b]`` for all prefixes at once; the error bound is that of `pullback`."""
    slopes = _slopes(before, bits)[:, :, None]
    active = slopes * inner.rows[:, inner.prefix[leaders]]
    relative = gamma(layer.n_inputs + 3) + (UNIT if layer.exact is not None else 0.0)
    doubt = (1 + UNIT) * np.abs(slopes) * inner.error[:, inner.prefix[leaders]] + relative * np.abs(active)
    n, width = len(active), active.shape[1] * active.shape[2]
    shape = (layer.n_units, *active.shape[1:])
    rows = (layer.weight @ active.reshape(n, width)).reshape(shape)
    error = (np.abs(layer.weight) @ doubt.reshape(n, width)).reshape(shape)
    rows[:, :, -1] += layer.bias[:, None]
    error[:, :, -1] += relative * np.abs(layer.bias)[:, None]
    return Bundle(rows, error * SAFE, prefix)


def _slopes(layer: Layer, bits: Bools) -> Floats:
    """Slopes (n, P) of a layer's units along P lists of the bits of its kinked ones."""
    chosen = np.repeat(layer.slopes[:, 1:], len(bits), axis=1)
    kinked = np.flatnonzero(layer.splitting)
    chosen[kinked] = np.where(bits.T, layer.slopes[kinked, 1:], layer.slopes[kinked, :1])
    return chosen
