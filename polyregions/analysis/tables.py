"""Results as tables of named columns: one row a region, an edge or a decision cell.

The columns are what files and graphs show of a result; see docs/graphs.md for what each holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from polyregions._types import Bools, Floats, Ints
from polyregions.analysis.decisions import DecisionCells, cell_volumes, decision_cells
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.boundedness import bounded_regions
from polyregions.regions.maps import dead_layers
from polyregions.regions.ranks import layer_ranks
from polyregions.regions.region_set import RegionSet
from polyregions.regions.union import UnionRegions
from polyregions.regions.volumes import volumes_or_infinities

BLOCK = 10_000  # rows that are made Python objects at a time


@dataclass(frozen=True, eq=False)
class Ragged:
    """Lists of different lengths as their values one after the other and where each list starts.

    Attributes:
        offsets: (n+1,) where each list starts in `values`.
        values: (m,) integers or floats.
    """

    offsets: Ints
    values: Ints | Floats

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: slice) -> Ragged:
        start, stop, _ = rows.indices(len(self))
        offsets = self.offsets[start : max(start, stop) + 1]
        return Ragged(offsets - offsets[0], self.values[offsets[0] : offsets[-1]])

    def tolist(self) -> list[list[Any]]:
        """The lists."""
        values, ends = self.values.tolist(), self.offsets.tolist()
        return [values[a:b] for a, b in zip(ends, ends[1:], strict=False)]

    @classmethod
    def of_members(cls, members: Bools) -> Ragged:
        """For each row of a table of truth values (n, m) the columns that are true."""
        offsets = np.concatenate([[0], np.cumsum(np.count_nonzero(members, axis=1))])
        return cls(offsets.astype(np.int64), np.nonzero(members)[1].astype(np.int64))


Column: TypeAlias = "list[str] | Bools | Ints | Floats | Ragged"
"""Texts, an array (n,), an array (n, k) whose rows are lists of one length, or lists of several lengths."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of named columns.

    Attributes:
        columns: name -> column, all of the same length.

    >>> table = Table({"edge": np.arange(2), "flipped": Ragged(np.array([0, 1, 3]), np.array([4, 0, 1]))})
    >>> list(table.rows())
    [{'edge': 0, 'flipped': [4]}, {'edge': 1, 'flipped': [0, 1]}]
    """

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return min((len(column) for column in self.columns.values()), default=0)

    def blocks(self) -> Iterator[dict[str, list[Any]]]:
        """The columns as lists of Python values, some rows at a time."""
        for start in range(0, len(self), BLOCK):
            yield {name: as_list(column[start : start + BLOCK]) for name, column in self.columns.items()}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries of Python values."""
        for block in self.blocks():
            for values in zip(*block.values(), strict=True):
                yield dict(zip(block, values, strict=True))

    def numbered(self, name: str) -> Table:
        """The same with the number of each row as a first column."""
        return Table({name: np.arange(len(self)), **self.columns})


def as_list(column: Any) -> list[Any]:
    """A column as Python values."""
    listed: list[Any] = column if isinstance(column, list) else column.tolist()
    return listed


def region_table(regions: RegionSet, *, classes: str | None = None, volume: bool = False) -> Table:
    """What is known of each region.

    Columns: ``pattern`` (a string of 0 and 1), ``layer_ranks``, ``dead_layers``, ``bounded``, ``classes`` and ``class``
    (the only one of them, -1 where there are several; only if asked for), ``volume`` (only if asked for) and ``point``.

    Args:
        regions: the regions.
        classes: a rule as in `decision_cells` for the classes that win somewhere inside.
        volume: whether to compute volumes; infinite for an unbounded region.

    Raises:
        OptionError: an unknown rule for classes.
    """
    columns: dict[str, Column] = {
        "pattern": pattern_texts(regions.patterns),
        "layer_ranks": layer_ranks(regions),
        "dead_layers": Ragged.of_members(dead_layers(regions)),
        "bounded": bounded_regions(regions),
    }
    if classes is not None:
        cells = decision_cells(regions, classes)
        columns["classes"] = Ragged(cells.offsets, cells.label)
        columns["class"] = only_class(cells)
    if volume:
        columns["volume"] = volumes_or_infinities(regions)
    columns["point"] = regions.points
    return Table(columns)


def union_table(union: UnionRegions, *, classes: str | None = None, volume: bool = False) -> Table:
    """The tables of the regions of several input sets under each other, with the number of the set as ``box``."""
    tables = [region_table(part, classes=classes, volume=volume) for part in union.parts]
    joined = {name: joined_column([table.columns[name] for table in tables]) for name in tables[0].columns}
    return Table({"box": union.box, **joined})


def joined_column(columns: Sequence[Column]) -> Column:
    """Columns of one kind under each other."""
    if isinstance(columns[0], list):
        return [text for column in columns if isinstance(column, list) for text in column]
    if isinstance(columns[0], Ragged):
        lists = [column for column in columns if isinstance(column, Ragged)]
        sizes = np.concatenate([[0], *(np.diff(column.offsets) for column in lists)])
        return Ragged(np.cumsum(sizes), np.concatenate([column.values for column in lists]))
    joined: Column = np.concatenate([np.asarray(column) for column in columns])
    return joined


def edge_table(adjacency: Adjacency, measures: Floats | None = None) -> Table:
    """The edges of the adjacency graph: ``source``, ``target``, ``flipped``, ``hamming``, ``measure`` and ``point``.

    Args:
        adjacency: the edges.
        measures: (E,) what `facet_measures` gives; without it there is no such column.
    """
    columns: dict[str, Column] = {
        "source": adjacency.source,
        "target": adjacency.target,
        "flipped": Ragged(adjacency.flip_offsets, adjacency.flips),
        "hamming": np.diff(adjacency.flip_offsets),
    }
    if measures is not None:
        columns["measure"] = measures
    return Table({**columns, "point": adjacency.points})


def only_class(cells: DecisionCells) -> Ints:
    """The class (R,) that wins all over each region, -1 where there is none."""
    firsts = cells.label[np.minimum(cells.offsets[:-1], len(cells) - 1)] if len(cells) else cells.offsets[:-1]
    return np.where(np.diff(cells.offsets) == 1, firsts, -1).astype(np.int64)


def cell_table(cells: DecisionCells, *, volume: bool = False) -> Table:
    """The decision cells: ``region``, ``label``, ``pattern`` of the region, ``tied_with``, ``volume`` and ``point``.

    Args:
        cells: the cells.
        volume: whether to compute volumes; without them there is no such column.
    """
    ties = dict(cells.ties)
    tied: list[Sequence[int]] = [ties.get(cell, ()) for cell in range(len(cells))]
    columns: dict[str, Column] = {
        "region": cells.region,
        "label": cells.label,
        "pattern": pattern_texts(cells.regions.patterns[cells.region]),
        "tied_with": ragged_ints(tied),
    }
    if volume:
        columns["volume"] = cell_volumes(cells)
    return Table({**columns, "point": cells.points})


def pattern_texts(patterns: Bools) -> list[str]:
    """Patterns (R, N) as strings of 0 and 1."""
    n, text = patterns.shape[1], (patterns + np.uint8(ord("0"))).astype(np.uint8).tobytes().decode("ascii")
    return [text[i * n : (i + 1) * n] for i in range(len(patterns))]


def ragged_ints(lists: Sequence[Sequence[int]]) -> Ragged:
    """Lists of integers as one column."""
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in lists])])
    return Ragged(offsets.astype(np.int64), np.array([v for part in lists for v in part], dtype=np.int64))
