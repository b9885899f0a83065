"""Where compiled kernels are kept: read wherever they are, written where that is possible.

numba's own caches skip a folder that they may not write, even if all they need is in it. So a read-only installation
would be compiled again by each of its users; here it is read (see `Cache`). And a kernel holds the code of the kernels
it calls, which stand in other files: what is kept of it is good for these files as they were, all of them.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile
from numba.misc.appdirs import AppDirs

PACKAGE: Final = Path(__file__).parents[2]
NO_KERNELS: Final = {Path(__file__).with_name("compiled.py")}
"""What they import is in no kernel."""
_IMPORTS: Final = re.compile(rf"^from {PACKAGE.name}\.([\w.]+) import (\([^)]*\)|.*)", re.MULTILINE)


def places_for(file: str) -> tuple[Path, ...]:
    """The folders in which compiled code of a source file may be kept, the one to be written first.

    They are numba's: what the environment variable NUMBA_CACHE_DIR names, beside the source, in the user's own cache.
    """
    source = Path(os.path.abspath(file)).parent
    own = f"{source.name}_{hashlib.sha1(str(source).encode()).hexdigest()}"
    given = [Path(config.CACHE_DIR) / own] if config.CACHE_DIR else []
    user = Path(AppDirs(appname="numba", appauthor=False).user_cache_dir)
    return (*given, source / "__pycache__", user / own)


@cache
def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made if it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def folder_kept(file: str) -> Path | None:
    """The folder in which compiled code of a source file is kept; None if none can be written."""
    return next(filter(is_writable, places_for(file)), None)


@cache
def stamp_of(file: str) -> str:
    """A digest of a source file of the package and of all that it imports from the package."""
    seen: dict[Path, bytes] = {}
    waiting = [Path(file)]
    while waiting:
        source = waiting.pop()
        if source not in seen:
            seen[source] = source.read_bytes()
            waiting += [] if source in NO_KERNELS else _imported(seen[source].decode())
    digest = hashlib.sha256()
    for source in sorted(seen):
        digest.update(hashlib.sha256(seen[source]).digest())
    return digest.hexdigest()


def _imported(text: str) -> list[Path]:
    """The files of the package that a source text imports at its top."""
    found = []
    for module, names in _IMPORTS.findall(text):
        base = PACKAGE.joinpath(*module.split("."))
        inside = [base / f"{name}.py" for name in re.findall(r"\w+", names)]
        found += [path for path in (base.with_suffix(".py"), *inside) if path.is_file()]
    return found


class _Locator:
    """What numba asks where a function's code is kept."""

    def __init__(self, file: str, line: int) -> None:
        self._py_file, self._line = file, line  # numba's warnings name the file by this attribute
        self.places = places_for(file)
        self.kept = folder_kept(file)

    def ensure_cache_path(self) -> None:
        """Nothing: that is known already."""

    def get_cache_path(self) -> str:
        """The folder that is written, if any is."""
        return str(self.kept or self.places[0])

    def get_source_stamp(self) -> str:
        """What the source is."""
        return stamp_of(self._py_file)

    def get_disambiguator(self) -> str:
        """The line, which tells functions of one name apart."""
        return str(self._line)


class _Parts(CompileResultCacheImpl):  # type: ignore[misc]  # numba is partly typed
    def __init__(self, function: Callable[..., Any]) -> None:
        file, self._lineno = inspect.getfile(function), function.__code__.co_firstlineno
        self._locator = _Locator(file, self._lineno)
        name = f"{Path(file).stem}.{function.__qualname__}"
        self._filename_base = self.get_filename_base(name, getattr(sys, "abiflags", ""))


class Cache(FunctionCache):  # type: ignore[misc]  # numba is partly typed
    """A function's compiled code on disk: read from any of its places, kept in the first that can be written.

    What is found in another place than the folder that NUMBA_CACHE_DIR names is copied there, so that this folder is
    whole.
    """

    _impl_class = _Parts

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        places: _Locator = self._impl.locator
        others = [place for place in places.places if place != places.kept]
        parts = (self._impl.filename_base, places.get_source_stamp())
        self._others = [IndexDataCacheFile(str(place), *parts) for place in others]
        self._is_kept = places.kept is not None
        self._is_given = bool(config.CACHE_DIR) and places.kept == places.places[0]

    @property
    def cache_path(self) -> str | None:
        """The folder that is written; None for none."""
        return str(self._impl.locator.kept) if self._is_kept else None

    def _load_overload(self, sig: Any, target_context: Any) -> Any:
        if not self._enabled:
            return None
        key = self._index_key(sig, target_context.codegen())
        found = self._cache_file.load(key) if self._is_kept else None
        for file in self._others:
            if found is None:
                found = _loaded(file, key)
                if found is not None and self._is_given:
                    self._cache_file.save(key, found)
        return None if found is None else self._impl.rebuild(target_context, found)

    def _save_overload(self, sig: Any, data: Any) -> None:
        if self._is_kept:
            super()._save_overload(sig, data)


def _loaded(file: IndexDataCacheFile, key: Any) -> Any:
    """What another's cache holds under a key; nothing if it cannot be read."""
    try:
        return file.load(key)
    except (OSError, EOFError):
        return None
