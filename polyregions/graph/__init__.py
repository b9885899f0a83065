"""Networks as graphs, and their lowering to a chain of layers."""

from polyregions.graph.build import GraphBuilder as GraphBuilder
from polyregions.graph.lower import lower as lower
from polyregions.graph.nodes import Graph as Graph
from polyregions.graph.sparse import SparseAffine as SparseAffine
