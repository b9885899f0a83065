"""VNN-LIB files as input sets: what they say of inputs alone; constraints that mention outputs are left out."""

from __future__ import annotations

import os

from polyregions.errors import DomainError, FormatError
from polyregions.io.files import MAX_BYTES, read_text
from polyregions.io.specs.vnnlib.property import check_size
from polyregions.io.specs.vnnlib.reader import read_vnnlib
from polyregions.polyhedra.domain import Box
from polyregions.polyhedra.polytope import HPolytope


def load_vnnlib_domains(path: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> list[Box | HPolytope]:
    """All different input sets of a VNN-LIB property, in the order of the file: those of its cases.

    Args:
        path: a ``.vnnlib`` file, or ``.vnnlib.gz``.
        max_bytes: limit of its size, before and after decompression.

    Returns:
        One non-empty set in R^d per distinct disjunct of the input constraints; a box where bounds say so.

    Raises:
        FormatError: not VNN-LIB, undeclared variables.
        UnsupportedError: products of variables, hidden nodes, several networks, or too many disjuncts.
        DomainError: no input satisfies the constraints.
    """
    return domains_of_vnnlib(read_text(path, max_bytes), str(path))


def domains_of_vnnlib(text: str, where: str) -> list[Box | HPolytope]:
    """The same from the content of a file; `where` names it in messages.

    Raises:
        FormatError: no input variable is declared.
        DomainError: no input satisfies the constraints.
    """
    cases = read_vnnlib(text, where)
    if cases.n_inputs == 0:
        raise FormatError(f"{where}: declares no input variable, expected X_0, X_1, ...")
    check_size(cases)
    domains = [union.inputs.domain(cases.n_inputs) for union in cases.unions]
    found = [domain for domain in domains if not _is_empty(domain)]
    if not found:
        reason = f" ({cases.empty[0]})" if cases.empty else ""
        raise DomainError(f"{where}: no input satisfies the constraints on X{reason}")
    return found


def _is_empty(domain: Box | HPolytope) -> bool:
    """Whether rows over several inputs contradict each other; exact. Bounds that do have been left out before."""
    if isinstance(domain, Box):
        return False
    try:
        domain.solid_domain()
    except DomainError:
        return True
    return False
