"""The tasks of an unfinished run, in a SQLite file: which wait, and what came of those that are finished.

Every change is a transaction, so whatever kills the process, a task is waiting or finished with all its regions.
Regions leave for shards as soon as everything before them in the tree is finished. Every row carries a seal, and
together the tasks have to be a whole tree: what SQLite itself does not notice, an opened book does.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyregions._types import Bytes, Ints
from polyregions.errors import FormatError, InternalError, OptionError, StoppedError
from polyregions.exact.numbers import rational_of_text, rational_text
from polyregions.io.files import open_new, shortened
from polyregions.io.store.seals import seal
from polyregions.io.store.shards import Shard, StoreSize
from polyregions.io.store.snapshot import check_no_links
from polyregions.regions.packed import PackedRegions

SCHEMA: Final = """
CREATE TABLE task (
    key TEXT NOT NULL UNIQUE, share REAL NOT NULL, start BLOB, n INTEGER,
    packed BLOB, cuts BLOB, points BLOB, exact TEXT, content TEXT,
    first BLOB, last BLOB, after BLOB, score TEXT, in_order INTEGER,
    children INTEGER NOT NULL DEFAULT 0, seal TEXT NOT NULL
);
CREATE INDEX waiting ON task (key) WHERE n IS NULL;
CREATE TABLE cursor (
    key TEXT NOT NULL, row INTEGER NOT NULL, shards INTEGER NOT NULL, rows INTEGER NOT NULL, seal TEXT NOT NULL
);
CREATE TABLE shard (number INTEGER PRIMARY KEY, size INTEGER NOT NULL, sha256 TEXT NOT NULL);
CREATE TABLE run (identity TEXT NOT NULL, roots INTEGER NOT NULL, seal TEXT NOT NULL)
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


START: Final = Cursor("", 0, 0, 0)


class TaskBook:
    """The tasks of one run, open for this process alone.

    Args:
        file: the SQLite file; made if it is not there.
        size: of the patterns and points.
        identity: the digest of what the run is; the tasks of another one are refused.
        shown: the file that messages name, if another one than what is opened.

    Raises:
        OptionError: another process has it open.
        FormatError: it is damaged or something else.
        StoppedError: it cannot be written.
    """

    def __init__(self, file: Path, size: StoreSize, identity: str, shown: Path | None = None) -> None:
        self._file, self._size, self._identity = shown or file, size, identity
        _make(file)
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
            if not found and self._one("PRAGMA page_count")[0] <= 1:
                self._fill(statements)
            elif found != set(statements):  # a view may take the place of a table, and never end
                raise FormatError(f"{self._file}: not the tasks of a store")
        self._check()

    def _fill(self, statements: Sequence[str]) -> None:
        """What a book has from the beginning."""
        for statement in statements:
            self._db.execute(statement)
        self._db.execute("INSERT INTO cursor VALUES ('', 0, 0, 0, ?)", (self._cursor_seal(START, []),))
        self._db.execute("INSERT INTO run VALUES (?, 0, ?)", (self._identity, self._seal("run", 0)))

    def _check(self) -> None:
        """Refuse the tasks of another run, a tree with a part missing, and whatever is not as it was written."""
        found = self._one("PRAGMA integrity_check(1)")[0]  # indices, which no seal covers
        if found != "ok":
            raise FormatError(f"{self._file}: damaged ({shortened(str(found), 100)})")
        for name in ("run", "cursor"):
            if self._one(f"SELECT count(*) FROM {name}")[0] != 1:
                raise FormatError(f"{self._file}: damaged (table {name})")
        identity, roots, seal_of_run = self._one("SELECT identity, roots, seal FROM run")
        if identity != self._identity:
            raise FormatError(f"{self._file}: the tasks of another run")
        if seal_of_run != self._seal("run", roots):
            raise FormatError(f"{self._file}: damaged (table run)")
        self._check_cursor()
        self._check_tree(self._checked_children(), roots)

    def _check_cursor(self) -> None:
        cursor, shards = self.cursor(), self.shards()
        (found,) = self._one("SELECT seal FROM cursor")
        first = self._one("SELECT min(key) FROM task WHERE n IS NULL")[0]
        if found != self._cursor_seal(cursor, shards) or (first is not None and first < cursor.key):
            raise FormatError(f"{self._file}: damaged (its cursor)")

    def _checked_children(self) -> dict[tuple[int, ...], int]:
        """How many tasks each task left; every row has its seal."""
        columns = "key, share, start, n, content, first, last, after, score, in_order, children, seal"
        children: dict[tuple[int, ...], int] = {}
        with self._errors():
            for row in self._db.execute(f"SELECT {columns} FROM task"):
                key, share, start, n, *counts, left, found = row
                with self._damage(key):
                    values = (key, share, start) if n is None else (key, n, *counts, left)
                    if found != self._seal("waiting" if n is None else "finished", *values):
                        raise ValueError(found)
                    children[key_of_text(key)] = _count(left)
        return children

    def _check_tree(self, children: Mapping[tuple[int, ...], int], roots: int) -> None:
        """Every task is one of those that its parent left, and none of these is missing."""
        expected = roots + sum(children.values())
        strays = [key for key in children if key[-1] >= (children.get(key[:-1], 0) if key[1:] else roots)]
        n = self._one("SELECT count(*) FROM task")[0]
        if strays or not n == len(children) == expected:
            raise FormatError(f"{self._file}: damaged ({n} tasks, expected {expected})")

    def _seal(self, kind: str, *values: Any) -> str:
        return seal(self._identity, kind, *values)

    def _cursor_seal(self, cursor: Cursor, shards: Sequence[Shard]) -> str:
        return self._seal("cursor", *astuple(cursor), *(value for s in shards for value in astuple(s)))

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
            self._db.execute(
                "UPDATE run SET roots = ?, seal = ?", (len(tasks), self._seal("run", len(tasks)))
            )

    def finish(self, done: Finished, rows: PackedRegions | None, rest: Sequence[Waiting]) -> None:
        """A task is finished, with its regions unless they are only counted, and leaves others.

        Raises:
            InternalError: the task does not wait (a bug).
        """
        key, blobs = key_text(done.key), (None, None, None, None) if rows is None else _blobs(rows)
        counts = (done.first.tobytes(), done.last.tobytes(), done.after.tobytes(), json.dumps(done.score))
        sealed = (done.n, self._seal("content", key, *blobs), *counts, int(done.in_order), len(rest))
        with self._errors(), self._transaction():
            changed = self._db.execute(
                "UPDATE task SET start = NULL, n = ?, content = ?, first = ?, last = ?, after = ?, score = ?, "
                "in_order = ?, children = ?, packed = ?, cuts = ?, points = ?, exact = ?, seal = ? "
                "WHERE key = ? AND n IS NULL",
                (*sealed, *blobs, self._seal("finished", key, *sealed), key),
            )
            if changed.rowcount != 1:
                raise InternalError(f"{self._file}: task {key} does not wait, and was done")
            self._add(rest)

    def waiting(self) -> list[Waiting]:
        """The tasks that wait, in the order of the tree."""
        found = []
        for key, share, start in self._all("SELECT key, share, start FROM task WHERE n IS NULL ORDER BY key"):
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

    def shards(self) -> list[Shard]:
        """What each shard is, as it was written.

        Raises:
            FormatError: some are missing, or not as they were stored.
        """
        with self._damage("shard"):
            rows = self._all("SELECT number, size, sha256 FROM shard ORDER BY number")
            if len(rows) != self.cursor().shards or any(row[0] != i for i, row in enumerate(rows)):
                raise ValueError("shards are missing")
            return [Shard(_count(size), str(digest)) for _, size, digest in rows]

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

    def rows(self, key: str) -> PackedRegions:
        """The regions of a finished task.

        Raises:
            FormatError: they are not as they were stored.
        """
        n, content, *blobs = self._one(
            "SELECT n, content, packed, cuts, points, exact FROM task WHERE key = ?", (key,)
        )
        packed, cuts, points, exact = blobs
        with self._damage(key):
            if content != self._seal("content", key, *blobs):
                raise ValueError(content)
            return PackedRegions(
                np.frombuffer(packed, dtype=np.uint8).reshape(n, self._size.width),
                np.frombuffer(cuts, dtype=np.uint8).reshape(n, self._size.width),
                np.frombuffer(points, dtype=np.float64).reshape(n, self._size.dim),
                {int(i): rational_of_text(text, self._size.dim) for i, text in json.loads(exact).items()},
            )

    def move(self, cursor: Cursor, shard: Shard) -> None:
        """One more shard is written: what is in it is not needed here any more."""
        sealed = self._cursor_seal(cursor, [*self.shards(), shard])
        with self._errors(), self._transaction():
            self._db.execute("INSERT INTO shard VALUES (?, ?, ?)", (cursor.shards - 1, *astuple(shard)))
            self._db.execute(
                "UPDATE cursor SET key = ?, row = ?, shards = ?, rows = ?, seal = ?",
                (*astuple(cursor), sealed),
            )
            self._db.execute(
                "UPDATE task SET packed = NULL, cuts = NULL, points = NULL, exact = NULL "
                "WHERE key < ? AND packed IS NOT NULL",
                (cursor.key,),
            )

    # ------------------------------------------------------------ below: SQLite

    def _add(self, tasks: Iterable[Waiting]) -> None:
        values = [(key_text(task.key), float(task.share), task.start) for task in tasks]
        self._db.executemany(
            "INSERT INTO task (key, share, start, seal) VALUES (?, ?, ?, ?)",
            [(*value, self._seal("waiting", *value)) for value in values],
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


def _blobs(rows: PackedRegions) -> tuple[bytes, bytes, bytes, str]:
    exact = {str(i): rational_text(point) for i, point in rows.exact.items()}
    return rows.packed.tobytes(), rows.cuts.tobytes(), rows.points.tobytes(), json.dumps(exact)


def _make(file: Path) -> None:
    """An empty file where there is none, and nothing else than a file where there is something.

    Raises:
        FormatError: it cannot be made, or is a link.
    """
    try:
        open_new(file).close()
    except FileExistsError:
        pass
    except OSError as error:
        raise FormatError(f"{file}: cannot be written ({error.strerror or error})") from None
    check_no_links(file)
