"""Cutting regions into decision cells: the kernels prove almost all at float speed, exact arithmetic the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from polyregions._types import Bytes, Floats, Ints
from polyregions.adjacency import region_rows
from polyregions.decision.cells import DecisionCells
from polyregions.decision.composed import chunks
from polyregions.decision.outputs import Outputs, Pullback, check_rule, competing
from polyregions.exact.numbers import Point
from polyregions.oracle.polyhedron import Form
from polyregions.oracle.referee import Referee
from polyregions.regions import RegionSet

NOTHING, HERE, ELSEWHERE, OPEN = range(4)  # as the kernels say it


def decision_cells(regions: RegionSet, rule: str = "argmax") -> DecisionCells:
    """The decision cells of a network that classifies by its largest (or smallest) output, or by the sign of its one.

    Args:
        regions: the network's regions.
        rule: "argmax"; "argmin" for networks whose smallest output wins (ACAS Xu); "sign" for one output y: class 1
            where y > 0, class 0 where y <= 0 (and, as a tie, where y is 0 all over a region).

    Raises:
        OptionError: an unknown rule, or "sign" for a network that does not have one output.

    Complexity: some tens of microseconds a region; one linear program for each class and region that floats leave open.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1.0], [-1.0]], [0, 0])])
    >>> decision_cells(pr.enumerate_regions(net, pr.Box([-1], [1]))).per_class()
    {0: 1, 1: 1}
    """
    check_rule(regions.network, rule)
    parts = [_settled(regions, rule, *part) for part in _scanned(regions, rule)]
    offsets = np.cumsum([0, *(len(part.region) for part in parts)]).tolist()
    shifted = list(zip(offsets, parts, strict=False))
    return DecisionCells(
        regions,
        rule,
        np.concatenate([np.zeros(0, dtype=np.int64), *(part.region for part in parts)]),
        np.concatenate([np.zeros(0, dtype=np.int64), *(part.label for part in parts)]),
        np.concatenate([np.zeros((0, regions.dim)), *(part.points for part in parts)]),
        {at + c: point for at, part in shifted for c, point in part.rational.items()},
        tuple((at + c, tied) for at, part in shifted for c, tied in sorted(part.ties.items())),
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """The cells of consecutive regions: region, label (q,), points (q, k), exact points and ties by place."""

    region: Ints
    label: Ints
    points: Floats
    rational: dict[int, tuple[Fraction, ...]]
    ties: dict[int, tuple[int, ...]]


def _scanned(regions: RegionSet, rule: str) -> Iterator[tuple[int, Bytes, Floats]]:
    """First region, status (r, classes) and points (r, classes, k) of the kernels, a chunk of regions at a time."""
    n_classes = 2 if rule == "sign" else regions.network.n_outputs
    if not regions.problem.inner.is_tame:
        status = np.full((len(regions), n_classes), OPEN, dtype=np.uint8)
        yield 0, status, np.zeros((*status.shape, regions.dim))
        return
    from polyregions.decision.kernels import Worktop  # numba takes half a second to import

    worktop = Worktop(regions, n_classes)
    for chunk in chunks(regions, np.arange(len(regions))):
        status, found = worktop.cut(chunk, *competing(chunk, rule), regions.local_points[chunk.numbers])
        first = int(chunk.numbers[0])
        status[[i - first for i in regions.rational_points if 0 <= i - first < len(chunk)]] = OPEN
        yield first, status, found


def _settled(regions: RegionSet, rule: str, first: int, status: Bytes, found: Floats) -> _Part:
    """What the kernels proved together with what they left open, decided exactly."""
    referee, pullback = Referee(regions.problem.solid.bounds), Pullback(regions.problem.layers)
    exact: dict[tuple[int, int], tuple[Point, tuple[int, ...]]] = {}
    for i in np.flatnonzero(np.any(status == OPEN, axis=1)).tolist():
        outputs = Outputs(regions, first + i, rule, pullback)
        for k in np.flatnonzero(status[i] == OPEN).tolist():
            answer = _cell_of_class(regions, first + i, outputs, k, referee)
            status[i, k] = NOTHING if answer is None else ELSEWHERE
            if answer is not None:
                exact[i, k] = answer
                found[i, k] = answer[0].approx
    place, label = np.nonzero(status)
    points = np.where(
        (status[place, label] == HERE)[:, None], regions.local_points[first + place], found[place, label]
    )
    at = (
        {(i, k): c for c, (i, k) in enumerate(zip(place.tolist(), label.tolist(), strict=True))}
        if exact
        else {}
    )
    return _Part(
        first + place,
        label,
        points,
        {at[pair]: point.rational for pair, (point, _) in exact.items() if point.rational is not None},
        {at[pair]: tied for pair, (_, tied) in exact.items() if tied},
    )


def _cell_of_class(
    regions: RegionSet, i: int, outputs: Outputs, k: int, referee: Referee
) -> tuple[Point, tuple[int, ...]] | None:
    """A point inside the cell of class k in region i and the classes tied with it; None if there is no such cell."""
    leads, tied = _leads(outputs, k, referee)
    if leads is None:
        return None
    start = regions.local_point(i)
    if all(referee.sign(form, start) > 0 for form in leads):
        return start, tied
    interior = region_rows(regions, i).interior
    for form in leads:
        interior = interior.with_form(form)
    point = referee.interior(interior)
    return None if point is None else (point, tied)


def _leads(outputs: Outputs, k: int, referee: Referee) -> tuple[list[Form] | None, tuple[int, ...]]:
    """The forms that must be positive where class k wins, and the classes equal to it; None if it never wins."""
    leads, tied = [], []
    for i in range(outputs.n_classes):
        if i == k:
            continue
        form = outputs.lead(k, i)
        constant = referee.constant_sign(form)
        if constant is None:
            if referee.never_positive(form):
                return None, ()
            leads.append(form)
        elif constant < 0 or (constant == 0 and i < k):
            return None, ()
        elif constant == 0:
            tied.append(i)
    return leads, tuple(tied)
