"""Which engine takes a problem."""

from __future__ import annotations

from polyregions.engine.local_box import is_box
from polyregions.errors import OptionError
from polyregions.networks.problem import Problem

ENGINES = ("auto", "cells", "walk", "highs")
MOST_INPUTS = 32  # beyond this a basis inverse costs more than HiGHS's overhead
MANY_VERTICES = 5  # dimensions up to which cells with all their vertices are the faster ones
MOST_DIMENSIONS = 8  # and up to which they are possible: a cell has about 2 to this power vertices
MOST_PIECES = 14  # an unbounded domain is cut into at most 2 to this power


def is_large_box(problem: Problem) -> bool:
    """Whether a problem is best asked about as a box with few rows in it."""
    return problem.solid.hull.dim > MOST_INPUTS and is_box(problem)


def can_scan(problem: Problem) -> bool:
    """Whether the kernels that look at finished regions can take a problem, whatever its bounds and dimension."""
    splits = problem.network.n_neurons > 0 and problem.solid.hull.dim > 0
    return splits and problem.is_tame


def choose_engine(problem: Problem, wanted: str, keep: bool = True) -> str:
    """The engine to use: "cells", "walk" or "highs".

    Args:
        problem: what is enumerated.
        wanted: one of them, or "auto" for the fastest that can take the problem.
        keep: whether regions are listed, or only counted.

    Raises:
        OptionError: an unknown engine, or a compiled one for a problem that it cannot take.
    """
    if wanted not in ENGINES:
        raise OptionError(f"engine {wanted!r}, expected one of {', '.join(ENGINES)}")
    if wanted == "highs":
        return "highs"
    obstacle = _obstacle(problem)
    dim = problem.solid.hull.dim
    if wanted == "auto":
        return "highs" if obstacle else "cells" if _has_few_vertices(problem, keep) else "walk"
    if wanted == "cells" and dim > MOST_DIMENSIONS:
        obstacle = obstacle or f"the input set has {dim} dimensions, more than {MOST_DIMENSIONS}"
    if obstacle:
        raise OptionError(f"engine {wanted!r}: {obstacle}; use 'auto' or 'highs'")
    return wanted


def _has_few_vertices(problem: Problem, keep: bool) -> bool:
    """Whether cells with all their vertices are the faster ones (measured by `benchmarks/cells.py`).

    With d inputs a cell has about 2^d vertices. Of one layer over five the walk counts the regions without going there.
    """
    dim = problem.solid.hull.dim
    is_deep = sum(layer.n_neurons > 0 for layer in problem.inner.layers) > 1
    return dim < MANY_VERTICES or (dim == MANY_VERTICES and (keep or is_deep))


def _obstacle(problem: Problem) -> str | None:
    """Why the compiled engine cannot take a problem, None if it can."""
    dim = problem.solid.hull.dim
    if problem.network.n_neurons == 0 or dim == 0:
        return "there is nothing to split"
    if dim > MOST_INPUTS:
        return f"the input set has {dim} dimensions, more than {MOST_INPUTS}"
    if not problem.is_tame:
        return "weights and bounds span too many orders of magnitude for error bounds in float64"
    if not problem.solid.bounds.are_finite:
        return _unbounded_obstacle(problem)
    return None


def _unbounded_obstacle(problem: Problem) -> str | None:
    first = problem.inner.layers[0]
    if first.n_neurons < first.n_units:
        return "the input set is unbounded and the first layer has units without a kink"
    if min(problem.solid.hull.dim, first.n_neurons) > MOST_PIECES:
        return f"the input set is unbounded in more than {MOST_PIECES} dimensions"
    return None
