"""How far the decision at a point is from changing: the nearest point of another class, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, sqrt
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Floats
from polyregions.analysis.decisions.cells import DecisionCells
from polyregions.analysis.decisions.outputs import winner
from polyregions.analysis.queries.affine_pieces import AffinePiece, pieces, regions_of
from polyregions.analysis.queries.norms import Norm, NormLike, Ruler, distances_to_rows, norm_of
from polyregions.errors import DomainError, InputError, expect
from polyregions.exact.numbers import dot, nearest_float, over_common_denominator
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.oracle.highs import new_solver


@dataclass(frozen=True)
class Robustness:
    """The nearest point of another class.

    Attributes:
        radius: its distance, the nearest float64 (in l2 within two units in the last place); inf if the whole domain
            is of one class.
        exact: the distance itself in l1 and linf, its square in l2; None if there is no other class.
        point: (d,) a nearest point, exactly, on the boundary of the other class; None if there is none.
        label: the class at the point asked about.
        other: the class that is met.
        cell: its decision cell.
        solved: how many decision cells were solved exactly.
    """

    radius: float
    exact: Fraction | None
    point: tuple[Fraction, ...] | None
    label: int
    other: int | None
    cell: int | None
    solved: int


def robustness_radius(cells: DecisionCells, x: Any, norm: NormLike = "l2") -> Robustness:
    """The distance from a point to the nearest decision cell of another class, within the domain; exact.

    Args:
        cells: all decision cells, see `decision_cells`.
        x: (d,) a point of the domain; integers and fractions are taken exactly.
        norm: "l1", "l2" or "linf", or numpy's 1, 2 or ``np.inf`` for it.

    Raises:
        DomainError: the point is not in the domain, or the domain is a slice, whose coordinates distort distances.
        InputError: no numbers, or cells of a partial set; OptionError: another norm.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> cells = pr.decision_cells(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
    >>> found = pr.robustness_radius(cells, [0.75, 0.25], "l1")
    >>> found.exact, found.label, found.other
    (Fraction(1, 2), 0, 1)

    Complexity: O(rows of all cells) in floats, and a small program for each cell whose bound is below the radius.
    """
    return robustness_radii(cells, [x], norm)[0]


def robustness_radii(cells: DecisionCells, X: Any, norm: NormLike = "l2") -> tuple[Robustness, ...]:
    """The same for each row of X (n, d); what does not depend on the point is done once.

    Args, Raises and Complexity as for `robustness_radius`.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2))
    >>> [found.radius for found in pr.robustness_radii(pr.decision_cells(regions), [[1, 0], [0.5, 0.25]], "linf")]
    [0.5, 0.125]
    """
    expect(cells, DecisionCells, "cells")
    search = _Search(cells, norm_of(norm))
    try:
        points, rational = arrays.points_and_exact(X, cells.regions.network.n_inputs)
    except arrays.NotNumbers as error:
        raise InputError(
            f"robustness: points: {error}, expected {cells.regions.network.n_inputs} numbers"
        ) from None
    return tuple(search.radius([*rational.get(i, map(Fraction, x.tolist()))]) for i, x in enumerate(points))


class _Search:
    """The cells' rows in one array, ready to be bounded from any point."""

    def __init__(self, cells: DecisionCells, norm: Norm) -> None:
        regions_of(cells)
        self.cells, self.norm = cells, norm
        self.problem = cells.regions.problem
        if not keeps_distances(self.problem.solid.hull):
            raise DomainError("robustness: the domain is a slice, whose own coordinates distort distances")
        self.pieces = list(pieces(cells))
        self.rows = np.concatenate([piece.polyhedron.rows for piece in self.pieces])
        self.error = np.concatenate([piece.polyhedron.error for piece in self.pieces])
        counts = [len(piece.polyhedron.rows) for piece in self.pieces]
        self.piece_of_row = np.repeat(np.arange(len(self.pieces)), counts)
        self._ruler = Ruler(norm, new_solver())

    def radius(self, x: list[Fraction]) -> Robustness:
        """The answer for one point of the input space."""
        problem = self.problem
        if not problem.solid.hull.contains(x):
            raise DomainError(f"robustness: {[float(c) for c in x]} is not in the domain")
        u = problem.solid.hull.coordinates(x)
        if any(dot(form.exact(), over_common_denominator(u)) < 0 for form in problem.solid.forms):
            raise DomainError(f"robustness: {[float(c) for c in x]} is not in the domain")
        label = winner(problem.exact.germ(u), self.cells.rule)
        at = np.array([nearest_float(c) for c in u])
        bounds = self._lower_bounds(at)
        others = np.flatnonzero(self.cells.label != label)
        best: tuple[Fraction, list[Fraction], AffinePiece] | None = None
        solved = 0
        for i in others[np.argsort(bounds[others], kind="stable")].tolist():
            if best is not None and self._is_beyond(bounds[i], best[0]):
                break
            piece = self.pieces[i]
            if best is not None and self._is_beyond(self._ruler.lower_bound(piece.polyhedron, at), best[0]):
                continue
            rows = piece.polyhedron.exact_rows()
            exact, nearest = self._ruler.exactly(rows, u, piece.interior.coordinates)
            solved += 1
            if best is None or exact < best[0]:
                best = exact, nearest, piece
        return self._answer(label, best, solved)

    def _lower_bounds(self, at: Floats) -> Floats:
        """A lower bound on the distance to each piece: to the farthest of its rows, 0 if it has none."""
        bounds = np.zeros(len(self.pieces))
        np.maximum.at(bounds, self.piece_of_row, distances_to_rows(self.rows, self.error, at, self.norm))
        return bounds

    def _is_beyond(self, bound: float, best: Fraction) -> bool:
        """Whether a bound below a distance shows that it is no smaller than the best one."""
        known = Fraction(bound)
        return (known * known if self.norm == "l2" else known) >= best

    def _answer(
        self, label: int, best: tuple[Fraction, list[Fraction], AffinePiece] | None, solved: int
    ) -> Robustness:
        if best is None:
            return Robustness(inf, None, None, label, None, None, solved)
        exact, nearest, piece = best
        weight, bias = self.problem.solid.hull.embedding.fractions()
        point = tuple(
            sum((w * c for w, c in zip(row, nearest, strict=True)), b)
            for row, b in zip(weight, bias, strict=True)
        )
        radius = sqrt(nearest_float(exact)) if self.norm == "l2" else nearest_float(exact)
        other = int(self.cells.label[piece.number])
        return Robustness(radius, exact, point, label, other, piece.number, solved)


def keeps_distances(hull: AffineHull) -> bool:
    """Whether the coordinates u are some of the inputs, the others being fixed."""
    if hull.free is None:
        return False
    fixed = set(range(hull.ambient_dim)) - set(hull.free)
    return not any(any(hull.embedding.row(i)[:-1]) for i in fixed)
