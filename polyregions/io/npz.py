"""Networks as plain arrays in a .npz file: W1, b1, ..., WL, bL. Arrays of other names are refused.

The reader takes the zip archive apart itself: sizes declared by the archive's directory and by each
array's header are compared with limits and with the bytes present before anything is allocated, and
pickled objects are refused unseen.

A layer whose exact coefficients are not float64 numbers is stored with two more arrays: ``N1``, the
numerators (n, k+1) of weight and bias, and ``D1``, their common denominator, both as strings of
hexadecimal integers. Units other than ReLU (identity on the last layer) are stored as slopes ``S1`` (n, 2); maxima
as ``max_neurons`` and ``max_offsets``, see `MaxGroups`; the name of a final Softmax or the like that is not among the
layers as ``final_function``.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np

from polyregions.errors import FormatError
from polyregions.exact.affine import ExactAffine
from polyregions.io.files import (
    MAX_BYTES,
    expansion_limit,
    network_errors_are_format_errors,
    shortened,
    write_whole,
)
from polyregions.networks.activations import IDENTITY, RELU
from polyregions.networks.final_function import FINAL_FUNCTIONS, FinalFunction
from polyregions.networks.maxima import MaxGroups
from polyregions.networks.network import Layer, Network, affine_layer, exact_layer

MAX_MEMBERS: Final = 10_000
MAX_HEADER: Final = 10_000
MAX_CODE_POINT: Final = 0x10FFFF
ZIP_MAGIC: Final = b"PK"
ACTIVATIONS: Final = {"relu": RELU, "none": IDENTITY}

_HEXADECIMAL = re.compile(r"-?0x[0-9a-f]+")
_ENCRYPTED = 0x1


class Arrays(dict[str, Any]):
    """The arrays of a file by name, and which of them have been read: what has no use is refused, not dropped.

    Args:
        arrays: name by name.
        where: the file, for messages.
    """

    def __init__(self, arrays: Mapping[str, Any], where: str) -> None:
        super().__init__(arrays)
        self.where = where
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """An array, or the default where there is none of this name."""
        return self[name] if name in self else default  # noqa: SIM401 - this is what get is made of

    def refuse_rest(self, known: Sequence[str] = ()) -> None:
        """Refuse arrays that nothing has read.

        Args:
            known: names that would have had a use, where these are more than those that were read.

        Raises:
            FormatError: names the first, and what it may have been meant to be.
        """
        rest = [name for name in self if name not in self._read]
        if not rest:
            return
        name = shortened(rest[0])
        close = [c for c in get_close_matches(name, known, 1, 0.4) if c not in self._read]
        meant = f"; did you mean {close[0]!r}?" if close else ""
        listed = shortened(", ".join(known or sorted(self._read)), 200)
        raise FormatError(f"{self.where}: array {name!r} has no use here{meant} (known are {listed})")


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


def npz_bytes(arrays: dict[str, Any]) -> bytes:
    """A .npz archive of arrays: the same arrays give the same bytes, at any time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def arrays_of_npz(data: bytes, where: str, max_bytes: int = MAX_BYTES) -> Arrays:
    """All arrays of a .npz file by name, read without pickle and within bounds.

    Raises:
        FormatError: not a zip archive, damaged, encrypted, duplicate names, declared sizes beyond the
            limit or different from the bytes present, arrays of objects.
    """
    if not data.startswith(ZIP_MAGIC):
        raise FormatError(f"{where}: begins with {data[:4]!r}, expected a zip archive ({ZIP_MAGIC!r}...)")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _checked_members(archive, where, min(max_bytes, expansion_limit(len(data))))
            found = {_array_name(m.filename, where): _read_member(archive, m, where) for m in members}
            return Arrays(found, where)
    except FormatError:
        raise
    except Exception as error:  # zipfile raises many kinds, from BadZipFile to struct.error
        raise FormatError(f"{where}: damaged zip archive ({type(error).__name__}: {error})") from None


def _checked_members(archive: zipfile.ZipFile, where: str, max_bytes: int) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = [m.filename for m in members]
    if len(names) > MAX_MEMBERS:
        raise FormatError(f"{where}: {len(names)} members, expected at most {MAX_MEMBERS}")
    if len(set(names)) != len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise FormatError(f"{where}: two members are named {shortened(twice)!r}")
    if any(m.flag_bits & _ENCRYPTED for m in members):
        raise FormatError(f"{where}: the archive is encrypted")
    declared = sum(m.file_size for m in members)
    if declared > max_bytes:
        raise FormatError(
            f"{where}: declares {declared} bytes, expected at most {max_bytes} (by max_bytes and by the file's size)"
        )
    return members


def _array_name(filename: str, where: str) -> str:
    if not filename.endswith(".npy"):
        raise FormatError(f"{where}: member {shortened(filename)!r}, expected only .npy members")
    return filename.removesuffix(".npy")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> Any:
    # ZipFile hands out at most the declared size, which has been checked, and compares the checksum
    with archive.open(member) as stream:
        content = stream.read()
    return _array_of_npy(content, f"{where}, array {shortened(_array_name(member.filename, where))!r}")


def _array_of_npy(content: bytes, where: str) -> Any:
    stream = io.BytesIO(content)
    shape, fortran, dtype = _read_header(stream, where)
    if dtype.hasobject:
        raise FormatError(f"{where}: holds pickled objects, expected numbers (pickles are never opened)")
    body = memoryview(content)[stream.tell() :]  # no copy
    declared = prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or declared != len(body):
        raise FormatError(
            f"{where}: shape {shape} of {dtype} takes {declared} bytes, but {len(body)} are there"
        )
    if declared == 0:
        return _empty_array(shape, dtype, where)
    if dtype.kind == "U":
        _check_text(body, dtype, where)
    return np.frombuffer(body, dtype).reshape(shape, order="F" if fortran else "C")


def _check_text(body: memoryview, dtype: Any, where: str) -> None:
    """numpy hands out code points that no string of Python can hold, or no file and terminal can take."""
    points = np.frombuffer(body, np.dtype(np.uint32).newbyteorder(dtype.byteorder))
    wrong = (points > MAX_CODE_POINT) | ((points >= 0xD800) & (points < 0xE000))  # beyond Unicode, surrogates
    if np.any(wrong):
        raise FormatError(f"{where}: holds the code point {points[wrong][0]}, which is not a character")


def _empty_array(shape: tuple[int, ...], dtype: Any, where: str) -> Any:
    if dtype.itemsize == 0 or max(shape, default=0) > MAX_BYTES:
        raise FormatError(f"{where}: shape {shape} of {dtype} holds nothing")
    return np.empty(shape, dtype)


def _read_header(stream: io.BytesIO, where: str) -> tuple[tuple[int, ...], bool, Any]:
    try:
        version = np.lib.format.read_magic(stream)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in readers:
            raise FormatError(f"{where}: npy version {version}, expected (1, 0) or (2, 0)")
        return readers[version](stream, max_header_size=MAX_HEADER)
    except FormatError:
        raise
    except Exception as error:  # the header is a Python literal; parsing one fails in many ways
        raise FormatError(f"{where}: damaged npy header ({type(error).__name__}: {error})") from None


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
