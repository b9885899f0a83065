"""Every region within some facets of a point, or that meets a ball around it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite
from typing import Any

import numpy as np

from polyregions._types import Ints
from polyregions.analysis.decisions import DecisionCells, decision_cells
from polyregions.analysis.local.cells_met import cells_in
from polyregions.analysis.local.listing import region_set, sorted_by_pattern
from polyregions.analysis.local.search import Walk
from polyregions.analysis.local.within import Within, coordinates, posed, within_ball
from polyregions.analysis.queries.norms import Norm, NormLike, norm_of
from polyregions.errors import DomainError, NetworkError, OptionError, expect
from polyregions.exact.numbers import Point, nearest_float
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem
from polyregions.places import Members
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.slices import exact_point
from polyregions.presentation import Tabular
from polyregions.progress import ProgressFunction, Watch, check_limits
from polyregions.read_only import ReadOnly
from polyregions.regions.region_set import Region, RegionSet


@dataclass(frozen=True, eq=False)
class Neighbourhood(ReadOnly, Members[Region], Tabular):
    """The regions around a point, in lexicographic order of their patterns; iterating gives `Region` views.

    Attributes:
        regions: the regions as parts of the whole domain; as a set of its regions it is partial.
        hops: (R,) how many facets lie between each region and the one at the point. In a ball the facets that are
            crossed are those that meet the ball, so more may lie between than on a way outside it.
        centre: the region that holds the point.
        point: (d,) the point, exactly.
        complete: whether these are all; False after a limit, or when `progress` returned False.
        radius: that of the ball, exactly; None if hops were asked for.
        norm: that of the ball.
        nearby: the same regions within the box around the ball (the ball itself in linf), as a set of regions of the
            network there: complete in linf if this is; the regions themselves if there is no ball.
    """

    MEMBER = "region"

    regions: RegionSet
    hops: Ints
    centre: int
    point: tuple[Fraction, ...]
    complete: bool
    radius: Fraction | None
    norm: Norm | None
    nearby: RegionSet

    @property
    def network(self) -> Network:
        """The network."""
        return self.regions.network

    def per_hop(self) -> list[int]:
        """How many regions there are after 0, 1, 2, … facets."""
        counts: list[int] = np.bincount(self.hops).tolist()
        return counts

    def decision_cells(self, rule: str = "auto") -> DecisionCells:
        """The parts of the regions in which a class wins; of a ball, those that meet it.

        In a ball they are cells of `nearby`: each is the part of a region and of the box around the ball where one
        class wins. A cell meets the ball as a region does: its interior does, which is proved, or decided in rationals.

        Args:
            rule: as in `decision_cells`.

        Raises:
            OptionError: see `decision_cells`.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
        >>> ball = pr.neighbourhood(net, [2, 1], radius=2, norm="l2")
        >>> len(ball), ball.decision_cells().label.tolist()
        (2, [0, 0, 1])
        """
        cells = decision_cells(self.nearby, rule)
        if self.radius is None or self.norm in (None, "linf"):
            return cells
        return cells_in(_within(self.regions.problem, self.point, self.norm, self.radius), cells)

    def to_arrow(self, *, classes: str | None = None, volume: bool = False) -> Any:
        """The table of `RegionSet.to_arrow` with a column ``hops``.

        Args and Raises as there.
        """
        table = self.regions.to_arrow(classes=classes, volume=volume)
        return table.append_column("hops", [self.hops.tolist()])

    def to_pandas(self, *, classes: str | None = None, volume: bool = False) -> Any:
        """The table of `RegionSet.to_pandas` with a column ``hops``.

        Args and Raises as there.
        """
        return self.regions.to_pandas(classes=classes, volume=volume).assign(hops=self.hops)

    def __len__(self) -> int:
        return len(self.regions)

    def _member(self, place: int) -> Region:
        return self.regions[place]

    def __repr__(self) -> str:
        partial = "" if self.complete else ", partial"
        if self.radius is None:
            return f"<Neighbourhood: {len(self)} regions of {self.network.name} within {self._most()} hops{partial}>"
        ball = f"the {self.norm} ball of radius {nearest_float(self.radius):g}"
        return f"<Neighbourhood: {len(self)} regions of {self.network.name} in {ball}{partial}>"

    def _most(self) -> int:
        return int(self.hops.max(initial=0))


def neighbourhood(
    network: Network,
    x: Any,
    *,
    hops: int | None = None,
    radius: Any = None,
    norm: NormLike = "linf",
    domain: Domain | None = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
    progress: ProgressFunction | None = None,
) -> Neighbourhood:
    """Every region within so many facets of the region at a point, or that meets a ball around it; proved complete.

    Nothing else is enumerated, so the network may be of any size. A region meets the ball if its interior does; the
    closed ball and the open one meet the same. One that only touches the ball from outside does not count.

    Args:
        network: the network, d inputs.
        x: (d,) a point of the domain; integers and fractions are taken exactly.
        hops: how many facets may be crossed, at least 0; or
        radius: that of a ball, positive; integers and fractions are taken exactly.
        norm: of the ball: "l1", "l2" or "linf", or numpy's 1, 2 or ``np.inf``.
        domain: the input set; all of R^d if not given.
        max_regions: stop after this many regions, the nearest in facets.
        time_limit: stop after this many seconds; looked at after each region.
        progress: called now and then with a `Progress`; its fraction is that of the regions known so far. Returning
            False stops.

    Raises:
        NetworkError, DomainError: not a network, an input set or d numbers; a point outside the domain; a ball in a
            slice.
        OptionError: not one of hops and radius, no such number or norm, negative limits.

    Complexity: for each region one composition of the layers, and one small linear program (for l2 a least-squares
    problem) for each neuron whose hyperplane may meet what is looked at.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])  # four quadrants
    >>> [len(pr.neighbourhood(net, [1, 2], hops=hops)) for hops in range(3)]
    [1, 3, 4]
    >>> [len(pr.neighbourhood(net, [1, 2], radius=r, norm="l2")) for r in (1, 2, 2.125, 2.25)]
    [1, 2, 3, 4]
    """
    expect(network, Network, "network", NetworkError)
    check_limits(max_regions, time_limit)
    problem = posed(network, domain)
    point = point_of(problem, x)
    if (hops is None) == (radius is None):
        raise OptionError("neighbourhood: expected one of hops and radius")
    size = None if radius is None else _radius(radius)
    shape = norm_of(norm) if size is not None else None
    most = inf if hops is None else _hops(hops)
    walk = Walk(_within(problem, point, shape, size), coordinates(problem.solid.hull, point))
    walk.run(most, max_regions, Watch(progress, time_limit))
    return _answer(problem, point, shape, size, walk)


def _within(problem: Problem, point: Any, norm: Norm | None, radius: Fraction | None) -> Within:
    if norm is None or radius is None:
        return Within(problem)
    return within_ball(problem, list(point), norm, radius)


def _answer(
    problem: Problem, point: list[Fraction], norm: Norm | None, radius: Fraction | None, walk: Walk
) -> Neighbourhood:
    found = sorted_by_pattern(walk.found)
    hops = np.array([region.hops for region in found], dtype=np.int64)
    regions = region_set(problem, found, near=False, complete=False)
    nearby = regions
    if radius is not None:
        nearby = region_set(
            walk.within.problem, found, near=norm == "linf", complete=walk.complete and norm == "linf"
        )
    centre = int(np.argmin(hops)) if len(hops) else 0
    return Neighbourhood(regions, hops, centre, tuple(point), walk.complete, radius, norm, nearby)


def point_of(problem: Problem, x: Any) -> list[Fraction]:
    """A point as it was handed in, exactly.

    Raises:
        DomainError: no d numbers, or not in the domain.
    """
    point = list(exact_point(x, "point"))
    if len(point) != problem.network.n_inputs:
        raise DomainError(
            f"point has {len(point)} entries, {problem.network.name} takes {problem.network.n_inputs}"
        )
    hull = problem.solid.hull
    u = Point.of(coordinates(hull, point)) if hull.is_whole or hull.contains(point) else None
    if u is None or not problem.solid.contains(u):
        raise DomainError(f"point: {_shown(point)} is not in the domain")
    return point


def _shown(point: list[Fraction]) -> str:
    text = ", ".join(f"{nearest_float(c):g}" for c in point[:8])
    return f"({text}{', …' if len(point) > 8 else ''})"


def _hops(hops: Any) -> int:
    if isinstance(hops, bool) or not isinstance(hops, (int, np.integer)) or hops < 0:
        raise OptionError(f"hops {hops!r}, expected a whole number of at least 0")
    return int(hops)


def _radius(radius: Any) -> Fraction:
    is_number = isinstance(radius, (int, float, Fraction, np.integer, np.floating)) and not isinstance(
        radius, bool
    )
    if not (is_number and isfinite(radius) and radius > 0):
        raise OptionError(f"radius {radius!r}, expected a positive number")
    return Fraction(radius) if isinstance(radius, (int, float, Fraction)) else Fraction(radius.item())
