"""Streaming to a folder: the same bytes whoever did the tasks, in however many runs, whatever killed them."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polyregions as pr
from polyregions.cli import main
from polyregions.engine import tally as engine
from polyregions.engine.perform import perform
from polyregions.engine.starts import start_arrays, start_of_arrays
from polyregions.engine.tally import job_for
from polyregions.errors import FormatError, OptionError, StoppedError
from polyregions.io import files
from polyregions.io.files import open_new
from polyregions.io.store import manifest, shards
from polyregions.networks.problem import pose
from problems import EVERY, PROBLEMS, Reversed, content, generic, names, same_regions, wait_until
from randoms import float_layers, generator

pytest.importorskip("pyarrow")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tasks, and many shards."""
    monkeypatch.setattr(engine, "COMPILED_BUDGET", (1, 8))
    monkeypatch.setattr(engine, "READABLE_BUDGET", (1, 4))
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)
    monkeypatch.setattr(shards, "FEWEST_ROWS", 10)


# ---------------------------------------------------------------- the same regions and the same bytes


@EVERY
def test_a_store_holds_what_a_run_in_memory_gives(name: str, tiny: None, tmp_path: Path) -> None:
    stored = pr.enumerate_regions(*PROBLEMS[name], store=tmp_path / "a")
    in_memory = pr.enumerate_regions(*PROBLEMS[name], workers=1)
    assert len(stored) == len(in_memory)
    assert same_regions(stored, in_memory)
    assert stored.regions_after_each_layer() == in_memory.regions_after_each_layer()
    assert dict(stored.score) == dict(in_memory.score)
    assert same_regions(pr.load_regions(tmp_path / "a"), in_memory)


@EVERY
def test_stores_are_the_same_whoever_does_the_tasks(name: str, tiny: None, tmp_path: Path) -> None:
    crews: list[dict[str, Any]] = [{"workers": 1}, {"workers": 2}, {"workers": 4}, {"executor": Reversed()}]
    found = []
    for i, crew in enumerate(crews):
        pr.enumerate_regions(*PROBLEMS[name], store=tmp_path / str(i), **crew)
        found.append(content(tmp_path / str(i)))
    assert all(other == found[0] for other in found)
    assert {"manifest.json", "problem.npz", "regions-000000.parquet"} <= set(found[0])


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(*name.values, {"workers": 2}, marks=name.marks) for name in names()]
    + [(name, {"engine": "highs", "workers": 1}) for name in ("generic", "degenerate 2")],
)
def test_runs_that_are_stopped_again_and_again_give_the_same_bytes(
    name: str, options: dict[str, Any], tiny: None, tmp_path: Path
) -> None:
    whole = pr.enumerate_regions(*PROBLEMS[name], store=tmp_path / "whole", **{**options, "workers": 1})
    runs, found = 0, 0
    while True:
        limit = found + len(whole) // 7 + 1
        some = pr.enumerate_regions(*PROBLEMS[name], store=tmp_path / "parts", max_regions=limit, **options)
        runs, found = runs + 1, len(some)
        if some.complete:
            break
        assert limit <= found < len(whole)
        assert set(map(bytes, some.packed)) <= set(map(bytes, whole.packed))
        assert sorted(map(bytes, some.packed)) == list(map(bytes, some.packed))
    assert runs > 3
    assert content(tmp_path / "parts") == content(tmp_path / "whole")


def test_the_readable_engine_and_the_compiled_one_find_the_same(tiny: None, tmp_path: Path) -> None:
    a = pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    b = pr.enumerate_regions(*PROBLEMS["generic"], engine="highs", workers=1, store=tmp_path / "b")
    assert np.array_equal(a.packed, b.packed)


@EVERY
def test_counts_go_on_too(name: str, tiny: None, tmp_path: Path) -> None:
    expected = pr.tally_regions(*PROBLEMS[name], workers=1)
    partial, runs = None, 0
    while partial is None or not partial.complete:
        limit = 0 if partial is None else partial.regions + 40
        partial = pr.tally_regions(*PROBLEMS[name], workers=2, max_regions=limit, store=tmp_path / "a")
        runs += 1
    assert partial == expected
    assert runs > 2
    assert sorted(content(tmp_path / "a")) == ["manifest.json", "problem.npz"]
    assert pr.count_regions(*PROBLEMS[name], store=tmp_path / "a") == expected.regions


def test_a_time_limit_gives_a_partial_result_that_goes_on(tiny: None, tmp_path: Path) -> None:
    whole = pr.enumerate_regions(*PROBLEMS["generic"], workers=1)
    runs, some = 0, None
    while some is None or not some.complete:
        some = pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a", time_limit=0.0)
        runs += 1
    assert runs > 5  # each does one task at least
    assert same_regions(some, whole)
    limited = pr.enumerate_regions(*PROBLEMS["generic"], time_limit=0.0)
    assert not limited.complete and len(limited) < len(whole)
    with pytest.raises(StoppedError, match="there are more"):
        pr.count_regions(*PROBLEMS["generic"], time_limit=0.0)


def test_progress_knows_what_was_there_before(tiny: None, tmp_path: Path) -> None:
    first = pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a", max_regions=100, workers=1)
    seen: list[pr.Progress] = []
    whole = pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a", progress=seen.append)
    last = seen[-1]
    assert (last.regions, last.regions_before, last.fraction) == (len(whole), len(first), 1.0)
    assert 0 < last.fraction_before < 1
    assert last.rate * last.seconds == pytest.approx(len(whole) - len(first))


# ---------------------------------------------------------------- killed

CHILD = """
import sys
import polyregions as pr
from polyregions.engine import tally as engine
from polyregions.io.store import shards
from randoms import float_layers, generator

engine.COMPILED_BUDGET, shards.SHARD_ROWS, shards.FEWEST_ROWS = (4, 16), 50, 50
network = pr.Network.from_layers(float_layers(generator(1), (3, 12, 10, 1)))

def tell(progress):
    print(progress.regions, flush=True)

pr.progress.REPORT_EVERY = 0.0
regions = pr.enumerate_regions(
    network, pr.Box.cube(-2, 2, 3), store=sys.argv[1], workers=int(sys.argv[2]), progress=tell
)
print("complete", flush=True)
"""


def child(folder: Path, workers: int, **options: Any) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parents[1] / "common"), str(Path(pr.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-c", CHILD, str(folder), str(workers)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def finish(folder: Path, workers: int) -> list[int]:
    """Let a child run to its end; the regions it spoke of."""
    with child(folder, workers) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = process.stdout.read().split()
        assert lines[-1] == "complete", process.stderr.read()
    return [int(line) for line in lines[:-1]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], int]:
    folder = tmp_path_factory.mktemp("undisturbed") / "store"
    return content_after(finish(folder, 1), folder)


def content_after(seen: list[int], folder: Path) -> tuple[dict[str, bytes], int]:
    return content(folder), seen[-1]


@pytest.mark.parametrize("kills", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (3, 10))])
def test_a_run_that_is_killed_again_and_again_gives_the_same_bytes(
    kills: int, undisturbed: tuple[dict[str, bytes], int], tmp_path: Path
) -> None:
    """SIGKILL at random moments: a random number of reports after the start, and a random part of a task later."""
    expected, total = undisturbed
    rng, folder, before = random.Random(6), tmp_path / "store", 0
    for kill in range(kills):
        goal = total * (kill + rng.random()) / (kills + 1)
        with child(folder, 1 + kill % 2) as process:
            assert process.stdout is not None
            for line in process.stdout:
                assert line.strip() != "complete"
                if int(line) >= max(goal, before):
                    break
            time.sleep(rng.random() / 50)
            process.kill()
        assert (folder / manifest.TASKS).exists()
        some = pr.load_regions(folder)
        assert before <= len(some) < total and not some.complete
        assert len(np.unique(some.packed, axis=0)) == len(some)
        before = len(some)
    finish(folder, 2)
    assert content(folder) == expected


def test_a_full_disk_keeps_what_is_finished(
    undisturbed: tuple[dict[str, bytes], int], tmp_path: Path
) -> None:
    """Files may not grow beyond 150 kB: what a write then gets from the operating system is an error."""
    resource = pytest.importorskip("resource", reason="no limits of files")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    with child(tmp_path / "store", 1, preexec_fn=limit) as process:
        assert process.stdout is not None and process.stderr is not None
        assert "complete" not in process.stdout.read()
        assert "what is finished is kept, and the same command goes on" in process.stderr.read()
    partial = pr.load_regions(tmp_path / "store")
    assert not partial.complete and len(partial) > 0
    finish(tmp_path / "store", 1)
    assert content(tmp_path / "store") == undisturbed[0]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=None
    ) as running:
        yield running


@pytest.mark.slow  # the quick run loses a worker without a store, and all workers with one
@pytest.mark.filterwarnings("ignore")  # of a cluster that loses a worker
@pytest.mark.xdist_group("dask")
def test_a_cluster_that_loses_a_worker_writes_the_same_bytes(
    cluster: Any, tiny: None, tmp_path: Path
) -> None:
    from distributed import Client

    network, box = pr.Network.from_layers(float_layers(generator(2), (4, 11, 9, 1))), pr.Box.cube(-2, 2, 4)
    killed: list[int] = []
    with Client(cluster) as client:
        pids = client.run(os.getpid)

        def kill(progress: pr.Progress) -> None:
            if progress.regions > 300 and not killed:
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)

        executor = client.get_executor()
        many = pr.enumerate_regions(network, box, executor=executor, progress=kill, store=tmp_path / "many")
        wait_until(lambda: not client.futures)
    assert killed and many.complete
    pr.enumerate_regions(network, box, workers=1, store=tmp_path / "one")
    assert content(tmp_path / "many") == content(tmp_path / "one")


def test_ctrl_c_keeps_what_is_finished(tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "polyregions.progress.REPORT_EVERY", 0.0
    )  # a fast machine is done before the first report
    some = pr.enumerate_regions(
        *PROBLEMS["generic"], store=tmp_path / "a", progress=lambda p: p.regions < 0, workers=1
    )
    assert not some.complete
    whole = pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    assert same_regions(whole, pr.enumerate_regions(*PROBLEMS["generic"], workers=1))


# ---------------------------------------------------------------- reading


def test_blocks_are_the_regions_shard_by_shard(tiny: None, tmp_path: Path) -> None:
    whole = pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    blocks = list(pr.region_blocks(tmp_path / "a"))
    assert {len(block) for block in blocks[:-1]} == {10}
    assert np.array_equal(np.concatenate([block.packed for block in blocks]), whole.packed)
    assert all(not block.complete for block in blocks)
    assert np.array_equal(blocks[1][3].affine_map[0], whole[13].affine_map[0])


def test_a_store_is_read_late_and_is_a_set_like_any_other(tiny: None, tmp_path: Path) -> None:
    pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    regions = pr.load_regions(tmp_path / "a")
    n = len(regions)
    assert "_loaded" not in regions.__dict__
    in_memory = pr.enumerate_regions(*PROBLEMS["generic"], workers=1)
    assert n == len(in_memory)
    assert len(pr.adjacency_arrays(regions)) == len(pr.adjacency_arrays(in_memory))
    pr.save(regions, tmp_path / "x.npz")
    assert same_regions(pr.load_regions(tmp_path / "x.npz"), in_memory)


@pytest.mark.parametrize("library", ["duckdb", "polars", "pandas"])
def test_other_programs_read_the_shards(library: str, tiny: None, tmp_path: Path) -> None:
    regions = pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    files = str(tmp_path / "a" / "*.parquet")
    if library == "duckdb":
        duckdb = pytest.importorskip("duckdb")
        rows = duckdb.sql(f"SELECT region, pattern, point FROM '{files}' ORDER BY region").fetchall()
    elif library == "polars":
        rows = pytest.importorskip("polars").read_parquet(files).select("region", "pattern", "point").rows()
    else:
        pandas = pytest.importorskip("pandas")
        table = pandas.read_parquet(tmp_path / "a" / "regions-000000.parquet")
        rows = list(table[["region", "pattern", "point"]].itertuples(index=False))
        regions_there = 10
        assert len(rows) == regions_there
    assert [row[0] for row in rows] == list(range(len(rows)))
    assert [bytes(row[1]) for row in rows] == [bytes(p) for p in regions.packed[: len(rows)]]
    assert np.array_equal([list(row[2]) for row in rows], regions.local_points[: len(rows)])
    if library != "pandas":
        assert len(rows) == len(regions)


def test_stores_without_neurons_or_dimensions(tmp_path: Path) -> None:
    linear = pr.Network.from_layers([([[1.0, 2.0]], [0.0])])
    for i, (network, domain) in enumerate(
        [(linear, pr.Box([0, 0], [1, 1])), (generic(), pr.Box([0, 0, 0], [0, 0, 0]))]
    ):
        regions = pr.enumerate_regions(network, domain, store=tmp_path / str(i))
        assert len(regions) == 1 and same_regions(regions, pr.enumerate_regions(network, domain))


# ---------------------------------------------------------------- refused


def partial_store(folder: Path) -> None:
    assert not pr.enumerate_regions(*PROBLEMS["generic"], store=folder, max_regions=50, workers=1).complete


@pytest.mark.parametrize("finished", [False, True])
def test_the_store_of_another_run_is_refused(
    finished: bool, tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a"
    network, box = PROBLEMS["generic"]
    partial_store(folder)
    if finished:
        pr.enumerate_regions(network, box, store=folder)
    before = content(folder)
    other = pr.Network.from_layers(float_layers(generator(8), (3, 9, 7, 1)))
    with pytest.raises(OptionError, match="network_sha256"):
        pr.enumerate_regions(other, box, store=folder)
    with pytest.raises(OptionError, match="its domain is"):
        pr.enumerate_regions(network, pr.Box.cube(-1, 1, 3), store=folder)
    with pytest.raises(OptionError, match='its engine is "cells", expected "highs"'):
        pr.enumerate_regions(network, box, store=folder, engine="highs")
    with pytest.raises(OptionError, match='its keeps is "regions", expected "counts"'):
        pr.tally_regions(network, box, store=folder)
    monkeypatch.setattr(manifest, "version", lambda package: "99.0")
    with pytest.raises(OptionError, match='its polyregions is .*, expected "99.0"; name another folder'):
        pr.enumerate_regions(network, box, store=folder)
    assert content(folder) == before


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear reader")
    with pytest.raises(OptionError, match="holds letter.txt, expected a store or an empty folder"):
        pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path)
    with pytest.raises(FormatError, match="cannot be a store"):
        pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "letter.txt")
    with pytest.raises(FormatError, match="has no manifest.json"):
        pr.load_regions(tmp_path)


def test_two_runs_do_not_write_to_one_store(tiny: None, tmp_path: Path) -> None:
    partial_store(tmp_path / "a")
    book = sqlite3.connect(tmp_path / "a" / manifest.TASKS)
    book.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(OptionError, match="another run has this store open"):
            pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    finally:
        book.close()


def test_counts_and_regions_are_different_stores(tiny: None, tmp_path: Path) -> None:
    pr.tally_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    with pytest.raises(OptionError, match="a store of counts"):
        pr.load_regions(tmp_path / "a")
    with pytest.raises(OptionError, match="certify"):
        pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "b", certify=True)


@pytest.mark.parametrize("file", ["regions-000003.parquet", "problem.npz", "manifest.json"])
@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
def test_damaged_stores_are_refused(file: str, how: str, tiny: None, tmp_path: Path) -> None:
    pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    path = tmp_path / "a" / file
    data = path.read_bytes()
    half = len(data) // 2
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(
            data[:half] if how == "cut" else data[:half] + bytes([data[half] ^ 1]) + data[half + 1 :]
        )
    with pytest.raises(FormatError, match=f"{file}|do not belong together|is not the shard"):
        print(pr.load_regions(tmp_path / "a").packed)


ENDLESS = (
    "DROP TABLE task; CREATE VIEW task AS WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more) "
    "SELECT n AS key, n AS n, n AS children FROM more"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE task SET start = x'00' WHERE n IS NULL",
        "UPDATE task SET packed = x'00' WHERE packed IS NOT NULL",
        "UPDATE task SET after = x'0000000000000000' WHERE n IS NOT NULL",
        "UPDATE task SET after = x'00' WHERE n IS NOT NULL",
        "UPDATE task SET first = NULL WHERE n IS NOT NULL",
        "UPDATE task SET score = 'x' WHERE n IS NOT NULL",
        """UPDATE task SET score = '{"of_another_version": 1}' WHERE n IS NOT NULL""",
        "UPDATE task SET n = 'abc' WHERE n IS NOT NULL",
        "UPDATE task SET n = -1 WHERE n IS NOT NULL",
        "UPDATE task SET key = 'zz' WHERE n IS NULL AND key = (SELECT max(key) FROM task WHERE n IS NULL)",
        "UPDATE task SET share = 'zz' WHERE n IS NULL",
        "DELETE FROM task WHERE n IS NULL",
        "DELETE FROM cursor",
        "UPDATE cursor SET shards = 5000000000",
        "UPDATE cursor SET row = 'x'",
        "UPDATE run SET identity = 'of another run'",
        "DROP TABLE shard",
        "CREATE TRIGGER t AFTER UPDATE ON task BEGIN DELETE FROM shard; END",
        ENDLESS,
    ],
)
def test_changed_tasks_are_refused(statement: str, tiny: None, tmp_path: Path) -> None:
    partial_store(tmp_path / "a")
    book = sqlite3.connect(tmp_path / "a" / manifest.TASKS)
    before = list(book.iterdump())
    book.executescript(statement)
    book.commit()
    assert statement == ENDLESS or list(book.iterdump()) != before
    book.close()
    with pytest.raises(FormatError, match="tasks.sqlite"):
        pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")


def test_tasks_without_a_manifest_are_nobodys(tiny: None, tmp_path: Path) -> None:
    """A folder from which somebody deleted the manifest, after "the store of another run"."""
    partial_store(tmp_path / "a")
    (tmp_path / "a" / "manifest.json").unlink()
    with pytest.raises(OptionError, match="expected a store or an empty folder"):
        pr.enumerate_regions(*PROBLEMS["flat"], store=tmp_path / "a")


def test_the_problem_of_another_store_is_refused(tiny: None, tmp_path: Path) -> None:
    network, _ = PROBLEMS["generic"]
    for name, size in (("a", 2.0), ("b", 0.2)):
        pr.enumerate_regions(network, pr.Box.cube(-size, size, 3), store=tmp_path / name)
    shutil.copy(tmp_path / "a" / "problem.npz", tmp_path / "b" / "problem.npz")
    with pytest.raises(FormatError, match="do not belong together"):
        pr.load_regions(tmp_path / "b")


def test_a_shard_damaged_before_the_end_is_noticed_at_the_end(tiny: None, tmp_path: Path) -> None:
    partial_store(tmp_path / "a")
    shard = tmp_path / "a" / "regions-000000.parquet"
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(FormatError, match="is not the shard that was written"):
        pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")


def test_a_finished_store_without_its_shards_is_refused(tiny: None, tmp_path: Path) -> None:
    pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    (tmp_path / "a" / "regions-000000.parquet").unlink()
    with pytest.raises(FormatError, match="no such file"):
        pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    with pytest.raises(FormatError, match="no such file"):
        pr.load_regions(tmp_path / "a")


def test_blocks_are_counted(tiny: None, tmp_path: Path) -> None:
    pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    found = manifest.read_manifest(tmp_path / "a")
    assert found is not None
    found["result"]["shards"].pop()
    sealed_again(tmp_path / "a", found)
    with pytest.raises(FormatError, match="regions, expected"):
        list(pr.region_blocks(tmp_path / "a"))


def sealed_again(folder: Path, changed: dict[str, Any]) -> None:
    """A manifest that somebody changed who knows how its digest is made."""
    changed["sha256"] = manifest._digest(changed, ("sha256",))
    (folder / "manifest.json").write_text(json.dumps(changed))


@pytest.mark.parametrize("change", [{"regions": 1}, {"after_each_layer": [3, 2, 1]}])
def test_counts_that_contradict_each_other_are_refused(
    change: dict[str, Any], tiny: None, tmp_path: Path
) -> None:
    """Even with the right digest: there are as many regions as after the last layer."""
    pr.tally_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    found = manifest.read_manifest(tmp_path / "a")
    assert found is not None
    found["result"].update(change)
    sealed_again(tmp_path / "a", found)
    with pytest.raises(FormatError, match="result is not that of a store"):
        pr.count_regions(*PROBLEMS["generic"], store=tmp_path / "a")


def test_stores_of_an_older_version_are_refused_by_name(tiny: None, tmp_path: Path) -> None:
    pr.tally_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    found = json.loads((tmp_path / "a" / "manifest.json").read_text())
    found["schema"] = "polyregions store 1"
    (tmp_path / "a" / "manifest.json").write_text(json.dumps(found))
    with pytest.raises(
        FormatError, match="'polyregions store 1' of an older version.*expected 'polyregions store 2'"
    ):
        pr.count_regions(*PROBLEMS["generic"], store=tmp_path / "a")


@pytest.mark.parametrize("bomb", ["rows", "pattern", "exact"])
def test_a_shard_that_is_small_only_as_a_file_is_refused(bomb: str, tmp_path: Path) -> None:
    """Dictionaries and run lengths make millions of regions, or of long patterns, of some kilobytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n = 10**7 if bomb == "rows" else 10**5
    few = pa.array(np.zeros(n, dtype=np.int32))

    def repeated(value: Any, kind: Any) -> Any:
        column = pa.DictionaryArray.from_arrays(few, pa.array([value], kind))
        return column.cast(kind) if bomb == "rows" else column

    long = b"x" * 10**6
    table = pa.table(
        {
            "region": pa.array(np.zeros(n, dtype=np.int64)),
            "pattern": repeated(long if bomb == "pattern" else b"ab", pa.binary()),
            "cuts": repeated(b"ab", pa.binary()),
            "point": pa.ListArray.from_arrays(
                pa.array(np.zeros(n + 1, dtype=np.int32)), pa.array([], pa.float64())
            ),
            "exact": repeated("1/1 " * 10**5 if bomb == "exact" else "1/1 1/1 1/1", pa.string()),
        }
    )
    pq.write_table(table, tmp_path / shards.shard_name(0), compression="zstd")
    assert (tmp_path / shards.shard_name(0)).stat().st_size < 10**6
    with pytest.raises(FormatError, match="not a shard of this store"):
        file = tmp_path / shards.shard_name(0)
        shards.rows_of_shard(file.read_bytes(), shards.StoreSize(2, 3), file)


def test_no_room_for_a_shard_is_a_stop_and_no_bad_input(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> Any:
        if "regions-" in path.name:
            raise OSError(28, "No space left on device")
        return open_new(path)

    with monkeypatch.context() as patch:
        patch.setattr(files, "open_new", full)
        with pytest.raises(StoppedError, match="No space left on device.*the same command goes on"):
            pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")
    assert pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a").complete


@pytest.mark.parametrize("step", ["finish_store", "forget_tasks", "write_shard", "move"])
def test_killed_between_two_steps(
    step: str, tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Just before a step, in a run that is otherwise undisturbed; the next run gives the same bytes."""
    from polyregions import streaming
    from polyregions.io.store import cut
    from polyregions.io.store.tasks import TaskBook

    class Killed(BaseException):
        pass

    def die(*arguments: Any, **options: Any) -> Any:
        raise Killed

    pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "whole", workers=1)
    place = {"write_shard": cut, "move": TaskBook}.get(step, streaming)
    with monkeypatch.context() as patch:
        patch.setattr(place, step, die)
        with pytest.raises(Killed):
            pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a", workers=1)
    pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a", workers=1)
    assert content(tmp_path / "a") == content(tmp_path / "whole")


def test_a_script_without_a_guard_may_stream_with_the_readable_engine(tmp_path: Path) -> None:
    """New processes would import it again; unasked there are none."""
    script = tmp_path / "script.py"
    script.write_text(
        "import polyregions as pr\n"
        "net = pr.load_network('example:two-moons')\n"
        "box = pr.Box([-0.1, -0.1], [0.1, 0.1])\n"
        f"print(len(pr.enumerate_regions(net, box, engine='highs', store={str(tmp_path / 'store')!r})))\n"
    )
    path = str(Path(pr.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    network, box = pr.load_network("example:two-moons"), pr.Box([-0.1, -0.1], [0.1, 0.1])
    assert (run.stdout.split(), run.returncode) == ([str(pr.count_regions(network, box))], 0), run.stderr


def test_a_task_file_that_is_none_is_refused(tiny: None, tmp_path: Path) -> None:
    partial_store(tmp_path / "a")
    for file in (tmp_path / "a").glob(f"{manifest.TASKS}*"):
        file.unlink()
    (tmp_path / "a" / manifest.TASKS).write_bytes(b"not a database" * 1000)
    with pytest.raises(FormatError, match="damaged"):
        pr.enumerate_regions(*PROBLEMS["generic"], store=tmp_path / "a")


@pytest.mark.parametrize("kernels", ["cells", "walk"])
def test_hostile_starts_touch_nothing_outside_of_the_arrays(kernels: str, tiny: None) -> None:
    """Every field of a start, changed in every way that has the right type: an error, or an index within bounds."""
    _, job = job_for(pose(*PROBLEMS["generic"]), kernels, True)
    task = next(t for t in perform(job, job.tasks()[0]).rest if not isinstance(t.start, int))
    arrays = start_arrays(task.start)
    assert start_arrays(start_of_arrays(arrays, job, "x")).keys() == arrays.keys()
    refused = 0
    for name, array in arrays.items():
        changes: list[Any] = [array[..., None], array.astype(np.float32), np.zeros((0, 3))]
        if array.dtype == np.int64:
            changes += [array + 1000, array - 1000]
        if array.ndim:
            changes += [array[:-1], np.concatenate([array, array])]
        if array.dtype == np.float64:
            changes.append(np.full_like(array, np.nan))
        for changed in changes:
            if name == "piece" and changed.ndim == 0 and changed.dtype == np.float32:
                continue  # piece 0 whatever its type
            with pytest.raises(FormatError, match="not the start of a task"):
                start_of_arrays({**arrays, name: changed}, job, "x")
            refused += 1
    assert refused > 4 * len(arrays)
    # within the arrays, but with no room for what is left
    crowded = [more_rows(arrays), more_cells(arrays)] if kernels == "walk" else [more_frames(arrays)]
    for changed in crowded:
        with pytest.raises(FormatError, match="out of range"):
            start_of_arrays(changed, job, "x")
    for name in arrays:
        with pytest.raises(FormatError):
            start_of_arrays({k: v for k, v in arrays.items() if k != name}, job, "x")


def more_rows(arrays: dict[str, Any]) -> dict[str, Any]:
    """A start whose first row is repeated as often as there is room for."""
    n = 6 + 16 - len(arrays["rows"])  # the domain's rows and one for each neuron
    again = {name: np.concatenate([np.repeat(arrays[name][:1], n, axis=0), arrays[name]]) for name in ROWS}
    shifted = {"n_rows": arrays["n_rows"] + n, "basis": arrays["basis"] + n}
    return {**arrays, **again, **shifted}


def more_frames(arrays: dict[str, Any]) -> dict[str, Any]:
    """A start whose first cell has many before it, and all units of its layer still to be asked about."""
    n = 22 - len(arrays["frames"])
    again = {name: np.concatenate([np.repeat(arrays[name][:1], n, axis=0), arrays[name]]) for name in FRAMES}
    first = int(arrays["frames"][0, 1])
    again["frames"][:n, 1:3] = first, first + 1
    again["frames"][:, 1:3] += np.minimum(np.arange(len(again["frames"])), n)[:, None]
    again["rest"][:n] = 2**7 - 1
    vertices = {
        name: np.concatenate([np.repeat(arrays[name][:1], n, axis=0), arrays[name]]) for name in VERTICES
    }
    return {**arrays, **again, **vertices}


def more_cells(arrays: dict[str, Any]) -> dict[str, Any]:
    """A start whose first cell is repeated as often as there is room for."""
    n = 16 + 1 - len(arrays["layer"])
    cells = {name: np.concatenate([np.repeat(arrays[name][:1], n, axis=0), arrays[name]]) for name in CELLS}
    first = int(arrays["number"][0])
    vertices = {
        name: np.concatenate(
            [np.tile(arrays[name][:first], (n, *[1] * (arrays[name].ndim - 1))), arrays[name]]
        )
        for name in ("vertex", "inverse", "basis")
    }
    return {**arrays, **cells, **vertices}


FRAMES, VERTICES = ("frames", "rest"), ("place", "marks")
ROWS = ("rows", "row_error", "source")
CELLS = ("layer", "position", "n_rows", "point", "share", "number")


# ---------------------------------------------------------------- the command line


MOONS = ["example:two-moons", "--box", "-2,-1.5", "3,2"]


def test_the_command_goes_on(tiny: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "enumerate",
        "example:two-moons",
        "--box",
        "-2,-1.5",
        "3,2",
        "--store",
        str(tmp_path / "s"),
        "--json",
        "-q",
    ]
    assert main([*words, "--max-regions", "100"]) == 3
    partial = json.loads(capsys.readouterr().out)
    assert 100 <= partial["regions"] < 442 and not partial["complete"]
    assert main([*words, "--time-limit", "0"]) == 3
    capsys.readouterr()
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["regions"] == 442
    assert main([*words, "--workers", "2"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["regions"], whole["complete"], whole["store"]) == (442, True, str(tmp_path / "s"))


def test_the_count_goes_on(tiny: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "count",
        "example:two-moons",
        "--box",
        "-2,-1.5",
        "3,2",
        "--store",
        str(tmp_path / "s"),
        "--json",
        "-q",
    ]
    assert main([*words, "--time-limit", "0"]) == 3
    assert not json.loads(capsys.readouterr().out)["complete"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["regions"] == 442


@pytest.mark.parametrize("limit", ["-1", "soon", "nan"])
def test_a_time_limit_is_a_number(limit: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", "example:two-moons", "--box", "0", "1", "--time-limit", limit]) == 2
    assert "expected a number of seconds" in capsys.readouterr().err
