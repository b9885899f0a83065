"""Arrays that grow while they are made, kept on disk until their lengths are known; archives and tables of them."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from polyregions.io.npz import member_of, npy_bytes

PIECE: Final = 2**20  # bytes at a time


class Spool:
    """An array (n, ...) of which rows are added at the end, in a file without a name.

    Args:
        dtype: of its entries.
        shape: of one row, () for numbers.
    """

    def __init__(self, dtype: Any, shape: tuple[int, ...] = ()) -> None:
        self._dtype, self._shape, self._rows = np.dtype(dtype), shape, 0
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def append(self, rows: Any) -> None:
        """Add rows (m, ...)."""
        array = np.ascontiguousarray(rows, dtype=self._dtype).reshape(-1, *self._shape)
        self._file.write(array.tobytes())
        self._rows += len(array)

    def npy(self) -> Iterator[bytes]:
        """The array as an npy file, in pieces."""
        about = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False}
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {**about, "shape": (self._rows, *self._shape)})
        yield header.getvalue()
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece


class Sink(io.RawIOBase):
    """A file to write to, whose content is taken out in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """How much has been written."""
        return self._at

    def write(self, data: Any) -> int:
        """Keep a piece until it is taken."""
        part = bytes(data)
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def taken(self) -> Iterator[bytes]:
        """What has been written since it was asked last."""
        parts, self._parts = self._parts, []
        yield from parts


def npz_pieces(arrays: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    """A .npz archive of arrays and spools in pieces; the same arrays give the same bytes."""
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays:
            with archive.open(member_of(name), "w", force_zip64=True) as member:
                for piece in array.npy() if isinstance(array, Spool) else [npy_bytes(array)]:
                    member.write(piece)
                    yield from sink.taken()
    yield from sink.taken()
