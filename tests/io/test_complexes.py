"""Complexes as files: what is read back with numpy and pyarrow alone is the complex."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import polyregions as pr
from randoms import random_layers


@pytest.fixture
def complex() -> pr.FaceComplex:
    net = pr.Network.from_layers(random_layers(2, 2, 4, 3, 1))
    return pr.face_complex(pr.enumerate_regions(net, pr.Box.cube(-1, 1, 2)))


def test_npz(complex: pr.FaceComplex, tmp_path: Path) -> None:
    pr.save(complex, tmp_path / "faces.npz")
    with np.load(tmp_path / "faces.npz", allow_pickle=False) as file:
        found = dict(file)
    assert np.bincount(found["dim"]).tolist() == list(complex.counts)
    assert np.array_equal(found["signs"][found["dim"] == 1], complex.signs(1))
    assert np.array_equal(found["walls"][found["dim"] == 0], complex.tight_rows(0))
    assert len(found["wall_labels"]) == found["walls"].shape[1] == 4
    total = np.zeros((complex.counts[0], complex.counts[2]), dtype=int)
    first = complex.counts[0] + complex.counts[1]
    for place, face in enumerate(range(first, len(complex))):  # the boundary of a region's boundary
        for i in range(*found["facet_offsets"][face : face + 2]):
            edge = found["facets"][i]
            for j in range(*found["facet_offsets"][edge : edge + 2]):
                total[found["facets"][j], place] += int(found["facet_signs"][i]) * int(
                    found["facet_signs"][j]
                )
    assert not total.any()


def test_parquet(complex: pr.FaceComplex, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pr.save(complex, tmp_path / "faces.parquet")
    table = parquet.read_table(tmp_path / "faces.parquet").to_pydict()
    assert table["face"] == list(range(len(complex)))
    assert table["signs"][0] == "".join("-0+"[s + 1] for s in complex.signs(0)[0].tolist())
    assert [v for v in table["vertex"] if v] == complex.vertices.tolist()
    assert all(table["bounded"])
    assert sum(map(len, table["facets"])) == len(complex.facets)


def test_other_names_are_refused(complex: pr.FaceComplex, tmp_path: Path) -> None:
    with pytest.raises(pr.PolyregionsError, match=r"\.npz, \.parquet"):
        pr.save(complex, tmp_path / "faces.obj")
