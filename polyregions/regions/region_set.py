"""The result: every linear region, as a few arrays with light views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Bools, Bytes, Floats, Ints
from polyregions.certificates.certificate import Certificate
from polyregions.errors import InputError, OptionError
from polyregions.exact.affine import IntegerAffine
from polyregions.exact.numbers import Point
from polyregions.networks.network import Network
from polyregions.networks.patterns import as_text, key_of, keys, pack, unpack
from polyregions.networks.problem import Problem, in_slice_coordinates
from polyregions.networks.pullback import ComposedLayers
from polyregions.places import Members
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.rows import scales
from polyregions.polyhedra.shape import Shape
from polyregions.polyhedra.solid_domain import SolidDomain, rows_in_inputs
from polyregions.presentation import InNotebooks, Tabular, arrow_table, data_frame
from polyregions.read_only import ReadOnly, View, read_only
from polyregions.regions.location import locate
from polyregions.regions.packed import Listing, PackedRegions


@dataclass(frozen=True, eq=False)
class RegionSet(ReadOnly, Members["Region"], Tabular, InNotebooks):
    """All full-dimensional linear regions of a network on a domain, in lexicographic order of their patterns.

    Attributes:
        problem: the network, the domain, and the coordinates u in which the domain is solid.
        listing: patterns, cuts and interior points as arrays.
        complete: whether these are all the regions; False after a limit or an interruption.
        engine: which engine found them.
        score: how many questions were settled by bounds, floats and rationals.
        certificate: the written proof that the set is complete, if one was asked for; files do not hold it.
    """

    MEMBER = "region"

    problem: Problem
    listing: Listing
    complete: bool
    engine: str
    score: Mapping[str, int] = field(default_factory=dict)
    certificate: Certificate | None = None

    @property
    def packed(self) -> Bytes:
        """The activation patterns (R, ceil(N / 8)) uint8, see `networks.patterns`."""
        return self.listing.packed

    @property
    def packed_cuts(self) -> Bytes:
        """The neurons (R, ceil(N / 8)) uint8 that split the region's ancestors in the tree.

        With the domain's rows they bound the region, all other neurons being redundant.
        """
        return self.listing.cuts

    @property
    def local_points(self) -> Floats:
        """A point (R, k) float64 strictly inside each region in the coordinates u."""
        return self.listing.points

    @property
    def rational_points(self) -> Mapping[int, tuple[Fraction, ...]]:
        """Region -> its exact interior point, for the few so thin that no float64 point is inside."""
        return self.listing.exact

    @property
    def network(self) -> Network:
        """The network."""
        return self.problem.network

    @property
    def domain(self) -> Domain:
        """The input set."""
        return self.problem.domain

    @property
    def dim(self) -> int:
        """Dimension k of the regions: that of the domain's affine hull."""
        return self.problem.solid.hull.dim

    @cached_property
    def patterns(self) -> Bools:
        """Activation patterns (R, N); True is on."""
        patterns: Bools = read_only(unpack(self.packed, self.network.n_neurons))
        return patterns

    @cached_property
    def cuts(self) -> Bools:
        """Which neurons (R, N) split an ancestor of the region."""
        cuts: Bools = read_only(unpack(self.packed_cuts, self.network.n_neurons))
        return cuts

    @cached_property
    def points(self) -> Floats:
        """A point (R, d) strictly inside each region; for those in `rational_points` its nearest floats."""
        points: Floats = read_only(self.problem.solid.hull.lift_floats(self.local_points))
        return points

    def local_point(self, i: int) -> Point:
        """The interior point of region i in the coordinates u, exactly."""
        return Point(self.local_points[i], self.rational_points.get(i))

    @cached_property
    def index(self) -> dict[bytes, int]:
        """Packed pattern -> region."""
        return {key: i for i, key in enumerate(keys(self.packed))}

    def find(self, pattern: Any) -> int | None:
        """The region with a given activation pattern, None if there is none.

        Args:
            pattern: (N,) truth values, or what `Region` prints: a string of N zeros and ones.

        Raises:
            InputError: the pattern has another length, or other characters.
        """
        if isinstance(pattern, str):
            if set(pattern) - {"0", "1"}:
                raise InputError(f"pattern {pattern!r}, expected zeros and ones")
            pattern = [character == "1" for character in pattern]
        bits = np.asarray(pattern, dtype=np.bool_)
        if bits.shape != (self.network.n_neurons,):
            raise InputError(f"pattern of shape {bits.shape}, expected ({self.network.n_neurons},)")
        return self.index.get(key_of(bits))

    def in_slice_coordinates(self) -> RegionSet:
        """The regions of a slice over the slice's own coordinates u, as regions of the network after u -> x.

        They have the same numbers and patterns; polytopes, points and affine maps are over u. Points of a slice are
        hardly ever float64 points of the inputs; over u they are.

        Raises:
            DomainError: the input set is no slice.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1.0, 1.0]], [0]), ([[1]], [0])])
        >>> line = pr.Slice([0.1, 0.2], [[0.7, 0.1]], pr.Box([-1], [1]))
        >>> pr.enumerate_regions(net, line).in_slice_coordinates().network.n_inputs
        1
        """
        return self._in_slice

    @cached_property
    def _in_slice(self) -> RegionSet:
        return RegionSet(
            in_slice_coordinates(self.problem), self.listing, self.complete, self.engine, self.score
        )

    def locate(self, X: Any, *, coordinates: str = "inputs") -> Ints:
        """The region (k,) of each row of X (k, d), exactly; -1 for points outside the domain.

        A point whose pattern only a lower-dimensional set has belongs to a region whose closure holds it.

        Args:
            X: points.
            coordinates: "inputs"; or "slice" for points in the own coordinates of a slice, so that none is rounded
                off it.

        Raises:
            InputError: the rows do not have as many finite entries as there are coordinates, or no slice has them.
            OptionError: other coordinates.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1.0, 1.0]], [0]), ([[1]], [0])])
        >>> line = pr.Slice([0.1, 0.2], [[0.7, 0.1]], pr.Box([-1], [1]))
        >>> regions = pr.enumerate_regions(net, line)
        >>> regions.locate([[-0.9], [0.3], [2]], coordinates="slice").tolist()
        [0, 1, -1]
        """
        if coordinates not in ("inputs", "slice"):
            raise OptionError(f"coordinates {coordinates!r}, expected 'inputs' or 'slice'")
        if coordinates == "slice":
            return self.in_slice_coordinates().locate(X)
        try:
            points, rational = arrays.points_and_exact(X, self.network.n_inputs)
        except arrays.NotNumbers as error:
            raise InputError(
                f"points: {error}, expected (k, {self.network.n_inputs}) finite numbers"
            ) from None
        inside = self._domain_polytope.contains(X)
        centres = _LocalPoints(self)
        return np.array(locate(self.problem, self.index, centres, inside, points, rational), dtype=np.int64)

    @cached_property
    def _domain_polytope(self) -> HPolytope:
        rows, labels = rows_in_inputs(self.problem.solid)
        strict = _open_rows(self.problem.solid, len(rows))
        return HPolytope.of_exact_rows(rows, scales(rows), self.network.n_inputs, strict, labels)

    def after_layer(self, layer: int) -> RegionSet:
        """The regions of the network that ends behind an activation layer, counted from 1, as a set of their own.

        They are those of this set put together where their patterns agree up to that layer, so they need no
        enumeration, and are complete if this set is. Their polytopes are the cells of the first layers' hyperplanes.

        Raises:
            OptionError: there is no such layer.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1]], [0]), ([[1]], [-1]), ([[1]], [0])])
        >>> regions = pr.enumerate_regions(net, pr.Box([-2], [2]))
        >>> len(regions), [region.polytope.vertices().ravel().tolist() for region in regions.after_layer(1)]
        (3, [[-2.0, 0.0], [0.0, 2.0]])
        """
        problem = self.problem.up_to_layer(layer)
        n = problem.network.n_neurons
        changed = np.any(self.patterns[1:, :n] != self.patterns[:-1, :n], axis=1)
        first = np.flatnonzero(np.concatenate([np.ones(min(1, len(self)), dtype=np.bool_), changed]))
        exact = {i: self.rational_points.get(row) for i, row in enumerate(first.tolist())}
        listing = PackedRegions(
            pack(self.patterns[first, :n]),
            pack(self.cuts[first, :n]),
            self.local_points[first],
            {i: point for i, point in exact.items() if point is not None},
        )
        return RegionSet(problem, listing, self.complete, self.engine)

    def regions_after_each_layer(self) -> list[int]:
        """How many regions there are after each activation layer (the last entry is R); a finished store knows it."""
        if self.listing.after_each_layer is not None:
            return list(self.listing.after_each_layer)
        changed = self.patterns[1:] != self.patterns[:-1]
        first = int(len(self) > 0)
        return [
            first + int(np.count_nonzero(changed[:, :end].any(axis=1))) for _, end in self.network.layer_spans
        ]

    def to_arrow(self, *, classes: str | None = None, volume: bool = False) -> Any:
        """The regions as a ``pyarrow.Table``, one row each: what `save` writes as ``.parquet``.

        Columns are ``region`` (its number), ``pattern``, ``layer_ranks``, ``dead_layers``, ``bounded`` and ``point``,
        on request ``classes``, ``class`` and ``volume``; docs/graphs.md says what they hold. Whatever else reads Arrow,
        as ``polars.DataFrame(regions)``, takes the set itself, without the columns on request.

        Args:
            classes: a rule as in `decision_cells` for the classes that win in each region.
            volume: whether to compute volumes; infinite for an unbounded region.

        Raises:
            OptionError: an unknown rule for classes.
            MissingExtraError: pyarrow is not installed.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1]], [0])])
        >>> pr.enumerate_regions(net, pr.Box([-2], [2])).to_arrow(volume=True).column("volume").to_pylist()
        [2.0, 1.0, 1.0]
        """
        return arrow_table(self, classes=classes, volume=volume)

    def to_pandas(self, *, classes: str | None = None, volume: bool = False) -> Any:
        """The regions as a ``pandas.DataFrame``, one row each.

        Columns as in `to_arrow`, but for points, which have a column for each coordinate (``point_0`` and so on).
        Lists are tuples, so that they can be grouped by.

        Raises:
            OptionError: an unknown rule for classes.
            MissingExtraError: pandas is not installed.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1], [1]], [0, -1]), ([[1, 1], [0, 0]], [-1, 0])])
        >>> frame = pr.enumerate_regions(net, pr.Box([-2], [2])).to_pandas(classes="argmax", volume=True)
        >>> frame[["pattern", "classes", "class", "volume"]]
          pattern classes  class  volume
        0      00    (1,)      1     2.0
        1      10    (1,)      1     1.0
        2      11    (0,)      0     1.0
        """
        return data_frame(self, classes=classes, volume=volume)

    def _compared(self) -> Any:
        """The problem and what was found; not how: engine, score and certificate do not count, nor where it is kept."""
        found = self.packed, self.packed_cuts, self.local_points, dict(self.rational_points)
        return self.complete, self.problem, found

    def __len__(self) -> int:
        return len(self.listing)

    def _member(self, place: int) -> Region:
        return Region(self, place)

    def __repr__(self) -> str:
        partial = "" if self.complete else ", partial"
        return f"<RegionSet: {len(self)} regions of {self.network.name}{partial}>"


@dataclass(frozen=True, eq=False)
class Region(View, Shape):
    """One linear region: a light view into a `RegionSet`.

    Attributes:
        regions: the set it belongs to; of a region that was pickled a partial set that holds nothing else.
        number: its place in the set that it was taken from.
        row: its place in the arrays of `regions`, which is its number if not given.
    """

    regions: RegionSet
    number: int
    row: int | None = None

    @property
    def place(self) -> int:
        """Its place in the arrays of `regions`."""
        return self.number if self.row is None else self.row

    @property
    def pattern(self) -> Bools:
        """Activation pattern (N,)."""
        pattern: Bools = self.regions.patterns[self.place]
        return pattern

    @property
    def point(self) -> Floats:
        """A point (d,) strictly inside."""
        point: Floats = self.regions.points[self.place]
        return point

    @property
    def affine_map(self) -> tuple[Floats, Floats]:
        """The network on this region: weight (c, d) and bias (c,), the nearest floats of the exact map."""
        exact = self.exact_affine_map
        nearest = exact.plain().nearest_floats().reshape(exact.shape)
        return nearest[:, :-1], nearest[:, -1]

    @property
    def exact_affine_map(self) -> IntegerAffine:
        """The network on this region in rationals: an integer matrix (c, d+1) over one denominator."""
        return exact_output_map(self.regions, self.place)

    @property
    def polytope(self) -> HPolytope:
        """The region as ``{x : A x <= b}`` in the inputs, one row for each neuron and each row of the domain.

        Rows of *on* neurons are open (`strict`), rows of *off* neurons closed; neurons that are constant
        on the region have no row. A and b are the nearest floats of the exact rows, which `facets` and the
        other exact methods go by.
        """
        return _polytope(self)

    def dead_layers(self) -> list[int]:
        """The activation layers (counted from 0) that give zero here: every unit is off and has no slope there."""
        network = self.regions.network
        return [
            i
            for i, (layer, (start, end)) in enumerate(
                zip(network.activation_layers, network.layer_spans, strict=True)
            )
            if layer.can_die and not self.pattern[start:end].any()
        ]

    def _compared(self) -> Any:
        """What a region shows, so that one that travelled without its set is the same."""
        regions, i = self.regions, self.place
        bits = regions.packed[i], regions.packed_cuts[i]
        return self.number, bits, regions.local_point(i), regions.problem

    def __reduce__(self) -> tuple[Any, ...]:
        """What travels is this region, not its whole set."""
        return Region, (alone(self.regions, self.place), self.number, 0)

    def __repr__(self) -> str:
        return f"<Region {self.number}: {as_text(self.pattern)}>"


class _LocalPoints:
    """The interior points of a set as a sequence that makes each one when asked."""

    def __init__(self, regions: RegionSet) -> None:
        self._regions = regions

    def __len__(self) -> int:
        return len(self._regions)

    def __iter__(self) -> Iterator[Point]:
        return (self._regions.local_point(i) for i in range(len(self._regions)))


def alone(regions: RegionSet, i: int) -> RegionSet:
    """The set of one region; it is partial unless there are no others."""
    exact = regions.rational_points.get(i)
    listing = PackedRegions(
        regions.packed[i : i + 1],
        regions.packed_cuts[i : i + 1],
        regions.local_points[i : i + 1],
        {} if exact is None else {0: exact},
    )
    return RegionSet(regions.problem, listing, regions.complete and len(regions) == 1, regions.engine)


def exact_output_map(regions: RegionSet, i: int) -> IntegerAffine:
    """The affine map of region i over the inputs, exactly."""
    last = regions.problem.input_layers.last_along(regions.patterns[i])
    n = len(last.kinked)
    return last.exact_output(regions.patterns[i][len(regions.patterns[i]) - n :])


def _polytope(region: Region) -> HPolytope:
    return pattern_polytope(region.regions.problem, region.pattern, region.regions.cuts[region.place])


def pattern_polytope(problem: Problem, pattern: Bools, cuts: Bools | None = None) -> HPolytope:
    """The inputs in the domain that have an activation pattern, as `Region.polytope`.

    Args:
        problem: network and domain.
        pattern: (N,) a pattern that some input has.
        cuts: (N,) the neurons that with the domain's rows imply the others, if that is known.
    """
    rows, divisors, neurons = _neuron_rows(problem.input_layers, pattern)
    domain, labels = rows_in_inputs(problem.solid)
    bounding = None
    if cuts is not None:
        walls = range(len(neurons), len(neurons) + len(domain))
        bounding = [*(i for i, n in enumerate(neurons) if cuts[n]), *walls]
    return HPolytope.of_exact_rows(
        rows + domain,
        divisors + scales(domain),
        problem.network.n_inputs,
        [bool(pattern[n]) for n in neurons] + _open_rows(problem.solid, len(domain)),
        [f"neuron {n}" for n in neurons] + labels,
        bounding,
    )


def _neuron_rows(layers: ComposedLayers, pattern: Bools) -> tuple[list[list[int]], list[int], list[int]]:
    """Integer rows that are >= 0 on the region, their divisors, and the neurons they come from."""
    rows, divisors, neurons = [], [], []
    n = 0
    for layer in layers.along(pattern):
        for unit in layer.kinked.tolist():
            row = layer.exact.row(unit)
            if any(row[:-1]):
                rows.append(row if pattern[n] else [-entry for entry in row])
                divisors.append(layer.exact.denominator)
                neurons.append(n)
            n += 1
    return rows, divisors, neurons


def _open_rows(solid: SolidDomain, n_rows: int) -> list[bool]:
    """Which rows of the domain are open; the equations of its hull, which come last, are not."""
    return [*solid.strict, *([False] * (n_rows - len(solid.strict)))]
