"""What is handed in as numbers, made an array or refused; callers say in their own error where it stood."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyregions._types import Floats, Ints


class NotNumbers(Exception):
    """Raised for anything but a rectangular array of real numbers.

    Attributes:
        found: what there was instead.
        index: where in the array, () if that cannot be said.
    """

    def __init__(self, found: str, index: tuple[int, ...] = ()) -> None:
        super().__init__(f"{found} at {list(index)}" if index else found)
        self.found = found
        self.index = index


def numbers(values: Any) -> NDArray[Any]:
    """An array of floats and integers of at most 64 bits, or one of int, float and Fraction objects; exact.

    Raises:
        NotNumbers: text, complex or wider numbers, ragged lists, masked arrays, other objects.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise NotNumbers("a masked array")
    values = _detached(values)
    array = _array(values)
    if array.dtype == object:
        return _plain_objects(array)
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise NotNumbers(f"values of type {array.dtype}")
    if array.dtype.kind == "f" and not isinstance(values, np.ndarray):
        return _unrounded(values, array)
    return array


def floats(values: Any) -> Floats:
    """A new array of the nearest float64 numbers.

    Raises:
        NotNumbers: as `numbers`, or a number beyond the range of float64.
    """
    array = numbers(values)
    if array.dtype != object:
        return array.astype(np.float64)
    out = np.empty(array.shape, dtype=np.float64)
    for index, entry in np.ndenumerate(array):
        try:
            out[index] = float(entry)
        except OverflowError:
            raise NotNumbers("a number beyond the range of float64", index) from None
    return out


def floats_and_exact(values: Any) -> tuple[Floats, NDArray[Any] | None]:
    """The nearest float64 numbers, and the numbers themselves as objects if one of them is no float64 number.

    Raises:
        NotNumbers: as `floats`.
    """
    array, nearest = numbers(values), floats(values)
    if array.dtype.kind not in "Oiu":
        return nearest, None
    exact = array if array.dtype == object else array.astype(object)
    same = all(a == b or b != b for a, b in zip(exact.flat, nearest.ravel().tolist(), strict=True))
    return nearest, None if same else exact


def points_and_exact(values: Any, dim: int) -> tuple[Floats, dict[int, tuple[Fraction, ...]]]:
    """Points (k, dim) as `points` gives them, and those that float64 cannot hold exactly, by their row.

    Raises:
        NotNumbers: as `points`.
    """
    nearest = points(values, dim)
    _, exact = floats_and_exact(values)
    if exact is None:
        return nearest, {}
    rows = exact.reshape(nearest.shape)
    floats_ = (
        nearest.tolist()
    )  # Python compares its floats with integers and fractions exactly, numpy does not
    rounded = [i for i in range(len(rows)) if list(rows[i]) != floats_[i]]
    return nearest, {i: tuple(Fraction(entry) for entry in rows[i]) for i in rounded}


def points(values: Any, dim: int) -> Floats:
    """Points (k, dim) with finite entries, rounded to float64; a single one may be given as (dim,).

    Raises:
        NotNumbers: as `floats`, or another shape, NaN or an infinity.
    """
    array = np.atleast_2d(floats(values))
    if array.ndim != 2 or array.shape[1] != dim:
        raise NotNumbers(f"an array of shape {array.shape}")
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        index = (int(bad[0, 0]), int(bad[0, 1]))
        raise NotNumbers(str(array[index]), index)
    return array


def _detached(values: Any) -> Any:
    """The numbers of a tensor of torch, which may have gradients or lie elsewhere; anything else as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(values, torch.Tensor):
        return values
    try:
        plain = values.detach().cpu()
        return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()  # numpy has no bfloat16
    except (TypeError, RuntimeError) as error:  # a sparse or quantised one
        raise NotNumbers(f"{type(values).__name__} ({error})") from None


def _array(values: Any) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError:
        raise NotNumbers("rows of different lengths") from None
    except (TypeError, RuntimeError, OverflowError) as error:
        raise NotNumbers(f"{type(values).__name__} ({error})") from None


def _plain_objects(array: NDArray[Any]) -> NDArray[Any]:
    """The same array with numpy's scalars, whose arithmetic wraps around or rounds, made Python numbers."""
    plain = np.empty(array.shape, dtype=object)
    for index, entry in np.ndenumerate(array):
        plain[index] = entry.item() if isinstance(entry, np.generic) else entry
        if not isinstance(plain[index], (int, float, Fraction)):
            raise NotNumbers(repr(entry), index)
    return plain


def _unrounded(values: Any, array: NDArray[Any]) -> NDArray[Any]:
    """What numpy made of a list, or its plain objects if it rounded an integer that stood among floats."""
    entries = np.array(values, dtype=object)
    if entries.shape != array.shape:
        return array
    pairs = zip(array.ravel().tolist(), entries.flat, strict=True)
    rounded = any(isinstance(entry, (int, np.integer)) and float_ != int(entry) for float_, entry in pairs)
    return _plain_objects(entries) if rounded else array


def runs_of(indices: Ints) -> list[tuple[int, int, int]]:
    """Increasing indices as runs of neighbours: (place among the indices, first index, how many).

    >>> runs_of(np.array([2, 3, 7]))
    [(0, 2, 2), (2, 7, 1)]
    """
    breaks = np.flatnonzero(np.diff(indices) != 1) + 1
    starts = np.concatenate([[0], breaks]).astype(np.int64) if len(indices) else breaks
    lengths = np.diff(np.append(starts, len(indices)))
    return [(int(s), int(indices[s]), int(n)) for s, n in zip(starts, lengths, strict=True)]
