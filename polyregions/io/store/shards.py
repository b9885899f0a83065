"""Regions as Parquet shards: the columns, written and read.

``region`` int64, its number; ``pattern`` and ``cuts``, binary, the bits of all neurons, eight to a byte, the first
neuron in the highest bit of the first byte; ``point``, a list of doubles, the interior point in the coordinates of the
domain's affine hull (the inputs themselves unless some are fixed, or the domain is a slice); ``exact``, a string, the
point in hexadecimal rationals ``-3/1f`` where no float64 point is inside, else null.
"""

from __future__ import annotations

import errno
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyregions._types import Bytes, Floats
from polyregions.errors import FormatError, MissingFileError, StoppedError
from polyregions.exact.numbers import rational_of_text, rational_text
from polyregions.io.files import MAX_BYTES, import_extra, read_bytes, shortened, write_whole
from polyregions.io.tables.parquet_footer import declared_bytes
from polyregions.networks.patterns import bytes_of
from polyregions.networks.problem import Problem
from polyregions.regions.packed import PackedRegions

PURPOSE: Final = "a store of regions"
MAGIC: Final = b"PAR1"
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


SHARD_ROWS: Final = 2**17
SHARD_BYTES: Final = 2**25
FEWEST_ROWS: Final = 1024


@dataclass(frozen=True)
class StoreSize:
    """How large things are.

    Attributes:
        width: bytes of a pattern, ceil(N / 8).
        dim: dimension k of the points.
    """

    width: int
    dim: int

    @classmethod
    def of(cls, problem: Problem) -> StoreSize:
        """Those of a problem."""
        return cls(bytes_of(problem.network.n_neurons), problem.solid.hull.dim)

    @property
    def shard_rows(self) -> int:
        """The regions of a shard: fewer where one takes many bytes."""
        return max(FEWEST_ROWS, min(SHARD_ROWS, SHARD_BYTES // (2 * self.width + 8 * self.dim + 1)))


@dataclass(frozen=True)
class Shard:
    """What a shard is: its bytes, and their SHA-256."""

    size: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> Shard:
        """That of a file's content."""
        return cls(len(data), hashlib.sha256(data).hexdigest())


def check_pyarrow() -> None:
    """Refuse before hours go into what could not be written.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    import_extra("pyarrow.parquet", "parquet", PURPOSE)


def shard_name(number: int) -> str:
    """The file of a shard; sorted by name they are in order.

    >>> shard_name(7)
    'regions-000007.parquet'
    """
    return f"regions-{number:06d}.parquet"


def write_shard(folder: Path, number: int, first: int, rows: PackedRegions) -> Shard:
    """Write the regions from number `first` on as a shard; they are on the disk when this returns.

    Raises:
        FormatError: the file cannot be written; nothing is left behind.
        StoppedError: there is no room for it.
    """
    data = _parquet(first, rows)
    try:
        write_whole(folder / shard_name(number), data, durable=True)
    except FormatError as error:
        if getattr(error.__context__, "errno", None) in FULL:
            raise StoppedError(f"{error}; what is finished is kept, and the same command goes on") from None
        raise
    return Shard.of(data)


def check_shards(folder: Path, shards: Sequence[Shard]) -> None:
    """Refuse a store of which a shard is gone, or is not as it was written: reads all of them.

    Raises:
        FormatError: names the shard.
    """
    for number in range(len(shards)):
        if not (folder / shard_name(number)).is_file():
            raise MissingFileError(
                folder / shard_name(number), f"no such file; the store had {len(shards)} shards"
            )
    for number, shard in enumerate(shards):
        shard_bytes(folder, number, shard)


def shard_bytes(folder: Path, number: int, shard: Shard) -> bytes:
    """The content of a shard, as it was written.

    Raises:
        FormatError: it is something else, or cannot be read.
    """
    file = folder / shard_name(number)
    data = read_bytes(file)
    if Shard.of(data) != shard:
        raise FormatError(f"{file}: is not the shard that was written ({len(data)} bytes of {shard.size})")
    return data


def rows_of_shard(data: bytes, size: StoreSize, file: Path) -> PackedRegions:
    """The regions of a shard.

    Raises:
        FormatError: not such a shard.
    """
    if not data.startswith(MAGIC):
        raise FormatError(f"{file}: begins with {data[:4]!r}, expected a Parquet file ({MAGIC!r})")
    pa, pq = import_extra("pyarrow", "parquet", PURPOSE), import_extra("pyarrow.parquet", "parquet", PURPOSE)
    try:
        if declared_bytes(data) > MAX_BYTES:
            raise ValueError(f"declares {declared_bytes(data)} bytes")
        parquet = pq.ParquetFile(io.BytesIO(data), read_dictionary=["pattern", "cuts", "exact"])
        _check(parquet, size, pa)
        return _rows(parquet.read(), size)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        raise FormatError(f"{file}: not a shard of this store ({shortened(str(error), 100)})") from None


def _parquet(first: int, rows: PackedRegions) -> bytes:
    pa, pq = import_extra("pyarrow", "parquet", PURPOSE), import_extra("pyarrow.parquet", "parquet", PURPOSE)
    exact: list[str | None] = [None] * len(rows)
    for i, point in rows.exact.items():
        exact[i] = rational_text(point)
    table = pa.table(
        {
            "region": pa.array(np.arange(first, first + len(rows))),
            "pattern": _binary(rows.packed, pa),
            "cuts": _binary(rows.cuts, pa),
            "point": _lists(rows.points, pa),
            "exact": pa.array(exact, pa.string()),
        }
    )
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", use_dictionary=["exact"])
    return buffer.getvalue()


def _binary(rows: Bytes, pa: Any) -> Any:
    """PackedRegions of bytes as binary values, without a Python object for each."""
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(np.ascontiguousarray(rows).tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(rows), buffers)


def _lists(points: Floats, pa: Any) -> Any:
    offsets = np.arange(len(points) + 1, dtype=np.int32) * points.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.ascontiguousarray(points).reshape(-1)))


def _check(parquet: Any, size: StoreSize, pa: Any) -> None:
    """Types as written, and no more values declared than a shard has: a small file may declare any number."""
    few = pa.int32()
    expected = {
        "region": pa.int64(),
        "pattern": pa.dictionary(few, pa.binary()),
        "cuts": pa.dictionary(few, pa.binary()),
        "point": pa.list_(pa.float64()),
        "exact": pa.dictionary(few, pa.string()),
    }
    if parquet.metadata.num_rows > size.shard_rows:
        raise ValueError(f"{parquet.metadata.num_rows} regions")
    found = {field.name: field.type for field in parquet.schema_arrow}
    if found != expected:
        raise ValueError(f"columns {found}")


def _rows(table: Any, size: StoreSize) -> PackedRegions:
    table.validate(full=True)
    n, dim = table.num_rows, size.dim
    if any(table[name].null_count for name in ("region", "pattern", "cuts", "point")):
        raise ValueError("missing values")
    points = np.asarray(table["point"].combine_chunks().flatten(), dtype=np.float64)
    if len(points) != n * dim:
        raise ValueError(f"{len(points)} coordinates for {n} regions of dimension {dim}")
    texts = enumerate(table["exact"].to_pylist())
    return PackedRegions(
        _packed(table["pattern"], n, size.width),
        _packed(table["cuts"], n, size.width),
        points.reshape(n, dim),
        {i: rational_of_text(text, dim) for i, text in texts if text is not None},
    )


def _packed(column: Any, n: int, width: int) -> Bytes:
    """Binary values of one length as rows."""
    parts = [np.zeros((0, width), dtype=np.uint8)]
    for chunk in column.chunks:  # each with a dictionary of its own, which is what the file's size bounds
        values = chunk.dictionary.to_pylist()
        if any(len(value) != width for value in values):
            raise ValueError(f"patterns of other than {width} bytes")
        known = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), width)
        parts.append(known[np.asarray(chunk.indices)])
    rows: Bytes = np.concatenate(parts)
    if len(rows) != n:
        raise ValueError(f"{len(rows)} patterns of {n} regions")
    return rows
