"""Results as tables in memory: pyarrow's and pandas'.

Arrow tables are what a Parquet file holds. A pandas frame has a column for each coordinate of a point and tuples of
integers for lists, so that it can be plotted, sorted and grouped by them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from polyregions.analysis.decisions import DecisionCells
from polyregions.analysis.tables import (
    Column,
    Ragged,
    Table,
    cell_table,
    edge_table,
    region_table,
    union_table,
)
from polyregions.io.files import import_extra
from polyregions.io.results.regions import regions_about, union_about
from polyregions.io.tables.csv_files import flattened
from polyregions.io.tables.parquet import table_arrow
from polyregions.presentation import arrow_table, data_frame
from polyregions.regions.adjacency import Adjacency
from polyregions.regions.region_set import RegionSet
from polyregions.regions.union import UnionRegions

PURPOSE = "a table of results as a DataFrame"


@arrow_table.register
def _(regions: RegionSet, **options: Any) -> Any:
    about = {"schema": "polyregions region table 1", **regions_about(regions)}
    return table_arrow(_regions(regions, **options), about)


@arrow_table.register
def _(union: UnionRegions, **options: Any) -> Any:
    about = {"schema": "polyregions region table 1", **union_about(union)}
    return table_arrow(union_table(union, **options).numbered("region"), about)


@arrow_table.register
def _(cells: DecisionCells, **options: Any) -> Any:
    about = {"schema": "polyregions cell table 1", "rule": cells.rule, **regions_about(cells.regions)}
    return table_arrow(_cells(cells, **options), about)


@arrow_table.register
def _(adjacency: Adjacency) -> Any:
    return table_arrow(edge_table(adjacency), {"schema": "polyregions graph edges 1"})


@data_frame.register
def _(regions: RegionSet, **options: Any) -> Any:
    return _frame(_regions(regions, **options))


@data_frame.register
def _(union: UnionRegions, **options: Any) -> Any:
    return _frame(union_table(union, **options).numbered("region"))


@data_frame.register
def _(cells: DecisionCells, **options: Any) -> Any:
    return _frame(_cells(cells, **options))


@data_frame.register
def _(adjacency: Adjacency) -> Any:
    return _frame(edge_table(adjacency))


def _regions(regions: RegionSet, **options: Any) -> Table:
    return region_table(regions, **options).numbered("region")


def _cells(cells: DecisionCells, **options: Any) -> Table:
    return cell_table(cells, **options).numbered("cell")


def _frame(table: Table) -> Any:
    pandas = import_extra("pandas", "pandas", PURPOSE)
    return pandas.DataFrame({name: _series(column) for name, column in flattened(table).columns.items()})


def _series(column: Column) -> Any:
    """What pandas makes a column of: an array, texts, or tuples."""
    if isinstance(column, list) or (isinstance(column, np.ndarray) and column.ndim == 1):
        return column
    assert isinstance(column, (Ragged, np.ndarray))
    return [tuple(values) for values in column.tolist()]
