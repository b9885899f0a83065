"""Volumes of cells from their vertices, with proved bounds."""

from __future__ import annotations

from math import factorial

import numpy as np

from polyregions._types import Floats
from polyregions.engine.cells.state import words_for
from polyregions.engine.kernels.compiled import announced
from polyregions.regions.complex.gather import CellVertices
from polyregions.regions.complex.lattice import FINISHED
from polyregions.regions.complex.listing import FIRST_LOCAL, local_room, words_of
from polyregions.regions.complex.measure import measure_cells

ROUNDING = 1 + 1e-15


def cell_volumes(cells: CellVertices) -> tuple[Floats, Floats]:
    """The volumes (B,) of some bounded cells over the hull's coordinates, and bounds on their errors."""
    dim, offsets = cells.points.shape[1], cells.offsets.astype(np.int64)
    n_words, volumes, first = words_for(cells.zero.shape[1]), np.zeros((2, len(cells.bits))), 0
    zeros, n_faces = words_of(cells.zero, n_words), FIRST_LOCAL
    most = words_for(int(np.diff(offsets).max(initial=1)))
    with announced("volumes (about 2 seconds)"):
        while first != FINISHED:
            local = local_room(dim, n_words, n_faces, most)
            first = measure_cells(first, offsets, zeros, cells.points, cells.error, local, volumes)
            n_faces *= 2
    return volumes[0] / factorial(dim), volumes[1] / factorial(dim) * ROUNDING
