"""ATen operators, translated into those of the ONNX standard; what only moves entries is run on their positions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any, Final

import numpy as np

from polyregions.graph.sparse import floats_if_exact
from polyregions.io.onnx_call import Data, Value
from polyregions.io.standard import Place, real

_MOVES = """
    _reshape_alias _unsafe_view alias cat chunk clone concat concatenate contiguous detach detach_ diagonal expand
    expand_as flatten flip gather hstack index index_select lift_fresh_copy moveaxis movedim mH mT narrow numpy_T
    permute pixel_shuffle pixel_unshuffle reflection_pad1d reflection_pad2d repeat repeat_interleave
    replication_pad1d replication_pad2d reshape reshape_as roll rot90 select slice split split_with_sizes squeeze
    stack swapaxes swapdims t take tile tensor_split transpose unbind unflatten unfold unsqueeze upsample_nearest1d
    upsample_nearest2d upsample_nearest3d view view_as vstack
"""
MOVES: Final = frozenset(_MOVES.split())
"""Operators that give entries of what they take, unchanged."""

IMAGES: Final = {"1d": 1, "2d": 2, "3d": 3}


class Use:
    """One use of an ATen operator.

    Args:
        place: where it is.
        target: the overload of the operator, which can be run.
        arguments: by the names in its schema, defaults included.
        shape: of the result, if that is one tensor.
        torch: the package.
    """

    def __init__(
        self, place: Place, target: Any, arguments: dict[str, Any], shape: tuple[int, ...] | None, torch: Any
    ) -> None:
        self.place, self.target, self.arguments, self.shape, self.torch = (
            place,
            target,
            arguments,
            shape,
            torch,
        )

    @property
    def name(self) -> str:
        """Name of the operator without that of its overload."""
        return str(self.target._schema.name).removeprefix("aten::")

    def tensor(self, name: str) -> Value:
        """A tensor or a number: `Data`, or a constant of real numbers."""
        value = self.arguments[name]
        return value if isinstance(value, Data) else real(value)

    def constant(self, name: str) -> Any:
        """A constant of real numbers; None stays None."""
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
    parts: list[Value] = []

    def positions(value: Any) -> Any:
        if isinstance(value, list):
            return [positions(part) for part in value]
        start = sum(prod(part.shape) for part in parts)
        parts.append(value)
        index = np.arange(start, start + prod(value.shape), dtype=np.float64).reshape(value.shape)
        return use.torch.from_numpy(index)

    arguments = {
        name: positions(value) if name in ("self", "input", "tensors") else _indices(value, use)
        for name, value in use.arguments.items()
    }
    found = use.target(**arguments) if use.name not in ("detach_",) else arguments["self"]
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


def _conv(use: Use) -> Value:
    weight = use.constant("weight")
    rank = weight.ndim - 2
    if use.get("transposed", False):
        raise use.place.call.unsupported("is a transposed convolution")
    strides, dilations = use.sizes("stride", rank), use.sizes("dilation", rank)
    attributes = {
        "strides": strides,
        "dilations": dilations,
        "pads": _pads(use, weight.shape[2:], dilations),
        "group": use.get("groups", 1),
    }
    return _over_images(
        use, "input", rank, lambda x: use.place.apply("Conv", x, weight, use.constant("bias"), **attributes)
    )


def _pads(use: Use, kernel: tuple[int, ...], dilations: list[int]) -> list[int]:
    """Padding in front of each axis, then behind."""
    if use.arguments["padding"] == "same":  # the odd one comes behind
        totals = [d * (k - 1) for d, k in zip(dilations, kernel, strict=True)]
        return [t // 2 for t in totals] + [t - t // 2 for t in totals]
    if use.arguments["padding"] == "valid":
        return [0] * (2 * len(kernel))
    return use.sizes("padding", len(kernel)) * 2


def _over_images(use: Use, name: str, rank: int, operator: Callable[[Value], Value]) -> Value:
    """An operator on (batch, channels, ...), given that or one image (channels, ...)."""
    value = use.place.call.as_data(use.tensor(name))
    if len(value.shape) == rank + 2:
        return operator(value)
    one = operator(Data(value.node, (1, *value.shape)))
    return Data(one.node, one.shape[1:])


def _rank(use: Use) -> int:
    return next(rank for suffix, rank in IMAGES.items() if suffix in use.name)


def _max_pool(use: Use) -> Any:
    rank = _rank(use)
    kernel = use.sizes("kernel_size", rank)
    found = _over_images(
        use,
        "self",
        rank,
        lambda x: use.place.apply(
            "MaxPool",
            x,
            kernel_shape=kernel,
            strides=use.sizes("stride", rank) or kernel,
            pads=use.sizes("padding", rank) * 2,
            dilations=use.sizes("dilation", rank),
            ceil_mode=int(use.get("ceil_mode", False)),
        ),
    )
    return [found, None] if "with_indices" in use.name else found


def _average_pool(use: Use) -> Value:
    rank = _rank(use)
    kernel = use.sizes("kernel_size", rank)
    if use.get("divisor_override") is not None:
        raise use.place.call.unsupported("divisor_override")
    return _over_images(
        use,
        "self",
        rank,
        lambda x: use.place.apply(
            "AveragePool",
            x,
            kernel_shape=kernel,
            strides=use.sizes("stride", rank) or kernel,
            pads=use.sizes("padding", rank) * 2,
            ceil_mode=int(use.get("ceil_mode", False)),
            count_include_pad=int(use.get("count_include_pad", True)),
        ),
    )


def _adaptive_average_pool(use: Use) -> Value:
    """A mean along one axis after the other: a window is a box, so its mean is one of means."""
    rank = _rank(use)
    value = use.place.call.as_data(use.tensor("self"))
    first = len(value.shape) - rank
    if _divides(use, value.shape[first:]):
        return _over_images(use, "self", rank, lambda x: _even_windows(use, x, "AveragePool"))
    for axis, size in enumerate(_wanted(use, value.shape[first:]), start=first):
        means = _means(value.shape[axis], size)
        value = _swapped(use, use.place.apply("MatMul", _swapped(use, value, axis), means), axis)
    return value


def _swapped(use: Use, value: Data, axis: int) -> Value:
    return use.place.call.moved(value, lambda array: np.swapaxes(array, axis, -1))


def _adaptive_max_pool(use: Use) -> Any:
    rank = _rank(use)
    shape = use.tensor("self").shape[-rank:]
    if not _divides(use, shape):
        raise use.place.call.unsupported(f"windows of different sizes: {use.get('output_size')} of {shape}")
    return [_over_images(use, "self", rank, lambda x: _even_windows(use, x, "MaxPool")), None]


def _wanted(use: Use, shape: tuple[int, ...]) -> list[int]:
    sizes = use.sizes("output_size", len(shape))
    return [n if size is None else size for n, size in zip(shape, sizes, strict=True)]


def _divides(use: Use, shape: tuple[int, ...]) -> bool:
    return all(n % size == 0 for n, size in zip(shape, _wanted(use, shape), strict=True))


def _even_windows(use: Use, value: Data, op: str) -> Value:
    shape = value.shape[2:]
    kernel = [n // size for n, size in zip(shape, _wanted(use, shape), strict=True)]
    return use.place.apply(op, value, kernel_shape=kernel, strides=kernel)


def _means(n: int, size: int) -> Any:
    """The matrix (n, size) of means over the entries from floor(i n / size) to ceil((i + 1) n / size)."""
    matrix = np.full((n, size), Fraction(0), dtype=object)
    for i in range(size):
        start, end = i * n // size, -(-(i + 1) * n // size)
        matrix[start:end, i] = Fraction(1, end - start)
    return floats_if_exact(matrix)


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
    value, dims = use.place.call.as_data(use.tensor("self")), use.get("dim")
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
    **{f"conv{n}": _conv for n in IMAGES},
    **{f"max_pool{n}": _max_pool for n in IMAGES},
    **{f"max_pool{n}_with_indices": _max_pool for n in IMAGES},
    **{f"avg_pool{n}": _average_pool for n in IMAGES},
    **{f"{prefix}adaptive_avg_pool{n}": _adaptive_average_pool for prefix in ("", "_") for n in IMAGES},
    **{f"adaptive_max_pool{n}": _adaptive_max_pool for n in IMAGES},
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
    **{name: _extremum("Max") for name in ("max", "maximum", "amax")},
    **{name: _extremum("Min") for name in ("min", "minimum", "amin")},
    **{name: _pad for name in ("pad", "constant_pad_nd")},
    "_to_copy": _cast,
    "abs": _abs,
    "add": _add,
    "arange": _arange,
    "convolution": _conv,
    "div": _div,
    "hardsigmoid": _hardsigmoid,
    "hardtanh": _hardtanh,
    "leaky_relu": _leaky_relu,
    "linear": _linear,
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
}
"""The supported operators by the name of their schema."""
