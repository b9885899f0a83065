"""Reading untrusted files: bounded, decompressed within a limit, one kind of error."""

from __future__ import annotations

import errno
import gzip
import importlib
import io
import os
import re
import secrets
import stat
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import IO, Any, Final

from polyregions.errors import FormatError, InputError, MissingExtraError, MissingFileError, NetworkError

MAX_BYTES: Final = 2**30
"""Default limit of a file's size, before and after decompression."""

ALWAYS_EXPANDED: Final = 2**27
MAX_RATIO: Final = 250
"""Data may be larger than this many times its compressed size only up to the size above: weights are not so regular."""

GZIP_MAGIC: Final = b"\x1f\x8b"
CHUNK: Final = 2**20
MAX_NAME: Final = 50
"""Most characters of a name kept in the name of its temporary file: systems allow 255 bytes."""

MAX_DIGITS: Final = 1000
"""Longest decimal accepted; float64 needs at most 767 significant digits."""

MAX_EXPONENT: Final = 400
"""Largest size of an exponent where decimals are taken exactly."""

_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def as_path(path: object, name: str = "path") -> Path:
    """The name of a file or folder.

    Raises:
        InputError: neither text nor a path.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(f"{name}: {type(path).__name__}, expected the name of a file, as text or a path")
    return Path(path)


def suffix_of(path: str | os.PathLike[str]) -> str:
    """The suffix that names the format, in lower case and without a ``.gz`` behind it.

    >>> suffix_of("prop_3.vnnlib.GZ")
    '.vnnlib'
    """
    bare = as_path(path)
    return (bare.with_suffix("") if _is_gzip(bare) else bare).suffix.lower()


def read_bytes(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> bytes:
    """Content of a regular file, decompressed if its name ends in ``.gz``.

    Args:
        path: the file.
        max_bytes: limit of the size, both of the file and of what it decompresses to.

    Raises:
        MissingFileError: there is none.
        FormatError: not a regular file, unreadable, empty, too large or not whole gzip data.
    """
    raw = _read_regular(as_path(path), max_bytes)
    if not raw:
        raise FormatError(f"{path}: the file is empty")
    return _decompress(raw, str(path), max_bytes) if _is_gzip(Path(path)) else raw


def expansion_limit(n_bytes: int) -> int:
    """Most bytes that compressed data of a size may decompress to: small files do not fill the memory."""
    return max(ALWAYS_EXPANDED, MAX_RATIO * n_bytes)


@contextmanager
def open_regular(path: Path) -> Iterator[IO[bytes]]:
    """A regular file, open for reading.

    Raises:
        MissingFileError: there is none.
        FormatError: not a regular file, or unreadable.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe or a device may never end
            kind = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise FormatError(f"{path}: is {kind}, expected a file")
        with path.open("rb") as handle:
            yield handle
    except FileNotFoundError:
        raise MissingFileError(path) from None
    except FormatError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise FormatError(f"{path}: cannot be read ({error})") from None


def write_whole(path: str | os.PathLike[str], data: bytes | Iterable[bytes], durable: bool = False) -> None:
    """Write a file that appears under its name only once it is complete.

    Args:
        path: the file.
        data: its content, at once or in pieces.
        durable: whether it has to be on the disk afterwards, whatever happens to the machine.

    Raises:
        FormatError: it cannot be written; nothing is left behind.
    """
    write_together({Path(path): data}, durable)


def write_together(contents: Mapping[Path, bytes | Iterable[bytes]], durable: bool = False) -> None:
    """Write files that appear under their names only once all of them are complete.

    Raises:
        FormatError: one cannot be written; nothing is left behind unless the names themselves cannot be taken.
    """
    parts: dict[Path, Path] = {}
    path = Path()
    try:
        try:
            for path, data in contents.items():
                parts[path] = _write_part(path, data, durable)
            for path, part in parts.items():
                part.replace(path)
            if durable:
                for folder in {path.parent for path in contents}:
                    sync_folder(folder)
        finally:
            for part in parts.values():
                part.unlink(missing_ok=True)
    except OSError as error:
        raise FormatError(f"{path}: cannot be written ({error.strerror or error})") from None


def _write_part(path: Path, data: bytes | Iterable[bytes], durable: bool) -> Path:
    """A new file beside the one that it will become, under a name that nobody can guess; removed if it fails."""
    part = path.with_name(f".{path.name[:MAX_NAME]}.{secrets.token_hex(8)}.part")
    handle = open_new(part)
    try:
        with handle:
            handle.writelines([data] if isinstance(data, bytes) else data)
            if durable:
                handle.flush()
                os.fsync(handle.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def open_new(path: Path) -> IO[bytes]:
    """A file that was not there before, open for writing; no link is followed.

    Raises:
        OSError: something of this name is there, or it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o666), "wb")


def sync_folder(folder: Path) -> None:
    """See to it that the names of a folder are on the disk, where an operating system can be asked to.

    Raises:
        OSError: it cannot be opened, or the disk fails.
    """
    if not hasattr(os, "O_DIRECTORY"):  # Windows keeps names with their files
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that knows no such thing
            raise
    finally:
        os.close(handle)


def read_text(path: str | os.PathLike[str], max_bytes: int = MAX_BYTES) -> str:
    """The same as text; bytes that are not UTF-8 become a character that no number contains.

    A byte order mark is taken off: that of UTF-8, or of UTF-16, which is then what the text is in.

    Raises:
        FormatError: as `read_bytes`, or text of another encoding.
    """
    data = read_bytes(path, max_bytes)
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) and data[2:4] != b"\0\0":
        return data.decode("utf-16", errors="replace")
    if 0 in data[:4]:
        raise FormatError(
            f"{path}: begins with {data[:4]!r}, as text in UTF-16 or UTF-32 does, expected UTF-8"
        )
    return data.decode("utf-8-sig", errors="replace")


def parse_decimal(token: str, where: str) -> float:
    """The float64 nearest to a decimal.

    Raises:
        FormatError: anything else than a decimal of reasonable length within the range of float64.
    """
    if len(token) > MAX_DIGITS or not _DECIMAL.fullmatch(token):
        raise FormatError(f"{where}: {shortened(token)!r}, expected a decimal number")
    value = float(token)
    if not isfinite(value):
        raise FormatError(f"{where}: {shortened(token)} is beyond the range of float64")
    return value


def parse_rational(token: str, where: str) -> Fraction:
    """A decimal, exactly.

    Raises:
        FormatError: as `parse_decimal`, or an exponent beyond the range of float64.
    """
    parse_decimal(token, where)
    exponent = token.lower().partition("e")[2] or "0"
    if abs(int(exponent)) > MAX_EXPONENT:
        raise FormatError(f"{where}: {shortened(token)} is beyond the range of float64")
    return Fraction(token)


def shortened(text: str, length: int = 40) -> str:
    """Text cut to a length that fits a message."""
    return text if len(text) <= length else text[: length - 3] + "..."


def import_extra(package: str, extra: str, purpose: str) -> Any:
    """An optional package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise MissingExtraError(package, extra, purpose) from None


@contextmanager
def network_errors_are_format_errors() -> Iterator[None]:
    """A file whose numbers make no network is a bad file.

    Raises:
        FormatError: the with block raised a NetworkError.

    Raises:
        FormatError: the with block raised a NetworkError.
    """
    try:
        yield
    except NetworkError as error:
        raise FormatError(str(error)) from None


def _is_gzip(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _read_regular(path: Path, max_bytes: int) -> bytes:
    with open_regular(path) as handle:
        raw = _read_up_to(handle, max_bytes + 1)
    if len(raw) > max_bytes:
        raise FormatError(f"{path}: larger than {max_bytes} bytes (max_bytes)")
    return raw


def _decompress(raw: bytes, where: str, max_bytes: int) -> bytes:
    if not raw.startswith(GZIP_MAGIC):
        raise FormatError(f"{where}: begins with {raw[:2]!r}, expected gzip data ({GZIP_MAGIC!r})")
    max_bytes = min(max_bytes, expansion_limit(len(raw)))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as handle:
            data = _read_up_to(handle, max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"{where}: damaged gzip data ({error})") from None
    if len(data) > max_bytes:
        raise FormatError(
            f"{where}: decompresses to more than {max_bytes} bytes (the limit by max_bytes and by the file's size)"
        )
    if not data:
        raise FormatError(f"{where}: decompresses to nothing")
    return data


def _read_up_to(handle: IO[bytes] | gzip.GzipFile, limit: int) -> bytes:
    """At most `limit` bytes, in pieces: a single read would reserve the whole limit."""
    pieces, wanted = [], limit
    while wanted > 0 and (piece := handle.read(min(wanted, CHUNK))):
        pieces.append(piece)
        wanted -= len(piece)
    return b"".join(pieces)
