"""Layers whose units see only some of the values below, as those of convolutions do: how many regions can they have?

One layer with generic weights has as many regions over R^d as there are sets of units that can be matched to different
values that they see (Hall's condition). These are the independent sets of a transversal matroid. With other weights
there are at most as many: a set without a broken circuit has independent normals, whose determinant is not zero, so
it can be matched.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TypeAlias

import numpy as np
from networkx import Graph
from networkx.algorithms.bipartite import hopcroft_karp_matching

from polyregions._types import Bools, Ints
from polyregions.networks.folding import affine_of_layer
from polyregions.networks.network import Layer

Free: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int32]]
"""For each set of classes of values (2^k,), its number a bit a class: how many values in it can still be left free."""

MOST_WORK = 2**26  # entries of all `Free` that are looked at, some seconds
MOST_CLASSES = 22  # of them at a time


@dataclass(frozen=True)
class Places:
    """Units that see the same, together.

    Attributes:
        sees: which values below (P, d).
        sizes: units at each place (P,).
        place: of each unit (n,).
    """

    sees: Bools
    sizes: Ints
    place: Ints


def places_of(layer: Layer, units: Bools) -> Places:
    """The places of some units of a layer, by which weights are not zero, those of the first unit first."""
    sees = _nonzero(layer)[units]
    _, first, place, sizes = np.unique(
        sees, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Places(sees[first[order]], sizes[order], rank[place.ravel()])


def _nonzero(layer: Layer) -> Bools:
    if layer.exact is None:
        return np.asarray(layer.weight != 0)
    affine = affine_of_layer(layer)
    rows = [[w != 0 for w in affine.row(u)[:-1]] for u in range(layer.n_units)]
    return np.array(rows, dtype=np.bool_).reshape(layer.n_units, layer.n_inputs)


def matchable_sets(sees: Bools, sizes: Ints, capacity: Ints | None = None) -> int | None:
    """How many sets of units can be matched to different values that they see; None if that is too much work.

    Args:
        sees: values seen at each place (P, d).
        sizes: units at each place (P,).
        capacity: values (d,) that each column stands for, one if not given.

    Complexity: a table of 2^k numbers for each state and choice, k kinds of values that places before and after both
    see, as for an image of width w and filters of width f about w (f - 1).

    >>> matchable_sets(np.ones((1, 2), dtype=bool), np.array([3]))  # three lines in the plane
    7
    """
    order = _order(sees)
    sees, sizes = sees[order], sizes[order]
    kinds, capacity = _kinds(sees, capacity)
    first = np.argmax(kinds, axis=0)
    last = len(kinds) - 1 - np.argmax(kinds[::-1], axis=0)
    open_kinds: list[int] = []
    states: dict[bytes, int] = {np.zeros(1, dtype=np.int32).tobytes(): 1}
    work = 0
    for at in range(len(kinds)):
        new = np.flatnonzero(first == at).tolist()
        open_kinds += new
        done = [i for i, kind in enumerate(open_kinds) if last[kind] == at]
        if len(open_kinds) > MOST_CLASSES:
            return None
        seen = sum(1 << i for i, kind in enumerate(open_kinds) if kinds[at, kind])
        work += len(states) * int(sizes[at] + 1) << len(open_kinds)
        if work > MOST_WORK:
            return None
        states = _after_place(states, capacity[new], seen, int(sizes[at]), done)
        open_kinds = [kind for i, kind in enumerate(open_kinds) if i not in done]
    return sum(states.values())


def _order(sees: Bools) -> Ints:
    """Places by the middle of what they see, so that few values are seen before and after a place."""
    columns = np.arange(sees.shape[1])
    middle = (sees * columns).sum(axis=1) / np.maximum(sees.sum(axis=1), 1)
    return np.argsort(middle, kind="stable")


def _kinds(sees: Bools, capacity: Ints | None) -> tuple[Bools, Ints]:
    """Values that are seen from the same places are of one kind, of which there are many."""
    capacity = np.ones(sees.shape[1], dtype=np.int64) if capacity is None else capacity
    kinds, kind = np.unique(sees, axis=1, return_inverse=True)
    many = np.bincount(kind.ravel(), weights=capacity, minlength=kinds.shape[1]).astype(np.int64)
    is_seen = kinds.any(axis=0)
    return kinds[:, is_seen], many[is_seen]


def _after_place(
    states: dict[bytes, int], more: Ints, seen: int, units: int, done: list[int]
) -> dict[bytes, int]:
    """Choose any number of a place's units, in all states; values that no place sees any more are left."""
    after: dict[bytes, int] = {}
    for key, count in states.items():
        free = _with_more(np.frombuffer(key, dtype=np.int32), more)
        for chosen in range(units + 1):
            left = _without(free, done).tobytes()
            after[left] = after.get(left, 0) + count * comb(units, chosen)
            if not free[seen]:
                break
            free = _with_one_unit(free, seen)
    return after


def _with_more(free: Free, capacity: Ints) -> Free:
    for many in capacity.tolist():
        free = np.concatenate([free, free + np.int32(many)])
    return free


def _with_one_unit(free: Free, seen: int) -> Free:
    """One unit more takes one of the values it sees: a set loses one if all that is free and seen is needed for it."""
    sets = np.arange(len(free))
    less: Free = free - (free[sets | seen] == free)
    return less


def _without(free: Free, done: list[int]) -> Free:
    sets = np.arange(len(free))
    left: Free = free[(sets & sum(1 << i for i in done)) == 0]
    return left


@dataclass(frozen=True)
class Stack:
    """Layers of places, each with a place of its own below it, down to the inputs.

    Attributes:
        zigzags: regions that all layers but the last can make, each of which is mapped onto a whole cube.
        last: regions of the last layer on a cube of the places below.
    """

    zigzags: int
    last: int


def stack_of(layers: tuple[Layer, ...]) -> Stack | str:
    """Read it off where weights are not zero, or say what is missing.

    Each place below the last layer folds d_0 values of a place of its own below, floor(units / d_0) times each,
    as d_0 is the smallest number of inputs seen from the same places.
    """
    below = _inputs_by_place(layers[0])
    inputs = np.bincount(below[below >= 0])
    d0, zigzags = int(inputs.min(initial=len(below))), 1
    for number, layer in enumerate(layers, start=1):
        if not np.all(layer.splitting):
            return f"layer {number} has units without a kink"
        places = places_of(layer, layer.splitting)
        sees = _whole_places(places.sees, below)
        if number == len(layers):
            many = inputs if number == 1 else np.full_like(inputs, d0, shape=sees.shape[1])
            last = matchable_sets(sees, places.sizes, many)
            reason = "what the last layer's units see overlaps in too many ways"
            return reason if last is None else Stack(zigzags, last)
        least = int(places.sizes.min(initial=d0))
        if least < d0:
            return f"layer {number} has a place with {least} units, expected at least {d0}"
        if not own_places(sees):
            return f"layer {number} has more places than places below that they see"
        for size in places.sizes.tolist():
            zigzags *= (size // d0) ** d0
        below = places.place
    return "there is no hidden layer"


def _inputs_by_place(layer: Layer) -> Ints:
    """The place of each input, -1 if none sees it; inputs that the same units of the first layer see are together."""
    sees = _nonzero(layer)
    is_seen = sees.any(axis=0)
    place = np.full(sees.shape[1], -1)
    place[is_seen] = np.unique(sees[:, is_seen], axis=1, return_inverse=True)[1].ravel()
    return place


def _whole_places(sees: Bools, place: Ints) -> Bools:
    """Which places below (P, Q) are seen with all their units."""
    n = int(place.max(initial=-1)) + 1
    belongs = place[:, None] == np.arange(n)[None, :]
    hidden = (~sees).astype(np.int64) @ belongs.astype(np.int64)
    return np.asarray(hidden == 0)


def own_places(sees: Bools) -> bool:
    """Whether each place (rows) can be given one of the places below that it sees (columns), all of them different."""
    graph = Graph()
    rows = range(len(sees))
    graph.add_nodes_from(rows)
    graph.add_edges_from((int(i), -1 - int(j)) for i, j in zip(*np.nonzero(sees), strict=True))
    matched = hopcroft_karp_matching(graph, top_nodes=rows)
    return all(row in matched for row in rows)
