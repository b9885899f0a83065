"""What a part of the input set can make of a network: bounds of all units, and a linear relaxation.

A part is a box, some units whose bits are known, and the signs that were assumed of some of them. Bounds come from a
zonotope. In the relaxation a unit without a known bit is a variable of its own between its two slopes and their chord
(Ehlers, Formal verification of piece-wise linear feed-forward neural networks, 2017); every rounding is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.networks.network import Layer, Network
from polyregions.networks.pullback import composed
from polyregions.networks.zonotope import UNKNOWN, Zonotope
from polyregions.polyhedra.oracle.forms import Bounds, Form
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT


@dataclass(frozen=True)
class Cut:
    """A unit whose sign is assumed: z >= 0 if `on`, else z <= 0."""

    layer: int
    unit: int
    on: bool


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Bounds of a network over a part of the input set.

    Attributes:
        lower, upper: for each layer (n,) bounds of its pre-activations.
        bits: for each layer (n,) the known bits, UNKNOWN for the others.
        sway: (k,) how much of the ranges of undecided units and outputs each input has a hand in, about.
    """

    lower: list[Floats]
    upper: list[Floats]
    bits: list[Ints]
    sway: Floats

    @property
    def n_unknown(self) -> int:
        """How many units have no known bit."""
        return sum(int(np.count_nonzero(b == UNKNOWN)) for b in self.bits)


def enclose(network: Network, bounds: Bounds, known: Sequence[Ints]) -> Enclosure | None:
    """Carry a box through a network whose known bits are linear units; None if it contradicts one of them.

    Args:
        network: the network.
        bounds: the box.
        known: for each layer (n,) the known bits, UNKNOWN for the others.
    """
    lowers, uppers, refined = [], [], []
    sway = np.zeros(len(bounds.lower))
    with np.errstate(all="ignore"):  # what is not a number decides nothing
        zonotope = Zonotope.around(bounds)
        for layer, bits in zip(network.layers, known, strict=True):
            zonotope = zonotope.through_affine(layer)
            lower, upper = zonotope.range()
            if np.any((bits == 1) & layer.splitting & (upper < 0)) or np.any((bits == 0) & (lower > 0)):
                return None
            bits = np.where((bits == UNKNOWN) & (lower >= 0), 1, bits)
            bits = np.where((bits == UNKNOWN) & (upper <= 0), 0, bits)
            lowers.append(lower)
            uppers.append(upper)
            refined.append(bits)
            counted = (bits == UNKNOWN) | (layer is network.layers[-1])
            sway += _shares(zonotope, upper - lower, counted, len(sway))
            zonotope = zonotope.through_units(layer.slopes, bits)
    return Enclosure(lowers, uppers, refined, sway)


def _shares(zonotope: Zonotope, width: Floats, chosen: Bools, k: int) -> Floats:
    """What part of the widths of some coordinates the first k generators make up, summed."""
    shares: Floats = (np.abs(zonotope.generators[chosen, :k]) / width[chosen, None]).sum(axis=0)
    return shares


@dataclass(frozen=True, eq=False)
class Unit:
    """A relaxed unit.

    Attributes:
        layer, unit: which one.
        column: its variable.
        chord: the row that keeps it on the inner side of its chord.
        height: how far the chord is from the kink.
    """

    layer: int
    unit: int
    column: int
    chord: int
    height: float


@dataclass(frozen=True, eq=False)
class Relaxation:
    """A polytope over v = (u, relaxed units) that holds every point of the part with what the network makes of it.

    Attributes:
        rows, error: (r, p+1) forms that are >= 0, and bounds on their errors.
        outputs, outputs_error: (q, p+1) the outputs of the network.
        bounds: of v.
        units: the relaxed units.
        n_inputs: how many of the variables are u.
    """

    rows: Floats
    error: Floats
    outputs: Floats
    outputs_error: Floats
    bounds: Bounds
    units: list[Unit]
    n_inputs: int


def relax(
    network: Network, bounds: Bounds, domain: Sequence[Form], enclosure: Enclosure, cuts: Sequence[Cut]
) -> Relaxation:
    """The relaxation of a part: bounds of u, further rows of the input set, what is enclosed, and assumed signs."""
    builder = _Builder(network.n_inputs, enclosure, bounds)
    for form in domain:
        builder.add(builder.widened(form.row), builder.widened(form.error))
    rows, error = builder.inputs()
    assumed: dict[int, list[Cut]] = {}
    for cut in cuts:
        assumed.setdefault(cut.layer, []).append(cut)
    for i, layer in enumerate(network.layers):
        rows, error = composed(layer, np.ones(layer.n_inputs), rows, error)
        for cut in assumed.get(i, []):
            builder.add(rows[cut.unit] if cut.on else -rows[cut.unit], error[cut.unit])
        rows, error = builder.activate(i, layer, rows, error)
    return builder.finished(rows, error)


class _Builder:
    """Rows and variables so far."""

    def __init__(self, n_inputs: int, enclosure: Enclosure, bounds: Bounds) -> None:
        self.n_inputs, self.enclosure = n_inputs, enclosure
        self.width = n_inputs + enclosure.n_unknown + 1
        self.rows: list[Floats] = []
        self.error: list[Floats] = []
        self.units: list[Unit] = []
        self.lower, self.upper = bounds.lower.tolist(), bounds.upper.tolist()

    def widened(self, row: Floats) -> Floats:
        """A row over [u, 1] as one over [v, 1]."""
        zeros = np.zeros(self.width - self.n_inputs - 1)
        return np.concatenate([row[:-1], zeros, row[-1:]])

    def inputs(self) -> tuple[Floats, Floats]:
        """The forms u themselves."""
        rows = np.eye(self.n_inputs, self.width)
        return rows, np.zeros_like(rows)

    def add(self, row: Floats, error: Floats) -> None:
        """A form that is >= 0."""
        self.rows.append(row)
        self.error.append(error)

    def activate(self, index: int, layer: Layer, rows: Floats, error: Floats) -> tuple[Floats, Floats]:
        """What the units make of pre-activations: multiples where the bit is known, else new variables."""
        bits = self.enclosure.bits[index]
        slopes = np.take_along_axis(layer.slopes, np.maximum(bits, 0)[:, None], axis=1)[:, 0]
        after = slopes[:, None] * rows
        after_error = (np.abs(slopes)[:, None] * error + UNIT * np.abs(after)) * SAFE
        for unit in np.flatnonzero(bits == UNKNOWN).tolist():
            column = self._relax(index, layer, unit, rows[unit], error[unit])
            after[unit], after_error[unit] = 0.0, 0.0
            after[unit, column] = 1.0
        return after, after_error

    def _relax(self, index: int, layer: Layer, unit: int, z: Floats, doubt: Floats) -> int:
        low, high = self.enclosure.lower[index][unit], self.enclosure.upper[index][unit]
        off, on = layer.slopes[unit]
        side = (
            1.0 if on > off else -1.0
        )  # convex: above both slopes and below the chord; or the other way round
        column = len(self.lower)
        ends = [off * low, 0.0, on * high]
        margin = 4 * UNIT * (abs(ends[0]) + abs(ends[2])) + TINY
        self.lower.append(min(ends) - margin)
        self.upper.append(max(ends) + margin)
        for slope in (off, on):
            if slope != 0 or side < 0:
                self._add_line(column, side, slope, 0.0, z, doubt)
            elif side > 0:
                self.lower[column] = max(self.lower[column], 0.0)
        chord = (on * high - off * low) / (high - low)
        over = max(side * (ends[0] - chord * low), side * (ends[2] - chord * high))
        slack = 8 * UNIT * (abs(ends[0]) + abs(ends[2]) + abs(chord) * (abs(low) + abs(high))) + TINY
        self.units.append(Unit(index, unit, column, len(self.rows), max(over, 0.0)))
        self._add_line(column, -side, chord, over + slack, z, doubt)
        return column

    def _add_line(
        self, column: int, side: float, slope: float, offset: float, z: Floats, doubt: Floats
    ) -> None:
        """``side (v_column - slope z) + offset >= 0``."""
        row = -side * slope * z
        error = (abs(slope) * doubt + UNIT * np.abs(row)) * SAFE
        row[column] += side
        row[-1] += offset
        error[-1] = (error[-1] + 2 * UNIT * abs(row[-1])) * SAFE
        self.add(row, error)

    def finished(self, outputs: Floats, error: Floats) -> Relaxation:
        """The relaxation."""
        shape = (len(self.rows), self.width)
        return Relaxation(
            np.array(self.rows).reshape(shape),
            np.array(self.error).reshape(shape),
            outputs,
            error,
            Bounds(np.array(self.lower), np.array(self.upper)),
            self.units,
            self.n_inputs,
        )


def possible(enclosure: Enclosure, groups: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The groups of outputs whose bounds allow all of them to be >= 0."""
    top: Bools = enclosure.upper[-1] >= 0
    return [group for group in groups if all(top[j] for j in group)]
