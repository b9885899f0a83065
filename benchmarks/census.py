"""How many linear regions do the 45 ACAS Xu networks have? A table that can be stopped and gone on with.

Run with: ``POLYREGIONS_CORPUS=... python benchmarks/census.py`` (an hour of one core), then the same with ``--check``,
``--halves`` and ``--certificates``, then ``python benchmarks/census_page.py``. Finished rows are appended to
``census.jsonl`` one by one, and what is there is not done again; at the end all are written to ``census.parquet``.

Boxes, in the networks' own units: those of the properties 1 (which is also that of 2), 3 and 4, and the middle 10 %,
20 % and 30 % of each input's range; "whole" is all of it. Parts of a row's key:

* ``regions``: regions, and after each layer (`tally_regions`);
* ``decisions``: argmin decision cells by class and dead regions (`dead_regions`: some layer is zero in them), by the
  engine that counts the regions once more with the comparisons of classes as one more layer;
* ``estimate``: `estimate_regions`, on the box of property 1 and the whole domain; the first is counted too where that
  costs less than ``--afford`` seconds;
* ``check``, ``halves``, ``certificate``: see `census_checks.py`.

Seconds are processor time. With ``--executor processes:N`` or ``dask:ADDRESS`` each row is a task of one worker; `run`
takes any other `concurrent.futures.Executor`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import perf_counter, process_time, thread_time
from typing import Any

import numpy as np

from census_checks import certificate, check, halves
from census_rows import Key, Row, Rows
from polyregions import Box, Network, estimate_regions, load_domain, load_network, tally_regions
from polyregions.analysis.decisions.contest import with_comparisons
from polyregions.engine.cells.contest import pairs_of
from polyregions.engine.cells.driver import CellsRun
from polyregions.engine.reduction import Reduction, reduce
from polyregions.networks.problem import pose
from polyregions.polyhedra.domain import Domain
from polyregions.polyhedra.oracle.referee import Referee

NETWORKS = [f"{i}_{j}" for i in range(1, 6) for j in range(1, 10)]
EXACT = ["prop_4", "middle_10", "prop_1", "prop_3", "middle_20", "middle_30"]  # the cheap ones first
BOXES = [*EXACT, "whole"]
UNKNOWN = {"prop_1", "whole"}  # boxes that are estimated first
SETS = ("regions", "decisions", "estimate")
CERTIFIED = [("middle_10", 10)]  # the boxes with the fewest regions
HALVED = [("middle_20", 5)]
RANGES = [((0 - 19791.091) / 60261, (60760 - 19791.091) / 60261), *[(-0.5, 0.5)] * 4]


@dataclass(frozen=True)
class Work:
    """One row to make.

    Attributes:
        key: network, box and part.
        corpus: the folder of the networks.
        commit: what it is made with.
        workers: threads.
        own_thread: whether other rows may be made in the same process, so that only this thread's time counts.
        first: the row that a check repeats.
    """

    key: Key
    corpus: Path
    commit: str
    workers: int
    own_thread: bool = False
    first: Row | None = None


def main() -> None:
    """Make what is missing."""
    arguments = parser().parse_args()
    folder = os.environ.get("POLYREGIONS_CORPUS")
    if folder is None:
        sys.exit("set POLYREGIONS_CORPUS to the folder of the corpus")
    rows = Rows(Path(arguments.output) / "census.jsonl")
    with executor(arguments.executor) as pool:
        run(rows, Path(folder), arguments, pool)
    rows.to_parquet(Path(arguments.output) / "census.parquet")


def parser() -> ArgumentParser:
    """The options."""
    found = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    found.add_argument("-o", "--output", default="census", help="folder of census.jsonl and census.parquet")
    found.add_argument("--workers", type=int, default=1, help="threads of one row")
    found.add_argument("--executor", default="", help="processes:N or dask:ADDRESS; each row is a task")
    found.add_argument("--only", nargs="+", default=NETWORKS, choices=NETWORKS, metavar="NETWORK")
    found.add_argument(
        "--boxes", nargs="+", default=BOXES, choices=BOXES, metavar="BOX", help=", ".join(BOXES)
    )
    found.add_argument("--parts", nargs="+", default=list(SETS), choices=SETS, metavar="PART")
    found.add_argument("--afford", type=float, default=600.0, help="seconds that a count on prop_1 may take")
    found.add_argument(
        "--check", action="store_true", help="count once more, with other workers, and compare"
    )
    found.add_argument("--certificates", action="store_true", help="ten certificates, made and checked")
    found.add_argument("--halves", action="store_true", help="five boxes and their halves")
    return found


@contextmanager
def executor(name: str) -> Iterator[Executor | None]:
    """What rows are handed to."""
    kind, _, value = name.partition(":")
    if kind == "processes":
        with ProcessPoolExecutor(int(value)) as pool:
            yield pool
    elif kind == "dask":
        from distributed import Client

        with Client(value) as client:
            yield client.get_executor()
    elif not kind:
        yield None
    else:
        sys.exit(f"--executor: found {name!r}, expected processes:N or dask:ADDRESS")


def run(rows: Rows, corpus: Path, arguments: Namespace, pool: Executor | None = None) -> None:
    """Make the rows that are asked for and are not there."""
    commit = commit_of(Path(__file__).parent)
    for keys in stages(arguments, rows, corpus):
        missing = [key for key in keys if key not in rows]
        works = [work_for(key, corpus, commit, arguments, rows, pool is not None) for key in missing]
        for at, row in enumerate(made(works, pool)):
            rows.append(row)
            print(f"{at + 1}/{len(missing)} {line(row)}", flush=True)


def stages(arguments: Namespace, rows: Rows, corpus: Path) -> Iterator[list[Key]]:
    """The keys, those that depend on finished rows after these."""
    there = [name for name in arguments.only if file_of(corpus, name) is not None]
    for name in sorted(set(arguments.only) - set(there)):
        print(f"skipped: {name}, whose file is not in {corpus}")
    if arguments.check:
        yield [(n, b, "check") for b in arguments.boxes for n in there if (n, b, "regions") in rows]
        return
    if arguments.certificates or arguments.halves:
        chosen = [("certificate", CERTIFIED)] if arguments.certificates else []
        chosen += [("halves", HALVED)] if arguments.halves else []
        yield [key for part, boxes in chosen for key in smallest(rows, there, part, boxes)]
        return
    for box in arguments.boxes:
        if box in UNKNOWN and "estimate" in arguments.parts:
            yield [(n, box, "estimate") for n in there]
        for part in [part for part in ("regions", "decisions") if part in arguments.parts]:
            yield [(n, box, part) for n in there if is_affordable(rows, n, box, arguments.afford)]


def is_affordable(rows: Rows, network: str, box: str, seconds: float) -> bool:
    """Whether to count: everywhere but where the estimate says that it is too dear."""
    if box not in UNKNOWN:
        return True
    found = rows.get((network, box, "estimate"))
    return found is not None and found["price"] <= seconds


def smallest(rows: Rows, networks: list[str], part: str, boxes: list[tuple[str, int]]) -> list[Key]:
    """The networks with the fewest regions on a box, some of each."""
    found = []
    for box, n in boxes:
        counted = [
            (rows[name, box, "regions"]["regions"], name)
            for name in networks
            if (name, box, "regions") in rows
        ]
        found += [(name, box, part) for _, name in sorted(counted)[:n]]
    return found


def work_for(key: Key, corpus: Path, commit: str, arguments: Namespace, rows: Rows, is_task: bool) -> Work:
    """A row to make; a check takes another number of workers than the row it repeats."""
    workers = 1 if is_task else arguments.workers
    first = rows.get((*key[:2], "regions"))
    if key[2] == "check" and first is not None and workers == first["workers"] and not is_task:
        workers = 2 if workers == 1 else 1
    return Work(key, corpus, commit, workers, is_task, first)


def made(works: list[Work], pool: Executor | None) -> Iterator[Row]:
    """The rows, as they are ready."""
    if pool is None:
        yield from map(row_of, works)
        return
    tasks = [pool.submit(row_of, work) for work in works]
    for task in as_completed(tasks):
        yield task.result()


def row_of(work: Work) -> Row:
    """Make one row."""
    name, box, part = work.key
    file = file_of(work.corpus, name)
    assert file is not None
    network, domain, clock = load_network(file), domain_of(work.corpus, box), process_time
    if work.own_thread:
        clock = thread_time
    started, wall = clock(), perf_counter()
    values = PARTS[part](network, domain, work)
    return {
        "network": name,
        "box": box,
        "part": part,
        **values,
        "seconds": round(clock() - started, 3),
        "wall": round(perf_counter() - wall, 3),
        "workers": 1 if part in ("decisions", "estimate") else work.workers,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": work.commit,
    }


def count(network: Network, domain: Domain, work: Work) -> Row:
    """Regions, and after each layer."""
    tally = tally_regions(network, domain, workers=work.workers)
    return {"regions": tally.regions, "after": list(tally.after_each_layer), "engine": tally.engine}


def estimate(network: Network, domain: Domain, work: Work) -> Row:
    """About how many, and the seconds of one core that the exact number costs."""
    found = estimate_regions(network, domain)
    return {
        "estimate": found.regions,
        "low": found.low,
        "high": found.high,
        "is_exact": found.is_exact,
        "rate": found.rate,
        "price": found.seconds(),
    }


def decisions(network: Network, domain: Domain, work: Work) -> Row:
    """Regions once more, argmin decision cells by class, and dead regions, in all and by the layer that dies first."""
    problem, pairs = pose(network, domain), pairs_of(network.n_outputs)
    reduction = reduce(problem)
    contest = with_comparisons(reduction.problem, "argmin", pairs)
    run = CellsRun(contest, contest=pairs)
    total = Census(network, reduction)
    for start in run.starts():
        for found in run.part(start, Referee(contest.solid.bounds)).contested():
            if len(found.label):
                total.add(found.bits, found.label)
    return {
        "regions": total.regions,
        "cells": total.cells.tolist(),
        "dead": int(total.dead.sum()),
        "dead_in": total.dead.tolist(),
    }


class Census:
    """Adds up decision cells and dead regions, parts of regions at a time; parts of one region follow each other."""

    def __init__(self, network: Network, reduction: Reduction) -> None:
        self.network, self.reduction = network, reduction
        self.regions = 0
        self.cells = np.zeros(network.n_outputs, dtype=np.int64)
        self.dead = np.zeros(len(network.layer_spans), dtype=np.int64)
        self._bits, self._won = np.zeros(0, dtype=np.uint8), np.zeros(network.n_outputs, dtype=np.bool_)

    def add(self, bits: Any, label: Any) -> None:
        """The next parts: patterns (B, n) of the neurons kept, and the classes (B,)."""
        is_new = np.ones(len(bits), dtype=np.bool_)
        is_new[1:] = np.any(bits[1:] != bits[:-1], axis=1)
        goes_on = self.regions > 0 and np.array_equal(bits[0], self._bits)
        is_new[0] = not goes_on
        region = np.cumsum(is_new) - is_new[0]  # the first is 0 either way
        won = np.zeros((region[-1] + 1, len(self.cells)), dtype=np.bool_)
        won[region, label] = True
        self.cells += won.sum(axis=0)
        if goes_on:
            self.cells -= won[0] & self._won
            won[0] |= self._won
        self.regions += int(is_new.sum())
        self._bits, self._won = bits[-1].copy(), won[-1]
        self._look_for_dead(bits[is_new])

    def _look_for_dead(self, bits: Any) -> None:
        wide = self.reduction.widened(bits, self.reduction.fixed)
        is_alive = np.ones(len(wide), dtype=np.bool_)
        for layer, (start, end) in enumerate(self.network.layer_spans):
            dies = is_alive & ~wide[:, start:end].any(axis=1)
            self.dead[layer] += np.count_nonzero(dies)
            is_alive &= ~dies


PARTS = {
    "regions": count,
    "decisions": decisions,
    "estimate": estimate,
    "check": check,
    "certificate": certificate,
    "halves": halves,
}


def domain_of(corpus: Path, box: str) -> Domain:
    """A box by its name."""
    if box.startswith("prop"):
        return load_domain(corpus / "acasxu" / f"{box}.vnnlib")
    share = 1.0 if box == "whole" else int(box.removeprefix("middle_")) / 100
    low, high = (np.array(ends) for ends in zip(*RANGES, strict=True))
    if share == 1.0:
        return Box(low, high)
    middle, half = (low + high) / 2, share / 2 * (high - low)
    return Box(middle - half, middle + half)


@cache
def file_of(corpus: Path, network: str) -> Path | None:
    """Where a network is, in one of two folders."""
    for folder in ("acasxu", "acasxu45"):
        file = corpus / folder / f"ACASXU_run2a_{network}_batch_2000.onnx"
        if file.exists():
            return file
    return None


def commit_of(folder: Path) -> str:
    """The commit, with a + where files differ from it."""
    git = ["git", "-C", str(folder)]
    found = subprocess.run([*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD"], capture_output=True)
    return (found.stdout.strip() or "unknown") + ("+" if changed.returncode == 1 else "")


def line(row: Mapping[str, Any]) -> str:
    """A row for people."""
    said: Iterable[str] = (
        f"{name}={row[name]}" for name in ("regions", "cells", "dead", "estimate", "equal") if name in row
    )
    return f"{row['network']} {row['box']} {row['part']}: {' '.join(said)} in {row['seconds']} s"


if __name__ == "__main__":
    main()
