"""Two networks on one input set: how far apart they are, and where they decide differently."""

from polyregions.analysis.comparison.difference import Difference, Disagreement, Distance, difference

__all__ = ["Difference", "Disagreement", "Distance", "difference"]
