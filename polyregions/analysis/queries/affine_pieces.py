"""What queries go over: closed polyhedra on which the network is affine, regions or the decision cells of a class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from polyregions.analysis.decisions.cells import DecisionCells, with_leads
from polyregions.analysis.decisions.outputs import Outputs
from polyregions.errors import InputError, OptionError
from polyregions.exact.affine import IntegerAffine
from polyregions.exact.numbers import Point
from polyregions.polyhedra.oracle.forms import OpenPolyhedron
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import RegionSet

Where: TypeAlias = RegionSet | DecisionCells


@dataclass(frozen=True, eq=False)
class AffinePiece:
    """A region or a decision cell, over the coordinates u of the domain's hull.

    Attributes:
        number: its place among the regions, or among the cells.
        region: its region.
        polyhedron: its interior; the closure is meant.
        outputs: the exact affine map (c, k+1) of the network on it.
        interior: a point strictly inside.
    """

    number: int
    region: int
    polyhedron: OpenPolyhedron
    outputs: IntegerAffine
    interior: Point


def regions_of(where: Where) -> RegionSet:
    """The regions that are asked about.

    Raises:
        InputError: something else, or a partial set: what is true of some regions may be false of all.
    """
    if not isinstance(where, (RegionSet, DecisionCells)):
        raise InputError(f"query: {type(where).__name__}, expected a RegionSet or DecisionCells")
    regions = where if isinstance(where, RegionSet) else where.regions
    if not regions.complete:
        raise InputError(f"query: {regions!r}, expected a complete set")
    return regions


def pieces(where: Where, label: int | None = None) -> Iterator[AffinePiece]:
    """All regions, or all decision cells, or those of one class.

    Raises:
        InputError: see `regions_of`; OptionError: a class without decision cells to look for it in.
    """
    regions = regions_of(where)
    if isinstance(where, DecisionCells):
        yield from _cells(where, np.ones(len(where), dtype=bool) if label is None else where.label == label)
        return
    if label is not None:
        raise OptionError("query: a class, but no decision cells; expected decision_cells(regions)")
    forms = RegionForms(regions)
    for i in range(len(regions)):
        yield piece_of(forms, i)


def piece_of(forms: RegionForms, i: int) -> AffinePiece:
    """One region."""
    return AffinePiece(i, i, forms.interior(i), forms.output(i), forms.regions.local_point(i))


def _cells(cells: DecisionCells, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[AffinePiece]:
    regions, forms = cells.regions, RegionForms(cells.regions)
    for cell in np.flatnonzero(chosen).tolist():
        i, k = int(cells.region[cell]), int(cells.label[cell])
        rivals = [m for m in cells.classes(i) if m != k]
        outputs = Outputs(regions, i, cells.rule, forms)
        polyhedron = with_leads(forms.interior(i), outputs, k, rivals)
        yield AffinePiece(cell, i, polyhedron, forms.output(i), cells.local_point(cell))
