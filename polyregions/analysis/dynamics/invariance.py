"""Does a network map its input set into a polytope, or into itself? Each row's worst value decides, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from polyregions.analysis.queries.affine_pieces import regions_of
from polyregions.analysis.queries.extremes import Extreme, maximize
from polyregions.analysis.queries.preimages import polytopes_of, preimage
from polyregions.errors import expect
from polyregions.networks.combine import check_maps_to_itself
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.solid_domain import rows_in_inputs
from polyregions.read_only import ReadOnly
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class Invariance(ReadOnly):
    """Whether all outputs lie in a polytope.

    Attributes:
        holds: whether they do; proved either way.
        violation: inputs whose outputs do not, exactly; None if all do.
        slack: for each row of the polytope, ``row . [y, 1] >= 0`` in integers, its least value over all inputs; None
            where there is no least.
    """

    holds: bool
    violation: tuple[Fraction, ...] | None
    slack: tuple[Fraction | None, ...]

    def __bool__(self) -> bool:
        return self.holds


def invariance(regions: RegionSet, target: HPolytope | None = None) -> Invariance:
    """Whether a network maps its closed domain into itself, or into another polytope (taken as closed); exact.

    A domain that is mapped into itself is never left, however often the network is applied.

    Args:
        regions: a complete set.
        target: a polytope in R^c; None for the domain.

    Raises:
        InputError: a partial set, or a polytope of another dimension.
        NetworkError: without a target, a network that has not as many outputs as inputs.

    Complexity: a maximum over all regions for each row.

    >>> import polyregions as pr
    >>> tent = pr.Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])])  # 2 x, from x = 1/2 on 2 - 2 x
    >>> pr.invariance(pr.enumerate_regions(tent, pr.Box([0], [1]))).holds
    True
    >>> pr.invariance(pr.enumerate_regions(tent, pr.Box([0], [2]))).violation
    (Fraction(2, 1),)
    """
    expect(regions, RegionSet, "regions")
    network = regions_of(regions).network
    if target is None:
        check_maps_to_itself("invariance", network)
        rows = rows_in_inputs(regions.problem.solid)[0]
    else:
        (polytope,) = polytopes_of([target], network.n_outputs, "invariance")
        rows = polytope.exact_rows
    worst = [_largest_excess(regions, row) for row in rows]
    slack = tuple(
        None if best.exact is None else row[-1] - best.exact for row, best in zip(rows, worst, strict=True)
    )
    broken = [i for i, left in enumerate(slack) if left is None or left < 0]
    if not broken:
        return Invariance(True, None, slack)
    i = broken[0]
    point = worst[i].point if slack[i] is not None else _beyond(regions, rows[i])
    return Invariance(False, point, slack)


def _largest_excess(regions: RegionSet, row: list[int]) -> Extreme:
    """The largest ``-row . [y, 0]``."""
    return maximize(regions, outputs=[-entry for entry in row[:-1]])


def _beyond(regions: RegionSet, row: list[int]) -> tuple[Fraction, ...]:
    """Inputs whose outputs do not satisfy a row, which is as little as you like somewhere."""
    outside = [*(-entry for entry in row[:-1]), -row[-1] - 1]
    beyond = HPolytope.of_exact_rows([outside], [1], len(row) - 1, [False], ["outside"])
    solid = preimage(regions, beyond)[0].polytope.solid
    assert solid is not None
    return solid.hull.lift(solid.interior).coordinates
