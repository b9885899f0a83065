"""The union of a property's input sets, cut into polytopes without common interior points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from polyregions.analysis.verification.property import Property
from polyregions.analysis.verification.unsafe.shape import Row, Shape, outside_of_all, solid_shape
from polyregions.errors import DomainError, UnsupportedError
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.hull import pulled_back
from polyregions.polyhedra.oracle.forms import Bounds
from polyregions.polyhedra.solid_domain import SolidDomain, rows_in_inputs

MOST_DIMENSIONS = 10
"""Inputs that are not fixed: a box of more has too many vertices for exact volumes of its parts."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A part of the union that is within the same input sets everywhere.

    Attributes:
        rows: over u.
        cases: the input sets that hold it.
        bounds: of the set that it came from; None where they are not in the coordinates u.
    """

    rows: tuple[Row, ...]
    cases: tuple[int, ...]
    bounds: Bounds | None


@dataclass(frozen=True, eq=False)
class InputSets:
    """The union of the input sets that have the most dimensions.

    Attributes:
        domain: one of them; its coordinates u are those of all.
        solid: the same in these coordinates.
        cells: parts of the union.
        thinner: the input sets of fewer dimensions, which have no volume.
        notices: which input sets are empty.
    """

    domain: Domain
    solid: SolidDomain
    cells: tuple[Cell, ...]
    thinner: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()


def input_sets(prop: Property) -> InputSets:
    """The input sets of a property.

    Raises:
        DomainError: all are empty, or one is unbounded.
        UnsupportedError: too many inputs that are not fixed, or flat sets in different affine subspaces.
    """
    solids, notices = _solids(prop)
    if not solids:
        raise DomainError(
            f"{prop.name}: no input satisfies the constraints on inputs; there is no share of nothing"
        )
    dim = max(solid.hull.dim for solid in solids.values())
    if dim > MOST_DIMENSIONS:
        raise UnsupportedError(
            f"{prop.name}: {dim} inputs that are not fixed, expected at most {MOST_DIMENSIONS}: "
            "exact volumes need the vertices of polytopes"
        )
    thinner = tuple(i for i, solid in solids.items() if solid.hull.dim < dim)
    whole = {i: solid for i, solid in solids.items() if solid.hull.dim == dim}
    first = min(whole)
    cells = list[Cell]()
    for i, solid in whole.items():
        rows = _rows(solid, whole[first], prop.name)
        is_alike = solid.hull.free is not None and solid.hull.free == whole[first].hull.free
        cells = _with(cells, Cell(rows, (i,), solid.bounds if is_alike else None), dim)
    return InputSets(prop.cases[first].domain, whole[first], tuple(cells), thinner, tuple(notices))


def _solids(prop: Property) -> tuple[dict[int, SolidDomain], list[str]]:
    """Those that are not empty, by number, and notices of those that are."""
    solids, notices = {}, []
    for i, case in enumerate(prop.cases):
        try:
            solid = case.domain.solid_domain()
        except DomainError as error:
            notices.append(f"{prop.name}, input set {i}: {error}")
            continue
        if not solid.bounds.are_finite:
            raise DomainError(
                f"{prop.name}, input set {i}: unbounded, expected a bounded one: its share has no meaning"
            )
        solids[i] = solid
    return solids, notices


def _rows(solid: SolidDomain, first: SolidDomain, where: str) -> tuple[Row, ...]:
    """The rows of a set over the coordinates of the first."""
    forms = [form.exact() for form in solid.forms]
    if solid is not first and not first.hull.is_whole:
        given, _ = rows_in_inputs(solid)
        pulled = pulled_back(given, first.hull.embedding)
        forms, equations = pulled[: len(forms)], pulled[len(forms) :]
        if any(any(row) for row in equations):
            raise UnsupportedError(
                f"{where}: flat input sets in different affine subspaces, expected the same inputs to be fixed alike"
            )
    return tuple(map(Row, map(tuple, forms), solid.strict, solid.labels))


def _with(cells: Sequence[Cell], new: Cell, dim: int) -> list[Cell]:
    """The cells cut along one more set, and what of that is in none of them."""
    for i, cell in enumerate(cells):
        if cell.rows == new.rows:  # several cases of one input set
            return [*cells[:i], replace(cell, cases=cell.cases + new.cases), *cells[i + 1 :]]
    found, met = [], []
    for cell in cells:
        common = solid_shape((*cell.rows, *new.rows), dim) if _are_near(cell, new) else None
        if common is None:
            found.append(cell)
            continue
        met.append(cell.rows)
        found += [replace(cell, rows=piece.facets()) for piece in _left(cell.rows, [new.rows], dim)]
        found.append(replace(cell, rows=common.facets(), cases=cell.cases + new.cases))
    if not met:
        return [*found, new]
    return found + [replace(new, rows=piece.facets()) for piece in _left(new.rows, met, dim)]


def _left(rows: Sequence[Row], taken: Sequence[Sequence[Row]], dim: int) -> list[Shape]:
    """What a solid set has outside others."""
    shape = solid_shape(rows, dim)
    return [] if shape is None else outside_of_all(shape, taken, dim)


def _are_near(a: Cell, b: Cell) -> bool:
    """Whether boxes around two sets meet."""
    if a.bounds is None or b.bounds is None:
        return True
    return bool((a.bounds.lower <= b.bounds.upper).all() and (b.bounds.lower <= a.bounds.upper).all())
