"""VNN-LIB files as properties: a file asserts what must *not* happen."""

from __future__ import annotations

import os
from typing import Final

from polyregions.analysis.verification.property import Case, Property, Violation
from polyregions.errors import FormatError, UnsupportedError
from polyregions.io.files import MAX_BYTES, read_text
from polyregions.io.specs.vnnlib.formulas import Conjunction
from polyregions.io.specs.vnnlib.reader import Cases, read_vnnlib
from polyregions.io.specs.vnnlib.sets import integer_row

MAX_ENTRIES: Final = 20_000_000
"""Most coefficients of what is built, zeros included: 8 bytes each."""


def load_property(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> Property:
    """A VNN-LIB property: what the network must not do, exactly as the decimals of the file say.

    Version 1, and version 2.0 about the inputs and outputs of one network; their elements in row-major order are the
    network's inputs and outputs. Disjuncts that no input satisfies are left out, with a notice.

    Args:
        path: a ``.vnnlib`` file, or ``.vnnlib.gz``.
        max_bytes: limit of its size, before and after decompression.

    Raises:
        FormatError: not VNN-LIB, undeclared variables.
        UnsupportedError: products of variables, hidden nodes, several networks, or too many disjuncts.

    >>> import tempfile
    >>> from pathlib import Path
    >>> import polyregions as pr
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "prop.vnnlib")
    ...     _ = file.write_text("(declare-const X_0 Real) (declare-const Y_0 Real) "
    ...                         "(assert (>= X_0 -1)) (assert (<= X_0 0.5)) (assert (>= Y_0 2))")
    ...     found = pr.load_property(file)
    >>> found.n_inputs, found.n_outputs
    (1, 1)
    """
    return property_of_vnnlib(read_text(path, max_bytes), str(path))


def property_of_vnnlib(text: str, where: str) -> Property:
    """The same from the content of a file; `where` names it in messages.

    Raises:
        FormatError: no input or no output variable is declared.
    """
    cases = read_vnnlib(text, where)
    if not (cases.n_inputs and cases.n_outputs):
        letter = "Y" if cases.n_inputs else "X"
        raise FormatError(f"{where}: declares no {letter}_0, expected inputs X_i and outputs Y_j")
    check_size(cases)
    built = [
        Case(
            union.inputs.domain(cases.n_inputs),
            tuple(_violation([*cases.common, *rows], cases) for rows in union.conjunctions),
        )
        for union in cases.unions
    ]
    notices = (*cases.notices, *_empty(cases))
    return Property(tuple(built), cases.n_inputs, cases.n_outputs, where, notices)


def check_size(cases: Cases) -> None:
    """Refuse what would need too much memory once it is built.

    Raises:
        UnsupportedError: it would.
    """
    d, c = cases.n_inputs, cases.n_outputs
    n_rows = sum(len(cases.common) + len(rows) for union in cases.unions for rows in union.conjunctions)
    n_entries = n_rows * (d + c + 1) + sum(union.inputs.n_entries(d) for union in cases.unions)
    if n_entries > MAX_ENTRIES:
        raise UnsupportedError(
            f"{cases.where}: {n_entries} coefficients of {d + c} variables, expected at most {MAX_ENTRIES}"
        )


def _violation(rows: Conjunction, cases: Cases) -> Violation:
    d, c = cases.n_inputs, cases.n_outputs
    places = {column: column if column >= 0 else d + ~column for row in rows for column in row.terms}
    integers = tuple(integer_row(row, places, d + c + 1)[0] for row in rows)
    return Violation(integers, tuple(row.strict for row in rows))


def _empty(cases: Cases) -> list[str]:
    n = len(cases.empty)
    if n == 0:
        return []
    listed = f"{cases.where}: no input satisfies {'any' if n == cases.n_conjunctions else n} of "
    return [f"{listed}{cases.n_conjunctions} disjuncts (the first: {cases.empty[0]})"]
