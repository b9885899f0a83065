"""Points that a network comes back to: fixed points of its iterates, put together to cycles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polyregions.analysis.dynamics.fixed_points import FixedPoint, fixed_points
from polyregions.analysis.dynamics.stability import StabilityVerdict
from polyregions.analysis.dynamics.trajectories import Steps, Trajectories
from polyregions.errors import InputError, OptionError
from polyregions.exact.affine import compose
from polyregions.networks.germs import ExactNetwork
from polyregions.read_only import ReadOnly


@dataclass(frozen=True, eq=False)
class Cycle(ReadOnly):
    """Points that follow each other in a circle; or of a polytope of points that all come back, one such circle.

    Attributes:
        points: k points of d coordinates, exactly. The first is in the domain (of those that are the first in order),
            the others may have left it.
        at: the first as a fixed point of the k-th iterate; ``at.dim`` is 0 for a cycle that stands alone, else
            ``at.polytope`` holds the points of one region that all come back, in their own circles.
    """

    points: tuple[tuple[Fraction, ...], ...]
    at: FixedPoint

    @property
    def verdict(self) -> StabilityVerdict:
        """What the k-th iterate does near the first point, see `FixedPoint.verdict`."""
        return self.at.verdict

    def __len__(self) -> int:
        return len(self.points)


def cycles(trajectories: Trajectories, length: int | None = None) -> tuple[Cycle, ...]:
    """All cycles of a network that have a point in the domain, of just that length, exactly.

    Args:
        trajectories: of at least as many steps.
        length: k at least 1, `trajectories.steps` if not given. Points that come back sooner are no part of a cycle.

    Returns:
        Each cycle that stands alone once; then for each region with a polytope of points that come back one of their
        cycles (so one such family may be there k times, begun at each of its points).

    Raises:
        OptionError: another length.

    Complexity: that of `fixed_points`.

    >>> import polyregions as pr
    >>> tent = pr.Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])])  # 2 x, from x = 1/2 on 2 - 2 x
    >>> (cycle,) = pr.cycles(pr.trajectories(tent, pr.Box([0], [1]), 2))
    >>> [str(x) for (x,) in cycle.points], cycle.verdict
    (['2/5', '4/5'], 'unstable')
    """
    k = _checked(trajectories, length)
    regions = trajectories.after(k)
    network, steps = ExactNetwork(trajectories.network), Steps(trajectories, over_inputs=True)
    divisors = [m for m in range(1, k) if k % m == 0]
    alone: dict[frozenset[Any], Cycle] = {}
    families = []
    for found in fixed_points(regions):
        if any(_comes_back(trajectories, steps, found, k, m) for m in divisors):
            continue
        points = tuple(_orbit(network, found.point, k))
        if found.dim:
            families.append(Cycle(points, found))
        else:
            known = alone.setdefault(frozenset(points), Cycle(points, found))
            if found.point < known.at.point:
                alone[frozenset(points)] = Cycle(points, found)
    return (*sorted(alone.values(), key=lambda cycle: cycle.points), *families)


def _checked(trajectories: Any, length: Any) -> int:
    if not isinstance(trajectories, Trajectories):
        raise InputError(f"cycles: {type(trajectories).__name__}, expected Trajectories")
    k = trajectories.steps if length is None else length
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k <= trajectories.steps:
        raise OptionError(f"cycles of length {length!r}, expected a number from 1 to {trajectories.steps}")
    return int(k)


def _comes_back(trajectories: Trajectories, steps: Steps, found: FixedPoint, k: int, m: int) -> bool:
    """Whether all points of a fixed point of k steps come back after m steps already; exact."""
    solid = found.polytope.solid
    assert solid is not None
    embedding = solid.hull.embedding
    there = compose(steps.map(trajectories.after(k), found.regions[0], m), embedding)
    p, q = there.denominator, embedding.denominator
    same: bool = there.matrix * int(q) == embedding.matrix * int(p)
    return same


def _orbit(network: ExactNetwork, start: tuple[Fraction, ...], k: int) -> Iterator[tuple[Fraction, ...]]:
    x = start
    for _ in range(k):
        yield x
        x = network.germ(x).value
