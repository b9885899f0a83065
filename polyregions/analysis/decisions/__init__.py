"""Decisions: where in each region which class wins, which cells touch, and where the classes meet.

`outputs` is what the classes score on a region, `cells` the cells and `cut` how they are found,
`contacts` who touches whom, `cell_graph` and `boundary` what that makes; `kernels` is the way to numba.
"""

from __future__ import annotations

from polyregions.analysis.decisions.boundary import BoundaryPiece, DecisionBoundary, decision_boundary
from polyregions.analysis.decisions.cell_graph import Islands, decision_graph, islands
from polyregions.analysis.decisions.cells import (
    CellFacet,
    DecisionCell,
    DecisionCells,
    cell_rows,
    cell_volumes,
)
from polyregions.analysis.decisions.cut import decision_cells

__all__ = [
    "BoundaryPiece",
    "CellFacet",
    "DecisionBoundary",
    "DecisionCell",
    "DecisionCells",
    "Islands",
    "cell_rows",
    "cell_volumes",
    "decision_boundary",
    "decision_cells",
    "decision_graph",
    "islands",
]
