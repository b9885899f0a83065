"""How kernels are compiled: cached on disk where that is possible, and announced when it takes a while."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Timer
from typing import Any, Final, TypeVar, cast

from numba import njit

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
    if is_inner and more and not is_shared:
        return cast(Kernel, compile_(**options)(function))
    try:
        compiled = compile_(cache=True, **options)(function)
    except RuntimeError:  # numba: no locator available, that is, nowhere to write
        compiled = compile_(**options)(function)
    return cast(Kernel, compiled)


_ready: Final[set[object]] = set()


@contextmanager
def announced(what: str, key: object = None) -> Iterator[None]:
    """Say on stderr what is being compiled if the block, a first call of kernels, takes longer than a moment.

    Args:
        what: what it is, and about how long it takes.
        key: what its code depends on; after the first block with the same there is nothing to be said.
    """
    if (what, key) in _ready:
        yield
        return
    notice = f"{NOTICE} {what}; once, later runs load it from a cache"
    timer = Timer(ANNOUNCE_AFTER, lambda: print(notice, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
        _ready.add((what, key))
    finally:
        timer.cancel()
