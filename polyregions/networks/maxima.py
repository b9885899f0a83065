"""Max units as knockout tournaments: which comparator neurons decide which maximum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyregions._types import Bools, Ints
from polyregions.read_only import ReadOnly


@dataclass(frozen=True, eq=False)
class MaxGroups(ReadOnly):
    """The maxima that a network takes, each decided by a knockout tournament between its arguments.

    Round after round the arguments that are left are paired from the left: a comparator neuron is on where the
    first of its pair is larger, and where it is off (a tie as well) the second goes on. An argument without a partner
    goes on by itself. A maximum of k arguments has k - 1 comparators; groups may share some. So the winner is the
    largest argument, and the last of the largest where several tie.

    Attributes:
        neurons: the comparators of all groups, as indices into the pattern, round by round.
        offsets: (G+1,) where the comparators of each group start and end.
    """

    neurons: Ints
    offsets: Ints

    @property
    def n_arguments(self) -> Ints:
        """How many arguments (G,) each maximum has."""
        return np.diff(self.offsets) + 1

    @property
    def is_coarser(self) -> bool:
        """Whether patterns may tell apart what winners do not: a maximum of three arguments or more."""
        return bool(np.any(self.n_arguments > 2))

    def of(self, group: int) -> Ints:
        """The comparators of one group."""
        return self.neurons[self.offsets[group] : self.offsets[group + 1]]

    def within(self, n_neurons: int) -> MaxGroups:
        """The maxima that are decided among the first neurons of the pattern."""
        kept = [part for part in map(self.of, range(len(self))) if np.all(part < n_neurons)]
        offsets = np.cumsum([0, *map(len, kept)]).astype(np.int64)
        return MaxGroups(np.concatenate([np.zeros(0, dtype=np.int64), *kept]), offsets)

    def winners(self, patterns: Bools) -> Ints:
        """Which argument (R, G) wins each maximum along patterns (R, N), counted from 0."""
        found = np.zeros((len(patterns), len(self)), dtype=np.int64)
        for group in range(len(self)):
            found[:, group] = _winner(patterns[:, self.of(group)])
        return found

    def __len__(self) -> int:
        return len(self.offsets) - 1


def matches(n_arguments: int) -> list[tuple[int, int, int]]:
    """The matches of a tournament as (first, second, winner), players being numbered: arguments, then winners."""
    left, found, players = list(range(n_arguments)), [], n_arguments
    while len(left) > 1:
        following = []
        for first, second in zip(left[::2], left[1::2], strict=False):
            found.append((first, second, players))
            following.append(players)
            players += 1
        left = following + ([left[-1]] if len(left) % 2 else [])
    return found


def _winner(bits: Bools) -> Ints:
    """The argument (R,) that is left over, from the bits (R, k-1) of the comparators."""
    n_arguments = bits.shape[1] + 1
    players = [np.full(len(bits), i, dtype=np.int64) for i in range(n_arguments)]
    for match, (first, second, _) in enumerate(matches(n_arguments)):
        players.append(np.where(bits[:, match], players[first], players[second]))
    return players[-1]
