"""H-polytopes in the form that other libraries take: scipy's linear programs, Qhull's half-spaces, cvxpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyregions._types import Floats
from polyregions.errors import DomainError, MissingExtraError


def linprog_arguments(A: Floats, b: Floats) -> dict[str, Any]:
    """Keyword arguments of ``scipy.optimize.linprog`` for ``A x <= b``; x is free, which is not its default.

    A (m, d), b (m,).
    """
    return {"A_ub": A.copy(), "b_ub": b.copy(), "bounds": (None, None)}


def qhull_halfspaces(A: Floats, b: Floats) -> Floats:
    """Rows (m, d+1) of ``[A, -b] @ [x, 1] <= 0``, as Qhull writes half-spaces."""
    return np.column_stack([A, -b])


def cvxpy_itself() -> Any:
    """The module cvxpy, which brings solvers of a quarter of all that is installed, and three functions need.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import cvxpy
    except ImportError:
        raise MissingExtraError("cvxpy", "convex", "a convex programme") from None
    return cvxpy


def cvxpy_constraints(A: Floats, b: Floats, x: Any) -> list[Any]:
    """The cvxpy constraints ``A x <= b``, none if there are no rows.

    Raises:
        DomainError: x is no cvxpy expression of shape (d,).
        MissingExtraError: cvxpy is not installed.
    """
    cvxpy = cvxpy_itself()
    if not isinstance(x, cvxpy.Expression):
        raise DomainError(
            f"polytope: x is of type {type(x).__name__}, expected a cvxpy variable or expression"
        )
    if x.shape != (A.shape[1],):
        raise DomainError(f"polytope: x has shape {x.shape}, expected ({A.shape[1]},)")
    return [A @ x <= b] if len(A) else []
