"""The network as a decision tree: an oblique hyperplane at each inner node, an affine map at each leaf.

Sorted patterns form the tree by themselves: the regions below a node are consecutive, and the first neuron on which
the first and the last of them differ is the one that splits them (off before on). Its pre-activation, pulled back
along what they agree on, is the node's hyperplane. A point goes left where it is off, ``z <= 0``. Neurons that split
no full-dimensional cell are not asked; a point on a hyperplane ends in a leaf whose closure holds it, and there the
affine map is the network, which is continuous.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Any, TypeAlias

import numpy as np

from polyregions import arrays
from polyregions._types import Floats, Integers, Ints
from polyregions.errors import InputError, expect
from polyregions.exact.affine import IntegerAffine
from polyregions.exact.numbers import dot, over_common_denominator, quotient
from polyregions.polyhedra.oracle.proof import SAFE, TINY, UNIT, gamma
from polyregions.read_only import ReadOnly
from polyregions.regions.maps import MapKey, map_key
from polyregions.regions.prefixes import Prefixes
from polyregions.regions.region_set import RegionSet

LEAF = -1
SMALLEST = 2.0**-1074


@dataclass(frozen=True, eq=False)
class DecisionTree(ReadOnly):
    """Nodes as parallel arrays, a parent before its children, the root 0; leaves have -1 for children and neuron.

    Attributes:
        children_left: (M,) the node for ``z <= 0``, that is ``weight @ x <= threshold``.
        children_right: (M,) the node for ``z > 0``.
        neuron: (M,) the neuron of the pattern that splits a node.
        hyperplane: (M, d+1) object array of integers: a positive multiple of z over ``[x, 1]``; zeros at leaves.
        region: (M,) the region that a leaf is, -1 for inner nodes.
        value: (M,) the number of a leaf's affine map in `maps`, -1 for inner nodes; equal maps are listed once.
        maps: the distinct affine maps over the inputs, exactly.
    """

    children_left: Ints
    children_right: Ints
    neuron: Ints
    hyperplane: Integers
    region: Ints
    value: Ints
    maps: tuple[IntegerAffine, ...]

    def __len__(self) -> int:
        return len(self.neuron)

    def __repr__(self) -> str:
        leaves = int(np.count_nonzero(self.neuron == LEAF))
        return f"<DecisionTree: {leaves} leaves, depth {self.depth}, {len(self.maps)} affine maps>"

    @property
    def n_inputs(self) -> int:
        """Number of inputs d."""
        return int(self.hyperplane.shape[1]) - 1

    @cached_property
    def depth(self) -> int:
        """The number of hyperplanes on the longest way from the root to a leaf."""
        return int(self.levels.max())

    @cached_property
    def levels(self) -> Ints:
        """How many hyperplanes (M,) are above each node."""
        levels = np.zeros(len(self), dtype=np.int64)
        for node in np.flatnonzero(self.neuron != LEAF).tolist():
            levels[[self.children_left[node], self.children_right[node]]] = levels[node] + 1
        return levels

    @cached_property
    def rounded(self) -> tuple[Floats, Floats]:
        """weight (M, d) and threshold (M,), the hyperplanes in float64, for display and as a first guess.

        Each is scaled to a largest weight of 1 and rounded; `hyperplane` is what decides.
        """
        rows = np.zeros(self.hyperplane.shape)
        for node in np.flatnonzero(self.neuron != LEAF).tolist():
            row = self.hyperplane[node].tolist()
            size = max(abs(entry) for entry in row[:-1])
            rows[node] = [quotient(entry, size) for entry in row]
        return rows[:, :-1], -rows[:, -1]

    def apply(self, X: Any) -> Ints:
        """The leaf (k,) that each row of X (k, d) comes to, exactly.

        Raises:
            InputError: the rows do not have d finite entries.
        """
        try:
            points, rational = arrays.points_and_exact(X, self.n_inputs)
        except arrays.NotNumbers as error:
            raise InputError(f"points: {error}, expected (k, {self.n_inputs}) finite numbers") from None
        at = np.zeros(len(points), dtype=np.int64)
        moving = np.flatnonzero(self.neuron[at] != LEAF)
        while len(moving):
            nodes = at[moving]
            on = self._is_on(nodes, points[moving])
            at[moving] = np.where(on, self.children_right[nodes], self.children_left[nodes])
            moving = moving[self.neuron[at[moving]] != LEAF]
        for i, x in rational.items():
            at[i] = self.leaf_of(x)
        return at

    def leaf_of(self, x: Sequence[Fraction]) -> int:
        """The leaf that one rational point (d,) comes to."""
        point, node = over_common_denominator([Fraction(c) for c in x]), 0
        while self.neuron[node] != LEAF:
            on = dot(self.hyperplane[node].tolist(), point) > 0
            node = int((self.children_right if on else self.children_left)[node])
        return node

    def exact_value(self, x: Sequence[Fraction]) -> list[Fraction]:
        """What the tree, and so the network, gives at one rational point (d,) of the domain."""
        affine = self.maps[int(self.value[self.leaf_of(x)])]
        *_, scale = point = over_common_denominator([Fraction(c) for c in x])
        return [
            Fraction(dot(affine.row(i), point), scale * int(affine.denominator))
            for i in range(affine.shape[0])
        ]

    def __call__(self, X: Any) -> Floats:
        """Outputs (k, c) at the rows of X (k, d): exact leaves, then the leaf's map in float64."""
        leaves = self.apply(X)
        points = np.atleast_2d(arrays.floats(X))
        nearest = np.array([m.nearest_floats() for m in self.maps])[self.value[leaves]]
        outputs: Floats = np.einsum("kcd,kd->kc", nearest[:, :, :-1], points) + nearest[:, :, -1]
        return outputs

    def _is_on(self, nodes: Ints, X: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each point is on the right of its node; by floats where that is certain, else in integers."""
        weight, threshold = (part[nodes] for part in self.rounded)
        with np.errstate(all="ignore"):  # what is not a number is not certain
            z = np.einsum("kd,kd->k", weight, X) - threshold
            size = np.einsum("kd,kd->k", np.abs(weight), np.abs(X)) + np.abs(threshold)
            doubt = (gamma(X.shape[1] + 4) + 2 * UNIT) * size * SAFE + TINY
            doubt += SMALLEST * np.abs(X).sum(axis=1)  # of weights that are rounded below the normal floats
            certain = np.abs(z) > doubt
        on: np.ndarray[tuple[int], np.dtype[np.bool_]] = z > 0
        for i in np.flatnonzero(~certain).tolist():
            point = over_common_denominator([Fraction(c) for c in X[i].tolist()])
            on[i] = dot(self.hyperplane[nodes[i]].tolist(), point) > 0
        return on

    # ------------------------------------------------------------ exports

    def to_arrays(self) -> dict[str, Any]:
        """Plain arrays in the manner of scikit-learn's ``tree_``, with a weight vector in place of a feature.

        Keys: children_left, children_right (M,), neuron (M,), weight (M, d), threshold (M,), region, value (M,),
        coefficients (K, c, d) and bias (K, c) of the distinct maps. Floats are nearest ones.
        """
        weight, threshold = self.rounded
        maps = np.array([m.nearest_floats() for m in self.maps])
        return {
            "children_left": self.children_left,
            "children_right": self.children_right,
            "neuron": self.neuron,
            "weight": weight,
            "threshold": threshold,
            "region": self.region,
            "value": self.value,
            "coefficients": maps[:, :, :-1],
            "bias": maps[:, :, -1],
        }

    def to_json(self) -> str:
        """The same arrays as one JSON object, and beside them `hyperplane` and `maps` as exact integers.

        Integers are text in hexadecimal, for JSON readers round large ones; a float beyond float64 is null.
        """
        plain = {name: _listed(array) for name, array in self.to_arrays().items()}
        exact = {
            "hyperplane": [[f"{entry:x}" for entry in row] for row in self.hyperplane.tolist()],
            "maps": [
                {
                    "denominator": f"{int(m.denominator):x}",
                    "numerators": [[f"{e:x}" for e in m.row(i)] for i in range(m.shape[0])],
                }
                for m in self.maps
            ],
        }
        return json.dumps({**plain, **exact}, allow_nan=False)

    def to_text(self, digits: int = 4) -> str:
        """One line for each node, indented by its depth; numbers rounded to so many digits."""
        return "\n".join(self._lines(digits))

    def _lines(self, digits: int) -> Iterator[str]:
        weight, threshold = self.rounded
        stack = [(0, "", "")]
        while stack:
            node, indent, side = stack.pop()
            if self.neuron[node] == LEAF:
                outputs = _affine_text(self.maps[int(self.value[node])], digits)
                yield f"{indent}{side}region {self.region[node]}: {outputs}"
                continue
            form = _form_text(weight[node].tolist(), 0.0, digits)
            yield f"{indent}{side}neuron {self.neuron[node]}: {form} <= {threshold[node] + 0.0:.{digits}g} ?"
            deeper = indent + "  "
            stack.append((int(self.children_right[node]), deeper, "no: "))
            stack.append((int(self.children_left[node]), deeper, "yes: "))


def decision_tree(regions: RegionSet) -> DecisionTree:
    """The split tree of a network on a domain as an oblique decision tree that equals it there exactly.

    It has 2R - 1 nodes for R regions.

    Args:
        regions: a complete set.

    Raises:
        InputError: the set is partial.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [-1, -1]), ([[1, 1]], [0])])
    >>> print(pr.decision_tree(pr.enumerate_regions(net, pr.Box([-3], [3]))).to_text())
    neuron 0: x0 <= 1 ?
      yes: neuron 1: -x0 <= 1 ?
        yes: region 0: y0 = 0
        no: region 1: y0 = -x0 - 1
      no: region 2: y0 = x0 - 1
    """
    expect(regions, RegionSet, "regions")
    if not regions.complete:
        raise InputError(f"decision tree: {regions!r}, expected a complete set")
    grown, place, patterns = (
        _Grown(regions.network.n_inputs + 1),
        regions.network.neuron_layers(),
        regions.patterns,
    )
    prefixes = Prefixes(regions.problem.input_layers)
    stack: list[tuple[int, int, Slot | None]] = [(0, len(regions), None)]
    while stack:  # depth first, left first: the first regions of the cells ascend
        first, end, slot = stack.pop()
        if end - first == 1:
            last = prefixes.along(patterns[first])[-1]
            bits = patterns[first, patterns.shape[1] - len(last.kinked) :]
            grown.add_leaf(slot, first, last.exact_output(bits))
            continue
        neuron = int((patterns[first] != patterns[end - 1]).argmax())
        layer, unit = place[neuron]
        node = grown.add_split(slot, neuron, prefixes.layer(patterns[first], layer).exact.row(unit))
        middle = first + int(np.searchsorted(patterns[first:end, neuron], True))
        stack += [(middle, end, (grown.right, node)), (first, middle, (grown.left, node))]
    return grown.tree()


Slot: TypeAlias = tuple[list[int], int]
"""A column of children and the parent's row in it, where a new node is to be entered."""


class _Grown:
    """The columns of the tree while nodes are added, parents first."""

    def __init__(self, width: int) -> None:
        self.left: list[int] = []
        self.right: list[int] = []
        self._neuron: list[int] = []
        self._rows: list[list[int]] = []
        self._region: list[int] = []
        self._value: list[int] = []
        self._maps: dict[MapKey, tuple[int, IntegerAffine]] = {}
        self._width = width

    def add_split(self, slot: Slot | None, neuron: int, row: list[int]) -> int:
        """An inner node; its number."""
        common = gcd(*row)
        return self._add(slot, neuron, [entry // common for entry in row], LEAF, LEAF)

    def add_leaf(self, slot: Slot | None, region: int, affine: IntegerAffine) -> None:
        """A leaf; a map that is known already is not listed again."""
        number, _ = self._maps.setdefault(map_key(affine), (len(self._maps), affine))
        self._add(slot, LEAF, [0] * self._width, region, number)

    def _add(self, slot: Slot | None, neuron: int, row: list[int], region: int, value: int) -> int:
        node = len(self._neuron)
        if slot is not None:
            column, parent = slot
            column[parent] = node
        self.left.append(LEAF)
        self.right.append(LEAF)
        self._neuron.append(neuron)
        self._rows.append(row)
        self._region.append(region)
        self._value.append(value)
        return node

    def tree(self) -> DecisionTree:
        """What was grown."""
        columns = (self.left, self.right, self._neuron, self._region, self._value)
        left, right, neuron, region, value = (np.array(c, dtype=np.int64) for c in columns)
        rows = np.empty((len(self._rows), self._width), dtype=object)
        for node, row in enumerate(self._rows):
            rows[node] = row
        maps = tuple(affine for _, affine in self._maps.values())
        return DecisionTree(left, right, neuron, rows, region, value, maps)


# ---------------------------------------------------------------- text


def _listed(array: Any) -> Any:
    """An array as nested lists, None in the place of infinities, which JSON does not have."""
    if array.dtype.kind != "f" or np.all(np.isfinite(array)):
        return array.tolist()
    out = array.astype(object)
    out[~np.isfinite(array)] = None
    return out.tolist()


def _affine_text(affine: IntegerAffine, digits: int) -> str:
    rows = affine.nearest_floats()
    return ", ".join(
        f"y{i} = {_form_text(r[:-1].tolist(), float(r[-1]), digits)}" for i, r in enumerate(rows)
    )


def _form_text(weights: Sequence[float], constant: float, digits: int) -> str:
    """A form such as ``2 x0 - x3 + 0.5``, rounded."""
    terms = [(w, f"x{j}") for j, w in enumerate(weights) if w]
    terms += [(constant, "")] if constant or not terms else []
    text = "".join(_term(value, name, digits, at == 0) for at, (value, name) in enumerate(terms))
    return text


def _term(value: float, name: str, digits: int, is_first: bool) -> str:
    sign = ("-" if value < 0 else "") if is_first else (" - " if value < 0 else " + ")
    size = f"{abs(value):.{digits}g}"
    return f"{sign}{size} {name}".rstrip() if not name or size != "1" else f"{sign}{name}"
