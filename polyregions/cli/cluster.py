"""The cluster that a command runs on."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from polyregions.errors import MissingExtraError, OptionError

CONNECT_WITHIN = "30s"


@contextmanager
def executor_of(address: str | None) -> Iterator[Executor | None]:
    """The executor of the Dask cluster at an address inside the with block; None for no address.

    Raises:
        MissingExtraError: Dask is not installed.
        OptionError: nobody answers at the address, or it is none.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client

        make: Any = Client  # untyped
    except ImportError:
        raise MissingExtraError("distributed", "dask", "--dask") from None
    client = _connected(make, address)
    try:
        yield client.get_executor()
    finally:
        client.close()


def _connected(make: Any, address: str) -> Any:
    try:
        return make(address, timeout=CONNECT_WITHIN)
    except (OSError, ValueError) as error:
        refused = str(error)
    gc.collect()  # what is left of Dask's client: collected later, inside a lock of Dask's, it waits for that lock
    raise OptionError(f"--dask {address}: {refused}, expected the address of a Dask scheduler")
