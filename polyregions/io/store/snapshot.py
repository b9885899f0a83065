"""A copy of the tasks of a run, of one moment, whoever writes to them meanwhile: no lock, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Final

from polyregions.errors import FormatError, OptionError

LOG: Final = "-wal"  # SQLite's write-ahead log, beside the file
BESIDE: Final = (LOG, "-shm", "-journal")
LOG_HEADER: Final = 32  # bytes; new random numbers are in it whenever the log begins anew
TRIES: Final = 20
PAUSE: Final = 0.05  # seconds


@contextmanager
def snapshot(file: Path) -> Iterator[Path]:
    """A private copy of a SQLite file, for as long as the with block lasts.

    A writer appends to the log, and moves pages from the log to the file. So a copy of the file, and then of the log,
    is whole unless the log began anew in between.

    Raises:
        FileNotFoundError: there is none, or none any more.
        FormatError: it cannot be read, or is a link.
        OptionError: a run writes to it faster than it can be copied.
    """
    with TemporaryDirectory(prefix="polyregions-") as folder:
        copy = Path(folder) / file.name
        for _ in range(TRIES):
            if _copied(file, copy):
                break
            sleep(PAUSE)
        else:
            raise OptionError(f"{file}: a run writes to it faster than it can be copied; try again")
        yield copy


def check_no_links(file: Path) -> None:
    """Refuse links and devices where SQLite would read and write.

    Raises:
        FormatError: names the file.
    """
    for path in (file, *(file.with_name(file.name + suffix) for suffix in BESIDE)):
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            raise FormatError(f"{path}: cannot be read ({error.strerror or error})") from None
        if not stat.S_ISREG(mode):
            raise FormatError(f"{path}: is a link or a device, expected a file")


def _copied(file: Path, copy: Path) -> bool:
    """Whether what was copied is of one moment."""
    check_no_links(file)
    log, log_copy = (path.with_name(path.name + LOG) for path in (file, copy))
    try:
        before = _generation(file, log)
        shutil.copyfile(file, copy)
        log_copy.unlink(missing_ok=True)
        if log.exists():
            shutil.copyfile(log, log_copy)
        return _generation(file, log) == before
    except FileNotFoundError:
        if not file.exists():
            raise
        return False
    except OSError as error:
        raise FormatError(f"{file}: cannot be read ({error.strerror or error})") from None


def _generation(file: Path, log: Path) -> tuple[bytes, int, int]:
    """What changes when the log begins anew; without one, when the file does."""
    try:
        with log.open("rb") as handle:
            header = handle.read(LOG_HEADER)
    except FileNotFoundError:
        header = b""
    found = file.stat()
    return (header, 0, 0) if header else (b"", found.st_size, found.st_mtime_ns)
