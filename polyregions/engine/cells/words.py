"""Sets of rows and of units as 64-bit words, for kernels.

Words are unsigned and stay so only among themselves: numba makes a float of an unsigned and a signed integer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from polyregions.engine.kernels.compiled import shared_kernel

NONE: Final = np.uint64(0)
ONE: Final = np.uint64(1)


def _count(typing: Any, word: Any) -> Any:
    """How many bits of a word are set."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


def _lowest(typing: Any, word: Any) -> Any:
    """The place of the lowest bit that is set, of a word that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


count = cast(Callable[[np.uint64], int], intrinsic(_count))
lowest = cast(Callable[[np.uint64], int], intrinsic(_lowest))


@shared_kernel
def bit(place: int) -> np.uint64:
    """The word with one bit set, that of a place within its word."""
    return ONE << np.uint64(place & 63)
