"""What vanishes at the vertices of all regions, from the engine of cells or in rationals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpz_mat

from polyregions._types import Bools, Bytes, Floats, Ints
from polyregions.engine.choose import MANY_VERTICES, choose_engine
from polyregions.exact.affine import integer_matrix
from polyregions.exact.numbers import nearest_float
from polyregions.networks.problem import Problem
from polyregions.polyhedra.generators import generators
from polyregions.polyhedra.oracle.proof import UNIT as ULP
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.collect import all_regions
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class CellVertices:
    """The vertices of the closures of some regions, those at infinity too, and what vanishes at each.

    Attributes:
        bits: (B, N) uint8 patterns of the regions.
        offsets: (B+1,) where the vertices of each region start.
        zero: (M, N+m+1) uint8: which neurons are 0, which rows of the domain, and whether it is at infinity.
        points: (M, k) the vertices over the hull's coordinates, in float64; whatever it is at infinity.
        error: (M,) bounds on their distance (maximum norm) to the true ones, infinite where none is known.
    """

    bits: Bytes
    offsets: Ints
    zero: Bytes
    points: Floats
    error: Floats


@dataclass(frozen=True, eq=False)
class AllFaces:
    """The faces of all cells, facets before faces; those at infinity are faces like others.

    Attributes:
        zero: (F, N+m+1) uint8 what vanishes on each, packed in bytes of eight (little end first).
        on: (F, N) uint8 the neurons that are positive on it, packed likewise.
        dim: (F,) its dimension, without that of the lines in the domain that nothing changes along.
        is_finite: (F,) whether it is not at infinity.
        offsets: (F+1,), facets (M,): its facets.
        points: (V, k) the vertices, the faces of dimension 0 in their order, over the hull's coordinates.
        error: (V,) bounds on their distance (maximum norm) to the true ones, infinite where none is known.
        n_lines: how many dimensions of lines there are that nothing changes along.
    """

    zero: Bytes
    on: Bytes
    dim: Ints
    is_finite: Bools
    offsets: Ints
    facets: Ints
    points: Floats
    error: Floats
    n_lines: int


def cell_vertices(problem: Problem, regions: RegionSet | None = None) -> tuple[int, Iterator[CellVertices]]:
    """The dimension of the cells and their vertices, all regions of a problem once.

    Args:
        problem: what is enumerated.
        regions: its regions, if they are known; needed where the engine of cells cannot take the problem.
    """
    if can_have_cells(problem):
        return _by_engine(problem)
    if regions is None:
        regions = all_regions(problem)
    forms = RegionForms(regions)
    n_lines = len(generators([form.exact() for form in forms.bounding(0)], regions.dim).lines)
    return regions.dim - n_lines, (_in_rationals(forms, i) for i in range(len(regions)))


def can_have_cells(problem: Problem) -> bool:
    """Whether the engine of cells is the one to ask; it is up to one dimension more than for enumeration."""
    dim = problem.solid.hull.dim
    return dim <= MANY_VERTICES + 1 and choose_engine(problem, "auto") != "highs"


def _by_engine(problem: Problem) -> tuple[int, Iterator[CellVertices]]:
    from polyregions.engine.cells.driver import CellsRun  # numba takes half a second to import
    from polyregions.engine.cells.state import ZEROS

    run = CellsRun(problem, wanted=ZEROS)
    first = next(piece for start in run.starts() if (piece := run.piece(start)) is not None)
    parts = (run.part(start, Referee(problem.solid.bounds)).zeros() for start in run.starts())
    found = (CellVertices(x.bits, x.offsets, x.zero, x.points, x.error) for part in parts for x in part)
    return first.start.dim, found


def _in_rationals(forms: RegionForms, i: int) -> CellVertices:
    """The vertices of one region, and its rays, which end at infinity."""
    regions = forms.regions
    found = generators([form.exact() for form in forms.bounding(i)], regions.dim)
    ends = [point.direction for point in found.points] + [[*ray.direction, 0] for ray in found.rays]
    rows = [layer.exact.row(unit) for layer in forms.along(i) for unit in layer.kinked.tolist()]
    rows += [form.exact() for form in regions.problem.solid.forms]
    values: fmpz_mat = (
        integer_matrix(rows, regions.dim + 1) * integer_matrix(ends, regions.dim + 1).transpose()
    )
    zero = np.array([[value == 0 for value in row] for row in values.tolist()], dtype=np.uint8)
    at_infinity = np.array([[end[-1] == 0 for end in ends]], dtype=np.uint8)
    zero = np.concatenate([zero.reshape(len(rows), len(ends)), at_infinity]).T
    points = np.array([[nearest_float(Fraction(c, end[-1] or 1)) for c in end[:-1]] for end in ends])
    points = points.reshape(len(ends), regions.dim)
    error = 2 * ULP * np.abs(points).max(axis=1, initial=0.0)
    pattern = regions.patterns[i : i + 1].astype(np.uint8)
    return CellVertices(pattern, np.array([0, len(ends)]), zero, points, error)
