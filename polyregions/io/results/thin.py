"""Lower-dimensional regions with their minimal H-representations: archives and Parquet. The schema is in docs/hrep.md.

R1 counts them beside the regions with an interior; they are few, and each is looked at exactly.
"""

from __future__ import annotations

import io
import json
from typing import Any, Final

import numpy as np

from polyregions.analysis.counting.lower_dimensional import LowerDimensionalRegions
from polyregions.analysis.tables import pattern_texts
from polyregions.io.files import import_extra
from polyregions.io.npz import npz_bytes
from polyregions.io.results.regions import regions_about
from polyregions.io.tables.parquet import KEY, PURPOSE, lists

SCHEMA: Final = "polyregions lower-dimensional regions 1"


def thin_npz(thin: LowerDimensionalRegions) -> bytes:
    """Arrays ``patterns``, ``dims``, ``points`` and the H-representations, named as those of regions."""
    found = {"patterns": thin.patterns, "dims": thin.dims, "points": _points(thin)}
    about = np.array(json.dumps(_about(thin), allow_nan=False))
    return npz_bytes({"schema": np.array(SCHEMA), "about": about, **found, **_hrep(thin)})


def thin_parquet(thin: LowerDimensionalRegions) -> bytes:
    """A row a region: its number, pattern, dimension, a point and its H-representation.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa, pq = import_extra("pyarrow", "parquet", PURPOSE), import_extra("pyarrow.parquet", "parquet", PURPOSE)
    rows, points, d = _hrep(thin), _points(thin), thin.regions.network.n_inputs
    lists_of = {name: np.arange(n + 1) * d for name, n in (("points", len(thin)), ("A", len(rows["hrep_b"])))}
    ends = rows["hrep_offsets"]
    columns = {
        "region": pa.array(np.arange(len(thin))),
        "pattern": pa.array(pattern_texts(thin.patterns), pa.string()),
        "dim": pa.array(thin.dims),
        "point": lists(lists_of["points"], points.ravel(), pa),
        "hrep_A": lists(ends, lists(lists_of["A"], rows["hrep_A"].ravel(), pa), pa),
        "hrep_b": lists(ends, rows["hrep_b"], pa),
        "hrep_strict": lists(ends, rows["hrep_strict"], pa),
    }
    about = json.dumps({"schema": SCHEMA, **_about(thin)}, allow_nan=False)
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata({KEY: about}), buffer, compression="zstd")
    return buffer.getvalue()


def _about(thin: LowerDimensionalRegions) -> dict[str, Any]:
    per_dimension = {str(dim): count for dim, count in thin.per_dimension().items()}
    return {**regions_about(thin.regions), "per_dimension": per_dimension}


def _points(thin: LowerDimensionalRegions) -> Any:
    """The nearest floats of the exact points, which may lie beside the region for that."""
    points = [[float(coordinate) for coordinate in point] for point in thin.points]
    return np.array(points, dtype=np.float64).reshape(len(thin), thin.regions.network.n_inputs)


def _hrep(thin: LowerDimensionalRegions) -> dict[str, Any]:
    """Minimal H-representations: facets, then two opposite rows for each equation of the affine hull."""
    polytopes = [region.polytope.minimal() for region in thin]
    d = thin.regions.network.n_inputs
    return {
        "hrep_offsets": np.cumsum([0, *(len(polytope.b) for polytope in polytopes)]),
        "hrep_A": np.concatenate([np.zeros((0, d)), *(polytope.A for polytope in polytopes)]),
        "hrep_b": np.concatenate([np.zeros(0), *(polytope.b for polytope in polytopes)]),
        "hrep_strict": np.concatenate(
            [np.zeros(0, dtype=np.bool_), *(polytope.strict for polytope in polytopes)]
        ),
    }
