"""Regions by which argument wins each maximum: the activation pattern of a max unit as the literature has it.

A maximum of k arguments is decided by k - 1 comparators (`MaxGroups`), which may cut the set where one argument wins
into several regions: who comes second does not matter to the network. Here such regions are put together again.
On a merged region all other neurons have one sign and every maximum one winner, so all forms that follow are the same
there, and the region is the polytope of these signs and of "the winner is at least each other argument".
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import NamedTuple

import networkx as nx
import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.errors import expect
from polyregions.networks.maxima import MaxGroups, matches
from polyregions.networks.network import Network
from polyregions.places import Members
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.solid_domain import rows_in_inputs
from polyregions.read_only import ReadOnly, View
from polyregions.regions.adjacency import Adjacency, adjacency_arrays
from polyregions.regions.drawn_graphs import graph_attributes
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class WinnerRegions(ReadOnly, Members["WinnerRegion"]):
    """Regions merged by winners, numbered by their first region.

    Attributes:
        regions: the regions.
        label: (R,) the merged region that each region belongs to.
        first: (M,) the first region of each merged one.
        winners: (M, G) which argument wins each maximum, counted from 0.
    """

    MEMBER = "merged region"

    regions: RegionSet
    label: Ints
    first: Ints
    winners: Ints

    def __len__(self) -> int:
        return len(self.first)

    def _member(self, place: int) -> WinnerRegion:
        return WinnerRegion(self, place)

    def edges(self, adjacency: Adjacency | None = None) -> Ints:
        """Which merged regions share a facet: pairs (E, 2), the lower first, sorted.

        Args:
            adjacency: what `adjacency_arrays` gives for the regions, if it is known already.
        """
        found = adjacency_arrays(self.regions) if adjacency is None else adjacency
        pairs = np.column_stack([self.label[found.source], self.label[found.target]])
        pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
        return np.unique(pairs, axis=0)

    def graph(self, adjacency: Adjacency | None = None) -> nx.Graph:
        """The adjacency graph of the merged regions: nodes carry ``winners`` and ``regions``, how many were merged."""
        sizes = np.bincount(self.label, minlength=len(self)).tolist()
        graph = nx.Graph(**graph_attributes(self.regions))
        for i, winners in enumerate(self.winners.tolist()):
            graph.add_node(i, winners=winners, regions=sizes[i])
        graph.add_edges_from(self.edges(adjacency).tolist())
        return graph

    def __repr__(self) -> str:
        return f"<WinnerRegions: {len(self)} of {len(self.regions)} regions of {self.regions.network.name}>"


@dataclass(frozen=True, eq=False)
class WinnerRegion(View):
    """One merged region: a light view into `WinnerRegions`."""

    merged: WinnerRegions
    number: int

    @property
    def winners(self) -> Ints:
        """Which argument (G,) wins each maximum."""
        winners: Ints = self.merged.winners[self.number]
        return winners

    @property
    def members(self) -> Ints:
        """The regions it consists of."""
        return np.flatnonzero(self.merged.label == self.number)

    @property
    def point(self) -> Floats:
        """A point (d,) strictly inside."""
        return self.merged.regions[int(self.merged.first[self.number])].point

    @cached_property
    def polytope(self) -> HPolytope:
        """The merged region as ``{x : A x <= b}``: rows of other neurons, of winners against losers, of the domain.

        A winner's row against a later argument is open, against an earlier one closed: the last of equals wins.
        """
        regions = self.merged.regions
        rows = _rows(regions, int(self.merged.first[self.number]))
        domain, labels = rows_in_inputs(regions.problem.solid)
        scales = [max((abs(entry) for entry in row[:-1]), default=0) or 1 for row in domain]
        n_open = len(regions.problem.solid.strict)
        strict = [*regions.problem.solid.strict, *([False] * (len(domain) - n_open))]
        return HPolytope.of_exact_rows(
            [row.integers for row in rows] + domain,
            [row.divisor for row in rows] + scales,
            regions.network.n_inputs,
            [row.is_open for row in rows] + strict,
            [row.label for row in rows] + labels,
        )

    def __repr__(self) -> str:
        return f"<WinnerRegion {self.number}: {self.winners.tolist()}, {len(self.members)} regions>"


def winner_regions(regions: RegionSet) -> WinnerRegions:
    """The regions merged where every maximum has the same winner and all other neurons have the same bits.

    Without maxima of three arguments or more, every region is by itself.

    >>> import numpy as np
    >>> import polyregions as pr
    >>> from polyregions.networks.graph import GraphBuilder, lower
    >>> build = GraphBuilder(2, "max(x, y, 0.5)")
    >>> three = build.join([0, build.constant(np.array([0.5]))])
    >>> net = lower(build.graph(build.maxima(three, np.arange(3), np.array([0, 3]))), "max")
    >>> regions = pr.enumerate_regions(net, pr.Box([0, 0], [1, 1]))
    >>> merged = pr.winner_regions(regions)
    >>> len(regions), len(merged), merged.winners.ravel().tolist()
    (4, 3, [2, 1, 0])
    >>> merged[0].members.tolist(), merged[0].polytope.volume()
    ([0, 2], 0.25)
    """
    expect(regions, RegionSet, "regions")
    groups = groups_of(regions.network)
    keys, winners = winner_keys(groups, regions.patterns)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return WinnerRegions(regions, rank[inverse.ravel()], first[order], winners[first[order]])


def groups_of(network: Network) -> MaxGroups:
    """The maxima of a network, none where it has none."""
    none = MaxGroups(np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64))
    return network.max_groups or none


def winner_keys(groups: MaxGroups, patterns: Bools) -> tuple[Ints, Ints]:
    """What merged regions agree in: (R, N' + G), and the winners (R, G) alone."""
    winners = groups.winners(patterns)
    others = np.ones(patterns.shape[1], dtype=np.bool_)
    others[groups.neurons] = False
    return np.column_stack([patterns[:, others], winners]).astype(np.int64), winners


class _ExactRow(NamedTuple):
    """A form that is not negative on a merged region, as integers over a divisor."""

    integers: list[int]
    divisor: int
    is_open: bool
    label: str


def _rows(regions: RegionSet, number: int) -> list[_ExactRow]:
    """The rows of the merged region that a region belongs to."""
    groups, pattern = groups_of(regions.network), regions.patterns[number]
    comparing = set(groups.neurons.tolist())
    forms: dict[int, list[Fraction]] = {}
    rows, n = [], 0
    for layer in regions.problem.input_layers.along(pattern):
        for unit in layer.kinked.tolist():
            integers, divisor = layer.exact.row(unit), layer.exact.denominator
            if n in comparing:
                forms[n] = [Fraction(entry, divisor) for entry in integers]
            elif any(integers[:-1]):
                signed = integers if pattern[n] else [-entry for entry in integers]
                rows.append(_ExactRow(signed, divisor, bool(pattern[n]), f"neuron {n}"))
            n += 1
    for group in range(len(groups)):
        neurons = groups.of(group).tolist()
        rows += _winner_rows(group, [bool(pattern[i]) for i in neurons], [forms[i] for i in neurons])
    return rows


def _winner_rows(group: int, bits: list[bool], forms: list[list[Fraction]]) -> list[_ExactRow]:
    """The winner of one maximum minus each of its other arguments.

    From the last match back to the first: the loser of a match is behind the final winner by as much as the
    match's winner is, and by the difference that the match compared.
    """
    k = len(bits) + 1
    schedule = matches(k)
    behind: dict[int, list[Fraction] | None] = {schedule[-1][2] if schedule else 0: None}
    for (first, second, winner), bit, form in reversed(list(zip(schedule, bits, forms, strict=True))):
        ahead, loser = (first, second) if bit else (second, first)
        lead = form if bit else [-entry for entry in form]
        distance = behind[winner]
        behind[ahead] = distance
        behind[loser] = lead if distance is None else [a + b for a, b in zip(distance, lead, strict=True)]
    final = next(i for i in range(k) if behind[i] is None)
    return [
        _row_of_fractions(distance, final < i, f"max {group}: {final} over {i}")
        for i in range(k)
        if (distance := behind[i]) is not None and any(distance[:-1])
    ]


def _row_of_fractions(form: list[Fraction], is_open: bool, label: str) -> _ExactRow:
    divisor = lcm(*(entry.denominator for entry in form))
    return _ExactRow([int(entry * divisor) for entry in form], divisor, is_open, label)
