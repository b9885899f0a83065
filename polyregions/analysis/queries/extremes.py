"""The largest and least values of affine functions of inputs and outputs, exactly.

Each piece gets a proved bound, and only those whose bound is above the best exact optimum so far are solved in
rationals. Of regions of few inputs the bound is the largest value at a vertex. Else it is a linear program: HiGHS
solves all of them and gives multipliers, which bound each optimum safely (Neumaier and Shcherbina 2004).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import inf
from typing import Any, TypeAlias

import highspy
import numpy as np

from polyregions import arrays
from polyregions._types import Floats
from polyregions.analysis.queries.affine_pieces import AffinePiece, Where, piece_of, pieces, regions_of
from polyregions.analysis.queries.at_vertices import Objective, upper_bounds
from polyregions.analysis.queries.in_front import InFront, in_front
from polyregions.errors import InputError
from polyregions.exact.affine import IntegerAffine, compose, integer_matrix
from polyregions.exact.lp import LPStatus, maximise
from polyregions.exact.numbers import Point, nearest_float, over_common_denominator
from polyregions.polyhedra.oracle.forms import Bounds, Form, OpenPolyhedron, balanced
from polyregions.polyhedra.oracle.highs import new_solver
from polyregions.polyhedra.oracle.proof import SAFE, TINY, gamma, upper_bound
from polyregions.polyhedra.solid import dot_fraction, integer_form
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

Coefficients: TypeAlias = tuple[list[Fraction], list[Fraction]]


@dataclass(frozen=True)
class Extreme:
    """A largest or least value.

    Attributes:
        value: the nearest float64; infinite if there is none.
        exact: the value itself; None if there is none, or if it is a value behind a Softmax or Sigmoid.
        point: (d,) inputs where it is reached, exactly; where it is unbounded, some inputs of that piece.
        piece: the region, or the decision cell, that holds the point.
    """

    value: float
    exact: Fraction | None
    point: tuple[Fraction, ...]
    piece: int


def maximize(where: Where, outputs: Any = None, inputs: Any = None, label: int | None = None) -> Extreme:
    """The largest value of ``outputs @ y + inputs @ x`` on the closed domain, or on one class, exactly.

    Args:
        where: a complete set of regions, or the decision cells of one.
        outputs: (c,) coefficients of the outputs y, integers, floats or fractions; None for none.
        inputs: (d,) coefficients of the inputs x.
        label: only in the cells of this class; `where` has to be decision cells.

    Raises:
        InputError: coefficients of other shapes, a partial set, no piece to look at.
        UnsupportedError: the network ends in a Softmax or the like, and the function does not increase with one of
            the values in front of it (an output of a Sigmoid does, or of a Softmax of two).

    Complexity: a linear program a region in floats, few in rationals.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[3], [-3]], [-1, 1]), ([[1, 1]], [0])])  # |3 x - 1|
    >>> best = pr.maximize(pr.enumerate_regions(net, pr.Box([0], [1])), outputs=[1])
    >>> best.exact, best.point
    (Fraction(2, 1), (Fraction(1, 1),))
    """
    regions = regions_of(where)
    network = regions.network
    a = _coefficients(outputs, network.n_outputs, "outputs")
    b = _coefficients(inputs, network.n_inputs, "inputs")
    return _largest(where, label, [(a, b)])[0]


def _largest(where: Where, label: int | None, wanted: Sequence[Coefficients]) -> list[Extreme]:
    """The largest values of some ``a . y + b . x`` on regions or decision cells."""
    regions = regions_of(where)
    fronts = [in_front(regions.network, a, b) for a, b in wanted]
    searches = [
        _Search(regions, a if front is None else front.lead, b)
        for (a, b), front in zip(wanted, fronts, strict=True)
    ]
    bounds = None
    if isinstance(where, RegionSet) and label is None:
        bounds = upper_bounds(regions, [search.objective for search in searches])
    if bounds is not None:
        forms = RegionForms(regions)
        found = [
            search.best(own, partial(piece_of, forms)) for search, own in zip(searches, bounds, strict=True)
        ]
    else:
        candidates = list(pieces(where, label))
        found = [search.best(search.bounds(candidates), candidates.__getitem__) for search in searches]
    return [_extreme(regions, front, best) for front, best in zip(fronts, found, strict=True)]


def _extreme(regions: RegionSet, front: InFront | None, best: _Best) -> Extreme:
    point = regions.problem.solid.hull.lift(best.point).coordinates
    if front is not None:
        return Extreme(front.value(best.value), None, point, best.piece)
    value = inf if best.value is None else nearest_float(best.value)
    return Extreme(value, best.value, point, best.piece)


def minimize(where: Where, outputs: Any = None, inputs: Any = None, label: int | None = None) -> Extreme:
    """The least value of ``outputs @ y + inputs @ x``; everything as in `maximize`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[3], [-3]], [-1, 1]), ([[1, 1]], [0])])  # |3 x - 1|
    >>> pr.minimize(pr.enumerate_regions(net, pr.Box([0], [1])), outputs=[1]).point
    (Fraction(1, 3),)
    """
    regions = regions_of(where)
    a = _coefficients(outputs, regions.network.n_outputs, "outputs")
    b = _coefficients(inputs, regions.network.n_inputs, "inputs")
    return _negated(_largest(where, label, [_opposite(a, b)])[0])


def _opposite(a: list[Fraction], b: list[Fraction]) -> Coefficients:
    return [-c for c in a], [-c for c in b]


def _negated(best: Extreme) -> Extreme:
    exact = None if best.exact is None else -best.exact
    return Extreme(-best.value + 0.0, exact, best.point, best.piece)


def output_range(where: Where, label: int | None = None) -> list[tuple[Extreme, Extreme]]:
    """For each output (c) its least and its largest value on the closed domain, or on one class, exactly.

    Args and Raises as in `maximize`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> [(low.value, high.value) for low, high in pr.output_range(pr.enumerate_regions(net, pr.Box([-1], [2])))]
    [(0.0, 2.0)]
    """
    regions = regions_of(where)
    c, none = regions.network.n_outputs, [Fraction(0)] * regions.network.n_inputs
    units = [[Fraction(int(i == j)) for i in range(c)] for j in range(c)]
    found = _largest(where, label, [*(_opposite(u, none) for u in units), *((u, none) for u in units)])
    return list(zip(map(_negated, found[:c]), found[c:], strict=True))


@dataclass(frozen=True)
class _Best:
    value: Fraction | None
    point: Point
    piece: int


class _Search:
    """One objective over many pieces."""

    def __init__(self, regions: RegionSet, outputs: list[Fraction], inputs: list[Fraction]) -> None:
        solid = regions.problem.solid
        self._bounds, self._embedding, self._a, self._b = solid.bounds, solid.hull.embedding, outputs, inputs
        self._solver = new_solver()

    @property
    def objective(self) -> Objective:
        """What is made as large as it can be."""
        return Objective(self._a, self._b)

    def best(self, bounds: Sequence[float] | Floats, piece: Callable[[int], AffinePiece]) -> _Best:
        """The largest value and where it is.

        Args:
            bounds: a proved upper bound for each piece.
            piece: gives one of them.
        """
        if not len(bounds):
            raise InputError("query: there is no region or cell to look at")
        best: _Best | None = None
        order = np.argsort(-np.asarray(bounds, dtype=np.float64), kind="stable")
        for i in order.tolist():
            if best is not None and best.value is not None and float(bounds[i]) <= best.value:
                break
            found = self._exactly(piece(i))
            if found.value is None:
                return found
            if best is None or best.value is None or (found.value, -found.piece) > (best.value, -best.piece):
                best = found
        assert best is not None
        return best

    def _objective(self, piece: AffinePiece) -> tuple[list[int], int]:
        """The objective over u as integers, the constant last, and their denominator."""
        *a, p = over_common_denominator(self._a)
        *b, q = over_common_denominator(self._b)
        of_outputs = compose(IntegerAffine(integer_matrix([[*a, 0]], len(a) + 1), p), piece.outputs)
        of_inputs = compose(IntegerAffine(integer_matrix([[*b, 0]], len(b) + 1), q), self._embedding)
        one, two = of_outputs.row(0), of_inputs.row(0)
        r, s = of_outputs.denominator, of_inputs.denominator
        return [x * s + y * r for x, y in zip(one, two, strict=True)], r * s

    def _exactly(self, piece: AffinePiece) -> _Best:
        row, denominator = self._objective(piece)
        found = maximise(piece.polyhedron.exact_rows(), row[:-1], piece.interior.coordinates)
        if found.status is LPStatus.UNBOUNDED:
            return _Best(None, Point.of(found.point), piece.number)
        return _Best(dot_fraction(row, found.point) / denominator, Point.of(found.point), piece.number)

    def bounds(self, candidates: Sequence[AffinePiece]) -> list[float]:
        """A proved upper bound for each piece, infinite where floats prove none."""
        return [self._bound(piece) for piece in candidates]

    def _bound(self, piece: AffinePiece) -> float:
        """An upper bound, proved; infinite where floats prove none."""
        row, denominator = self._objective(piece)
        form = integer_form(row)
        scale = Fraction(1 << max(0, max(map(abs, row)).bit_length() - 1), denominator)
        bound = bound_on(form, piece.polyhedron, self._bounds, self._solver)
        if not np.isfinite(bound):
            return inf
        exact = Fraction(bound) * scale
        return float(np.nextafter(nearest_float(exact), inf))


@np.errstate(all="ignore")
def bound_on(form: Form, polyhedron: OpenPolyhedron, bounds: Bounds, solver: highspy.Highs) -> float:
    """A proved upper bound on a form over the closure of a polyhedron within some bounds; inf where there is none."""
    rows, scale = balanced(polyhedron.rows)
    multipliers = _multipliers(solver, form.row, rows) / scale
    total = form.row + multipliers @ polyhedron.rows
    size = np.abs(form.row) + multipliers @ np.abs(polyhedron.rows)
    error = (form.error + multipliers @ polyhedron.error + gamma(len(rows) + 2) * size) * SAFE + TINY
    return float(upper_bound(total[None], error[None], bounds)[0])


def _multipliers(solver: highspy.Highs, objective: Floats, rows: Floats) -> Floats:
    """Multipliers (m,) >= 0 with which rows bound an objective from above; zeros if HiGHS finds none."""
    m, k = len(rows), rows.shape[1] - 1
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = k, m
    program.col_cost_ = -objective[:-1]
    program.col_lower_, program.col_upper_ = np.full(k, -np.inf), np.full(k, np.inf)
    program.row_lower_, program.row_upper_ = -rows[:, -1], np.full(m, np.inf)
    row, column = np.nonzero(rows[:, :-1])
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.searchsorted(row, np.arange(m + 1)).astype(np.int32)
    program.a_matrix_.index_ = column.astype(np.int32)
    program.a_matrix_.value_ = rows[row, column]
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return np.zeros(m)
    return np.maximum(np.array(solver.getSolution().row_dual, dtype=np.float64), 0.0)


def _coefficients(values: Any, n: int, what: str) -> list[Fraction]:
    if values is None:
        return [Fraction(0)] * n
    try:
        found = [Fraction(v) for v in arrays.numbers(values).tolist()]
    except (arrays.NotNumbers, TypeError, ValueError, OverflowError):
        raise InputError(f"query: {what} are not {n} finite numbers") from None
    if len(found) != n:
        raise InputError(f"query: {len(found)} coefficients of {what}, expected {n}")
    return found
