"""`load_domain`: picks the reader of an input set by the file's suffix."""

from __future__ import annotations

import os
from typing import Any, Final

from polyregions.errors import DomainError, FormatError, UnsupportedError
from polyregions.io.files import MAX_BYTES, read_bytes, shortened, suffix_of
from polyregions.io.npz import Arrays, arrays_of_npz
from polyregions.io.specs.vnnlib.boxes import load_vnnlib_domains
from polyregions.polyhedra.domain import Box
from polyregions.polyhedra.polytope import HPolytope


def load_domain(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Box | HPolytope:
    """The input set stored in a file.

    Args:
        path: a VNN-LIB property (``.vnnlib``) whose constraints on inputs alone form one set, the one that
            `load_property` reads; or a ``.npz`` with arrays ``lower`` (d,) and ``upper`` (d,), or ``A`` (m, d) and
            ``b`` (m,) for ``A x <= b``, or all four for the part of the box in which the rows hold; either may be
            compressed (``.gz``).
        max_bytes: limit of the size, before and after decompression.

    Raises:
        FormatError: a file that is not what its name claims, or arrays of other names.
        UnsupportedError: several input sets.
        DomainError: bounds that are crossed or not finite, constraints that no input satisfies.

    >>> import tempfile
    >>> from pathlib import Path
    >>> import polyregions as pr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "prop.vnnlib")
    ...     _ = file.write_text("(declare-const X_0 Real) (declare-const Y_0 Real) "
    ...                         "(assert (>= X_0 -1)) (assert (<= X_0 0.5)) (assert (>= Y_0 2))")
    ...     pr.load_domain(file)
    Box([-1.0], [0.5])
    """
    domains = load_domains(path, max_bytes=max_bytes)
    if len(domains) != 1:
        raise UnsupportedError(
            f"{path}: the inputs form {len(domains)} different sets, expected one; load_domains gives all of them, "
            "for enumerate_union"
        )
    return domains[0]


def load_domains(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> list[Box | HPolytope]:
    """All input sets stored in a file, for `enumerate_union`.

    Args:
        path: a VNN-LIB property, whose constraints on inputs alone may form several sets; or a ``.npz`` as for
            `load_domain`, where arrays ``lower`` and ``upper`` may be (B, d), a row for each of several boxes.
        max_bytes: limit of the size, before and after decompression.

    Returns:
        At least one set, in the order of the file; they may overlap.

    Raises:
        FormatError: a file that is not what its name claims, or arrays of other names.
        DomainError: bounds that are crossed or not finite, constraints that no input satisfies.

    >>> import tempfile
    >>> import numpy as np
    >>> import polyregions as pr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/boxes.npz", lower=[[-1.0], [2.0]], upper=[[0.0], [3.0]])
    ...     pr.load_domains(f"{folder}/boxes.npz")
    [Box([-1.0], [0.0]), Box([2.0], [3.0])]
    """
    where = str(path)
    match suffix_of(path):
        case ".vnnlib":
            return load_vnnlib_domains(path, max_bytes=max_bytes)
        case ".npz":
            return _domains_of_arrays(arrays_of_npz(read_bytes(path, max_bytes), where, max_bytes), where)
    raise FormatError(f"{where}: unknown kind of domain file, expected .vnnlib or .npz (or .gz behind it)")


NAMES: Final = ("lower", "upper", "A", "b")


def _domains_of_arrays(arrays: Arrays, where: str) -> list[Box | HPolytope]:
    """One set; or several boxes, a row each."""
    if {*NAMES[:2]} <= arrays.keys():
        lower, upper = arrays["lower"], arrays["upper"]
        if lower.ndim == 2 and len(lower) and lower.shape == upper.shape:
            arrays.refuse_rest(NAMES[:2])
            pairs = enumerate(zip(lower, upper, strict=True))
            return [_box(low, high, f"{where}, box {i}") for i, (low, high) in pairs]
    return [_domain_of_arrays(arrays, where)]


def _domain_of_arrays(arrays: Arrays, where: str) -> Box | HPolytope:
    """A box, rows, or the part of a box that rows leave."""
    has_box, has_rows = ({*pair} <= arrays.keys() for pair in (NAMES[:2], NAMES[2:]))
    if not has_box and not has_rows:
        listed = shortened(", ".join(arrays) or "nothing", 200)
        raise FormatError(f"{where}: holds {listed}, expected arrays lower and upper, or A and b")
    box = _box(arrays["lower"], arrays["upper"], where) if has_box else None
    rows = _polytope(arrays["A"], arrays["b"], where) if has_rows else None
    arrays.refuse_rest(NAMES)
    if box is None or rows is None:
        found = rows if box is None else box
        assert found is not None  # one of them is there
        return found
    if box.dim != rows.dim:
        raise DomainError(f"{where}: lower and upper have {box.dim} entries, A has {rows.dim} columns")
    sides = box.polytope()
    return rows.with_exact_rows(sides.exact_rows, [1] * len(sides.A), sides.strict, sides.labels)


def _polytope(A: Any, b: Any, where: str) -> HPolytope:
    try:
        return HPolytope(A, b)
    except DomainError as error:
        raise DomainError(f"{where}: {error}") from None


def _box(lower: Any, upper: Any, where: str) -> Box:
    for name, array in (("lower", lower), ("upper", upper)):
        if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8:
            raise FormatError(f"{where}, {name}: values of type {array.dtype}, expected real numbers")
    try:
        return Box(lower, upper)
    except DomainError as error:
        raise DomainError(f"{where}: {error}") from None
