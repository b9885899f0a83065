"""Monotone operators at the end of a graph, which are taken off: Softmax, LogSoftmax, Sigmoid, ArgMax."""

from __future__ import annotations

from math import prod

from polyregions.io.models.onnx.call import Call
from polyregions.networks.final_function import FINAL_FUNCTIONS, FinalFunction

REASONS = {
    "Softmax": "the largest output stays the largest",
    "LogSoftmax": "the largest output stays the largest",
    "Sigmoid": "it increases in each output, so the largest stays the largest, and 1/2 is at 0",
    "ArgMax": "which output is the largest is what the decision cells say",
}

_NAMES: dict[str, FinalFunction] = {name: name for name in FINAL_FUNCTIONS}


def take_off(call: Call, shape: tuple[int, ...]) -> None:
    """Leave an operator out of the graph under construction, which remembers it, with a notice.

    Raises:
        UnsupportedError: a softmax or an argmax over only a part of the outputs, or the last of the largest.
    """
    op = call.node.op
    if op != "Sigmoid":
        _check_axis(call, shape, _default_axis(call))
    if call.attribute("select_last_index", 0):
        raise call.unsupported("takes the last of several largest outputs, expected the first")
    call.build.final_function = _NAMES[op]
    call.build.notices.append(f"{call.node.where}: taken off: {REASONS[op]}")


def _default_axis(call: Call) -> int:
    return 0 if call.node.op == "ArgMax" else 1 if call.opset < 13 else -1


def _check_axis(call: Call, shape: tuple[int, ...], default: int) -> None:
    axis, rank = call.attribute("axis", default), len(shape)
    if not -rank <= axis < max(rank, 1):
        raise call.wrong(f"axis {axis} of a tensor of shape {shape}")
    axis %= max(rank, 1)
    old_softmax = call.node.op != "ArgMax" and call.opset < 13
    runs_over = prod(shape[axis:]) if old_softmax else shape[axis]
    if runs_over != prod(shape):
        raise call.unsupported(f"runs over axis {axis} of {shape}, which is only a part of the outputs")
