"""A network applied again and again: the regions of k steps, and from them those of fewer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polyregions.engine.options import RunOptions
from polyregions.errors import NetworkError, OptionError, StoppedError, expect
from polyregions.exact.affine import IntegerAffine
from polyregions.networks.combine import check_maps_to_itself, identity, iterate
from polyregions.networks.network import Network
from polyregions.networks.patterns import pack
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.progress import ProgressFunction
from polyregions.read_only import ReadOnly
from polyregions.regions.collect import all_regions, enumerate_in_memory
from polyregions.regions.packed import PackedRegions
from polyregions.regions.prefixes import Prefixes
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class Trajectories(ReadOnly):
    """Where x, f(x), f(f(x)), … go for every start x of a domain.

    Attributes:
        network: f.
        regions: the regions of f applied `steps` times. A start's pattern there is that of f at each of its points, so
            on one region all steps are affine.
        steps: how many.
    """

    network: Network
    regions: RegionSet
    steps: int

    @property
    def domain(self) -> Domain:
        """The starts."""
        return self.regions.domain

    def after(self, step: int) -> RegionSet:
        """The regions of f applied so many times, 0 to `steps`, as a set of their own; nothing is enumerated again.

        Raises:
            OptionError: another number.

        >>> import polyregions as pr
        >>> tent = pr.Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])])
        >>> three = pr.trajectories(tent, pr.Box([0], [1]), 3)
        >>> [len(three.after(step)) for step in range(4)]
        [1, 2, 4, 8]
        """
        if isinstance(step, bool) or not isinstance(step, (int, np.integer)) or not 0 <= step <= self.steps:
            raise OptionError(f"step {step!r}, expected a number from 0 to {self.steps}")
        return self._after[int(step)]

    @cached_property
    def _after(self) -> list[RegionSet]:
        none = all_regions(pose(identity(self.network.n_inputs), self.domain))
        return [none, *(self._shortened(step) for step in range(1, self.steps)), self.regions]

    def _shortened(self, step: int) -> RegionSet:
        """Those of fewer steps, whose patterns are what the patterns begin with."""
        n, whole = step * self.network.n_neurons, self.regions
        changed = np.any(whole.patterns[1:, :n] != whole.patterns[:-1, :n], axis=1)
        first = np.flatnonzero(np.concatenate([np.ones(min(1, len(whole)), dtype=np.bool_), changed]))
        exact = {i: whole.rational_points.get(row) for i, row in enumerate(first.tolist())}
        listing = PackedRegions(
            pack(whole.patterns[first, :n]),
            pack(whole.cuts[first, :n]),
            whole.local_points[first],
            {i: point for i, point in exact.items() if point is not None},
        )
        problem = pose(iterate(self.network, step), self.domain)
        return RegionSet(problem, listing, whole.complete, whole.engine)


class Steps:
    """The affine maps of all steps on one region after another, exactly.

    Args:
        trajectories: of which steps.
        over_inputs: whether over the inputs x, or over the coordinates u of the domain's hull.
    """

    def __init__(self, trajectories: Trajectories, over_inputs: bool) -> None:
        problems = [trajectories.after(step).problem for step in range(trajectories.steps + 1)]
        self._prefixes = [Prefixes(p.input_layers if over_inputs else p.layers) for p in problems]
        self._trajectories, self._n = trajectories, trajectories.network.n_neurons

    def map(self, regions: RegionSet, i: int, step: int) -> IntegerAffine:
        """The map from the start to what a step gives, on region i of as many steps or more."""
        return self._prefixes[step].output(regions.patterns[i, : step * self._n])


def trajectories(
    network: Network,
    domain: Domain,
    steps: int,
    *,
    engine: str = "auto",
    workers: int | None = None,
    progress: ProgressFunction | None = None,
    time_limit: float | None = None,
) -> Trajectories:
    """Where a network that is applied again and again takes the points of a domain, step by step; exactly.

    What asks for them: `cycles`, `reach`, and with the regions `Trajectories.after` some steps `image` (where the
    domain goes), `preimage` (what comes somewhere), `fixed_points` and all other queries.

    Args:
        network: f, with as many outputs as inputs: a closed loop, see `closed_loop`.
        domain: the starts; they may leave it, f goes on.
        steps: how often f is applied, at least 1.
        engine, workers, progress, time_limit: as in `enumerate_regions`.

    Raises:
        NetworkError: another number of outputs.
        OptionError: no such number of steps; DomainError: as in `enumerate_regions`.
        StoppedError: stopped before the end: what is true of some regions may be false of all.

    Complexity: that of enumerating the network ``iterate(network, steps)``.

    >>> import polyregions as pr
    >>> tent = pr.Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])])
    >>> len(pr.trajectories(tent, pr.Box([0], [1]), 5).regions)
    32
    """
    expect(network, Network, "network", NetworkError)
    check_maps_to_itself("trajectories", network)
    options = RunOptions(engine, workers, progress=progress, time_limit=time_limit)
    regions = enumerate_in_memory(pose(iterate(network, steps), domain), options)
    if not regions.complete:
        raise StoppedError(f"trajectories: stopped after {len(regions)} regions; there are more")
    return Trajectories(network, regions, int(steps))
