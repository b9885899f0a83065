"""A network rewritten from its regions as one of three layers, of which two are hidden, with infinite weights.

After Villani and Schoots, "Any deep ReLU network is shallow" (2023). The first hidden layer asks on which side of each
facet's hyperplane x lies, ``relu(-inf * slack(x))``, 1 more inside for open sides, which is 0 where x is on the right
side and at least 1 elsewhere (0 times infinity is 0), and hands x on as ``relu(x)`` and ``relu(-x)``. The second has
for each region and output ``relu(+-f_i(x) - inf * (the answers for region i))``, which is 0 outside of the region. The
third adds.

A point on facets must be in one region only. Let c be a point inside the domain on no hyperplane of a facet: x belongs
to the region that the way from x to c begins in. The domain is convex, so there is one, and it has x on the right side
of each of its facets if a side is closed where c is on it and open where c is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np

from polyregions import arrays
from polyregions._types import Bools, Floats, Ints
from polyregions.errors import InputError, InternalError, expect
from polyregions.exact.affine import IntegerAffine
from polyregions.exact.numbers import dot, nearest_float, over_common_denominator
from polyregions.progress import ProgressFunction
from polyregions.read_only import ReadOnly
from polyregions.regions.hrep import HRepresentations, hrep_arrays
from polyregions.regions.prefixes import Prefixes
from polyregions.regions.region_set import RegionSet

ROOM = 4_000_000  # answers of gates that are held at a time

Row = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ShallowNetwork(ReadOnly):
    """Three layers that compute on a domain what a deep network does.

    Attributes:
        rows: H slacks ``row . [x, 1]`` in integers, one for each side of a facet's hyperplane that a region needs.
        strict: (H,) whether the side is open.
        offsets: (R+1,) where the rows of each region start.
        row: (M,) the rows of each region, numbers of `rows`.
        maps: the affine map of each region, exactly.
        centre: (d,) the point c that decides to which region points of facets belong.
    """

    rows: tuple[Row, ...]
    strict: Bools
    offsets: Ints
    row: Ints
    maps: tuple[IntegerAffine, ...]
    centre: tuple[Fraction, ...]

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Inputs d, first hidden layer H + 2 d, second 2 R c, outputs c."""
        c, columns = self.maps[0].shape
        return columns - 1, len(self.rows) + 2 * (columns - 1), 2 * len(self.maps) * c, c

    def __call__(self, X: Any) -> Floats:
        """The outputs (k, c) for inputs X (k, d): the nearest floats of the exact values.

        Raises:
            InputError: X is not (k, d) finite numbers.
        """
        return np.array([[float(y) for y in values] for values in self.exact(X)]).reshape(-1, self.widths[-1])

    def exact(self, X: Any) -> list[list[Fraction]]:
        """The outputs of k inputs, floats, integers or fractions (k, d), exactly.

        Raises:
            InputError: X is not (k, d) finite numbers.
        """
        d, c = self.widths[0], self.widths[-1]
        try:
            points, rational = arrays.points_and_exact(X, d)
        except arrays.NotNumbers as error:
            raise InputError(f"shallow network: {error}, expected (k, {d}) finite numbers") from None
        exact = [rational.get(i) or tuple(map(Fraction, point)) for i, point in enumerate(points.tolist())]
        values = []
        for gates, point in zip(self._open_gates(exact), exact, strict=True):
            found = [_values(self.maps[region], point) for region in gates.tolist()]
            values.append([sum((y[output] for y in found), Fraction(0)) for output in range(c)])
        return values

    def _open_gates(self, points: Sequence[Sequence[Fraction]]) -> Iterator[Ints]:
        """For each point the regions all of whose rows it is on the right side of."""
        floats = np.array([list(map(nearest_float, point)) for point in points]).reshape(len(points), -1)
        size = max(1, ROOM // (len(self.rows) + len(self.row) + 1))
        for start in range(0, len(points), size):
            right = self._right_sides(floats[start : start + size], points[start : start + size])
            for sides in right:
                wrong = np.concatenate([[0], np.cumsum(~sides[self.row])])
                yield np.flatnonzero(np.diff(wrong[self.offsets]) == 0)

    def _right_sides(self, floats: Floats, points: Sequence[Sequence[Fraction]]) -> Bools:
        """Of each row (k, H) whether a point is on its right side: by floats where these are certain, else exactly."""
        forms = self._forms
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is not certain
            values = floats @ forms[:, :-1].T + forms[:, -1]
            most = np.abs(floats) @ np.abs(forms[:, :-1]).T + np.abs(forms[:, -1])
            # entries and coordinates are rounded once, and so are d products and d sums: fewer than 2 d + 6 roundings;
            # each rounding of a number below the normal ones is off by 2**-1075, times a coordinate for entries
            lost = 1e-290 + np.abs(floats).sum(axis=1, keepdims=True) * 1e-320
            is_certain = np.abs(values) > most * ((2 * forms.shape[1] + 4) * 2.0**-52) + lost
        right: Bools = values > 0
        for i, h in np.argwhere(~is_certain).tolist():
            slack = _slack(self.rows[h], points[i])
            right[i, h] = slack > 0 or (slack == 0 and not self.strict[h])
        return right

    @cached_property
    def _forms(self) -> Floats:
        """The rows (H, d+1) over their largest entries, each rounded once."""
        scales = [max(map(abs, row)) for row in self.rows]
        forms = [[entry / scale for entry in row] for row, scale in zip(self.rows, scales, strict=True)]
        return np.array(forms, dtype=np.float64).reshape(len(forms), self.widths[0] + 1)

    def agrees_with(self, regions: RegionSet) -> bool:
        """Whether it has the exact map of each region there, and at each region's interior point that gate alone open.

        That the rows are all facets of each region, which makes it so everywhere, is `hrep_arrays`' proof.

        Raises:
            InputError: other than regions.
        """
        expect(regions, RegionSet, "regions")
        prefixes = Prefixes(regions.problem.input_layers)
        if len(regions) != len(self.maps) or not all(
            prefixes.output(regions.patterns[i]) == found for i, found in enumerate(self.maps)
        ):
            return False
        hull = regions.problem.solid.hull
        points = [hull.lift(regions.local_point(i)).coordinates for i in range(len(regions))]
        return all(gates.tolist() == [i] for i, gates in enumerate(self._open_gates(points)))

    def to_arrays(self) -> dict[str, Any]:
        """Its parts as plain arrays: ``rows`` (H, d+1), ``strict``, ``offsets``, ``row``, ``weight``, ``bias``.

        Rows, over their largest entries, and maps are the nearest floats of the exact numbers.
        """
        d, c = self.widths[0], self.widths[-1]
        maps = np.array([found.nearest_floats() for found in self.maps]).reshape(-1, c, d + 1)

        return {
            "rows": self._forms,
            "strict": self.strict,
            "offsets": self.offsets,
            "row": self.row,
            "weight": maps[:, :, :-1],
            "bias": maps[:, :, -1],
        }

    def __repr__(self) -> str:
        return f"<ShallowNetwork: {'-'.join(map(str, self.widths))}, of {len(self.maps)} regions>"


def _values(affine: IntegerAffine, point: Sequence[Fraction]) -> list[Fraction]:
    whole = over_common_denominator(point)
    rows = map(affine.row, range(affine.shape[0]))
    return [Fraction(dot(row, whole), whole[-1] * affine.denominator) for row in rows]


def _slack(row: Sequence[int], point: Sequence[Fraction]) -> int:
    """A positive multiple of the slack."""
    return dot(row, over_common_denominator(point))


def shallow(regions: RegionSet, *, progress: ProgressFunction | None = None) -> ShallowNetwork:
    """The network on its domain rewritten from its regions as one of three layers with infinite weights.

    Args:
        regions: all regions of a network on a domain.
        progress: called now and then with a `Progress` of the regions whose facets are listed; returning False stops.

    Returns:
        The three layers, which compute the same function at every point of the domain, exactly.

    Raises:
        InputError: a partial set.
        StoppedError: `progress` returned False.

    Source: M. J. Villani and N. Schoots, "Any Deep ReLU Network is Shallow", 2023. Complexity: that of `hrep_arrays`;
    a neuron for each side of each facet's hyperplane, and two for each region and output.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])  # relu(|x| - 1)
    >>> flat = pr.shallow(pr.enumerate_regions(net, pr.Box(-3, 3)))
    >>> flat, flat([[-2], [0.5], [1.25]]).ravel().tolist()
    (<ShallowNetwork: 1-8-8-1, of 4 regions>, [1.0, 0.0, 0.25])
    """
    expect(regions, RegionSet, "regions")
    if not regions.complete or not len(regions):
        raise InputError("shallow: a partial set of regions, expected all of them")
    numbers = dict[Row, int]()
    facets = hrep_arrays(regions, progress=progress)
    prefixes, place = Prefixes(regions.problem.input_layers), regions.network.neuron_layers()
    maps, rows_of = [], []
    for i in range(len(regions)):
        own = [_oriented(prefixes, regions.patterns[i], n, place[n]) for n in _neurons(facets, i)]
        rows_of.append([numbers.setdefault(row, len(numbers)) for row in own])
        maps.append(prefixes.output(regions.patterns[i]))
    centre = _generic_point(regions, list(numbers))
    slacks = [_slack(row, centre) for row in numbers]
    return ShallowNetwork(
        tuple(numbers),
        np.array([slack < 0 for slack in slacks], dtype=np.bool_),
        np.cumsum([0, *map(len, rows_of)], dtype=np.int64),
        np.array([row for own in rows_of for row in own], dtype=np.int64),
        tuple(maps),
        centre,
    )


def _neurons(facets: HRepresentations, i: int) -> list[int]:
    """A neuron that vanishes on each facet of a region but those on the domain's boundary."""
    rows = range(int(facets.offsets[i]), int(facets.offsets[i + 1]))
    starts = facets.neuron_offsets
    return [int(facets.neurons[starts[row]]) for row in rows if starts[row] < starts[row + 1]]


def _oriented(prefixes: Prefixes, pattern: Bools, neuron: int, place: tuple[int, int]) -> Row:
    """The pre-activation of a neuron, not negative where the pattern holds, in the smallest integers."""
    row = prefixes.layer(pattern, place[0]).exact.row(place[1])
    sign = (1 if pattern[neuron] else -1) * gcd(*row)
    return tuple(entry // sign for entry in row)


def _generic_point(regions: RegionSet, rows: list[Row]) -> tuple[Fraction, ...]:
    """A point inside region 0 that is on none of the hyperplanes.

    Points of a curve of which no hyperplane holds more than d, shrunk towards the region's interior point.
    """
    hull, local = regions.problem.solid.hull, regions.local_point(0).coordinates
    bounding = regions[0].polytope.exact_rows
    start = hull.lift(regions.local_point(0)).coordinates
    inside = [row for row in bounding if _slack(row, start) > 0]  # the others are equations of the domain
    for k in range(1, len(rows) * (len(local) + 1) + 500):
        step = [Fraction(k**power, 4**k) for power in range(len(local))]
        direction = hull.lift_direction(step)
        point = tuple(a + b for a, b in zip(start, direction, strict=True))
        if all(_slack(row, point) for row in rows) and all(_slack(row, point) > 0 for row in inside):
            return point
    raise InternalError("no point of the curve is off all hyperplanes, and finitely many are on them")
