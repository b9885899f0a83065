"""The rows of the census: a file of finished ones, to which one is added at a time, and the table made of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Key = tuple[str, str, str]  # network, box, part


class Rows:
    """Finished rows by key, in a file of one JSON object a line.

    Args:
        file: where they are; a last line that was not finished is cut off.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._rows: dict[Key, Row] = {}
        if file.exists():
            self._read()

    def _read(self) -> None:
        data = self.file.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.truncate(self.file, len(whole))
        for line in whole.splitlines():
            row = json.loads(line)
            self._rows[key_of(row)] = row

    def append(self, row: Row) -> None:
        """Add a finished row, on disk when this returns."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with open(self.file, "ab", buffering=0) as out:
            out.write(json.dumps(row).encode() + b"\n")
            os.fsync(out.fileno())
        self._rows[key_of(row)] = row

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __getitem__(self, key: Key) -> Row:
        return self._rows[key]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Row | None:
        """A row, None if it is not there."""
        return self._rows.get(key)

    def to_parquet(self, file: Path) -> None:
        """Write all rows as a table, sorted by key, in one step; counts also say what they were checked with."""
        from pyarrow import Table, parquet  # an extra

        table = Table.from_pylist(self._whole())
        partial = file.with_suffix(".partial")
        parquet.write_table(table, partial)
        partial.replace(file)

    def _whole(self) -> list[Row]:
        names = dict.fromkeys(name for row in self for name in row)
        found = []
        for key in sorted(self._rows):
            row: Row = {**dict.fromkeys((*names, "checked_with")), **self._rows[key]}
            if key[2] == "regions":
                row["checked_with"] = checked_with(row, self.get((*key[:2], "check")))
            found.append(row)
        return found


def key_of(row: Row) -> Key:
    """What a row is of."""
    return row["network"], row["box"], row["part"]


def checked_with(row: Row, check: Row | None) -> str | None:
    """The setting of the run that gave the same counts, None if there was none or it gave others."""
    if check is None or any(check[name] != row[name] for name in ("regions", "after")):
        return None
    return f"{check['engine']}, {check['workers']} workers"
