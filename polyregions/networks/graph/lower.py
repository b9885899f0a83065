"""From a graph to a chain: every vector as an affine form of the units before it.

The numbers that a form may refer to are *atoms*: the inputs, then the outputs of units, in the order in which they
are made. An atom made in layer l is needed up to some later layer; in between it is carried along through identity
units, which split nothing. Affine maps one after the other are composed exactly; where that would take long, the
vector between them is made a layer of identity units instead, which changes no number and no region.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Final

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.errors import UnsupportedError
from polyregions.networks.activations import IDENTITY, RELU, splitting, uniform_slopes
from polyregions.networks.graph.nodes import Affine, Graph, Input, Join, Maxima, Units
from polyregions.networks.graph.sparse import (
    MAX_RATIONALS,
    SparseAffine,
    composed,
    from_entries,
    layer_of,
    selection,
    stacked,
)
from polyregions.networks.maxima import MaxGroups, matches
from polyregions.networks.network import Layer, Network

MAX_NUMBERS: Final = 2**27
"""Most numbers in all forms together."""


def lower(graph: Graph, name: str, in_order: bool = False) -> Network:
    """The network that a graph computes, as a chain of layers with the same regions.

    Args:
        graph: the graph.
        name: name of the network.
        in_order: whether neurons follow each other in the order of the nodes, even where a later node's units could
            stand in an earlier layer.

    Raises:
        UnsupportedError: a layer that is too large to be written out.

    Complexity: the work of composing the affine maps; as many layers as the longest path has activations, plus
    one for each round of a maximum of more than two arguments.
    """
    lowering = _Lowering(graph, in_order)
    for number in range(len(graph.nodes)):
        lowering.take(number)
    return lowering.network(name)


@dataclass(frozen=True, eq=False)
class _Block:
    """Units made together: their forms, their slopes, the layer they stand in and the first atom they make."""

    form: SparseAffine
    slopes: Floats
    layer: int
    first: int

    @property
    def atoms(self) -> Ints:
        return np.arange(self.first, self.first + self.form.n_rows)


class _Lowering:
    """The forms of the nodes so far, and the blocks of units they refer to."""

    def __init__(self, graph: Graph, in_order: bool) -> None:
        self.graph = graph
        self._in_order = in_order
        self.n_inputs = graph.nodes[0].width
        self.forms: dict[int, SparseAffine] = {}
        self.blocks: list[_Block] = []
        self.layer_of_atom = np.zeros(self.n_inputs, dtype=np.int64)
        self.tournaments: list[list[int]] = []
        self._n_numbers = 0

    def take(self, number: int) -> None:
        """Express one node by atoms."""
        node = self.graph.nodes[number]
        match node:
            case Input():
                self.forms[number] = selection(np.arange(node.width), node.width)
            case Affine():
                self.forms[number] = self._image(node)
            case Join():
                self.forms[number] = self._joined(node)
            case Units():
                self.forms[number] = self._units(self.forms[node.source], node.slopes)
            case Maxima():
                self.forms[number] = self._maxima(node)
        self._n_numbers += self.forms[number].n_rows + len(self.forms[number].columns)
        if self._n_numbers > MAX_NUMBERS:
            raise UnsupportedError(
                f"{self.graph.where}: has more than {MAX_NUMBERS} numbers where it is lowered"
            )

    def _units(self, form: SparseAffine, slopes: Floats) -> SparseAffine:
        """New units on a form, in the first layer that can have them."""
        first, n = len(self.layer_of_atom), form.n_rows
        lowest = self._depth(form) + 1
        if self._in_order and np.any(splitting(slopes)):
            before = (block.layer for block in self.blocks if np.any(splitting(block.slopes)))
            lowest = max(lowest, max(before, default=0) + 1)
        block = _Block(form, slopes, lowest, first)
        self.blocks.append(block)
        self.layer_of_atom = np.append(self.layer_of_atom, np.full(n, block.layer))
        return selection(block.atoms, first + n)

    def _depth(self, form: SparseAffine) -> int:
        """The last layer that a form refers to."""
        return int(self.layer_of_atom[form.columns].max(initial=0))

    def _carried(self, form: SparseAffine) -> SparseAffine:
        """The same numbers as atoms of their own, made by identity units."""
        return self._units(form, uniform_slopes(form.n_rows, IDENTITY))

    def _image(self, node: Affine) -> SparseAffine:
        found = self._composed(node.map, self.forms[node.source])
        if found is None:
            self.forms[node.source] = self._carried(self.forms[node.source])
            found = self._composed(node.map, self.forms[node.source])
        assert found is not None  # one factor 1 for every entry, and no sums
        return found

    def _composed(self, outer: SparseAffine, inner: SparseAffine) -> SparseAffine | None:
        if inner.is_selection() and len(np.unique(inner.columns)) == inner.n_rows:
            return _renamed(outer, inner.columns, len(self.layer_of_atom))
        return composed(outer, inner)

    def _joined(self, node: Join) -> SparseAffine:
        """Forms one after the other; what is narrow is carried along rather than the many atoms it is made of."""
        depth = max(self._depth(self.forms[source]) for source in node.sources)
        for source in node.sources:
            form = self.forms[source]
            is_narrow = form.n_rows < len(np.unique(form.columns))
            if is_narrow and self._depth(form) < depth:
                self.forms[source] = self._carried(form)
        return stacked([self.forms[source] for source in node.sources], len(self.layer_of_atom))

    def _maxima(self, node: Maxima) -> SparseAffine:
        """Tournaments, one round of all groups after the other."""
        groups = [group.tolist() for group in np.split(node.arguments, node.offsets[1:-1])]
        schedules = [matches(len(group)) for group in groups]
        field = self.forms[node.source]
        comparators: list[list[int]] = [[] for _ in groups]
        while True:
            pairs = [
                (g, group[first], group[second])
                for g, (group, schedule) in enumerate(zip(groups, schedules, strict=True))
                for first, second, _ in _ready(schedule[len(comparators[g]) :], len(group))
            ]
            if not pairs:
                break
            fought, where = np.unique([pair[1:] for pair in pairs], axis=0, return_inverse=True)
            field, atoms, winners = self._round(field, fought)
            for (g, _, _), match in zip(pairs, where.ravel().tolist(), strict=True):
                groups[g].append(field.n_rows + match)
                comparators[g].append(int(atoms[match]))
            field = stacked([field, winners], len(self.layer_of_atom))
        self.tournaments += comparators
        return field.rows(np.array([group[-1] for group in groups], dtype=np.int64))

    def _round(self, field: SparseAffine, pairs: Ints) -> tuple[SparseAffine, Ints, SparseAffine]:
        """One round: pairs (n, 2) of rows of a form fight, and the winner is second + relu(first - second).

        Returns the form (over atoms of its own if its differences are too long), comparators (n,), and winners.
        """
        n = len(pairs)
        players, place = np.unique(pairs, return_inverse=True)
        place = place.reshape(n, 2)
        signs = np.tile([1.0, -1.0], n)
        minus = from_entries(np.repeat(np.arange(n), 2), place.ravel(), signs, np.zeros(n), len(players))
        difference = self._composed(minus, field.rows(players))
        if difference is None:
            field = self._carried(field)
            difference = self._composed(minus, field.rows(players))
        assert difference is not None  # differences of atoms
        comparators = self._units(difference, uniform_slopes(n, RELU)).columns
        seconds, which = np.unique(pairs[:, 1], return_inverse=True)
        kept = field.rows(seconds)
        if len(kept.columns) > kept.n_rows:  # made of more atoms than it has numbers
            kept = self._carried(kept)
        kept = kept.rows(which.ravel())
        winners = from_entries(
            np.append(kept.row_of_entry, np.arange(n)),
            np.append(kept.columns, comparators),
            np.append(kept.values, np.ones(n)),
            kept.bias,
            len(self.layer_of_atom),
        )
        return field, comparators, winners

    def network(self, name: str) -> Network:
        """The layers, each reading the units and the carried atoms of the one before it."""
        output = self.forms[self.graph.output]
        depth = max((block.layer for block in self.blocks), default=0)
        in_layers = [[b for b in self.blocks if b.layer == layer] for layer in range(1, depth + 1)]
        last = [int(atom) for block in in_layers[-1] for atom in block.atoms] if depth else []
        is_units = isinstance(self.graph.nodes[self.graph.output], Units)
        ends_in_units = is_units and np.array_equal(output.columns, last)
        needed = self._last_use(output, depth if ends_in_units else depth + 1)
        layers: list[Layer] = []
        present = np.arange(self.n_inputs)
        neurons: dict[int, int] = {}
        for layer, blocks in enumerate(in_layers, start=1):
            carried = np.flatnonzero((self.layer_of_atom < layer) & (needed > layer))
            forms = [block.form for block in blocks] + [selection(carried, len(needed))]
            slopes = [block.slopes for block in blocks] + [uniform_slopes(len(carried), IDENTITY)]
            layers.append(self._layer(forms, np.concatenate(slopes), present, layer))
            present = np.concatenate([*(block.atoms for block in blocks), carried])
            kinked = present[layers[-1].splitting]
            neurons |= {int(atom): len(neurons) + i for i, atom in enumerate(kinked)}
        if not ends_in_units:
            slopes_out = uniform_slopes(output.n_rows, IDENTITY)
            layers.append(self._layer([output], slopes_out, present, depth + 1))
        return Network.from_units(
            layers, name, self._max_groups(neurons), self.graph.notices, self.graph.final_function
        )

    def _last_use(self, output: SparseAffine, end: int) -> Ints:
        """The last layer (n_atoms,) that reads each atom."""
        last = np.zeros(len(self.layer_of_atom), dtype=np.int64)
        for form, layer in [(b.form, b.layer) for b in self.blocks] + [(output, end)]:
            last[form.columns] = np.maximum(last[form.columns], layer)
        return last

    def _layer(self, forms: list[SparseAffine], slopes: Floats, present: Ints, number: int) -> Layer:
        """One layer from forms over atoms, of which those present are what the layer before gives."""
        where = f"{self.graph.where}, layer {number}"
        rows = stacked(forms, len(self.layer_of_atom))
        if not rows.is_float and rows.n_rows * len(present) > MAX_RATIONALS:
            raise UnsupportedError(
                f"{where}: has {rows.n_rows} x {len(present)} entries, which are not float64 numbers, "
                f"expected at most {MAX_RATIONALS}"
            )
        place = np.full(len(self.layer_of_atom), -1)
        place[present] = np.arange(len(present))
        return layer_of(_renamed(rows, place, len(present)), slopes, where)

    def _max_groups(self, neurons: dict[int, int]) -> MaxGroups | None:
        if not self.tournaments:
            return None
        sizes = [len(comparators) for comparators in self.tournaments]
        flat = [neurons[atom] for comparators in self.tournaments for atom in comparators]
        return MaxGroups(np.array(flat, dtype=np.int64), np.cumsum([0, *sizes]))


def _ready(schedule: list[tuple[int, int, int]], n_players: int) -> list[tuple[int, int, int]]:
    """The next matches whose players are known."""
    return list(takewhile(lambda match: max(match[:2]) < n_players, schedule))


def _renamed(affine: SparseAffine, columns: Ints, n_columns: int) -> SparseAffine:
    """The same map of a longer vector, in which column j is at place columns[j]."""
    return from_entries(affine.row_of_entry, columns[affine.columns], affine.values, affine.bias, n_columns)
