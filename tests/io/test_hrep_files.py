"""Files of minimal H-representations, read by other libraries alone, in programs that do not import the package."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.io import loadmat
from scipy.spatial import ConvexHull, HalfspaceIntersection

import polyregions as pr
from corpus import corpus
from polyregions.cli.main import main
from polyregions.errors import FormatError, OptionError
from polyregions.io.store import shards
from problems import PROBLEMS
from randoms import float_layers, generator

READER = """
import sys
import numpy as np
import pyarrow.parquet as pq

table = pq.read_table(sys.argv[1])
points = np.stack(table["point"].to_pylist())
A = [np.array(rows, dtype=float).reshape(-1, points.shape[1]) for rows in table["hrep_A"].to_pylist()]
b = [np.array(bound, dtype=float) for bound in table["hrep_b"].to_pylist()]
rng = np.random.default_rng(0)
for i, x in enumerate(points):
    assert np.all(A[i] @ x < b[i]), i
    for j in rng.choice(len(points), min(100, len(points)), replace=False):
        assert i == j or not np.all(A[j] @ x <= b[j]), (i, j)
assert "polyregions" not in sys.modules
print(len(points), sum(map(len, b)))
"""


def read_alone(path: Path) -> tuple[int, int]:
    """Regions and rows in a Parquet file, whose points a program of numpy and pyarrow finds in their own rows only."""
    run = subprocess.run(
        [sys.executable, "-c", READER, str(path)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    n, rows = run.stdout.split()
    return int(n), int(rows)


def volume_of_rows(A: Any, b: Any, inside: Any) -> float:
    """By Qhull."""
    halfspaces = np.column_stack([A, -b])
    return float(ConvexHull(HalfspaceIntersection(halfspaces, inside).intersections).volume)


def moons() -> pr.RegionSet:
    return pr.enumerate_regions(pr.load_network("example:two-moons"), pr.Box([-2, -1.5], [3, 2]))


@pytest.mark.parametrize("name", ["generic", "degenerate 0", "generic, whole space"])
def test_parquet_is_read_without_this_library(name: str, tmp_path: Path) -> None:
    regions = pr.enumerate_regions(*PROBLEMS[name])
    pr.save(regions, tmp_path / "x.parquet", hrep=True)
    n_rows = sum(len(region.polytope.facets()) for region in regions)
    assert read_alone(tmp_path / "x.parquet") == (len(regions), n_rows)


def test_a_sample_of_volumes_and_maps_from_an_archive(tmp_path: Path) -> None:
    regions = moons()
    pr.save(regions, tmp_path / "x.npz", hrep=True)
    with np.load(tmp_path / "x.npz") as data:
        offsets, points = data["hrep_offsets"], data["points"]
        for i in range(0, len(regions), 17):
            rows = slice(offsets[i], offsets[i + 1])
            found = volume_of_rows(data["hrep_A"][rows], data["hrep_b"][rows], points[i])
            assert found == pytest.approx(regions[i].volume, rel=1e-6)
        outputs = np.einsum("rcd,rd->rc", data["map_weight"], points) + data["map_bias"]
        assert np.allclose(outputs, regions.network(points), rtol=1e-9, atol=1e-9)
        bits = np.unpackbits(data["packed"], axis=1, count=regions.network.n_neurons)
        neurons, starts = data["hrep_neurons"], data["hrep_neuron_offsets"]
        of_neuron = np.flatnonzero(np.diff(starts) == 1)
        region = np.searchsorted(offsets, of_neuron, side="right") - 1
        assert np.array_equal(data["hrep_strict"][of_neuron], bits[region, neurons[starts[of_neuron]]] == 1)
        walls = data["hrep_wall_labels"][data["hrep_wall"][data["hrep_wall"] >= 0]]
        assert set(walls.tolist()) == {"x0 >= -2", "x0 <= 3", "x1 >= -1.5", "x1 <= 2"}
    again = pr.load_regions(tmp_path / "x.npz")
    assert np.array_equal(again.packed, regions.packed)


def test_duckdb_and_pandas_read_lists(tmp_path: Path) -> None:
    duckdb, pandas = pytest.importorskip("duckdb"), pytest.importorskip("pandas")
    regions = moons()
    pr.save(regions, tmp_path / "x.parquet", hrep=True, classes="argmax", volume=True, vertices=True)
    table = pandas.read_parquet(tmp_path / "x.parquet")
    for i in (0, 100, 441):
        assert np.array_equal(np.stack(table.vertices[i]), regions[i].vertices)
        assert np.array_equal(np.stack(table.map_weight[i]), regions[i].affine_map[0])
    query = f"SELECT sum(len(hrep_b)), sum(volume) FROM '{tmp_path / 'x.parquet'}'"
    ((rows, volume),) = duckdb.sql(query).fetchall()
    assert rows == sum(len(region.polytope.facets()) for region in regions)
    assert volume == pytest.approx(5 * 3.5)


def test_json_has_facets_only(tmp_path: Path) -> None:
    regions = pr.enumerate_regions(*PROBLEMS["degenerate 0"])
    pr.save(regions, tmp_path / "x.json")
    read = json.loads((tmp_path / "x.json").read_text())
    assert read["complete"] is True
    for region, record in zip(regions, read["regions"], strict=True):
        minimal = region.polytope.minimal()
        assert sorted(map(tuple, record["A"])) == sorted(map(tuple, minimal.A.tolist()))
        assert sorted(record["rows"]) == sorted(minimal.labels)


def test_no_regions_at_all(tmp_path: Path) -> None:
    none = pr.enumerate_regions(*PROBLEMS["generic"], max_regions=0)
    for suffix in ("npz", "parquet"):
        pr.save(none, tmp_path / f"x.{suffix}", hrep=True)
    pr.save(none, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text())["regions"] == []
    with np.load(tmp_path / "x.npz") as data:
        assert data["hrep_offsets"].tolist() == [0]
        assert data["hrep_A"].shape == (0, 3)
    assert len(pytest.importorskip("pandas").read_parquet(tmp_path / "x.parquet")) == 0


def test_matlab_cells(tmp_path: Path) -> None:
    regions = moons()
    pr.save(regions, tmp_path / "x.mat")
    read = loadmat(tmp_path / "x.mat")
    assert read["A"].shape == read["b"].shape == (1, 442)
    assert all(
        np.all(A @ x < b[:, 0]) for A, b, x in zip(read["A"][0], read["b"][0], read["points"], strict=True)
    )
    assert np.array_equal(read["patterns"] != 0, regions.patterns)


def test_cdd_files_are_exact(tmp_path: Path) -> None:
    """Rows ``b - A x >= 0`` of integers: 1/3 and 0.1 are there as they are."""
    polytope = pr.HPolytope([[Fraction(1, 3)], [-1]], [1, 0.1])
    pr.save(polytope, tmp_path / "x.ine")
    head, begin, size, *rows, end = (tmp_path / "x.ine").read_text().split("\n")[:-1]
    assert (head, begin, size, end) == ("H-representation", "begin", "2 2 integer", "end")
    (b, a), (d, c) = ([int(entry) for entry in row.split()] for row in rows)
    assert Fraction(-b, a) == 3
    assert Fraction(-d, c) == -Fraction(0.1)


def test_files_that_have_no_place_for_rows_are_refused(tmp_path: Path) -> None:
    regions = moons()
    for name, options in (
        ("x.csv", {"hrep": True}),
        ("x.npz", {"vertices": True}),
        ("x.npz", {"hrep": True, "vertices": True}),
        ("x.npz", {"hrep": True, "volume": True}),
    ):
        with pytest.raises(OptionError, match=name):
            pr.save(regions, tmp_path / name, **options)
    with pytest.raises(OptionError, match="hrep"):
        pr.save(pr.decision_cells(regions), tmp_path / "x.parquet", hrep=True)
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_writes_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["enumerate", "example:two-moons", "--box", "-2,-1.5", "3,2", "-q"]
    assert main([*command, "-o", str(tmp_path / "x.parquet"), "--hrep"]) == 0
    assert read_alone(tmp_path / "x.parquet")[0] == 442
    for wrong in (["--hrep"], ["-o", "x.csv", "--hrep"], ["-o", "x.npz", "--hrep", "--vertices"]):
        assert main([*command, *wrong]) == 2
        assert "only with" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_network(tmp_path: Path) -> None:
    """All of ACAS Xu's property 3: 71,930 regions; half a minute."""
    net = pr.load_network(corpus("acasxu/ACASXU_run2a_1_1_batch_2000.onnx"))
    regions = pr.enumerate_regions(net, pr.load_domain(corpus("acasxu/prop_3.vnnlib")))
    pr.save(regions, tmp_path / "x.parquet", hrep=True)
    assert read_alone(tmp_path / "x.parquet") == (71930, 719419)


# ---------------------------------------------------------------- large stores, a shard at a time


@pytest.mark.parametrize("dim", [2, 6])  # the engine with vertices, and the one without
def test_a_store_of_several_shards_is_written_without_reading_all_of_it(
    dim: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)
    monkeypatch.setattr(shards, "FEWEST_ROWS", 10)
    net = pr.Network.from_layers(float_layers(generator(dim), (dim, 6, 5, 2)))
    in_memory = pr.enumerate_regions(net, pr.Box.cube(-1, 1, dim))
    pr.enumerate_regions(net, pr.Box.cube(-1, 1, dim), store=tmp_path / "s")
    assert len(list((tmp_path / "s").glob("*.parquet"))) == -(-len(in_memory) // 10) > 2
    options: dict[str, Any] = {"classes": "argmax", "volume": True}
    stored = pr.load_regions(tmp_path / "s")
    pr.save(stored, tmp_path / "stored.parquet", hrep=True, vertices=True, **options)
    assert "_loaded" not in vars(stored.listing)
    pr.save(in_memory, tmp_path / "memory.parquet", hrep=True, vertices=True, **options)
    found, expected = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("stored", "memory"))
    assert found.schema.equals(expected.schema, check_metadata=True)
    for name in expected.column_names:
        assert_close(found[name].to_pylist(), expected[name].to_pylist())
    assert read_alone(tmp_path / "stored.parquet") == read_alone(tmp_path / "memory.parquet")
    for name, regions in (("stored", pr.load_regions(tmp_path / "s")), ("memory", in_memory)):
        pr.save(regions, tmp_path / f"{name}.npz", hrep=True)
        pr.save(regions, tmp_path / f"{name}.json")
    with np.load(tmp_path / "stored.npz") as one, np.load(tmp_path / "memory.npz") as other:
        assert all(np.array_equal(one[key], other[key]) for key in one.files if key != "score")
    assert pr.load_regions(tmp_path / "stored.npz") == in_memory
    assert json.loads((tmp_path / "stored.json").read_text()) == json.loads(
        (tmp_path / "memory.json").read_text()
    )


def assert_close(a: Any, b: Any) -> None:
    """Equal, floats to the last digits: volumes are summed up in the order in which facets are known."""
    if isinstance(b, list):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_close(one, other)
    else:
        assert a == (pytest.approx(b, rel=1e-12) if isinstance(b, float) else b)


def test_a_damaged_shard_is_refused_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)
    monkeypatch.setattr(shards, "FEWEST_ROWS", 10)
    net = pr.Network.from_layers(float_layers(generator(2), (2, 5, 3, 2)))
    pr.enumerate_regions(net, pr.Box.cube(-1, 1, 2), store=tmp_path / "s")
    stored = pr.load_regions(tmp_path / "s")
    last = max((tmp_path / "s").glob("*.parquet"))
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.raises(FormatError, match=last.name):
        pr.save(stored, tmp_path / "x.parquet", hrep=True)
    assert not (tmp_path / "x.parquet").exists()
