"""Decision cells: the parts of each region in which a class wins, as arrays with light views.

The cell of class k in a region is the part where ``y_k > y_i`` for all other i. Outputs that are equal all over
a region count for the lowest of their classes, and are reported as ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from polyregions._types import Floats, Ints
from polyregions.analysis.decisions.outputs import Outputs, exact_scores
from polyregions.exact.numbers import Point
from polyregions.places import Members
from polyregions.polyhedra.facets import coinciding_rows, facets
from polyregions.polyhedra.oracle.forms import Bounds, OpenPolyhedron
from polyregions.polyhedra.oracle.referee import Referee
from polyregions.polyhedra.polytope import HPolytope
from polyregions.polyhedra.shape import Shape
from polyregions.polyhedra.solid import open_polyhedron
from polyregions.presentation import InNotebooks, Tabular, arrow_table, data_frame
from polyregions.read_only import ReadOnly, View, read_only
from polyregions.regions.prefixes import RegionForms
from polyregions.regions.region_set import Region, RegionSet, alone
from polyregions.regions.volumes import volumes_or_infinities


@dataclass(frozen=True, eq=False)
class DecisionCells(ReadOnly, Members["DecisionCell"], Tabular, InNotebooks):
    """All full-dimensional (region, class) pairs, sorted by region, then class.

    Attributes:
        regions: the regions they subdivide.
        rule: "argmax", "argmin" or "sign".
        region: (K,) the region of each cell.
        label: (K,) its class.
        local_points: (K, k) a point strictly inside, in the coordinates u of the domain's hull.
        rational_points: cell -> its exact point, where no float64 point is inside.
        ties: (cell, classes) where other classes equal the winner all over the cell.
    """

    MEMBER = "decision cell"

    regions: RegionSet
    rule: str
    region: Ints
    label: Ints
    local_points: Floats
    rational_points: dict[int, tuple[Fraction, ...]]
    ties: tuple[tuple[int, tuple[int, ...]], ...]

    @cached_property
    def points(self) -> Floats:
        """A point (K, d) strictly inside each cell, in the inputs."""
        points: Floats = read_only(self.regions.problem.solid.hull.lift_floats(self.local_points))
        return points

    @cached_property
    def offsets(self) -> Ints:
        """Where each region's cells start (R+1,): those of region i are ``offsets[i]`` to before ``offsets[i+1]``."""
        starts = np.searchsorted(self.region, np.arange(len(self.regions) + 1))
        offsets: Ints = read_only(starts.astype(np.int64))
        return offsets

    def local_point(self, cell: int) -> Point:
        """The interior point of a cell in the coordinates u, exactly."""
        return Point(self.local_points[cell], self.rational_points.get(cell))

    def classes(self, i: int) -> list[int]:
        """The classes that have a cell in region i, ascending."""
        found: list[int] = self.label[self.offsets[i] : self.offsets[i + 1]].tolist()
        return found

    def find(self, i: int, k: int) -> int | None:
        """The cell of class k in region i, None if there is none."""
        start, end = self.offsets[i : i + 2].tolist()
        at = start + int(np.searchsorted(self.label[start:end], k))
        return at if at < end and self.label[at] == k else None

    def per_class(self) -> dict[int, int]:
        """How many cells each class has; classes without cells are left out."""
        labels, counts = np.unique(self.label, return_counts=True)
        return dict(zip(labels.tolist(), counts.tolist(), strict=True))

    def to_arrow(self, *, volume: bool = False) -> Any:
        """The cells as a ``pyarrow.Table``, one row each: what `save` writes as ``.parquet``.

        Columns are ``cell`` (its number), ``region``, ``label``, ``pattern``, ``tied_with``, on request ``volume``, and
        ``point``. ``polars.DataFrame(cells)`` and whatever else reads Arrow takes the cells themselves.

        Args:
            volume: whether to compute volumes; infinite for an unbounded cell.

        Raises:
            MissingExtraError: pyarrow is not installed.
        """
        return arrow_table(self, volume=volume)

    def to_pandas(self, *, volume: bool = False) -> Any:
        """The cells as a ``pandas.DataFrame``: columns as in `to_arrow`, points and lists as in `RegionSet.to_pandas`.

        Raises:
            MissingExtraError: pandas is not installed.

        >>> import polyregions as pr
        >>> net = pr.Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1], [0, 0]], [-1, 0])])
        >>> cells = pr.decision_cells(pr.enumerate_regions(net, pr.Box([-2], [3])))
        >>> cells.to_pandas(volume=True).groupby("label")["volume"].sum().to_dict()  # |x| - 1 against 0
        {0: 3.0, 1: 2.0}
        """
        return data_frame(self, volume=volume)

    def __len__(self) -> int:
        return len(self.region)

    def _member(self, place: int) -> DecisionCell:
        return DecisionCell(self, place)

    def __repr__(self) -> str:
        return f"<DecisionCells: {len(self)} cells in {len(self.regions)} regions>"


@dataclass(frozen=True)
class CellFacet:
    """One facet of a decision cell.

    Attributes:
        rows: the rows of the cell's polytope on whose hyperplane it lies.
        kinds: what these are, sorted: "decision", "domain", "neuron"; several where hyperplanes coincide.
    """

    rows: tuple[int, ...]
    kinds: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class DecisionCell(View, Shape):
    """One decision cell: a light view into `DecisionCells`.

    Attributes:
        cells: the cells it belongs to; of a cell that was pickled partial ones that hold nothing else.
        number: its place among those that it was taken from.
        part: its place in the arrays of `cells` and the number of its region, if these are others now.
    """

    cells: DecisionCells
    number: int
    part: tuple[int, int] | None = None

    @property
    def place(self) -> int:
        """Its place in the arrays of `cells`."""
        return self.number if self.part is None else self.part[0]

    @property
    def region(self) -> Region:
        """The region it is part of."""
        row = int(self.cells.region[self.place])
        return self.cells.regions[row] if self.part is None else Region(self.cells.regions, self.part[1], row)

    @property
    def label(self) -> int:
        """The class that wins in it."""
        return int(self.cells.label[self.place])

    @property
    def tied_with(self) -> tuple[int, ...]:
        """The classes that score the same all over it."""
        return dict(self.cells.ties).get(self.place, ())

    @property
    def point(self) -> Floats:
        """A point (d,) strictly inside."""
        point: Floats = self.cells.points[self.place]
        return point

    @property
    def polytope(self) -> HPolytope:
        """The cell as ``{x : A x <= b}`` in the inputs: the rows of its region, then one for each rival class.

        The row "decision k-i" says that class k beats class i; it is open where a tie would be class i's, that is,
        for i < k. Classes whose lead is constant on the region have no row.
        """
        k, output = self.label, self.region.exact_affine_map
        scores = exact_scores(self.cells.rule, output)
        leads = [[a - b for a, b in zip(scores[k], score, strict=True)] for score in scores]
        rivals = [i for i, lead in enumerate(leads) if any(lead[:-1])]
        return self.region.polytope.with_exact_rows(
            [leads[i] for i in rivals],
            [output.denominator] * len(rivals),
            [i < k for i in rivals],
            [f"decision {k}-{i}" for i in rivals],
        )

    def facets(self) -> tuple[CellFacet, ...]:
        """The facets, proved; coinciding rows make one facet of several kinds.

        Complexity: one linear program a row.
        """
        polytope = self.polytope
        solid = polytope.solid
        assert solid is not None
        interior, referee = open_polyhedron(solid), Referee(Bounds.unknown(solid.hull.dim))
        found = facets(interior, solid.interior, referee, coinciding_rows(interior))
        groups = [tuple(solid.kept[row] for row in facet.rows) for facet in found]
        return tuple(
            CellFacet(group, tuple(sorted({_kind(polytope.labels[row]) for row in group})))
            for group in groups
        )

    def _compared(self) -> Any:
        """What a cell shows, so that one that travelled without the others is the same."""
        point = self.cells.local_point(self.place)
        return self.number, self.label, self.tied_with, point, self.cells.rule, self.region

    def __reduce__(self) -> tuple[Any, ...]:
        """What travels is this cell and its region, not all of them."""
        return DecisionCell, (_cell_alone(self), self.number, (0, self.region.number))

    def __repr__(self) -> str:
        return f"<DecisionCell {self.number}: class {self.label} in region {self.region.number}>"


def cell_volumes(cells: DecisionCells) -> Floats:
    """The volume (K,) of each decision cell, infinite for an unbounded one: that of its region if it fills that.

    Complexity: that of the volumes of regions, and milliseconds for each cell that shares its region.
    """
    volumes: Floats = volumes_or_infinities(cells.regions)[cells.region]
    for cell in np.flatnonzero(np.diff(cells.offsets)[cells.region] > 1).tolist():
        volumes[cell] = cells[cell].volume
    return volumes


def _cell_alone(cell: DecisionCell) -> DecisionCells:
    cells, place = cell.cells, cell.place
    exact = cells.rational_points.get(place)
    return DecisionCells(
        alone(cells.regions, cell.region.place),
        cells.rule,
        np.zeros(1, dtype=np.int64),
        cells.label[place : place + 1],
        cells.local_points[place : place + 1],
        {} if exact is None else {0: exact},
        ((0, cell.tied_with),) if cell.tied_with else (),
    )


def cell_rows(cells: DecisionCells, cell: int) -> OpenPolyhedron:
    """A decision cell as an open polyhedron over the hull's coordinates: its region's rows, then its rivals'."""
    i, k = int(cells.region[cell]), int(cells.label[cell])
    forms = RegionForms(cells.regions)
    rivals = [m for m in cells.classes(i) if m != k]
    return with_leads(forms.interior(i), Outputs(cells.regions, i, cells.rule, forms), k, rivals)


def with_leads(interior: OpenPolyhedron, outputs: Outputs, k: int, rivals: Sequence[int]) -> OpenPolyhedron:
    """The part of an open polyhedron where class k beats the given rivals."""
    for rival in rivals:
        interior = interior.with_form(outputs.lead(k, rival))
    return interior


def _kind(label: str) -> str:
    """What a row is, by its label."""
    first = label.split(" ")[0]
    return first if first in ("neuron", "decision") else "domain"
