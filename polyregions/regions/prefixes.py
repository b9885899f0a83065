"""The layers and rows of single regions, in floats and exactly; what regions share is composed once.

For many regions at once see `chunks`.
"""

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

DOMAIN_ROW = -1
HELD = 4096  # composed layers of each depth that are kept where regions are asked about in no order


class Prefixes:
    """Layers pulled back along one activation pattern after another; what patterns begin with alike is composed once.

    Args:
        layers: of a network.
        held: how many layers of each depth are kept: 1 is enough for sorted patterns.

    Attributes:
        ends: where in a pattern the bits before each layer end, and last the end of all.
    """

    def __init__(self, layers: ComposedLayers, held: int = 1) -> None:
        self._layers, self._most = layers, held
        self.ends = np.cumsum([0, *(len(kinked) for kinked in layers.kinked)]).tolist()
        self._held: list[dict[bytes, PulledLayer]] = [{} for _ in layers.layers]

    def layer(self, pattern: Bools, index: int) -> PulledLayer:
        """Layer number `index` pulled back along a pattern (N,), of which only what lies before it is read."""
        held, key = self._held[index], pattern[: self.ends[index]].tobytes()
        found = held.get(key)
        if found is None:
            found = self._composed(pattern, index)
            if len(held) >= self._most:
                held.clear()
            held[key] = found
        return found

    def along(self, pattern: Bools) -> list[PulledLayer]:
        """Every layer pulled back along a pattern (N,)."""
        return [self.layer(pattern, index) for index in range(len(self._held))]

    def output(self, pattern: Bools) -> IntegerAffine:
        """The network along a pattern (N,), exactly."""
        last = self.layer(pattern, len(self._held) - 1)
        return last.exact_output(pattern[len(pattern) - len(last.kinked) :])

    def _composed(self, pattern: Bools, index: int) -> PulledLayer:
        if index == 0:
            return self._layers.first()
        bits = pattern[self.ends[index - 1] : self.ends[index]]
        return self.layer(pattern, index - 1).next(bits)


class RegionForms:
    """Pre-activations, outputs and bounding rows of a set's regions over the coordinates u, in floats and exactly.

    Args:
        regions: the set.
        held: how many layers of each depth are kept for the next region.
    """

    def __init__(self, regions: RegionSet, held: int = 1) -> None:
        self.regions = regions
        self.neurons = regions.network.neuron_layers()
        self.prefixes = Prefixes(regions.problem.layers, held)

    def layer(self, i: int, index: int) -> PulledLayer:
        """One layer pulled back to region i."""
        return self.prefixes.layer(self.regions.patterns[i], index)

    def along(self, i: int) -> list[PulledLayer]:
        """Every layer pulled back to region i."""
        return self.prefixes.along(self.regions.patterns[i])

    def neuron(self, i: int, n: int) -> Form:
        """The pre-activation of neuron n on region i, negated if it is off there: not negative on the region."""
        index, unit = self.neurons[n]
        form = self.layer(i, index).form(unit)
        return form if self.regions.patterns[i, n] else form.negated()

    def output(self, i: int) -> IntegerAffine:
        """The network on region i."""
        return self.prefixes.output(self.regions.patterns[i])

    def bounding(self, i: int, before: int | None = None) -> Iterator[Form]:
        """The forms that bound region i, or the cell of its first neurons: the domain's, then those that cut."""
        yield from self.regions.problem.solid.forms
        for n in np.flatnonzero(self.regions.cuts[i, :before]).tolist():
            yield self.neuron(i, n)

    def interior(self, i: int) -> OpenPolyhedron:
        """The interior of region i."""
        return OpenPolyhedron.of(self.bounding(i), self.regions.dim)

    def rows(self, i: int) -> RegionRows:
        """The bounding rows of region i, and those of all its neurons."""
        problem, pattern = self.regions.problem, self.regions.patterns[i]
        rows, errors = [problem.root.rows[:0]], [problem.root.error[:0]]
        start = 0
        for layer in self.along(i):
            kinked = layer.kinked
            signs = np.where(pattern[start : start + len(kinked)], 1.0, -1.0)
            rows.append(layer.rows[kinked] * signs[:, None])
            errors.append(layer.error[kinked])
            start += len(kinked)
        cuts = np.flatnonzero(self.regions.cuts[i]).tolist()
        neurons = (*(DOMAIN_ROW for _ in problem.solid.forms), *cuts)
        return RegionRows(self.interior(i), neurons, np.concatenate(rows), np.concatenate(errors))

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


def _relative(error: Floats, values: Floats) -> Floats:
    return np.where(error == 0, 0.0, error / np.abs(values))
