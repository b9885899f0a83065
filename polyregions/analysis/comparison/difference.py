"""How far two networks are apart on an input set, and where they decide differently; exactly.

One network computes both side by side. On each of its regions both are affine, so the regions answer everything: on
which the maps are equal, the largest and least differences, and the decision cells of one within those of the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf

import numpy as np

from polyregions._types import Floats
from polyregions.analysis.decisions.cells import DecisionCells, cell_rows
from polyregions.analysis.decisions.cut import decision_cells
from polyregions.analysis.decisions.outputs import AUTO, chosen_rule
from polyregions.analysis.queries.extremes import Extreme, output_range
from polyregions.engine.options import RunOptions
from polyregions.errors import NetworkError, StoppedError
from polyregions.exact.interior import find_interior
from polyregions.networks.combine import compose, identity, side_by_side
from polyregions.networks.network import Network
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.generators import generators
from polyregions.polyhedra.hull import pulled_back
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.shape import Shape
from polyregions.polyhedra.volume import exact_volume
from polyregions.progress import ProgressFunction
from polyregions.read_only import ReadOnly
from polyregions.regions.collect import enumerate_in_memory
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True)
class Distance:
    """The largest absolute difference of one output.

    Attributes:
        value: the nearest float64; infinite if there is no largest.
        exact: the same as a fraction; None if there is no largest.
        point: (d,) inputs where it is attained, exactly; where there is none, inputs of a region where it grows.
        region: the region that holds them.
    """

    value: float
    exact: Fraction | None
    point: tuple[Fraction, ...]
    region: int


@dataclass(frozen=True, eq=False)
class Disagreement(Shape):
    """A part of a region in which two networks decide for different classes.

    Attributes:
        region: which one, among those of both networks together.
        classes: what the first network decides for, and the second.
        part: the part, in the inputs x.
    """

    region: int
    classes: tuple[int, int]
    part: HPolytope

    @property
    def polytope(self) -> HPolytope:
        """The part, in the inputs x."""
        return self.part


@dataclass(frozen=True, eq=False)
class Difference(ReadOnly):
    """Two networks f and g, compared on an input set.

    Attributes:
        outputs: for each output its largest ``|f_j(x) - g_j(x)|``.
        both: the regions of both networks together, as one of twice as many outputs: those of f, then those of g.
        rule: by which they decide, see `decision_cells`.
    """

    outputs: tuple[Distance, ...]
    both: RegionSet
    rule: str

    @property
    def equal(self) -> bool:
        """Whether f and g are the same function on the input set; proved either way."""
        return all(distance.exact == 0 for distance in self.outputs)

    @property
    def largest(self) -> Distance:
        """That of all outputs."""
        return max(self.outputs, key=lambda d: (d.exact is None, d.exact or 0))

    @property
    def value(self) -> float:
        """The largest difference of any output, the nearest float64."""
        return self.largest.value

    @property
    def exact(self) -> Fraction | None:
        """The largest difference of any output; None if there is none."""
        return self.largest.exact

    @property
    def point(self) -> tuple[Fraction, ...]:
        """Inputs where it is attained."""
        return self.largest.point

    @cached_property
    def regions(self) -> RegionSet:
        """The regions of both networks together, as those of the network f - g: for all other questions."""
        c = self.both.network.n_outputs // 2
        return _seen(self.both, np.hstack([np.eye(c), -np.eye(c)]), "difference")

    @cached_property
    def disagreements(self) -> tuple[Disagreement, ...]:
        """Where f and g decide for different classes, as full-dimensional polytopes whose interiors are disjoint.

        Parts of lower dimension, on which one of them has a tie, are not there; nor are there any if f and g are equal.
        """
        return () if self.equal else tuple(_disagreements(self.both, self.rule))

    @property
    def disagreement_volume(self) -> float:
        """The volume of all these, rounded once each."""
        return float(sum(part.volume for part in self.disagreements))

    @property
    def disagreement_share(self) -> Fraction:
        """Their exact part of the input set, which has to be bounded.

        Raises:
            DomainError: it is not.
        """
        solid = self.both.problem.solid
        whole = HPolytope.of_exact_rows(
            [form.exact() for form in solid.forms],
            [1] * len(solid.forms),
            solid.hull.dim,
            [False] * len(solid.forms),
            solid.labels,
        ).exact_volume()
        return sum((_local_volume(self.both, part) for part in self.disagreements), Fraction(0)) / whole

    def __repr__(self) -> str:
        what = "equal" if self.equal else f"at most {self.value:g} apart"
        return f"<Difference of {self.both.network.name}: {what}, {len(self.both)} regions>"


def difference(
    f: Network,
    g: Network,
    domain: Domain,
    *,
    rule: str = AUTO,
    engine: str = "auto",
    workers: int | None = None,
    progress: ProgressFunction | None = None,
    time_limit: float | None = None,
) -> Difference:
    """How far two networks are apart on an input set, exactly: one and its quantised, pruned or re-exported copy, say.

    Args:
        f, g: networks with the same numbers of inputs and outputs. Leading layers in common are split once.
        domain: the input set.
        rule: by which both decide, see `decision_cells`.
        engine, workers, progress, time_limit: as in `enumerate_regions`.

    Raises:
        NetworkError: other numbers of inputs or outputs.
        UnsupportedError: one of them ends in a Softmax or the like: see `Network.without_final_function`.
        OptionError: a rule that there is not, or that does not fit.
        StoppedError: stopped before the end.

    Complexity: that of enumerating both networks' hyperplanes together; exact programs for few regions.

    >>> import polyregions as pr
    >>> f = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [-1])])  # |x| - 1
    >>> g = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 0.75]], [-1])])
    >>> found = pr.difference(f, g, pr.Box([-2], [2]))
    >>> found.exact, found.point
    (Fraction(1, 2), (Fraction(-2, 1),))
    >>> [(part.classes, part.exact_vertices) for part in found.disagreements]
    [((1, 0), ((Fraction(-4, 3),), (Fraction(-1, 1),)))]
    """
    for network in (f, g):
        if not isinstance(network, Network):
            raise NetworkError(f"difference: {type(network).__name__}, expected a Network")
        network.check_values_are_outputs("the difference")
    if f.n_outputs != g.n_outputs:
        raise NetworkError(
            f"difference: {f.name} has {f.n_outputs} outputs and {g.name} {g.n_outputs}, expected as many"
        )
    rule = chosen_rule(f, rule)
    both = side_by_side(f, g)
    if both.layers[-1].n_neurons:
        both = compose(identity(both.n_outputs), both)  # so that outputs can be combined without more neurons
    options = RunOptions(engine, workers, progress=progress, time_limit=time_limit)
    regions = enumerate_in_memory(pose(both, domain), options)
    if not regions.complete:
        raise StoppedError(f"difference: stopped after {len(regions)} regions; there are more")
    return Difference(tuple(_distances(regions)), regions, rule)


def _seen(both: RegionSet, matrix: Floats, name: str) -> RegionSet:
    """The regions with combinations of the outputs in place of these; the last layer has no neurons."""
    outer = Network.from_layers([(matrix, np.zeros(len(matrix)))], name=name)
    network = compose(outer, both.network)
    return RegionSet(pose(network, both.domain), both.listing, both.complete, both.engine, both.score)


# ---------------------------------------------------------------- values


def _distances(both: RegionSet) -> Iterator[Distance]:
    """The largest difference of each output."""
    c = both.network.n_outputs // 2
    rows = np.hstack([np.eye(c), -np.eye(c)])
    unequal = _unequal(_seen(both, rows, "difference"))
    ranges = output_range(_seen(both, rows[unequal], "difference")) if unequal else []
    found = dict(zip(unequal, ranges, strict=True))
    anywhere = both.problem.solid.hull.lift(both.local_point(0)).coordinates
    for j in range(c):
        yield _farther(*found[j]) if j in found else Distance(0.0, Fraction(0), anywhere, 0)


def _unequal(regions: RegionSet) -> list[int]:
    """The outputs that are not zero on all regions."""
    forms, equal = RegionForms(regions), set(range(regions.network.n_outputs))
    for i in range(len(regions)):
        outputs = forms.output(i)
        equal = {j for j in equal if not any(outputs.row(j))}
        if not equal:
            break
    return sorted(set(range(regions.network.n_outputs)) - equal)


def _farther(low: Extreme, high: Extreme) -> Distance:
    """Which of a least and a largest value is farther from 0."""
    for end in (low, high):
        if end.exact is None:
            return Distance(inf, None, end.point, end.piece)
    end = high if (high.exact or 0) >= -(low.exact or 0) else low
    assert end.exact is not None
    return Distance(abs(end.value), abs(end.exact), end.point, end.piece)


# ---------------------------------------------------------------- decisions


def _disagreements(both: RegionSet, rule: str) -> Iterator[Disagreement]:
    c = both.network.n_outputs // 2
    first, second = (
        decision_cells(_seen(both, np.eye(2 * c)[rows], "one of both"), rule)
        for rows in (slice(0, c), slice(c, None))
    )
    for i in range(len(both)):
        one, two = first.classes(i), second.classes(i)
        if one == two and len(one) == 1:
            continue
        for k in one:
            for m in two:
                if k != m and _meet(first, second, i, k, m):
                    yield Disagreement(i, (k, m), _common(first, second, i, k, m))


def _cells(first: DecisionCells, second: DecisionCells, i: int, k: int, m: int) -> tuple[int, int]:
    one, two = first.find(i, k), second.find(i, m)
    assert one is not None
    assert two is not None
    return one, two


def _meet(first: DecisionCells, second: DecisionCells, i: int, k: int, m: int) -> bool:
    """Whether two decision cells of a region have a common interior; exact."""
    one, two = _cells(first, second, i, k, m)
    if len(first.classes(i)) == 1 or len(second.classes(i)) == 1:
        return True  # one of them is the whole region
    rows = [*cell_rows(first, one).exact_rows(), *cell_rows(second, two).exact_rows()]
    return find_interior(rows, second.local_point(two).coordinates).point is not None


def _common(first: DecisionCells, second: DecisionCells, i: int, k: int, m: int) -> HPolytope:
    """What two decision cells of a region have in common: the rows of the region, then those of both."""
    region, found = first.regions[i].polytope, first.regions[i].polytope
    n = len(region.A)
    for name, cells, cell in zip(
        ("first", "second"), (first, second), _cells(first, second, i, k, m), strict=True
    ):
        polytope, divisor = cells[cell].polytope, cells.regions[i].exact_affine_map.denominator
        rows, labels = polytope.exact_rows[n:], [f"{name} {label}" for label in polytope.labels[n:]]
        found = found.with_exact_rows(rows, [divisor] * len(rows), polytope.strict[n:], labels)
    return found


def _local_volume(both: RegionSet, part: Disagreement) -> Fraction:
    """The volume over the coordinates of the domain's hull."""
    hull, polytope = both.problem.solid.hull, part.polytope
    if not hull.is_whole:
        rows = pulled_back(polytope.exact_rows, hull.embedding)
        n = len(rows)
        polytope = HPolytope.of_exact_rows(rows, [1] * n, hull.dim, [False] * n, [""] * n)
    assert polytope.solid is not None
    return exact_volume(generators(polytope.solid.rows, hull.dim))
