"""The exact forms of single regions, with the compositions that regions share made once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.exact.affine import IntegerAffine
from polyregions.networks.pullback import ComposedLayers, PulledLayer
from polyregions.polyhedra.facets import NEARLY
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.solid import integer_form
from polyregions.regions.region_set import RegionSet

HELD = 4096  # composed layers that are kept for the next region


class RegionForms:
    """Pre-activations, outputs and bounding rows of a set's regions over the coordinates u.

    Args:
        regions: the set.
    """

    def __init__(self, regions: RegionSet) -> None:
        self.regions = regions
        self.neurons = regions.network.neuron_layers()
        counts = [layer.n_neurons for layer in regions.network.layers]
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64).tolist()
        self._held: dict[tuple[int, bytes], PulledLayer] = {}

    def layer(self, i: int, index: int) -> PulledLayer:
        """One layer pulled back to region i."""
        if index == 0:
            return self.regions.problem.layers.first()
        bits = self.regions.patterns[i, : self.starts[index]]
        key = index, bits.tobytes()
        found = self._held.get(key)
        if found is None:
            found = self.layer(i, index - 1).next(bits[self.starts[index - 1] :])
            if len(self._held) >= HELD:
                self._held.clear()
            self._held[key] = found
        return found

    def neuron(self, i: int, n: int) -> Form:
        """The pre-activation of neuron n on region i, negated if it is off there: not negative on the region."""
        index, unit = self.neurons[n]
        form = self.layer(i, index).form(unit)
        return form if self.regions.patterns[i, n] else form.negated()

    def output(self, i: int) -> IntegerAffine:
        """The network on region i."""
        index = len(self.starts) - 2
        bits = self.regions.patterns[i, self.starts[index] :]
        return self.layer(i, index).exact_output(bits)

    def bounding(self, i: int, before: int | None = None) -> Iterator[Form]:
        """The forms that bound region i, or the cell of its first neurons: the domain's, then those that cut."""
        yield from self.regions.problem.solid.forms
        for n in np.flatnonzero(self.regions.cuts[i, :before]).tolist():
            yield self.neuron(i, n)

    def interior(self, i: int) -> OpenPolyhedron:
        """The interior of region i."""
        return OpenPolyhedron.of(self.bounding(i), self.regions.dim)

    def agreement(self, i: int, other: int) -> list[Form] | None:
        """Forms that vanish where the maps of two regions agree; None if they agree nowhere."""
        one, two = self.output(i), self.output(other)
        forms = []
        for output in range(one.shape[0]):
            pairs = zip(one.row(output), two.row(output), strict=True)
            row = [a * two.denominator - b * one.denominator for a, b in pairs]
            if any(row[:-1]):
                forms.append(integer_form(row))
            elif row[-1]:
                return None
        return forms


def layers_along(layers: ComposedLayers, patterns: Bools) -> Iterator[list[PulledLayer]]:
    """For each pattern of (R, N) all layers pulled back along it; sorted patterns share what they can."""
    starts = np.cumsum([0, *(len(kinked) for kinked in layers.kinked)]).tolist()
    chain: list[PulledLayer] = [layers.first()]
    before = None
    for pattern in patterns:
        if before is not None:
            differing = np.flatnonzero(pattern != before)
            first = int(differing[0]) if len(differing) else starts[-1]
            chain = [layer for layer in chain if starts[layer.index] <= first]
        while not chain[-1].is_last:
            at = chain[-1].index
            chain.append(chain[-1].next(pattern[starts[at] : starts[at + 1]]))
        yield list(chain)
        before = pattern


class Pullback:
    """The layers of a set's problem along one region after another; those that two share in a row are kept."""

    def __init__(self, regions: RegionSet) -> None:
        self._regions = regions
        self._chain: list[tuple[bytes, PulledLayer]] = []

    def along(self, i: int) -> list[PulledLayer]:
        """Every layer pulled back along the pattern of region i."""
        layers, pattern, end = self._regions.problem.layers, self._regions.patterns[i], 0
        for index in range(len(layers.layers)):
            start, end = end, end + (len(layers.kinked[index - 1]) if index else 0)
            key = pattern[:end].tobytes()
            if index >= len(self._chain) or self._chain[index][0] != key:
                pulled = self._chain[index - 1][1].next(pattern[start:end]) if index else layers.first()
                self._chain[index:] = [(key, pulled)]
        return [pulled for _, pulled in self._chain]

    def interior(self, i: int) -> OpenPolyhedron:
        """Region i as an open polyhedron: the domain's rows, then those of the neurons that cut its ancestors."""
        pattern, cuts = self._regions.patterns[i], self._regions.cuts[i]
        forms, n = list(self._regions.problem.solid.forms), 0
        for layer in self.along(i):
            for unit in layer.kinked.tolist():
                if cuts[n]:
                    forms.append(layer.form(unit) if pattern[n] else layer.form(unit).negated())
                n += 1
        return OpenPolyhedron.of(forms, self._regions.dim)


DOMAIN_ROW = -1


@dataclass(frozen=True, eq=False)
class RegionRows:
    """The rows that bound one region, and where they come from.

    Attributes:
        interior: the region as an open polyhedron: the domain's rows, then the neurons that cut its ancestors.
        neurons: the neuron of each row, DOMAIN_ROW for the domain's.
        all_rows: (N, k+1) the forms of all neurons, oriented to be positive inside.
        all_errors: (N, k+1) their error bounds.
    """

    interior: OpenPolyhedron
    neurons: tuple[int, ...]
    all_rows: Floats
    all_errors: Floats

    def may_vanish_with(self, group: tuple[int, ...]) -> Bools:
        """Which neurons (N,) might vanish on the hyperplane of a group of rows; the others certainly do not.

        A form that vanishes there is c times the hyperplane's; c is read off the largest coefficient.
        """
        row, doubt = self.interior.rows[group[0]], self.interior.error[group[0]]
        pivot = int(np.argmax(np.abs(row[:-1])))
        with np.errstate(all="ignore"):
            factor = self.all_rows[:, pivot] / row[pivot]
            distance = np.abs(self.all_rows - factor[:, None] * row).max(axis=1)
            size = np.abs(self.all_rows).max(axis=1) + np.abs(factor) * np.abs(row).max()
            relative = _relative(self.all_errors, self.all_rows)[:, pivot] + _relative(doubt, row)[pivot]
            blur = self.all_errors.max(axis=1) + np.abs(factor) * doubt.max() + size * relative
            apart = distance > NEARLY * size + 8 * blur
            constant = np.all(np.abs(self.all_rows[:, :-1]) <= self.all_errors[:, :-1], axis=1)
        possible: Bools = ~apart | constant
        return possible


def region_rows(regions: RegionSet, i: int) -> RegionRows:
    """The bounding rows of region i over the hull's coordinates."""
    problem, pattern = regions.problem, regions.patterns[i]
    rows, errors = [problem.root.rows[:0]], [problem.root.error[:0]]
    start = 0
    for layer in problem.layers.along(pattern):
        kinked = layer.kinked
        signs = np.where(pattern[start : start + len(kinked)], 1.0, -1.0)
        rows.append(layer.rows[kinked] * signs[:, None])
        errors.append(layer.error[kinked])
        start += len(kinked)
    polyhedron = OpenPolyhedron.of(problem.bounding_forms(pattern, regions.cuts[i]), regions.dim)
    neurons = (DOMAIN_ROW,) * len(problem.solid.forms) + tuple(np.flatnonzero(regions.cuts[i]).tolist())
    return RegionRows(polyhedron, neurons, np.concatenate(rows), np.concatenate(errors))


def _relative(error: Floats, values: Floats) -> Floats:
    return np.where(error == 0, 0.0, error / np.abs(values))
