"""Kernels that measure cells by their vertices, with a bound on the error.

A cell is cut into simplices: each face from its first vertex over the facets that do not hold it (a pulling
triangulation). The volumes are sums of absolute determinants, so nothing cancels; a determinant whose rows are each
off by a little is off by at most what Hadamard's inequality makes of that.
Source: Bueler, Enge and Fukuda, Exact volume computation for polytopes: a practical study (2000).
"""

from __future__ import annotations

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.engine.cells.state import SAFE, ULP, Words
from polyregions.engine.cells.words import NONE, bit
from polyregions.engine.kernels.compiled import entry, kernel
from polyregions.regions.complex.lattice import FINISHED, NO_FACE, Local, first_vertex, list_faces


@entry
def measure_cells(
    first: int, offsets: Ints, zeros: Words, points: Floats, error: Floats, local: Local, volumes: Floats
) -> int:
    """Put d! times the volumes of cells from `first` on into volumes[0], and bounds on their errors into volumes[1].

    Returns:
        The first cell that there is no room for, or FINISHED.
    """
    d = points.shape[1]
    rows, path = np.zeros((d + 1, d)), np.zeros((d + 1, 2), dtype=np.int64)
    for cell in range(first, len(offsets) - 1):
        start, end = offsets[cell], offsets[cell + 1]
        if list_faces(zeros, start, end, d, local) == NO_FACE:
            return cell
        add_simplices(d, start, points, error, local, rows, path, volumes, cell)
    return FINISHED


@kernel
def add_simplices(
    d: int,
    start: int,
    points: Floats,
    error: Floats,
    local: Local,
    rows: Floats,
    path: Ints,
    volumes: Floats,
    cell: int,
) -> None:
    """Go through all chains of faces, each a facet of the one before that does not hold its first vertex."""
    level = 0
    path[0, 0], path[0, 1] = 0, local.offsets[0]
    while level >= 0:
        face = path[level, 0]
        if level == d:
            add_simplex(d, start, points, error, local, path, rows, volumes, cell)
            level -= 1
            continue
        i = path[level, 1]
        if i == local.offsets[face + 1]:
            level -= 1
            continue
        path[level, 1] = i + 1
        facet = local.facets[i]
        apex = first_vertex(local.faces, face)
        if local.faces[facet, apex >> 6] & bit(apex) == NONE:
            level += 1
            path[level, 0], path[level, 1] = facet, local.offsets[facet]


@kernel
def add_simplex(
    d: int,
    start: int,
    points: Floats,
    error: Floats,
    local: Local,
    path: Ints,
    rows: Floats,
    volumes: Floats,
    cell: int,
) -> None:
    """Add the absolute determinant of the edges from one vertex of a simplex to the others."""
    apex = start + first_vertex(local.faces, path[0, 0])
    size, worst = 0.0, error[apex]
    for i in range(d):
        v = start + first_vertex(local.faces, path[i + 1, 0])
        worst = max(worst, error[v])
        for c in range(d):
            rows[i, c] = points[v, c] - points[apex, c]
            size = max(size, max(abs(points[v, c]), abs(points[apex, c])))
    blur = 2.0 * worst + 2.0 * ULP * size
    keep_lengths(d, rows)
    determinant, largest = eliminated(d, rows)
    blur += 4.0 * d * d * ULP * largest
    volumes[0, cell] += abs(determinant)
    volumes[1, cell] += change(d, rows, blur) + 4.0 * d * ULP * abs(determinant) + ULP * volumes[0, cell]


@kernel
def keep_lengths(d: int, rows: Floats) -> None:
    """Put the lengths of the rows into a last one."""
    for i in range(d):
        total = 0.0
        for c in range(d):
            total += rows[i, c] * rows[i, c]
        rows[d, i] = np.sqrt(total) * SAFE


@kernel
def change(d: int, rows: Floats, blur: float) -> float:
    """How far a determinant changes at most when each entry of its rows does by the blur: row after row replaced."""
    total, step = 0.0, blur * np.sqrt(float(d)) * SAFE
    for i in range(d):
        term = step
        for j in range(d):
            if j < i:
                term *= rows[d, j] + step
            elif j > i:
                term *= rows[d, j]
        total += term
    return total * SAFE


@kernel
def eliminated(d: int, rows: Floats) -> tuple[float, float]:
    """The determinant of d rows, by elimination with pivots, and the largest entry on the way."""
    determinant, largest = 1.0, 0.0
    for j in range(d):
        pivot = j
        for i in range(j, d):
            if abs(rows[i, j]) > abs(rows[pivot, j]):
                pivot = i
        for c in range(d):
            rows[j, c], rows[pivot, c] = rows[pivot, c], rows[j, c]
            largest = max(largest, abs(rows[j, c]))
        if rows[j, j] == 0.0:
            return 0.0, largest
        determinant *= rows[j, j]
        for i in range(j + 1, d):
            factor = rows[i, j] / rows[j, j]
            for c in range(d):
                rows[i, c] -= factor * rows[j, c]
                largest = max(largest, abs(rows[i, c]))
    return determinant, largest
