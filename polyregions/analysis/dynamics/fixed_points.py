"""Where a network gives back what it was given: on each region an exact linear system, within the closed region.

A region that proved bounds on ``f_i(x) - x_i`` rule out is not looked at. Where the system has one solution, it is
held against the region's rows; where it has more, what they have in common with the region is a polytope of fixed
points. Closed regions are cells of one complex, so what they share on a common face is the same, and is kept once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polyregions.analysis.dynamics.stability import Stability, StabilityVerdict, stability_of
from polyregions.analysis.queries.affine_pieces import AffinePiece, piece_of, pieces, regions_of
from polyregions.analysis.queries.at_vertices import Objective, upper_bounds
from polyregions.errors import expect
from polyregions.exact.affine import IntegerAffine, identity_affine, integer_rank
from polyregions.exact.numbers import Point, dot, over_common_denominator
from polyregions.networks.combine import check_maps_to_itself
from polyregions.polyhedra.hull import solve_rational
from polyregions.polyhedra.polytope import HPolytope
from polyregions.read_only import ReadOnly
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

Matrix = list[list[Fraction]]


@dataclass(frozen=True, eq=False)
class FixedPoint(ReadOnly):
    """One fixed point, or a polytope of them.

    Attributes:
        point: the fixed point, exactly; of several one in the relative interior of their polytope.
        polytope: all of them, closed, in the inputs x.
        dim: its dimension: 0 for one fixed point.
        regions: the regions whose closures hold all of it, ascending.
        stability: the eigenvalues of the network's affine map on each of these; none where the domain is
            lower-dimensional.
        verdict: what iterations of the network do near it, as far as that is certain. In one region (or several with
            one map) see `Stability.verdict`. On a common face of regions whose maps differ, eigenvalues do not
            decide: "stable" if all maps contract in the l1 norm, or all in the linf norm, else "undecided". At the
            domain's boundary only the side inside is looked at.
    """

    point: tuple[Fraction, ...]
    polytope: HPolytope
    dim: int
    regions: tuple[int, ...]
    stability: tuple[Stability, ...]
    verdict: StabilityVerdict


@dataclass(frozen=True, eq=False)
class _Part:
    """The fixed points in one closed region, in the inputs x; the polytope is None if it is only the point."""

    region: int
    point: tuple[Fraction, ...]
    polytope: HPolytope | None
    dim: int

    def holds(self, point: Sequence[int]) -> bool:
        """Whether the polytope has a point, given as homogeneous integers."""
        return self.polytope is not None and all(dot(row, point) >= 0 for row in self.polytope.exact_rows)


def fixed_points(regions: RegionSet) -> tuple[FixedPoint, ...]:
    """All x of the closed domain with ``f(x) = x``, as points and polytopes; exact.

    Args:
        regions: a complete set of a network with as many outputs as inputs.

    Returns:
        Isolated points, and polytopes of fixed points, which may touch; none lies in another. In the order of the
        first region that has them.

    Raises:
        InputError: a partial set; NetworkError: another number of outputs.

    Complexity: an exact linear system for each region that bounds do not rule out.

    >>> import polyregions as pr
    >>> tent = pr.Network.from_layers([([[2], [4]], [0, -2]), ([[1, -1]], [0])])  # 2 x, from x = 1/2 on 2 - 2 x
    >>> for found in pr.fixed_points(pr.enumerate_regions(tent, pr.Box([0], [1]))):
    ...     print(*found.point, found.verdict)
    0 unstable
    2/3 unstable
    """
    expect(regions, RegionSet, "regions")
    check_maps_to_itself("fixed points", regions_of(regions).network)
    forms = RegionForms(regions)
    parts = [part for piece in _possible(regions, forms) for part in _parts(regions, piece)]
    return tuple(_fixed_point(forms, first, others) for first, others in _without_repeated(parts))


def _possible(regions: RegionSet, forms: RegionForms) -> Iterator[AffinePiece]:
    """The regions without those on which an output is proved to be larger, or smaller, than its input everywhere."""
    highest = upper_bounds(regions, list(_differences(regions.network.n_inputs)))
    if highest is None:
        yield from pieces(regions)
    else:
        yield from (piece_of(forms, i) for i in np.flatnonzero(np.all(highest >= 0.0, axis=0)).tolist())


def _differences(d: int) -> Iterator[Objective]:
    for sign in (1, -1):
        for j in range(d):
            unit = [sign * int(i == j) for i in range(d)]
            yield Objective(unit, [-u for u in unit])


def _parts(regions: RegionSet, piece: AffinePiece) -> Iterator[_Part]:
    """The fixed points of the network's map on a closed region, if there are any."""
    hull = regions.problem.solid.hull
    equations = _equations(piece.outputs, hull.embedding)
    slopes, constants = [row[:-1] for row in equations], [Fraction(-row[-1]) for row in equations]
    only = solve_rational(slopes, constants)
    if only is not None:
        homogeneous = over_common_denominator(only)
        if all(dot(row, homogeneous) >= 0 for row in piece.polyhedron.exact_rows()):
            yield _Part(piece.region, hull.lift(Point.of(only)).coordinates, None, 0)
    elif _is_consistent(equations, slopes):
        polytope = _with_equations(regions, piece.region)
        solid = polytope.solid
        if solid is not None:
            point = solid.hull.lift(solid.interior).coordinates
            yield _Part(piece.region, point, polytope if solid.hull.dim else None, solid.hull.dim)


def _equations(outputs: IntegerAffine, inputs: IntegerAffine) -> list[list[int]]:
    """Rows (d, k+1) that vanish where two affine maps over the same coordinates agree."""
    p, q = outputs.denominator, inputs.denominator
    return [
        [a * q - b * p for a, b in zip(outputs.row(i), inputs.row(i), strict=True)]
        for i in range(outputs.shape[0])
    ]


def _is_consistent(equations: Sequence[Sequence[int]], slopes: Sequence[Sequence[int]]) -> bool:
    k = len(slopes[0]) if slopes else 0
    return integer_rank(equations, k + 1) == integer_rank(slopes, k)


def _with_equations(regions: RegionSet, i: int) -> HPolytope:
    """The part of a closed region where the network's map gives back its inputs."""
    outputs, d = regions[i].exact_affine_map, regions.network.n_inputs
    identity = identity_affine(d)
    rows = _equations(outputs, identity)
    both = [*rows, *([-entry for entry in row] for row in rows)]
    labels = [f"y{j} {side} x{j}" for side in (">=", "<=") for j in range(d)]
    polytope = regions[i].polytope
    divisors = [outputs.denominator] * len(both)
    return polytope.with_exact_rows(both, divisors, [False] * len(both), labels).closed()


def _without_repeated(parts: list[_Part]) -> list[tuple[_Part, list[int]]]:
    """The parts without those that lie in another, and of each the regions that have it."""
    kept: dict[tuple[Fraction, ...], tuple[_Part, list[int]]] = {}
    large: list[_Part] = []
    for part in sorted(parts, key=lambda part: (-part.dim, part.region)):
        same = kept.get(part.point)
        homogeneous = over_common_denominator(part.point)
        others = [other for other in large if other.holds(homogeneous)] if same is None else []
        if same is None and not others:
            kept[part.point] = (part, [part.region])
            large += [part] if part.dim else []
        for other, regions in [same] if same is not None else [kept[o.point] for o in others]:
            if other.dim == part.dim:
                regions.append(part.region)
    return sorted(((part, sorted(regions)) for part, regions in kept.values()), key=lambda pair: pair[1][0])


def _fixed_point(forms: RegionForms, part: _Part, numbers: list[int]) -> FixedPoint:
    regions = forms.regions
    maps = [forms.output(i).fractions()[0] for i in numbers] if regions.problem.solid.hull.is_whole else []
    stability = tuple(stability_of(weight) for weight in maps)
    polytope = _point_polytope(part.point) if part.polytope is None else part.polytope
    return FixedPoint(part.point, polytope, part.dim, tuple(numbers), stability, _verdict(maps, stability))


def _verdict(maps: Sequence[Matrix], stability: Sequence[Stability]) -> StabilityVerdict:
    if maps and all(weight == maps[0] for weight in maps):
        return stability[0].verdict
    return "stable" if maps and _all_contract(maps) else "undecided"


def _all_contract(maps: Sequence[Matrix]) -> bool:
    """Whether all maps shrink distances in one of two norms, so that going from one region to another does no harm."""
    of_rows = all(_largest_sum(weight) < 1 for weight in maps)
    return of_rows or all(_largest_sum(list(zip(*weight, strict=True))) < 1 for weight in maps)


def _largest_sum(lines: Sequence[Sequence[Fraction]]) -> Fraction:
    return max((sum(map(abs, line), Fraction(0)) for line in lines), default=Fraction(0))


def _point_polytope(point: Sequence[Fraction]) -> HPolytope:
    rows, divisors, d = [], [], len(point)
    for sign in (1, -1):
        for j, c in enumerate(point):
            row = [0] * (d + 1)
            row[j], row[d] = sign * c.denominator, -sign * c.numerator
            rows.append(row)
            divisors.append(c.denominator)
    labels = [f"x{j} {side} {c}" for side in (">=", "<=") for j, c in enumerate(point)]
    return HPolytope.of_exact_rows(rows, divisors, d, [False] * (2 * d), labels)
