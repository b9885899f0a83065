"""Archives of plain arrays (.npz), read within bounds, which numpy's own reader does not keep.

The reader takes the zip archive apart itself: sizes declared by the archive's directory and by each
array's header are compared with limits and with the bytes present before anything is allocated, and
pickled objects are refused unseen.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError
from polyregions.io.files import (
    MAX_BYTES,
    expansion_limit,
    shortened,
)

MAX_MEMBERS: Final = 10_000
MAX_HEADER: Final = 10_000
MAX_CODE_POINT: Final = 0x10FFFF
ZIP_MAGIC: Final = b"PK"

_ENCRYPTED = 0x1


class Arrays(dict[str, Any]):
    """The arrays of a file by name, and which of them have been read: what has no use is refused, not dropped.

    Args:
        arrays: name by name.
        where: the file, for messages.
    """

    def __init__(self, arrays: Mapping[str, Any], where: str) -> None:
        super().__init__(arrays)
        self.where = where
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """An array, or the default where there is none of this name."""
        return self[name] if name in self else default  # noqa: SIM401 - this is what get is made of

    def refuse_rest(self, known: Sequence[str] = ()) -> None:
        """Refuse arrays that nothing has read.

        Args:
            known: names that would have had a use, where these are more than those that were read.

        Raises:
            FormatError: names the first, and what it may have been meant to be.
        """
        rest = [name for name in self if name not in self._read]
        if not rest:
            return
        name = shortened(rest[0])
        close = [c for c in get_close_matches(name, known, 1, 0.4) if c not in self._read]
        meant = f"; did you mean {close[0]!r}?" if close else ""
        listed = shortened(", ".join(known or sorted(self._read)), 200)
        raise FormatError(f"{self.where}: array {name!r} has no use here{meant} (known are {listed})")


def npz_bytes(arrays: dict[str, Any]) -> bytes:
    """A .npz archive of arrays: the same arrays give the same bytes, at any time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            archive.writestr(member_of(name), npy_bytes(array))
    return buffer.getvalue()


def member_of(name: str) -> zipfile.ZipInfo:
    """The place of an array in an archive, the same at any time."""
    entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def npy_bytes(array: Any) -> bytes:
    """An array as an npy file."""
    member = io.BytesIO()
    np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    return member.getvalue()


def arrays_of_npz(data: bytes, where: str, max_bytes: int = MAX_BYTES) -> Arrays:
    """All arrays of a .npz file by name, read without pickle and within bounds.

    Raises:
        FormatError: not a zip archive, damaged, encrypted, duplicate names, declared sizes beyond the
            limit or different from the bytes present, arrays of objects.
    """
    if not data.startswith(ZIP_MAGIC):
        raise FormatError(f"{where}: begins with {data[:4]!r}, expected a zip archive ({ZIP_MAGIC!r}...)")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _checked_members(archive, where, min(max_bytes, expansion_limit(len(data))))
            found = {_array_name(m.filename, where): _read_member(archive, m, where) for m in members}
            return Arrays(found, where)
    except FormatError:
        raise
    except Exception as error:  # zipfile raises many kinds, from BadZipFile to struct.error
        raise FormatError(f"{where}: damaged zip archive ({type(error).__name__}: {error})") from None


def _checked_members(archive: zipfile.ZipFile, where: str, max_bytes: int) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [m.filename for m in members]
    if len(names) > MAX_MEMBERS:
        raise FormatError(f"{where}: {len(names)} members, expected at most {MAX_MEMBERS}")
    if len(set(names)) != len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise FormatError(f"{where}: two members are named {shortened(twice)!r}")
    if any(m.flag_bits & _ENCRYPTED for m in members):
        raise FormatError(f"{where}: the archive is encrypted")
    declared = sum(m.file_size for m in members)
    if declared > max_bytes:
        raise FormatError(
            f"{where}: declares {declared} bytes, expected at most {max_bytes} (by max_bytes and by the file's size)"
        )
    return members


def _array_name(filename: str, where: str) -> str:
    if not filename.endswith(".npy"):
        raise FormatError(f"{where}: member {shortened(filename)!r}, expected only .npy members")
    return filename.removesuffix(".npy")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> Any:
    # ZipFile hands out at most the declared size, which has been checked, and compares the checksum
    with archive.open(member) as stream:
        content = stream.read()
    return _array_of_npy(content, f"{where}, array {shortened(_array_name(member.filename, where))!r}")


def _array_of_npy(content: bytes, where: str) -> Any:
    stream = io.BytesIO(content)
    shape, fortran, dtype = _read_header(stream, where)
    if dtype.hasobject:
        raise FormatError(f"{where}: holds pickled objects, expected numbers (pickles are never opened)")
    body = memoryview(content)[stream.tell() :]  # no copy
    declared = prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or declared != len(body):
        raise FormatError(
            f"{where}: shape {shape} of {dtype} takes {declared} bytes, but {len(body)} are there"
        )
    if declared == 0:
        return _empty_array(shape, dtype, where)
    if dtype.kind == "U":
        _check_text(body, dtype, where)
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def _check_text(body: memoryview, dtype: Any, where: str) -> None:
    """numpy hands out code points that no string of Python can hold, or no file and terminal can take."""
    points = np.frombuffer(body, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    wrong = (points > MAX_CODE_POINT) | ((points >= 0xD800) & (points < 0xE000))  # beyond Unicode, surrogates
    if np.any(wrong):
        raise FormatError(f"{where}: holds the code point {points[wrong][0]}, which is not a character")


def _empty_array(shape: tuple[int, ...], dtype: Any, where: str) -> Any:
    if dtype.itemsize == 0 or max(shape, default=0) > MAX_BYTES:
        raise FormatError(f"{where}: shape {shape} of {dtype} holds nothing")
    return np.empty(shape, dtype)


def _read_header(stream: io.BytesIO, where: str) -> tuple[tuple[int, ...], bool, Any]:
    try:
        version = np.lib.format.read_magic(stream)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in readers:
            raise FormatError(f"{where}: npy version {version}, expected (1, 0) or (2, 0)")
        return readers[version](stream, max_header_size=MAX_HEADER)
    except FormatError:
        raise
    except Exception as error:  # the header is a Python literal; parsing one fails in many ways
        raise FormatError(f"{where}: damaged npy header ({type(error).__name__}: {error})") from None
