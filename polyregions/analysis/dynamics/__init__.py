"""A network applied again and again: fixed points, cycles, what comes where, and what is never left."""

from polyregions.analysis.dynamics.cycles import Cycle, cycles
from polyregions.analysis.dynamics.fixed_points import FixedPoint, fixed_points
from polyregions.analysis.dynamics.invariance import Invariance, invariance
from polyregions.analysis.dynamics.reach import ReachPiece, reach
from polyregions.analysis.dynamics.stability import Stability
from polyregions.analysis.dynamics.trajectories import Trajectories, trajectories

__all__ = [
    "Cycle",
    "FixedPoint",
    "Invariance",
    "ReachPiece",
    "Stability",
    "Trajectories",
    "cycles",
    "fixed_points",
    "invariance",
    "reach",
    "trajectories",
]
