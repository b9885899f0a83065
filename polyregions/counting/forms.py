"""The exact forms of single regions, with the compositions that regions share made once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from polyregions.exact.affine import IntegerAffine
from polyregions.networks.pullback import PulledLayer
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.solid import integer_form
from polyregions.regions import RegionSet

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
