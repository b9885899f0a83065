"""One region by its pattern: its rows, and which of its neurons are zero all over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Ints
from polyregions.networks.problem import Problem
from polyregions.networks.pullback import ComposedLayers, PulledLayer
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.regions.prefixes import Prefixes

ROOM = 2**26  # bytes of layers pulled back that are kept of each depth


@dataclass(frozen=True, eq=False)
class LocalCell:
    """The open polyhedron on which the network has one activation pattern.

    Attributes:
        pattern: (N,) the pattern.
        rows: those of the neurons that are not constant there, positive inside.
        neurons: (m,) the neuron of each row.
        silent: the neurons that are zero all over it, which may be on elsewhere.
        is_empty: whether a neuron is constant there and of the other sign, so that no point has the pattern.
    """

    pattern: Bools
    rows: OpenPolyhedron
    neurons: Ints
    silent: tuple[int, ...]
    is_empty: bool

    def only(self, places: Ints) -> LocalCell:
        """The same with some of the rows."""
        chosen = self.rows.subset(places.tolist())
        return LocalCell(self.pattern, chosen, self.neurons[places], self.silent, self.is_empty)


class LocalCells:
    """Makes cells of one problem after another; what their patterns begin with alike is composed once."""

    def __init__(self, problem: Problem) -> None:
        self._dim = problem.solid.hull.dim
        self._prefixes = Prefixes(problem.layers, _held(problem.layers, self._dim))

    def cell(self, pattern: Bools) -> LocalCell:
        """The cell of a pattern (N,).

        Complexity: composing the layers behind the first bit that no recent pattern shares.
        """
        forms: list[Form] = []
        neurons: list[int] = []
        silent: list[int] = []
        is_empty = False
        for layer, start in zip(self._prefixes.along(pattern), self._prefixes.ends, strict=False):
            bits = pattern[start : start + len(layer.kinked)]
            varies = _certainly_varies(layer)
            for n, (unit, is_on) in enumerate(zip(layer.kinked.tolist(), bits.tolist(), strict=True), start):
                sign = None if varies[unit] else _constant_sign(layer, unit)
                if sign is None:
                    forms.append(layer.form(unit) if is_on else layer.form(unit).negated())
                    neurons.append(n)
                elif sign == 0:
                    silent.append(n)
                is_empty |= sign is not None and is_on != (sign > 0)
        rows = OpenPolyhedron.of(forms, self._dim)
        return LocalCell(pattern, rows, np.array(neurons, dtype=np.int64), tuple(silent), is_empty)


def _held(layers: ComposedLayers, dim: int) -> int:
    """How many layers of each depth there is room for."""
    largest = max(layer.n_units for layer in layers.layers) * (dim + 1) * 16
    return max(1, min(4096, ROOM // largest))


def _certainly_varies(layer: PulledLayer) -> Bools:
    """Which units (n,) are not constant, by floats alone."""
    varies: Bools = np.any(np.abs(layer.rows[:, :-1]) > layer.error[:, :-1], axis=1)
    return varies


def _constant_sign(layer: PulledLayer, unit: int) -> int | None:
    """The sign of a unit that is constant, None if it varies; exact."""
    row, error = layer.rows[unit], layer.error[unit]
    if not row[:-1].any() and not error[:-1].any() and abs(row[-1]) > error[-1]:
        return 1 if row[-1] > 0 else -1
    exact = layer.exact.row(unit)
    if any(exact[:-1]):
        return None
    return (exact[-1] > 0) - (exact[-1] < 0)
