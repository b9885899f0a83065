"""The kernels of `engine.kernels.point_in_rows` at work on the regions of one set; importing this imports numba."""

from __future__ import annotations

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.engine.kernels.compiled import announced
from polyregions.engine.kernels.point_in_rows import (
    Contest,
    Verdicts,
    allocate_workspace,
    answer_all,
    cut_regions,
    lay_down,
)
from polyregions.regions.chunks import Chunk
from polyregions.regions.region_set import RegionSet


class CellKernels:
    """Where the kernels work, with the rows of the domain laid down.

    Args:
        regions: whose questions are asked.
        n_extra: the most rows that a question adds to those of a region.
    """

    def __init__(self, regions: RegionSet, n_extra: int) -> None:
        root, bounds = regions.problem.root, regions.problem.solid.bounds
        self._n_domain = len(root.rows)
        n_rows = self._n_domain + regions.network.n_neurons + n_extra
        self._work = allocate_workspace(n_rows, bounds.lower, bounds.upper)
        with announced("decision cells"):
            lay_down(self._work, root.rows, root.error)
            self._compile(regions.dim)

    def cut(self, chunk: Chunk, forms: Floats, doubt: Floats, points: Floats) -> Verdicts:
        """Which classes have the largest form somewhere in each region.

        Args:
            chunk: r regions.
            forms: (r, classes, k+1) that compete.
            doubt: (r, classes, k+1) the error of each entry.
            points: (r, k) inside the regions.

        Returns:
            Status (r, classes), points (r, classes, k), and (r, classes, k+1) the rows on which a proof may rest
            that an open one is empty.
        """
        ends, _, rows, error = chunk.bounding_rows(np.arange(len(chunk)))
        verdicts = _room(len(forms), forms.shape[1], points.shape[1])
        contest = Contest(forms, doubt, points)
        cut_regions(self._work, self._n_domain, ends, rows, error, contest, verdicts)
        return verdicts

    def answer(self, ends: Ints, rows: Floats, error: Floats, starts: Floats) -> tuple[Bytes, Floats]:
        """Whether rows leave a point: status (q,), and points (q, k) where they do.

        Args:
            ends: (q,) where the rows of each question end; the domain's are understood.
            rows: (M, k+1); of each question all but the last hold at its start.
            error: (M, k+1) the error of each entry.
            starts: (q, k).
        """
        status, points = np.zeros(len(ends), dtype=np.uint8), starts.copy()
        answer_all(self._work, self._n_domain, ends, rows, error, points, status)
        return status, points

    def _compile(self, k: int) -> None:
        none, points = np.zeros(0, dtype=np.int64), np.zeros((0, k))
        rows, forms = np.zeros((0, k + 1)), np.zeros((0, 1, k + 1))
        cut_regions(
            self._work, self._n_domain, none, rows, rows, Contest(forms, forms, points), _room(0, 1, k)
        )
        answer_all(self._work, self._n_domain, none, rows, rows, points, np.zeros(0, dtype=np.uint8))


def _room(n_regions: int, n_classes: int, k: int) -> Verdicts:
    """Room for what is said of every region and class."""
    shape = (n_regions, n_classes)
    return Verdicts(
        status=np.zeros(shape, dtype=np.uint8),
        found=np.zeros((*shape, k)),
        support=np.full((*shape, k + 1), -1, dtype=np.int64),
    )
