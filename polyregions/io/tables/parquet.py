"""Tables as Parquet, and graphs as two Parquet files of nodes and edges, written and read; pyarrow does it.

Columns are int64, double, bool, string, or lists of int64 or double. What is known of the whole is a JSON object in the
file's metadata, under the key ``polyregions``.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any, Final

import networkx as nx
import numpy as np

from polyregions.analysis.tables import Column, Ragged, Table
from polyregions.errors import FormatError, OptionError
from polyregions.io.files import MAX_BYTES, import_extra, shortened
from polyregions.io.tables.attributes import json_value
from polyregions.io.tables.json_graph import add_edge, add_node
from polyregions.io.tables.parquet_footer import declared_bytes

KEY: Final = b"polyregions"
MAGIC: Final = b"PAR1"
NODES, EDGES = "polyregions graph nodes 1", "polyregions graph edges 1"
PURPOSE: Final = "Parquet"


def table_parquet(table: Table, about: dict[str, Any]) -> bytes:
    """A table as Parquet; arguments and errors as `table_arrow`."""
    _, pq = _pyarrow()
    buffer = io.BytesIO()
    pq.write_table(table_arrow(table, about), buffer)
    return buffer.getvalue()


def table_arrow(table: Table, about: dict[str, Any]) -> Any:
    """A table as pyarrow's.

    Args:
        table: the columns.
        about: what to store in its metadata, as JSON.

    Raises:
        MissingExtraError: pyarrow is not installed.
        OptionError: what is to be stored cannot be JSON.
    """
    pa = import_extra("pyarrow", "parquet", PURPOSE)
    arrays = {name: arrow_array(column, pa) for name, column in table.columns.items()}
    try:
        text = json.dumps(about, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise OptionError(f"attributes of the whole cannot be JSON: {error}") from None
    return pa.table(arrays).replace_schema_metadata({KEY: text})


def graph_parquet(
    nodes: Table, edges: Table, directed: bool, attributes: dict[str, Any]
) -> tuple[bytes, bytes]:
    """A graph as the contents of two files, nodes and edges; the first names the second by its SHA-256.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    links = table_parquet(edges, {"schema": EDGES})
    about = {"schema": NODES, "directed": directed, "graph": attributes}
    about["edges_sha256"] = hashlib.sha256(links).hexdigest()
    return table_parquet(nodes, about), links


def graph_of_parquet(nodes: bytes, edges: bytes, where: tuple[str, str]) -> nx.Graph:
    """The graph of two files that `graph_parquet` gave.

    Args:
        nodes: content of the file of nodes.
        edges: content of the file of edges.
        where: the two files, for messages.

    Raises:
        FormatError: damaged, not such files, or not two of the same graph.
        MissingExtraError: pyarrow is not installed.
    """
    listed, about = _read(nodes, where[0], NODES)
    links, _ = _read(edges, where[1], EDGES)
    if about.get("edges_sha256") != hashlib.sha256(edges).hexdigest():
        raise FormatError(f"{where[1]}: not the edges that belong to {where[0]}")
    if not isinstance(about.get("graph"), dict):
        raise FormatError(f"{where[0]}: no attributes of the graph in its metadata")
    graph = nx.DiGraph() if about.get("directed") is True else nx.Graph()
    graph.graph.update(about["graph"])
    for row in _rows(listed, ["node"], where[0]):
        add_node(graph, row.pop("node"), row, where[0])
    for row in _rows(links, ["source", "target"], where[1]):
        add_edge(graph, (row.pop("source"), row.pop("target")), row, where[1])
    return graph


def check_parquet() -> None:
    """Refuse before hours go into what could not be written.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    _pyarrow()


def _pyarrow() -> tuple[Any, Any]:
    return import_extra("pyarrow", "parquet", PURPOSE), import_extra("pyarrow.parquet", "parquet", PURPOSE)


def arrow_array(column: Column, pa: Any) -> Any:
    """A column as an Arrow array."""
    if isinstance(column, list):
        return pa.array(column, pa.string())
    if isinstance(column, Ragged):
        return lists(column.offsets, column.values, pa)
    if column.ndim == 2:
        offsets = np.arange(len(column) + 1, dtype=np.int64) * column.shape[1]
        return lists(offsets, np.ascontiguousarray(column).reshape(-1), pa)
    return pa.array(column)


def lists(offsets: Any, values: Any, pa: Any) -> Any:
    """Lists of numbers or of an Arrow array; offsets have 32 bits, which every reader knows, where these suffice."""
    inner = values if isinstance(values, pa.Array) else pa.array(values)
    if len(inner) < 2**31:
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), inner)
    return pa.LargeListArray.from_arrays(pa.array(offsets), inner)


def _read(data: bytes, where: str, schema: str) -> tuple[Any, dict[str, Any]]:
    """The arrow table of a file and what its metadata says; sizes are checked before anything is unpacked."""
    pa, pq = _pyarrow()
    if not data.startswith(MAGIC):
        raise FormatError(f"{where}: begins with {data[:4]!r}, expected a Parquet file ({MAGIC!r})")
    try:
        _check_size(data, where)
        file = pq.ParquetFile(io.BytesIO(data))
        about = _about(file.schema_arrow.metadata, where, schema)
        _check_types(file.schema_arrow, where, pa)
        table = file.read()
        table.validate(full=True)
    except FormatError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{where}: damaged Parquet ({shortened(str(error), 80)})") from None
    for name in table.column_names:
        if table[name].null_count:
            raise FormatError(f"{where}: column {shortened(name)} has missing values")
    return table, about


def _about(metadata: Any, where: str, schema: str) -> dict[str, Any]:
    stored = (metadata or {}).get(KEY)
    about: Any = json_value(stored.decode("utf-8", errors="replace"), where) if stored else None
    found = about.get("schema") if isinstance(about, dict) else None
    if found != schema:
        raise FormatError(f"{where}: {shortened(repr(found))}, expected {schema!r}")
    return dict(about)


def _check_size(data: bytes, where: str) -> None:
    """Run-length encoding lets a small file declare any number of values."""
    declared = declared_bytes(data)
    if declared > MAX_BYTES:
        raise FormatError(f"{where}: declares {declared} bytes, expected at most {MAX_BYTES}")


def _check_types(schema: Any, where: str, pa: Any) -> None:
    numbers = (pa.int64(), pa.float64())
    for field in schema:
        kind = field.type
        is_list = (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and kind.value_type in numbers
        if not is_list and kind not in (*numbers, pa.bool_(), pa.string()):
            raise FormatError(f"{where}: column {shortened(field.name)} is of {shortened(str(kind))}")


def _rows(table: Any, keys: list[str], where: str) -> Any:
    names = table.column_names
    if names[: len(keys)] != keys or len(set(names)) != len(names):
        raise FormatError(f"{where}: columns {shortened(', '.join(names))}, expected {', '.join(keys)} first")
    for name in keys:
        if str(table[name].type) not in ("int64", "string"):
            raise FormatError(f"{where}: column {name} is of {table[name].type}, expected int64")
    columns = [table[name].to_pylist() for name in names]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))
