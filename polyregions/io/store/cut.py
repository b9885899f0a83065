"""From finished tasks to shards: regions in the order of the tree, cut into shards of one size."""

from __future__ import annotations

from pathlib import Path

from polyregions.io.store.shards import StoreSize, write_shard
from polyregions.io.store.tasks import Cursor, TaskBook
from polyregions.regions.packed import PackedRegions


def write_ready(folder: Path, book: TaskBook, size: StoreSize, to_the_end: bool) -> None:
    """Write shards of all regions before which everything is finished; one that is not full only at the end.

    Killed between the two steps, it writes the same shard again.

    Raises:
        FormatError: a shard cannot be written, or a task is damaged.
        StoppedError: there is no room left on the disk.
    """
    while True:
        cursor = book.cursor()
        spans = spans_of(book.ready(), cursor, size.shard_rows)
        n = sum(stop - start for _, start, stop in spans)
        if n < size.shard_rows and not (to_the_end and n):
            return
        rows = PackedRegions.joined(
            [book.rows(key).part(start, stop) for key, start, stop in spans], size.width, size.dim
        )
        shard = write_shard(folder, cursor.shards, cursor.rows, rows)
        key, _, row = spans[-1]
        book.move(Cursor(key, row, cursor.shards + 1, cursor.rows + n), shard)


def spans_of(ready: list[tuple[str, int]], cursor: Cursor, size: int) -> list[tuple[str, int, int]]:
    """The next `size` regions, or as many as there are: tasks, and the first row and the one after the last of each.

    >>> spans_of([("a", 3), ("b", 0), ("c", 4)], Cursor("a", 1, 0, 1), 4)
    [('a', 1, 3), ('c', 0, 2)]
    """
    spans, missing = [], size
    for key, n in ready:
        start = cursor.row if key == cursor.key else 0
        stop = min(n, start + missing)
        if stop > start:
            spans.append((key, start, stop))
            missing -= stop - start
    return spans
