"""Results as tables in memory: the same as in files, and what other programs make of them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import polyregions as pr
from polyregions.errors import MissingExtraError, OptionError
from randoms import float_layers, generator

SQUARE = pr.Box.cube(-1, 1, 2)
NET = pr.Network.from_layers(float_layers(generator(0), (2, 5, 4, 3)))
REGIONS = pr.enumerate_regions(NET, SQUARE)
MADE: dict[str, Callable[[], Any]] = {
    "regions": lambda: REGIONS,
    "cells": lambda: pr.decision_cells(REGIONS),
    "edges": lambda: pr.adjacency_arrays(REGIONS),
    "nothing": lambda: pr.enumerate_regions(NET, SQUARE, max_regions=0),
}


@pytest.mark.parametrize("what", MADE)
def test_arrow_tables_are_those_of_files(what: str, tmp_path: Path) -> None:
    result = MADE[what]()
    pr.save(result, tmp_path / "t.parquet")
    read = pq.read_table(tmp_path / "t.parquet")
    table = result.to_arrow()
    assert table.to_pydict() == read.to_pydict()
    assert table.schema.metadata == read.schema.metadata


def test_options_are_those_of_files(tmp_path: Path) -> None:
    pr.save(REGIONS, tmp_path / "r.parquet", classes="argmin", volume=True)
    expected = pq.read_table(tmp_path / "r.parquet").to_pydict()
    assert REGIONS.to_arrow(classes="argmin", volume=True).to_pydict() == expected
    cells = pr.decision_cells(REGIONS)
    pr.save(cells, tmp_path / "c.parquet", volume=True)
    assert cells.to_arrow(volume=True).to_pydict() == pq.read_table(tmp_path / "c.parquet").to_pydict()
    with pytest.raises(OptionError, match="rule 'best'"):
        REGIONS.to_pandas(classes="best")


@pytest.mark.parametrize("what", MADE)
def test_pandas_has_the_same_rows_with_coordinates_apart(what: str) -> None:
    result = MADE[what]()
    table, frame = result.to_arrow().to_pydict(), result.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == len(result)
    for name, values in table.items():
        if name == "point":
            assert np.array_equal(frame[["point_0", "point_1"]].to_numpy(), np.array(values).reshape(-1, 2))
        else:
            expected = [tuple(v) if isinstance(v, list) else v for v in values]
            assert frame[name].tolist() == expected


def test_a_frame_can_be_grouped_by_lists() -> None:
    frame = REGIONS.to_pandas(classes="argmax", volume=True)
    assert frame.dtypes[["region", "bounded", "class", "volume", "point_0"]].map(str).tolist() == [
        "int64", "bool", "int64", "float64", "float64",
    ]  # fmt: skip
    assert frame.groupby("layer_ranks")["volume"].sum().sum() == pytest.approx(4)
    assert set(frame["classes"].map(type)) == {tuple}
    one = frame[frame["class"] >= 0]
    assert [(k,) for k in one["class"]] == one["classes"].tolist()


@pytest.mark.parametrize("what", ["regions", "cells", "edges"])
def test_other_programs_take_results_as_arrow_streams(what: str) -> None:
    result = MADE[what]()
    assert pa.table(result).equals(result.to_arrow())
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(result)
    assert frame.to_dict(as_series=False) == result.to_arrow().to_pydict()


def test_a_partial_set_and_one_of_a_store_are_tables_too(tmp_path: Path) -> None:
    part = pr.enumerate_regions(NET, SQUARE, max_regions=3)
    assert part.to_pandas()["pattern"].tolist() == REGIONS.to_pandas()["pattern"].tolist()[:3]
    stored = pr.enumerate_regions(NET, SQUARE, store=tmp_path / "s")
    assert stored.to_pandas().equals(REGIONS.to_pandas())


@pytest.mark.parametrize(("package", "method"), [("pandas", "to_pandas"), ("pyarrow", "to_arrow")])
def test_without_the_extra_it_is_named(package: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    extra = {"pandas": "pandas", "pyarrow": "parquet"}[package]
    with pytest.raises(MissingExtraError, match=rf'pip install "polyregions\[{extra}\]"'):
        getattr(REGIONS, method)()
