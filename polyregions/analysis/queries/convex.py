"""Concave functions made largest, convex ones least: a convex programme in cvxpy for each piece."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, TypeAlias

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.decisions.cells import DecisionCells
from polyregions.analysis.queries.affine_pieces import Where, regions_of
from polyregions.errors import InputError, OptionError
from polyregions.polyhedra.convert import cvxpy_itself
from polyregions.polyhedra.polytope import HPolytope
from polyregions.read_only import ReadOnly

Objective: TypeAlias = Callable[[Any, Any], Any]
"""Takes cvxpy expressions x (d,) and y (c,), gives a scalar one."""


@dataclass(frozen=True, eq=False)
class ConvexOptimum(ReadOnly):
    """The best of many convex programmes, each solved in float64 to the tolerance of its solver: not proved.

    Attributes:
        value: the optimum; infinite if a programme is unbounded.
        point: (d,) inputs where it is reached; None if unbounded.
        piece: the region, or the decision cell.
        solver: which solver gave it.
    """

    value: float
    point: Floats | None
    piece: int
    solver: str


def minimize_convex(
    where: Where, objective: Objective, label: int | None = None, solver: str | None = None
) -> ConvexOptimum:
    """The least value of a convex function of inputs and outputs on the closed domain, or on one class.

    That the pieces are all there is proved; each programme is solved by cvxpy in float64, so the value is right to
    the solver's tolerance (about 1e-8 relative for Clarabel), and not proved. Where the function is affine,
    `minimize` is exact.

    Args:
        where: a complete set of regions, or decision cells.
        objective: takes cvxpy expressions x (d,) and y (c,) and gives a convex scalar one.
        label: only in the cells of this class; `where` has to be decision cells.
        solver: the name of a cvxpy solver; cvxpy chooses if None.

    Raises:
        MissingExtraError: cvxpy is not installed.
        OptionError: an objective that is not convex by cvxpy's rules, or a solver that failed.
        InputError: a partial set, no piece to look at.

    Complexity: a convex programme a piece, milliseconds each.

    >>> import cvxpy as cp
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> regions = pr.enumerate_regions(net, pr.Box([-2], [3]))
    >>> best = pr.minimize_convex(regions, lambda x, y: cp.sum_squares(y - 1) + cp.sum_squares(x - 2))
    >>> round(best.value, 6), best.point.round(4).tolist()
    (0.5, [1.5])
    """
    return _best(where, objective, label, solver, 1.0)


def maximize_concave(
    where: Where, objective: Objective, label: int | None = None, solver: str | None = None
) -> ConvexOptimum:
    """The largest value of a concave function of inputs and outputs; everything as in `minimize_convex`.

    >>> import cvxpy as cp
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> regions = pr.enumerate_regions(net, pr.Box(-1, 2))
    >>> found = pr.maximize_concave(regions, lambda x, y: y[0] - cp.square(x[0]))
    >>> round(found.value, 6)
    0.25
    """
    found = _best(where, lambda x, y: -objective(x, y), label, solver, -1.0)
    return ConvexOptimum(-found.value, found.point, found.piece, found.solver)


def _best(
    where: Where, objective: Objective, label: int | None, solver: str | None, sense: float
) -> ConvexOptimum:
    cvxpy = cvxpy_itself()
    best: ConvexOptimum | None = None
    for number, polytope, weight, bias in _polytopes(where, label):
        x = cvxpy.Variable(polytope.dim)
        target = objective(x, weight @ x + bias)
        programme = cvxpy.Problem(cvxpy.Minimize(target), polytope.to_cvxpy(x))
        if not programme.is_dcp():
            raise OptionError(
                f"query: the objective is not {'convex' if sense > 0 else 'concave'} by cvxpy's rules"
            )
        try:
            programme.solve(solver=solver)
        except (cvxpy.SolverError, ValueError) as error:
            raise OptionError(f"query: cvxpy could not solve piece {number}: {error}") from None
        name = str(programme.solver_stats.solver_name)
        if programme.status in (cvxpy.UNBOUNDED, cvxpy.UNBOUNDED_INACCURATE):
            return ConvexOptimum(-inf, None, number, name)
        if programme.status not in (cvxpy.OPTIMAL, cvxpy.OPTIMAL_INACCURATE):
            raise OptionError(f"query: {name} ended with {programme.status} in piece {number}")
        if best is None or programme.value < best.value:
            best = ConvexOptimum(float(programme.value), np.array(x.value, dtype=np.float64), number, name)
    if best is None:
        raise InputError("query: there is no region or cell to look at")
    return best


def _polytopes(where: Where, label: int | None) -> Any:
    """Number, polytope, weight and bias of each piece."""
    regions = regions_of(where)
    regions.network.check_values_are_outputs("an optimum")
    if isinstance(where, DecisionCells):
        for cell in where:
            if label is None or cell.label == label:
                yield cell.number, cell.polytope, *cell.region.affine_map
        return
    if label is not None:
        raise OptionError("query: a class, but no decision cells; expected decision_cells(regions)")
    for region in regions:
        polytope: HPolytope = region.polytope
        yield region.number, polytope, *region.affine_map
