"""A smaller network that is exactly the same function on the domain.

What a neuron's status allows, layer by layer, in rationals:

* never on, always on: the unit is linear there, so its output is an affine form of the layer before;
* several neurons with proportional rows bend at one hyperplane: ``relu(c z) = c relu(z)`` for c > 0 and
  ``relu(c z) = c z - c relu(z)`` for c < 0, so one of them is kept and the others are sums of it and linear forms;
* the linear forms of a layer are carried by identity units, no more of them than their rank, and constants go
  into the next bias; a layer that is linear altogether is composed with the next one.

The regions stay the same: the neurons that are left still tell them apart, those taken away being determined by
them. That, and the equality of the two networks, is then checked region by region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat, fmpz_mat

from polyregions._types import Bools, Ints
from polyregions.errors import InputError, InternalError, NetworkError, expect
from polyregions.exact.affine import IntegerAffine
from polyregions.networks.activations import IDENTITY
from polyregions.networks.folding import affine_of_layer
from polyregions.networks.network import Layer, Network, exact_layer
from polyregions.networks.problem import pose
from polyregions.read_only import ReadOnly
from polyregions.regions.neurons import NeuronStatus, Status, neuron_status, proportional
from polyregions.regions.prefixes import Prefixes
from polyregions.regions.region_set import RegionSet


class Fate(IntEnum):
    """What became of a neuron."""

    KEPT = 0
    NEVER_ON = 1
    ALWAYS_ON = 2
    MERGED = 3


@dataclass(frozen=True, eq=False)
class Simplified(ReadOnly):
    """What `simplify` gives beside the network.

    Attributes:
        fate: (N,) a `Fate` for each neuron of the old network.
        into: (N,) the neuron that a merged one is now a multiple of (up to a linear form), -1 for the others.
        kept: (N',) the neurons of the old network that the neurons of the new one are, in the new order.
        widths_before: units in each layer of the old network, the outputs last.
        widths_after: units in each layer of the new one.
        regions_checked: on how many regions both networks were proved to have the same affine map.
    """

    fate: Ints
    into: Ints
    kept: Ints
    widths_before: tuple[int, ...]
    widths_after: tuple[int, ...]
    regions_checked: int

    def count(self, fate: Fate) -> int:
        """How many neurons had one fate."""
        return int(np.count_nonzero(self.fate == fate))

    def __str__(self) -> str:
        checked = (
            f"equal on {self.regions_checked} regions" if self.regions_checked else "not compared by region"
        )
        before, after = ("-".join(map(str, w)) for w in (self.widths_before, self.widths_after))
        return (
            f"{len(self.fate)} neurons -> {len(self.kept)} ({self.count(Fate.NEVER_ON)} never on, "
            f"{self.count(Fate.ALWAYS_ON)} always on, {self.count(Fate.MERGED)} merged); "
            f"units {before} -> {after}; {checked}"
        )


def simplify(network: Network, regions: RegionSet, *, check: bool = True) -> tuple[Network, Simplified]:
    """A network with fewer units that is exactly equal on the domain, and what became of each neuron.

    Its regions are those of the old network, with the patterns' columns `Simplified.kept`. Where float64 cannot
    hold a coefficient it is kept as a rational (`Layer.exact`).

    Args:
        network: the network of the regions.
        regions: a complete set.
        check: whether to compare both networks exactly on every region, too (about a millisecond each for small
            networks). Without, the equality rests on the construction, which is exact, and on `neuron_status`.

    Raises:
        InputError: the set is partial, or of another network.
        NetworkError: an exact coefficient is beyond the range of float64.

    Complexity: exact elimination of each layer, and two exact compositions for each region.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [1], [-2], [3]], [0, 5, 0, -9]), ([[1, 1, 1, 1]], [0])])
    >>> smaller, report = pr.simplify(net, pr.enumerate_regions(net, pr.Box([-1], [1])))
    >>> print(report)
    4 neurons -> 1 (1 never on, 1 always on, 1 merged); units 4-1 -> 2-1; equal on 2 regions
    >>> smaller([[-1.0], [0.5]]).tolist() == net([[-1.0], [0.5]]).tolist()
    True
    """
    expect(network, Network, "network", NetworkError)
    expect(regions, RegionSet, "regions")
    if network.fingerprint() != regions.network.fingerprint():
        raise InputError(f"simplify: {network.name}, expected the network of {regions!r}")
    if not regions.complete:
        raise InputError(f"simplify: {regions!r}, expected a complete set")
    status = neuron_status(regions)
    builder = _Builder(network, status)
    for layer in network.layers[:-1]:
        builder.add(layer)
    smaller = builder.finish(network.layers[-1])
    kept = np.array(builder.kept, dtype=np.int64)
    return smaller, Simplified(
        builder.fate,
        builder.into,
        kept,
        tuple(layer.n_units for layer in network.layers),
        tuple(layer.n_units for layer in smaller.layers),
        _checked(regions, smaller, kept) if check else 0,
    )


# ---------------------------------------------------------------- the construction


class _Builder:
    """Goes through the layers of a network and collects those of the smaller one.

    Attributes:
        seen: (n, k+1) the outputs of the last layer seen, as affine forms of the last layer built.
    """

    def __init__(self, network: Network, status: NeuronStatus) -> None:
        self._network = network
        self._status = status.status.tolist()
        self._next_neuron = 0
        self.built: list[Layer] = []
        self.seen = _identity(network.n_inputs)
        self.fate = np.full(len(self._status), int(Fate.KEPT), dtype=np.int64)
        self.into = np.full(len(self._status), -1, dtype=np.int64)
        self.kept: list[int] = []

    def add(self, layer: Layer) -> None:
        """One more hidden layer."""
        rows = _pulled_back(affine_of_layer(layer), self.seen)
        kinks, linear = self._units(layer, rows, merge=True)
        units = sorted({unit for unit, _ in kinks.values()})
        if not units:
            self.seen = linear
            return
        carried, shares = _carriers(linear)
        block = _stacked([[rows[u, j] for j in range(rows.ncols())] for u in units] + carried, rows.ncols())
        slopes = np.array([layer.slopes[u].tolist() for u in units] + [list(IDENTITY)] * len(carried))
        self.built.append(self._layer(block, slopes))
        columns = {unit: column for column, unit in enumerate(units)}
        self.seen = _outputs(kinks, columns, shares)

    def finish(self, layer: Layer) -> Network:
        """The output layer, whose units all stay."""
        rows = _pulled_back(affine_of_layer(layer), self.seen)
        kinks, linear = self._units(layer, rows, merge=False)
        own = [rows if u in kinks else linear for u in range(layer.n_units)]
        block = _stacked([[m[u, j] for j in range(rows.ncols())] for u, m in enumerate(own)], rows.ncols())
        slopes = np.array(
            [layer.slopes[u].tolist() if u in kinks else list(IDENTITY) for u in range(layer.n_units)]
        )
        self.built.append(self._layer(block, slopes.reshape(-1, 2)))
        return Network.from_units(
            self.built,
            f"{self._network.name}, simplified",
            notices=self._network.notices,
            final_function=self._network.final_function,
        )

    def _layer(self, block: fmpq_mat, slopes: Any) -> Layer:
        numerators, denominator = block.numer_denom()
        plain = IntegerAffine(numerators, int(denominator)).plain()
        where = f"{self._network.name}, simplified, layer {len(self.built) + 1}"
        layer = exact_layer(plain, block.ncols() - 1, where)
        return Layer(layer.weight, layer.bias, slopes, layer.exact)

    def _units(
        self, layer: Layer, rows: fmpq_mat, merge: bool
    ) -> tuple[dict[int, tuple[int, fmpq]], fmpq_mat]:
        """Each unit as ``alpha * (kept unit) + linear form``: unit -> (kept unit, alpha), and the forms (n, k+1)."""
        kinks: dict[int, tuple[int, fmpq]] = {}
        forms = []
        repeated = proportional(_integer_rows(rows))
        neurons = self._neurons(layer)
        representative: dict[int, int] = {}
        for u, (first, _) in enumerate(repeated):
            neuron = neurons.get(u)
            status = Status.ALWAYS_ON if neuron is None else Status(self._status[neuron])
            if neuron is not None and status is Status.MIXED:
                kept = representative.setdefault(first, u) if merge else u
                alpha, beta = _on_the_same_hyperplane(layer, u, kept, repeated)
                kinks[u] = (kept, alpha)
                forms.append([beta * rows[kept, j] for j in range(rows.ncols())])
                self._note_kink(neuron, neurons[kept])
            else:
                slope = _rational(float(layer.slopes[u, int(status is Status.ALWAYS_ON)]))
                forms.append([slope * rows[u, j] for j in range(rows.ncols())])
                if neuron is not None:
                    self.fate[neuron] = Fate.ALWAYS_ON if status is Status.ALWAYS_ON else Fate.NEVER_ON
        return kinks, _stacked(forms, rows.ncols())

    def _note_kink(self, neuron: int, kept: int) -> None:
        if kept == neuron:
            self.kept.append(neuron)
        else:
            self.fate[neuron], self.into[neuron] = Fate.MERGED, kept

    def _neurons(self, layer: Layer) -> dict[int, int]:
        """Unit -> neuron, for the next layer."""
        units = np.flatnonzero(layer.splitting).tolist()
        start, self._next_neuron = self._next_neuron, self._next_neuron + len(units)
        return {unit: start + i for i, unit in enumerate(units)}


def _on_the_same_hyperplane(
    layer: Layer, u: int, kept: int, repeated: Sequence[tuple[int, Any]]
) -> tuple[fmpq, fmpq]:
    """(alpha, beta) with ``unit u = alpha * (unit kept) + beta * z``, z the pre-activation of the kept unit."""
    ratio = repeated[u][1] / repeated[kept][1]
    factor = fmpq(ratio.numerator, ratio.denominator)
    off, on = (_rational(float(s)) * factor for s in layer.slopes[u])
    if factor < 0:
        off, on = on, off
    kept_off, kept_on = (_rational(float(s)) for s in layer.slopes[kept])
    alpha = (on - off) / (kept_on - kept_off)
    return alpha, on - alpha * kept_on


def _carriers(linear: fmpq_mat) -> tuple[list[list[fmpq]], fmpq_mat]:
    """Identity units that carry affine forms (n, k+1): their rows (r, k+1), and the forms over them (n, r+1).

    There are as many as the rank of the forms' linear parts: some of the forms themselves, or the units of the
    layer before, where all of those are needed and there are more forms than that.
    """
    n, k = linear.nrows(), linear.ncols() - 1
    rows = [[linear[i, j] for j in range(k + 1)] for i in range(n)]
    columns = fmpq_mat(k, n, [rows[i][j] for j in range(k) for i in range(n)])
    echelon, rank = columns.rref()
    if rank == k < n:
        identity = _identity(k)
        return [[identity[i, j] for j in range(k + 1)] for i in range(k)], linear
    pivots = [next(i for i in range(n) if echelon[r, i] != 0) for r in range(rank)]
    carried = [rows[p] for p in pivots]
    shares = []
    for i in range(n):
        share = [echelon[r, i] for r in range(rank)]
        rest = rows[i][k] - sum((s * row[k] for s, row in zip(share, carried, strict=True)), fmpq(0))
        shares.append([*share, rest])
    return carried, _stacked(shares, rank + 1)


def _outputs(kinks: dict[int, tuple[int, fmpq]], columns: dict[int, int], shares: fmpq_mat) -> fmpq_mat:
    """The old layer's outputs (n, m+r+1) over the new layer's m kept units and r carriers."""
    m, rows = len(columns), []
    for u in range(shares.nrows()):
        row = [fmpq(0)] * m + [shares[u, j] for j in range(shares.ncols())]
        if u in kinks:
            kept, alpha = kinks[u]
            row[columns[kept]] = alpha
        rows.append(row)
    return _stacked(rows, m + shares.ncols())


# ---------------------------------------------------------------- rational matrices


def _rational(value: float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def _identity(k: int) -> fmpq_mat:
    return fmpq_mat(k, k + 1, [int(i == j) for i in range(k) for j in range(k + 1)])


def _stacked(rows: Sequence[Sequence[Any]], width: int) -> fmpq_mat:
    return fmpq_mat(len(rows), width, [entry for row in rows for entry in row])


def _pulled_back(affine: IntegerAffine, inner: fmpq_mat) -> fmpq_mat:
    """The affine map after the forms ``inner``, (n, k+1)."""
    width = inner.ncols()
    lifted = fmpq_mat(inner.nrows() + 1, width, [*inner.entries(), *([0] * (width - 1)), 1])
    product: fmpq_mat = fmpq_mat(affine.matrix) * lifted * fmpq(1, affine.denominator)
    return product


def _integer_rows(rows: fmpq_mat) -> list[list[int]]:
    numerators: fmpz_mat = rows.numer_denom()[0]
    return [[int(entry) for entry in row] for row in numerators.tolist()]


# ---------------------------------------------------------------- the check


def _checked(regions: RegionSet, smaller: Network, kept: Ints) -> int:
    """Proves both networks equal, one region at a time; the number of regions.

    On each region the neurons of the smaller network have the pre-activations of those they stand for, so their
    bits are the same, and along these bits both have the same affine map over the domain's hull. The neurons taken
    away do not change the regions: no two have the same bits in the columns kept.

    Raises:
        InternalError: anything is different (a bug).
    """
    patterns: Bools = np.ascontiguousarray(regions.patterns[:, kept])
    if len(np.unique(patterns, axis=0)) != len(regions):
        raise InternalError(f"simplify: two regions of {regions!r} are one region of the smaller network")
    new, old = Prefixes(pose(smaller, regions.domain).layers), Prefixes(regions.problem.layers)
    place = regions.network.neuron_layers()
    targets = [(*place[n], *new_place) for n, new_place in zip(kept, smaller.neuron_layers(), strict=True)]
    known: dict[int, Any] = {}
    for i in range(len(regions)):
        before, after = old.along(regions.patterns[i]), new.along(patterns[i])
        for layer, unit, new_layer, new_unit in targets:
            one, two = before[layer], after[new_layer]
            if known.get(new_layer) == (one, two):
                continue
            if not _same_row(one.exact, unit, two.exact, new_unit):
                raise InternalError(f"simplify: layer {layer}, unit {unit} is not the same on region {i}")
        known = {new_layer: (before[layer], after[new_layer]) for layer, _, new_layer, _ in targets}
        if not _same_outputs(before[-1], regions.patterns[i], after[-1], patterns[i]):
            raise InternalError(f"simplify: the affine maps differ on region {i}")
    return len(regions)


def _same_row(one: IntegerAffine, i: int, two: IntegerAffine, j: int) -> bool:
    pairs = zip(one.row(i), two.row(j), strict=True)
    return all(a * two.denominator == b * one.denominator for a, b in pairs)


def _same_outputs(before: Any, old_bits: Bools, after: Any, new_bits: Bools) -> bool:
    one = before.exact_output(old_bits[len(old_bits) - len(before.kinked) :])
    two = after.exact_output(new_bits[len(new_bits) - len(after.kinked) :])
    same: bool = one.matrix * int(two.denominator) == two.matrix * int(one.denominator)
    return same
