"""ONNX Einsum of one tensor that depends on the input with constants."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import numpy as np

from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.networks.graph.rounding import exact_product
from polyregions.networks.graph.sparse import from_entries

ELLIPSIS = "..."


def einsum(call: Call) -> Value:
    """Sums of products along named axes, one factor of which at most depends on the input.

    Every combination of indices is one term: an entry of the data times an exact product of constants.

    Raises:
        FormatError: the result has an axis of no operand.
    """
    values = [call.value(i) for i in range(len(call.operands))]
    terms, result = _axes_of(call, [len(v.shape) for v in values])
    sizes = _sizes(call, values, terms)
    order = [*result, *(name for name in sizes if name not in result)]
    if any(name not in sizes for name in result):
        raise call.wrong(f"equation {call.attribute('equation', '')!r} names an axis of no operand")
    grid = tuple(sizes[name] for name in order)
    call.check_products(prod(grid))
    shape = tuple(sizes[name] for name in result)
    data, read, factors = _terms(call, values, terms, order, grid)
    rows = np.repeat(np.arange(prod(shape)), prod(grid[len(shape) :]))
    picked = call.build.select(data.node, read)
    affine = from_entries(rows, np.arange(len(rows)), factors, np.zeros(prod(shape)), len(rows))
    return Data(call.build.affine(picked, affine), shape)


def _terms(
    call: Call, values: list[Value], terms: list[list[str]], order: list[str], grid: tuple[int, ...]
) -> tuple[Data, Any, Any]:
    """The data, which of its entries each combination of indices reads, and by what that is multiplied."""
    found: tuple[Data, Any] | None = None
    factors: Any = np.ones(prod(grid))
    for value, axes in zip(values, terms, strict=True):
        places = _places(value.shape, axes, order, grid)
        if not isinstance(value, Data):
            factors = exact_product(factors, call.real(value, "a factor").ravel()[places])
        elif found is None:
            found = value, places
        else:
            raise call.unsupported("multiplies two tensors that depend on the network's input (bilinear)")
    if found is None:
        raise call.wrong("has no operand that depends on the input")
    return *found, factors


def _places(shape: tuple[int, ...], axes: list[str], order: list[str], grid: tuple[int, ...]) -> Any:
    """The flat entry of a tensor for each combination of indices; an axis of size 1 is repeated."""
    index = np.zeros(grid, dtype=np.int64)
    stride = 1
    for size, name in zip(reversed(shape), reversed(axes), strict=True):
        at = order.index(name)
        steps = np.arange(grid[at]) if size > 1 else np.zeros(grid[at], dtype=np.int64)
        index += stride * steps.reshape(-1, *(1,) * (len(grid) - at - 1))
        stride *= size
    return index.ravel()


def _axes_of(call: Call, ranks: list[int]) -> tuple[list[list[str]], list[str]]:
    """The names of each operand's axes and of the result's; those of an ellipsis are numbered from the last."""
    equation = call.attribute("equation", "").replace(" ", "")
    left, arrow, right = equation.partition("->")
    given = left.split(",")
    if len(given) != len(ranks) or not set(equation) <= set(_LETTERS + ",.->"):
        raise call.wrong(f"equation {equation[:100]!r} for {len(ranks)} operands")
    terms = [_named(call, term, rank) for term, rank in zip(given, ranks, strict=True)]
    wide = max((name for term in terms for name in term if name.isdigit()), key=int, default="-1")
    dots = [str(i) for i in range(int(wide), -1, -1)]
    if arrow:
        names = [*dots] if ELLIPSIS in right else []
        before, _, behind = right.partition(ELLIPSIS)
        result = [*before, *names, *behind]
    else:
        counts = Counter(name for term in terms for name in term)
        result = [*dots, *sorted(n for n, k in counts.items() if k == 1 and not n.isdigit())]
    if len(set(result)) < len(result) or "." in result:
        raise call.wrong(f"equation {equation[:100]!r} names an axis of the result twice")
    return terms, result


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _named(call: Call, term: str, rank: int) -> list[str]:
    before, dots, behind = term.partition(ELLIPSIS)
    n = rank - len(before) - len(behind) if dots else 0
    found = [*before, *(str(i) for i in range(n - 1, -1, -1)), *behind]
    if "." in before + behind or n < 0 or len(found) != rank:
        raise call.wrong(f"axes {term!r} for a tensor of {rank} axes")
    return found


def _sizes(call: Call, values: list[Value], terms: list[list[str]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for value, axes in zip(values, terms, strict=True):
        for size, name in zip(value.shape, axes, strict=True):
            if 1 not in (size, sizes.get(name, 1)) and size != sizes[name]:
                raise call.wrong(f"axis {name!r} has sizes {sizes[name]} and {size}")
            sizes[name] = max(size, sizes.get(name, 1))
    return sizes
