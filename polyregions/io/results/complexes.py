"""Complexes as arrays and as a table of faces; docs/topology.md has the schema."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from polyregions._types import Ints
from polyregions.analysis.tables import Ragged, Table
from polyregions.analysis.topology.face_complex import FaceComplex
from polyregions.io.npz import npz_bytes
from polyregions.io.tables.parquet import table_parquet

SCHEMA: Final = "polyregions face table 1"
LETTERS: Final = np.frombuffer(b"-0+", dtype=np.uint8)


def complex_npz(complex: FaceComplex) -> bytes:
    """Arrays ``dim``, ``signs``, ``walls``, ``bounded``, ``facet_offsets``, ``facets``, ``facet_signs``, ``vertices``.

    The first `len(vertices)` faces are the vertices.
    """
    return npz_bytes(
        {
            "dim": complex.dims,
            "signs": _signs(complex).astype(np.int8),
            "walls": _walls(complex),
            "wall_labels": np.array(complex.problem.solid.labels, dtype=np.str_),
            "bounded": complex.is_bounded,
            "facet_offsets": complex.offsets,
            "facets": complex.facets,
            "facet_signs": complex.facet_signs.astype(np.int8),
            "vertices": complex.vertices,
            "n_lines": np.array(complex.n_lines),
            "parts": np.array([part.name for part in complex.parts], dtype=np.str_),
            "sha256": np.array(complex.problem.network.fingerprint()),
        }
    )


def complex_parquet(complex: FaceComplex) -> bytes:
    """A row a face; the point of a vertex is a list, empty for the others.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    problem, n = complex.problem, len(complex)
    walls = _walls(complex)
    d = problem.network.n_inputs
    ends = np.concatenate(
        [np.arange(complex.counts[0] + 1) * d, np.full(n - complex.counts[0], complex.counts[0] * d)]
    )
    columns: dict[str, Any] = {
        "face": np.arange(n),
        "dim": complex.dims,
        "signs": _texts(_signs(complex)),
        "walls": Ragged(np.concatenate([[0], np.cumsum(walls.sum(axis=1))]), np.nonzero(walls)[1]),
        "bounded": complex.is_bounded,
        "facets": Ragged(complex.offsets, complex.facets),
        "facet_signs": Ragged(complex.offsets, complex.facet_signs.astype(np.int64)),
        "vertex": Ragged(ends, complex.vertices.ravel()),
    }
    about = {
        "schema": SCHEMA,
        "network": problem.network.name,
        "sha256": problem.network.fingerprint(),
        "domain": repr(problem.domain),
        "parts": [part.name for part in complex.parts],
        "n_lines": complex.n_lines,
        "walls": list(problem.solid.labels),
    }
    return table_parquet(Table(columns), about)


def _signs(complex: FaceComplex) -> Ints:
    """The signs (F, N) of all neurons on all faces."""
    found = [complex.signs(dim) for dim in range(complex.dim + 1)]
    return np.concatenate(found)


def _walls(complex: FaceComplex) -> Any:
    """Which rows of the domain (F, m) faces lie on."""
    return np.concatenate([complex.tight_rows(dim) for dim in range(complex.dim + 1)])


def _texts(signs: Ints) -> list[str]:
    """Signs as strings of -, 0 and +."""
    n, text = signs.shape[1], LETTERS[signs.astype(np.int64) + 1].tobytes().decode("ascii")
    return [text[i * n : (i + 1) * n] for i in range(len(signs))]
