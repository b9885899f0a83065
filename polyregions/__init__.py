"""polyregions: every linear region of a piecewise-linear network, exactly.

A network and an input set go in; the complete list of linear regions comes out, each with its
activation pattern, its H-representation and its affine map; then the adjacency graph of the regions
and the argmax decision cells.

>>> import polyregions as pr
>>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
>>> len(pr.enumerate_regions(net, pr.Box([-1, -1], [1, 1])))
4

Names by subject; each has its own ``help``, and ``polyregions.errors`` has the errors.

Networks and input sets
    Network, load_network, Box, HPolytope, WholeSpace, Slice, segment, plane_through, load_domain, load_domains
Networks put together
    compose, iterate, closed_loop, side_by_side, add, subtract, maximum, difference, Difference, Disagreement, Distance
Regions
    enumerate_regions, count_regions, tally_regions, estimate_regions, RegionSet, Region, Tally, Estimate, Progress,
    enumerate_union, UnionRegions
Files
    save, load_regions, load_graph, load_certificate, region_blocks
What each region has
    hrep_arrays, HRepresentations, region_volumes, layer_ranks, image_dimensions, dead_regions, winner_regions,
    WinnerRegions
Neighbours, facets and faces
    adjacency_graph, adjacency_arrays, Adjacency, facet_arrays, Facets, boundary_facets, Boundary, facet_neurons,
    facet_measures, face_counts, euler_characteristic
Decisions
    decision_cells, DecisionCells, DecisionCell, decision_boundary, DecisionBoundary, BoundaryPiece, decision_graph,
    CellFacet, islands, Islands
Queries
    output_range, maximize, minimize, Extreme, maximize_concave, minimize_convex, ConvexOptimum, robustness_radius,
    robustness_radii, Robustness, lipschitz_constant, Lipschitz, level_set, preimage, PreimagePiece, image, ImagePiece,
    along_segment, along_polyline, LinePieces
Around a point
    region_at, LocalRegion, LocalFacet, neighbourhood, Neighbourhood
Dynamics
    reach, ReachPiece, fixed_points, FixedPoint, cycles, Cycle, Stability, invariance, Invariance, trajectories,
    Trajectories
Verification and certificates
    verify, Verification, Counterexample, Property, load_property, violations, Violations, UnsafePolytope, certify,
    Certificate, check, Verdict, audit, Audit, Finding
Counting, bounds and reports
    count_by_definition, DEFINITIONS, Definition, bounds, Bound, count_table, CountTable,
    count_by_characteristic_polynomial, ArrangementCount, lower_dimensional_regions, LowerDimensionalRegions,
    LowerDimensionalRegion, merged_regions, compare_checkpoints, Checkpoints, report, Report, Section
Topology
    face_complex, FaceComplex, betti_numbers, homology, Homology, persistent_homology, PersistenceDiagram,
    bottleneck_distance, critical_points, CriticalPoints
Neurons and equal networks
    neuron_status, NeuronStatus, simplify, Simplified, decision_tree, DecisionTree, local_models, LocalModels,
    shallow, ShallowNetwork
Pictures
    plot_regions, plot_layers, plot_surface, plot_training, plot_complex, plot_persistence, animate_regions,
    plane_section, PlaneSection, explore, ExplorerPage
Errors
    PolyregionsError
"""

from __future__ import annotations

import importlib.util as _util
import typing as _typing
from importlib import import_module as _import_module

if _typing.TYPE_CHECKING:
    from polyregions.analysis.checkpoints import Checkpoints
    from polyregions.analysis.comparison.difference import Difference, Disagreement, Distance, difference
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
    from polyregions.analysis.dynamics.cycles import Cycle, cycles
    from polyregions.analysis.dynamics.fixed_points import FixedPoint, fixed_points
    from polyregions.analysis.dynamics.invariance import Invariance, invariance
    from polyregions.analysis.dynamics.reach import ReachPiece, reach
    from polyregions.analysis.dynamics.stability import Stability
    from polyregions.analysis.dynamics.trajectories import Trajectories, trajectories
    from polyregions.analysis.local.around import Neighbourhood, neighbourhood
    from polyregions.analysis.local.at import LocalFacet, LocalRegion, region_at
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
    from polyregions.analysis.rewriting.shallow_form import ShallowNetwork, shallow
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
    from polyregions.analysis.verification.unsafe import UnsafePolytope, Violations, violations
    from polyregions.certificates.certificate import Certificate
    from polyregions.certificates.check import check
    from polyregions.certificates.checker import Verdict
    from polyregions.engine.estimate import Estimate, estimate_regions
    from polyregions.engine.tally import Tally
    from polyregions.enumeration import count_regions, enumerate_regions, tally_regions
    from polyregions.errors import PolyregionsError
    from polyregions.io.models.load import load_network
    from polyregions.io.save import load_certificate, load_graph, load_regions, save
    from polyregions.io.specs.load import load_domain, load_domains
    from polyregions.io.specs.vnnlib.property import load_property
    from polyregions.io.store.regions import region_blocks
    from polyregions.networks.combine import (
        add,
        closed_loop,
        compose,
        iterate,
        maximum,
        side_by_side,
        subtract,
    )
    from polyregions.networks.lines import LinePieces, along_polyline, along_segment
    from polyregions.networks.network import Network
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
    from polyregions.regions.union import UnionRegions
    from polyregions.regions.volumes import facet_measures, region_volumes
    from polyregions.regions.winners import WinnerRegions, winner_regions
    from polyregions.unions import enumerate_union

__version__ = "0.1.0"

_HOMES: _typing.Final = """\
analysis.checkpoints: Checkpoints
analysis.comparison.difference: Difference Disagreement Distance difference
analysis.counting.count: count_by_definition
analysis.counting.count_table: CountTable count_table
analysis.counting.definitions: DEFINITIONS Definition
analysis.counting.literature_bounds: Bound bounds
analysis.counting.lower_dimensional: LowerDimensionalRegion LowerDimensionalRegions
analysis.counting.lower_dimensional: lower_dimensional_regions
analysis.counting.merged: merged_regions
analysis.counting.one_layer: ArrangementCount count_by_characteristic_polynomial
analysis.decisions: BoundaryPiece CellFacet DecisionBoundary DecisionCell DecisionCells Islands
analysis.decisions: decision_boundary decision_cells decision_graph islands
analysis.dynamics.cycles: Cycle cycles
analysis.dynamics.fixed_points: FixedPoint fixed_points
analysis.dynamics.invariance: Invariance invariance
analysis.dynamics.reach: ReachPiece reach
analysis.dynamics.stability: Stability
analysis.dynamics.trajectories: Trajectories trajectories
analysis.local.around: Neighbourhood neighbourhood
analysis.local.at: LocalFacet LocalRegion region_at
analysis.queries: ConvexOptimum Extreme ImagePiece Lipschitz PreimagePiece Robustness image level_set
analysis.queries: lipschitz_constant maximize maximize_concave minimize minimize_convex output_range
analysis.queries: preimage robustness_radii robustness_radius
analysis.region_graph: adjacency_graph
analysis.report: Report Section report
analysis.rewriting.decision_tree: DecisionTree decision_tree
analysis.rewriting.local_models: LocalModels local_models
analysis.rewriting.shallow_form: ShallowNetwork shallow
analysis.rewriting.simplify: Simplified simplify
analysis.topology.chains: Homology
analysis.topology.critical: CriticalPoints critical_points
analysis.topology.face_complex: FaceComplex face_complex
analysis.topology.homology: betti_numbers homology
analysis.topology.persistence: PersistenceDiagram bottleneck_distance persistent_homology
analysis.training: compare_checkpoints
analysis.verification: Counterexample Verification verify
analysis.verification.property: Property
analysis.verification.unsafe: UnsafePolytope Violations violations
certificates.certificate: Certificate
certificates.check: check
certificates.checker: Verdict
engine.estimate: Estimate estimate_regions
engine.tally: Tally
enumeration: count_regions enumerate_regions tally_regions
errors: PolyregionsError
io.models.load: load_network
io.save: load_certificate load_graph load_regions save
io.specs.load: load_domain load_domains
io.specs.vnnlib.property: load_property
io.store.regions: region_blocks
networks.combine: add closed_loop compose iterate maximum side_by_side subtract
networks.lines: LinePieces along_polyline along_segment
networks.network: Network
plot.animation: animate_regions
plot.complexes: plot_complex plot_persistence
plot.explorer.page: ExplorerPage explore
plot.layers: plot_layers
plot.picture: plot_regions
plot.sections: PlaneSection plane_section
plot.surface: plot_surface
plot.training: plot_training
polyhedra.domain: Box Slice WholeSpace
polyhedra.polytope: HPolytope
polyhedra.slices: plane_through segment
progress: Progress
regions.adjacency: Adjacency adjacency_arrays
regions.audit: Audit Finding audit
regions.certify: certify
regions.faces: euler_characteristic face_counts
regions.facets: Boundary Facets boundary_facets facet_arrays facet_neurons
regions.hrep: HRepresentations hrep_arrays
regions.maps: dead_regions image_dimensions
regions.neurons: NeuronStatus neuron_status
regions.ranks: layer_ranks
regions.region_set: Region RegionSet
regions.union: UnionRegions
regions.volumes: facet_measures region_volumes
regions.winners: WinnerRegions winner_regions
unions: enumerate_union
"""
"""Where each public name comes from: a module is imported when a name of it is first asked for (PEP 562)."""

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
    "Cycle",
    "DEFINITIONS",
    "DecisionBoundary",
    "DecisionCell",
    "DecisionCells",
    "DecisionTree",
    "Definition",
    "Difference",
    "Disagreement",
    "Distance",
    "Estimate",
    "ExplorerPage",
    "Extreme",
    "FaceComplex",
    "Facets",
    "Finding",
    "FixedPoint",
    "HPolytope",
    "HRepresentations",
    "Homology",
    "ImagePiece",
    "Invariance",
    "Islands",
    "LinePieces",
    "Lipschitz",
    "LocalFacet",
    "LocalModels",
    "LocalRegion",
    "LowerDimensionalRegion",
    "LowerDimensionalRegions",
    "Neighbourhood",
    "Network",
    "NeuronStatus",
    "PersistenceDiagram",
    "PlaneSection",
    "PolyregionsError",
    "PreimagePiece",
    "Progress",
    "Property",
    "ReachPiece",
    "Region",
    "RegionSet",
    "Report",
    "Robustness",
    "Section",
    "ShallowNetwork",
    "Simplified",
    "Slice",
    "Stability",
    "Tally",
    "Trajectories",
    "UnionRegions",
    "UnsafePolytope",
    "Verdict",
    "Verification",
    "Violations",
    "WholeSpace",
    "WinnerRegions",
    "add",
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
    "closed_loop",
    "compare_checkpoints",
    "compose",
    "count_by_characteristic_polynomial",
    "count_by_definition",
    "count_regions",
    "count_table",
    "critical_points",
    "cycles",
    "dead_regions",
    "decision_boundary",
    "decision_cells",
    "decision_graph",
    "decision_tree",
    "difference",
    "enumerate_regions",
    "enumerate_union",
    "estimate_regions",
    "euler_characteristic",
    "explore",
    "face_complex",
    "face_counts",
    "facet_arrays",
    "facet_measures",
    "facet_neurons",
    "fixed_points",
    "homology",
    "hrep_arrays",
    "image",
    "image_dimensions",
    "invariance",
    "islands",
    "iterate",
    "layer_ranks",
    "level_set",
    "lipschitz_constant",
    "load_certificate",
    "load_domain",
    "load_domains",
    "load_graph",
    "load_network",
    "load_property",
    "load_regions",
    "local_models",
    "lower_dimensional_regions",
    "maximize",
    "maximize_concave",
    "maximum",
    "merged_regions",
    "minimize",
    "minimize_convex",
    "neighbourhood",
    "neuron_status",
    "output_range",
    "persistent_homology",
    "plane_section",
    "plane_through",
    "plot_complex",
    "plot_layers",
    "plot_persistence",
    "plot_regions",
    "plot_surface",
    "plot_training",
    "preimage",
    "reach",
    "region_at",
    "region_blocks",
    "region_volumes",
    "report",
    "robustness_radii",
    "robustness_radius",
    "save",
    "segment",
    "shallow",
    "side_by_side",
    "simplify",
    "subtract",
    "tally_regions",
    "trajectories",
    "verify",
    "violations",
    "winner_regions",
]

_MODULE_OF: _typing.Final = {
    name: line.split(":")[0] for line in _HOMES.splitlines() for name in line.split(":")[1].split()
}


def __getattr__(name: str) -> _typing.Any:
    """A public name, or a submodule: imported only now, so that whoever wants help does not wait for numpy."""
    if name in _MODULE_OF:
        value = getattr(_import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    elif name.startswith("_") or _util.find_spec(f"{__name__}.{name}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    else:
        value = _import_module(f"{__name__}.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, without submodules."""
    return [*__all__, "__version__"]
