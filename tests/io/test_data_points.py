"""Files of data points: what they hold, and what is refused."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polyregions.errors import FormatError
from polyregions.io.specs.data_points import load_data_points


def written(folder: Path, text: str) -> Path:
    (folder / "d.csv").write_text(text, encoding="utf-8")
    return folder / "d.csv"


CSV: dict[str, tuple[str, tuple[int, ...], list[list[float]], Any]] = {
    "points": ("1,2\n3,-4e-1\n", (2,), [[1, 2], [3, -0.4]], None),
    "names": ("a,b\n1,2\n", (2,), [[1, 2]], None),
    "labels": ("a,b,y\n1,2,0\n3,4,1\n", (2,), [[1, 2], [3, 4]], [0, 1]),
    "texts": ("1,2,cat\n3,4,0\n", (2,), [[1, 2], [3, 4]], ["cat", "0"]),
    "inputs before labels": ("1,2,3\n", (3, 2), [[1, 2, 3]], None),
    "own coordinates": ("1,2\n", (4, 2), [[1, 2]], None),
    "own coordinates with labels": ("1,2,1\n", (4, 2), [[1, 2]], [1]),
    "spaces and empty lines": ("\r\n 1 , 2 \r\n\r\n", (2,), [[1, 2]], None),
    "no lines": ("a,b\n", (2,), [], None),
}


@pytest.mark.parametrize("case", CSV)
def test_csv(case: str, tmp_path: Path) -> None:
    text, dims, points, labels = CSV[case]
    X, y = load_data_points(written(tmp_path, text), dims)
    assert X.tolist() == points
    assert (None if y is None else list(y)) == labels


def test_npz_and_compressed_files(tmp_path: Path) -> None:
    X, y = np.eye(3), np.arange(3)
    np.savez(tmp_path / "d.npz", X=X, y=y)
    found = load_data_points(tmp_path / "d.npz", (3,))
    assert np.array_equal(found[0], X)
    assert np.array_equal(found[1], y)
    np.savez(tmp_path / "e.npz", X=X)
    assert load_data_points(tmp_path / "e.npz", (3,))[1] is None
    (tmp_path / "f.csv.gz").write_bytes(gzip.compress(b"1,2\n"))
    assert load_data_points(tmp_path / "f.csv.gz", (2,))[0].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3,4\n", "4 columns, expected 2, and one more"),
        ("1,2\n1\n", "row 2: 1 fields, expected 2"),
        ("1,2\n1,x\n", "row 2: 'x', expected a decimal number"),
        ("1,nan\n", "'nan', expected a decimal number"),
        ("1,1e999\n", "beyond the range of float64"),
        ('1,"2', "damaged CSV"),
    ],
)
def test_damaged_csv_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=message):
        load_data_points(written(tmp_path, text), (2,))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="unknown kind of data file, expected .csv or .npz"):
        load_data_points(tmp_path / "d.txt", (2,))
    for arrays, message in (
        ({"points": np.eye(2)}, "holds points, expected arrays X and y"),
        ({"X": np.eye(2), "z": np.eye(2)}, "array 'z' has no use"),
        ({"X": np.array([["a", "b"]])}, "values of type"),
    ):
        np.savez(tmp_path / "d.npz", **arrays)
        with pytest.raises(FormatError, match=message):
            load_data_points(tmp_path / "d.npz", (2,))
