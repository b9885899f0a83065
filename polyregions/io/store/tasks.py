"""The tasks of an unfinished run, in a SQLite file: which wait, and what came of those that are finished.

Every change is a transaction, so whatever kills the process, a task is waiting or finished with all its regions.
Regions leave for shards as soon as everything before them in the tree is finished.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyregions._types import Bytes, Ints
from polyregions.errors import FormatError, OptionError, StoppedError
from polyregions.exact.numbers import rational_of_text, rational_text
from polyregions.io.store.shards import Rows, StoreSize

SCHEMA: Final = """
CREATE TABLE task (
    key TEXT NOT NULL UNIQUE, share REAL NOT NULL, start BLOB, digest TEXT, n INTEGER,
    packed BLOB, cuts BLOB, points BLOB, exact TEXT, first BLOB, last BLOB, after BLOB, score TEXT, in_order INTEGER,
    children INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX waiting ON task (key) WHERE n IS NULL;
CREATE TABLE cursor (key TEXT NOT NULL, row INTEGER NOT NULL, shards INTEGER NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE shard (number INTEGER PRIMARY KEY, digest TEXT NOT NULL);
CREATE TABLE run (identity TEXT NOT NULL, roots INTEGER NOT NULL)
"""
CANNOT_WRITE: Final = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
)
BEYOND: Final = "~"  # sorts after every key


@dataclass(frozen=True)
class Waiting:
    """A task to be done: its place in the tree, the part of the tree that it is at most, and its packed start."""

    key: tuple[int, ...]
    share: float
    start: bytes


@dataclass(frozen=True, eq=False)
class Finished:
    """What came of a task.

    Attributes:
        key: its place in the tree.
        n: the number of its regions.
        first, last, after: what counting its layers needs, see `LayerCount`.
        score: how questions were settled.
        in_order: whether its regions are in lexicographic order.
    """

    key: tuple[int, ...]
    n: int
    first: Bytes
    last: Bytes
    after: Ints
    score: dict[str, int]
    in_order: bool


@dataclass(frozen=True)
class Cursor:
    """How far shards have come: the next row of the next task, the shards so far and the regions in them."""

    key: str
    row: int
    shards: int
    rows: int


class TaskBook:
    """The tasks of one run, open for this process alone.

    Args:
        file: the SQLite file; made if it is not there.
        size: of the patterns and points.
        identity: the digest of what the run is; the tasks of another one are refused.

    Raises:
        OptionError: another process has it open.
        FormatError: it is damaged or something else.
        StoppedError: it cannot be written.
    """

    def __init__(self, file: Path, size: StoreSize, identity: str) -> None:
        self._file, self._size, self._identity = file, size, identity
        with self._errors():
            self._db = sqlite3.connect(file, timeout=0, isolation_level=None)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        for setting in ("trusted_schema = OFF", "locking_mode = EXCLUSIVE", "journal_mode = WAL"):
            self._db.execute(f"PRAGMA {setting}")
        self._db.execute("PRAGMA synchronous = NORMAL")
        statements = [statement.strip() for statement in SCHEMA.split(";")]
        with self._transaction():
            found = {
                sql for (sql,) in self._db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
            }
            if not found:
                for statement in statements:
                    self._db.execute(statement)
                self._db.execute("INSERT INTO cursor VALUES ('', 0, 0, 0)")
                self._db.execute("INSERT INTO run VALUES (?, 0)", (self._identity,))
            elif found != set(statements):  # a view may take the place of a table, and never end
                raise FormatError(f"{self._file}: not the tasks of a store")
        self._check()

    def _check(self) -> None:
        """Refuse the tasks of another run, and a tree with a part missing."""
        for name in ("run", "cursor"):
            if self._one(f"SELECT count(*) FROM {name}")[0] != 1:
                raise FormatError(f"{self._file}: damaged (table {name})")
        identity, roots = self._one("SELECT identity, roots FROM run")
        n, children = self._one("SELECT count(*), coalesce(sum(children), 0) FROM task")
        if identity != self._identity:
            raise FormatError(f"{self._file}: the tasks of another run")
        if n != roots + children:
            raise FormatError(
                f"{self._file}: damaged ({n} tasks, expected {roots} and {children} that they left)"
            )
        cursor = self.cursor()
        shards = self._one("SELECT count(*), coalesce(max(number) + 1, 0) FROM shard")
        if shards != (cursor.shards, cursor.shards) or not cursor.row >= 0:
            raise FormatError(f"{self._file}: damaged (its cursor)")

    def close(self) -> None:
        """Let others open it."""
        self._db.close()

    @property
    def is_new(self) -> bool:
        """Whether no task was ever put in."""
        return not self._one("SELECT count(*) FROM task")[0]

    @property
    def is_done(self) -> bool:
        """Whether no task waits."""
        return self._one("SELECT min(key) FROM task WHERE n IS NULL")[0] is None

    def begin(self, tasks: Sequence[Waiting]) -> None:
        """Put in the tasks to begin with."""
        with self._errors(), self._transaction():
            self._add(tasks)
            self._db.execute("UPDATE run SET roots = ?", (len(tasks),))

    def finish(self, done: Finished, rows: Rows | None, rest: Sequence[Waiting]) -> None:
        """A task is finished, with its regions unless they are only counted, and leaves others."""
        blobs = (
            (None, None, None, None)
            if rows is None
            else (rows.packed.tobytes(), rows.cuts.tobytes(), rows.points.tobytes(), _exact_text(rows))
        )
        counts = (done.first.tobytes(), done.last.tobytes(), done.after.tobytes(), json.dumps(done.score))
        with self._errors(), self._transaction():
            self._db.execute(
                "UPDATE task SET start = NULL, digest = NULL, n = ?, packed = ?, cuts = ?, points = ?, exact = ?, "
                "first = ?, last = ?, after = ?, score = ?, in_order = ?, children = ? WHERE key = ?",
                (done.n, *blobs, *counts, done.in_order, len(rest), key_text(done.key)),
            )
            self._add(rest)

    def waiting(self) -> list[Waiting]:
        """The tasks that wait, in the order of the tree.

        Raises:
            FormatError: a start is not as it was stored.
        """
        found = []
        for key, share, start, digest in self._all(
            "SELECT key, share, start, digest FROM task WHERE n IS NULL ORDER BY key"
        ):
            if not isinstance(start, bytes) or hashlib.sha256(start).hexdigest() != digest:
                raise FormatError(f"{self._file}: the start of task {key} is damaged")
            with self._damage(key):
                found.append(Waiting(key_of_text(key), float(share), start))
        return found

    def finished(self) -> Iterator[Finished]:
        """The tasks that are finished, in the order of the tree."""
        query = (
            "SELECT key, n, first, last, after, score, in_order FROM task WHERE n IS NOT NULL ORDER BY key"
        )
        for key, n, first, last, after, score, in_order in self._all(query):
            with self._damage(key):
                done = Finished(
                    key_of_text(key),
                    _count(n),
                    np.frombuffer(first, dtype=np.uint8).copy(),
                    np.frombuffer(last, dtype=np.uint8).copy(),
                    np.frombuffer(after, dtype=np.int64).copy(),
                    {str(name): _count(value) for name, value in json.loads(score).items()},
                    bool(in_order),
                )
            yield done

    def totals(self) -> tuple[int, float]:
        """The regions of finished tasks, and the part of the tree that waits."""
        n = self._one("SELECT coalesce(sum(n), 0) FROM task")[0]
        share = self._one("SELECT coalesce(sum(share), 0.0) FROM task WHERE n IS NULL")[0]
        with self._damage("all"):
            return _count(n), float(share)

    # ------------------------------------------------------------ regions on their way to shards

    def cursor(self) -> Cursor:
        """How far shards have come."""
        key, row, shards, rows = self._one("SELECT key, row, shards, rows FROM cursor")
        with self._damage("cursor"):
            return Cursor(str(key), _count(row), _count(shards), _count(rows))

    def digests(self) -> list[str]:
        """The SHA-256 of each shard, as it was written."""
        return [str(digest) for (digest,) in self._all("SELECT digest FROM shard ORDER BY number")]

    def ready(self) -> list[tuple[str, int]]:
        """Finished tasks from the cursor on before the first that waits, with their numbers of regions."""
        barrier = self._one("SELECT min(key) FROM task WHERE n IS NULL")[0] or BEYOND
        query = "SELECT key, n FROM task WHERE key >= ? AND key < ? ORDER BY key"
        with self._damage("ready"):
            return [(str(key), _count(n)) for key, n in self._all(query, (self.cursor().key, barrier))]

    def pending(self) -> list[str]:
        """Finished tasks whose regions are not all in shards, in the order of the tree."""
        query = "SELECT key FROM task WHERE key >= ? AND n IS NOT NULL ORDER BY key"
        return [key for (key,) in self._all(query, (self.cursor().key,))]

    def rows(self, key: str) -> Rows:
        """The regions of a finished task.

        Raises:
            FormatError: they are not as they were stored.
        """
        n, packed, cuts, points, exact = self._one(
            "SELECT n, packed, cuts, points, exact FROM task WHERE key = ?", (key,)
        )
        with self._damage(key):
            return Rows(
                np.frombuffer(packed, dtype=np.uint8).reshape(n, self._size.width),
                np.frombuffer(cuts, dtype=np.uint8).reshape(n, self._size.width),
                np.frombuffer(points, dtype=np.float64).reshape(n, self._size.dim),
                {int(i): rational_of_text(text, self._size.dim) for i, text in json.loads(exact).items()},
            )

    def move(self, cursor: Cursor, digest: str) -> None:
        """One more shard is written: what is in it is not needed here any more."""
        with self._errors(), self._transaction():
            self._db.execute("INSERT INTO shard VALUES (?, ?)", (cursor.shards - 1, digest))
            self._db.execute(
                "UPDATE cursor SET key = ?, row = ?, shards = ?, rows = ?",
                (cursor.key, cursor.row, cursor.shards, cursor.rows),
            )
            self._db.execute(
                "UPDATE task SET packed = NULL, cuts = NULL, points = NULL, exact = NULL "
                "WHERE key < ? AND packed IS NOT NULL",
                (cursor.key,),
            )

    # ------------------------------------------------------------ below: SQLite

    def _add(self, tasks: Iterable[Waiting]) -> None:
        self._db.executemany(
            "INSERT INTO task (key, share, start, digest) VALUES (?, ?, ?, ?)",
            [(key_text(t.key), t.share, t.start, hashlib.sha256(t.start).hexdigest()) for t in tasks],
        )

    def _one(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        with self._errors():
            found = self._db.execute(query, values).fetchone()
        if found is None:
            raise FormatError(f"{self._file}: damaged (a row is missing)")
        return found

    def _all(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._errors():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _damage(self, key: str) -> Iterator[None]:
        """Values that cannot be what was stored as one error."""
        try:
            yield
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError):
            raise FormatError(f"{self._file}: task {key} is damaged") from None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors as this package's."""
        try:
            yield
        except sqlite3.OperationalError as error:
            code = (
                getattr(error, "sqlite_errorcode", 0) & 0xFF
            )  # primary; none where text could not be decoded
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise OptionError(f"{self._file}: another run has this store open") from None
            if code in CANNOT_WRITE:
                kept = "what is finished is kept, and the same command goes on"
                raise StoppedError(f"{self._file}: cannot be written ({error}); {kept}") from None
            raise FormatError(f"{self._file}: damaged ({error})") from None
        except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite's messages quote what is damaged
            raise FormatError(f"{self._file}: damaged ({error})") from None


def key_text(key: tuple[int, ...]) -> str:
    """A task's key as a text; texts sort like keys.

    >>> key_text((3, 0, 2))
    '0000302'
    """
    return f"{key[0]:05d}" + "".join(chr(ord("0") + i) for i in key[1:])


def key_of_text(text: str) -> tuple[int, ...]:
    """What `key_text` wrote.

    >>> key_of_text("0000302")
    (3, 0, 2)
    """
    return int(text[:5]), *(ord(letter) - ord("0") for letter in text[5:])


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _exact_text(rows: Rows) -> str:
    return json.dumps({str(i): rational_text(point) for i, point in rows.exact.items()})
