"""The geometry of two-dimensional pictures: corners of regions and decision cells, no drawing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyregions._types import Floats
from polyregions.adjacency import region_rows
from polyregions.decision import DecisionCells, cell_rows
from polyregions.errors import InputError
from polyregions.geometry.polytope import HPolytope
from polyregions.oracle.polyhedron import OpenPolyhedron
from polyregions.problem import Problem
from polyregions.regions import RegionSet


def region_polygons(regions: RegionSet) -> list[Floats]:
    """Corners (v, 2) of every region of a two-dimensional domain, counterclockwise, in its own coordinates.

    Raises:
        InputError: the domain is not two-dimensional, or unbounded.
    """
    check_drawable(regions.problem)
    return [_corners(region_rows(regions, i).interior) for i in range(len(regions))]


def cell_polygons(cells: DecisionCells) -> list[Floats]:
    """Corners (v, 2) of every decision cell of a two-dimensional domain, counterclockwise.

    Raises:
        InputError: the domain is not two-dimensional, or unbounded.
    """
    check_drawable(cells.regions.problem)
    return [_corners(cell_rows(cells, c)) for c in range(len(cells))]


def check_drawable(problem: Problem) -> None:
    """Refuse an input set that no picture can show.

    Raises:
        InputError: it is not two-dimensional, or unbounded.
    """
    dim = problem.solid.hull.dim
    if dim != 2:
        raise InputError(f"the input set has dimension {dim}, expected 2: a picture is two-dimensional")
    if not problem.solid.bounds.are_finite:
        raise InputError("the input set is unbounded, expected a bounded one: a picture ends somewhere")


def _corners(interior: OpenPolyhedron) -> Floats:
    rows: Sequence[list[int]] = interior.exact_rows()
    closed = np.zeros(len(rows), dtype=np.bool_)
    divisors = [max(map(abs, row)) for row in rows]
    labels = [f"row {i}" for i in range(len(rows))]
    return HPolytope.of_exact_rows(rows, divisors, interior.dim, closed, labels).vertices()
