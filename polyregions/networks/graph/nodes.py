"""A network as a directed acyclic graph: affine maps, two-slope units and maxima over flat vectors.

This is what readers of foreign formats produce. `lower` turns it into the chain of layers that the engines take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.networks.final_function import FinalFunction
from polyregions.networks.graph.sparse import SparseAffine


@dataclass(frozen=True, eq=False)
class Input:
    """The network's input x (width,)."""

    width: int


@dataclass(frozen=True, eq=False)
class Affine:
    """An affine map of another node's vector.

    Attributes:
        source: number of the other node.
        map: the map.
        parts: (n,) the sizes of the constants that its bias was added up of, where it was.
    """

    source: int
    map: SparseAffine
    parts: Floats | None = None

    @property
    def width(self) -> int:
        """Length of the result."""
        return self.map.n_rows

    @property
    def bias_size(self) -> Floats:
        """The size (n,) of the bias, of all its parts together where these may cancel."""
        return np.abs(self.map.bias.astype(np.float64)) if self.parts is None else self.parts


@dataclass(frozen=True, eq=False)
class Join:
    """The vectors of several nodes, one after the other."""

    sources: tuple[int, ...]
    width: int


@dataclass(frozen=True, eq=False)
class Units:
    """A two-slope unit at each entry of another node's vector, slopes (n, 2) as in `Layer`."""

    source: int
    slopes: Floats

    @property
    def width(self) -> int:
        """Length of the result."""
        return len(self.slopes)


@dataclass(frozen=True, eq=False)
class Maxima:
    """The largest of each group of entries; the arguments of group g are ``arguments[offsets[g]:offsets[g+1]]``."""

    source: int
    arguments: Ints
    offsets: Ints

    @property
    def width(self) -> int:
        """Length of the result: the number of groups."""
        return len(self.offsets) - 1


Node: TypeAlias = Input | Affine | Join | Units | Maxima


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes, each after those it takes, of which the first is the input.

    Attributes:
        nodes: the nodes.
        output: the node whose vector is the network's output.
        where: the source, for messages.
        notices: what a reader should tell the user, such as a softmax that was taken off.
        final_function: what was taken off.
    """

    nodes: tuple[Node, ...]
    output: int
    where: str
    notices: tuple[str, ...] = ()
    final_function: FinalFunction | None = None
