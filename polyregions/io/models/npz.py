"""Networks as plain arrays in a .npz file: W1, b1, ..., WL, bL. Arrays of other names are refused.

A layer whose exact coefficients are not float64 numbers is stored with two more arrays: ``N1``, the
numerators (n, k+1) of weight and bias, and ``D1``, their common denominator, both as strings of
hexadecimal integers. Units other than ReLU (identity on the last layer) are stored as slopes ``S1`` (n, 2); maxima
as ``max_neurons`` and ``max_offsets``, see `MaxGroups`; the name of a final Softmax or the like that is not among the
layers as ``final_function``.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError
from polyregions.exact.rational_rows import ExactAffine
from polyregions.io.files import MAX_BYTES, network_errors_are_format_errors, shortened, write_whole
from polyregions.io.npz import arrays_of_npz, npz_bytes
from polyregions.networks.activations import IDENTITY, RELU
from polyregions.networks.final_function import FINAL_FUNCTIONS, FinalFunction
from polyregions.networks.maxima import MaxGroups
from polyregions.networks.network import Layer, Network, affine_layer, exact_layer

ACTIVATIONS: Final = {"relu": RELU, "none": IDENTITY}


_HEXADECIMAL = re.compile(r"-?0x[0-9a-f]+")


def network_of_npz(data: bytes, where: str, name: str, max_bytes: int = MAX_BYTES) -> Network:
    """The network stored in the bytes of a .npz file.

    Args:
        data: content of the file.
        where: the file, for messages.
        name: name of the network.
        max_bytes: limit of the arrays' total size.

    Raises:
        FormatError: damaged or hostile archives, missing arrays, arrays that have no use, shapes that do not fit.
    """
    arrays = arrays_of_npz(data, where, max_bytes)
    network = network_of_arrays(arrays, where, name)
    arrays.refuse_rest(network_names(len(network.layers)))
    return network


def network_of_arrays(arrays: dict[str, Any], where: str, name: str) -> Network:
    """The network stored under the names W1, b1, ..., among other arrays perhaps.

    Raises:
        FormatError: missing arrays, shapes that do not fit.
    """
    layers = [_read_layer(arrays, i + 1, where) for i in range(_count_layers(arrays, where))]
    last = ACTIVATIONS[_read_final_activation(arrays, where)]
    units = [RELU] * (len(layers) - 1) + [last]
    with network_errors_are_format_errors():
        chain = [layer.with_units(unit) for layer, unit in zip(layers, units, strict=True)]
        chain = [_with_slopes(layer, arrays, i, where) for i, layer in enumerate(chain, start=1)]
        network = Network.from_units(chain, where)  # once with the file's name in its messages
        return Network.from_units(
            chain,
            name,
            _read_max_groups(arrays, network.n_neurons, where),
            (),
            _read_final_function(arrays, where),
        )


def network_names(n_layers: int) -> list[str]:
    """The names that arrays of a network of so many layers, or of one more, may have."""
    layers = [f"{letter}{i}" for i in range(1, n_layers + 2) for letter in "WbSND"]
    return [*layers, "final_activation", "final_function", "max_neurons", "max_offsets"]


def save_network_npz(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network so that `load_network` reads back the same numbers.

    Args:
        network: the network.
        path: the file, ending in ``.npz``.

    Raises:
        FormatError: the name does not end in ``.npz``, or the file cannot be written.
    """
    if Path(path).suffix.lower() != ".npz":
        raise FormatError(f"{path}: expected a name that ends in .npz")
    write_whole(path, npz_bytes(network_arrays(network)))


def network_arrays(network: Network) -> dict[str, Any]:
    """The arrays that stand for a network: W1, b1, ... and ``final_activation``, others where they are needed."""
    ends_in_relu = bool(np.all(network.layers[-1].slopes == RELU))
    units = [RELU] * (len(network.layers) - 1) + [RELU if ends_in_relu else IDENTITY]
    arrays: dict[str, Any] = {"final_activation": np.array("relu" if ends_in_relu else "none")}
    for i, (layer, usual) in enumerate(zip(network.layers, units, strict=True), start=1):
        arrays |= _layer_arrays(layer, i)
        if not np.all(layer.slopes == usual):
            arrays[f"S{i}"] = layer.slopes
    if network.final_function is not None:
        arrays["final_function"] = np.array(network.final_function)
    if network.max_groups is not None:
        arrays["max_neurons"] = network.max_groups.neurons
        arrays["max_offsets"] = network.max_groups.offsets
    return arrays


def _count_layers(arrays: dict[str, Any], where: str) -> int:
    found = {int(m[1]) for name in arrays if (m := re.fullmatch(r"[WbSND]([1-9][0-9]{0,5})", name))}
    if not found:
        listed = shortened(", ".join(arrays) or "nothing", 200)
        raise FormatError(f"{where}: holds {listed}, expected arrays W1, b1, ..., WL, bL")
    count = max(found)
    for name in (f"{letter}{i}" for i in range(1, min(count, len(arrays)) + 1) for letter in "Wb"):
        if name not in arrays:
            raise FormatError(f"{where}: array {name} is missing, expected W1, b1, ..., W{count}, b{count}")
    return count


def _read_layer(arrays: dict[str, Any], i: int, where: str) -> Layer:
    place = f"{where}, layer {i}"
    with network_errors_are_format_errors():
        layer = affine_layer((arrays[f"W{i}"], arrays[f"b{i}"]), place)
        if f"N{i}" not in arrays and f"D{i}" not in arrays:
            return layer
        exact = exact_layer(_read_exact(arrays, i, layer, place), layer.n_inputs, place)
    same = np.array_equal(exact.weight, layer.weight) and np.array_equal(exact.bias, layer.bias)
    if not same:
        raise FormatError(f"{place}: W{i}, b{i} are not the floats nearest to N{i} / D{i}")
    return exact


def _read_exact(arrays: dict[str, Any], i: int, layer: Layer, where: str) -> ExactAffine:
    for name in (f"N{i}", f"D{i}"):
        if name not in arrays or arrays[name].dtype.kind != "U":
            raise FormatError(f"{where}: array {name} is missing or not of strings")
    numerators, denominator = arrays[f"N{i}"], arrays[f"D{i}"]
    expected = (layer.n_units, layer.n_inputs + 1)
    if numerators.shape != expected or denominator.shape != ():
        raise FormatError(
            f"{where}: N{i} and D{i} have shapes {numerators.shape} and {denominator.shape}, "
            f"expected {expected} and ()"
        )
    flat = [_integer(str(text), where) for text in numerators.flat]
    integers = np.array(flat, dtype=object).reshape(expected)
    common = _integer(str(denominator), where)
    if common <= 0:
        raise FormatError(f"{where}: D{i} is {shortened(hex(common))}, expected a positive integer")
    return ExactAffine(integers, common)


def _integer(text: str, where: str) -> int:
    if not _HEXADECIMAL.fullmatch(text):
        raise FormatError(f"{where}: {shortened(text)!r}, expected a hexadecimal integer such as '-0x1f'")
    return int(text, 16)


def _read_final_activation(arrays: dict[str, Any], where: str) -> str:
    stored = arrays.get("final_activation", np.array("none"))
    if stored.shape != () or stored.dtype.kind != "U" or str(stored) not in ACTIVATIONS:
        found = shortened(repr(stored))
        raise FormatError(f"{where}: final_activation is {found}, expected one of {sorted(ACTIVATIONS)}")
    return str(stored)


def _read_final_function(arrays: dict[str, Any], where: str) -> FinalFunction | None:
    stored = arrays.get("final_function")
    if stored is None:
        return None
    for name in FINAL_FUNCTIONS:
        if stored.shape == () and stored.dtype.kind == "U" and str(stored) == name:
            return name
    raise FormatError(
        f"{where}: final_function is {shortened(repr(stored))}, expected one of {', '.join(FINAL_FUNCTIONS)}"
    )


def _with_slopes(layer: Layer, arrays: dict[str, Any], i: int, where: str) -> Layer:
    slopes = arrays.get(f"S{i}")
    if slopes is None:
        return layer
    if slopes.dtype != np.float64 or slopes.shape != (layer.n_units, 2) or not np.all(np.isfinite(slopes)):
        raise FormatError(
            f"{where}: S{i} is {slopes.dtype} {slopes.shape}, expected finite float64 ({layer.n_units}, 2)"
        )
    return replace(layer, slopes=slopes)


def _read_max_groups(arrays: dict[str, Any], n_neurons: int, where: str) -> MaxGroups | None:
    neurons, offsets = arrays.get("max_neurons"), arrays.get("max_offsets")
    if neurons is None and offsets is None:
        return None
    if (
        neurons is None
        or offsets is None
        or {(a.dtype.str, a.ndim) for a in (neurons, offsets)} != {("<i8", 1)}
    ):
        raise FormatError(f"{where}: max_neurons or max_offsets is missing or no list of int64")
    ascends = (
        len(offsets) > 0 and offsets[0] == 0 and offsets[-1] == len(neurons) and np.all(np.diff(offsets) >= 0)
    )
    if not ascends or np.any((neurons < 0) | (neurons >= n_neurons)):
        raise FormatError(
            f"{where}: max_neurons and max_offsets do not name comparators among {n_neurons} neurons"
        )
    return MaxGroups(neurons, offsets)


def _layer_arrays(layer: Layer, i: int) -> dict[str, Any]:
    arrays: dict[str, Any] = {f"W{i}": layer.weight, f"b{i}": layer.bias}
    if layer.exact is not None:
        texts = [hex(int(n)) for n in layer.exact.numerators.flat]
        arrays[f"N{i}"] = np.array(texts, dtype=np.str_).reshape(layer.exact.numerators.shape)
        arrays[f"D{i}"] = np.array(hex(layer.exact.denominator))
    return arrays
