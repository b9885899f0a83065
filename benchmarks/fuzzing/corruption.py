"""One changed byte in a store: refused, or without any consequence.

Run with: ``python benchmarks/fuzzing/corruption.py [--only KIND] [--step N]``.

Stores of regions and of counts, finished,
stopped (all of it in the SQLite file) and killed (part of it in SQLite's log), are damaged in one byte at a time: every
N-th byte of every file gets another value, and every digit of a manifest is replaced by another. The damaged store is
read, and the run goes on with it. Counted are the damages that were refused; those without consequence: the same
regions and counts are read, and the run ends with the same bytes; those of a log that are as if the run had been killed
a moment earlier; and, which must not be, wrong answers and other exceptions.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

import polyregions as pr
from polyregions import progress
from polyregions.engine import tally as engine
from polyregions.errors import PolyregionsError
from polyregions.io.store import shards

Files = dict[str, bytes]
REFUSED, HARMLESS, EARLIER, WRONG, OTHER = "refused", "harmless", "earlier", "WRONG", "OTHER EXCEPTION"
STOP_AT = 16  # regions; the whole has some thirty


class Kind(NamedTuple):
    """A store of one kind.

    Attributes:
        name: such as "killed regions".
        files: what is in it.
        read: what it holds, from its folder.
        go_on: the result of the run that goes on with it.
    """

    name: str
    files: Files
    read: Callable[[Path], Any]
    go_on: Callable[[Path], Any]


class Answers(NamedTuple):
    """What an intact store gives: what is read, the result in the end, and the bytes then."""

    read: Any
    result: Any
    files: Files


@contextmanager
def small_tasks() -> Iterator[None]:
    """Many tasks and shards of few regions."""
    with (
        patch.multiple(engine, COMPILED_BUDGET=(1, 4), READABLE_BUDGET=(1, 4)),
        patch.multiple(shards, SHARD_ROWS=6, FEWEST_ROWS=6),
        patch.multiple(progress, REPORT_EVERY=0.0),
    ):
        yield


def problem() -> tuple[pr.Network, pr.Box]:
    """A small network: 2-6-4-2."""
    rng = np.random.default_rng(4)
    sizes = [(6, 2), (4, 6), (2, 4)]
    layers = [(rng.standard_normal(size), rng.standard_normal(size[0])) for size in sizes]
    return pr.Network.from_layers(layers), pr.Box([-2, -2], [2, 2])


def kinds(scratch: Path) -> list[Kind]:
    """Finished, stopped and killed stores, of regions and of counts."""
    return [
        Kind(f"{how} {what}", _made(scratch / f"{how}-{what}", how, run), read, go_on)
        for what, run, read, go_on in (
            ("regions", _enumerate, _read_regions, lambda folder: _of_regions(_enumerate(folder))),
            ("counts", pr.tally_regions, _read_counts, lambda folder: _run(pr.tally_regions, folder)),
        )
        for how in ("finished", "stopped", "killed")
    ]


def answers(kind: Kind, scratch: Path) -> Answers:
    """What the intact store gives."""
    put(kind.files, scratch)
    read = kind.read(scratch)
    result = kind.go_on(scratch)
    return Answers(read, result, taken(scratch))


def judged(kind: Kind, damaged: Files, intact: Answers, scratch: Path) -> str:
    """What comes of a damaged store."""
    put(damaged, scratch)
    try:
        read = kind.read(scratch)
        result = kind.go_on(scratch)
    except PolyregionsError:
        return REFUSED
    except Exception as error:
        return f"{OTHER} {type(error).__name__}"
    files = taken(scratch)
    if kind.name.startswith("finished"):  # nothing is written then: what is damaged stays, such as a space
        files = intact.files
    if (result, files) != (intact.result, intact.files):
        return WRONG
    return HARMLESS if read == intact.read else EARLIER if _is_part(read, intact.read) else WRONG


def damages(files: Files, step: int, seed: int) -> Iterator[tuple[str, int, Files]]:
    """Every `step`-th byte of every file with another value, and digits of manifests: file, position, all files."""
    rng = random.Random(seed)
    for name, data in files.items():
        for at in range(rng.randrange(step), len(data), step):
            yield name, at, {**files, name: _changed(data, at, data[at] ^ rng.randrange(1, 256))}
        if name.endswith(".json"):
            digits = [at for at, byte in enumerate(data) if chr(byte).isdigit()]
            for at in digits[rng.randrange(step) % len(digits) :: step]:
                other = rng.choice([digit for digit in b"0123456789" if digit != data[at]])
                yield name, at, {**files, name: _changed(data, at, other)}


def put(files: Files, folder: Path) -> None:
    """A folder with these files and no others."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def taken(folder: Path) -> Files:
    """The files of a folder."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def counted(kind: Kind, scratch: Path, step: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """How often what came of damage, and where what must not."""
    intact, found, bad = answers(kind, scratch), Counter[str](), []
    for name, at, damaged in damages(kind.files, step, seed):
        what = judged(kind, damaged, intact, scratch)
        found[what] += 1
        if what not in (REFUSED, HARMLESS) and not (what == EARLIER and name.endswith("-wal")):
            bad.append(f"{kind.name}: {name}, byte {at}: {what}")
    return found, bad


def main() -> None:
    """Count, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one kind, such as 'killed regions'")
    parser.add_argument("--step", type=int, default=1, help="every how many bytes one is damaged")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| store | bytes | damages | refused | harmless | as if killed earlier | wrong | other exceptions |"
    )
    print("|---|---|---|---|---|---|---|---|")
    with small_tasks(), tempfile.TemporaryDirectory() as scratch:
        for kind in kinds(Path(scratch)):
            if options.only in (None, kind.name):
                found, bad = counted(kind, Path(scratch) / "damaged", options.step, options.seed)
                _print(kind, found, bad)


def _print(kind: Kind, found: Counter[str], bad: list[str]) -> None:
    others = sum(n for what, n in found.items() if what.startswith(OTHER))
    numbers = [sum(map(len, kind.files.values())), found.total()]
    numbers += [found[REFUSED], found[HARMLESS], found[EARLIER], found[WRONG], others]
    print(f"| {kind.name} | {' | '.join(f'{n:,}' for n in numbers)} |", *bad, sep="\n", flush=True)


def _changed(data: bytes, at: int, byte: int) -> bytes:
    return data[:at] + bytes([byte]) + data[at + 1 :]


def _made(folder: Path, how: str, run: Callable[..., Any]) -> Files:
    if how == "finished":
        _run(run, folder)
    elif how == "stopped":
        _run(run, folder, max_regions=STOP_AT)
    else:
        return _killed(folder, run)
    return taken(folder)


def _killed(folder: Path, run: Callable[..., Any]) -> Files:
    """What is in the folder in the middle of a run: what a process leaves that is killed then."""
    found: list[Files] = []

    def look(progress: pr.Progress) -> bool:
        if progress.regions >= STOP_AT:
            found.append(taken(folder))
        return not found

    _run(run, folder, progress=look)
    assert "tasks.sqlite-wal" in found[0]
    return found[0]


def _run(run: Callable[..., Any], folder: Path, **options: Any) -> Any:
    return run(*problem(), store=folder, workers=1, **options)


def _enumerate(*arguments: Any, **options: Any) -> pr.RegionSet:
    return pr.enumerate_regions(*arguments, **options) if options else _run(pr.enumerate_regions, *arguments)


def _of_regions(regions: pr.RegionSet) -> Any:
    arrays = (regions.packed, regions.packed_cuts, regions.local_points)
    numbers = (len(regions), regions.complete, regions.regions_after_each_layer(), dict(regions.score))
    return *numbers, *(array.tobytes() for array in arrays), dict(regions.rational_points)


def _read_regions(folder: Path) -> Any:
    """All of it, in both ways."""
    blocks = [_of_regions(block) for block in pr.region_blocks(folder)]
    return {
        "whole": _of_regions(pr.load_regions(folder)),
        "blocks": blocks,
        "patterns": {bytes(pattern) for block in pr.region_blocks(folder) for pattern in block.packed},
        "name": pr.load_regions(folder).network.name,
    }


def _read_counts(folder: Path) -> Any:
    """What is counted so far: a limit that is reached already, so no task is done."""
    copy = folder.with_name("read")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    tally = _run(pr.tally_regions, copy, max_regions=0)
    return {"tally": tally, "patterns": tally.regions}


def _is_part(read: Any, whole: Any) -> bool:
    """Whether what was read is less of the same, of a run that is not finished."""
    return bool(read["patterns"] <= whole["patterns"])


if __name__ == "__main__":
    main()
