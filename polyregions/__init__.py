"""polyregions: every linear region of a piecewise-linear network, exactly.

A network and an input set go in; the complete list of linear regions comes out, each with its
activation pattern, its H-representation and its affine map; then the adjacency graph of the regions
and the argmax decision cells.

>>> import polyregions as pr
>>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
>>> len(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
4
"""

from __future__ import annotations

from polyregions.analysis.checkpoints import Checkpoints
from polyregions.analysis.counting.count import count_by_definition
from polyregions.analysis.counting.count_table import CountTable, count_table
from polyregions.analysis.counting.definitions import DEFINITIONS, Definition
from polyregions.analysis.counting.literature_bounds import Bound, bounds
from polyregions.analysis.counting.lower_dimensional import (
    LowerDimensionalRegion,
    LowerDimensionalRegions,
    lower_dimensional_regions,
)
from polyregions.analysis.counting.merged import merged_regions
from polyregions.analysis.counting.one_layer import ArrangementCount, count_by_characteristic_polynomial
from polyregions.analysis.decisions import (
    BoundaryPiece,
    CellFacet,
    DecisionBoundary,
    DecisionCell,
    DecisionCells,
    Islands,
    decision_boundary,
    decision_cells,
    decision_graph,
    islands,
)
from polyregions.analysis.queries import (
    ConvexOptimum,
    Extreme,
    ImagePiece,
    Lipschitz,
    PreimagePiece,
    Robustness,
    image,
    level_set,
    lipschitz_constant,
    maximize,
    maximize_concave,
    minimize,
    minimize_convex,
    output_range,
    preimage,
    robustness_radii,
    robustness_radius,
)
from polyregions.analysis.region_graph import adjacency_graph
from polyregions.analysis.report import Report, Section, report
from polyregions.analysis.rewriting.decision_tree import DecisionTree, decision_tree
from polyregions.analysis.rewriting.local_models import LocalModels, local_models
from polyregions.analysis.rewriting.simplify import Simplified, simplify
from polyregions.analysis.topology.chains import Homology
from polyregions.analysis.topology.critical import CriticalPoints, critical_points
from polyregions.analysis.topology.face_complex import FaceComplex, face_complex
from polyregions.analysis.topology.homology import betti_numbers, homology
from polyregions.analysis.topology.persistence import (
    PersistenceDiagram,
    bottleneck_distance,
    persistent_homology,
)
from polyregions.analysis.training import compare_checkpoints
from polyregions.analysis.verification import Counterexample, Verification, verify
from polyregions.analysis.verification.property import Property
from polyregions.certificates.certificate import Certificate
from polyregions.certificates.check import check
from polyregions.certificates.checker import Verdict
from polyregions.engine.estimate import Estimate, estimate_regions
from polyregions.engine.tally import Tally
from polyregions.enumeration import count_regions, enumerate_regions, tally_regions
from polyregions.errors import PolyregionsError
from polyregions.io.models.load import load_network
from polyregions.io.save import load_certificate, load_graph, load_regions, save
from polyregions.io.specs.load import load_domain
from polyregions.io.specs.vnnlib.property import load_property
from polyregions.io.store.regions import region_blocks
from polyregions.io.tables import frames as _frames  # noqa: F401 (makes what results offer, see `presentation`)
from polyregions.networks.lines import LinePieces, along_polyline, along_segment
from polyregions.networks.network import Network
from polyregions.plot import notebook as _notebook  # noqa: F401 (makes what results offer, see `presentation`)
from polyregions.plot import shapes as _shapes  # noqa: F401
from polyregions.plot.animation import animate_regions
from polyregions.plot.complexes import plot_complex, plot_persistence
from polyregions.plot.explorer.page import ExplorerPage, explore
from polyregions.plot.layers import plot_layers
from polyregions.plot.picture import plot_regions
from polyregions.plot.sections import PlaneSection, plane_section
from polyregions.plot.surface import plot_surface
from polyregions.plot.training import plot_training
from polyregions.polyhedra.domain import Box, Slice, WholeSpace
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.slices import plane_through, segment
from polyregions.progress import Progress
from polyregions.regions.adjacency import Adjacency, adjacency_arrays
from polyregions.regions.audit import Audit, Finding, audit
from polyregions.regions.certify import certify
from polyregions.regions.faces import euler_characteristic, face_counts
from polyregions.regions.facets import Boundary, Facets, boundary_facets, facet_arrays, facet_neurons
from polyregions.regions.hrep import HRepresentations, hrep_arrays
from polyregions.regions.maps import dead_regions, image_dimensions
from polyregions.regions.neurons import NeuronStatus, neuron_status
from polyregions.regions.ranks import layer_ranks
from polyregions.regions.region_set import Region, RegionSet
from polyregions.regions.volumes import facet_measures, region_volumes
from polyregions.regions.winners import WinnerRegions as WinnerRegions
from polyregions.regions.winners import winner_regions as winner_regions

__version__ = "0.1.0"

__all__ = [
    "Adjacency",
    "ArrangementCount",
    "Audit",
    "Bound",
    "Boundary",
    "BoundaryPiece",
    "Box",
    "CellFacet",
    "Certificate",
    "Checkpoints",
    "ConvexOptimum",
    "CountTable",
    "Counterexample",
    "CriticalPoints",
    "DEFINITIONS",
    "DecisionBoundary",
    "DecisionCell",
    "DecisionCells",
    "DecisionTree",
    "Definition",
    "Estimate",
    "ExplorerPage",
    "Extreme",
    "FaceComplex",
    "Facets",
    "Finding",
    "HPolytope",
    "HRepresentations",
    "Homology",
    "ImagePiece",
    "Islands",
    "LinePieces",
    "Lipschitz",
    "LocalModels",
    "LowerDimensionalRegion",
    "LowerDimensionalRegions",
    "Network",
    "NeuronStatus",
    "PersistenceDiagram",
    "PlaneSection",
    "PolyregionsError",
    "PreimagePiece",
    "Progress",
    "Property",
    "Region",
    "RegionSet",
    "Report",
    "Robustness",
    "Section",
    "Simplified",
    "Slice",
    "Tally",
    "Verdict",
    "Verification",
    "WholeSpace",
    "WinnerRegions",
    "adjacency_arrays",
    "adjacency_graph",
    "along_polyline",
    "along_segment",
    "animate_regions",
    "audit",
    "betti_numbers",
    "bottleneck_distance",
    "boundary_facets",
    "bounds",
    "certify",
    "check",
    "compare_checkpoints",
    "count_by_characteristic_polynomial",
    "count_by_definition",
    "count_regions",
    "critical_points",
    "count_table",
    "dead_regions",
    "decision_boundary",
    "decision_cells",
    "decision_graph",
    "decision_tree",
    "enumerate_regions",
    "estimate_regions",
    "euler_characteristic",
    "explore",
    "face_complex",
    "face_counts",
    "facet_arrays",
    "facet_measures",
    "facet_neurons",
    "homology",
    "hrep_arrays",
    "image",
    "image_dimensions",
    "islands",
    "layer_ranks",
    "level_set",
    "lipschitz_constant",
    "load_certificate",
    "load_domain",
    "load_graph",
    "load_network",
    "load_property",
    "load_regions",
    "local_models",
    "lower_dimensional_regions",
    "maximize",
    "maximize_concave",
    "merged_regions",
    "minimize",
    "minimize_convex",
    "neuron_status",
    "persistent_homology",
    "plane_section",
    "region_blocks",
    "plot_complex",
    "plot_layers",
    "plot_persistence",
    "plot_regions",
    "plot_surface",
    "plot_training",
    "output_range",
    "plane_through",
    "preimage",
    "region_volumes",
    "report",
    "robustness_radii",
    "robustness_radius",
    "save",
    "segment",
    "simplify",
    "tally_regions",
    "winner_regions",
    "verify",
]
