"""One use of an ATen operator, and the operators that only move entries: torch runs them on the positions of these."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Data, Value
from polyregions.io.models.onnx.vocabulary import OperatorBuilder, real

_MOVES = """
    _reshape_alias _unsafe_view _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d
    alias cat channel_shuffle chunk clone concat concatenate contiguous detach detach_ diagonal diagonal_scatter
    expand expand_as flatten flip gather hstack index index_select lift_fresh_copy mH moveaxis movedim mT narrow
    numpy_T permute pixel_shuffle pixel_unshuffle reflection_pad1d reflection_pad2d repeat repeat_interleave
    replication_pad1d replication_pad2d reshape reshape_as roll rot90 select select_scatter slice slice_scatter
    split split_with_sizes squeeze stack swapaxes swapdims t take tensor_split tile transpose unbind unflatten
    unfold unsqueeze upsample_nearest1d upsample_nearest2d upsample_nearest3d view view_as vstack
"""
VALUES: Final = ("self", "input", "tensors", "src", "values")
"""Arguments whose entries are moved; any others say where to."""

MOVES: Final = frozenset(_MOVES.split())
"""Operators that give entries of what they take, unchanged."""


@dataclass(frozen=True, eq=False)
class Use:
    """One use of an ATen operator.

    Attributes:
        place: where it is.
        target: the overload of the operator, which can be run.
        arguments: by the names in its schema, defaults included.
        shape: of the result, if that is one tensor.
        torch: the package.
    """

    place: OperatorBuilder
    target: Any
    arguments: dict[str, Any]
    shape: tuple[int, ...] | None
    torch: Any

    @property
    def name(self) -> str:
        """Name of the operator without that of its overload."""
        return str(self.target._schema.name).removeprefix("aten::")

    def tensor(self, name: str) -> Value:
        """A tensor or a number: `Data`, or a constant of real numbers."""
        value = self.arguments[name]
        return value if isinstance(value, Data) else real(value)

    def constant(self, name: str) -> Any:
        """A constant of real numbers; None stays None.

        Raises:
            UnsupportedError: it depends on the network's input.
        """
        value = self.arguments.get(name)
        if isinstance(value, Data):
            raise self.place.call.unsupported(f"{name} depends on the network's input, expected a constant")
        return None if value is None else real(value)

    def sizes(self, name: str, rank: int) -> list[int]:
        """A list of integers, one for each of several axes; one integer stands for all."""
        value = self.arguments[name]
        listed = [value] if isinstance(value, int) else list(value)
        return listed * rank if len(listed) == 1 else listed

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, if the operator has it."""
        return self.arguments.get(name, default)


def moved(use: Use) -> Any:
    """An operator that only moves entries, run by torch on their positions."""
    if use.shape is not None:
        use.place.call.check_size(use.shape)
    parts: list[Value] = []

    def positions(value: Any) -> Any:
        if isinstance(value, list):
            return [positions(part) for part in value]
        start = sum(prod(part.shape) for part in parts)
        parts.append(value)
        index = np.arange(start, start + prod(value.shape), dtype=np.float64).reshape(value.shape)
        return use.torch.from_numpy(index)

    arguments = {
        name: positions(value) if name in VALUES else _indices(value, use)
        for name, value in use.arguments.items()
    }
    found = use.target(**arguments) if use.name != "detach_" else arguments["self"]
    several = isinstance(found, (list, tuple))
    values = [
        _picked(use, parts, index.numpy().astype(np.int64)) for index in (found if several else [found])
    ]
    return values if several else values[0]


def _picked(use: Use, parts: list[Value], index: Any) -> Value:
    if index.size == 0:
        raise use.place.call.unsupported(f"gives a tensor of shape {index.shape}, which holds no values")
    call = use.place.call
    call.check_size(index.shape)
    if not any(isinstance(part, Data) for part in parts):
        return np.concatenate([np.ravel(part) for part in parts])[index]
    nodes = [part if isinstance(part, Data) else call.as_data(real(part)) for part in parts]
    joined = use.place.build.join([node.node for node in nodes])
    return Data(use.place.build.select(joined, np.ascontiguousarray(index).ravel()), index.shape)


def _indices(value: Any, use: Use) -> Any:
    """Constant indices as torch takes them; numbers and the like as they are."""
    if isinstance(value, Data):
        raise use.place.call.unsupported("takes indices or a shape that depend on the network's input")
    if isinstance(value, list):
        return [_indices(part, use) for part in value]
    return use.torch.from_numpy(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value
