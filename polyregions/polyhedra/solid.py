"""What is asked about a solid polyhedron: its interior as an oracle's question, boundedness, its bounding box."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from polyregions._types import Floats
from polyregions.exact.affine import integer_rank
from polyregions.exact.lp import LPStatus, maximise
from polyregions.exact.numbers import dot, nearest_float
from polyregions.polyhedra.hull import SolidPolyhedron
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.oracle.proof import TINY, UNIT


def open_polyhedron(solid: SolidPolyhedron) -> OpenPolyhedron:
    """The interior of a solid polyhedron, in the form oracles are asked about."""
    return OpenPolyhedron.of([integer_form(row) for row in solid.rows], solid.hull.dim)


def integer_form(row: Sequence[int]) -> Form:
    """A form given by integers; its floats are scaled to about 1 and rounded, which the error says."""
    entries = list(row)
    scale = 1 << max(0, max((abs(e) for e in entries), default=1).bit_length() - 1)
    floats, error = np.zeros(len(entries)), np.zeros(len(entries))
    for i, entry in enumerate(entries):
        if entry:
            floats[i] = nearest = entry / scale
            if Fraction(nearest) * scale != entry:
                error[i] = abs(nearest) * UNIT + TINY
    return Form(floats, error, lambda: entries)


def recession_cone_is_trivial(rows: Sequence[Sequence[int]], dim: int) -> bool:
    """Whether ``{v : row . v >= 0}`` holds only 0, for a non-empty polyhedron with these rows; exact."""
    if dim == 0:
        return True
    normals = [list(row[:dim]) for row in rows]
    total = [sum(column) for column in zip(*normals, strict=True)] or [0] * dim
    if integer_rank(normals, dim) < dim:
        return False
    cone = [[*normal, 0] for normal in normals] + [[*(-t for t in total), 1]]
    best = maximise(cone, total, origin(dim))
    return not any(best.point)


def bounding_box(solid: SolidPolyhedron) -> tuple[Floats, Floats]:
    """Corners (d,) of the smallest box around a solid polyhedron in x, rounded outwards; infinite where unbounded."""
    start = solid.interior.coordinates
    lower: list[float] = []
    upper: list[float] = []
    for i in range(solid.hull.ambient_dim):
        row = solid.hull.embedding.row(i)
        for side, corner in ((1, upper), (-1, lower)):
            best = maximise(solid.rows, [side * w for w in row[:-1]], start)
            value = side * np.inf
            if best.status is LPStatus.OPTIMAL:
                value = rounded_towards(
                    dot_fraction(row, best.point) / solid.hull.embedding.denominator, side
                )
            corner.append(value)
    return np.array(lower), np.array(upper)


def scaled_slacks(solid: SolidPolyhedron) -> tuple[Floats, Floats]:
    """Unit normals (m, k) and the distances (m,) of the interior point from the rows, rounded once."""
    normals = np.array([integer_form(row).row[:-1] for row in solid.rows]).reshape(
        len(solid.rows), solid.hull.dim
    )
    norms = np.linalg.norm(normals, axis=1)
    distances = []
    for row, norm in zip(solid.rows, norms, strict=True):
        scale = 1 << max(0, max(map(abs, row)).bit_length() - 1)
        slack = Fraction(dot(row, solid.interior.integers), solid.interior.integers[-1])
        distances.append(nearest_float(slack / scale) / norm)
    return normals / norms[:, None], np.array(distances)


def rounded_towards(exact: Fraction, side: float) -> float:
    """The nearest float that is not below (side > 0) or not above (side < 0) an exact number."""
    nearest = nearest_float(exact)
    if np.isinf(nearest):
        return nearest if nearest * side > 0 else float(np.nextafter(nearest, side * np.inf))
    wrong = Fraction(nearest) < exact if side > 0 else Fraction(nearest) > exact
    return float(np.nextafter(nearest, side * np.inf)) if wrong else nearest


def dot_fraction(row: Sequence[int], point: Sequence[Fraction]) -> Fraction:
    """Value of an integer affine form at a rational point."""
    return sum((r * p for r, p in zip(row, point, strict=False)), Fraction(row[-1]))


def origin(dim: int) -> list[Fraction]:
    """The origin of R^dim."""
    return [Fraction(0)] * dim
