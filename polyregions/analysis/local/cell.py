"""One region by its pattern: its rows, and which of its neurons are zero all over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.networks.problem import Problem
from polyregions.networks.pullback import ComposedLayers, PulledLayer
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.regions.prefixes import Prefixes

ROOM = 2**26  # bytes of layers pulled back that are kept of each depth


@dataclass(frozen=True, eq=False)
class LocalCell:
    """The part of what is looked at where the network has one activation pattern.

    Attributes:
        pattern: (N,) the pattern.
        rows: those of the neurons that may vanish in what is looked at, positive inside.
        neurons: (m,) the neuron of each row.
        varying: (N,) which neurons are not constant there: they and the input set bound the region.
        silent: the neurons that are zero all over it, which may be on elsewhere.
        is_empty: whether a neuron is of the other sign all over, so that no point has the pattern.
    """

    pattern: Bools
    rows: OpenPolyhedron
    neurons: Ints
    varying: Bools
    silent: tuple[int, ...]
    is_empty: bool


Signs: TypeAlias = Callable[[Floats, Floats], Ints]
"""From forms (n, k+1) and their errors: 1 or -1 (n,) where the sign is certain all over what is looked at, else 0."""


class LocalCells:
    """Makes cells of one problem after another; what their patterns begin with alike is composed once.

    Args:
        problem: the network on what is looked at.
        signs: which forms are of one sign there.
    """

    def __init__(self, problem: Problem, signs: Signs) -> None:
        self._dim, self._signs = problem.solid.hull.dim, signs
        self._prefixes = Prefixes(problem.layers, _held(problem.layers, self._dim))
        self._known: WeakKeyDictionary[PulledLayer, tuple[Ints, Bools]] = WeakKeyDictionary()

    def cell(self, pattern: Bools) -> LocalCell:
        """The cell of a pattern (N,).

        Complexity: composing the layers behind the first bit that no recent pattern shares.
        """
        forms: list[Form] = []
        neurons: list[int] = []
        silent: list[int] = []
        varying, is_empty = np.ones(len(pattern), dtype=np.bool_), False
        for layer, start in zip(self._prefixes.along(pattern), self._prefixes.ends, strict=False):
            bits = pattern[start : start + len(layer.kinked)]
            signs, varies = self._of_layer(layer)
            is_empty |= bool(np.any((signs != 0) & ((signs > 0) != bits)))
            for i in np.flatnonzero((signs == 0) | ~varies).tolist():
                unit, n = int(layer.kinked[i]), start + i
                constant = None if varies[i] else _constant_sign(layer, unit)
                if constant is not None:
                    varying[n] = False
                    is_empty |= bool(bits[i]) != (constant > 0)
                    silent += [n] * (constant == 0)
                elif signs[i] == 0:
                    forms.append(layer.form(unit) if bits[i] else layer.form(unit).negated())
                    neurons.append(n)
        rows, which = OpenPolyhedron.of(forms, self._dim), np.array(neurons, dtype=np.int64)
        return LocalCell(pattern, rows, which, varying, tuple(silent), is_empty)

    def _of_layer(self, layer: PulledLayer) -> tuple[Ints, Bools]:
        """Of each kinked unit (q,) the sign, if it is certain, and whether floats show that it is not constant."""
        known = self._known.get(layer)
        if known is None:
            rows, error = layer.rows[layer.kinked], layer.error[layer.kinked]
            known = self._signs(rows, error), np.any(np.abs(rows[:, :-1]) > error[:, :-1], axis=1)
            self._known[layer] = known
        return known


def _held(layers: ComposedLayers, dim: int) -> int:
    """How many layers of each depth there is room for."""
    largest = max(layer.n_units for layer in layers.layers) * (dim + 1) * 16
    return max(1, min(4096, ROOM // largest))


def _constant_sign(layer: PulledLayer, unit: int) -> int | None:
    """The sign of a unit that is constant, None if it varies; exact."""
    row, error = layer.rows[unit], layer.error[unit]
    if not row[:-1].any() and not error[:-1].any() and abs(row[-1]) > error[-1]:
        return 1 if row[-1] > 0 else -1
    exact = layer.exact.row(unit)
    if any(exact[:-1]):
        return None
    return (exact[-1] > 0) - (exact[-1] < 0)
