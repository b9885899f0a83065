"""Building a graph node by node.

Every method adds a node and returns its number, which stands for a flat vector. Constants are float64 arrays, or
object arrays of fractions; nothing is rounded.

What a bit of the pattern means, for each activation:

* ReLU, LeakyReLU, PReLU, Abs of z: on where z > 0. A unit whose two slopes are equal has no bit.
* Clip, ReLU6, HardTanh, HardSigmoid of z with two bounds: two bits, on where z > lower and on where z > upper.
* a maximum of k entries: k - 1 comparators, see `MaxGroups`; of a minimum likewise, on where the first is smaller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import FormatError, UnsupportedError
from polyregions.networks.activations import RELU
from polyregions.networks.final_function import FinalFunction
from polyregions.networks.graph.nodes import Affine, Graph, Input, Join, Maxima, Node, Units
from polyregions.networks.graph.rounding import exact_sum, floats_if_exact, rationals
from polyregions.networks.graph.sparse import SparseAffine, from_dense, from_entries, selection

LEFT_OF_KINK: Final = (1.0, 0.0)
"""Slopes of ``min(z, 0)``."""

MAX_NUMBERS: Final = 2**26
"""Most numbers that a graph may consist of, so that a small file cannot fill the memory."""

MAX_ARGUMENTS: Final = 2**20
"""Most arguments of all the maxima of one node."""


class GraphBuilder:
    """A graph under construction.

    Args:
        n_inputs: number of inputs; node 0 is the input.
        where: the source, for messages.

    >>> from polyregions.networks.graph import GraphBuilder, lower
    >>> build = GraphBuilder(2, "example")
    >>> hidden = build.relu(build.dense(0, np.array([[1.0, -1.0]]), np.zeros(1)))
    >>> lower(build.graph(build.join([hidden, 0])), "skip")([[3.0, 1.0]]).tolist()
    [[2.0, 3.0, 1.0]]
    """

    def __init__(self, n_inputs: int, where: str) -> None:
        self.where = where
        self.nodes: list[Node] = [Input(n_inputs)]
        self.notices: list[str] = []
        self.final_function: FinalFunction | None = None
        self._n_numbers = 0

    def width(self, node: int) -> int:
        """Length of a node's vector."""
        return self.nodes[node].width

    def graph(self, output: int) -> Graph:
        """The finished graph."""
        return Graph(tuple(self.nodes), output, self.where, tuple(self.notices), self.final_function)

    def affine(self, node: int, affine: SparseAffine) -> int:
        """Any affine map.

        Raises:
            FormatError: it takes a vector of another length.
        """
        if affine.n_columns != self.width(node):
            raise FormatError(
                f"{self.where}: takes {affine.n_columns} numbers, but {self.width(node)} come in"
            )
        return self._add(Affine(node, affine))

    def dense(self, node: int, weight: Any, bias: Any) -> int:
        """``weight @ x + bias`` with a matrix (n, k) and a vector (n,)."""
        return self.affine(node, from_dense(weight, bias))

    def select(self, node: int, index: Ints) -> int:
        """The entries ``x[index]`` for index (m,)."""
        if np.array_equal(index, np.arange(self.width(node))):
            return node
        return self.affine(node, selection(index, self.width(node)))

    def shift(self, node: int, constant: Any) -> int:
        """``x + constant`` with a constant (n,)."""
        return self._diagonal(node, np.ones(self.width(node)), constant)

    def scale(self, node: int, factors: Any) -> int:
        """``factors * x`` with factors (n,)."""
        return self._diagonal(node, factors, np.zeros(self.width(node)))

    def constant(self, values: Any) -> int:
        """A vector (n,) that does not depend on the input."""
        none = np.zeros(0, dtype=np.int64)
        return self.affine(0, from_entries(none, none, np.zeros(0), values, self.width(0)))

    def join(self, nodes: Sequence[int]) -> int:
        """Vectors one after the other."""
        if len(nodes) == 1:
            return nodes[0]
        return self._add(Join(tuple(nodes), sum(self.width(node) for node in nodes)))

    def add(self, first: int, second: int, sign: float = 1.0) -> int:
        """``first + sign * second``, of one length.

        Raises:
            FormatError: they are of different lengths.
        """
        n = self.width(first)
        if self.width(second) != n:
            raise FormatError(f"{self.where}: a sum of {n} and {self.width(second)} numbers")
        rows = np.arange(n)
        values = np.concatenate([np.ones(n), np.full(n, sign)])
        both = from_entries(np.tile(rows, 2), np.arange(2 * n), values, np.zeros(n), 2 * n)
        return self.affine(self.join([first, second]), both)

    def units(self, node: int, slopes: Any) -> int:
        """Two-slope units, slopes (off, on) for all or (n, 2)."""
        table = np.broadcast_to(np.asarray(slopes, dtype=np.float64), (self.width(node), 2)) + 0.0
        before = self.nodes[node]
        if isinstance(before, Units) and np.all(before.slopes == RELU) and np.all(table == RELU):
            return node  # ReLU(ReLU(x)) = ReLU(x)
        return self._add(Units(node, table))

    def relu(self, node: int) -> int:
        """``max(x, 0)``."""
        return self.units(node, RELU)

    def clip(self, node: int, lower: Any, upper: Any) -> int:
        """``min(max(x, lower), upper)`` with bounds (n,), either of them None, or infinite where there is none.

        Two bounds make two neighbouring neurons for an entry: ``lower + relu(x - lower) - relu(x - upper)``. Where
        the lower one is not below the upper one, every result is the upper one, and there is no neuron.

        Raises:
            FormatError: an entry that is clipped to infinity.
        """
        n = self.width(node)
        low, high = _bounds(lower, n, -np.inf), _bounds(upper, n, np.inf)
        fixed = low >= high
        has_low, has_high = ~fixed & (low > -np.inf), ~fixed & (high < np.inf)
        bias = np.where(fixed, high, np.where(has_low, low, np.where(has_high, high, 0.0)))
        if np.any(infinite := np.abs(bias) == np.inf):
            i = int(np.argmax(infinite))
            raise FormatError(f"{self.where}: clips to [{low[i]}, {high[i]}], expected a finite result")
        free = np.flatnonzero(~(has_low | has_high | fixed))
        if len(free) == n:
            return node
        bent, signs, rows = self._kinks(node, low, high, has_low, has_high)
        joined = self.join([*([bent] if len(rows) else []), self.select(node, free)])
        values, places = np.append(signs, np.ones(len(free))), np.append(rows, free)
        entries = from_entries(places, np.arange(len(places)), values, _numbers(bias), len(places))
        return self.affine(joined, entries)

    def _kinks(self, node: int, low: Any, high: Any, has_low: Any, has_high: Any) -> tuple[int, Floats, Ints]:
        """The units of a clip, one at each bound, with their signs and the entries they belong to."""
        exists = np.column_stack([has_low, has_high])
        rows = np.repeat(np.arange(len(low)), 2)[exists.ravel()]
        if not len(rows):
            return node, np.zeros(0), rows
        alone = np.column_stack([np.zeros(len(low), dtype=bool), ~has_low])[exists]
        slopes = np.where(alone[:, np.newaxis], LEFT_OF_KINK, RELU)
        signs = np.where(np.column_stack([has_low, ~has_low])[exists], 1.0, -1.0)
        kinks = _numbers(-np.column_stack([low, high])[exists])
        return self.units(self.shift(self.select(node, rows), kinks), slopes), signs, rows

    def maxima(self, node: int, arguments: Ints, offsets: Ints) -> int:
        """The largest entry of each group, see `Maxima`: arguments (m,), and offsets (n+1,) of n groups.

        Raises:
            FormatError: a group without arguments.
            UnsupportedError: more arguments than `MAX_ARGUMENTS`.
        """
        if len(arguments) > MAX_ARGUMENTS:
            raise UnsupportedError(
                f"{self.where}: maxima of {len(arguments)} arguments, expected at most {MAX_ARGUMENTS}"
            )
        if np.any(np.diff(offsets) < 1):
            raise FormatError(f"{self.where}: a maximum of no numbers")
        return self._add(Maxima(node, np.asarray(arguments, dtype=np.int64), np.asarray(offsets)))

    def maximum(self, nodes: Sequence[int]) -> int:
        """The elementwise largest of several vectors of one length.

        Raises:
            FormatError: they are of different lengths.
        """
        n, k = self.width(nodes[0]), len(nodes)
        if any(self.width(node) != n for node in nodes):
            raise FormatError(f"{self.where}: a maximum of {[self.width(node) for node in nodes]} numbers")
        arguments = np.arange(k * n).reshape(k, n).T.ravel()
        return self.maxima(self.join(nodes), arguments, np.arange(n + 1) * k)

    def minimum(self, nodes: Sequence[int]) -> int:
        """The elementwise smallest of several vectors: minus the largest of their negatives."""
        minus = [self.scale(node, np.full(self.width(node), -1.0)) for node in nodes]
        largest = self.maximum(minus)
        return self.scale(largest, np.full(self.width(largest), -1.0))

    def _diagonal(self, node: int, factors: Any, constant: Any) -> int:
        n = self.width(node)
        if len(factors) != n or len(constant) != n:
            raise FormatError(f"{self.where}: {len(factors)} and {len(constant)} constants for {n} numbers")
        if np.all(factors == 1) and np.all(constant == 0):
            return node
        rows = np.arange(n)
        before = self.nodes[node]
        if isinstance(before, Affine) and np.all(factors == 1):
            total = exact_sum(before.map.bias, constant)  # a matrix and the bias added after it are one map
            parts = before.bias_size + np.abs(constant.astype(np.float64))
            return self._add(Affine(before.source, replace(before.map, bias=total), parts))
        return self._add(Affine(node, from_entries(rows, rows, factors, constant, n)))

    def _add(self, node: Node) -> int:
        self._n_numbers += node.width + (len(node.map.columns) if isinstance(node, Affine) else 0)
        if self._n_numbers > MAX_NUMBERS:
            raise UnsupportedError(f"{self.where}: with it the network has more than {MAX_NUMBERS} numbers")
        self.nodes.append(node)
        return len(self.nodes) - 1


def _bounds(given: Any, n: int, default: float) -> Any:
    return np.full(n, default) if given is None else np.broadcast_to(given, (n,))


def _numbers(array: Any) -> Any:
    """As float64 where the numbers are: an array chosen out of fractions and floats may hold either."""
    return floats_if_exact(rationals(array)) if array.dtype == object else array + 0.0
