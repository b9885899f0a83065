"""A problem without the neurons that never change sign on its domain, and the way back from it.

Such a neuron splits nothing. Without a slope it is dropped, with one it becomes a linear unit: the network on the
domain stays the same, the engine has less to compose, and the bits are filled in afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from polyregions._types import Bytes, Ints
from polyregions.arrays import runs_of
from polyregions.engine.batches import Batch
from polyregions.exact.rational_rows import ExactAffine
from polyregions.networks.graph import GraphBuilder, lower
from polyregions.networks.graph.sparse import from_entries, of_layer
from polyregions.networks.large_layer import LargeLayer
from polyregions.networks.network import Layer, Network
from polyregions.networks.problem import Problem
from polyregions.networks.zonotope import UNKNOWN, known_bits


@dataclass(frozen=True, eq=False)
class Reduction:
    """A smaller problem with the same regions.

    Attributes:
        problem: the smaller one.
        kept: (n,) the neurons that it still has.
        fixed: (N,) the bits of the others, 0 for those kept.
    """

    problem: Problem
    kept: Ints
    fixed: Bytes

    def whole(self, batch: Batch) -> Batch:
        """Its regions with the bits of all neurons."""
        if len(self.kept) == len(self.fixed):
            return batch
        nothing = np.zeros(len(self.fixed), dtype=np.uint8)
        return replace(
            batch, bits=self.widened(batch.bits, self.fixed), cuts=self.widened(batch.cuts, nothing)
        )

    def widened(self, bits: Bytes, others: Bytes) -> Bytes:
        """Bits (B, N) of all neurons, from those (B, n) of the neurons kept and the same (N,) others for all."""
        wide = np.empty((len(bits), len(others)), dtype=np.uint8)
        wide[:] = others
        for source, target, n in self._runs:  # much faster than columns one by one
            wide[:, target : target + n] = bits[:, source : source + n]
        return wide

    def narrowed(self, bits: Bytes) -> Bytes:
        """Bits (B, n) of the neurons kept, from those (B, N) of all."""
        narrow = np.empty((len(bits), len(self.kept)), dtype=np.uint8)
        for source, target, n in self._runs:
            narrow[:, source : source + n] = bits[:, target : target + n]
        return narrow

    @cached_property
    def _runs(self) -> list[tuple[int, int, int]]:
        return runs_of(self.kept)


def unreduced(problem: Problem) -> Reduction:
    """A problem as it is."""
    n = problem.network.n_neurons
    return Reduction(problem, np.arange(n, dtype=np.int64), np.zeros(n, dtype=np.uint8))


def reduce(problem: Problem) -> Reduction:
    """A problem without the neurons that a zonotope around its domain proves never to change sign."""
    network = problem.inner
    bits = known_bits(network, problem.solid.bounds)
    neurons = np.concatenate([b[layer.splitting] for b, layer in zip(bits, network.layers, strict=True)])
    if np.all(neurons == UNKNOWN):
        return unreduced(problem)
    smaller = _without(network, bits)
    kept = np.flatnonzero(neurons == UNKNOWN)
    fixed = (neurons == 1).astype(np.uint8)
    return Reduction(replace(problem, network=smaller, inner=smaller), kept, fixed)


def _without(network: Network, bits: list[Ints]) -> Network:
    """The network with its known units made linear, those without slope left out."""
    if any(isinstance(layer, LargeLayer) for layer in network.layers):
        return _composed(network, bits)
    layers = []
    read = np.arange(network.n_inputs)
    for layer, known in zip(network.layers, bits, strict=True):
        slopes = layer.slopes.copy()
        linear = known != UNKNOWN
        slopes[linear] = np.take_along_axis(slopes, np.maximum(known, 0)[:, None], axis=1)[linear]
        is_last = layer is network.layers[-1]
        units = np.flatnonzero(np.any(slopes != 0, axis=1) | is_last)
        layers.append(_part(layer, units, read, slopes[units]))
        read = units
    return Network.from_units(layers, network.name)


def _composed(network: Network, bits: list[Ints]) -> Network:
    """The same with the linear units composed away, exactly: what is left of a large network depends on few units."""
    build, node = GraphBuilder(network.n_inputs, network.name), 0
    for layer, known in zip(network.layers, bits, strict=True):
        node = build.affine(node, of_layer(layer))
        rows, open_units = np.arange(layer.n_units), np.flatnonzero(known == UNKNOWN)
        chosen = np.take_along_axis(layer.slopes, np.maximum(known, 0)[:, None], axis=1).ravel()
        linear = build.scale(node, np.where(known == UNKNOWN, 0.0, chosen))
        if len(open_units):
            bent = build.units(build.select(node, open_units), layer.slopes[open_units])
            columns = np.concatenate([rows, layer.n_units + np.arange(len(open_units))])
            places, ones = np.concatenate([rows, open_units]), np.ones(len(columns))
            both = from_entries(places, columns, ones, np.zeros(layer.n_units), len(columns))
            linear = build.affine(build.join([linear, bent]), both)
        node = linear
    return lower(build.graph(node), network.name, in_order=True)


def _part(
    layer: Layer, units: Ints, read: Ints, slopes: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> Layer:
    exact = None
    if layer.exact is not None:
        columns = np.append(read, layer.n_inputs)
        exact = ExactAffine(layer.exact.numerators[np.ix_(units, columns)], layer.exact.denominator)
    return Layer(layer.weight_part(units, read), layer.bias[units], slopes, exact)
