"""The ONNX operators as a vocabulary that other sources are translated into.

Each of them is compared with onnx's own evaluators, so that other readers need no arithmetic of their own.
"""

from __future__ import annotations

from math import prod
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np

from polyregions.errors import FormatError, OptionError, UnsupportedError
from polyregions.io.models.onnx.call import Call, Data, Value
from polyregions.io.models.onnx.final import take_off
from polyregions.io.models.onnx.graph import OPSETS
from polyregions.io.models.onnx.node import Node
from polyregions.io.models.onnx.operators import applied
from polyregions.networks.graph.build import GraphBuilder
from polyregions.networks.graph.rounding import floats_if_exact, rationals

Shapes: TypeAlias = tuple[tuple[int, ...], ...]


class OperatorBuilder:
    """A place in a source at which operators are applied.

    Args:
        build: the graph so far.
        where: the source and what of it, for messages.
    """

    def __init__(self, build: GraphBuilder, where: str) -> None:
        build.where = where
        self.build = build
        self.where = where
        self.call = self._call("Identity", [], {})

    def apply(self, op: str, *operands: Value | None, **attributes: Any) -> Value:
        """What an operator of the newest version of the standard gives."""
        return applied(self._call(op, list(operands), attributes))

    def clip(self, value: Value, lower: Any, upper: Any) -> Data:
        """``min(max(x, lower), upper)``, bounds being numbers, arrays or None."""
        data = self.call.as_data(value)
        bounds = [
            None if b is None else np.broadcast_to(real(b), data.shape).ravel() + 0 for b in (lower, upper)
        ]
        return Data(self.build.clip(data.node, *bounds), data.shape)

    def units(self, value: Value, off: Any, on: float = 1.0) -> Data:
        """Two-slope units; the slope for negative x is a number, or an array that fits the data."""
        data = self.call.as_data(value)
        slopes = np.broadcast_to(np.asarray(off, dtype=np.float64), data.shape).ravel()
        table = np.column_stack([slopes, np.full(prod(data.shape), on)])
        return Data(self.build.units(data.node, table), data.shape)

    def take_off(self, op: str, shape: tuple[int, ...], axis: int) -> None:
        """Leave out a final operator over all outputs, with a notice.

        Raises:
            UnsupportedError: it runs over a part of the outputs.
        """
        attributes = {} if op == "Sigmoid" else {"axis": axis}
        take_off(self._call(op, [], attributes), shape)

    def _call(self, op: str, operands: list[Value | None], attributes: dict[str, Any]) -> Call:
        node = Node(SimpleNamespace(op_type=op), self.where)
        return Call(node, OPSETS[-1], operands, attributes, self.build)


def real(value: Any) -> Any:
    """A number or an array of numbers as float64, or as fractions where float64 cannot hold it."""
    array = np.asarray(value)
    if array.dtype.kind in "fb":
        return array.astype(np.float64)
    return floats_if_exact(rationals(array))


def finite(values: Any, where: str) -> Any:
    """Weights as float64.

    Raises:
        UnsupportedError: they are of another type.
        FormatError: one is not finite.
    """
    array = np.asarray(values)
    if array.dtype not in (np.float16, np.float32, np.float64):
        raise UnsupportedError(f"{where} is of {array.dtype}, expected float16, float32 or float64 values")
    lifted = array.astype(np.float64)
    if not np.all(np.isfinite(lifted)):
        index = [int(i) for i in np.argwhere(~np.isfinite(lifted))[0]]
        raise FormatError(f"{where}{index} is {lifted[tuple(index)]}, expected a finite number")
    return lifted


def input_shapes(given: Any) -> Shapes:
    """One shape or several, as users give them.

    Raises:
        OptionError: sizes that are none.
    """
    listed = [given] if isinstance(given, int) else list(given)
    one = not any(isinstance(part, (tuple, list)) for part in listed)
    shapes = [listed] if one else [[part] if isinstance(part, int) else list(part) for part in listed]
    if not all(shapes) or any(type(n) is not int or n < 1 for shape in shapes for n in shape):
        raise OptionError(
            f"input_shape is {given!r}, expected sizes >= 1 such as (1, 28, 28), or a list of such"
        )
    return tuple(tuple(shape) for shape in shapes)
