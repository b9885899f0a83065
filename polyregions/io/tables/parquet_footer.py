"""What the footer of a Parquet file declares, read without pyarrow.

Asked for the sizes of a column whose statistics are damaged, pyarrow ends the process: it throws where nobody can
catch. So the footer, a structure in Thrift's compact protocol, is taken apart here before pyarrow is asked anything.
"""

from __future__ import annotations

import struct
from typing import Any, Final

MAGIC: Final = b"PAR1"
MAX_DEPTH: Final = 16
"""Most levels of structures and lists; a Parquet file has fewer than ten."""

TRUE: Final = 1

ROW_GROUPS, COLUMNS, COLUMN_METADATA, NUM_VALUES, UNCOMPRESSED_SIZE = 4, 1, 3, 5, 6
"""Numbers of fields of FileMetaData, RowGroup, ColumnChunk, and (both last ones) ColumnMetaData."""


def declared_bytes(data: bytes) -> int:
    """The bytes that all columns of a file take once they are unpacked, as its footer says.

    Raises:
        ValueError: the footer is damaged.

    Complexity: linear in the length of the footer.
    """
    length = struct.unpack("<I", data[-8:-4])[0] if len(data) >= 12 and data.endswith(MAGIC) else -1
    if not 0 < length <= len(data) - 12:
        raise ValueError(f"a footer of {length} bytes in a file of {len(data)}")
    footer = _Reader(data[-8 - length : -8]).structure(0)
    chunks = [chunk for group in _listed(footer, ROW_GROUPS) for chunk in _listed(group, COLUMNS)]
    return sum(_bytes_of(chunk) for chunk in chunks)


def _bytes_of(chunk: Any) -> int:
    column = chunk.get(COLUMN_METADATA) if isinstance(chunk, dict) else None
    if not isinstance(column, dict):
        raise ValueError("a column without metadata in the footer")
    values, size = column.get(NUM_VALUES), column.get(UNCOMPRESSED_SIZE)
    if type(values) is not int or type(size) is not int or min(values, size) < 0:
        raise ValueError("a column without sizes in the footer")
    return max(8 * values, size)


def _listed(structure: Any, field: int) -> list[Any]:
    found = structure.get(field) if isinstance(structure, dict) else None
    if not isinstance(found, list):
        raise ValueError("a list is missing in the footer")
    return found


class _Reader:
    """Values of Thrift's compact protocol, one after the other; structures are dictionaries by field number."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def structure(self, depth: int) -> dict[int, Any]:
        found: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            number = number + step if step else self._zigzag()
            found[number] = kind == TRUE if kind in (1, 2) else self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ValueError("a footer of too many levels")
        match kind:
            case 1 | 2 | 3:  # a byte, or a truth value in a list
                return self._byte()
            case 4 | 5 | 6:  # integers of 16, 32 and 64 bits
                return self._zigzag()
            case 7:  # a double
                return self._taken(8)
            case 8:  # bytes or text
                return self._taken(self._varint())
            case 9 | 10:  # a list or a set
                head = self._byte()
                n = head >> 4 if head >> 4 != 15 else self._varint()
                return [self._value(head & 15, depth + 1) for _ in range(self._fits(n))]
            case 11:  # a map
                n = self._varint()
                kinds = self._byte() if n else 0
                pairs = range(self._fits(n))
                return [
                    (self._value(kinds >> 4, depth + 1), self._value(kinds & 15, depth + 1)) for _ in pairs
                ]
            case 12:  # a structure
                return self.structure(depth + 1)
        raise ValueError(f"a value of the unknown kind {kind} in the footer")

    def _fits(self, n: int) -> int:
        """Every entry takes a byte at least, so that no list is longer than what is left."""
        if n > len(self.data) - self.at:
            raise ValueError(f"a list of {n} entries in the footer")
        return n

    def _byte(self) -> int:
        return self._taken(1)[0]

    def _taken(self, n: int) -> bytes:
        taken = self.data[self.at : self.at + n]
        if len(taken) != n:
            raise ValueError("a footer that ends too early")
        self.at += n
        return taken

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of too many bytes in the footer")

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
