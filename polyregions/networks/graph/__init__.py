"""Networks as graphs, and their lowering to a chain of layers."""

from polyregions.networks.graph.build import GraphBuilder as GraphBuilder
from polyregions.networks.graph.lower import lower as lower
from polyregions.networks.graph.nodes import Graph as Graph
from polyregions.networks.graph.sparse import SparseAffine as SparseAffine
