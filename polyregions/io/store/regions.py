"""The regions of a store: all of them, read when first asked for, or shard by shard in little memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.errors import FormatError, OptionError
from polyregions.io.results.regions import check_points, check_regions
from polyregions.io.store.manifest import (
    MANIFEST,
    PROBLEM,
    TASKS,
    digest_of,
    domain_digest,
    read_manifest,
    read_problem,
    result_of,
)
from polyregions.io.store.shards import (
    Rows,
    Shard,
    StoreSize,
    check_shards,
    rows_of_shard,
    shard_bytes,
    shard_name,
)
from polyregions.io.store.snapshot import snapshot
from polyregions.io.store.tasks import TaskBook
from polyregions.networks.problem import Problem
from polyregions.regions.region_set import RegionSet


@dataclass(frozen=True, eq=False)
class Contents:
    """What a store holds, without the regions.

    Attributes:
        folder: the store.
        problem: network and domain.
        engine: which engine found them.
        n: the number of regions in it.
        complete: whether these are all.
        is_sorted: whether they are in lexicographic order of their patterns.
        score: how questions were settled.
        after_each_layer: the number of regions after each layer, of a finished store.
        shards: what each shard is.
        pending: what is finished and not yet in shards, of an unfinished store.
    """

    folder: Path
    problem: Problem
    engine: str
    n: int
    complete: bool
    is_sorted: bool
    score: Mapping[str, int]
    after_each_layer: tuple[int, ...] | None
    shards: tuple[Shard, ...]
    pending: tuple[Rows, ...] = ()

    @property
    def size(self) -> StoreSize:
        """How large patterns and points are."""
        return StoreSize.of(self.problem)

    def blocks(self) -> Iterator[Rows]:
        """The regions, some at a time, in the order of the tree."""
        for number, shard in enumerate(self.shards):
            data = shard_bytes(self.folder, number, shard)
            yield rows_of_shard(data, self.size, self.folder / shard_name(number))
        yield from self.pending


class StoredRegions(RegionSet):
    """The regions of a store as a `RegionSet` whose arrays are read, checked and put in order when first asked for."""

    def __init__(self, contents: Contents) -> None:
        plain: dict[str, Any] = {
            "problem": contents.problem,
            "complete": contents.complete,
            "engine": contents.engine,
            "score": contents.score,
            "certificate": None,
            "_contents": contents,
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)  # frozen

    def __reduce__(self) -> tuple[Any, ...]:
        """What travels is the regions, not the folder they are in."""
        return RegionSet, tuple(getattr(self._loaded, field.name) for field in fields(RegionSet))

    @cached_property
    def _loaded(self) -> RegionSet:
        contents: Contents = self.__dict__["_contents"]
        rows = Rows.joined(list(contents.blocks()), contents.size)
        if len(rows) != contents.n:
            raise FormatError(f"{contents.folder}: holds {len(rows)} regions, expected {contents.n}")
        loaded = _region_set(contents, rows if contents.is_sorted else _sorted(rows), contents.complete)
        check_regions(loaded, str(contents.folder))
        return loaded

    @cached_property
    def packed(self) -> Bytes:
        """The patterns."""
        return self._loaded.packed

    @cached_property
    def packed_cuts(self) -> Bytes:
        """The neurons that cut ancestors."""
        return self._loaded.packed_cuts

    @cached_property
    def local_points(self) -> Floats:
        """The interior points."""
        return self._loaded.local_points

    @cached_property
    def rational_points(self) -> Mapping[int, tuple[Fraction, ...]]:
        """The interior points that are no float64 points."""
        return self._loaded.rational_points

    def regions_after_each_layer(self) -> list[int]:
        """How many regions there are after each activation layer; a finished store says so without reading them."""
        known = self.__dict__["_contents"].after_each_layer
        return super().regions_after_each_layer() if known is None else list(known)

    def __len__(self) -> int:
        n: int = self.__dict__["_contents"].n
        return n


def open_store(folder: str | os.PathLike[str]) -> StoredRegions:
    """The regions of a store, finished or not; its shards are compared with their SHA-256.

    Nothing is written and nobody is kept waiting: of an unfinished store it is what is there at this moment.

    Raises:
        FormatError: no store, or a damaged one.
        OptionError: a store of counts, or one that a run writes to faster than it can be copied.
    """
    contents = store_contents(Path(folder))
    check_shards(contents.folder, contents.shards)
    return StoredRegions(contents)


def regions_of_checked(folder: Path) -> StoredRegions:
    """The same of a store whose shards were compared a moment ago."""
    return StoredRegions(store_contents(folder))


def region_blocks(folder: str | os.PathLike[str]) -> Iterator[RegionSet]:
    """The regions of a store a shard at a time, in the order of the tree: memory for one shard.

    Each block is a `RegionSet` of its own, marked as partial, and sorted only if the whole store is.

    Raises:
        FormatError: no store, or a damaged one.
        OptionError: a store of counts, or one that a run writes to faster than it can be copied.
    """
    contents, n = store_contents(Path(folder)), 0
    for rows in contents.blocks():
        block = _region_set(contents, rows, False)
        check_points(block, str(contents.folder))
        n += len(block)
        yield block
    if n != contents.n:
        raise FormatError(f"{contents.folder}: holds {n} regions, expected {contents.n}")


def store_contents(folder: Path) -> Contents:
    """What a store holds, without reading the regions.

    Raises:
        FormatError: no store, or a damaged one.
        OptionError: a store of counts, or one that a run writes to faster than it can be copied.
    """
    try:
        return _contents(folder)
    except FileNotFoundError:  # a run came to its end just now, and took the tasks away
        pass
    try:
        return _contents(folder)
    except FileNotFoundError:
        raise FormatError(
            f"{folder}: has shards, no result and no {TASKS}, expected either of both"
        ) from None


def _contents(folder: Path) -> Contents:
    manifest = read_manifest(folder)
    if manifest is None:
        raise FormatError(f"{folder}: has no {MANIFEST}, expected a store of regions")
    if manifest.get("keeps") != "regions":
        raise OptionError(f"{folder}: a store of counts, expected one of regions")
    problem, engine = read_problem(folder, manifest), str(manifest.get("engine"))
    digests = (problem.network.fingerprint(), domain_digest(problem))
    if digests != (manifest.get("network_sha256"), manifest.get("domain_sha256")):
        raise FormatError(f"{folder}: {PROBLEM} and {MANIFEST} do not belong together")
    result = result_of(manifest, folder)
    if result is None:
        return _unfinished(folder, problem, engine, manifest)
    return Contents(
        folder,
        problem,
        engine,
        result.regions,
        True,
        result.is_sorted,
        result.score,
        result.after_each_layer,
        result.shards,
    )


def _unfinished(folder: Path, problem: Problem, engine: str, manifest: Mapping[str, Any]) -> Contents:
    if not (folder / TASKS).exists():
        return _without_tasks(folder, problem, engine)
    with snapshot(folder / TASKS) as copy:
        book = TaskBook(copy, StoreSize.of(problem), digest_of(manifest), folder / TASKS)
        try:
            return _contents_of_book(folder, problem, engine, book)
        finally:
            book.close()


def _without_tasks(folder: Path, problem: Problem, engine: str) -> Contents:
    """A run that was stopped before its first task; shards are never there before tasks."""
    if (folder / shard_name(0)).exists():
        raise FileNotFoundError(folder / TASKS)
    return Contents(folder, problem, engine, 0, False, True, {}, None, ())


def _contents_of_book(folder: Path, problem: Problem, engine: str, book: TaskBook) -> Contents:
    score: Counter[str] = Counter()
    is_sorted, pieces = True, set()
    for done in book.finished():
        score.update(done.score)
        is_sorted = is_sorted and done.in_order
        pieces.add(done.key[0])
    return Contents(
        folder,
        problem,
        engine,
        book.totals()[0],
        False,
        is_sorted and len(pieces) < 2,
        dict(score),
        None,
        tuple(book.shards()),
        tuple(_pending(book)),
    )


def _pending(book: TaskBook) -> Iterator[Rows]:
    """What is finished and not yet in shards."""
    cursor = book.cursor()
    for key in book.pending():
        rows = book.rows(key)
        yield rows.part(cursor.row if key == cursor.key else 0, len(rows))


def _region_set(contents: Contents, rows: Rows, complete: bool) -> RegionSet:
    exact = dict(sorted(rows.exact.items()))
    arrays = (rows.packed, rows.cuts, rows.points)
    return RegionSet(contents.problem, *arrays, exact, complete, contents.engine, contents.score)


def _sorted(rows: Rows) -> Rows:
    """In lexicographic order of the patterns."""
    order = np.lexsort(rows.packed.T[::-1])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    exact = {int(place[i]): point for i, point in rows.exact.items()}
    return Rows(rows.packed[order], rows.cuts[order], rows.points[order], exact)
