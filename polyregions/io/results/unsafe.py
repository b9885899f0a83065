"""The polytopes of all violations as files: Parquet, written as they are found, archives and JSON.

The schema is in docs/verify.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np

from polyregions.analysis.verification.unsafe import UnsafePolytope, Violations
from polyregions.io.files import import_extra
from polyregions.io.npz import npz_bytes
from polyregions.io.spool import Sink
from polyregions.io.tables.parquet import KEY, PURPOSE
from polyregions.networks.patterns import as_text
from polyregions.polyhedra.solid import rounded_towards

SCHEMA: Final = "polyregions violations 1"
RESULT: Final = b"polyregions result"
"""Where the file's metadata say what is known at the end only."""
LONGEST: Final = 2000
"""Bits of the numbers of an exact share that is written out."""
MOST: Final = 1000
"""Polytopes whose volumes are added up exactly to see how long their sum is."""


def shares(found: Violations) -> dict[str, Any]:
    """What is known of the share: proved bounds in floats, and exactly where the numbers are not too long."""
    low, high = found.interval
    report: dict[str, Any] = {
        "share_at_least": rounded_towards(low, -1),
        "share_at_most": rounded_towards(high, 1),
    }
    if found.complete and len(found) <= MOST:
        share = found.exact_share
        if share is not None and share.denominator.bit_length() <= LONGEST:
            report["exact_share"] = str(share)
    return report


def violations_about(found: Violations) -> dict[str, Any]:
    """All but the polytopes, as plain data."""
    report: dict[str, Any] = {"verdict": found.verdict, "complete": found.complete, **shares(found)}
    report |= {"touching": found.touching, "regions_looked_at": found.regions, "parts": found.parts}
    if found.notices:
        report["notices"] = list(found.notices)
    return report


def _record(piece: UnsafePolytope) -> dict[str, Any]:
    polytope, pattern = piece.polytope, piece.pattern
    return {
        "region": piece.region,
        "pattern": None if pattern is None else as_text(pattern),
        "input_set": piece.case,
        "violation": piece.violation,
        "volume": piece.volume,
        "point": piece.point.tolist(),
        "hrep_A": polytope.A.tolist(),
        "hrep_b": polytope.b.tolist(),
        "hrep_strict": polytope.strict.tolist(),
        "hrep_rows": list(polytope.labels),
        "hrep_exact": [" ".join(f"{entry:x}" for entry in row) for row in polytope.exact_rows],
    }


def violations_json(found: Violations) -> Iterator[bytes]:
    """One object: what is known of the whole, and a list of polytopes."""
    head = {"schema": SCHEMA, "network": found.network.name, "property": found.prop.name}
    yield json.dumps({**head, **violations_about(found)}, indent=1)[:-2].encode() + b',\n "polytopes": ['
    for i, piece in enumerate(found):
        yield (b",\n" if i else b"\n") + json.dumps(_record(piece)).encode()
    yield b"\n ]\n}\n"


def violations_npz(found: Violations) -> bytes:
    """The same as arrays: rows of all polytopes one after the other, `hrep_offsets` (n+1,) where each begins."""
    polytopes = [piece.polytope for piece in found]
    d, n_neurons = found.network.n_inputs, found.network.n_neurons
    none = np.zeros(n_neurons, dtype=np.bool_)
    patterns = [(piece.pattern is not None, piece.pattern) for piece in found]
    about = json.dumps(violations_about(found))
    return npz_bytes(
        {
            "region": np.array(found.numbers, dtype=np.int64),
            "has_pattern": np.array([has for has, _ in patterns], dtype=np.bool_),
            "patterns": np.array([none if p is None else p for _, p in patterns]).reshape(-1, n_neurons),
            "input_set": np.array([piece.case for piece in found], dtype=np.int64),
            "violation": np.array([piece.violation for piece in found], dtype=np.int64),
            "volume": found.volumes,
            "points": found.points,
            "hrep_offsets": np.cumsum([0, *(len(polytope.b) for polytope in polytopes)]),
            "hrep_A": np.concatenate([np.zeros((0, d)), *(polytope.A for polytope in polytopes)]),
            "hrep_b": np.concatenate([np.zeros(0), *(polytope.b for polytope in polytopes)]),
            "hrep_strict": np.array([s for polytope in polytopes for s in polytope.strict], dtype=np.bool_),
            "hrep_rows": np.array([label for p in polytopes for label in p.labels], dtype=np.str_),
            "about": np.array(about),
        }
    )


def violations_parquet(blocks: Iterable[Violations], whole: Callable[[], Violations]) -> Iterator[bytes]:
    """A row a polytope, block by block as they come.

    Args:
        blocks: the polytopes; at least one block, which may be empty.
        whole: asked after the last block for what is known of the whole, which goes into the file's metadata.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    pa, pq = import_extra("pyarrow", "parquet", PURPOSE), import_extra("pyarrow.parquet", "parquet", PURPOSE)
    sink, writer, n = Sink(), None, 0
    for block in blocks:
        if writer is None:
            writer = pq.ParquetWriter(pa.PythonFile(sink, mode="w"), _schema(block, pa), compression="zstd")
        records = [{"polytope": n + i, **_record(piece)} for i, piece in enumerate(block)]
        writer.write_table(pa.Table.from_pylist(records, schema=_schema(block, pa)))
        n += len(records)
        yield from sink.taken()
    assert writer is not None
    about = json.dumps(violations_about(whole()))
    writer.add_key_value_metadata({RESULT: about.encode()})
    writer.close()
    yield from sink.taken()


def _schema(found: Violations, pa: Any) -> Any:
    numbers, texts = pa.list_(pa.float64()), pa.list_(pa.string())
    columns = {name: pa.int64() for name in ("polytope", "region", "input_set", "violation")}
    columns |= {"pattern": pa.string(), "volume": pa.float64(), "point": numbers, "hrep_A": pa.list_(numbers)}
    columns |= {
        "hrep_b": numbers,
        "hrep_strict": pa.list_(pa.bool_()),
        "hrep_rows": texts,
        "hrep_exact": texts,
    }
    about = {"schema": SCHEMA, "network": found.network.name, "property": found.prop.name}
    return pa.schema(list(columns.items()), metadata={KEY: json.dumps(about)})
