"""Constants that a torch program makes itself, and operators on parameters only: torch is asked to compute them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

_EXACT_IN_FLOATS = "abs clamp clamp_max clamp_min hardtanh maximum minimum relu relu6 sign"
EXACT_IN_FLOATS: Final = frozenset(_EXACT_IN_FLOATS.split())
"""Operators that do not round."""

UNDEFINED: Final = frozenset({"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"})
"""Operators whose results hold whatever was in memory."""


def is_of_code(value: Any, torch: Any) -> bool:
    """Whether a value is a tensor, or a list of such, that the module's code makes of no parameter and no input.

    The code makes it in a type of its own: ``torch.ones(3) / 3`` is of float32 numbers whatever the module's type.
    """
    parts = value if isinstance(value, (list, tuple)) else [value]
    return bool(parts) and all(torch.is_tensor(part) for part in parts)


def may_run(node: Any, torch: Any) -> bool:
    """Whether an operator gives the same in each run, and tensors."""
    schema = getattr(node.target, "_schema", None)
    if node.op != "call_function" or schema is None or torch.Tag.nondeterministic_seeded in node.target.tags:
        return False
    value = node.meta.get("val")
    tensors = value if isinstance(value, (list, tuple)) else [value]
    return str(schema.name).removeprefix("aten::") not in UNDEFINED and all(map(torch.is_tensor, tensors))


def run_as_it_is(node: Any, values: dict[Any, Any], torch: Any) -> Any:
    """The result in the types that the code gives, a tensor or a list of tensors."""
    return _run(node, values, torch, lambda value: value.clone())


def run_in_float64(node: Any, values: dict[Any, Any], torch: Any) -> Any:
    """The result with real numbers as float64."""

    def precise(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return torch.from_numpy(
                np.array(value, dtype=np.float64 if value.dtype.kind in "fO" else value.dtype)
            )
        return value.double() if value.is_floating_point() else value.clone()

    return _run(node, values, torch, precise)


def _run(node: Any, values: dict[Any, Any], torch: Any, convert: Callable[[Any], Any]) -> Any:
    def operand(before: Any) -> Any:
        value = values[before]
        return [convert(part) for part in value] if isinstance(value, (list, tuple)) else convert(value)

    with torch.no_grad():
        found = node.target(
            *torch.fx.node.map_arg(node.args, operand), **torch.fx.node.map_arg(node.kwargs, operand)
        )
    return list(found) if isinstance(found, (list, tuple)) else found
