"""Activation patterns that only sets without an interior have: what R1 counts beside R2.

The cell of the first neurons is split by the next one. If its hyperplane cuts the cell, both sides are
full-dimensional, and the list of regions has both. If the neuron is off all over the cell there is nothing on the other
side. But where it is on (z > 0) inside and z = 0 on a part of the cell's boundary that belongs to the cell, that part
has a pattern of its own, and so has what the later neurons split it into. Every pattern is found once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from polyregions.counting.closed import ClosedOracle
from polyregions.counting.forms import RegionForms
from polyregions.exact.affine import compose
from polyregions.exact.numbers import Point, dot
from polyregions.geometry.hull import AffineHull, SolidPolyhedron, pulled_back
from polyregions.geometry.solid import integer_form
from polyregions.oracle.polyhedron import Bounds, Form, OpenPolyhedron
from polyregions.oracle.referee import Referee
from polyregions.pullback import PulledLayer
from polyregions.regions import RegionSet


def count_thin_patterns(regions: RegionSet, report: Callable[[int, int], None]) -> int:
    """How many patterns of the network on the domain have no full-dimensional set.

    Args:
        regions: all regions.
        report: called with regions looked at and regions in all.

    Complexity: one linear program for each cell of the split tree and each neuron that does not cut it, unless the
    domain's bounds settle it; then a split tree of its own for each thin set.
    """
    search = _Search(regions)
    total = 0
    for i in range(len(regions)):
        report(i, len(regions))
        for n in search.questions(i):
            thin = search.touching(i, n)
            if thin is not None:
                total += _count_below(thin, search)
    return total


@dataclass(frozen=True, eq=False)
class ThinCell:
    """A set of the first neurons' bits without an interior, in the coordinates v of its own affine hull.

    Attributes:
        hull: the map v -> u.
        rows: integer rows over v, >= 0 on the closure.
        strict: which rows are > 0 on the set itself.
        interior: a point v strictly inside all rows.
        layer: the layer of the next neuron, over u.
        bits: the known bits of that layer's neurons.
    """

    hull: AffineHull
    rows: list[list[int]]
    strict: list[bool]
    interior: Point
    layer: PulledLayer
    bits: tuple[bool, ...]

    def with_bit(self, bit: bool) -> ThinCell:
        """The same set once the next neuron is known not to cut it."""
        return ThinCell(self.hull, self.rows, self.strict, self.interior, self.layer, (*self.bits, bit))

    def side(self, bit: bool, row: list[int], interior: Point) -> ThinCell:
        """The side of the next neuron's hyperplane that has the given bit and the same dimension."""
        return ThinCell(
            self.hull, [*self.rows, row], [*self.strict, bit], interior, self.layer, (*self.bits, bit)
        )

    def at_next_neuron(self) -> ThinCell | None:
        """The same set with `layer` at the next neuron, past the end of finished layers; None if there is none."""
        layer, bits = self.layer, self.bits
        while len(bits) == len(layer.kinked):
            if layer.is_last:
                return None
            layer, bits = layer.next(bits), ()
        return ThinCell(self.hull, self.rows, self.strict, self.interior, layer, bits)

    def next_row(self) -> list[int]:
        """The next neuron's pre-activation over v."""
        row = self.layer.exact.row(int(self.layer.kinked[len(self.bits)]))
        return pulled_back([row], self.hull.embedding)[0]


class _Search:
    """Finds where neurons that are on in a cell touch 0 on its boundary."""

    def __init__(self, regions: RegionSet) -> None:
        self.regions = regions
        self.problem = regions.problem
        self.forms = RegionForms(regions)
        self.bounds = regions.problem.solid.bounds
        self.oracle = ClosedOracle(self.bounds)

    def questions(self, i: int) -> Iterator[int]:
        """The neurons that are on and do not cut in cells that no earlier region lies in."""
        pattern, cuts = self.regions.patterns[i], self.regions.cuts[i]
        first = 0
        if i:
            first = int(np.argmax(pattern != self.regions.patterns[i - 1])) + 1
        for n in np.flatnonzero(pattern & ~cuts).tolist():
            if n >= first and not self._is_surely_positive(i, n):
                yield n

    def _is_surely_positive(self, i: int, n: int) -> bool:
        """Whether the coordinate bounds alone prove that a neuron is on, z = 0 included."""
        index, unit = self.forms.neurons[n]
        return bool(self.forms.layer(i, index).signs_within(self.bounds)[unit] > 0)

    def touching(self, i: int, n: int) -> ThinCell | None:
        """The part of the cell of region i's first n neurons where neuron n, on inside, is off."""
        zero = self.forms.neuron(i, n).negated()
        solid = self.oracle.solid([*self.forms.bounding(i, n), zero], self.regions.dim)
        if solid is None:
            return None
        inside = solid.hull.lift(solid.interior).integers
        domain = self.problem.solid
        rows = [form.exact() for form in domain.forms]
        strict = list(domain.strict)
        for m in range(n):
            row = self.forms.neuron(i, m).exact()
            is_on = bool(self.regions.patterns[i, m])
            if is_on and dot(row, inside) == 0:
                return None
            if is_on or self.regions.cuts[i, m]:
                rows.append(row)
                strict.append(is_on)
        index, _ = self.forms.neurons[n]
        bits = tuple(self.regions.patterns[i, self.forms.starts[index] : n].tolist())
        return _within(rows, strict, solid, self.forms.layer(i, index), (*bits, False))


def _within(
    rows: Sequence[Sequence[int]],
    strict: Sequence[bool],
    solid: SolidPolyhedron,
    layer: PulledLayer,
    bits: tuple[bool, ...],
) -> ThinCell | None:
    """The cell of the given rows within a solid part of its closure; None if an open row is 0 all over it."""
    kept, kept_strict = [], []
    for pulled, is_strict in zip(pulled_back(rows, solid.hull.embedding), strict, strict=True):
        if any(pulled[:-1]):
            kept.append(pulled)
            kept_strict.append(is_strict)
        elif is_strict and pulled[-1] <= 0:
            return None
    return ThinCell(solid.hull, kept, kept_strict, solid.interior, layer, bits)


def _count_below(start: ThinCell, search: _Search) -> int:
    """How many patterns the points of a thin cell have."""
    total, stack = 0, [start]
    while stack:
        cell = stack.pop().at_next_neuron()
        if cell is None:
            total += 1
        else:
            stack += _sides(cell, search)
    return total


def _sides(cell: ThinCell, search: _Search) -> list[ThinCell]:
    """The non-empty sides of the next neuron's hyperplane."""
    row = cell.next_row()
    if not any(row[:-1]):
        return [cell.with_bit(row[-1] > 0)]
    bounds = _bounds_on(cell.hull, search.bounds)
    form = integer_form(row)
    opposite = [-entry for entry in row]
    on, off = _interior(cell, form, bounds), _interior(cell, form.negated(), bounds)
    if on is None:
        return [cell.with_bit(False)]
    if off is not None:
        return [cell.side(True, row, on), cell.side(False, opposite, off)]
    found = [cell.side(True, row, on)]  # the row takes its zeros away, which later neurons may ask about
    edge = ClosedOracle(bounds).solid([integer_form(r) for r in (*cell.rows, opposite)], cell.hull.dim)
    if edge is not None:
        thinner = _within(cell.rows, cell.strict, edge, cell.layer, (*cell.bits, False))
        if thinner is not None:
            hull = AffineHull(compose(cell.hull.embedding, edge.hull.embedding), _free(cell.hull, edge.hull))
            found.append(
                ThinCell(hull, thinner.rows, thinner.strict, edge.interior, cell.layer, thinner.bits)
            )
    return found


def _interior(cell: ThinCell, form: Form, bounds: Bounds) -> Point | None:
    """A point strictly inside a cell where a form is positive."""
    referee = Referee(bounds)
    if referee.sign(form, cell.interior) > 0:
        return cell.interior
    forms = [*(integer_form(row) for row in cell.rows), form]
    return referee.interior(OpenPolyhedron.of(forms, cell.hull.dim))


def _bounds_on(hull: AffineHull, bounds: Bounds) -> Bounds:
    """The bounds of the coordinates that a hull took over."""
    free = list(hull.free or ())
    return Bounds(bounds.lower[free], bounds.upper[free])


def _free(outer: AffineHull, inner: AffineHull) -> tuple[int, ...]:
    return tuple((outer.free or ())[j] for j in inner.free or ())
