"""A linear plant ``x' = A x + B u + c`` from a file: JSON, whose texts such as "1/10" are exact, or .npz."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from polyregions.errors import FormatError, NetworkError
from polyregions.io.files import MAX_BYTES, read_bytes, read_text, shortened, suffix_of
from polyregions.io.npz import arrays_of_npz
from polyregions.networks.combine import closed_loop, compose
from polyregions.networks.network import Network

NAMES: Final = ("A", "B", "c", "C")
MAX_DIGITS: Final = 1000


def load_closed_loop(path: str | os.PathLike[str], controller: Network) -> Network:
    """A controller and the plant of a file as one network, see `closed_loop`.

    Args:
        path: ``.json`` with lists A (d, d), B (d, m) and, if wanted, c (d,) and C (p, d), of numbers, which are the
            nearest float64, or texts like "1/10" or "0.1", which are exact; or ``.npz`` with arrays of these names.
        controller: u, from d inputs, or from the p entries of C x, to m outputs.

    Raises:
        FormatError: another kind of file, or something else in it.
        NetworkError: shapes that do not fit each other or the controller.
    """
    where = os.fspath(path)
    found = _contents(path)
    missing = [name for name in NAMES[:2] if name not in found]
    if missing or not found.keys() <= set(NAMES):
        listed = shortened(", ".join(map(str, found)) or "nothing", 200)
        raise FormatError(f"{where}: holds {listed}, expected A, B and perhaps c and C")
    if suffix_of(path) == ".json":
        found = {name: _exact(value, f"{where}, {name}") for name, value in found.items()}
    try:
        seeing = controller if "C" not in found else compose(controller, _measurement(found["C"]))
        return closed_loop(found["A"], found["B"], seeing, found.get("c"))
    except NetworkError as error:
        raise NetworkError(f"{where}: {error}") from None


def _contents(path: str | os.PathLike[str]) -> Mapping[str, Any]:
    where = os.fspath(path)
    match suffix_of(path):
        case ".json":
            return _object(read_text(path), where)
        case ".npz":
            arrays = arrays_of_npz(read_bytes(path, MAX_BYTES), where, MAX_BYTES)
            return {name: arrays[name] for name in arrays}
    raise FormatError(f"{where}: unknown kind of plant file, expected .json or .npz")


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{where}: not JSON ({shortened(str(error), 80)})") from None
    if not isinstance(found, dict):
        raise FormatError(f"{where}: a {type(found).__name__}, expected an object with A and B")
    return found


def _exact(value: Any, where: str) -> Any:
    """Texts of a list, or a list of lists, as the rationals they write; JSON has no others."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return [_entries(row, where) for row in value]
    return _entries(value, where)


def _entries(row: Any, where: str) -> list[Any]:
    if not isinstance(row, list):
        raise FormatError(f"{where}: {shortened(repr(row))}, expected a list of numbers, or of lists of them")
    return [_entry(entry, where) for entry in row]


def _entry(entry: Any, where: str) -> int | float | Fraction:
    is_number = isinstance(entry, (int, float)) and not isinstance(entry, bool)
    if isinstance(entry, str) and len(entry) <= MAX_DIGITS and "e" not in entry.lower():
        try:
            return Fraction(entry)
        except (ValueError, ZeroDivisionError):
            pass
    elif is_number:
        found: int | float = entry
        return found
    raise FormatError(f'{where}: {shortened(repr(entry))}, expected a number or a text like "1/10"')


def _measurement(C: Any) -> Network:
    return Network.from_layers([(C, [0] * len(C))], name="C")
