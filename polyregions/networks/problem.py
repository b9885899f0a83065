"""A network together with an input set, brought to the coordinates in which the set is solid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from polyregions._types import Bools
from polyregions.errors import DomainError, NetworkError, expect
from polyregions.exact.affine import IntegerAffine
from polyregions.networks.float_range import is_tame_within
from polyregions.networks.folding import fold
from polyregions.networks.germs import ExactNetwork
from polyregions.networks.graph.sparse import composed, layer_of, of_layer
from polyregions.networks.large_layer import LargeLayer
from polyregions.networks.network import Layer, Network, exact_layer
from polyregions.networks.pullback import ComposedLayers
from polyregions.polyhedra.domain import Domain, Slice, check_domain
from polyregions.polyhedra.hull import AffineHull
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.solid_domain import SolidDomain
from polyregions.read_only import ByValue

MAX_DENSE: Final = 2**22
"""Largest first layer (in entries) that is folded as a matrix."""


@dataclass(frozen=True, eq=False)
class Problem(ByValue):
    """What is enumerated: every linear region of `network` on `domain`.

    Attributes:
        network: as the user gave it, on R^d.
        domain: as the user gave it, in R^d.
        solid: the domain in the coordinates u of its affine hull.
        inner: the network as a function of u.
    """

    network: Network
    domain: Domain
    solid: SolidDomain
    inner: Network

    def __reduce__(self) -> tuple[Any, ...]:
        """What travels is what was given; the rest is derived anew, as for a file."""
        return pose, (self.network, self.domain)

    def __repr__(self) -> str:
        return f"<Problem: {self.network!r} on {self.domain!r}>"

    def _compared(self) -> Any:
        return self.network, self.domain

    @cached_property
    def is_tame(self) -> bool:
        """Whether floats can prove anything about the network on the domain, see `float_range`."""
        bounds = self.solid.bounds
        if not (bounds.are_finite and self.solid.hull.dim):
            return self.inner.is_tame
        return is_tame_within(self.inner.layers, bounds.lower, bounds.upper)

    @cached_property
    def layers(self) -> ComposedLayers:
        """The layers over u, ready to be pulled back along patterns."""
        return ComposedLayers(self.inner)

    @cached_property
    def input_layers(self) -> ComposedLayers:
        """The layers over the inputs x, ready to be pulled back along patterns."""
        return ComposedLayers(self.network)

    @cached_property
    def exact(self) -> ExactNetwork:
        """The network over u in integers."""
        return ExactNetwork(self.inner)

    @cached_property
    def root(self) -> OpenPolyhedron:
        """The interior of the domain over u."""
        return OpenPolyhedron.of(self.solid.forms, self.solid.hull.dim)

    def up_to_layer(self, layer: int) -> Problem:
        """The same for the network that ends behind an activation layer, counted from 1.

        Raises:
            OptionError: there is no such layer.
        """
        network = self.network.up_to_layer(layer)
        inner = Network.from_units(self.inner.layers[:layer], network.name, network.max_groups)
        return Problem(network, self.domain, self.solid, inner)

    def bounding_forms(self, pattern: Bools, cuts: Bools) -> list[Form]:
        """The forms that are positive inside a region: the domain's, then those of the neurons that cut its ancestors.

        Args:
            pattern: (N,) its activation pattern.
            cuts: (N,) the neurons that split its ancestors.
        """
        forms, start = list(self.solid.forms), 0
        for layer in self.layers.along(pattern):
            for n, unit in enumerate(layer.kinked.tolist(), start):
                if cuts[n]:
                    forms.append(layer.form(unit) if pattern[n] else layer.form(unit).negated())
            start += len(layer.kinked)
        return forms


def pose(network: Network, domain: Domain) -> Problem:
    """Put a network and an input set together.

    Raises:
        InputError: one of them is something else (NetworkError, DomainError), they have different numbers of
            inputs, or the set is empty (DomainError).
    """
    expect(network, Network, "network", NetworkError)
    check_domain(domain, "input set")
    if network.n_inputs != domain.dim:
        raise DomainError(f"the input set has {domain.dim} inputs, {network.name} takes {network.n_inputs}")
    if isinstance(network.layers[0], LargeLayer):
        network.layers[0].check_written_out()  # before anything is made of it
    solid = domain.solid_domain()
    return Problem(network, domain, solid, _restricted(network, solid.hull))


def in_slice_coordinates(problem: Problem) -> Problem:
    """What is enumerated on a slice as a problem over the slice's own coordinates, in which the slice is its domain.

    The coordinates of the affine hull are the same for both, so patterns and points are too.

    Raises:
        DomainError: the input set is no slice.
    """
    network, domain = problem.network, problem.domain
    if not isinstance(domain, Slice):
        raise DomainError(f"slice coordinates: the input set is a {type(domain).__name__}, expected a Slice")
    within = replace(
        _restricted(network, domain.hull),
        max_groups=network.max_groups,
        notices=network.notices,
        final_function=network.final_function,
    )
    return pose(within, domain.domain)


def _restricted(network: Network, hull: AffineHull) -> Network:
    """The network after the map u -> x, folded into its first layer exactly."""
    if hull.is_whole:
        return network
    first = network.layers[0]
    if first.n_units * first.n_inputs > MAX_DENSE:
        folded = _folded_by_entries(hull.embedding, first, network.name)
    else:
        folded = fold([hull.embedding, first], network.name)
    head = Layer(folded.weight, folded.bias, first.slopes, folded.exact)
    return Network.from_units([head, *network.layers[1:]], network.name)


def _folded_by_entries(embedding: IntegerAffine, first: Layer, where: str) -> Layer:
    """The same where the first layer is large, a convolution of an image perhaps, and most of its entries are 0."""
    inner = of_layer(exact_layer(embedding.plain(), embedding.shape[1] - 1, where))
    found = composed(of_layer(first), inner)
    return fold([embedding, first], where) if found is None else layer_of(found, first.slopes, where)
