"""Which decision cells meet a ball."""

from __future__ import annotations

import numpy as np

from polyregions.analysis.decisions import DecisionCells
from polyregions.analysis.decisions.cells import cell_rows
from polyregions.analysis.local.within import Within
from polyregions.exact.numbers import Point


def cells_in(within: Within, cells: DecisionCells) -> DecisionCells:
    """Those of some decision cells whose interior meets what is looked at, each with a point there."""
    points: dict[int, Point] = {}
    for cell in range(len(cells)):
        point = within.interior(cell_rows(cells, cell))
        if point is not None:
            points[cell] = point
    kept = np.array(sorted(points), dtype=np.int64)
    exact = {i: points[cell].rational for i, cell in enumerate(kept.tolist())}
    place = {cell: i for i, cell in enumerate(kept.tolist())}
    return DecisionCells(
        cells.regions,
        cells.rule,
        cells.region[kept],
        cells.label[kept],
        np.array([points[cell].approx for cell in kept.tolist()]).reshape(len(kept), -1),
        {i: point for i, point in exact.items() if point is not None},
        tuple((place[cell], others) for cell, others in cells.ties if cell in place),
    )
