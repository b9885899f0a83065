"""What each neuron does on the whole domain: never on, always on, or both; and which neurons repeat others.

Never on: ``z <= 0`` everywhere, the unit is linear with its slope *off* (a ReLU gives zero and can be dropped).
Always on: ``z >= 0`` everywhere and not 0 everywhere, the unit is linear with its slope *on*; in regions where z is 0
its bit is off all the same, as in the second layer of ``relu(relu(x))``. The proof is either the enclosure of all
values of a bounded domain by a zonotope, or the complete list of regions: they are full-dimensional and their
closures cover the domain, so a sign that holds inside all of them holds everywhere, by continuity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from math import gcd

import numpy as np

from polyregions._types import Bools, Ints
from polyregions.errors import InputError, expect
from polyregions.networks.folding import affine_of_layer
from polyregions.networks.zonotope import UNKNOWN, known_bits
from polyregions.read_only import ReadOnly
from polyregions.regions.region_set import RegionSet


class Status(IntEnum):
    """What a neuron does on the domain."""

    NEVER_ON = 0
    ALWAYS_ON = 1
    MIXED = 2


class Proof(IntEnum):
    """How its status is known."""

    BOUNDS = 0
    ALL_REGIONS = 1
    TWO_REGIONS = 2


@dataclass(frozen=True, eq=False)
class NeuronStatus(ReadOnly):
    """The status of every neuron, in the order of the activation pattern.

    Attributes:
        n_regions: R.
        layer: (N,) the layer of each neuron, counted from 0.
        unit: (N,) its place in that layer.
        status: (N,) a `Status`.
        proof: (N,) a `Proof`: a zonotope around the domain, all R regions, or two regions that differ.
        on_count: (N,) in how many regions its bit is on, which are those with z > 0.
        region_off: (N,) the first region in which it is off (of a mixed one: with z < 0), -1 if there is none.
        region_on: (N,) the first region in which it is on, -1 if there is none.
        twin: (N,) the first neuron of the same layer with a proportional row ``[w, b]``, -1 if that is itself.
        factors: neuron -> c in ``[w, b] = c * [w, b of its twin]``, for those that have one; c may be negative.
    """

    n_regions: int
    layer: Ints
    unit: Ints
    status: Ints
    proof: Ints
    on_count: Ints
    region_off: Ints
    region_on: Ints
    twin: Ints
    factors: dict[int, Fraction]

    def with_status(self, status: Status) -> Ints:
        """The neurons of one status."""
        return np.flatnonzero(self.status == status).astype(np.int64)

    def reason(self, neuron: int) -> str:
        """How the status of one neuron is known, in words."""
        proof = Proof(int(self.proof[neuron]))
        if proof is Proof.BOUNDS:
            return "bounds on the domain"
        if (
            proof is Proof.ALL_REGIONS
            and self.status[neuron] == Status.ALWAYS_ON
            and self.region_off[neuron] >= 0
        ):
            return f"nowhere negative in all {self.n_regions} regions, and 0 where it is off"
        if proof is Proof.ALL_REGIONS:
            return f"the same in all {self.n_regions} regions"
        return f"off in region {self.region_off[neuron]}, on in region {self.region_on[neuron]}"

    def rows(self) -> Iterator[dict[str, object]]:
        """One record for each neuron: neuron, layer, unit, status, proof, on_count, twin, factor."""
        for n in range(len(self)):
            twin = int(self.twin[n])
            yield {
                "neuron": n,
                "layer": int(self.layer[n]),
                "unit": int(self.unit[n]),
                "status": Status(int(self.status[n])).name.lower().replace("_", " "),
                "proof": self.reason(n),
                "on_count": int(self.on_count[n]),
                "twin": None if twin < 0 else twin,
                "factor": self.factors.get(n),
            }

    def __len__(self) -> int:
        return len(self.status)

    def __repr__(self) -> str:
        never, always, mixed = (int(np.count_nonzero(self.status == s)) for s in Status)
        twins = int(np.count_nonzero(self.twin >= 0))
        return (
            f"<NeuronStatus: {never} never on, {always} always on, {mixed} mixed; {twins} repeat another one>"
        )


def neuron_status(regions: RegionSet) -> NeuronStatus:
    """Which neurons are never on, always on or mixed on the domain, how that is proved, and which repeat others.

    Args:
        regions: a complete set; a partial one will do if bounds and the regions found settle every neuron.

    Raises:
        InputError: the set is partial and some neuron needs all regions for its proof.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1], [-2]], [0, 5, 0]), ([[1, 1, 1]], [0])])
    >>> status = pr.neuron_status(pr.enumerate_regions(net, pr.Box([-1], [1])))
    >>> [row["status"] for row in status.rows()]
    ['mixed', 'always on', 'mixed']
    >>> status.twin.tolist(), status.factors
    ([-1, -1, 0], {2: Fraction(-2, 1)})
    """
    expect(regions, RegionSet, "regions")
    places = np.array(regions.network.neuron_layers(), dtype=np.int64).reshape(-1, 2)
    patterns = regions.patterns
    on_count = np.count_nonzero(patterns, axis=0).astype(np.int64)
    ever_on, ever_off = on_count > 0, on_count < len(patterns)
    bounds = _bits_by_bounds(regions)
    status, proof = bounds.copy(), np.full(len(bounds), int(Proof.BOUNDS), dtype=np.int64)
    negative = _first_negative(regions, ever_on & ever_off & (bounds == UNKNOWN))
    mixed = negative >= 0
    status[mixed], proof[mixed] = Status.MIXED, Proof.TWO_REGIONS
    open_ones = status == UNKNOWN
    if np.any(open_ones) and not regions.complete:
        n = int(np.flatnonzero(open_ones)[0])
        raise InputError(
            f"neuron status: {regions!r}, expected a complete set: {np.count_nonzero(open_ones)} neurons "
            f"(the first is neuron {n}) have one sign in all regions found, which proves nothing"
        )
    status[open_ones], proof[open_ones] = np.where(ever_on, 1, 0)[open_ones], Proof.ALL_REGIONS
    twin, factors = _twins(regions)
    return NeuronStatus(
        len(regions), places[:, 0], places[:, 1], status, proof, on_count,
        np.where(mixed, negative, _first(~patterns, ever_off)), _first(patterns, ever_on), twin, factors,
    )  # fmt: skip


def _bits_by_bounds(regions: RegionSet) -> Ints:
    """The bit (N,) of every neuron that a zonotope around the domain settles, UNKNOWN for the others."""
    network = regions.problem.inner
    bits = known_bits(network, regions.problem.solid.bounds)
    kinked = [b[layer.splitting] for b, layer in zip(bits, network.layers, strict=True)]
    return np.concatenate(kinked).astype(np.int64)


def _first_negative(regions: RegionSet, wanted: Bools) -> Ints:
    """The first region (N,) inside which ``z < 0``, for the neurons asked about; -1 where there is none.

    Where a neuron is off, z is either negative all over the interior of the region or 0 all over it.
    """
    places, patterns = regions.network.neuron_layers(), regions.patterns
    found, open_ones = np.full(len(wanted), -1, dtype=np.int64), set(np.flatnonzero(wanted).tolist())
    regions_off = iter(np.flatnonzero(~patterns[:, wanted].all(axis=1)).tolist())
    while open_ones and (i := next(regions_off, None)) is not None:
        here = [n for n in open_ones if not patterns[i, n]]
        if not here:
            continue
        chain = list(regions.problem.layers.along(patterns[i]))
        for n in here:
            layer, unit = places[n]
            if any(chain[layer].exact.row(unit)):
                found[n] = i
                open_ones.discard(n)
    return found


def _first(bits: Bools, exists: Bools) -> Ints:
    """The first row (N,) in which each column is true, -1 where there is none."""
    if not len(bits):
        return np.full(bits.shape[1], -1, dtype=np.int64)
    first: Ints = np.where(exists, bits.argmax(axis=0), -1).astype(np.int64)
    return first


def _twins(regions: RegionSet) -> tuple[Ints, dict[int, Fraction]]:
    twin = np.full(regions.network.n_neurons, -1, dtype=np.int64)
    factors: dict[int, Fraction] = {}
    for layer, (start, _) in zip(regions.network.activation_layers, regions.network.layer_spans, strict=True):
        affine = affine_of_layer(layer)
        rows = [affine.row(unit) for unit in np.flatnonzero(layer.splitting).tolist()]
        for i, (j, factor) in enumerate(proportional(rows)):
            if i != j:
                twin[start + i], factors[start + i] = start + j, factor
    return twin, factors


def proportional(rows: list[list[int]]) -> list[tuple[int, Fraction]]:
    """For each integer row (j, c) with ``row = c * rows[j]``, j the first such row; zero rows are equal, c = 1.

    >>> proportional([[1, 2], [0, 1], [-3, -6]])
    [(0, Fraction(1, 1)), (1, Fraction(1, 1)), (0, Fraction(-3, 1))]
    """
    first: dict[tuple[int, ...], tuple[int, int]] = {}
    found = []
    for i, row in enumerate(rows):
        size = gcd(*row) * (-1 if next((e for e in row if e), 0) < 0 else 1) or 1
        j, unit = first.setdefault(tuple(e // size for e in row), (i, size))
        found.append((j, Fraction(size, unit)))
    return found
