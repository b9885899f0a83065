"""Cutting regions into decision cells: at float speed with proofs, and what is left open in exact arithmetic.

Of few inputs the engine of cells cuts them (`contest`); else kernels walk in the rows of each region.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from polyregions._types import Bools, Bytes, Floats, Ints
from polyregions.analysis.decisions.cells import DecisionCells
from polyregions.analysis.decisions.contest import parts_by_vertices
from polyregions.analysis.decisions.outputs import Outputs, chosen_rule, competing
from polyregions.engine.kernels.codes import ELSEWHERE, HERE, NOTHING, OPEN
from polyregions.errors import InternalError, expect
from polyregions.exact.interior import proves_empty
from polyregions.exact.numbers import Point
from polyregions.polyhedra.oracle.forms import Form, OpenPolyhedron
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.regions.chunks import chunks
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

if TYPE_CHECKING:
    from polyregions.engine.cells.driver import Contested


def decision_cells(regions: RegionSet, rule: str = "auto") -> DecisionCells:
    """The decision cells of a network that classifies by its largest (or smallest) output, or by the sign of its one.

    Args:
        regions: the network's regions.
        rule: "argmax"; "argmin" for networks whose smallest output wins (ACAS Xu); "sign" for one output y: class 1
            where y > 0, class 0 where y <= 0 (and, as a tie, where y is 0 all over a region); "auto" for the sign of
            one output and the largest of several, see `DecisionCells.rule`.

    Raises:
        OptionError: an unknown rule, or "sign" for a network that does not have one output.

    Complexity: that of the enumeration for few inputs, else some tens of microseconds a region, and one linear program
        for each class and region that floats leave open.

    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1.0], [-1.0]], [0, 0])])
    >>> decision_cells(pr.enumerate_regions(net, pr.Box([-1], [1]))).per_class()
    {0: 1, 1: 1}
    """
    expect(regions, RegionSet, "regions")
    rule = chosen_rule(regions.network, rule)
    left, n_classes = np.ones(len(regions), dtype=np.bool_), _number_of_classes(regions, rule)
    parts = [_of_engine(regions, rule, *p, left) for p in parts_by_vertices(regions, rule, n_classes)]
    parts += [_settled(regions, rule, scan) for scan in _scanned(regions, rule, np.flatnonzero(left))]
    return _joined(regions, rule, parts)


def _number_of_classes(regions: RegionSet, rule: str) -> int:
    return 2 if rule == "sign" else regions.network.n_outputs


@dataclass(frozen=True, eq=False)
class _Part:
    """The cells of some regions: region, label (q,), points (q, k), exact points and ties by place.

    Where a cell was found in several parts, it is here as often.
    """

    region: Ints
    label: Ints
    points: Floats
    rational: dict[int, tuple[Fraction, ...]]
    ties: dict[int, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class _Scan:
    """What the kernels say of r regions.

    Attributes:
        numbers: (r,) which.
        status: (r, classes) NOTHING, HERE, ELSEWHERE or OPEN.
        points: (r, classes, k) where ELSEWHERE is.
        support: (r, classes, k+1) rows on which a proof may rest that an open cell is empty; -1 for none.
    """

    numbers: Ints
    status: Bytes
    points: Floats
    support: Ints


def _joined(regions: RegionSet, rule: str, parts: list[_Part]) -> DecisionCells:
    """The cells of all parts by region and class, each with its first point."""
    none = np.zeros(0, dtype=np.int64)
    region = np.concatenate([none, *(part.region for part in parts)])
    label = np.concatenate([none, *(part.label for part in parts)])
    points = np.concatenate([np.zeros((0, regions.dim)), *(part.points for part in parts)])
    order = np.lexsort((label, region))
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (np.diff(region[order]) != 0) | (np.diff(label[order]) != 0)
    chosen, place = order[is_new], np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(is_new) - 1
    rational, ties = _by_cell(parts, place, chosen)
    return DecisionCells(regions, rule, region[chosen], label[chosen], points[chosen], rational, ties)


def _by_cell(
    parts: list[_Part], place: Ints, chosen: Ints
) -> tuple[dict[int, tuple[Fraction, ...]], tuple[tuple[int, tuple[int, ...]], ...]]:
    """The rational points of the parts that were chosen, and the ties, by cell."""
    offsets = np.cumsum([0, *(len(part.region) for part in parts)]).tolist()
    rational, ties = {}, {}
    for at, part in zip(offsets, parts, strict=False):
        for c, point in part.rational.items():
            cell = int(place[at + c])
            if chosen[cell] == at + c:
                rational[cell] = point
        ties.update({int(place[at + c]): tied for c, tied in part.ties.items()})
    return dict(sorted(rational.items())), tuple(sorted(ties.items()))


def _of_engine(regions: RegionSet, rule: str, region: Ints, found: Contested, left: Bools) -> _Part:
    """What the engine found in regions of the set, with the classes that tie; they are no longer `left` (R,)."""
    at = np.flatnonzero(region >= 0)
    region, label = region[at], found.label[at]
    left[region] = False
    referee, forms = Referee(regions.problem.solid.bounds), RegionForms(regions)
    ties = {}
    for c in np.flatnonzero(found.may_tie[at]).tolist():
        outputs = Outputs(regions, int(region[c]), rule, forms)
        leads, tied = _leads(outputs, int(label[c]), referee)
        if leads is None:
            raise InternalError(f"class {label[c]} does not win in region {region[c]}")
        if tied:
            ties[c] = tied
    place = {part: c for c, part in enumerate(at.tolist())} if found.exact else {}
    rational = {place[part]: point for part, point in found.exact.items() if part in place}
    return _Part(region, label, found.points[at], rational, ties)


def _scanned(regions: RegionSet, rule: str, which: Ints) -> Iterator[_Scan]:
    """What the kernels say, a chunk of regions at a time; all is open if floats cannot follow the network."""
    if not len(which):
        return
    n_classes = _number_of_classes(regions, rule)
    if not regions.problem.is_tame:
        shape, k = (len(which), n_classes), regions.dim
        nothing = np.full((*shape, k + 1), -1, dtype=np.int64)
        yield _Scan(which, np.full(shape, OPEN, dtype=np.uint8), np.zeros((*shape, k)), nothing)
        return
    from polyregions.analysis.decisions.kernels import CellKernels  # numba takes half a second to import

    kernels = CellKernels(regions, n_classes)
    for chunk in chunks(regions, which):
        answers = kernels.cut(chunk, *competing(chunk, rule), regions.local_points[chunk.numbers])
        scan = _Scan(chunk.numbers, *answers)
        rounded = np.isin(chunk.numbers, list(regions.rational_points))
        scan.status[rounded], scan.support[rounded] = OPEN, -1
        yield scan


def _settled(regions: RegionSet, rule: str, scan: _Scan) -> _Part:
    """What the kernels proved together with what they left open, decided exactly."""
    referee, region_forms = Referee(regions.problem.solid.bounds), RegionForms(regions)
    status, found = scan.status, scan.points
    exact: dict[tuple[int, int], tuple[Point, tuple[int, ...]]] = {}
    for i in np.flatnonzero(np.any(status == OPEN, axis=1)).tolist():
        number = int(scan.numbers[i])
        outputs = Outputs(regions, number, rule, region_forms)
        interior, start = region_forms.interior(number), regions.local_point(number)
        for k in np.flatnonzero(status[i] == OPEN).tolist():
            is_empty = _is_empty(interior, outputs, k, scan.support[i, k])
            answer = None if is_empty else _cell_of_class(interior, start, outputs, k, referee)
            status[i, k] = NOTHING if answer is None else ELSEWHERE
            if answer is not None:
                exact[i, k] = answer
                found[i, k] = answer[0].approx
    place, label = np.nonzero(status)
    points = np.where(
        (status[place, label] == HERE)[:, None],
        regions.local_points[scan.numbers[place]],
        found[place, label],
    )
    at = (
        {(i, k): c for c, (i, k) in enumerate(zip(place.tolist(), label.tolist(), strict=True))}
        if exact
        else {}
    )
    return _Part(
        scan.numbers[place],
        label,
        points,
        {at[pair]: point.rational for pair, (point, _) in exact.items() if point.rational is not None},
        {at[pair]: tied for pair, (_, tied) in exact.items() if tied},
    )


def _is_empty(interior: OpenPolyhedron, outputs: Outputs, k: int, support: Ints) -> bool:
    """Whether the rows at which a walk ended prove exactly that class k wins nowhere (the usual case).

    A lead that is zero all over the region may be a tie, which is no defeat.
    """
    n_held = len(interior.exact)
    places = [place for place in support.tolist() if place >= 0]
    rows = [
        interior.exact[place]() if place < n_held else outputs.lead(k, place - n_held).exact()
        for place in places
    ]
    return all(any(row) for row in rows) and proves_empty(rows, range(len(rows))) is not None


def _cell_of_class(
    interior: OpenPolyhedron, start: Point, outputs: Outputs, k: int, referee: Referee
) -> tuple[Point, tuple[int, ...]] | None:
    """A point in the part of a region that class k has, and the classes tied with it there; None if it has none."""
    leads, tied = _leads(outputs, k, referee)
    if leads is None:
        return None
    if all(referee.sign(form, start) > 0 for form in leads):
        return start, tied
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
