"""ATen operators, translated into those of the ONNX standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from polyregions.io.models.onnx.call import Data, Value
from polyregions.io.models.onnx.vocabulary import real
from polyregions.io.models.torch import windows
from polyregions.io.models.torch.use import MOVES, Use, moved


def _linear(use: Use) -> Value:
    weight = use.constant("weight")
    found = use.place.apply("MatMul", use.tensor("input"), weight.T)
    return _plus(use, found, use.constant("bias"))


def _plus(use: Use, value: Value, bias: Any) -> Value:
    return value if bias is None else use.place.apply("Add", value, bias)


def _matmul(use: Use) -> Value:
    second = next(name for name in ("other", "mat2", "vec") if name in use.arguments)
    return use.place.apply("MatMul", use.tensor("self"), use.tensor(second))


def _addmm(use: Use) -> Value:
    first, second = (name for name in use.arguments if name not in ("self", "beta", "alpha"))
    product = use.place.apply("MatMul", use.tensor(first), use.tensor(second))
    return use.place.apply(
        "Add", _times(use, use.tensor("self"), use.get("beta", 1)), _times(use, product, use.get("alpha", 1))
    )


def _times(use: Use, value: Value, factor: Any) -> Value:
    return value if factor == 1 else use.place.apply("Mul", value, real(factor))


def _add(use: Use) -> Value:
    return use.place.apply("Add", use.tensor("self"), _times(use, use.tensor("other"), use.get("alpha", 1)))


def _sub(use: Use) -> Value:
    return use.place.apply("Sub", use.tensor("self"), _times(use, use.tensor("other"), use.get("alpha", 1)))


def _rsub(use: Use) -> Value:
    return use.place.apply("Sub", use.tensor("other"), _times(use, use.tensor("self"), use.get("alpha", 1)))


def _mul(use: Use) -> Value:
    return use.place.apply("Mul", use.tensor("self"), use.tensor("other"))


def _div(use: Use) -> Value:
    if use.get("rounding_mode") is not None:
        raise use.place.call.unsupported("rounds, expected a division")
    return use.place.apply("Div", use.tensor("self"), use.tensor("other"))


def _batch_norm(use: Use) -> Any:
    mean, variance = use.constant("running_mean"), use.constant("running_var")
    if mean is None or variance is None or use.get("training", False):
        raise use.place.call.unsupported("is in training mode; call .eval() first")
    scale, bias = use.constant("weight"), use.constant("bias")
    found = use.place.apply(
        "BatchNormalization",
        use.tensor("input"),
        np.ones(len(mean)) if scale is None else scale,
        np.zeros(len(mean)) if bias is None else bias,
        mean,
        variance,
        epsilon=float(use.arguments["eps"]),
    )
    return [found, None, None] if use.name.startswith("_native") else found


def _dropout(use: Use) -> Any:
    if use.get("train") and use.get("p") != 0:
        raise use.place.call.unsupported("is in training mode; call .eval() first")
    found = use.tensor("input")
    return [found, None] if use.name == "native_dropout" else found


def _relu(use: Use) -> Value:
    return use.place.units(use.tensor("self"), 0.0)


def _leaky_relu(use: Use) -> Value:
    return use.place.units(use.tensor("self"), float(use.arguments["negative_slope"]))


def _rrelu(use: Use) -> Value:
    """In evaluation, the slope is the middle of the two."""
    if use.get("training"):
        raise use.place.call.unsupported("is in training mode; call .eval() first")
    return use.place.units(use.tensor("self"), (use.arguments["lower"] + use.arguments["upper"]) / 2)


def _prelu(use: Use) -> Value:
    weight, shape = use.constant("weight"), use.tensor("self").shape
    if weight.size > 1 and weight.ndim == 1:
        weight = weight.reshape(-1, *(1,) * (len(shape) - 2)) if len(shape) > 1 else weight
    return use.place.units(use.tensor("self"), weight if weight.size > 1 else weight.ravel()[0])


def _abs(use: Use) -> Value:
    return use.place.apply("Abs", use.tensor("self"))


def _neg(use: Use) -> Value:
    return use.place.apply("Neg", use.tensor("self"))


def _clamp(use: Use) -> Value:
    return use.place.clip(use.tensor("self"), use.constant("min"), use.constant("max"))


def _hardtanh(use: Use) -> Value:
    return use.place.clip(use.tensor("self"), use.constant("min_val"), use.constant("max_val"))


def _relu6(use: Use) -> Value:
    return use.place.clip(use.tensor("self"), 0.0, 6.0)


def _hardsigmoid(use: Use) -> Value:
    """``relu6(x + 3) / 6``."""
    shifted = use.place.apply("Add", use.tensor("self"), real(3))
    return use.place.apply("Div", use.place.clip(shifted, 0.0, 6.0), real(6))


def _threshold(use: Use) -> Value:
    if use.arguments["threshold"] != use.arguments["value"]:
        raise use.place.call.unsupported("jumps, expected a value equal to the threshold")
    return use.place.clip(use.tensor("self"), use.constant("threshold"), None)


def _softshrink(use: Use) -> Value:
    """``x - clip(x, -lambd, lambd)``."""
    value, bound = use.tensor("self"), real(use.arguments["lambd"])
    return use.place.apply("Sub", value, use.place.clip(value, -bound, bound))


def _cumsum(use: Use) -> Value:
    return use.place.apply("CumSum", use.tensor("self"), np.array(use.arguments["dim"], dtype=np.int64))


def _einsum(use: Use) -> Value:
    tensors = [value if isinstance(value, Data) else real(value) for value in use.arguments["tensors"]]
    return use.place.apply("Einsum", *tensors, equation=use.arguments["equation"])


def _where(use: Use) -> Value:
    return use.place.apply("Where", use.arguments["condition"], use.tensor("self"), use.tensor("other"))


def _masked_fill(use: Use) -> Value:
    return use.place.apply("Where", use.arguments["mask"], use.tensor("value"), use.tensor("self"))


def _triangle(upper: int) -> Callable[[Use], Value]:
    return lambda use: use.place.apply(
        "Trilu", use.tensor("self"), np.array(use.get("diagonal", 0), dtype=np.int64), upper=upper
    )


def _fill(use: Use) -> Value:
    shape = use.place.call.as_data(use.tensor("self")).shape
    return use.place.call.broadcast(use.tensor("value"), shape)


def _copy(use: Use) -> Value:
    """What is written, in the shape of what it is written over."""
    shape = use.place.call.as_data(use.tensor("self")).shape
    return use.place.call.broadcast(use.tensor("src"), shape)


def _index_put(use: Use) -> Value:
    """Entries at constant indices replaced, each once."""
    self = use.tensor("self")
    indices = [None if i is None else use.torch.from_numpy(i) for i in use.arguments["indices"]]
    none, one = use.torch.zeros(self.shape), use.torch.ones(())
    writes = use.torch.ops.aten.index_put.default(none, indices, one, True)
    if use.get("accumulate") or writes.max() > 1:
        raise use.place.call.unsupported("adds to entries, or writes one twice; expected each at most once")
    return moved(use)


def _norm(use: Use) -> Value:
    """The sum of absolute values, if p is 1."""
    order = use.get("ord", use.get("p"))
    if order != 1:
        raise use.place.call.unsupported(f"a norm with p = {order}, expected p = 1")
    return _reduced(use, "ReduceL1")


def _extremum(op: str) -> Callable[[Use], Any]:
    """max or min: of two tensors, along one axis (with indices, which are not followed), or of all entries."""

    def operator(use: Use) -> Any:
        if "other" in use.arguments:
            return use.place.apply(op, use.tensor("self"), use.tensor("other"))
        found = _reduced(use, f"Reduce{op}")
        return [found, None] if use.target._overloadname == "dim" else found

    return operator


def _reduction(op: str) -> Callable[[Use], Value]:
    return lambda use: _reduced(use, op)


def _reduced(use: Use, op: str) -> Value:
    value, dims = use.tensor("self"), use.get("dim")
    axes = [dims] if isinstance(dims, int) else list(dims or range(len(value.shape)))
    keep = int(bool(use.get("keepdim", False)))
    return use.place.apply(op, value, np.array(axes, dtype=np.int64), keepdims=keep)


def _pad(use: Use) -> Value:
    if use.get("mode", "constant") != "constant":
        return moved(use)
    value, pad = use.place.call.as_data(use.tensor("self")), use.arguments["pad"]
    rank = len(value.shape)
    widths = np.zeros((2, rank), dtype=np.int64)
    for i, width in enumerate(pad):  # two for each axis, from the last axis on
        widths[i % 2, rank - 1 - i // 2] = width
    filler = real(use.get("value") or 0.0)
    return use.place.apply("Pad", value, widths.ravel(), filler, mode="constant")


def _cast(use: Use) -> Value:
    """Only to a type that holds every number of the one before: anything else rounds."""
    value = use.arguments["self"]
    if not isinstance(value, Data):
        return value
    to, before = use.get("dtype"), use.get("dtype of self")
    if to is not None and not use.torch.can_cast(before, to):
        raise use.place.call.unsupported(f"casts to {to}, expected a real type")
    if to is not None and (not to.is_floating_point or use.torch.promote_types(before, to) != to):
        raise use.place.call.unsupported(f"rounds {before} to {to}")
    return value


def _filled(number: float | None) -> Callable[[Use], Any]:
    def operator(use: Use) -> Any:
        value = use.arguments["fill_value"] if number is None else number
        return np.full(use.shape, float(value))

    return operator


def _arange(use: Use) -> Any:
    return use.target(**{k: v for k, v in use.arguments.items() if k in ("start", "end", "step")}).numpy()


OPERATORS: Final[dict[str, Callable[[Use], Any]]] = {
    **{name: moved for name in MOVES},
    **{f"conv{n}": windows.conv for n in windows.IMAGES},
    **{f"max_pool{n}": windows.max_pool for n in windows.IMAGES},
    **{f"max_pool{n}_with_indices": windows.max_pool for n in windows.IMAGES},
    **{f"avg_pool{n}": windows.average_pool for n in windows.IMAGES},
    **{
        f"{prefix}adaptive_avg_pool{n}": windows.adaptive_average_pool
        for prefix in ("", "_")
        for n in windows.IMAGES
    },
    **{f"adaptive_max_pool{n}": windows.adaptive_max_pool for n in windows.IMAGES},
    **{name: _cast for name in ("to", "_to_copy", "type_as")},
    **{name: _filled(0.0) for name in ("zeros", "zeros_like", "new_zeros")},
    **{name: _filled(1.0) for name in ("ones", "ones_like", "new_ones")},
    **{name: _filled(None) for name in ("full", "full_like", "new_full")},
    **{name: _dropout for name in ("dropout", "alpha_dropout", "feature_dropout", "native_dropout")},
    **{name: _matmul for name in ("matmul", "mm", "bmm", "mv")},
    **{name: _addmm for name in ("addmm", "baddbmm", "addmv")},
    **{name: _batch_norm for name in ("batch_norm", "_native_batch_norm_legit_no_training")},
    **{name: _prelu for name in ("prelu", "_prelu_kernel")},
    **{name: _clamp for name in ("clamp", "clip", "clamp_min", "clamp_max")},
    **{f"conv_transpose{n}": windows.conv_transpose for n in windows.IMAGES},
    **{name: windows.upsample for name in windows.LINEAR},
    **{name: _norm for name in ("linalg_vector_norm", "norm")},
    **{name: _extremum("Max") for name in ("max", "maximum", "amax")},
    **{name: _extremum("Min") for name in ("min", "minimum", "amin")},
    **{name: _pad for name in ("pad", "constant_pad_nd")},
    "_to_copy": _cast,
    "abs": _abs,
    "add": _add,
    "arange": _arange,
    "convolution": windows.conv,
    "copy": _copy,
    "cumsum": _cumsum,
    "einsum": _einsum,
    "div": _div,
    "fill": _fill,
    "hardsigmoid": _hardsigmoid,
    "hardtanh": _hardtanh,
    "index_put": _index_put,
    "leaky_relu": _leaky_relu,
    "linear": _linear,
    "masked_fill": _masked_fill,
    "mean": _reduction("ReduceMean"),
    "mul": _mul,
    "neg": _neg,
    "relu": _relu,
    "relu6": _relu6,
    "rrelu": _rrelu,
    "rsub": _rsub,
    "softshrink": _softshrink,
    "sub": _sub,
    "sum": _reduction("ReduceSum"),
    "threshold": _threshold,
    "tril": _triangle(0),
    "triu": _triangle(1),
    "where": _where,
}
"""The supported operators by the name of their schema."""

_EXACT = "add addmm baddbmm bmm cumsum div einsum linear matmul mean mm mul mv neg rsub sub sum where"
EXACT: Final = MOVES | frozenset(_EXACT.split()) | {"to", "_to_copy", "type_as", "_assert_tensor_metadata"}
"""Operators that are exact on parameters, too, which need not be computed in float64."""
