"""Questions to the exact partition: extremes, distances, Lipschitz constants, level sets, images and preimages."""

from polyregions.analysis.queries.convex import ConvexOptimum, maximize_concave, minimize_convex
from polyregions.analysis.queries.extremes import Extreme, maximize, minimize, output_range
from polyregions.analysis.queries.lipschitz import Lipschitz, lipschitz_constant
from polyregions.analysis.queries.preimages import ImagePiece, PreimagePiece, image, level_set, preimage
from polyregions.analysis.queries.robustness import Robustness, robustness_radii, robustness_radius

__all__ = [
    "ConvexOptimum",
    "Extreme",
    "ImagePiece",
    "Lipschitz",
    "PreimagePiece",
    "Robustness",
    "image",
    "level_set",
    "lipschitz_constant",
    "maximize",
    "maximize_concave",
    "minimize",
    "minimize_convex",
    "output_range",
    "preimage",
    "robustness_radii",
    "robustness_radius",
]
