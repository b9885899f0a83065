"""The regions of a store: all of them, read when first asked for, or shard by shard in little memory."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from polyregions._types import Bytes, Floats
from polyregions.errors import FormatError, MissingFileError, OptionError
from polyregions.io.files import as_path
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
from polyregions.regions.packed import Listing, PackedRegions
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
    pending: tuple[PackedRegions, ...] = ()

    @property
    def size(self) -> StoreSize:
        """How large patterns and points are."""
        return StoreSize.of(self.problem)

    def blocks(self) -> Iterator[PackedRegions]:
        """The regions, some at a time, in the order of the tree."""
        for number, shard in enumerate(self.shards):
            data = shard_bytes(self.folder, number, shard)
            yield rows_of_shard(data, self.size, self.folder / shard_name(number))
        yield from self.pending

    def region_set(self, listing: Listing, complete: bool) -> RegionSet:
        """Some of the regions, or all, as a set."""
        return RegionSet(self.problem, listing, complete, self.engine, self.score)


class StoredListing:
    """The regions of a store: their number is known, the arrays are read, checked and put in order when asked for.

    Args:
        contents: what the store holds.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    @cached_property
    def _loaded(self) -> PackedRegions:
        contents = self._contents
        rows = PackedRegions.joined(list(contents.blocks()), contents.size.width, contents.size.dim)
        if len(rows) != contents.n:
            raise FormatError(f"{contents.folder}: holds {len(rows)} regions, expected {contents.n}")
        listing = rows if contents.is_sorted else rows.in_lexicographic_order()
        check_regions(contents.region_set(listing, contents.complete), str(contents.folder))
        return listing

    def __reduce__(self) -> tuple[Any, ...]:
        """What travels is the regions, not the folder they are in."""
        loaded = self._loaded
        return PackedRegions, (loaded.packed, loaded.cuts, loaded.points, loaded.exact)

    def shards(self) -> Iterator[RegionSet] | None:
        """The regions a shard at a time, each a partial set of its own, without reading all of them.

        None where that would not be the same list, or spare nothing: a store that is not in order, is read already, or
        is one shard.
        """
        contents = self._contents
        if not contents.is_sorted or "_loaded" in vars(self) or len(contents.shards) < 2:
            return None
        return _checked_blocks(contents)

    @property
    def packed(self) -> Bytes:
        """The patterns."""
        return self._loaded.packed

    @property
    def cuts(self) -> Bytes:
        """The neurons that split ancestors."""
        return self._loaded.cuts

    @property
    def points(self) -> Floats:
        """The interior points."""
        return self._loaded.points

    @property
    def exact(self) -> Mapping[int, tuple[Fraction, ...]]:
        """The interior points that are no float64 points."""
        return self._loaded.exact

    @property
    def after_each_layer(self) -> tuple[int, ...] | None:
        """How many regions there are after each layer, which a finished store says."""
        return self._contents.after_each_layer

    def __len__(self) -> int:
        return self._contents.n


def open_store(folder: str | os.PathLike[str]) -> RegionSet:
    """The regions of a store, finished or not; its shards are compared with their SHA-256.

    Nothing is written and nobody is kept waiting: of an unfinished store it is what is there at this moment.

    Raises:
        FormatError: no store, or a damaged one.
        OptionError: a store of counts, or one that a run writes to faster than it can be copied.
    """
    contents = store_contents(Path(folder))
    check_shards(contents.folder, contents.shards)
    return contents.region_set(StoredListing(contents), contents.complete)


def regions_of_checked(folder: Path) -> RegionSet:
    """The same of a store whose shards were compared a moment ago."""
    contents = store_contents(folder)
    return contents.region_set(StoredListing(contents), contents.complete)


def region_blocks(folder: str | os.PathLike[str]) -> Iterator[RegionSet]:
    """The regions of a store a shard at a time, in the order of the tree: memory for one shard.

    Each block is a `RegionSet` of its own, marked as partial, and sorted only if the whole store is.

    Raises:
        FormatError: no store, or a damaged one.
        OptionError: a store of counts, or one that a run writes to faster than it can be copied.

    >>> import tempfile
    >>> import polyregions as pr
    >>> net = pr.Network.from_layers([([[1, 0], [0, 1]], [0, 0]), ([[1, 0], [0, 1]], [0, 0])])  # relu(x), relu(y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pr.enumerate_regions(net, pr.Box(-1, 1, dim=2), store=folder)
    ...     [len(block) for block in pr.region_blocks(folder)]
    [4]
    """
    return _checked_blocks(store_contents(as_path(folder, "folder")))


def parts_of(regions: RegionSet) -> Iterator[tuple[int, RegionSet]]:
    """A set in parts that follow each other, each with the number of its first region, in memory for one part.

    Those of a large store that was not read yet are its shards; anything else is one part.

    Raises:
        FormatError: the store is damaged.
    """
    listing = regions.listing
    shards = listing.shards() if isinstance(listing, StoredListing) else None
    first = 0
    for part in shards or iter([regions]):
        yield first, part
        first += len(part)


def _checked_blocks(contents: Contents) -> Iterator[RegionSet]:
    n = 0
    for rows in contents.blocks():
        block = contents.region_set(rows, False)
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
    except MissingFileError:
        raise
    except FileNotFoundError:  # a run came to its end just now, and took the tasks away
        pass
    try:
        return _contents(folder)
    except MissingFileError:
        raise
    except FileNotFoundError:
        raise FormatError(
            f"{folder}: has shards, no result and no {TASKS}, expected either of both"
        ) from None


def _contents(folder: Path) -> Contents:
    manifest = read_manifest(folder)
    if manifest is None and not folder.exists():
        raise MissingFileError(folder, "no such folder")
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


def _pending(book: TaskBook) -> Iterator[PackedRegions]:
    """What is finished and not yet in shards."""
    cursor = book.cursor()
    for key in book.pending():
        rows = book.rows(key)
        yield rows.part(cursor.row if key == cursor.key else 0, len(rows))
