"""What proves "these regions, all of them, and no others", as plain data.

`certify` makes one, `polyregions.certificates.checker.check` checks it, `io.results.certificate` stores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Any, Final

import numpy as np
from flint import fmpz

from polyregions._types import Bytes, Floats, Ints

VERSION: Final = 1


@dataclass(frozen=True, eq=False)
class InputSet:
    """An input set: all v in R^e with ``lower <= v <= upper`` and ``row . [v, 1] >= 0`` for every row.

    The inputs x of the network are v itself, or ``origin + v @ directions`` if there are directions.
    A box has no rows; a polytope has no finite bounds; the whole space has neither.

    Attributes:
        lower: (e,) float64, -inf where there is no bound.
        upper: (e,) float64, inf where there is no bound.
        rows: rows of e+1 integers, the constant last.
        origin: (d,) float64; None unless the set is a slice.
        directions: (e, d) float64; None unless the set is a slice.
    """

    lower: Floats
    upper: Floats
    rows: tuple[tuple[int, ...], ...] = ()
    origin: Floats | None = None
    directions: Floats | None = None

    def same_as(self, other: InputSet) -> bool:
        """Whether two input sets are given by the same numbers."""
        pairs = [
            (getattr(self, name), getattr(other, name)) for name in ("lower", "upper", "origin", "directions")
        ]
        equal = all((a is None) == (b is None) and (a is None or np.array_equal(a, b)) for a, b in pairs)
        return equal and self.rows == other.rows

    def __str__(self) -> str:
        """The whole set: floats with all their digits, rows by their number and digest."""
        letter = "x" if self.origin is None else "v"
        bounds = zip(self.lower.tolist(), self.upper.tolist(), strict=True)
        parts = [text for i, (a, b) in enumerate(bounds) if (text := _bounds_text(f"{letter}{i}", a, b))]
        parts += [f"{len(self.rows)} rows with sha256 {self.digest_of_rows()}"] if self.rows else []
        return f"in {self._space()} where {', '.join(parts)}" if parts else f"in all of {self._space()}"

    def _space(self) -> str:
        if self.origin is None or self.directions is None:
            return f"R^{len(self.lower)}"
        coordinates = f"x = {self.origin.tolist()} + v @ {self.directions.tolist()}"
        return f"the slice {coordinates} of R^{len(self.origin)}"

    def digest_of_rows(self) -> str:
        """SHA-256 of the rows, one line each: its integers in decimal, joined by commas.

        >>> InputSet(np.full(1, -np.inf), np.full(1, np.inf), ((1, -2),)).digest_of_rows()[:16]
        '1a4bd402a917433f'
        """
        digest = sha256()
        for row in self.rows:
            digest.update(f"{','.join(map(_decimal, row))}\n".encode())
        return digest.hexdigest()


def _decimal(number: int) -> str:
    """Like `str`, which refuses integers of more than 4300 digits."""
    return str(fmpz(number))


def _bounds_text(name: str, low: float, high: float) -> str:
    """The finite bounds of a coordinate; empty if there are none."""
    if low == high:
        return f"{name} = {low!r}"
    below = "" if low == -np.inf else f"{low!r} <= "
    above = "" if high == np.inf else f" <= {high!r}"
    return f"{below}{name}{above}" if below or above else ""


@dataclass(frozen=True, eq=False)
class HullMap:
    """The affine hull of an input set, with coordinates u in R^k of its own.

    The rows of the input set are numbered: for each coordinate its finite bounds, the lower one first; then
    the other rows.

    Attributes:
        embedding: e rows of k+1 integers, the map u -> v times `denominator`, the constant last.
        denominator: a positive integer.
        equations: row -> y > 0 for each row of the input set that vanishes on it. The sum of y times these rows is
            zero, which proves that all of them vanish wherever all of them are >= 0.
    """

    embedding: tuple[tuple[int, ...], ...]
    denominator: int
    equations: Mapping[int, int]


@dataclass(frozen=True, eq=False)
class Certificate:
    """The list of all regions of a network on an input set, with its proof.

    Leaves: the patterns, and a point strictly inside each region. Refusals: in the tree that the sorted patterns
    imply, why a neuron on which all leaves below a cell agree has nothing on its other side there. A refusal is the
    list of the cell's rows on which the proof rests; together with the neuron's own row these determine multipliers
    y > 0 for which the sum of y times the rows is a constant <= 0, while it would be positive at a point inside.

    The rows of a cell are numbered: the rows of the input set that are not constant over u, from 0 on, m of them;
    then m + n for a neuron n (counted through the pattern) that splits an ancestor of the cell.

    The refusals stand in the order in which `polyregions.certificates.checker.Walk` comes to them: for each cell, depth
    first, off before on, that begins a layer or is one side of a split, all neurons of the layer from the next one
    on that are not refused yet, not constant, and on which all leaves agree. An empty list puts a neuron
    off until a smaller cell.

    Attributes:
        version: of this format.
        network: fingerprint of the network (`Network.fingerprint`).
        input_set: the input set.
        hull: its affine hull.
        packed: (R, ceil(N / 8)) uint8, the patterns in lexicographic order, see `polyregions.networks.patterns`.
        points: (R, k) float64, a point inside each region over u.
        rational_points: region -> its point, for regions that hold no float64 point.
        supports: (T,) int64, the rows of all refusals one after the other.
        offsets: (Q+1,) int64, where each refusal begins and ends in `supports`.
    """

    version: int
    network: str
    input_set: InputSet
    hull: HullMap
    packed: Bytes
    points: Floats
    rational_points: Mapping[int, tuple[Fraction, ...]]
    supports: Ints
    offsets: Ints

    def __repr__(self) -> str:
        return f"<Certificate: {len(self.packed)} regions, {len(self.offsets) - 1} refusals>"


def malformed(certificate: Certificate, n_inputs: int, n_neurons: int) -> str | None:
    """What is wrong with the shapes, types and ranges of a certificate's arrays; None if nothing is."""
    given, hull = certificate.input_set, certificate.hull
    e, size = len(given.lower), len(certificate.packed)
    k = len(hull.embedding[0]) - 1 if hull.embedding else 0
    arrays: dict[str, tuple[Any, str, tuple[int, ...]]] = {
        "lower": (given.lower, "float64", (e,)),
        "upper": (given.upper, "float64", (e,)),
        "packed": (certificate.packed, "uint8", (size, (n_neurons + 7) // 8)),
        "points": (certificate.points, "float64", (size, k)),
        "supports": (certificate.supports, "int64", (len(certificate.supports),)),
        "offsets": (certificate.offsets, "int64", (len(certificate.offsets),)),
    }
    for name, (array, dtype, shape) in arrays.items():
        if str(array.dtype) != dtype or array.shape != shape:
            return f"array {name}: {array.dtype} {array.shape}, expected {dtype} {shape}"
    if size == 0:
        return "no regions: expected at least one"
    return (
        _malformed_input_set(given, n_inputs)
        or _malformed_hull(hull, e, k)
        or _malformed_contents(certificate)
    )


def _malformed_input_set(given: InputSet, n_inputs: int) -> str | None:
    e, d = len(given.lower), n_inputs
    if not np.all((given.lower <= given.upper) & (given.lower < np.inf) & (given.upper > -np.inf)):
        return "input set: expected lower <= upper"
    if any(len(row) != e + 1 for row in given.rows):
        return f"input set: expected rows of {e + 1} entries"
    if given.origin is None or given.directions is None:
        whole = given.origin is given.directions is None and e == d
        return None if whole else f"input set: {e} coordinates and no directions, expected {d} coordinates"
    fits = given.origin.shape == (d,) and given.directions.shape == (e, d)
    floats = given.origin.dtype == given.directions.dtype == np.float64
    if not (fits and floats and np.isfinite(given.origin).all() and np.isfinite(given.directions).all()):
        return f"input set: expected a finite origin ({d},) and directions ({e}, {d})"
    return None


def _malformed_hull(hull: HullMap, e: int, k: int) -> str | None:
    integers: list[Any] = [hull.denominator, *hull.equations, *hull.equations.values()]
    integers += [entry for row in hull.embedding for entry in row]
    shaped = len(hull.embedding) == e and k >= 0 and all(len(row) == k + 1 for row in hull.embedding)
    if shaped and hull.denominator > 0 and all(type(entry) is int for entry in integers):
        return None
    return f"hull: expected {e} rows of {k + 1} integers over a positive denominator"


def _malformed_contents(certificate: Certificate) -> str | None:
    size, k = certificate.points.shape
    for i in np.flatnonzero(~np.isfinite(certificate.points).all(axis=1)).tolist():
        if i not in certificate.rational_points:  # beyond float64 the rational point is the point
            return f"region {i}: its point is not finite"
    for i, point in certificate.rational_points.items():
        if not 0 <= i < size or len(point) != k:
            return f"region {i}: a rational point of {len(point)} coordinates, expected {k} for one of {size} regions"
    ends = [0, *certificate.offsets.tolist(), len(certificate.supports)]
    if len(ends) == 2 or ends[1] != 0 or ends[-2] != ends[-1] or ends != sorted(ends):
        return f"offsets: expected to rise from 0 to {len(certificate.supports)}, the length of supports"
    return None
