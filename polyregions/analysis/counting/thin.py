"""Activation patterns that only sets without an interior have: what R1 counts beside R2.

The cell of the first neurons is split by the next one. If its hyperplane cuts the cell, both sides are
full-dimensional, and the list of regions has both. If the neuron is off all over the cell there is nothing on the other
side. But where it is on (z > 0) inside and z = 0 on a part of the cell's boundary that belongs to the cell, that part
has a pattern of its own, and so has what the later neurons split it into. Every pattern is found once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from polyregions.analysis.counting.closed import ClosedOracle
from polyregions.exact.affine import compose
from polyregions.exact.numbers import Point, dot
from polyregions.networks.pullback import PulledLayer
from polyregions.polyhedra.hull import AffineHull, SolidPolyhedron, pulled_back
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.polyhedra.solid import integer_form
from polyregions.regions.prefixes import HELD, RegionForms
from polyregions.regions.region_set import RegionSet


def thin_cells(regions: RegionSet, report: Callable[[int, int], None]) -> Iterator[ThinCell]:
    """The sets of all patterns of the network on the domain that have no full-dimensional set, each once.

    Args:
        regions: all regions.
        report: called with regions looked at and regions in all.

    Complexity: one linear program for each cell of the split tree and each neuron that does not cut it, unless the
    domain's bounds settle it; then a split tree of its own for each thin set.
    """
    search = _Search(regions)
    for i in range(len(regions)):
        report(i, len(regions))
        for n in search.questions(i):
            thin = search.touching(i, n)
            if thin is not None:
                yield from search.below(thin)


@dataclass(frozen=True, eq=False)
class ThinCell:
    """A set of the first neurons' bits without an interior, in the coordinates v of its own affine hull.

    Attributes:
        hull: the map v -> u.
        closure: forms over v, none of them constant; where all are >= 0 is the closure of the set.
        positive: integer rows over v that are >= 0 on the closure and > 0 on the set itself.
        interior: a point v where all forms of the closure are positive.
        layer: the layer of the next neuron, over u.
        bits: the known bits of that layer's neurons.
        before: the bits of all layers before it.
    """

    hull: AffineHull
    closure: tuple[Form, ...]
    positive: tuple[list[int], ...]
    interior: Point
    layer: PulledLayer
    bits: tuple[bool, ...]
    before: tuple[bool, ...]

    @property
    def pattern(self) -> tuple[bool, ...]:
        """All known bits."""
        return self.before + self.bits

    def with_bit(self, bit: bool) -> ThinCell:
        """The same set once the next neuron is known not to cut it."""
        return replace(self, bits=(*self.bits, bit))

    def at_next_neuron(self) -> ThinCell | None:
        """The same set with `layer` at the next neuron, past the end of finished layers; None if there is none."""
        layer, bits, before = self.layer, self.bits, self.before
        while len(bits) == len(layer.kinked):
            if layer.is_last:
                return None
            layer, bits, before = layer.next(bits), (), before + bits
        return replace(self, layer=layer, bits=bits, before=before)

    def next_row(self) -> list[int]:
        """The next neuron's pre-activation over v."""
        row = self.layer.exact.row(int(self.layer.kinked[len(self.bits)]))
        return pulled_back([row], self.hull.embedding)[0]

    def within(self, solid: SolidPolyhedron) -> ThinCell | None:
        """Its part in a solid part of its closure; None if a row that is positive on the set is 0 all over it."""
        closure = pulled_back([form.exact() for form in self.closure], solid.hull.embedding)
        positive = pulled_back(self.positive, solid.hull.embedding)
        if any(row[-1] <= 0 and not any(row[:-1]) for row in positive):
            return None
        hull = AffineHull(compose(self.hull.embedding, solid.hull.embedding), _free(self.hull, solid.hull))
        forms = tuple(integer_form(row) for row in _distinct(closure))
        return replace(
            self, hull=hull, closure=forms, positive=tuple(_distinct(positive)), interior=solid.interior
        )


class _Search:
    """Finds where neurons that are on in a cell touch 0 on its boundary, and splits what is there."""

    def __init__(self, regions: RegionSet) -> None:
        self.regions = regions
        self.problem = regions.problem
        self.forms = RegionForms(regions, HELD)
        self.bounds = regions.problem.solid.bounds
        self.oracle = ClosedOracle()

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
        closure = [*self.forms.bounding(i, n), self.forms.neuron(i, n).negated()]
        solid = self.oracle.solid(closure, self.bounds)
        if solid is None:
            return None
        domain = self.problem.solid
        positive = [form.exact() for form, strict in zip(domain.forms, domain.strict, strict=True) if strict]
        for m in np.flatnonzero(self.regions.patterns[i, :n]).tolist():
            if not self._is_surely_positive(i, m):
                positive.append(self.forms.neuron(i, m).exact())
        index, _ = self.forms.neurons[n]
        known, start = tuple(self.regions.patterns[i, :n].tolist()), self.forms.prefixes.ends[index]
        layer, whole = self.forms.layer(i, index), AffineHull.whole(self.regions.dim)
        cell = ThinCell(
            whole,
            tuple(closure),
            tuple(positive),
            solid.interior,
            layer,
            (*known[start:], False),
            known[:start],
        )
        return cell.within(solid)

    def below(self, start: ThinCell) -> Iterator[ThinCell]:
        """The sets of the patterns that the points of a thin cell have, with all bits known."""
        stack = [start]
        while stack:
            cell = stack.pop()
            split = cell.at_next_neuron()
            if split is None:
                yield cell
            else:
                stack += self._sides(split)

    def _sides(self, cell: ThinCell) -> list[ThinCell]:
        """The non-empty sides of the next neuron's hyperplane."""
        row = cell.next_row()
        if not any(row[:-1]):
            return [cell.with_bit(row[-1] > 0)]
        form = integer_form(row)
        opposite = form.negated()
        on = self._inside(cell, form)
        if on is None:
            return [cell.with_bit(False)]
        off = self._inside(cell, opposite)
        # Where the neuron is on its zeros are taken away, which matters where later neurons are 0 too.
        above = replace(cell.with_bit(True), positive=(*cell.positive, row), interior=on)
        if off is not None:
            below = replace(cell.with_bit(False), closure=(*cell.closure, opposite), interior=off)
            return [replace(above, closure=(*cell.closure, form)), below]
        edge = self._closed(cell, opposite)
        thinner = None if edge is None else cell.with_bit(False).within(edge)
        return [above] if thinner is None else [above, thinner]

    def _inside(self, cell: ThinCell, form: Form) -> Point | None:
        """A point strictly inside a cell where a form is positive."""
        if dot(form.exact(), cell.interior.integers) > 0:
            return cell.interior
        if cell.hull.dim == 1:
            return _inside_segment((*cell.closure, form))
        referee = Referee(_bounds_on(cell.hull, self.bounds), self.oracle.highs)
        return referee.interior(OpenPolyhedron.of((*cell.closure, form), cell.hull.dim))

    def _closed(self, cell: ThinCell, form: Form) -> SolidPolyhedron | None:
        """The part of a cell's closure where a form that is nowhere positive on it is 0."""
        if cell.hull.dim == 1:
            a, b = form.exact()
            zero = Point.of([Fraction(-b, a)])
            if any(dot(other.exact(), zero.integers) < 0 for other in cell.closure):
                return None
        return self.oracle.solid((*cell.closure, form), _bounds_on(cell.hull, self.bounds))


def _inside_segment(forms: Iterable[Form]) -> Point | None:
    """A point of a line where all forms are positive."""
    low: Fraction | None = None
    high: Fraction | None = None
    for form in forms:
        a, b = form.exact()
        zero = Fraction(-b, a)
        if a > 0:
            low = zero if low is None else max(low, zero)
        else:
            high = zero if high is None else min(high, zero)
    if low is None or high is None:
        return Point.of([low + 1 if low is not None else high - 1 if high is not None else Fraction(0)])
    return Point.of([(low + high) / 2]) if low < high else None


def _distinct(rows: Sequence[list[int]]) -> list[list[int]]:
    """The rows that are not constant, each once."""
    return [list(row) for row in dict.fromkeys(map(tuple, rows)) if any(row[:-1])]


def _bounds_on(hull: AffineHull, bounds: Bounds) -> Bounds:
    """The bounds of the coordinates that a hull took over."""
    free = list(hull.free or ())
    return Bounds(bounds.lower[free], bounds.upper[free])


def _free(outer: AffineHull, inner: AffineHull) -> tuple[int, ...]:
    return tuple((outer.free or ())[j] for j in inner.free or ())
