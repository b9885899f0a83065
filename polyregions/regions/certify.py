"""Making certificates: the proof, found once more and written down, that a list of regions is complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import gcd, lcm

import numpy as np

from polyregions.certificates import checker
from polyregions.certificates.certificate import VERSION, Certificate, HullMap, InputSet
from polyregions.certificates.checker import (
    Cell,
    CheckFailure,
    Row,
    Tree,
    hull_affine,
    input_rows,
    place,
    pulled_back,
    walk,
)
from polyregions.certificates.input_sets import input_set
from polyregions.errors import InputError, expect
from polyregions.exact.interior import find_interior, proves_empty
from polyregions.exact.lp import maximise
from polyregions.exact.numbers import Point
from polyregions.polyhedra.domain import Slice
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.oracle.answer import Status
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron
from polyregions.polyhedra.oracle.highs import HighsOracle
from polyregions.polyhedra.solid import integer_form
from polyregions.regions.region_set import RegionSet

RECENT = 8
"""Proofs kept for each side of each neuron, to be tried on the next cell before any linear program."""


def certify(regions: RegionSet) -> Certificate:
    """The proof that a complete set of regions is complete, for `check` to believe without believing anything else.

    Args:
        regions: all regions of a network on a domain, from any engine or file.

    Returns:
        The certificate, with the network's fingerprint in it and not the network.

    Raises:
        InputError: the set is marked partial, or is not complete after all; or its domain is a slice whose
            coefficients float64 cannot hold.

    Complexity: one linear program for each refusal, of which there are a few for each region.

    >>> from polyregions import Box, Network, enumerate_regions
    >>> from polyregions.certificates.checker import check
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> check(certify(enumerate_regions(net, Box([-1], [1]))), net).regions
    2
    """
    expect(regions, RegionSet, "regions")
    if not regions.complete:
        raise InputError(f"{regions!r}: only a complete set of regions can be certified")
    draft = _without_refusals(regions)
    try:
        tree = Tree.of(draft, regions.network)
        prover = _Prover(tree, regions.problem.solid.bounds)
        for _ in walk(tree, prover.settles):
            pass
    except CheckFailure as failure:
        raise InputError(f"{regions!r} cannot be certified: {failure}") from None
    offsets = np.cumsum([0, *map(len, prover.supports)], dtype=np.int64)
    flat = [row for support in prover.supports for row in support]
    return replace(draft, supports=np.array(flat, dtype=np.int64), offsets=offsets)


def _without_refusals(regions: RegionSet) -> Certificate:
    stored = input_set(regions.domain)
    return Certificate(
        VERSION,
        regions.network.fingerprint(),
        stored,
        _hull_map(regions, stored),
        regions.packed,
        regions.local_points,
        dict(regions.rational_points),
        np.zeros(0, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
    )


# ---------------------------------------------------------------- the hull


def _hull_map(regions: RegionSet, stored: InputSet) -> HullMap:
    solid = regions.problem.solid
    if isinstance(regions.domain, Slice):
        solid = regions.domain.domain.solid_domain()
    embedding = solid.hull.embedding
    rows = tuple(tuple(embedding.row(i)) for i in range(embedding.shape[0]))
    bare = HullMap(rows, embedding.denominator, {})
    return replace(bare, equations=_equations(input_rows(stored), bare, solid.hull, solid.interior))


def _equations(rows: Sequence[Row], bare: HullMap, hull: AffineHull, interior: Point) -> dict[int, int]:
    """Positive multipliers for all rows that vanish on the hull, with sum zero.

    Such a row cannot rise above 0 while the others are >= 0; the multipliers that prove it, summed over all of
    them, reach every row. Opposite rows need no program.
    """
    pulled = pulled_back(rows, hull_affine(bare))
    vanishing = [i for i, row in enumerate(pulled) if any(rows[i]) and not any(row)]
    known = {_primitive(rows[i]): i for i in vanishing}
    total = dict.fromkeys(vanishing, Fraction(0))
    for i in vanishing:
        opposite = known.get(tuple(-entry for entry in _primitive(rows[i])))
        proof = _multipliers(rows, vanishing, i, hull.lift(interior)) if opposite is None else {}
        if opposite is not None:
            proof = {opposite: Fraction(_content(rows[i]), _content(rows[opposite]))}
        for j, y in [(i, Fraction(1)), *proof.items()]:
            total[j] += y
    scale = lcm(1, *(y.denominator for y in total.values()))
    return {i: int(y * scale) for i, y in total.items()}


def _multipliers(rows: Sequence[Row], among: Sequence[int], i: int, point: Point) -> dict[int, Fraction]:
    """Multipliers of the given rows that, added to row i, make 0."""
    optimum = maximise([rows[j] for j in among], rows[i][:-1], list(point.coordinates))
    return {among[j]: y for j, y in optimum.multipliers.items()}


def _primitive(row: Row) -> tuple[int, ...]:
    return tuple(entry // _content(row) for entry in row)


def _content(row: Row) -> int:
    return gcd(*row)


# ---------------------------------------------------------------- refusals


class _Prover:
    """Finds the rows on which each refusal rests: HiGHS proposes them, integers decide."""

    def __init__(self, tree: Tree, bounds: Bounds) -> None:
        self.supports: list[list[int]] = []
        self._tree = tree
        self._bounds = bounds
        self._oracle = HighsOracle()
        self._domain = [_form(row) for row in tree.rows]
        self._cuts: dict[int, tuple[Row, Form]] = {}
        self._bound_rows = _bound_rows(tree.rows)
        self._recent: dict[tuple[int, bool], list[list[int]]] = {}
        self._cell: Cell | None = None
        self._interior = OpenPolyhedron.of(self._domain, len(tree.rows[0]) - 1 if tree.rows else 0)

    def settles(self, cell: Cell, neuron: int, side: Row) -> bool:
        """Write down the rows of the cell that prove one side of it empty."""
        recent = self._recent.setdefault((neuron, bool(self._tree.patterns[cell.first, neuron])), [])
        support = next((known for known in recent if self._holds(cell, known, side)), None)
        if support is None:
            support = self._by_bounds(side) or self._found(cell, neuron, side)
            del recent[RECENT - 1 :]
        else:
            recent.remove(support)
        recent.insert(0, support)
        self.supports.append(support)
        return True

    def _holds(self, cell: Cell, support: list[int], side: Row) -> bool:
        """Whether rows that served another cell prove a side of this one empty; integers decide that in no time."""
        m = len(self._domain)
        if not all(number < m or number - m in cell.cuts for number in support):
            return False
        rows = [self._tree.rows[i] if i < m else cell.cuts[i - m] for i in support]
        return checker.proves_empty([*rows, side])

    def _by_bounds(self, side: Row) -> list[int] | None:
        """The bounds of the input set's coordinates that prove a side empty, if they do; no program is needed."""
        wanted = [(j, entry < 0) for j, entry in enumerate(side[:-1]) if entry]
        if not all(bound in self._bound_rows for bound in wanted):
            return None
        support = sorted(self._bound_rows[bound] for bound in wanted)
        rows = [self._tree.rows[i] for i in support]
        return support if checker.proves_empty([*rows, side]) else None

    def _found(self, cell: Cell, neuron: int, side: Row) -> list[int]:
        """The rows that prove a side of a cell empty, by a linear program."""
        self._enter(cell)
        multipliers = self._multipliers(self._interior.with_form(_form(side)))
        if multipliers is None:
            where = place(self._tree, cell, neuron)
            raise CheckFailure(f"{where}: its other side holds a region that is not listed")
        m = len(self._domain)
        numbers = [*range(m), *(m + n for n in cell.cuts)]
        return [numbers[i] for i in sorted(multipliers) if i < len(numbers)]

    def _enter(self, cell: Cell) -> None:
        """Make the interior of a cell ready, unless it is the same as before."""
        if cell is not self._cell:
            cuts = [self._cut(neuron, row) for neuron, row in cell.cuts.items()]
            self._interior = OpenPolyhedron.of([*self._domain, *cuts], cell.values.matrix.ncols() - 1)
            self._cell = cell

    def _cut(self, neuron: int, row: Row) -> Form:
        """The row in floats and integers; the last one of each neuron is kept, which serves all cells below it."""
        known = self._cuts.get(neuron)
        if known is None or known[0] is not row:
            known = self._cuts[neuron] = (row, _form(row))
        return known[1]

    def _multipliers(self, polyhedron: OpenPolyhedron) -> dict[int, Fraction] | None:
        """Multipliers that prove an open polyhedron empty and are determined by their rows; None if it has a point."""
        answer = self._oracle.interior(polyhedron, self._bounds)
        if answer.status is Status.NONEMPTY:
            return None
        rows = polyhedron.exact_rows()
        proof = proves_empty(rows, answer.support)
        if proof is not None:
            return proof
        hint = (
            answer.guess
            if answer.guess is not None and np.all(np.isfinite(answer.guess))
            else np.zeros(polyhedron.dim)
        )
        found = find_interior(rows, [Fraction(value) for value in hint.tolist()])
        return found.multipliers if found.point is None else None


def _bound_rows(rows: Sequence[Row]) -> dict[tuple[int, bool], int]:
    """(coordinate, whether its coefficient is positive) -> row, for rows with one coefficient."""
    used = [[j for j, entry in enumerate(row[:-1]) if entry] for row in rows]
    return {(js[0], rows[i][js[0]] > 0): i for i, js in enumerate(used) if len(js) == 1}


def _form(row: Row) -> Form:
    return integer_form([int(entry) for entry in row])
