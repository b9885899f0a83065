"""How kernels are compiled: cached on disk where that is possible, and announced when it takes a while."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Timer
from typing import Any, Final, TypeVar, cast

from numba import njit
from numba.core import event as ev

from polyregions.engine.kernels.cache import Cache, folder_kept
from polyregions.progress import Stage, stage

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

ANNOUNCE_AFTER = 2.0  # seconds; loading from the cache takes a fraction of one
NOTICE = "polyregions: compiling"  # how all notices begin

OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
UNCOUNTED: Final[dict[str, Any]] = {
    "_nrt": False
}  # numba emits no reference counts: kernels that make no arrays need none


def entry(function: Kernel) -> Kernel:
    """Compile a function that Python calls: it holds no Python objects and releases the interpreter lock.

    Where no cache directory can be written the compiled code lives as long as the process.
    """
    return _compiled(function, False, {})


def kernel(function: Kernel) -> Kernel:
    """The same for what only other kernels call: without the wrapper for Python, which takes time to compile."""
    return _compiled(function, True, {})


def uncounted_entry(function: Kernel) -> Kernel:
    """An entry that neither makes arrays nor changes their shapes, nor calls what does: arrays are not counted."""
    return _compiled(function, False, UNCOUNTED)


def uncounted_kernel(function: Kernel) -> Kernel:
    """The same for a kernel; it is part of its entries, and not cached by itself."""
    return _compiled(function, True, UNCOUNTED)


def shared_kernel(function: Kernel) -> Kernel:
    """The same for a kernel that entries of several kinds call: it is cached by itself, for the next of them."""
    return _compiled(function, True, UNCOUNTED, True)


def _compiled(function: Kernel, is_inner: bool, more: Mapping[str, Any], is_shared: bool = False) -> Kernel:
    compile_: Any = njit  # its types know neither of the wrappers' options
    options = {**OPTIONS, **more, "no_cpython_wrapper": is_inner}
    compiled = compile_(**options)(function)
    if not is_inner or not more or is_shared:
        compiled._cache = Cache(
            function
        )  # what cache=True does, with a cache that is read where it cannot be written
    return cast(Kernel, compiled)


_ready: Final[set[object]] = set()


@contextmanager
def announced(what: str, key: object = None) -> Iterator[None]:
    """Say what is being compiled if that is so, and takes longer than a moment, in the block, a first call of kernels.

    It is a warning to the logger "polyregions", which Python prints on stderr unless told otherwise.

    Args:
        what: what it is.
        key: what its code depends on; after the first block with the same there is nothing to be said.
    """
    if (what, key) in _ready:
        yield
        return
    timer = Timer(ANNOUNCE_AFTER, _say, (what,))
    timer.daemon = True
    with stage(f"loading {what}") as now, ev.install_listener("numba:compile", _Listener(what, now, timer)):
        try:
            yield
        finally:
            timer.cancel()
    _ready.add((what, key))


class _Listener(ev.Listener):  # type: ignore[misc]  # numba is partly typed
    """Hears of every kernel that numba compiles, which is not in a cache."""

    def __init__(self, what: str, now: Stage, timer: Timer) -> None:
        self._what, self._now, self._timer = what, now, timer

    def on_start(self, event: Any) -> None:
        """A kernel is compiled, perhaps one that another calls."""
        if self._timer.ident is None:
            self._now.name = f"compiling {self._what}"
            self._timer.start()

    def on_end(self, event: Any) -> None:
        """It is compiled."""


def _say(what: str) -> None:
    folder = folder_kept(__file__)
    kept = (
        f"kept in {folder} for later runs" if folder else "it cannot be kept: set NUMBA_CACHE_DIR to a folder"
    )
    logging.getLogger("polyregions").warning("%s %s; %s (see polyregions warmup)", NOTICE, what, kept)
