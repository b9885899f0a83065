"""The region that holds a point, its facets and what lies beyond them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from polyregions._types import Bools, Floats
from polyregions.analysis.decisions.outputs import chosen_rule, winner
from polyregions.analysis.local.around import Neighbourhood, neighbourhood, point_of
from polyregions.analysis.local.listing import region_set
from polyregions.analysis.local.search import Crossing, Walk
from polyregions.analysis.local.within import Within, coordinates, posed
from polyregions.errors import NetworkError, expect
from polyregions.exact.affine import IntegerAffine
from polyregions.networks.network import Network
from polyregions.networks.patterns import as_text
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.polytope import HPolytope
from polyregions.progress import Watch
from polyregions.read_only import ReadOnly
from polyregions.regions.region_set import Region


@dataclass(frozen=True, eq=False)
class LocalFacet(ReadOnly):
    """A facet that a region shares with another one.

    Attributes:
        neurons: those whose hyperplane carries it; the neurons that differ beyond are among these and those that are
            zero all over the region.
        point: (d,) a point on it, in floats.
        pattern: (N,) the activation pattern of the region beyond.
    """

    neurons: tuple[int, ...]
    point: Floats
    pattern: Bools

    def __repr__(self) -> str:
        return f"<LocalFacet: neuron {', '.join(map(str, self.neurons))}, to {as_text(self.pattern)}>"


@dataclass(frozen=True, eq=False)
class LocalRegion(ReadOnly):
    """The region that holds a point.

    Attributes:
        region: the region, a view into a partial set that holds nothing else.
        at: (d,) the point asked about, exactly; inside, or on the boundary.
        value: (c,) the outputs there, exactly.
        facets: those that it shares with other regions, each proved; `polytope` has those of the domain too.
    """

    region: Region
    at: tuple[Fraction, ...]
    value: tuple[Fraction, ...]
    facets: tuple[LocalFacet, ...]

    @property
    def pattern(self) -> Bools:
        """Activation pattern (N,)."""
        return self.region.pattern

    @property
    def polytope(self) -> HPolytope:
        """The region as ``{x : A x <= b}``, see `Region.polytope`."""
        return self.region.polytope

    @property
    def affine_map(self) -> tuple[Floats, Floats]:
        """The network on the region, see `Region.affine_map`."""
        return self.region.affine_map

    @property
    def exact_affine_map(self) -> IntegerAffine:
        """The network on the region in rationals."""
        return self.region.exact_affine_map

    @cached_property
    def neighbours(self) -> Neighbourhood:
        """The regions across the facets, with the region itself at hop 0."""
        regions = self.region.regions
        return neighbourhood(regions.network, list(self.at), hops=1, domain=regions.domain)

    def label(self, rule: str = "auto") -> int:
        """The class at the point, the lowest of equal ones.

        Args:
            rule: as in `decision_cells`.

        Raises:
            OptionError: an unknown rule, or one that does not fit the network.
        """
        regions = self.region.regions
        u = coordinates(regions.problem.solid.hull, list(self.at))
        return winner(regions.problem.exact.germ(u), chosen_rule(regions.network, rule))

    def __repr__(self) -> str:
        return f"<LocalRegion: {as_text(self.pattern)}, {len(self.facets)} neighbours>"


def region_at(network: Network, x: Any, domain: Domain | None = None) -> LocalRegion:
    """The linear region that holds a point: polytope, affine map, pattern, facets and what lies beyond them.

    Nothing else is enumerated, so the network may be of any size. Where the point's own pattern has no interior, the
    region is one whose closure holds the point.

    Args:
        network: the network, d inputs.
        x: (d,) a point of the domain; integers and fractions are taken exactly.
        domain: the input set; all of R^d if not given.

    Raises:
        NetworkError, DomainError: not a network, an input set or d numbers; a point outside the domain.

    Complexity: a small linear program for each neuron.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 1]], [0])])
    >>> here = pr.region_at(net, [1, 2])
    >>> here
    <LocalRegion: 11, 2 neighbours>
    >>> here.facets
    (<LocalFacet: neuron 0, to 01>, <LocalFacet: neuron 1, to 10>)
    >>> here.polytope.facets().tolist(), here.affine_map[0].tolist()
    ([0, 1], [[1.0, 1.0]])
    """
    expect(network, Network, "network", NetworkError)
    problem = posed(network, domain)
    point = point_of(problem, x)
    walk = Walk(Within(problem), coordinates(problem.solid.hull, point))
    walk.run(0, 1, Watch(None))
    (found,) = walk.found
    crossings = [crossing for crossing in walk.crossings(found) if crossing is not None]
    cell = replace(found.cell, varying=np.zeros_like(found.cell.pattern))
    cell.varying[[crossing.neurons[0] for crossing in crossings]] = True
    region = region_set(problem, [replace(found, cell=cell)], near=False, complete=not crossings)[0]
    germ = problem.exact.germ(walk.start)
    facets = tuple(_facet(region, crossing) for crossing in crossings)
    return LocalRegion(region, tuple(point), germ.value, facets)


def _facet(region: Region, crossing: Crossing) -> LocalFacet:
    point = region.regions.problem.solid.hull.lift_floats(crossing.point[None])[0]
    return LocalFacet(crossing.neurons, point, crossing.pattern)
