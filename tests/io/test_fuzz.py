"""Damaged bytes of every format: a network, or an error of this package, and nothing else."""

from __future__ import annotations

import gzip
import io
import random
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onnx_models import MLP_SHAPES, mlp, model, node
from polyregions.errors import InputError, PolyregionsError
from polyregions.io.models.load import load_network
from polyregions.io.specs.load import load_domain
from polyregions.io.tables.parquet_footer import declared_bytes
from small_files import NNET, PROPERTY

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "fuzzing"))
import fuzz_mutations  # noqa: E402 - the long version of this is benchmarks/fuzzing/fuzz.py
import fuzz_seeds  # noqa: E402

EXAMPLES = 300


def stored_archive() -> bytes:
    """An archive whose members are not compressed and so can be damaged inside."""
    rng, buffer = np.random.default_rng(0), io.BytesIO()
    np.savez(buffer, **{name: rng.standard_normal(shape) for name, shape in MLP_SHAPES.items()})
    return buffer.getvalue()


def zip_of(content: bytes) -> bytes:
    """An archive with a right checksum over a wrong array."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("W1.npy", content)
    return buffer.getvalue()


def one_array() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ones((2, 2)))
    return buffer.getvalue()


def image_model() -> bytes:
    nodes = [
        node("Sub", ["x", "m"], "a"),
        node("Conv", ["a", "W"], "c", pads=[1, 0, 0, 1], strides=[2, 1]),
        node("Relu", ["c"], "r"),
        node("Reshape", ["r", "s"], "f"),
        node("MatMul", ["f", "V"], "y"),
    ]
    constants = {
        "m": [0.5],
        "W": np.ones((1, 1, 2, 2), "f4"),
        "s": np.array([0, -1]),
        "V": np.ones((6, 1), "f4"),
    }
    return bytes(model(nodes, ["N", 1, 3, 3], constants).SerializeToString())


def branching_model() -> bytes:
    nodes = [
        node("MaxPool", ["x"], "p", kernel_shape=[2, 2], pads=[0, 1, 1, 0]),
        node("AveragePool", ["x"], "q", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
        node("BatchNormalization", ["q", "s", "b", "s", "v"], "n"),
        node("LeakyRelu", ["n"], "l", alpha=0.25),
        node("Clip", ["p", "lo", "hi"], "c"),
        node("Concat", ["l", "c", "x"], "j", axis=1),
        node("ReduceMax", ["j"], "m", axes=[1, 2], keepdims=0),
        node("Mul", ["m", "k"], "t"),
        node("Slice", ["t", "one", "three", "one"], "u"),
        node("Min", ["u", "k2"], "w"),
        node("Softmax", ["w"], "y", axis=1),
    ]
    constants = {
        "s": [1.5],
        "b": [0.25],
        "v": [2.25],
        "lo": np.float32(-1),
        "hi": np.float32(1),
        "k": [1.0, 2.0, 3.0],
        "k2": [0.5, -0.5],
        "one": np.array([1]),
        "three": np.array([3]),
    }
    return bytes(model(nodes, ["N", 1, 3, 3], constants).SerializeToString())


SEEDS: dict[str, tuple[str, Callable[[str], object], bytes]] = {
    "onnx": ("a.onnx", load_network, mlp().SerializeToString()),
    "onnx image": ("a.onnx", load_network, image_model()),
    "onnx branches": ("a.onnx", load_network, branching_model()),
    "nnet": ("a.nnet", load_network, NNET.encode()),
    "npz": ("a.npz", load_network, stored_archive()),
    "npz domain": ("d.npz", load_domain, stored_archive()),
    "vnnlib": ("p.vnnlib", load_domain, PROPERTY.encode()),
    "gzip": ("a.nnet.gz", load_network, gzip.compress(NNET.encode(), mtime=0)),
}

FRAGMENTS = [
    b"",
    b"\0",
    b"\xff\xff\xff\xff\xff\x7f",
    b"9" * 30,
    b"(",
    b")",
    b",",
    b"nan",
    b"-",
    b"\n",
    b"X_1",
    b"\x80",
]


def damaged(content: bytes, seed: int) -> bytes:
    """Bytes changed, cut out, repeated and put in at random."""
    rng, data = random.Random(seed), bytearray(content)
    for _ in range(rng.randint(1, 4)):
        i = rng.randrange(len(data) + 1)
        j = min(len(data), i + rng.choice([0, 1, 1, 1, 4, 16, len(data)]))
        data[i:j] = rng.choice([*FRAGMENTS, rng.randbytes(rng.randint(1, 4)), bytes(data[i:j] * 2)])
    return bytes(data)


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_damaged_files(kind: str, seed: int, tmp_path: Path) -> None:
    name, load, content = SEEDS[kind]
    attempt(load, tmp_path / name, damaged(content, seed))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_damaged_arrays_in_sound_archives(seed: int, tmp_path: Path) -> None:
    attempt(load_network, tmp_path / "a.npz", zip_of(damaged(one_array(), seed)))


@pytest.mark.parametrize("name", ["a.onnx", "a.nnet", "a.npz", "a.nnet.gz", "p.vnnlib"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_arbitrary_bytes(name: str, data: bytes, tmp_path: Path) -> None:
    load: Callable[[str], object] = load_domain if name.endswith("vnnlib") else load_network
    attempt(load, tmp_path / name, data)


def attempt(load: Callable[[str], object], file: Path, data: bytes) -> None:
    file.write_bytes(data)
    try:
        load(str(file))
    except InputError as error:
        assert file.name in str(error)


# -------------------------------------------------------------- every loader: a short run of benchmarks/fuzzing/fuzz.py


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, fuzz_seeds.Target]:
    pytest.importorskip("pyarrow")
    return fuzz_seeds.targets(tmp_path_factory.mktemp("seeds"))


LOADERS = [
    "network .npz", "network .nnet", "network .nnet.gz", "network .onnx", "domain .npz", "domain .vnnlib",
    "regions .npz", "certificate .npz", "graph .graphml", "graph .gexf", "graph .json", "graph .csv", "graph .parquet",
    "store", "unfinished store",
]  # fmt: skip


def test_these_are_all_loaders(targets: dict[str, fuzz_seeds.Target]) -> None:
    assert list(targets) == LOADERS


@pytest.mark.parametrize("name", LOADERS)
def test_valid_files_load_and_damaged_ones_do_or_are_refused(
    name: str, targets: dict[str, fuzz_seeds.Target], tmp_path: Path
) -> None:
    target = targets[name]
    for files in target.seeds:
        target.load(written(files, tmp_path))
    for number in range(150):
        folder = written(target.damaged(10**6 + number), tmp_path)
        try:
            target.load(folder)
        except PolyregionsError as error:
            assert str(tmp_path) in str(error)


def written(files: dict[str, bytes], folder: Path) -> Path:
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_damage_is_reproducible_and_usually_damages() -> None:
    data = bytes(range(256)) * 4
    changed = [fuzz_mutations.mutated(data, random.Random(i), [data]) for i in range(100)]
    assert changed == [fuzz_mutations.mutated(data, random.Random(i), [data]) for i in range(100)]
    assert sum(c != data for c in changed) > 80


# ---------------------------------------------------------------- the footer of Parquet files, read here


def parquet_files() -> list[bytes]:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table({"a": np.arange(1000), "b": pa.array([[1.0, 2.0]] * 1000), "c": ["x"] * 1000})
    files = []
    for options in ({}, {"row_group_size": 100, "compression": "zstd"}, {"write_page_index": True}):
        buffer = io.BytesIO()
        pq.write_table(table, buffer, **options)
        files.append(buffer.getvalue())
    return files


def test_declared_sizes_are_those_that_pyarrow_reads() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    for data in parquet_files():
        metadata = pq.ParquetFile(io.BytesIO(data)).metadata
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        columns = [group.column(j) for group in groups for j in range(group.num_columns)]
        expected = sum(max(c.total_uncompressed_size, 8 * c.num_values) for c in columns)
        assert declared_bytes(data) == expected


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_damaged_footers(seed: int) -> None:
    data = parquet_files()[0]
    cut = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    footer = damaged(data[cut:-8], seed)
    with suppress(ValueError):
        declared_bytes(data[:cut] + footer + len(footer).to_bytes(4, "little") + b"PAR1")


@pytest.mark.parametrize(
    "footer",
    [b"", b"\x19\xfc\xff\xff\xff\xff\x0f", b"\x1c" * 40, b"\x19\x1c" * 40, b"\x19" * 80, b"\x16" + b"\xff" * 9],
)  # fmt: skip
def test_footers_made_to_break_a_reader(footer: bytes) -> None:
    with pytest.raises(ValueError, match="footer"):
        declared_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")


def test_statistics_that_end_the_process_in_pyarrow_do_not(tmp_path: Path) -> None:
    """In a process of its own: such a file was found by fuzzing; pyarrow throws where nobody can catch."""
    code = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "from pathlib import Path\nimport fuzz_seeds\nfrom polyregions import PolyregionsError\n"
        "(seeds := Path(sys.argv[3]) / 'seeds').mkdir()\n"
        "(folder := Path(sys.argv[3]) / 'input').mkdir()\n"
        "target = fuzz_seeds.targets(seeds)['graph .parquet']\n"
        "for number in (4348, 7952, 8007):\n"
        "    for name, data in target.damaged(number).items(): (folder / name).write_bytes(data)\n"
        "    try: target.load(folder)\n"
        "    except PolyregionsError: pass\n"
        "print('done')\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", code, str(root / "benchmarks" / "fuzzing"), str(root), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"


# ---------------------------------------------------------------- any value in any column of the book of tasks


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE task SET score = '{\"a\"' WHERE n IS NOT NULL",
        "UPDATE task SET score = '[]' WHERE n IS NOT NULL",
        "UPDATE task SET after = x'00' WHERE n IS NOT NULL",
        "UPDATE task SET packed = 'text' WHERE n IS NOT NULL",
        "UPDATE task SET exact = CAST(x'ff' AS TEXT) WHERE n IS NOT NULL",
        "UPDATE cursor SET shards = 'many'",
        "UPDATE cursor SET row = -1",
        "DELETE FROM cursor",
        "DROP TABLE cursor",
    ],
)
def test_values_that_no_run_has_stored(
    statement: str, targets: dict[str, fuzz_seeds.Target], tmp_path: Path
) -> None:
    target = targets["unfinished store"]
    folder = written(target.seeds[0], tmp_path)
    with closing(sqlite3.connect(folder / "tasks.sqlite")) as book, book:
        book.execute(statement)
    with pytest.raises(PolyregionsError, match="tasks.sqlite"):
        target.load(folder)
